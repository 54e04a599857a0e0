"""The schema of a reaction layer in a case: ``[interphase]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from ssbmech import units
from ssbmech.config_electro import Activation, activation_energy
from ssbmech.config_front import FrontBlock
from ssbmech.config_grown import GrownBlock
from ssbmech.config_types import Block, check_ranges, checked, quantity_field, text_of
from ssbmech.errors import UnitError

#: Which values each law takes beside those that every law takes.
VALUES: dict[str, tuple[str, ...]] = {
    "stable": (),
    "parabolic": ("growth_constant", "activation_energy", "calibration"),
    "mixed_control": (
        "growth_constant", "reaction_rate", "activation_energy", "reaction_activation_energy",
        "calibration",
    ),
    "self_limiting": (
        "limit", "growth_constant", "reaction_rate", "activation_energy",
        "reaction_activation_energy",
    ),
    "miec": (
        "reduction_potential", "volume_per_lithium", "reaction_resistance",
        "interface_resistance", "reaction_activation_energy",
    ),
    "current_driven": (
        "volume_per_lithium", "current_share", "both_directions", "growth_constant",
        "reaction_rate", "activation_energy", "reaction_activation_energy",
    ),
    "window": (
        "reduction_potential", "oxidation_potential", "volume_per_lithium", "reaction_resistance",
        "reaction_activation_energy",
    ),
}  # fmt: skip

#: Values that may have a range, with their dimensions.
RANGED: dict[str, str] = {
    "initial_thickness": "length",
    "growth_constant": "diffusivity",
    "reaction_rate": "velocity",
    "limit": "length",
    "ionic_conductivity": "conductivity",
    "electronic_conductivity": "conductivity",
    "reduction_potential": "potential",
    "volume_per_lithium": "molar_volume",
    "reaction_resistance": "area_specific_resistance",
    "volume_change": "dimensionless",
}


def _positive_energy(text: str) -> None:
    if activation_energy(text) <= 0.0:
        raise UnitError("must be positive", value=text, allowed="above 0 kJ/mol")


def _not_negative(dimension: str):
    def check(text: str) -> None:
        if units.quantity(text, dimension) < 0.0:
            raise UnitError("must not be negative", value=text, allowed="0 or more")

    return Annotated[str, BeforeValidator(text_of), AfterValidator(checked(check))]


Energy = Annotated[str, BeforeValidator(text_of), AfterValidator(checked(_positive_energy))]
Text = Annotated[str, BeforeValidator(text_of)]
Length0 = _not_negative("length")
Resistance0 = _not_negative("area_specific_resistance")


class ExpansionBlock(Block):
    """How far the reaction expands; by default what the electrolyte's material set says."""

    volume_change: float | None = Field(
        None, gt=-1.0, allow_inf_nan=False, description="dV/V of the reaction, e.g. 0.33"
    )
    reference: Literal["electrolyte", "electrolyte_and_lithium"] = Field(
        "electrolyte",
        description="what dV/V is relative to: the electrolyte where lithium arrives as ions from "
        "afar; both where it is taken from the metal beside the layer",
    )
    electrolyte_molar_volume: quantity_field("molar_volume", 0.0) | None = Field(
        None, description="V of the electrolyte, per mole of formula units"
    )
    product_molar_volume: quantity_field("molar_volume", 0.0) | None = Field(
        None, description="volume of all products per mole of electrolyte, instead of volume_change"
    )
    lithium_per_formula: float | None = Field(
        None, gt=0.0, allow_inf_nan=False, description="moles of Li that a mole of it takes"
    )
    normal_share: float = Field(
        1.0 / 3.0, ge=0.0, le=1.0,
        description="share of the normal direction in ln(1 + dV/V): 1/3 isotropic, 1 all in the "
        "normal, 0 all in the plane; the volume is the same for all",
    )  # fmt: skip
    strain: Literal["small", "finite"] = Field(
        "small", description="small: warned about beyond 5 % of linear strain, refused beyond 20 %"
    )

    @model_validator(mode="after")
    def _one_way(self) -> ExpansionBlock:
        if self.product_molar_volume is None:
            return self
        if self.volume_change is not None:
            raise ValueError("give either volume_change or product_molar_volume")
        if self.electrolyte_molar_volume is None:
            raise ValueError("product_molar_volume needs electrolyte_molar_volume beside it")
        if self.reference == "electrolyte_and_lithium" and self.lithium_per_formula is None:
            raise ValueError(
                'reference = "electrolyte_and_lithium" with molar volumes needs lithium_per_formula'
            )
        return self


