"""The thin-filament model: lithium between the faces of a crack, against closed forms."""

from __future__ import annotations

import json
from dataclasses import replace
from math import asin, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from checks import E_PRIME, A
from films import LITHIUM, V_F, U, body, cracked, faces_alone, rigid
from ssbmech.filament.film import SlitFlow
from ssbmech.filament.model import FilamentModel
from ssbmech.numerics.stepping import Drive

pytestmark = pytest.mark.verification

K_UNIT = sqrt(pi * A)


def run(model, steps, dt, drive, growth=1.0):
    time, trials = model.time, []
    for _ in range(steps):
        trials.append(model.advance(time + dt, dt, drive))
        model.accept()
        time, dt = time + dt, dt * growth
    return trials


# -- the condensed body ---------------------------------------------------------------------------


def test_influence_of_pressure(page):
    check = page(
        "TF1",
        "Film on a Griffith crack: influence of pressure",
        problem="A crack of half-length a = 10 um in a square of half-width 200 a, condensed onto "
        "its faces: opening and K per pressure at every node (a hat function each).",
        reference="K_I = 2 sqrt(a/pi) times the integral of p(x)/sqrt(a^2 - x^2) over half the "
        "crack, which for p = 1 on |x| < b is F6; F1 for uniform pressure; the work of one "
        "pressure on the opening of another is the same both ways (Betti).",
    )
    condensed = body()
    network, elastic = condensed.order.network, condensed.elastic
    p, x = 100e6, condensed.order.network.points[:, 0]
    K = elastic.K["K_I"][0]
    check.within("K_I, uniform", p * K.sum() / 1e6, p * K_UNIT / 1e6, 1e-3, unit="MPa m^0.5",
                 why="as F1")  # fmt: skip
    w = elastic.compliance @ np.full(len(network), p)
    check.within("opened area", 2e12 * (network.area @ w), 2e12 * pi * p * A**2 / E_PRIME, 5e-3,
                 unit="um^2", why="as F1")  # fmt: skip
    inner = (x > 0) & (x < 0.9 * A)
    exact = 4 * p / E_PRIME * np.sqrt(A**2 - x[inner] ** 2)
    check.within("opening, |x| < 0.9 a", w[inner] * 1e9, exact * 1e9, 1e-2, unit="nm", why="as F1")
    exact_K = np.array([_hat_K(x, j) for j in range(len(x))])
    check.within("K_I of every hat", K, exact_K, 3e-3, unit="m^0.5",
                 why="as F6, of the largest hat")  # fmt: skip
    for b in (0.2, 0.5, 0.8, 0.95):
        j = int(np.argmin(np.abs(x - b * A)))
        # full pressure up to node j, then down over one edge: F6 averaged over that edge
        ramp = np.linspace(x[j], x[min(j + 1, len(x) - 1)], 2001)
        t = 0.5 * (ramp[1:] + ramp[:-1])
        exact = 2 * p * sqrt(A / pi) * np.mean([asin(v / A) for v in t])
        found = p * K[: j + 1].sum()
        check.within(f"K_I, filled to {b:g} a", found / 1e6, exact / 1e6, 3e-3,
                     unit="MPa m^0.5", why="as F6")  # fmt: skip
    assert condensed.asymmetry < 1e-12
    assert condensed.uniform < 1e-5


def _hat_K(x, j):
    """2 sqrt(a/pi) int N_j/sqrt(a^2 - x^2) dx with x = a sin(t), by Gauss on each edge."""
    total = 0.0
    gauss, weight = np.polynomial.legendre.leggauss(20)
    # the tip's facet has a quarter point: there the hat is linear in sqrt of the distance
    for k in (j - 1, j):
        if not 0 <= k < len(x) - 1:
            continue
        lo, hi = np.arcsin(np.clip(x[[k, k + 1]] / A, 0, 1))
        t = lo + (hi - lo) * (gauss + 1) / 2
        place = (A * np.sin(t) - x[k]) / (x[k + 1] - x[k])
        if k == len(x) - 2:
            place = 1 - np.sqrt(np.maximum(1 - place, 0))
        hat = 1 - place if k == j else place
        total += float((weight * hat).sum() * (hi - lo) / 2)
    return 2 * sqrt(A / pi) * total


