import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import cell_facets, keys
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.image import image, mesh_image
from ssbmech.meshes.image_cross import crossing, poor
from ssbmech.meshes.labels import label_image
from ssbmech.meshes.surface_nets import faces

NAMES = {0: "lithium", 1: "electrolyte", 2: "coating"}


def blobs(seed, shape, n, sigma=2.0):
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=(n, *shape))
    return np.argmax([gaussian_filter(f, sigma) for f in noise], axis=0)


def watertight(data):
    """Every facet between two groups or grains, and every one outside, is tagged; no other is."""
    every = keys(cell_facets(data.cells, 3, data.order)[:, :3], len(data.points))
    mark = data.cell_tags if data.grains is None else data.cell_tags * 100_000 + data.grains
    mark = np.repeat(mark, 4)
    order = np.lexsort([mark, every])
    key, mark = every[order], mark[order]
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    needed = key[first[(count == 1) | (mark[first] != mark[first + count - 1])]]
    tagged = keys(data.facets[:, :3], len(data.points))
    return set(map(int, needed)) == set(map(int, tagged))


def test_faces_are_those_of_the_voxels():
    values = blobs(0, (9, 8, 7), 3) + 1
    corners, quads = faces(np.pad(values, 1))
    padded = np.pad(values, 1)
    wanted = sum(
        int((np.take(padded, range(1, n), a) != np.take(padded, range(n - 1), a)).sum())
        for a, n in enumerate(padded.shape)
    )
    assert len(quads) == wanted
    p = corners[quads]
    assert (np.ptp(p, axis=1).sum(axis=1) == 2).all()  # unit squares
    assert len(np.unique(np.sort(quads, axis=1), axis=0)) == len(quads)


@pytest.mark.parametrize("order", [1, 2])
def test_volumes_sides_and_groups(order):
    made = label_image(blobs(1, (14, 12, 10), 3), 0.5, NAMES)
    data = mesh_image(made, order=order)
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    assert watertight(data)
    for name in NAMES.values():
        assert report.measures[name] == pytest.approx(data.notes[f"volume:{name}"], rel=1e-6)
    sides = {"left": (0, -3.5), "right": (0, 3.5), "bottom": (1, 0), "top": (1, 6),
             "front": (2, -2.5), "back": (2, 2.5)}  # fmt: skip
    assert set(data.facet_groups) == {
        *sides, "li_sse", "coating_electrolyte", "lithium_coating"
    }  # fmt: skip
    for name, (axis, at) in sides.items():
        rows = data.facets[data.facet_tags == data.facet_groups[name]]
        assert (data.points[rows, axis] == at).all()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 3), st.floats(0.6, 2.5), st.booleans())
def test_any_stack_is_watertight(seed, n, sigma, void):
    names = dict(NAMES) if not void else {0: "electrolyte", 1: "void", 2: "lithium"}
    made = label_image(blobs(seed, (10, 9, 8), n, sigma), 1.0, names)
    data = mesh_image(made, order=1)
    report = inspect(data)
    refuse(report)
    assert report.quality_min > 5e-3
    assert watertight(data)


def test_grains_of_a_stack_meet_in_triple_lines(tmp_path):
    array = np.zeros((8, 10, 12), dtype=np.uint8)  # pages, rows, columns
    array[:, :5, :6], array[:, :5, 6:], array[:, 5:] = 3, 4, 5
    np.save(tmp_path / "g.npy", array)
    data = image(str(tmp_path / "g.npy"), 1.0, grains=True)
    refuse(inspect(data))
    assert watertight(data)
    assert sorted(np.unique(data.grains)) == [1, 2, 3]
    line = data.points[data.lines["triple_lines"]]
    length = np.linalg.norm(line[:, 1] - line[:, 0], axis=1).sum()
    assert length == pytest.approx(8, abs=0.5)  # along z through all pages
    np.testing.assert_allclose(line[..., 0], 0, atol=0.5)
    np.testing.assert_allclose(line[..., 1], 5, atol=0.5)
    # the first row is the top
    top = data.facets[data.facet_tags == data.facet_groups["top"]][:, :3]
    cells = np.isin(data.cells, top).sum(axis=1) >= 3
    assert set(data.grains[cells]) == {1, 2}


def test_same_stack_same_mesh():
    made = label_image(blobs(4, (9, 8, 7), 3), 1.0, NAMES)
    first, second = (mesh_image(made) for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert first.cells.tobytes() == second.cells.tobytes()


def test_a_void_inside_and_an_inclusion_inside_that_touches_nothing():
    values = np.ones((12, 12, 12), dtype=np.int64)
    values[2:5, 2:5, 2:5] = 0
    values[7:10, 7:10, 7:10] = 2
    data = mesh_image(label_image(values, 1.0, {0: "void", 1: "electrolyte", 2: "lithium"}))
    report = inspect(data)
    refuse(report)
    assert report.measures["lithium"] == pytest.approx(27, rel=1e-6)
    assert report.measures["electrolyte"] == pytest.approx(12**3 - 54, rel=1e-6)
    assert {"void_sse", "li_sse"} <= set(data.facet_groups)


def test_crossing_and_thin_triangles_are_found():
    points = np.array(
        [[0, 0, 0], [2, 0, 0], [0, 2, 0], [0.5, 0.5, -1], [0.5, 0.5, 1], [3, 3, 0], [1, 0.01, 3]],
        dtype=float,
    )
    assert crossing(points, np.array([[0, 1, 2], [3, 4, 5]])).tolist() == [0, 1]
    assert crossing(points, np.array([[0, 1, 2], [4, 5, 6]])).tolist() == []
    # folded: the same edge and nearly the same direction
    points[6] = [0.5, 1.5, 0.1]
    assert crossing(points, np.array([[0, 1, 2], [0, 1, 6]])).tolist() == [0, 1]
    points[6] = [1, 0.01, 0]
    assert poor(points, np.array([[0, 1, 2], [0, 1, 6]])).tolist() == [1]


def test_size_at_the_boundaries_is_the_voxel():
    made = label_image(blobs(1, (8, 8, 8), 2), 1.0, NAMES)
    with pytest.raises(MeshError, match="in 3-D the size"):
        mesh_image(made, h=2.0)
