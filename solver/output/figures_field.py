"""Stress at the tip of a plane body, on the warped mesh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import (
    FAR,
    Fields,
    flaw_size,
    governing_front,
    mirrored,
    planes_near,
    reflect_points,
    symmetry_planes,
)

STRESS = "max_principal_MPa"
#: The opening is drawn as this part of the flaw size.
_OPENING = 0.12
#: A motion of the whole region that the warp makes larger than this part is left out.
_DRIFT = 0.5


def tip_stress_plane(
    results: Path, folder: Path, summary: dict[str, Any], fields: Fields
) -> str | None:
    """``tip_stress``: largest principal stress about the flaw and at its tip, warped."""
    if STRESS not in fields.scalars:
        return None
    size, tips, focus = _places(results, summary, fields)
    planes = planes_near(symmetry_planes(results, summary), focus[None, :], size)
    whole = mirrored(fields, planes, axisymmetric=summary["model"] == "axisymmetric")
    tips = np.vstack(reflect_points(tips, whole.mirrors))[:, :2]
    focus = focus[:2]
    tips = tips[np.linalg.norm(tips - focus, axis=1) <= FAR * size]
    around = _box(np.vstack([tips, focus[None, :]]), 1.25 * size, whole)
    factor = warp_factor(whole, around, size)
    whole = without_drift(whole, around, factor, size)
    front = governing_front(summary)
    h = float(front[0]["element_size_um"]) if front else _size_at(whole, focus)
    half = float(np.clip(12 * h, 0.04 * size, 0.25 * size))
    near = np.stack([focus - half, focus + half])
    sharp = front is not None
    fig, axes = style.figure(style.DOUBLE, 3.1, 1, 2, width_ratios=(1.15, 1.0))
    for ax, box, letter in zip(axes, (around, near), "ab", strict=True):
        _panel(fig, ax, whole, box, factor, sharp, summary["model"], fine=letter == "b")
        style.panel(ax, letter)
    _frame(axes[0], whole, near, factor)
    fig.suptitle(_caption(whole, factor, summary["model"]), fontsize=8)
    return style.save(fig, folder, "tip_stress", pdf=False)


def _places(
    results: Path, summary: dict[str, Any], fields: Fields
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Size of the flaw, all tips (k, 3), and the point to zoom at (3,) [um]."""
    size = flaw_size(results, summary)
    found = governing_front(summary)
    if found:
        assert size is not None  # a front has rings
        tips = [np.array(f["points_um"], float).reshape(-1, 3) for f in summary["fronts"]]
        return size, np.vstack(tips), np.array(found[0]["points_um"], float)[found[1]]
    peaks = summary["peaks"]
    focus = np.array(max(peaks, key=lambda p: p["max_principal"]["value"])["point_um"], float)
    span = float(np.ptp(fields.points, axis=0).max())
    return 0.2 * span if size is None else min(size, span), focus[None, :], focus


def _box(points: NDArray, pad: float, whole: Fields) -> NDArray[np.float64]:
    """Lower and upper corner about points, inside the body, shape (2, 2)."""
    low, high = whole.points.min(axis=0)[:2], whole.points.max(axis=0)[:2]
    return np.stack(
        [np.maximum(points.min(axis=0) - pad, low), np.minimum(points.max(axis=0) + pad, high)]
    )


def warp_factor(fields: Fields, box: NDArray, size: float) -> float:
    """Exaggeration (1, 2, 5, 10, ...) with which the displacement in a box is well visible."""
    u = fields.displacement[_inside(fields, box)]
    if not len(u):
        return 1.0
    # a motion of the whole region is not seen as deformation
    largest = float(np.linalg.norm(u - np.median(u, axis=0), axis=1).max())
    return style.handy(_OPENING * size / largest) if largest > 0 else 1.0


def _size_at(fields: Fields, place: NDArray) -> float:
    """Mean size of the cells at the vertex nearest to a place [um]."""
    near = int(np.argmin(np.linalg.norm(fields.points[:, :2] - place, axis=1)))
    mine = (fields.cells == near).any(axis=1)
    return float(np.sqrt(2 * fields.measures()[mine].mean()))


def without_drift(fields: Fields, box: NDArray, factor: float, size: float) -> Fields:
    """Without the motion of a whole region where the warp would carry it out of the picture.

    Planes of symmetry hold a body in place, and must stay where they are.

    Args:
        fields: The whole body.
        box: The region, shape (2, d).
        factor: Exaggeration.
        size: Of the flaw [um].
    """
    inside = _inside(fields, box)
    if fields.mirrors or not inside.any():
        return fields
    drift = np.median(fields.displacement[inside], axis=0)
    if factor * float(np.linalg.norm(drift)) < _DRIFT * size:
        return fields
    return replace(fields, displacement=fields.displacement - drift)


def _inside(fields: Fields, box: NDArray) -> NDArray[np.bool_]:
    d = box.shape[1]
    return ((fields.points[:, :d] >= box[0]) & (fields.points[:, :d] <= box[1])).all(axis=1)


