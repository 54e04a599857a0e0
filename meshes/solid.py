"""3-D cracks: penny and semi-elliptical surface flaw, swept along their fronts."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.parameters import Count, Length, Number, choice, count, number
from ssbmech.meshes.plane import LineCrack, mesh_line_crack
from ssbmech.meshes.sizing import grading, spider
from ssbmech.meshes.split import split_crack
from ssbmech.meshes.sweep import sweep


def penny(
    a: Length,
    half_width: Length,
    half_height: Length | None = None,
    *,
    symmetry: Literal["octant", "z"] | None = "octant",
    filled: Length | None = None,
    order: Count = 2,
    sectors: Count = 8,
    h_front: Length | None = None,
    growth: Number = 0.5,
    r_front: Length | None = None,
    h_max: Length | None = None,
    front: Literal["web", "graded"] = "web",
    web_radius: Length | None = None,
    web_ratio: Number = 1.6,
    web_sectors: Count = 4,
) -> MeshData:
    """Penny crack of radius ``a`` in the plane z = 0, in the middle of a cylinder.

    Args:
        a: Radius of the crack [um].
        half_width: Radius of the cylinder [um].
        half_height: Half its height along z [um]; ``half_width`` by default.
        symmetry: ``"octant"``: x, y, z > 0; ``"z"``: upper half with one face; none: the whole.
        filled: Radius b of the part ``r < b`` whose faces are named apart [um].
        order: Order of the cells, 1 or 2 (curved).
        sectors: Sectors over 90 degrees around the axis; elements are this long on the front.
        h_front: Size across the front [um], ``a / 200`` by default.
        growth: Growth of the size per distance from the front.
        r_front: Radius of uniform size around the front [um], ``2 h_front`` by default.
        h_max: Largest size in the (r, z) plane [um], a quarter of the body by default.
        front: ``"web"``: rings of elements around the front; ``"graded"``: unstructured.
        web_radius: Outer radius of the rings [um], 0.3 of the nearest change by default.
        web_ratio: Growth of the rings.
        web_sectors: Sectors of the rings over 180 degrees.

    Returns:
        Cells ``electrolyte``; facets ``crack_upper`` (and ``crack_lower`` of the whole; with
        ``filled``: ``..._filled`` and ``..._dry``), ``side`` (r = half_width), ``top``,
        ``bottom``, and ``symmetry_x``, ``symmetry_y``, ``symmetry_z`` where cut; front ``front``.

    Raises:
        MeshError: For parameters out of range.
    """
    number("half_width", half_width)
    height = number("half_height", half_width if half_height is None else half_height)
    number("a", a, below=half_width)
    choice("symmetry", symmetry, ("octant", "z", None))
    base = _meridian(
        "penny", a, half_width, height, a, filled, whole=symmetry is None, order=order,
        h_front=h_front, growth=growth, r_front=r_front, h_max=h_max, front=front,
        web_radius=web_radius, web_ratio=web_ratio, web_sectors=web_sectors,
    )  # fmt: skip
    count("sectors", sectors, at_least=2, at_most=1000)
    turn = math.pi / 2 if symmetry == "octant" else 2 * math.pi
    pieces = sectors if symmetry == "octant" else 4 * sectors

    def place(u: Floats, v: Floats, angle: Floats) -> Floats:
        return np.column_stack([u * _cos(angle), u * _sin(angle), v])

    data = sweep(
        base,
        np.linspace(0.0, turn, pieces + 1).astype(np.float64),
        base.points[:, 0] == 0.0,
        place,
        closed=symmetry != "octant",
        order=order,
        caps=("symmetry_y", "symmetry_x"),
    )
    volume = math.pi * half_width**2 * height
    share = {"octant": 0.25, "z": 1.0, None: 2.0}[symmetry]
    data.notes["volume:electrolyte"] = volume * share
    return data if symmetry else _split(data, filled is not None)


def semi_ellipse(
    a: Length,
    c: Length,
    thickness: Length,
    half_width: Length,
    half_height: Length | None = None,
    *,
    symmetry: Literal["yz", "z"] | None = "yz",
    filled: Number | None = None,
    order: Count = 2,
    sectors: Count = 8,
    h_front: Length | None = None,
    growth: Number = 0.5,
    r_front: Length | None = None,
    h_max: Length | None = None,
    front: Literal["web", "graded"] = "web",
    web_radius: Length | None = None,
    web_ratio: Number = 1.6,
    web_sectors: Count = 4,
) -> MeshData:
    """Semi-elliptical crack from the surface x = 0 (the Li/SSE interface), in the plane z = 0.

    The block is 0 < x < thickness, |y| < half_width, |z| < half_height. Around the front the
    mesh follows lines normal to it. Second order needs a ligament ahead of the crack of about
    a / 2 (a for c = 4 a), or more sectors; a thinner one is refused for inverted cells.

    Args:
        a: Depth of the crack along x [um].
        c: Half-length along y on the surface [um]; between a / 4 and 4 a.
        thickness: Thickness of the block along x [um].
        half_width: Its half-width along y [um].
        half_height: Its half-height along z [um]; ``half_width`` by default.
        symmetry: ``"yz"``: y, z > 0; ``"z"``: upper half with one face; none: the whole.
        filled: Fraction of the crack's axes up to which its faces are named apart, 0 to 1.
        order: Order of the cells, 1 or 2 (curved at the front).
        sectors: Sectors over the 90 degrees from the deepest point to the surface.
        h_front: Size across the front [um], ``min(a, c) / 200`` by default; along an elliptical
            front it varies by the factor 2a/(a+c) to 2c/(a+c).
        growth: Growth of the size per distance from the front.
        r_front: Radius of uniform size around the front [um], ``2 h_front`` by default.
        h_max: Largest size [um], a quarter of the body by default.
        front: ``"web"``: rings of elements around the front; ``"graded"``: unstructured.
        web_radius: Outer radius of the rings [um], 0.3 of the nearest change by default.
        web_ratio: Growth of the rings.
        web_sectors: Sectors of the rings over 180 degrees.

    Returns:
        Cells ``electrolyte``; facets ``crack_upper`` (and ``crack_lower`` of the whole; with
        ``filled``: ``..._filled`` and ``..._dry``), ``interface`` (x = 0), ``back``, ``right``
        (y = half_width), ``left``, ``top``, ``bottom``, ``symmetry_y`` and ``symmetry_z`` where
        cut; front ``front``.

    Raises:
        MeshError: For parameters out of range.
    """
    number("thickness", thickness)
    number("half_width", half_width)
    height = number("half_height", half_width if half_height is None else half_height)
    number("a", a, below=thickness)
    number("c", c, below=half_width)
    if not 0.25 <= a / c <= 4.0:
        raise MeshError(
            "the crack is too flat for a swept mesh", key="c", value=c,
            allowed=f"[{a / 4:g}, {4 * a:g}] um",
        )  # fmt: skip
    choice("symmetry", symmetry, ("yz", "z", None))
    count("sectors", sectors, at_least=2, at_most=1000)
    if filled is not None:
        number("filled", filled, below=1.0, unit="")
    ellipse = _Ellipse(a, c, thickness, half_width, sectors)
    base = _meridian(
        "semi_ellipse", ellipse.r0, ellipse.r_end, height, min(a, c),
        None if filled is None else filled * ellipse.r0, whole=symmetry is None, order=order,
        h_front=h_front, growth=growth, r_front=r_front, h_max=h_max, front=front,
        web_radius=web_radius, web_ratio=web_ratio, web_sectors=web_sectors,
    )  # fmt: skip
    quarter = symmetry == "yz"
    angles = np.linspace(0.0 if quarter else -math.pi / 2, math.pi / 2,
                         (1 if quarter else 2) * sectors + 1)  # fmt: skip
    middles = (angles[1:] + angles[:-1]) / 2

    def rename(name: str, sector: int) -> str:
        if name != "side":
            return name
        if abs(middles[sector]) < ellipse.corner:
            return "back"
        return "right" if middles[sector] > 0 else "left"

    # Curved near the front only: long elements far away would turn inside out.
    near = 0.4 * min(ellipse.r0, ellipse.r_end - ellipse.r0)
    data = sweep(
        base,
        angles.astype(np.float64),
        base.points[:, 0] == 0.0,
        ellipse.place,
        closed=False,
        order=order,
        caps=("symmetry_y" if quarter else "interface", "interface"),
        rename=rename,
        straight=lambda ends: (
            np.hypot(ends[:, :, 0] - ellipse.r0, ends[:, :, 1]).max(axis=1) > near
        ),
    )
    volume = thickness * half_width * height
    data.notes["volume:electrolyte"] = volume * (1 if quarter else 4 if symmetry is None else 2)
    return data if symmetry else _split(data, filled is not None)


class _Ellipse:
    """Map from (radius, angle) to the x-y plane: ellipses to the front, then to the box.

    Inside the front (radius r0 = (a + c) / 2) the radius lines leave it at right angles, as in
    confocal coordinates, and meet in one point; outside they bend to the box's perimeter.
    """

    def __init__(self, a: float, c: float, thickness: float, half_width: float, n: int) -> None:
        self.a, self.c, self.box = a, c, (thickness, half_width)
        self.r0 = (a + c) / 2
        # Slopes of the semi-axes at the front: along the normal of the ellipse.
        self.slope = (2 * c / (a + c), 2 * a / (a + c))
        room = min((thickness - a) / self.slope[0], (half_width - c) / self.slope[1])
        self.r_end = self.r0 + room
        # A far side bends the lines late, so that the mesh at the front keeps its shape.
        far = math.hypot(thickness - a, half_width - c) / room
        self.bend = 2.0 + min(max(math.log2(far), 0.0), 3.0)
        ray = math.atan2(half_width, thickness)
        # The corner of the box is on the half-plane nearest to its direction.
        step = (math.pi / 2) / n
        self.corner = min(max(round(ray / step), 1), n - 1) * step
        self.ray = ray

    def place(self, radius: Floats, z: Floats, angle: Floats) -> Floats:
        t = np.minimum(radius / self.r0, 1.0)
        p = (self.c / self.a, self.a / self.c)
        scale = [t + (q - 1) * (t - 1) * t**4 for q in p]  # slope q at t = 1, monotone for q < 5.6
        cos, sin = _cos(angle), _sin(angle)
        x, y = self.a * scale[0] * cos, self.c * scale[1] * sin
        out = radius > self.r0
        if out.any():
            length = self.r_end - self.r0
            s = (radius[out] - self.r0) / length
            bx, by = self._target(angle[out])
            for values, end, slope, part in (
                (x, bx, self.slope[0], cos[out]),
                (y, by, self.slope[1], sin[out]),
            ):
                start, away = values[out], length * slope * part
                values[out] = start + s * away + s**self.bend * (end - start - away)
                values[out] = np.where(s == 1.0, end, values[out])
        return np.column_stack([x, y, z])

    def _target(self, angle: Floats) -> tuple[Floats, Floats]:
        """Point of the box's perimeter for each angle."""
        thickness, half_width = self.box
        size = np.abs(angle)
        back = size <= self.corner * (1 + 1e-12)
        low = self.ray * size / self.corner
        high = self.ray + (math.pi / 2 - self.ray) * (size - self.corner) / (
            math.pi / 2 - self.corner
        )
        x = np.where(back, thickness, half_width / np.tan(np.maximum(high, 1e-9)))
        x[size >= math.pi / 2 * (1 - 1e-14)] = 0.0
        y = np.where(back, thickness * np.tan(np.minimum(low, self.ray)), half_width)
        corner = np.abs(size - self.corner) < 1e-9
        x[corner], y[corner] = thickness, half_width
        return x, np.sign(angle) * y


