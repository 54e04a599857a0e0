"""The thin-filament model on crack faces in space: closed forms, and the axisymmetric model."""

from __future__ import annotations

import json
from dataclasses import replace
from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from checks import E_PRIME, A
from films import LITHIUM, V_F, condensed, cracked, rigid_surface
from ssbmech.filament.film import SlitFlow, initial_fill
from ssbmech.filament.model import FilamentModel
from ssbmech.numerics.stepping import Drive

pytestmark = pytest.mark.verification

K_UNIT = 2 * sqrt(A / pi)
OCTANT = {
    "type": "penny", "a": f"{A} m", "half_width": "300 um", "sectors": 8, "h_front": "0.1 um",
    "growth": 0.3,
}  # fmt: skip


def penny(**more):
    """An octant of the penny, or with ``symmetry`` more of it."""
    return condensed(**{**OCTANT, **more})


def radius(network):
    return np.hypot(network.points[:, 0], network.points[:, 1])


def hat_means(network, value):
    """Means of a function of the radius over the triangles, weighed by hats, (n,)."""
    k = 24
    i, j = np.meshgrid(np.arange(k), np.arange(k), indexing="ij")
    up = np.stack([(i + 1 / 3) / k, (j + 1 / 3) / k], -1)[i + j < k]
    down = np.stack([(i + 2 / 3) / k, (j + 2 / 3) / k], -1)[i + j < k - 1]
    flat = np.concatenate([up, down])
    hats = np.column_stack([1 - flat.sum(axis=1), flat])
    corners = network.points[network.triangles]
    x = np.einsum("qc,tck->tqk", hats, corners)
    f = value(np.hypot(x[..., 0], x[..., 1]))
    weight = network.measure[:, None] / len(hats)
    total, whole = np.zeros(len(network)), np.zeros(len(network))
    np.add.at(total, network.triangles, (weight * f) @ hats)
    np.add.at(whole, network.triangles, weight * hats.sum(axis=0))
    return total / whole


def run(model, steps, dt, drive, growth=1.0):
    time, trials = model.time, []
    for _ in range(steps):
        trials.append(model.advance(time + dt, dt, drive))
        model.accept()
        time, dt = time + dt, dt * growth
    return trials


# -- the condensed body ---------------------------------------------------------------------------


def test_influence_on_a_penny(page):
    check = page(
        "TF8",
        "Film on a penny in space: influence of pressure",
        problem="An octant of a penny-shaped crack (a = 10 um) in a cylinder 30 times as large, "
        "condensed onto its face: opening and K_I at 41 points of the front per pressure of a hat "
        "function at every vertex of the face.",
        reference="K_I = 2 p sqrt(a/pi) at all points and the volume 16 p a^3/(3 E') under uniform "
        "pressure (F3); under p in r < b, K_I = 2 p/sqrt(pi a) (a - sqrt(a^2 - b^2)) (F7); "
        "Betti.",
    )
    found = penny()
    network, elastic = found.order.network, found.elastic
    assert found.sides == 2
    K = elastic.K["K_I"].sum(axis=1)
    check.within("K_I/p at 41 points", K, K_UNIT, 5e-3, unit="m^0.5", why="as F3")
    w = elastic.compliance.sum(axis=1)
    volume = 4 * network.area @ w
    check.within("volume/p", volume * 1e18, 16 * A**3 / (3 * E_PRIME) * 1e18, 1e-2,
                 unit="um^3/Pa", why="as F3")  # fmt: skip
    r = radius(network)
    inner = r < 0.85 * A
    exact = 8 / (pi * E_PRIME) * hat_means(network, lambda at: np.sqrt(np.maximum(A**2 - at**2, 0)))
    check.within("opening/p, means of hats in r < 0.85 a", w[inner] * 1e18, exact[inner] * 1e18,
                 1e-2, unit="nm/GPa", why="as the volume")  # fmt: skip
    assert 4 * network.area.sum() == pytest.approx(pi * A**2, rel=1e-5)  # second-order facets
    # straight sides: sin(t)/t of a sector of t = pi/16
    assert 4 * network.measure.sum() == pytest.approx(pi * A**2, rel=1e-2)
    assert network.s == pytest.approx(r, abs=0.01 * A)
    assert found.asymmetry < 1e-12
    assert found.uniform < 1e-9


def test_partly_filled_penny(page):
    check = page("TF8", "Film on a penny in space: influence of pressure", part="filled to r < b")
    found = penny()
    r = radius(found.order.network)
    rings = np.unique(np.round(r / A, 6)) * A
    for share in (0.3, 0.6, 0.8):
        j = int(np.argmin(np.abs(rings - share * A)))
        # full pressure up to ring j, then down over one edge: F7 averaged over that edge
        b = np.linspace(rings[j], rings[j + 1], 2001)
        b = 0.5 * (b[1:] + b[:-1])
        exact = 2 / sqrt(pi * A) * np.mean(A - np.sqrt(A**2 - b**2))
        K = found.elastic.K["K_I"] @ (r < rings[j] + 1e-6 * A).astype(float)
        check.within(f"K_I/p, filled to {rings[j] / A:.2f} a", K, exact, 1e-2, unit="m^0.5",
                     why="as F7")  # fmt: skip


