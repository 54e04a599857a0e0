"""E1 to E3 with perfect plasticity: shells and matrices that yield around what presses on them.

A thick sphere (inner radius a, outer b, yield stress Y) that is plastic up to c carries inside

    p = 2 Y ln(c/a) + (2 Y/3) (1 - c^3/b^3)                                             (Hill 1950)

with sigma_rr = -2 Y ln(c/r) - (2 Y/3)(1 - c^3/b^3) for r < c, sigma_tt = sigma_rr + Y, and beyond c
the elastic field that is just at yield at c: sigma_rr = -(2 Y c^3/3 b^3)(b^3/r^3 - 1),
sigma_tt = (2 Y c^3/3 b^3)(b^3/(2 r^3) + 1). Volume changes elastically alone, so that everywhere in
the plastic part

    u = (Y/E) [(1 - nu) c^3/r^2 - (2/3)(1 - 2 nu)(1 + 3 ln(c/r) - c^3/b^3) r].

A sphere of bulk modulus K_i and radius a that grows by the linear misfit e inside presses with p on
this shell, and their radial displacements agree: e = p/(3 K_i) + u(a)/a. With b -> infinity
p = (2 Y/3)[1 + ln(c^3/a^3)].

In plane strain Mises' criterion has a closed form in an incompressible material (the axial stress
is the mean of the others): with k = Y/sqrt(3)

    p = 2 k ln(c/a) + k (1 - c^2/b^2),    u = k c^2/(2 G r) everywhere,

and a cylinder that grows in its plane alone, k_i = K_i + G_i/3: e = p/(2 k_i) + u(a)/a.
"""

import numpy as np
import pytest
from bodies import core_and_ring, length, material, on, pressure, ring
from mpi4py import MPI
from scipy.optimize import brentq
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load, Misfit
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Plastic
from ssbmech.meshes.inclusion import shell as solid_shell
from ssbmech.problem import Eigenstrain, SurfaceLoad

pytestmark = pytest.mark.verification

E, NU, Y = 7.8e9, 0.38, 15e6
A, B = 1.0, 3.0
HELD = (Hold("bottom", {1: length(0.0)}), Hold("top", {0: length(0.0)}))


def held_pressure(c, b=B):
    return 2 * Y * np.log(c / A) + 2 * Y / 3 * (1 - (c / b) ** 3)


def plastic_displacement(r, c, b=B):
    """Over the unit of r; valid for r <= c."""
    volume = 2 / 3 * (1 - 2 * NU) * (1 + 3 * np.log(c / r) - (c / b) ** 3) * r
    return Y / E * ((1 - NU) * c**3 / r**2 - volume)


def shell_stress(r, c, b=B):
    """sigma_rr and sigma_tt at radii r."""
    inside = -2 * Y * np.log(c / r) - 2 * Y / 3 * (1 - (c / b) ** 3)
    scale = 2 * Y / 3 * (c / b) ** 3
    radial = np.where(r < c, inside, -scale * ((b / r) ** 3 - 1))
    hoop = np.where(r < c, inside + Y, scale * ((b / r) ** 3 / 2 + 1))
    return radial, hoop


def at_points(system):
    """Coordinates [um] of the quadrature points, shape (n, 3)."""
    import ufl

    x = ufl.SpatialCoordinate(system.problem.domain.mesh)
    place = system.quadrature.expression(x)
    xy = system.quadrature.values(place, (2,)) * system.problem.domain.length * 1e6
    return np.column_stack([xy, np.zeros(len(xy))])


def polar_stress(system):
    """Radius, sigma_rr and the in-plane sigma_tt at the quadrature points."""
    x = at_points(system)
    r = np.hypot(x[:, 0], x[:, 1])
    n = x / r[:, None]
    t = np.column_stack([-n[:, 1], n[:, 0], 0 * r])
    stress = system.latest.stress
    return (
        r,
        np.einsum("nij,ni,nj->n", stress, n, n),
        np.einsum("nij,ni,nj->n", stress, t, t),
    )


def radial_at(system, radius):
    """Mean radial displacement [um] of the nodes at a radius [um]."""
    x = system.V.tabulate_dof_coordinates()[:, :2] * system.problem.domain.length * 1e6
    r = np.hypot(x[:, 0], x[:, 1])
    there = np.abs(r - radius) < 1e-6
    assert there.sum() > 3
    return float(np.mean(np.sum(system.displacement * x, axis=1)[there] / r[there])) * 1e6


