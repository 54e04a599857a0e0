"""A body of elastic and flowing groups that moves in time: forms, tangent, implicit steps.

Quadratic displacements everywhere and, on flowing groups, a linear continuous mean stress p
(Taylor-Hood), because plastic flow keeps its volume and displacements alone would lock. p has
unknowns on the whole mesh; those outside flowing groups are held at zero.

Non-dimensional inside: lengths by ``domain.length``, stresses by the largest Young's modulus.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_matrix, assemble_vector, create_matrix
from dolfinx.mesh import meshtags
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech import solve as elastic
from ssbmech.errors import SolverError
from ssbmech.lithium import body_state, newton
from ssbmech.lithium.boundary import Holds, Loads, NodalForces, SurfaceNodes
from ssbmech.lithium.growth import Growth
from ssbmech.lithium.newton import IterationReport, Residual
from ssbmech.lithium.points import FlowPoints, Response
from ssbmech.lithium.problem import BodyProblem
from ssbmech.lithium.quadrature import Points, gradient_vector
from ssbmech.parallel import together
from ssbmech.physics import elasticity
from ssbmech.problem import Constraint, Problem

Floats = NDArray[np.float64]

_ELASTIC, _FLOWING = 1, 2


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


class BodySystem:
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
        self.problem = problem
        mesh = problem.domain.mesh
        cell, dim = mesh.basix_cell().name, problem.dim
        order = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        self._curved = 2 if order > 1 else 0
        mixed = basix.ufl.mixed_element(
            [
                basix.ufl.element("Lagrange", cell, 2, shape=(dim,)),
                basix.ufl.element("Lagrange", cell, 1),
            ]
        )
        self.W = fem.functionspace(mesh, mixed)
        self.V, where = self.W.sub(0).collapse()
        self.Q, q_where = self.W.sub(1).collapse()
        self.where = np.asarray(where, np.int32)
        self.q_where = np.asarray(q_where, np.int32)
        self.owned = int(self.W.dofmap.index_map.size_local * self.W.dofmap.index_map_bs)
        self.w = fem.Function(self.W)
        self._sort_cells()
        axis = 2 if problem.model == "axisymmetric" else 0
        self.quadrature = Points(mesh, problem.model, self.flow_cells, 2 + axis + self._curved)
        counts = [n * self.quadrature.per_cell for n in self._flow_counts]
        self.points = FlowPoints(problem, counts)
        self.growth = Growth(problem, self.Q, self.flow_cells)
        self._forms()
        self._fix()
        self.accepted = self.w.x.array.copy()
        self.rate = np.zeros_like(self.accepted)
        self.time = 0.0
        self._rated = False
        self._forces = np.zeros(self.owned)
        self.stored = 0.0
        self._trial: _Trial | None = None
        self._ksp: Any = None

    # -- set-up --------------------------------------------------------------------------------

    def _sort_cells(self) -> None:
        """Cells of every flowing group one after the other; elastic and flowing ones marked."""
        domain = self.problem.domain
        of_cell = domain.tag_of_cell()
        parts = [
            np.flatnonzero(of_cell == domain.cell_tag(name)).astype(np.int32)
            for name in self.problem.flows
        ]
        self._flow_counts = [len(part) for part in parts]
        self.flow_cells = np.concatenate([np.empty(0, np.int32), *parts])
        kind = np.full(len(of_cell), _ELASTIC, np.int32)
        kind[self.flow_cells] = _FLOWING
        cells = np.arange(len(of_cell), dtype=np.int32)
        self._kinds = meshtags(domain.mesh, domain.tdim, cells, kind)

    def _cellwise(self, values: dict[str, float]) -> Any:
        domain = self.problem.domain
        f = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
        for name, value in values.items():
            f.x.array[domain.cell_tags.find(domain.cell_tag(name))] = value
        return f

    def _forms(self) -> None:
        p, mesh = self.problem, self.problem.domain.mesh
        q, k = self.quadrature, len(self.quadrature.parts)
        x = ufl.SpatialCoordinate(mesh)
        weight = elasticity.weight(x, p.model)
        (u, m), (v, n) = ufl.split(self.w), ufl.TestFunctions(self.W)
        du, dm = ufl.TrialFunctions(self.W)
        self._stress, self._tangent = q.field((k,)), q.field((k, k))
        self._swell, self._volume, self._grown = q.field((k,)), q.field(), q.field()
        M = p.modulus
        bulk = self._cellwise({name: M / p.moduli(name)[1] for name in p.flows})
        lame = {
            name: elasticity.lame(p.young(name) / M, p.materials[name].nu, p.model)
            for name in p.domain.cell_groups
        }
        lam = self._cellwise({name: c[0] for name, c in lame.items()})
        mu = self._cellwise({name: c[1] for name, c in lame.items()})
        degree = self.quadrature.degree
        cells = ufl.Measure("dx", mesh, subdomain_data=self._kinds)
        solid = cells(_ELASTIC, metadata={"quadrature_degree": degree})
        flowing = cells(_FLOWING, metadata=q.metadata)
        self._misfit = None
        strain = elasticity.strain(u, x, p.model)
        if p.misfits:
            self._misfit = fem.Function(fem.functionspace(mesh, ("DG", 0, (3, 3))))
            strain = strain - self._misfit
        sigma = elasticity.stress(strain, lam, mu, p.model)
        gv, gu = gradient_vector(v, x, p.model), gradient_vector(du, x, p.model)
        forces = ufl.inner(sigma, elasticity.strain(v, x, p.model)) * weight * solid
        forces += ufl.inner(self._stress, gv) * weight * flowing
        forces += (self._volume - self._grown * bulk * m) * n * weight * flowing
        tangent = ufl.inner(
            elasticity.stress(elasticity.strain(du, x, p.model), lam, mu, p.model),
            elasticity.strain(v, x, p.model),
        ) * weight * solid  # fmt: skip
        tangent += ufl.inner(ufl.dot(self._tangent, gu), gv) * weight * flowing
        tangent += ufl.inner(self._swell, gv) * dm * weight * flowing
        tangent += ufl.inner(self._swell, gu) * n * weight * flowing
        tangent += -self._grown * bulk * dm * n * weight * flowing
        self._internal, self._jacobian = fem.form(forces), fem.form(tangent)
        self._lift = fem.Function(self.W)
        self._action = fem.form(ufl.action(tangent, self._lift))
        eta = ufl.TestFunction(fem.functionspace(mesh, ("DG", 0)))
        size = ufl.sqrt(ufl.inner(sigma, sigma)) * eta * weight * solid
        size += ufl.sqrt(ufl.inner(self._stress, self._stress)) * eta * weight * flowing
        self._size = fem.form(size)
        self._energy = fem.form(elasticity.energy_density(strain, sigma) * weight * solid)
        self._per_point = q.field()
        self._integral = fem.form(self._per_point * weight * flowing)
        self._gradient = q.expression(gradient_vector(u, x, p.model))
        self._mean = q.expression(m)
        self.loads = Loads(p, self._curved + axis_degree(p.model))
        acting = self.loads.form(v)
        self._acting = None if acting is None else fem.form(acting)
        self._matrix = create_matrix(self._jacobian)
        self._scales(mesh, weight, flowing, n)

    def _scales(self, mesh: Any, weight: Any, flowing: Any, n: Any) -> None:
        """Size of cells, and volume at vertices that volumetric residuals are divided by."""
        eta = ufl.TestFunction(fem.functionspace(mesh, ("DG", 0)))
        one = fem.Constant(mesh, PETSc.ScalarType(1.0))
        owned = self.problem.domain.mesh.topology.index_map(self.problem.domain.tdim).size_local
        plain = self._assemble(fem.form(one * eta * ufl.dx(mesh)))
        self._length = plain[:owned] ** (1.0 / self.problem.domain.tdim)
        self._share = self._assemble(fem.form(n * weight * flowing))
        heavy = self._assemble(fem.form(one * eta * weight * ufl.dx(mesh)))[:owned]
        stiff = self.everywhere(float(np.sum((heavy / self._length**2) ** 2)))
        self._rounding = 4 * float(np.finfo(float).eps) * math.sqrt(stiff)

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
        self._own_fixed = self.fixed[self.fixed < self.owned]
        self._bcs = [fem.dirichletbc(fem.Function(self.W), self.fixed)]
        self.nodal = NodalForces(p, self.V, self.where, self.fixed)
        is_u = np.zeros(len(self.w.x.array), bool)
        is_u[self.where] = True
        self._is_u = is_u[: self.owned]
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
        for bc in twin._pin():
            dofs, _ = bc.dof_indices()
            mine = same[dofs // p.dim] * p.dim + dofs % p.dim
            found.append(self.where[mine])
        return np.concatenate([np.empty(0, np.int32), *found]).astype(np.int32), twin.pins

    # -- parts of a residual -------------------------------------------------------------------

    def _assemble(self, form: Any) -> Floats:
        """Owned entries of a linear form."""
        b = assemble_vector(form)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        values = b.array_r.copy()
        b.destroy()
        return values

    def everywhere(self, value: float) -> float:
        """Sum over all ranks."""
        return float(self.problem.domain.comm.allreduce(value))

    def integral(self, values: Floats) -> float:
        """Integral of values at points over the flowing groups, times the unit of volume."""
        self.quadrature.put(self._per_point, values)
        total = self.everywhere(fem.assemble_scalar(self._integral))
        return total * self.problem.measure

    def respond(self, dt: float, time: float, secant: bool = False) -> Response | None:
        """Let the points answer the unknowns in ``w``; None on every rank if not admissible."""
        p, q, comm = self.problem, self.quadrature, self.problem.domain.comm
        gradient = q.tensors(q.values(self._gradient, (len(q.parts),)))
        fine = comm.allreduce(int(self.points.admissible(gradient))) == comm.size
        if not fine:
            return None
        pressure = q.values(self._mean) * p.modulus
        growth = np.repeat(self.growth.tensors, q.per_cell, axis=0)
        misfit = {name: p.misfit_at(name, time) for name in p.flows}
        answer = together(
            comm, lambda: self.points.respond(gradient, pressure, growth, misfit, dt, secant)
        )
        q.put(self._stress, q.vectors(answer.stress) / p.modulus)
        q.put(self._tangent, q.matrices(answer.tangent) / p.modulus)
        q.put(self._swell, q.vectors(answer.swell))
        q.put(self._volume, answer.volume)
        q.put(self._grown, answer.grown)
        self._strain_size = float(np.sum(gradient**2))
        return answer

    def internal_forces(self) -> Floats:
        """Owned entries of the internal forces of the last evaluation, non-dimensional."""
        return self._assemble(self._internal)

    def _set_misfit(self, time: float) -> None:
        if self._misfit is None:
            return
        domain, array = self.problem.domain, self._misfit.x.array.reshape(-1, 9)
        for name in domain.cell_groups:
            cells = domain.cell_tags.find(domain.cell_tag(name))
            array[cells] = self.problem.misfit_at(name, time).reshape(9)

    # -- steps ---------------------------------------------------------------------------------

    def set_factor(self, group: str, value: float) -> None:
        """Replace the factor of the loads on a facet group, from the next step on."""
        self.loads.set_factor(group, value)

    def surface(self, group: str) -> SurfaceNodes:
        """This rank's displacement nodes of a facet group on the surface of the body."""
        return self.nodal.surface(group)

    def advance(self, time: float, dt: float) -> StepReport:
        """Implicit step from the accepted state to ``time``; kept aside until `accept`.

        Raises:
            SolverError: On every rank; the accepted state is as before.
        """
        if not (dt > 0 and math.isfinite(dt)):
            raise SolverError("a step in time has to be positive", key="dt", value=dt)
        self._trial = None
        self.loads.at(time)
        self._set_misfit(time)
        step = _Step(self, time, dt)
        try:
            if self._rated:
                report = step.solve(dt * self.rate)
            else:
                report = step.solve(None)
        except SolverError:
            if not self._rated:
                self._back()
                raise
            try:  # the guess from the last velocity was no good: start where the body is
                report = step.solve(None)
            except SolverError:
                self._back()
                raise
        self._trial = self._finish(step, report, time, dt)
        return self._trial.report

    def _back(self) -> None:
        self.w.x.array[:] = self.accepted
        self._ksp = None

    def _finish(self, step: _Step, report: IterationReport, time: float, dt: float) -> _Trial:
        answer = step.answer
        assert answer is not None
        x = self.w.x.array.copy()
        forces = step.internal
        change = x - self.accepted
        mean = 0.5 * (self._forces + forces)
        p = self.problem
        work = self.everywhere(float(mean[self._is_u] @ change[: self.owned][self._is_u]))
        self._check_pins(forces)
        stored = self.integral(answer.state.stored)
        stored += self.everywhere(fem.assemble_scalar(self._energy)) * p.modulus * p.measure
        rate = change / dt
        jump = rate[: self.owned][self._is_u] - self.rate[: self.owned][self._is_u]
        largest = [
            self.problem.domain.comm.allreduce(float(np.abs(a).max(initial=0.0)), op=MPI.MAX)
            for a in (jump, rate[: self.owned][self._is_u])
        ]
        return _Trial(
            x, answer, forces, dt,
            StepReport(
                time, dt, report, self.integral(answer.dissipation), stored,
                work * p.modulus * p.measure,
                largest[0] / largest[1] if largest[1] > 0 else 0.0,
            ),
        )  # fmt: skip

    def _check_pins(self, forces: Floats) -> None:
        """Pins take no force as long as the loads are in balance."""
        own = self.pinned[self.pinned < self.owned]
        if not self.everywhere(float(len(own))):
            return
        reaction = math.sqrt(self.everywhere(float(np.sum(forces[own] ** 2))))
        size = math.sqrt(self.everywhere(float(np.sum(forces[self._is_u] ** 2))))
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


