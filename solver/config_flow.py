"""The schema of how a material flows: ``[materials.lithium.flow]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from ssbmech import units
from ssbmech.config_electro import Activation
from ssbmech.config_types import Block, checked, quantity_field, text_of
from ssbmech.errors import UnitError

#: Which values each law takes; those it is not given come from the material set.
VALUES: dict[str, tuple[str, ...]] = {
    "norton": ("exponent", "prefactor", "activation_energy"),
    "anand_I": (
        "reference_rate", "rate_sensitivity", "initial_resistance", "hardening",
        "saturation_resistance", "hardening_exponent",
    ),
    "anand_II": (
        "reference_rate", "activation_energy", "rate_sensitivity", "initial_resistance",
        "hardening", "saturation_resistance", "hardening_exponent", "saturation_exponent",
    ),
    "plastic": ("yield_stress", "hardening", "diameter"),
}  # fmt: skip


def _positive_number(text: str) -> None:
    value = units.parse(text)[0]
    if value <= 0.0:
        raise UnitError("must be positive", value=text, allowed="above 0")


Prefactor = Annotated[str, BeforeValidator(text_of), AfterValidator(checked(_positive_number))]


class FlowBlock(Block):
    """How a material creeps or yields; values that are not given are those of its material set."""

    law: Literal["norton", "anand_I", "anand_II", "plastic"] = Field(
        "anand_II",
        description="norton: steady creep; anand_I, anand_II: resistance that evolves, fitted to "
        "indentation and to bulk tension; plastic: rate-independent",
    )
    strain: Literal["small", "finite"] = Field(
        "small", description="finite: large strains and rotations of this material"
    )
    exponent: float | None = Field(None, ge=1.0, description="n of norton, B q^n")
    prefactor: Prefactor | None = Field(
        None, description="A of norton, B = A exp(-Q/RT), e.g. '2.0e4 MPa^-6.6/s'"
    )
    activation_energy: Activation | None = Field(
        None, description="Q, per mole or per ion; '0 eV' for a law at one temperature"
    )
    reference_rate: quantity_field("rate", 0.0) | None = Field(
        None, description="of anand_I the rate at q = S; of anand_II the factor A of exp(-Q/RT)"
    )
    rate_sensitivity: float | None = Field(None, gt=0.0, le=1.0, description="m of Anand's laws")
    initial_resistance: quantity_field("pressure", 0.0) | None = Field(None, description="S0")
    hardening: quantity_field("pressure", 0.0) | None = Field(
        None, description="H0 of Anand's laws; of plastic the slope over plastic strain, else none"
    )
    saturation_resistance: quantity_field("pressure", 0.0) | None = Field(
        None, description="S* of anand_I; of anand_II its factor, S (rate/(A exp(-Q/RT)))^n_s"
    )
    hardening_exponent: float | None = Field(None, ge=1.0, description="a of Anand's laws")
    saturation_exponent: float | None = Field(None, gt=0.0, description="n_s of anand_II")
    yield_stress: quantity_field("pressure", 0.0) | None = Field(None, description="of plastic")
    diameter: quantity_field("length", 0.0) | None = Field(
        None,
        description="of a small piece of lithium, instead of the yield stress: "
        "15 MPa (9.45 um/D)^1.02, from pillars",
    )

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the values that the case gives."""
        names = [name for name in type(self).model_fields if name not in ("law", "strain")]
        return tuple(name for name in names if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _belongs(self) -> FlowBlock:
        foreign = [name for name in self.given if name not in VALUES[self.law]]
        if foreign:
            raise ValueError(
                f"{', '.join(foreign)}: not a value of the law {self.law}. Allowed: "
                f"{', '.join(VALUES[self.law])}"
            )
        if self.exponent is not None and self.prefactor is None:
            raise ValueError(
                "an exponent needs its prefactor as well, whose unit depends on it, e.g. "
                f"prefactor = '1e-3 MPa^-{self.exponent:g}/s'"
            )
        if self.yield_stress is not None and self.diameter is not None:
            raise ValueError("give either yield_stress or diameter")
        return self
