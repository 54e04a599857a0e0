"""Saving and loading the state of a body; fields at quadrature points; the loop of Newton alone."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "verification"))

from bodies import block, length, material, on, pressure
from mpi4py import MPI
from ssbmech.errors import SolverError
from ssbmech.lithium import monitors, newton
from ssbmech.lithium.newton import Residual
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.lithium.quadrature import Points, components
from ssbmech.lithium.system import BodySystem
from ssbmech.materials.flow import Norton, Plastic
from ssbmech.problem import SurfaceLoad

HELD = (Hold("left", {0: length(0.0)}), Hold("bottom", {1: length(0.0)}))


def body(n=2, law=None):
    mesh = on(MPI.COMM_SELF, block(n, n, group=lambda c: c[:, 1] > 0.5, names=("lithium", "sse")))
    law = law or Plastic(1e6, 1e8)
    return BodySystem(
        BodyProblem(
            mesh, "plane_strain", {"lithium": material(), "sse": material(150e9, 0.26)},
            {"lithium": Flow(law)}, holds=HELD,
            loads=(Load(SurfaceLoad("top", pressure=pressure(1e6)), lambda t: 3 * t),),
        )
    )  # fmt: skip


def test_a_loaded_body_goes_on():
    one, two = body(), body()
    for k in range(2):
        one.advance(k + 1.0, 1.0)
        one.accept()
    two.load(one.save())
    assert two.time == 2.0
    traction = [
        monitors.InterfaceTraction(body, "bottom", "lithium").evaluate() for body in (one, two)
    ]
    np.testing.assert_allclose(
        traction[1].normal_stress, traction[0].normal_stress, rtol=0, atol=1e-9 * 2e6
    )
    assert traction[0].mean_normal_stress == pytest.approx(-2e6 * 3, rel=1e-8)
    a, b = one.advance(3.0, 1.0), two.advance(3.0, 1.0)
    assert a.dissipation > 0
    u = one.displacement
    np.testing.assert_allclose(two.displacement, u, rtol=0, atol=1e-10 * np.abs(u).max())
    assert b.work == pytest.approx(a.work, rel=1e-10)
    assert b.dissipation == pytest.approx(a.dissipation, rel=1e-10)


def test_the_order_is_that_of_the_file():
    system = body()
    system.advance(1.0, 1.0)
    system.accept()
    kept = system.save()
    assert kept["displacement"].shape == (8, 12)
    assert kept["plastic"].shape == (4, 27)
    # vertices come first in a cell, in the order of the file
    data = block(2, 2, group=lambda c: c[:, 1] > 0.5, names=("lithium", "sse"))
    x = system.V.tabulate_dof_coordinates()
    for cell, row in zip(data.cells, kept["displacement"], strict=True):
        for k, node in enumerate(cell):
            near = np.argmin(np.linalg.norm(x - data.points[node], axis=1))
            np.testing.assert_array_equal(row[2 * k : 2 * k + 2], system.displacement[near])


def test_states_of_others_are_refused():
    system = body()
    kept = system.save()
    with pytest.raises(SolverError, match=r"has 8 cells and the mesh 18.*another mesh"):
        body(3).load(kept)
    with pytest.raises(SolverError, match=r"lacks 'slip'.*another version"):
        system.load({k: v for k, v in kept.items() if k != "slip"})
    with pytest.raises(SolverError, match=r"'state' .*another problem"):
        body(law=Norton(1e-45, 6.6)).load(kept)


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_gradients_and_fields(model):
    import ufl
    from dolfinx import fem

    mesh = on(MPI.COMM_SELF, block(2, 3)).mesh
    points = Points(mesh, model, np.array([1, 4, 5], np.int32), 4)
    V = fem.functionspace(mesh, ("Lagrange", 2, (2,)))
    u = fem.Function(V)
    u.interpolate(lambda x: np.vstack([x[0] * x[1], x[1] ** 2 - 3 * x[0]]))
    from ssbmech.lithium.quadrature import gradient_vector

    x = ufl.SpatialCoordinate(mesh)
    where = points.values(points.expression(x), (2,))
    g = points.tensors(points.values(points.expression(gradient_vector(u, x, model)), (5,)))
    X, Y = where.T
    np.testing.assert_allclose(g[:, 0, 0], Y, atol=1e-13)
    np.testing.assert_allclose(g[:, 0, 1], X, atol=1e-13)
    np.testing.assert_allclose(g[:, 1, 0], -3, atol=1e-13)
    np.testing.assert_allclose(g[:, 1, 1], 2 * Y, atol=1e-13)
    np.testing.assert_allclose(g[:, 2, 2], Y if model == "axisymmetric" else 0, atol=1e-13)
    np.testing.assert_array_equal(points.tensors(points.vectors(g)), g)
    # integrals of a field at points, put back, by the same rule
    field = points.field()
    points.put(field, X**2 * Y)
    cells = fem.Function(fem.functionspace(mesh, ("DG", 0)))
    cells.x.array[[1, 4, 5]] = 1
    dx = ufl.dx(mesh, metadata=points.metadata)
    both = [fem.assemble_scalar(fem.form(f * dx)) for f in (field, cells * x[0] ** 2 * x[1])]
    assert both[0] == pytest.approx(both[1], rel=1e-13)


def test_components():
    assert len(components("3d")) == 9 and components("plane_strain")[-1] == (2, 2)


class Scalar:
    """f(x) = 0 in one unknown as Newton sees it, counting what is asked."""

    def __init__(self, f, df, secant=None):
        from petsc4py import PETSc

        self.f, self.df, self.made = f, df, 0
        self.slope = None
        self.x = PETSc.Vec().createSeq(1)
        self.secant = []

    factorised = property(lambda self: self.slope is not None)

    def evaluate(self, x):
        self.at = float(x.array_r[0])
        return Residual((abs(self.f(self.at)),), (1.0,))

    def use_secant(self, wanted):
        self.secant.append(bool(wanted))

    def factorise(self):
        self.slope = self.df(self.at)

    def step(self):
        d = self.x.duplicate()
        d.array[0] = -self.f(self.at) / self.slope
        return d


def solve(f, df, start, **more):
    system = Scalar(f, df)
    system.x.array[0] = start
    given = {"rtol": 1e-12, "limit": 50, "reuse": 0.0, **more}
    report = newton.solve(system, system.x, **given)
    return float(system.x.array_r[0]), report, system


def test_newton_alone():
    root, report, _ = solve(lambda x: x**2 - 2, lambda x: 2 * x, 1.5)
    assert root == pytest.approx(np.sqrt(2), rel=1e-12)
    assert report.factorisations == report.iterations <= 5
    root, kept, _ = solve(lambda x: x**2 - 2, lambda x: 2 * x, 1.5, reuse=0.5)
    assert root == pytest.approx(np.sqrt(2), rel=1e-12)
    assert kept.factorisations < kept.iterations
    # far away Newton's steps are too long: they are cut, and the secant is asked for
    root, report, system = solve(np.arctan, lambda x: 1 / (1 + x**2), 5.0)
    assert abs(root) < 1e-12 and min(report.steps) < 1
    assert system.secant[0] is False and True in system.secant and system.secant[-1] is False


def test_newton_gives_up_with_its_history():
    with pytest.raises(SolverError, match=r"found no descent: relative residuals \[1"):
        solve(lambda x: x**2 + 1, lambda x: 2 * x + 1e-9, 0.0)
    with pytest.raises(SolverError, match="did not converge in 2 iterations"):
        solve(lambda x: x**3 - 2, lambda x: 3 * x**2, 9.0, limit=2)
    with pytest.raises(SolverError, match="no admissible start"):
        solve(lambda x: float("nan"), lambda x: 1.0, 0.0)
