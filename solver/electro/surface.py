"""What changes on an electrode between solves, at the vertices of its surface; its current there.

Two fields of an electrode, linear between vertices: the normal stress sigma_n [Pa], and the
activity, the share of the surface that is in contact, by which the rate is multiplied. Vertices are
named by the file's node numbers of the whole mesh, so that a mechanical problem on another part of
the mesh, distributed in another way, can give and take them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector, interpolation_matrix
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.domain import vertex_nodes
from ssbmech.errors import SolverError

if TYPE_CHECKING:
    from ssbmech.electro.system import ElectricSystem
    from ssbmech.electro.terminals import Terminal


class SurfaceFields:
    """Normal stress and activity of one electrode.

    Args:
        space: Linear functions on the mesh.
        scale: Shift of the equilibrium over RT/F per Pa of normal stress.
    """

    def __init__(self, space: Any, scale: float) -> None:
        self.space, self.scale = space, scale
        self.shift = fem.Function(space, name="stress_shift")
        self.activity = fem.Function(space, name="activity")
        self.activity.x.array[:] = 1.0


class SurfaceCurrent:
    """Current density of an electrode at the vertices of its surface (made collectively).

    The current of a vertex is the integral of the rate times its hat function; without kinetics it
    is the reaction to that function (the variational flux). Hat functions sum to one, and so the
    currents of the vertices to that of the electrode, whatever the mesh is.
    """

    def __init__(self, system: ElectricSystem, terminal: Terminal) -> None:
        self.system, self.terminal = system, terminal
        domain, frame = system.problem.domain, system.frame
        measure = frame.on(terminal.electrode)
        v = ufl.TestFunction(frame.linear)
        areas = self._summed(fem.form(frame.constant(1.0) * v * frame.w * measure))
        self.rows = np.flatnonzero(areas > 0)
        ids = vertex_ids(system)[self.rows]
        self._form = self._prolongation = None
        if terminal.rate is not None:
            self._form = fem.form(terminal.rate * v * frame.w * measure)
        else:
            self._prolongation = interpolation_matrix(frame.linear, system.V)
            self._prolongation.assemble()
        comm = domain.comm
        every = np.concatenate(comm.allgather(ids))
        self.ids, self._place = np.unique(every, return_inverse=True)
        self.area = self._gathered(areas[self.rows])

    def _summed(self, form: Any) -> NDArray[np.float64]:
        b = assemble_vector(form)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        values = np.array(b.array_r)
        b.destroy()
        return values

    def _gathered(self, mine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over all ranks and over all nodes with one number in the file."""
        every = np.concatenate(self.system.problem.domain.comm.allgather(mine))
        return np.bincount(self._place, every, len(self.ids)).astype(float)

    def currents(self) -> NDArray[np.float64]:
        """Current of each of ``ids`` at the system's state, anodic positive, non-dimensional."""
        if self._form is not None:
            return self._gathered(self._summed(self._form)[self.rows])
        system = self.system
        reaction = system.reactions()
        own = np.zeros(system.owned, bool)
        dofs = self.terminal.dofs
        own[dofs[dofs < system.owned]] = True
        reaction.array[~own] = 0
        assert self._prolongation is not None
        found = self._prolongation.createVecRight()
        self._prolongation.multTranspose(reaction, found)
        mine = np.array(found.array_r)[self.rows]
        reaction.destroy()
        found.destroy()
        return self._gathered(mine)


def vertex_ids(system: ElectricSystem) -> NDArray[np.int64]:
    """Node number in the whole mesh of every local and ghost unknown of the linear functions."""
    p, space = system.problem, system.frame.linear
    index = space.dofmap.index_map
    nodes = np.empty(index.size_local + index.num_ghosts, np.int64)
    nodes[space.dofmap.list.reshape(-1)] = vertex_nodes(p.domain.mesh).reshape(-1)
    ids = p.domain.node_ids[nodes]
    return np.asarray(ids if p.nodes is None else p.nodes[ids])


def put(
    system: ElectricSystem,
    current: SurfaceCurrent,
    fields: SurfaceFields,
    vertices: NDArray[np.integer],
    normal_stress: NDArray[np.float64] | float | None,
    activity: NDArray[np.float64] | float | None,
) -> None:
    """Set fields at vertices of a surface (collective); see `ElectricSystem.set_surface`.

    Raises:
        SolverError: On every rank, for vertices that are not of the surface or impossible values.
    """
    comm, name = system.problem.domain.comm, current.terminal.electrode.name
    ids = np.concatenate(comm.allgather(np.asarray(vertices, np.int64).reshape(-1)))
    strange = np.setdiff1d(ids, current.ids)
    if strange.size:
        raise SolverError(
            f"{strange.size} vertices are not on the surface of the electrode {name!r}; the first "
            f"is node {strange[0]}", key="vertex_ids",
        )  # fmt: skip
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    local = vertex_ids(system)
    at = np.searchsorted(ids, local)
    hit = np.flatnonzero(np.isin(local, ids))
    for what, given, field, scale in (
        ("normal_stress", normal_stress, fields.shift, fields.scale),
        ("activity", activity, fields.activity, 1.0),
    ):
        if given is None:
            continue
        mine = np.broadcast_to(np.asarray(given, float), (np.size(vertices),))
        values = np.concatenate(comm.allgather(mine))[order]
        low, high = (0.0, 1.0) if what == "activity" else (-np.inf, np.inf)
        bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
        if bad.any():
            raise SolverError(
                f"the {what} of the electrode {name!r} is impossible at {int(bad.sum())} vertices",
                key=what, value=float(values[bad][0]),
                allowed="0 to 1" if what == "activity" else "finite values [Pa]",
            )  # fmt: skip
        field.x.array[hit] = values[at[hit]] * scale
