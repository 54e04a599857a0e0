"""Grains in a cell: numbers, boundaries, layers, paths; cracks on planes of symmetry."""

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes import gate
from ssbmech.meshes.cell import cell
from ssbmech.meshes.features import Void
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.grain_parts import Grains

CELL = {"width": 30.0, "electrolyte": 20.0, "lithium": 5.0}


def test_grains_fill_the_electrolyte_and_nothing_else():
    data = cell(**CELL, grains=Grains(5.0), void=(Void(2.0, 1.0),))
    gate.refuse(gate.inspect(data))
    electrolyte = data.cell_tags == data.cell_groups["electrolyte"]
    assert (data.grains[electrolyte] > 0).all() and (data.grains[~electrolyte] == 0).all()
    n = len(np.unique(data.grains[electrolyte]))
    assert n == data.notes["grains"] and len(data.orientations) >= n
    # 600 um^2 of grains whose mean diameter is 5 um and whose logarithm spreads by 0.35
    assert n == pytest.approx(600 / (np.pi / 4 * 25 * np.exp(0.35**2)), rel=0.15)
    assert {"grain_boundaries", "li_sse", "void_sse"} <= set(data.facet_groups)
    assert len(data.lines["triple_lines"])


@pytest.mark.parametrize("layer", [0.02, 0.2])
def test_a_layer_takes_its_area_from_the_grains(layer):
    bare = cell(**CELL, grains=Grains(6.0), order=1)
    data = cell(**CELL, grains=Grains(6.0, layer=layer), order=1)
    found = gate.inspect(data)
    gate.refuse(found)
    on = bare.facets[bare.facet_tags == bare.facet_groups["grain_boundaries"]]
    length = np.linalg.norm(bare.points[on[:, 0]] - bare.points[on[:, 1]], axis=1).sum()
    area = found.measures["grain_boundary"]
    # length times thickness, but for what overlaps where three boundaries meet
    assert area == pytest.approx(length * layer, rel=2 * layer / 6.0 + 1e-3)
    assert area + found.measures["electrolyte"] == pytest.approx(600.0, rel=1e-12)


def test_second_order_with_a_layer_and_a_crack():
    data = cell(**CELL, grains=Grains(6.0, layer=0.05), crack=(Crack(4.0),))
    gate.refuse(gate.inspect(data))
    assert data.order == 2 and set(data.fronts) == {"tip"}


def test_a_crack_follows_grain_boundaries():
    data = cell(**CELL, grains=Grains(5.0, seed=4), crack=(Crack(9.0, shape="grain_boundary"),))
    gate.refuse(gate.inspect(data))
    tip = data.points[data.front("tip").ravel()][0]
    assert tip[1] == pytest.approx(9.0, rel=1e-9)
    face = data.facets[data.facet_tags == data.facet_groups["crack_lower"]]
    cells = data.cells[:, :3]
    beside = [np.flatnonzero(np.isin(cells, f[:2]).sum(axis=1) == 2)[0] for f in face]
    other = data.facets[data.facet_tags == data.facet_groups["crack_upper"]]
    across = [np.flatnonzero(np.isin(cells, f[:2]).sum(axis=1) == 2)[0] for f in other]
    mid = data.points[face[:, :2]].mean(axis=1), data.points[other[:, :2]].mean(axis=1)
    for k, here in enumerate(mid[0]):
        twin = int(np.argmin(np.linalg.norm(mid[1] - here, axis=1)))
        assert data.grains[beside[k]] != data.grains[across[twin]]


def test_weak_boundaries_change_the_path():
    crack = Crack(9.0, shape="grain_boundary")
    weak = Crack(9.0, shape="grain_boundary", weak=0.5, boundary_energy=0.1)
    one, other = (cell(**CELL, grains=Grains(4.0, seed=4), crack=(c,)) for c in (crack, weak))
    tips = [d.points[d.front("tip").ravel()][0] for d in (one, other)]
    assert np.linalg.norm(tips[0] - tips[1]) > 0.1


def test_columns_and_equiaxed_grains_in_space():
    body = {"width": 12.0, "electrolyte": 9.0, "depth": 5.0}
    path = Crack(5.0, shape="grain_boundary")
    columns = cell(**body, grains=Grains(4.0, columnar=True), crack=(path,), order=1)
    gate.refuse(gate.inspect(columns))
    assert set(columns.fronts) == {"front"}
    equiaxed = cell(**{**body, "depth": 12.0}, grains=Grains(4.0), crack=(path,), order=1)
    gate.refuse(gate.inspect(equiaxed))
    assert len(equiaxed.fronts["front"])


