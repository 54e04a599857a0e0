"""The film as a network, its flow and its first fill, without a mesh."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.filament.faces import Faces, _chain, _distance
from ssbmech.filament.film import Network, SlitFlow, flow, initial_fill
from ssbmech.filament.profile import FaceProfile

LITHIUM = SlitFlow(6.7e-3 * 1e6**-6.6, 6.6)


def straight(n, length=1e-5):
    s = np.linspace(0, length, n)
    area = np.full(n, s[1])
    area[[0, -1]] /= 2
    k = np.arange(n)
    edges = np.stack([k[:-1], k[1:]], axis=1)
    return Network(
        np.stack([s, 0 * s, 0 * s], 1), s, s, area, edges, np.diff(s), np.ones(n - 1), np.array([0])
    )


def test_flux_is_the_closed_form():
    # q = 2 A_s g^n H^(n+2)/(n+2) with A_s = 3^((n+1)/2) B, in numbers of another order
    g, H, n, B = 2e13, 2e-8, 6.6, 6.7e-3
    A_s = 3 ** ((n + 1) / 2) * B
    expected = 2 * A_s * (g * 1e-6 * H) ** n * H**2 / (n + 2)
    found = LITHIUM.flux(np.array([g, -g, 0.0]), np.full(3, H))
    assert found == pytest.approx([expected, -expected, 0.0], rel=1e-12)


def test_newtonian_flux_is_poiseuille():
    # n = 1: eps_dot = B sigma, shear viscosity 1/(3 B): q = 2 g H^3/(3 mu)
    B, g, H = 1e-12, 1e9, 1e-6
    q = SlitFlow(B, 1.0).flux(np.array([g]), np.array([H]))[0]
    assert q == pytest.approx(2 * g * H**3 / (3 / (3 * B)), rel=1e-12)


def test_slopes_of_the_flux():
    g, H = np.array([1e13, -3e13]), np.array([2e-8, 1e-8])
    by_g, by_H = LITHIUM.slopes(g, H)
    d = 1e-6
    assert by_g == pytest.approx((LITHIUM.flux(g * (1 + d), H) - LITHIUM.flux(g * (1 - d), H))
                                 / (2 * d * g), rel=1e-8)  # fmt: skip
    assert by_H == pytest.approx((LITHIUM.flux(g, H * (1 + d)) - LITHIUM.flux(g, H * (1 - d)))
                                 / (2 * d * H), rel=1e-8)  # fmt: skip
    assert LITHIUM.slopes(np.zeros(1), np.ones(1))[0][0] == 0.0


def test_softened_law_meets_the_law():
    soft = LITHIUM.softened(2.0, 3e6)
    H = np.array([1e-8])
    g = 3e6 / H
    # the same rate, so the fluxes differ by the factors 1/(n + 2) alone
    ratio = soft.flux(g, H) * (2.0 + 2) / (LITHIUM.flux(g, H) * (6.6 + 2))
    assert ratio == pytest.approx(1.0, rel=1e-12)
    q = LITHIUM.flux(g, H)[0]
    assert LITHIUM.stress(q, 1e-8) == pytest.approx(3e6, rel=1e-12)


def test_flow_conserves_and_has_exact_slopes():
    network = straight(6)
    rng = np.random.default_rng(1)
    p, w, f = rng.random(6) * 1e8, 1e-8 * (1 + rng.random(6)), rng.random(6)
    found = flow(network, LITHIUM, p, w, f)
    assert found.divergence.sum() == pytest.approx(0.0, abs=1e-12 * np.abs(found.rate).max())
    for name, x, scale in (("by_pressure", p, 1e8), ("by_opening", w, 1e-8), ("by_fill", f, 1.0)):
        for k in range(6):
            up, down = x.copy(), x.copy()
            up[k] += 1e-6 * scale
            down[k] -= 1e-6 * scale
            at = {"by_pressure": 0, "by_opening": 1, "by_fill": 2}[name]
            args = [p, w, f]
            args[at] = up
            high = flow(network, LITHIUM, *args).divergence
            args[at] = down
            low = flow(network, LITHIUM, *args).divergence
            slope = (high - low) / (2e-6 * scale)
            assert getattr(found, name)[:, k] == pytest.approx(
                slope, rel=1e-5, abs=1e-8 * np.abs(slope).max()
            )


def test_a_node_without_lithium_gives_none():
    network = straight(3)
    p, w = np.array([1e8, 0.0, 0.0]), np.full(3, 1e-8)
    assert flow(network, LITHIUM, p, w, np.zeros(3)).rate[0] == 0.0
    assert flow(network, LITHIUM, p, w, np.array([1.0, 0.0, 0.0])).rate[0] > 0.0


@pytest.mark.parametrize("filled", [0.0, 3e-6, 3.3e-6, 1e-5])
def test_first_fill_has_the_length_asked_for(filled):
    network = straight(11)
    share = initial_fill(network, filled)
    assert network.area @ share == pytest.approx(filled, abs=1e-20)
    assert np.all((share >= 0) & (share <= 1 + 1e-12))
    assert np.all(initial_fill(network, None) == 1)


def test_chain_begins_at_the_mouth():
    edges = np.array([[2, 0], [0, 3], [3, 1]])
    points = np.zeros((4, 3))
    points[[2, 0, 3, 1], 0] = range(4)
    assert _chain(4, edges, [1], points).tolist() == [1, 3, 0, 2]
    assert _chain(4, edges, [], points).tolist() == [2, 0, 3, 1]
    assert _chain(4, np.array([[0, 1], [0, 2], [0, 3]]), [], points) is None
    far = _distance(4, edges, np.array([1.0, 2.0, 4.0]), [1])
    assert far.tolist() == [6.0, 0.0, 7.0, 4.0]


def test_profile_is_linear_in_the_parameter_of_a_facet():
    points = np.array([[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0]])
    faces = Faces(np.arange(3), points, np.array([[0, 1], [1, 2]]), np.array([0.5, 0.75]))
    profile = FaceProfile(faces, np.array([1.0, 3.0, 7.0]))
    assert profile.value([[0.25, 0, 0], [1.0, 0, 0]]) == pytest.approx([1.5, 3.0])
    # a quarter point at 2: the distance to it goes with the square of the parameter
    assert profile.value([[[1.75, 0, 0]]])[0, 0] == pytest.approx(3 + 4 * 0.5)
    assert profile.value([2.0, 0, 0]) == pytest.approx(7.0)
    assert not profile.is_constant
