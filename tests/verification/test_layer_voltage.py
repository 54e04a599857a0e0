"""The resistance of a growing layer in the voltage: closed forms, independent integration."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from layered import (
    HOLD,
    KAPPA,
    MIEC,
    PARABOLIC,
    PLATE,
    REST,
    S_E,
    S_I,
    SHIFT,
    STACK,
    STRIP,
    V_LI,
    WINDOW,
    H,
    R,
    U,
    Z,
    history,
    integrated,
    miec_rate,
    model_of,
    phases,
    planar,
    touching,
)
from mpi4py import MPI
from scipy.optimize import brentq
from ssbmech.config_load import case_from
from ssbmech.domain import distribute
from ssbmech.electro.local import lattice, sample
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.solve import solve
from ssbmech.formula import Formula
from ssbmech.fracture.porz import FARADAY, GAS_CONSTANT
from ssbmech.meshes import catalog
from ssbmech.meshes.restrict import restrict
from ssbmech.numerics.stepping import Drive
from ssbmech.run import compute

pytestmark = pytest.mark.verification

RT_F = GAS_CONSTANT * 298.15 / FARADAY
DAY, K = 86400.0, 1e-18
NAME, PROBLEM = "Layer in the voltage", "flat cell, reaction layer on the lithium, i given or V"
SERIES = "V = i (H/kappa + Z + delta/s_i)"


def aged(interphase, **drive):
    return planar({**interphase, "age": "24 h"}, drive=drive)


def electric(case):
    table = compute(case).summary["electric"]
    return table, next(e["layer"] for e in table["electrodes"] if "layer" in e)


# -- steady --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kinetics", ["linear", "none", "butler_volmer"])
def test_aged_cell(page, kinetics):
    check = page("layer_voltage", NAME, problem=PROBLEM, reference=SERIES + ", delta^2 = 2 k t")
    i = 10.0
    case = planar(
        {**PARABOLIC, "age": "24 h"}, drive={"plating_current_density": "-1 mA/cm^2"},
        kinetics=kinetics,
    )  # fmt: skip
    table, layer = electric(case)
    delta = math.sqrt(2 * K * DAY)
    own = {"linear": i * Z, "none": 0.0, "butler_volmer": 2 * RT_F * math.asinh(i * Z / RT_F / 2)}
    exact = i * (H / KAPPA + delta / S_I) + own[kinetics]
    check.within("thickness", layer["thickness"]["value"] * 1e-6, delta, 1e-10, unit="m",
                 why="closed form")  # fmt: skip
    check.within(f"voltage, kinetics {kinetics}", table["voltage"]["value"] * 1e-3, exact, 1e-8,
                 unit="V", why="linear potential: exact")  # fmt: skip
    assert layer["voltage"]["value"] * 1e-3 == pytest.approx(-i * delta / S_I, rel=1e-8)
    assert layer["share"] == pytest.approx(i * delta / S_I / exact, rel=1e-8)


def test_aged_under_current(page):
    check = page("layer_voltage", NAME, problem=PROBLEM, reference=SERIES + ", delta integrated")
    grown = {**MIEC, "aging": "current"}
    for i, text in ((10.0, "-1 mA/cm^2"), (-10.0, "1 mA/cm^2")):
        table, layer = electric(aged(grown, plating_current_density=text))
        delta = integrated(lambda t, d, i=i: miec_rate(d, i), [DAY])[0]
        check.within(f"thickness after a day of {i:g} A/m^2", layer["thickness"]["value"] * 1e-6,
                     delta, 1e-9, unit="m", why="integrator at 1e-12")  # fmt: skip
        check.within("voltage", table["voltage"]["value"] * 1e-3,
                     i * (H / KAPPA + Z + delta / S_I), 1e-8, unit="V")  # fmt: skip
    # the current that a voltage drives depends on the layer, which depends on the current
    table, layer = electric(aged(grown, potential="0.2 V"))

    def gap(i):
        delta = integrated(lambda t, d: miec_rate(d, i), [DAY])[0]
        return i * (H / KAPPA + Z + delta / S_I) - 0.2

    i = brentq(gap, 1.0, 200.0, xtol=1e-10)
    check.within("current of 0.2 V through a layer that it let grow",
                 table["plating_current_density"]["value"] * -10.0, i, 1e-8, unit="A/m^2",
                 why="fixed point to 1e-11")  # fmt: skip


def test_series_at_every_point(page):
    """An uneven current: Butler-Volmer and the layer in series locally, not of the mean."""
    check = page(
        "layer_voltage", NAME, reference="harmonic potential, i(x) from it",
        problem="current that varies along the lithium as cos(kx), made by a stress along it",
    )  # fmt: skip
    width, h, i0, z, mean, wave = 20e-6, 10e-6, 5.0, 5e-3, 5.0, 4.0
    k = 2 * np.pi / width
    # phi = phi_0 - i/kappa y + A cos(kx) sinh(k (h - y))/sinh(kh), zero flux at the sides
    A = wave / (KAPPA * k / math.tanh(k * h))
    top = -0.05

    def density(x):
        return -mean - wave * np.cos(k * x)  # anodic positive; plated everywhere

    phase = f"cos({2 * math.pi!r} * x / (20 um))"
    ratio = f"(({-mean!r} - {wave!r} * {phase}) / {2 * i0!r})"
    kinetic = f"{2 * RT_F!r} * log({ratio} + sqrt({ratio}^2 + 1))"
    phi = f"({top - mean * h / KAPPA!r} - {A!r} * {phase})"
    stress = f"1 Pa * {1 / SHIFT * STACK!r} * (-{phi} - {kinetic} - {z * 2 * i0!r} * {ratio})"
    errors = []
    for size in (5.0, 2.5, 1.25):
        part = restrict(
            catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, order=1, h_max=size),
            ["electrolyte"],
        )
        domain = distribute(MPI.COMM_WORLD, part, length=20e-6)
        lithium = Electrode(
            "li_sse", ("li_sse",), "butler_volmer", i0=i0, layer=z,
            normal_stress=Formula.parse(stress, "pressure", ("x", "y", "z")),
        )  # fmt: skip
        counter = Electrode("cathode_plane", ("cathode_plane",), "none", potential=top)
        found = solve(ElectricProblem(domain, "plane_strain", {"electrolyte": KAPPA},
                                      (lithium, counter)))  # fmt: skip
        at = sample(found, lithium, lattice(2, 3, inside=True))
        off = at.density - density(at.points[:, 0])
        errors.append(float(np.abs(off).max()) / wave)
        assert found.mean_current_density("li_sse") == pytest.approx(-mean, rel=1e-4)
        assert found.report.iterations <= 6
    check.within("largest error of the local current, finest of three meshes", errors[-1], 0.0,
                 1e-5, scale=1.0, why="quadratic elements of 1.25 um")  # fmt: skip
    assert errors[2] < errors[0] / 8  # sizes do not shrink evenly everywhere
    check.note("Errors: " + ", ".join(f"{e:.1e}" for e in errors))


# -- in time -------------------------------------------------------------------------------------


def expected(h, delta, own=lambda i: i * Z):
    """Voltage of the lithium against the counter electrode, which the stack's pressure shifts."""
    i = h["current_density"]
    return -i * (H / KAPPA + delta / S_I) - own(i) - SHIFT


