"""Gaps between surfaces that no element resolves, and layers with too few elements across."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ssbmech.meshes.checks import Check, Mask, at, chunks, report
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints
from ssbmech.meshes.watertight import Topology

# Gaps wider than this share of the local size are not looked for.
SEEN = 0.2
# A gap narrower than this share of the local size was not meant: surfaces that should be joined.
LEAST = 1e-3
# Normals that differ by more than 120 degrees look away from each other.
_AWAY = -0.5
# Length of the mean of the unit normals around a node where a surface counts as smooth.
_SMOOTH = 0.9


@dataclass(frozen=True)
class Gap:
    """The smallest gap.

    Attributes:
        width: In um; infinite when no gap is narrower than ``SEEN``.
        ratio: In units of the local size; ``SEEN`` when there is none.
        place: Where it is.
    """

    width: float
    ratio: float
    place: str


def gap_check(gap: Gap) -> Check:
    """The smallest gap as a line of the gate."""
    return Check("smallest gap / local size", gap.ratio, f">= {LEAST:g}", gap.ratio >= LEAST,
                 f"{gap.place}, {gap.width:.3g} um wide" if gap.place else "")  # fmt: skip


def smallest_gap(top: Topology, place: Ints, size: Floats) -> Gap:
    """Smallest distance between a node and a facet of the boundary across empty space.

    Only facets that look towards the node count, so thin bodies are no gaps, and only facets
    without a vertex that is the node or shares an edge of the boundary with it, so corners and
    crack fronts are none. Faces that coincide, as of a closed crack, are joined first. The
    distance is divided by the local size: the shortest edge at the node or the longest edge of
    the facet, whichever is less.

    Args:
        top: Of the mesh.
        place: One node number for all nodes at a place.
        size: Shortest edge at every node [um].
    """
    from scipy.spatial import cKDTree

    data, d = top.data, top.data.dim
    corners = top.vertices(top.outer)
    x = data.points[corners]
    centre = x.mean(axis=1)
    normal = _outward(top, x)
    radius = np.linalg.norm(x - centre[:, None], axis=2).max(axis=1)
    longest = np.max([np.linalg.norm(x[:, i] - x[:, j], axis=1) for i, j in EDGES[d - 1]], axis=0)
    corners = place[corners]
    nodes = np.unique(corners)
    near_edge = _edges(corners, len(data.points))
    best = Gap(np.inf, SEEN, "")
    octave = np.floor(np.log2(np.maximum(radius, 1e-300))).astype(np.int64)
    for step in np.unique(octave):
        rows = np.flatnonzero(octave == step)
        tree = cKDTree(centre[rows])
        reach = 2.0 ** (step + 1) * (1 + 2 * SEEN)
        for part in chunks(len(nodes), 50_000):
            some = nodes[part]
            pairs = cKDTree(data.points[some]).sparse_distance_matrix(
                tree, reach, output_type="ndarray"
            )
            a, f = some[pairs["i"]], rows[pairs["j"]]
            local = np.minimum(size[a], longest[f])
            to = data.points[a] - centre[f]
            # Looking towards the node (or at it), and the plane near enough: few rows are left.
            height = np.einsum("ij,ij->i", to, normal[f])
            kept = (height >= -1e-9 * local) & (height <= SEEN * local)
            kept &= np.linalg.norm(to, axis=1) <= radius[f] + SEEN * local
            kept &= (corners[f] != a[:, None]).all(axis=1)
            a, f, local = a[kept], f[kept], local[kept]
            distance = _distance(data.points[a], x[f])
            kept = distance < best.ratio * local
            a, f, local, distance = a[kept], f[kept], local[kept], distance[kept]
            kept = ~_adjacent(a, corners[f], near_edge, len(data.points))
            if kept.any():
                ratio = distance[kept] / local[kept]
                k = int(np.argmin(ratio))
                best = Gap(float(distance[kept][k]), float(ratio[k]), at(data.points[a[kept][k]]))
    return best


def layer_checks(data: MeshData, top: Topology) -> list[Check]:
    """Elements across the thinnest place of every cell group.

    An edge inside a group joins two nodes of the group's surface whose normals look away from
    each other (more than 120 degrees apart): one element lies across there. Two lie across where
    a node inside has such neighbours. Otherwise the answer is 3, for three or more. The surface is
    that to other groups and to the outside; grain boundaries are not part of it. Nodes on its
    ridges have no normal and do not count.
    """
    return [_layer(data, top, name, tag) for name, tag in data.cell_groups.items()]


def _layer(data: MeshData, top: Topology, name: str, tag: int) -> Check:
    d, n = data.dim, len(data.points)
    title = f"elements across the thinnest place of {name}, 3: or more"
    mine = data.cell_tags == tag
    first, second = (mine[top.cell(top.inner[:, k])] for k in (0, 1))
    rows = np.concatenate(
        [top.outer[mine[top.cell(top.outer)]], top.inner[first & ~second, 0],
         top.inner[second & ~first, 1]]
    )  # fmt: skip
    if not len(rows):
        return report(title, 3)
    corners = top.vertices(rows)
    outward = _outward(top, data.points[corners], rows)
    normal = np.zeros((n, 3))
    for k in range(d):
        for axis in range(3):
            normal[:, axis] += np.bincount(corners[:, k], outward[:, axis], minlength=n)
    length = np.linalg.norm(normal, axis=1)
    often = np.bincount(corners.ravel(), minlength=n)
    # Nodes on ridges and corners have no normal.
    on = length > _SMOOTH * np.maximum(often, 1)
    normal[on] /= length[on][:, None]
    deep = often == 0

    table = np.array(EDGES[d])
    cells = np.flatnonzero(mine)
    surface = _edges(corners, n)
    reference = np.full(n, -1, dtype=np.int64)
    least, two = 3, -1
    for part in chunks(len(cells)):
        edges = np.sort(data.cells[cells[part]][:, table].reshape(-1, 2), axis=1)
        both = on[edges].all(axis=1)
        across = edges[both]
        away = np.einsum("ij,ij->i", normal[across[:, 0]], normal[across[:, 1]]) < _AWAY
        across = across[away]
        across = across[~_member(across[:, 0] * n + across[:, 1], surface)]
        if len(across):
            return report(title, 1, at(data.points[across[0]]))
        if least == 3:
            two = _opposed(edges, on, deep, normal, reference)
            least = 2 if two >= 0 else 3
    return report(title, least, at(data.points[two]) if two >= 0 else "")


def _opposed(edges: Ints, on: Mask, deep: Mask, normal: Floats, reference: Ints) -> int:
    """A node inside whose neighbours on the surface look away from each other, or -1.

    Args:
        edges: Shape (k, 2).
        on: Which nodes are where the surface is smooth.
        deep: Which are off the surface.
        normal: Outward, at the nodes of ``on``.
        reference: First neighbour on the surface of each node; filled in here.
    """
    mixed = edges[(on[edges[:, 0]] & deep[edges[:, 1]]) | (on[edges[:, 1]] & deep[edges[:, 0]])]
    outside = on[mixed[:, 0]]
    wall = np.where(outside, mixed[:, 0], mixed[:, 1])
    inside = np.where(outside, mixed[:, 1], mixed[:, 0])
    fresh = reference[inside] < 0
    reference[inside[fresh][::-1]] = wall[fresh][::-1]
    dot = np.einsum("ij,ij->i", normal[reference[inside]], normal[wall])
    return int(inside[np.argmax(dot < _AWAY)]) if (dot < _AWAY).any() else -1


def _outward(top: Topology, x: Floats, rows: Ints | None = None) -> Floats:
    """Unit normals of straight facets that look out of their cells, shape (n, 3)."""
    data, d = top.data, top.data.dim
    rows = top.outer if rows is None else rows
    along = x[:, 1:] - x[:, :1]
    if d == 2:
        normal = np.stack([along[:, 0, 1], -along[:, 0, 0], 0 * along[:, 0, 0]], axis=1)
    else:
        normal = np.asarray(np.cross(along[:, 0], along[:, 1]), dtype=float)
    cells = data.cells[top.cell(rows), : d + 1]
    opposite = cells.sum(axis=1) - top.vertices(rows).sum(axis=1)
    inward = np.einsum("ij,ij->i", data.points[opposite] - x[:, 0], normal)
    normal[inward > 0] *= -1
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1), 1e-300)[:, None])


def _edges(facets: Ints, n: int) -> Ints:
    """Ascending keys of the edges of facets (of the facets themselves in 2-D)."""
    pairs = [(0, 1)] if facets.shape[1] == 2 else EDGES[2]
    rows = np.sort(np.concatenate([facets[:, [i, j]] for i, j in pairs]), axis=1)
    return np.unique(rows[:, 0] * n + rows[:, 1])


def _member(key: Ints, known: Ints) -> Mask:
    """Which keys are among the known ones, which are ascending."""
    if not len(known):
        return np.zeros(len(key), dtype=bool)
    place = np.minimum(np.searchsorted(known, key), len(known) - 1)
    return np.asarray(known[place] == key)


def _adjacent(a: Ints, facets: Ints, near_edge: Ints, n: int) -> Mask:
    """Whether a vertex of the facet shares an edge of the boundary with the node."""
    low, high = np.minimum(a[:, None], facets), np.maximum(a[:, None], facets)
    near = _member((low * n + high).ravel(), near_edge).reshape(facets.shape)
    return np.asarray(near.any(axis=1))


def _distance(p: Floats, facet: Floats) -> Floats:
    """Distance of points from segments (n, 2, 3) or triangles (n, 3, 3)."""
    pairs = [(0, 1)] if facet.shape[1] == 2 else EDGES[2]
    best = np.full(len(p), np.inf)
    for i, j in pairs:
        along = facet[:, j] - facet[:, i]
        length = np.maximum(np.einsum("ij,ij->i", along, along), 1e-300)
        t = np.clip(np.einsum("ij,ij->i", p - facet[:, i], along) / length, 0.0, 1.0)
        best = np.minimum(best, np.linalg.norm(p - facet[:, i] - t[:, None] * along, axis=1))
    if facet.shape[1] == 2:
        return best
    # Inside the prism over the triangle the distance is that from its plane.
    u, v, w = facet[:, 1] - facet[:, 0], facet[:, 2] - facet[:, 0], p - facet[:, 0]
    normal = np.cross(u, v)
    square = np.maximum(np.einsum("ij,ij->i", normal, normal), 1e-300)
    one = np.einsum("ij,ij->i", np.cross(u, w), normal) / square
    two = np.einsum("ij,ij->i", np.cross(w, v), normal) / square
    over = (one >= 0) & (two >= 0) & (one + two <= 1)
    height = np.abs(np.einsum("ij,ij->i", w, normal)) / np.sqrt(square)
    return np.asarray(np.where(over, height, best))
