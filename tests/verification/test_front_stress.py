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
from dataclasses import dataclass, replace
from pathlib import Path

import bodies
import numpy as np
import pytest
from dolfinx import fem
from front_films import StressedFilm, activation_factor, film_force, relaxation_time
from fronts import FARADAY, OneCarrier, TwoCarriers, flat
from mpi4py import MPI
from ssbmech.errors import SolverError
from ssbmech.interphase.stress import Activation, DrivingForce
from ssbmech.numerics.stepping import Drive
from ssbmech.physics.diffuse_front import profile
from ssbmech.problem import Constraint, Problem
from ssbmech.reaction_front.mechanics import FrontMechanics
from ssbmech.reaction_front.model import FrontModel, Stress
from ssbmech.reaction_front.problem import FrontProblem, Product, Transport

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


def test_damage_that_is_given(page):
    """What is left of the stiffness scales the stress; the energy of sound material stays."""
    check = page(
        "E4", "Film on a rigid plate that damage has weakened, diffuse front",
        problem="As E4, with a quarter of the stiffness left",
        reference="-E e/(1 - nu)/4 in the plane; energy of sound material E e^2/(1 - nu)",
        part="weakened",
    )  # fmt: skip
    (E, nu), e, width = PAIRS["one material"][1], 2e-3, 0.2
    layer = Layer.on(strip(), SIZE, "plane_strain", PAIRS["one material"], e, width, HELD)
    beyond = layer.x[:, 1] - 4.0
    layer.put(beyond)
    sound = layer.mechanics.sound_energy()
    layer.mechanics.weaken(np.full(len(sound), 0.25))
    s = layer.put(beyond)
    inside, why = beyond < -8 * width, "c misses e^-8 eight widths from the front"
    check.within("in the plane", s[inside][:, [0, 2], [0, 2]] / 1e6, -E * e / (1 - nu) / 4e6, 5e-4,
                 unit="MPa", why=why)  # fmt: skip
    check.within("energy of sound material", np.array([sound.max()]), E * e**2 / (1 - nu), 5e-4,
                 unit="J/m^3", why=why)  # fmt: skip
    again = layer.mechanics.sound_energy()
    assert again == pytest.approx(sound, rel=1e-9, abs=1e-9 * sound.max())
    for bad in (0.0, 1.5):
        with pytest.raises(SolverError, match="share of the stiffness"):
            layer.mechanics.weaken(np.full(len(sound), bad))


def test_film_that_does_not_expand_the_same_in_all_directions():
    """Only the plane pushes; along the normal the layer is free."""
    layer = Layer.on(strip(), SIZE, "plane_strain", PAIRS["one material"],
                     np.diag([1e-3, 5e-3, 1e-3]), 0.2, HELD)  # fmt: skip
    s = layer.put(layer.x[:, 1] - 4.0)
    deep = layer.x[:, 1] < 2.0
    assert s[deep][:, 0, 0] == pytest.approx(-100e9 * 1e-3 / 0.75, rel=5e-4)
    near = np.abs(layer.x[:, 1] - 4.0) < 0.6
    assert layer.mechanics.work()[near] == pytest.approx(-100e9 * 1e-6 / 0.75, rel=1e-5)


