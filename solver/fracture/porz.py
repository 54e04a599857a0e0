"""Porz criterion: the overpotential at which lithium plated into a flaw extends it.

At a Li surface under the compressive stress p, plating is in equilibrium when p = F Δφ/V_m. The
flaw extends when K_I = Y p sqrt(pi a) reaches K_IC. Hence p_c = K_IC/(Y sqrt(pi a)) and
Δφ_c = p_c V_m/F: a slope of -1/2 in a on logarithmic axes. Where Li+ has a partial molar volume V₊
in the electrolyte under the same pressure, V_m - V₊ stands for V_m. Overpotentials are magnitudes
of plating, positive; pressures are compressive-positive.

Source: the mechanism of Porz et al., as told in the review of Liu et al. 2021. The command-line
answer with closed forms is in `ssbmech.fracture.porz_answer`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ssbmech.errors import FractureError

#: Faraday and gas constants, exact since the SI of 2019: e N_A [C/mol] and k N_A [J/(mol K)].
FARADAY = 1.602176634e-19 * 6.02214076e23
GAS_CONSTANT = 1.380649e-23 * 6.02214076e23
#: Molar volume of lithium [m³/mol], the value of the library's set Li.
LITHIUM_MOLAR_VOLUME = 13.0e-6
#: Below this size linear elastic fracture mechanics is doubtful [m].
SMALLEST_SIZE = 1e-7

EXTENDS, HOLDS, NOT_LOADED = "extends", "holds", "no load given"


def _positive(value: float, key: str, what: str, *, zero: bool = False) -> float:
    if not (math.isfinite(value) and (value > 0.0 or (zero and value == 0.0))):
        raise FractureError(f"the {what} must be {'zero or ' if zero else ''}positive", key=key,
                            value=value, allowed="0 or more" if zero else "above 0")  # fmt: skip
    return value


def plating_pressure(
    overpotential: float,
    molar_volume: float = LITHIUM_MOLAR_VOLUME,
    partial_molar_volume: float = 0.0,
) -> float:
    """Return the pressure at which plating stops, F Δφ/(V_m - V₊) [Pa].

    Args:
        overpotential: Magnitude of the plating overpotential [V].
        molar_volume: V_m of the metal [m³/mol].
        partial_molar_volume: V₊ of its ion in the electrolyte [m³/mol].

    Returns:
        The pressure; infinite where V₊ >= V_m, because pressure then does not oppose plating.

    Raises:
        FractureError: If the overpotential is negative or the molar volume not positive.
    """
    _positive(overpotential, "overpotential", "overpotential", zero=True)
    volume = _positive(molar_volume, "molar_volume", "molar volume") - partial_molar_volume
    if overpotential == 0.0:
        return 0.0
    return FARADAY * overpotential / volume if volume > 0.0 else math.inf


def overpotential_of(
    pressure: float,
    molar_volume: float = LITHIUM_MOLAR_VOLUME,
    partial_molar_volume: float = 0.0,
) -> float:
    """Return the overpotential in equilibrium with a pressure, p (V_m - V₊)/F [V].

    Args:
        pressure: Compressive stress at the metal's surface [Pa].
        molar_volume: V_m of the metal [m³/mol].
        partial_molar_volume: V₊ of its ion in the electrolyte [m³/mol]; above V_m the sign changes.
    """
    volume = _positive(molar_volume, "molar_volume", "molar volume") - partial_molar_volume
    return pressure * volume / FARADAY


def critical_pressure(K_IC: float, Y: float, a: float) -> float:
    """Return K_IC/(Y sqrt(pi a)) [Pa].

    Args:
        K_IC: Fracture toughness [Pa√m].
        Y: Geometry factor.
        a: Size of the flaw [m].

    Raises:
        FractureError: If one of them is not positive.
    """
    _positive(K_IC, "K_IC", "fracture toughness")
    _positive(Y, "Y", "geometry factor")
    return K_IC / (Y * math.sqrt(math.pi * _positive(a, "a", "size of the flaw")))


def critical_overpotential(
    K_IC: float,
    Y: float,
    a: float,
    molar_volume: float = LITHIUM_MOLAR_VOLUME,
    partial_molar_volume: float = 0.0,
) -> float:
    """Return the overpotential at which the flaw extends [V].

    It is zero where V₊ >= V_m: any plating then builds up pressure without limit.
    """
    pressure = critical_pressure(K_IC, Y, a)
    return max(0.0, overpotential_of(pressure, molar_volume, partial_molar_volume))


def verdict(margin: float | None) -> str:
    """Return ``"extends"`` where critical over applied is at most 1, else ``"holds"``, in words."""
    if margin is None:
        return NOT_LOADED
    return EXTENDS if margin <= 1.0 else HOLDS


@dataclass(frozen=True)
class PorzResult:
    """Whether a flaw extends.

    Attributes:
        critical_pressure: Pressure at which it extends [Pa].
        critical_overpotential: Plating overpotential at which it extends [V].
        margin: Critical over applied pressure; None without a load, infinite for a zero load.
        verdict: ``"extends"``, ``"holds"`` or ``"no load given"``.
        Y: Geometry factor.
        a: Size of the flaw [m].
        K_IC: Fracture toughness [Pa√m].
        K_I: Stress intensity under the applied pressure [Pa√m], or None.
        applied_pressure: Given, or from the overpotential [Pa]; None without a load.
        applied_overpotential: Given, or in equilibrium with the pressure [V]; None without a load.
        critical_pressure_band: For the range of K_IC [Pa].
        critical_overpotential_band: For the range of K_IC [V].
        verdict_band: Verdicts at the lower and the upper end of K_IC.
        molar_volume: V_m [m³/mol].
        partial_molar_volume: V₊ [m³/mol].
        notes: What limits the answer.
    """

    critical_pressure: float
    critical_overpotential: float
    margin: float | None
    verdict: str
    Y: float
    a: float
    K_IC: float
    K_I: float | None
    applied_pressure: float | None
    applied_overpotential: float | None
    critical_pressure_band: tuple[float, float]
    critical_overpotential_band: tuple[float, float]
    verdict_band: tuple[str, str]
    molar_volume: float
    partial_molar_volume: float
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI; infinite numbers become None."""

        def plain(value: Any) -> Any:
            if isinstance(value, tuple):
                return [plain(v) for v in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}


