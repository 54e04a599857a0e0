"""Stress of a diffuse layer, and what it does to growth: E1, E2 and E4 at each thickness, creep.

Closed forms. A layer on a plate that cannot stretch has -E e/(1 - nu) in its plane and nothing
across, at any thickness. Around a hole of radius a that carries no load (lithium is soft), with r
the distance from centre or axis, K and G the moduli and e the isotropic misfit of the layer a..b in
a matrix b..c,

    sphere     u = A r + B/r^2   s_rr = 3 K (A - e) - 4 G B/r^3   s_tt = 3 K (A - e) + 2 G B/r^3
    cylinder   u = A r + B/r     s_rr = 2 (K + G/3) A - 3 K e - 2 G B/r^2, s_tt with + 2 G B/r^2,
               plane strain with the misfit along the axis too: s_zz = 2 (K - 2G/3) A - 3 K e

and the four constants from u and s_rr continuous at b and s_rr = 0 at a and c. Without a hole (a
disc of product) B = 0 inside. What the stress does to growth and creep: `front_films`.
"""

import math
from dataclasses import dataclass

import bodies
import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI
from ssbmech.physics.diffuse_front import profile
from ssbmech.problem import Constraint, Problem
from ssbmech.reaction_front.mechanics import FrontMechanics
from ssbmech.reaction_front.problem import Product

pytestmark = pytest.mark.verification

UM = 1e-6
SIZE = 10.0  # of the strips [um]
ZERO = bodies.length(0.0)
HELD = (Constraint("left", {0: ZERO}), Constraint("right", {0: ZERO}), Constraint("top", {1: ZERO}))
QUARTER = (Constraint("bottom", {1: ZERO}), Constraint("top", {0: ZERO}))
#: Young's modulus and Poisson's ratio of electrolyte and product: equal, softer, stiffer.
PAIRS = {
    "one material": ((100e9, 0.25), (100e9, 0.25)),
    "a softer product": ((120e9, 0.25), (40e9, 0.30)),
    "a stiffer product": ((50e9, 0.30), (200e9, 0.20)),
}


# -- bodies ---------------------------------------------------------------------------------------


def strip(rows=100, columns=2, width=1.0):
    """Lithium at y = 0, up to `SIZE` [um]."""
    return bodies.block(
        columns, rows, names=("electrolyte",), place=lambda p: p * np.array([width, SIZE])
    )


def ring(inner, outer, front, h, turns=20):
    """A quarter of a ring [um] whose circles are h apart up to a place beyond the front."""
    near = np.linspace(inner, front, max(2, round((front - inner) / h)) + 1)
    far = front + np.cumsum(h * 1.15 ** np.arange(1, 300))
    r = np.concatenate([near, far[far < outer - 0.5 * (far[1] - far[0])], [outer]])

    def place(p):
        radius, t = inner + (outer - inner) * p[:, 0], p[:, 1] * np.pi / 2
        c = np.cos(t)
        c[np.abs(c) < 1e-15] = 0.0
        return np.column_stack([radius * c, radius * np.sin(t)])

    x = (r - inner) / (outer - inner)
    data = bodies.block(len(r) - 1, turns, x=x, place=place, names=("electrolyte",))
    return bodies.curved(data, bodies.polar_middle)


@dataclass
class Layer:
    """Mechanics of a layer whose share is set: electrolyte and product (E, nu), misfit e."""

    mechanics: FrontMechanics
    x: np.ndarray  # vertices [um]
    width: float  # [um]

    @classmethod
    def on(cls, data, size, model, pair, e, width, held, *, viscosity=math.inf):
        domain = bodies.on(MPI.COMM_WORLD, data, size)
        outside, inside = pair
        materials = {n: bodies.material(*outside) for n in domain.cell_groups}
        body = Problem(domain, model, materials, constraints=held)
        c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
        growth = np.eye(3) * e if np.isscalar(e) else np.asarray(e, float)
        product = Product(*inside, growth, viscosity)
        x = c.function_space.tabulate_dof_coordinates() * size
        return cls(FrontMechanics(body, product, c, width * UM), x, width)

    def put(self, beyond):
        """Solve for a front at a distance ``beyond`` [um] of each vertex."""
        self.mechanics.share.x.array[:] = profile(beyond, self.width)
        self.mechanics.solve()
        return self.mechanics.stress()


def layered(radii, inside, outside, e, r, spherical):
    """Stresses (rr, tt, zz) of the module's closed form at radii r."""
    n = 3 if spherical else 2
    a, b, c = radii
    K = [E / (3 * (1 - 2 * nu)) for E, nu in (inside, outside)]
    G = [E / (2 * (1 + nu)) for E, nu in (inside, outside)]

    def rows(k, x):
        first = 3 * K[k] if spherical else 2 * (K[k] + G[k] / 3)
        stress = np.array([first, -2 * (n - 1) * G[k] / x**n])
        return np.array([x, x ** (1 - n)]), stress / K[0], 3 * K[k] * (e, 0.0)[k] / K[0]

    M, f = np.zeros((4, 4)), np.zeros(4)
    if a > 0.0:
        _, M[0, :2], f[0] = rows(0, a)
    else:
        M[0, 1] = 1.0
    (u0, s0, f0), (u1, s1, f1) = rows(0, b), rows(1, b)
    M[1], M[2], f[2] = [*u0, *-u1], [*s0, *-s1], f0 - f1
    M[3, 2:] = rows(1, c)[1]
    found, out = np.linalg.solve(M, f), []
    for x in r:
        k = int(x > b)
        A, B = found[2 * k : 2 * k + 2]
        eig = 3 * K[k] * (e, 0.0)[k]
        if spherical:
            mean, part = 3 * K[k] * A - eig, G[k] * B / x**3
            out.append((mean - 4 * part, mean + 2 * part, mean + 2 * part))
        else:
            mean, part = 2 * (K[k] + G[k] / 3) * A - eig, G[k] * B / x**2
            axial = 2 * (K[k] - 2 * G[k] / 3) * A - eig
            out.append((mean - 2 * part, mean + 2 * part, axial))
    return np.array(out)


