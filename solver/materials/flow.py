"""Flow laws of lithium: what plastic strain rate a Mises stress drives, implicit over a time step.

Every law answers one question: given the Mises stress of an elastic step, q_trial, which stress q
and which plastic strain dp does the step end with? Implicit Euler: q + 3 mu dp = q_trial with
dp = dt rate(q, S), where the resistance S is that at the end of the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import MaterialError
from ssbmech.materials.relax import TINY, log_share


@dataclass(frozen=True)
class Relaxed:
    """What a step ends with, at n points.

    Attributes:
        q: Mises stress [Pa], (n,).
        dp: Equivalent plastic strain of the step, (n,), not negative.
        state: Internal scalars at the end, (n, n_state).
        slope: dq/dq_trial, (n,), the consistent derivative.
    """

    q: NDArray
    dp: NDArray
    state: NDArray
    slope: NDArray


class FlowLaw(Protocol):
    """A J2 flow law with at most one internal scalar per point, the resistance S [Pa]."""

    @property
    def n_state(self) -> int:
        """Internal scalars per point."""

    def initial(self) -> NDArray:
        """Their values at the start, (n_state,)."""

    def relax(self, q_trial: NDArray, mu3: ArrayLike, state: NDArray, dt: float) -> Relaxed:
        """Solve q + mu3 dp = q_trial over one step.

        Args:
            q_trial: Mises stress of the elastic step [Pa], (n,), not negative.
            mu3: Three times the shear modulus [Pa], one value or (n,).
            state: Internal scalars at the start of the step, (n, n_state).
            dt: Length of the step [s], positive.
        """


def positive(law: str, **values: float) -> None:
    """Refuse values of a law that are not positive numbers (MaterialError names the value)."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0.0):
            raise MaterialError("must be positive", key=f"{law}.{name}", value=value,
                                allowed="above 0")  # fmt: skip


def at_least_one(law: str, **values: float) -> None:
    """Refuse exponents below one (MaterialError names the value)."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 1.0):
            raise MaterialError("is out of range", key=f"{law}.{name}", value=value,
                                allowed="1 or above")  # fmt: skip


@dataclass(frozen=True)
class Norton:
    """Steady power-law creep, rate = B q^n.

    Attributes:
        B: [Pa^-n s^-1] at the temperature of the case.
        n: Stress exponent, 1 (a viscous liquid) or above.
    """

    B: float
    n: float

    def __post_init__(self) -> None:
        positive("norton", B=self.B)
        at_least_one("norton", n=self.n)

    @property
    def n_state(self) -> int:
        """None."""
        return 0

    def initial(self) -> NDArray:
        """No internal scalar, (0,)."""
        return np.zeros(0)

    def rate(self, q: ArrayLike) -> NDArray:
        """Equivalent plastic strain rate [1/s] at a Mises stress [Pa]."""
        return np.exp(math.log(self.B) + self.n * np.log(np.maximum(q, TINY)))

    def relax(self, q_trial: NDArray, mu3: ArrayLike, state: NDArray, dt: float) -> Relaxed:
        """See `FlowLaw`; x = q/q_trial solves x + C x^n = 1 with C = mu3 dt B q_trial^(n-1)."""
        mu3 = np.broadcast_to(np.asarray(mu3, float), q_trial.shape)
        log_q = np.log(np.maximum(q_trial, TINY))
        log_C = np.log(mu3) + math.log(dt) + math.log(self.B) + (self.n - 1.0) * log_q
        log_x = log_share(log_C, self.n)
        creep = np.exp(log_C + (self.n - 1.0) * log_x)  # mu3 dp/q
        q = q_trial * np.exp(log_x)
        return Relaxed(q, creep * q / mu3, state.copy(), 1.0 / (1.0 + self.n * creep))


@dataclass(frozen=True)
class Plastic:
    """Rate-independent plasticity with linear isotropic hardening, perfect by default.

    The internal scalar is the yield stress at the point.

    Attributes:
        yield_stress: At the start [Pa]; of small lithium see `size_dependent_yield`.
        hardening: Rise of the yield stress per equivalent plastic strain [Pa], not negative.
    """

    yield_stress: float
    hardening: float = 0.0

    def __post_init__(self) -> None:
        positive("plastic", yield_stress=self.yield_stress)
        if not (math.isfinite(self.hardening) and self.hardening >= 0.0):
            raise MaterialError("must not be negative", key="plastic.hardening",
                                value=self.hardening, allowed="0 Pa or above")  # fmt: skip

    @property
    def n_state(self) -> int:
        """One, the yield stress."""
        return 1

    def initial(self) -> NDArray:
        """The yield stress [Pa], (1,)."""
        return np.array([self.yield_stress])

    def relax(self, q_trial: NDArray, mu3: ArrayLike, state: NDArray, dt: float) -> Relaxed:
        """See `FlowLaw`; the length of the step does not matter."""
        mu3 = np.broadcast_to(np.asarray(mu3, float), q_trial.shape)
        excess = q_trial - state[:, 0]
        flows = excess > 0.0
        dp = np.where(flows, excess, 0.0) / (mu3 + self.hardening)
        S = state[:, 0] + self.hardening * dp
        slope = np.where(flows, self.hardening / (mu3 + self.hardening), 1.0)
        return Relaxed(np.where(flows, S, q_trial), dp, S[:, None], slope)


def size_dependent_yield(
    diameter: float, strength: float = 15e6, exponent: float = 1.02, at: float = 9.45e-6
) -> float:
    """Yield stress of a small piece of lithium [Pa]: strength (at/diameter)^exponent.

    The defaults fit compressed pillars, 15 to 105 MPa for diameters of 9.45 to 1.39 um (keys
    pillar_strength and pillar_exponent of the set Li). Beyond those diameters it extrapolates.

    Args:
        diameter: [m], positive.
        strength: Yield stress at the diameter ``at`` [Pa].
        exponent: Positive.
        at: [m].

    Raises:
        MaterialError: If a value is not positive.
    """
    positive("pillar", diameter=diameter, strength=strength, exponent=exponent, at=at)
    return strength * (at / diameter) ** exponent