def test_influence_on_an_inclined_crack(page):
    check = page("TF1", "Film on a Griffith crack: influence of pressure",
                 part="whole body, inclined 30 degrees, both faces")  # fmt: skip
    condensed = body(symmetry=None, angle="30 deg", half_width="1000 um", growth=0.15)
    elastic, network = condensed.elastic, condensed.order.network
    assert condensed.sides == 1
    assert network.s[-1] == pytest.approx(2 * A, rel=1e-12)
    K = elastic.K["K_I"].sum(axis=1)
    check.within("K_I/p at both tips", K, K_UNIT, 1e-3, unit="m^0.5", why="as F1")
    K_II = elastic.K["K_II"].sum(axis=1)
    check.within("K_II/p", K_II, 0.0, 1e-3, scale=K_UNIT, unit="m^0.5", why="as K_I")
    area = network.area @ elastic.compliance.sum(axis=1)
    check.within("opened area/p", area * 1e12, 2 * pi * A**2 / E_PRIME * 1e12, 5e-3,
                 unit="um^2/Pa", why="as F1")  # fmt: skip


def test_influence_on_a_penny(page):
    check = page("TF1", "Film on a Griffith crack: influence of pressure",
                 part="penny-shaped crack, axisymmetric")  # fmt: skip
    condensed = body(half_width="300 um", model="axisymmetric")
    elastic, network = condensed.elastic, condensed.order.network
    check.within("K_I/p", elastic.K["K_I"].sum(), 2 * sqrt(A / pi), 5e-3, unit="m^0.5", why="as F3")
    volume = network.area @ elastic.compliance.sum(axis=1)
    check.within("volume/p", volume * 1e18, 16 * A**3 / (3 * E_PRIME) * 1e18, 5e-3,
                 unit="um^3/Pa", why="as F3")  # fmt: skip
    assert network.area.sum() == pytest.approx(pi * A**2, rel=1e-10)


def test_partly_filled_penny(page):
    check = page("TF1", "Film on a Griffith crack: influence of pressure",
                 part="penny, filled to r < b")  # fmt: skip
    condensed = body(half_width="300 um", model="axisymmetric", growth=0.05)
    K, r = condensed.elastic.K["K_I"][0], condensed.order.network.points[:, 0]
    for share in (0.3, 0.6, 0.9):
        j = int(np.argmin(np.abs(r - share * A)))
        # full pressure up to node j, then down over one edge: F7 averaged over that edge
        b = np.linspace(r[j], r[j + 1], 2001)
        b = 0.5 * (b[1:] + b[:-1])
        exact = 2 / sqrt(pi * A) * np.mean(A - np.sqrt(A**2 - b**2))
        check.within(f"K_I/p, filled to {share:g} a", K[: j + 1].sum(), exact, 5e-3,
                     unit="m^0.5", why="as F7")  # fmt: skip


def test_influence_on_a_larger_body(page):
    check = page("TF1", "Film on a Griffith crack: influence of pressure",
                 part="a body twice as large against the first one, scaled")  # fmt: skip
    small = body().elastic.scaled(2.0)
    big = body(a=f"{2 * A} m", half_width="4000 um", h_tip="0.2 um").elastic
    size = np.abs(big.compliance).max()
    check.within("C", small.compliance, big.compliance, 1e-5, scale=size, unit="m/Pa",
                 why="the same mesh up to rounding of lengths in the mesher")  # fmt: skip
    check.within("K", small.K["K_I"], big.K["K_I"], 1e-5, unit="m^0.5", why="as C")


# -- limits of flow -------------------------------------------------------------------------------


