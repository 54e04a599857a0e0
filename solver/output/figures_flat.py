"""Figures of a flat layer without a mesh: growth, cycles, lithium inside, cracks on lithium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.interphase.answer import Answer
from ssbmech.interphase.cycles import Cycled
from ssbmech.interphase.deposition import Deposition
from ssbmech.interphase.film_fracture import FilmFracture, film_map
from ssbmech.interphase.growth_spread import GrowthSpread
from ssbmech.interphase.two_carrier import LayerState, TwoCarrierLayer
from ssbmech.output import figures_style as style
from ssbmech.output.monitors import time_unit


def growth(folder: Path, found: Answer, spread: GrowthSpread | None = None) -> str | None:
    """``interphase_flat``: thickness, and resistance where it is known, over the root of time.

    A calibration is called one. None where there are no two times.

    Args:
        folder: Of the figures.
        found: The layer at its times.
        spread: Its growth over the ranges of the inputs, at the same times.
    """
    good = np.isfinite(found.times)
    t = found.times[good]
    if len(t) < 2:
        return None
    unit, per = time_unit(float(t.max()))
    R, fit = found.resistance, found.setup.calibration
    fig, axes = style.figure(style.SINGLE if R is None else style.DOUBLE, 2.5, 1,
                             1 if R is None else 2, squeeze=False)  # fmt: skip
    at, d = np.sqrt(t / per), found.thickness[good]
    scale, length = _length(float(d.max()))
    _banded(axes[0, 0], at, d / scale, _band(spread, "thickness", scale), style.BLUE)
    axes[0, 0].set(ylabel=f"thickness of the layer ({length})")
    if R is not None:
        ax, start = axes[0, 1], 0.0 if fit is None else fit.start
        band = None if fit is not None else _band(spread, "resistance", 1e-4)
        _banded(ax, at, (R[good] + start) * 1e4, band, style.ORANGE, fit is None)
        ax.set(ylabel="resistance of the layer (Ω cm²)")
        if fit is not None:
            line = float(t.max()) * np.linspace(0.0, 1.0, 31) ** 2
            slope = fit.slope * np.sqrt(3600.0) * 1e4
            words = f"CALIBRATION: {start * 1e4:.4g} + {slope:.4g} (t/h)$^{{1/2}}$"
            total = fit.resistance(line) * 1e4
            ax.plot(np.sqrt(line / per), total, "-", color=style.ORANGE, label=words)
            ax.set(ylabel="resistance of the cell (Ω cm²)")
        _lettered(axes)
    for ax in axes.flat:
        ax.set(xlabel=f"root of time ({unit}$^{{1/2}}$)")
        ax.set_ylim(bottom=0.0)
        ax.set_xlim(left=0.0)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(loc="best", fontsize=6.5)
    return style.save(fig, folder, "interphase_flat")


def _banded(
    ax: Any, x: NDArray, y: NDArray, band: dict[str, NDArray] | None, colour: str, line: bool = True
) -> None:
    """Points, the line through them, and the ranges as a band with its median."""
    order = np.argsort(x)
    if band is not None:
        ax.fill_between(x[order], band["p5"][order], band["p95"][order], color=colour, alpha=0.18,
                        lw=0, label="5-95 % of the ranges")  # fmt: skip
        ax.plot(x[order], band["median"][order], "--", color=colour, lw=0.9, label="median")
    ax.plot(x[order], y[order], "o-" if line else "o", ms=3, color=colour,
            label=None if band is None else "these inputs")  # fmt: skip


def _band(spread: GrowthSpread | None, what: str, scale: float) -> dict[str, NDArray] | None:
    if spread is None or (what == "resistance" and spread.resistance is None):
        return None
    return {name: values / scale for name, values in spread.band(what).items()}


def cycles(folder: Path, found: Cycled) -> str:
    """``interphase_cycles``: thickness, and resistance with polarisation, per cycle."""
    fig, axes = style.figure(style.DOUBLE, 2.5, 1, 2, squeeze=False)
    n = np.append(0, found.cycle)
    start = found.layer.setup.initial
    scale, length = _length(float(found.thickness.max()))
    d = np.append(start, found.thickness)
    dots = "o-" if len(n) <= 40 else "-"
    axes[0, 0].plot(n, d / scale, dots, ms=3, color=style.BLUE)
    axes[0, 0].set(xlabel="cycle", ylabel=f"thickness of the layer ({length})")
    R = d / found.conductivity
    axes[0, 1].plot(n, R * 1e4, dots, ms=3, color=style.ORANGE)
    axes[0, 1].set(xlabel="cycle", ylabel="resistance of the layer (Ω cm²)")
    for ax in axes.flat:
        ax.set_ylim(bottom=0.0)
    if found.current_density:
        i = abs(found.current_density)
        mV = axes[0, 1].secondary_yaxis(
            "right", functions=(lambda r: r * 1e-4 * i * 1e3, lambda v: v / (1e-4 * i * 1e3))
        )
        mV.set_ylabel(f"polarisation at {style.number(i / 10.0)} mA/cm² (mV)")
    _lettered(axes)
    return style.save(fig, folder, "interphase_cycles")


def deposition(folder: Path, found: Deposition) -> str:
    """``interphase_deposition``: critical current, and the potential of lithium inside."""
    fig, axes = style.figure(style.DOUBLE, 2.6, 1, 2, squeeze=False)
    _critical(axes[0, 0], found)
    _potential(axes[0, 1], found)
    _lettered(axes)
    return style.save(fig, folder, "interphase_deposition")


def _critical(ax: Any, found: Deposition) -> None:
    d = found.thickness
    at = np.geomspace(d.min() / 10.0, d.max() * 10.0, 121)
    one = found.layers[0]
    curve = [
        TwoCarrierLayer(float(x), one.ionic_conductivity, one.electronic_conductivity,
                        one.interface_resistance).critical_current(found.overpotential)
        for x in at
    ]  # fmt: skip
    scale, unit = _length(float(d.max()))
    if found.overpotential > 0.0:
        ax.loglog(at / scale, np.array(curve) / 10.0, color=style.BLUE)
        ax.fill_between(at / scale, np.array(curve) / 10.0, max(curve) / 10.0, color=style.RED,
                        alpha=0.12, lw=0, label="lithium forms inside")  # fmt: skip
        ax.plot(d / scale, found.critical / 10.0, "o", ms=3, color=style.BLUE)
    if found.plating > 0.0:
        ax.axhline(found.plating / 10.0, color=style.BLACK, ls="--", lw=0.8, label="this current")
    ax.set(xlabel=f"thickness of the layer ({unit})", ylabel="critical current (mA/cm²)")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower left")


def _potential(ax: Any, found: Deposition) -> None:
    """Across the thickest layer, before and after lithium has formed inside."""
    k = int(np.argmax(found.thickness))
    scale, unit = _length(float(found.thickness[k]))
    x = np.linspace(0.0, 1.0, 101) * found.thickness[k]
    shown: list[tuple[LayerState, str, str]] = [
        (found.blocked[k], style.ORANGE, "electrons blocked inside"),
        (found.states[k], style.BLUE, "lithium deposited inside"),
    ]
    if found.reacting is not None:
        shown.append((found.reacting[k], style.GREEN, "electrolyte reduced inside"))
    for state, colour, label in shown:
        ax.plot(x / scale, state.lithium_potential(x) * 1e3, color=colour, label=label)
    ax.axhline(-found.overpotential * 1e3, color=style.BLACK, ls="--", lw=0.8,
               label="lithium forms below")  # fmt: skip
    ax.axhline(0.0, color=style.GREY, lw=0.5)
    if found.reacting is not None:
        # the potential of reduction is volts, what decides is millivolts
        low = min(float(s.lithium_potential(x).min()) for s, _, _ in shown) * 1e3
        ax.set_ylim(1.15 * min(low, -found.overpotential * 1e3), 2.5 * found.overpotential * 1e3)
    ax.set(xlabel=f"depth below lithium ({unit})", ylabel="potential of lithium (mV)")
    ax.legend(loc="best", fontsize=6.5)


def film_fracture(folder: Path, found: FilmFracture) -> str:
    """``film_fracture``: cracking strain and distance of cracks over thickness and toughness."""
    fig, axes = style.figure(style.DOUBLE, 2.7, 1, 2, squeeze=False)
    strain, apart = axes[0]
    factors = (0.5, 1.0, 2.0)
    maps = film_map(found, [found.toughness * f for f in factors])
    scale, unit = _length(float(found.thickness.max()))
    for film, colour in zip(maps, (style.SKY, style.BLUE, style.BLACK), strict=True):
        x = film.thickness / scale
        label = f"{style.number(film.toughness / 1e6)} MPa m$^{{1/2}}$"
        strain.loglog(x, film.strain_fast * 100.0, "--", color=colour)
        strain.loglog(x, film.strain_slow * 100.0, "-", color=colour, label=label)
        apart.loglog(x, film.spacing * 1e6, "-", color=colour, label=label)
    own, h = maps[1], found.thickness / scale
    apart.fill_between(own.thickness / scale, 0.5e6 * own.spacing, 1e6 * own.spacing, lw=0,
                       color=style.BLUE, alpha=0.15, label="half to whole")  # fmt: skip
    strain.plot(h, found.strain_slow * 100.0, "o", ms=3, color=style.BLUE)
    strain.plot([], [], "--", color=style.GREY, label="fast: lithium elastic")
    strain.plot([], [], "-", color=style.GREY, label="slow: lithium flows")
    apart.plot(h, found.spacing * 1e6, "o", ms=3, color=style.BLUE)
    strain.set(xlabel=f"thickness of the layer ({unit})", ylabel="strain at cracking (%)")
    apart.set(xlabel=f"thickness of the layer ({unit})", ylabel="distance of cracks (µm)")
    strain.legend(loc="best", fontsize=6.5)
    apart.legend(loc="best", fontsize=6.5)
    _lettered(axes)
    return style.save(fig, folder, "film_fracture")


def _lettered(axes: Any) -> None:
    for k, ax in enumerate(axes.flat):
        style.panel(ax, "abcdef"[k])


def _length(largest: float) -> tuple[float, str]:
    return (1e-6, "µm") if largest >= 1e-6 else (1e-9, "nm")
