"""Kinetics of a lithium surface as stateless functions of NumPy arrays or UFL expressions.

Sign: a current density i is positive when it is anodic (stripping, Li -> Li+ + e-), from the metal
into the electrolyte. Plating is negative. Stress is positive in tension.

Source of the relations: Butler-Volmer with the work of the normal stress on the molar volume, which
is the equilibrium that the Porz criterion uses (`ssbmech.fracture.porz`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.fracture.porz import FARADAY, GAS_CONSTANT

KINETICS = ("butler_volmer", "linear", "none")


def thermal_voltage(temperature: float) -> float:
    """RT/F [V] at a temperature [K]: 25.69 mV at 298.15 K."""
    return GAS_CONSTANT * temperature / FARADAY


def stress_shift(normal_stress: Any, molar_volume: float) -> Any:
    """Shift V sigma_n/F [V] of the equilibrium overpotential phi_m - phi_e.

    Args:
        normal_stress: Normal stress of the surface [Pa], tension positive.
        molar_volume: V_m of lithium, or V_m - V_+ [m^3/mol].
    """
    return molar_volume / FARADAY * normal_stress


def driving_potential(metal: Any, electrolyte: Any, shift: Any) -> Any:
    """eta* = phi_m - phi_e - V sigma_n/F, all in one unit."""
    return metal - electrolyte - shift


def butler_volmer(eta: Any, i0: Any, beta: Any, exp: Callable[[Any], Any] = np.exp) -> Any:
    """Butler-Volmer: i = i0 {exp[(1 - beta) eta] - exp[-beta eta]}, anodic positive.

    Args:
        eta: Driving potential eta* over RT/F.
        i0: Exchange current density, in the unit of the result.
        beta: Symmetry factor, 0 to 1.
        exp: Exponential function: ``np.exp`` or ``ufl.exp``.
    """
    return i0 * (exp((1 - beta) * eta) - exp(-beta * eta))


def linear(eta: Any, conductance: Any) -> Any:
    """Linear kinetics: i = eta*/Z, anodic positive; ``conductance`` is 1/Z."""
    return conductance * eta


def behind_resistance(
    eta: Any,
    i0: Any,
    beta: Any,
    series: Any,
    exp: Callable[[Any], Any] = np.exp,
    log: Callable[[Any], Any] = np.log,
    choose: Callable[[Any, Any, Any], Any] | None = None,
) -> Any:
    """Butler-Volmer with a resistance in series, anodic positive.

    The part y of the driving potential that the kinetics have is the root of

        y + z i0 {exp[(1 - beta) y] - exp[-beta y]} = eta.

    Newton from an upper bound of abs(y), the lesser of what each term alone gives: there y is at
    most ln(2)/p too large, p the factor of the growing exponential, and seven steps end at rounding
    for every z i0. Their number is fixed, so that the expression can be a form, with derivatives.

    Args:
        eta: Driving potential of both over RT/F.
        i0: Exchange current density, in the unit of the result.
        beta: Symmetry factor, 0 to 1.
        series: z, the resistance: RT/F over the unit of the result; 0 is none.
        exp: ``np.exp`` or ``ufl.exp``.
        log: ``np.log`` or ``ufl.ln``.
        choose: Of a number and two values the first one where it is not negative, for UFL; by
            default that of NumPy.
    """
    choose = choose or _by_sign
    sign = choose(eta, 1.0, -1.0)
    p = choose(eta, 1 - beta, beta)
    size = sign * eta
    load = series * i0 + 1e-40  # that no resistance is a limit, not a division by zero
    alone = log(1 + size / load) / p
    y = choose(size - alone, alone, size)
    for _ in range(_SERIES_STEPS):
        grow, fall = load * exp(p * y), load * exp(-(1 - p) * y)
        y = y - (y + grow - fall - size) / (1 + p * grow + (1 - p) * fall)
    # the one that does not lose its digits: what the resistance has, or what the kinetics have
    ohmic = sign * (size - y) / load * i0
    return choose(load - 1, ohmic, butler_volmer(sign * y, i0, beta, exp))


def _by_sign(number: Any, positive: Any, negative: Any) -> Any:
    return np.where(np.asarray(number) >= 0, positive, negative)


#: Newton steps of `behind_resistance`.
_SERIES_STEPS = 7


def rate_and_slope(
    eta: ArrayLike, i0: float, beta: float, series: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Butler-Volmer, behind a resistance or not, and its derivative by the driving potential.

    Args:
        eta: Driving potential over RT/F.
        i0: Exchange current density, in the unit of the result.
        beta: Symmetry factor.
        series: Resistance in series, see `behind_resistance`.

    Returns:
        Current density, anodic positive, and its derivative.
    """
    y = np.asarray(eta, dtype=float)
    rate = None
    if series:
        rate = np.asarray(behind_resistance(y, i0, beta, series))
        y = y - series * rate
    with np.errstate(over="ignore"):
        anodic, cathodic = i0 * np.exp((1 - beta) * y), i0 * np.exp(-beta * y)
        slope = (1 - beta) * anodic + beta * cathodic
    if rate is None:
        return anodic - cathodic, slope
    return rate, slope / (1 + series * slope)


def exchange_current_density(resistance: float, temperature: float) -> float:
    """i0 = RT/(F Z) [A/m^2] of an area-specific resistance Z [ohm m^2]."""
    return thermal_voltage(temperature) / resistance


def area_specific_resistance(i0: float, temperature: float) -> float:
    """Z = RT/(F i0) [ohm m^2] of an exchange current density [A/m^2], at small currents."""
    return thermal_voltage(temperature) / i0


def overpotential(ratio: ArrayLike, beta: float) -> NDArray[np.float64]:
    """Driving potential over RT/F at which Butler-Volmer gives i/i0, its inverse.

    Newton on the logarithmic side of the curve, from the inverse for beta = 1/2; it converges from
    there for every symmetry factor because the larger exponential alone fixes the step.

    Args:
        ratio: i/i0, any shape.
        beta: Symmetry factor, 0 to 1.
    """
    x = np.asarray(ratio, dtype=float)
    sign, size = np.sign(x), np.abs(x)
    # i/i0 = sign exp(p |eta|) - ..., with p the factor of the growing exponential
    p = np.where(sign >= 0, 1 - beta, beta)
    eta = np.minimum(2 * np.arcsinh(size / 2), np.log1p(size) / p)
    for _ in range(60):
        fall = np.exp(-(1 - p) * eta)
        # log of the growing part against log of what it has to be: almost linear in eta
        step = (np.log(size + fall) - p * eta) / (p + (1 - p) * fall / (size + fall))
        eta = np.maximum(eta + step, 0.0)
        if np.all(np.abs(step) <= 4e-16 * np.maximum(np.abs(eta), 1e-300)):
            break
    return sign * eta


def arrhenius_factor(activation: float, temperature: float, reference: float) -> float:
    """exp[-Ea/R (1/T - 1/T_ref)], dimensionless.

    Args:
        activation: Activation energy Ea [J/mol].
        temperature: T [K].
        reference: T_ref [K].
    """
    return math.exp(-activation / GAS_CONSTANT * (1 / temperature - 1 / reference))