def test_lithium_that_flows_at_once(page):
    check = page(
        "TF2",
        "Thin filament: flow without resistance",
        problem="Lithium plates at a given current into a sealed Griffith crack (a = 10 um) and "
        "flows along it without resistance (B = 1e36 times that of lithium; its root counts).",
        reference="The pressure is uniform, so F1 holds: from the plated volume V the pressure is "
        "p = E' V/(2 pi a^2), K_I = p sqrt(pi a).",
    )
    easy = SlitFlow(LITHIUM.B * 1e36, LITHIUM.n)
    problem = cracked(body(), slit=easy, thickness=2e-9)
    model = FilamentModel(problem)
    drive = Drive(current_density=1.0)
    trials = run(model, 40, 1.0, drive)
    state = model.state
    plated = 2 * V_F * 1.0 * 40.0 * A * 2  # both faces, both halves
    p = E_PRIME * plated / (2 * pi * A**2)
    check.within("pressure everywhere", state.p / 1e6, p / 1e6, 5e-3, unit="MPa",
                 why="as the area of F1")  # fmt: skip
    K = trials[-1].monitors["K_I"]
    check.within("K_I", K / 1e6, p * K_UNIT / 1e6, 5e-3, unit="MPa m^0.5", why="as the pressure")
    check.within("K_I/(p sqrt(pi a))", K / (state.p.mean() * K_UNIT), 1.0, 1e-3, why="as F1")
    assert max(t.monitors["mass_defect"] for t in trials) < 1e-10
    assert np.ptp(state.p) < 1e-3 * p


def spectral(a, phi, resistance, times, modes=200):
    """Plating without flow on the faces of a Griffith crack, by Chebyshev polynomials.

    w = sum b_n sin((n+1) t), x = a cos t, n even; p = E'/(4 a) sum (n+1) b_n U_n(cos t), and
    dw/dt = 2 V/(F Z) (phi - V p/F) tested with sin((m+1) t): M b' = g (phi c - k (m+1) pi/2 b).

    Returns: K_I and mean pressure at the times; independent of any mesh.
    """
    n = 2 * np.arange(modes)
    k = n + 1

    def half(m):  # integral of cos(m t) sin t over (0, pi), m even
        return 2.0 / (1.0 - m.astype(float) ** 2)

    mass = 0.5 * (half(k[:, None] - k[None]) - half(k[:, None] + k[None]))
    g = 2 * V_F / resistance
    source = np.where(n == 0, g * phi * pi / 2, 0.0)
    stiff = np.diag(g * V_F * E_PRIME / (4 * a) * k * pi / 2)
    # symmetric eigenproblem with the inverse of the stiffness: its largest values are the slow ones
    root = np.sqrt(np.diag(stiff))
    values, vectors = np.linalg.eigh(mass / np.outer(root, root))
    steady = np.linalg.solve(stiff, source)
    start = vectors.T @ (root * steady)
    found = []
    for t in times:
        decay = np.exp(-t / np.maximum(values, 1e-300))
        b = steady - (vectors @ (decay * start)) / root
        K = sqrt(pi * a) * E_PRIME / (4 * a) * float((k * b).sum())
        # the mean of U_n(cos t) sin t over the crack: int sin((n+1) t) dt = 2/(n+1)
        found.append((K, E_PRIME / (4 * a) * float(b.sum())))
    return np.array(found)


PHI, Z = 24e-3, 1e-3  # 24 mV, 10 ohm cm^2


def test_lithium_that_does_not_flow(page):
    check = page(
        "TF3",
        "Thin filament: no flow",
        problem=f"{PHI * 1e3:g} mV plate lithium on the faces of a Griffith crack (a = 10 um), "
        "linear kinetics of 10 ohm cm^2 with the stress term, no resistance of the electrolyte, "
        "no flow: every place keeps what is plated there.",
        reference="Chebyshev series of opening and pressure, w = sum b_n sqrt(1-x^2) U_n, p = "
        "E'/(4a) sum (n+1) b_n U_n, whose equations in time are solved by their eigenvectors. "
        "In the end no current flows and p = F phi/V_m everywhere (K2: 0.1347 mV/MPa).",
    )
    problem = cracked(body(growth=0.05, h_tip="0.05 um"), resistance=Z)
    model = FilamentModel(problem)
    tau = A / (2 * V_F**2 / Z * E_PRIME / 4)
    times = tau * np.array([0.2, 0.5, 1.0, 2.0])
    drive, found = Drive(potential=-PHI), []
    for begin, end in zip([0.0, *times[:-1]], times, strict=True):
        trials = run(model, 200, (end - begin) / 200, drive)
        m = trials[-1].monitors
        found.append((m["K_I"], m["pressure_mean"]))
    exact = spectral(A, PHI, Z, times)
    found = np.array(found)
    check.within("mean pressure", found[:, 1] / 1e6, exact[:, 1] / 1e6, 5e-3, unit="MPa",
                 why="200 steps of first order: 0.25 %")  # fmt: skip
    check.within("K_I", found[:, 0] / 1e6, exact[:, 0] / 1e6, 1e-2, unit="MPa m^0.5",
                 why="200 steps, and pressure at the tip on a mesh")  # fmt: skip
    last = run(model, 20, tau, drive, growth=1.5)[-1].monitors
    p = PHI / V_F
    check.within("pressure in the end", model.state.p / 1e6, p / 1e6, 1e-6, unit="MPa", why="K2")
    assert abs(last["current_density"]) < 1e-6 * PHI / Z
    check.within("potential per pressure", PHI * 1e3 / (model.state.p.mean() / 1e6), 0.1347, 5e-4,
                 unit="mV/MPa", why="digits of the reference")  # fmt: skip
    check.plot("t [s]", "K_I [MPa m^0.5]", {"computed": (times, found[:, 0] / 1e6),
                                            "exact": (times, exact[:, 0] / 1e6)})  # fmt: skip


