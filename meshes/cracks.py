"""Sharp 2-D cracks: Griffith (also inclined), edge crack, and a wedged strip."""

from __future__ import annotations

import math
from typing import Literal

from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.parameters import Angle, Count, Length, Number, choice, number
from ssbmech.meshes.plane import LineCrack, mesh_line_crack
from ssbmech.meshes.sizing import Grading, Web, grading, spider, tip_style
from ssbmech.meshes.split import split_crack

Tip = Literal["graded", "spider"]


def griffith(
    a: Length,
    half_width: Length,
    half_height: Length | None = None,
    *,
    angle: Angle = 0.0,
    symmetry: Literal["y", "xy"] | None = None,
    filled: Length | None = None,
    order: Count = 2,
    tip: Tip = "graded",
    h_tip: Length | None = None,
    growth: Number = 0.3,
    r_tip: Length | None = None,
    h_max: Length | None = None,
    quarter_point: bool = False,
    web_radius: Length | None = None,
    web_ratio: Number = 1.5,
    web_sectors: Count = 8,
) -> MeshData:
    """Central crack of half-length ``a`` in a rectangle, centred at the origin.

    The quarter (``symmetry="xy"``) read as (r, z) is a penny of radius ``a`` in a cylinder.

    Args:
        a: Half-length of the crack [um].
        half_width: Half-width of the rectangle along x [um].
        half_height: Half-height along y [um]; ``half_width`` by default.
        angle: Direction of the crack from +x [degrees], -90 to 90; only without symmetry.
        symmetry: ``"y"``: upper half with one face; ``"xy"``: right upper quarter.
        filled: Half-length b of the part in ``|x| < b`` whose faces are named apart [um].
        order: Order of the cells, 1 or 2.
        tip: ``"graded"``: sizes grow with distance; ``"spider"``: structured rings.
        h_tip: Size at the tip [um], ``a / 100`` by default.
        growth: Growth of the size per distance.
        r_tip: Radius of uniform elements around the tip [um], ``2 h_tip`` by default.
        h_max: Largest size [um], a quarter of the rectangle by default.
        quarter_point: Move mid-side nodes at the tip to the quarter (order 2 only).
        web_radius: Outer radius of the spider web [um], 0.3 of the nearest change by default.
        web_ratio: Growth of its rings.
        web_sectors: Its sectors over 180 degrees.

    Returns:
        Cells ``electrolyte``; facets ``crack_lower``, ``crack_upper`` (with ``filled``:
        ``..._filled`` and ``..._dry``), ``left``, ``right``, ``bottom``, ``top``, and
        ``symmetry_x`` (x = 0), ``symmetry_y`` (y = 0) in place of what the symmetry cuts;
        fronts ``tip_left`` and ``tip_right`` or, in the quarter, ``tip``.

    Raises:
        MeshError: For parameters out of range.
    """
    height = half_width if half_height is None else half_height
    number("half_width", half_width)
    number("half_height", height)
    choice("symmetry", symmetry, (None, "y", "xy"))
    number("angle", angle, above=-90, below=90, closed=True, unit="degrees")
    if angle and symmetry:
        raise MeshError(
            "an inclined crack has no mirror symmetry", key="symmetry", value=symmetry,
            allowed="none with an angle",
        )  # fmt: skip
    dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    if abs(angle) == 90:
        dx = 0.0
    room = min(half_width / abs(dx) if dx else math.inf, height / abs(dy) if dy else math.inf)
    number("a", a, below=room)
    if filled is not None:
        number("filled", filled, below=a)
    size, web = _tip(
        a, 2 * min(half_width, height), min(a - (filled or 0.0), room - a), tip=tip, order=order,
        quarter_point=quarter_point, h_tip=h_tip, growth=growth, r_tip=r_tip, h_max=h_max,
        web_radius=web_radius, web_ratio=web_ratio, web_sectors=web_sectors,
    )  # fmt: skip

    face = "crack" if symmetry is None else "crack_upper"
    ligament = None if symmetry is None else "symmetry_y"
    dry, wet = (face, face) if filled is None else (f"{face}_dry", f"{face}_filled")
    if symmetry == "xy":
        x0, left = 0.0, "symmetry_x"
        stations = [a] if filled is None else [filled, a]
        parts = [dry, ligament] if filled is None else [wet, dry, ligament]
        tips = [("tip", a)]
    else:
        x0, left = -half_width, "left"
        stations = [-a, a] if filled is None else [-a, -filled, filled, a]
        inner = [dry] if filled is None else [dry, wet, dry]
        parts = [ligament, *inner, ligament]
        tips = [("tip_left", -a), ("tip_right", a)]
    also = [(s, size) for s in stations if abs(s) < a]
    data = mesh_line_crack(
        LineCrack(
            name="griffith",
            corners=[(x0, -height), (half_width, -height), (half_width, height), (x0, height)],
            sides=["bottom", "right", "top", left],
            stations=stations,
            parts=parts,
            tips=tips,
            size=size,
            direction=(dx, dy),
            lower=symmetry is None,
            web=web,
            also=also,
        ),
        order,
        quarter_point,
    )
    if symmetry is not None:
        return data
    return _split(data, filled is not None, ["tip_left", "tip_right"], (-dy, dx))


