"""Scenes: painting order, names of interfaces and walls, sheets, sizes, ends of facet groups."""

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes import gate
from ssbmech.meshes.scene import Part, Sheet, mesh_scene, pair_name
from ssbmech.meshes.scene_rims import rim, untag_closed
from ssbmech.meshes.scene_sizes import Slab
from ssbmech.meshes.session import session
from ssbmech.meshes.sizing import Grading
from ssbmech.meshes.split import split_crack


def rectangle(gmsh, x, y, w, h):
    return int(gmsh.model.occ.addRectangle(x, y, 0, w, h))


def line(gmsh, *places):
    occ = gmsh.model.occ
    return int(occ.addLine(*[occ.addPoint(*p, 0) for p in places]))


def side(box):
    """Every side of the square of 10 is called outer."""
    flat = [box[k] for k in range(2) if abs(box[k] - box[k + 3]) < 1e-5]
    return "outer" if any(abs(v) < 1e-5 or abs(v - 10) < 1e-5 for v in flat) else None


def square(draw, order=1, sizes=None, everywhere=2.0, slabs=()):
    """A square of electrolyte with what `draw(gmsh)` paints over it: parts and sheets."""
    with session("square") as gmsh:
        parts, sheets = draw(gmsh)
        parts = [Part("electrolyte", (rectangle(gmsh, 0, 0, 10, 10),)), *parts]
        return mesh_scene(
            gmsh, 2, parts, sheets, side, sizes or {}, everywhere, order=order, key="square",
            slabs=slabs,
        )  # fmt: skip


def area(data, name):
    return gate.inspect(data).measures[name]


@pytest.mark.parametrize(
    ("a", "b", "name"),
    [
        ("electrolyte", "lithium", "li_sse"),
        ("interphase", "lithium", "lithium_interphase"),
        ("electrolyte", "skin", "skin_electrolyte"),
        ("electrolyte", "electrolyte", "grain_boundaries"),
        ("zirconia", "lithium", "lithium_zirconia"),
        ("b", "a", "a_b"),
    ],
)
def test_names_of_interfaces_run_from_the_anode_to_the_cathode(a, b, name):
    assert pair_name(a, b) == pair_name(b, a) == name


def test_the_last_part_wins_and_every_interface_has_a_name():
    def draw(gmsh):
        return [
            Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),)),
            Part("impurity", (rectangle(gmsh, 2, 3, 2, 2),)),
        ], []

    data = square(draw)
    assert area(data, "impurity") == pytest.approx(4)
    assert area(data, "lithium") == pytest.approx(38)
    assert area(data, "electrolyte") == pytest.approx(58)
    assert set(data.facet_groups) == {
        "outer", "li_sse", "lithium_impurity", "impurity_electrolyte"
    }  # fmt: skip
    assert data.notes["between:li_sse"] == "electrolyte|lithium"
    assert data.notes["between:outer"] == "electrolyte|,lithium|"
    assert data.notes["area:impurity"] == pytest.approx(4)


def test_a_part_covers_only_what_it_may_and_is_never_lost():
    def draw(gmsh):
        return [
            Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),)),
            Part("skin", (rectangle(gmsh, 2, 3, 2, 2),), over=("electrolyte",)),
        ], []

    assert area(square(draw), "skin") == pytest.approx(2)

    def lost(gmsh):
        return [Part("skin", (rectangle(gmsh, 20, 3, 2, 2),), over=("electrolyte",))], []

    with pytest.raises(MeshError, match=r"\(skin\) takes no room in electrolyte"):
        square(lost)


def test_walls_of_a_hole_are_named_by_what_they_bound():
    def draw(gmsh):
        return [
            Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),)),
            Part(None, (rectangle(gmsh, 4, 3, 2, 2),)),
        ], []

    data = square(draw)
    assert {"void_li", "void_sse"} <= set(data.facet_groups)
    assert data.notes["between:void_li"] == "lithium|"
    assert area(data, "lithium") + area(data, "electrolyte") == pytest.approx(96)


def test_nothing_left_is_refused():
    with pytest.raises(MeshError, match="leave nothing of the body"):
        square(lambda gmsh: ([Part(None, (rectangle(gmsh, -1, -1, 12, 12),))], []))


