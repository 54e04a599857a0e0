"""Continues a set of facets that ends at an interface by one row of cells into the body beyond.

A grain boundary ends at the interface with lithium, and lithium holds the grains together there. A
layer along the boundary that is to reach the interface with its whole width has to part the nodes
of the lithium too. It opens along a row of facets in the lithium that start at the end of the
boundary, and what opens there is filled with lithium again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from ssbmech.meshes.cohesive import FacetIndex, Mask, facet_index, parts_around
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.offset import displacements

# A facet of the continuation may lie this flat against the way its nodes move (sine of the angle).
_STEEP = 0.05


def continuation(data: MeshData, index: FacetIndex, cut: Mask, width: Floats) -> tuple[Ints, Ints]:
    """Facets inside the bodies beyond the interfaces at which tagged facets end.

    Each cell of such a body at the end of the facets is given to one of the pieces into which the
    facets divide the near side: to the one that lies in its direction along the interface. The
    continuation is what lies between cells of different pieces.

    Args:
        data: Mesh of first order.
        index: Of its facets.
        cut: Mask of the tagged facets.
        width: Thickness on either side of each, shape (n_cut, 2) [um].

    Returns:
        Facets, shape (n, dim), none where all cells are in the groups on both sides of the facets;
        and nodes that may not move because no row of facets gives way to them (hardly ever any).
    """
    per = data.dim + 1
    sides = index.owners(cut)
    own = np.isin(data.cell_tags, data.cell_tags[sides[sides >= 0] // per])
    nothing = np.zeros((0, data.dim), dtype=np.int64), np.zeros(0, dtype=np.int64)
    if own.all():
        return nothing
    twin, _ = index.twins()
    rows = np.stack([index.row[twin], index.row[twin + 1]], axis=1)
    cells = rows // per
    is_interface = own[cells[:, 0]] != own[cells[:, 1]]
    rim = np.zeros(len(data.points), dtype=bool)
    rim[index.every[rows[is_interface, 0]]] = True
    on_cut = np.zeros(len(data.points), dtype=bool)
    on_cut[data.facets[cut]] = True
    rim &= on_cut
    if not rim.any():
        return nothing

    inside = own[cells].all(axis=1) & ~np.isin(index.key[twin], index.tagged[cut])
    piece = _pieces(len(data.cells), cells[inside])
    at_rim = rim[index.every[rows[:, 0]]].any(axis=1)
    touching = is_interface & at_rim
    pair = cells[touching]
    swap = own[pair[:, 0]]
    near, far = np.where(swap, pair[:, 0], pair[:, 1]), np.where(swap, pair[:, 1], pair[:, 0])
    label = _given_to(data, rim, own, index.every[rows[touching, 0]], piece[near])
    label[far] = piece[near]

    beyond = at_rim & ~own[cells].any(axis=1)
    shift = _rim_shifts(data, index, cut, width, own, piece, rim)
    facets = index.every[rows[beyond, 0]]
    search = _Labels(data, facets, cells[beyond], label, {int(c) for c in far}, rim, shift)
    search.untangle()
    chosen = label[cells[beyond, 0]] != label[cells[beyond, 1]]
    return facets[chosen], np.array(sorted(search.tangled()), dtype=np.int64)


def _rim_shifts(
    data: MeshData, index: FacetIndex, cut: Mask, width: Floats, own: Mask, piece: Ints, rim: Mask
) -> dict[tuple[int, int], Floats]:
    """Way that each piece moves at each node of the rim, by (node, piece): as without the rest."""
    mine = np.flatnonzero(own)
    held = own[index.owners()[:, 0] // (data.dim + 1)]
    second = index.owners()[:, 1]
    held |= (second >= 0) & own[second // (data.dim + 1)]
    part = replace(
        data,
        cells=data.cells[mine],
        cell_tags=data.cell_tags[mine],
        facets=data.facets[held],
        facet_tags=data.facet_tags[held],
    )
    found = facet_index(part)
    parts = parts_around(part, found, cut[held], key="")
    shift = displacements(part, found, cut[held], parts, width)
    first = np.unique(parts.part, return_index=True)[1]
    pieces = piece[mine[parts.cell[first]]]
    at = np.flatnonzero(rim[parts.node] & shift.any(axis=1))
    return {(int(parts.node[k]), int(pieces[k])): shift[k] for k in at}


class _Labels:
    """Gives cells beyond the rim to other pieces until no node moves through the continuation."""

    def __init__(
        self,
        data: MeshData,
        facets: Ints,
        cells: Ints,
        label: Ints,
        fixed: set[int],
        rim: Mask,
        shift: dict[tuple[int, int], Floats],
    ) -> None:
        self.label, self.fixed, self.shift = label, fixed, shift
        self.cells = [(int(a), int(b)) for a, b in cells]
        self.nodes = [[int(v) for v in f if rim[v]] for f in facets]
        x = data.points[facets][..., : data.dim]
        edges = x[:, 1:] - x[:, :1]
        if data.dim == 2:
            normal: Floats = np.stack([edges[:, 0, 1], -edges[:, 0, 0]], axis=1)
        else:
            normal = np.cross(edges[:, 0], edges[:, 1]).astype(np.float64)
        second = data.points[data.cells[cells[:, 1]]][..., : data.dim].mean(axis=1)
        across = np.einsum("fi,fi->f", normal, second - x.mean(axis=1))
        self.normal = _unit(normal * np.sign(across)[:, None])  # from the first to the second cell
        self.of_cell: dict[int, list[int]] = {}
        for k, pair in enumerate(self.cells):
            for cell in pair:
                self.of_cell.setdefault(cell, []).append(k)

    def cost(self, facet: int, given: dict[int, int] | None = None) -> float:
        """How far the nodes of a facet go through it, with some cells given to other pieces."""
        return sum(max(0.0, _STEEP - sine) for _, sine in self._sines(facet, given or {}))

    def _sines(self, facet: int, given: dict[int, int]) -> Iterator[tuple[int, float]]:
        """Node, and sine of the angle at which a piece moves away from the facet, of each."""
        a, b = self.cells[facet]
        first, second = given.get(a, int(self.label[a])), given.get(b, int(self.label[b]))
        if first == second:
            return
        for node in self.nodes[facet]:
            for piece, sign in ((first, -1.0), (second, 1.0)):
                way = self.shift.get((node, piece))
                if way is None:  # a piece that is not at the node: harmless, but better not there
                    yield node, 0.5 * _STEEP
                else:
                    yield node, sign * float(self.normal[facet] @ way / np.linalg.norm(way))

    def tangled(self) -> set[int]:
        """Nodes that still move through a facet of the continuation, or along one."""
        found = (self._sines(k, {}) for k in range(len(self.cells)))
        return {node for each in found for node, sine in each if sine < 1e-3}

    def untangle(self, rounds: int = 30) -> None:
        """Give single cells to the piece of a neighbour while that lessens the cost."""
        todo = list(range(len(self.cells)))
        for _ in range(rounds):
            todo = [k for k in todo if self.cost(k) > 0]
            changed: list[int] = []
            for facet in todo:
                changed += self._improve(facet)
            if not changed:
                return
            todo = sorted(set(todo) | set(changed))

    def _improve(self, facet: int) -> list[int]:
        """Give a cell to a neighbour's piece if that helps; the facets of the cell, or none."""
        if self.cost(facet) == 0:
            return []
        best, choice = 0.0, None
        for cell in self.cells[facet]:
            if cell in self.fixed:
                continue
            around = {int(self.label[c]) for k in self.of_cell[cell] for c in self.cells[k]}
            for wanted in sorted(around - {int(self.label[cell])}):
                gain = sum(self.cost(k) - self.cost(k, {cell: wanted}) for k in self.of_cell[cell])
                if gain > best + 1e-12:
                    best, choice = gain, (cell, wanted)
        if choice is None:
            return []
        self.label[choice[0]] = choice[1]
        return self.of_cell[choice[0]]


