"""Assemble the electric problem and its linearisation, non-dimensional.

Lengths by the size of the body, potentials by RT/F, current densities by kappa RT/(F L). At an
electrode without kinetics the potential is prescribed and its current is the sum of the reactions
there (the variational flux); at others it is the integral of the rate. Their sum vanishes as far as
the equations are solved, whatever the mesh is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_matrix, assemble_vector
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.errors import CaseError
from ssbmech.numerics.linear import LinearReport, LinearSolver
from ssbmech.physics import conduction, kinetics
from ssbmech.physics.elasticity import weight


@dataclass(frozen=True)
class Terminal:
    """An electrode as the forms see it.

    Attributes:
        electrode: What it is.
        metal: Potential of the metal over RT/F, a constant of the forms.
        rate: Its current density, or None without kinetics.
        dofs: Unknowns (with ghosts) that are prescribed, empty with kinetics.
        shift: V sigma_n/RT at these unknowns.
        area: Of its surface, non-dimensional.
        total: Form of its current, or None without kinetics.
        gradient: Derivative of the current by the unknowns, or None without kinetics.
    """

    electrode: Electrode
    metal: Any
    rate: Any
    dofs: NDArray[np.int32]
    shift: NDArray[np.float64]
    area: float
    total: Any = None
    gradient: Any = None


class ElectricSystem:
    """Forms, prescribed values and tangents of a problem; a ``newton.System``."""

    def __init__(self, problem: ElectricProblem, rtol: float = 1e-12) -> None:
        self.problem, self.rtol = problem, rtol
        domain, mesh = problem.domain, problem.domain.mesh
        self.V = fem.functionspace(mesh, ("Lagrange", problem.degree))
        self.phi = fem.Function(self.V, name="potential")
        v, self.x = ufl.TestFunction(self.V), ufl.SpatialCoordinate(mesh)
        order = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        extra = (1 if problem.model == "axisymmetric" else 0) + (0 if order == 1 else 2)
        dx = ufl.Measure(
            "dx", mesh, metadata={"quadrature_degree": 2 * (problem.degree - 1) + extra}
        )
        nonlinear = 0 if problem.is_linear else 4
        self.ds = ufl.Measure(
            "ds",
            mesh,
            subdomain_data=domain.facet_tags,
            metadata={"quadrature_degree": 2 * problem.degree + extra + nonlinear},
        )
        self.w = weight(self.x, problem.model)
        kappa = self.kappa = fem.Function(fem.functionspace(mesh, ("DG", 0)))
        best = max(problem.conductivity.values())
        for name, tag in domain.cell_groups.items():
            kappa.x.array[domain.cell_tags.find(tag)] = problem.conductivity[name] / best
        form = conduction.conduction(self.phi, v, kappa) * self.w * dx
        self._conduction = fem.form(form)
        self.terminals = tuple(self._terminal(e, v) for e in problem.electrodes)
        for terminal in self.terminals:
            if terminal.rate is not None:
                form += conduction.electrode(terminal.rate, v) * self.w * self._on(terminal)
        self._direction = fem.Function(self.V)
        tangent = ufl.derivative(form, self.phi)
        self._F, self._J = fem.form(form), fem.form(tangent)
        self._action = fem.form(ufl.action(tangent, self._direction))
        self._check_apart()
        prescribed = [t.dofs for t in self.terminals]
        self._fixed = np.unique(np.concatenate(prescribed)) if prescribed else np.empty(0, np.int32)
        self._bcs = []
        if self._everywhere(len(self._fixed)):
            self._bcs = [fem.dirichletbc(fem.Function(self.V), self._fixed)]
        self._owned = self.V.dofmap.index_map.size_local
        self._tangent: _Tangent | None = None

    @property
    def driven(self) -> Terminal | None:
        """The terminal whose potential is unknown, or None."""
        return next((t for t in self.terminals if t.electrode.galvanostatic), None)

    @property
    def bordered(self) -> bool:
        """Whether a current is given."""
        return self.driven is not None

    def _everywhere(self, value: float) -> float:
        return float(self.problem.domain.comm.allreduce(value))

    # -- electrodes ----------------------------------------------------------------------------

    def _tags(self, electrode: Electrode) -> tuple[int, ...]:
        domain = self.problem.domain
        return tuple(domain.facet_tag(g, key=f"{electrode.key}.group") for g in electrode.groups)

    def _on(self, terminal: Terminal) -> Any:
        return self.ds(self._tags(terminal.electrode))

    def _terminal(self, electrode: Electrode, v: Any) -> Terminal:
        p, mesh = self.problem, self.problem.domain.mesh
        part = self.ds(self._tags(electrode))
        metal = fem.Constant(mesh, PETSc.ScalarType((electrode.potential or 0.0) / p.voltage))
        one = fem.Constant(mesh, PETSc.ScalarType(1.0))
        area = self._everywhere(fem.assemble_scalar(fem.form(one * self.w * part)))
        if electrode.kinetics == "none":
            dofs = self._dofs(electrode)
            return Terminal(electrode, metal, None, dofs, self._shift_at(electrode, dofs), area)
        eta = kinetics.driving_potential(metal, self.phi, self._shift(electrode))
        if electrode.kinetics == "linear":
            conductance = p.voltage / (electrode.resistance * p.current_scale)
            rate = kinetics.linear(eta, fem.Constant(mesh, PETSc.ScalarType(conductance)))
        else:
            i0 = fem.Constant(mesh, PETSc.ScalarType(electrode.i0 / p.current_scale))
            beta = fem.Constant(mesh, PETSc.ScalarType(electrode.beta))
            rate = kinetics.butler_volmer(eta, i0, beta, ufl.exp)
        total = rate * self.w * part
        gradient = fem.form(ufl.derivative(total, self.phi, v))
        none = np.empty(0)
        return Terminal(
            electrode, metal, rate, none.astype(np.int32), none, area, fem.form(total), gradient
        )

    def _dofs(self, electrode: Electrode) -> NDArray[np.int32]:
        domain = self.problem.domain
        facets = [domain.facets(g, key=f"{electrode.key}.group") for g in electrode.groups]
        found = fem.locate_dofs_topological(self.V, domain.tdim - 1, np.concatenate(facets))
        # a rank may see a node of the surface and none of its facets
        mark = fem.Function(self.V)
        mark.x.array[found] = 1
        mark.x.petsc_vec.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        mark.x.scatter_forward()
        return np.flatnonzero(mark.x.array).astype(np.int32)

    def _shift(self, electrode: Electrode) -> Any:
        """V sigma_n/RT as UFL."""
        p, mesh = self.problem, self.problem.domain.mesh
        stress = electrode.normal_stress
        if stress is None:
            return fem.Constant(mesh, PETSc.ScalarType(0.0))
        scale = kinetics.stress_shift(1.0, p.molar_volume) / p.voltage
        if stress.is_constant:
            value = float(stress.value(np.zeros((1, 3)))[0])
            return fem.Constant(mesh, PETSc.ScalarType(scale * value))
        return fem.Constant(mesh, PETSc.ScalarType(scale)) * stress.ufl(self.x, p.domain.length)

    def _shift_at(self, electrode: Electrode, dofs: NDArray[np.int32]) -> NDArray[np.float64]:
        """V sigma_n/RT at unknowns."""
        p = self.problem
        if electrode.normal_stress is None:
            return np.zeros(len(dofs))
        points = self.V.tabulate_dof_coordinates()[dofs] * p.domain.length
        stress = electrode.normal_stress.value(points)
        return kinetics.stress_shift(stress, p.molar_volume) / p.voltage

    def _check_apart(self) -> None:
        """Two surfaces without resistance must not touch at different potentials."""
        plain = [t for t in self.terminals if t.rate is None]
        for i, a in enumerate(plain):
            for b in plain[:i]:
                same = not a.electrode.galvanostatic and not b.electrode.galvanostatic
                same = same and a.electrode.potential == b.electrode.potential
                touch = self._everywhere(len(np.intersect1d(a.dofs, b.dofs)))
                if touch and not same:
                    raise CaseError(
                        f"the electrodes {a.electrode.name!r} and {b.electrode.name!r} touch, both "
                        "without resistance and at different potentials: the current is infinite",
                        key=f"{a.electrode.key}.kinetics", value="none",
                        hint="Give one of them an area_specific_resistance",
                    )  # fmt: skip

    # -- state ---------------------------------------------------------------------------------

    def set_state(self, x: Any, s: float) -> None:
        """Take over unknowns and the unknown potential."""
        if x is not self.phi.x.petsc_vec:
            x.copy(self.phi.x.petsc_vec)
        self.phi.x.scatter_forward()
        if self.driven is not None:
            self.driven.metal.value = s

    def prescribe(self, s: float) -> None:
        """Put the potentials of electrodes without kinetics into the state."""
        for t in self.terminals:
            metal = s if t is self.driven else float(t.metal.value)
            self.phi.x.array[t.dofs] = metal - t.shift
        self.phi.x.scatter_forward()

    def _assembled(self, form: Any) -> Any:
        b = assemble_vector(form)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        return b

    def _own(self, dofs: NDArray[np.int32]) -> NDArray[np.int32]:
        return dofs[dofs < self._owned]

    def residual(self, x: Any, s: float) -> tuple[Any, float, float]:
        """See `newton.System`; judged by the norm of the nodal currents of conduction."""
        self.set_state(x, s)
        full = self._assembled(self._F)
        g = 0.0
        if self.driven is not None:
            density = self.driven.electrode.current_density
            assert density is not None
            target = density / self.problem.current_scale * self.driven.area
            g = self._current(self.driven, full) - target
        flow = self._assembled(self._conduction)
        size = flow.norm()
        flow.destroy()
        full.array[self._own(self._fixed)] = 0
        return full, g, size

    def _current(self, terminal: Terminal, full: Any) -> float:
        if terminal.total is not None:
            return self._everywhere(fem.assemble_scalar(terminal.total))
        return self._everywhere(float(full.array_r[self._own(terminal.dofs)].sum()))

    def currents(self) -> tuple[float, ...]:
        """Current of each electrode at the state, anodic positive, non-dimensional."""
        full = self._assembled(self._F)
        found = tuple(self._current(t, full) for t in self.terminals)
        full.destroy()
        return found

    def flow_from(self, terminal: Terminal) -> float:
        """Current that conduction alone takes from an electrode at the state, non-dimensional."""
        flow = self._assembled(self._conduction)
        found = self._everywhere(
            float(flow.array_r[self._own(self._dofs(terminal.electrode))].sum())
        )
        flow.destroy()
        return found

    def tangent(self, x: Any, s: float) -> _Tangent:
        """See `newton.System`; that of a linear problem is made once."""
        self.set_state(x, s)
        if self._tangent is None or not self.problem.is_linear:
            self._tangent = _Tangent(self)
        return self._tangent

    # -- first guess ---------------------------------------------------------------------------

    def guess(self, total: float) -> float:
        """Put the overpotentials of mean currents into the state.

        Newton's first step solves all that is linear; only overpotentials at the electrodes have to
        be near.

        Args:
            total: Current of the driven electrode, non-dimensional, anodic positive.

        Returns:
            Guess of the unknown potential.
        """
        p = self.problem
        s = 0.0
        for t, eta in zip(self.terminals, self.mean_overpotentials(total), strict=True):
            if t.rate is None:
                continue
            dofs = self._dofs(t.electrode)
            shift = self._shift_at(t.electrode, dofs)
            mine = t.electrode is p.driven
            metal = eta if mine and t.electrode.galvanostatic else float(t.metal.value)
            self.phi.x.array[dofs] = metal - eta - shift
            s = metal if t is self.driven else s
        return s

    def mean_overpotentials(self, total: float) -> tuple[float, ...]:
        """Overpotential over RT/F of each electrode at its mean current; 0 without kinetics."""
        p = self.problem
        others = sum(t.area for t in self.terminals if t.electrode is not p.driven)
        found = []
        for t in self.terminals:
            e = t.electrode
            density = total / t.area if e is p.driven else -total / others
            density *= p.current_scale
            if e.kinetics == "butler_volmer":
                found.append(float(kinetics.overpotential(density / e.i0, e.beta)))
            else:
                found.append(density * e.resistance / p.voltage)
        return tuple(found)


class _Tangent:
    """The linearised problem at the present state of a system."""

    def __init__(self, system: ElectricSystem) -> None:
        self.system = system
        p = system.problem
        A = assemble_matrix(system._J, system._bcs)
        A.assemble()
        self.solver = LinearSolver(
            A, [], dim=p.domain.tdim, method=p.linear, rtol=system.rtol, options=p.petsc
        )

    def solve(self, b: Any, x: Any) -> LinearReport:
        return self.solver.solve(b, x)

    def column(self) -> Any:
        """Right-hand side of d(state)/d(potential of the driven electrode)."""
        system, driven = self.system, self.system.driven
        assert driven is not None
        if driven.rate is not None:
            b = system._assembled(driven.gradient)
            b.scale(-1)
            b.array[system._own(system._fixed)] = 0
            return b
        b = self._along(driven.dofs)
        b.scale(-1)
        b.array[system._own(system._fixed)] = 0
        b.array[system._own(driven.dofs)] = 1
        return b

    def _along(self, dofs: Iterable[int]) -> Any:
        """The tangent applied to the indicator of unknowns."""
        system = self.system
        system._direction.x.array[:] = 0
        system._direction.x.array[np.asarray(dofs)] = 1
        return system._assembled(system._action)

    def slope(self, direction: Any, scalar: float) -> float:
        """Change of the driven electrode's current."""
        system, driven = self.system, self.system.driven
        assert driven is not None
        if driven.rate is not None:
            gradient = system._assembled(driven.gradient)
            # the rate depends on metal minus electrolyte, and shape functions sum to one
            return float(gradient.dot(direction) - scalar * gradient.sum())
        direction.copy(system._direction.x.petsc_vec)
        system._direction.x.scatter_forward()
        change = system._assembled(system._action)
        own = system._own(driven.dofs)
        return system._everywhere(float(change.array_r[own].sum()))
