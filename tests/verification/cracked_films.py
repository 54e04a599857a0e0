"""A film with cracks on lithium by finite elements: energy of a channel, pull on a piece.

Far behind the tip of a channel every slice is the plane problem of a film cracked through, far
ahead that of one that is whole. What the channel sets free per length is the difference of their
energies, by superposition half of the work of the film's stress on the opening of the crack, so
that Z = G E'/(sigma^2 h) needs no field at a tip. Half of the body is meshed, the film's section
is loaded by the stress as a pressure, and the planes of symmetry slide.
"""

from __future__ import annotations

import numpy as np
from bodies import block, material, pressure
from bodies import length as metres
from mpi4py import MPI
from ssbmech.domain import distribute
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton
from ssbmech.meshes.data import MeshData
from ssbmech.problem import Constraint, Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem

H = 1e-6  # thickness of the film [m]


def graded(smallest, largest, ratio):
    """Places from 0 to ``largest``, the first step ``smallest``, each ``ratio`` times the last."""
    n = int(np.ceil(np.log1p(largest * (ratio - 1) / smallest) / np.log(ratio)))
    x = smallest * (ratio ** np.arange(n + 1) - 1) / (ratio - 1)
    return x * largest / x[-1]


def Z(E_film, nu_film, E_base, nu_base, *, extent=1000.0, smallest=2e-3, ratio=1.25, period=None):
    """Z of a channel crack; of an array of them with a period [film thicknesses] where given.

    Args:
        E_film: [Pa].
        nu_film: Poisson's ratio.
        E_base: Of the half space [Pa].
        nu_base: Its Poisson's ratio.
        extent: Width and depth of what is meshed, in film thicknesses.
        smallest: Cell at the crack's end, likewise.
        ratio: From a cell to the next.
        period: Between cracks of an array that all run at once.
    """
    x = graded(smallest, extent if period is None else period / 2, ratio)
    down = -graded(smallest, extent, ratio)[::-1]
    half = graded(smallest, 0.5, ratio)
    up = np.concatenate([half, (1.0 - half[::-1])[1:]])
    y = np.concatenate([down[:-1], up])
    data = block(
        len(x) - 1, len(y) - 1, x=x / x[-1], y=(y - y[0]) / (y[-1] - y[0]),
        place=lambda p: np.column_stack([p[:, 0] * x[-1], y[0] + p[:, 1] * (y[-1] - y[0])]),
        group=lambda c: (y[0] + c[:, 1] * (y[-1] - y[0]) > 0.0), names=("base", "film"),
    )  # fmt: skip
    domain = distribute(MPI.COMM_WORLD, _cracked(data), length=H)
    s = 1e8
    zero = Formula.constant(0.0, "length")
    problem = Problem(
        domain, "plane_strain",
        {"film": material(E_film, nu_film), "base": material(E_base, nu_base)},
        loads=(SurfaceLoad("crack", pressure=pressure(s)),),
        constraints=(Constraint("left", {0: zero}), Constraint("right", {0: zero}),
                     Constraint("bottom", {1: zero})),
    )  # fmt: skip
    energy = 2.0 * ElasticSystem(problem).solve().strain_energy  # both halves [J/m]
    return energy / H * (E_film / (1 - nu_film**2)) / (s**2 * H)


def slow_energy(stress, flow, *, smallest=0.1, ratio=1.3, steps=32, E=22e9, nu=0.3):
    """G of a channel over lithium that flows while the crack opens [J/m^2].

    The traction on the film's section is taken away in steps; G is the work that it would have
    done on the opening. The crack ends one cell below the film: where it ended in the film's
    corner, the film would hang on that node, and could not slide.

    Args:
        stress: Of the film [Pa].
        flow: Law of lithium, and its shear stress at which it flows [Pa].
        smallest: Cell at the crack, in film thicknesses.
        ratio: From a cell to the next.
        steps: In which the traction goes.
        E: Young's modulus of the film [Pa].
        nu: Its Poisson's ratio.
    """
    law, shear = flow
    extent = max(8.0 * stress / shear, 200.0)
    x = graded(smallest, extent, ratio)
    y = np.concatenate([-graded(smallest, extent, ratio)[::-1][:-1], np.linspace(0.0, 1.0, 4)])
    data = block(
        len(x) - 1, len(y) - 1, x=x / x[-1], y=(y - y[0]) / (y[-1] - y[0]),
        place=lambda p: np.column_stack([p[:, 0] * x[-1], y[0] + p[:, 1] * (y[-1] - y[0])]),
        group=lambda c: (y[0] + c[:, 1] * (y[-1] - y[0]) > 0.0), names=("lithium", "film"),
    )  # fmt: skip
    data = _cracked(_cracked(data, crack="left"), below=-1.5 * smallest, held="left")
    zero = metres(0.0)
    system = BodySystem(
        BodyProblem(
            distribute(MPI.COMM_WORLD, data, length=extent * H), "plane_strain",
            {"lithium": material(), "film": material(E, nu)}, {"lithium": Flow(law)},
            loads=(Load(SurfaceLoad("crack", pressure=pressure(stress)), lambda t: t),),
            holds=(Hold("held", {0: zero}), Hold("right", {0: zero}), Hold("bottom", {1: zero})),
        )
    )  # fmt: skip
    opening = [0.0]
    for k in range(steps):
        system.advance((k + 1) / steps, 1.0 / steps)
        system.accept()
        opening.append(2.0 * abs(monitors.outflow(system, "crack")) / H)
    return np.trapezoid(stress * np.linspace(1.0, 0.0, steps + 1), opening)