def _pieces(n: int, pairs: Ints) -> Ints:
    """Piece of each of n cells, connected by pairs."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), (n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _given_to(data: MeshData, rim: Mask, own: Mask, facets: Ints, piece: Ints) -> Ints:
    """Piece in whose direction each cell beyond the interface lies, -1 for cells off the rim.

    Args:
        data: The mesh.
        rim: Mask of the nodes at which the facets end.
        own: Mask of the cells on the near side.
        facets: Facets of the interface at the rim.
        piece: Of the near side of each.
    """
    facet, place = np.nonzero(rim[facets])
    order = np.argsort(facets[facet, place], kind="stable")
    facet, node = facet[order], facets[facet, place][order]
    there = _unit(data.points[facets[facet]].mean(axis=1) - data.points[node])

    beyond = np.flatnonzero(~own & rim[data.cells].any(axis=1))
    cell, place = np.nonzero(rim[data.cells[beyond]])
    at = data.cells[beyond[cell], place]
    first = np.searchsorted(node, at, side="left")
    count = np.searchsorted(node, at, side="right") - first
    mine = np.repeat(np.arange(len(at)), count)
    other = np.repeat(first - np.r_[0, np.cumsum(count)[:-1]], count) + np.arange(count.sum())
    here = _unit(data.points[data.cells[beyond[cell]]].mean(axis=1) - data.points[at])
    cosine = np.einsum("ni,ni->n", here[mine], there[other])
    # The best of each cell; of equal ones the piece with the smallest number.
    rank = np.lexsort((piece[facet[other]], -cosine, cell[mine]))
    _, best = np.unique(cell[mine][rank], return_index=True)
    label = np.full(len(data.cells), -1, dtype=np.int64)
    label[beyond[cell[mine][rank][best]]] = piece[facet[other]][rank][best]
    return label


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
