"""Growth of reaction layers: K8 (a calibration), K9, and K10 to K12 beyond the reference list.

K10: the mixed-conducting planar layer. K11: growth against the stress that it makes. K12: growth by
charge and outside a window, with the lithium that it takes. References are closed forms, SciPy's
integrator (Radau, 1e-11) on the rate as it is written in the literature, and finite differences.
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import solve
from scipy.optimize import brentq, minimize
from ssbmech.build_interphase import interphase_setup, validated
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.interphase.cycles import cycled
from ssbmech.interphase.deposition import deposition
from ssbmech.interphase.expansion import Expansion
from ssbmech.interphase.laws import (
    MIEC,
    Conditions,
    CurrentDriven,
    MixedControl,
    Parabolic,
    SelfLimiting,
    WindowSource,
)
from ssbmech.interphase.resistance import calibrate
from ssbmech.interphase.stress import DrivingForce, Film, coupled_step
from ssbmech.interphase.two_carrier import TwoCarrierLayer
from ssbmech.materials import library

pytestmark = pytest.mark.verification

F = 96485.33212331  # [C/mol]
HOUR = 3600.0
NM = 1e-9


def ode(rate, start, times, unit=NM):
    """Thickness at times by SciPy, in units of ``unit`` inside (its tolerances are absolute)."""
    found = solve_ivp(
        lambda t, y: [rate(t, y[0] * unit) / unit], (0.0, times[-1]), [start / unit],
        method="Radau", t_eval=times, rtol=1e-11, atol=1e-11,
    )  # fmt: skip
    assert found.success
    return found.y[0] * unit


def in_steps(law, start, times, per=7, conditions=None):
    """Thickness at times, ``per`` steps of our own from each to the next."""
    now, found, last = start, [], 0.0
    for t in times:
        for _ in range(per):
            now = law.advance(now, (t - last) / per, conditions or Conditions())
        last = t
        found.append(float(now))
    return np.array(found)


def test_k8_calibration(page):
    check = page(
        "K8", "Resistance of LGPS on storage: a calibration",
        problem="140 to 2000 ohm cm^2 in 48 h, fitted by R_0 + a sqrt(t) with the one parameter a.",
        reference="(2000 - 140)/sqrt(48) ohm cm^2/h^0.5, by hand. One rise and one parameter: this "
        "is a calibration, and says nothing about whether the root of time holds.",
    )  # fmt: skip
    fit = calibrate([48 * HOUR], [2000e-4], 140e-4)
    slope = fit.slope * 1e4 * math.sqrt(HOUR)
    check.within("slope", slope, 1860 / math.sqrt(48), 1e-12, unit="ohm cm^2/h^0.5")
    check.within("slope, as published", slope, 268.0, 2e-3, unit="ohm cm^2/h^0.5",
                 why="published with three digits")  # fmt: skip
    assert fit.label.startswith("calibration") and "assumed, not shown" in fit.text()
    # the law that it calibrates gives the measured value back, whatever the conductivity
    for kappa in ("1e-7 S/m", "1e-4 S/m"):
        block = InterphaseBlock.model_validate(
            {"law": "parabolic", "ionic_conductivity": kappa,
             "calibration": {"start": "140 ohm*cm^2", "times": ["48 h"],
                             "resistances": ["2000 ohm*cm^2"]}}
        )  # fmt: skip
        setup = interphase_setup(block, library.get("LGPS"))
        R = float(setup.law.advance(0.0, 48 * HOUR)) / setup.ionic + 140e-4
        check.within(f"given back, {kappa}", R * 1e4, 2000.0, 1e-12, unit="ohm cm^2")
        assert "calibration" in setup.sources["interphase.growth_constant"]


def test_k9_parabolic(page):
    check = page(
        "K9", "Growth of a reaction layer by parabolic and by mixed control",
        problem="delta(t) under the laws of growth, in one step and in many.",
        reference="delta^2 = delta_0^2 + 2 k t; delta/k_s + delta^2/(2k) = t; SciPy's Radau on the "
        "rate with tolerance 1e-11.",
        part="parabolic",
    )  # fmt: skip
    k, times = 3.1e-20, np.geomspace(10.0, 1e7, 13)
    law = Parabolic(k)
    for start in (0.0, 5 * NM):
        exact = np.sqrt(start**2 + 2 * k * times)
        name = f"from {start / NM:g} nm"
        check.within(f"one step {name}", law.advance(start, times) / NM, exact / NM, 1e-13,
                     unit="nm", scale=None, why="the step is exact: rounding")  # fmt: skip
        relative = in_steps(law, start, times) / exact
        check.within(f"91 steps {name}", relative, np.ones(13), 1e-13, why="as above")
    found = law.advance(5 * NM, times)
    reference = ode(lambda t, d: k / d, 5 * NM, times)
    check.within("against Radau", found / reference, np.ones(13), 1e-8, why="Radau's error")
    check.plot("time [s]", "thickness [nm]",
               {"computed": (times, found / NM), "reference": (times, reference / NM)},
               log=True)  # fmt: skip


def test_k9_mixed_control(page):
    check = page("K9", "Growth of a reaction layer by parabolic and by mixed control",
                 part="mixed control")  # fmt: skip
    k_s, k = 2e-12, 1.5e-20  # they resist equally at 7.5 nm
    law, times = MixedControl(k_s, k), np.geomspace(1.0, 1e9, 19)
    found = law.advance(0.0, times)
    back = (found / k_s + found**2 / (2 * k)) / times
    check.within("delta/k_s + delta^2/(2k) over t", back, np.ones(19), 1e-13,
                 why="the step is exact: rounding")  # fmt: skip
    reference = ode(lambda t, d: 1 / (1 / k_s + d / k), 0.0, times)
    check.within("against Radau", found / reference, np.ones(19), 1e-7, why="Radau's error")
    check.within("133 steps", in_steps(law, 0.0, times) / found, np.ones(19), 1e-12, why="rounding")
    # limits: linear far below the crossover, parabolic far above
    assert law.crossover == pytest.approx(7.5 * NM, rel=1e-9, abs=0.0)
    assert found[0] == pytest.approx(k_s * times[0], rel=1e-3, abs=0.0)
    assert found[-1] == pytest.approx(math.sqrt(2 * k * times[-1]), rel=2e-3, abs=0.0)
    assert found[9] < 0.9 * min(k_s * times[9], math.sqrt(2 * k * times[9]))


def test_k9_self_limiting(page):
    check = page("K9", "Growth of a reaction layer by parabolic and by mixed control",
                 part="self-limiting")  # fmt: skip
    limit, k, k_s = 250 * NM, 1e-19, 1e-11
    times = np.geomspace(1.0, 3e7, 15)
    law = SelfLimiting(limit, k)
    x = law.advance(0.0, times) / limit
    implicit = -x - np.log1p(-x)
    tau = k * times / limit**2
    good = (x > 1e-2) & (x < 1 - 1e-6)  # the closed form itself cancels outside
    assert good.sum() >= 5
    check.within("-x - ln(1 - x) over k t/L^2", implicit[good] / tau[good],
                 np.ones(good.sum()), 1e-9, why="the closed form cancels at 1e-2")  # fmt: skip
    with_reaction = SelfLimiting(limit, k, k_s)
    reference = ode(lambda t, d: (1 - d / limit) / (1 / k_s + d / k), 0.0, times)
    check.within("with reaction, against Radau", with_reaction.advance(0.0, times) / reference,
                 np.ones(15), 1e-7, why="Radau's error")  # fmt: skip
    block = InterphaseBlock(law="self_limiting", growth_constant="1e-19 m^2/s")
    setup = interphase_setup(block, library.get("Li6PS5Cl"))
    end = float(setup.law.advance(0.0, 1e10))
    check.within("Li6PS5Cl after 300 years", end / NM, 250.0, 1e-12, unit="nm",
                 why="the limit of the library, reached from below")  # fmt: skip
    assert setup.law.advance(0.0, 1e6) < 250 * NM


# -- the mixed-conducting layer -------------------------------------------------------------------

S_I, S_E, U, V, R_R, Z = 2e-6, 5e-8, 1.7, 1.6e-5, 3e-2, 4e-3


def finite_differences(delta, i, potential, R, z, n=400):
    """Both potentials at n nodes from the balances of charge, by a dense linear solve.

    Unknowns: phi_i (n), phi_e (n), r. No formula of the layer is used.
    """
    h = delta / (n - 1)
    A, b = np.zeros((2 * n + 1, 2 * n + 1)), np.zeros(2 * n + 1)
    ions, electrons = np.arange(n), n + np.arange(n)
    for s, at in ((S_I, ions), (S_E, electrons)):
        for j in range(1, n - 1):
            A[at[j], at[j - 1]], A[at[j], at[j]], A[at[j], at[j + 1]] = 1.0, -2.0, 1.0
        # the current at the inner boundary: ions -(i - r), electrons -r, both along +x
        A[at[-1], at[-1]], A[at[-1], at[-2]] = -s / h, s / h
    A[ions[-1], -1], b[ions[-1]] = -1.0, -i
    A[electrons[-1], -1] = 1.0
    # at lithium: phi_e = 0; E = phi_e - phi_i = -z times what is plated there, the ionic current
    A[electrons[0], electrons[0]] = 1.0
    A[ions[0], electrons[0]], A[ions[0], ions[0]] = 1.0, -1.0
    A[ions[0], ions[1]] += z * S_I / h
    A[ions[0], ions[0]] -= z * S_I / h
    # E = U - R r at the inner boundary
    A[-1, electrons[-1]], A[-1, ions[-1]], A[-1, -1], b[-1] = 1.0, -1.0, R, potential
    y = solve(A, b)
    return np.linspace(0, delta, n), y[:n], y[n : 2 * n], y[-1]


@pytest.mark.parametrize("i", [0.0, 5.0, -0.02])
def test_k10_layer_against_finite_differences(page, i):
    check = page(
        "K10", "Planar layer that conducts ions and electrons",
        problem="Potentials of ions and electrons across a layer between lithium (with Z) and "
        "an electrolyte that is reduced at the layer's inner boundary, with a plating current i.",
        reference="Finite differences for both carriers with 400 nodes and a dense solve; SciPy's "
        "Radau on the thickness; the limits of Wagner and of reaction control.",
        part=f"i = {i:g} A/m^2",
    )  # fmt: skip
    delta = 2e-7
    state = TwoCarrierLayer(delta, S_I, S_E, Z).reacting(i, U, R_R)
    x, ions, electrons, r = finite_differences(delta, i, U, R_R, Z)
    why = "linear potentials: differences are exact; conditioning of the dense solve"
    check.within("current of the reaction", state.reaction, r, 1e-8, unit="A/m^2", why=why)
    E = electrons - ions
    check.within("potential of lithium", state.lithium_potential(x), E, 1e-8, unit="V", why=why)
    check.within("ionic drop", state.ionic_drop, ions[-1] - ions[0], 1e-8, unit="V", scale=1.7)
    check.within("electronic drop", state.electronic_drop, electrons[-1], 1e-8, unit="V")
    below = np.flatnonzero(E < 0)
    if state.at_lithium > 0.0:  # plated at lithium against Z: E < 0 there
        a = below[-1]
        crossing = x[a] + (x[a + 1] - x[a]) * E[a] / (E[a] - E[a + 1])
        check.within("depth to which lithium can form", state.deposition_depth / NM,
                     crossing / NM, 1e-6, unit="nm", why="interpolated between nodes")  # fmt: skip
        assert 0 < crossing < delta
    else:
        assert state.deposition_depth == 0.0 and below.size == 0
    # charge: what reacts and what is plated at lithium is what passes
    check.within("charge", state.at_lithium + state.reaction, i, 1e-12, scale=max(abs(i), r))


def test_k10_blocked_and_depositing(page):
    """Without a reaction lithium can form everywhere, deepest at the inner boundary."""
    check = page("K10", "Planar layer that conducts ions and electrons", part="deposition inside")
    layer = TwoCarrierLayer(3e-7, S_I, S_E)
    i = 2.0
    blocked = layer.blocked(i)
    check.within("E at the inner boundary", blocked.E_inner, -i * 3e-7 / S_I, 1e-14, unit="V")
    assert blocked.deposition_depth == layer.thickness
    needed = 0.1 * -blocked.E_inner
    low, high = blocked.range_below(-needed)
    check.within("depth from which a nucleus forms", low / 3e-7, 0.1, 1e-12)
    assert high == layer.thickness
    # both boundaries at equilibrium: the current divides as the conductivities
    both = layer.depositing(i)
    check.within("share at the inner boundary", both.reaction / i, S_E / (S_I + S_E), 1e-14,
                 why="transference of electrons")  # fmt: skip
    check.within("resistance", (both.ionic_drop) / i, layer.total_resistance, 1e-12, unit="ohm m^2",
                 why="both carriers side by side")  # fmt: skip
    # it starts at the critical current, and not below
    critical = layer.critical_current(0.05)
    assert layer.depositing(0.999 * critical, 0.05).reaction == 0.0
    assert layer.depositing(1.001 * critical, 0.05).reaction > 0.0


@pytest.mark.parametrize("i", [0.0, 1.0, -0.05])
def test_k10_growth(page, i):
    """The law's thickness against Radau on the current that finite differences give."""
    check = page("K10", "Planar layer that conducts ions and electrons",
                 part=f"growth, i = {i:g} A/m^2")  # fmt: skip
    law = MIEC(S_I, S_E, U, V, R_R, Z)
    times = np.geomspace(1.0, 3e5, 9)

    # the linear problem has a rational answer in delta: sample it by the independent solve
    def rate(t, delta):
        r = finite_differences(max(delta, 1e-3 * NM), i, U, R_R, Z, n=3)[3]
        return V / F * max(r, 0.0)

    reference = solve_ivp(lambda t, y: [rate(t, y[0] * NM) / NM], (0, times[-1]), [0.0],
                          method="LSODA", t_eval=times, rtol=1e-9, atol=1e-9).y[0] * NM  # fmt: skip
    found = law.advance(0.0, times, Conditions(current_density=i))
    check.within("thickness", found / reference, np.ones(9), 1e-5, why="LSODA's error")
    check.plot("time [s]", "thickness [nm]", {"computed": (times, found / NM),
               "reference": (times, reference / NM)}, log=True)  # fmt: skip
    # lithium: the charge that the reaction took, over time, is what the layer holds
    now = Conditions(current_density=i)

    def reaction(root):  # t = root^2 takes the steep start away
        layer = TwoCarrierLayer(float(law.advance(0.0, root**2, now)), S_I, S_E, Z)
        return 2 * root * layer.reacting(i, U, R_R).reaction

    taken = quad(reaction, 1e-9, math.sqrt(times[-1]), epsrel=1e-11, limit=400)[0]
    check.within("lithium in the layer", float(found[-1]) * F / V, taken, 1e-10, unit="C/m^2",
                 why="the quadrature")  # fmt: skip


