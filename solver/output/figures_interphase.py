"""A layer that thickened: thickness and resistance over time, stresses and K over thickness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.monitors import time_unit
from ssbmech.output.tables import Table, read_table

_COLOURS = (style.RED, style.BLUE, style.GREEN, style.ORANGE, style.PINK, style.SKY)
#: Stresses in the order in which they are drawn: what opens cracks first.
_ORDER = ("hoop", "radial", "axial", "xx", "yy", "zz")
#: Least range of an axis of stress, over the largest stress of the run.
_FLOOR = 0.02


def growth(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``interphase_growth``: thickness and resistance over time, first cracking marked."""
    entry, table = summary.get("interphase"), read_table(results / "interphase.csv")
    if not entry or table is None or len(table["time"]) < 2:
        return None
    return draw_growth(folder, table, entry)


def draw_growth(folder: Path, table: Table, entry: Mapping[str, Any]) -> str | None:
    """Thickness and, where it has one, resistance of the layer, over time and over its root.

    Args:
        folder: Of the figures.
        table: ``time``, ``thickness`` and perhaps ``resistance``, SI, each (n,).
        entry: The summary's entry ``interphase``.
    """
    time = np.asarray(table["time"], float)
    good = np.isfinite(time)
    if good.sum() < 2:
        return None
    unit, per = time_unit(float(time[good].max()))
    resists = "resistance" in table
    fig, axes = style.figure(style.DOUBLE if resists else style.SINGLE, 4.6, 2, 1 + resists,
                             squeeze=False)  # fmt: skip
    curve = entry["curve"]
    t, thickness = np.array(curve["time_s"]), np.array(curve["thickness_um"]) * 1e-6
    points = time[good], np.asarray(table["thickness"], float)[good]
    scale, length = _length(_highest(points[1], entry, "thickness", 1e-6))
    for row, axis in enumerate((_linear(unit, per), _root(unit, per))):
        _grown(axes[row, 0], axis, (t, thickness / scale), (points[0], points[1] / scale),
               _band(entry, "thickness", 1e-6 / scale), style.BLUE)  # fmt: skip
        axes[row, 0].set(ylabel=f"thickness of the layer ({length})")
    _spread_in_time(axes[0, 0], entry, per, scale)
    if resists:
        R = np.asarray(table["resistance"], float)[good] * 1e4
        smooth = t, thickness * R[-1] / points[1][-1]
        for row, axis in enumerate((_linear(unit, per), _root(unit, per))):
            _grown(axes[row, 1], axis, smooth, (points[0], R), _band(entry, "resistance", 1.0),
                   style.ORANGE)  # fmt: skip
            axes[row, 1].set(ylabel="resistance of the layer (Ω cm²)")
        if entry.get("calibration"):
            axes[1, 1].clear()
            _calibrated(axes[1, 1], _root(unit, per), entry["calibration"], points[0], R)
    for k, ax in enumerate(axes.flat):
        ax.set_ylim(bottom=0.0)
        if k <= resists or entry.get("calibration"):
            _legend(ax)
        if resists:
            style.panel(ax, "abcd"[k])
    return style.save(fig, folder, "interphase_growth")


#: Label of an axis of time, and time [s] to its values.
_Axis = tuple[str, Callable[[NDArray], NDArray]]


def _linear(unit: str, per: float) -> _Axis:
    return f"time ({unit})", lambda t: np.asarray(t, float) / per


def _root(unit: str, per: float) -> _Axis:
    return f"root of time ({unit}$^{{1/2}}$)", lambda t: np.sqrt(np.asarray(t, float) / per)


def _grown(
    ax: Any, axis: _Axis, smooth: Any, points: Any, band: dict[str, Any] | None, colour: str
) -> None:
    """The law as a line, the computed times as points, the ranges as a band with its median."""
    label, at = axis
    if band is not None:
        ax.fill_between(at(band["time"]), band["p5"], band["p95"], color=colour, alpha=0.18, lw=0,
                        label=f"5-95 % of the ranges, {band['n']} samples")  # fmt: skip
        ax.plot(at(band["time"]), band["median"], "--", color=colour, lw=0.9, label="median")
    ax.plot(at(smooth[0]), smooth[1], "-", color=colour, label="this case" if band else None)
    ax.plot(at(points[0]), points[1], "o", ms=3, color=colour)
    ax.set(xlabel=label)


