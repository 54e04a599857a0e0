"""The stress that a diffuse layer makes: product and electrolyte as a laminate across the front.

The product may flow: a Maxwell element for its deviator, s = 2 mu (e - e_v), e_v' = s/(2 eta), by
backward Euler over a step; its volume stays elastic. c e_v belongs to cells and is the history:
what the front adds has not flowed.

What the stress does to the reaction is what the elastic energy W(eps, c) takes from it, -dW/dc,
whose mean across a front in equilibrium is -([W] - t . [du/dn]) for any profile (J. D. Eshelby, J.
Elast. 5 (1975) 321): <s> : e* where both sides are equally stiff, and what the energy of the body
loses per volume of layer in any case. e* is what the body sees, the retained strain.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import CaseError, SolverError
from ssbmech.output.fields import lumped
from ssbmech.physics import elasticity
from ssbmech.physics.diffuse_front import normal, share
from ssbmech.physics.laminate import Laminate, Phase, laminate
from ssbmech.problem import Problem
from ssbmech.reaction_front.average import FrontMean
from ssbmech.reaction_front.problem import Product
from ssbmech.solve import ElasticSystem, Solution

Floats = NDArray[np.float64]
#: Share below which what has flowed is not told from what has not.
_LITTLE = 1e-3
SIX = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))


class GradedSystem(ElasticSystem):
    """A body of electrolyte with a share c of product, which has a growth strain.

    Args:
        problem: Of the electrolyte alone.
        product: The layer.
        c: Its share, a linear function on the same mesh.
        width: l of the front, in the unit of the mesh.
    """

    def __init__(self, problem: Problem, product: Product, c: Any, width: float) -> None:
        self.product = product
        mesh = problem.domain.mesh
        self.flows = math.isfinite(product.viscosity)
        if self.flows and problem.model == "plane_stress":
            raise CaseError(
                "a layer that flows keeps its volume in all directions", key="geometry.model",
                value="plane_stress", allowed="plane_strain, axisymmetric",
                hint="Or leave interphase.front.viscosity out",
            )  # fmt: skip
        super().__init__(problem)
        six, one = (fem.functionspace(mesh, ("DG", 0, shape)) for shape in ((6,), ()))
        self.flowed, self._own = fem.Function(six), fem.Function(six)
        self.kept = fem.Function(one)  # share of the stiffness that damage leaves
        self.kept.x.array[:] = 1.0
        self.lag = fem.Constant(mesh, PETSc.ScalarType(0.0))  # dt E/eta
        self._middle = fem.Function(one)
        self._centre = fem.Expression(share(c), one.element.interpolation_points())
        self._compose(c, width)

    def _compose(self, c: Any, width: float) -> None:
        """Forms of the mixture in the place of those of the electrolyte."""
        p, mesh = self.problem, self.problem.domain.mesh
        self.quadrature_degree += 2
        degree = {"quadrature_degree": self.quadrature_degree}
        dx = ufl.Measure("dx", mesh, subdomain_data=p.domain.cell_tags, metadata=degree)
        ds = ufl.Measure("ds", mesh, subdomain_data=p.domain.facet_tags, metadata=degree)
        x = ufl.SpatialCoordinate(mesh)
        w = elasticity.weight(x, p.model)
        n = normal(c, self._constant(width))
        inside, outside = self._phases(x)

        def mixed(eps: Any, *, grown: bool) -> Laminate:
            one, zero = (q if grown else replace(q, strain=None) for q in (inside, outside))
            return laminate(eps, share(c), n, one, zero, p.model)

        def strain(u: Any) -> Any:
            return elasticity.strain(u, x, p.model)

        u, v = ufl.TrialFunction(self.V), ufl.TestFunction(self.V)
        still = self._constant(0.0) * ufl.Identity(3)
        self.a = fem.form(ufl.inner(mixed(strain(u), grown=False).stress, strain(v)) * w * dx)
        given = ufl.inner(mixed(still, grown=True).stress, strain(v)) * w * dx
        self.L = fem.form(self._loads(x, v, w, dx, ds) - given)
        now = mixed(strain(self.uh), grown=True)
        self.sigma, self.work = now.stress, now.work
        self.sound_energy = now.energy / self.kept
        self._energy = fem.form(now.energy * w * dx)
        if self.flows:
            s = ufl.dev(now.inner)
            rate = ufl.as_vector([s[i, j] for i, j in SIX])
            points = self.flowed.function_space.element.interpolation_points()
            self._flow = fem.Expression(self.flowed + 0.5 * self.lag * self._middle * rate, points)

    def _phases(self, x: Any) -> tuple[Phase, Phase]:
        """Product and electrolyte."""
        p = self.product
        lam, mu = (
            self.kept * self._constant(m)
            for m in elasticity.lame(p.E / self.modulus, p.nu, self.problem.model)
        )
        body_lam, body_mu = (self.kept * m for m in self._lame(x))
        growth = ufl.as_tensor([[self._constant(v) for v in row] for row in p.growth])
        given = self._eigenstrain(x)
        if given is not None:
            growth += given
        if self.flows:
            soft = mu / (1 + self.lag * mu)
            lam, mu = lam + 2 * (mu - soft) / 3, soft
            growth += symmetric(self._own)
        return Phase(lam, mu, growth), Phase(body_lam, body_mu, given)

    def solve(self, *, rtol: float = 1e-10) -> Solution:
        """See `ElasticSystem`: for the present share and what has flowed of it."""
        if self.flows:
            self._middle.interpolate(self._centre)
            size = np.maximum(self._middle.x.array, _LITTLE)
            self._own.x.array[:] = (self.flowed.x.array.reshape(-1, 6) / size[:, None]).reshape(-1)
        return super().solve(rtol=rtol)

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
        width: l of the front [m].
    """

    def __init__(self, problem: Problem, product: Product, c: Any, width: float) -> None:
        self.problem, self.product, self.share = problem, product, c
        self._thin = width / problem.domain.length
        self.system = GradedSystem(problem, product, c, self._thin)
        self.solution: Solution | None = None

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

    @cached_property
    def _mean(self) -> FrontMean:
        """Compiled where the work is asked for, and not before."""
        s = self.system
        return FrontMean(self.share, self._thin, self.problem.model, s.work, s.quadrature_degree)

    def weaken(self, kept: Floats) -> None:
        """Where a model of damage acts on the body: for the next solution.

        Args:
            kept: Share of the stiffness that is left in each local and ghost cell, above 0, at
                most 1.

        Raises:
            SolverError: On every rank, for a share outside that range.
        """
        comm = self.problem.domain.comm
        low, high = (float(f(kept, initial=1.0)) for f in (np.min, np.max))
        low, high = min(comm.allgather(low)), max(comm.allgather(high))
        if not 0.0 < low <= high <= 1.0:
            raise SolverError("damage leaves a share of the stiffness", key="weaken",
                              value=(low, high), allowed="above 0, at most 1")  # fmt: skip
        self.system.kept.x.array[:] = kept

    def sound_energy(self) -> Floats:
        """Elastic energy of the solved strain in sound material, in each cell [J/m^3].

        It is what drives damage; of all strains, in tension and compression.
        """
        space = self.system.kept.function_space
        found = fem.Function(space)
        points = space.element.interpolation_points()
        found.interpolate(fem.Expression(self.system.sound_energy, points))
        return np.asarray(found.x.array * self.system.modulus)

    def work(self) -> Floats:
        """Work of the solved stress on the growth [Pa] at vertices: its mean across the front."""
        return np.asarray(self._mean.solve().x.array * self.system.modulus)

    def stress(self) -> Floats:
        """Stress at vertices [Pa], (local and ghost, 3, 3): a lumped projection."""
        nodal = lumped(self.system) * self.system.modulus
        out = np.zeros((len(nodal), 3, 3))
        for k, (i, j) in enumerate(SIX):
            out[:, i, j] = out[:, j, i] = nodal[:, k]
        return out
