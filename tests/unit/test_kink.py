"""F14: the kink angle of the largest hoop stress, exact against its closed form and a search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssbmech.errors import FractureError
from ssbmech.fracture.kink import kink

# "exact": the closed form and ours differ by rounding only
EXACT = 1e-12


def hoop(theta, K_I, K_II):
    """sqrt(2 pi r) times the hoop stress around a tip (Williams' leading terms)."""
    half = theta / 2
    return np.cos(half) ** 2 * (K_I * np.cos(half) - 3 * K_II * np.sin(half))


@pytest.mark.verification
def test_F14_closed_form(page):
    r = np.array([0.0, 0.1, 0.3, 1.0, 2.5, 10.0, 40.0])
    check = page(
        "F14",
        "Kinking by the largest hoop stress",
        problem="Angle at which a crack under K_I and K_II turns",
        reference="tan(theta/2) = [r -+ sqrt(r^2 + 8)]/4, r = K_I/K_II, the branch in tension",
    )
    for sign in (1.0, -1.0):
        ratio = sign * r
        # upper sign for K_II > 0: the side in tension
        expected = 2 * np.arctan((ratio - sign * np.sqrt(ratio**2 + 8)) / 4)
        found = kink(r * 1e6, sign * 1e6).angle
        # the textbook form subtracts nearly equal numbers: it keeps 1e-16 r^2 of its digits
        check.within(
            f"angle, K_II {'above' if sign > 0 else 'below'} 0", found, expected, 1e-12,
            unit="rad", why="exact but for rounding",
        )  # fmt: skip
    degrees = np.degrees(kink(r, np.ones_like(r)).angle)
    exact = np.degrees(2 * np.arctan((r - np.sqrt(r**2 + 8)) / 4))
    check.plot("K_I/K_II", "angle [degrees]", {"computed": (r, degrees), "exact": (r, exact)})


def test_pure_modes():
    assert kink(1e6, 0.0).angle == 0 and kink(1e6, 0.0).K_eq == pytest.approx(1e6, rel=EXACT)
    shear = kink(0.0, 1e6)
    # pure shear: cos(theta) = 1/3, theta = -70.53 degrees, K_eq = 2/sqrt(3) K_II
    assert shear.angle == pytest.approx(-np.arccos(1 / 3), rel=EXACT)
    assert shear.K_eq == pytest.approx(2 / np.sqrt(3) * 1e6, rel=EXACT)


def test_limit_of_little_shear():
    # theta -> -2 K_II/K_I; the textbook form would lose every digit here
    small = kink(1.0, 1e-12)
    assert small.angle == pytest.approx(-2e-12, rel=1e-9)
    assert small.K_eq == pytest.approx(1.0, rel=EXACT)


@given(st.floats(0, 1e8), st.floats(-1e8, 1e8))
def test_is_the_largest_hoop_stress(K_I, K_II):
    found = kink(K_I, K_II)
    theta = np.linspace(-np.pi, np.pi, 3601)
    scale = np.hypot(K_I, K_II) + 1e-300
    # no direction of a fine search has more tension
    assert np.all(hoop(theta, K_I, K_II) <= found.K_eq + 1e-12 * scale)
    assert found.K_eq == pytest.approx(hoop(found.angle, K_I, K_II), abs=1e-12 * scale)
    assert abs(found.angle) <= np.arccos(1 / 3) + 1e-12


def test_arrays_and_no_load():
    found = kink([1.0, 1.0, 0.0], [0.5, -0.5, 0.0])
    assert found.angle.shape == (3,)
    assert found.angle[0] == pytest.approx(-found.angle[1]) and found.angle[0] < 0
    assert found.angle[2] == 0 and found.K_eq[2] == 0
    assert kink([1.0, 2.0], 0.3).angle.shape == (2,)


def test_closed_crack_is_refused():
    with pytest.raises(FractureError, match="closed"):
        kink([1.0, -0.5], [0.0, 1.0])
    assert kink(-1e-9, 1.0).angle == pytest.approx(-np.arccos(1 / 3))  # rounding, not closure


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_refused(bad):
    with pytest.raises(FractureError, match="not finite"):
        kink(bad, 1.0)
