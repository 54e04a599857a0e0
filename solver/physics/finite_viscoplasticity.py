"""A material point that flows at finite strain, F = F^e F^p F^g: Hencky strain, exponential map.

In logarithmic strain the return is that of small strain (Weber and Anand 1990; Simo 1992), whatever
the flow law. Derivatives are exact: the logarithm of a symmetric tensor has divided differences of
its eigenvalues as derivative, here x/sinh x of differences x of logarithms, which know no special
case where eigenvalues are equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import SolverError
from ssbmech.materials.flow import FlowLaw
from ssbmech.physics.viscoplasticity import PointUpdate

_ROOT = np.sqrt(1.5)
_PAIRS = ((0, 1), (0, 2), (1, 2))


def finite_strain(
    F: NDArray,
    old_Fp: NDArray,
    state: NDArray,
    law: FlowLaw,
    mu: ArrayLike,
    dt: float,
    growth: NDArray | None = None,
) -> PointUpdate:
    """One implicit step of n points at finite strain.

    With F_trial = F F^g^-1 F^p_old^-1 = U diag(exp e) V^T: tau_dev = U diag(2 mu (q/q_trial) dev e)
    U^T, P_dev = tau_dev F^-T, F^p = V diag(exp(sqrt(3/2) dp N)) V^T F^p_old, N along dev e.

    Args:
        F: Deformation gradient at the end of the step, (n, 3, 3).
        old_Fp: F^p at the start, (n, 3, 3), of determinant 1.
        state: Internal scalars at the start, (n, law.n_state).
        law: Flow law, in Kirchhoff stress.
        mu: Shear modulus [Pa], one value or (n,).
        dt: Length of the step [s], positive.
        growth: F^g at the end of the step, (n, 3, 3), or None; held fixed in the tangent.

    Returns:
        First Piola stress of the deviatoric Kirchhoff stress, per reference area; dP_dev/dF; F^p of
        determinant 1; dissipation per volume of the grown, unloaded body.

    Raises:
        SolverError: If a point is turned inside out or not a number: on the rank of the point
            alone, so that callers agree on it across ranks.
    """
    mu = np.broadcast_to(np.asarray(mu, float), F.shape[:1])
    with np.errstate(invalid="ignore"):
        J = np.linalg.det(F)
    if not np.all(J > 0.0):
        raise SolverError(
            "the deformation turns a point inside out", key="det F", value=float(np.min(J)),
            allowed="above 0", hint="Use a smaller step in time",
        )  # fmt: skip
    inverse = np.linalg.inv(F)
    stretched = F if growth is None else F @ np.linalg.inv(growth)
    U, stretch, Vt = np.linalg.svd(stretched @ np.linalg.inv(old_Fp))
    log = np.log(stretch)
    e = log - log.mean(axis=1, keepdims=True)
    size = np.linalg.norm(e, axis=1)
    q_trial = 2.0 * _ROOT * mu * size
    new = law.relax(q_trial, 3.0 * mu, state, dt)
    moved = q_trial > 0.0
    ratio = np.where(moved, new.q, new.slope) / np.where(moved, q_trial, 1.0)
    N = e / np.where(moved, size, 1.0)[:, None]
    tau = (2.0 * mu * ratio)[:, None] * e
    W = inverse @ U
    stress = (U * tau[:, None, :]) @ W.transpose(0, 2, 1)
    moduli = _principal_moduli(log, N, tau, 2.0 * mu * ratio, 2.0 * mu * new.slope)
    basis = np.einsum("nip,njq->nijpq", U, W).reshape(-1, 9, 9)
    tangent = (basis @ moduli @ basis.transpose(0, 2, 1)).reshape(-1, 3, 3, 3, 3)
    grown = np.exp((_ROOT * new.dp)[:, None] * N)
    Fp = (Vt.transpose(0, 2, 1) * grown[:, None, :]) @ Vt @ old_Fp
    Fp = Fp / np.cbrt(np.linalg.det(Fp))[:, None, None]  # rounding would add up over steps
    return PointUpdate(stress, tangent, Fp, new.state, new.dp, new.q * new.dp)


def _principal_moduli(
    log: NDArray, N: NDArray, tau: NDArray, across: NDArray, along: NDArray
) -> NDArray:
    """d(tau_ij) - tau_im l_jm per velocity gradient l_kl in principal axes, as (n, 9, 9).

    d(log b/2)_ij = (x/sinh x) (l_ij s_j/s_i + l_ji s_i/s_j)/2 with x = ln(s_i/s_j), then the
    tangent of the radial return.

    Args:
        log: Logarithms of the principal stretches, (n, 3).
        N: Direction of flow, (n, 3).
        tau: Principal values of tau_dev [Pa], (n, 3).
        across: 2 mu q/q_trial [Pa], (n,).
        along: 2 mu dq/dq_trial [Pa], (n,).
    """
    a = np.zeros((len(log), 3, 3, 3, 3))
    i = np.arange(3)
    normal = across[:, None, None] * (np.eye(3) - 1.0 / 3.0)
    normal = normal + (along - across)[:, None, None] * N[:, :, None] * N[:, None, :]
    a[:, i[:, None], i[:, None], i[None, :], i[None, :]] = normal
    for p, q in _PAIRS:
        x = log[:, p] - log[:, q]
        shear = 0.5 * across * _over_sinh(x)
        small, large = shear * np.exp(-x), shear * np.exp(x)
        for r, s in ((p, q), (q, p)):
            a[:, r, s, p, q] = small
            a[:, r, s, q, p] = large
    for p in range(3):
        for q in range(3):
            a[:, p, q, q, p] -= tau[:, p]
    return a.reshape(-1, 9, 9)


def _over_sinh(x: NDArray) -> NDArray:
    """x/sinh x, 1 - x^2/6 where x is small."""
    small = np.abs(x) < 1e-4
    safe = np.where(small, 1.0, x)
    return np.where(small, 1.0 - x * x / 6.0, safe / np.sinh(safe))
