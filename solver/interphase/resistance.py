"""Area-specific resistance of layers; the fit of a measured drift, labelled as calibration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech import units
from ssbmech.errors import MaterialError
from ssbmech.materials.flow import positive


def layer_resistance(thickness: ArrayLike, conductivity: float) -> NDArray:
    """delta/kappa [ohm m^2].

    Args:
        thickness: [m].
        conductivity: kappa of the carrier that passes [S/m].
    """
    positive("layer", conductivity=conductivity)
    return np.asarray(thickness, float) / conductivity


def stack_resistance(
    layers: Iterable[tuple[float, float]], interfaces: Iterable[float] = ()
) -> float:
    """Layers and interfaces in series [ohm m^2].

    Args:
        layers: Thickness [m] and conductivity [S/m] of each.
        interfaces: Resistances of interfaces [ohm m^2].
    """
    return float(sum(layer_resistance(t, k) for t, k in layers) + sum(interfaces))


@dataclass(frozen=True)
class Calibration:
    """Resistance over time fitted by R = R_0 + a sqrt(t): a calibration, not a check of anything.

    Attributes:
        start: R_0 [ohm m^2], given, not fitted.
        slope: a [ohm m^2 s^-0.5], fitted.
        points: How many later values it was fitted to.
        misfit: Largest deviation from them over the rise; 0 where one value was fitted.
        last: Time of the last of them [s].
    """

    start: float
    slope: float
    points: int
    misfit: float
    last: float

    def resistance(self, time: ArrayLike) -> NDArray:
        """R [ohm m^2] at times [s]."""
        return self.start + self.slope * np.sqrt(np.asarray(time, float))

    def growth_constant(self, conductivity: float) -> float:
        """Growth constant k [m^2/s] for a layer of that conductivity [S/m]: (a kappa)^2/2."""
        positive("layer", conductivity=conductivity)
        return 0.5 * (self.slope * conductivity) ** 2

    @property
    def label(self) -> str:
        """What the fit is worth, in words."""
        if self.points == 1:
            return (
                "calibration: one parameter from one rise; that it goes as the root of time is "
                "assumed, not shown"
            )
        return (
            f"calibration: one parameter from {self.points} values, which it misses by up to "
            f"{self.misfit:.1%} of the rise"
        )

    def text(self) -> str:
        """The fit in the units of the field, with its label."""
        slope = self.slope * math.sqrt(3600.0) * 1e4
        start, hours = units.show(self.start, "area_specific_resistance"), self.last / 3600.0
        return f"R = {start} + {slope:.4g} Ω cm²/h^0.5 × √t, up to {hours:.4g} h ({self.label})"


def calibrate(times: Sequence[float], resistances: Sequence[float], start: float) -> Calibration:
    """Fit a of R = R_0 + a sqrt(t) by least squares.

    Args:
        times: Of the later values [s], positive.
        resistances: [ohm m^2].
        start: R_0 at time 0 [ohm m^2].

    Raises:
        MaterialError: For values that do not rise, or lists that do not fit.
    """
    t, R = np.asarray(times, float), np.asarray(resistances, float)
    if t.ndim != 1 or t.shape != R.shape or t.size == 0:
        raise MaterialError("times and resistances must be lists of one length", key="calibrate",
                            value=(t.size, R.size), allowed="one value or more")  # fmt: skip
    if not (np.isfinite(t).all() and (t > 0.0).all()):
        raise MaterialError("must be positive", key="calibrate.times", value=list(times),
                            allowed="above 0 s")  # fmt: skip
    root = np.sqrt(t)
    slope = float(root @ (R - start) / (root @ root))
    if not slope > 0.0:
        raise MaterialError(
            "the resistance does not rise: no growth to fit", key="calibrate",
            value=list(resistances), allowed=f"above {start:g} ohm m^2",
        )  # fmt: skip
    off = np.abs(start + slope * root - R).max() / (slope * root.max())
    misfit = float(off) if t.size > 1 else 0.0
    return Calibration(start, slope, int(t.size), misfit, float(t.max()))
