"""Element sizes that grow with the distance from where the fields are steep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.parameters import choice, count, number


@dataclass(frozen=True)
class Grading:
    """Size of elements around a front: ``h = h_tip`` up to ``r_tip``, then growing linearly.

    Attributes:
        h_tip: Size at the front [um].
        growth: Increase of the size per distance.
        r_tip: Radius of the plateau [um].
        h_max: Largest size [um].
    """

    h_tip: float
    growth: float
    r_tip: float
    h_max: float


def grading(
    length: float,
    body: float,
    h_tip: float | None,
    growth: float,
    r_tip: float | None,
    h_max: float | None,
    *,
    fraction: float = 0.01,
    key: str = "h_tip",
) -> Grading:
    """Check sizes and fill in the defaults.

    Args:
        length: The crack's own length [um]; the default size at the front is ``fraction`` of it.
        body: Smallest size of the body [um].
        h_tip: Size at the front [um].
        growth: Increase of the size per distance, above 0 and at most 1.
        r_tip: Radius of nearly uniform elements [um], ``2 h_tip`` by default.
        h_max: Largest size [um], a quarter of the body by default.
        fraction: See ``length``.
        key: Name of the parameter in messages.

    Raises:
        MeshError: For values out of range.
    """
    h = number(key, length * fraction if h_tip is None else h_tip, below=length)
    number("growth", growth, above=0.01, below=1.0, closed=True, unit="")
    plateau = 2 * h if r_tip is None else number("r_tip", r_tip, below=body, closed=True)
    largest = body / 4 if h_max is None else number("h_max", h_max)
    if largest < h:
        raise MeshError(f"h_max is below {key}", key="h_max", value=h_max, allowed=f">= {h:g} um")
    for name, extent, size in (("r_tip", plateau, h), ("h_max", body, largest)):
        if extent / size > 5000:
            raise MeshError(
                "the mesh would have too many elements", key=name, value=extent if name == "r_tip"
                else size, allowed=f"at most 5000 elements along {extent:g} um",
            )  # fmt: skip
    return Grading(h, growth, plateau, largest)


def background(gmsh: Any, parts: Sequence[tuple[str, Sequence[int], Grading]]) -> None:
    """Make the model's size field: the smallest over points, curves and surfaces.

    Args:
        gmsh: The module, inside a session.
        parts: ``("PointsList" | "CurvesList" | "SurfacesList", entity tags, grading)``.
    """
    field = gmsh.model.mesh.field
    thresholds = []
    for what, tags, size in parts:
        distance = field.add("Distance")
        field.setNumbers(distance, what, list(tags))
        if what != "PointsList":
            field.setNumber(distance, "Sampling", 200 if what == "CurvesList" else 40)
        threshold = field.add("Threshold")
        field.setNumber(threshold, "InField", distance)
        field.setNumber(threshold, "SizeMin", size.h_tip)
        field.setNumber(threshold, "SizeMax", size.h_max)
        field.setNumber(threshold, "DistMin", size.r_tip)
        field.setNumber(
            threshold, "DistMax", size.r_tip + (size.h_max - size.h_tip) / size.growth + 1e-12
        )
        thresholds.append(threshold)
    smallest = field.add("Min")
    field.setNumbers(smallest, "FieldsList", thresholds)
    field.setAsBackgroundMesh(smallest)


@dataclass(frozen=True)
class Web:
    """A spider web around a 2-D tip: rings of triangles with geometrically growing radii.

    Attributes:
        radii: Radii of the rings [um], increasing.
        sectors: Number of sectors over 180 degrees.
    """

    radii: Floats
    sectors: int

    @property
    def radius(self) -> float:
        """Outer radius [um]."""
        return float(self.radii[-1])

    @property
    def edge(self) -> float:
        """Length of an edge of the outer polygon [um]."""
        return 2 * self.radius * math.sin(math.pi / (2 * self.sectors))


def spider(h_tip: float, radius: float, ratio: float, sectors: int) -> Web:
    """Radii ``h_tip (1 + q + q^2 + ...)`` up to the given radius (the last ring is fitted to it).

    Args:
        h_tip: Radius of the first ring [um].
        radius: Outer radius [um].
        ratio: Growth q from ring to ring, 1 to 4.
        sectors: Sectors over 180 degrees, 3 to 90.

    Raises:
        MeshError: For values out of range.
    """
    number("web_ratio", ratio, above=1.0, below=4.0, closed=True, unit="")
    count("web_sectors", sectors, at_least=3, at_most=90)
    number("h_tip", h_tip, below=radius, closed=True, hint="Lower h_tip or raise web_radius")
    if ratio == 1.0:
        rings = max(1, round(radius / h_tip))
    else:
        rings = max(1, round(math.log(1 + (radius / h_tip) * (ratio - 1)) / math.log(ratio)))
    radii = np.cumsum(ratio ** np.arange(rings, dtype=float))
    return Web(radii * (radius / radii[-1]), sectors)


def tip_style(tip: str, quarter_point: bool, order: int) -> None:
    """Check the choices that every sharp 2-D builder shares."""
    choice("tip", tip, ("graded", "spider"))
    choice("order", order, (1, 2))
    choice("quarter_point", quarter_point, (True, False))
    if quarter_point and order != 2:
        raise MeshError(
            "quarter_point moves mid-side nodes, which first order does not have",
            key="quarter_point",
            value=quarter_point,
            allowed="with order = 2",
        )
