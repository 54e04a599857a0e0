"""Features of a planar interface: what is refused, exact shapes, random contact."""

from math import acos, cos, pi, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssbmech.errors import MeshError
from ssbmech.meshes import features, shapes
from ssbmech.meshes.feature_checks import Footprint, check_features
from ssbmech.meshes.features import Impurity, Protrusion, Void
from ssbmech.meshes.patches import Contact, check_contact, scatter
from ssbmech.meshes.session import session
from ssbmech.meshes.shapes import Place

PLANE = Place(dim=2, low=(-20.0, 0.0), high=(20.0, 0.0), lithium=0.0, floor=-10.0, top=20.0)
SOLID = Place(dim=3, low=(-20.0, -15.0), high=(20.0, 15.0), lithium=0.0, floor=-10.0, top=20.0)
LAYERS = Place(
    dim=2, low=(-20.0, 0.0), high=(20.0, 0.0), lithium=-1.5, floor=-10.0, top=20.0,
    above=(("interlayer", -0.5), ("interphase", 0.0), ("electrolyte", 20.0)),
)  # fmt: skip


def refused(void=(), protrusion=(), impurity=(), at=PLANE):
    with pytest.raises(MeshError) as caught:
        check_features(void, protrusion, impurity, at)
    return caught.value


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "key", "words"),
    [
        (Void(0.0, 1.0), "radius", "> 0 um"),
        (Void(2.0), "height", "no extent"),
        (Void(2.0, 10.0), "height", "below 10 um"),
        (Void(2.0, depth=20.0), "depth", "below 20 um"),
        (Void(2.0, 0.01), "height", "from 0.02 um"),
        (Void(1.0, 4.0), "height", "3 um"),
        (Void(2.0, 1.0, x=19.0), "x", "-17.96 to 17.96 um"),
        (Void(2.0, 1.0, x=30.0), "x", "-17.96 to 17.96 um"),
        (Void(2.0, 1.0, number=3, pitch=4.0), "pitch", ">= 4.04 um"),
        (Void(2.0, 1.0, number=0), "number", "1 to 1000"),
        (Void(2.0, 1.0, number=8), "x", "crosses the side"),
        (Void(2.0, 1.0, rows=2), "rows", "1 in 2-D"),
    ],
)
def test_voids_that_are_refused(bad, key, words):
    error = refused(void=(Void(1, 1, x=-16), bad))
    assert error.key == f"geometry.void.1.{key}"
    assert words in str(error)


@pytest.mark.parametrize(
    ("bad", "key", "words"),
    [
        (Protrusion(20.0, radius=1.0), "height", "shorts the cell"),
        (Protrusion(3.0), "radius", "needs its radius"),
        (Protrusion(1.0, "finger", radius=1.0), "height", "> 1 um"),
        (Protrusion(0.1, radius=4.0), "height", "0.2 to 200 um"),
        (Protrusion(3.0, radius=1.0, filled=1.2), "filled", "[0, 1]"),
        (Protrusion(3.0, radius=1.0, filled=0.999), "filled", "0.02 to 0.98"),
        (Protrusion(3.0, radius=1.0, wavelength=3.0), "wavelength", "only a wave"),
        (Protrusion(3.0, "cone", radius=1.0), "shape", "'finger'"),
        (Protrusion(1.0, "wave"), "wavelength", "needs its length"),
        (Protrusion(12.0, "wave", wavelength=8.0), "height", "< 10 um"),
        (Protrusion(5.0, "wave", wavelength=2.0), "height", "4 um"),
        (Protrusion(0.01, "wave", wavelength=0.05), "wavelength", ">= 0.1 um"),
        (Protrusion(1.0, "wave", wavelength=8.0, radius=1.0), "radius", "no radius"),
    ],
)
def test_protrusions_that_are_refused(bad, key, words):
    error = refused(protrusion=(bad,))
    assert error.key == f"geometry.protrusion.0.{key}"
    assert words in str(error)


