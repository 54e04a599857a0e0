"""[interphase]: what is resolved, from where, and what is refused in which words."""

import math

import pytest
from pydantic import ValidationError
from ssbmech.build_interphase import interphase_setup, validated, with_values
from ssbmech.config_interphase import VALUES, InterphaseBlock
from ssbmech.errors import CaseError, MaterialError
from ssbmech.interphase.answer import answer, sampled
from ssbmech.interphase.laws import (
    MIEC,
    CurrentDriven,
    MixedControl,
    Parabolic,
    SelfLimiting,
    Stable,
    WindowSource,
)
from ssbmech.interphase.stress import Activation, DrivingForce
from ssbmech.materials import library

LAGP, ARGYRODITE, LLZO = (library.get(n) for n in ("LAGP", "Li6PS5Cl", "LLZO"))
K = {"growth_constant": "1e-20 m^2/s"}
CONDUCTS = {"ionic_conductivity": "1e-6 S/cm", "electronic_conductivity": "1e-8 S/cm"}
VOLUMES = {"electrolyte_molar_volume": "120 cm^3/mol", "lithium_per_formula": 6.0}
MINIMAL = {
    "stable": {},
    "parabolic": K,
    "mixed_control": K | {"reaction_rate": "1e-12 m/s"},
    "self_limiting": K,
    "miec": CONDUCTS | {"reduction_potential": "1.7 V", "expansion": VOLUMES},
    "current_driven": {"current_share": 0.1, "volume_per_lithium": "20 cm^3/mol"},
    "window": CONDUCTS
    | {"reduction_potential": "1.7 V", "oxidation_potential": "2.9 V",
       "volume_per_lithium": "20 cm^3/mol"},
}  # fmt: skip


def block(law, **more):
    return validated({"law": law} | MINIMAL[law] | more)


def setup(law, known=ARGYRODITE, **more):
    return interphase_setup(block(law, **more), known)


def test_every_law_from_its_least():
    kinds = [Stable, Parabolic, MixedControl, SelfLimiting, MIEC, CurrentDriven, WindowSource]
    assert [type(setup(law).law) for law in VALUES] == kinds
    assert list(MINIMAL) == list(VALUES)


@pytest.mark.parametrize("law", VALUES)
def test_resolved_block_is_the_block(law):
    """A case is written back with every default filled in, and must run again."""
    once = block(law, stress={"reaction_energy": "300 kJ/mol"} if law == "parabolic" else None)
    again = InterphaseBlock.model_validate(once.model_dump(exclude_none=True))
    assert again == once


def test_library_values_have_their_source_and_standing():
    found = setup("self_limiting")
    assert found.law.limit == 250e-9
    assert "(measured)" in found.sources["interphase.interphase_thickness"]
    assert found.expansion.volume_change == 0.35
    assert "Li6PS5Cl.reaction_volume_change" in found.unverified
    assert any("10.52%" in note for note in found.notes)  # beyond 5 %
    assert any("an assumption" in note for note in found.notes)
    low, high = found.ranges["volume_change"].low, found.ranges["volume_change"].high
    assert (low, high) == pytest.approx((1.1**3 - 1, 1.15**3 - 1))
    assert setup("parabolic", LAGP).expansion.volume_change == 0.33
    both = {"reference": "electrolyte_and_lithium"}
    assert setup("parabolic", LAGP, expansion=both).expansion.volume_change == -0.19
    none = setup("parabolic", LLZO)
    assert none.expansion.volume_change == 0.0
    assert any("does not push" in note for note in none.notes)


def test_values_of_the_case_come_first():
    found = setup("self_limiting", limit="100 nm", expansion={"volume_change": 0.1})
    assert found.law.limit == 1e-7 and found.expansion.volume_change == 0.1
    assert found.sources["interphase.limit"] == "100 nm: given in the case"
    assert found.unverified == ()
    assert not any("small strain" in n for n in found.notes)
    volumes = VOLUMES | {"product_molar_volume": "150 cm^3/mol"}
    given = setup("miec", expansion=volumes)
    assert given.expansion.volume_change == pytest.approx(0.25)
    assert given.law.volume_per_lithium == pytest.approx(150e-6 / 6, rel=1e-9, abs=0.0)
    mixed = volumes | {"reference": "electrolyte_and_lithium"}
    relative = setup("miec", expansion=mixed)
    assert relative.expansion.volume_change == pytest.approx(150 / 198 - 1)
    assert relative.law.volume_per_lithium == pytest.approx(
        150e-6 / 6, abs=0.0
    )  # the product is the same


