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
_MOST_TIMES = 9
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
    """

    column: str
    label: str
    scale: float
    beside: str = ""
    names: tuple[str, str] = ("", "")
    zero: bool = True


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
    profiles = [profiles[i] for i in spread_out(len(profiles), _MOST_TIMES)]
    if not rows or not profiles:
        return None
    times = np.array([t for t, _ in profiles])
    unit, per = time_unit(float(times[-1]))
    fig, axes = style.figure(
        style.SINGLE, 0.75 + _PANEL * len(rows), len(rows), 1, sharex=True, squeeze=False
    )
    axes = axes[:, 0]
    norm, colours = _colours(times / per)
    for ax, row in zip(axes, rows, strict=True):
        _row(ax, row, profiles, place, [colours(norm(t / per)) for t in times])
    for letter, ax in zip("abcdefgh", axes, strict=False):
        if len(rows) > 1:
            style.panel(ax, letter)
    axes[-1].set_xlabel(place_label)
    axes[-1].margins(x=0.02)
    fig.align_ylabels(axes)
    _time_bar(fig, axes, norm, colours, times / per, unit)
    return style.save(fig, folder, name)


def _colours(times: NDArray) -> tuple[Any, Any]:
    """Later is darker: the palest yellow of the map would vanish on white."""
    import matplotlib
    from matplotlib.colors import ListedColormap, Normalize

    base = matplotlib.colormaps["viridis_r"](np.linspace(0.12, 1.0, 256))
    low, high = float(times[0]), float(times[-1])
    return Normalize(low, high if high > low else low + 1.0), ListedColormap(base)


def _time_bar(
    fig: Any, axes: Any, norm: Any, colours: Any, times: NDArray, unit: str
) -> None:  # fmt: skip
    if len(times) < 2:
        axes[0].set_title(f"at {style.number(float(times[0]))} {unit}", loc="right")
        return
    from matplotlib.cm import ScalarMappable

    bar = fig.colorbar(
        ScalarMappable(norm, colours), ax=list(axes), location="top", aspect=45, shrink=0.98,
        pad=0.02,
    )  # fmt: skip
    bar.set_label(f"time ({unit}); a mark for each line")
    for t in times:  # outside the bar: colours stay visible
        bar.ax.plot(
            [t], [0.0], "^", ms=3, color=style.BLACK, clip_on=False,
            transform=bar.ax.get_xaxis_transform(),
        )  # fmt: skip


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
    low, high = ax.dataLim.y0, ax.dataLim.y1
    if row.zero and low >= 0 and high > 0:
        ax.set_ylim(bottom=0.0)
    elif low < 0 < high:
        ax.axhline(0.0, color=style.BLACK, lw=0.4, zorder=1)
    if high - low < 1e-6 * abs(high):  # a constant: no digits that mean nothing
        pad = 0.1 * abs(high)
        ax.set_ylim(min(0.0, high - pad) if row.zero else high - pad, high + pad)
    if pair:
        _key(ax, row.names)


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
