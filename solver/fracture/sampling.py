"""A displacement field at quadrature points of chosen cells and facets, as plain arrays.

The contour integral needs its own quadrature (graded at the front, two-sided on interfaces) and no
compiled form, so fields are evaluated here by tabulated shape functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import basix
import numpy as np
from numpy.typing import NDArray
from ssbmech import compat
from ssbmech.domain import reference_corners

_CELLS = {2: basix.CellType.triangle, 3: basix.CellType.tetrahedron}


@dataclass(frozen=True)
class Samples:
    """Fields at the quadrature points of a batch of cells (or of one facet of each).

    Attributes:
        cells: Local cells, shape (n,).
        x: Points, shape (n, q, 3).
        weight: Quadrature weight times volume or surface element, shape (n, q);
            axisymmetric: times the radius.
        shape: P1 shape functions, shape (q, v).
        grad_shape: Their gradients, shape (n, q, v, 3).
        grad_u: ``u_i,j`` with the hoop term, shape (n, q, 3, 3).
        normal: Outward unit normal, shape (n, q, 3), or None for cells.
    """

    cells: NDArray[np.int32]
    x: NDArray[np.float64]
    weight: NDArray[np.float64]
    shape: NDArray[np.float64]
    grad_shape: NDArray[np.float64]
    grad_u: NDArray[np.float64]
    normal: NDArray[np.float64] | None = None


class Sampler:
    """Evaluates one displacement function on simplices.

    Args:
        u: Vector-valued Lagrange function.
        axisymmetric: Whether x is a radius.
    """

    def __init__(self, u: Any, axisymmetric: bool) -> None:
        self.mesh = u.function_space.mesh
        self.dim = self.mesh.topology.dim
        self.axisymmetric = axisymmetric
        self._geometry = compat.geometry_dofmap(self.mesh)
        self._dofs = u.function_space.dofmap.list
        self._values = u.x.array.reshape(-1, self.dim)
        degree = u.function_space.ufl_element().embedded_superdegree
        order = self.mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        self.order, self.degree = order, degree
        self._element = self._lagrange(degree)
        self._coordinate = self._lagrange(order)
        self._linear = self._lagrange(1)

    def _lagrange(self, degree: int) -> Any:
        return basix.create_element(
            basix.ElementFamily.P, _CELLS[self.dim], degree, basix.LagrangeVariant.gll_warped
        )

    def cells(self, cells: NDArray[np.int32], degree: int, batch: int = 4000) -> Iterator[Samples]:
        """Batches of samples with a Gauss rule of the given degree."""
        points, weights = basix.make_quadrature(_CELLS[self.dim], degree)
        tables = self._tabulate(points)
        for start in range(0, len(cells), batch):
            yield self._evaluate(cells[start : start + batch], tables, weights)

    def at(self, cells: NDArray[np.int32], points: NDArray[np.float64]) -> Samples:
        """Samples of cells at the same reference points, shape (q, dim); weights are not meant."""
        return self._evaluate(cells, self._tabulate(points), np.ones(len(points)))

    def reference_point(self, cell: int, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Reference coordinates (1, dim) of a point (3,) of a cell, or None if not found.

        Newton from the centroid with halved steps: the map of a quarter-point cell is singular at
        the front, where a plain Newton (as in DOLFINx's pull_back) may leave the cell.
        """
        d = self.dim
        nodes = self.mesh.geometry.x[self._geometry[cell], :d]
        size = np.ptp(nodes, axis=0).max()
        X = np.full((1, d), 1 / (d + 1))
        for _ in range(40):
            table = self._coordinate.tabulate(1, X)[..., 0]
            residual = x[:d] - table[0, 0] @ nodes
            if np.linalg.norm(residual) < 1e-10 * size:
                return X
            jacobian = np.einsum("ka,aj->jk", table[1:, 0], nodes)
            step = np.linalg.lstsq(jacobian, residual, rcond=None)[0]
            X = X + step * min(1.0, 0.3 / max(float(np.abs(step).max()), 1e-300))
        return None

    def facets(
        self,
        cells: NDArray[np.int32],
        vertices: NDArray[np.int64],
        rule: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Iterator[Samples]:
        """Samples on one facet of each cell, grouped by how the facet sits in the cell.

        Args:
            cells: Local cells, shape (n,).
            vertices: Local vertices of the facet, shape (n, dim), in the order in which the
                rule's barycentric coordinates count them.
            rule: Barycentric points (q, dim) and weights (q,) that sum to the measure of the
                reference facet (1 or 1/2).
        """
        barycentric, weights = rule
        kinds, kind = np.unique(vertices, axis=0, return_inverse=True)
        kind = kind.reshape(-1)
        reference = reference_corners(self.dim)
        for k, local in enumerate(kinds):
            corner = reference[local]
            opposite = reference[next(i for i in range(self.dim + 1) if i not in local)]
            tables = self._tabulate(barycentric @ corner)
            yield self._evaluate(cells[kind == k], tables, weights, corner, opposite)

    def _tabulate(self, points: NDArray[np.float64]) -> tuple[NDArray, NDArray, NDArray]:
        """Values and derivatives, each (1 + dim, q, functions)."""
        return tuple(  # type: ignore[return-value]
            e.tabulate(1, points)[..., 0] for e in (self._coordinate, self._element, self._linear)
        )

    def _evaluate(
        self,
        cells: NDArray[np.int32],
        tables: tuple[NDArray, NDArray, NDArray],
        weights: NDArray[np.float64],
        corner: NDArray[np.float64] | None = None,
        opposite: NDArray[np.float64] | None = None,
    ) -> Samples:
        d = self.dim
        geometry, element, linear = tables
        nodes = self.mesh.geometry.x[self._geometry[cells]]
        x = np.einsum("qa,naj->nqj", geometry[0], nodes)
        jacobian = np.einsum("kqa,naj->nqjk", geometry[1:], nodes[..., :d])
        inverse = np.linalg.inv(jacobian)
        grad_shape = np.zeros((*x.shape[:2], d + 1, 3))
        grad_shape[..., :d] = np.einsum("kqv,nqkj->nqvj", linear[1:], inverse)
        values = self._values[self._dofs[cells]]
        reference = np.einsum("kqb,nbi->nqik", element[1:], values)
        grad_u = np.zeros((*x.shape[:2], 3, 3))
        grad_u[..., :d, :d] = reference @ inverse
        if self.axisymmetric:
            grad_u[..., 2, 2] = np.einsum("qb,nb->nq", element[0], values[..., 0]) / x[..., 0]
        normal = None
        if corner is None:
            measure = np.abs(np.linalg.det(jacobian))
        else:
            tangents = jacobian @ (corner[1:] - corner[0]).T
            full = np.zeros((*x.shape[:2], 3, d - 1))
            full[..., :d, :] = tangents
            if d == 2:
                t = full[..., 0]
                normal = np.stack([t[..., 1], -t[..., 0], 0 * t[..., 0]], -1)
            else:
                normal = np.cross(full[..., 0], full[..., 1])
            measure = np.linalg.norm(normal, axis=-1)
            inward = np.einsum("nqjk,k->nqj", jacobian, opposite - corner.mean(axis=0))
            side = np.einsum("nqj,nqj->nq", normal[..., :d], inward)
            normal = -normal * np.sign(side)[..., None] / measure[..., None]
        weight = measure * weights
        if self.axisymmetric:
            weight = weight * x[..., 0]
        return Samples(cells, x, weight, linear[0], grad_shape, grad_u, normal)


def facet_rule(
    dim: int, n: int, graded: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quadrature on a reference facet, optionally graded towards its first vertices.

    With ``t = z**2`` the measure takes away an inverse square root of the distance, which face
    pressure times an auxiliary field has at the front.

    Args:
        dim: Dimension of the cells.
        n: Gauss points per direction.
        graded: 0: plain; 1: towards the first vertex; 2 (3-D): towards the edge of the first two.

    Returns:
        Barycentric points (q, dim) and weights (q,).
    """
    gauss, weight = np.polynomial.legendre.leggauss(n)
    t: Any = (gauss + 1) / 2
    w: Any = weight / 2
    if graded:
        t1, w1 = t**2, 2 * t * w
    else:
        t1, w1 = t, w
    if dim == 2:
        return np.stack([1 - t1, t1], -1), w1
    # collapsed square: a = distance from the graded vertex or edge
    a, b = np.meshgrid(t1, t, indexing="ij")
    wa, wb = np.meshgrid(w1, w, indexing="ij")
    if graded == 2:  # third barycentric is the distance from the edge of the first two
        points = np.stack([(1 - a) * (1 - b), (1 - a) * b, a], -1)
        weights = wa * wb * (1 - a)
    else:  # 1 - first barycentric is the distance from the first vertex
        points = np.stack([1 - a, a * (1 - b), a * b], -1)
        weights = wa * wb * a
    return points.reshape(-1, 3), weights.reshape(-1)
