"""The linearised electric problem: one factorisation, and the border of a given current."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx.fem.petsc import assemble_matrix
from ssbmech.numerics.linear import LinearReport, LinearSolver

if TYPE_CHECKING:
    from ssbmech.electro.system import ElectricSystem


class Tangent:
    """The linearised problem at the present state of a system."""

    def __init__(self, system: ElectricSystem) -> None:
        self.system = system
        p = system.problem
        A = assemble_matrix(system._J, system._bcs)
        A.assemble()
        self.solver = LinearSolver(
            A, [], dim=p.domain.tdim, method=p.linear, rtol=system.rtol, options=p.petsc
        )

    def solve(self, b: Any, x: Any) -> LinearReport:
        """See `newton.Tangent`."""
        return self.solver.solve(b, x)

    def column(self) -> Any:
        """Right-hand side of d(state)/d(potential of the driven electrode)."""
        system, driven = self.system, self.system.driven
        assert driven is not None
        if driven.rate is not None:
            b = system.assembled(driven.gradient)
            b.scale(-1)
            b.array[system.own(system._fixed)] = 0
            return b
        b = self._along(driven.dofs)
        b.scale(-1)
        b.array[system.own(system._fixed)] = 0
        b.array[system.own(driven.dofs)] = 1
        return b

    def _along(self, dofs: Iterable[int]) -> Any:
        """The tangent applied to the indicator of unknowns."""
        system = self.system
        system._direction.x.array[:] = 0
        system._direction.x.array[np.asarray(dofs)] = 1
        return system.assembled(system._action)

    def slope(self, direction: Any, scalar: float) -> float:
        """Change of the driven electrode's current."""
        system, driven = self.system, self.system.driven
        assert driven is not None
        if driven.rate is not None:
            gradient = system.assembled(driven.gradient)
            # the rate depends on metal minus electrolyte, and shape functions sum to one
            return float(gradient.dot(direction) - scalar * gradient.sum())
        direction.copy(system._direction.x.petsc_vec)
        system._direction.x.scatter_forward()
        change = system.assembled(system._action)
        own = system.own(driven.dofs)
        return system.everywhere(float(change.array_r[own].sum()))
