"""Smooth surfaces made of straight lines and circular arcs, with exact distances.

The parts follow one another without a corner; the normal is continuous, the curvature jumps. The
first and the last part are straight and go on for ever. The lithium is on the left of the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, cos, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError
from ssbmech.lithium.obstacle import Nearest

Floats = NDArray[Any]

#: A foot this far outside a part (over its size) still counts: at a joint both parts are right.
_SLACK = 1e-9


@dataclass(frozen=True)
class _Part:
    start: Floats
    heading: float
    length: float
    turn: float

    @property
    def radius(self) -> float:
        return self.length / abs(self.turn)

    @property
    def centre(self) -> Floats:
        side = self.heading + np.copysign(pi / 2, self.turn)
        return self.start + self.radius * np.array([cos(side), sin(side)])

    def point(self, share: Floats) -> Floats:
        """Points at shares 0..1 of the part, shape (n, 2)."""
        if self.turn == 0:
            t = np.array([cos(self.heading), sin(self.heading)])
            return self.start + np.asarray(share)[:, None] * self.length * t
        angle = self.heading - np.copysign(pi / 2, self.turn) + np.asarray(share) * self.turn
        return self.centre + self.radius * np.column_stack([np.cos(angle), np.sin(angle)])


@dataclass(frozen=True)
class Arcs:
    """An `obstacle.Obstacle` of lines and arcs.

    Attributes:
        start: Where the way begins, shape (2,).
        heading: Its first direction [rad] against x.
        moves: Length and turn [rad] of each part; a turn to the left is positive, 0 a line.
    """

    start: tuple[float, float]
    heading: float
    moves: Sequence[tuple[float, float]]

    def __post_init__(self) -> None:
        bad = [m for m in self.moves if not m[0] > 0 or abs(m[1]) >= 2 * pi]
        if len(self.moves) < 1 or bad or self.moves[0][1] or self.moves[-1][1]:
            raise CaseError(
                "a surface of arcs begins and ends with a line, and its parts have a length and "
                "turn by less than a circle", key="obstacle", value=bad[0] if bad else self.moves,
            )  # fmt: skip

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 2

    @cached_property
    def parts(self) -> tuple[_Part, ...]:
        """The parts with their places."""
        at, heading, out = np.asarray(self.start, float), self.heading, []
        for length, turn in self.moves:
            out.append(_Part(at, heading, length, turn))
            at, heading = out[-1].point(np.array([1.0]))[0], heading + turn
        return tuple(out)

    def points(self, per_radian: int = 40) -> Floats:
        """Points along the way, ends of the parts among them, shape (n, 2)."""
        rows = [self.parts[0].point(np.array([0.0]))]
        for part in self.parts:
            n = max(1, 2 * ceil(per_radian * abs(part.turn) / 2))  # the crown among them
            rows.append(part.point(np.linspace(0, 1, n + 1)[1:]))
        return np.vstack(rows)

    def look(self, x: Floats) -> Nearest:
        """See `obstacle.Obstacle`: the nearest of the parts whose normals reach a point."""
        x = np.asarray(x, dtype=float)
        size = self._size
        best: Floats = np.full(len(x), np.inf)
        normal: Floats = np.zeros((len(x), 2))
        hessian: Floats = np.zeros((len(x), 2, 2))
        for i, part in enumerate(self.parts):
            d, n, bend, along = _line(part, x) if part.turn == 0 else _arc(part, x)
            slack = _SLACK * size / part.length
            low = -np.inf if i == 0 else -slack
            high = np.inf if i == len(self.parts) - 1 else 1 + slack
            near = (along >= low) & (along <= high) & (np.abs(d) < np.abs(best))
            best = np.where(near, d, best)
            normal = np.where(near[:, None], n, normal)
            hessian = np.where(near[:, None, None], bend, hessian)
        return Nearest(best, normal, hessian)

    @cached_property
    def _size(self) -> float:
        return float(sum(length for length, _ in self.moves))


def _line(part: _Part, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Distance, normal, second derivative and share along of the foot."""
    t = np.array([cos(part.heading), sin(part.heading)])
    n = np.array([-t[1], t[0]])
    away = x - part.start
    return (
        away @ n, np.broadcast_to(n, x.shape), np.zeros((len(x), 2, 2)), (away @ t) / part.length
    )  # fmt: skip


def _arc(part: _Part, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The same of an arc: inside it where it turns left, outside where it turns right."""
    away = x - part.centre
    r = np.maximum(np.linalg.norm(away, axis=1), 1e-12 * part.radius)
    sign = -np.sign(part.turn)
    out = away / r[:, None]
    t = np.column_stack([-out[:, 1], out[:, 0]])
    first = part.heading - np.copysign(pi / 2, part.turn)
    turned = (np.arctan2(away[:, 1], away[:, 0]) - first) * np.sign(part.turn)
    turned = np.mod(turned + _HALF_SLIT, 2 * pi) - _HALF_SLIT  # angles just before 0 stay there
    bend = (sign / r)[:, None, None] * t[:, :, None] * t[:, None, :]
    return sign * (r - part.radius), sign * out, bend, turned / abs(part.turn)


_HALF_SLIT = 1e-6
