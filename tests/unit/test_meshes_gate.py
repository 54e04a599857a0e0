import typing
from dataclasses import replace

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.catalog import BUILDERS, Kind, build, describe, parameters
from ssbmech.meshes.cracks import griffith
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.gate import check_names, inspect, refuse
from ssbmech.meshes.split import split_crack


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


def box(nx, ny=1, low=(0.0, 0.0), size=1.0):
    """Points and cells of nx by ny squares, two triangles each."""
    x, y = np.meshgrid(np.arange(nx + 1), np.arange(ny + 1))
    points = np.stack([x.ravel() * size + low[0], y.ravel() * size + low[1], 0.0 * x.ravel()], 1)
    i, j = (a.ravel() for a in np.meshgrid(np.arange(nx), np.arange(ny)))
    a, b = j * (nx + 1) + i, (j + 1) * (nx + 1) + i
    cells = np.concatenate([np.stack([a, a + 1, b], 1), np.stack([a + 1, b + 1, b], 1)])
    return points, cells.astype(np.int64)


def mesh(points, cells, tags, facets=(), facet_tags=(), **more):
    """Groups a, b, c with the tags 1, 2, 3; facet group f with the tag 1, g with 2."""
    tags = np.asarray(tags, dtype=np.int32)
    return MeshData(
        2, 1, points, cells, tags,
        np.array(facets, dtype=np.int64).reshape(-1, 2), np.array(facet_tags, dtype=np.int32),
        {name: k for k, name in enumerate("abc", start=1) if k in tags},
        {name: k for k, name in enumerate("fg", start=1) if k in facet_tags}, **more,
    )  # fmt: skip


def strip_of_two(**more):
    """4 x 1 squares, a to the left of x = 2 and b to the right, the facet between them in f."""
    points, cells = box(4)
    tags = np.where(points[cells, 0].mean(axis=1) < 2, 1, 2)
    return mesh(points, cells, tags, [[2, 7]], [1], **more)


def named(report, name):
    return next(check for check in report.checks if check.name == name)


def test_facets_lie_between_the_materials_that_notes_say():
    refuse(inspect(strip_of_two(notes={"between:f": "a|b"})))
    refuse(inspect(strip_of_two(notes={"between:f": "b|c,b|a"})))
    for wrong in ("a|c", "a|", "a|a"):
        fault(strip_of_two(notes={"between:f": wrong}), r"between.* = 1.*\(2, 0.5, 0\).*f \(a\|")
    data = strip_of_two(notes={"between:f": "a|"})
    ends = np.array([[0, 5]])
    refuse(inspect(replace(data, facets=ends)))  # the left end has a and the outside


def test_interfaces_in_no_group_are_counted():
    data = strip_of_two()
    assert inspect(data).n_untagged_interfaces == 0
    bare = replace(data, facets=np.zeros((0, 2), np.int64), facet_tags=np.zeros(0, np.int32))
    report = inspect(replace(bare, facet_groups={}))
    assert report.n_untagged_interfaces == 1
    assert report.n_untagged_sides == 10
    assert named(report, "interface facets in no group").place == "(2, 0.5, 0) um"
    refuse(report)  # a user's mesh may leave it out


def grains_of(numbers, **more):
    """4 x 1 squares of one material with a grain number each; boundaries between them tagged."""
    points, cells = box(4)
    square = np.clip(points[cells, 0].mean(axis=1), 0, 3.999).astype(int)
    grains = np.array(numbers)[square].astype(np.int32)
    walls = [[k, k + 5] for k in (1, 2, 3) if numbers[k] != numbers[k - 1]]
    data = mesh(points, cells, np.ones(8), walls, [1] * len(walls), grains=grains, **more)
    return replace(data, facet_groups={"grain_boundaries": 1})


def test_grains_are_counted():
    report = inspect(grains_of([1, 1, 2, 3], notes={"grains": 3}))
    refuse(report)
    assert report.n_grains == 3
    # merged: where a gap of 2 nm was bridged, one grain has swallowed the other
    fault(grains_of([1, 1, 2, 2], notes={"grains": 3}), "grains = 2, .*without cells: grain 3")
    turns = np.tile([0, 0, 0, 1.0], (2, 1))
    fault(grains_of([1, 1, 2, 3], orientations=turns), "grains = 3.*up to 2")


def test_stray_pieces_of_grains():
    # 2 lies in two pieces, one of them between grains alone: cells 0..3 of a longer strip
    points, cells = box(5, 3)
    x, y = np.floor(points[cells].mean(axis=1)[:, :2]).astype(int).T
    grains = np.where(x < 4, 1, 2).astype(np.int32)
    grains[(x == 1) & (y == 1)] = 2
    data = mesh(points, cells, np.ones(30), grains=grains)
    fault(data, r"stray pieces of grains = 1, the first at \(1.33333, 1.33333, 0\)")
    # cut off by a filament: its own material, no grain
    cut = np.where(x == 2, 0, 1).astype(np.int32)
    data = mesh(points, cells, np.where(x == 2, 2, 1), grains=cut)
    report = inspect(data)
    refuse(report)
    assert named(report, "pieces of grains cut by flaws").value == 1


def test_a_crack_through_a_grain_leaves_it_whole():
    points, cells = box(4, 4)
    walls = [[k, k + 1] for k in range(10, 14)]
    data = mesh(points, cells, np.ones(32), walls, [1] * 4, grains=np.ones(32, np.int32))
    data = split_crack(data, "f", np.zeros((0, 1), np.int64), lower="lo", upper="up")
    report = inspect(replace(data, notes={"parts": 2}))
    refuse(report)
    assert named(report, "pieces of grains cut by flaws").value == 0


