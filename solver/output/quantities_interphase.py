"""A layer that thickened, as plain data: tables, the summary's entry, and the verdict in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.interphase.grown import OPENS
from ssbmech.interphase.grown_stage import SAMPLES, Grown, conditions, strongest
from ssbmech.interphase.growth_spread import GrowthSpread
from ssbmech.interphase.onset import Onset, onset_map
from ssbmech.output.monitors import clock
from ssbmech.output.quantities_growth import (
    calibration_table,
    quantity,
    spread_columns,
    spread_of,
    spread_table,
    spread_words,
)
from ssbmech.units import show

_LIMIT = {"strength": "pressure", "energy": "toughness"}
_LIMIT_NAMES = {"strength": "strength", "energy": "toughness"}
#: Points of a map of onsets along each axis.
_MAP = 33
#: Name, unit and scale of what a sample answers.
_ANSWERS = {"thickness": ("um", 1e-6), "time": ("h", 3600.0)}


def interphase_table(grown: Grown | None) -> dict[str, Any] | None:
    """The summary's entry ``interphase``: JSON-able, None for what does not exist."""
    if grown is None:
        return None
    setup, block = grown.setup, grown.growing.block
    resistances, curve = grown.resistances, _curve(grown)
    spread, fit = spread_of(grown, np.array(curve["time_s"])), setup.calibration
    table: dict[str, Any] = {
        "law": grown.block.law,
        "group": block.group,
        "parameter": block.parameter,
        "volume_change": setup.expansion.volume_change,
        "retained": block.retained,
        "growth_strain": grown.growing.strain,
        "steps": len(grown.times),
        "final": {
            "time": quantity(float(grown.times[-1]), "s"),
            "thickness": quantity(grown.thicknesses[-1] * 1e6, "um"),
            "depth": quantity(grown.response.main.depths[-1] * 1e6, "um"),
            "mean_pressure": quantity(grown.response.main.steps[-1].pressure * 1e-6, "MPa"),
        },
        "curve": curve,
        "calibration": calibration_table(grown),
        "spread": spread_table(spread),
        "limits": {name: _shown(name, value) for name, value in grown.limits.items()},
        "onset": [_onset(o) for o in grown.onsets],
        "first": {c: _onset(o) if o else None for c in _LIMIT for o in [grown.first(c)]},
        "samples": _samples(grown),
        "stresses": _stresses(grown),
        "maps": _maps(grown),
        "verdict": verdict_lines(grown, spread),
        "notes": [text for text in grown.notes if fit is None or text != fit.text()],
    }
    if resistances is not None:
        table["final"]["resistance"] = quantity(resistances[-1] * 1e4, "ohm*cm^2")
    return table


def _curve(grown: Grown) -> dict[str, list[float]]:
    """Thickness over time by the law, up to the last time that it reaches, for drawing."""
    reached = grown.times[np.isfinite(grown.times)]
    last = float(reached[-1]) if reached.size else 0.0
    times = last * np.linspace(0.0, 1.0, 101) ** 2
    law, now = grown.setup.law, conditions(grown.growing)
    thickness = np.asarray(law.advance(grown.setup.initial, times, now), float) * 1e6
    return {
        "time_s": [float(t) for t in times],
        "thickness_um": [float(d) for d in np.broadcast_to(thickness, times.shape)],
    }


def _shown(name: str, value: float) -> dict[str, Any]:
    return quantity(value * 1e-6, "MPa" if name == "strength" else "MPa*m^0.5")


def _onset(o: Onset) -> dict[str, Any]:
    name = "strength" if o.criterion == "strength" else "toughness"
    return {
        "criterion": o.criterion,
        "where": o.where,
        "component": o.component,
        "opens": OPENS.get(o.component, "the crack of the mesh"),
        "happens": o.happens,
        "thickness": quantity(o.thickness * 1e6, "um"),
        "time": quantity(o.time, "s"),
        "place_um": [x * 1e6 for x in o.place],
        "limit": _shown(name, o.limit),
        "largest": _shown(name, o.largest),
    }


def _stresses(grown: Grown) -> dict[str, Any]:
    """Largest and smallest stress of each line at the last depth, with its places."""
    out: dict[str, Any] = {}
    series = grown.response.main
    for line in series.lines:
        out[line.name] = {}
        for name in series.components:
            last = series.curve(line.name, name)[-1]
            high, low = int(np.argmax(last)), int(np.argmin(last))
            out[line.name][name] = {
                "largest": {
                    **quantity(float(last[high]) * 1e-6, "MPa"),
                    "place_um": (line.places[high] * 1e6).tolist(),
                },
                "smallest": {
                    **quantity(float(last[low]) * 1e-6, "MPa"),
                    "place_um": (line.places[low] * 1e6).tolist(),
                },
            }
    return out


