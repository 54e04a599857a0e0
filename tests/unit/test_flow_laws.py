"""Flow laws over one implicit step: the equations they claim to solve, at any size of anything."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssbmech.errors import MaterialError, SolverError
from ssbmech.materials.anand import AnandI, AnandII
from ssbmech.materials.flow import Norton, Plastic, size_dependent_yield
from ssbmech.materials.relax import bracketed_root, log_share

MU3 = 3 * 2.83e9
NORTON = Norton(6.7e-3 * 1e6**-6.6, 6.6)
SET_I = AnandI(r0=0.05, m=0.18, S0=2e6, H0=40e6, S_sat=8e6, a=1.8)
SET_II = AnandII(4.25e4, 37e3, m=0.15, S0=0.95e6, H0=10e6, S_sat=2e6, a=2.0, n_s=0.05,
                 temperature=298.0)  # fmt: skip
LIQUID = Norton(1e-9, 1.0)
LAWS = [NORTON, LIQUID, Plastic(15e6), Plastic(15e6, 1e8), SET_I, SET_II]
VISCOUS = [NORTON, LIQUID, SET_I, SET_II]
decades = st.floats(-9.0, 9.0)


def one(law, q_trial, dt, S=None):
    state = np.tile(law.initial(), (1, 1)) if S is None else np.array([[S]])
    return law.relax(np.array([q_trial]), MU3, state, dt)


def resistance_misfit(law, new, S_old, dt):
    """What implicit Euler leaves of the evolution of S, over the size of its terms."""
    c, dp, S = law.constants, new.dp[0], new.state[0, 0]
    Ss = c.S_sat * (dp / dt / c.r0) ** c.n_s
    change = c.H0 * abs(1 - S / Ss) ** c.a * np.sign(1 - S / Ss) * dp
    # near saturation 1 - S/Ss is a difference of nearly equal numbers: eps of S in it is magnified
    rounding = 1e-15 * S * (1 + c.H0 * c.a * abs(1 - S / Ss) ** (c.a - 1) * dp / Ss)
    return abs(S - S_old - change), 1e-12 * (abs(change) + abs(S - S_old)) + 20 * rounding


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
@settings(max_examples=150, deadline=None)
@given(log_q=st.floats(-12.0, 4.0), log_dt=decades)
def test_balance_at_any_size(law, log_q, log_dt):
    """q_trial from 1e-12 to 1e4 resistances over 1e-9 to 1e9 s: 1e-12 of q_trial is left."""
    scale = law.initial()[0] if law.n_state else 1e6
    q_trial, dt = scale * 10.0**log_q, 10.0**log_dt
    new = one(law, q_trial, dt)
    assert abs(new.q[0] + MU3 * new.dp[0] - q_trial) <= 1e-12 * q_trial
    assert new.dp[0] >= 0.0 and 0.0 <= new.q[0] <= q_trial
    assert -1e-3 <= new.slope[0] <= 1.0 + 1e-14  # below zero: S recovers faster than q rises
    assert np.all(new.state > 0.0)


@pytest.mark.parametrize("law", [SET_I, SET_II], ids=["I", "II"])
@settings(max_examples=200, deadline=None)
@given(log_q=st.floats(-3.0, 4.0), log_dt=decades, log_S=st.floats(-2.0, 0.9))
def test_both_equations_of_the_resistance(law, log_q, log_dt, log_S):
    """Flow and resistance are satisfied from both sides of saturation; S never passes it."""
    S_old, dt = law.S0 * 10.0**log_S, 10.0**log_dt
    new = one(law, S_old * 10.0**log_q, dt, S_old)
    c, dp, S = law.constants, new.dp[0], new.state[0, 0]
    if dp < 1e-250:
        assert S == pytest.approx(S_old, rel=1e-12)
        return
    # the error of ln dp is rounding of logarithms of size 50 over m: 1e-13 in q
    assert new.q[0] == pytest.approx(S * (dp / dt / c.r0) ** c.m, rel=1e-11)
    misfit, allowed = resistance_misfit(law, new, S_old, dt)
    assert misfit <= allowed
    Ss = c.S_sat * (dp / dt / c.r0) ** c.n_s
    assert min(S_old, Ss) * (1 - 1e-12) <= S <= max(S_old, Ss) * (1 + 1e-12)


@pytest.mark.parametrize("law", VISCOUS, ids=lambda law: type(law).__name__)
@pytest.mark.parametrize("dt", [1e-9, 1e-3, 1.0, 1e4, 1e9])
def test_slope_is_the_derivative(law, dt):
    q = np.geomspace(1e3, 1e10, 60)
    state = np.tile(law.initial(), (60, 1))
    h = 1e-5 * q
    up, down = (law.relax(q + s * h, MU3, state, dt).q for s in (1, -1))
    slope = law.relax(q, MU3, state, dt).slope
    assert np.abs((up - down) / (2 * h) - slope).max() < 1e-7


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_nothing_happens_without_stress(law):
    new = one(law, 0.0, 1e9)
    assert new.q[0] == 0.0 and new.dp[0] == 0.0
    assert np.array_equal(new.state[0], law.initial())
    expected = 1 / (1 + MU3 * 1e9 * LIQUID.B) if law is LIQUID else 1.0
    assert new.slope[0] == pytest.approx(expected)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_no_points(law):
    """A rank may have no lithium."""
    new = law.relax(np.zeros(0), MU3, np.zeros((0, law.n_state)), 1.0)
    assert new.q.shape == new.dp.shape == new.slope.shape == (0,)
    assert new.state.shape == (0, law.n_state)


def test_points_do_not_know_each_other():
    q = np.geomspace(1e-3, 1e10, 200)
    S = np.geomspace(1e5, 1e7, 200)[:, None]
    mu3 = np.linspace(1e9, 1e10, 200)
    together = SET_II.relax(q, mu3, S, 10.0)
    alone = [SET_II.relax(q[i : i + 1], mu3[i : i + 1], S[i : i + 1], 10.0) for i in range(200)]
    for name in ("q", "dp", "slope", "state"):
        each = np.concatenate([getattr(a, name) for a in alone])
        assert np.allclose(getattr(together, name), each, rtol=1e-11, atol=0.0)


def test_norton_keeps_its_rate_at_constant_stress():
    """Small steps relax by dt mu3 B q^n; the rate is that of the fit, 1e-3 /s at 0.75 MPa."""
    assert NORTON.rate(0.75e6) == pytest.approx(1e-3, rel=0.01)
    new = one(NORTON, 0.75e6, 1e-9)
    assert new.dp[0] / 1e-9 == pytest.approx(float(NORTON.rate(0.75e6)), rel=1e-6)


def test_viscous_liquid_relaxes_as_its_closed_form():
    for dt in (1e-6, 1.0, 1e6):
        assert one(LIQUID, 3e6, dt).q[0] == pytest.approx(3e6 / (1 + MU3 * dt * 1e-9), rel=1e-13)


def test_plastic_ignores_time_and_hardens():
    perfect, hard = Plastic(15e6), Plastic(15e6, 1e8)
    assert one(perfect, 14.9e6, 1.0).dp[0] == 0.0
    a, b = one(perfect, 40e6, 1e-9), one(perfect, 40e6, 1e9)
    assert a.q[0] == b.q[0] == 15e6 and a.slope[0] == 0.0
    assert a.dp[0] == pytest.approx(25e6 / MU3)
    new = one(hard, 40e6, 1.0)
    assert new.q[0] == new.state[0, 0] == pytest.approx(15e6 + 1e8 * new.dp[0])
    again = hard.relax(new.q, MU3, new.state, 1.0)  # on the surface: neither flows nor hardens
    assert again.dp[0] == 0.0


def test_set_II_is_set_I_without_rate_in_saturation():
    cold = replace(SET_II, n_s=0.0, Q=0.0)
    same = AnandI(cold.A, cold.m, cold.S0, cold.H0, cold.S_sat, cold.a)
    a, b = one(cold, 5e6, 3.0), one(same, 5e6, 3.0)
    assert a.q[0] == b.q[0] and a.state[0, 0] == b.state[0, 0]


def test_warmer_is_softer():
    q = [one(replace(SET_II, temperature=T), 20e6, 10.0).q[0] for T in (250.0, 298.0, 350.0)]
    assert q[0] > q[1] > q[2]


def test_size_dependent_yield():
    """The two ends of the pillar data: 15 and 105 MPa."""
    assert size_dependent_yield(9.45e-6) == pytest.approx(15e6)
    assert size_dependent_yield(1.39e-6) == pytest.approx(105e6, rel=0.01)


@settings(max_examples=200)
@given(log_C=st.floats(-3000.0, 3000.0), n=st.floats(1.0, 50.0))
def test_log_share(log_C, n):
    z = float(log_share(np.array([log_C]), n)[0])
    assert z <= 0.0
    # rounding of log_C + n z, terms of size log_C
    assert abs(np.logaddexp(z, log_C + n * z)) <= 1e-15 * (20 + 4 * abs(log_C))


def test_bracketed_root_does_not_leave_its_bracket():
    """A function on which plain Newton cycles: a cubic with two turns and one root."""

    def cubic(y):
        assert np.all(y <= 3.0 + 1e-9)
        return y**3 - 2 * y + 2, 3 * y**2 - 2

    root = bracketed_root(cubic, np.array([0.0, 1.0]), np.array([3.0, 3.0]), 0.1)
    assert np.allclose(root, -1.7692923542386314)


@pytest.mark.parametrize("mu3", [1e6, 1e8, 1e14])
@pytest.mark.parametrize("law", [SET_I, SET_II], ids=["I", "II"])
def test_resistance_far_above_saturation(law, mu3):
    """S recovers faster than the elastic stress falls: not monotone, and still solved."""
    rng = np.random.default_rng(0)
    q, S = 10 ** rng.uniform(-8, 11, 500), 10 ** rng.uniform(4, 8, (500, 1))
    for dt in 10.0 ** np.arange(-9, 10, 2):
        new = law.relax(q, mu3, S, dt)
        assert np.all(np.abs(new.q + mu3 * new.dp - q) <= 1e-12 * q)
        assert np.all(new.state > 0) and np.all(np.isfinite(new.slope))
        flows = new.dp > 1e-250
        expected = law.constants.stress(new.dp[flows] / dt, new.state[flows, 0])
        assert np.allclose(new.q[flows], expected, rtol=1e-9, atol=0.0)


def test_bracketed_root_says_when_it_fails():
    with pytest.raises(SolverError, match=r"did not converge.*smaller time step"):
        bracketed_root(lambda y: (y * np.nan, y * 0 + 1), np.zeros(1), np.ones(1), 0.1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Norton(0.0, 6.6), ["norton.B", "above 0"]),
        (lambda: Norton(1e-40, 0.5), ["norton.n", "1 or above"]),
        (lambda: Plastic(-1.0), ["plastic.yield_stress", "above 0"]),
        (lambda: Plastic(1e6, -1.0), ["plastic.hardening", "0 Pa or above"]),
        (lambda: replace(SET_I, S0=0.0), ["anand_I.S0"]),
        (lambda: replace(SET_I, a=0.5), ["anand_I.a", "1 or above"]),
        (lambda: replace(SET_II, temperature=0.0), ["anand_II.temperature"]),
        (lambda: replace(SET_II, m=1.5), ["anand_II.1/m"]),
        (lambda: replace(SET_II, m=0.0), ["anand_II.m"]),
        (lambda: replace(SET_II, n_s=-0.1), ["anand_II.n_s"]),
        (lambda: replace(SET_II, H0=math.nan), ["anand_II.H0"]),
        (lambda: size_dependent_yield(0.0), ["pillar.diameter"]),
    ],
)
def test_values_that_are_refused(make, words):
    with pytest.raises(MaterialError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
