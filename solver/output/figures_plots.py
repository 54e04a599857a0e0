"""Line plots: K along a front, stress ahead of a tip, rings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import governing_front, read_ahead

_K_UNIT = r"MPa$\,$m$^{1/2}$"
_SYMBOLS = {"K_I": r"$K_\mathrm{I}$", "K_II": r"$K_\mathrm{II}$", "K_III": r"$K_\mathrm{III}$",
            "J": r"$J$"}  # fmt: skip
#: A K below this part of K_I is zero within the accuracy of a mesh, and not drawn.
_NEGLIGIBLE = 1e-3


def stress_ahead(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``stress_ahead``: stress against distance on logarithmic axes, with the K field."""
    line = read_ahead(results)
    if line is None:
        return None
    r, normal, asymptote = line["r"], line["normal"], line["K_field"]
    tensile = normal > 0
    if tensile.sum() < 2:
        return None
    sharp = bool((asymptote > 0).all())
    fig, ax = style.figure(style.SINGLE, 2.7)
    ax.set_xscale("log")
    ax.set_yscale("log")
    label = "normal to the crack plane" if sharp else "largest, across the line"
    ax.plot(r[tensile], normal[tensile], color=style.BLUE, label=label)
    principal = line["principal"]
    if sharp and np.abs(principal / normal - 1)[tensile].max() > 0.02:
        ok = principal > 0
        ax.plot(r[ok], principal[ok], color=style.ORANGE, lw=1, ls="-.", label="largest principal")
    if sharp:
        K = float(asymptote[0] * np.sqrt(2 * np.pi * r[0] * 1e-6))
        text = rf"$K_\mathrm{{I}}/\sqrt{{2\pi r}}$, {style.number(K)} {_K_UNIT}"
        ax.plot(r, asymptote, "--", color=style.BLACK, lw=1, label=text)
        found = governing_front(summary)
        h = float(found[0]["element_size_um"]) if found else 0.0
        if r[0] < 2 * h < r[-1]:
            ax.axvspan(r[0], 2 * h, color=style.GREY, alpha=0.15, lw=0)
            ax.text(
                np.sqrt(r[0] * 2 * h), 0.98, "2 elements", fontsize=6.5, color=style.GREY,
                ha="center", va="top", transform=ax.get_xaxis_transform(),
            )  # fmt: skip
    ax.set_xlim(r[0], r[-1])
    values = np.concatenate([normal[tensile], asymptote if sharp else normal[tensile]])
    low = max(float(values.min()), float(values.max()) * 1e-4)
    ax.set_ylim(low / 1.3, float(values.max()) * 1.6)
    ax.set_xlabel("distance ahead of the tip (µm)" if sharp else "distance from the peak (µm)")
    ax.set_ylabel("stress (MPa)")
    if r[-1] / r[0] < 30:  # less than two decades: say the numbers between the decades too
        ax.xaxis.set_minor_formatter("")
        ax.xaxis.set_major_locator(FixedLocator(_one_two_five(r[0], r[-1])))
        ax.xaxis.set_major_formatter("{x:g}")
    bottom, top = ax.get_ylim()
    if top / bottom < 30:
        ax.yaxis.set_minor_formatter("")
        ax.yaxis.set_major_locator(FixedLocator(_one_two_five(bottom, top)))
        ax.yaxis.set_major_formatter("{x:g}")
    if sharp:
        _slope(fig, ax, r, asymptote)
    ax.legend(loc="lower left" if sharp else "best")
    return style.save(fig, folder, "stress_ahead")


