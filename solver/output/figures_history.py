"""Small multiples of a run in time: voltage, K against K_IC, pressure, contact, what there is."""

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
from ssbmech.output.monitors import monitor, numeric, physical, time_unit
from ssbmech.output.tables import read_table

History = Mapping[str, NDArray]
#: Height of a panel [inch] and panels of one figure.
_PANEL, _MOST_PANELS = 1.05, 6
#: A run that is over for the most part in this part of its time has a logarithmic axis.
_EARLY = 0.06
#: Phases of a history above which lines are drawn thinner.
_MANY_PHASES = 60
_COLOURS = (style.BLUE, style.RED, style.GREEN, style.ORANGE, style.PINK, style.SKY)
_UNITS = {"MPa m^0.5": r"MPa$\,$m$^{1/2}$", "mA/cm^2": "mA/cm²", "mAh/cm^2": "mAh/cm²", "um": "µm",
          "ohm cm^2": "Ω cm²"}  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """Axes of a figure.

    Attributes:
        label: Of the y axis, without the unit.
        names: Monitors that share the axes; all have one unit.
        zero: Whether zero belongs to the picture.
    """

    label: str
    names: tuple[str, ...]
    zero: bool = True


_PANELS = (
    Panel("voltage", ("voltage", "overpotential", "layer_voltage"), zero=False),
    Panel("current density", ("current_density", "current_density_max")),
    Panel(r"$K_\mathrm{I}/K_\mathrm{IC}$", ("K_ratio",)),
    Panel("pressure", ("pressure_max", "pressure_mean")),
    Panel("stack pressure", ("stack_pressure",)),
    Panel("contact", ("contact",)),
    Panel("fill", ("fill",)),
    Panel("thickness of the layer", ("layer_thickness",)),
    Panel("resistance of the layer", ("layer_resistance",)),
)
#: In the key of a panel with several lines; the panel names the quantity.
_SHORT = {
    "pressure_max": "largest", "pressure_mean": "mean", "current_density": "mean",
    "current_density_max": "largest", "voltage": "cell", "layer_voltage": "layer",
}  # fmt: skip
#: Never drawn for themselves: the x axis, or the same as another.
_NOT_DRAWN = ("capacity", "K_I")


