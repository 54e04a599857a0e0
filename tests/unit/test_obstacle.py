"""Rigid obstacles: distance, normal and curvature against circle, sine and plane."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.errors import CaseError
from ssbmech.lithium.arcs import Arcs
from ssbmech.lithium.obstacle import Curve, Plane, chain, curve_of_facets


def circle(n=80, radius=2.0, *, inside=True):
    t = 2 * np.pi * np.arange(n) / n
    return Curve(radius * np.column_stack([np.cos(t), np.sin(t) if inside else -np.sin(t)]), True)


def around(r, n=37):
    t = 2 * np.pi * (np.arange(n) + 0.3) / n
    return np.column_stack([np.cos(t), np.sin(t)]) * np.asarray(r)


def test_plane_is_exact():
    plane = Plane((1.0, 2.0), (0.0, -3.0))
    seen = plane.look(np.array([[0.0, 0.0], [5.0, 3.0]]))
    assert seen.distance == pytest.approx([2.0, -1.0], abs=1e-15)
    assert seen.normal == pytest.approx(np.array([[0, -1], [0, -1]]))
    assert not seen.hessian.any()
    assert Plane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)).dim == 3


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("r", [1.2, 1.9, 2.0, 2.3, 5.0])
def test_circle(inside, r):
    x = around(r)
    seen = circle(inside=inside).look(x)
    sign = -1.0 if inside else 1.0
    # a cubic spline through n points is off by (2 pi/n)^4 R/384 = 2e-7, its curvature by h^2/12
    assert seen.distance == pytest.approx(np.full(len(x), sign * (r - 2.0)), abs=4e-7)
    assert np.abs(seen.normal - sign * x / r).max() < 1e-5
    t = np.column_stack([-x[:, 1], x[:, 0]]) / r
    exact = sign / r * t[:, :, None] * t[:, None, :]
    # inside, near the centre, 1/(1 - k d) makes more of an error of the curvature k
    assert np.abs(seen.hessian - exact).max() < 1.5e-3 * (2.0 / r if inside else 1.0) ** 2


def test_spline_of_circle_converges_with_fourth_order():
    errors = [np.abs(circle(n).look(around(1.9)).distance - 0.1).max() for n in (20, 40, 80)]
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (rates > 3.6).all(), rates


def test_derivatives_agree_with_finite_differences():
    x = np.linspace(-9.0, 9.0, 181)
    curve = Curve.of_function(lambda x: 0.4 * np.sin(x), x, lithium_below=True)
    p = np.column_stack([np.linspace(-6, 6, 41), np.linspace(-0.9, 0.5, 41)])
    seen, eps = curve.look(p), 1e-6
    for i in range(2):
        d = np.zeros(2)
        d[i] = eps
        up, down = curve.look(p + d), curve.look(p - d)
        assert np.abs((up.distance - down.distance) / (2 * eps) - seen.normal[:, i]).max() < 1e-8
        slope = (up.normal - down.normal) / (2 * eps)
        assert np.abs(slope - seen.hessian[:, :, i]).max() < 1e-7
    assert (seen.distance[p[:, 1] < -0.5] > 0).all()


def test_sine_distance_and_curvature_at_crest_and_trough():
    a, lam = 0.3, 4.0
    k = 2 * np.pi / lam
    curve = Curve.of_function(lambda x: a * np.cos(k * x), np.linspace(-8, 8, 401),
                              lithium_below=True)  # fmt: skip
    seen = curve.look(np.array([[0.0, a - 0.1], [2.0, -a - 0.1]]))
    assert seen.distance == pytest.approx([0.1, 0.1], abs=1e-7)
    # lithium below: at the crest of the electrolyte's surface (a hollow) the distance curves in
    bend = a * k**2
    assert seen.hessian[:, 0, 0] == pytest.approx(
        [-bend / (1 - 0.1 * bend), bend / (1 + 0.1 * bend)], rel=1e-3
    )


def test_open_curve_goes_on_straight():
    curve = Curve(np.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]]))
    seen = curve.look(np.array([[50.0, -2.0], [-30.0, 1.0]]))
    assert seen.distance == pytest.approx([2.0, -1.0], abs=1e-12)
    tilted = Curve(np.array([[1.0, 0.0], [0.5, 0.02], [0.0, 0.0]]),
                   ends=(np.array([-1.0, 0.0]), np.array([-1.0, 0.0])))  # fmt: skip
    assert tilted.look(np.array([[9.0, -2.0]])).distance == pytest.approx([2.0], abs=1e-12)


def test_curve_through_facets_on_the_side_of_the_lithium():
    x = np.linspace(0, 4, 17)
    points = np.column_stack([x, 0.1 * x**2, 0 * x])
    facets = np.array([[i, i + 2, i + 1] for i in range(0, 16, 2)])[[3, 1, 0, 2, 7, 6, 4, 5]]
    facets[2] = facets[2][[1, 0, 2]]
    for lithium, sign in (([0.0, -3.0], 1), ([0.0, 9.0], -1)):
        curve = curve_of_facets(points, facets, np.array(lithium))
        assert np.sign(curve.look(np.array([[2.0, -1.0]])).distance) == sign
        assert np.abs(curve.look(points[:, :2]).distance).max() < 1e-12
    order, closed = chain(np.array([[0, 1], [2, 0], [1, 2]]))
    assert closed and sorted(order) == [0, 1, 2]


def test_bad_surfaces_are_refused():
    with pytest.raises(CaseError, match="corner: it turns by 90 degrees at \\(1, 0\\)"):
        Curve(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    with pytest.raises(CaseError, match="coincide"):
        Curve(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))
    with pytest.raises(CaseError, match="surfaces in 3-D are planes"):
        Curve(np.zeros((4, 3)))
    with pytest.raises(CaseError, match="normal that is not zero"):
        Plane((0.0, 0.0), (0.0, 0.0))
    with pytest.raises(CaseError, match="several lines"):
        chain(np.array([[0, 1], [1, 2], [2, 3], [5, 6], [6, 7], [7, 5]]))
    with pytest.raises(CaseError, match="without branches"):
        chain(np.array([[0, 1], [1, 2], [1, 3]]))


def test_arcs_are_exact_and_differentiable():
    # down a slope, round a hollow of radius 2 to the left, up again: lithium inside
    way = Arcs((-3.0, 3.0), -1.0, ((2.0, 0.0), (4.0, 2.0), (2.0, 0.0)))
    centre = way.parts[1].centre
    assert np.linalg.norm(way.points() - centre, axis=1).min() == pytest.approx(2.0)
    x = centre + around(1.7, 23) * [0.2, -1.0] * [1.0, 0.9]
    seen, eps = way.look(x), 1e-6
    below = x[:, 1] < centre[1] - 1.0  # the foot is on the arc
    away = x - centre
    assert seen.distance[below] == pytest.approx(2.0 - np.linalg.norm(away[below], axis=1))
    for i in range(2):
        d = np.zeros(2)
        d[i] = eps
        up, down = way.look(x + d), way.look(x - d)
        same = np.abs(up.hessian - down.hessian).max(axis=(1, 2)) < 1e-4  # not across a joint
        assert same.sum() > 10
        slope = (up.normal - down.normal) / (2 * eps)
        assert np.abs(slope - seen.hessian[:, :, i])[same].max() < 1e-7
        rise = (up.distance - down.distance) / (2 * eps)
        assert np.abs(rise - seen.normal[:, i])[same].max() < 1e-8
    for bad in ([(1.0, 0.5), (1.0, 0.0)], [(1.0, 0.0), (0.0, 0.0)], [(1.0, 0.0), (9.0, 7.0)], []):
        with pytest.raises(CaseError, match="begins and ends with a line"):
            Arcs((0.0, 0.0), 0.0, bad)
