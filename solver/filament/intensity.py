"""K at the points of a front as a linear functional of displacement and face pressure.

The interaction integrals (`ssbmech.fracture.contour`) are linear in the field of the body. Their
integrands, asked once for each unit gradient of the displacement and for a unit pressure, give the
configurational force at a vertex as a sparse row over displacements and one over pressures at
vertices; rings and places along the front are sums over vertices as ever. K of every hat is then a
product of two vectors, whatever the number of rings: nothing of the physics is written twice.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain
from ssbmech.errors import FractureError
from ssbmech.filament.film import Floats
from ssbmech.fracture.along import FrontLine
from ssbmech.fracture.clearance import interface_distance
from ssbmech.fracture.contour import ForceAssembler, ForceField
from ssbmech.fracture.front import Crack, Curve, Local, Tip, fronts_of
from ssbmech.fracture.rings import FrontResult, RingOptions, fracture
from ssbmech.fracture.sampling import Sampler, Samples
from ssbmech.fracture.state import State, TipMaterial, Traction
from ssbmech.fracture.tip import material_at
from ssbmech.fracture.williams import Auxiliary
from ssbmech.problem import Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem, Solution

_UNIFORM = 1e6
_INNER = 0.4  # as `rings` has it: inner radius of a ring over its outer one


@dataclass(frozen=True)
class Functional:
    """K of a mode at the points of all fronts: K = of_u u + of_p p on each rank, summed.

    Attributes:
        of_u: Per displacement over the size of the body, local dofs, (points, dofs) sparse.
        of_p: Per pressure at the geometry's nodes [m^0.5], (points, nodes) sparse.
    """

    of_u: Any
    of_p: Any


class Intensity:
    """K of the hats of a film, on rings that are good under uniform pressure (collective).

    Args:
        problem: The body; its loads do not count.
        groups: Facet groups of the film.
        cracks: One per front.
        options: Rings.

    Raises:
        FractureError: On every rank: a front without K, or rings that only reach their size
            across an interface of two stiffnesses.
    """

    def __init__(
        self,
        problem: Problem,
        groups: tuple[str, ...],
        cracks: tuple[Crack, ...],
        options: RingOptions | None = None,
    ) -> None:
        from ssbmech.formula import Formula

        self._cracks = cracks
        self.fronts: list[FrontResult] = []
        self.modes: dict[str, Functional] = {}
        if not cracks:
            return
        self._comm = problem.domain.comm
        pressure = Formula.constant(_UNIFORM, "pressure")
        loads = tuple(SurfaceLoad(g, pressure) for g in groups)
        alone = replace(problem, loads=loads, eigenstrains=(), body_forces=())
        self._solution = ElasticSystem(alone).solve(rtol=1e-10)
        rows: dict[str, list[Functional]] = {}
        radii: set[float] = set()
        for crack in cracks:
            found = fracture(self._solution, crack, options or RingOptions())
            places = fronts_of(problem.domain, crack, problem.model)
            for place, result in zip(places, found, strict=True):
                if "K_I" not in result.values:
                    raise FractureError(
                        f"the front {result.name!r} has no K: {'; '.join(result.notes)}",
                        key="crack.front",
                    )
                outer = self._radii(place, result)
                radii |= set(outer)
                made = self._of_front(crack, place, result, outer, options or RingOptions())
                for mode, functional in made.items():
                    rows.setdefault(mode, []).append(functional)
            self.fronts += found
        from scipy.sparse import vstack

        self.modes = {
            mode: Functional(vstack([f.of_u for f in parts]).tocsr(),
                             vstack([f.of_p for f in parts]).tocsr())
            for mode, parts in rows.items()
        }  # fmt: skip
        self._rings = RingOptions(
            radii=tuple(sorted(radii)), spread_limit=np.inf,
            points=(options or RingOptions()).points,
        )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Name of the front of every point."""
        return tuple(f.name for f in self.fronts for _ in f.s)

    def of(self, solution: Solution, pressure: NDArray[np.float64]) -> dict[str, Floats]:
        """K under a displacement and pressures at the geometry's nodes [Pa] (collective)."""
        from mpi4py import MPI

        p = solution.problem
        unit = solution.modulus * np.sqrt(p.domain.length)
        found = {}
        for mode, f in self.modes.items():
            total = unit * (f.of_u @ solution.u.x.array) + f.of_p @ pressure
            self._comm.Allreduce(MPI.IN_PLACE, total)
            found[mode] = total
        return found

    def loads(self, solution: Solution) -> dict[str, Floats]:
        """K of other loads, which may be anything, on the same rings."""
        found = [f for crack in self._cracks for f in fracture(solution, crack, self._rings)]
        return {mode: np.concatenate([f.values[mode] for f in found]) for mode in self.modes}

    def uniform(self) -> Floats:
        """K_I as `fracture` finds it under uniform pressure, per pressure [m^0.5], (points,)."""
        if not self.fronts:
            return np.zeros(0)
        return np.concatenate([f.values["K_I"] for f in self.fronts]) / _UNIFORM

    def _radii(self, front: Tip | Curve, result: FrontResult) -> list[float]:
        """Accepted rings [m] within which all is of one stiffness."""
        domain = self._solution.problem.domain
        accepted = [r.outer for r in result.rings if not r.refused]
        if len(domain.cell_groups) < 2:
            return accepted
        free = (interface_distance(self._solution.problem, front)) * domain.length
        inside = [r for r in accepted if r + result.element_size <= free]
        if not inside:
            raise FractureError(
                f"every ring around the front {result.name!r} crosses an interface, which is "
                f"{free * 1e6:.4g} um away",
                key="fracture.rings", hint="Give smaller rings, or refine the mesh at the front",
            )  # fmt: skip
        return inside

    def _of_front(
        self,
        crack: Crack,
        front: Tip | Curve,
        result: FrontResult,
        outer: list[float],
        options: RingOptions,
    ) -> dict[str, Functional]:
        from scipy.sparse import csr_array

        solution = self._solution
        domain: Domain = solution.problem.domain
        L = domain.length
        material, _ = material_at(solution, front)
        assert material is not None
        modes: tuple[str, ...] = ("I",) if crack.symmetry else ("I", "II")
        if isinstance(front, Curve) and not crack.symmetry:
            modes = ("I", "II", "III")
        radii = np.array(outer) / L
        whole = np.array([r.outer for r in result.rings]) / L
        rows = LinearForces(solution, front, material, float(radii.max()), modes)
        rows.collect()
        line = FrontLine(
            front, whole, domain.comm, points=options.points, width=options.width / L, length=L
        )
        kept = np.isin(np.round(line.s * L, 15), np.round(result.s, 15))
        factor = 2.0 if crack.symmetry else 1.0
        where = front.locate(domain.mesh.geometry.x[rows.vertices])
        sums = [_sums(line, ForceField(rows.vertices, where, {}), r, factor) for r in radii]
        at = csr_array(np.mean(sums, axis=0)[kept])
        made = {}
        for mode in modes:
            scale = material.mu if mode == "III" else material.E_prime / 2
            # p over the modulus loads the scaled body, and K is modulus sqrt(L) times its K
            made[f"K_{mode}"] = Functional(
                at @ rows.of_u[mode] * scale, at @ rows.of_p[mode] * (scale * np.sqrt(L))
            )
        if "II" not in modes:
            made["K_II"] = Functional(made["K_I"].of_u * 0, made["K_I"].of_p * 0)
        return made


