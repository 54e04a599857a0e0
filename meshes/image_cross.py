"""Finds triangles of a surface that cross, fold over each other or are too thin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.elements import Floats, Ints

# Triangles with a common edge and less than this angle between them are folded (cosine).
_FOLD = np.cos(np.radians(12.0))
_CHUNK = 1_000_000
# Least radius ratio: half of a square has 0.83, and tetrahedra cannot be better than their faces.
_THIN = 0.2


def crossing(points: Floats, triangles: Ints) -> Ints:
    """Triangles that cross another one, or lie folded on a neighbour.

    Args:
        points: Shape (n, 3).
        triangles: Shape (m, 3).

    Returns:
        Numbers of the triangles, increasing.
    """
    from scipy.spatial import cKDTree

    p = points[triangles]
    middle = p.mean(axis=1)
    radius = float(np.linalg.norm(p - middle[:, None], axis=2).max())
    low, high = p.min(axis=1), p.max(axis=1)
    pairs = cKDTree(middle).query_pairs(2 * radius, output_type="ndarray")
    bad = np.zeros(len(triangles), dtype=bool)
    for start in range(0, len(pairs), _CHUNK):
        a, b = pairs[start : start + _CHUNK].T
        apart = (low[a] > high[b]).any(axis=1) | (low[b] > high[a]).any(axis=1)
        a, b = a[~apart], b[~apart]
        common = (triangles[a][:, :, None] == triangles[b][:, None, :]).sum(axis=(1, 2))
        far = common < 2
        hit = np.zeros(len(a), dtype=bool)
        hit[far] = _pierced(points, triangles[a[far]], triangles[b[far]])
        hit[far] |= _pierced(points, triangles[b[far]], triangles[a[far]])
        hit[~far] = _folded(points, triangles[a[~far]], triangles[b[~far]])
        bad[a[hit]] = True
        bad[b[hit]] = True
    return np.flatnonzero(bad)


def poor(points: Floats, triangles: Ints) -> Ints:
    """Triangles with a radius ratio (1 for an equilateral one) below the limit."""
    p = points[triangles]
    a, b, c = (np.linalg.norm(p[:, i] - p[:, (i + 1) % 3], axis=1) for i in range(3))
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1) / 2
    return np.flatnonzero(16 * area**2 < _THIN * a * b * c * (a + b + c))


def _pierced(points: Floats, first: Ints, second: Ints) -> NDArray[np.bool_]:
    """Whether an edge of the first triangle without points of the second goes through that."""
    q = points[second]
    e1, e2 = q[:, 1] - q[:, 0], q[:, 2] - q[:, 0]
    normal = np.cross(e1, e2)
    hit = np.zeros(len(first), dtype=bool)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        touches = ((first[:, [i]] == second) | (first[:, [j]] == second)).any(axis=1)
        start = points[first[:, i]]
        way = points[first[:, j]] - start
        slope = np.einsum("ni,ni->n", way, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.einsum("ni,ni->n", q[:, 0] - start, normal) / slope
            at = start + t[:, None] * way - q[:, 0]
            size = np.einsum("ni,ni->n", normal, normal)
            u = np.einsum("ni,ni->n", np.cross(at, e2), normal) / size
            v = np.einsum("ni,ni->n", np.cross(e1, at), normal) / size
            inside = (t > 0) & (t < 1) & (u > 0) & (v > 0) & (u + v < 1)
        hit |= inside & ~touches
    return hit


def _folded(points: Floats, first: Ints, second: Ints) -> NDArray[np.bool_]:
    """Whether two triangles with a common edge lie nearly on each other."""
    shared = (first[:, :, None] == second[:, None, :]).any(axis=2)
    other = ~(second[:, :, None] == first[:, None, :]).any(axis=2)
    rows = np.arange(len(first))
    lone, apex = shared.argmin(axis=1), other.argmax(axis=1)
    tip = points[first[rows, lone]]
    base = points[first[rows, (lone + 1) % 3]]
    edge = points[first[rows, (lone + 2) % 3]] - base
    edge /= np.maximum(np.linalg.norm(edge, axis=1), 1e-300)[:, None]

    def across(to: Floats) -> Floats:
        way = to - base
        way = way - np.einsum("ni,ni->n", way, edge)[:, None] * edge
        return np.asarray(way / np.maximum(np.linalg.norm(way, axis=1), 1e-300)[:, None])

    cosine = np.einsum("ni,ni->n", across(tip), across(points[second[rows, apex]]))
    return np.asarray(cosine > _FOLD)
