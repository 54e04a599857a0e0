"""Lithium in contact with an electrolyte, with current: what moves, and in which state it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from ssbmech.coupled.exchange import Axis, Chain, lumped
from ssbmech.fracture.porz import LITHIUM_MOLAR_VOLUME
from ssbmech.lithium.obstacle import Plane
from ssbmech.lithium.problem import BodyProblem
from ssbmech.lithium.stack import Stack

if TYPE_CHECKING:
    from ssbmech.coupled.ions import Ions

Floats = NDArray[np.float64]

#: Of the fixed point, relative to the thickness that the mean current plates in the step.
TOLERANCE = 1e-7


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
    ions: Ions
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
class State:
    """What is carried from step to step beside the body and the multipliers of contact.

    Attributes:
        surface: The interface.
        frame: Mean plated thickness h_m by which the frame has moved [m].
        push: Outward displacement of the stack in the frame [m].
        time: [s].
        charge: Plated per area of the counter electrode [C/m^2].
        volumes: Plated volume as current and as thickness, and what was moved to and fro
            [m^3; m^2].
        dissipated: Energy [J; J/m].
        velocity: In the last step, see `stripping_step.Step` [m/s], shape (n, 3).
        dt: Its length [s], 0 before the first.
        current: Density at the counter electrode [A/m^2], plating positive.
    """

    surface: Surface
    frame: float = 0.0
    push: float = 0.0
    time: float = 0.0
    charge: float = 0.0
    volumes: tuple[float, ...] = (0.0, 0.0, 0.0)
    dissipated: float = 0.0
    velocity: Floats = field(default_factory=lambda: np.zeros(0))
    dt: float = 0.0
    current: float = 0.0


@dataclass(frozen=True)
class Mechanics:
    """Answer of the lithium to a thickness."""

    distance: Floats
    pressure: Floats
    place: Floats
    pressed: NDArray[np.bool_]
    penetration: float
    reaction: float
    iterations: int
    dissipation: float


def mean_about(values: Floats, area: Floats) -> Floats:
    """Mean of values at the nodes of a chain about each vertex; 0 where nothing plates."""
    weight = lumped(area)
    return np.where(weight > 0, lumped(values * area) / np.where(weight > 0, weight, 1.0), 0.0)
