"""Voids, protrusions, impurities and contact patches at a lithium interface, as scene parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.parameters import Count, Length, Number, choice, count, number
from ssbmech.meshes.scene import Part, Sheet


@dataclass(frozen=True)
class Void:
    """A gap between lithium and electrolyte.

    Attributes:
        radius: Half-width of its opening at the interface [um].
        height: How far it reaches into the lithium [um]; ``radius``: a half-sphere.
        depth: How far it reaches into the electrolyte [um]; with both it is a lens.
        x: Place of its centre, or of the middle of an array [um].
        z: The same along z in 3-D [um].
        number: Number of equal voids in a row along x.
        rows: Number of rows along z in 3-D.
        pitch: Distance of their centres [um]; three times the radius by default.
        strip: In 3-D: a channel along z instead of a cap.
    """

    radius: Length
    height: Length = 0.0
    depth: Length = 0.0
    x: Length = 0.0
    z: Length = 0.0
    number: Count = 1
    rows: Count = 1
    pitch: Length | None = None
    strip: bool = False


@dataclass(frozen=True)
class Protrusion:
    """Lithium that stands into the electrolyte.

    Attributes:
        height: Height of the tip over the interface [um]; of a wave its amplitude.
        shape: ``"ellipse"``: half a spheroid (2-D: half an ellipse; a half-sphere when height and
            radius agree); ``"finger"``: straight walls and a round tip; ``"wave"``: the whole
            interface is y = height cos(2 pi x/wavelength).
        radius: Half-width at the interface [um].
        x: Place of its axis [um].
        z: The same along z in 3-D [um].
        filled: Share of the height that lithium fills, from the interface; the rest is empty.
        wavelength: Of a wave along x [um].
        ridge: In 3-D: the same section all along z instead of a body of revolution.
    """

    height: Length
    shape: Literal["ellipse", "finger", "wave"] = "ellipse"
    radius: Length | None = None
    x: Length = 0.0
    z: Length = 0.0
    filled: Number = 1.0
    wavelength: Length | None = None
    ridge: bool = False


@dataclass(frozen=True)
class Impurity:
    """An insulating inclusion on the lithium surface.

    Attributes:
        radius: Half-width at the interface [um].
        thickness: How far it reaches into the lithium [um]; 0: a film without thickness, the
            facet group ``blocked``.
        shape: ``"lens"`` or ``"plate"``.
        x: Place of its centre [um].
        z: The same along z in 3-D [um].
        strip: In 3-D: a strip along z instead of a disc.
    """

    radius: Length
    thickness: Length = 0.0
    shape: Literal["lens", "plate"] = "lens"
    x: Length = 0.0
    z: Length = 0.0
    strip: bool = False


@dataclass(frozen=True)
class Contact:
    """Random contact: discs (2-D: strips) on the interface that do or do not touch.

    Attributes:
        fraction: Share of the interface in contact, 0 to 1.
        size: Mean diameter of the discs [um].
        spread: Standard deviation of the logarithm of the diameters.
        seed: Of the random numbers.
        gap: Whether the blocked part is open (two free faces ``blocked_li`` and
            ``blocked_sse``); otherwise it is a tagged film ``blocked`` that holds together.
    """

    fraction: Number
    size: Length
    spread: Number = 0.3
    seed: Count = 1
    gap: bool = False


@dataclass(frozen=True)
class Place:
    """Where the features go.

    Attributes:
        dim: 2 or 3.
        low: Lowest corner of the interface (x, z) [um].
        high: Its highest corner (x, z) [um].
        lithium: Height of the lithium's surface [um].
        floor: Lower surface of the lithium [um].
        top: Upper surface of the electrolyte [um].
    """

    dim: int
    low: tuple[float, float]
    high: tuple[float, float]
    lithium: float
    floor: float
    top: float


def void_parts(gmsh: Any, void: Void, key: str, at: Place) -> list[Part]:
    """Holes of a void or of an array of voids.

    Raises:
        MeshError: If voids overlap, reach through the lithium or out of the body.
    """
    number(f"{key}.radius", void.radius)
    number(f"{key}.height", void.height, closed=True, below=at.lithium - at.floor)
    number(f"{key}.depth", void.depth, closed=True, below=at.top - at.lithium)
    if void.height == void.depth == 0:
        raise MeshError(
            "a void needs an extent", key=f"{key}.height", value=void.height, allowed="> 0 um",
            hint="A gap without thickness is [geometry.contact] or an impurity of thickness 0",
        )  # fmt: skip
    count(f"{key}.number", void.number, at_least=1, at_most=1000)
    count(f"{key}.rows", void.rows, at_least=1, at_most=1000)
    pitch = 3 * void.radius if void.pitch is None else number(f"{key}.pitch", void.pitch)
    if void.number * void.rows > 1 and pitch <= 2 * void.radius:
        raise MeshError("the voids of the array overlap", key=f"{key}.pitch", value=pitch,
                        allowed=f"> {2 * void.radius:g} um")  # fmt: skip
    parts = []
    for x, z in void_centres(void, at.dim):
        _on_interface(key, x, z, void.radius, at, strip=void.strip)
        for size, sign, over in ((void.height, -1.0, "lithium"), (void.depth, 1.0, "electrolyte")):
            if size > 0:
                tags = _cap(gmsh, at, x, z, void.radius, size, sign, strip=void.strip)
                parts.append(Part(None, tags, over=(over,)))
    return parts


def void_centres(void: Void, dim: int) -> list[tuple[float, float]]:
    """Centres (x, z) of the voids of an array [um]."""
    pitch = 3 * void.radius if void.pitch is None else void.pitch
    rows = void.rows if dim == 3 and not void.strip else 1
    return [
        (
            void.x + (i - (void.number - 1) / 2) * pitch,
            void.z + (k - (rows - 1) / 2) * pitch,
        )
        for i in range(void.number)
        for k in range(rows)
    ]


def protrusion_parts(gmsh: Any, bump: Protrusion, key: str, at: Place) -> list[Part]:
    """Lithium (and the empty end) of a protrusion.

    Raises:
        MeshError: If it reaches through the electrolyte or out of the body.
    """
    choice(f"{key}.shape", bump.shape, ("ellipse", "finger", "wave"))
    number(f"{key}.filled", bump.filled, below=1, closed=True, unit="")
    number(f"{key}.height", bump.height, below=at.top - at.lithium,
           hint="A protrusion deeper than the electrolyte shorts the cell")  # fmt: skip
    if bump.shape == "wave":
        return _wave(gmsh, bump, key, at)
    if bump.radius is None:
        raise MeshError("the protrusion needs its radius", key=f"{key}.radius", allowed="> 0 um")
    r = number(f"{key}.radius", bump.radius)
    if bump.shape == "finger" and bump.height <= r:
        raise MeshError("a finger is longer than its round tip", key=f"{key}.height",
                        value=bump.height, allowed=f"> {r:g} um")  # fmt: skip
    _on_interface(key, bump.x, bump.z, r, at, strip=bump.ridge)
    solid = _bump(gmsh, at, bump, r)
    if bump.filled == 1.0:
        return [Part("lithium", tuple(t for _, t in solid))]
    level = at.lithium + bump.filled * bump.height
    empty = _above(gmsh, at, gmsh.model.occ.copy(solid), level)
    return [
        Part("lithium", tuple(t for _, t in solid)),
        Part(None, tuple(t for _, t in empty), wall="void"),
    ]


def impurity_items(
    gmsh: Any, spot: Impurity, key: str, at: Place
) -> tuple[list[Part], list[Sheet]]:
    """The impurity as a part, or as a sheet when it has no thickness."""
    choice(f"{key}.shape", spot.shape, ("lens", "plate"))
    r = number(f"{key}.radius", spot.radius)
    number(f"{key}.thickness", spot.thickness, closed=True, below=at.lithium - at.floor)
    _on_interface(key, spot.x, spot.z, r, at, strip=spot.strip)
    if spot.thickness == 0:
        return [], [Sheet("blocked", _patch(gmsh, at, spot.x, spot.z, r, strip=spot.strip))]
    if spot.shape == "lens":
        tags = _cap(gmsh, at, spot.x, spot.z, r, spot.thickness, -1.0, strip=spot.strip)
    else:
        tags = _plate(gmsh, at, spot, r)
    return [Part("impurity", tags, over=("lithium",))], []


def contact_sheets(gmsh: Any, contact: Contact, at: Place) -> list[Sheet]:
    """Blocked part of the interface under random contact, as sheets.

    Discs are laid down one after another where they touch no other (random sequential addition);
    whichever of contact and gap covers less of the interface is made of discs, and their sizes
    are scaled in the end so that the share is exact.

    Raises:
        MeshError: For a share outside 0 to 1, or discs that do not find room.
    """
    share = number("contact.fraction", contact.fraction, below=1, closed=True, unit="")
    number(
        "contact.size", contact.size, below=min(_extent(at)), hint="Discs must fit the interface"
    )
    number("contact.spread", contact.spread, below=1, closed=True, unit="")
    count("contact.seed", contact.seed, at_least=0, at_most=2**31)
    if share == 1.0:
        return []
    whole = _whole(gmsh, at)
    if share == 0.0:
        return [Sheet("blocked", whole)]
    discs_touch = share <= 0.5
    discs = scatter(at, share if discs_touch else 1 - share, contact)
    tags: list[int] = []
    for x, z, r in discs:
        tags += _patch(gmsh, at, x, z, r, strip=False)
    if not discs_touch:
        return [Sheet("blocked", tuple(tags))]
    # The last sheet of a facet names it: what touches is taken out of the blocked whole.
    return [Sheet("blocked", whole), Sheet("li_sse", tuple(tags))]


def scatter(at: Place, share: float, contact: Contact) -> list[tuple[float, float, float]]:
    """Discs (x, z, radius) [um] that do not touch and cover a share of the interface exactly."""
    rng = np.random.default_rng(contact.seed)
    width, depth = _extent(at)
    area = width * depth if at.dim == 3 else width
    count(
        "discs of contact.size on the interface",
        math.ceil(share * area / _size(contact.size / 2, at.dim)),
        at_least=0,
        at_most=2000,
    )
    radii: list[float] = []
    while sum(_size(r, at.dim) for r in radii) < share * area:
        radii.append(contact.size / 2 * math.exp(rng.normal(0.0, contact.spread)))
    scaled = np.sort(np.array(radii))[::-1]
    for _ in range(60):  # strips and discs are cut nowhere: the share is reached exactly
        total = sum(_size(r, at.dim) for r in scaled)
        scaled = scaled * (share * area / total) ** (1 / (at.dim - 1))
    placed: list[tuple[float, float, float]] = []
    for r in scaled:
        placed.append(_free_place(rng, placed, float(r), at))
    return sorted(placed)


def _free_place(
    rng: np.random.Generator, placed: Sequence[tuple[float, float, float]], r: float, at: Place
) -> tuple[float, float, float]:
    others = np.array(placed).reshape(-1, 3)
    edge = 1.05 * r  # a disc that just misses the side would leave a sliver
    (x0, z0), (x1, z1) = at.low, at.high
    if x1 - x0 <= 2 * edge or (at.dim == 3 and z1 - z0 <= 2 * edge):
        raise MeshError("a disc is wider than the interface", key="contact.size", value=2 * r,
                        allowed=f"below {min(_extent(at)):g} um")  # fmt: skip
    for _ in range(20_000):
        x = rng.uniform(x0 + edge, x1 - edge)
        z = rng.uniform(z0 + edge, z1 - edge) if at.dim == 3 else 0.0
        gap = np.hypot(others[:, 0] - x, others[:, 1] - z) - others[:, 2] - r
        if not len(others) or gap.min() > 0.1 * r:
            return x, z, r
    raise MeshError(
        "the discs do not find room on the interface", key="contact.fraction",
        value=f"{len(placed)} discs placed, the next has diameter {2 * r:g} um",
        hint="Choose smaller discs, a share nearer to 0 or 1, or another seed",
    )  # fmt: skip


def _size(r: float, dim: int) -> float:
    return math.pi * r * r if dim == 3 else 2 * r


def _extent(at: Place) -> tuple[float, float]:
    width = at.high[0] - at.low[0]
    return width, (at.high[1] - at.low[1] if at.dim == 3 else width)


def _on_interface(key: str, x: float, z: float, r: float, at: Place, *, strip: bool) -> None:
    """Refuse what would cross the sides; a centre on a side (a symmetry plane) is fine."""
    for name, c, low, high in (("x", x, at.low[0], at.high[0]), ("z", z, at.low[1], at.high[1])):
        if name == "z" and (at.dim == 2 or strip):
            continue
        room = min(abs(c - low) or math.inf, abs(high - c) or math.inf)
        if not low <= c <= high or room <= r:
            raise MeshError(
                "the feature crosses the side of the body", key=f"{key}.{name}", value=c,
                allowed=f"{name} from {low + r:g} to {high - r:g} um, or on a side itself",
            )  # fmt: skip


# -- shapes in Gmsh --------------------------------------------------------------------------------


def _along_z(gmsh: Any, at: Place, faces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Faces of the section extruded through the depth."""
    occ = gmsh.model.occ
    occ.translate(faces, 0, 0, at.low[1])
    made = occ.extrude(faces, 0, 0, at.high[1] - at.low[1])
    occ.remove(faces)
    return [(d, int(t)) for d, t in made if d == 3]


