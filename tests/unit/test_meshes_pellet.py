"""The pellet: exact volumes, names of sides, cracks, refusals."""

import math

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes import gate
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.pellet import pellet

SMALL = {"radius": 600.0, "thickness": 300.0, "contact": 300.0, "h": 30.0, "h_max": 60.0}


def cap(a, h):
    """Volume of a spherical cap of base radius a and height h."""
    return math.pi * h * (3 * a**2 + h**2) / 6


def test_section_has_its_areas_and_sides():
    data = pellet(**SMALL, interphase=40.0, shape="layer", lithium=50.0, edge=30.0)
    found = gate.inspect(data)
    gate.refuse(found)
    # a quarter of a square minus a quarter of a circle is missing at each of two corners
    whole = 600 * 300 - 2 * (1 - math.pi / 4) * 30**2
    assert data.notes["area:electrolyte"] == pytest.approx(whole - 300 * 40, rel=1e-6)
    assert data.notes["area:interphase"] == pytest.approx(300 * 40, rel=1e-9)
    assert found.measures["electrolyte"] == pytest.approx(whole - 300 * 40, rel=1e-4)
    assert set(data.facet_groups) == {
        "axis", "rim", "face", "cathode_plane", "interphase_electrolyte", "lithium_interphase",
        "lithium_base", "lithium_side",
    }  # fmt: skip
    assert found.n_untagged_sides == 0
    assert data.notes["model"] == "axisymmetric"


@pytest.mark.parametrize(("body", "share"), [("quarter", 0.25), ("half", 0.5)])
def test_solid_has_its_volumes(body, share):
    data = pellet(**SMALL, interphase=80.0, body=body)
    gate.refuse(gate.inspect(data))
    assert data.notes["volume:interphase"] == pytest.approx(share * cap(300, 80), rel=1e-6)
    measures = gate.inspect(data).measures
    assert measures["interphase"] == pytest.approx(share * cap(300, 80), rel=1e-3)
    assert sum(measures.values()) == pytest.approx(share * math.pi * 600**2 * 300, rel=1e-3)
    assert ("symmetry_x" in data.facet_groups) == (body == "quarter")
    assert "symmetry_z" in data.facet_groups and "contact" in data.facet_groups


def test_ring_crack_starts_at_its_radius():
    data = pellet(**SMALL, crack=(Crack(a=40.0, x=350.0),))
    gate.refuse(gate.inspect(data))
    tip = data.points[data.front("tip").ravel()]
    assert np.allclose(tip, [[350.0, 40.0, 0.0]], rtol=0, atol=1e-9)
    assert data.notes["crack_size"] == 40.0


def test_same_parameters_same_mesh():
    first, again = (pellet(**SMALL, interphase=40.0) for _ in range(2))
    assert first.points.tobytes() == again.points.tobytes()
    assert first.cells.tobytes() == again.cells.tobytes()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"contact": 700.0}, "contact"),
        ({"interphase": 400.0}, "interphase"),
        ({"edge": 200.0}, "edge"),
        ({"body": "eighth"}, "body"),
        ({"crack": (Crack(a=400.0, x=350.0),)}, "crack"),
        ({"body": "whole", "crack": (Crack(a=40.0, x=350.0),)}, "crack"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_key(change, key):
    with pytest.raises(MeshError, match=key) as caught:
        pellet(**(SMALL | change))
    assert caught.value.allowed
