"""Bisection of one edge: what is around it is halved, shapes stay."""

from dataclasses import replace

import numpy as np
import pytest
from ssbmech.meshes import gate
from ssbmech.meshes.bisect import bisect
from ssbmech.meshes.cell import cell
from ssbmech.meshes.features import Impurity
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.scene_rims import triple_lines


def lens(dim, order):
    """A lens of impurity with curved walls."""
    depth = {} if dim == 2 else {"depth": 8.0}
    body = {"width": 8.0, "electrolyte": 4.0, "lithium": 4.0, "order": order, **depth}
    return cell(**body, impurity=(Impurity(2, 1),))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_cells_and_facets_at_the_edge_are_halved_and_volumes_stay(dim, order):
    data = lens(dim, order)
    before = gate.inspect(data).measures
    wall = data.facets[data.facet_tags == data.facet_tag("lithium_impurity")]
    a, b = (int(v) for v in wall[0, :2])
    hit = [(rows[:, : dim + extra] == a).any(1) & (rows[:, : dim + extra] == b).any(1)
           for rows, extra in ((data.cells, 1), (data.facets, 0))]  # fmt: skip
    done = bisect(data, a, b)
    assert len(done.cells) == len(data.cells) + hit[0].sum()
    assert len(done.facets) == len(data.facets) + hit[1].sum()
    report = gate.inspect(done)
    gate.refuse(report)
    assert report.n_untagged_sides == 0
    assert report.measures == pytest.approx(before, rel=1e-12)
    if order == 2:  # the middle of the curved edge was a node already
        row = wall[0]
        middle = row[2] if dim == 2 else row[3]
        assert (done.cells[:, : dim + 1] == middle).any()


def test_fronts_lines_and_grains_go_along():
    data = cell(8, 6, depth=8, crack=(Crack(2, "ellipse", h_tip=0.6),))
    front = data.front("front")
    data = replace(data, grains=np.arange(1, len(data.cells) + 1, dtype=np.int32))
    done = bisect(data, *front[3].tolist())
    assert len(done.front("front")) == len(front) + 1
    _, count = np.unique(done.front("front"), return_counts=True)
    assert (count == 1).sum() == 2
    assert len(done.grains) == len(done.cells)
    new = done.grains[len(data.cells) :]
    assert (new > 0).all()
    assert len(triple_lines(done)) == 0


def test_front_of_a_crack_under_lithium_reaches_the_interface():
    """At the corner of front and mouth one triangle would have no node to open."""
    data = cell(12, 8, 4, 12, crack=(Crack(3, "ellipse", h_tip=0.3),))
    gate.refuse(gate.inspect(data))
    nodes, count = np.unique(data.front("front"), return_counts=True)
    ends = data.points[nodes[count == 1]]
    assert sorted(ends[:, 2]) == pytest.approx([-3, 3])
    assert ends[:, 1] == pytest.approx([0, 0], abs=1e-12)
