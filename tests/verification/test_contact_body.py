"""Contact and stacks on bodies: patch test, Hertz, sticking, plate and spring, ranks."""

from __future__ import annotations

from itertools import pairwise
from math import pi, sqrt

import numpy as np
import pytest
from bodies import block, length, on
from mpi4py import MPI
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.arcs import Arcs
from ssbmech.lithium.contact import Contact, penalty_of
from ssbmech.lithium.contact_nodes import ContactNodes
from ssbmech.lithium.obstacle import Plane
from ssbmech.lithium.plate import Plate
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Misfit
from ssbmech.lithium.stack import Stack
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton
from ssbmech.problem import Eigenstrain, Material

UM = 1e-6
E, NU = 5e9, 0.3


def material():
    return {"lithium": Material(Formula.constant(E, "pressure"), NU)}


def solve(domain, obstacle, size, holds, model="plane_strain", friction="none", **more):
    """One elastic step with contact, augmented until nothing penetrates."""
    law = Contact(obstacle, penalty_of(E, size, 20.0), friction)
    contact = ContactNodes(law, "top", domain.comm)
    body = BodySystem(
        BodyProblem(domain, model, material(), holds=tuple(holds), laws=(contact,), **more)
    )
    for _ in range(30):
        report = body.advance(1.0, 1.0)
        totals = contact.totals()
        if totals.penetration < 1e-12 * size:
            break
        contact.augment()
    return body, contact, totals, report


def wavy(p):
    """An irregular mesh of the unit square whose sides stay straight."""
    x, y = p[:, 0], p[:, 1]
    bubble = 0.08 * np.sin(pi * x) * np.sin(pi * y)
    return np.column_stack([x + bubble * np.sin(7 * y), y + bubble * np.cos(9 * x)])


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_patch(page, model):
    check = page(
        "contact", "Contact with a rigid surface", part="patch test",
        problem="block on rollers pressed onto a frictionless plane, irregular mesh",
        reference="uniform pressure E/(1 - nu^2) d/H; axisymmetric E d/H",
    )  # fmt: skip
    domain = on(MPI.COMM_WORLD, block(5, 4, place=wavy))
    down = 0.002 * UM
    holds = [Hold("bottom", {1: length(0.0)}), Hold("left", {0: length(0.0)})]
    body, contact, totals, _ = solve(
        domain, Plane((0.0, UM - down), (0.0, -1.0)), UM / 5, holds, model
    )
    stiff = E if model == "axisymmetric" else E / (1 - NU**2)
    inside = contact.surface.areas > 0
    found = contact.touch().pressure[inside]
    exact = stiff * 0.002
    check.within(
        f"pressure at all nodes, {model}", found, np.full(len(found), exact), 1e-8, unit="Pa",
        why="the exact solution is linear, and nodal areas are exact",
    )  # fmt: skip
    area = pi * UM**2 if model == "axisymmetric" else UM
    check.within(
        f"balance of forces, {model}", float(monitors.reaction(body, "bottom")[1]),
        -float(totals.force[1]), 1e-9, unit="N",
    )  # fmt: skip
    check.within(f"force, {model}", -float(totals.force[1]), exact * area, 1e-8, unit="N")
    assert totals.share == pytest.approx(1.0, abs=1e-12)


def circle(radius, down):
    """A rigid cylinder above y = 0 that reaches down to -down; its flanks go on straight."""
    half = 0.5
    chord = np.array([np.sin(half), 1 - np.cos(half)]) * radius
    run = radius
    start = (chord[0] + run * np.cos(half), chord[1] - down + run * np.sin(half))
    return Arcs(start, pi + half, ((run, 0.0), (2 * half * radius, -2 * half), (run, 0.0)))


