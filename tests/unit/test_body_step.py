"""Steps of a body: patches, Newton's rate, kept factorisations, failures, loads and holds."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))

from bodies import block, length, material, on, pressure
from mpi4py import MPI
from ssbmech.domain import distribute
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton, Plastic
from ssbmech.meshes.data import MeshData
from ssbmech.problem import SurfaceLoad

N = 6.6
B = 6.7e-3 * 1e-6**N
NORTON = Norton(B, N)
HELD = (Hold("left", {0: length(0.0)}), Hold("bottom", {1: length(0.0)}))


def square(n=2):
    return on(MPI.COMM_SELF, block(n, n, place=lambda p: p * 10), 10.0)


def body(mesh, law=NORTON, finite=False, model="plane_strain", holds=HELD, **more):
    return BodySystem(
        BodyProblem(
            mesh, model, {"lithium": material()}, {"lithium": Flow(law, finite)}, holds=holds,
            **more,
        )
    )  # fmt: skip


def squeezed(n=4, rate=0.02, **more):
    """Pressed by a rough plate: far from uniform."""
    holds = (
        Hold("left", {0: length(0.0)}),
        Hold("bottom", {0: length(0.0), 1: length(0.0)}),
        Hold(
            "top", {0: length(0.0)}, {1: Formula.constant(-rate * 1e-6, "velocity")}
        ),
    )  # fmt: skip
    return body(square(n), holds=holds, **more)


def test_uniform_creep():
    """Plane-strain compression: q = sqrt(3)/2 P, strain rate sqrt(3)/2 B q^n."""
    P = 1e6
    system = body(square(), loads=(Load(SurfaceLoad("top", pressure=pressure(P))),))
    for k in range(3):
        system.advance(100.0 * (k + 1), 100.0)
        system.accept()
    rate = np.sqrt(3) / 2 * B * (np.sqrt(3) / 2 * P) ** N
    v = system.rate[system.where].reshape(-1, 2) * 10e-6
    x = system.V.tabulate_dof_coordinates() * 10e-6
    np.testing.assert_allclose(v[:, 1], -rate * x[:, 1], atol=1e-9 * rate * 10e-6)
    np.testing.assert_allclose(v[:, 0], rate * x[:, 0], atol=1e-9 * rate * 10e-6)
    np.testing.assert_allclose(system.mean_stress, -P / 2, rtol=1e-9)
    # dissipation: q times the rate of plastic strain, over the body
    report = system.advance(400.0, 100.0)
    power = np.sqrt(3) / 2 * P * B * (np.sqrt(3) / 2 * P) ** N
    assert report.dissipation == pytest.approx(100 * power * 100e-12, rel=1e-9)
    assert report.work == pytest.approx(report.dissipation, rel=1e-8)
    force = monitors.reaction(system, "bottom")
    assert force[1] == pytest.approx(P * 10e-6, rel=1e-9)
    assert monitors.pressures(system, "lithium") == pytest.approx((P / 2, P / 2), rel=1e-9)


def test_uniform_finite_compression():
    """A held logarithmic strain rate has its own stress at any stretch."""
    stretch, law = np.exp(-0.4), Norton(100 * B, N)
    down = Hold(
        "top", {1: length((stretch - 1) * 10e-6)},
        factor=lambda t: (stretch**t - 1) / (stretch - 1),
    )  # fmt: skip
    system = body(square(), law, True, holds=(*HELD, down))
    for k in range(1, 21):
        system.advance(k / 20, 1 / 20)
        system.accept()
    q = (2 / np.sqrt(3) * 0.4 / law.B) ** (1 / N)
    # Kirchhoff stress along y is -2 q/sqrt(3); over the stretch it is the force per reference width
    force = monitors.reaction(system, "top")[1] / 10e-6
    assert force == pytest.approx(-2 / np.sqrt(3) * q / stretch, rel=2e-3)


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
@pytest.mark.parametrize("finite", [False, True])
def test_tangent(model, finite):
    """Against differences of the residual, with growth; symmetric."""
    from dolfinx.fem.petsc import assemble_matrix
    from ssbmech.lithium.step import Step

    mesh = on(
        MPI.COMM_SELF,
        block(
            2, 2, place=lambda p: p * 10, group=lambda c: c[:, 1] > 0.5,
            names=("lithium", "sse"), inside="interface",
        ), 10.0,
    )  # fmt: skip
    system = BodySystem(
        BodyProblem(
            mesh, model, {"lithium": material(), "sse": material(1e9, 0.26)},
            {"lithium": Flow(NORTON, finite)}, holds=HELD, growth={"interface": "lithium"},
        )
    )  # fmt: skip
    system.growth.set("interface", 3e-7)
    step = Step(system, 1.0, 10.0)
    rng = np.random.default_rng(0)
    free = np.setdiff1d(np.arange(system.owned), system.fixed)
    u = system.is_displacement
    state, change = (np.zeros(system.owned) for _ in range(2))
    state[free], change[free] = rng.normal(size=(2, len(free)))
    for x in (state, change):
        x[~u] *= 0.01
    x = system.w.x.petsc_vec.copy()

    def residual(values):
        x.array[:] = values
        step.evaluate(x)
        r = system.internal_forces()
        r[system.own_fixed] = 0.0
        return r

    base, h = 1e-3 * state, 1e-9
    difference = (residual(base + h * change) - residual(base - h * change)) / (2 * h)
    residual(base)
    A = assemble_matrix(system.jacobian, bcs=system.bcs)
    A.assemble()
    x.array[:] = change
    y = x.duplicate()
    A.mult(x, y)
    for part in (u, ~u):
        size = np.abs(difference[part]).max()
        np.testing.assert_allclose(y.array_r[part], difference[part], atol=3e-6 * size)
    dense = A.convert("dense").getDenseArray()
    assert np.abs(dense - dense.T).max() < 1e-13 * np.abs(dense).max()


def test_newton_is_quadratic():
    system = squeezed(reuse=0.0, rtol=1e-13)
    system.advance(1.0, 1.0)
    system.accept()
    report = system.advance(3.0, 2.0)
    h = np.array(report.newton.history)
    assert report.newton.factorisations >= report.newton.iterations
    tail = h[(h < 1e-2) & (h > 1e-13)]
    assert len(tail) >= 3
    order = np.log(tail[2] / tail[1]) / np.log(tail[1] / tail[0])
    assert order > 1.7, h


def test_factorisations_are_kept():
    full, kept = squeezed(reuse=0.0), squeezed(reuse=0.1)
    counts = {}
    for name, system in (("full", full), ("kept", kept)):
        counts[name] = 0
        for k in range(8):
            counts[name] += system.advance(5.0 * (k + 1), 5.0).newton.factorisations
            system.accept()
    assert counts["kept"] < 0.75 * counts["full"], counts
    np.testing.assert_allclose(kept.displacement, full.displacement, rtol=0, atol=1e-9 * 1e-6)


def test_failure_leaves_the_state():
    system = squeezed(limit=3)
    system.advance(1e-3, 1e-3)
    system.accept()
    before = system.save()
    with pytest.raises(SolverError, match=r"did not converge in 3 iterations: relative residuals"):
        system.advance(1e4, 1e4)
    after = system.save()
    assert all((after[k] == before[k]).all() for k in before)
    np.testing.assert_array_equal(system.w.x.array, system.accepted)
    system.advance(2e-3, 1e-3)  # and it goes on


def test_the_same_step_again_starts_from_its_answer():
    system = squeezed()
    first = system.advance(5.0, 5.0)
    again = system.advance(5.0, 5.0)
    assert first.newton.iterations > 3 and again.newton.iterations == 0
    assert again.dissipation == pytest.approx(first.dissipation, rel=1e-12)
    other = system.advance(4.0, 4.0)
    assert other.newton.iterations > 3 and system.time == 0.0


def test_turned_inside_out():
    holds = (*HELD, Hold("top", {1: length(-12e-6)}))  # through the bottom
    system = body(square(), NORTON, True, holds=holds)
    with pytest.raises(SolverError, match=r"no admissible start|no descent|did not converge"):
        system.advance(1.0, 1.0)


def test_load_factor_and_velocity():
    elastic = Plastic(1e12)
    load = Load(SurfaceLoad("top", pressure=pressure(1e6)), lambda t: t)
    system = body(square(), elastic, loads=(load,))
    found = []
    for t, factor in ((1.0, None), (2.0, None), (3.0, -0.5)):
        if factor is not None:
            system.set_factor("top", factor)
        system.advance(t, 1.0)
        system.accept()
        found.append(system.displacement[:, 1].sum())
    np.testing.assert_allclose(np.array(found) / found[0], [1.0, 2.0, -0.5], rtol=1e-9)
    moving = body(
        square(), elastic,
        holds=(*HELD, Hold("right", velocity={0: Formula.constant(2e-9, "velocity")})),
    )  # fmt: skip
    for k in range(3):
        moving.advance(0.5 * (k + 1), 0.5)
        moving.accept()
    assert moving.displacement[:, 0].max() == pytest.approx(3e-9, rel=1e-12)


class Spring:
    """Foundation of stiffness k per area, with an offset."""

    def __init__(self, group, k, offset):
        self.group, self.k, self.offset, self.calls = group, k, np.asarray(offset), 0

    def bind(self, surface):
        self.surface = surface

    def nodes(self, coordinates, displacement):
        assert coordinates is self.surface.coordinates
        area = self.k * self.surface.areas
        force = -area[:, None] * (displacement - self.offset)
        return force, area[:, None, None] * np.eye(len(self.offset))


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_nodal_law(model):
    """A spring under a bar: displacement from two springs in a row."""
    k, E, nu = 1e15, 7.8e9, 0.38
    spring = Spring("top", k, [0.0, -1e-9])
    system = body(
        square(), Plastic(1e12), model=model, laws=(spring,),
        holds=(*HELD, Hold("right", {0: length(0.0)}), Hold("top", {0: length(0.0)})),
    )  # fmt: skip
    surface = spring.surface
    width = 10e-6 if model == "plane_strain" else np.pi * 10e-6**2
    assert surface.areas.sum() == pytest.approx(width, rel=1e-12)
    np.testing.assert_allclose(surface.normals, np.tile([0.0, 1.0], (5, 1)), atol=1e-12)
    if model == "plane_strain":  # Simpson's weights
        x = surface.coordinates[:, 0]
        np.testing.assert_allclose(
            surface.areas[np.argsort(x)], np.array([1, 4, 2, 4, 1]) / 6 * 5e-6, rtol=1e-12
        )
    report = system.advance(1.0, 1.0)
    assert report.newton.iterations <= 2
    stiff = E * (1 - nu) / ((1 + nu) * (1 - 2 * nu)) / 10e-6  # of the bar, held sideways
    top = -1e-9 * k / (k + stiff)
    assert system.displacement[:, 1].min() == pytest.approx(top, rel=1e-8)
    assert monitors.reaction(system, "top")[1] == pytest.approx(stiff * top * width, rel=1e-8)


def test_a_law_that_fails_fails_the_step():
    class Broken(Spring):
        def nodes(self, coordinates, displacement):
            raise SolverError("no")

    system = body(square(), laws=(Broken("top", 1.0, [0.0, 0.0]),))
    with pytest.raises(SolverError, match="no"):
        system.advance(1.0, 1.0)


def cube(n):
    """The unit cube in 6 n^3 tetrahedra, with its sides."""
    axis = np.arange(n + 1)
    number = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3) / n
    cells = []
    for path in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        corner = np.zeros((4, 3), int)
        for i, a in enumerate(path):
            corner[i + 1 :, a] = 1
        base = np.stack(np.meshgrid(axis[:-1], axis[:-1], axis[:-1], indexing="ij"), -1)
        at = base.reshape(-1, 1, 3) + corner
        cells.append(number[at[..., 0], at[..., 1], at[..., 2]])
    cells = np.vstack(cells)
    faces = np.sort(cells[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]], axis=2).reshape(-1, 3)
    sides = {
        f"{name}{side}": faces[(points[faces][:, :, i] == side).all(axis=1)]
        for i, name in enumerate("xyz") for side in (0, 1)
    }  # fmt: skip
    marks = np.repeat(np.arange(1, 7), [len(s) for s in sides.values()])
    return MeshData(
        3, 1, points * 10, cells.astype(np.int64), np.ones(len(cells), np.int32),
        np.vstack(list(sides.values())).astype(np.int64), marks.astype(np.int32),
        {"lithium": 1}, {name: i + 1 for i, name in enumerate(sides)},
    )  # fmt: skip


@pytest.mark.parametrize("finite", [False, True])
def test_three_dimensions(finite):
    """Uniaxial creep of a cube that slides on three planes under a dead load.

    With the stretch L, finite strain: q = P L, ln L = -q/E - p, dp = dt B q^n; small: L is 1 in q
    and ln L is L - 1.
    """
    P, E, dt = 1e6, 7.8e9, 1.0
    mesh = distribute(MPI.COMM_SELF, cube(2), length=1e-5)
    holds = tuple(Hold(f"{name}0", {i: length(0.0)}) for i, name in enumerate("xyz"))
    system = body(
        mesh, NORTON, finite, "3d", holds, loads=(Load(SurfaceLoad("z1", pressure=pressure(P))),)
    )
    slip, stretch = 0.0, 1.0
    for k in range(2):
        system.advance(dt * (k + 1), dt)
        system.accept()
        for _ in range(100):
            q = P * (stretch if finite else 1.0)
            strain = -q / E - slip - dt * B * q**N
            stretch = np.exp(strain) if finite else 1 + strain
        slip += dt * B * q**N
    z = system.V.tabulate_dof_coordinates()[:, 2] * 1e-5
    np.testing.assert_allclose(system.displacement[:, 2], (stretch - 1) * z, atol=1e-5 * 1e-7)
    np.testing.assert_allclose(system.points.accepted.slip, slip, rtol=2e-4 if finite else 1e-8)
    surface = system.surface("z1")
    assert surface.areas.sum() == pytest.approx(1e-10, rel=1e-12)
    assert monitors.area(system, "z1") == pytest.approx(1e-10, rel=1e-12)
