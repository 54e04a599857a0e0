"""Run by test_thin_filament.py on 1 and 3 ranks: prints what the condensed film gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from ssbmech import build_electro
from ssbmech.config_load import case_from
from ssbmech.config_transient import driven_case
from ssbmech.filament.stage import make
from ssbmech.mesh_stage import make_domain
from ssbmech.numerics.stepping import Drive
from ssbmech.parallel import on_root
from ssbmech.programme import programme
from ssbmech.subject import Setting

CASE = {
    "geometry": {
        "type": "edge", "a": "10 um", "width": "50 um", "height": "100 um",
        "quarter_point": True, "growth": 0.2,
    },
    "materials": {"electrolyte": "LLZO"},
    "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
    "load": [
        {"group": "top", "pressure": "3 MPa"}, {"group": "bottom", "pressure": "3 MPa"},
    ],
    "electrode": [
        {"group": ["interface", "crack_lower", "crack_upper"], "kinetics": "butler_volmer",
         "area_specific_resistance": "5 ohm*cm^2"},
        {"group": "right", "kinetics": "none"},
    ],
    "thin_filament": {"thickness": "5 nm", "filled": "6 um", "mouth_pressure": "1 MPa"},
    "step": [{"do": "plate", "current_density": "1 mA/cm^2", "duration": "1 h"}],
}  # fmt: skip


def subject(loads: bool = False, **electrode: object) -> tuple:
    """The subject of the case, with keys of its lithium electrode replaced; its electric problem.

    Without ``loads`` there are none, and lithium is everywhere.
    """
    comm = MPI.COMM_WORLD
    lithium, counter = CASE["electrode"]
    given = {**CASE, "electrode": [{**lithium, **electrode}, counter]}
    if not loads:
        given = {**given, "load": [], "thin_filament": {"thickness": "5 nm"}}
    case = case_from(given)
    held: list = []
    domain, meshed = make_domain(case, Path(), comm, None, lambda text: None, held)
    data = held[0] if held else None
    made = make(
        Setting(
            case, Path(), comm, data, domain, meshed.setup, meshed.matter,
            programme(case.time, case.step), lambda text: None,
        )
    )  # fmt: skip
    alone = made.ions.tool.system.problem
    setup = on_root(comm, lambda: build_electro.prepare(driven_case(case), Path(), data)[0])
    return made, replace(alone, electrodes=setup.electrodes)


def main() -> None:
    """Condense, take 12 steps, print numbers as JSON on rank 0."""
    comm = MPI.COMM_WORLD
    made, _ = subject(loads=True)
    model, problem = made.model, made.problem
    time, dt = 0.0, 0.25
    for _ in range(12):
        trial = model.advance(time + dt, dt, Drive(current_density=10.0))
        model.accept()
        time, dt = time + dt, dt * 1.1
    state = model.save()
    if comm.rank > 0:
        assert state == {}
        return
    found = {
        "area": problem.network.area,
        "C": problem.elastic.compliance,
        "K": problem.elastic.K["K_I"],
        "opening": problem.elastic.opening,
        "R": problem.electric.resistance,
        "p": model.state.p,
        "m": model.state.m,
        "J": model.derived.plating,
        "voltage": trial.monitors["voltage"],
        "K_I": trial.monitors["K_I"],
        "capacity": trial.monitors["capacity"],
    }
    print(json.dumps({k: np.asarray(v).tolist() for k, v in found.items()}))


if __name__ == "__main__":
    main()
