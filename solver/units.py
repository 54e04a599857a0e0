"""Text with a unit → SI float, with the dimension checked.

Common units are parsed here from a small table, because importing pint costs more than most
commands of this package do. A unit name that is not in the table is looked up in pint, name by
name: pint never sees the user's whole text, so nothing but unit names reaches it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from ssbmech.errors import UnitError, nearest

#: Exponents of (length, mass, time, temperature, current, amount, angle).
Exponents = tuple[float, float, float, float, float, float, float]

NONE: Exponents = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_BASE_SYMBOLS = ("m", "kg", "s", "K", "A", "mol", "rad")
_MAX_EXPONENT = 24.0
_MAX_TEXT = 200


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

_OFFSET_UNITS = {"degC": 273.15, "celsius": 273.15}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_REPLACEMENTS = (
    ("°C", "degC"), ("℃", "degC"), ("°", "deg"), ("µ", "u"), ("μ", "u"), ("Ω", "ohm"), ("Ω", "ohm"),
    ("·", "*"), ("⋅", "*"), ("×", "*"), ("−", "-"), ("–", "-"), ("**", "^"), ("½", "^0.5"),
    ("Å", "angstrom"),
)  # fmt: skip


def normalise(text: str) -> str:
    """Return the text in plain ASCII notation: ``"1 MPa·√m"`` → ``"1 MPa*m^0.5"``."""
    for old, new in _REPLACEMENTS:
        text = text.replace(old, new)
    text = re.sub(r"√\(?([A-Za-z]+)\)?", r"*\1^0.5", text)
    text = re.sub(r"\*\s*\*", "*", text)
    text = re.sub(r"(\d)\s*\*\s*([A-Za-z]+\^0\.5)", r"\1 \2", text)
    return re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda match: "^" + match.group().translate(_SUPERSCRIPTS), text
    )


def describe(exponents: Exponents) -> str:
    """Return base units as text, for messages: ``"kg*m^-1*s^-2"``, or ``"dimensionless"``."""
    parts = [
        symbol if power == 1.0 else f"{symbol}^{power:g}"
        for symbol, power in zip(_BASE_SYMBOLS, exponents, strict=True)
        if power
    ]
    same = [d.name for d in DIMENSIONS.values() if same_dimension(d.exponents, exponents)]
    text = "*".join(parts) or "dimensionless"
    return f"{same[0]} ({text})" if same and parts else text


def same_dimension(a: Exponents, b: Exponents) -> bool:
    """Return whether two dimensions agree (exponents may come from roots)."""
    return all(abs(x - y) < 1e-9 for x, y in zip(a, b, strict=True))


def dimension_of(name: str) -> Dimension:
    """Return the dimension of that name.

    Raises:
        UnitError: If there is none.
    """
    try:
        return DIMENSIONS[name]
    except KeyError:
        raise UnitError("unknown dimension", value=name, hint=nearest(name, DIMENSIONS)) from None


def unit_factor(name: str, *, key: str = "") -> tuple[float, Exponents]:
    """Return the factor to SI and the exponents of one unit name.

    Args:
        name: One unit, such as ``"MPa"``; looked up in the table, then in pint.
        key: Where it stands, for messages.

    Raises:
        UnitError: If neither knows it, or if it has an offset (degC).
    """
    known = UNIT_TABLE.get(name)
    if known is not None:
        return known
    if name in _OFFSET_UNITS:
        raise UnitError(
            "a Celsius temperature stands alone: it cannot be part of a product or formula",
            key=key,
            value=name,
            hint="Use kelvin there",
        )
    found = _from_pint(name)
    if found is None:
        hint = nearest(name, UNIT_TABLE)
        if hint.startswith("Known"):  # the whole table would drown the message
            hint = "Common units: nm, um, mm, m, Pa, MPa, GPa, MPa*m^0.5, mV, V, K, degC, s, mA"
        raise UnitError("unknown unit", key=key, value=name[:40], hint=hint)
    return found


@cache
def _from_pint(name: str) -> tuple[float, Exponents] | None:
    """Return a unit from pint, or None if pint is missing or does not know a plain unit there."""
    if name == "pi" or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name):
        return None
    try:
        registry = _registry()
        unit = registry.parse_units(name)
        zero = registry.Quantity(0.0, unit).to_base_units().magnitude
        one = registry.Quantity(1.0, unit).to_base_units()
        if zero != 0.0:  # an offset unit other than degC
            return None
        names = ("length", "mass", "time", "temperature", "current", "substance")
        powers = {k.strip("[]"): float(v) for k, v in one.dimensionality.items()}
        if set(powers) - set(names):
            return None
        factor = float(one.magnitude)
        angle = 1.0 if str(one.units) == "radian" else 0.0
    except Exception:  # pint raises many types, some of them not its own
        return None
    values = [powers.get(n, 0.0) for n in names]
    return factor, (values[0], values[1], values[2], values[3], values[4], values[5], angle)


@cache
def _registry():
    import pint

    return pint.UnitRegistry()


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*|%)|(?P<op>[-+*/^()]))",
    re.ASCII,
)


class _UnitParser:
    """Recursive descent over ``unit (('*'|'/'|' ') unit)*`` with powers and parentheses."""

    def __init__(self, text: str, key: str, given: object) -> None:
        self.key, self.given, self.depth = key, given, 0
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise self.error(f"cannot read {text[at:].strip()[:20]!r} as a unit")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        self.at = 0

    def error(self, message: str) -> UnitError:
        return UnitError(message, key=self.key, value=self.given, allowed="such as 'MPa*m^0.5'")

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, text: str) -> bool:
        if self.peek() == ("op", text):
            self.at += 1
            return True
        return False

    def parse(self) -> tuple[float, Exponents]:
        result = self.product()
        if self.peek()[0] != "end":
            raise self.error(f"{self.peek()[1]!r} is out of place in the unit")
        return result

    def product(self) -> tuple[float, Exponents]:
        factor, exponents = self.power()
        while True:
            sign = 1.0
            if self.take("/"):
                sign = -1.0
            elif not self.take("*") and self.peek()[0] != "name" and self.peek() != ("op", "("):
                return factor, exponents
            f, e = self.power()
            factor, exponents = factor * f**sign, combine(exponents, e, sign)
            if not 0.0 < factor < math.inf:
                raise self.error("the unit is out of the range of numbers")

    def power(self) -> tuple[float, Exponents]:
        kind, text = self.peek()
        self.at += 1
        self.depth += 1
        if self.depth > 40:
            raise self.error("the unit has too many parentheses")
        if kind == "name" and text == "sqrt" and self.peek() == ("op", "("):
            factor, exponents = self.power()
            factor, exponents = math.sqrt(factor), combine(NONE, exponents, 0.5)
        elif kind == "name":
            factor, exponents = unit_factor(text, key=self.key)
        elif kind == "number" and float(text) == 1.0:  # "1/K"
            factor, exponents = 1.0, NONE
        elif (kind, text) == ("op", "("):
            factor, exponents = self.product()
            if not self.take(")"):
                raise self.error("a parenthesis is not closed")
        else:
            raise self.error("a unit is missing" if kind == "end" else f"{text!r} is no unit")
        self.depth -= 1
        if self.take("^"):
            power = self.exponent()
            try:
                factor = factor**power
            except OverflowError:
                raise self.error("the unit is out of the range of numbers") from None
            exponents = combine(NONE, exponents, power)
        if not 0.0 < factor < math.inf:
            raise self.error("the unit is out of the range of numbers")
        return factor, exponents

    def exponent(self) -> float:
        closing = self.take("(")
        sign = -1.0 if self.take("-") else 1.0
        kind, text = self.peek()
        if kind != "number":
            raise self.error("'^' needs a number after it")
        self.at += 1
        value = float(text)
        if closing and self.take("/"):  # m^(1/2)
            kind, text = self.peek()
            if kind != "number" or float(text) == 0.0:
                raise self.error("'^' needs a number after it")
            self.at += 1
            value /= float(text)
        if closing and not self.take(")"):
            raise self.error("a parenthesis is not closed")
        if value > _MAX_EXPONENT:
            raise self.error(f"an exponent above {_MAX_EXPONENT:g} is refused")
        return sign * value


def combine(a: Exponents, b: Exponents, factor: float) -> Exponents:
    """Return the exponents ``a + factor * b``."""
    c = [x + factor * y for x, y in zip(a, b, strict=True)]
    return (c[0], c[1], c[2], c[3], c[4], c[5], c[6])


def scale(number: float, factor: float) -> float:
    """Return ``number * factor``, rounded once where the factor is one over a whole number.

    ``10 um`` is then exactly the double nearest to 1e-5, as ``1e-5 m`` is.
    """
    if factor < 1.0:
        inverse = 1.0 / factor
        if inverse < 1e15 and abs(inverse - round(inverse)) <= 1e-12 * inverse:
            return number / round(inverse)
    return number * factor


_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(.*)", re.ASCII | re.DOTALL)


def parse(text: str, *, key: str = "") -> tuple[float, Exponents, str]:
    """Read a number with any unit.

    Args:
        text: Such as ``"1 MPa*m^0.5"``. No unit means dimensionless.
        key: Where it stands, for messages.

    Returns:
        Value [SI], exponents, and the unit as text.

    Raises:
        UnitError: If it cannot be read.
    """
    if not isinstance(text, str):
        raise UnitError("a text with a unit is needed", key=key, value=text, allowed="'10 um'")
    plain = normalise(text)
    match = _NUMBER.fullmatch(plain) if len(plain) <= _MAX_TEXT else None
    if match is None:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise UnitError(
            "this is not a number with a unit", key=key, value=shown, allowed="such as '10 um'"
        )
    number, unit = float(match.group(1)), match.group(2).strip()
    if unit.startswith("*"):
        unit = unit[1:].strip()
    if unit in _OFFSET_UNITS:
        value, exponents = number + _OFFSET_UNITS[unit], DIMENSIONS["temperature"].exponents
    elif unit.startswith("/"):
        factor, exponents = _UnitParser("1" + unit, key, text).parse()
        value = scale(number, factor)
    elif unit:
        factor, exponents = _UnitParser(unit, key, text).parse()
        value = scale(number, factor)
    else:
        value, exponents = number, NONE
    if not math.isfinite(value):
        raise UnitError("the number is not finite", key=key, value=text)
    return value, exponents, unit


def quantity(text: str | float, dimension: str, *, key: str = "") -> float:
    """Return the SI value of a text with a unit.

    Args:
        text: Such as ``"10 µm"``; a bare number only where ``dimension`` is dimensionless.
        dimension: A name of `DIMENSIONS`.
        key: Where it stands in the case file, for messages.

    Returns:
        The value in the SI unit of the dimension.

    Raises:
        UnitError: If the unit is missing, unknown or of another dimension.
    """
    want = dimension_of(dimension)
    allowed = f"{dimension.replace('_', ' ')}, such as '{want.example}'"
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise UnitError("a text with a unit is needed", key=key, value=text, allowed=allowed)
    if not isinstance(text, str):
        try:
            value = float(text)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise UnitError("the number is not finite", key=key, value=str(text)[:20])
        if want.exponents != NONE:
            raise UnitError("the unit is missing", key=key, value=text, allowed=allowed)
        return value
    value, exponents, unit = parse(text, key=key)
    if not same_dimension(exponents, want.exponents):
        if not unit:
            raise UnitError("the unit is missing", key=key, value=text, allowed=allowed)
        raise UnitError(
            f"the unit has the dimension {describe(exponents)}",
            key=key,
            value=text,
            allowed=allowed,
        )
    if dimension == "temperature" and value < 0.0:
        raise UnitError("below absolute zero", key=key, value=text, allowed="0 K or more")
    if dimension == "temperature_difference" and unit in _OFFSET_UNITS:
        raise UnitError(
            "a temperature difference in degC is ambiguous",
            key=key,
            value=text,
            allowed="'20 K' or '20 delta_degC'",
        )
    return value


#: Habitual units per dimension: (upper bound of |value| in SI, unit text, SI value of the unit).
_HABITUAL: dict[str, tuple[tuple[float, str, float], ...]] = {
    "length": ((1e-7, "nm", 1e-9), (1e-3, "µm", 1e-6), (1.0, "mm", 1e-3), (math.inf, "m", 1.0)),
    "pressure": (
        (1e3, "Pa", 1.0), (1e5, "kPa", 1e3), (5e9, "MPa", 1e6), (math.inf, "GPa", 1e9)),
    "potential": ((1e-3, "µV", 1e-6), (1.0, "mV", 1e-3), (math.inf, "V", 1.0)),
    "toughness": ((math.inf, "MPa√m", 1e6),),
    "energy_release": ((math.inf, "J/m²", 1.0),),
    "molar_volume": ((math.inf, "cm³/mol", 1e-6),),
    "molar_energy": ((math.inf, "kJ/mol", 1e3),),
    "density": ((math.inf, "g/cm³", 1e3),),
    "conductivity": ((math.inf, "S/cm", 1e2),),
    "current_density": ((math.inf, "mA/cm²", 10.0),),
    "area_specific_resistance": ((math.inf, "Ω cm²", 1e-4),),
    "angle": ((math.inf, "deg", math.pi / 180.0),),
    "temperature": ((math.inf, "K", 1.0),),
}  # fmt: skip


def show(value: float, dimension: str, *, digits: int = 4) -> str:
    """Return a value in the unit the field habitually uses, for tables.

    Args:
        value: Value in SI.
        dimension: A name of `DIMENSIONS`.
        digits: Significant digits.

    Returns:
        Such as ``"178.4 MPa"``, ``"44.43 nm"``, ``"1 MPa√m"``. Pressures from 5 GPa on,
        which are moduli, are shown in GPa.
    """
    want = dimension_of(dimension)
    size = abs(value)
    if value == 0.0 or not math.isfinite(value):
        rows = _HABITUAL.get(dimension)
        return f"{value:g} {rows[-1][1] if rows else want.unit}".strip()
    for bound, unit, factor in _HABITUAL.get(dimension, ((math.inf, want.unit, 1.0),)):
        # rounding decides the row: 0.99999 mm is "1 mm", not "1000 µm"
        if float(f"{size:.{digits}g}") < bound or bound == math.inf:
            return f"{_plain(value / factor, digits)} {unit}".strip()
    raise AssertionError("unreachable: the last row is unbounded")


def _plain(value: float, digits: int) -> str:
    """Return a number without exponent from 1e-3 to 1e5, as people write it in tables."""
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-3 <= abs(value) < 1e5:
        return f"{float(text):.0f}"
    return text
