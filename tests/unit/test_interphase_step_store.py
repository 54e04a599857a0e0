"""Finished steps of a growing layer: kept, taken over, not mistaken for those of another case."""

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.errors import OutputError
from ssbmech.interphase.grown import Step
from ssbmech.interphase.step_store import STEPS, StepStore


def step(depth: float) -> Step:
    rng = np.random.default_rng(7)
    return Step(
        depth, 1e8 / 3, 2e-3 / 7, {"tip": {"K_I": 0.1 + depth, "J": 1 / 3}},
        {"under": rng.normal(size=(4, 3, 3))}, 1234, ("tip",),
    )  # fmt: skip


def store(tmp_path, about: str = "a case", **more) -> StepStore:
    return StepStore(tmp_path / STEPS, about, MPI.COMM_SELF, **more)


def same(a: Step, b: Step) -> None:
    assert (a.depth, a.pressure, a.energy, a.fronts, a.cells, a.inside) == (
        b.depth, b.pressure, b.energy, b.fronts, b.cells, b.inside,
    )  # fmt: skip
    assert np.array_equal(a.stress["under"], b.stress["under"])  # to the last bit


def test_steps_survive(tmp_path):
    first = store(tmp_path)
    assert first.get(1e-6 / 3, 5e10) is None
    first.keep(1e-6 / 3, 5e10, "axisymmetric", step(1e-6 / 3))
    first.keep(2e-6, 5e10, "axisymmetric", step(2e-6))
    again = store(tmp_path)
    assert again.count == 2
    model, found = again.get(1e-6 / 3, 5e10)
    assert model == "axisymmetric"
    same(found, step(1e-6 / 3))
    assert again.get(1e-6 / 3, 6e10) is None


def test_a_line_cut_short_is_made_again(tmp_path):
    first = store(tmp_path)
    for depth in (1e-6, 2e-6):
        first.keep(depth, 5e10, "plane_strain", step(depth))
    path = tmp_path / STEPS
    path.write_text(path.read_text()[:-40])
    again = store(tmp_path)
    assert again.count == 1 and again.get(2e-6, 5e10) is None
    again.keep(2e-6, 5e10, "plane_strain", step(2e-6))
    assert store(tmp_path).count == 2


@pytest.mark.parametrize("change", [{"about": "another case"}, {"resume": False}])
def test_what_belongs_to_something_else_goes(tmp_path, change):
    store(tmp_path).keep(1e-6, 5e10, "plane_strain", step(1e-6))
    assert store(tmp_path, **change).count == 0


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot be kept"):
        store(tmp_path / "nowhere")