def _cracked(data: MeshData, *, below: float | None = None, **names: str) -> MeshData:
    """Sides of the film (or of what lies below a height [um]) as facet groups: name to side."""
    tags, groups = data.facet_tags.copy(), dict(data.facet_groups)
    middle = data.points[data.facets].mean(axis=1)
    for name, side in (names or {"crack": "left"}).items():
        groups[name] = max(groups.values()) + 1
        mine = middle[:, 1] > 0.0 if below is None else middle[:, 1] < below
        tags[(tags == groups[side]) & mine] = groups[name]
    return MeshData(
        2, 1, data.points, data.cells, data.cell_tags, data.facets, tags, data.cell_groups, groups
    )


def tension(half, depth, law: Norton, rate, *, sheared, gap=1.0, smallest=0.05, ratio=1.25,
            strain=3e-2, E=22e9):  # fmt: skip
    """Stress in the middle of a piece of film on lithium that is stretched, after ``strain`` [Pa].

    One of a row of pieces; half of it is meshed, with half of the gap to the next. Small strain,
    mixed elements; the film is elastic and too stiff to stretch by what pulls on it.

    Args:
        half: Half length of the piece, in film thicknesses.
        depth: Of lithium, likewise.
        law: Of lithium.
        rate: At which it is stretched [1/s].
        sheared: Whether the bottom stretches with it; else it slides.
        gap: Half of the distance to the next piece, in film thicknesses.
        smallest: Cell at the interface and at the end of the piece, likewise.
        ratio: From a cell to the next.
        strain: At which the stress is taken.
        E: Young's modulus of the film [Pa].
    """
    x = np.concatenate([half - graded(smallest, half, ratio)[::-1],
                        half + graded(smallest, gap, ratio)[1:]])  # fmt: skip
    x[0] = 0.0
    y = np.concatenate([-graded(smallest, depth, ratio)[::-1][:-1], np.linspace(0.0, 1.0, 3)])
    width, height = x[-1], y[-1] - y[0]

    def group(c):
        above = y[0] + c[:, 1] * height > 0.0
        return np.where(above, np.where(c[:, 0] * width > half, 2, 1), 0)

    data = _cracked(
        block(len(x) - 1, len(y) - 1, x=x / width, y=(y - y[0]) / height, group=group,
              place=lambda p: np.column_stack([p[:, 0] * width, y[0] + p[:, 1] * height]),
              names=("lithium", "film", "gap")),
        middle="left", end="right",
    )  # fmt: skip
    along = Formula.parse(f"{rate!r} * x / (1 s)", "velocity", ("x", "y", "z"))
    zero = metres(0.0)
    holds = (
        Hold("left", {0: zero}), Hold("middle", {0: zero}),
        Hold("right", velocity={0: Formula.constant(rate * width * H, "velocity")}),
        Hold("bottom", {1: zero}, velocity={0: along} if sheared else {}),
    )  # fmt: skip
    system = BodySystem(
        BodyProblem(
            distribute(MPI.COMM_WORLD, data, length=half * H), "plane_strain",
            {"lithium": material(), "film": material(E, 0.3), "gap": material(1e4, 0.0)},
            {"lithium": Flow(law)}, holds=holds,
        )
    )  # fmt: skip
    time, dt = 0.0, strain / rate / 200.0
    while time < 0.999 * strain / rate:
        dt = min(dt, strain / rate - time)
        system.advance(time + dt, dt)
        system.accept()
        time, dt = time + dt, 1.3 * dt
    return -monitors.reaction(system, "middle")[0] / H
