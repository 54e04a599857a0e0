"""Splits one edge of a mesh in two, with every cell and facet around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints


def bisect(data: MeshData, a: int, b: int) -> MeshData:
    """Put a node into the middle of an edge; the shapes of curved cells stay as they are.

    Args:
        data: The mesh.
        a: Vertex at one end of an edge of the mesh.
        b: Vertex at the other end.

    Returns:
        The mesh with each cell and each tagged facet at the edge replaced by its two halves.
    """
    d, order = data.dim, data.order
    new = _New(data.points, len(data.points))
    cell_rows = _around(data.cells, a, b, d + 1)
    facet_rows = _around(data.facets, a, b, d)
    first = data.cells[cell_rows[0]]
    middle = _mid(first, a, b, d) if order == 2 else new.add((data.points[a] + data.points[b]) / 2)
    halves = [_halves(data.cells[i], a, b, middle, d, order, new) for i in cell_rows]
    cut = [_halves(data.facets[i], a, b, middle, d - 1, order, new) for i in facet_rows]
    cells, facets = data.cells.copy(), data.facets.copy()
    for i, (one, _) in zip(cell_rows, halves, strict=True):
        cells[i] = one
    for i, (one, _) in zip(facet_rows, cut, strict=True):
        facets[i] = one
    more_cells = np.array([two for _, two in halves])
    more_facets = np.array([two for _, two in cut]).reshape(len(cut), data.facets.shape[1])
    curves = {
        name: _divided(rows, a, b, middle) for name, rows in (data.fronts | data.lines).items()
    }
    grains = data.grains
    return replace(
        data,
        points=np.vstack([data.points, *new.places]) if new.places else data.points,
        cells=np.concatenate([cells, more_cells]),
        cell_tags=np.concatenate([data.cell_tags, data.cell_tags[cell_rows]]),
        facets=np.concatenate([facets, more_facets]),
        facet_tags=np.concatenate([data.facet_tags, data.facet_tags[facet_rows]]),
        grains=None if grains is None else np.concatenate([grains, grains[cell_rows]]),
        fronts={name: curves[name] for name in data.fronts},
        lines={name: curves[name] for name in data.lines},
    )


class _New:
    """Nodes that are added, each once."""

    def __init__(self, points: Floats, first: int) -> None:
        self.points, self.first = points, first
        self.places: list[Floats] = []
        self.number: dict[tuple[int, int], int] = {}

    def add(self, place: Floats) -> int:
        self.places.append(place)
        return self.first + len(self.places) - 1

    def between(self, p: int, q: int, place: Floats) -> int:
        """Mid-side node of the new edge p-q, the same for all cells at it."""
        key = (min(p, q), max(p, q))
        if key not in self.number:
            self.number[key] = self.add(place)
        return self.number[key]


def _around(rows: Ints, a: int, b: int, vertices: int) -> Ints:
    corner = rows[:, :vertices]
    return np.flatnonzero((corner == a).any(axis=1) & (corner == b).any(axis=1))


def _mids(row: Ints, dim: int) -> dict[frozenset[int], int]:
    """Mid-side node of each edge of a second-order simplex."""
    return {
        frozenset((int(row[i]), int(row[j]))): int(row[dim + 1 + k])
        for k, (i, j) in enumerate(EDGES[dim])
    }


def _mid(row: Ints, a: int, b: int, dim: int) -> int:
    return _mids(row, dim)[frozenset((a, b))]


def _halves(
    row: Ints, a: int, b: int, middle: int, dim: int, order: int, new: _New
) -> tuple[list[int], list[int]]:
    """The two halves of a simplex: ``middle`` in place of b, and in place of a."""
    corner = [int(v) for v in row[: dim + 1]]
    both = ([middle if v == gone else v for v in corner] for gone in (b, a))
    if order == 1:
        one, two = both
        return one, two
    known = _mids(row, dim)
    x = new.points
    for p, q in ((a, b), (b, a)):
        # the parent's curve at a quarter of the way from p to q
        place = 0.375 * x[p] + 0.75 * x[middle] - 0.125 * x[q]
        known[frozenset((p, middle))] = new.between(p, middle, place)
    for v in corner:
        if v not in (a, b):
            # the parent's face at the middle between `middle` and v
            to_a, to_b = known[frozenset((a, v))], known[frozenset((b, v))]
            place = 0.25 * x[middle] + 0.5 * (x[to_a] + x[to_b]) - 0.125 * (x[a] + x[b])
            known[frozenset((middle, v))] = new.between(middle, v, place)
    done = []
    for vertices in both:
        mids = [known[frozenset((vertices[i], vertices[j]))] for i, j in EDGES[dim]]
        done.append(vertices + mids)
    return done[0], done[1]


def _divided(rows: Ints, a: int, b: int, middle: int) -> Ints:
    """Edges of a front or a line with a-b in two pieces."""
    if rows.shape[1] != 2:
        return rows
    hit = np.flatnonzero((np.sort(rows, axis=1) == sorted((a, b))).all(axis=1))
    if not len(hit):
        return rows
    kept = np.delete(rows, hit, axis=0)
    return np.concatenate([kept, np.array([[a, middle], [middle, b]], dtype=rows.dtype)])
