"""Contact with current without a mesh: law of a step, exchange along the interface, active set."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.coupled import strip_law
from ssbmech.coupled.exchange import Axis, Chain, Nodes, chain, flat_axis, lumped, matched
from ssbmech.coupled.latch import Latch
from ssbmech.coupled.stripping_problem import mean_about
from ssbmech.errors import CaseError
from ssbmech.lithium.obstacle import Plane
from ssbmech.meshes.data import MeshData

NM = 1e-9


# -- the law of a step ---------------------------------------------------------------------------


def test_what_is_stripped_under_pressure_and_without():
    """Thickness 0 at the start, 10 nm at full contact; the plane is d away at the end."""
    distance = np.array([-10.0, -10.0, -5.0, 0.0, 0.5, 1.0, 7.0]) * NM
    pressed = np.array([True, False, False, False, False, False, False])
    old, free = np.zeros(7), np.full(7, -10 * NM)
    a = strip_law.activity(old, free, np.ones(7), distance, pressed)
    # (1 nm - d)/(1 nm + 10 nm)
    assert a == pytest.approx([1, 1, 6 / 11, 1 / 11, 0.5 / 11, 0, 0])
    gap = distance - (old + a * free)
    # where it is between open and closed, the gap that it leaves gives its activity
    between = (a > 0) & (a < 1)
    assert a[between] == pytest.approx(1 - gap[between] / strip_law.RAMP)


def test_a_step_without_ramp_follows_the_lithium():
    """A step that strips much more than the ramp takes just what arrives."""
    a = strip_law.activity(
        np.zeros(1), np.array([-1e-5]), np.ones(1), np.array([-4e-6]), np.zeros(1, bool)
    )
    assert a == pytest.approx([0.4], rel=2e-4)


def test_plating_looks_at_the_start_of_the_step():
    start = strip_law.touching(np.array([0.0, 0.25, 1.0, 3.0]) * NM)
    assert start == pytest.approx([1, 0.75, 0, 0])
    free = np.full(4, 2 * NM)
    a = strip_law.activity(np.zeros(4), free, start, np.full(4, 5 * NM), np.zeros(4, bool))
    assert a == pytest.approx(start)
    assert strip_law.share(free, start) == pytest.approx(start)
    assert strip_law.share(-free, start) == pytest.approx(np.ones(4))


def test_rates_are_balanced_by_a_constant():
    rate, active = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5, 0.0])
    area = np.array([1.0, 2.0, 4.0])
    found = strip_law.balanced(rate, active, area, 5.0)
    assert float((active * area) @ found) == pytest.approx(5.0, rel=1e-15)
    assert np.ptp(found - rate) < 1e-15
    assert strip_law.balanced(rate, 0 * active, area, 5.0) is rate


# -- the line of a body --------------------------------------------------------------------------


def mesh(order=2, bump=0.0, gap=False):
    """Four edges on the x axis, 0 to 4 um: li_sse, void_li twice, li_sse, in a mixed order."""
    x = np.arange(5.0)
    below = np.column_stack([x, np.full(5, -1.0)])
    above = np.column_stack([x, [0.0, 0.0, bump, 0.0, 0.0]])
    points = np.vstack([above, below])
    cells = [[k, k + 5, k + 1] for k in range(4)] + [[k + 1, k + 5, k + 6] for k in range(4)]
    facets = [[2, 3], [1, 0], [4, 3], [1, 2]]
    tags = [2, 1, 1, 2] if not gap else [2, 1, 1, 9]
    if order == 2:
        middle = [points[list(f)].mean(axis=0) for f in facets]
        facets = [[*f, 10 + k] for k, f in enumerate(facets)]
        points = np.vstack([points, middle])
    points = np.column_stack([points, np.zeros(len(points))])
    return MeshData(
        2, order, points, np.array(cells), np.ones(8, np.int32), np.array(facets),
        np.array(tags, np.int32), {"lithium": 1}, {"li_sse": 1, "void_li": 2, "other": 9},
    )  # fmt: skip


@pytest.mark.parametrize("order", [1, 2])
def test_a_chain_is_in_order_whatever_the_file(order):
    data = mesh(order)
    found = chain(data, ["li_sse", "void_li", "absent"], np.arange(100, 120), key="contact.group")
    assert found.ids.tolist() == [100, 101, 102, 103, 104]
    assert found.groups == ("li_sse", "void_li", "void_li", "li_sse")
    assert found.nodes[:, 0] == pytest.approx(np.arange(9) * 0.5e-6)
    assert found.shortest == pytest.approx(1e-6)
    assert found.of(["void_li"]).tolist() == [False, True, True, False]


def test_a_line_in_pieces_is_refused():
    with pytest.raises(CaseError, match=r"contact.group.*not one line: it has 4 ends"):
        chain(mesh(gap=True), ["li_sse", "void_li"], np.arange(20), key="contact.group")
    solid = SimpleNamespace(dim=3)
    with pytest.raises(CaseError, match=r"plane and axisymmetric.*3-D"):
        chain(solid, ["li_sse"], np.arange(3), key="contact.group")  # type: ignore[arg-type]


def line(n=4, turns=False):
    x = np.linspace(0, n * 1e-6, 2 * n + 1)
    nodes = np.column_stack([x, np.zeros(2 * n + 1)])
    return Chain(np.arange(n + 1), nodes, ("li_sse",) * n), Axis((0.0, 0.0), (1.0, 0.0), turns)


def test_a_void_leaves_the_plane_and_a_bump_bends_it():
    numbers = np.arange(20)
    found = chain(mesh(bump=-0.3), ["li_sse", "void_li"], numbers, key="k")
    axis = flat_axis(found, ["li_sse"], turns=False, key="k")
    assert axis.tangent == pytest.approx((1, 0)) and axis.point == pytest.approx((0, 0))
    with pytest.raises(CaseError, match=r"interface is not flat.*0.3 um off a line"):
        flat_axis(found, ["li_sse", "void_li"], turns=False, key="k")
    with pytest.raises(CaseError, match="no part of the lithium touches"):
        flat_axis(found, ["absent"], turns=False, key="k")


@pytest.mark.parametrize(("turns", "whole"), [(False, 4e-6), (True, np.pi * 16e-12)])
def test_areas_sum_to_the_whole_and_to_hats(turns, whole):
    chain_, axis = line(turns=turns)
    s = axis.along(chain_.nodes)
    area = axis.areas(s, np.ones(4, bool))
    assert area.sum() == pytest.approx(whole, rel=1e-14)
    hats = lumped(area)
    r, L = np.arange(5) * 1e-6, 1e-6
    exact = np.zeros(5)
    for k in range(4):
        w = (2 * np.pi * r[k], 2 * np.pi * r[k + 1]) if turns else (1, 1)
        exact[k] += L * (2 * w[0] + w[1]) / 6
        exact[k + 1] += L * (w[0] + 2 * w[1]) / 6
    assert hats == pytest.approx(exact, rel=1e-13)
    some = axis.areas(s, np.array([True, False, False, True]))
    assert lumped(some)[2] == 0 and some.sum() < whole
    assert mean_about(np.full(9, 3.0), some) == pytest.approx([3, 3, 0, 3, 3])


def test_a_wall_that_rolled_over_counts_from_above():
    _, axis = line()
    x = np.column_stack([[0.0, 1.0, 2.0, 1.9, 2.5], np.zeros(5)])
    assert axis.along(x) == pytest.approx([0, 1, 2, 2, 2.5])


def test_nodes_are_shared_by_two_surfaces():
    chain_, _ = line(2)
    places = {"a": chain_.nodes[[2, 0, 1]], "b": chain_.nodes[[4, 3, 2]]}
    nodes = Nodes(chain_, places, MPI.COMM_SELF)
    assert nodes.total({"a": np.array([1.0, 2.0, 3.0]), "b": np.array([4.0, 5.0, 6.0])}) == (
        pytest.approx([2, 3, 7, 5, 4])
    )
    x = {k: v[:, 0] for k, v in places.items()}
    assert nodes.common(x) == pytest.approx(chain_.nodes[:, 0])
    with pytest.raises(CaseError, match="none of the interface's"):
        matched(chain_, np.array([[0.3e-6, 0.0]]))


# -- the active set ------------------------------------------------------------------------------


def latch(first=2.0):
    x = np.column_stack([np.arange(4.0), [0.0, 0.0, 0.0, -1.0]])
    made = Latch(Plane((0.0, 0.0), (0.0, -1.0)), 10.0, "top", first=first, slack=1e-12)
    made.bind(SimpleNamespace(coordinates=x, areas=np.array([0.0, 1.0, 2.0, 1.0])))  # type: ignore[arg-type]
    return made


def test_latched_nodes_hold_both_ways_until_they_are_asked():
    law = latch()
    assert law.active.tolist() == [False, True, True, False]  # no area, touching, touching, away
    u = np.array([[0, 0.0], [0, 0.1], [0, -0.5], [0, 1.2]])
    assert law.pressure(u) == pytest.approx([0, 3, -3, 0])
    force, stiffness = law.nodes(law.surface.coordinates, u)
    assert force[:, 1] == pytest.approx([0, -3, 6, 0])
    assert stiffness[:, 1, 1] == pytest.approx([0, 10, 20, 0])
    assert law.update(u) == 2
    assert law.active.tolist() == [False, True, False, True]
    assert law.penetration(u) == pytest.approx(0.2)
    law.accept(u)
    assert law.multiplier == pytest.approx([0, 3, 0, 2])
    law.active = np.zeros(4, bool)
    law.restart()
    assert law.active.tolist() == [False, True, False, True]


def test_pressure_that_drives_lithium_out_makes_contact_soft():
    law = latch(first=0.0)
    law.compliance = np.full(4, 0.4)
    u = np.array([[0, 0.0], [0, 0.1], [0, 0.2], [0, 0.0]])
    p = law.pressure(u)
    assert p == pytest.approx(np.array([0, 1, 2, 0]) / (1 + 10 * 0.4))
    h = 1e-6  # stiffness is minus the derivative of the force
    up = u + [0, h]
    slope = law.nodes(law.surface.coordinates, up)[0] - law.nodes(law.surface.coordinates, u)[0]
    assert -slope[:, 1] / h == pytest.approx(law.nodes(law.surface.coordinates, u)[1][:, 1, 1])


def test_augmentation_takes_penetration_away_and_is_forgotten():
    law = latch()
    u = np.array([[0, 0.0], [0, 0.1], [0, 0.0], [0, 0.0]])
    before = law.pressure(u)
    law.augment(u)
    # the same pressure is found without penetration
    assert law.pressure(0 * u) == pytest.approx(before)
    law.release()
    assert law.pressure(u) == pytest.approx(before)


# -- cases that make no sense --------------------------------------------------------------------

CASE = {
    "geometry": {"type": "cell", "width": "8 um", "electrolyte": "6 um", "lithium": "4 um",
                 "symmetry": "x", "h_max": "1 um"},
    "materials": {"electrolyte": "LLZO", "lithium": {"set": "Li", "flow": {"law": "norton"}}},
    "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
    "electrode": [
        {"group": "li_sse", "kinetics": "linear", "area_specific_resistance": "5 ohm*cm^2"},
        {"group": "cathode_plane", "kinetics": "none"},
    ],
    "stack": {"pressure": "2 MPa"},
    "contact": {},
    "step": [{"do": "rest", "duration": "1 s"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stack": None}, r"needs a stack that presses it"),
        ({"stack": {"pressure": "0 MPa"}}, r"without pressure nothing holds.*above 0 MPa"),
        ({"contact": {"friction": "stick"}}, r"contact.friction.*slides freely"),
        ({"contact": {"group": "bottom"}}, r"belongs to no electrode"),
        ({"time": {"counter": "li_sse"}}, r"surface in contact is the counter electrode"),
        ({"stack": {"pressure": "1 MPa", "group": "right"}}, r"parallel to the interface"),
        ({"constraint": [{"group": "bottom", "u": {"y": "0 um"}}]}, r"held along the normal"),
        (
            {"electrode": [{"group": "li_sse", "kinetics": "none"}, CASE["electrode"][0]
                           | {"group": "cathode_plane"}], "time": {"counter": "cathode_plane"}},
            r"lose contact needs a resistance",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(change, words):
    from pathlib import Path

    from ssbmech import mesh_stage
    from ssbmech.config_load import case_from
    from ssbmech.coupled.stripping_stage import make
    from ssbmech.programme import programme
    from ssbmech.subject import Setting

    data = {k: v for k, v in (CASE | change).items() if v is not None}
    case, held = case_from(data), []
    comm = MPI.COMM_WORLD
    domain, meshed = mesh_stage.make_domain(case, Path(), comm, None, lambda text: None, held)
    with pytest.raises(CaseError, match=words):
        make(
            Setting(
                case, Path(), comm, held[0], domain, meshed.setup, meshed.matter,
                programme(case.time, case.step), lambda text: None,
            )
        )  # fmt: skip
