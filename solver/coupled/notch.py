"""A smooth notch in the surface of an electrolyte: its outline, area, and obstacle.

In the upper half-plane, symmetric about x = 0: a circular root, straight flanks, and rounded lips
that run into the flat surface y = 0. The electrolyte is above the outline, the lithium below. With
the slope theta of the flanks and R = root radius + lip radius,

    l = [d - R (1 - cos theta)]/sin theta    length of a flank,
    c = R sin theta + l cos theta            half-width, where the flat surface begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError
from ssbmech.lithium.arcs import Arcs

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Notch:
    """A notch; all lengths in metres.

    Attributes:
        depth: d, of the root below the flat surface.
        root_radius: Of the circle at the root.
        lip_radius: Of the circles at the lips.
        flank: Slope theta of the flanks against the flat surface [rad], up to pi/2: walls.
    """

    depth: float
    root_radius: float
    lip_radius: float
    flank: float = pi / 2

    def __post_init__(self) -> None:
        for name in ("depth", "root_radius", "lip_radius"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise CaseError(
                    "lengths of a notch are positive", key=f"notch.{name}", value=value,
                    allowed="above 0 m", hint="A sharp corner is a small radius",
                )  # fmt: skip
        if not 0 < self.flank <= pi / 2:
            raise CaseError(
                "the flanks of a notch slope upwards", key="notch.flank", value=self.flank,
                allowed="above 0 and up to 90 degrees",
            )  # fmt: skip
        if self.flank_length < -1e-9 * self.depth:
            raise CaseError(
                "the radii of root and lips do not fit into the depth of the notch",
                key="notch.depth", value=self.depth,
                allowed=f"{self._radii * (1 - cos(self.flank)):.6g} m or above",
            )  # fmt: skip

    @classmethod
    def segment(cls, depth: float, half_width: float, lip_radius: float) -> Notch:
        """A circular segment: the root's circle cuts the flat surface at the half-width.

        The lips are then rounded, which widens the mouth; there are no straight flanks.

        Args:
            depth: [m]
            half_width: Of the mouth before its lips are rounded [m], the depth or more.
            lip_radius: [m]
        """
        if not half_width >= depth * (1 - 1e-12):
            raise CaseError(
                "a circular notch is not deeper than half its width", key="notch.half_width",
                value=half_width, allowed=f"{depth:g} m or above",
            )  # fmt: skip
        radius = (half_width**2 + depth**2) / (2 * depth)
        # the circle of the lip touches that of the root: 1 - cos theta = d/R
        return cls(depth, radius, lip_radius, float(np.arccos(1 - depth / (radius + lip_radius))))

    @property
    def _radii(self) -> float:
        return self.root_radius + self.lip_radius

    @property
    def flank_length(self) -> float:
        """Length of a straight flank [m]."""
        return (self.depth - self._radii * (1 - cos(self.flank))) / sin(self.flank)

    @property
    def half_width(self) -> float:
        """Where the flat surface begins [m]."""
        return self._radii * sin(self.flank) + self.flank_length * cos(self.flank)

    @property
    def area(self) -> float:
        """Of the whole notch, both halves, between the outline and y = 0 [m^2]."""
        d, a, b, t = self.depth, self.root_radius, self.lip_radius, self.flank
        arc = 0.5 * (t + sin(t) * cos(t))  # of a unit circle from its top to the angle t
        root = (d - a) * a * sin(t) + a * a * arc
        high, low = d - a + a * cos(t), b - b * cos(t)
        flank = self.flank_length * cos(t) * (high + low) / 2
        lip = b * b * sin(t) - b * b * arc
        return 2 * (root + flank + lip)

    @property
    def length(self) -> float:
        """Of the outline between the flat parts, both halves [m]."""
        return 2 * (self._radii * self.flank + self.flank_length)

    def obstacle(self, half_width: float) -> Arcs:
        """The rigid surface of the electrolyte, lithium below; flat beyond the half-width.

        Args:
            half_width: Of what is drawn of it [m]; as an obstacle it has no ends.
        """
        if not half_width > self.half_width:
            raise CaseError(
                "the notch is wider than the body", key="notch", value=2 * self.half_width,
                allowed=f"below {2 * half_width:g} m",
            )  # fmt: skip
        t, flank = self.flank, self.flank_length
        flat = (half_width - self.half_width, 0.0)
        wall = [(flank, 0.0)] if flank > 1e-9 * self.depth else []
        lip, root = (self.lip_radius * t, -t), (2 * self.root_radius * t, 2 * t)
        moves = [flat, lip, *wall, root, *wall, lip, flat]
        return Arcs((half_width, 0.0), pi, tuple(moves))

    def outline(self, half_width: float) -> Floats:
        """Points along the surface from -half_width to half_width [m], shape (n, 2)."""
        return self.obstacle(half_width).points()[::-1]

    def height(self, x: Floats) -> Floats:
        """Height of the outline above places x [m]."""
        d, a, b, t = self.depth, self.root_radius, self.lip_radius, self.flank
        x = np.abs(x)
        root = d - a + np.sqrt(np.maximum(a * a - x * x, 0.0))
        lip = b - np.sqrt(np.maximum(b * b - np.minimum(x - self.half_width, 0.0) ** 2, 0.0))
        start, end = a * sin(t), self.half_width - b * sin(t)
        share = np.clip((x - start) / max(end - start, 1e-300), 0.0, 1.0)
        flank = (1 - share) * (d - a + a * cos(t)) + share * (b - b * cos(t))
        return np.where(x < start, root, np.where(x <= end, flank, lip))
