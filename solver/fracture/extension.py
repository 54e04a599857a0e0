"""Energy release by a finite virtual extension: an independent check of J.

The front is moved by +d and -d along its e1 with the mesh around it, the problem is solved anew and
the potential energy is differenced. Nothing of the domain integral enters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ssbmech.errors import FractureError
from ssbmech.fracture.clearance import interface_distance
from ssbmech.fracture.front import Crack, Curve, Tip, fronts_of
from ssbmech.fracture.rings import FrontResult
from ssbmech.solve import ElasticSystem, Solution


@dataclass(frozen=True)
class ExtensionCheck:
    """Energy release rate by differencing the potential energy.

    Attributes:
        front: Name of the front.
        G: Mean energy release rate along the front [J/m^2].
        J: Mean of J along the front for comparison [J/m^2].
        step: Extension to either side [m].
    """

    front: str
    G: float
    J: float
    step: float

    @property
    def difference(self) -> float:
        """(G - J)/J."""
        return (self.G - self.J) / self.J if self.J else 0.0


def extension_check(
    solution: Solution, crack: Crack, results: list[FrontResult], relative_step: float = 1e-3
) -> list[ExtensionCheck]:
    """Difference the potential energy for every front of a crack.

    Args:
        solution: The solved problem; its mesh is moved and put back.
        crack: The crack.
        results: Its fracture quantities, whose largest accepted ring carries the extension.
        relative_step: Extension over the radius of that ring.

    Raises:
        FractureError: On every rank, when a front lies on an interface across its extension.
    """
    p = solution.problem
    L, geometry = p.domain.length, p.domain.mesh.geometry
    checks = []
    for front, result in zip(fronts_of(p.domain, crack, p.model), results, strict=True):
        # An interface between materials or crystals must stay where it is: moving it costs energy
        # of its own.
        free = 0.9 * interface_distance(p, front)
        if free <= 0:
            raise FractureError(
                f"the front {front.name!r} lies on an interface that its extension would move, so "
                "that the energy released by the crack alone cannot be told",
                key="fracture.energy_check",
                hint="Leave energy_check out",
            )
        outer = min(max(r.outer for r in result.rings if not r.refused) / L, free)
        x0 = geometry.x.copy()
        where = front.locate(x0)
        alpha = np.clip((outer - where.r) / (0.6 * outer), 0, 1)
        q = alpha[:, None] * where.frame[:, 0]
        step = relative_step * outer
        energies = []
        try:
            for sign in (1, -1):
                geometry.x[:] = x0 + sign * step * q
                energies.append(ElasticSystem(p).solve().potential_energy)
        finally:
            geometry.x[:] = x0
        G = -(energies[0] - energies[1]) / (2 * step * L)
        G *= 2.0 if crack.symmetry else 1.0
        G /= _measure(front) * (L if isinstance(front, Curve) or _circular(front) else 1.0)
        checks.append(ExtensionCheck(result.name, G, _mean_J(front, result), step * L))
    return checks


def _circular(front: Tip | Curve) -> bool:
    return isinstance(front, Tip) and front.axisymmetric


def _measure(front: Tip | Curve) -> float:
    """Length of the front (non-dimensional), 1 per thickness in plane models."""
    if isinstance(front, Curve):
        return front.length
    return 2 * np.pi * float(front.point[0]) if front.axisymmetric else 1.0


def _mean_J(front: Tip | Curve, result: FrontResult) -> float:
    J, s = result.values["J"], result.s
    if isinstance(front, Tip):
        return float(J[0])
    if front.closed:
        return float(J.mean())
    return float(np.trapezoid(J, s) / (s[-1] - s[0]))
