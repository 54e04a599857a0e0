"""The stack that presses the cell: dead load, stiff plate, or stiff plate with a spring behind it.

Pressures are positive in compression; the displacement U of the stack is positive outwards, away
from the body: lithium that is plated pushes the stack out.

- ``dead``: the same pressure at every point of the surface, whatever moves. Nothing is unknown.
- ``plate``: all points of the surface have the same normal displacement U; its value follows from
  the balance of the reaction with pressure x area. The plate does not hold along the surface.
- ``spring``: a plate whose pressure grows as it is pushed out, p(U) = p0 + k U.

U is one unknown with one equation, g(U) = R(U) + p(U) A = 0, R the outward force of the stack on
the body (minus the reaction of the body). With dR/dU known it borders Newton's method (`balance`);
without, `seek` finds it by a secant method around solves with U prescribed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError, SolverError

Floats = NDArray[np.float64]
Kind = Literal["dead", "plate", "spring"]
KINDS = ("dead", "plate", "spring")


@dataclass(frozen=True)
class Stack:
    """What presses on a facet group.

    Attributes:
        group: Facet group.
        pressure: At U = 0 [Pa], positive in compression.
        kind: See the module.
        stiffness: k of the spring per area [Pa/m]; 0 for the other kinds.
    """

    group: str
    pressure: float
    kind: Kind = "dead"
    stiffness: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CaseError(
                "unknown kind of stack", key="stack.kind", value=self.kind,
                allowed=", ".join(repr(k) for k in KINDS),
            )  # fmt: skip
        if not (np.isfinite(self.pressure) and self.pressure >= 0):
            raise CaseError(
                "a stack presses: its pressure is positive in compression, and a negative one "
                "would pull the cell apart",
                key="stack.pressure", value=self.pressure, allowed="0 Pa or above",
            )  # fmt: skip
        if self.kind == "spring" and not (np.isfinite(self.stiffness) and self.stiffness > 0):
            raise CaseError(
                "a spring needs a stiffness", key="stack.stiffness", value=self.stiffness,
                allowed="above 0 Pa/m", hint="A plate with constant force is kind = 'plate'",
            )  # fmt: skip
        if self.kind != "spring" and self.stiffness != 0:
            raise CaseError(
                f"a stack of kind {self.kind!r} has no stiffness", key="stack.stiffness",
                value=self.stiffness, hint="kind = 'spring' takes one",
            )  # fmt: skip

    @property
    def has_plate(self) -> bool:
        """Whether all points of the surface move alike along the normal."""
        return self.kind != "dead"

    def pressure_at(self, displacement: float) -> float:
        """Pressure [Pa] when the stack was pushed out by ``displacement`` [m]; it never pulls."""
        return max(self.pressure + self.stiffness * displacement, 0.0)

    def traction(self, normal: Floats) -> Floats:
        """Of a dead load [Pa] on a surface with these outward reference normals, shape (n, dim)."""
        return -self.pressure * normal

    def balance(self, displacement: float, force: float, area: float) -> tuple[float, float]:
        """Equation of the plate, g = R + p(U) A, and the part p'(U) A of its slope.

        Args:
            displacement: U [m], outwards.
            force: R, outward force of the stack on the body at U: the sum of the reactions
                along the outward normal (negative in compression) [N, or N/m per thickness].
            area: Of the surface [m^2, or m].
        """
        pressure = self.pressure_at(displacement)
        slope = self.stiffness * area if pressure > 0 else 0.0
        return force + pressure * area, slope


def seek(
    stack: Stack,
    force: Callable[[float], float],
    area: float,
    *,
    start: float,
    step: float,
    rtol: float = 1e-10,
    limit: int = 30,
) -> float:
    """Displacement U of a plate at which it is in balance, by a bracketed secant method.

    Pushing the stack out lets the body expand: g grows with U. The method needs no slope and keeps
    the bracket once it has one.

    Args:
        stack: Of kind ``plate`` or ``spring``.
        force: R(U), see `Stack.balance`; each call is a solve with U prescribed.
        area: Of the surface.
        start: First guess of U.
        step: Second guess is ``start`` plus or minus this, towards balance.
        rtol: Of g over the force of the stack.
        limit: Number of calls.

    Raises:
        SolverError: Without balance after ``limit`` calls.
    """

    def g(u: float) -> float:
        return stack.balance(u, force(u), area)[0]

    scale = max(stack.pressure * area, stack.stiffness * abs(step) * area, 1e-300)
    a, fa = start, g(start)
    if abs(fa) <= rtol * scale:
        return a
    b = a - np.sign(fa) * abs(step)
    history = [abs(fa) / scale]
    low, high = -np.inf, np.inf
    for _ in range(limit):
        low, high = (max(low, a), high) if fa < 0 else (low, min(high, a))
        fb = g(b)
        history.append(abs(fb) / scale)
        if abs(fb) <= rtol * scale:
            return float(b)
        low, high = (max(low, b), high) if fb < 0 else (low, min(high, b))
        new = b - fb * (b - a) / (fb - fa) if fb != fa else np.inf
        if not low < new < high:  # outside the bracket, or nothing learned
            bounded = np.isfinite(low) and np.isfinite(high)
            new = 0.5 * (low + high) if bounded else b - np.sign(fb) * 2 * abs(b - a)
        a, fa, b = b, fb, float(new)
    words = ", ".join(f"{h:.1e}" for h in history[-8:])
    raise SolverError(
        f"no balance between the stack and the body in {limit} solves: relative residuals "
        f"[{words}]",
        key="stack", hint="Shorten the step",
    )  # fmt: skip