# -- stress at each thickness ---------------------------------------------------------------------


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
@pytest.mark.parametrize("pair", PAIRS)
def test_film_on_a_rigid_plate(page, model, pair):
    """E4: every stress at each thickness, and the work on the growth."""
    check = page(
        "E4", "Film that grows on a rigid plate, diffuse front",
        problem="A flat layer with an isotropic misfit e = 0.002 grows; sides held, free above",
        reference="-E e/(1 - nu) in the plane, 0 across; the growth costs the energy of the film, "
        "E e^2/(1 - nu) per volume",
        part=f"{pair}, {model}",
    )  # fmt: skip
    e, width = 2e-3, 0.2
    E, nu = PAIRS[pair][1]
    plane = -E * e / (1 - nu)
    layer = Layer.on(strip(), SIZE, model, PAIRS[pair], e, width, HELD)
    for depth in (2.0, 4.0, 7.0):
        beyond = layer.x[:, 1] - depth
        s = layer.put(beyond)
        inside, outside = beyond < -8 * width, beyond > 8 * width
        why = "c misses e^-8 eight widths from the front"
        check.within(f"in the plane, {depth:g} um", s[inside][:, [0, 2], [0, 2]] / 1e6,
                     plane / 1e6, 5e-4, unit="MPa", why=why)  # fmt: skip
        check.within("in the electrolyte", s[outside] / 1e6, 0.0, 5e-4, unit="MPa",
                     scale=abs(plane) / 1e6, why=why)  # fmt: skip
        check.within("across", s[:, 1, 1] / 1e6, 0.0, 1e-8, unit="MPa", scale=abs(plane) / 1e6,
                     why="solver")  # fmt: skip
        near = np.abs(beyond) < 3 * width
        check.within("work on the growth", layer.mechanics.work()[near] / 1e6, e * plane / 1e6,
                     1e-5, unit="MPa", why="exact for any profile")  # fmt: skip


def test_film_that_does_not_expand_the_same_in_all_directions():
    """Only the plane pushes; along the normal the layer is free."""
    layer = Layer.on(strip(), SIZE, "plane_strain", PAIRS["one material"],
                     np.diag([1e-3, 5e-3, 1e-3]), 0.2, HELD)  # fmt: skip
    s = layer.put(layer.x[:, 1] - 4.0)
    deep = layer.x[:, 1] < 2.0
    assert s[deep][:, 0, 0] == pytest.approx(-100e9 * 1e-3 / 0.75, rel=5e-4)
    near = np.abs(layer.x[:, 1] - 4.0) < 0.6
    assert layer.mechanics.work()[near] == pytest.approx(-100e9 * 1e-6 / 0.75, rel=1e-5)


def round_layer(spherical, pair, width, depth, *, inner=10.0, outer=40.0):
    """Largest deviation of any stress along a ray, over the largest stress; radii, stresses."""
    e, front = 2e-3, inner + depth
    layer = Layer.on(
        ring(inner, outer, front + 8 * width, width / 1.5), outer,
        "axisymmetric" if spherical else "plane_strain", PAIRS[pair], e, width, QUARTER,
    )  # fmt: skip
    r = np.hypot(layer.x[:, 0], layer.x[:, 1])
    s = layer.put(r - front)
    ray = np.abs(np.arctan2(layer.x[:, 1], layer.x[:, 0]) - np.pi / 4) < 1e-6
    # an average over the cells around a vertex is one-sided at a surface
    k = ray & (np.abs(r - front) > 8 * width) & (r > inner + 0.1) & (r < 0.9 * outer)
    n = np.column_stack([layer.x[k, 0], layer.x[k, 1], 0 * r[k]]) / r[k, None]
    t = np.column_stack([-n[:, 1], n[:, 0], 0 * r[k]])
    found = np.column_stack([
        np.einsum("nij,ni,nj->n", s[k], n, n), np.einsum("nij,ni,nj->n", s[k], t, t), s[k][:, 2, 2],
    ])  # fmt: skip
    outside, inside = PAIRS[pair]
    exact = layered((inner, front, outer), inside, outside, e, r[k], spherical)
    return found, exact, r[k]


@pytest.mark.parametrize(("spherical", "id_"), [(True, "E1"), (False, "E2")])
@pytest.mark.parametrize("pair", PAIRS)
def test_layer_around_lithium(page, spherical, id_, pair):
    """Every stress at each thickness, beyond eight widths from the front."""
    check = page(
        id_, f"{'Spherical' if spherical else 'Cylindrical'} layer that grows, diffuse front",
        problem="A layer with an isotropic misfit grows from a core of lithium, which carries no "
        "load, into a matrix; l = 0.1 um, radius of the core 10 um",
        reference="closed form (four constants of a layered body): see test_front_stress.py",
        part=f"diffuse, {pair}",
    )  # fmt: skip
    for depth in (2.0, 4.0, 8.0):
        found, exact, _ = round_layer(spherical, pair, 0.1, depth)
        check.within(f"radial, hoop and axial stress, {depth:g} um", found.ravel() / 1e6,
                     exact.ravel() / 1e6, 5e-3, unit="MPa",
                     why="0.5 % of the largest stress, at every single point")  # fmt: skip
