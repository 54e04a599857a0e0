"""Nodes at one place: two faces of a crack, which is meant, or parts that were never joined."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints, cell_facets, keys

# Nodes nearer than this, in units of the shortest edge at them, are at one place. Splitting makes
# exact copies; files with 8 digits keep them within this as long as edges have 3 of them.
COINCIDENT = 1e-5

_CRACK = re.compile("crack|lower|upper", re.I)


@dataclass(frozen=True)
class Coincident:
    """Nodes at one place.

    Attributes:
        place: For every node the smallest node number at its place, shape (n_points,).
        loose: Pairs of nodes that no pair of tagged faces explains, shape (k, 2).
    """

    place: Ints
    loose: Ints


def local_size(data: MeshData) -> Floats:
    """Shortest straight edge at every node [um], shape (n_points,); mid-side nodes: half of it."""
    size = np.full(len(data.points), np.inf)
    for k, (i, j) in enumerate(EDGES[data.dim]):
        a, b = data.cells[:, i], data.cells[:, j]
        length = np.linalg.norm(data.points[a] - data.points[b], axis=1)
        np.minimum.at(size, a, length)
        np.minimum.at(size, b, length)
        if data.order == 2:
            np.minimum.at(size, data.cells[:, data.dim + 1 + k], length / 2)
    return size


def boundary_facets(data: MeshData) -> tuple[Ints, Ints]:
    """Facets of one cell, and their cells; shapes (k, nodes per facet) and (k,)."""
    every = cell_facets(data.cells, data.dim, data.order)
    key = keys(every[:, : data.dim], len(data.points))
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    rows = np.sort(first[count == 1])
    return every[rows], rows // (data.dim + 1)


def coincident(
    data: MeshData,
    outer: Ints,
    size: Floats,
    *,
    within: float = COINCIDENT,
    faces: Ints | None = None,
) -> Coincident:
    """Find nodes at one place on the boundary of a mesh.

    Nodes that a mesh has twice always lie on facets of one cell. A pair is explained when two
    tagged facets, one at each of its nodes, coincide as a whole: the faces of a crack. Where
    several faces meet, nodes that such pairs link are explained together.

    Args:
        data: The mesh.
        outer: Its facets of one cell, from `boundary_facets`.
        size: From `local_size`.
        within: Largest distance in units of the smaller local size.
        faces: Facets that may face each other, shape (k, nodes per facet); all tagged ones
            without it.
    """
    faces = data.facets if faces is None else faces
    n = len(data.points)
    pairs = _near(data.points, np.unique(outer), size, within)
    place: Ints = np.arange(n, dtype=np.int64)
    if not len(pairs):
        return Coincident(place, np.zeros((0, 2), dtype=np.int64))
    label = _components(pairs, n)
    # the smallest number of each component
    first = np.full(label.max() + 1, n, dtype=np.int64)
    np.minimum.at(first, label, place)
    place = first[label]

    d = data.dim
    both = keys(np.concatenate([outer[:, :d], faces[:, :d]]), n)
    tagged = outer[np.isin(both[: len(outer)], both[len(outer) :])][:, :d]
    moved = (place[tagged] != tagged).any(axis=1) | np.isin(tagged, place[pairs]).any(axis=1)
    tagged = tagged[moved]
    at = keys(place[tagged], n)
    order = np.argsort(at, kind="stable")
    same = np.flatnonzero(at[order][1:] == at[order][:-1])
    one, two = tagged[order[same]], tagged[order[same + 1]]
    # vertices of the two facets in the order of their places
    one = np.take_along_axis(one, np.argsort(place[one], axis=1, kind="stable"), axis=1)
    two = np.take_along_axis(two, np.argsort(place[two], axis=1, kind="stable"), axis=1)
    links = np.stack([one.ravel(), two.ravel()], axis=1)
    if data.order == 2:
        links = np.concatenate([links, _middles(data, outer, links, pairs)])
    explained = _components(links, n)
    loose = explained[pairs[:, 0]] != explained[pairs[:, 1]]
    return Coincident(place, pairs[loose])


def merge_coincident(data: MeshData) -> MeshData:
    """Join parts of a mesh whose nodes coincide but are not shared; faces of cracks stay open.

    Args:
        data: The mesh; nodes nearer than 1/1000 of the shortest edge at them count as one. Facet
            groups with ``crack``, ``lower`` or ``upper`` in their names are faces of cracks.

    Returns:
        The joined mesh; ``notes["duplicate_nodes_merged"]`` counts the nodes that went. Where two
        parts met, a facet keeps its group if both parts, or only one, gave it.

    Raises:
        MeshError: If cells would collapse, with the place.
    """
    outer, _ = boundary_facets(data)
    cracks = [tag for name, tag in data.facet_groups.items() if _CRACK.search(name)]
    found = coincident(
        data, outer, local_size(data), within=1e-3,
        faces=data.facets[np.isin(data.facet_tags, cracks)],
    )  # fmt: skip
    if not len(found.loose):
        return data
    n = len(data.points)
    label = _components(found.loose, n)
    first = np.full(label.max() + 1, n, dtype=np.int64)
    np.minimum.at(first, label, np.arange(n))
    kept = np.unique(first)
    number = np.searchsorted(kept, first[label])
    cells = number[data.cells]
    ordered = np.sort(cells, axis=1)
    flat = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if flat.any():
        at = data.points[data.cells[int(np.argmax(flat)), : data.dim + 1]].mean(axis=0)
        place = ", ".join(f"{x:.6g}" for x in at)
        raise MeshError(
            f"merging duplicate nodes would collapse {int(flat.sum())} cells, the first at "
            f"({place}) um",
            key="merge_duplicates",
        )
    facets = number[data.facets]
    key = keys(facets[:, : data.dim], len(kept))
    pairs = np.column_stack([key, data.facet_tags])
    unique, rows = np.unique(pairs, axis=0, return_index=True)
    twice = unique[1:, 0][unique[1:, 0] == unique[:-1, 0]]  # sides of two parts by other names
    rows = np.sort(rows[~np.isin(unique[:, 0], twice)])
    left = set(np.unique(data.facet_tags[rows]).tolist())
    return replace(
        data,
        points=data.points[kept],
        cells=cells,
        facets=facets[rows],
        facet_tags=data.facet_tags[rows],
        facet_groups={name: tag for name, tag in data.facet_groups.items() if tag in left},
        fronts={name: number[nodes] for name, nodes in data.fronts.items()},
        lines={name: number[nodes] for name, nodes in data.lines.items()},
        notes=data.notes | {"duplicate_nodes_merged": float(n - len(kept))},
    )


def _near(points: Floats, nodes: Ints, size: Floats, within: float) -> Ints:
    """Pairs of the nodes nearer than a fraction of the smaller of their local sizes."""
    from scipy.spatial import cKDTree

    radius = within * size[nodes]
    found = []
    # By octaves of the local size: one radius for a graded mesh would find too many pairs.
    octave = np.floor(np.log2(np.where(radius > 0, radius, 1.0))).astype(np.int64)
    for step in np.unique(octave):
        some, larger = nodes[octave == step], nodes[octave >= step]
        near = cKDTree(points[some]).sparse_distance_matrix(
            cKDTree(points[larger]), 2.0 ** (step + 1), output_type="ndarray"
        )
        a, b = some[near["i"]], larger[near["j"]]
        close = near["v"] <= within * np.minimum(size[a], size[b])
        found.append(np.sort(np.stack([a, b], axis=1)[close & (a != b)], axis=1))
    rows = np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)
    return np.unique(rows, axis=0) if len(rows) else rows


def _components(pairs: Ints, n: int) -> NDArray[np.int32]:
    """Component of each of n nodes under the pairs."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def _middles(data: MeshData, outer: Ints, links: Ints, pairs: Ints) -> Ints:
    """Pairs of mid-side nodes that lie between linked vertices."""
    d = data.dim
    explained = _components(links, len(data.points))
    # both ends of the edge of a mid-side node, by node
    ends = np.full((len(data.points), 2), -1, dtype=np.int64)
    for k, (i, j) in enumerate(EDGES[d - 1]):
        ends[outer[:, d + k]] = outer[:, [i, j]]
    middle = pairs[(ends[pairs] >= 0).all(axis=(1, 2))]
    one, two = (np.sort(explained[ends[middle[:, k]]], axis=1) for k in (0, 1))
    return middle[(one == two).all(axis=1)]
