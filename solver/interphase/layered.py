"""A model in time whose electrodes carry reaction layers that grow as it moves.

It stands about a model that solves a step for given resistances of the layers, and is a
``stepping.Model`` itself. In a step from t to t + dt

    delta(t + dt) = law of growth over dt, from delta(t), under the mean current density,

solved together with the step, whose currents see the resistance delta(t + dt)/s_i at its end. A
current that is constant is met exactly, whatever the step, as is a law that knows no current; one
that changes is taken at the end of the step (backward Euler, as everything else), and the error of
that is part of the local error. Without an influence of the current one pass is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import SolverError
from ssbmech.interphase.layer import Grown
from ssbmech.numerics import fixed_point
from ssbmech.numerics.stepping import Drive, Model, Trial
from ssbmech.parallel import on_root

Floats = NDArray[np.float64]

#: Agreement of thickness and current in a step, relative to the thickness.
AGREEMENT = 1e-10
#: Thickness [m] below which a layer is a film of no atoms: the least scale of its errors.
LEAST = 1e-10
_NAMES = ("layer:thickness", "layer:density")


class Carrier(Model, Protocol):
    """A model of which electrodes carry layers."""

    @property
    def comm(self) -> Any:
        """Communicator, or None for one process."""

    @property
    def counter(self) -> str:
        """Name of the counter electrode."""

    def set_layer(self, name: str, resistance: float) -> None:
        """Give the layer of an electrode another resistance [ohm m^2] for the next step."""

    def plating_density(self, name: str) -> float:
        """Mean current density of an electrode in the last trial [A/m^2], plating positive."""

    def area(self, name: str) -> float:
        """Of an electrode over that of the counter electrode."""


class LayeredModel:
    """A ``stepping.Model``.

    Args:
        inner: Moves with given layers; in its initial state.
        layers: At the start, on electrodes of ``inner``.
        tolerance: Local error of a step, relative to the thickness.
        alone: Whether all electrodes but the counter electrode have layers, so that a given current
            gives their mean one.
    """

    def __init__(
        self, inner: Carrier, layers: Sequence[Grown], tolerance: float, *, alone: bool = True
    ) -> None:
        self.inner, self.layers, self.tolerance = inner, tuple(layers), tolerance
        self._alone, self._known = alone, False
        self._next: tuple[Grown, ...] | None = None
        self._show(self._thickness())

    def _thickness(self) -> Floats:
        return np.array([g.thickness for g in self.layers])

    def _show(self, thickness: Floats) -> None:
        """Give the inner model the resistances of some thicknesses."""
        for g, d in zip(self.layers, thickness, strict=True):
            self.inner.set_layer(g.layer.electrode, g.layer.resistance(float(d)))

    def _grown(self, dt: float, density: Floats) -> Floats:
        """Thicknesses after a step of some mean current densities."""
        return np.array([
            g.layer.grown(g.thickness, dt, float(i))
            for g, i in zip(self.layers, density, strict=True)
        ])  # fmt: skip

    # -- stepping.Model ------------------------------------------------------------------------

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``."""
        self._next = None
        names = [g.layer.electrode for g in self.layers]
        density = np.array([g.density for g in self.layers])
        iterations, made = 0, None

        def turn(thickness: Floats) -> Floats:
            nonlocal iterations, made, density
            self._show(thickness)
            made = self.inner.advance(time, dt, drive)
            iterations += made.iterations
            density = np.array([self.inner.plating_density(name) for name in names])
            return self._grown(dt, density)

        start = self._grown(dt, self._expected(drive))
        thickness, _ = fixed_point.solve(
            turn, start, scale=np.maximum(start, LEAST), tolerance=AGREEMENT,
            what="growth of the layer and current",
        )  # fmt: skip
        assert made is not None
        new = tuple(
            replace(g, thickness=float(d), density=float(i))
            for g, d, i in zip(self.layers, thickness, density, strict=True)
        )
        self._next = new
        error = max(made.error, self._error(dt, thickness))
        return Trial({**made.monitors, **_monitors(new, self.inner.counter)}, error, iterations)

    def _expected(self, drive: Drive) -> Floats:
        """Mean current densities to begin with: those of the drive, or of the step before."""
        before = np.array([g.density for g in self.layers])
        if drive.current_density is None:
            return before
        counter = np.array([g.layer.electrode == self.inner.counter for g in self.layers])
        areas = np.array([self.inner.area(g.layer.electrode) for g in self.layers])
        rest = before
        if self._alone:
            rest = np.full(len(before), drive.current_density / max(areas[~counter].sum(), 1e-300))
        return np.where(counter, -drive.current_density, rest)

    def _error(self, dt: float, thickness: Floats) -> float:
        """Local error of the thickness: half of what the current of the step before would change.

        At the first step none is known.
        """
        if not self._known:
            return 0.0
        before = self._grown(dt, np.array([g.density for g in self.layers]))
        size = self.tolerance * np.maximum(thickness, LEAST)
        return float(np.max(0.5 * np.abs(thickness - before) / size, initial=0.0))

    def accept(self) -> None:
        """See ``stepping.Model``."""
        assert self._next is not None, "there is no step to accept"
        self.inner.accept()
        self.layers, self._next, self._known = self._next, None, True

    # -- checkpoints ---------------------------------------------------------------------------

    def save(self) -> dict[str, NDArray[Any]]:
        """See ``stepping.Model``."""
        arrays = self.inner.save()
        if self.inner.comm is None or self.inner.comm.rank == 0:
            arrays["layer:thickness"] = self._thickness()
            # of the last step; none before the first one
            density = [g.density for g in self.layers] if self._known else []
            arrays["layer:density"] = np.array(density, dtype=float)
        return arrays

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``.

        Raises:
            SolverError: On every rank, for a state without these layers.
        """
        comm = self.inner.comm

        def own() -> tuple[Floats, Floats]:
            if any(n not in arrays for n in _NAMES) or len(arrays[_NAMES[0]]) != len(self.layers):
                raise SolverError(
                    "the saved state has other layers on its electrodes", key="checkpoint",
                    hint="Restart with the case that wrote it",
                )  # fmt: skip
            return np.asarray(arrays[_NAMES[0]]), np.asarray(arrays[_NAMES[1]])

        thickness, density = own() if comm is None or comm.size == 1 else on_root(comm, own)
        self._known = len(density) > 0
        if not self._known:
            density = np.zeros(len(thickness))
        self.layers = tuple(
            replace(g, thickness=float(d), density=float(i))
            for g, d, i in zip(self.layers, thickness, density, strict=True)
        )
        self._next = None
        self._show(thickness)  # what the inner state implies may depend on it
        self.inner.load(arrays)


def _monitors(layers: Sequence[Grown], counter: str) -> dict[str, float]:
    """Thickness, resistance and part of the voltage; by electrode where there are several.

    The voltage is that of the lithium against the counter electrode.
    """
    found = {}
    for g in layers:
        of = "" if len(layers) == 1 else f"_{g.layer.electrode}"
        sign = -1.0 if g.layer.electrode == counter else 1.0
        found[f"layer_thickness{of}"] = g.thickness
        found[f"layer_resistance{of}"] = g.resistance
        found[f"layer_voltage{of}"] = sign * g.voltage
    return found