def test_rate_in_space(page):
    check = page("TF3", "Thin filament: no flow", part="convergence with the mesh")
    tau = A / (2 * V_F**2 / Z * E_PRIME / 4)
    exact = spectral(A, PHI, Z, [tau])[0, 0]
    sizes, errors = np.array([4.0, 2.0, 1.0]), []
    for h in sizes:
        condensed = body(growth=0.1 * h, h_tip=f"{0.1 * h} um")
        K = [
            run(FilamentModel(cracked(condensed, resistance=Z)), n, tau / n, Drive(potential=-PHI))
            [-1].monitors["K_I"]
            for n in (200, 400)
        ]  # fmt: skip
        errors.append(abs(2 * K[1] - K[0] - exact) / exact)  # without the first order of time
    rate = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    check.note(f"Error of K_I at one relaxation time on three meshes: "
               f"{', '.join(f'{e:.2e}' for e in errors)}; fitted rate {rate:.2f}.")  # fmt: skip
    assert rate > 0.9, errors
    assert errors[-1] < 3e-3


def test_rate_in_time(page):
    check = page("TF3", "Thin filament: no flow", part="convergence with the step")
    tau = A / (2 * V_F**2 / Z * E_PRIME / 4)
    problem = replace(cracked(body(), resistance=Z, thickness=5e-9), slit=LITHIUM, tolerance=1e-4)
    drive = Drive(potential=-PHI)
    base = FilamentModel(problem)
    run(base, 400, 0.2 * tau / 400, drive)  # past the start, where nothing is smooth
    begin = base.save()

    def thickness(steps):
        model = FilamentModel(problem)
        model.load(begin)
        trials = run(model, steps, 0.5 * tau / steps, drive)
        return model.state.m, trials

    counts = np.array([10, 20, 40, 80])
    best = 2 * thickness(1280)[0] - thickness(640)[0]
    errors = [np.abs(thickness(n)[0] - best).max() for n in counts]
    rate = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    check.within("rate of the thickness", rate, 1.0, 0.1, why="backward Euler")
    # the estimated local errors add up to the error at the end, within a small factor: the
    # system relaxes, so that older ones have died down
    _, trials = thickness(80)
    sum_of = sum(t.error for t in trials[1:]) * problem.tolerance
    actual = errors[-1] / best.max()
    assert 0.5 * actual < sum_of < 20 * actual, (sum_of, actual)


# -- flow and fill --------------------------------------------------------------------------------


