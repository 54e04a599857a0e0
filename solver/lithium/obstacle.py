"""Rigid surfaces that lithium is pressed against: signed distance, normal and curvature at points.

The distance is positive where the lithium may be and negative in the electrolyte. Its gradient is
the unit normal that points away from the electrolyte; its second derivative is the curvature that
a consistent tangent of contact needs. Coordinates may have any unit of length; all results have the
same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Largest turn [rad] between two chords of a curve: beyond it a spline overshoots at a corner.
_SHARPEST = np.deg2rad(40.0)
#: Places per span of a spline from which the nearest point is looked for.
_PER_SPAN = 4
#: Beyond this share of the way to the centre of curvature the normal is no longer unique.
_FOCUS = 1e-3


@dataclass(frozen=True)
class Nearest:
    """What a point sees of an obstacle.

    Attributes:
        distance: Signed, negative in the electrolyte, shape (n,).
        normal: Gradient of the distance, away from the electrolyte, shape (n, dim).
        hessian: Second derivative of the distance [1/length], shape (n, dim, dim).
    """

    distance: Floats
    normal: Floats
    hessian: Floats


class Obstacle(Protocol):
    """A rigid surface."""

    @property
    def dim(self) -> int:
        """Number of coordinates."""

    def look(self, x: Floats) -> Nearest:
        """Distance, normal and second derivative at points of shape (n, dim)."""


@dataclass(frozen=True)
class Plane:
    """A flat surface, in any dimension.

    Attributes:
        point: On the surface.
        normal: Away from the electrolyte; made a unit vector.
    """

    point: tuple[float, ...]
    normal: tuple[float, ...]

    def __post_init__(self) -> None:
        size = float(np.linalg.norm(self.normal))
        if len(self.point) != len(self.normal) or len(self.point) not in (2, 3) or size == 0:
            raise CaseError(
                "a plane is a point and a normal that is not zero, both in 2 or both in 3 "
                "dimensions",
                key="obstacle", value=(self.point, self.normal),
            )  # fmt: skip
        object.__setattr__(self, "normal", tuple(float(c) / size for c in self.normal))

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.point)

    def look(self, x: Floats) -> Nearest:
        """See `Obstacle`; the second derivative of a plane is zero."""
        normal = np.broadcast_to(np.asarray(self.normal), x.shape)
        distance = (x - np.asarray(self.point)) @ np.asarray(self.normal)
        return Nearest(distance, normal, np.zeros((*x.shape, x.shape[1])))


@dataclass(frozen=True)
class Curve:
    """A smooth curve in the plane or in a meridian: a cubic spline over its chord length.

    Curvature is continuous along it. An open curve goes on straight along its end tangents. The
    lithium is on the left of the way along the points.

    Attributes:
        points: In order along the surface, shape (n, 2); not repeated where closed.
        closed: Whether the last point joins the first.
        ends: Tangents at the two ends of an open curve, each of shape (2,); None: the spline has no
            curvature there.
    """

    points: Floats
    closed: bool = False
    ends: tuple[Floats, Floats] | None = None
    _spline: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        points = np.asarray(self.points, dtype=float)
        _check_points(points, self.closed)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "_spline", self._fit(points))

    def _fit(self, points: Floats) -> Any:
        from scipy.interpolate import CubicSpline

        if self.closed:
            points = np.vstack([points, points[:1]])
        length = np.linalg.norm(np.diff(points, axis=0), axis=1)
        s = np.concatenate([[0.0], np.cumsum(length)])
        if self.closed:
            return CubicSpline(s, points, bc_type="periodic")
        if self.ends is None:
            return CubicSpline(s, points, bc_type="natural")
        slopes = [np.asarray(e, float) / np.linalg.norm(e) for e in self.ends]
        return CubicSpline(s, points, bc_type=((1, slopes[0]), (1, slopes[1])))

    @classmethod
    def of_function(
        cls, height: Callable[[Floats], Floats], x: Floats, *, lithium_below: bool
    ) -> Curve:
        """The graph y = height(x), with the lithium below or above it.

        Args:
            height: Gives y at x.
            x: Places in ascending order, as dense as the surface is curved.
            lithium_below: Whether the lithium is on the side of smaller y.
        """
        way = x[::-1] if lithium_below else x
        return cls(np.column_stack([way, height(way)]))

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 2

    @property
    def span(self) -> float:
        """Length of the curve (of its chords)."""
        return float(self._spline.x[-1])

    def along(self, s: Floats) -> tuple[Floats, Floats, Floats]:
        """Points of the curve with their first and second derivative by s, each (n, 2)."""
        if self.closed:
            s = np.mod(s, self.span)
            return self._spline(s), self._spline(s, 1), self._spline(s, 2)
        inside = np.clip(s, 0.0, self.span)
        slope = self._spline(inside, 1)
        point = self._spline(inside) + (s - inside)[:, None] * slope
        bend = np.where((s == inside)[:, None], self._spline(inside, 2), 0.0)
        return point, slope, bend

    def nearest(self, x: Floats) -> Floats:
        """Parameter of the nearest point of the curve to points x, shape (n,).

        Newton's method for (C(s) - x).C'(s) = 0 inside a bracket around the nearest of many
        places; bisection where Newton leaves it.
        """
        places, tree = self._search
        _, first = tree.query(x)
        step = places[1] - places[0]
        s = places[first]
        low, high = s - step, s + step
        if not self.closed:  # the straight ends reach as far as any point
            reach = np.linalg.norm(x - self.points.mean(axis=0), axis=1) + self.span
            low = np.where(first == 0, -reach, low)
            high = np.where(first == len(places) - 1, self.span + reach, high)
        for _ in range(60):
            point, slope, bend = self.along(s)
            away = point - x
            f = np.einsum("ni,ni->n", away, slope)
            df = np.einsum("ni,ni->n", slope, slope) + np.einsum("ni,ni->n", away, bend)
            low, high = np.where(f < 0, s, low), np.where(f > 0, s, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                new = s - f / df
            poor = (df <= 0) | (new < low) | (new > high) | ~np.isfinite(new)
            new = np.where(poor, 0.5 * (low + high), new)
            moved, s = np.abs(new - s), new
            if moved.max(initial=0.0) <= 1e-15 * self.span:
                break
        return s

    @cached_property
    def _search(self) -> tuple[Floats, Any]:
        from scipy.spatial import cKDTree

        n = _PER_SPAN * (len(self._spline.x) - 1)
        places = np.linspace(0.0, self.span, n + 1)[: n if self.closed else n + 1]
        return np.asarray(places, dtype=np.float64), cKDTree(self._spline(places))

    def look(self, x: Floats) -> Nearest:
        """See `Obstacle`.

        With the left normal n, the curvature k (positive where the curve turns towards n) and the
        unit tangent t the distance d has the second derivative -k/(1 - k d) t t.
        """
        x = np.asarray(x, dtype=float)
        point, slope, bend = self.along(self.nearest(x))
        speed = np.linalg.norm(slope, axis=1)
        tangent = slope / speed[:, None]
        normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
        distance = np.einsum("ni,ni->n", x - point, normal)
        k = (slope[:, 0] * bend[:, 1] - slope[:, 1] * bend[:, 0]) / speed**3
        factor = -k / np.maximum(1.0 - k * distance, _FOCUS)
        return Nearest(distance, normal, factor[:, None, None] * _outer(tangent, tangent))


def curve_of_facets(
    points: Floats, facets: Ints, lithium: Floats, *, key: str = "contact.obstacle"
) -> Curve:
    """The smooth curve through the facets of an electrolyte's surface in 2-D.

    Args:
        points: Coordinates of all nodes of the mesh, shape (n, 2 or 3); the third is not used.
        facets: Nodes of each facet of the surface, vertices first, then the middle node of
            second-order facets, shape (k, 2 or 3).
        lithium: A point on the lithium's side, shape (2,).
        key: For messages.

    Raises:
        CaseError: For facets that are not one line, or a corner.
    """
    order, closed = chain(facets, key=key)
    path = points[order, :2]
    try:
        curve = Curve(path, closed)
    except CaseError as error:
        raise CaseError(error.message, key=key, value=error.value, hint=error.hint) from None
    if curve.look(np.asarray(lithium, float)[None, :2]).distance[0] < 0:
        curve = Curve(path[::-1], closed)
    return curve


def chain(facets: Ints, *, key: str = "") -> tuple[Ints, bool]:
    """Nodes of line facets in order along the line, and whether it is closed.

    Args:
        facets: Nodes of each facet, vertices first, then a middle node, shape (k, 2 or 3).
        key: For messages.

    Raises:
        CaseError: For facets that branch or are several lines.
    """
    at: dict[int, list[int]] = {}
    for i, facet in enumerate(facets):
        for node in facet[:2]:
            at.setdefault(int(node), []).append(i)
    ends = sorted(node for node, mine in at.items() if len(mine) == 1)
    if any(len(mine) > 2 for mine in at.values()) or len(ends) not in (0, 2):
        raise CaseError(
            "the facets of a surface of contact have to be one line without branches", key=key,
            value=f"{len(facets)} facets with {len(ends)} ends",
        )  # fmt: skip
    node = ends[0] if ends else int(facets[0][0])
    order, used = [node], np.zeros(len(facets), dtype=bool)
    while (ahead := [i for i in at[node] if not used[i]]) != []:
        facet = facets[ahead[0]]
        used[ahead[0]] = True
        node = int(facet[1] if facet[0] == node else facet[0])
        order += [int(m) for m in facet[2:]] + [node]
    if not used.all():
        raise CaseError(
            "the facets of a surface of contact are several lines", key=key,
            value=f"{int(used.sum())} of {len(facets)} facets in the first",
        )  # fmt: skip
    return np.array(order[:-1] if not ends else order, dtype=np.int64), not ends


def _check_points(points: Floats, closed: bool) -> None:
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise CaseError(
            "a curve of contact needs three points or more in the plane; surfaces in 3-D are "
            "planes",
            key="obstacle", value=points.shape,
        )  # fmt: skip
    loop = np.vstack([points, points[:2]]) if closed else points
    chord = np.diff(loop, axis=0)
    length = np.linalg.norm(chord, axis=1)
    if not length.min() > 0:
        raise CaseError("two points of a curve of contact coincide", key="obstacle")
    t = chord / length[:, None]
    turn = np.arccos(np.clip(np.einsum("ni,ni->n", t[:-1], t[1:]), -1.0, 1.0))
    worst = int(np.argmax(turn))
    if turn[worst] > _SHARPEST:
        place = ", ".join(f"{c:.4g}" for c in loop[worst + 1])
        raise CaseError(
            f"a surface of contact has a corner: it turns by {np.rad2deg(turn[worst]):.0f} degrees "
            f"at ({place})",
            key="obstacle", value=float(np.rad2deg(turn[worst])),
            hint="Round it off, or refine the mesh there",
        )  # fmt: skip


def _outer(a: Floats, b: Floats) -> Floats:
    return a[:, :, None] * b[:, None, :]
