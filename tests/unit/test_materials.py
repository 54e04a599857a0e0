import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssbmech.errors import MaterialError
from ssbmech.materials import library, show
from ssbmech.materials.laws import Elastic
from ssbmech.materials.library import KEYS, STANDINGS, get, load_library, unverified_used

SETS = ("LLZO", "LLZTO", "LPS", "Li6PS5Cl", "LGPS", "LAGP", "LATP", "LLTO", "LiPON", "PEO")


def every_value():
    for material in load_library().values():
        for key, value in material.values.items():
            for v in (value, *value.alternatives):
                yield material, key, v


def test_all_sets_are_there():
    assert set(load_library()) == {"Li", *SETS}
    assert all(get(name).kind == "electrolyte" for name in SETS)
    assert get("Li").kind == "lithium"


def test_every_value_has_unit_source_and_standing():
    for material, key, v in every_value():
        where = f"{material.name}.{key}"
        assert v.source and v.standing in STANDINGS, where
        assert math.isfinite(v.value) and v.band[0] <= v.value <= v.band[1], where
        assert v.given, where
        assert v.unit or KEYS[key] in ("dimensionless", ""), where


def test_recalled_values_are_unverified_and_named():
    llzo = get("LLZO")
    assert not llzo.verified("nu") and not llzo.verified("K_IC") and llzo.verified("E")
    assert not llzo.verified("G_c")  # computed from an unverified toughness
    assert llzo.unverified_used(["E", "nu", "K_IC", "absent"]) == ["LLZO.nu", "LLZO.K_IC"]
    assert unverified_used([(llzo, ["nu"]), (get("Li"), ["E", "self_diffusivity"])]) == [
        "LLZO.nu",
        "Li.self_diffusivity",
    ]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("LLZO", "E", 149.8e9),
        ("LLZO", "ionic_conductivity", 4.6e-2),
        ("LLZTO", "K_IC", 1.51e6),
        ("LPS", "K_IC", 0.23e6),
        ("Li6PS5Cl", "E", 22e9),
        ("LGPS", "E", 37.2e9),
        ("LATP", "strength", 123e6),
        ("PEO", "nu", 0.49),
        ("Li", "molar_volume", 13e-6),
        ("Li", "E", 7.8e9),
        ("Li", "C44", 8.8e9),
        ("Li", "norton.n", 6.6),
        ("Li", "anand_I.H0", 40e6),
        ("Li", "anand_II.A", 4.25e4),
        ("Li", "thickness_per_capacity", 4.85e-6 / 36.0e3),
    ],
)
def test_values_in_si(name, key, value):
    assert get(name)[key].value == pytest.approx(value, rel=1e-12, abs=0)


def test_variants_are_listed_beside_the_default():
    (other,) = get("LLZO")["E"].alternatives
    assert other.value == 132.6e9 and "6 %" in other.note


def test_what_has_no_source_is_left_out():
    for name, key in [("LLZTO", "nu"), ("LGPS", "K_IC"), ("LiPON", "K_IC"), ("Li", "expansion")]:
        with pytest.raises(MaterialError, match="no source was found"):
            get(name)[key]
    assert "borrowed from LPS glass" in get("Li6PS5Cl")["K_IC"].source


def test_middle_of_a_range_says_so():
    assert get("LAGP")["E"].value == 120e9 and "middle of the range" in get("LAGP")["E"].note
    assert get("PEO")["E"].value == pytest.approx(1e7)  # geometric: two decades
    assert get("PEO")["E"].note.startswith("geometric")


