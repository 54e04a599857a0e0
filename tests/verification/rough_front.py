"""The sharp front of `fronts` at any amplitude: a spectral solution on a mapped grid.

The front is y = f(x), even and periodic, given at N nodes of half a wave. Layer and electrolyte
are mapped to rectangles by eta = y/f and eta = (H - y)/(H - f); cosines of x, Chebyshev polynomials
of eta, collocation. With h the height of the rectangle's pre-image (f or H - f), Laplace's equation
and the derivative along the normal times sqrt(1 + f'^2), at the front and towards it, are

    h^2 u_xx - 2 eta h h' u_xe + (1 + eta^2 h'^2) u_ee + eta (2 h'^2 - h h'') u_e = 0,
    N u = (1 + h'^2)/h u_e - h' u_x.

Each field gives a matrix from its values at the front to N u there; what couples them is then a
small system at the front. Exponentially accurate while f is smooth; f must stay a function of x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from fronts import Floats, OneCarrier, TwoCarriers
from scipy.fft import dct
from scipy.integrate import solve_ivp


class Rates(NamedTuple):
    """A rough front at a moment; arrays over the nodes, (N,)."""

    velocity: Floats  # df/dt [m/s]
    reaction: Floats  # r per area of the front [A/m^2]
    phi_i: Floats  # of ions at the front [V]
    phi_e: Floats  # of electrons at the front [V]
    plated: float  # mean current density at the lithium [A/m^2]
    voltage: float  # lithium minus counter electrode, mean [V]


@dataclass(frozen=True)
class Grid:
    """Nodes of half a wave, and of the heights.

    Attributes:
        wavelength: [m].
        n: Nodes along half a wave.
        m: Degree across.
    """

    wavelength: float
    n: int = 16
    m: int = 14

    @property
    def q(self) -> float:
        """Wave number [1/m]."""
        return 2.0 * math.pi / self.wavelength

    @property
    def x(self) -> Floats:
        """Nodes [m], (n,): midpoints of n equal parts of half a wave."""
        return np.pi * (np.arange(self.n) + 0.5) / self.n / self.q

    def along(self) -> tuple[Floats, Floats]:
        """Matrices of d/dx and d2/dx2 of an even function at the nodes, times 1/q and 1/q^2."""
        k = np.arange(self.n)
        angle = np.outer(self.x * self.q, k)
        back = np.linalg.inv(np.cos(angle))
        return (-k * np.sin(angle)) @ back, (-(k**2) * np.cos(angle)) @ back

    def across(self) -> tuple[Floats, Floats]:
        """Chebyshev nodes of [0, 1], rising, and the matrix of d/d(eta)."""
        m = self.m
        z = np.cos(np.pi * np.arange(m + 1) / m)
        c = np.where((np.arange(m + 1) % m) == 0, 2.0, 1.0) * (-1.0) ** np.arange(m + 1)
        gap = z[:, None] - z[None, :] + np.eye(m + 1)
        D = np.outer(c, 1.0 / c) / gap
        D -= np.diag(D.sum(axis=1))
        eta = 0.5 * (1.0 + z)
        return eta[::-1], 2.0 * D[::-1, ::-1]

    def cosines(self, values: Floats) -> Floats:
        """Amplitudes of cos(n q x) of values at the nodes, (n,): mean, first wave, ..."""
        found = dct(values, type=2) / self.n
        found[0] /= 2.0
        return found

    def value(self, values: Floats, x: Floats | float) -> Floats:
        """An even function, given at the nodes, at places x [m]: its tip at 0, say."""
        waves = np.cos(np.multiply.outer(np.asarray(x, float) * self.q, np.arange(self.n)))
        return waves @ self.cosines(values)


class Field(NamedTuple):
    """How a field answers at the front: N u = towards @ u(front) + foot @ g, all times 1/q."""

    towards: Floats
    foot: Floats
    foot_flux: Floats  # d(u)/d(eta)/h at the foot per value at the front
    foot_flux_g: Floats  # and per g


def _field(grid: Grid, h: Floats, slip: float) -> Field:
    """A harmonic function between a straight foot and the front.

    Foot: u - slip d_y u = g; slip infinite: d_y u = g. Lengths in 1/q.
    """
    D1, D2 = grid.along()
    eta, De = grid.across()
    n, m = grid.n, grid.m
    h1, h2 = D1 @ h, D2 @ h
    eye, one = np.eye(n), np.eye(m + 1)
    at = np.kron(np.diag(h**2) @ D2, one)
    at -= 2.0 * np.kron(np.diag(h * h1) @ D1, np.diag(eta) @ De)
    at += np.kron(eye, De @ De) + np.kron(np.diag(h1**2), np.diag(eta**2) @ De @ De)
    at += np.kron(np.diag(2.0 * h1**2 - h * h2), np.diag(eta) @ De)
    foot, front = np.arange(n) * (m + 1), np.arange(n) * (m + 1) + m
    slope = np.kron(np.diag(1.0 / h), De)
    ends = np.eye(n * (m + 1))
    at[foot] = slope[foot] if math.isinf(slip) else ends[foot] - slip * slope[foot]
    at[front] = ends[front]
    given = np.zeros((n * (m + 1), 2 * n))
    given[front, np.arange(n)] = 1.0
    given[foot, n + np.arange(n)] = 1.0
    u = np.linalg.solve(at, given)
    normal = (1.0 + h1**2)[:, None] * (slope @ u)[front] - h1[:, None] * (D1 @ u[front])
    at_foot = (slope @ u)[foot]
    return Field(normal[:, :n], normal[:, n:], at_foot[:, :n], at_foot[:, n:])


def rates(
    front: Floats, grid: Grid, layer: TwoCarriers, i: float = 0.0, *, counter: str = "flux"
) -> Rates:
    """Velocity of a rough front under a mean plating current density i [A/m^2].

    Args:
        front: f at the nodes of the grid [m], (n,).
        grid: Where.
        layer: The two carriers.
        i: Mean at the counter electrode.
        counter: "flux": uniform there; "potential": one potential with that mean.
    """
    q, n = grid.q, grid.n
    f = np.asarray(front, float) * q
    D1, D2 = grid.along()
    f1 = D1 @ f
    stretch = np.sqrt(1.0 + f1**2)
    # d2/ds2 along the arc, times q^2, and R - A d2/ds2
    bend = (D2 - (f1 * (D2 @ f) / stretch**2)[:, None] * D1) / stretch[:, None] ** 2
    resist = layer.R * np.eye(n) - layer.aside * q**2 * bend
    resist *= stretch[:, None] / stretch
    ions, electrons = _field(grid, f, layer.Z * layer.s_i * q), _field(grid, f, 0.0)
    flux = counter == "flux"
    beyond = _field(grid, layer.H * q - f, math.inf if flux else 0.0)
    unit = layer.kappa * q  # conductances per area in these
    k_i, k_e = layer.s_i * q / unit, layer.s_e * q / unit
    # unknowns: phi_e, phi_i at the front, and the potential of the counter electrode or 0
    A, b = np.zeros((2 * n + 1, 2 * n + 1)), np.zeros(2 * n + 1)
    e, p = slice(0, n), slice(n, 2 * n)
    A[p, p] = -beyond.towards - k_i * ions.towards  # kappa N+ - s_i N- = s_e N phi_e
    A[p, e] = -k_e * electrons.towards
    if flux:  # d_y u = i/kappa, the foot's outward y is turned
        b[p] = beyond.foot @ np.full(n, -i / unit)
        A[-1, -1] = 1.0
    else:
        A[p, -1] = -beyond.foot.sum(axis=1)
        A[-1, p] = -beyond.towards.mean(axis=0)  # the mean flux of the front is that of the counter
        A[-1, -1] = -beyond.foot.sum(axis=1).mean()
        b[-1] = i / unit
    alive: Floats = np.ones(n, bool)
    for _ in range(50):  # r = max(., 0): nodes are taken out where r would be negative
        A[e, e] = unit * k_e * (resist @ electrons.towards) * alive[:, None]
        A[e, e] += np.where(alive[:, None], np.diag(stretch), k_e * electrons.towards)
        A[e, p] = np.diag(np.where(alive, -stretch, 0.0))
        b[e] = np.where(alive, stretch * layer.U, 0.0)
        found = np.linalg.solve(A, b)
        phi_e, phi_i = found[e], found[p]
        drive = layer.U - phi_e + phi_i
        r = unit * k_e * (electrons.towards @ phi_e) / stretch
        keep = np.where(alive, r >= 0.0, drive > 0.0)
        if np.array_equal(keep, alive):
            break
        alive = keep
    r = np.where(alive, r, 0.0)
    plated = layer.s_i * q * float((ions.foot_flux @ phi_i).mean())
    top = found[-1]
    if flux:
        top = float(np.mean(_top(grid, layer.H * q - f, phi_i, -i / unit)))
    return Rates(layer.v * r * stretch, r, phi_i, phi_e, plated, -float(top))


def _top(grid: Grid, h: Floats, phi_i: Floats, slope: float) -> Floats:
    """Potential along a counter electrode of given flux: slope d_y u, u from the inverse map."""
    fixed = _field(grid, h, 0.0)  # u(top) such that its slope is the given one
    return np.linalg.solve(fixed.foot_flux_g, np.full(grid.n, slope) - fixed.foot_flux @ phi_i)


def one_carrier_velocity(front: Floats, grid: Grid, law: OneCarrier) -> Floats:
    """df/dt [m/s] of a rough front of one carrier: -k N u = k_s u sqrt(1 + f'^2)."""
    f = np.asarray(front, float) * grid.q
    stretch = np.sqrt(1.0 + (grid.along()[0] @ f) ** 2)
    u = _field(grid, f, 0.0)
    slow = law.k * grid.q / law.k_s
    source = u.foot @ np.ones(grid.n)
    at_front = np.linalg.solve(slow * u.towards + np.diag(stretch), -slow * source)
    return -law.k * grid.q * (u.towards @ at_front + source)


def advance(
    front: Floats,
    times: Floats,
    grid: Grid,
    law: TwoCarriers | OneCarrier,
    i: float = 0.0,
    *,
    counter: str = "flux",
    tolerance: float = 1e-8,
) -> Floats:
    """Fronts f [m] at times [s], (len(times), n), by SciPy's DOP853 on the nodes.

    Args:
        front: At time 0 [m], (n,).
        times: Rising [s].
        grid: Where.
        law: The layer.
        i: Mean plating current density [A/m^2] (two carriers).
        counter: As for `rates`.
        tolerance: Relative, of the steps.
    """
    size = float(np.mean(front))

    def velocity(_: float, f: Floats) -> Floats:
        if isinstance(law, OneCarrier):
            return one_carrier_velocity(f * size, grid, law) / size
        return rates(f * size, grid, law, i, counter=counter).velocity / size

    found = solve_ivp(velocity, (0.0, float(times[-1])), np.asarray(front) / size, t_eval=times,
                      method="DOP853", rtol=tolerance, atol=tolerance)  # fmt: skip
    if not found.success:
        raise ArithmeticError(found.message)
    return found.y.T * size