@pytest.mark.parametrize("kinetics", ["linear", "butler_volmer"])
def test_parabolic_at_constant_current(page, kinetics):
    check = page("layer_voltage", NAME, problem=PROBLEM, reference=SERIES + ", delta^2 = 2 k t")
    h, summary = history(planar(PARABOLIC, [PLATE], kinetics=kinetics))
    delta = np.sqrt(2 * K * h["time"])
    check.within(f"thickness at each time, kinetics {kinetics}", h["layer_thickness"], delta,
                 1e-10, unit="m", why="exact step")  # fmt: skip
    own = {"linear": lambda i: i * Z,
           "butler_volmer": lambda i: 2 * RT_F * np.arcsinh(i * Z / RT_F / 2)}  # fmt: skip
    exact = expected(h, delta, own[kinetics])
    check.within(f"voltage at each time, kinetics {kinetics}", h["voltage"], exact, 1e-8,
                 unit="V", why="flat: exact; body and electrolyte are solved to 1e-10")  # fmt: skip
    check.within("resistance", h["layer_resistance"], delta / S_I, 1e-10, unit="ohm m^2")
    check.plot("time [s]", "voltage [mV]",
               {"computed": (h["time"], 1e3 * h["voltage"]),
                "exact": (h["time"], 1e3 * exact)})  # fmt: skip
    said = next(s for s in summary["verdict"] if s.startswith("The layer"))
    part = -1.0 * delta[-1] / S_I
    assert f"{1e6 * delta[-1]:.3g} um thick" in said
    assert f"({100 * part / exact[-1]:.3g} %)" in said


