"""Steady ion conduction as stateless UFL functions of fields.

Current density in the electrolyte is -kappa grad(phi). At an electrode with outward normal n of the
electrolyte, the current density from the metal into the electrolyte is i = kappa grad(phi).n,
positive when anodic (stripping).
"""

from __future__ import annotations

from typing import Any

import ufl


def current_density(phi: Any, kappa: Any) -> Any:
    """-kappa grad(phi); ``kappa`` is a scalar or a symmetric tensor of second order."""
    slope = ufl.grad(phi)
    return -ufl.dot(kappa, slope) if kappa.ufl_shape else -kappa * slope


def conduction(phi: Any, v: Any, kappa: Any) -> Any:
    """Integrand of the weak form of div(kappa grad phi) = 0: grad(v).kappa grad(phi)."""
    return -ufl.inner(current_density(phi, kappa), ufl.grad(v))


def electrode(rate: Any, v: Any) -> Any:
    """Integrand over an electrode with the anodic current density ``rate``: -rate v."""
    return -rate * v
