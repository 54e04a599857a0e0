"""Diffuse fronts to compare with the sharp ones of `fronts`: meshes, models, marches.

Meshes are rows along the lithium, flat or round, with nodes moved at random where asked for, so
that the front does not lie along the elements. Metres, except in `MeshData` (micrometres).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from fronts import FARADAY, OneCarrier, TwoCarriers
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech.domain import distribute
from ssbmech.meshes.data import MeshData
from ssbmech.numerics.stepping import Drive
from ssbmech.physics.diffuse_front import profile
from ssbmech.reaction_front.model import FrontModel
from ssbmech.reaction_front.problem import FrontProblem, Transport

Floats = NDArray[Any]
LITHIUM, COUNTER = "li_sse", "cathode_plane"


# -- meshes ---------------------------------------------------------------------------------------


def rows(fine: float, end: float, h: float, growth: float = 1.2) -> Floats:
    """Heights from 0 to ``end``, h apart up to ``fine`` and further and further apart beyond."""
    near = np.linspace(0.0, fine, max(1, round(fine / h)) + 1)
    gap, n = end - fine, 0
    while h * growth * (growth**n - 1.0) / (growth - 1.0) < gap * (1.0 - 1e-9):
        n += 1
    far = np.cumsum(growth ** np.arange(n))
    return np.concatenate([near, fine + gap * far / far[-1]]) if n else near


def _grid(u: Floats, v: Floats, at: Callable[[Floats, Floats], Floats], jitter: float) -> MeshData:
    """Triangles of the grid u x v at places ``at(u, v)`` [um]; lithium at the first v.

    Args:
        u: Along the lithium.
        v: Away from it.
        at: (n,), (n,) to (n, 2).
        jitter: By what share of an interval inner nodes are moved, at random.
    """
    nx, ny = len(u) - 1, len(v) - 1
    U, V = np.meshgrid(u, v)
    if jitter:
        draw = np.random.default_rng(1).uniform(-jitter, jitter, (2, ny - 1, nx - 1))
        U[1:-1, 1:-1] += draw[0] * np.minimum(np.diff(u)[:-1], np.diff(u)[1:])
        V[1:-1, 1:-1] += draw[1] * np.minimum(np.diff(v)[:-1], np.diff(v)[1:])[:, None]
    number = np.arange((nx + 1) * (ny + 1)).reshape(ny + 1, nx + 1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, 1:].ravel(), number[1:, :-1].ravel()
    j, i = np.divmod(np.arange(nx * ny), nx)
    odd = ((i + j) % 2 == 1)[:, None]
    first = np.where(odd, np.column_stack([a, b, c]), np.column_stack([a, b, d]))
    second = np.where(odd, np.column_stack([a, c, d]), np.column_stack([b, c, d]))
    cells = np.concatenate([first, second])
    ends = [np.column_stack([number[k, :-1], number[k, 1:]]) for k in (0, -1)]
    points = np.column_stack([at(U.ravel(), V.ravel()) * 1e6, np.zeros(U.size)])
    return MeshData(
        2, 1, points, cells, np.ones(len(cells), np.int32), np.concatenate(ends),
        np.repeat(np.array([1, 2], np.int32), nx), {"electrolyte": 1}, {LITHIUM: 1, COUNTER: 2},
    )  # fmt: skip


def strip(width: float, columns: int, heights: Floats, jitter: float = 0.0) -> MeshData:
    """A flat lithium electrode of a width at y = 0, the counter electrode at the last height."""
    across = np.linspace(0.0, width, columns + 1)
    return _grid(across, heights, lambda x, y: np.column_stack([x, y]), jitter)


def sector(R0: float, angle: float, columns: int, heights: Floats, jitter: float = 0.0) -> MeshData:
    """Lithium of radius R0 around the origin, an angle [rad] of it, from the x axis upwards."""

    def at(turn: Floats, y: Floats) -> Floats:
        return (R0 + y)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])

    # the polygon with the length of the arc
    return _grid(np.linspace(0.0, angle, columns + 1), heights, at, jitter)


# -- models ---------------------------------------------------------------------------------------


def transport(law: TwoCarriers | OneCarrier) -> Transport:
    """Of a sharp front."""
    if isinstance(law, OneCarrier):
        return Transport(1.0, law.k, 1.0 / law.k_s, 1.0)
    return Transport(
        law.U, law.s_e, law.R, law.V / FARADAY, law.s_i, {"electrolyte": law.kappa}, law.Z
    )


def front(
    data: MeshData,
    size: float,
    law: TwoCarriers | OneCarrier | Transport,
    start: Callable[[Floats, Floats], Floats],
    width: float,
    model: str = "plane_strain",
    **more: Any,
) -> FrontModel:
    """A front on a mesh.

    Args:
        data: The mesh.
        size: Of it [m]: the unit of length.
        law: What passes.
        start: Distance beyond the front at the start [m] at places x, y [m].
        width: l [m].
        model: Mechanical model, for the measure.
        **more: For `FrontProblem`.
    """
    import dolfinx

    t = law if isinstance(law, Transport) else transport(law)
    domain = distribute(MPI.COMM_WORLD, data, length=size)
    Q = dolfinx.fem.functionspace(domain.mesh, ("Lagrange", 1))
    x, y = Q.tabulate_dof_coordinates()[:, :2].T * size
    counter = (COUNTER,) if t.carriers == 2 else ()
    share = profile(start(x, y), width)
    return FrontModel(FrontProblem(domain, model, t, (LITHIUM,), counter, share, width, **more))


# -- in time --------------------------------------------------------------------------------------


class Now(NamedTuple):
    """A state of a front."""

    time: float  # [s]
    depth: float  # mean [m]
    speed: float  # of the front, mean [m/s]
    voltage: float  # [V]; NaN for one carrier
    reaction: float  # over the area of the lithium [A/m^2]; NaN likewise
    charge: float  # what is missing of the charge, and of the volume, relative
    mass: float
    rate: float  # smallest reaction anywhere near the front, over the mean


@dataclass
class March:
    """A front that advances by fixed shares of its width.

    Attributes:
        model: The front.
        current: i [A/m^2], plating positive.
        stride: In widths, by the mean speed.
        states: After each step.
    """

    model: FrontModel
    current: float = 0.0
    stride: float = 0.25
    states: list[Now] = field(default_factory=list)

    def step(self, dt: float) -> Now:
        """One step of dt [s]."""
        m = self.model
        carriers = m.problem.transport.carriers
        time = m.state.time + dt
        found = m.advance(time, dt, Drive(current_density=self.current)).monitors
        m.accept()
        where = m.front()
        self.states.append(
            Now(
                time, found["front_thickness"] / m.problem.growth, where.mean("speed"),
                found["voltage"] if carriers == 2 else np.nan,
                found["reaction_current_density"] if carriers == 2 else np.nan,
                found.get("charge_defect", np.nan), found["volume_defect"],
                float(where.values["speed"].min(initial=np.inf)),
            )
        )  # fmt: skip
        return self.states[-1]

    def begin(self, share: float = 1e-4) -> Now:
        """A step so short that the front stays: the potentials of the front as it is."""
        m = self.model
        guess = m.state.speed * m.problem.domain.length / m.problem.time_scale
        return self.step(share * m.problem.width / guess)

    def until(self, depth: float) -> March:
        """Step until the mean depth [m] is reached."""
        now = self.states[-1] if self.states else self.begin()
        while now.depth < depth:
            now = self.step(self.stride * self.model.problem.width / now.speed)
        return self

    def column(self, name: str) -> Floats:
        """A quantity of all states."""
        return np.array([getattr(s, name) for s in self.states])

    def defects(self) -> tuple[float, float]:
        """Largest defects of charge and of volume in the steps after `begin`, relative.

        `begin` moves the front by 1e-4 of its width, of which rounding of the volume is a part.
        """
        return float(self.column("charge")[1:].max()), float(self.column("mass")[1:].max())


# -- waves ----------------------------------------------------------------------------------------


def wave(depth: float, height: float, length: float) -> Callable[[Floats, Floats], Floats]:
    """Distance beyond the front y = depth + height cos(2 pi x/length), to second order."""
    q = 2.0 * np.pi / length

    def beyond(x: Floats, y: Floats) -> Floats:
        rise = -height * q * np.sin(q * x)
        return (y - depth - height * np.cos(q * x)) / np.sqrt(1.0 + rise**2)

    return beyond


def cosines(model: FrontModel, name: str, length: float) -> Floats:
    """Mean, first and second cosine along x of a field of the front, (3,)."""
    where = model.front()
    x = where.places[:, :, 0]
    weight = np.repeat(np.abs(np.diff(x, axis=1)) / 2, 2, axis=1).ravel()
    A = np.cos(np.multiply.outer(x.ravel(), np.arange(3)) * 2.0 * np.pi / length)
    AW = A * weight[:, None]
    return np.linalg.solve(AW.T @ A, AW.T @ where.values[name].ravel())


def order(sizes: Any, errors: Any) -> float:
    """Slope of log(error) over log(size)."""
    return float(np.polyfit(np.log(sizes), np.log(np.abs(errors)), 1)[0])