def test_k10_limits(page):
    check = page("K10", "Planar layer that conducts ions and electrons", part="limits")
    t = 1e5
    slow = MIEC(1e-9, 1e-10, U, V, 1e-9)
    check.within("slow transport: sqrt(2 k t)", slow.advance(0.0, t) / NM,
                 math.sqrt(2 * slow.k * t) / NM, 1e-3, unit="nm")  # fmt: skip
    wagner = V / F * U * (1e-9 * 1e-10 / (1e-9 + 1e-10))
    check.within("k of Wagner", slow.k, wagner, 1e-13, unit="m^2/s")
    fast = MIEC(1e2, 1e1, U, V, 1e3)
    check.within("fast transport: V U t/(F R)", fast.advance(0.0, t) / NM,
                 V * U * t / (F * 1e3) / NM, 1e-3, unit="nm")  # fmt: skip
    equal = MixedControl(MIEC(S_I, S_E, U, V, R_R).k_s, MIEC(S_I, S_E, U, V, R_R).k)
    times = np.geomspace(1, 1e6, 7)
    check.within("mixed control with k and k_s", MIEC(S_I, S_E, U, V, R_R).advance(0.0, times)
                 / equal.advance(0.0, times), np.ones(7), 1e-13)  # fmt: skip
    # plating drives the reaction with the electrons' share of its current
    law, dt, i = MIEC(S_I, S_E, U, V), 1e-3, 7.0
    thick = 1e-4
    extra = law.rate(thick, Conditions(current_density=i)) - law.rate(thick)
    check.within("growth by the current", float(extra), V / F * i * S_E / (S_I + S_E), 1e-9,
                 unit="m/s")  # fmt: skip
    assert law.advance(thick, dt, Conditions(current_density=-1e9)) == thick  # never shrinks


