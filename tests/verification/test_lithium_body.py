"""Bodies with flowing lithium: creep and flow in closed form, energy, locking, ranks, restart."""

import json
from pathlib import Path

import numpy as np
import pytest
from bodies import LITHIUM, block, core_and_ring, length, material, on, pressure, ring
from mpi4py import MPI
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton, Plastic
from ssbmech.problem import Constraint, Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem

pytestmark = pytest.mark.verification

N = 6.6
CREEP = 6.7e-3 * 1e-6**N  # [Pa^-n/s], lithium at 298 K
A_S = 3 ** ((N + 1) / 2) * CREEP  # shear rate = A_s tau^n
UM = 1e-6


def until_steady(system, dt, *, growth=3.0, steps=12):
    """Steps that grow until the velocity does not change; returns the last two outflow states."""
    time = 0.0
    report = None
    for _ in range(steps):
        report = system.advance(time + dt, dt)
        system.accept()
        time, dt = time + dt, dt * growth
    assert report is not None and report.rate_change < 1e-4, report.rate_change
    return time, dt / growth


# -- L4 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finite", [False, True], ids=["small strain", "finite strain"])
def test_L4_cavity_in_creeping_lithium(page, finite):
    a, b, P = 1.0, 5.0, 1.0e6
    mesh = on(MPI.COMM_WORLD, ring(a, b, 10, 6, ratio=6.0), b)
    system = BodySystem(
        BodyProblem(
            mesh, "axisymmetric", {"lithium": material()},
            {"lithium": Flow(Norton(CREEP, N), finite)},
            loads=(Load(SurfaceLoad("right", pressure=pressure(P))),),
            holds=(Hold("bottom", {1: length(0.0)}), Hold("top", {0: length(0.0)})),
        )
    )  # fmt: skip
    net = P / (1 - (a / b) ** (3 / N))
    exact = CREEP / 2 * (1.5 * net / N) ** N
    # stress far from the wall takes its steady form when creep there outweighs elastic strain
    last, total = 0.01 / exact, 0.0
    for dt in last * 2.0 ** np.arange(-9, 1):
        report = system.advance(total + dt, dt)
        system.accept()
        total += dt
    x = system.V.tabulate_dof_coordinates()[:, :2] * b * UM
    wall = np.abs(np.hypot(x[:, 0], x[:, 1]) / (a * UM) - 1) < 1e-9
    now = (x + system.displacement if finite else x)[wall]
    rate = (system.rate[system.where].reshape(-1, 2) * b * UM)[wall]
    radius = np.hypot(now[:, 0], now[:, 1])
    closing = -np.sum(rate * now, axis=1) / radius**2
    if finite:  # the shell at the end of the step
        inner, outer = (
            radius.mean(),
            ((b * UM) ** 3 - (a * UM) ** 3 + radius.mean() ** 3) ** (1 / 3),
        )
        exact = CREEP / 2 * (1.5 * P / (1 - (inner / outer) ** (3 / N)) / N) ** N
    check = page(
        "L4", "Spherical cavity in creeping lithium", part="finite" if finite else "small",
        problem="Shell of lithium (n = 6.6, b = 5 a) under 1 MPa outside; meridian of 10 x 6 "
        "squares, quadratic displacement, " + ("finite" if finite else "small") + " strain",
        reference="|a'|/a = (B/2)(3 P'/2n)^n, P' = P/[1 - (a/b)^(3/n)]",
    )  # fmt: skip
    check.within(
        "rate of closing, every node of the wall", closing, exact, 0.02, unit="1/s",
        why="asked for: 2 %",
    )  # fmt: skip
    assert report.rate_change < 0.05 and report.dissipation > 0


# -- L5 --------------------------------------------------------------------------------------------


