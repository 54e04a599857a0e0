"""Stress on the reaction: the work of expansion slows or speeds the growth of a layer.

Where the front moves, the electrolyte becomes product with the growth strain e*. Per volume the
stress does the work w = <s>:e* (J. D. Eshelby, J. Elast. 5 (1975) 321; F. Larche, J. W. Cahn, Acta
Metall. 21 (1973) 1051), where <s> is the mean of the stresses on the two sides of the front; exact
for equal stiffness. Tension is positive: compression on an expanding reaction makes w negative.

    driving force   affinity (G + V w)/G, clipped at 0: the whole rate, reaction and transport
    activation      exp(V* s_n/(R T)) on the rate of the reaction alone, s_n a stress, V* a volume
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import MaterialError, SolverError
from ssbmech.fracture.porz import GAS_CONSTANT
from ssbmech.interphase.expansion import Expansion
from ssbmech.interphase.laws import AT_REST, Conditions, GrowthLaw
from ssbmech.materials.flow import positive


class Coupling(Protocol):
    """What stress does to the conditions of growth."""

    def conditions(self, work: ArrayLike, now: Conditions = AT_REST) -> Conditions:
        """Conditions under stress.

        Args:
            work: w = <s>:e* [Pa], of the reaction's expansion, (n,) or a number.
            now: What else acts.
        """


@dataclass(frozen=True)
class DrivingForce:
    """Work of expansion adds to the energy that the reaction sets free; below 0 growth stops.

    Attributes:
        energy: G [J/mol of electrolyte], set free without stress, positive.
        molar_volume: V of the electrolyte [m^3/mol] in the same moles.
    """

    energy: float
    molar_volume: float

    def __post_init__(self) -> None:
        positive("stress", reaction_energy=self.energy, molar_volume=self.molar_volume)

    @property
    def stopping_work(self) -> float:
        """Work [Pa] at which growth stops, negative."""
        return -self.energy / self.molar_volume

    def conditions(self, work: ArrayLike, now: Conditions = AT_REST) -> Conditions:
        """Affinity over its value without stress, not below 0."""
        factor = np.maximum(1.0 + np.asarray(work, float) * self.molar_volume / self.energy, 0.0)
        return replace(now, drive=np.asarray(now.drive) * factor)


@dataclass(frozen=True)
class Activation:
    """Stress raises or lowers the barrier of the reaction.

    Attributes:
        volume: V* [m^3/mol]; the work of expansion per volume times this over R T is the exponent.
        temperature: [K].
    """

    volume: float
    temperature: float

    def __post_init__(self) -> None:
        positive("stress", activation_volume=self.volume, temperature=self.temperature)

    def conditions(self, work: ArrayLike, now: Conditions = AT_REST) -> Conditions:
        """exp(V* w/(R T)) on the reaction."""
        factor = np.exp(np.asarray(work, float) * self.volume / (GAS_CONSTANT * self.temperature))
        return replace(now, reaction=np.asarray(now.reaction) * factor)


def front_work(inside: ArrayLike, outside: ArrayLike, growth: ArrayLike) -> NDArray:
    """Work (s_in + s_out)/2 : e* [Pa] of a front.

    Args:
        inside: Stress of the product at the front [Pa], (n, 3, 3), tension positive.
        outside: Stress of the electrolyte there, (n, 3, 3).
        growth: e*, (n, 3, 3) or (3, 3).
    """
    mean = 0.5 * (np.asarray(inside, float) + np.asarray(outside, float))
    return np.einsum("...ij,...ij->...", mean, np.broadcast_to(growth, mean.shape))


@dataclass(frozen=True)
class Film:
    """A layer that grows on a plate: in-plane growth strain, held by the plate, free above.

    Attributes:
        E: Young's modulus of the layer [Pa].
        nu: Its Poisson's ratio.
        expansion: Its growth.
        plate_modulus: E/(1 - nu) of the plate [Pa]; inf: rigid.
        plate_thickness: [m], inf: free of stress. It stays flat (held, or a layer on both sides).
    """

    E: float
    nu: float
    expansion: Expansion
    plate_modulus: float = math.inf
    plate_thickness: float = math.inf

    def __post_init__(self) -> None:
        positive("film", E=self.E)
        for name in ("plate_modulus", "plate_thickness"):
            value = getattr(self, name)
            if not value > 0.0:
                raise MaterialError("must be positive", key=f"film.{name}", value=value,
                                    allowed="above 0, or infinite")  # fmt: skip
        if not -1.0 < self.nu < 0.5:
            raise MaterialError("Poisson's ratio is outside its range", key="film.nu",
                                value=self.nu, allowed="above -1 and below 0.5")  # fmt: skip

    def stress(self, thickness: ArrayLike) -> NDArray:
        """In-plane stress [Pa] of the layer: -E e/(1 - nu)/(1 + M delta/(M_p h_p)).

        The denominator is the balance of forces with the plate, 1 where the plate is rigid.

        Args:
            thickness: delta [m].
        """
        M = self.E / (1.0 - self.nu)
        share = M * np.asarray(thickness, float) / (self.plate_modulus * self.plate_thickness)
        return -M * self.expansion.in_plane / (1.0 + share)

    def plate_stress(self, thickness: ArrayLike) -> NDArray:
        """In-plane stress [Pa] of the plate, which balances the layer's."""
        delta = np.asarray(thickness, float)
        return -self.stress(delta) * delta / self.plate_thickness

    def work(self, thickness: ArrayLike) -> NDArray:
        """Work [Pa] at the front: half of 2 s e for the layer, half for the plate."""
        mean = 0.5 * (self.stress(thickness) + self.plate_stress(thickness))
        return 2.0 * self.expansion.in_plane * mean


