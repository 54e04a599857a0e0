"""Films that grow on a plate, without finite elements: relaxation by creep, stress on growth.

The plate holds the film in its plane, nothing presses on it from above. Tension is positive, e is
the growth strain of both directions in the plane, M = E/(1 - nu).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from fronts import Floats, OneCarrier, integrate
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.special import dawsn

#: [J/(mol K)], CODATA 2018.
GAS_CONSTANT = 8.31446261815324


# -- relaxation -----------------------------------------------------------------------------------


def relaxation_time(E: float, nu: float, viscosity: float) -> float:
    """Time [s] in which equibiaxial stress relaxes at constant strain in the plane.

    With s_xx = s/3 and the mean 2 s/3 the strain rate in the plane is s'/(6 G) + 2 s'/(9 K)
    + s/(6 eta) = s' (1 - nu)/E + s/(6 eta) = 0, so tau = 6 eta (1 - nu)/E.

    Args:
        E: [Pa].
        nu: Poisson's ratio.
        viscosity: eta [Pa s] of s_dot/(2 G) + s/(2 eta) = deviator of the strain rate.
    """
    return 6.0 * viscosity * (1.0 - nu) / E


def laid_stress(
    age: ArrayLike, E: float, nu: float, growth: float, viscosity: float = math.inf
) -> Floats:
    """In-plane stress [Pa] of product laid down ``age`` [s] ago: -E e/(1 - nu) exp(-age/tau)."""
    tau = relaxation_time(E, nu, viscosity)
    return -E * growth / (1.0 - nu) * np.exp(-np.asarray(age, float) / tau)


def laid_stress_norton(
    age: ArrayLike, E: float, nu: float, growth: float, A: float, n: float
) -> Floats:
    """The same with Norton's creep, equivalent rate A q^n: the plane takes half of it.

    |s|' = -M A |s|^n/2, so |s|^(1-n) = (M |e|)^(1-n) + (n - 1) M A age/2, M = E/(1 - nu), n > 1.
    """
    M, t = E / (1.0 - nu), np.asarray(age, float)
    first = M * abs(growth)
    size = first * (1.0 + 0.5 * (n - 1.0) * M * A * t * first ** (n - 1.0)) ** (-1.0 / (n - 1.0))
    return -math.copysign(1.0, growth) * size


def film_force(
    time: float,
    thickness: Callable[[float], float],
    E: float,
    nu: float,
    growth: float,
    viscosity: float,
    *,
    relaxed_start: bool = False,
) -> float:
    """Force per width N [N/m] of a film that grows by thickness(t) on a rigid plate, and relaxes.

    N = int s(t - t0) d(delta), by parts -M e (delta(t) - int exp(-(t - t0)/tau) delta(t0) dt0/tau),
    which needs no rate. In small strain ``thickness`` is the depth of electrolyte used up.

    Args:
        time: t [s].
        thickness: delta(t) [m] from t = 0 on.
        E: [Pa].
        nu: Poisson's ratio.
        growth: e in the plane.
        viscosity: [Pa s].
        relaxed_start: Whether what is there at t = 0 carries no stress; else as if just laid down.
    """
    tau, M = relaxation_time(E, nu, viscosity), E / (1.0 - nu)

    def faded(root: float) -> float:  # t0 = root^2: smooth also where delta starts as sqrt(t)
        return 2.0 * root * math.exp(-(time - root**2) / tau) * thickness(root**2) / tau

    near = math.sqrt(max(time - 40.0 * tau, 0.0))  # what is older counts nothing
    fades = quad(faded, near, math.sqrt(time), epsrel=1e-12, limit=400)[0]
    old = thickness(0.0) * math.exp(-time / tau) if relaxed_start else 0.0
    return -M * growth * (thickness(time) - fades - old)


def film_force_parabolic(
    time: ArrayLike, k: float, E: float, nu: float, growth: float, viscosity: float
) -> Floats:
    """N [N/m] for delta = sqrt(2 k t): -M e sqrt(2 k tau) D(sqrt(t/tau)), D Dawson's integral."""
    tau = relaxation_time(E, nu, viscosity)
    root = np.sqrt(np.asarray(time, float) / tau)
    return -E * growth / (1.0 - nu) * math.sqrt(2.0 * k * tau) * dawsn(root)


# -- stress on growth -----------------------------------------------------------------------------


@dataclass(frozen=True)
class StressedFilm:
    """Growth on a plate against the work of expansion.

    Attributes:
        E: Of the product [Pa].
        nu: Poisson's ratio.
        growth: e in the plane, of both directions.
        energy: G set free per mole of electrolyte [J/mol].
        molar_volume: Of the electrolyte [m^3/mol].
        plate: M_p h_p of the plate, biaxial modulus times thickness [Pa m], inf: rigid.
        plate_thickness: h_p [m].
    """

    E: float
    nu: float
    growth: float
    energy: float
    molar_volume: float
    plate: float = math.inf
    plate_thickness: float = math.inf

    def work(self, thickness: ArrayLike) -> Floats:
        """Work per volume of electrolyte [Pa]: (s_film + s_plate)/2 in each of two directions.

        One strain x in film and plate, M (x - e) delta + M_p h_p x = 0; rigid: w = -M e^2.
        What is laid down last has not relaxed: creep of the film does not change w on a rigid
        plate.
        """
        M, d = self.E / (1.0 - self.nu), np.asarray(thickness, float)
        share = M * d / self.plate
        film = -M * self.growth / (1.0 + share)
        return self.growth * (film - film * d / self.plate_thickness)

    def factor(self, thickness: ArrayLike = 0.0) -> Floats:
        """Of the whole rate, max(1 + w V/G, 0)."""
        w = self.work(thickness)
        return np.maximum(1.0 + w * self.molar_volume / self.energy, 0.0)

    def thickness(self, law: OneCarrier, start: float, times: ArrayLike) -> Floats:
        """delta [m] at times [s]: the closed form on a rigid plate, DOP853 on any other.

        Rigid: delta/k_s + delta^2/(2 k) from start to now is (1 + w V/G) t.
        """
        t = np.atleast_1d(np.asarray(times, float))
        if math.isinf(self.plate):
            from_start = law.k / law.k_s + start
            grown = 2.0 * law.k * self.factor() * t
            return start + grown / (from_start + np.sqrt(from_start**2 + grown))

        def rate(_: float, x: Floats) -> Floats:
            d = x * 1e-9
            return 1e9 * self.factor(d) / (1.0 / law.k_s + d / law.k)

        return 1e-9 * integrate(rate, start * 1e9, t)


def activation_factor(work: ArrayLike, volume: float, temperature: float) -> Floats:
    """Of k_s alone: exp(V* w/(R T)), w [Pa], V* [m^3/mol]."""
    return np.exp(np.asarray(work, float) * volume / (GAS_CONSTANT * temperature))
