"""A polygon cut by a straight line that carries a crack: the common part of the 2-D builders."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints, elevate, orient, quarter_point
from ssbmech.meshes.session import collect, session
from ssbmech.meshes.sizing import Grading, Web, background

CELLS = "electrolyte"


@dataclass(frozen=True)
class LineCrack:
    """A convex polygon and the line through it along which the crack lies.

    The line is measured by ``s`` from ``origin``. It cuts the polygon into an upper part (on
    the left of ``direction``) and a lower part; with ``lower=False`` only the upper one exists
    and the line is its boundary.

    Attributes:
        name: For messages.
        corners: Counter-clockwise, shape (k, 2) [um].
        sides: Group of the side from each corner to the next.
        origin: Point of the line [um].
        direction: Unit vector of the line.
        stations: Increasing s inside the polygon where the line changes [um].
        parts: Group (or None) of each of the ``len(stations) + 1`` segments.
        tips: Front name and s of each tip; each s is a station.
        size: Grading around the tips.
        lower: Whether the lower part exists.
        web: Spider web around each tip, or none.
        also: Further stations with their own grading.
    """

    name: str
    corners: Sequence[tuple[float, float]]
    sides: Sequence[str]
    stations: Sequence[float]
    parts: Sequence[str | None]
    tips: Sequence[tuple[str, float]]
    size: Grading
    origin: tuple[float, float] = (0.0, 0.0)
    direction: tuple[float, float] = (1.0, 0.0)
    lower: bool = True
    web: Web | None = None
    also: Sequence[tuple[float, Grading]] = field(default_factory=tuple)

    def at(self, s: float) -> tuple[float, float]:
        """Point of the line [um]."""
        return (self.origin[0] + s * self.direction[0], self.origin[1] + s * self.direction[1])


def mesh_line_crack(sketch: LineCrack, order: int, quarter: bool) -> MeshData:
    """Mesh it, first order in Gmsh, then webs, second order and quarter points as arrays.

    Args:
        sketch: What to mesh.
        order: 1 or 2.
        quarter: Whether mid-side nodes next to the tips move to the quarter.

    Returns:
        The mesh; crack parts inside the body are still interior facets, not split.
    """
    with session(sketch.name) as gmsh:
        _geometry(gmsh, sketch)
        gmsh.model.mesh.generate(2)
        data = collect(gmsh, 2, 1)
    if sketch.web is not None:
        data = _insert_webs(data, sketch)
    return finish(data, order, quarter, {f"area:{CELLS}": _area(sketch)})


def finish(data: MeshData, order: int, quarter: bool, notes: dict[str, float | str]) -> MeshData:
    """Raise a straight first-order mesh to the wanted order."""
    if order == 2:
        points, cells, facets = elevate(data.points, data.cells, data.facets, data.dim)
        if quarter:
            tips = np.unique(np.concatenate([f.ravel() for f in data.fronts.values()]))
            points = quarter_point(points, cells, tips, data.dim)
        data = replace(data, order=2, points=points, cells=cells, facets=facets)
    return replace(data, notes=data.notes | notes)


def _hits(sketch: LineCrack) -> tuple[tuple[float, int], tuple[float, int]]:
    """Entry and exit of the line: (s, side number)."""
    found: list[tuple[float, int]] = []
    n = len(sketch.corners)
    scale = max(abs(c) for corner in sketch.corners for c in corner)
    for i in range(n):
        p = np.array(sketch.corners[i]) - sketch.origin
        q = np.array(sketch.corners[(i + 1) % n]) - sketch.origin
        dx, dy = sketch.direction
        hp, hq = dx * p[1] - dy * p[0], dx * q[1] - dy * q[0]
        if abs(hp) < 1e-12 * scale:
            hp = 0.0
        if abs(hq) < 1e-12 * scale:
            hq = 0.0
        # A corner on the line counts for the side that starts there.
        if hp == 0.0 or hp * hq < 0:
            t = hp / (hp - hq) if hp != hq else 0.0
            hit = p + t * (q - p)
            found.append((float(hit[0] * dx + hit[1] * dy), i))
    if len(found) != 2:
        raise MeshError("the crack's line does not cross the body", key=sketch.name)
    return min(found), max(found)


def _geometry(gmsh: Any, sketch: LineCrack) -> None:
    """Upper and lower part, each one simple loop, sharing the curves along the line."""
    geo = gmsh.model.geo
    start, end = _hits(sketch)
    stations = [start[0], *sketch.stations, end[0]]
    if any(b - a <= 0 for a, b in pairwise(stations)):
        raise MeshError(
            "the crack does not fit into the body", key=sketch.name, value=list(sketch.stations)
        )
    tips = {s for _, s in sketch.tips}
    radius = sketch.web.radius if sketch.web else 0.0
    points: dict[float, int] = {}
    groups: dict[str, list[int]] = {}

    def point(s: float) -> int:
        if s not in points:
            points[s] = geo.addPoint(*sketch.at(s), 0)
        return points[s]

    def arc(tip: float, sign: int) -> list[int]:
        """Half of a web's outline, from behind the tip to ahead of it."""
        assert sketch.web is not None
        ring = [point(tip - radius)]
        for angle in _web_angles(sketch.web)[-2:0:-1]:
            ring.append(geo.addPoint(*_polar(sketch, tip, radius, sign * angle), 0))
        ring.append(point(tip + radius))
        lines = [geo.addLine(p, q) for p, q in pairwise(ring)]
        for line in lines:
            geo.mesh.setTransfiniteCurve(line, 2)
        return lines

    upper: list[int] = []
    lower: list[list[int]] = []
    for part, (a, b) in zip(sketch.parts, pairwise(stations), strict=True):
        first = a + radius if a in tips else a
        last = b - radius if b in tips else b
        if last <= first:
            raise MeshError(
                "the spider web does not fit between the tip and the next change along the line",
                key="web_radius",
                value=radius,
                allowed=f"< {(b - a) / (2 if a in tips and b in tips else 1):g} um",
            )
        line = geo.addLine(point(first), point(last))
        upper.append(line)
        lower.append([-line])
        if part is not None:
            groups.setdefault(part, []).append(line)
        if sketch.web is not None and b in tips:
            upper += arc(b, +1)
            if sketch.lower:
                lower.append([-line for line in reversed(arc(b, -1))])
    loops = [upper + _outline(geo, sketch, end, start, point, groups)]
    if sketch.lower:
        back = [line for lines in reversed(lower) for line in lines]
        loops.append(back + _outline(geo, sketch, start, end, point, groups))
    surfaces = [geo.addPlaneSurface([geo.addCurveLoop(loop)]) for loop in loops]

    fields = []
    for s in tips:
        if sketch.web is not None:
            edge = sketch.web.edge
            around = Grading(edge, sketch.size.growth, radius, max(sketch.size.h_max, edge))
            ends = [geo.addPoint(*sketch.at(s), 0)]  # the tip itself, in no curve
            fields.append(("PointsList", ends, around))
        else:
            fields.append(("PointsList", [point(s)], sketch.size))
    fields += [("PointsList", [point(s)], size) for s, size in sketch.also]
    geo.synchronize()
    background(gmsh, fields)
    gmsh.model.addPhysicalGroup(2, surfaces, name=CELLS)
    for name, lines in groups.items():
        gmsh.model.addPhysicalGroup(1, lines, name=name)
    if sketch.web is None:
        for name in dict.fromkeys(name for name, _ in sketch.tips):
            tags = [points[s] for other, s in sketch.tips if other == name]
            gmsh.model.addPhysicalGroup(0, tags, name=name)


