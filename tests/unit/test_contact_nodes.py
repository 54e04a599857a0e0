"""Contact bound to nodes: forces, memory over steps, checkpoint in another order."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.errors import CaseError
from ssbmech.lithium.contact import Contact
from ssbmech.lithium.contact_nodes import ContactNodes
from ssbmech.lithium.obstacle import Plane


def nodes(order=(0, 1, 2, 3), friction="none"):
    x = np.column_stack([np.arange(4.0), np.zeros(4)])[list(order)]
    area = np.array([0.5, 1.0, 1.0, 0.5])[list(order)]
    made = ContactNodes(Contact(Plane((0.0, 0.0), (0.0, -1.0)), 10.0, friction), "top",
                        MPI.COMM_SELF, seed=0.0)  # fmt: skip
    made.bind(SimpleNamespace(group="top", coordinates=x, areas=area))
    return made


def test_forces_are_tractions_times_areas():
    c = nodes()
    u = np.array([[0.0, 0.1], [0.0, -0.1], [0.0, 0.2], [0.0, 0.0]])
    force, stiffness = c.nodes(c.surface.coordinates, u)
    assert force[:, 1] == pytest.approx([-0.5, 0.0, -2.0, 0.0])
    assert stiffness[:, 1, 1] == pytest.approx([5.0, 0.0, 10.0, 0.0])
    totals = c.totals()
    assert (totals.area, totals.share) == pytest.approx((1.5, 0.5))
    assert totals.force == pytest.approx([0.0, -2.5])
    assert (totals.pressure, totals.penetration) == pytest.approx((2.0, 0.2))
    c.offset = 0.1
    assert c.touch(u).gap == pytest.approx([-0.2, 0.0, -0.3, -0.1])


def test_nodes_that_touch_at_the_start_count_as_in_contact():
    law = Contact(Plane((0.0, 0.0), (0.0, -1.0)), 1e17)
    c = ContactNodes(law, "top", MPI.COMM_SELF)
    x = np.array([[0.0, 0.0], [1e-6, -1e-9]])
    c.bind(SimpleNamespace(group="top", coordinates=x, areas=np.ones(2)))
    force, stiffness = c.nodes(x, 0 * x)
    assert force[:, 1] == pytest.approx([-1.0, 0.0])  # a pascal: nothing
    assert stiffness[:, 1, 1] == pytest.approx([1e17, 0.0])


def test_memory_of_steps():
    c = nodes()
    u = np.tile([0.0, 0.1], (4, 1))
    c.nodes(c.surface.coordinates, u)
    c.augment()
    assert c.touch(u).pressure == pytest.approx(np.full(4, 2.0))
    c.restart()  # another trial of the step knows nothing of the augmentation
    assert c.touch(u).pressure == pytest.approx(np.full(4, 1.0))
    c.accept(u)
    assert c.touch(0 * u).pressure == pytest.approx(np.full(4, 1.0))  # carried without penetration
    assert c.carried == pytest.approx(np.full(4, 1.0))


def test_checkpoint_in_another_order():
    a, b = nodes(friction="stick"), nodes((2, 0, 3, 1), friction="stick")
    u = np.column_stack([np.full(4, 0.02), [0.1, -0.1, 0.3, 0.2]])
    a.offset = np.array([0.01, 0.02, 0.03, 0.04])
    a.accept(u)
    saved = a.save()
    assert list(saved) == ["contact/top"]
    b.load(saved)
    assert b.offset == pytest.approx([0.03, 0.01, 0.04, 0.02])
    v = u + [0.01, 0.05]
    assert b.touch(v[[2, 0, 3, 1]]).traction == pytest.approx(a.touch(v).traction[[2, 0, 3, 1]])
    assert np.array_equal(b.save()["contact/top"], saved["contact/top"])
    with pytest.raises(CaseError, match=r"no contact of this surface.*contact/top"):
        b.load({})


def test_3d_is_refused_by_name():
    c = ContactNodes(Contact(Plane((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)), 1.0), "top", MPI.COMM_SELF)
    with pytest.raises(CaseError, match=r"plane and axisymmetric.*3-D"):
        c.bind(SimpleNamespace(group="top", coordinates=np.zeros((2, 3)), areas=np.zeros(2)))
