import dataclasses
import itertools

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.cohesive import split_facets, split_grains
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import cell_facets, elevate, keys, orient, signed_measure
from ssbmech.meshes.gate import inspect


def blocks(dim, n, grain_of, *, order=1, lithium=False):
    """Unit square or cube of n cells per side; grains by a function of the cells' centroids.

    With ``lithium`` the lower half (last axis) is one lithium body without a grain.
    """
    axes = np.meshgrid(*[np.arange(n + 1)] * dim, indexing="ij")
    lattice = np.stack([a.ravel() for a in axes], axis=1)
    number = np.arange(len(lattice)).reshape([n + 1] * dim)
    points = np.zeros((len(lattice), 3))
    points[:, :dim] = lattice / n
    base = np.stack([a.ravel() for a in np.meshgrid(*[np.arange(n)] * dim, indexing="ij")], 1)
    cells = []
    for path in itertools.permutations(range(dim)):  # Kuhn's subdivision
        corner = base.copy()
        nodes = [number[tuple(corner.T)]]
        for axis in path:
            corner = corner.copy()
            corner[:, axis] += 1
            nodes.append(number[tuple(corner.T)])
        cells.append(np.stack(nodes, axis=1))
    cells = orient(points, np.concatenate(cells), dim, 1)
    centre = points[cells][..., :dim].mean(axis=1)
    grains = grain_of(centre).astype(np.int32)
    tags = np.ones(len(cells), dtype=np.int32)
    if lithium:
        tags[centre[:, -1] < 0.5] = 2
        grains[tags == 2] = 0
    every = cell_facets(cells, dim, 1)
    key = keys(every, len(points))
    row = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[row][1:] == key[row][:-1])
    a, b = row[twin] // (dim + 1), row[twin + 1] // (dim + 1)
    between = (grains[a] != grains[b]) & (tags[a] == tags[b])
    interface = tags[a] != tags[b]
    single = np.setdiff1d(np.arange(len(every)), np.r_[row[twin], row[twin + 1]])
    facets = [every[row[twin[between]]], every[row[twin[interface]]]]
    names = ["grain_boundaries", "li_sse"]
    x = points[every[single]]
    for axis in range(dim):
        for value, name in ((0, "low"), (1, "high")):
            on = (x[..., axis] == value).all(axis=1)
            facets.append(every[single][on])
            names.append(f"{name}_{'xyz'[axis]}")
    facet_tags = np.concatenate([np.full(len(f), k + 1, np.int32) for k, f in enumerate(facets)])
    groups = {name: k + 1 for k, name in enumerate(names) if len(facets[k])}
    facets = np.concatenate(facets)
    if order == 2:
        points, cells, facets = elevate(points, cells, facets, dim)
    cell_groups = {"electrolyte": 1} | ({"lithium": 2} if lithium else {})
    return MeshData(
        dim, order, points, cells, tags, facets, facet_tags, cell_groups, groups, grains=grains,
        notes={"between:grain_boundaries": "electrolyte|electrolyte"},
    )  # fmt: skip


def quadrants(x):
    """Grain 1 to 4 (8) by the half of each axis."""
    return 1 + ((x > 0.5) * 2 ** np.arange(x.shape[1])).sum(axis=1)


