"""The diffuse front of a reaction against sharp ones that are rough: waves, tips and troughs.

Rates are compared in units of v q, the speed of the front over that of the wave. What a width l
does to a wave goes with chi = (q l)^2 kappa/s_i: ions pass along the front in the electrolyte that
the front is mixed with. STRICTLY: below chi = 1/2 rates are within 0.1 v q; above 1 they are not to
be trusted, waves die out that should grow. The shortest wave that a width shows is thus
2 pi l sqrt(2 kappa/s_i): 28 l where the electrolyte conducts ions 10 times as well as the layer,
89 l at 100 times.
"""

from __future__ import annotations

from typing import Any

import fronts
import numpy as np
import pytest
import rough_front
from diffuse import Floats, March, cosines, front, order, rows, strip, wave
from fronts import OneCarrier, TwoCarriers
from ssbmech.reaction_front.model import FrontModel

H, DEPTH, WAVE = 15e-6, 3e-6, 10e-6
Q = 2.0 * np.pi / WAVE
HEIGHT = 0.1e-6
BALANCE = 1e-10


def two(contrast: float) -> TwoCarriers:
    """The electrolyte conducts ions so many times as well as the layer."""
    return TwoCarriers(1e-3 / contrast, 0.1, 1e-3, H, 1.5, 2e-5, 1e-3)


def rough(
    law: Any, width: float, height: float = HEIGHT, share: float = 1.0, **more: Any
) -> FrontModel:
    """Half a wave on elements of a share of the width."""
    h = width * share
    top = DEPTH + 2 * height + 6 * width
    data = strip(WAVE / 2, round(WAVE / 2 / h), rows(top, H, h))
    return front(data, H, law, wave(DEPTH, height, WAVE), width, **more)


def rate(model: FrontModel, i: float = 0.0) -> float:
    """d ln(a)/dt of a front that has not moved [1/s]."""
    march = March(model, i)
    march.begin()
    charge = march.states[0].charge
    assert np.isnan(charge) or charge < BALANCE
    return float(cosines(model, "speed", WAVE)[1] / cosines(model, "depth", WAVE)[1])


def per_wave(law: TwoCarriers, width: float, i: float) -> tuple[float, float]:
    """omega/(v q), found and exact."""
    speed = law.v * float(law.reaction(DEPTH, i)) * Q
    return rate(rough(law, width), i) / speed, float(fronts.growth_rate(Q, law, DEPTH, i).omega) / (
        speed
    )


def rough_check(page: Any) -> Any:
    return page(
        "front", "Diffuse reaction front against sharp fronts", part="rough",
        problem="Half a wave of the front, 10 um long, 3 um deep, in a strip of 15 um.",
        reference="Growth rate of waves to first order (closed form), fronts of any amplitude "
        "(spectral): `fronts.py`, `rough_front.py`",
    )  # fmt: skip


WIDTHS = np.array([0.354e-6, 0.25e-6, 0.177e-6, 0.125e-6])


@pytest.mark.parametrize("factor", [0.0, 1.5])
def test_waves_of_equal_conductors(page, factor):
    """Where layer and electrolyte conduct ions alike: the rate in l."""
    law, check = two(1.0), rough_check(page)
    critical = float(fronts.critical_current(Q, law, DEPTH))
    both = np.array([per_wave(law, float(w), factor * critical) for w in WIDTHS])
    errors = both[:, 0] - both[:, 1]
    check.within(f"omega/(v q), kappa = s_i, i = {factor:g} i_c, l = 0.125 um", *both[-1], 3e-3,
                 scale=1.0, why="q l = 0.08: second order")  # fmt: skip
    assert order(WIDTHS, errors) > 1.8
    assert np.sign(both[:, 0]) == pytest.approx(-1.0 if factor == 0.0 else 1.0)
    check.note(f"kappa = s_i, i = {factor:g} i_c: rate in l {order(WIDTHS, errors):.1f}.")


@pytest.mark.parametrize("contrast", [10.0, 30.0, 100.0])
@pytest.mark.parametrize("factor", [0.0, 1.5])
def test_waves_before_a_better_conductor(page, contrast, factor):
    law, check = two(contrast), rough_check(page)
    i = factor * float(fronts.critical_current(Q, law, DEPTH))
    chi = (Q * WIDTHS) ** 2 * contrast
    both = np.array([per_wave(law, float(w), i) for w in WIDTHS])
    off = both[:, 0] - both[:, 1]
    fine = chi < 0.65
    check.within(
        f"omega/(v q), kappa/s_i = {contrast:g}, i = {factor:g} i_c, chi < 0.65", both[fine, 0],
        both[fine, 1], 0.1, scale=1.0, why="(q l)^2 kappa/s_i decides",
    )  # fmt: skip
    assert np.sign(both[fine, 0]) == pytest.approx(np.sign(both[fine, 1]))
    assert np.abs(off[chi > 2.0]).min(initial=1.0) > 0.2  # what the module says of coarse fronts
    check.note(
        f"kappa/s_i = {contrast:g}, i = {factor:g} i_c: omega/(v q) is off by "
        + ", ".join(f"{o:+.3f} (chi {x:.2f})" for o, x in zip(off, chi, strict=True))
        + f", of {both[0, 1]:+.3f}."
    )


