"""Meshes a tessellation: grains as cells with numbers, boundaries as facets, triple lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import NODES, Floats, Ints, compact, orient
from ssbmech.meshes.group_names import GRAIN_BOUNDARIES, SIDES, TRIPLE_LINES
from ssbmech.meshes.polytopes import as_lists
from ssbmech.meshes.progress import tell
from ssbmech.meshes.session import TYPES, fill_volumes, session
from ssbmech.meshes.tessellation import Tessellation

CELLS = "electrolyte"


@dataclass
class _Entities:
    """Gmsh's entities by what they are.

    Attributes:
        grains: Entities of the mesh's dimension and their grain from 0.
        groups: Entities one dimension lower by the name of their facet group.
        triple: Entities two dimensions lower where three grains or more meet.
    """

    grains: list[tuple[int, int]] = field(default_factory=list)
    groups: dict[str, list[int]] = field(default_factory=dict)
    triple: list[int] = field(default_factory=list)


def mesh_grains(made: Tessellation, h: float) -> MeshData:
    """First-order mesh of a tessellation.

    Args:
        made: What to mesh.
        h: Size of elements [um]; shorter edges of grains get one element.

    Returns:
        One cell group, ``electrolyte``, with a grain number per cell; facet groups of the sides
        and ``grain_boundaries``; ``lines["triple_lines"]``. Sides are exactly planar, and in a
        periodic box nodes on opposite sides differ by exactly the size of the box.

    Raises:
        MeshError: If Gmsh cannot mesh it.
    """
    dim = made.dim
    with session("polycrystal", doing="mesh the grains", Mesh_MeshSizeMax=h) as gmsh:
        tell(f"geometry of {made.n_cells} grains")
        found = (_plane if dim == 2 else _solid)(gmsh, made)
        tell(f"meshing {len(made.faces)} boundaries")
        gmsh.model.mesh.generate(2)
        if dim == 3:
            tell(f"filling {made.n_cells} grains")
            fill_volumes(gmsh)
        tell("collecting cells and boundaries")
        data, twins = _collect(gmsh, made, found)
    return _exact_sides(data, made, twins)


def _plane(gmsh: Any, made: Tessellation) -> _Entities:
    geo, found = gmsh.model.geo, _Entities()
    points = [geo.addPoint(float(x), float(y), 0) for x, y in made.vertices]
    loops: list[list[int]] = [[] for _ in range(made.n_cells)]
    at: list[set[int]] = [set() for _ in points]
    lines = []
    for (a, b), pair in zip(made.faces, as_lists(made.neighbours), strict=True):
        line = geo.addLine(points[a], points[b])
        lines.append(line)
        for sign, cell in zip((1, -1), pair, strict=True):
            if cell >= 0:
                loops[cell].append(sign * line)
                at[a].add(int(made.grain[cell]))
                at[b].add(int(made.grain[cell]))
        _name(found, pair, line)
    for cell, loop in enumerate(loops):
        curve = geo.addCurveLoop(loop, reorient=True)
        found.grains.append((geo.addPlaneSurface([curve]), int(made.grain[cell])))
    found.triple = [p for p, grains in zip(points, at, strict=True) if len(grains) > 2]
    geo.synchronize()
    _match_sides(gmsh, made, lines)
    return found


def _solid(gmsh: Any, made: Tessellation) -> _Entities:
    geo, found = gmsh.model.geo, _Entities()
    points = [geo.addPoint(*map(float, row)) for row in made.vertices]
    pairs, faces_at = made.edges()
    lines = {}
    for (a, b), faces in zip(as_lists(pairs), faces_at, strict=True):
        lines[a, b] = geo.addLine(points[a], points[b])
        lines[b, a] = -lines[a, b]
        cells = np.unique(made.neighbours[sorted(faces)])
        if len(np.unique(made.grain[cells[cells >= 0]])) > 2:
            found.triple.append(lines[a, b])
    shells: list[list[int]] = [[] for _ in range(made.n_cells)]
    surfaces = []
    for loop, pair in zip(made.faces, as_lists(made.neighbours), strict=True):
        curves = [lines[a, b] for a, b in zip(loop, (*loop[1:], loop[0]), strict=True)]
        surface = geo.addPlaneSurface([geo.addCurveLoop(curves)])
        surfaces.append(surface)
        for cell in pair:
            if cell >= 0:
                shells[cell].append(surface)
        _name(found, pair, surface)
    for cell, shell in enumerate(shells):
        volume = geo.addVolume([geo.addSurfaceLoop(shell)])
        found.grains.append((volume, int(made.grain[cell])))
    geo.synchronize()
    _match_sides(gmsh, made, surfaces)
    return found


def _name(found: _Entities, pair: list[int], entity: int) -> None:
    name = GRAIN_BOUNDARIES if pair[1] >= 0 else SIDES[-1 - pair[1]]
    found.groups.setdefault(name, []).append(entity)


def _match_sides(gmsh: Any, made: Tessellation, entities: list[int]) -> None:
    """Make the mesh on every high side of a periodic box a copy of that on the low side."""
    if not made.periodic:
        return
    for axis in range(made.dim):
        lower, upper = [], []
        # coordinates across are the same numbers on both sides, so they are names
        across = np.delete(made.vertices, axis, axis=1)
        names = [frozenset(map(bytes, across[list(loop)])) for loop in made.faces]
        low, high = made.neighbours[:, 1] == -1 - 2 * axis, made.neighbours[:, 1] == -2 - 2 * axis
        above = {names[face]: entities[face] for face in np.flatnonzero(high)}
        for face in np.flatnonzero(low):
            lower.append(entities[face])
            upper.append(above.pop(names[face]))
        shift = np.eye(4)
        shift[axis, 3] = made.box[1, axis] - made.box[0, axis]
        gmsh.model.mesh.setPeriodic(made.dim - 1, upper, lower, shift.ravel().tolist())


def _collect(gmsh: Any, made: Tessellation, found: _Entities) -> tuple[MeshData, list[Ints]]:
    """The mesh by entity, and for each periodic axis the nodes on its high and low side."""
    dim = made.dim
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    number = np.full(int(tags.max()) + 1, -1, dtype=np.int64)
    number[tags.astype(np.int64)] = np.arange(len(tags))
    points = np.asarray(coordinates, dtype=np.float64).reshape(-1, 3)

    def elements(d: int, entities: list[int]) -> tuple[Ints, Ints]:
        """Nodes of elements, and the place in the list of the entity of each."""
        parts = [np.zeros((0, NODES[d, 1]), dtype=np.int64)]
        for entity in entities:
            _, nodes = gmsh.model.mesh.getElementsByType(TYPES[d, 1], abs(entity))
            parts.append(number[np.asarray(nodes, dtype=np.int64)].reshape(-1, NODES[d, 1]))
        lengths = [len(part) for part in parts[1:]]
        return np.concatenate(parts), np.repeat(np.arange(len(entities)), lengths)

    cells, where = elements(dim, [entity for entity, _ in found.grains])
    missing = np.setdiff1d(np.arange(len(found.grains)), where)
    if len(missing):
        raise MeshError(
            "a grain has no elements", key="h", value=found.grains[missing[0]][1] + 1,
            hint="Lower h or raise smallest",
        )  # fmt: skip
    grains = np.array([grain for _, grain in found.grains])[where] + 1
    names = [name for name in (GRAIN_BOUNDARIES, *SIDES) if name in found.groups]
    rows = [elements(dim - 1, found.groups[name])[0] for name in names]
    facets = np.concatenate(rows)
    marks = np.repeat(np.arange(1, len(names) + 1), [len(row) for row in rows])
    triple, _ = elements(dim - 2, found.triple)
    twins = []
    if made.periodic:
        for s, name in enumerate(SIDES[: 2 * dim]):
            pairs = [_twins(gmsh, dim - 1, entity) for entity in found.groups[name]]
            if s % 2 and any(len(p) for p in pairs):
                twins.append(number[np.concatenate(pairs)])
    used, arrays, _ = compact(points, cells, facets, triple, *twins)
    data = MeshData(
        dim=dim,
        order=1,
        points=used,
        cells=orient(used, arrays[0], dim, 1),
        cell_tags=np.ones(len(cells), dtype=np.int32),
        facets=arrays[1],
        facet_tags=marks.astype(np.int32),
        cell_groups={CELLS: 1},
        facet_groups={name: k for k, name in enumerate(names, start=1)},
        lines={TRIPLE_LINES: arrays[2]},
        grains=grains.astype(np.int32),
    )
    return data, arrays[3:]


def _twins(gmsh: Any, dim: int, entity: int) -> Ints:
    """Nodes of a periodic entity and the nodes that they are copies of, shape (n, 2)."""
    master, nodes, originals, _ = gmsh.model.mesh.getPeriodicNodes(dim, entity)
    if master == entity:
        return np.zeros((0, 2), dtype=np.int64)
    return np.column_stack([nodes, originals]).astype(np.int64)


def _exact_sides(data: MeshData, made: Tessellation, twins: list[Ints]) -> MeshData:
    """Take rounding out of the nodes on the sides."""
    points: Floats = data.points
    if data.dim == 2:
        points[:, 2] = 0.0
    for s, name in enumerate(SIDES):
        if name in data.facet_groups:
            rows = data.facets[data.facet_tags == data.facet_groups[name]]
            points[rows.ravel(), s // 2] = made.box[s % 2, s // 2]
    for axis, pairs in enumerate(twins):
        across = np.delete(np.arange(3), axis)
        points[pairs[:, :1], across] = points[pairs[:, 1:], across]
    return data
