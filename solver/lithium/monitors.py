"""What is read off a body: pressures, volumes, reactions, tractions at an interface.

Everything is of the last evaluation: after `BodySystem.advance` of the step that is not accepted
yet, after `accept` or `load` of the state. All functions are collective and give the same on every
rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.lithium.boundary import shared
from ssbmech.lithium.interface import Interface, gathered, vertex_ids
from ssbmech.lithium.system import BodySystem
from ssbmech.physics.elasticity import weight

Floats = NDArray[Any]


@dataclass(frozen=True)
class Traction:
    """Traction that the rest of the body exerts on one side of an interface, at its vertices.

    Attributes:
        nodes: Node numbers of the mesh file, ascending, shape (n,).
        normal_stress: sigma_n, tension positive [Pa], shape (n,).
        traction: On the side, per reference area [Pa], shape (n, dim).
        areas: That belong to the vertices [m^2; m in plane models; whole circle], shape (n,).
        normals: Out of the side, shape (n, dim).
    """

    nodes: NDArray[np.int64]
    normal_stress: Floats
    traction: Floats
    areas: Floats
    normals: Floats

    @property
    def mean_normal_stress(self) -> float:
        """Mean over the interface [Pa]."""
        return float(self.normal_stress @ self.areas / self.areas.sum())


class InterfaceTraction:
    """Consistent tractions at an interface: internal forces of one side over the areas.

    The forces are those of linear test functions, F_v = int sigma : grad(N_v) over the cells of the
    side, divided by int N_v over the interface: no stress is sampled, constant tractions are exact,
    and the sum of traction times area is the force across the interface to the accuracy of
    Newton's method. Components that are held at a vertex (a symmetry plane that the interface ends
    on) are left out of sigma_n, since the force there has the reaction in it; a load on the side at
    the end of an interface is not.

    Args:
        system: The body.
        facets: Facet group of the interface, inside the body or on its surface.
        side: Cell group whose forces are taken (the lithium).
    """

    def __init__(self, system: BodySystem, facets: str, side: str) -> None:
        self.system = system
        self.interface = Interface(system.problem, facets, side, system.Q)
        mesh, dim = system.problem.domain.mesh, system.problem.dim
        self._space = fem.functionspace(mesh, ("Lagrange", 1, (dim,)))
        self._form = fem.form(system.virtual_work(ufl.TestFunction(self._space), side))
        self._vertex = np.zeros(len(self.interface.vertex_areas), np.int64)
        self._vertex[system.Q.dofmap.list.reshape(-1)] = self._space.dofmap.list.reshape(-1)
        self._ids = vertex_ids(system.problem.domain, system.Q)
        index = system.Q.dofmap.index_map
        vertices = np.zeros((len(self._ids), dim), np.int64)
        corners = system.V.dofmap.list[:, : system.Q.dofmap.list.shape[1]]  # come first
        where = system.where.reshape(-1, dim)
        vertices[system.Q.dofmap.list.reshape(-1)] = where[corners.reshape(-1)]
        self._held = np.isin(vertices, system.holds.dofs)
        self._mine = np.flatnonzero(self.interface.vertex_areas[: index.size_local] > 0)

    def evaluate(self) -> Traction:
        """Tractions of the last evaluation."""
        p, comm = self.system.problem, self.system.problem.domain.comm
        f = fem.Function(self._space)
        fem.assemble_vector(f.x.array, self._form)
        forces = gathered(f).reshape(-1, p.dim)[self._vertex][self._mine] * p.force_unit
        areas = self.interface.vertex_areas[self._mine]
        outward = self.interface.normal_areas[self._mine, : p.dim]
        free = np.where(self._held[self._mine], 0.0, outward)
        lost = np.linalg.norm(free, axis=1) < 1e-6 * np.linalg.norm(outward, axis=1)
        free[lost] = outward[lost]
        # exact for a constant pressure, also where the interface is curved: F = -p int N n
        normal_stress = np.sum(forces * free, axis=1) / np.sum(outward * free, axis=1)
        normals = self.interface.normals[self._mine, : p.dim]
        rows = np.column_stack([forces / areas[:, None], areas, normals, normal_stress])
        parts = comm.allgather((self._ids[self._mine], rows))
        nodes = np.concatenate([part[0] for part in parts])
        order = np.argsort(nodes)
        every = np.vstack([part[1] for part in parts])[order]
        return Traction(
            nodes[order], every[:, -1], every[:, : p.dim], every[:, p.dim], every[:, p.dim + 1 : -1]
        )


def pressures(system: BodySystem, group: str) -> tuple[float, float]:
    """Mean over the volume and largest of the pressure -p of a flowing group [Pa]."""
    domain, comm = system.problem.domain, system.problem.domain.comm
    cells = domain.cell_tags.find(domain.cell_tag(group))
    values = -system.mean_stress[np.unique(system.Q.dofmap.list[cells].reshape(-1))]
    largest = comm.allreduce(float(values.max(initial=-np.inf)), op=MPI.MAX)
    start, stop = system.points_of(group)
    inside = np.zeros(system.points.n)
    inside[start:stop] = 1.0
    volume = system.integral(inside)
    pressure = -system.quadrature.values(system.mean_at_points) * system.problem.modulus
    return system.integral(inside * pressure) / volume, float(largest)


def volume_change(system: BodySystem, group: str) -> float:
    """Change of the volume of a flowing group, growth included [m^3; m^2 in plane models].

    det F - 1 where the group's strains are finite, else the trace of the displacement gradient.
    """
    start, stop = system.points_of(group)
    gradient = system.gradients()
    if system.problem.flows[group].finite:
        change = np.linalg.det(np.eye(3) + gradient) - 1
    else:
        change = np.trace(gradient, axis1=1, axis2=2)
    change[:start] = change[stop:] = 0.0
    return system.integral(change)


def outflow(system: BodySystem, group: str) -> float:
    """Volume that moved out through a facet group on the surface, the integral of u.n [m^3; m^2].

    Small strain: of the reference surface.
    """
    p, mesh = system.problem, system.problem.domain.mesh
    ds = ufl.Measure("ds", mesh, subdomain_data=p.domain.facet_tags)
    u, n = ufl.split(system.w)[0], ufl.FacetNormal(mesh)
    w = weight(ufl.SpatialCoordinate(mesh), p.model)
    form = fem.form(ufl.inner(u, n) * w * ds(p.domain.facet_tag(group)))
    return system.everywhere(fem.assemble_scalar(form)) * p.area_unit * p.domain.length


def reaction(system: BodySystem, group: str) -> Floats:
    """Force on the body at the nodes of a facet group, shape (dim,) [N; N/m in plane models].

    Loads, holds and nodal laws together; in axisymmetry of the whole circle (component 0 is the
    sum of radial forces, not a resultant).
    """
    p, domain = system.problem, system.problem.domain
    found = fem.locate_dofs_topological(system.V, domain.tdim - 1, domain.facets(group))
    nodes = shared(system.V, np.asarray(found * p.dim, np.int32)) // p.dim
    owned = system.V.dofmap.index_map.size_local
    rows = system.where.reshape(-1, p.dim)[nodes[nodes < owned]]
    forces = system.trial_forces[rows].sum(axis=0)
    total = np.empty_like(forces)
    domain.comm.Allreduce(forces, total)
    return total * p.force_unit


def area(system: BodySystem, group: str) -> float:
    """Reference area of a facet group on the surface [m^2; m in plane models; whole circle]."""
    p, mesh = system.problem, system.problem.domain.mesh
    ds = ufl.Measure("ds", mesh, subdomain_data=p.domain.facet_tags)
    one = fem.Constant(mesh, PETSc.ScalarType(1.0))
    w = weight(ufl.SpatialCoordinate(mesh), p.model)
    form = fem.form(one * w * ds(p.domain.facet_tag(group)))
    return system.everywhere(fem.assemble_scalar(form)) * p.area_unit


def small_strain(system: BodySystem) -> dict[str, float]:
    """Largest displacement gradient of groups that flow at small strain, as a monitor (collective).

    The theory neglects its square; {} where every flowing group has finite strain.
    """
    p = system.problem
    small = [system.points_of(g) for g, flow in p.flows.items() if not flow.finite]
    if not small:
        return {}
    size = np.linalg.norm(system.gradients(), axis=(1, 2))
    mine = max(float(size[a:b].max(initial=0.0)) for a, b in small)
    return {"small_strain": float(p.domain.comm.allreduce(mine, op=MPI.MAX))}
