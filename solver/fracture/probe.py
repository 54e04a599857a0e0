"""Stress at points and on surfaces: along the line ahead of a tip, and peaks at blunt tips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import dolfinx
import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import cell_facets, facet_cells
from ssbmech.errors import FractureError
from ssbmech.fracture.sampling import Sampler
from ssbmech.fracture.state import state_at
from ssbmech.problem import Problem
from ssbmech.solve import Solution


def stress_at(solution: Solution, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stress [Pa] at points (non-dimensional), NaN outside the body; the same on every rank.

    Args:
        solution: The solution.
        points: Shape (n, 3).

    Returns:
        Shape (n, 3, 3).
    """
    domain = solution.problem.domain
    mesh, dim = domain.mesh, domain.tdim
    tree = dolfinx.geometry.bb_tree(mesh, dim, padding=1e-12)
    found = dolfinx.geometry.compute_collisions_points(tree, points)
    hits = dolfinx.geometry.compute_colliding_cells(mesh, found, points)
    owned = mesh.topology.index_map(dim).size_local
    tags = domain.tag_of_cell()
    sampler = Sampler(solution.u, solution.problem.model == "axisymmetric")
    total = np.zeros((len(points), 10))
    for i, point in enumerate(points):
        cells = [c for c in hits.links(i) if c < owned]
        for cell in cells:
            X = sampler.reference_point(cell, point)
            if X is None or total[i, 9]:
                continue
            sample = sampler.at(np.array([cell], dtype=np.int32), X)
            sigma = state_at(solution, int(tags[cell]), sample).sigma * solution.modulus
            total[i, :9], total[i, 9] = sigma.reshape(-1), 1
    out = np.empty_like(total)
    domain.comm.Allreduce(total, out)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (out[:, :9] / out[:, 9:]).reshape(-1, 3, 3)


@dataclass(frozen=True)
class Peak:
    """Largest principal stress on one side of a surface.

    Attributes:
        surface: Facet group.
        side: Cell group on this side.
        value: [Pa].
        error: Estimate [Pa]: difference to the solution of one polynomial degree less.
        point: Where [m], shape (3,).
        inward: Unit normal into this side, shape (3,).
    """

    surface: str
    side: str
    value: float
    error: float
    point: NDArray[np.float64]
    inward: NDArray[np.float64]


def check_no_sharp_front(problem: Problem, surface: str, fronts: Iterable[str]) -> None:
    """Refuse a maximum where a sharp crack front lies on the surface.

    Args:
        problem: The problem.
        surface: Facet group.
        fronts: Names of the fronts of cracks (a blunt tip may be named in the mesh as well).

    Raises:
        FractureError: On every rank.
    """
    domain = problem.domain
    nodes = domain.node_ids[facet_cells(domain.mesh, domain.facets(surface))[2]]
    for name in fronts:
        touches = bool(np.isin(nodes, domain.fronts[name].nodes).any())
        if any(domain.comm.allgather(touches)):
            raise FractureError(
                f"the surface {surface!r} ends at the sharp front {name!r}, where the stress has "
                "no maximum: it grows as 1/sqrt(r), and any number would be that of the mesh",
                key="fracture.maximum",
                hint="K_I is the measure of a sharp tip; for a maximum give the tip a radius",
            )


def peaks(solution: Solution, coarse: Solution, surface: str) -> list[Peak]:
    """Largest principal stress on each side of a surface.

    Args:
        solution: Solution of degree k + 1.
        coarse: Solution of degree k on the same mesh, for the error estimate.
        surface: Facet group.
    """
    fine_sides, coarse_sides = _sides(solution, surface), _sides(coarse, surface)
    names = {tag: name for name, tag in solution.problem.domain.cell_groups.items()}
    L = solution.problem.domain.length
    return [
        Peak(
            surface,
            names[tag],
            value,
            abs(value - coarse_sides[tag][0]),
            np.asarray(point) * L,
            -np.asarray(normal),
        )
        for tag, (value, point, normal) in fine_sides.items()
    ]


def _sides(solution: Solution, surface: str) -> dict[int, tuple[float, tuple, tuple]]:
    """Per cell tag on the surface: largest principal stress [Pa], point and outward normal."""
    domain = solution.problem.domain
    mesh, dim = domain.mesh, domain.tdim
    facets = domain.facets(surface, key="fracture.maximum")
    facet_cells(mesh, facets)  # makes the connectivities
    f2c = mesh.topology.connectivity(dim - 1, dim)
    table = mesh.topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)
    owned = mesh.topology.index_map(dim).size_local
    tags = domain.tag_of_cell()
    sampler = Sampler(solution.u, solution.problem.model == "axisymmetric")
    lattice = _lattice(dim)
    best: dict[int, tuple[float, tuple, tuple]] = {}
    pairs = [(c, f) for f in facets for c in f2c.links(f) if c < owned]
    cells = np.array([c for c, _ in pairs], dtype=np.int32)
    local = np.array([int(np.flatnonzero(table[c] == f)[0]) for c, f in pairs], dtype=int)
    for tag in np.unique(tags[cells]):
        pick = tags[cells] == tag
        for sample in sampler.facets(cells[pick], cell_facets(dim)[local[pick]], lattice):
            sigma = state_at(solution, int(tag), sample).sigma * solution.modulus
            largest = np.linalg.eigvalsh(sigma)[..., -1]
            k = np.unravel_index(int(np.argmax(largest)), largest.shape)
            assert sample.normal is not None
            entry = (float(largest[k]), tuple(sample.x[k]), tuple(sample.normal[k]))
            best[int(tag)] = max(best.get(int(tag), entry), entry)
    merged: dict[int, tuple[float, tuple, tuple]] = {}
    for part in domain.comm.allgather(best):
        for tag, entry in part.items():
            merged[tag] = max(merged.get(tag, entry), entry)
    return dict(sorted(merged.items()))


def _lattice(dim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Barycentric lattice with the vertices, for maxima (weights are not used)."""
    n = 4
    if dim == 2:
        t = np.linspace(0, 1, n + 1)
        points = np.stack([1 - t, t], -1)
    else:
        points = np.array(
            [(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)], dtype=float
        )
        points /= n
    return points, np.ones(len(points))
