"""The elastic body condensed onto its crack: opening and stress intensity per face pressure.

One factorisation or multigrid set-up, and one solve per node of the film: b_j is the load of a hat
function of pressure on the faces, and the mean opening of control area i is b_i . u_j / area_i, so
that the work of one pressure on the opening of another is the same both ways (Betti), on any mesh.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ssbmech.domain import Domain
from ssbmech.filament.faces import Faces, Hats, Order, gather, merge_opposite, network
from ssbmech.filament.film import Floats
from ssbmech.filament.intensity import Intensity
from ssbmech.filament.problem import Elastic
from ssbmech.fracture.front import Crack
from ssbmech.fracture.rings import FrontResult, RingOptions
from ssbmech.meshes import progress
from ssbmech.problem import Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem, Solution


@dataclass(frozen=True)
class Condensed:
    """The body on its crack.

    Attributes:
        elastic: Compliance and influence on K.
        order: The film's network and where vertices of the faces belong.
        faces: Facets of the faces.
        sides: 2 where the crack lies on a symmetry plane and one face is meshed, else 1.
        fronts: Fracture quantities under a uniform pressure of 1 MPa: the gate of the rings.
        asymmetry: Largest |area_i C_ij - area_j C_ji| over the largest entry: rounding.
        uniform: Largest difference of K_I under that uniform pressure to the sum over hats, over
            K_I: that of solves and of the crack's faces to the film's.
        tool: The factorised body, for fields.
        seconds: Per node of the film.
        method: How its loads were solved.
    """

    elastic: Elastic
    order: Order
    faces: Faces
    sides: int
    fronts: list[FrontResult]
    asymmetry: float
    uniform: float
    tool: Tool
    seconds: float
    method: str


#: Unknowns up to which a body with a film in space is factorised: its many loads pay for that.
_DIRECT = 200_000


def condense(
    problem: Problem,
    groups: tuple[str, ...],
    cracks: tuple[Crack, ...],
    *,
    mouth_groups: tuple[str, ...] = (),
    options: RingOptions | None = None,
    rtol: float | None = None,
) -> Condensed:
    """Condense an elastic problem onto the faces of its crack (collective).

    Args:
        problem: Body with all loads but the lithium's.
        groups: Facet groups of the film, one face or both.
        cracks: One per front, for K.
        mouth_groups: Facet groups that the mouth of the film lies on.
        options: Rings for K.
        rtol: Of an iterative solver; by default 1e-9 in space, where each digit costs.
    """
    domain = problem.domain
    problem = _with_solver(problem)
    rtol = rtol or (1e-9 if domain.tdim == 3 else 1e-12)
    sides = 2 if cracks and cracks[0].symmetry else 1
    faces = gather(domain, groups)
    points, node = merge_opposite(faces, domain.length)
    tool = Tool(problem, groups, faces, node, len(points), rtol)
    both = np.bincount(node[np.unique(faces.facets)], minlength=len(points)).max()
    area = tool.areas() / both  # of one face
    order = network(
        faces, area, node, points, [domain.fronts[c.front] for c in cracks],
        _nodes_on(domain, mouth_groups),
        axisymmetric=problem.model == "axisymmetric",
    )  # fmt: skip
    tool = Tool(problem, groups, faces, order.node, len(points), rtol, tool)
    area = order.network.area
    n = len(area)
    work = np.empty((n, n))
    intensity = Intensity(problem, groups, cracks, options)
    points_K = len(intensity.names)
    K: dict[str, Floats] = {
        mode: np.zeros((points_K, n)) for mode in intensity.modes or ("K_I", "K_II")
    }
    start = time.perf_counter()
    for j in range(n):
        solution = tool.pressed(j)
        work[:, j] = sides * tool.openings(solution)
        for mode, values in intensity.of(solution, tool.hats.at_vertices(j)).items():
            K[mode][:, j] = values
        if (j + 1) % 25 == 0:
            progress.tell(f"{j + 1} of {n} nodes of the film")
    seconds = (time.perf_counter() - start) / n
    loaded = is_loaded(problem)
    opening: Floats = np.zeros(n)
    K_loads: dict[str, Floats] = {mode: np.zeros(points_K) for mode in K}
    if loaded:
        rest = tool.system.solve(rtol=rtol)
        opening = sides * tool.openings(rest) / area
        K_loads.update(intensity.loads(rest))
    symmetric = 0.5 * (work + work.T)
    elastic = Elastic(
        compliance=symmetric / area[:, None],
        opening=opening,
        K=K,
        K_loads=K_loads,
        tips=intensity.names,
        plane=problem.model.startswith("plane"),
    )
    exact = intensity.uniform()
    uniform = float(np.abs(K["K_I"].sum(axis=1) - exact).max(initial=0.0))
    return Condensed(
        elastic, order, faces, sides, intensity.fronts,
        float(np.abs(work - work.T).max() / np.abs(work).max()),
        uniform / float(np.abs(exact).max(initial=1e-300)), tool, seconds,
        tool.method,
    )  # fmt: skip


def _with_solver(problem: Problem) -> Problem:
    """A solver for many loads, where the case leaves it open."""
    if problem.linear != "auto" or problem.domain.tdim == 2:
        return problem
    imap = problem.domain.mesh.topology.index_map(0)
    # tetrahedra have about 8 vertices' worth of P2 nodes per vertex, 27 of P3
    unknowns = 3 * problem.degree**3 * int(imap.size_global)
    return replace(problem, linear="direct" if unknowns <= _DIRECT else "iterative")


def is_loaded(problem: Problem) -> bool:
    """Whether anything but lithium loads the body."""
    prescribed = any(
        not f.is_constant or f.value(np.zeros((1, 3)))[0] != 0
        for c in problem.constraints
        for f in c.components.values()
    )
    return bool(problem.loads or problem.eigenstrains or problem.body_forces or prescribed)


def _nodes_on(domain: Domain, groups: tuple[str, ...]) -> list[int]:
    return [int(i) for i in gather(domain, groups).ids] if groups else []


class Tool:
    """Factorised body, and the matrix that takes pressures of vertices to loads."""

    def __init__(
        self,
        problem: Problem,
        groups: tuple[str, ...],
        faces: Faces,
        node: Any,
        count: int,
        rtol: float,
        made: Tool | None = None,
    ) -> None:
        from dolfinx import fem

        self.problem = problem
        if made is not None:
            self.__dict__.update(made.__dict__)
        else:
            self.system = ElasticSystem(problem)
            self.space = fem.functionspace(problem.domain.mesh, ("Lagrange", 1))
            self._assemble(groups)
            self._factorise(rtol)
        self.hats = Hats(problem.domain, self.space, faces.ids, node, count)

    def _assemble(self, groups: tuple[str, ...]) -> None:
        import ufl
        from dolfinx import fem
        from dolfinx.fem.petsc import assemble_matrix, assemble_vector
        from petsc4py import PETSc
        from ssbmech.physics.elasticity import weight

        p = self.problem
        mesh = p.domain.mesh
        x, n = ufl.SpatialCoordinate(mesh), ufl.FacetNormal(mesh)
        tags = tuple(p.domain.facet_tag(g) for g in groups)
        ds = ufl.Measure(
            "ds", mesh, subdomain_data=p.domain.facet_tags,
            metadata={"quadrature_degree": 2 * p.degree + 4},
        )(tags)  # fmt: skip
        w = weight(x, p.model)
        q, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.system.V)
        # pressure pushes against the outward normal
        self._load = assemble_matrix(fem.form(-q * ufl.inner(n, v) * w * ds))
        self._load.assemble()
        r = ufl.TestFunction(self.space)
        one = fem.Constant(mesh, PETSc.ScalarType(1.0))
        self._area = assemble_vector(fem.form(one * r * w * ds))
        self._area.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)

    def _factorise(self, rtol: float) -> None:
        system, p = self.system, self.problem
        self._solver, self._bcs = system.operator(rtol=rtol)
        owned = system.V.dofmap.index_map.size_local * system.V.dofmap.index_map_bs
        held = [bc.dof_indices()[0] for bc in self._bcs]
        fixed = np.unique(np.concatenate(held)) if held else np.empty(0, np.int32)
        self._fixed = fixed[fixed < owned]
        self._scale = p.domain.length / system.modulus

    def areas(self) -> Floats:
        """Control areas of the nodes, all faces together [m^2 or m^2/m]."""
        p = self.problem
        factor = p.domain.length ** (p.domain.tdim - 1)
        if p.model == "axisymmetric":
            factor = 2 * np.pi * p.domain.length**2
        self._factor = factor
        return self.hats.sums(self._area) * factor

    def pressed(self, j: int) -> Solution:
        """The body under the hat of node j, 1 Pa high."""
        return self._solve(self.hats.vector(j), (), 1.0 / self.system.modulus)

    def loaded(self, pressure: Floats, rest: bool) -> ElasticSystem:
        """The system with the displacement under pressures of the nodes [Pa] in it.

        Args:
            pressure: Of the lithium, (n,).
            rest: Whether there are other loads, which act as well.
        """
        system = self.system
        others = system.solve(rtol=1e-12).u.x.array.copy() if rest else 0.0
        self._solve(self.hats.combined(pressure), (), 1.0 / system.modulus)
        system.uh.x.array[:] += others
        return system

    def _solve(self, pressure: Any, loads: tuple[SurfaceLoad, ...], scale: float) -> Solution:
        b = self._load.createVecLeft()
        self._load.mult(pressure, b)
        b.scale(scale)
        b.array[self._fixed] = 0.0
        system = self.system
        report = self._solver.solve(b, system.uh.x.petsc_vec)
        self.method = report.method
        system.uh.x.scatter_forward()
        b.destroy()
        problem = replace(self.problem, loads=loads, eigenstrains=(), body_forces=())
        return Solution(problem, system.uh, system.modulus, 0.0, 0.0, report, system.pins)

    def openings(self, solution: Solution) -> Floats:
        """Integral of hat times opening, all faces together [m^3 or m^3/m], (n,)."""
        y = self._load.createVecRight()
        self._load.multTranspose(solution.u.x.petsc_vec, y)
        found = self.hats.sums(y) * self._factor * self.problem.domain.length
        y.destroy()
        return found
