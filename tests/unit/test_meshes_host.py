import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.host import TOLERANCE, _field, host


def measured_porosity(data, box):
    """Of the framework, from the volume of the electrolyte in the mesh."""
    width, thickness, dense, depth = box
    whole = width * (thickness + dense) * depth
    return (whole - inspect(data).measures["electrolyte"]) / (width * thickness * depth)


@pytest.mark.parametrize("kind", ["field", "spheres"])
@pytest.mark.parametrize(("porosity", "filled"), [(0.2, 0.0), (0.35, 0.5), (0.5, 1.0)])
def test_porosity_and_filling(kind, porosity, filled):
    data = host(80, 48, porosity, 8, dense=10, lithium=8, kind=kind, filled=filled)
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    assert measured_porosity(data, (80, 48, 10, 1)) == pytest.approx(porosity, abs=TOLERANCE)
    assert data.notes["porosity"] == pytest.approx(porosity, abs=TOLERANCE)
    lithium = report.measures["lithium"] - 80 * 8
    # whole rows of voxels: half a row of the pores, 1/48 of them on average
    assert lithium / (porosity * 80 * 48) == pytest.approx(filled, abs=0.03)
    assert ("void_sse" in data.facet_groups) == (filled < 1)
    assert data.points[:, 1].min() == pytest.approx(-8)
    assert data.points[:, 1].max() == pytest.approx(58)
    bottom = data.facets[data.facet_tags == data.facet_groups["bottom"]]
    np.testing.assert_allclose(data.points[bottom, 1], -8, atol=1e-12)


def test_three_dimensions_between_dense_layers():
    data = host(16, 12, 0.4, 6, dense=3, dense_below=3, lithium=3, depth=14, voxel=1.0,
                filled=0.5, order=1)  # fmt: skip
    report = inspect(data)
    refuse(report)
    assert report.n_untagged_sides == 0
    electrolyte = 16 * 14 * (6 + 12 * 0.6)
    assert report.measures["electrolyte"] == pytest.approx(
        electrolyte, abs=2 * TOLERANCE * 16 * 14 * 12
    )
    np.testing.assert_allclose(data.points.min(axis=0), [-8, -3, -7], atol=1e-9)
    np.testing.assert_allclose(data.points.max(axis=0), [8, 18, 7], atol=1e-9)


def test_seed_decides():
    one, same, other = (host(40, 24, 0.3, 6, dense=6, seed=s) for s in (1, 1, 2))
    assert one.points.tobytes() == same.points.tobytes()
    assert one.cells.tobytes() == same.cells.tobytes()
    assert one.points.shape != other.points.shape


def test_correlation_of_the_field():
    field = _field((400, 400), 12.0, np.random.default_rng(0))
    field = (field - field.mean()) / field.std()
    for distance in (6, 12, 18):
        found = float((field[distance:] * field[:-distance]).mean())
        # some 1000 independent patches: 0.03 standard deviation
        assert found == pytest.approx(np.exp(-((distance / 12) ** 2)), abs=0.08)


def test_isolated_pores_and_removed_islands_are_told():
    data = host(80, 48, 0.45, 8, dense=10, seed=3)
    assert data.notes["isolated_pores"] > 0
    assert 0 < data.notes["isolated_pore_fraction"] <= 1
    assert data.notes["islands_removed"] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"porosity": 0.0}, "porosity is out of range"),
        ({"porosity": 1.0}, "porosity is out of range"),
        ({"porosity": 0.97}, "porosity|framework"),
        ({"filled": 1.2}, "filled is out of range"),
        ({"feature": 30}, "feature is out of range.*Pores must fit"),
        ({"dense": 0.5}, "dense is thinner than two voxels"),
        ({"dense": 0.0}, "dense is out of range"),
        ({"kind": "foam"}, "kind is not known"),
        ({"voxel": 0.001}, "voxels"),
        ({"seed": -1}, "seed is out of range"),
    ],
)
def test_bad_parameters(change, message):
    values = {"width": 40, "thickness": 24, "porosity": 0.3, "feature": 6, "dense": 6} | change
    with pytest.raises(MeshError, match=message):
        host(**values)
