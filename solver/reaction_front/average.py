"""Mean of a field across a front: what acts on a reaction is the mean of both of its sides.

A field f has, over the width of a front, values that no sharp front has. With the weight |grad c|
its mean across is that of the sharp one; along the front it is smoothed over two widths, like the
reaction (`ssbmech.reaction_front.system`). A law that is not linear in f has to be given the mean:
the mean of what it makes of f is another number.
"""

from __future__ import annotations

from typing import Any

import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_matrix, assemble_vector
from petsc4py import PETSc
from ssbmech.numerics.linear import LinearSolver
from ssbmech.physics import diffuse_front as front
from ssbmech.physics.elasticity import weight

#: Weight by which the mean ends far from the front, over that at the front.
_NOTHING = 1e-9


class FrontMean:
    """A linear function F with <F - f> = 0 across the front, and as good as constant there.

    Args:
        c: Share of the layer, a linear function; its present values count.
        width: l, in the unit of the mesh.
        model: Mechanical model, for the measure of volumes.
        f: The field, a UFL expression.
        degree: Of the quadrature.
    """

    def __init__(self, c: Any, width: float, model: str, f: Any, degree: int) -> None:
        self.space = c.function_space
        mesh = self.space.mesh
        F, m = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        w = weight(ufl.SpatialCoordinate(mesh), model)
        dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": degree})
        thin = fem.Constant(mesh, PETSc.ScalarType(width))
        n = front.normal(c, thin)
        slope = ufl.inner(n, ufl.grad(c))
        a = slope * F * m + front.held_across(F, m, n, slope, thin) + _NOTHING / thin * F * m
        self._a, self._L = fem.form(a * w * dx), fem.form(slope * f * m * w * dx)
        self._found = fem.Function(self.space)

    def solve(self) -> Any:
        """The mean for the present c and f (collective)."""
        A = assemble_matrix(self._a)
        A.assemble()
        b = assemble_vector(self._L)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        mesh = self.space.mesh
        solver = LinearSolver(A, [], dim=mesh.topology.dim, method="direct")
        solver.solve(b, self._found.x.petsc_vec)
        self._found.x.scatter_forward()
        A.destroy()
        b.destroy()
        return self._found
