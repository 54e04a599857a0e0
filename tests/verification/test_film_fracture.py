"""F-film: cracks of a brittle layer on lithium: elastic, flowing, and how far apart they end up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cracked_films import H, Z, slow_energy, tension
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq
from ssbmech.interphase.film_fracture import (
    CHANNEL,
    DEEP,
    CreepingLithium,
    FilmFracture,
    channel_factor,
    deep_factor,
)
from ssbmech.materials.flow import Norton, Plastic

pytestmark = pytest.mark.verification

UM = 1e-6
#: An elastic film on lithium whose creep is soft, so that times are short.
LITHIUM = CreepingLithium(7.8e9, 0.38, Norton((0.5e6) ** -6.6 * 1e-4, 6.6), 1e-4)
FILM = FilmFracture(np.array([0.02, 0.1, 1.0]) * UM, 22e9, 0.3, 0.23e6, LITHIUM)


def _page(page, part):
    return page(
        "F-film", "Cracks of a brittle layer on stretched lithium",
        problem="A film of thickness h with stress s cracks as a channel, over elastic lithium, "
        "G = Z s^2 h/E', and over lithium that flows at a shear stress tau, G = s^3 h/(3 E' tau); "
        "pieces between cracks are stretched by lithium that creeps below.",
        reference="Edge crack of a half plane, 1.1215^2 pi/2; plane finite elements of half a "
        "cracked slice (energy ahead of and behind the tip of the channel); a film that slides, "
        "solved step by step; the film on a creeping layer in time (SciPy's BDF); mixed finite "
        "elements with flowing lithium under a piece.",
        part=part,
    )  # fmt: skip


def test_elastic_lithium(page):
    check = _page(page, "elastic base")
    alike = Z(22e9, 0.3, 22e9, 0.3)
    # a crack of depth a has K = 1.1215 s sqrt(pi a): the mean of G over a from 0 to h
    check.within("Z, film and base alike", alike, 1.12152226**2 * math.pi / 2, 1e-3,
                 why="0.05 % on this mesh")  # fmt: skip
    # other meshes than those of the table, coarser at the end, and places between its entries
    for ratio, smallest in ((0.55, 1e-3), (4.0, 2e-5), (7.0, 2e-5), (12.0, 2e-5)):
        E_base = 7.8e9
        E_film = ratio * E_base * (1 - 0.3**2) / (1 - 0.38**2)
        found = Z(E_film, 0.3, E_base, 0.38, smallest=smallest, extent=2000.0)
        check.within(f"Z at E' {ratio:g} times lithium's", float(channel_factor(ratio)), found,
                     1e-2, why="mesh at the end of the crack, and interpolation")  # fmt: skip
    # 22 GPa on lithium lies between the entries of the table
    own = FILM.plane_modulus / LITHIUM.plane_modulus
    assert own == pytest.approx(2.6519, rel=1e-4) and own not in dict(CHANNEL)
    # softer base, more energy; a stiff base holds the film
    values = [z for _, z in CHANNEL]
    assert values == sorted(values)
    # Poisson's ratio: the table is that of 0.3 on 0.38
    E_film = 3.0 * 7.8e9 * (1 - 0.4**2) / (1 - 0.38**2)
    other = Z(E_film, 0.4, 7.8e9, 0.38, smallest=1e-4)
    check.within("Z at 3, Poisson's ratio 0.4", float(channel_factor(3.0)), other, 0.03,
                 why="not in the table: what another Poisson's ratio changes")  # fmt: skip
    # cracks that run side by side take energy from one another
    assert Z(22e9, 0.3, 7.8e9, 0.38, period=8.0) < 0.8 * Z(22e9, 0.3, 7.8e9, 0.38)


def test_energy_is_the_toughness_at_cracking(page):
    """K_IC and G say the same: G(s_c) = K_IC^2/E' with the energy of the finite elements."""
    check = _page(page, "elastic base, film of 1 um")
    direct = Z(22e9, 0.3, 7.8e9, 0.38, smallest=2e-5)
    h, E = FILM.thickness[-1], FILM.plane_modulus
    G = direct * FILM.stress_fast[-1] ** 2 * h / E
    check.within("G at the stress of cracking", G, FILM.energy, 1e-2, unit="J/m^2")
    assert FILM.strain_fast[-1] == pytest.approx(0.00552, rel=5e-3)


