import math

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.filament import ellipse, slit
from ssbmech.meshes.gate import inspect, refuse

CASES = [
    ("interior", None, None, None),
    ("interior", "y", "lithium", None),
    ("interior", "xy", None, None),
    ("interior", None, "lithium", None),
    ("surface", None, None, None),
    ("surface", "y", "lithium", None),
    ("surface", None, "lithium", 20),
    ("surface", "y", "lithium", 20),
]
SHAPES = {
    "ellipse": (lambda **k: ellipse(10, 2, 60, **k), math.pi * 20),
    "slit": (lambda **k: slit(10, 4, 1, 60, position=k.pop("position"), **k), 80 - (4 - math.pi)),
    "round slit": (lambda **k: slit(10, 4, 2, 60, **k), 80 - (16 - 4 * math.pi)),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("position", "symmetry", "filled", "anode"), CASES)
@pytest.mark.parametrize("shape", list(SHAPES))
def test_groups_and_areas(shape, position, symmetry, filled, anode, order):
    make, area = SHAPES[shape]
    data = make(
        position=position, symmetry=symmetry, filled=filled, anode_thickness=anode, order=order
    )
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    share = {None: 1, "y": 0.5, "xy": 0.25}[symmetry] * (0.5 if position == "surface" else 1)
    if filled:
        extra = 20 * 120 * (0.5 if symmetry else 1) if anode else 0
        # Polygons lose (h / radius)^2 / 10 of a curve's area, parabolas the fourth power.
        limit = 1e-2 if order == 1 else 2e-5
        assert report.measures["lithium"] == pytest.approx(area * share + extra, rel=limit)
    expected = {"li_sse" if filled else "filament_wall", "right", "top"}
    expected |= {"interface"} if position == "surface" else set()
    expected |= {"left"} if position == "interior" and symmetry != "xy" else set()
    expected |= {"bottom"} if symmetry is None else {"symmetry_y"}
    expected |= {"symmetry_x"} if symmetry == "xy" else set()
    if anode:
        expected |= {"anode_left", "anode_top"} | ({"anode_bottom"} if not symmetry else set())
    elif filled and position == "surface":
        expected |= {"lithium_base"}
    if symmetry == "xy" and not filled:
        assert "left" not in data.facet_groups
    assert set(data.facet_groups) == expected
    one = position == "surface" or symmetry == "xy"
    assert set(data.fronts) == ({"tip"} if one else {"tip_left", "tip_right"})
    node = data.fronts["tip" if one else "tip_right"][0, 0]
    np.testing.assert_allclose(data.points[node], [10, 0, 0])


def test_wall_nodes_are_on_the_curve_and_resolve_it():
    data = ellipse(10, 2, 60, n_tip=8)
    rows = data.facets[data.facet_tags == data.facet_groups["filament_wall"]]
    x = data.points[rows]
    np.testing.assert_allclose((x[..., 0] / 10) ** 2 + (x[..., 1] / 2) ** 2, 1, atol=1e-9)
    at_tip = np.abs(x[..., 0] - 10).min(axis=1) < 1e-9
    size = np.linalg.norm(x[at_tip, 0] - x[at_tip, 1], axis=1)
    assert size.max() < 1.3 * 0.4 / 8
    assert data.notes["tip_radius"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (lambda: slit(10, 4, 2.1, 60), "tip_radius"),
        (lambda: slit(1, 4, 1.5, 60), "tip_radius"),
        (lambda: ellipse(0, 1, 60), "a"),
        (lambda: ellipse(40, 1, 60), "ellipse"),
        (lambda: ellipse(10, 2, 60, position="surface", symmetry="xy"), "symmetry"),
        (lambda: ellipse(10, 2, 60, filled="sodium"), "filled"),
        (lambda: ellipse(10, 2, 60, anode_thickness=5), "anode_thickness"),
        (lambda: ellipse(10, 2, 60, n_tip=1), "n_tip"),
        (lambda: ellipse(10, 2, 60, growth=float("nan")), "growth"),
    ],
)
def test_bad_parameters_are_refused(call, key):
    with pytest.raises(MeshError) as error:
        call()
    assert error.value.key == key
