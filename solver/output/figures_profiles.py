"""Profiles along a line at several times: small multiples over one place axis, coloured by time."""

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
from ssbmech.output.monitors import time_unit
from ssbmech.output.tables import Table, by_time, read_table, spread_out

#: Times that are drawn at most; more lines cannot be told apart.
_MOST_TIMES = 8
#: Weight of time itself against what changes, in the choice of times.
_EVEN = 0.3
#: The smallest value on a logarithmic axis over the largest.
_FLOOR = 1e-6
_PANEL = 1.25


@dataclass(frozen=True)
class Row:
    """One axes of the figure.

    Attributes:
        column: Column of the table.
        label: Of the y axis, with its unit.
        scale: SI per shown unit.
        beside: Another column of the same kind, drawn dashed where it differs, or "".
        names: What the two are called in the key.
        zero: Whether zero belongs to the picture.
        wide: Whether values over decades are drawn on a logarithmic axis.
    """

    column: str
    label: str
    scale: float
    beside: str = ""
    names: tuple[str, str] = ("", "")
    zero: bool = True
    wide: bool = False


def read_profiles(path: Path, needed: Sequence[str]) -> Table | None:
    """A table of profiles, or None without the file or without rows.

    Raises:
        OutputError: If a column is missing or the table cannot be read.
    """
    table = read_table(path)
    if table is None:
        return None
    missing = [name for name in needed if name not in table]
    if missing:
        raise OutputError(f"no column {missing[0]!r}", key=str(path), allowed=", ".join(table))
    finite = np.isfinite(np.asarray(table["time"], float)) if len(table["time"]) else []
    return table if np.any(finite) else None


def draw_profiles(
    folder: Path, name: str, table: Table, *, place: str, place_label: str, rows: Sequence[Row],
) -> str | None:  # fmt: skip
    """Draw the profiles of a table in one column.

    Args:
        folder: Of the figures.
        name: Of the figure.
        table: Columns in SI: ``time``, the place and those of the rows, each of shape (n,).
        place: Column of the place along the line [m].
        place_label: Of the x axis, in um.
        rows: Axes from top to bottom; those without values are left out.

    Returns:
        Name of the PNG, or None where nothing has values.
    """
    rows = [r for r in rows if r.column in table and np.isfinite(table[r.column]).any()]
    profiles = by_time(table)
    profiles = [profiles[i] for i in telling(profiles, rows, place)]
    if not rows or not profiles:
        return None
    times = np.array([t for t, _ in profiles])
    unit, per = time_unit(float(times[-1]))
    fig, axes = style.figure(
        style.SINGLE, 0.75 + _PANEL * len(rows), len(rows), 1, sharex=True, squeeze=False
    )
    axes = axes[:, 0]
    colours = _colours(len(times))
    for ax, row in zip(axes, rows, strict=True):
        _row(ax, row, profiles, place, colours)
    for letter, ax in zip("abcdefgh", axes, strict=False):
        if len(rows) > 1:
            style.panel(ax, letter)
    axes[-1].set_xlabel(place_label)
    axes[-1].margins(x=0.02)
    fig.align_ylabels(axes)
    _time_bar(fig, axes, colours, times / per, unit)
    return style.save(fig, folder, name)


def telling(profiles: Sequence[tuple[float, Table]], rows: Sequence[Row], place: str) -> list[int]:
    """Times to draw: evenly spread over what changes, and a little over time.

    Args:
        profiles: Of all times.
        rows: What is drawn.
        place: Column of the place.

    Returns:
        Indices, the first and the last among them.
    """
    n = len(profiles)
    if n <= _MOST_TIMES or not rows:
        return list(range(n))
    moved = np.zeros(n - 1)
    for row in rows:
        values = _on_a_grid(profiles, row.column, place)
        size = float(np.nanmax(np.abs(values), initial=0.0))
        if size > 0:
            step = np.nan_to_num(np.abs(np.diff(np.nan_to_num(values), axis=0))).max(axis=1)
            moved = np.maximum(moved, step / size)
    if not moved.sum() > 0:
        return spread_out(n, 2)
    share = moved / moved.sum() + _EVEN / (n - 1)
    reached = np.concatenate([[0.0], np.cumsum(share)]) / share.sum()
    wanted = np.linspace(0, 1, _MOST_TIMES)
    found = {int(np.argmin(np.abs(reached - w))) for w in wanted}
    return sorted(found | {0, n - 1})