def _meridian(
    name: str,
    radius: float,
    width: float,
    height: float,
    length: float,
    filled: float | None,
    *,
    whole: bool,
    order: int,
    h_front: float | None,
    growth: float,
    r_front: float | None,
    h_max: float | None,
    front: str,
    web_radius: float | None,
    web_ratio: float,
    web_sectors: int,
) -> MeshData:
    """First-order mesh of the (r, z) half-plane with the crack 0 < r < radius on z = 0."""
    choice("front", front, ("web", "graded"))
    choice("order", order, (1, 2))
    if filled is not None:
        number("filled", filled, below=radius)
    size = grading(
        length, 2 * min(width, height), h_front, growth, r_front, h_max, fraction=1 / 200,
        key="h_front",
    )  # fmt: skip
    web = None
    if front == "web":
        room = min(radius - (filled or 0.0), width - radius, height)
        outer = 0.3 * room if web_radius is None else number("web_radius", web_radius, below=room)
        web = spider(min(size.h_tip, outer), outer, web_ratio, web_sectors)
    face = "crack" if whole else "crack_upper"
    ligament = None if whole else "symmetry_z"
    if filled is None:
        stations, parts = [radius], [face, ligament]
    else:
        stations, parts = [filled, radius], [f"{face}_filled", f"{face}_dry", ligament]
    also: list[Any] = [(s, size) for s in stations[:-1]]
    return mesh_line_crack(
        LineCrack(
            name=name,
            corners=[(0.0, -height), (width, -height), (width, height), (0.0, height)],
            sides=["bottom", "side", "top", "axis"],
            stations=stations,
            parts=parts,
            tips=[("front", radius)],
            size=size,
            lower=whole,
            web=web,
            also=also,
        ),
        1,
        False,
    )


def _cos(angle: Floats) -> Floats:
    """Cosine that is exactly zero at right angles: symmetry planes must be flat."""
    value = np.cos(angle)
    value[np.abs(value) < 1e-15] = 0.0
    return value


def _sin(angle: Floats) -> Floats:
    value = np.sin(angle)
    value[np.abs(value) < 1e-15] = 0.0
    return value


def _split(data: MeshData, filled: bool) -> MeshData:
    ends = ["_dry", "_filled"] if filled else [""]
    return split_crack(
        data,
        [f"crack{end}" for end in ends],
        "front",
        lower=[f"crack_lower{end}" for end in ends],
        upper=[f"crack_upper{end}" for end in ends],
        normal=(0.0, 0.0, 1.0),
    )