def test_grain_boundaries_are_exactly_where_grains_meet():
    data = grains_of([1, 1, 2, 3])
    off = replace(data, facets=np.append(data.facets, [[1, 6]], 0), facet_tags=np.ones(3, np.int32))
    fault(off, r"off two grains = 1, the first at \(1, 0.5, 0\)")
    less = replace(data, facets=data.facets[:1], facet_tags=data.facet_tags[:1])
    fault(less, r"between grains in no group = 1, the first at \(3, 0.5, 0\)")


@pytest.mark.parametrize("offset", [0.0, 0.37])
@pytest.mark.parametrize(("gap", "ratio"), [(2e-3, 2e-4), (0.5, 0.05), (4.0, 0.2)])
def test_a_gap_between_grains(gap, ratio, offset):
    """Two grains of 10 um elements, 2 nm apart: also where nodes do not face each other."""
    low, cells = box(6, 3, size=10.0)
    high, more = box(6, 3, low=(offset * 10, 30.0 + gap), size=10.0)
    grains = np.repeat([1, 2], len(cells)).astype(np.int32)
    points, cells = np.vstack([low, high]), np.vstack([cells, more + len(low)])
    data = mesh(points, cells, np.ones(len(cells)), grains=grains, notes={"grains": 2, "parts": 2})
    report = inspect(data)
    assert report.gap == pytest.approx(ratio, rel=1e-6)
    if ratio > 1e-3:
        refuse(report)
    else:
        fault(data, r"smallest gap / local size = 0.0002, the first at \(.*0.002 um wide")


def test_touching_parts_without_common_nodes():
    low, cells = box(6, 3)
    high, more = box(6, 3, low=(0.37, 3.0))
    points, cells = np.vstack([low, high]), np.vstack([cells, more + len(low)])
    data = mesh(points, cells, np.ones(len(cells)), notes={"parts": 2})
    fault(data, "smallest gap / local size = 0,")


def test_corners_cracks_and_thin_bodies_are_no_gaps():
    assert inspect(griffith(1, 10)).gap == 0.2
    points, cells = box(40, 1)
    points[:, 1] *= 0.01  # a plate thinner than its elements is no gap
    assert inspect(mesh(points, cells, np.ones(80))).gap == 0.2
    # a notch of 2 degrees
    points, cells = box(8, 8)
    walls = [[36 + k, 37 + k] for k in range(4)]
    data = mesh(points, cells, np.ones(128), walls, [1] * 4)
    data = split_crack(data, "f", np.array([[40]]), lower="lo", upper="up")
    upper = data.facets[data.facet_tags == data.facet_groups["up"]].ravel()
    points = data.points.copy()
    upper = np.setdiff1d(upper, [40])
    points[upper, 1] += 0.035 * (4 - points[upper, 0])
    report = inspect(replace(data, points=points))
    refuse(report)
    assert report.gap == pytest.approx(0.035, rel=1e-3)  # one element behind the tip
    assert report.across == {"a": 3}


def test_elements_across_layers():
    for rows in (1, 2, 3):
        points, cells = box(8, 4 + rows)
        high = points[cells, 1].mean(axis=1) > 4
        report = inspect(mesh(points, cells, np.where(high, 2, 1)))
        assert report.across == {"a": 3, "b": rows}
        refuse(report)


def test_parts_that_hang_together_by_one_node():
    low, cells = box(2, 2)
    high, more = box(2, 2, low=(2.0, 2.0))
    points, cells = np.vstack([low, high[1:]]), np.vstack([cells, np.where(more, more + 8, 8)])
    fault(mesh(points, cells, np.ones(16)), "joined by nodes alone = 1")
    with_note = mesh(points, cells, np.ones(16), notes={"parts": 2})
    refuse(inspect(with_note))  # the description says that they are two
    assert named(inspect(with_note), "edges where the surface touches itself").value == 1


def test_stated_tolerance_of_a_measure():
    points, cells = box(4)
    data = mesh(points, cells, np.ones(8), notes={"area:a": 4.4})
    fault(data, "area of a, relative error = -0.09")
    refuse(inspect(replace(data, notes={"area:a": 4.4, "area_tolerance:a": 0.1})))
    tight = {"area:a": 4.01, "area_tolerance:a": 1e-3}
    fault(replace(data, notes=tight), r"Allowed: \+-0.001")


def test_quality_shares():
    report = inspect(griffith(1, 10))
    assert report.quality_shares.keys() == {0.1, 0.2, 0.3}
    assert 0 <= report.quality_shares[0.1] <= report.quality_shares[0.3] < 0.1
    assert report.size_min < report.size_mean < report.size_max


def test_all_unknown_names_at_once():
    data = griffith(1, 10)
    unused = check_names(
        data, cells={"materials.electrolyte": "electrolyte"},
        facets={"crack.faces": ["crack_lower", "crack_upper"]}, fronts={"crack.front": "tip_left"},
    )  # fmt: skip
    assert set(unused) == {"left", "right", "top", "bottom", "tip_right"}
    with pytest.raises(MeshError, match=r"load.group: the mesh has no facet group 'tpo'.*'top'"):
        check_names(data, facets={"load.group": "tpo"})
    with pytest.raises(MeshError, match="lacks 3 groups") as error:
        check_names(
            data, cells={"materials.LLZO": "LLZO"}, facets={"a": ["crak_lower", "top"]},
            fronts={"b": "tip_rigth"},
        )  # fmt: skip
    for text in ("materials.LLZO", "Known: electrolyte", "'crack_lower'", "'tip_right'"):
        assert text in str(error.value)


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
