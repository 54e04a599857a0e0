"""Reaction fronts without finite elements: flat, round, and rough to first order.

Coordinates of the electrolyte used up, y = 0 at the lithium: the depth d of the front, from which
the thickness of the product follows as d (1 + dV/V). Two carriers (`TwoCarriers`):

    layer        div(s_i grad phi_i) = 0, div(s_e grad phi_e) = 0
    electrolyte  div(kappa grad phi_i) = 0, up to the counter electrode at y = H
    lithium      phi_e = 0, phi_i = Z s_i d_y phi_i
    front        phi_i continuous, kappa d_n phi_i(+) - s_i d_n phi_i(-) = r = s_e d_n phi_e,
                 r = max(U - (phi_e - phi_i), 0)/R, normal speed v r with v = V/F
    counter      kappa d_y phi_i = i, plating positive; or one potential and this mean

One carrier (`OneCarrier`): div(k grad u) = 0, u = 1 at the lithium, speed k_s u = -k d_n u.
`rough_front` solves the same problem for fronts of any amplitude, `front_films` has the stress.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad, solve_ivp

Floats = NDArray[Any]

#: [C/mol], CODATA 2018.
FARADAY = 96485.33212331


@dataclass(frozen=True)
class TwoCarriers:
    """A mixed-conducting layer, the electrolyte before it, and the reaction between them.

    Attributes:
        s_i: Ionic conductivity of the layer, in these coordinates [S/m].
        s_e: Its electronic conductivity [S/m].
        kappa: Conductivity of the electrolyte [S/m].
        H: Distance of the counter electrode from the lithium [m].
        U: Potential of reduction against lithium [V].
        V: Volume of electrolyte used up per mole of Li [m^3/mol].
        R: Resistance of the reaction [ohm m^2].
        Z: Resistance of lithium's own interface [ohm m^2].
        aside: A [ohm m^4] of a front that evens out what reacts along its arc s, as a diffuse one
            may: R r - A d2r/ds2 = U - (phi_e - phi_i). 0 in the problem above.
    """

    s_i: float
    s_e: float
    kappa: float
    H: float
    U: float
    V: float
    R: float = 0.0
    Z: float = 0.0
    aside: float = 0.0

    @property
    def s_a(self) -> float:
        """Ambipolar conductivity, 1/s_a = 1/s_i + 1/s_e [S/m]."""
        return 1.0 / (1.0 / self.s_i + 1.0 / self.s_e)

    @property
    def t_e(self) -> float:
        """Share of the electrons in the conductivity of the layer, s_e/(s_i + s_e)."""
        return self.s_e / (self.s_i + self.s_e)

    @property
    def v(self) -> float:
        """Volume per charge, V/F [m^3/C]."""
        return self.V / FARADAY

    def reaction(self, depth: ArrayLike, i: ArrayLike = 0.0) -> Floats:
        """r = (U + i (Z + d/s_i))/(R + Z + d/s_a), not negative [A/m^2], of a flat front."""
        d, i = np.asarray(depth, float), np.asarray(i, float)
        drive = self.U + i * (self.Z + d / self.s_i)
        return np.maximum(drive / (self.R + self.Z + d / self.s_a), 0.0)


@dataclass(frozen=True)
class OneCarrier:
    """Parabolic growth (k_s infinite) or mixed control; k [m^2/s], k_s [m/s], of the depth."""

    k: float
    k_s: float = math.inf


# -- flat -----------------------------------------------------------------------------------------


class Flat(NamedTuple):
    """A flat layer at given times, arrays (n,)."""

    depth: Floats  # [m]
    reaction: Floats  # r [A/m^2]
    plated: Floats  # i - r at the lithium [A/m^2]
    voltage: Floats  # lithium minus a counter electrode without resistance [V]


def flat(
    layer: TwoCarriers,
    depth: float,
    times: ArrayLike,
    current: float | Callable[[float], float] = 0.0,
) -> Flat:
    """Growth of a flat layer: dd/dt = v r(d, i(t)) by SciPy's DOP853.

    The voltage is -phi_i(H) = -(i - r)(Z + d/s_i) - i (H - d)/kappa: the potential of a lithium
    counter electrode is that of the ions beside it. Without current it is t_e U where R and Z do
    not matter, not 0, as electrons pass the layer.

    Args:
        layer: What it is made of.
        depth: At time 0 [m]; positive where R + Z = 0.
        times: Rising, from 0 or later [s], (n,).
        current: i [A/m^2], plating positive; a smooth function of time or a number.
    """
    t = np.atleast_1d(np.asarray(times, float))
    i_of = current if callable(current) else lambda _: float(current)

    def rate(s: float, d: Floats) -> Floats:
        return layer.v * layer.reaction(d * 1e-6, i_of(s)) * 1e6

    d = integrate(rate, depth * 1e6, t) * 1e-6
    i = np.array([i_of(float(s)) for s in t])
    r = layer.reaction(d, i)
    voltage = -(i - r) * (layer.Z + d / layer.s_i) - i * (layer.H - d) / layer.kappa
    return Flat(d, r, i - r, voltage)


def flat_time(layer: TwoCarriers, start: float, end: float, i: float = 0.0) -> float:
    """Time [s] from one depth [m] to another under a constant current, closed form.

    int (a + b x)/(A + B x) dx = b x/B + (a - b A/B)/B ln(A + B x), with a = R + Z, b = 1/s_a,
    A = U + i Z, B = i/s_i; without current (a x + b x^2/2)/A.
    """
    a, b = layer.R + layer.Z, 1.0 / layer.s_a
    A, B, gone = layer.U + i * layer.Z, i / layer.s_i, end - start
    if i == 0.0:
        return gone * (a + 0.5 * b * (start + end)) / (A * layer.v)
    log = math.log1p(B * gone / (A + B * start))
    return (b * gone / B + (a - b * A / B) / B * log) / layer.v


def integrate(rate: Callable[..., Floats], start: float, times: Floats) -> Floats:
    """y(times) of y' = rate(t, y) from t = 0."""
    if times[-1] == 0.0:
        return np.full(len(times), float(start))
    found = solve_ivp(rate, (0.0, times[-1]), [start], method="DOP853", t_eval=times,
                      rtol=1e-12, atol=1e-14 * max(start, 1.0))  # fmt: skip
    assert found.success, found.message
    return found.y[0]