def edge(
    a: Length,
    width: Length,
    height: Length | None = None,
    *,
    symmetry: Literal["y"] | None = None,
    filled: Length | None = None,
    order: Count = 2,
    tip: Tip = "graded",
    h_tip: Length | None = None,
    growth: Number = 0.3,
    r_tip: Length | None = None,
    h_max: Length | None = None,
    quarter_point: bool = False,
    web_radius: Length | None = None,
    web_ratio: Number = 1.5,
    web_sectors: Count = 8,
) -> MeshData:
    """Crack of length ``a`` from the surface x = 0 (the Li/SSE interface) into +x, at y = 0.

    Args:
        a: Length of the crack [um].
        width: Width of the body along x [um].
        height: Whole height along y [um], from ``-height/2`` to ``height/2``; twice the width
            by default.
        symmetry: ``"y"``: upper half with one face.
        filled: Length b of the part ``x < b`` whose faces are named apart [um].
        order: Order of the cells, 1 or 2.
        tip: ``"graded"`` or ``"spider"``.
        h_tip: Size at the tip [um], ``a / 100`` by default.
        growth: Growth of the size per distance.
        r_tip: Radius of uniform elements around the tip [um], ``2 h_tip`` by default.
        h_max: Largest size [um], a quarter of the body by default.
        quarter_point: Move mid-side nodes at the tip to the quarter (order 2 only).
        web_radius: Outer radius of the spider web [um], 0.3 of the nearest change by default.
        web_ratio: Growth of its rings.
        web_sectors: Its sectors over 180 degrees.

    Returns:
        Cells ``electrolyte``; facets ``crack_lower``, ``crack_upper`` (with ``filled``:
        ``..._filled`` and ``..._dry``), ``interface`` (x = 0), ``right``, ``bottom``, ``top``,
        with symmetry ``symmetry_y`` for ``bottom``; front ``tip``.

    Raises:
        MeshError: For parameters out of range.
    """
    number("width", width)
    half = number("height", 2 * width if height is None else height) / 2
    choice("symmetry", symmetry, (None, "y"))
    number("a", a, below=width)
    if filled is not None:
        number("filled", filled, below=a)
    size, web = _tip(
        a, min(width, 2 * half), min(a - (filled or 0.0), width - a), tip=tip, order=order,
        quarter_point=quarter_point, h_tip=h_tip, growth=growth, r_tip=r_tip, h_max=h_max,
        web_radius=web_radius, web_ratio=web_ratio, web_sectors=web_sectors,
    )  # fmt: skip
    face = "crack" if symmetry is None else "crack_upper"
    ligament = None if symmetry is None else "symmetry_y"
    if filled is None:
        stations, parts = [a], [face, ligament]
    else:
        stations, parts = [filled, a], [f"{face}_filled", f"{face}_dry", ligament]
    # The mouth opens smoothly; an eighth of the crack resolves it.
    mouth = Grading(max(size.h_tip, a / 8), size.growth, 0.0, max(size.h_max, a / 8))
    data = mesh_line_crack(
        LineCrack(
            name="edge",
            corners=[(0.0, -half), (width, -half), (width, half), (0.0, half)],
            sides=["bottom", "right", "top", "interface"],
            stations=stations,
            parts=parts,
            tips=[("tip", a)],
            size=size,
            lower=symmetry is None,
            web=web,
            also=[(0.0, mouth), *((s, size) for s in stations[:-1])],
        ),
        order,
        quarter_point,
    )
    return data if symmetry else _split(data, filled is not None, ["tip"], (0.0, 1.0))