# -- stress ---------------------------------------------------------------------------------------


def test_k11_rigid_plate(page):
    check = page(
        "K11", "Growth against the stress that it makes",
        problem="A film with growth strain on a plate; the work of expansion at its front slows "
        "the reaction (Larche and Cahn, Eshelby).",
        reference="sigma = -E e/(1 - nu) and the scalar equation of the rate; the derivative of "
        "the elastic energy of film and plate; SciPy's Radau.",
        part="rigid plate",
    )  # fmt: skip
    E, nu, dV = 60e9, 0.28, 0.33
    e = (1 + dV) ** (1 / 3) - 1
    film = Film(E, nu, Expansion(dV))
    check.within("stress", float(film.stress(1e-8)) / 1e6, -E * e / (1 - nu) / 1e6, 1e-12,
                 unit="MPa")  # fmt: skip
    # the same from Hooke's law by minimising the energy over the free normal strain
    lam, mu = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
    energy = lambda z: 0.5 * lam * (z[0] - 2 * e) ** 2 + mu * (z[0] ** 2 + 2 * e**2)  # noqa: E731
    free = minimize(lambda z: energy(z) / 1e9, [0.0], tol=1e-14).x[0]
    hooke = lam * (free - 2 * e) - 2 * mu * e
    check.within("stress, by energy", float(film.stress(1e-8)), hooke, 1e-6, unit="Pa",
                 why="the minimiser's tolerance")  # fmt: skip
    G, V_m, k, t = 4e5, 1.2e-4, 2e-20, 2e5
    w = -E * e * e / (1 - nu)  # half of sigma : e*, the plate is free of stress
    factor = (G + V_m * w) / G
    assert 0.1 < factor < 0.9
    found = coupled_step(Parabolic(k), DrivingForce(G, V_m), film.work, 3 * NM, t)
    exact = math.sqrt((3 * NM) ** 2 + 2 * k * factor * t)
    check.within("thickness", float(found) / NM, exact / NM, 1e-12, unit="nm")
    # signs: compression slows what expands; a reaction that shrinks is under tension and slower too
    free_growth = float(Parabolic(k).advance(3 * NM, t))
    shrinking = Film(E, nu, Expansion(-dV))
    assert float(shrinking.stress(0.0)) > 0 > float(film.stress(0.0))
    for own in (film, shrinking):
        assert float(coupled_step(Parabolic(k), DrivingForce(G, V_m), own.work, 3 * NM, t)) < (
            free_growth
        )
    # outside pressure on an expanding reaction slows it, tension speeds it up
    for outer, faster in ((-2e9, False), (2e9, True)):
        given = coupled_step(
            Parabolic(k), DrivingForce(G, V_m), lambda d, s=outer: s * dV, 3 * NM, t
        )
        assert (float(given) > free_growth) is faster
    # the work that uses up all energy stops it
    stop = Film(E * 4.0 / (1 - factor), nu, Expansion(dV))
    assert float(coupled_step(Parabolic(k), DrivingForce(G, V_m), stop.work, 3 * NM, t)) == 3 * NM


