"""A mesh as a plane drawing: a 2-D mesh itself, or a cut through a 3-D one.

The arrays come from the mesh alone; whoever draws does not ask whether it was cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import cell_facets, keys

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Corners of the cut through a tetrahedron, as pairs of its vertices, by the set of vertices on
# the positive side (bit k: vertex k). A set and its complement have the same cut.
_TRIANGLE = {1 << k: [(k, j) for j in range(4) if j != k] for k in range(4)}
_QUAD = {
    (1 << a) | (1 << b): [(a, c), (a, d), (b, d), (b, c)]
    for a, b, c, d in ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))
}


@dataclass(frozen=True)
class Section:
    """Polygons, lines and points of a plane drawing.

    Attributes:
        points: Shape (n, 2) [um].
        faces: Polygons of one number of corners each: nodes (n, corners) and the cell of each
            (n,). Six nodes are those of a second-order triangle.
        lines: Facet group to the nodes of its segments, (n, 2), or (n, 3) with the middle last.
        sizes: Facet group to the longest edge of the mesh's facet behind each segment [um], (n,).
        outlines: Segments between regions and on the boundary, as in ``lines``.
        fronts: Front to its nodes here.
        marks: Other named points.
    """

    points: Floats
    faces: tuple[tuple[Ints, Ints], ...]
    lines: dict[str, Ints]
    sizes: dict[str, Floats]
    outlines: Ints
    fronts: dict[str, Ints]
    marks: dict[str, Ints]

    @property
    def box(self) -> Floats:
        """Low and high corner of the polygons, shape (2, 2) [um]."""
        used = np.unique(np.concatenate([f.ravel() for f, _ in self.faces]))
        p = self.points[used]
        return np.stack([p.min(axis=0), p.max(axis=0)])


def regions(data: MeshData) -> NDArray[np.int64]:
    """What a cell is drawn as: its grain where it has one, minus its group's tag elsewhere."""
    groups = -data.cell_tags.astype(np.int64)
    return groups if data.grains is None else np.where(data.grains > 0, data.grains, groups)


@dataclass(frozen=True)
class Facets:
    """Facets of a mesh that a drawing shows.

    Attributes:
        lonely: Facets on the boundary, nodes of shape (n, nodes per facet).
        lonely_cells: Their cells, shape (n,).
        between: Facets between cells of different regions.
        between_cells: Their two cells, shape (n, 2).
    """

    lonely: Ints
    lonely_cells: Ints
    between: Ints
    between_cells: Ints


