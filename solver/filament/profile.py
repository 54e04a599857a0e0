"""A pressure profile on the faces of a crack, as the contour integrals ask for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.filament.faces import Faces
from ssbmech.filament.film import Floats


class FaceProfile:
    """Pressure that is linear in the parameter of every facet: what hat functions add up to.

    It stands where a `ssbmech.formula.Formula` of a pressure does.

    Args:
        faces: Straight facets in 2-D.
        values: Pressure at their vertices [Pa], (v,).
    """

    is_constant = False

    def __init__(self, faces: Faces, values: Floats) -> None:
        self._start = faces.points[faces.facets[:, 0]]
        self._along = faces.points[faces.facets[:, 1]] - self._start
        self._square = (self._along**2).sum(axis=1)
        self._middle = faces.middle
        self._ends = values[faces.facets]

    def value(self, x: ArrayLike) -> NDArray[np.float64]:
        """Pressure [Pa] at points [m] on or near the faces, shape (..., 3) to (...)."""
        points = np.asarray(x, dtype=float)
        flat = points.reshape(-1, 3)
        off = flat[:, None] - self._start
        t = np.clip((off * self._along).sum(axis=2) / self._square, 0.0, 1.0)
        distance = ((off - t[..., None] * self._along) ** 2).sum(axis=2)
        facet = np.argmin(distance, axis=1)
        place = t[np.arange(len(flat)), facet]
        u = self._parameter(place, self._middle[facet])
        value = self._ends[facet, 0] * (1 - u) + self._ends[facet, 1] * u
        return np.asarray(value.reshape(points.shape[:-1]))

    def gradient(self, x: ArrayLike) -> NDArray[np.float64]:
        """No contour term needs it: pressure enters by its value on the faces alone."""
        raise NotImplementedError("the gradient of a face pressure has no use")

    @staticmethod
    def _parameter(t: Floats, middle: Floats) -> Floats:
        """Parameter u at the share t of the length: t = (4 m - 1) u + (2 - 4 m) u^2."""
        a, b = 2 - 4 * middle, 4 * middle - 1
        root = np.sqrt(np.maximum(b**2 + 4 * a * t, 0.0))
        return np.where(np.abs(a) < 1e-12, t, 2 * t / np.maximum(b + root, 1e-300))
