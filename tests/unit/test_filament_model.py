"""Residual, Jacobian, drive, checkpoints and similarity of a small film, without a mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ssbmech.errors import CaseError, SolverError
from ssbmech.filament import newton
from ssbmech.filament.critical import critical_current, sweep
from ssbmech.filament.film import Network, SlitFlow
from ssbmech.filament.model import FilamentModel
from ssbmech.filament.problem import Elastic, Electric, FilamentProblem, Surface
from ssbmech.filament.system import Demand, FilamentSystem, State
from ssbmech.numerics.stepping import Drive

N, M = 8, 12
LITHIUM = SlitFlow(6.7e-3 * 1e6**-6.6, 6.6)


def problem(**more):
    """A film of 8 nodes with 4 plating nodes beside it; C and R as of a half-plane, roughly."""
    a, E = 1e-5, 150e9
    s = np.linspace(0, a, N)
    area = np.full(N, s[1])
    area[[0, -1]] /= 2
    k = np.arange(N)
    network = Network(
        np.stack([s, 0 * s, 0 * s], 1), s, s, area, np.stack([k[:-1], k[1:]], 1), np.diff(s),
        np.ones(N - 1), np.array([0]),
    )  # fmt: skip
    reach = np.sqrt(np.maximum(1.02 - s / a, 0))
    C = 4 / E * np.outer(reach, reach) * area / a * a + np.diag(0.1 * s[1] / E * np.ones(N))
    C = 0.5 * (area[:, None] * C + (area[:, None] * C).T) / area[:, None]
    K = 1.12 * np.sqrt(np.pi * a) * area[None] / a
    elastic = Elastic(C, np.zeros(N), {"K_I": K}, {"K_I": np.zeros(1)}, ("tip",))
    film = np.concatenate([np.arange(N), np.full(M - N, -1)])
    areas = np.concatenate([area, np.full(M - N, a)])
    x = np.concatenate([s, np.linspace(0, a, M - N)])
    R = a / 0.046 * np.exp(-np.abs(x[:, None] - x[None]) / a) * areas / areas.sum()
    surface = Surface("film", "butler_volmer", 25.0, 0.0, 0.4)
    flat = Surface("flat", "linear", 25.0, 1e-3)
    electric = Electric(
        R, areas, film, (film < 0).astype(int), (surface, flat), np.zeros(M), float(areas.sum()),
        0.025693,
    )  # fmt: skip
    given = {"slit": LITHIUM, "mouth_pressure": 1e6, "toughness": 1e5, **more}
    return FilamentProblem(network, elastic, electric, 5e-9, **given)


@pytest.mark.parametrize("mouth", [None, 1e6])
@pytest.mark.parametrize("demand", [Demand(1.0, 3e-4, None), Demand(2.0, None, -0.02)])
def test_jacobian_is_exact(mouth, demand):
    system = FilamentSystem(problem(mouth_pressure=mouth))
    rng = np.random.default_rng(3)
    p = np.where(rng.random(N) < 0.3, 0.0, rng.random(N) * 2e8)
    state = State(p, rng.random(N) * 3e-8, rng.normal(size=M) * 0.3, -0.01)
    old = rng.random(N) * 3e-8
    x = system.pack(state)
    _, J = system.linearise(x, old, demand)
    for k in range(len(x)):
        h = 1e-6 * max(abs(x[k]), 1e-3)
        step = np.zeros(len(x))
        step[k] = h
        slope = (
            system.residual(x + step, old, demand) - system.residual(x - step, old, demand)
        ) / (2 * h)
        assert J[:, k] == pytest.approx(slope, rel=1e-5, abs=1e-6 * np.abs(J).max())


def test_a_current_is_what_is_asked_for():
    model = FilamentModel(problem())
    for k in range(5):
        trial = model.advance(k + 1.0, 1.0, Drive(current_density=7.0))
        model.accept()
        assert trial.monitors["current_density"] == pytest.approx(7.0, rel=1e-10)
        assert trial.monitors["mass_defect"] < 1e-10
    assert trial.monitors["capacity"] == pytest.approx(35.0, rel=1e-10)
    assert trial.monitors["voltage"] < 0  # negative plates


def test_a_potential_is_what_is_asked_for():
    model = FilamentModel(problem())
    trial = model.advance(1.0, 1.0, Drive(potential=-0.01))
    assert trial.monitors["voltage"] == -0.01
    assert trial.monitors["current_density"] > 0
    rest = model.advance(1.0, 1.0, Drive(current_density=0.0))
    assert rest.monitors["current_density"] == pytest.approx(0.0, abs=1e-9)


def test_a_trial_leaves_no_trace():
    model = FilamentModel(problem())
    model.advance(1.0, 1.0, Drive(current_density=5.0))
    model.accept()
    once = model.advance(2.0, 1.0, Drive(current_density=5.0))
    model.advance(9.0, 8.0, Drive(current_density=50.0))
    assert model.advance(2.0, 1.0, Drive(current_density=5.0)) == once


def test_saved_state_of_another_film():
    model = FilamentModel(problem())
    arrays = model.save()
    with pytest.raises(CaseError, match=r"another film.*pressure has the shape \(3,\).*\(8,\)"):
        model.load({**arrays, "pressure": np.zeros(3)})


def test_the_first_state_bears_the_reservoir():
    model = FilamentModel(problem(mouth_pressure=50e6))
    assert model.state.p[0] == pytest.approx(50e6)
    gap = model.derived.w - model.state.m
    assert np.all(gap > -1e-20)
    # one short step moves little: no jump is left for it
    trial = model.advance(1e-6, 1e-6, Drive(current_density=0.0))
    assert trial.monitors["pressure_max"] == pytest.approx(50e6, rel=1e-3)


def test_similar_bodies():
    big = problem().scaled(4.0)
    assert big.elastic.compliance == pytest.approx(4 * problem().elastic.compliance)
    assert big.elastic.K["K_I"] == pytest.approx(2 * problem().elastic.K["K_I"])
    assert big.electric.resistance == pytest.approx(4 * problem().electric.resistance)
    assert big.network.area == pytest.approx(4 * problem().network.area)
    assert big.electric.counter_area == pytest.approx(4 * problem().electric.counter_area)
    solid = replace(problem(), elastic=replace(problem().elastic, plane=False)).scaled(4.0)
    assert solid.network.area == pytest.approx(16 * problem().network.area)


def test_critical_current_is_where_K_reaches_the_toughness():
    from ssbmech.filament.critical import hold_current

    found = critical_current(problem(), 1e-5, 1e4)
    at = hold_current(problem(), found.current_density, 1e4)
    assert at["K_ratio"] == pytest.approx(1.0, abs=3e-3)
    (large,) = sweep(problem(), 1e-5, [4e-5], 1e4)
    assert found.current_density > large.current_density
    out_of_reach = critical_current(replace(problem(), toughness=1e12), 1e-5, 1e4)
    assert out_of_reach.current_density == np.inf


def test_critical_current_needs_a_toughness():
    with pytest.raises(SolverError, match="no K_IC"):
        critical_current(replace(problem(), toughness=None), 1e-5, 1e4)


def test_newton_says_what_failed():
    with pytest.raises(SolverError, match=r"singular matrix.*residuals"):
        newton.solve(lambda x: (x + 1, np.zeros((1, 1))), lambda x: x + 1, np.zeros(1))
    with pytest.raises(SolverError, match="no descent"):
        newton.solve(lambda x: (x**2 + 1, -np.eye(1)), lambda x: x**2 + 1, np.ones(1))
