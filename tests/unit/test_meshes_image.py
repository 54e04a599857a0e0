import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssbmech.errors import MeshError
from ssbmech.meshes.contacts import separate_contacts
from ssbmech.meshes.elements import cell_facets, keys
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.image import image, mesh_image
from ssbmech.meshes.labels import (
    clean,
    components,
    label_image,
    largest_solid,
    read_labels,
    remove_specks,
)

NAMES = {0: "lithium", 1: "electrolyte", 2: "coating"}


def save(path, array, colours=False):
    """As PNG, TIFF or NPY by its ending."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".png":
        from PIL import Image

        Image.fromarray(array).save(path)
    else:
        import tifffile

        tifffile.imwrite(path, array, photometric="rgb" if colours else "minisblack")
    return str(path)


def blobs(seed, shape, n, sigma=2.0):
    """Labels 0 to n - 1 in smooth random shapes."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=(n, *shape))
    return np.argmax([gaussian_filter(f, sigma) for f in noise], axis=0)


def watertight(data):
    """Every facet between two groups, and every one outside, is tagged; no other one is."""
    every = keys(cell_facets(data.cells, data.dim, data.order)[:, : data.dim], len(data.points))
    mark = data.cell_tags if data.grains is None else data.cell_tags * 100_000 + data.grains
    mark = np.repeat(mark, data.dim + 1)
    order = np.lexsort([mark, every])
    key, mark = every[order], mark[order]
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    needed = key[first[(count == 1) | (mark[first] != mark[first + count - 1])]]
    tagged = keys(data.facets[:, : data.dim], len(data.points))
    return set(map(int, needed)) == set(map(int, tagged))


# -- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "tif", "npy"])
def test_first_row_is_the_top(tmp_path, kind):
    array = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)
    found = read_labels(save(tmp_path / f"a.{kind}", array))
    assert found.shape == (3, 2)
    assert found[:, 1].tolist() == [1, 2, 3]


def test_a_stack_and_a_folder_of_its_pages_are_the_same(tmp_path):
    array = np.arange(11 * 2 * 3, dtype=np.uint8).reshape(11, 2, 3)
    folder = tmp_path / "pages"
    folder.mkdir()
    for k, page in enumerate(array):
        save(folder / f"slice_{k}.png", page)  # slice_10 sorts after slice_9
    found = read_labels(save(tmp_path / "a.tif", array))
    assert found.shape == (3, 2, 11)
    assert found[2, 1, 10] == array[10, 0, 2]
    np.testing.assert_array_equal(found, read_labels(folder))


def test_palette_and_16_bits(tmp_path):
    from PIL import Image

    picture = Image.fromarray(np.array([[0, 1], [2, 1]], dtype=np.uint8), mode="P")
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / "p.png")
    assert sorted(np.unique(read_labels(tmp_path / "p.png"))) == [0, 1, 2]
    big = np.array([[7, 40_000]], dtype=np.uint16)
    assert read_labels(save(tmp_path / "b.png", big)).max() == 40_000


def test_colours_fractions_and_broken_files_are_refused(tmp_path):
    colours = np.zeros((4, 5, 3), dtype=np.uint8)
    for kind in ("png", "tif"):
        with pytest.raises(MeshError, match="colours, not labels"):
            read_labels(save(tmp_path / f"c.{kind}", colours, colours=True))
    with pytest.raises(MeshError, match="fractions, not labels"):
        read_labels(save(tmp_path / "f.npy", np.zeros((4, 4))))
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    for kind in ("png", "tif", "npy"):
        path = tmp_path / f"n.{kind}"
        save(path, noise)
        path.write_bytes(path.read_bytes()[:-1000])
        with pytest.raises(MeshError, match=r"cut off") as caught:
            read_labels(path)
        assert str(path) in str(caught.value)
    with pytest.raises(MeshError, match="no such image"):
        read_labels(tmp_path / "none.png")
    with pytest.raises(MeshError, match="not a known kind"):
        read_labels(__file__)
    with pytest.raises(MeshError, match="one size"):
        folder = tmp_path / "odd"
        folder.mkdir()
        save(folder / "1.png", noise)
        save(folder / "2.png", noise[1:])
        read_labels(folder)


def test_voxels_without_a_name_are_counted_and_placed():
    array = np.ones((10, 8), dtype=np.int64)
    array[3, 2] = 7
    array[4, 2] = 9
    with pytest.raises(MeshError, match=r"2 of 80 voxels .*7, 9.*\(-0.75, 1.25\) um"):
        label_image(array, 0.5, {1: "electrolyte"})
    with pytest.raises(MeshError, match="nothing but void"):
        label_image(array * 0, 0.5, {0: "void"})
    with pytest.raises(MeshError, match="voxel is out of range"):
        label_image(array, 0.0, {1: "a", 7: "b", 9: "c"})


