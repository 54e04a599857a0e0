"""Lithium before a notch in a rigid electrolyte: graded rectangles of triangles.

A Lagrangian mesh is carried along by lithium that flows. Made of rows and columns, it can be shaped
for that beforehand: elements at the mouth are made lower than wide, because flow into a notch draws
them out along it. Only the lithium is meshed; the outline of the notch is in the notes of the mesh.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled.notch import Notch
from ssbmech.errors import CaseError, MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.parameters import Angle, Length, Number, number

Floats = NDArray[Any]

#: Facet groups of the block.
SIDES = {"bottom": 1, "right": 2, "li_sse": 3, "symmetry_x": 4}
#: Notes that hold the outline of the notch: lengths in um, the slope of its flanks in radians.
NOTES = ("notch:depth", "notch:root_radius", "notch:lip_radius", "notch:flank")


def notched(
    width: Length,
    height: Length,
    depth: Length,
    half_width: Length | None = None,
    *,
    lip_radius: Length,
    root_radius: Length | None = None,
    flank: Angle | None = None,
    h: Length,
    flatness: Number = 1.5,
    fine_depth: Length | None = None,
    root: Number = 1.0,
    growth: Number = 1.3,
) -> MeshData:
    """Half of a block of lithium below y = 0, before a notch in the surface of an electrolyte.

    Args:
        width: Of the whole block [um]; 0 < x < width/2 is meshed.
        height: Of the block [um].
        depth: Of the notch [um].
        half_width: Of the mouth of a circular notch before its lips are rounded [um].
        lip_radius: Of its lips [um].
        root_radius: Of its root [um], with ``flank`` instead of ``half_width``.
        flank: Slope of straight flanks against the surface, up to 90 degrees.
        h: Size of the elements along the surface at the notch [um]; an eighth of the lips' radius
            or less where pressures are many times the strength of the lithium.
        flatness: Width over height of these elements.
        fine_depth: Depth of the fine rows below the surface [um]; by default 0.6 times the depth.
        root: Width of the elements at the axis over ``h``: below 1 for a sharp root.
        growth: Of the size of elements beyond.

    Returns:
        Cells ``lithium``; facets ``li_sse`` (the surface before the notch), ``bottom``, ``right``
        and ``symmetry_x``; the outline of the notch in the notes.

    Raises:
        MeshError: For parameters that are out of range or do not fit.
    """
    number("width", width)
    number("height", height)
    number("h", h, below=width / 4)
    number("flatness", flatness, above=0.1, below=20.0, closed=True, unit="")
    number("root", root, above=0.01, below=1.0, closed=True, unit="")
    number("growth", growth, above=1.0, below=3.0, unit="")
    deep = 0.6 * depth if fine_depth is None else number("fine_depth", fine_depth, below=height)
    notch = _notch(depth, half_width, lip_radius, root_radius, flank)
    if notch.half_width > 0.45 * width:
        raise MeshError(
            "the notch is as wide as the lithium", key="width", value=width,
            allowed=f"above {notch.half_width / 0.45:g} um",
        )  # fmt: skip
    if notch.area > 0.5 * width * height:
        raise MeshError("the lithium cannot fill the notch", key="height", value=height,
                        allowed=f"above {2 * notch.area / width:g} um")  # fmt: skip
    reach = min(1.15 * notch.half_width, 0.4 * width)
    x = graded(h, reach, width / 2, growth)
    if root < 1:  # from root * h at the axis to h, half-way to the mouth
        first = graded(h * root, h * root, reach / 2, 1.12)
        x = np.concatenate([first[:-1], x[x > reach / 2 - 0.3 * h]])
    low = graded(h / flatness, min(deep, 0.8 * height), height, growth)
    values = (notch.depth, notch.root_radius, notch.lip_radius, notch.flank)
    notes: dict[str, float | str] = dict(zip(NOTES, values, strict=True))
    return block(x, -low[::-1], notes=notes | {"area:lithium": width * height / 2})


def _notch(
    depth: float, half_width: float | None, lip: float, root: float | None, flank: float | None
) -> Notch:
    try:
        if half_width is not None and root is None and flank is None:
            return Notch.segment(depth, half_width, lip)
        if half_width is None and root is not None and flank is not None:
            return Notch(depth, root, lip, math.radians(flank))
    except CaseError as error:
        raise MeshError(error.message, key=error.key.removeprefix("notch."), value=error.value,
                        allowed=error.allowed, hint=error.hint) from None  # fmt: skip
    raise MeshError(
        "a notch has either a half_width, or a root_radius and the slope of its flanks",
        key="half_width", value=half_width,
    )  # fmt: skip


def notch_of(notes: dict[str, float | str], scale: float) -> Notch:
    """The notch that a mesh is made for.

    Args:
        notes: Of the mesh.
        scale: Length wanted per micrometre.

    Raises:
        MeshError: For a mesh without a notch.
    """
    if any(key not in notes for key in NOTES):
        raise MeshError(
            "the mesh says nothing of a notch that lithium is pressed into", key="geometry.type",
            allowed="notched",
        )  # fmt: skip
    depth, root, lip, flank = (float(notes[key]) for key in NOTES)
    return Notch(depth * scale, root * scale, lip * scale, flank)


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


def block(
    x: Floats, y: Floats, *, group: str = "lithium", notes: dict[str, float | str] | None = None
) -> MeshData:
    """Triangles between columns x and rows y, diagonals alternating (no preferred direction).

    Args:
        x: Columns [um], ascending from the symmetry line.
        y: Rows [um], ascending; the last one is the surface ``li_sse``.
        group: Name of the cell group.
        notes: Of the mesh.

    Returns:
        First-order mesh with the facet groups ``bottom``, ``right``, ``li_sse``, ``symmetry_x``.
    """
    nx, ny = len(x), len(y)
    number_of = np.arange(nx * ny).reshape(ny, nx)
    points = np.zeros((nx * ny, 3))
    points[:, 0], points[:, 1] = np.tile(x, ny), np.repeat(y, nx)
    a, b = number_of[:-1, :-1].reshape(-1), number_of[:-1, 1:].reshape(-1)
    c, d = number_of[1:, 1:].reshape(-1), number_of[1:, :-1].reshape(-1)
    row, column = np.divmod(np.arange(len(a)), nx - 1)
    # counted from the upper left corner: there the diagonal must not leave a triangle with both
    # its outer sides on the surface, whose displacement the contact would prescribe entirely
    even = ((column + (ny - 2 - row)) % 2 == 1)[:, None]
    first = np.where(even, np.column_stack([a, b, c]), np.column_stack([a, b, d]))
    second = np.where(even, np.column_stack([a, c, d]), np.column_stack([b, c, d]))
    sides = {
        "bottom": number_of[0], "right": number_of[:, -1], "li_sse": number_of[-1],
        "symmetry_x": number_of[:, 0],
    }  # fmt: skip
    facets = [np.column_stack([line[:-1], line[1:]]) for line in sides.values()]
    tags = [np.full(len(f), SIDES[name]) for name, f in zip(sides, facets, strict=True)]
    cells = np.vstack([first, second])
    return MeshData(
        dim=2, order=1, points=points, cells=cells, cell_tags=np.ones(len(cells), np.int32),
        facets=np.vstack(facets), facet_tags=np.concatenate(tags).astype(np.int32),
        cell_groups={group: 1}, facet_groups=dict(SIDES), notes=dict(notes or {}),
    )  # fmt: skip
