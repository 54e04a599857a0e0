"""Auxiliary crack-tip fields for interaction integrals, in the local frame of any front.

The local frame at the front is (e1 ahead of the crack, e2 normal to it towards the upper face,
e3 = e1 x e2 along the front). The auxiliary displacement is the asymptotic one of a straight
crack (Williams, J. Appl. Mech. 24, 1957), carried along a front that may be curved. Its strain is
then *compatible* by construction, and what a curved front (or the hoop direction of an
axisymmetric body) adds is exact: hoop strain u.c/rho and a stress that is not in equilibrium. The
contour integral takes that divergence into account, so that no ring size is needed for accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MODES = ("I", "II", "III", "T")


@dataclass(frozen=True)
class Planar:
    """Displacement in a cross-section and its derivatives, for a unit load.

    Attributes:
        u: Displacement components (1, 2, 3), shape (..., 3).
        grad: ``grad[..., i, a] = du_i/dx_a`` for a in (1, 2), shape (..., 3, 2).
        grad_dilatation: Gradient of u1,1 + u2,2, shape (..., 2).
    """

    u: NDArray[np.float64]
    grad: NDArray[np.float64]
    grad_dilatation: NDArray[np.float64]


def kolosov(nu: float | NDArray, plane_stress: bool) -> float | NDArray:
    """Kolosov's constant: 3 - 4 nu in plane strain, (3 - nu)/(1 + nu) in plane stress."""
    return (3 - nu) / (1 + nu) if plane_stress else 3 - 4 * nu


def planar(
    mode: str,
    x1: NDArray,
    x2: NDArray,
    mu: float,
    kappa: float,
    size: float,
    side: NDArray | None = None,
) -> Planar:
    """Asymptotic displacement for K = 1 (modes I, II, III) or for a unit point force (T).

    Modes I to III: Williams' leading term. T: line force of magnitude 1 per length at the tip
    along +e1, stress sigma_rr = -cos(theta)/(pi r) (Michell; used for T-stress by Kfouri, Int. J.
    Fract. 30, 1986).

    Args:
        mode: One of ``MODES``.
        x1: Distance ahead of the front, any shape.
        x2: Distance above the crack, the same shape.
        mu: Shear modulus at the tip.
        kappa: Kolosov's constant at the tip.
        size: Length that makes the logarithm of the point force dimensionless (a rigid motion).
        side: +1 for points of material above the crack, -1 below: a point on a face (or on a
            curved face beyond the straight cut) keeps the angle of its material.

    Returns:
        Fields for unit load; for K the unit is that of ``mu`` times the root of a length.
    """
    r = np.hypot(x1, x2)
    theta = np.arctan2(x2, x1)
    if side is not None:
        theta = np.where(side * theta < -np.pi / 2, theta + 2 * np.pi * side, theta)
    c, s = np.cos(theta), np.sin(theta)
    zero = np.zeros_like(r)
    if mode == "T":
        k1, k2 = (kappa + 1) / (8 * np.pi * mu), (kappa - 1) / (8 * np.pi * mu)
        k3 = 1 / (4 * np.pi * mu)
        u = np.stack([-k1 * np.log(r / size) - k3 * s**2, -k2 * theta + k3 * s * c, zero], -1)
        du_dr = np.stack([-k1 / r, zero, zero], -1)
        du_dt = np.stack([-k3 * 2 * s * c / r, (-k2 + k3 * (c**2 - s**2)) / r, zero], -1)
        # dilatation = -(kappa - 1)/(4 pi mu) cos(theta)/r
        d = -(kappa - 1) / (4 * np.pi * mu)
        dil_dr, dil_dt = -d * c / r**2, -d * s / r**2
    else:
        h, g = theta / 2, 1 / np.sqrt(2 * np.pi)
        ch, sh = np.cos(h), np.sin(h)
        if mode == "I":
            amplitude = g / (2 * mu)
            f = [ch * (kappa - 1 + 2 * sh**2), sh * (kappa + 1 - 2 * ch**2), zero]
            df = [
                -0.5 * sh * (kappa - 1 + 2 * sh**2) + 2 * sh * ch**2,
                0.5 * ch * (kappa + 1 - 2 * ch**2) + 2 * ch * sh**2,
                zero,
            ]
            d, shape, dshape = (kappa - 1) / (2 * mu) * g, ch, -0.5 * sh
        elif mode == "II":
            amplitude = g / (2 * mu)
            f = [sh * (kappa + 1 + 2 * ch**2), -ch * (kappa - 1 - 2 * sh**2), zero]
            df = [
                0.5 * ch * (kappa + 1 + 2 * ch**2) - 2 * ch * sh**2,
                0.5 * sh * (kappa - 1 - 2 * sh**2) + 2 * sh * ch**2,
                zero,
            ]
            d, shape, dshape = -(kappa - 1) / (2 * mu) * g, sh, 0.5 * ch
        else:
            amplitude = 2 * g / mu
            f, df = [zero, zero, sh], [zero, zero, 0.5 * ch]
            d, shape, dshape = 0.0, zero, zero
        root = np.sqrt(r)[..., None]
        u = amplitude * root * np.stack(f, -1)
        du_dr = amplitude / (2 * root) * np.stack(f, -1)
        du_dt = amplitude / root * np.stack(df, -1)
        dil_dr, dil_dt = -0.5 * d * shape * r**-1.5, d * dshape * r**-1.5
    grad = np.stack(
        [
            c[..., None] * du_dr - s[..., None] * du_dt,
            s[..., None] * du_dr + c[..., None] * du_dt,
        ],
        -1,
    )
    grad_dil = np.stack([c * dil_dr - s * dil_dt, s * dil_dr + c * dil_dt], -1)
    return Planar(u, grad, grad_dil)