def test_flow_to_an_open_mouth(page):
    check = page(
        "TF4",
        "Thin filament: flow of power-law lithium in a rigid film",
        problem="A film of constant thickness h = 20 nm and length L = 10 um, plated at 1 mA/cm^2 "
        "on its faces, open at one end; Norton creep of lithium, n = 6.6.",
        reference="q(s) = r (L - s) with r = V_m i/F, and q = 2 A_s g^n H^(n+2)/(n+2) give p(s) = "
        "(r (n+2)/(2 A_s))^(1/n) H^-(n+2)/n n/(n+1) [L^(1+1/n) - (L-s)^(1+1/n)].",
    )
    L, h, i, n = 10e-6, 20e-9, 10.0, LITHIUM.n
    shear = 3 ** ((n + 1) / 2) * LITHIUM.B
    errors, sizes = [], np.array([10, 20, 40, 80])
    for edges in sizes:
        problem = rigid(edges, L, h, slit=LITHIUM, mouth_pressure=0.0)
        model = FilamentModel(problem)
        trials = run(model, 60, 1e-3, Drive(current_density=i), growth=1.3)
        s, r = problem.network.s, V_F * i
        exact = (
            (r * (n + 2) / (2 * shear)) ** (1 / n) * (h / 2) ** (-(n + 2) / n)
            * n / (n + 1) * (L ** (1 + 1 / n) - (L - s) ** (1 + 1 / n))
        )  # fmt: skip
        errors.append(np.abs(model.state.p - exact).max() / exact.max())
        assert trials[-1].monitors["mass_defect"] < 1e-10
    rate = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    check.within("pressure along the film", model.state.p / 1e6, exact / 1e6, 2e-3, unit="MPa",
                 why="80 edges; 2 % is asked for (L5)")  # fmt: skip
    check.note(f"Fitted rate with the number of edges: {rate:.2f} (the pressure is singular in its "
               "second derivative at the closed end).")  # fmt: skip
    assert rate > 0.9
    check.plot("s [um]", "p [MPa]", {"computed": (s * 1e6, model.state.p / 1e6),
                                     "exact": (s * 1e6, exact / 1e6)})  # fmt: skip


def test_front_into_a_dry_film(page):
    check = page(
        "TF5",
        "Thin filament: lithium runs into a dry film",
        problem="A rigid film of thickness 20 nm, dry at first; lithium comes in at a constant "
        "rate at one end only, and a front separates filled from dry.",
        reference="Lithium is conserved: the front is at V/h. The flow is the same everywhere "
        "behind it, so the pressure falls linearly to 0 at the front: p = (q (n+2)/(2 A_s))^(1/n) "
        "H^-(n+2)/n (s_f - s).",
    )
    L, h, edges, n = 10e-6, 20e-9, 100, LITHIUM.n
    electric = faces_alone(1, area=np.array([1e-7]))
    problem = rigid(edges, L, h, slit=LITHIUM, electric=electric, filled=0.2e-6)
    model = FilamentModel(problem)
    first = problem.network.area @ model.state.m
    current = 100.0
    q = V_F * current * 1e-7
    shear = 3 ** ((n + 1) / 2) * LITHIUM.B
    slope = (q * (n + 2) / (2 * shear)) ** (1 / n) * (h / 2) ** (-(n + 2) / n)
    duration = 0.6 * L * h / q
    newton = []
    for share in (0.25, 0.5, 1.0):
        steps = round(80 * (share if share == 0.25 else share / 2))
        trials = run(model, steps, duration / 80, Drive(current_density=current))
        newton += [t.iterations for t in trials]
        volume = first + q * model.time
        stored = problem.network.area @ model.state.m
        check.within(f"volume at {share:g} of the time", stored / volume, 1.0, 1e-10,
                     why="conserved")  # fmt: skip
        filled = model.derived.fill > 1 - 1e-9
        front = volume / h
        s = problem.network.s
        # one node at most is partly filled, and none has both a gap and a pressure
        gap = model.derived.w - model.state.m
        assert np.all(model.state.p > -1e-6 * slope * L)
        assert np.all(model.state.p * gap <= 1e-9 * slope * L * h)
        assert np.sum((model.derived.fill > 1e-9) & ~filled) <= 1
        exact = np.where(filled, slope * (front - s), 0.0)
        check.within(f"pressure at {share:g} of the time", model.state.p / 1e6, exact / 1e6,
                     L / edges / front, unit="MPa", why="the front to an edge")  # fmt: skip
        assert np.all(model.state.m[s > front + L / edges] < 1e-9 * h)
    # the front crosses up to an edge in a step, between walls that do not give way: no typical step
    assert np.mean(newton) <= 10


