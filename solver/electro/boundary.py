r"""Grain boundaries of no thickness with an area-specific resistance: the potential jumps by Z i.

The mesh is cut along them (`meshes.cohesive.split_facets`): every part has nodes of its own there,
and the two sides of a facet are held together by

    integral of (phi_u - phi_l) (v_u - v_l)/Z over the facet

the weak form of i = (phi_l - phi_u)/Z as the flux on both sides. Chosen over interior penalty on
broken elements because unknowns are added along boundaries alone, nothing has to be tuned, the
matrix stays symmetric and positive definite, and currents stay variational: the term takes from one
side what it gives to the other, so that charge balances as without it. Nodes are cut rather than
thin cells put in, because Z is what is measured, and because a layer of 10 nm has to be meshed.

DOLFINx has no integral over two facets that only lie on each other. The term is linear and never
changes: it is one PETSc matrix, put together here from the shape functions of both sides at the
same points and added to residual and tangent. The two sides may belong to different ranks.
"""

from __future__ import annotations

import itertools
from typing import Any

import basix
import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech import compat
from ssbmech.domain import cell_facets, facet_cells, reference_corners
from ssbmech.electro.problem import BoundaryResistance
from ssbmech.electro.terminals import Frame
from ssbmech.errors import MeshError

LOWER, UPPER = "_lower", "_upper"


def matrix(frame: Frame) -> Any:
    """Matrix of all boundaries with a resistance, non-dimensional, or None (collective)."""
    p = frame.problem
    if not p.boundaries:
        return None
    index = frame.V.dofmap.index_map
    size = (index.size_local, index.size_global)
    blocks = [_Sides(frame, b).entries(p.voltage / p.current_scale) for b in p.boundaries]
    A = PETSc.Mat().create(comm=p.domain.comm)
    A.setSizes([size, size])
    A.setType(PETSc.Mat.Type.AIJ)
    A.setUp()  # without preallocation entries are hashed until the matrix is assembled
    for dofs, local in blocks:
        for rows, values in zip(dofs.astype(PETSc.IntType), local, strict=True):
            A.setValues(rows, rows, values, addv=PETSc.InsertMode.ADD_VALUES)
    A.assemble()
    return A


