"""Contact and voids under current and stack pressure: drift (P3), creep, K2, P8, balances."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.errors import SolverError
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME

sys.path.insert(0, str(Path(__file__).parent))
import strips
from strips import amperes, changed

pytestmark = pytest.mark.verification

#: Thickness per charge [m/(C/m^2)].
PER_CHARGE = LITHIUM_MOLAR_VOLUME / FARADAY
REST = [{"do": "rest", "duration": "100 s"}]


# -- flat interface ------------------------------------------------------------------------------


def test_flat_lithium_strips_as_a_rigid_body(page):
    """Elastic lithium (creep of 1e-30), so that the stack's displacement is the drift alone."""
    check = page(
        "S1", "Uniform stripping of a flat interface",
        problem="4 um of lithium, 1 mA/cm^2, 100 s, 2 MPa; the stack is a dead load.",
        reference="Displacement V_m Q/F = 1.347 nm/s; charge and volume balance.",
    )  # fmt: skip
    flow = strips.norton(6.6, 1e-30)
    case = changed(strips.FLAT, materials={"lithium": {"set": "Li", "flow": flow}})
    subject, steps, _ = strips.run(case)
    first, last = steps[0].monitors, steps[-1].monitors
    moved = last["stack_displacement"] - first["stack_displacement"]
    exact = PER_CHARGE * (last["capacity"] - first["capacity"])
    check.within("drift", moved * 1e9, exact * 1e9, 1e-9, unit="nm", why="rounding of the solver")
    missing, whole, _ = subject.balances()["plated volume"]
    assert abs(missing) <= 1e-10 * whole
    check.within("charge", last["capacity"], -1000.0, 1e-10, unit="C/m^2", why="rounding")
    f = subject.model.state.surface
    volume = float(f.thickness @ f.area) / f.area.sum()
    exact = PER_CHARGE * -1000.0
    check.within("stripped", volume * 1e9, exact * 1e9, 1e-10, unit="nm", why="rounding")
    assert last["contact"] == pytest.approx(1, abs=1e-12) and last["gap_max"] < 1e-16


@pytest.mark.parametrize("pressure", [1.0, 5.0])
@pytest.mark.parametrize("kinetics", ["linear", "butler_volmer"])
def test_potential_at_rest_is_shifted_by_pressure(page, pressure, kinetics):
    check = page(
        "K2", "Equilibrium shift inside the coupled solution",
        problem="Flat lithium against LLZO at rest; the pressure is that of contact.",
        reference="phi_m - phi_e = -V_m p/F = -0.1347 mV/MPa", part=f"{pressure:g} MPa {kinetics}",
    )  # fmt: skip
    case = changed(
        strips.FLAT, stack={"pressure": f"{pressure} MPa"}, step=REST,
        electrode=strips.electrodes("5 ohm*cm^2", "li_sse", kinetics=kinetics),
    )  # fmt: skip
    _, subject = strips.subject_of(case)
    trial = strips.fixed(subject, 10.0, 3, amperes(0.0))[-1]
    exact = -PER_CHARGE * pressure * 1e6
    check.within("potential", trial.monitors["voltage"] * 1e3, exact * 1e3, 1e-6, unit="mV",
                 why="required of K2; the pressure itself comes out of the contact")  # fmt: skip


def test_a_spring_gets_the_pressure_of_what_was_plated(page):
    check = page(
        "S2", "Pressure swing of a cell that grows against a spring",
        problem="Flat elastic lithium, spring of 2 MPa/um, 1 mA/cm^2 plated for 100 s.",
        reference="P = P0 + k (h - t (P - P0)/M), M = E (1 - nu)/((1 + nu)(1 - 2 nu))",
    )  # fmt: skip
    flow = strips.norton(6.6, 1e-30)
    case = changed(
        strips.FLAT, stack={"kind": "spring", "stiffness": "2 MPa/um"},
        materials={"lithium": {"set": "Li", "flow": flow, "E": "5 GPa", "nu": 0.3}},
    )  # fmt: skip
    _, subject = strips.subject_of(case)
    first = strips.fixed(subject, 1.0, 1, amperes(0.0))[0].monitors
    last = strips.fixed(subject, 20.0, 5, amperes(1.0))[-1].monitors
    M, k, t, h = 5e9 * 0.7 / (1.3 * 0.4), 2e12, 4e-6, PER_CHARGE * 1000.0
    swing = k * h / (1 + k * t / M)
    check.within("swing", (last["stack_pressure"] - first["stack_pressure"]) / 1e6, swing / 1e6,
                 1e-6, unit="MPa", why="penetration of contact, 1e-13 m")  # fmt: skip
    assert last["pressure_max"] == pytest.approx(last["stack_pressure"], rel=1e-6)


