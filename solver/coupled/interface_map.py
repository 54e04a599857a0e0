"""Lithium surfaces as the body and as the electrolyte see them, vertex by vertex.

Vertices are named by the node numbers of the mesh file, in which both domains agree however they
are cut into ranks. Two fields pass between them: the thickness h of plated lithium, and the normal
stress sigma_n that the kinetics feel.

New lithium of thickness h between electrolyte and lithium is a jump of the displacement: with w
that of the electrolyte continued into the lithium, lithium moves by w - h n at the interface. The
jump is continued into the lithium by the linear functions N_v of its vertices, so that the growth
strain of the elements there is its gradient, and the stress that works on it the normal force:

    eps_g = sum over v of h_v sym(n_v grad N_v),
    sigma_n,v = (1/A_v) integral of sigma : sym(n_v grad N_v) = F_v . n_v / A_v,

F_v the force of the lithium on the vertex, n_v = m_v A_v/|m_v|^2 the normal with m_v the integral
of N_v n over the interface: the plated volume is h_v A_v, the pressure of lithium at one pressure
is found exactly, whatever the mesh is, and -d sigma_n/dh is symmetric and not negative: an implicit
step has one solution. sigma_n is that of `ssbmech.lithium.monitors.InterfaceTraction`. A strain
h n n/d shared out evenly to the elements at the interface (`ssbmech.lithium.growth`) is not
compatible: in lithium that does not yield it makes stresses of the size G h/d, which grow as the
elements get smaller.

Displacement, pressure and currents converge with the square of the size of the elements. The
tensors are means over an element (they vary inside one where it is curved or near the axis).
"""

from __future__ import annotations

from typing import Any

import basix
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from ssbmech.errors import SolverError
from ssbmech.lithium.growth import LIMITS
from ssbmech.lithium.interface import vertex_ids
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
        comm = p.domain.comm
        owned = p.domain.mesh.topology.index_map(p.domain.tdim).size_local
        self.cells = np.flatnonzero(body.flow_cells < owned)
        ids = vertex_ids(p.domain, body.Q)
        layers = body.growth.layers
        on = np.zeros(len(ids), bool)
        for layer in layers.values():
            on |= layer.vertex_areas > 0
        self.nodes: Ints = np.unique(np.concatenate(comm.allgather(ids[on])))
        place = np.searchsorted(self.nodes, ids)
        mine = np.zeros(len(self.nodes))
        own = np.flatnonzero(on & (np.arange(len(ids)) < body.Q.dofmap.index_map.size_local))
        for layer in layers.values():
            np.add.at(mine, place[own], layer.vertex_areas[own])
        self.areas = np.asarray(comm.allreduce(mine))
        gradients = _LinearFunctions(body)
        self.points = gradients.weights * np.repeat(
            body.flow_cells < owned, body.quadrature.per_cell
        )
        volumes = self._volumes()[body.flow_cells]
        whole: dict[str, csr_matrix] = {}
        for side in dict.fromkeys(p.growth.values()):
            groups = [g for g, cells in p.growth.items() if cells == side]
            normals = self._normals([layers[g] for g in groups])
            tensors = self._tensors(gradients, side, normals, place, volumes)
            areas = sum(layers[g].vertex_areas for g in groups)
            for g in groups:
                share = np.zeros(len(self.nodes))
                some = layers[g].vertex_areas > 0
                share[place[some]] = (layers[g].vertex_areas / np.where(some, areas, 1.0))[some]
                comm.Allreduce(MPI.IN_PLACE, share, op=MPI.MAX)
                whole[g] = (tensors @ diags(share)).tocsr()
        self._layers = whole
        rows = (9 * self.cells[:, None] + np.arange(9)).reshape(-1)
        nothing = csr_matrix((9 * len(body.flow_cells), len(self.nodes)))
        self.spread = sum(whole.values(), nothing).tocsr()[rows]

    def _normals(self, layers: list[Any]) -> Floats:
        """n_v of local and ghost vertices, zero off the layers, shape (., dim).

        Components that are held at a vertex (a symmetry plane that the interface ends on) are left
        out: lithium does not grow through it.
        """
        body, dim = self.body, self.body.problem.dim
        outward = sum(layer.normal_areas for layer in layers)[:, :dim]
        areas = sum(layer.vertex_areas for layer in layers)
        corners = body.V.dofmap.list[:, : body.Q.dofmap.list.shape[1]]  # come first
        unknowns = np.zeros((len(areas), dim), np.int64)
        unknowns[body.Q.dofmap.list.reshape(-1)] = body.where.reshape(-1, dim)[corners.reshape(-1)]
        free = np.where(np.isin(unknowns, body.holds.dofs), 0.0, outward)
        lost = np.linalg.norm(free, axis=1) < 1e-6 * np.linalg.norm(outward, axis=1)
        free[lost] = outward[lost]
        size = np.sum(free * outward, axis=1)
        return np.asarray(free * (areas / np.where(size > 0, size, 1.0))[:, None])

    def _tensors(
        self, gradients: _LinearFunctions, side: str, normals: Floats, place: Ints, volumes: Floats
    ) -> csr_matrix:
        """Growth tensors of all flowing cells per thickness at vertices, shape (9 cells, n)."""
        body, domain = self.body, self.body.problem.domain
        table, cells = body.Q.dofmap.list, body.flow_cells
        inside = domain.tag_of_cell()[cells] == domain.cell_tag(side)
        rows, columns, values = [], [], []
        for corner in range(table.shape[1]):
            vertex = table[cells, corner]
            some = np.flatnonzero(inside & normals[vertex].any(axis=1))
            rows.append((9 * some[:, None] + np.arange(9)).reshape(-1))
            columns.append(np.repeat(place[vertex[some]], 9))
            values.append(gradients.jump(some, corner, normals[vertex[some]]).reshape(-1))
        found = csr_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
            (9 * len(cells), len(self.nodes)),
        )
        # quadratures of volumes and areas differ on curved cells: the volume is h A to rounding
        trace = np.zeros(9 * len(cells))
        trace.reshape(-1, 9)[self.cells[:, None], [0, 4, 8]] = volumes[self.cells, None]
        volume = domain.comm.allreduce(found.T @ trace)
        return found @ diags(np.where(volume > 0, self.areas / np.where(volume > 0, volume, 1), 1))

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

    def grow(self, thickness: Floats) -> None:
        """Give the body the plated thickness at all vertices [m], shape (n,) (collective).

        Raises:
            SolverError: On every rank, where a layer is too thin for it.
        """
        parts = {g: (m @ thickness).reshape(-1, 3, 3) for g, m in self._layers.items()}
        change = np.trace(sum(parts.values()), axis1=1, axis2=2)
        comm = self.body.problem.domain.comm
        low = comm.allreduce(float(change.min(initial=0.0)), op=MPI.MIN)
        high = comm.allreduce(float(change.max(initial=0.0)), op=MPI.MAX)
        if not LIMITS[0] <= low <= high <= LIMITS[1]:
            raise SolverError(
                f"the lithium cells at {', '.join(parts)} would change their volume by "
                f"{low if low < LIMITS[0] else high:+.0%}: the layer of elements there is too thin "
                f"for the {np.abs(thickness).max() * 1e9:.3g} nm that are plated or stripped",
                key="growth", allowed=f"{LIMITS[0]:+.0%} to {LIMITS[1]:+.0%}",
                hint="Use larger elements in the lithium at the interface, or less charge",
            )  # fmt: skip
        self.body.growth.restore(parts)

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


