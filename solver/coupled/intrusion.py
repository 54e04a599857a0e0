"""Lithium pressed into a notch of an electrolyte: a model in time.

Half of a symmetric plane body: lithium 0 < x < half_width below y = 0, its upper surface against
the electrolyte, which is rigid here (`notch.Notch`); rollers at x = 0 and at the far side; below, a
plate that moves up with a given velocity, or a given pressure. Strains are finite: the mesh goes
with the lithium, and there is no remeshing.

The true pressure at a node of the surface is its contact force over the part of the *deformed*
surface that belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled.notch import Notch
from ssbmech.domain import Domain
from ssbmech.errors import CaseError, SolverError
from ssbmech.formula import Formula
from ssbmech.lithium import monitors
from ssbmech.lithium.contact import Contact, Friction, penalty_of
from ssbmech.lithium.contact_nodes import ContactNodes, Totals
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load
from ssbmech.lithium.stack import Stack
from ssbmech.lithium.system import BodySystem
from ssbmech.lithium.tributary import tributary
from ssbmech.numerics.controller import Options
from ssbmech.numerics.events import Event
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Drive, Outcome, Phase, Step, Trial, local_error
from ssbmech.problem import Material, SurfaceLoad

Floats = NDArray[Any]

#: Share of the notch at which it counts as filled: the last of it takes no finite pressure.
FILLED = 0.999
_AUGMENTATIONS = 8


@dataclass(frozen=True)
class Intrusion:
    """What is pressed into what; SI.

    Attributes:
        notch: In the electrolyte.
        flow: Flow law of the lithium.
        size: Of the elements of its mesh at the notch [m].
        E: Young's modulus of the lithium [Pa].
        nu: Its Poisson's ratio.
        half_width: Of the lithium [m].
        height: Of the lithium [m].
        velocity: Of a plate on ``bottom`` [m/s]; 0: the stack presses.
        stack: A dead load on ``bottom``, where there is no velocity.
        finite: Whether strains are finite.
        friction: At the electrolyte.
        penalty_factor: See `contact.penalty_of`.
        penetration: Largest one allowed, over the size of the elements.
        tolerance: Allowed local error in time of the places of the surface, over the depth.
    """

    notch: Notch
    flow: Any
    size: float
    E: float = 5e9
    nu: float = 0.3
    half_width: float = 20e-6
    height: float = 20e-6
    velocity: float = 0.0
    stack: Stack | None = None
    finite: bool = True
    friction: Friction = "none"
    penalty_factor: float = 20.0
    penetration: float = 1e-3
    tolerance: float = 5e-3

    def __post_init__(self) -> None:
        if (self.velocity > 0) == (self.stack is not None) or self.velocity < 0:
            raise CaseError(
                "lithium is pressed either by a velocity or by a stack", key="intrusion.velocity",
                value=self.velocity, allowed="above 0 m/s without a [stack], 0 with one",
            )  # fmt: skip
        if self.stack is not None and (self.stack.kind != "dead" or self.stack.group != "bottom"):
            raise CaseError(
                "the stack of this model is a dead load on 'bottom'", key="stack.kind",
                value=f"{self.stack.kind} on {self.stack.group}",
                hint="A plate is a velocity",
            )  # fmt: skip

    @property
    def bulk_modulus(self) -> float:
        """Of the lithium [Pa]."""
        return self.E / (3 * (1 - 2 * self.nu))


@dataclass(frozen=True)
class Surface:
    """The whole surface of the lithium in one state, on every rank, in order from the axis.

    Attributes:
        reference: Places in the reference [m], shape (n, 2); every second one is a middle node.
        places: Present places [m], shape (n, 2).
        gap: To the electrolyte [m], shape (n,).
        pressure: True contact pressure [Pa], shape (n,).
        area: Present length that belongs to each node [m], shape (n,).
    """

    reference: Floats
    places: Floats
    gap: Floats
    pressure: Floats
    area: Floats

    @property
    def raised(self) -> float:
        """Area of the lithium above y = 0, of both halves [m^2]: the integral of y dx."""
        return 2 * _under(*self.places.T)

    def mean_pressure(self, within: float) -> float:
        """Mean true pressure [Pa] at places up to ``within`` [m] from the axis; 0 if open."""
        near = self.places[:, 0] <= max(within, float(self.places[2, 0]))
        return float(self.area[near] @ self.pressure[near] / self.area[near].sum())


def _under(x: Floats, y: Floats) -> float:
    """Integral of y dx along quadratic edges through nodes in order, by Simpson's rule: exact."""
    a, m, b = slice(0, -2, 2), slice(1, -1, 2), slice(2, None, 2)
    slopes = (-3 * x[a] + 4 * x[m] - x[b], x[b] - x[a], x[a] - 4 * x[m] + 3 * x[b])
    return float(np.sum(y[a] * slopes[0] + 4 * y[m] * slopes[1] + y[b] * slopes[2])) / 6


