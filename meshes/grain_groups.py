"""Turns cell groups, one for each grain, into grain numbers of one group."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, cell_facets, keys, meetings
from ssbmech.meshes.group_names import GRAIN_BOUNDARIES, TRIPLE_LINES

# Names of the cells of a tessellation, and of its faces, edges and vertices, in Neper and Gmsh.
_GRAIN = re.compile(r"(?:poly|grain|cell|group)[ _-]?(\d+)", re.I)
_PIECE = re.compile(r"(?:face|edge|ver|group)[ _-]?\d+", re.I)


def as_grains(
    data: MeshData,
    group: str = "electrolyte",
    *,
    orientation_of: Mapping[str, Floats] | None = None,
) -> MeshData:
    """Make cell groups named after grains the grains of one group.

    Grains are the groups ``poly1``, ``grain_1``, ``cell1``, ``group_1`` and so on, numbered from 1
    in the order of their numbers. Facets between two of them become ``grain_boundaries`` unless a
    group with a name of its own has them, and edges (points in 2-D) at which three or more
    boundaries meet become ``triple_lines``. Groups that merely number the faces, edges and
    vertices of the tessellation are left out where they lie inside.

    Args:
        data: A mesh whose grains are cell groups; one that has grain numbers stays as it is.
        group: Name of the one cell group that they become.
        orientation_of: Unit quaternion (x, y, z, w) by cell group; of every grain, or of none.

    Raises:
        MeshError: If no group is named like a grain, the new name is taken, or some grains have
            an orientation and others have none.
    """
    if data.grains is not None:
        return data
    numbers = {n: int(m[1]) for n in data.cell_groups if (m := _GRAIN.fullmatch(n))}
    if not numbers:
        raise MeshError(
            "no cell group is named like a grain",
            key="grains",
            value=sorted(data.cell_groups),
            allowed="poly1, poly2, ... or grain_1, grain_2, ...",
        )
    if group in data.cell_groups:
        raise MeshError(f"the mesh has a group {group!r} beside its grains", key="grains")
    names = sorted(numbers, key=lambda name: (numbers[name], name))
    lookup = np.zeros(max(data.cell_groups.values()) + 1, dtype=np.int32)
    for grain, name in enumerate(names, start=1):
        lookup[data.cell_groups[name]] = grain
    grains = lookup[data.cell_tags]
    others = [name for name in data.cell_groups if name not in numbers]
    groups = {group: 1} | {name: k for k, name in enumerate(others, start=2)}
    new_tag = np.ones(len(lookup), dtype=np.int32)
    for name in others:
        new_tag[data.cell_groups[name]] = groups[name]
    changed = replace(
        data,
        cell_tags=new_tag[data.cell_tags],
        cell_groups=groups,
        grains=grains,
        orientations=_rows(names, orientation_of or {}),
        fronts={n: v for n, v in data.fronts.items() if not _PIECE.fullmatch(n)},
        notes=data.notes | {"grains": len(names)},
    )
    return _with_boundaries(changed, group)


def _rows(names: list[str], orientation_of: Mapping[str, Floats]) -> Floats | None:
    missing = [name for name in names if name not in orientation_of]
    if len(missing) == len(names):
        return None
    if missing:
        raise MeshError(
            f"{len(missing)} of {len(names)} grains have no orientation",
            key="grains",
            value=missing[0],
            hint="Give every grain one, or none",
        )
    return np.array([orientation_of[name] for name in names], dtype=float)


def _with_boundaries(data: MeshData, group: str) -> MeshData:
    """Tag the facets between different grains, and find where three boundaries meet."""
    assert data.grains is not None
    d, n = data.dim, len(data.points)
    every = cell_facets(data.cells, d, data.order)
    both = keys(np.concatenate([every[:, :d], data.facets[:, :d]]), n)
    order = np.argsort(both[: len(every)], kind="stable")
    key = both[order]
    pair = np.flatnonzero(key[1:] == key[:-1])
    one, two = data.grains[order[pair] // (d + 1)], data.grains[order[pair + 1] // (d + 1)]
    between = pair[(one != two) & (one > 0) & (two > 0)]
    inner, inner_key = every[order[between]], key[between]

    tagged = both[len(every) :]
    numbered = [tag for name, tag in data.facet_groups.items() if _PIECE.fullmatch(name)]
    kept = ~(np.isin(tagged, inner_key) & np.isin(data.facet_tags, numbered))
    kept_tags = data.facet_tags[kept]
    free = ~np.isin(inner_key, tagged[kept])
    left = {int(tag) for tag in np.unique(kept_tags)}
    names = {name: tag for name, tag in data.facet_groups.items() if tag in left}
    notes = dict(data.notes)
    lines = dict(data.lines)
    rows, tags = data.facets[kept], kept_tags
    if free.any():
        tag = names.setdefault(GRAIN_BOUNDARIES, max(names.values(), default=0) + 1)
        notes[f"between:{GRAIN_BOUNDARIES}"] = f"{group}|{group}"
        rows = np.concatenate([rows, inner[free]])
        tags = np.concatenate([tags, np.full(int(free.sum()), tag, dtype=np.int32)])
        triple = meetings(inner[free][:, :d])
        if len(triple):
            lines[TRIPLE_LINES] = triple
    return replace(data, facets=rows, facet_tags=tags, facet_groups=names, lines=lines, notes=notes)
