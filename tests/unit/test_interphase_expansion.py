"""Volume of a reaction, its split over directions, and where small strain ends."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssbmech.build_interphase import interphase_setup, validated
from ssbmech.errors import CaseError, MaterialError
from ssbmech.interphase.expansion import (
    Expansion,
    linear_strain,
    shared_strain,
    volume_change,
)
from ssbmech.interphase.resistance import calibrate, layer_resistance, stack_resistance
from ssbmech.materials import library

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["LAGP", "LGPS", "Li6PS5Cl", "LPS"])
def test_library_agrees_with_itself(name):
    """The linear strain of the library is that of its volume change."""
    known = library.get(name)
    if "growth_eigenstrain" not in known.values:
        pytest.skip("no linear strain there")
    assert linear_strain(known["reaction_volume_change"].value) == pytest.approx(
        known["growth_eigenstrain"].value, abs=1e-3
    )


@given(st.floats(-0.9, 3.0), st.floats(0.0, 1.0))
def test_every_split_conserves_the_volume(change, share):
    e = Expansion(change, share)
    assert (1 + e.normal) * (1 + e.in_plane) ** 2 - 1 == pytest.approx(change, abs=1e-12)
    normal = np.array([0.6, 0.0, 0.8])
    assert np.linalg.det(e.gradient(normal)) - 1 == pytest.approx(change, abs=1e-11)


@given(st.floats(-0.5, 1.0), st.floats(0, 1), st.floats(0, 1))
def test_three_shares(change, a, b):
    shares = (a, (1 - a) * b, (1 - a) * (1 - b))
    assert np.prod(1 + shared_strain(change, shares)) - 1 == pytest.approx(change, abs=1e-12)


def test_isotropic_and_one_sided():
    assert Expansion(0.331).normal == pytest.approx(0.1) == pytest.approx(Expansion(0.331).in_plane)
    along = Expansion(0.331, 1.0)
    assert (along.normal, along.in_plane) == (pytest.approx(0.331), 0.0)
    tensor = along.tensor(np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    assert tensor.shape == (2, 3, 3) and tensor[1] == pytest.approx(np.diag([0, 0, 0.331]))
    assert Expansion(0.331).tensor([0, 1.0, 0]) == pytest.approx(0.1 * np.eye(3))
    assert Expansion(0.25).consumed(5e-7) == pytest.approx(4e-7, rel=1e-9, abs=0.0)


def test_volumes():
    """Reference: the electrolyte, or electrolyte and lithium (13 cm^3/mol)."""
    assert volume_change(1.2e-4, 1.5e-4, 6) == pytest.approx(0.25)
    assert volume_change(1.2e-4, 1.5e-4, 6, with_lithium=True) == pytest.approx(150 / 198 - 1)
    for bad in ((0.0, 1e-4, 6), (1e-4, 0.0, 6), (1e-4, 1e-4, 0.0), (-1e-4, 1e-4, 1)):
        with pytest.raises(CaseError, match=r"expansion\.\w+: must be positive.*above 0"):
            volume_change(*bad)
    with pytest.raises(CaseError, match="sum to one"):
        shared_strain(0.1, (0.5, 0.5, 0.5))
    with pytest.raises(CaseError, match="lose all its volume"):
        Expansion(-1.0)
    with pytest.raises(CaseError, match=r"normal_share.*0 to 1"):
        Expansion(0.1, 1.5)


def test_where_small_strain_ends():
    assert Expansion(0.157).small_strain(finite=False) is None  # 4.98 %
    words = Expansion(0.33).small_strain(finite=False)
    assert "9.97%" in words and "29.9%" in words and "33.0%" in words and "finite" in words
    with pytest.raises(CaseError, match=r'up to 20%.*Choose strain = "finite"') as caught:
        Expansion(0.8).small_strain(finite=False)
    assert caught.value.value == 0.8
    assert Expansion(0.8).small_strain(finite=True) is None
    with pytest.raises(CaseError):  # 33 % in one direction is too much as well
        Expansion(0.33, 1.0).small_strain(finite=False)
    assert "-9.14%" in Expansion(-0.25).small_strain(finite=False)


def test_a_run_is_judged_by_what_it_retains():
    """A run has no finite strain, and says so: what helps there is a smaller share or volume."""
    assert Expansion(0.8, retained=0.1).small_strain(finite=False) is None  # 2.2 %
    words = Expansion(0.8, retained=0.5).small_strain(finite=False)
    assert "10.82% retained (0.5 of 21.64%)" in words and "finite" not in words
    assert "small strain takes a volume change of 32.5% where what is retained makes 36.1%" in words
    assert "up to 0.231 for 5%" in words
    with pytest.raises(CaseError, match="beyond small strain") as caught:
        Expansion(2.0, retained=0.9).small_strain(finite=False, key="a.key")
    error = caught.value
    assert error.key == "a.key" and error.value == 2.0
    assert error.allowed == "growth strains up to 20% of what is retained"
    assert "[interphase.grown]" in error.hint and "up to 0.452 for 20%" in error.hint
    assert "finite" not in error.hint
    # what the hint allows is taken
    assert Expansion(2.0, retained=0.452).small_strain(finite=False) is not None
    # the strains themselves stay whole
    assert Expansion(0.331, retained=0.1).normal == pytest.approx(0.1)


def test_a_case_with_a_growing_layer_judges_what_is_retained():
    grown = {"times": ["1 h"], "retained": 0.1}
    data = {"law": "parabolic", "growth_constant": "1e-19 m^2/s",
            "expansion": {"volume_change": 0.9}}  # fmt: skip
    with pytest.raises(CaseError, match=r'Choose strain = "finite" in \[interphase.expansion\]'):
        interphase_setup(validated(data), None)
    assert interphase_setup(validated({**data, "grown": grown}), None).notes == ()
    with pytest.raises(CaseError, match="A smaller share retained"):
        interphase_setup(validated({**data, "grown": {**grown, "retained": 0.95}}), None)


def test_finite_strain_in_a_run_is_refused_with_what_counts_there():
    from ssbmech.config_load import load_case
    from ssbmech.interphase.grown_case import Growing

    path = ROOT / "cases/lgps_storage/case.toml"
    case = load_case(path, ("interphase.expansion.strain=finite",))
    block = case.interphase
    growing = Growing(case, path.parent, block, block.grown,
                      interphase_setup(block, library.get("LGPS")))  # fmt: skip
    with pytest.raises(CaseError, match="computed at small strain") as caught:
        growing.check()
    assert caught.value.key == "interphase.expansion.strain" and caught.value.allowed == "small"
    assert "retained, here 1.32%, and up to 20%" in caught.value.hint
    assert "interphase.grown.retained" in caught.value.hint


def test_resistances():
    assert layer_resistance([1e-7, 2e-7], 1e-4) == pytest.approx([1e-3, 2e-3])
    assert stack_resistance([(1e-7, 1e-4), (1e-6, 1e-2)], [5e-4]) == pytest.approx(1.6e-3)
    with pytest.raises(MaterialError, match=r"layer.conductivity"):
        layer_resistance(1e-7, 0.0)


def test_calibration_says_what_it_is_worth():
    exact = calibrate([1.0, 4.0, 9.0], [2.0, 3.0, 4.0], 1.0)
    assert exact.slope == pytest.approx(1.0) and exact.misfit < 1e-12
    assert "from 3 values" in exact.label and exact.label.startswith("calibration")
    off = calibrate([1.0, 4.0], [2.0, 5.0], 1.0)
    assert off.slope == pytest.approx(9 / 5) and off.misfit == pytest.approx(0.8 / 3.6)
    assert off.resistance(4.0) == pytest.approx(4.6)
    with pytest.raises(MaterialError, match="does not rise"):
        calibrate([1.0], [0.5], 1.0)
    with pytest.raises(MaterialError, match="of one length"):
        calibrate([1.0, 2.0], [0.5], 0.1)
    with pytest.raises(MaterialError, match="above 0 s"):
        calibrate([0.0], [0.5], 0.1)