@dataclass
class _Memory:
    """What the error estimate needs: the last rate of the surface and the last step [m/s, s]."""

    rate: Floats | None = None
    dt: float = 0.0


@dataclass(frozen=True)
class Closing:
    """When the notch was filled to ``FILLED``; nan before.

    Attributes:
        time: [s]
        travel: Displacement of the plate [m].
        pressure: Of the plate [Pa].
    """

    time: float = np.nan
    travel: float = np.nan
    pressure: float = np.nan


class IntrusionModel:
    """A ``stepping.Model``.

    Args:
        case: What is pressed.
        domain: Half of the lithium, a mesh of `ssbmech.meshes.notched`.
    """

    def __init__(self, case: Intrusion, domain: Domain) -> None:
        self.case, self.domain = case, domain
        obstacle = case.notch.obstacle(2 * case.half_width)
        penalty = penalty_of(case.E, case.size, case.penalty_factor)
        law = Contact(obstacle, penalty, case.friction)
        self.contact = ContactNodes(law, "li_sse", domain.comm)
        self.body = BodySystem(_problem(case, self.domain, self.contact))
        self.bottom = self.body.surface("bottom")
        self._memory, self._next = _Memory(), _Memory()
        self.time = 0.0
        self.closing = Closing()
        self._fill = (0.0, 0.0, 0.0, 0.0)  # time, fill, travel and pressure of the last state
        self._trial_fill = self._fill
        self.surface = self._surface(None)

    # -- stepping.Model ------------------------------------------------------------------------

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``; the drive of a cell does not matter here."""
        self.contact.restart()
        iterations = 0
        for _ in range(_AUGMENTATIONS):
            report = self.body.advance(time, dt)
            iterations += report.newton.iterations
            totals = self.contact.totals(self._displacement())
            if totals.penetration <= self.case.penetration * self.case.size:
                break
            self.contact.augment(self._displacement())
        else:
            raise SolverError(
                f"contact still penetrates by {totals.penetration:.2e} m after {_AUGMENTATIONS} "
                "augmentations", key="contact", hint="Take a shorter step or a larger penalty",
            )  # fmt: skip
        self.trial_surface = self._surface(self._displacement())
        new, old = self.trial_surface.places, self.surface.places
        error = local_error(
            new, old, self._memory.rate, dt, self._memory.dt, tolerance=self.case.tolerance,
            scale=self.case.notch.depth,
        )  # fmt: skip
        self._next = _Memory((new - old) / dt, dt)
        seen = self._monitors(totals, report.dissipation)
        names = ("fill", "plate_displacement", "stack_pressure")
        self._trial_fill = (time, seen[names[0]], seen[names[1]], seen[names[2]])
        return Trial(seen, error, iterations)

    def accept(self) -> None:
        """See ``stepping.Model``."""
        self.contact.accept(self._displacement())
        self.body.accept()
        self.surface, self._memory = self.trial_surface, self._next
        before, now = self._fill, self._trial_fill
        if before[1] < FILLED <= now[1]:
            share = (FILLED - before[1]) / (now[1] - before[1])
            place = [a + share * (b - a) for a, b in zip(before, now, strict=True)]
            self.closing = Closing(place[0], place[2], place[3])
        self._fill, self.time = now, now[0]

    def save(self) -> dict[str, NDArray[Any]]:
        """See ``stepping.Model``."""
        arrays = self.body.save() | self.contact.save()
        if self.domain.comm.rank == 0:
            rate = self._memory.rate
            arrays["intrusion/rate"] = np.empty((0, 2)) if rate is None else rate
            c = self.closing
            arrays["intrusion/state"] = np.array(
                [self._memory.dt, *self._fill, c.time, c.travel, c.pressure]
            )
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``."""
        comm = self.domain.comm
        self.body.load(dict(arrays))
        self.contact.load(arrays)
        rate, state = comm.bcast(
            (arrays["intrusion/rate"], arrays["intrusion/state"]) if comm.rank == 0 else None
        )
        numbers = [float(v) for v in state]
        self._memory = _Memory(rate if len(rate) else None, numbers[0])
        self._fill = (numbers[1], numbers[2], numbers[3], numbers[4])
        self.time, self.closing = numbers[1], Closing(*numbers[5:8])
        self.surface = self._surface(self._displacement(), self.contact.carried)

    # -- results -------------------------------------------------------------------------------

    def _displacement(self) -> Floats:
        """At this rank's nodes of the surface [m]."""
        return self.body.displacement[self.contact.surface.nodes]

    def _monitors(self, totals: Totals, dissipation: float) -> dict[str, float]:
        s, case = self.trial_surface, self.case
        force = 2 * self.plate_force()  # of both halves
        return {
            "fill": s.raised / case.notch.area,
            "contact": totals.share,
            "root_pressure": s.mean_pressure(0.1 * case.notch.root_radius),
            "pressure_max": float(s.pressure[s.area > 0].max(initial=0.0)),
            "pressure_mean": force / (2 * case.half_width),
            "stack_pressure": force / (2 * case.half_width),
            "plate_displacement": self.plate_displacement(),
            "root_gap": max(float(s.gap[0]), 0.0),
            "penetration": totals.penetration,
            "force_imbalance": abs(force + 2 * float(totals.force[1])) / max(abs(force), 1e-300),
            "dissipation": 2 * dissipation,
        }

    def plate_force(self) -> float:
        """Upward force of the plate on this half [N/m]: the reaction, or the dead load."""
        if self.case.stack is not None:
            return self.case.stack.pressure * self.case.half_width
        rows = self.body.where.reshape(-1, 2)[self.bottom.nodes, 1]
        forces = self.body.trial_forces[rows]
        return self.body.everywhere(float(forces.sum())) * self.body.problem.force_unit

    def plate_displacement(self) -> float:
        """Mean upward displacement of the lower face [m]."""
        u, a = self.body.displacement[self.bottom.nodes, 1], self.bottom.areas
        return self.body.everywhere(float(a @ u)) / self.body.everywhere(float(a.sum()))

    def volume_balance(self) -> tuple[float, float]:
        """Area that the plate displaced less what rose into the notch and what was compressed.

        Returns:
            Both halves [m^2]: what is missing, and the area that the plate displaced.
        """
        start, u = self.bottom.coordinates, self.body.displacement[self.bottom.nodes]
        table = np.vstack(self.domain.comm.allgather(np.column_stack([start, u])))
        x, _, ux, uy = table[np.argsort(table[:, 0])].T
        pushed = 2 * _under(x + ux, uy)  # under a dead load the face does not stay flat
        compressed = -2 * monitors.volume_change(self.body, "lithium")
        return pushed - self.surface.raised - compressed, pushed

    def _surface(self, displacement: Floats | None, pressure: Floats | None = None) -> Surface:
        nodes, comm = self.contact.surface, self.domain.comm
        u = np.zeros(nodes.coordinates.shape) if displacement is None else displacement
        at = self.contact.touch(u)
        force = nodes.areas * (at.pressure if pressure is None else pressure)
        mine = np.column_stack([nodes.coordinates, nodes.coordinates + u, at.gap, force])
        table = np.vstack(comm.allgather(mine))
        table = table[np.argsort(table[:, 0])]
        places = table[:, 2:4]
        edges = np.arange(0, len(table) - 1, 2)[:, None] + np.array([0, 2, 1])
        area = tributary(edges, places)
        return Surface(table[:, :2], places, table[:, 4], table[:, 5] / area, area)


