"""What acts on the surface of a body in time: loads, prescribed displacements, nodal laws.

Nodal laws see the nodes of a surface as SI arrays, each node on the one rank that owns it; what
they answer is put into the residual and the matrix here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import CaseError, nearest
from ssbmech.formula import Formula
from ssbmech.lithium.problem import BodyProblem, Hold, NodalLaw
from ssbmech.parallel import together
from ssbmech.physics.elasticity import weight

Floats = NDArray[Any]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class SurfaceNodes:
    """Displacement nodes of a facet group that this rank owns.

    Attributes:
        group: Facet group.
        coordinates: Reference coordinates [m], shape (n, dim).
        areas: Area that belongs to each node, the integral of its shape function (Simpson's weights
            in 2-D) [m^2; m in plane models; whole circle in axisymmetry], shape (n,).
        normals: Unit outward normals, zero where a node of a 3-D facet has none, shape (n, dim).
        nodes: Their numbers in the displacement space, shape (n,).
    """

    group: str
    coordinates: Floats
    areas: Floats
    normals: Floats
    nodes: Ints


class Loads:
    """Surface loads as a linear form whose factors change without compiling anything."""

    def __init__(self, problem: BodyProblem, extra: int) -> None:
        self.problem = problem
        mesh = problem.domain.mesh
        self._factors = [fem.Constant(mesh, PETSc.ScalarType(0.0)) for _ in problem.loads]
        self._given: dict[str, float] = {}
        self.ds = ufl.Measure(
            "ds", mesh, subdomain_data=problem.domain.facet_tags,
            metadata={"quadrature_degree": 4 + extra},
        )  # fmt: skip

    def form(self, v: Any) -> Any:
        """Virtual work of the loads, non-dimensional, or None without loads."""
        p, mesh = self.problem, self.problem.domain.mesh
        x, n = ufl.SpatialCoordinate(mesh), ufl.FacetNormal(mesh)
        w, total = weight(x, p.model), None
        for load, factor in zip(p.loads, self._factors, strict=True):
            surface = load.surface
            part = self.ds(p.domain.facet_tag(surface.group, key=surface.key))
            terms = []
            if surface.pressure is not None:
                terms.append(-self._scalar(surface.pressure, x) * ufl.inner(n, v))
            for i, component in enumerate(surface.traction[: p.dim]):
                if component is not None:
                    terms.append(self._scalar(component, x) * v[i])
            for term in terms:
                total = factor * term * w * part + (0 if total is None else total)
        return total

    def _scalar(self, formula: Formula, x: Any) -> Any:
        mesh, scale = self.problem.domain.mesh, self.problem.modulus
        if formula.is_constant:
            value = float(formula.value(np.zeros((1, 3)))[0])
            return fem.Constant(mesh, PETSc.ScalarType(value / scale))
        one = fem.Constant(mesh, PETSc.ScalarType(scale))
        return formula.ufl(x, self.problem.domain.length) / one

    def set_factor(self, group: str, value: float) -> None:
        """Give the loads of a facet group a factor that replaces their own from now on."""
        names = [load.surface.group for load in self.problem.loads]
        if group not in names:
            raise CaseError(
                f"there is no load on {group!r}", key="load", hint=nearest(group, names)
            )
        self._given[group] = value

    def at(self, time: float) -> None:
        """Set the factors of a moment."""
        for load, factor in zip(self.problem.loads, self._factors, strict=True):
            given = self._given.get(load.surface.group)
            factor.value = load.factor(time) if given is None else given


class Holds:
    """Prescribed displacements as unknowns of the mixed space with their values."""

    def __init__(self, problem: BodyProblem, W: Any) -> None:
        self.problem = problem
        places = _places(W, problem.dim) * problem.domain.length
        self._parts = [
            self._component(W, places, hold, i)
            for hold in problem.holds
            for i in sorted({*hold.value, *hold.velocity})
        ]

    def _component(
        self, W: Any, places: Floats, hold: Hold, i: int
    ) -> tuple[Hold, bool, Ints, Floats]:
        domain = self.problem.domain
        if i >= self.problem.dim:
            raise CaseError(
                f"the model has no component {i} to hold", key=hold.key, value=hold.group,
                allowed=f"0 to {self.problem.dim - 1}",
            )  # fmt: skip
        facets = domain.facets(hold.group, key=hold.key)
        found = fem.locate_dofs_topological(W.sub(0).sub(i), domain.tdim - 1, facets)
        dofs = shared(W, found)  # a rank may see a node of the surface and none of its facets
        moving = i in hold.velocity
        formula = hold.velocity[i] if moving else hold.value[i]
        values = together(domain.comm, lambda: formula.value(places[dofs]))
        return hold, moving, dofs, values / domain.length

    @property
    def dofs(self) -> Ints:
        """All prescribed unknowns with ghosts, ascending."""
        if not self._parts:
            return np.empty(0, np.int32)
        return np.unique(np.concatenate([part[2] for part in self._parts])).astype(np.int32)

    def put(self, x: Floats, accepted: Floats, time: float, dt: float) -> None:
        """Write the values at ``time`` into an array of unknowns with ghosts."""
        for hold, moving, dofs, values in self._parts:
            if moving:
                x[dofs] = accepted[dofs] + dt * values
            else:
                x[dofs] = hold.factor(time) * values


def _places(W: Any, dim: int) -> Floats:
    """Coordinates of the unknowns of the displacement in the mixed space, others zero."""
    V, where = W.sub(0).collapse()
    places = np.zeros((len(fem.Function(W).x.array), 3))
    places[np.asarray(where)] = np.repeat(V.tabulate_dof_coordinates(), dim, axis=0)
    return places


def shared(space: Any, dofs: Ints) -> Ints:
    """Unknowns that any rank marks, as every rank sees them, ghosts included."""
    mark = fem.Function(space)
    mark.x.array[dofs] = 1
    mark.x.petsc_vec.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
    mark.x.scatter_forward()
    return np.flatnonzero(mark.x.array).astype(np.int32)


class NodalForces:
    """The nodal laws of a problem, bound to their nodes.

    Args:
        problem: The problem.
        V: Displacement space.
        where: Unknown of the mixed space of each unknown of ``V``.
        fixed: Prescribed unknowns of the mixed space.
    """

    def __init__(self, problem: BodyProblem, V: Any, where: Ints, fixed: Ints) -> None:
        self.problem, self._V = problem, V
        self._where = np.asarray(where, np.int32).reshape(-1, problem.dim)
        self._free = ~np.isin(self._where, fixed)
        self.bound: list[tuple[NodalLaw, SurfaceNodes]] = []
        for law in problem.laws:
            surface = self.surface(law.group)
            together(problem.domain.comm, partial(law.bind, surface))
            self.bound.append((law, surface))

    def surface(self, group: str) -> SurfaceNodes:
        """Nodes of a facet group on the surface of the body.

        Raises:
            CaseError: For a group inside the body.
        """
        p, domain, V = self.problem, self.problem.domain, self._V
        mesh = domain.mesh
        tag = domain.facet_tag(group)
        extra = (
            2 if domain.mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree > 1 else 1
        )
        ds = ufl.Measure(
            "ds", mesh, subdomain_data=domain.facet_tags,
            metadata={"quadrature_degree": 2 + extra},
        )(tag)  # fmt: skip
        v, n = ufl.TestFunction(V), ufl.FacetNormal(mesh)
        w = weight(ufl.SpatialCoordinate(mesh), p.model)
        area = _assembled(v[0] * w * ds).reshape(-1, p.dim)[:, 0]
        normal = _assembled(ufl.inner(n, v) * ds).reshape(-1, p.dim)
        total = domain.comm.allreduce(float(area.sum()))
        if not total > 0:
            raise CaseError(
                f"the group {group!r} is not on the surface of the body", key="contact.group",
                value=group,
            )  # fmt: skip
        facets = domain.facets(group)
        found = fem.locate_dofs_topological(V, domain.tdim - 1, facets)
        nodes = shared(V, np.asarray(found * p.dim, np.int32)) // p.dim
        nodes = np.unique(nodes[nodes < len(area)]).astype(np.int32)
        size = np.linalg.norm(normal, axis=1)
        unit = normal / np.where(size > 1e-12 * size.max(initial=1e-300), size, 1.0)[:, None]
        unit[size <= 1e-12 * size.max(initial=1e-300)] = 0.0
        places = V.tabulate_dof_coordinates()[nodes, : p.dim] * domain.length
        return SurfaceNodes(group, places, area[nodes] * p.area_unit, unit[nodes], nodes)

    def evaluate(self, x: Floats) -> list[tuple[Ints, Floats, Floats]]:
        """Unknowns, non-dimensional forces and stiffness of every law; raises on all ranks.

        Args:
            x: Unknowns of the mixed space with ghosts.
        """
        p, length = self.problem, self.problem.domain.length

        def answers() -> list[tuple[Ints, Floats, Floats]]:
            out = []
            for law, surface in self.bound:
                rows = self._where[surface.nodes]
                force, stiffness = law.nodes(surface.coordinates, x[rows] * length)
                out.append((rows, force / p.force_unit, stiffness * (length / p.force_unit)))
            return out

        return together(p.domain.comm, answers) if self.bound else []

    def add_stiffness(self, A: Any, answers: Sequence[tuple[Ints, Floats, Floats]]) -> None:
        """Add the blocks of all nodes to a matrix that is not assembled yet (collective)."""
        for (_, surface), (rows, _, stiffness) in zip(self.bound, answers, strict=True):
            free = self._free[surface.nodes]
            masked = stiffness * (free[:, :, None] & free[:, None, :])
            for row, block in zip(rows, masked, strict=True):
                A.setValuesLocal(row, row, block, addv=PETSc.InsertMode.ADD_VALUES)


def _assembled(form: Any) -> Floats:
    """Owned entries of an assembled linear form."""
    b = assemble_vector(fem.form(form))
    b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    values = b.array_r.copy()
    b.destroy()
    return values
