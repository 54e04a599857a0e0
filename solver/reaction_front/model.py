"""A reaction front in time: a ``stepping.Model``.

A step is one Newton problem of front and potentials; the stress follows from the accepted front and
acts on the next step. The front moves by at most a share of its width in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ssbmech.errors import SolverError
from ssbmech.interphase.stress import Coupling
from ssbmech.lithium.interface import vertex_ids
from ssbmech.numerics.stepping import Drive, Trial, local_error
from ssbmech.parallel import bcast_array
from ssbmech.physics.elasticity import weight
from ssbmech.reaction_front import shape
from ssbmech.reaction_front.mechanics import FrontMechanics
from ssbmech.reaction_front.places import (
    ELECTROLYTE,
    LAYER,
    counter_vertices,
    lithium_segments,
    reached,
)
from ssbmech.reaction_front.problem import FrontProblem
from ssbmech.reaction_front.system import FrontSystem, Totals

Floats = NDArray[np.float64]
#: First step, in widths, by which the speed of the front at the start is found.
_FIRST = 1e-3
#: Share of the volume of the layer that counts as nothing where balances are held against it.
_STILL = 1e-4


@dataclass(frozen=True)
class Stress:
    """What growth does to the body, and stress to growth.

    Attributes:
        mechanics: Displacement and stress for a share of the layer.
        coupling: What the work of stress does to the reaction, or None.
        strength: Of the electrolyte [Pa], or None.
    """

    mechanics: FrontMechanics
    coupling: Coupling | None = None
    strength: float | None = None


@dataclass
class Cracking:
    """When and where the tension in the electrolyte first reached its strength; NaN before.

    Attributes:
        time: [s]
        depth: Mean depth of the front [m].
        place: [m], (2,).
    """

    time: float = np.nan
    depth: float = np.nan
    place: Floats = field(default_factory=lambda: np.full(2, np.nan))


@dataclass(frozen=True)
class _State:
    """What the accepted state knows beside its fields.

    Attributes:
        time: [s]
        speed: Mean speed of the front, non-dimensional.
        rate: Of the mean depth in the last step [m/s], and its length [s]; 0 before the first.
        charge: Plated since the start, through the counter electrode [C/m^2].
        reacted: Charge of the reaction since the start, non-dimensional.
        tension: Largest tension in the electrolyte [Pa], and where [m].
    """

    time: float = 0.0
    speed: float = 0.0
    rate: float = 0.0
    dt: float = 0.0
    charge: float = 0.0
    reacted: float = 0.0
    tension: float = np.nan


class FrontModel:
    """See the module.

    Args:
        problem: The front.
        stress: What growth does to the body, or None.
    """

    def __init__(self, problem: FrontProblem, stress: Stress | None = None) -> None:
        self.problem, self.stress = problem, stress
        self.system = FrontSystem(problem)
        self.cracking = Cracking()
        self._measure()
        s = self.system
        s.z.x.array[s.where[0]] = problem.start
        s.z.x.array[s.where[1]] = 1.0  # some reaction to start from
        s.old.x.array[:] = s.z.x.array
        self.start_volume = self._begin()
        self.state = _State(speed=self._speed)
        self._accepted = s.z.x.array.copy()
        self._next = self.state
        if stress is not None:
            self._flow = stress.mechanics.system.flowed.x.array.copy()
            self._pull(0.0)
            self.state = self._next
            self._feel()

    def _measure(self) -> None:
        """Places, distances from lithium and areas that do not change."""
        p, s = self.problem, self.system
        domain = p.domain
        dim = domain.mesh.geometry.dim
        self.points = s.Q.tabulate_dof_coordinates()[:, :dim] * domain.length
        self.cells = s.Q.dofmap.list[: domain.mesh.topology.index_map(dim).size_local]
        segments = lithium_segments(domain, p.lithium) * domain.length
        self.distance = shape.distance_to(self.points, segments)
        radius = segments[:, :, 0].mean(axis=1) if p.model == "axisymmetric" else 1.0
        lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
        self.lithium_area = float((lengths * radius).sum())  # [m], per radian [m^2]
        self.ids = vertex_ids(domain, s.Q)
        self.counter_at = counter_vertices(p, s.Q)
        # differences at places, not of two whole volumes, which a short step does not change
        self._rise = fem.form(s.rise * weight(ufl.SpatialCoordinate(domain.mesh), p.model) * ufl.dx)
        unit = domain.length ** (dim - 1) * (domain.length if p.model == "axisymmetric" else 1.0)
        self.area_unit = unit
        self.counter_area = s.counter_area * unit

    def _begin(self) -> float:
        """Potentials and speed of the front at rest in its place; its volume."""
        p, s = self.problem, self.system
        s.hold(None)
        s.current.value = 0.0
        s.step(_FIRST * p.width / p.domain.length)
        found = s.totals()
        self._speed = found.reacting / found.area if found.area > 0 else 0.0
        s.z.x.array[s.where[0]] = p.start
        s.old.x.array[:] = s.z.x.array
        return s.volume()

    # -- stepping.Model ----------------------------------------------------------------------------

    def advance(self, time: float, dt: float, drive: Drive) -> Trial:
        """See ``stepping.Model``."""
        p, s, now = self.problem, self.system, self.state
        s.old.x.array[:] = self._accepted
        s.mobility.value = p.capillary * p.width / p.domain.length * abs(now.speed)
        voltage = None if drive.potential is None else -drive.potential / p.transport.drive
        s.hold(voltage)
        if drive.current_density is not None:
            s.current.value = drive.current_density / p.current_scale
        iterations = s.step(dt / p.time_scale)
        found = s.totals()
        depth = self._depth(found.volume)
        rate = (depth - self._depth(s.volume_before())) / dt
        front = self.front()
        fastest = s.largest(float(front.values["speed"].max(initial=0.0)))
        error = max(
            local_error(rate * dt, 0.0, now.rate, dt, now.dt, tolerance=p.tolerance,
                        scale=p.width),
            (fastest * dt / (p.stride * p.width)) ** 2,
        )  # fmt: skip
        density = found.counter * p.current_scale * self.area_unit / max(self.counter_area, 1e-300)
        steps = dt / p.time_scale
        self._next = _State(
            time, found.reacting / found.area if found.area > 0 else 0.0, rate, dt,
            now.charge + density * dt, now.reacted + found.reacting * steps,
        )  # fmt: skip
        self._trial = s.z.x.array.copy()
        self._pull(dt)
        return Trial(self._monitors(found, front, depth, density), error, iterations)

    def accept(self) -> None:
        """See ``stepping.Model``."""
        self._accepted, before = self._trial, self.state
        self.state = self._next
        self.system.z.x.array[:] = self._accepted
        if self.stress is not None:
            self._flow = self.stress.mechanics.system.flowed.x.array.copy()
            self._feel()
            self._crack(before)

    def save(self) -> dict[str, NDArray[Any]]:
        """See ``stepping.Model``."""
        s, comm = self.system, self.problem.domain.comm
        owned = s.Q.dofmap.index_map.size_local
        columns = [self._accepted[w][:owned] for w in s.where]
        ids = np.concatenate(comm.allgather(self.ids[:owned]))
        table = np.concatenate(comm.allgather(np.column_stack(columns)))
        n, crack = self.state, self.cracking
        arrays = {
            "front/fields": table[np.argsort(ids)],
            "front/state": np.array([
                n.time, n.speed, n.rate, n.dt, n.charge, n.reacted, n.tension, crack.time,
                crack.depth, *crack.place,
            ]),
        }  # fmt: skip
        if self.stress is not None and self.stress.mechanics.system.flows:
            arrays["front/flow"] = self._flowed()
        return arrays if comm.rank == 0 else {}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See ``stepping.Model``."""
        s, comm = self.system, self.problem.domain.comm
        root = comm.rank == 0
        table = bcast_array(comm, arrays["front/fields"] if root else None)
        state = bcast_array(comm, arrays["front/state"] if root else None)
        if table.shape[1] != len(s.where):
            raise SolverError(
                "the state of the front is of another problem", key="checkpoint",
                value=f"{table.shape[1]} fields", allowed=str(len(s.where)),
            )  # fmt: skip
        rank_of = np.searchsorted(self._all_ids(), self.ids)
        for k, w in enumerate(s.where):
            self.system.z.x.array[w] = table[rank_of, k]
        self._accepted = s.z.x.array.copy()
        s.old.x.array[:] = self._accepted
        numbers = [float(v) for v in state]
        self.state = _State(*numbers[:7])
        self.cracking = Cracking(numbers[7], numbers[8], np.array(numbers[9:11]))
        if self.stress is not None:
            if self.stress.mechanics.system.flows:
                self._refill(bcast_array(comm, arrays["front/flow"] if root else None))
            self._flow = self.stress.mechanics.system.flowed.x.array.copy()
            self._next = self.state
            self._pull(0.0)
            self._feel()

    def _all_ids(self) -> NDArray[np.int64]:
        owned = self.system.Q.dofmap.index_map.size_local
        return np.sort(np.concatenate(self.problem.domain.comm.allgather(self.ids[:owned])))

    def _flowed(self) -> Floats:
        """Flow of all cells in the order of the file."""
        domain = self.problem.domain
        owned = domain.mesh.topology.index_map(domain.tdim).size_local
        original = np.asarray(domain.mesh.topology.original_cell_index)[:owned]
        assert self.stress is not None
        mine = self.stress.mechanics.system.flowed.x.array.reshape(-1, 6)[:owned]
        order = np.argsort(np.concatenate(domain.comm.allgather(original)))
        return np.concatenate(domain.comm.allgather(mine))[order]

    def _refill(self, flowed: Floats) -> None:
        original = np.asarray(self.problem.domain.mesh.topology.original_cell_index)
        assert self.stress is not None
        # numbers of cells in the file are those of the mesh, from 0
        self.stress.mechanics.system.flowed.x.array[:] = flowed[original].reshape(-1)

    # -- stress ------------------------------------------------------------------------------------

    def _pull(self, dt: float) -> None:
        """Stress of the present front after flow for dt [s]; the largest tension."""
        if self.stress is None:
            return
        mechanics = self.stress.mechanics
        mechanics.system.flowed.x.array[:] = self._flow
        mechanics.share.x.array[:] = self.system.share
        mechanics.solve(dt)
        owned = self.system.Q.dofmap.index_map.size_local
        tension = np.linalg.eigvalsh(mechanics.stress())[:, 2]
        tension = np.where(self.system.share < ELECTROLYTE, tension, -np.inf)[:owned]
        mine = (-np.inf, np.nan, np.nan)
        if owned:
            k = int(np.argmax(tension))
            mine = (float(tension[k]), float(self.points[k, 0]), float(self.points[k, 1]))
        top, *place = max(self.problem.domain.comm.allgather(mine))
        # NaN where no electrolyte is left
        self._next = replace(self._next, tension=top if np.isfinite(top) else np.nan)
        self._tightest = np.array(place)

    def _feel(self) -> None:
        """Take what the stress does to the reaction into the next step."""
        assert self.stress is not None
        if self.stress.coupling is None:
            return
        now = self.stress.coupling.conditions(self.stress.mechanics.work())
        one = np.ones(len(self.system.drive.x.array))
        self.system.drive.x.array[:] = np.asarray(now.drive) * one
        self.system.ease.x.array[:] = np.asarray(now.reaction) * one

    def _crack(self, before: _State) -> None:
        """When and where the tension first reached the strength, between two steps."""
        assert self.stress is not None
        top, strength = self.state.tension, self.stress.strength
        if strength is None or not top >= strength or np.isfinite(self.cracking.time):
            return
        share = 1.0
        if np.isfinite(before.tension) and top > before.tension:
            share = (strength - before.tension) / (top - before.tension)
        dt = self.state.dt
        depth = self._depth(self.system.volume()) - (1.0 - share) * self.state.rate * dt
        self.cracking = Cracking(before.time + share * dt, depth, self._tightest)

    # -- what is read off --------------------------------------------------------------------------

    def _depth(self, volume: float) -> float:
        """Mean depth [m] of a volume, non-dimensional."""
        return volume * self.area_unit * self.problem.domain.length / self.lithium_area

    def lithium_potential(self) -> Floats:
        """Of lithium at vertices [V]: electrons less ions; NaN for a neutral carrier."""
        s, U = self.system, self.problem.transport.drive
        if self.problem.transport.carriers == 1:
            return np.full(len(self.ids), np.nan)
        return (s.z.x.array[s.where[3]] - s.z.x.array[s.where[4]]) * U

    def front(self) -> shape.Contour:
        """The front of the present fields, whole, on every rank [m]; its speed [m/s]."""
        p, s = self.problem, self.system
        speed = np.maximum(s.rate, 0.0) * p.domain.length / p.time_scale
        values = {"depth": self.distance, "speed": speed}
        found = shape.contour(self.points, self.cells, s.share, values)
        return shape.gathered(found, p.domain.comm)

    def _monitors(
        self, found: Totals, front: shape.Contour, depth: float, density: float
    ) -> dict[str, float]:
        p, s = self.problem, self.system
        t, J = p.transport, p.growth
        # at the end of the electrolyte there may be no front any more
        places = front.values["depth"].reshape(-1) if len(front.places) else np.full(1, np.nan)
        monitors = {
            "front_thickness": J * depth,
            "front_furthest": J * float(places.max()),
            "front_nearest": J * float(places.min()),
            "front_roughness": J * front.deviation("depth"),
            "electrolyte_reached": reached(p, self._trial[s.where[0]], self.counter_at),
        }
        if t.carriers == 2:
            monitors |= self._electric(found, density)
        if self.stress is not None:
            monitors["tension_electrolyte"] = self._next.tension
            if self.stress.strength is not None:
                monitors["strength_ratio"] = self._next.tension / self.stress.strength
        grown = s.everywhere(fem.assemble_scalar(self._rise))
        # where nothing passes, rounding is no share of anything
        still = _STILL * found.volume / float(s.dt.value)
        size = max(abs(found.reacting), abs(found.counter), still)
        monitors["volume_defect"] = abs(grown - found.reacting) / size
        if t.carriers == 2:  # what is neutral carries none
            monitors["charge_defect"] = abs(found.counter - found.plated - found.reacting) / size
        return monitors

    def _electric(self, found: Totals, density: float) -> dict[str, float]:
        p, s = self.problem, self.system
        t = p.transport
        layer = s.share > LAYER
        lithium = self.lithium_potential()[layer]
        lowest = -s.largest(-float(lithium.min(initial=np.inf)))
        return {
            "voltage": -found.counter_potential * t.drive,
            "current_density": density,
            "capacity": self._next.charge,
            "reaction_current_density": found.reacting * p.current_scale * self.area_unit
            / self.lithium_area,
            "lithium_potential_min": lowest,
        }  # fmt: skip

    def balance(self) -> tuple[float, float]:
        """Volume that grew less that of the charge that reacted, and the latter, non-dim.

        The size is not below what rounding of the whole volume is a share of.
        """
        grown = self.system.volume() - self.start_volume
        size = max(abs(self.state.reacted), _STILL * self.start_volume)
        return grown - self.state.reacted, size