def test_temperature():
    warm = {"temperature": "330 K", "activation_energy": "40 kJ/mol",
            "reaction_activation_energy": "60 kJ/mol"}  # fmt: skip
    law = setup("mixed_control", **warm).law
    inverse = (1 / 330 - 1 / 298.15) / 8.314462618
    assert law.k == pytest.approx(1e-20 * math.exp(-40e3 * inverse), rel=1e-9, abs=0.0)
    assert law.k_s == pytest.approx(1e-12 * math.exp(-60e3 * inverse), rel=1e-9, abs=0.0)
    cold = setup("parabolic", temperature="280 K")
    assert cold.law.k == 1e-20
    assert any("no activation_energy" in n and "280 K" in n for n in cold.notes)
    conduct = setup("miec", temperature="330 K", conductivity_activation_energy="0.4 eV",
                    reaction_resistance="10 ohm*cm^2",
                    reaction_activation_energy="0.6 eV")  # fmt: skip
    assert conduct.ionic > 1e-4 and conduct.law.ionic_conductivity == conduct.ionic
    assert conduct.law.reaction_resistance < 1e-3


def test_coupling():
    force = setup("miec", stress={}).coupling
    assert isinstance(force, DrivingForce)
    assert force.energy == pytest.approx(6 * 96485.332 * 1.7) and force.molar_volume == 120e-6
    given = setup("parabolic", expansion=VOLUMES, stress={"reaction_energy": "3 eV"}).coupling
    assert given.energy == pytest.approx(3 * 96485.332)
    barrier = {"coupling": "activation", "activation_volume": "5 cm^3/mol"}
    assert setup("mixed_control", stress=barrier).coupling == Activation(5e-6, 298.15)
    with pytest.raises(MaterialError, match=r"reaction_energy.*Give it"):
        setup("parabolic", expansion=VOLUMES, stress={})
    with pytest.raises(MaterialError, match=r"electrolyte_molar_volume"):
        setup("parabolic", stress={"reaction_energy": "3 eV"})