def test_fill_of_a_dry_crack_by_volume(page):
    check = page(
        "TF6",
        "Thin filament: fill, rest, strip",
        problem="A Griffith crack with faces 5 nm apart holds lithium over its middle 0.3 a and is "
        "dry beyond. Lithium plates where there is some and runs to the tips; then no current; "
        "then it is stripped until cavities are left. Sealed.",
        reference="Volume is conserved all the way. At rest after filling the pressure is uniform: "
        "p = E' (V - V_0)/(2 pi a^2), with V_0 the room between the faces without pressure. After "
        "stripping below V_0 the pressure is 0 and K_I is 0.",
    )
    easy = SlitFlow(LITHIUM.B * 1e6, LITHIUM.n)
    problem = cracked(body(), slit=easy, thickness=5e-9, filled=0.3 * A)
    model = FilamentModel(problem)
    area = problem.network.area
    first = float(area @ model.state.m)
    assert first == pytest.approx(0.3 * A * 5e-9, rel=1e-10)
    trials = run(model, 120, 0.5, Drive(current_density=1.0))
    fills = [t.monitors["fill"] for t in trials]
    assert fills[0] < 0.5 and fills[-1] > 1 - 1e-6
    assert np.all(np.diff(fills) > -1e-9)
    assert all(t.monitors["K_I"] > -1e-6 * 1e6 for t in trials)
    rest = run(model, 30, 1.0, Drive(current_density=0.0), growth=1.4)[-1].monitors
    volume = 2 * float(area @ model.state.m)
    charge = 2 * V_F * 60.0 * A
    check.within("volume after plating", volume / 2, first + charge, 1e-10, why="conserved")
    p = E_PRIME * (volume - 2 * A * 5e-9) / (2 * pi * A**2)
    check.within("pressure at rest", model.state.p / 1e6, p / 1e6, 5e-3, unit="MPa", why="as F1")
    check.within("K_I at rest", rest["K_I"] / 1e6, p * K_UNIT / 1e6, 5e-3, unit="MPa m^0.5",
                 why="as the pressure")  # fmt: skip
    stripped = run(model, 100, 0.55, Drive(current_density=-1.0))
    last = stripped[-1].monitors
    assert last["pressure_max"] < 1.0 and abs(last["K_I"]) < 1.0
    assert last["fill"] < 1 - 1e-3
    assert max(t.monitors["mass_defect"] for t in [*trials, *stripped]) < 1e-10


def test_faces_in_contact(page):
    check = page(
        "TF6", "Thin filament: fill, rest, strip",
        part="faces that a compression closes, with little lithium",
    )  # fmt: skip
    condensed = body()
    S = 100e6
    # remote compression S across the crack: openings and K of -S on the faces
    ones = np.full(len(condensed.order.network), -S)
    elastic = replace(
        condensed.elastic,
        opening=condensed.elastic.compliance @ ones,
        K_loads={mode: k @ ones for mode, k in condensed.elastic.K.items()},
    )
    problem = replace(cracked(condensed, thickness=1e-15), elastic=elastic)
    model = FilamentModel(problem)
    trial = run(model, 5, 1.0, Drive(potential=0.0))[-1]
    # faces 1e-15 m apart: what is left of K is E' times that over the length of the mesh
    check.within("K_I", trial.monitors["K_I"], 0.0, 1e-5, scale=S * K_UNIT, unit="Pa m^0.5",
                 why="closed faces; those of this check are 1e-15 m apart")  # fmt: skip
    assert model.derived.w.min() > -1e-18
    check.within("contact pressure", model.state.p / S, 1.0, 1e-4, why="all of S")


# -- ions -----------------------------------------------------------------------------------------


def _subject(**electrode):
    """The film of film_on_ranks.py without loads and mouth, and its electric problem."""
    from film_on_ranks import subject

    return subject(**electrode)


