"""[thin_filament]: what it takes, and the words for what it refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from ssbmech.config_filament import ThinFilamentBlock


def test_defaults():
    block = ThinFilamentBlock.model_validate({})
    assert block.mouth == "open"
    assert block.flow.law == "norton"
    assert block.filled is None


def test_short_forms_of_flow():
    assert ThinFilamentBlock.model_validate({"flow": "none"}).flow == "none"
    assert ThinFilamentBlock.model_validate({"flow": "norton"}).flow.law == "norton"
    block = ThinFilamentBlock.model_validate(
        {"flow": {"law": "norton", "exponent": 5, "prefactor": "1e-3 MPa^-5/s"}}
    )
    assert block.flow.exponent == 5


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"thickness": "0 nm"}, "out of range. Allowed: above 0"),
        ({"thickness": "5"}, "5"),
        ({"filled": "-1 um"}, "out of range"),
        ({"mouth": "closed"}, "'open' or 'sealed'"),
        ({"mouth_pressure": "-1 MPa"}, "tension.*Allowed: 0 MPa or above"),
        ({"mouth": "sealed", "mouth_pressure": "1 MPa"}, 'belongs to mouth = "open"'),
        ({"flow": "plastic"}, "closed form for steady power-law creep. Allowed: norton"),
        ({"faces": []}, "at least 1"),
        ({"critical": {"sizes": []}}, "at least 1"),
        ({"critical": {"sizes": ["1 um"], "hold": "0 s"}}, "out of range"),
        ({"width": "1 um"}, "Extra inputs"),
    ],
)
def test_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        ThinFilamentBlock.model_validate(given)