# -- voids ---------------------------------------------------------------------------------------


def test_p3_void_is_swept_by_drift(page):
    check = page(
        "P3", "A hemispherical void under stripping is swept by the drift of the lithium",
        problem="a0 = 0.25 um, kappa 0.46 mS/cm, Z = 5 ohm cm^2, 0.5 mA/cm^2; axisymmetric cell of "
        "2 um radius, Norton lithium, stack pressure 0.1 MPa.",
        reference="0.674 nm/s, 371 s (Shishvan et al. 2023): the void shrinks.",
    )  # fmt: skip
    strip = {"do": "strip", "current_density": "0.5 mA/cm^2", "duration": "340 s"}
    case = changed(strips.VOID, step=[strip], time={"first_step": "2 s", "largest_step": "20 s"})
    subject, steps, _ = strips.run(case)
    gap = np.array([s.monitors["gap_max"] for s in steps])
    time = np.array([s.time for s in steps])
    assert np.all(np.diff(gap) < 0) and gap[0] < 250e-9  # the sign
    rate = -np.polyfit(time, gap, 1)[0]
    check.within("rate", rate * 1e9, 0.674, 0.1, unit="nm/s", why="P3: rate 10 %")
    check.within("time to sweep a0", 250e-9 / rate, 371.0, 0.1, unit="s", why="P3: 10 %")
    # current that bypasses the void strips the rest faster: mean drift over the area in contact
    mean = 0.5 * 13.4736 / 10 / steps[0].monitors["contact"]
    check.within("early rate", (250e-9 - gap[0]) / time[0] * 1e9, mean, 0.02, unit="nm/s",
                 why="current is even as kappa Z = 23 um is large; rest: creep")  # fmt: skip
    contact = np.array([s.monitors["contact"] for s in steps])
    assert np.all(np.diff(contact) > -1e-3) and contact[-1] > 0.99
    missing, whole, _ = subject.balances()["plated volume"]
    assert abs(missing) <= 1e-10 * whole


def test_there_and_back(page):
    """A void that is stripped and plated by the same charge: nothing is left but creep."""
    check = page(
        "S5", "Stripping and plating the same charge under a void",
        problem="The void of P3 in lithium that does not creep, 0.5 mA/cm^2 for 40 s each way.",
        reference="Depth of the void and place of the stack as before.",
    )  # fmt: skip
    case = changed(
        strips.VOID, geometry={"h": "0.06 um"},
        materials={"lithium": {"set": "Li", "flow": strips.norton(6.6, 1e-30)}},
    )  # fmt: skip
    _, subject = strips.subject_of(case)
    first = strips.fixed(subject, 1.0, 1, amperes(0.0))[0].monitors
    strips.fixed(subject, 8.0, 5, amperes(-0.5))
    last = strips.fixed(subject, 8.0, 5, amperes(0.5))[-1].monitors
    check.within("depth", last["gap_max"] * 1e9, first["gap_max"] * 1e9, 2e-4, unit="nm",
                 why="elastic strains: 0.1 MPa, and currents that pressure drives")  # fmt: skip
    assert abs(last["stack_displacement"] - first["stack_displacement"]) < 0.02e-9
    missing, whole, _ = subject.balances()["plated volume"]
    assert abs(missing) <= 1e-10 * whole and whole > 1e-19


def _closing(exponent: float, prefactor: float, pressure: float, strain: float) -> float:
    """-d(ln volume)/dt of the void without current, after the elastic part [1/s]."""
    case = changed(
        strips.VOID, step=REST, stack={"pressure": f"{pressure} MPa"},
        geometry={"width": "6 um", "lithium": "3 um", "h_max": "0.5 um", "h": "0.02 um"},
        materials={"lithium": {"set": "Li", "flow": strips.norton(exponent, prefactor)}},
        # so that pressure does not drive a current along the interface
        electrode=strips.electrodes("1e4 ohm*cm^2", "li_sse", "void_sse"),
    )  # fmt: skip
    _, subject = strips.subject_of(case)
    dt = strain / (prefactor * pressure**exponent)
    found = strips.fixed(subject, dt, 12, amperes(0.0))
    volume = [t.monitors["void_volume"] for t in found]
    return float(np.log(volume[-4] / volume[-1]) / (3 * dt))