# -- cleaning -------------------------------------------------------------------------------------


def test_specks_go_to_their_largest_neighbour():
    values = np.zeros((20, 20), dtype=np.int64)
    values[10:] = 1
    values[3:5, 3:5] = 2  # inside 0
    values[9:11, 18] = 2  # between 0 and 1, which has one voxel less around
    cleaned = remove_specks(values, 5)
    assert set(np.unique(cleaned)) == {0, 1}
    assert (cleaned[:10, :10] == 0).all()
    kept = remove_specks(values, 4)
    assert (kept == 2).sum() == 4


def test_majority_removes_salt_and_merging_takes_the_most_frequent():
    rng = np.random.default_rng(1)
    clear = np.zeros((40, 40), dtype=np.int64)
    clear[20:] = 1
    noisy = np.where(rng.random(clear.shape) < 0.03, 1 - clear, clear)
    made = clean(label_image(noisy, 1.0, NAMES), majority=3)
    assert (made.values != clear).mean() < 0.25 * (noisy != clear).mean()
    small = clean(label_image(noisy, 1.0, NAMES), merge=4)
    assert small.voxel == 4.0
    assert (small.values == clear[::4, ::4]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.sampled_from([(12, 9), (6, 7, 5)]))
def test_contacts_through_corners_and_edges_are_removed(seed, n, shape):
    values = np.random.default_rng(seed).integers(0, n, shape)
    repaired, changed, left = separate_contacts(values)
    assert changed == (repaired != values).sum()
    if n == 2 and len(shape) == 2:
        # without contacts, parts joined through corners are those joined through sides
        from scipy.ndimage import label

        assert not len(left)
        for k in range(n):
            assert label(repaired == k)[1] == label(repaired == k, np.ones((3, 3)))[1]


def test_islands_in_void_are_removed():
    values = np.ones((20, 20), dtype=np.int64)
    values[5:15, 5:15] = 0
    values[8:12, 8:12] = 1
    made = largest_solid(label_image(values, 1.0, {0: "void", 1: "electrolyte"}))
    assert made.notes["islands_removed"] == 1
    assert made.notes["island_voxels_removed"] == 16
    assert made.measure("electrolyte") == 300


# -- meshing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("smooth", [0, 20])
@pytest.mark.parametrize("h", [None, 0.5, 3.0])
def test_areas_are_those_of_the_pixels(smooth, h):
    made = label_image(blobs(1, (60, 45), 3), 0.5, NAMES)
    data = mesh_image(made, smooth=smooth, h=h, order=1)
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    assert watertight(data)
    for name in NAMES.values():
        assert report.measures[name] == pytest.approx(data.notes[f"area:{name}"], rel=1e-6)
    groups = {"li_sse", "coating_electrolyte", "lithium_coating", "left", "right", "bottom", "top"}
    assert set(data.facet_groups) == groups
    assert data.notes["between:li_sse"] == "electrolyte|lithium"
    low, high = data.points.min(axis=0), data.points.max(axis=0)
    np.testing.assert_allclose([*low[:2], *high[:2]], [-15, 0, 15, 22.5], atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 3), st.floats(0.3, 3), st.booleans())
def test_any_image_is_watertight(seed, n, sigma, void):
    names = dict(NAMES) if not void else {0: "electrolyte", 1: "void", 2: "lithium"}
    made = label_image(blobs(seed, (24, 20), n, sigma), 1.0, names)
    data = mesh_image(made, order=1, h=3.0)
    refuse(inspect(data))
    assert watertight(data)


def test_smoothing_takes_the_steps_off_a_disc():
    x, y = np.indices((80, 80)) + 0.5
    disc = (np.hypot(x - 40, y - 40) < 25).astype(int)
    deviation = {}
    for smooth in (0, 20):
        data = mesh_image(label_image(disc, 1.0, NAMES), smooth=smooth, h=1.0, order=1)
        nodes = np.unique(data.facets[data.facet_tags == data.facet_groups["li_sse"]])
        deviation[smooth] = np.abs(np.hypot(*(data.points[nodes, :2] - [0, 40]).T) - 25).max()
    assert deviation[0] > 0.6  # corners of pixels: up to 0.7
    assert deviation[20] < 0.35
    length = _perimeter(data, "li_sse")
    assert length == pytest.approx(2 * math.pi * 25, rel=0.01)  # the steps have 4/pi of it


