"""One implicit step of plated lithium as one nonlinear problem for `ssbmech.lithium.newton`.

Unknowns: those of the body and of the potential, the plated thickness h at the vertices of the
interface, and under a given current the potential s of the counter electrode. Equations: balance of
forces and volumes with the growth h, conduction with the kinetics at the body's normal stress,

    h = h_old - dt V_m i/F        (i anodic)

at every vertex, and the given current. The normal stress is a function of body and growth and put
in; it is an unknown of the matrix alone (`plating_matrix`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled.interface_map import InterfaceMap
from ssbmech.coupled.plating_matrix import CoupledMatrix
from ssbmech.electro.solve import solve_system
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import SolverError
from ssbmech.fracture.porz import FARADAY
from ssbmech.lithium import newton
from ssbmech.lithium.newton import IterationReport, Residual
from ssbmech.lithium.step import Step

Floats = NDArray[Any]

#: The residual of the currents is held to this part of Newton's tolerance: charge balances.
_CURRENTS = 1e-2
#: Thicknesses below this part of the largest one are nothing.
_NOTHING = 1e-3


@dataclass(frozen=True)
class Surfaces:
    """What does not change: the parts of the coupled problem.

    Attributes:
        layer: Vertices of the interface.
        ions: The electrolyte, its lithium electrodes coupled.
        names: Of the lithium electrodes.
        molar_volume: V_m of lithium [m^3/mol].
        matrix: Of the linearised step.
    """

    layer: InterfaceMap
    ions: ElectricSystem
    names: tuple[str, ...]
    molar_volume: float
    matrix: CoupledMatrix

    def gain(self, dt: float) -> Floats:
        """Thickness over length per anodic current of a vertex in a step, non-dimensional."""
        p, e = self.layer.body.problem, self.ions.problem
        charge = dt * e.current_scale * e.area_scale
        return np.asarray(
            self.molar_volume * charge / (FARADAY * self.layer.areas * p.domain.length)
        )

    def stress(self, values: Floats) -> None:
        """Let the kinetics feel a normal stress at the vertices [Pa], shape (n,) (collective)."""
        nodes, mine = self.layer.nodes, self.ions.problem.domain.comm.rank == 0
        for name in self.names:
            known = np.isin(nodes, self.ions.surface(name).ids) & mine
            self.ions.set_surface(name, nodes[known], normal_stress=values[known])

    def currents(self) -> Floats:
        """Anodic current of each vertex, non-dimensional, shape (n,) (collective)."""
        total: Floats = np.zeros(len(self.layer.nodes))
        for name in self.names:
            surface = self.ions.surface(name)
            place = np.atleast_1d(np.searchsorted(self.layer.nodes, surface.ids))
            place[place == len(total)] = 0
            on = self.layer.nodes[place] == surface.ids
            np.add.at(total, place[on], surface.currents()[on])
        return total


@dataclass(frozen=True)
class Solved:
    """A solution of a step: the body and the electrolyte are left at it.

    Attributes:
        w: Unknowns of the body, local and ghost.
        thickness: Plated at the vertices [m], shape (n,).
        stress: Normal stress there [Pa].
        currents: Anodic, of the vertices, non-dimensional.
        potential: s, of the counter electrode over RT/F.
        report: What Newton did.
    """

    w: Floats
    thickness: Floats
    stress: Floats
    currents: Floats
    potential: float
    report: IterationReport


class CoupledStep:
    """See `ssbmech.lithium.newton.Linearised`.

    Args:
        parts: The problem.
        time: At the end of the step [s].
        dt: Its length [s].
        old: Thickness before it [m], shape (n,).
    """

    def __init__(self, parts: Surfaces, time: float, dt: float, old: Floats) -> None:
        self.parts, self.dt = parts, dt
        self.body, self.ions = parts.layer.body, parts.ions
        self.length = self.body.problem.domain.length
        self.step_of_body = Step(self.body, time, dt)
        self.old = old / self.length
        self.gain = parts.gain(dt)
        self.comm = self.body.problem.domain.comm
        self.tail = len(self.old) + 1 if self.comm.rank == 0 else 0
        self.size = self.body.owned + self.ions.owned + self.tail
        self._w = self.body.w.x.petsc_vec.duplicate()
        self._phi = self.ions.phi.x.petsc_vec.duplicate()
        self.stress: Floats = np.zeros(len(self.old))
        self.q: Floats = np.zeros(len(self.old))
        self.failure: SolverError | None = None
        self._refused: SolverError | None = None
        self._body: Floats = np.zeros(self.body.owned)
        self._charge: Floats = np.zeros(self.ions.owned)
        self._growth: Floats = np.zeros(len(self.old))
        self._total = 0.0
        self._stiff: Floats | None = None
        self._factorised = False

    # -- unknowns ------------------------------------------------------------------------------

    def vector(self) -> Any:
        """A vector of all unknowns."""
        from petsc4py import PETSc

        return PETSc.Vec().createMPI((self.size, PETSc.DECIDE), comm=self.comm)

    def start(self, w: Floats, thickness: Floats) -> tuple[Residual, Any]:
        """The electrolyte solved for a body and a growth: a place to start from (collective).

        Args:
            w: Unknowns of the body, local and ghost.
            thickness: At the vertices [m].

        Raises:
            SolverError: On every rank, where the electrolyte has no solution for it.
        """
        self._put_body(w[: self.body.owned], thickness / self.length)
        x = self.vector()
        a, b = self.body.owned, self.body.owned + self.ions.owned
        if self.failure is None:
            self.parts.stress(self.stress)
            solve_system(self.ions)
            x.array[a:b] = self.ions.phi.x.petsc_vec.array_r
        x.array[:a] = w[:a]
        if self.tail:
            x.array[b:-1] = thickness / self.length
            x.array[-1] = self._counter()
        return self.evaluate(x), x

    def _counter(self) -> float:
        driven = self.ions.driven
        return 0.0 if driven is None else float(driven.metal.value)

    def _tail(self, x: Any) -> tuple[Floats, float]:
        """Thickness and potential of the counter electrode, from rank 0."""
        mine = x.array_r[self.size - self.tail :].copy() if self.tail else None
        values = self.comm.bcast(mine)
        return values[:-1], float(values[-1])

    def _put_body(self, w: Floats, h: Floats) -> Residual:
        """Evaluate the body; its normal stress, or why there is none."""
        self.failure = None
        try:
            self.parts.layer.grow(h * self.length)
        except SolverError as error:
            self.failure = self._refused = error
            return _NOWHERE
        self._w.array[:] = w
        found = self.step_of_body.evaluate(self._w)
        if not math.isfinite(found.relative):
            self.failure = SolverError("the body is turned inside out by what is plated")
            return _NOWHERE
        answer = self.step_of_body.answer
        assert answer is not None
        self.stress = self.parts.layer.normal_stress(answer, self.body.gradients())
        return found

    # -- newton.Linearised ---------------------------------------------------------------------

    def use_secant(self, wanted: bool) -> None:
        """See the protocol."""
        self.step_of_body.use_secant(wanted)

    @property
    def factorised(self) -> bool:
        """See the protocol."""
        return self._factorised

    def evaluate(self, x: Any) -> Residual:
        """See the protocol."""
        a, b = self.body.owned, self.body.owned + self.ions.owned
        h, s = self._tail(x)
        body = self._put_body(x.array_r[:a], h)
        if self.failure is not None:
            return _NOWHERE
        self._body = self._residual_of_body()
        self.parts.stress(self.stress)
        self._phi.array[:] = x.array_r[a:b]
        with np.errstate(over="ignore", invalid="ignore"):
            charge, self._total, size = self.ions.residual(self._phi, s)
        self._charge = np.array(charge.array_r)
        norm = math.hypot(charge.norm(), self._total)
        charge.destroy()
        self.q = self.parts.currents()
        if not (math.isfinite(norm) and np.isfinite(self.q).all()):
            return _NOWHERE
        plated = self.gain * self.q
        self._growth = h - self.old + plated
        growth = max(
            float(np.abs(plated).max()), _NOTHING * float(np.abs(h).max()), 1e-14
        )  # fmt: skip
        return Residual(
            (*body.sizes, norm, float(np.abs(self._growth).max())),
            (*body.scales, max(_CURRENTS * size, self._rounding(size)), growth),
        )

    def _rounding(self, size: float) -> float:
        """What the digits of the potential leave of the currents, over the tolerance."""
        if self._stiff is None:
            E = self.ions.tangent(self.ions.phi.x.petsc_vec, self._counter()).solver.A
            diagonal = E.getDiagonal()
            self._stiff = np.array(diagonal.array_r)
            diagonal.destroy()
        mine = float(np.sum((self._stiff * self._phi.array_r) ** 2))
        floor = 8 * float(np.finfo(float).eps) * math.sqrt(self.body.everywhere(mine))
        return floor / self.body.problem.rtol

    def _residual_of_body(self) -> Floats:
        body, step = self.body, self.step_of_body
        r = step.internal - step.loads
        for rows, force, _ in body.nodal.evaluate(body.w.x.array):
            np.subtract.at(r, rows.reshape(-1), force.reshape(-1))
        r[body.own_fixed] = 0.0
        return np.asarray(r)

    def factorise(self) -> None:
        """See the protocol."""
        answer = self.step_of_body.answer
        assert answer is not None
        self.parts.matrix.factorise(self.gain, answer.tangent)
        self._factorised = True

    def step(self) -> Any:
        """See the protocol; the potential of the counter electrode by bordering."""
        tangent = None
        y = self._solve(-self._body, -self._charge, -self._growth)
        ds = 0.0
        if self.ions.bordered:
            tangent = self.ions.tangent(self._phi, self._counter())
            column = tangent.column()
            z = self._solve(0.0, column.array_r, 0.0)
            column.destroy()
            ds = self._border(tangent, y, z)
            y.axpy(ds, z)
            z.destroy()
        out = self.vector()
        b, n = self.body.owned + self.ions.owned, len(self.old)
        out.array[:b] = y.array_r[:b]
        if self.tail:
            out.array[b:-1] = y.array_r[b + n :]
            out.array[-1] = ds
        y.destroy()
        if not math.isfinite(out.norm()):
            raise SolverError("the coupled tangent is singular", hint="Is the body held?")
        return out

    def _solve(self, body: Floats | float, charge: Floats, growth: Floats | float) -> Any:
        matrix, a, b = self.parts.matrix, self.body.owned, self.body.owned + self.ions.owned
        right, found = matrix.layout.vector(), matrix.layout.vector()
        right.array[:a] = body
        right.array[a:b] = charge
        if self.tail:
            right.array[b + len(self.old) :] = growth
        matrix.ksp.solve(right, found)
        right.destroy()
        return found

    def _border(self, tangent: Any, y: Any, z: Any) -> float:
        """Change of the counter electrode's potential that gives it its current."""
        a, b = self.body.owned, self.body.owned + self.ions.owned
        slopes = []
        for vector, scalar in ((y, 0.0), (z, 1.0)):
            part = self._phi.duplicate()
            part.array[:] = vector.array_r[a:b]
            slopes.append(tangent.slope(part, scalar))
            part.destroy()
        return -(self._total + slopes[0]) / slopes[1]

    # -- solution ------------------------------------------------------------------------------

    def solve(self, starts: list[tuple[Floats, Floats]]) -> Solved:
        """Newton from the best of some starts, each the unknowns of the body and a thickness.

        Raises:
            SolverError: On every rank.
        """
        p = self.body.problem
        best: tuple[Residual, Any] | None = None
        failure: SolverError | None = None
        for w, thickness in starts:
            try:
                found, x = self.start(w, thickness)
            except SolverError as error:
                failure = error
                continue
            if not math.isfinite(found.relative):
                failure = self.failure
            elif best is None or found.over(best[0]) < best[0].over(best[0]):
                best = (found, x)
        if best is None:
            raise failure or SolverError("the step has no admissible start")
        x = best[1]
        try:
            report = newton.solve(self, x, rtol=p.rtol, limit=p.limit, reuse=p.reuse)
        except SolverError as error:
            raise self._refused or error from error
        self.evaluate(x)
        h, s = self._tail(x)
        return Solved(
            self.body.w.x.array.copy(), h * self.length, self.stress.copy(), self.q.copy(), s,
            report,
        )  # fmt: skip


#: Forces, volumes, currents, growth.
_NOWHERE = Residual((math.inf,) * 4, (1.0,) * 4)
