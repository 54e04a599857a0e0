"""Stacks: signs, balance of a plate, and its search, against springs in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.errors import CaseError, SolverError
from ssbmech.lithium.stack import Stack, seek


def test_dead_load_presses_against_the_normal():
    stack = Stack("top", 3.0)
    assert stack.traction(np.array([[0.0, 1.0]])) == pytest.approx(np.array([[0.0, -3.0]]))
    assert not stack.has_plate


def test_spring_pushes_more_when_pushed_out_and_never_pulls():
    stack = Stack("top", 3.0, "spring", 2.0)
    assert [stack.pressure_at(u) for u in (-2.0, 0.0, 0.5)] == [0.0, 3.0, 4.0]
    assert stack.balance(0.5, -8.0, 2.0) == pytest.approx((0.0, 4.0))
    assert stack.balance(-2.0, 0.0, 2.0) == (0.0, 0.0)


@pytest.mark.parametrize("kind, k", [("plate", 0.0), ("spring", 7.0)])
def test_balance_with_an_elastic_body(kind, k):
    """Body of stiffness c that wants to grow by w: R = c (U - w) A; U = (c w - p0)/(c + k)."""
    c, w, p0, area = 40.0, 0.2, 3.0, 2.5
    stack, calls = Stack("top", p0, kind, k), []

    def force(u):
        calls.append(u)
        return c * (u - w) * area

    u = seek(stack, force, area, start=0.0, step=0.01)
    assert u == pytest.approx((c * w - p0) / (c + k), rel=1e-12)
    assert len(calls) <= 4  # linear: a secant is exact
    assert -force(u) / area == pytest.approx(stack.pressure_at(u), rel=1e-9)


def test_balance_with_a_body_that_stiffens():
    stack = Stack("top", 5.0, "plate")
    u = seek(stack, lambda u: -np.exp(-30 * u), 1.0, start=0.0, step=1.0)
    assert u == pytest.approx(-np.log(5.0) / 30, rel=1e-8)
    with pytest.raises(SolverError, match="no balance between the stack and the body in 6 solves"):
        seek(stack, lambda u: -1.0, 1.0, start=0.0, step=1.0, limit=6)


def test_bad_stacks_are_refused():
    with pytest.raises(CaseError, match=r"stack.pressure.*positive in compression.*-1.0"):
        Stack("top", -1.0)
    with pytest.raises(CaseError, match=r"needs a stiffness.*kind = 'plate'"):
        Stack("top", 1.0, "spring")
    with pytest.raises(CaseError, match="has no stiffness"):
        Stack("top", 1.0, "dead", 2.0)
    with pytest.raises(CaseError, match="unknown kind"):
        Stack("top", 1.0, "weight")
