"""Growth laws of a reaction layer: how thick it is after a time under given conditions.

Every law is d(delta)/dt = (A + B delta)/(a + b delta) and has an exact step (`step.Rational`), on
one point or on n at once. The thickness is that of the product layer as it lies there, grown free
in its normal direction; the depth of electrolyte it has used up is smaller (`expansion`).

    stable          0
    parabolic       k/delta                                    delta^2 = delta0^2 + 2 k t
    mixed control   1/(1/k_s + delta/k)                        delta/k_s + delta^2/(2 k) = t
    self-limiting   k (1/delta - 1/limit), k_s in series       parabolic at first, then the limit
    MIEC            v (U + i delta/s_i)/(R + delta/s_a)        Wagner, with the current i
    current-driven  v x i, on top of a chemical law or alone
    window          v w/(R + delta/s_a), w volts outside the window

Parabolic and mixed control as in the reviews of interphases. The MIEC law is the two-carrier layer
(`two_carrier`) with the reaction at its inner boundary: C. Wagner, Z. Phys. Chem. B 21 (1933) 25,
for zero current. The self-limiting law is the simplest one that is parabolic at first and ends at a
thickness; only that thickness is measured, so its approach to the end is an assumption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import MaterialError
from ssbmech.fracture.porz import FARADAY, GAS_CONSTANT
from ssbmech.interphase.step import Rational
from ssbmech.materials.flow import positive


@dataclass(frozen=True)
class Conditions:
    """What a step of growth happens under; numbers or one per point.

    Attributes:
        drive: Factor of the whole driving force: 1 without stress, 0 where stress has stopped it.
        reaction: Factor of the rate of the reaction alone (an activation barrier under stress).
        current_density: Through the layer [A/m^2], plating positive.
        potential: Of the electrode against lithium [V], which the window law needs.
    """

    drive: ArrayLike = 1.0
    reaction: ArrayLike = 1.0
    current_density: ArrayLike = 0.0
    potential: ArrayLike | None = None


#: Without stress and without current.
AT_REST = Conditions()


class GrowthLaw(Protocol):
    """How a layer grows."""

    @property
    def has_reaction(self) -> bool:
        """Whether a finite rate of reaction is part of the law, which stress can act on alone."""

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """The law under these conditions."""

    def rate(self, thickness: ArrayLike, now: Conditions = AT_REST) -> NDArray:
        """d(delta)/dt [m/s] at a thickness [m]."""

    def advance(self, thickness: ArrayLike, dt: ArrayLike, now: Conditions = AT_REST) -> NDArray:
        """Thickness [m] after ``dt`` [s] of constant conditions."""


class _Law:
    """What all laws share once their coefficients are known."""

    has_reaction = False

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        raise NotImplementedError

    def rate(self, thickness: ArrayLike, now: Conditions = AT_REST) -> NDArray:
        """d(delta)/dt [m/s] at a thickness [m]."""
        return self.coefficients(now).rate(thickness)

    def advance(self, thickness: ArrayLike, dt: ArrayLike, now: Conditions = AT_REST) -> NDArray:
        """Thickness [m] after ``dt`` [s] of constant conditions, exact; a layer never shrinks."""
        return self.coefficients(now).advance(thickness, dt)


@dataclass(frozen=True)
class Stable(_Law):
    """Nothing reacts."""

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """No drive."""
        return Rational(np.zeros_like(np.asarray(now.drive, float)), 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Parabolic(_Law):
    """Transport through the layer controls.

    Attributes:
        k: Growth constant [m^2/s], delta^2 = 2 k t. Some authors' constant is 2 k.
    """

    k: float

    def __post_init__(self) -> None:
        positive("parabolic", k=self.k)

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """k/delta."""
        return Rational(np.asarray(now.drive, float), 0.0, 0.0, 1.0 / self.k)


@dataclass(frozen=True)
class MixedControl(_Law):
    """Reaction and transport in series.

    Attributes:
        k_s: Rate of the reaction alone [m/s]; controls while delta is below k/k_s.
        k: Growth constant of transport alone [m^2/s].
    """

    k_s: float
    k: float
    has_reaction = True

    def __post_init__(self) -> None:
        positive("mixed_control", k_s=self.k_s, k=self.k)

    @property
    def crossover(self) -> float:
        """Thickness [m] at which reaction and transport resist equally."""
        return self.k / self.k_s

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """1/(1/k_s + delta/k)."""
        slow = 1.0 / (self.k_s * np.asarray(now.reaction, float))
        return Rational(np.asarray(now.drive, float), 0.0, slow, 1.0 / self.k)


@dataclass(frozen=True)
class SelfLimiting(_Law):
    """An electronically insulating layer: parabolic at first, ends at a thickness.

    Attributes:
        limit: Final thickness [m].
        k: Growth constant of the beginning [m^2/s].
        k_s: Rate of the reaction alone [m/s]; inf where only transport controls.
    """

    limit: float
    k: float
    k_s: float = math.inf

    def __post_init__(self) -> None:
        positive("self_limiting", limit=self.limit, k=self.k)
        if not self.k_s > 0.0:
            raise MaterialError("must be positive", key="self_limiting.k_s", value=self.k_s,
                                allowed="above 0, or infinite")  # fmt: skip

    @property
    def has_reaction(self) -> bool:  # type: ignore[override]
        """Whether the reaction has a finite rate."""
        return math.isfinite(self.k_s)

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """(1 - delta/limit)/(1/k_s + delta/k)."""
        drive = np.asarray(now.drive, float)
        slow = 1.0 / (self.k_s * np.asarray(now.reaction, float))
        return Rational(drive, -drive / self.limit, slow, 1.0 / self.k)


@dataclass(frozen=True)
class MIEC(_Law):
    """A mixed conductor: lithium passes as ions and electrons and reacts at the inner boundary.

    Attributes:
        ionic_conductivity: s_i of the layer [S/m].
        electronic_conductivity: s_e of the layer [S/m]; s_a = s_i s_e/(s_i + s_e).
        potential_drop: U [V]: the potential against lithium at which the electrolyte is reduced.
        volume_per_lithium: Volume of product per mole of Li it took [m^3/mol].
        reaction_resistance: R of the reaction at the inner boundary [ohm m^2].
        interface_resistance: Z of lithium's own interface [ohm m^2], which the flux passes too.
    """

    ionic_conductivity: float
    electronic_conductivity: float
    potential_drop: float
    volume_per_lithium: float
    reaction_resistance: float = 0.0
    interface_resistance: float = 0.0
    has_reaction = True

    def __post_init__(self) -> None:
        positive(
            "miec", ionic_conductivity=self.ionic_conductivity,
            electronic_conductivity=self.electronic_conductivity,
            potential_drop=self.potential_drop, volume_per_lithium=self.volume_per_lithium,
        )  # fmt: skip
        _not_negative("miec", reaction_resistance=self.reaction_resistance,
                      interface_resistance=self.interface_resistance)  # fmt: skip

    @property
    def ambipolar_conductivity(self) -> float:
        """s_a [S/m] of neutral lithium."""
        return ambipolar(self.ionic_conductivity, self.electronic_conductivity)

    @property
    def volume_per_charge(self) -> float:
        """Volume of product per charge, v [m^3/C]."""
        return self.volume_per_lithium / FARADAY

    @property
    def k(self) -> float:
        """Growth constant [m^2/s] where transport controls: V s_a U/F."""
        return self.volume_per_charge * self.ambipolar_conductivity * self.potential_drop

    @property
    def k_s(self) -> float:
        """Rate [m/s] where the interfaces control, V U/(F (R + Z)); inf if they do not resist."""
        R = self.reaction_resistance + self.interface_resistance
        return self.volume_per_charge * self.potential_drop / R if R else math.inf

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """The rate v (U + i (Z + delta/s_i))/(R + Z + delta/s_a): see `two_carrier`."""
        v, i = self.volume_per_charge, np.asarray(now.current_density, float)
        R = self.reaction_resistance / np.asarray(now.reaction, float)
        return Rational(
            v * (self.potential_drop * np.asarray(now.drive) + i * self.interface_resistance),
            v * i / self.ionic_conductivity,
            R + self.interface_resistance,
            1.0 / self.ambipolar_conductivity,
        )


@dataclass(frozen=True)
class CurrentDriven(_Law):
    """A share of the charge that passes makes the layer, on top of a chemical law or alone.

    Attributes:
        volume_per_lithium: Volume of product per mole of Li [m^3/mol].
        share: Share of the plating current that reacts, 0 to 1.
        chemical: Growth without current beside it, or None.
        both: Whether stripping makes the layer thicker too.
    """

    volume_per_lithium: float
    share: float
    chemical: Parabolic | MixedControl | SelfLimiting | None = None
    both: bool = False

    def __post_init__(self) -> None:
        positive("current_driven", volume_per_lithium=self.volume_per_lithium, share=self.share)
        if self.share > 1.0:
            raise MaterialError("is out of range", key="current_driven.share", value=self.share,
                                allowed="above 0, at most 1")  # fmt: skip

    @property
    def has_reaction(self) -> bool:  # type: ignore[override]
        """Whether the chemical law beside it has a reaction."""
        return self.chemical is not None and self.chemical.has_reaction

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """The sum c + (A + B delta)/(a + b delta), c = v x i, over one denominator."""
        i = np.asarray(now.current_density, float)
        used = np.abs(i) if self.both else np.maximum(i, 0.0)
        c = self.volume_per_lithium / FARADAY * self.share * used
        if self.chemical is None:
            return Rational(c, 0.0, 1.0, 0.0)
        law = self.chemical.coefficients(now)
        return Rational(
            law.drive + c * law.resistance, law.drive_slope + c * law.resistance_slope,
            law.resistance, law.resistance_slope,
        )  # fmt: skip


@dataclass(frozen=True)
class WindowSource(_Law):
    """The electrolyte decomposes while the electrode is outside its window.

    What drives is how far outside it is; what resists is the layer, as in the MIEC law.

    Attributes:
        reduction: Lower end of the window [V against lithium].
        oxidation: Upper end [V].
        volume_per_lithium: Volume of product per mole of charge [m^3/mol].
        conductivity: Ambipolar conductivity of the product [S/m].
        reaction_resistance: [ohm m^2].
    """

    reduction: float
    oxidation: float
    volume_per_lithium: float
    conductivity: float
    reaction_resistance: float = 0.0
    has_reaction = True

    def __post_init__(self) -> None:
        if not self.reduction < self.oxidation:
            raise MaterialError(
                "the window is reversed", key="window.reduction", value=self.reduction,
                allowed=f"below the oxidation potential, {self.oxidation:g} V",
            )  # fmt: skip
        positive("window", volume_per_lithium=self.volume_per_lithium,
                 conductivity=self.conductivity)  # fmt: skip
        _not_negative("window", reaction_resistance=self.reaction_resistance)

    def outside(self, potential: ArrayLike) -> NDArray:
        """How far a potential [V] lies outside the window [V]; 0 inside."""
        E = np.asarray(potential, float)
        return np.maximum(np.maximum(self.reduction - E, E - self.oxidation), 0.0)

    def coefficients(self, now: Conditions = AT_REST) -> Rational:
        """The rate v w/(R + delta/s)."""
        if now.potential is None:
            raise MaterialError("the window law needs the potential of the electrode",
                                key="window.potential")  # fmt: skip
        return self._driven_by(self.outside(now.potential) * np.asarray(now.drive), now)

    def _driven_by(self, drive: ArrayLike, now: Conditions) -> Rational:
        v = self.volume_per_lithium / FARADAY
        R = self.reaction_resistance / np.asarray(now.reaction, float)
        return Rational(v * np.asarray(drive), 0.0, R, 1.0 / self.conductivity)

    def dose(self, times: ArrayLike, potentials: ArrayLike) -> float:
        """Volt-seconds outside the window of a curve of straight pieces [V s], exact.

        Args:
            times: Rising [s], (n,).
            potentials: [V against lithium], (n,).
        """
        t, E = np.asarray(times, float), np.asarray(potentials, float)
        total = 0.0
        for dt, E0, E1 in zip(np.diff(t), E[:-1], E[1:], strict=True):
            low = _ramp(self.reduction - E0, self.reduction - E1)
            total += float(dt) * (low + _ramp(E0 - self.oxidation, E1 - self.oxidation))
        return total

    def cycles(
        self, thickness: float, times: ArrayLike, potentials: ArrayLike, n: int = 1
    ) -> NDArray:
        """Thickness [m] after each of ``n`` equal cycles, (n,), exact for straight pieces.

        The order in which the volts are applied does not matter: t enters as the integral of w dt.

        Args:
            thickness: At the start [m].
            times: Of one cycle [s], (m,).
            potentials: [V against lithium], (m,).
            n: Number of cycles.
        """
        law = self._driven_by(self.dose(times, potentials), AT_REST)
        return law.advance(thickness, np.arange(1.0, n + 1.0))


def _ramp(a: float, b: float) -> float:
    """Mean of max(x, 0) where x goes straight from a to b."""
    if a <= 0.0 and b <= 0.0:
        return 0.0
    if a >= 0.0 and b >= 0.0:
        return 0.5 * (a + b)
    top = max(a, b)
    return 0.5 * top * top / abs(a - b)


def _not_negative(law: str, **values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise MaterialError("must not be negative", key=f"{law}.{name}", value=value,
                                allowed="0 or more")  # fmt: skip


def ambipolar(ionic: ArrayLike, electronic: ArrayLike) -> float:
    """Conductivity of neutral lithium s_i s_e/(s_i + s_e) [S/m]."""
    s_i, s_e = float(np.asarray(ionic)), float(np.asarray(electronic))
    return s_i * s_e / (s_i + s_e)


def arrhenius(energy: float, temperature: float, reference: float) -> float:
    """exp(-Q/R (1/T - 1/T_ref)).

    Args:
        energy: Q [J/mol].
        temperature: T [K].
        reference: T_ref [K], at which the value holds.
    """
    for name, value in (("temperature", temperature), ("reference_temperature", reference)):
        if not (math.isfinite(value) and value > 0.0):
            raise MaterialError("must be positive", key=name, value=value, allowed="above 0 K")
    return math.exp(-energy / GAS_CONSTANT * (1.0 / temperature - 1.0 / reference))