def assess(
    K_IC: float,
    Y: float,
    a: float,
    *,
    overpotential: float | None = None,
    pressure: float | None = None,
    K_IC_band: tuple[float, float] | None = None,
    molar_volume: float = LITHIUM_MOLAR_VOLUME,
    partial_molar_volume: float = 0.0,
    notes: Sequence[str] = (),
) -> PorzResult:
    """Assess one flaw from its geometry factor, closed-form or computed.

    Args:
        K_IC: Fracture toughness [Pa√m].
        Y: K_I/(p sqrt(pi a)).
        a: Size of the flaw [m].
        overpotential: Plating overpotential [V]; not together with ``pressure``.
        pressure: Pressure in the flaw [Pa].
        K_IC_band: Range of the toughness [Pa√m].
        molar_volume: V_m [m³/mol].
        partial_molar_volume: V₊ [m³/mol].
        notes: Remarks to keep with the result.

    Raises:
        FractureError: If a value is out of range or both loads are given.
    """
    if overpotential is not None and pressure is not None:
        raise FractureError("an overpotential and a pressure are two loads", key="pressure",
                            hint="Give one of them")  # fmt: skip
    volumes = (molar_volume, partial_molar_volume)
    critical = critical_pressure(K_IC, Y, a)
    low, high = K_IC_band or (K_IC, K_IC)
    if not low <= K_IC <= high:
        raise FractureError("the toughness is outside its own range", key="K_IC", value=K_IC,
                            allowed=f"{low:g} to {high:g} Pa*m^0.5")  # fmt: skip
    applied: float | None = None
    if overpotential is not None:
        applied = plating_pressure(overpotential, *volumes)
    elif pressure is not None:
        applied = _positive(pressure, "pressure", "pressure", zero=True)
        overpotential = overpotential_of(applied, *volumes)

    def margin_of(value: float) -> float | None:
        if applied is None:
            return None
        return math.inf if applied == 0.0 else value / applied

    margin = margin_of(critical)
    ends = (critical_pressure(low, Y, a), critical_pressure(high, Y, a))
    verdicts = (verdict(margin_of(ends[0])), verdict(margin_of(ends[1])))
    remarks = list(notes)
    if a < SMALLEST_SIZE:
        remarks.append(
            f"a flaw of {a * 1e9:.3g} nm is below 0.1 µm, where linear elastic fracture mechanics "
            "is doubtful"
        )
    if partial_molar_volume >= molar_volume:
        remarks.append(
            "V₊ is not below V_m: pressure does not oppose plating, so any overpotential builds up "
            "pressure until the flaw extends"
        )
    if verdicts[0] != verdicts[1]:
        remarks.append("within the range of K_IC the flaw may extend or hold")
    return PorzResult(
        critical_pressure=critical,
        critical_overpotential=critical_overpotential(K_IC, Y, a, *volumes),
        margin=margin,
        verdict=verdict(margin),
        Y=Y,
        a=a,
        K_IC=K_IC,
        K_I=None if applied is None else Y * applied * math.sqrt(math.pi * a),
        applied_pressure=applied,
        applied_overpotential=overpotential,
        critical_pressure_band=ends,
        critical_overpotential_band=(
            critical_overpotential(low, Y, a, *volumes),
            critical_overpotential(high, Y, a, *volumes),
        ),
        verdict_band=verdicts,
        molar_volume=molar_volume,
        partial_molar_volume=partial_molar_volume,
        notes=tuple(remarks),
    )


