"""Lithium surfaces as the body and as the electrolyte see them, vertex by vertex.

Vertices are named by the node numbers of the mesh file, in which both domains agree however they
are cut into ranks. Two fields pass between them: the thickness h of plated lithium, and the normal
stress sigma_n that the kinetics feel.

sigma_n is the stress that does work on growth. Growth at a vertex v puts the tensor M_v h_v into
the cells of the reaction layer (`ssbmech.lithium.growth`), sum over cells of tr(M_v) V = A_v, and

    sigma_n,v = (1/A_v) sum over cells of M_v : integral of sigma,

the mean of n sigma n over the lithium that grows there. Chosen over forces on the interface
(`ssbmech.lithium.monitors.InterfaceTraction`) for two reasons. In lithium at one pressure it is
exactly -p at every vertex, at corners and curves of any mesh, so that equilibrium (K2) is uniform.
And it is the derivative of the energy of the body by h_v A_v: the stiffness -d sigma_n/dh is
symmetric and not negative, so that an implicit step has one solution and no mode of a single
element can grow. Both agree to the size of the layer; the tests compare them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from ssbmech.lithium.growth import LIMITS
from ssbmech.lithium.interface import gathered, vertex_ids
from ssbmech.lithium.points import Response
from ssbmech.lithium.system import BodySystem
from ssbmech.physics.elasticity import weight

Floats = NDArray[Any]
Ints = NDArray[np.int64]


class InterfaceMap:
    """Vertices of all growth layers of a body, and what passes through them.

    Args:
        body: The body; the layers are those of ``body.problem.growth``.

    Attributes:
        nodes: Node numbers of the mesh file, ascending, the same on every rank, shape (n,).
        areas: Area of each [m^2; m in plane models; whole circle], shape (n,).
        spread: Growth tensors of this rank's owned flowing cells, row by row (9 rows each, in the
            order of ``body.flow_cells``), per thickness [1/m], sparse, shape (9 c, n).
        cells: Which of ``body.flow_cells`` these are, shape (c,).
        points: Weight of each point of the body in integrals [m^3; m^2], zero in ghost cells.
    """

    def __init__(self, body: BodySystem) -> None:
        self.body = body
        p = body.problem
        comm, topology = p.domain.comm, p.domain.mesh.topology
        owned = topology.index_map(p.domain.tdim).size_local
        self.cells = np.flatnonzero(body.flow_cells < owned)
        directions = {
            g: layer.outer_normals(np.ones(len(layer.cells)))
            for g, layer in body.growth.layers.items()
        }
        ids = vertex_ids(p.domain, body.Q)
        on = np.zeros(len(ids), bool)
        for direction in directions.values():
            on |= np.trace(direction, axis1=1, axis2=2) > 0
        self.nodes = np.unique(np.concatenate(comm.allgather(ids[on])))
        own = np.arange(len(ids)) < body.Q.dofmap.index_map.size_local
        place = np.searchsorted(self.nodes, ids)
        mine = np.zeros(len(self.nodes))
        for direction in directions.values():
            area = np.trace(direction, axis1=1, axis2=2)
            np.add.at(mine, place[on & own], area[on & own])
        self.areas = comm.allreduce(mine)
        self.points = self._point_weights()
        volumes = self._volumes()
        self._layers = {g: self._spread(g, d, volumes, place) for g, d in directions.items()}
        blocks = list(self._layers.values())
        nothing = csr_matrix((9 * len(body.flow_cells), len(self.nodes)))
        rows = (9 * self.cells[:, None] + np.arange(9)).reshape(-1)
        self.spread = sum(blocks, nothing).tocsr()[rows]

    def _point_weights(self) -> Floats:
        body, p = self.body, self.body.problem
        field = body.quadrature.field()
        v = ufl.TestFunction(field.function_space)
        cells = body.flow_cells[self.cells]
        dx = ufl.Measure(
            "dx", p.domain.mesh, subdomain_data=[(1, cells)], metadata=body.quadrature.metadata
        )
        one = fem.Constant(p.domain.mesh, 1.0)
        w = weight(ufl.SpatialCoordinate(p.domain.mesh), p.model)
        found = fem.Function(field.function_space)
        fem.assemble_vector(found.x.array, fem.form(one * v * w * dx(1)))
        at = field.function_space.dofmap.list[body.flow_cells].reshape(-1)
        return found.x.array[at] * p.measure

    def _volumes(self) -> Floats:
        """Volume of each local and ghost cell [m^3; m^2], as `growth.Growth` measures it."""
        p, mesh = self.body.problem, self.body.problem.domain.mesh
        eta = ufl.TestFunction(fem.functionspace(mesh, ("DG", 0)))
        curved = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree > 1
        dx = ufl.dx(mesh, metadata={"quadrature_degree": 6 if curved else 2})
        found = fem.Function(eta.ufl_function_space())
        one = fem.Constant(mesh, 1.0)
        w = weight(ufl.SpatialCoordinate(mesh), p.model)
        fem.assemble_vector(found.x.array, fem.form(one * eta * w * dx))
        found.x.scatter_forward()
        return np.asarray(found.x.array * p.measure)

    def _spread(self, group: str, direction: Floats, volumes: Floats, place: Ints) -> csr_matrix:
        """Growth tensors of all flowing cells per thickness at vertices, of one layer."""
        body, domain = self.body, self.body.problem.domain
        table = body.Q.dofmap.list
        tag = domain.cell_tag(body.problem.growth[group])
        owned = domain.mesh.topology.index_map(domain.tdim).size_local
        side = domain.cell_tags.find(tag)
        around = fem.Function(body.Q)
        own = side[side < owned]
        np.add.at(around.x.array, table[own], volumes[own][:, None])
        total = gathered(around)
        density = direction / np.where(total > 0, total, 1.0)[:, None, None]
        on = np.trace(direction, axis1=1, axis2=2) > 0
        cells = body.flow_cells
        inside = domain.tag_of_cell()[cells] == tag
        rows, columns, values = [], [], []
        for corner in range(table.shape[1]):
            vertex = table[cells, corner]
            some = np.flatnonzero(inside & on[vertex])
            rows.append((9 * some[:, None] + np.arange(9)).reshape(-1))
            columns.append(np.repeat(place[vertex[some]], 9))
            values.append(density[vertex[some]].reshape(-1))
        return csr_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
            (9 * len(cells), len(self.nodes)),
        )

    def grow(self, thickness: Floats) -> None:
        """Give the body the plated thickness at all vertices [m], shape (n,) (collective).

        Raises:
            SolverError: On every rank, where a layer is too thin for it.
        """
        growth = self.body.growth
        parts = {g: (m @ thickness).reshape(-1, 3, 3) for g, m in self._layers.items()}
        change = np.trace(sum(parts.values()), axis1=1, axis2=2)
        low, high = LIMITS
        fine = bool(np.all((change >= low) & (change <= high)))
        if self.body.problem.domain.comm.allreduce(int(fine), op=MPI.MIN):
            growth.restore(parts)
            return
        for group in parts:  # says which layer is too thin, and by how much
            growth.set_at_vertices(group, self.nodes, thickness)

    def normal_stress(self, answer: Response, gradient: Floats) -> Floats:
        """sigma_n at the vertices [Pa], shape (n,), the same on every rank (collective).

        Args:
            answer: Of the points.
            gradient: Displacement gradient there, shape (points, 3, 3).
        """
        sigma = self._true_stress(answer, gradient)
        weighted = sigma * self.points[:, None, None]
        per_cell = weighted.reshape(-1, self.body.quadrature.per_cell, 9).sum(axis=1)
        force = self.spread.T @ per_cell[self.cells].reshape(-1)
        total = np.empty_like(force)
        self.body.problem.domain.comm.Allreduce(np.ascontiguousarray(force), total)
        return np.asarray(total / self.areas)

    def _true_stress(self, answer: Response, gradient: Floats) -> Floats:
        """Cauchy's stress [Pa]; at small strain the stress itself."""
        sigma = answer.stress.copy()
        for g in self.body.points.groups:
            if g.flow.finite:
                F = np.eye(3) + gradient[g.points]
                J = np.linalg.det(F)[:, None, None]
                sigma[g.points] = answer.stress[g.points] @ F.transpose(0, 2, 1) / J
        return sigma
