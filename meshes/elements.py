"""Simplex tables and array operations on whole meshes: facets, orientation, second order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Gmsh's node order (see MeshData): edges of a simplex in the order of its mid-side nodes.
EDGES: dict[int, list[tuple[int, int]]] = {
    1: [(0, 1)],
    2: [(0, 1), (1, 2), (2, 0)],
    3: [(0, 1), (1, 2), (2, 0), (3, 0), (2, 3), (1, 3)],
}
# Facets of a simplex, with mid-side nodes in the order of a first-class facet.
FACETS: dict[tuple[int, int], list[list[int]]] = {
    (2, 1): [[0, 1], [1, 2], [2, 0]],
    (2, 2): [[0, 1, 3], [1, 2, 4], [2, 0, 5]],
    (3, 1): [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]],
    (3, 2): [[0, 1, 2, 4, 5, 6], [0, 1, 3, 4, 9, 7], [0, 2, 3, 6, 8, 7], [1, 2, 3, 5, 8, 9]],
}
NODES: dict[tuple[int, int], int] = {
    (0, 1): 1,
    (0, 2): 1,
    (1, 1): 2,
    (1, 2): 3,
    (2, 1): 3,
    (2, 2): 6,
    (3, 1): 4,
    (3, 2): 10,
}
# Swapping vertices 0 and 1 turns a cell inside out; these are the node orders that do it.
_SWAP: dict[tuple[int, int], list[int]] = {
    (2, 1): [1, 0, 2],
    (2, 2): [1, 0, 2, 3, 5, 4],
    (3, 1): [1, 0, 2, 3],
    (3, 2): [1, 0, 2, 3, 4, 6, 5, 9, 8, 7],
}


def keys(vertices: Ints, n_points: int) -> Ints:
    """One integer per row of node numbers, the same for every order of the row.

    Args:
        vertices: Shape (m, 1), (m, 2) or (m, 3).
        n_points: Larger than every node number.
    """
    rows = np.sort(vertices, axis=1)
    key = rows[:, 0].astype(np.int64)
    for column in range(1, rows.shape[1]):
        if column == 2 and n_points > 2_000_000:  # n^3 would not fit into 63 bits
            # Compressed numbers compare only within this call.
            key = np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)
        key = key * n_points + rows[:, column]
    return key


def cell_facets(cells: Ints, dim: int, order: int) -> Ints:
    """All facets of all cells, shape (n_cells * (dim + 1), nodes per facet), cell by cell."""
    table = np.array(FACETS[dim, order])
    return cells[:, table].reshape(-1, table.shape[1])


def signed_measure(points: Floats, cells: Ints, dim: int) -> Floats:
    """Signed area or volume [um^dim] of the straight simplices through the vertices."""
    p = points[cells[:, : dim + 1], :dim]
    edges = p[:, 1:] - p[:, :1]
    return np.linalg.det(edges) / (2.0 if dim == 2 else 6.0)


def orient(points: Floats, cells: Ints, dim: int, order: int) -> Ints:
    """Cells with the inside-out ones turned (vertex order only; shapes stay)."""
    cells = cells.copy()
    wrong = signed_measure(points, cells, dim) < 0
    cells[wrong] = cells[wrong][:, _SWAP[dim, order]]
    return cells


def elevate(
    points: Floats,
    cells: Ints,
    facets: Ints,
    dim: int,
    middle: Callable[[Ints], Floats] | None = None,
) -> tuple[Floats, Ints, Ints]:
    """First-order simplices to second order.

    Args:
        points: Shape (n, 3).
        cells: Shape (m, dim + 1).
        facets: Shape (k, dim).
        dim: 2 or 3.
        middle: Gives the mid-side nodes of edges (pairs of nodes, shape (e, 2)), shape (e, 3);
            straight edges without it.

    Returns:
        Points with the mid-side nodes appended, second-order cells and facets.
    """
    n = len(points)
    edge_rows = np.array(EDGES[dim])
    facet_rows = np.array(EDGES[dim - 1])
    all_edges = np.concatenate(
        [cells[:, edge_rows].reshape(-1, 2), facets[:, facet_rows].reshape(-1, 2)]
    )
    unique, first, inverse = np.unique(keys(all_edges, n), return_index=True, return_inverse=True)
    del unique
    edges = np.sort(all_edges[first], axis=1)
    mids = points[edges].mean(axis=1) if middle is None else middle(edges)
    numbers = n + inverse.reshape(-1)
    split = len(cells) * len(edge_rows)
    cells2 = np.hstack([cells, numbers[:split].reshape(len(cells), -1)])
    facets2 = np.hstack([facets, numbers[split:].reshape(len(facets), -1)])
    return np.vstack([points, mids]), cells2, facets2


def quarter_point(points: Floats, cells: Ints, front: Ints, dim: int) -> Floats:
    """Points with the mid-side nodes of edges that leave the front moved to the quarter.

    The edges of second-order cells from a front vertex to a vertex off the front get
    their middle node at 1/4 of the way from the front: displacement then goes as sqrt(r).

    Args:
        points: Shape (n, 3).
        cells: Second-order cells.
        front: Front vertex numbers.
        dim: 2 or 3.
    """
    moved = points.copy()
    on = np.zeros(len(points), dtype=bool)
    on[front] = True
    for k, (i, j) in enumerate(EDGES[dim]):
        for start, end in ((i, j), (j, i)):
            rows = on[cells[:, start]] & ~on[cells[:, end]]
            tip, other, mid = cells[rows, start], cells[rows, end], cells[rows, dim + 1 + k]
            moved[mid] = 0.75 * points[tip] + 0.25 * points[other]
    return moved


def compact(points: Floats, *arrays: Ints) -> tuple[Floats, list[Ints], Ints]:
    """Points without those that the first array (the cells) does not use, arrays renumbered.

    Returns:
        Points, renumbered arrays, and the old number of every kept point.
    """
    used = np.unique(arrays[0])
    number = np.full(len(points), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    return points[used], [number[a] for a in arrays], used
