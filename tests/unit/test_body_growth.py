"""Growth at an interface: volume is conserved to rounding, limits are refused with numbers."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))

from bodies import block, core_and_ring, length, material, on
from mpi4py import MPI
from ssbmech.errors import CaseError, SolverError
from ssbmech.lithium import monitors
from ssbmech.lithium.points import growth_gradient
from ssbmech.lithium.problem import BodyProblem, Flow, Hold
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton

NORTON = Norton(6.7e-3 * 1e-6**6.6, 6.6)
HELD = (Hold("left", {0: length(0.0)}), Hold("bottom", {1: length(0.0)}))


def body(model, finite=False, **more):
    mesh = on(
        MPI.COMM_SELF,
        block(
            4, 4, place=lambda p: p * 10, group=lambda c: c[:, 1] > 0.5,
            names=("lithium", "sse"), inside="interface",
        ), 10.0,
    )  # fmt: skip
    return BodySystem(
        BodyProblem(
            mesh, model, {"lithium": material(), "sse": material(150e9, 0.26)},
            {"lithium": Flow(NORTON, finite)}, holds=HELD,
            growth={"interface": "lithium"}, **more,
        )
    )  # fmt: skip


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_volume_is_conserved(model):
    system = body(model)
    layer = system.growth.layers["interface"]
    assert len(layer.areas) == 4
    area = 10e-6 if model == "plane_strain" else np.pi * 10e-6**2
    assert layer.areas.sum() == pytest.approx(area, rel=1e-13)
    h = np.array([0.1, -0.05, 0.2, 0.03]) * 1e-6
    system.growth.set("interface", h)
    assert system.growth.volume("interface") == pytest.approx(h @ layer.areas, rel=1e-12)
    system.growth.set("interface", -1e-7)
    assert system.growth.volume("interface") == pytest.approx(-1e-7 * area, rel=1e-12)


def test_curved_interface():
    mesh = on(MPI.COMM_SELF, core_and_ring(1.0, 2.0, 0.4, names=("lithium", "sse")), 2.0)
    system = BodySystem(
        BodyProblem(
            mesh, "axisymmetric", {"lithium": material(), "sse": material(150e9, 0.26)},
            {"lithium": Flow(NORTON, True)}, growth={"interface": "lithium"},
            holds=(Hold("bottom", {1: length(0.0)}), Hold("top", {0: length(0.0)})),
        )
    )  # fmt: skip
    h = 1e-8
    system.growth.set("interface", h)
    layer = system.growth.layers["interface"]
    assert system.growth.volume("interface") == pytest.approx(h * layer.areas.sum(), rel=1e-12)
    assert layer.areas.sum() == pytest.approx(2 * np.pi * 1e-12, rel=2e-5)
    # every cell that touches the sphere takes part, and grows along r
    grown = system.growth.tensors[np.trace(system.growth.tensors, axis1=1, axis2=2) > 0]
    assert len(grown) > len(layer.areas)
    assert np.abs(grown[:, 2, 2]).max() == 0.0


@pytest.mark.parametrize(
    ("thickness", "words"),
    [(3e-6, r"would change their volume by \+[12]\d\d%.*too thin.*-50% to \+100%"),
     (-2e-6, r"by -120%"), (float("nan"), "would change")],
)  # fmt: skip
def test_too_much_for_the_layer(thickness, words):
    system = body("plane_strain")
    system.growth.set("interface", 1e-7)
    before = system.growth.tensors.copy()
    with pytest.raises(SolverError, match=words):
        system.growth.set("interface", thickness)
    assert (system.growth.tensors == before).all()


def test_a_layer_has_to_touch():
    with pytest.raises(CaseError, match="no facet of 'top' touches a cell of 'lithium'"):
        mesh = on(
            MPI.COMM_SELF,
            block(2, 2, group=lambda c: c[:, 1] > 0.5, names=("lithium", "sse")),
        )
        BodySystem(
            BodyProblem(
                mesh, "plane_strain", {"lithium": material(), "sse": material()},
                {"lithium": Flow(NORTON)}, growth={"top": "lithium"}, holds=HELD,
            )
        )  # fmt: skip


@pytest.mark.parametrize("finite", [False, True])
def test_the_body_takes_up_the_volume(finite):
    """Free to rise, lithium changes its volume by what is plated, stress being small."""
    system = body("axisymmetric", finite)
    h = 2e-7
    system.growth.set("interface", h)
    for k in range(1, 4):
        system.advance(1e4 * 10.0**k, 9e3 * 10.0**k)
        system.accept()
    plated = h * np.pi * 10e-6**2
    # what is left is elastic: stress of under a megapascal over a modulus of gigapascals
    assert monitors.volume_change(system, "lithium") == pytest.approx(plated, rel=0.02)


def test_growth_gradient():
    rng = np.random.default_rng(0)
    n = rng.normal(size=(5, 3))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    g = np.array([0.3, -0.4, 1e-10, 1.0, 0.0])
    one = growth_gradient(g[:, None, None] * n[:, :, None] * n[:, None, :])
    np.testing.assert_allclose(
        one, np.eye(3) + g[:, None, None] * n[:, :, None] * n[:, None, :], atol=1e-14
    )
    m = rng.normal(size=(20, 3, 3)) * 0.1
    m = m @ m.transpose(0, 2, 1)
    trace = np.trace(m, axis1=1, axis2=2)
    np.testing.assert_allclose(np.linalg.det(growth_gradient(m)), 1 + trace, rtol=1e-13)