@pytest.mark.long
def test_influence_on_a_whole_penny(page):
    check = page("TF8", "Film on a penny in space: influence of pressure",
                 part="whole body, both faces, multigrid")  # fmt: skip
    small = {"half_width": "50 um", "sectors": 4, "h_front": "1.2 um", "growth": 0.8,
             "web_sectors": 3}  # fmt: skip
    whole = penny(**small, symmetry="none", method="iterative")
    part = penny(**small)
    assert "gamg" in whole.method
    assert whole.sides == 1
    K, own = whole.elastic.K["K_I"].sum(axis=1), part.elastic.K["K_I"].sum(axis=1)
    check.within("K_I/p at 41 points, against the octant", K, own.mean(), 2e-2, unit="m^0.5",
                 why="a coarse mesh, on which the octant's front has ends")  # fmt: skip
    volume = [s * c.order.network.area @ c.elastic.compliance.sum(axis=1)
              for s, c in ((1, whole), (4, part))]  # fmt: skip
    check.within("volume, against the octant", volume[0], volume[1], 1e-2, unit="m^3/Pa",
                 why="another mesh as coarse: rings of 1.2 um and more")  # fmt: skip
    assert whole.asymmetry < 1e-7  # multigrid to 1e-9
    sliding = max(np.abs(whole.elastic.K[m].sum(axis=1)).max() for m in ("K_II", "K_III"))
    assert sliding < 1e-2 * K_UNIT
    on_front = radius(whole.order.network) > 0.999 * A
    assert on_front.sum() == 16  # four times four sectors, each vertex once


def test_half_penny_at_a_surface(page):
    check = page(
        "TF9",
        "Film on a half-penny at a surface: influence of pressure",
        problem="A semicircular surface flaw (a = 10 um) in a block of ten times its size, "
        "condensed onto its face; uniform pressure.",
        reference="Newman and Raju (1981): K_I = 0.6625 p sqrt(pi a) at the deepest point and "
        "0.729 at the surface, a fit good to 5 %.",
    )
    found = condensed(type="semi_ellipse", a=f"{A} m", c=f"{A} m", thickness="100 um",
                      half_width="100 um", sectors=8, h_front="0.2 um")  # fmt: skip
    K = found.elastic.K["K_I"].sum(axis=1) / sqrt(pi * A)
    check.within("K_I at the deepest point over p sqrt(pi a)", K[0], 0.6625, 3e-2,
                 why="F4 states 3 %")  # fmt: skip
    check.within("K_I at the surface", K.max(), 0.729, 5e-2, why="F4 states 5 % there")


# -- in time --------------------------------------------------------------------------------------


def test_lithium_that_flows_at_once(page):
    check = page(
        "TF10",
        "Thin filament in space: flow without resistance",
        problem="Lithium plates at a given current into a sealed penny (octant, a = 10 um) and "
        "flows without resistance (B = 1e36 times that of lithium).",
        reference="The pressure is uniform (F3): p = 3 E' V/(16 a^3) from the plated volume V, and "
        "K_I = 2 p sqrt(a/pi).",
    )
    easy = SlitFlow(LITHIUM.B * 1e36, LITHIUM.n)
    model = FilamentModel(cracked(penny(), slit=easy, thickness=2e-9))
    trials = run(model, 30, 1.0, Drive(current_density=1.0))
    plated = 2 * V_F * 1.0 * 30.0 * pi * A**2
    p = 3 * E_PRIME * plated / (16 * A**3)
    state = model.state
    check.within("pressure everywhere", state.p / 1e6, p / 1e6, 1e-2, unit="MPa",
                 why="as the volume")  # fmt: skip
    K = model.problem.elastic.intensity("K_I", state.p)
    check.within("K_I at 41 points", K / 1e6, p * K_UNIT / 1e6, 1e-2, unit="MPa m^0.5",
                 why="as the pressure")  # fmt: skip
    assert trials[-1].monitors["K_I"] == K.max()
    assert np.ptp(state.p) < 1e-3 * p
    assert max(t.monitors["mass_defect"] for t in trials) < 1e-10


