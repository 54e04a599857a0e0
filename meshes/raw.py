"""What a mesh file says, of any format, and how it becomes `MeshData`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import NODES, Floats, Ints, cell_facets, compact, keys, orient

# Name of an element (meshio's) to (dimension, order); None as order: not a simplex.
KINDS: dict[str, tuple[int, int | None]] = {
    "vertex": (0, 1),
    "line": (1, 1),
    "line3": (1, 2),
    "triangle": (2, 1),
    "triangle6": (2, 2),
    "tetra": (3, 1),
    "tetra10": (3, 2),
    "quad": (2, None),
    "quad8": (2, None),
    "quad9": (2, None),
}


@dataclass(frozen=True)
class Block:
    """Elements of one kind.

    Attributes:
        kind: Its name, a key of ``KINDS`` or one that is refused.
        nodes: Node numbers, shape (n, nodes per element).
        codes: Per element a place in ``Raw.groups``, shape (n,).
        grains: Grain number of each element, shape (n,); None without.
    """

    kind: str
    nodes: Ints
    codes: Ints
    grains: Ints | None = None


@dataclass
class Raw:
    """What a file says.

    Attributes:
        points: Shape (n, 3), in the file's unit.
        blocks: The elements.
        groups: Sets of group names; the first is the empty one.
        point_sets: Named nodes.
        facet_sets: Named facets by their nodes, beside those of the blocks.
        lines: Names of those sets below the facets that are no crack fronts.
        orientations: Unit quaternions (x, y, z, w), crystal to sample axes, one per grain of
            ``Block.grains``; None without.
        orientation_of: The same by cell group, for files in which every grain is a group.
        notes: For ``MeshData.notes``, lengths in um.
    """

    points: Floats
    blocks: list[Block] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    point_sets: dict[str, Ints] = field(default_factory=dict)
    facet_sets: dict[str, Ints] = field(default_factory=dict)
    lines: tuple[str, ...] = ("triple_lines",)
    orientations: Floats | None = None
    orientation_of: dict[str, Floats] = field(default_factory=dict)
    notes: dict[str, float | str] = field(default_factory=dict)

    def code(self, names: Iterable[str]) -> int:
        """Place of a set of names in ``groups``."""
        wanted = tuple(sorted(set(names)))
        if wanted not in self.groups:
            self.groups.append(wanted)
        return self.groups.index(wanted)


def assemble(raw: Raw, scale: float) -> MeshData:
    """The mesh that a file describes: cells of the highest dimension, what is tagged below.

    Args:
        raw: What the file says; blocks may be in any order.
        scale: Micrometres per unit of its coordinates.

    Raises:
        MeshError: For coordinates that are not finite, cells in no group or in two, cells of mixed
            order or another shape, facets of no cell; with the place.
    """
    points = raw.points * scale
    if not np.isfinite(points).all():
        bad = int(np.argmax(~np.isfinite(points).all(axis=1)))
        raise MeshError(f"node {bad + 1} has a coordinate that is not a finite number")
    blocks = [_simplices(points, block) for block in raw.blocks if len(block.nodes)]
    dim, order = _shape(blocks)
    cells, cell_tags, cell_groups = _gather(raw, blocks, dim, points)
    if (cell_tags == 0).any():
        bad = int(np.argmax(cell_tags == 0))
        raise MeshError(
            f"{int((cell_tags == 0).sum())} of {len(cells)} cells are in no group, the first at "
            f"{_at(points[cells[bad, : dim + 1]])}",
            hint="Put every cell into one physical group (a material)",
        )
    used = np.unique(cells)
    if used[0] < 0 or used[-1] >= len(points):
        raise MeshError("an element has a node that the file does not define")
    if dim == 2:
        _check_plane(points[used])
    facets, facet_tags, facet_groups = _facets(raw, blocks, dim, order, points, cells)
    fronts = _below(raw, blocks, dim, points, used)
    try:
        new_points, arrays, _ = compact(points, cells, facets, *fronts.values())
    except IndexError:
        raise MeshError("an element has a node that the file does not define") from None
    if dim == 2:
        new_points = new_points.copy()
        new_points[:, 2] = 0.0
    below = dict(zip(fronts, arrays[2:], strict=True))
    notes = _rescaled(raw.notes, scale, dim)
    if len(used) < len(points):
        notes["orphan_nodes_dropped"] = float(len(points) - len(used))
    return MeshData(
        dim=dim,
        order=order,
        points=new_points,
        cells=orient(new_points, arrays[0], dim, order),
        cell_tags=cell_tags,
        facets=arrays[1],
        facet_tags=facet_tags,
        cell_groups=cell_groups,
        facet_groups=facet_groups,
        fronts={name: nodes for name, nodes in below.items() if name not in raw.lines},
        lines={name: nodes for name, nodes in below.items() if name in raw.lines},
        grains=_grains(blocks, dim),
        orientations=raw.orientations,
        notes=notes,
    )


def _simplices(points: Floats, block: Block) -> Block:
    """The block, quadrilaterals cut into triangles; MeshError for any other shape."""
    if block.kind == "quad":
        return Block(
            "triangle",
            _triangles(points, block.nodes),
            np.repeat(block.codes, 2),
            None if block.grains is None else np.repeat(block.grains, 2),
        )
    if KINDS.get(block.kind, (0, None))[1] is None:
        raise MeshError(
            f"{len(block.nodes)} elements are of type {block.kind!r}",
            allowed="triangles and tetrahedra of order 1 and 2, quadrilaterals of order 1",
            hint="Mesh with simplices (Gmsh: without Recombine and transfinite volumes)",
        )
    return block


def _shape(blocks: list[Block]) -> tuple[int, int]:
    """Dimension and order of the cells."""
    dim = max((KINDS[b.kind][0] for b in blocks), default=0)
    if dim < 2:
        raise MeshError("the file has no triangles or tetrahedra", allowed="a 2-D or 3-D mesh")
    orders = {KINDS[b.kind][1] for b in blocks if KINDS[b.kind][0] == dim}
    if len(orders) > 1:
        raise MeshError("the cells are of order 1 and 2", allowed="one order for all cells")
    order = orders.pop()
    assert order is not None
    return dim, order


def _check_plane(points: Floats) -> None:
    z = points[:, 2]
    if np.ptp(z) > 1e-9 * max(float(np.ptp(points[:, :2])), 1e-300):
        raise MeshError(
            "the 2-D mesh is not in a plane z = constant",
            value=f"z from {z.min():g} to {z.max():g} um",
            hint="Turn it into the x-y plane; for axisymmetric models x is the radius",
        )


def _gather(
    raw: Raw, blocks: list[Block], dim: int, points: Floats
) -> tuple[Ints, NDArray[np.int32], dict[str, int]]:
    """Elements of one dimension (their widest order), tags (0: none), names to tags."""
    names: dict[str, int] = {}
    rows, tags = [], []
    for block in blocks:
        if KINDS[block.kind][0] != dim:
            continue
        mark = np.zeros(len(block.nodes), dtype=np.int32)
        for code in np.unique(block.codes):
            group = raw.groups[code]
            if len(group) > 1:
                place = points[block.nodes[int(np.argmax(block.codes == code)), : dim + 1]]
                raise MeshError(
                    f"the element at {_at(place)} is in the groups {', '.join(map(repr, group))}",
                    allowed="one group for each cell and each facet",
                )
            if group:
                mark[block.codes == code] = names.setdefault(group[0], len(names) + 1)
        rows.append(block.nodes)
        tags.append(mark)
    if not rows:
        return np.zeros((0, dim + 1), dtype=np.int64), np.zeros(0, dtype=np.int32), {}
    if len({r.shape[1] for r in rows}) > 1:
        rows = [r[:, : dim + 1] for r in rows]
    return np.concatenate(rows), np.concatenate(tags), names


def _grains(blocks: list[Block], dim: int) -> NDArray[np.int32] | None:
    """Grain number of every cell; None when the file has none."""
    cells = [b for b in blocks if KINDS[b.kind][0] == dim]
    if all(b.grains is None for b in cells):
        return None
    found = [np.zeros(len(b.nodes)) if b.grains is None else b.grains for b in cells]
    return np.concatenate(found).astype(np.int32)


def _facets(
    raw: Raw, blocks: list[Block], dim: int, order: int, points: Floats, cells: Ints
) -> tuple[Ints, NDArray[np.int32], dict[str, int]]:
    """Tagged facets with as many nodes as the cells' facets have, tags, names to tags."""
    rows, tags, names = _gather(raw, blocks, dim - 1, points)
    rows, tags = _match_order(cells, rows[tags > 0], dim, order, points), tags[tags > 0]
    is_vertex = np.zeros(len(points), dtype=bool)
    is_vertex[cells[:, : dim + 1]] = True
    for name, nodes in raw.facet_sets.items():
        if not len(nodes):
            continue
        # vertices first: Neper has the mid-side nodes anywhere
        place = np.argsort(~is_vertex[nodes], axis=1, kind="stable")[:, :dim]
        more = _match_order(cells, np.take_along_axis(nodes, place, 1), dim, order, points)
        # A named set says more than the group that its facets are in.
        both = keys(np.concatenate([rows[:, :dim], more[:, :dim]]), len(points))
        kept = ~np.isin(both[: len(rows)], both[len(rows) :])
        tag = names.setdefault(name, max(names.values(), default=0) + 1)
        rows = np.concatenate([rows[kept], more])
        tags = np.concatenate([tags[kept], np.full(len(more), tag, dtype=np.int32)])
    names = {name: tag for name, tag in names.items() if (tags == tag).any()}
    return rows, tags, names


