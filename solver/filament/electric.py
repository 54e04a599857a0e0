"""Ion conduction condensed onto the lithium surfaces: potential per current density.

One factorisation with the counter electrode (at 0 V, without resistance or with a linear one), and
one solve per plating node: b_l is a hat function of current density on a surface, the mean
potential of control area k is b_k . phi_l / area_k, and area_k R_kl is symmetric.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import CaseError, MeshError
from ssbmech.filament.faces import Faces, Hats, gather
from ssbmech.filament.film import Floats
from ssbmech.filament.problem import Electric, Surface
from ssbmech.meshes import progress
from ssbmech.physics import kinetics


@dataclass(frozen=True)
class Part:
    """A lithium surface that is condensed as one: the film's faces, or a flat electrode.

    Attributes:
        electrode: Its kinetics.
        groups: Facet groups.
        film: Whether it is the film.
    """

    electrode: Electrode
    groups: tuple[str, ...]
    film: bool


@dataclass(frozen=True)
class CondensedElectric:
    """The electrolyte on its lithium surfaces.

    Attributes:
        electric: Resistance and kinetics.
        points: Of the plating nodes [m], (M, 3).
        asymmetry: Largest |area_k R_kl - area_l R_lk| over the largest entry: rounding.
        tool: The factorised electrolyte, for fields.
        seconds: Per plating node.
    """

    electric: Electric
    points: Floats
    asymmetry: float
    tool: Ions
    seconds: float


def condense(
    problem: ElectricProblem,
    counter: Electrode,
    parts: tuple[Part, ...],
    film_points: Floats,
    *,
    rtol: float = 1e-12,
) -> CondensedElectric:
    """Condense an electric problem onto its lithium surfaces (collective).

    Args:
        problem: Conductors; its electrodes are replaced by the counter electrode.
        counter: At 0 V.
        parts: Lithium surfaces; the film is one of them.
        film_points: Positions of the film's nodes [m], (n, 3).
        rtol: Of an iterative solver.

    Raises:
        CaseError: For kinetics that cannot be condensed.
        MeshError: When the film's faces are not where the elastic mesh has them.
    """
    _check(counter, parts)
    ground = replace(counter, potential=0.0, current_density=None, normal_stress=None)
    alone = replace(problem, electrodes=(ground,))
    system = ElectricSystem(alone, rtol)
    tools = [_Surface(system, part) for part in parts]
    node = [tool.film_node(film_points) for tool in tools]
    tangent = system.tangent(system.phi.x.petsc_vec, 0.0)
    areas = np.concatenate([t.areas() for t in tools])
    M = len(areas)
    work = np.empty((M, M))
    column, start = 0, time.perf_counter()
    for tool in tools:
        for k in range(tool.count):
            b = tool.flux(k)
            b.array[system.own(system.fixed)] = 0.0
            tangent.solve(b, system.phi.x.petsc_vec)
            system.phi.x.scatter_forward()
            work[:, column] = np.concatenate([t.potentials(system.phi) for t in tools])
            b.destroy()
            column += 1
            if column % 100 == 0:
                progress.tell(f"{column} of {M} plating nodes")
    unit = problem.voltage / problem.current_scale  # potential per current density [ohm m^2]
    shift = np.concatenate([t.shift(problem) for t in tools])
    electric = Electric(
        resistance=0.5 * (work + work.T) * problem.area_scale * unit / areas[:, None],
        area=areas,
        film=np.concatenate(node),
        surface=np.concatenate([np.full(t.count, i) for i, t in enumerate(tools)]),
        surfaces=tuple(_kinetics(part.electrode, problem.temperature) for part in parts),
        shift=shift,
        counter_area=system.terminals[0].area * problem.area_scale,
        voltage=problem.voltage,
        plane=problem.model.startswith("plane"),
    )
    return CondensedElectric(
        electric, np.concatenate([t.faces.points for t in tools]),
        float(np.abs(work - work.T).max() / np.abs(work).max()),
        Ions(system, tangent, tuple(tools)), (time.perf_counter() - start) / M,
    )  # fmt: skip


def _check(counter: Electrode, parts: tuple[Part, ...]) -> None:
    if counter.kinetics == "butler_volmer":
        raise CaseError(
            "the counter electrode of a thin filament is linear, so that the electrolyte can be "
            "condensed onto the lithium surfaces", key=f"{counter.key}.kinetics",
            value="butler_volmer", allowed="linear, none",
        )  # fmt: skip
    for part in parts:
        if part.electrode.kinetics == "none":
            raise CaseError(
                "a lithium surface beside a thin filament needs a resistance",
                key=f"{part.electrode.key}.kinetics", value="none",
                allowed="butler_volmer, linear",
            )  # fmt: skip


def _kinetics(electrode: Electrode, temperature: float) -> Surface:
    i0, Z = electrode.i0, electrode.resistance
    if electrode.kinetics == "linear" and Z > 0.0:
        i0 = kinetics.exchange_current_density(Z, temperature)
    return Surface(
        electrode.name, electrode.kinetics, i0, Z, electrode.beta, electrode.layer or 0.0
    )


@dataclass(frozen=True)
class Ions:
    """The factorised electrolyte with its lithium surfaces."""

    system: ElectricSystem
    tangent: Any
    surfaces: tuple[_Surface, ...]

    def potential(self, plating: Floats) -> Any:
        """Potential over RT/F under current densities of the plating nodes [A/m^2], a Function."""
        system = self.system
        scaled: Floats = np.asarray(-plating / system.problem.current_scale, dtype=np.float64)
        b = self.surfaces[0].current(scaled[: self.surfaces[0].count])
        start = self.surfaces[0].count
        for surface in self.surfaces[1:]:
            more = surface.current(scaled[start : start + surface.count])
            b.axpy(1.0, more)
            more.destroy()
            start += surface.count
        b.array[system.own(system.fixed)] = 0.0
        self.tangent.solve(b, system.phi.x.petsc_vec)
        system.phi.x.scatter_forward()
        b.destroy()
        return system.phi


class _Surface:
    """A lithium surface as the electric mesh has it."""

    def __init__(self, system: ElectricSystem, part: Part) -> None:
        import ufl
        from dolfinx import fem
        from dolfinx.fem.petsc import assemble_matrix, assemble_vector
        from petsc4py import PETSc
        from ssbmech.domain import Domain

        self.part, self.problem = part, system.problem
        domain: Domain = system.problem.domain
        mesh = domain.mesh
        self.faces: Faces = gather(domain, part.groups)
        self.count = len(self.faces.ids)
        space = fem.functionspace(mesh, ("Lagrange", 1))
        self._hats = Hats(domain, space, self.faces.ids, np.arange(self.count), self.count)
        tags = tuple(domain.facet_tag(g) for g in part.groups)
        w = system.frame.w
        ds = ufl.Measure(
            "ds", mesh, subdomain_data=domain.facet_tags,
            metadata={"quadrature_degree": system.frame.quadrature},
        )(tags)  # fmt: skip
        q, v = ufl.TrialFunction(space), ufl.TestFunction(system.V)
        self._load = assemble_matrix(fem.form(q * v * w * ds))
        self._load.assemble()
        one = fem.Constant(mesh, PETSc.ScalarType(1.0))
        self._area = assemble_vector(fem.form(one * ufl.TestFunction(space) * w * ds))
        self._area.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)

    def areas(self) -> Floats:
        return self._hats.sums(self._area) * self.problem.area_scale

    def flux(self, k: int) -> Any:
        """Load of a unit current density that goes into the electrolyte at node k."""
        b = self._load.createVecLeft()
        self._load.mult(self._hats.vector(k), b)
        return b

    def current(self, values: Floats) -> Any:
        """Load of a current density that goes into the electrolyte, given at all nodes."""
        b = self._load.createVecLeft()
        self._load.mult(self._hats.combined(values), b)
        return b

    def potentials(self, phi: Any) -> Floats:
        """Integral of hat times potential, non-dimensional."""
        y = self._load.createVecRight()
        self._load.multTranspose(phi.x.petsc_vec, y)
        found = self._hats.sums(y)
        y.destroy()
        return found

    def film_node(self, points: Floats) -> Any:
        """Film node of each vertex, -1 on a flat surface."""
        from scipy.spatial import cKDTree

        if not self.part.film:
            return np.full(self.count, -1, dtype=np.int64)
        size = self.problem.domain.length
        distance, node = cKDTree(points).query(self.faces.points)
        if distance.max(initial=0.0) > 1e-9 * size:
            raise MeshError(
                "the faces of the filament are not where the elastic mesh has them",
                key="thin_filament.faces", value=list(self.part.groups),
            )  # fmt: skip
        return node.astype(np.int64)

    def shift(self, problem: ElectricProblem) -> Floats:
        """-V sigma_n/F of a flat surface [V]."""
        stress = self.part.electrode.normal_stress
        if stress is None or self.part.film:
            return np.zeros(self.count)
        values = np.broadcast_to(stress.value(self.faces.points), (self.count,))
        return -np.asarray(kinetics.stress_shift(values, problem.molar_volume))
