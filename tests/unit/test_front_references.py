"""The references of verification/fronts, rough_front and front_films against other methods."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from ssbmech.interphase.expansion import Expansion
from ssbmech.interphase.laws import MIEC, Conditions, MixedControl, Parabolic
from ssbmech.interphase.stress import Activation, DrivingForce, Film, coupled_step
from ssbmech.interphase.two_carrier import TwoCarrierLayer

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))

import rough_front
from front_films import (
    StressedFilm,
    activation_factor,
    film_force,
    film_force_parabolic,
    laid_stress,
    laid_stress_norton,
    relaxation_time,
)
from fronts import (
    OneCarrier,
    TwoCarriers,
    amplification,
    critical_current,
    cylinder,
    flat,
    flat_time,
    growth_rate,
    one_carrier_rate,
    round_speed,
    round_time,
)

UM = 1e-6
#: A layer that conducts electrons well and ions badly, and one with all of the same size.
TONGUE = TwoCarriers(3e-5, 0.2, 1e-2, 25 * UM, 1.0, 20e-6, 1e-4)
EVEN = TwoCarriers(4e-3, 1e-3, 7e-3, 12 * UM, 1.3, 16e-6, 2e-4, 3e-4)
BARE = TwoCarriers(4e-3, 3e-2, 7e-3, 12 * UM, 1.3, 16e-6)
LAYERS = [TONGUE, EVEN, BARE]
#: One that evens out what reacts along the front.
EVENED = replace(TONGUE, aside=3e-14)


# -- flat -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("i", [0.0, 30.0, -4.0])
def test_flat(layer, i):
    times = np.array([0.0, 10.0, 300.0])
    found = flat(layer, UM, times, i)
    law = MIEC(layer.s_i, layer.s_e, layer.U, layer.V, layer.R, layer.Z)
    # this integrates to 1e-12, that is a closed form
    own = law.advance(UM, times, Conditions(current_density=i))
    assert found.depth == pytest.approx(own, rel=1e-10, abs=0.0)
    assert flat_time(layer, UM, found.depth[2], i) == pytest.approx(300.0, rel=1e-9)
    two = TwoCarrierLayer(found.depth[2], layer.s_i, layer.s_e, layer.Z)
    state = two.reacting(i, layer.U, layer.R)
    assert found.reaction[2] == pytest.approx(state.reaction, rel=1e-12)
    assert found.plated[2] == pytest.approx(state.at_lithium, rel=1e-9)
    ohmic = i * (layer.H - found.depth[2]) / layer.kappa
    voltage = state.E_lithium - state.ionic_drop - ohmic
    assert found.voltage[2] == pytest.approx(voltage, rel=1e-9, abs=1e-12)


def test_flat_under_changing_current():
    """Against steps of the closed form with the current of their middle: second order in dt."""

    def current(t):
        return 20.0 * math.sin(t / 40.0)

    law = MIEC(EVEN.s_i, EVEN.s_e, EVEN.U, EVEN.V, EVEN.R, EVEN.Z)
    d, n = UM, 2000
    for j in range(n):
        now = Conditions(current_density=current((j + 0.5) * 200.0 / n))
        d = float(law.advance(d, 200.0 / n, now))
    assert flat(EVEN, UM, [200.0], current).depth[0] == pytest.approx(d, rel=1e-7, abs=0.0)


def test_flat_at_rest_shows_the_electrons_share_of_U():
    free = replace(EVEN, R=0.0, Z=0.0)
    assert flat(free, 5 * UM, [0.0]).voltage[0] == pytest.approx(free.t_e * free.U, rel=1e-12)


# -- round ----------------------------------------------------------------------------------------


def radial(layer, R0, s, i, dimension, n=400):
    """r at the front by finite volumes on both carriers, no formula of the layer used."""
    edge = np.geomspace(R0, s, n + 1)
    middle = np.sqrt(edge[:-1] * edge[1:])
    area = (edge / R0) ** (dimension - 1)
    # unknowns: phi_i, phi_e at the middles, then at the two ends, then the plated and the reaction
    A, b = np.zeros((2 * n + 6, 2 * n + 6)), np.zeros(2 * n + 6)
    foot, front, plated, r = 2 * n, 2 * n + 2, 2 * n + 4, 2 * n + 5
    for c, sigma in enumerate((layer.s_i, layer.s_e)):
        at = np.concatenate([[foot + c], c * n + np.arange(n), [front + c]])
        place = np.concatenate([[R0], middle, [s]])
        g = sigma * area / np.diff(place)  # fluxes through the n + 1 edges
        for j in range(n):
            A[at[j + 1], at[j : j + 3]] = g[j], -g[j] - g[j + 1], g[j + 1]
        A[foot + c, at[:2]] = -g[0], g[0]
        A[front + c, at[-2:]] = -g[-1], g[-1]
    A[foot, plated] = -1.0
    A[front, r], b[front] = area[-1], i  # s_i phi_i' is what passes less what reacts
    A[front + 1, r] = -area[-1]
    A[foot + 1] = np.eye(2 * n + 6)[foot + 1]
    A[plated, [foot, plated]] = 1.0, -layer.Z
    A[r, [front, front + 1, r]], b[r] = (-1.0, 1.0, layer.R), layer.U
    return np.linalg.solve(A, b)[r]


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("i", [0.0, 25.0])
def test_round_two_carriers_against_finite_volumes(dimension, i):
    R0, s = 2 * UM, 5 * UM
    found = float(round_speed(EVEN, R0, s, i, dimension=dimension)) / EVEN.v
    errors = [abs(radial(EVEN, R0, s, i, dimension, n) / found - 1.0) for n in (50, 100, 200)]
    assert errors[2] < 2e-5
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("law", [OneCarrier(1e-16), OneCarrier(1e-16, 1e-10), EVEN, BARE])
def test_round_growth(law, dimension):
    """The closed form of t(s) against the integrated rate; large radii grow as planes do."""
    R0, start = 2 * UM, 2.1 * UM
    end = round_time(law, R0, 4 * UM, start, dimension=dimension)
    times = np.linspace(0.1, 1.0, 4) * float(end)
    s = cylinder(law, R0, start, times, dimension=dimension)
    assert s[-1] == pytest.approx(4 * UM, rel=1e-10, abs=0.0)
    back = round_time(law, R0, s, start, dimension=dimension)
    assert back == pytest.approx(times, rel=1e-9)
    big = float(round_speed(law, 1.0, 1.0 + 3 * UM, dimension=dimension))
    plane = float(round_speed(law, 0.0, 3 * UM, dimension=1)) if isinstance(law, OneCarrier) else (
        law.v * float(law.reaction(3 * UM))
    )  # fmt: skip
    assert big == pytest.approx(plane, rel=2e-5, abs=0.0)


def test_round_closed_form():
    s, R0, k, k_s = 3.7, 1.3, 0.4, 0.9
    exact = (s - R0) / k_s + (s**2 * math.log(s / R0) / 2 - (s**2 - R0**2) / 4) / k
    assert float(round_time(OneCarrier(k, k_s), R0, s)) == pytest.approx(exact, rel=1e-14)


# -- rough ----------------------------------------------------------------------------------------


def wave(grid, depth, slope):
    return depth + slope / grid.q * np.cos(grid.q * grid.x)


@pytest.mark.parametrize("counter", ["flux", "potential"])
@pytest.mark.parametrize("layer", [*LAYERS, EVENED])
@pytest.mark.parametrize("i", [0.0, 40.0, -3.0])
def test_dispersion_against_spectral_solution(layer, i, counter):
    """Three amplitudes show that what differs is of second order in the slope q a."""
    for length in (6 * UM, 25 * UM):
        grid = rough_front.Grid(length, 8, 26)
        omega = growth_rate(grid.q, layer, 3 * UM, i, counter=counter).omega
        size = layer.v * float(layer.reaction(3 * UM, i)) * grid.q  # terms that omega is made of
        off = []
        for slope in (1e-3, 2e-2, 4e-2):
            found = rough_front.rates(wave(grid, 3 * UM, slope), grid, layer, i, counter=counter)
            first = grid.cosines(found.velocity)[1] / (slope / grid.q)
            off.append((first - omega) / size)
        assert abs(off[0]) < 5e-6
        assert abs(off[2]) < 4 * 4e-2**2  # size: nothing but an order of magnitude
        assert off[2] - 4 * off[1] == pytest.approx(0.0, abs=2e-5)


@pytest.mark.parametrize("law", [OneCarrier(1e-16), OneCarrier(1e-16, 1e-10)])
def test_one_carrier_dispersion(law):
    for length in (3 * UM, 30 * UM):
        grid = rough_front.Grid(length, 8, 20)
        found = rough_front.one_carrier_velocity(wave(grid, 3 * UM, 1e-3), grid, law)
        omega = grid.cosines(found)[1] / (1e-3 / grid.q)
        assert omega == pytest.approx(float(one_carrier_rate(grid.q, law, 3 * UM)), rel=3e-6)
    speed = law.k / (law.k / law.k_s + 3 * UM)
    long = float(one_carrier_rate(1.0, law, 3 * UM))
    assert long == pytest.approx(-speed / (law.k / law.k_s + 3 * UM), rel=1e-9)
    assert (one_carrier_rate(np.geomspace(1e2, 1e9, 40), law, 3 * UM) < 0.0).all()


def series(layer, q, depth, a, i, n=14):
    """Amplitudes of df/dt by harmonic series in y, fitted at the front by least squares."""
    k = np.arange(n) * q
    x = np.pi * (np.arange(3 * n) + 0.5) / (3 * n) / q
    f, f1 = depth + a * np.cos(q * x), -a * q * np.sin(q * x)
    S = np.sqrt(1 + f1**2)
    cos, sin = np.cos(np.outer(x, k)), -k * np.sin(np.outer(x, k))

    def column(value, slope):
        u, ux, uy = value * cos, value * sin, slope * cos
        return u, uy - f1[:, None] * ux

    grow, y = np.cosh(k * depth), f[:, None]
    sh, ch = np.sinh(k * y) / grow, np.cosh(k * y) / grow
    zs = layer.Z * layer.s_i
    sh[:, 0], ch[:, 0] = f, 1.0  # the mean goes as y
    k1 = np.where(k > 0, k, 1.0)
    e, Ne = column(sh, k1 * ch)
    ion_slope = k1 * ch + np.where(k > 0, zs * k**2, 0.0) * sh
    p, Np = column(sh + zs * k1 * ch, ion_slope)
    up = k * (layer.H - y)
    fall = np.cosh(k * (layer.H - depth))
    c, Nc = column(np.cosh(up) / fall, -k * np.sinh(up) / fall)
    one = i / layer.kappa
    rows = [
        np.hstack([0 * e, p, -c]),
        np.hstack([layer.s_e * Ne, layer.s_i * Np, -layer.kappa * Nc]) / layer.kappa * depth,
        np.hstack([layer.R * layer.s_e * Ne + S[:, None] * e, -S[:, None] * p, 0 * c]),
    ]
    right = [f * one, np.full(3 * n, i) / layer.kappa * depth, S * layer.U]
    found = np.linalg.lstsq(np.vstack(rows), np.concatenate(right), rcond=None)[0]
    velocity = layer.v * layer.s_e * Ne @ found[:n]  # S r
    back = 2 * np.cos(np.outer(k, x)) @ velocity / (3 * n)
    back[0] /= 2
    return back


@pytest.mark.parametrize("layer", LAYERS)
def test_finite_amplitude_against_harmonic_series(layer):
    """A slope of 0.3: far from first order, and the series still converges."""
    grid, i = rough_front.Grid(12 * UM, 14, 18), 20.0
    found = grid.cosines(rough_front.rates(wave(grid, 4 * UM, 0.3), grid, layer, i).velocity)
    exact = series(layer, grid.q, 4 * UM, 0.3 / grid.q, i)
    assert found[:4] == pytest.approx(exact[:4], rel=0.0, abs=2e-7 * exact[0])
    linear = growth_rate(grid.q, layer, 4 * UM, i).omega * 0.3 / grid.q
    assert abs(linear - exact[1]) > 2e-4 * exact[0]


@pytest.mark.parametrize("counter", ["flux", "potential"])
def test_rough_front_conserves_charge_and_is_flat_where_flat(counter):
    grid, i = rough_front.Grid(12 * UM, 16, 20), 15.0
    f = 4 * UM + UM * np.cos(grid.q * grid.x) - 0.3 * UM * np.cos(3 * grid.q * grid.x)
    found = rough_front.rates(f, grid, EVEN, i, counter=counter)
    used = found.velocity.mean() / EVEN.v  # per area of the plane
    assert used + found.plated == pytest.approx(i, abs=1e-5 * used)
    assert found.phi_e - found.phi_i == pytest.approx(EVEN.U - EVEN.R * found.reaction, rel=1e-7)
    level = rough_front.rates(np.full(16, 4 * UM), grid, EVEN, i, counter=counter)
    exact = flat(EVEN, 4 * UM, [0.0], i)
    assert level.velocity == pytest.approx(EVEN.v * exact.reaction[0], rel=1e-9, abs=0.0)
    assert level.voltage == pytest.approx(exact.voltage[0], abs=1e-9)
    assert level.plated == pytest.approx(exact.plated[0], rel=1e-8)


def test_stripping_stops_the_reaction_in_places():
    """Where the potential of lithium is above U nothing reacts and no electron passes."""
    grid = rough_front.Grid(12 * UM, 24, 20)
    f = wave(grid, 4 * UM, 0.5)
    i = -EVEN.U / (EVEN.Z + 4 * UM / EVEN.s_i)  # r = 0 at the mean depth
    found = rough_front.rates(f, grid, EVEN, i)
    dead = found.reaction == 0.0
    assert 2 < dead.sum() < 22 and (found.reaction >= 0.0).all()
    drive = EVEN.U - found.phi_e + found.phi_i
    assert (drive[dead] <= 1e-9).all()
    assert drive[~dead] == pytest.approx(EVEN.R * found.reaction[~dead], abs=1e-9)


def test_dispersion_limits():
    q = np.geomspace(1e3, 1e8, 60)
    for layer in LAYERS:
        for counter in ("flux", "potential"):
            for i in (0.0, -2.0):  # at rest and on stripping every wave dies
                assert (growth_rate(q, layer, 3 * UM, i, counter=counter).omega < 0.0).all()
        # long waves at given flux: the derivative of the flat front's rate
        h, i = 1e-5 * UM, 30.0
        up, down = (layer.v * float(layer.reaction(3 * UM + s * h, i)) for s in (1, -1))
        found = float(growth_rate(1.0, layer, 3 * UM, i).omega)
        assert found == pytest.approx((up - down) / (2 * h), rel=1e-6)
    # short waves: bounded by R, as q without it
    i, r = 50.0, float(TONGUE.reaction(3 * UM, 50.0))
    both = TONGUE.s_i + TONGUE.kappa
    bound = TONGUE.v / TONGUE.R * ((2 * i - r) / both - r / TONGUE.s_e)
    assert growth_rate(1e12, TONGUE, 3 * UM, i).omega == pytest.approx(bound, rel=1e-5)
    r = float(BARE.reaction(3 * UM, i))
    both, per_q = BARE.s_i + BARE.kappa, growth_rate(1e9, BARE, 3 * UM, i).per_depth / 1e9
    ratio = 2 * BARE.s_e / (BARE.s_i + BARE.s_e + BARE.kappa)
    assert per_q == pytest.approx(ratio * i / r - 1, rel=1e-9)
    slower = growth_rate(q, EVENED, 3 * UM, i).omega / growth_rate(q, TONGUE, 3 * UM, i).omega
    assert (slower > 0.0).all() and slower[0] > 0.999 and slower[-1] < 1e-4
    assert growth_rate(1e9, BARE, 3 * UM, i).threshold == pytest.approx(ratio, rel=1e-9)
    # much current: the contrast of the two sides, as in Saffman and Taylor
    much = growth_rate(1e9, BARE, 3 * UM, 1e9).per_depth / 1e9
    whole = BARE.s_i + BARE.s_e
    assert much == pytest.approx((whole - BARE.kappa) / (whole + BARE.kappa), rel=1e-4)


def test_critical_current():
    q = 2 * math.pi / np.array([5.0, 10.0, 20.0]) / UM
    for counter in ("flux", "potential"):
        for layer in (TONGUE, BARE):
            for k, i in zip(q, critical_current(q, layer, 3 * UM, counter=counter), strict=True):
                around = (0.99 * i, 1.01 * i)
                omega = [growth_rate(k, layer, 3 * UM, c, counter=counter).omega for c in around]
                assert omega[0] < 0.0 < omega[1]
    # without resistances of interfaces it needs a layer that conducts better than the electrolyte
    for s_e, finite in ((0.9, False), (1.1, True)):
        edge = replace(BARE, s_e=s_e * (BARE.kappa - BARE.s_i))
        assert np.isfinite(critical_current(q, edge, 3 * UM)).all() == finite
    # long waves: a closed form that does not know the depth
    strong = replace(EVEN, R=0.05)
    t_e = strong.t_e
    exact = strong.U / (t_e * strong.R - (1 - t_e) * strong.Z)
    for d in (1 * UM, 5 * UM):
        assert critical_current(1.0, strong, d) == pytest.approx(exact, rel=1e-6)
    assert critical_current(1.0, replace(strong, Z=1.0), UM) == math.inf


@pytest.mark.parametrize("i", [0.0, 30.0])
def test_amplification_against_the_marched_front(i):
    grid = rough_front.Grid(12 * UM, 6, 18)
    start = wave(grid, 3 * UM, 2e-3)
    time = flat_time(TONGUE, 3 * UM, 4 * UM, i)
    end = rough_front.advance(start, np.array([time]), grid, TONGUE, i, tolerance=1e-9)[0]
    grown = grid.cosines(end)
    assert grown[0] == pytest.approx(4 * UM, rel=1e-5, abs=0.0)
    linear = amplification(grid.q, TONGUE, 3 * UM, 4 * UM, i)
    assert grown[1] / (2e-3 / grid.q) == pytest.approx(linear, rel=1e-4)
    assert (linear > 1.0) == (i > 0.0)


def test_tongue_far_from_first_order_converges():
    """3 um to 6.65 um under 3 mA/cm^2: tip and trough on three grids; the first order is off."""
    time = 0.5 * flat_time(TONGUE, 3 * UM, 10 * UM, 30.0)
    ends = []
    for n, m in ((6, 10), (9, 13), (12, 16)):
        grid = rough_front.Grid(10 * UM, n, m)
        start = 3 * UM + 0.3 * UM * np.cos(grid.q * grid.x)
        end = rough_front.advance(start, np.array([time]), grid, TONGUE, 30.0, tolerance=1e-7)[0]
        ends.append(grid.value(end, np.array([0.0, 5 * UM])) / UM)
    errors = [float(np.abs(end - ends[2]).max()) for end in ends[:2]]
    assert errors[1] < errors[0] / 1.5**4 and errors[1] < 3e-4  # faster than fourth order
    linear = 2 * 0.3 * amplification(grid.q, TONGUE, 3 * UM, grid.cosines(end)[0], 30.0)
    assert linear - (ends[2][0] - ends[2][1]) > 50 * errors[1]  # the tongue is slower than that


def test_one_carrier_front_marched():
    grid, law = rough_front.Grid(12 * UM, 8, 16), OneCarrier(1e-16, 1e-10)
    time = float(round_time(law, 0.0, 4 * UM, 3 * UM, dimension=1))
    end = rough_front.advance(wave(grid, 3 * UM, 1e-3), np.array([time]), grid, law)[0]
    d = np.linspace(3 * UM, 4 * UM, 2001)
    speed = law.k / (law.k / law.k_s + d)
    rate = np.array([float(one_carrier_rate(grid.q, law, x)) for x in d]) / speed
    exact = math.exp(np.trapezoid(rate, d))
    assert grid.cosines(end)[1] / (1e-3 / grid.q) == pytest.approx(exact, rel=1e-5)


# -- films ----------------------------------------------------------------------------------------

E, NU, GROWTH, ETA = 40e9, 0.27, 0.03, 3e14


def lamella(times, creep, growth=GROWTH):
    """In-plane stress of what is laid down: six components, deviator by ODE, free above."""
    G, K = E / (2 * (1 + NU)), E / (3 * (1 - 2 * NU))

    def stress(flow, normal):
        strain = np.array([-growth, -growth, normal])
        mean = strain.sum() / 3
        return 2 * G * (strain - mean - flow) + 3 * K * mean

    def free(flow):  # linear in the normal strain
        low, high = stress(flow, 0.0)[2], stress(flow, 1.0)[2]
        return stress(flow, -low / (high - low))

    def rate(_, flow):
        s = free(flow)
        return creep(s - s.mean())

    found = solve_ivp(rate, (0, times[-1]), np.zeros(3), t_eval=times, rtol=1e-11, atol=1e-15)
    return np.array([free(flow)[0] for flow in found.y.T])


def test_laid_stress():
    tau = relaxation_time(E, NU, ETA)
    times = np.linspace(0.0, 3 * tau, 7)
    found = laid_stress(times, E, NU, GROWTH, ETA)
    assert found == pytest.approx(lamella(times, lambda s: s / (2 * ETA)), rel=1e-8)
    shear = ETA * 2 * (1 + NU) / E  # eta/G
    assert tau == pytest.approx(3 * (1 - NU) / (1 + NU) * shear, rel=1e-12)
    assert laid_stress(1e9, E, NU, GROWTH) == pytest.approx(-E * GROWTH / (1 - NU))


@pytest.mark.parametrize("growth", [GROWTH, -GROWTH])
def test_laid_stress_norton(growth):
    A, n = 1e-4 / 1e9**4, 4.0
    times = np.linspace(0.0, 100.0, 6)

    def creep(s):
        mises = math.sqrt(1.5 * float(s @ s))
        return 1.5 * A * mises ** (n - 1) * s

    found = laid_stress_norton(times, E, NU, growth, A, n)
    assert found == pytest.approx(lamella(times, creep, growth), rel=1e-8)
    assert abs(found[-1]) < 0.7 * abs(found[0])


def test_film_force():
    tau = relaxation_time(E, NU, ETA)
    M, rate, d0 = E / (1 - NU), 1e-10, 2e-7
    t = 1.7 * tau
    fading = math.exp(-t / tau)
    exact = -M * GROWTH * (d0 * fading + rate * tau * (1 - fading))
    found = film_force(t, lambda s: d0 + rate * s, E, NU, GROWTH, ETA)
    assert found == pytest.approx(exact, rel=1e-10)
    start = film_force(t, lambda s: d0 + rate * s, E, NU, GROWTH, ETA, relaxed_start=True)
    assert start == pytest.approx(exact + M * GROWTH * d0 * fading, rel=1e-10)
    # parabolic: Dawson's integral against the quadrature, and against lamellae summed
    k = 1e-17
    for t in (1e-3 * tau, tau, 60 * tau):
        closed = float(film_force_parabolic(t, k, E, NU, GROWTH, ETA))
        quadrature = film_force(t, lambda s: math.sqrt(2 * k * s), E, NU, GROWTH, ETA)
        assert quadrature == pytest.approx(closed, rel=1e-8)
    t, edges = 2 * tau, np.linspace(0.0, 1.0, 4001)
    laid = t * (0.5 * (edges[1:] + edges[:-1])) ** 2  # equal parts of the thickness
    stress = laid_stress(t - laid, E, NU, GROWTH, ETA)
    lamellae = stress.mean() * math.sqrt(2 * k * t)
    closed = float(film_force_parabolic(t, k, E, NU, GROWTH, ETA))
    assert lamellae == pytest.approx(closed, rel=1e-6)
    # early it is elastic; late only the last tau of growth pushes: -M e tau d(delta)/dt
    early = float(film_force_parabolic(1e-6 * tau, k, E, NU, GROWTH, ETA))
    assert early == pytest.approx(-M * GROWTH * math.sqrt(2e-6 * k * tau), rel=1e-5)
    late = float(film_force_parabolic(1e4 * tau, k, E, NU, GROWTH, ETA))
    assert late == pytest.approx(-M * GROWTH * tau * math.sqrt(k / (2e4 * tau)), rel=1e-3)


def test_stressed_growth_on_a_rigid_plate():
    change = 0.1
    e = Expansion(change).in_plane
    film = StressedFilm(E, NU, e, 2e5, 1e-4)
    other = Film(E, NU, Expansion(change))
    assert film.work(1e-7) == pytest.approx(float(other.work(1e-7)), rel=1e-12)
    assert film.work(1e-7) == pytest.approx(-E * e**2 / (1 - NU), rel=1e-12)
    assert 0.5 < film.factor() < 0.99
    times = np.geomspace(1.0, 1e6, 5)
    force, mixed = DrivingForce(2e5, 1e-4), MixedControl(1e-12, 1e-19)
    for law, own in ((OneCarrier(1e-19), Parabolic(1e-19)), (OneCarrier(1e-19, 1e-12), mixed)):
        found = film.thickness(law, 3e-9, times)
        ours = [float(coupled_step(own, force, other.work, 3e-9, t)) for t in times]
        assert found == pytest.approx(np.array(ours), rel=1e-10, abs=0.0)
        done = (found**2 - 9e-18) / (2 * law.k) + (found - 3e-9) / law.k_s
        assert done == pytest.approx(float(film.factor()) * times, rel=1e-9)
    stopped = replace(film, energy=-float(film.work(0.0)) * 1e-4 * 0.99)
    assert stopped.thickness(OneCarrier(1e-19), 3e-9, times) == pytest.approx(3e-9, rel=1e-15)
    now = Activation(1e-5, 300.0).conditions(film.work(0.0))
    assert activation_factor(film.work(0.0), 1e-5, 300.0) == pytest.approx(float(now.reaction))


def test_stressed_growth_on_a_plate_that_gives_way():
    """The work against the derivative of the energy, the thickness against small steps."""
    M, whole, change = E / (1 - NU), 1e-6, 0.1
    e = Expansion(change).in_plane

    def energy(d):  # plate and film of one stiffness, minimised over the common strain
        x = e * d / whole
        return M * (whole - d) * x**2 + M * d * (x - e) ** 2

    for d in (1e-7, 4e-7):
        film = StressedFilm(E, NU, e, 2e5, 1e-4, M * (whole - d), whole - d)
        force = -(energy(d + 1e-11) - energy(d - 1e-11)) / 2e-11
        assert film.work(d) == pytest.approx(force, rel=1e-6, abs=1e-6 * M * e**2)
    film = StressedFilm(E, NU, e, 2e5, 1e-4, M * whole, whole)
    other = Film(E, NU, Expansion(change), M, whole)
    law, own, d = OneCarrier(1e-19, 1e-11), MixedControl(1e-11, 1e-19), 3e-9
    for _ in range(200):
        d = float(coupled_step(own, DrivingForce(2e5, 1e-4), other.work, d, 5e3))
    assert film.thickness(law, 3e-9, [1e6])[0] == pytest.approx(d, rel=2e-6, abs=0.0)
