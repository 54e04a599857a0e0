"""Bodies with flowing lithium: what is refused, and with which words."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))

from bodies import block, length, material, on, pressure
from mpi4py import MPI
from ssbmech.errors import CaseError, MeshError, SolverError
from ssbmech.formula import Formula
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load, Misfit
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton
from ssbmech.materials.laws import Cubic
from ssbmech.problem import Eigenstrain, Material, SurfaceLoad

FLOW = Flow(Norton(6.7e-3 * 1e-6**6.6, 6.6))
HELD = (Hold("left", {0: length(0.0)}), Hold("bottom", {1: length(0.0)}))


@pytest.fixture(scope="module")
def two():
    return on(
        MPI.COMM_SELF,
        block(2, 2, group=lambda c: c[:, 1] > 0.5, names=("lithium", "sse"), inside="interface"),
    )


def problem(domain, **change):
    given = {
        "model": "plane_strain",
        "materials": {"lithium": material(), "sse": material(150e9, 0.26)},
        "flows": {"lithium": FLOW},
        "holds": HELD,
    }
    return BodyProblem(domain, **{**given, **change})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "plane_stress"}, "no such model.*plane_stress.*plane_strain"),
        ({"materials": {"lithium": material()}}, "'sse' has no material"),
        ({"flows": {"litium": FLOW}}, "'litium' that could flow.*Did you mean 'lithium'"),
        ({"growth": {"interface": "sse"}}, "has to flow, and 'sse' does not"),
        (
            {
                "materials": {
                    "lithium": Material.of_crystal(Cubic(13.42e9, 11.3e9, 8.8e9)),
                    "sse": material(),
                }
            },
            "materials.lithium: crystals are not combined",
        ),
        (
            {
                "materials": {
                    "lithium": material(),
                    "sse": Material(Formula.parse("1 GPa * (1 + x / 1 um)", "pressure"), 0.3),
                }
            },
            "materials.sse: a graded E",
        ),
        (
            {
                "misfits": (
                    Misfit(Eigenstrain("sse", {"xx": Formula.parse("x / 1 mm", "dimensionless")})),
                )
            },
            "constant in space",
        ),
    ],
)
def test_refused(two, change, words):
    with pytest.raises(CaseError, match=words):
        problem(two, **change)


def test_a_component_is_held_once():
    zero = {0: length(0.0)}
    with pytest.raises(CaseError, match="component 0 of 'left' has a value and a velocity"):
        Hold("left", zero, zero)
    with pytest.raises(CaseError, match="nothing is prescribed on 'left'"):
        Hold("left")


def test_names_are_looked_up(two):
    with pytest.raises(MeshError, match=r"no facet group 'tpo'.*top"):
        BodySystem(problem(two, loads=(Load(SurfaceLoad("tpo", pressure=pressure(1.0))),)))
    with pytest.raises(MeshError, match="no facet group 'lefft'"):
        BodySystem(problem(two, holds=(Hold("lefft", {0: length(0.0)}),)))
    with pytest.raises(CaseError, match=r"no component 2 to hold.*0 to 1"):
        BodySystem(problem(two, holds=(Hold("left", {2: length(0.0)}),)))
    system = BodySystem(problem(two, loads=(Load(SurfaceLoad("top", pressure=pressure(1.0))),)))
    with pytest.raises(CaseError, match=r"no load on 'tap'.*'top'"):
        system.set_factor("tap", 2.0)
    with pytest.raises(SolverError, match="dt: a step in time has to be positive"):
        system.advance(0.0, 0.0)
    with pytest.raises(SolverError, match="no step to accept"):
        system.accept()
    with pytest.raises(CaseError, match="'interface' is not on the surface"):
        system.surface("interface")


def test_nothing_holds_it(two):
    with pytest.raises(SolverError, match="nothing holds the body against rigid motion"):
        BodySystem(
            problem(two, holds=(), loads=(Load(SurfaceLoad("top", pressure=pressure(1.0))),))
        )
    # in balance at factor 1, and not when one of the factors changes
    both = tuple(
        Load(SurfaceLoad(side, pressure=pressure(1e5)))
        for side in ("top", "bottom", "left", "right")
    )
    system = BodySystem(problem(two, holds=(), loads=both))
    assert len(system.pins) == 3
    system.advance(1.0, 1.0)
    system.accept()
    assert system.mean_stress.min() == pytest.approx(-1e5, rel=0.5)
    system.set_factor("top", 1.5)
    with pytest.raises(SolverError, match="not in balance at this time"):
        system.advance(2.0, 1.0)
    system.set_factor("top", 1.0)
    system.advance(2.0, 1.0)
