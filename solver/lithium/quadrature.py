"""Fields at the quadrature points of flowing cells: gradients out, stresses and tangents back in.

A displacement gradient is a vector of the components that the model has: 11, 12, 21, 22, 33 in the
plane and in axisymmetry (33: out of plane or hoop), all nine in 3-D. Stress, work-conjugate to it,
and the tangent are kept in the same components, so that small and finite strains, and symmetric and
nonsymmetric stresses, share one form.
"""

from __future__ import annotations

from typing import Any

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ssbmech.physics import elasticity

Floats = NDArray[Any]

_PLANE = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 2))
_SOLID = tuple((i, j) for i in range(3) for j in range(3))


def components(model: str) -> tuple[tuple[int, int], ...]:
    """Components of a displacement gradient in a model."""
    return _SOLID if model == "3d" else _PLANE


def gradient_vector(u: Any, x: Any, model: str) -> Any:
    """Displacement gradient as a UFL vector of `components`."""
    g = elasticity.gradient(u, x, model)
    return ufl.as_vector([g[i, j] for i, j in components(model)])


class Points:
    """The quadrature points of some cells, and fields that live there.

    Args:
        mesh: DOLFINx mesh.
        model: Mechanical model.
        cells: Local and ghost cells, shape (n,).
        degree: Of the quadrature.
    """

    def __init__(self, mesh: Any, model: str, cells: NDArray[np.int32], degree: int) -> None:
        self.mesh, self.model, self.cells, self.degree = mesh, model, cells, degree
        self.parts = components(model)
        self._cell = mesh.basix_cell()
        self.reference, _ = basix.make_quadrature(self._cell, degree)
        self.per_cell = len(self.reference)

    @property
    def n(self) -> int:
        """Number of points on this rank."""
        return len(self.cells) * self.per_cell

    @property
    def metadata(self) -> dict[str, Any]:
        """For measures of forms with these fields."""
        return {"quadrature_degree": self.degree, "quadrature_scheme": "default"}

    def field(self, shape: tuple[int, ...] = ()) -> Any:
        """A function with a value of this shape at every point."""
        element = basix.ufl.quadrature_element(
            self._cell.name, value_shape=shape, scheme="default", degree=self.degree
        )
        return fem.Function(fem.functionspace(self.mesh, element))

    def expression(self, value: Any) -> Any:
        """A UFL expression made ready for `values`."""
        return fem.Expression(value, self.reference)

    def values(self, expression: Any, shape: tuple[int, ...] = ()) -> Floats:
        """Values of an expression at all points, shape (n, *shape)."""
        if not len(self.cells):
            return np.zeros((0, *shape))
        return np.asarray(expression.eval(self.mesh, self.cells)).reshape(self.n, *shape)

    def put(self, field: Any, values: Floats) -> None:
        """Store values of shape (n, ...) in a field."""
        size = field.function_space.dofmap.bs
        where = field.function_space.dofmap.list[self.cells].reshape(-1)
        field.x.array.reshape(-1, size)[where] = values.reshape(self.n, size)

    def tensors(self, vectors: Floats) -> Floats:
        """Components of shape (n, k) as tensors (n, 3, 3)."""
        out = np.zeros((len(vectors), 3, 3))
        for k, (i, j) in enumerate(self.parts):
            out[:, i, j] = vectors[:, k]
        return out

    def vectors(self, tensors: Floats) -> Floats:
        """Tensors (n, 3, 3) as components (n, k)."""
        rows, columns = np.array(self.parts).T
        return np.ascontiguousarray(tensors[:, rows, columns])

    def matrices(self, tangents: Floats) -> Floats:
        """Fourth-order tensors (n, 3, 3, 3, 3) as matrices (n, k, k)."""
        i, j = np.array(self.parts).T
        return np.ascontiguousarray(tangents[:, i[:, None], j[:, None], i[None, :], j[None, :]])
