"""Lines of a run in time: thinned for drawing, phases shaded, events marked and named in a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.monitors import clock
from ssbmech.output.quantities_transient import drive_of, spans
from ssbmech.output.verdict import event_words

Floats = NDArray[np.float64]
#: Points of a line that are drawn at most: about three per pixel of a column's width.
MOST_POINTS = 3000
#: Phases that are shaded at most; narrower ones would be grey noise.
_MOST_SPANS = 120
#: Kinds of events that are marked at most, and marks of one kind.
_MOST_KINDS, _MOST_MARKS = 6, 12
#: Events closer than this part of the width share a letter's place.
_CLOSE = 0.035
SHADES = {"plating": "#DCEBF7", "stripping": "#FCE9D4", "rest": "#EFEFEF"}


def thin(
    x: Floats, y: Floats, most: int = MOST_POINTS, *, log: bool = False
) -> tuple[Floats, Floats]:
    """A line with at most about ``most`` points that looks the same.

    Of each of equal parts of the range of x the first, the least, the largest and the last point
    are kept, and every gap (a NaN) stays a gap.

    Args:
        x: Not decreasing, shape (n,).
        y: Shape (n,).
        most: Points to keep.
        log: Whether the parts are equal on a logarithmic axis.
    """
    if len(x) <= most or not x[-1] > x[0]:
        return x, y
    place = x
    if log and x[-1] > 0:
        place = np.log(np.maximum(x, x[x > 0].min()))
    parts = max(most // 5, 1)
    share = (place - place[0]) / max(float(place[-1] - place[0]), 1e-300)
    part = np.minimum((share * parts).astype(int), parts - 1)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    ends = np.append(starts[1:], len(x)) - 1
    gap = ~np.isfinite(y)
    order = np.lexsort((np.where(gap, 0.0, y), gap, part))  # in each part: by y, gaps last
    good = np.add.reduceat((~gap).astype(int), starts)
    least, largest = order[starts], order[starts + np.maximum(good - 1, 0)]
    first_gap = order[np.minimum(starts + good, ends)]
    keep = np.unique(np.concatenate([starts, ends, least, largest, first_gap]))
    return x[keep], y[keep]


def line(ax: Any, x: Floats, y: Floats, **look: Any) -> None:
    """Draw a line; what stands alone between gaps, or is the only row, becomes a dot."""
    x, y = thin(np.asarray(x, float), np.asarray(y, float), log=ax.get_xscale() == "log")
    good = np.isfinite(y)
    beside = np.zeros(len(y), bool)
    beside[1:] |= good[:-1]
    beside[:-1] |= good[1:]
    alone = good & ~beside
    drawn = ax.plot(x, y, **look)
    if alone.any():
        colour = drawn[0].get_color()
        ax.plot(x[alone], y[alone], "o", ms=3, color=colour, clip_on=False, zorder=4)


def shade(axes: Sequence[Any], history: Mapping[str, NDArray], per: float) -> list[str]:
    """Shade plating, stripping and rest behind all axes.

    Args:
        axes: With time on the x axis.
        history: With ``time`` [s] and, where known, phase, cycle and current density.
        per: Seconds per unit of the x axis.

    Returns:
        What was shaded, for the key; empty where there is one phase, or too many.
    """
    parts = spans(history)
    if not 1 < len(parts) <= _MOST_SPANS:
        return []
    time = np.asarray(history["time"], float) / per
    found: dict[str, list[tuple[float, float]]] = {}
    for first, last in parts:
        kind = drive_of(history, first, last)
        # the first step has no row before it: shade from the edge
        start = time[first - 1] if first else min(time[0], 0.0)
        if kind:
            found.setdefault(kind, []).append((start, time[last - 1] - start))
    if len(found) < 2:
        return []
    for ax in axes:
        for kind, pieces in found.items():
            ax.broken_barh(
                pieces, (0, 1), transform=ax.get_xaxis_transform(), color=SHADES[kind], lw=0,
                zorder=0,
            )  # fmt: skip
    return [kind for kind in SHADES if kind in found]


def mark_events(
    axes: Sequence[Any], events: Sequence[Mapping[str, Any]], per: float, *, above: bool = True
) -> list[str]:
    """Mark events by dotted lines and letters at the first axes.

    Args:
        axes: From top to bottom, with time on the x axis.
        events: Entries of the summary: ``name``, ``time`` as a quantity [s].
        per: Seconds per unit of the x axis.
        above: Letters stand above the axes; else inside, where other labels are above.

    Returns:
        Lines of the key, one for each kind of event.
    """
    kinds: dict[str, list[float]] = {}
    for event in events:
        kinds.setdefault(str(event["name"]), []).append(float(event["time"]["value"]))
    key = []
    marks: list[tuple[float, str]] = []
    for letter, (name, times) in zip("ABCDEFGHIJ", list(kinds.items())[:_MOST_KINDS], strict=False):
        shown = times if len(times) <= _MOST_MARKS else times[:1]
        for t in shown:
            for ax in axes:
                ax.axvline(t / per, color=style.BLACK, lw=0.7, ls=":", zorder=1.5)
            marks.append((t / per, letter))
        text = f"{letter}  {math_words(event_words(name))}: {clock(times[0])}"
        key.append(text + (f", and {len(times) - 1} more" if len(times) > 1 else ""))
    if len(kinds) > _MOST_KINDS:
        key.append(f"and {len(kinds) - _MOST_KINDS} other kinds of events")
    _letters(axes[0], marks, above)
    return key


def _letters(ax: Any, marks: list[tuple[float, str]], above: bool) -> None:
    """Letters at the upper edge of an axes; those of one place are written together."""

    def across(t: float) -> float:
        """Place in the width of the axes, linear or logarithmic."""
        return float(ax.transAxes.inverted().transform(ax.transData.transform((t, 0.0)))[0])

    groups: list[tuple[float, str]] = []
    for t, letter in sorted(marks):
        if groups and across(t) - across(groups[-1][0]) < _CLOSE:
            if letter not in groups[-1][1]:
                groups[-1] = (groups[-1][0], groups[-1][1] + letter)
        else:
            groups.append((t, letter))
    box = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"}
    for t, letters in groups:
        ax.annotate(
            letters, (t, 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 2 if above else -3), textcoords="offset points", ha="center",
            va="bottom" if above else "top", fontsize=7, fontweight="bold", zorder=5,
            bbox=None if above else box,
        )  # fmt: skip


def math_words(text: str) -> str:
    """Quantities in a text as they are set in formulae."""
    text = text.replace("K_ratio", "K_I/K_IC")
    text = text.replace("K_IC", r"$K_\mathrm{IC}$")
    return text.replace("K_I", r"$K_\mathrm{I}$")


def key(fig: Any, shaded: list[str], lines: list[str]) -> None:
    """What shades and letters mean, below the figure."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [Patch(color=SHADES[kind], label=kind) for kind in shaded]
    if handles:
        fig.legend(handles=handles, loc="outside upper center", ncols=3, handlelength=1.2)
    if lines:
        texts = [Line2D([], [], lw=0, label=text) for text in lines]
        fig.legend(
            handles=texts, loc="outside lower left", handlelength=0, handletextpad=0,
            labelspacing=0.25,
        )  # fmt: skip
