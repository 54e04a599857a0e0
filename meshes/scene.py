"""A geometry painted from parts that overlap: one region, its holes, interfaces and cracks.

Parts are painted one over another; Gmsh (OpenCASCADE) cuts them into pieces, each piece belongs to
the last part that covers it, and everything else follows from what lies on the two sides of a
facet: interfaces, grain boundaries, walls of voids. Sheets (cracks, blocked patches) lie inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import are_facets
from ssbmech.meshes.group_names import ORDER, pair_name, wall_name
from ssbmech.meshes.progress import tell
from ssbmech.meshes.scene_parts import (
    Part,
    Sheet,
    refuse_outside,
    sized_outlines,
    sized_rims,
    sized_walls,
)
from ssbmech.meshes.scene_rims import triple_lines
from ssbmech.meshes.scene_sizes import Sized, Slab, merged, set_sizes
from ssbmech.meshes.session import TYPES, collect, fill_volumes
from ssbmech.meshes.sizing import Grading

# Relative error of the volume of a curved part in straight elements, of the size that curvature
# gives: (2 pi/N)^2/6 for a circle of N chords, three times that for a sphere.
_FACETING = {2: 0.015, 3: 0.08}


@dataclass(frozen=True)
class _Pieces:
    """What Gmsh made of the parts: owner of each piece, facet groups, walls, rims, measures.

    Walls are sized facets, rims sized ends of sheets; ``faceted`` is the share of each cell group
    that straight elements may miss.
    """

    owner: dict[int, Part]
    groups: dict[str, list[int]]
    between: dict[str, set[str]]
    walls: Sized
    rims: Sized
    measures: dict[str, float]
    faceted: dict[str, float]


def mesh_scene(
    gmsh: Any,
    dim: int,
    parts: Sequence[Part],
    sheets: Sequence[Sheet],
    side: Callable[[Any], str | None],
    sizes: dict[str, Grading],
    everywhere: float,
    *,
    order: int,
    key: str,
    slabs: Sequence[Slab] = (),
) -> MeshData:
    """Cut, name and mesh a scene. Sheets stay interior facets: `split_crack` opens them.

    Args:
        gmsh: The module, inside a session.
        dim: 2 or 3.
        parts: In the order of painting.
        sheets: Facets inside; names may repeat.
        side: Gives the group of an outer side from its bounding box (xmin, ..., zmax) [um].
        sizes: Element sizes near facet groups; groups that the scene lacks are left out.
        everywhere: Largest element [um].
        order: Order of the cells; curved sides get curved cells.
        key: For messages.
        slabs: Flat layers with small elements.

    Returns:
        The mesh with grain numbers, triple lines and the notes ``between:GROUP``.

    Raises:
        MeshError: If nothing is left of the body, or Gmsh fails.
    """
    tell(f"cutting {sum(len(p.tags) for p in parts)} parts")
    pieces = _cut(gmsh, dim, parts, sheets, side, key)
    if not pieces.owner:
        raise MeshError("the features leave nothing of the body", key=key)
    walls = [(sizes[name], tags) for name, tags in pieces.groups.items() if name in sizes]
    set_sizes(gmsh, dim, walls + pieces.walls, pieces.rims, slabs, everywhere)
    _name_groups(gmsh, dim, pieces)
    for d in range(1, dim + 1):
        tell(f"meshing {len(gmsh.model.getEntities(d))} {('curves', 'faces', 'volumes')[d - 1]}")
        if d < 3:
            gmsh.model.mesh.generate(d)
        else:
            fill_volumes(gmsh)
    if order == 2:
        gmsh.model.mesh.setOrder(2)
    data = collect(gmsh, dim, order)
    grains = _grains(gmsh, dim, order, pieces.owner)
    data = _drop_lost_facets(data)
    notes: dict[str, float | str] = {
        f"between:{name}": ",".join(sorted(v)) for name, v in pieces.between.items() if v
    }
    data = replace(data, notes=data.notes | pieces.measures | notes)
    if order == 1:
        kind = "area_tolerance" if dim == 2 else "volume_tolerance"
        rough: dict[str, float | str] = {
            f"{kind}:{name}": share for name, share in pieces.faceted.items()
        }
        data = replace(data, notes=data.notes | rough)
    if not grains.any():
        return data
    data = replace(data, grains=grains)
    return replace(data, lines=data.lines | {"triple_lines": triple_lines(data)})


def _cut(
    gmsh: Any, dim: int, parts: Sequence[Part], sheets: Sequence[Sheet], side: Callable, key: str
) -> _Pieces:
    occ = gmsh.model.occ
    objects = [(dim, tag) for part in parts for tag in part.tags]
    tools = [(dim - 1, tag) for sheet in sheets for tag in sheet.tags]
    if len(objects) + len(tools) > 1:
        _, cut = occ.fragment(objects, tools)
    else:
        cut = [[item] for item in objects]
    occ.synchronize()
    owner: dict[int, Part] = {}
    at = 0
    for part in parts:
        painted = False
        for _ in part.tags:
            for d, tag in cut[at]:
                if d == dim and _may_cover(part, owner.get(tag)):
                    owner[tag] = part
                    painted = True
            at += 1
        if not painted:  # never lose a feature in silence
            where = f" in {' or '.join(part.over)}" if part.over else ""
            raise MeshError(
                f"a part of the geometry ({part.name or part.wall}) takes no room{where}", key=key,
                hint="It lies outside the body, or in what it may not cover",
            )  # fmt: skip
    inside: dict[str, list[int]] = {}
    by_sheet: list[tuple[Sheet, list[int]]] = []
    for sheet in sheets:
        found: list[int] = []
        for _ in sheet.tags:
            found += [tag for d, tag in cut[at] if d == dim - 1]
            at += 1
        inside.setdefault(sheet.name, []).extend(found)
        by_sheet.append((sheet, found))
    refuse_outside(gmsh, dim, owner, by_sheet, side)
    groups, between = _facet_groups(gmsh, dim, owner, inside, side)
    walls = sized_walls(gmsh, dim, owner)
    rims = merged(sized_rims(gmsh, dim, by_sheet, groups) + sized_outlines(gmsh, dim, by_sheet))
    curved = sum(float(occ.getMass(dim, tag)) for tag, part in owner.items() if part.curved)
    holes = [(dim, tag) for tag, part in owner.items() if part.name is None]
    if holes:
        occ.remove(holes, recursive=True)
        occ.synchronize()
    kept = {tag: part for tag, part in owner.items() if part.name is not None}
    alive = {tag for _, tag in gmsh.model.getEntities(dim - 1)}
    groups = {name: [t for t in tags if t in alive] for name, tags in groups.items()}
    lower = {tag for _, tag in gmsh.model.getEntities(dim - 2)}
    walls = [(size, [t for t in tags if t in alive]) for size, tags in walls]
    rims = [(size, [t for t in tags if t in lower]) for size, tags in rims]
    measures: dict[str, float] = {}
    for tag, part in kept.items():
        name = f"{'area' if dim == 2 else 'volume'}:{part.name}"
        measures[name] = measures.get(name, 0.0) + float(occ.getMass(dim, tag))
    faceted = {
        name.split(":")[1]: _FACETING[dim] * curved / value
        for name, value in measures.items()
        if curved > 0
    }
    return _Pieces(kept, groups, between, walls, rims, measures, faceted)


def _may_cover(part: Part, now: Part | None) -> bool:
    return not part.over or (now is not None and now.name in part.over)


def _facet_groups(
    gmsh: Any, dim: int, owner: dict[int, Part], inside: dict[str, list[int]], side: Callable
) -> tuple[dict[str, list[int]], dict[str, set[str]]]:
    """Facet entities by group, and which cell groups lie on their two sides."""
    groups: dict[str, list[int]] = {}
    between: dict[str, set[str]] = {}
    of_sheet = {tag: name for name, tags in inside.items() for tag in tags}
    for _, tag in gmsh.model.getEntities(dim - 1):
        up = [owner[int(t)] for t in gmsh.model.getAdjacencies(dim - 1, tag)[0] if int(t) in owner]
        solid = [part for part in up if part.name is not None]
        names = sorted(str(part.name) for part in solid)
        if tag in of_sheet:
            name: str | None = of_sheet[tag]
        elif len(solid) == 2:
            same = solid[0].name == solid[1].name
            if same and solid[0].grain == solid[1].grain:
                continue
            name = pair_name(*names)
        elif len(solid) == 1 and len(up) == 2:
            hole = next(part for part in up if part.name is None)
            name = wall_name(hole.wall, names[0])
        elif len(solid) == 1:
            name = side(gmsh.model.getBoundingBox(dim - 1, tag)) or side(_tight(gmsh, dim, tag))
        else:
            continue
        if name is None:
            continue
        groups.setdefault(name, []).append(tag)
        if solid and not name.startswith("crack"):  # cracks will be opened
            between.setdefault(name, set()).add(
                "|".join(names if len(names) == 2 else [*names, ""])
            )
    return groups, between


def _tight(gmsh: Any, dim: int, tag: int) -> list[float]:
    """Box around the corners and the centre of a facet: that of OpenCASCADE may be too large."""
    corners = gmsh.model.getBoundary([(dim - 1, tag)], oriented=False, recursive=True)
    places = [gmsh.model.getValue(0, int(t), []) for _, t in corners]
    places.append(gmsh.model.occ.getCenterOfMass(dim - 1, tag))
    box = np.array(places)
    return [*box.min(axis=0), *box.max(axis=0)]


def _name_groups(gmsh: Any, dim: int, pieces: _Pieces) -> None:
    cells: dict[str, list[int]] = {}
    for tag, part in sorted(pieces.owner.items()):
        cells.setdefault(str(part.name), []).append(tag)
    for name in sorted(cells, key=lambda n: ORDER.index(n) if n in ORDER else 99):
        gmsh.model.addPhysicalGroup(dim, cells[name], name=name)
    for name, tags in pieces.groups.items():
        if tags:
            gmsh.model.addPhysicalGroup(dim - 1, sorted(set(tags)), name=name)


def _grains(gmsh: Any, dim: int, order: int, owner: dict[int, Part]) -> Any:
    """Grain number of each cell, in the order in which `collect` takes them."""
    rows = []
    for _, physical in gmsh.model.getPhysicalGroups(dim):
        for entity in gmsh.model.getEntitiesForPhysicalGroup(dim, physical):
            elements, _ = gmsh.model.mesh.getElementsByType(TYPES[dim, order], int(entity))
            rows.append(np.full(len(elements), owner[int(entity)].grain, dtype=np.int32))
    return np.concatenate(rows)


def _drop_lost_facets(data: MeshData) -> MeshData:
    """Without tagged facets of no cell: parts of sheets that reach out of the body."""
    inside = (data.facets >= 0).all(axis=1)
    facets, tags = data.facets[inside], data.facet_tags[inside]
    kept = are_facets(facets, data.cells, data.dim, data.order, len(data.points))
    used = {int(tag) for tag in np.unique(tags[kept])}
    names = {name: tag for name, tag in data.facet_groups.items() if tag in used}
    return replace(data, facets=facets[kept], facet_tags=tags[kept], facet_groups=names)