# -- round: a cylinder or a sphere ----------------------------------------------------------------


def _path(s: ArrayLike, R0: float, dimension: int) -> Floats:
    """What the layer resists per area of the front and conductivity [m].

    A flux j at the radius s is j (s/r)^(n-1) at r, so int j (s/r)^(n-1) dr = j p: a cylinder
    (n = 2) has p = s ln(s/R0), a sphere (n = 3) s (s/R0 - 1), a plane (n = 1) s - R0.
    """
    s = np.asarray(s, float)
    if dimension == 2:
        return s * np.log(s / R0)
    return s * (s / R0 - 1.0) if dimension == 3 else s - R0


def _path_integral(s: ArrayLike, R0: float, dimension: int) -> Floats:
    """int p ds from R0 to s [m^2]."""
    s = np.asarray(s, float)
    if dimension == 2:
        return 0.5 * s**2 * np.log(s / R0) - 0.25 * (s**2 - R0**2)
    if dimension == 3:
        return (s**3 - R0**3) / (3.0 * R0) - 0.5 * (s**2 - R0**2)
    return 0.5 * (s - R0) ** 2


def round_speed(
    law: OneCarrier | TwoCarriers, R0: float, s: ArrayLike, i: float = 0.0, *, dimension: int = 2
) -> Floats:
    """ds/dt [m/s] of a layer of radius s around lithium of radius R0 [m].

    One carrier 1/(1/k_s + p/k), p of `_path`. Two carriers, with g = (s/R0)^(n-1) the area of the
    front over that of the lithium and p/g the path seen from there,

        r = (U + i (Z + p/(g s_i)))/(R + Z g + p/s_a),  not negative,

    Args:
        law: The layer.
        R0: Radius of the lithium [m].
        s: Radius of the front [m].
        i: Total current over the area of the lithium [A/m^2], plating positive (two carriers).
        dimension: 2: cylinder, 3: sphere.
    """
    p = _path(s, R0, dimension)
    if isinstance(law, OneCarrier):
        return 1.0 / (1.0 / law.k_s + p / law.k)
    g = (np.asarray(s, float) / R0) ** (dimension - 1)
    drive = law.U + i * (law.Z + p / (g * law.s_i))
    return law.v * np.maximum(drive / (law.R + law.Z * g + p / law.s_a), 0.0)


