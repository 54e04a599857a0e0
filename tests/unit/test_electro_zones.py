"""What lies below a threshold: shares of simplices, distances, pieces of facet groups."""

import numpy as np
import pytest
from ssbmech.electro.zones import below, distance, judge
from ssbmech.meshes import catalog
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.restrict import restrict


@pytest.mark.parametrize("d", [2, 3])
def test_share_of_a_simplex_by_counting(d):
    random = np.random.default_rng(1)
    values = random.normal(size=(40, d + 1))
    points = random.dirichlet(np.ones(d + 1), size=40_000)
    counted = (values @ points.T < 0).mean(axis=1)
    # 40000 points: a standard deviation of at most 0.0025
    assert below(values) == pytest.approx(counted, abs=0.01)


@pytest.mark.parametrize("d", [2, 3])
def test_share_where_corners_are_equal_or_zero(d):
    rest = d  # a corner cut at half: (1/2)^d
    assert below(np.array([[-1.0] + [1.0] * rest])) == pytest.approx(0.5**d)
    assert below(np.array([[1.0] + [-1.0] * rest])) == pytest.approx(1 - 0.5**d)
    assert below(np.zeros((1, d + 1))) == 0.0
    assert below(-np.ones((1, d + 1))) == 1.0
    assert below(np.array([[-1.0] + [0.0] * rest])) == 1.0
    if d == 3:
        assert below(np.array([[-1.0, -1.0, 1.0, 1.0]])) == pytest.approx(0.5)


def test_distance_from_segments_and_triangles():
    segment = np.array([[[0.0, 0, 0], [2, 0, 0]], [[2, 0, 0], [2, 1, 0]]])
    points = np.array([[1.0, 3, 0], [3, 2, 0], [-3, 4, 0]])
    assert distance(points, segment) == pytest.approx([np.sqrt(5), np.sqrt(2), 5])
    triangle = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])
    points = np.array([[0.2, 0.2, 5], [0.2, 0.2, -5], [-3, -4, 0], [2, 2, 0]])
    assert distance(points, triangle) == pytest.approx([5, 5, 5, 1.5 * np.sqrt(2)])


def test_cracks_are_sites():
    """A potential that is linear in y: depth, share, and the cracks below the level."""
    whole = catalog.build(
        "cell", width=40.0, electrolyte=20.0, lithium=5.0, order=1,
        crack=tuple(Crack(1.0, x=x, y=y, angle=90.0)
                    for x, y in ((-10.0, 6.0), (10.0, 6.0), (0.0, 14.0))),
    )  # fmt: skip
    data = restrict(whole, ["electrolyte"])
    potential = (data.points[:, 1] - 8.0) * 1e-3
    found = judge(data, potential, 0.0, electrodes={"li": ["li_sse"], "far": ["cathode_plane"]},
                  lithium=["li"])  # fmt: skip
    assert found["depth"] == pytest.approx(8e-6, rel=1e-12)
    assert found["share"] == pytest.approx(0.4, rel=1e-12)
    assert len(found["sites"]) == 2
    assert sorted(np.sign(s.point[0]) for s in found["sites"]) == [-1, 1]
    for site in found["sites"]:
        assert site.group in ("crack", "crack_2") and site.share == 1.0
        assert site.lowest == pytest.approx(-2e-3) and site.point[1] == pytest.approx(6e-6)
    # the least away from the electrodes is that of the first nodes above lithium
    assert -8e-3 < found["lowest"] < -5e-3
