"""Virtual extensions along a front, and the values along it that their integrals stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech.errors import FractureError
from ssbmech.fracture.contour import ForceField
from ssbmech.fracture.front import Curve, Tip


class FrontLine:
    """Maps configurational forces on a ring to values along a front.

    In 3-D the values are cubic B-splines of the arc length; the virtual extensions are the same
    functions at the front's vertices, linear between them, as the mesh carries them. A wide spline
    filters the noise of the mesh, a narrow one shows it: ``width`` is reported with the result.

    Args:
        front: Tip or curve.
        radii: Outer radii of the rings.
        comm: MPI communicator.
        points: Number of points along a curve at which values are wanted.
        length: Metres per unit of length, for messages.
        width: Length of a spline's interval; 0: two edges of the front, or 3/4 of the median ring.
    """

    def __init__(
        self,
        front: Tip | Curve,
        radii: NDArray,
        comm: Any,
        *,
        points: int,
        width: float = 0.0,
        length: float = 1.0,
    ) -> None:
        self.front, self.comm = front, comm
        if isinstance(front, Tip):
            self.s: Any = np.zeros(1)
            self.points, self.width = front.point[None, :], 0.0
            self.measure = front.point[0] if front.axisymmetric else 1.0
            return
        edges = np.diff(front.knots)
        wanted = width or max(2.0 * edges.mean(), 0.75 * float(np.median(radii)))
        n = max(round(front.length / wanted), 4 if front.closed else 1)
        self.width = front.length / n
        self.n = n
        self.s = np.linspace(0, front.length, points, endpoint=not front.closed)
        self.points = front.at(self.s)
        self._mass(length)

    def basis(self, s: NDArray[np.float64]) -> Any:
        """Cubic B-splines on uniform intervals along the front, sparse (points, functions)."""
        from scipy.interpolate import BSpline
        from scipy.sparse import csr_array

        assert isinstance(self.front, Curve)
        length, n = self.front.length, self.n
        d = length / n
        if not s.size:  # a rank with no vertex in the ring; SciPy does not take no points
            return csr_array((0, n if self.front.closed else n + 3))
        if self.front.closed:
            knots = d * np.arange(-3, n + 4)
            matrix = BSpline.design_matrix(np.mod(s, length), knots, 3)
            columns = np.arange(n + 3) % n
            fold = csr_array((np.ones(n + 3), (np.arange(n + 3), columns)), shape=(n + 3, n))
            return csr_array(matrix) @ fold
        knots = np.concatenate([np.zeros(3), d * np.arange(n + 1), np.full(3, length)])
        knots[-4:] = length
        return csr_array(BSpline.design_matrix(np.clip(s, 0, length), knots, 3))

    def _mass(self, length: float) -> None:
        """Matrix of int J_j B_j q_m.e1 ds, with q_m linear between the front's vertices."""
        front = self.front
        assert isinstance(front, Curve)
        gauss, weight = np.polynomial.legendre.leggauss(4)
        t: Any = (gauss + 1) / 2
        w: Any = weight / 2
        a, b = front.knots[:-1], front.knots[1:]
        s = a[:, None] + (b - a)[:, None] * t
        ds = (b - a)[:, None] * w
        e1 = front.frame_at(s)[..., 0, :]
        e1a, e1b = front.frame_at(a)[:, 0], front.frame_at(b)[:, 0]
        wa = np.einsum("eqk,ek->eq", e1, e1a) * (1 - t) * ds
        wb = np.einsum("eqk,ek->eq", e1, e1b) * t * ds
        trial = self.basis(s.reshape(-1)).toarray().reshape(*s.shape, -1)
        at_a, at_b = self.basis(a).toarray(), self.basis(b).toarray()
        self.matrix = np.einsum("em,eq,eqj->mj", at_a, wa, trial)
        self.matrix += np.einsum("em,eq,eqj->mj", at_b, wb, trial)
        if not np.linalg.cond(self.matrix) < 1e6:
            raise FractureError(
                "the local extensions are too narrow for the elements along the front",
                key="fracture.width",
                value=f"{self.width * length * 1e6:.4g} um",
                allowed=f"at least 2 edges of the front {front.name!r}",
                hint="Leave fracture.width out to have it chosen, or refine the mesh",
            )
        self.evaluate = self.basis(self.s).toarray()

    def project(
        self, field_: ForceField, inner: float, outer: float, factor: float
    ) -> dict[str, NDArray]:
        """Values along the front of every quantity for one ring (collective)."""
        alpha = np.clip((outer - field_.local.r) / (outer - inner), 0, 1)
        names = list(field_.values)
        forces = np.array([field_.values[k] for k in names]) * alpha * factor
        if isinstance(self.front, Tip):
            total = np.empty(len(names))
            self.comm.Allreduce(np.ascontiguousarray(forces.sum(axis=1)), total, op=MPI.SUM)
            return {k: np.array([total[i] / self.measure]) for i, k in enumerate(names)}
        active = alpha > 0
        weights = self.basis(field_.local.s[active])
        moments = np.ascontiguousarray((weights.T @ forces[:, active].T).T)
        total = np.empty_like(moments)
        self.comm.Allreduce(moments, total, op=MPI.SUM)
        coefficients = np.linalg.solve(self.matrix, total.T)
        return dict(zip(names, (self.evaluate @ coefficients).T, strict=True))
