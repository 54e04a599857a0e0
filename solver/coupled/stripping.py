r"""Lithium that touches an electrolyte under stack pressure, with current: a model in time.

Two bodies share a flat interface: lithium, which is elastic and flows, against the surface of
the electrolyte, which is rigid for it (its modulus is 20 times that of lithium); and ions in the
electrolyte, whose current leaves through what touches. They exchange values along the interface:
pressure p and activity a one way, rates the other (`strip_law` has the law of a step).

Thickness that was plated or stripped, h, is an offset of the contact law and not in the mesh:

    gap g = d - h >= 0,  p >= 0,  p g = 0,  dh/dt = a V_m i/F,

d the distance of the lithium's mesh from the plane. Nothing is meshed anew, and the volume is
conserved exactly. The price: stripped lithium stays in the mesh, beyond the plane, so that its
stiffness and flow are those of a layer that is gone. That is right as long as h is small against
the lengths over which the lithium deforms; beyond half of the lithium's thickness the model refuses
to go on.

Frame. Uniform plating moves lithium without deforming it. So displacements are counted in a frame
that moves with the mean plated thickness h_m: the offset of contact is h - h_m, and the true
displacement is u - h_m along the normal of the interface into the electrolyte. A flat interface
that strips evenly is then at rest.

Each step solves w = G(w) for the thickness w that full contact would plate at each node, by
Anderson's acceleration; a plate or a spring adds its displacement as one more unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech.coupled import strip_law
from ssbmech.coupled.exchange import Nodes
from ssbmech.coupled.latch import Latch
from ssbmech.coupled.stripping_problem import (
    Mechanics,
    State,
    StrippingProblem,
    Surface,
    mean_about,
)
from ssbmech.coupled.stripping_step import Step
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.lithium.problem import BodyProblem, Hold, Load
from ssbmech.lithium.system import BodySystem, StepReport
from ssbmech.numerics.stepping import Drive, Trial
from ssbmech.parallel import on_root
from ssbmech.problem import SurfaceLoad

Floats = NDArray[np.float64]

#: Solves of the lithium in which the set of nodes in contact has to settle.
_LATCHINGS = 40
_AUGMENTATIONS = 8


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
        self.ions = problem.ions
        self.state = State(self._initial())
        self._rate = self.body.rate
        self._next: State | None = None

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

    # -- reaction layers (`interphase.layered.Carrier`) ----------------------------------------

    @property
    def counter(self) -> str:
        """Name of the counter electrode."""
        return self.ions.problem.driven.name

    def set_layer(self, name: str, resistance: float) -> None:
        """Give the layer of an electrode another resistance [ohm m^2] for the next step."""
        self.ions.system.set_layer(name, resistance)

    def plating_density(self, name: str) -> float:
        """Mean current density of an electrode in the last trial [A/m^2], plating positive."""
        e = self.ions.problem
        if name == self.counter:
            return -self.ions.density
        return -self.ions.total / (self.ions.system.terminal(name).area * e.area_scale)

    def area(self, name: str) -> float:
        """Of the electrode over that of the counter electrode."""
        system = self.ions.system
        return system.terminal(name).area / system.terminal(self.ions.problem.driven.name).area

    # -- stepping.Model ------------------------------------------------------------------------

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``."""
        self._next = None
        for name, law in self.contacts.items():
            law.restart()
            law.areas = self._areas_of(name)
        self.body.rate = self._rate
        step = Step(self, time, dt, drive)
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
                [s.frame, s.push, s.time, s.charge, *s.volumes, s.dissipated, s.dt, s.current]
            )
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``."""
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
        frame, push, time, charge, *volumes, lost, dt, now = (float(v) for v in numbers)
        self.state = State(
            Surface(*np.ascontiguousarray(table.T)), frame, push, time, charge, tuple(volumes),
            lost, velocity if len(velocity) else np.zeros(0), dt, now,
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
    ) -> Mechanics:
        """Solve the lithium for an offset of contact in the frame [m] and its compliance [m/Pa]."""
        self._push = push * self.problem.normal[1]
        for name, law in self.contacts.items():
            here = self.nodes.index[name]
            law.offset, law.compliance = offset[here], compliance[here]
        for law in self.contacts.values():
            law.release()
        iterations = 0
        for _ in range(_AUGMENTATIONS):
            more, report = self._latched(time, dt)
            iterations += more
            mine = [law.penetration(self.displacement(g)) for g, law in self.contacts.items()]
            worst = self.comm.allreduce(max(mine), op=MPI.MAX)
            if worst <= self.problem.penetration:
                break
            for name, law in self.contacts.items():
                law.augment(self.displacement(name))
        else:
            raise SolverError(
                f"contact still penetrates by {worst:.2e} m after {_AUGMENTATIONS} augmentations",
                key="contact", hint="Take a shorter step or a larger contact.penalty_factor",
            )  # fmt: skip
        return self._answer(worst, iterations, report.dissipation)

    def _latched(self, time: float, dt: float) -> tuple[int, StepReport]:
        """Solve until the nodes in contact do not change; number of Newton iterations, report."""
        iterations = 0
        for _ in range(_LATCHINGS):
            report = self.body.advance(time, dt)
            iterations += report.newton.iterations
            # the next solve of this step starts where this one ended
            self.body.rate = (self.body.w.x.array - self.body.accepted) / dt
            changed = sum(law.update(self.displacement(g)) for g, law in self.contacts.items())
            if not self.comm.allreduce(changed):
                return iterations, report
        raise SolverError(
            f"the nodes in contact did not settle in {_LATCHINGS} solves", key="contact",
            hint="Take a shorter step",
        )  # fmt: skip

    def _answer(self, penetration: float, iterations: int, dissipation: float) -> Mechanics:
        p = self.problem
        u = {g: self.displacement(g) for g in self.contacts}
        moved = p.line.nodes + self.nodes.common(u)
        pressure = self.nodes.common({g: law.pressure(u[g]) for g, law in self.contacts.items()})
        closed = self.nodes.total({g: law.active.astype(float) for g, law in self.contacts.items()})
        if self._on_axis:  # no area and no pressure of its own
            pressure[0], closed[0] = pressure[1], closed[1]
        return Mechanics(
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

    def solve_ions(self) -> None:
        """Solve the electrolyte for the accepted state; nothing where nothing touches."""
        f = self.state.surface
        if float(f.activity @ f.area) > 0:
            self.ions.drive(Drive(current_density=self.state.current))
            active, pressure = (mean_about(v, f.area) for v in (f.activity, f.pressure))
            self.ions.solve(f.place[::2], active, pressure, warm=False)

    # -- results -------------------------------------------------------------------------------

    @property
    def stack_pressure(self) -> float:
        """Of the accepted state [Pa]."""
        return self.problem.stack.pressure_at(self.state.push + self.state.frame)


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
