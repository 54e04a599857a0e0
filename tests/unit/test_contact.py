"""The nodal law of contact, its memory, and areas of nodes; no mesh."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.errors import CaseError
from ssbmech.lithium.contact import Contact, Held, penalty_of
from ssbmech.lithium.obstacle import Curve, Plane
from ssbmech.lithium.tributary import tributary

WAVE = Curve.of_function(lambda x: 0.3 * np.sin(x), np.linspace(-8, 8, 161), lithium_below=True)


def places(n=40, seed=3):
    """Points a little above and below the wave."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-5, 5, n)
    return np.column_stack([x, 0.3 * np.sin(x) + rng.uniform(-0.02, 0.02, n)])


@pytest.mark.parametrize("friction", ["none", "stick"])
def test_tangent_is_the_derivative(friction):
    law = Contact(WAVE, 50.0, friction)
    x = places()
    held = Held(np.linspace(0, 3, len(x)), np.full(x.shape, 0.3), x + 0.01)
    at = law.touch(x, 0.004, held)
    assert at.active.any() and not at.active.all()
    eps = 1e-7
    for i in range(2):
        d = np.zeros(2)
        d[i] = eps
        up, down = (law.touch(x + s * d, 0.004, held) for s in (1, -1))
        slope = -(up.traction - down.traction) / (2 * eps)
        assert np.abs(slope - at.stiffness[:, :, i]).max() < 1e-6 * 50
    assert np.abs(at.stiffness - at.stiffness.transpose(0, 2, 1)).max() < 1e-12
    assert not at.traction[~at.active].any() and not at.stiffness[~at.active].any()


def test_curvature_is_in_the_tangent():
    law, x = Contact(WAVE, 50.0), places()
    held = Held(np.full(len(x), 5.0), np.zeros(x.shape), x)
    at = law.touch(x, 0.0, held)
    flat = 50.0 * at.normal[:, :, None] * at.normal[:, None, :]
    assert np.abs((at.stiffness - flat)[at.active]).max() > 0.5


def test_pressure_only_in_compression_and_offset_closes_a_gap():
    law = Contact(Plane((0.0, 0.0), (0.0, -1.0)), 10.0)
    x = np.array([[0.0, -0.2], [1.0, 0.0], [2.0, 0.1]])
    at = law.touch(x, 0.0, law.start(x))
    assert at.gap == pytest.approx([0.2, 0.0, -0.1])
    assert at.pressure == pytest.approx([0.0, 0.0, 1.0])
    assert at.active.tolist() == [False, False, True]
    assert at.traction[2] == pytest.approx([0.0, -1.0])
    plated = law.touch(x, np.array([0.3, 0.0, -0.2]), law.start(x))
    assert plated.pressure == pytest.approx([1.0, 0.0, 0.0])


def test_augmentation_carries_the_load_of_a_spring_without_penetration():
    """A node on a spring k_s, pushed by F against a plane: p = F, gap 0 after augmentation."""
    law, force, ks = Contact(Plane((0.0, 0.0), (0.0, -1.0)), 10.0), 3.0, 1.0
    x = np.array([[0.0, -0.5]])
    held, gaps = law.start(x), []
    for _ in range(12):
        for _newton in range(6):
            at = law.touch(x, 0.0, held)
            r = force + at.traction[0, 1] - ks * (x[0, 1] + 0.5)
            x = x + np.array([[0.0, r / (at.stiffness[0, 1, 1] + ks)]])
        gaps.append(law.violation(x, 0.0, held))
        held = law.augmented(x, 0.0, held)
    assert gaps[-1] < 1e-12
    assert np.array(gaps[1:6]) / gaps[:5] == pytest.approx(np.full(5, ks / (10 + ks)), rel=1e-6)
    assert held.pressure[0] == pytest.approx(force - ks * 0.5, rel=1e-10)
    # pulled away, it opens although the multiplier is not zero
    away = np.array([[0.0, -1.0]])
    assert law.touch(away, 0.0, held).pressure[0] == 0.0


def test_sticking_node_holds_its_place_and_forgets_it_when_open():
    law = Contact(Plane((0.0, 0.0), (0.0, -1.0)), 10.0, "stick")
    x = np.array([[0.0, 0.1]])
    held = law.settled(x, 0.0, law.start(x))
    moved = x + np.array([[0.02, 0.0]])
    at = law.touch(moved, 0.0, held)
    assert at.traction[0] == pytest.approx([-0.2, -2.0])  # lam = 1 and a penetration of 0.1
    assert law.violation(moved, 0.0, held) == pytest.approx(0.1)
    held = law.settled(moved, 0.0, held)
    assert held.anchor == pytest.approx(x) and held.shear[0] == pytest.approx([-0.2, 0.0])
    off = np.array([[0.5, -1.0]])
    held = law.settled(off, 0.0, held)
    assert held.anchor == pytest.approx(off) and not held.shear.any()
    assert Contact(law.obstacle, 10.0).touch(moved, 0.0, law.start(x)).traction[0, 0] == 0.0


def test_areas_of_nodes():
    facets = np.array([[0, 2, 1], [2, 4, 3]])
    x = np.column_stack([np.array([0.0, 1.0, 2.0, 3.5, 5.0]), np.zeros(5)])
    w = tributary(facets, x)
    assert w == pytest.approx(np.array([2, 8, 5, 12, 3]) / 6)
    turn = tributary(facets, x, axisymmetric=True)
    assert turn.sum() == pytest.approx(np.pi * 25) and turn[0] == 0
    # moment of a pressure that grows with r: exact to third order
    assert turn @ x[:, 0] == pytest.approx(2 * np.pi * 125 / 3)
    t = np.linspace(0, np.pi / 2, 21)
    arc = np.column_stack([np.cos(t), np.sin(t)])
    curved = np.array([[i, i + 2, i + 1] for i in range(0, 20, 2)])
    assert tributary(curved, arc).sum() == pytest.approx(np.pi / 2, rel=1e-5)
    assert tributary(np.empty((0, 3), int), x).sum() == 0
    with pytest.raises(CaseError, match="second-order facets of 2-D"):
        tributary(np.array([[0, 1, 2, 3, 4, 5]]), np.zeros((6, 3)))


def test_bad_laws_are_refused():
    plane = Plane((0.0, 0.0), (0.0, 1.0))
    with pytest.raises(CaseError, match=r"contact.penalty.*positive"):
        Contact(plane, 0.0)
    with pytest.raises(CaseError, match=r"unknown friction.*'none' or 'stick'"):
        Contact(plane, 1.0, "glue")
    assert penalty_of(5e9, 1e-6) == pytest.approx(5e17)
