"""Closed-form geometry factors Y, with K_I = Y p sqrt(pi a), for uniform pressure on the faces.

A uniform face pressure p gives the same K_I as a remote tension p (superposition), so the handbook
factors for tension apply. The body is large against the flaw everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ssbmech.errors import FractureError, nearest

#: Geometry → what it is, and what its size a means.
GEOMETRIES = {
    "griffith": "through crack inside the body; a is half its length",
    "edge": "crack at a free surface, very long along it; a is its depth",
    "penny": "circular crack inside the body; a is its radius",
    "half-penny": "semicircular surface flaw; a is its depth",
    "semi-ellipse": "semi-elliptical surface flaw; a is its depth, c half its width",
    "ellipse": "elliptical crack inside the body; a is its semi-axis in depth, c the other",
}
_ALIASES = {"half_penny": "half-penny", "semi_ellipse": "semi-ellipse", "halfpenny": "half-penny",
            "semi-circle": "half-penny", "surface": "semi-ellipse"}  # fmt: skip

#: Where on the front: "deepest" and "surface" are ends of the semi-axes, "max" the most loaded.
POSITIONS = ("deepest", "surface", "max")

EDGE = 1.1215


@dataclass(frozen=True)
class Factor:
    """A geometry factor with where it holds.

    Attributes:
        Y: K_I/(p sqrt(pi a)).
        where: Place on the front, in words.
        source: Where the formula comes from.
    """

    Y: float
    where: str
    source: str


def ellipse_integral(aspect: float) -> float:
    """Return the complete elliptic integral E(k) with k² = 1 - aspect², 0 <= aspect <= 1.

    By the arithmetic-geometric mean, to rounding.
    """
    if aspect <= 0.0:
        return 1.0
    x, y, total, weight = 1.0, aspect, 1.0 - 0.5 * (1.0 - aspect**2), 0.5
    for _ in range(40):
        c = 0.5 * (x - y)
        x, y = 0.5 * (x + y), math.sqrt(x * y)
        weight *= 2.0
        total -= weight * c * c
        if c <= 1e-17 * x:
            break
    return total * math.pi / (2.0 * x)


def embedded_ellipse(a_over_c: float, angle: float) -> float:
    """Return Y of an elliptical crack in an infinite body, referred to the semi-axis a.

    K_I = p sqrt(pi b)/E(k) [sin² + (b/B)² cos²]^(1/4) with b <= B the semi-axes and the parametric
    angle measured from the major axis (Irwin 1962, from Green and Sneddon 1950).

    Args:
        a_over_c: Ratio of the semi-axes, above 0.
        angle: Parametric angle [rad], 0 at the end of c, pi/2 at the end of a.
    """
    s, c = math.sin(angle) ** 2, math.cos(angle) ** 2
    if a_over_c <= 1.0:
        return (s + a_over_c**2 * c) ** 0.25 / ellipse_integral(a_over_c)
    ratio = 1.0 / a_over_c  # c is the minor axis; sqrt(ratio) turns sqrt(c) into sqrt(a)
    return math.sqrt(ratio) * (c + ratio**2 * s) ** 0.25 / ellipse_integral(ratio)


def surface_ellipse(a_over_c: float, angle: float) -> float:
    """Return Y of a semi-elliptical surface crack in a half-space under uniform tension.

    The fit of Newman and Raju for a/t -> 0 and infinite width: K = p sqrt(pi a/Q) M1 f g with

    * a/c <= 1: Q = 1 + 1.464 (a/c)^1.65, M1 = 1.13 - 0.09 a/c,
      f = [(a/c)² cos² + sin²]^(1/4)   (Eng. Fract. Mech. 15, 185-192, 1981; finite-element results
      of Raju and Newman, Eng. Fract. Mech. 11, 817-829, 1979);
    * a/c > 1: Q = 1 + 1.464 (c/a)^1.65, M1 = sqrt(c/a) (1 + 0.04 c/a),
      f = [(c/a)² sin² + cos²]^(1/4)   (NASA TM-83200, 1981; stated for a/c up to 2);
    * g = 1 + 0.1 (1 - sin)².

    Args:
        a_over_c: Depth over half-width, above 0.
        angle: Parametric angle [rad], 0 at the surface, pi/2 at the deepest point.
    """
    s, c = math.sin(angle), math.cos(angle)
    g = 1.0 + 0.1 * (1.0 - s) ** 2
    if a_over_c <= 1.0:
        shape = 1.0 + 1.464 * a_over_c**1.65
        m1 = 1.13 - 0.09 * a_over_c
        f = (a_over_c**2 * c**2 + s**2) ** 0.25
    else:
        ratio = 1.0 / a_over_c
        shape = 1.0 + 1.464 * ratio**1.65
        m1 = math.sqrt(ratio) * (1.0 + 0.04 * ratio)
        f = (ratio**2 * s**2 + c**2) ** 0.25
    return m1 * f * g / math.sqrt(shape)


def canonical(geometry: str) -> str:
    """Return the name of the geometry.

    Raises:
        FractureError: If it is unknown.
    """
    name = _ALIASES.get(geometry.lower(), geometry.lower())
    if name not in GEOMETRIES:
        raise FractureError("unknown geometry", key="geometry", value=geometry,
                            allowed=", ".join(GEOMETRIES),
                            hint=nearest(name, [*GEOMETRIES, *_ALIASES]))  # fmt: skip
    return name


def geometry_factor(
    geometry: str, *, a_over_c: float | None = None, position: str | float = "deepest"
) -> Factor:
    """Return the geometry factor of a flaw.

    Args:
        geometry: A key of `GEOMETRIES`.
        a_over_c: Depth over half-width; for ``ellipse`` and ``semi-ellipse`` only.
        position: ``"deepest"`` (end of a), ``"surface"`` (end of c), ``"max"`` (most loaded
            point), or the parametric angle [rad] from the surface. Of no effect on griffith, edge
            and penny, which are loaded alike along their front.

    Raises:
        FractureError: If the geometry is unknown, or an argument out of range.
    """
    name = canonical(geometry)
    if name in ("griffith", "edge", "penny"):
        if a_over_c is not None:
            raise FractureError(f"a {name} flaw has no second axis", key="c", value=a_over_c,
                                hint="Use semi-ellipse or ellipse")  # fmt: skip
        return {
            "griffith": Factor(1.0, "both tips", "Griffith crack, exact"),
            "edge": Factor(EDGE, "tip", "edge crack in a half-plane, 1.1215"),
            "penny": Factor(2.0 / math.pi, "whole front", "penny crack (Sneddon), exact"),
        }[name]
    if name == "half-penny":
        if a_over_c not in (None, 1.0):
            raise FractureError("a half-penny is as deep as its half-width", key="c",
                                value=a_over_c, hint="Use semi-ellipse")  # fmt: skip
        a_over_c = 1.0
    if a_over_c is None:
        raise FractureError(f"a {name} flaw needs its half-width", key="c",
                            allowed="a length above 0")  # fmt: skip
    low, high = (0.0, 2.0) if name != "ellipse" else (0.0, math.inf)
    if not low < a_over_c <= high:
        raise FractureError("the depth over the half-width is outside the range of the fit",
                            key="a/c", value=a_over_c,
                            allowed="above 0, up to 2" if high == 2.0 else "above 0")  # fmt: skip
    embedded = name == "ellipse"
    law = embedded_ellipse if embedded else surface_ellipse
    source = "Irwin 1962, exact" if embedded else "Newman & Raju 1981, fit good to a few per cent"
    ends = {"surface": 0.0, "deepest": 0.5 * math.pi}
    words = ("end of c", "end of a") if embedded else ("surface point", "deepest point")
    if isinstance(position, str):
        if position not in POSITIONS:
            raise FractureError("unknown position on the front", key="position", value=position,
                                allowed=", ".join(POSITIONS) + ", or an angle")  # fmt: skip
        if position == "max":
            n = 180
            angles = [0.5 * math.pi * i / n for i in range(n + 1)]
            angle = max(angles, key=lambda t: law(a_over_c, t))
        else:
            angle = ends[position]
    else:
        angle = float(position)
        if not 0.0 <= angle <= math.pi:
            raise FractureError("the angle is outside the front", key="position", value=angle,
                                allowed="0 to pi rad, 0 at the surface")  # fmt: skip
    where = {0.0: words[0], 0.5 * math.pi: words[1]}.get(
        angle, f"{math.degrees(angle):.1f} deg from the {words[0]}"
    )
    return Factor(law(a_over_c, angle), where, source)


def critical_opening(
    geometry: str, pressure: float, a: float, effective_modulus: float
) -> float | None:
    """Return the full opening at the middle (edge: at the mouth) [m], where a closed form exists.

    Griffith 4pa/E′, penny 8pa/(pi E′), edge 5.816 pa/E′; None for the other geometries.

    Args:
        geometry: A key of `GEOMETRIES`.
        pressure: Pressure on the faces [Pa].
        a: Size [m].
        effective_modulus: E/(1 - nu²) [Pa].
    """
    factor = {"griffith": 4.0, "penny": 8.0 / math.pi, "edge": 5.816}.get(canonical(geometry))
    return None if factor is None else factor * pressure * a / effective_modulus