def round_time(
    law: OneCarrier | TwoCarriers, R0: float, s: ArrayLike, start: float = 0.0, *,
    dimension: int = 2,
) -> Floats:  # fmt: skip
    """Time [s] to reach the radius s [m] without current, closed form.

    Cylinder, one carrier: t = (s - R0)/k_s + (s^2 ln(s/R0)/2 - (s^2 - R0^2)/4)/k. Two carriers:
    v U t = R (s - R0) + Z (s^n - R0^n)/(n R0^(n-1)) + (int p ds)/s_a.

    Args:
        law: The layer.
        R0: Radius of the lithium [m].
        s: Radius of the front [m].
        start: Radius at time 0 [m]; R0 where 0.
        dimension: 2: cylinder, 3: sphere.
    """

    def since(end: ArrayLike) -> Floats:
        x, n = np.asarray(end, float), dimension
        path = _path_integral(x, R0, n)
        if isinstance(law, OneCarrier):
            return (x - R0) / law.k_s + path / law.k
        at_lithium = law.Z * (x**n - R0**n) / (n * R0 ** (n - 1))
        return (law.R * (x - R0) + at_lithium + path / law.s_a) / (law.v * law.U)

    return since(s) - since(start or R0)


def cylinder(
    law: OneCarrier | TwoCarriers,
    R0: float,
    start: float,
    times: ArrayLike,
    i: float = 0.0,
    *,
    dimension: int = 2,
) -> Floats:
    """Radius s [m] of the front at times [s], by SciPy's DOP853 on `round_speed`.

    Args:
        law: The layer.
        R0: Radius of the lithium [m].
        start: Radius of the front at time 0 [m], above R0 where nothing but the layer resists.
        times: Rising [s], (n,).
        i: Total current over the area of the lithium [A/m^2] (two carriers).
        dimension: 2: cylinder, 3: sphere.
    """

    def rate(_: float, x: Floats) -> Floats:
        return round_speed(law, R0, R0 * (1.0 + x), i, dimension=dimension) / R0

    t = np.atleast_1d(np.asarray(times, float))
    return R0 * (1.0 + integrate(rate, start / R0 - 1.0, t))


# -- rough, to first order ------------------------------------------------------------------------


class Dispersion(NamedTuple):
    """The parts of `growth_rate`, arrays (n,)."""

    omega: Floats  # d ln(a)/dt [1/s]
    per_depth: Floats  # d ln(a)/dd = omega/(v r) [1/m]
    weight: Floats  # w = Z_k/(Z_i + Z_k)
    threshold: Floats  # theta: unstable where r/i is below it (plating)


