"""Where lithium is deposited in a planar layer that conducts ions and electrons.

The two-carrier layer (`two_carrier`) over thickness at one plating current i: how much of it is
plated at lithium's own surface, how much at the inner boundary of the layer, the potential of
lithium at both, and the depth from which on it is low enough for lithium to form. With Z at
lithium and an overpotential eta that lithium needs inside, lithium forms at the inner boundary
above i_c = eta/(Z + delta/s_i); the conductivity for electrons decides how much, not whether.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.build_interphase import InterphaseSetup
from ssbmech.errors import CaseError
from ssbmech.interphase.laws import MIEC
from ssbmech.interphase.two_carrier import LayerState, TwoCarrierLayer


@dataclass(frozen=True)
class Deposition:
    """The layer under a plating current, for a list of thicknesses.

    Attributes:
        layers: One for each thickness.
        plating: i [A/m^2].
        overpotential: eta that lithium needs inside [V].
        resistance: Of the deposition inside [ohm m^2].
        reduction: Potential [V] at which the electrolyte is reduced at the inner boundary and
            resistance [ohm m^2] of that, of the law ``miec``; None of other laws.
    """

    layers: tuple[TwoCarrierLayer, ...]
    plating: float
    overpotential: float
    resistance: float
    reduction: tuple[float, float] | None = None

    @property
    def thickness(self) -> NDArray[np.float64]:
        """[m], (n,)."""
        return np.array([layer.thickness for layer in self.layers])

    @property
    def states(self) -> tuple[LayerState, ...]:
        """With deposition at the inner boundary."""
        return tuple(
            layer.depositing(self.plating, self.overpotential, self.resistance)
            for layer in self.layers
        )

    @property
    def blocked(self) -> tuple[LayerState, ...]:
        """Before any lithium has formed inside."""
        return tuple(layer.blocked(self.plating) for layer in self.layers)

    @property
    def reacting(self) -> tuple[LayerState, ...] | None:
        """While the electrolyte is still reduced inside: lithium reacts there and forms none."""
        if self.reduction is None:
            return None
        return tuple(layer.reacting(self.plating, *self.reduction) for layer in self.layers)

    @property
    def critical(self) -> NDArray[np.float64]:
        """Plating current above which lithium forms inside [A/m^2], (n,)."""
        return np.array([layer.critical_current(self.overpotential) for layer in self.layers])

    @property
    def ranges(self) -> tuple[tuple[float, float] | None, ...]:
        """Depths below lithium [m] between which lithium can form, before any has."""
        return tuple(state.range_below(-self.overpotential) for state in self.blocked)

    @property
    def critical_thickness(self) -> float:
        """Beyond which lithium forms inside at this current [m]: s_i (eta/i - Z); inf: never."""
        layer = self.layers[0]
        if self.plating <= 0.0:
            return math.inf
        Z = layer.interface_resistance
        return max(layer.ionic_conductivity * (self.overpotential / self.plating - Z), 0.0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        states, reacting, none = self.states, self.reacting, (None, None)
        thickest = self.critical_thickness
        return {
            "plating": self.plating,
            "overpotential": self.overpotential,
            "resistance": self.resistance,
            "thickness": self.thickness.tolist(),
            "critical_current": self.critical.tolist(),
            "critical_thickness": thickest if math.isfinite(thickest) else None,
            "at_lithium": [s.at_lithium for s in states],
            "inside": [s.reaction for s in states],
            "potential_at_lithium": [s.E_lithium for s in states],
            "potential_inside": [s.E_inner for s in states],
            "potential_inside_before": [s.E_inner for s in self.blocked],
            "forms_from": [(r or none)[0] for r in self.ranges],
            "forms_to": [(r or none)[1] for r in self.ranges],
            "reacts_inside": None if reacting is None else [s.reaction for s in reacting],
            "potential_inside_reacting": (
                None if reacting is None else [s.E_inner for s in reacting]
            ),
        }

    def text(self) -> str:
        """Return the table that the command prints."""
        show, i = units.show, "current_density"
        eta = show(self.overpotential, "potential")
        lines = [
            f"lithium inside the layer, at {show(self.plating, i)} and where it needs {eta}:",
            f"{'thickness':>11}  {'critical':>15}  {'at lithium':>15}  {'inside':>15}  "
            f"{'E at lithium':>12}  {'E inside':>10}  forms between",
        ]
        rows = zip(self.layers, self.critical, self.states, self.ranges, strict=True)
        for layer, critical, s, between in rows:
            where = "nowhere"
            if between is not None:
                where = f"{show(between[0], 'length')} and {show(between[1], 'length')}"
            lines.append(
                f"{show(layer.thickness, 'length'):>11}  {show(critical, i):>15}  "
                f"{show(s.at_lithium, i):>15}  {show(s.reaction, i):>15}  "
                f"{show(s.E_lithium, 'potential'):>12}  {show(s.E_inner, 'potential'):>10}  {where}"
            )
        thickest = self.critical_thickness
        if math.isfinite(thickest):
            lines.append(f"at this current it forms in layers beyond {show(thickest, 'length')}")
        if (reacting := self.reacting) is not None and self.reduction is not None:
            last = reacting[-1]
            U, E = (show(v, "potential") for v in (self.reduction[0], last.E_inner))
            lines.append(
                f"while the electrolyte is still reduced inside, at {U}, {show(last.reaction, i)} "
                f"react there instead (last thickness), E is {E}, and no lithium forms there"
            )
        lines.append("depths are from lithium's surface; E is the potential of lithium there")
        return "\n".join(lines)

    def csv_lines(self) -> list[str]:
        """A row per thickness, SI; an empty cell where lithium forms nowhere."""
        names = {
            "thickness": "m", "critical_current": "A/m^2", "at_lithium": "A/m^2",
            "inside": "A/m^2", "potential_at_lithium": "V", "potential_inside": "V",
            "potential_inside_before": "V", "forms_from": "m", "forms_to": "m",
        }  # fmt: skip
        data = self.as_dict()
        rows = zip(*(data[name] for name in names), strict=True)
        head = ",".join(f"{name} [{unit}]" for name, unit in names.items())
        return [head, *(",".join("" if v is None else f"{v:.10g}" for v in row) for row in rows)]


def deposition(
    setup: InterphaseSetup,
    thicknesses: Sequence[float] | NDArray[np.float64],
    plating: float,
    overpotential: float,
    resistance: float = 0.0,
) -> Deposition:
    """Where lithium is deposited in layers of these thicknesses.

    Args:
        setup: With both conductivities; the resistance at lithium is that of the law ``miec``.
        thicknesses: [m], positive.
        plating: i [A/m^2].
        overpotential: eta [V], not negative: a nucleus, and p V_m/F of what has to give way.
        resistance: Of the deposition at the inner boundary [ohm m^2].

    Raises:
        CaseError: Without both conductivities, without a layer, or for a negative value.
    """
    missing = [
        name for name, value in (("ionic", setup.ionic), ("electronic", setup.electronic))
        if value is None
    ]  # fmt: skip
    if missing:
        keys = " and ".join(f"{name}_conductivity" for name in missing)
        raise CaseError(
            "where lithium is deposited follows from both conductivities of the layer",
            key=f"interphase.{missing[0]}_conductivity", hint=f"Give {keys}",
        )  # fmt: skip
    for key, value, unit in (("deposition-overpotential", overpotential, "0 mV"),
                             ("deposition-resistance", resistance, "0 ohm*cm^2")):  # fmt: skip
        if value < 0.0:
            raise CaseError("must not be negative", key=key, value=value,
                            allowed=f"{unit} or more")  # fmt: skip
    deltas = np.asarray(thicknesses, float)
    if not (deltas > 0.0).all():
        raise CaseError("there is no layer yet", key="thickness", value=float(deltas.min()),
                        allowed="above 0 m: a later time, or an initial_thickness")  # fmt: skip
    law = setup.law
    miec = law if isinstance(law, MIEC) else None
    Z = 0.0 if miec is None else miec.interface_resistance
    assert setup.ionic is not None and setup.electronic is not None
    layers = tuple(
        TwoCarrierLayer(float(d), setup.ionic, setup.electronic, Z) for d in deltas
    )  # fmt: skip
    U = None if miec is None else (miec.potential_drop, miec.reaction_resistance)
    return Deposition(layers, plating, overpotential, resistance, U)
