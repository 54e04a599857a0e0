"""Parts of tests: round pieces of lithium in an electrolyte that are plated onto."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bodies import core_and_ring, length, material
from mpi4py import MPI
from ssbmech.coupled.plating import Plating, PlatingModel
from ssbmech.domain import distribute
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.lithium.problem import BodyProblem, Flow, Hold
from ssbmech.materials.flow import Norton, Plastic
from ssbmech.meshes.restrict import nodes_of, restrict

UM = 1e-6
LITHIUM, LLZO = (7.8e9, 0.38), (150e9, 0.257)
KAPPA = 0.046  # S/m
Z = 1e-3  # ohm m^2
#: Lithium that never flows, lithium that is a liquid on every time scale, and bulk lithium.
ELASTIC, LIQUID = Plastic(1e15), Norton(1e-6, 1.0)
BULK = Norton(6.7e-3 * 1e-6**6.6, 6.6)
LINEAR = Electrode("li", ("interface",), "linear", resistance=Z, coupled=True)
BUTLER_VOLMER = Electrode("li", ("interface",), "butler_volmer", i0=25.0, coupled=True)
COUNTER = Electrode("counter", ("right",), "none", potential=None, current_density=1.0)
HELD = (Hold("bottom", {1: length(0.0)}), Hold("top", {0: length(0.0)}))
#: h -> mesh; they take a second each.
_meshes = {}


def parts(data, growth=None, comm=MPI.COMM_WORLD, conducting="electrolyte"):
    """Whole body and electrolyte on all ranks, and the node numbers of the latter."""
    held = None
    if comm.rank == 0:
        held = restrict(data, [conducting]), nodes_of(data, [conducting]), np.ptp(data.points, 0)
    part, nodes, size = comm.bcast(held)
    unit = float(size.max()) * UM
    whole = distribute(comm, data if comm.rank == 0 else None, length=unit)
    return whole, distribute(comm, part if comm.rank == 0 else None, length=unit), nodes


def ball(
    model="axisymmetric", law=LIQUID, *, h=0.15, inner=1.0, outer=4.0, electrode=LINEAR, E=LLZO,
    finite=False, **more,
):  # fmt: skip
    """A round piece of lithium in an electrolyte whose outer side is free."""
    key = inner, outer, h
    if key not in _meshes and MPI.COMM_WORLD.rank == 0:
        _meshes[key] = core_and_ring(inner, outer, h, names=("lithium", "electrolyte"))
    whole, domain, nodes = parts(_meshes.get(key))
    body = BodyProblem(
        whole, model, {"lithium": material(*LITHIUM), "electrolyte": material(*E)},
        flows={"lithium": Flow(law, finite)}, holds=HELD, growth={"interface": "lithium"},
    )  # fmt: skip
    ions = ElectricProblem(
        domain, model, {"electrolyte": KAPPA}, (electrode, replace(COUNTER)), nodes=nodes
    )
    return Plating(body, ions, ("li",), **more)


def run(problem, drive, dts, each=None):
    """A model after steps; ``each(model, trial)`` is called after every one."""
    model, t = PlatingModel(problem), 0.0
    for dt in dts:
        t += dt
        trial = model.advance(t, dt, drive)
        model.accept()
        if each is not None:
            each(model, trial)
    return model


def stiffness(model, inner=1.0, outer=4.0, E=LLZO, liquid=False):
    """Pressure per thickness [Pa/m] of a sphere or cylinder (E1, E2 in a matrix of finite size)."""
    (Ei, ni), (Em, nm) = LITHIUM, E
    K, G, Gm = Ei / (3 * (1 - 2 * ni)), Ei / (2 * (1 + ni)), Em / (2 * (1 + nm))
    a, b = inner, outer
    if model == "axisymmetric":
        wall = ((1 - 2 * nm) * a**3 + (1 + nm) * b**3 / 2) / (Em * (b**3 - a**3))
        own = 1 / (3 * K)
    else:
        wall = ((1 - 2 * nm) * a**2 + b**2) / (2 * Gm * (b**2 - a**2))
        own = 1 / (2 * K) if liquid else 1 / (2 * (K + G / 3))
    return 1 / ((own + wall) * inner * UM)


PER_CHARGE = LITHIUM_MOLAR_VOLUME / FARADAY
