"""[stack] and [contact] in a case."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from ssbmech.config_stack import ContactBlock, StackBlock
from ssbmech.errors import CaseError


def test_stack_in_si():
    stack = StackBlock(pressure="5 MPa", kind="spring", stiffness="2 MPa/mm", group="left").build()
    assert (stack.group, stack.kind) == ("left", "spring")
    assert (stack.pressure, stack.stiffness) == pytest.approx((5e6, 2e9))
    assert StackBlock(pressure="0 MPa").build().kind == "dead"


@pytest.mark.parametrize(
    "given, words",
    [
        ({"pressure": "-5 MPa"}, "would pull the cell apart.*positive in compression"),
        ({"pressure": 5}, "unit"),
        ({"pressure": "5 mm"}, "length|pressure"),
        ({"pressure": "5 MPa", "kind": "spring"}, "needs a stiffness"),
        ({"pressure": "5 MPa", "stiffness": "1 MPa/mm"}, "belongs to kind"),
        ({"pressure": "5 MPa", "kind": "spring", "stiffness": "-1 MPa/mm"}, "out of range"),
        ({"pressure": "5 MPa", "kind": "weight"}, "'dead', 'plate', 'spring' or 'moving'"),
        ({}, "a stack needs a pressure"),
        ({"kind": "moving"}, "belong together"),
        ({"pressure": "5 MPa", "velocity": "1 um/s"}, "belong together"),
        ({"kind": "moving", "velocity": "1 um/s", "pressure": "5 MPa"}, "comes out: leave it out"),
        ({"kind": "moving", "velocity": "-1 um/s"}, "out of range"),
        ({"pressure": "5 MPa", "group": ""}, "at least 1 character"),
    ],
)
def test_bad_stack_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        StackBlock.model_validate(given)


def test_moving_plate_is_no_load():
    block = StackBlock(kind="moving", velocity="2 um/s")
    with pytest.raises(CaseError, match=r"stack.kind.*into a notch, and nothing else"):
        block.build()


def test_contact_defaults_and_refusals():
    block = ContactBlock.model_validate({})
    assert (block.group, block.friction) == ("li_sse", "none")
    for bad in ({"friction": "coulomb"}, {"penalty_factor": 0}, {"penetration": 0.5}, {"mu": 0.3}):
        with pytest.raises(ValidationError):
            ContactBlock.model_validate(bad)
