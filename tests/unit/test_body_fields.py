"""Stresses in the pictures of a body: true stresses, which a rotation only turns."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))

from bodies import block, material, on
from mpi4py import MPI
from ssbmech.coupled.body_fields import BodyFields
from ssbmech.formula import Formula
from ssbmech.lithium.problem import BodyProblem, Flow, Hold
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Plastic

#: Stretches that do not yield below the strength given, their volume ratio.
STRETCH = np.diag([1.02, 0.95])


def stretched(folder, degrees):
    """Vertex stresses [Pa] of a block under a uniform stretch that is turned, (n, 3, 3)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    H = np.array([[c, -s], [s, c]]) @ STRETCH - np.eye(2)
    rows = {
        i: Formula.parse(
            f"{float(H[i, 0])!r} * x + {float(H[i, 1])!r} * y", "length", ("x", "y", "z")
        )
        for i in range(2)
    }
    mesh = on(MPI.COMM_SELF, block(2, 2, place=lambda p: p * 10), 10.0)
    holds = tuple(Hold(side, rows) for side in ("left", "right", "top", "bottom"))
    law = Plastic(1e12)
    body = BodySystem(
        BodyProblem(
            mesh, "plane_strain", {"lithium": material()}, {"lithium": Flow(law, True)}, holds=holds
        )
    )
    body.advance(1.0, 1.0)
    body.accept()
    fields = BodyFields(folder, body)
    fields.write(1.0)
    fields.close()
    get = {name: f.x.array * 1e6 for name, f in fields._scalars.items()}
    stress = np.zeros((len(get["stress_xx_MPa"]), 3, 3))
    for i, j, name in ((0, 0, "xx"), (1, 1, "yy"), (2, 2, "zz"), (0, 1, "xy")):
        stress[:, i, j] = stress[:, j, i] = get[f"stress_{name}_MPa"]
    return stress


@pytest.mark.parametrize("degrees", [0.0, 25.0])
def test_true_stress_of_a_turned_stretch(tmp_path, degrees):
    """sigma = R [2 mu dev ln U + K ln J 1] R^T/J with Hencky's law, plane strain."""
    E, nu = 7.8e9, 0.38
    found = stretched(tmp_path, degrees)
    log = np.diag([*np.log(np.diag(STRETCH)), 0.0])
    J, volume = np.linalg.det(STRETCH), np.trace(log)
    mu, K = E / (2 * (1 + nu)), E / (3 * (1 - 2 * nu))
    sigma = (2 * mu * (log - volume / 3 * np.eye(3)) + K * volume * np.eye(3)) / J
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    exact = R @ sigma @ R.T
    assert np.abs(found - exact).max() < 1e-8 * np.abs(exact).max()
