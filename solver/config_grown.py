"""The schema of a conforming layer that thickens: ``[interphase.grown]``."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator
from ssbmech import units
from ssbmech.config_types import Block, check_ranges, quantity_field

#: Values that may have a range here, with their dimensions.
RANGED: dict[str, str] = {
    "retained": "dimensionless",
    "strength": "pressure",
    "flaw": "length",
    "toughness": "toughness",
    "layer_modulus": "pressure",
    "electrolyte_modulus": "pressure",
}


class LineBlock(Block):
    """A line of places at which the stress is followed while the layer thickens."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="in tables and figures")
    start: list[quantity_field("length")] = Field(
        min_length=2, max_length=3, description="coordinates of its first point"
    )
    end: list[quantity_field("length")] = Field(
        min_length=2, max_length=3, description="and of its last one"
    )
    points: int = Field(21, ge=1, le=1001, description="how many, evenly")


class GrownBlock(Block):
    """A layer of the geometry whose thickness follows the growth law, one mesh per thickness."""

    parameter: str = Field(
        "interphase",
        pattern=r"^[A-Za-z_]\w*(\.\w+)*$",
        description="key of [geometry] that is the depth of the layer, dotted within tables: "
        "crack.0.skin",
    )
    group: str = Field("interphase", description="material group of the layer")
    times: list[quantity_field("time", 0.0)] = Field(
        default_factory=list, description="at which the stress is computed, rising"
    )
    thicknesses: list[quantity_field("length", 0.0)] = Field(
        default_factory=list, description="instead of times: of the layer, rising"
    )
    takes_from: str | None = Field(
        None,
        description="a length of [geometry] that gets shorter by as much (of a cell: electrolyte); "
        "not needed where the layer is drawn into the electrolyte",
    )
    normal: Literal["x", "y", "z"] | None = Field(
        None, description="of a flat layer, where the expansion is not the same in all directions"
    )
    retained: float = Field(
        1.0, gt=0.0, le=1.0, allow_inf_nan=False,
        description="share of the growth strain that has not relaxed by flow or pores",
    )  # fmt: skip
    current_density: quantity_field("current_density") = Field(
        "0 mA/cm^2", description="through the layer, plating positive, for laws that need it"
    )
    potential: quantity_field("potential") | None = Field(
        None, description="of the electrode against lithium, for the law window"
    )
    strength: quantity_field("pressure", 0.0) | None = Field(
        None, description="tensile strength along the lines; by default no criterion by strength"
    )
    flaw: quantity_field("length", 0.0) | None = Field(
        None, description="depth of flaws along the lines, for the criterion by energy"
    )
    flaw_factor: float = Field(
        1.12, gt=0.0, le=3.0, description="Y of K = Y sigma sqrt(pi a) of such a flaw"
    )
    line: list[LineBlock] = Field(default_factory=list, description="where the stress is followed")
    samples: int = Field(0, ge=0, le=1_000_000, description="over the ranges; 0: none")
    seed: int = Field(0, ge=0, description="of the sample")
    ranges: dict[str, list[str]] = Field(
        default_factory=dict,
        description="low and high of retained, strength, flaw, toughness, "
        "layer_modulus, electrolyte_modulus; those of the material set are taken from there",
    )

    @model_validator(mode="after")
    def _one_programme(self) -> GrownBlock:
        if bool(self.times) == bool(self.thicknesses):
            raise ValueError("give either times or thicknesses")
        given, what = (self.times, "time") if self.times else (self.thicknesses, "length")
        values = [units.quantity(text, what) for text in given]
        if any(b <= a for a, b in pairwise(values)):
            name = "times" if self.times else "thicknesses"
            raise ValueError(f"{name}: {given!r} do not rise")
        return self

    @model_validator(mode="after")
    def _lines(self) -> GrownBlock:
        names = [one.name for one in self.line]
        if len(set(names)) < len(names):
            raise ValueError(f"line: the names {names!r} are not different")
        if not self.line and (self.strength or self.flaw):
            raise ValueError("strength and flaw need a [[interphase.grown.line]] to look along")
        for one in self.line:
            if len(one.start) != len(one.end):
                raise ValueError(f"line {one.name!r}: its ends have other numbers of coordinates")
        return self

    @model_validator(mode="after")
    def _ranges(self) -> GrownBlock:
        check_ranges(self.ranges, RANGED, above=0.0)
        return self