class StressCouplingBlock(Block):
    """How stress acts on the reaction."""

    coupling: Literal["driving_force", "activation"] = Field(
        "driving_force",
        description="driving_force: the work of expansion adds to the energy that is set free and "
        "stops growth where it uses it up; activation: it shifts the barrier of the reaction",
    )
    reaction_energy: Energy | None = Field(
        None,
        description="energy set free per mole of electrolyte, positive; of the miec law by default "
        "n F times the reduction potential",
    )
    activation_volume: quantity_field("molar_volume", 0.0) | None = Field(
        None, description="of activation: the work per volume times this over RT is the exponent"
    )

    @model_validator(mode="after")
    def _belongs(self) -> StressCouplingBlock:
        if self.coupling == "activation":
            if self.reaction_energy is not None:
                raise ValueError("reaction_energy belongs to the coupling driving_force")
            if self.activation_volume is None:
                raise ValueError("the coupling activation needs an activation_volume")
        elif self.activation_volume is not None:
            raise ValueError("activation_volume belongs to the coupling activation")
        return self


class CalibrationBlock(Block):
    """A measured rise of resistance that gives the growth constant: a fit, no prediction."""

    start: Resistance0 = Field("0 ohm*cm^2", description="resistance at time 0")
    times: list[quantity_field("time", 0.0)] = Field(min_length=1, description="e.g. ['48 h']")
    resistances: list[quantity_field("area_specific_resistance", 0.0)] = Field(
        min_length=1, description="at these times, e.g. ['2000 ohm*cm^2']"
    )

    @model_validator(mode="after")
    def _rises(self) -> CalibrationBlock:
        if len(self.times) != len(self.resistances):
            raise ValueError(
                f"{len(self.times)} times and {len(self.resistances)} resistances. Allowed: as "
                "many of one as of the other"
            )
        first = units.quantity(self.start, "area_specific_resistance")
        for text in self.resistances:
            if units.quantity(text, "area_specific_resistance") <= first:
                raise ValueError(f"resistances: {text!r} does not exceed the start, {self.start!r}")
        return self


