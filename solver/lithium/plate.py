"""A stiff plate on a body in time: one displacement for a whole surface, found with every step.

The surface is held at the plate's normal displacement U and is free along it. Every step of the
body is solved for a few values of U until the reaction is in balance with the stack (`stack.seek`):
two or three solves where the body is nearly linear over a step.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import Hold
from ssbmech.lithium.stack import Stack, seek
from ssbmech.lithium.system import BodySystem, StepReport


@dataclass(frozen=True)
class PlateReport:
    """What a step with a plate did.

    Attributes:
        step: The last solve.
        iterations: Newton iterations of all solves.
        solves: Their number.
        displacement: U, outwards [m].
        pressure: Of the stack [Pa], compression positive.
    """

    step: StepReport
    iterations: int
    solves: int
    displacement: float
    pressure: float


class Plate:
    """A plate, or a plate with a spring, on a flat side of a body that is normal to an axis.

    Put `hold` into the body's problem, then take steps with `advance` instead of the body's own.

    Args:
        stack: Of kind ``plate`` or ``spring``.
        axis: Displacement component along the normal of the side.
        outward: +1 where the outward normal points along the axis, -1 against it.
    """

    def __init__(self, stack: Stack, axis: int, outward: int) -> None:
        if not stack.has_plate:
            raise CaseError(
                "a dead load has no plate", key="stack.kind", value=stack.kind,
                allowed="'plate' or 'spring'",
            )  # fmt: skip
        self.stack, self.axis, self.outward = stack, axis, outward
        self.displacement = 0.0
        self._trial = 0.0
        self._speed = 0.0
        one = Formula.constant(1.0, "length")
        self.hold = Hold(
            stack.group, {axis: one}, factor=lambda _time: self.outward * self._trial,
            key="stack.group",
        )  # fmt: skip

    def advance(self, body: BodySystem, time: float, dt: float) -> PlateReport:
        """Step of the body with its plate in balance; `accept` takes it over with the body's.

        Raises:
            SolverError: On every rank, without a solution of the body or without balance.
        """
        area = monitors.area(body, self.stack.group)
        reports: list[StepReport] = []

        def force(displacement: float) -> float:
            self._trial = displacement
            reports.append(body.advance(time, dt))
            return self.outward * float(monitors.reaction(body, self.stack.group)[self.axis])

        # a first guess from the last velocity; a second one a thousandth of the body away
        size = body.problem.domain.length
        start = self.displacement + self._speed * dt
        found = seek(self.stack, force, area, start=start, step=self._probe(size), rtol=1e-9)
        self._trial, self._dt = found, dt
        iterations = sum(r.newton.iterations for r in reports)
        return PlateReport(
            reports[-1], iterations, len(reports), found, self.stack.pressure_at(found)
        )

    def _probe(self, size: float) -> float:
        return 1e-6 * size

    def accept(self) -> None:
        """Let the last step become the state."""
        self._speed = (self._trial - self.displacement) / self._dt
        self.displacement = self._trial

    def state(self) -> tuple[float, float]:
        """U and its velocity, for a checkpoint."""
        return self.displacement, self._speed

    def resume(self, displacement: float, speed: float) -> None:
        """Take `state` back."""
        self.displacement = self._trial = displacement
        self._speed = speed
