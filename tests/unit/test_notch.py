"""Outline and area of a notch, and the mesh of the lithium before it."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.coupled.notch import Notch
from ssbmech.errors import CaseError, MeshError
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.notched import block, graded, notch_of, notched

SHAPES = [
    Notch(5.0, 1.0, 1.0),  # walls
    Notch(5.0, 0.8, 1.5, np.deg2rad(60.0)),
    Notch.segment(5.0, 5.0, 1.0),
    Notch.segment(5.0, 8.0, 0.5),
]


@pytest.mark.parametrize("notch", SHAPES)
def test_area_is_that_of_the_outline(notch):
    path = notch.outline(20.0)
    x, y = path.T
    polygon = np.sum((y[1:] + y[:-1]) / 2 * np.diff(x))
    assert notch.area == pytest.approx(polygon, rel=2e-4)  # chords of 1/40 rad
    assert y.max() == pytest.approx(notch.depth) and y.min() == pytest.approx(0, abs=1e-12)
    assert np.allclose(path[::-1] * [-1, 1], path, atol=1e-12)
    assert path[0] == pytest.approx([-20.0, 0.0], abs=1e-12)
    inside = np.abs(x) <= notch.half_width + 1e-9
    curve = np.linalg.norm(np.diff(path[inside], axis=0), axis=1).sum()
    assert notch.length == pytest.approx(curve, rel=1e-4)


@pytest.mark.parametrize("notch", SHAPES)
def test_obstacle_has_the_notch(notch):
    curve = notch.obstacle(40.0)
    path = notch.outline(20.0)
    assert np.abs(curve.look(path).distance).max() < 1e-12
    t = np.linspace(0, 0.8 * notch.flank, 50)
    a, d = notch.root_radius, notch.depth
    arc = np.column_stack([a * np.sin(t), d - a + a * np.cos(t)])
    assert np.abs(curve.look(arc).distance).max() < 1e-12
    b, c = notch.lip_radius, notch.half_width
    lip = np.column_stack([c - b * np.sin(t), b - b * np.cos(t)])
    seen = curve.look(lip)
    assert np.abs(seen.distance).max() < 1e-12
    # the lip is round towards the lithium, the root hollow
    assert seen.hessian[25].trace() == pytest.approx(1 / b, rel=1e-9)
    assert curve.look(arc).hessian[25].trace() == pytest.approx(-1 / a, rel=1e-9)
    below = curve.look(np.array([[30.0, -2.0], [0.0, -1.0], [0.0, d + 0.3]]))
    assert below.distance[0] == pytest.approx(2.0)
    assert below.distance[1] > 0 and below.distance[2] == pytest.approx(-0.3)


@pytest.mark.parametrize("notch", SHAPES[1:])
def test_height_is_on_the_outline(notch):
    x = np.linspace(-8, 8, 81)
    h = notch.height(x)
    assert np.abs(notch.obstacle(40.0).look(np.column_stack([x, h])).distance).max() < 1e-12


def test_circle_with_small_lips_is_a_half_circle():
    notch = Notch.segment(5.0, 5.0, 1e-3)
    assert notch.area == pytest.approx(np.pi * 25 / 2, rel=1e-3)
    assert notch.root_radius == 5.0 and notch.flank_length == pytest.approx(0.0, abs=1e-9)


def test_bad_notches_are_refused():
    with pytest.raises(CaseError, match="not deeper than half its width"):
        Notch.segment(5.0, 4.0, 1.0)
    with pytest.raises(CaseError, match=r"notch.lip_radius.*positive"):
        Notch(5.0, 1.0, 0.0)
    with pytest.raises(CaseError, match="do not fit into the depth"):
        Notch(5.0, 4.0, 2.0)
    with pytest.raises(CaseError, match="slope upwards"):
        Notch(5.0, 1.0, 1.0, 2.0)
    with pytest.raises(CaseError, match="wider than the body"):
        Notch(5.0, 1.0, 1.0).outline(2.0)


def test_graded_rows_and_block():
    x = graded(0.25, 6.0, 20.0)
    step = np.diff(x)
    assert x[0] == 0 and x[-1] == pytest.approx(20.0)
    assert step[:24] == pytest.approx(np.full(24, 0.25))
    ratio = step[1:] / step[:-1]
    assert (step > 0).all() and ratio.max() < 1.7 and ratio.min() > 0.8
    data = block(x, -graded(0.2, 2.0, 20.0)[::-1])
    p = data.points[data.cells]
    e, f = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    area = (e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]) / 2
    assert (area > 0).all() and area.sum() == pytest.approx(400.0)
    surface = data.facets[data.facet_tags == data.facet_groups["li_sse"]]
    assert np.all(data.points[surface][:, :, 1] == 0) and len(surface) == len(x) - 1
    # no triangle at the end of the surface on the axis has two outer sides
    corner = np.flatnonzero((data.points[:, 0] == 0) & (data.points[:, 1] == 0))
    assert (data.cells == corner).any(axis=1).sum() == 2


def test_mesh_knows_its_notch():
    data = notched(40.0, 20.0, 5.0, 6.0, lip_radius=1.0, h=0.5)
    assert data.notes["area:lithium"] == 400.0
    refuse(inspect(data))
    found = notch_of(data.notes, 1e-6)
    exact = Notch.segment(5e-6, 6e-6, 1e-6)
    assert (found.area, found.half_width) == pytest.approx((exact.area, exact.half_width))
    sharp = notched(40.0, 20.0, 5.0, lip_radius=1.0, root_radius=0.5, flank=60.0, h=0.25, root=0.4)
    assert notch_of(sharp.notes, 1.0).flank == pytest.approx(np.pi / 3)
    steps = np.diff(np.unique(sharp.points[:, 0]))
    assert steps[0] == pytest.approx(0.05, rel=0.1) and steps.min() > 0.04


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"half_width": 4.0}, "half_width.*not deeper than half its width"),
        ({"half_width": 19.0}, "as wide as the lithium"),
        ({"flank": 30.0}, "either a half_width, or a root_radius"),
        ({"height": 1.0}, "cannot fill the notch"),
        ({"h": 20.0}, "h.*given: 20"),
        ({"lip_radius": -1.0}, "lip_radius.*positive"),
    ],
)
def test_bad_blocks_are_refused(change, words):
    good = {"width": 40.0, "height": 20.0, "depth": 5.0, "half_width": 6.0, "lip_radius": 1.0}
    with pytest.raises(MeshError, match=words):
        notched(**{"h": 0.5, **good, **change})
    with pytest.raises(MeshError, match="says nothing of a notch"):
        notch_of({}, 1.0)
