"""The reaction layer on an electrode: grows under its mean current, resists in series with it.

The resistance of the electrode is its own in series with delta/s_i at every point. The thickness is
one number per electrode, grown under its mean current density i (plating positive). The laws are
exact while i is constant (`laws`); so is `window` here: the potential against lithium beside the
layer, where the electrolyte is, is E = -i (Z + delta/s_i), linear in delta, and a layer that is
reduced under it grows like one of the MIEC law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ssbmech.fracture.porz import FARADAY
from ssbmech.interphase.laws import Conditions, GrowthLaw, WindowSource
from ssbmech.interphase.resistance import layer_resistance
from ssbmech.interphase.step import Rational


@dataclass(frozen=True)
class Layer:
    """A reaction layer on an electrode.

    Attributes:
        electrode: Its name.
        law: How it grows.
        conductivity: s_i of the layer [S/m].
        initial: Thickness at the start [m].
        own: Area-specific resistance Z of the electrode without it, at small currents [ohm m^2].
    """

    electrode: str
    law: GrowthLaw
    conductivity: float
    initial: float
    own: float = 0.0

    def resistance(self, thickness: Any) -> float:
        """delta/s_i [ohm m^2] at a thickness [m]."""
        return float(layer_resistance(thickness, self.conductivity))

    def grown(self, thickness: float, dt: float, density: float) -> float:
        """Thickness [m] after ``dt`` [s] of a mean current density [A/m^2], plating positive."""
        return float(self._law(density, thickness).advance(thickness, dt))

    def _law(self, density: float, thickness: float) -> Rational:
        law = self.law
        if not isinstance(law, WindowSource):
            return law.coefficients(Conditions(current_density=density))
        v, i = law.volume_per_lithium / FARADAY, density
        above = -i * (self.own + thickness / self.conductivity) > law.oxidation
        # a layer does not change the side on which it leaves the window: it stops growing in it
        w, slope = law.reduction + i * self.own, i / self.conductivity
        if above:
            w, slope = -i * self.own - law.oxidation, -slope
        return Rational(v * w, v * slope, law.reaction_resistance, 1.0 / law.conductivity)


@dataclass(frozen=True)
class Grown:
    """A layer at a moment.

    Attributes:
        layer: What it is.
        thickness: [m].
        density: Mean current density of its electrode [A/m^2], plating positive.
    """

    layer: Layer
    thickness: float
    density: float = 0.0

    @property
    def resistance(self) -> float:
        """[ohm m^2]."""
        return self.layer.resistance(self.thickness)

    @property
    def voltage(self) -> float:
        """Its part of the potential of the electrode's metal [V]: negative while lithium plates."""
        return -self.density * self.resistance
