"""Simplex tables and array operations on whole meshes: facets, orientation, second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError

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


def are_facets(facets: Ints, cells: Ints, dim: int, order: int, n_points: int) -> Any:
    """Which rows of facets are facets of the cells, shape (k,)."""
    every = cell_facets(cells, dim, order)[:, :dim]
    both = keys(np.concatenate([every, facets[:, :dim]]), n_points)
    return np.isin(both[len(every) :], both[: len(every)])


def meetings(facets: Ints) -> Ints:
    """Points (2-D, shape (k, 1)) or edges (3-D, shape (k, 2)) of three facets or more."""
    if facets.shape[1] == 2:
        nodes, count = np.unique(facets, return_counts=True)
        return np.asarray(nodes[count > 2][:, None])
    edges = np.sort(np.concatenate([facets[:, [i, j]] for i, j in EDGES[2]]), axis=1)
    rows, count = np.unique(edges, axis=0, return_counts=True)
    return np.asarray(rows[count > 2])


def signed_measure(points: Floats, cells: Ints, dim: int) -> Floats:
    """Signed area or volume [um^dim] of the straight simplices through the vertices."""
    p = points[cells[:, : dim + 1], :dim]
    edges = p[:, 1:] - p[:, :1]
    return np.asarray(determinant(edges) / (2.0 if dim == 2 else 6.0), dtype=float)


def jacobians(points: Floats, cells: Ints, dim: int, order: int) -> Floats:
    """Jacobian determinants at the nodes and the centroid, shape (n_cells, samples) [um^dim].

    A quarter-point cell has a zero at its front vertices, which is not a fault there.
    """
    if order == 1:
        return signed_measure(points, cells, dim)[:, None] * (2.0 if dim == 2 else 6.0)
    gradient = np.vstack([-np.ones(dim), np.eye(dim)])  # of the barycentric coordinates
    samples = [np.eye(dim + 1)[i] for i in range(dim + 1)]
    samples += [(samples[i] + samples[j]) / 2 for i, j in EDGES[dim]]
    samples.append(np.full(dim + 1, 1.0 / (dim + 1)))
    x = points[cells, :dim]
    values = np.empty((len(cells), len(samples)))
    for k, bary in enumerate(samples):
        shape = [(4 * bary[i] - 1) * gradient[i] for i in range(dim + 1)]
        shape += [4 * (bary[i] * gradient[j] + bary[j] * gradient[i]) for i, j in EDGES[dim]]
        values[:, k] = determinant(np.einsum("cni,nj->cij", x, np.array(shape)))
    return values


def determinant(m: NDArray[Any]) -> Floats:
    """Determinants of (n, 2, 2) or (n, 3, 3); numpy's own is slow for many small ones."""
    if m.shape[-1] == 2:
        return m[:, 0, 0] * m[:, 1, 1] - m[:, 0, 1] * m[:, 1, 0]
    return np.asarray(np.einsum("ni,ni->n", m[:, 0], np.cross(m[:, 1], m[:, 2])), dtype=float)


def straighten(
    points: Floats, cells: Ints, dim: int, fixed: Ints, *, limit: float = 0.1, rounds: int = 4
) -> Floats:
    """Second-order points with the edges of badly bent cells made straight.

    Args:
        points: Shape (n, 3).
        cells: Second-order cells.
        dim: 2 or 3.
        fixed: Mid-side nodes that stay (on fronts and exact surfaces).
        limit: Least ratio of smallest to largest Jacobian in a cell that is left alone.
        rounds: How often; a straightened edge may bend its other cells.
    """
    points = points.copy()
    free = np.ones(len(points), dtype=bool)
    free[fixed] = False
    best, fewest = points.copy(), len(cells) + 1
    for _ in range(rounds + 1):
        value = jacobians(points, cells, dim, 2)
        bad = cells[value.min(axis=1) < limit * value.max(axis=1)]
        if len(bad) < fewest:
            best, fewest = points.copy(), len(bad)
        if not len(bad):
            break
        for k, (i, j) in enumerate(EDGES[dim]):
            mid = bad[:, dim + 1 + k]
            move = free[mid]
            points[mid[move]] = (points[bad[move, i]] + points[bad[move, j]]) / 2
    return best


def refuse_inverted(points: Floats, cells: Ints, dim: int, order: int, hint: str) -> None:
    """Raise MeshError with the place of the first cell that is inside out or flat."""
    value = jacobians(points, cells, dim, order)
    bad = value.min(axis=1) <= 0
    if bad.any():
        centre = points[cells[int(np.argmax(bad)), : dim + 1]].mean(axis=0)
        place = ", ".join(f"{x:.6g}" for x in centre)
        raise MeshError(
            f"{int(bad.sum())} cells are inverted, the first at ({place}) um", hint=hint
        )


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
