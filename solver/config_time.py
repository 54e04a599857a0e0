"""The schema of the time part of a case: steps in time, and the programme of the cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator, model_validator
from ssbmech import units
from ssbmech.config_types import Block, quantity_field

Time = quantity_field("time", 0.0)
StopEvent = Literal["extension", "contact_lost", "cracking"]
#: Which keys a kind of step takes beside its duration, and which of them it needs.
_TAKES = {
    "plate": ("current_density", "capacity", "voltage_limit"),
    "strip": ("current_density", "capacity", "voltage_limit"),
    "rest": (),
    "hold": ("potential", "capacity", "current_limit"),
}
_NEEDS = {"plate": "current_density", "strip": "current_density", "hold": "potential"}
_EXAMPLES = {"current_density": "1 mA/cm^2", "potential": "-20 mV"}
_POSITIVE = ("current_density", "capacity", "current_limit")
_DIMENSIONS = {
    "current_density": "current_density",
    "current_limit": "current_density",
    "capacity": "areal_capacity",
}


class TimeBlock(Block):
    """Steps in time, events that end a run, and what is kept."""

    first_step: Time | None = Field(
        None,
        description="of every step of the programme, shortened where it is too long; by default "
        "1e-4 of the step's length",
    )
    largest_step: Time | None = Field(
        None, description="by default one twentieth of the length of the programme's step"
    )
    smallest_step: Time | None = Field(
        None,
        description="a step that fails at this length ends the run; by default 1e-6 first_step",
    )
    tolerance: float = Field(1e-3, gt=0, le=0.1, description="local error of a step, relative")
    max_steps: int = Field(10000, ge=1, description="of the whole run")
    cycles: int = Field(1, ge=1, description="how often the list of [[step]] is gone through")
    stop_at: list[StopEvent] = Field(
        default_factory=list,
        description="events that end the run: extension (K reaches K_IC), contact_lost (contact "
        "falls below contact_limit), cracking (tension at a reaction front reaches the strength); "
        "the others are recorded",
    )
    contact_limit: float = Field(0.1, gt=0, lt=1, description="share of the area in contact")
    outputs: int | list[Time] = Field(
        10, description="times at which fields are kept, or how many of them, evenly spread"
    )
    checkpoint: int = Field(20, ge=1, description="steps between two checkpoints")
    counter: str | None = Field(
        None, description="facet group of the counter electrode; by default found by the run"
    )

    @field_validator("outputs")
    @classmethod
    def _some_outputs(cls, value: int | list[str]) -> int | list[str]:
        if isinstance(value, int) and value < 0:
            raise ValueError("a number of outputs is 0 or more, or a list of times")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> TimeBlock:
        names = ("smallest_step", "first_step", "largest_step")
        given = [(n, text) for n in names if (text := getattr(self, n)) is not None]
        for (low, a), (high, b) in pairwise(given):
            if _seconds(a) > _seconds(b):
                raise ValueError(
                    f"{low} = {a!r} is longer than {high} = {b!r}. Allowed: smallest_step <= "
                    "first_step <= largest_step"
                )
        return self


class StepBlock(Block):
    """One step of the programme of the cell; it ends at whichever of its ends comes first."""

    do: Literal["plate", "strip", "rest", "hold"] = Field(
        description="plate or strip lithium at a current, rest without one, hold a potential"
    )
    current_density: quantity_field("current_density") | None = Field(
        None, description="positive, of plate and strip; mean over the counter electrode"
    )
    potential: quantity_field("potential") | None = Field(
        None,
        description="of hold: of the lithium against the counter electrode; negative plates "
        "where that one is lithium, too",
    )
    duration: Time | None = Field(None, description="an end of the step")
    capacity: quantity_field("areal_capacity") | None = Field(
        None, description="an end of the step: charge that passes in it per area, positive"
    )
    voltage_limit: quantity_field("potential") | None = Field(
        None,
        description="an end of plate (the voltage falls to it) or strip (it rises to it); of the "
        "lithium against the counter electrode",
    )
    current_limit: quantity_field("current_density") | None = Field(
        None, description="an end of hold: the size of the current falls to it"
    )

    @model_validator(mode="after")
    def _complete(self) -> StepBlock:
        for key in ("current_density", "potential", "capacity", "voltage_limit", "current_limit"):
            if getattr(self, key) is not None and key not in _TAKES[self.do]:
                raise ValueError(self._out_of_place(key))
        need = _NEEDS.get(self.do)
        if need and getattr(self, need) is None:
            raise ValueError(f"do = {self.do!r} needs {need}, e.g. {need} = {_EXAMPLES[need]!r}")
        for key in _POSITIVE:
            self._check_positive(key)
        if self.length is None and self.voltage_limit is None and self.current_limit is None:
            if self.capacity is None:
                raise ValueError(self._never_ends())
        return self

    def _out_of_place(self, key: str) -> str:
        """Words for a key that this kind of step does not take."""
        text = f"do = {self.do!r} takes no {key} (given: {getattr(self, key)!r})"
        if self.do == "rest":
            return f"{text}: no current flows in a rest. Leave it out, or plate, strip or hold"
        others = [name for name, keys in _TAKES.items() if key in keys]
        return f"{text}. It belongs to {' and '.join(others)}"

    def _check_positive(self, key: str) -> None:
        text = getattr(self, key)
        if text is None or units.quantity(text, _DIMENSIONS[key]) > 0:
            return
        why = "its sign follows from do" if key != "current_limit" else "it is a size"
        hint = ""
        if key == "current_density" and self.do in ("plate", "strip"):
            other = "strip" if self.do == "plate" else "plate"
            hint = f"; do = {other!r} turns the current around, do = 'rest' stops it"
        raise ValueError(f"{key} = {text!r} is not positive: {why}. Allowed: above 0{hint}")

    def _never_ends(self) -> str:
        ends = ["duration", *(k for k in _TAKES[self.do] if k in {"capacity", "voltage_limit",
                                                                 "current_limit"})]  # fmt: skip
        return (
            f"do = {self.do!r} never ends. Give it an end: {' or '.join(ends)}, e.g. "
            "duration = '1 h'"
        )

    @property
    def length(self) -> float | None:
        """Longest time that this step takes [s], or None where only a limit ends it."""
        lengths = [] if self.duration is None else [_seconds(self.duration)]
        if self.capacity is not None and self.current_density is not None:
            charge = units.quantity(self.capacity, "areal_capacity")
            lengths.append(charge / units.quantity(self.current_density, "current_density"))
        return min(lengths, default=None)


def check_time(time: TimeBlock | None, steps: Sequence[StepBlock]) -> None:
    """Refuse a programme that cannot be run.

    Args:
        time: The block [time], if there is one.
        steps: The programme.

    Raises:
        ValueError: With the key, what is given and what is allowed.
    """
    if not steps:
        if time is not None:
            raise ValueError(
                "step: [time] is given and no programme. Add one or more [[step]], e.g. "
                'do = "plate", current_density = "1 mA/cm^2", duration = "1 h"'
            )
        return
    time = time or TimeBlock.model_validate({})
    for i, step in enumerate(steps):
        if step.length is None and time.first_step is None:
            raise ValueError(
                f"time.first_step: required, because only a limit ends step.{i} and its length "
                "is not known. Give it, e.g. first_step = '1 s'"
            )
        if step.length is not None and time.smallest_step is not None:
            if _seconds(time.smallest_step) > step.length:
                raise ValueError(
                    f"time.smallest_step: {time.smallest_step!r} is longer than step.{i}, which "
                    f"takes {step.length:g} s at most. Give a shorter one"
                )
    if isinstance(time.outputs, list):
        _check_outputs(time, steps)


def _check_outputs(time: TimeBlock, steps: Sequence[StepBlock]) -> None:
    lengths = [step.length for step in steps]
    total = time.cycles * sum(math.inf if s is None else s for s in lengths)
    assert isinstance(time.outputs, list)
    for text in time.outputs:
        if _seconds(text) > total * (1 + 1e-12):
            raise ValueError(
                f"time.outputs: {text!r} is later than the end of the programme at {total:g} s. "
                "Leave it out, or give times up to the end"
            )


def _seconds(text: str) -> float:
    return units.quantity(text, "time")
