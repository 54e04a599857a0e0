r"""Lithium that touches an electrolyte under stack pressure, with current: a model in time.

Two bodies that share a flat interface: lithium, which is elastic and flows, against the surface of
the electrolyte, which is rigid for it (its modulus is 20 times that of lithium); and ions in the
electrolyte, whose current leaves through what touches. They exchange values at the vertices of the
interface: pressure p and activity a one way, rates the other (`strip_law` has the law of a step).

Thickness that was plated or stripped, h, is an offset of the contact law and not in the mesh:

    gap g = d - h >= 0,  p >= 0,  p g = 0,  dh/dt = a V_m i/F,

d the distance of the lithium's mesh from the plane. Nothing is meshed anew, and the volume is
conserved exactly. The price: stripped lithium stays in the mesh, beyond the plane, so that its
stiffness and flow are those of a layer that is gone. That is right as long as h is small against
the lengths over which the lithium deforms; beyond `OFFSET_LIMIT` of the lithium's thickness the
model refuses to go on.

Frame. Uniform plating moves lithium without deforming it. So displacements are counted in a frame
that moves with the mean plated thickness h_m: the offset of contact is h - h_m, and the true
displacement is u - h_m along the normal of the interface into the electrolyte. A flat interface
that strips evenly is then at rest.

Each step solves w = G(w) for the thickness w that full contact would plate at each vertex, by
Anderson's acceleration; a plate or a spring adds its displacement as one more unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled import strip_law
from ssbmech.coupled.exchange import Axis, Chain, Nodes, lumped
from ssbmech.coupled.ions import Ions
from ssbmech.coupled.latch import Latch
from ssbmech.errors import CaseError, SolverError
from ssbmech.formula import Formula
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.lithium.obstacle import Plane
from ssbmech.lithium.problem import BodyProblem, Hold, Load
from ssbmech.lithium.stack import Stack
from ssbmech.lithium.system import BodySystem
from ssbmech.numerics import fixed_point
from ssbmech.numerics.stepping import Drive, Trial, local_error
from ssbmech.problem import SurfaceLoad

Floats = NDArray[np.float64]

#: Of the fixed point, relative to the thickness that the mean current plates in the step.
TOLERANCE = 1e-7
#: Current density [A/m^2] that takes the place of the mean where none flows.
LEAST = 0.1
#: Plated or stripped thickness over that of the lithium.
OFFSET_LIMIT = 0.5
_LATCHINGS = 40
_ITERATIONS = 60


@dataclass(frozen=True)
class StrippingProblem:
    """What moves; SI.

    Attributes:
        body: The lithium (and what is behind it), without contact and stack.
        line: Its surface at the interface.
        axis: The interface.
        groups: Facet groups of ``line`` that plate and strip; others are blocked.
        plane: Of the interface, as the obstacle of contact.
        penalty: Of contact [Pa/m].
        stack: What presses.
        normal: Component along which the stack presses, and the sign of its outward normal.
        thickness: Of the lithium along the normal [m].
        ions: The electrolyte, see `Ions`.
        molar_volume: V_m of lithium, by which current becomes thickness [m^3/mol].
        penetration: Largest one of contact [m].
        tolerance: Local error of a step, relative to ``length``.
        length: Size of what happens at the interface [m]: the depth of voids, else an edge.
        fixed_point: Tolerance of the staggered solution.
    """

    body: BodyProblem
    line: Chain
    axis: Axis
    groups: tuple[str, ...]
    plane: Plane
    penalty: float
    stack: Stack
    normal: tuple[int, float]
    thickness: float
    ions: Any
    molar_volume: float = LITHIUM_MOLAR_VOLUME
    penetration: float = 1e-13
    tolerance: float = 1e-3
    length: float = 1e-6
    fixed_point: float = TOLERANCE


@dataclass(frozen=True)
class Surface:
    """The interface in one state, at the nodes of the line, on every rank.

    Attributes:
        place: Along the interface [m].
        area: That belongs to each node and can plate [m^2; m].
        thickness: h, plated since the start, negative: stripped [m].
        gap: g [m].
        pressure: p [Pa].
        activity: a.
        rate: Current density at full contact, plating positive [A/m^2].
    """

    place: Floats
    area: Floats
    thickness: Floats
    gap: Floats
    pressure: Floats
    activity: Floats
    rate: Floats

    @property
    def current_density(self) -> Floats:
        """Plating positive [A/m^2]."""
        return self.activity * self.rate

    @property
    def contact(self) -> float:
        """Share of the area that carries current."""
        return float(self.activity @ self.area / self.area.sum())


@dataclass(frozen=True)
class _State:
    """What is carried from step to step beside the body and the multipliers of contact.

    Attributes:
        surface: The interface.
        frame: Mean plated thickness h_m by which the frame has moved [m].
        push: Outward displacement of the stack in the frame [m].
        time: [s].
        charge: Plated per area of the counter electrode [C/m^2].
        volumes: Plated volume as current and as thickness [m^3; m^2].
        dissipated: Energy [J; J/m].
        velocity: In the last step, see `_Step._velocity` [m/s], shape (n, 3).
        dt: Its length [s], 0 before the first.
    """

    surface: Surface
    frame: float = 0.0
    push: float = 0.0
    time: float = 0.0
    charge: float = 0.0
    volumes: tuple[float, float] = (0.0, 0.0)
    dissipated: float = 0.0
    velocity: Floats = field(default_factory=lambda: np.zeros(0))
    dt: float = 0.0


@dataclass(frozen=True)
class _Mechanics:
    """Answer of the lithium to a thickness."""

    distance: Floats
    pressure: Floats
    place: Floats
    pressed: NDArray[np.bool_]
    penetration: float
    reaction: float
    iterations: int
    dissipation: float


class StrippingModel:
    """A ``stepping.Model``.

    Args:
        problem: What moves.
    """

    def __init__(self, problem: StrippingProblem) -> None:
        self.problem, self.comm = problem, problem.body.domain.comm
        self._push = 0.0
        laws = {
            g: Latch(
                problem.plane, problem.penalty, g, first=problem.stack.pressure,
                slack=problem.penetration,
            )
            for g in dict.fromkeys(problem.line.groups)
        }  # fmt: skip
        self.contacts = laws
        self.body = BodySystem(_with_stack(problem, tuple(laws.values()), self._pushed))
        self.nodes = Nodes(
            problem.line, {g: law.surface.coordinates for g, law in laws.items()}, self.comm
        )
        self._plating = problem.line.of(problem.groups)
        self.plates = problem.axis.areas(self._along(), self._plating) > 0
        self._on_axis = (
            problem.axis.turns and problem.line.nodes[0, 0] < 1e-6 * problem.line.shortest
        )
        self.stack_nodes = self.body.surface(problem.stack.group)
        self.stack_area = self.body.everywhere(float(self.stack_nodes.areas.sum()))
        self.ions: Ions = problem.ions
        self.state = _State(self._initial())
        self._rate = self.body.rate
        self._next: _State | None = None

    def _pushed(self, time: float) -> float:
        """Displacement of the stack's surface along the component, for the prescribed value."""
        return self._push

    def _along(self) -> Floats:
        return self.problem.axis.along(self.problem.line.nodes)

    def _initial(self) -> Surface:
        p = self.problem
        place = self._along()
        gap = np.maximum(p.plane.look(p.line.nodes).distance, 0.0)
        zero, area = np.zeros(len(place)), p.axis.areas(place, self._plating)
        pressure = np.where(gap > p.penetration, 0.0, p.stack.pressure)
        return Surface(place, area, zero, gap, pressure, strip_law.touching(gap), zero)

    # -- stepping.Model ------------------------------------------------------------------------

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``."""
        self._next = None
        for name, law in self.contacts.items():
            law.restart()
            law.areas = self._areas_of(name)
        self.body.rate = self._rate
        step = _Step(self, time, dt, drive)
        made, trial = step.solve()
        self._next = made
        return trial

    def accept(self) -> None:
        """See ``stepping.Model``."""
        assert self._next is not None, "there is no step to accept"
        for name, law in self.contacts.items():
            law.accept(self.displacement(name))
        self.body.accept()
        self._rate = self.body.rate
        self.state, self._next = self._next, None

    def save(self) -> dict[str, NDArray[Any]]:
        """See ``stepping.Model``."""
        arrays: dict[str, NDArray[Any]] = dict(self.body.save())
        held = {
            name: np.column_stack(
                [self.nodes.total({name: v}) for v in (law.multiplier, law.kept.astype(float))]
            )
            for name, law in self.contacts.items()
        }
        if self.comm.rank == 0:
            s, f = self.state, self.state.surface
            arrays |= {f"strip/held/{name}": table for name, table in held.items()}
            arrays["strip/surface"] = np.column_stack(
                [f.place, f.area, f.thickness, f.gap, f.pressure, f.activity, f.rate]
            )
            arrays["strip/velocity"] = s.velocity.reshape(-1, 3)
            arrays["strip/numbers"] = np.array(
                [s.frame, s.push, s.time, s.charge, *s.volumes, s.dissipated, s.dt]
            )
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``."""
        from ssbmech.parallel import on_root

        held = [f"strip/held/{name}" for name in self.contacts]
        names = ("strip/surface", "strip/velocity", "strip/numbers", *held)
        n = len(self.problem.line.nodes)

        def own() -> list[NDArray[Any]]:
            if any(name not in arrays for name in names) or len(arrays[names[0]]) != n:
                raise SolverError(
                    "the state is not that of this interface", key="checkpoint",
                    hint="It was written for another case or by another version",
                )  # fmt: skip
            return [np.asarray(arrays[name]) for name in names]

        table, velocity, numbers, *tables = on_root(self.comm, own)
        self.body.load(dict(arrays))
        self._rate = self.body.rate
        for (name, law), rows in zip(self.contacts.items(), tables, strict=True):
            mine = rows[self.nodes.index[name]]
            law.resume(mine[:, 0].copy(), mine[:, 1] > 0.5)
        frame, push, time, charge, current, thick, lost, dt = (float(v) for v in numbers)
        self.state = _State(
            Surface(*np.ascontiguousarray(table.T)), frame, push, time, charge, (current, thick),
            lost, velocity if len(velocity) else np.zeros(0), dt,
        )  # fmt: skip
        self._next = None

    def _areas_of(self, group: str) -> Floats:
        """Area of the plane that belongs to this rank's nodes of a group, at the last state."""
        p = self.problem
        every = p.axis.areas(self.state.surface.place, p.line.of([group]))
        return every[self.nodes.index[group]]

    # -- the lithium ---------------------------------------------------------------------------

    def displacement(self, group: str) -> Floats:
        """In the frame, at this rank's nodes of a group of the interface [m], shape (n, 2)."""
        return self.body.displacement[self.contacts[group].surface.nodes]

    def press(
        self, time: float, dt: float, offset: Floats, compliance: Floats, push: float
    ) -> _Mechanics:
        """Solve the lithium for an offset of contact in the frame [m] and its compliance [m/Pa]."""
        self._push = push * self.problem.normal[1]
        for name, law in self.contacts.items():
            here = self.nodes.index[name]
            law.offset, law.compliance = offset[here], compliance[here]
        iterations = 0
        for _ in range(_LATCHINGS):
            report = self.body.advance(time, dt)
            iterations += report.newton.iterations
            # the next solve of this step starts where this one ended
            self.body.rate = (self.body.w.x.array - self.body.accepted) / dt
            changed = sum(law.update(self.displacement(g)) for g, law in self.contacts.items())
            if not self.comm.allreduce(changed):
                break
        else:
            raise SolverError(
                f"the nodes in contact did not settle in {_LATCHINGS} solves",
                key="contact", hint="Take a shorter step",
            )  # fmt: skip
        mine = [law.penetration(self.displacement(g)) for g, law in self.contacts.items()]
        worst = self.comm.allreduce(max(mine), op=_max())
        return self._answer(worst, iterations, report.dissipation)

    def _answer(self, penetration: float, iterations: int, dissipation: float) -> _Mechanics:
        p = self.problem
        u = {g: self.displacement(g) for g in self.contacts}
        moved = p.line.nodes + self.nodes.common(u)
        pressure = self.nodes.common({g: law.pressure(u[g]) for g, law in self.contacts.items()})
        closed = self.nodes.total({g: law.active.astype(float) for g, law in self.contacts.items()})
        if self._on_axis:  # no area and no pressure of its own
            pressure[0], closed[0] = pressure[1], closed[1]
        return _Mechanics(
            p.plane.look(moved).distance, pressure, p.axis.along(moved), closed > 0, penetration,
            self._reaction(), iterations, dissipation,
        )  # fmt: skip

    def _reaction(self) -> float:
        """Outward force of a plate on the body; 0 for a dead load."""
        component, sign = self.problem.normal
        if not self.problem.stack.has_plate:
            return 0.0
        rows = self.body.where.reshape(-1, self.body.problem.dim)[self.stack_nodes.nodes, component]
        total = self.body.everywhere(float(self.body.trial_forces[rows].sum()))
        return sign * total * self.body.problem.force_unit

    # -- results -------------------------------------------------------------------------------

    @property
    def stack_pressure(self) -> float:
        """Of the accepted state [Pa]."""
        return self.problem.stack.pressure_at(self.state.push + self.state.frame)


