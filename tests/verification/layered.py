"""Parts of tests: a flat cell with lithium, electrolyte and a reaction layer; runs on any ranks.

As a script, ``python layered.py out.json``: a history in time, from rank 0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI
from scipy.integrate import solve_ivp
from ssbmech import mesh_stage, transient
from ssbmech.config_load import case_from
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.run import compute

#: Thickness of the electrolyte [m], its conductivity, own resistance, conductivities of the layer.
H, KAPPA, Z, S_I, S_E = 20e-6, 0.046, 5e-4, 1e-4, 1e-8
STACK = 1e6
#: Driving force [V], volume per charge [m^3/C], resistance of the reaction [ohm m^2].
U, V_LI, R = 1.5, 20e-6 / FARADAY, 10.0
SHIFT = STACK * LITHIUM_MOLAR_VOLUME / FARADAY
PARABOLIC = {"law": "parabolic", "growth_constant": "1e-18 m^2/s"}
MIEC = {
    "law": "miec", "reduction_potential": f"{U} V", "volume_per_lithium": "20 cm^3/mol",
    "electronic_conductivity": "1e-10 S/cm", "reaction_resistance": "1e5 ohm*cm^2",
}  # fmt: skip
WINDOW = {k: v for k, v in MIEC.items() if k != "law"} | {
    "law": "window", "oxidation_potential": "4 V",
}  # fmt: skip
PLATE = {"do": "plate", "current_density": "0.1 mA/cm^2", "duration": "20 min"}
REST = {"do": "rest", "duration": "10 min"}
STRIP = {"do": "strip", "current_density": "0.1 mA/cm^2", "duration": "10 min"}
HOLD = {"do": "hold", "potential": "-5 mV", "duration": "20 min"}


def electrodes(kinetics="linear", **more):
    own = {} if kinetics == "none" else {"area_specific_resistance": f"{Z} ohm*m^2"}
    lithium = {"group": "li_sse", "kinetics": kinetics, "layer": True, **own, **more}
    return [lithium, {"group": "cathode_plane", "kinetics": "none"}]


def planar(interphase, steps=None, *, drive=None, kinetics="linear", both=False, **more):
    """A flat cell: steady with ``drive`` of the counter electrode, in time with ``steps``.

    ``both``: lithium with its layer on the other side too.
    """
    e = electrodes(kinetics)
    if both:
        e[1] = {**e[0], "group": "cathode_plane"}
    data = {
        "geometry": {"type": "cell", "model": "plane_strain", "width": "20 um",
                     "electrolyte": "20 um", "lithium": "10 um", "h_max": "10 um"},
        "materials": {"electrolyte": {"E": "150 GPa", "nu": 0.257}, "lithium": {"set": "Li"}},
        "electrochemistry": {"conductivity": {"electrolyte": f"{KAPPA} S/m"}},
        "electrode": e,
        "output": {"figures": False, "fields": False},
        **more,
    }  # fmt: skip
    if interphase is None:
        e[0].pop("layer")
    else:
        data["interphase"] = {"ionic_conductivity": f"{S_I} S/m", **interphase}
    if steps is None:
        e[1] |= drive
        return case_from(data)
    data["materials"]["lithium"]["flow"] = {"law": "norton"}
    held = [("cathode_plane", "y"), ("left", "x"), ("right", "x")]
    data |= {
        "constraint": [{"group": g, "u": {axis: "0 um"}} for g, axis in held],
        "stack": {"pressure": f"{STACK} Pa", "group": "bottom"},
        "step": steps,
    }
    return case_from(data)


def touching(interphase, resistance=Z, both=False):
    """A flat cell whose lithium is pressed to the electrolyte and stripped, with the current."""
    lithium = {"group": "li_sse", "kinetics": "linear",
               "area_specific_resistance": f"{resistance} ohm*m^2"}  # fmt: skip
    data = {
        "geometry": {"type": "cell", "model": "plane_strain", "width": "20 um",
                     "electrolyte": "20 um", "lithium": "10 um", "h_max": "10 um"},
        "materials": {"electrolyte": {"E": "150 GPa", "nu": 0.257},
                      "lithium": {"set": "Li", "flow": {"law": "norton"}}},
        "electrochemistry": {"conductivity": {"electrolyte": f"{KAPPA} S/m"}},
        "electrode": [lithium, {"group": "cathode_plane", "kinetics": "none"}],
        "constraint": [{"group": g, "u": {"x": "0 um"}} for g in ("left", "right")],
        "stack": {"pressure": f"{STACK} Pa", "kind": "dead", "group": "bottom"},
        "contact": {"group": "li_sse"},
        "time": {"first_step": "1 s", "tolerance": 1e-2},
        "step": [{**STRIP, "duration": "30 s"}, {**REST, "duration": "10 s"}],
        "output": {"figures": False, "fields": False},
    }  # fmt: skip
    if interphase is not None:
        lithium["layer"] = True
        data["interphase"] = {"ionic_conductivity": f"{S_I} S/m", **interphase}
    if both:
        data["electrode"][1] = {**lithium, "group": "cathode_plane"}
    return case_from(data)


def history(case):
    """Columns of a run in time, SI, and its summary."""
    result = compute(case)
    return result.transient.march.history.columns(), result.summary["transient"]


def model_of(case):
    """The model of a case in time, in its initial state."""
    held = []
    domain, meshed = mesh_stage.make_domain(
        case, Path(), MPI.COMM_WORLD, None, lambda text: None, held
    )
    data = held[0] if held else None
    return transient.make_subject(case, Path(), MPI.COMM_WORLD, data, domain, meshed)[1].model


def integrated(rate, times, start=0.0):
    """Thickness [m] at rising times [s], by an integrator of eighth order."""
    found = solve_ivp(
        lambda t, d: [1e9 * rate(t, 1e-9 * d[0])], (0.0, times[-1]), [1e9 * start], "DOP853",
        t_eval=times, rtol=1e-12, atol=1e-12, max_step=times[-1] / 50,
    )  # fmt: skip
    return 1e-9 * found.y[0]


def miec_rate(delta, i):
    """d(delta)/dt [m/s] of a two-carrier layer under a plating current density [A/m^2]."""
    s_a = S_I * S_E / (S_I + S_E)
    return V_LI * (U + i * (Z + delta / S_I)) / (R + Z + delta / s_a)


def phases(rate, h, currents):
    """Thickness at all times of a history whose phases have constant currents [A/m^2]."""
    out, start, begin = np.empty(len(h["time"])), 0.0, 0.0
    for number, i in enumerate(currents, 1):
        mine = h["phase"] == number
        times = h["time"][mine] - begin
        out[mine] = integrated(lambda t, d, i=i: rate(d, i), times, start)
        start, begin = out[mine][-1], h["time"][mine][-1]
    return out


if __name__ == "__main__":
    steps = [{**step, "duration": "30 s"} for step in (PLATE, REST, HOLD)]
    columns, _ = history(planar(MIEC, steps, kinetics="butler_volmer"))
    if MPI.COMM_WORLD.rank == 0:
        Path(sys.argv[1]).write_text(json.dumps({k: v.tolist() for k, v in columns.items()}))
