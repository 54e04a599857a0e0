"""Lithium that is plated onto the electrolyte it is bonded to: growth, pressure, creep and current.

Backward Euler. A step is solved in one of two ways, which give the same numbers:

- ``monolithic``: Newton's method on body, electrolyte and interface as one problem
  (`plating_step`). It does not know how stiff the coupling is, and is the default.
- ``staggered``: body and electrolyte in turn, exchanging stress and current at the vertices, with
  Anderson's acceleration. Its iterations grow with the step over the time in which pressure stops
  the current (lithium in a stiff closed flaw: seconds), and far beyond it does not converge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech.coupled.body_fields import refresh
from ssbmech.coupled.creep import at_rest, body_error, mean_pressure, plate_state, stepped
from ssbmech.coupled.interface_map import InterfaceMap
from ssbmech.coupled.plate import Plate
from ssbmech.coupled.plating_matrix import CoupledMatrix
from ssbmech.coupled.plating_step import CoupledStep, Surfaces
from ssbmech.electro.problem import ElectricProblem
from ssbmech.electro.solve import solve_system
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import CaseError, SolverError
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.lithium.monitors import small_strain
from ssbmech.lithium.problem import BodyProblem
from ssbmech.lithium.system import StepReport
from ssbmech.numerics import fixed_point
from ssbmech.numerics.stepping import Drive, Trial, local_error

Floats = NDArray[Any]
Method = Literal["monolithic", "staggered"]

#: Thickness [m] below which a change is not looked at in the local error.
_THICKNESS = 1e-10
#: What balances are held against where next to nothing passed: current [A/m^2], thickness [m].
_NO_CURRENT, _NO_VOLUME = 1e-6, 1e-15
#: Parts of the first exchange that are tried: a whole one may be more than a layer can take.
_SHARES = (1.0, 0.1, 0.01)


@dataclass(frozen=True)
class Plating:
    """What is plated.

    Attributes:
        body: With the layers that grow (``growth``) at the lithium electrodes.
        ions: With lithium electrodes that are coupled and have kinetics, and a counter electrode
            that is driven.
        lithium: Names of the lithium electrodes.
        molar_volume: V_m of lithium [m^3/mol].
        tolerance: Local error of a step, relative to the largest stress and thickness.
        method: See the module.
        plate: That presses on the body, its hold among those of the body, or None.
        agreement: Of the staggered solution: largest change of the normal stress over RT/V_m.
    """

    body: BodyProblem
    ions: ElectricProblem
    lithium: tuple[str, ...]
    molar_volume: float = LITHIUM_MOLAR_VOLUME
    tolerance: float = 1e-3
    method: Method = "monolithic"
    agreement: float = 1e-9
    plate: Plate | None = None

    def __post_init__(self) -> None:
        if not self.body.growth:
            raise CaseError("no layer of lithium grows", key="electrode", hint="Give one a flow")
        for electrode in self.ions.electrodes:
            if electrode.name not in self.lithium:
                continue
            if not electrode.coupled:
                raise CaseError("the electrode is not coupled", key=electrode.key)
            if electrode.kinetics == "none":
                raise CaseError(
                    "lithium that is plated under pressure needs kinetics: without a resistance "
                    "the current follows the pressure at once and is infinite at corners",
                    key=f"{electrode.key}.kinetics", value="none",
                    allowed="exchange_current_density or area_specific_resistance",
                )  # fmt: skip


@dataclass(frozen=True)
class Totals:
    """What has come together since the start.

    Attributes:
        charge: Passed at the counter electrode, plating positive [C; C/m in plane models].
        volume: Of the charge [m^3; m^2].
        moved_volume: Plated and stripped, without sign.
    """

    charge: float = 0.0
    volume: float = 0.0
    moved_volume: float = 0.0


@dataclass(frozen=True)
class State:
    """The interface at a moment; the body keeps its own state.

    Attributes:
        thickness: Plated at the vertices [m], (n,).
        stress: Normal stress there [Pa].
        density: Plating current density there [A/m^2].
        rate: Of the thickness in the last step [m/s], or None.
        dt: Length of the last step [s].
        voltage: Of the lithium against the counter electrode [V].
        current: Plating, of the counter electrode [A].
        totals: Since the start.
    """

    thickness: Floats
    stress: Floats
    density: Floats
    rate: Floats | None
    dt: float
    voltage: float
    current: float
    totals: Totals


class PlatingModel:
    """A ``ssbmech.numerics.stepping.Model``.

    Args:
        problem: What is plated.
    """

    def __init__(self, problem: Plating) -> None:
        self.problem = problem
        self.body = at_rest(problem.body, problem.plate)
        self.ions = ElectricSystem(problem.ions)
        self.layer = InterfaceMap(self.body)
        matrix = CoupledMatrix(self.layer, self.ions, problem.lithium)
        self.parts = Surfaces(self.layer, self.ions, problem.lithium, problem.molar_volume, matrix)
        n = len(self.layer.nodes)
        stress = self.layer.normal_stress(refresh(self.body), self.body.gradients())
        self.state = State(np.zeros(n), stress, np.zeros(n), None, 0.0, 0.0, 0.0, Totals())
        self._next: State | None = None
        self._grown = self.body.growth.parts
        self.iterations: tuple[int, ...] = ()
        self._counter = self.ions.surface(problem.ions.driven.name)

    @property
    def comm(self) -> Any:
        """Communicator."""
        return self.problem.body.domain.comm

    @property
    def time(self) -> float:
        """Of the accepted state [s]."""
        return self.body.time

    # -- reaction layers (`interphase.layered.Carrier`) ----------------------------------------

    @property
    def counter(self) -> str:
        """Name of the counter electrode."""
        return self.problem.ions.driven.name

    def set_layer(self, name: str, resistance: float) -> None:
        """Give the layer of an electrode another resistance [ohm m^2] for the next step."""
        self.ions.set_layer(name, resistance)

    def plating_density(self, name: str) -> float:
        """Mean current density of an electrode in the last trial [A/m^2], plating positive."""
        e = self.problem.ions
        number = [x.name for x in e.electrodes].index(name)
        area = self.ions.terminal(name).area
        return -self.ions.currents()[number] / area * e.current_scale

    def area(self, name: str) -> float:
        """Of an electrode over that of the counter electrode."""
        counter = self.ions.terminal(self.problem.ions.driven.name)
        return self.ions.terminal(name).area / counter.area

    # -- stepping.Model ------------------------------------------------------------------------

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``."""
        self._next = None
        self._set_drive(drive)
        try:
            thickness, stress, iterations, report = stepped(
                self.problem.plate, self.body, dt, lambda: self._attempt(time, dt)
            )
        except SolverError:
            self._back()
            raise
        state = self._state(thickness, stress, dt)
        self._next = state
        return Trial(self._monitors(state, report), self._error(state), iterations)

    def _attempt(self, time: float, dt: float) -> tuple[Floats, Floats, int, StepReport]:
        solve = self._monolithic if self.problem.method == "monolithic" else self._staggered
        thickness, stress, iterations = solve(time, dt)
        return thickness, stress, iterations, self._settle(time, dt, self.body.w.x.array.copy())

    def _set_drive(self, drive: Drive) -> None:
        # anodic at the counter electrode is plating; its potential is against the lithium
        if drive.current_density is not None:
            self.ions.drive(current_density=drive.current_density)
        else:
            assert drive.potential is not None
            self.ions.drive(potential=-drive.potential)

    def _monolithic(self, time: float, dt: float) -> tuple[Floats, Floats, int]:
        old, body = self.state, self.body
        self.parts.matrix.release()  # a factorisation of an earlier trial would leave a trace
        step = CoupledStep(self.parts, time, dt, old.thickness)
        starts = [(body.accepted, old.thickness)]
        if old.rate is not None:
            starts.append((body.accepted + dt * body.rate, old.thickness + dt * old.rate))
        solved = step.solve(starts)
        self.report = solved.report
        return solved.thickness, solved.stress, solved.report.iterations

    def _staggered(self, time: float, dt: float) -> tuple[Floats, Floats, int]:
        """Body and electrolyte in turn until the normal stress stays."""
        p, old = self.problem, self.state
        unit = p.ions.voltage * FARADAY / abs(p.ions.molar_volume or p.molar_volume)
        self._grown_now = old.thickness
        w = self.body.accepted

        def turn(stress: Floats) -> Floats:
            nonlocal w
            self.parts.stress(stress)
            solve_system(self.ions, warm=False)
            h = self._plated(dt)
            self.layer.grow(h)
            self._settle(time, dt, w)
            w = self.body.w.x.array.copy()
            self._grown_now = h
            answer = self.body.latest
            assert answer is not None
            return self.layer.normal_stress(answer, self.body.gradients())

        failure: SolverError | None = None
        for share in _SHARES:
            w = self.body.accepted
            try:
                stress, report = fixed_point.solve(
                    turn, old.stress, scale=unit, tolerance=p.agreement, first=share,
                    what="the exchange of stress and current",
                )  # fmt: skip
            except SolverError as error:
                failure = error
                continue
            return self._grown_now, stress, report.iterations
        assert failure is not None
        raise failure

    def _plated(self, dt: float) -> Floats:
        """Thickness after a step at the currents that the electrolyte has [m]."""
        grown = self.parts.gain(dt) * self.parts.currents()
        return np.asarray(self.state.thickness - grown * self.problem.body.domain.length)

    def _settle(self, time: float, dt: float, w: Floats) -> StepReport:
        """Let the body take the step from a guess of its unknowns."""
        body = self.body
        kept = body.rate
        body.rate = (w - body.accepted) / dt
        try:
            return body.advance(time, dt)
        finally:
            body.rate = kept

    def _back(self) -> None:
        self.body.growth.restore(self._grown)
        self.body.w.x.array[:] = self.body.accepted
        self.body.ksp = None

    def _state(self, thickness: Floats, stress: Floats, dt: float) -> State:
        p, e, old = self.problem, self.problem.ions, self.state
        plated = -self.parts.currents() * e.current_scale * e.area_scale
        terminal = self.ions.terminal(e.driven.name)
        flows = dict(zip((x.name for x in e.electrodes), self.ions.currents(), strict=True))
        volumes = plated * dt * p.molar_volume / FARADAY
        totals = Totals(
            old.totals.charge + flows[e.driven.name] * e.current_scale * e.area_scale * dt,
            old.totals.volume + float(volumes.sum()),
            old.totals.moved_volume + float(np.abs(volumes).sum()),
        )
        return State(
            thickness, stress, plated / self.layer.areas, (thickness - old.thickness) / dt, dt,
            -float(terminal.metal.value) * e.voltage,
            flows[e.driven.name] * e.current_scale * e.area_scale, totals,
        )  # fmt: skip

    def accept(self) -> None:
        """See ``stepping.Model``."""
        if self._next is None:
            raise SolverError("there is no step to accept")
        self.body.accept()
        self.state, self._next = self._next, None
        if self.problem.plate is not None:
            self.problem.plate.accept(self.state.dt)
        self._grown = self.body.growth.parts

    def _error(self, new: State) -> float:
        """Local error of the plated thickness and of the body."""
        old, p = self.state, self.problem
        if old.rate is None:
            return 0.0
        thickness = local_error(
            new.thickness, old.thickness, old.rate, new.dt, old.dt, tolerance=p.tolerance,
            scale=max(float(np.abs(new.thickness).max()), _THICKNESS),
        )  # fmt: skip
        return max(thickness, body_error(self.body, new.dt, old.dt, p.tolerance))

    # -- results -------------------------------------------------------------------------------

    def _monitors(self, state: State, report: StepReport) -> dict[str, float]:
        area, totals = self.counter_area, state.totals
        mean, high = mean_pressure(self.body)
        defect = abs(self.plated_volume - totals.volume)
        plate = self.problem.plate
        return {
            **({} if plate is None else {"stack_pressure": plate.pressure}),
            "voltage": state.voltage,
            "current_density": state.current / area,
            "capacity": totals.charge / area,
            "pressure_max": high,
            "pressure_mean": mean,
            "dissipation": report.dissipation,
            "mass_defect": defect / max(totals.moved_volume, _NO_VOLUME * area),
            "charge_defect": self._imbalance(state),
            **small_strain(self.body),
        }

    def _imbalance(self, state: State) -> float:
        """Sum of all currents over what flows, or over next to nothing where nothing does."""
        e = self.problem.ions
        found = np.array(self.ions.currents()) * e.current_scale * e.area_scale
        exchanged = float(np.abs(state.density) @ self.layer.areas)
        size = max(float(np.abs(found).max()), exchanged, _NO_CURRENT * self.counter_area)
        return abs(float(found.sum())) / size

    @property
    def plated_volume(self) -> float:
        """New lithium in the elements since the start [m^3; m^2 in plane models] (collective)."""
        return sum(self.body.growth.volume(group) for group in self.problem.body.growth)

    def places(self) -> Floats:
        """Coordinates of the vertices of the interface [m], shape (n, 3) (collective)."""
        domain, nodes = self.problem.body.domain, self.layer.nodes
        place = np.searchsorted(nodes, domain.node_ids)
        place[place == len(nodes)] = 0
        on = nodes[place] == domain.node_ids
        mine = np.full((len(nodes), 3), -np.inf)
        mine[place[on]] = domain.mesh.geometry.x[on] * domain.length
        total = np.empty_like(mine)
        self.comm.Allreduce(mine, total, op=MPI.MAX)
        return total

    def solve_electrolyte(self) -> None:
        """Solve the electrolyte for the accepted state, at its voltage (collective)."""
        self.ions.drive(potential=-self.state.voltage)
        self.parts.stress(self.state.stress)
        solve_system(self.ions)

    @property
    def counter_area(self) -> float:
        """Area of the counter electrode [m^2; m]."""
        return float(self._counter.area.sum()) * self.problem.ions.area_scale

    # -- checkpoints ---------------------------------------------------------------------------

    def save(self) -> dict[str, NDArray[Any]]:
        """See ``stepping.Model``."""
        arrays = self.body.save()
        if self.comm.rank == 0:
            s, t = self.state, self.state.totals
            arrays["plating:nodes"] = self.layer.nodes.copy()
            arrays["plating:vertices"] = np.vstack([s.thickness, s.stress, s.density])
            arrays["plating:rate"] = np.empty(0) if s.rate is None else s.rate.copy()
            arrays["plating:scalars"] = np.array(
                [
                    s.dt,
                    s.voltage,
                    s.current,
                    t.charge,
                    t.volume,
                    t.moved_volume,
                    *plate_state(self.problem.plate),
                ]
            )
        return arrays

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``.

        Raises:
            SolverError: On every rank, for a state of another body or interface.
        """
        names = ("plating:nodes", "plating:vertices", "plating:rate", "plating:scalars")
        given = {name: arrays.get(name) for name in names} if self.comm.rank == 0 else None
        given = self.comm.bcast(given)
        assert given is not None
        nodes = given["plating:nodes"]
        if any(value is None for value in given.values()) or not np.array_equal(
            nodes, self.layer.nodes
        ):
            raise SolverError(
                "the saved state belongs to another lithium surface", key="checkpoint",
                hint="Restart with the case and mesh that wrote it",
            )  # fmt: skip
        self.body.load(arrays)
        h, stress, density = given["plating:vertices"]
        rate = given["plating:rate"] if len(given["plating:rate"]) else None
        dt, voltage, current, *rest = (float(v) for v in given["plating:scalars"])
        totals, plate = rest[:3], self.problem.plate
        if plate is not None:
            plate.restore(*rest[3:])
        self.state = State(h, stress, density, rate, dt, voltage, current, Totals(*totals))
        self._grown, self._next = self.body.growth.parts, None
