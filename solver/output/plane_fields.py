"""Fields of a plane body for pictures: pieces joined, halves made whole, values on a lattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import animate_steps as steps
from ssbmech.output import figures_data as data

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Components that change their sign in a mirror of the plane.
_ODD = ("stress_xy_MPa", "stress_rz_MPa")
#: A body is not mirrored where that makes it longer than so many times its height.
_LONGEST = 5.0


@dataclass(frozen=True)
class PlaneFields:
    """Fields at the vertices of triangles.

    Attributes:
        points: [um], shape (n, 2).
        cells: Vertex numbers, shape (m, 3).
        displacement: [um], shape (n, 2).
        scalars: Name to values at the vertices, shape (n,).
        material: Number of the material of each cell, shape (m,).
        mirrors: Axes along which the body was mirrored at coordinate 0.
    """

    points: Floats
    cells: Ints
    displacement: Floats
    scalars: dict[str, Floats]
    material: Floats
    mirrors: tuple[int, ...] = ()

    @property
    def outline(self) -> Ints:
        """Edges of one cell alone: the outline and the faces of a crack, shape (k, 2)."""
        edges = np.sort(self.cells[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        found, count = np.unique(edges, axis=0, return_counts=True)
        return np.asarray(found[count == 1])

    @property
    def interfaces(self) -> Ints:
        """Edges between materials, shape (k, 2)."""
        edges = np.sort(self.cells[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        found, number = np.unique(edges, axis=0, return_inverse=True)
        number, mine = np.ravel(number), np.repeat(self.material, 3)
        low, high = np.full(len(found), np.inf), np.full(len(found), -np.inf)
        np.minimum.at(low, number, mine)
        np.maximum.at(high, number, mine)
        return np.asarray(found[high > low])

    def level(self) -> Floats:
        """A function that is 0 on the front, positive in the layer and straight across it."""
        c = np.clip(self.scalars[steps.LAYER], 1e-12, 1 - 1e-12)
        return np.asarray(np.log(c / (1 - c)))


def of_grid(grid: Any, *, join: bool = False) -> PlaneFields:
    """Fields of one time as pyvista has read them, see `animate_steps.load`.

    Args:
        grid: Of triangles.
        join: Whether it has pieces of several processes, whose vertices are to be shared.
    """
    points = np.asarray(grid.points, float)[:, :2]
    u = np.zeros_like(points)
    if steps.DISPLACEMENT in grid.point_data:
        u = np.asarray(grid.point_data[steps.DISPLACEMENT], float)[:, :2]
    scalars = {name: steps.scalar(grid, name) for name in steps.names_of(grid)}
    cells = steps.simplices(grid, 3)
    own = steps.own_cells(grid)
    given = grid.cell_data.get("material")
    material = np.ones(len(cells)) if given is None else np.ravel(given).astype(float)[own]
    found = PlaneFields(points, cells, u, scalars, material)
    return _joined(found) if join else found


def of_fields(fields: data.Fields) -> PlaneFields:
    """The same of a run without times."""
    return PlaneFields(
        fields.points[:, :2], fields.cells, fields.displacement[:, :2], fields.scalars,
        fields.material, fields.mirrors,
    )  # fmt: skip


def _joined(f: PlaneFields) -> PlaneFields:
    """One vertex where place and displacement agree: faces of an open crack stay apart."""

    def whole(values: Floats) -> Ints:
        return np.rint(values / (1e-8 * max(float(np.abs(values).max()), 1e-300))).astype(np.int64)

    key = np.column_stack([whole(f.points), whole(f.displacement)])
    _, first, number = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return PlaneFields(
        f.points[first], np.ravel(number)[f.cells], f.displacement[first],
        {n: v[first] for n, v in f.scalars.items()}, f.material, f.mirrors,
    )  # fmt: skip


def mirror_axes(results: Path, summary: dict[str, Any], points: Floats) -> tuple[int, ...]:
    """Axes along which a picture of the whole body is mirrored, as in the other maps.

    Args:
        results: Results folder.
        summary: Its summary, or an empty one.
        points: Of the body [um], shape (n, 2).
    """
    low, high = points.min(axis=0), points.max(axis=0)
    planes = data.symmetry_planes(results, summary)
    size = float((high - low).max())
    found = [a for a in planes if a < 2 and abs(low[a]) <= 1e-9 * size]
    if 2 * (high - low)[0] > _LONGEST * (high - low)[1]:
        found = [a for a in found if a != 0]
    return tuple(found)


def mirrored(f: PlaneFields, axes: Sequence[int]) -> PlaneFields:
    """The whole body, where a half of it or a quarter was computed.

    Args:
        f: Of the part.
        axes: From `mirror_axes`.
    """
    for axis in axes:
        f = _reflected(f, axis)
    return f


def _reflected(f: PlaneFields, axis: int) -> PlaneFields:
    n, size = len(f.points), float(np.ptp(f.points, axis=0).max())
    u = f.displacement[:, axis]
    # what moves off the plane is the face of a crack, and has its own image
    on = (np.abs(f.points[:, axis]) <= 1e-9 * size) & (np.abs(u) <= 1e-9 * np.abs(u).max(initial=0))
    off = np.flatnonzero(~on)
    image = np.arange(n)
    image[off] = n + np.arange(len(off))
    sign = np.ones(2)
    sign[axis] = -1.0
    scalars = {
        name: np.concatenate([v, -v[off] if name in _ODD else v[off]])
        for name, v in f.scalars.items()
    }
    return replace(
        f,
        points=np.vstack([f.points, f.points[off] * sign]),
        cells=np.vstack([f.cells, image[f.cells[:, [0, 2, 1]]]]),
        displacement=np.vstack([f.displacement, f.displacement[off] * sign]),
        scalars=scalars,
        material=np.concatenate([f.material, f.material]),
        mirrors=(*f.mirrors, axis),
    )


def on_lattice(
    points: Floats, cells: Ints, values: Floats, start: Floats, spacing: float
) -> tuple[Floats, Floats]:
    """Values at the points start + spacing (i, j) that lie in triangles, linear in each.

    Args:
        points: Shape (n, 2).
        cells: Shape (m, 3).
        values: At the vertices, shape (n, k).
        start: One point of the lattice, shape (2,).
        spacing: Its distance.

    Returns:
        Places, shape (l, 2), row by row, and values there, shape (l, k). Each point comes once.
    """
    x = (points[cells] - start) / spacing
    first = np.ceil(x.min(axis=1) - 1e-9).astype(np.int64)
    count = np.maximum(np.floor(x.max(axis=1) + 1e-9).astype(np.int64) - first + 1, 0)
    per = count[:, 0] * count[:, 1]
    cell = np.repeat(np.arange(len(cells)), per)
    k = np.arange(len(cell)) - np.repeat(np.cumsum(per) - per, per)
    at = first[cell] + np.column_stack([k % count[cell, 0], k // count[cell, 0]])
    a, b, c = (x[cell, i] for i in range(3))
    whole = _cross(b - a, c - a)
    whole = np.where(whole == 0, np.nan, whole)
    w = np.column_stack([_cross(b - at, c - at), _cross(c - at, a - at), _cross(a - at, b - at)])
    w /= whole[:, None]
    inside = np.flatnonzero((w >= -1e-9).all(axis=1))  # NaN is not
    _, one = np.unique(at[inside][:, ::-1], axis=0, return_index=True)
    rows = inside[one]
    found = np.einsum("lc,lck->lk", w[rows], values[cells[cell[rows]]])
    return start + spacing * at[rows], found


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
