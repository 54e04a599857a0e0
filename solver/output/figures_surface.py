"""A filament on a crack face in space: its nodes by distance, maps, and K along the front."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_profiles import Row as Profile
from ssbmech.output.figures_profiles import _colours, _time_bar, telling
from ssbmech.output.monitors import time_unit
from ssbmech.output.tables import Table, by_time

_MAPS = (("pressure", "pressure (MPa)", 1e6), ("opening", "opening (nm)", 1e-9))


def is_surface(table: Table) -> bool:
    """Whether a table of a film is that of a surface."""
    return {"from_front", "x", "y", "z"} <= table.keys()


def draw_surface(
    folder: Path, table: Table, front: Table | None, rows: tuple[Profile, ...], place: str
) -> str | None:
    """Left: nodes over their distance, by time; right: maps at the last time, K along the front.

    Args:
        folder: Of the figures.
        table: Columns of the film in SI, each of shape (n,).
        front: Columns ``time``, ``s``, ``K_I`` in SI, or None.
        rows: What is shown of the nodes.
        place: Words for the distance.
    """
    rows = tuple(r for r in rows if r.column in table and np.isfinite(table[r.column]).any())
    profiles = by_time(table)
    if not rows or not profiles:
        return None
    profiles = [profiles[i] for i in telling(profiles, rows, "s")]
    times = np.array([t for t, _ in profiles])
    unit, per = time_unit(float(times[-1]))
    height = max(len(rows), len(_MAPS) + (front is not None))
    fig, axes = style.figure(
        style.DOUBLE, 0.75 + 1.6 * height, height, 2, squeeze=False, width_ratios=(1.5, 1.0)
    )
    colours = _colours(len(times))
    for ax, row in zip(axes[:, 0], rows, strict=False):
        _nodes(ax, row, profiles, colours)
    axes[len(rows) - 1, 0].set_xlabel(place)
    last = profiles[-1][1]
    for ax, (column, label, scale) in zip(axes[:, 1], _MAPS, strict=False):
        _map(fig, ax, last, np.asarray(last[column], float) / scale, label)
    if front is not None:
        _front(axes[len(_MAPS), 1], front, times, colours)
    used = [*axes[: len(rows), 0], *axes[: len(_MAPS) + (front is not None), 1]]
    for ax in set(axes.flat) - set(used):
        ax.set_axis_off()
    for letter, ax in zip("abcdefgh", used, strict=False):
        style.panel(ax, letter)
    _time_bar(fig, axes[:, 0], colours, times / per, unit)
    return style.save(fig, folder, "filament")


def _nodes(ax: Any, row: Profile, profiles: list[tuple[float, Table]], colours: list[Any]) -> None:
    for colour, (_, part) in zip(colours, profiles, strict=True):
        x, y = np.asarray(part["s"], float) * 1e6, np.asarray(part[row.column], float) / row.scale
        ax.plot(x, y, ls="", marker="o", ms=2.2, mew=0, color=colour)
    ax.set_ylabel(row.label)
    ax.margins(y=0.07)
    if row.zero and ax.dataLim.y0 >= -1e-9 * ax.dataLim.y1 and ax.dataLim.y1 > 0:
        ax.set_ylim(bottom=0.0)


def _map(fig: Any, ax: Any, part: Table, values: NDArray, label: str) -> None:
    """Values over the plane of the film as contours."""
    from matplotlib.tri import Triangulation

    points = np.column_stack([part[k] for k in "xyz"]).astype(float) * 1e6
    u, v, names = _plane(points)
    mesh = Triangulation(u, v)
    # Delaunay's triangles fill what a curved front leaves out: no edge there is of the film
    mesh.set_mask(~(np.asarray(part["from_front"], float)[mesh.triangles].max(axis=1) > 0))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if not high > low:
        high = low + 1.0
    drawn = ax.tricontourf(mesh, values, levels=np.linspace(low, high, 13), cmap=style.CRITICAL_MAP)
    ax.plot(u, v, ls="", marker=".", ms=1.0, color=style.GREY)
    ax.set_aspect("equal", adjustable="datalim")
    bar = fig.colorbar(drawn, ax=ax, pad=0.02, aspect=14, ticks=MaxNLocator(5))
    bar.set_label(label)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])


def _plane(points: NDArray) -> tuple[NDArray, NDArray, tuple[str, str]]:
    """Coordinates [um] along the two axes in which the film is largest, and their names."""
    extent = np.ptp(points, axis=0)
    i, j = sorted(np.argsort(extent)[1:])
    return points[:, i], points[:, j], (f"{'xyz'[i]} (µm)", f"{'xyz'[j]} (µm)")


def _front(ax: Any, front: Table, times: NDArray, colours: list[Any]) -> None:
    """K_I along the front at the times of the profiles."""
    known = dict(by_time(front))
    for time, colour in zip(times, colours, strict=True):
        part = known.get(float(time))
        if part is None:
            continue
        s, K = np.asarray(part["s"], float) * 1e6, np.asarray(part["K_I"], float) * 1e-6
        ends = np.flatnonzero(np.diff(s) < 0) + 1  # several fronts one after the other
        for a, b in zip([0, *ends], [*ends, len(s)], strict=True):
            ax.plot(s[a:b], K[a:b], color=colour, lw=1.1)
    ax.set_xlabel("place along the front (µm)")
    ax.set_ylabel(r"$K_\mathrm{I}$ (MPa$\,\sqrt{\mathrm{m}}$)")
    ax.set_ylim(bottom=min(0.0, float(ax.dataLim.y0)))
