"""First cracking on curves, the time of a thickness, and what a growing layer refuses."""

import math
from pathlib import Path

import numpy as np
import pytest
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.config_load import case_from
from ssbmech.errors import SsbmechError
from ssbmech.interphase.grown import Line, Response, Series, Step
from ssbmech.interphase.laws import MixedControl, Parabolic, SelfLimiting, Stable
from ssbmech.interphase.onset import (
    first_along,
    first_crossing,
    flaw_intensity,
    onset_map,
    time_of,
    transition_size,
)
from ssbmech.output.quantities_interphase import censored

X = np.array([1.0, 2.0, 4.0])


def test_crossing_between_and_before_the_first():
    assert first_crossing(X, [10.0, 20.0, 40.0], 30.0) == pytest.approx(3.0, rel=1e-14)
    assert first_crossing(X, [10.0, 20.0, 40.0], 5.0) == pytest.approx(0.5, rel=1e-14)
    assert first_crossing(X, [10.0, 20.0, 40.0], 20.0) == pytest.approx(2.0, rel=1e-14)
    assert first_crossing(X, [10.0, 20.0, 40.0], 5.0, start=math.nan) == 1.0
    assert math.isnan(first_crossing(X, [10.0, 20.0, 40.0], 41.0))


def test_a_curve_that_falls_again_cracks_on_its_way_up():
    assert first_crossing(X, [10.0, 40.0, 5.0], 25.0) == pytest.approx(1.5, rel=1e-14)


def test_the_first_of_several_places():
    curves = np.array([[1.0, 2.0, -5.0], [2.0, 6.0, -9.0], [8.0, 7.0, -9.0]])
    depth, k = first_along(X, curves, 5.0)
    assert k == 1
    assert depth == pytest.approx(1.75, rel=1e-14)
    depth, k = first_along(X, curves, 9.0)
    assert math.isnan(depth)
    assert k == 0


def test_flaws():
    K = flaw_intensity([100e6, -50e6], 10e-6, 1.0)
    np.testing.assert_allclose(K, [100e6 * math.sqrt(math.pi * 10e-6), 0.0], rtol=1e-14)
    a = transition_size(100e6, 1e6)
    assert flaw_intensity(100e6, a) == pytest.approx(1e6, rel=1e-14)


def test_map_is_linear_in_the_misfit():
    """A straight curve: onset where scale times slope times thickness is the limit."""
    found = onset_map(X, 10.0 * X, [0.5, 1.0, 2.0], [5.0, 30.0])
    wanted = [[1.0, math.nan], [0.5, 3.0], [0.25, 1.5]]
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


@pytest.mark.parametrize(
    ("law", "thickness", "time"),
    [
        (Parabolic(2e-16), 1e-6, (1e-12 - 1e-14) / 4e-16),
        (MixedControl(1e-11, 2e-16), 1e-6, 0.9e-6 / 1e-11 + (1e-12 - 1e-14) / 4e-16),
        (Parabolic(2e-16), 0.5e-7, 0.0),
        (SelfLimiting(1e-6, 2e-16), 2e-6, math.inf),
        (Stable(), 2e-7, math.inf),
    ],
)
def test_time_of_a_thickness(law, thickness, time):
    """Closed forms from an initial 0.1 um."""
    assert time_of(law, 1e-7, thickness) == pytest.approx(time, rel=1e-9)


def test_time_of_nothing():
    assert math.isnan(time_of(Parabolic(1e-16), 0.0, math.nan))


def test_a_percentile_beyond_the_range_is_none():
    """Samples that do not crack count: they are beyond, not missing."""
    values = np.array([1.0, 2.0, 3.0, math.inf, math.inf, math.inf, math.inf, math.nan])
    assert censored(values) == {"p5": 1.0, "median": None, "p95": None}
    assert censored(np.arange(1.0, 102.0)) == {"p5": 6.0, "median": 51.0, "p95": 96.0}


def step(depth, hoop, K):
    sigma = np.zeros((len(hoop), 3, 3))
    sigma[:, 2, 2] = hoop
    return Step(depth, 0.0, 0.0, {"tip": {"K_I": K, "J": 0.0}}, {"line": sigma}, 1, ("tip",))