def _cap(
    gmsh: Any, at: Place, x: float, z: float, radius: float, height: float, sign: float,
    *, strip: bool,
) -> tuple[int, ...]:  # fmt: skip
    """Spherical cap (2-D and strips: circular segment) below (sign -1) or above the interface."""
    occ = gmsh.model.occ
    big = (radius**2 + height**2) / (2 * height)
    centre = at.lithium + sign * (height - big)
    flat = at.dim == 2 or strip
    if flat:
        ball = [(2, occ.addDisk(x, centre, 0, big, big))]
        box = [(2, occ.addRectangle(x - 3 * big, at.lithium, 0, 6 * big, sign * 3 * big))]
    else:
        ball = [(3, occ.addSphere(x, centre, z, big))]
        low = at.lithium if sign > 0 else at.lithium - 3 * big
        box = [(3, occ.addBox(x - 3 * big, low, z - 3 * big, 6 * big, 3 * big, 6 * big))]
    cut, _ = occ.intersect(ball, box)
    if at.dim == 3 and strip:
        cut = _along_z(gmsh, at, cut)
    return tuple(int(t) for _, t in cut)


def _plate(gmsh: Any, at: Place, spot: Impurity, r: float) -> tuple[int, ...]:
    occ = gmsh.model.occ
    y, t = at.lithium, spot.thickness
    if at.dim == 2 or spot.strip:
        faces = [(2, occ.addRectangle(spot.x - r, y - t, 0, 2 * r, t))]
        whole = faces if at.dim == 2 else _along_z(gmsh, at, faces)
        return tuple(int(tag) for _, tag in whole)
    return (int(occ.addCylinder(spot.x, y - t, spot.z, 0, t, 0, r)),)


