"""Cells with contact and current for tests: a case as a dictionary, the model that comes of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mpi4py import MPI
from ssbmech import build, mesh_stage
from ssbmech.config import Case
from ssbmech.config_load import case_from
from ssbmech.coupled.stripping_stage import StrippingSubject, make
from ssbmech.numerics.march import march
from ssbmech.programme import programme

#: A flat cell of 20 um x (10 um lithium + 20 um electrolyte), elastic lithium.
FLAT: dict[str, Any] = {
    "geometry": {"type": "cell", "width": "8 um", "electrolyte": "6 um", "lithium": "4 um",
                 "symmetry": "x", "h_max": "1 um", "model": "plane_strain"},
    "materials": {
        "electrolyte": "LLZO",
        "lithium": {"set": "Li", "flow": {"law": "norton"}},
    },
    "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
    "electrode": [
        {"group": ["li_sse"], "kinetics": "linear", "area_specific_resistance": "5 ohm*cm^2"},
        {"group": "cathode_plane", "kinetics": "none"},
    ],
    "stack": {"pressure": "2 MPa"},
    "contact": {},
    "constraint": [{"group": "right", "u": {"x": "0 um"}}],
    "time": {"first_step": "1 s", "largest_step": "20 s"},
    "step": [{"do": "strip", "current_density": "1 mA/cm^2", "duration": "100 s"}],
}  # fmt: skip


def changed(base: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A case with other values: dictionaries are merged, everything else is replaced."""
    found = copy.deepcopy(base)
    for key, value in parts.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = changed(found[key], **value)
        elif value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def subject_of(data: dict[str, Any], comm: Any = MPI.COMM_WORLD) -> tuple[Case, StrippingSubject]:
    """The model of a case."""
    case = case_from(data)
    held: list[Any] = []
    domain, meshed = mesh_stage.make_domain(case, Path(), comm, None, lambda text: None, held)
    assert build.partitioned_mesh(case, Path()) is None
    made = make(
        case, Path(), comm, held[0] if held else None, domain, meshed.setup, meshed.matter,
        programme(case.time, case.step), lambda text: None,
    )  # fmt: skip
    return case, made


def run(data: dict[str, Any], comm: Any = MPI.COMM_WORLD) -> tuple[StrippingSubject, list[Any]]:
    """March through the programme; the model at its end and all steps."""
    case, subject = subject_of(data, comm)
    p = programme(case.time, case.step)
    steps: list[Any] = []
    march(subject.model, p.phases, p.options, events=p.events, on_step=steps.append)
    return subject, steps