def channel(model, H, L, drop, n_across):
    along, across = (1, 0) if model == "axisymmetric" else (0, 1)

    def place(p):
        return p * ([H, L] if model == "axisymmetric" else [L, H])

    wall, axis = ("right", "left") if model == "axisymmetric" else ("top", "bottom")
    ends = ("bottom", "top") if model == "axisymmetric" else ("left", "right")
    cells = (n_across, 3) if model == "axisymmetric" else (3, n_across)
    mesh = on(MPI.COMM_WORLD, block(*cells, place=place), L)
    zero = length(0.0)
    problem = BodyProblem(
        mesh, model, {"lithium": material()}, {"lithium": Flow(Norton(CREEP, N))},
        loads=(Load(SurfaceLoad(ends[0], pressure=pressure(drop))),),
        holds=(
            Hold(wall, {0: zero, 1: zero}), Hold(axis, {across: zero}),
            *(Hold(end, {across: zero}) for end in ends),
        ),
    )  # fmt: skip
    return BodySystem(problem), ends, along


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"], ids=["slit", "pipe"])
def test_L5_flow_along_a_channel(page, model):
    H, L, drop = 1.0, 2.0, 6.0e6
    system, ends, _ = channel(model, H, L, drop, 8)
    g = drop / (L * UM)
    if model == "plane_strain":
        exact = A_S * g**N * (H * UM) ** (N + 2) / (N + 2)  # half of the slit
        words = "q = 2 A_s g^n H^(n+2)/(n+2)"
    else:
        exact = np.pi * A_S * (g / 2) ** N * (H * UM) ** (N + 3) / (N + 3)
        words = "Q = pi A_s (g/2)^n R^(n+3)/(n+3)"
    _, dt = until_steady(system, 1e-3)
    before = {end: monitors.outflow(system, end) for end in ends}
    system.advance(system.time + dt, dt)
    after = {end: monitors.outflow(system, end) for end in ends}
    out, into = (sign * (after[e] - before[e]) / dt for e, sign in ((ends[1], 1), (ends[0], -1)))
    check = page(
        "L5", "Flow of lithium along a slit and a pipe", part=model,
        problem="Channel of two half-gaps' length between two pressures, no slip; 8 squares of two "
        "triangles across, quadratic displacement; steps until the velocity is steady",
        reference=words + " with A_s = 3^((n+1)/2) B",
    )  # fmt: skip
    check.within("flow", out, exact, 0.02, unit="m^2/s or m^3/s", why="asked for: 2 %")
    check.within("in and out", into, out, 1e-6, unit="m^2/s or m^3/s", why="volume is kept")


# -- locking ---------------------------------------------------------------------------------------


def test_near_incompressible_tube_does_not_lock(page):
    a, b, p, E, nu = 1.0, 2.0, 1e6, 7.8e9, 0.49999
    mesh = on(MPI.COMM_WORLD, ring(a, b, 4, 4), b)
    exact = (1 + nu) * p * a / (E * (b**2 - a**2)) * ((1 - 2 * nu) * a**2 + b**2)
    holds = (Hold("bottom", {1: length(0.0)}), Hold("top", {0: length(0.0)}))
    load = SurfaceLoad("left", pressure=pressure(p))
    mixed = BodySystem(
        BodyProblem(
            mesh, "plane_strain", {"lithium": material(E, nu)},
            {"lithium": Flow(Plastic(1e12))}, loads=(Load(load),), holds=holds,
        )
    )  # fmt: skip
    mixed.advance(1.0, 1.0)

    def wall(V, u):
        x = V.tabulate_dof_coordinates()[:, :2] * b
        r = np.hypot(x[:, 0], x[:, 1])
        on_it = np.abs(r - a) < 1e-6
        return float(np.mean(np.sum(u * x, axis=1)[on_it] / r[on_it])) / UM

    plain = {}
    for degree in (1, 2):
        solution = ElasticSystem(
            Problem(
                mesh, "plane_strain", {"lithium": material(E, nu)}, (load,),
                tuple(Constraint(h.group, h.value) for h in holds), degree=degree,
            )
        ).solve()  # fmt: skip
        V = solution.u.function_space
        plain[degree] = wall(V, solution.u.x.array.reshape(-1, 2) * b * UM)
    check = page(
        "locking", "Nearly incompressible tube under pressure",
        problem="Plane strain, nu = 0.49999, b = 2 a, 4 x 4 squares over a quarter; displacement "
        "and mean stress as flowing lithium has them (with a yield stress that is never reached), "
        "beside displacement alone",
        reference="u(a) = (1 + nu) p a [(1 - 2 nu) a^2 + b^2]/[E (b^2 - a^2)]",
    )  # fmt: skip
    u = exact * UM / UM
    check.within(
        "u(a), mixed", wall(mixed.V, mixed.displacement), u, 2e-3, unit="um", why="4 cells"
    )
    check.note(
        f"Displacement alone: linear {plain[1] / u:.1%}, quadratic {plain[2] / u:.2%} of u(a)."
    )
    assert plain[1] < 0.25 * u, "linear displacements are known to lock here"


