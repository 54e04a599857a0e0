"""From the block of a case and a material set to a flow law at one temperature, with sources."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ssbmech import units
from ssbmech.config_electro import activation_energy
from ssbmech.config_flow import FlowBlock
from ssbmech.errors import CaseError, MaterialError
from ssbmech.fracture.porz import GAS_CONSTANT
from ssbmech.materials.anand import AnandI, AnandII
from ssbmech.materials.flow import FlowLaw, Norton, Plastic, size_dependent_yield
from ssbmech.materials.laws import Elastic
from ssbmech.materials.library import KEYS, MaterialSet

#: Diameters of the pillars [m], temperatures [K] of LePage's exponent, and what passes for room
#: temperature [K]: the library's values were found there.
PILLARS = (1.39e-6, 9.45e-6)
ROOM = (288.0, 308.0)
NORTON = (248.15, 398.15)


@dataclass(frozen=True)
class FlowSetup:
    """A flow law and where it comes from.

    Attributes:
        law: At the temperature of the case, SI values.
        finite: Whether the material is treated at finite strain.
        elastic: The constants that belong to the law's set of values (Anand's laws), or None.
            Those of set I differ from the elastic constants of polycrystalline lithium.
        sources: ``"group.key"`` to value, source and standing.
        elastic_sources: Likewise of ``elastic``, for whoever uses it.
        unverified: Names of unverified library values that were used.
        notes: Where a value is used beyond what it was measured at, and other remarks.
    """

    law: FlowLaw
    finite: bool
    elastic: Elastic | None
    sources: dict[str, str] = field(default_factory=dict)
    elastic_sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def flow_setup(
    block: FlowBlock, known: MaterialSet | None, temperature: float, *, group: str = "lithium"
) -> FlowSetup:
    """Resolve a flow block.

    Args:
        block: From the case.
        known: Material set of the group, or None where the case gives values alone.
        temperature: [K].
        group: Name of the material group, for messages and sources.

    Raises:
        CaseError: If the material is molten, or the unit of a prefactor does not fit its exponent.
        MaterialError: If a value is neither given nor in the set.
    """
    look = _Values(block, known, group)
    if not (math.isfinite(temperature) and temperature > 0.0):
        raise CaseError("the temperature must be positive", key="temperature", value=temperature,
                        allowed="above 0 K")  # fmt: skip
    _solid(known, temperature, look.key)
    law, notes = _MAKERS[block.law](look, temperature)
    elastic, elastic_sources = _elastic(block.law, known, group)
    return FlowSetup(
        law, block.strain == "finite", elastic, look.sources, elastic_sources,
        tuple(dict.fromkeys(look.unverified)), (*notes, *dict.fromkeys(look.notes)),
    )  # fmt: skip


class _Values:
    """Values of the block or else of the set, with a record of where each came from."""

    def __init__(self, block: FlowBlock, known: MaterialSet | None, group: str) -> None:
        self.block, self.known, self.group = block, known, group
        self.key = f"materials.{group}.flow"
        self.sources: dict[str, str] = {}
        self.unverified: list[str] = []
        self.notes: list[str] = []

    def own(self, name: str, dimension: str) -> float | None:
        """The case's own value [SI], or None."""
        value = getattr(self.block, name)
        if value is None:
            return None
        self.sources[f"{self.group}.flow.{name}"] = f"{value}: given in the case"
        if name == "activation_energy":
            return activation_energy(value, key=f"{self.key}.{name}")
        return units.quantity(value, dimension, key=f"{self.key}.{name}")

    def library(self, name: str, key: str) -> float:
        """The value of the set under ``key`` [SI], for the value ``name`` of the block."""
        if self.known is None:
            raise MaterialError(
                f"the law {self.block.law} needs {name}: there is no material set to take it from",
                key=f"{self.key}.{name}", hint=f"Give {name}, or a set such as Li",
            )  # fmt: skip
        entry = self.known[key]
        dimension = KEYS.get(key, "")
        shown = units.show(entry.value, dimension) if dimension else entry.given
        self.sources[f"{self.group}.{key}"] = f"{shown}: {entry.source} ({entry.standing})"
        if not entry.verified:
            self.unverified.append(f"{self.known.name}.{key}")
        if entry.note:
            self.notes.append(f"{key.partition('.')[0]}: {entry.note}")
        return entry.value

    def of(self, name: str, key: str) -> float:
        """The case's own value [SI], or that of the set."""
        own = self.own(name, KEYS[key])
        return self.library(name, key) if own is None else own


