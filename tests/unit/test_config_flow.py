"""How lithium flows in a case: what is resolved, from where, and what is refused in which words."""

import math

import pytest
from pydantic import ValidationError
from ssbmech.build_flow import flow_setup
from ssbmech.config_flow import VALUES, FlowBlock
from ssbmech.errors import CaseError, MaterialError, SsbmechError
from ssbmech.fracture.porz import GAS_CONSTANT
from ssbmech.materials import library
from ssbmech.materials.anand import AnandI, AnandII
from ssbmech.materials.flow import Norton, Plastic
from ssbmech.materials.library import MaterialSet, with_value

LI = library.get("Li")


def setup(temperature=298.0, known=LI, **block):
    return flow_setup(FlowBlock.model_validate(block), known, temperature)


def test_the_default_is_set_II():
    found = setup()
    assert found.law == AnandII(4.25e4, 37e3, 0.15, 0.95e6, 10e6, 2e6, 2.0, 0.05, 298.0)
    assert not found.finite and setup(strain="finite").finite
    assert found.unverified == ()
    assert "(measured)" in found.sources["lithium.anand_II.S0"]
    assert any("Narayan & Anand" in note for note in found.notes)


def test_elastic_constants_go_with_the_set():
    """Set I was fitted with other constants than those of polycrystalline lithium."""
    one, two = setup(law="anand_I"), setup(law="anand_II")
    assert isinstance(one.law, AnandI)
    assert (one.elastic.E, one.elastic.nu) == (5e9, 0.3)
    assert (two.elastic.E, two.elastic.nu) == (7.81e9, 0.38)
    assert "5 GPa" in one.elastic_sources["lithium.anand_I.E"]
    assert "lithium.anand_I.E" not in one.sources
    assert setup(law="norton").elastic is None and setup(law="plastic").elastic is None


def test_norton_at_a_temperature():
    """0.75 MPa drives 1e-3 /s at 298 K, and exp(-Q/RT) of it elsewhere."""
    law = setup(law="norton").law
    assert isinstance(law, Norton) and law.n == 6.6
    assert law.rate(0.75e6) == pytest.approx(1e-3, rel=0.03)  # A is given to two digits
    warm = setup(law="norton", temperature=333.0).law
    factor = math.exp(-37e3 / GAS_CONSTANT * (1 / 333 - 1 / 298))
    assert warm.B / law.B == pytest.approx(factor)


def test_norton_of_the_case():
    found = setup(law="norton", exponent=5.0, prefactor="2e-3 MPa^-5/s", activation_energy="0 eV")
    assert found.law.n == 5.0 and found.law.B == pytest.approx(2e-33, rel=1e-12, abs=0.0)
    assert found.sources["lithium.flow.prefactor"] == "2e-3 MPa^-5/s: given in the case"
    per_ion = setup(law="norton", activation_energy="0.4 eV").law
    per_mole = setup(law="norton", activation_energy=f"{0.4 * 96.48533212} kJ/mol").law
    assert per_ion.B == pytest.approx(per_mole.B, rel=1e-6, abs=0.0)


def test_values_of_the_case_come_first():
    found = setup(initial_resistance="1.5 MPa", saturation_exponent=0.1)
    assert found.law.S0 == 1.5e6 and found.law.n_s == 0.1 and found.law.H0 == 10e6
    assert found.sources["lithium.flow.initial_resistance"] == "1.5 MPa: given in the case"
    assert "lithium.anand_II.S0" not in found.sources


def test_plastic_of_bulk_of_a_size_and_given():
    assert setup(law="plastic").law == Plastic(0.75e6)
    small = setup(law="plastic", diameter="1.39 um")
    assert small.law.yield_stress == pytest.approx(105e6, rel=0.01)
    assert "lithium.pillar_strength" in small.sources
    assert not any("extrapolated" in note for note in small.notes)
    assert setup(law="plastic", yield_stress="5 MPa", hardening="10 MPa").law == Plastic(5e6, 10e6)


def test_use_beyond_the_data_is_said():
    notes = setup(law="plastic", diameter="100 nm").notes
    assert any("extrapolated" in note and "0.1 µm" in note for note in notes)
    assert any("room temperature" in n and "360 K" in n
               for n in setup(law="anand_I", temperature=360.0).notes)  # fmt: skip
    assert any("-25 to 125 degC" in n for n in setup(law="norton", temperature=430.0).notes)
    assert not any("used at" in n for n in setup(law="norton", temperature=330.0).notes)


