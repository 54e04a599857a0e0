"""Anderson's acceleration: linear and nonlinear maps that plain iteration cannot solve."""

import numpy as np
import pytest
from ssbmech.errors import SolverError
from ssbmech.numerics import fixed_point


def test_linear_map_of_any_gain_takes_at_most_its_dimension():
    """On x = A x + b it is GMRES: n + 2 evaluations, here with gains up to 50."""
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    A = Q @ np.diag([-50, -20, -3, 0.5, -1.5, -8]) @ Q.T
    b = rng.standard_normal(6)
    x, report = fixed_point.solve(
        lambda v: A @ v + b, np.zeros(6), scale=1.0, tolerance=1e-9, depth=8
    )
    assert x == pytest.approx(np.linalg.solve(np.eye(6) - A, b), rel=1e-7, abs=1e-8)
    assert report.iterations <= 10


def test_nonlinear_stiff_scalar_map():
    """x = -20 sinh(x) + 1, where plain iteration leaves every interval."""
    x, report = fixed_point.solve(
        lambda v: -20 * np.sinh(v) + 1, np.array([0.3]), scale=1.0, tolerance=1e-12, first=0.02
    )
    assert float(x[0] + 20 * np.sinh(x[0])) == pytest.approx(1.0, abs=1e-9)
    assert report.iterations < 15


def test_tolerance_is_relative_to_the_scale():
    x, report = fixed_point.solve(
        lambda v: 0.5 * v + 1e6, np.zeros(2), scale=np.array([1e6, 1e6]), tolerance=1e-10
    )
    assert x == pytest.approx([2e6, 2e6], rel=1e-9)
    assert report.history[0] == pytest.approx(1.0)


def test_no_fixed_point_is_an_error_with_the_history():
    with pytest.raises(SolverError, match=r"did not converge in 7 iterations.*relative changes"):
        fixed_point.solve(lambda v: v + 1, np.zeros(1), scale=1.0, limit=7)


def test_a_value_that_is_not_finite_is_an_error():
    with pytest.raises(SolverError, match="nan"):
        fixed_point.solve(lambda v: v * np.nan, np.ones(1), scale=1.0)
