"""Removes small edges from a complex of cells: short edges become points, topologically.

Vertices are merged, never moved to a new neighbour: what is left is watertight by construction.
A merged vertex stays on every side, edge and corner of the box that either one was on, and in a
periodic box its images do the same. A merge that would make a cell vanish, pinch it or turn part
of it inside out is undone. In 3-D a merge makes faces slightly non-planar; they get the fan of
triangles that is best shaped.
"""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import pairwise

import numpy as np
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.polytopes import Complex, Loop

# A cell stays star-shaped around its middle: least height of a part of its surface seen from
# there, relative to the cell's radius (or what it was, where that is less).
_FLATTEST = 0.02
_FLATTEST_PIECE = 1e-3
_ROUNDS = 4


def remove_short_edges(cells: Complex, limit: float) -> int:
    """Merge the ends of edges shorter than a limit, the shortest first.

    Args:
        cells: Changed in place.
        limit: Length [um].

    Returns:
        How many short edges are left because a grain would be lost, pinched or folded.
    """
    for _ in range(_ROUNDS):
        if not _round(cells, limit):
            break
    return sum(cells.length(a, b) < limit for a, b in _all_edges(cells))


def _all_edges(cells: Complex) -> list[tuple[int, int]]:
    used = [v for v in range(len(cells.points)) if cells.faces_at[v]]
    return sorted(cells.edges(used))


def _round(cells: Complex, limit: float) -> int:
    """One pass over the short edges; the number of merges."""
    heap = [(cells.length(a, b), a, b) for a, b in _all_edges(cells)]
    heap = [row for row in heap if row[0] < limit]
    heapq.heapify(heap)
    merged = 0
    while heap:
        length, a, b = heapq.heappop(heap)
        if not (cells.faces_at[a] & cells.faces_at[b]) or cells.length(a, b) != length:
            continue
        kept = _merge(cells, a, b)
        if kept is None:
            continue
        merged += 1
        for u, v in sorted(cells.edges([kept])):
            if cells.length(u, v) < limit:
                heapq.heappush(heap, (cells.length(u, v), u, v))
    return merged


def _merge(cells: Complex, a: int, b: int) -> int | None:
    """Merge two vertices and, in a periodic box, their images; None if it cannot be done."""
    on_a, on_b = cells.sides[a], cells.sides[b]
    if not on_a >= on_b:
        a, b, on_a, on_b = b, a, on_b, on_a
    if not on_a >= on_b:
        return None
    pairs = _images(cells, a, b)
    free = on_a == on_b
    for share in (0.5, 0.0, 1.0) if free else (0.0,):
        move = share * (cells.points[b] - cells.points[a])
        if _try_merge(cells, pairs, move):
            return a
    return None


def _images(cells: Complex, a: int, b: int) -> list[tuple[int, int]]:
    """The pair and its images over all sides that it lies on."""
    pairs = [(a, b)]
    for s in sorted(cells.sides[a] & cells.sides[b]):
        if s in cells.partners[a]:
            pairs += [(cells.partners[u][s], cells.partners[v][s]) for u, v in pairs]
    return pairs


def _try_merge(cells: Complex, pairs: list[tuple[int, int]], move: Floats) -> bool:
    """Merge every second vertex of the pairs into the first and move that; undo if it is bad."""
    ends = [v for pair in pairs for v in pair]
    if len(set(ends)) != len(ends):
        return False
    faces = set().union(*(cells.faces_at[v] for v in ends))
    touched = sorted({c for f in faces for c in cells.cells[f] if c >= 0})
    around = {v for f in faces for v in cells.loops[f]}
    loops = {f: cells.loops[f] for f in faces}
    beside = {f: cells.cells[f] for f in faces}
    fans = {f: cells.fans.pop(f, None) for f in faces}
    at = {v: set(cells.faces_at[v]) for v in around}
    of = {c: set(cells.faces_of[c]) for c in touched}
    places = cells.points[ends].copy()
    pieces = cells.pieces.copy()
    limits = {c: _needed(cells, c) for c in touched}
    if _change(cells, pairs, move, touched, limits):
        return True
    cells.points[ends] = places
    for f in faces:
        cells.loops[f], cells.cells[f] = loops[f], beside[f]
        cells.fans.pop(f, None)
        if fans[f] is not None:
            cells.fans[f] = fans[f]
    for v in around:
        cells.faces_at[v] = at[v]
    for c in touched:
        cells.faces_of[c] = of[c]
    cells.pieces = pieces
    return False


def _needed(cells: Complex, cell: int) -> float:
    """What the flatness of a cell has to be after a merge."""
    before = _flatness(cells, cell)
    if cells.pieces[int(cells.grain[cell])] > 1:
        return max(0.0, min(_FLATTEST_PIECE, 0.1 * before))  # it may be on its way out
    return max(0.0, min(_FLATTEST, 0.9 * before))


def _change(
    cells: Complex,
    pairs: list[tuple[int, int]],
    move: Floats,
    touched: list[int],
    limits: dict[int, float],
) -> bool:
    """Do a merge; whether the result is sound."""
    for keep, gone in pairs:
        cells.points[keep] += move
        for face in sorted(cells.faces_at[keep] | cells.faces_at[gone]):
            cells.fans.pop(face, None)
            if not _rename(cells, face, keep, gone):
                return False
    for cell in touched:
        few = len(cells.faces_of[cell]) <= cells.dim
        if few and not _drop_flat(cells, cell):
            return False
    return all(
        _closed(cells, cell)
        and _flatness(cells, cell) > max(0.0, min(_FLATTEST, 0.9 * limits[cell]))
        for cell in touched
        if cells.faces_of[cell]
    )


