"""One implicit step of lithium in contact with current: the map of its fixed point, its result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled import strip_law
from ssbmech.coupled.stripping_problem import State, Surface, mean_about
from ssbmech.errors import SolverError
from ssbmech.fracture.porz import FARADAY
from ssbmech.lithium.monitors import small_strain
from ssbmech.numerics import fixed_point
from ssbmech.numerics.stepping import Drive, Trial, local_error

if TYPE_CHECKING:
    from ssbmech.coupled.stripping import StrippingModel

Floats = NDArray[np.float64]

#: Current density [A/m^2] that takes the place of the mean where none flows, for the tolerance.
LEAST = 0.1
#: Plated or stripped thickness over that of the lithium.
OFFSET_LIMIT = 0.5
_ITERATIONS = 60


class Step:
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

    def solve(self) -> tuple[State, Trial]:
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
            ends, mean_about(active, area), mean_about(pressure, area), warm=not cold
        )
        rate, slope = self.ions.rates(place, pressure)
        return strip_law.balanced(rate, active, area, total), slope

    # -- the new state -------------------------------------------------------------------------

    def _state(self, value: Floats, rounds: int) -> tuple[State, Trial]:
        model, p, old, dt = self.model, self.model.problem, self.old, self.dt
        n, m = len(old.surface.place), self.mechanics
        full = value[:n] - self.compliance * m.pressure
        thickness = old.surface.thickness + self.active * full
        gap = np.maximum(self.distance - thickness, 0.0)
        rate: Floats = np.asarray(full / self.per_current, np.float64)
        area = p.axis.areas(m.place, model._plating)
        # volumes are those of the areas at the start of the step, to which the rates were balanced
        plated = float((self.active * old.surface.area) @ full)
        current = -self.ions.total * self.per_current
        moved = (current, plated, max(abs(current), abs(plated)))
        surface = Surface(m.place, area, thickness, gap, m.pressure, self.active, rate)
        worst = float(np.abs(thickness).max())
        if worst > OFFSET_LIMIT * p.thickness:
            raise SolverError(
                f"{worst * 1e6:.3g} um of lithium were plated or stripped, and there are "
                f"{p.thickness * 1e6:.3g} um of it: the mesh of the lithium does not follow",
                key="step", allowed=f"up to {OFFSET_LIMIT:g} of the thickness",
                hint="Take thicker lithium, or end the programme earlier",
            )  # fmt: skip
        error = self._error(full)
        push = float(value[-1]) if self.has_plate else self._free_push()
        state = State(
            surface, self.frame, push, self.time, old.charge + dt * self.counter,
            tuple(a + b for a, b in zip(old.volumes, moved, strict=True)),
            old.dissipated + m.dissipation,
            self._velocity(full), dt, self.counter,
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

    def _monitors(self, state: State, rounds: int) -> dict[str, float]:
        f, p = state.surface, self.model.problem
        total = f.area.sum()
        local = f.current_density
        mean = float(local @ f.area / total)
        # without a net current there is no mean that the largest could be compared with
        carried = abs(mean) > 1e-3 * LEAST
        factor = float(np.abs(local).max() / abs(mean)) if carried else math.nan
        stack = p.stack.pressure_at(state.push + state.frame)
        return {
            "voltage": self.ions.voltage,
            "current_density": self.counter,
            "capacity": state.charge,
            "contact": f.contact,
            "gap_max": float(f.gap.max()),
            "void_volume" if p.axis.turns else "void_area": float(f.gap @ f.area),
            "pressure_max": float(f.pressure.max()),
            "stack_pressure": stack,
            "current_density_max": float(np.abs(local).max()),
            "current_factor": factor,
            "stack_displacement": state.push + state.frame,
            "dissipation": state.dissipated,
            "penetration": self.mechanics.penetration,
            "staggered_iterations": float(rounds),
            **small_strain(self.model.body),
        }
