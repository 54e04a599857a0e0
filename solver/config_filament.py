"""The schema of lithium between the faces of a crack, in a case in time: ``[thin_filament]``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from ssbmech import units
from ssbmech.config_flow import FlowBlock
from ssbmech.config_types import Block, quantity_field

Length = quantity_field("length", 0.0)


class CriticalBlock(Block):
    """Search for the current at which a flaw of a given size would extend, by similarity."""

    sizes: list[Length] = Field(
        min_length=1, max_length=50,
        description="flaw sizes a; the whole body is as much larger or smaller",
    )  # fmt: skip
    hold: quantity_field("time", 0.0) = Field(
        "1e5 s", description="how long the current flows: long enough for a steady state"
    )


class ThinFilamentBlock(Block):
    """Lithium between the faces of a crack: its pressure comes out of current and confinement.

    The faces are groups of an [[electrode]] with kinetics, whose lithium they share.
    """

    faces: list[str] | None = Field(
        None, min_length=1, description="facet groups of the film; by default the crack's faces"
    )
    thickness: Length = Field(
        "5 nm", description="of lithium between the faces at first, before it feels pressure"
    )
    filled: Length | None = Field(
        None,
        description="how far from the mouth (or from the middle of a crack without one) there is "
        "lithium at first; the rest is dry. By default everywhere",
    )
    mouth: Literal["open", "sealed"] = Field(
        "open",
        description="open: lithium leaves and enters where the crack meets another lithium "
        "surface; sealed: none does",
    )
    mouth_pressure: quantity_field("pressure") = Field(
        "0 MPa", description="of the lithium before an open mouth, e.g. the stack pressure"
    )
    flow: FlowBlock | Literal["none"] = Field(
        default_factory=lambda: FlowBlock.model_validate({"law": "norton"}),
        description="how lithium creeps along the film: law = 'norton', or 'none': it does not",
    )
    lithium: str = Field("Li", description="material set whose values of creep are taken")
    critical: CriticalBlock | None = Field(
        None, description="also search critical currents against flaw size"
    )

    @field_validator("flow", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """``flow = "norton"`` stands for ``flow = { law = "norton" }``."""
        return {"law": value} if isinstance(value, str) and value != "none" else value

    @field_validator("mouth_pressure")
    @classmethod
    def _presses(cls, text: str) -> str:
        if units.quantity(text, "pressure") < 0:
            raise ValueError(
                f"{text!r} would be tension: lithium before the mouth presses or is free. "
                "Allowed: 0 MPa or above"
            )
        return text

    @model_validator(mode="after")
    def _complete(self) -> ThinFilamentBlock:
        if isinstance(self.flow, FlowBlock) and self.flow.law != "norton":
            raise ValueError(
                f"flow.law = {self.flow.law!r}: the flow along a film has a closed form for steady "
                "power-law creep. Allowed: norton, or flow = 'none'"
            )
        if self.mouth == "sealed" and units.quantity(self.mouth_pressure, "pressure") > 0:
            raise ValueError('mouth_pressure belongs to mouth = "open". Leave it out')
        return self
