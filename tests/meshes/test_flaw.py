"""Cracks in a planar cell: fronts, faces, filled share, skins, what is refused."""

from math import cos, hypot, pi, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssbmech.errors import MeshError
from ssbmech.meshes import gate
from ssbmech.meshes.cell import cell
from ssbmech.meshes.cell_cracks import distance
from ssbmech.meshes.features import Protrusion, Void
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.patches import Contact

PLANE = {"width": 40.0, "electrolyte": 20.0, "lithium": 10.0}
SOLID = {"width": 12.0, "electrolyte": 8.0, "depth": 12.0}


def length(data, *groups):
    """Length or area of facet groups."""
    total = 0.0
    for group in groups:
        x = data.points[data.facets[data.facet_tags == data.facet_tag(group)][:, : data.dim]]
        if data.dim == 2:
            total += np.linalg.norm(x[:, 1] - x[:, 0], axis=1).sum()
        else:
            across = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
            total += np.linalg.norm(across, axis=1).sum() / 2
    return float(total)


def tip(data, name="tip"):
    return data.points[data.front(name)[0, 0], :2]


def checked(**parameters):
    data = cell(**parameters)
    gate.refuse(gate.inspect(data))
    return data


# -- in the section --------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0, 30, -60])
def test_straight_crack_from_the_interface(angle):
    data = checked(**PLANE, crack=(Crack(5, x=3, angle=angle),))
    exact = [3 + 5 * sin(radians(angle)), 5 * cos(radians(angle))]
    assert tip(data) == pytest.approx(exact)
    for face in ("crack_lower", "crack_upper"):
        assert length(data, face) == pytest.approx(5)
    assert data.points[data.lines["mouth"][0, 0], :2] == pytest.approx([3, 0])
    assert data.notes["crack_size"] == 5


def test_both_faces_start_at_one_node_where_the_lithium_stays_whole():
    """Without lithium the mouth is open: two nodes."""
    for lithium, count in ((10, 1), (0, 2)):
        data = checked(width=40, electrolyte=20, lithium=lithium, crack=(Crack(5),))
        at = np.hypot(data.points[:, 0], data.points[:, 1]) < 1e-9
        assert at.sum() == count


def test_crack_inside_has_two_tips_and_its_half_length():
    data = checked(width=40, electrolyte=20, crack=(Crack(3, y=10, angle=90, filled=0.5),))
    assert sorted(tip(data, name)[0] for name in ("tip_1", "tip_2")) == pytest.approx([-3, 3])
    assert length(data, "crack_lower_filled") == pytest.approx(3)
    assert length(data, "crack_lower") == pytest.approx(3)
    assert data.notes["crack_size"] == pytest.approx(3)


@settings(max_examples=15, deadline=None)
@given(
    share=st.floats(0.05, 0.95), x=st.floats(-5, 5), turn=st.floats(-60, 60), part=st.floats(1, 4)
)
def test_filled_share_of_a_kinked_crack(share, x, turn, part):
    """Exact: the end of the lithium is a corner of the mesh wherever it falls."""
    end = (x + part * sin(radians(turn)), 4 + part * cos(radians(turn)))
    data = checked(
        **PLANE, crack=(Crack(shape="kinked", points=((x, 0), (x, 4), end), filled=share),)
    )
    wet, dry = length(data, "crack_upper_filled"), length(data, "crack_upper")
    assert wet + dry == pytest.approx(4 + part)
    assert wet / (wet + dry) == pytest.approx(share)
    assert tip(data) == pytest.approx(end)


def test_filled_and_empty_cracks_are_told_apart():
    """A pressure on the filled faces must not reach the empty crack."""
    data = checked(**PLANE, crack=(Crack(5, x=-5), Crack(4, x=5, filled=0.0)))
    names = {g for g in data.facet_groups if g.startswith("crack")}
    assert names == {"crack_lower_filled", "crack_upper_filled", "crack_lower_2", "crack_upper_2"}
    both = checked(**PLANE, crack=(Crack(5, x=-5), Crack(4, x=5)))
    names = {g for g in both.facet_groups if g.startswith("crack")}
    assert names == {"crack_lower", "crack_upper", "crack_lower_2", "crack_upper_2"}
    assert {"tip", "tip_2"} <= set(both.fronts)