class _LinearFunctions:
    """Linear functions of the vertices at the points of flowing cells, with ghosts.

    Attributes:
        weights: Of the points in integrals [m^3; m^2; whole circle], shape (points,).
    """

    def __init__(self, body: BodySystem) -> None:
        q, p = body.quadrature, body.problem
        mesh, dim = p.domain.mesh, p.domain.tdim
        x = ufl.SpatialCoordinate(mesh)
        self._dim, self._per_cell = dim, q.per_cell
        J = q.values(q.expression(ufl.Jacobian(mesh)), (dim, dim))
        corners = np.vstack([-np.ones(dim), np.eye(dim)])
        #: Gradient of each function, (points, corners, dim) [1/m], and its value, (., corners).
        self._gradients = np.einsum("ck,nkj->ncj", corners, np.linalg.inv(J)) / p.domain.length
        reference, weights = basix.make_quadrature(mesh.basix_cell(), q.degree)
        values = np.column_stack([1 - reference.sum(axis=1), reference])
        self._values = np.tile(values, (len(q.cells), 1))
        self._radius: Floats | None = None
        scale: Floats = np.ones(q.n)
        if p.model == "axisymmetric":
            scale = q.values(q.expression(x[0]))
            self._radius = scale * p.domain.length
        self.weights = np.abs(np.linalg.det(J)) * np.tile(weights, len(q.cells)) * scale
        self.weights = self.weights * p.measure

    def jump(self, cells: Ints, corner: int, normals: Floats) -> Floats:
        """Mean of sym(n grad N) in cells, of the function of one corner, shape (c, 3, 3) [1/m].

        Args:
            cells: Positions among the flowing cells, shape (c,).
            corner: Of the cells.
            normals: n of its vertex, shape (c, dim).
        """
        at = (cells[:, None] * self._per_cell + np.arange(self._per_cell)).reshape(-1)
        n = np.repeat(normals, self._per_cell, axis=0)
        full = np.zeros((len(at), 3, 3))
        full[:, : self._dim, : self._dim] = n[:, :, None] * self._gradients[at, corner][:, None]
        if self._radius is not None:
            full[:, 2, 2] = n[:, 0] * self._values[at, corner] / self._radius[at]
        share = self.weights[at].reshape(-1, self._per_cell)
        share = share / share.sum(axis=1, keepdims=True)
        mean = np.einsum("cq,cqij->cij", share, full.reshape(*share.shape, 3, 3))
        return 0.5 * (mean + mean.transpose(0, 2, 1))