def press(
    model: IntrusionModel,
    duration: float,
    *,
    events: Sequence[Event] = (),
    on_step: Callable[[Step], None] | None = None,
    steps: int = 100,
) -> Outcome:
    """Press lithium into the notch for a while, or until an event stops it.

    Args:
        model: In its initial state.
        duration: [s]
        events: E.g. ``Event("filled", "fill", 0.999, action="stop")``.
        on_step: Called after every accepted step.
        steps: The longest step is ``duration`` over this; the first one a hundredth of that.
    """
    largest = duration / steps
    phase = Phase("press", Drive(current_density=0.0), duration, largest / 100, largest)
    options = Options(smallest=1e-6 * largest, newton=15, event_tolerance=1e-4)
    return march(model, [phase], options, events=events, on_step=on_step)


def _problem(case: Intrusion, domain: Any, contact: ContactNodes) -> BodyProblem:
    zero = Formula.constant(0.0, "length")
    holds = [
        Hold("symmetry_x", {0: zero}, key="intrusion"), Hold("right", {0: zero}, key="intrusion"),
    ]  # fmt: skip
    loads = []
    if case.stack is None:
        speed = Formula.constant(case.velocity, "velocity")
        holds.append(Hold("bottom", velocity={1: speed}, key="intrusion.velocity"))
    else:
        pressure = Formula.constant(case.stack.pressure, "pressure")
        loads.append(Load(SurfaceLoad("bottom", pressure=pressure, key="stack.pressure")))
    lithium = Material(Formula.constant(case.E, "pressure"), case.nu)
    return BodyProblem(
        domain, "plane_strain", {"lithium": lithium},
        flows={"lithium": Flow(case.flow, finite=case.finite)},
        loads=tuple(loads), holds=tuple(holds), laws=(contact,),
    )  # fmt: skip