class InterphaseBlock(Block):
    """A layer that grows where lithium meets the electrolyte."""

    law: Literal[
        "stable", "parabolic", "mixed_control", "self_limiting", "miec", "current_driven", "window"
    ] = Field(
        description="stable: nothing reacts; parabolic: transport controls; mixed_control: so does "
        "the reaction; self_limiting: an insulating layer, ends at a thickness; miec: from its "
        "conductivities; current_driven: from the charge; window: outside the stable potentials"
    )
    electrolyte: str = Field("electrolyte", description="material group that reacts")
    initial_thickness: Length0 = Field("0 nm", description="at the start")
    age: quantity_field("time", 0.0) | None = Field(
        None,
        description="of a layer on an [[electrode]]: how long it has grown before what is computed",
    )
    aging: Literal["rest", "current"] = Field(
        "rest", description="what it grew under meanwhile: nothing, or the current of the case"
    )
    growth_constant: quantity_field("diffusivity", 0.0) | None = Field(
        None, description="k of delta^2 = 2 k t (some authors' constant is 2 k)"
    )
    reaction_rate: quantity_field("velocity", 0.0) | None = Field(
        None, description="k_s, the rate of growth of a bare surface"
    )
    limit: quantity_field("length", 0.0) | None = Field(
        None, description="final thickness of self_limiting; by default the material set's"
    )
    ionic_conductivity: quantity_field("conductivity", 0.0) | None = Field(
        None, description="of the layer; its resistance is thickness over this"
    )
    electronic_conductivity: quantity_field("conductivity", 0.0) | None = Field(
        None, description="of the layer"
    )
    reduction_potential: quantity_field("potential") | None = Field(
        None,
        description="against lithium, below which the electrolyte is reduced: what drives miec, "
        "the lower end of the window",
    )
    oxidation_potential: quantity_field("potential") | None = Field(
        None, description="the upper end of the window"
    )
    volume_per_lithium: quantity_field("molar_volume", 0.0) | None = Field(
        None,
        description="volume of the layer per mole of Li it took; by default from the molar volume "
        "and lithium_per_formula of [interphase.expansion]",
    )
    reaction_resistance: Resistance0 = Field(
        "0 ohm*cm^2", description="of the reaction at the inner boundary"
    )
    interface_resistance: Resistance0 = Field(
        "0 ohm*cm^2", description="between lithium and the layer"
    )
    current_share: float | None = Field(
        None, gt=0.0, le=1.0, description="share of the plating current that makes the layer"
    )
    both_directions: bool = Field(False, description="stripping makes the layer too")
    temperature: quantity_field("temperature", 0.0) = Field("298.15 K", description="T")
    reference_temperature: quantity_field("temperature", 0.0) = Field(
        "298.15 K", description="at which the values hold"
    )
    activation_energy: Activation | None = Field(None, description="of the growth constant")
    reaction_activation_energy: Activation | None = Field(
        None, description="of the rate or the resistance of the reaction"
    )
    conductivity_activation_energy: Activation | None = Field(
        None, description="of both conductivities"
    )
    calibration: CalibrationBlock | None = Field(
        None, description="instead of growth_constant; needs the layer's ionic_conductivity"
    )
    expansion: ExpansionBlock = Field(
        default_factory=lambda: ExpansionBlock.model_validate({}), description="of the reaction"
    )
    stress: StressCouplingBlock | None = Field(
        None, description="how stress acts on the growth; by default not at all"
    )
    grown: GrownBlock | None = Field(
        None, description="a layer of the geometry that thickens by this law and pushes"
    )
    front: FrontBlock | None = Field(
        None, description="a layer whose front may roughen, in a case in time"
    )
    ranges: dict[str, list[Text]] = Field(
        default_factory=dict,
        description="low and high of values of this block for the sampling, e.g. { growth_constant "
        "= ['1e-18 m^2/s', '1e-16 m^2/s'] }; those of the material set are taken from there",
    )

    @property
    def special(self) -> tuple[str, ...]:
        """Names of the given values that belong to some laws only."""
        names = dict.fromkeys(name for values in VALUES.values() for name in values)
        return tuple(name for name in names if name in self.model_fields_set and self._set(name))

    def _set(self, name: str) -> bool:
        return getattr(self, name) != type(self).model_fields[name].default

    @model_validator(mode="after")
    def _belongs(self) -> InterphaseBlock:
        foreign = [name for name in self.special if name not in VALUES[self.law]]
        if foreign:
            raise ValueError(
                f"{', '.join(foreign)}: not a value of the law {self.law}. Allowed: "
                f"{', '.join(VALUES[self.law]) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _aged(self) -> InterphaseBlock:
        if self.aging == "current" and self.age is None:
            raise ValueError("aging: for how long? Give age, e.g. '24 h'")
        return self

    @model_validator(mode="after")
    def _complete(self) -> InterphaseBlock:
        if self.calibration is not None:
            if self.growth_constant is not None:
                raise ValueError("give either growth_constant or calibration")
            if self.ionic_conductivity is None:
                raise ValueError("calibration needs the ionic_conductivity of the layer")
        missing = [name for name in self._needed() if getattr(self, name) is None]
        if missing:
            raise ValueError(f"the law {self.law} needs {', '.join(missing)}")
        if self.law == "current_driven" and self.reaction_rate and not self.growth_constant:
            raise ValueError("reaction_rate needs growth_constant beside it")
        return self

    def _needed(self) -> tuple[str, ...]:
        chemical = () if self.calibration is not None else ("growth_constant",)
        return {
            "parabolic": chemical,
            "mixed_control": (*chemical, "reaction_rate"),
            "self_limiting": ("growth_constant",),
            "miec": ("reduction_potential", "ionic_conductivity", "electronic_conductivity"),
            "current_driven": ("current_share",),
            "window": (
                "reduction_potential", "oxidation_potential", "ionic_conductivity",
                "electronic_conductivity",
            ),
        }.get(self.law, ())  # fmt: skip

    @model_validator(mode="after")
    def _potentials(self) -> InterphaseBlock:
        if self.reduction_potential is None:
            return self
        low = units.quantity(self.reduction_potential, "potential")
        if self.law == "miec" and low <= 0.0:
            raise ValueError(
                f"reduction_potential: {self.reduction_potential!r}: lithium does not reduce the "
                "electrolyte then. Allowed: above 0 V"
            )
        if self.oxidation_potential is not None:
            if low >= units.quantity(self.oxidation_potential, "potential"):
                raise ValueError(
                    f"the window is reversed: reduction_potential {self.reduction_potential!r}, "
                    f"oxidation_potential {self.oxidation_potential!r}. Allowed: the first below "
                    "the second"
                )
        return self

    @model_validator(mode="after")
    def _limited(self) -> InterphaseBlock:
        if self.law == "self_limiting" and self.limit is not None:
            if units.quantity(self.initial_thickness, "length") > units.quantity(
                self.limit, "length"
            ):
                raise ValueError(
                    f"initial_thickness: {self.initial_thickness!r} is beyond the limit. Allowed: "
                    f"at most {self.limit!r}"
                )
        return self

    @model_validator(mode="after")
    def _coupled(self) -> InterphaseBlock:
        if self.stress is None:
            return self
        if self.law == "stable":
            raise ValueError("stress: nothing grows with the law stable")
        if self.law == "current_driven" and self.growth_constant is None:
            raise ValueError("stress: charge alone makes this layer. Give a growth_constant too")
        has_reaction = self.law in ("miec", "window") or self.reaction_rate is not None
        if self.stress.coupling == "activation" and not has_reaction:
            raise ValueError(
                f"stress.coupling: transport alone controls the law {self.law}, and a barrier of "
                "the reaction has no say in it. Allowed: driving_force, or give reaction_rate"
            )
        resists = units.quantity(self.reaction_resistance, "area_specific_resistance") > 0.0
        if self.stress.coupling == "activation" and self.law in ("miec", "window") and not resists:
            raise ValueError(
                "stress.coupling: the reaction does not resist, and its barrier has no say. "
                "Allowed: driving_force, or give reaction_resistance"
            )
        return self

    @model_validator(mode="after")
    def _ranges(self) -> InterphaseBlock:
        check_ranges(self.ranges, RANGED)
        return self
