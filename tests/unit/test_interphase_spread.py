"""Growth over the ranges of its inputs, in a run and without one."""

import numpy as np
import pytest
from ssbmech.build_interphase import validated
from ssbmech.interphase.growth_spread import growth_spread
from ssbmech.interphase.uncertainty import Range, sample_points
from ssbmech.materials import library

BLOCK = {"law": "parabolic", "growth_constant": "1e-19 m^2/s", "ionic_conductivity": "1e-6 S/cm"}


def test_percentiles_are_those_of_the_closed_form():
    """delta = sqrt(2 k t): percentiles of k are those of delta, the one grows with the other."""
    points = sample_points({"growth_constant": Range.between(1e-20, 1e-18)}, 401, 3)
    times = np.array([0.0, 3600.0, 86400.0])
    found = growth_spread(validated(BLOCK), None, points, times)
    k = np.percentile(points["growth_constant"], [5.0, 50.0, 95.0])
    for value, name in zip(k, ("p5", "median", "p95"), strict=True):
        exact = np.sqrt(2.0 * value * times)
        assert found.band("thickness")[name] == pytest.approx(exact, rel=5e-3, abs=0.0)
        assert found.band("resistance")[name] == pytest.approx(exact / 1e-4, rel=5e-3, abs=0.0)
    assert found.influence("thickness") == {"growth_constant": pytest.approx(1.0)}
    assert found.n == 401 and found.failed == 0


def test_a_calibration_fixes_the_resistance_and_not_the_thickness():
    block = validated(
        {"law": "parabolic", "ionic_conductivity": "1e-7 S/cm",
         "calibration": {"start": "140 ohm*cm^2", "times": ["48 h"],
                         "resistances": ["2000 ohm*cm^2"]}}
    )  # fmt: skip
    points = {"ionic_conductivity": np.geomspace(1e-6, 1e-4, 21)}
    found = growth_spread(block, library.get("LGPS"), points, [172800.0])
    assert found.resistance == pytest.approx(0.186)
    assert found.thickness[:, 0] == pytest.approx(0.186 * points["ionic_conductivity"])
    # the same for all: rounding has no rank
    assert found.influence("resistance") == {"ionic_conductivity": 0.0}


def test_inputs_that_have_no_part_in_growth():
    """A toughness, or the volume change of a law without volumes, spreads nothing."""
    assert growth_spread(validated(BLOCK), None, {"toughness": np.ones(3)}, [1.0]) is None
    points = {"volume_change": np.array([0.3, 0.4, 0.5])}
    assert growth_spread(validated(BLOCK), None, points, [1.0]) is None


def test_samples_that_the_law_refuses_are_left_out_and_counted():
    block = validated({**BLOCK, "law": "self_limiting", "limit": "100 nm",
                       "initial_thickness": "50 nm"})  # fmt: skip
    found = growth_spread(block, None, {"limit": np.array([4e-8, 2e-7, 3e-7])}, [1e12])
    assert found.n == 2 and found.failed == 1
    assert found.thickness[:, 0] == pytest.approx([2e-7, 3e-7])
    assert found.inputs["limit"].tolist() == [2e-7, 3e-7]
