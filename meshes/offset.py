"""How far the nodes of facets move when the facets are shifted parallel to themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ssbmech.meshes.cohesive import FacetIndex, Mask, Parts
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import FACETS, Floats, Ints

# Longest displacement of a node, relative to the layer's thickness on its side: the mitre of a
# corner of 2.3 degrees. Where facets fold back more sharply (a crack front), the layer closes.
_MITRE = 50.0
# Compromise between more planes than dimensions: the least share of its thickness that each plane
# gets, and the longest displacement with which one is mended that gives less.
_LEAST_SHARE, _MEND = 0.3, 10.0


def displacements(
    data: MeshData, index: FacetIndex, cut: Mask, parts: Parts, width: Floats
) -> Floats:
    """Displacement of the copy of each part's node, zero where it stays, shape (n_parts, dim).

    First the outer sides and the interfaces between materials (exactly), then the offset from the
    thickened facets, then, with what freedom is left, the planes of other tagged facets; of all
    solutions the shortest.
    """
    d = data.dim
    solver = _Offsets(len(parts.node), d)
    part_of = np.full(data.cells.shape, -1, dtype=np.int64)
    part_of[parts.cell, parts.local] = parts.part

    _, single = index.twins()
    outer = index.row[single]
    on_cut = np.isin(index.key[single], index.tagged[cut])
    mark = _tags_of(data, index, index.key[single])
    others = index.owners(~cut)
    inner = others[others[:, 1] >= 0]
    tag = data.cell_tags[inner // (d + 1)]
    first = np.where(tag[:, 0] < tag[:, 1], inner[:, 0], inner[:, 1])  # all from the same side
    interface = tag[:, 0] != tag[:, 1]
    group = data.facet_tags[~cut][others[:, 1] >= 0]
    rows = _corners(data, np.r_[outer[~on_cut], first[interface]], part_of)
    solver.flat_sides(rows, np.r_[mark[~on_cut], group[interface]][rows.facet])

    # Facets of no width on either side only give way.
    facet, column = np.nonzero((parts.sides >= 0) & (width.sum(axis=1) > 0)[:, None])
    rows = _corners(data, parts.sides[facet, column], part_of)
    w = width[facet, column]
    solver.stage(rows.part, rows.normal, -w[rows.facet], rows.angle, cutoff=1e-6, longest=_MITRE)

    planes = _corners(data, inner[~interface].ravel(), part_of)
    solver.stage(planes.part, planes.normal, np.zeros(len(planes.part)), planes.angle, cutoff=0.05)

    shift = solver.shift
    _keep_inside(solver, rows, w[rows.facet], planes)
    # At an inner edge a part is on both sides of a facet.
    code = facet[rows.facet] * len(parts.node) + rows.part
    known, count = np.unique(code, return_counts=True)
    shift[known[count > 1] % len(parts.node)] = 0.0
    shift[np.setdiff1d(np.arange(len(shift)), rows.part)] = 0.0
    return shift


def _keep_inside(solver: _Offsets, rows: _Corners, width: Floats, planes: _Corners) -> None:
    """Mend displacements that the compromise between too many planes takes out of their part.

    Every plane must be left behind by at least its thickness then; of all such displacements the
    shortest (least distance programming: C. L. Lawson, R. J. Hanson, Solving Least Squares
    Problems, 1974, chapter 23), with the other planes kept if that is possible. Where the planes
    allow none, the node stays.
    """
    from scipy.optimize import nnls

    wide = width > 0
    part, normal, width = rows.part[wide], rows.normal[wide], width[wide]
    behind = np.einsum("ri,ri->r", normal, solver.shift[part]) / width
    order = np.argsort(part, kind="stable")
    plane_order = np.argsort(planes.part, kind="stable")
    for k in np.unique(part[behind > -_LEAST_SHARE]):
        mine = order[slice(*np.searchsorted(part[order], [k, k + 1]))]
        held = plane_order[slice(*np.searchsorted(planes.part[plane_order], [k, k + 1]))]
        size = width[mine].max()
        solver.shift[k] = 0.0
        for fixed in (planes.normal[held], planes.normal[:0]):
            within = solver.on_sides[k]
            if len(fixed):
                _, value, right = np.linalg.svd(fixed @ within, full_matrices=False)
                right = right[value > 0.05]
                within = within - right.T @ right
            system = np.vstack([-(normal[mine] @ within).T, width[mine] / size])
            target = np.zeros(len(system))
            target[-1] = 1.0
            rest = system @ nnls(system, target)[0] - target
            if abs(rest[-1]) * _MEND > np.linalg.norm(rest[:-1]) and rest @ rest > 1e-12:
                solver.shift[k] = -within @ rest[:-1] / rest[-1] * size
                break


def spread(
    data: MeshData, index: FacetIndex, cut: Mask, move: Floats, cells: Ints, sweeps: int = 100
) -> Floats:
    """Displacements carried into the body by averaging over neighbours.

    Nodes on flat tagged facets and flat sides slide along them; those on curved ones, on fronts
    and on lines stay.
    """
    from scipy.sparse import csr_matrix, diags

    d, n = data.dim, len(move)
    given = np.zeros(n, dtype=bool)
    given[len(data.points) :] = True
    solver = _Offsets(n, d)
    _, single = index.twins()
    rows = np.unique(np.r_[index.row[single], index.owners()[:, 0]])
    every = _corners(data, rows, cells)
    key = np.empty(len(index.key), dtype=np.int64)
    key[index.row] = index.key
    mark = _tags_of(data, index, key[rows])[every.facet]
    # Facets inside the body point to either side; this makes those of one plane agree.
    sign = np.where(every.normal @ np.array([0.577, 0.211, 0.789])[:d] < 0, -1.0, 1.0)
    mean, least, inverse = _mean_normals(every.part, mark, every.normal * sign[:, None])
    _, row = np.unique(inverse, return_index=True)
    owner = every.part[row]
    solver.stage(owner, mean, np.zeros(len(mean)), np.ones(len(mean)), cutoff=1e-6)
    given[owner[least < 1 - 1e-9]] = True
    given[data.facets[cut]] = True  # where the layer closes, and the side that stays
    for line in (*data.fronts.values(), *data.lines.values()):
        given[line] = True
    pairs = np.concatenate([cells[:, [i, j]] for i in range(d + 1) for j in range(d + 1) if i != j])
    graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    graph.data[:] = 1.0
    degree = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1.0)
    average = diags(1.0 / degree) @ graph
    field = move[:, :d].copy()
    free = np.flatnonzero(~given)
    for _ in range(sweeps):
        mean_field = np.asarray(average @ field)
        field[free] = np.einsum("nij,nj->ni", solver.free[free], mean_field[free])
    result = move.copy()
    result[:, :d] = field
    return result


# -- details ---------------------------------------------------------------------------------------


def _tags_of(data: MeshData, index: FacetIndex, key: Ints) -> Ints:
    """Tag of the facets with these keys, 0 for untagged ones."""
    known, first = np.unique(index.tagged, return_index=True)
    at = np.minimum(np.searchsorted(known, key), len(known) - 1)
    return np.where(known[at] == key, data.facet_tags[first[at]], 0).astype(np.int64)


@dataclass(frozen=True)
class _Corners:
    """Facets seen from a cell at their nodes.

    Attributes:
        facet: Position in the list of facets that was asked for.
        part: Part of the node in that cell.
        normal: Unit normal out of the cell, shape (n, dim).
        angle: Angle of the facet at the node [rad]; 1 in 2-D.
    """

    facet: Ints
    part: Ints
    normal: Floats
    angle: Floats


def _corners(data: MeshData, rows: Ints, part_of: Ints) -> _Corners:
    """Corners, at nodes that have a part, of facets given as rows of all cells' facets."""
    d = data.dim
    cell, local = rows // (d + 1), rows % (d + 1)
    table = np.array(FACETS[d, 1])
    part = part_of[cell[:, None], table[local]]
    near = np.flatnonzero((part >= 0).any(axis=1))
    cell, local, part = cell[near], local[near], part[near]
    x = data.points[data.cells[cell[:, None], table[local]], :d]
    missing = np.array([next(iter(set(range(d + 1)) - set(f))) for f in FACETS[d, 1]])
    opposite = data.points[data.cells[cell, missing[local]], :d]
    edges = x[:, 1:] - x[:, :1]
    if d == 2:
        normal: Floats = np.stack([edges[:, 0, 1], -edges[:, 0, 0]], axis=1)
        angle = np.ones((len(x), 2))
    else:
        normal = np.cross(edges[:, 0], edges[:, 1]).astype(np.float64)
        u = np.roll(x, -1, axis=1) - x
        v = np.roll(x, 1, axis=1) - x
        cosine = np.einsum("fni,fni->fn", u, v)
        angle = np.arctan2(np.linalg.norm(np.cross(u, v), axis=2), cosine)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    inward = np.einsum("fi,fi->f", normal, opposite - x[:, 0]) > 0
    normal[inward] *= -1
    facet, place = np.nonzero(part >= 0)
    return _Corners(near[facet], part[facet, place], normal[facet], angle[facet, place])


