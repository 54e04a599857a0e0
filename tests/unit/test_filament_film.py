"""The film as a network, its flow and its first fill, without a mesh."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.filament.faces import _chain, _distance
from ssbmech.filament.film import Network, SlitFlow, flow, initial_fill
from ssbmech.filament.surface import distance, links

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


def test_mobility_has_its_slope():
    g, H, d = np.array([1e13, 3e13]), np.array([2e-8, 1e-8]), 1e-6
    mobility, by_H = LITHIUM.mobility(g, H)
    assert g * mobility == pytest.approx(LITHIUM.flux(g, H), rel=1e-14)
    change = LITHIUM.mobility(g, H * (1 + d))[0] - LITHIUM.mobility(g, H * (1 - d))[0]
    assert by_H == pytest.approx(change / (2 * d * H), rel=1e-8)
    assert LITHIUM.mobility(np.zeros(1), np.ones(1))[0][0] == 0.0


def test_softened_law_meets_the_law():
    soft = LITHIUM.softened(2.0, 3e6)
    H = np.array([1e-8])
    g = 3e6 / H
    # the same rate, so the fluxes differ by the factors 1/(n + 2) alone
    ratio = soft.flux(g, H) * (2.0 + 2) / (LITHIUM.flux(g, H) * (6.6 + 2))
    assert ratio == pytest.approx(1.0, rel=1e-12)
    q = LITHIUM.flux(g, H)[0]
    assert LITHIUM.stress(q, 1e-8) == pytest.approx(3e6, rel=1e-12)


def patch(n, size=1e-5, seed=3):
    """A square of unstructured triangles, its mouth at x = 0; obtuse corners among them."""
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n), indexing="ij")
    inner = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    x = x + inner * rng.uniform(-0.3, 0.3, x.shape) / n
    y = y + inner * rng.uniform(-0.3, 0.3, y.shape) / n
    points = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1) * size
    triangles = Delaunay(points[:, :2] * [1.0, 0.6]).simplices.astype(np.int64)  # not Delaunay here
    sides = points[triangles[:, 1:]] - points[triangles[:, :1]]
    area = np.zeros(len(points))
    each = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 6
    for corner in triangles.T:
        np.add.at(area, corner, each)
    edges, length, width = links(points, triangles)
    mouth = np.flatnonzero(points[:, 0] == 0)
    depth = distance(points, triangles, mouth)
    return Network(points, depth, depth, area, edges, length, width, mouth, triangles)


@pytest.mark.parametrize("network", [straight(6), patch(4)], ids=["line", "surface"])
def test_flow_conserves_and_has_exact_slopes(network):
    n = len(network)
    rng = np.random.default_rng(1)
    p, w, f = rng.random(n) * 1e8, 1e-8 * (1 + rng.random(n)), rng.random(n)
    found = flow(network, LITHIUM, p, w, f)
    assert found.divergence.sum() == pytest.approx(0.0, abs=1e-12 * np.abs(found.rate).max())
    for name, x, scale in (("by_pressure", p, 1e8), ("by_opening", w, 1e-8), ("by_fill", f, 1.0)):
        for k in range(n):
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
            exact = getattr(found, name)
            # of a difference: rounding of the largest flow over the change of 1e-6
            rounding = 1e-9 * np.abs(exact).max()
            assert exact[:, k] == pytest.approx(slope, rel=1e-5, abs=rounding)


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 70.0])
def test_flow_over_a_surface_knows_no_direction_of_the_mesh(angle):
    # a uniform gradient in any direction: no outflow of inner nodes, and through every triangle the
    # flow of the closed form; a flow per edge alone would be cos(angle)^n of it
    network, g, H = patch(7), 1e13, 1e-8
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle)), 0.0])
    assert (network.width < 0).any()
    p = -g * network.points @ along
    n = len(network)
    found = flow(network, LITHIUM, p, np.full(n, 2 * H), np.ones(n))
    x, y, _ = network.points.T
    inner = (x > 0) & (x < x.max()) & (y > 0) & (y < y.max())
    exact = float(LITHIUM.flux(np.array([g]), np.array([H]))[0])
    assert np.abs(found.divergence[inner]).max() < 1e-9 * exact * x.max()
    # the virtual work of the flow: sum of divergence times x is the flux along x over the area
    work = -float(found.divergence @ x)
    assert work == pytest.approx(exact * along[0] * x.max() ** 2, rel=1e-9, abs=1e-12 * exact)


def test_distances_over_a_surface():
    network = patch(9)
    x = network.points[:, 0]
    assert network.s == pytest.approx(x, abs=1e-12 * x.max())  # straight source: exact
    corner = distance(network.points, network.triangles, [0])
    assert corner == pytest.approx(np.linalg.norm(network.points, axis=1), rel=0.05)
    assert not distance(network.points, network.triangles, []).any()


@pytest.mark.parametrize("filled", [0.0, 2.2e-6, 5e-6, 1e-5, 2e-5])
def test_first_fill_of_a_surface_has_the_area_asked_for(filled):
    network = patch(8)
    share = initial_fill(network, filled)
    assert network.area @ share == pytest.approx(min(filled, 1e-5) * 1e-5, rel=1e-10, abs=1e-22)
    assert np.all((share >= 0) & (share <= 1 + 1e-12))


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