def check(name, report):
    return next(c for c in report.checks if c.name == name)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_grains_come_apart_with_paired_faces(dim, order):
    data = blocks(dim, 4, quadrants, order=order)
    cut = split_grains(data)
    assert cut.notes["parts"] == 2**dim
    assert "grain_boundaries" not in cut.facet_groups
    assert "between:grain_boundaries" not in cut.notes
    low, up = (
        cut.facets[cut.facet_tags == cut.facet_groups[f"grain_boundaries_{n}"]]
        for n in ("lower", "upper")
    )
    assert len(low) == len(up) == (data.facet_tags == data.facet_groups["grain_boundaries"]).sum()
    np.testing.assert_array_equal(cut.points[low], cut.points[up])
    assert (low != up).all()
    # every node belongs to one grain only, and the faces to the grains in order
    owner = {}
    for nodes, grain in zip(cut.cells, cut.grains, strict=True):
        for node in nodes:
            assert owner.setdefault(int(node), int(grain)) == int(grain)
    for a, b in zip(low, up, strict=True):
        below, above = ({owner[int(i)] for i in face} for face in (a, b))
        assert len(below) == len(above) == 1
        assert max(below) < max(above)
    # the point common to all grains is there as often as there are grains
    assert (np.abs(cut.points[:, :dim] - 0.5) < 1e-12).all(axis=1).sum() == 2**dim
    assert signed_measure(cut.points, cut.cells, dim).sum() == pytest.approx(1, rel=1e-12)
    report = inspect(cut)
    assert check("separate parts", report).value == 2**dim  # as noted, and found from the nodes
    assert all(c.ok for c in report.checks if c.name != "separate parts")


@pytest.mark.parametrize("dim", [2, 3])
def test_bonded_lithium_holds_the_grains_together(dim):
    def halves(x):
        return 1 + (x[:, 0] > 0.5)

    data = blocks(dim, 4, halves, lithium=True)
    cut = split_grains(data)
    assert cut.notes["parts"] == 1
    low, up = (
        cut.facets[cut.facet_tags == cut.facet_groups[f"grain_boundaries_{n}"]]
        for n in ("lower", "upper")
    )
    joined = np.intersect1d(low, up)
    np.testing.assert_allclose(cut.points[joined][:, [0, dim - 1]], 0.5)
    assert len(joined) == 5 ** (dim - 2)
    assert all(c.ok for c in inspect(cut).checks)


def test_rows_of_other_groups_follow_their_cells():
    data = blocks(2, 4, quadrants)
    cut = split_grains(data)
    for name in ("low_x", "high_y"):
        side = cut.facets[cut.facet_tags == cut.facet_groups[name]]
        assert len(side) == 4
        assert np.isin(keys(side, 10_000), keys(cell_facets(cut.cells, 2, 1), 10_000)).all()
        assert len(np.unique(side)) == 6  # twice the node in the middle


@pytest.mark.parametrize("dim", [2, 3])
def test_lines_stay_on_cells(dim):
    data = blocks(dim, 4, quadrants)
    middle = (np.abs(data.points[:, :2] - 0.5) < 1e-12).all(axis=1)
    nodes = np.flatnonzero(middle)
    nodes = nodes[np.argsort(data.points[nodes, 2])]
    line = nodes[:, None] if dim == 2 else np.stack([nodes[1:], nodes[:-1]], axis=1)
    data.lines["triple_lines"] = line
    cut = split_grains(data).lines["triple_lines"]
    np.testing.assert_array_equal(split_grains(data).points[cut], data.points[line])
    cells = split_grains(data).cells
    for edge in cut:
        assert np.isin(cells, edge).sum(axis=1).max() == len(edge)


def test_rank_chooses_the_sides():
    data = blocks(2, 4, quadrants)
    left = split_facets(data, "grain_boundaries", "a", "b")
    right = split_facets(data, "grain_boundaries", "a", "b", rank=-data.grains)
    pick = [
        np.sort(m.points[m.facets[m.facet_tags == m.facet_groups[n]]].reshape(-1, 6), axis=0)
        for m, n in ((left, "a"), (right, "b"))
    ]
    np.testing.assert_array_equal(*pick)


def test_faults_are_refused():
    data = blocks(2, 2, quadrants)
    with pytest.raises(MeshError, match="grain_boundaries"):
        split_facets(data, "grain_boundary", "a", "b")
    with pytest.raises(MeshError, match=r"1 neighbour cell at \(0, 0.\d+, 0\) um"):
        split_facets(data, "low_x", "a", "b")
    with pytest.raises(MeshError, match=r"cannot be told apart"):
        split_facets(data, "grain_boundaries", "a", "b", rank=np.zeros(len(data.cells), int))
    with pytest.raises(MeshError, match="no grain numbers"):
        split_grains(dataclasses.replace(data, grains=None))