def censored(values: NDArray[np.float64]) -> dict[str, float | None]:
    """Median, 5th and 95th percentile where inf means "not within what was computed".

    A percentile is a value of the sample, so that one beyond stays beyond: None.
    """
    good = np.sort(values[~np.isnan(values)])
    out: dict[str, float | None] = {}
    for name, share in (("p5", 5.0), ("median", 50.0), ("p95", 95.0)):
        at = float(np.percentile(good, share, method="inverted_cdf")) if good.size else math.nan
        out[name] = at if math.isfinite(at) else None
    return out


def _samples(grown: Grown) -> dict[str, Any] | None:
    table = grown.table
    if table is None:
        return None
    out: dict[str, Any] = {
        "n": grown.growing.block.samples,
        "seed": table.seed,
        "file": SAMPLES,
        "failed": len(table.failures),
        "ranges": {name: [r.low, r.high] for name, r in grown.ranges.items()},
        "answers": {},
    }
    for name, values in table.answers.items():
        unit, scale = _ANSWERS[name.rsplit("_", 1)[1]]
        drawn = ~np.isnan(values)
        beyond = float(np.isinf(values[drawn]).mean()) if drawn.any() else math.nan
        entry: dict[str, Any] = {**censored(values / scale), "unit": unit, "not_reached": beyond}
        if np.isfinite(values).any():
            entry["rank_correlation"] = table.spread(name).influence
        out["answers"][name] = entry
    return out


def _maps(grown: Grown) -> dict[str, Any]:
    """Thickness at first cracking over misfit and strength or toughness.

    Of the largest value of all places at each thickness; nothing where other loads act, with which
    it does not scale.
    """
    out: dict[str, Any] = {}
    if grown.growing.has_other_loads:
        return out
    grown_by = 1.0 + grown.setup.expansion.volume_change
    for criterion, limit in _LIMIT_NAMES.items():
        curve = strongest(grown, criterion)
        if curve is None or limit not in grown.limits:
            continue
        scales = np.geomspace(0.1, 10.0, _MAP)
        limits = grown.limits[limit] * np.geomspace(0.3, 3.0, _MAP)
        found = grown_by * onset_map(grown.response.main.depths, curve, scales, limits) * 1e6
        out[criterion] = {
            "growth_strain": (scales * grown.growing.in_plane).tolist(),
            "limit": (limits * 1e-6).tolist(),
            "unit": _shown(limit, 0.0)["unit"],
            "thickness_um": [[float(x) if np.isfinite(x) else None for x in row] for row in found],
        }
    return out


def csv_lines(grown: Grown) -> list[str]:
    """``interphase.csv``: a row per step, SI."""
    series, resistances = grown.response.main, grown.resistances
    plane = series.model.startswith("plane")
    columns: dict[str, Sequence[float] | NDArray[np.float64]] = {
        "time [s]": grown.times,
        "thickness [m]": grown.thicknesses,
        "depth [m]": series.depths,
        "pressure [Pa]": [s.pressure for s in series.steps],
        f"strain_energy [{'J/m' if plane else 'J'}]": [s.energy for s in series.steps],
    }
    if resistances is not None:
        columns["resistance [ohm*m^2]"] = resistances
    columns |= spread_columns(grown)
    for front in series.fronts:
        columns[f"{front}:K_I [Pa*m^0.5]"] = series.intensity(front)
        columns[f"{front}:J [J/m^2]"] = series.intensity(front, "J")
    for line in series.lines:
        for name in series.components:
            curve = series.curve(line.name, name)
            columns[f"{line.name}:{name}_max [Pa]"] = curve.max(axis=1)
            columns[f"{line.name}:{name}_min [Pa]"] = curve.min(axis=1)
    return _table(columns)


def line_csv(grown: Grown) -> list[str]:
    """``interphase_lines.csv``: stress at every place of every line at every step, SI."""
    series = grown.response.main
    heads = ["thickness [m]", "line", "s [m]", "x [m]", "y [m]", "z [m]"]
    heads += [f"{name} [Pa]" for name in series.components]
    out = [",".join(heads)]
    for thickness, step in zip(grown.thicknesses, series.steps, strict=True):
        for line in series.lines:
            sigma = step.stress[line.name]
            for k, (s, place) in enumerate(zip(line.distance, line.places, strict=True)):
                values = [sigma[k, i, j] for i, j in series.components.values()]
                cells = [_cell(v) for v in (s, *place, *values)]
                out.append(",".join([_cell(thickness), line.name, *cells]))
    return out


