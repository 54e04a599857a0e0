"""Values of ``[interphase]``, or else of the electrolyte's material set, with their sources."""

from __future__ import annotations

import math
from typing import Any

from ssbmech import units
from ssbmech.config_electro import activation_energy
from ssbmech.config_interphase import RANGED, InterphaseBlock
from ssbmech.errors import MaterialError
from ssbmech.interphase.laws import arrhenius
from ssbmech.interphase.uncertainty import Range
from ssbmech.materials.library import KEYS, MaterialSet

KEY = "interphase"
#: Value of a block → key of the library that stands in for it.
LIBRARY = {"limit": "interphase_thickness"}


class Values:
    """Values of the block or else of the set, with a record of where each came from."""

    def __init__(self, block: InterphaseBlock, known: MaterialSet | None) -> None:
        self.block, self.known = block, known
        self.temperature = units.quantity(block.temperature, "temperature")
        self.reference = units.quantity(block.reference_temperature, "temperature")
        self.sources: dict[str, str] = {}
        self.unverified: list[str] = []
        self.notes: list[str] = []
        self.found: dict[str, Range] = {}

    def number(self, name: str, dimension: str, *, of: Any = None, under: str = "") -> float | None:
        """The case's own value [SI], or None."""
        text = getattr(of or self.block, name)
        if text is None:
            return None
        self.sources[f"{KEY}.{under}{name}"] = f"{text}: given in the case"
        return units.quantity(text, dimension, key=f"{KEY}.{under}{name}")

    def required(self, name: str, dimension: str) -> float:
        """The case's own value [SI], or that of the set."""
        own = self.number(name, dimension)
        if own is not None:
            return own
        key = LIBRARY.get(name)
        if key is None or self.known is None:
            raise MaterialError(
                f"the law {self.block.law} needs {name}: the library has none",
                key=f"{KEY}.{name}", hint=f"Give {name}",
            )  # fmt: skip
        value, band = self.library(key)
        if band is not None:
            self.found[name] = band
        return value

    def library(self, key: str) -> tuple[float, Range | None]:
        """A value of the set [SI] and its range."""
        assert self.known is not None
        entry = self.known[key]
        self.sources[f"{KEY}.{key}"] = (
            f"{units.show(entry.value, KEYS[key])}: {entry.source} ({entry.standing})"
        )
        if not entry.verified:
            self.unverified.append(f"{self.known.name}.{key}")
        if entry.note:
            self.notes.append(f"{self.known.name}.{key}: {entry.note}")
        return entry.value, Range.of_value(entry)

    def has(self, key: str) -> bool:
        """Whether the set has a value."""
        return self.known is not None and key in self.known.values

    def thermal(self, name: str, what: str) -> float:
        """exp(-Q/R (1/T - 1/T_ref)) of an activation energy of the block; 1 where none is given."""
        text = getattr(self.block, name)
        if text is not None:
            self.sources[f"{KEY}.{name}"] = f"{text}: given in the case"
            energy = activation_energy(text, key=f"{KEY}.{name}")
            return arrhenius(energy, self.temperature, self.reference)
        if not math.isclose(self.temperature, self.reference, rel_tol=1e-12):
            self.notes.append(
                f"no {name}: {what} is taken at {self.temperature:g} K as at {self.reference:g} K"
            )
        return 1.0

    def conductivity(self, carrier: str) -> float | None:
        """Conductivity of the layer [S/m] at the temperature of the case, or None."""
        value = self.number(f"{carrier}_conductivity", "conductivity")
        if value is None:
            return None
        return value * self.thermal("conductivity_activation_energy", "conductivity of the layer")

    def both_conductivities(self) -> tuple[float, float]:
        """Those of ions and electrons [S/m]; the schema has seen to it that both are given."""
        ions, electrons = self.conductivity("ionic"), self.conductivity("electronic")
        assert ions is not None and electrons is not None
        return ions, electrons

    def ranges(self) -> dict[str, Range]:
        """Those of the case, and those of the library for what came from there."""
        own = {
            name: Range.between(*(units.quantity(end, RANGED[name]) for end in ends))
            for name, ends in self.block.ranges.items()
        }
        return self.found | own