def _outline(
    geo: Any,
    sketch: LineCrack,
    start: tuple[float, int],
    end: tuple[float, int],
    point: Callable[[float], int],
    groups: dict[str, list[int]],
) -> list[int]:
    """Curves counter-clockwise along the polygon from one hit of the line to the other."""
    n = len(sketch.corners)
    last = sketch.at(end[0])
    way, sides = [point(start[0])], [sketch.sides[start[1]]]
    i = start[1]
    while i != end[1]:
        i = (i + 1) % n
        if math.dist(sketch.corners[i], last) > 1e-9 * math.dist(sketch.corners[i], sketch.at(0)):
            way.append(geo.addPoint(*sketch.corners[i], 0))
            sides.append(sketch.sides[i])
    lines = [geo.addLine(p, q) for p, q in pairwise([*way, point(end[0])])]
    for name, line in zip(sides, lines, strict=True):
        groups.setdefault(name, []).append(line)
    return lines


def _web_angles(web: Web) -> Floats:
    return np.asarray(np.linspace(0.0, math.pi, web.sectors + 1), dtype=np.float64)


def _polar(sketch: LineCrack, tip: float, radius: float, angle: float) -> tuple[float, float]:
    """Point at an angle from the line's direction around a tip [um]."""
    if angle in (0.0, math.pi, -math.pi):  # exactly on the line
        return sketch.at(tip + math.copysign(radius, math.pi / 2 - abs(angle)))
    (x, y), (dx, dy) = sketch.at(tip), sketch.direction
    c, s = radius * math.cos(angle), radius * math.sin(angle)
    return x + c * dx - s * dy, y + c * dy + s * dx


