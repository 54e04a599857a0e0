"""Where a front is: distances, contours, lines."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.reaction_front import shape


def grid(n: int = 20, size: float = 1.0):
    """Points (m, 2) and triangles of a square."""
    x = np.linspace(0.0, size, n + 1)
    X, Y = np.meshgrid(x, x)
    number = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, 1:].ravel(), number[1:, :-1].ravel()
    cells = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return np.column_stack([X.ravel(), Y.ravel()]), cells


def share(distance, width: float):
    return 0.5 * (1.0 - np.tanh(distance / (2.0 * width)))


def test_distance_to_segments():
    segments = np.array([[[0.0, 0.0], [2.0, 0.0]], [[2.0, 0.0], [2.0, 1.0]]])
    points = np.array([[1.0, 0.5], [-3.0, 4.0], [5.0, 5.0], [2.0, 0.3], [1.8, 0.7]])
    exact = [0.5, 5.0, 5.0, 0.0, 0.2]
    assert shape.distance_to(points, segments) == pytest.approx(exact, abs=1e-14)


def test_distance_in_pieces_is_the_same(monkeypatch):
    draw = np.random.default_rng(0)
    points, segments = draw.random((50, 2)), draw.random((7, 2, 2))
    whole = shape.distance_to(points, segments)
    monkeypatch.setattr(shape, "_CHUNK", 20)
    assert np.array_equal(shape.distance_to(points, segments), whole)


def test_distance_to_a_segment_without_length():
    found = shape.distance_to(np.array([[3.0, 4.0]]), np.zeros((1, 2, 2)))
    assert found == pytest.approx([5.0])


@pytest.mark.parametrize("width", [0.02, 0.1])
def test_flat_contour_is_exact(width):
    """The logarithm of c/(1 - c) is straight through the front: no error of the elements."""
    points, cells = grid()
    normal = np.array([0.6, 0.8])
    beyond = points @ normal - 0.7
    found = shape.contour(points, cells, share(beyond, width), {"x": points[:, 0]})
    assert np.abs(found.places @ normal - 0.7).max() < 1e-12
    assert found.values["x"] == pytest.approx(found.places[:, :, 0], abs=1e-14)


def test_lengths_and_means_of_a_flat_contour():
    points, cells = grid()
    c = share(points[:, 1] - 0.33, 0.05)
    found = shape.contour(points, cells, c, {"x": points[:, 0], "one": np.ones(len(c))})
    assert found.lengths.sum() == pytest.approx(1.0, rel=1e-12)
    assert found.mean("x") == pytest.approx(0.5, rel=1e-12)
    assert found.deviation("x") == pytest.approx(np.sqrt(1.0 / 12.0), rel=1e-12)
    assert found.deviation("one") == pytest.approx(0.0, abs=1e-12)


def test_round_contour_converges():
    lengths = []
    for n in (20, 40):
        points, cells = grid(n)
        c = share(np.hypot(*points.T) - 0.6, 1.0 / n)
        lengths.append(shape.contour(points, cells, c, {}).lengths.sum())
    errors = np.abs(np.array(lengths) - 0.3 * np.pi)
    assert errors[0] < 2e-3
    assert errors[1] < errors[0] / 3


def test_no_front():
    points, cells = grid(4)
    found = shape.contour(points, cells, np.zeros(len(points)), {"y": points[:, 1]})
    assert len(found.places) == 0
    assert np.isnan(found.mean("y"))
    assert np.isnan(found.deviation("y"))
    assert [len(x) for x in shape.chained(found)] == [0, 0, 0]


def test_front_of_a_bare_step():
    """Shares of 0 and 1 alone are a front between the vertices."""
    points, cells = grid(10)
    found = shape.contour(points, cells, (points[:, 1] < 0.45).astype(float), {})
    assert found.places[:, :, 1] == pytest.approx(0.45, abs=0.01)


@pytest.mark.parametrize("height", [0.21, 0.2])
def test_lines_are_chained(height):
    """Two lines, one open and one closed; each point follows its neighbour.

    At 0.2 the front goes through vertices, where elements have pieces of no length.
    """
    points, cells = grid(40)
    ring = np.hypot(*(points - 0.65).T) - 0.2
    c = np.maximum(share(points[:, 1] - height, 0.02), share(ring, 0.02))
    found = shape.contour(points, cells, c, {})
    draw = np.random.default_rng(2).permutation(len(found.places))
    mixed = shape.Contour(found.places[draw], {})
    pieces, ends, lines = shape.chained(mixed)
    assert set(lines) == {0, 1}
    assert set(pieces) == set(np.flatnonzero(mixed.lengths > 1e-9))
    places = mixed.places[pieces, ends]
    for line in (0, 1):
        x = places[lines == line]
        steps = np.linalg.norm(np.diff(x, axis=0), axis=1)
        assert steps.max() < 1.5 / 40
    open_line, closed = places[lines == 0], places[lines == 1]
    assert sorted([open_line[0, 0], open_line[-1, 0]]) == pytest.approx([0.0, 1.0], abs=1e-12)
    assert closed[0] == pytest.approx(closed[-1], abs=1e-12)
    assert np.linalg.norm(np.diff(closed, axis=0), axis=1).sum() == pytest.approx(
        0.4 * np.pi, rel=1e-2
    )


class TwoRanks:
    """What two ranks have, gathered."""

    def __init__(self, places, values):
        self.answers = [places, values]

    def allgather(self, _):
        return self.answers.pop(0)


def test_gathering_does_not_depend_on_the_ranks():
    points, cells = grid(10)
    c = share(points[:, 1] - 0.33 - 0.1 * points[:, 0], 0.05)
    whole = shape.contour(points, cells, c, {"x": points[:, 0]})
    half = len(whole.places) // 2
    parts = [np.arange(half, len(whole.places)), np.arange(half)]
    ranks = TwoRanks([whole.places[p] for p in parts], [whole.values["x"][p] for p in parts])
    one = TwoRanks([whole.places], [whole.values["x"]])
    found, alone = shape.gathered(whole, ranks), shape.gathered(whole, one)
    assert np.array_equal(found.places, alone.places)
    assert np.array_equal(found.values["x"], alone.values["x"])
