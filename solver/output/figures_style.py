"""One look for all figures: widths of a paper's columns, a colour-blind safe palette, saving."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Widths of one and of two columns of a paper [inch].
SINGLE, DOUBLE = 3.5, 7.2
DPI = 300
#: Colours that stay apart for colour-blind readers and in grey: Okabe and Ito.
BLACK, BLUE, ORANGE, GREEN, RED, SKY, PINK = (
    "#000000", "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7",
)  # fmt: skip
GREY = "#7F7F7F"
#: Colour maps: K along a front in a picture of stress, and a map with contours.
LINE_MAP, CRITICAL_MAP = "viridis", "cividis"

_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "axes.unicode_minus": True,
    "figure.dpi": 100,
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,
}


def apply() -> None:
    """Set the style for every figure drawn afterwards."""
    import logging

    matplotlib.rcdefaults()
    matplotlib.use("Agg")
    matplotlib.rcParams.update(_STYLE)
    # the first font of the list that a machine has is right; the others need no warning
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def stress_map(bottom: float, top: float) -> Any:
    """Colour map for limits: pale where the stress is zero, red in tension, blue in compression."""
    from matplotlib.colors import ListedColormap

    values = np.linspace(bottom, top, 256)
    base = matplotlib.colormaps["RdYlBu_r"]
    return ListedColormap(base(0.5 + 0.5 * values / max(abs(bottom), abs(top), 1e-300)))


def figure(width: float, height: float, rows: int = 1, columns: int = 1, **kw: Any) -> Any:
    """A figure with constrained layout, and its axes.

    Args:
        width: [inch].
        height: [inch].
        rows: Rows of axes.
        columns: Columns of axes.
        kw: For ``Figure.subplots``.
    """
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **kw)


def save(fig: Any, folder: Path, name: str, *, pdf: bool = True) -> str:
    """Write ``name.png`` (and ``name.pdf``) without the time of writing; returns the PNG's name."""
    # the tight box takes in whatever a layout left outside the page
    box = {"bbox_inches": "tight", "pad_inches": 0.04}
    fig.savefig(folder / f"{name}.png", metadata={"Software": None}, **box)
    if pdf:
        fig.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None}, **box)
    return f"{name}.png"


def panel(ax: Any, letter: str) -> None:
    """Mark a panel with its letter, outside the axes."""
    ax.set_title(f"({letter})", loc="left", fontweight="bold")


def number(value: float, digits: int = 3) -> str:
    """A number for a label: ``digits`` significant ones, no exponent between 1e-3 and 1e5."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if 1e-3 <= abs(value) < 1e5:
        decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
        text = f"{value:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return rf"{mantissa.replace('-', '−')}$\times 10^{{{int(exponent)}}}$"


def rounded(value: float, *, up: bool) -> float:
    """The next value of two significant digits above or below."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return (math.ceil if up else math.floor)(value / step - (1e-9 if up else -1e-9)) * step


def handy(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m for m in (5.0, 2.0, 1.0) if m * power <= value * (1 + 1e-9)) * power


def quantile(values: ArrayLike, weights: ArrayLike, q: float) -> float:
    """Quantile of values that stand for areas or volumes of different size.

    Args:
        values: Shape (n,).
        weights: Shape (n,), positive.
        q: Between 0 and 1.
    """
    v: NDArray[np.float64] = np.asarray(values, float)
    order = np.argsort(v)
    total = np.cumsum(np.asarray(weights, float)[order])
    return float(v[order][min(np.searchsorted(total, q * total[-1]), len(v) - 1)])
