"""Comparison (c): lithium that conforms to a slit against the thin-filament model of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bodies import block, length, material, pressure
from mpi4py import MPI
from plated import BULK, LITHIUM, LLZO, PER_CHARGE, UM, parts
from ssbmech import mesh_stage, transient
from ssbmech.config_load import case_from
from ssbmech.coupled.plating import Plating, PlatingModel
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.fracture.porz import FARADAY, GAS_CONSTANT
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.numerics.stepping import Drive
from ssbmech.problem import SurfaceLoad

pytestmark = pytest.mark.verification

#: Depth, half of the width, size of the body, thickness of the lithium outside [um].
A, H, WIDTH, HEIGHT, OUTSIDE = 6.0, 0.4, 24.0, 20.0, 4.0
STEPS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.5, 0.75, 1.0, 1.0, 1.5)
STACK, CURRENT, KAPPA, ASR = 3e6, 10.0, 0.046, 1e-3
B = 2.0e4 * np.exp(-37e3 / (GAS_CONSTANT * 298.15)) * 1e-6**6.6


def graded(*pieces):
    """Places along an axis from (end, smallest size at the start, growth of the size)."""
    out = [pieces[0]]
    for end, size, growth in pieces[1:]:
        start, steps = out[-1], [size]
        while sum(steps) < end - start:
            steps.append(steps[-1] * growth)
        steps = np.cumsum(steps)
        out += list(start + steps * (end - start) / steps[-1])
    return np.array(out)


def conforming():
    back = -graded(0.0, (OUTSIDE, 0.12, 1.4))[::-1]
    x = np.concatenate([back, graded(0.0, (A / 2, 0.12, 1.25))[1:],
                        A - graded(0.0, (A / 2, 0.12, 1.25))[-2::-1],
                        graded(A, (WIDTH, 0.12, 1.4))[1:]])  # fmt: skip
    y = np.concatenate([H - graded(0.0, (H, 0.03, 1.5))[::-1], graded(H, (HEIGHT, 0.05, 1.4))[1:]])
    low, long = x[0], x[-1] - x[0]

    def place(p):
        return np.column_stack([low + long * p[:, 0], HEIGHT * p[:, 1]])

    def group(c):
        at = place(c)
        return (at[:, 0] > 0) & ~((at[:, 0] < A) & (at[:, 1] < H))

    data = block(
        len(x) - 1, len(y) - 1, place=place, group=group, names=("lithium", "electrolyte"),
        x=(x - low) / long, y=y / HEIGHT, inside="interface",
    )  # fmt: skip
    whole, domain, nodes = parts(data if MPI.COMM_WORLD.rank == 0 else None)
    body = BodyProblem(
        whole, "plane_strain", {"lithium": material(*LITHIUM), "electrolyte": material(*LLZO)},
        flows={"lithium": Flow(type(BULK)(B, 6.6))}, growth={"interface": "lithium"},
        loads=(Load(SurfaceLoad("left", pressure=pressure(STACK))),),
        holds=(Hold("right", {0: length(0.0)}), Hold("bottom", {1: length(0.0)})),
    )  # fmt: skip
    i0 = GAS_CONSTANT * 298.15 / FARADAY / ASR
    ions = ElectricProblem(
        domain, "plane_strain", {"electrolyte": KAPPA},
        (Electrode("li", ("interface",), "butler_volmer", i0=i0, coupled=True),
         Electrode("counter", ("right",), "none", potential=None, current_density=1.0)),
        nodes=nodes,
    )  # fmt: skip
    model = PlatingModel(Plating(body, ions, ("li",)))
    march(model)
    at, s = model.places() / UM, model.state
    on = (np.abs(at[:, 1] - H) < 1e-9) & (at[:, 0] > 0.3)
    order = np.argsort(at[on, 0])
    return at[on, 0][order], -s.stress[on][order] * 1e-6, s.density[on][order], s.voltage


def march(model):
    time = 0.0
    for dt in STEPS:
        time += dt
        model.advance(time, dt, Drive(current_density=CURRENT))
        model.accept()


def film():
    case = case_from(
        {
            "geometry": {"type": "edge", "a": f"{A} um", "width": f"{WIDTH} um",
                         "height": f"{2 * HEIGHT} um", "symmetry": "y", "growth": 0.15},
            "materials": {"electrolyte": {"E": "150 GPa", "nu": 0.257}},
            "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
            "electrode": [
                {"group": ["interface", "crack_upper"], "kinetics": "butler_volmer",
                 "area_specific_resistance": "10 ohm*cm^2"},
                {"group": "right", "kinetics": "none"},
            ],
            "constraint": [{"group": "right", "u": {"x": "0 um"}}],
            "thin_filament": {"thickness": f"{2 * H} um", "mouth": "open",
                              "mouth_pressure": "3 MPa"},
            "step": [{"do": "plate", "current_density": "1 mA/cm^2", "duration": "20 s"}],
        }
    )  # fmt: skip
    held = []
    domain, meshed = mesh_stage.make_domain(
        case, Path(), MPI.COMM_WORLD, None, lambda text: None, held
    )
    _, subject, _ = transient.make_subject(
        case, Path(), MPI.COMM_WORLD, held[0] if held else None, domain, meshed
    )  # fmt: skip
    march(subject.model)
    table = {name: np.asarray(column) for name, column in subject.profiles()["filament"].items()}
    order = np.argsort(table["x [um]"])
    x, p, J = (table[n][order] for n in ("x [um]", "pressure [MPa]", "current_density [mA/cm^2]"))
    return x, p, J * 10.0, subject.model.state.phi


def test_thin_film_and_conforming_lithium(page):
    check = page(
        "plating_film", "Thin-filament model against conforming lithium",
        problem=f"A flaw {A:g} um deep and {2 * H:g} um wide in LLZO, full of bulk lithium "
        "(q^6.6), open to lithium under 3 MPa, plated at 1 mA/cm^2 until the pressure is steady.",
        reference="one another: flow between walls and elasticity of a crack, against finite "
        "elements of the lithium; away from the mouth and the end, where the flow turns",
    )  # fmt: skip
    x, p, J, voltage = conforming()
    xf, pf, Jf, phi = film()
    at = np.linspace(1.0, A - 1.0, 9)
    rise, rise_film = (np.interp(at, *c) - np.interp(1.0, *c) for c in ((x, p), (xf, pf)))
    check.within("rise of the pressure from 1 um behind the mouth on", rise_film, rise, 0.05,
                 unit="MPa", why="5 %: ends of a slit of 1 to 7.5")  # fmt: skip
    check.within("current density at the walls", np.interp(at, xf, Jf), np.interp(at, x, J), 0.05,
                 unit="A/m^2", why="5 %: the film has no width in the electrolyte")  # fmt: skip
    # the flat lithium of the film bears no pressure, that of the body the stack's
    check.within("voltage", phi, voltage + STACK * PER_CHARGE, 0.01, unit="V", why="1 %")
    check.plot("x [um]", "pressure [MPa]", {"conforming": (x, p), "thin film": (xf, pf)})
