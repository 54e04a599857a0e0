"""Front and potentials of one implicit step as one Newton problem, non-dimensional.

With c the share of the layer, w = |grad c|, n the normal towards the layer and V/F the depth per
charge, the reaction per volume is r w, for what grows and for what is charged:

    dc/dt = (V/F) r w + M (div grad c - c (1 - c)(1 - 2 c)/l^2 - k w),        r not below 0
    div(s_e grad phi_e) = -r w,     div(s_i (grad phi_i + j w n)) = r w
    <R r - g U + phi_e - phi_i + d - (gamma V/F) k> = 0,     <k w - div grad c + c (1 - c)(..)> = 0

r and k are fields that do not change across the front: <.> says that their equations hold on
average across it, with the weight w. So

- the reaction is the same across the front, which keeps its profile; it feels the stress of both of
  its sides; where the reaction does not resist (R = 0), it pins the potential at the front;
- -k is the curvature. What the relaxation of the profile would move, M k w, is taken out again: the
  width has no surface tension, and charge and volume agree to rounding. gamma is the real one;
- along the front both are smoothed over two widths: nothing shorter is a front.

A potential with a kink is not on average what it is at the kink, and what ends in a front of finite
width has passed some of it. With the slopes a = (i_n - r)/s_layer and b = i_n/s_electrolyte of the
ions on the two sides, i_n what they carry into the front,

    j w = r c (1 - c)(1/s_electrolyte - 1/s_layer),
    d w = c (1 - c)(b - a) - pi^2/12 l^2 k (a + b) w

make good what this moves (at rest c (1 - c) is l w): with one value per element they are sums over
elements of the closed form, and exact for a flat front whatever its profile. What is left of a wave
of the number q goes with (q l)^2 s_electrolyte/s_layer, as ions pass along the front in what the
electrolyte is mixed with: at 1/2 the rates of waves are off by up to 0.1 v q, v the speed of the
front, and above 1 waves that should grow die out.

g is the factor by which stress changes what drives, R is divided by what it does to the barrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_matrix, assemble_vector
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import SolverError
from ssbmech.numerics.linear import indefinite_lu
from ssbmech.physics import diffuse_front as front
from ssbmech.physics.elasticity import weight
from ssbmech.reaction_front.problem import FrontProblem

Floats = NDArray[Any]
#: Conductivity of electrons in the electrolyte, over that of the layer. Nothing takes electrons
#: there, so that none flow: it only keeps the potential from being undefined.
_FLOOR = 1e-3
#: Newton iterations, and the largest change of c in one.
_LIMIT, _LEAP = 25, 0.3
#: Relative residual at which no more progress is rounding (of unlike conductivities), not failure.
_ROUNDING = 1e-8


@dataclass(frozen=True)
class Totals:
    """What passes in a state, non-dimensional: currents per thickness (per radian: axisymmetric).

    Attributes:
        plated: At lithium's own surface.
        reacting: Charge of the reaction.
        counter: At the counter electrode, plating positive.
        volume: Of electrolyte used up.
        area: Of the front.
        counter_potential: Mean over the counter electrode.
    """

    plated: float
    reacting: float
    counter: float
    volume: float
    area: float
    counter_potential: float


class FrontSystem:
    """Forms and state of a front.

    Args:
        problem: The front.
        rtol: Of the residual, relative to what flows into lithium and the counter electrode.

    Attributes:
        z: Share, reaction, bend of the front, potentials; ``old``: at the start of the step.
        where: Unknowns of each of them at the vertices, local and ghost.
        drive: Factor of what drives at vertices, by stress; ``ease``: of the reaction's speed.
    """

    def __init__(self, problem: FrontProblem, rtol: float = 1e-11) -> None:
        self.problem, self.rtol = problem, rtol
        domain, t = problem.domain, problem.transport
        mesh = domain.mesh
        P1 = basix.ufl.element("Lagrange", mesh.basix_cell(), 1)
        self.fields = t.carriers + 3
        self.V = fem.functionspace(mesh, basix.ufl.mixed_element([P1] * self.fields))
        self.Q = fem.functionspace(mesh, ("Lagrange", 1))
        self.z, self.old = fem.Function(self.V), fem.Function(self.V)
        self.where = [self._places(k) for k in range(self.fields)]
        self.drive, self.ease = fem.Function(self.Q), fem.Function(self.Q)  # of stress
        self.drive.x.array[:] = self.ease.x.array[:] = 1.0
        number = self._number
        self.dt, self.mobility = number(1.0), number(0.0)
        self.current = number(0.0)  # density at the counter electrode, plating positive
        self._forms()
        self._fixed()
        self.A: Any = None
        self.ksp: Any = None

    def _places(self, k: int) -> NDArray[Any]:
        """Unknown of field ``k`` at each local and ghost unknown of `Q`."""
        out = np.empty(len(fem.Function(self.Q).x.array), np.int32)
        out[self.Q.dofmap.list.reshape(-1)] = self.V.sub(k).dofmap.list.reshape(-1)
        return out

    # -- forms -----------------------------------------------------------------------------------

    def _number(self, value: float) -> Any:
        return fem.Constant(self.problem.domain.mesh, PETSc.ScalarType(value))

    def _forms(self) -> None:
        p = self.problem
        t, domain, mesh = p.transport, p.domain, p.domain.mesh
        unit = t.electronic
        width = self._number(p.width / domain.length)
        w = weight(ufl.SpatialCoordinate(mesh), p.model)
        extra = 1 if p.model == "axisymmetric" else 0
        dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": 4 + extra})
        once = ufl.Measure("dx", mesh, metadata={"quadrature_degree": 1})
        ds = ufl.Measure("ds", mesh, subdomain_data=domain.facet_tags)
        parts, tests = ufl.split(self.z), ufl.TestFunctions(self.V)
        c, r, k, phi_e = parts[:4]
        q, m, o, a = tests[:4]
        before = ufl.split(self.old)[0]
        n = front.normal(before, width)
        R = self._number(p.resistance * unit / domain.length)
        spread, ripple = (
            self._number(p.width * unit / (s * domain.length)) for s in (t.ambipolar, t.rough)
        )
        slope = ufl.inner(n, ufl.grad(c))
        M = self.mobility

        self.rise = (c - before) / self.dt
        growth = ufl.max_value(r, 0.0) * slope
        relax = M * (ufl.inner(ufl.grad(c), ufl.grad(q)) + front.well_slope(c) / width**2 * q)
        F = (self.rise * q - growth * q + relax + M * k * slope * q) * w
        drive = self.drive + self._number(p.capillary_drive / domain.length) * k - phi_e
        held = front.held_across(r, m, n, slope, width, spread + R, ripple)
        F += (slope * (R / self.ease * r - drive) * m + held) * w
        F += front.OFF / width * spread * r * m * w
        bend = ufl.inner(ufl.grad(c), ufl.grad(o)) + front.well_slope(c) / width**2 * o
        F += (slope * k * o + bend + front.held_across(k, o, n, slope, width)) * w
        electrons = front.ending(c, 1.0, self._number(_FLOOR))
        F += (electrons * ufl.inner(ufl.grad(phi_e), ufl.grad(a)) - growth * a) * w
        F = F * dx
        lithium = ds(tuple(domain.facet_tag(g) for g in p.lithium))
        self._plated = None
        if t.carriers == 2:
            assert t.ionic is not None
            phi, b = parts[4], tests[4]
            kappa = self._by_group({g: s / unit for g, s in t.electrolyte.items()})
            inside = self._number(t.ionic / unit)
            s = front.through(c, inside, kappa, n)
            taken, mixed = ufl.max_value(r, 0.0), front.share(c) * (1 - front.share(c))
            jump = taken * mixed * (1 / kappa - 1 / inside)
            flow = s * (ufl.grad(phi) + jump * n)
            i_n = taken * front.share(c) - ufl.inner(n, flow)
            inner, outer = (i_n - taken) / inside, i_n / kappa
            bowed = front.ROUND * width**2 * k * (outer + inner)
            F += (mixed * (outer - inner) - slope * bowed) * m * w * once
            F += ufl.inner(flow, ufl.grad(b)) * w * once
            F += (growth * b - slope * phi * m) * w * dx
            counter = ds(tuple(domain.facet_tag(g) for g in p.counter))
            F += -self.current * b * w * counter
            if t.interface_resistance > 0.0:
                Z = self._number(t.interface_resistance * unit / domain.length)
                F += phi / Z * b * w * lithium
                self._plated = fem.form(phi / Z * w * lithium)
            self._counter = [fem.form(x * w * counter) for x in (self._number(1.0), phi)]
        self._F, J = fem.form(F), ufl.derivative(F, self.z)
        self._J = fem.form(J)
        size = ufl.sqrt(ufl.inner(ufl.grad(c), ufl.grad(c)))
        mass = assemble_vector(fem.form(q * w * dx))
        self._mass = mass.norm()
        mass.destroy()
        self._volume_before = fem.form(before * w * dx)
        self._volume, self._area = fem.form(c * w * dx), fem.form(size * w * dx)

    def _by_group(self, values: dict[str, float]) -> Any:
        domain = self.problem.domain
        f = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
        for name, value in values.items():
            f.x.array[domain.cell_tags.find(domain.cell_tag(name))] = value
        return f

    def _fixed(self) -> None:
        """Electrons (or what is neutral) are at 0 on lithium, ions too where nothing resists."""
        p, t = self.problem, self.problem.transport
        domain = p.domain
        groups = [domain.facets(g, key="electrode") for g in p.lithium]
        facets = np.unique(np.concatenate(groups)) if groups else np.empty(0, np.int32)
        metal = [3] + ([4] if t.carriers == 2 and t.interface_resistance == 0.0 else [])
        fdim = domain.tdim - 1
        self._lithium = {
            k: fem.locate_dofs_topological(self.V.sub(k), fdim, facets) for k in range(self.fields)
        }
        zero = PETSc.ScalarType(0.0)
        self._metal = [fem.dirichletbc(zero, self._lithium[k], self.V.sub(k)) for k in metal]
        self._held: Any = None
        if t.carriers == 2:
            facets = np.unique(np.concatenate([domain.facets(g) for g in p.counter]))
            self._counter_dofs = fem.locate_dofs_topological(self.V.sub(4), fdim, facets)
            self._held_value = self._number(0.0)

    # -- what changes between solves ---------------------------------------------------------------

    def hold(self, potential: float | None) -> None:
        """Hold the counter electrode at a potential (non-dimensional), or let a current pass."""
        self._held = None
        if potential is not None:
            self.current.value = 0.0
            self._held_value.value = potential
            self._held = fem.dirichletbc(self._held_value, self._counter_dofs, self.V.sub(4))

    @property
    def bcs(self) -> list[Any]:
        """Prescribed values."""
        return self._metal + ([self._held] if self._held is not None else [])

    @property
    def share(self) -> Floats:
        """Share of the layer at local and ghost vertices."""
        return self.z.x.array[self.where[0]]

    def everywhere(self, value: float) -> float:
        """Sum over all ranks."""
        return float(self.problem.domain.comm.allreduce(value, MPI.SUM))

    def largest(self, value: float) -> float:
        """Largest value over all ranks."""
        return float(self.problem.domain.comm.allreduce(value, MPI.MAX))

    # -- a step ------------------------------------------------------------------------------------

    def step(self, dt: float) -> int:
        """Solve for the end of a step of ``dt`` (non-dimensional) from ``old``; gives iterations.

        Newton's method with whole steps, shortened only where the share of the layer would change
        by more than `_LEAP`: the equations are nearly bilinear, and their residuals, of different
        kinds, are no measure to search along.

        Raises:
            SolverError: On every rank, without convergence.
        """
        self.dt.value = dt
        self._start()
        # what rounding of c makes of its rate, and of the bend of the front
        width = self.problem.width / self.problem.domain.length
        noise = 1e-16 * self._mass * (1.0 / dt + 1.0 / width**2)
        history: list[float] = []
        for count in range(_LIMIT + 1):
            b = self.reactions()
            size = max(b.norm(), noise / self.rtol)
            b.array[self._prescribed] = 0.0
            history.append(b.norm() / size)
            still = count > 1 and history[-1] > 0.5 * history[-2] and history[-1] <= _ROUNDING
            if count and (history[-1] <= self.rtol or still):
                b.destroy()
                return count
            if count == _LIMIT or not np.isfinite(history[-1]):
                break
            b.scale(-1.0)
            self._move(b)
        raise SolverError(
            "front and potentials did not converge: relative residuals "
            f"[{', '.join(f'{h:.1e}' for h in history[-6:])}]",
            key="interphase.front", hint="A shorter time.largest_step, or a finer mesh",
        )  # fmt: skip

    def _start(self) -> None:
        """The start of the step with the values that are prescribed at its end."""
        self.z.x.array[:] = self.old.x.array
        dofs = [bc.dof_indices()[0] for bc in self.bcs]
        for bc, mine in zip(self.bcs, dofs, strict=True):
            self.z.x.array[mine] = float(self._held_value.value) if bc is self._held else 0.0
        found = np.unique(np.concatenate(dofs))
        self._prescribed = found[found < self.owned]

    def _move(self, b: Any) -> None:
        """One step of Newton's method from the residual (with its sign changed) ``b``."""
        if self.A is None:
            self.A = assemble_matrix(self._J, self.bcs)
        else:
            self.A.zeroEntries()
            assemble_matrix(self.A, self._J, self.bcs)
        self.A.assemble()
        if self.ksp is None:
            self.ksp = indefinite_lu(self.A)
        self.ksp.setOperators(self.A)
        x = b.duplicate()
        self.ksp.solve(b, x)
        if self.ksp.getConvergedReason() < 0:
            raise SolverError(
                "the factorisation of front and potentials failed", key="interphase.front",
                value=self.ksp.getConvergedReason(), hint="A shorter step, or another width",
            )  # fmt: skip
        mine = self.where[0][self.where[0] < self.owned]
        change = self.largest(float(np.abs(x.array_r[mine]).max(initial=0.0)))
        length = min(1.0, _LEAP / max(change, 1e-300))
        self.z.x.array[: self.owned] += length * x.array_r
        self.z.x.scatter_forward()
        x.destroy()
        b.destroy()

    def reactions(self) -> Any:
        """Residual with that of prescribed unknowns: what flows in there (a vector)."""
        b = assemble_vector(self._F)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        return b

    @property
    def owned(self) -> int:
        """Unknowns of this rank."""
        return int(self.V.dofmap.index_map.size_local * self.V.dofmap.index_map_bs)

    # -- what a state says -------------------------------------------------------------------------

    @property
    def counter_area(self) -> float:
        """Of the counter electrode, non-dimensional; 0 without one."""
        if self.problem.transport.carriers == 1:
            return 0.0
        return self.everywhere(fem.assemble_scalar(self._counter[0]))

    def volume(self) -> float:
        """Of the layer, non-dimensional."""
        return self.everywhere(fem.assemble_scalar(self._volume))

    def volume_before(self) -> float:
        """Of the layer at the start of the step, likewise."""
        return self.everywhere(fem.assemble_scalar(self._volume_before))

    def totals(self) -> Totals:
        """Currents and volume of the solved step (collective)."""
        t = self.problem.transport
        total = self.everywhere
        residual = self.reactions()

        def reaction(dofs: NDArray[Any]) -> float:
            return total(float(residual.array_r[dofs[dofs < self.owned]].sum()))

        reacting = -reaction(self._lithium[3])
        plated = counter = potential = 0.0
        if t.carriers == 2:
            if self._plated is not None:
                plated = total(fem.assemble_scalar(self._plated))
            else:
                plated = -reaction(self._lithium[4])
            area = self.counter_area
            potential = total(fem.assemble_scalar(self._counter[1])) / area
            counter = float(self.current.value) * area
            if self._held is not None:
                counter = reaction(self._counter_dofs)
        residual.destroy()
        return Totals(
            plated, reacting, counter, self.volume(),
            total(fem.assemble_scalar(self._area)), potential,
        )  # fmt: skip

    @property
    def rate(self) -> Floats:
        """The reaction at local and ghost vertices, non-dimensional; no meaning off the front."""
        return self.z.x.array[self.where[1]]
