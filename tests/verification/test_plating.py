"""Lithium plated onto bonded lithium, against closed forms: equilibrium, misfit, relaxation."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from bodies import material
from mpi4py import MPI
from plated import (
    BULK,
    BUTLER_VOLMER,
    COUNTER,
    ELASTIC,
    KAPPA,
    LINEAR,
    LIQUID,
    LITHIUM,
    LLZO,
    PER_CHARGE,
    UM,
    Z,
    ball,
    parts,
    run,
    stiffness,
)
from ssbmech.coupled.plating import Plating, PlatingModel
from ssbmech.electro.problem import ElectricProblem
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.lithium.monitors import InterfaceTraction, volume_change
from ssbmech.lithium.problem import BodyProblem, Flow, Hold
from ssbmech.meshes.filament import slit
from ssbmech.numerics.stepping import Drive

pytestmark = pytest.mark.verification

MODELS = ["plane_strain", "axisymmetric"]


def closed_slit(law=BULK, electrode=BUTLER_VOLMER, *, finite=False, **more):
    """A quarter of a slit with sharp rounded corners inside an electrolyte, full of lithium."""
    data = slit(3.0, 1.6, 0.4, 24.0, position="interior", filled="lithium", symmetry="xy", n_tip=3)
    whole, domain, nodes = parts(data if MPI.COMM_WORLD.rank == 0 else None)
    zero = Formula.constant(0.0, "length")
    body = BodyProblem(
        whole, "plane_strain", {"lithium": material(*LITHIUM), "electrolyte": material(*LLZO)},
        flows={"lithium": Flow(law, finite)}, growth={"li_sse": "lithium"},
        holds=(Hold("symmetry_x", {0: zero}), Hold("symmetry_y", {1: zero})),
    )  # fmt: skip
    ions = ElectricProblem(
        domain, "plane_strain", {"electrolyte": KAPPA},
        (replace(electrode, groups=("li_sse",)), replace(COUNTER)), nodes=nodes,
    )  # fmt: skip
    return Plating(body, ions, ("li",), **more)


# -- K2 in the coupled solve ---------------------------------------------------------------------


@pytest.mark.parametrize("electrode", [LINEAR, BUTLER_VOLMER], ids=["linear", "butler_volmer"])
def test_K2_pressure_of_a_held_potential(page, electrode):
    check = page(
        "K2", "Equilibrium shift of lithium under pressure", part="in the coupled solve",
        problem="A slit full of lithium in an electrolyte, with corners, held at -20 mV and at "
        "+5 mV against the counter electrode, until nothing moves.",
        reference="p = -F dphi/V_m everywhere in the lithium, 0.1347 mV/MPa; no current",
    )  # fmt: skip
    model = PlatingModel(closed_slit(LIQUID, electrode))
    time, dt = 0.0, 0.2
    for potential in (-0.02, 0.005):
        for _ in range(24):
            dt = min(dt * 2, 30.0)  # a liquid has no stiffness to steps of 1e6 s
            time += dt
            trial = model.advance(time, dt, Drive(potential=potential))
            model.accept()
        exact = -potential / PER_CHARGE * 1e-6
        why = "1e-6: what Newton and the flow of the liquid leave after 600 s"
        p = -model.state.stress * 1e-6
        check.within("pressure at the interface", p, np.full(p.shape, exact), 1e-6, unit="MPa",
                     why=why)  # fmt: skip
        inside = -model.body.mean_stress[lithium_vertices(model)] * 1e-6
        check.within("pressure in the lithium", inside, np.full(inside.shape, exact), 1e-6,
                     unit="MPa", why=why)  # fmt: skip
        check.within(
            "shift of the potential", -potential * 1e3 / trial.monitors["pressure_mean"] * 1e6,
            0.13473, 1e-4, unit="mV/MPa", why="four digits of the reference",
        )  # fmt: skip
        first = 20.0 if potential < 0 else 5.0
        check.within("current", trial.monitors["current_density"] / first, 0.0, 1e-9, scale=1.0,
                     unit="", why="over that of the first moment")  # fmt: skip
        dt = 0.2


def lithium_vertices(model):
    body = model.body
    cells = body.flow_cells
    return np.unique(body.Q.dofmap.list[cells].reshape(-1))


# -- E1, E2: pressure by plated charge -----------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("law", [LIQUID, ELASTIC], ids=["liquid", "elastic"])
def test_pressure_rate_of_a_closed_ball(page, model, law):
    name, shape = ("E1", "sphere") if model == "axisymmetric" else ("E2", "cylinder")
    liquid = law is LIQUID
    check = page(
        name, "Inclusions with a misfit", part="plated",
        problem=f"A {shape} of {'liquid' if liquid else 'elastic'} lithium of radius 1 um in LLZO "
        "of radius 4 um, plated at a constant current.",
        reference="dp/dt = S V_m i/F, 1/S = a (1/(3 K) + u/(a p)), of the cylinder "
        + ("2 K" if liquid else "2 k_i") + " for 3 K; u that of the wall by Lame",
    )  # fmt: skip
    m = run(ball(model, law, h=0.1), Drive(current_density=1.0), [0.5, 0.5, 1.0])
    i = 4.0 ** (2 if model == "axisymmetric" else 1)
    exact = stiffness(model, liquid=liquid) * PER_CHARGE * i * 1e-6
    p = -m.state.stress / 2.0 * 1e-6
    if liquid:
        check.within("pressure rate, every vertex", p, np.full(p.shape, exact), 1e-3,
                     unit="MPa/s", why="a liquid is exact but for the mesh")  # fmt: skip
    mean = float(p @ m.layer.areas / m.layer.areas.sum())
    check.within("pressure rate, mean", mean, exact, 5e-3, unit="MPa/s", why="0.5 %")
    check.note("In lithium that never yields the current and so the pressure of single vertices "
               "vary by 0.5 % with the shape of the elements.")  # fmt: skip


def test_growth_does_not_strain_what_it_fits(page):
    check = page(
        "plating_growth",
        "Growth of bonded lithium as a jump of the displacement",
        problem="The same thickness at all vertices of an elastic sphere and cylinder, on three "
        "meshes.",
        reference="normal stress of E1 and E2; that of the forces at the interface",
    )
    for model in MODELS:
        errors = []
        for h in (0.24, 0.12, 0.06):
            plating = PlatingModel(ball(model, ELASTIC, h=h))
            thick = 1e-9
            plating.layer.grow(np.full(len(plating.layer.nodes), thick))
            plating.body.advance(1.0, 1.0)
            body = plating.body
            p = -plating.layer.normal_stress(body.latest, body.gradients())
            exact = stiffness(model) * thick
            w = plating.layer.areas
            errors.append(abs(p @ w / w.sum() / exact - 1))
            forces = InterfaceTraction(body, "interface", "lithium").evaluate()
            assert np.array_equal(forces.nodes, plating.layer.nodes)
            check.within(f"{model}, forces at the interface, h = {h} um", p,
                         -forces.normal_stress, 5e-3, scale=exact,
                         why="one stress in two ways, means over curved elements")  # fmt: skip
            check.within("plated volume", plating.plated_volume, thick * w.sum(), 1e-12,
                         unit="m^2", why="rounding")  # fmt: skip
        rate = np.polyfit(np.log([0.24, 0.12, 0.06]), np.log(errors), 1)[0]
        check.within(f"{model}, mean pressure, rate", rate, 1.0, 0.5,
                     why="elements share the jump out over their height")  # fmt: skip


# -- relaxation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_relaxation_at_a_held_potential(page, model):
    check = page(
        "plating_relaxation", "Pressure that stops its own current",
        problem="A sphere (or cylinder) of liquid lithium in LLZO with linear kinetics, held at "
        "-10 mV from the start.",
        reference="p = p_e (1 - exp(-t/tau)), p_e = F dphi/V_m, tau = (F/V_m)^2 R/S with R = Z + "
        "the ohmic resistance of the shell per area of the lithium and S of E1, E2",
        part=model,
    )  # fmt: skip
    a, b = 1.0 * UM, 4.0 * UM
    shell = a**2 * (1 / a - 1 / b) if model == "axisymmetric" else a * np.log(b / a)
    S = stiffness(model, liquid=True)
    tau = (Z + shell / KAPPA) / (PER_CHARGE**2 * S)
    pe = 0.01 / PER_CHARGE
    end = 1.5 * tau
    found = []
    counts = [6, 12, 24, 48]
    for n in counts:
        m = run(ball(model, h=0.15), Drive(potential=-0.01), [end / n] * n)
        found.append(-float(m.state.stress @ m.layer.areas / m.layer.areas.sum()))
    exact = pe * (1 - np.exp(-1.5))
    # backward Euler in closed form, step by step: the time constant of the mesh without its error
    euler = [pe * (1 - (1 + 1.5 / n) ** -n) for n in counts]
    check.within("pressure after n steps", found, euler, 5e-4, unit="Pa",
                 why="the same steps of the scalar equation")  # fmt: skip
    order = np.polyfit(np.log(counts), np.log(np.abs(np.array(found) - exact)), 1)[0]
    check.within("order in time", -order, 1.0, 0.1, why="fitted over a factor of 8")
    limit = 2 * found[-1] - found[-2]
    tau_found = -end / np.log(1 - limit / pe)
    check.within("time constant", tau_found, tau, 5e-3, unit="s", why="0.5 %, extrapolated")


# -- balances and iterations ---------------------------------------------------------------------


@pytest.mark.parametrize("finite", [False, True], ids=["small", "finite"])
def test_balances_and_dissipation(page, finite):
    check = page(
        "plating_balances", "Charge, volume and energy of plated lithium",
        problem="A closed slit of creeping lithium: plated, at rest, stripped.",
        reference="charge in = charge out; plated volume = V_m charge/F in the elements and in "
        "their growth; work of growth = stored + dissipated, dissipation never negative",
        part="finite strain" if finite else "small strain",
    )  # fmt: skip
    model = PlatingModel(closed_slit(finite=finite))
    time, worst_charge, worst_volume, least = 0.0, 0.0, 0.0, np.inf
    iterations = []
    for current, dts in ((10.0, [0.02] * 20), (0.0, [0.05] * 6), (-8.0, [0.02] * 10)):
        for dt in dts:
            time += dt
            trial = model.advance(time, dt, Drive(current_density=current))
            model.accept()
            least = min(least, trial.monitors["dissipation"])
            worst_charge = max(worst_charge, trial.monitors["charge_defect"])
            worst_volume = max(worst_volume, trial.monitors["mass_defect"])
            iterations.append(trial.iterations)
        check.within(f"capacity after {current:g} A/m^2", trial.monitors["current_density"],
                     current, 1e-10, scale=10.0, unit="A/m^2", why="given")  # fmt: skip
    assert least >= 0
    check.within("charge", worst_charge, 0.0, 1e-10, scale=1.0, why="of each step")
    check.within("volume", worst_volume, 0.0, 1e-10, scale=1.0, why="since the start")
    check.within("typical iterations of Newton", float(np.median(iterations)), 0.0, 5.0, scale=1.0,
                 why="at most 5")  # fmt: skip
    check.note(f"Iterations: median {np.median(iterations):g}, largest {max(iterations)}.")
    if not finite:
        change = volume_change(model.body, "lithium")
        squeezed = model.plated_volume - change
        pressure = trial.monitors["pressure_mean"]
        K = LITHIUM[0] / (3 * (1 - 2 * LITHIUM[1]))
        volume = model.body.integral(np.ones(model.body.points.n))
        check.within("volume of the lithium", squeezed, pressure / K * volume, 1e-8,
                     unit="m^2", why="growth minus compression: Newton's tolerance")  # fmt: skip


def test_work_of_growth_is_stored_or_dissipated(page):
    check = page(
        "plating_balances",
        "Charge, volume and energy of plated lithium",
        part="work of growth",
        problem="The closed slit plated for 0.2 s in ever shorter steps.",
        reference="sum of -sigma_n dh A (trapezoidal) = stored + dissipated, to first order in dt",
    )
    rest = []
    counts = (5, 10, 20, 40)
    for n in counts:
        model, work, lost, time = PlatingModel(closed_slit()), 0.0, 0.0, 0.0
        for _ in range(n):
            time += 0.2 / n
            old = model.state
            trial = model.advance(time, 0.2 / n, Drive(current_density=10.0))
            model.accept()
            new, lost = model.state, lost + trial.monitors["dissipation"]
            mean = -0.5 * (new.stress + old.stress)
            work += float(mean * (new.thickness - old.thickness) @ model.layer.areas)
        rest.append(abs(work - model.body.stored - lost) / work)
    check.within("what is missing, 40 steps", rest[-1], 0.0, 1e-3, scale=1.0, why="1 per mille")
    order = -np.polyfit(np.log(counts), np.log(rest), 1)[0]
    assert order > 0.8, (order, rest)


@pytest.mark.parametrize("law", [LIQUID, BULK], ids=["liquid", "creeping"])
def test_two_ways_to_the_same_numbers(page, law):
    check = page(
        "plating_coupling",
        "Monolithic and staggered coupling",
        problem="One step from rest of a closed sphere of lithium at -20 mV, of length dt; tau is "
        "the time in which pressure stops the current.",
        reference="each other; a step does not depend on how it is solved",
        part="liquid" if law is LIQUID else "creeping",
    )
    S = stiffness("axisymmetric", liquid=True)
    tau = (Z + 0.75 * UM / KAPPA) / (PER_CHARGE**2 * S)
    ratios, counts = [0.1, 1.0, 10.0], {"monolithic": [], "staggered": []}
    for ratio in ratios:
        dt, found = ratio * tau, {}
        for method in counts:
            model = PlatingModel(ball("axisymmetric", law, h=0.2, method=method, agreement=1e-10))
            trial = model.advance(dt, dt, Drive(potential=-0.02))
            counts[method].append(trial.iterations)
            found[method] = trial.monitors
        for name in ("current_density", "pressure_max", "pressure_mean"):
            a, b = (found[m][name] for m in counts)
            size = 20.0 if name == "current_density" else abs(a)
            check.within(f"{name}, dt = {ratio:g} tau", b, a, 1e-8, scale=size,
                         why="tolerance of the staggered solution 1e-10")  # fmt: skip
    model = PlatingModel(ball("axisymmetric", law, h=0.2, method="staggered"))
    with pytest.raises(SolverError, match="too thin"):  # plates at -20 mV before pressure is felt
        model.advance(100 * tau, 100 * tau, Drive(potential=-0.02))
    assert model.body.growth.volume("interface") == 0 and model.state.rate is None
    model = PlatingModel(ball("axisymmetric", law, h=0.2))
    trial = model.advance(100 * tau, 100 * tau, Drive(potential=-0.02))
    counts["monolithic"].append(trial.iterations)
    if law is LIQUID:
        assert max(counts["monolithic"]) <= 2, counts  # a linear problem, however stiff
    ratios.append(100.0)
    counts["staggered"].append("none")
    for method, n in counts.items():
        words = ", ".join(f"{k} at {r:g} tau" for k, r in zip(n, ratios, strict=True))
        what = "a liquid" if law is LIQUID else "bulk lithium, q^6.6"
        check.note(f"Iterations, {method}, {what}: {words}.")


# -- ranks and restart ---------------------------------------------------------------------------

DRIVES = ((0.05, 10.0), (0.1, 10.0), (0.1, 10.0), (0.1, 0.0), (0.2, -5.0))


def march(model, steps, time=0.0):
    rows = []
    for dt, current in steps:
        time += dt
        trial = model.advance(time, dt, Drive(current_density=current))
        model.accept()
        rows.append([*trial.monitors.values(), trial.error])
    return time, np.array(rows)


def test_ranks_and_restart(page, mpirun, tmp_path):
    check = page(
        "plating_restart",
        "Plating on several ranks, and taken up again",
        problem="A closed slit of bulk lithium, Butler-Volmer: plated, at rest, stripped.",
        reference="the uninterrupted run on one rank",
    )
    whole = PlatingModel(closed_slit())
    _, rows = march(whole, DRIVES)
    first = PlatingModel(closed_slit())
    time, _ = march(first, DRIVES[:3])
    saved = first.save()
    second = PlatingModel(closed_slit())
    second.load(saved)
    _, after = march(second, DRIVES[3:], time)
    sizes = np.abs(rows).max(axis=0)
    names = ["voltage", "current_density", "capacity", "pressure_max", "pressure_mean",
             "dissipation"]  # fmt: skip
    for k, name in enumerate(names):
        check.within(f"{name} after a restart", after[:, k], rows[3:, k], 1e-10, scale=sizes[k],
                     why="the state is whole")  # fmt: skip
    np.savez(tmp_path / "state.npz", **saved)
    mpirun(3, __file__, tmp_path, timeout=120)
    several = np.load(tmp_path / "three.npz")
    for k, name in enumerate(names):
        check.within(f"{name} on three ranks", several["rows"][:, k], rows[:, k], 1e-6,
                     scale=sizes[k], why="1e-6 of nonlinear problems")  # fmt: skip
        check.within(f"{name}, one rank's state on three", several["after"][:, k], rows[3:, k],
                     1e-6, scale=sizes[k], why="1e-6")  # fmt: skip


def on_ranks(folder):
    from pathlib import Path

    comm = MPI.COMM_WORLD
    model = PlatingModel(closed_slit())
    _, rows = march(model, DRIVES)
    state = dict(np.load(Path(folder) / "state.npz")) if comm.rank == 0 else {}
    taken = PlatingModel(closed_slit())
    taken.load(state)
    _, after = march(taken, DRIVES[3:], sum(dt for dt, _ in DRIVES[:3]))
    if comm.rank == 0:
        np.savez(Path(folder) / "three.npz", rows=rows, after=after)


if __name__ == "__main__":
    on_ranks(sys.argv[1])
