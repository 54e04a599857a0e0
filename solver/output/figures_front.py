"""A reaction front: its course, thickness and roughness, growth, and its map at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.output import figures_lines as lines
from ssbmech.output import figures_style as style
from ssbmech.output.figures_profiles import _colours, _time_bar
from ssbmech.output.front_line import straight, surfaces
from ssbmech.output.monitors import monitor, time_unit
from ssbmech.output.plane_fields import mirror_axes
from ssbmech.output.tables import Table, by_time, read_table, spread_out

Floats = NDArray[np.float64]

#: Fronts in one picture, how much later than the one before each is as a part of the run, and how
#: much of the body beyond them is shown, in their own size.
_MOST, _LATER, _BEYOND = 10, 0.02, 3.0
#: Largest less smallest thickness over the mean, below which a front is flat.
_FLAT = 2e-3
_THICKNESS = (("front_furthest", "largest", style.RED), ("front_thickness", "mean", style.BLUE),
              ("front_nearest", "smallest", style.GREEN))  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """What the course of a front is drawn against.

    Attributes:
        values: In units of the axis, shape (n,).
        label: With the unit.
    """

    values: Floats
    label: str


def front(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``front``: the front at output times; thickness, roughness and voltage of the run."""
    found = _tables(results, summary)
    if found is None:
        return None
    shapes, history = found
    edges = surfaces(results)
    known = [np.column_stack([shapes["x"], shapes["y"]]) * 1e6, *(e.reshape(-1, 2)
             for e in edges.values())]  # fmt: skip
    axes = mirror_axes(results, summary, np.vstack(known))
    return draw_front(folder, shapes, history, edges, axes, summary.get("model") == "axisymmetric")


def _tables(results: Path, summary: Mapping[str, Any]) -> tuple[Table, Table] | None:
    """``front.csv`` and ``history.csv`` of a run of this kind, with the columns that are needed."""
    if (summary.get("transient") or {}).get("kind") != "front":
        return None
    found = []
    for name, needed in (("front.csv", ("time", "line", "x", "y")),
                         ("history.csv", ("time", "front_thickness"))):  # fmt: skip
        table = read_table(results / name)
        missing = [n for n in needed if table is None or n not in table]
        if table is None or missing:
            raise OutputError(
                "no such table" if table is None else f"no column {', '.join(missing)}",
                key=str(results / name), hint="Run the case again",
            )  # fmt: skip
        found.append(table)
    return (found[0], found[1]) if len(found[0]["time"]) and len(found[1]["time"]) else None


def draw_front(
    folder: Path, shapes: Table, history: Table, edges: Mapping[str, Floats],
    mirrors: Sequence[int] = (), axisymmetric: bool = False,
) -> str:  # fmt: skip
    """Left: fronts by time; right: thickness, roughness and, where there is one, voltage.

    Args:
        folder: Of the figures.
        shapes: ``time``, ``line``, ``x``, ``y`` in SI, each (n,).
        history: ``time`` and monitors in SI, each (k,).
        edges: Surfaces of lithium and of the counter electrode by name [um], each (m, 2, 2).
        mirrors: Axes along which the body is mirrored at 0.
        axisymmetric: Whether the axes are r and z.
    """
    rows = [n for n in ("front_roughness", "voltage") if _there(history, n)]
    count = 1 + len(rows)
    fig, axes = style.figure(
        style.DOUBLE, 0.75 + 1.35 * max(count, 2), count, 2, squeeze=False, width_ratios=(1.15, 1.0)
    )
    grid = axes[0, 0].get_gridspec()
    for ax in axes[:, 0]:
        ax.remove()
    main, right = fig.add_subplot(grid[:, 0]), list(axes[:, 1])
    _fronts(fig, main, by_time(shapes), edges, mirrors)
    names = ("r", "z") if axisymmetric else ("x", "y")
    main.set(xlabel=f"{names[0]} (µm)", ylabel=f"{names[1]} (µm), in the electrolyte as it was")
    axis = course(history)
    _thickness(right[0], axis, history)
    for ax, name in zip(right[1:], rows, strict=True):
        how = monitor(name)
        lines.line(ax, axis.values, history[name] / how.scale, color=style.BLUE)
        unit = how.unit.replace("um", "µm")
        ax.set_ylabel(f"{'roughness' if name == 'front_roughness' else name}\n({unit})")
        ax.margins(x=0.01, y=0.1)
        if name == "front_roughness":
            ax.set_ylim(0.0, 1.1 * ax.dataLim.y1 or 1.0)
    for ax in right[:-1]:
        ax.tick_params(labelbottom=False)
    for ax in right:
        ax.set_xlim(right[0].get_xlim())
    right[-1].set_xlabel(axis.label)
    fig.align_ylabels(right)
    for letter, ax in zip("abcd", (main, *right), strict=False):
        style.panel(ax, letter)
    return style.save(fig, folder, "front")