def _rename(cells: Complex, face: int, keep: int, gone: int) -> bool:
    """Replace a vertex of a face; False if the face touches itself then."""
    loop = [keep if v == gone else v for v in cells.loops[face]]
    short = tuple(v for k, v in enumerate(loop) if v != loop[k - 1])
    if len(set(short)) != len(short):
        return False
    if len(short) < cells.dim:
        _drop_face(cells, face)
        return True
    cells.loops[face] = short
    cells.faces_at[gone].discard(face)
    cells.faces_at[keep].add(face)
    return True


def _drop_face(cells: Complex, face: int) -> None:
    for v in cells.loops[face]:
        cells.faces_at[v].discard(face)
    for cell in cells.cells[face]:
        if cell >= 0:
            cells.faces_of[cell].discard(face)
    cells.loops[face] = ()


def _drop_flat(cells: Complex, cell: int) -> bool:
    """Remove a piece of a grain that has become flat: its two faces become one."""
    faces = sorted(cells.faces_of[cell])
    if len(faces) != 2 or cells.pieces[int(cells.grain[cell])] < 2:
        return False
    first, second = faces
    if set(cells.loops[first]) != set(cells.loops[second]):
        return False
    (one,) = [c for c in cells.cells[first] if c != cell]
    (two,) = [c for c in cells.cells[second] if c != cell]
    if one == two or (one < 0 and two < 0):
        return False
    if min(one, two) >= 0 and cells.grain[one] == cells.grain[two]:
        return False
    _drop_face(cells, second)
    cells.faces_of[cell].clear()
    pair = tuple(two if c == cell else c for c in cells.cells[first])
    if pair[0] < 0:
        pair = (pair[1], pair[0])
        cells.loops[first] = cells.loops[first][::-1]
        cells.fans.pop(first, None)
    cells.cells[first] = (pair[0], pair[1])
    if two >= 0:
        cells.faces_of[two].add(first)
    cells.pieces[int(cells.grain[cell])] -= 1
    return True


def _closed(cells: Complex, cell: int) -> bool:
    """Whether the surface of a cell is a sphere (2-D: its outline one simple loop)."""
    loops = [cells.loops[f] for f in cells.faces_of[cell]]
    vertices = {v for loop in loops for v in loop}
    if cells.dim == 2:
        ends = Counter(v for loop in loops for v in loop)
        if len(loops) < 3 or set(ends.values()) != {2}:
            return False
        return _one_ring(loops)
    edges = Counter((min(p), max(p)) for loop in loops for p in pairwise((*loop, loop[0])))
    if len(loops) < 4 or set(edges.values()) != {2}:
        return False
    return len(vertices) - len(edges) + len(loops) == 2


def _one_ring(edges: list[Loop]) -> bool:
    near: dict[int, list[int]] = {}
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    start = edges[0][0]
    last, here, steps = start, near[start][0], 1
    while here != start:
        last, here = here, next(v for v in near[here] if v != last)
        steps += 1
    return steps == len(edges)


def _flatness(cells: Complex, cell: int, wanted: float = _FLATTEST) -> float:
    """Least height of the surface above some point inside a cell, relative to its radius.

    Args:
        cells: The complex.
        cell: Which cell.
        wanted: A point better than the mean of the vertices is looked for only below this.

    Returns:
        Positive if the cell is star-shaped: seen from a point inside no part is inside out.
    """
    parts = _surface(cells, cell)
    if parts is None:
        return -1.0
    vertices = np.unique(parts)
    middle = cells.points[vertices].mean(axis=0)
    corners = cells.points[parts] - middle
    if cells.dim == 2:
        along = corners[:, 1] - corners[:, 0]
        normal = np.column_stack([along[:, 1], -along[:, 0]])
    else:
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(normal, axis=1)
    radius = float(np.linalg.norm(cells.points[vertices] - middle, axis=1).max())
    if radius == 0.0 or not size.all():
        return -1.0
    normal /= size[:, None]
    height = (corners[:, 0] * normal).sum(axis=1)
    least = float(height.min())
    if least <= wanted * radius:
        least = max(least, _inner_radius(normal, height, radius))
    return least / radius


def _surface(cells: Complex, cell: int) -> Ints | None:
    """Edges or triangles of a cell's outline with the cell on their left or inner side."""
    parts = []
    for face in sorted(cells.faces_of[cell]):
        part = np.array([cells.loops[face]]) if cells.dim == 2 else cells.fan(face)
        if part is None:
            return None
        parts.append(part if cells.cells[face][0] == cell else part[:, ::-1])
    return np.concatenate(parts)


def _inner_radius(normal: Floats, height: Floats, radius: float) -> float:
    """Largest ball inside all planes ``normal . x <= height``; negative if there is none."""
    from scipy.optimize import linprog

    n, dim = normal.shape
    found = linprog(
        np.append(np.zeros(dim), -1.0),
        A_ub=np.column_stack([normal, np.ones(n)]),
        b_ub=height,
        bounds=[(-radius, radius)] * dim + [(-radius, radius)],
    )
    return float(found.x[dim]) if found.status == 0 else -1.0