def test_k11_compliant_plate(page):
    """A plate of equal stiffness: the work against the energy, the thickness against Radau."""
    check = page("K11", "Growth against the stress that it makes", part="plate of equal stiffness")
    E, nu, H = 60e9, 0.28, 1e-7
    M, ex = E / (1 - nu), Expansion(0.12)
    e = ex.in_plane

    def energy(d):  # of film d and plate H - d with one strain, held flat, minimised over it
        strain = e * d / H
        return M * (H - d) * strain**2 + M * d * (strain - e) ** 2

    for d in (1e-8, 4e-8, 7e-8):
        film = Film(E, nu, ex, plate_modulus=M, plate_thickness=H - d)
        h = 1e-12
        force = -(energy(d + h) - energy(d - h)) / (2 * h)
        check.within(f"work at {d / NM:g} nm", float(film.work(d)) / 1e6, force / 1e6, 1e-6,
                     unit="MPa", why="central difference", scale=M * e * e / 1e6)  # fmt: skip
    film = Film(E, nu, ex, plate_modulus=M, plate_thickness=H)
    law, coupling, start, t = MixedControl(1e-12, 5e-20), DrivingForce(4e5, 1.2e-4), 1 * NM, 3e5
    scalar = lambda t, d: float(  # noqa: E731
        (1 + 1.2e-4 * film.work(d) / 4e5) / (1 / 1e-12 + d / 5e-20)
    )
    exact = ode(scalar, start, [t])[0]
    errors = {}
    for theta, order in ((0.5, 2.0), (1.0, 1.0)):
        found = []
        for n in (10, 20, 40, 80):
            d = start
            for _ in range(n):
                d = float(coupled_step(law, coupling, film.work, d, t / n, theta=theta))
            found.append(abs(d - exact) / exact)
        rate = math.log2(found[-2] / found[-1])
        check.within(
            f"order in dt, theta {theta:g}", rate, order, 0.1 / order, why="observed order"
        )
        errors[theta] = found
    check.within("thickness, 80 steps", 1 + errors[0.5][-1], 1.0, 1e-5, why="second order in dt")
    n = np.array([10, 20, 40, 80])
    check.plot("steps", "relative error", {"theta 0.5": (n, errors[0.5]),
               "theta 1": (n, errors[1.0])}, log=True)  # fmt: skip