def slide(stress, h, E, tau, n=4000):
    """Energy that a slice of a sliding film loses while its crack opens, per area of crack.

    The traction on the crack goes from ``stress`` to 0 in steps; film force balance on a grid,
    sliding where tau is reached. No closed form: displacement and force are summed up.
    """
    reach = 1.2 * stress * h / tau
    x = np.linspace(0.0, reach, n)
    opening, tractions = [], np.linspace(stress, 0.0, 801)
    for t in tractions:
        # force grows by tau per length from the crack on, until the far stress is reached
        s = np.minimum(t + tau * x / h, stress)
        opening.append(2.0 * np.trapezoid((stress - s) / E, x))
    # at constant far displacement the work of the traction that is taken away is the energy
    return np.trapezoid(tractions, opening)


def test_flowing_lithium(page):
    check = _page(page, "sliding film")
    h, E, tau = 0.1 * UM, 24e9, 0.3e6
    for s in (20e6, 80e6):
        found = slide(s, h, E, tau)
        check.within(f"G at {s / 1e6:g} MPa", s**3 * h / (3 * E * tau), found, 1e-3,
                     unit="J/m^2", why="steps of the sum")  # fmt: skip
    # the energy that is set free less what sliding takes, by quadrature of the fields
    s, length = 50e6, 50e6 * h / tau
    released = 2 * quad(lambda x: h * (s**2 - (s * x / length) ** 2) / (2 * E), 0, length)[0]

    def moved(x):
        return s * (length - x) ** 2 / (2 * length * E)

    spent = 2 * quad(lambda x: tau * moved(x), 0, length)[0]
    check.within("G from the balance of energy", s**3 * h / (3 * E * tau), (released - spent) / h,
                 1e-10, unit="J/m^2")  # fmt: skip
    for h, slow in zip(FILM.thickness, FILM.stress_slow, strict=True):

        def excess(s, h=h):
            both = slide(s, h, FILM.plane_modulus, LITHIUM.shear)
            return both + FILM.Z * s**2 * h / FILM.plane_modulus - FILM.energy

        exact = brentq(excess, 1e6, 1e9)
        check.within(f"stress of cracking, {h / UM:g} um", slow / 1e6, exact / 1e6, 1e-3,
                     unit="MPa", why="steps of the sum")  # fmt: skip


@pytest.mark.parametrize(("times", "steps", "smallest"), [(10, 32, 0.1), (20, 48, 0.05)])
def test_flowing_lithium_in_finite_elements(page, times, steps, smallest):
    """Elastic-plastic lithium in the plane, not a law of sliding: the two terms add up."""
    check = _page(page, f"flowing lithium, finite elements, s = {times} tau")
    tau = 0.5e6 / math.sqrt(3.0)
    s, E = times * tau, FILM.plane_modulus
    found = slow_energy(s, (Plastic(0.5e6), tau), steps=steps, smallest=smallest)
    elastic, sliding = FILM.Z * s**2 * H / E, s**3 * H / (3 * E * tau)
    check.within("G", elastic + sliding, found, 0.08, unit="J/m^2",
                 why="an approximation: that the two terms add up")  # fmt: skip
    assert max(elastic, sliding) < found < elastic + sliding


def test_shear_stress_of_lithium(page):
    """tau from the flow law: a shear rate g is an equivalent one of g/sqrt(3)."""
    check = _page(page, "flow of lithium")
    law, rate = LITHIUM.flow, LITHIUM.rate
    check.within("Mises stress at the rate", float(law.rate(LITHIUM.flow_stress)), rate, 1e-12,
                 unit="1/s")  # fmt: skip
    # uniaxial and shear of the same equivalent rate carry the same Mises stress
    tau = float(LITHIUM.shear_at(math.sqrt(3.0) * rate))
    check.within("shear stress", tau, LITHIUM.shear, 1e-12, unit="Pa")
    # dissipation is the same: tau g = q rate
    check.within("dissipation", tau * math.sqrt(3.0) * rate, LITHIUM.flow_stress * rate, 1e-12,
                 unit="W/m^3")  # fmt: skip


