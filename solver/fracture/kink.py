"""Direction in which a loaded crack turns, after the criterion of the largest hoop stress.

Erdogan & Sih, J. Basic Eng. 85 (1963) 519: the crack extends at the angle theta where the hoop
stress around the tip is largest, tan(theta/2) = [r -+ sqrt(r^2 + 8)]/4 with r = K_I/K_II (upper
sign for K_II > 0), and it extends when that stress is as large as in mode I at K_IC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import FractureError

#: A K_I below zero by less than this part of |K| is rounding, not closure.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Kink:
    """Where a crack turns, and how strongly it is driven there.

    Attributes:
        angle: From the crack's own direction e1 [rad], positive towards e2 (counterclockwise),
            within +-70.53 degrees; 0 where nothing loads the tip.
        K_eq: Mode-I equivalent there, cos^2(theta/2) [K_I cos(theta/2) - 3 K_II sin(theta/2)],
            in the unit of K; the crack extends when it reaches K_IC.
    """

    angle: NDArray[np.float64]
    K_eq: NDArray[np.float64]


def kink(K_I: ArrayLike, K_II: ArrayLike) -> Kink:
    """Kink angle and equivalent K of the largest hoop stress.

    K_III does not enter: the criterion is one of the plane normal to the front.

    Args:
        K_I: Mode I, not negative, any shape.
        K_II: Mode II, same unit, shape that fits that of ``K_I``.

    Returns:
        Angle and equivalent K, of the common shape (scalars: shape ()).

    Raises:
        FractureError: Where K_I is negative (the faces are closed and carry load, so the near
            field is another one) or a value is not finite.
    """
    one, two = np.broadcast_arrays(np.asarray(K_I, float), np.asarray(K_II, float))
    size = np.hypot(one, two)
    if not np.all(np.isfinite(size)):
        raise FractureError("a stress intensity is not finite", key="kink")
    if np.any(one < -_ROUNDING * size):
        raise FractureError(
            "the kink angle of a closed crack is not known: the faces carry load",
            key="K_I",
            value=float(one.min()),
            allowed="0 and above",
            hint="Ask for it only where the crack is open",
        )
    # Ratios of K, so that no square overflows or vanishes.
    scale = np.where(size > 0, size, 1.0)
    one, two = np.maximum(one, 0.0) / scale, two / scale
    # The branch of largest tension, in the form that keeps its digits as K_II -> 0: multiplying
    # [r -+ sqrt(r^2 + 8)]/4 by its conjugate leaves -2 K_II / (K_I + sqrt(K_I^2 + 8 K_II^2)).
    below = one + np.sqrt(one**2 + 8 * two**2)
    half = np.arctan(-2 * two / np.where(size > 0, below, 1.0))
    K_eq = np.cos(half) ** 2 * (one * np.cos(half) - 3 * two * np.sin(half))
    return Kink(2 * half, K_eq * size)