def test_computed_values_follow_from_the_others():
    li, faraday, gas = get("Li"), 96485.33212, 8.314462618
    # 1 mol of Li is 6.94 g: from density and capacity, to the digits given
    assert li["specific_capacity"].value == pytest.approx(faraday / 6.94e-3, rel=1e-3)
    assert 6.94e-3 / li["density"].value == pytest.approx(li["molar_volume"].value, rel=1e-3, abs=0)
    per = li["thickness_per_capacity"].value
    assert per == pytest.approx(li["molar_volume"].value / faraday, rel=1e-3, abs=0)
    rct, i0 = li["charge_transfer_resistance"].value, li["exchange_current"].value
    assert i0 == pytest.approx(gas * 298.15 / (faraday * rct), rel=1e-2)
    b = li["norton.A"].value * math.exp(-li["norton.Q"].value / (gas * 298.0))
    # A = 2.0e4 and B = 6.7e-3 have two digits: half a unit of the last is 2.5 % and 0.75 %
    assert b == pytest.approx(li["norton.B_298K"].value, rel=3.25e-2, abs=0)
    assert li["norton.B_298K"].value * (0.75e6) ** 6.6 == pytest.approx(1e-3, rel=1e-2)
    slope = math.log(105 / 15) / math.log(9.45 / 1.39)
    assert li["pillar_exponent"].value == pytest.approx(slope, rel=1e-2)
    c11, c12, c44 = (li[k].value for k in ("C11", "C12", "C44"))
    s11 = (c11 + c12) / ((c11 - c12) * (c11 + 2 * c12))
    s12 = -c12 / ((c11 - c12) * (c11 + 2 * c12))
    assert li["E_100"].value == pytest.approx(1 / s11, rel=0.03)
    e111 = 1 / (s11 - 2 * (s11 - s12 - 0.5 / c44) / 3)
    assert li["E_111"].value == pytest.approx(e111, rel=0.01)


@pytest.mark.parametrize("name", ["LLZO", "LPS"])
def test_energy_release_rate(name):
    s = get(name)
    g = Elastic(s["E"].value, s["nu"].value).energy_release(s["K_IC"].value)
    assert s["G_c"].value == pytest.approx(g, rel=0.01)


@pytest.mark.parametrize("name", ["LPS", "Li6PS5Cl", "LGPS", "LAGP"])
def test_growth_eigenstrain_follows_from_the_volume_change(name):
    s = get(name)
    linear = (1 + s["reaction_volume_change"].value) ** (1 / 3) - 1
    assert s["growth_eigenstrain"].value == pytest.approx(linear, rel=5e-3)
    assert not s.verified("growth_eigenstrain")


def test_groups():
    assert set(get("Li").group("anand_II")) == set("E nu A Q m S0 H0 S_sat a n_s".split())
    assert get("Li").group("anand_I")["rate"].value == 0.05


def test_unknown_names_offer_the_nearest():
    with pytest.raises(MaterialError, match="Did you mean 'LLZO'"):
        get("llzo")
    with pytest.raises(MaterialError, match="Did you mean 'nu'"):
        get("LLZO")["Nu"]