def _calibrated(ax: Any, axis: _Axis, fit: Mapping[str, Any], times: Any, R: Any) -> None:
    """Total resistance over the root of time: the fit, and what it was fitted to."""
    label, at = axis
    start, measured = fit["start"]["value"], fit["measured"]
    last = max([*measured["time_s"], float(np.max(times))])
    t = last * np.linspace(0.0, 1.0, 51) ** 2
    slope = fit["slope"]["value"]
    ax.plot(at(t), start + slope * np.sqrt(t / 3600.0), "-", color=style.ORANGE,
            label=f"CALIBRATION: {start:.4g} + {slope:.4g} (t/h)$^{{1/2}}$")  # fmt: skip
    ax.plot(at(times), start + np.asarray(R), "o", ms=3, color=style.ORANGE, label="this case")
    ax.plot(at(np.array([0.0, *measured["time_s"]])), [start, *measured["resistance_ohm_cm2"]], "s",
            ms=6, mfc="none", color=style.BLACK, label="measured, fitted to")  # fmt: skip
    ax.set(xlabel=label, ylabel="resistance of the cell (Ω cm²)")


def _band(entry: Mapping[str, Any], what: str, factor: float) -> dict[str, Any] | None:
    """Percentiles over time of ``thickness`` or ``resistance``, times a factor."""
    spread = entry.get("spread") or {}
    if what not in spread:
        return None
    band = {k: np.array(spread[what][k]) * factor for k in ("p5", "median", "p95")}
    if band["p95"][-1] - band["p5"][-1] <= 1e-9 * band["p95"][-1]:
        return None
    return {"time": np.array(spread["time_s"]), "n": spread["n"], **band}


def _highest(values: NDArray, entry: Mapping[str, Any], what: str, scale: float) -> float:
    band = _band(entry, what, scale)
    return max(float(values.max()), 0.0 if band is None else float(band["p95"].max()))