def _on_a_grid(
    profiles: Sequence[tuple[float, Table]], column: str, place: str, count: int = 101
) -> NDArray[np.float64]:
    """A column at the same places at all times, shape (times, count)."""
    every = np.concatenate([np.asarray(part[place], float) for _, part in profiles])
    grid = np.linspace(np.nanmin(every), np.nanmax(every), count)
    out = np.empty((len(profiles), count))
    for k, (_, part) in enumerate(profiles):
        x = np.asarray(part[place], float)
        order = np.argsort(x, kind="stable")
        out[k] = np.interp(grid, x[order], np.asarray(part[column], float)[order])
    return out


def _colours(count: int) -> list[Any]:
    """Later is darker: the palest yellow of the map would vanish on white."""
    import matplotlib

    base = matplotlib.colormaps["viridis_r"]
    return [base(0.12 + 0.88 * k / max(count - 1, 1)) for k in range(count)]


def _time_bar(fig: Any, axes: Any, colours: Sequence[Any], times: NDArray, unit: str) -> None:
    """A bar with a field for each line and its time below it."""
    if len(times) < 2:
        axes[0].set_title(f"at {style.number(float(times[0]))} {unit}", loc="right")
        return
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap

    n = len(times)
    shown = ScalarMappable(BoundaryNorm(np.arange(n + 1) - 0.5, n), ListedColormap(list(colours)))
    bar = fig.colorbar(
        shown, ax=list(axes), location="top", aspect=35, shrink=0.98, pad=0.02, ticks=range(n)
    )
    bar.ax.set_xticklabels([_short(float(t), float(times[-1])) for t in times], fontsize=7)
    bar.ax.tick_params(length=0)
    bar.ax.minorticks_off()
    bar.set_label(f"time ({unit})")


def _short(value: float, largest: float) -> str:
    """A time in at most four characters where that says enough."""
    digits = 2 if value < 0.995 * largest or largest < 100 else 3
    return style.number(value, 3 if 10 <= value < 1000 else digits) if value >= 1e-3 else "0"


def _row(
    ax: Any, row: Row, profiles: Sequence[tuple[float, Table]], place: str, colours: Sequence[Any]
) -> None:
    pair = bool(row.beside) and _differ(row, profiles)
    for colour, (_, part) in zip(colours, profiles, strict=True):
        x = np.asarray(part[place], float) * 1e6
        order = np.argsort(x, kind="stable")
        y = np.asarray(part[row.column], float) / row.scale
        lines.line(ax, x[order], y[order], color=colour, lw=1.1)
        if pair:
            z = np.asarray(part[row.beside], float) / row.scale
            lines.line(ax, x[order], z[order], color=colour, lw=1.0, ls="--")
    ax.set_ylabel(row.label)
    ax.margins(y=0.07)
    if row.wide and _over_decades(np.concatenate([p[row.column] for _, p in profiles])):
        ax.set_yscale("log")
        top = float(ax.dataLim.y1)
        ax.set_ylim(bottom=max(ax.get_ylim()[0], _FLOOR * top))
        return
    low, high = ax.dataLim.y0, ax.dataLim.y1
    if row.zero and low >= -1e-9 * high and high > 0:
        ax.set_ylim(bottom=0.0)
    elif low < 0 < high:
        ax.axhline(0.0, color=style.BLACK, lw=0.4, zorder=1)
    if high - low < 1e-6 * abs(high):  # a constant: no digits that mean nothing
        pad = 0.1 * abs(high)
        ax.set_ylim(min(0.0, high - pad) if row.zero else high - pad, high + pad)
    if pair:
        _key(ax, row.names)


def _over_decades(values: NDArray) -> bool:
    """Whether positive values lie so far apart that the small ones would be on the axis."""
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() > 100 * np.median(values))


def _differ(row: Row, profiles: Sequence[tuple[float, Mapping[str, NDArray]]]) -> bool:
    """Whether the second column says anything that the first does not."""
    for _, part in profiles:
        if row.beside not in part:
            return False
        a, b = np.asarray(part[row.column], float), np.asarray(part[row.beside], float)
        good = np.isfinite(a) & np.isfinite(b)
        if good.any() and np.abs(a - b)[good].max() > 1e-2 * np.abs(a[good]).max():
            return True
    return False


def _key(ax: Any, names: tuple[str, str]) -> None:
    from matplotlib.lines import Line2D

    looks = ("-", "--")
    handles = [
        Line2D([], [], color=style.GREY, ls=look, lw=1.1, label=name)
        for look, name in zip(looks, names, strict=True)
    ]
    ax.legend(handles=handles, loc="best", borderaxespad=0.2)