def axis_degree(model: str) -> int:
    """What the weight r adds to the degree of an integrand."""
    return 1 if model == "axisymmetric" else 0


class _Step:
    """One implicit step as a nonlinear problem; see `newton.Linearised`."""

    def __init__(self, body: BodySystem, time: float, dt: float) -> None:
        self.body, self.time, self.dt = body, time, dt
        self.answer: Response | None = None
        self.internal = np.zeros(body.owned)
        acting = body._acting
        self.loads = np.zeros(body.owned) if acting is None else body._assemble(acting)
        self._load_size = float(np.sum(self.loads**2))
        self._residual = np.zeros(body.owned)
        self._laws: list[Any] = []
        self._secant = False

    def solve(self, guess: Floats | None) -> IterationReport:
        """Newton from the accepted state plus a guess of the change."""
        body, p = self.body, self.body.problem
        x = body.w.x.petsc_vec.copy()
        start = body.accepted + (0.0 if guess is None else guess)
        body.w.x.array[:] = start
        target = start.copy()
        body.holds.put(target, body.accepted, self.time, self.dt)
        for dofs in (body.pinned,):
            target[dofs] = 0.0
        lift = np.zeros_like(target)
        lift[body.fixed] = (target - start)[body.fixed]
        x.array[:] = start[: body.owned]
        try:
            if body.everywhere(float(np.abs(lift).max(initial=0.0))) > 0:
                self._lifted(x, lift)
            report = newton.solve(self, x, rtol=p.rtol, limit=p.limit, reuse=p.reuse)
            self._set(x)
            return report
        finally:
            x.destroy()

    def _lifted(self, x: Any, lift: Floats) -> None:
        """Bring prescribed unknowns to their values and the others along, by the tangent."""
        body = self.body
        moved = x.copy()
        moved.array[:] += lift[: body.owned]
        if math.isfinite(self.evaluate(x).relative):
            body._lift.x.array[:] = lift
            pull = body._assemble(body._action)
            pull[body._own_fixed] = 0.0
            self._residual += pull
            self.factorise()
            step = self.step()
            moved.axpy(1.0, step)
            step.destroy()
            if not math.isfinite(self.evaluate(moved).relative):
                moved.waxpy(1.0, _vector(x, lift[: body.owned]), x)
        moved.copy(x)
        moved.destroy()

    def _set(self, x: Any) -> None:
        self.body.w.x.array[: self.body.owned] = x.array_r
        self.body.w.x.scatter_forward()

    def use_secant(self, wanted: bool) -> None:
        self._secant = wanted

    @property
    def factorised(self) -> bool:
        return self.body._ksp is not None

    def evaluate(self, x: Any) -> Residual:
        body, comm = self.body, self.body.problem.domain.comm
        self._set(x)
        answer = body.respond(self.dt, self.time, self._secant)
        if answer is None:
            return _INADMISSIBLE
        self.answer = answer
        self._laws = body.nodal.evaluate(body.w.x.array)
        self.internal = body.internal_forces()
        r = self.internal - self.loads
        law_size = 0.0
        for rows, force, _ in self._laws:
            np.subtract.at(r, rows.reshape(-1), force.reshape(-1))
            law_size += float(np.sum(force**2))
        r[body._own_fixed] = 0.0
        self._residual = r
        cells = body._assemble(body._size)[: len(body._length)] / body._length
        share = np.where(body._share > 0, body._share, 1.0)
        volumes = np.where(body._is_u, 0.0, r)
        sums = np.array(
            [
                np.sum(r[body._is_u] ** 2),
                np.sum(cells**2) + self._load_size + law_size,
                np.sum(volumes**2 / share),
                np.sum(body._share),
                body._strain_size,
                float(body.points.n),
            ]
        )
        total = comm.allreduce(sums)
        largest = comm.allreduce(float(np.abs(x.array_r[body._is_u]).max(initial=0.0)), op=MPI.MAX)
        floor = body._rounding * largest / body.problem.rtol
        return _residual(total, floor)

    def factorise(self) -> None:
        body = self.body
        A = body._matrix
        A.zeroEntries()
        assemble_matrix(A, body._jacobian, bcs=body._bcs)
        A.assemble()
        if body.nodal.bound:
            body.nodal.add_stiffness(A, self._laws)
            A.assemble()
        if body._ksp is None:
            body._ksp = _direct(A)
        else:
            body._ksp.setOperators(A)
        try:
            body._ksp.setUp()
        except PETSc.Error as error:
            body._ksp = None
            raise SolverError(f"the tangent could not be factorised: {error}") from error

    def step(self) -> Any:
        body = self.body
        x = body.w.x.petsc_vec.duplicate()
        b = _vector(x, -self._residual)
        body._ksp.solve(b, x)
        b.destroy()
        reason = body._ksp.getConvergedReason()
        if reason < 0 or not math.isfinite(x.norm()):
            body._ksp = None
            raise SolverError(
                f"the tangent is singular (reason {reason})",
                hint="Is every part of the body held, also where contact is open?",
            )
        return x