def shell(factor, n=12):
    mesh = on(MPI.COMM_WORLD, ring(A, B, n, 6, ratio=2.5), B)
    return BodySystem(
        BodyProblem(
            mesh, "axisymmetric", {"lithium": material(E, NU)}, {"lithium": Flow(Plastic(Y))},
            loads=(Load(SurfaceLoad("left", pressure=pressure(1.0)), factor),), holds=HELD,
        )
    )  # fmt: skip


def test_E3_elastic_plastic_sphere(page):
    c = 1.8
    P = held_pressure(c)
    system = shell(lambda t: P * t)
    march(system, 8)
    check = page(
        "E3-plastic", "Thick sphere that yields under internal pressure", part="loaded",
        problem="Perfect plasticity (Mises) around a cavity, b = 3 a, plastic up to 1.8 a; mesh "
        "of 12 x 6 squares of two second-order cells, quadratic displacement, 8 steps",
        reference="Hill, The Mathematical Theory of Plasticity (1950): p = 2 Y ln(c/a) + "
        "(2 Y/3)(1 - c^3/b^3) and its fields",
    )  # fmt: skip
    outer = radial_at(system, B)
    found_c = (outer * B**2 * E / (Y * (1 - NU))) ** (1 / 3)
    check.within(
        "elastic-plastic radius, from u(b)", found_c, c, 2e-3, unit="a",
        why="the kink at c lies inside cells",
    )  # fmt: skip
    check.within(
        "u(a)", radial_at(system, A), plastic_displacement(A, c), 5e-3, unit="um",
        why="the plastic part has 6 cells along r",
    )  # fmt: skip
    r, radial, hoop = polar_stress(system)
    slip = system.latest.state.slip
    check.within(
        "outermost point that yielded", r[slip > 0].max(), c, 0.06, unit="a", why="one cell"
    )
    exact = shell_stress(r, c)
    away = np.abs(r - c) > 0.15
    check.within(
        "stress at all points", np.array([radial, hoop])[:, away], np.array(exact)[:, away], 0.02,
        unit="Pa", why="pointwise, beside the kink at c",
    )  # fmt: skip
    order = np.argsort(r)
    check.plot(
        "r/a", "hoop stress [MPa]",
        {"exact": (r[order], exact[1][order] / 1e6), "computed": (r[order], hoop[order] / 1e6)},
    )  # fmt: skip


def test_E3_residual_stress(page):
    c = 1.3
    P = held_pressure(c)
    assert P < 4 * Y / 3 * (1 - (A / B) ** 3), "no yield on the way back"
    system = shell(lambda t: P * min(t, 2.0 - t), 20)
    march(system, 8)
    system.accept()
    slip = system.points.accepted.slip.copy()
    march(system, 4, start=1.0, end=2.0)
    check = page(
        "E3-plastic", "Thick sphere that yields under internal pressure", part="unloaded",
        problem="As before with 20 squares along r, plastic up to 1.3 a, and unloaded in 4 steps",
        reference="Hill's fields less the elastic ones of the same pressure",
    )  # fmt: skip
    r, radial, hoop = polar_stress(system)
    scale = P / ((B / A) ** 3 - 1)
    exact = shell_stress(r, c)
    left = (
        exact[0] + scale * ((B / r) ** 3 - 1),
        exact[1] - scale * ((B / r) ** 3 / 2 + 1),
    )
    away = np.abs(r - c) > 0.12
    check.within(
        "residual stress at all points", np.array([radial, hoop])[:, away],
        np.array(left)[:, away], 0.02, unit="Pa", why="pointwise, beside the kink at c",
    )  # fmt: skip
    assert (slip == system.latest.state.slip).all(), "unloading is elastic"


def march(system, steps, start=0.0, end=1.0):
    """Equal steps; the last one is not accepted, so that its answer can be looked at."""
    for k in range(1, steps + 1):
        if k > 1:
            system.accept()
        system.advance(start + (end - start) * k / steps, (end - start) / steps)


