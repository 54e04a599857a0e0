"""Lithium pressed into a notch: P2, balances, compression after filling, creep into a pore."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.coupled.intrusion import Intrusion, IntrusionModel, press
from ssbmech.domain import distribute
from ssbmech.lithium.stack import Stack
from ssbmech.materials.anand import AnandI
from ssbmech.materials.flow import Norton
from ssbmech.meshes.notched import notch_of, notched
from ssbmech.numerics.events import Event
from ssbmech.numerics.stepping import Drive

UM, MPA = 1e-6, 1e6
WIDTH, HEIGHT, DEPTH = 40.0, 20.0, 5.0
#: Set I of Narayan & Anand 2018, with its elastic constants.
SET_I = AnandI(0.05, 0.18, 2 * MPA, 40 * MPA, 8 * MPA, 1.8)
E, NU = 5e9, 0.3
BULK = E / (3 * (1 - 2 * NU))


@dataclass(frozen=True)
class History:
    """Columns of a run, SI."""

    columns: dict[str, np.ndarray]
    model: IntrusionModel

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def when(self, name: str, level: float, other: str) -> float:
        """Another column where this one first reaches a level, linear in between."""
        x, y = self[name], self[other]
        i = int(np.argmax(x >= level))
        assert i > 0, (name, level)
        share = (level - x[i - 1]) / (x[i] - x[i - 1])
        return float(y[i - 1] + share * (y[i] - y[i - 1]))


def model(h=0.5, *, comm=MPI.COMM_WORLD, lip=2.0, flow=SET_I, **more):
    data = notched(WIDTH, HEIGHT, DEPTH, DEPTH, lip_radius=lip, h=h)
    notch = notch_of(data.notes, UM)
    if "stack" not in more:
        more["velocity"] = 2 * UM
    domain = distribute(comm, data if comm.rank == 0 else None, length=HEIGHT * UM)
    return IntrusionModel(Intrusion(notch, flow, h * UM, tolerance=0.02, **more), domain)


def run(h=0.5, duration=0.86, steps=60, events=(), **more):
    made, rows = model(h, **more), []
    press(
        made,
        duration,
        steps=steps,
        events=events,
        on_step=lambda s: rows.append({"time": s.time, "newton": s.iterations, **s.monitors}),
    )
    return History({k: np.array([r[k] for r in rows]) for k in rows[0]}, made)


@pytest.fixture(scope="module")
def pressed():
    return run()


def jacobian(history, travel):
    """Volume of the lithium over that at the start, when the notch is full."""
    area = history.model.case.notch.area
    whole = WIDTH * HEIGHT * UM**2
    return (whole - travel * WIDTH * UM + area) / whole


@pytest.mark.long
def test_forces_and_volumes_balance(pressed, page):
    check = page(
        "P2", "Lithium pressed into a notch", part="balances",
        problem="40 um x 20 um of lithium, set I, 2 um/s, rigid notch 5 um deep, frictionless",
        reference="statics; plate displacement x width = area filled + elastic compression",
    )  # fmt: skip
    loaded = pressed["stack_pressure"] > 1 * MPA
    check.within(
        "plate against contact, all steps", pressed["force_imbalance"][loaded],
        np.zeros(loaded.sum()), 1e-8, scale=1.0, why="relative to the force of the plate",
    )  # fmt: skip
    missing, pushed = pressed.model.volume_balance()
    check.within("volume displaced, filled, compressed", missing / pushed, 0.0, 1e-12, scale=1.0)
    check.within(
        "area filled at the end over that of the notch", pressed["fill"][-1], 1.0, 5e-4,
        why="edges of 0.5 um between nodes on the outline",
    )  # fmt: skip
    travel = pressed.model.case.notch.area / (WIDTH * UM)
    for fill in (0.5, 0.9):
        at = pressed.when("fill", fill, "plate_displacement")
        p = pressed.when("fill", fill, "stack_pressure")
        compressed = HEIGHT * UM * (1 - exp(-p / BULK))
        check.within(
            f"plate displacement when {fill:.0%} are filled", at, fill * travel + compressed,
            0.015, unit="m",
            why="closed form with the mean pressure of the plate; that of the lithium is lower by "
            "up to its strength",
        )  # fmt: skip


@pytest.mark.long
def test_full_notch_is_compressed_elastically(pressed, page):
    check = page(
        "P2", "Lithium pressed into a notch", part="after filling",
        problem="the plate goes on: uniform compression of lithium that is enclosed",
        reference="rise of the pressure = that of -K ln(J)/J, J from the plate's displacement",
    )  # fmt: skip
    places = [pressed.when("stack_pressure", p * MPA, "plate_displacement") for p in (80, 140)]
    level = [-BULK * log(jacobian(pressed, w)) / jacobian(pressed, w) for w in places]
    check.within(
        "pressure from 80 to 140 MPa", 60 * MPA, level[1] - level[0], 0.015, unit="Pa",
        why="deviator, which still hardens a little, is left out",
    )  # fmt: skip
    s = pressed.model.surface
    used = s.area > 0
    spread = float(np.ptp(s.pressure[used]))
    check.within("root against plate", pressed["root_pressure"][-1],
                 pressed["stack_pressure"][-1], 0.03, unit="Pa",
                 why="hydrostatic up to the strength of lithium, about 10 MPa")  # fmt: skip
    assert spread < 40 * MPA
    check.note(
        "The electrolyte is rigid here. With E = 170 GPa, nu = 0.3 a confined layer of 20 um gives "
        "way by p H (1 + nu)(1 - 2 nu)/((1 - nu) E) = 0.013 um at 150 MPa, and the notch widens by "
        "the order of 2 p d (1 - nu^2)/E = 0.008 um: 2 to 3 % of the 0.7 um by which the lithium "
        "is compressed, so that the pressure at a given displacement is lower by that much."
    )


@pytest.mark.long
def test_published_pressure_is_reached_after_filling(pressed, page):
    check = page(
        "P2", "Lithium pressed into a notch", part="Narayan & Anand 2018",
        problem="pressure at the root of a notch of 5 um; shape assumed: half-circle, lips 2 um",
        reference="about 150 MPa at the root when filled (published; its shape and instant are "
        "not known here)",
    )  # fmt: skip
    at = pressed.when("root_pressure", 150 * MPA, "plate_displacement")
    closing = pressed.when("fill", 0.999, "stack_pressure")
    assert pressed.model.closing.pressure == pytest.approx(closing, rel=1e-12)
    travel = pressed.model.case.notch.area / (WIDTH * UM)
    J = jacobian(pressed, at)
    check.within(
        "pressure at the root from the compression there", 150 * MPA, -BULK * log(J) / J, 0.1,
        unit="Pa", why="how the root comes to 150 MPa: bulk compression, less the strength",
    )  # fmt: skip
    check.note(
        f"The plate displaces the area of the notch after {travel * 1e6:.3f} um. When 99.9 % of "
        f"the notch is filled, the plate presses with {closing / 1e6:.0f} MPa; the root is at "
        f"150 MPa after {at * 1e6:.3f} um of travel. Between the two lithium has nowhere to go and "
        "is compressed, 2.3 MPa for every 10 nm: the pressure that is reported 'when filled' says "
        "above all how far the plate went on."
    )
    check.note(
        "The shape is an assumption. Stack pressure at 99.9 % and travel for 150 MPa at the root, "
        "found once with this model: half-circle with lips of 1 um 31 MPa, 1.670 um; V with flanks "
        "of 60 degrees and a root of 1 um 44 MPa, 1.188 um (its area is half); segment 15 um wide "
        "25 MPa, beyond 2 um; 20 um/s 43 MPa, 1.684 um; lithium that sticks 35 MPa, 1.702 um."
    )
    check.plot(
        "plate displacement [um]", "pressure [MPa]",
        {"root": (pressed["plate_displacement"] * 1e6, pressed["root_pressure"] / MPA),
         "plate": (pressed["plate_displacement"] * 1e6, pressed["stack_pressure"] / MPA)},
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.xfail(
    strict=True,
    reason="P2 read as the pressure at the moment of closing: 25 to 55 MPa for smooth notches. The "
    "published instant and shape are not known; 150 MPa come with 0.5 um of further travel",
)
def test_published_pressure_at_the_moment_of_closing(pressed):
    closing = pressed.when("fill", 0.999, "stack_pressure")
    assert closing == pytest.approx(150 * MPA, rel=0.25)


@pytest.mark.long
def test_mesh_and_steps(pressed, page):
    check = page(
        "P2", "Lithium pressed into a notch", part="refinement",
        problem="elements of 0.7, 0.5 and 0.35 um at the notch; steps half as long",
        reference="the finest of them (this software)",
    )  # fmt: skip
    levels = ("root_pressure", 100 * MPA, "plate_displacement")
    found = [run(0.7).when(*levels), pressed.when(*levels), run(0.35).when(*levels)]
    check.within("travel at 100 MPa, 0.5 um", found[1], found[2], 3e-3, unit="m")
    assert abs(found[0] - found[2]) < 1.5e-2 * found[2]
    steps = run(0.7, steps=120).when(*levels)
    check.within("travel at 100 MPa, steps half as long", steps, found[0], 3e-3, unit="m")


def fill_time(pressure):
    """Time [s] until half of the notch is filled by lithium that creeps under a dead load."""
    B, n = 6.7e-3 * MPA**-6.6, 6.6
    guess = 0.045 * (pressure / (5 * MPA)) ** -n
    history = run(
        0.9, duration=3 * guess, steps=60, flow=Norton(B, n), stack=Stack("bottom", pressure),
        events=(Event("half", "fill", 0.5, action="stop"),),
    )  # fmt: skip
    assert history["fill"][-1] == pytest.approx(0.5, rel=1e-3)
    missing, pushed = history.model.volume_balance()
    assert abs(missing) < 1e-12 * pushed  # the face under a dead load does not stay flat
    return history["time"][-1]


@pytest.mark.long
def test_fill_time_against_pressure(page):
    check = page(
        "creep_into_pore", "Creep into a pore under stack pressure",
        problem="Norton lithium, n = 6.6, dead load of 4 to 6.4 MPa, time to fill half the notch",
        reference="t ~ p^-n (dimensions, elasticity neglected)",
    )  # fmt: skip
    pressures = np.array([4.0, 5.06, 6.4]) * MPA
    times = np.array([fill_time(p) for p in pressures])
    slope = np.polyfit(np.log(pressures), np.log(times), 1)[0]
    check.within("fitted exponent", slope, -6.6, 0.02, why="p/E = 1e-3 is not zero")
    check.plot("pressure [MPa]", "time to fill half [s]",
               {"computed": (pressures / MPA, times),
                "exact": (pressures / MPA, times[1] * (pressures / pressures[1]) ** -6.6)},
               log=True)  # fmt: skip


def some_steps(made, first, last):
    rows = []
    for i in range(first, last):
        made.advance((i + 1) * 2e-3, 2e-3, Drive(current_density=0.0))
        made.accept()
        s = made.surface
        rows.append([s.raised / UM**2, made.plate_force(), float(s.pressure.max())])
    return np.array(rows)


def test_restart_gives_the_same_numbers():
    a = model(1.2, comm=MPI.COMM_SELF)
    some_steps(a, 0, 3)
    kept = a.save()
    b = model(1.2, comm=MPI.COMM_SELF)
    b.load(kept)
    assert b.surface.pressure[1:] == pytest.approx(a.surface.pressure[1:], rel=1e-10)
    assert some_steps(b, 3, 6) == pytest.approx(some_steps(a, 3, 6), rel=1e-10)


@pytest.mark.mpi
def test_ranks(mpirun):
    many = [float(v) for v in mpirun(3, __file__).stdout.split()[-3:]]
    one = some_steps(model(1.2, comm=MPI.COMM_SELF), 0, 5)[-1]
    assert many == pytest.approx(one, rel=1e-6)


if __name__ == "__main__":
    found = some_steps(model(1.2), 0, 5)[-1]
    if MPI.COMM_WORLD.rank == 0:
        print(*(repr(float(v)) for v in found))