def _sums(line: FrontLine, field: ForceField, outer: float, factor: float) -> Floats:
    """Values at the points of a front per configurational force at a vertex, (points, n)."""
    inner = _INNER * outer
    alpha = np.clip((outer - field.local.r) / (outer - inner), 0, 1) * factor
    if isinstance(line.front, Tip):
        return np.asarray(alpha[None, :] / line.measure)
    spline = line.basis(field.local.s).toarray() * alpha[:, None]
    return np.asarray(line.evaluate @ np.linalg.solve(line.matrix, spline.T))


@dataclass(frozen=True)
class DofSamples(Samples):
    """Samples with the displacement's shape functions.

    Attributes:
        dof_shape: (q, b).
        dof_gradients: (n, q, b, dim).
    """

    dof_shape: Any = None
    dof_gradients: Any = None


class _DofSampler(Sampler):
    def _evaluate(self, cells: Any, tables: Any, *more: Any) -> Samples:
        plain = super()._evaluate(cells, tables, *more)
        geometry, element, _ = tables
        nodes = self.mesh.geometry.x[self._geometry[cells]][..., : self.dim]
        jacobian = np.einsum("kqa,naj->nqjk", geometry[1:], nodes)
        inverse = np.linalg.inv(jacobian)
        gradients = np.einsum("kqb,nqkj->nqbj", element[1:], inverse)
        return DofSamples(**vars(plain), dof_shape=element[0], dof_gradients=gradients)