def round_layer(spherical, pair, width, depth, *, inner=10.0, outer=40.0, turns=20, mesh=None):
    """Largest deviation of any stress along a ray, over the largest stress; radii, stresses."""
    e, front, thin = 2e-3, inner + depth, mesh or width
    layer = Layer.on(
        ring(inner, outer, front + 8 * thin, thin / 1.5, turns), outer,
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


@pytest.mark.parametrize("spherical", [True, False])
def test_rate_in_the_width(page, spherical):
    """What the width adds goes with its square, also between materials that are not alike."""
    check = page("E1" if spherical else "E2", "", part="rate in l, a stiffer product, 3 um thick")
    found = []
    for width in (0.8, 0.4, 0.2):  # on one mesh, whose own error so drops out of differences
        stress, exact, r = round_layer(spherical, "a stiffer product", width, 3.0, mesh=0.2)
        found.append(stress[np.argmin(np.abs(r - 25.0))])
    far = np.abs(exact[np.argmin(np.abs(r - 25.0))]).max()
    steps = np.abs(np.diff(found, axis=0))[:, :2] / far
    rate = np.log2(steps[0] / steps[1])
    check.within("order, radial and hoop stress", rate, 2.0, 0.15, why="l/d = 1/4 to 1/15")


# -- growth under stress --------------------------------------------------------------------------

E1, NU1, MISFIT, ENERGY, MOLAR = 100e9, 0.25, 0.02, 5e4, 40e-6
FILM = StressedFilm(E1, NU1, MISFIT, ENERGY, MOLAR)
LAWS = {
    "parabolic": OneCarrier(1e-16),
    "mixed": OneCarrier(1e-16, 1e-10),
    "miec": TwoCarriers(1e-3, 5e-3, 1e-3, SIZE * UM, 1.5, 20e-6, 5e-3),
}


def grower(law, depth, *, coupling=None, viscosity=math.inf, width=0.1, rows=200, pair=None,
           misfit=MISFIT, strength=None, held=HELD):  # fmt: skip
    """A flat layer [um] on a strip, that is held at its sides."""
    outside, inside = pair or ((E1, NU1), (E1, NU1))
    domain = bodies.on(MPI.COMM_WORLD, strip(rows), SIZE)
    body = Problem(domain, "plane_strain", {"electrolyte": bodies.material(*outside)},
                   constraints=held)  # fmt: skip
    space = fem.functionspace(domain.mesh, ("Lagrange", 1))
    product = Product(*inside, np.eye(3) * misfit, viscosity)
    mechanics = FrontMechanics(body, product, fem.Function(space), width * UM)
    if isinstance(law, OneCarrier):
        transport, counter = Transport(1.0, law.k, 1.0 / law.k_s, 1.0), ()
    else:
        transport, counter = (
            Transport(
                law.U, law.s_e, law.R, law.V / FARADAY, law.s_i, {"electrolyte": law.kappa}, law.Z
            ),
            ("top",),
        )
    start = profile(space.tabulate_dof_coordinates()[:, 1] * SIZE - depth, width)
    problem = FrontProblem(domain, "plane_strain", transport, ("bottom",), counter, start,
                           width * UM)  # fmt: skip
    return FrontModel(problem, Stress(mechanics, coupling, strength))


def mean_depth(model):
    """[um]."""
    s = model.system
    return s.volume() * model.area_unit * SIZE / model.lithium_area


def march(model, end, current=0.0, steps=40):
    """Equal steps to a time [s]; the model's depths [um] after each."""
    depths, dt = [], (end - model.state.time) / steps
    for _ in range(steps):
        model.advance(model.state.time + dt, dt, Drive(current_density=current))
        model.accept()
        depths.append(mean_depth(model))
    return np.array(depths)


def sharp(law, start, times, factor=1.0, ease=1.0, current=0.0):
    """Depths [um] of the sharp film whose drive and reaction stress changes by factors."""
    if isinstance(law, OneCarrier):
        slow = law.k / (law.k_s * ease) * 1e6  # [um]
        grown = 2e12 * law.k * factor * np.asarray(times)
        return np.sqrt((slow + start) ** 2 + grown) - slow
    now = replace(law, U=law.U * factor, R=law.R / ease)
    return flat(now, start * UM, times, current).depth / UM


def compared(check, law, factor, ease, **how):
    """A run of half a micrometre (less where stress slows it) against the sharp film."""
    start, current = 2.0, 100.0 if law == "miec" else 0.0
    end = 1.0
    while sharp(LAWS[law], start, [end], 1.0, 1.0, current)[-1] < start + 0.5:
        end *= 1.2
    model = grower(LAWS[law], start, **how)
    first = mean_depth(model)
    found = march(model, end, current) - first
    exact = sharp(LAWS[law], first, np.linspace(0.0, end, 41)[1:], factor, ease, current) - first
    check.within("depth that has grown", found[[9, 19, 39]], exact[[9, 19, 39]], 1e-2, unit="um",
                 why="steps of 1/40 by backward Euler: 0.3 %; l/d = 1/20: 0.3 %")  # fmt: skip
    return found


PAGE = {
    "problem": "A flat layer that is held in its plane grows against the work of its expansion",
    "reference": "scalar equation of the film: the whole rate times 1 + w V/G, "
    "w = -E e^2/(1 - nu), or the rate of the reaction times exp(V* w/(R T))",
}
TITLE = "Stress acts on growth: a film on a rigid plate, diffuse front"


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("share", [-0.3, -0.8, 0.4])
def test_driving_force(page, law, share):
    """The rate at each thickness is 1 + w V/G of that without stress; -0.8: also if the inner
    side of the front, with twice that work, would not grow by itself."""
    check = page("front_stress", TITLE, **PAGE, part=f"{law}, w V/G = {share:g}")
    w = float(FILM.work(0.0)) * (-1.0 if share > 0.0 else 1.0)
    # strained by 2 e, film and plate: the mean of both sides turns its sign
    pull = Constraint("right", {0: bodies.length(2.0 * MISFIT * UM)})
    held = (HELD[0], pull, HELD[2]) if share > 0.0 else HELD
    compared(check, law, 1.0 + share, 1.0, coupling=DrivingForce(w * MOLAR / share, MOLAR),
             held=held)  # fmt: skip


@pytest.mark.parametrize("pair", [p for p in PAIRS if p != "one material"])
def test_driving_force_between_unlike_materials(page, pair):
    """The film's own stiffness counts, and not that of the electrolyte, which is free of stress."""
    check = page("front_stress", TITLE, **PAGE, part=f"parabolic, {pair}")
    E, nu = PAIRS[pair][1]
    film = StressedFilm(E, nu, MISFIT, ENERGY, MOLAR)
    film = replace(film, energy=-2.0 * float(film.work(0.0)) * MOLAR)
    compared(check, "parabolic", 0.5, 1.0, coupling=DrivingForce(film.energy, MOLAR),
             pair=PAIRS[pair])  # fmt: skip


@pytest.mark.parametrize("law", ["mixed", "miec"])
def test_activation(page, law):
    """Of the reaction alone; V* w = -R T."""
    check = page("front_stress", TITLE, **PAGE, part=f"activation, {law}, V* w = -R T")
    w, T = float(FILM.work(0.0)), 300.0
    volume = -8.31446261815324 * T / w
    ease = float(activation_factor(w, volume, T))
    assert ease == pytest.approx(math.exp(-1.0))
    compared(check, law, 1.0, ease, coupling=Activation(volume, T))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("beyond", [1.001, 2.0])
def test_growth_stops_where_the_work_uses_up_the_energy(law, beyond):
    """No growth at all and no failure, and the charge is that of lithium (stripped) alone."""
    energy = -float(FILM.work(0.0)) * MOLAR / beyond
    model = grower(LAWS[law], 2.0, coupling=DrivingForce(energy, MOLAR))
    first, current = mean_depth(model), -100.0 if law == "miec" else 0.0
    for end, steps in ((1.0, 1), (3e3, 4)):  # from a front that moves, as a run would
        march(model, end, current, steps=steps)
    assert mean_depth(model) == pytest.approx(first, abs=1e-9)


def test_the_work_is_what_the_body_loses(page):
    """dE/dV of the body, by differences, against the work on the growth; materials unlike."""
    check = page("front_stress", TITLE, part="a cylinder, energy of the body")
    width, inner, e = 0.2, 5.0, 2e-3
    pair = PAIRS["a stiffer product"]
    data = ring(inner, 20.0, inner + 8.0, 0.1, turns=6)
    layer = Layer.on(data, 20.0, "plane_strain", pair, e, width, QUARTER)
    r = np.hypot(layer.x[:, 0], layer.x[:, 1])
    energy, front, step = [], inner + 4.0, 0.05
    for at in (front - step, front, front + step):
        layer.put(r - at)
        energy.append(layer.mechanics.solution.strain_energy)
        if at == front:
            near = np.abs(r - front) < width
            work = layer.mechanics.work()[near].mean()
    area = math.pi / 2 * front * 2 * step * UM**2
    check.within("work", work / 1e6, -(energy[2] - energy[0]) / area / 1e6, 5e-3, unit="MPa",
                 why="l/R = 1/45 and differences over 0.1 um")  # fmt: skip


# -- creep of the layer ---------------------------------------------------------------------------


def film_force_of(model):
    """Force per width of the film [N/m]."""
    system = model.stress.mechanics.system
    import ufl

    sigma = fem.assemble_scalar(fem.form(system.sigma[0, 0] * ufl.dx))
    return sigma * system.modulus * SIZE * UM * SIZE  # over a width of 1 um


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_uniform_relaxation(page, model):
    """A film that does not grow: backward Euler of one relaxation time, and the rate in dt."""
    check = page(
        "front_creep", "A film on a rigid plate that flows, diffuse front",
        problem="A flat layer, held in its plane, flows by a Maxwell law in shear",
        reference="exp(-t/tau), tau = 6 eta (1 - nu)/E; of n equal steps of backward Euler "
        "(1 + t/(n tau))^-n", part=f"no growth, {model}",
    )  # fmt: skip
    E, nu = PAIRS["a stiffer product"][1]
    eta, e = 1e14, 2e-3
    tau = relaxation_time(E, nu, eta)
    layer = Layer.on(strip(50), SIZE, model, PAIRS["a stiffer product"], e, 0.2, HELD,
                     viscosity=eta)  # fmt: skip
    off = []
    for n in (5, 10, 20):
        layer.mechanics.system.flowed.x.array[:] = 0.0
        first = layer.put(layer.x[:, 1] - 5.0)
        for _ in range(n):
            layer.mechanics.solve(tau / n)
        deep = layer.x[:, 1] < 3.0
        left = (layer.mechanics.stress()[deep][:, 0, 0] / first[deep][:, 0, 0]).mean()
        check.within(f"stress left after tau, {n} steps", left, (1.0 + 1.0 / n) ** -n, 1e-4,
                     why="the same steps without a mesh; solver and tail of c")  # fmt: skip
        off.append(left - math.exp(-1.0))
    rates = np.log2(np.array(off[:-1]) / np.array(off[1:]))
    check.within("order in dt", rates[-1], 1.0, 0.1, why="backward Euler")


@pytest.mark.parametrize("pair", PAIRS)
def test_force_of_a_film_that_grows_and_flows(page, pair):
    """Relaxation and growth race: over three relaxation times."""
    check = page("front_creep", "", part=f"parabolic growth, {pair}")
    E, nu = PAIRS[pair][1]
    law, start, e = OneCarrier(1e-16), 1.5, 2e-3
    end = (3.5**2 - start**2) / 2e-4
    eta = end / 3.0 * E / (6.0 * (1.0 - nu))
    off = []
    for steps in (40, 80):
        model = grower(law, start, viscosity=eta, pair=PAIRS[pair], misfit=e, rows=120, width=0.15)
        first = mean_depth(model)
        forces, times = [], np.linspace(0.0, end, 5)[1:]
        for t in times:
            march(model, t, steps=steps // 4)
            forces.append(film_force_of(model))

        def grown(t, first=first):
            return UM * sharp(law, first, t)

        exact = [film_force(t, grown, E, nu, e, eta) for t in times]
        off.append(np.abs(np.array(forces) / exact - 1.0).max())
        if steps == 80:
            check.within("force per width", forces, exact, 1e-2, unit="N/m",
                         why="80 steps of backward Euler over three relaxation times; l/d = 1/10 "
                         "at the start")  # fmt: skip
    assert off[1] < 0.7 * off[0]


# -- cracking -------------------------------------------------------------------------------------


def test_first_cracking(page):
    """A stress that is uniform and goes as the depth: when it reaches the strength."""
    check = page(
        "front_cracking", "Time of first cracking, diffuse front",
        problem="A layer that shrinks by e between two plates, all sides held",
        reference="tension across -3 K e d/H; parabolic growth reaches that depth at (d^2 - d0^2)"
        "/(2 k)",
    )  # fmt: skip
    e, law, start, K = -0.01, OneCarrier(1e-16), 2.0, E1 / 1.5
    held = (*HELD, Constraint("bottom", {1: ZERO}))
    model = grower(law, start, misfit=e, held=held, strength=-3 * K * e * 0.3, width=0.1)
    model.advance(1.0, 1.0, Drive(current_density=0.0))
    tension = model._next.tension
    first = mean_depth(model)
    check.within("tension", tension / 1e6, -3 * K * e * first / SIZE / 1e6, 1e-4, unit="MPa",
                 why="exact but for the tail of c")  # fmt: skip
    march(model, 3.2e4, steps=160)
    exact = (3.0**2 - first**2) / 2e-4
    check.within("time", model.cracking.time, exact, 1e-2, unit="s",
                 why="as for growth: steps and l/d")  # fmt: skip
    check.within("depth", model.cracking.depth / UM, 3.0, 1e-3, unit="um",
                 why="linear between two steps")  # fmt: skip


# -- ranks ----------------------------------------------------------------------------------------


def test_one_against_three_ranks(mpirun, tmp_path):
    """Thickness, roughness, voltage, tension and the fields of a rough front under current."""
    for n in (3, 1):
        mpirun(n, Path(__file__).parent / "front_on_ranks.py", tmp_path / f"{n}.npz")
    one, three = np.load(tmp_path / "1.npz"), np.load(tmp_path / "3.npz")
    for name in one.files:
        scale = np.abs(one[name]).max()
        if name.endswith("defect"):
            assert max(np.abs(f[name]).max() for f in (one, three)) < 1e-10, name
            continue
        # converged by Newton's method on both: rounding is left
        np.testing.assert_allclose(three[name], one[name], rtol=0, atol=1e-9 * scale, err_msg=name)
