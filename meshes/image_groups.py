"""Names of groups in meshes made from images, and the way from regions to `MeshData`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.group_names import GRAIN_BOUNDARIES, SIDES, pair_name, wall_name
from ssbmech.meshes.labels import VOID, LabelImage
from ssbmech.meshes.scene_rims import triple_lines
from ssbmech.meshes.session import TYPES, collect


def facet_name(a: str, b: str) -> str:
    """Facet group between two cell groups, or between one and void."""
    if VOID in (a, b):
        return wall_name(VOID, b if a == VOID else a)
    return pair_name(a, b)


def name_facets(image: LabelImage, region: Ints, sides: Ints) -> list[str | None]:
    """Group of each facet from the parts on its two sides; None at void outside.

    Args:
        image: The image.
        region: Region of each part.
        sides: Parts, or ``-1 - s`` outside of side s of the box, shape (n, 2).
    """
    cache: dict[tuple[int, int], str | None] = {}
    names = []
    for a, b in _pairs(sides):
        if (a, b) not in cache:
            groups = [image.groups[region[k]] if k >= 0 else None for k in (a, b)]
            outside = next((-1 - k for k in (a, b) if k < 0), None)
            if outside is not None:
                cache[a, b] = None if VOID in groups else SIDES[outside]
            elif groups == [VOID, VOID]:
                cache[a, b] = None
            else:
                cache[a, b] = facet_name(str(groups[0]), str(groups[1]))
        names.append(cache[a, b])
    return names


def _pairs(rows: Ints) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in rows]


def collect_regions(
    gmsh: Any,
    dim: int,
    entities: dict[int, int],
    facets: dict[str, list[int]],
    image: LabelImage,
    region: Ints,
    generate: Callable[[], None],
) -> MeshData:
    """Mesh the model and gather cells by part, facets by name.

    Args:
        gmsh: The module, inside a session.
        dim: 2 or 3.
        entities: Surface or volume of each part.
        facets: Curves or surfaces of each facet group.
        image: The image.
        region: Region of each part.
        generate: Makes the mesh.

    Returns:
        First-order mesh with cell groups, grains and notes for the gate.
    """
    # One group for all: making a group takes as long as the model is large.
    part = {tag: k for k, tag in entities.items()}
    group = gmsh.model.addPhysicalGroup(dim, sorted(part), name="cells")
    for name in sorted(facets):
        gmsh.model.addPhysicalGroup(dim - 1, facets[name], name=name)
    generate()
    data = collect(gmsh, dim, 1)
    rows = []
    for entity in gmsh.model.getEntitiesForPhysicalGroup(dim, group):
        n = len(gmsh.model.mesh.getElementsByType(TYPES[dim, 1], int(entity))[0])
        rows.append(np.full(n, part[int(entity)]))
    parts = np.concatenate(rows)
    data = _name_cells(data, image, region[parts])
    return data if image.grains is None else _number_grains(data, image, region, parts)


def _name_cells(data: MeshData, image: LabelImage, region: Ints) -> MeshData:
    """Regions of cells made cell groups, with notes."""
    meshed = dict.fromkeys(image.groups[r] for r in np.unique(region))
    groups = {name: k for k, name in enumerate(meshed, start=1)}
    of_region = np.array([groups.get(name, 0) for name in image.groups], dtype=np.int32)
    notes: dict[str, float | str] = dict(image.notes) | {"voxel": image.voxel}
    measure = "area" if data.dim == 2 else "volume"
    for name in groups:
        notes[f"{measure}:{name}"] = image.measure(name)
    grained = {g for g, k in zip(image.groups, image.grains or (), strict=False) if k}
    notes |= _between(data.facet_groups, groups, grained)
    return replace(data, cell_tags=of_region[region], cell_groups=groups, notes=notes)


def _number_grains(data: MeshData, image: LabelImage, region: Ints, parts: Ints) -> MeshData:
    """Grains numbered without gaps; every connected piece of one is a grain of its own.

    Cleaning may have removed some, and one grain may show in several places of a section.
    """
    assert image.grains is not None
    number = np.array(image.grains)[region]
    there = np.unique(parts)
    there = there[number[there] > 0]
    there = there[np.lexsort([there, number[there]])]
    place = np.zeros(len(region), dtype=np.int32)
    place[there] = np.arange(1, len(there) + 1)
    notes = data.notes | {"grains": float(len(there))}
    whole = len(np.unique(number[there]))
    if whole < len(there):
        notes["grains_in_pieces"] = float(len(there) - whole)
    return replace(
        data,
        grains=place[parts],
        orientations=None if image.orientations is None else image.orientations[number[there] - 1],
        lines={"triple_lines": triple_lines(data)},
        notes=notes,
    )


def _between(
    facets: Iterable[str], groups: Iterable[str], grained: set[str]
) -> dict[str, float | str]:
    """Which cell groups each facet group lies between, for the gate; some consist of grains."""
    groups = list(groups)
    notes: dict[str, float | str] = {}
    for name in facets:
        pairs = [(a, b) for a in groups for b in groups if a < b and facet_name(a, b) == name]
        if name == GRAIN_BOUNDARIES:
            notes[f"between:{name}"] = ",".join(f"{g}|{g}" for g in groups if g in grained)
        elif name in SIDES:
            notes[f"between:{name}"] = ",".join(f"{g}|" for g in groups)
        elif pairs:
            notes[f"between:{name}"] = ",".join(f"{a}|{b}" for a, b in pairs)
        else:
            notes[f"between:{name}"] = ",".join(
                f"{g}|" for g in groups if facet_name(VOID, g) == name
            )
    return notes


def place(image: LabelImage, points: Floats) -> Floats:
    """Points in units of a voxel to coordinates [um], shape (n, 3)."""
    out = np.zeros((len(points), 3))
    out[:, : points.shape[1]] = points * image.voxel + np.array(image.low)
    return out
