"""A material point that flows at small strain: radial return, consistent tangent; NumPy.

Deviatoric alone: the volumetric part belongs to the mixed pressure of the finite-element body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.materials.flow import FlowLaw

_ROOT = np.sqrt(1.5)
_I = np.eye(3)
_SYMMETRIC = 0.5 * (np.einsum("ik,jl->ijkl", _I, _I) + np.einsum("il,jk->ijkl", _I, _I))
#: Projects a tensor on its symmetric deviator, (3, 3, 3, 3).
DEVIATOR = _SYMMETRIC - np.einsum("ij,kl->ijkl", _I, _I) / 3.0


@dataclass(frozen=True)
class PointUpdate:
    """What a step does to n points.

    Attributes:
        stress: [Pa], (n, 3, 3), without its volumetric part.
        tangent: Its derivative with respect to the strain (or F) at the end, (n, 3, 3, 3, 3).
        plastic: Plastic strain (or F^p) at the end, (n, 3, 3).
        state: Internal scalars of the law at the end, (n, n_state).
        dp: Equivalent plastic strain of the step, (n,).
        dissipation: Plastic work of the step [J/m^3], (n,), q dp; not negative.
    """

    stress: NDArray
    tangent: NDArray
    plastic: NDArray
    state: NDArray
    dp: NDArray
    dissipation: NDArray


def small_strain(
    eps: NDArray, old_plastic: NDArray, state: NDArray, law: FlowLaw, mu: ArrayLike, dt: float
) -> PointUpdate:
    """One implicit step of n points at small strain.

    s_trial = 2 mu (dev eps - eps_p), s = (q/q_trial) s_trial, d eps_p = sqrt(3/2) dp N with
    N = s_trial/|s_trial|; ds/deps = 2 mu [(q/q_trial)(D - N x N) + (dq/dq_trial) N x N], D the
    projection on deviators (Simo and Hughes, Computational Inelasticity, 1998, section 3.3).

    Args:
        eps: Strain at the end of the step less growth strain, (n, 3, 3), symmetric; its trace does
            not matter.
        old_plastic: Plastic strain at the start, (n, 3, 3), symmetric and traceless.
        state: Internal scalars at the start, (n, law.n_state).
        law: Flow law.
        mu: Shear modulus [Pa], one value or (n,).
        dt: Length of the step [s], positive.

    Returns:
        The stress deviator, ds/deps, plastic strain and the rest.
    """
    mu = np.broadcast_to(np.asarray(mu, float), eps.shape[:1])
    elastic = eps - old_plastic
    elastic = elastic - np.trace(elastic, axis1=1, axis2=2)[:, None, None] * (_I / 3.0)
    size = np.sqrt(np.einsum("nij,nij->n", elastic, elastic))
    q_trial = 2.0 * _ROOT * mu * size
    new = law.relax(q_trial, 3.0 * mu, state, dt)
    moved = q_trial > 0.0
    ratio = np.where(moved, new.q, new.slope) / np.where(moved, q_trial, 1.0)
    N = elastic / np.where(moved, size, 1.0)[:, None, None]
    stress = (2.0 * mu * ratio)[:, None, None] * elastic
    NN = np.einsum("nij,nkl->nijkl", N, N)
    tangent = (2.0 * mu * ratio)[:, None, None, None, None] * DEVIATOR
    tangent = tangent + (2.0 * mu * (new.slope - ratio))[:, None, None, None, None] * NN
    plastic = old_plastic + (_ROOT * new.dp)[:, None, None] * N
    return PointUpdate(stress, tangent, plastic, new.state, new.dp, new.q * new.dp)
