"""Assemble the electric problem and its linearisation, non-dimensional.

Lengths by the size of the body, potentials by RT/F, current densities by kappa RT/(F L). At an
electrode without kinetics the potential is prescribed and its current is the sum of the reactions
there (the variational flux); at others it is the integral of the rate. Their sum vanishes as far as
the equations are solved, whatever the mesh is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.electro import surface
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.surface import SurfaceCurrent, SurfaceFields
from ssbmech.electro.tangent import Tangent
from ssbmech.errors import CaseError, SolverError
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
        fields: What changes between solves, or None for an electrode that is not coupled.
        contact: Form of the area in contact, or None.
    """

    electrode: Electrode
    metal: Any
    rate: Any
    dofs: NDArray[np.int32]
    shift: NDArray[np.float64]
    area: float
    total: Any = None
    gradient: Any = None
    fields: SurfaceFields | None = None
    contact: Any = None


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
        self.linear = fem.functionspace(mesh, ("Lagrange", 1))
        coupled = any(e.coupled for e in problem.electrodes)
        nonlinear = (0 if problem.is_linear else 4) + (1 if coupled else 0)
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
        self._surfaces: dict[str, SurfaceCurrent] = {}
        self._galvanostatic = next((t for t in self.terminals if t.electrode.galvanostatic), None)
        self._target = 0.0
        if self._galvanostatic is not None:
            self._target = (problem.driven.current_density or 0.0) / problem.current_scale
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
        if self.everywhere(len(self._fixed)):
            self._bcs = [fem.dirichletbc(fem.Function(self.V), self._fixed)]
        self.owned = self.V.dofmap.index_map.size_local
        self._tangent: Tangent | None = None

    @property
    def driven(self) -> Terminal | None:
        """The terminal whose potential is unknown, or None."""
        return self._galvanostatic

    @property
    def target(self) -> float:
        """Given current of `driven`, anodic positive, non-dimensional."""
        return 0.0 if self.driven is None else self._target * self.driven.area

    @property
    def bordered(self) -> bool:
        """Whether a current is given."""
        return self.driven is not None

    def everywhere(self, value: float) -> float:
        """Sum over all ranks."""
        return float(self.problem.domain.comm.allreduce(value))

    # -- what changes between solves -----------------------------------------------------------

    def terminal(self, name: str) -> Terminal:
        """The terminal of an electrode.

        Raises:
            SolverError: For an unknown name.
        """
        for t in self.terminals:
            if t.electrode.name == name:
                return t
        names = ", ".join(t.electrode.name for t in self.terminals)
        raise SolverError("no such electrode", key="electrode", value=name, allowed=names)

    def drive(
        self, *, current_density: float | None = None, potential: float | None = None
    ) -> None:
        """Give the driven electrode another current density or potential; nothing is compiled.

        It may change from the one to the other: the unknown potential keeps its last value as the
        first guess.

        Args:
            current_density: Mean over the electrode [A/m^2], anodic positive.
            potential: Of its metal [V].

        Raises:
            SolverError: Unless one of them is given.
        """
        if (current_density is None) == (potential is None):
            raise SolverError("give either a current density or a potential", key="drive")
        p = self.problem
        mine = self.terminal(p.driven.name)
        if potential is not None:
            self._galvanostatic = None
            mine.metal.value = potential / p.voltage
        else:
            assert current_density is not None
            self._galvanostatic = mine
            self._target = current_density / p.current_scale

    def set_surface(
        self,
        name: str,
        vertex_ids: NDArray[np.integer],
        normal_stress: NDArray[np.float64] | float | None = None,
        activity: NDArray[np.float64] | float | None = None,
    ) -> None:
        """Set normal stress and activity at vertices of a coupled electrode (collective).

        Every rank may give all vertices, its own share or none; what is not given keeps its value.
        Where several give one vertex they give the same. Nothing is compiled anew.

        Args:
            name: Of the electrode.
            vertex_ids: Node numbers in the file of the whole mesh, shape (n,).
            normal_stress: sigma_n [Pa], tension positive, shape (n,) or one value.
            activity: Share of the surface in contact, 0 to 1, by which the rate is multiplied.

        Raises:
            SolverError: On every rank: an electrode that is not coupled, a vertex that is not on
                it, an impossible value, an activity without kinetics.
        """
        t = self.terminal(name)
        if t.fields is None:
            raise SolverError(
                f"the electrode {name!r} is not coupled", key="electrode", value=name,
                hint="Make it with Electrode(..., coupled=True)",
            )  # fmt: skip
        if activity is not None and t.rate is None:
            raise SolverError(
                f"the electrode {name!r} has no kinetics that an activity could multiply",
                key="activity", hint="Give it an area-specific resistance",
            )  # fmt: skip
        surface.put(self, self.surface(name), t.fields, vertex_ids, normal_stress, activity)
        if t.rate is None:
            t.shift[:] = self._shift_at(t.electrode, t.dofs, t.fields)
        if activity is not None:
            self._tangent = None

    def surface(self, name: str) -> SurfaceCurrent:
        """Vertices of an electrode with their areas (collective the first time)."""
        if name not in self._surfaces:
            t = self.terminal(name)
            self._surfaces[name] = SurfaceCurrent(self, t, self._on(t))
        return self._surfaces[name]

    def surface_rates(
        self, name: str
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Current density at the vertices of an electrode at the state (collective).

        Returns:
            Node numbers in the file of the whole mesh, rising; mean current density about each
            vertex [A/m^2], anodic positive; area that belongs to it [m^2, or m^2 per m]: the same
            on every rank. Densities times areas sum to the current of the electrode.
        """
        p, found = self.problem, self.surface(name)
        density = found.currents() / found.area * p.current_scale
        return found.ids, density, found.area * p.area_scale

    def contact(self, terminal: Terminal) -> float:
        """Area of an electrode that is in contact, non-dimensional (collective)."""
        if terminal.contact is None:
            return terminal.area
        return self.everywhere(fem.assemble_scalar(terminal.contact))

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
        area = self.everywhere(fem.assemble_scalar(fem.form(one * self.w * part)))
        fields = None
        if electrode.coupled:
            scale = surface.stress_scale(p.molar_volume, p.voltage)
            fields = SurfaceFields(self.linear, scale)
        if electrode.kinetics == "none":
            dofs = self._dofs(electrode)
            shift = self._shift_at(electrode, dofs, fields)
            return Terminal(electrode, metal, None, dofs, shift, area, fields=fields)
        stress = self._shift(electrode) if fields is None else self._shift(electrode) + fields.shift
        eta = kinetics.driving_potential(metal, self.phi, stress)
        if electrode.kinetics == "linear":
            conductance = p.voltage / (electrode.resistance * p.current_scale)
            rate = kinetics.linear(eta, fem.Constant(mesh, PETSc.ScalarType(conductance)))
        else:
            i0 = fem.Constant(mesh, PETSc.ScalarType(electrode.i0 / p.current_scale))
            beta = fem.Constant(mesh, PETSc.ScalarType(electrode.beta))
            rate = kinetics.butler_volmer(eta, i0, beta, ufl.exp)
        contact = None
        if fields is not None:
            rate = fields.activity * rate
            contact = fem.form(fields.activity * self.w * part)
        total = rate * self.w * part
        gradient = fem.form(ufl.derivative(total, self.phi, v))
        none = np.empty(0)
        return Terminal(
            electrode, metal, rate, none.astype(np.int32), none, area, fem.form(total), gradient,
            fields, contact,
        )  # fmt: skip

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

    def _shift_at(
        self, electrode: Electrode, dofs: NDArray[np.int32], fields: SurfaceFields | None
    ) -> NDArray[np.float64]:
        """V sigma_n/RT at unknowns."""
        p = self.problem
        if fields is not None:
            linear = fem.Function(self.V)
            linear.interpolate(fields.shift)
            base = self._shift_at(electrode, dofs, None)
            return base + np.asarray(linear.x.array[dofs])
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
                touch = self.everywhere(len(np.intersect1d(a.dofs, b.dofs)))
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

    def assembled(self, form: Any) -> Any:
        """Vector of a form, summed over ranks."""
        b = assemble_vector(form)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        return b

    def own(self, dofs: NDArray[np.int32]) -> NDArray[np.int32]:
        """Those of some unknowns that this rank owns."""
        return dofs[dofs < self.owned]

    def residual(self, x: Any, s: float) -> tuple[Any, float, float]:
        """See `newton.System`; judged by the norm of the nodal currents of conduction."""
        self.set_state(x, s)
        full = self.assembled(self._F)
        g = 0.0
        if self.driven is not None:
            g = self._current(self.driven, full) - self.target
        flow = self.assembled(self._conduction)
        size = flow.norm()
        flow.destroy()
        full.array[self.own(self._fixed)] = 0
        return full, g, size

    def _current(self, terminal: Terminal, full: Any) -> float:
        if terminal.total is not None:
            return self.everywhere(fem.assemble_scalar(terminal.total))
        return self.everywhere(float(full.array_r[self.own(terminal.dofs)].sum()))

    def reactions(self) -> Any:
        """Residual with that of prescribed unknowns: currents into the electrolyte (a vector)."""
        return self.assembled(self._F)

    def currents(self) -> tuple[float, ...]:
        """Current of each electrode at the state, anodic positive, non-dimensional."""
        full = self.reactions()
        found = tuple(self._current(t, full) for t in self.terminals)
        full.destroy()
        return found

    def flow_from(self, terminal: Terminal) -> float:
        """Current that conduction alone takes from an electrode at the state, non-dimensional."""
        flow = self.assembled(self._conduction)
        found = self.everywhere(float(flow.array_r[self.own(self._dofs(terminal.electrode))].sum()))
        flow.destroy()
        return found

    def tangent(self, x: Any, s: float) -> Tangent:
        """See `newton.System`; that of a linear problem is made once."""
        self.set_state(x, s)
        if self._tangent is None or not self.problem.is_linear:
            self._tangent = Tangent(self)
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
        s = 0.0
        for t, eta in zip(self.terminals, self.mean_overpotentials(total), strict=True):
            if t.rate is None:
                continue
            dofs = self._dofs(t.electrode)
            shift = self._shift_at(t.electrode, dofs, t.fields)
            metal = eta if t is self.driven else float(t.metal.value)
            self.phi.x.array[dofs] = metal - eta - shift
            s = metal if t is self.driven else s
        return s

    def mean_overpotentials(self, total: float) -> tuple[float, ...]:
        """Overpotential over RT/F of each electrode at its mean current; 0 without kinetics."""
        p = self.problem
        areas = [self.contact(t) for t in self.terminals]
        pairs = list(zip(self.terminals, areas, strict=True))
        others = sum(a for t, a in pairs if t.electrode is not p.driven)
        found = []
        for t, area in pairs:
            e = t.electrode
            density = total / area if e is p.driven else -total / others
            density *= p.current_scale
            if e.kinetics == "butler_volmer":
                found.append(float(kinetics.overpotential(density / e.i0, e.beta)))
            else:
                found.append(density * e.resistance / p.voltage)
        return tuple(found)