def test_programme_with_changing_current(page):
    check = page("layer_voltage", NAME, problem=PROBLEM, reference=SERIES + ", delta integrated")
    h, _ = history(planar(MIEC, [PLATE, REST, STRIP]))
    delta = phases(miec_rate, h, (1.0, 0.0, -1.0))
    check.within("thickness under plating, rest and stripping", h["layer_thickness"], delta, 1e-9,
                 unit="m", why="exact step, integrator at 1e-12")  # fmt: skip
    check.within("voltage", h["voltage"], expected(h, delta), 1e-8, unit="V", scale=SHIFT)
    still = phases(lambda d, i: miec_rate(d, 0.0), h, (1.0, 0.0, -1.0))
    assert np.abs(h["layer_thickness"] / still - 1).max() > 1e-5  # the current has a say


def test_window(page):
    check = page("layer_voltage", NAME, problem=PROBLEM, reference="law window, integrated")
    h, _ = history(planar(WINDOW, [PLATE, STRIP]))
    s_a = S_I * S_E / (S_I + S_E)

    def rate(delta, i):
        outside = U + i * (Z + delta / S_I)
        return V_LI * max(outside, 0.0) / (R + delta / s_a)

    delta = phases(rate, h, (1.0, -1.0))
    check.within("thickness, law window", h["layer_thickness"], delta, 1e-9, unit="m",
                 why="exact step, integrator at 1e-12")  # fmt: skip


@pytest.mark.parametrize("kind", ["steady", "plating", "contact"])
def test_lithium_on_both_sides(page, kind):
    """One layer is plated through, the other stripped."""
    check = page("layer_voltage", NAME, problem="a layer on each side of a flat cell",
                 reference="V = i (H/kappa + 2 Z + (delta_1 + delta_2)/s_i)")  # fmt: skip
    ends = ("li_sse", "cathode_plane")
    if kind == "steady":
        case = planar({**MIEC, "age": "24 h", "aging": "current"},
                      drive={"potential": "0.2 V"}, both=True)  # fmt: skip
        table = compute(case).summary["electric"]
        i = -10 * table["plating_current_density"]["value"]
        found = [e["layer"]["thickness"]["value"] * 1e-6 for e in table["electrodes"]]
        exact = [integrated(lambda t, d, s=s: miec_rate(d, s * i), [DAY])[0] for s in (1, -1)]
        check.within("thicknesses under the current that they let pass", found, exact, 1e-9,
                     unit="m", why="fixed point to 1e-11")  # fmt: skip
        check.within("voltage", 0.2, i * (H / KAPPA + 2 * Z + sum(exact) / S_I), 1e-8, unit="V")
        return
    currents = (1.0, 0.0, -1.0) if kind == "plating" else (-1.0, 0.0)
    case = planar(MIEC, [PLATE, REST, STRIP], both=True)
    h, summary = history(case if kind == "plating" else touching(MIEC, both=True))
    exact = [phases(miec_rate, h, [s * i for i in currents]) for s in (1.0, -1.0)]
    for name, delta in zip(ends, exact, strict=True):
        check.within(f"thickness, {kind}, {name}", h[f"layer_thickness_{name}"], delta, 1e-9,
                     unit="m", why="exact step, integrator at 1e-12")  # fmt: skip
    i = h["current_density"]
    check.within(f"voltage, {kind}", h["voltage"],
                 -i * (H / KAPPA + 2 * Z + sum(exact) / S_I) - SHIFT, 1e-6, unit="V",
                 scale=SHIFT)  # fmt: skip
    for name, delta in zip(ends, exact, strict=True):
        part = -i * delta / S_I
        assert h[f"layer_voltage_{name}"] == pytest.approx(part, rel=1e-6, abs=1e-12)
    assert sum(s.startswith("The layer on") for s in summary["verdict"]) == 2