def _patch(gmsh: Any, at: Place, x: float, z: float, r: float, *, strip: bool) -> tuple[int, ...]:
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


def _whole(gmsh: Any, at: Place) -> tuple[int, ...]:
    middle = (at.low[0] + at.high[0]) / 2
    return _patch(gmsh, at, middle, 0.0, (at.high[0] - at.low[0]) / 2, strip=True)


def _bump(gmsh: Any, at: Place, bump: Protrusion, r: float) -> list[tuple[int, int]]:
    """Half a spheroid, or a finger, above the interface."""
    occ = gmsh.model.occ
    x, y, h = bump.x, at.lithium, bump.height
    flat = at.dim == 2 or bump.ridge
    if bump.shape == "ellipse":
        if flat:
            face = occ.addDisk(
                x, y, 0, max(r, h), min(r, h),
                zAxis=[0, 0, 1], xAxis=[0, 1, 0] if h > r else [1, 0, 0],
            )  # fmt: skip
            body = [(2, face)]
        else:
            body = _half_spheroid(occ, x, y, bump.z, r, h)
    elif flat:
        stem = (2, occ.addRectangle(x - r, y - r, 0, 2 * r, h))
        body, _ = occ.fuse([stem], [(2, occ.addDisk(x, y + h - r, 0, r, r))])
    else:
        stem = (3, occ.addCylinder(x, y - r, bump.z, 0, h, 0, r))
        body, _ = occ.fuse([stem], [(3, occ.addSphere(x, y + h - r, bump.z, r))])
    if at.dim == 3 and bump.ridge:
        body = _along_z(gmsh, at, body)
    return _above(gmsh, at, body, y)