@pytest.mark.parametrize(
    ("law", "more", "words"),
    [
        ("parabolic", {"limit": "3 nm"}, r"limit: not a value of the law parabolic. Allowed: grow"),
        ("stable", K, r"growth_constant: not a value of the law stable. Allowed: none"),
        ("parabolic", {"growth_constant": None}, r"the law parabolic needs growth_constant"),
        ("parabolic", {"growth_constant": "0 m^2/s"}, r"growth_constant.*above 0 m\^2/s"),
        ("parabolic", {"growth_constant": "1e-20"}, r"unit is missing.*diffusivity"),
        ("mixed_control", {"reaction_rate": None}, r"needs reaction_rate"),
        ("miec", {"electronic_conductivity": None}, r"needs electronic_conductivity"),
        ("miec", {"reduction_potential": "-0.1 V"}, r"does not reduce.*above 0 V"),
        ("window", {"reduction_potential": "3 V"}, r"window is reversed.*'3 V'.*'2.9 V'"),
        ("window", {"oxidation_potential": "1.7 V"}, r"window is reversed"),
        ("current_driven", {"current_share": 1.1}, r"less than or equal to 1"),
        ("current_driven", {"reaction_rate": "1 nm/s"}, r"needs growth_constant beside"),
        ("self_limiting", {"limit": "9 nm", "initial_thickness": "10 nm"}, r"beyond the limit"),
        ("parabolic", {"initial_thickness": "-1 nm"}, r"must not be negative.*0 or more"),
        ("parabolic", {"temperature": "0 K"}, r"temperature.*above 0 K"),
        ("parabolic", {"activation_energy": "-1 eV"}, r"not negative"),
        ("parabolic", {"expansion": {"volume_change": -1.0}}, r"greater than -1"),
        ("parabolic", {"expansion": {"electrolyte_molar_volume": "0 cm^3/mol"}}, r"above 0 m\^3"),
        ("parabolic", {"expansion": {"product_molar_volume": "5 cm^3/mol"}}, r"beside it"),
        ("parabolic", {"expansion": {"volume_change": 0.1, "product_molar_volume": "1 m^3/mol",
                                     "electrolyte_molar_volume": "1 m^3/mol"}}, r"give either"),
        ("parabolic", {"expansion": {"normal_share": 2}}, r"less than or equal to 1"),
        ("parabolic", {"expansion": {"volum_change": 2}}, r"unknown key. Did you mean 'volume_ch"),
        ("parabolic", {"growth_konstant": 2}, r"unknown key. Did you mean 'growth_constant'"),
        ("parabolic", {"stress": {"coupling": "activation"}}, r"needs an activation_volume"),
        ("parabolic", {"stress": {"coupling": "activation", "activation_volume": "1 cm^3/mol"}},
         r"transport alone controls.*driving_force, or give reaction_rate"),
        ("miec", {"stress": {"coupling": "activation", "activation_volume": "1 cm^3/mol"}},
         r"the reaction does not resist"),
        ("parabolic", {"stress": {"reaction_energy": "0 eV"}}, r"must be positive"),
        ("stable", {"stress": {}}, r"nothing grows"),
        ("current_driven", {"stress": {}}, r"charge alone"),
        ("parabolic", {"ranges": {"foo": ["1", "2"]}}, r"ranges.foo: no such value. Allowed: init"),
        ("parabolic", {"ranges": {"limit": ["2 nm", "1 nm"]}}, r"is reversed. Allowed: low"),
        ("parabolic", {"ranges": {"limit": ["2 nm"]}}, r"1 values. Allowed: low and high"),
        ("parabolic", {"ranges": {"limit": ["2 Pa", "3 Pa"]}}, r"ranges.limit: .*pressure"),
        ("parabolic", {"ranges": {"volume_change": ["a", "b"]}}, r"ranges.volume_change"),
    ],
)  # fmt: skip
def test_refused(law, more, words):
    data = {k: v for k, v in ({"law": law} | MINIMAL[law] | more).items() if v is not None}
    with pytest.raises(CaseError, match=words) as caught:
        validated(data)
    assert str(caught.value).startswith("interphase")


def test_calibration_is_a_fit():
    fit = {"start": "140 ohm*cm^2", "times": ["48 h"], "resistances": ["2000 ohm*cm^2"]}
    base = {"law": "parabolic", "calibration": fit}
    with pytest.raises(CaseError, match="needs the ionic_conductivity"):
        validated(base)
    with pytest.raises(CaseError, match="either growth_constant or calibration"):
        validated(base | K | CONDUCTS)
    with pytest.raises(CaseError, match="does not exceed the start"):
        validated(base | CONDUCTS | {"calibration": fit | {"resistances": ["100 ohm*cm^2"]}})
    with pytest.raises(CaseError, match="2 times and 1 resistances"):
        validated(base | CONDUCTS | {"calibration": fit | {"times": ["1 h", "48 h"]}})
    found = interphase_setup(validated(base | CONDUCTS), None)
    assert found.calibration.slope * 1e4 * 60 == pytest.approx(268.47, abs=0.01)
    assert any("268.5 Ω cm²/h^0.5" in n and "calibration" in n for n in found.notes)


def test_expansion_beyond_small_strain():
    with pytest.raises(CaseError, match=r"growth strain 25.99%.*up to 20%.*finite"):
        setup("parabolic", expansion={"volume_change": 1.0})
    finite = setup("parabolic", expansion={"volume_change": 1.0, "strain": "finite"})
    assert finite.finite and finite.expansion.normal == pytest.approx(0.26, abs=1e-3)


def test_layer_thicker_than_the_electrolyte():
    found = setup("parabolic", expansion={"volume_change": 0.25}, initial_thickness="10 um")
    found.check_thickness(10e-6, 9e-6)  # 8 um of electrolyte are used up
    with pytest.raises(CaseError, match=r"uses up 8 µm of layer sse.*below 8.75 µm") as caught:
        found.check_thickness(10e-6, 7e-6, where="layer sse")
    assert caught.value.key == "interphase.initial_thickness"