def _one_two_five(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, ... within a range."""
    tens = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [m * 10.0**k for k in tens for m in (1, 2, 5) if low <= m * 10.0**k <= high]


def _slope(fig: Any, ax: Any, r: NDArray, asymptote: NDArray) -> None:
    """Write the slope of the K field along it."""
    at = r[0] * (r[-1] / r[0]) ** np.array([0.72, 0.8])
    y = np.exp(np.interp(np.log(at), np.log(r), np.log(asymptote)))
    fig.draw_without_rendering()  # the direction on paper is known after the layout only
    (x0, y0), (x1, y1) = ax.transData.transform(np.column_stack([at, y]))
    ax.annotate(
        "slope −1/2", (at[0], y[0]), xytext=(0, 2), textcoords="offset points", fontsize=7,
        rotation=float(np.degrees(np.arctan2(y1 - y0, x1 - x0))), rotation_mode="anchor",
        ha="center", va="bottom",
    )  # fmt: skip


def rings(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``rings``: K_I (or J) of every ring at the governing point; refused ones marked."""
    found = governing_front(summary)
    if found is None:
        return None
    front, point = found
    mine = [r for r in summary.get("rings", []) if r["front"] == front["name"]]
    name = "K_I" if all("K_I" in r for r in mine) else "J"
    mine = [r for r in mine if name in r]
    if not mine or name not in front:
        return None
    radius = np.array([r["outer_um"] for r in mine])
    value = np.array([np.atleast_1d(r[name]["value"])[point] for r in mine], float)
    good = np.array([bool(r["accepted"]) for r in mine])
    mean = float(front[name]["values"][point])
    fig, ax = style.figure(style.SINGLE, 2.5)
    ax.axhline(mean, color=style.BLACK, lw=0.8, ls="--", label="mean of the accepted")
    ax.plot(radius[good], value[good], "o", color=style.BLUE, ms=5, label="accepted")
    if not good.all():
        ax.plot(radius[~good], value[~good], "X", color=style.RED, ms=6, label="refused")
    unit = _K_UNIT if name == "K_I" else r"J$\,$m$^{-2}$"
    ax.set_xlabel("outer radius of the ring (µm)")
    ax.set_ylabel(f"{_SYMBOLS[name]} ({unit})")
    half = max(1.35 * float(np.abs(value - mean).max()), 1e-3 * abs(mean), 1e-30)
    ax.set_ylim(mean - half, mean + half)
    ax.set_xlim(0, 1.08 * radius.max())
    ax.ticklabel_format(axis="y", useOffset=False)
    if mean != 0:
        right = ax.secondary_yaxis(
            "right", functions=(lambda v: (v / mean - 1) * 100, lambda d: mean * (1 + d / 100))
        )
        right.set_ylabel("deviation from the mean (%)")
    title = ""
    if len(summary.get("fronts", [])) > 1 or len(front[name]["values"]) > 1:
        title = "at " + front["name"].replace("_", " ")
        title += f", where {_SYMBOLS[name]} is largest" if len(front[name]["values"]) > 1 else ""
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0,
        handletextpad=0.4, title=title or None, title_fontsize=7.5,
    )  # fmt: skip
    return style.save(fig, folder, "rings")


