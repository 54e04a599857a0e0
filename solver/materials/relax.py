"""Robust scalar solvers of implicit flow: monotone or bracketed Newton in logarithms, vectorised.

Rates go with powers of 5 to 7 of the stress, so that over a time step the terms of the implicit
equation differ by tens of decades. In logarithms they are nearly straight lines.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import SolverError

_ITERATIONS = 200
#: A Newton step in logarithms of this size is the last one: the error left is about its square.
_LAST = 1e-9
#: A bracket of this relative size cannot be halved any more.
_ROUNDING = 1e-15
#: Below this a logarithm is cut: nothing of this size adds to anything.
TINY = 1e-300


def log_share(log_C: NDArray, n: float) -> NDArray:
    """Solve x + C x^n = 1 for 0 < x <= 1.

    With z = ln x this is g(z) = ln(e^z + C e^(n z)) = 0: g is convex and increasing, and not
    negative at z = min(0, -ln C/n), whence Newton descends to the root without ever passing it.

    Args:
        log_C: ln C, (n,), any size; -inf stands for C = 0.
        n: Exponent, positive.

    Returns:
        ln x, (n,).
    """
    log_C = np.maximum(np.asarray(log_C, float), -1e300)
    z = np.minimum(0.0, -log_C / n)
    for _ in range(_ITERATIONS):
        g = np.logaddexp(z, log_C + n * z)
        share = np.exp(z - g)  # of the linear term; the slope lies between 1 and n
        step = g / (share + n * (1.0 - share))
        z = z - step
        if np.all(np.abs(step) <= _LAST):
            return np.minimum(z, 0.0)
    raise SolverError("the implicit power law did not converge", value=float(n))


def bracketed_root(
    function: Callable[[NDArray], tuple[NDArray, NDArray]],
    start: NDArray,
    high: NDArray,
    least_slope: float,
) -> NDArray:
    """Solve g(y) = 0 for each point by Newton, kept in a bracket that shrinks.

    A step that leaves the bracket, or is not half as long as the one before, gives way to halving
    the bracket: where g is not monotone Newton alone may run in circles.

    Args:
        function: g and its derivative at (n,) places; g tends to -inf on the left.
        start: First guess, (n,).
        high: Where g >= 0, (n,).
        least_slope: Slopes below this are raised to it, so that no step is thrown far away.

    Returns:
        The roots, (n,).

    Raises:
        SolverError: If a point does not converge, e.g. because its data are not numbers.
    """
    low = np.full_like(high, -np.inf)
    high = high.copy()
    y = np.minimum(start, high)
    before = np.full_like(high, np.inf)
    for _ in range(_ITERATIONS):
        g, slope = function(y)
        high = np.where(g >= 0.0, np.minimum(high, y), high)
        low = np.where(g < 0.0, np.maximum(low, y), low)
        new = y - g / np.maximum(slope, least_slope)
        step = np.abs(new - y)
        poor = (new > high + _LAST) | (new < low - _LAST) | ((step > 0.5 * before) & (step > _LAST))
        halve = poor & np.isfinite(low)
        new = np.where(halve, 0.5 * (np.where(halve, low, 0.0) + high), new)
        step = np.abs(new - y)
        before, y = step, new
        if np.all(step <= np.where(halve, _ROUNDING * np.maximum(1.0, np.abs(y)), _LAST)):
            return y
    raise SolverError(
        "the implicit flow law did not converge at a point", value=float(np.max(step)),
        hint="Use a smaller time step, and check the values of the flow law",
    )  # fmt: skip