def _match_order(cells: Ints, facets: Ints, dim: int, order: int, points: Floats) -> Ints:
    """Facets with as many nodes as the cells' facets have."""
    width = NODES[dim - 1, order]
    if not len(facets):
        return np.zeros((0, width), dtype=np.int64)
    if facets.shape[1] == width:
        return facets
    if facets.shape[1] > width:
        return facets[:, :dim]
    every = cell_facets(cells, dim, order)
    both = keys(np.concatenate([every[:, :dim], facets[:, :dim]]), len(points))
    place = np.argsort(both[: len(every)], kind="stable")
    known = both[: len(every)][place]
    at = np.minimum(np.searchsorted(known, both[len(every) :]), len(known) - 1)
    missing = known[at] != both[len(every) :]
    if missing.any():
        bad = facets[int(np.argmax(missing))]
        raise MeshError(f"the facet at {_at(points[bad[:dim]])} belongs to no cell")
    return every[place[at]]


def _below(raw: Raw, blocks: list[Block], dim: int, points: Floats, used: Ints) -> dict[str, Ints]:
    """Named points (2-D) or edges (3-D): fronts and lines."""
    rows, tags, names = _gather(raw, blocks, dim - 2, points)
    found = {name: rows[tags == tag][:, : max(1, dim - 1)] for name, tag in names.items()}
    if dim == 2:
        for name, nodes in raw.point_sets.items():
            found.setdefault(name, nodes[:, None])
    for name, nodes in found.items():
        if not np.isin(nodes, used).all():
            raise MeshError(f"the front {name!r} has nodes of no cell")
    return found


