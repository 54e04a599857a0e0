"""The linearised electric problem: one factorisation, and the border of a given current."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbmech.numerics.linear import LinearReport, LinearSolver

if TYPE_CHECKING:
    from ssbmech.electro.system import ElectricSystem


class Tangent:
    """The linearised problem at the present state of a system."""

    def __init__(self, system: ElectricSystem) -> None:
        self.system = system
        p = system.problem
        self.solver = LinearSolver(
            system.linearised(), [], dim=p.domain.tdim, method=p.linear, rtol=system.rtol,
            options=p.petsc,
        )  # fmt: skip

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
            b.array[system.own(system.fixed)] = 0
            return b
        b = system.change(driven.dofs)
        b.scale(-1)
        b.array[system.own(system.fixed)] = 0
        b.array[system.own(driven.dofs)] = 1
        return b

    def slope(self, direction: Any, scalar: float) -> float:
        """Change of the driven electrode's current."""
        system, driven = self.system, self.system.driven
        assert driven is not None
        if driven.rate is not None:
            gradient = system.assembled(driven.gradient)
            # the rate depends on metal minus electrolyte, and shape functions sum to one
            return float(gradient.dot(direction) - scalar * gradient.sum())
        change = system.change(direction)
        return system.everywhere(float(change.array_r[system.own(driven.dofs)].sum()))