def coupled_step(
    law: GrowthLaw,
    coupling: Coupling,
    work_at: Callable[[NDArray], ArrayLike],
    thickness: ArrayLike,
    dt: float,
    now: Conditions = AT_REST,
    *,
    theta: float = 0.5,
) -> NDArray:
    """A step of growth under the stress that the growth makes: the fixed point of the rate.

    delta = advance(delta0, dt, conditions(w)), w at delta0 + theta (delta - delta0). ``theta`` 0.5
    is second order in dt, 1 is implicit Euler; both are exact where the work does not change. The
    root lies between no growth and growth under the most favourable work seen, and is bisected with
    secant steps, so that it is found for any law and any sign.

    Args:
        law: Growth law.
        coupling: What stress does.
        work_at: Thickness [m], (n,), to work of expansion [Pa], (n,); continuous.
        thickness: delta0 [m], (n,) or a number.
        dt: [s].
        now: What else acts.
        theta: 0.5 or 1.

    Raises:
        SolverError: If no root is found.
    """
    start = np.atleast_1d(np.asarray(thickness, float))

    def grown(end: NDArray) -> NDArray:
        work = np.asarray(work_at(start + theta * (end - start)), float)
        return np.asarray(law.advance(start, dt, coupling.conditions(work, now)))

    low, high = start.copy(), np.maximum(grown(start), start)
    for _ in range(60):  # the end of the bracket: no growth beyond itself
        over = grown(high) > high
        if not over.any():
            break
        high = np.where(over, start + 2.0 * (high - start), high)
    else:
        raise SolverError("growth speeds itself up without end", key="interphase.stress",
                          hint="A shorter step, or a larger reaction energy")  # fmt: skip
    return _root(lambda x: x - grown(x), low, high).reshape(np.shape(thickness))


def _root(f: Callable[[NDArray], NDArray], low: NDArray, high: NDArray) -> NDArray:
    """Roots of n functions, f(low) <= 0 <= f(high), by the Illinois method."""
    f_low, f_high = f(low), f(high)
    side = np.zeros(low.shape, int)
    x = high
    for _ in range(200):
        gap = f_high - f_low
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.where(gap > 0.0, high - f_high * (high - low) / gap, high)
        x = np.clip(x, low, high)
        value = f(x)
        up = value > 0.0
        f_low = np.where(up & (side == 1), 0.5 * f_low, f_low)
        f_high = np.where(~up & (side == -1), 0.5 * f_high, f_high)
        low, f_low = np.where(up, low, x), np.where(up, f_low, value)
        high, f_high = np.where(up, x, high), np.where(up, value, f_high)
        side = np.where(up, 1, -1)
        settled = (np.abs(value) <= 4e-16 * np.abs(x)) | (high - low <= 4e-16 * np.abs(high))
        if settled.all():
            return x
    raise SolverError("growth under stress was not solved", key="interphase.stress",
                      value=float(np.max(np.abs(value))))  # fmt: skip
