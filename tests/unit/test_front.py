"""Fronts, their splines and the graded face rules, without a mesh."""

import numpy as np
import pytest
from ssbmech.errors import FractureError
from ssbmech.fracture.along import FrontLine
from ssbmech.fracture.contour import ForceField
from ssbmech.fracture.front import Curve
from ssbmech.fracture.sampling import facet_rule
from ssbmech.numerics.linear import rigid_modes


class Alone:
    """A communicator of one rank."""

    def Allreduce(self, source, target, op=None):
        target[...] = source


def circle(n, closed, radius=2.0):
    end = 2 * np.pi if closed else np.pi / 2
    angle = np.linspace(0, end, n, endpoint=not closed)
    points = radius * np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    up = np.tile([0.0, 0.0, 1.0], (n, 1))
    return Curve("front", points, np.arange(n), up, points / radius, closed), radius


@pytest.mark.parametrize(("n", "closed"), [(48, True), (16, False)])
def test_points_near_a_circle(n, closed):
    """Distances, frame, stretch and length against the circle; cubic splines are O(h^4)."""
    front, radius = circle(n, closed)
    assert front.length == pytest.approx(radius * (2 * np.pi if closed else np.pi / 2), rel=1e-5)
    angle = np.array([0.3, 0.71, 1.1])
    er = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    x = (radius + np.array([0.2, -0.5, 0.1]))[:, None] * er + np.array([0, 0, 0.3])
    where = front.locate(x)
    np.testing.assert_allclose(where.x1, [0.2, -0.5, 0.1], atol=2e-5)
    np.testing.assert_allclose(where.x2, 0.3, atol=1e-12)
    np.testing.assert_allclose(where.frame[:, 0], er, atol=2e-4)
    np.testing.assert_allclose(where.frame[:, 1], np.tile([0, 0, 1.0], (3, 1)), atol=1e-12)
    # c/rho at the points: 1 over the distance from the axis
    np.testing.assert_allclose(where.curvature[:, 0], 1 / np.hypot(x[:, 0], x[:, 1]), rtol=1e-2)
    right_handed = np.cross(where.frame[:, 0], where.frame[:, 1])
    np.testing.assert_allclose(right_handed, where.frame[:, 2], atol=1e-12)


@pytest.mark.parametrize("closed", [True, False])
def test_values_along_a_front_are_recovered(closed):
    """Vertex forces of a known J(s) give J back; one vertex force per P1 function on the front."""
    front, _ = circle(60, closed)
    line = FrontLine(front, np.array([0.3]), Alone(), points=41, width=0.4)

    def J(s):
        return 2 + np.cos(2 * np.pi * s / front.length) if closed else 2 + 0.3 * s

    # exact forces int J phi_v e1 ds: fine quadrature of the vertices' hat functions
    t, w = np.polynomial.legendre.leggauss(8)
    t, w = (t + 1) / 2, w / 2
    a, b = front.knots[:-1], front.knots[1:]
    s = a[:, None] + (b - a)[:, None] * t
    e1 = front.frame_at(s)[..., 0, :]
    density = (J(s) * (b - a)[:, None] * w)[..., None] * e1
    force = np.zeros((60, 3))
    last = (np.arange(len(a)) + 1) % 60
    np.add.at(force, np.arange(len(a)), np.einsum("eqk,q->ek", density, 1 - t))
    np.add.at(force, last, np.einsum("eqk,q->ek", density, t))
    where = front.locate(front.points)
    along_e1 = np.einsum("vk,vk->v", force, where.frame[:, 0])
    field = ForceField(np.arange(60), where, {"J": along_e1})
    found = line.project(field, 0.1, 0.3, 1.0)["J"]
    np.testing.assert_allclose(found, J(line.s), rtol=5e-4)


def test_extensions_narrower_than_the_elements_are_refused():
    front, _ = circle(12, False)
    with pytest.raises(FractureError, match="too narrow"):
        FrontLine(front, np.array([0.3]), Alone(), points=41, width=0.05)


@pytest.mark.parametrize(("dim", "graded"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_face_rules(dim, graded):
    """Polynomials exactly, and 1/sqrt(distance) from the graded vertex or edge exactly."""
    points, weights = facet_rule(dim, 8, graded)
    np.testing.assert_allclose(points.sum(axis=1), 1)
    if dim == 2:
        assert weights @ points[:, 1] ** 3 == pytest.approx(1 / 4, rel=1e-13)
        exact, distance = 2.0, points[:, 1]
    else:
        # int l1^2 l2 over the reference triangle = 2! 1! / 5!
        assert weights @ (points[:, 1] ** 2 * points[:, 2]) == pytest.approx(2 / 120, rel=1e-13)
        edge = graded == 2
        exact, distance = (4 / 3, points[:, 2]) if edge else (2 / 3, points[:, 1] + points[:, 2])
    found = weights @ distance**-0.5
    if graded:
        assert found == pytest.approx(exact, rel=1e-12)
    elif dim == 2:
        assert abs(found / exact - 1) > 0.01  # what the grading is for


@pytest.mark.parametrize("model", ["3d", "plane_strain"])
def test_rigid_modes_do_not_strain(model):
    """The displacement between two points stays normal to their distance (small rotations)."""
    x = np.random.default_rng(1).random((6, 3))
    dim = 3 if model == "3d" else 2
    x[:, dim:] = 0
    for mode in rigid_modes(x, model):
        difference = mode[:, None] - mode[None]
        stretch = np.einsum("ijk,ijk->ij", difference, (x[:, None] - x[None])[..., :dim])
        np.testing.assert_allclose(stretch, 0, atol=1e-14)
