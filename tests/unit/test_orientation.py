"""Orientations of grains against scipy's rotations and exact angles."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from ssbmech.errors import MeshError
from ssbmech.meshes.orientation import grain_orientations, misorientation, product


def test_uniform_rotations_have_no_preferred_direction():
    turns = Rotation.from_quat(grain_orientations(20000, seed=1))
    for axis in np.eye(3):
        v = turns.apply(axis)
        # components of a uniform unit vector: mean 0, <v v> = 1/3, standard error of both < 0.004
        assert np.abs(v.mean(axis=0)).max() < 0.016
        assert np.abs(v.T @ v / len(v) - np.eye(3) / 3).max() < 0.012


@pytest.mark.parametrize("crystal", ["100", "110", "111"])
@pytest.mark.parametrize("sample", ["x", "y", "z"])
def test_fibre(crystal, sample):
    q = grain_orientations(2000, "fibre", seed=2, crystal_axis=crystal, sample_axis=sample)
    axis = np.array([float(c) for c in crystal])
    along = np.eye(3)["xyz".index(sample)]
    held = Rotation.from_quat(q).apply(axis / np.linalg.norm(axis))
    assert np.abs(held - along).max() < 1e-12
    # about the fibre all angles are equally likely: the mean of another axis goes as 1/sqrt(n)
    other = Rotation.from_quat(q).apply(np.cross(axis, [0.3, -0.5, 0.8]))
    assert np.linalg.norm(other.mean(axis=0) - along * (other @ along).mean()) < 0.08


def test_spread_of_a_fibre_and_of_a_single_crystal():
    fibre = Rotation.from_quat(grain_orientations(20000, "fibre", 5.0, 3)).apply([1, 0, 0])
    tilt = np.degrees(np.arccos(fibre[:, 1]))
    assert np.sqrt((tilt**2).mean() / 2) == pytest.approx(5.0, rel=0.02)  # about two axes
    single = Rotation.from_quat(grain_orientations(20000, "single", 4.0, 3))
    vector = np.degrees(single.as_rotvec())
    assert vector.std(axis=0) == pytest.approx([4.0, 4.0, 4.0], rel=0.02)
    assert Rotation.from_quat(grain_orientations(3, "single")).magnitude().max() == 0


def test_quaternion_product_is_scipys():
    a, b = grain_orientations(20, seed=1), grain_orientations(20, seed=2)
    expected = (Rotation.from_quat(a) * Rotation.from_quat(b)).as_matrix()
    np.testing.assert_allclose(Rotation.from_quat(product(a, b)).as_matrix(), expected, atol=1e-14)


def test_misorientation():
    cube = Rotation.create_group("O")
    a, b = grain_orientations(24, seed=1), grain_orientations(24, seed=2)
    angle = misorientation(a, b)
    # the smallest over both crystals' symmetries, one by one
    left, right = Rotation.from_quat(a), Rotation.from_quat(b)
    every = [((left * s).inv() * (right * t)).magnitude() for s in cube for t in cube]
    np.testing.assert_allclose(angle, np.degrees(np.min(every, axis=0)), atol=1e-6)
    np.testing.assert_allclose(misorientation(b, a), angle, atol=1e-9)
    np.testing.assert_allclose(misorientation(a, (left * cube).as_quat()), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("axis", "angle", "expected"),
    [
        ([0, 0, 1], 30, 30),
        ([0, 0, 1], 80, 10),
        ([1, 1, 1], 60, 60),  # a twin, Sigma 3
        ([1, 1, 1], 100, 20),
        ([1, 1, 0], 70.5287794, 60),  # the same twin
    ],
)
def test_misorientation_of_known_boundaries(axis, angle, expected):
    turn = Rotation.from_rotvec(np.radians(angle) * np.array(axis) / np.linalg.norm(axis))
    found = misorientation(np.array([0.0, 0, 0, 1]), turn.as_quat())
    assert found == pytest.approx([expected], abs=1e-6)


def test_same_seed_same_orientations():
    for texture in ("random", "fibre", "single"):
        spread = 0 if texture == "random" else 5
        one, two = (grain_orientations(9, texture, spread, 7) for _ in range(2))
        assert one.tobytes() == two.tobytes()
        np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, rtol=1e-14)
        assert (one[:, 3] >= 0).all()


@pytest.mark.parametrize(
    ("call", "key"),
    [
        ({"n": 0}, "n"),
        ({"n": 5, "texture": "cube"}, "texture"),
        ({"n": 5, "spread": 3.0}, "spread"),
        ({"n": 5, "texture": "fibre", "spread": 90}, "spread"),
        ({"n": 5, "texture": "fibre", "crystal_axis": "123"}, "crystal_axis"),
        ({"n": 5, "texture": "fibre", "sample_axis": "w"}, "sample_axis"),
    ],
)
def test_bad_parameters(call, key):
    with pytest.raises(MeshError) as caught:
        grain_orientations(**call)
    assert caught.value.key == key and caught.value.allowed