def facets(data: MeshData) -> Facets:
    """Boundary facets, and those between regions."""
    every = cell_facets(data.cells, data.dim, data.order)
    key = keys(every[:, : data.dim], len(data.points))
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    same = ordered[1:] == ordered[:-1]
    alone = np.ones(len(key), dtype=bool)
    alone[1:] &= ~same
    alone[:-1] &= ~same
    lonely = order[alone]
    pairs = np.column_stack([order[:-1][same], order[1:][same]])
    region = regions(data)
    width = data.dim + 1
    pairs = pairs[region[pairs[:, 0] // width] != region[pairs[:, 1] // width]]
    return Facets(every[lonely], lonely // width, every[pairs[:, 0]], pairs // width)


def plane(data: MeshData, found: Facets) -> Section:
    """A 2-D mesh as it is."""
    lines = {n: data.facets[data.facet_tags == t] for n, t in data.facet_groups.items()}
    return Section(
        points=data.points[:, :2],
        faces=((data.cells, np.arange(len(data.cells))),),
        lines=lines,
        sizes={name: _longest(data.points, rows[:, :2]) for name, rows in lines.items()},
        outlines=np.concatenate([found.lonely, found.between]),
        fronts={name: nodes[:, 0] for name, nodes in data.fronts.items()},
        marks={name: nodes[:, 0] for name, nodes in data.lines.items()},
    )


def cut(data: MeshData, found: Facets, height: Floats, to_plane: Floats) -> Section:
    """The section of a 3-D mesh; curved cells are cut as if they were straight.

    Args:
        data: A 3-D mesh.
        found: From `facets`.
        height: Signed distance of each node from the plane; zero counts as below.
        to_plane: Two unit vectors that span the plane, shape (2, 3).
    """
    n = len(data.points)
    tets = data.cells[:, :4]
    above = height > 0
    code = (above[tets] * np.array([1, 2, 4, 8])).sum(axis=1)
    corners: list[Ints] = []  # keys of the cut edges
    owners: list[Ints] = []
    edge = _edge_key(height)
    for table in (_TRIANGLE, _QUAD):
        rows, cells = [], []
        for bits, pairs in table.items():
            chosen = np.flatnonzero((code == bits) | (code == 15 - bits))
            cells.append(chosen)
            rows.append(np.column_stack([edge(tets[chosen, i], tets[chosen, j]) for i, j in pairs]))
        corners.append(np.concatenate(rows))
        owners.append(np.concatenate(cells))
    named, sizes = {}, {}
    for name, tag in data.facet_groups.items():
        tagged = data.facets[data.facet_tags == tag, :3]
        tagged = tagged[_crossing(tagged, above)]
        named[name] = _cut_triangles(tagged, above, edge)
        sizes[name] = _longest(data.points, tagged)
    shown = np.concatenate([found.lonely, found.between])[:, :3]
    outline = _cut_triangles(shown[_crossing(shown, above)], above, edge)
    fronts = {name: _cut_edges(rows, above, edge) for name, rows in data.fronts.items()}
    marks = {name: _cut_edges(rows, above, edge) for name, rows in data.lines.items()}
    arrays = [*corners, *named.values(), outline, *fronts.values(), *marks.values()]
    all_keys = np.unique(np.concatenate([a.ravel() for a in arrays]))
    i, j = all_keys // n, all_keys % n
    drop = np.where(i == j, 1.0, height[i] - height[j])
    t = (height[i] / drop)[:, None]
    points = ((1 - t) * data.points[i] + t * data.points[j]) @ to_plane.T
    place = [np.searchsorted(all_keys, a) for a in arrays]
    for k in (0, 1):  # a cell that touches the plane along a side, or less, has no area there
        ordered = np.sort(place[k], axis=1)
        whole = (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) >= 2
        place[k], owners[k] = place[k][whole], owners[k][whole]
    for k, name in enumerate([*named, ""], start=2):
        real = place[k][:, 0] != place[k][:, 1]
        place[k] = place[k][real]
        if name:
            sizes[name] = sizes[name][real]
    lines = place[2 : 2 + len(named)]
    tips = place[3 + len(named) : 3 + len(named) + len(fronts)]
    return Section(
        points=points,
        faces=tuple((f, c) for f, c in zip(place[:2], owners, strict=True) if len(f)),
        lines={k: v for k, v in zip(named, lines, strict=True) if len(v)},
        sizes=sizes,
        outlines=place[2 + len(named)],
        fronts=dict(zip(fronts, tips, strict=True)),
        marks=dict(zip(marks, place[3 + len(named) + len(fronts) :], strict=True)),
    )


def side(data: MeshData, found: Facets, within: NDArray[np.bool_], to_plane: Floats) -> Section:
    """A flat side of a 3-D mesh, with its curved edges as they are.

    Args:
        data: A 3-D mesh.
        found: From `facets`.
        within: Which nodes are on the side.
        to_plane: Two unit vectors that span the side, shape (2, 3).
    """
    flat = within[found.lonely].all(axis=1)
    faces, cells = found.lonely[flat], found.lonely_cells[flat]
    lines, sizes = {}, {}
    for name, tag in data.facet_groups.items():
        rows = data.facets[data.facet_tags == tag]
        rows = sides(rows[~within[rows].all(axis=1)])
        rows = distinct(rows[within[rows].all(axis=1)])
        if len(rows):
            lines[name], sizes[name] = rows, _longest(data.points, rows[:, :2])
    every = sides(faces)
    low, high = every[:, :2].min(axis=1), every[:, :2].max(axis=1)
    _, first, place, count = np.unique(
        low * len(data.points) + high, return_index=True, return_inverse=True, return_counts=True
    )
    region = regions(data)[np.tile(cells, 3)]
    place = place.reshape(-1)
    differs = np.zeros(len(first), dtype=bool)
    np.logical_or.at(differs, place, region != region[first][place])
    return Section(
        points=data.points @ to_plane.T,
        faces=((faces, cells),),
        lines=lines,
        sizes=sizes,
        outlines=every[first[(count == 1) | differs]],
        fronts={n: np.unique(rows[within[rows]]) for n, rows in data.fronts.items()},
        marks={n: np.unique(rows[within[rows]]) for n, rows in data.lines.items()},
    )


_Edge = Callable[[Ints, Ints], Ints]


def _edge_key(height: Floats) -> _Edge:
    """One number per cut edge, the same in both directions; a node in the plane is one point."""
    n = len(height)

    def key(i: Ints, j: Ints) -> Ints:
        # at most one end of a cut edge is in the plane: the other one is above it
        first = np.where(height[j] == 0, j, i)
        second = np.where(height[i] == 0, i, j)
        return np.minimum(first, second) * n + np.maximum(first, second)

    return key


def _crossing(rows: Ints, above: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows of nodes have some on either side."""
    up = above[rows]
    return np.asarray(up.any(axis=1) & ~up.all(axis=1))


def _longest(points: Floats, rows: Ints) -> Floats:
    """Longest edge of each row of corners [um]."""
    count = rows.shape[1]
    ends = [(rows[:, k], rows[:, (k + 1) % count]) for k in range(count)]
    lengths = [np.linalg.norm(points[a] - points[b], axis=1) for a, b in ends]
    return np.asarray(np.max(lengths, axis=0), dtype=float)


def _cut_triangles(t: Ints, above: NDArray[np.bool_], edge: _Edge) -> Ints:
    """Keys of the two cut edges of each triangle, all of which cross the plane, shape (m, 2)."""
    up = above[t]
    k = np.where(up.sum(axis=1) == 1, np.argmax(up, axis=1), np.argmin(up, axis=1))
    rows = np.arange(len(t))
    a, b, c = t[rows, k], t[rows, (k + 1) % 3], t[rows, (k + 2) % 3]
    return np.column_stack([edge(a, b), edge(a, c)])


def _cut_edges(rows: Ints, above: NDArray[np.bool_], edge: _Edge) -> Ints:
    """Keys of the edges that cross the plane, shape (m,)."""
    crossing = above[rows[:, 0]] != above[rows[:, 1]]
    return edge(rows[crossing, 0], rows[crossing, 1])


def sides(faces: Ints) -> Ints:
    """All sides of the polygons: (m, 2), or (m, 3) with the middle for six nodes."""
    if faces.shape[1] == 6:
        return np.concatenate([faces[:, [k, (k + 1) % 3, 3 + k]] for k in range(3)])
    count = faces.shape[1]
    return np.concatenate([faces[:, [k, (k + 1) % count]] for k in range(count)])


def distinct(segments: Ints) -> Ints:
    """Segments without repetition, whatever their direction, and without those of no length."""
    segments = segments[segments[:, 0] != segments[:, 1]]
    low, high = segments[:, :2].min(axis=1), segments[:, :2].max(axis=1)
    key = low * (int(high.max(initial=0)) + 1) + high
    return segments[np.unique(key, return_index=True)[1]]
