"""Run by test_thin_filament_3d.py on 1 and 3 ranks: prints what a half-penny's film gives."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI
from ssbmech.config_load import case_from
from ssbmech.filament.stage import make
from ssbmech.mesh_stage import make_domain
from ssbmech.numerics.stepping import Drive
from ssbmech.programme import programme
from ssbmech.subject import Setting

CASE = {
    "geometry": {
        "type": "semi_ellipse", "a": "10 um", "c": "10 um", "thickness": "60 um",
        "half_width": "60 um", "sectors": 5, "h_front": "1 um",
    },
    "materials": {"electrolyte": "LLZO"},
    "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
    "load": [{"group": "top", "pressure": "3 MPa"}],
    "electrode": [
        {"group": ["interface", "crack_upper"], "kinetics": "butler_volmer",
         "area_specific_resistance": "5 ohm*cm^2"},
        {"group": "back", "kinetics": "none"},
    ],
    "thin_filament": {"thickness": "5 nm", "filled": "6 um", "mouth_pressure": "1 MPa"},
    "step": [{"do": "plate", "current_density": "1 mA/cm^2", "duration": "1 h"}],
}  # fmt: skip


def subject(method: str = "auto"):
    """The subject of the case; ``method`` solves the body."""
    comm = MPI.COMM_WORLD
    case = case_from({**CASE, "solver": {"method": method}})
    held: list = []
    domain, meshed = make_domain(case, Path(), comm, None, lambda text: None, held)
    data = held[0] if held else None
    return make(
        Setting(
            case, Path(), comm, data, domain, meshed.setup, meshed.matter,
            programme(case.time, case.step), lambda text: None,
        )
    )  # fmt: skip


def main() -> None:
    """Condense, take 12 steps, print numbers as JSON on rank 0."""
    comm = MPI.COMM_WORLD
    made = subject(sys.argv[1] if len(sys.argv) > 1 else "auto")
    model, problem = made.model, made.problem
    time, dt = 0.0, 0.05
    defects = []
    for _ in range(12):
        trial = model.advance(time + dt, dt, Drive(current_density=10.0))
        model.accept()
        time, dt = time + dt, dt * 1.2
        defects.append(trial.monitors["mass_defect"])
    kept = model.save()
    if comm.rank > 0:
        assert kept == {}
        return
    found = {
        "points": problem.network.points,
        "area": problem.network.area,
        "C": problem.elastic.compliance,
        "K": problem.elastic.K["K_I"],
        "K_loads": problem.elastic.K_loads["K_I"],
        "opening": problem.elastic.opening,
        "R": problem.electric.resistance,
        "p": model.state.p,
        "m": model.state.m,
        "J": model.derived.plating,
        "voltage": trial.monitors["voltage"],
        "K_I": trial.monitors["K_I"],
    }
    out = {k: np.asarray(v).tolist() for k, v in found.items()}
    out["mass_defect"], out["charge"] = max(defects), trial.monitors["current_density"] / 10.0 - 1
    out["method"] = made.body.method
    print(json.dumps(out))


if __name__ == "__main__":
    main()