# -- charge and windows ---------------------------------------------------------------------------


def test_k12_charge(page):
    check = page(
        "K12", "Growth by charge, and outside a window of potentials",
        problem="A share of a wandering plating current makes the layer; an electrode cycles "
        "beyond the window of the electrolyte.",
        reference="Faraday's law; SciPy's Radau on the cycle.",
        part="mass",
    )  # fmt: skip
    rng = np.random.default_rng(5)
    i, dt = rng.uniform(-8.0, 8.0, 4000), rng.uniform(0.1, 30.0, 4000)
    law = CurrentDriven(V, 0.03)
    delta = 0.0
    for current, step in zip(i, dt, strict=True):
        delta = float(law.advance(delta, step, Conditions(current_density=current)))
    charge = math.fsum(np.maximum(i, 0.0) * dt)
    check.within("lithium in the layer", delta * F / V, 0.03 * charge, 1e-12, unit="C/m^2",
                 why="a sum of 4000 roundings")  # fmt: skip
    both = CurrentDriven(V, 0.03, both=True)
    total = sum(float(both.advance(0.0, s, Conditions(current_density=c)))
                for c, s in zip(i, dt, strict=True))  # fmt: skip
    check.within("both directions", total * F / V, 0.03 * math.fsum(np.abs(i) * dt), 1e-12)
    # on top of a chemical law: the closed step against Radau
    mixed = CurrentDriven(V, 0.03, MixedControl(1e-12, 5e-20))
    times, now = np.geomspace(10, 1e6, 8), Conditions(current_density=0.5)
    reference = ode(lambda t, d: 1 / (1e12 + d / 5e-20) + V / F * 0.03 * 0.5, 0.0, times)
    check.within("beside mixed control", mixed.advance(0.0, times, now) / reference, np.ones(8),
                 1e-8, why="Radau's error")  # fmt: skip


