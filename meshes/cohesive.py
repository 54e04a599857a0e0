"""Gives the cells on either side of tagged facets nodes of their own, as cohesive laws need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import FACETS, Floats, Ints, cell_facets, keys
from ssbmech.meshes.split import _components, _places, _translate

Mask = NDArray[np.bool_]


def split_grains(data: MeshData) -> MeshData:
    """Every grain with nodes of its own along ``grain_boundaries``.

    Where a boundary meets a body that is bonded to both grains (lithium under the interface), that
    body holds them together and the node stays one, as a bonded interface asks.

    Args:
        data: Mesh with ``grains`` and the facet group ``grain_boundaries``.

    Returns:
        The mesh of `split_facets` with ``grain_boundaries_lower`` (the side of the grain with the
        smaller number) and ``grain_boundaries_upper``.

    Raises:
        MeshError: Without grain numbers or that facet group.
    """
    if data.grains is None:
        raise MeshError(
            "the mesh has no grain numbers", key="grains", hint="Make it with grains, or give them"
        )
    name = "grain_boundaries"
    return split_facets(data, name, f"{name}_lower", f"{name}_upper", rank=data.grains)


def split_facets(
    data: MeshData, group: str, lower: str, upper: str, *, rank: NDArray[Any] | None = None
) -> MeshData:
    """Make each facet of a group two coincident facets, and its nodes as many as there are parts.

    Parts are the cells around a node that reach each other through facets outside the group; each
    gets a node of its own. At an inner edge of the group the cells reach each other around it, and
    the node stays one: the faces are joined there.

    Args:
        data: Mesh of first or second order with the group inside the body.
        group: Facet group; any number of sheets that may meet and end anywhere.
        lower: New facet group on the side with the smaller ``rank``.
        upper: New facet group on the other side. Row i of the one faces row i of the other, and
            their nodes are in the same order, so that a law can pair them.
        rank: Integer per cell that tells the sides apart, shape (n_cells,); without it the grain
            numbers, or the cell tags where those are equal.

    Returns:
        The mesh with ``lower`` and ``upper`` in place of ``group``. ``notes["parts"]`` is the
        number of parts that the cut leaves, which is intended. Lines and fronts follow the cell
        with the smallest number at them.

    Raises:
        MeshError: If the group is empty or on the boundary, or the sides have the same rank.
    """
    tag = data.facet_tag(group, key="group")
    cut = data.facet_tags == tag
    index = facet_index(data)
    parts = parts_around(data, index, cut, key=group)
    alone = parts.sides[:, 1] < 0
    if alone.any():
        place = _at(data.points[data.facets[cut][int(np.argmax(alone)), : data.dim]])
        raise MeshError(
            f"a facet has 1 neighbour cell at {place}",
            key=group,
            allowed="2: facets inside the body",
        )
    sides = _by_rank(data, group, cut, parts.sides, rank)

    # Per node the part with the smallest cell number keeps the node.
    number = parts.node.copy()
    is_new = np.ones(len(number), dtype=bool)
    is_new[np.unique(parts.node, return_index=True)[1]] = False
    number[is_new] = len(data.points) + np.arange(int(is_new.sum()))
    cells = moved_cells(data.cells, parts, number)
    table = np.array(FACETS[data.dim, data.order])
    new_every = cells[:, table].reshape(-1, table.shape[1])

    others = ~cut
    rows = index.owners(others)[:, 0]
    faces = [
        _translate(data.facets[cut], index.every[sides[:, k]], new_every[sides[:, k]])
        for k in (0, 1)
    ]
    names = {name: old for name, old in data.facet_groups.items() if name != group}
    tags = []
    for name in (lower, upper):
        names.setdefault(name, max([*names.values(), *data.facet_groups.values()]) + 1)
        tags.append(np.full(int(cut.sum()), names[name], dtype=np.int32))
    notes = {k: v for k, v in data.notes.items() if k != f"between:{group}"}
    notes["parts"] = _pieces(data, index, cut)
    return replace(
        data,
        points=np.vstack([data.points, data.points[parts.node[is_new]]]),
        cells=cells,
        facets=np.concatenate(
            [_translate(data.facets[others], index.every[rows], new_every[rows]), *faces]
        ),
        facet_tags=np.concatenate([data.facet_tags[others], *tags]).astype(np.int32),
        facet_groups=names,
        fronts={k: follow(v, data.cells, cells) for k, v in data.fronts.items()},
        lines={k: follow(v, data.cells, cells) for k, v in data.lines.items()},
        notes=notes,
    )


# -- shared with thicken.py ------------------------------------------------------------------------


@dataclass(frozen=True)
class FacetIndex:
    """All facets of all cells, findable by their vertices.

    Attributes:
        every: Cell by cell, shape (n_cells * (dim + 1), nodes per facet).
        row: Rows of ``every`` in the order of their keys.
        key: The keys in that order.
        tagged: Key of each tagged facet of the mesh.
    """

    every: Ints
    row: Ints
    key: Ints
    tagged: Ints

    def owners(self, mask: Mask | slice = slice(None)) -> Ints:
        """Two rows of ``every`` for each tagged facet in the mask, -1 for a missing one.

        Raises:
            MeshError: If a facet belongs to no cell or to more than two.
        """
        first, count = _places(self.key, self.tagged[mask])
        if ((count < 1) | (count > 2)).any():
            bad = int(np.argmax((count < 1) | (count > 2)))
            raise MeshError(f"a tagged facet belongs to {count[bad]} cells", allowed="1 or 2")
        second = np.where(count == 2, self.row[np.minimum(first + 1, len(self.row) - 1)], -1)
        return np.stack([self.row[first], second], axis=1)

    def twins(self) -> tuple[Ints, Ints]:
        """Places in ``key`` of facets between two cells (the first of each), and of single ones."""
        same = self.key[1:] == self.key[:-1]
        single = ~(np.r_[same, False] | np.r_[False, same])
        return np.flatnonzero(same), np.flatnonzero(single)


def facet_index(data: MeshData) -> FacetIndex:
    """Index of the facets of a mesh."""
    every = cell_facets(data.cells, data.dim, data.order)
    d = data.dim
    stacked = keys(np.concatenate([every[:, :d], data.facets[:, :d]]), len(data.points))
    row = np.argsort(stacked[: len(every)], kind="stable")
    return FacetIndex(every, row, stacked[row], stacked[len(every) :])


@dataclass(frozen=True)
class Parts:
    """The cells around each node of a set of facets, by what they reach without crossing it.

    Attributes:
        sides: Rows of all cell facets on either side of each facet, the smaller cell first; -1
            where there is none. Shape (n_cut, 2).
        cell: Cell of each incidence of a cell and a node of the set.
        local: Place of the node in that cell.
        part: Part of each incidence, numbered by (node, smallest cell).
        node: Node of each part.
    """

    sides: Ints
    cell: Ints
    local: Ints
    part: Ints
    node: Ints


def parts_around(
    data: MeshData,
    index: FacetIndex,
    cut: Mask,
    *,
    key: str,
) -> Parts:
    """Group the cells around the nodes of the tagged facets in the mask ``cut``.

    Raises:
        MeshError: If there are none.
    """
    if not cut.any():
        raise MeshError("the facet group is empty", key=key, allowed="one facet at least")
    per = data.dim + 1
    table = np.array(FACETS[data.dim, data.order])
    is_node = np.zeros(len(data.points), dtype=bool)
    is_node[data.facets[cut]] = True
    cell, local = np.nonzero(is_node[data.cells])
    incidence = np.full(data.cells.shape, -1, dtype=np.int64)
    incidence[cell, local] = np.arange(len(cell))
    twin, _ = index.twins()
    twin = twin[is_node[index.every[index.row[twin]]].any(axis=1)]
    open_ = twin[~np.isin(index.key[twin], index.tagged[cut])]
    label = _components(
        index.every, table, per, index.row[open_], index.row[open_ + 1], incidence, len(cell)
    )
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    node = data.cells[cell[first], local[first]]
    order = np.lexsort((first, node))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Parts(index.owners(cut), cell, local, place[inverse.reshape(-1)], node[order])


def moved_cells(cells: Ints, parts: Parts, number: Ints) -> Ints:
    """Cells with the nodes of the parts replaced by ``number[part]``."""
    cells = cells.copy()
    cells[parts.cell, parts.local] = number[parts.part]
    return cells


def follow(line: Ints, old: Ints, new: Ints) -> Ints:
    """Points or edges by their new node numbers in the first cell that has them.

    Args:
        line: Node numbers, shape (k, 1) or (k, 2).
        old: Cells before, shape (n_cells, nodes).
        new: The same cells after.
    """
    if not len(line):
        return line
    width = line.shape[1]
    wanted = np.zeros(int(old.max()) + 1, dtype=bool)
    wanted[line] = True
    hit = wanted[old]
    near = np.flatnonzero(hit.sum(axis=1) >= width)
    if width == 1:
        row, first = np.nonzero(hit[near])
        ends = first[:, None]
    else:
        columns = range(old.shape[1])
        pairs = np.array([(i, j) for i in columns for j in columns if i < j])
        row, pair = np.nonzero(hit[near][:, pairs].all(axis=2))
        ends = pairs[pair]
    cell = near[row]
    key = keys(old[cell[:, None], ends], len(wanted))
    known, place = np.unique(key, return_index=True)  # the first: the smallest cell
    asked = keys(line, len(wanted))
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    at = place[at]
    result = line.copy()
    found = key[at] == asked
    nodes, names = new[cell[at][:, None], ends[at]], old[cell[at][:, None], ends[at]]
    for i in range(width):
        same = names == line[:, i : i + 1]
        result[found, i] = nodes[np.arange(len(line)), np.argmax(same, axis=1)][found]
    return result


# -- details ---------------------------------------------------------------------------------------


def _by_rank(
    data: MeshData,
    group: str,
    cut: Mask,
    sides: Ints,
    rank: NDArray[Any] | None,
) -> Ints:
    """The rows of `Parts.sides` with the side of the smaller rank first."""
    cells = sides // (data.dim + 1)
    ranks: Sequence[NDArray[Any]] = [np.asarray(rank)] if rank is not None else [data.cell_tags]
    if rank is None and data.grains is not None:
        ranks = [data.grains, data.cell_tags]
    difference: Ints = np.zeros(len(cells), dtype=np.int64)
    for numbers in ranks:
        step = numbers[cells[:, 1]].astype(np.int64) - numbers[cells[:, 0]]
        difference = np.where(difference == 0, step, difference)
    if (difference == 0).any():
        bad = int(np.argmax(difference == 0))
        raise MeshError(
            "both sides of a facet have the same number at "
            f"{_at(data.points[data.facets[cut][bad, : data.dim]])}: "
            "lower and upper cannot be told apart",
            key=group,
            hint="Give `rank`, an integer per cell that differs across the facets",
        )
    return np.where((difference < 0)[:, None], sides[:, ::-1], sides)


def _pieces(data: MeshData, index: FacetIndex, cut: Mask) -> int:
    """Number of pieces that share no facet outside the cut."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    twin, _ = index.twins()
    twin = twin[~np.isin(index.key[twin], index.tagged[cut])]
    left, right = index.row[twin] // (data.dim + 1), index.row[twin + 1] // (data.dim + 1)
    n = len(data.cells)
    graph = coo_matrix((np.ones(len(twin), dtype=np.int8), (left, right)), shape=(n, n))
    return int(connected_components(graph, directed=False)[0])


def _at(nodes: Floats) -> str:
    centre = np.atleast_2d(nodes).mean(axis=0)
    return "(" + ", ".join(f"{value:.6g}" for value in centre) + ") um"
