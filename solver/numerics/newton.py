"""Newton's method with line search, optionally bordered by one scalar unknown and equation.

The scalar is the potential of an electrode whose current is given. It is eliminated in every step
by two solves with one factorised (or multigrid) matrix, so that no dense row enters the matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from ssbmech.errors import SolverError
from ssbmech.numerics.linear import LinearReport

_HALVINGS = 12


class Tangent(Protocol):
    """The linearised problem at a state."""

    def solve(self, b: Any, x: Any) -> LinearReport:
        """Solve with the matrix; rows of prescribed unknowns take their entry of ``b``."""

    def column(self) -> Any:
        """Right-hand side of the change of the state per change of the scalar."""

    def slope(self, direction: Any, scalar: float) -> float:
        """Change of the scalar equation along a direction of the state and of the scalar."""


class System(Protocol):
    """A nonlinear problem R(x, s) = 0, with g(x, s) = 0 if it is bordered."""

    @property
    def bordered(self) -> bool:
        """Whether the scalar is unknown."""

    def residual(self, x: Any, s: float) -> tuple[Any, float, float]:
        """R (zero in prescribed rows), g (0 without border), and the size that R is judged by."""

    def tangent(self, x: Any, s: float) -> Tangent:
        """The linearised problem."""


@dataclass(frozen=True)
class NewtonReport:
    """What Newton did.

    Attributes:
        iterations: Number of steps.
        history: Relative residual before each step and after the last.
        steps: Length of each step that was taken, 1 for a full one.
        linear: The last linear solve.
    """

    iterations: int
    history: tuple[float, ...]
    steps: tuple[float, ...]
    linear: LinearReport


def solve(
    system: System,
    x: Any,
    s: float,
    *,
    rtol: float = 1e-12,
    limit: int = 50,
) -> tuple[float, NewtonReport]:
    """Solve; ``x`` (a PETSc vector that fulfils prescribed values) is changed in place.

    Args:
        system: The problem.
        x: Start, and the solution.
        s: Start of the scalar; kept where it is not unknown.
        rtol: Of the residual, relative to the size that the system gives.
        limit: Number of steps.

    Returns:
        The scalar, and what was done.

    Raises:
        SolverError: On every rank, with the residual history.
    """
    history: list[float] = []
    steps: list[float] = []
    residual, g, size = system.residual(x, s)
    merit = _merit(residual, g)
    linear: LinearReport | None = None
    for _ in range(limit):
        history.append(merit / size if size > 0 else merit)
        if linear is not None and merit <= rtol * size:
            break
        tangent = system.tangent(x, s)
        step, ds, linear = full_step(system, tangent, residual, g)
        at_rounding = step.norm(3) <= 1e-14 * max(1.0, x.norm(3))  # 3: the largest entry
        length, old = 1.0, x.copy()
        for _halving in range(_HALVINGS):
            x.waxpy(length, step, old)
            residual, g, size = system.residual(x, s + length * ds)
            new = _merit(residual, g)
            if math.isfinite(new) and new <= (1 - 1e-4 * length) * merit:
                break
            if at_rounding or (math.isfinite(new) and new <= 1e-10 * size):
                at_rounding = at_rounding or new >= 0.5 * merit
                break
            length /= 2
        else:
            raise SolverError(_words("found no descent", history, steps), hint=_HINT)
        s, merit = s + length * ds, new
        steps.append(length)
        old.destroy()
        step.destroy()
        if at_rounding:
            history.append(merit / size if size > 0 else merit)
            break
    else:
        raise SolverError(_words(f"did not converge in {limit} steps", history, steps), hint=_HINT)
    assert linear is not None
    return s, NewtonReport(len(steps), tuple(history), tuple(steps), linear)


_HINT = "Give a smaller load, or check the exchange current density and the conductivity"


def full_step(
    system: System, tangent: Tangent, residual: Any, g: float
) -> tuple[Any, float, LinearReport]:
    """Newton's step of the state and of the scalar, and the linear solve."""
    b, y = residual.copy(), residual.duplicate()
    b.scale(-1)
    report = tangent.solve(b, y)
    ds = 0.0
    if system.bordered:
        column = tangent.column()
        z = column.duplicate()
        tangent.solve(column, z)
        ds = -(g + tangent.slope(y, 0.0)) / tangent.slope(z, 1.0)
        y.axpy(ds, z)
        column.destroy()
        z.destroy()
    b.destroy()
    return y, ds, report


def _merit(residual: Any, g: float) -> float:
    return math.hypot(residual.norm(), g)


def _words(what: str, history: list[float], steps: list[float]) -> str:
    residuals = ", ".join(f"{h:.2e}" for h in history[-8:])
    taken = ", ".join(f"{s:.3g}" for s in steps[-8:])
    return f"Newton's method {what}: relative residuals [{residuals}], lengths of steps [{taken}]"
