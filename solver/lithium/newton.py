"""Newton's method with line search that keeps a factorisation while it serves.

Rule: a factorisation, also that of an earlier step, is used as long as each iteration leaves at
most the share ``reuse`` of the residual. An iteration that leaves more lets the next one factorise
anew; one that finds no descent is taken back and done again with a new factorisation. ``reuse = 0``
is full Newton.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from ssbmech.errors import SolverError

_HALVINGS = 10
_HINT = "Take a smaller step in time, or a smaller load"


class Linearised(Protocol):
    """A nonlinear problem whose tangent is that of the last evaluation."""

    def evaluate(self, x: Any) -> float:
        """Relative residual at ``x``; not finite where ``x`` is not admissible. Collective."""

    def factorise(self) -> None:
        """Factorise the tangent at the last ``x``. Collective."""

    @property
    def factorised(self) -> bool:
        """Whether there is a factorisation, of whatever state."""

    def step(self) -> Any:
        """The change of ``x`` that the factorisation gives for the last residual."""


@dataclass(frozen=True)
class IterationReport:
    """What Newton did.

    Attributes:
        iterations: Linear solves.
        factorisations: Of the matrix.
        history: Relative residual before each iteration and after the last.
        steps: Length of each, 1 for a full one.
    """

    iterations: int
    factorisations: int
    history: tuple[float, ...]
    steps: tuple[float, ...]


def solve(system: Linearised, x: Any, *, rtol: float, limit: int, reuse: float) -> IterationReport:
    """Solve; ``x`` (a PETSc vector with prescribed values in place) is changed.

    Args:
        system: The problem.
        x: Start, and the solution.
        rtol: Of the relative residual.
        limit: Number of iterations.
        reuse: See above.

    Raises:
        SolverError: On every rank, with the history.
    """
    history, steps, made = [system.evaluate(x)], [], 0
    stale = reuse <= 0
    while history[-1] > rtol or not math.isfinite(history[-1]):
        if not math.isfinite(history[-1]):
            raise SolverError(_words("has no admissible start", history, steps), hint=_HINT)
        if len(steps) >= limit:
            raise SolverError(
                _words(f"did not converge in {limit} iterations", history, steps), hint=_HINT
            )
        fresh = stale or not system.factorised
        if fresh:
            system.factorise()
            made += 1
        length, new = _search(system, x, history[-1], fresh)
        if length == 0 and not fresh:
            stale = True  # back at the start of this iteration, with its tangent
            continue
        if length == 0:
            if history[-1] <= 1e3 * rtol:
                break  # rounding: no step makes it smaller
            raise SolverError(_words("found no descent", history, steps), hint=_HINT)
        stale = reuse <= 0 or new > reuse * history[-1] or length < 1
        history.append(new)
        steps.append(length)
    return IterationReport(len(steps), made, tuple(history), tuple(steps))


def _search(system: Linearised, x: Any, merit: float, fresh: bool) -> tuple[float, float]:
    """Length of the step that was taken (0: none, ``x`` as before), and residual."""
    step, old, length = system.step(), x.copy(), 1.0
    taken, new = 0.0, merit
    for _ in range(_HALVINGS if fresh else 1):
        x.waxpy(length, step, old)
        new = system.evaluate(x)
        if math.isfinite(new) and new <= (1 - 1e-4 * length) * merit:
            taken = length
            break
        length /= 2
    else:
        old.copy(x)
        new = system.evaluate(x)
    step.destroy()
    old.destroy()
    return taken, new


def _words(what: str, history: list[float], steps: list[float]) -> str:
    residuals = ", ".join(f"{h:.2e}" for h in history[-10:])
    taken = ", ".join(f"{s:.3g}" for s in steps[-10:])
    return f"Newton's method {what}: relative residuals [{residuals}], lengths of steps [{taken}]"
