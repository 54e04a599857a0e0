import itertools

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import cell_facets, elevate, keys, orient, signed_measure
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.split import split_crack


def grid(dim: int, n: int, order: int, cracks: dict, fronts: dict) -> MeshData:
    """Unit square or cube with n cells per side; a crack is a test on facet centroids."""
    axes = np.meshgrid(*[np.arange(n + 1)] * dim, indexing="ij")
    index = np.stack([a.ravel() for a in axes], axis=1)
    number = np.arange(len(index)).reshape([n + 1] * dim)
    points = np.zeros((len(index), 3))
    points[:, :dim] = index / n
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
    every = cell_facets(cells, dim, 1)
    every = every[np.unique(keys(every, len(points)), return_index=True)[1]]
    corners = points[every]
    facets, tags, groups = [], [], {}
    for name, inside in cracks.items():
        chosen = every[inside(corners)]
        facets.append(chosen)
        groups[name] = len(groups) + 1
        tags.append(np.full(len(chosen), groups[name], dtype=np.int32))
    facets, tags = np.concatenate(facets), np.concatenate(tags)
    if order == 2:
        points, cells, facets = elevate(points, cells, facets, dim)
    found = {}
    for name, on in fronts.items():
        nodes = np.nonzero(on(points[: (n + 1) ** dim]))[0]
        if dim == 2:
            found[name] = nodes[:, None]
        else:
            nodes = nodes[np.argsort(points[nodes, 1])]
            found[name] = np.stack([nodes[:-1], nodes[1:]], axis=1)
    return MeshData(
        dim, order, points, cells, np.ones(len(cells), dtype=np.int32), facets, tags,
        {"body": 1}, groups, found, {f"{'area' if dim == 2 else 'volume'}:body": 1.0},
    )  # fmt: skip


def flat(axis, value, low=0.0, high=1.0, along=0):
    return lambda x: (
        np.isclose(x[:, :, axis], value).all(axis=1)
        & (x[:, :, along] >= low - 1e-9).all(axis=1)
        & (x[:, :, along] <= high + 1e-9).all(axis=1)
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_surface_breaking_crack_opens_up_to_the_front(dim, order):
    data = grid(
        dim, 4, order,
        {"crack": flat(dim - 1, 0.5, 0, 0.5), "side": flat(0, 0.0)},
        {"front": lambda p: np.isclose(p[:, 0], 0.5) & np.isclose(p[:, dim - 1], 0.5)},
    )  # fmt: skip
    cut = split_crack(data, "crack", "front", lower="lo", upper="up")
    low, up = (cut.facets[cut.facet_tags == cut.facet_groups[n]] for n in ("lo", "up"))
    on_front = np.unique(np.concatenate([cut.front("front").ravel()]))
    shared = np.intersect1d(low, up)
    vertices = shared[shared < 5**dim]
    assert set(vertices) == set(on_front)
    # In 3-D second order the middles of front edges are shared too.
    assert len(shared) == len(on_front) + (len(cut.front("front")) if (dim, order) == (3, 2) else 0)
    assert len(low) == len(up) == len(data.facets[data.facet_tags == 1])
    # Nodes: coincident, and the upper face belongs to the cells above.
    np.testing.assert_array_equal(np.sort(cut.points[low], 0), np.sort(cut.points[up], 0))
    for face, sign in ((low, -1), (up, 1)):
        owner = np.isin(
            keys(cell_facets(cut.cells, dim, order)[:, :dim], len(cut.points)),
            keys(face[:, :dim], len(cut.points)),
        )
        centre = cut.points[cut.cells[np.nonzero(owner)[0] // (dim + 1), : dim + 1]].mean(axis=1)
        assert owner.sum() == len(face)
        assert (sign * (centre[:, dim - 1] - 0.5) > 0).all()
    assert signed_measure(cut.points, cut.cells, dim).sum() == pytest.approx(1)
    refuse(inspect(cut))
    nodes = np.unique(data.front("front"))
    again = split_crack(data, "crack", nodes, lower="lo", upper="up")
    np.testing.assert_array_equal(again.cells, cut.cells)


@pytest.mark.parametrize("order", [1, 2])
def test_crossing_cracks_split_the_crossing_into_four(order):
    data = grid(
        2, 8, order,
        {"h": flat(1, 0.5, 0.25, 0.75, 0), "v": flat(0, 0.5, 0.25, 0.75, 1)},
        {
            "h_tips": lambda p: np.isclose(p[:, 1], 0.5) & np.isin(p[:, 0], [0.25, 0.75]),
            "v_tips": lambda p: np.isclose(p[:, 0], 0.5) & np.isin(p[:, 1], [0.25, 0.75]),
        },
    )  # fmt: skip
    once = split_crack(data, "h", "h_tips", lower="h_lo", upper="h_up")
    both = split_crack(once, "v", "v_tips", lower="v_l", upper="v_r", normal=(1, 0))
    at = np.isclose(both.points[:, :2], 0.5).all(axis=1)
    assert at.sum() == 4
    refuse(inspect(both))


def test_several_groups_make_one_crack():
    data = grid(
        2, 8, 1, {"wet": flat(1, 0.5, 0.25, 0.5), "dry": flat(1, 0.5, 0.5, 0.75)},
        {"tips": lambda p: np.isclose(p[:, 1], 0.5) & np.isin(p[:, 0], [0.25, 0.75])},
    )  # fmt: skip
    cut = split_crack(
        data, ["wet", "dry"], "tips", lower=["l_wet", "l_dry"], upper=["u_wet", "u_dry"]
    )
    assert set(cut.facet_groups) == {"l_wet", "l_dry", "u_wet", "u_dry"}
    assert [int((cut.facet_tags == t).sum()) for t in cut.facet_groups.values()] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("crack", "front", "normal", "message"),
    [
        (flat(1, 0.5, 0.25, 0.75), lambda p: np.zeros(len(p), bool), None, "off the front"),
        (flat(1, 0.5, 0.25, 0.75), lambda p: np.isclose(p[:, 1], 0.5), None, "not the crack's"),
        (flat(1, 0.0), lambda p: np.zeros(len(p), bool), None, "1 neighbour"),
        (flat(0, 0.5, along=1), lambda p: np.zeros(len(p), bool), None, "cannot be told apart"),
        (flat(1, 0.5), lambda p: np.zeros(len(p), bool), (0, 0, 0), "not a direction"),
        (flat(1, 0.47), lambda p: np.zeros(len(p), bool), None, "no facets"),
    ],
)
def test_faults_are_refused(crack, front, normal, message):
    data = grid(2, 4, 1, {"crack": crack}, {"front": front})
    with pytest.raises(MeshError, match=message):
        split_crack(data, "crack", "front", lower="lo", upper="up", normal=normal)


def test_unknown_group_has_the_nearest_name():
    data = grid(2, 2, 1, {"crack": flat(1, 0.5)}, {})
    with pytest.raises(MeshError, match="'crack'"):
        split_crack(data, "crak", [], lower="lo", upper="up")
