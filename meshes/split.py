"""Splits the nodes along a crack that is meshed as interior facets into two faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import FACETS, Floats, Ints, keys


def split_crack(
    data: MeshData,
    facet_group: str | Sequence[str],
    front: str | Sequence[str] | Ints | None,
    *,
    lower: str | Sequence[str],
    upper: str | Sequence[str],
    normal: ArrayLike | None = None,
) -> MeshData:
    """Open a crack: each of its interior facets becomes two coincident boundary facets.

    Around every node of the crack the cells are grouped by what they can reach through facets
    that are not in the crack; each group after the first gets a node of its own. At the front
    the cells are connected around the crack's edge, so the front stays one line; at a free
    surface, or where cracks meet, nodes split into as many as there are sides. Works for first
    and second order, in 2-D and 3-D; call it once per crack where cracks meet.

    Args:
        data: Mesh with the crack as tagged interior facets.
        facet_group: Its facet group, or several that make one crack (partly filled faces).
        front: Its fronts in ``data.fronts``, or their vertex nodes as an array; every edge of
            the crack inside the body must be in one of them. None: wherever the crack ends.
        lower: Name(s) of the new face group(s) on the ``-normal`` side, one per ``facet_group``.
        upper: The same on the ``+normal`` side.
        normal: Vector that tells above from below; +y in 2-D and +z in 3-D by default.

    Returns:
        The mesh with the groups ``lower`` and ``upper`` in place of ``facet_group``.

    Raises:
        MeshError: If the group is empty, lies on the boundary, is parallel to ``normal``, or its
            inner edge is not the front; with coordinates.
    """
    groups, below, above = (_names(n) for n in (facet_group, lower, upper))
    fronts: list[str] = []
    front_nodes: list[Ints] = []
    if isinstance(front, np.ndarray):
        fronts, front_nodes = ["front"], [front]
    elif front is not None:
        fronts = _names(front)
        front_nodes = [data.front(name, key="front") for name in fronts]
    if not len(groups) == len(below) == len(above):
        raise MeshError("each crack group needs one lower and one upper name", value=(below, above))
    direction = np.zeros(3)
    direction[data.dim - 1] = 1.0
    if normal is not None:
        direction = np.zeros(3)
        given = np.asarray(normal, dtype=float).ravel()
        if len(given) not in (2, 3) or not np.isfinite(given).all() or not given.any():
            raise MeshError("not a direction", key="normal", value=normal, allowed="a vector")
        direction[: len(given)] = given / np.linalg.norm(given)

    tags = [data.facet_tag(name, key="facet_group") for name in groups]
    is_crack = np.isin(data.facet_tags, tags)
    if not is_crack.any():
        raise MeshError("the crack has no facets", key="facet_group", value=groups)
    crack = data.facets[is_crack]

    n, d, order = len(data.points), data.dim, data.order
    table = np.array(FACETS[d, order])
    per = d + 1
    every = data.cells[:, table].reshape(-1, table.shape[1])
    stacked = keys(np.concatenate([every[:, :d], data.facets[:, :d]]), n)
    key, facet_key = stacked[: len(every)], stacked[len(every) :]
    crack_key = facet_key[is_crack]
    by_key = np.argsort(key, kind="stable")
    sorted_key = key[by_key]

    first, count = _places(sorted_key, crack_key)
    if (count != 2).any():
        bad = int(np.argmax(count != 2))
        raise MeshError(
            f"a crack facet has {count[bad]} neighbour cells at {_at(data.points[crack[bad]])}",
            key=", ".join(groups),
            allowed="2: crack facets lie inside the body",
        )
    pair = np.stack([by_key[first], by_key[first + 1]], axis=1)  # rows of `every`

    # Incidences (cell, crack node); connected where cells share a facet that is not in the crack.
    is_crack_node = np.zeros(n, dtype=bool)
    is_crack_node[crack] = True
    inc_cell, inc_local = np.nonzero(is_crack_node[data.cells])
    inc_node = data.cells[inc_cell, inc_local]
    incidence = np.full(data.cells.shape, -1, dtype=np.int64)
    incidence[inc_cell, inc_local] = np.arange(len(inc_cell))
    twin = np.nonzero(sorted_key[1:] == sorted_key[:-1])[0]
    in_crack = np.isin(sorted_key[twin], crack_key)
    left, right = by_key[twin[~in_crack]], by_key[twin[~in_crack] + 1]
    label = _components(every, table, per, left, right, incidence, len(inc_cell))

    # Per node the component with the smallest cell number keeps the node.
    component, first_row = np.unique(label, return_index=True)
    node_of = inc_node[first_row]
    ranked = np.lexsort((first_row, node_of))
    is_new = np.zeros(len(component), dtype=bool)
    is_new[ranked[1:]] = node_of[ranked][1:] == node_of[ranked][:-1]
    number = node_of.copy()
    number[is_new] = n + np.arange(int(is_new.sum()))
    new_of_incidence = number[np.searchsorted(component, label)]

    if front is not None:
        _check_front(data, crack, front_nodes, np.unique(node_of[is_new]), fronts)

    cells = data.cells.copy()
    cells[inc_cell, inc_local] = new_of_incidence
    points = np.vstack([data.points, data.points[node_of[is_new]]])
    new_every = cells[:, table].reshape(-1, table.shape[1])

    others = ~is_crack
    other_first, other_count = _places(sorted_key, facet_key[others])
    if (other_count == 0).any():
        bad_facet = data.facets[others][int(np.argmax(other_count == 0))]
        raise MeshError(f"a facet belongs to no cell at {_at(data.points[bad_facet])}")
    # Keep each facet's own node order: translate node by node through its first cell.
    old_rows = every[by_key[other_first]]
    new_rows = new_every[by_key[other_first]]
    moved = _translate(data.facets[others], old_rows, new_rows)

    up, down = _sides(data, crack, pair // per, direction)
    crack_tags = data.facet_tags[is_crack]
    names = dict(data.facet_groups)
    for name in groups:
        del names[name]
    rows, marks = [moved], [data.facet_tags[others]]
    for side, wanted in ((down, below), (up, above)):
        chosen = pair[np.arange(len(pair)), side]
        face = _translate(crack, every[chosen], new_every[chosen])
        for tag, name in zip(tags, wanted, strict=True):
            if name not in names:
                names[name] = max([*names.values(), *data.facet_groups.values()]) + 1
            rows.append(face[crack_tags == tag])
            marks.append(np.full(int((crack_tags == tag).sum()), names[name], dtype=np.int32))
    return replace(
        data,
        points=points,
        cells=cells,
        facets=np.concatenate(rows),
        facet_tags=np.concatenate(marks).astype(np.int32),
        facet_groups=names,
    )


def _names(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _at(nodes: Floats) -> str:
    centre = nodes.mean(axis=0)
    return "(" + ", ".join(f"{value:.6g}" for value in centre) + ") um"


def _places(sorted_key: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """First place and number of each wanted key in a sorted list."""
    first = np.searchsorted(sorted_key, wanted, side="left")
    return first, np.searchsorted(sorted_key, wanted, side="right") - first


def _components(
    every: Ints, table: Ints, per: int, left: Ints, right: Ints, incidence: Ints, count: int
) -> NDArray[np.int32]:
    """Component of each (cell, crack node) incidence under shared facets off the crack."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    starts, ends = [], []
    for i in range(table.shape[1]):
        node = every[left, i]
        a = incidence[left // per, table[left % per, i]]
        touched = a >= 0
        # The same node sits at another place in the neighbour's facet.
        for j in range(table.shape[1]):
            same = touched & (every[right, j] == node)
            starts.append(a[same])
            ends.append(incidence[right[same] // per, table[right[same] % per, j]])
    row, column = np.concatenate(starts), np.concatenate(ends)
    graph = coo_matrix((np.ones(len(row), dtype=np.int8), (row, column)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _translate(facets: Ints, old: Ints, new: Ints) -> Ints:
    """Facets with each node replaced: in a row, old[j] becomes new[j]."""
    result = facets.copy()
    for i in range(facets.shape[1]):
        place = np.argmax(old == facets[:, i : i + 1], axis=1)
        result[:, i] = new[np.arange(len(new)), place]
    return result


def _sides(data: MeshData, crack: Ints, cells: Ints, direction: Floats) -> tuple[Ints, Ints]:
    """Column of `cells` (two per crack facet) that lies above, and the one below."""
    d = data.dim
    corner = data.points[crack[:, :d]]
    if d == 2:
        along = corner[:, 1] - corner[:, 0]
        normals: Floats = np.stack([-along[:, 1], along[:, 0], 0 * along[:, 0]], axis=1)
    else:
        across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        normals = across.astype(np.float64)
    cosine = (normals @ direction) / np.linalg.norm(normals, axis=1)
    if (np.abs(cosine) < 1e-6).any():
        bad = int(np.argmax(np.abs(cosine) < 1e-6))
        raise MeshError(
            f"above and below cannot be told apart at {_at(corner[bad])}: "
            "the crack is parallel to `normal` there",
            key="normal",
            hint="Give a normal that points out of one face everywhere",
        )
    normals *= np.sign(cosine)[:, None]
    centre = data.points[data.cells[cells][:, :, : d + 1]].mean(axis=2)
    height = np.einsum("fcx,fx->fc", centre - corner.mean(axis=1)[:, None, :], normals)
    up, down = np.argmax(height, axis=1), np.argmin(height, axis=1)
    same = height.max(axis=1) * height.min(axis=1) >= 0
    if same.any():
        bad = int(np.argmax(same))
        raise MeshError(f"both neighbours lie on one side of the crack at {_at(corner[bad])}")
    return up, down


def _check_front(
    data: MeshData, crack: Ints, fronts: list[Ints], doubled: Ints, names: list[str]
) -> None:
    """The nodes of the crack that were not doubled must be those of the front."""
    single = np.setdiff1d(np.unique(crack[:, : data.dim]), doubled)
    given = np.unique(np.concatenate([f.ravel() for f in fronts])) if fronts else np.zeros(0, int)
    missing, extra = np.setdiff1d(single, given), np.setdiff1d(given, single)
    if len(missing):
        raise MeshError(
            f"the crack ends inside the body at {_at(data.points[missing[:1]])}, off the front",
            key=", ".join(names),
            allowed="every inner edge of the crack belongs to a front",
        )
    if len(extra):
        where = "splits there" if np.isin(extra[0], doubled) else "does not pass there"
        raise MeshError(
            f"the front is not the crack's edge at {_at(data.points[extra[:1]])}: "
            f"the crack {where}",
            key=", ".join(names),
        )