def test_a_void_closes_as_a_sphere_in_a_viscous_liquid(page):
    """Against a frictionless plane the half-sphere is a whole one in its mirror image (L4)."""
    check = page(
        "S3", "Closing of a void by creep under stack pressure, without current",
        problem="Hemispherical void of 0.25 um in lithium 3 um thick and wide, n = 1.",
        reference="|dV/dt|/V = 3 (B/2)(3P/2n)^n (verification L4), n = 1.",
    )  # fmt: skip
    rate = _closing(1.0, 1e-3, 1.0, 2e-3)
    check.within("rate", rate, 3 * 0.5e-3 * 1.5, 0.02, unit="1/s",
                 why="L4: 2 %; walls at 12 a change the stress by (a/b)^3 = 6e-4")  # fmt: skip


@pytest.mark.long
def test_closing_goes_with_the_power_of_the_pressure(page):
    check = page(
        "S3", "Closing of a void by creep under stack pressure, without current",
        problem="The same with n = 6.6 at 0.5, 1 and 2 MPa.", reference="rate ~ P^6.6",
        part="Norton lithium",
    )  # fmt: skip
    P = np.array([0.5, 1.0, 2.0])
    # 1.7 % of the volume in a step, far more than elastic strains of P/E = 4e-4; B sets the clock
    rates = [_closing(6.6, 1e3, p, 200.0) for p in P]
    slope = np.polyfit(np.log(P), np.log(rates), 1)[0]
    check.within("exponent", slope, 6.6, 0.02, why="2 %")


def test_order_one_in_time(page):
    """The void shrinks by drift and creep; one time, smaller and smaller steps."""
    check = page(
        "S4", "Convergence in time of contact with current",
        problem="The void of S3 with n = 1 under 0.5 mA/cm^2 of stripping, 64 s.",
        reference="Backward Euler: order 1.",
    )  # fmt: skip
    flow = strips.norton(1.0, 5e-3)
    case = changed(
        strips.VOID, materials={"lithium": {"set": "Li", "flow": flow}},
        stack={"pressure": "1 MPa"}, geometry={"h": "0.06 um"},
    )  # fmt: skip
    found = []
    for n in (4, 8, 16, 32):
        _, subject = strips.subject_of(case)
        strips.fixed(subject, 64.0 / n, n, amperes(-0.5))
        found.append(subject.model.state.surface.gap[0])
    steps = np.abs(np.diff(found))
    order = np.polyfit(np.log([1.0, 0.5, 0.25]), np.log(steps), 1)[0]
    check.within("order", order, 1.0, 0.15, why="order 1, fitted over three halvings")


# -- contact lost --------------------------------------------------------------------------------


def _end_of(pressure: float, current: float, duration: float = 60.0) -> tuple[str, float]:
    """Why a strip over a blocked patch ended, and contact at its end."""
    step = {"do": "strip", "current_density": f"{current} mA/cm^2", "duration": f"{duration} s"}
    case = changed(strips.BLOCKED, stack={"pressure": f"{pressure} MPa"}, step=[step])
    _, steps, outcome = strips.run(case)
    assert min(s.monitors["dissipation"] for s in steps) >= 0
    assert np.all(np.diff([s.monitors["dissipation"] for s in steps]) >= 0)
    return outcome.reason, steps[-1].monitors["contact"]


def test_p8_contact_rises_with_stack_pressure(page):
    check = page(
        "P8", "Stack pressure keeps contact on stripping",
        problem="A speck of 3 um blocks a cell of 20 um; lithium over it is not stripped and holds "
        "the stack, the rest has to flow. 1 mA/cm^2.",
        reference="Monotone: critical current rises with stack pressure.",
    )  # fmt: skip
    ends = [_end_of(p, 1.0) for p in (0.2, 0.4, 1.0)]
    contact = [share for _, share in ends]
    assert contact[0] < contact[1] < contact[2]
    assert ends[0][0] == "contact_lost" and ends[2][0] == "programme"
    assert contact[0] == pytest.approx(0.1, abs=1e-4)  # where the event is
    check.plot("pressure [MPa]", "contact at the end", {"1 mA/cm^2": ((0.2, 0.4, 1.0), contact)})
    check.within("contact at 1 MPa", contact[2], 1.0, 5e-3, why="starved only at the edge")


