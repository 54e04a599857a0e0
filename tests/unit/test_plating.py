"""Bonded lithium in a case in time: from the case to a model, its parts, what is refused."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech import mesh_stage, transient
from ssbmech.config_load import case_from
from ssbmech.coupled.body_fields import BodyFields, refresh
from ssbmech.errors import CaseError, SolverError
from ssbmech.formula import Formula
from ssbmech.lithium.monitors import InterfaceTraction, area, reaction
from ssbmech.lithium.problem import Hold
from ssbmech.numerics.stepping import Drive

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))
from plated import BUTLER_VOLMER, ELASTIC, LIQUID, ball
from ssbmech.coupled.plating import PlatingModel

COMM = MPI.COMM_WORLD
SLIT = {
    "geometry": {
        "type": "slit", "a": "3 um", "slit_width": "2 um", "tip_radius": "0.8 um",
        "width": "12 um", "filled": "lithium", "anode_thickness": "2 um", "symmetry": "y",
        "n_tip": 2, "growth": 0.8, "order": 1,
    },
    "materials": {
        "electrolyte": "LLZO", "lithium": {"set": "Li", "flow": {"law": "norton"}},
    },
    "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
    "electrode": [
        {"group": ["interface", "li_sse"], "kinetics": "butler_volmer",
         "area_specific_resistance": "10 ohm*cm^2"},
        {"group": "right", "kinetics": "none"},
    ],
    "constraint": [{"group": "right", "u": {"x": "0 um"}}],
    "stack": {"pressure": "3 MPa", "group": "anode_left"},
    "step": [{"do": "plate", "current_density": "1 mA/cm^2", "duration": "1 s"}],
}  # fmt: skip


def changed(**blocks):
    case = {**SLIT, **blocks}
    return {name: block for name, block in case.items() if block is not None}


def subject_of(data):
    case, held = case_from(data), []
    domain, meshed = mesh_stage.make_domain(case, Path(), COMM, None, lambda text: None, held)
    whole = held[0] if held else None
    kind, subject, _ = transient.make_subject(case, Path(), COMM, whole, domain, meshed)
    return kind, subject


@pytest.fixture(scope="module")
def plated():
    kind, subject = subject_of(SLIT)
    assert kind == "plating"
    model, time = subject.model, 0.0
    for dt in (0.02, 0.04):
        time += dt
        trial = model.advance(time, dt, Drive(current_density=10.0))
        model.accept()
    return subject, trial


def test_a_case_gives_a_model_that_reports(plated):
    subject, trial = plated
    m = trial.monitors
    assert {"voltage", "current_density", "capacity", "pressure_max", "pressure_mean",
            "dissipation"} <= set(m)  # fmt: skip
    assert m["capacity"] == pytest.approx(10.0 * 0.06, rel=1e-9)
    assert m["voltage"] < 0 < m["pressure_max"]
    assert trial.error > 0
    table = subject.profiles()["interface"]
    assert list(table) == ["x [um]", "y [um]", "pressure [MPa]", "current_density [mA/cm^2]",
                           "thickness [nm]"]  # fmt: skip
    x, y = table["x [um]"], table["y [um]"]
    flat = np.abs(x) < 1e-9
    assert flat.any() and (~flat).any() and x.max() == pytest.approx(3.0) and y.min() >= 0
    off, size, unit = subject.balances()["plated volume"]
    assert unit == "m^2" and abs(off) < 1e-12 * size
    assert np.all(table["thickness [nm]"] > 0)
    assert subject.record()["vertices_interface"] == len(x)
    assert subject.results()["thickness_max_nm"] == pytest.approx(table["thickness [nm]"].max())
    assert any("interface, li_sse" in note for note in subject.notes)


def test_stack_is_there_before_anything_moves():
    _, subject = subject_of(SLIT)
    pressure = -subject.model.state.stress
    assert 0 < pressure.min() and 2.5e6 < pressure.max() < 6e6  # less on the wall of the flaw
    assert subject.model.time == 0.0 and subject.model.state.thickness.max() == 0.0


def test_fields_of_a_state(plated, tmp_path):
    import pyvista

    subject, _ = plated
    writer = subject.fields(tmp_path)
    writer.write(0.06)
    writer.close()
    body = pyvista.get_reader(str(tmp_path / "body.pvd")).read()[0]
    assert {"displacement_um", "mean_stress_MPa", "von_mises_MPa", "plastic_strain"} <= set(
        body.array_names
    )
    assert np.abs(body["displacement_um"]).max() > 0
    potential = pyvista.get_reader(str(tmp_path / "potential.pvd")).read()[0]
    high = -subject.model.state.voltage * 1e3
    assert potential["potential_mV"].max() == pytest.approx(high, rel=1e-9)


def test_what_is_written_is_the_state_that_was_loaded(tmp_path):
    model = PlatingModel(ball("plane_strain", LIQUID, h=0.3))
    model.advance(1.0, 1.0, Drive(current_density=1.0))
    model.accept()
    stress, saved = model.state.stress.copy(), model.save()
    other = PlatingModel(ball("plane_strain", LIQUID, h=0.3))
    other.load(saved)
    answer = refresh(other.body)
    assert other.layer.normal_stress(answer, other.body.gradients()) == pytest.approx(
        stress, rel=1e-8
    )
    BodyFields(tmp_path, other.body).write(1.0)
    assert other.state.density == pytest.approx(model.state.density)


def test_creep_without_electrodes():
    data = changed(electrode=None, electrochemistry=None, step=[{"do": "rest", "duration": "1 s"}])
    kind, subject = subject_of(data)
    assert kind == "creep"
    first = subject.model.advance(0.1, 0.1, Drive(current_density=0.0))
    assert first.monitors["dissipation"] > 0 and first.monitors["plastic_strain_max"] > 0
    subject.model.accept()
    saved = subject.model.save()
    again = subject.model.advance(0.2, 0.1, Drive(current_density=0.0))
    _, fresh = subject_of(data)
    fresh.model.load(saved)
    resumed = fresh.model.advance(0.2, 0.1, Drive(current_density=0.0))
    assert resumed.error == pytest.approx(again.error, rel=1e-9) and again.error > 0
    assert resumed.monitors["dissipation"] == pytest.approx(
        again.monitors["dissipation"], rel=1e-10
    )
    with pytest.raises(SolverError, match="not one of a body that creeps"):
        fresh.model.load({})


# -- the interface -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_one_pressure_is_found_at_every_vertex(model):
    m = PlatingModel(ball(model, LIQUID, h=0.3))
    body = m.body
    body.w.x.array[:] = 0
    body.w.x.array[body.q_where] = -1e-4
    answer = body.respond(1.0, 0.0)
    p = -1e-4 * m.problem.body.modulus
    assert m.layer.normal_stress(answer, body.gradients()) == pytest.approx(p, rel=1e-12)


def test_tangent_is_that_of_differences():
    """The matrix against differences of the residual: K B C D E G P Q in one."""
    from ssbmech.coupled.plating_step import CoupledStep

    m = PlatingModel(ball("axisymmetric", LIQUID, h=0.4, electrode=BUTLER_VOLMER))
    for k in range(2):
        m.advance(0.1 * (k + 1), 0.1, Drive(current_density=1.0))
        m.accept()
    m.ions.drive(current_density=2.0)
    step = CoupledStep(m.parts, 0.3, 0.1, m.state.thickness)
    _, x = step.start(m.body.accepted, m.state.thickness)
    before = np.concatenate([step._body, step._growth])
    step.factorise()
    change = step.step()
    rest = []
    for size in (1e-2, 1e-3):
        y = x.copy()
        y.axpy(size, change)
        step.evaluate(y)
        after = np.concatenate([step._body, step._growth])
        left = after - (1 - size) * before
        n = m.body.owned
        rest.append([np.linalg.norm(left[:n]), np.linalg.norm(left[n:])])
        step.start(m.body.accepted, m.state.thickness)
    rest = np.array(rest) / [np.linalg.norm(before[:n]) or 1.0, np.linalg.norm(before[n:])]
    # what a Newton step of length s leaves beyond (1 - s) R is of the order s^2
    assert np.all(rest[1] < 0.02 * rest[0] + 1e-9), rest


def test_stiffness_of_the_interface_is_symmetric_and_positive():
    m = PlatingModel(ball("plane_strain", ELASTIC, h=0.3))
    n, unit = len(m.layer.nodes), 1e-9
    S = np.zeros((n, n))
    for k in range(n):
        m.layer.grow(np.where(np.arange(n) == k, unit, 0.0))
        m.body.advance(1.0, 1.0)
        S[:, k] = -m.layer.normal_stress(m.body.latest, m.body.gradients()) / unit
    S = S * m.layer.areas[:, None]
    assert np.abs(S - S.T).max() < 1e-8 * np.abs(S).max()
    assert np.linalg.eigvalsh((S + S.T) / 2).min() > 0


def test_normal_stress_is_that_of_the_forces():
    m = PlatingModel(ball("plane_strain", LIQUID, h=0.2))
    m.advance(1.0, 1.0, Drive(current_density=1.0))
    forces = InterfaceTraction(m.body, "interface", "lithium").evaluate()
    answer = m.body.latest
    assert np.array_equal(forces.nodes, m.layer.nodes)
    assert m.layer.normal_stress(answer, m.body.gradients()) == pytest.approx(
        forces.normal_stress, rel=1e-4
    )


def test_a_side_that_moves_is_followed():
    problem = ball("plane_strain", LIQUID, h=0.3)
    outer = Hold("right", velocity={0: Formula.constant(-1e-10, "velocity")})
    body = replace(problem.body, holds=(*problem.body.holds, outer))
    model = PlatingModel(replace(problem, body=body))
    for k in range(2):
        model.advance(0.5 * (k + 1), 0.5, Drive(current_density=0.0))
        model.accept()
    u = model.body.displacement[model.body.surface("right").nodes, 0]
    assert u == pytest.approx(-1e-10, rel=1e-9) and model.state.stress.max() < 0


@pytest.mark.parametrize("electrodes", [True, False], ids=["plating", "creep"])
@pytest.mark.parametrize("kind", ["plate", "spring"])
def test_plate_of_a_stack_is_in_balance(kind, electrodes):
    stack = {"pressure": "3 MPa", "kind": kind, "group": "anode_left"}
    if kind == "spring":
        stack["stiffness"] = "50 MPa/um"
    data = changed(stack=stack)
    if not electrodes:
        data = changed(stack=stack, electrode=None, step=[{"do": "rest", "duration": "1 s"}])
    _, subject = subject_of(data)
    model, pressures, time = subject.model, [], 0.0
    for dt in (0.02, 0.1):
        time += dt
        trial = model.advance(time, dt, Drive(current_density=10.0 if electrodes else 0.0))
        model.accept()
        pressures.append(trial.monitors["stack_pressure"])
        body = model.body
        side = body.surface("anode_left")
        u = body.displacement[side.nodes, 0]
        assert np.ptp(u) < 1e-9 * np.abs(body.displacement).max()
        force = reaction(body, "anode_left")[0] / area(body, "anode_left")
        assert force == pytest.approx(trial.monitors["stack_pressure"], rel=1e-7)
    if kind == "plate":
        assert pressures == pytest.approx([3e6, 3e6])
    elif electrodes:  # lithium that is plated pushes the stack out
        _, idle = subject_of(data)
        idle.model.advance(0.12, 0.12, Drive(current_density=0.0))
        assert (
            idle.model.problem.plate.pressure < pressures[1] < 3e6
        )  # both creep out at the free sides
    saved = model.save()
    again = model.advance(time + 0.1, 0.1, Drive(current_density=0.0)).monitors
    _, fresh = subject_of(data)
    fresh.model.load(saved)
    resumed = fresh.model.advance(time + 0.1, 0.1, Drive(current_density=0.0)).monitors
    assert resumed["stack_pressure"] == pytest.approx(again["stack_pressure"], rel=1e-9)


# -- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"electrode": [{**SLIT["electrode"][0], "group": ["top"]}, SLIT["electrode"][1]]},
         "no electrode touches lithium that flows"),
        ({"electrode": [{"group": ["interface", "li_sse"], "kinetics": "none"},
                        SLIT["electrode"][1]], "time": {"counter": "right"}}, "needs kinetics"),
        ({"stack": {"pressure": "3 MPa", "kind": "plate", "group": "li_sse"}}, "on a flat side"),
        ({"stack": {"pressure": "3 MPa", "kind": "plate", "group": "right"}}, "that is held"),
        ({"load": [{"group": "anode_left", "pressure": "1 MPa"}]}, "has a load already"),
        ({"body_force": [{"group": "lithium", "force": {"x": "1 N/m^3"}}]}, "no body forces"),
        ({"geometry": {**SLIT["geometry"], "model": "plane_stress"}}, "no such model"),
    ],
)  # fmt: skip
def test_refused_with_the_reason(blocks, message):
    with pytest.raises(CaseError, match=message):
        subject_of(changed(**blocks))


def test_a_layer_that_is_too_thin_says_so_and_leaves_the_state():
    model = PlatingModel(ball("plane_strain", LIQUID, h=0.3))
    model.advance(1.0, 1.0, Drive(current_density=1.0))
    model.accept()
    before = model.save()
    with pytest.raises(SolverError, match=r"too thin for the .* nm that are plated"):
        model.advance(1e4, 1e4, Drive(current_density=100.0))
    after = model.save()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    model.advance(2.0, 1.0, Drive(current_density=1.0))
    with pytest.raises(SolverError, match="no step to accept"):
        PlatingModel(ball("plane_strain", LIQUID, h=0.3)).accept()


def test_a_state_of_another_surface_is_refused():
    model = PlatingModel(ball("plane_strain", LIQUID, h=0.3))
    saved = model.save()
    other = PlatingModel(ball("plane_strain", LIQUID, h=0.4))
    with pytest.raises(SolverError, match="another lithium surface"):
        other.load(saved)
    with pytest.raises(SolverError, match="another lithium surface"):
        other.load({})
