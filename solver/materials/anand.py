"""Viscoplastic laws of lithium with a resistance S that evolves (Anand and Narayan), two sets.

Flow                 rate = r0 (q/S)^(1/m)
Resistance           dS = H0 |1 - S/Ss|^a sgn(1 - S/Ss) dp
Set I (2018)         r0 and Ss constant
Set II (2020)        r0 = A exp(-Q/RT), Ss = S_sat (rate/r0)^n_s

Implicit Euler leaves two coupled scalars, solved one within the other: for a given dp the equation
of S has one root between the old S and Ss (its left side increases with S), found by `log_share`;
the equation of dp is solved outside that by Newton on ln dp within a bracket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.fracture.porz import GAS_CONSTANT
from ssbmech.materials.flow import Relaxed, at_least_one, positive
from ssbmech.materials.relax import TINY, bracketed_root, log_share


@dataclass(frozen=True)
class Resisted:
    """The constants that both sets come down to at one temperature.

    Attributes:
        r0: Reference rate [1/s].
        m: Rate sensitivity, 0 to 1.
        H0: Initial hardening [Pa].
        S_sat: Saturation value of S [Pa] at the rate r0.
        a: Hardening exponent, 1 or above.
        n_s: Exponent of the rate in the saturation value; 0 for a constant one.
    """

    r0: float
    m: float
    H0: float
    S_sat: float
    a: float
    n_s: float

    def saturation(self, rate: ArrayLike) -> NDArray:
        """Saturation value Ss [Pa] of the resistance at a rate [1/s]."""
        return self.S_sat * (np.asarray(rate, float) / self.r0) ** self.n_s

    def stress(self, rate: ArrayLike, S: ArrayLike) -> NDArray:
        """Mises stress [Pa] that drives a rate [1/s] against a resistance [Pa]."""
        return np.asarray(S) * (np.asarray(rate, float) / self.r0) ** self.m

    def resistance(self, log_dp: NDArray, S_old: NDArray, log_dt: float) -> tuple[NDArray, NDArray]:
        """S at the end of a step with the plastic strain dp, and dS/d(ln dp).

        With u = S/Ss, w = |1 - u|, k = H0 dp/Ss and d = |1 - S_old/Ss| the implicit equation is
        w + k w^a = d on both sides of saturation, so S never passes Ss and stays positive.

        Args:
            log_dp: ln of the plastic strain of the step, (n,).
            S_old: [Pa], (n,).
            log_dt: ln of the length of the step [s].
        """
        log_Ss = math.log(self.S_sat) + self.n_s * (log_dp - log_dt - math.log(self.r0))
        Ss = np.exp(log_Ss)
        sign = np.where(S_old <= Ss, 1.0, -1.0)
        d = np.abs(1.0 - S_old / Ss)
        log_d = np.log(np.maximum(d, TINY))
        log_k = math.log(self.H0) + log_dp - log_Ss
        log_K = log_k + (self.a - 1.0) * log_d
        log_w = log_d + log_share(log_K, self.a)
        rise = np.exp(log_k + self.a * log_w)  # k w^a = |S - S_old|/Ss
        stiff = self.a * np.exp(log_k + (self.a - 1.0) * log_w)
        S = np.maximum(S_old + sign * Ss * np.minimum(rise, d), np.minimum(S_old, Ss))
        # d/d(ln dp) of S - H0 dp sgn |1 - S/Ss|^a = S_old, where d(ln Ss)/d(ln dp) = n_s
        slope = (sign * rise * Ss + stiff * S * self.n_s) / (1.0 + stiff)
        return S, slope

    def relax(self, q_trial: NDArray, mu3: ArrayLike, S_old: NDArray, dt: float) -> Relaxed:
        """Solve ln(S(dp) (dp/(dt r0))^m + mu3 dp) = ln q_trial for ln dp (see `FlowLaw.relax`).

        Where S falls so fast that the left side is not monotone, the root is one of several; with
        mu3 above H0 by orders, as in any metal, it is monotone.
        """
        moved = q_trial > 0.0
        log_mu3 = np.log(np.broadcast_to(np.asarray(mu3, float), q_trial.shape))
        log_qt = np.log(np.maximum(q_trial, TINY))
        log_dt = math.log(dt)
        log_scale = log_dt + math.log(self.r0)

        def parts(y: NDArray) -> tuple[NDArray, NDArray, NDArray]:
            S, rise = self.resistance(y, S_old, log_dt)
            return np.log(S) + self.m * (y - log_scale), self.m + rise / S, S

        def equation(y: NDArray) -> tuple[NDArray, NDArray]:
            log_q, gain, _ = parts(y)
            total = np.logaddexp(log_q, y + log_mu3)
            share = np.exp(log_q - total)
            return total - log_qt, share * gain + (1.0 - share)

        high = log_qt - log_mu3
        start = log_scale + (log_qt - np.log(S_old)) / self.m  # as if S stayed and nothing relaxed
        y = bracketed_root(equation, start, high, 0.1 * min(self.m, 1.0))
        log_q, gain, S = parts(y)
        dp = np.where(moved, np.exp(y), 0.0)
        drop = np.exp(y + log_mu3 - log_q)  # mu3 dp/q
        q = np.where(moved, q_trial * (1.0 / (1.0 + drop)), 0.0)
        S = np.where(moved, S, S_old)
        return Relaxed(q, dp, S[:, None], np.where(moved, gain / (gain + drop), 1.0))


@dataclass(frozen=True)
class AnandI:
    """Set I (Narayan and Anand 2018), fitted to indentation at room temperature.

    Attributes:
        r0: Reference rate [1/s].
        m: Rate sensitivity.
        S0: Resistance at the start [Pa].
        H0: Initial hardening [Pa].
        S_sat: Saturation value of the resistance [Pa].
        a: Hardening exponent.
    """

    r0: float
    m: float
    S0: float
    H0: float
    S_sat: float
    a: float

    def __post_init__(self) -> None:
        _check("anand_I", self.constants, self.S0)

    @property
    def constants(self) -> Resisted:
        """What both sets come down to."""
        return Resisted(self.r0, self.m, self.H0, self.S_sat, self.a, 0.0)

    @property
    def n_state(self) -> int:
        """One, the resistance."""
        return 1

    def initial(self) -> NDArray:
        """S0 [Pa], (1,)."""
        return np.array([self.S0])

    def relax(self, q_trial: NDArray, mu3: ArrayLike, state: NDArray, dt: float) -> Relaxed:
        """See `FlowLaw`."""
        return self.constants.relax(q_trial, mu3, state[:, 0], dt)


@dataclass(frozen=True)
class AnandII:
    """Set II (attributed to Narayan and Anand 2020): thermally activated, Ss follows the rate.

    Attributes:
        A: Rate factor [1/s].
        Q: Activation energy [J/mol].
        m: Rate sensitivity.
        S0: Resistance at the start [Pa].
        H0: Initial hardening [Pa].
        S_sat: Saturation value of the resistance at the reference rate [Pa].
        a: Hardening exponent.
        n_s: Exponent of the rate in the saturation value.
        temperature: [K].
    """

    A: float
    Q: float
    m: float
    S0: float
    H0: float
    S_sat: float
    a: float
    n_s: float
    temperature: float

    def __post_init__(self) -> None:
        positive("anand_II", temperature=self.temperature)
        _check("anand_II", self.constants, self.S0)

    @property
    def constants(self) -> Resisted:
        """What both sets come down to, r0 = A exp(-Q/RT)."""
        r0 = self.A * math.exp(-self.Q / (GAS_CONSTANT * self.temperature))
        return Resisted(r0, self.m, self.H0, self.S_sat, self.a, self.n_s)

    @property
    def n_state(self) -> int:
        """One, the resistance."""
        return 1

    def initial(self) -> NDArray:
        """S0 [Pa], (1,)."""
        return np.array([self.S0])

    def relax(self, q_trial: NDArray, mu3: ArrayLike, state: NDArray, dt: float) -> Relaxed:
        """See `FlowLaw`."""
        return self.constants.relax(q_trial, mu3, state[:, 0], dt)


def _check(law: str, constants: Resisted, S0: float) -> None:
    positive(
        law, S0=S0, r0=constants.r0, m=constants.m, H0=constants.H0, S_sat=constants.S_sat,
    )  # fmt: skip
    at_least_one(law, a=constants.a)
    at_least_one(law, **{"1/m": 1.0 / constants.m})
    if constants.n_s:
        positive(law, n_s=constants.n_s)
