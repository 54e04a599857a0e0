"""Names of groups in meshes made from images, and the way from regions to `MeshData`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints, keys
from ssbmech.meshes.image_slivers import drop_flat_cells
from ssbmech.meshes.labels import VOID, LabelImage
from ssbmech.meshes.session import TYPES, collect

SIDES = ("left", "right", "bottom", "top", "front", "back")
GRAIN_BOUNDARIES = "grain_boundaries"
_SHORT = {"lithium": "li", "electrolyte": "sse"}


def facet_name(a: str, b: str) -> str:
    """Facet group between two cell groups, or between one and void."""
    if a == b:
        return GRAIN_BOUNDARIES
    if VOID in (a, b):
        other = b if a == VOID else a
        return f"{VOID}_{_SHORT.get(other, other)}"
    if {a, b} == set(_SHORT):
        return "li_sse"
    return "_".join(sorted((a, b)))


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
    entities: dict[int, list[int]],
    facets: dict[str, list[int]],
    image: LabelImage,
    generate: Callable[[], None],
) -> MeshData:
    """Mesh the model and gather cells by region, facets by name.

    Args:
        gmsh: The module, inside a session.
        dim: 2 or 3.
        entities: Surfaces or volumes of each region.
        facets: Curves or surfaces of each facet group.
        image: The image.
        generate: Makes the mesh.

    Returns:
        First-order mesh with cell groups, grains and notes for the gate.
    """
    # One group for all: making a group takes as long as the model is large.
    region = {tag: r for r, tags in entities.items() for tag in tags}
    group = gmsh.model.addPhysicalGroup(dim, sorted(region), name="cells")
    for name in sorted(facets):
        gmsh.model.addPhysicalGroup(dim - 1, facets[name], name=name)
    generate()
    data = collect(gmsh, dim, 1)
    rows = []
    for entity in gmsh.model.getEntitiesForPhysicalGroup(dim, group):
        n = len(gmsh.model.mesh.getElementsByType(TYPES[dim, 1], int(entity))[0])
        rows.append(np.full(n, region[int(entity)]))
    marks = np.concatenate(rows)
    if dim == 3:
        data, marks = drop_flat_cells(data, marks)
    return _finish(data, image, marks)


def _finish(data: MeshData, image: LabelImage, region: Ints) -> MeshData:
    """Regions of cells made cell groups and grains, with notes."""
    meshed = dict.fromkeys(image.groups[r] for r in np.unique(region))
    groups = {name: k for k, name in enumerate(meshed, start=1)}
    of_region = np.array([groups.get(name, 0) for name in image.groups], dtype=np.int32)
    notes: dict[str, float | str] = dict(image.notes) | {"voxel": image.voxel}
    measure = "area" if data.dim == 2 else "volume"
    for name in groups:
        notes[f"{measure}:{name}"] = image.measure(name)
    lines: dict[str, Ints] = {}
    grained = {g for g, k in zip(image.groups, image.grains or (), strict=False) if k}
    grains = orientations = None
    if image.grains is not None:
        # cleaning may have removed small ones: those that are left are numbered without gaps
        ids, grains = np.unique(np.array(image.grains)[region], return_inverse=True)
        grains = (grains.reshape(-1) + int(ids[0] > 0)).astype(np.int32)
        notes["grains"] = float(grains.max())
        if image.orientations is not None:
            orientations = image.orientations[ids[ids > 0] - 1]
        lines["triple_lines"] = triple_lines(data)
    notes |= _between(data.facet_groups, groups, grained)
    return replace(
        data, cell_tags=of_region[region], cell_groups=groups, grains=grains,
        orientations=orientations, lines=lines,
        notes=notes,
    )  # fmt: skip


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


def triple_lines(data: MeshData) -> Ints:
    """Points (2-D) or edges (3-D) at which three or more grain boundaries meet."""
    if GRAIN_BOUNDARIES not in data.facet_groups:
        return np.zeros((0, data.dim - 1), dtype=np.int64)
    rows = data.facets[data.facet_tags == data.facet_groups[GRAIN_BOUNDARIES]][:, : data.dim]
    if data.dim == 2:
        point, often = np.unique(rows, return_counts=True)
        return np.asarray(point[often >= 3][:, None])
    edges = np.concatenate([rows[:, [i, j]] for i, j in EDGES[2]])
    _, first, often = np.unique(
        keys(edges, len(data.points)), return_index=True, return_counts=True
    )
    return np.asarray(np.sort(edges[first[often >= 3]], axis=1))


def place(image: LabelImage, points: Floats) -> Floats:
    """Points in units of a voxel to coordinates [um], shape (n, 3)."""
    out = np.zeros((len(points), 3))
    out[:, : points.shape[1]] = points * image.voxel + np.array(image.low)
    return out