def colour_limits(
    values: NDArray, weights: NDArray, *, clip: bool
) -> tuple[float, float, bool, bool]:
    """Rounded limits, and whether values lie below and above them.

    Args:
        values: Shape (n,).
        weights: Areas or volumes they stand for, shape (n,).
        clip: Leave out the highest and lowest hundredth (the peak of a sharp tip has no limit).
    """
    low, high = float(values.min()), float(values.max())
    bottom = style.quantile(values, weights, 0.01) if clip else low
    top = style.quantile(values, weights, 0.992) if clip else high
    bottom, top = style.rounded(bottom, up=False), style.rounded(top, up=True)
    if not clip or top <= bottom:
        bottom, top = style.rounded(low, up=False), style.rounded(high, up=True)
    if top <= bottom:
        top = bottom + 1.0
    return bottom, top, low < bottom, high > top


def _panel(
    fig: Any, ax: Any, whole: Fields, box: NDArray, factor: float, sharp: bool, model: str,
    *, fine: bool,
) -> None:  # fmt: skip
    x = whole.points[:, :2]
    margin = 0.3 * (box[1] - box[0])
    corners = x[whole.cells]
    shown = (
        (corners.max(axis=1) >= box[0] - margin) & (corners.min(axis=1) <= box[1] + margin)
    ).all(axis=1)
    cells = whole.cells[shown]
    inside = ((corners.max(axis=1) >= box[0]) & (corners.min(axis=1) <= box[1])).all(axis=1)
    values = whole.scalars[STRESS]
    centre = values[whole.cells[inside]].mean(axis=1)
    limits = colour_limits(centre, whole.measures()[inside], clip=sharp)
    bottom, top = limits[:2]
    warped = x + factor * whole.displacement[:, :2]
    drawn = ax.tripcolor(
        warped[:, 0], warped[:, 1], cells, values, shading="gouraud",
        cmap=style.stress_map(bottom, top), vmin=bottom, vmax=top, rasterized=True,
    )  # fmt: skip
    ax.triplot(
        warped[:, 0], warped[:, 1], cells, color=style.BLACK, lw=0.25 if fine else 0.15,
        alpha=0.35,
    )  # fmt: skip
    for line, width in _lines(whole, cells, whole.material[shown]):
        ax.plot(warped[line.T, 0], warped[line.T, 1], color=style.BLACK, lw=width)
    ax.set_aspect("equal")
    _limits(ax, warped, whole, box, fine)
    names = ("r", "z") if model == "axisymmetric" else ("x", "y")
    ax.set_xlabel(f"{names[0]} (µm)")
    ax.set_ylabel(f"{names[1]} (µm)")
    ax.set_facecolor("white")
    top_clipped = values[cells].max() > top
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[
        int(values[cells].min() < bottom), int(top_clipped)
    ]
    bar = fig.colorbar(drawn, ax=ax, extend=extend, shrink=0.9, pad=0.02, aspect=22)
    what = "largest principal stress (MPa)"
    bar.set_label(what + (", clipped" if extend != "neither" else ""))


def _limits(ax: Any, warped: NDArray, whole: Fields, box: NDArray, fine: bool) -> None:
    """Show the box; beyond a free side of the body also the bulge of the warp."""
    low, high = box.copy()
    if not fine:
        inside = ((whole.points[:, :2] >= low) & (whole.points[:, :2] <= high)).all(axis=1)
        low = np.minimum(low, warped[inside].min(axis=0))
        high = np.maximum(high, warped[inside].max(axis=0))
    else:  # follow the tip where the warp moves it
        mid = (low + high) / 2
        nearest = int(np.argmin(np.linalg.norm(whole.points[:, :2] - mid, axis=1)))
        move = warped[nearest] - whole.points[nearest, :2]
        low, high = low + move, high + move
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])


def _lines(
    whole: Fields, cells: NDArray[np.int64], material: NDArray
) -> list[tuple[NDArray[np.int64], float]]:
    """Edges of the body and its crack, and interfaces between materials, with line widths."""
    if not len(cells):
        return []
    edges = np.sort(cells[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    owner = np.repeat(material, 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges, owner = edges[order], owner[order]
    same = (edges[1:] == edges[:-1]).all(axis=1)
    paired = np.zeros(len(edges), bool)
    paired[1:] |= same
    paired[:-1] |= same
    between = np.flatnonzero(same & (owner[1:] != owner[:-1]))
    return [(edges[~paired], 0.8), (edges[between], 0.6)]


def _frame(ax: Any, whole: Fields, box: NDArray, factor: float) -> None:
    """Where the second panel is, in the first."""
    mid = (box[0] + box[1]) / 2
    nearest = int(np.argmin(np.linalg.norm(whole.points[:, :2] - mid, axis=1)))
    low, high = box + factor * whole.displacement[nearest, :2]
    xs, ys = [low[0], high[0], high[0], low[0], low[0]], [low[1], low[1], high[1], high[1], low[1]]
    ax.plot(xs, ys, color="white", lw=1.8)
    ax.plot(xs, ys, color=style.RED, lw=1.0)


def _caption(whole: Fields, factor: float, model: str) -> str:
    text = f"displacement × {factor:g}"
    names = {0: "r" if model == "axisymmetric" else "x", 1: "z" if model == "axisymmetric" else "y"}
    names[2] = "z"
    if whole.mirrors:
        planes = " and ".join(f"{names[i]} = 0" for i in whole.mirrors)
        text += f", mirrored at {planes}"
    return text
