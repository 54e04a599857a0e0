"""The Porz criterion as pictures: critical overpotential over flaw size and toughness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style

_TOUGHNESS = r"$K_\mathrm{IC}$ (MPa$\,$m$^{1/2}$)"


def porz_map(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``porz_map``: critical overpotential of similar flaws, and over size and toughness."""
    porz = summary.get("porz")
    if not porz or not porz.get("curve"):
        return None
    has_map = bool(porz.get("map")) and np.min(porz["map"]["critical_overpotential_mV"]) > 0
    width, columns = (style.DOUBLE, 2) if has_map else (style.SINGLE, 1)
    fig, axes = style.figure(width, 3.0, 1, columns, squeeze=False)
    _curve(axes[0, 0], porz)
    if has_map:
        _map(fig, axes[0, 1], porz)
        style.panel(axes[0, 0], "a")
        style.panel(axes[0, 1], "b")
    return style.save(fig, folder, "porz_map")


def _window(a: NDArray, case: float) -> NDArray:
    """A decade and a half about the case: the rest of the curve is a straight line."""
    return (a > case / 33) & (a < case * 33)


def _curve(ax: Any, porz: dict[str, Any]) -> None:
    curve = porz["curve"]
    size = float(porz["flaw_size"]["value"])
    a = np.array(curve["a_um"])
    use = _window(a, size)
    a = a[use]
    pressure, low, high = (
        np.array(curve[k])[use]
        for k in ("critical_pressure_MPa", "critical_pressure_low_MPa",
                  "critical_pressure_high_MPa")
    )  # fmt: skip
    per_MPa = float(np.array(curve["critical_overpotential_mV"])[use][0] / pressure[0])
    as_potential = per_MPa > 0
    scale = per_MPa if as_potential else 1.0
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.fill_between(
        a, low * scale, high * scale, color=style.ORANGE, alpha=0.3, lw=0,
        label=r"range of $K_\mathrm{IC}$",
    ) if (high > low * (1 + 1e-9)).any() else None  # fmt: skip
    K = style.number(porz["K_IC"]["value"])
    ax.plot(a, pressure * scale, color=style.BLUE,
            label=rf"critical, $K_\mathrm{{IC}}$ = {K} MPa$\,$m$^{{1/2}}$")  # fmt: skip
    applied = porz["applied_overpotential" if as_potential else "applied_pressure"]
    if applied["value"]:
        # the case's height is its pressure: a lithium volume of its own makes no difference then
        y = porz["applied_pressure"]["value"] * scale
        _case(ax, size, y, porz, f"this case, {_amount(applied)}: {porz['verdict']}")
    ax.set_xlabel("flaw size (µm)")
    if as_potential:
        ax.set_ylabel("critical overpotential (mV)")
        right = ax.secondary_yaxis(
            "right", functions=(lambda v: v / per_MPa, lambda p: p * per_MPa)
        )
        right.set_ylabel("critical pressure (MPa)")
    else:
        ax.set_ylabel("critical pressure (MPa)")
    ax.set_xlim(a[0], a[-1])
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top * 2.2)
    ax.legend(loc="upper right", handlelength=1.6)
    if porz["background_K_I"]["value"]:
        ax.text(
            0.03, 0.03, "pressure of the filament alone,\nwithout the other loads of the case",
            transform=ax.transAxes, fontsize=6.5, va="bottom",
        )  # fmt: skip


def _amount(value: dict[str, Any]) -> str:
    return f"{style.number(value['value'])} {value['unit']}"


def _case(ax: Any, x: float, y: float, porz: dict[str, Any], label: str) -> None:
    """The marker of the case: its shape tells the verdict in grey print too."""
    extends = porz["verdict"] == "extends"
    ax.plot(
        [x], [y], "X" if extends else "o", ms=8, mew=0.9, mec="white", zorder=5, ls="none",
        mfc=style.RED if extends else style.GREEN, label=label, clip_on=False,
    )  # fmt: skip


def _map(fig: Any, ax: Any, porz: dict[str, Any]) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.patheffects import withStroke

    table = porz["map"]
    size = float(porz["flaw_size"]["value"])
    a, K = np.array(table["a_um"]), np.array(table["K_IC_MPa_sqrt_m"])
    use = _window(a, size)
    a, eta = a[use], np.array(table["critical_overpotential_mV"])[:, use]
    norm = LogNorm(eta.min(), eta.max())
    shade = ax.pcolormesh(
        a, K, eta, norm=norm, cmap=style.CRITICAL_MAP, shading="gouraud", rasterized=True
    )
    levels = _levels(float(eta.min()), float(eta.max()))
    halo = [withStroke(linewidth=1.6, foreground="white")]
    lines = ax.contour(a, K, eta, levels=levels, colors="black", linewidths=0.6)
    ax.set_xscale("log")
    ax.set_yscale("log")
    labels = ax.clabel(lines, fmt=lambda v: f"{v:g} mV", fontsize=6.5, inline=False)
    for text in labels:
        text.set_path_effects(halo)
    band = porz["K_IC"]["band"]
    if band[0] < band[1]:
        for edge in band:
            ax.axhline(edge, color="white", lw=1.4)
            ax.axhline(edge, color=style.BLACK, lw=0.9, ls=(0, (4, 3)))
        ax.text(
            a[0] * 1.15, band[1] * 1.03, r"range of $K_\mathrm{IC}$", fontsize=7, va="bottom",
            path_effects=halo,
        )  # fmt: skip
    applied = porz["applied_overpotential"]["value"]
    if applied and eta.min() < applied < eta.max():
        ax.contour(a, K, eta, levels=[applied], colors="white", linewidths=2.6)
        ax.contour(a, K, eta, levels=[applied], colors=style.RED, linewidths=1.4)
    _case(ax, size, porz["K_IC"]["value"], porz, "this case")
    if applied:
        ax.plot([], [], color=style.RED, lw=1.4, label=f"extends right of this at {_mV(applied)}")
    ax.set_xlim(a[0], a[-1])
    ax.set_ylim(K[0], K[-1])
    ax.set_xlabel("flaw size (µm)")
    ax.set_ylabel(_TOUGHNESS)
    _plain_ticks(ax, K)
    ax.legend(loc="upper right", handlelength=1.6, frameon=True, framealpha=0.85, edgecolor="none")
    bar = fig.colorbar(shade, ax=ax, pad=0.02)
    bar.set_label("critical overpotential (mV)")


def _mV(value: float) -> str:
    return f"{style.number(value)} mV"


def _levels(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, ... between two values; fewer where that would crowd."""
    tens = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    levels = [m * 10.0**k for k in tens for m in (1, 2, 5) if low < m * 10.0**k < high]
    return levels if len(levels) <= 9 else [v for v in levels if f"{v:.0e}"[0] == "1"]


def _plain_ticks(ax: Any, K: NDArray) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    nice = [m * 10.0**k for k in range(-3, 3) for m in (1, 2, 5)]
    ax.yaxis.set_major_locator(FixedLocator([v for v in nice if K[0] <= v <= K[-1]]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
