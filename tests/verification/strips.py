"""Cells with contact and current for tests: a case as a dictionary, the model that comes of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mpi4py import MPI
from ssbmech import mesh_stage
from ssbmech.config import Case
from ssbmech.config_load import case_from
from ssbmech.coupled.stripping_stage import StrippingSubject, make
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Drive, Outcome, Step, Trial
from ssbmech.programme import programme
from ssbmech.subject import Setting

#: Half of a flat cell, 4 um wide: 4 um of lithium under 6 um of LLZO.
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


def electrodes(resistance: str, *groups: str, kinetics: str = "linear") -> list[dict[str, Any]]:
    """A lithium electrode on some groups against a counter electrode without kinetics."""
    lithium = {"group": list(groups), "kinetics": kinetics, "area_specific_resistance": resistance}
    return [lithium, {"group": "cathode_plane", "kinetics": "none"}]


#: A hemispherical void of 0.25 um under the electrolyte, in a body of revolution.
VOID = changed(
    FLAT,
    geometry={"width": "4 um", "electrolyte": "2 um", "lithium": "1.5 um", "h": "0.03 um",
              "h_max": "0.3 um", "model": "axisymmetric",
              "void": [{"radius": "0.25 um", "height": "0.25 um"}]},
    electrode=electrodes("5 ohm*cm^2", "li_sse", "void_sse"),
    stack={"pressure": "0.1 MPa"},
)  # fmt: skip

#: An insulating speck, 3 um wide, between lithium and electrolyte.
BLOCKED = changed(
    FLAT,
    geometry={"width": "20 um", "electrolyte": "10 um", "lithium": "8 um", "h_max": "2 um",
              "impurity": [{"radius": "1.5 um"}]},
    time={"first_step": "0.5 s", "largest_step": "40 s", "stop_at": ["contact_lost"]},
)  # fmt: skip


def norton(exponent: float, prefactor: float) -> dict[str, Any]:
    """A power law, prefactor in MPa^-n/s at room temperature."""
    return {"law": "norton", "exponent": exponent, "activation_energy": "0 kJ/mol",
            "prefactor": f"{prefactor} MPa^-{exponent:g}/s"}  # fmt: skip


def subject_of(data: dict[str, Any], comm: Any = MPI.COMM_WORLD) -> tuple[Case, StrippingSubject]:
    """The model of a case."""
    case = case_from(data)
    held: list[Any] = []
    domain, meshed = mesh_stage.make_domain(case, Path(), comm, None, lambda text: None, held)
    made = make(
        Setting(
            case, Path(), comm, held[0] if held else None, domain, meshed.setup, meshed.matter,
            programme(case.time, case.step), lambda text: None,
        )
    )  # fmt: skip
    return case, made


def run(
    data: dict[str, Any], comm: Any = MPI.COMM_WORLD
) -> tuple[StrippingSubject, list[Step], Outcome]:
    """March through the programme: the model at its end, all steps, how it ended."""
    case, subject = subject_of(data, comm)
    p = programme(case.time, case.step)
    steps: list[Step] = []
    outcome = march(subject.model, p.phases, p.options, events=p.events, on_step=steps.append)
    return subject, steps, outcome


def fixed(subject: StrippingSubject, dt: float, n: int, drive: Drive) -> list[Trial]:
    """Take equal steps."""
    start = subject.model.state.time
    found = []
    for k in range(n):
        found.append(subject.model.advance(start + (k + 1) * dt, dt, drive))
        subject.model.accept()
    return found


def amperes(density: float) -> Drive:
    """A current density [mA/cm^2], plating positive."""
    return Drive(current_density=10.0 * density)