def _perimeter(data, name):
    ends = data.points[data.facets[data.facet_tags == data.facet_groups[name]][:, :2]]
    return float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum())


def test_void_is_left_out_and_its_walls_are_named(tmp_path):
    array = np.zeros((30, 30), dtype=np.uint8)  # rows from the top
    array[:12] = 1
    array[10:15, 10:20] = 2
    data = image(save(tmp_path / "a.png", array), 2.0, {0: "lithium", 1: "electrolyte", 2: "void"})
    refuse(inspect(data))
    assert set(data.cell_groups) == {"lithium", "electrolyte"}
    assert {"void_li", "void_sse", "li_sse"} <= set(data.facet_groups)
    assert data.notes["area:electrolyte"] == (12 * 30 - 20) * 4
    walls = data.facets[data.facet_tags == data.facet_groups["void_sse"]]
    assert data.points[walls, 1].min() >= 2.0 * 17.9  # the void's upper part


def test_grains_keep_their_numbers_and_meet_in_triple_points():
    values = np.zeros((40, 30), dtype=np.int64)
    values[:20, :15], values[20:, :15], values[:, 15:] = 5, 17, 40
    values[5, 5] = 99  # too small: given away, so that 3 grains are left
    made = clean(label_image(values, 1.0, None, grains=True), specks=3)
    data = mesh_image(made)
    refuse(inspect(data))
    assert data.cell_groups == {"electrolyte": 1}
    assert sorted(np.unique(data.grains)) == [1, 2, 3]
    assert data.notes["grains"] == 3
    assert data.notes["between:grain_boundaries"] == "electrolyte|electrolyte"
    assert watertight(data)
    assert len(data.lines["triple_lines"]) == 1
    np.testing.assert_allclose(data.points[data.lines["triple_lines"][0, 0], :2], [0, 15], atol=0.5)


def test_pieces_of_one_grain_are_numbered_apart():
    values = np.zeros((30, 20), dtype=np.int64)
    values[10:20] = 1
    data = mesh_image(label_image(values, 1.0, None, grains=True))
    refuse(inspect(data))
    assert data.notes["grains"] == 3
    assert data.notes["grains_in_pieces"] == 1
    assert watertight(data)


def test_grains_beside_lithium(tmp_path):
    array = np.ones((20, 20), dtype=np.uint8)
    array[:, 10:] = 2
    array[15:] = 9
    data = image(save(tmp_path / "g.tif", array), 1.0, {9: "lithium"}, grains=True)
    refuse(inspect(data))
    assert set(data.facet_groups) >= {"grain_boundaries", "li_sse"}
    lithium = data.cell_tags == data.cell_groups["lithium"]
    assert (data.grains[lithium] == 0).all()
    assert set(data.grains[~lithium]) == {1, 2}


def test_same_image_same_mesh():
    made = label_image(blobs(4, (40, 30), 3), 1.0, NAMES)
    first, second = (mesh_image(made) for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert first.cells.tobytes() == second.cells.tobytes()
    assert first.facets.tobytes() == second.facets.tobytes()


def test_channels_thinner_than_the_elements_do_not_tangle():
    values = np.zeros((60, 60), dtype=np.int64)
    for k in range(5, 55, 4):  # 2 voxels wide, bent, 2 apart
        for x in range(60):
            y = k + round(2 * math.sin(x / 6))
            values[x, y : y + 2] = 1
    data = mesh_image(label_image(values, 1.0, NAMES), h=6.0)
    refuse(inspect(data))
    assert watertight(data)


def test_bad_parameters(tmp_path):
    path = save(tmp_path / "a.npy", blobs(1, (20, 20), 2))
    with pytest.raises(MeshError, match="need names"):
        image(path, 1.0)
    with pytest.raises(MeshError, match="h is out of range"):
        image(path, 1.0, NAMES, h=0.1)
    with pytest.raises(MeshError, match="merge leaves no voxel"):
        image(path, 1.0, NAMES, merge=30)
    with pytest.raises(MeshError, match="smooth is out of range"):
        image(path, 1.0, NAMES, smooth=-1)
    with pytest.raises(MeshError, match="order is not known"):
        image(path, 1.0, NAMES, order=3)


def test_components_are_joined_through_faces_only():
    parts, n = components(np.array([[0, 1], [1, 0]]))
    assert n == 4
    assert len(np.unique(parts)) == 4
