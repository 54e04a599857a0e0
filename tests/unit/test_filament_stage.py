"""What a case with [thin_filament] may be, on a coarse mesh."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from mpi4py import MPI
from ssbmech.config_load import case_from
from ssbmech.errors import SsbmechError
from ssbmech.filament.stage import make
from ssbmech.mesh_stage import make_domain
from ssbmech.numerics.stepping import Drive
from ssbmech.programme import programme
from ssbmech.subject import Setting

EDGE = {"type": "edge", "a": "10 um", "width": "40 um", "symmetry": "y", "h_tip": "1 um",
        "growth": 0.5}  # fmt: skip
LITHIUM = {"group": ["interface", "crack_upper"], "kinetics": "butler_volmer",
           "area_specific_resistance": "5 ohm*cm^2"}  # fmt: skip
COUNTER = {"group": "right", "kinetics": "none"}


def subject(electrode=(LITHIUM, COUNTER), geometry=EDGE, materials=None, load=(), **block):
    case = case_from(
        {
            "geometry": geometry,
            "materials": materials or {"electrolyte": "LLZO"},
            "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
            "electrode": list(electrode),
            "load": list(load),
            "step": [{"do": "plate", "current_density": "1 mA/cm^2", "duration": "1 h"}],
            "thin_filament": block,
        }
    )
    held: list = []
    domain, meshed = make_domain(case, Path(), MPI.COMM_WORLD, None, lambda text: None, held)
    return make(
        Setting(
            case, Path(), MPI.COMM_WORLD, held[0], domain, meshed.setup, meshed.matter,
            programme(case.time, case.step), lambda text: None,
        )
    )  # fmt: skip


def test_what_is_reported():
    made = subject(critical={"sizes": ["20 um"], "hold": "100 s"})
    table = made.profiles()["filament"]
    assert {"s [um]", "pressure [MPa]", "opening [nm]", "lithium [nm]"} <= set(table)
    assert table["s [um]"][0] == 0.0 and table["s [um]"][-1] == pytest.approx(10.0)
    missing, size, unit = made.balances()["lithium in the filament"]
    assert missing == 0.0 and size > 0 and unit == "m^2"
    assert made.limits.K_IC == made.problem.toughness
    results = made.results()
    (row,) = results["critical_currents"]
    assert row["flaw_size_um"] == pytest.approx(20.0)
    assert row["current_density_mA_cm2"] > 0
    assert results["critical_overpotential_if_uniform_mV"] == pytest.approx(
        results["critical_pressure_if_uniform_MPa"] * 0.13474, rel=1e-3
    )
    assert made.record()["asymmetry_opening"] < 1e-12


def test_fields_are_those_of_the_film(tmp_path):
    made = subject(load=[{"group": "top", "traction": {"y": "5 MPa"}}])
    model = made.model
    for k in range(3):
        model.advance(k + 1.0, 1.0, Drive(current_density=20.0))
        model.accept()
    tool, area = made.body.tool, made.problem.network.area
    system = tool.loaded(model.state.p, made.loaded)
    opening = made.body.sides * tool.openings(SimpleNamespace(u=system.uh)) / area
    assert opening + made.problem.thickness == pytest.approx(model.derived.w, rel=1e-8)
    ions = made.ions.tool
    phi = ions.potential(model.derived.plating)
    first = ions.surfaces[0]
    e = made.problem.electric
    mean = first.potentials(phi) * ions.system.problem.area_scale / e.area[: first.count]
    expected = -(e.resistance @ model.derived.plating)[: first.count]
    assert mean * e.voltage == pytest.approx(expected, rel=1e-8)
    writer = made.fields(tmp_path)
    writer.write(0.0)
    writer.write(model.time)
    writer.close()
    assert {"body.pvd", "electrolyte.pvd"} <= {p.name for p in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"electrode": ({**LITHIUM, "group": "interface"}, COUNTER)},
         "face 'crack_upper' of the filament, and it belongs to no electrode"),
        ({"electrode": ({**LITHIUM, "group": "interface"}, {**COUNTER, "group": ["right",
          "crack_upper"]})}, "belongs to the counter electrode"),
        ({"electrode": ({**LITHIUM, "group": "crack_upper"}, COUNTER)},
         r'meets no other lithium surface.*mouth = "sealed"'),
        ({"electrode": (LITHIUM, {**LITHIUM, "group": "right"})},
         "counter electrode of a thin filament is linear.*Allowed: linear, none"),
        ({"electrode": ({"group": ["interface", "crack_upper"], "kinetics": "none"}, COUNTER)},
         "needs a resistance|infinite"),
        ({"lithium": "Lj"}, r"thin_filament.lithium: unknown material.*Did you mean 'Li'"),
        ({"faces": ["crack_uper"]}, "thin_filament.faces.*Did you mean 'crack_upper'"),
    ],
)  # fmt: skip
def test_refused(given, words):
    with pytest.raises((SsbmechError, ValueError), match=words):
        subject(**given)
