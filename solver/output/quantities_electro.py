"""From the electric stage to the plain data of summary.json and current.csv."""

from __future__ import annotations

from typing import Any

from ssbmech.electro.local import Extreme, Spread
from ssbmech.electro.problem import ElectricProblem
from ssbmech.electro.stage import ElectricResult
from ssbmech.interphase.layer import Grown

#: Largest sum of the currents over the largest of them, and where rounding alone is larger.
BALANCE_LIMIT, BALANCE_WORST = 1e-10, 1e-6
_MA_PER_CM2 = 0.1  # of 1 A/m^2
_OHM_CM2 = 1e4  # of 1 ohm m^2


def electric_table(result: ElectricResult | None) -> dict[str, Any] | None:
    """Currents, potentials, resistance; plating currents are positive. None without electrodes."""
    if result is None:
        return None
    s = result.solution
    p = s.problem
    density = s.mean_current_density(p.driven.name)
    resistance = s.resistance
    specific = None if resistance is None else resistance * s.areas[p.driven.name]
    return {
        "driven": p.driven.name,
        "temperature": {"value": p.temperature, "unit": "K"},
        "voltage": {"value": s.potentials[p.driven.name] * 1e3, "unit": "mV"},
        "plating_current_density": {"value": -density * _MA_PER_CM2, "unit": "mA/cm^2"},
        "resistance": {"value": resistance, "unit": p.resistance_unit},
        "area_specific_resistance": {
            "value": None if specific is None else specific * _OHM_CM2,
            "unit": "ohm*cm^2",
        },
        "charge_imbalance": s.imbalance,
        "conductivity": {
            name: {"value": value * 10, "unit": "mS/cm"} for name, value in p.conductivity.items()
        },
        **_boundaries(p),
        **_leakage(result),
        "electrodes": [_electrode(result, spread) for spread in result.spreads],
        "newton": {
            "iterations": s.report.iterations,
            "relative_residuals": list(s.report.history),
            "unknowns": s.report.linear.unknowns,
            "degree": p.degree,
            "method": s.report.linear.method,
        },
    }


def _electrode(result: ElectricResult, spread: Spread) -> dict[str, Any]:
    s, name = result.solution, spread.electrode
    plane = s.problem.current_unit == "A/m"
    entry: dict[str, Any] = {
        "name": name,
        "potential": {"value": s.potentials[name] * 1e3, "unit": "mV"},
        "plating_current": {"value": -s.currents[name], "unit": s.problem.current_unit},
        "mean_plating_current_density": {
            "value": -s.mean_current_density(name) * _MA_PER_CM2,
            "unit": "mA/cm^2",
        },
        "area": {
            "value": s.areas[name] * (1e6 if plane else 1e12),
            "unit": "um" if plane else "um^2",
        },
        "largest": _extreme(spread.largest),
        "smallest": _extreme(spread.smallest),
    }
    for grown in result.layers:
        if grown.layer.electrode == name:
            entry["layer"] = _layer(result, grown)
    if spread.refused:
        entry["refused"] = spread.refused
    if spread.distance is not None:
        entry["peak_distance_um"] = spread.distance * 1e6
    return entry


def _layer(result: ElectricResult, grown: Grown) -> dict[str, Any]:
    """The reaction layer of an electrode, and its part of the potential of the metal.

    ``share`` is that of the cell's voltage; None where there is none.
    """
    s = result.solution
    whole = abs(s.potentials[s.problem.driven.name])
    return {
        "thickness": {"value": grown.thickness * 1e6, "unit": "um"},
        "resistance": {"value": grown.resistance * _OHM_CM2, "unit": "ohm*cm^2"},
        "voltage": {"value": grown.voltage * 1e3, "unit": "mV"},
        "share": abs(grown.voltage) / whole if whole > 0.0 else None,
    }


def _boundaries(problem: ElectricProblem) -> dict[str, Any]:
    """Area-specific resistance of boundaries without a thickness, where there are any."""
    if not problem.boundaries:
        return {}
    entries = {
        b.name: {"value": b.resistance * _OHM_CM2, "unit": "ohm*cm^2"} for b in problem.boundaries
    }
    return {"boundary_resistance": entries}


def _leakage(result: ElectricResult) -> dict[str, Any]:
    """Electrons that leak and where lithium could form inside, where the case asks for it."""
    found = result.leakage
    if found is None:
        return {}
    sites = [
        {
            "group": site.group,
            "lithium_potential": {"value": site.lowest * 1e3, "unit": "mV"},
            "point_um": (site.point * 1e6).tolist(),
            "share_of_vertices": site.share,
        }
        for site in found.sites
    ]
    entry = {
        "electronic_current_density": {
            "value": found.current_density * _MA_PER_CM2, "unit": "mA/cm^2",
        },
        "electronic_transference": found.transference,
        "charge_imbalance": found.solution.imbalance,
        "threshold": {"value": found.threshold * 1e3, "unit": "mV"},
        "lowest_lithium_potential": {
            "value": found.lowest * 1e3, "unit": "mV", "point_um": (found.lowest_at * 1e6).tolist(),
        },
        "volume_share_below": found.share,
        "depth_below": {"value": found.depth * 1e6, "unit": "um"},
        "sites": sites,
    }  # fmt: skip
    return {"leakage": entry}


def _extreme(found: Extreme | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "factor": found.factor,
        "error_estimate": found.error,
        "plating_current_density": {"value": -found.density * _MA_PER_CM2, "unit": "mA/cm^2"},
        "point_um": (found.point * 1e6).tolist(),
    }


def electric_gates(result: ElectricResult) -> list[dict[str, Any]]:
    """The currents of all electrodes have to cancel, as far as the potential has digits.

    A cell whose voltage is almost all at its interfaces has a drop in the electrolyte that is small
    against the potential, of which it is the difference.
    """
    value = result.solution.imbalance
    limit = min(max(BALANCE_LIMIT, 16 * result.solution.rounding), BALANCE_WORST)
    gates = [_balance("charge balance", value, limit, "sum of the currents over the largest")]
    if result.leakage is not None:
        value = result.leakage.solution.imbalance
        words = "sum of the electronic currents over the largest"
        gates.append(_balance("balance of electrons", value, BALANCE_LIMIT, words))
    return gates


def _balance(name: str, value: float, limit: float, what: str) -> dict[str, Any]:
    passed = bool(value <= limit)
    return {"name": name, "value": value, "limit": limit, "passed": passed, "what": what}


def csv_lines(result: ElectricResult) -> list[str]:
    """``current.csv``: current density at points inside the facets of each electrode."""
    lines = ["electrode,x_um,y_um,z_um,plating [mA/cm^2],over_mean"]
    for name, found in result.samples.items():
        mean = result.solution.mean_current_density(name)
        quiet = abs(mean) <= 1e-12 * result.solution.problem.current_scale
        for point, density in zip(found.points, found.density, strict=True):
            where = ",".join(f"{c * 1e6:.9g}" for c in point)
            factor = "" if quiet else f"{density / mean:.9g}"
            lines.append(f"{name},{where},{-density * _MA_PER_CM2:.9g},{factor}")
    return lines
