import math

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.inclusion import ellipsoid_filament, shell, sphere
from ssbmech.meshes.solid import penny, semi_ellipse


def normals(data, name):
    rows = data.facets[data.facet_tags == data.facet_groups[name]]
    p = data.points[rows[:, :3]]
    return rows, np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) / 2


def area(data, name):
    return float(np.linalg.norm(normals(data, name)[1], axis=1).sum())


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("symmetry", ["octant", "z", None])
@pytest.mark.parametrize("front", ["web", "graded"])
def test_penny(order, symmetry, front):
    data = penny(1, 5, symmetry=symmetry, order=order, front=front, sectors=4)
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    # Octagon-like polygons of 16 sides lose 2.6 % of the disc; parabolas 1e-4.
    exact = data.notes["volume:electrolyte"]
    limit = 0.03 if order == 1 else 2e-4
    assert report.measures["electrolyte"] == pytest.approx(exact, rel=limit)
    groups = {"side", "top", "crack_upper"}
    groups |= {"crack_lower", "bottom"} if symmetry is None else {"symmetry_z"}
    groups |= {"symmetry_x", "symmetry_y"} if symmetry == "octant" else set()
    assert set(data.facet_groups) == groups
    line = data.front("front")
    assert len(line) == (4 if symmetry == "octant" else 16)
    radius = np.linalg.norm(data.points[line][..., :2], axis=2)
    np.testing.assert_allclose(radius, 1, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_both_faces_of_a_penny_are_equal_and_share_the_front(order):
    data = penny(1, 5, symmetry=None, order=order, sectors=3, filled=0.5)
    assert area(data, "crack_lower_dry") == pytest.approx(area(data, "crack_upper_dry"))
    assert area(data, "crack_lower_filled") == pytest.approx(area(data, "crack_upper_filled"))
    low, up = (
        np.concatenate([normals(data, f"{s}_{p}")[0][:, :3].ravel() for p in ("dry", "filled")])
        for s in ("crack_lower", "crack_upper")
    )
    assert set(np.intersect1d(low, up)) == set(data.front("front").ravel())
    if order == 2:  # the middles of the front's edges are on the circle
        rows = np.concatenate([normals(data, "crack_upper_dry")[0]])
        shared = np.intersect1d(rows[:, 3:], normals(data, "crack_lower_dry")[0][:, 3:])
        assert len(shared) == 12
        np.testing.assert_allclose(np.hypot(*data.points[shared, :2].T), 1, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("symmetry", ["yz", "z", None])
@pytest.mark.parametrize(("a", "c"), [(1, 1), (1, 2.5), (2, 1)])
def test_semi_ellipse(order, symmetry, a, c):
    data = semi_ellipse(a, c, 8, 10, 6, symmetry=symmetry, order=order, sectors=6)
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    share = {"yz": 0.25, "z": 0.5, None: 1}[symmetry]
    assert report.measures["electrolyte"] == pytest.approx(8 * 20 * 12 * share, rel=1e-9)
    groups = {"interface", "back", "right", "top", "crack_upper"}
    groups |= {"symmetry_y"} if symmetry == "yz" else {"left"}
    groups |= {"crack_lower", "bottom"} if symmetry is None else {"symmetry_z"}
    assert set(data.facet_groups) == groups
    for name, axis, value in (("interface", 0, 0), ("back", 0, 8), ("right", 1, 10), ("top", 2, 6)):
        rows = normals(data, name)[0]
        np.testing.assert_allclose(data.points[rows][..., axis], value, atol=1e-9)
    p = data.points[data.front("front")]
    np.testing.assert_allclose((p[..., 0] / a) ** 2 + (p[..., 1] / c) ** 2, 1, atol=1e-12)
    assert np.abs(p[..., 2]).max() == 0
    assert area(data, "interface") == pytest.approx(20 * 12 * share, rel=1e-9)


def test_thin_ligament_and_flat_ellipse():
    refuse(inspect(semi_ellipse(1, 4, 20, 20)))
    refuse(inspect(semi_ellipse(1, 2, 2, 20, 10, filled=0.5)))


@pytest.mark.parametrize("order", [1, 2])
def test_spheres_and_filament(order):
    rel = 0.05 if order == 1 else 2e-4
    for data, volumes in (
        (sphere(1, 4, order=order), {"inclusion": math.pi / 6, "matrix": math.pi / 6 * 63}),
        (shell(1, 2, order=order), {"shell": math.pi / 6 * 7}),
        (
            ellipsoid_filament(5, 1, 20, 10, filled="lithium", order=order),
            {"lithium": math.pi * 10 / 12, "electrolyte": math.pi * (500 - 10 / 12)},
        ),
        (
            ellipsoid_filament(5, 1, 20, 10, symmetry=None, order=order, sectors=5),
            {"electrolyte": math.pi * (2000 - 10 / 3)},
        ),
    ):
        report = inspect(data)
        refuse(report)
        assert report.n_untagged_sides == 0
        for name, exact in volumes.items():
            assert data.notes[f"volume:{name}"] == pytest.approx(exact, rel=1e-12)
            assert report.measures[name] == pytest.approx(exact, rel=rel)
    assert "interface" in data.facet_groups


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: penny(6, 5), "a"),
        (lambda: penny(1, 5, symmetry="y"), "symmetry"),
        (lambda: penny(1, 5, sectors=1), "sectors"),
        (lambda: penny(1, 5, h_front=2), "h_front"),
        (lambda: penny(1, 5, filled=1), "filled"),
        (lambda: semi_ellipse(1, 5, 20, 20), "c"),
        (lambda: semi_ellipse(1, 1, 0.9, 20), "a"),
        (lambda: semi_ellipse(1, 1, 9, 20, filled=2), "filled"),
        (lambda: sphere(2, 1), "radius"),
        (lambda: shell(1, 1), "inner"),
        (lambda: ellipsoid_filament(5, 1, 4), "ellipse"),
    ],
)
def test_bad_parameters_are_refused(call, key):
    with pytest.raises(MeshError) as error:
        call()
    assert error.value.key == key
