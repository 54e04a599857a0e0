"""Steady ion conduction as stateless UFL functions of fields.

Current density in the electrolyte is -kappa grad(phi). At an electrode with outward normal n of the
electrolyte, the current density from the metal into the electrolyte is i = kappa grad(phi).n,
positive when anodic (stripping).
"""

from __future__ import annotations

from typing import Any

import ufl


def current_density(phi: Any, kappa: Any) -> Any:
    """-kappa grad(phi)."""
    return -kappa * ufl.grad(phi)


def conduction(phi: Any, v: Any, kappa: Any) -> Any:
    """Integrand of the weak form of div(kappa grad phi) = 0: kappa grad(phi).grad(v)."""
    return kappa * ufl.inner(ufl.grad(phi), ufl.grad(v))


def electrode(rate: Any, v: Any) -> Any:
    """Integrand over an electrode with the anodic current density ``rate``: -rate v."""
    return -rate * v