def test_limit_load_does_not_lock(page):
    # the wall pushed outwards far beyond yield: the pressure must level off at 2 Y ln(b/a)
    mesh = on(MPI.COMM_WORLD, ring(A, B, 8, 4), B)
    problem = BodyProblem(
        mesh, "axisymmetric", {"lithium": material(E, NU)},
        {"lithium": Flow(Plastic(Y))},
        holds=(*HELD, Hold("left", {
            0: Formula.parse("x / 1 um * 1 nm", "length"),
            1: Formula.parse("y / 1 um * 1 nm", "length"),
        }, factor=lambda t: 200.0 * t)),
    )  # fmt: skip
    system = BodySystem(problem)
    found = []
    for k in range(1, 5):
        system.advance(k / 4, 1 / 4)
        system.accept()
        found.append(wall_pressure(system))
    check = page(
        "E3-plastic", "Thick sphere that yields under internal pressure", part="limit load",
        problem="The inner wall is moved by 0.2 a (small strain), far beyond full plasticity",
        reference="Limit load 2 Y ln(b/a)",
    )  # fmt: skip
    check.within(
        "pressure", found[-1], 2 * Y * np.log(B / A), 5e-3, unit="Pa",
        why="an element that locks has no limit load",
    )  # fmt: skip
    assert abs(found[-1] - found[-2]) < 1e-6 * found[-1]


def test_above_the_limit_load():
    system = shell(lambda t: 2 * Y * np.log(B / A) * t)
    march(system, 4, end=0.99)
    system.accept()
    before = system.accepted.copy()
    with pytest.raises(SolverError, match=r"found no descent|did not converge"):
        system.advance(1.01, 0.02)
    assert (system.accepted == before).all()


def wall_pressure(system):
    """Pressure on the inner wall from its reactions: virtual work of a unit radial motion."""
    from dolfinx import fem

    p = system.problem
    facets = p.domain.facets("left")
    nodes = fem.locate_dofs_topological(system.V, 1, facets)
    rows = system.where.reshape(-1, 2)[nodes]
    x = system.V.tabulate_dof_coordinates()[nodes, :2]
    n = x / np.linalg.norm(x, axis=1, keepdims=True)
    force = np.sum(system.trial_forces[rows] * n) * p.force_unit
    return force / (2 * np.pi * (A * 1e-6) ** 2)


# -- growth inside ---------------------------------------------------------------------------------


def test_E1_growing_sphere(page):
    Ki_E, Ki_nu, b, e = 20e9, 0.3, 4.0, 0.006
    Ki = Ki_E / 3 / (1 - 2 * Ki_nu)
    mismatch = lambda c: held_pressure(c, b) / (3 * Ki) + plastic_displacement(A, c, b) - e  # noqa: E731
    c = brentq(mismatch, A, b)
    assert 1.5 < c < 0.8 * b
    mesh = on(MPI.COMM_WORLD, core_and_ring(A, b, 0.16), b)
    axial = {k: Formula.constant(1.0, "dimensionless") for k in ("xx", "yy", "zz")}
    system = BodySystem(
        BodyProblem(
            mesh, "axisymmetric",
            {"inclusion": material(Ki_E, Ki_nu), "matrix": material(E, NU)},
            {"matrix": Flow(Plastic(Y))}, holds=HELD,
            misfits=(Misfit(Eigenstrain("inclusion", axial), lambda t: e * t),),
        )
    )  # fmt: skip
    march(system, 6)
    traction = monitors.InterfaceTraction(system, "interface", "inclusion").evaluate()
    other = monitors.InterfaceTraction(system, "interface", "matrix").evaluate()
    check = page(
        "E1-plastic", "Growing sphere in a matrix that yields",
        problem="Elastic sphere with linear misfit 0.6 % in an elastic, perfectly plastic shell "
        "(b = 4 a); meridian, 6 steps",
        reference="e = p/(3 K_i) + u(a)/a with Hill's p(c), u(c): p = (2 Y/3)[1 + ln(c^3/a^3) - "
        "c^3/b^3]",
    )  # fmt: skip
    check.within(
        "pressure at the interface, every vertex", -traction.normal_stress, held_pressure(c, b),
        5e-3, unit="Pa", why="consistent nodal forces over areas, from the sphere's side",
    )  # fmt: skip
    check.within(
        "the same from the matrix' side", -other.normal_stress, -traction.normal_stress, 1e-6,
        unit="Pa", why="balance of forces at the interface, to Newton's tolerance",
    )  # fmt: skip
    check.within("u(a)", radial_at(system, A), plastic_displacement(A, c, b), 5e-3, unit="um")
    found_c = (radial_at(system, b) * b**2 * E / (Y * (1 - NU))) ** (1 / 3)
    check.within("elastic-plastic radius, from u(b)", found_c, c, 3e-3, unit="a")


