"""A run of many cycles: the worst of each cycle against its number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_lines as lines
from ssbmech.output import figures_style as style
from ssbmech.output.monitors import monitor, numeric
from ssbmech.output.tables import read_table

Floats = NDArray[np.float64]
#: Monitor and what counts of it in a cycle.
_WORST = (
    ("contact", "least"), ("current_factor", "largest"), ("K_ratio", "largest"),
    ("pressure_max", "largest"), ("voltage", "span"), ("stack_pressure", "span"),
)  # fmt: skip
#: Cycles below which the history says it all.
_LEAST_CYCLES = 4
_UNITS = {"mA/cm^2": "mA/cm²", "um": "µm"}


def cycles(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``cycles``: least contact, largest K and pressure, ends of the voltage of each cycle."""
    table = read_table(results / "history.csv")
    return None if table is None else draw_cycles(folder, table)


def draw_cycles(folder: Path, table: Mapping[str, NDArray]) -> str | None:
    """Draw the worst values of each cycle in one column.

    Args:
        folder: Of the figures.
        table: Columns by name [SI] with ``cycle``, each of shape (n,).

    Returns:
        Name of the PNG, or None for fewer than four cycles or without such monitors.
    """
    number = np.asarray(table.get("cycle", np.zeros(0)), float)
    known = numeric(dict(table))
    chosen = [(name, what) for name, what in _WORST if name in known]
    if len(np.unique(number)) < _LEAST_CYCLES or not chosen:
        return None
    fig, axes = style.figure(
        style.SINGLE, 0.5 + 1.05 * len(chosen), len(chosen), 1, sharex=True, squeeze=False
    )
    for ax, (name, what) in zip(axes[:, 0], chosen, strict=True):
        _panel(ax, name, what, worst(number, known[name]))
    axes[-1, 0].set_xlabel("cycle")
    axes[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    fig.align_ylabels(axes[:, 0])
    return style.save(fig, folder, "cycles")


def worst(number: Floats, column: Floats) -> tuple[Floats, Floats, Floats]:
    """Cycles with values, and the least and the largest value of each.

    Args:
        number: Of the cycle of each row, shape (n,).
        column: A monitor, shape (n,).

    Returns:
        Three arrays of shape (cycles,).
    """
    good = np.isfinite(column)
    number, column = number[good], column[good]
    order = np.argsort(number, kind="stable")
    which, starts = np.unique(number[order], return_index=True)
    ordered = column[order]
    return which, np.minimum.reduceat(ordered, starts), np.maximum.reduceat(ordered, starts)


def _panel(ax: Any, name: str, what: str, found: tuple[Floats, Floats, Floats]) -> None:
    how = monitor(name)
    which, low, high = found
    shown = {"least": (low,), "largest": (high,), "span": (low, high)}[what]
    mark = {"marker": "o", "ms": 2.5} if len(which) <= 60 else {}
    for colour, y in zip((style.BLUE, style.RED), shown, strict=False):
        ax.plot(which, y / how.scale, color=colour, lw=1.0, **mark)
    if name == "K_ratio" and high.max() > 0.5:
        ax.axhline(1.0, color=style.RED, lw=0.9, ls="--", label=r"$K_\mathrm{IC}$")
        ax.legend(loc="best")
    unit = _UNITS.get(how.unit, how.unit)
    words = how.words.replace("over mean", "over\nmean").replace("largest p", "largest\np")
    if what != "span" and not words.startswith("largest"):
        words = f"{what}\n{words}"
    elif what == "span":
        words = f"{words},\nextremes"
    ax.set_ylabel(lines.math_words(words) + (f" ({unit})" if unit else ""))
    ax.margins(y=0.12)