class _Sides:
    """Both sides of the facets of one boundary."""

    def __init__(self, frame: Frame, boundary: BoundaryResistance) -> None:
        self.frame, self.boundary = frame, boundary
        domain = frame.problem.domain
        self.dim = domain.tdim
        kind = {2: basix.CellType.triangle, 3: basix.CellType.tetrahedron}[self.dim]
        family, variant = basix.ElementFamily.P, basix.LagrangeVariant.gll_warped
        order = domain.mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        self.geometry = basix.create_element(family, kind, order, variant)
        self.potential = basix.create_element(family, kind, frame.problem.degree, variant)
        facet = {2: basix.CellType.interval, 3: basix.CellType.triangle}[self.dim]
        points, self.weights = basix.make_quadrature(facet, frame.quadrature)
        self.barycentric = np.hstack([1 - points.sum(axis=1, keepdims=True), points])
        #: Orders of the vertices of a facet, by number.
        self.orders = list(itertools.permutations(range(self.dim)))

    def entries(self, scale: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Global unknowns and matrix of each facet of which this rank owns the lower side."""
        comm, b = self.frame.problem.domain.comm, self.boundary
        lower, upper = self._side(0), self._side(1)
        mine = np.concatenate(comm.allgather(upper[1]))
        number = np.full(len(b.pairs), -1)
        number[mine[:, 0]] = np.arange(len(mine))
        owned = lower[1][:, 0]
        seen = np.concatenate(comm.allgather(owned))
        if len(np.unique(seen)) < len(b.pairs) or (number < 0).any():
            raise MeshError(f"a facet of {b.name!r} has lost one of its sides", key=b.key)
        other = mine[number[owned]]
        one, two = self._shapes(lower[1][:, 1:3]), self._shapes(other[:, 1:3])
        jump = np.concatenate([one, -two], axis=2)
        local = np.einsum("nq,nqa,nqb->nab", lower[0] * scale / b.resistance, jump, jump)
        dofs = np.concatenate([lower[1][:, 3:], other[:, 3:]], axis=1)
        return dofs, local

    def _side(self, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Weights at points (n, q), and (facet, local facet, order of vertices, unknowns...)."""
        frame, b = self.frame, self.boundary
        domain, mesh = frame.problem.domain, frame.problem.domain.mesh
        facets = domain.facets(b.name + (LOWER, UPPER)[k])
        cells, local, nodes = facet_cells(mesh, facets)
        own = cells < mesh.topology.index_map(self.dim).size_local
        cells, local, nodes = cells[own], local[own], nodes[own]
        ids = domain.node_ids[nodes]
        which, order = self._match(ids, b.pairs[:, k])
        codes = np.stack([local, order], axis=1)
        dofs = frame.V.dofmap.list[cells]
        dofs = frame.V.dofmap.index_map.local_to_global(
            np.ascontiguousarray(dofs.reshape(-1), dtype=np.int32)
        ).reshape(dofs.shape)
        return self._measure(cells, codes), np.column_stack([which, codes, dofs]).astype(np.int64)

    def _match(self, ids: NDArray, wanted: NDArray) -> tuple[NDArray, NDArray]:
        """Row of ``wanted`` with the same vertices, and the order in which it has them."""
        n = len(wanted)
        both = np.concatenate([np.sort(wanted, axis=1), np.sort(ids, axis=1)])
        _, key = np.unique(both, axis=0, return_inverse=True)
        key = key.reshape(-1)
        place = np.full(key.max(initial=-1) + 1, -1)
        place[key[:n]] = np.arange(n)
        which = place[key[n:]]
        # order[j]: which vertex of the local facet is vertex j of the row
        at = np.argmax(ids[:, None, :] == wanted[which][:, :, None], axis=2)
        number = {o: i for i, o in enumerate(self.orders)}
        return which, np.array([number[tuple(row)] for row in at.tolist()], dtype=np.int64)

    def _reference(self, local: int, order: int) -> NDArray[np.float64]:
        """The points in the reference cell, in the order that both sides share."""
        corners = reference_corners(self.dim)[cell_facets(self.dim)[local]]
        return self.barycentric @ corners[list(self.orders[order])]

    def _shapes(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Shape functions at the points, shape (n, q, unknowns of a cell)."""
        found = np.empty((len(codes), len(self.weights), self.potential.dim))
        for local, order in np.unique(codes, axis=0):
            mine = (codes == (local, order)).all(axis=1)
            found[mine] = self.potential.tabulate(0, self._reference(local, order))[0, :, :, 0]
        return found

    def _measure(self, cells: NDArray, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weights times area (times radius) at the points, shape (n, q)."""
        mesh = self.frame.problem.domain.mesh
        x = mesh.geometry.x[compat.geometry_dofmap(mesh)[cells]]
        found = np.empty((len(codes), len(self.weights)))
        for local, order in np.unique(codes, axis=0):
            mine = (codes == (local, order)).all(axis=1)
            at = self._reference(local, order)
            table = self.geometry.tabulate(1, at)[..., 0]
            jacobian = np.einsum("kqa,naj->nqjk", table[1:], x[mine])
            corners = reference_corners(self.dim)[cell_facets(self.dim)[local]]
            along = np.einsum("nqjk,tk->nqtj", jacobian, corners[1:] - corners[0])
            if self.dim == 2:
                size = np.linalg.norm(along[:, :, 0], axis=-1)
            else:
                size = np.linalg.norm(np.cross(along[:, :, 0], along[:, :, 1]), axis=-1)
            if self.frame.problem.model == "axisymmetric":
                size = size * np.einsum("qa,na->nq", table[0], x[mine][:, :, 0])
            found[mine] = size * self.weights
        return found
