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
