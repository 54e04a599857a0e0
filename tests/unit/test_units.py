import math
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ssbmech import units
from ssbmech.errors import UnitError
from ssbmech.units import DIMENSIONS, UNIT_TABLE, parse, quantity, show


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("1 MPa*m^0.5", "toughness", 1e6),
        ("1 MPa*m**0.5", "toughness", 1e6),
        ("1 MPa√m", "toughness", 1e6),
        ("1 MPa·√m", "toughness", 1e6),
        ("1 MPa m^(1/2)", "toughness", 1e6),
        ("1 MPa*sqrt(m)", "toughness", 1e6),
        ("10 um", "length", 1e-5),
        ("10 µm", "length", 1e-5),
        ("10 μm", "length", 1e-5),
        ("10um", "length", 1e-5),
        ("-3.5e1 nm", "length", -3.5e-8),
        ("30 mV", "potential", 0.03),
        ("13 cm^3/mol", "molar_volume", 13e-6),
        ("13 cm³ mol⁻¹", "molar_volume", 13e-6),
        ("210 GPa", "pressure", 210e9),
        ("5 J/m^2", "energy_release", 5.0),
        ("1.3e-5/K", "expansion", 1.3e-5),
        ("1.3e-5 1/K", "expansion", 1.3e-5),
        ("25 degC", "temperature", 298.15),
        ("25 °C", "temperature", 298.15),
        ("298 K", "temperature", 298.0),
        ("20 K", "temperature_difference", 20.0),
        ("180 deg", "angle", math.pi),
        ("2 N/m^3", "force_density", 2.0),
        ("3 %", "dimensionless", 0.03),
        ("0.3", "dimensionless", 0.3),
        (0.3, "dimensionless", 0.3),
        ("0.46 mS/cm", "conductivity", 0.046),
        ("1 mA/cm^2", "current_density", 10.0),
        ("5 ohm*cm^2", "area_specific_resistance", 5e-4),
        ("5 Ω cm²", "area_specific_resistance", 5e-4),
        ("2 kg/(m*s^2)", "pressure", 2.0),
        ("1 inch", "length", 0.0254),  # by pint
        ("1 psi", "pressure", 6894.757293168361),
        ("3 microns", "length", 3e-6),
    ],
)
def test_accepted(text, dimension, value):
    assert quantity(text, dimension) == pytest.approx(value, rel=1e-13)


def test_micrometres_are_the_nearest_double():
    assert quantity("10 um", "length") == 1e-5
    assert quantity("13 cm^3/mol", "molar_volume") == 13e-6


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("10", "length", "unit is missing"),
        (10, "length", "unit is missing"),
        ("10 MPa", "length", "has the dimension pressure"),
        ("10 umm", "length", "Did you mean 'um'"),
        ("10 __class__", "length", "unknown unit"),
        ("-5 K", "temperature", "absolute zero"),
        ("20 degC", "temperature_difference", "ambiguous"),
        ("2 degC/m", "temperature", "stands alone"),
        ("1 m^999", "length", "exponent above"),
        ("9**9**9 m", "length", "no unit"),
        ("1 m/", "length", "a unit is missing"),
        ("1 (m", "length", "not closed"),
        ("", "length", "not a number with a unit"),
        ("nan m", "length", "not a number with a unit"),
        ("inf m", "length", "not a number with a unit"),
        ("1e999 m", "length", "not finite"),
        (float("nan"), "dimensionless", "not finite"),
        (10**400, "dimensionless", "not finite"),
        (True, "dimensionless", "text with a unit is needed"),
        (None, "length", "text with a unit is needed"),
        (["1 m"], "length", "text with a unit is needed"),
        ("30 deg", "dimensionless", "has the dimension angle"),
        ("1 " + "(" * 90 + "m" + ")" * 90, "length", "too many parentheses"),
        ("1 m" + " " * 300, "length", "not a number with a unit"),
    ],
)
def test_refused_with_key_and_example(text, dimension, message):
    with pytest.raises(UnitError, match=message) as info:
        quantity(text, dimension, key="crack.a")
    assert "crack.a" in str(info.value)