def test_k12_window(page):
    check = page("K12", "Growth by charge, and outside a window of potentials", part="window")
    law = WindowSource(1.7, 2.9, V, 1e-10, 1.0)
    t, E = np.array([0.0, 600.0, 1200.0]), np.array([1.2, 3.3, 1.2])
    fine = np.linspace(0, 1200, 1_200_001)
    dose = np.trapezoid(law.outside(np.interp(fine, t, E)), fine)
    check.within("volt-seconds of a cycle", law.dose(t, E), dose, 1e-9, unit="V s",
                 why="a million points of the trapezium rule")  # fmt: skip
    found = law.cycles(1 * NM, t, E, 5)

    def rate(now, d):
        w = float(law.outside(np.interp(now % 1200.0, t, E)))
        return V / F * w / (1.0 + d / 1e-10)

    # piece by piece between the corners of the drive, which Radau would have to find
    corners = [600 * (1.7 - 1.2) / 2.1, 600 * (2.9 - 1.2) / 2.1]
    corners = [*corners, 600.0, *(1200 - c for c in reversed(corners)), 1200.0]
    d, reference, last = 1.0, [], 0.0
    for cycle in range(5):
        for corner in corners:
            end = 1200.0 * cycle + corner - 1e-9
            d = solve_ivp(lambda s, y: [rate(s, y[0] * NM) / NM], (last, end), [d], method="DOP853",
                          rtol=1e-11, atol=1e-12).y[0][-1]  # fmt: skip
            last = end
        reference.append(d * NM)
    check.within("thickness per cycle", found / reference, np.ones(5), 1e-7, why="DOP853's error")
    assert (np.diff(found) > 0).all() and (np.diff(found, 2) < 0).all()
    inside = law.cycles(1 * NM, t, np.array([1.8, 2.8, 1.8]), 3)
    assert (inside == 1 * NM).all()  # nothing happens within the window
    n = np.arange(1, 6)
    check.plot("cycle", "thickness [nm]", {"computed": (n, found / NM),
               "reference": (n, np.array(reference) / NM)})  # fmt: skip


