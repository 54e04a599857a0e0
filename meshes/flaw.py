"""Cracks and sharp filaments in a scene: straight, kinked, along grain boundaries, elliptical."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.parameters import Angle, Length, Number, Points, choice, number
from ssbmech.meshes.sizing import Grading

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
        z: Place of the centre of an ellipse along z [um].
        angle: Between crack and the normal of the interface (y); positive turns it to +x.
        turn: Of an ellipse about the normal of the interface: at 0 it faces x, at 90 degrees z.
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
    z: Length = 0.0
    angle: Angle = 0.0
    turn: Angle = 0.0
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
    def axes(self) -> Floats:
        """Unit vectors along a, along c and normal to the crack (of an ellipse), rows of (3, 3)."""
        along = self.path[-1] - self.path[0]
        a = np.array([*(along / np.linalg.norm(along)), 0.0])
        c = np.array([0.0, 0.0, 1.0])
        t = math.radians(self.crack.turn)
        about_y = np.array(
            [[math.cos(t), 0.0, math.sin(t)], [0.0, 1.0, 0.0], [-math.sin(t), 0.0, math.cos(t)]]
        )
        rows = np.array([a, c, np.cross(c, a)])
        # exact where exact is meant: a plane of symmetry has no room for rounding
        return np.where(np.abs(turned := rows @ about_y.T) < 1e-15, 0.0, turned)

    @property
    def centre(self) -> Floats:
        """Centre of an ellipse [um], shape (3,)."""
        middle = self.path.mean(axis=0) if self.inside else self.path[0]
        return np.array([*middle, self.crack.z])

    @property
    def c(self) -> float:
        """Half-length of an ellipse across a [um]."""
        return self.size if self.crack.c is None else self.crack.c

    def outline(self, n: int = 48) -> Floats:
        """Points on the rim of an ellipse (from the interface: of its half inside) and its centre.

        Returns:
            Shape (m, 3) [um].
        """
        t = np.linspace(-math.pi / 2, math.pi / 2, n) * (2.0 if self.inside else 1.0)
        rim = np.outer(np.cos(t), self.axes[0] * self.size) + np.outer(
            np.sin(t), self.axes[1] * self.c
        )
        return self.centre + np.vstack([np.zeros(3), rim])

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
    if crack.shape != "ellipse" and (crack.turn or crack.z):
        name = "turn" if crack.turn else "z"
        raise MeshError(
            "only an ellipse has a place along z and a turn", key=f"{key}.{name}",
            value=getattr(crack, name), allowed="with shape = 'ellipse'",
        )  # fmt: skip
    number(f"{key}.turn", crack.turn, above=-90, below=90, closed=True, unit="degrees")
    corners = _corners(crack, key, interface, path)
    size = length_of(corners) * (0.5 if crack.y is not None else 1.0)
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


def check_ellipse(flaw: Flaw, low: Sequence[float], high: Sequence[float]) -> None:
    """Refuse an ellipse that leaves a box; across a plane of symmetry (a low side at 0) it may.

    Args:
        flaw: The crack.
        low: Lowest x, y, z of the electrolyte [um].
        high: Highest.

    Raises:
        MeshError: With the axis and the numbers.
    """
    points = flaw.outline()
    for k, name in enumerate("xyz"):
        least, most = float(points[:, k].min()), float(points[:, k].max())
        mirrored = name == "z" and low[k] == 0.0
        below = not mirrored and least < low[k] - 1e-9 * (high[k] - low[k])
        if below or most >= high[k]:
            raise MeshError(
                f"the crack is not within the body along {name}", key=flaw.key,
                value=f"{name} from {least:.6g} to {most:.6g} um",
                allowed=f"between {low[k]:g} and {high[k]:g} um",
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
        if crack.y is None and abs(corners[0, 1] - interface) > 1e-9 * length_of(corners):
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


def length_of(corners: Floats) -> float:
    """Length of a polyline [um]."""
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
