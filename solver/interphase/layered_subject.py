"""What is reported of a model in time whose electrodes carry reaction layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssbmech.build_layer import Layers
from ssbmech.interphase.layered import LayeredModel
from ssbmech.output.verdict import Limits
from ssbmech.subject import Columns, FieldWriter, Subject


def with_layers(subject: Any, layers: Layers, electrodes: int, tolerance: float) -> Any:
    """A subject whose model lets the layers grow; the subject itself where there are none.

    Args:
        subject: Of which the model is a ``layered.Carrier``.
        layers: On its electrodes.
        electrodes: How many there are, with the counter electrode.
        tolerance: Local error of a step.

    Returns:
        A ``subject.Subject``.
    """
    if not layers.grown:
        return subject
    names = {g.layer.electrode for g in layers.grown} - {subject.model.counter}
    alone = len(names) == electrodes - 1
    return LayeredSubject(
        subject, LayeredModel(subject.model, layers.grown, tolerance, alone=alone)
    )


@dataclass
class LayeredSubject:
    """A ``subject.Subject``: what it stands about, and the layers."""

    inner: Subject
    model: LayeredModel

    @property
    def limits(self) -> Limits:
        """What monitors are held against."""
        return self.inner.limits

    @property
    def notes(self) -> tuple[str, ...]:
        """Choices made for the user."""
        return self.inner.notes

    @property
    def sources(self) -> dict[str, str]:
        """Values with their sources."""
        return self.inner.sources

    @property
    def unverified(self) -> tuple[str, ...]:
        """Unverified library values that were used."""
        return self.inner.unverified

    def profiles(self) -> dict[str, Columns]:
        """Those of the model."""
        return self.inner.profiles()

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """Those of the model."""
        return self.inner.balances()

    def fields(self, folder: Path) -> FieldWriter | None:
        """Those of the model."""
        return self.inner.fields(folder)

    def record(self) -> dict[str, Any]:
        """Numbers of the model."""
        return self.inner.record()

    def results(self) -> dict[str, Any]:
        """Those of the model, and its layers at the end."""
        found = {
            g.layer.electrode: {
                "thickness_um": g.thickness * 1e6,
                "thickness_at_start_um": g.layer.initial * 1e6,
                "resistance_ohm_cm2": g.resistance * 1e4,
                "voltage_mV": g.voltage * 1e3,
            }
            for g in self.model.layers
        }
        return {**self.inner.results(), "layers": found}
