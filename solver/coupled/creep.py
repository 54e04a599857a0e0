"""A body that flows under its loads alone, without current: a model in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech.coupled.plate import Plate
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import BodyProblem
from ssbmech.lithium.system import BodySystem
from ssbmech.numerics.stepping import Drive, Trial, local_error

Floats = NDArray[Any]
T = TypeVar("T")

#: Below these a change is not looked at in the local error: stress [Pa], displacement [m].
_STRESS, _LENGTH = 1e5, 1e-10


#: Length of the step [s] in which a body takes its first loads: nothing creeps in it.
_AT_ONCE = 1e-15


def at_rest(problem: BodyProblem, plate: Plate | None = None) -> BodySystem:
    """A body that bears the loads of time 0, before anything creeps (collective).

    Without it the first step would show a jump that no shorter step makes smaller.

    Args:
        problem: The body; the plate's hold is among its holds.
        plate: That presses on it, or None.

    Raises:
        SolverError: On every rank, where it cannot bear them.
    """
    body = BodySystem(problem)
    if plate is not None:
        plate.balance(body, lambda: body.advance(0.0, _AT_ONCE), 0.0)
        body.accept()
        plate.restore(plate.displacement, 0.0)
        body.rate = np.zeros_like(body.accepted)
        return body
    still = not problem.loads and not problem.misfits
    if not still or any(not _is_zero(f) for h in problem.holds for f in h.value.values()):
        body.advance(0.0, _AT_ONCE)
        body.accept()
    body.rate = np.zeros_like(body.accepted)
    body.resume(0.0, True, body.stored, body.trial_forces)  # so that it takes first guesses
    return body


def stepped(plate: Plate | None, body: BodySystem, dt: float, step: Callable[[], T]) -> T:
    """A step of a body, in balance with a plate if there is one (collective)."""
    if plate is None:
        return step()
    return plate.balance(body, step, plate.accepted + dt * plate.rate)


def plate_state(plate: Plate | None) -> tuple[float, float]:
    """Displacement and rate of a plate, for a checkpoint."""
    return (0.0, 0.0) if plate is None else (plate.accepted, plate.rate)


def _is_zero(formula: Formula) -> bool:
    return formula.is_constant and float(formula.value(np.zeros((1, 3)))[0]) == 0.0


def body_error(body: BodySystem, dt: float, dt_old: float, tolerance: float) -> float:
    """Local error of displacement and mean stress of the body's trial (collective).

    Each relative to its largest value; the body is at its trial.

    Args:
        body: The body; it has made a step before (``dt_old``).
        dt: Length of the step [s].
        dt_old: Of the last accepted one [s].
        tolerance: Relative local error that passes.
    """
    p, comm, w = body.problem, body.problem.domain.comm, body.w.x.array
    found = []
    units = (_LENGTH / p.domain.length, _STRESS / p.modulus)
    for part, least in zip((body.where, body.q_where), units, strict=True):
        mine = float(np.abs(w[part]).max(initial=0.0))
        found.append(
            local_error(
                w[part], body.accepted[part], body.rate[part], dt, dt_old, tolerance=tolerance,
                scale=max(comm.allreduce(mine, op=MPI.MAX), least),
                reduce=lambda e: float(comm.allreduce(e, op=MPI.MAX)),
            )
        )  # fmt: skip
    return max(found)


def mean_pressure(body: BodySystem) -> tuple[float, float]:
    """Mean over the volume and largest of the pressure of all flowing groups [Pa] (collective)."""
    groups = list(body.problem.flows)
    found = [monitors.pressures(body, group) for group in groups]
    volumes = []
    for group in groups:
        start, stop = body.points_of(group)
        inside = np.zeros(body.points.n)
        inside[start:stop] = 1.0
        volumes.append(body.integral(inside))
    mean = float(np.average([mean for mean, _ in found], weights=volumes))
    return mean, max(high for _, high in found)


class CreepModel:
    """A ``stepping.Model``; what the programme asks of a cell does not matter to it.

    Args:
        problem: The body.
        tolerance: Local error of a step, relative to the largest displacement and mean stress.
        plate: That presses on it, or None.
    """

    def __init__(
        self, problem: BodyProblem, tolerance: float = 1e-3, plate: Plate | None = None
    ) -> None:
        self.plate, self.tolerance = plate, tolerance
        self.body = at_rest(problem, plate)
        self._dt, self._next = 0.0, 0.0

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``."""
        body = self.body
        body.ksp = None  # a factorisation of an earlier trial would leave a trace
        report = stepped(self.plate, body, dt, lambda: body.advance(time, dt))
        self._next = dt
        error = body_error(body, dt, self._dt, self.tolerance) if self._dt > 0 else 0.0
        mean, high = mean_pressure(body)
        slip = body.latest.state.slip if body.latest is not None else np.zeros(0)
        largest = body.problem.domain.comm.allreduce(float(slip.max(initial=0.0)), op=MPI.MAX)
        found = {
            "pressure_max": high,
            "pressure_mean": mean,
            "plastic_strain_max": largest,
            "dissipation": report.dissipation,
            **monitors.small_strain(body),
        }
        if self.plate is not None:
            found["stack_pressure"] = self.plate.pressure
        return Trial(found, error, report.newton.iterations)

    def accept(self) -> None:
        """See ``stepping.Model``."""
        self.body.accept()
        self._dt = self._next
        if self.plate is not None:
            self.plate.accept(self._dt)

    def save(self) -> dict[str, NDArray[Any]]:
        """See ``stepping.Model``."""
        arrays = self.body.save()
        if self.body.problem.domain.comm.rank == 0:
            arrays["creep:step"] = np.array([self._dt, *plate_state(self.plate)])
        return arrays

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``."""
        comm = self.body.problem.domain.comm
        found = comm.bcast(arrays.get("creep:step") if comm.rank == 0 else None)
        if found is None:
            raise SolverError("the saved state is not one of a body that creeps", key="checkpoint")
        self.body.load(arrays)
        self._dt = float(found[0])
        if self.plate is not None:
            self.plate.restore(found[1], found[2])
