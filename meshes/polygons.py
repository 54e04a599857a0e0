"""From the labels at the vertices of a power diagram to polygons with shared vertices."""

from __future__ import annotations

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.polytopes import Complex, Loop, as_lists
from ssbmech.meshes.power import Diagram, edges_of


def complex_of(part: Diagram, box: Floats, periodic: bool) -> Complex:
    """Polygons with shared vertices from the labels at the vertices.

    Args:
        part: A diagram cut by the box.
        box: Shape (2, dim) [um].
        periodic: Whether to pair the vertices on opposite sides.

    Returns:
        Cells in the order of the seeds (empty ones left out), then pieces of their images.

    Raises:
        MeshError: If opposite sides of a periodic box do not match.
    """
    rows = part.rows
    dim = box.shape[1]
    used = np.unique(rows[rows >= 0])
    number_of = {int(label): k for k, label in enumerate(used)}
    links: dict[tuple[int, int], dict[int, list[int]]] = {}
    labels, ends = edges_of(part)
    pairs = [(0, 1)] if dim == 2 else [(0, 1), (0, 2), (1, 2)]
    for label, (a, b) in zip(as_lists(labels), as_lists(ends), strict=True):
        for i, j in pairs:
            if label[j] >= 0:  # sorted: a face has at least one cell, the larger label
                near = links.setdefault((label[i], label[j]), {})
                near.setdefault(a, []).append(b)
                near.setdefault(b, []).append(a)
    loops, cells = [], []
    for i, j in sorted(links):
        loop = _walk(links[i, j])
        first, second = (j, i) if i < 0 else (i, j)
        if _against(part, loop, first, second):
            loop = loop[::-1]
        loops.append(loop)
        cells.append((number_of[first], number_of[second] if second >= 0 else second))
    sides = [frozenset(-1 - s for s in row if s < 0) for row in as_lists(rows)]
    partners: list[dict[int, int]] = [{} for _ in rows]
    if periodic:
        partners = _partners(part, box)
    return Complex(part.points.copy(), loops, cells, part.base[used], sides, partners)


def _walk(near: dict[int, list[int]]) -> Loop:
    """Vertices of a polygon in order from who is next to whom."""
    start = min(near)
    loop = [start]
    last, here = start, near[start][0]
    while here != start and len(loop) < len(near):
        loop.append(here)
        nexts = [v for v in near[here] if v != last]
        if not nexts:
            break
        last, here = here, nexts[0]
    return tuple(loop)


def _against(part: Diagram, loop: Loop, first: int, second: int) -> bool:
    """Whether a face has its first cell on the wrong side."""
    x = part.points[list(loop)]
    if second >= 0:
        out = part.seeds[second] - part.seeds[first]
    else:
        axis, high = divmod(-1 - second, 2)
        out = np.eye(x.shape[1])[axis] * (1 if high else -1)
    if x.shape[1] == 2:
        along = x[1] - x[0]
        return bool(along[1] * out[0] - along[0] * out[1] < 0)
    x = x - x[0]
    return bool(np.cross(x, np.roll(x, -1, axis=0)).sum(axis=0) @ out < 0)


def _partners(part: Diagram, box: Floats) -> list[dict[int, int]]:
    """Image of each vertex on the opposite side, found by labels and made exact in place."""
    size = box[1] - box[0]
    shift = np.rint((part.seeds - part.seeds[part.base]) / size).astype(int)
    names: dict[tuple[object, ...], int] = {}

    def name(row: list[int], move: Ints, sides: set[int]) -> tuple[object, ...]:
        who = sorted((int(part.base[k]), *(shift[k] + move).tolist()) for k in row if k >= 0)
        return (*who, *sorted(sides))

    still = np.zeros(len(size), dtype=int)
    rows = as_lists(part.rows)
    on = [{-1 - k for k in row if k < 0} for row in rows]
    for v, row in enumerate(rows):
        if on[v]:
            names[name(row, still, on[v])] = v
    result: list[dict[int, int]] = [{} for _ in rows]
    for v, row in enumerate(rows):
        for s in sorted(on[v]):
            move = still.copy()
            move[s // 2] = 1 if s % 2 == 0 else -1
            other = names.get(name(row, move, on[v] ^ {s, s ^ 1}))
            if other is None:
                raise MeshError(
                    "opposite sides of the periodic tessellation differ by rounding", key="seed",
                    hint="Take another seed",
                )  # fmt: skip
            result[v][s] = other
            if s % 2 == 0:
                keep = np.arange(len(size)) != s // 2
                part.points[other, keep] = part.points[v, keep]
    return result
