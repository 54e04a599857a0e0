"""Lithium pulled in one direction at finite strain against closed forms: L1, L2, L3.

A material point with free sides: the lateral stretch is solved for, with the bulk modulus of the
set. The closed forms neglect elasticity: they are compared with a point made stiffer by 1e4, and
with lithium's own stiffness over plastic strain.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from ssbmech.build_flow import flow_setup
from ssbmech.config_flow import FlowBlock
from ssbmech.materials import library
from ssbmech.physics.finite_viscoplasticity import finite_strain

pytestmark = pytest.mark.verification

R = 8.314462618
STIFF = 1e4


@dataclass
class Bar:
    """One point under tension at a constant rate of logarithmic strain, free sides."""

    law: object
    mu: float
    bulk: float
    rate: float

    def __post_init__(self):
        self.axial, self.lateral = 0.0, 0.0  # logarithmic strains
        self.Fp, self.state = np.eye(3)[None], self.law.initial()[None]
        self.plastic = 0.0

    def pull(self, step):
        """Add ``step`` to the logarithmic strain; returns the true stress [Pa]."""
        self.axial += step
        y = self.lateral - 0.5 * step
        for _ in range(20):
            side = math.exp(y)
            F = np.diag([math.exp(self.axial), side, side])[None]
            new = finite_strain(F, self.Fp, self.state, self.law, self.mu, step / self.rate)
            pressure = self.bulk * (self.axial + 2 * y)
            tau = [float(new.stress[0, i, i] * F[0, i, i]) + pressure for i in (0, 1)]
            if abs(tau[1]) < 1e-14 * self.mu:
                break
            P, T = float(new.stress[0, 1, 1]), new.tangent[0]
            slope = side * (P + side * (T[1, 1, 1, 1] + T[1, 1, 2, 2])) + 2 * self.bulk
            y -= tau[1] / float(slope)
        self.lateral, self.Fp, self.state = y, new.plastic, new.state
        self.plastic += float(new.dp[0])
        return (tau[0] - tau[1]) / math.exp(self.axial + 2 * self.lateral)


def bar(name, rate, temperature=298.0, stiffer=1.0):
    found = flow_setup(FlowBlock(law=name), library.get("Li"), temperature)
    E, nu = found.elastic.E * stiffer, found.elastic.nu
    return Bar(found.law, E / (2 * (1 + nu)), E / (3 * (1 - 2 * nu)), rate)


def stiff_curve(name, rate, strains, step, temperature=298.0):
    """True stress [MPa] of the stiff point at logarithmic strains; the first one is near 0."""
    point = bar(name, rate, temperature, STIFF)
    stress, at = [], 0.0
    for strain in strains:
        steps = max(1, round((strain - at) / step))
        for _ in range(steps):
            last = point.pull((strain - at) / steps)
        at = strain
        stress.append(last / 1e6)
    return np.array(stress), point


def own_curve(name, rate, end, step, temperature=298.0):
    """Plastic strain and true stress [MPa] of lithium with its own stiffness."""
    point = bar(name, rate, temperature)
    found = [(point.plastic, 0.0)]
    while point.plastic < end:
        size = min(step, max(2e-5, 0.05 * point.axial))
        stress = point.pull(size)
        found.append((point.plastic, stress / 1e6))
    return np.array(found).T


def set_I(strain, rate):
    """S = S*{1 - [(1 - S0/S*)^(1-a) + (a-1)(H0/S*) e]^(-1/(a-1))}, stress = S (rate/r0)^m [MPa]."""
    S0, H0, Ss, a = 2.0, 40.0, 8.0, 1.8
    bracket = (1 - S0 / Ss) ** (1 - a) + (a - 1) * H0 / Ss * np.asarray(strain, float)
    return Ss * (1 - bracket ** (-1 / (a - 1))) * (rate / 0.05) ** 0.18


def set_II(strain, rate, temperature):
    """1/(1 - S/Ss) = 1/(1 - S0/Ss) + (H0/Ss) e, stress = S (rate/r0)^m [MPa]."""
    ratio = rate / (4.25e4 * math.exp(-37e3 / (R * temperature)))
    Ss = 2.0 * ratio**0.05
    grown = 1 / (1 - 0.95 / Ss) + 10.0 / Ss * np.asarray(strain, float)
    return Ss * (1 - 1 / grown) * ratio**0.15


def order(sizes, errors):
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


L1 = {0.1: [2.266, 4.249, 6.993, 7.925], 1.0: [3.429, 6.431, 10.585, 11.995]}


@pytest.mark.parametrize("rate", L1)
def test_set_I(page, rate):
    """L1: the curve at strains 0, 0.1, 0.5 and 1."""
    check = page(
        "L1", "Lithium in tension, set I",
        problem="A point with free sides is pulled at a constant rate of logarithmic strain; true "
        "stress. Narayan and Anand's set I (2018). The strain 0 is 1e-5.",
        reference="S = S*{1 - [(1 - S0/S*)^(1-a) + (a-1)(H0/S*) e]^(-1/(a-1))}, "
        "stress = S (rate/r0)^m: the resistance under a constant plastic rate, elasticity "
        "neglected",
        part=f"{rate:g} /s",
    )  # fmt: skip
    strains = [1e-5, 0.1, 0.5, 1.0]
    stress, _ = stiff_curve("anand_I", rate, strains, 2e-3)
    why = "steps of 0.002: implicit Euler is off by 0.2 % at most"
    for e, found, exact in zip(strains, stress, L1[rate], strict=True):
        assert set_I(e, rate) == pytest.approx(exact, abs=1e-3)
        check.within(f"stress at a strain of {e:.2g}", found, exact, 5e-3, unit="MPa",
                     scale=exact, why=why)  # fmt: skip
    x, y = own_curve("anand_I", rate, 1.0, 2e-3)
    for e in (0.1, 0.5, 0.999):
        check.within(f"with E = 5 GPa, at a plastic strain of {e:g}", np.interp(e, x, y),
                     set_I(e, rate), 5e-3, unit="MPa",
                     why="the plastic rate is lower by 0.5 % while stress rises")  # fmt: skip
    line = np.linspace(0, 1, 60)
    check.plot("plastic strain", "true stress [MPa]",
               {"computed": (x[1::8], y[1::8]), "exact": (line, set_I(line, rate))})  # fmt: skip


L2 = {
    (298.0, 1e-3): [0.640, 0.667, 0.752, 0.947, 1.182],
    (298.0, 1e-2): [0.904, 0.953, 1.106, 1.454, 1.873],
    (333.0, 1e-3): [0.506, 0.523, 0.579, 0.706, 0.863],
}


@pytest.mark.parametrize(("temperature", "rate"), L2)
def test_set_II(page, temperature, rate):
    """L2: the curve at strains 0, 0.02, 0.1, 0.5 and at the end."""
    check = page(
        "L2", "Lithium in tension, set II",
        problem="A point with free sides is pulled at a constant rate of logarithmic strain; true "
        "stress. Set II, the default law. The strain 0 is 1e-5, the end a strain of 100.",
        reference="1/(1 - S/Ss) = 1/(1 - S0/Ss) + (H0/Ss) e, Ss = 2 MPa (rate/r0)^0.05, "
        "stress = S (rate/r0)^0.15, elasticity neglected",
        part=f"{temperature:g} K, {rate:g} /s",
    )  # fmt: skip
    exact = L2[temperature, rate]
    strains = [1e-5, 0.02, 0.1, 0.5]
    stress, point = stiff_curve("anand_II", rate, strains, 2e-3, temperature)
    for e, found, value in zip(strains, stress, exact[:-1], strict=True):
        assert set_II(e, rate, temperature) == pytest.approx(value, abs=1e-3)
        check.within(f"stress at a strain of {e:.2g}", found, value, 5e-3, unit="MPa",
                     why="steps of 0.002; the table has three digits")  # fmt: skip
    while point.axial < 100.0:
        last = point.pull(0.1 * point.axial)
    check.within("stress at the end", last / 1e6, exact[-1], 5e-3, unit="MPa",
                 why="S approaches Ss as 1/strain: 0.2 % at 100")  # fmt: skip
    x, y = own_curve("anand_II", rate, 0.5, 2e-3, temperature)
    for e in (0.02, 0.1, 0.499):
        check.within(f"with E = 7.81 GPa, at a plastic strain of {e:g}", np.interp(e, x, y),
                     set_II(e, rate, temperature), 5e-3, unit="MPa", why="as above")  # fmt: skip
    line = np.linspace(0, 0.5, 60)
    check.plot(
        "plastic strain", "true stress [MPa]",
        {"computed": (x[1::4], y[1::4]), "exact": (line, set_II(line, rate, temperature))},
    )  # fmt: skip


L3 = {2e-5: 0.54, 4e-5: 0.62, 4e-4: 0.98, 3e-3: 1.47, 2e-2: 2.15}


@pytest.mark.parametrize("above", [False, True], ids=["from below", "from above"])
def test_steady_flow(page, above):
    """L3: the plateau, approached from both sides of saturation."""
    check = page(
        "L3", "Steady flow of lithium, set II, 298 K",
        problem="A point with free sides is pulled to a logarithmic strain of 100, from the "
        "resistance at the start and from one that is 1.5 times saturation.",
        reference="stress = Ss (rate/r0)^m at saturation, as tabulated for five rates",
        part="from above" if above else "from below",
    )  # fmt: skip
    found = []
    for rate in L3:
        point = bar("anand_II", rate)
        if above:
            point.state = 1.5 * point.law.constants.saturation(np.array([[rate]]))
        last = point.pull(1e-4)
        while point.axial < 100.0:
            last = point.pull(0.1 * point.axial)
        found.append(last / 1e6)
    for (rate, exact), stress in zip(L3.items(), found, strict=True):
        check.within(f"stress at {rate:g} /s", stress, exact, 1e-2, unit="MPa",
                     why="the table has two digits: 0.9 % of the smallest")  # fmt: skip
    if not above:
        check.plot("rate [1/s]", "stress [MPa]",
                   {"computed": (list(L3), found), "reference": (list(L3), list(L3.values()))},
                   log=True)  # fmt: skip


CURVES = {
    "anand_I": (0.1, lambda e: set_I(e, 0.1), "L1", "Lithium in tension, set I"),
    "anand_II": (1e-3, lambda e: set_II(e, 1e-3, 298.0), "L2", "Lithium in tension, set II"),
}


@pytest.mark.parametrize("name", CURVES)
def test_order_in_time(page, name):
    """Implicit Euler: the error of the stress at a strain of 0.2 falls with the step."""
    rate, exact, id, title = CURVES[name]
    check = page(id, title, part="refinement in time")
    sizes = 0.2 / np.array([10, 20, 40, 80])
    errors = [
        abs(stiff_curve(name, rate, [0.2], size)[0][0] - exact(0.2)) / exact(0.2) for size in sizes
    ]
    check.within("order of the error in the step", order(sizes, errors), 1.0, 0.1,
                 why="fit over four steps; the terms of second order bend it")  # fmt: skip
    check.plot("step of strain", "error of stress",
               {"computed": (sizes, errors), "order 1": (sizes, errors[-1] * sizes / sizes[-1])},
               log=True)  # fmt: skip


UPPER = np.triu_indices(3)


def test_newton_is_quadratic(page):
    """A point under a given stress in tension and shear: Newton with the consistent tangent."""
    check = page("L2", "Lithium in tension, set II", part="Newton under a given stress")
    point = bar("anand_II", 1e-3)

    def stress(F):
        new = finite_strain(F[None], point.Fp, point.state, point.law, point.mu, 100.0)
        inverse = np.linalg.inv(F)
        pressure = point.bulk * math.log(np.linalg.det(F))
        P = new.stress[0] + pressure * inverse.T
        rise = point.bulk * np.einsum("ji,lk->ijkl", inverse, inverse)
        rise = rise - pressure * np.einsum("li,jk->ijkl", inverse, inverse)
        return P[UPPER] / 1e6, (new.tangent[0] + rise)[(*UPPER, slice(None), slice(None))] / 1e6

    goal = stress(np.array([[1.2, 0.15, 0.05], [0.0, 0.95, 0.1], [0.0, 0.0, 0.88]]))[0]
    F = np.array([[1.18, 0.13, 0.04], [0.0, 0.955, 0.09], [0.0, 0.0, 0.89]])
    residuals = []
    for _ in range(12):
        P, T = stress(F)
        residuals.append(float(np.abs(P - goal).max() / np.abs(goal).max()))
        if residuals[-1] < 1e-12:
            break
        F[UPPER] -= np.linalg.solve(T[:, UPPER[0], UPPER[1]], P - goal)
    shares = [b / a**2 for a, b in pairwise(residuals) if a > 1e-8]
    assert len(residuals) <= 8 and residuals[-3] < 1e-4
    assert max(shares) < 30.0  # a tangent wrong by 1e-3 would leave 1e-3/1e-6 = 1000
    check.within("residual after the last step", residuals[-1], 0.0, 1e-12, scale=1.0,
                 why="rounding; the residuals before it are in the notes")  # fmt: skip
    check.note("Relative residuals: " + ", ".join(f"{r:.1e}" for r in residuals))
