"""Shapes at a lithium interface as OpenCASCADE entities: caps, plates, patches, bumps, waves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.sizing import Grading

# Points of the spline of a wave per period: its area is then exact to 1e-7 of the amplitude.
_PER_PERIOD = 48
# Elements along the smallest extent of a feature.
_SHARE = {2: 8, 3: 4}

Tags = tuple[int, ...]
Entities = list[tuple[int, int]]


@dataclass(frozen=True)
class Place:
    """Where features go, and how fine the mesh is there.

    Attributes:
        dim: 2 or 3.
        low: Lowest corner of the interface (x, z) [um].
        high: Its highest corner (x, z) [um].
        lithium: Height of the lithium's surface [um].
        floor: Lower surface of the lithium [um].
        top: Upper surface of the electrolyte [um].
        above: Cell groups above the lithium from its surface up to the electrolyte, with the
            height of their upper surface [um].
        h: Size of the elements at features [um], or None: from each feature.
        h_max: Largest size [um].
        growth: Growth of the size per distance.
    """

    dim: int
    low: tuple[float, float]
    high: tuple[float, float]
    lithium: float
    floor: float
    top: float
    above: tuple[tuple[str, float], ...] = (("electrolyte", math.inf),)
    h: float | None = None
    h_max: float = math.inf
    growth: float = 0.3

    @property
    def extent(self) -> tuple[float, float]:
        """Extent along x and z (2-D: along x twice) [um]."""
        width = self.high[0] - self.low[0]
        return width, (self.high[1] - self.low[1] if self.dim == 3 else width)

    def size(self, smallest: float) -> Grading:
        """Element sizes at the walls of a feature with this smallest extent [um]."""
        fine = smallest / _SHARE[self.dim] if self.h is None else self.h
        return Grading(min(fine, self.h_max), self.growth, 0.0, self.h_max)


def cap(
    gmsh: Any, at: Place, x: float, z: float, radius: float, height: float, sign: float,
    *, strip: bool,
) -> Tags:  # fmt: skip
    """Spherical cap (2-D and strips: circular segment) below or above the interface.

    Args:
        gmsh: The module, inside a session.
        at: Where features go.
        x: Centre along x [um].
        z: Centre along z [um].
        radius: Of its rim [um].
        height: Of the cap [um]; more than ``radius`` makes more than half a sphere.
        sign: -1 below, +1 above.
        strip: Along the whole depth.
    """
    occ = gmsh.model.occ
    big = (radius**2 + height**2) / (2 * height)
    centre = at.lithium + sign * (height - big)
    low = at.lithium if sign > 0 else at.lithium - 3 * big
    if at.dim == 2 or strip:
        ball = [(2, occ.addDisk(x, centre, 0, big, big))]
        box = [(2, occ.addRectangle(x - 3 * big, low, 0, 6 * big, 3 * big))]
    else:
        ball = [(3, occ.addSphere(x, centre, z, big))]
        box = [(3, occ.addBox(x - 3 * big, low, z - 3 * big, 6 * big, 3 * big, 6 * big))]
    cut, _ = occ.intersect(ball, box)
    if at.dim == 3 and strip:
        cut = _along_z(gmsh, at, cut)
    return tuple(int(t) for _, t in cut)


def plate(
    gmsh: Any, at: Place, x: float, z: float, radius: float, thickness: float, *, strip: bool
) -> Tags:
    """Flat plate in the lithium, flush with its surface: a disc, or a bar along the depth."""
    occ = gmsh.model.occ
    y = at.lithium
    if at.dim == 2 or strip:
        faces = [(2, occ.addRectangle(x - radius, y - thickness, 0, 2 * radius, thickness))]
        whole_ = faces if at.dim == 2 else _along_z(gmsh, at, faces)
        return tuple(int(tag) for _, tag in whole_)
    return (int(occ.addCylinder(x, y - thickness, z, 0, thickness, 0, radius)),)


def patch(gmsh: Any, at: Place, x: float, z: float, r: float, *, strip: bool) -> Tags:
    """A strip (2-D: its section) or disc on the interface."""
    occ = gmsh.model.occ
    y = at.lithium
    if at.dim == 2:
        return (int(occ.addLine(occ.addPoint(x - r, y, 0), occ.addPoint(x + r, y, 0))),)
    if strip:
        line = occ.addLine(occ.addPoint(x - r, y, at.low[1]), occ.addPoint(x + r, y, at.low[1]))
        made = occ.extrude([(1, line)], 0, 0, at.high[1] - at.low[1])
        return tuple(int(tag) for d, tag in made if d == 2)
    return (int(occ.addDisk(x, y, z, r, r, zAxis=[0, 1, 0])),)


def whole(gmsh: Any, at: Place) -> Tags:
    """The whole interface."""
    middle = (at.low[0] + at.high[0]) / 2
    return patch(gmsh, at, middle, 0.0, (at.high[0] - at.low[0]) / 2, strip=True)


def half_ellipse(
    gmsh: Any, at: Place, x: float, z: float, radius: float, height: float, *, ridge: bool
) -> Entities:
    """Half a spheroid above the interface (2-D and ridges: half an ellipse)."""
    occ = gmsh.model.occ
    y = at.lithium
    flat = at.dim == 2 or ridge
    depth = 0.0 if flat else z
    centre, foot, top = (
        occ.addPoint(*p, depth) for p in ((x, y), (x + radius, y), (x, y + height))
    )
    major = foot if radius >= height else top
    arc = occ.addEllipseArc(foot, centre, major, top)
    if not flat:  # a scaled sphere would have poles on its rim: turn a quarter about its axis
        loop = occ.addCurveLoop([occ.addLine(centre, foot), arc, occ.addLine(top, centre)])
        made = occ.revolve([(2, occ.addPlaneSurface([loop]))], x, y, z, 0, 1, 0, 2 * math.pi)
        return [(d, int(t)) for d, t in made if d == 3]
    other = occ.addPoint(x - radius, y, 0)
    back = occ.addEllipseArc(top, centre, other if radius >= height else top, other)
    loop = occ.addCurveLoop([arc, back, occ.addLine(other, foot)])
    face = [(2, occ.addPlaneSurface([loop]))]
    return _along_z(gmsh, at, face) if at.dim == 3 else face


def finger(
    gmsh: Any, at: Place, x: float, z: float, radius: float, height: float, *, ridge: bool
) -> Entities:
    """Straight walls and a round tip above the interface."""
    occ = gmsh.model.occ
    y, stem = at.lithium, height - radius
    flat = at.dim == 2 or ridge
    depth = 0.0 if flat else z
    shoulder, top = occ.addPoint(x + radius, y + stem, depth), occ.addPoint(x, y + height, depth)
    centre = occ.addPoint(x, y + stem, depth)
    foot = occ.addPoint(x + radius, y, depth)
    right = [occ.addLine(foot, shoulder), occ.addCircleArc(shoulder, centre, top)]
    if not flat:
        axis = occ.addPoint(x, y, z)
        loop = occ.addCurveLoop([occ.addLine(axis, foot), *right, occ.addLine(top, axis)])
        made = occ.revolve([(2, occ.addPlaneSurface([loop]))], x, y, z, 0, 1, 0, 2 * math.pi)
        return [(d, int(t)) for d, t in made if d == 3]
    left, base = occ.addPoint(x - radius, y + stem, 0), occ.addPoint(x - radius, y, 0)
    round_off = [occ.addCircleArc(top, centre, left), occ.addLine(left, base)]
    loop = occ.addCurveLoop([*right, *round_off, occ.addLine(base, foot)])
    face = [(2, occ.addPlaneSurface([loop]))]
    return _along_z(gmsh, at, face) if at.dim == 3 else face


def above(gmsh: Any, at: Place, what: Entities, level: float) -> Entities:
    """The part of features above a height."""
    occ = gmsh.model.occ
    (x0, z0), (x1, z1) = at.low, at.high
    w, d = x1 - x0, z1 - z0
    if at.dim == 2:
        box = (2, occ.addRectangle(x0 - w, level, 0, 3 * w, at.top - level))
    else:
        box = (3, occ.addBox(x0 - w, level, z0 - d, 3 * w, at.top - level, 3 * d))
    out, _ = occ.intersect(what, [box])
    return [(int(k), int(t)) for k, t in out]


def wave_sides(gmsh: Any, at: Place, height: float, wavelength: float, x: float) -> list[Tags]:
    """What is below and what is above a sinusoidal interface, floor to top.

    Args:
        gmsh: The module, inside a session.
        at: Where features go.
        height: Amplitude [um].
        wavelength: Period along x [um].
        x: Place of a crest [um].
    """
    occ = gmsh.model.occ
    x0, x1 = at.low[0], at.high[0]
    steps = max(8, math.ceil(_PER_PERIOD * (x1 - x0) / wavelength))
    places = np.asarray(np.linspace(x0, x1, steps + 1), dtype=float)
    heights = wave_height(places, at, height, wavelength, x)
    sides = []
    for flat in (at.floor, at.top):
        points = [occ.addPoint(float(a), float(b), 0) for a, b in zip(places, heights, strict=True)]
        ends = (points[0], points[-1])
        corner = [occ.addPoint(x1, flat, 0), occ.addPoint(x0, flat, 0)]
        loop = [
            occ.addSpline(points), occ.addLine(ends[1], corner[0]), occ.addLine(*corner),
            occ.addLine(corner[1], ends[0]),
        ]  # fmt: skip
        face = [(2, occ.addPlaneSurface([occ.addCurveLoop(loop)]))]
        solid = face if at.dim == 2 else _along_z(gmsh, at, face)
        sides.append(tuple(int(t) for _, t in solid))
    return sides


def wave_height(x: Floats, at: Place, height: float, wavelength: float, crest: float) -> Floats:
    """Height of a sinusoidal interface [um]."""
    return at.lithium + height * np.cos(2 * math.pi * (x - crest) / wavelength)


def wave_area(at: Place, height: float, wavelength: float, crest: float) -> float:
    """What a wave adds to the section of the lithium, the integral of its height [um^2]."""
    k = 2 * math.pi / wavelength
    return height / k * (math.sin(k * (at.high[0] - crest)) - math.sin(k * (at.low[0] - crest)))


def _along_z(gmsh: Any, at: Place, faces: Entities) -> Entities:
    """Faces of the section extruded through the depth."""
    occ = gmsh.model.occ
    occ.translate(faces, 0, 0, at.low[1])
    made = occ.extrude(faces, 0, 0, at.high[1] - at.low[1])
    occ.remove(faces)
    return [(d, int(t)) for d, t in made if d == 3]