def hertz(n, *, comm=MPI.COMM_WORLD, model="plane_strain"):
    """Half a rigid cylinder (or a sphere) of 40 um pressed into a block of 60 um by 60 um."""
    radius, down, size = 40 * UM, 0.05 * UM, 60.0
    fine = 3.0 / n  # um; a is near 2 um
    x = np.concatenate([np.linspace(0, 3, n + 1), np.geomspace(3 + 1.2 * fine, size, 2 + n)])
    data = block(1, 1, place=lambda p: size * p, x=x / size, y=1 - x[::-1] / size)
    domain = on(comm, data, 60.0)
    holds = [Hold("bottom", {1: length(0.0)}), Hold("left", {0: length(0.0)})]
    surface = circle(radius, down - size * UM)
    _, contact, totals, report = solve(domain, surface, fine * UM, holds, model)
    at, places = contact.touch(), contact.surface.coordinates[:, 0]
    rows = comm.allgather(np.column_stack([places, at.pressure, contact.surface.areas]))
    table = np.vstack(rows)
    table = table[np.argsort(table[:, 0])]
    used = (table[:, 1] > 0.5 * table[:, 1].max()) & (table[:, 2] > 0)
    slope, level = np.polyfit(table[used, 0] ** 2, table[used, 1] ** 2, 1)
    return {
        "force": -float(totals.force[1]), "peak": sqrt(level), "half_width": sqrt(-level / slope),
        "radius": radius, "table": table, "report": report,
    }  # fmt: skip


def test_hertz(page):
    check = page(
        "contact", "Contact with a rigid surface", part="Hertz, line contact",
        problem="rigid cylinder, radius 40 um, on an elastic block of 120 um by 60 um",
        reference="a = sqrt(4 F R/(pi E')), p0 = sqrt(F E'/(pi R)) at the computed force F",
    )  # fmt: skip
    stiff, errors = E / (1 - NU**2), []
    for n in (6, 12, 24):
        got = hertz(n)
        F, R = 2 * got["force"], got["radius"]  # of both halves
        a, p0 = sqrt(4 * F * R / (pi * stiff)), sqrt(F * stiff / (pi * R))
        errors.append(max(abs(got["half_width"] / a - 1), abs(got["peak"] / p0 - 1)))
    check.within("half-width a", got["half_width"], a, 0.02, unit="m",
                 why="a/R = 5 %, a/size = 3 %; nodes 0.06 um apart")  # fmt: skip
    check.within("peak pressure", got["peak"], p0, 0.02, unit="Pa")
    assert errors[0] > 2 * errors[1] > 4 * errors[2]  # first order or better
    check.note(
        "Largest error of a and p0 with elements of 0.5, 0.25 and 0.125 um: "
        + ", ".join(f"{e:.2%}" for e in errors)
    )
    x, p = got["table"][:, 0], got["table"][:, 1]
    near = x < 1.5 * a
    check.plot(
        "x [um]", "pressure [MPa]",
        {"computed": (x[near] * 1e6, p[near] / 1e6),
         "exact": (x[near] * 1e6, p0 * np.sqrt(np.maximum(1 - (x[near] / a) ** 2, 0)) / 1e6)},
    )  # fmt: skip


def test_hertz_sphere(page):
    check = page(
        "contact", "Contact with a rigid surface", part="Hertz, point contact",
        problem="rigid sphere, radius 40 um, on an elastic cylinder, radius and height 60 um",
        reference="a^3 = 3 F R/(4 E'), p0 = 3F/(2 pi a^2)",
    )  # fmt: skip
    got = hertz(30, model="axisymmetric")
    F, R = got["force"], got["radius"]
    a = (3 * F * R / (4 * E / (1 - NU**2))) ** (1 / 3)
    check.within("radius of contact", got["half_width"], a, 0.03, unit="m")
    check.within("peak pressure", got["peak"], 3 * F / (2 * pi * a**2), 0.03, unit="Pa")


def test_newton_is_quadratic_once_the_contact_is_settled():
    history = [h for h in hertz(12)["report"].newton.history if h < 1e-2]
    drops = [b / a**2 for a, b in pairwise(history) if b > 1e-13]
    assert history[-1] < 1e-9 and (len(history) < 4 or max(drops) < 1e4), history