def logspace(low: float, high: float, n: int) -> list[float]:
    """Return ``n`` >= 2 values from low to high, equally spaced on a logarithmic axis."""
    _positive(low, "low", "lower end")
    _positive(high, "high", "upper end")
    step = math.log(high / low) / (n - 1)
    return [*(low * math.exp(i * step) for i in range(n - 1)), high]


@dataclass(frozen=True)
class PorzCurve:
    """Critical values against the size, with the band of the toughness.

    Attributes:
        a: Sizes [m].
        pressure: Critical pressures [Pa].
        overpotential: Critical overpotentials [V].
        pressure_low: At the lower end of K_IC [Pa].
        pressure_high: At the upper end of K_IC [Pa].
    """

    a: list[float]
    pressure: list[float]
    overpotential: list[float]
    pressure_low: list[float]
    pressure_high: list[float]


def curve(
    sizes: Sequence[float],
    K_IC: float,
    Y: float,
    *,
    K_IC_band: tuple[float, float] | None = None,
    molar_volume: float = LITHIUM_MOLAR_VOLUME,
    partial_molar_volume: float = 0.0,
) -> PorzCurve:
    """Return critical pressure and overpotential for geometrically similar flaws (same Y)."""
    low, high = K_IC_band or (K_IC, K_IC)
    return PorzCurve(
        list(sizes),
        [critical_pressure(K_IC, Y, a) for a in sizes],
        [critical_overpotential(K_IC, Y, a, molar_volume, partial_molar_volume) for a in sizes],
        [critical_pressure(low, Y, a) for a in sizes],
        [critical_pressure(high, Y, a) for a in sizes],
    )


def critical_map(
    sizes: Sequence[float],
    toughnesses: Sequence[float],
    Y: float,
    *,
    molar_volume: float = LITHIUM_MOLAR_VOLUME,
    partial_molar_volume: float = 0.0,
) -> list[list[float]]:
    """Return critical overpotentials [V]: one row per toughness [Pa√m], one column per size [m]."""
    return [
        [critical_overpotential(k, Y, a, molar_volume, partial_molar_volume) for a in sizes]
        for k in toughnesses
    ]
