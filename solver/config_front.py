"""The schema of a reaction front on a fixed mesh: ``[interphase.front]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from ssbmech import units
from ssbmech.config_types import Block, formula_field, quantity_field

if TYPE_CHECKING:
    from ssbmech.config import Case

#: Laws that are those of a transport, and whether they need electrodes.
LAWS = {"miec": True, "parabolic": False, "mixed_control": False}


class FrontBlock(Block):
    """A layer whose front may roughen: its share of every place is computed, in time."""

    surface: list[str] | None = Field(
        None,
        description="facet groups of lithium from which it grows; by default the electrodes' that "
        "are not the counter electrode",
    )
    width: quantity_field("length", 0.0) | None = Field(
        None,
        description="l of the front, which is 4.4 l wide from 10 to 90 %; by default the longest "
        "edge of an element, and not less than half of that",
    )
    shape: formula_field("length") = Field(
        "0 um",
        description="what the layer is deeper than initial_thickness at the start, a formula of "
        "the coordinates, e.g. '0.2 um * cos(6.283 * x / (10 um))'",
    )
    interface_energy: quantity_field("energy_release") = Field(
        "0 J/m^2", description="of the front: smoothens what is small; 0: the width alone does"
    )
    stress: bool = Field(True, description="compute the stress that the growth makes")
    E: quantity_field("pressure", 0.0) | None = Field(
        None, description="Young's modulus of the layer; by default the electrolyte's"
    )
    nu: float | None = Field(None, gt=-1.0, lt=0.5, description="Poisson's ratio, likewise")
    viscosity: quantity_field("viscosity", 0.0) | None = Field(
        None, description="of the shear flow of the layer, s = 2 eta rate; by default elastic"
    )
    retained: float = Field(
        1.0, gt=0.0, le=1.0, allow_inf_nan=False,
        description="share of the growth strain that has not relaxed by pores",
    )  # fmt: skip
    normal: Literal["x", "y", "z"] | None = Field(
        None, description="of a flat layer, where the expansion is not the same in all directions"
    )
    strength: quantity_field("pressure", 0.0) | None = Field(
        None, description="tensile strength of the electrolyte: when and where it is reached"
    )


def check_front(case: Case) -> None:
    """Refuse a front whose case does not fit it.

    Raises:
        ValueError: With the key, what is given and what is allowed.
    """
    block = case.interphase
    assert block is not None
    if block.grown is not None:
        raise ValueError(
            "interphase.front: the layer of [interphase.grown] is flat and drawn anew for each "
            "thickness. Leave out one of them"
        )
    if block.age is not None:
        raise ValueError(
            "interphase.age: belongs to a layer on an [[electrode]] with layer = true. The times "
            "of a front are in [[step]]"
        )
    energy = units.quantity(block.front.interface_energy, "energy_release") if block.front else 0.0
    if block.law in LAWS and not LAWS[block.law] and energy > 0.0:
        raise ValueError(
            f"interphase.front.interface_energy: the law {block.law} has no energy to compare it "
            "with. Leave it out, or take the law miec"
        )
    if block.law not in LAWS:
        raise ValueError(
            f"interphase.law: {block.law!r} knows the thickness of a flat layer, and not what "
            f"passes a rough one. Allowed: {', '.join(LAWS)}"
        )
    if not case.step:
        raise ValueError(
            "interphase.front: grows in time, and there is no [[step]]. Add one or more, e.g. "
            'do = "rest", duration = "10 h"'
        )
    if LAWS[block.law] and not case.electrode:
        raise ValueError(
            "interphase.front: the law miec needs the ions of the electrolyte. Give an "
            '[[electrode]] on lithium and one that counters it, both with kinetics = "none"'
        )
    if not LAWS[block.law] and case.electrode:
        raise ValueError(
            f"electrode: currents do not act on a layer of the law {block.law}. Leave out "
            "[[electrode]], or take the law miec"
        )
    _check_stress(case, block.front)
    others = [n for n in ("thin_filament", "contact", "stack") if getattr(case, n) is not None]
    others += [f"materials.{name}.flow" for name in case.flowing]
    if others:
        raise ValueError(
            f"{others[0]}: lithium is left out where a front moves. Leave it out, or "
            "[interphase.front]"
        )


def _check_stress(case: Case, front: FrontBlock | None) -> None:
    """Refuse what only a stress that is computed could answer."""
    assert front is not None
    if units.quantity(front.interface_energy, "energy_release") < 0.0:
        raise ValueError(
            f"interphase.front.interface_energy: {front.interface_energy!r} would roughen every "
            "front. Allowed: 0 J/m^2 or more"
        )
    given = [n for n in ("E", "nu", "viscosity", "normal", "strength") if getattr(front, n)]
    given += ["retained"] if front.retained != 1.0 else []
    if given and not front.stress:
        raise ValueError(
            f"interphase.front.{given[0]}: belongs to the stress, and stress = false. Leave out "
            "one of them"
        )
    if case.time is not None and "cracking" in case.time.stop_at and front.strength is None:
        raise ValueError(
            "time.stop_at: 'cracking' needs a strength to be reached. Give "
            'interphase.front.strength, e.g. "100 MPa"'
        )