def test_a_sheet_keeps_its_facets_inside_and_names_the_interface_it_lies_on():
    def draw(gmsh):
        parts = [Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),))]
        return parts, [Sheet("blocked", (line(gmsh, (2, 4), (5, 4)),))]

    data = square(draw)
    rows = data.facets[data.facet_tags == data.facet_tag("blocked")]
    lengths = np.linalg.norm(data.points[rows[:, 1]] - data.points[rows[:, 0]], axis=1)
    assert lengths.sum() == pytest.approx(3)
    assert data.notes["between:blocked"] == "electrolyte|lithium"
    assert "li_sse" in data.facet_groups


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (((5, 3), (5, 8)), "1 of 5 um of the crack lie in lithium"),
        (((5, 8), (5, 12)), "2 of 4 um of the crack lie outside the body"),
        (((7, 5), (9.5, 5)), "1 of 2.5 um of the crack lie in void"),
    ],
)
def test_a_sheet_that_leaves_its_material_is_refused_with_the_length(ends, words):
    def draw(gmsh):
        parts = [
            Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),)),
            Part(None, (rectangle(gmsh, 8, 4.5, 1, 1),)),
        ]
        tag = line(gmsh, *ends)
        return parts, [Sheet("crack", (tag,), within=("electrolyte",), key="geometry.crack.0")]

    with pytest.raises(MeshError) as caught:
        square(draw)
    assert words in str(caught.value)
    assert caught.value.key == "geometry.crack.0"


def test_a_sheet_wholly_inside_one_piece_is_found_inside():
    def draw(gmsh):
        return [], [Sheet("crack", (line(gmsh, (3, 3), (7, 5)),), within=("electrolyte",))]

    data = square(draw)
    front, mouth = rim(data, ["crack"])
    assert len(front) == 2
    assert len(mouth) == 0


def test_front_and_mouth_of_a_sheet_that_starts_at_an_interface():
    def draw(gmsh):
        parts = [Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),))]
        return parts, [Sheet("crack", (line(gmsh, (5, 4), (5, 8)),))]

    data = square(draw)
    front, mouth = rim(data, ["crack"])
    assert data.points[front[0, 0], 1] == pytest.approx(8)
    assert data.points[mouth[0, 0], 1] == pytest.approx(4)


@pytest.mark.parametrize("order", [1, 2])
def test_a_facet_between_two_points_of_the_rim_is_made_to_open(order):
    """One element alone has no node that could be doubled: it gets one."""

    def draw(gmsh):
        parts = [Part("lithium", (rectangle(gmsh, 0, 0, 10, 4),))]
        return parts, [Sheet("blocked", (line(gmsh, (4, 4), (5, 4)),))]

    data = square(draw, order=order)
    assert (data.facet_tags == data.facet_tag("blocked")).sum() == 1
    divided = untag_closed(data, ["blocked"], "li_sse")
    assert (divided.facet_tags == divided.facet_tag("blocked")).sum() == 2
    split = split_crack(divided, "blocked", None, lower="low", upper="high")
    assert len(split.points) == len(divided.points) + (1 if order == 1 else 3)
    report = gate.inspect(split)
    gate.refuse(report)
    assert report.measures == pytest.approx({"electrolyte": 60, "lithium": 40})


def test_sizes_at_walls_outlines_and_slabs():
    def draw(gmsh):
        size = Grading(0.1, 0.3, 0.0, 2.0)
        disk = int(gmsh.model.occ.addDisk(5, 5, 0, 1, 1))
        return [Part("lithium", (disk,), size=size, curved=True)], []

    data = square(draw)
    rows = data.facets[data.facet_tags == data.facet_tag("li_sse")]
    assert len(rows) == pytest.approx(2 * np.pi / 0.1, rel=0.1)
    plain = square(lambda gmsh: ([], []))
    layer = square(lambda gmsh: ([], []), slabs=[Slab(4, 5, Grading(0.2, 0.5, 0.0, 2.0))])
    middle = layer.points[layer.cells].mean(axis=1)[:, 1]
    inside = (middle > 4) & (middle < 5)
    assert inside.sum() == pytest.approx(10 / (np.sqrt(3) / 4 * 0.2**2), rel=0.35)
    assert len(plain.cells) < 100


def test_straight_elements_of_curved_parts_state_their_error():
    def draw(gmsh):
        return [Part("lithium", (int(gmsh.model.occ.addDisk(5, 5, 0, 2, 2)),), curved=True)], []

    rough, fine = square(draw, order=1), square(draw, order=2)
    missing = 1 - area(rough, "lithium") / (4 * np.pi)
    assert 0 < missing < rough.notes["area_tolerance:lithium"]
    assert not any(key.startswith("area_tolerance") for key in fine.notes)
    assert area(fine, "lithium") == pytest.approx(4 * np.pi, rel=1e-5)


def test_grains_of_one_material_have_boundaries_and_triple_points():
    def draw(gmsh):
        return [
            Part("electrolyte", (rectangle(gmsh, 0, 0, 5, 5),), grain=1),
            Part("electrolyte", (rectangle(gmsh, 5, 0, 5, 5),), grain=2),
            Part("electrolyte", (rectangle(gmsh, 0, 5, 10, 5),), grain=3),
        ], []

    data = square(draw)
    assert set(np.unique(data.grains)) == {1, 2, 3}
    assert "grain_boundaries" in data.facet_groups
    (node,) = data.lines["triple_lines"]
    assert data.points[node[0], :2] == pytest.approx([5, 5])