@pytest.mark.parametrize(
    ("bad", "key", "words"),
    [
        (Impurity(-1.0), "radius", "> 0 um"),
        (Impurity(2.0, 10.0), "thickness", "below 10 um"),
        (Impurity(2.0, 0.01), "thickness", "0 (a film)"),
        (Impurity(1.0, 3.5), "thickness", "3 um"),
        (Impurity(2.0, 0.5, "disc"), "shape", "'plate'"),
    ],
)
def test_impurities_that_are_refused(bad, key, words):
    error = refused(impurity=(bad,))
    assert error.key == f"geometry.impurity.0.{key}"
    assert words in str(error)


def test_overlap_names_both_and_gives_the_gap():
    error = refused(void=(Void(2, 1),), impurity=(Impurity(2, 0.5, x=3.5),))
    assert "geometry.void.0 and geometry.impurity.0 overlap" in str(error)
    assert "-0.5 um" in str(error)
    # a hair's breadth apart is as bad as an overlap: there would be slivers between
    refused(void=(Void(2, 1),), impurity=(Impurity(2, 0.5, x=4.01),))
    check_features((Void(2, 1),), (), (Impurity(2, 0.5, x=4.1),), PLANE)


def test_a_bulging_void_is_wider_than_its_opening():
    """Height 2 over radius 1: a ball of radius 1.25."""
    foot = check_features((Void(1, 2),), (), (), PLANE)[0]
    assert foot.radius == pytest.approx(1.25)
    refused(void=(Void(1, 2), Void(1, 2, x=2.4)))
    check_features((Void(1, 1), Void(1, 1, x=2.4)), (), (), PLANE)


def test_discs_beside_each_other_along_z_do_not_overlap_but_strips_do():
    a, b = Footprint("a", 0, -3, 2, False), Footprint("b", 0, 3, 2, False)
    assert a.gap(b) == pytest.approx(2.0)
    assert a.gap(Footprint("b", 0, 3, 2, True)) == pytest.approx(-4.0)


def test_a_centre_on_a_side_is_fine_and_near_it_is_not():
    half = Place(dim=2, low=(0.0, 0.0), high=(20.0, 0.0), lithium=0.0, floor=-10.0, top=20.0)
    check_features((Void(2, 1),), (), (), half)
    error = refused(void=(Void(2, 1, x=1.0),), at=half)
    assert "2.04 to 17.96 um, or 0 or 20 um" in str(error)


def test_a_wave_leaves_no_place_for_others():
    wave = Protrusion(1.0, "wave", wavelength=8.0)
    assert "geometry.void.0" in str(refused(void=(Void(2, 1),), protrusion=(wave,)))
    assert "geometry.protrusion.1" in str(refused(protrusion=(wave, wave)))
    assert "interlayer" in str(refused(protrusion=(wave,), at=LAYERS))


def test_a_feature_must_not_end_at_the_border_of_a_layer():
    for level in (1.0, 1.5):
        error = refused(protrusion=(Protrusion(level, radius=1.0),), at=LAYERS)
        assert f"off {level:g} um" in str(error)
    check_features((), (Protrusion(1.25, radius=1.0),), (), LAYERS)
    assert refused(void=(Void(2, 1, 1.0),), at=LAYERS).key == "geometry.void.0.depth"


@pytest.mark.parametrize(
    ("bad", "key", "words"),
    [
        (Contact(1.2, 2.0), "fraction", "[0, 1]"),
        (Contact(-0.1, 2.0), "fraction", "[0, 1]"),
        (Contact(0.5, 50.0), "size", "(0, 40) um"),
        (Contact(0.5, 2.0, spread=2.0), "spread", "[0, 1]"),
        (Contact(0.5, 2.0, seed=-1), "seed", "0"),
        (Contact(0.0, 2.0, gap=True), "fraction", "falls in two"),
    ],
)
def test_contact_that_is_refused(bad, key, words):
    with pytest.raises(MeshError) as caught:
        check_contact(bad, PLANE)
    assert caught.value.key == f"geometry.contact.{key}"
    assert words in str(caught.value)


def test_discs_without_room_and_too_many_discs():
    with pytest.raises(MeshError, match="do not find room"):
        scatter(SOLID, 0.5, Contact(0.5, 8.0, spread=0.0))
    with pytest.raises(MeshError, match=r"would take 7639\d discs.*>= 0.6"):
        scatter(SOLID, 0.5, Contact(0.5, 0.1))