class _Step:
    """One step: the map of the fixed point, and what it ends with."""

    def __init__(self, model: StrippingModel, time: float, dt: float, drive: Drive) -> None:
        self.model, self.time, self.dt, self.drive = model, time, dt, drive
        p = model.problem
        self.old = model.state
        self.start = strip_law.touching(self.old.surface.gap)
        self.per_current = p.molar_volume / FARADAY * dt
        self.has_plate = p.stack.has_plate
        modulus = p.body.modulus
        self.push_scale = max(p.stack.pressure, 1e4) * p.thickness / modulus
        self.slope = modulus / p.thickness + p.stack.stiffness
        self.iterations = 0
        self.counter = 0.0

    def solve(self) -> tuple[_State, Trial]:
        """Fixed point, the new state and its monitors."""
        model, p, old = self.model, self.model.problem, self.old.surface
        self.ions = model.ions
        self.ions.drive(self.drive)
        first, slope = self._electric(old.place, old.activity, old.pressure, cold=True)
        self.compliance = np.maximum(self.per_current * slope, 0.0)
        free = self.per_current * first + self.compliance * old.pressure
        mean = abs(float(first @ (old.activity * old.area)) / float(old.area.sum()))
        sizes = np.full(len(free) + self.has_plate, self.per_current * max(mean, LEAST))
        x = np.append(free, [self.old.push] * self.has_plate)
        if self.has_plate:
            sizes[-1] = self.push_scale
        value, report = fixed_point.solve(
            self._map, x, scale=sizes, tolerance=p.fixed_point, limit=_ITERATIONS,
            what="contact and current",
        )  # fmt: skip
        return self._state(value, len(report.history))

    def _map(self, x: Floats) -> Floats:
        """Thickness at full contact without pressure (and push of a plate) that follow from x."""
        model, old = self.model, self.old.surface
        n = len(old.place)
        free, push = x[:n], float(x[n]) if self.has_plate else 0.0
        part = np.where(model.plates, strip_law.share(free, self.start), 0.0)
        soft = part * self.compliance
        self.frame = self.old.frame + self._mean(free - self.compliance * old.pressure)
        offset = old.thickness + part * free - self.frame
        m = self.mechanics = model.press(self.time, self.dt, offset, soft, push)
        self.iterations += m.iterations
        self.distance = m.distance + self.frame
        active = strip_law.activity(old.thickness, free, self.start, self.distance, m.pressed)
        self.active = np.where(model.plates, active, 0.0)
        rate, _ = self._electric(m.place, self.active, m.pressure)
        value = self.per_current * rate + self.compliance * m.pressure
        if not self.has_plate:
            return value
        g, _ = model.problem.stack.balance(push + self.frame, m.reaction, model.stack_area)
        return np.append(value, push - g / (model.stack_area * self.slope))

    def _mean(self, full: Floats) -> float:
        """By how much the frame moves."""
        old = self.old.surface
        weight = self.start * old.area
        return float(weight @ full / weight.sum()) if weight.sum() > 0 else 0.0

    def _electric(
        self, place: Floats, active: Floats, pressure: Floats, cold: bool = False
    ) -> tuple[Floats, Floats]:
        """Rate at full contact of the nodes [A/m^2], plating positive; minus its slope [1/Pa]."""
        area = self.old.surface.area
        if not float(active @ area) > 0:
            raise SolverError(
                f"contact is lost: nothing of the interface touches at {self.time:g} s, and no "
                "current can flow", key="contact", value=0,
                hint="A larger stack pressure or a smaller current keeps contact",
            )  # fmt: skip
        # what the electrolyte sees at a vertex is the mean about it
        ends = place[::2]
        total, self.counter = self.ions.solve(
            ends, _mean_about(active, area), _mean_about(pressure, area), warm=not cold
        )
        rate, slope = self.ions.rates(place, pressure)
        return strip_law.balanced(rate, active, area, total), slope

    # -- the new state -------------------------------------------------------------------------

    def _state(self, value: Floats, rounds: int) -> tuple[_State, Trial]:
        model, p, old, dt = self.model, self.model.problem, self.old, self.dt
        n, m = len(old.surface.place), self.mechanics
        full = value[:n] - self.compliance * m.pressure
        thickness = old.surface.thickness + self.active * full
        gap = np.maximum(self.distance - thickness, 0.0)
        rate = full / self.per_current
        area = p.axis.areas(m.place, model._plating)
        # volumes are those of the areas at the start of the step, to which the rates were balanced
        plated = float((self.active * old.surface.area) @ full)
        current = -self.ions.total * self.per_current
        surface = Surface(m.place, area, thickness, gap, m.pressure, self.active, rate)
        worst = float(np.abs(thickness).max())
        if worst > OFFSET_LIMIT * p.thickness:
            raise CaseError(
                f"{worst * 1e6:.3g} um of lithium were plated or stripped, and there are "
                f"{p.thickness * 1e6:.3g} um of it: the mesh of the lithium does not follow",
                key="step", allowed=f"up to {OFFSET_LIMIT:g} of the thickness",
                hint="Take thicker lithium, or end the programme earlier",
            )  # fmt: skip
        error = self._error(full)
        push = float(value[-1]) if self.has_plate else self._free_push()
        state = _State(
            surface, self.frame, push, self.time, old.charge + dt * self.counter,
            (old.volumes[0] + current, old.volumes[1] + plated), old.dissipated + m.dissipation,
            self._velocity(full), dt,
        )  # fmt: skip
        return state, Trial(self._monitors(state, rounds), error, self.iterations)

    def _velocity(self, full: Floats) -> Floats:
        """Of the surface (towards the plane, along it) and of plating at full contact [m/s].

        The thickness itself has a kink where a vertex comes into contact, which the law of the step
        meets exactly; its rate at full contact has none.
        """
        old = self.old.surface
        away = old.gap + old.thickness
        moved = np.column_stack([self.distance - away, self.mechanics.place - old.place])
        return np.column_stack([moved, np.where(self.active > 0, full, np.nan)]) / self.dt

    def _error(self, full: Floats) -> float:
        """Local error of the step over the tolerance."""
        old, p = self.old, self.model.problem
        if old.dt == 0.0:
            return 0.0
        now = self._velocity(full)
        known = np.isfinite(now) & np.isfinite(old.velocity)
        return local_error(
            self.dt * now[known], np.zeros(int(known.sum())), old.velocity[known], self.dt, old.dt,
            tolerance=p.tolerance, scale=p.length,
        )  # fmt: skip

    def _free_push(self) -> float:
        """Mean outward displacement of the surface under a dead load [m], in the frame."""
        model = self.model
        component, sign = model.problem.normal
        u = model.body.displacement[model.stack_nodes.nodes, component]
        return sign * model.body.everywhere(float(model.stack_nodes.areas @ u)) / model.stack_area

    def _monitors(self, state: _State, rounds: int) -> dict[str, float]:
        f, p = state.surface, self.model.problem
        total = f.area.sum()
        local = f.current_density
        mean = float(local @ f.area / total)
        stack = p.stack.pressure_at(state.push + state.frame)
        return {
            "voltage": self.ions.voltage,
            "current_density": self.counter,
            "capacity": state.charge,
            "contact": f.contact,
            "gap_max": float(f.gap.max()),
            "void_area": float(f.gap @ f.area),
            "pressure_max": float(f.pressure.max()),
            "stack_pressure": stack,
            "current_density_max": float(np.abs(local).max()),
            "current_factor": float(np.abs(local).max() / abs(mean)) if abs(mean) > 1e-9 else 0.0,
            "stack_displacement": state.push + state.frame,
            "dissipation": state.dissipated,
            "penetration": self.mechanics.penetration,
            "staggered_iterations": float(rounds),
        }


def _with_stack(problem: StrippingProblem, laws: tuple[Latch, ...], push: Any) -> BodyProblem:
    """The body with contact and what presses it."""
    stack, body = problem.stack, problem.body
    if not stack.has_plate:
        pressure = Formula.constant(stack.pressure, "pressure")
        load = Load(SurfaceLoad(stack.group, pressure=pressure, key="stack.pressure"))
        return replace(body, laws=laws, loads=(*body.loads, load))
    one = Formula.constant(1.0, "length")
    hold = Hold(stack.group, {problem.normal[0]: one}, factor=push, key="stack")
    return replace(body, laws=laws, holds=(*body.holds, hold))


def _max() -> Any:
    from mpi4py import MPI

    return MPI.MAX


def _mean_about(values: Floats, area: Floats) -> Floats:
    """Mean of values at the nodes of a chain about each vertex; 0 where nothing plates."""
    weight = lumped(area)
    return np.where(weight > 0, lumped(values * area) / np.where(weight > 0, weight, 1.0), 0.0)