def test_planar_cell_beside_a_blocked_flaw(page):
    check = page(
        "TF7",
        "Thin filament: ion conduction and kinetics, condensed",
        problem="A cell of LLZO with a flaw from its lithium surface. The faces of the flaw are as "
        "good as blocked, so that nothing disturbs the field; then they plate like the surface.",
        reference="K1: i = V/(t/kappa + Z) of the planar cell. With faces that plate: the finite "
        "element solution of conduction with linear kinetics on all surfaces at once.",
        part="blocked faces",
    )
    made, _ = _subject(area_specific_resistance="5 ohm*cm^2")
    electric = made.problem.electric
    surfaces = tuple(
        replace(s, kind="linear", resistance=1e12 if k == 0 else 5e-4)
        for k, s in enumerate(electric.surfaces)
    )
    first = electric.surface[electric.film >= 0]
    assert set(first) == {0}
    problem = replace(
        made.problem, electric=replace(electric, surfaces=surfaces), mouth_pressure=None
    )
    model = FilamentModel(problem)
    trial = model.advance(1e-6, 1e-6, Drive(potential=-0.02))
    exact = 0.02 / (50e-6 / 0.046 + 5e-4)
    found = trial.monitors["current_density"]
    check.within("current density", found / 10, exact / 10, 1e-8, unit="mA/cm^2", why="K1")


def test_currents_of_a_flaw_that_plates(page):
    from ssbmech.electro.solve import solve

    check = page("TF7", "Thin filament: ion conduction and kinetics, condensed",
                 part="faces that plate")  # fmt: skip
    made, problem = _subject(kinetics="linear", area_specific_resistance="5 ohm*cm^2")
    whole = replace(
        problem,
        electrodes=tuple(
            replace(e, current_density=None, potential=-0.02 if k == 0 else 0.0)
            for k, e in enumerate(problem.electrodes)
        ),
    )
    reference = solve(whole)
    name = whole.electrodes[0].name
    film = replace(made.problem, mouth_pressure=None, stress_volume=0.0)
    model = FilamentModel(film)
    trial = model.advance(1e-6, 1e-6, Drive(potential=-0.02))
    total = trial.monitors["current_density"] * film.electric.counter_area
    check.within("current", total, -reference.currents[name], 2e-3, unit="A/m",
                 why="a plating node stands for its control area: first order")  # fmt: skip
    assert made.ions.asymmetry < 1e-12


# -- numerics -------------------------------------------------------------------------------------


def test_newton_is_quadratic():
    problem = cracked(body(), slit=LITHIUM, thickness=5e-9)
    surface = replace(problem.electric.surfaces[0], kind="butler_volmer", i0=U / 1e-3, beta=0.5)
    problem = replace(problem, electric=replace(problem.electric, surfaces=(surface,)))
    model = FilamentModel(problem)
    run(model, 3, 1.0, Drive(current_density=10.0))
    model.advance(10.0, 5.0, Drive(current_density=20.0))  # a jump: more than one step is needed
    history = [h for h in model.history if h > 1e-14]
    orders = [
        np.log(c / b) / np.log(b / a)
        for a, b, c in zip(history, history[1:], history[2:], strict=False)
        if b < 1e-2 and c > 1e-13
    ]
    assert max(orders[-2:]) > 1.7, (orders, model.history)


def test_steps_take_few_iterations():
    problem = cracked(body(), slit=LITHIUM, thickness=5e-9)
    trials = run(FilamentModel(problem), 200, 0.25, Drive(current_density=10.0))
    assert np.mean([t.iterations for t in trials[5:]]) <= 5


def test_restart_is_exact():
    problem = cracked(body(), slit=LITHIUM, thickness=5e-9, filled=0.5 * A)
    whole = FilamentModel(problem)
    drive = Drive(current_density=5.0)
    run(whole, 10, 0.5, drive)
    kept = whole.save()
    a = run(whole, 10, 0.5, drive)
    again = FilamentModel(problem)
    again.load(kept)
    b = run(again, 10, 0.5, drive)
    for one, other in zip(a, b, strict=True):
        assert one == other
    assert np.array_equal(whole.state.p, again.state.p)


PARALLEL = Path(__file__).with_name("film_on_ranks.py")


@pytest.mark.mpi
def test_one_against_three_ranks(mpirun):
    found = []
    for ranks in (1, 3):
        out = mpirun(ranks, PARALLEL, timeout=280).stdout
        found.append(json.loads(next(r for r in out.splitlines() if r.startswith("{"))))
    one, three = found
    assert one.keys() == three.keys()
    for name, value in one.items():
        a, b = np.asarray(value), np.asarray(three[name])
        assert np.abs(a - b).max() <= 1e-8 * max(np.abs(a).max(), 1e-300), name
