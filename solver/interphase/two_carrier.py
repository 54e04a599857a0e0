"""A planar layer that conducts ions and electrons: where lithium can form in it, and what reacts.

x = 0 at the lithium, x = delta at the electrolyte, which conducts ions only. With constant
conductivities and no source inside, both potentials are straight lines. Currents are counted along
+x, so that plating with i > 0 is the total current -i:

    ions      J_i = -s_i phi_i' = -(i - r)        electrons  J_e = -s_e phi_e' = -r
    potential of lithium E = phi_e - phi_i,       E' = r/s_a - i/s_i,    1/s_a = 1/s_i + 1/s_e

r is the current of the reaction (or of the deposition) at x = delta, which takes one ion and one
electron. With Z at the lithium, E(0) = -Z (i - r), and E(delta) = U - R r at the inner boundary,

    r = (U + i (Z + delta/s_i))/(R + Z + delta/s_a),  not negative.

U is the potential of reduction of the electrolyte (growth), or minus the overpotential that lithium
needs to form at the inner boundary (deposition). Without R and Z, r = s_a U/delta + t_e i: plating
drives the reaction with the share t_e = s_e/(s_i + s_e) of its current. Where E < 0 lithium can
form: from x = 0 up to where the line crosses zero, or everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.interphase.laws import _not_negative, ambipolar
from ssbmech.materials.flow import positive


@dataclass(frozen=True)
class LayerState:
    """The planar layer under current.

    Attributes:
        plating: i [A/m^2], all that passes.
        reaction: r [A/m^2] at the inner boundary.
        at_lithium: i - r [A/m^2]: what is plated at lithium's own surface; negative: stripped.
        E_lithium: Potential of lithium at x = 0 [V].
        E_inner: At x = delta [V].
        thickness: delta [m].
        ionic_drop: phi_i(delta) - phi_i(0) [V].
        electronic_drop: phi_e(delta) - phi_e(0) [V].
    """

    plating: float
    reaction: float
    at_lithium: float
    E_lithium: float
    E_inner: float
    thickness: float
    ionic_drop: float
    electronic_drop: float

    def lithium_potential(self, x: ArrayLike) -> NDArray:
        """E [V] at depths x [m]."""
        share = np.asarray(x, float) / self.thickness
        return self.E_lithium + (self.E_inner - self.E_lithium) * share

    def range_below(self, threshold: float = 0.0) -> tuple[float, float] | None:
        """Depths [m] between which E is below a threshold [V], or None.

        Args:
            threshold: 0 V; below it by p V_m/F where lithium has to make its place under p, and
                by the overpotential of a nucleus.
        """
        a, b = self.E_lithium - threshold, self.E_inner - threshold
        if a >= 0.0 and b >= 0.0:
            return None
        cross = self.thickness * a / (a - b) if a != b else 0.0
        return (0.0 if a < 0.0 else cross, self.thickness if b < 0.0 else cross)

    @property
    def deposition_depth(self) -> float:
        """How deep below lithium's surface lithium can form [m]; 0: nowhere inside."""
        found = self.range_below()
        return 0.0 if found is None else found[1]


@dataclass(frozen=True)
class TwoCarrierLayer:
    """A planar mixed-conducting layer.

    Attributes:
        thickness: delta [m].
        ionic_conductivity: s_i [S/m].
        electronic_conductivity: s_e [S/m].
        interface_resistance: Z at lithium [ohm m^2].
    """

    thickness: float
    ionic_conductivity: float
    electronic_conductivity: float
    interface_resistance: float = 0.0

    def __post_init__(self) -> None:
        positive("layer", thickness=self.thickness, ionic_conductivity=self.ionic_conductivity,
                 electronic_conductivity=self.electronic_conductivity)  # fmt: skip
        _not_negative("layer", interface_resistance=self.interface_resistance)

    @property
    def ionic_transference(self) -> float:
        """t_i = s_i/(s_i + s_e)."""
        return self.ionic_conductivity / (self.ionic_conductivity + self.electronic_conductivity)

    @property
    def ambipolar_conductivity(self) -> float:
        """s_a [S/m]."""
        return ambipolar(self.ionic_conductivity, self.electronic_conductivity)

    @property
    def ionic_resistance(self) -> float:
        """delta/s_i [ohm m^2]: what the layer adds to the cell while electrons are blocked."""
        return self.thickness / self.ionic_conductivity

    @property
    def total_resistance(self) -> float:
        """delta/(s_i + s_e) [ohm m^2]: while both carriers pass at both sides."""
        return self.thickness / (self.ionic_conductivity + self.electronic_conductivity)

    def blocked(self, plating: float) -> LayerState:
        """No electrons pass the inner boundary: nothing reacts there.

        Args:
            plating: i [A/m^2], positive when lithium is plated.
        """
        return self._state(plating, 0.0)

    def reacting(self, plating: float, potential: float, resistance: float = 0.0) -> LayerState:
        """The electrolyte is reduced at the inner boundary.

        Args:
            plating: i [A/m^2].
            potential: U, against lithium, at which it is reduced [V].
            resistance: R of the reaction [ohm m^2].
        """
        R = resistance + self.interface_resistance + self.thickness / self.ambipolar_conductivity
        drive = potential + plating * (self.interface_resistance + self.ionic_resistance)
        return self._state(plating, max(drive / R, 0.0))

    def depositing(
        self, plating: float, overpotential: float = 0.0, resistance: float = 0.0
    ) -> LayerState:
        """Lithium forms at the inner boundary once E there is below minus an overpotential.

        Args:
            plating: i [A/m^2].
            overpotential: That lithium needs to form there [V], positive: p V_m/F and a nucleus.
            resistance: Of the deposition [ohm m^2].
        """
        return self.reacting(plating, -overpotential, resistance)

    def critical_current(self, overpotential: float) -> float:
        """Plating current [A/m^2] above which lithium forms at the inner boundary, electrons there.

        Args:
            overpotential: That it needs [V], positive.
        """
        resistance = self.interface_resistance + self.ionic_resistance
        return overpotential / resistance if overpotential > 0.0 else math.copysign(0.0, 1.0)

    def _state(self, i: float, r: float) -> LayerState:
        Z, delta = self.interface_resistance, self.thickness
        start = Z * (r - i) + 0.0  # without Z zero, not its negative
        ions = (i - r) * delta / self.ionic_conductivity
        electrons = r * delta / self.electronic_conductivity
        return LayerState(i, r, i - r, start, start + electrons - ions, delta, ions, electrons)