# -- random contact --------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0.02, 0.4), dim=st.sampled_from([2, 3]))
def test_discs_cover_their_share_and_keep_apart(seed, share, dim):
    at = PLANE if dim == 2 else SOLID
    contact = Contact(share, 2.0, seed=seed)
    x, z, r = np.array(scatter(at, share, contact)).T
    covered = (2 * r).sum() / 40 if dim == 2 else (pi * r**2).sum() / 1200
    assert covered == pytest.approx(share, rel=1e-12)
    far = np.hypot(x - x[:, None], z - z[:, None]) - r - r[:, None]
    np.fill_diagonal(far, np.inf)
    assert (far > 0.1 * np.minimum(r, r[:, None])).all()
    assert (np.abs(x) + r < 20).all()
    assert dim == 2 or (np.abs(z) + r < 15).all()
    assert scatter(at, share, contact) == scatter(at, share, contact)


def test_mean_and_spread_of_diameters_are_those_asked_for():
    """500 discs: the mean is good to 0.3/sqrt(500), about 1.4 %; the scaling adds less."""
    at = Place(dim=3, low=(-100.0, -100.0), high=(100.0, 100.0), lithium=0.0, floor=-1.0, top=1.0)
    r = np.array(scatter(at, 0.04, Contact(0.04, 2.0, spread=0.3, seed=4)))[:, 2]
    assert len(r) > 400
    assert np.exp(np.log(2 * r).mean()) == pytest.approx(2.0, rel=0.05)
    assert np.log(r).std() == pytest.approx(0.3, rel=0.1)


# -- exact shapes ----------------------------------------------------------------------------------


def mass(make, dim):
    """Area or volume of what a function draws, from OpenCASCADE."""
    with session("shape") as gmsh:
        made = make(gmsh)
        gmsh.model.occ.synchronize()
        tags = [t[1] if isinstance(t, tuple) else t for t in made]
        return sum(gmsh.model.occ.getMass(dim, t) for t in tags)


@pytest.mark.parametrize(("r", "h"), [(2.0, 2.0), (2.0, 0.5), (1.0, 2.0)])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_caps_have_their_exact_measures(r, h, sign):
    big = (r * r + h * h) / (2 * h)
    angle = acos((big - h) / big)
    segment = big * big * (angle - sin(angle) * cos(angle))
    found = mass(lambda g: shapes.cap(g, PLANE, 1, 0, r, h, sign, strip=False), 2)
    assert found == pytest.approx(segment, rel=1e-6)
    found = mass(lambda g: shapes.cap(g, SOLID, 1, 2, r, h, sign, strip=False), 3)
    assert found == pytest.approx(pi * h * (3 * r * r + h * h) / 6, rel=1e-6)
    found = mass(lambda g: shapes.cap(g, SOLID, 1, 2, r, h, sign, strip=True), 3)
    assert found == pytest.approx(segment * 30, rel=1e-6)


@pytest.mark.parametrize(("r", "h"), [(1.0, 1.0), (1.0, 4.0), (3.0, 1.0)])
def test_half_spheroids_have_their_exact_measures(r, h):
    found = mass(lambda g: shapes.half_ellipse(g, PLANE, 1, 0, r, h, ridge=False), 2)
    assert found == pytest.approx(pi * r * h / 2, rel=1e-6)
    found = mass(lambda g: shapes.half_ellipse(g, SOLID, 1, 2, r, h, ridge=False), 3)
    assert found == pytest.approx(2 / 3 * pi * r * r * h, rel=1e-6)
    found = mass(lambda g: shapes.half_ellipse(g, SOLID, 1, 2, r, h, ridge=True), 3)
    assert found == pytest.approx(pi * r * h / 2 * 30, rel=1e-6)


