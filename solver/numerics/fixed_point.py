"""Fixed points x = g(x) of two solvers that exchange a small vector, with Anderson's acceleration.

The vector is what passes through an interface (stresses one way, currents the other), so that the
history is a few columns of NumPy arrays, the same on every rank. Plain iteration diverges where the
coupling is strong (a stiff electrolyte about a thin filament); Anderson's acceleration of type II
is a quasi-Newton method that needs nothing but values of g.

Source: D. G. Anderson, J. ACM 12 (1965) 547; as a quasi-Newton method H.-r. Fang and Y. Saad,
Numer. Linear Algebra Appl. 16 (2009) 197.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import SolverError

Vector = NDArray[np.float64]

#: Directions whose size falls below this part of the largest are rounding, and left out.
_RANK = 1e-10


@dataclass(frozen=True)
class FixedPointReport:
    """What the iteration did.

    Attributes:
        iterations: Evaluations of g.
        history: Size of g(x) - x before each, in the unit of ``scale``.
    """

    iterations: int
    history: tuple[float, ...]


def solve(
    g: Callable[[Vector], Vector],
    x: Vector,
    *,
    scale: float | Vector,
    tolerance: float = 1e-8,
    depth: int = 12,
    limit: int = 40,
    first: float = 1.0,
    what: str = "the staggered solution",
) -> tuple[Vector, FixedPointReport]:
    """Find x = g(x).

    Args:
        g: The map; the same arguments and values on every rank.
        x: Start, shape (n,).
        scale: Size of an entry that the tolerance refers to, positive, one or of shape (n,).
        tolerance: Of the largest entry of g(x) - x over its scale.
        depth: Number of earlier iterates that are used.
        limit: Number of evaluations of g.
        first: Part of the first step that is taken, when nothing is known of the map; where its
            gain is far above 1 a whole one leaves the range in which g can be evaluated.
        what: Name for messages.

    Returns:
        The last value of g, and what was done.

    Raises:
        SolverError: With the history, when the limit is reached or a value is not finite.
    """
    size = np.broadcast_to(np.asarray(scale, dtype=float), x.shape)
    history: list[float] = []
    points: list[Vector] = []
    defects: list[Vector] = []
    x = np.array(x, dtype=float)
    for _ in range(limit):
        value = np.asarray(g(x), dtype=float)
        defect = value - x
        history.append(float(np.max(np.abs(defect) / size, initial=0.0)))
        if not np.isfinite(history[-1]):
            break
        if history[-1] <= tolerance:
            return value, FixedPointReport(len(history), tuple(history))
        points.append(x)
        defects.append(defect)
        del points[: -depth - 1], defects[: -depth - 1]
        if len(points) == 1:
            x = x + first * defect
        else:
            x = value + _correction(points, defects, size)
    tail = ", ".join(f"{h:.2e}" for h in history[-8:])
    raise SolverError(
        f"{what} did not converge in {len(history)} iterations: relative changes [{tail}], "
        f"tolerance {tolerance:g}",
        hint="Give a smaller time step",
    )


def _correction(points: list[Vector], defects: list[Vector], size: Vector) -> Vector:
    """What least squares over the differences of earlier iterates adds to g(x)."""
    dx = np.diff(np.stack(points), axis=0).T
    df = np.diff(np.stack(defects), axis=0).T
    weights = 1 / size[:, None]
    gamma = np.linalg.lstsq(df * weights, defects[-1] * weights[:, 0], rcond=_RANK)[0]
    return -(dx + df) @ gamma
