"""Every branch on the version of DOLFINx (0.9, 0.10, 0.11) lives here and nowhere else."""

from __future__ import annotations

import inspect
from typing import Any

import dolfinx
import numpy as np
from numpy.typing import NDArray

VERSION = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])


def check_version() -> None:
    """Raise ImportError when DOLFINx is outside the supported range."""
    if not (0, 9) <= VERSION < (0, 12):
        raise ImportError(
            f"ssbmech supports DOLFINx 0.9 to 0.11, and {dolfinx.__version__} is installed"
        )


def shared_facet_partitioner() -> Any:
    """Partitioner whose ghosts share a facet: interior-facet integrals close across ranks."""
    from dolfinx.mesh import GhostMode, create_cell_partitioner

    wanted = inspect.signature(create_cell_partitioner).parameters if VERSION >= (0, 11) else {}
    try:
        return create_cell_partitioner(GhostMode.shared_facet)
    except TypeError:
        # 0.11 asks for the largest number of cells at a facet as well
        if wanted and len(wanted) < 2:
            raise
        return create_cell_partitioner(GhostMode.shared_facet, 2)


def stored_partitioner(ranks: NDArray[np.int32], starts: NDArray[np.int32]) -> Any:
    """Partitioner that gives the ranks that hold each of this rank's cells, the owner first.

    The list is a C++ object up to 0.9 and wraps one from 0.10 on; DOLFINx asks for the former.

    Args:
        ranks: For one cell after the other, shape (m,).
        starts: Where those of each cell begin, shape (n_cells + 1,).
    """
    from dolfinx.graph import adjacencylist

    made = adjacencylist(
        np.ascontiguousarray(ranks, dtype=np.int32), np.ascontiguousarray(starts, dtype=np.int32)
    )
    found = getattr(made, "_cpp_object", made)
    return lambda *_: found


def create_mesh(
    comm: Any,
    cells: NDArray,
    points: NDArray,
    element: Any,
    *,
    destinations: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None,
) -> Any:
    """Distribute a mesh whose cells and points are given on any rank.

    The order of ``x`` and ``e`` changed between 0.9 and 0.10; the keywords did not.

    Args:
        comm: MPI communicator.
        cells: Nodes of this rank's cells by global number, in Basix's order.
        points: Coordinates of this rank's nodes; global numbers go on from rank to rank.
        element: Element of the coordinates.
        destinations: For `stored_partitioner`; DOLFINx makes a partition without them.
    """
    from dolfinx.mesh import create_mesh as create

    partitioner = (
        shared_facet_partitioner() if destinations is None else stored_partitioner(*destinations)
    )
    return create(comm, cells=cells, x=points, e=element, partitioner=partitioner)


def geometry_dofmap(mesh: Any) -> NDArray[np.int32]:
    """Geometry nodes of every local and ghost cell, shape (n_cells, nodes per cell)."""
    geometry = mesh.geometry
    return geometry.dofmaps(0) if VERSION >= (0, 11) else geometry.dofmap
