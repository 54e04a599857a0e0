"""The material points of flowing groups: what is remembered there, and how it moves in a step.

The deviatoric law is that of `physics.viscoplasticity`; the mean stress p is an unknown of its own,

    small strain:   sigma = s + p 1,              tr(eps) - tr(eps_g) = p / K
    finite strain:  P = P_dev + J_g p F^-T,       ln(J / J_g) = p / K,

s and P_dev from the law, J_g = det F^g. Both second equations follow from one potential with the
first (per volume of the reference, the elastic energy being one per volume after growth), so that
the tangent of an associated law is symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.lithium.problem import BodyProblem, Flow

Floats = NDArray[Any]


@dataclass(frozen=True)
class FlowGroup:
    """A flowing cell group.

    Attributes:
        name: Cell group.
        flow: Its law.
        points: Where its points stand among all points of this rank.
        mu: Shear modulus [Pa].
        bulk: Bulk modulus [Pa].
    """

    name: str
    flow: Flow
    points: slice
    mu: float
    bulk: float


@dataclass(frozen=True)
class PointState:
    """What is remembered at points.

    Attributes:
        plastic: Plastic strain, or F^p of finite groups, shape (n, 3, 3).
        state: Internal scalars of the law [SI], filled from the front, shape (n, m).
        slip: Accumulated plastic strain, shape (n,).
        stored: Elastic energy per reference volume [J/m^3], shape (n,).
        dissipated: Accumulated dissipation per reference volume [J/m^3], shape (n,).
    """

    plastic: Floats
    state: Floats
    slip: Floats
    stored: Floats
    dissipated: Floats


@dataclass(frozen=True)
class Response:
    """Answer of the points to a displacement gradient and a mean stress.

    Attributes:
        stress: Work-conjugate to the displacement gradient [Pa], shape (n, 3, 3).
        tangent: Its derivative by the gradient [Pa], shape (n, 3, 3, 3, 3).
        swell: Derivative of the stress by p, and of ``volume`` by the gradient, (n, 3, 3).
        volume: J_g times the volumetric strain, shape (n,).
        grown: J_g, shape (n,); 1 at small strain.
        state: What would be remembered.
        dissipation: Of this step [J/m^3], shape (n,).
    """

    stress: Floats
    tangent: Floats
    swell: Floats
    volume: Floats
    grown: Floats
    state: PointState
    dissipation: Floats


class FlowPoints:
    """All points of the flowing groups on this rank.

    Args:
        problem: The problem.
        counts: Number of points of each flowing group on this rank, in the order of
            ``problem.flows``.
    """

    def __init__(self, problem: BodyProblem, counts: list[int]) -> None:
        ends = np.cumsum([0, *counts])
        self.groups = tuple(
            FlowGroup(name, flow, slice(int(a), int(b)), *problem.moduli(name))
            for (name, flow), a, b in zip(problem.flows.items(), ends[:-1], ends[1:], strict=True)
        )
        n = int(ends[-1])
        width = max((g.flow.law.n_state for g in self.groups), default=0)
        plastic, state = np.zeros((n, 3, 3)), np.zeros((n, width))
        for g in self.groups:
            plastic[g.points] = np.eye(3) if g.flow.finite else 0.0
            state[g.points, : g.flow.law.n_state] = g.flow.law.initial()
        self.accepted = PointState(plastic, state, np.zeros(n), np.zeros(n), np.zeros(n))

    @property
    def n(self) -> int:
        """Number of points on this rank."""
        return len(self.accepted.slip)

    def admissible(self, gradient: Floats) -> bool:
        """Whether no finite group is turned inside out here."""
        for g in self.groups:
            if g.flow.finite and g.points.stop > g.points.start:
                J = inverse(np.eye(3) + gradient[g.points])[1]
                if not (np.isfinite(J).all() and J.min() > 0):
                    return False
        return bool(np.isfinite(gradient).all())

    def respond(
        self,
        gradient: Floats,
        pressure: Floats,
        growth: Floats,
        misfit: dict[str, Floats],
        dt: float,
        secant: bool = False,
    ) -> Response:
        """Implicit step of all points.

        Args:
            gradient: Displacement gradient, shape (n, 3, 3).
            pressure: Mean stress p (tension positive) [Pa], shape (n,).
            growth: Growth tensor, its trace the growth of volume g, shape (n, 3, 3).
            misfit: Eigenstrain by group, shape (3, 3) each.
            dt: Step [s].
            secant: Whether the slope of the law is replaced by its secant, see `newton`.
        """
        n = self.n
        out = Response(
            np.zeros((n, 3, 3)), np.zeros((n, 3, 3, 3, 3)), np.zeros((n, 3, 3)), np.zeros(n),
            np.ones(n), _copy(self.accepted), np.zeros(n),
        )  # fmt: skip
        for g in self.groups:
            if g.points.stop == g.points.start:
                continue
            step = _finite if g.flow.finite else _small
            if secant:
                g = replace(g, flow=replace(g.flow, law=_Secant(g.flow.law)))
            step(g, self.accepted, out, gradient, pressure, growth, misfit[g.name], dt)
            out.state.stored[g.points] += (
                out.grown[g.points] * pressure[g.points] ** 2 / (2 * g.bulk)
            )
        out.state.dissipated[:] = self.accepted.dissipated + out.dissipation
        return out


class _Secant:
    """A flow law whose slope dq/dq_trial is replaced by q/q_trial."""

    def __init__(self, law: Any) -> None:
        self.law, self.n_state = law, law.n_state

    def relax(self, q_trial: Floats, mu3: Floats, state: Floats, dt: float) -> Any:
        found = self.law.relax(q_trial, mu3, state, dt)
        some = q_trial > 0
        return replace(
            found, slope=np.where(some, found.q / np.where(some, q_trial, 1.0), found.slope)
        )


def _small(
    g: FlowGroup, old: PointState, out: Response, gradient: Floats, pressure: Floats,
    growth: Floats, misfit: Floats, dt: float,
) -> None:  # fmt: skip
    from ssbmech.physics.viscoplasticity import small_strain

    at, m = g.points, g.flow.law.n_state
    eps = 0.5 * (gradient[at] + gradient[at].transpose(0, 2, 1)) - growth[at] - misfit
    new = small_strain(eps, old.plastic[at], old.state[at, :m], g.flow.law, g.mu, dt)
    out.stress[at] = new.stress + pressure[at, None, None] * np.eye(3)
    out.tangent[at] = new.tangent
    out.swell[at] = np.eye(3)
    out.volume[at] = np.trace(eps, axis1=1, axis2=2)
    _remember(g, old, out, new)
    out.state.stored[at] = np.einsum("nij,nij->n", new.stress, new.stress) / (4 * g.mu)


def _finite(
    g: FlowGroup, old: PointState, out: Response, gradient: Floats, pressure: Floats,
    growth: Floats, misfit: Floats, dt: float,
) -> None:  # fmt: skip
    from ssbmech.physics.finite_viscoplasticity import finite_strain

    at, m = g.points, g.flow.law.n_state
    F = np.eye(3) + gradient[at]
    grown = growth_gradient(growth[at])
    if misfit.any():
        grown = grown @ (np.eye(3) + misfit)
    some = grown if misfit.any() or growth[at].any() else None
    new = finite_strain(F, old.plastic[at], old.state[at, :m], g.flow.law, g.mu, dt, growth=some)
    (back, J), Jg = inverse(F), inverse(grown)[1]
    pull = Jg[:, None, None] * back.transpose(0, 2, 1)
    p = pressure[at]
    # the law's Kirchhoff stress is one per volume after growth: J_g makes it one of the reference
    out.stress[at] = Jg[:, None, None] * new.stress + p[:, None, None] * pull
    # d(F^-T)_ij / dF_kl = -F^-1_jk F^-1_li
    turned = np.einsum("n,njk,nli->nijkl", Jg * p, back, back)
    out.tangent[at] = Jg[:, None, None, None, None] * new.tangent - turned
    out.swell[at] = pull
    out.volume[at] = Jg * np.log(J / Jg)
    out.grown[at] = Jg
    _remember(g, old, out, new)
    out.dissipation[at] *= Jg
    # tau_dev = P_dev F^T is 2 mu times the deviator of the elastic logarithmic strain
    tau = new.stress @ F.transpose(0, 2, 1)
    out.state.stored[at] = Jg * np.einsum("nij,nji->n", tau, tau) / (4 * g.mu)


def _remember(g: FlowGroup, old: PointState, out: Response, new: Any) -> None:
    at, m = g.points, g.flow.law.n_state
    out.state.plastic[at] = new.plastic
    out.state.state[at, :m] = new.state
    out.state.slip[at] = old.slip[at] + new.dp
    out.dissipation[at] = new.dissipation


def growth_gradient(growth: Floats) -> Floats:
    """F^g of a growth tensor M with trace g: exp(M ln(1 + g)/g), so that det F^g = 1 + g.

    For growth in one direction, M = g n n, it is 1 + g n n.

    Args:
        growth: Symmetric, shape (n, 3, 3).
    """
    out = np.broadcast_to(np.eye(3), growth.shape).copy()
    some = growth.any(axis=(1, 2))  # a thin layer of all points
    if some.any():
        M = growth[some]
        g = np.trace(M, axis1=1, axis2=2)
        small = np.abs(g) < 1e-8
        factor = np.where(small, 1 - g / 2, np.log1p(g) / np.where(small, 1.0, g))
        values, vectors = np.linalg.eigh(M * factor[:, None, None])
        out[some] = (vectors * np.exp(values)[:, None, :]) @ vectors.transpose(0, 2, 1)
    return out


def inverse(F: Floats) -> tuple[Floats, Floats]:
    """Inverse and determinant of 3 x 3 matrices by cofactors, several times faster than LAPACK.

    Args:
        F: Shape (n, 3, 3); the inverse of a singular one is not finite.
    """
    a, b, c = F[:, 0], F[:, 1], F[:, 2]
    columns = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=2)
    J = np.einsum("ni,ni->n", a, columns[:, :, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        return columns / J[:, None, None], J


def _copy(state: PointState) -> PointState:
    return replace(
        state,
        plastic=state.plastic.copy(),
        state=state.state.copy(),
        slip=state.slip.copy(),
        stored=state.stored.copy(),
        dissipated=state.dissipated.copy(),
    )
