"""The part of a mesh that consists of chosen cell groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import are_facets


def restrict(data: MeshData, groups: Iterable[str]) -> MeshData:
    """Keep the cells of some groups and what belongs to them.

    Args:
        data: The whole mesh.
        groups: Cell groups to keep.

    Returns:
        Their cells with renumbered points; tagged facets, fronts and lines that lie on kept cells,
        under their names (names of which nothing is left are dropped); grains keep their numbers.
        Notes on what separates groups or measures dropped groups do not hold any more and go.

    Raises:
        MeshError: For an unknown group or when no cell is left.
    """
    names = list(dict.fromkeys(groups))
    tags = [data.cell_tag(name) for name in names]
    kept = np.isin(data.cell_tags, tags)
    if not kept.any():
        raise MeshError("no cell is left of the mesh", key="mesh", value=names)
    cells = data.cells[kept]
    used = nodes_of(data, names)
    number = np.full(len(data.points), -1, dtype=np.int64)
    number[used] = np.arange(len(used))

    on = are_facets(data.facets, cells, data.dim, data.order, len(data.points))
    facet_tags = data.facet_tags[on]
    fronts = {name: number[_inside(number, nodes)] for name, nodes in data.fronts.items()}
    lines = {name: number[_inside(number, nodes)] for name, nodes in data.lines.items()}
    gone = {f"{kind}:{g}" for g in set(data.cell_groups) - set(names) for kind in _MEASURES}
    notes = {
        key: value
        for key, value in data.notes.items()
        if key not in gone and not key.startswith("between:") and key != "grains"
    }
    return replace(
        data,
        points=data.points[used],
        cells=number[cells],
        cell_tags=data.cell_tags[kept],
        facets=number[data.facets[on]],
        facet_tags=facet_tags,
        cell_groups={name: tag for name, tag in data.cell_groups.items() if name in names},
        facet_groups={n: t for n, t in data.facet_groups.items() if (facet_tags == t).any()},
        fronts={name: nodes for name, nodes in fronts.items() if len(nodes)},
        lines={name: nodes for name, nodes in lines.items() if len(nodes)},
        grains=None if data.grains is None else data.grains[kept],
        notes=notes,
    )


def nodes_of(data: MeshData, groups: Iterable[str]) -> NDArray[np.int64]:
    """Node numbers in the whole mesh of the nodes that `restrict` keeps, in its order."""
    tags = [data.cell_tag(name) for name in groups]
    return np.unique(data.cells[np.isin(data.cell_tags, tags)])


_MEASURES = ("area", "volume", "area_tolerance", "volume_tolerance")


def sorted_facets(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted vertices of the facets of simplices; facet i is opposite to vertex i.

    Args:
        cells: Vertices, shape (n, dim + 1).

    Returns:
        Shape (n, dim + 1, dim).
    """
    corners = cells.shape[1]
    local = [[j for j in range(corners) if j != i] for i in range(corners)]
    return np.sort(cells[:, np.array(local)], axis=2)


def _inside(number: NDArray[np.int64], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of which every node is kept."""
    return nodes[(number[nodes] >= 0).all(axis=1)]
