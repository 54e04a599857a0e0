"""Columnar grains: stripes in 2-D, extruded 2-D tessellations in 3-D."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.polytopes import Loop, as_lists
from ssbmech.meshes.tessellation import Tessellation


def stripes(box: Floats, axis: int, widths: Floats, periodic: bool) -> Tessellation:
    """2-D columns side by side.

    Args:
        box: Low and high corner, shape (2, 2) [um].
        axis: 0 or 1, across the columns.
        widths: Of the columns, relative to each other; they fill the box.
        periodic: Whether opposite sides match (they do).
    """
    n = len(widths)
    low, high = box[:, axis]
    widths = widths * ((high - low) / widths.sum())
    stations = low + np.concatenate([[0.0], np.cumsum(widths)])
    stations[-1] = high
    other = 1 - axis
    ends = [(k, s) for k in range(n + 1) for s in (0, 1)]
    vertices = np.empty((len(ends), 2))
    vertices[:, axis] = [stations[k] for k, _ in ends]
    vertices[:, other] = [box[s, other] for _, s in ends]
    flip = axis == 1  # a mirror image: left becomes right
    faces, beside = [], []
    for k in range(n + 1):
        pair = (k, k - 1) if k in (0, n) else (k - 1, k)
        up = (2 * k, 2 * k + 1)
        if k == 0:
            pair, up = (0, -1 - 2 * axis), up[::-1]
        elif k == n:
            pair = (n - 1, -2 - 2 * axis)
        faces.append(up[::-1] if flip else up)
        beside.append(pair)
    for k in range(n):
        for s in (0, 1):
            along = (2 * k + s, 2 * k + 2 + s) if s == 0 else (2 * k + 2 + s, 2 * k + s)
            faces.append(along[::-1] if flip else along)
            beside.append((k, -1 - 2 * other - s))
    seeds = np.empty((n, 2))
    seeds[:, axis] = (stations[1:] + stations[:-1]) / 2
    seeds[:, other] = box[:, other].mean()
    return Tessellation(
        2, box, vertices, tuple(faces), np.array(beside, dtype=np.int64), seeds, np.zeros(n),
        periodic, np.arange(n), columnar_axis=other,
    )  # fmt: skip


def extrude(flat: Tessellation, axis: int, ends: Floats) -> Tessellation:
    """Columns from a 2-D tessellation.

    Args:
        flat: Of the two other axes in increasing order.
        axis: 0, 1 or 2, along which the columns reach.
        ends: Low and high end along it, shape (2,) [um].

    Returns:
        A 3-D tessellation, its grains in the same order.
    """
    across = [k for k in range(3) if k != axis]
    n = len(flat.vertices)

    def place(x: Floats, along: float) -> Floats:
        result = np.full((len(x), 3), along)
        result[:, across] = x
        return result

    # (across, axis) is right-handed but for axis y, where outlines turn the other way round
    flip = axis == 1
    faces: list[Loop] = []
    beside = []
    near: list[dict[int, int]] = [{} for _ in range(flat.n_cells)]
    for (a, b), (i, j) in zip(flat.faces, as_lists(flat.neighbours), strict=True):
        quad = (a, b, b + n, a + n)
        faces.append(quad[::-1] if flip else quad)
        beside.append((i, j if j >= 0 else -1 - (2 * across[(-1 - j) // 2] + (-1 - j) % 2)))
        near[i][a] = b
        if j >= 0:
            near[j][b] = a
    for cell, after in enumerate(near):
        loop = [min(after)]
        while after[loop[-1]] != loop[0]:
            loop.append(after[loop[-1]])
        up = tuple(v + n for v in loop)
        down = tuple(loop[::-1])
        faces += [up[::-1], down[::-1]] if flip else [up, down]
        beside += [(cell, -2 - 2 * axis), (cell, -1 - 2 * axis)]
    return replace(
        flat,
        dim=3,
        box=np.asarray(place(flat.box, 0.0) + np.outer(ends, np.eye(3)[axis])),
        vertices=np.concatenate([place(flat.vertices, e) for e in ends]),
        faces=tuple(faces),
        neighbours=np.array(beside, dtype=np.int64),
        seeds=place(flat.seeds, float(np.mean(ends))),
        columnar_axis=axis,
    )
