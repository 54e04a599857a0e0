"""Implicit steps in time: what a model has to offer, and the march of a model through a programme.

Nothing here knows a mesh or a file. A model owns its state; `march` says how long the next step is,
repeats steps that do not pass, meets the ends of phases and the events, and says when to keep a
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


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

    The step from x errs by dt^2 x''/2 (+ O(dt^3)). The mean rates of this step and of the one
    before belong to the middles of the steps, (dt + dt_old)/2 apart, so that

        dt^2 x''/2 = dt^2 (x'_new - x'_old)/(dt + dt_old).

    The largest entry counts, not a mean: it does not depend on the order of the entries, and a
    small region that moves fast is not averaged away.

    Args:
        new: (n,) or scalar, values at the end of the step (those of this rank).
        old: Same shape, values at its start.
        rate: Same shape, (x - x_before)/dt_old of the last accepted step; None if there was none,
            and then the error is 0: nothing is known (`march` looks after the first step).
        dt: Length of the step [s].
        dt_old: Length of the last accepted step [s].
        tolerance: Allowed local error, relative to ``scale``.
        scale: Size of the quantity, scalar or (n,), positive. A physical size (a threshold, a
            thickness), not the present value: that may be 0.
        reduce: Largest value over the ranks, e.g. ``lambda e: comm.allreduce(e, MPI.MAX)``.

    Returns:
        Local error over ``tolerance * scale``; 1 or less passes.
    """
    worst = 0.0
    if rate is not None:
        now = (np.asarray(new, dtype=float) - np.asarray(old, dtype=float)) / dt
        error = np.abs(now - np.asarray(rate, dtype=float)) * (dt * dt / (dt + dt_old))
        ratio = error / (tolerance * np.asarray(scale, dtype=float))
        worst = float(np.max(ratio, initial=0.0))
    return worst if reduce is None else float(reduce(worst))