def growth_rate(
    q: ArrayLike,
    layer: TwoCarriers,
    depth: float,
    i: float = 0.0,
    *,
    counter: str = "flux",
) -> Dispersion:
    """Growth rate of a rough front y = d + a cos(q x), exact to first order in a.

    The potentials' deviations go as sinh(q y), sinh(q y) + Z s_i q cosh(q y) and, in the
    electrolyte, cosh q(H - y) (flux given at the counter) or sinh q(H - y) (one potential there).
    Over the flux that each carries at the front they are, with T = tanh(q d),

        Z_e = T/(s_e q),  Z_i = (T/(s_i q) + Z)/(1 + Z s_i q T),
        Z_k = 1/(kappa q tanh q(H - d))  or  tanh(q(H - d))/(kappa q).

    Shifting the front by a changes what it sees of the undisturbed lines by a times their slopes,
    (i - r)/s_i and i/kappa of the ions on the two sides and r/s_e of the electrons. Elimination:

        omega = v (w (i - r)/s_i + (1 - w) i/kappa - r/s_e)/(R + Z_e + Z_i Z_k/(Z_i + Z_k)),
        w = Z_k/(Z_i + Z_k).

    A rise grows where the ions' slope, averaged over both sides, beats the electrons':

        r/i < theta = (w/s_i + (1 - w)/kappa)/(w/s_i + 1/s_e).

    i <= 0: stable for every q. Short waves: w = s_i/(s_i + kappa), theta = 2 s_e/(s_i + s_e +
    kappa); with R > 0 omega is bounded (waves below 2 pi R (s_e, s_i + kappa in series) all grow
    alike), with R = 0 it goes as q and nothing selects a wavelength. Evening out along the front
    puts R + A q^2 in the place of R: it changes how fast waves grow, not which ones do.

    Args:
        q: Wave numbers [1/m], positive.
        layer: The two carriers.
        depth: d [m].
        i: Plating current density [A/m^2].
        counter: "flux" (uniform) or "potential" (uniform, with the mean of the flux given).
    """
    q = np.asarray(q, float)
    r = float(layer.reaction(depth, i))
    T, Z_k = np.tanh(q * depth), _electrolyte(q, layer, depth, counter)
    Z_e = T / (layer.s_e * q)
    Z_i = (T / (layer.s_i * q) + layer.Z) / (1.0 + layer.Z * layer.s_i * q * T)
    w = Z_k / (Z_i + Z_k)
    slope = w * (i - r) / layer.s_i + (1.0 - w) * i / layer.kappa - r / layer.s_e
    across = slope / (layer.R + layer.aside * q**2 + Z_e + w * Z_i)
    if r == 0.0:  # nothing reacts, nothing moves
        return Dispersion(0.0 * q, 0.0 * q, w, _threshold(w, layer))
    return Dispersion(layer.v * across, across / r, w, _threshold(w, layer))


def _electrolyte(q: Floats, layer: TwoCarriers, depth: float, counter: str) -> Floats:
    T = np.tanh(q * (layer.H - depth))
    return {"flux": 1.0 / T, "potential": T}[counter] / (layer.kappa * q)


def _threshold(w: Floats, layer: TwoCarriers) -> Floats:
    return (w / layer.s_i + (1.0 - w) / layer.kappa) / (w / layer.s_i + 1.0 / layer.s_e)


def critical_current(
    q: ArrayLike, layer: TwoCarriers, depth: float, *, counter: str = "flux"
) -> Floats:
    """Plating current [A/m^2] above which a wave grows; inf where none makes it grow.

    r/i = theta solved for i:

        i_c = U/(theta R - (1 - theta) Z + (theta - t_e) d/s_a).

    theta - t_e has the sign of s_i + s_e - kappa: where the interfaces do not resist, tongues need
    a layer that conducts better, ions and electrons together, than the electrolyte, and a depth
    above U s_a/(i (theta - t_e)): the ionic drop i d/s_i has to be of the size of U. A large enough
    resistance R of the reaction lets a current destabilise any layer (and bounds omega); Z at the
    lithium works against it where theta < 1. Long waves (flux at the counter): theta = t_e and
    i_c = U/(t_e R - (1 - t_e) Z), whatever the depth.
    """
    theta = growth_rate(q, layer, depth, 0.0, counter=counter).threshold
    below = theta * layer.R - (1.0 - theta) * layer.Z + (theta - layer.t_e) * depth / layer.s_a
    with np.errstate(divide="ignore"):
        return np.where(below > 0.0, layer.U / below, np.inf)


def amplification(
    q: float, layer: TwoCarriers, start: float, end: float, i: float, *, counter: str = "flux"
) -> float:
    """a(end)/a(start) of a wave while the mean front goes from one depth [m] to another, linear."""

    def exponent(d: float) -> float:
        return float(growth_rate(q, layer, d, i, counter=counter).per_depth)

    return math.exp(quad(exponent, start, end, epsrel=1e-10)[0])


def one_carrier_rate(q: ArrayLike, law: OneCarrier, depth: float) -> Floats:
    """omega [1/s] of a rough front of one carrier: always negative.

    u = 1 - g y + B sinh(q y) cos(q x) with g = 1/(k/k_s + d):
    omega = -k g q/(k q/k_s + tanh(q d)), with the limits -dd/dt/(d + k/k_s) and, short, -k_s g.
    """
    q = np.asarray(q, float)
    slow = law.k / law.k_s
    return -law.k * q / ((slow + depth) * (slow * q + np.tanh(q * depth)))
