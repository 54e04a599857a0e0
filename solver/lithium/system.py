"""A body of elastic and flowing groups that moves in time by implicit steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech import solve as elastic
from ssbmech.errors import SolverError
from ssbmech.lithium import body_state
from ssbmech.lithium.boundary import Holds, NodalForces, SurfaceNodes
from ssbmech.lithium.forms import BodyForms
from ssbmech.lithium.growth import Growth
from ssbmech.lithium.newton import IterationReport
from ssbmech.lithium.points import FlowPoints, Response
from ssbmech.lithium.problem import BodyProblem
from ssbmech.lithium.step import Step
from ssbmech.parallel import together
from ssbmech.problem import Constraint, Problem

Floats = NDArray[Any]

#: A step [s] in which nothing flows: the stress of a state without moving it.
_INSTANT = 1e-12


@dataclass(frozen=True)
class StepReport:
    """What a step did, the same on every rank.

    Attributes:
        time: At its end [s].
        dt: Its length [s].
        newton: Iterations.
        dissipation: Of the step [J; J/m in plane models], not negative.
        stored: Elastic energy at the end [J].
        work: Work of all outer forces (loads, holds, nodal laws) in the step by the trapezoidal
            rule [J]; without growth and misfit it is the change of ``stored`` plus ``dissipation``
            to first order in the step.
        rate_change: Largest change of velocity over the step, over the largest velocity: 0 in
            steady flow.
    """

    time: float
    dt: float
    newton: IterationReport
    dissipation: float
    stored: float
    work: float
    rate_change: float


@dataclass(frozen=True)
class _Trial:
    x: Floats
    response: Response
    forces: Floats
    dt: float
    report: StepReport


class BodySystem(BodyForms):
    """Forms, state and steps of a `BodyProblem`.

    Attributes:
        problem: The problem.
        w: The unknowns (displacement, p) as a DOLFINx function of the mixed space: of the last
            evaluation, so after `advance` and `accept` those of the step.
        V: Displacement space; ``where`` gives the unknown of the mixed space of each of its own.
        growth: Growth at interfaces; set it before a step.
        points: Material points of flowing groups.
        time: Of the accepted state [s].
        stored: Elastic energy of the accepted state [J; J/m in plane models].
        accepted: Unknowns of the accepted state, local and ghost; ``rate`` their velocity.
    """

    def __init__(self, problem: BodyProblem) -> None:
        super().__init__(problem)
        counts = [n * self.quadrature.per_cell for n in self.flow_counts]
        self.points = FlowPoints(problem, counts)
        self.growth = Growth(problem, self.Q, self.flow_cells)
        self._fix()
        self.accepted: Floats = self.w.x.array.copy()
        self.rate: Floats = np.zeros_like(self.accepted)
        self.time = 0.0
        self._rated = False
        self._forces: Floats = np.zeros(self.owned)
        self.stored = 0.0
        self._trial: _Trial | None = None
        self.ksp: Any = None

    def _fix(self) -> None:
        """Prescribed unknowns: holds, p outside flowing groups, pins against rigid motion."""
        p, domain = self.problem, self.problem.domain
        self.holds = Holds(p, self.W)
        solid = np.ones(len(self.q_where), bool)
        solid[np.unique(self.Q.dofmap.list[self.flow_cells].reshape(-1))] = False
        seen = fem.Function(self.Q)
        seen.x.array[~solid] = 1
        seen.x.petsc_vec.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        seen.x.scatter_forward()
        outside = self.q_where[seen.x.array == 0]
        self.pinned, self.pins = self._pin()
        fixed = np.concatenate([self.holds.dofs, outside, self.pinned]).astype(np.int32)
        self.fixed = np.unique(fixed)
        self.own_fixed = self.fixed[self.fixed < self.owned]
        self.bcs = [fem.dirichletbc(fem.Function(self.W), self.fixed)]
        self.nodal = NodalForces(p, self.V, self.where, self.fixed)
        is_u = np.zeros(len(self.w.x.array), bool)
        is_u[self.where] = True
        self.is_displacement = is_u[: self.owned]
        domain.comm.barrier()

    def _pin(self) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """Unknowns that remove rigid motion as `solve.ElasticSystem` does it.

        A body with nodal laws is not pinned: they may hold it.
        """
        p = self.problem
        if p.laws:
            return np.empty(0, np.int32), ()
        held = tuple(Constraint(h.group, {**h.value, **h.velocity}, h.key) for h in p.holds)
        twin = elastic.ElasticSystem(
            Problem(p.domain, p.model, p.materials, tuple(load.surface for load in p.loads), held)
        )
        found = []
        same = np.empty(
            twin.V.dofmap.index_map.size_local + twin.V.dofmap.index_map.num_ghosts, int
        )
        same[twin.V.dofmap.list.reshape(-1)] = self.V.dofmap.list.reshape(-1)
        for bc in twin.pin():
            dofs, _ = bc.dof_indices()
            mine = same[dofs // p.dim] * p.dim + dofs % p.dim
            found.append(self.where[mine])
        return np.concatenate([np.empty(0, np.int32), *found]).astype(np.int32), twin.pins

    def points_of(self, group: str) -> tuple[int, int]:
        """First and behind the last of this rank's points of a flowing group."""
        at = next(g.points for g in self.points.groups if g.name == group)
        return int(at.start), int(at.stop)

    # -- steps ---------------------------------------------------------------------------------

    def respond(self, dt: float, time: float, secant: bool = False) -> Response | None:
        """Let the points answer the unknowns in ``w``; None on every rank if not admissible."""
        p, q, comm = self.problem, self.quadrature, self.problem.domain.comm
        gradient = self.gradients()
        fine = comm.allreduce(int(self.points.admissible(gradient))) == comm.size
        if not fine:
            return None
        pressure = q.values(self.mean_at_points) * p.modulus
        growth = np.repeat(self.growth.tensors, q.per_cell, axis=0)
        misfit = {name: p.misfit_at(name, time) for name in p.flows}
        answer = together(
            comm, lambda: self.points.respond(gradient, pressure, growth, misfit, dt, secant)
        )
        q.put(self.stress_field, q.vectors(answer.stress) / p.modulus)
        q.put(self.tangent_field, q.matrices(answer.tangent) / p.modulus)
        q.put(self.swell_field, q.vectors(answer.swell))
        q.put(self.volume_field, answer.volume)
        q.put(self.grown_field, answer.grown)
        self.strain_size = float(np.sum(gradient**2))
        return answer

    def set_factor(self, group: str, value: float) -> None:
        """Replace the factor of the loads on a facet group, from the next step on."""
        self.loads.set_factor(group, value)

    def surface(self, group: str) -> SurfaceNodes:
        """This rank's displacement nodes of a facet group on the surface of the body."""
        return self.nodal.surface(group)

    def advance(self, time: float, dt: float) -> StepReport:
        """Implicit step from the accepted state to ``time``; kept aside until `accept`.

        The same step again (after a change of growth, loads or what nodal laws remember, as coupled
        solvers and augmentation do it) starts from its last answer, other steps from the velocity
        of the last one.

        Raises:
            SolverError: On every rank; the accepted state is as before.
        """
        if not (dt > 0 and math.isfinite(dt)):
            raise SolverError("a step in time has to be positive", key="dt", value=dt)
        last, self._trial = self._trial, None
        guess = dt * self.rate if self._rated else None
        if last is not None and (last.report.time, last.dt) == (time, dt):
            guess = last.x - self.accepted
        self.loads.at(time)
        self._set_misfit(time)
        try:
            step = Step(self, time, dt)
            report = self._solve(step, guess)
            self._trial = self._finish(step, report, time, dt)
        except Exception:
            self._back()
            raise
        return self._trial.report

    def _solve(self, step: Step, guess: Floats | None) -> IterationReport:
        if guess is not None:
            try:
                return step.solve(guess)
            except SolverError:
                self.ksp = None  # the guess was no good: start where the body is, with its tangent
        return step.solve(None)

    def _back(self) -> None:
        """To the accepted state, with the stress that it has."""
        self.w.x.array[:] = self.accepted
        self.ksp = None
        self._set_misfit(self.time)
        self.respond(_INSTANT, self.time)

    def _finish(self, step: Step, report: IterationReport, time: float, dt: float) -> _Trial:
        answer = step.answer
        assert answer is not None
        x = self.w.x.array.copy()
        forces = step.internal
        change = x - self.accepted
        mean = 0.5 * (self._forces + forces)
        p = self.problem
        work = self.everywhere(
            float(mean[self.is_displacement] @ change[: self.owned][self.is_displacement])
        )
        self._check_pins(step)
        stored = self.integral(answer.state.stored)
        stored += self.everywhere(fem.assemble_scalar(self.energy)) * p.modulus * p.measure
        rate = change / dt
        jump = (
            rate[: self.owned][self.is_displacement] - self.rate[: self.owned][self.is_displacement]
        )
        largest = [
            self.problem.domain.comm.allreduce(float(np.abs(a).max(initial=0.0)), op=MPI.MAX)
            for a in (jump, rate[: self.owned][self.is_displacement])
        ]
        return _Trial(
            x, answer, forces, dt,
            StepReport(
                time, dt, report, self.integral(answer.dissipation), stored,
                work * p.modulus * p.measure,
                largest[0] / largest[1] if largest[1] > 0 else 0.0,
            ),
        )  # fmt: skip

    def _check_pins(self, step: Step) -> None:
        """Pins take no force as long as the loads are in balance."""
        if not self.pins:
            return
        at_pins = np.isin(self.own_fixed, self.pinned)
        reaction = math.sqrt(self.everywhere(float(np.sum(step.reactions[at_pins] ** 2))))
        size = math.sqrt(self.everywhere(float(np.sum(step.internal[self.is_displacement] ** 2))))
        if reaction > 1e-5 * size and reaction > 1e-14:
            raise SolverError(
                "nothing holds the body against rigid motion, and the loads are not in balance at "
                f"this time: a pin carries {reaction / size:.1e} of the forces",
                key="constraint", hint="Add a [[constraint]] that holds it, or loads in balance",
            )  # fmt: skip

    def accept(self) -> None:
        """Let the last step become the state."""
        trial = self._trial
        if trial is None:
            raise SolverError("there is no step to accept")
        self.rate = (trial.x - self.accepted) / trial.dt
        self._rated = True
        self.accepted = trial.x
        self.points.accepted = trial.response.state
        self._forces, self.time = trial.forces, trial.report.time
        self.stored = trial.report.stored
        self._trial = None

    def save(self) -> dict[str, Floats]:
        """See `body_state.save` (collective); the accepted state."""
        return body_state.save(self)

    def load(self, arrays: dict[str, Floats]) -> None:
        """See `body_state.load` (collective)."""
        body_state.load(self, arrays)
        self._trial = None
        self._back()

    def resume(self, time: float, rated: bool, stored: float, forces: Floats) -> None:
        """Take over what `body_state.load` read besides unknowns and points."""
        self.time, self._rated, self.stored, self._forces = time, rated, stored, forces

    @property
    def rated(self) -> bool:
        """Whether there was a step, so that ``rate`` says where the body goes."""
        return self._rated

    # -- results -------------------------------------------------------------------------------

    @property
    def displacement(self) -> Floats:
        """Displacement of local and ghost nodes of ``V`` at the last evaluation [m], (n, dim)."""
        u = self.w.x.array[self.where].reshape(-1, self.problem.dim)
        return u * self.problem.domain.length

    @property
    def mean_stress(self) -> Floats:
        """Mean stress p at the vertices, tension positive [Pa]; zero outside flowing groups."""
        return self.w.x.array[self.q_where] * self.problem.modulus

    @property
    def trial_forces(self) -> Floats:
        """Owned nodal forces that the body bears, non-dimensional, mixed space, shape (owned,).

        At free nodes outer forces and those of nodal laws, at held ones the reaction. Of the step
        that is not accepted yet, else of the accepted state. Times ``problem.force_unit``: newtons.
        """
        return self._forces if self._trial is None else self._trial.forces

    @property
    def latest(self) -> Response | None:
        """Answer of the points in the step that is not accepted yet, or None."""
        return None if self._trial is None else self._trial.response
