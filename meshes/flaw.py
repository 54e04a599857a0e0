"""Cracks and sharp filaments in a scene: straight, kinked, along grain boundaries, elliptical."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, quarter_point
from ssbmech.meshes.parameters import Angle, Length, Number, Points, choice, number
from ssbmech.meshes.scene import Part, Sheet
from ssbmech.meshes.scene_rims import rim, untag_closed
from ssbmech.meshes.sizing import Grading
from ssbmech.meshes.split import split_crack

Shape = Literal["straight", "kinked", "grain_boundary", "ellipse"]


@dataclass(frozen=True)
class Crack:
    """A crack or a sharp lithium filament in the electrolyte.

    Attributes:
        shape: ``"straight"``; ``"kinked"`` through ``points``; ``"grain_boundary"``: the path of
            least energy along grain boundaries from the interface; ``"ellipse"`` (3-D).
            Other shapes go through the whole depth of a 3-D body.
        a: Length from the interface along the crack [um]; inside the electrolyte (``y`` given)
            half the length. Along grain boundaries the depth that the path must reach.
        c: Half-length along z of an ellipse [um], ``a`` by default.
        x: Where the crack starts on the interface, or its centre inside [um]; 0 by default, and
            along grain boundaries wherever the path is best.
        y: Height of the centre of a crack inside the electrolyte [um]; none: from the interface.
        angle: Between crack and the normal of the interface (y); positive turns it to +x.
        points: Corners (x, y) of a kinked crack [um], from its mouth to its tip.
        at: ``"void_edge"``: the crack starts at the right-hand edge of the first void;
            ``"protrusion_tip"``: at the tip of the first protrusion or a crest of the wave.
        filled: Share of the length that lithium fills, from the mouth or the centre.
        skin: Thickness of an interphase around the crack [um].
        boundary_energy: Energy of weak grain boundaries over that of the others.
        weak: Share of weak grain boundaries, drawn with the seed of the grains.
        h_tip: Size of the elements at the tip [um]; by default a sixtieth (3-D: a fifteenth) of
            ``a``, and a quarter of the skin.
        growth: Growth of the size per distance from the tip.
    """

    a: Length | None = None
    shape: Shape = "straight"
    c: Length | None = None
    x: Length | None = None
    y: Length | None = None
    angle: Angle = 0.0
    points: Points | None = None
    at: Literal["void_edge", "protrusion_tip"] | None = None
    filled: Number = 1.0
    skin: Length | None = None
    boundary_energy: Number = 1.0
    weak: Number = 0.0
    h_tip: Length | None = None
    growth: Number = 0.25


@dataclass(frozen=True)
class Flaw:
    """A crack placed in a body: a polyline in the x-y plane, or an ellipse.

    Attributes:
        crack: What was asked for.
        path: Corners from the mouth to the tip [um], shape (n, 2); of an ellipse its centre and
            its end.
        size: Length (half-length inside) for geometry factors [um].
        grading: Element sizes at its front.
        suffix: Of its groups: empty for the first crack, ``_2``, ``_3``, ...
        key: Its block in the case file, for messages.
        apart: Whether filled faces have a group of their own although the crack is full: another
            crack of the body is not.
        polygons: Its faces where it is a surface along grain boundaries [um], shape (k, 3) each.
    """

    crack: Crack
    path: Floats
    size: float
    grading: Grading
    suffix: str
    key: str
    apart: bool = False
    polygons: tuple[Floats, ...] = ()

    @property
    def inside(self) -> bool:
        """Whether both ends lie inside the electrolyte."""
        return self.crack.y is not None

    @property
    def dry(self) -> str:
        """Group of the faces that lithium does not reach (or of all faces when full)."""
        return f"crack{self.suffix}"

    @property
    def wet(self) -> str:
        """Group of the filled part of the faces."""
        return f"crack{self.suffix}_filled"


def place(
    crack: Crack, index: int, *, dim: int, interface: float, top: float, reach: tuple[float, float],
    h_max: float, path: Floats | None = None, polygons: tuple[Floats, ...] = (),
) -> Flaw:  # fmt: skip
    """Check a crack and place it.

    Args:
        crack: What was asked for.
        index: Its number from 0.
        dim: 2 or 3.
        interface: Height of the electrolyte's lower surface [um].
        top: Height of its upper surface [um].
        reach: Range of x of the body [um].
        h_max: Largest element [um].
        path: Corners of a path along grain boundaries, where that was asked for.
        polygons: Its faces, where it is no line.

    Raises:
        MeshError: For a crack that does not fit, with the numbers.
    """
    key = f"geometry.crack.{index}"
    choice(f"{key}.shape", crack.shape, ("straight", "kinked", "grain_boundary", "ellipse"))
    number(f"{key}.filled", crack.filled, below=1, closed=True, unit="")
    number(f"{key}.growth", crack.growth, above=0.01, below=1, closed=True, unit="")
    if crack.shape == "ellipse" and dim == 2:
        raise MeshError(
            "an ellipse needs a 3-D body", key=f"{key}.shape", value=crack.shape,
            hint="Give the geometry a depth",
        )  # fmt: skip
    corners = _corners(crack, key, interface, path)
    size = _length(corners) * (0.5 if crack.y is not None else 1.0)
    if crack.shape == "grain_boundary":
        size = float(corners[-1, 1] - interface)
    _must_fit(corners, key, interface, top, reach, inside=crack.y is not None)
    share = 60 if dim == 2 else 15
    default = size / share if crack.skin is None else min(size / share, crack.skin / 4)
    h = default if crack.h_tip is None else number(f"{key}.h_tip", crack.h_tip, below=size)
    if crack.skin is not None:
        number(f"{key}.skin", crack.skin, below=size, hint="Thinner than the crack is long")
    if crack.shape == "ellipse":
        c = size if crack.c is None else number(f"{key}.c", crack.c)
        h = min(h, c / 15) if crack.h_tip is None else h
    grading = Grading(h, crack.growth, 3 * h, max(h_max, h))
    return Flaw(
        crack, corners, size, grading, "" if index == 0 else f"_{index + 1}", key, polygons=polygons
    )  # fmt: skip


def tell_filled(flaws: Sequence[Flaw]) -> list[Flaw]:
    """Cracks with filled faces named apart from dry ones wherever any face of any crack is dry.

    Raises:
        MeshError: If no crack holds any lithium.
    """
    shares = [flaw.crack.filled for flaw in flaws]
    if shares and not any(shares):
        raise MeshError(
            "no crack holds any lithium", key=f"{flaws[0].key}.filled", value=0.0,
            allowed="above 0 in one crack at least",
            hint="For an empty crack leave [filament] and `filled` away",
        )  # fmt: skip
    dry = any(share < 1 for share in shares)
    return [replace(flaw, apart=dry) for flaw in flaws]


def _corners(crack: Crack, key: str, interface: float, path: Floats | None) -> Floats:
    if crack.shape == "grain_boundary":
        assert path is not None
        return path
    if crack.shape == "kinked":
        if crack.points is None or len(crack.points) < 2:
            raise MeshError("a kinked crack needs its corners", key=f"{key}.points",
                            value=crack.points, allowed="two points (x, y) or more")  # fmt: skip
        corners = np.array([tuple(p)[:2] for p in crack.points], dtype=float)
        if crack.y is None and abs(corners[0, 1] - interface) > 1e-9 * _length(corners):
            raise MeshError(
                "the crack does not start at the interface", key=f"{key}.points",
                value=corners[0].tolist(), allowed=f"y = {interface:g} um",
                hint="Give y as well for a crack inside",
            )  # fmt: skip
        return corners
    if crack.a is None:
        raise MeshError("the crack needs its length", key=f"{key}.a", allowed="> 0 um")
    a = number(f"{key}.a", crack.a)
    number(f"{key}.angle", crack.angle, above=-90, below=90, closed=True, unit="degrees")
    turn = math.radians(crack.angle)
    along = np.array([math.sin(turn), math.cos(turn)])
    if crack.y is not None:
        centre = np.array([crack.x or 0.0, crack.y])
        return np.array([centre - a * along, centre + a * along])
    mouth = np.array([crack.x or 0.0, interface])
    return np.array([mouth, mouth + a * along])


def _length(corners: Floats) -> float:
    return float(np.linalg.norm(np.diff(corners, axis=0), axis=1).sum())


def _must_fit(
    corners: Floats, key: str, interface: float, top: float, reach: tuple[float, float],
    *, inside: bool,
) -> None:  # fmt: skip
    low, high = corners.min(axis=0), corners.max(axis=0)
    first = corners if inside else corners[1:]
    if high[1] >= top or first[:, 1].min() <= interface:
        raise MeshError(
            "the crack is not within the electrolyte", key=key,
            value=f"y from {first[:, 1].min():g} to {high[1]:g} um",
            allowed=f"between {interface:g} and {top:g} um",
        )  # fmt: skip
    if low[0] < reach[0] - 1e-9 * (reach[1] - reach[0]) or high[0] >= reach[1]:
        raise MeshError(
            "the crack is not within the body", key=key,
            value=f"x from {low[0]:g} to {high[0]:g} um",
            allowed=f"between {reach[0]:g} and {reach[1]:g} um",
        )  # fmt: skip


# -- in Gmsh ---------------------------------------------------------------------------------------


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
    total = _length(flaw.path)
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
    """Ellipse with semi-axes a along the crack and c along z, in the plane of both."""
    occ = gmsh.model.occ
    centre, along = _frame(flaw)
    if a >= c:
        disk = occ.addDisk(*centre, 0, a, c, zAxis=_normal(along), xAxis=[*along, 0])
    else:
        disk = occ.addDisk(*centre, 0, c, a, zAxis=_normal(along), xAxis=[0, 0, 1])
    return int(disk)


def _frame(flaw: Flaw) -> tuple[Floats, Floats]:
    """Centre of an ellipse and the direction of its axis a."""
    along = flaw.path[-1] - flaw.path[0]
    centre = flaw.path.mean(axis=0) if flaw.inside else flaw.path[0]
    return centre, along / np.linalg.norm(along)


def _normal(along: Floats) -> list[float]:
    return [-float(along[1]), float(along[0]), 0.0]


def _ellipse_sheets(gmsh: Any, flaw: Flaw, depth: tuple[float, float], floor: float) -> list[Sheet]:
    a = flaw.size
    c = a if flaw.crack.c is None else flaw.crack.c
    share = flaw.crack.filled
    all_wet = share == 1.0 and flaw.apart
    result = [(flaw.wet if all_wet else flaw.dry, a, c, flaw.grading)]
    if share not in (0.0, 1.0):
        result.append((flaw.wet, share * a, share * c, None))
    made = []
    for name, a_, c_, size in result:
        disk = [(2, _disk(gmsh, flaw, a_, c_))]
        half = depth[0] == 0.0 < depth[1]  # z = 0 is a plane of symmetry
        if half or not flaw.inside:
            low = flaw.path[:, 1].min() - a if flaw.inside else floor
            disk = _above(gmsh, disk, float(low), 4 * max(a, c), flaw.path[0], half=half)
        made.append(Sheet(name, tuple(tag for _, tag in disk), size))
    return made


def _above(
    gmsh: Any,
    what: list[tuple[int, int]],
    floor: float,
    size: float,
    centre: Floats,
    *,
    half: bool,
) -> list[tuple[int, int]]:
    """The part of entities above a height, and at z > 0 where only half of them is wanted."""
    occ = gmsh.model.occ
    back = 0.0 if half else -size
    box = occ.addBox(float(centre[0]) - size, floor, back, 2 * size, size, size - back)
    out, _ = occ.intersect(what, [(3, box)])
    return [(d, int(t)) for d, t in out]


def skin(gmsh: Any, flaw: Flaw, dim: int, depth: tuple[float, float]) -> Part | None:
    """The interphase around the crack as a part of the scene, or None."""
    t = flaw.crack.skin
    if t is None:
        return None
    occ = gmsh.model.occ
    if flaw.crack.shape == "ellipse":
        a, c = flaw.size + t, (flaw.crack.c or flaw.size) + t
        normal = np.array(_normal(_frame(flaw)[1])) * t
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


# -- in the mesh -----------------------------------------------------------------------------------


def open_cracks(data: MeshData, flaws: Sequence[Flaw]) -> MeshData:
    """Split the cracks that are interior facets of the mesh, and name their fronts.

    Args:
        data: Mesh of a scene with the sheets of the flaws.
        flaws: The cracks; each is opened in turn.

    Returns:
        The mesh with ``crack_lower``, ``crack_upper`` (and ``..._filled``), fronts ``tip`` (two
        tips: ``tip_1``, ``tip_2``) or ``front``, and ``lines["mouth"]`` where a crack starts at a
        material that stays whole. Second-order 2-D meshes get quarter points at the tips.

    Raises:
        MeshError: If a crack has no facet or no front inside the body.
    """
    for flaw in flaws:
        groups = [g for g in (flaw.dry, flaw.wet) if g in data.facet_groups]
        if not groups:
            raise MeshError("the crack lies outside the body", key=f"crack{flaw.suffix}",
                            value=flaw.path.round(6).tolist())  # fmt: skip
        data = untag_closed(data, groups)
        front, mouth = rim(data, groups)
        if not len(front):
            raise MeshError("the crack cuts the body in two and has no tip inside",
                            key=f"crack{flaw.suffix}", value=flaw.path.round(6).tolist(),
                            hint="Shorten it")  # fmt: skip
        names = {g: g.replace(f"crack{flaw.suffix}", "crack_{}" + flaw.suffix) for g in groups}
        along = flaw.path[-1] - flaw.path[0]
        normal = np.array([-along[1], along[0], 0.0])
        data = split_crack(
            data, groups, None, lower=[names[g].format("lower") for g in groups],
            upper=[names[g].format("upper") for g in groups], normal=normal,
        )  # fmt: skip
        fronts = _front_names(data, front, flaw.suffix)
        lines = {} if not len(mouth) else {f"mouth{flaw.suffix}": mouth}
        notes: dict[str, float | str] = {} if flaw.suffix else {"crack_size": flaw.size}
        data = replace(
            data, fronts=data.fronts | fronts, lines=data.lines | lines, notes=data.notes | notes
        )
    # Quarter points in 3-D would bend cells that touch the front with one edge too far.
    if data.order == 2 and flaws and data.dim == 2:
        tips = np.unique(np.concatenate([f.ravel() for f in data.fronts.values()]))
        data = replace(data, points=quarter_point(data.points, data.cells, tips, data.dim))
    return data


def _front_names(data: MeshData, front: Any, suffix: str) -> dict[str, Any]:
    if data.dim == 3:
        return {f"front{suffix}": front}
    if len(front) == 1:
        return {f"tip{suffix}": front}
    place_ = data.points[front[:, 0]]
    ranked = np.lexsort((place_[:, 0], place_[:, 1]))
    return {f"tip{suffix}_{k}": front[[i]] for k, i in enumerate(ranked, start=1)}