def test_missing_values_are_told():
    with pytest.raises(MaterialError, match=r"interphase.limit.*Give limit"):
        interphase_setup(block("self_limiting"), None)
    with pytest.raises(MaterialError, match=r"volume_per_lithium.*lithium_per_formula"):
        setup("miec", expansion={})
    with pytest.raises(MaterialError, match="no interphase_thickness"):
        setup("self_limiting", LLZO)
    with pytest.raises(CaseError, match=r"beyond its limit at the start.*at most 0.25 µm"):
        setup("self_limiting", initial_thickness="300 nm")


def test_other_values_for_the_sampling():
    first = block(
        "self_limiting",
        ranges={"growth_constant": ["1e-21 m^2/s", "1e-19 m^2/s"], "volume_change": [0.3, 0.4]},
    )
    found = interphase_setup(first, ARGYRODITE)
    assert found.ranges["volume_change"].high == 0.4
    assert found.ranges["growth_constant"].scale == "log"
    other = interphase_setup(
        with_values(first, {"growth_constant": 3e-20, "volume_change": 0.4, "limit": 2e-7}),
        ARGYRODITE,
    )
    assert (other.law.k, other.law.limit) == pytest.approx((3e-20, 2e-7), rel=1e-15, abs=0.0)
    assert other.expansion.volume_change == 0.4
    with pytest.raises(CaseError, match="growth_constant"):
        with_values(first, {"growth_constant": -1.0})
    with pytest.raises(ValidationError):
        InterphaseBlock.model_validate({"law": "nothing"})


# -- the answer without a mesh ---------------------------------------------------------------------


def test_answer_of_the_command():
    a = answer(
        {"law": "self_limiting", "growth_constant": "1e-19 m^2/s",
         "ionic_conductivity": "1e-6 S/cm", "expansion.volume_change": 0.3},
        ["1 h", "48 h", 1e9], material="Li6PS5Cl", E="30 GPa", nu=0.3,
    )  # fmt: skip
    assert a.thickness[-1] == pytest.approx(250e-9, rel=1e-9, abs=0.0)
    assert a.resistance[-1] == pytest.approx(250e-9 / 1e-4)
    strain = 1.3 ** (1 / 3) - 1
    text = a.text()
    assert f"{strain:.4f} in the plane" in text and "48 h" in text and "25 Ω cm²" in text
    assert a.as_dict()["film_stress"] == pytest.approx(-30e9 * strain / 0.7)
    assert "source: interphase.interphase_thickness" in text


def test_answer_under_stress_and_without_what_it_needs():
    values = {"law": "miec", "reduction_potential": "1.7 V", **CONDUCTS, "expansion": VOLUMES}
    free = answer(values, ["10 h"], material="LAGP").thickness[0]
    stressed = values | {"stress": {}}
    with pytest.raises(CaseError, match="give the stiffness"):
        answer(stressed, ["10 h"], material="LAGP")
    slow = answer(stressed, ["10 h"], material="LAGP", E="60 GPa").thickness[0]
    e = 1.33 ** (1 / 3) - 1
    factor = 1 - 60e9 * e * e / 0.7 * 120e-6 / (6 * 96485.332 * 1.7)
    assert slow == pytest.approx(free * math.sqrt(factor), rel=1e-9, abs=0.0)
    with pytest.raises(CaseError, match="from 0 s on"):
        answer(values, [-1.0], material="LAGP")
    with pytest.raises(MaterialError, match="unknown material"):
        answer(values, [1.0], material="LAGB")


def test_sampled_answer(tmp_path):
    values = {"law": "parabolic", "growth_constant": "1e-20 m^2/s", "ionic_conductivity": "1 S/m",
              "ranges.growth_constant": ["1e-21 m^2/s", "1e-19 m^2/s"]}  # fmt: skip
    table = sampled(values, ["48 h"], 64, tmp_path / "s.csv", material="LAGP", show=False)
    spread = table.spread("thickness")
    middle = answer(values, ["48 h"], material="LAGP").thickness[0]
    assert spread.median == pytest.approx(middle, rel=0.05)  # the logarithmic middle of the range
    assert spread.high / spread.low == pytest.approx(10 ** (0.9 * 2 / 2), rel=0.05)
    assert next(iter(spread.influence)) == "growth_constant"
    assert set(table.answers) == {"thickness", "resistance"}