def test_same_seed_same_mesh():
    first, again = (cell(**CELL, grains=Grains(5.0, seed=7)) for _ in range(2))
    assert first.points.tobytes() == again.points.tobytes()
    assert first.cells.tobytes() == again.cells.tobytes()
    assert first.orientations.tobytes() == again.orientations.tobytes()


def test_half_of_a_crack_on_a_plane_of_symmetry():
    data = cell(**CELL, symmetry="x", crack=(Crack(4.0, filled=0.5),))
    gate.refuse(gate.inspect(data))
    assert {g for g in data.facet_groups if "crack" in g} == {"crack_upper", "crack_upper_filled"}
    tip = data.points[data.front("tip").ravel()]
    assert np.allclose(tip, [[0.0, 4.0, 0.0]], rtol=0, atol=1e-9)
    assert data.points[data.lines["mouth"].ravel()][0, 1] == pytest.approx(0.0, abs=1e-9)


def test_quarter_of_an_ellipse_has_one_front():
    data = cell(
        20.0, 10.0, 4.0, 16.0, symmetry="xz", crack=(Crack(3.0, "ellipse", c=4.0),), order=1
    )
    gate.refuse(gate.inspect(data))
    front = data.points[np.unique(data.front("front"))]
    on = (front[:, 1] / 3.0) ** 2 + (front[:, 2] / 4.0) ** 2
    assert on == pytest.approx(1.0, rel=1e-6)
    assert front[:, 1].max() == pytest.approx(3.0) and front[:, 2].max() == pytest.approx(4.0)


def test_a_turned_ellipse_lies_in_its_plane():
    data = cell(30.0, 12.0, depth=20.0, order=1, crack=(Crack(3.0, "ellipse", turn=90.0, z=2.0),))
    gate.refuse(gate.inspect(data))
    face = np.unique(data.facets[data.facet_tags == data.facet_groups["crack_lower"]])
    assert data.points[face][:, 2] == pytest.approx(2.0, abs=1e-9)
    assert np.abs(data.points[face][:, 0]).max() == pytest.approx(3.0, rel=1e-6)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"grains": Grains(25.0)}, "geometry.grains.size"),
        ({"grains": Grains(0.1)}, "at most 3000 grains"),
        ({"grains": Grains(5.0, layer=3.0)}, "geometry.grains.layer"),
        ({"crack": (Crack(5.0, shape="grain_boundary"),)}, r"\[geometry.grains\]"),
        ({"crack": (Crack(5.0, turn=90.0),)}, "geometry.crack.0.turn"),
        (
            {"grains": Grains(5.0, layer=0.1), "crack": (Crack(5.0, shape="grain_boundary"),)},
            "layer of cells",
        ),
        (
            {"depth": 8.0, "crack": (Crack(3.0, "ellipse", z=3.0),)},
            "not within the body along z",
        ),
        ({"symmetry": "x", "crack": (Crack(3.0, angle=-10.0, x=0.1),)}, "not within the body"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(more, word):
    with pytest.raises(MeshError, match=word):
        cell(**{**CELL, "order": 1, **more})


@pytest.mark.parametrize("seed", range(50))
def test_grains_void_crack_and_lithium_over_50_seeds(seed):
    data = cell(
        **CELL,
        grains=Grains(4.0, seed=seed),
        void=(Void(1.5, 0.8),),
        crack=(Crack(5.0, at="void_edge", angle=10.0),),
        order=1,
    )
    gate.refuse(gate.inspect(data))  # every noted interface lies between its two materials
    assert data.notes["area:electrolyte"] == pytest.approx(600.0, rel=1e-9)
    assert {"li_sse", "void_li", "void_sse", "grain_boundaries"} <= set(data.facet_groups)


@pytest.mark.parametrize("seed", range(12))
def test_equiaxed_grains_with_a_crack_over_seeds(seed):
    data = cell(
        12.0, 10.0, 3.0, 12.0, grains=Grains(4.5, seed=seed), crack=(Crack(3.0, "ellipse"),),
        order=1,
    )  # fmt: skip
    gate.refuse(gate.inspect(data))
    assert data.notes["volume:electrolyte"] == pytest.approx(1440.0, rel=1e-9)
