"""The programme of a cell as plain data: what [time] and [[step]] of a case mean for a march."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ssbmech.config_time import StepBlock, TimeBlock
from ssbmech.errors import CaseError
from ssbmech.numerics.controller import Options
from ssbmech.numerics.events import Event
from ssbmech.numerics.stepping import Drive, Phase
from ssbmech.units import quantity

#: Shares of a phase's length: its first step and its longest one, where the case gives none.
_FIRST, _LARGEST = 1e-4, 0.05
#: Of the first step: the shortest.
_SMALLEST = 1e-6
#: Of voltages, to which the accuracy of a voltage limit is relative [V].
_VOLTAGE_SCALE = 1.0


@dataclass(frozen=True)
class Programme:
    """Everything that `ssbmech.numerics.march.march` takes from the case.

    Attributes:
        phases: All cycles one after another.
        options: Control of the steps.
        tolerance: Relative local error, for the model.
        events: Of the whole run.
        outputs: Times at which fields are kept [s].
        counter: Facet group of the counter electrode, or None.
    """

    phases: tuple[Phase, ...]
    options: Options
    tolerance: float
    events: tuple[Event, ...]
    outputs: tuple[float, ...]
    counter: str | None = None

    @property
    def cut_off(self) -> float | None:
        """The first voltage at which a phase ends [V], or None."""
        ends = (event for phase in self.phases for event in phase.ends)
        return next((e.threshold for e in ends if e.monitor == "voltage"), None)

    @property
    def length(self) -> float:
        """Longest time that it takes [s]; inf where only a limit ends a phase."""
        return math.fsum(phase.duration for phase in self.phases)


def programme(time: TimeBlock | None, steps: Sequence[StepBlock]) -> Programme:
    """Compile the programme of a case.

    Args:
        time: The block [time], None for its defaults.
        steps: The list [[step]], checked by `ssbmech.config_time.check_time`.

    Raises:
        CaseError: Without steps.
    """
    if not steps:
        raise CaseError("a run in time needs a programme", key="step", hint="Add [[step]]")
    block = time or TimeBlock.model_validate({})
    phases = tuple(
        _phase(step, block, cycle) for cycle in range(1, block.cycles + 1) for step in steps
    )
    options = Options(
        smallest=_smallest(block, phases), max_steps=block.max_steps, checkpoint=block.checkpoint
    )
    events = _events(block)
    return Programme(
        phases, options, block.tolerance, events, _outputs(block, phases), block.counter
    )


def _phase(step: StepBlock, block: TimeBlock, cycle: int) -> Phase:
    length = math.inf if step.length is None else step.length
    largest = _time(block.largest_step, _LARGEST * length)
    first = min(_time(block.first_step, _FIRST * length), largest)
    return Phase(
        kind=step.do, drive=_drive(step), duration=length, first=first, largest=largest,
        ends=_ends(step), cycle=cycle,
    )  # fmt: skip


def _drive(step: StepBlock) -> Drive:
    if step.potential is not None:
        return Drive(potential=quantity(step.potential, "potential"))
    if step.current_density is None:
        return Drive(current_density=0.0)
    size = quantity(step.current_density, "current_density")
    return Drive(current_density=size if step.do == "plate" else -size)


def _ends(step: StepBlock) -> tuple[Event, ...]:
    """Events that end a phase; the capacity of a given current is a duration and none of them."""
    ends = []
    if step.voltage_limit is not None:
        limit = quantity(step.voltage_limit, "potential")
        ends.append(
            Event("voltage_limit", "voltage", limit, step.do == "strip", "end_phase",
                  scale=_VOLTAGE_SCALE)
        )  # fmt: skip
    if step.current_limit is not None:
        limit = quantity(step.current_limit, "current_density")
        ends.append(
            Event("current_limit", "current_density", limit, False, "end_phase", measure="size")
        )
    if step.capacity is not None and step.current_density is None:
        charge = quantity(step.capacity, "areal_capacity")
        ends.append(Event("capacity", "capacity", charge, True, "end_phase", measure="change"))
    return tuple(ends)


def _events(block: TimeBlock) -> tuple[Event, ...]:
    def event(name: str, monitor: str, threshold: float, rising: bool) -> Event:
        stops = name in block.stop_at
        return Event(name, monitor, threshold, rising, "stop" if stops else "record", scale=1.0)

    return (
        event("extension", "K_ratio", 1.0, True),
        event("contact_lost", "contact", block.contact_limit, False),
        event("cracking", "strength_ratio", 1.0, True),
        # what follows is another cell: no layer grows out of its electrolyte
        Event("consumed", "electrolyte_reached", 1.0, True, "stop", scale=1.0, optional=True),
    )


def _smallest(block: TimeBlock, phases: Sequence[Phase]) -> float:
    return _time(block.smallest_step, _SMALLEST * min(phase.first for phase in phases))


def _outputs(block: TimeBlock, phases: Sequence[Phase]) -> tuple[float, ...]:
    """Times of outputs; a number of them is spread over the phases whose length is known."""
    if isinstance(block.outputs, list):
        return tuple(sorted(quantity(text, "time") for text in block.outputs))
    total = math.fsum(phase.duration for phase in phases)
    if math.isinf(total):  # nothing to spread them over: events and the end are kept
        return ()
    return tuple(total * k / block.outputs for k in range(1, block.outputs + 1))


def _time(text: str | None, default: float) -> float:
    return default if text is None else quantity(text, "time")
