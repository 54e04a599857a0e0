"""One implicit step of a body as a nonlinear problem for `newton`: residual, tangent, start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx.fem.petsc import assemble_matrix
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import SolverError
from ssbmech.lithium import newton
from ssbmech.lithium.newton import IterationReport, Residual
from ssbmech.lithium.points import Response
from ssbmech.numerics.linear import indefinite_lu

if TYPE_CHECKING:
    from ssbmech.lithium.system import BodySystem

Floats = NDArray[Any]


class Step:
    """One implicit step as a nonlinear problem; see `newton.Linearised`."""

    def __init__(self, body: BodySystem, time: float, dt: float) -> None:
        self.body, self.time, self.dt = body, time, dt
        self.answer: Response | None = None
        self.internal: Floats = np.zeros(body.owned)
        acting = body.acting
        self.loads = np.zeros(body.owned) if acting is None else body.assemble(acting)
        self._load_size = float(np.sum(self.loads**2))
        self._residual: Floats = np.zeros(body.owned)
        self.reactions: Floats = np.zeros(len(body.own_fixed))
        self._laws: list[Any] = []
        self._secant = False
        self._last: tuple[Floats, Residual] | None = None  # what the fields of the body hold

    def solve(self, guess: Floats | None) -> IterationReport:
        """Newton from the accepted state plus a guess of the change."""
        body, p = self.body, self.body.problem
        x = body.w.x.petsc_vec.copy()
        start, target = self._start(x, guess)
        lift = np.zeros_like(target)
        lift[body.fixed] = (target - start)[body.fixed]
        body.w.x.array[:] = start
        x.array[:] = start[: body.owned]
        try:
            if body.everywhere(float(np.abs(lift).max(initial=0.0))) > 0:
                self._lifted(x, lift)
            report = newton.solve(self, x, rtol=p.rtol, limit=p.limit, reuse=p.reuse)
            self._set(x)
            return report
        finally:
            x.destroy()

    def _start(self, x: Any, guess: Floats | None) -> tuple[Floats, Floats]:
        """Where Newton starts, without and with the prescribed values.

        The accepted state, or it and the guess of the change, whichever leaves less.
        """
        body = self.body
        best: tuple[Residual, Floats, Floats] | None = None
        for start in [body.accepted] if guess is None else [body.accepted, body.accepted + guess]:
            target = start.copy()
            body.holds.put(target, body.accepted, self.time, self.dt)
            target[body.pinned] = 0.0
            if guess is None:
                return start, target
            x.array[:] = target[: body.owned]
            found = self.evaluate(x)
            if best is None or found.over(best[0]) < best[0].over(best[0]):
                best = (found, start, target)
        assert best is not None
        return best[1], best[2]

    def _lifted(self, x: Any, lift: Floats) -> None:
        """Bring prescribed unknowns to their values and the others along, by the tangent."""
        body = self.body
        moved = x.copy()
        moved.array[:] += lift[: body.owned]
        if math.isfinite(self.evaluate(x).relative):
            body.lift.x.array[:] = lift
            pull = body.assemble(body.action)
            pull[body.own_fixed] = 0.0
            self._residual, self._last = self._residual + pull, None
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
        """See `newton.Linearised`."""
        if wanted != self._secant:
            self._secant, self._last = wanted, None

    @property
    def factorised(self) -> bool:
        """See `newton.Linearised`."""
        return self.body.ksp is not None

    def evaluate(self, x: Any) -> Residual:
        """See `newton.Linearised`."""
        body, comm = self.body, self.body.problem.domain.comm
        same = self._last is not None and bool((self._last[0] == x.array_r).all())
        if comm.allreduce(int(same)) == comm.size and self._last is not None:
            return self._last[1]
        self._last = None
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
        self.reactions = r[body.own_fixed]
        r[body.own_fixed] = 0.0
        self._residual = r
        cells = body.assemble(body.stress_size)[: len(body.cell_size)] / body.cell_size
        share = np.where(body.share > 0, body.share, 1.0)
        volumes = np.where(body.is_displacement, 0.0, r)
        sums = np.array(
            [
                np.sum(r[body.is_displacement] ** 2),
                np.sum(cells**2) + self._load_size + law_size,
                np.sum(volumes**2 / share),
                np.sum(body.share),
                body.strain_size,
                float(body.points.n),
            ]
        )
        total = comm.allreduce(sums)
        largest = comm.allreduce(
            float(np.abs(x.array_r[body.is_displacement]).max(initial=0.0)), op=MPI.MAX
        )
        floor = body.rounding * largest / body.problem.rtol
        found = _residual(total, floor)
        self._last = (x.array_r.copy(), found)
        return found

    def factorise(self) -> None:
        """See `newton.Linearised`."""
        body = self.body
        A = body.matrix
        A.zeroEntries()
        assemble_matrix(A, body.jacobian, bcs=body.bcs)
        A.assemble()
        if body.nodal.bound:
            body.nodal.add_stiffness(A, self._laws)
            A.assemble()
        if body.ksp is None:
            body.ksp = indefinite_lu(A)
        else:
            body.ksp.setOperators(A)
        try:
            body.ksp.setUp()
        except PETSc.Error as error:
            body.ksp = None
            raise SolverError(f"the tangent could not be factorised: {error}") from error

    def step(self) -> Any:
        """See `newton.Linearised`."""
        body = self.body
        x = body.w.x.petsc_vec.duplicate()
        b = _vector(x, -self._residual)
        body.ksp.solve(b, x)
        b.destroy()
        reason = body.ksp.getConvergedReason()
        if reason < 0 or not math.isfinite(x.norm()):
            body.ksp = None
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
