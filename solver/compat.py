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


def create_mesh(comm: Any, cells: NDArray, points: NDArray, element: Any) -> Any:
    """Distribute a mesh whose cells and points are given on any rank.

    The order of ``x`` and ``e`` changed between 0.9 and 0.10; the keywords did not.
    """
    from dolfinx.mesh import create_mesh as create

    return create(comm, cells=cells, x=points, e=element, partitioner=shared_facet_partitioner())


def geometry_dofmap(mesh: Any) -> NDArray[np.int32]:
    """Geometry nodes of every local and ghost cell, shape (n_cells, nodes per cell)."""
    geometry = mesh.geometry
    return geometry.dofmaps(0) if VERSION >= (0, 11) else geometry.dofmap
