"""One exact step of every growth law: d(delta)/dt = (A + B delta)/(a + b delta).

A drives [V or m/s], a resists at the interface, b resists per thickness; B says how the drive
changes with the thickness: current adds to it (B > 0), an insulating layer ends it (B < 0). With
A0 = A + B delta0 and y0 = a + b delta0 and the substitution 1 + B (delta - delta0)/A0 = exp(B v),

    t = y0 v + b A0 v^2 p2(B v),        delta = delta0 + A0 v p1(B v),

p1(z) = (e^z - 1)/z, p2(z) = (e^z - 1 - z)/z^2. Every term is positive for either sign of B, so
nothing cancels, and B = 0 (mixed control, parabolic) is no special case. t(v) is convex: Newton's
method from above descends to the root without a line search.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import SolverError

#: Newton steps before giving up; a dozen is the most that has been seen.
_MOST = 80


@dataclass(frozen=True)
class Rational:
    """Coefficients of d(delta)/dt = (A + B delta)/(a + b delta); numbers or one per point.

    Attributes:
        drive: A.
        drive_slope: B, per metre of A.
        resistance: a, not negative; A over m/s.
        resistance_slope: b, not negative, per metre of a. a and b are not both 0.
    """

    drive: ArrayLike
    drive_slope: ArrayLike
    resistance: ArrayLike
    resistance_slope: ArrayLike

    def rate(self, thickness: ArrayLike) -> NDArray:
        """d(delta)/dt [m/s]; 0 where the drive is not positive, inf on bare parabolic surfaces.

        Args:
            thickness: [m], (n,) or a number.
        """
        delta = np.asarray(thickness, float)
        drive = np.asarray(self.drive + np.asarray(self.drive_slope) * delta, float)
        against = np.asarray(self.resistance + np.asarray(self.resistance_slope) * delta, float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(drive > 0.0, drive / against, 0.0)

    def advance(self, thickness: ArrayLike, dt: ArrayLike) -> NDArray:
        """Thickness [m] after ``dt`` [s] at constant coefficients, exact to rounding.

        A layer never shrinks: where the drive is not positive it stays.

        Args:
            thickness: At the start [m], (n,) or a number, not negative.
            dt: [s], not negative.

        Raises:
            SolverError: For a negative or non-finite thickness or step.
        """
        start, step = _finite("thickness", thickness), _finite("dt", dt)
        A, B, a, b = (
            np.asarray(c, float)
            for c in (self.drive, self.drive_slope, self.resistance, self.resistance_slope)
        )
        arrays = np.broadcast_arrays(start, step, A + B * start, B, a + b * start, b)
        delta0, t, A0, B, y0, b = (np.array(x, float) for x in arrays)
        grows = (A0 > 0.0) & (t > 0.0)
        result = delta0.copy()
        if grows.any():
            part = tuple(x[grows] for x in (t, A0, B, y0, b))
            v = _solve(*part)
            result[grows] += A0[grows] * v * p1(B[grows] * v)
        return result


def _finite(name: str, value: ArrayLike) -> NDArray:
    array = np.asarray(value, float)
    if not (np.isfinite(array).all() and (array >= 0.0).all()):
        raise SolverError("a growth law needs a number that is not negative", key=name,
                          value=float(np.nanmin(array)), allowed="0 or more")  # fmt: skip
    return array


def _solve(t: NDArray, A0: NDArray, B: NDArray, y0: NDArray, b: NDArray) -> NDArray:
    """Root v of y0 v + b A0 v^2 p2(B v) = t, all (n,)."""
    v = _above(t, b * A0, B, y0)
    for _ in range(_MOST):
        z = B * v
        value = y0 * v + b * A0 * v * v * p2(z) - t
        slope = y0 + b * A0 * v * p1(z)
        new = v - value / slope
        done = np.abs(new - v) <= 4e-16 * v
        v = np.where(new > 0.0, new, 0.5 * v)
        if done.all():
            return v
        # rounding makes the last steps wander: they are settled once the residual is
        if (np.abs(value) <= 2e-15 * t).all():  # rounding of the residual itself
            return v
    raise SolverError("the growth law was not solved", key="interphase",
                      value=float(np.max(np.abs(value) / t)))  # fmt: skip


def _above(t: NDArray, c: NDArray, B: NDArray, y0: NDArray) -> NDArray:
    """An upper bound of the root, c = b A0: the least of those that each term alone gives."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        linear = np.where(y0 > 0.0, t / y0, np.inf)
        # B < 0: p2(-z) >= 1/(2 + z);  B >= 0: p2 >= 1/2, the same formula with B left out
        low = np.where(B < 0.0, -B, 0.0) * t
        square = np.where(c > 0.0, (low + np.sqrt(low * low + 8.0 * t * c)) / (2.0 * c), np.inf)
        # B > 0, z > 1.26: e^z - 1 - z >= (e^z - 1)/2
        log = np.where(
            (B > 0.0) & (c > 0.0), np.maximum(1.26, np.log1p(2.0 * t * B * B / c)) / B, np.inf
        )
    return np.minimum(np.minimum(linear, square), log)


def p1(z: NDArray) -> NDArray:
    """(e^z - 1)/z, 1 at 0."""
    safe = np.where(z == 0.0, 1.0, z)
    return np.where(z == 0.0, 1.0, np.expm1(safe) / safe)


def p2(z: NDArray) -> NDArray:
    """(e^z - 1 - z)/z^2, 1/2 at 0; by its series where the difference would cancel."""
    small = np.abs(z) < 0.5
    x = np.where(small, z, 0.0)
    series = sum(x**n / math.factorial(n + 2) for n in range(14))
    safe = np.where(small, 1.0, z)
    return np.where(small, series, (np.expm1(safe) - safe) / (safe * safe))
