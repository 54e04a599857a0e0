"""Flat tetrahedra on smoothed faces: a triangulated surface keeps its points, not its diagonals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints, cell_facets, keys, signed_measure

# Volume over that of a regular tetrahedron with the same mean square edge, below which a cell is
# taken for flat; the change of volume is as small.
_FLAT = 0.05


def drop_flat_cells(data: MeshData, region: Ints) -> tuple[MeshData, Ints]:
    """Remove flat cells with two faces on the outside.

    Such a cell spans four points of the surface: with it the surface has one diagonal of their
    quadrilateral, without it the other.

    Args:
        data: First-order 3-D mesh.
        region: Region of each cell.

    Returns:
        The mesh with its tagged facets moved along, and the region of each cell.
    """
    flat = np.flatnonzero(_shape(data.points, data.cells) < _FLAT)
    if not len(flat):
        return data, region
    n = len(data.points)
    every = cell_facets(data.cells, 3, 1)
    both = keys(np.concatenate([every, data.facets]), n)
    key, tagged = both[: len(every)], both[len(every) :]
    order, by_key = np.argsort(tagged), np.argsort(key, kind="stable")
    facets = data.facets.copy()
    gone = np.zeros(len(data.cells), dtype=bool)
    touched: set[int] = set()
    for cell in flat:
        mine = np.arange(4 * cell, 4 * cell + 4)
        place = np.searchsorted(tagged, key[mine], sorter=order)
        row = order[np.minimum(place, len(order) - 1)]
        on = tagged[row] == key[mine]
        if on.sum() != 2 or len(set(data.facet_tags[row[on]])) != 1:
            continue
        if touched.intersection(map(int, key[mine])):
            continue
        across = [_other(key, by_key, int(face)) for face in mine[on]]
        if across != [-1, -1]:
            continue
        gone[cell] = True
        touched.update(map(int, key[mine]))
        facets[row[on]] = every[mine[~on]]
    kept = replace(data, cells=data.cells[~gone], cell_tags=data.cell_tags[~gone], facets=facets)
    return kept, region[~gone]


def _other(key: Ints, by_key: Ints, face: int) -> int:
    """The same face seen from the other cell, or -1 at the outside."""
    start = int(np.searchsorted(key, key[face], sorter=by_key))
    for k in by_key[start : start + 2]:
        if k != face and key[k] == key[face]:
            return int(k)
    return -1


def _shape(points: Floats, cells: Ints) -> Floats:
    edges = [points[cells[:, i]] - points[cells[:, j]] for i, j in EDGES[3]]
    mean = np.sqrt(np.mean([np.einsum("ni,ni->n", e, e) for e in edges], axis=0))
    return np.asarray(6 * np.sqrt(2) * np.abs(signed_measure(points, cells, 3)) / mean**3)