@dataclass(frozen=True)
class Auxiliary:
    """A compatible auxiliary state in the local frame, at points of any material.

    Attributes:
        grad: ``grad[..., i, j] = u_i,j`` with the hoop terms, shape (..., 3, 3).
        stress: Shape (..., 3, 3); the stiffness of the *material at the point*.
        divergence: Divergence of ``stress``, shape (..., 3).
    """

    grad: NDArray[np.float64]
    stress: NDArray[np.float64]
    divergence: NDArray[np.float64]


def auxiliary(
    mode: str,
    x1: NDArray,
    x2: NDArray,
    *,
    tip_mu: float,
    tip_kappa: float,
    lam: NDArray,
    mu: NDArray,
    curvature: NDArray,
    size: float,
    side: NDArray | None = None,
    plane_stress: bool = False,
    grad_lam: NDArray | None = None,
    grad_mu: NDArray | None = None,
) -> Auxiliary:
    """The auxiliary state of unit load around a front with hoop curvature.

    Args:
        mode: One of ``MODES``.
        x1: Distance ahead of the front, shape (...).
        x2: Distance above the crack, shape (...).
        tip_mu: Shear modulus at the tip.
        tip_kappa: Kolosov's constant at the tip.
        lam: First Lame constant at the points (the plane-stress one in plane stress), shape (...).
        mu: Shear modulus at the points, shape (...).
        curvature: Vector c/rho at the points in the local (1, 2) directions, shape (..., 2):
            the gradient of log(h), with h the stretch along the front; zero for a straight front.
        size: Reference length of the point-force field.
        side: See ``planar``.
        plane_stress: Whether sigma_33 is zero.
        grad_lam: Gradient of ``lam`` in the local frame, shape (..., 3), or None where constant.
        grad_mu: Gradient of ``mu`` likewise.
    """
    base = planar(mode, x1, x2, tip_mu, tip_kappa, size, side)
    k = curvature
    grad = np.zeros((*x1.shape, 3, 3))
    grad[..., :, :2] = base.grad
    hoop = np.einsum("...a,...a->...", k, base.u[..., :2])
    grad[..., 2, 2] = hoop
    grad[..., :2, 2] = -k * base.u[..., 2:]
    strain = 0.5 * (grad + np.swapaxes(grad, -1, -2))
    trace = np.trace(strain, axis1=-2, axis2=-1)
    stress = 2 * mu[..., None, None] * strain + (lam * trace)[..., None, None] * np.eye(3)
    if plane_stress:
        stress[..., 2, 2] = 0.0

    # Navier: div sigma = (lam + mu) grad(tr eps) + mu laplace(u). The base field satisfies it with
    # the tip's constants and no curvature: laplace(u) = -2/(kappa - 1) grad(dilatation).
    k_dot = np.einsum("...a,...ia->...i", k, base.grad)
    grad_trace = (
        base.grad_dilatation
        + np.einsum("...b,...ba->...a", k, base.grad[..., :2, :])
        - k * hoop[..., None]
    )
    laplace = k_dot.copy()
    laplace[..., :2] += -2 / (tip_kappa - 1) * base.grad_dilatation - k * hoop[..., None]
    laplace[..., 2] -= np.einsum("...a,...a->...", k, k) * base.u[..., 2]
    divergence = mu[..., None] * laplace
    divergence[..., :2] += (lam + mu)[..., None] * grad_trace
    if grad_lam is not None:
        divergence = divergence + grad_lam * trace[..., None]
    if grad_mu is not None:
        divergence = divergence + 2 * np.einsum("...ij,...j->...i", strain, grad_mu)
    return Auxiliary(grad, stress, divergence)