def _rescaled(notes: dict[str, float | str], scale: float, dim: int) -> dict[str, float | str]:
    """Notes of a file that holds another unit: measures are scaled, unknown numbers left out."""
    if scale == 1.0:
        return dict(notes)
    kept: dict[str, float | str] = {}
    for key, value in notes.items():
        head = key.partition(":")[0]
        if isinstance(value, str) or head in ("grains", "parts", "area_tolerance",
                                              "volume_tolerance"):  # fmt: skip
            kept[key] = value
        elif head in ("area", "volume"):
            kept[key] = value * scale**dim
    return kept


def _triangles(points: Floats, quads: Ints) -> Ints:
    """Two triangles per quadrilateral, cut along the shorter diagonal."""
    p = points[quads]
    short = np.linalg.norm(p[:, 0] - p[:, 2], axis=1) <= np.linalg.norm(p[:, 1] - p[:, 3], axis=1)
    first = np.where(short[:, None], quads[:, [0, 1, 2]], quads[:, [0, 1, 3]])
    other = np.where(short[:, None], quads[:, [0, 2, 3]], quads[:, [1, 2, 3]])
    return np.stack([first, other], axis=1).reshape(-1, 3)


def _at(nodes: Iterable[Any]) -> str:
    centre = np.asarray(nodes, dtype=float).mean(axis=0)
    return "(" + ", ".join(f"{value:.6g}" for value in centre) + ") um"


def place_of(wanted: Ints, ordered: Ints, index: Ints) -> Ints:
    """Rows of nodes by their numbers in the file.

    Args:
        wanted: Node numbers, shape (n,).
        ordered: All node numbers, ascending.
        index: Row of each of them.
    """
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    if (ordered[place] != wanted).any():
        raise MeshError("an element has a node that the file does not define")
    return index[place].astype(np.int64)
