"""One implicit step of plated lithium as one nonlinear problem for `ssbmech.lithium.newton`.

Unknowns: those of the body and the plated thickness h at the vertices of the interface. Equations:
balance of forces and volumes with the growth h, and at every vertex

    h = h_old - dt V_m i/F        (i anodic),

i the current that the electrolyte has under the normal stress of the body. The electrolyte is
solved to its own tolerance in every evaluation, which costs little and keeps the exponentials of
the kinetics out of the search along a step. The tangent has all four fields (`plating_matrix`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled.interface_map import InterfaceMap
from ssbmech.coupled.plating_matrix import Border, CoupledMatrix
from ssbmech.electro.solve import solve_system
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import SolverError
from ssbmech.fracture.porz import FARADAY
from ssbmech.lithium import newton
from ssbmech.lithium.newton import IterationReport, Residual
from ssbmech.lithium.step import Step

Floats = NDArray[Any]

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
        self.parts, self.time, self.dt = parts, time, dt
        self.body, self.ions = parts.layer.body, parts.ions
        self.length = self.body.problem.domain.length
        self.step_of_body = Step(self.body, time, dt)
        self.old = old / self.length
        self.gain = parts.gain(dt)
        self.comm = self.body.problem.domain.comm
        self.tail = len(self.old) + 1 if self.comm.rank == 0 else 0
        self.size = self.body.owned + self.ions.owned + self.tail
        self._w = self.body.w.x.petsc_vec.duplicate()
        self.stress: Floats = np.zeros(len(self.old))
        self.q: Floats = np.zeros(len(self.old))
        self.failure: SolverError | None = None
        self._refused: SolverError | None = None
        self._body: Floats = np.zeros(self.body.owned)
        self._growth: Floats = np.zeros(len(self.old))
        self._factorised = False

    # -- unknowns ------------------------------------------------------------------------------

    def vector(self) -> Any:
        """A vector of all unknowns, with potentials as what the electrolyte starts from."""
        from petsc4py import PETSc

        return PETSc.Vec().createMPI((self.size, PETSc.DECIDE), comm=self.comm)

    def start(self, w: Floats, thickness: Floats) -> tuple[Residual, Any]:
        """A place to start from (collective).

        Args:
            w: Unknowns of the body, local and ghost.
            thickness: At the vertices [m].

        Returns:
            The residual there, not finite where it is not admissible, and the unknowns.
        """
        x, b = self.vector(), self.body.owned + self.ions.owned
        w = w.copy()
        self.body.holds.put(w, self.body.accepted, self.time, self.dt)
        x.array[: self.body.owned] = w[: self.body.owned]
        if self.tail:
            x.array[b:-1] = thickness / self.length
        return self._evaluate(x, warm=False), x

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
        """See the protocol; the potentials in ``x`` become those of the electrolyte."""
        return self._evaluate(x, warm=True)

    def _evaluate(self, x: Any, *, warm: bool) -> Residual:
        h, s = self._tail(x)
        body = self._put_body(x.array_r[: self.body.owned], h)
        if self.failure is not None or not self._put_ions(x, s, warm):
            return _NOWHERE
        self._body = self._residual_of_body()
        self.q = self.parts.currents()
        plated = self.gain * self.q
        self._growth = h - self.old + plated
        size = max(float(np.abs(plated).max()), _NOTHING * float(np.abs(h).max()), _NOTHING**4)
        return Residual((*body.sizes, float(np.abs(self._growth).max())), (*body.scales, size))

    def _put_ions(self, x: Any, s: float, warm: bool) -> bool:
        """Solve the electrolyte at the stress of the body; False where it has no solution."""
        a, b = self.body.owned, self.body.owned + self.ions.owned
        self.parts.stress(self.stress)
        if warm:
            self.ions.phi.x.array[: self.ions.owned] = x.array_r[a:b]
            self.ions.phi.x.scatter_forward()
            if self.ions.driven is not None:
                self.ions.driven.metal.value = s
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                solve_system(self.ions, warm=warm)
        except SolverError as error:
            self.failure = error
            return False
        x.array[a:b] = self.ions.phi.x.petsc_vec.array_r
        if self.tail:
            x.array[-1] = self._counter()
        return True

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
        y = self._solve(-self._body, 0.0, -self._growth)
        ds = 0.0
        if self.ions.bordered:
            border = self.parts.matrix.border()
            z = self._solve(0.0, border.column, 0.0)
            ds = -self._along(border, y, 0.0) / self._along(border, z, 1.0)
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

    def _solve(self, body: Floats | float, charge: Floats | float, growth: Floats | float) -> Any:
        matrix, a, b = self.parts.matrix, self.body.owned, self.body.owned + self.ions.owned
        right, found = matrix.layout.vector(), matrix.layout.vector()
        right.array[:a] = body
        right.array[a:b] = charge
        if self.tail:
            right.array[b + len(self.old) :] = growth
        matrix.ksp.solve(right, found)
        right.destroy()
        return found

    def _along(self, border: Border, vector: Any, scalar: float) -> float:
        part = self.ions.phi.x.petsc_vec.duplicate()
        a = self.body.owned
        part.array[:] = vector.array_r[a : a + self.ions.owned]
        slope = border.slope(part, scalar)
        part.destroy()
        return slope

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
            found, x = self.start(w, thickness)
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


#: Forces, volumes, growth.
_NOWHERE = Residual((math.inf,) * 3, (1.0,) * 3)
