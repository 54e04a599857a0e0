"""Where tagged facets of a mesh end or meet: fronts and mouths of cracks, triple lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ssbmech.meshes.bisect import bisect
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints, cell_facets, keys, meetings
from ssbmech.meshes.group_names import GRAIN_BOUNDARIES


def triple_lines(data: MeshData) -> Ints:
    """Edges (3-D) or points (2-D) at which three grain boundaries meet, as vertex nodes."""
    tag = data.facet_groups.get(GRAIN_BOUNDARIES, -1)
    return meetings(data.facets[data.facet_tags == tag][:, : data.dim])


def rim(data: MeshData, groups: Sequence[str]) -> tuple[Ints, Ints]:
    """Where facet groups end: inside the body, and on its boundary or at another material.

    Args:
        data: Mesh with the facets still inside, not split.
        groups: Facet groups that make one crack.

    Returns:
        Points (2-D, shape (k, 1)) or edges (3-D, shape (k, 2)) of the front and of the mouth.
    """
    d, n = data.dim, len(data.points)
    tags = [data.facet_groups[g] for g in groups if g in data.facet_groups]
    own = np.isin(data.facet_tags, tags)
    chosen = data.facets[own][:, :d]
    pieces = _ridges(chosen)
    rows, count = np.unique(pieces, axis=0, return_counts=True)
    ends = rows[count == 1]
    every = cell_facets(data.cells, d, data.order)[:, :d]
    key = keys(every, n)
    _, first, times = np.unique(key, return_index=True, return_counts=True)
    outer = every[first[times == 1]]
    if on_side(data, groups):  # half of a crack: the plane of symmetry does not end it
        through = own | np.isin(data.facet_tags, _same_plane(data, chosen))
        both = keys(np.concatenate([outer, data.facets[through][:, :d]]), n)
        outer = outer[~np.isin(both[: len(outer)], both[len(outer) :])]
    interfaces = data.facets[~own & (_sides_differ(data))][:, :d]
    stop = np.unique(_ridges(np.concatenate([outer, interfaces])), axis=0)
    both = np.concatenate([ends, stop])
    _, inverse = np.unique(both, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    at_wall = np.isin(inverse[: len(ends)], inverse[len(ends) :])
    return ends[~at_wall], ends[at_wall]


def on_side(data: MeshData, groups: Sequence[str]) -> bool:
    """Whether facet groups lie on the boundary of the mesh: half of a crack on a symmetry plane."""
    d = data.dim
    tags = [data.facet_groups[g] for g in groups if g in data.facet_groups]
    one = data.facets[np.isin(data.facet_tags, tags)][:1, :d]
    every = cell_facets(data.cells, d, data.order)[:, :d]
    return len(one) > 0 and int((np.sort(every, axis=1) == np.sort(one, axis=1)).all(1).sum()) == 1


def untag_closed(data: MeshData, groups: Sequence[str], into: str | None = None) -> MeshData:
    """Make every facet of groups that will be split able to open, or take it out of them.

    A facet whose vertices all lie on the rim has no node that would be doubled: where a front
    meets a mouth, and in a neck between two discs. An edge of it that is not on the rim gets a
    node in its middle; a facet without one stays closed and leaves its group.

    Args:
        data: Mesh with the facets still inside.
        groups: Groups that make one crack or one gap.
        into: Group that takes what stays closed, or None: no group.
    """
    while True:
        stuck, ends = _stuck(data, groups)
        if not stuck.any():
            return data
        inner = _inner_edges(data, data.facets[stuck][:, : data.dim], ends)
        for a, b in inner:
            data = bisect(data, a, b)
        if inner:
            continue
        marks = data.facet_tags.copy()
        if into is not None:
            marks[stuck] = data.facet_tag(into)
        keep = np.ones(len(marks), dtype=bool) if into is not None else ~stuck
        data = replace(data, facets=data.facets[keep], facet_tags=marks[keep])


def _stuck(
    data: MeshData, groups: Sequence[str]
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], Ints]:
    """Which facets cannot open, and the rim of the groups."""
    front, mouth = rim(data, groups)
    ends = np.concatenate([front, mouth])
    every = cell_facets(data.cells, data.dim, data.order)[:, : data.dim]
    _, first, times = np.unique(
        keys(every, len(data.points)), return_index=True, return_counts=True
    )
    on_surface = np.unique(every[first[times == 1]])
    closed = np.setdiff1d(np.unique(ends), on_surface)
    tags = [data.facet_groups[g] for g in groups if g in data.facet_groups]
    stuck = np.isin(data.facet_tags, tags)
    stuck &= np.isin(data.facets[:, : data.dim], closed).all(axis=1)
    return stuck, ends


def _inner_edges(data: MeshData, facets: Ints, ends: Ints) -> list[tuple[int, int]]:
    """The longest edge of each facet that is not on the rim, each edge once."""
    if data.dim == 2:
        return [(int(a), int(b)) for a, b in facets]
    on_rim = {(int(a), int(b)) for a, b in np.sort(ends, axis=1)}
    found: dict[tuple[int, int], None] = {}
    for row in facets:
        x, y, z = (int(v) for v in row)
        pairs = [(min(p), max(p)) for p in ((x, y), (y, z), (x, z))]
        free = [p for p in pairs if p not in on_rim]
        if free:
            longest = max(
                free, key=lambda p: float(np.linalg.norm(data.points[p[1]] - data.points[p[0]]))
            )
            found[longest] = None
    return list(found)


def _same_plane(data: MeshData, facets: Ints) -> list[int]:
    """Tags of the symmetry planes in which facets lie, which are in one plane."""
    found = []
    for name, tag in data.facet_groups.items():
        if name.startswith("symmetry"):
            nodes = np.concatenate([data.facets[data.facet_tags == tag][:, : data.dim], facets])
            extent = np.ptp(data.points[np.unique(nodes)][:, : data.dim], axis=0)
            if extent.min() < 1e-9 * extent.max():
                found.append(tag)
    return found


def _ridges(facets: Ints) -> Ints:
    """Vertices of 2-D facets, sorted edges of 3-D ones."""
    if facets.shape[1] == 2:
        return facets.reshape(-1, 1)
    return np.sort(np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [0, 2]]]), 1)


def _sides_differ(data: MeshData) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether a tagged facet lies between two different cell groups."""
    differ = np.zeros(len(data.facets), dtype=bool)
    for name, tag in data.facet_groups.items():
        sides = str(data.notes.get(f"between:{name}", ""))
        pairs = [pair.split("|") for pair in sides.split(",") if pair]
        if pairs and all(len(set(p)) == 2 and "" not in p for p in pairs):
            differ |= data.facet_tags == tag
    return differ
