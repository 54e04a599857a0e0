"""Implicit steps in time: what a model has to offer, and what a march through a programme says.

Nothing here knows a mesh or a file. A model owns its state; `ssbmech.numerics.march` moves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from ssbmech.numerics.events import Event

#: Name of the entry in the log where a phase ends.
END_OF_PHASE = "end_of_phase"


@dataclass(frozen=True)
class Drive:
    """What the programme asks of the cell at this moment: exactly one of the two is given.

    Attributes:
        current_density: Plating positive, mean over the counter electrode [A/m^2]; None where the
            potential is given. A rest is 0.
        potential: Of the lithium against the counter electrode [V] (negative plates); None where
            the current is given.
    """

    current_density: float | None = None
    potential: float | None = None

    def __post_init__(self) -> None:
        if (self.current_density is None) == (self.potential is None):
            raise ValueError("a drive is either a current density or a potential")


@dataclass(frozen=True)
class Trial:
    """An implicit step that is not accepted yet.

    Attributes:
        monitors: Quantities at the end of the step by name (`ssbmech.output.history.UNITS`), in SI;
            the same on every rank.
        error: Local error of this step over the tolerance: 1 or less passes (`local_error`).
        iterations: Newton iterations.
    """

    monitors: dict[str, float]
    error: float
    iterations: int


class Model(Protocol):
    """Something that moves in time; it owns its state. All calls are collective."""

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """Take an implicit step from the accepted state and keep it aside.

        It may be called any number of times, with any ``dt``, before `accept`; each call starts
        from the accepted state and depends on nothing else (a failed or longer trial before it
        leaves no trace, not even as a first guess, or a restart would not give the same numbers).

        Args:
            time: At the END of the step [s]: that of the accepted state is ``time - dt``.
            dt: Length of the step [s].
            drive: What the cell is asked for during the step.

        Raises:
            SolverError: On every rank, without convergence; the accepted state is untouched.
        """
        ...

    def accept(self) -> None:
        """Make the last trial the state."""
        ...

    def save(self) -> dict[str, NDArray[Any]]:
        """State in an order that does not depend on the ranks; whole on rank 0, {} elsewhere.

        It holds everything that the next `advance` depends on, the rate and length of the last
        step for the error estimate included.
        """
        ...

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take a state that `save` gave; the arrays are given on rank 0, {} elsewhere."""
        ...


def local_error(
    new: Any,
    old: Any,
    rate: Any | None,
    dt: float,
    dt_old: float,
    *,
    tolerance: float,
    scale: Any,
    reduce: Callable[[float], float] | None = None,
) -> float:
    """Local error of a step of backward Euler over what is allowed.

    The step errs by dt^2 x''/2 (+ O(dt^3)). The mean rate of a step of backward Euler is the rate
    x' = f(x) at its END, so that those of this step and of the one before are dt apart, whatever
    the length of the one before:

        dt^2 x''/2 = dt/2 (x'_new - x'_old).

    The largest entry counts, not a mean: it does not depend on the order of the entries, and a
    small region that moves fast is not averaged away.

    Args:
        new: (n,) or scalar, values at the end of the step (those of this rank).
        old: Same shape, values at its start.
        rate: Same shape, (x - x_before)/dt_old of the last accepted step; None if there was none,
            and then the error is 0: nothing is known (`march` looks after the first step).
        dt: Length of the step [s].
        dt_old: Length of the last accepted step [s]; 0 if there was none, and then ``rate`` does
            not count.
        tolerance: Allowed local error, relative to ``scale``.
        scale: Size of the quantity, scalar or (n,), positive. A physical size (a threshold, a
            thickness), not the present value: that may be 0.
        reduce: Largest value over the ranks, e.g. ``lambda e: comm.allreduce(e, MPI.MAX)``.

    Returns:
        Local error over ``tolerance * scale``; 1 or less passes.
    """
    worst = 0.0
    if rate is not None and dt_old > 0.0:
        now = (np.asarray(new, dtype=float) - np.asarray(old, dtype=float)) / dt
        error = np.abs(now - np.asarray(rate, dtype=float)) * (0.5 * dt)
        ratio = error / (tolerance * np.asarray(scale, dtype=float))
        worst = float(np.max(ratio, initial=0.0))
    return worst if reduce is None else float(reduce(worst))


