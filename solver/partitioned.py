"""From the parts of a mesh on disk to a distributed DOLFINx mesh; no rank holds the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dolfinx
import numpy as np
from numpy.typing import NDArray
from ssbmech import compat
from ssbmech.domain import (
    GMSH_TO_BASIX,
    Domain,
    FrontLine,
    cell_facets,
    coordinate_element,
    vertex_nodes,
)
from ssbmech.errors import MeshError
from ssbmech.meshes.partition import Header, Piece, read_header, read_parts, read_whole
from ssbmech.parallel import on_root, together


def distribute_parts(comm: Any, folder: str | Path, *, length: float | None = None) -> Domain:
    """Distribute a mesh that was written in parts.

    Every rank reads its own parts alone. With as many ranks as parts the stored partition is kept;
    otherwise DOLFINx makes one. What belongs to cells, nodes and facets is fetched from the rank
    that read it, so memory does not grow with the whole mesh.

    Args:
        comm: MPI communicator.
        folder: From `ssbmech.meshes.partition.write_partitioned`.
        length: Reference length [m]; the size of the body without it.

    Returns:
        The same as `ssbmech.domain.distribute` gives, but for the numbering of cells.

    Raises:
        MeshError: On every rank, for missing or damaged parts or a tagged facet of no cell.
    """
    compat.check_version()
    header, fronts, orientations = on_root(comm, lambda: _head(Path(folder)))
    length = header.length if length is None else length
    dim = header.dim
    first, last = (header.parts * r // comm.size for r in (comm.rank, comm.rank + 1))
    piece = together(comm, lambda: read_parts(header, first, last))
    cells = np.ascontiguousarray(piece.cells[:, GMSH_TO_BASIX[dim, header.order]])
    points = np.ascontiguousarray(piece.points[:, :dim] * (1e-6 / length))
    kept = (piece.ghosts, piece.ghost_starts) if comm.size == header.parts else None
    mesh = compat.create_mesh(
        comm, cells, points, coordinate_element(dim, header.order), destinations=kept
    )
    del cells, points

    original = np.asarray(mesh.topology.original_cell_index)
    starts = _starts(comm, len(piece.cells))
    both = np.stack([piece.cell_tags, piece.grains], axis=1)
    marks = fetch(comm, starts, both, original)
    local = np.arange(original.size, dtype=np.int32)
    node_ids = np.asarray(mesh.geometry.input_global_indices)
    return Domain(
        mesh=mesh,
        length=length,
        cell_tags=dolfinx.mesh.meshtags(mesh, dim, local, np.ascontiguousarray(marks[:, 0])),
        facet_tags=_tag_facets(mesh, node_ids, piece),
        cell_groups=dict(header.cell_groups),
        facet_groups=dict(header.facet_groups),
        fronts={
            name: FrontLine(ids, xyz * (1e-6 / length), edges)
            for name, (ids, xyz, edges) in fronts.items()
        },
        node_ids=node_ids,
        grains=np.ascontiguousarray(marks[:, 1]) if header.has_grains else None,
        orientations=orientations,
    )


def fetch(comm: Any, starts: NDArray[np.int64], mine: NDArray, wanted: NDArray) -> NDArray:
    """Rows of an array that lies in blocks on the ranks; collective.

    Args:
        comm: MPI communicator.
        starts: First global row of each rank and the number of all rows, shape (size + 1,).
        mine: This rank's rows, shape (n, ...).
        wanted: Global row numbers, in any order, shape (k,).

    Returns:
        The wanted rows, shape (k, ...).
    """
    owner = np.searchsorted(starts, wanted, side="right") - 1
    order = np.argsort(owner, kind="stable")
    sent = np.bincount(owner, minlength=comm.size).astype(np.int32)
    asked, received = exchange(comm, np.asarray(wanted, np.int64)[order], sent)
    answers, _ = exchange(comm, mine[asked - starts[comm.rank]], received)
    out = np.empty_like(answers)
    out[order] = answers
    return out


def exchange(comm: Any, rows: NDArray, sent: NDArray[np.int32]) -> tuple[NDArray, NDArray]:
    """Send rows to all ranks; collective.

    Args:
        comm: MPI communicator.
        rows: Those for rank 0, then those for rank 1, and so on, shape (n, ...).
        sent: How many for each rank.

    Returns:
        The rows received from rank 0, rank 1, ..., and how many from each.
    """
    received = np.empty_like(sent)
    comm.Alltoall(sent, received)
    out = np.empty((int(received.sum()), *rows.shape[1:]), dtype=rows.dtype)
    width = int(np.prod(rows.shape[1:], dtype=np.int64))
    flat = np.ascontiguousarray(rows)
    comm.Alltoallv([flat, sent * width], [out, received * width])
    return out, received


def _head(folder: Path) -> tuple[Header, dict[str, tuple], NDArray | None]:
    """What rank 0 reads for all: the header, fronts as in `FrontLine` [um], orientations."""
    header = read_header(folder)
    whole, orientations = read_whole(header)
    fronts = {}
    for name, (nodes, xyz) in whole.items():
        ids = np.unique(nodes)
        edges = np.searchsorted(ids, nodes) if header.dim == 3 else np.empty((0, 2), np.int64)
        fronts[name] = (ids, xyz, edges)
    return header, fronts, orientations


def _starts(comm: Any, n: int) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(comm.allgather(n))).astype(np.int64)


def _tag_facets(mesh: Any, node_ids: NDArray, piece: Piece) -> Any:
    """Ask the rank that has the slab of a facet's smallest node whether it is tagged."""
    comm, dim = mesh.comm, mesh.topology.dim
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim, dim - 1)
    starts = _starts(comm, len(piece.points))
    tagged_node = fetch(comm, starts, piece.tagged.astype(np.uint8), node_ids) > 0
    nodes_of = vertex_nodes(mesh)
    cells, local = np.nonzero(tagged_node[nodes_of][:, cell_facets(dim)].all(axis=2))
    table = mesh.topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)
    facets, once = np.unique(table[cells, local], return_index=True)
    rows = np.sort(node_ids[nodes_of[cells[once, None], cell_facets(dim)[local[once]]]], axis=1)
    owner = np.searchsorted(starts, rows[:, 0], side="right") - 1
    order = np.argsort(owner, kind="stable")
    sent = np.bincount(owner, minlength=comm.size).astype(np.int32)
    asked, received = exchange(comm, rows[order], sent)

    entry = _find(piece.facets, asked)
    tag_of = np.append(piece.facet_tags, 0)  # the last one: not tagged
    answers, _ = exchange(comm, tag_of[entry].astype(np.int32), received)
    values = np.empty(len(rows), dtype=np.int32)
    values[order] = answers
    seen = np.zeros(len(piece.facets) + 1, dtype=bool)
    seen[entry] = True
    _refuse_lost(comm, piece, np.flatnonzero(~seen[:-1]))
    hit = values > 0
    return dolfinx.mesh.meshtags(mesh, dim - 1, facets[hit].astype(np.int32), values[hit])


def _find(known: NDArray, wanted: NDArray) -> NDArray:
    """Row of ``known`` for each row of ``wanted``, -1 for none."""
    both = np.ascontiguousarray(np.concatenate([known, wanted]))
    _, key = np.unique(both, axis=0, return_inverse=True)
    key = key.reshape(-1)
    entry = np.full(key.max(initial=-1) + 1, -1)
    entry[key[: len(known)]] = np.arange(len(known))
    return entry[key[len(known) :]]


def _refuse_lost(comm: Any, piece: Piece, lost: NDArray) -> None:
    """Raise on every rank when a tagged facet belongs to no cell."""
    first = piece.facets[lost[0]].tolist() if len(lost) else None
    found = comm.allgather((len(lost), first))
    total = sum(n for n, _ in found)
    if total:
        nodes = next(row for _, row in found if row is not None)
        raise MeshError(
            f"{total} tagged facets belong to no cell; the first has the nodes {nodes}",
            hint="Save the mesh with its volume cells and surfaces from one meshing run",
        )