def strip(
    length: Length,
    crack: Length,
    ell: Length,
    height: Length,
    *,
    order: Count = 2,
    tip: Tip = "graded",
    h_tip: Length | None = None,
    growth: Number = 0.3,
    r_tip: Length | None = None,
    h_max: Length | None = None,
    quarter_point: bool = False,
    web_radius: Length | None = None,
    web_ratio: Number = 1.5,
    web_sectors: Count = 8,
) -> MeshData:
    """Upper half of a strip with a long crack from x = 0, held open up to ``ell`` behind its tip.

    Args:
        length: Length of the strip along x [um].
        crack: Length of the crack [um]; long against ``ell`` for a semi-infinite one.
        ell: Distance from the end of the contact to the tip [um].
        height: Height above the crack's plane [um].
        order: Order of the cells, 1 or 2.
        tip: ``"graded"`` or ``"spider"``.
        h_tip: Size at the tip and at the end of the contact [um], ``ell / 100`` by default.
        growth: Growth of the size per distance.
        r_tip: Radius of uniform elements around the tip [um], ``2 h_tip`` by default.
        h_max: Largest size [um], a quarter of the body by default.
        quarter_point: Move mid-side nodes at the tip to the quarter (order 2 only).
        web_radius: Outer radius of the spider web [um], 0.3 of the nearest change by default.
        web_ratio: Growth of its rings.
        web_sectors: Its sectors over 180 degrees.

    Returns:
        Cells ``electrolyte``; facets ``wedge_contact`` (0 < x < crack - ell), ``crack_upper``,
        ``symmetry_y``, ``left``, ``right``, ``top``; front ``tip`` at (crack, 0).

    Raises:
        MeshError: For parameters out of range.
    """
    number("length", length)
    number("height", height)
    number("crack", crack, below=length)
    number("ell", ell, below=crack)
    size, web = _tip(
        ell, min(length, height), min(ell, length - crack), tip=tip, order=order,
        quarter_point=quarter_point, h_tip=h_tip, growth=growth, r_tip=r_tip, h_max=h_max,
        web_radius=web_radius, web_ratio=web_ratio, web_sectors=web_sectors,
    )  # fmt: skip
    return mesh_line_crack(
        LineCrack(
            name="strip",
            corners=[(0.0, -height), (length, -height), (length, height), (0.0, height)],
            sides=["bottom", "right", "top", "left"],
            stations=[crack - ell, crack],
            parts=["wedge_contact", "crack_upper", "symmetry_y"],
            tips=[("tip", crack)],
            size=size,
            lower=False,
            web=web,
            also=[(crack - ell, size)],
        ),
        order,
        quarter_point,
    )


def _tip(
    length: float,
    body: float,
    room: float,
    *,
    tip: str,
    order: int,
    quarter_point: bool,
    h_tip: float | None,
    growth: float,
    r_tip: float | None,
    h_max: float | None,
    web_radius: float | None,
    web_ratio: float,
    web_sectors: int,
) -> tuple[Grading, Web | None]:
    """Check what all builders share; `room` is the distance from the tip to the next change."""
    tip_style(tip, quarter_point, order)
    size = grading(length, body, h_tip, growth, r_tip, h_max)
    if tip == "graded":
        return size, None
    radius = 0.3 * min(room, body / 2) if web_radius is None else web_radius
    number("web_radius", radius, below=min(room, body / 2))
    return size, spider(min(size.h_tip, radius), radius, web_ratio, web_sectors)


def _split(
    data: MeshData, filled: bool, fronts: list[str], normal: tuple[float, float]
) -> MeshData:
    ends = ["_dry", "_filled"] if filled else [""]
    return split_crack(
        data,
        [f"crack{end}" for end in ends],
        fronts,
        lower=[f"crack_lower{end}" for end in ends],
        upper=[f"crack_upper{end}" for end in ends],
        normal=normal,
    )
