"""The schema of what presses a cell: [stack], the load behind it, and [contact], the interface."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from ssbmech import units
from ssbmech.config_types import Block, quantity_field


class StackBlock(Block):
    """Pressure on a side of the cell: as a dead load, by a stiff plate, or by plate and spring."""

    pressure: quantity_field("pressure") = Field(  # type: ignore[valid-type]
        description="positive in compression; of a spring, before anything moves"
    )
    kind: Literal["dead", "plate", "spring"] = Field(
        "dead",
        description="dead: the same pressure everywhere; plate: the same displacement everywhere "
        "and a constant force; spring: a plate whose pressure grows as it is pushed out",
    )
    stiffness: quantity_field("pressure_gradient", 0.0) | None = Field(  # type: ignore[valid-type]
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
        if self.kind == "spring" and self.stiffness is None:
            raise ValueError(
                'kind = "spring" needs a stiffness, e.g. "2 MPa/mm"; with constant force: '
                'kind = "plate"'
            )
        if self.kind != "spring" and self.stiffness is not None:
            raise ValueError(f'a stiffness belongs to kind = "spring"; given: "{self.kind}"')
        return self

    def build(self) -> Any:
        """The `ssbmech.lithium.stack.Stack` that this describes, SI."""
        from ssbmech.lithium.stack import Stack

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
