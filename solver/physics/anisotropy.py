"""Cubic elasticity in any orientation: what it adds to an isotropic law, in NumPy and in UFL.

With the crystal's axes a_1, a_2, a_3 (unit vectors, the columns of the rotation from crystal to
sample axes)

    sigma = C12 tr(eps) 1 + 2 C44 eps + (C11 - C12 - 2 C44) sum_k (a_k.eps.a_k) a_k a_k

(Walpole, Adv. Appl. Mech. 21, 1981, in another notation). The first two terms are an isotropic law
with lam = C12 and mu = C44; this module has the third. Nine numbers per cell say it all, and none
of them depends on the material.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def axes_of(quaternions: Floats) -> Floats:
    """Crystal axes in sample axes.

    Args:
        quaternions: Unit quaternions (x, y, z, w) from crystal to sample axes, shape (n, 4).

    Returns:
        Rotations, shape (n, 3, 3); column k is the axis a_(k+1).
    """
    x, y, z, w = np.asarray(quaternions, float).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def excess_stress(eps: Floats, excess: float, axes: Floats) -> Floats:
    """Stress that a cubic crystal has over the isotropic law of C12 and C44.

    Args:
        eps: Elastic strain, shape (..., 3, 3).
        excess: C11 - C12 - 2 C44, in the unit of the stress.
        axes: Rotations from crystal to sample, shape that broadcasts with ``eps``.
    """
    along = np.einsum("...ik,...ij,...jk->...k", axes, eps, axes, optimize=True)
    return excess * np.einsum("...k,...ik,...jk->...ij", along, axes, axes, optimize=True)


def excess_stress_ufl(eps: Any, excess: Any, axes: Any) -> Any:
    """The same as UFL; ``excess`` and ``axes`` (3 x 3) are fields, one value per cell."""
    import ufl

    stress = 0
    for k in range(3):
        a = ufl.as_vector([axes[i, k] for i in range(3)])
        stress += ufl.inner(a, eps * a) * ufl.outer(a, a)
    return excess * stress


def out_of_plane(axes: Floats) -> float:
    """Largest of |sum_k a_k1 a_k2 a_k3 a_k3'| that couples strain in the plane to shear out of it.

    Zero where the plane is a mirror plane of every crystal, as for an axis of the crystal, or the
    diagonal between two of them, along z. Otherwise a plane displacement with u_z = 0 leaves shear
    stress on the plane, which something has to hold.

    Args:
        axes: Rotations from crystal to sample, shape (n, 3, 3).
    """
    a, z = axes[:, :2], axes[:, 2]
    coupling = np.einsum("gik,gjk,gmk,gk->gijm", a, a, a, z)
    return float(np.abs(coupling).max(initial=0.0))