def _table(columns: Mapping[str, Any]) -> list[str]:
    rows = zip(*columns.values(), strict=True)
    return [",".join(columns), *(",".join(_cell(v) for v in row) for row in rows)]


def _cell(value: float) -> str:
    return f"{float(value):.10g}" if math.isfinite(value) else ""


def verdict_lines(grown: Grown, spread: GrowthSpread | None = None) -> list[str]:
    """What the layer came to, with numbers: growth, first cracking, and what is not known.

    Args:
        grown: The run.
        spread: Its growth over the ranges of the inputs, up to its last time.
    """
    t, d = float(grown.times[-1]), float(grown.thicknesses[-1])
    text = f"The layer reaches {show(d, 'length')}"
    text += f" after {clock(t)}" if math.isfinite(t) else "; the law never takes it there"
    if (R := grown.resistances) is not None:
        text += f", resistance {show(float(R[-1]), 'area_specific_resistance')}"
    lines = [text + "."]
    if spread is not None:
        lines.append(spread_words(spread))
    if (fit := grown.setup.calibration) is not None:
        lines.append(f"CALIBRATION, no check: {fit.text()}.")
    for criterion in _LIMIT:
        mine = [o for o in grown.onsets if o.criterion == criterion]
        if mine:
            lines.append(_first_words(grown, criterion, mine))
    if not grown.onsets:
        lines.append("No criterion: neither a strength nor a toughness with a flaw or a crack.")
    return lines


def _first_words(grown: Grown, criterion: str, mine: Sequence[Onset]) -> str:
    first = grown.first(criterion)
    by = f"By {criterion} "
    if first is None:
        top = max(mine, key=lambda o: o.largest)
        kind = _LIMIT[criterion]
        front = top.where if top.component == "K_I" else ""
        if front and top.largest < 0.0:
            least = float(grown.response.main.intensity(front).min())
            return (
                f"{by}nothing cracks: the layer presses {front} shut, K_I down to "
                f"{show(least, kind)} (toughness {show(top.limit, kind)})."
            )
        text = (
            f"{by}nothing cracks up to there: {show(top.largest, kind)} of {show(top.limit, kind)} "
            f"on {top.where} ({top.component})"
        )
    else:
        text = f"{by}a {_crack(first)} starts at {show(first.thickness, 'length')}"
        text += f" ({clock(first.time)})" if math.isfinite(first.time) else ""
        text += "".join(
            f", then a {_crack(o)} at {show(o.thickness, 'length')}" for o in _later(mine, first)
        )
    spread = _spread(grown, criterion)
    return text + (f"; {spread}." if spread else ".")


def _later(mine: Sequence[Onset], first: Onset) -> list[Onset]:
    """Cracks of other kinds than the first, each kind where it comes first, in their order."""
    found: dict[str, Onset] = {}
    for o in sorted((o for o in mine if o.happens), key=lambda o: o.thickness):
        if o.component != first.component:
            found.setdefault(o.component, o)
    return list(found.values())


def _crack(o: Onset) -> str:
    what = OPENS.get(o.component, f"crack at {o.where}")
    if not o.place:
        return what
    return f"{what} at ({', '.join(f'{x * 1e6:.4g}' for x in o.place[:2])}) um"


def _spread(grown: Grown, criterion: str) -> str:
    """Median and 5-95 % of the thickness and the time over the ranges of the inputs."""
    table = _samples(grown)
    if table is None or f"{criterion}_thickness" not in table["answers"]:
        return ""
    parts = []
    for what in ("thickness", "time"):
        a = table["answers"][f"{criterion}_{what}"]
        median, low, high = (
            "not reached" if a[k] is None else f"{a[k]:.3g} {a['unit']}"
            for k in ("median", "p5", "p95")
        )
        parts.append(f"{what} median {median}, 5-95 % {low} to {high}")
    never = table["answers"][f"{criterion}_thickness"]["not_reached"]
    text = f"over the ranges of the inputs ({table['n']} samples): " + "; ".join(parts)
    return text + (f"; {never:.0%} do not crack within what was computed" if never > 0 else "")