# -- growth in a closed pocket ---------------------------------------------------------------------


@pytest.mark.parametrize("finite", [False, True], ids=["small strain", "finite strain"])
def test_lithium_plated_into_a_closed_pocket(page, finite):
    """Where lithium creeps until its stress is a pressure, only volumes count.

    The volume V g that is plated goes into the compression of the lithium and the opening of the
    cavity, u(a)/a = p [a^3/(3 K) + b^3/(4 G)]/(b^3 - a^3) (Lame):
    g = p/K_Li + 3 u(a)/a.
    """
    a, b, E, nu = 1.0, 3.0, 150e9, 0.26
    mesh = on(MPI.COMM_WORLD, core_and_ring(a, b, 0.2, names=("lithium", "sse")), b)
    system = BodySystem(
        BodyProblem(
            mesh, "axisymmetric", {"lithium": material(), "sse": material(E, nu)},
            {"lithium": Flow(Norton(CREEP, N), finite)}, growth={"interface": "lithium"},
            holds=(Hold("bottom", {1: length(0.0)}), Hold("top", {0: length(0.0)})),
        )
    )  # fmt: skip
    traction = monitors.InterfaceTraction(system, "interface", "lithium")
    K, G = E / 3 / (1 - 2 * nu), E / 2 / (1 + nu)
    bulk = LITHIUM[0] / 3 / (1 - 2 * LITHIUM[1])
    opening = 3 * (a**3 / (3 * K) + b**3 / (4 * G)) / (b**3 - a**3)

    def plate(thickness):
        """To a thickness [um] within 400 s, then rest until nothing creeps."""
        start, before = system.time, plated[-1]
        for k in range(1, 5):
            system.growth.set("interface", (before + (thickness - before) * k / 4) * UM)
            step(start + 100.0 * k, 100.0)
        for dt in 1e3 * 10.0 ** np.arange(8):
            step(system.time + dt, dt)
        plated.append(thickness)
        return traction.evaluate()

    def step(time, dt):
        iterations.append(system.advance(time, dt).newton.iterations)
        system.accept()

    plated, iterations = [0.0], []
    h = 0.002
    full = plate(h)
    areas = system.growth.layers["interface"].areas.sum()
    # a hemisphere, whose volume the mesh has to 1e-4
    volume = 2 / 3 * np.pi * (a * UM) ** 3
    g = h * UM * areas / volume
    p = g / (1 / bulk + opening)
    check = page(
        "pocket", "Lithium plated into a closed pocket", part="finite" if finite else "small",
        problem="0.2 % of the radius is plated inside a sphere of lithium (n = 6.6) in a shell of "
        "LLZO (b = 3 a) by growth of the cells at the interface, then rest; and stripped again",
        reference="g = p/K + 3 u(a)/a, g = 3 h/a, u(a) of Lame's shell",
    )  # fmt: skip
    tolerance = 0.01
    check.within(
        "pressure at the interface, every vertex", -full.normal_stress, p, tolerance, unit="Pa",
        why="some stress is left that does not creep any more (n = 6.6); finite: g is 0.6 %",
    )  # fmt: skip
    mean, _ = monitors.pressures(system, "lithium")
    check.within("mean pressure in the lithium", mean, p, tolerance, unit="Pa", why="as above")
    check.within(
        "change of the lithium's volume", monitors.volume_change(system, "lithium"),
        volume * p * opening, tolerance, unit="m^3", why="as above",
    )  # fmt: skip
    empty = plate(0.0)
    check.within(
        "pressure after stripping all of it", -empty.normal_stress, 0.0, 5e-3, scale=p, unit="Pa",
        why="what does not creep any more",
    )  # fmt: skip
    assert np.mean(iterations) <= 6, iterations


# -- energy ----------------------------------------------------------------------------------------


VISCOUS = Norton(1 / (3 * 2.826e9 * 10.0), 1.0)  # relaxes within 10 s


