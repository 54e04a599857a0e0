import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.cracks import edge, griffith, strip
from ssbmech.meshes.gate import inspect, refuse

SIDES = {"left", "right", "bottom", "top"}


def length(data, name):
    rows = data.facets[data.facet_tags == data.facet_groups[name]]
    return float(np.linalg.norm(data.points[rows[:, 0]] - data.points[rows[:, 1]], axis=1).sum())


@pytest.mark.parametrize("tip", ["graded", "spider"])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("angle", [0, 30, 45, -60, 90])
def test_griffith_whole(tip, order, angle):
    data = griffith(1, 10, 8, angle=angle, tip=tip, order=order, growth=0.5)
    refuse(inspect(data))
    assert inspect(data).n_untagged_sides == 0
    assert set(data.facet_groups) == SIDES | {"crack_lower", "crack_upper"}
    assert length(data, "crack_lower") == pytest.approx(2)
    assert length(data, "crack_upper") == pytest.approx(2)
    low, up = (data.facets[data.facet_tags == data.facet_groups[f"crack_{s}"]]
               for s in ("lower", "upper"))  # fmt: skip
    tips = {int(data.fronts[n][0, 0]) for n in ("tip_left", "tip_right")}
    assert set(np.intersect1d(low, up)) == tips
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0])
    np.testing.assert_allclose(data.points[data.fronts["tip_right"][0, 0]], direction, atol=1e-12)


@pytest.mark.parametrize("tip", ["graded", "spider"])
@pytest.mark.parametrize(
    ("symmetry", "groups", "fronts"),
    [
        ("y", {"left", "right", "top", "symmetry_y", "crack_upper"}, {"tip_left", "tip_right"}),
        ("xy", {"right", "top", "symmetry_x", "symmetry_y", "crack_upper"}, {"tip"}),
    ],
)
def test_griffith_symmetric(tip, symmetry, groups, fronts):
    data = griffith(1, 10, symmetry=symmetry, tip=tip)
    refuse(inspect(data))
    assert inspect(data).n_untagged_sides == 0
    assert set(data.facet_groups) == groups
    assert set(data.fronts) == fronts
    assert length(data, "crack_upper") == pytest.approx(2 if symmetry == "y" else 1)


@pytest.mark.parametrize("symmetry", [None, "y", "xy"])
def test_partly_filled_faces_are_apart(symmetry):
    data = griffith(1, 10, symmetry=symmetry, filled=0.3)
    refuse(inspect(data))
    share = 0.5 if symmetry == "xy" else 1
    assert length(data, "crack_upper_filled") == pytest.approx(0.6 * share)
    assert length(data, "crack_upper_dry") == pytest.approx(1.4 * share)
    assert ("crack_lower_dry" in data.facet_groups) == (symmetry is None)


@pytest.mark.parametrize("tip", ["graded", "spider"])
@pytest.mark.parametrize("symmetry", [None, "y"])
def test_edge(tip, symmetry):
    data = edge(1, 10, symmetry=symmetry, tip=tip)
    refuse(inspect(data))
    share = 1 if symmetry is None else 0.5
    assert length(data, "interface") == pytest.approx(20 * share)
    assert length(data, "crack_upper") == pytest.approx(1)
    np.testing.assert_allclose(data.points[data.fronts["tip"][0, 0]], [1, 0, 0])
    mouths = (np.abs(data.points) < 1e-12).all(axis=1)
    assert mouths.sum() == (2 if symmetry is None else 1)


def test_strip():
    data = strip(20, 10, 0.5, 8)
    refuse(inspect(data))
    assert length(data, "wedge_contact") == pytest.approx(9.5)
    assert length(data, "crack_upper") == pytest.approx(0.5)


@pytest.mark.parametrize("tip", ["graded", "spider"])
def test_size_at_the_tip_and_quarter_points(tip):
    data = griffith(1, 10, symmetry="y", tip=tip, h_tip=0.02, quarter_point=True)
    node = int(data.fronts["tip_right"][0, 0])
    cells = data.cells[(data.cells[:, :3] == node).any(axis=1)]
    for cell in cells:
        k = int(np.argmax(cell[:3] == node))
        after, before = (k + 1) % 3, (k + 2) % 3
        for other, mid in ((cell[after], cell[3 + k]), (cell[before], cell[3 + before])):
            whole = np.linalg.norm(data.points[other] - data.points[node])
            assert np.linalg.norm(data.points[mid] - data.points[node]) == pytest.approx(whole / 4)
            assert 0.01 < whole < 0.04
    refuse(inspect(data))


def test_same_parameters_same_mesh():
    one, two = griffith(1, 10), griffith(1, 10)
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.cells, two.cells)


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: griffith(-1, 10), "a"),
        (lambda: griffith(11, 10), "a"),
        (lambda: griffith(1, float("inf")), "half_width"),
        (lambda: griffith(1, "wide"), "half_width"),
        (lambda: griffith(1, 10, angle=20, symmetry="y"), "symmetry"),
        (lambda: griffith(1, 10, angle=100), "angle"),
        (lambda: griffith(1, 10, symmetry="z"), "symmetry"),
        (lambda: griffith(1, 10, filled=1.5), "filled"),
        (lambda: griffith(1, 10, order=3), "order"),
        (lambda: griffith(1, 10, order=1, quarter_point=True), "quarter_point"),
        (lambda: griffith(1, 10, h_tip=2), "h_tip"),
        (lambda: griffith(1, 10, growth=3), "growth"),
        (lambda: griffith(1, 10, tip="spider", web_radius=2), "web_radius"),
        (lambda: griffith(1, 10, tip="spider", web_sectors=1), "web_sectors"),
        (lambda: griffith(1, 10, h_tip=1e-4, r_tip=5), "r_tip"),
        (lambda: edge(3, 2), "a"),
        (lambda: strip(10, 5, 6, 3), "ell"),
    ],
)
def test_bad_parameters_are_refused(call, key):
    with pytest.raises(MeshError) as error:
        call()
    assert error.value.key == key
    assert error.value.allowed
