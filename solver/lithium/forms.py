"""Spaces, fields and forms of a body of elastic and flowing groups, non-dimensional.

Quadratic displacements everywhere and, on flowing groups, a linear continuous mean stress p
(Taylor-Hood), because plastic flow keeps its volume and displacements alone would lock. p has
unknowns on the whole mesh; those outside flowing groups are to be held at zero. Lengths are divided
by ``domain.length``, stresses by the largest Young's modulus.
"""

from __future__ import annotations

import math
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector, create_matrix
from dolfinx.mesh import meshtags
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.lithium.boundary import Loads
from ssbmech.lithium.problem import BodyProblem
from ssbmech.lithium.quadrature import Points, gradient_vector
from ssbmech.physics import elasticity

Floats = NDArray[Any]

_ELASTIC, _FLOWING = 1, 2


class BodyForms:
    """Everything of a `BodyProblem` that is compiled once.

    Attributes:
        problem: The problem.
        W: Mixed space of displacement and p; ``V`` and ``Q`` are its parts as spaces of their own.
        where: Unknown of ``W`` of each unknown of ``V``; ``q_where`` of each of ``Q``.
        owned: Number of unknowns of ``W`` that this rank owns.
        w: The unknowns as a DOLFINx function.
        flow_cells: Cells of the flowing groups, one group after the other, with ghosts.
        quadrature: Their points.
    """

    def __init__(self, problem: BodyProblem) -> None:
        self.problem = problem
        mesh = problem.domain.mesh
        cell, dim = mesh.basix_cell().name, problem.dim
        order = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        self._curved = 2 if order > 1 else 0
        mixed = basix.ufl.mixed_element(
            [
                basix.ufl.element("Lagrange", cell, 2, shape=(dim,)),
                basix.ufl.element("Lagrange", cell, 1),
            ]
        )
        self.W = fem.functionspace(mesh, mixed)
        self.V, where = self.W.sub(0).collapse()
        self.Q, q_where = self.W.sub(1).collapse()
        self.where = np.asarray(where, np.int32)
        self.q_where = np.asarray(q_where, np.int32)
        self.owned = int(self.W.dofmap.index_map.size_local * self.W.dofmap.index_map_bs)
        self.w = fem.Function(self.W)
        self._sort_cells()
        axis = 2 if problem.model == "axisymmetric" else 0
        self.quadrature = Points(mesh, problem.model, self.flow_cells, 2 + axis + self._curved)
        self._compile()

    def _sort_cells(self) -> None:
        """Cells of every flowing group one after the other; elastic and flowing ones marked."""
        domain = self.problem.domain
        of_cell = domain.tag_of_cell()
        parts = [
            np.flatnonzero(of_cell == domain.cell_tag(name)).astype(np.int32)
            for name in self.problem.flows
        ]
        self.flow_counts = [len(part) for part in parts]
        self.flow_cells = np.concatenate([np.empty(0, np.int32), *parts])
        kind = np.full(len(of_cell), _ELASTIC, np.int32)
        kind[self.flow_cells] = _FLOWING
        cells = np.arange(len(of_cell), dtype=np.int32)
        self._kinds = meshtags(domain.mesh, domain.tdim, cells, kind)

    def _cellwise(self, values: dict[str, float]) -> Any:
        domain = self.problem.domain
        f = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
        for name, value in values.items():
            f.x.array[domain.cell_tags.find(domain.cell_tag(name))] = value
        return f

    def _compile(self) -> None:
        p, mesh = self.problem, self.problem.domain.mesh
        q, k = self.quadrature, len(self.quadrature.parts)
        x = ufl.SpatialCoordinate(mesh)
        weight = elasticity.weight(x, p.model)
        (u, m), (v, n) = ufl.split(self.w), ufl.TestFunctions(self.W)
        du, dm = ufl.TrialFunctions(self.W)
        self.stress_field, self.tangent_field = q.field((k,)), q.field((k, k))
        self.swell_field, self.volume_field, self.grown_field = q.field((k,)), q.field(), q.field()
        M = p.modulus
        bulk = self._cellwise({name: M / p.moduli(name)[1] for name in p.flows})
        lame = {
            name: elasticity.lame(p.young(name) / M, p.materials[name].nu, p.model)
            for name in p.domain.cell_groups
        }
        lam = self._cellwise({name: c[0] for name, c in lame.items()})
        mu = self._cellwise({name: c[1] for name, c in lame.items()})
        degree = self.quadrature.degree
        cells = ufl.Measure("dx", mesh, subdomain_data=self._kinds)
        solid = cells(_ELASTIC, metadata={"quadrature_degree": degree})
        flowing = cells(_FLOWING, metadata=q.metadata)
        self.misfit_field = None
        strain = elasticity.strain(u, x, p.model)
        if p.misfits:
            self.misfit_field = fem.Function(fem.functionspace(mesh, ("DG", 0, (3, 3))))
            strain = strain - self.misfit_field
        sigma = elasticity.stress(strain, lam, mu, p.model)
        self._sigma = sigma
        gv, gu = gradient_vector(v, x, p.model), gradient_vector(du, x, p.model)
        forces = ufl.inner(sigma, elasticity.strain(v, x, p.model)) * weight * solid
        forces += ufl.inner(self.stress_field, gv) * weight * flowing
        forces += (self.volume_field - self.grown_field * bulk * m) * n * weight * flowing
        tangent = ufl.inner(
            elasticity.stress(elasticity.strain(du, x, p.model), lam, mu, p.model),
            elasticity.strain(v, x, p.model),
        ) * weight * solid  # fmt: skip
        tangent += ufl.inner(ufl.dot(self.tangent_field, gu), gv) * weight * flowing
        tangent += ufl.inner(self.swell_field, gv) * dm * weight * flowing
        tangent += ufl.inner(self.swell_field, gu) * n * weight * flowing
        tangent += -self.grown_field * bulk * dm * n * weight * flowing
        self.internal, self.jacobian = fem.form(forces), fem.form(tangent)
        self.lift = fem.Function(self.W)
        self.action = fem.form(ufl.action(tangent, self.lift))
        eta = ufl.TestFunction(fem.functionspace(mesh, ("DG", 0)))
        size = ufl.sqrt(ufl.inner(sigma, sigma)) * eta * weight * solid
        size += ufl.sqrt(ufl.inner(self.stress_field, self.stress_field)) * eta * weight * flowing
        self.stress_size = fem.form(size)
        self.energy = fem.form(elasticity.energy_density(strain, sigma) * weight * solid)
        self._per_point = q.field()
        self._integral = fem.form(self._per_point * weight * flowing)
        self._gradient = q.expression(gradient_vector(u, x, p.model))
        self.mean_at_points = q.expression(m)
        self.loads = Loads(p, self._curved + axis_degree(p.model))
        acting = self.loads.form(v)
        self.acting = None if acting is None else fem.form(acting)
        self.matrix = create_matrix(self.jacobian)
        self._scales(mesh, weight, flowing, n)

    def _scales(self, mesh: Any, weight: Any, flowing: Any, n: Any) -> None:
        """Size of cells, and volume at vertices that volumetric residuals are divided by."""
        eta = ufl.TestFunction(fem.functionspace(mesh, ("DG", 0)))
        one = fem.Constant(mesh, PETSc.ScalarType(1.0))
        owned = self.problem.domain.mesh.topology.index_map(self.problem.domain.tdim).size_local
        plain = self.assemble(fem.form(one * eta * ufl.dx(mesh)))
        self.cell_size = plain[:owned] ** (1.0 / self.problem.domain.tdim)
        self.share = self.assemble(fem.form(n * weight * flowing))
        heavy = self.assemble(fem.form(one * eta * weight * ufl.dx(mesh)))[:owned]
        stiff = self.everywhere(float(np.sum((heavy / self.cell_size**2) ** 2)))
        self.rounding = 4 * float(np.finfo(float).eps) * math.sqrt(stiff)

    def assemble(self, form: Any) -> Floats:
        """Owned entries of a linear form."""
        b = assemble_vector(form)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        values = b.array_r.copy()
        b.destroy()
        return values

    def everywhere(self, value: float) -> float:
        """Sum over all ranks."""
        return float(self.problem.domain.comm.allreduce(value))

    def integral(self, values: Floats) -> float:
        """Integral of values at points over the flowing groups, times the unit of volume."""
        self.quadrature.put(self._per_point, values)
        total = self.everywhere(fem.assemble_scalar(self._integral))
        return total * self.problem.measure

    def gradients(self) -> Floats:
        """Displacement gradient at the points of the last evaluation, shape (n, 3, 3)."""
        q = self.quadrature
        return q.tensors(q.values(self._gradient, (len(q.parts),)))

    def virtual_work(self, v: Any, group: str) -> Any:
        """Work of the stress of a cell group on test functions, as UFL, non-dimensional."""
        p, mesh = self.problem, self.problem.domain.mesh
        x = ufl.SpatialCoordinate(mesh)
        cells = ufl.Measure("dx", mesh, subdomain_data=p.domain.cell_tags)
        inside = cells(p.domain.cell_tag(group), metadata=self.quadrature.metadata)
        if group in p.flows:
            work = ufl.inner(self.stress_field, gradient_vector(v, x, p.model))
        else:
            work = ufl.inner(self._sigma, elasticity.strain(v, x, p.model))
        return work * elasticity.weight(x, p.model) * inside

    def internal_forces(self) -> Floats:
        """Owned entries of the internal forces of the last evaluation, non-dimensional."""
        return self.assemble(self.internal)

    def _set_misfit(self, time: float) -> None:
        if self.misfit_field is None:
            return
        domain, array = self.problem.domain, self.misfit_field.x.array.reshape(-1, 9)
        for name in domain.cell_groups:
            cells = domain.cell_tags.find(domain.cell_tag(name))
            array[cells] = self.problem.misfit_at(name, time).reshape(9)


def axis_degree(model: str) -> int:
    """What the weight r adds to the degree of an integrand."""
    return 1 if model == "axisymmetric" else 0
