"""Where to cut a 3-D mesh for a picture, and from where to look at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData
from ssbmech.output.figures_mesh_colours import Line
from ssbmech.output.figures_mesh_section import Facets, Section, cut, side

Floats = NDArray[np.float64]

#: Facet groups from this rank on are what a cut goes through, and are painted in full.
FLAW_RANK = 4


@dataclass(frozen=True)
class View:
    """Where to look from and where to cut.

    Attributes:
        normal: Of the cut, towards the eye; unit vector of an axis (3,).
        distance: Of the cut from the origin along it [um].
        to_plane: Right and up in the cut as unit vectors, (2, 3).
        eye: Direction from the body to the eye, unit vector (3,).
        at_side: Whether the cut is a side of the body, so that nothing hides it.
    """

    normal: Floats
    distance: float
    to_plane: Floats
    eye: Floats
    at_side: bool

    @property
    def screen(self) -> Floats:
        """Right and up in the picture as unit vectors, (2, 3)."""
        right = np.cross(self.to_plane[1], self.eye)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(self.eye, right)])


def choose_view(data: MeshData, found: Facets, looks: dict[str, Line]) -> View:
    """Cut through the flaw, across it, and look at it from where it is nearest to a side."""
    box = np.stack([data.points.min(axis=0), data.points.max(axis=0)])
    up = _up_axis(data)
    flaw = _flaw_box(data, looks, box)
    centre = flaw.mean(axis=0)
    options = []
    for axis in {0: (1, 2), 1: (2, 0), 2: (1, 0)}[up]:
        distance = float(centre[axis])
        plane = _symmetry(data, axis)
        at_side = plane is not None and abs(flaw[:, axis] - plane).min() < 1e-6 * np.ptp(box)
        if at_side and plane is not None:
            distance = plane
        # towards the side that is nearer to the flaw; a cut in the middle towards -y or +z
        away = centre - box.mean(axis=0)
        if at_side:
            away = np.where(np.eye(3)[axis] > 0, distance - box.mean(axis=0), away)
        sign = np.sign(away[axis]) if abs(away[axis]) > 1e-3 * np.ptp(box) else 0.0
        if sign == 0:
            sign = 1.0 if axis == 2 else -1.0
        normal = sign * np.eye(3)[axis]
        upward = np.eye(3)[up]
        right = np.cross(upward, normal)
        tilt = np.sign(away @ right) if abs(away @ right) > 1e-3 * np.ptp(box) else 1.0
        # a crack in the lowest plane is seen from below
        lift = -1.0 if flaw[1, up] < box[0, up] + 1e-6 * np.ptp(box) else 1.0
        eye = normal + 0.55 * tilt * right + 0.45 * lift * upward
        view = View(normal, distance, np.stack([right, upward]), eye / np.linalg.norm(eye), at_side)
        options.append((_crossing(section(data, found, view), looks), view))
    return max(options, key=lambda o: o[0])[1]  # the first of equals


def section(data: MeshData, found: Facets, view: View) -> Section:
    """What the cut shows."""
    height = data.points @ view.normal - view.distance
    height[np.abs(height) < 1e-9 * np.ptp(data.points, axis=0).max()] = 0.0
    if view.at_side:
        return side(data, found, height == 0, view.to_plane)
    return cut(data, found, height, view.to_plane)


def _up_axis(data: MeshData) -> int:
    """Across the first flat one of the sides that have a name of up or down, z by default."""
    for name in ("bottom", "top", "cathode_plane", "li_sse"):
        rows = data.facets[data.facet_tags == data.facet_groups.get(name)]
        if len(rows):
            extent = np.ptp(data.points[rows.ravel()], axis=0)
            axis = int(np.argmin(extent))
            if extent[axis] < 1e-6 * extent.max():
                return axis
    return 2


def _symmetry(data: MeshData, axis: int) -> float | None:
    """Where the symmetry plane across an axis is, if there is one."""
    tag = data.facet_groups.get(f"symmetry_{'xyz'[axis]}")
    rows = data.facets[data.facet_tags == tag]
    return float(data.points[rows[:, :3], axis].mean()) if len(rows) else None


def _flaw_box(data: MeshData, looks: dict[str, Line], box: Floats) -> Floats:
    """Low and high corner of the front, of the flaw nearest to the middle, or of the body."""
    if data.fronts:
        p = data.points[np.concatenate([f.ravel() for f in data.fronts.values()])]
        return np.stack([p.min(axis=0), p.max(axis=0)])
    rows = data.facets[:0, :3]
    for rank in (FLAW_RANK, FLAW_RANK - 1):  # without flaws, interfaces
        tags = [t for n, t in data.facet_groups.items() if looks[n].rank >= rank]
        rows = rows if len(rows) else data.facets[np.isin(data.facet_tags, tags)][:, :3]
    if not len(rows):
        return box
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([rows[:, [0, 1]], rows[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(ends), np.int8), ends.T), shape=(len(data.points),) * 2)
    label = connected_components(graph, directed=False)[1][rows[:, 0]]
    middles = data.points[rows].mean(axis=1)
    nearest = label[np.argmin(np.linalg.norm(middles - box.mean(axis=0), axis=1))]
    p = data.points[rows[label == nearest]].reshape(-1, 3)
    return np.stack([p.min(axis=0), p.max(axis=0)])


def _crossing(shown: Section, looks: dict[str, Line]) -> float:
    """Length of the features that a cut shows, for comparison."""
    total = 0.0
    for name, rows in shown.lines.items():
        if looks[name].feature:
            ends = shown.points[rows]
            total += float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum())
    return round(total, 6 - int(np.ceil(np.log10(max(total, 1e-12)))))
