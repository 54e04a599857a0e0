"""Newton's method with line search for small dense systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import SolverError

Floats = NDArray[np.float64]
_HALVINGS = 25


@dataclass(frozen=True)
class DenseReport:
    """What Newton did.

    Attributes:
        iterations: Linear solves.
        history: Largest residual before each step and after the last.
    """

    iterations: int
    history: tuple[float, ...]


def solve(
    linearise: Callable[[Floats], tuple[Floats, Floats]],
    residual: Callable[[Floats], Floats],
    x: Floats,
    *,
    tolerance: float = 1e-13,
    limit: int = 60,
) -> tuple[Floats, DenseReport]:
    """Solve residual(x) = 0.

    Args:
        linearise: Residual and Jacobian.
        residual: Residual alone, for the line search.
        x: Start; not changed.
        tolerance: Of the largest residual; residuals and unknowns are of the size of 1.
        limit: Number of steps.

    Returns:
        The solution, and what was done. When rounding stops the descent within ten thousand
        times the tolerance, that is a solution.

    Raises:
        SolverError: With the residual history.
    """
    history: list[float] = []
    for iteration in range(limit):
        r, J = linearise(x)
        size = float(np.abs(r).max())
        history.append(size)
        if size <= tolerance:
            return x, DenseReport(iteration, tuple(history))
        try:
            step = np.linalg.solve(J, -r)
        except np.linalg.LinAlgError:
            raise SolverError(_words("met a singular matrix", history), hint=_HINT) from None
        merit, length = float(r @ r), 1.0
        for _ in range(_HALVINGS):
            trial = x + length * step
            with np.errstate(over="ignore", invalid="ignore"):
                new = residual(trial)
                value = float(new @ new)
            if np.isfinite(value) and value <= (1 - 1e-4 * length) * merit:
                break
            length /= 2
        else:
            if size <= 1e4 * tolerance:
                return x, DenseReport(iteration, tuple(history))
            raise SolverError(_words("found no descent", history), hint=_HINT)
        x = trial
    raise SolverError(_words(f"did not converge in {limit} steps", history), hint=_HINT)


_HINT = "A shorter step in time makes it easier"


def _words(what: str, history: list[float]) -> str:
    residuals = ", ".join(f"{h:.2e}" for h in history[-8:])
    return f"Newton's method of the filament {what}: residuals [{residuals}]"
