"""Text with a unit → SI float, with the dimension checked.

Common units are parsed here from a small table, because importing pint costs more than most
commands of this package do. A unit name that is not in the table is looked up in pint, name by
name: pint never sees the user's whole text, so nothing but unit names reaches it.
"""

from __future__ import annotations

import math
import re
from functools import cache

from ssbmech.errors import UnitError, nearest
from ssbmech.units_table import (
    BASE_SYMBOLS,
    DIMENSIONS,
    NONE,
    UNIT_TABLE,
    Dimension,
    Exponents,
)

__all__ = [
    "DIMENSIONS",
    "NONE",
    "UNIT_TABLE",
    "Dimension",
    "Exponents",
    "combine",
    "describe",
    "dimension_of",
    "normalise",
    "parse",
    "quantity",
    "same_dimension",
    "scale",
    "show",
    "unit_factor",
]

_MAX_EXPONENT = 24.0
_MAX_TEXT = 200

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
        for symbol, power in zip(BASE_SYMBOLS, exponents, strict=True)
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
