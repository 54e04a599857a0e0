"""Growth laws at a point: the exact step at its extremes, conditions, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssbmech.errors import MaterialError, SolverError
from ssbmech.interphase.expansion import Expansion
from ssbmech.interphase.laws import (
    MIEC,
    Conditions,
    CurrentDriven,
    MixedControl,
    Parabolic,
    SelfLimiting,
    Stable,
    WindowSource,
    arrhenius,
)
from ssbmech.interphase.step import Rational, p1, p2
from ssbmech.interphase.stress import (
    Activation,
    DrivingForce,
    Film,
    coupled_step,
    front_work,
)

MIXED = MixedControl(1e-12, 1e-20)
MEMBER = MIEC(1e-6, 1e-8, 1.7, 1.6e-5, 1e-2, 1e-3)
LAWS = [
    Stable(), Parabolic(1e-20), MIXED, SelfLimiting(2.5e-7, 1e-19),
    SelfLimiting(2.5e-7, 1e-19, 1e-12), MEMBER, CurrentDriven(1e-5, 0.1),
    CurrentDriven(1e-5, 0.1, MIXED), WindowSource(1.7, 3.0, 1e-5, 1e-9, 1e-2),
]  # fmt: skip
NOW = Conditions(current_density=0.7, potential=0.4)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_two_steps_are_one(law):
    for start in (0.0, 3e-9):
        for dt in (1e-9, 1.0, 1e5, 1e12):
            one = law.advance(start, dt, NOW)
            two = law.advance(law.advance(start, 0.3 * dt, NOW), 0.7 * dt, NOW)
            assert two == pytest.approx(float(one), rel=1e-12, abs=0.0)
            assert float(one) >= start
    assert law.advance(3e-9, 0.0, NOW) == 3e-9


positive = st.floats(-12, 12).map(lambda x: 10.0**x)


@settings(max_examples=200, deadline=None)
@given(
    A=positive, B=st.one_of(st.just(0.0), positive, positive.map(lambda x: -x)), a=positive,
    b=positive, start=st.floats(0.0, 10.0), t=positive,
)  # fmt: skip
def test_step_solves_its_own_equation(A, B, a, b, start, t):
    """t = integral of (a + b d)/(A + B d) over the step, by Gauss points in the logarithm of the
    drive, which makes the integrand an exponential."""
    law = Rational(A, B, a, b)
    if A + B * start <= 0.0:
        assert law.advance(start, t) == start
        return
    end = float(law.advance(start, t))
    assert end >= start and math.isfinite(end)
    if B < 0.0:
        assert end <= -A / B * (1 + 1e-12)
    # the rate at the middle lies between those of the ends: so does the step
    mean = (end - start) / t
    rates = sorted([float(law.rate(start)), float(law.rate(end))])
    assert rates[0] * (1 - 1e-6) - 1e-300 <= mean + 4e-16 * end / t
    assert mean - 4e-16 * end / t <= rates[1] * (1 + 1e-6)


def test_helpers_have_no_step_where_they_change():
    z = np.array([-0.5, -0.5 + 1e-12, 0.0, 1e-9, 0.5 - 1e-12, 0.5])
    exact = [np.longdouble(x) for x in z]
    for x, found in zip(exact, p2(z), strict=True):
        series = sum(x**n / math.factorial(n + 2) for n in range(25))
        assert found == pytest.approx(float(series), rel=1e-14)
    assert p1(np.zeros(1)) == 1.0 and p2(np.zeros(1)) == 0.5


def test_points_of_their_own():
    """Conditions per point give what each gives alone."""
    i, start = np.array([0.0, 1.0, -0.5]), np.array([0.0, 1e-9, 5e-8])
    together = MEMBER.advance(start, 1e4, Conditions(current_density=i))
    alone = [MEMBER.advance(s, 1e4, Conditions(current_density=c)) for s, c in zip(start, i)]  # noqa: B905
    assert together == pytest.approx(np.array(alone, float), rel=1e-15, abs=0.0)
    assert MEMBER.rate(start).shape == (3,)


def test_rates():
    assert Stable().rate(1e-9) == 0.0 and Stable().advance([0.0, 1e-9], 1e9)[1] == 1e-9
    assert Parabolic(2e-20).rate(1e-9) == pytest.approx(2e-11, rel=1e-9, abs=0.0)
    assert math.isinf(Parabolic(2e-20).rate(0.0))
    assert SelfLimiting(1e-7, 1e-20).rate(1e-7) == 0.0
    assert SelfLimiting(1e-7, 1e-20).advance(2e-7, 1e9) == 2e-7  # beyond: stays
    assert not Parabolic(1e-20).has_reaction and MIXED.has_reaction
    assert not SelfLimiting(1e-7, 1e-20).has_reaction
    assert SelfLimiting(1e-7, 1e-20, 1e-12).has_reaction
    stripping = Conditions(current_density=-3.0)
    assert CurrentDriven(1e-5, 0.1).rate(0.0, stripping) == 0.0
    assert CurrentDriven(1e-5, 0.1, both=True).rate(0.0, stripping) > 0.0


def test_window():
    law = WindowSource(1.7, 2.9, 1e-5, 1e-9)
    assert law.outside([1.0, 1.7, 2.0, 2.9, 3.4]) == pytest.approx([0.7, 0.0, 0.0, 0.0, 0.5])
    assert law.rate(1e-9, Conditions(potential=2.0)) == 0.0
    with pytest.raises(MaterialError, match="needs the potential"):
        law.rate(1e-9)
    with pytest.raises(MaterialError, match=r"window.reduction: the window is reversed.*1.7 V"):
        WindowSource(2.9, 1.7, 1e-5, 1e-9)
    # a jump that crosses the whole window is outside on both sides
    assert law.dose([0.0, 1.0], [0.7, 3.9]) == pytest.approx((0.5 * 1.0 + 0.5 * 1.0) / 3.2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Parabolic(0.0), r"parabolic.k: must be positive .*0.0.*above 0"),
        (lambda: MixedControl(-1.0, 1.0), r"mixed_control.k_s"),
        (lambda: SelfLimiting(math.nan, 1.0), r"self_limiting.limit"),
        (lambda: SelfLimiting(1.0, 1.0, 0.0), r"self_limiting.k_s.*or infinite"),
        (lambda: MIEC(1.0, 0.0, 1.0, 1.0), r"miec.electronic_conductivity"),
        (lambda: MIEC(1.0, 1.0, 1.0, 1.0, -1.0), r"miec.reaction_resistance: must not be neg"),
        (lambda: CurrentDriven(1e-5, 1.2), r"current_driven.share.*at most 1"),
        (lambda: arrhenius(1.0, 0.0, 298.0), r"temperature.*above 0 K"),
        (lambda: DrivingForce(0.0, 1e-4), r"stress.reaction_energy"),
        (lambda: Activation(1e-5, -1.0), r"stress.temperature"),
        (lambda: Film(1e9, 0.5, Expansion(0.1)), r"film.nu.*below 0.5"),
        (lambda: Film(1e9, 0.3, Expansion(0.1), plate_modulus=0.0), r"film.plate_modulus"),
    ],
)  # fmt: skip
def test_refused(make, words):
    with pytest.raises(MaterialError, match=words):
        make()


def test_impossible_steps_are_refused():
    with pytest.raises(SolverError, match=r"dt.*0 or more"):
        MIXED.advance(0.0, -1.0)
    with pytest.raises(SolverError, match=r"thickness"):
        MIXED.advance([1e-9, math.nan], 1.0)


def test_stress_on_barrier_and_on_drive():
    V, T = 1e-5, 300.0
    compression = -1e8
    now = Activation(V, T).conditions(compression)
    assert now.reaction == pytest.approx(math.exp(-1e8 * V / (8.314462618 * T)))
    assert now.drive == 1.0
    # it slows the bare surface by that factor, and a thick layer hardly
    thin, thick = 1e-12, 1e-4
    assert MIXED.rate(thin, now) / MIXED.rate(thin) == pytest.approx(float(now.reaction), rel=1e-3)
    assert MIXED.rate(thick, now) / MIXED.rate(thick) == pytest.approx(1.0, rel=1e-3)
    force = DrivingForce(2e5, 1e-4)
    assert force.conditions(force.stopping_work).drive == 0.0
    assert force.conditions(10 * force.stopping_work).drive == 0.0  # clipped, no way back
    assert force.conditions(1e8).drive == pytest.approx(1.05)
    both = force.conditions(compression, now)
    assert both.reaction == now.reaction and both.drive == pytest.approx(0.95)


def test_work_at_a_front():
    e = Expansion(0.2).tensor([0.0, 0.0, 1.0])
    inside = np.diag([-2e9, -2e9, 0.0])
    assert front_work(inside, np.zeros((3, 3)), e) == pytest.approx(-2e9 * e[0, 0])
    many = front_work(np.stack([inside, 0 * inside]), np.zeros((2, 3, 3)), e)
    assert many.shape == (2,) and many[1] == 0.0


def test_film_on_rigid_plate_has_no_stress_beside_it():
    film = Film(6e10, 0.28, Expansion(0.12))
    assert film.plate_stress(1e-6) == 0.0
    thin = Film(6e10, 0.28, Expansion(0.12), plate_modulus=8e10, plate_thickness=1e-6)
    d = 3e-7  # forces balance, strains fit
    assert film.stress(d) * 1.0 < thin.stress(d) < 0.0
    assert thin.stress(d) * d + thin.plate_stress(d) * 1e-6 == pytest.approx(0.0, abs=1e-9)
    strain = thin.plate_stress(d) / 8e10
    M = 6e10 / 0.72
    assert thin.stress(d) == pytest.approx(M * (strain - thin.expansion.in_plane))


def test_coupled_step_finds_growth_that_speeds_itself_up():
    """Tension that rises with thickness: the root lies beyond one step of the start's rate."""
    law, force = Parabolic(1e-20), DrivingForce(1e5, 1e-4)
    rising = lambda d: 2e8 * np.asarray(d) / 1e-8  # noqa: E731
    found = coupled_step(law, force, rising, [1e-9, 2e-9], 1e3, theta=1.0)
    for start, end in zip((1e-9, 2e-9), found, strict=True):
        again = law.advance(start, 1e3, force.conditions(rising(end)))
        assert float(again) == pytest.approx(end, rel=1e-12, abs=0.0)
    with pytest.raises(SolverError, match="speeds itself up without end"):
        coupled_step(law, force, lambda d: 1e30 * np.asarray(d) ** 3, 1e-9, 1e12, theta=1.0)