def balance(steps, law, finite=False):
    """Defect of the energy balance over the work, for one history with this many steps."""
    mesh = on(MPI.COMM_WORLD, block(3, 3, place=lambda p: p * 10), 10.0)
    system = BodySystem(
        BodyProblem(
            mesh, "plane_strain", {"lithium": material()},
            {"lithium": Flow(law, finite)},
            loads=(Load(SurfaceLoad("right", pressure=pressure(5e5)), lambda t: t / 40.0),),
            holds=(
                Hold("left", {0: length(0.0)}), Hold("bottom", {0: length(0.0), 1: length(0.0)}),
                Hold("top", {1: Formula.parse("x / 10 um * -0.1 um", "length")},
                     factor=lambda t: t / 40.0),
            ),
        )
    )  # fmt: skip
    work = lost = 0.0
    for k in range(1, steps + 1):
        report = system.advance(40.0 * k / steps, 40.0 / steps)
        assert report.dissipation >= 0
        work, lost = work + report.work, lost + report.dissipation
        system.accept()
    return abs(work - system.stored - lost) / work


@pytest.mark.parametrize("finite", [False, True], ids=["small strain", "finite strain"])
def test_energy_is_balanced(page, finite):
    steps = np.array([8, 16, 32])
    defects = np.array([balance(n, VISCOUS, finite) for n in steps])
    creep = np.array([balance(n, Norton(CREEP, N), finite) for n in steps])
    check = page(
        "energy", "Energy of creeping lithium", part="finite" if finite else "small",
        problem="A square squeezed unevenly at growing load, stored energy and dissipation summed "
        "over the steps; a linear law that relaxes within 10 of 40 s, and lithium's",
        reference="Work of the outer forces = stored + dissipated; implicit Euler: defect ~ dt",
    )  # fmt: skip
    rate = np.log(defects[-2] / defects[-1]) / np.log(2)
    check.within("rate of the defect, linear law", rate, 1.0, 0.1, why="first order in time")
    rates = np.log(creep[:-1] / creep[1:]) / np.log(2)
    # most of the rise of the stress takes place while hardly anything flows: better than 1
    assert rates.min() > 0.9
    check.within("defect over work, lithium, 32 steps", creep[-1], 0.0, 0.015, scale=1.0)
    lines = {"linear": (steps, defects), "lithium": (steps, creep)}
    check.plot("steps", "defect over work", lines, log=True)


# -- ranks and restart -----------------------------------------------------------------------------

