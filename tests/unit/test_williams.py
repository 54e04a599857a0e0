"""The auxiliary fields: derivatives and equilibrium against finite differences, no mesh."""

import numpy as np
import pytest
from ssbmech.fracture import williams as w

E, NU = 1.3, 0.27
MU, LAM = E / (2 * (1 + NU)), E * NU / ((1 + NU) * (1 - 2 * NU))


def cylindrical(mode, rho0, phi, x, lam=LAM, mu=MU):
    """Displacement in Cartesian coordinates of a front on a circle of radius rho0 in the plane z=0.

    The frame is turned by phi about the hoop direction: the crack need not lie in the plane.
    """
    rho, angle = np.hypot(x[0], x[1]), np.arctan2(x[1], x[0])
    er = np.array([np.cos(angle), np.sin(angle), 0])
    ez = np.array([0, 0, 1.0])
    e1 = np.cos(phi) * er + np.sin(phi) * ez
    e2 = -np.sin(phi) * er + np.cos(phi) * ez
    e3 = np.cross(e1, e2)
    d = (rho - rho0) * er + x[2] * ez
    x1, x2 = np.array(d @ e1), np.array(d @ e2)
    u = w.planar(mode, x1, x2, MU, w.kolosov(NU, False), 1.0).u
    return u[0] * e1 + u[1] * e2 + u[2] * e3, (x1, x2), np.array([e1, e2, e3]), er / rho


def fd_gradient(f, x, h=1e-5):
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(3)], -1)


@pytest.mark.parametrize("mode", w.MODES)
@pytest.mark.parametrize("phi", [0.0, 0.7])
@pytest.mark.parametrize("lam,mu", [(LAM, MU), (2.1, 0.3)])
def test_curved_front_against_finite_differences(mode, phi, lam, mu):
    rho0, x = 2.0, np.array([1.6, 1.35, 0.21])

    def displacement(y):
        return cylindrical(mode, rho0, phi, y)[0]

    def stress(y):
        g = fd_gradient(displacement, y)
        eps = 0.5 * (g + g.T)
        return 2 * mu * eps + lam * np.trace(eps) * np.eye(3)

    _, (x1, x2), frame, k = cylindrical(mode, rho0, phi, x)
    aux = w.auxiliary(
        mode,
        x1,
        x2,
        tip_mu=MU,
        tip_kappa=w.kolosov(NU, False),
        lam=np.array(lam),
        mu=np.array(mu),
        curvature=(frame @ k)[:2],
        size=1.0,
    )
    grad = frame.T @ aux.grad @ frame
    sigma = frame.T @ aux.stress @ frame
    np.testing.assert_allclose(grad, fd_gradient(displacement, x), atol=1e-8)
    np.testing.assert_allclose(sigma, stress(x), atol=1e-8)
    divergence = np.einsum("ijj->i", fd_gradient(stress, x, 1e-4))
    np.testing.assert_allclose(frame.T @ aux.divergence, divergence, atol=2e-5)


def test_straight_front_is_in_equilibrium_in_plane_stress():
    kappa = w.kolosov(NU, True)
    lam = 2 * LAM * MU / (LAM + 2 * MU)
    for mode in w.MODES:
        aux = w.auxiliary(
            mode,
            np.array([0.3, -0.2]),
            np.array([0.1, 0.4]),
            tip_mu=MU,
            tip_kappa=kappa,
            lam=np.full(2, lam),
            mu=np.full(2, MU),
            curvature=np.zeros((2, 2)),
            size=1.0,
            plane_stress=True,
        )
        np.testing.assert_allclose(aux.divergence, 0, atol=1e-12)


def test_stress_ahead_of_the_tip_is_K_over_root_two_pi_r():
    r = 0.3
    for mode, component in (("I", (1, 1)), ("II", (0, 1)), ("III", (1, 2))):
        aux = w.auxiliary(
            mode,
            np.array(r),
            np.array(0.0),
            tip_mu=MU,
            tip_kappa=w.kolosov(NU, False),
            lam=np.array(LAM),
            mu=np.array(MU),
            curvature=np.zeros(2),
            size=1.0,
        )
        assert aux.stress[component] == pytest.approx(1 / np.sqrt(2 * np.pi * r), rel=1e-12)
