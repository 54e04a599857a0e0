"""Residual and exact Jacobian of one implicit step of a filament, non-dimensional.

Unknowns x = [p/P, m/W, eta, phi_m/(RT/F)] with P = RT/V_m and W the opening under P. The
complementarity of pressure and gap is the zero of the Fischer-Burmeister function

    a + b - sqrt(a^2 + b^2) = 0   <=>   a >= 0, b >= 0, a b = 0,

which is semismooth: Newton's method converges quadratically through filling, cavitation and
contact without being told which node is in which state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ssbmech.filament.film import Floats, Flow, flow
from ssbmech.filament.problem import FilamentProblem
from ssbmech.fracture.porz import FARADAY

#: Thickness over `FilamentProblem.opening_scale` below which a film without gap counts as empty.
EMPTY = 1e-12


@dataclass(frozen=True)
class State:
    """Unknowns of a filament, SI.

    Attributes:
        p: Pressure [Pa], (n,).
        m: Lithium thickness [m], (n,).
        eta: Driving potential over RT/F of the plating nodes, (M,).
        phi: Potential of the metal [V].
    """

    p: Floats
    m: Floats
    eta: Floats
    phi: float


@dataclass(frozen=True)
class Derived:
    """What follows from a state.

    Attributes:
        w: Opening [m], (n,).
        fill: Share of the opening with lithium, (n,).
        plating: Current density J of the plating nodes, plating positive [A/m^2], (M,).
        flow: Along the film.
        source: Lithium that plating brings to the nodes [m^3/s, or m^2/s], (n,).
        outflow: Lithium that leaves by the mouth, at its nodes [m^3/s, or m^2/s], (m,).
        total: Plating current [A, or A/m].
    """

    w: Floats
    fill: Floats
    plating: Floats
    flow: Flow
    source: Floats
    outflow: Floats
    total: float


@dataclass(frozen=True)
class Demand:
    """What a step is asked for: the length of the step and the drive.

    Attributes:
        dt: Length of the step [s].
        current: Total plating current [A, or A/m], or None.
        potential: Of the metal [V], or None.
    """

    dt: float
    current: float | None
    potential: float | None


class FilamentSystem:
    """The equations of a step from a lithium thickness ``old`` (see `problem`)."""

    def __init__(self, problem: FilamentProblem) -> None:
        self.problem = p = problem
        e = p.electric
        self.P, self.W, self.U = p.pressure_scale, p.opening_scale, e.voltage
        self.n, self.M = len(p.network), len(e.area)
        self.on_film = np.flatnonzero(e.film >= 0)
        self.node = e.film[self.on_film]
        #: Lithium per current: thickness rate of a node per current density of a plating node.
        self.gain = p.molar_volume / FARADAY * p.sides * e.area[self.on_film]
        self.shift = p.stress_volume / FARADAY  # [V/Pa]
        held = np.zeros(self.n, bool)
        held[p.reservoir] = True
        self.held = held

    # -- packing -------------------------------------------------------------------------------

    def pack(self, state: State) -> Floats:
        """State to scaled unknowns."""
        return np.concatenate([state.p / self.P, state.m / self.W, state.eta, [state.phi / self.U]])

    def unpack(self, x: Floats) -> State:
        """Scaled unknowns to a state."""
        n, M = self.n, self.M
        return State(x[:n] * self.P, x[n : 2 * n] * self.W, x[2 * n : 2 * n + M].copy(),
                     float(x[-1] * self.U))  # fmt: skip

    # -- fill ----------------------------------------------------------------------------------

    def _fill(self, m: Floats, gap: Floats) -> tuple[Floats, Floats, Floats]:
        """Fill m/(m + gap) and its derivatives by m (gap fixed) and by the gap."""
        # on the way to a solution a gap may be negative: no kink where it is zero in the end
        lithium = np.maximum(m, 0.0)
        empty = np.maximum(gap, -0.5 * lithium)
        whole = lithium + empty + EMPTY * self.W
        free = gap > -0.5 * lithium
        by_m = (whole - np.where(free, 1.0, 0.5) * lithium) / whole**2
        by_m = np.where(m >= 0, by_m, 0.0)
        by_gap = np.where(free, -lithium / whole**2, 0.0)
        return lithium / whole, by_m, by_gap

    # -- evaluation ----------------------------------------------------------------------------

    def derive(self, state: State, old: Floats, dt: float) -> Derived:
        """Everything that a state implies at the end of a step from the thickness ``old``."""
        p, e = self.problem, self.problem.electric
        w = p.opening(state.p)
        fill = self._fill(state.m, w - state.m)[0]
        rate, _ = e.rates(state.eta)
        plating = -rate * self._on_nodes(fill)
        moved = flow(p.network, p.slit, state.p, w, fill)
        source = self._source(plating)
        growth = p.network.area * (state.m - old) / dt
        held = p.reservoir
        outflow = (source - growth - moved.divergence)[held]
        return Derived(w, fill, plating, moved, source, outflow, float(e.area @ plating))

    def _on_nodes(self, fill: Floats) -> Floats:
        share = np.ones(self.M)
        share[self.on_film] = fill[self.node]
        return share

    def _source(self, plating: Floats) -> Floats:
        out = np.zeros(self.n)
        np.add.at(out, self.node, self.gain * plating[self.on_film])
        return out

    def residual(self, x: Floats, old: Floats, demand: Demand) -> Floats:
        """Scaled residual, (2 n + M + 1,)."""
        return self._evaluate(x, old, demand, jacobian=False)[0]

    def linearise(self, x: Floats, old: Floats, demand: Demand) -> tuple[Floats, Floats]:
        """Scaled residual and its Jacobian."""
        residual, jacobian = self._evaluate(x, old, demand, jacobian=True)
        assert jacobian is not None
        return residual, jacobian

    def _evaluate(
        self, x: Floats, old: Floats, demand: Demand, jacobian: bool
    ) -> tuple[Floats, Floats | None]:
        p, e, n, M = self.problem, self.problem.electric, self.n, self.M
        P, W, U = self.P, self.W, self.U
        state = self.unpack(x)
        C = p.elastic.compliance
        w = p.opening(state.p)
        gap = w - state.m
        fill, fill_m, fill_gap = self._fill(state.m, gap)
        rate, slope = e.rates(state.eta)
        share = self._on_nodes(fill)
        plating = -rate * share
        moved = flow(p.network, p.slit, state.p, w, fill)
        area = p.network.area
        # over a long step the balance is one of rates: what plating brings would fill W many times
        long = 1.0 / (1.0 + demand.dt * self.scales(demand)[2])
        per = long * demand.dt / (area * W)

        a, b = x[:n], gap / W
        root = np.hypot(a, b)
        out = np.empty(2 * n + M + 1)
        out[:n] = a + b - root
        out[n : 2 * n] = long * (state.m - old) / W + per * (
            moved.divergence - self._source(plating)
        )
        pressure = np.zeros(M)
        pressure[self.on_film] = state.p[self.node]
        out[2 * n : -1] = state.eta - (
            (state.phi + e.resistance @ plating + self.shift * pressure + e.shift) / U
        )
        scale = self.scales(demand)[0]
        if demand.current is not None:
            out[-1] = (e.area @ plating - demand.current) / scale
        else:
            assert demand.potential is not None
            out[-1] = (state.phi - demand.potential) / U
        held = self.held
        if held.any():  # the reservoir gives the pressure there, and what lithium the gap takes
            assert p.mouth_pressure is not None
            out[:n][held] = (state.p[held] - p.mouth_pressure) / P
            out[n : 2 * n][held] = (state.m - np.maximum(w, 0.0))[held] / W
        if not jacobian:
            return out, None

        # derivatives by p (at given m) and by m of fill and gap
        fill_p = fill_gap[:, None] * C
        fill_by_m = fill_m - fill_gap
        J = np.zeros((len(out), len(out)))
        of_p, of_m, of_eta = slice(0, n), slice(n, 2 * n), slice(2 * n, 2 * n + M)
        safe = np.where(root > 0, root, 1.0)
        da = np.where(root > 0, 1 - a / safe, 1 - np.sqrt(0.5))
        db = np.where(root > 0, 1 - b / safe, 1 - np.sqrt(0.5))
        J[of_p, of_p] = np.diag(da) + db[:, None] * C * (P / W)
        J[of_p, of_m] = -np.diag(db)

        on, node = self.on_film, self.node
        # plating = - rate(eta) f: by eta, p and m
        by_eta = -slope * share
        by_p = np.zeros((M, n))
        by_p[on] = -rate[on, None] * fill_p[node]
        by_m = np.zeros((M, n))
        by_m[on, node] = -rate[on] * fill_by_m[node]
        gather = np.zeros((n, M))
        gather[node, on] = self.gain
        by_opening = moved.by_opening @ C
        J[of_m, of_p] = (
            per[:, None]
            * (moved.by_pressure + by_opening + moved.by_fill @ fill_p - gather @ by_p)
            * P
        )
        J[of_m, of_m] = (
            long * np.eye(n) + per[:, None] * (moved.by_fill * fill_by_m - gather @ by_m) * W
        )
        J[of_m, of_eta] = -per[:, None] * gather * by_eta
        to_film = np.zeros((M, n))
        to_film[on, node] = self.shift
        J[of_eta, of_p] = -(e.resistance @ by_p + to_film) * (P / U)
        J[of_eta, of_m] = -(e.resistance @ by_m) * (W / U)
        J[of_eta, of_eta] = np.eye(M) - e.resistance * by_eta / U
        J[of_eta, -1] = -1.0
        if demand.current is not None:
            J[-1, of_p] = (e.area @ by_p) * P / scale
            J[-1, of_m] = (e.area @ by_m) * W / scale
            J[-1, of_eta] = e.area * by_eta / scale
        else:
            J[-1, -1] = 1.0
        if held.any():
            rows = np.flatnonzero(held)
            J[rows] = 0.0
            J[rows, rows] = 1.0
            J[n + rows] = 0.0
            J[n + rows, n + rows] = 1.0
            J[n + rows, :n] = -C[rows] * (P / W) * (w[rows] > 0)[:, None]
        return out, J

    def scales(self, demand: Demand) -> tuple[float, float, float]:
        """Scales: the current [A, A/m], its density [A/m^2], and how fast it fills the film [1/s].

        The current is that of the drive, or what RT/F drives through the kinetics if that is more.
        """
        e = self.problem.electric
        linear = sum(
            float(e.area[e.surface == k].sum()) * s.conductance(self.U)
            for k, s in enumerate(e.surfaces)
        )
        current = max(abs(demand.current or 0.0), linear)
        density = current / float(e.area.sum())
        filling = self.problem.molar_volume / FARADAY * self.problem.sides * density / self.W
        return current, density, filling
