"""Dimensions that a key of a case can have, and the units known without pint."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Exponents of (length, mass, time, temperature, current, amount, angle).
Exponents = tuple[float, float, float, float, float, float, float]

NONE: Exponents = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
#: Symbols of the base units, in the order of the exponents.
BASE_SYMBOLS = ("m", "kg", "s", "K", "A", "mol", "rad")


def _exponents(m=0.0, kg=0.0, s=0.0, K=0.0, A=0.0, mol=0.0, rad=0.0) -> Exponents:
    return (float(m), float(kg), float(s), float(K), float(A), float(mol), float(rad))


@dataclass(frozen=True)
class Dimension:
    """A physical dimension that a key of the case file can have.

    Attributes:
        name: Name used in code and messages.
        exponents: Exponents of the SI base units.
        unit: SI unit as text.
        example: A text that is accepted.
    """

    name: str
    exponents: Exponents
    unit: str
    example: str


def _dimension(name: str, unit: str, example: str, **exponents: float) -> Dimension:
    return Dimension(name, _exponents(**exponents), unit, example)


DIMENSIONS: dict[str, Dimension] = {
    d.name: d
    for d in (
        _dimension("dimensionless", "", "0.3"),
        _dimension("angle", "rad", "30 deg", rad=1),
        _dimension("length", "m", "10 um", m=1),
        _dimension("area", "m^2", "5 um^2", m=2),
        _dimension("volume", "m^3", "5 um^3", m=3),
        _dimension("time", "s", "60 s", s=1),
        _dimension("rate", "1/s", "1e-3 1/s", s=-1),
        _dimension("velocity", "m/s", "1 nm/s", m=1, s=-1),
        _dimension("mass", "kg", "1 g", kg=1),
        _dimension("density", "kg/m^3", "5.1 g/cm^3", kg=1, m=-3),
        _dimension("temperature", "K", "298 K", K=1),
        _dimension("temperature_difference", "K", "20 K", K=1),
        _dimension("expansion", "1/K", "1.3e-5 1/K", K=-1),
        _dimension("force", "N", "10 N", kg=1, m=1, s=-2),
        _dimension("force_density", "N/m^3", "1 N/m^3", kg=1, m=-2, s=-2),
        _dimension("pressure", "Pa", "1 MPa", kg=1, m=-1, s=-2),
        _dimension("pressure_gradient", "Pa/m", "1 MPa/mm", kg=1, m=-2, s=-2),
        _dimension("toughness", "Pa*m^0.5", "1 MPa*m^0.5", kg=1, m=-0.5, s=-2),
        _dimension("energy_release", "J/m^2", "5 J/m^2", kg=1, s=-2),
        _dimension("energy", "J", "1 J", kg=1, m=2, s=-2),
        _dimension("molar_energy", "J/mol", "37 kJ/mol", kg=1, m=2, s=-2, mol=-1),
        _dimension("molar_volume", "m^3/mol", "13 cm^3/mol", m=3, mol=-1),
        _dimension("molar_mass", "kg/mol", "6.94 g/mol", kg=1, mol=-1),
        _dimension("concentration", "mol/m^3", "1 mol/m^3", mol=1, m=-3),
        _dimension("diffusivity", "m^2/s", "5.7e-15 m^2/s", m=2, s=-1),
        _dimension("viscosity", "Pa*s", "1e15 Pa*s", kg=1, m=-1, s=-1),
        _dimension("potential", "V", "30 mV", kg=1, m=2, s=-3, A=-1),
        _dimension("current", "A", "1 mA", A=1),
        _dimension("current_density", "A/m^2", "1 mA/cm^2", A=1, m=-2),
        _dimension("conductivity", "S/m", "0.46 mS/cm", kg=-1, m=-3, s=3, A=2),
        _dimension("resistance", "ohm", "10 ohm", kg=1, m=2, s=-3, A=-2),
        _dimension("area_specific_resistance", "ohm*m^2", "5 ohm*cm^2", kg=1, m=4, s=-3, A=-2),
        _dimension("specific_capacity", "C/kg", "3862 mA*h/g", A=1, s=1, kg=-1),
        _dimension("areal_capacity", "C/m^2", "3 mA*h/cm^2", A=1, s=1, m=-2),
    )
}

_PREFIXES = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


def _build_table() -> dict[str, tuple[float, Exponents]]:
    """Return the units known without pint: name → (factor to SI, exponents)."""
    of = {name: d.exponents for name, d in DIMENSIONS.items()}
    prefixed = {
        "m": (1.0, of["length"], "p n u m k"),
        "g": (1e-3, of["mass"], "u m k"),
        "s": (1.0, of["time"], "n u m"),
        "K": (1.0, of["temperature"], "m"),
        "A": (1.0, of["current"], "n u m k"),
        "mol": (1.0, _exponents(mol=1), "u m k"),
        "rad": (1.0, of["angle"], "m"),
        "N": (1.0, of["force"], "n u m k M"),
        "Pa": (1.0, of["pressure"], "m k M G"),
        "J": (1.0, of["energy"], "n u m k M"),
        "V": (1.0, of["potential"], "u m k"),
        "W": (1.0, _exponents(kg=1, m=2, s=-3), "u m k"),
        "C": (1.0, _exponents(A=1, s=1), "u m k"),
        "S": (1.0, _exponents(kg=-1, m=-2, s=3, A=2), "n u m"),
        "ohm": (1.0, of["resistance"], "m k M"),
    }
    table: dict[str, tuple[float, Exponents]] = {}
    for symbol, (factor, exponents, prefixes) in prefixed.items():
        for prefix in ["", *prefixes.split()]:
            table[prefix + symbol] = (_PREFIXES[prefix] * factor, exponents)
    table["kg"] = (1.0, of["mass"])  # exact, where 1e3 * 1e-3 might not be
    table |= {
        "cm": (1e-2, of["length"]),
        "min": (60.0, of["time"]),
        "h": (3600.0, of["time"]),
        "hour": (3600.0, of["time"]),
        "Ah": (3600.0, _exponents(A=1, s=1)),
        "mAh": (3.6, _exponents(A=1, s=1)),
        "bar": (1e5, of["pressure"]),
        "eV": (1.602176634e-19, of["energy"]),
        "deg": (math.pi / 180.0, of["angle"]),
        "delta_degC": (1.0, of["temperature"]),
        "%": (1e-2, NONE),
        "percent": (1e-2, NONE),
    }
    return table


#: Units known without pint. The test suite compares every entry with pint.
UNIT_TABLE: dict[str, tuple[float, Exponents]] = _build_table()