def _insert_webs(data: MeshData, sketch: LineCrack) -> MeshData:
    """Fill the polygons around the tips with rings of triangles."""
    assert sketch.web is not None
    angles = _web_angles(sketch.web)
    if sketch.lower:
        angles = np.concatenate([-angles[:0:-1], angles[:-1]])  # -pi ... below pi, closed
    points, cells, facets = data.points, data.cells, data.facets
    facet_tags, groups = data.facet_tags, dict(data.facet_groups)
    fronts: dict[str, list[int]] = {}
    hits = _hits(sketch)
    stations = [hits[0][0], *sketch.stations, hits[1][0]]
    for name, tip in sketch.tips:
        start, rings, sectors = len(points), len(sketch.web.radii), len(angles)
        inner = [_polar(sketch, tip, r, t) for r in sketch.web.radii[:-1] for t in angles]
        outer = np.array([_polar(sketch, tip, sketch.web.radius, t) for t in angles])
        gap = np.linalg.norm(points[None, :, :2] - outer[:, None, :], axis=2)
        known = np.argmin(gap, axis=1)
        if gap.min(axis=1).max() > 1e-6 * sketch.web.edge:
            raise MeshError("the spider web does not meet the mesh around it", key=sketch.name)
        centre = start
        fresh = np.array([sketch.at(tip), *inner]).reshape(-1, 2)
        points = np.vstack([points, np.column_stack([fresh, np.zeros(len(fresh))])])
        inside = start + 1 + np.arange((rings - 1) * sectors).reshape(rings - 1, sectors)
        whole: Ints = np.vstack([inside, known])
        ring: Ints = whole
        ahead: Ints = np.roll(ring, -1, axis=1)
        if not sketch.lower:
            ring, ahead = ring[:, :-1], ahead[:, :-1]
        fan = np.column_stack([np.full(ring.shape[1], centre), ring[0], ahead[0]])
        new = [fan]
        for k in range(rings - 1):
            a, b, c, d = ring[k], ring[k + 1], ahead[k + 1], ahead[k]
            # Diagonals mirrored above and below keep the mesh symmetric about the line.
            up = np.arange(len(a)) >= (sketch.web.sectors if sketch.lower else 0)
            first = np.where(up[:, None], np.column_stack([a, b, c]), np.column_stack([a, b, d]))
            other = np.where(up[:, None], np.column_stack([a, c, d]), np.column_stack([b, c, d]))
            new += [first, other]
        cells = np.vstack([cells, *new])
        fronts.setdefault(name, []).append(centre)
        place = stations.index(tip)
        behind_column = 0 if sketch.lower else sectors - 1
        ahead_column = sketch.web.sectors if sketch.lower else 0
        for part, column in ((place - 1, behind_column), (place, ahead_column)):
            group = sketch.parts[part]
            if group is not None:
                line = np.concatenate([[centre], whole[:, column]])
                facets = np.vstack([facets, np.column_stack([line[:-1], line[1:]])])
                mark = np.full(len(line) - 1, groups[group], dtype=np.int32)
                facet_tags = np.concatenate([facet_tags, mark])
    return replace(
        data,
        points=points,
        cells=orient(points, cells, 2, 1),
        cell_tags=np.full(len(cells), data.cell_groups[CELLS], dtype=np.int32),
        facets=facets,
        facet_tags=facet_tags,
        fronts={k: np.array(v, dtype=np.int64)[:, None] for k, v in fronts.items()},
    )


def _area(sketch: LineCrack) -> float:
    """Exact area of what is meshed [um^2] (the upper part is half of a symmetric polygon)."""
    x, y = np.array(sketch.corners).T
    whole = 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return whole if sketch.lower else whole / 2
