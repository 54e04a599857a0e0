"""The elastic body condensed onto its crack: opening and stress intensity per face pressure.

One factorisation, and one solve per node of the film: b_j is the load of a hat function of
pressure on the faces, and the mean opening of control area i is b_i . u_j / area_i, so that the
work of one pressure on the opening of another is the same both ways (Betti), on any mesh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ssbmech.domain import Domain
from ssbmech.errors import FractureError
from ssbmech.filament.faces import Faces, Hats, Order, gather, merge_opposite, network
from ssbmech.filament.film import Floats
from ssbmech.filament.problem import Elastic
from ssbmech.filament.profile import FaceProfile
from ssbmech.fracture.front import Crack
from ssbmech.fracture.rings import FrontResult, RingOptions, fracture
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
        uniform: Largest difference of K under that uniform pressure to the sum over hats, over K.
        tool: The factorised body, for fields.
    """

    elastic: Elastic
    order: Order
    faces: Faces
    sides: int
    fronts: list[FrontResult]
    asymmetry: float
    uniform: float
    tool: Tool


_UNIFORM = 1e6
#: Radius of the ring in which K of every hat is taken, over the size of elements at the front.
_ELEMENTS = 12.0


def condense(
    problem: Problem,
    groups: tuple[str, ...],
    cracks: tuple[Crack, ...],
    *,
    mouth_groups: tuple[str, ...] = (),
    options: RingOptions | None = None,
    rtol: float = 1e-12,
) -> Condensed:
    """Condense an elastic problem onto the faces of its crack (collective).

    Args:
        problem: Body with all loads but the lithium's.
        groups: Facet groups of the film, one face or both.
        cracks: One per front, for K.
        mouth_groups: Facet groups that the mouth of the film lies on.
        options: Rings for K.
        rtol: Of an iterative solver.
    """
    domain = problem.domain
    sides = 2 if cracks and cracks[0].symmetry else 1
    faces = gather(domain, groups)
    points, node = merge_opposite(faces, domain.length)
    tool = Tool(problem, groups, faces, node, len(points), rtol)
    both = np.bincount(node[np.unique(faces.facets)], minlength=len(points)).max()
    area = tool.areas() / both  # of one face
    fronts = [i for c in cracks for i in domain.fronts[c.front].nodes]
    order = network(
        faces, area, node, points, fronts, _nodes_on(domain, mouth_groups),
        axisymmetric=problem.model == "axisymmetric",
    )  # fmt: skip
    tool = Tool(problem, groups, faces, order.node, len(points), rtol, tool)
    area = order.network.area
    work = np.empty((len(area), len(area)))
    K = _Intensity(problem, groups, cracks, faces, order.node, options)
    for j in range(len(area)):
        solution = tool.pressed(j)
        work[:, j] = sides * tool.openings(solution)
        K.add(j, solution)
        if (j + 1) % 25 == 0:
            progress.tell(f"{j + 1} of {len(area)} nodes of the film")
    loaded = is_loaded(problem)
    opening: Floats = np.zeros(len(area))
    if loaded:
        rest = tool.system.solve(rtol=rtol)
        opening = sides * tool.openings(rest) / area
        K.rest(rest)
    symmetric = 0.5 * (work + work.T)
    elastic = Elastic(
        compliance=symmetric / area[:, None],
        opening=opening,
        K=K.values,
        K_loads=K.loads,
        tips=K.tips,
        plane=problem.model.startswith("plane"),
    )
    return Condensed(
        elastic, order, faces, sides, K.fronts,
        float(np.abs(work - work.T).max() / np.abs(work).max()), K.uniform(), tool,
    )  # fmt: skip


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


class _Intensity:
    """Collects K of the hats: the same accepted rings for each, chosen under uniform pressure."""

    def __init__(
        self,
        problem: Problem,
        groups: tuple[str, ...],
        cracks: tuple[Crack, ...],
        faces: Faces,
        node: Any,
        options: RingOptions | None,
    ) -> None:
        self.problem, self.groups, self.cracks = problem, groups, cracks
        self.faces, self.node = faces, node
        self.options = options or RingOptions()
        self.fronts: list[FrontResult] = []
        self.tips: tuple[str, ...] = ()
        n = int(node.max()) + 1
        self.values: dict[str, Floats] = {}
        self.loads: dict[str, Floats] = {}
        self._n = n
        if cracks:
            self._gate()

    def _gate(self) -> None:
        """K under uniform pressure: which rings are good, and a check of the sum over hats."""
        from ssbmech.formula import Formula

        pressure = Formula.constant(_UNIFORM, "pressure")
        loads = tuple(SurfaceLoad(g, pressure) for g in self.groups)
        p = replace(self.problem, loads=loads, eigenstrains=(), body_forces=())
        solution = ElasticSystem(p).solve(rtol=1e-12)
        for crack in self.cracks:
            self.fronts += fracture(solution, crack, self.options)
        self.tips = tuple(f.name for f in self.fronts)
        for f in self.fronts:
            if "K_I" not in f.values:
                raise FractureError(
                    f"the front {f.name!r} has no K: {'; '.join(f.notes)}", key="crack.front"
                )
        for mode in ("K_I", "K_II"):
            self.values[mode] = np.zeros((len(self.tips), self._n))
            self.loads[mode] = np.zeros(len(self.tips))
        # one small ring that every front accepts, since it costs every hat: the spread is known
        # by now, and `uniform` compares its sum over hats with the mean over all rings
        radii = [{r.outer for r in f.rings if not r.refused} for f in self.fronts]
        common = sorted(set.intersection(*radii)) or sorted(set.union(*radii))
        enough = _ELEMENTS * max(f.element_size for f in self.fronts)
        self._rings = RingOptions(
            radii=(min(common[0], enough),), spread_limit=np.inf, points=self.options.points
        )

    def _of(self, solution: Solution) -> list[FrontResult]:
        found: list[FrontResult] = []
        for crack in self.cracks:
            found += fracture(solution, crack, self._rings)
        return found

    def add(self, j: int, solution: Solution) -> None:
        """K of hat j; ``solution`` is the body under it."""
        if not self.cracks:
            return
        profile: Any = FaceProfile(self.faces, (self.node == j).astype(float))
        loads = tuple(SurfaceLoad(g, profile) for g in self.groups)
        pressed = replace(solution, problem=replace(solution.problem, loads=loads))
        for tip, front in enumerate(self._of(pressed)):
            for mode in self.values:
                self.values[mode][tip, j] = float(front.values[mode].max())

    def rest(self, solution: Solution) -> None:
        """K of the other loads."""
        if not self.cracks:
            return
        for tip, front in enumerate(self._of(solution)):
            for mode in self.loads:
                self.loads[mode][tip] = float(front.values[mode].max())

    def uniform(self) -> float:
        """Largest difference of the sum over hats to K under uniform pressure, over that."""
        if not self.cracks:
            return 0.0
        exact = np.array([float(f.values["K_I"].max()) for f in self.fronts])
        found = self.values["K_I"].sum(axis=1) * _UNIFORM
        return float(np.abs(found - exact).max() / np.abs(exact).max())