def k_along_front(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``k_along_front``: K against the position along the governing front of a solid."""
    found = governing_front(summary)
    if found is None or len(found[0]["arc_length_um"]) < 2 or "K_I" not in found[0]:
        return None
    front = found[0]
    s = np.array(front["arc_length_um"], float)
    largest = float(np.abs(front["K_I"]["values"]).max())
    shear = [
        n for n in ("K_II", "K_III")
        if n in front and np.abs(front[n]["values"]).max() > _NEGLIGIBLE * largest
    ]  # fmt: skip
    rows = 2 if shear else 1
    fig, axes = style.figure(
        style.SINGLE, 2.9 if rows == 1 else 4.2, rows, sharex=True, squeeze=False
    )
    top = axes[0, 0]
    mine = [r for r in summary.get("rings", []) if r["front"] == front["name"]]
    _curves(top, s, front, mine, "K_I", style.BLUE)
    _toughness_band(top, summary.get("porz"), np.array(front["K_I"]["values"]))
    top.set_ylabel(f"{_SYMBOLS['K_I']} ({_K_UNIT})")
    top.legend(loc="best")
    for name, color in zip(shear, (style.RED, style.GREEN), strict=False):
        _curves(axes[1, 0], s, front, mine, name, color, label=_SYMBOLS[name])
    if shear:
        axes[1, 0].axhline(0, color=style.BLACK, lw=0.5)
        axes[1, 0].set_ylabel(f"{', '.join(_SYMBOLS[n] for n in shear)} ({_K_UNIT})")
        axes[1, 0].legend(loc="best")
    axes[-1, 0].set_xlabel("position along the front (µm)")
    top.set_xlim(s[0], s[-1])
    _angle_axis(top, s, np.array(front["points_um"], float))
    return style.save(fig, folder, "k_along_front")


def _curves(
    ax: Any, s: NDArray, front: dict[str, Any], rings_: list[dict[str, Any]], name: str,
    color: str, *, label: str = "mean of the rings",
) -> None:  # fmt: skip
    said = {"each ring", "refused"} if name == "K_I" else set()
    for ring in rings_:
        values = np.atleast_1d(ring.get(name, {"value": []})["value"])
        if len(values) != len(s):
            continue
        kind = "each ring" if ring["accepted"] else "refused"
        look = {"color": style.GREY} if ring["accepted"] else {"color": style.RED, "ls": ":"}
        ax.plot(s, values, lw=0.7, label=kind if kind in said else None, **look)
        said.discard(kind)
    ax.plot(s, front[name]["values"], color=color, lw=1.8, label=label)


def _toughness_band(ax: Any, porz: dict[str, Any] | None, values: NDArray) -> None:
    """K_IC with its band where it is near the curve, else a line of text."""
    low, high = float(values.min()), float(values.max())
    pad = max(0.15 * (high - low), 0.01 * abs(high))
    if porz is None:
        ax.set_ylim(low - pad, high + 2 * pad)
        return
    K, band = porz["K_IC"]["value"], porz["K_IC"]["band"]
    near = band[0] < 1.6 * high and band[1] > 0.5 * low
    if near:
        label = r"$K_\mathrm{IC}$"
        ax.axhline(K, color=style.ORANGE, lw=1, ls="--", label=label)
        if band[0] < band[1]:
            ax.axhspan(*band, color=style.ORANGE, alpha=0.25, lw=0, label=f"range of {label}")
        low, high = min(low, band[0]), max(high, band[1])
        pad = 0.08 * (high - low)
    else:
        side = "above" if band[0] > high else "below"
        text = style.number(K) if band[0] == band[1] else " to ".join(map(style.number, band))
        ax.text(
            0.5, 0.97, rf"$K_\mathrm{{IC}}$ = {text} {_K_UNIT} lies {side}", color=style.RED,
            fontsize=7, ha="center", va="top", transform=ax.transAxes,
        )  # fmt: skip
    ax.set_ylim(low - pad, high + 2 * pad)


def _angle_axis(ax: Any, s: NDArray, points: NDArray) -> None:
    """A second axis with the angle where the front lies on a circle or an ellipse."""
    found = ellipse_angle(points)
    if found is None:
        return
    angle, text = found
    step = next(d for d in (15, 30, 45, 90) if np.ptp(angle) / d <= 8.5)
    ticks = np.arange(np.ceil(angle.min() / step - 1e-6), np.floor(angle.max() / step + 1e-6) + 1)
    ticks = ticks * step
    order = np.argsort(angle)
    top = ax.secondary_xaxis("top")
    top.set_xticks(np.interp(ticks, angle[order], s[order]), [f"{round(t)}°" for t in ticks])
    top.minorticks_off()
    top.set_xlabel(text)


def ellipse_angle(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], str] | None:
    """Angle along a circle or along an ellipse with semi-axes along two coordinate axes.

    The angle t of the ellipse is that of the point (A cos t, B sin t) from its centre.

    Args:
        points: Along the front [um], shape (n, 3).

    Returns:
        Angles [degrees] without jumps, shape (n,), and a label; or None for another curve.
    """
    if len(points) < 6:
        return None
    extent = np.ptp(points, axis=0)
    flat = [i for i in range(3) if extent[i] < 1e-6 * extent.max()]
    if len(flat) != 1:
        return None
    i, j = (k for k in range(3) if k != flat[0])
    scale = extent.max()
    x, y = points[:, i] / scale, points[:, j] / scale
    # p x^2 + q y^2 + c x + d y = 1 would fail for a curve through the origin: shift it away
    shift = np.array([x.mean(), y.mean()])
    x, y = x - shift[0], y - shift[1]
    system = np.column_stack([x**2, y**2, x, y, np.ones_like(x)])
    _, singular, vt = np.linalg.svd(system)
    p, q, c, d, e = vt[-1]
    if singular[-1] > 2e-4 * singular[0] or singular[-2] < 1e-5 * singular[0] or p * q <= 0:
        return None
    centre = np.array([-c / (2 * p), -d / (2 * q)])
    rest = p * centre[0] ** 2 + q * centre[1] ** 2 - e
    if rest / p <= 0:
        return None
    A, B = np.sqrt(rest / p), np.sqrt(rest / q)
    t = np.unwrap(np.arctan2((y - centre[1]) / B, (x - centre[0]) / A))
    turn = np.round(np.degrees(t.mean()) / 360) * 360
    axis = "xyz"[i]
    circle = abs(A / B - 1) < 5e-3
    text = f"angle from the {axis} axis" if circle else f"ellipse angle from the {axis} axis"
    return np.degrees(t) - turn, text