#: Much current in a layer that hardly conducts ions: each changes the other.
COUPLED = {
    **MIEC,
    "reduction_potential": "0.05 V",
    "ionic_conductivity": "2e-9 S/cm",
    "electronic_conductivity": "2e-8 S/cm",
    "reaction_resistance": "0 ohm*cm^2",
    "initial_thickness": "30 nm",
}


def held_rate(t, delta, voltage=0.05 - SHIFT):
    s_i, s_e = 2e-7, 2e-6
    i = voltage / (H / KAPPA + Z + delta / s_i)
    return V_LI * (0.05 + i * (Z + delta / s_i)) / (Z + delta * (1 / s_i + 1 / s_e))


def test_held_potential(page):
    """The current falls as the layer grows: first order in the step, and under control."""
    check = page("layer_voltage", NAME, problem=PROBLEM, reference="delta and i integrated")
    case = planar(COUPLED, [{**HOLD, "potential": "-50 mV"}])
    end = 200.0
    exact = integrated(held_rate, [end], 30e-9)[0]
    errors, sizes = [], (20, 40, 80)
    for n in sizes:
        model = model_of(case)
        for k in range(n):
            model.advance(end * (k + 1) / n, end / n, Drive(potential=-0.05))
            model.accept()
        errors.append(abs(model.layers[0].thickness / exact - 1))
    rate = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    check.within("fitted order in the step", rate, 1.0, 0.06, why="backward Euler")
    check.note(f"Steps of {end / 20:g}, {end / 40:g} and {end / 80:g} s: thickness off by "
               + ", ".join(f"{e:.1e}" for e in errors))  # fmt: skip
    h, _ = history(case)
    exact = integrated(held_rate, h["time"], 30e-9)
    check.within("thickness, steps by the local error", h["layer_thickness"], exact,
                 1e-2, unit="m", why="tolerance of a step 1e-3; errors of steps add")  # fmt: skip
    check.within("potential that is held", h["voltage"], -0.05, 1e-10, unit="V")


def test_filament(page):
    """A film and a flat surface: one layer on both, under the mean current."""
    check = page("layer_voltage", NAME, problem="flaw with a film of lithium, layer on its faces",
                 reference="the mean current is i times the ratio of the areas")  # fmt: skip
    h, summary = history(flaw({"law": "miec", **MIEC}, "butler_volmer"))
    found = summary["results"]["layers"]["interface"]
    # flat side of 12 um, a face of 4 um, counter electrode of 12 um
    i = 1.0 * 12 / 16
    delta = integrated(lambda t, d: miec_rate(d, i), h["time"])
    check.within("thickness on the faces of a flaw", h["layer_thickness"], delta, 1e-9, unit="m",
                 why="exact step, integrator at 1e-12")  # fmt: skip
    assert found["thickness_um"] == pytest.approx(1e6 * delta[-1], rel=1e-9)
    check.within("voltage of the layer", h["layer_voltage"], -i * delta / S_I, 1e-9, unit="V")


def flaw(interphase, kinetics, resistance=Z):
    electrode = {"group": ["interface", "crack_upper"], "kinetics": kinetics,
                 "area_specific_resistance": f"{resistance} ohm*m^2"}  # fmt: skip
    data = {
        "geometry": {"type": "edge", "a": "4 um", "width": "16 um", "height": "24 um",
                     "symmetry": "y", "growth": 0.3},
        "materials": {"electrolyte": {"E": "150 GPa", "nu": 0.257}},
        "electrochemistry": {"conductivity": {"electrolyte": f"{KAPPA} S/m"}},
        "electrode": [electrode, {"group": "right", "kinetics": "none"}],
        "thin_filament": {"thickness": "20 nm", "mouth": "open", "mouth_pressure": "3 MPa"},
        "step": [{"do": "plate", "current_density": "0.1 mA/cm^2", "duration": "20 s"}],
        "output": {"figures": False, "fields": False},
    }  # fmt: skip
    if interphase is not None:
        electrode["layer"] = True
        data["interphase"] = {"ionic_conductivity": f"{S_I} S/m", **interphase}
    return case_from(data)