def test_sticking_holds_like_a_bond():
    domain = on(MPI.COMM_WORLD, block(6, 5, place=wavy))
    down = 0.002 * UM
    holds = [Hold("bottom", {1: length(0.0)}), Hold("left", {0: length(0.0)})]
    body, _, totals, _ = solve(
        domain, Plane((0.0, UM - down), (0.0, -1.0)), UM / 6, holds, friction="stick"
    )
    bonded = BodySystem(
        BodyProblem(
            domain, "plane_strain", material(),
            holds=(*holds, Hold("top", {0: length(0.0), 1: length(-down)})),
        )
    )  # fmt: skip
    bonded.advance(1.0, 1.0)
    exact = float(monitors.reaction(bonded, "top")[1])
    assert float(totals.force[1]) == pytest.approx(exact, rel=1e-8)
    assert body.displacement == pytest.approx(bonded.displacement, abs=1e-8 * down)


@pytest.mark.parametrize("kind, k", [("plate", 0.0), ("spring", 3e15)])
def test_plate_on_a_body_that_grows(page, kind, k):
    check = page(
        "contact", "Contact with a rigid surface", part="stack",
        problem="half of a confined block expands by e in height against a stack",
        reference="U = (c w - p0)/(c + k), c = M/H, M = E (1 - nu)/((1 + nu)(1 - 2 nu)), w = e H/2",
    )  # fmt: skip
    names = ("lithium", "growing")
    data = block(4, 4, names=names, group=lambda c: (c[:, 1] > 0.5).astype(int))
    domain = on(MPI.COMM_WORLD, data)
    e, p0 = 1e-3, 2e6
    materials = {name: material()["lithium"] for name in names}
    grow = {"yy": Formula.constant(e, "dimensionless")}
    plate = Plate(Stack("top", p0, kind, k), 1, +1)
    body = BodySystem(
        BodyProblem(
            domain, "plane_strain", materials,
            holds=(Hold("bottom", {1: length(0.0)}), Hold("left", {0: length(0.0)}),
                   Hold("right", {0: length(0.0)}), plate.hold),
            misfits=(Misfit(Eigenstrain("growing", grow)),),
        )
    )  # fmt: skip
    report = plate.advance(body, 1.0, 1.0)
    body.accept()
    plate.accept()
    M = E * (1 - NU) / ((1 + NU) * (1 - 2 * NU))
    c, w = M / UM, e * UM / 2
    exact = (c * w - p0) / (c + k)
    check.within(f"displacement, {kind}", report.displacement, exact, 1e-8, unit="m",
                 why="uniform stress: exact")  # fmt: skip
    force = -float(monitors.reaction(body, "top")[1])
    check.within(f"force, {kind}", force, (p0 + k * exact) * UM, 1e-8, unit="N/m")
    assert report.solves <= 4
    top = body.surface("top").nodes
    assert body.displacement[top, 1] == pytest.approx(np.full(len(top), exact), rel=1e-9)


def test_creeping_block_between_plates():
    """A free block of Norton lithium under a plate: p = const, H'/H = -(sqrt(3)/2)^(n+1) B p^n."""
    B, n, p = 6.7e-3 * 1e6**-6.6, 6.6, 1e6
    domain = on(MPI.COMM_WORLD, block(3, 3))
    plate = Plate(Stack("top", p, "plate"), 1, +1)
    body = BodySystem(
        BodyProblem(
            domain, "plane_strain", material(), {"lithium": Flow(Norton(B, n))},
            holds=(Hold("bottom", {1: length(0.0)}), Hold("left", {0: length(0.0)}), plate.hold),
        )
    )  # fmt: skip
    time, dt, places = 0.0, 1.0, []
    for _ in range(5):
        time += dt
        plate.advance(body, time, dt)
        body.accept()
        plate.accept()
        places.append(plate.displacement)
    rate = -B * p**n * (sqrt(3) / 2) ** (n + 1)
    assert np.diff(places)[2:] / (dt * UM) == pytest.approx(np.full(2, rate), rel=1e-6)


@pytest.mark.mpi
def test_ranks(mpirun):
    code = mpirun(3, __file__, "hertz").stdout
    many = [float(v) for v in code.split()[-3:]]
    one = hertz(8, comm=MPI.COMM_SELF)
    assert many == pytest.approx([one[k] for k in ("force", "peak", "half_width")], rel=1e-6)


if __name__ == "__main__":
    found = hertz(8)
    if MPI.COMM_WORLD.rank == 0:
        print(*(repr(float(found[k])) for k in ("force", "peak", "half_width")))
