"""What the ranges of the inputs do to the growth itself: thickness and resistance over time.

The samples of a run are inputs in a file that is resumed (`uncertainty`). Growth follows from them
by the exact step of the law, so that it is computed here for every sample and time, and not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.build_interphase import interphase_setup, with_values
from ssbmech.config_interphase import RANGED, InterphaseBlock
from ssbmech.errors import SsbmechError
from ssbmech.interphase.laws import AT_REST, Conditions
from ssbmech.interphase.uncertainty import rank_correlations
from ssbmech.materials.library import MaterialSet

#: Percentiles that are given, by name.
PERCENTILES = {"p5": 5.0, "median": 50.0, "p95": 95.0}
#: Samples that are grown, the first ones of a hypercube in random order: a second or two of work.
MOST = 2000


@dataclass(frozen=True)
class GrowthSpread:
    """Thickness and resistance of a layer for every sample.

    Attributes:
        times: [s], (n,).
        thickness: [m], (samples, n).
        resistance: Of the layer [ohm m^2], (samples, n), or None without an ionic conductivity.
        inputs: Name to values, (samples,).
        failed: How many samples the law refused; they are left out.
    """

    times: NDArray[np.float64]
    thickness: NDArray[np.float64]
    resistance: NDArray[np.float64] | None
    inputs: dict[str, NDArray[np.float64]]
    failed: int = 0

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.thickness)

    def band(self, what: str) -> dict[str, NDArray[np.float64]]:
        """5th, 50th and 95th percentile over time of ``thickness`` or ``resistance``, SI."""
        values = self.thickness if what == "thickness" else self.resistance
        assert values is not None
        return {name: np.percentile(values, p, axis=0) for name, p in PERCENTILES.items()}

    def influence(self, what: str) -> dict[str, float]:
        """Rank correlation of the inputs with the value at the last time, strongest first."""
        values = self.thickness if what == "thickness" else self.resistance
        assert values is not None
        return rank_correlations(self.inputs, values[:, -1])


def growth_spread(
    block: InterphaseBlock,
    known: MaterialSet | None,
    inputs: Mapping[str, NDArray[np.float64]],
    times: ArrayLike,
    now: Conditions = AT_REST,
) -> GrowthSpread | None:
    """Grow the layer of every sample.

    Args:
        block: From the case.
        known: Material set of the electrolyte, or None.
        inputs: Values of the samples by name [SI], (samples,), of which the first `MOST` are
            taken; those that are no values of the
            block (a toughness, a flaw) have no part in growth.
        times: [s], (n,).
        now: Current and potential.

    Returns:
        None where growth has no spread: no input of the samples acts on it.
    """
    mine = {k: np.asarray(v, float)[:MOST] for k, v in inputs.items() if k in RANGED}
    if not mine:
        return None
    at = np.asarray(times, float)
    thickness, resistance, good = [], [], []
    for i in range(len(next(iter(mine.values())))):
        try:
            chosen = {name: float(values[i]) for name, values in mine.items()}
            setup = interphase_setup(with_values(block, chosen), known)
        except SsbmechError:  # a sample outside what the law takes
            continue
        grown = np.asarray(setup.law.advance(setup.initial, at, now), float)
        thickness.append(np.broadcast_to(grown, at.shape))
        if setup.ionic is not None:
            resistance.append(thickness[-1] / setup.ionic)
        good.append(i)
    if not good:
        return None
    deltas = np.array(thickness)
    R = np.array(resistance) if resistance else None
    if not np.ptp(deltas, axis=0).any() and (R is None or not np.ptp(R, axis=0).any()):
        return None
    kept = {name: values[good] for name, values in mine.items()}
    return GrowthSpread(at, deltas, R, kept, len(next(iter(mine.values()))) - len(good))
