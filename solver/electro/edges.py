"""Where a surface without resistance has no finite largest current: its sharp edges.

Near an edge at which the electrolyte fills the angle w the current density goes as r^(m - 1), with
m = pi/w between two parts of the surface and m = pi/(2 w) between the surface and an insulating
one: infinite above 180 and above 90 degrees. The angle is measured on the whole mesh.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import sorted_facets

#: An angle above the limit by less than this is a smooth surface made of facets [rad].
TOLERANCE = np.deg2rad(25.0)


def singular_points(data: MeshData, groups: Iterable[str]) -> NDArray[np.float64]:
    """Vertices on edges at which the current density of a surface without resistance is infinite.

    Args:
        data: Mesh of the conducting cells.
        groups: Facet groups of the surface.

    Returns:
        Points [um], shape (n, 3); empty for a surface with a finite largest current.
    """
    d = data.dim
    cells = data.cells[:, : d + 1]
    every = sorted_facets(cells).reshape(-1, d)
    rows, count = np.unique(every, axis=0, return_counts=True)
    boundary = rows[count == 1]
    tags = [data.facet_groups[g] for g in groups if g in data.facet_groups]
    mine = np.sort(data.facets[np.isin(data.facet_tags, tags)][:, :d], axis=1)
    conducting = _among(boundary, mine)

    ridges = _ridges(boundary).reshape(-1, d - 1)
    owner = np.repeat(conducting, d)
    names, key = np.unique(ridges, axis=0, return_inverse=True)
    key = key.reshape(-1)
    of_surface = np.bincount(key, owner)
    total = np.bincount(key)
    interesting = of_surface > 0
    angle = _angles(data.points, cells, names, interesting)
    limit = np.where(of_surface == total, np.pi, np.pi / 2)
    sharp = interesting & (angle > limit + TOLERANCE)
    return data.points[np.unique(names[sharp])] if sharp.any() else np.empty((0, 3))


def _among(rows: NDArray[np.int64], some: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are among some others (all sorted within a row)."""
    _, key = np.unique(np.concatenate([rows, some]), axis=0, return_inverse=True)
    key = key.reshape(-1)
    return np.isin(key[: len(rows)], key[len(rows) :])


def _ridges(facets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ends (2-D) or edges (3-D) of facets with sorted vertices, shape (n, dim, dim - 1)."""
    d = facets.shape[1]
    local = [[j for j in range(d) if j != i] for i in range(d)]
    return facets[:, np.array(local)]


def _angles(
    points: NDArray[np.float64],
    cells: NDArray[np.int64],
    ridges: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Angle that the cells fill around ridges [rad], shape (n,); 0 where it is not wanted."""
    d = cells.shape[1] - 1
    near = cells[np.isin(cells, ridges[wanted]).sum(axis=1) >= d - 1]
    pairs = [(i,) for i in range(3)] if d == 2 else [(i, j) for i in range(4) for j in range(i)]
    sums = np.zeros(len(ridges))
    for pair in pairs:
        ridge = near[:, pair]
        a, b = (near[:, i] for i in range(d + 1) if i not in pair)
        origin = points[ridge[:, 0]]
        u, v = points[a] - origin, points[b] - origin
        if d == 3:  # the dihedral angle: without the parts along the edge
            t = points[ridge[:, 1]] - origin
            t = t / np.linalg.norm(t, axis=1, keepdims=True)
            u = u - (u * t).sum(axis=1, keepdims=True) * t
            v = v - (v * t).sum(axis=1, keepdims=True) * t
        sine = np.linalg.norm(np.cross(u, v), axis=1)
        angle = np.arctan2(sine, (u * v).sum(axis=1))
        _, key = np.unique(
            np.concatenate([ridges, np.sort(ridge, axis=1)]), axis=0, return_inverse=True
        )
        key = key.reshape(-1)
        place = np.full(key.max() + 1, -1)
        place[key[: len(ridges)]] = np.arange(len(ridges))
        at = place[key[len(ridges) :]]
        np.add.at(sums, at[at >= 0], angle[at >= 0])
    return np.where(wanted, sums, 0.0)
