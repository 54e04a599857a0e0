"""3-D bodies of revolution: blunt filament, sphere in a matrix, thick shell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.filament import ellipse
from ssbmech.meshes.parameters import Count, Length, Number, choice, count, number
from ssbmech.meshes.session import collect, session
from ssbmech.meshes.sizing import Grading, background
from ssbmech.meshes.sweep import sweep


def ellipsoid_filament(
    a: Length,
    b: Length,
    thickness: Length,
    radius: Length | None = None,
    *,
    filled: Literal["lithium"] | None = None,
    symmetry: Literal["yz"] | None = "yz",
    order: Count = 2,
    sectors: Count = 4,
    n_tip: Number = 4.0,
    growth: Number = 0.5,
    h_max: Length | None = None,
) -> MeshData:
    """Half spheroid of length ``a`` and radius ``b`` growing from the surface x = 0 into +x.

    The electrolyte is a cylinder around the x axis, 0 < x < thickness. Its radial extent is
    ``radius``; the tip is at (a, 0, 0).

    Args:
        a: Length of the filament along x [um].
        b: Its radius at x = 0 [um].
        thickness: Length of the electrolyte along x [um].
        radius: Radius of the electrolyte [um]; ``thickness`` by default.
        filled: ``"lithium"``: conforming Li inside; none: a cavity.
        symmetry: ``"yz"``: the quarter y, z > 0; none: the whole.
        order: Order of the cells, 1 or 2 (curved).
        sectors: Sectors over 90 degrees around the axis.
        n_tip: Elements per radius of curvature along the wall, at least 2.
        growth: Growth of the size per distance from the wall.
        h_max: Largest size along and across the axis [um], a quarter of the body by default.

    Returns:
        Cells ``electrolyte`` (and ``lithium``); facets ``filament_wall`` or ``li_sse``,
        ``interface`` (x = 0, electrolyte), ``lithium_base`` (x = 0, Li), ``back``, ``side``,
        ``symmetry_y`` and ``symmetry_z`` where cut.

    Raises:
        MeshError: For parameters out of range.
    """
    number("thickness", thickness)
    outer = thickness if radius is None else number("radius", radius)
    choice("symmetry", symmetry, ("yz", None))
    base = ellipse(
        a, b, thickness, 2 * outer, position="surface", filled=filled, symmetry="y", order=1,
        n_tip=n_tip, growth=growth, h_max=h_max,
    )  # fmt: skip
    wall = "li_sse" if filled else "filament_wall"

    def project(p: Floats) -> Floats:
        return p / np.hypot(p[:, 0] / a, p[:, 1] / b)[:, None]

    def rename(name: str, sector: int) -> str:
        del sector
        return {"right": "back", "top": "side"}.get(name, name)

    data = _turn(base, sectors, symmetry is None, order, {wall: project}, rename)
    share = 1.0 if symmetry is None else 0.25
    hole = 2 / 3 * math.pi * a * b**2
    data.notes["tip_radius"] = b**2 / a
    data.notes["volume:electrolyte"] = share * (math.pi * outer**2 * thickness - hole)
    if filled:
        data.notes["volume:lithium"] = share * hole
    return data


def sphere(
    radius: Length,
    outer: Length,
    *,
    order: Count = 2,
    n: Number = 6.0,
    sectors: Count = 6,
    growth: Number = 0.3,
) -> MeshData:
    """Octant (x, y, z > 0) of a sphere in a concentric spherical matrix.

    Args:
        radius: Radius of the inclusion [um].
        outer: Outer radius of the matrix [um].
        order: Order of the cells, 1 or 2 (curved).
        n: Elements per radius of the inclusion, at least 1.
        sectors: Sectors over 90 degrees around the x axis.
        growth: Growth of the size per distance from the interface.

    Returns:
        Cells ``inclusion`` and ``matrix``; facets ``interface``, ``outer``, ``symmetry_x``,
        ``symmetry_y``, ``symmetry_z``.

    Raises:
        MeshError: For parameters out of range.
    """
    number("outer", outer)
    number("radius", radius, below=outer)
    data = _rings([0.0, radius, outer], ["inclusion", "matrix"], ["interface", "outer"],
                  radius, order, n, sectors, growth)  # fmt: skip
    data.notes["volume:inclusion"] = math.pi / 6 * radius**3
    data.notes["volume:matrix"] = math.pi / 6 * (outer**3 - radius**3)
    return data


def shell(
    inner: Length,
    outer: Length,
    *,
    order: Count = 2,
    n: Number = 6.0,
    sectors: Count = 6,
    growth: Number = 0.3,
) -> MeshData:
    """Octant (x, y, z > 0) of a thick spherical shell.

    Args:
        inner: Inner radius [um].
        outer: Outer radius [um].
        order: Order of the cells, 1 or 2 (curved).
        n: Elements per inner radius, at least 1.
        sectors: Sectors over 90 degrees around the x axis.
        growth: Growth of the size per distance from the inner surface.

    Returns:
        Cells ``shell``; facets ``inner``, ``outer``, ``symmetry_x``, ``symmetry_y``,
        ``symmetry_z``.

    Raises:
        MeshError: For parameters out of range.
    """
    number("outer", outer)
    number("inner", inner, below=outer)
    data = _rings([inner, outer], ["shell"], ["inner", "outer"], inner, order, n, sectors, growth)
    data.notes["volume:shell"] = math.pi / 6 * (outer**3 - inner**3)
    return data


def _rings(
    radii: Sequence[float],
    materials: Sequence[str],
    arcs: Sequence[str],
    length: float,
    order: int,
    n: float,
    sectors: int,
    growth: float,
) -> MeshData:
    """Quarter annuli between the radii, turned around the x axis; ``arcs`` name radii > 0."""
    choice("order", order, (1, 2))
    number("n", n, above=1, below=1000, closed=True, unit="")
    number("growth", growth, above=0.01, below=1.0, closed=True, unit="")
    h = length / n
    with session("rings") as gmsh:
        geo = gmsh.model.geo
        centre = geo.addPoint(0, 0, 0)
        on_x = [geo.addPoint(r, 0, 0) if r else centre for r in radii]
        on_y = [geo.addPoint(0, r, 0) if r else centre for r in radii]
        arc = [
            geo.addCircleArc(p, centre, q) if r else None
            for r, p, q in zip(radii, on_x, on_y, strict=True)
        ]
        surfaces, upright = [], []
        for k in range(len(radii) - 1):
            low = geo.addLine(on_x[k], on_x[k + 1])
            high = geo.addLine(on_y[k + 1], on_y[k])
            upright.append(high)
            inner_arc = arc[k]
            back = [] if inner_arc is None else [-inner_arc]
            loop = geo.addCurveLoop([low, arc[k + 1], high, *back])
            surfaces.append(geo.addPlaneSurface([loop]))
        # Points around the surface of steepest fields, in no curve, measure the distance.
        ring = [
            geo.addPoint(length * math.cos(t), length * math.sin(t), 0)
            for t in np.linspace(0, math.pi / 2, 4 * math.ceil(n) + 1)
        ]
        geo.synchronize()
        background(gmsh, [("PointsList", ring, Grading(h, growth, 0.0, max(h, (radii[-1]) / 3)))])
        for name, surface in zip(materials, surfaces, strict=True):
            gmsh.model.addPhysicalGroup(2, [surface], name=name)
        curves = [c for c in arc if c is not None]
        for name, line in zip(arcs, curves, strict=True):
            gmsh.model.addPhysicalGroup(1, [line], name=name)
        gmsh.model.addPhysicalGroup(1, upright, name="symmetry_x")
        gmsh.model.mesh.generate(2)
        base = collect(gmsh, 2, 1)

    project = {
        name: _onto_circle(r) for name, r in zip(arcs, [r for r in radii if r > 0], strict=True)
    }
    return _turn(base, sectors, False, order, project, None)


def _onto_circle(radius: float) -> Callable[[Floats], Floats]:
    def project(p: Floats) -> Floats:
        return p * (radius / np.hypot(p[:, 0], p[:, 1]))[:, None]

    return project


def _turn(
    base: MeshData,
    sectors: int,
    whole: bool,
    order: int,
    project: Mapping[str, Callable[[Floats], Floats]],
    rename: Callable[[str, int], str] | None,
) -> MeshData:
    """Turn a mesh of the half-plane y > 0 around the x axis."""
    count("sectors", sectors, at_least=2, at_most=1000)

    def place(u: Floats, v: Floats, angle: Floats) -> Floats:
        c, s = np.cos(angle), np.sin(angle)
        c[np.abs(c) < 1e-15] = 0.0
        s[np.abs(s) < 1e-15] = 0.0
        return np.column_stack([u, v * c, v * s])

    turn, pieces = (2 * math.pi, 4 * sectors) if whole else (math.pi / 2, sectors)
    return sweep(
        base,
        np.linspace(0.0, turn, pieces + 1).astype(np.float64),
        base.points[:, 1] == 0.0,
        place,
        closed=whole,
        order=order,
        caps=("symmetry_z", "symmetry_y"),
        project=project,
        rename=rename,
    )