def test_unverified_values_are_named():
    entry = {"value": "0.9 MPa", "source": "recalled", "standing": "recalled"}
    shaky = library._read_value("anand_II.S0", entry, "x", "x")
    known = MaterialSet("Li", "", "lithium", {**LI.values, "anand_II.S0": shaky})
    assert setup(known=known).unverified == ("Li.anand_II.S0",)


def test_own_set():
    """A set of the user with another yield stress."""
    mine = with_value(LI, "yield_stress", "2 MPa", "measured here")
    found = setup(known=mine, law="plastic")
    assert found.law == Plastic(2e6)
    assert "measured here" in found.sources["lithium.yield_stress"]


def test_without_a_set_all_values_are_needed():
    whole = setup(
        known=None, law="norton", exponent=4.0, prefactor="1e-3 MPa^-4/s",
        activation_energy="30 kJ/mol",
    )  # fmt: skip
    assert whole.law.n == 4.0 and whole.elastic is None
    with pytest.raises(MaterialError, match="needs exponent") as caught:
        setup(known=None, law="norton")
    assert caught.value.key == "materials.lithium.flow.exponent"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"law": "creep"}, ["'norton', 'anand_I', 'anand_II' or 'plastic'"]),
        ({"strain": "large"}, ["'small' or 'finite'"]),
        ({"law": "norton", "yield_stress": "1 MPa"},
         ["yield_stress: not a value of the law norton", "exponent, prefactor"]),
        ({"law": "anand_I", "saturation_exponent": 0.1}, ["not a value of the law anand_I"]),
        ({"law": "norton", "exponent": 5.0}, ["prefactor", "MPa^-5/s"]),
        ({"law": "norton", "exponent": 0.5, "prefactor": "1 1/s"}, ["exponent", "equal to 1"]),
        ({"law": "norton", "prefactor": "-1 MPa^-6.6/s"}, ["must be positive", "above 0"]),
        ({"law": "plastic", "yield_stress": "1 MPa", "diameter": "1 um"},
         ["either yield_stress or diameter"]),
        ({"law": "plastic", "yield_stress": "0 MPa"}, ["yield_stress", "above 0 Pa"]),
        ({"law": "plastic", "diameter": "-1 um"}, ["diameter", "above 0 m"]),
        ({"law": "plastic", "diameter": "1"}, ["diameter", "unit is missing"]),
        ({"rate_sensitivity": 1.5}, ["rate_sensitivity", "less than or equal to 1"]),
        ({"hardening_exponent": 0.5}, ["hardening_exponent", "greater than or equal to 1"]),
        ({"activation_energy": "-1 eV"}, ["not negative"]),
        ({"reference_rate": "1 MPa"}, ["reference_rate", "rate"]),
        ({"viscosity": "1 Pa*s"}, ["viscosity"]),
    ],
)  # fmt: skip
def test_blocks_that_are_refused(block, words):
    with pytest.raises(ValidationError) as caught:
        FlowBlock.model_validate(block)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("block", "temperature", "words"),
    [
        ({"law": "norton", "exponent": 5.0, "prefactor": "1 MPa^-6/s"}, 298.0,
         ["materials.lithium.flow.prefactor", "does not fit the exponent 5", "MPa^-5/s"]),
        ({"law": "norton", "prefactor": "1 1/s"}, 298.0, ["does not fit the exponent 6.6"]),
        ({}, 460.0, ["Li is molten", "460 K", "below 453.5 K"]),
        ({}, 0.0, ["temperature", "above 0 K"]),
        ({}, math.nan, ["temperature", "above 0 K"]),
    ],
)  # fmt: skip
def test_setups_that_are_refused(block, temperature, words):
    with pytest.raises(CaseError) as caught:
        setup(temperature, **block)
    for word in words:
        assert word in str(caught.value)


def test_a_set_that_does_not_flow():
    with pytest.raises(SsbmechError, match="has no anand_II"):
        setup(known=library.get("LLZO"))


def test_every_value_belongs_to_a_law():
    fields = set(FlowBlock.model_fields) - {"law", "strain"}
    assert fields == {name for names in VALUES.values() for name in names}
