"""The state of a body as plain arrays in an order that does not depend on the number of ranks.

Cells come in the order of the mesh file; inside a cell nodes and quadrature points have the places
that they have in the reference cell, which follow from the order of its vertices in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import SolverError
from ssbmech.lithium.points import PointState
from ssbmech.parallel import bcast_array, on_root

if TYPE_CHECKING:
    from ssbmech.lithium.system import BodySystem

Arrays = dict[str, NDArray[Any]]

_POINTS = ("plastic", "state", "slip", "stored", "dissipated")


def save(system: BodySystem) -> Arrays:
    """The accepted state (collective).

    Args:
        system: The body.

    Returns:
        On rank 0 everything that `load` needs, SI and whole; empty on other ranks.
    """
    domain = system.problem.domain
    original = np.asarray(domain.mesh.topology.original_cell_index)
    owned = domain.mesh.topology.index_map(domain.tdim).size_local
    table = _Table(system, slice(owned))
    u, p = _unknowns(system.accepted, table)
    du, dp = _unknowns(system.rate, table)
    kept = {
        "displacement": _whole(domain.comm, original[:owned], u * domain.length),
        "mean_stress": _whole(domain.comm, original[:owned], p * system.problem.modulus),
        "velocity": _whole(domain.comm, original[:owned], du * domain.length),
        "mean_stress_rate": _whole(domain.comm, original[:owned], dp * system.problem.modulus),
        "forces": _whole(domain.comm, original[:owned], _forces(system, table)),
    }
    mine = system.flow_cells < owned
    cells = original[system.flow_cells[mine]]
    for name in _POINTS:
        values = getattr(system.points.accepted, name)
        # the width is said, because a rank may have no flowing cells
        width = int(np.prod(values.shape[1:])) * system.quadrature.per_cell
        per_cell = values.reshape(len(system.flow_cells), width)[mine]
        kept[name] = _whole(domain.comm, cells, per_cell)
    for group, tensors in system.growth.parts.items():
        kept[f"growth:{group}"] = _whole(domain.comm, cells, tensors.reshape(-1, 9)[mine])
    kept["clock"] = np.array([system.time, float(system.rated), system.stored])
    return kept if domain.comm.rank == 0 else {}


def load(system: BodySystem, arrays: Arrays) -> None:
    """Take over what `save` gave, on any number of ranks (collective).

    Args:
        system: A body of the same problem.
        arrays: On rank 0; ignored elsewhere.

    Raises:
        SolverError: On every rank, for a state of another mesh or another problem.
    """
    domain, comm = system.problem.domain, system.problem.domain.comm
    wanted = _names(system)
    owned = domain.mesh.topology.index_map(domain.tdim).size_local
    flowing = comm.allreduce(int(np.sum(system.flow_cells < owned)))
    on_root(comm, lambda: _check(system, arrays, wanted, flowing))
    whole = {name: bcast_array(comm, arrays[name] if comm.rank == 0 else None) for name in wanted}
    original = np.asarray(domain.mesh.topology.original_cell_index)
    table = _Table(system)
    stress, length = system.problem.modulus, domain.length
    system.accepted = _fill(
        system, table, whole["displacement"][original] / length,
        whole["mean_stress"][original] / stress,
    )  # fmt: skip
    system.rate = _fill(
        system, table, whole["velocity"][original] / length,
        whole["mean_stress_rate"][original] / stress,
    )  # fmt: skip
    forces = _fill(system, table, whole["forces"][original], None)
    place = _row_of(domain, system)[original[system.flow_cells]]
    old = system.points.accepted
    system.points.accepted = PointState(
        **{name: whole[name][place].reshape(getattr(old, name).shape) for name in _POINTS}
    )
    parts = {
        group: whole[f"growth:{group}"][place].reshape(-1, 3, 3) for group in system.growth.parts
    }
    system.growth.restore(parts)
    clock = whole["clock"]
    system.resume(float(clock[0]), bool(clock[1]), float(clock[2]), forces[: system.owned])


def _names(system: BodySystem) -> list[str]:
    fixed = ["displacement", "mean_stress", "velocity", "mean_stress_rate", "forces", "clock"]
    return [*fixed, *_POINTS, *(f"growth:{group}" for group in system.growth.parts)]


def _check(system: BodySystem, arrays: Arrays, wanted: list[str], flowing: int) -> None:
    lacking = [name for name in wanted if name not in arrays]
    if lacking:
        raise SolverError(
            f"the state of the body lacks {lacking[0]!r}", key="checkpoint",
            hint="It was written for another problem or by another version",
        )  # fmt: skip
    topology, dim = system.problem.domain.mesh.topology, system.problem.domain.tdim
    cells = topology.index_map(dim).size_global
    if len(arrays["displacement"]) != cells:
        raise SolverError(
            f"the state of the body has {len(arrays['displacement'])} cells and the mesh {cells}",
            key="checkpoint", hint="It belongs to another mesh",
        )  # fmt: skip
    for name in _POINTS:
        width = int(np.prod(getattr(system.points.accepted, name).shape[1:]))
        shape = (flowing, width * system.quadrature.per_cell)
        if arrays[name].shape != shape:
            raise SolverError(
                f"the state of the body has {name!r} of shape {arrays[name].shape} and not {shape}",
                key="checkpoint", hint="It was written for another problem",
            )  # fmt: skip


class _Table:
    """Unknowns of every cell: of the displacement (c, nodes, dim) and of p (c, vertices)."""

    def __init__(self, system: BodySystem, cells: slice = slice(None)) -> None:
        where = system.where.reshape(-1, system.problem.dim)
        self.u = where[system.V.dofmap.list[cells]]
        self.p = system.q_where[system.Q.dofmap.list[cells]]


def _unknowns(x: NDArray, table: _Table) -> tuple[NDArray, NDArray]:
    n = len(table.u)
    return x[table.u].reshape(n, -1), x[table.p].reshape(n, -1)


def _fill(system: BodySystem, table: _Table, u: NDArray, p: NDArray | None) -> NDArray:
    x = np.zeros_like(system.accepted)
    x[table.u] = u.reshape(table.u.shape)
    if p is not None:
        x[table.p] = p.reshape(table.p.shape)
    return x


def _forces(system: BodySystem, table: _Table) -> NDArray:
    """Nodal forces in every cell that has the node: owners give them to ghosts first."""
    from dolfinx import fem

    f = fem.Function(system.W)
    f.x.array[: system.owned] = system.trial_forces
    f.x.scatter_forward()
    return _unknowns(f.x.array, table)[0]


def _row_of(domain: Any, system: BodySystem) -> NDArray[np.int64]:
    """Row of each flowing cell of the mesh file in the arrays of points."""
    of_cell = np.zeros(domain.mesh.topology.index_map(domain.tdim).size_global, np.int64)
    original = np.asarray(domain.mesh.topology.original_cell_index)
    of_cell[original[system.flow_cells]] = 1
    total = np.empty_like(of_cell)
    domain.comm.Allreduce(of_cell, total)
    return np.cumsum(total > 0) - 1


def _whole(comm: Any, index: NDArray, values: NDArray) -> NDArray:
    """Rows of all ranks in the order of ``index``, on rank 0."""
    parts = comm.gather((np.asarray(index), np.ascontiguousarray(values)), root=0)
    if comm.rank:
        return np.empty(0)
    order = np.argsort(np.concatenate([part[0] for part in parts]), kind="stable")
    return np.concatenate([part[1] for part in parts])[order]