_INADMISSIBLE = Residual((math.inf, math.inf), (1.0, 1.0))


def _residual(total: Floats, floor: float) -> Residual:
    """Balance of forces and balance of volumes.

    Forces are judged by stress times area of the elements: nodal forces themselves vanish in
    a body at rest with residual stress. What the digits of the displacement leave of the stress of
    a stiff part that moved far is allowed for (``floor``). Volumes, as strains, are judged by the
    root mean square strain.
    """
    if not np.isfinite(total).all():
        return _INADMISSIBLE
    forces, size, volumes, share, strain, n = (float(v) for v in total)
    mean = math.sqrt(volumes / share) if share > 0 else 0.0
    strains = math.sqrt(strain / n) if n else 0.0
    return Residual((math.sqrt(forces), mean), (math.sqrt(size) + floor, strains))


def _vector(like: Any, owned: Floats) -> Any:
    b = like.duplicate()
    b.array[:] = owned
    return b


def _direct(A: Any) -> Any:
    """LU by MUMPS: the matrix is indefinite, and not symmetric for every law."""
    ksp = PETSc.KSP().create(A.comm)
    ksp.setOperators(A)
    ksp.setType("preonly")
    pc = ksp.getPC()
    pc.setType("lu")
    pc.setFactorSolverType("mumps")
    pc.setFactorSetUpSolverType()
    # MUMPS' default 20 % head-room for its workspace is short where pivots are delayed
    pc.getFactorMatrix().setMumpsIcntl(14, 80)
    return ksp
