"""The stress that a diffuse layer makes: elasticity with moduli and growth strain that go with c.

The product may flow: a Maxwell element for the deviator, s = 2 mu (e - e_v), e_v' = s/(2 eta), by
backward Euler over a step; its volume stays elastic. e_v belongs to cells and is the history.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import CaseError
from ssbmech.output.fields import lumped
from ssbmech.physics import elasticity
from ssbmech.physics.diffuse_front import share
from ssbmech.problem import Problem
from ssbmech.reaction_front.problem import Product
from ssbmech.solve import ElasticSystem, Solution

Floats = NDArray[np.float64]
SIX = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))


class GradedSystem(ElasticSystem):
    """A body of electrolyte with a share c of product, whose growth strain is c times its own.

    Args:
        problem: Of the electrolyte alone.
        product: The layer.
        c: Its share, a linear function on the same mesh.
    """

    def __init__(self, problem: Problem, product: Product, c: Any) -> None:
        self.product, self.c = product, share(c)
        mesh = problem.domain.mesh
        self.flows = math.isfinite(product.viscosity)
        if self.flows and problem.model == "plane_stress":
            raise CaseError(
                "a layer that flows keeps its volume in all directions", key="geometry.model",
                value="plane_stress", allowed="plane_strain, axisymmetric, 3d",
            )  # fmt: skip
        self.flowed = fem.Function(fem.functionspace(mesh, ("DG", 0, (6,))))
        self.lag = fem.Constant(mesh, PETSc.ScalarType(0.0))  # dt E/eta
        super().__init__(problem)
        if self.flows:
            s = ufl.dev(self.sigma)
            six = ufl.as_vector([s[i, j] for i, j in SIX])
            points = self.flowed.function_space.element.interpolation_points()
            self._flow = fem.Expression(self.flowed + 0.5 * self.lag * self.c * six, points)

    def _lame(self, x: Any) -> tuple[Any, Any]:
        body, p = super()._lame(x), self.product
        inside = elasticity.lame(p.E / self.modulus, p.nu, self.problem.model)
        lam, mu = (
            self._constant(own) * self.c + b * (1 - self.c)
            for own, b in zip(inside, body, strict=True)
        )
        if not self.flows:
            return lam, mu
        soft = mu / (1 + self.lag * self.c * mu)
        return lam + 2 * (mu - soft) / 3, soft

    def _eigenstrain(self, x: Any) -> Any:
        growth = ufl.as_tensor([[self._constant(v) for v in row] for row in self.product.growth])
        total, given = self.c * growth, super()._eigenstrain(x)
        if given is not None:
            total += given
        return total + symmetric(self.flowed) if self.flows else total

    def flow(self) -> None:
        """Take the flow of the step that was solved into the history."""
        if self.flows:
            new = fem.Function(self.flowed.function_space)
            new.interpolate(self._flow)
            self.flowed.x.array[:] = new.x.array


def symmetric(six: Any) -> Any:
    """A symmetric tensor from its components in the order of `SIX`."""
    xx, yy, zz, xy, yz, xz = (six[k] for k in range(6))
    return ufl.as_tensor([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


class FrontMechanics:
    """Displacement and stress for a share of the layer.

    Args:
        problem: Of the electrolyte alone, on the mesh of the front.
        product: The layer.
        c: Share of the layer, a linear function; `share` is what is set.
        expansion: Growth strain of the reaction, on which stress does work, 3 x 3.
    """

    def __init__(self, problem: Problem, product: Product, c: Any, expansion: Floats) -> None:
        self.problem, self.product, self.share = problem, product, c
        self.system = GradedSystem(problem, product, c)
        self.solution: Solution | None = None
        mesh = problem.domain.mesh
        Q = fem.functionspace(mesh, ("Lagrange", 1))
        v = ufl.TestFunction(Q)
        degree = {"quadrature_degree": self.system.quadrature_degree + 2}
        dx = ufl.Measure("dx", mesh, metadata=degree)
        w = elasticity.weight(ufl.SpatialCoordinate(mesh), problem.model)
        reaction = ufl.as_tensor([[self.system._constant(e) for e in row] for row in expansion])
        self._work = fem.form(ufl.inner(self.system.sigma, reaction) * v * w * dx)
        self._weight = fem.form(v * w * dx)
        self.work = fem.Function(Q)

    def solve(self, dt: float = 0.0, rtol: float = 1e-10) -> None:
        """Solve for the present share of the layer, after flow for a time (collective).

        Args:
            dt: [s]
            rtol: Of an iterative solver.
        """
        if self.system.flows and dt > 0.0:
            self.system.lag.value = dt * self.system.modulus / self.product.viscosity
            self.system.solve(rtol=rtol)
            self.system.flow()
            self.system.lag.value = 0.0
        # of what has flowed alone, so that a state that was loaded has the same stress
        self.solution = self.system.solve(rtol=rtol)
        values = []
        for form in (self._work, self._weight):
            b = assemble_vector(form)
            b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
            values.append(b.array_r.copy())
            b.destroy()
        own = len(values[0])
        self.work.x.array[:own] = values[0] / values[1] * self.system.modulus
        self.work.x.scatter_forward()

    def stress(self) -> Floats:
        """Stress at vertices [Pa], (local and ghost, 3, 3): a lumped projection."""
        nodal = lumped(self.system) * self.system.modulus
        out = np.zeros((len(nodal), 3, 3))
        for k, (i, j) in enumerate(SIX):
            out[:, i, j] = out[:, j, i] = nodal[:, k]
        return out