@pytest.mark.parametrize("law", [OneCarrier(1e-15), OneCarrier(1e-15, 1e-9)])
def test_waves_of_one_carrier(page, law):
    exact = float(fronts.one_carrier_rate(Q, law, DEPTH))
    widths = WIDTHS[1:]
    found = np.array([rate(rough(law, float(w))) for w in widths])
    name = "parabolic" if np.isinf(law.k_s) else "mixed control"
    check = rough_check(page)
    check.within(f"{name}: omega, l = 0.125 um", found[-1] * 1e6, exact * 1e6, 0.05,
                 unit="1/Ms", why="q l = 0.08; second order")  # fmt: skip
    assert 1.7 < order(widths, found - exact) < 2.4


def test_interface_energy(page):
    """Decay by curvature where the reaction decides: -(V/F)^2 gamma q^2/R, the rest taken off."""
    law, gamma = TwoCarriers(1e-3, 1e-3, 1e-3, H, 1.5, 2e-5, 1.0), 7000.0
    exact = -(law.v**2) * gamma * Q**2 / law.R
    width = 0.125e-6
    found = {
        share: rate(rough(law, width, share=share, interface_energy=gamma))
        - rate(rough(law, width, share=share))
        for share in (1.0, 0.5)
    }
    check = rough_check(page)
    check.within(
        "decay by interface energy, elements of l/2", found[0.5] * 1e6, exact * 1e6, 0.03,
        unit="1/Ms", why="curvature of c on linear elements, 1 %; what else resists, 0.3 %",
    )  # fmt: skip
    check.within(
        "decay by interface energy, elements of l", found[1.0] * 1e6, exact * 1e6, 0.08,
        unit="1/Ms", why="an error of the elements, (h/l)^2: it does not fall with l",
    )  # fmt: skip


# -- tips and troughs -----------------------------------------------------------------------------


def tips(law: TwoCarriers, i: float, height: float, width: float) -> tuple[Floats, Floats, March]:
    """Tip and trough after growth to 6 um, found and exact [m]."""
    h = width
    data = strip(WAVE / 2, round(WAVE / 2 / h), rows(6.6e-6 + 6 * width, H, h))
    march = March(front(data, H, law, wave(DEPTH, height, WAVE), width), i)
    march.begin()
    now = march.until(6e-6).states[-1]
    grid = rough_front.Grid(WAVE)
    start = DEPTH + height * np.cos(Q * grid.x)
    end = rough_front.advance(start, np.array([now.time]), grid, law, i)[-1]
    where = march.model.front()
    x, depth = where.places[:, :, 0].ravel(), where.values["depth"].ravel()
    found = depth[[np.argmin(x), np.argmax(x)]]
    return found, grid.value(end, np.array([0.0, WAVE / 2])), march


@pytest.mark.parametrize(("factor", "height"), [(0.0, 1e-6), (2.4, 0.3e-6)])
def test_tips_and_troughs(page, factor, height):
    """From 3 to 6 um, tongues of a tenth of a wave."""
    law = two(10.0)
    i = factor * float(fronts.critical_current(Q, law, DEPTH))
    found, exact, march = tips(law, i, height, 0.25e-6)
    check, name = rough_check(page), f"i = {factor:g} i_c"
    check.within(f"{name}: tip and trough at 6 um", found * 1e6, exact * 1e6, 0.05, scale=1.0,
                 unit="um", why="l = 0.25 um; of 1 um")  # fmt: skip
    check.within(f"{name}: from trough to tip", np.diff(found) * 1e6, np.diff(exact) * 1e6, 0.08,
                 unit="um", why="chi = 1/4, steps of l/4")  # fmt: skip
    charge, mass = march.defects()
    why = "sums over elements are those of the weak form"
    check.within(f"{name}: charge, volume", [charge, mass], 0.0, BALANCE, scale=1.0, why=why)
    assert march.column("rate").min() >= 0.0
    # at rest it smoothens, above the critical current it roughens
    assert (np.ptp(found) > 2 * height) == (factor > 1.0)


def test_tips_and_troughs_rate_in_the_width(page):
    law = two(10.0)
    i = 2.4 * float(fronts.critical_current(Q, law, DEPTH))
    widths = np.array([0.354e-6, 0.25e-6, 0.177e-6])
    off = []
    for width in widths:
        found, exact, _ = tips(law, i, 0.3e-6, float(width))
        off.append(np.ptp(found) - np.ptp(exact))
    check = rough_check(page)
    check.within("trough to tip at l = 0.177 um", off[-1] * 1e6, 0.0, 0.03, scale=1.0, unit="um",
                 why="chi = 1/8")  # fmt: skip
    assert order(widths, off) > 1.0
    check.note(f"Trough to tip: off by {np.array(off) * 1e6} um at l = {widths * 1e6} um.")
