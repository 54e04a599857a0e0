"""A rough front under current, that creeps and feels its stress, on any number of ranks."""

import sys

import bodies
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from ssbmech.interphase.stress import DrivingForce
from ssbmech.numerics.stepping import Drive
from ssbmech.physics.diffuse_front import profile
from ssbmech.problem import Problem
from ssbmech.reaction_front.mechanics import FrontMechanics
from ssbmech.reaction_front.model import FrontModel, Stress
from ssbmech.reaction_front.problem import FrontProblem, Product, Transport
from test_front_stress import HELD, SIZE, UM, strip

if __name__ == "__main__":
    comm = MPI.COMM_WORLD
    width = 0.25
    domain = bodies.on(comm, strip(50, 20, 4.0), SIZE)
    body = Problem(domain, "plane_strain", {"electrolyte": bodies.material(80e9, 0.25)},
                   constraints=HELD)  # fmt: skip
    space = fem.functionspace(domain.mesh, ("Lagrange", 1))
    x = space.tabulate_dof_coordinates() * SIZE
    product = Product(120e9, 0.3, np.eye(3) * 0.01, 1e13)
    mechanics = FrontMechanics(body, product, fem.Function(space), width * UM)
    transport = Transport(1.5, 5e-2, 5e-3, 2e-10, 1e-3, {"electrolyte": 1e-3}, 1e-4)
    start = profile(x[:, 1] - 2.5 - 0.3 * np.cos(x[:, 0] * np.pi / 4.0), width)
    problem = FrontProblem(domain, "plane_strain", transport, ("bottom",), ("top",), start,
                           width * UM)  # fmt: skip
    model = FrontModel(problem, Stress(mechanics, DrivingForce(2e4, 40e-6), 50e6))
    rows = []
    for k in range(1, 6):
        trial = model.advance(4.0 * k, 4.0, Drive(current_density=50.0))
        model.accept()
        rows.append(trial.monitors)
    kept = model.save()
    front = model.front()
    if comm.rank == 0:
        monitors = {name: [row[name] for row in rows] for name in rows[0]}
        np.savez(
            sys.argv[1], **monitors, fields=kept["front/fields"], flow=kept["front/flow"],
            line=np.sort(front.places.reshape(-1, 2), axis=0),
        )  # fmt: skip
