"""A film on a triangulated surface: links of a triangle, distances over it, shares of its hats.

A triangle stands for three links, each opposite to a corner, of the length l of an edge and the
width l cot(corner)/2. For pressures that are linear on the triangle

    |grad p|^2 = sum over links (width/l) (p_i - p_j)^2 / area

is exact, which makes the flow of a power-law metal consistent for any direction of the gradient;
a flow per edge, driven by its own difference alone, is not. The cotangent of an obtuse corner is
negative and stays so: clipped, it would make the flow wrong on any mesh. Lithium still comes from
the node that a link takes it from (see `film.flow`), and is conserved.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ssbmech.filament.film import Floats

Ints = NDArray[np.int64]
_SWEEPS = 10_000


def links(points: Floats, triangles: Ints) -> tuple[Ints, Floats, Floats]:
    """Edges (3 t, 2), lengths and widths (3 t,) of the links, triangle by triangle.

    Args:
        points: [m], (n, 3).
        triangles: (t, 3); link k of a triangle is opposite to its corner k.
    """
    ends = np.stack([np.roll(triangles, -1, axis=1), np.roll(triangles, -2, axis=1)], axis=2)
    a = points[ends[..., 0]] - points[triangles]
    b = points[ends[..., 1]] - points[triangles]
    double = np.linalg.norm(np.cross(a, b), axis=2)
    cotangent = (a * b).sum(axis=2) / double
    length = np.linalg.norm(a - b, axis=2)
    return ends.reshape(-1, 2), length.reshape(-1), (0.5 * cotangent * length).reshape(-1)


def distance(points: Floats, triangles: Ints, sources: Sequence[int]) -> Floats:
    """Distance of every node to the nearest source over the surface, (n,).

    The front of a wave crosses each triangle as a straight line: exact from a straight source, and
    of the order of the mesh from a corner. 0 everywhere without sources.

    Args:
        points: [m], (n, 3).
        triangles: (t, 3).
        sources: Nodes at distance 0.
    """
    found: Floats = np.full(len(points), np.inf)
    if not len(sources):
        return np.zeros(len(points))
    found[list(sources)] = 0.0
    corners = np.concatenate([np.roll(triangles, k, axis=1) for k in range(3)])
    i, j, k = corners.T
    base = points[j] - points[i]
    L = np.linalg.norm(base, axis=1)
    to = points[k] - points[i]
    along = (to * base).sum(axis=1) / L
    height = np.sqrt(np.maximum((to**2).sum(axis=1) - along**2, 0.0))
    for _ in range(_SWEEPS):
        old = found.copy()
        known = np.isfinite(old[i]) & np.isfinite(old[j])
        reached = np.minimum(old[i] + np.hypot(along, height), old[j] + np.hypot(L - along, height))
        # through the point y of the base that makes d_i + (d_j - d_i) y/L + |x_k - x(y)| least
        m = np.where(known, (np.where(known, old[j], 0) - np.where(known, old[i], 0)) / L, 2.0)
        inside = np.abs(m) < 1
        steep = np.sqrt(np.where(inside, 1 - m**2, 1.0))
        y = np.clip(along - height * m / steep, 0.0, L)
        through = np.where(known, old[i], 0.0) + m * y + np.hypot(along - y, height)
        reached = np.where(inside & known, np.minimum(reached, through), reached)
        np.minimum.at(found, k, reached)
        if np.array_equal(found, old):
            break
    return np.where(np.isfinite(found), found, 0.0)


def share_below(points: Floats, triangles: Ints, depth: Floats, level: float) -> Floats:
    """Share of every node's hat where the depth, linear on a triangle, is below a level, (n,).

    Args:
        points: [m], (n, 3).
        triangles: (t, 3).
        depth: Of the nodes [m], (n,).
        level: [m].
    """
    order = np.argsort(depth[triangles], axis=1, kind="stable")
    nodes = np.take_along_axis(triangles, order, axis=1)
    d = depth[nodes]
    sides = points[nodes[:, 1:]] - points[nodes[:, :1]]
    area = 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    a, b, c = d.T
    below = np.where((level >= c)[:, None], 1 / 3, 0.0)
    near = (level > a) & (level <= b)
    below = np.where(near[:, None], _corner(level - a, b - a, c - a), below)
    far = (level > b) & (level < c)
    beyond = _corner(c - level, c - b, c - a)[:, ::-1]  # cut off at the third node
    below = np.where(far[:, None], 1 / 3 - beyond, below)
    inside, whole = np.zeros(len(points)), np.zeros(len(points))
    np.add.at(inside, nodes, below * area[:, None])
    np.add.at(whole, nodes, np.broadcast_to(area[:, None] / 3, nodes.shape))
    return inside / np.where(whole > 0, whole, 1.0)


def _corner(cut: Floats, one: Floats, other: Floats) -> Floats:
    """Integrals of the three hats over the part of a triangle of area 1 at a corner, (t, 3).

    Args:
        cut: Depth from the corner to the level, (t,).
        one: Depth from the corner to the node second in depth.
        other: Depth from the corner to the node at the other end.

    Returns:
        Hats of the corner, of the second node and of the other end.
    """
    u = np.clip(cut / np.where(one > 0, one, 1.0), 0.0, 1.0)
    v = np.clip(cut / np.where(other > 0, other, 1.0), 0.0, 1.0)
    return np.stack([3 - u - v, u, v], axis=1) / 3 * (u * v)[:, None]
