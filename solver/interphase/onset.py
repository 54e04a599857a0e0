"""When a layer that thickens first cracks what is around it: pure functions on curves.

Strength: the stress at a place reaches the tensile strength. Energy: the intensity of a crack
reaches the toughness, K_I of one that is in the mesh, or Y sigma sqrt(pi a) of a flaw that is not.
Both are needed: a stress beyond the strength cracks nothing if a thin layer cannot pay for the
crack, and energy alone starts none where nothing is strained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.interphase.laws import AT_REST, Conditions, GrowthLaw

#: Time beyond which a thickness counts as never reached [s], thirty thousand years.
NEVER = 1e12


@dataclass(frozen=True)
class Onset:
    """First cracking by one criterion.

    Attributes:
        criterion: "strength" or "energy".
        where: Line or front.
        component: Stress that opens it, or "K_I".
        thickness: Of the layer [m]; NaN: not within what was computed.
        time: At which it is reached [s]; inf: never, NaN where there is no thickness.
        limit: Strength [Pa] or toughness [Pa m^0.5].
        largest: Largest value that was reached, in the unit of the limit.
        place: Where on the line it starts [m], or () for a front.
    """

    criterion: str
    where: str
    component: str
    thickness: float
    time: float
    limit: float
    largest: float
    place: tuple[float, ...] = ()

    @property
    def happens(self) -> bool:
        """Whether it cracks within what was computed."""
        return math.isfinite(self.thickness)


def first_crossing(x: ArrayLike, y: ArrayLike, level: float, *, start: float = 0.0) -> float:
    """Smallest x at which a curve of straight pieces reaches a level from below.

    Args:
        x: Rising, positive, (n,).
        y: (n,).
        level: Above ``start``.
        start: Value at x = 0; NaN where it is not known: then a curve that begins above the level
            crosses it at its first x, at the latest.

    Returns:
        NaN where the curve stays below.
    """
    return first_along(x, np.asarray(y, float)[:, None], level, start=start)[0]


def first_along(
    x: ArrayLike, curves: ArrayLike, level: float, *, start: float = 0.0
) -> tuple[float, int]:
    """Smallest x at which any of several curves reaches a level, and which one.

    Args:
        x: Rising, (n,).
        curves: (n, m), one curve per place.
        level: Above ``start``.
        start: Value at x = 0, as in `first_crossing`.

    Returns:
        The crossing and the number of the curve; where none crosses NaN and the one that is
        largest in the end.
    """
    at, values = np.asarray(x, float), np.asarray(curves, float)
    if math.isfinite(start):
        at = np.append(0.0, at)
        values = np.vstack([np.full(values.shape[1], start), values])
    above = values >= level
    crosses = above.any(axis=0)
    if not crosses.any():
        return math.nan, int(np.argmax(values.max(axis=0)))
    after = np.argmax(above, axis=0)
    before = np.maximum(after - 1, 0)
    columns = np.arange(values.shape[1])
    low, high = values[before, columns], values[after, columns]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(after > 0, (level - low) / (high - low), 0.0)
    found = np.where(crosses, at[before] + share * (at[after] - at[before]), np.inf)
    k = int(np.argmin(found))
    return float(found[k]), k


def flaw_intensity(stress: ArrayLike, size: float, factor: float = 1.12) -> NDArray:
    """K_I = Y sigma sqrt(pi a) [Pa m^0.5]; 0 under compression.

    Meant for flaws that are small against the length over which the stress varies.

    Args:
        stress: Across the flaw [Pa].
        size: Depth of an edge flaw, half the length of an inner one [m].
        factor: Y: 1.12 for an edge flaw in plane strain, 2/pi for a penny, 1 for an inner slit.
    """
    return factor * np.maximum(np.asarray(stress, float), 0.0) * math.sqrt(math.pi * size)


def transition_size(strength: float, toughness: float, factor: float = 1.12) -> float:
    """Size of flaw a = (K_IC/(Y sigma_c))^2/pi [m] below which strength comes first."""
    return (toughness / (factor * strength)) ** 2 / math.pi


def onset_map(
    x: ArrayLike, curve: ArrayLike, scales: ArrayLike, limits: ArrayLike
) -> NDArray[np.float64]:
    """Onset for every misfit and every limit; a linear body: the curve scales with the misfit.

    Args:
        x: Thickness or depth [m], rising, (n,).
        curve: Stress or intensity at the misfit that was solved for, (n,).
        scales: Misfits over that one, (a,).
        limits: Strengths or toughnesses, (b,).

    Returns:
        (a, b) in the unit of x, NaN where nothing cracks.
    """
    y = np.asarray(curve, float)
    return np.array(
        [
            [first_crossing(x, float(s) * y, float(c)) for c in np.atleast_1d(limits)]
            for s in np.atleast_1d(scales)
        ]
    )


def time_of(law: GrowthLaw, initial: float, thickness: float, now: Conditions = AT_REST) -> float:
    """Time at which a law reaches a thickness [s].

    Args:
        law: The growth law.
        initial: Thickness at the start [m].
        thickness: [m].
        now: Conditions, constant.

    Returns:
        0 where it is there at the start, inf where it is never reached (`NEVER`), NaN for NaN.
    """
    if math.isnan(thickness):
        return math.nan
    if thickness <= initial:
        return 0.0
    if float(law.advance(initial, NEVER, now)) < thickness:
        return math.inf
    low, high = 1e-12, NEVER
    if float(law.advance(initial, low, now)) >= thickness:
        return low
    # bisection in the logarithm: a thickness rises with time, and laws span decades
    while high / low > 1.0 + 1e-13:
        middle = math.sqrt(low * high)
        if middle in (low, high):
            break
        if float(law.advance(initial, middle, now)) < thickness:
            low = middle
        else:
            high = middle
    return high
