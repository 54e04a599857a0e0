"""What a case with a notch may ask for, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from ssbmech.config_stack import ContactBlock, StackBlock
from ssbmech.coupled.intrusion import Intrusion, Surface
from ssbmech.coupled.intrusion_stage import _check, _press, _shape
from ssbmech.coupled.notch import Notch
from ssbmech.errors import CaseError
from ssbmech.lithium.stack import Stack
from ssbmech.meshes.notched import notched

NOTCH = Notch.segment(5e-6, 5e-6, 1e-6)


def case(**more):
    flowing = {"lithium": SimpleNamespace(flow=object())}
    plain = {"materials": flowing, "contact": ContactBlock.model_validate({}), "stack": None}
    return SimpleNamespace(**{**plain, **more})


def test_what_presses():
    moving = StackBlock(kind="moving", velocity="2 um/s")
    assert _press(case(stack=moving)) == (pytest.approx(2e-6), None)
    speed, stack = _press(case(stack=StackBlock(pressure="5 MPa")))
    assert speed == 0 and stack == Stack("bottom", 5e6)
    with pytest.raises(CaseError, match=r"needs something that presses it.*moving"):
        _press(case())
    with pytest.raises(CaseError, match=r"stack.group.*opposite to the notch"):
        _press(case(stack=StackBlock(pressure="5 MPa", group="right")))


def test_sizes_come_from_the_mesh():
    data = notched(40.0, 20.0, 5.0, 5.0, lip_radius=1.0, h=0.5)
    shape = _shape(data)
    assert shape.notch.area == pytest.approx(NOTCH.area)
    assert (shape.half_width, shape.height) == pytest.approx((20e-6, 20e-6))
    assert shape.size == pytest.approx(0.5e-6, rel=0.1)


@pytest.mark.parametrize(
    ("more", "model", "words"),
    [
        ({}, "axisymmetric", "geometry.model.*plane body"),
        ({"contact": ContactBlock(group="top")}, "plane_strain", "contact.group.*li_sse"),
        ({"materials": {"lithium": SimpleNamespace(flow=None)}}, "plane_strain", "has to flow"),
        ({"load": [1]}, "plane_strain", "load.*pressed by the \\[stack\\]"),
    ],
)
def test_cases_that_do_not_fit(more, model, words):
    _check(case(), SimpleNamespace(model="plane_strain"))
    with pytest.raises(CaseError, match=words):
        _check(case(**more), SimpleNamespace(model=model))


def test_either_a_velocity_or_a_dead_load():
    for bad in (
        {"velocity": 0.0},
        {"velocity": -1.0},
        {"velocity": 1.0, "stack": Stack("bottom", 1.0)},
    ):
        with pytest.raises(CaseError, match="either by a velocity or by a stack"):
            Intrusion(NOTCH, None, 1e-6, **bad)
    with pytest.raises(CaseError, match="A plate is a velocity"):
        Intrusion(NOTCH, None, 1e-6, stack=Stack("bottom", 1.0, "plate"))


def test_area_above_the_flat_surface_and_mean_pressure():
    s = np.linspace(0, 2, 9)
    y = 1 - s**2 / 4  # quadratic: exact on quadratic edges
    area = np.full(9, 0.25)
    surface = Surface(np.column_stack([s, 0 * s]), np.column_stack([s, y]), 0 * s, 3 - s, area)
    assert surface.raised == pytest.approx(2 * (2 - 8 / 12))
    assert surface.mean_pressure(0.5) == pytest.approx(3 - 0.25)
    assert surface.mean_pressure(0.0) == pytest.approx(3 - 0.25)  # the first element at least
