"""From the electric stage to the plain data of summary.json and current.csv."""

from __future__ import annotations

from typing import Any

from ssbmech.electro.local import Extreme, Spread
from ssbmech.electro.stage import ElectricResult

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
    if spread.refused:
        entry["refused"] = spread.refused
    if spread.distance is not None:
        entry["peak_distance_um"] = spread.distance * 1e6
    return entry


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
    return [
        {
            "name": "charge balance",
            "value": value,
            "limit": limit,
            "passed": bool(value <= limit),
            "what": "sum of the currents over the largest",
        }
    ]


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
