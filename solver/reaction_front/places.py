"""Where lithium and the counter electrode are, and where a layer comes to the end (collective)."""

from __future__ import annotations

from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from ssbmech.domain import facet_cells
from ssbmech.reaction_front.problem import FrontProblem

Floats = NDArray[np.float64]
#: Share of the layer below which a place counts as electrolyte, and above which as layer.
ELECTROLYTE, LAYER = 0.02, 0.98


def counter_vertices(problem: FrontProblem, space: Any) -> NDArray[np.int32]:
    """Vertices on the counter electrode, numbers in a space of linear functions."""
    domain = problem.domain
    if not problem.counter:
        return np.empty(0, np.int32)
    facets = np.unique(np.concatenate([domain.facets(g) for g in problem.counter]))
    found: NDArray[np.int32] = fem.locate_dofs_topological(space, domain.tdim - 1, facets)
    return found


def reached(problem: FrontProblem, share: Floats, counter: NDArray[np.int32]) -> float:
    """How far a layer has come to the end of its electrolyte, 1 when it is there (collective).

    The share of the layer on the counter electrode, or where there is least of it, over that which
    still counts as electrolyte.

    Args:
        problem: The front.
        share: Of the layer at local and ghost vertices.
        counter: Those on the counter electrode.
    """
    comm = problem.domain.comm
    most = max(comm.allgather(float(share[counter].max(initial=0.0))))
    least = min(comm.allgather(float(share.min(initial=1.0))))
    return max(most, least) / ELECTROLYTE


def used_up(problem: FrontProblem, share: Floats, counter: NDArray[np.int32]) -> str:
    """Where a layer has come to the end of its electrolyte; "" where it has not (collective)."""
    if reached(problem, share, counter) <= 1.0:
        return ""
    comm = problem.domain.comm
    if max(comm.allgather(float(share[counter].max(initial=0.0)))) > ELECTROLYTE:
        names = ", ".join(problem.counter)
        return f"the front has reached the counter electrode ({names}), and would short the cell"
    return "the layer has used up the electrolyte"


def lithium_segments(domain: Any, groups: tuple[str, ...]) -> Floats:
    """Facets of lithium as pairs of points, of all ranks, (m, 2, 2), non-dimensional."""
    facets = np.unique(np.concatenate([domain.facets(g) for g in groups])).astype(np.int32)
    owned = facets[facets < domain.mesh.topology.index_map(domain.tdim - 1).size_local]
    _, _, nodes = facet_cells(domain.mesh, owned)
    x = domain.mesh.geometry.x[nodes][:, :, :2]
    found: Floats = np.concatenate(domain.comm.allgather(x.reshape(-1, 2, 2)))
    return found
