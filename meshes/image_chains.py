"""Boundaries of a 2-D label image as chains of points between junctions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.image_smooth import Boundary, measures, relax, restore, restore_within

_Path = tuple[Ints, tuple[int, int]]


@dataclass(frozen=True)
class Chains:
    """Coarse boundaries, in units of a pixel.

    Attributes:
        points: Shape (n, 2).
        segments: Pairs of points with part ``sides[:, 0]`` on the left, shape (m, 2).
        sides: Parts on either side, as in `Boundary`.
    """

    points: Floats
    segments: Ints
    sides: Ints


def trace(parts: Ints, held: Ints) -> Boundary:
    """Edges between pixels of different parts, and the frame.

    Args:
        parts: Number of each pixel's connected part, indexed ``[x, y]``.
        held: Corners of pixels that must not move, shape (k, 2).
    """
    nx, ny = parts.shape
    wide = np.full((nx + 2, ny + 2), 0, dtype=np.int64)
    wide[1:-1, 1:-1] = parts
    wide[0], wide[-1], wide[1:-1, 0], wide[1:-1, -1] = -1, -2, -3, -4
    left, right = wide[:-1, 1:-1], wide[1:, 1:-1]
    i, j = np.nonzero(left != right)
    start = [np.column_stack([i, j])]
    end = [np.column_stack([i, j + 1])]
    sides = [np.column_stack([left[i, j], right[i, j]])]
    below, above = wide[1:-1, :-1], wide[1:-1, 1:]
    i, j = np.nonzero(below != above)
    start.append(np.column_stack([i, j]))
    end.append(np.column_stack([i + 1, j]))
    sides.append(np.column_stack([above[i, j], below[i, j]]))
    first, second = np.concatenate(start), np.concatenate(end)
    key = np.concatenate([first, second]) @ np.array([ny + 1, 1])
    unique, inverse = np.unique(key, return_inverse=True)
    points = np.column_stack([unique // (ny + 1), unique % (ny + 1)])
    edges = inverse.reshape(2, -1).T
    frame = np.column_stack([points[:, 0] % nx == 0, points[:, 1] % ny == 0])
    stuck = np.isin(unique, held @ np.array([ny + 1, 1]))
    return Boundary(
        points.astype(float),
        edges,
        np.concatenate(sides),
        np.concatenate([edges, edges[:, ::-1]]),
        frame | stuck[:, None],
        int(parts.max()) + 1,
    )


def simplify(net: Boundary, passes: int, spacing: float) -> Chains:
    """Smooth the boundaries and follow them by longer segments.

    Where boundaries come close to each other, segments are shortened down to a pixel, at which
    they cannot cross.

    Args:
        net: From `trace`.
        passes: Strength of the smoothing.
        spacing: Wanted length of a segment, in pixels.

    Returns:
        Segments that enclose each part with the area of its pixels (where nodes could move).
    """
    fine = restore_within(net, relax(net, passes)) if passes else net.points
    wanted = measures(net.points, net.facets, net.sides, net.n_parts)
    paths = _paths(net)
    length = np.full(len(paths), max(spacing, 1.0))
    while True:
        chains, owner, fixed = _resample(net, fine, paths, length)
        points = restore(chains.points, chains.segments, chains.sides, wanted, fixed)
        moved = Chains(points, chains.segments, chains.sides)
        near = np.unique(owner[_too_close(moved, net.points)])
        near = near[length[near] > 0]
        if not len(near):
            return _untangled(moved, chains, net.points)
        # below a pixel and a half every corner of the pixels is taken
        length[near] = np.where(length[near] < 1.5, 0.0, length[near] / 2)


def _untangled(moved: Chains, chains: Chains, lattice: Floats) -> Chains:
    """The chains with restored areas unless they cross, then those without."""
    for candidate in (moved, chains):
        bad = _too_close(candidate, lattice, fraction=0.0)
        if not len(bad):
            return candidate
    x, y = candidate.points[candidate.segments[bad[0]]].mean(axis=0)
    raise MeshError(
        f"smoothed boundaries cross at pixel ({x:.1f}, {y:.1f}) from the lower left corner",
        key="smooth",
        hint="Lower smooth, or remove small regions with smallest or majority",
    )


def _paths(net: Boundary) -> list[_Path]:
    """Nodes along each chain with its two parts, from junction to junction or closed."""
    edges = [(int(a), int(b)) for a, b in net.facets]
    at: list[list[int]] = [[] for _ in net.points]
    for k, (a, b) in enumerate(edges):
        at[a].append(k)
        at[b].append(k)
    pair = [frozenset(map(int, row)) for row in net.sides]
    plain = [len(e) == 2 and pair[e[0]] == pair[e[1]] for e in at]
    done = [False] * len(edges)
    found: list[_Path] = []
    junctions = [k for k, through in enumerate(plain) if not through]
    for start in [*junctions, *range(len(at))]:
        for first in at[start]:
            if done[first]:
                continue
            node, edge, way = start, first, [start]
            while True:
                done[edge] = True
                a, b = edges[edge]
                node = b if a == node else a
                way.append(node)
                if not plain[node] or node == start:
                    break
                edge = at[node][0] if at[node][1] == edge else at[node][1]
            left, right = int(net.sides[first, 0]), int(net.sides[first, 1])
            forward = edges[first][0] == start
            found.append((np.array(way), (left, right) if forward else (right, left)))
    return found


def _resample(
    net: Boundary, fine: Floats, paths: list[_Path], length: Floats
) -> tuple[Chains, Ints, NDArray[np.bool_]]:
    """Points at equal distances along each chain; frame chains have their ends only.

    Returns:
        The chains, the path of each segment, and which coordinates must stay.
    """
    ends = np.unique(np.concatenate([way[[0, -1]] for way, _ in paths]))
    number = {int(k): i for i, k in enumerate(ends)}
    points, fixed = [fine[ends]], [net.fixed[ends]]
    segments, sides, owner = [], [], []
    total = len(ends)
    for k, (way, pair) in enumerate(paths):
        curve = fine[way]
        pieces = _pieces(way, curve, pair, float(length[k]))
        if pieces == len(way) - 1:
            inner = curve[1:-1]
        else:
            s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
            at = np.linspace(0, s[-1], pieces + 1)[1:-1]
            inner = np.column_stack([np.interp(at, s, curve[:, c]) for c in (0, 1)])
        points.append(inner)
        fixed.append(np.zeros((len(inner), 2), dtype=bool))
        row = [number[int(way[0])], *range(total, total + len(inner)), number[int(way[-1])]]
        total += len(inner)
        segments += list(pairwise(row))
        sides += [pair] * pieces
        owner += [k] * pieces
    chains = Chains(np.concatenate(points), np.array(segments), np.array(sides))
    return chains, np.array(owner), np.concatenate(fixed)


def _pieces(way: Ints, curve: Floats, pair: tuple[int, int], length: float) -> int:
    """Number of segments of a chain."""
    if min(pair) < 0:
        return 1  # straight along the frame
    most = len(way) - 1
    # two chains with the same ends must not fall on each other, and a loop needs an inside
    least = min(most, 3 if way[0] == way[-1] else 2)
    whole = float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
    return most if length <= 0 else int(np.clip(round(whole / length), least, most))


def _too_close(chains: Chains, lattice: Floats, fraction: float = 1 / 3) -> Ints:
    """Segments that leave the box, cross another one or pass it at a fraction of its length."""
    from scipy.spatial import cKDTree

    p, q = chains.points[chains.segments[:, 0]], chains.points[chains.segments[:, 1]]
    inner = np.flatnonzero((chains.sides >= 0).all(axis=1))
    if not len(inner):
        return np.zeros(0, dtype=np.int64)
    size = np.linalg.norm(q - p, axis=1)
    low, high = lattice.min(axis=0), lattice.max(axis=0)
    outside = inner[((p[inner] < low) | (p[inner] > high)).any(axis=1)]
    # two segments can only be as close as that if their middles are no further apart
    reach = float(size[inner].max()) * (1 + fraction)
    pairs = cKDTree((p + q)[inner] / 2).query_pairs(reach, output_type="ndarray")
    a, b = inner[pairs[:, 0]], inner[pairs[:, 1]]
    shared = (chains.segments[a][:, :, None] == chains.segments[b][:, None, :]).any(axis=(1, 2))
    a, b = a[~shared], b[~shared]
    near = _cross(p[a], q[a], p[b], q[b])
    if fraction > 0:
        gaps = [_distance(p[a], p[b], q[b]), _distance(q[a], p[b], q[b])]
        gaps += [_distance(p[b], p[a], q[a]), _distance(q[b], p[a], q[a])]
        near |= np.minimum.reduce(gaps) < np.maximum(size[a], size[b]) * fraction
    return np.unique(np.concatenate([a[near], b[near], outside]))


def _distance(x: Floats, p: Floats, q: Floats) -> Floats:
    """Distance of points from segments."""
    d = q - p
    t = np.einsum("ni,ni->n", x - p, d) / np.maximum(np.einsum("ni,ni->n", d, d), 1e-300)
    foot = p + np.clip(t, 0, 1)[:, None] * d
    return np.asarray(np.linalg.norm(x - foot, axis=1))


def _cross(p: Floats, q: Floats, r: Floats, s: Floats) -> NDArray[np.bool_]:
    """Whether segments pq and rs cross inside."""

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        u, v = b - a, c - a
        return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])

    return (side(p, q, r) * side(p, q, s) < 0) & (side(r, s, p) * side(r, s, q) < 0)
