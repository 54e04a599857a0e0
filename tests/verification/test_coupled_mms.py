"""A step of plating with a known solution in space and time: rates of convergence.

Two elastic layers, lithium -a < y < 0 and electrolyte 0 < y < b, 0 < x < 1 um, in plane strain with
rollers on all sides; a counter electrode on top. Wanted is a plating current density

    J(x) = J0 + J1 cos(k x),  k = pi/um,   and so h = J dt V_m/F after a step from rest.

The displacement that jumps by h at y = 0 and is in equilibrium, u = (U sin kx, W cos kx) with
U, W = (p + q y) e^(+-ky), follows from eight conditions (sides, tractions, jump); the potential is
harmonic. What Butler-Volmer then needs beside the stress sigma_n of that solution to give J is a
smooth function of x, and is given to the electrode as its own normal stress. Nothing is added to
the equations of the body: displacement, mean stress, potential and the stress-dependent kinetics
are all tested as they are used.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from bodies import block, length, material
from plated import ELASTIC, PER_CHARGE, UM, parts
from ssbmech.coupled.plating import Plating, PlatingModel
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.formula import Formula
from ssbmech.lithium.problem import BodyProblem, Flow, Hold
from ssbmech.materials.flow import Norton
from ssbmech.numerics.stepping import Drive

pytestmark = pytest.mark.verification

A, B, K = 1.0 * UM, 1.0 * UM, np.pi / UM
MODULI = {"lithium": (7.8e9, 0.38), "electrolyte": (30e9, 0.25)}
J0, J1, I0, DT = 20.0, 12.0, 15.0, 0.4
KAPPA = 4e-4  # S/m, so that the potential varies along the interface by 10 mV
#: Relaxes in 0.1 s.
VISCOUS = Norton(1.2e-9, 1.0)
RTF = 8.31446261815324 * 298.15 / 96485.33212331
OFFSET = -0.03  # potential of the electrolyte at the interface [V]


def lame(name):
    E, nu = MODULI[name]
    return E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))


class Layer:
    """Four solutions of one layer: U, W, sigma_yy, sigma_xy over their trigonometric factors."""

    def __init__(self, name):
        self.lam, self.mu = lame(name)

    def basis(self, y):
        """Shape (4 quantities, 4 solutions, n); lengths over 1/k, stresses times k."""
        y, out = np.atleast_1d(K * np.asarray(y)), []
        lam, mu = self.lam, self.mu
        for s in (1.0, -1.0):
            for r, t in ((1.0, 0.0), (0.0, 1.0)):
                q = -s * t
                p = -s * r - t * (lam + 3 * mu) / (lam + mu)
                e = np.exp(s * y)
                U, W = (p + q * y) * e, (r + t * y) * e
                dU, dW = (q + s * (p + q * y)) * e, (t + s * (r + t * y)) * e
                out.append([U, W, lam * (U + dW) + 2 * mu * dW, mu * (dU - W)])
        return np.array(out).transpose(1, 0, 2)


class Exact:
    """The solution for a jump h0 + h1 cos(k x) [m]."""

    def __init__(self, h0, h1):
        self.layers = {name: Layer(name) for name in MODULI}
        li, se = self.layers["lithium"], self.layers["electrolyte"]
        low, high, l0, s0 = li.basis(-A), se.basis(B), li.basis(0.0), se.basis(0.0)
        zero = np.zeros(4)
        rows = [
            [*low[1, :, 0], *zero], [*low[3, :, 0], *zero],
            [*zero, *high[1, :, 0]], [*zero, *high[3, :, 0]],
            [*-l0[0, :, 0], *s0[0, :, 0]], [*-l0[1, :, 0], *s0[1, :, 0]],
            [*-l0[2, :, 0], *s0[2, :, 0]], [*-l0[3, :, 0], *s0[3, :, 0]],
        ]  # fmt: skip
        rows = np.array(rows)
        sizes = np.abs(rows).max(axis=1)
        right = np.zeros(8)
        right[5] = h1
        found = np.linalg.solve(rows / sizes[:, None], right / sizes)
        self.c = {"lithium": found[:4], "electrolyte": found[4:]}
        M = {name: lam + 2 * mu for name, (lam, mu) in ((n, lame(n)) for n in MODULI)}
        self.flat = -h0 / (A / M["lithium"] + B / M["electrolyte"])
        self.strain = {name: self.flat / M[name] for name in MODULI}

    def displacement(self, name, x, y):
        """u [m], shape (n, 2)."""
        U, W = np.einsum("qsn,s->qn", self.layers[name].basis(y)[:2], self.c[name])
        linear = self.strain[name] * (y + A if name == "lithium" else y - B)
        return np.column_stack([U * np.sin(K * x), W * np.cos(K * x) + linear])

    def mode(self):
        """Amplitude of sigma_yy cos(k x) at the interface [Pa]."""
        basis = self.layers["lithium"].basis(0.0)[2, :, 0]
        return float(K * basis @ self.c["lithium"])

    def mean_stress(self, x, y):
        """p of lithium in plane strain [Pa]."""
        lam, mu = lame("lithium")
        layer = self.layers["lithium"]
        U, _, syy, _ = np.einsum("qsn,s->qn", layer.basis(y), self.c["lithium"])
        dW = (syy - lam * U) / (lam + 2 * mu)
        bulk = lam + 2 * mu / 3
        return bulk * (K * (U + dW) * np.cos(K * x) + self.strain["lithium"])


def potential(x, y):
    """Of the electrolyte [V]."""
    mode = -J1 / (KAPPA * K) * np.sinh(K * (B - y)) / np.cosh(K * B)
    return OFFSET + J0 * y / KAPPA + mode * np.cos(K * x)


def extra_stress(exact):
    """What the kinetics have to feel beside sigma_n, as a formula [Pa]."""
    amplitude = float(-J1 / (KAPPA * K) * np.tanh(K * B))
    z = f"(({J0!r} + {J1!r} * cos({float(K)!r} * x / (1 m))) / {2 * I0!r})"
    eta = f"(-{2 * RTF!r} * log({z} + sqrt({z}^2 + 1)))"
    phi = f"({OFFSET!r} + {amplitude!r} * cos({float(K)!r} * x / (1 m)))"
    sigma = f"({float(exact.flat)!r} + {exact.mode()!r} * cos({float(K)!r} * x / (1 m)))"
    text = f"(-({phi} + {eta}) / {PER_CHARGE * 1.0!r} - {sigma}) * (1 Pa)"
    return Formula.parse(text, "pressure", ("x", "y", "z"))


def layers(n):
    """The mesh: 2 n cells of height, n of width."""
    return block(
        n, 2 * n, place=lambda p: np.column_stack([p[:, 0], 2 * p[:, 1] - 1]),
        group=lambda c: c[:, 1] > 0.5, names=("lithium", "electrolyte"), inside="interface",
    )  # fmt: skip


def plating(n, stress=None, law=ELASTIC, **more):
    data = layers(n)
    whole, domain, nodes = parts(data)
    zero = length(0.0)
    holds = tuple(Hold(g, {0: zero}) for g in ("left", "right"))
    holds += tuple(Hold(g, {1: zero}) for g in ("bottom", "top"))
    body = BodyProblem(
        whole, "plane_strain", {name: material(*MODULI[name]) for name in MODULI},
        flows={"lithium": Flow(law)}, holds=holds, growth={"interface": "lithium"},
    )  # fmt: skip
    li = Electrode("li", ("interface",), "butler_volmer", i0=I0, coupled=True, normal_stress=stress)
    counter = Electrode("counter", ("top",), "none", potential=None, current_density=1.0)
    ions = ElectricProblem(domain, "plane_strain", {"electrolyte": KAPPA}, (li, counter),
                           nodes=nodes)  # fmt: skip
    return PlatingModel(Plating(body, ions, ("li",), **more))


def errors(n):
    per_current = DT * PER_CHARGE
    exact = Exact(per_current * J0, per_current * J1)
    model = plating(n, extra_stress(exact))
    trial = model.advance(DT, DT, Drive(current_density=J0))
    model.accept()
    body, unit = model.body, model.body.problem.domain.length
    x = body.V.tabulate_dof_coordinates()[:, 0] * unit
    y = body.V.tabulate_dof_coordinates()[:, 1] * unit
    u, found = body.displacement, {}
    for name, inside in (("lithium", y < -0.25 * UM), ("electrolyte", y > 0)):
        wanted = exact.displacement(name, x[inside], y[inside])
        found[f"u of the {name}"] = rms(u[inside] - wanted, wanted)
    q = body.Q.tabulate_dof_coordinates() * unit
    deep = q[:, 1] < -0.25 * UM
    wanted = exact.mean_stress(q[deep, 0], q[deep, 1])
    found["p"] = rms(body.mean_stress[deep] - wanted, wanted)
    ions = model.ions
    at = ions.V.tabulate_dof_coordinates() * ions.problem.domain.length
    wanted = potential(at[:, 0], at[:, 1])
    phi = ions.phi.x.array * ions.problem.voltage
    found["potential"] = rms(phi - wanted, wanted - wanted.mean())
    place = model.places()[:, 0]
    wanted = J0 + J1 * np.cos(K * place)
    found["current density"] = rms(model.state.density - wanted, wanted)
    wanted = exact.flat + exact.mode() * np.cos(K * place)
    found["normal stress"] = rms(model.state.stress - wanted, wanted)
    voltage = -(OFFSET + J0 * B / KAPPA)
    found["voltage"] = abs(trial.monitors["voltage"] / voltage - 1)
    return found


def rms(error, size):
    return float(np.sqrt(np.mean(error**2) / np.mean(size**2)))


def test_rates_in_space(page):
    check = page(
        "plating_mms", "Manufactured solution of a coupled step",
        problem=__doc__.split("\n\n", 1)[1],
        reference="the chosen solution; errors are root mean squares over nodes, in lithium from "
        "a quarter of its height below the interface on",
        part="space",
    )  # fmt: skip
    counts = (8, 16, 32)
    found = [errors(n) for n in counts]
    for name in found[0]:
        values = [f[name] for f in found]
        rate = -np.polyfit(np.log(counts), np.log(values), 1)[0]
        check.within(f"{name}, rate", rate, 2.0, 0.1, why="fitted over three meshes")
        check.within(f"{name}, finest mesh", values[-1], 0.0, 2e-3, scale=1.0, why="second order")
    lines = {name: (counts, [f[name] for f in found]) for name in found[0]}
    check.plot("cells along the interface", "relative error", lines, log=True)


def test_order_in_time(page):
    check = page(
        "plating_mms",
        "Manufactured solution of a coupled step",
        part="time",
        problem="The same layers with viscous lithium that relaxes in 0.1 s, plated for 0.4 s "
        "from rest in 8 to 64 steps.",
        reference="differences between successive halvings fall as dt",
    )
    exact = Exact(DT * PER_CHARGE * J0, DT * PER_CHARGE * J1)
    counts, found = (8, 16, 32, 64), []
    for n in counts:
        model = plating(6, extra_stress(exact), law=VISCOUS)
        for k in range(n):
            model.advance((k + 1) * DT / n, DT / n, Drive(current_density=J0))
            model.accept()
        body, s = model.body, model.state
        phi = model.ions.phi.x.array.copy()
        now = {"u": body.displacement.copy(), "potential": phi}
        found.append({**now, "normal stress": s.stress, "thickness": s.thickness})
    for name in found[0]:
        steps = [np.abs(a[name] - b[name]).max() for a, b in pairwise(found)]
        order = -np.polyfit(np.log(counts[:-1]), np.log(steps), 1)[0]
        check.within(f"{name}, order", order, 1.0, 0.15, why="fitted over a factor of 4")