def _norton(look: _Values, temperature: float) -> tuple[FlowLaw, list[str]]:
    """B = A exp(-Q/RT), the unit of A checked against the exponent."""
    n = look.of("exponent", "norton.n")
    text = look.block.prefactor
    if text is None:
        A = look.library("prefactor", "norton.A")
        assert look.known is not None
        text, where = look.known["norton.A"].given, f"{look.known.name}.norton.A"
    else:
        where = f"{look.key}.prefactor"
        A = units.parse(text, key=where)[0]
        look.sources[f"{look.group}.flow.prefactor"] = f"{text}: given in the case"
    rate, pressure = (units.dimension_of(name).exponents for name in ("rate", "pressure"))
    wanted = units.combine(rate, pressure, -n)
    if not units.same_dimension(units.parse(text, key=where)[1], wanted):
        raise CaseError(
            f"the unit does not fit the exponent {n:g}", key=where, value=text,
            allowed=f"a number with the unit MPa^-{n:g}/s",
        )  # fmt: skip
    Q = look.of("activation_energy", "norton.Q")
    notes = [] if look.block.given else _beyond(temperature, NORTON, "norton", "-25 to 125 degC")
    return Norton(A * math.exp(-Q / (GAS_CONSTANT * temperature)), n), notes


def _anand_I(look: _Values, temperature: float) -> tuple[FlowLaw, list[str]]:
    law = AnandI(
        r0=look.of("reference_rate", "anand_I.rate"),
        m=look.of("rate_sensitivity", "anand_I.m"),
        S0=look.of("initial_resistance", "anand_I.S0"),
        H0=look.of("hardening", "anand_I.H0"),
        S_sat=look.of("saturation_resistance", "anand_I.S_sat"),
        a=look.of("hardening_exponent", "anand_I.a"),
    )
    return law, _beyond(temperature, ROOM, "anand_I, which knows no temperature")


def _anand_II(look: _Values, temperature: float) -> tuple[FlowLaw, list[str]]:
    law = AnandII(
        A=look.of("reference_rate", "anand_II.A"),
        Q=look.of("activation_energy", "anand_II.Q"),
        m=look.of("rate_sensitivity", "anand_II.m"),
        S0=look.of("initial_resistance", "anand_II.S0"),
        H0=look.of("hardening", "anand_II.H0"),
        S_sat=look.of("saturation_resistance", "anand_II.S_sat"),
        a=look.of("hardening_exponent", "anand_II.a"),
        n_s=look.of("saturation_exponent", "anand_II.n_s"),
        temperature=temperature,
    )
    return law, []


def _plastic(look: _Values, temperature: float) -> tuple[FlowLaw, list[str]]:
    """Yield stress given, or of a diameter, or that of bulk lithium."""
    notes: list[str] = []
    diameter = look.own("diameter", "length")
    if diameter is None:
        stress = look.of("yield_stress", "yield_stress")
    else:
        strength = look.library("diameter", "pillar_strength")
        stress = size_dependent_yield(
            diameter, strength, look.library("diameter", "pillar_exponent")
        )
        if not PILLARS[0] * (1 - 1e-9) <= diameter <= PILLARS[1] * (1 + 1e-9):
            notes.append(
                f"the yield stress of lithium {units.show(diameter, 'length')} across, "
                f"{units.show(stress, 'pressure')}, is extrapolated: pillars were "
                f"{units.show(PILLARS[0], 'length')} to {units.show(PILLARS[1], 'length')}"
            )
    if look.block.yield_stress is None:
        notes += _beyond(temperature, ROOM, "the yield stress, which knows no temperature")
    return Plastic(stress, look.own("hardening", "pressure") or 0.0), notes


_MAKERS = {
    "norton": _norton,
    "anand_I": _anand_I,
    "anand_II": _anand_II,
    "plastic": _plastic,
}


def _beyond(
    temperature: float, band: tuple[float, float], what: str, where: str = "room temperature"
) -> list[str]:
    inside = band[0] <= temperature <= band[1]
    return [] if inside else [f"{what}: found at {where}, used at {temperature:g} K"]


def _solid(known: MaterialSet | None, temperature: float, key: str) -> None:
    """Refuse a temperature at which the material has melted."""
    if known is None or "melting_temperature" not in known.values:
        return
    melting = known["melting_temperature"].value
    if temperature >= melting:
        raise CaseError(
            f"{known.name} is molten at this temperature", key=key,
            value=units.show(temperature, "temperature"),
            allowed=f"below {units.show(melting, 'temperature')}",
        )  # fmt: skip


def _elastic(
    law: str, known: MaterialSet | None, group: str
) -> tuple[Elastic | None, dict[str, str]]:
    """E and nu that belong to a set of Anand's laws."""
    keys = (f"{law}.E", f"{law}.nu")
    if known is None or any(key not in known.values for key in keys):
        return None, {}
    E, nu = (known[key] for key in keys)
    sources = {
        f"{group}.{key}": f"{units.show(v.value, KEYS[key])}: {v.source} ({v.standing})"
        for key, v in zip(keys, (E, nu), strict=True)
    }
    return Elastic(E.value, nu.value), sources