def test_E2_growing_cylinder(page):
    Ei, nui, b, nu, e = 20e9, 0.3, 4.0, 0.49995, 0.006
    G, k = E / 2 / (1 + nu), Y / np.sqrt(3)
    Ki, Gi = Ei / 3 / (1 - 2 * nui), Ei / 2 / (1 + nui)
    ki = Ki + Gi / 3

    def p_of(c):
        return 2 * k * np.log(c / A) + k * (1 - (c / b) ** 2)

    c = brentq(lambda c: p_of(c) / (2 * ki) + k * c**2 / (2 * G * A**2) - e, A, b)
    assert 1.5 < c < 0.9 * b
    mesh = on(MPI.COMM_WORLD, core_and_ring(A, b, 0.16), b)
    plane = {n: Formula.constant(1.0, "dimensionless") for n in ("xx", "yy")}
    plane["zz"] = Formula.constant(0.0, "dimensionless")
    # with eps_zz = 0 and no axial misfit the in-plane misfit that is free is e (1 + 0)
    system = BodySystem(
        BodyProblem(
            mesh, "plane_strain",
            {"inclusion": material(Ei, nui), "matrix": material(E, nu)},
            {"matrix": Flow(Plastic(Y))}, holds=HELD,
            misfits=(Misfit(Eigenstrain("inclusion", plane), lambda t: e * t),),
        )
    )  # fmt: skip
    march(system, 6)
    traction = monitors.InterfaceTraction(system, "interface", "inclusion").evaluate()
    check = page(
        "E2-plastic", "Growing cylinder in a matrix that yields",
        problem="Elastic cylinder with in-plane misfit 0.6 % in a nearly incompressible "
        "(nu = 0.49995), perfectly plastic tube (b = 4 a), plane strain",
        reference="e = p/(2 k_i) + u(a)/a, p = 2 k ln(c/a) + k (1 - c^2/b^2), u = k c^2/(2 G r), "
        "k = Y/sqrt(3)",
    )  # fmt: skip
    check.within(
        "pressure at the interface, every vertex", -traction.normal_stress, p_of(c), 5e-3,
        unit="Pa", why="nodal forces; nu = 0.49995 differs from 1/2 by 1e-4",
    )  # fmt: skip
    check.within("u(a)", radial_at(system, A), k * c**2 / (2 * G * A), 5e-3, unit="um")
    check.within("u(b)", radial_at(system, b), k * c**2 / (2 * G * b), 5e-3, unit="um")


def test_E3_in_three_dimensions(page):
    c, b = 1.5, 2.5
    P = held_pressure(c, b)
    mesh = on(MPI.COMM_WORLD, solid_shell(A, b, n=4, sectors=6), b)
    system = BodySystem(
        BodyProblem(
            mesh, "3d", {"shell": material(E, NU)}, {"shell": Flow(Plastic(Y))},
            loads=(Load(SurfaceLoad("inner", pressure=pressure(P)), lambda t: t),),
            holds=tuple(Hold(f"symmetry_{n}", {i: length(0.0)}) for i, n in enumerate("xyz")),
            reuse=0.1, rtol=1e-8,
        )
    )  # fmt: skip
    march(system, 3)
    check = page(
        "E3-plastic", "Thick sphere that yields under internal pressure", part="3-D",
        problem="An octant, b = 2.5 a, plastic up to 1.5 a, 4 elements per inner radius and 6 "
        "sectors, second order, 3 steps",
        reference="Hill's closed form",
    )  # fmt: skip
    x = system.V.tabulate_dof_coordinates() * b
    r = np.linalg.norm(x, axis=1)
    u = np.sum(system.displacement * x, axis=1) / r * 1e6
    inner, outer = np.abs(r / A - 1) < 1e-6, np.abs(r / b - 1) < 1e-6
    exact = Y / E * (1 - NU) * c**3 / b**2
    check.within("u(b), mean", u[outer].mean(), exact, 0.01, unit="um", why="coarse")
    exact = plastic_displacement(A, c, b)
    check.within("u(a), mean", u[inner].mean(), exact, 0.01, unit="um", why="coarse")
