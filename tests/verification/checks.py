"""Small helpers shared by the checks: run a case given as a dictionary, read faces and fronts."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.config_load import case_from
from ssbmech.domain import facet_cells
from ssbmech.fracture.tip import _nodal
from ssbmech.run import Result, compute

#: Elasticity of the checks whose reference does not fix it.
E, NU = 150e9, 0.25
#: Plane-strain modulus E/(1 - nu^2) [Pa].
E_PRIME = E / (1 - NU**2)
#: Crack size [m] and pressure [Pa] of the checks whose reference does not fix them.
A, P = 10e-6, 100e6
#: K = p sqrt(pi a) of these [Pa m^0.5].
K0 = P * sqrt(pi * A)

Floats = NDArray[np.float64]


def solve(geometry: dict[str, Any] | None = None, **blocks: Any) -> Result:
    """Run a case as a user would from Python: blocks of a case file as nested dictionaries.

    The default is a crack of size A in one elastic material, with the pressure P in the filament
    unless there is a ``load``.
    """
    data: dict[str, Any] = {"materials": {"electrolyte": {"E": f"{E} Pa", "nu": NU}}}
    if geometry is not None:
        data["geometry"] = {"a": f"{A} m", **geometry}
    if "load" not in blocks:
        data["filament"] = {"pressure": f"{P} Pa"}
    data.update({k: v for k, v in blocks.items() if v is not None})
    return compute(case_from(data))


def value(result: Result, name: str, front: int = 0) -> float:
    """A quantity at a tip of a plane body, SI."""
    return float(result.fronts[front].values[name][0])


def face(result: Result, group: str) -> tuple[Floats, Floats]:
    """Vertices [m] of a facet group and their displacement [m], both (n, 3), sorted by x, y, z."""
    domain = result.domain
    nodes = np.unique(facet_cells(domain.mesh, domain.facets(group))[2])
    x = domain.mesh.geometry.x[nodes]
    u = _nodal(result.solution, domain.node_ids[nodes])
    order = np.lexsort(np.round(x.T[::-1] / np.abs(x).max(), 12))
    return x[order] * domain.length, u[order] * domain.length


def opening(result: Result, lower: str, upper: str, axis: int = 1) -> tuple[Floats, Floats]:
    """Vertices of a meshed crack [m] and its opening there along an axis [m]."""
    x_low, u_low = face(result, lower)
    x_up, u_up = face(result, upper)
    assert np.allclose(x_low, x_up, atol=1e-9 * np.abs(x_up).max())
    return x_up, u_up[:, axis] - u_low[:, axis]


def ring_lines(result: Result, name: str = "K_I", front: int = 0) -> tuple[Floats, Floats]:
    """Outer radii of the rings [um] and the value of each, its mean along a front."""
    rings = result.fronts[front].rings
    return (
        np.array([r.outer for r in rings]) * 1e6,
        np.array([float(np.mean(r.values[name])) for r in rings]),
    )