def user(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_user_sets(tmp_path):
    path = user(
        tmp_path,
        '[mine]\nextends = "LLZO"\ntitle = "my pellet"\nE = "140 GPa"\n'
        '[mine.nu]\nvalue = 0.26\nstanding = "measured"\nsource = "my bench"\n'
        '[soft]\nE = "5 GPa"\nnu = 0.3\n"custom.colour" = "3 nm"\n',
    )
    mine = get("mine", path)
    assert mine["E"].value == 140e9 and not mine.verified("E")
    assert mine["E"].source == "mine.toml, no source given"
    assert mine["nu"].value == 0.26 and mine.verified("nu")
    assert mine["K_IC"] == get("LLZO")["K_IC"] and mine.kind == "electrolyte"
    assert get("soft", path)["custom.colour"].value == 3e-9
    assert "mine" not in load_library()


def test_no_silent_shadowing(tmp_path):
    with pytest.raises(MaterialError, match=r"exists already in LLZO\.toml"):
        load_library(user(tmp_path, '[LLZO]\nE = "1 GPa"\n'))
    path = user(tmp_path, '[LLZO]\nreplaces = true\nE = "1 GPa"\n')
    assert get("LLZO", path)["E"].value == 1e9
    assert get("LLZO")["E"].value == 149.8e9
    with pytest.raises(MaterialError, match="no set to replace"):
        load_library(user(tmp_path, '[LLXO]\nreplaces = true\nE = "1 GPa"\n'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[a]\nE = "1 GPa', "not valid TOML"),
        ("a = 3", "must be a table"),
        ('[a]\nE = "1 m"', "has the dimension length"),
        ("[a]\nE = 3", "unit is missing"),
        ('[a]\nE = "-3 GPa"', "must be positive"),
        ("[a]\nnu = 0.5", "Poisson"),
        ('[a]\nK_Ic = "1 MPa*m^0.5"', "Did you mean 'K_IC'"),
        ('[a.E]\nvalue = "1 GPa"\nlow = "2 GPa"', "outside its own range"),
        ('[a.E]\nlow = "2 GPa"', "value is missing"),
        ('[a.E]\nvalue = "2 GPa"\nstanding = "sure"', "unknown standing"),
        ('[a.E]\nvalue = "2 GPa"\nsauce = "x"', "Did you mean 'source'"),
        ('[a.E]\nvalue = "2 GPa"\nsource = 3', "must be a text"),
        ('[a.E]\nvalue = "2 GPa"\nalternatives = 3', "list of tables"),
        ('[a]\nextends = "LLZ"', "extends an unknown set"),
        ('[a]\nkind = "salt"', "lithium"),
        ('[a]\nreplaces = "yes"', "true or false"),
        ('[a]\nC11 = "1 GPa"\nC12 = "2 GPa"\nC44 = "1 GPa"', "C11 must exceed"),
    ],
)
def test_bad_user_files(tmp_path, text, message):
    with pytest.raises(MaterialError, match=message) as info:
        load_library(user(tmp_path, text))
    assert "mine.toml" in str(info.value)


def test_missing_file(tmp_path):
    with pytest.raises(MaterialError, match="cannot read"):
        load_library(tmp_path / "absent.toml")


def test_override():
    s = library.with_value(get("LLZO"), "K_IC", "0.9 MPa*m^0.5", "case file")
    assert s["K_IC"].value == 0.9e6 and not s.verified("K_IC")
    assert get("LLZO")["K_IC"].value == 1e6


@pytest.mark.parametrize("name", ["Li", *SETS])
def test_tables(name):
    out = io.StringIO()
    show.print_set(name, file=out)
    text = out.getvalue()
    assert name in text and "source:" in text
    for key, v in get(name).values.items():
        assert re.search(rf"^{re.escape(key)}\s", text, re.M)
        assert v.standing in text
    assert max(map(len, text.splitlines())) <= 160


def test_list():
    out = io.StringIO()
    show.print_list(file=out)
    assert re.search(r"LLZO +electrolyte +149\.8 GPa +0\.257\* +1 MPa√m\*", out.getvalue())


@pytest.mark.parametrize(
    ("args", "message"),
    [((0.0, 0.3), "positive"), ((-1e9, 0.3), "positive"), ((math.nan, 0.3), "positive"),
     ((1e9, 0.5), "above -1 and below 0.5"), ((1e9, -1.0), "above -1"), ((1e9, math.nan), "above"),
     ((1e9, 0.3, math.inf), "expansion")],
)  # fmt: skip
def test_elastic_refuses(args, message):
    with pytest.raises(MaterialError, match=message):
        Elastic(*args)


@given(st.floats(1e3, 1e12), st.floats(-0.95, 0.495))
def test_elastic_constants(young, nu):
    m = Elastic(young, nu)
    assert m.bulk == pytest.approx(m.lmbda + 2 * m.mu / 3, rel=1e-9, abs=1e-9 * young)
    assert m.mu * (3 * m.lmbda + 2 * m.mu) / (m.lmbda + m.mu) == pytest.approx(young, rel=1e-9)
    assert m.plane_strain_modulus == pytest.approx(
        4 * m.mu * (m.lmbda + m.mu) / (m.lmbda + 2 * m.mu), rel=1e-9
    )
    # plane stress: uniaxial tension gives back E
    ls = m.lmbda_plane_stress
    assert 4 * m.mu * (ls + m.mu) / (ls + 2 * m.mu) == pytest.approx(young, rel=1e-9)
    assert m.effective_modulus("plane_stress") == young
    assert m.effective_modulus("3d") == m.effective_modulus() == m.plane_strain_modulus
    # 8 mu/(kappa + 1) is E' in both models
    for model in ("plane_strain", "plane_stress"):
        assert 8 * m.mu / (m.kolosov(model) + 1) == pytest.approx(m.effective_modulus(model))


def test_elastic_unknown_model():
    with pytest.raises(MaterialError, match="plane_strain"):
        Elastic(1e9, 0.3).effective_modulus("2d")