def _half_spheroid(
    occ: Any, x: float, y: float, z: float, r: float, h: float
) -> list[tuple[int, int]]:
    """A quarter of an ellipse turned about its axis (a scaled sphere has poles on its rim)."""
    centre, foot, top = (occ.addPoint(*p) for p in ((x, y, z), (x + r, y, z), (x, y + h, z)))
    major = foot if r >= h else top
    arc = occ.addEllipseArc(foot, centre, major, top)
    loop = occ.addCurveLoop([occ.addLine(centre, foot), arc, occ.addLine(top, centre)])
    made = occ.revolve([(2, occ.addPlaneSurface([loop]))], x, y, z, 0, 1, 0, 2 * math.pi)
    return [(d, int(t)) for d, t in made if d == 3]


def _above(
    gmsh: Any, at: Place, what: list[tuple[int, int]], level: float
) -> list[tuple[int, int]]:
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


def _wave(gmsh: Any, bump: Protrusion, key: str, at: Place) -> list[Part]:
    """Both sides of a sinusoidal interface: what is below it is lithium, above electrolyte."""
    if bump.wavelength is None:
        raise MeshError("a wave needs its length", key=f"{key}.wavelength", allowed="> 0 um")
    number(f"{key}.wavelength", bump.wavelength)
    if bump.height >= at.lithium - at.floor:
        raise MeshError("the wave reaches through the lithium", key=f"{key}.height",
                        value=bump.height, allowed=f"< {at.lithium - at.floor:g} um")  # fmt: skip
    occ = gmsh.model.occ
    x0, x1 = at.low[0], at.high[0]
    steps = max(8, math.ceil(24 * (x1 - x0) / bump.wavelength))
    if steps > 20_000:
        raise MeshError("the wave has too many periods", key=f"{key}.wavelength",
                        value=bump.wavelength, allowed=f">= {(x1 - x0) / 800:g} um")  # fmt: skip
    x = np.linspace(x0, x1, steps + 1)
    y = wave_height(x, bump, at)
    parts = []
    for name, flat in (("lithium", at.floor), ("electrolyte", at.top)):
        points = [occ.addPoint(float(a), float(b), 0) for a, b in zip(x, y, strict=True)]
        ends = (points[0], points[-1])
        curve = occ.addSpline(points)
        corner = [occ.addPoint(x1, flat, 0), occ.addPoint(x0, flat, 0)]
        loop = [
            curve, occ.addLine(ends[1], corner[0]), occ.addLine(corner[0], corner[1]),
            occ.addLine(corner[1], ends[0]),
        ]  # fmt: skip
        face = [(2, occ.addPlaneSurface([occ.addCurveLoop(loop)]))]
        whole = face if at.dim == 2 else _along_z(gmsh, at, face)
        parts.append(Part(name, tuple(int(t) for _, t in whole), over=("lithium", "electrolyte")))
    return parts


def wave_height(x: Floats, bump: Protrusion, at: Place) -> Floats:
    """Height of a sinusoidal interface [um]."""
    assert bump.wavelength is not None
    return at.lithium + bump.height * np.cos(2 * math.pi * (x - bump.x) / bump.wavelength)