def middle(length, h, E, lithium, depth, t_end, n=80):
    """Largest stress of a piece on a creeping layer that is stretched, after a long time, SI.

    Half of the piece, u = 0 in its middle; velocity of the film v: shear rate of lithium
    (e x - v)/H, shear stress tau of its law; force balance E h u'' + tau = 0 gives v pointwise.
    """
    x = np.linspace(0.0, length / 2, n + 1)
    dx = x[1]
    B, m = lithium.flow.B, lithium.flow.n
    scale = lithium.rate * length

    def speed(t, y):
        u = np.concatenate([[0.0], y * scale * t_end])
        bend = np.empty(n)
        bend[:-1] = (u[2:] - 2 * u[1:-1] + u[:-2]) / dx**2
        bend[-1] = 2.0 * (u[-2] - u[-1]) / dx**2  # a free end: half a cell carries its shear
        tau = -E * h * bend
        shear = math.sqrt(3.0) * B * (math.sqrt(3.0) * np.abs(tau)) ** m * np.sign(tau)
        return (lithium.rate * x[1:] - depth * shear) / (scale * t_end)

    found = solve_ivp(speed, (0.0, t_end), np.zeros(n), method="BDF", rtol=1e-7, atol=1e-10)
    assert found.success
    u = np.concatenate([[0.0], found.y[:, -1] * scale * t_end])
    return E * u[1] / dx


def test_distance_of_cracks(page):
    """A piece of the critical length carries just the stress of cracking in its middle."""
    check = _page(page, "pieces on a creeping layer")
    h, depth = 0.1 * UM, 10 * UM
    li = CreepingLithium(7.8e9, 0.38, LITHIUM.flow, 1e-4, depth)
    film = FilmFracture(np.array([h]), 22e9, 0.3, 0.23e6, li)
    length = float(film.spacing[0])
    # so long that the film has been taken to its steady stress: many strains of cracking
    t_end = 20.0 * float(film.strain_slow[0]) / li.rate
    found = middle(length, h, film.plane_modulus, li, depth, t_end)
    check.within("stress in the middle", found / 1e6, float(film.stress_slow[0]) / 1e6, 1e-2,
                 unit="MPa", why="80 points over half of the piece")  # fmt: skip
    half = middle(length / 2, h, film.plane_modulus, li, depth, t_end)
    n = li.flow.n
    check.within("a piece of half the length over it", half / found, 0.5 ** (1 + 1 / n), 1e-2,
                 why="as above")  # fmt: skip


def test_pieces_in_finite_elements(page):
    """Lithium that flows in the plane, not a law of sliding, under an elastic piece."""
    check = _page(page, "pieces on flowing lithium, finite elements")
    law, n, rate = LITHIUM.flow, LITHIUM.flow.n, LITHIUM.rate
    for half, depth, tolerance, why in (
        (80.0, 8.0, 0.02, "half of the piece is ten times as long as lithium is deep"),
        (80.0, 80.0, 0.13, "between both forms: the larger pull of the two"),
        (200.0, 800.0, 0.02, "deep; the gap between pieces is 0.5 %"),
    ):
        deep = depth > 2 * half
        li = CreepingLithium(7.8e9, 0.38, law, rate, math.inf if deep else depth * H)
        found = tension(half, depth, law, rate, sheared=not deep)
        # the length that the closed form gives for a film that breaks at this stress
        K_IC = math.sqrt(found**2 * H * (FILM.Z + found / (3.0 * li.shear)))
        film = FilmFracture(np.array([H]), 22e9, 0.3, K_IC, li)
        assert film.stress_slow[0] == pytest.approx(found, rel=1e-6)
        name = f"half length of a piece, lithium {depth:g} h deep"
        check.within(name, float(film.spacing[0]) / 2 / H, half, tolerance, unit="h", why=why)
    assert deep_factor(n) == dict(DEEP)[n]
