"""Cracks and the interphase around them as sheets and parts of a scene in Gmsh."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.flaw import Flaw, length_of
from ssbmech.meshes.scene import Part, Sheet
from ssbmech.meshes.sizing import Grading


def sheets(
    gmsh: Any, flaw: Flaw, dim: int, depth: tuple[float, float], floor: float
) -> list[Sheet]:
    """Faces of the crack as sheets of a scene.

    Args:
        gmsh: The module, inside a session.
        flaw: The crack.
        dim: 2 or 3.
        depth: Range of z of a 3-D body [um].
        floor: Height of the interface [um], where an ellipse is cut off.
    """
    if flaw.crack.shape == "ellipse":
        return _ellipse_sheets(gmsh, flaw, depth, floor)
    if flaw.polygons:
        return _polygon_sheets(gmsh, flaw)
    result = []
    for corners, wet in _pieces(flaw):
        tags = []
        for p, q in itertools.pairwise(corners):
            tags += _segment(gmsh, p, q, dim, depth)
        result.append(Sheet(flaw.wet if wet else flaw.dry, tuple(tags), flaw.grading))
    return result


def _polygon_sheets(gmsh: Any, flaw: Flaw) -> list[Sheet]:
    """Faces along grain boundaries; those within the filled share of the depth are wet."""
    occ = gmsh.model.occ
    by_name: dict[str, list[int]] = {}
    partly = flaw.apart and flaw.crack.filled > 0
    level = flaw.path[0, 1] + flaw.crack.filled * flaw.size
    for corners in flaw.polygons:
        points = [occ.addPoint(*(float(x) for x in corner)) for corner in corners]
        lines = [occ.addLine(p, q) for p, q in itertools.pairwise([*points, points[0]])]
        face = occ.addPlaneSurface([occ.addCurveLoop(lines)])
        wet = partly and corners[:, 1].mean() <= level
        by_name.setdefault(flaw.wet if wet else flaw.dry, []).append(int(face))
    return [Sheet(name, tuple(tags), flaw.grading) for name, tags in by_name.items()]


def _pieces(flaw: Flaw) -> list[tuple[Floats, bool]]:
    """Polylines of the filled and of the dry part."""
    share = flaw.crack.filled
    if share in (0.0, 1.0):
        return [(flaw.path, share == 1.0 and flaw.apart)]
    total = length_of(flaw.path)
    if flaw.inside:
        low, high = total * (1 - share) / 2, total * (1 + share) / 2
        return [
            (_part(flaw.path, 0, low), False), (_part(flaw.path, low, high), True),
            (_part(flaw.path, high, total), False),
        ]  # fmt: skip
    return [
        (_part(flaw.path, 0, share * total), True),
        (_part(flaw.path, share * total, total), False),
    ]


def _part(corners: Floats, start: float, end: float) -> Floats:
    """The polyline between two arc lengths."""
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    ends = np.array([[np.interp(t, s, corners[:, k]) for k in (0, 1)] for t in (start, end)])
    inner = corners[(s > start) & (s < end)]
    return np.vstack([ends[:1], inner, ends[1:]])


def _segment(gmsh: Any, p: Floats, q: Floats, dim: int, depth: tuple[float, float]) -> list[int]:
    occ = gmsh.model.occ
    z = depth[0] if dim == 3 else 0.0
    line = occ.addLine(occ.addPoint(*p, z), occ.addPoint(*q, z))
    if dim == 2:
        return [line]
    made = occ.extrude([(1, line)], 0, 0, depth[1] - depth[0])
    return [tag for d, tag in made if d == 2]


def _disk(gmsh: Any, flaw: Flaw, a: float, c: float) -> int:
    """Ellipse with semi-axes a along the crack and c across it, in the plane of both."""
    along, across, normal = flaw.axes
    first, second, x = (a, c, along) if a >= c else (c, a, across)
    return int(
        gmsh.model.occ.addDisk(
            *flaw.centre,
            first,
            second,
            zAxis=[float(v) for v in normal],
            xAxis=[float(v) for v in x],
        )
    )


def _ellipse_sheets(gmsh: Any, flaw: Flaw, depth: tuple[float, float], floor: float) -> list[Sheet]:
    a, c = flaw.size, flaw.c
    share = flaw.crack.filled
    all_wet = share == 1.0 and flaw.apart
    result: list[tuple[str, float, float, Grading | None]] = [
        (flaw.wet if all_wet else flaw.dry, a, c, flaw.grading)
    ]
    if share not in (0.0, 1.0):
        result.append((flaw.wet, share * a, share * c, None))
    made = []
    for name, a_, c_, size in result:
        disk = _kept(gmsh, flaw, [(2, _disk(gmsh, flaw, a_, c_))], depth, floor)
        made.append(Sheet(name, tuple(tag for _, tag in disk), size))
    return made


def _kept(
    gmsh: Any, flaw: Flaw, what: list[tuple[int, int]], depth: tuple[float, float], floor: float
) -> list[tuple[int, int]]:
    """The part of an ellipse above the interface, and on this side of a plane of symmetry."""
    half = depth[0] == 0.0 < depth[1] and abs(flaw.crack.z) < flaw.c and flaw.crack.turn != 90
    if flaw.inside and not half:
        return what
    occ = gmsh.model.occ
    size = 4 * max(flaw.size, flaw.c)
    x, y, z = (float(v) for v in flaw.centre)
    low = y - size if flaw.inside else floor
    back = 0.0 if half else z - size
    box = occ.addBox(x - size, low, back, 2 * size, size + max(y - low, 0.0), z + size - back)
    out, _ = occ.intersect(what, [(3, box)])
    return [(d, int(t)) for d, t in out]


def skin(gmsh: Any, flaw: Flaw, dim: int, depth: tuple[float, float]) -> Part | None:
    """The interphase around the crack as a part of the scene, or None."""
    t = flaw.crack.skin
    if t is None:
        return None
    occ = gmsh.model.occ
    if flaw.crack.shape == "ellipse":
        a, c = flaw.size + t, flaw.c + t
        normal = flaw.axes[2] * t
        disk = [(2, _disk(gmsh, flaw, a, c))]
        occ.translate(disk, *(-normal))
        made = occ.extrude(disk, *(2 * normal))
        occ.remove(disk)
        return Part("skin", tuple(tag for d, tag in made if d == 3), over=("electrolyte",))
    shapes: list[tuple[int, int]] = []
    for i, (p, q) in enumerate(zip(flaw.path, flaw.path[1:], strict=False)):
        along = (q - p) / np.linalg.norm(q - p)
        if i == 0 and not flaw.inside:  # both flanks reach the interface, or around a tip
            round_tip = t if flaw.crack.at == "protrusion_tip" else 0.0
            p = p - along * (t * abs(along[0] / along[1]) + round_tip)
        across = np.array([-along[1], along[0]]) * t
        corners = [p - across, q - across, q + across, p + across]
        points = [occ.addPoint(*corner, 0) for corner in corners]
        lines = [occ.addLine(points[k], points[(k + 1) % 4]) for k in range(4)]
        shapes.append((2, occ.addPlaneSurface([occ.addCurveLoop(lines)])))
        shapes.append((2, occ.addDisk(*q, 0, t, t)))
        if i == 0 and flaw.inside:
            shapes.append((2, occ.addDisk(*p, 0, t, t)))
    whole, _ = occ.fuse(shapes[:1], shapes[1:])
    if dim == 3:
        occ.translate(whole, 0, 0, depth[0])
        made = occ.extrude(whole, 0, 0, depth[1] - depth[0])
        occ.remove(whole)
        whole = [(d, tag) for d, tag in made if d == 3]
    return Part("skin", tuple(tag for _, tag in whole), over=("electrolyte",))
