"""K13: space-charge layers against Gouy-Chapman, Bikerman and quadrature of first integrals."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from ssbmech.interphase.space_charge import Carriers, profile, space_charge

pytestmark = pytest.mark.verification

R, F, EPS0 = 8.31446261815324, 96485.33212331, 8.8541878128e-12
T, EPS, C0 = 298.15, 60.0, 5000.0
VT = R * T / F


def layer(u, **given):
    return space_charge(u * VT, C0, EPS, temperature=T, **given)


def head(page, part):
    return page(
        "K13", "Space-charge layer of a solid electrolyte",
        problem="Potential, charge and added resistance beside an interface, with and without a "
        "limit of sites.",
        reference="Gouy-Chapman: tanh(u/4) = tanh(u_0/4) exp(-x/L); the charge of Bikerman's model "
        "(Kilic, Bazant, Ajdari 2007); quadrature over the first integral, without a mesh.",
        part=part,
    )  # fmt: skip


def test_debye_length(page):
    check = head(page, "Debye length")
    pair = math.sqrt(EPS * EPS0 * R * T / (2 * F**2 * C0))
    check.within("two carriers", layer(1.0, model="pair").debye_length * 1e9, pair * 1e9, 1e-9,
                 unit="nm")  # fmt: skip
    one = layer(1.0).debye_length
    check.within("one carrier", one * 1e9, math.sqrt(2) * pair * 1e9, 1e-9, unit="nm")
    half = layer(1.0, site_density=2 * C0).debye_length
    check.within("half the sites full", half / one, math.sqrt(2), 1e-12,
                 why="1/sqrt(1 - q), q = 1/2")  # fmt: skip
    # far from the wall every profile falls by e per Debye length
    for given in ({"model": "pair"}, {}, {"site_density": 1.5 * C0}):
        s = layer(0.01, **given)
        inner = (s.x > s.debye_length) & (s.x < 4 * s.debye_length)
        fall = np.polyfit(s.x[inner], np.log(s.u[inner]), 1)[0]
        check.within(f"decay, {given or 'one carrier'}", -fall * s.debye_length, 1.0, 3e-3,
                     why="u = 0.01 is not quite linear")  # fmt: skip


@pytest.mark.parametrize("u", [-8.0, 0.5, 4.0])
def test_gouy_chapman(page, u):
    check = head(page, f"Gouy-Chapman, u = {u:g}")
    s = layer(u, model="pair")
    exact = 4 * np.arctanh(math.tanh(u / 4) * np.exp(-s.x / s.debye_length))
    check.within("potential", s.u, exact, 1e-4, unit="RT/F", why="mesh of 2000 nodes")
    grahame = 4 * F * C0 * s.debye_length * math.sinh(u / 2)
    check.within("charge of the wall", s.wall_charge * 100, grahame * 100, 1e-4, unit="uC/cm^2",
                 why="mesh of 2000 nodes; Grahame's equation")  # fmt: skip
    check.within("exact charge", s.wall_charge_exact, grahame, 1e-12, why="the first integral")
    check.within("neutrality", 1 + s.imbalance, 1.0, 1e-8,
                 why="trapezium rule of the charge equals the lumped one")  # fmt: skip
    edge = -s.debye_length * math.log(math.tanh(math.log(1.05) / 4) / math.tanh(abs(u) / 4))
    check.within("width, to 5 % of the bulk", s.width * 1e9, edge * 1e9, 1e-3, unit="nm",
                 why="interpolated between nodes")  # fmt: skip
    nearly = layer(u, model="pair", site_density=1e9 * C0)
    check.within("site limit out of reach", nearly.wall_charge / s.wall_charge, 1.0, 1e-4)


def test_bikerman(page):
    check = head(page, "Bikerman")
    u, most = -40.0, 20 * C0
    s = layer(u, model="pair", site_density=most)
    nu = 2 * C0 / most
    exact = (
        2
        * F
        * C0
        * s.debye_length
        * math.sqrt(2 / nu * math.log(1 + 2 * nu * math.sinh(u / 2) ** 2))
    )
    check.within("charge of the wall", -s.wall_charge * 100, exact * 100, 1e-4, unit="uC/cm^2",
                 why="mesh of 2000 nodes")  # fmt: skip
    peak = s.carriers.positive(s.u).max() * C0
    check.within("saturation", peak / most, 1.0, 1e-9, why="all sites taken at u = -40")
    assert (s.carriers.positive(s.u) * C0 <= most * (1 + 1e-12)).all()
    full = layer(-40.0, site_density=4 * C0)
    check.within("saturation of a lattice", full.carriers.positive(full.u[:1])[0] * C0 / (4 * C0),
                 1.0, 1e-9)  # fmt: skip
    # a full layer has the charge 3 F C0: width of a capacitor of constant charge, sqrt(2 u/3)
    flat = full.x[np.flatnonzero(full.carriers.positive(full.u) > 2.0)[-1]]
    check.within("width of the full layer", flat / full.length, math.sqrt(2 * 40 / 3), 0.15,
                 why="to the edge, which is a Debye length wide")  # fmt: skip


@pytest.mark.parametrize(
    ("u", "given"),
    [(3.0, {}), (10.0, {}), (6.0, {"site_density": 1.6 * C0}), (-3.0, {"site_density": 3 * C0}),
     (-5.0, {"model": "pair", "share": 0.9}), (5.0, {"model": "pair", "site_density": 10 * C0})],
)  # fmt: skip
def test_added_resistance(page, u, given):
    """The integral over x as one over u: dx = du/sqrt(2 G(u)), no mesh."""
    words = ", ".join(f"{k} {v:g}" if k != "model" else v for k, v in given.items()) or "lattice"
    check = head(page, f"resistance, u = {u:g}, {words}")
    kappa = 0.05
    s = layer(u, conductivity=kappa, nodes=4000, **given)

    def integrand(v):
        at = np.array([math.copysign(v, u)])
        q = s.carriers.filling
        if s.carriers.model == "pair":
            w = 1 + 4 * q * math.sinh(v / 2) ** 2
            plus, minus = math.exp(-at[0]) / w, math.exp(at[0]) / w
            share = given.get("share", 0.5)
            sigma = share * plus + (1 - share) * minus
            G = math.log1p(4 * q * math.sinh(v / 2) ** 2) / q if q else 4 * math.sinh(v / 2) ** 2
        else:
            x = math.exp(-at[0])
            plus = x / (1 - q + q * x)
            sigma = plus * (1 - q * plus) / (1 - q)
            G = at[0] + (math.log(1 - q + q * x) / q if q else x - 1)
        return (1 / sigma - 1) / math.sqrt(2 * G)

    value = quad(integrand, 1e-6, abs(u), epsabs=1e-13, epsrel=1e-10, limit=400)[0]
    value += 1e-6 * integrand(1e-6)
    exact = value * s.length / kappa
    check.within("added resistance", s.resistance * 1e4, exact * 1e4, 2e-4, unit="ohm cm^2",
                 why="mesh of 4000 nodes")  # fmt: skip
    double = layer(u, conductivity=kappa, sides=2, nodes=4000, **given)
    check.within("grain boundary", double.resistance / s.resistance, 2.0, 1e-12)


def test_depletion(page):
    """A wall that repels all Li+: constant charge of what stays, x = L sqrt(2 u), parabola."""
    check = head(page, "depletion")
    s = layer(200.0)
    inner = s.u > 8  # what is left of the carriers, exp(-8), is not seen there
    root = math.sqrt(2 * (200.0 - 1)) - np.sqrt(2 * (s.u[inner] - 1))
    check.within("parabola of the potential", s.x[inner] / s.length, root, 2e-4,
                 scale=root.max(), why="exp(-8) left out in the reference")  # fmt: skip
    slope = s.wall_charge / (F * C0 * s.length)
    check.within("charge of the wall", slope, math.sqrt(2 * (200.0 - 1)), 1e-5,
                 why="mesh of 2000 nodes")  # fmt: skip
    integrand = lambda v: 1 / math.sqrt(2 * (v + math.expm1(-v)))  # noqa: E731
    width = quad(integrand, -math.log(0.95), 200.0, epsrel=1e-10, limit=200)[0]
    check.within("width, to 5 % of the bulk", s.width / s.length, width, 1e-4,
                 why="interpolated between nodes")  # fmt: skip
    assert width == pytest.approx(math.sqrt(2 * 200.0), rel=0.15)  # the Schottky layer


def test_mesh_convergence(page):
    check = head(page, "mesh")
    for name, carriers, u in (
        ("two carriers", Carriers("pair"), -6.0),
        ("lattice, gathering", Carriers("lattice", 0.2), -12.0),
        ("lattice, depleted", Carriers("lattice", 0.6), 9.0),
    ):
        exact = math.copysign(math.sqrt(2 * float(carriers.energy(u))), u)
        n = np.array([250, 500, 1000, 2000])
        error = [abs(profile(carriers, u, int(m))[2][0] / exact - 1) for m in n]
        rate = math.log2(error[-2] / error[-1])
        check.within(f"order of the mesh, {name}", rate, 2.0, 0.05, why="observed order")
        if name == "two carriers":
            check.plot("nodes", "error of the charge", {"computed": (n, error)}, log=True)
