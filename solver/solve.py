"""Assemble and solve a linear elastic problem; remove rigid motion without stiffening the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import (
    apply_lifting,
    assemble_matrix,
    assemble_vector,
    set_bc,
)
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech import crystals
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.numerics.linear import LinearReport, LinearSolver, rigid_modes
from ssbmech.physics import anisotropy, elasticity
from ssbmech.problem import COMPONENTS, Problem

_AXES = {
    "3d": ("x", "y", "z", "about x", "about y", "about z"),
    "axisymmetric": ("z",),
    "plane_strain": ("x", "y", "in the plane"),
    "plane_stress": ("x", "y", "in the plane"),
}


@dataclass(frozen=True)
class Solution:
    """A displacement field and how it was found.

    Attributes:
        problem: What was solved.
        u: Displacement divided by ``problem.domain.length`` (a DOLFINx Function, all ranks).
        modulus: Reference stress [Pa]; stresses inside are divided by it.
        strain_energy: [J], per metre of thickness in plane models, whole circle in axisymmetry.
        load_work: Work of the loads on u [J] (twice the work done when loads grow from zero).
        report: The linear solve.
        pins: Displacement components held to remove rigid motion, in words.
        notes: What limits the model, in words.
    """

    problem: Problem
    u: Any
    modulus: float
    strain_energy: float
    load_work: float
    report: LinearReport
    pins: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def energy_unit(self) -> str:
        """Unit of the energies."""
        return "J/m" if self.problem.model.startswith("plane") else "J"

    @property
    def potential_energy(self) -> float:
        """Strain energy minus work of the loads [J], same measure as ``strain_energy``."""
        return self.strain_energy - self.load_work


class ElasticSystem:
    """Forms, constraints and solver of a problem, reusable when the mesh changes its shape."""

    def __init__(self, problem: Problem) -> None:
        crystals.check(problem)
        self.problem = problem
        self.modulus = problem.modulus
        domain, model = problem.domain, problem.model
        mesh, dim = domain.mesh, domain.mesh.geometry.dim
        self.V = fem.functionspace(mesh, ("Lagrange", problem.degree, (dim,)))
        u, v = ufl.TrialFunction(self.V), ufl.TestFunction(self.V)
        x = ufl.SpatialCoordinate(mesh)
        order = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        extra = 2 if model == "axisymmetric" else 0
        extra += 0 if order == 1 else 2
        self._graded = any(not m.E.is_constant for m in problem.materials.values())
        extra += 2 if self._graded else 0
        self.quadrature_degree = 2 * (problem.degree - 1) + extra
        dx = ufl.Measure(
            "dx",
            mesh,
            subdomain_data=domain.cell_tags,
            metadata={"quadrature_degree": self.quadrature_degree},
        )
        ds = ufl.Measure(
            "ds",
            mesh,
            subdomain_data=domain.facet_tags,
            metadata={"quadrature_degree": 2 * problem.degree + extra},
        )
        w = elasticity.weight(x, model)
        lam, mu = self._lame(x)
        eigen = self._eigenstrain(x)
        crystal = crystals.fields(problem, self.modulus)

        def sigma(eps: Any) -> Any:
            stress = elasticity.stress(eps, lam, mu, model)
            if crystal is None:  # the compiled form of an isotropic body knows nothing of crystals
                return stress
            return stress + anisotropy.excess_stress_ufl(eps, *crystal)

        def strain(w_: Any) -> Any:
            return elasticity.strain(w_, x, model)

        a = ufl.inner(sigma(strain(u)), strain(v)) * w * dx
        loads = self._loads(x, v, w, dx, ds)
        rhs = loads if eigen is None else loads + ufl.inner(sigma(eigen), strain(v)) * w * dx
        self.a, self.L = fem.form(a), fem.form(rhs)
        self.uh = fem.Function(self.V, name="displacement")
        elastic = strain(self.uh) if eigen is None else strain(self.uh) - eigen
        self._energy = fem.form(elasticity.energy_density(elastic, sigma(elastic)) * w * dx)
        self._work = fem.form(self._loads(x, self.uh, w, dx, ds))
        self.elastic_strain, self.sigma = elastic, sigma(elastic)
        self.bcs = self._constraints()
        self.pins: tuple[str, ...] = ()

    # -- data of the problem as UFL ------------------------------------------------------------

    def _constant(self, value: float) -> Any:
        return fem.Constant(self.problem.domain.mesh, PETSc.ScalarType(value))

    def _scalar(self, formula: Formula, x: Any, scale: float) -> Any:
        """A formula as UFL, divided by ``scale``; constants stay out of the compiled code."""
        if formula.is_constant:
            return self._constant(float(formula.value(np.zeros((1, 3)))[0]) / scale)
        return formula.ufl(x, self.problem.domain.length) / self._constant(scale)

    def _cellwise(self, value_of_tag: dict[int, float]) -> Any:
        domain = self.problem.domain
        f = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
        for tag, value in value_of_tag.items():
            f.x.array[domain.cell_tags.indices[domain.cell_tags.values == tag]] = value
        return f

    def _lame(self, x: Any) -> tuple[Any, Any]:
        p = self.problem
        lam, mu = {}, {}
        graded = 0
        for name, tag in p.domain.cell_groups.items():
            material = p.materials[name]
            constant = material.E.is_constant
            E = float(material.E.value(np.zeros((1, 3)))[0]) / self.modulus if constant else 1.0
            lam[tag], mu[tag] = elasticity.lame(E, material.nu, p.model)
            if material.cubic is not None:
                lam[tag], mu[tag] = (
                    c / self.modulus for c in (material.cubic.C12, material.cubic.C44)
                )
            if not constant:
                inside = self._cellwise({tag: 1.0})
                graded += inside * (self._scalar(material.E, x, self.modulus) - 1)
        factor = 1 + graded if self._graded else 1
        return self._cellwise(lam) * factor, self._cellwise(mu) * factor

    def _eigenstrain(self, x: Any) -> Any:
        """Constant parts become one cellwise field per component; formulas keep their own term."""
        p = self.problem
        if not p.eigenstrains:
            return None
        constant: dict[str, dict[int, float]] = {name: {} for name in COMPONENTS}
        tensor: list[list[Any]] = [[0, 0, 0] for _ in range(3)]

        def add(name: str, value: Any) -> None:
            i, j = COMPONENTS[name]
            for a, b in {(i, j), (j, i)}:
                tensor[a][b] = tensor[a][b] + value

        for term in p.eigenstrains:
            tag = p.domain.cell_tag(term.group)
            for name, formula in term.components.items():
                if formula.is_constant:
                    value = float(formula.value(np.zeros((1, 3)))[0])
                    constant[name][tag] = constant[name].get(tag, 0.0) + value
                else:
                    add(name, self._cellwise({tag: 1.0}) * self._scalar(formula, x, 1.0))
        for name, values in constant.items():
            if values:
                add(name, self._cellwise(values))
        return ufl.as_tensor(tensor)

    def _loads(self, x: Any, v: Any, w: Any, dx: Any, ds: Any) -> Any:
        p = self.problem
        n = ufl.FacetNormal(p.domain.mesh)
        zero = self._constant(0.0)
        dim = p.domain.mesh.geometry.dim
        form = zero * v[0] * w * dx
        for load in p.loads:
            part = ds(p.domain.facet_tag(load.group, key=load.key))
            if load.pressure is not None:
                form += -self._scalar(load.pressure, x, self.modulus) * ufl.inner(n, v) * w * part
            for i, component in enumerate(load.traction[:dim]):
                if component is not None:
                    form += self._scalar(component, x, self.modulus) * v[i] * w * part
        for force in p.body_forces:
            part = dx(p.domain.cell_tag(force.group, key=force.key))
            for i, component in enumerate(force.components[:dim]):
                if component is not None:
                    scale = self.modulus / p.domain.length
                    form += self._scalar(component, x, scale) * v[i] * w * part
        return form

    def _constraints(self) -> list[Any]:
        p = self.problem
        fdim, length = p.domain.tdim - 1, p.domain.length
        bcs = []
        for c in p.constraints:
            facets = p.domain.facets(c.group, key=c.key)
            for i, formula in c.components.items():
                sub = self.V.sub(i)
                if formula.is_constant:
                    value = float(formula.value(np.zeros((1, 3)))[0]) / p.domain.length
                    dofs = fem.locate_dofs_topological(sub, fdim, facets)
                    bcs.append(fem.dirichletbc(PETSc.ScalarType(value), dofs, sub))
                else:
                    collapsed, _ = sub.collapse()
                    g = fem.Function(collapsed)
                    g.interpolate(lambda x, f=formula: f.value(x.T * length) / length)
                    dofs = fem.locate_dofs_topological((sub, collapsed), fdim, facets)
                    bcs.append(fem.dirichletbc(g, dofs, sub))
        return bcs

    # -- rigid motion --------------------------------------------------------------------------

    def _modes(self) -> NDArray[np.float64]:
        """Rigid modes at the dofs, centred and scaled, shape (modes, local and ghost dofs, dim)."""
        x = self.V.tabulate_dof_coordinates()
        box = self.problem.domain_box()
        size = np.max(box[1] - box[0])
        return rigid_modes((x - box.mean(axis=0)) / size, self.problem.model)

    def _free_modes(self, modes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Combinations of rigid modes that no constraint stops, shape (modes, free)."""
        comm, n_modes = self.problem.domain.comm, len(modes)
        flat = modes.reshape(n_modes, -1)
        owned = self.V.dofmap.index_map.size_local * self.V.dofmap.index_map_bs
        gram = np.zeros((n_modes, n_modes))
        for bc in self.bcs:
            dofs, _ = bc.dof_indices()
            dofs = dofs[dofs < owned]
            gram += flat[:, dofs] @ flat[:, dofs].T
        total = np.empty_like(gram)
        comm.Allreduce(gram, total)
        values, vectors = np.linalg.eigh(total)
        scale = max(values.max(initial=0.0), 1.0)
        return vectors[:, values < 1e-10 * scale]

    def pin(self) -> list[Any]:
        """Hold as many displacement components as rigid motions are left, at far-away nodes.

        With loads in balance the reactions there vanish: the body is not stiffened.

        Raises:
            SolverError: When the loads are not in balance with the motion left free.
        """
        modes = self._modes()
        free = self._free_modes(modes)
        if free.shape[1] == 0:
            return []
        b = assemble_vector(self.L)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        comm, n = self.problem.domain.comm, len(modes)
        dim = modes.shape[2]
        owned = self.V.dofmap.index_map.size_local
        local = modes[:, :owned].reshape(n, -1)
        work = np.abs(local) @ np.abs(b.array_r)
        resultant = local @ b.array_r
        for values in (work, resultant):
            comm.Allreduce(MPI.IN_PLACE, values)
        out = np.abs(free.T @ resultant) / max(float(work.max()), 1e-300)
        if work.max() > 0 and out.max() > 1e-6:
            worst = free[:, int(np.argmax(out))]
            name = _AXES[self.problem.model][int(np.argmax(np.abs(worst)))]
            raise SolverError(
                f"nothing holds the body against rigid motion ({name}), and the loads are not in "
                f"balance: their resultant is {out.max():.1e} of the loads' sum",
                key="constraint",
                hint="Add a [[constraint]] that holds it, or loads in balance",
            )
        x = self.V.tabulate_dof_coordinates()[:owned]
        tie = 1e-7 * (x @ np.array([1.0, 0.618, 0.382]))  # one choice on any number of ranks
        bcs, words = [], []
        while free.shape[1]:
            amplitude = np.linalg.norm(np.einsum("mnd,mf->ndf", modes[:, :owned], free), axis=2)
            score = amplitude + tie[:, None]
            best = int(np.argmax(score)) if score.size else -1
            mine = float(score.reshape(-1)[best]) if score.size else -np.inf
            _, rank = comm.allreduce((mine, -comm.rank), op=MPI.MAX)
            row = None
            if comm.rank == -rank:
                node, i = divmod(best, dim)
                row = (modes[:, node, i] @ free, i, x[node].tolist())
            direction, i, place = comm.bcast(row, root=-rank)
            dofs = np.array([best] if comm.rank == -rank else [], dtype=np.int32)
            dofs = self._with_ghosts(dofs)
            bcs.append(fem.dirichletbc(PETSc.ScalarType(0.0), dofs, self.V.sub(i)))
            um = np.asarray(place) * self.problem.domain.length * 1e6
            words.append(f"u_{'xyz'[i]} at ({', '.join(f'{c:.4g}' for c in um)}) um")
            _, _, right = np.linalg.svd(direction[None, :])
            free = free @ right[1:].T
        self.pins = tuple(words)
        return bcs

    def _with_ghosts(self, owned_dofs: NDArray[np.int32]) -> NDArray[np.int32]:
        """The same dofs as every rank sees them, ghosts included."""
        mark = fem.Function(self.V)
        mark.x.array[owned_dofs] = 1
        mark.x.scatter_forward()
        return np.flatnonzero(mark.x.array).astype(np.int32)

    # -- solve ---------------------------------------------------------------------------------

    def solve(self, *, rtol: float = 1e-10) -> Solution:
        """Assemble and solve.

        Raises:
            SolverError: On every rank: no convergence, or a body that nothing holds.
        """
        p = self.problem
        solver, bcs = self.operator(rtol=rtol)
        b = assemble_vector(self.L)
        apply_lifting(b, [self.a], [bcs])
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        set_bc(b, bcs)
        report = solver.solve(b, self.uh.x.petsc_vec)
        self.uh.x.scatter_forward()
        u = self.uh.copy()
        u.name = "displacement"
        comm = p.domain.comm
        measure = self.modulus * p.domain.length**p.domain.tdim
        if p.model == "axisymmetric":
            measure *= 2 * np.pi * p.domain.length
        energy = comm.allreduce(fem.assemble_scalar(self._energy)) * measure
        work = comm.allreduce(fem.assemble_scalar(self._work)) * measure
        solver.A.destroy()
        b.destroy()
        note = crystals.plane_note(p)
        notes = (note,) if note else ()
        return Solution(p, u, self.modulus, energy, work, report, self.pins, notes)

    def operator(self, *, rtol: float = 1e-10) -> tuple[LinearSolver, list[Any]]:
        """The stiffness, set up for any number of right-hand sides, and what is prescribed.

        Raises:
            SolverError: On every rank, for a body that nothing holds or a set-up that failed.
        """
        p = self.problem
        bcs = self.bcs + self.pin()
        A = assemble_matrix(self.a, bcs)
        A.assemble()
        solver = LinearSolver(
            A,
            self._near_nullspace(),
            dim=p.domain.tdim,
            method=p.linear,
            rtol=rtol,
            options=p.petsc,
        )
        return solver, bcs

    def mean_pressures(self) -> dict[str, float]:
        """Mean pressure -tr(sigma)/3 of each material group [Pa], compression positive."""
        p = self.problem
        mesh = p.domain.mesh
        x = ufl.SpatialCoordinate(mesh)
        dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": self.quadrature_degree})
        inside = self._cellwise({})
        w = elasticity.weight(x, p.model)
        pressure = fem.form(-inside * ufl.tr(self.sigma) / 3 * w * dx)
        volume = fem.form(inside * w * dx)
        means = {}
        for name, tag in p.domain.cell_groups.items():
            inside.x.array[:] = 0
            inside.x.array[p.domain.cell_tags.find(tag)] = 1
            total = p.domain.comm.allreduce(
                np.array([fem.assemble_scalar(pressure), fem.assemble_scalar(volume)])
            )
            means[name] = float(total[0] / total[1]) * self.modulus
        return means

    def _near_nullspace(self) -> list[NDArray[np.float64]]:
        """Rigid modes, orthonormal over all ranks, owned entries."""
        modes = self._modes()
        comm = self.problem.domain.comm
        owned = self.V.dofmap.index_map.size_local
        flat = [m[:owned].reshape(-1).copy() for m in modes]
        for i, v in enumerate(flat):
            for w in flat[:i]:
                v -= comm.allreduce(v @ w) * w
            v /= np.sqrt(comm.allreduce(v @ v))
        return flat
