"""A filament that moves in time: backward Euler, exact Newton, state, error estimate, monitors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError, SolverError
from ssbmech.filament import newton
from ssbmech.filament.film import Floats, initial_fill
from ssbmech.filament.problem import FilamentProblem
from ssbmech.filament.system import Demand, Derived, FilamentSystem, State
from ssbmech.fracture.porz import FARADAY
from ssbmech.numerics.stepping import Drive, Trial, local_error
from ssbmech.parallel import on_root


@dataclass(frozen=True)
class _Step:
    """A step that may become the state: unknowns, what follows, and the totals since the start."""

    state: State
    derived: Derived
    dt: float
    rate: Floats | None
    charge: float
    plated: float
    moved: float
    left: float


@dataclass(frozen=True)
class Profile:
    """The film at a moment, for results.

    Attributes:
        time: [s].
        s: Arc length [m], (n,).
        points: [m], (n, 3).
        w: Opening [m].
        m: Lithium thickness [m].
        p: Pressure [Pa].
        J: Plating current density of the faces, mean over both [A/m^2].
        phi: Potential of the electrolyte at the faces, mean over both [V].
        q: Flow out of every node towards larger s, per width [m^2/s].
    """

    time: float
    s: Floats
    points: Floats
    w: Floats
    m: Floats
    p: Floats
    J: Floats
    phi: Floats
    q: Floats


class FilamentModel:
    """A `ssbmech.numerics.stepping.Model`.

    The dense problem is solved on rank 0 and what it gives is shared, so that all ranks agree to
    the last bit on any machine.

    Args:
        problem: The filament; the same on every rank.
        comm: MPI communicator, or None for one process.
    """

    def __init__(self, problem: FilamentProblem, comm: Any = None) -> None:
        self.problem, self.comm = problem, comm
        self.system = FilamentSystem(problem)
        n, M = self.system.n, self.system.M
        start = problem.free_opening
        m = np.maximum(start, 0.0) * initial_fill(problem.network, problem.filled)
        p = np.zeros(n)
        if problem.mouth_pressure is not None:
            p[problem.reservoir] = problem.mouth_pressure
        state = self._shared(lambda: self._settled(State(p, m, np.zeros(M), 0.0)))
        self._first = float(problem.network.area @ state.m)
        derived = self.system.derive(state, state.m, 1.0)
        self._now = _Step(state, derived, 0.0, None, 0.0, 0.0, 0.0, 0.0)
        self._next: _Step | None = None
        #: Residuals of Newton's method in the last step.
        self.history: tuple[float, ...] = ()
        self.time = 0.0
        self._time = 0.0

    def _settled(self, state: State) -> State:
        """The pressure that belongs to the first thickness, before anything flows or plates.

        Loads that close the faces and a reservoir's pressure act at once; what they do is no part
        of the history. Without current the potential is that of the lithium: 0.
        """
        problem = self.problem
        if not len(problem.reservoir) and not np.any(problem.elastic.opening):
            return state
        still = FilamentSystem(replace(problem, slit=None))
        demand = Demand(1e-12, None, 0.0)
        found, _ = _solve(still, still.pack(state), state.m, demand)
        found_state = still.unpack(found)
        zero = np.zeros_like(found_state.eta)
        return State(found_state.p, found_state.m, zero, 0.0)

    # -- reaction layers (`interphase.layered.Carrier`) ----------------------------------------

    #: The counter electrode is condensed with the electrolyte: it has no layer and no name here.
    counter = ""

    def set_layer(self, name: str, resistance: float) -> None:
        """Give the layer of an electrode another resistance [ohm m^2] for the next step."""
        e = self.problem.electric
        surfaces = tuple(replace(s, layer=resistance) if s.name == name else s for s in e.surfaces)
        self.problem = replace(self.problem, electric=replace(e, surfaces=surfaces))
        self.system = FilamentSystem(self.problem)

    def plating_density(self, name: str) -> float:
        """Mean current density of an electrode in the last trial [A/m^2], plating positive."""
        assert self._next is not None
        e, mine = self.problem.electric, self._nodes_of(name)
        return float(e.area[mine] @ self._next.derived.plating[mine]) / float(e.area[mine].sum())

    def area(self, name: str) -> float:
        """Of an electrode over that of the counter electrode."""
        e = self.problem.electric
        return float(e.area[self._nodes_of(name)].sum()) / e.counter_area

    def _nodes_of(self, name: str) -> NDArray[np.bool_]:
        """Plating nodes of an electrode: its faces of the film and its flat surface."""
        e = self.problem.electric
        return np.isin(e.surface, [k for k, s in enumerate(e.surfaces) if s.name == name])

    # -- stepping ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The accepted state."""
        return self._now.state

    @property
    def derived(self) -> Derived:
        """What follows from the accepted state."""
        return self._now.derived

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See `stepping.Model`."""
        step, self.history = self._shared(lambda: self._advance(dt, drive))
        self._next, self._time = step, time
        return Trial(self.monitors(step), self._error(step), len(self.history) - 1)

    def accept(self) -> None:
        """See `stepping.Model`."""
        assert self._next is not None
        self._now, self._next, self.time = self._next, None, self._time

    def _shared(self, work: Any) -> Any:
        return work() if self.comm is None or self.comm.size == 1 else on_root(self.comm, work)

    def _advance(self, dt: float, drive: Drive) -> tuple[_Step, tuple[float, ...]]:
        system, now = self.system, self._now
        area = self.problem.electric.counter_area
        current = None if drive.current_density is None else drive.current_density * area
        demand = Demand(dt, current, drive.potential)
        old = now.state.m
        found: Floats | None = None
        failure: SolverError | None = None
        for start in self._starts(dt, demand):
            try:
                found, report = _solve(system, start, old, demand)
            except SolverError as error:
                failure = error
                continue
            break
        if found is None:
            assert failure is not None
            found, report = self._along_laws(dt, demand, failure)
        state = system.unpack(found)
        derived = system.derive(state, old, dt)
        rate: Floats = np.asarray((found - system.pack(now.state)) / dt, dtype=np.float64)
        source = derived.source
        return (
            _Step(
                state, derived, dt, rate,
                now.charge + dt * derived.total,
                now.plated + dt * float(source.sum()),
                now.moved + dt * float(np.abs(source).sum() + np.abs(derived.outflow).sum()),
                now.left + dt * float(derived.outflow.sum()),
            ),
            report.history,
        )  # fmt: skip

    def _along_laws(
        self, dt: float, demand: Demand, failure: SolverError
    ) -> tuple[Floats, newton.DenseReport]:
        """The step by a family of flow laws, from a viscous one to that of the metal.

        Raises:
            SolverError: ``failure`` where lithium does not flow, or that of the family.
        """
        problem, now = self.problem, self._now
        law = problem.slit
        if law is None or law.n < 1.5:
            raise failure
        network, old = problem.network, now.state.m
        half = 0.5 * max(float(old.max()), problem.thickness)
        density = self.system.scales(demand)[1]
        flux = problem.molar_volume / FARADAY * density * float(np.ptp(network.s))
        stress = law.stress(max(flux, 1e-30), half)
        x = self._fresh(self.system.pack(now.state), demand)
        exponents = np.geomspace(1.0, law.n, 5)
        for exponent in exponents:
            mine = law if exponent == exponents[-1] else law.softened(float(exponent), stress)
            system = FilamentSystem(replace(problem, slit=mine))
            x, report = _solve(system, x, old, demand)
        return x, report

    def _starts(self, dt: float, demand: Demand) -> list[Floats]:
        """First guesses, the best first: the last rates go on, or the currents are new."""
        system, now = self.system, self._now
        x = system.pack(now.state)
        fresh = self._fresh(x.copy(), demand)
        starts = [x, fresh]
        if now.rate is not None:
            starts.insert(0, x + dt * now.rate)
        sizes = []
        for start in starts:
            with np.errstate(over="ignore", invalid="ignore"):
                r = system.residual(start, now.state.m, demand)
                value = float(r @ r)
            sizes.append(value if np.isfinite(value) else np.inf)
        return [starts[k] for k in np.argsort(sizes, kind="stable") if np.isfinite(sizes[k])]

    def _fresh(self, x: Floats, demand: Demand) -> Floats:
        """Overpotentials of a mean current, or of a potential without ohmic drop.

        A start whose exponentials are near: Newton walks down one by RT/F per step.
        """
        system, e = self.system, self.problem.electric
        n, M, U = system.n, system.M, system.U
        fill = np.maximum(system._on_nodes(self._now.derived.fill), 1e-3)
        pressure = np.zeros(M)
        pressure[system.on_film] = self._now.state.p[system.node]
        push = (system.shift * pressure + e.shift) / U
        eta = np.empty(M)
        if demand.current is None:
            assert demand.potential is not None
            eta[:] = np.clip(demand.potential / U + push, -20, 20)
            phi = demand.potential / U
        else:
            mean = demand.current / float(e.area @ fill)
            for k, surface in enumerate(e.surfaces):
                mine = e.surface == k
                eta[mine] = surface.eta(np.full(mine.sum(), -mean), U)
            drop = e.resistance @ (mean * fill) / U
            phi = float(np.average(eta - drop - push, weights=e.area * fill))
        x[2 * n : 2 * n + M], x[-1] = eta, phi
        return x

    def _error(self, step: _Step) -> float:
        """Local error of the thickness everywhere, of K and of the mean pressure.

        The pressure at a single node is not judged: it has a kink whenever a node beside it fills.
        """
        now, problem = self._now, self.problem
        if now.rate is None:
            return 0.0
        n, P, W = self.system.n, self.system.P, self.system.W
        area = problem.network.area / problem.network.area.sum()
        K = problem.elastic.K["K_I"]

        def judged(p: Floats, m: Floats) -> Floats:
            return np.concatenate([m, K @ p, [area @ p]])

        old, new = judged(now.state.p, now.state.m), judged(step.state.p, step.state.m)
        rate = judged(now.rate[:n] * P, now.rate[n : 2 * n] * W)
        least = 0.01 * (problem.toughness or P * float(K.sum(axis=1).max(initial=0.0)) or 1.0)
        size = np.concatenate([
            np.full(n, max(float(step.state.m.max()), problem.thickness)),
            np.maximum(np.abs(new[n:-1]), least),
            [max(abs(float(new[-1])), 0.01 * P)],
        ])  # fmt: skip
        return local_error(new, old, rate, step.dt, now.dt, tolerance=problem.tolerance, scale=size)

    # -- results -------------------------------------------------------------------------------

    def monitors(self, step: _Step | None = None) -> dict[str, float]:
        """Quantities at the accepted state, or at a step, SI."""
        step = step or self._now
        problem, state, d = self.problem, step.state, step.derived
        e, area = problem.electric, problem.network.area
        film = float(e.area[self.system.on_film] @ d.plating[self.system.on_film])
        filled = area * d.fill
        K_I = problem.elastic.intensity("K_I", state.p)
        stored = float(area @ state.m) - self._first
        found = {
            "voltage": state.phi,
            "current_density": d.total / e.counter_area,
            "capacity": step.charge / e.counter_area,
            "pressure_max": float(state.p.max()),
            "pressure_mean": float(area @ state.p / area.sum()),
            "K_I": float(K_I.max()),
            "fill": float(filled.sum() / area.sum()),
            "mass_defect": abs(step.plated - step.left - stored) / max(step.moved, 1e-300),
            "expelled": step.left / step.plated if step.plated else 0.0,
        }
        if abs(d.total) > 1e-9 * float(np.abs(e.area * d.plating).sum()):
            found["current_share"] = film / d.total  # at rest currents to and fro have no share
        if problem.toughness is not None:
            found["K_ratio"] = found["K_I"] / problem.toughness
        return found

    @property
    def volumes(self) -> tuple[float, float, float, float]:
        """Since the start [m^3, or m^2]: plated, left by the mouth, stored, and all that moved."""
        now = self._now
        stored = float(self.problem.network.area @ now.state.m) - self._first
        return now.plated, now.left, stored, max(now.moved, 1e-300)

    def profile(self) -> Profile:
        """The film at the accepted state."""
        network, e = self.problem.network, self.problem.electric
        system, state, d = self.system, self.state, self.derived
        phi = -(e.resistance @ d.plating)
        on, node = system.on_film, system.node
        weight = np.zeros(system.n)
        np.add.at(weight, node, e.area[on])
        mean = []
        for values in (d.plating, phi):
            total = np.zeros(system.n)
            np.add.at(total, node, (e.area * values)[on])
            mean.append(total / np.where(weight > 0, weight, 1.0))
        return Profile(
            self.time, network.s, network.points, d.w, state.m, state.p, mean[0], mean[1],
            network.flux_along(d.flow.rate),
        )  # fmt: skip

    # -- checkpoints ---------------------------------------------------------------------------

    def save(self) -> dict[str, NDArray[Any]]:
        """See `stepping.Model`; the nodes of the film are in an order that no rank changes."""
        if self.comm is not None and self.comm.rank > 0:
            return {}
        now = self._now
        arrays: dict[str, NDArray[Any]] = {
            "pressure": now.state.p,
            "thickness": now.state.m,
            "eta": now.state.eta,
            "scalars": np.array(
                [self.time, now.dt, now.state.phi, now.charge, now.plated, now.moved, now.left,
                 self._first, now.derived.total]
            ),
            "outflow": now.derived.outflow,
        }  # fmt: skip
        if now.rate is not None:
            arrays["rate"] = now.rate
        return {name: np.array(values) for name, values in arrays.items()}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """See `stepping.Model`.

        Raises:
            CaseError: On every rank, for a state of another film.
        """

        def check() -> dict[str, NDArray[Any]]:
            wanted = {"pressure": self.system.n, "thickness": self.system.n, "eta": self.system.M}
            for name, size in wanted.items():
                if name not in arrays or arrays[name].shape != (size,):
                    raise CaseError(
                        "the saved state belongs to another film: its "
                        f"{name} has the shape {arrays[name].shape if name in arrays else None}, "
                        f"and this film needs ({size},)",
                        key="checkpoint", hint="Restart with the case and mesh that wrote it",
                    )  # fmt: skip
            return arrays

        given = self._shared(check)
        time, dt, phi, charge, plated, moved, left, first, _ = map(float, given["scalars"])
        state = State(given["pressure"], given["thickness"], given["eta"], phi)
        rate = given.get("rate")
        # the step that led here: its rate of thickness gives the outflow back
        old = state.m
        if rate is not None:
            n = self.system.n
            old = state.m - dt * rate[n : 2 * n] * self.system.W
        derived = self.system.derive(state, old, dt or 1.0)
        self._now = _Step(state, derived, dt, rate, charge, plated, moved, left)
        self._first, self.time, self._next = first, time, None


def _solve(
    system: FilamentSystem, start: Floats, old: Floats, demand: Demand
) -> tuple[Floats, newton.DenseReport]:
    """One step from the thickness ``old``."""
    return newton.solve(
        lambda x: system.linearise(x, old, demand), lambda x: system.residual(x, old, demand), start
    )