WINDOW = {
    "law": "window", "reduction_potential": "1.7 V", "oxidation_potential": "2.1 V",
    "ionic_conductivity": "1e-6 S/cm", "electronic_conductivity": "1e-9 S/cm",
    "volume_per_lithium": "20 cm^3/mol",
}  # fmt: skip
#: Above and below the window, and within it.
DWELLS = (("5 h", "0.6 V"), ("3 h", "1.9 V"), ("2 h", "2.4 V"))


@pytest.mark.parametrize(
    ("part", "resistance", "cycles"),
    [("transport controls", "0 ohm*cm^2", 400), ("reaction controls", "1e8 ohm*cm^2", 400),
     ("both", "1e5 ohm*cm^2", 60)],
)  # fmt: skip
def test_k12_cycles(page, part, resistance, cycles):
    """As the root of the dwell outside where the layer resists, linear where the reaction does."""
    check = page("K12", "Growth by charge, and outside a window of potentials",
                 part=f"dwells, {part}")  # fmt: skip
    values = {**WINDOW, "reaction_resistance": resistance}
    found = cycled(values, DWELLS, cycles, current_density="0.5 mA/cm^2")
    n = np.arange(1, cycles + 1)
    s_a, v = 1e-4 * 1e-7 / (1e-4 + 1e-7), 2e-5 / F
    dose = (5 * 1.1 + 2 * 0.3) * HOUR  # volts outside times hours, by hand
    check.within("volt-seconds per cycle", found.dose, dose, 1e-12, unit="V s")
    R = float(resistance.split()[0]) * 1e-4
    exact = -R * s_a + np.sqrt((R * s_a) ** 2 + 2 * v * s_a * dose * n)
    if part == "transport controls":
        exact = np.sqrt(2 * v * s_a * dose * n)
    if part == "reaction controls":
        exact = v * dose * n / R
    check.within("thickness per cycle", found.thickness / exact, np.ones(cycles), 1e-3,
                 why="the limit of one control; where both do, rounding")  # fmt: skip
    if part == "both":  # neither limit would do, and the exact step does
        check.within("thickness per cycle, exact", found.thickness / exact, np.ones(cycles), 1e-10)
        assert np.abs(v * dose * n / R / exact - 1).max() > 0.1
        assert np.abs(np.sqrt(2 * v * s_a * dose * n) / exact - 1).max() > 0.1
        reference = ode(lambda t, d: v * volts(t) / (R + d / s_a), 0.0, 10 * HOUR * n[:3])
        check.within("against Radau", found.thickness[:3] / reference, np.ones(3), 1e-4,
                     why="Radau steps over the corners of the drive")  # fmt: skip
    check.within("polarisation", found.polarisation, 5.0 * found.thickness / 1e-4, 1e-12, unit="V")
    slope = np.polyfit(np.log(n[50:]), np.log(found.thickness[50:]), 1)[0]
    wanted = {"transport controls": 0.5, "reaction controls": 1.0}.get(part)
    if wanted is not None:
        check.within("exponent of the number of cycles", slope, wanted, 1e-3)
        check.plot("cycle", "thickness [nm]", {"computed": (n, found.thickness / NM),
                   "reference": (n, exact / NM)}, log=True)  # fmt: skip


