r"""The linearised step of lithium that is plated: body, electrolyte and interface in one matrix.

Unknowns are those of the body w, the potential phi, and at each vertex of the interface the normal
stress s and the plated thickness h, all non-dimensional. With R the residuals of body and
electrolyte, q the anodic current of a vertex and k = V_m dt/(F A) in these units,

    | K       B  |  dw       K  tangent of the body       B = dR_w/dh = -C' (work on growth)
    |    E  G    |  dphi     E  of the electrolyte        G = dR_phi/ds
    | C    -1 D  |  ds       C  = ds/dw,  D = ds/dh
    |    kP kQ 1 |  dh       P  = dq/dphi,  Q = dq/ds.

It is factorised as a whole. A fixed point between body and electrolyte converges only while a step
is shorter than the time in which pressure stops the current, and its interface problem is as dense
as the interface is long; here the coupling costs 2 n more unknowns in a sparse matrix, and Newton
does not know how stiff it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_matrix
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.coupled.block_layout import Layout, Pattern
from ssbmech.coupled.interface_map import InterfaceMap
from ssbmech.electro.surface import vertex_ids as electric_ids
from ssbmech.electro.system import ElectricSystem
from ssbmech.electro.terminals import Terminal
from ssbmech.errors import SolverError
from ssbmech.lithium.quadrature import gradient_vector
from ssbmech.numerics.linear import indefinite_lu
from ssbmech.physics import conduction
from ssbmech.physics.elasticity import weight

Floats = NDArray[Any]
Ints = NDArray[np.int64]
#: Rows and columns in the whole (-1: left out) and values of one block after another.
Blocks = Iterator[tuple[Ints, Ints, Floats]]


class BodyCoupling:
    """C, B and D: what plated thickness does to the body, and the body to the normal stress.

    Args:
        layer: Vertices of the interface.
    """

    def __init__(self, layer: InterfaceMap) -> None:
        self.layer, body = layer, layer.body
        p, mesh = body.problem, body.problem.domain.mesh
        parts = body.quadrature.parts
        used = np.flatnonzero(np.add.reduceat(
            np.diff(layer.spread.indptr), np.arange(0, layer.spread.shape[0], 9)
        )) if layer.spread.shape[0] else np.empty(0, np.int64)  # fmt: skip
        cells = body.flow_cells[layer.cells[used]]
        width = p.domain.tdim + 1
        self.vertices = np.zeros((len(used), width), np.int64)
        self._spread = np.zeros((len(used), len(parts), width))
        take = [3 * i + j for i, j in parts]
        for row, c in enumerate(used):
            block = layer.spread[9 * c : 9 * c + 9]
            columns = np.unique(block.indices)
            self.vertices[row, : len(columns)] = columns
            self._spread[row, :, : len(columns)] = block[take][:, columns].toarray()
        self._spread *= p.domain.length
        space = fem.functionspace(mesh, ("DG", 0, (len(parts),)))
        tau, (du, dm) = ufl.TestFunction(space), ufl.TrialFunctions(body.W)
        x = ufl.SpatialCoordinate(mesh)
        dx = ufl.Measure(
            "dx", mesh, subdomain_data=[(1, np.sort(cells))], metadata=body.quadrature.metadata
        )
        change = (
            ufl.dot(body.tangent_field, gradient_vector(du, x, p.model)) + body.swell_field * dm
        )
        self._form = fem.form(ufl.inner(change, tau) * weight(x, p.model) * dx(1))
        self._rows = space.dofmap.list[cells].reshape(-1)[:, None] * len(parts)
        self._rows = self._rows + np.arange(len(parts))
        self.columns: Ints = np.zeros((len(used), 0), np.int64)
        at = layer.cells[used][:, None] * body.quadrature.per_cell
        self._points = at + np.arange(body.quadrature.per_cell)
        self._weights = layer.points[self._points] / p.measure
        self._scale = p.area_unit / layer.areas

    def forces(self) -> Floats:
        """Stress of each cell by the unknowns of the body, worked on growth, (cells, corners, k).

        ``columns`` are the global unknowns, shape (cells, k).
        """
        A = assemble_matrix(self._form)
        A.assemble()
        pointer, columns, values = A.getValuesCSR()
        A.destroy()
        if not len(self._rows):
            return np.zeros((0, self.vertices.shape[1], 0))
        counts = np.diff(pointer)[self._rows[0, 0]]
        at = pointer[self._rows][:, :, None] + np.arange(counts)
        self.columns = np.asarray(columns[at[:, 0]], np.int64)
        return np.einsum("cpv,cpd->cvd", self._spread, values[at])

    def stresses(self, forces: Floats) -> Floats:
        """C of these forces: over the area of the vertex."""
        return forces * self._scale[self.vertices][:, :, None]

    def stiffness(self, tangent: Floats) -> Floats:
        """D of each cell, non-dimensional, (cells, corners, corners).

        Args:
            tangent: Of the deviatoric law at points [Pa], shape (points, 3, 3, 3, 3).
        """
        body = self.layer.body
        points = body.quadrature.matrices(tangent[self._points.reshape(-1)])
        k = points.shape[-1]
        stiff = points.reshape(*self._points.shape, k, k) / body.problem.modulus
        mean = np.einsum("cq,cqij->cij", self._weights, stiff)
        work = np.einsum("civ,cij,cju->cvu", self._spread, mean, self._spread)
        return np.asarray(-work * self._scale[self.vertices][:, :, None])


class IonCoupling:
    """G, P and Q of one electrode.

    Args:
        ions: The electrolyte.
        terminal: The electrode, coupled and with kinetics.
        nodes: Vertices of the interface.
        stress: Unit of s [Pa].
    """

    def __init__(
        self, ions: ElectricSystem, terminal: Terminal, nodes: Ints, stress: float
    ) -> None:
        frame = ions.frame
        assert terminal.fields is not None
        part, shift = frame.on(terminal.electrode), terminal.fields.shift
        v = ufl.TestFunction(frame.linear)
        into = conduction.electrode(terminal.rate, frame.v) * frame.w * part
        rate = terminal.rate * v * frame.w * part
        self.forms = (
            fem.form(ufl.derivative(into, shift)),
            fem.form(ufl.derivative(rate, ions.phi)),
            fem.form(ufl.derivative(rate, shift)),
        )
        self.scale = terminal.fields.scale * stress
        comm, index = ions.problem.domain.comm, frame.linear.dofmap.index_map
        ids = electric_ids(ions)[: index.size_local]
        every = np.concatenate(comm.allgather(ids))
        place = np.searchsorted(nodes, every)
        place[place == len(nodes)] = 0
        #: Vertex of the interface of each global linear unknown, -1 off it.
        self.vertex = np.where(nodes[place] == every, place, -1)
        self.first = index.local_range[0]
        self.fixed = np.zeros(ions.owned, bool)
        self.fixed[ions.own(ions.fixed)] = True
        self.phi_first = ions.V.dofmap.index_map.local_range[0]


def _entries(A: Any) -> tuple[Ints, Ints, Floats]:
    """Local rows, global columns and values of a matrix, which is destroyed."""
    pointer, columns, values = A.getValuesCSR()
    A.destroy()
    rows = np.repeat(np.arange(len(pointer) - 1), np.diff(pointer))
    return rows, np.asarray(columns, np.int64), values


class Border:
    """The equation of a given current, for the potential of the counter electrode.

    Attributes:
        column: Right-hand side of the change of the potential per change of that of the counter
            electrode, owned unknowns.
    """

    def __init__(self, ions: ElectricSystem) -> None:
        self.ions, driven = ions, ions.driven
        assert driven is not None
        self.driven = driven
        self._gradient = None if driven.rate is None else ions.assembled(driven.gradient)
        b = ions.change(driven.dofs) if self._gradient is None else self._gradient.copy()
        b.scale(-1)
        b.array[ions.own(ions.fixed)] = 0
        if self._gradient is None:
            b.array[ions.own(driven.dofs)] = 1
        self.column = np.array(b.array_r)
        b.destroy()

    def slope(self, direction: Any, scalar: float) -> float:
        """Change of the current along a direction of the potential and of that of the metal."""
        ions, driven = self.ions, self.driven
        if self._gradient is not None:
            # the rate depends on metal minus electrolyte, and shape functions sum to one
            return float(self._gradient.dot(direction) - scalar * self._gradient.sum())
        change = ions.change(direction)
        found = float(change.array_r[ions.own(driven.dofs)].sum())
        change.destroy()
        return ions.everywhere(found)


class CoupledMatrix:
    """The whole matrix and its factorisation.

    Args:
        layer: Vertices of the interface.
        ions: The electrolyte.
        names: Of its lithium electrodes.
    """

    def __init__(self, layer: InterfaceMap, ions: ElectricSystem, names: tuple[str, ...]) -> None:
        self.body, self.ions = layer.body, ions
        self.layout = Layout(self.body, ions, len(layer.nodes))
        self.mechanics = BodyCoupling(layer)
        stress = self.body.problem.modulus
        self.kinetics = [IonCoupling(ions, ions.terminal(n), layer.nodes, stress) for n in names]
        self._pattern: Pattern | None = None
        self.ksp: Any = None

    def factorise(self, gain: Floats, tangent: Floats) -> None:
        """Assemble at the last evaluation and factorise (collective).

        Args:
            gain: k of the vertices, shape (n,).
            tangent: Of the deviatoric law at points [Pa].

        Raises:
            SolverError: On every rank.
        """
        parts = [*self._of_body(tangent), *self._of_ions(gain), *self._of_interface()]
        if self._pattern is None:
            rows, columns = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
            self._pattern = Pattern(self.layout, rows, columns)
        self._pattern.fill(np.concatenate([part[2] for part in parts]))
        if self.ksp is None:
            self.ksp = indefinite_lu(self._pattern.matrix)
        self.ksp.setOperators(self._pattern.matrix)
        try:
            self.ksp.setUp()
        except PETSc.Error as error:
            self.release()
            raise SolverError(f"the coupled tangent could not be factorised: {error}") from error

    def border(self) -> Border:
        """The equation of a given current at the state of the electrolyte (collective)."""
        return Border(self.ions)

    def release(self) -> None:
        """Forget the factorisation."""
        if self.ksp is not None:
            self.ksp.destroy()
        self.ksp = None

    def _of_interface(self) -> Blocks:
        n = np.arange(self.layout.n if self.layout.comm.rank == 0 else 0)
        yield self.layout.of_s(n), self.layout.of_s(n), -np.ones(len(n))
        yield self.layout.of_h(n), self.layout.of_h(n), np.ones(len(n))

    def _of_body(self, tangent: Floats) -> Blocks:
        body, layout, parts = self.body, self.layout, self.mechanics
        A = body.matrix
        A.zeroEntries()
        assemble_matrix(A, body.jacobian, bcs=body.bcs)
        A.assemble()
        if body.nodal.bound:
            body.nodal.add_stiffness(A, body.nodal.evaluate(body.w.x.array))
            A.assemble()
        pointer, columns, values = A.getValuesCSR()
        first = A.getOwnershipRange()[0]
        rows = np.repeat(np.arange(len(pointer) - 1), np.diff(pointer)) + first
        yield layout.of_w(rows), layout.of_w(np.asarray(columns, np.int64)), values
        forces = parts.forces()
        C = parts.stresses(forces)
        v = np.broadcast_to(parts.vertices[:, :, None], forces.shape).reshape(-1)
        w = np.broadcast_to(parts.columns[:, None, :], forces.shape).reshape(-1)
        yield layout.of_s(v), layout.of_w(w), C.reshape(-1)
        held = self._held(w)
        yield np.where(held, -1, layout.of_w(w)), layout.of_h(v), -forces.reshape(-1)
        D = parts.stiffness(tangent)
        v = np.broadcast_to(parts.vertices[:, :, None], D.shape).reshape(-1)
        u = np.broadcast_to(parts.vertices[:, None, :], D.shape).reshape(-1)
        yield layout.of_s(v), layout.of_h(u), D.reshape(-1)

    def _held(self, numbers: Ints) -> NDArray[np.bool_]:
        """Which global unknowns of the body are prescribed."""
        body = self.body
        index = body.W.dofmap.index_map
        held = index.local_to_global(body.fixed.astype(np.int32))
        return np.isin(numbers, held)

    def _of_ions(self, gain: Floats) -> Blocks:
        ions, layout = self.ions, self.layout
        E = ions.linearised()
        first = E.getOwnershipRange()[0]
        rows, columns, values = _entries(E)
        yield layout.of_phi(rows + first), layout.of_phi(columns), values
        for k in self.kinetics:
            G, P, Q = (assemble_matrix(form) for form in k.forms)
            for A in (G, P, Q):
                A.assemble()
            rows, columns, values = _entries(G)
            v = k.vertex[columns]
            to = np.where(k.fixed[rows] | (v < 0), -1, layout.of_phi(rows + k.phi_first))
            yield to, layout.of_s(v), values * k.scale
            rows, columns, values = _entries(P)
            v = k.vertex[rows + k.first]
            yield np.where(v < 0, -1, layout.of_h(v)), layout.of_phi(columns), values * gain[v]
            rows, columns, values = _entries(Q)
            v, u = k.vertex[rows + k.first], k.vertex[columns]
            to = np.where((v < 0) | (u < 0), -1, layout.of_h(v))
            yield to, layout.of_s(u), values * gain[v] * k.scale