@pytest.mark.parametrize("filled", [1.0, 0.5, 0.9])
def test_fingers_have_their_exact_measures_filled_in_part(filled):
    r, h = 1.0, 4.0

    def empty(at):
        def make(gmsh):
            solid = shapes.finger(gmsh, at, 1, 2, r, h, ridge=False)
            return solid if filled == 1.0 else shapes.above(gmsh, at, solid, filled * h)

        return make

    level = filled * h
    if filled == 1.0:
        area, volume = 2 * r * (h - r) + pi * r * r / 2, pi * r * r * (h - r) + 2 / 3 * pi * r**3
    elif level < h - r:
        area = 2 * r * (h - r - level) + pi * r * r / 2
        volume = pi * r * r * (h - r - level) + 2 / 3 * pi * r**3
    else:
        cap = h - level
        angle = acos((r - cap) / r)
        area = r * r * (angle - sin(angle) * cos(angle))
        volume = pi * cap * cap * (3 * r - cap) / 3
    assert mass(empty(PLANE), 2) == pytest.approx(area, rel=1e-6)
    assert mass(empty(SOLID), 3) == pytest.approx(volume, rel=1e-6)


@pytest.mark.parametrize("crest", [0.0, 1.3])
@pytest.mark.parametrize("wavelength", [3.0, 8.0, 90.0])
def test_a_wave_follows_the_sinus(wavelength, crest):
    """Between its points the spline is off by 3e-4 of the amplitude at most (at its ends)."""
    with session("wave") as gmsh:
        shapes.wave_sides(gmsh, PLANE, 1.0, wavelength, crest)
        gmsh.model.occ.synchronize()
        curve = max((t for _, t in gmsh.model.getEntities(1)), key=lambda t: _bend(gmsh, t))
        (low,), (high,) = gmsh.model.getParametrizationBounds(1, curve)
        places = np.reshape(gmsh.model.getValue(1, curve, np.linspace(low, high, 1777)), (-1, 3))
    exact = shapes.wave_height(places[:, 0], PLANE, 1.0, wavelength, crest)
    assert np.abs(places[:, 1] - exact).max() < 3e-4


def _bend(gmsh, tag):
    box = gmsh.model.getBoundingBox(1, tag)
    return min(box[3] - box[0], box[4] - box[1])


@pytest.mark.parametrize("crest", [0.0, 1.3])
@pytest.mark.parametrize("wavelength", [3.0, 8.0, 90.0])
def test_area_of_a_wave(wavelength, crest):
    x = np.linspace(-20, 20, 200_001)
    y = shapes.wave_height(x, PLANE, 1.0, wavelength, crest)
    exact = float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum())
    assert shapes.wave_area(PLANE, 1.0, wavelength, crest) == pytest.approx(exact, abs=1e-6)


def test_plates_and_patches():
    assert mass(lambda g: shapes.plate(g, PLANE, 1, 0, 2, 0.5, strip=False), 2) == 2.0
    disc = mass(lambda g: shapes.plate(g, SOLID, 1, 3, 2, 0.5, strip=False), 3)
    assert disc == pytest.approx(pi * 4 * 0.5, rel=1e-9)
    assert mass(lambda g: shapes.plate(g, SOLID, 1, 3, 2, 0.5, strip=True), 3) == pytest.approx(60)
    assert mass(lambda g: shapes.patch(g, SOLID, 1, 3, 2, strip=False), 2) == pytest.approx(4 * pi)
    assert mass(lambda g: shapes.patch(g, SOLID, 1, 3, 2, strip=True), 2) == pytest.approx(120)
    assert mass(lambda g: shapes.whole(g, SOLID), 2) == pytest.approx(1200)
    assert mass(lambda g: shapes.whole(g, PLANE), 1) == pytest.approx(40)


def test_centres_of_an_array():
    places = features.void_centres(Void(1, 1, x=2, z=1, number=3, rows=2, pitch=4), 3)
    assert sorted(set(x for x, _ in places)) == [-2, 2, 6]
    assert sorted(set(z for _, z in places)) == [-1, 3]
    assert len(places) == 6
    plane = features.void_centres(Void(1, 1, number=2), 2)
    assert [x for x, _ in plane] == [-1.5, 1.5]  # three radii apart by default


def test_sizes_come_from_the_smallest_extent_unless_given():
    assert PLANE.size(2.0).h_tip == 0.25
    assert SOLID.size(2.0).h_tip == 0.5
    coarse = Place(2, (-1.0, 0.0), (1.0, 0.0), 0.0, -1.0, 1.0, h=0.3, h_max=0.2)
    assert coarse.size(2.0).h_tip == 0.2
