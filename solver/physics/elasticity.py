"""Small-strain elasticity with eigenstrain as stateless UFL functions of fields.

Components: plane models use (x, y, out of plane); axisymmetric ones (r, z, hoop). Strain and
stress are always 3 x 3, so that one text serves plane strain, plane stress, axisymmetry and 3-D.
"""

from __future__ import annotations

from typing import Any

import ufl

MODELS = ("plane_strain", "plane_stress", "axisymmetric", "3d")


def gradient(u: Any, x: Any, model: str) -> Any:
    """Displacement gradient ``G[i, j] = u_i,j`` as a 3 x 3 tensor, with the hoop term u_r/r."""
    g = ufl.grad(u)
    if model == "3d":
        return g
    hoop = u[0] / x[0] if model == "axisymmetric" else 0
    return ufl.as_tensor([[g[0, 0], g[0, 1], 0], [g[1, 0], g[1, 1], 0], [0, 0, hoop]])


def strain(u: Any, x: Any, model: str) -> Any:
    """Small strain, 3 x 3. In plane stress the 33 component is left at zero and never used."""
    return ufl.sym(gradient(u, x, model))


def stress(eps_elastic: Any, lam: Any, mu: Any, model: str) -> Any:
    """Hooke's law. In plane stress ``lam`` is 2 lam mu/(lam + 2 mu) and sigma_33 = 0."""
    if model != "plane_stress":
        return lam * ufl.tr(eps_elastic) * ufl.Identity(3) + 2 * mu * eps_elastic
    e = eps_elastic
    tr = e[0, 0] + e[1, 1]
    return ufl.as_tensor(
        [
            [lam * tr + 2 * mu * e[0, 0], 2 * mu * e[0, 1], 0],
            [2 * mu * e[1, 0], lam * tr + 2 * mu * e[1, 1], 0],
            [0, 0, 0],
        ]
    )


def energy_density(eps_elastic: Any, sigma: Any) -> Any:
    """Elastic energy density sigma : eps_elastic / 2."""
    return 0.5 * ufl.inner(sigma, eps_elastic)


def weight(x: Any, model: str) -> Any:
    """Volume weight: r in axisymmetry (integrals per radian), 1 elsewhere (per unit thickness)."""
    return x[0] if model == "axisymmetric" else 1


def lame(E: float, nu: float, model: str) -> tuple[float, float]:
    """Lame constants of the model, in the unit of ``E``; plane stress uses the reduced ``lam``."""
    mu = E / (2 * (1 + nu))
    if model == "plane_stress":
        return E * nu / (1 - nu**2), mu
    return E * nu / ((1 + nu) * (1 - 2 * nu)), mu
