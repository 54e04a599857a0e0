"""Porz's criterion from computed stress intensities, with other loads as a background."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from ssbmech.fracture import porz
from ssbmech.fracture.rings import FrontResult

_MPA, _MV, _UM = 1e-6, 1e3, 1e6


@dataclass(frozen=True)
class Toughness:
    """Fracture toughness with its band [Pa m^0.5] and where it comes from."""

    value: float
    band: tuple[float, float]
    source: str


@dataclass(frozen=True)
class Judgement:
    """Whether the flaw extends, and at which pressure and overpotential it would.

    The problem is linear: K_I(s) = K_0(s) + p k(s) along the front, with K_0 of all other loads.
    The flaw extends at the least p for which K_I reaches K_IC anywhere.

    Attributes:
        critical_pressure: [Pa]; infinite when no pressure extends it.
        critical_overpotential: [V].
        margin: Critical over applied pressure.
        verdict: In words.
        pressure: Applied [Pa].
        overpotential: Applied, or in equilibrium with the pressure [V].
        Y: Geometry factor k/sqrt(pi a), or None without a flaw size.
        a: Flaw size [m] or None.
        toughness: K_IC and band.
        band: Critical pressures at the ends of the band [Pa].
        volumes: V_m and V_+ [m^3/mol].
        background: K_0 where the flaw extends first [Pa m^0.5].
        notes: What limits the answer.
    """

    critical_pressure: float
    critical_overpotential: float
    margin: float
    verdict: str
    pressure: float
    overpotential: float
    Y: float | None
    a: float | None
    toughness: Toughness
    band: tuple[float, float]
    volumes: tuple[float, float]
    background: float
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for summary.json; an infinite value becomes None."""
        out: dict[str, Any] = {
            "critical_pressure": _value(self.critical_pressure * _MPA, "MPa"),
            "critical_overpotential": _value(self.critical_overpotential * _MV, "mV"),
            "margin": _finite(self.margin),
            "verdict": self.verdict,
            "applied_pressure": _value(self.pressure * _MPA, "MPa"),
            "applied_overpotential": _value(self.overpotential * _MV, "mV"),
            "geometry_factor": self.Y,
            "flaw_size": None if self.a is None else _value(self.a * _UM, "um"),
            "K_IC": {
                **_value(self.toughness.value * _MPA, "MPa*m^0.5"),
                "band": [v * _MPA for v in self.toughness.band],
                "source": self.toughness.source,
            },
            "background_K_I": _value(self.background * _MPA, "MPa*m^0.5"),
            "critical_pressure_band": {
                "low": _finite(self.band[0] * _MPA),
                "high": _finite(self.band[1] * _MPA),
                "unit": "MPa",
            },
            "critical_overpotential_band": {
                "low": _finite(self._overpotential(self.band[0]) * _MV),
                "high": _finite(self._overpotential(self.band[1]) * _MV),
                "unit": "mV",
            },
            "notes": list(self.notes),
        }
        if self.Y is not None and self.a is not None and self.Y > 0:
            out.update(self._family())
        return out

    def _overpotential(self, pressure: float) -> float:
        return porz.overpotential_of(pressure, *self.volumes) if math.isfinite(pressure) else np.inf

    def _family(self) -> dict[str, Any]:
        """Critical values of geometrically similar flaws, without a further solve."""
        assert self.Y is not None and self.a is not None
        sizes = porz.logspace(self.a / 100, self.a * 100, 81)
        low, high = self.toughness.band
        V_m, V_plus = self.volumes
        line = porz.curve(
            sizes, self.toughness.value, self.Y, K_IC_band=self.toughness.band,
            molar_volume=V_m, partial_molar_volume=V_plus,
        )  # fmt: skip
        tough = porz.logspace(min(low, self.toughness.value) / 2, 2 * high, 41)
        table = porz.critical_map(
            sizes, tough, self.Y, molar_volume=V_m, partial_molar_volume=V_plus
        )
        return {
            "curve": {
                "a_um": [v * _UM for v in line.a],
                "critical_pressure_MPa": [v * _MPA for v in line.pressure],
                "critical_overpotential_mV": [v * _MV for v in line.overpotential],
                "critical_pressure_low_MPa": [v * _MPA for v in line.pressure_low],
                "critical_pressure_high_MPa": [v * _MPA for v in line.pressure_high],
                "for": "geometrically similar flaws under the filament's pressure alone",
            },
            "map": {
                "a_um": [v * _UM for v in sizes],
                "K_IC_MPa_sqrt_m": [v * _MPA for v in tough],
                "critical_overpotential_mV": [[v * _MV for v in row] for row in table],
            },
        }


def judge(
    fronts: list[FrontResult],
    background: list[FrontResult] | None,
    *,
    pressure: float,
    overpotential: float | None,
    toughness: Toughness,
    size: float | None,
    molar_volumes: tuple[float, float],
) -> Judgement:
    """Apply the criterion.

    Args:
        fronts: Fracture quantities under all loads; one without K is left out, with a note.
        background: The same without the filament's pressure, or None when nothing else loads.
        pressure: Applied pressure [Pa].
        overpotential: Applied overpotential [V], or None.
        toughness: K_IC.
        size: Flaw size [m].
        molar_volumes: V_m, V_+ [m^3/mol].
    """
    with_K = [i for i, f in enumerate(fronts) if "K_I" in f.values]
    K = np.concatenate([fronts[i].values["K_I"] for i in with_K])
    K0 = np.zeros_like(K)
    if background is not None:
        K0 = np.concatenate([background[i].values["K_I"] for i in with_K])
    k = (K - K0) / pressure
    notes = list(dict.fromkeys(note for f in fronts for note in f.notes))
    left_out = [f.name for f in fronts if "K_I" not in f.values]
    if left_out:
        notes.append(f"without K, and not judged: {', '.join(left_out)}")

    def critical(K_IC: float) -> tuple[float, int]:
        with np.errstate(divide="ignore", invalid="ignore"):
            p = np.where(k > 0, (K_IC - K0) / k, np.inf)
        at = int(np.argmin(p))
        return max(float(p[at]), 0.0), at

    p_c, at = critical(toughness.value)
    ends = (critical(toughness.band[0])[0], critical(toughness.band[1])[0])
    if ends[0] <= pressure < ends[1]:
        notes.append("within the range of K_IC the flaw may extend or hold")
    if size is not None and size < porz.SMALLEST_SIZE:
        notes.append(
            "the flaw is below 0.1 um, where linear elastic fracture mechanics is doubtful"
        )
    eta = overpotential
    if eta is None:
        eta = porz.overpotential_of(pressure, *molar_volumes)
    eta_c = porz.overpotential_of(p_c, *molar_volumes) if math.isfinite(p_c) else math.inf
    margin = p_c / pressure
    Y = None if size is None else float(k.max() / math.sqrt(math.pi * size))
    return Judgement(
        critical_pressure=p_c,
        critical_overpotential=eta_c,
        margin=margin,
        verdict=porz.verdict(margin),
        pressure=pressure,
        overpotential=eta,
        Y=Y,
        a=size,
        toughness=toughness,
        band=ends,
        volumes=molar_volumes,
        background=float(K0[at]),
        notes=tuple(notes),
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _value(value: float, unit: str) -> dict[str, Any]:
    return {"value": _finite(value), "unit": unit}
