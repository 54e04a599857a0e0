"""Blunt 2-D lithium filaments: ellipse and slit with rounded tip, as cavity or filled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints, elevate, keys, refuse_inverted
from ssbmech.meshes.parameters import Count, Length, Number, choice, number
from ssbmech.meshes.session import collect, session
from ssbmech.meshes.sizing import Grading, background

Symmetry = Literal["y", "xy"] | None
Position = Literal["interior", "surface"]
Filling = Literal["lithium"] | None
Point = tuple[float, float]


@dataclass(frozen=True)
class Profile:
    """The upper right quarter of a filament's wall, from (0, b) to the tip (a, 0).

    Attributes:
        a: Where the tip is on x [um].
        b: Half-width at x = 0 [um].
        pieces: Curves in order: (end, centre of the arc or None for a line).
        sizes: Points of the quarter with their local radius of curvature [um].
        area: Area of the quarter [um^2].
        project: Moves points near the whole wall onto it, shape (n, 2).
    """

    a: float
    b: float
    pieces: Sequence[tuple[Point, Point | None]]
    sizes: Sequence[tuple[Point, float]]
    area: float
    project: Callable[[Floats], Floats]

    @property
    def tip_radius(self) -> float:
        """Least radius of curvature along the wall [um]."""
        return min(radius for _, radius in self.sizes)


def ellipse(
    a: Length,
    b: Length,
    width: Length,
    height: Length | None = None,
    *,
    position: Position = "interior",
    filled: Filling = None,
    symmetry: Symmetry = None,
    anode_thickness: Length | None = None,
    order: Count = 2,
    n_tip: Number = 6.0,
    growth: Number = 0.3,
    h_max: Length | None = None,
) -> MeshData:
    """Elliptical filament with semi-axes ``a`` along x and ``b`` along y (a = b: a cylinder).

    Args:
        a: Semi-axis along x [um]; at the surface the length of the filament.
        b: Semi-axis along y [um].
        width: Width of the electrolyte along x [um]: |x| < width/2, at the surface 0 < x < width.
        height: Height along y [um], |y| < height/2; ``width`` by default, twice it at a surface.
        position: ``"interior"``, or ``"surface"``: the right half, growing from x = 0.
        filled: ``"lithium"``: conforming Li inside; none: a cavity.
        symmetry: ``"y"``: y > 0 only; ``"xy"`` (interior only): x, y > 0 only.
        anode_thickness: Thickness of a Li anode at x < 0 [um] (surface and filled only).
        order: Order of the cells, 1 or 2 (curved wall).
        n_tip: Elements per radius of curvature along the wall, at least 2.
        growth: Growth of the size per distance from the wall.
        h_max: Largest size [um], a quarter of the body by default.

    Returns:
        Cells ``electrolyte`` (and ``lithium``); facets ``filament_wall`` or ``li_sse``, the
        sides ``left``, ``right``, ``bottom``, ``top``; at the surface ``interface`` for x = 0
        of the electrolyte and ``lithium_base`` for that of the Li; with an anode
        ``anode_left``, ``anode_top``, ``anode_bottom``; ``symmetry_x`` and ``symmetry_y`` where
        cut; fronts ``tip_left`` and ``tip_right``, or ``tip``.

    Raises:
        MeshError: For parameters out of range.
    """
    number("a", a)
    number("b", b)

    def project(p: Floats) -> Floats:
        return p / np.hypot(p[:, 0] / a, p[:, 1] / b)[:, None]

    turns = np.linspace(0, math.pi / 2, 7)
    sizes = [
        (
            (a * math.cos(t), b * math.sin(t)),
            (a**2 * math.sin(t) ** 2 + b**2 * math.cos(t) ** 2) ** 1.5 / (a * b),
        )
        for t in turns
    ]
    profile = Profile(a, b, [((a, 0.0), (0.0, 0.0))], sizes, math.pi * a * b / 4, project)
    return _build(
        "ellipse", profile, width, height, position, filled, symmetry, anode_thickness, order,
        n_tip, growth, h_max,
    )  # fmt: skip


def slit(
    a: Length,
    slit_width: Length,
    tip_radius: Length,
    width: Length,
    height: Length | None = None,
    *,
    position: Position = "surface",
    filled: Filling = None,
    symmetry: Symmetry = None,
    anode_thickness: Length | None = None,
    order: Count = 2,
    n_tip: Number = 6.0,
    growth: Number = 0.3,
    h_max: Length | None = None,
) -> MeshData:
    """Slit-like filament with parallel walls and a rounded tip at x = ``a``.

    Args:
        a: Length from x = 0 to the tip [um] (half the slit in the interior).
        slit_width: Distance between the walls [um].
        tip_radius: Radius of the rounded corners [um], at most half of ``slit_width`` (then the
            tip is a half-circle) and at most ``a``.
        width: As in `ellipse`.
        height: As in `ellipse`.
        position: ``"surface"`` or ``"interior"``.
        filled: As in `ellipse`.
        symmetry: As in `ellipse`.
        anode_thickness: As in `ellipse`.
        order: As in `ellipse`.
        n_tip: Elements per tip radius, at least 2.
        growth: As in `ellipse`.
        h_max: As in `ellipse`.

    Returns:
        Groups as in `ellipse`.

    Raises:
        MeshError: For parameters out of range.
    """
    number("a", a)
    half = number("slit_width", slit_width) / 2
    number("tip_radius", tip_radius)
    if tip_radius > half * (1 + 1e-12) or tip_radius >= a:
        raise MeshError(
            "the tip radius does not fit into the filament", key="tip_radius", value=tip_radius,
            allowed=f"(0, {min(half, a):g}] um: at most half of slit_width, and below a",
        )  # fmt: skip
    r = min(tip_radius, half)
    centre = (a - r, half - r)

    def project(p: Floats) -> Floats:
        size, sign = np.abs(p), np.where(p < 0, -1.0, 1.0)
        out = size - np.array(centre)
        # The corner's arc; a half-circle has its centre on the axis, a flat tip keeps its line.
        round_ = (out[:, 0] > 0) & (out[:, 1] > 0 if half > r else out[:, 1] > -half)
        length = np.maximum(np.linalg.norm(out, axis=1), 1e-300)[:, None]
        return np.where(round_[:, None], sign * (np.array(centre) + r * out / length), p)

    pieces: list[tuple[Point, Point | None]] = [((a - r, half), None), ((a, half - r), centre)]
    if half > r:
        pieces.append(((a, 0.0), None))
    turns = np.linspace(0, math.pi / 2, 4)
    sizes = [((centre[0] + r * math.cos(t), centre[1] + r * math.sin(t)), r) for t in turns]
    sizes.append(((0.0, half), 2 * half))
    area = a * half - r**2 * (1 - math.pi / 4)
    profile = Profile(a, half, pieces, sizes, area, project)
    return _build(
        "slit", profile, width, height, position, filled, symmetry, anode_thickness, order,
        n_tip, growth, h_max,
    )  # fmt: skip


def _build(
    name: str,
    profile: Profile,
    width: float,
    height: float | None,
    position: str,
    filled: str | None,
    symmetry: str | None,
    anode: float | None,
    order: int,
    n_tip: float,
    growth: float,
    h_max: float | None,
) -> MeshData:
    choice("position", position, ("interior", "surface"))
    surface = position == "surface"
    choice("symmetry", symmetry, (None, "y") if surface else (None, "y", "xy"))
    choice("filled", filled, (None, "lithium"))
    choice("order", order, (1, 2))
    number("n_tip", n_tip, above=2, below=1000, closed=True, unit="")
    reach = number("width", width) if surface else number("width", width) / 2
    high = number("height", (2 * width if surface else width) if height is None else height) / 2
    if profile.a >= reach or profile.b >= high:
        raise MeshError(
            "the filament does not fit into the body", key=name, value=(profile.a, profile.b),
            allowed=f"below {reach:g} um along x and {high:g} um along y",
        )  # fmt: skip
    if anode is not None:
        number("anode_thickness", anode)
        if not (surface and filled):
            raise MeshError(
                "an anode needs a filled filament at the surface", key="anode_thickness",
                value=anode, allowed="with position = 'surface' and filled = 'lithium'",
            )  # fmt: skip
    number("growth", growth, above=0.01, below=1.0, closed=True, unit="")
    largest = min(reach, high) / 2 if h_max is None else number("h_max", h_max)
    plan = _Plan(profile, reach, high, surface, filled is not None, symmetry, anode)
    with session(name) as gmsh:
        fields = _Sketch(gmsh, plan).draw(n_tip, growth, largest)
        background(gmsh, fields)
        gmsh.model.mesh.generate(2)
        data = collect(gmsh, 2, 1)
    data.notes["tip_radius"] = profile.tip_radius
    share = {None: 2.0, "y": 1.0, "xy": 0.5}[symmetry] * (0.5 if surface else 1.0)
    data.notes["area:electrolyte"] = share * (2 * reach * high - 2 * profile.area)
    if filled:
        data.notes["area:lithium"] = share * 2 * profile.area + (
            anode * high * (2 if symmetry is None else 1) if anode else 0.0
        )
    return data if order == 1 else curve(data, plan.wall, profile.project)


def curve(data: MeshData, wall: str, project: Callable[[Floats], Floats]) -> MeshData:
    """First order to second, with the mid-side nodes of one facet group on its exact curve."""
    on = data.facets[data.facet_tags == data.facet_groups[wall]]
    wanted = keys(on, len(data.points))

    def middle(edges: Ints) -> Floats:
        mids = data.points[edges].mean(axis=1)
        chosen = np.isin(keys(edges, len(data.points)), wanted)
        mids[chosen, :2] = project(mids[chosen, :2])
        return mids

    points, cells, facets = elevate(data.points, data.cells, data.facets, 2, middle)
    refuse_inverted(points, cells, 2, 2, "Raise n_tip")
    return replace(data, order=2, points=points, cells=cells, facets=facets)


@dataclass(frozen=True)
class _Plan:
    profile: Profile
    reach: float
    high: float
    surface: bool
    filled: bool
    symmetry: str | None
    anode: float | None

    @property
    def wall(self) -> str:
        return "li_sse" if self.filled else "filament_wall"


class _Sketch:
    """The geometry in Gmsh: upper and lower half, points and lines shared where they touch."""

    def __init__(self, gmsh: Any, plan: _Plan) -> None:
        self.gmsh, self.geo, self.plan = gmsh, gmsh.model.geo, plan
        self.points: dict[Point, int] = {}
        self.curves: dict[tuple[Point, Point], int] = {}
        self.groups: dict[str, list[int]] = {}
        self.cells: dict[str, list[int]] = {}

    def point(self, p: Point) -> int:
        p = (p[0] + 0.0, p[1] + 0.0)  # -0.0 is 0.0
        if p not in self.points:
            self.points[p] = self.geo.addPoint(*p, 0)
        return self.points[p]

    def path(self, corners: Sequence[Point], names: Sequence[str | None]) -> list[int]:
        """Straight lines through the corners; names are their groups."""
        return [
            self.curve(p, q, name) for p, q, name in zip(corners, corners[1:], names, strict=False)
        ]

    def curve(self, p: Point, q: Point, name: str | None, centre: Point | None = None) -> int:
        p, q = (p[0] + 0.0, p[1] + 0.0), (q[0] + 0.0, q[1] + 0.0)
        if (q, p) in self.curves:
            return -self.curves[q, p]
        if (p, q) not in self.curves:
            start, end = self.point(p), self.point(q)
            if centre is None:
                tag = self.geo.addLine(start, end)
            else:
                major = start if math.dist(p, centre) >= math.dist(q, centre) else end
                tag = self.geo.addEllipseArc(start, self.point(centre), major, end)
            self.curves[p, q] = tag
            if name is not None:
                self.groups.setdefault(name, []).append(tag)
        return self.curves[p, q]

    def surface(self, name: str, loop: list[int]) -> None:
        tag = self.geo.addPlaneSurface([self.geo.addCurveLoop(loop)])
        self.cells.setdefault(name, []).append(tag)

    def wall(self, sign: float) -> list[int]:
        """The wall of one half from the left end (or x = 0) to the tip."""
        plan = self.plan
        start: Point = (0.0, sign * plan.profile.b)
        right = []
        for end, centre in plan.profile.pieces:
            stop = (end[0], sign * end[1])
            middle = None if centre is None else (centre[0], sign * centre[1])
            right.append((start, stop, middle))
            start = stop
        left = []
        if not (plan.surface or plan.symmetry == "xy"):
            left = [
                ((-q[0], q[1]), (-p[0], p[1]), None if c is None else (-c[0], c[1]))
                for p, q, c in reversed(right)
            ]
        return [self.curve(p, q, plan.wall, c) for p, q, c in [*left, *right]]

    def half(self, sign: float) -> None:
        plan, a, b = self.plan, self.plan.profile.a, self.plan.profile.b
        w, h = plan.reach, sign * plan.high
        axis = None if plan.symmetry is None else "symmetry_y"
        side = "top" if sign > 0 else "bottom"
        wall = self.wall(sign)
        if plan.surface or plan.symmetry == "xy":
            left = "interface" if plan.surface else "symmetry_x"
            outline = self.path(
                [(a, 0.0), (w, 0.0), (w, h), (0.0, h), (0.0, sign * b)],
                [axis, "right", side, left],
            )
            base = "symmetry_x" if not plan.surface else None if plan.anode else "lithium_base"
            inner = [[(a, 0.0), (0.0, 0.0), (0.0, sign * b)], [axis, base]]
        else:
            outline = self.path(
                [(a, 0.0), (w, 0.0), (w, h), (-w, h), (-w, 0.0), (-a, 0.0)],
                [axis, "right", side, "left", axis],
            )
            inner = [[(a, 0.0), (-a, 0.0)], [axis]]
        self.surface("electrolyte", outline + wall)
        if plan.filled:
            self.surface("lithium", wall + self.path(inner[0], inner[1]))  # type: ignore[arg-type]
        if plan.anode:
            t = -plan.anode
            corners = [(0.0, sign * b), (0.0, 0.0), (t, 0.0), (t, h), (0.0, h), (0.0, sign * b)]
            names = [None, axis, "anode_left", f"anode_{side}", "interface"]
            self.surface("lithium", self.path(corners, names))

    def draw(
        self, n_tip: float, growth: float, h_max: float
    ) -> list[tuple[str, Sequence[int], Grading]]:
        """Make both halves and the physical groups; returns the size fields."""
        plan = self.plan
        signs = [1.0, -1.0] if plan.symmetry is None else [1.0]
        for sign in signs:
            self.half(sign)
        tips = {"tip": (plan.profile.a, 0.0)}
        mirror = [1.0]
        if not (plan.surface or plan.symmetry == "xy"):
            mirror = [1.0, -1.0]
            tips = {"tip_left": (-plan.profile.a, 0.0), "tip_right": (plan.profile.a, 0.0)}
        front = {name: self.points[p] for name, p in tips.items()}
        fields: list[tuple[str, Sequence[int], Grading]] = []
        for (x, y), radius in plan.profile.sizes:
            h = min(radius / n_tip, h_max)
            copies = {(m * x, s * y) for m in mirror for s in signs}
            # Points for measuring distance only, in no curve.
            tags = [self.geo.addPoint(*p, 0.0) for p in sorted(copies)]
            fields.append(("PointsList", tags, Grading(h, growth, 0.0, h_max)))
        self.geo.synchronize()
        for name, surfaces in self.cells.items():
            self.gmsh.model.addPhysicalGroup(2, surfaces, name=name)
        for name, lines in self.groups.items():
            self.gmsh.model.addPhysicalGroup(1, lines, name=name)
        for name, tag in front.items():
            self.gmsh.model.addPhysicalGroup(0, [tag], name=name)
        return fields
