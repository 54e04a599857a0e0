"""A filament in time: pressure, opening and current along it, and the pressure as a map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_profiles import Row, draw_profiles, read_profiles
from ssbmech.output.figures_surface import draw_surface, is_surface
from ssbmech.output.monitors import time_unit
from ssbmech.output.tables import Table, by_time

ROWS = (
    Row("pressure", "pressure (MPa)", 1e6),
    Row("opening", "opening (nm)", 1e-9, beside="lithium", names=("flaw", "lithium")),
    Row("current_density", "plating\n(mA/cm²)", 10.0, wide=True),
)
_PLACE = "distance from the mouth (µm)"
_PLACE_OF_NODES = "distance from the mouth or the middle (µm)"
#: Output times below which a map over time would be stripes.
_LEAST_TIMES = 12
#: A pressure that changes by less than this part in time needs no axis of time.
_STEADY = 0.02


def filament(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``filament``: profiles of ``filament.csv`` at several times; of a surface, with its maps."""
    table = read_profiles(results / "filament.csv", ("time", "s", "pressure"))
    if table is None:
        return None
    if is_surface(table):
        front = read_profiles(results / "front.csv", ("time", "s", "K_I"))
        return draw_surface(folder, table, front, ROWS, _PLACE_OF_NODES)
    return draw_filament(folder, table)


def draw_filament(folder: Path, table: Table) -> str | None:
    """Pressure, opening and plating current along a filament, coloured by time.

    Args:
        folder: Of the figures.
        table: Columns in SI, each of shape (n,): ``time``, ``s`` from the mouth, ``pressure`` and
            whichever of ``opening``, ``lithium``, ``current_density`` there are.
    """
    return draw_profiles(
        folder, "filament", table, place="s", place_label=_PLACE, rows=ROWS
    )  # fmt: skip


def filament_map(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``filament_map``: the pressure over place and time, where there are many output times."""
    table = read_profiles(results / "filament.csv", ("time", "s", "pressure"))
    return None if table is None or is_surface(table) else draw_filament_map(folder, table)


def draw_filament_map(folder: Path, table: Table) -> str | None:
    """The pressure over place and time with the end of the lithium; None where little happens."""
    profiles = by_time(table)
    if len(profiles) < _LEAST_TIMES:
        return None
    unit, per = time_unit(profiles[-1][0])
    s = np.unique(np.asarray(table["s"], float))
    s = s[np.isfinite(s)]
    if len(s) > 400:  # a mesh that moves has other places at each time
        s = np.linspace(s[0], s[-1], 400)
    values = np.array([_along(part, s) for _, part in profiles]) / 1e6
    if len(s) < 2 or not np.isfinite(values).any():
        return None
    if np.nanmax(np.ptp(values, axis=0)) < _STEADY * np.nanmax(np.abs(values)):
        return None
    times = np.array([t for t, _ in profiles]) / per
    fig, ax = style.figure(style.SINGLE, 2.6)
    drawn = ax.pcolormesh(
        times, s * 1e6, values.T, shading="gouraud", cmap=style.CRITICAL_MAP, rasterized=True
    )
    fig.colorbar(drawn, ax=ax, pad=0.02, aspect=24).set_label("pressure (MPa)")
    wet = np.array([_filled(part, s) for _, part in profiles])
    _levels(ax, times, s * 1e6, np.where(wet, values, np.nan).T)
    end = np.array([_end_of_lithium(part) for _, part in profiles]) * 1e6
    if np.isfinite(end).any() and np.nanmin(end) < 0.99 * s[-1] * 1e6:
        ax.plot(times, end, color=style.RED, lw=1.2, label="end of the lithium")
        ax.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.1, handlelength=1.5
        )  # fmt: skip
    ax.set_xlabel(f"time ({unit})")
    ax.set_ylabel(_PLACE)
    return style.save(fig, folder, "filament_map", pdf=False)


def _levels(ax: Any, times: NDArray, s: NDArray, values: NDArray) -> None:
    """Lines of equal pressure with their values."""
    if not np.isfinite(values).any() or not np.nanmax(values) > np.nanmin(values):
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    levels = [v for v in MaxNLocator(6).tick_values(low, high)
              if low + 0.03 * (high - low) < v < high - 0.03 * (high - low)]  # fmt: skip
    if not levels:
        return
    drawn = ax.contour(times, s, values, levels=levels, colors="white", linewidths=0.5)
    ax.clabel(drawn, fmt="%g", fontsize=6.5)


def _along(part: Table, s: NDArray) -> NDArray[np.float64]:
    """The pressure at places along the filament, NaN outside what this time has."""
    x, p = np.asarray(part["s"], float), np.asarray(part["pressure"], float)
    order = np.argsort(x, kind="stable")
    x, p = x[order], p[order]
    return np.interp(s, x, p, left=np.nan, right=np.nan)


def _filled(part: Table, s: NDArray) -> NDArray[np.bool_]:
    """Where there is lithium: at its end the pressure jumps, and levels would only crowd."""
    end = _end_of_lithium(part)
    return s <= end if np.isfinite(end) else np.ones(len(s), bool)


def _end_of_lithium(part: Table) -> float:
    """The farthest place that lithium fills to a half at least [m], NaN where none is known."""
    if "lithium" not in part or "opening" not in part:
        return float("nan")
    opening, lithium = np.asarray(part["opening"], float), np.asarray(part["lithium"], float)
    filled = (lithium >= 0.5 * opening) & (lithium > 0)
    return float(np.asarray(part["s"], float)[filled].max()) if filled.any() else 0.0