@pytest.mark.long
def test_p8_critical_current_rises_with_stack_pressure(page):
    """Viscous flow: critical current ~ P^n, as long as elastic strains do not matter."""
    check = page(
        "P8", "Stack pressure keeps contact on stripping", problem="Bisection over currents.",
        reference="Critical current monotone; of viscous lithium ~ P^6.6.", part="critical current",
    )  # fmt: skip
    P = (0.2, 0.25, 0.3)
    found = []
    for p in P:
        low, high = 0.0125 * (p / 0.2) ** 6.6, 0.8 * (p / 0.2) ** 6.6
        while high / low > 1.15:
            middle = float(np.sqrt(low * high))
            lost = _end_of(p, middle, 120.0 * 0.2 / middle)[0] == "contact_lost"
            low, high = (low, middle) if lost else (middle, high)
        found.append(float(np.sqrt(low * high)))
    assert found[0] < found[1] < found[2]
    slope = np.polyfit(np.log(P), np.log(found), 1)[0]
    check.within("exponent", slope, 6.6, 0.1, why="bisected to 15 %, over a factor 1.5 in P")


def test_an_open_interface_is_refused_in_words():
    _, subject = strips.subject_of(strips.FLAT)
    model = subject.model
    state = model.save()
    state["strip/surface"][:, 3] = 1e-8  # gap
    state["strip/surface"][:, 5] = 0.0  # activity
    model.load(state)
    with pytest.raises(SolverError, match=r"contact is lost.*no current can flow"):
        model.advance(1.0, 1.0, amperes(-1.0))


# -- restart, ranks ------------------------------------------------------------------------------


def test_restart_gives_the_same_numbers():
    step = {"do": "strip", "current_density": "0.5 mA/cm^2", "duration": "40 s"}
    case = changed(strips.VOID, geometry={"h": "0.06 um"}, step=[step])
    _, whole = strips.subject_of(case)
    strips.fixed(whole, 10.0, 2, amperes(-0.5))
    kept = whole.model.save()
    last = strips.fixed(whole, 10.0, 2, amperes(-0.5))[-1]
    _, again = strips.subject_of(case)
    again.model.load(kept)
    other = strips.fixed(again, 10.0, 2, amperes(-0.5))[-1]
    # strains of 1e-5 are differences of displacements that drift: 1e-12 is their rounding
    rounding = {"small_strain": 1e-12}
    for name, value in last.monitors.items():
        off = rounding.get(name, 1e-25)
        assert other.monitors[name] == pytest.approx(value, rel=1e-10, abs=off), name
    # the difference of two rates that hardly differ
    assert other.error == pytest.approx(last.error, rel=1e-6)
    a, b = whole.model.state.surface, again.model.state.surface
    assert np.allclose(a.thickness, b.thickness, rtol=1e-10, atol=0)


_WATCHED = ("voltage", "contact", "gap_max", "pressure_max", "void_volume", "stack_displacement",
            "current_density_max", "capacity")  # fmt: skip


def _cell() -> strips.StrippingSubject:
    case = changed(strips.VOID, geometry={"h": "0.06 um"},
                   stack={"kind": "spring", "stiffness": "1 MPa/um"})  # fmt: skip
    return strips.subject_of(case)[1]


def _rest(subject: strips.StrippingSubject) -> dict[str, float]:
    last = strips.fixed(subject, 20.0, 2, amperes(0.0))[-1]
    return {name: last.monitors[name] for name in _WATCHED}


@pytest.mark.mpi
def test_one_against_three_ranks_from_the_start_and_from_a_checkpoint(mpirun, tmp_path):
    one = _cell()
    strips.fixed(one, 20.0, 3, amperes(-0.5))
    np.savez(tmp_path / "kept.npz", **one.model.save())
    expected = _rest(one)
    mpirun(3, __file__, tmp_path)
    for name, accuracy in (("whole", 1e-6), ("resumed", 1e-10)):
        found = json.loads((tmp_path / f"{name}.json").read_text())
        for key in _WATCHED:
            close = pytest.approx(expected[key], rel=accuracy, abs=1e-18)
            assert found[key] == close, (name, key)


def _main(folder: Path) -> None:
    comm = MPI.COMM_WORLD
    whole = _cell()
    strips.fixed(whole, 20.0, 3, amperes(-0.5))
    again = _cell()
    again.model.load(dict(np.load(folder / "kept.npz")) if comm.rank == 0 else {})
    for name, subject in (("whole", whole), ("resumed", again)):
        values = _rest(subject)
        if comm.rank == 0:
            (folder / f"{name}.json").write_text(json.dumps(values))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
