"""Voids, protrusions and impurities at a lithium interface, and their parts of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ssbmech.meshes import shapes
from ssbmech.meshes.parameters import Count, Length, Number
from ssbmech.meshes.scene import Part, Sheet
from ssbmech.meshes.shapes import Place


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
    """Lithium that stands into the electrolyte, through the layers between.

    Attributes:
        height: Height of the tip over the lithium's surface [um]; of a wave its amplitude.
        shape: ``"ellipse"``: half a spheroid (2-D: half an ellipse; a half-sphere when height and
            radius agree); ``"finger"``: straight walls and a round tip; ``"wave"``: the whole
            interface is y = height cos(2 pi (x - x_0)/wavelength) with a crest at x_0 = ``x``.
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


def void_parts(gmsh: Any, void: Void, at: Place) -> list[Part]:
    """Holes of a void or of an array of voids."""
    upper = tuple(name for name, _ in at.above)
    size = at.size(void.radius)
    parts = []
    for x, z in void_centres(void, at.dim):
        for extent, sign, over in ((void.height, -1.0, ("lithium",)), (void.depth, 1.0, upper)):
            if extent > 0:
                tags = shapes.cap(gmsh, at, x, z, void.radius, extent, sign, strip=void.strip)
                parts.append(Part(None, tags, over=over, size=size, curved=True))
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


def protrusion_parts(gmsh: Any, bump: Protrusion, at: Place) -> list[Part]:
    """Lithium (and the empty end) of a protrusion, or both sides of a wave."""
    if bump.shape == "wave":
        assert bump.wavelength is not None
        lower, upper = shapes.wave_sides(gmsh, at, bump.height, bump.wavelength, bump.x)
        both = ("lithium", "electrolyte")
        return [Part("lithium", lower, over=both), Part("electrolyte", upper, over=both)]
    assert bump.radius is not None
    make = shapes.finger if bump.shape == "finger" else shapes.half_ellipse
    solid = make(gmsh, at, bump.x, bump.z, bump.radius, bump.height, ridge=bump.ridge)
    size = at.size(min(bump.radius, bump.height))
    level = at.lithium + bump.filled * bump.height
    hollow = [] if bump.filled == 1 else shapes.above(gmsh, at, gmsh.model.occ.copy(solid), level)
    inside = ("lithium", *(name for name, _ in at.above))  # nothing stands out of the body
    parts = [Part("lithium", tuple(t for _, t in solid), over=inside, size=size, curved=True)]
    if hollow:
        parts.append(Part(None, tuple(t for _, t in hollow), over=inside, size=size))
    return parts


def impurity_items(gmsh: Any, spot: Impurity, at: Place) -> tuple[list[Part], list[Sheet]]:
    """The impurity as a part, or as a sheet when it has no thickness."""
    size = at.size(min(2 * spot.thickness or spot.radius, spot.radius))
    if spot.thickness == 0:
        tags = shapes.patch(gmsh, at, spot.x, spot.z, spot.radius, strip=spot.strip)
        return [], [Sheet("blocked", tags, outline=size)]
    if spot.shape == "lens":
        tags = shapes.cap(
            gmsh, at, spot.x, spot.z, spot.radius, spot.thickness, -1.0, strip=spot.strip
        )
    else:
        tags = shapes.plate(gmsh, at, spot.x, spot.z, spot.radius, spot.thickness, strip=spot.strip)
    return [Part("impurity", tags, over=("lithium",), size=size, curved=True)], []