def test_crack_at_the_edge_of_a_void_and_at_the_tip_of_a_protrusion():
    data = checked(**PLANE, void=(Void(2, 1, x=-3),), crack=(Crack(4, at="void_edge"),))
    assert tip(data) == pytest.approx([-1, 4])
    data = checked(
        **PLANE, protrusion=(Protrusion(3, radius=1, x=2),), crack=(Crack(4, at="protrusion_tip"),)
    )
    assert tip(data) == pytest.approx([2, 7])
    wave = Protrusion(1, "wave", wavelength=8, x=1)
    data = checked(**PLANE, protrusion=(wave,), crack=(Crack(4, at="protrusion_tip", angle=10),))
    assert tip(data) == pytest.approx([1 + 4 * sin(radians(10)), 1 + 4 * cos(radians(10))])


def test_skin_has_its_exact_area():
    """Two flanks of 5, half a circle at the tip."""
    data = checked(**PLANE, crack=(Crack(5, skin=0.3),))
    exact = 2 * 5 * 0.3 + pi * 0.09 / 2
    assert gate.inspect(data).measures["skin"] == pytest.approx(exact, rel=1e-5)
    assert data.notes["area:skin"] == pytest.approx(exact, rel=1e-6)
    assert {"skin_electrolyte", "lithium_skin"} <= set(data.facet_groups)
    inside = checked(width=40, electrolyte=20, crack=(Crack(3, y=10, skin=0.2),))
    exact = 2 * 6 * 0.2 + pi * 0.04
    assert inside.notes["area:skin"] == pytest.approx(exact, rel=1e-6)


def test_skin_of_an_inclined_crack_reaches_the_interface_on_both_flanks():
    """At 45 degrees the interface cuts the skin over 2 t sqrt(2)."""
    data = checked(**PLANE, crack=(Crack(5, angle=45, skin=0.3),))
    assert length(data, "lithium_skin") == pytest.approx(0.6 * 2**0.5, rel=1e-6)


def test_crack_over_a_void_and_in_a_gap():
    checked(**PLANE, void=(Void(2, 1),), crack=(Crack(4),))
    data = checked(**PLANE, contact=Contact(0.4, 4, gap=True), crack=(Crack(4),))
    assert {"blocked_li", "blocked_sse", "crack_lower"} <= set(data.facet_groups)


# -- in space --------------------------------------------------------------------------------------


def test_half_ellipse_at_the_surface():
    data = checked(**SOLID, crack=(Crack(3, "ellipse", c=2, h_tip=0.4),))
    assert length(data, "crack_upper") == pytest.approx(pi * 3, rel=0.02)  # straight facets
    nodes = data.points[np.unique(data.front("front"))]
    assert (nodes[:, 1] / 3) ** 2 + (nodes[:, 2] / 2) ** 2 == pytest.approx(np.ones(len(nodes)))
    assert nodes[:, 0] == pytest.approx(np.zeros(len(nodes)), abs=1e-9)


def test_inclined_ellipse_filled_in_part_inside():
    crack = Crack(2, "ellipse", c=3, y=4, angle=30, filled=0.5, h_tip=0.4)
    data = checked(**SOLID, crack=(crack,))
    wet, dry = length(data, "crack_upper_filled"), length(data, "crack_upper")
    assert wet / (wet + dry) == pytest.approx(0.25, rel=0.02)
    nodes = data.points[np.unique(data.front("front"))]
    along = nodes[:, 0] * sin(radians(30)) + (nodes[:, 1] - 4) * cos(radians(30))
    assert (along / 2) ** 2 + (nodes[:, 2] / 3) ** 2 == pytest.approx(np.ones(len(nodes)))