def test_penny_by_two_films(page):
    check = page(
        "TF11",
        "Thin filament in space against the axisymmetric one",
        problem="The same sealed penny by both: 24 mV plate lithium on its faces, linear kinetics "
        "of 10 ohm cm^2 with the stress term, Norton creep along the film.",
        reference="The axisymmetric film on a mesh of 2-D elements (its checks are TF1 to TF3).",
    )
    found = []
    space = penny(sectors=6, growth=0.15, h_front="0.2 um")
    flat = condensed(type="griffith", a=f"{A} m", half_width="300 um", symmetry="xy",
                     quarter_point=True, growth=0.05, model="axisymmetric")  # fmt: skip
    tau = 1e-3 * A / (2 * V_F**2 * E_PRIME / 4)
    for body in (space, flat):
        problem = cracked(body, resistance=1e-3, thickness=5e-9, slit=LITHIUM)
        model = FilamentModel(problem)
        rows = []
        for _ in range(4):
            trials = run(model, 25, 0.2 * tau / 25, Drive(potential=-24e-3))
            K = problem.elastic.intensity("K_I", model.state.p)
            rows.append([trials[-1].monitors["pressure_mean"], K.mean()])
            assert max(t.monitors["mass_defect"] for t in trials) < 1e-10
        found.append(rows)
    a, b = np.array(found)
    check.within("mean pressure", a[:, 0] / 1e6, b[:, 0] / 1e6, 1e-2, unit="MPa",
                 why="volume of the mesh in space: 1 %")  # fmt: skip
    check.within("K_I, mean along the front", a[:, 1] / 1e6, b[:, 1] / 1e6, 1e-2,
                 unit="MPa m^0.5", why="as the pressure")  # fmt: skip


def test_flow_to_the_rim_of_a_disc(page):
    check = page(
        "TF12",
        "Thin filament in space: flow of power-law lithium over a rigid disc",
        problem="A film of constant thickness h = 20 nm on a disc of unstructured triangles, R = "
        "10 um, plated at 1 mA/cm^2, open along its rim; Norton creep, n = 6.6.",
        reference="q(r) = V_m i/F r/2, so with q = 2 A_s g^n H^(n+2)/(n+2): p(r) = (V_m i/F "
        "(n+2)/(4 A_s))^(1/n) H^-(n+2)/n n/(n+1) (R^(1+1/n) - r^(1+1/n)).",
    )
    R, h, i, n = 10e-6, 20e-9, 10.0, LITHIUM.n
    shear = 3 ** ((n + 1) / 2) * LITHIUM.B
    sizes, errors = np.array([3, 6, 12]), []
    for rings in sizes:
        problem = rigid_surface(int(rings), R, h, slit=LITHIUM, mouth_pressure=0.0)
        model = FilamentModel(problem)
        trials = run(model, 30, 1e-3, Drive(current_density=i), growth=1.7)
        r = radius(problem.network)
        exact = (
            (V_F * i * (n + 2) / (4 * shear)) ** (1 / n) * (h / 2) ** (-(n + 2) / n)
            * n / (n + 1) * (R ** (1 + 1 / n) - r ** (1 + 1 / n))
        )  # fmt: skip
        errors.append(np.abs(model.state.p - exact).max() / exact.max())
        assert trials[-1].monitors["mass_defect"] < 1e-10
        assert trials[-1].monitors["expelled"] == pytest.approx(1.0, abs=0.2)
    assert (problem.network.width < 0).any()
    check.within("pressure over the disc", model.state.p / 1e6, exact / 1e6, 1e-2, unit="MPa",
                 why="12 rings of triangles of any shape; 2 % is asked for (L5)")  # fmt: skip
    rate = -np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    check.note(f"Errors of the pressure over its maximum with 3, 6, 12 rings: "
               f"{', '.join(f'{e:.2e}' for e in errors)}; fitted rate {rate:.2f}.")  # fmt: skip
    assert rate > 0.9


def test_first_fill_of_a_penny():
    network = penny().order.network
    for share in (0.3, 0.7, 1.0):
        filled = 4 * network.area @ initial_fill(network, share * A)
        # distances are taken over straight triangles: 0.2 % at 8 sectors
        assert filled == pytest.approx(pi * (share * A) ** 2, rel=2e-2)


def test_restart_is_exact():
    problem = cracked(penny(sectors=4, h_front="1 um", growth=0.5), slit=LITHIUM, thickness=5e-9)
    problem = replace(problem, filled=0.5 * A)
    whole = FilamentModel(problem)
    drive = Drive(current_density=5.0)
    run(whole, 5, 0.2, drive)
    kept = whole.save()
    ahead = run(whole, 5, 0.2, drive)
    again = FilamentModel(problem)
    again.load(kept)
    assert run(again, 5, 0.2, drive) == ahead
    assert np.array_equal(whole.state.p, again.state.p)


PARALLEL = Path(__file__).with_name("film_on_ranks_3d.py")


@pytest.mark.mpi
def test_one_against_three_ranks(mpirun):
    found = []
    for ranks in (1, 3):
        out = mpirun(ranks, PARALLEL, timeout=280).stdout
        found.append(json.loads(next(r for r in out.splitlines() if r.startswith("{"))))
    one, three = found
    assert one.pop("method") == three.pop("method") == "cholesky (mumps)"
    for made in found:
        assert made.pop("mass_defect") < 1e-10
        assert abs(made.pop("charge")) < 1e-10
    assert one.keys() == three.keys()
    for name, value in one.items():
        a, b = np.asarray(value), np.asarray(three[name])
        assert np.abs(a - b).max() <= 1e-8 * max(np.abs(a).max(), 1e-300), name
