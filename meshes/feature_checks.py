"""Checks of voids, protrusions and impurities: alone, with each other, with the body around."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ssbmech.errors import MeshError
from ssbmech.meshes.features import Impurity, Protrusion, Void, void_centres
from ssbmech.meshes.parameters import choice, count, number
from ssbmech.meshes.shapes import Place

# Least distance between features, and to the sides, over the smaller radius: below it elements
# between them would be slivers.
_CLEAR = 0.02


@dataclass(frozen=True)
class Footprint:
    """What a feature covers of the interface.

    Attributes:
        key: Of the feature, for messages.
        x: Centre [um].
        z: Centre [um].
        radius: [um].
        strip: Along the whole depth.
    """

    key: str
    x: float
    z: float
    radius: float
    strip: bool

    def gap(self, other: Footprint) -> float:
        """Distance between the rims of two [um]; negative where they overlap."""
        across = 0.0 if self.strip or other.strip else self.z - other.z
        return math.hypot(self.x - other.x, across) - self.radius - other.radius


def check_features(
    void: Sequence[Void], protrusion: Sequence[Protrusion], impurity: Sequence[Impurity], at: Place
) -> list[Footprint]:
    """Check every feature, alone and with its neighbours.

    Args:
        void: Voids.
        protrusion: Protrusions.
        impurity: Impurities.
        at: Where they go.

    Returns:
        What they cover of the interface.

    Raises:
        MeshError: For parameters out of range, features that overlap or leave the body.
    """
    found: list[Footprint] = []
    for i, hole in enumerate(void):
        found += _check_void(hole, f"geometry.void.{i}", at)
    for i, bump in enumerate(protrusion):
        found += _check_protrusion(bump, f"geometry.protrusion.{i}", at)
    for i, spot in enumerate(impurity):
        found += _check_impurity(spot, f"geometry.impurity.{i}", at)
    waves = [i for i, bump in enumerate(protrusion) if bump.shape == "wave"]
    if waves and (len(found) or len(waves) > 1):
        other = found[0].key if found else f"geometry.protrusion.{waves[1]}"
        raise MeshError(
            f"a wave shapes the whole interface and leaves no place for {other}",
            key=f"geometry.protrusion.{waves[0]}.shape", value="wave",
            hint="Give either one wave or other features",
        )  # fmt: skip
    for one in found:
        _inside(one, at)
    for a, b in itertools.combinations(found, 2):
        _refuse_overlap(a, b, void)
    return found


def _check_void(void: Void, key: str, at: Place) -> list[Footprint]:
    r = number(f"{key}.radius", void.radius)
    number(f"{key}.height", void.height, closed=True)
    number(f"{key}.depth", void.depth, closed=True)
    if void.height >= at.lithium - at.floor:
        raise MeshError(
            "the void reaches through the lithium", key=f"{key}.height", value=void.height,
            allowed=f"below {at.lithium - at.floor:g} um",
        )  # fmt: skip
    if void.depth >= at.top - at.lithium:
        raise MeshError(
            "the void reaches through the electrolyte", key=f"{key}.depth", value=void.depth,
            allowed=f"below {at.top - at.lithium:g} um",
        )  # fmt: skip
    if void.height == void.depth == 0:
        raise MeshError(
            "the void has no extent", key=f"{key}.height", value=void.height, allowed="> 0 um",
            hint="A gap without thickness is [geometry.contact] or an impurity of thickness 0",
        )  # fmt: skip
    for name in ("height", "depth"):
        size = getattr(void, name)
        if 0 < size < 0.01 * r:
            raise MeshError(
                "the void is too shallow to mesh", key=f"{key}.{name}", value=size,
                allowed=f"0, or from {0.01 * r:g} um",
                hint="A gap without thickness is [geometry.contact]",
            )  # fmt: skip
        if size > 3 * r:
            raise MeshError(
                "the void is nearly a whole sphere", key=f"{key}.{name}", value=size,
                allowed=f"at most three times the radius of its opening, {3 * r:g} um",
            )  # fmt: skip
    _clear_of_layers(f"{key}.depth", void.depth, at)
    count(f"{key}.number", void.number, at_least=1, at_most=1000)
    count(f"{key}.rows", void.rows, at_least=1, at_most=1000)
    if void.rows > 1 and (at.dim == 2 or void.strip):
        raise MeshError(
            "rows along z need voids of finite length", key=f"{key}.rows", value=void.rows,
            allowed="1 in 2-D and for strips",
        )  # fmt: skip
    if void.pitch is not None:
        number(f"{key}.pitch", void.pitch)
    widest = max(r, *(_widest(r, size) for size in (void.height, void.depth)))
    return [Footprint(key, x, z, widest, void.strip) for x, z in void_centres(void, at.dim)]


def _widest(radius: float, height: float) -> float:
    """Half-width of a cap where it is widest [um]: more than half a sphere bulges."""
    return radius if height <= radius else (radius**2 + height**2) / (2 * height)


def _check_protrusion(bump: Protrusion, key: str, at: Place) -> list[Footprint]:
    choice(f"{key}.shape", bump.shape, ("ellipse", "finger", "wave"))
    number(f"{key}.filled", bump.filled, below=1, closed=True, unit="")
    number(f"{key}.height", bump.height)
    if bump.height >= at.top - at.lithium:
        raise MeshError(
            "the protrusion reaches through the electrolyte: it shorts the cell",
            key=f"{key}.height", value=bump.height, allowed=f"below {at.top - at.lithium:g} um",
        )  # fmt: skip
    if bump.shape == "wave":
        _check_wave(bump, key, at)
        return []
    if bump.wavelength is not None:
        raise MeshError("only a wave has a length", key=f"{key}.wavelength", value=bump.wavelength,
                        hint='Give shape = "wave"')  # fmt: skip
    if bump.radius is None:
        raise MeshError("the protrusion needs its radius", key=f"{key}.radius", allowed="> 0 um")
    r = number(f"{key}.radius", bump.radius)
    if bump.shape == "finger" and bump.height <= r:
        raise MeshError("a finger is longer than its round tip", key=f"{key}.height",
                        value=bump.height, allowed=f"> {r:g} um")  # fmt: skip
    if not 0.05 <= bump.height / r <= 50:
        raise MeshError(
            "the protrusion is too flat or too slender to mesh", key=f"{key}.height",
            value=bump.height, allowed=f"{0.05 * r:g} to {50 * r:g} um",
        )  # fmt: skip
    _clear_of_layers(f"{key}.height", bump.height, at)
    if 0 < bump.filled < 1:
        _clear_of_layers(f"{key}.filled", bump.filled * bump.height, at)
        rest = min(bump.filled, 1 - bump.filled)
        if rest < 0.02:
            raise MeshError(
                "the filled or the empty part is too thin to mesh", key=f"{key}.filled",
                value=bump.filled, allowed="0, 0.02 to 0.98, or 1",
            )  # fmt: skip
    return [Footprint(key, bump.x, bump.z, r, bump.ridge)]


def _check_wave(bump: Protrusion, key: str, at: Place) -> None:
    if bump.wavelength is None:
        raise MeshError("a wave needs its length", key=f"{key}.wavelength", allowed="> 0 um")
    number(f"{key}.wavelength", bump.wavelength)
    for name, plain in (("radius", None), ("filled", 1.0)):
        if getattr(bump, name) != plain:
            raise MeshError(f"a wave has no {name}", key=f"{key}.{name}", hint="Leave it away")
    if len(at.above) > 1:
        raise MeshError(
            f"a wave would cut through the layer {at.above[0][0]!r}", key=f"{key}.shape",
            value="wave", hint="Leave interlayer, coating and interphase away",
        )  # fmt: skip
    if bump.height >= at.lithium - at.floor:
        raise MeshError("the wave reaches through the lithium", key=f"{key}.height",
                        value=bump.height, allowed=f"< {at.lithium - at.floor:g} um")  # fmt: skip
    if bump.height > 2 * bump.wavelength:
        raise MeshError("the wave is too steep to mesh", key=f"{key}.height", value=bump.height,
                        allowed=f"at most two wavelengths, {2 * bump.wavelength:g} um")  # fmt: skip
    most = 400 if at.dim == 2 else 40
    if at.extent[0] > most * bump.wavelength:
        raise MeshError(
            "the wave has too many periods", key=f"{key}.wavelength", value=bump.wavelength,
            allowed=f">= {at.extent[0] / most:g} um ({most} periods)",
        )  # fmt: skip


def _check_impurity(spot: Impurity, key: str, at: Place) -> list[Footprint]:
    choice(f"{key}.shape", spot.shape, ("lens", "plate"))
    r = number(f"{key}.radius", spot.radius)
    number(f"{key}.thickness", spot.thickness, closed=True)
    if spot.thickness >= at.lithium - at.floor:
        raise MeshError(
            "the impurity reaches through the lithium", key=f"{key}.thickness",
            value=spot.thickness, allowed=f"below {at.lithium - at.floor:g} um",
        )  # fmt: skip
    if 0 < spot.thickness < 0.02 * r:
        raise MeshError(
            "the impurity is too thin to mesh", key=f"{key}.thickness", value=spot.thickness,
            allowed=f"0 (a film), or from {0.02 * r:g} um",
        )  # fmt: skip
    if spot.shape == "lens" and spot.thickness > 3 * r:
        raise MeshError(
            "the lens is nearly a whole sphere", key=f"{key}.thickness", value=spot.thickness,
            allowed=f"at most three times the radius, {3 * r:g} um", hint='Or shape = "plate"',
        )  # fmt: skip
    widest = _widest(r, spot.thickness) if spot.shape == "lens" else r
    return [Footprint(key, spot.x, spot.z, widest, spot.strip)]


def _clear_of_layers(key: str, height: float, at: Place) -> None:
    """Refuse a tip that just touches, or just misses, the border of a layer."""
    for name, upper in at.above[:-1]:
        level = upper - at.lithium
        if height > 0 and abs(height - level) < 0.05 * min(height, level):
            raise MeshError(
                f"the feature ends at the border of the layer {name!r}", key=key, value=height,
                allowed=f"at least 5 % off {level:g} um",
            )  # fmt: skip


def _inside(foot: Footprint, at: Place) -> None:
    """Refuse what would cross the sides; a centre on a side (a symmetry plane) is fine."""
    r = (1 + _CLEAR) * foot.radius
    for name, c, low, high in (
        ("x", foot.x, at.low[0], at.high[0]),
        ("z", foot.z, at.low[1], at.high[1]),
    ):
        if name == "z" and (at.dim == 2 or foot.strip):
            continue
        room = min(abs(c - low) or math.inf, abs(high - c) or math.inf)
        if not low <= c <= high or room <= r:
            inner = f"{low + r:g} to {high - r:g} um, or " if high - low > 2 * r else ""
            raise MeshError(
                f"the feature of radius {foot.radius:g} um crosses the side of the body",
                key=f"{foot.key}.{name}", value=c,
                allowed=f"{inner}{low:g} or {high:g} um (its centre on a side)",
            )  # fmt: skip


def _refuse_overlap(a: Footprint, b: Footprint, void: Sequence[Void]) -> None:
    gap = a.gap(b)
    if gap >= _CLEAR * min(a.radius, b.radius):
        return
    if a.key == b.key:
        pitch = 2 * a.radius * (1 + _CLEAR / 2)
        one = void[int(a.key.rsplit(".", 1)[1])]
        raise MeshError(
            "the voids of the array overlap", key=f"{a.key}.pitch", value=one.pitch,
            allowed=f">= {pitch:g} um",
        )  # fmt: skip
    raise MeshError(
        f"{a.key} and {b.key} overlap on the interface (or nearly): the gap between them is "
        f"{gap:.4g} um", key=f"{b.key}.x", value=b.x,
        allowed=f"a gap of at least {_CLEAR * min(a.radius, b.radius):.3g} um",
        hint="Move or shrink one of them",
    )  # fmt: skip