def _there(history: Table, name: str) -> bool:
    return name in history and bool(np.isfinite(history[name]).sum() > 1)


def course(history: Table) -> Axis:
    """Charge where it grows all the time, else time.

    Args:
        history: With ``time`` and perhaps ``capacity``, SI.
    """
    charge = history.get("capacity")
    if charge is not None and len(charge) > 1 and (np.diff(charge) > 0).all():
        how = monitor("capacity")
        return Axis(np.asarray(charge, float) / how.scale, "plated (mAh/cm²)")
    unit, per = time_unit(float(history["time"][-1]))
    return Axis(np.asarray(history["time"], float) / per, f"time ({unit})")


def _fronts(
    fig: Any, ax: Any, shapes: list[tuple[float, Table]], edges: Mapping[str, Floats],
    mirrors: Sequence[int],
) -> None:  # fmt: skip
    """Fronts by time over the surfaces of the body."""
    shapes = _apart(shapes)
    colours = _colours(len(shapes))
    for colour, (_, part) in zip(colours, shapes, strict=True):
        for number in np.unique(part["line"]):
            mine = part["line"] == number
            path = np.column_stack([part["x"][mine], part["y"][mine]]).astype(float) * 1e6
            for image in _images(path, mirrors):
                ax.plot(image[:, 0], image[:, 1], color=colour, lw=1.1)
    box = ax.dataLim.get_points().copy()
    middle, size = box.mean(axis=0), float((box[1] - box[0]).max())
    for name, pieces in edges.items():
        ends = np.concatenate(_images(pieces.reshape(-1, 2), mirrors))
        near = _around(box, ends)
        if name == "lithium" or (near[1] - near[0]).max() <= _BEYOND * size:
            box = near
            _surface(ax, name, ends.reshape(-1, 2, 2), middle)
    pad = 0.05 * float((box[1] - box[0]).max())
    ax.set_xlim(box[0, 0] - pad, box[1, 0] + pad)
    ax.set_ylim(box[0, 1] - pad, box[1, 1] + pad)
    ax.set_aspect("equal")
    ax.locator_params(nbins=6)
    unit, per = time_unit(shapes[-1][0])
    _time_bar(fig, np.array([ax]), colours, np.array([t for t, _ in shapes]) / per, unit)


def _apart(shapes: list[tuple[float, Table]]) -> list[tuple[float, Table]]:
    """Fronts that are told apart, the last one among them: the first steps are short."""
    least = _LATER * shapes[-1][0]
    kept = shapes[:1]
    for one in shapes[1:]:
        if one[0] - kept[-1][0] >= least:
            kept.append(one)
    if kept[-1][0] < shapes[-1][0]:
        kept[-1:] = shapes[-1:]
    return [kept[i] for i in spread_out(len(kept), _MOST)]


def _images(path: Floats, mirrors: Sequence[int]) -> list[Floats]:
    """A line with its images in the mirrors, itself first."""
    found = [path]
    for axis in mirrors:
        sign = np.ones(2)
        sign[axis] = -1.0
        found += [p * sign for p in found]
    return found


def _around(box: Floats, points: Floats) -> Floats:
    """Corners about those of a box and points."""
    whole = np.vstack([box, points])
    return np.stack([whole.min(axis=0), whole.max(axis=0)])


def _surface(ax: Any, name: str, pieces: Floats, middle: Floats) -> None:
    """A surface of the body with its name on the side that is away from the fronts."""
    from matplotlib.collections import LineCollection

    colour = style.GREY if name == "lithium" else style.ORANGE
    ax.add_collection(LineCollection(list(pieces), colors=colour, linewidths=3.0, zorder=1,
                                     capstyle="projecting", snap=False), autolim=False)  # fmt: skip
    ends = pieces.reshape(-1, 2)
    away = ends.mean(axis=0) - middle
    at = ends[int(np.argmin(np.abs(ends - ends.mean(axis=0)).sum(axis=1)))]
    below = away[1] < 0
    ax.annotate(name, at, xytext=(0, -4 if below else 4), textcoords="offset points", ha="center",
                va="top" if below else "bottom", fontsize=7, color=colour,
                fontweight="bold")  # fmt: skip


