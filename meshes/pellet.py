"""The pellet: a cylinder of electrolyte with a lithium contact and the interphase under it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from ssbmech.errors import MeshError
from ssbmech.meshes import flaw, flaw_shapes
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import straighten
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.opening import open_cracks
from ssbmech.meshes.parameters import Count, Length, Number, choice, number
from ssbmech.meshes.scene import Part, Sheet, mesh_scene
from ssbmech.meshes.session import session
from ssbmech.meshes.sizing import Grading

Body = Literal["section", "quarter", "half", "whole"]
_ANGLE = {"quarter": math.pi / 2, "half": math.pi, "whole": 2 * math.pi}


def pellet(
    radius: Length,
    thickness: Length,
    contact: Length,
    interphase: Length = 0.0,
    *,
    shape: Literal["lens", "layer"] = "lens",
    lithium: Length = 0.0,
    edge: Length = 0.0,
    body: Body = "section",
    crack: tuple[Crack, ...] = (),
    order: Count = 2,
    h: Length | None = None,
    h_max: Length | None = None,
    growth: Number = 0.3,
) -> MeshData:
    """Cylindrical pellet with a lithium contact patch and an interphase that grew into it.

    The axis is y, the face with the contact y = 0, the pellet above it.

    Args:
        radius: Radius of the pellet [um].
        thickness: Its thickness along y [um].
        contact: Radius of the lithium contact patch [um].
        interphase: Thickness of the interphase at the axis [um]; 0: none.
        shape: ``"lens"``: a spherical cap, thin at the edge of the contact; ``"layer"``: as thick
            at the edge as at the axis.
        lithium: Thickness of the lithium disc below the contact [um]; 0: none.
        edge: Radius of the pellet's rounded edges [um].
        body: ``"section"``: 2-D, for the axisymmetric model; ``"quarter"``, ``"half"``,
            ``"whole"``: 3-D.
        crack: Cracks from the face with the contact; x is the radius at which they start. In a
            section they run all around the axis; in 3-D they are ellipses, radial with a turn of
            90 degrees (half of one, where z = 0 is a plane of symmetry).
        order: Order of the cells, 1 or 2 (curved).
        h: Size of the elements at the interphase and the edge of the contact [um]; a third of
            the interphase or a fortieth of the contact by default.
        h_max: Largest size [um]; a sixth of the thickness by default.
        growth: Growth of the size per distance from them.

    Returns:
        Cells ``electrolyte``, ``interphase``, ``lithium``; facets ``li_sse`` or
        ``lithium_interphase``, ``interphase_electrolyte``, without lithium the patch ``contact``;
        ``face`` (the rest of y = 0), ``cathode_plane``, ``rim``; ``axis`` in a section,
        ``symmetry_x`` and ``symmetry_z`` where the body is cut; faces and fronts of cracks.

    Raises:
        MeshError: For parameters out of range.
    """
    _check(radius, thickness, contact, interphase, lithium, edge, shape, body, order)
    number("growth", growth, above=0.01, below=1.0, closed=True, unit="")
    dim = 2 if body == "section" else 3
    extent = min(thickness, radius)
    largest = extent / 6 if h_max is None else number("h_max", h_max, below=extent)
    share = 3 if dim == 2 else 1.5
    fine = min(interphase / share if interphase else contact / 40, contact / (12 * share))
    fine = min(fine if h is None else number("h", h), largest)
    size = Grading(fine, growth, fine, largest)
    flaws = [
        flaw.place(one, i, dim=dim, interface=0.0, top=thickness, reach=(0.0, radius),
                   h_max=largest)
        for i, one in enumerate(crack)
    ]  # fmt: skip
    for i, one in enumerate(crack):
        if dim == 3 and one.shape != "ellipse":
            raise MeshError(
                "a crack in a 3-D pellet is an ellipse", key=f"geometry.crack.{i}.shape",
                value=one.shape, allowed="ellipse",
            )  # fmt: skip
    depth = (0.0, 0.0) if dim == 2 else (-radius if body == "whole" else 0.0, radius)
    if dim == 3:
        for ellipse in flaws:
            low = (0.0 if body == "quarter" else -radius, 0.0, depth[0])
            flaw.check_ellipse(ellipse, low, (radius, thickness, radius))
    with session("pellet") as gmsh:
        parts = [
            Part(name, _turn(gmsh, face, body))
            for name, face in _section(
                gmsh, radius, thickness, contact, interphase, lithium, edge, shape
            )
        ]
        sheets: list[Sheet] = []
        if not lithium:
            sheets.append(Sheet("contact", _turn_line(gmsh, contact, body)))
        for placed in flaws:
            layer = flaw_shapes.skin(gmsh, placed, dim, depth)
            parts += [layer] if layer is not None else []
            sheets += flaw_shapes.sheets(gmsh, placed, dim, depth, 0.0)
        names = ("li_sse", "lithium_interphase", "interphase_electrolyte", "contact")
        data = mesh_scene(
            gmsh, dim, parts, sheets, _sides(radius, thickness, contact, lithium, body),
            dict.fromkeys(names, size), largest, order=order, key="pellet",
        )  # fmt: skip
    if order == 2:
        points = straighten(data.points, data.cells, data.dim, data.facets[:0, 0])
        data = replace(data, points=points)
    data = open_cracks(data, flaws)
    return replace(data, notes=data.notes | ({"model": "axisymmetric"} if dim == 2 else {}))


def _check(
    radius: float, thickness: float, contact: float, interphase: float, lithium: float,
    edge: float, shape: str, body: str, order: int,
) -> None:  # fmt: skip
    choice("order", order, (1, 2))
    choice("shape", shape, ("lens", "layer"))
    choice("body", body, ("section", "quarter", "half", "whole"))
    number("radius", radius)
    number("thickness", thickness)
    number("edge", edge, closed=True, below=min(radius, thickness / 2) * (1 - 1e-9))
    number("contact", contact, below=radius - edge)
    number("interphase", interphase, closed=True, below=min(thickness, contact) * (1 - 1e-9),
           hint="Thinner than the pellet and than the contact is wide")  # fmt: skip
    number("lithium", lithium, closed=True)


def _section(
    gmsh: Any, radius: float, thickness: float, contact: float, interphase: float,
    lithium: float, edge: float, shape: str,
) -> list[tuple[str, list[tuple[int, int]]]]:  # fmt: skip
    """Cell groups and faces of the half section x > 0, in the order of painting."""
    occ = gmsh.model.occ
    r, t, e = radius, thickness, edge
    corners = [(0.0, 0.0), (r - e, 0.0), (r, e), (r, t - e), (r - e, t), (0.0, t)]
    if e == 0:
        corners = [(0.0, 0.0), (r, 0.0), (r, t), (0.0, t)]
    points = [occ.addPoint(x, y, 0) for x, y in corners]
    lines = []
    for i, p in enumerate(points):
        q = points[(i + 1) % len(points)]
        if e and i in (1, 3):
            centre = occ.addPoint(r - e, e if i == 1 else t - e, 0)
            lines.append(occ.addCircleArc(p, centre, q))
        else:
            lines.append(occ.addLine(p, q))
    faces = [("electrolyte", [(2, occ.addPlaneSurface([occ.addCurveLoop(lines)]))])]
    if interphase and shape == "layer":
        faces.append(("interphase", [(2, occ.addRectangle(0, 0, 0, contact, interphase))]))
    elif interphase:
        big = (contact**2 + interphase**2) / (2 * interphase)
        foot, origin, top = (
            occ.addPoint(x, y, 0) for x, y in ((contact, 0), (0, 0), (0, interphase))
        )
        arc = occ.addCircleArc(foot, occ.addPoint(0, interphase - big, 0), top)
        loop = occ.addCurveLoop([occ.addLine(origin, foot), arc, occ.addLine(top, origin)])
        faces.append(("interphase", [(2, occ.addPlaneSurface([loop]))]))
    if lithium:
        faces.append(("lithium", [(2, occ.addRectangle(0, -lithium, 0, contact, lithium))]))
    return faces


def _turn(gmsh: Any, faces: list[tuple[int, int]], body: str) -> tuple[int, ...]:
    """The faces themselves, or the solids that they sweep about the axis."""
    if body == "section":
        return tuple(tag for _, tag in faces)
    made = gmsh.model.occ.revolve(faces, 0, 0, 0, 0, 1, 0, -_ANGLE[body])
    gmsh.model.occ.remove(faces)
    return tuple(int(tag) for d, tag in made if d == 3)


def _turn_line(gmsh: Any, contact: float, body: str) -> tuple[int, ...]:
    """The contact patch."""
    occ = gmsh.model.occ
    line = occ.addLine(occ.addPoint(0, 0, 0), occ.addPoint(contact, 0, 0))
    if body == "section":
        return (int(line),)
    made = occ.revolve([(1, line)], 0, 0, 0, 0, 1, 0, -_ANGLE[body])
    return tuple(int(tag) for d, tag in made if d == 2)


def _sides(
    radius: float, thickness: float, contact: float, lithium: float, body: str
) -> Callable[[Any], str | None]:
    """Name of an outer side from its bounding box."""
    small = 1e-6 * max(radius, thickness)

    def flat(box: Any, axis: int, value: float) -> bool:
        return all(abs(box[axis + 3 * k] - value) < small for k in (0, 1))

    def side(box: Any) -> str | None:
        if flat(box, 0, 0.0):
            return "axis" if body == "section" else "symmetry_x"
        if body in ("quarter", "half") and flat(box, 2, 0.0):
            return "symmetry_z"
        if flat(box, 1, thickness):
            return "cathode_plane"
        if flat(box, 1, 0.0):
            return "face"
        if lithium and box[1] < -small:
            return "lithium_base" if flat(box, 1, -lithium) else "lithium_side"
        return "rim"

    return side