def test_response_scales():
    """Linear in strain and moduli at one ratio; through the solutions over its logarithm."""
    line = Line.between("line", [0.0, 0.0], [1e-6, 0.0], 2)
    ratios = np.array([0.25, 0.5, 1.0])
    series = tuple(
        Series("axisymmetric", (line,), tuple(
            step(d, [d * (1 + k), d * (2 + k)], -d * k) for d in (1.0, 2.0))) for k in range(3)
    )  # fmt: skip
    found = Response(ratios, series, 1, 100.0, 0.01)
    for k, ratio in enumerate(ratios):
        at = {"ratio": ratio, "modulus": 200.0, "strain": 0.03}
        np.testing.assert_allclose(found.curve("line", "hoop", **at),
                                   6 * np.array([[1 + k, 2 + k], [2 + 2 * k, 4 + 2 * k]]),
                                   rtol=1e-12)  # fmt: skip
        np.testing.assert_allclose(found.curve("tip", "K_I", **at), [[-6 * k], [-12 * k]],
                                   atol=1e-12)  # fmt: skip
    between = found.curve("line", "hoop", ratio=2**-0.5, modulus=100.0, strain=0.01)
    np.testing.assert_allclose(between[0], [2.5, 3.5], rtol=1e-12)  # linear in the logarithm
    assert found.main.in_layer("tip")
    assert found.main.fronts == ("tip",)


# -- bad input ------------------------------------------------------------------------------------

CASE = {
    "geometry": {"type": "pellet", "radius": "600 um", "thickness": "300 um", "contact": "300 um"},
    "materials": {
        "electrolyte": {"E": "120 GPa", "nu": 0.25, "K_IC": "1 MPa*m^0.5"},
        "interphase": {"E": "60 GPa", "nu": 0.25},
    },
}  # fmt: skip
LINE = {"name": "face", "start": ["305 um", "0 um"], "end": ["500 um", "0 um"], "points": 3}


def block(expansion=None, **grown):
    grown = {"times": ["1 h", "4 h"], "line": [LINE], **grown}
    return InterphaseBlock.model_validate({
        "law": "parabolic", "growth_constant": "1e-15 m^2/s",
        "expansion": expansion if expansion is not None else {"volume_change": 0.01},
        "grown": grown,
    })  # fmt: skip


def refused(blk, *words, case=None):
    """Refused before anything is meshed, with all the words."""
    from mpi4py import MPI
    from ssbmech.interphase.grown_stage import run_grown
    from ssbmech.log import Progress

    with pytest.raises(SsbmechError) as caught:
        whole = case_from(case or CASE).model_copy(update={"interphase": blk})
        run_grown(whole, Path(), MPI.COMM_SELF, Progress(quiet=True))
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_thicker_than_the_electrolyte():
    refused(block(times=[], thicknesses=["10 um", "310 um"]), "310 µm", "306.9 µm",
            "geometry.thickness", "300 µm", "below 303 µm")  # fmt: skip


def test_no_volume_change():
    refused(block({"volume_change": 0.0}), "makes no volume", "volume_change")


def test_beyond_small_strain():
    refused(block({"volume_change": 0.9}), "beyond small strain", "23.86%", "20%")


def test_finite_strain_is_not_for_this():
    refused(block({"volume_change": 0.9, "strain": "finite"}), "small strain", "finite")


def test_unknown_parameter():
    refused(block(parameter="interfase"), "no such parameter", "interfase", "interphase")


def test_unknown_table():
    refused(block(parameter="crack.0.skin"), "no such table", "crack")


def test_unknown_group():
    refused(block(group="skin"), "skin", "electrolyte, interphase")


def test_anisotropic_needs_a_normal():
    refused(block({"volume_change": 0.03, "normal_share": 1.0}), "normal", "x, y or z")


def test_a_mesh_from_a_file_cannot_grow():
    case = {"mesh": {"file": "a.msh", "length_unit": "um"}, "materials": CASE["materials"]}
    refused(block(), "[geometry]", case=case)


def test_nothing_to_take_from():
    refused(block(takes_from="electrolyte"), "no such length", "electrolyte")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"thicknesses": ["1 um"]}, "either times or thicknesses"),
        ({"times": ["4 h", "1 h"]}, "do not rise"),
        ({"line": [], "strength": "100 MPa"}, "look along"),
        ({"line": [LINE, LINE]}, "not different"),
        ({"ranges": {"strenght": ["1 MPa", "2 MPa"]}}, "no such value"),
        ({"ranges": {"strength": ["2 MPa", "1 MPa"]}}, "low, then high"),
        ({"retained": 1.5}, "less than or equal to 1"),
    ],
)
def test_schema(more, words):
    with pytest.raises(ValueError, match=words):
        block(**more)


def test_samples_beside_other_loads():
    case = {**CASE, "load": [{"group": "cathode_plane", "pressure": "5 MPa"},
                             {"group": "contact", "pressure": "5 MPa"}]}  # fmt: skip
    refused(block(strength="100 MPa", samples=5, ranges={"strength": ["50 MPa", "90 MPa"]}),
            "other loads", "samples", case=case)  # fmt: skip