class _Offsets:
    """Displacements that meet conditions n . d = b, in stages of falling importance."""

    def __init__(self, n: int, dim: int) -> None:
        self.shift = np.zeros((n, dim))
        self.free = np.tile(np.eye(dim), (n, 1, 1))  # projectors on what is still free
        self.on_sides = self.free  # and on what the outer sides leave free

    def stage(
        self,
        part: Ints,
        normal: Floats,
        target: Floats,
        weight: Floats,
        *,
        cutoff: float,
        longest: float = np.inf,
    ) -> None:
        """Least squares of ``weight * (normal . d - target)**2`` in the free directions.

        Args:
            part: Which displacement each condition is for.
            normal: Shape (n, dim).
            target: [um].
            weight: Angle that the condition stands for.
            cutoff: Singular values below this part of the weight count as zero.
            longest: A component longer than this times the largest target is left out.
        """
        order = np.argsort(part, kind="stable")
        part, normal, target = part[order], normal[order], target[order]
        root = np.sqrt(weight[order])
        owner, begin, count = np.unique(part, return_index=True, return_counts=True)
        for k in np.unique(count):
            mine = owner[count == k]
            rows = begin[count == k][:, None] + np.arange(k)
            n, w, b = normal[rows], root[rows], target[rows]
            rest = w * (b - np.einsum("pki,pi->pk", n, self.shift[mine]))
            left, size, right = np.linalg.svd(
                np.einsum("pk,pki,pij->pkj", w, n, self.free[mine]), full_matrices=False
            )
            kept = size > cutoff * np.sqrt((w**2).sum(axis=1))[:, None]
            along = np.einsum("pkr,pk->pr", left, rest) / np.where(kept, size, 1.0)
            if np.isfinite(longest):
                kept &= np.abs(along) <= longest * np.abs(b).max(axis=1)[:, None]
            right = right * kept[:, :, None]
            self.shift[mine] += np.einsum("pr,pri->pi", along, right)
            self.free[mine] -= np.einsum("pri,prj->pij", right, right)

    def flat_sides(self, rows: _Corners, mark: Ints) -> None:
        """Stay on sides and interfaces: a plane per group, or each facet where it has corners."""
        mean, flat, inverse = _mean_normals(rows.part, mark, rows.normal)
        part, first = np.unique(inverse, return_index=True)
        smooth = flat[part] > 0.87  # within 30 degrees of the mean: flat or curved, no corner
        single = ~np.isin(inverse, part[smooth])
        n = np.concatenate([mean[part[smooth]], rows.normal[single]])
        owner = np.r_[rows.part[first[smooth]], rows.part[single]]
        self.stage(owner, n, np.zeros(len(n)), np.ones(len(n)), cutoff=0.05)
        self.on_sides = self.free.copy()


def _mean_normals(owner: Ints, mark: Ints, normal: Floats) -> tuple[Floats, Floats, Ints]:
    """Mean normal of the rows with equal owner and mark.

    Returns:
        The means, the least cosine between a mean and its rows, and the mean of each row.
    """
    code = owner * (int(mark.max(initial=0)) + 1) + mark
    _, inverse = np.unique(code, return_inverse=True)
    n = int(inverse.max(initial=-1)) + 1
    mean = np.zeros((n, normal.shape[1]))
    np.add.at(mean, inverse, normal)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-300)
    least = np.ones(n)
    np.minimum.at(least, inverse, np.einsum("ri,ri->r", mean[inverse], normal))
    return mean, least, inverse