def test_wrong_dimension_names_the_expected_one_and_an_example():
    with pytest.raises(UnitError) as info:
        quantity("3 MPa", "toughness", key="crack.K_IC")
    assert "toughness" in info.value.allowed and "1 MPa*m^0.5" in info.value.allowed


def test_unknown_dimension():
    with pytest.raises(UnitError, match="Did you mean 'length'"):
        quantity("1 m", "lenght")


@pytest.mark.parametrize("name", sorted(UNIT_TABLE))
def test_table_agrees_with_pint(name):
    import pint

    registry = pint.UnitRegistry()
    factor, exponents = UNIT_TABLE[name]
    si = registry.Quantity(1.0, registry.parse_units(name)).to(units_si(registry, exponents))
    assert si.magnitude == pytest.approx(factor, rel=1e-12)


def units_si(registry, exponents):
    unit = registry.Unit("")
    names = ("m", "kg", "s", "K", "A", "mol", "rad")
    for symbol, power in zip(names, exponents, strict=True):
        unit = unit * registry.Unit(symbol) ** power
    return unit


@pytest.mark.parametrize("dimension", sorted(DIMENSIONS))
def test_example_and_si_unit_of_every_dimension(dimension):
    d = DIMENSIONS[dimension]
    assert math.isfinite(quantity(d.example, dimension))
    assert quantity(f"1 {d.unit}", dimension) == 1.0


def test_common_units_do_not_import_pint():
    code = (
        "import sys; from ssbmech.units import quantity; quantity('1 MPa*m^0.5', 'toughness');"
        "quantity('10 um', 'length'); sys.exit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.text(max_size=60))
@example("1 " + "(" * 80)
@example("1 m^(1/0)")
@example("1 km^24 km^24")
@example("1 " + "km^24 " * 30)
@example("1 m^24.0^24")
@example("1_000 m")
@example("１ m")
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_number_or_a_unit_error(text):
    for dimension in ("length", "dimensionless"):
        try:
            assert math.isfinite(quantity(text, dimension))
        except UnitError:
            pass


_pieces = st.sampled_from(
    [*UNIT_TABLE, "degC", "sqrt", "(", ")", "*", "/", "^", "-", " ", "0.5", "1", "24", "7e300", "√"]
)


@given(st.floats(allow_nan=False, allow_infinity=False), st.lists(_pieces, max_size=10))
@settings(max_examples=400, deadline=None)
def test_unit_like_text_gives_a_number_or_a_unit_error(number, pieces):
    try:
        value, exponents, _ = parse(f"{number} " + "".join(pieces))
    except UnitError:
        return
    assert math.isfinite(value) and all(math.isfinite(e) for e in exponents)


@given(st.floats(1e-6, 1e6), st.sampled_from(["nm", "um", "mm", "cm", "m", "km"]))
def test_scaling(number, unit):
    assert quantity(f"{number!r} {unit}", "length") == pytest.approx(
        number * UNIT_TABLE[unit][0], rel=1e-14
    )


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (178.4124e6, "pressure", "178.4 MPa"),
        (149.8e9, "pressure", "149.8 GPa"),
        (7.8e9, "pressure", "7.8 GPa"),
        (2.693e9, "pressure", "2693 MPa"),
        (1e-5, "length", "10 µm"),
        (44.4e-9, "length", "44.4 nm"),
        (0.99999e-3, "length", "1 mm"),
        (0.02404, "potential", "24.04 mV"),
        (1e6, "toughness", "1 MPa√m"),
        (6.232, "energy_release", "6.232 J/m²"),
        (13e-6, "molar_volume", "13 cm³/mol"),
        (0.3, "dimensionless", "0.3"),
        (0.0, "pressure", "0 GPa"),
        (math.inf, "potential", "inf V"),
    ],
)
def test_show(value, dimension, text):
    assert show(value, dimension) == text


@given(st.floats(1e-9, 1e-1), st.sampled_from(["length", "pressure", "potential", "toughness"]))
def test_show_round_trip(value, dimension):
    assert quantity(show(value, dimension, digits=12), dimension) == pytest.approx(value, rel=1e-11)


def test_describe():
    assert units.describe(DIMENSIONS["pressure"].exponents).startswith("pressure")
    assert units.describe(units.NONE) == "dimensionless"
