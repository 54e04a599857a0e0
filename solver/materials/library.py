"""Material data with unit, range, temperature, source and standing on every value.

A library file is TOML: one table per set, in it one table per value, see docs/materials.md.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from ssbmech import units
from ssbmech.errors import MaterialError, UnitError, nearest
from ssbmech.materials.laws import check_cubic

#: What a standing means. Only "recalled" counts as unverified.
STANDINGS = {
    "measured": "measured; read in the source named",
    "computed": "computed, from other values or in the source named",
    "review": "stated in a review paper",
    "recalled": "recalled from the literature and not checked: unverified",
}
KINDS = ("electrolyte", "lithium", "other")

#: Known keys → dimension ("" = the unit is free); another key must start with "custom.".
KEYS: dict[str, str] = {
    "E": "pressure",
    "nu": "dimensionless",
    "expansion": "expansion",
    "K_IC": "toughness",
    "G_c": "energy_release",
    "strength": "pressure",
    "density": "density",
    "molar_volume": "molar_volume",
    "melting_temperature": "temperature",
    "ionic_conductivity": "conductivity",
    "electronic_conductivity": "conductivity",
    "ionic_activation_energy": "",
    "grain_boundary_conductivity": "conductivity",
    "grain_boundary_activation_energy": "",
    "grain_boundary_thickness": "length",
    "grain_boundary_shear_ratio": "dimensionless",
    "growth_eigenstrain": "dimensionless",
    "reaction_volume_change": "dimensionless",
    "reaction_volume_change_with_li": "dimensionless",
    "interphase_thickness": "length",
    "exchange_current": "current_density",
    "charge_transfer_resistance": "area_specific_resistance",
    "critical_current": "current_density",
    "C11": "pressure",
    "C12": "pressure",
    "C44": "pressure",
    "E_100": "pressure",
    "E_111": "pressure",
    "yield_stress": "pressure",
    "pillar_strength": "pressure",
    "pillar_exponent": "dimensionless",
    "whisker_growth_stress": "pressure",
    "whisker_strength": "pressure",
    "norton.n": "dimensionless",
    "norton.Q": "molar_energy",
    "norton.A": "",
    "norton.B_298K": "",
    "anand_I.E": "pressure",
    "anand_I.nu": "dimensionless",
    "anand_I.rate": "rate",
    "anand_I.m": "dimensionless",
    "anand_I.S0": "pressure",
    "anand_I.H0": "pressure",
    "anand_I.S_sat": "pressure",
    "anand_I.a": "dimensionless",
    "anand_II.E": "pressure",
    "anand_II.nu": "dimensionless",
    "anand_II.A": "rate",
    "anand_II.Q": "molar_energy",
    "anand_II.m": "dimensionless",
    "anand_II.S0": "pressure",
    "anand_II.H0": "pressure",
    "anand_II.S_sat": "pressure",
    "anand_II.a": "dimensionless",
    "anand_II.n_s": "dimensionless",
    "self_diffusivity": "diffusivity",
    "vacancy_formation_energy": "molar_energy",
    "specific_capacity": "specific_capacity",
    "thickness_per_capacity": "",
}
_SIGNED = ("reaction_volume_change", "reaction_volume_change_with_li", "growth_eigenstrain", "nu",
           "expansion", "C12")  # fmt: skip
_SET_KEYS = ("title", "kind", "notes", "extends", "replaces")
_VALUE_KEYS = ("value", "low", "high", "temperature", "source", "standing", "note", "alternatives",
               "unverified_inputs")  # fmt: skip


@dataclass(frozen=True)
class Value:
    """One value of a material.

    Attributes:
        value: The value [SI].
        unit: SI unit, or the unit as given where the dimension of the key is free.
        low: Lower end of its range [SI], or None.
        high: Upper end of its range [SI], or None.
        temperature: Temperature as the source states it; empty if not stated.
        source: Where it comes from, in words.
        standing: A key of `STANDINGS`.
        note: What one must know to use it.
        given: The value as written in the file.
        dimension: Name of its dimension; empty if free.
        alternatives: Other values of the same property (porosity, process, source).
        unverified_inputs: Whether it was computed from unverified values.
    """

    value: float
    unit: str
    low: float | None
    high: float | None
    temperature: str
    source: str
    standing: str
    note: str
    given: str = ""
    dimension: str = ""
    alternatives: tuple[Value, ...] = ()
    unverified_inputs: bool = False

    @property
    def verified(self) -> bool:
        """Whether it was read, or computed from verified values, and not only recalled."""
        return self.standing != "recalled" and not self.unverified_inputs

    @property
    def band(self) -> tuple[float, float]:
        """Range [SI]; the value itself at an end that is not known."""
        return (
            self.value if self.low is None else self.low,
            self.value if self.high is None else self.high,
        )


@dataclass(frozen=True)
class MaterialSet:
    """A named material.

    Attributes:
        name: Name used in case files.
        title: What it is.
        kind: One of `KINDS`.
        values: The values by key.
        notes: Remarks on the whole set.
        origin: File it was read from.
    """

    name: str
    title: str
    kind: str
    values: dict[str, Value] = field(default_factory=dict)
    notes: str = ""
    origin: str = ""

    def __getitem__(self, key: str) -> Value:
        """Return a value.

        Raises:
            MaterialError: If the set has none under that key.
        """
        try:
            return self.values[key]
        except KeyError:
            hint = f"Give {key} in the case file" if key in KEYS else nearest(key, self.values)
            raise MaterialError(
                f"material {self.name} has no {key}: no source was found for it"
                if key in KEYS
                else f"material {self.name} has no {key}",
                key=f"{self.name}.{key}",
                allowed=", ".join(self.values),
                hint=hint,
            ) from None

    def verified(self, key: str) -> bool:
        """Return whether the value under that key is verified (see `Value.verified`)."""
        return self[key].verified

    def unverified_used(self, keys: Iterable[str]) -> list[str]:
        """Return ``"name.key"`` of those of the keys whose value is unverified, for a record."""
        return [f"{self.name}.{k}" for k in keys if k in self.values and not self.verified(k)]

    def group(self, prefix: str) -> dict[str, Value]:
        """Return the values of a constitutive set, such as ``"anand_II"``, without the prefix."""
        head = prefix + "."
        return {k[len(head) :]: v for k, v in self.values.items() if k.startswith(head)}


def unverified_used(used: Iterable[tuple[MaterialSet, Iterable[str]]]) -> list[str]:
    """Return ``"name.key"`` of every unverified value among the keys used of several sets."""
    return sorted({name for material, keys in used for name in material.unverified_used(keys)})


def load_library(extra: Path | None = None) -> dict[str, MaterialSet]:
    """Return all sets by name.

    Args:
        extra: A user's library file, which adds sets. It shadows a set of the library only where
            that set says ``replaces = true``; ``extends = "LLZO"`` starts from a copy.

    Raises:
        MaterialError: If a file cannot be read or a value is refused.
    """
    library = dict(_own_library())
    if extra is not None:
        library.update(read_file(Path(extra), library))
    return library


def get(name: str, extra: Path | None = None) -> MaterialSet:
    """Return one set.

    Raises:
        MaterialError: If there is none of that name (the nearest is offered).
    """
    library = load_library(extra)
    if name not in library:
        raise MaterialError("unknown material", value=name, hint=nearest(name, library))
    return library[name]


@cache
def _own_library() -> dict[str, MaterialSet]:
    library: dict[str, MaterialSet] = {}
    for path in sorted((Path(__file__).parent / "data").glob("*.toml")):
        library.update(read_file(path, library))
    return library


def read_file(path: Path, known: dict[str, MaterialSet]) -> dict[str, MaterialSet]:
    """Read a library file.

    Args:
        path: TOML file.
        known: The sets it may extend, and must not shadow silently.

    Raises:
        MaterialError: If the file cannot be read or a set or value in it is refused.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MaterialError(
            f"cannot read the material file: {error.strerror}", key=str(path)
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MaterialError(f"this is not valid TOML: {error}", key=str(path)) from None
    sets: dict[str, MaterialSet] = {}
    for name, table in data.items():
        sets[name] = _read_set(name, table, known | sets, path.name)
    return sets


def _read_set(name: str, table: Any, known: dict[str, MaterialSet], origin: str) -> MaterialSet:
    where = f"{origin}: {name}"
    if not isinstance(table, dict):
        raise MaterialError("a set must be a table", key=where, value=table, hint=f"Write [{name}]")
    replaces = table.get("replaces", False)
    if not isinstance(replaces, bool):
        raise MaterialError("must be true or false", key=f"{where}.replaces", value=replaces)
    if name in known and not replaces:
        raise MaterialError(
            f"a set of this name exists already in {known[name].origin}",
            key=where,
            hint=f"Choose another name with extends = {name!r}, or say replaces = true",
        )
    if replaces and name not in known:
        raise MaterialError("there is no set to replace", key=where, hint=nearest(name, known))
    values: dict[str, Value] = {}
    base = table.get("extends")
    if base is not None:
        if not isinstance(base, str) or base not in known:
            raise MaterialError("extends an unknown set", key=where, value=base,
                                hint=nearest(str(base), known))  # fmt: skip
        values = dict(known[base].values)
    start = known[base] if base is not None else None
    texts = {k: table.get(k, getattr(start, k, "")) for k in ("title", "kind", "notes")}
    kind = texts["kind"] or "other"
    if not all(isinstance(t, str) for t in texts.values()) or kind not in KINDS:
        raise MaterialError("title, kind and notes are texts", key=where, value=kind,
                            allowed="kind: " + ", ".join(KINDS))  # fmt: skip
    for key, entry in table.items():
        if key not in _SET_KEYS:
            values[key] = _read_value(key, entry, f"{where}.{key}", origin)
    _check_elastic(values, where)
    return MaterialSet(name, texts["title"] or name, kind, values, texts["notes"], origin)


def _read_value(key: str, entry: Any, where: str, origin: str) -> Value:
    if key not in KEYS and not key.startswith("custom."):
        raise MaterialError(
            "unknown property",
            key=where,
            hint=nearest(key, [*KEYS, *_SET_KEYS]) + " Own properties start with 'custom.'",
        )
    if not isinstance(entry, dict):
        entry = {"value": entry}
    for k in entry:
        if k not in _VALUE_KEYS:
            raise MaterialError("unknown key", key=f"{where}.{k}", hint=nearest(k, _VALUE_KEYS))
    texts = {k: entry.get(k, "") for k in ("temperature", "source", "standing", "note")}
    for k, text in texts.items():
        if not isinstance(text, str):
            raise MaterialError("must be a text", key=f"{where}.{k}", value=text)
    standing = texts["standing"] or "recalled"  # nothing said: nothing verified
    if standing not in STANDINGS:
        raise MaterialError("unknown standing", key=f"{where}.standing", value=standing,
                            allowed=", ".join(STANDINGS))  # fmt: skip
    numbers = {k: _number(key, entry[k], f"{where}.{k}")
               for k in ("value", "low", "high") if k in entry}  # fmt: skip
    low, high = numbers.get("low"), numbers.get("high")
    note, given = texts["note"], str(entry.get("value", ""))
    if "value" not in numbers:
        if low is None or high is None:
            raise MaterialError("a value is missing", key=where, allowed="value, or low and high")
        numbers["value"], middle = _middle(low, high)
        note = "; ".join(filter(None, [f"{middle} middle of the range, not a value itself", note]))
        given = f"{entry['low']} to {entry['high']}"
    value = numbers["value"]
    if (low is not None and low > value) or (high is not None and high < value):
        raise MaterialError("the value is outside its own range", key=where, value=given)
    shaky = entry.get("unverified_inputs", False)
    if not isinstance(shaky, bool):
        raise MaterialError("must be true or false", key=f"{where}.unverified_inputs", value=shaky)
    others = entry.get("alternatives", [])
    if not isinstance(others, list):
        raise MaterialError("must be a list of tables", key=f"{where}.alternatives", value=others)
    dimension = KEYS.get(key, "")
    return Value(
        value,
        units.dimension_of(dimension).unit if dimension else _unit_text(given),
        low,
        high,
        texts["temperature"],
        texts["source"] or f"{origin}, no source given",
        standing,
        note,
        given,
        dimension,
        tuple(
            _read_value(key, o, f"{where}.alternatives[{i}]", origin) for i, o in enumerate(others)
        ),
        shaky,
    )


def _number(key: str, text: Any, where: str) -> float:
    dimension = KEYS.get(key, "")
    try:
        if dimension:
            value = units.quantity(text, dimension, key=where)
        else:
            value = units.parse(text if isinstance(text, str) else repr(text), key=where)[0]
    except UnitError as error:
        raise MaterialError(error.message, key=where, value=error.value, allowed=error.allowed,
                            hint=error.hint) from None  # fmt: skip
    if value <= 0.0 and key in KEYS and key not in _SIGNED:
        raise MaterialError("must be positive", key=where, value=text, allowed="above 0")
    if key.rpartition(".")[2] == "nu" and not -1.0 < value < 0.5:
        raise MaterialError("Poisson's ratio is outside its range", key=where, value=text,
                            allowed="above -1 and below 0.5")  # fmt: skip
    return value


def _middle(low: float, high: float) -> tuple[float, str]:
    """Return the middle of a range: geometric where it spans a factor of five or more."""
    if low > 0.0 and high / low >= 5.0:
        return math.sqrt(low * high), "geometric"
    return 0.5 * (low + high), "arithmetic"


def _unit_text(given: str) -> str:
    return given.partition(" ")[2]


def _check_elastic(values: dict[str, Value], where: str) -> None:
    """Refuse a cubic crystal that is not stable."""
    C11, C12, C44 = (values.get(key) for key in ("C11", "C12", "C44"))
    if C11 and C12 and C44:
        check_cubic(C11.value, C12.value, C44.value, where)


def with_value(material: MaterialSet, key: str, text: str, source: str) -> MaterialSet:
    """Return a copy with one value overridden, as a case file may do.

    Args:
        material: The set to start from.
        key: A key of `KEYS`, or ``custom.…``.
        text: The value with its unit.
        source: Who gave it.
    """
    value = _read_value(key, {"value": text, "source": source}, f"{material.name}.{key}", source)
    return replace(material, values={**material.values, key: value})
