"""Which cells meet at which facets: interfaces, grains and parts, checked by topology alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.checks import Check, Mask, at, chunks, listed, none_of, report
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, FACETS, Ints, cell_facets, determinant, keys

BOUNDARIES = "grain_boundaries"


@dataclass(frozen=True)
class Topology:
    """Facets of a mesh by their cells; row r is facet ``r % (dim + 1)`` of cell ``r // (dim + 1)``.

    Attributes:
        data: The mesh.
        key: Keys of all rows in ascending order.
        row: Rows in that order.
        tagged: Key of each tagged facet.
    """

    data: MeshData
    key: Ints
    row: Ints
    tagged: Ints

    @cached_property
    def starts(self) -> tuple[Ints, Ints]:
        """Place in ``row`` and number of rows of every different facet."""
        new = np.ones(len(self.key), dtype=bool)
        new[1:] = self.key[1:] != self.key[:-1]
        start = np.flatnonzero(new)
        return start, np.diff(np.append(start, len(self.key)))

    @cached_property
    def inner(self) -> Ints:
        """Pairs of rows of the facets of two cells, shape (k, 2)."""
        start, count = self.starts
        first = start[count == 2]
        return np.stack([self.row[first], self.row[first + 1]], axis=1)

    @cached_property
    def outer(self) -> Ints:
        """Rows of the facets of one cell."""
        start, count = self.starts
        return self.row[start[count == 1]]

    @cached_property
    def outer_key(self) -> Ints:
        """Their keys."""
        start, count = self.starts
        return self.key[start[count == 1]]

    @cached_property
    def tagged_cells(self) -> Ints:
        """Two cells of each tagged facet, -1 for none, shape (n_facets, 2)."""
        first = np.searchsorted(self.key, self.tagged, side="left")
        count = np.searchsorted(self.key, self.tagged, side="right") - first
        last = len(self.row) - 1
        one = np.where(count > 0, self.cell(self.row[np.minimum(first, last)]), -1)
        two = np.where(count > 1, self.cell(self.row[np.minimum(first + 1, last)]), -1)
        return np.stack([one, two], axis=1)

    @cached_property
    def inner_tagged(self) -> Mask:
        """Which of the pairs of ``inner`` are a tagged facet."""
        start, count = self.starts
        known = np.append(np.unique(self.tagged), -1)  # one that no key equals, for none
        key = self.key[start[count == 2]]
        return np.asarray(known[np.searchsorted(known[:-1], key)] == key)

    def cell(self, rows: Ints) -> Ints:
        """Cells of rows."""
        return np.asarray(rows // (self.data.dim + 1))

    def vertices(self, rows: Ints, order: int = 1) -> Ints:
        """Vertices of rows, shape (n, dim); with order 2 all nodes."""
        d = self.data.dim
        table = np.array(FACETS[d, order])
        return np.asarray(self.data.cells[self.cell(rows)[:, None], table[rows % (d + 1)]])


def topology(data: MeshData) -> Topology:
    """Sort the facets of all cells."""
    d = data.dim
    every = cell_facets(data.cells[:, : d + 1], d, 1)
    both = keys(np.concatenate([every, data.facets[:, :d]]), len(data.points))
    del every
    mine = both[: len(data.cells) * (d + 1)]
    row = np.argsort(mine, kind="stable")
    return Topology(data, mine[row], row, both[len(mine) :])


def facet_checks(top: Topology) -> list[Check]:
    """Facets of too many cells, folded neighbours, and tagged facets that are none."""
    data = top.data
    start, count = top.starts
    crowded = top.row[start[count > 2]]
    checks = [_rows("facets of three or more cells", top, crowded)]
    folded = _folded(top)
    checks.append(_rows("cells folded over a neighbour", top, folded))
    facets = data.facets[:, : data.dim]
    lost = top.tagged_cells[:, 0] < 0
    checks.append(none_of("tagged facets of no cell", lost, data.points, facets))
    again = np.ones(len(top.tagged), dtype=bool)
    again[np.unique(top.tagged, return_index=True)[1]] = False
    checks.append(none_of("facets tagged twice", again, data.points, facets))
    return checks


def interface_checks(top: Topology) -> list[Check]:
    """Whether facet groups lie between the cell groups that notes say; what is in no group."""
    data = top.data
    tags = np.append(data.cell_tags, 0)[top.tagged_cells]  # cell -1: outside
    pair = np.sort(tags, axis=1)
    wrong = np.zeros(len(pair), dtype=bool)
    stated: list[str] = []
    for name, tag in data.facet_groups.items():
        allowed = _allowed(data, data.notes.get(f"between:{name}"))
        if allowed is None:
            continue
        mine = np.flatnonzero(data.facet_tags == tag)
        good = np.zeros(len(mine), dtype=bool)
        for low, high in allowed:
            good |= (pair[mine, 0] == low) & (pair[mine, 1] == high)
        wrong[mine[~good]] = True
        if not good.all():
            stated.append(f"{name} ({data.notes[f'between:{name}']})")
    checks = []
    name = "facets not between their materials"
    check = none_of(name, wrong, data.points, data.facets[:, : data.dim])
    if stated:
        check = Check(
            check.name, check.value, check.limit, False, f"{check.place}: {listed(stated)}"
        )
    checks.append(check)
    one, two = (data.cell_tags[top.cell(top.inner[:, k])] for k in (0, 1))
    open_ = top.inner[(one != two) & ~top.inner_tagged]
    checks.append(_reported("interface facets in no group", top, open_[:, 0]))
    sides = top.outer[~np.isin(top.outer_key, top.tagged)]
    checks.append(_reported("boundary facets in no group", top, sides))
    return checks


def grain_checks(top: Topology, place: Ints) -> list[Check]:
    """Number of grains, each of one piece, and boundaries exactly where two grains meet.

    Args:
        top: Of a mesh with grains.
        place: One node number for all nodes at a place: a crack through a grain leaves it whole.
    """
    data = top.data
    assert data.grains is not None
    present = np.unique(data.grains)
    n = int((present > 0).sum())
    wanted = data.notes.get("grains")
    stated = int(wanted) if isinstance(wanted, int | float) else n
    known = len(data.orientations) if data.orientations is not None else max(int(present[-1]), n)
    full = n == stated and present[0] >= 0 and int(present[-1]) <= known
    gone = np.setdiff1d(np.arange(1, stated + 1), present)
    text = f"without cells: grain {listed(map(str, gone.tolist()))}" if len(gone) else ""
    checks = [Check("grains", n, f"{stated}, numbered up to {known}", full, text)]
    checks += _pieces_of_grains(top, place)

    facets, points = data.facets[:, : data.dim], data.points
    tag = data.facet_groups.get(BOUNDARIES)
    if tag is None:
        return checks
    mine = data.facet_tags == tag
    sides = np.append(data.grains, 0)[top.tagged_cells]
    idle = mine & ((sides[:, 0] == sides[:, 1]) | (sides.min(axis=1) <= 0))
    checks.append(none_of("grain boundary facets off two grains", idle, points, facets))
    one, two = (data.grains[top.cell(top.inner[:, k])] for k in (0, 1))
    missing = top.inner[(one != two) & (one > 0) & (two > 0) & ~top.inner_tagged]
    checks.append(_rows("facets between grains in no group", top, missing[:, 0]))
    return checks


def part_checks(top: Topology) -> list[Check]:
    """Parts that share no node, parts that hang together by nodes or edges alone, and pinches."""
    data = top.data
    nodes, by_node = _node_parts(data)
    allowed = data.notes.get("parts", 1)
    expected = int(allowed) if isinstance(allowed, int | float) else 1
    facets, by_facet = _components(top.cell(top.inner), len(data.cells))
    ok = nodes == 1 or nodes == expected
    where = "" if ok else _smallest(data, by_node)
    checks = [Check("separate parts", nodes, str(expected), ok, where)]
    whole = facets in (nodes, expected)
    where = "" if whole else _smallest(data, by_facet)
    checks.append(Check("parts joined by nodes alone", facets - nodes, "0", whole, where))
    checks.append(_pinches(top))
    return checks


def _pinches(top: Topology) -> Check:
    """Edges (nodes in 2-D) off fronts at which the surface of the body touches itself."""
    data, d = top.data, top.data.dim
    corners = top.vertices(top.outer)
    ridges: Ints = corners.reshape(-1, 1)
    if d == 3:
        ridges = np.concatenate([corners[:, [i, j]] for i, j in EDGES[2]])
    _, first, count = np.unique(keys(ridges, len(data.points)), return_index=True,
                                return_counts=True)  # fmt: skip
    touching = ridges[first[count > 2]]
    fronts = np.concatenate([np.zeros(0, np.int64), *(f.ravel() for f in data.fronts.values())])
    touching = touching[~np.isin(touching, fronts).any(axis=1)]
    where = at(data.points[touching[0]]) if len(touching) else ""
    return report("edges where the surface touches itself", len(touching), where)


def _allowed(data: MeshData, note: object) -> list[tuple[int, int]] | None:
    """Pairs of cell tags (ascending, 0: outside) that a note allows; None without one."""
    if not isinstance(note, str) or "|" not in note:
        return None
    pairs = []
    for text in note.split(","):
        one, _, two = (part.strip() for part in text.partition("|"))
        tags = [data.cell_groups.get(name, -1) if name else 0 for name in (one, two)]
        pairs.append((min(tags), max(tags)))
    return pairs


def _pieces_of_grains(top: Topology, place: Ints) -> list[Check]:
    """Grains in several pieces: refused where grains alone surround a piece."""
    data = top.data
    assert data.grains is not None
    outer = top.vertices(top.outer)
    match = keys(place[outer], len(data.points))
    order = np.argsort(match, kind="stable")
    same = np.flatnonzero(match[order][1:] == match[order][:-1])
    across = np.stack([top.outer[order[same]], top.outer[order[same + 1]]], axis=1)
    pairs = top.cell(np.concatenate([top.inner, across]))
    grain = data.grains[pairs]
    _, label = _components(pairs[grain[:, 0] == grain[:, 1]], len(data.cells))
    first = np.unique(label[data.grains > 0], return_index=True)
    piece, size = np.unique(label[data.grains > 0], return_counts=True)
    grain_of = data.grains[data.grains > 0][first[1]]
    # all but the largest piece of each grain
    ranked = np.lexsort((-size, grain_of))
    again = np.zeros(len(piece), dtype=bool)
    again[ranked[1:]] = grain_of[ranked][1:] == grain_of[ranked][:-1]
    extra = piece[again]
    # what a void, a filament or the outside may have cut
    open_rows = np.delete(np.arange(len(top.outer)), np.unique(order[np.append(same, same + 1)]))
    cut = label[top.cell(top.outer[open_rows])]
    foreign = grain.min(axis=1) <= 0
    cut = np.union1d(cut, label[pairs[foreign]].ravel())
    lonely = np.isin(label, np.setdiff1d(extra, cut)) & (data.grains > 0)
    corners = data.cells[:, : data.dim + 1]
    n = len(np.setdiff1d(extra, cut))
    where = at(data.points[corners[int(np.argmax(lonely))]]) if n else ""
    return [
        Check("stray pieces of grains", n, "0", n == 0, where),
        report("pieces of grains cut by flaws", len(extra) - n),
    ]


def _folded(top: Topology) -> Ints:
    """Rows of facets whose two cells lie on the same side."""
    data, d = top.data, top.data.dim
    found = [np.zeros(0, dtype=np.int64)]
    for part in chunks(len(top.inner)):
        rows = top.inner[part]
        corners = top.vertices(rows[:, 0])
        base = data.points[corners[:, 0], :d]
        edges = data.points[corners[:, 1:], :d] - base[:, None]
        side = []
        for k in (0, 1):
            # the vertex of the cell that its facet leaves out
            whole = data.cells[top.cell(rows[:, k]), : d + 1].sum(axis=1)
            to = data.points[whole - corners.sum(axis=1), :d] - base
            side.append(determinant(np.concatenate([edges, to[:, None]], axis=1)))
        found.append(rows[side[0] * side[1] > 0, 0])
    return np.concatenate(found)


def _node_parts(data: MeshData) -> tuple[int, NDArray[np.int32]]:
    """Number of parts that share no node, and the part of each cell."""
    first = data.cells[:, 0]
    pairs = np.concatenate(
        [np.stack([first, data.cells[:, k]], axis=1) for k in range(1, data.dim + 1)]
    )
    _, label = _components(pairs, len(data.points))
    mine = label[first]
    return len(np.unique(mine)), mine


def _components(pairs: Ints, n: int) -> tuple[int, NDArray[np.int32]]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    return int(count), label


def _smallest(data: MeshData, label: NDArray[np.int32]) -> str:
    """A place in the smallest part."""
    parts, count = np.unique(label, return_counts=True)
    cell = int(np.argmax(label == parts[np.argmin(count)]))
    return at(data.points[data.cells[cell, : data.dim + 1]])


def _rows(name: str, top: Topology, rows: Ints) -> Check:
    """A check that there are no such rows."""
    n = len(rows)
    return Check(name, n, "0", n == 0, _first(top, rows))


def _reported(name: str, top: Topology, rows: Ints) -> Check:
    return report(name, len(rows), _first(top, rows))


def _first(top: Topology, rows: Ints) -> str:
    return at(top.data.points[top.vertices(rows[:1])[0]]) if len(rows) else ""
