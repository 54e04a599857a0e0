"""The facets of a surface or interface as one side sees them: areas and normals at vertices.

A facet belongs to the rank that owns the cell on that side, and counts there once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.domain import cell_facets, vertex_nodes
from ssbmech.errors import CaseError
from ssbmech.lithium.problem import BodyProblem
from ssbmech.physics.elasticity import weight

Floats = NDArray[Any]
Ints = NDArray[np.int32]


class Interface:
    """Facets of a group, seen from the cells of another.

    Args:
        problem: The problem.
        facets: Facet group.
        cells: Cell group on the side that is meant.
        Q: Space of linear functions; its unknowns are the vertices.

    Attributes:
        cells: Owned cell of each facet of this rank, shape (n,).
        local: Number of the facet in it, shape (n,).
        vertices: Unknowns of ``Q`` at its vertices, shape (n, dim).
        nodes: The same as node numbers of the mesh file, shape (n, dim).
        areas: [m^2; m in plane models; whole circle in axisymmetry], shape (n,).
        vertex_areas: Share of each local and ghost vertex in the area [m^2 or m].
        normal_areas: Integral of shape function times normal out of ``cells``, shape (., 3).
        normals: Mean unit normal out of ``cells`` at each, zero off the interface, shape (., 3).

    Raises:
        CaseError: On every rank, where no facet of the group touches such a cell.
    """

    def __init__(self, problem: BodyProblem, facets: str, cells: str, Q: Any) -> None:
        self.problem, self.group, self.side, self.Q = problem, facets, cells, Q
        domain = problem.domain
        self.cells, self.local = _entities(domain, facets, domain.cell_tag(cells))
        if domain.comm.allreduce(len(self.cells)) == 0:
            raise CaseError(
                f"no facet of {facets!r} touches a cell of {cells!r}", key="growth", value=facets
            )
        corners = cell_facets(domain.tdim)[self.local]
        self.vertices = Q.dofmap.list[self.cells[:, None], corners]
        self.nodes = domain.node_ids[vertex_nodes(domain.mesh)[self.cells[:, None], corners]]
        self._measures()
        self.areas = self._facet_areas() * problem.area_unit
        dim = problem.dim
        n, v = ufl.FacetNormal(domain.mesh), ufl.TestFunction(Q)
        one = self._one
        self.vertex_areas = self._vertex_values(one * v) * problem.area_unit
        sums = np.zeros((len(self.vertex_areas), 3))
        for i in range(dim):
            sums[:, i] = self._vertex_values(n[i] * v)
        self.normal_areas = sums * problem.area_unit
        size = np.linalg.norm(sums, axis=1)
        self.normals = sums / np.where(size > 0, size, 1.0)[:, None]

    def _measures(self) -> None:
        """One measure for the first facet of each cell, one for the second, ...

        A field that is constant in cells is then one value per facet.
        """
        domain = self.problem.domain
        order = np.lexsort((self.local, self.cells))
        slot = np.zeros(len(order), np.int64)
        ranked = self.cells[order]
        new = np.r_[True, ranked[1:] != ranked[:-1]] if len(ranked) else np.empty(0, bool)
        start = np.maximum.accumulate(np.where(new, np.arange(len(ranked)), 0))
        slot[order] = np.arange(len(ranked)) - start
        self._slot = slot
        pairs = np.column_stack([self.cells, self.local]).astype(np.int32)
        data = [
            (k, np.ascontiguousarray(pairs[slot == k].reshape(-1))) for k in range(domain.tdim + 1)
        ]
        curved = domain.mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree > 1
        self._ds = ufl.Measure(
            "ds", domain.mesh, subdomain_data=data,
            metadata={"quadrature_degree": 6 if curved else 3},
        )  # fmt: skip
        self._one = fem.Constant(domain.mesh, PETSc.ScalarType(1.0))
        self._w = weight(ufl.SpatialCoordinate(domain.mesh), self.problem.model)
        self.slots = range(domain.tdim + 1)

    def _facet_areas(self) -> Floats:
        domain = self.problem.domain
        eta = ufl.TestFunction(fem.functionspace(domain.mesh, ("DG", 0)))
        areas = np.zeros(len(self.cells))
        for k in self.slots:
            b = assemble_vector(fem.form(self._one * eta * self._w * self._ds(k)))
            mine = self._slot == k
            areas[mine] = b.array_r[self.cells[mine]]
            b.destroy()
        return areas

    def _vertex_values(self, integrand: Any) -> Floats:
        """An integral over all facets tested with linear functions, local and ghost vertices."""
        out = fem.Function(self.Q)
        form = fem.form(sum(integrand * self._w * self._ds(k) for k in self.slots))
        fem.assemble_vector(out.x.array, form)
        return gathered(out)

    def outer_normals(self, thickness: Floats) -> Floats:
        """Integral of h n n at vertices for a thickness h of each facet of this rank.

        Args:
            thickness: [m], shape (n,).

        Returns:
            Shape (local and ghost vertices, 3, 3) [m^3; m^2 in plane models]; the traces add up to
            the volume, the sum of thickness times area.
        """
        mesh, dim = self.problem.domain.mesh, self.problem.dim
        space = fem.functionspace(mesh, ("Lagrange", 1, (dim, dim)))
        n, tau = ufl.FacetNormal(mesh), ufl.TestFunction(space)
        flat = fem.functionspace(mesh, ("DG", 0))
        total = fem.Function(space)
        for k in self.slots:
            h = fem.Function(flat)
            mine = self._slot == k
            h.x.array[self.cells[mine]] = thickness[mine]
            form = fem.form(h * ufl.inner(ufl.outer(n, n), tau) * self._w * self._ds(k))
            fem.assemble_vector(total.x.array, form)
        values = np.zeros((len(self.vertex_areas), 3, 3))
        found = gathered(total).reshape(-1, dim, dim)
        here = np.zeros(len(self.vertex_areas), np.int64)
        here[self.Q.dofmap.list.reshape(-1)] = space.dofmap.list.reshape(-1)
        values[:, :dim, :dim] = found[here]
        return values * self.problem.area_unit


def gathered(f: Any) -> Floats:
    """Contributions that cells made to a function's unknowns, summed over ranks, with ghosts."""
    f.x.petsc_vec.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
    f.x.scatter_forward()
    return f.x.array.copy()


def vertex_ids(domain: Any, Q: Any) -> NDArray[np.int64]:
    """Node number in the mesh file of each local and ghost unknown of a linear space."""
    ids = np.full(len(fem.Function(Q).x.array), -1, np.int64)
    ids[Q.dofmap.list.reshape(-1)] = domain.node_ids[vertex_nodes(domain.mesh).reshape(-1)]
    return ids


def _entities(domain: Any, facets: str, tag: int) -> tuple[Ints, Ints]:
    """Owned cells with a tag at the facets of a group, and the facets' numbers in them."""
    mesh, dim = domain.mesh, domain.tdim
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim, dim - 1)
    inside = np.zeros(mesh.topology.index_map(dim - 1).size_local
                      + mesh.topology.index_map(dim - 1).num_ghosts, bool)  # fmt: skip
    inside[domain.facets(facets)] = True
    table = mesh.topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)
    owned = mesh.topology.index_map(dim).size_local
    wanted = inside[table[:owned]] & (domain.tag_of_cell()[:owned] == tag)[:, None]
    cells, local = np.nonzero(wanted)
    return cells.astype(np.int32), local.astype(np.int32)
