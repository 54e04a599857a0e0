"""Growth over the ranges of its inputs, and the calibration that it rests on, as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.build_materials import material_sets, set_of
from ssbmech.interphase.grown_stage import Grown, conditions
from ssbmech.interphase.growth_spread import GrowthSpread, growth_spread
from ssbmech.output.monitors import clock
from ssbmech.units import show

#: What grows: its unit and scale.
_GROWS = {"thickness": ("um", 1e-6), "resistance": ("ohm*cm^2", 1e-4)}


def quantity(number: float, unit: str) -> dict[str, Any]:
    """A quantity of the summary; None where there is no number."""
    return {"value": float(number) if math.isfinite(number) else None, "unit": unit}


def calibration_table(grown: Grown) -> dict[str, Any] | None:
    """The fit that gave the growth constant, with what it was fitted to."""
    fit, block = grown.setup.calibration, grown.block.calibration
    if fit is None or block is None:
        return None
    R = "area_specific_resistance"
    return {
        "standing": f"CALIBRATION, no check: {fit.label.partition(': ')[2]}",
        "start": quantity(fit.start * 1e4, "ohm*cm^2"),
        "slope": quantity(fit.slope * math.sqrt(3600.0) * 1e4, "ohm*cm^2/h^0.5"),
        "points": fit.points,
        "misfit": fit.misfit,
        "measured": {
            "time_s": [units.quantity(t, "time") for t in block.times],
            "resistance_ohm_cm2": [units.quantity(r, R) * 1e4 for r in block.resistances],
        },
    }


def spread_of(grown: Grown, times: NDArray[np.float64]) -> GrowthSpread | None:
    """Growth of the samples at times [s]; None without samples, or where nothing varies it."""
    if grown.table is None or not times.size:
        return None
    growing = grown.growing
    name, case = grown.block.electrolyte, growing.case
    known = None
    if name in case.materials:
        known = set_of(name, case.materials[name], material_sets(case, growing.base))
    return growth_spread(grown.block, known, grown.table.inputs, times, conditions(growing))


def spread_table(spread: GrowthSpread | None) -> dict[str, Any] | None:
    """Percentiles over the times of the curve, and what they depend on most at the last one."""
    if spread is None:
        return None
    out: dict[str, Any] = {
        "n": spread.n, "failed": spread.failed, "time_s": [float(t) for t in spread.times],
    }  # fmt: skip
    for what, (unit, scale) in _GROWS.items():
        if what == "resistance" and spread.resistance is None:
            continue
        band = {k: [float(x) for x in v / scale] for k, v in spread.band(what).items()}
        out[what] = {**band, "unit": unit, "rank_correlation": spread.influence(what)}
    return out


def spread_columns(grown: Grown) -> dict[str, NDArray[np.float64]]:
    """Percentiles over the ranges, at the times of the steps."""
    if not np.isfinite(grown.times).all():
        return {}
    spread = spread_of(grown, grown.times)
    if spread is None:
        return {}
    out = {f"thickness_{k} [m]": v for k, v in spread.band("thickness").items()}
    if spread.resistance is not None:
        out |= {f"resistance_{k} [ohm*m^2]": v for k, v in spread.band("resistance").items()}
    return out


def spread_words(spread: GrowthSpread) -> str:
    """Median and 5-95 % at the last time, with the inputs that matter most."""
    parts = []
    for what, dimension in (("thickness", "length"), ("resistance", "area_specific_resistance")):
        if what == "resistance" and spread.resistance is None:
            continue
        last = {k: float(v[-1]) for k, v in spread.band(what).items()}
        median, low, high = (show(last[k], dimension) for k in ("median", "p5", "p95"))
        if last["p95"] - last["p5"] <= 1e-9 * last["p95"]:
            parts.append(f"{what} {median} for all of them")
            continue
        strong = [f"{k} {v:+.2f}" for k, v in spread.influence(what).items() if abs(v) >= 0.1][:2]
        ranks = f" (rank correlation with {', '.join(strong)})" if strong else ""
        parts.append(f"{what} median {median}, 5-95 % {low} to {high}{ranks}")
    when = clock(float(spread.times[-1]))
    return f"Over the ranges of the inputs ({spread.n} samples), after {when}: {'; '.join(parts)}."
