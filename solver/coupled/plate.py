"""A stiff plate, alone or with a spring behind it, on a side of a body that moves in time.

All points of the side have one displacement U along its outward normal. U is found around whole
steps (`ssbmech.lithium.stack.seek`): the force of the plate is nearly linear in it, so that two or
three steps do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from mpi4py import MPI
from ssbmech.domain import Domain, facet_cells
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.problem import Hold
from ssbmech.lithium.stack import Stack, seek
from ssbmech.lithium.system import BodySystem

T = TypeVar("T")

#: Balance of the plate, relative to its force.
_BALANCE = 1e-8


class Plate:
    """The plate of a stack.

    Args:
        stack: Of kind ``plate`` or ``spring``.
        domain: The body.
        modulus: Size of its stiffness [Pa], for the first step of the search.

    Attributes:
        displacement: U [m], outwards, of the last step that was tried.
        accepted: U of the accepted state [m].
        rate: Of U in the last accepted step [m/s].
        hold: What is prescribed on the side.

    Raises:
        CaseError: On every rank, for a side that is not flat or not on the outside.
    """

    def __init__(self, stack: Stack, domain: Domain, modulus: float) -> None:
        self.stack = stack
        self.component, self.sign = _normal(stack, domain)
        self.displacement = self.accepted = self.rate = 0.0
        self._step = 0.1 * max(stack.pressure, 1e4) * domain.length / modulus
        unit = Formula.constant(self.sign, "length")
        self.hold = Hold(
            stack.group, {self.component: unit}, factor=self._factor, key="stack.group"
        )

    def _factor(self, time: float) -> float:
        return self.displacement

    def balance(self, body: BodySystem, step: Callable[[], T], guess: float) -> T:
        """What a step gives at the displacement at which plate and body are in balance.

        Args:
            body: The body.
            step: Takes it, from the accepted state, with ``displacement`` prescribed.
            guess: Of the displacement [m].

        Raises:
            SolverError: On every rank; the displacement is then that of the accepted state.
        """
        found: list[T] = []

        def force(displacement: float) -> float:
            self.displacement = displacement
            found.append(step())
            forces = monitors.reaction(body, self.stack.group)
            return float(forces[self.component]) * self.sign

        try:
            area = monitors.area(body, self.stack.group)
            seek(self.stack, force, area, start=guess, step=self._step, rtol=_BALANCE)
        except Exception:
            self.displacement = self.accepted
            raise
        return found[-1]

    def accept(self, dt: float) -> None:
        """The displacement of the last step of length ``dt`` [s] becomes that of the state."""
        self.rate = (self.displacement - self.accepted) / dt
        self.accepted = self.displacement

    def restore(self, accepted: float, rate: float) -> None:
        """Take over what was saved."""
        self.displacement = self.accepted = float(accepted)
        self.rate = float(rate)

    @property
    def pressure(self) -> float:
        """Of the stack at the displacement [Pa]."""
        return self.stack.pressure_at(self.displacement)


def _normal(stack: Stack, domain: Domain) -> tuple[int, float]:
    """Component and sign of the outward normal of the side (collective)."""
    facets = domain.facets(stack.group, key="stack.group")
    _, _, nodes = facet_cells(domain.mesh, facets)
    dim, comm = domain.mesh.geometry.dim, domain.comm

    def box(points: Any) -> tuple[Any, Any]:
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        if len(points):
            low, high = points.min(axis=0), points.max(axis=0)
        comm.Allreduce(MPI.IN_PLACE, low, op=MPI.MIN)
        comm.Allreduce(MPI.IN_PLACE, high, op=MPI.MAX)
        return low[:dim], high[:dim]

    x = domain.mesh.geometry.x
    low, high = box(x[nodes.reshape(-1)].copy())
    start, end = box(x.copy())
    tiny = 1e-9 * float((end - start).max())
    for i in range(dim):
        if high[i] - low[i] <= tiny and (end[i] - high[i] <= tiny or low[i] - start[i] <= tiny):
            return i, 1.0 if end[i] - high[i] <= tiny else -1.0
    raise CaseError(
        "a plate presses on a flat side of the body, normal to an axis", key="stack.group",
        value=stack.group, hint='kind = "dead" takes any side',
    )  # fmt: skip
