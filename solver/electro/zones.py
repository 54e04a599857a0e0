"""Where a potential that is linear in cells lies below a threshold: volume, depth, sites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.group_names import SIDES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Of the sites, the worst are listed.
MOST = 50
_OUTER = (*SIDES, "cathode_plane", "symmetry_x", "symmetry_y", "symmetry_z", "axis")


@dataclass(frozen=True)
class Site:
    """A piece of a facet group at which the potential lies below the threshold.

    Attributes:
        group: Facet group: the wall of a pore, a crack (without ``_lower``), grain boundaries.
        lowest: Least potential on it [V].
        point: Where [m], shape (3,).
        share: Of its vertices below the threshold.
    """

    group: str
    lowest: float
    point: Floats
    share: float


def judge(
    data: MeshData,
    potential: Floats,
    threshold: float,
    *,
    electrodes: Mapping[str, Iterable[str]],
    lithium: Iterable[str],
    axisymmetric: bool = False,
) -> dict[str, Any]:
    """Volume, depth and sites of what lies below a threshold.

    Args:
        data: Mesh of the conductor.
        potential: At its nodes [V], shape (n,); only vertices are read.
        threshold: [V].
        electrodes: Facet groups of each electrode.
        lithium: Names of those from which depth counts.
        axisymmetric: Whether x is a radius.

    Returns:
        ``share``, ``depth`` [m], ``lowest`` [V], ``lowest_at`` [m], ``sites``.
    """
    d = data.dim
    cells = data.cells[:, : d + 1]
    values = potential[cells] - threshold
    volume = _volumes(data.points[cells], axisymmetric)
    share = float((below(values) * volume).sum() / volume.sum())
    groups = [g for names in electrodes.values() for g in names]
    inner = np.ones(len(data.points), bool)
    inner[np.unique(_facets(data, groups))] = False
    vertices = np.unique(cells)
    free = vertices[inner[vertices]]
    free = free if len(free) else vertices
    worst = free[np.argmin(potential[free])]
    surface = _facets(data, [g for name in lithium for g in electrodes[name]])
    return {
        "share": share,
        "depth": _depth(data.points, cells, values, surface) * 1e-6,
        "lowest": float(potential[worst]),
        "lowest_at": data.points[worst] * 1e-6,
        "sites": _sites(data, potential, threshold, set(groups), inner),
    }


def below(values: Floats) -> Floats:
    """Share of each simplex in which the linear function with these corner values is negative.

    Args:
        values: Shape (n, 3) or (n, 4).

    Returns:
        Shape (n,), 0 to 1, exact.
    """
    v = np.sort(values, axis=1)
    negative = (v < 0).sum(axis=1)
    d = v.shape[1] - 1
    share = np.where(negative == d + 1, 1.0, 0.0)
    one, most = negative == 1, negative == d
    share[one] = _corner(v[one, 0], v[one, 1:])
    share[most] = 1 - _corner(v[most, d], v[most, :d])
    if d == 3:
        two = negative == 2
        a, b, c, e = v[two].T
        ac, ae, bc, be = a / (a - c), a / (a - e), b / (b - c), b / (b - e)
        # a wedge with the triangles (a, ac, ae) and (b, bc, be), as three tetrahedra
        share[two] = ac * ae + ac * be * (1 - ae) + bc * be * (1 - ac)
    return np.asarray(share)


def _corner(at: Floats, others: Floats) -> Floats:
    """Share that the level 0 cuts off around a corner."""
    return np.asarray(np.prod(at[:, None] / (at[:, None] - others), axis=1))


def _volumes(corners: Floats, axisymmetric: bool) -> Floats:
    """Of straight cells, with the radius of their centroid in an axisymmetric body."""
    edges = corners[:, 1:] - corners[:, :1]
    d = edges.shape[1]
    size = np.abs(np.linalg.det(edges[:, :, :d]))
    return size * corners[:, :, 0].mean(axis=1) if axisymmetric else size


def _facets(data: MeshData, groups: Iterable[str]) -> Ints:
    tags = [data.facet_groups[g] for g in groups if g in data.facet_groups]
    return data.facets[np.isin(data.facet_tags, tags)][:, : data.dim]


def _depth(points: Floats, cells: Ints, values: Floats, surface: Ints) -> float:
    """Largest distance from a surface of where corner values are below 0 [um]."""
    found = [points[cells[values < 0]]]
    for i in range(cells.shape[1]):
        for j in range(i):
            cross = (values[:, i] < 0) != (values[:, j] < 0)
            a, b = values[cross, i], values[cross, j]
            t = (a / (a - b))[:, None]
            found.append((1 - t) * points[cells[cross, i]] + t * points[cells[cross, j]])
    below = np.concatenate(found)
    if not len(below) or not len(surface):
        return 0.0
    return float(distance(np.unique(below, axis=0), points[surface]).max())


def distance(points: Floats, facets: Floats, most: int = 12) -> Floats:
    """Distance of points from a surface of straight facets.

    Args:
        points: Shape (n, 3).
        facets: Corners, shape (m, 2 or 3, 3).
        most: Facets that are looked at for each point, those with the nearest centroids.
    """
    from scipy.spatial import cKDTree

    k = min(most, len(facets))
    near = cKDTree(facets.mean(axis=1)).query(points, k=k)[1].reshape(len(points), k)
    best = np.full(len(points), np.inf)
    for column in near.T:
        best = np.minimum(best, _to_facet(points, facets[column]))
    return best


def _to_facet(points: Floats, corners: Floats) -> Floats:
    """Distance of each point from its own segment or triangle."""
    m = corners.shape[1]
    pairs = [(0, 1)] if m == 2 else [(0, 1), (1, 2), (2, 0)]
    best = np.min([_to_segment(points, corners[:, i], corners[:, j]) for i, j in pairs], axis=0)
    if m == 3:
        a, u, v = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        normal = np.cross(u, v)
        size = (normal**2).sum(axis=1)
        w = points - a
        s = (np.cross(w, v) * normal).sum(axis=1) / size
        t = (np.cross(u, w) * normal).sum(axis=1) / size
        inside = (s >= 0) & (t >= 0) & (s + t <= 1)
        height = np.abs((w * normal).sum(axis=1)) / np.sqrt(size)
        best = np.where(inside, height, best)
    return np.asarray(best)


def _to_segment(points: Floats, a: Floats, b: Floats) -> Floats:
    u = b - a
    t = np.clip(((points - a) * u).sum(axis=1) / (u**2).sum(axis=1), 0, 1)
    return np.asarray(np.linalg.norm(points - a - t[:, None] * u, axis=1))


def _sites(
    data: MeshData,
    potential: Floats,
    threshold: float,
    electrodes: set[str],
    inner: NDArray[np.bool_],
) -> tuple[Site, ...]:
    """Pieces of facet groups with a vertex below the threshold, the worst first."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    found = []
    n = len(data.points)
    names: dict[str, list[str]] = {}  # the two faces of a crack or of a cut are one site
    for group in data.facet_groups:
        if group not in electrodes and group not in _OUTER:
            base = group.replace("_lower", "").replace("_upper", "")
            names.setdefault(base, []).append(group)
    for group, faces in names.items():
        facets = _facets(data, faces)
        one, two = facets[:, :1].repeat(data.dim - 1, axis=1).reshape(-1), facets[:, 1:].reshape(-1)
        graph = coo_matrix((np.ones(len(one)), (one, two)), shape=(n, n))
        vertices = np.unique(facets)
        piece = connected_components(graph, directed=False)[1][vertices]
        for number in np.unique(piece):
            mine = vertices[piece == number]
            mine = mine[inner[mine]]  # at an electrode the potential is that of the electrode
            if not len(mine) or potential[mine].min() >= threshold:
                continue
            worst = mine[np.argmin(potential[mine])]
            share = float((potential[mine] < threshold).mean())
            found.append(Site(group, float(potential[worst]), data.points[worst] * 1e-6, share))
    return tuple(sorted(found, key=lambda s: s.lowest)[:MOST])
