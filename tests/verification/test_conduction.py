"""Currents against closed forms: K1 to K7, a manufactured solution, Newton's rate, ranks."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from scipy.optimize import brentq
from ssbmech.config_load import case_from
from ssbmech.domain import distribute
from ssbmech.electro.edges import singular_points
from ssbmech.electro.local import lattice, sample, spread
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.solve import solve
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.meshes import catalog
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.features import Impurity, Protrusion, Void
from ssbmech.meshes.restrict import restrict
from ssbmech.physics import kinetics
from ssbmech.run import compute

pytestmark = pytest.mark.verification

KAPPA = 0.046  # S/m
CURRENT = 5.0  # A/m^2: 0.5 mA/cm^2
F_OVER_V = 7.422e6 / 1e-3  # Pa/V, physics of lithium: 7.422 MPa/mV
FLAT = {"width": 20.0, "electrolyte": 10.0, "lithium": 5.0, "order": 1}


def conductors(geometry, groups=("electrolyte",), **parameters):
    """The conducting part of a geometry, on rank 0 and on all ranks."""
    comm, part = MPI.COMM_WORLD, None
    if comm.rank == 0:
        part = restrict(catalog.build(geometry, **parameters), groups)
    part = comm.bcast(part)
    return part, distribute(comm, part, length=float(np.ptp(part.points, axis=0).max()) * 1e-6)


def source(current=CURRENT, group="cathode_plane"):
    """Li+ comes from here at a given mean current density: lithium elsewhere plates."""
    return Electrode(group, (group,), "none", potential=None, current_density=current)


def on(group, kind="none", **data):
    return Electrode(group, (group,), kind, **data)


def problem(domain, *electrodes, model="plane_strain", kappa=None, **data):
    kappa = dict.fromkeys(domain.cell_groups, KAPPA) if kappa is None else kappa
    return ElectricProblem(domain, model, kappa, electrodes, **data)


def solved(*words, **data):
    solution = solve(problem(*words, **data))
    assert solution.imbalance < 1e-10  # whatever the mesh
    return solution


# -- planar cells --------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [None, 10.0])
def test_planar_cell(page, depth):
    check = page(
        "K1", "Planar cell", problem="electrolyte of thickness t, interface with Z, voltage V",
        reference="i = V/(t/kappa + Z)",
    )  # fmt: skip
    _, domain = conductors("cell", depth=depth, **FLAT)
    model = "plane_strain" if depth is None else "3d"
    t, Z, V = 10e-6, 5e-4, 0.1
    for kind, total in (({"kind": "none"}, 0.0), ({"kind": "linear", "resistance": Z}, Z)):
        s = solved(domain, on("cathode_plane", potential=V), on("li_sse", **kind), model=model)
        check.within(
            f"i, Z = {total:g} ohm m^2, {model}", s.mean_current_density("cathode_plane"),
            V / (t / KAPPA + total), 1e-8, unit="A/m^2", why="linear potential: exact",
        )  # fmt: skip
        s = solved(domain, source(), on("li_sse", **kind), model=model)
        check.within(
            f"voltage at given current, Z = {total:g}, {model}", s.potentials["cathode_plane"],
            CURRENT * (t / KAPPA + total), 1e-8, unit="V",
        )  # fmt: skip


def test_layers_in_series(page):
    check = page(
        "K1", "Planar cell", problem="reaction layer and electrolyte in series",
        reference="i = V/(t1/k1 + t2/k2)",
    )  # fmt: skip
    _, domain = conductors("cell", ("electrolyte", "interphase"), interphase=0.5, **FLAT)
    group = next(g for g in domain.facet_groups if g.startswith("lithium_"))
    kappa = {"electrolyte": KAPPA, "interphase": 1e-6}
    s = solved(domain, on("cathode_plane", potential=0.1), on(group), kappa=kappa)
    exact = 0.1 / (0.5e-6 / 1e-6 + 10e-6 / KAPPA)
    check.within(
        "i", s.mean_current_density("cathode_plane"), exact, 1e-8, unit="A/m^2",
        why="contrast of 46000 between the layers",
    )  # fmt: skip


def test_stress_shifts_equilibrium(page):
    check = page(
        "K2", "Equilibrium under stress", problem="no current; lithium under pressure p",
        reference="phi_m - phi_e = -p V_m/F, -0.1347 mV/MPa",
    )  # fmt: skip
    _, domain = conductors("cell", **FLAT)
    for p in (1e6, 10e6, 250e6):
        stress = Formula.constant(-p, "pressure")
        for kind in ({"kind": "butler_volmer", "i0": 50.0, "beta": 0.3}, {"kind": "none"},
                     {"kind": "linear", "resistance": 1e-3}):  # fmt: skip
            lithium = on("li_sse", normal_stress=stress, **kind)
            s = solve(problem(domain, source(0.0), lithium))
            eta = s.potentials["li_sse"] - s.potentials["cathode_plane"]
            check.within(
                f"eta at {p / 1e6:g} MPa, {kind['kind']}", eta, -p * 13.0e-6 / 96485.33212, 1e-6,
                unit="V",
            )  # fmt: skip
            assert eta == pytest.approx(-p / F_OVER_V, rel=1e-4)
    # and the other way round: at this voltage no current flows, at any other it does
    lithium = on("li_sse", "butler_volmer", i0=50.0, normal_stress=stress)
    s = solve(problem(domain, on("cathode_plane", potential=-eta), lithium))
    check.within(
        "current at that voltage", s.mean_current_density("li_sse"), 0.0, 1e-6, scale=50.0,
        unit="A/m^2", why="over the exchange current density",
    )  # fmt: skip
    s = solve(problem(domain, on("cathode_plane", potential=-eta + 1e-3), lithium))
    assert s.mean_current_density("li_sse") < -0.1  # plates


def test_butler_volmer_cell(page):
    check = page(
        "K7", "Planar Butler-Volmer cell",
        problem="Butler-Volmer on both sides, different i0 and beta",
        reference="V = i t/kappa + eta_1(i) + eta_2(i), scalar equation solved to 1e-12",
    )  # fmt: skip
    _, domain = conductors("cell", **FLAT)
    t, vt = 10e-6, kinetics.thermal_voltage(298.15)
    (i1, b1), (i2, b2) = (30.0, 0.5), (1.0, 0.35)

    def eta(i, i0, beta):  # independent of the code under test
        def f(e):
            return i0 * (np.exp((1 - beta) * e / vt) - np.exp(-beta * e / vt)) - i

        return brentq(f, -2.0, 2.0, xtol=1e-15, rtol=1e-14)

    def voltage(i):
        return i * t / KAPPA + eta(i, i1, b1) - eta(-i, i2, b2)

    sides = (
        on("cathode_plane", "butler_volmer", i0=i1, beta=b1),
        on("li_sse", "butler_volmer", i0=i2, beta=b2),
    )
    for V in (1e-3, 0.05, 0.4, -0.3):
        exact = brentq(lambda i, V=V: voltage(i) - V, -1e4, 1e4, xtol=1e-13, rtol=1e-14)
        s = solved(domain, replace(sides[0], potential=V), sides[1])
        check.within(
            f"i at {V:g} V", s.mean_current_density("cathode_plane"), exact, 1e-8, unit="A/m^2"
        )
        assert s.report.iterations <= 8
    for i in (1e-3, 1.0, 100.0, -300.0):
        driven = replace(sides[0], potential=None, current_density=i)
        s = solved(domain, driven, sides[1])
        check.within(f"V at {i:g} A/m^2", s.potentials["cathode_plane"], voltage(i), 1e-8, unit="V")
        assert s.report.iterations <= 5


# -- bodies in a uniform field -------------------------------------------------------------------


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_bump(page, model):
    check = page(
        "K3", "Conducting bump on a plane electrode",
        problem="half-cylinder or hemisphere of lithium in a uniform field",
        reference="local factor 2 cos(theta), 3 cos(theta) from the pole",
    )  # fmt: skip
    factor = 2 if model == "plane_strain" else 3
    part, domain = conductors(
        "cell", width=80.0, electrolyte=40.0, lithium=5.0, symmetry="x", h=0.12,
        protrusion=(Protrusion(1.0, radius=1.0),),
    )  # fmt: skip
    lithium = on("li_sse")
    coarse = solved(domain, source(), lithium, model=model)
    finer = solve(replace(coarse.problem, degree=3))
    sharp = singular_points(part, ["li_sse"]) * 1e-6
    found = spread(coarse, lithium, finer=finer, sharp=sharp)
    assert not found.refused and found.largest.error < 0.01 * factor
    check.within(
        f"largest over applied, {model}", -found.largest.density / CURRENT, factor, 0.01,
        why="field of the neighbours (R/W)^2 below 0.1 %",
    )  # fmt: skip
    assert found.largest.point * 1e6 == pytest.approx([0, 1, 0], abs=1e-6)
    points = sample(finer, lithium, lattice(2, 4))
    x, y = points.points[:, 0] * 1e6, points.points[:, 1] * 1e6
    bump = (np.hypot(x, y) < 1 + 1e-6) & (y > 1e-9)
    angle = np.arctan2(x[bump], y[bump])
    local = -points.density[bump] / CURRENT
    check.within(f"along the bump, {model}", local, factor * np.cos(angle), 0.01)
    order = np.argsort(angle)
    degrees = np.rad2deg(angle[order])
    check.plot(
        f"angle from the pole [deg], {model}", "factor",
        {"computed": (degrees, local[order]),
         "exact": (degrees, factor * np.cos(angle[order]))},
    )  # fmt: skip


def test_bump_in_3d(page):
    check = page(
        "K3", "Conducting bump on a plane electrode", problem="hemisphere in 3-D",
        reference="3 at the pole",
    )  # fmt: skip
    part, domain = conductors(
        "cell", width=20.0, depth=20.0, electrolyte=10.0, lithium=2.0, symmetry="xz", h=0.2,
        h_max=3.0, protrusion=(Protrusion(1.0, radius=1.0),),
    )  # fmt: skip
    lithium = on("li_sse")
    s = solved(domain, source(), lithium, model="3d", degree=3)
    found = spread(s, lithium, sharp=singular_points(part, ["li_sse"]) * 1e-6)
    check.within(
        "largest over applied, 3d", -found.largest.density / CURRENT, 3.0, 0.01,
        why="neighbours at 20 R: 0.1 %",
    )  # fmt: skip


def test_sphere_with_resistance(page):
    check = page(
        "K4", "Sphere with surface resistance", problem="half of it on an equipotential plane",
        reference="peak factor 3/(1 + 2 kappa Z/R)",
    )  # fmt: skip
    _, domain = conductors(
        "cell", width=80.0, electrolyte=40.0, lithium=5.0, symmetry="x", h=0.15,
        void=(Void(1.0, depth=1.0),),
    )  # fmt: skip
    for ratio in (0.03, 0.3, 3.0, 30.0):
        ball = on("void_sse", "linear", resistance=ratio * 1e-6 / KAPPA)
        s = solved(domain, source(), on("li_sse"), ball, model="axisymmetric")
        peak = spread(s, ball).largest
        check.within(
            f"peak at kappa Z/R = {ratio:g}", -peak.density / CURRENT, 3 / (1 + 2 * ratio), 0.01
        )
        assert peak.point * 1e6 == pytest.approx([0, 1, 0], abs=0.15)  # one element from the pole


def test_insulating_strip(page):
    check = page(
        "K5", "Insulating strip at the interface", problem="half-width a, uniform current far off",
        reference="|x|/sqrt(x^2 - a^2)",
    )  # fmt: skip
    part, domain = conductors(
        "cell", width=160.0, electrolyte=60.0, lithium=5.0, symmetry="x", h=0.03,
        impurity=(Impurity(1.0),),
    )  # fmt: skip
    lithium = on("li_sse")
    s = solved(domain, source(), lithium)
    points = sample(s, lithium, lattice(2, 2, inside=True))
    x = points.points[:, 0] * 1e6
    away = (x > 1.05) & (x < 20)
    local = -points.density / CURRENT
    exact = x / np.sqrt(np.maximum(x**2 - 1, 1e-12))
    error = np.abs(local[away] / exact[away] - 1).max()
    check.within("largest error, 1.05 a to 20 a", error, 0.0, 0.02, scale=1.0,
                 why="2 % away from the edge, where the current is infinite")  # fmt: skip
    check.plot("x/a", "i over the mean",
               {"computed": (x[away], local[away]), "exact": (x[away], exact[away])})  # fmt: skip
    sharp = singular_points(part, ["li_sse"]) * 1e-6
    refused = spread(s, lithium, sharp=sharp)
    assert refused.largest is None
    assert "no finite maximum without a resistance" in refused.refused
    stated = spread(s, lithium, sharp=sharp, distance=0.5e-6)
    # at the first point beyond 1.5 a the factor is the closed form's there
    at = stated.largest.point[0] * 1e6
    assert at == pytest.approx(1.5, abs=0.2) and at >= 1.5
    assert -stated.largest.density / CURRENT == pytest.approx(at / math.sqrt(at**2 - 1), rel=0.01)
    resisting = spread(solved(domain, source(), on("li_sse", "linear", resistance=1e-4)), lithium)
    assert resisting.largest is not None


def test_disc_contact(page):
    check = page(
        "K6", "Disc contact", problem="lithium disc of radius a on a large body",
        reference="R = 1/(4 kappa a)",
    )  # fmt: skip
    a, b = 1e-6, 200e-6
    _, domain = conductors("pellet", radius=b * 1e6, thickness=b * 1e6, contact=a * 1e6)
    far = Electrode("far", ("rim", "cathode_plane"), "none")
    s = solved(domain, on("contact", potential=0.1), far, model="axisymmetric")
    check.within("R", s.resistance, 1 / (4 * KAPPA * a), 0.01, unit="ohm",
                 why="the rest of the half-space, 1/(2 pi kappa b), is 0.3 % of R")  # fmt: skip


# -- numerics ------------------------------------------------------------------------------------


def square(n):
    """Regular triangles on (0, 10 um)^2 with ``low`` and ``high`` electrodes."""
    x = np.linspace(0, 10.0, n + 1)
    X, Y = np.meshgrid(x, x)
    number = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:])
    cells = np.concatenate(
        [np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)]
    )
    low = np.stack([number[0, :-1], number[0, 1:]], -1)
    high = np.stack([number[-1, :-1], number[-1, 1:]], -1)
    return MeshData(
        2, 1, np.stack([X.ravel(), Y.ravel(), 0 * X.ravel()], -1), cells,
        np.ones(len(cells), np.int32), np.concatenate([low, high]),
        np.repeat(np.array([1, 2], np.int32), n), {"electrolyte": 1}, {"low": 1, "high": 2},
    )  # fmt: skip


def manufactured(n, degree):
    """L2 error over RT/F of phi = A cos(pi x/L) cosh(pi y/L) with Butler-Volmer at y = L.

    The normal stress is what makes the kinetics agree with it.
    """
    L, A, U, i0 = 10e-6, 2e-3, 5e-3, 200.0
    domain = distribute(MPI.COMM_WORLD, square(n), length=L)
    vt = kinetics.thermal_voltage(298.15)
    to_pa = 96485.33212331 / 13.0e-6
    c = "cos(pi * x / 10 um)"
    phi = A * math.cosh(math.pi)
    q = KAPPA * A * math.pi / L * math.sinh(math.pi) / (2 * i0)
    low = Formula.parse(f"{to_pa * U!r} Pa - {to_pa * A!r} Pa * {c}", "pressure")
    high = Formula.parse(
        f"-{to_pa * phi!r} Pa * {c} - {to_pa * 2 * vt!r} Pa * "
        f"log({q!r} * {c} + sqrt(({q!r} * {c})^2 + 1))",
        "pressure",
    )
    s = solved(
        domain,
        on("low", "linear", resistance=1e-3, potential=U, normal_stress=low),
        on("high", "butler_volmer", i0=i0, normal_stress=high),
        degree=degree,
    )
    x = ufl.SpatialCoordinate(domain.mesh)
    exact = A / vt * ufl.cos(ufl.pi * x[0]) * ufl.cosh(ufl.pi * x[1])
    dx = ufl.Measure("dx", domain.mesh, metadata={"quadrature_degree": 2 * degree + 4})
    error = fem.assemble_scalar(fem.form((s.phi - exact) ** 2 * dx))
    return math.sqrt(domain.comm.allreduce(error)), s


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_manufactured_solution(page, degree):
    check = page(
        "K-rates", "Conduction: convergence", problem="nonlinear kinetics, closed-form potential",
        reference="error in L2 falls as h^(degree + 1)",
    )  # fmt: skip
    sizes = np.array([4, 8, 16, 32] if degree < 3 else [4, 8, 16])
    errors = [manufactured(n, degree)[0] for n in sizes]
    rate = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    check.within(f"rate, degree {degree}", rate, degree + 1, 0.07,
                 why="coarsest meshes are not yet asymptotic")  # fmt: skip


def test_newton_is_quadratic():
    _, domain = conductors(
        "cell", width=40.0, electrolyte=20.0, lithium=5.0, symmetry="x",
        protrusion=(Protrusion(6.0, radius=1.5),),
    )  # fmt: skip
    for drive in ({"potential": 0.3}, {"potential": None, "current_density": 100.0}):
        s = solved(
            domain, on("cathode_plane", **drive), on("li_sse", "butler_volmer", i0=20.0, beta=0.4)
        )
        h = np.array(s.report.history)
        assert set(s.report.steps) == {1.0}
        h = h[(h < 0.1) & (h > 1e-13)]
        assert len(h) >= 2, s.report.history
        # e' = C e^2: the exponent between steps, and C of order one
        assert np.all(h[1:] < 30 * h[:-1] ** 2), s.report.history


@pytest.mark.mpi
def test_ranks_agree(mpirun, tmp_path):
    """The shipped case on 1 and 3 ranks, linear and Butler-Volmer."""
    case = Path(__file__).parents[2] / "cases/current_focusing/case.toml"
    for kind, tolerance in (("linear", 1e-8), ("butler_volmer", 1e-6)):
        found = []
        for n in (1, 3):
            out = tmp_path / f"{kind}{n}"
            mpirun(n, "ssbmech", "run", case, "-o", out, "--no-figures",
                   "--set", f"electrode.0.kinetics={kind}")  # fmt: skip
            found.append(json.loads((out / "summary.json").read_text())["electric"])
        a, b = found
        assert a["voltage"]["value"] == pytest.approx(b["voltage"]["value"], rel=tolerance)
        for one, other in zip(a["electrodes"], b["electrodes"], strict=True):
            for key in ("largest", "smallest"):
                assert one[key]["factor"] == pytest.approx(other[key]["factor"], rel=tolerance)
            assert one["plating_current"]["value"] == pytest.approx(
                other["plating_current"]["value"], rel=tolerance
            )


def test_multigrid_gives_the_same():
    _, domain = conductors("cell", depth=10.0, **FLAT)
    lithium = on("li_sse", "butler_volmer", i0=5.0)
    direct = solved(domain, source(), lithium, model="3d")
    iterative = solved(domain, source(), lithium, model="3d", linear="iterative")
    assert iterative.report.linear.method == "cg + gamg"
    assert iterative.potentials["cathode_plane"] == pytest.approx(
        direct.potentials["cathode_plane"], rel=1e-9
    )


def test_balance_of_a_cell_that_is_all_interface():
    """10 V at interfaces of 1 ohm m^2 and more: digits of the potential limit the balance."""
    _, domain = conductors("cell", **FLAT)
    for Z in (1.0, 1e4, 1e6):
        s = solve(problem(domain, on("cathode_plane", potential=10.0),
                          on("li_sse", "linear", resistance=Z)))  # fmt: skip
        assert s.imbalance <= max(1e-12, 16 * s.rounding)
        assert s.rounding == pytest.approx(2.2e-16 * 10 / (10 / Z * 10e-6 / KAPPA), rel=0.05)
        exact = 10 / (Z + 10e-6 / KAPPA)
        assert -s.mean_current_density("li_sse") == pytest.approx(exact, rel=1e-12)


def test_touching_electrodes_without_resistance_are_refused():
    _, domain = conductors("cell", **FLAT)
    with pytest.raises(CaseError, match="the current is infinite"):
        solve(problem(domain, on("cathode_plane", potential=0.1), on("right"), on("li_sse")))


def test_currents_beside_mechanics():
    """Both parts of a case run, and the electric numbers do not depend on the other part."""
    data = {
        "geometry": {"type": "cell", "width": "20 um", "electrolyte": "10 um", "lithium": "5 um"},
        "materials": {"electrolyte": "LLZO", "lithium": "Li"},
        "electrode": [
            {"group": "li_sse", "area_specific_resistance": "5 ohm*cm^2"},
            {"group": "cathode_plane", "kinetics": "none", "potential": "10 mV"},
        ],
    }
    alone = compute(case_from(data))
    assert alone.solution is None and alone.summary["energies"] is None and alone.passed
    load = {
        "load": [{"group": "bottom", "pressure": "5 MPa"}],
        "constraint": [{"group": "cathode_plane", "u": {"y": "0 um"}}],
    }
    both = compute(case_from(data | load))
    assert both.summary["energies"]["strain_energy"]["value"] > 0
    one, other = (r.summary["electric"]["plating_current_density"] for r in (alone, both))
    assert one == other and one["value"] < 0
