"""Assemble the electric problem and its linearisation, non-dimensional.

Lengths by the size of the body, potentials by RT/F, current densities by kappa RT/(F L). At an
electrode without kinetics the potential is prescribed and its current is the sum of the reactions
there (the variational flux); at others it is the integral of the rate. Their sum vanishes as far as
the equations are solved, whatever the mesh is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_matrix, assemble_vector
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.electro import boundary, conductivity, surface
from ssbmech.electro.problem import ElectricProblem
from ssbmech.electro.surface import SurfaceCurrent
from ssbmech.electro.tangent import Tangent
from ssbmech.electro.terminals import Frame, Terminal, check_apart, dofs_of, shift_at, terminal
from ssbmech.errors import SolverError
from ssbmech.physics import conduction, kinetics


class ElectricSystem:
    """Forms, prescribed values and tangents of a problem; a ``newton.System``."""

    def __init__(self, problem: ElectricProblem, rtol: float = 1e-12) -> None:
        self.problem, self.rtol = problem, rtol
        frame = self.frame = Frame(problem)
        self.V, self.phi = frame.V, frame.phi
        self.owned = self.V.dofmap.index_map.size_local
        self.kappa = conductivity.field(problem)
        form = conduction.conduction(self.phi, frame.v, self.kappa) * frame.w * frame.dx
        self._conduction = fem.form(form)
        self.terminals = tuple(terminal(frame, e) for e in problem.electrodes)
        for t in self.terminals:
            if t.rate is not None:
                form += conduction.electrode(t.rate, frame.v) * frame.w * frame.on(t.electrode)
        self._direction = fem.Function(self.V)
        tangent = ufl.derivative(form, self.phi)
        self._F, self._J = fem.form(form), fem.form(tangent)
        self._action = fem.form(ufl.action(tangent, self._direction))
        self._surfaces: dict[str, SurfaceCurrent] = {}
        self._galvanostatic = next((t for t in self.terminals if t.electrode.galvanostatic), None)
        self._target = 0.0
        if self._galvanostatic is not None:
            self._target = (problem.driven.current_density or 0.0) / problem.current_scale
        check_apart(self.terminals, lambda t: t is self._galvanostatic, frame)
        self.fixed = np.unique(np.concatenate([t.dofs for t in self.terminals]))
        self._bcs = []
        if self.everywhere(len(self.fixed)):
            self._bcs = [fem.dirichletbc(fem.Function(self.V), self.fixed)]
        self._between = boundary.matrix(frame)
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
        return self.frame.everywhere(value)

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
            t.shift[:] = shift_at(self.frame, t.electrode, t.dofs, t.fields)
        if activity is not None:
            self._tangent = None

    def set_layer(self, name: str, resistance: float) -> None:
        """Give the reaction layer of an electrode another resistance; nothing is compiled.

        Args:
            name: Of the electrode.
            resistance: Area-specific [ohm m^2].

        Raises:
            SolverError: For an electrode that has no layer.
        """
        t, p = self.terminal(name), self.problem
        if t.layer is None:
            raise SolverError(
                f"the electrode {name!r} has no layer", key="electrode", value=name,
                hint="Make it with Electrode(..., layer=0.0) and kinetics",
            )  # fmt: skip
        t.layer.value = resistance * p.current_scale / p.voltage
        self._tangent = None

    def layer(self, name: str) -> float:
        """Resistance of the reaction layer of an electrode [ohm m^2]; 0 without one."""
        t, p = self.terminal(name), self.problem
        return 0.0 if t.layer is None else float(t.layer.value) * p.voltage / p.current_scale

    def surface(self, name: str) -> SurfaceCurrent:
        """Vertices of an electrode with their areas (collective the first time)."""
        if name not in self._surfaces:
            t = self.terminal(name)
            self._surfaces[name] = SurfaceCurrent(self, t)
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
        full = self.reactions()
        g = 0.0
        if self.driven is not None:
            g = self._current(self.driven, full) - self.target
        flow = self._flow()
        size = max(flow.norm(), self.noise() / 1e-12)
        flow.destroy()
        full.array[self.own(self.fixed)] = 0
        return full, g, size

    def _current(self, terminal: Terminal, full: Any) -> float:
        if terminal.total is not None:
            return self.everywhere(fem.assemble_scalar(terminal.total))
        return self.everywhere(float(full.array_r[self.own(terminal.dofs)].sum()))

    def reactions(self) -> Any:
        """Residual with that of prescribed unknowns: currents into the electrolyte (a vector)."""
        return self._across(self.assembled(self._F), self.phi)

    def _flow(self) -> Any:
        """Residual of conduction alone."""
        return self._across(self.assembled(self._conduction), self.phi)

    def _across(self, b: Any, function: Any) -> Any:
        """Adds what flows across boundaries with a resistance."""
        if self._between is not None:
            self._between.multAdd(function.x.petsc_vec, b, b)
        return b

    def noise(self) -> float:
        """What rounding of the potential makes of the jumps at boundaries with little resistance.

        The residual cannot be less, and Newton has to stop there: over 1e-12, its default
        tolerance, this is the least that the residual is judged by.
        """
        if self._between is None:
            return 0.0
        stiff = self._between.getDiagonal()
        stiff.pointwiseMult(stiff, self.phi.x.petsc_vec)
        found = 8 * float(np.finfo(float).eps) * stiff.norm()
        stiff.destroy()
        return found

    def change(self, direction: Any) -> Any:
        """Change of the residual along a direction: a vector of unknowns, or their numbers."""
        if isinstance(direction, np.ndarray):
            self._direction.x.array[:] = 0
            self._direction.x.array[direction] = 1
        else:
            direction.copy(self._direction.x.petsc_vec)
            self._direction.x.scatter_forward()
        return self._across(self.assembled(self._action), self._direction)

    def linearised(self) -> Any:
        """Matrix of the problem at the state, rows and columns of prescribed unknowns unity."""
        A = assemble_matrix(self._J, self._bcs)
        A.assemble()
        if self._between is not None:
            free = self._between.copy()
            owned = self.own(self.fixed)
            rows = self.V.dofmap.index_map.local_to_global(owned.astype(np.int32))
            free.zeroRowsColumns(rows.astype(PETSc.IntType), diag=0.0)
            A.axpy(1.0, free, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
            free.destroy()
        return A

    def currents(self) -> tuple[float, ...]:
        """Current of each electrode at the state, anodic positive, non-dimensional."""
        full = self.reactions()
        found = tuple(self._current(t, full) for t in self.terminals)
        full.destroy()
        return found

    def flow_from(self, terminal: Terminal) -> float:
        """Current that conduction alone takes from an electrode at the state, non-dimensional."""
        flow = self._flow()
        mine = self.own(dofs_of(self.frame, terminal.electrode))
        found = self.everywhere(float(flow.array_r[mine].sum()))
        flow.destroy()
        return found

    def tangent(self, x: Any, s: float) -> Tangent:
        """See `newton.System`; that of a linear problem is made once."""
        self.set_state(x, s)
        if self._tangent is None or not self.problem.is_linear:
            self._tangent = None  # not two factorisations at a time
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
            dofs = dofs_of(self.frame, t.electrode)
            shift = shift_at(self.frame, t.electrode, dofs, t.fields)
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
            drop = 0.0 if t.layer is None else density * float(t.layer.value)
            density *= p.current_scale
            if e.kinetics == "butler_volmer":
                found.append(float(kinetics.overpotential(density / e.i0, e.beta)) + drop)
            else:
                found.append(density * e.resistance / p.voltage + drop)
        return tuple(found)