class LinearForces(ForceAssembler):
    """Configurational forces along e1 as rows over displacements and pressures.

    Takes the place of ``assemble``: every integrand is asked for each unit gradient.
    """

    def __init__(
        self,
        solution: Solution,
        front: Tip | Curve,
        material: TipMaterial,
        radius: float,
        modes: tuple[str, ...],
    ) -> None:
        super().__init__(solution, front, material, radius, modes)
        p = solution.problem
        self.sampler = _DofSampler(solution.u, p.model == "axisymmetric")
        d = p.domain.tdim
        self._units = [(i, j) for i in range(d) for j in range(d)]
        if p.model == "axisymmetric":
            self._units.append((2, 2))
        self._e1 = front.locate(p.domain.mesh.geometry.x[self.vertices]).frame[:, 0]
        self._unit: tuple[int, int] | None = None
        self._memory: dict[str, Auxiliary] = {}
        self._parts: dict[tuple[str, bool], list[tuple[NDArray, NDArray, Floats]]] = {}
        self.of_u: dict[str, Any] = {}
        self.of_p: dict[str, Any] = {}

    def collect(self) -> None:
        """Rows ``of_u`` (vertices, local dofs) and ``of_p`` (vertices, geometry nodes) by mode."""
        from scipy.sparse import coo_array

        tags = self._tags[self._cells]
        for tag in np.unique(tags):
            for sample in self.sampler.cells(self._cells[tags == tag], self.degree):
                self._volume(int(tag), sample)
        self._exterior()
        n = len(self.vertices)
        dofs = len(self.solution.u.x.array)
        for mode in self.modes:
            for pressure, size, into in (
                (False, dofs, self.of_u), (True, len(self._index), self.of_p),
            ):  # fmt: skip
                parts = self._parts.get((mode, pressure), [])
                row, column, value = (
                    np.concatenate([np.empty(0), *(part[k].reshape(-1) for part in parts)])
                    for k in range(3)
                )
                place = (row.astype(np.int64), column.astype(np.int64))
                into[mode] = coo_array((value, place), shape=(n, size)).tocsr()

    def _volume(self, tag: int, sample: Samples) -> None:
        self._memory = {}
        for unit in self._units:
            self._unit = unit
            super()._volume(tag, _with_gradient(sample, unit))

    def _boundary(
        self, tag: int, sample: Samples, traction: Any, offset: NDArray | None = None
    ) -> None:
        assert isinstance(traction, Traction)
        self._memory = {}
        without = copy(traction)
        without.loads = []
        for unit in self._units:
            self._unit = unit
            super()._boundary(tag, _with_gradient(sample, unit), without, offset)
        if traction.loads:  # the uniform pressure of the gate
            self._unit = None
            super()._boundary(tag, _with_gradient(sample, None), traction, offset)

    def _auxiliary(self, mode: str, state: State, where: Local, cells: NDArray) -> Auxiliary:
        if mode not in self._memory:
            self._memory[mode] = super()._auxiliary(mode, state, where, cells)
        return self._memory[mode]

    def _add(self, name: str, sample: Samples, flux: NDArray | None, source: NDArray) -> None:
        if name == "J":
            return
        assert isinstance(sample, DofSamples)
        nodes = self._nodes[sample.cells]
        rows = self._index[nodes]
        e1 = self._e1[rows]
        force = np.einsum("nqk,nvk,qv->nqv", source, e1, sample.shape, optimize=True)
        if flux is not None:
            force += np.einsum("nqki,nvk,nqvi->nqv", flux, e1, sample.grad_shape, optimize=True)
        force *= sample.weight[..., None]
        if self._unit is None:
            pressure = _UNIFORM / self.solution.modulus
            value = np.einsum("nqv,qu->nvu", force, sample.shape) / pressure
            columns = nodes
        else:
            i, j = self._unit
            dofs = self.sampler._dofs[sample.cells]
            if j == sample.dof_gradients.shape[-1]:  # the hoop strain u_r/r
                i, gradient = 0, sample.dof_shape[None] / sample.x[..., :1]
            else:
                gradient = sample.dof_gradients[..., j]
            value = np.einsum("nqv,nqb->nvb", force, gradient, optimize=True)
            columns = dofs * self.sampler.dim + i
        self._parts.setdefault((name, self._unit is None), []).append(
            (
                np.broadcast_to(rows[:, :, None], value.shape),
                np.broadcast_to(columns[:, None, :], value.shape),
                value,
            )
        )


def _with_gradient(sample: Samples, unit: tuple[int, int] | None) -> Samples:
    gradient = np.zeros_like(sample.grad_u)
    if unit is not None:
        gradient[..., unit[0], unit[1]] = 1.0
    return replace(sample, grad_u=gradient)
