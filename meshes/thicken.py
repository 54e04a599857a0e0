"""Gives tagged facets a finite thickness: a layer of cells of its own material.

The facets stay where they are, as the middle of the layer (or, one-sided, as its outer face). Each
part of the body around a node of theirs gets a copy of the node, moved into that part; the gap
between a facet and its moved copy is a prism, split into simplices in the order of the facet's
vertex numbers, so that neighbours agree on the diagonals. The facets' nodes are common to all
parts: the prisms of all facets that meet at an edge or a point fill the junction too, however many
meet there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.cohesive import (
    FacetIndex,
    Mask,
    Parts,
    _at,
    facet_index,
    moved_cells,
    parts_around,
)
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints, signed_measure
from ssbmech.meshes.layer_faces import layer_faces
from ssbmech.meshes.offset import displacements, spread
from ssbmech.meshes.parameters import number as checked
from ssbmech.meshes.rim import continuation
from ssbmech.meshes.split import _translate

# What is left of a cell at least, before the displacement is spread and before it is refused.
_SPREAD, _LEAST = 0.3, 1e-6


def thicken_grain_boundaries(
    data: MeshData, thickness: float, group: str = "grain_boundary"
) -> MeshData:
    """Give the facet group ``grain_boundaries`` a thickness, see `thicken_facets`.

    Args:
        data: Mesh of first order.
        thickness: Of the layer, half of it on either side [um].
        group: Material group of the layer.
    """
    return thicken_facets(data, "grain_boundaries", thickness, group)


def thicken_facets(
    data: MeshData,
    facet_group: str | Sequence[str],
    thickness: float,
    group: str,
    *,
    side: str = "both",
) -> MeshData:
    """Replace facets by a layer of cells of uniform thickness.

    The faces of the layer are exactly parallel to flat facets. A node where more different planes
    of one part meet than there are dimensions gets the least-squares compromise. Nodes on outer
    sides stay on them. Where the facets end at the interface with another material (a grain
    boundary at the lithium), the layer reaches the interface with its whole thickness; the other
    material opens along with it and is filled up. Along an inner edge of the facets inside their
    own material, and where they fold back on themselves by more than 177 degrees (at a crack
    front), the layer closes: it tapers to zero over the last row of facets.

    Args:
        data: Mesh of first order.
        facet_group: One facet group or several that make one sheet. Facets on the boundary (faces
            of a crack that is split already) get their whole thickness inside the body.
        thickness: Of the layer [um].
        group: Material group of the layer; may exist.
        side: ``both`` for half the thickness on either side, or the cell group in which the whole
            layer grows, while the nodes of the other side stay.

    Returns:
        The mesh with the layer; its cells have grain number 0. Outer sides extend over the ends
        of the layer. Interior facet groups that were thickened are replaced by the faces of the
        layer, ``a_b`` in alphabetical order for the cell groups a and b; those on the boundary
        stay. Notes of exact areas or volumes of the materials that the layer took from are gone;
        ``closed:GROUP`` is the number of nodes on an interface at which the layer had to close
        because the mesh beyond has no row of facets that gives way (0 is not noted).

    Raises:
        MeshError: If the layer does not fit; with the place and the largest thickness that does.
    """
    groups = [facet_group] if isinstance(facet_group, str) else list(facet_group)
    checked("thickness", thickness)
    if data.order != 1:
        raise MeshError("only meshes of first order", key="order", value=data.order, allowed="1")
    tags = [data.facet_tag(name, key="facet_group") for name in groups]
    cut = np.isin(data.facet_tags, tags)
    index = facet_index(data)
    width = _widths(data, cut, index.owners(cut), thickness, side)
    stuck: Ints = np.zeros(0, dtype=np.int64)
    if side == "both":
        data, cut, width, stuck = _continued(data, index, cut, width)
        index = facet_index(data) if len(index.tagged) < len(data.facets) else index
    parts = parts_around(data, index, cut, key=", ".join(groups))

    shift = displacements(data, index, cut, parts, width)
    shift[np.isin(parts.node, stuck)] = 0.0
    gap, closed = _open(data, cut, parts, width, shift)
    _check_room(data, gap, ", ".join(groups))
    move = _fit(data, index, cut, gap, thickness)

    names = dict(data.cell_groups)
    names.setdefault(group, max(names.values()) + 1)
    # What opens beyond an interface stays what it was.
    tag = np.where(gap.filled, data.cell_tags[gap.owner], names[group])
    result = replace(
        data,
        points=gap.start + move,
        cells=np.concatenate([gap.cells, gap.layer]),
        cell_tags=np.r_[data.cell_tags, tag].astype(np.int32),
        cell_groups=names,
    )
    if data.grains is not None:
        grain = np.where(gap.filled, data.grains[gap.owner], 0)
        result = replace(result, grains=np.r_[data.grains, grain].astype(np.int32))
    result = _tagged(data, index, cut, result, gap.origin, groups)
    if len(stuck) + closed:
        result.notes[f"closed:{group}"] = len(stuck) + closed
    return result


def _continued(
    data: MeshData, index: FacetIndex, cut: Mask, width: Floats
) -> tuple[MeshData, Mask, Floats, Ints]:
    """The mesh with the facets' continuation beyond interfaces in a nameless group of width 0.

    Also its mask of facets to open, their widths, and nodes that must not move.
    """
    more, stuck = continuation(data, index, cut, width)
    if not len(more):
        return data, cut, width, stuck
    tag = max(data.facet_groups.values()) + 1
    data = replace(
        data,
        facets=np.concatenate([data.facets, more]),
        facet_tags=np.r_[data.facet_tags, np.full(len(more), tag)].astype(np.int32),
        facet_groups=data.facet_groups | {"": tag},
    )
    cut = np.r_[cut, np.ones(len(more), dtype=bool)]
    return data, cut, np.vstack([width, np.zeros((len(more), 2))]), stuck


@dataclass(frozen=True)
class _Gap:
    """The mesh with the facets opened and the gap filled, before and after its nodes move.

    Attributes:
        cells: The cells of the mesh with their nodes on the facets replaced by moved copies.
        layer: New cells.
        owner: Cell beside each new cell.
        filled: Which new cells lie beyond an interface, in the continuation.
        origin: Node before of each node.
        start: Points before moving [um].
        move: Displacement [um].
    """

    cells: Ints
    layer: Ints
    owner: Ints
    filled: Mask
    origin: Ints
    start: Floats
    move: Floats


def _open(
    data: MeshData, cut: Mask, parts: Parts, width: Floats, shift: Floats
) -> tuple[_Gap, int]:
    """Open the facets; also the number of nodes closed because the continuation is in the way."""
    old = len(data.points)
    closed: Ints = np.zeros(0, dtype=np.int64)
    while True:
        opened: Mask = np.asarray(shift.any(axis=1))
        number = parts.node.copy()
        number[opened] = old + np.arange(int(opened.sum()))
        layer, owner = _layer_cells(data, cut, parts, number)
        origin = np.r_[np.arange(old), parts.node[opened]]
        move = np.zeros((len(origin), 3))
        move[old:, : data.dim] = shift[opened]
        start = data.points[origin]
        filled = width.sum(axis=1)[owner[:, 0]] == 0
        cells = moved_cells(data.cells, parts, number)
        gap = _Gap(cells, layer, owner[:, 1], filled, origin, start, move)
        # By a small part of the displacement (the continuation is in the way), or the whole one.
        volume = [signed_measure(start + part * move, layer, data.dim) for part in (1e-3, 1.0)]
        turned = filled & (np.minimum(*volume) <= 0)
        nodes = layer[turned].ravel()
        if not len(nodes):
            return gap, len(closed)
        more = np.unique(origin[nodes[nodes >= old]])
        closed = np.union1d(closed, more)
        shift = np.where(np.isin(parts.node, more)[:, None], 0.0, shift)


def _check_room(data: MeshData, gap: _Gap, key: str) -> None:
    """Raise MeshError if no node can move, or a crack front would be torn."""
    moved = gap.origin[len(data.points) :]
    if not len(moved):
        raise MeshError(
            "the layer has no room to open: all nodes of its facets are on an inner edge",
            key=key,
            hint="Refine the mesh along these facets",
        )
    for name, front in data.fronts.items():
        torn = np.intersect1d(front, moved)
        if len(torn):
            raise MeshError(
                f"the crack front {name!r} crosses the layer at {_at(data.points[torn[:1]])}",
                key=key,
                hint="Make the layer in the geometry where a crack passes it",
            )


def _tagged(
    data: MeshData, index: FacetIndex, cut: Mask, result: MeshData, origin: Ints, groups: list[str]
) -> MeshData:
    """The result with its facet groups and with the notes that still hold."""
    faces = layer_faces(data, index, cut, result, origin)
    before, after = _measures(data), _measures(result)
    taken = [name for name in before if abs(after[name] / before[name] - 1) > 1e-12]
    dropped = {f"{kind}:{name}" for kind in ("area", "volume") for name in taken}
    dropped |= {f"between:{name}" for name in groups if name not in faces.groups}
    return replace(
        result,
        facets=faces.facets,
        facet_tags=faces.tags,
        facet_groups=faces.groups,
        notes={k: v for k, v in data.notes.items() if k not in dropped} | faces.notes,
    )


def _measures(data: MeshData) -> dict[str, float]:
    """Area or volume of each cell group that has cells [um^dim]."""
    each = signed_measure(data.points, data.cells, data.dim)
    found = {
        name: float(each[data.cell_tags == tag].sum()) for name, tag in data.cell_groups.items()
    }
    return {name: value for name, value in found.items() if value > 0}


# -- cells -----------------------------------------------------------------------------------------


def _widths(data: MeshData, cut: Mask, sides: Ints, thickness: float, side: str) -> Floats:
    """Thickness on either side of each facet [um], shape (n_cut, 2)."""
    inside = sides >= 0
    if side == "both":
        return np.where(inside, thickness / inside.sum(axis=1, keepdims=True), 0.0)
    tag = data.cell_tag(side, key="side")
    grows = inside & (data.cell_tags[sides // (data.dim + 1)] == tag)
    wrong: Mask = np.asarray(grows.sum(axis=1) != 1)
    if wrong.any():
        bad = int(np.argmax(wrong))
        raise MeshError(
            f"a facet has {int(grows[bad].sum())} sides in {side!r} at "
            f"{_at(data.points[data.facets[cut][bad]])}",
            key="side",
            value=side,
            allowed="1: the layer grows to one side",
        )
    return np.where(grows, thickness, 0.0)


def _layer_cells(data: MeshData, cut: Mask, parts: Parts, number: Ints) -> tuple[Ints, Ints]:
    """The prisms between facets and their moved copies as simplices.

    With the vertices p of a facet in the order of their numbers and q their copies, the simplices
    are p0 .. pk qk .. q(d-1). Where a vertex has not moved, the one with both is dropped. Their
    orientation follows from the facet's own cell, so that an inverted prism shows.

    Returns:
        Cells, shape (n, dim + 1), and the number of the facet and the cell each comes from.
    """
    d = data.dim
    new = moved_cells(data.cells, parts, number)
    facet, column = np.nonzero(parts.sides >= 0)
    rows = parts.sides[facet, column]
    cell = rows // (d + 1)
    base = np.sort(data.facets[cut][facet], axis=1)
    top = _translate(base, data.cells[cell], new[cell])
    opposite = data.cells[cell].sum(axis=1) - base.sum(axis=1)
    turned = signed_measure(data.points, np.column_stack([base, opposite]), d) < 0
    found = []
    for k in range(d):
        simplex = np.column_stack([base[:, : k + 1], top[:, k:]])
        flip = turned ^ ((d - 1 - k) % 2 == 1)
        simplex[flip, :2] = simplex[flip, 1::-1]
        found.append(np.where((base[:, k] != top[:, k])[:, None], simplex, -1))
    stacked = np.stack(found, axis=1).reshape(-1, d + 1)
    owner = np.repeat(np.stack([facet, cell], axis=1), d, axis=0)
    return stacked[stacked[:, 0] >= 0], owner[stacked[:, 0] >= 0]


def _fit(data: MeshData, index: FacetIndex, cut: Mask, gap: _Gap, thickness: float) -> Floats:
    """Displacements with which no cell is inverted, spread into the body where they have to be.

    Raises:
        MeshError: If there are none; with the place and about the largest thickness that fits.
    """
    d = data.dim
    before = np.abs(signed_measure(data.points, data.cells, d))

    def left(move: Floats, scale: float) -> tuple[Floats, Floats]:
        points = gap.start + scale * move
        return signed_measure(points, gap.cells, d) / before, signed_measure(points, gap.layer, d)

    move = gap.move
    old, new = left(move, 1.0)
    if old.min() > _SPREAD and new.min() > 0:
        return move
    move = spread(data, index, cut, move, gap.cells)
    old, new = left(move, 1.0)
    if old.min() > _LEAST and new.min() > 0:
        return move
    in_layer = old.min() > _LEAST
    worst = gap.layer[int(np.argmin(new))] if in_layer else gap.cells[int(np.argmin(old))]
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        old, new = left(move, middle)
        fits = old.min() > _LEAST and new.min() > 0
        low, high = (middle, high) if fits else (low, middle)
    place = _at(gap.start[worst])
    if low == 0.0:
        raise MeshError(
            f"the facets fold so sharply at {place} that no layer fits",
            key="thickness",
            value=thickness,
            hint="Refine the mesh there",
        )
    raise MeshError(
        f"a layer of thickness {thickness:g} um does not fit at {place}: cells are inverted",
        key="thickness",
        value=thickness,
        allowed=f"up to about {0.99 * low * thickness:.3g} um",
        hint="Choose a thinner layer or larger grains",
    )
