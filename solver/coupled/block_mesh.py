"""Graded rectangles of triangles: lithium whose fine part will flow into a notch.

A Lagrangian mesh is carried along by lithium that flows. Made of rows and columns, it can be shaped
for that beforehand: elements at the mouth are made lower than wide, because flow into a notch draws
them out along it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData

Floats = NDArray[np.float64]

#: Facet groups of the block.
SIDES = {"bottom": 1, "right": 2, "li_sse": 3, "symmetry_x": 4}


def graded(fine: float, reach: float, length: float, growth: float = 1.3) -> Floats:
    """Places from 0 to ``length``: steps of about ``fine`` up to ``reach``, growing beyond.

    Args:
        fine: Step at the start.
        reach: Up to where steps are fine.
        length: The last place.
        growth: Ratio of one step to the one before, beyond ``reach``.
    """
    n = max(2, round(reach / fine))
    near = np.linspace(0.0, reach, n + 1)
    step = reach / n
    far: list[float] = []
    while sum(far) < length - reach:
        step *= growth
        far.append(step)
    if len(far) > 1 and sum(far[:-1]) > 0.6 * (length - reach):  # the last one would be cut short
        far = far[:-1] if (length - reach) / sum(far[:-1]) < 1.2 else far
    stretched = np.cumsum(far) * ((length - reach) / sum(far)) if far else np.empty(0)
    return np.concatenate([near, reach + stretched])


def block(x: Floats, y: Floats, *, group: str = "lithium") -> MeshData:
    """Triangles between columns x and rows y, diagonals alternating (no preferred direction).

    Args:
        x: Columns [um], ascending from the symmetry line.
        y: Rows [um], ascending; the last one is the surface ``li_sse``.
        group: Name of the cell group.

    Returns:
        First-order mesh with the facet groups ``bottom``, ``right``, ``li_sse``, ``symmetry_x``.
    """
    nx, ny = len(x), len(y)
    number = np.arange(nx * ny).reshape(ny, nx)
    points = np.zeros((nx * ny, 3))
    points[:, 0], points[:, 1] = np.tile(x, ny), np.repeat(y, nx)
    a, b, c, d = (
        part.reshape(-1) for part in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:],
                                      number[1:, :-1])
    )  # fmt: skip
    row, column = np.divmod(np.arange(len(a)), nx - 1)
    # counted from the upper left corner: there the diagonal must not leave a triangle with both
    # its outer sides on the surface, whose displacement the contact would prescribe entirely
    even = ((column + (ny - 2 - row)) % 2 == 1)[:, None]
    first = np.where(even, np.column_stack([a, b, c]), np.column_stack([a, b, d]))
    second = np.where(even, np.column_stack([a, c, d]), np.column_stack([b, c, d]))
    sides = {
        "bottom": number[0], "right": number[:, -1], "li_sse": number[-1],
        "symmetry_x": number[:, 0],
    }  # fmt: skip
    facets = [np.column_stack([line[:-1], line[1:]]) for line in sides.values()]
    tags = [np.full(len(f), SIDES[name]) for name, f in zip(sides, facets, strict=True)]
    cells = np.vstack([first, second])
    return MeshData(
        dim=2, order=1, points=points, cells=cells, cell_tags=np.ones(len(cells), np.int32),
        facets=np.vstack(facets), facet_tags=np.concatenate(tags).astype(np.int32),
        cell_groups={group: 1}, facet_groups=dict(SIDES),
    )  # fmt: skip