def test_crack_through_the_depth_and_half_of_an_ellipse():
    through = checked(width=12, electrolyte=8, depth=3, crack=(Crack(3, angle=20, h_tip=0.5),))
    assert length(through, "crack_lower") == pytest.approx(9)
    half = checked(**SOLID, symmetry="xz", crack=(Crack(2, "ellipse", x=3, h_tip=0.4),))
    assert length(half, "crack_lower") == pytest.approx(pi, rel=0.03)
    assert (half.points[:, 2] > -1e-9).all()


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crack", "key", "words"),
    [
        (Crack(), "a", "needs its length"),
        (Crack(-1), "a", "> 0 um"),
        (Crack(25), "", "y from 25 to 25 um"),
        (Crack(5, x=18, angle=60), "", "x from 18 to 22.3301 um"),
        (Crack(5, x=30), "", "between -20 and 20 um"),
        (Crack(5, y=3), "", "y from -2 to 8 um"),
        (Crack(5, angle=100), "angle", "[-90, 90] degrees"),
        (Crack(5, angle=90), "", "electrolyte"),
        (Crack(5, filled=1.1), "filled", "[0, 1]"),
        (Crack(5, filled=0.0), "filled", "above 0"),
        (Crack(5, h_tip=6), "h_tip", "(0, 5) um"),
        (Crack(5, skin=6), "skin", "(0, 5) um"),
        (Crack(5, skin=3, x=18), "skin", "below 2 um"),
        (Crack(5, "ellipse"), "shape", "depth"),
        (Crack(5, "grain_boundary"), "shape", "grains"),
        (Crack(5, "zigzag"), "shape", "'kinked'"),
        (Crack(shape="kinked"), "points", "two points"),
        (Crack(shape="kinked", points=((0, 1), (0, 5))), "points", "y = 0 um"),
        (Crack(shape="kinked", points=((0, 0), (2, 2), (0, 2), (2, 1))), "points", "meet"),
        (Crack(shape="kinked", points=((0, 0), (0, 5), (0, 1))), "points", "meet"),
        (Crack(5, at="void_edge"), "at", "[[geometry.void]]"),
        (Crack(5, at="protrusion_tip"), "at", "[[geometry.protrusion]]"),
    ],
)  # fmt: skip
def test_cracks_that_are_refused(crack, key, words):
    with pytest.raises(MeshError) as caught:
        cell(**PLANE, crack=(crack,))
    assert caught.value.key == "geometry.crack.0" + (f".{key}" if key else "")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"protrusion": (Protrusion(3, radius=1),)}, "3 of 5 um of the crack lie in lithium"),
        ({"void": (Void(2, depth=1),)}, "1 of 5 um of the crack lie in void"),
    ],
)
def test_a_crack_in_lithium_or_a_void_is_refused_with_the_length(parts, words):
    with pytest.raises(MeshError, match=words):
        cell(**PLANE, **parts, crack=(Crack(5),))


def test_cracks_that_meet_are_refused_with_their_distance():
    with pytest.raises(MeshError, match=r"geometry.crack.1: .* 0 um to geometry.crack.0"):
        cell(**PLANE, crack=(Crack(5, x=-1, angle=30), Crack(5, x=1, angle=-30)))
    with pytest.raises(MeshError, match=r"0\.3 um .*more than 0\.4"):
        cell(**PLANE, crack=(Crack(5, skin=0.2), Crack(4, x=0.3, skin=0.2)))


def test_a_crack_that_starts_on_a_plane_of_symmetry_or_at_round_features_is_refused():
    with pytest.raises(MeshError, match="touches the plane of symmetry"):
        cell(**PLANE, symmetry="x", crack=(Crack(5, angle=20),))
    body = {**SOLID, "lithium": 4.0}
    with pytest.raises(MeshError, match="strip = true"):
        cell(**body, void=(Void(2, 1),), crack=(Crack(2, at="void_edge"),))
    with pytest.raises(MeshError, match="round tip"):
        cell(**body, protrusion=(Protrusion(2, radius=1),), crack=(Crack(2, at="protrusion_tip"),))
    with pytest.raises(MeshError, match="place of its own"):
        crack = Crack(shape="kinked", points=((2, 0), (2, 3)), at="void_edge")
        cell(**PLANE, void=(Void(2, 1),), crack=(crack,))


def test_distance_of_polylines():
    a = np.array([[0.0, 0.0], [4.0, 0.0]])
    assert distance(a, np.array([[1.0, -1.0], [2.0, 1.0]])) == 0
    assert distance(a, np.array([[5.0, 1.0], [5.0, 3.0]])) == pytest.approx(hypot(1, 1))
    assert distance(a, np.array([[1.0, 2.0], [3.0, 0.5], [9.0, 9.0]])) == pytest.approx(0.5)
