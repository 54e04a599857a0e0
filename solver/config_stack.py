"""The schema of what presses a cell: [stack], the load behind it, and [contact], the interface."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from ssbmech import units
from ssbmech.config_types import Block, quantity_field
from ssbmech.errors import CaseError


class StackBlock(Block):
    """What presses on a side: dead load, stiff plate, plate and spring, or moving plate."""

    pressure: quantity_field("pressure") = Field(
        "0 MPa", description="positive in compression; of a spring, before anything moves"
    )
    kind: Literal["dead", "plate", "spring", "moving"] = Field(
        "dead",
        description="dead: the same pressure everywhere; plate: the same displacement everywhere "
        "and a constant force; spring: a plate whose pressure grows as it is pushed out; moving: a "
        "plate that is pressed in with a velocity, into a notch",
    )
    velocity: quantity_field("velocity", 0.0) | None = Field(
        None, description="of a moving plate, towards the lithium"
    )
    stiffness: quantity_field("pressure_gradient", 0.0) | None = Field(
        None, description="of the spring per area: rise of the pressure per displacement"
    )
    group: str = Field("bottom", min_length=1, description="facet group that the stack presses on")

    @field_validator("pressure")
    @classmethod
    def _presses(cls, text: str) -> str:
        if units.quantity(text, "pressure") < 0:
            raise ValueError(
                f"{text!r} would pull the cell apart: a stack pressure is positive in compression. "
                "Allowed: 0 MPa or above; leave out the minus sign"
            )
        return text

    @model_validator(mode="after")
    def _complete(self) -> StackBlock:
        moving, pressed = self.kind == "moving", "pressure" in self.model_fields_set
        if moving != (self.velocity is not None):
            raise ValueError('kind = "moving" and a velocity, e.g. "2 um/s", belong together')
        if moving == pressed:
            raise ValueError(
                "the pressure of a moving plate comes out: leave it out"
                if moving
                else 'a stack needs a pressure, e.g. pressure = "5 MPa"'
            )
        if self.kind == "spring" and self.stiffness is None:
            raise ValueError(
                'kind = "spring" needs a stiffness, e.g. "2 MPa/mm"; with constant force: '
                'kind = "plate"'
            )
        if self.kind != "spring" and self.stiffness is not None:
            raise ValueError(f'a stiffness belongs to kind = "spring"; given: "{self.kind}"')
        return self

    def build(self) -> Any:
        """The `ssbmech.lithium.stack.Stack` that this describes, SI.

        Raises:
            CaseError: For a moving plate, which is no load.
        """
        from ssbmech.lithium.stack import Stack

        if self.kind == "moving":
            raise CaseError(
                "a plate with a given velocity presses lithium into a notch, and nothing else",
                key="stack.kind", value=self.kind, allowed="dead, plate, spring",
            )  # fmt: skip
        k = self.stiffness
        return Stack(
            self.group,
            units.quantity(self.pressure, "pressure", key="stack.pressure"),
            self.kind,
            0.0 if k is None else units.quantity(k, "pressure_gradient", key="stack.stiffness"),
        )


class ContactBlock(Block):
    """Contact of lithium with the electrolyte, which is rigid beside it."""

    group: str = Field("li_sse", min_length=1, description="facet group of the lithium's surface")
    friction: Literal["none", "stick"] = Field(
        "none", description="none: slides freely; stick: does not slide while in contact"
    )
    penalty_factor: float = Field(
        100.0, gt=0, le=1e6,
        description="stiffness of contact over that of an element of lithium, before augmentation",
    )  # fmt: skip
    penetration: float = Field(
        1e-6, gt=0, le=1e-2,
        description="largest penetration allowed, as a share of the size of the elements",
    )  # fmt: skip