def stresses(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``interphase_stress``: largest stresses of each line and K over the thickness."""
    entry, table = summary.get("interphase"), read_table(results / "interphase.csv")
    if not entry or table is None:
        return None
    return draw_stresses(folder, table, entry)


def draw_stresses(folder: Path, table: Table, entry: Mapping[str, Any]) -> str | None:
    """A panel of the largest tension per line, one of K_I; limits and first cracking marked.

    Args:
        folder: Of the figures.
        table: ``thickness`` and columns ``LINE:STRESS_max`` and ``FRONT:K_I``, SI, each (n,).
        entry: The summary's entry ``interphase``.
    """
    lines = list(entry.get("stresses", {}))
    fronts = [name for name in table if name.endswith(":K_I")]
    panels = len(lines) + bool(fronts)
    if not panels:
        return None
    thickness = np.asarray(table["thickness"], float)
    scale, unit = _length(float(thickness.max()))
    width = style.SINGLE if panels == 1 else style.DOUBLE
    largest = _largest(table, [n for n in table if n.endswith(("_max", "_min"))])
    fig, axes = style.figure(width, 2.6, 1, panels, squeeze=False)
    for k, line in enumerate(lines):
        ax = axes[0, k]
        names = [n for n in _ORDER if f"{line}:{n}_max" in table]
        for name, colour in zip(names, _COLOURS, strict=False):
            for end, dash, words in (("max", "-", "largest "), ("min", ":", "smallest ")):
                values = np.asarray(table[f"{line}:{name}_{end}"], float) / 1e6
                ax.plot(thickness / scale, values, dash, color=colour, lw=1.2,
                        label=f"{words}{name}" if end == "max" else None)  # fmt: skip
        ax.axhline(0.0, color=style.GREY, lw=0.5)
        _limit(ax, entry, "strength", "strength")
        _marks(ax, entry, line, scale)
        ax.set(xlabel=f"thickness of the layer ({unit})", ylabel="stress (MPa)")
        _floor(ax, largest)
        ax.set_title(line.replace("_", " "), loc="right")
        _legend(ax, marks_only=k > 0)
    if fronts:
        ax = axes[0, len(lines)]
        for name, colour in zip(fronts, _COLOURS, strict=False):
            values = np.asarray(table[name], float) / 1e6
            ax.plot(thickness / scale, values, "o-", ms=3, color=colour, label=name[:-4])
        ax.axhline(0.0, color=style.GREY, lw=0.5)
        inside = "layer_toughness" in entry.get("limits", {})
        _limit(ax, entry, "layer_toughness" if inside else "toughness", r"$K_{IC}$")
        ax.set(xlabel=f"thickness of the layer ({unit})", ylabel="$K_I$ (MPa m$^{1/2}$)")
        _legend(ax)
    if panels > 1:
        for k in range(panels):
            style.panel(axes[0, k], "abcdefgh"[k])
    return style.save(fig, folder, "interphase_stress")


def onset_maps(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``interphase_onset``: thickness at first cracking over misfit and strength or toughness."""
    maps = (summary.get("interphase") or {}).get("maps") or {}
    return draw_onset_maps(folder, maps, summary["interphase"]) if maps else None


def draw_onset_maps(
    folder: Path, maps: Mapping[str, Any], entry: Mapping[str, Any]
) -> str | None:  # fmt: skip
    """A map per criterion; white where nothing cracks up to the largest thickness.

    Args:
        folder: Of the figures.
        maps: Entry ``maps`` of the summary's entry ``interphase``.
        entry: That entry.
    """
    fig, axes = style.figure(style.DOUBLE if len(maps) > 1 else style.SINGLE, 2.7, 1, len(maps),
                             squeeze=False)  # fmt: skip
    drawn = False
    for k, (criterion, data) in enumerate(maps.items()):
        ax = axes[0, k]
        values = np.array([[np.nan if x is None else x for x in row]
                           for row in data["thickness_um"]])  # fmt: skip
        x, y = np.array(data["growth_strain"]), np.array(data["limit"])
        ax.set(xscale="log", yscale="log", xlabel="growth strain that is retained",
               ylabel=f"{'strength' if criterion == 'strength' else 'toughness'} "
               f"({data['unit'].replace('*m^0.5', ' m$^{1/2}$')})")  # fmt: skip
        if np.isfinite(values).any() and x.min() > 0.0:
            shown = ax.pcolormesh(x, y, values.T, cmap=style.CRITICAL_MAP, shading="nearest",
                                  rasterized=True, vmin=0.0)  # fmt: skip
            fig.colorbar(shown, ax=ax, label="layer at first crack (µm)")
            limit = entry["limits"]["strength" if criterion == "strength" else "toughness"]
            middle = x[len(x) // 2]
            ax.plot(middle, limit["value"], "o", mfc="none", color=style.RED, label="this case")
            ax.legend(loc="upper left")
            drawn = True
        if len(maps) > 1:
            style.panel(ax, "ab"[k])
    return style.save(fig, folder, "interphase_onset") if drawn else None


def profiles(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``interphase_profiles``: stresses along each line, a curve per thickness."""
    table = read_table(results / "interphase_lines.csv")
    if not summary.get("interphase") or table is None:
        return None
    return draw_profiles(folder, table)


def draw_profiles(folder: Path, table: Table) -> str | None:
    """Hoop and radial stress (or xx and yy) along lines, coloured by thickness.

    Args:
        folder: Of the figures.
        table: ``thickness``, ``line``, ``s`` and stresses, SI, each (n,).
    """
    import matplotlib

    names = [n for n in _ORDER if n in table][:2]
    lines = list(dict.fromkeys(str(name) for name in table["line"]))
    thicknesses = np.unique(np.asarray(table["thickness"], float))
    lines = [n for n in lines if np.count_nonzero(table["line"] == n) > len(thicknesses)]
    if not lines or not names:
        return None
    scale, unit = _length(float(thicknesses.max()))
    largest = _largest(table, [n for n in _ORDER if n in table])
    fig, axes = style.figure(style.DOUBLE, 2.2 * len(lines), len(lines), len(names), squeeze=False)
    # the palest end of the map would not show on white
    colours = matplotlib.colormaps[style.LINE_MAP](np.linspace(0.0, 0.9, len(thicknesses)))
    for row, line in zip(axes, lines, strict=True):
        for ax, name in zip(row, names, strict=True):
            for thickness, colour in zip(thicknesses, colours, strict=True):
                mine = (table["line"] == line) & (table["thickness"] == thickness)
                s, values = np.asarray(table["s"])[mine], np.asarray(table[name])[mine]
                ax.plot(s * 1e6, values / 1e6, color=colour,
                        label=f"{style.number(thickness / scale)} {unit}")  # fmt: skip
            ax.axhline(0.0, color=style.GREY, lw=0.5)
            ax.set(xlabel=f"distance along {line.replace('_', ' ')} (µm)",
                   ylabel=f"{name} stress (MPa)")  # fmt: skip
            _floor(ax, largest)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, title="thickness", title_fontsize=7, loc="outside right upper")
    return style.save(fig, folder, "interphase_profiles")


def _largest(table: Table, names: Sequence[str]) -> float:
    """Largest stress of the run in size [MPa]; 0 where there is none."""
    found = [np.abs(np.asarray(table[name], float)) for name in names]
    sizes = [float(np.nanmax(v)) for v in found if v.size and np.isfinite(v).any()]
    return max(sizes, default=0.0) / 1e6


def _floor(ax: Any, largest: float) -> None:
    """At least a fiftieth of the largest stress of the run on the axis: rounding stays flat."""
    low, high = ax.get_ylim()
    least = _FLOOR * largest
    if high - low < least:
        middle = 0.5 * (low + high)
        ax.set_ylim(middle - 0.5 * least, middle + 0.5 * least)


def _length(largest: float) -> tuple[float, str]:
    return (1e-6, "µm") if largest >= 1e-6 else (1e-9, "nm")


def _limit(ax: Any, entry: Mapping[str, Any], name: str, label: str) -> None:
    limit = entry.get("limits", {}).get(name)
    if limit and limit["value"] is not None:
        ax.axhline(limit["value"], color=style.BLACK, lw=0.8, ls="--", label=label)


def _marks(ax: Any, entry: Mapping[str, Any], line: str, scale: float) -> None:
    """Where the first crack by each criterion starts, on the line that it starts on."""
    for criterion, dash in (("strength", "--"), ("energy", "-.")):
        first = entry.get("first", {}).get(criterion)
        if first and first["where"] == line and first["thickness"]["value"] is not None:
            ax.axvline(first["thickness"]["value"] * 1e-6 / scale, color=style.GREY, lw=0.9,
                       ls=dash, label=f"first crack, by {criterion}")  # fmt: skip


def _spread_in_time(ax: Any, entry: Mapping[str, Any], per: float, scale: float) -> None:
    """First cracking with its 5-95 % of thickness and time over the ranges."""
    answers = (entry.get("samples") or {}).get("answers", {})
    for criterion, colour, mark in (("strength", style.RED, "s"), ("energy", style.GREEN, "D")):
        first = entry.get("first", {}).get(criterion)
        if not first or first["time"]["value"] is None:
            continue
        x, y = first["time"]["value"] / per, first["thickness"]["value"] * 1e-6 / scale
        ax.plot(x, y, mark, ms=4, color=colour, label=f"first crack by {criterion}", zorder=5)
        a = answers.get(f"{criterion}_thickness")
        if a and a["p5"] is not None:
            high = a["p95"] if a["p95"] is not None else ax.get_ylim()[1] * scale / 1e-6
            low, high = a["p5"] * 1e-6 / scale, high * 1e-6 / scale
            ax.plot([x, x], [low, high], color=colour, lw=1.0, alpha=0.6, label="its 5-95 %")


def _legend(ax: Any, *, marks_only: bool = False) -> None:
    """A key; where the panel before has named the lines, of the first cracks alone."""
    handles, labels = ax.get_legend_handles_labels()
    keep = [k for k, label in enumerate(labels) if not marks_only or "crack" in label]
    if keep:
        ax.legend([handles[k] for k in keep], [labels[k] for k in keep], loc="best",
                  handlelength=1.4, fontsize=6.5)  # fmt: skip