def volts(t):
    """Outside the window, by the programme of `DWELLS`."""
    hour = (t / HOUR) % 10.0
    return 1.1 if hour < 5.0 else 0.0 if hour < 8.0 else 0.3


def test_k10_where_lithium_is_deposited(page):
    """The table of the command against finite differences of both carriers."""
    check = page("K10", "Planar layer that conducts ions and electrons",
                 part="lithium inside, over thickness")  # fmt: skip
    setup = interphase_setup(
        validated({"law": "miec", "reduction_potential": f"{U} V", "interface_resistance":
                   f"{Z!r} ohm*m^2", "reaction_resistance": f"{R_R!r} ohm*m^2",
                   "volume_per_lithium": "20 cm^3/mol", "ionic_conductivity": f"{S_I!r} S/m",
                   "electronic_conductivity": f"{S_E!r} S/m"}), None,
    )  # fmt: skip
    deltas, i, eta, R = np.array([5.0, 200.0, 900.0]) * NM, 4.0, 0.03, 2e-3
    found = deposition(setup, deltas, i, eta, R)
    for k, delta in enumerate(deltas):
        name = f"{delta / NM:g} nm"
        x, ions, electrons, r = finite_differences(delta, i, -eta, R, Z)
        state = found.states[k]
        E = electrons - ions
        if r < 0.0:  # lithium does not dissolve where none is: electrons are blocked
            assert state.reaction == 0.0 and found.critical[k] > i
            assert found.ranges[k] is None
            continue
        check.within(f"inside, {name}", state.reaction, r, 1e-7, unit="A/m^2", scale=i)
        check.within(f"at lithium, {name}", state.at_lithium, i - r, 1e-7, unit="A/m^2", scale=i)
        check.within(f"potential at lithium, {name}", state.E_lithium, E[0], 1e-7, unit="V",
                     scale=eta)  # fmt: skip
        check.within(f"potential inside, {name}", state.E_inner, E[-1], 1e-7, unit="V", scale=eta)
        # before: a huge resistance of the deposition blocks electrons
        x, ions, electrons, r = finite_differences(delta, i, -eta, 1e6, Z)
        below = np.flatnonzero(electrons - ions < -eta)
        from_, to = found.ranges[k]
        first = np.interp(-eta, (electrons - ions)[below[0] :: -1], x[below[0] :: -1])
        check.within(f"depth from which lithium forms, {name}", from_ / NM, first / NM, 1e-4,
                     unit="nm", why="between two nodes")  # fmt: skip
        assert to == delta
    assert sum(s.reaction > 0 for s in found.states) == 2
    # the critical current is where the current of the differences changes its sign
    for delta, critical in zip(deltas, found.critical, strict=True):
        root = brentq(lambda i, d=delta: finite_differences(d, i, -eta, R, Z, n=40)[3], 1e-3, 1e3)
        check.within(f"critical current, {delta / NM:g} nm", critical, root, 1e-7, unit="A/m^2")
    at = found.critical_thickness
    check.within("critical thickness", TwoCarrierLayer(at, S_I, S_E, Z).critical_current(eta), i,
                 1e-12, unit="A/m^2")  # fmt: skip
    # while the electrolyte is reduced there, no lithium forms
    assert all(s.E_inner > 0.0 and s.reaction > 0.0 for s in found.reacting)


def test_arrhenius_of_a_case():
    """ln k against 1/T of blocks at several temperatures has the slope -Q/R."""
    R = 8.314462618
    k = []
    for T in (280.0, 298.15, 330.0, 370.0):
        block = InterphaseBlock(
            law="parabolic", growth_constant="2e-20 m^2/s", temperature=f"{T!r} K",
            activation_energy="0.5 eV",
        )  # fmt: skip
        k.append(interphase_setup(block, None).law.k)
    slope = np.polyfit(1 / np.array([280.0, 298.15, 330.0, 370.0]), np.log(k), 1)[0]
    assert -slope * R / F == pytest.approx(0.5, rel=1e-9)
    assert k[1] == pytest.approx(2e-20, rel=1e-12, abs=0.0)