def _thickness(ax: Any, axis: Axis, history: Table) -> None:
    """Largest, mean and smallest thickness, named at their ends."""
    rows = [(n, w, c) for n, w, c in _THICKNESS if _there(history, n)]
    mean = np.asarray(history["front_thickness"], float)
    if len(rows) == 3:
        spread = history["front_furthest"] - history["front_nearest"]
        if float(np.nanmax(spread / mean)) < _FLAT:
            rows = [("front_thickness", "flat", style.BLUE)]
    ends = []
    for name, words, colour in rows:
        y = np.asarray(history[name], float) / 1e-6
        lines.line(ax, axis.values, y, color=colour)
        ends.append((float(y[np.isfinite(y)][-1]), words, colour))
    ax.set_ylabel("thickness of\nthe layer (µm)")
    ax.margins(x=0.01)
    ax.set_ylim(0.0, 1.1 * ax.dataLim.y1)
    left, right = ax.get_xlim()
    ax.set_xlim(left, right + 0.2 * (right - left))
    direct(ax, float(axis.values[-1]), ends)


def direct(ax: Any, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Names of lines beside their ends, none over another.

    Args:
        ax: Axes with their final limits.
        x: Of the ends.
        ends: Height, name and colour of each line, from above to below.
    """
    low, high = ax.get_ylim()
    least = 0.095 * (high - low)  # a line of text in axes of 1.2 inch
    heights = [y for y, _, _ in ends]
    for k in range(1, len(heights)):
        heights[k] = min(heights[k], heights[k - 1] - least)
    rise = max(0.04 * (high - low) + low - heights[-1], 0.0) if heights else 0.0
    for y, (_, words, colour) in zip(heights, ends, strict=True):
        ax.annotate(words, (x, y + rise), xytext=(4, 0), textcoords="offset points", va="center",
                    fontsize=7, color=colour)  # fmt: skip


def growth(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``front_growth``: mean thickness over time and over its root, with slopes."""
    found = _tables(results, summary)
    if found is None or len(found[1]["time"]) < 3:
        return None
    return draw_growth(folder, found[1])


def draw_growth(folder: Path, history: Table) -> str:
    """Mean thickness over time and over (t/h)^1/2; where it is straight, its slope.

    Args:
        folder: Of the figures.
        history: ``time`` and ``front_thickness`` in SI, each (n,), n > 2.
    """
    time, mean = (np.asarray(history[n], float) for n in ("time", "front_thickness"))
    mean = mean / 1e-6
    unit, per = time_unit(float(time[-1]))
    fig, axes = style.figure(style.DOUBLE, 2.5, 1, 2, sharey=True)
    for ax, x, label, of in (
        (axes[0], time / per, f"time ({unit})", unit),
        (axes[1], np.sqrt(np.maximum(time, 0.0) / 3600.0), "(t/h)$^{1/2}$", "h$^{1/2}$"),
    ):
        lines.line(ax, x, mean, color=style.BLUE, lw=1.6)
        fit = straight(x, mean)
        if fit is None:
            ax.annotate("nowhere straight", (0.97, 0.06), xycoords="axes fraction", ha="right",
                        va="bottom", fontsize=7, color=style.GREY)  # fmt: skip
        else:
            ends = np.array([x[0], x[-1]])
            ax.plot(ends, fit.at(ends), "--", color=style.GREY, lw=0.8, zorder=1)
            inside = np.array([fit.first, fit.last])
            ax.plot(inside, fit.at(inside), "-", color=style.RED, lw=0.9, zorder=4)
            _slope(ax, fit, of)
        ax.set_xlabel(label)
        ax.margins(x=0.02, y=0.08)
        ax.set_xlim(left=0.0)
    axes[0].set_ylabel("mean thickness of the layer (µm)")
    axes[0].set_ylim(bottom=0.0)
    for letter, ax in zip("ab", axes, strict=True):
        style.panel(ax, letter)
    return style.save(fig, folder, "front_growth")


def _slope(ax: Any, fit: Any, unit: str) -> None:
    """The slope beside the line, and between which places it holds."""
    where = f"{style.number(fit.first)} to {style.number(fit.last)} {unit}"
    ax.annotate(
        f"{style.number(fit.slope)} µm/{unit}, straight within 1 %\nfrom {where}",
        (0.97, 0.06), xycoords="axes fraction", ha="right", va="bottom", fontsize=7,
        color=style.RED,
    )  # fmt: skip
