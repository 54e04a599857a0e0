"""Tags the facets of a mesh into which a layer of cells was put: its faces, its ends, the sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.cohesive import FacetIndex, Mask
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints, cell_facets, keys
from ssbmech.meshes.split import _translate


@dataclass(frozen=True)
class Faces:
    """Tagged facets of the new mesh, their groups, and notes on what they lie between."""

    facets: Ints
    tags: NDArray[np.int32]
    groups: dict[str, int]
    notes: dict[str, float | str]


def layer_faces(data: MeshData, index: FacetIndex, cut: Mask, new: MeshData, origin: Ints) -> Faces:
    """Tagged facets with the layer in place.

    Args:
        data: Mesh before.
        index: Of its facets.
        cut: Its thickened facets.
        new: Mesh with the layer as its last cells.
        origin: Node before of each node of ``new``.
    """
    d, n_old = data.dim, len(data.cells)
    owner = index.owners()
    kept = ~cut | (owner[:, 1] < 0)
    cell = owner[:, 0] // (d + 1)
    # Thickened facets on the boundary stay where they are; the others go with their cells.
    follows = ~cut[kept]
    facets = data.facets[kept].copy()
    rows = cell[kept][follows]
    facets[follows] = _translate(facets[follows], data.cells[rows], new.cells[:n_old][rows])
    tags = data.facet_tags[kept]

    near = np.zeros(len(new.points), dtype=bool)
    near[len(data.points) :] = True
    near[data.facets[cut]] = True
    sub = np.flatnonzero(near[new.cells].any(axis=1))
    every = cell_facets(new.cells[sub], d, 1)
    stacked = keys(np.concatenate([every, facets]), len(new.points))
    row = np.argsort(stacked[: len(every)], kind="stable")
    key = stacked[row]
    same = np.r_[key[1:] == key[:-1], False]
    single = ~(same | np.r_[False, same[:-1]])
    pair = np.flatnonzero(same)
    a, b = sub[row[pair] // (d + 1)], sub[row[pair + 1] // (d + 1)]
    inner = (b >= n_old) & (new.cell_tags[a] != new.cell_tags[b])
    inner &= ~np.isin(key[pair], stacked[len(every) :])
    name_of = {tag: name for name, tag in new.cell_groups.items()}
    gone = np.setdiff1d(data.facet_tags[cut], tags)
    groups = {name: tag for name, tag in data.facet_groups.items() if tag not in gone}
    notes: dict[str, float | str] = {}
    more, marks = [facets], [tags]
    between = np.sort(np.stack([new.cell_tags[a], new.cell_tags[b]], axis=1)[inner], axis=1)
    for low, high in np.unique(between, axis=0).tolist():
        chosen = (between == (low, high)).all(axis=1)
        first, second = sorted((name_of[low], name_of[high]))
        name = f"{first}_{second}"
        groups.setdefault(name, max([0, *groups.values(), *data.facet_groups.values()]) + 1)
        notes[f"between:{name}"] = f"{first}|{second}"
        more.append(every[row[pair[inner]][chosen]])
        marks.append(np.full(int(chosen.sum()), groups[name], dtype=np.int32))

    outer = np.flatnonzero(single)
    outer = outer[(sub[row[outer] // (d + 1)] >= n_old)]
    outer = outer[~np.isin(key[outer], stacked[len(every) :])]
    ends = every[row[outer]]
    side = kept & ~cut & (owner[:, 1] < 0)
    mark = _side_of_ends(ends, facets[side[kept]], data.facet_tags[side], origin, len(data.points))
    more.append(ends[mark > 0])
    marks.append(mark[mark > 0].astype(np.int32))
    # What an outer group lies on: the layer's cells too, over its ends and on thickened facets.
    end_tag = new.cell_tags[sub[row[outer] // (d + 1)]]
    lies_on = {(int(k), name_of[int(t)]) for k, t in zip(mark, end_tag, strict=True)}
    on_layer = {name_of[int(t)] for t in new.cell_tags[n_old:]}
    lies_on |= {(int(k), name) for k in np.unique(tags[~follows]) for name in on_layer}
    for name, tag in groups.items():
        old = data.notes.get(f"between:{name}")
        if isinstance(old, str):
            also = sorted(f"{layer}|" for k, layer in lies_on if k == tag)
            notes[f"between:{name}"] = ",".join(dict.fromkeys([*old.split(","), *also]))
    return Faces(np.concatenate(more), np.concatenate(marks).astype(np.int32), groups, notes)


def _side_of_ends(
    ends: Ints, sides: Ints, tags: NDArray[np.int32], origin: Ints, n_old: int
) -> Ints:
    """Tag of the outer side that each end face of the layer extends, 0 for an untagged one.

    An end face lies over an edge (2-D: a node) of an outer facet and has at least one moved copy
    of its nodes; the outer facet with that edge and that copy is the one it extends.
    """
    d = sides.shape[1]
    if d == 2:
        table: Ints = sides.reshape(-1, 1)
        source = np.repeat(tags, 2)
        wanted: Ints = ends.max(axis=1, keepdims=True)
    else:
        corners = np.array([(0, 1), (1, 2), (2, 0)])
        edges = sides[:, corners].reshape(-1, 2)
        table = np.concatenate([np.column_stack([origin[edges], edges[:, k]]) for k in (0, 1)])
        source = np.tile(np.repeat(tags, 3), 2)
        # Two of the three nodes share an origin, or one edge is whole: the largest is a copy.
        low, high = origin[ends].min(axis=1), origin[ends].max(axis=1)
        wanted = np.column_stack([low, high, ends.max(axis=1)])
    is_copy = table[:, -1] >= n_old
    table, source = table[is_copy], source[is_copy]
    stacked = keys(np.concatenate([table, wanted]), len(origin))
    known, first = np.unique(stacked[: len(table)], return_index=True)
    if not len(known):
        return np.zeros(len(ends), dtype=np.int64)
    asked = stacked[len(table) :]
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[at] == asked, source[first[at]], 0).astype(np.int64)