SCRIPT = """
import json, sys
import numpy as np
sys.path.insert(0, {folder!r})
from bodies import block, length, material, on, pressure
from mpi4py import MPI
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.anand import AnandII
from ssbmech.materials.flow import Norton
from ssbmech.problem import SurfaceLoad

comm = MPI.COMM_WORLD
start, stop, source, target, out = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]

class Spring:
    group = "top"
    def bind(self, surface):
        self.areas = surface.areas
    def nodes(self, x, u):
        k = 1e11 * self.areas[:, None, None] * np.eye(2)
        push = 3e5 * self.areas[:, None] * np.array([0.3, -1.0])
        return push - np.einsum("nij,nj->ni", k, u), k

mesh = on(comm, block(6, 6, place=lambda p: p * 10, group=lambda c: (c[:, 1] > 0.5) * 1,
                      names=("lithium", "sse"), inside="interface"), 10.0)
law = Norton(6.7e-3 * 1e-6**6.6, 6.6) if {law!r} == "norton" else AnandII(
    4.25e4, 37e3, 0.15, 0.95e6, 10e6, 2.0e6, 2.0, 0.05, 298.15)
body = BodySystem(BodyProblem(
    mesh, {model!r}, {{"lithium": material(), "sse": material(150e9, 0.26)}},
    {{"lithium": Flow(law, {finite})}},
    loads=(Load(SurfaceLoad("right", pressure=pressure(-2e5)), lambda t: t / 40),),
    holds=(Hold("left", {{0: length(0.0)}}), Hold("bottom", {{1: length(0.0)}})),
    growth={{"interface": "lithium"}}, laws=(Spring(),), rtol=1e-12, reuse=0.0))
if source != "-":
    body.load(dict(np.load(source)) if comm.rank == 0 else {{}})
for k in range(start, stop):
    body.growth.set("interface", 2e-8 * (k + 1))
    body.advance(10.0 * (k + 1), 10.0)
    body.accept()
found = monitors.InterfaceTraction(body, "interface", "lithium").evaluate()
state = body.save()
result = dict(nodes=found.nodes.tolist(), stress=found.normal_stress.tolist(),
              areas=found.areas.tolist(), volume=body.growth.volume("interface"),
              swell=monitors.volume_change(body, "lithium"),
              pressures=monitors.pressures(body, "lithium"),
              force=monitors.reaction(body, "bottom").tolist(), stored=body.stored)
if comm.rank == 0:
    np.savez(target, **state)
    json.dump(result, open(out, "w"))
"""


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("model", "finite", "law"),
    [("plane_strain", True, "norton"), ("axisymmetric", False, "anand")],
)
def test_ranks_and_restart(page, mpirun, tmp_path, model, finite, law):
    script = tmp_path / "march.py"
    folder = str(Path(__file__).parent)
    script.write_text(SCRIPT.format(folder=folder, model=model, finite=finite, law=law))

    def run(ranks, start, stop, source, name):
        target, out = tmp_path / f"{name}.npz", tmp_path / f"{name}.json"
        mpirun(ranks, script, start, stop, source, target, out, timeout=240)
        return target, json.loads(out.read_text())

    whole, one = run(1, 0, 4, "-", "whole")
    half, _ = run(1, 0, 2, "-", "half")
    rest, three = run(3, 2, 4, half, "rest")
    check = page(
        "ranks", "Flowing lithium on several ranks", part=f"{model} {law}",
        problem="Lithium that creeps and grows under an electrolyte on springs: 4 steps on one "
        "rank; 2 on one, saved, loaded on 3 ranks, 2 more",
        reference="The uninterrupted run",
    )  # fmt: skip
    assert one["nodes"] == three["nodes"]
    for name in ("stress", "areas", "volume", "swell", "pressures", "stored"):
        check.within(name, three[name], one[name], 1e-10, why="asked for: 1e-10")
    a, b = np.load(whole), np.load(rest)
    assert set(a.files) == set(b.files)
    for name in ("displacement", "mean_stress", "plastic", "state", "slip", "growth:interface"):
        if np.abs(a[name]).max(initial=0.0) > 0:
            check.within(f"state: {name}", b[name].ravel(), a[name].ravel(), 1e-10, why="as above")


FAILS = """
import sys
import numpy as np
sys.path.insert(0, {folder!r})
from bodies import block, length, material, on
from mpi4py import MPI
from ssbmech.errors import CaseError, SolverError
from ssbmech.lithium.problem import BodyProblem, Flow, Hold
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton

comm = MPI.COMM_WORLD
mesh = on(comm, block(5, 5, place=lambda p: p * 10), 10.0)

class Law:
    group, fails = "top", False
    def bind(self, surface):
        self.n = len(surface.areas)
    def nodes(self, x, u):
        if self.fails and comm.rank == 1:
            raise CaseError("lost")
        return np.zeros((self.n, 2)), np.zeros((self.n, 2, 2))

law = Law()
held = (Hold("left", {{0: length(0.0)}}), Hold("bottom", {{0: length(0.0), 1: length(0.0)}}),
        Hold("top", {{1: length(-1e-6)}}, factor=lambda t: t))
body = BodySystem(BodyProblem(mesh, "plane_strain", {{"lithium": material()}},
    {{"lithium": Flow(Norton(6.7e-3 * 1e-6**6.6, 6.6))}}, holds=held, laws=(law,), limit=3))
body.advance(1e-4, 1e-4)
body.accept()
before = body.accepted.copy()
texts = []
for k, kind in enumerate((SolverError, CaseError)):
    law.fails = k == 1
    try:
        body.advance(1.0, 1.0)
    except kind as error:
        texts.append(str(error)[:30])
assert (body.accepted == before).all() and (body.w.x.array == before).all()
every = comm.allgather(texts)
assert all(t == every[0] for t in every) and len(texts) == 2, every
law.fails = False
body.advance(2e-4, 1e-4)
print("all failed alike")
"""


@pytest.mark.mpi
def test_a_step_fails_on_every_rank(mpirun, tmp_path):
    script = tmp_path / "fails.py"
    script.write_text(FAILS.format(folder=str(Path(__file__).parent)))
    assert mpirun(3, script, timeout=120).stdout.count("all failed alike") == 3