def history(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``history``: every monitor of ``history.csv`` against time."""
    table = read_table(results / "history.csv")
    if table is None:
        return None
    if "time" not in table or not len(table["time"]):
        raise OutputError("no rows with a time", key=str(results / "history.csv"))
    entry = summary.get("transient") or {}
    return draw_history(folder, table, entry.get("events", ()), entry.get("limits", {}))


def draw_history(
    folder: Path, table: History, events: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]
) -> str | None:
    """Draw a history in one column; ``history_more`` holds what one figure cannot.

    Args:
        folder: Of the figures.
        table: Columns by name [SI], each of shape (n,), n >= 1.
        events: Entries ``events`` of the summary's ``transient``.
        limits: Entry ``limits`` of the same.

    Returns:
        Name of the PNG, or None where no monitor has a value.
    """
    table = _with_ratio(table, limits)
    chosen = panels(table)
    if not chosen:
        return None
    if len(chosen) > _MOST_PANELS:
        _draw(folder, "history_more", table, chosen[_MOST_PANELS:], events, limits)
    return _draw(folder, "history", table, chosen[:_MOST_PANELS], events, limits)


def _with_ratio(table: History, limits: Mapping[str, Any]) -> dict[str, NDArray]:
    """A history with K_I/K_IC where K_I and K_IC are known."""
    out = dict(table)
    if "K_ratio" not in numeric(out) and "K_I" in out and "K_IC" in limits:
        out["K_ratio"] = np.asarray(out["K_I"], float) / (limits["K_IC"]["value"] * 1e6)
    return out


def panels(table: History) -> list[Panel]:
    """Panels for the monitors that have values: known ones first, then the others by name."""
    known = physical(dict(table))
    if "K_ratio" not in known and "K_I" in known:
        order = [Panel(r"$K_\mathrm{I}$", ("K_I",)) if p.names == ("K_ratio",) else p
                 for p in _PANELS]  # fmt: skip
    else:
        order = list(_PANELS)
    found = []
    for panel in order:
        names = tuple(n for n in panel.names if n in known and _moves(n, known[n]))
        if names:
            found.append(Panel(panel.label, names, panel.zero))
    listed = {n for p in order for n in p.names} | set(_NOT_DRAWN)
    rest = [n for n in known if n not in listed]
    return found + [Panel(lines.math_words(monitor(n).words), (n,), zero=False) for n in rest]


def _moves(name: str, column: NDArray) -> bool:
    """A constant current, or a flaw that is always full, needs no axes."""
    if name not in ("current_density", "fill", "stack_pressure", "contact"):
        return True
    good = column[np.isfinite(column)]
    return bool(np.ptp(good) > 1e-3 * max(float(np.abs(good).max()), 1e-300))


def _draw(
    folder: Path, name: str, table: History, chosen: Sequence[Panel],
    events: Sequence[Mapping[str, Any]], limits: Mapping[str, Any],
) -> str:  # fmt: skip
    time = np.asarray(table["time"], float)
    unit, per = time_unit(float(time[-1] - min(time[0], 0.0)))
    kinds = len({e["name"] for e in events})
    fig, axes = style.figure(
        style.SINGLE, 0.75 + _PANEL * len(chosen) + 0.14 * min(kinds, 7), len(chosen), 1,
        sharex=True, squeeze=False,
    )  # fmt: skip
    axes = axes[:, 0]
    log = _early(table, chosen)
    if log:
        axes[-1].set_xscale("log")
        first = float(time[time > 0].min())
        unit, per = time_unit(float(np.sqrt(first * time[-1])))
        axes[-1].set_xlim(first / per, 1.2 * time[-1] / per)
    else:
        axes[-1].set_xlim(*_range(time / per))
    axes[-1].set_xlabel(f"time ({unit})")
    for ax, panel in zip(axes, chosen, strict=True):
        _panel(ax, panel, table, time / per, limits)
    shaded = lines.shade(axes, table, per)
    above = log or not _capacity_axis(axes[0], table, time / per)
    marked = lines.mark_events(axes, events, per, above=above)
    fig.align_ylabels(axes)
    lines.key(fig, shaded, marked)
    return style.save(fig, folder, name)


def _early(table: History, chosen: Sequence[Panel]) -> bool:
    """Whether a single phase is over, for most of the monitors, in a small part of its time."""
    time = np.asarray(table["time"], float)
    later = time[time > 0]
    if len(lines.spans(table)) > 1 or len(later) < 20 or later[-1] < 100 * later[0]:
        return False
    halves = []
    for panel in chosen:
        y = np.asarray(table[panel.names[0]], float)
        good = np.isfinite(y)
        change = np.abs(np.diff(y[good]))
        if change.sum() > 0:
            k = int(np.searchsorted(np.cumsum(change), 0.9 * change.sum()))
            halves.append(time[good][k + 1] / time[-1])
    return bool(halves) and float(np.median(halves)) < _EARLY


def _range(t: NDArray) -> tuple[float, float]:
    low, high = float(min(t[0], 0.0)), float(t[-1])
    if high <= low:  # one row
        half = 0.5 * abs(high) or 0.5
        return high - half, high + half
    return low, high + 0.015 * (high - low)


def _panel(ax: Any, panel: Panel, table: History, t: NDArray, limits: Mapping[str, Any]) -> None:
    how = monitor(panel.names[0])
    width = 1.2 if len(lines.spans(table)) <= _MANY_PHASES else 0.7
    for colour, name in zip(_COLOURS, panel.names, strict=False):
        y = np.asarray(table[name], float) / how.scale
        label = _SHORT.get(name, monitor(name).words) if len(panel.names) > 1 else None
        step = {"drawstyle": "steps-pre"} if name == "current_density" else {}
        lines.line(ax, t, y, color=colour, label=label, lw=width, zorder=3, **step)
    unit = _UNITS.get(how.unit, how.unit)
    words = panel.label if len(panel.label) <= 18 or "$" in panel.label else _broken(panel.label)
    ax.set_ylabel(f"{words}" + (f"\n({unit})" if unit else ""))
    ax.margins(y=0.08)
    if panel.names == ("K_ratio",):
        _threshold(ax, limits)
    elif panel.names[0] == "voltage" and "cut_off" in limits:
        _cut_off(ax, limits["cut_off"]["value"])
    if panel.zero:
        _with_zero(ax)
    if how.unit == "%":
        ax.set_ylim(max(ax.get_ylim()[0], -3.0), min(ax.get_ylim()[1], 105.0))
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="best", ncols=2, handlelength=1.4, columnspacing=1.0, borderaxespad=0.2)


def _broken(text: str) -> str:
    """A long label in two lines of about the same length."""
    words = text.split(" ")
    cuts = range(1, len(words))
    cut = min(cuts, key=lambda i: abs(len(" ".join(words[:i])) - len(text) / 2), default=0)
    return text if not cut else " ".join(words[:cut]) + "\n" + " ".join(words[cut:])


def _threshold(ax: Any, limits: Mapping[str, Any]) -> None:
    """1 dashed with the range of K_IC behind it, as far as the curve comes near."""
    top = ax.dataLim.y1
    if not top > 0.3:
        ax.set_ylim(top=1.4 * top if top > 0 else None)
        ax.annotate(
            r"$K_\mathrm{IC}$ lies above", (0.98, 0.95), xycoords="axes fraction", ha="right",
            va="top", fontsize=7, color=style.RED,
        )  # fmt: skip
        return
    ax.axhline(1.0, color=style.RED, lw=0.9, ls="--", zorder=2, label=r"$K_\mathrm{IC}$")
    entry = limits.get("K_IC")
    high = 1.0
    if entry:
        low, high = (b / entry["value"] for b in entry["band"])
        if high > low:
            ax.axhspan(low, high, color=style.ORANGE, alpha=0.25, lw=0, zorder=1, label="its range")
    ax.set_ylim(top=max(1.08 * top, min(1.05 * high, 1.8 * max(top, 1.0)), 1.12))


def _cut_off(ax: Any, value: float) -> None:
    low, high = ax.dataLim.y0, ax.dataLim.y1
    pad = max(high - low, 1e-9)
    if low - 0.6 * pad <= value <= high + 0.6 * pad:
        ax.axhline(value, color=style.RED, lw=0.9, ls="--", zorder=2, label="cut-off")


def _with_zero(ax: Any) -> None:
    low, high = ax.get_ylim()
    if ax.dataLim.y0 >= 0:
        ax.set_ylim(0.0, high)
    elif ax.dataLim.y1 <= 0:
        ax.set_ylim(low, 0.0)
    else:
        ax.axhline(0.0, color=style.BLACK, lw=0.4, zorder=1)


def _capacity_axis(ax: Any, table: History, t: NDArray) -> bool:
    """The plated charge as a second x axis, where it is in proportion to time; whether it is."""
    charge = table.get("capacity")
    if charge is None or len(t) < 3:
        return False
    q = np.asarray(charge, float) / monitor("capacity").scale
    if not np.isfinite(q).all() or not np.ptp(t) > 0 or q[-1] == q[0]:
        return False
    slope = (q[-1] - q[0]) / (t[-1] - t[0])
    if np.abs(q - q[0] - slope * (t - t[0])).max() > 1e-3 * abs(q[-1] - q[0]):
        return False

    def charge_at(x: Any) -> Any:
        return q[0] + slope * (np.asarray(x) - t[0])

    def time_at(c: Any) -> Any:
        return t[0] + (np.asarray(c) - q[0]) / slope

    top = ax.secondary_xaxis("top", functions=(charge_at, time_at))
    top.set_xlabel("plated (mAh/cm²)")
    return True