@dataclass(frozen=True)
class Phase:
    """A part of the programme with one drive.

    Attributes:
        kind: What it is called, e.g. "plate".
        drive: What it asks for.
        duration: Its end [s]; inf where only an event ends it. It is met exactly.
        first: Length of its first step [s], shortened where the step after it does not pass.
        largest: Longest step [s].
        ends: Events that end it before its duration.
        cycle: Number of the cycle it belongs to, from 1.
    """

    kind: str
    drive: Drive
    duration: float
    first: float
    largest: float = math.inf
    ends: tuple[Event, ...] = ()
    cycle: int = 1


@dataclass(frozen=True)
class Step:
    """An accepted step, as `march` reports it.

    Attributes:
        number: From 1, over the whole run.
        time: At its end [s].
        dt: Its length [s].
        phase: Number of the phase, from 1.
        kind: Kind of the phase.
        cycle: Number of the cycle, from 1.
        iterations: Newton iterations.
        error: Local error over the tolerance.
        rejected: Tries that did not pass before it.
        monitors: Quantities at its end, in SI.
        events: Names of the events that it met.
        output: Whether fields are wanted: an output time, an event, the end of the run.
    """

    number: int
    time: float
    dt: float
    phase: int
    kind: str
    cycle: int
    iterations: int
    error: float
    rejected: int
    monitors: dict[str, float]
    events: tuple[str, ...] = ()
    output: bool = False


@dataclass
class Position:
    """Where a march stands: with the state of the model all that going on from there needs.

    Attributes:
        start: Time at which the phase began [s].
        phase: Index of the phase.
        elapsed: Time since then [s].
        steps: Accepted steps.
        rejected: Tries that did not pass.
        wish: Length of the next step [s].
        error: Error of the last step, for the controller.
        failed: Whether the last try failed, for the controller.
        monitors: After the last accepted step.
        at_start: When the phase began.
        past: Names of events that were met and are not armed again.
        log: What happened when: events and ends of phases.
        ended: Why the run ended; "" while it goes on.
        ended_by: What ended the last phase: "duration" or the name of an event.
    """

    start: float = 0.0
    phase: int = 0
    elapsed: float = 0.0
    steps: int = 0
    rejected: int = 0
    wish: float = 0.0
    error: float = 0.8
    failed: bool = False
    monitors: dict[str, float] = field(default_factory=dict)
    at_start: dict[str, float] = field(default_factory=dict)
    past: list[str] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    ended: str = ""
    ended_by: str = ""

    @property
    def time(self) -> float:
        """Time reached [s]."""
        return self.start + self.elapsed

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a checkpoint; numbers survive JSON to the last bit."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Position:
        """Back from `as_dict`."""
        return cls(**{f.name: data[f.name] for f in fields(cls)})


@dataclass(frozen=True)
class Outcome:
    """How a march ended.

    Attributes:
        reason: "programme", or the name of the event that ended it.
        time: Time reached [s].
        steps: Accepted steps.
        rejected: Tries that did not pass.
        monitors: At the end.
        log: Events and ends of phases in order: dicts with name, time [s], step, phase, cycle,
            kind, action; for events also monitor and value.
    """

    reason: str
    time: float
    steps: int
    rejected: int
    monitors: dict[str, float]
    log: tuple[dict[str, Any], ...]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What happened, without the ends of phases."""
        return [entry for entry in self.log if entry["name"] != END_OF_PHASE]

    @property
    def phases(self) -> list[dict[str, Any]]:
        """Ends of phases; action is what ended it: "duration" or the name of an event."""
        return [entry for entry in self.log if entry["name"] == END_OF_PHASE]
