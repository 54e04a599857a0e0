import typing
from dataclasses import replace

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.catalog import BUILDERS, Kind, build, describe, parameters
from ssbmech.meshes.cracks import griffith
from ssbmech.meshes.gate import inspect, refuse


def fault(data, message):
    report = inspect(data)
    assert not report.ok
    with pytest.raises(MeshError, match=message):
        refuse(report, key="my.msh")
    return report


@pytest.mark.parametrize("order", [1, 2])
def test_inverted_cell(order):
    data = griffith(1, 10, order=order)
    cells = data.cells.copy()
    flip = [1, 0, 2] if order == 1 else [1, 0, 2, 3, 5, 4]
    cells[7] = cells[7][flip]
    report = fault(replace(data, cells=cells), r"inverted cells = 1, the first at \(")
    assert report.n_inverted == 1


def test_bent_second_order_cell():
    data = griffith(1, 10)
    points = data.points.copy()
    cell = data.cells[7]
    points[cell[3]] = points[cell[2]]
    fault(replace(data, points=points), "inverted")


def test_orphan_duplicate_and_separate():
    data = griffith(1, 10, order=1)
    more = np.vstack([data.points, [[3, 3, 0]]])
    assert fault(replace(data, points=more), r"no cell = 1.*\(3, 3, 0\)").n_orphans == 1
    # An inner node that one cell has as a copy: a slit nobody asked for.
    inner = np.setdiff1d(data.cells, data.facets)
    node = inner[np.argmax(np.bincount(data.cells.ravel())[inner])]
    cells = data.cells.copy()
    rows = np.nonzero((cells == node).any(axis=1))[0][:1]
    cells[rows] = np.where(cells[rows] == node, len(data.points), cells[rows])
    points = np.vstack([data.points, data.points[node]])
    report = fault(replace(data, cells=cells, points=points), "coincident")
    assert report.n_duplicates == 1
    data = griffith(1, 10, order=1, symmetry="y")  # no coincident nodes of its own
    n = len(data.points)
    two = replace(
        data,
        points=np.vstack([data.points, data.points + 50]),
        cells=np.vstack([data.cells, data.cells + n]),
        cell_tags=np.concatenate([data.cell_tags] * 2),
    )
    assert fault(two, "separate parts = 2").n_parts == 2


def test_facets_and_area_and_not_finite():
    data = griffith(1, 10, order=1)
    fault(replace(data, facets=np.vstack([data.facets, data.facets[:1]]),
                  facet_tags=np.append(data.facet_tags, data.facet_tags[0])), "twice")  # fmt: skip
    facets = data.facets.copy()
    facets[0] = [data.cells[0, 0], data.cells[-1, 0]]
    fault(replace(data, facets=facets), "of no cell")
    fault(replace(data, points=data.points * 1.2), "relative error")
    points = data.points.copy()
    points[5, 0] = np.nan
    fault(replace(data, points=points), "not finite")
    cells = np.vstack([data.cells, data.cells[3:4]])
    tags = np.append(data.cell_tags, 1).astype(np.int32)
    fault(replace(data, cells=cells, cell_tags=tags), "three or more")


def test_good_mesh_passes_with_numbers():
    report = inspect(griffith(1, 10, quarter_point=True))
    refuse(report)
    assert report.measures["electrolyte"] == pytest.approx(400)
    assert 0 < report.size_min < report.size_max < 10
    assert 0.2 < report.quality_min <= 1


@pytest.mark.parametrize("name", list(BUILDERS))
def test_every_parameter_is_described(name):
    assert describe(name)
    for parameter in parameters(name).values():
        assert len(parameter.text) > 8
        assert parameter.kind in typing.get_args(Kind)
        if parameter.kind == "length":
            assert "[um]" in parameter.text


def test_build_by_name():
    data = build("griffith", a=1.0, half_width=10.0, symmetry="xy")
    assert set(data.fronts) == {"tip"}
    assert "crack_lower" in build("penny", a=1, half_width=5, symmetry="none").facet_groups
    for arguments, message in (
        (("grifith", {}), "'griffith'"),
        (("griffith", {"a": 1, "half_widht": 2}), "'half_width'"),
        (("griffith", {"a": 1}), "needs half_width"),
    ):
        with pytest.raises(MeshError, match=message):
            build(arguments[0], **arguments[1])
