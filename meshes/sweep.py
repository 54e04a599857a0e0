"""Sweeps a triangle mesh of a half-plane around an axis into tetrahedra.

A front that is swept has elements that are long along it and small across it: for smooth
fronts far fewer unknowns give the same K than with elements of one size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import (
    Floats,
    Ints,
    compact,
    elevate,
    keys,
    orient,
    refuse_inverted,
    straighten,
)

Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# Node order that brings the smallest vertex of a prism to the first place (Dompierre et al.,
# "How to subdivide pyramids, prisms and hexahedra into tetrahedra", 1999).
_TURNS = np.array(
    [
        [0, 1, 2, 3, 4, 5],
        [1, 2, 0, 4, 5, 3],
        [2, 0, 1, 5, 3, 4],
        [3, 5, 4, 0, 2, 1],
        [4, 3, 5, 1, 0, 2],
        [5, 4, 3, 2, 1, 0],
    ]
)


@dataclass(frozen=True)
class Section:
    """Where the nodes of a swept mesh come from.

    Attributes:
        u: First coordinate in the half-plane (away from the axis unless the caller says), (n,).
        v: Second coordinate, (n,).
        angle: Angle of the half-plane [rad], (n,).
        on_axis: Whether the node is on the axis, where the angle means nothing, (n,).
    """

    u: Floats
    v: Floats
    angle: Floats
    on_axis: Mask


def sweep(
    base: MeshData,
    angles: Floats,
    on_axis: Mask,
    place: Callable[[Floats, Floats, Floats], Floats],
    *,
    closed: bool,
    order: int,
    caps: tuple[str, str] | None = None,
    rename: Callable[[str, int], str] | None = None,
    project: Mapping[str, Callable[[Floats], Floats]] | None = None,
    straight: Callable[[Floats], Mask] | None = None,
) -> MeshData:
    """Sweep a first-order triangle mesh through half-planes at the given angles.

    Args:
        base: Triangles with edges as tagged facets and tips as fronts.
        angles: Angles of the half-planes [rad], increasing, shape (k + 1,).
        on_axis: Which nodes of ``base`` are on the axis, and so in all half-planes.
        place: Gives points, shape (n, 3), from u, v (coordinates in the base) and angle.
        closed: Whether the last half-plane is the first again.
        order: 1 or 2; second order has mid-side nodes at the placed middle of u, v and angle.
        caps: Facet groups of the first and the last half-plane, unless closed.
        rename: New name of a facet group in the sector with the given number.
        project: By name of a curved edge group: moves points of the base, shape (n, 2), onto the
            exact curve, for mid-side nodes.
        straight: Of the (u, v) of both ends, shape (n, 2, 2): edges with the plain midpoint.

    Returns:
        Tetrahedra, with swept groups; groups that collapse on the axis vanish.
    """
    n, sectors = len(base.points), len(angles) - 1
    layers = sectors if closed else sectors + 1
    numbers = np.arange(n)[None, :] + n * np.arange(layers)[:, None]
    numbers[:, on_axis] = np.arange(n)[on_axis]
    if closed:
        numbers = np.vstack([numbers, numbers[:1]])

    # Diagonals start in every second half-plane: the mesh is then its own mirror image about
    # each of them, and not twisted one way, which would tilt K along the front.
    layer = np.repeat(np.arange(layers), n)
    rank = np.arange(n * layers) + (layer % 2) * (n * layers)

    tets, tags = [], []
    for k in range(sectors):
        prism = np.hstack([numbers[k][base.cells], numbers[k + 1][base.cells]])
        cut, rows = _tetrahedra(prism, rank[prism])
        tets.append(cut)
        tags.append(base.cell_tags[rows])
    cells = np.concatenate(tets)

    names: dict[str, int] = {}
    facets: list[Ints] = []
    marks: list[Ints] = []

    def add(name: str, rows: Ints) -> None:
        if len(rows):
            facets.append(rows)
            marks.append(np.full(len(rows), names.setdefault(name, len(names) + 1)))

    for name, tag in base.facet_groups.items():
        lines = base.facets[base.facet_tags == tag]
        for k in range(sectors):
            new = rename(name, k) if rename else name
            add(new, _triangles(numbers[k][lines], numbers[k + 1][lines], rank))
    if caps is not None and not closed:
        add(caps[0], numbers[0][base.cells])
        add(caps[1], numbers[-1][base.cells])
    fronts = {}
    for name, tips in base.fronts.items():
        line = numbers[:, tips[:, 0]]
        edges = np.stack([line[:-1].T.ravel(), line[1:].T.ravel()], axis=1)
        edges = edges[edges[:, 0] != edges[:, 1]]  # a tip on the axis stays a point
        if len(edges):
            fronts[name] = edges

    total = n * layers
    u = np.tile(base.points[:, 0], layers)
    v = np.tile(base.points[:, 1], layers)
    turn = np.repeat(angles[:layers], n)
    axis = np.tile(on_axis, layers)
    every = np.concatenate(facets) if facets else np.zeros((0, 3), dtype=np.int64)
    dummy = np.zeros((total, 3))
    _, arrays, kept = compact(dummy, cells, every, *fronts.values())
    section = Section(u[kept], v[kept], turn[kept], axis[kept])
    points = place(section.u, section.v, section.angle)
    cells = orient(points, arrays[0], 3, 1)
    every = arrays[1]
    facet_tags = np.concatenate(marks).astype(np.int32)
    if order == 2:
        curved = {
            name: every[facet_tags == names[name]] for name in (project or {}) if name in names
        }

        def middle(edges: Ints) -> Floats:
            return _middles(section, points, edges, place, curved, project or {}, straight)

        points, cells, every = elevate(points, cells, every, 3, middle)
        keep: list[Ints] = [every[facet_tags == names[name], 3:].ravel() for name in curved]
        keep += [_front_middles(cells, line) for line in arrays[2:]]
        points = straighten(points, cells, 3, np.concatenate([*keep, np.zeros(0, dtype=np.int64)]))
    refuse_inverted(points, cells, 3, order, "Use more sectors, or first order")
    return MeshData(
        dim=3,
        order=order,
        points=points,
        cells=cells,
        cell_tags=np.concatenate(tags).astype(np.int32),
        facets=every,
        facet_tags=facet_tags,
        cell_groups=dict(base.cell_groups),
        facet_groups=names,
        fronts=dict(zip(fronts, arrays[2:], strict=True)),
    )


def _tetrahedra(prism: Ints, rank: Ints) -> tuple[Ints, Ints]:
    """Prisms (n, 6) to tetrahedra and the prism each comes from; collapsed ones are left out.

    Every quadrilateral is cut at its vertex of lowest rank, so neighbours agree.
    """
    # On the axis top and bottom are one node; the second bit keeps the order total.
    rank = rank * 2 + np.array([0, 0, 0, 1, 1, 1])
    turned = np.argmin(rank, axis=1)
    p = np.take_along_axis(prism, _TURNS[turned], axis=1)
    r = np.take_along_axis(rank, _TURNS[turned], axis=1)
    first = np.minimum(r[:, 1], r[:, 5]) < np.minimum(r[:, 2], r[:, 4])
    one = np.array([[0, 1, 2, 5], [0, 1, 5, 4], [0, 4, 5, 3]])
    two = np.array([[0, 1, 2, 4], [0, 4, 2, 5], [0, 4, 5, 3]])
    cut = np.where(first[:, None, None], p[:, one], p[:, two]).reshape(-1, 4)
    ordered = np.sort(cut, axis=1)
    whole = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
    return cut[whole], np.repeat(np.arange(len(prism)), 3)[whole]


def _triangles(low: Ints, high: Ints, rank: Ints) -> Ints:
    """Triangles of the quadrilaterals between edges (n, 2) of two layers, cut as the prisms."""
    quad = np.column_stack([low, high[:, ::-1]])  # around: a0 b0 b1 a1
    smallest = np.argmin(rank[quad], axis=1)
    even = (smallest % 2 == 0)[:, None, None]
    # From corners 0 or 2 the diagonal is 0-2, from 1 or 3 it is 1-3.
    one, two = np.array([[0, 1, 2], [0, 2, 3]]), np.array([[0, 1, 3], [1, 2, 3]])
    cut = np.where(even, quad[:, one], quad[:, two]).reshape(-1, 3)
    ordered = np.sort(cut, axis=1)
    return cut[(ordered[:, 1:] != ordered[:, :-1]).all(axis=1)]


def _front_middles(cells: Ints, front: Ints) -> Ints:
    """Mid-side nodes of the cells that touch a front: thin ones bend with it as a whole."""
    return np.unique(cells[np.isin(cells[:, :4], front).any(axis=1), 4:])


def _middles(
    section: Section,
    points: Floats,
    edges: Ints,
    place: Callable[[Floats, Floats, Floats], Floats],
    curved: Mapping[str, Ints],
    project: Mapping[str, Callable[[Floats], Floats]],
    straight: Callable[[Floats], Mask] | None,
) -> Floats:
    """Mid-side nodes of edges: placed middle of the parameters."""
    i, j = edges[:, 0], edges[:, 1]
    angle_i, angle_j = section.angle[i].copy(), section.angle[j].copy()
    angle_i[section.on_axis[i]] = angle_j[section.on_axis[i]]
    angle_j[section.on_axis[j]] = angle_i[section.on_axis[j]]
    # Across the seam of a closed sweep the short way round is meant.
    wide = np.abs(angle_i - angle_j) > np.pi
    angle_i = np.where(wide & (angle_i < angle_j), angle_i + 2 * np.pi, angle_i)
    angle_j = np.where(wide & (angle_j < angle_i - np.pi), angle_j + 2 * np.pi, angle_j)
    plane = np.column_stack([(section.u[i] + section.u[j]) / 2, (section.v[i] + section.v[j]) / 2])
    edge_key = keys(edges, len(points))
    for name, triangles in curved.items():
        pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        on = np.isin(edge_key, keys(pairs, len(points)))
        plane[on] = project[name](plane[on])
    result = place(plane[:, 0], plane[:, 1], (angle_i + angle_j) / 2)
    if straight is not None:
        plain = straight(np.stack([section.u[edges], section.v[edges]], axis=2))
        result[plain] = (points[i] + points[j])[plain] / 2
    return result