def test_contact(page):
    check = page("layer_voltage", NAME, problem="lithium pressed to the electrolyte, stripped",
                 reference=SERIES + ", delta integrated")  # fmt: skip
    h, _ = history(touching(MIEC))
    delta = phases(miec_rate, h, (-1.0, 0.0))
    check.within("thickness under lithium in contact", h["layer_thickness"], delta, 1e-9,
                 unit="m", why="exact step, integrator at 1e-12")  # fmt: skip
    check.within("voltage", h["voltage"], expected(h, delta), 1e-6, unit="V", scale=SHIFT,
                 why="contact and current agree to 1e-7 of what the current plates")  # fmt: skip


@pytest.mark.parametrize("kind", ["filament", "plating", "contact"])
def test_layer_that_does_not_grow_is_a_resistance(page, kind):
    check = page(
        "layer_voltage",
        NAME,
        problem="layer of the law stable, 50 nm",
        reference="the same run without a layer, its resistance in the kinetics",
    )
    stable, more = {"law": "stable", "initial_thickness": "50 nm"}, 50e-9 / S_I
    if kind == "contact":
        pair = touching(stable), touching(None, Z + more)
    elif kind == "filament":
        pair = flaw(stable, "linear"), flaw(None, "linear", Z + more)
    else:
        plain = planar(None, [PLATE, REST])
        lithium = plain.electrode[0].model_copy(
            update={"area_specific_resistance": f"{Z + more} ohm*m^2"}
        )
        plain = plain.model_copy(update={"electrode": [lithium, plain.electrode[1]]})
        pair = planar(stable, [PLATE, REST]), plain
    (a, _), (b, _) = map(history, pair)
    assert len(a["time"]) == len(b["time"])
    for name in ("voltage", "pressure_max", "current_density"):
        size = np.abs(b[name]).max()
        check.within(f"{name}, {kind}", a[name], b[name], 1e-9, scale=size,
                     why="the same equations, solved to rounding")  # fmt: skip


# -- going on, and ranks -------------------------------------------------------------------------


@pytest.mark.parametrize("case", [planar(COUPLED, [PLATE]), flaw(MIEC, "butler_volmer")],
                         ids=["plating", "filament"])  # fmt: skip
def test_restart(case):
    drives = [Drive(current_density=1.0), Drive(potential=-0.02), Drive(current_density=-1.0)]

    def move(model, chosen, start):
        rows = []
        for k, drive in enumerate(chosen, start):
            rows.append(model.advance(2.0 * (k + 1), 2.0, drive))
            model.accept()
        return rows

    whole = model_of(case)
    move(whole, drives[:2], 0)
    state = {k: v.copy() for k, v in whole.save().items()}
    first = move(whole, drives[2:] + drives[:1], 2)
    other = model_of(case)
    other.load(state)
    second = move(other, drives[2:] + drives[:1], 2)
    for a, b in zip(first, second, strict=True):
        assert b.error == pytest.approx(a.error, rel=1e-6, abs=1e-12)
        for name in ("voltage", "layer_thickness", "layer_resistance", "layer_voltage"):
            assert b.monitors[name] == pytest.approx(a.monitors[name], rel=1e-10)


def test_ranks(page, mpirun, tmp_path):
    check = page("layer_voltage", NAME, problem=PROBLEM, reference="one rank against three")
    script = Path(__file__).with_name("layered.py")
    found = []
    for n in (1, 3):
        out = tmp_path / f"{n}.json"
        mpirun(n, script, out)
        found.append({k: np.array(v) for k, v in json.loads(out.read_text()).items()})
    one, three = found
    assert len(one["time"]) == len(three["time"])
    for name in ("layer_thickness", "voltage"):
        check.within(f"{name} on three ranks", three[name], one[name], 1e-9,
                     why="Newton's tolerance")  # fmt: skip
