"""Critical current against flaw size, without a new mesh: similar bodies share their operators.

In a body that is larger by a factor, openings per pressure and potentials per current density grow
by that factor and K per pressure by its square root; thickness of the electrolyte and of the flaw
keep their ratio. The current at which K reaches K_IC, and not more, is the critical one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from ssbmech.errors import SolverError
from ssbmech.filament.model import FilamentModel
from ssbmech.filament.problem import FilamentProblem
from ssbmech.numerics.stepping import Drive

_STEPS = 24
_SMALL, _LARGE = 1e-4, 500.0  # of currents that are tried [A/m^2]: 50 mA/cm^2 is out of reach


@dataclass(frozen=True)
class Critical:
    """The critical current of a flaw size.

    Attributes:
        size: Flaw size a [m].
        current_density: At which K reaches K_IC at last [A/m^2]; infinite if none does.
        voltage: Of the lithium at that moment [V].
        pressure_max: [Pa].
        capacity: Until then [C/m^2].
    """

    size: float
    current_density: float
    voltage: float
    pressure_max: float
    capacity: float


def critical_current(
    problem: FilamentProblem, size: float, hold: float, *, rtol: float = 1e-3
) -> Critical:
    """Current density at which a flaw extends when it is held for a time.

    Args:
        problem: With a toughness.
        size: Flaw size for the report [m].
        hold: How long the current flows [s].
        rtol: Of the current.

    Raises:
        SolverError: When a step does not converge, or without toughness.
    """
    if problem.toughness is None:
        raise SolverError("there is no K_IC to reach", key="thin_filament.critical")

    def outcome(current: float) -> dict[str, float]:
        return hold_current(problem, current, hold)

    # K grows with the current by no less than its root: a bracket by factors, then regula falsi
    high, found = 1.0, outcome(1.0)
    low, f_low, f_high = 0.0, -1.0, found["K_ratio"] - 1
    while f_high < 0:
        if high >= _LARGE:
            return Critical(size, math.inf, found["voltage"], found["pressure_max"], math.inf)
        low, f_low = high, f_high
        high *= 2
        found = outcome(high)
        f_high = found["K_ratio"] - 1
    while low == 0.0 and high > _SMALL:
        trial = high / 4
        at = outcome(trial)
        if at["K_ratio"] < 1:
            low, f_low = trial, at["K_ratio"] - 1
        else:
            high, f_high, found = trial, at["K_ratio"] - 1, at
    for _ in range(60):
        if high - low <= rtol * high or f_high <= rtol * 0.1:
            break
        share = -f_low / (f_high - f_low)
        middle = low + (high - low) * float(np.clip(share, 0.05, 0.95))
        at = outcome(middle)
        if at["K_ratio"] < 1:
            low, f_low = middle, at["K_ratio"] - 1
        else:
            high, f_high, found = middle, at["K_ratio"] - 1, at
    return Critical(size, high, found["voltage"], found["pressure_max"], found["capacity"])


def hold_current(problem: FilamentProblem, current: float, hold: float) -> dict[str, float]:
    """Monitors at the largest K of a filament under a current that is held, SI.

    The steps grow from a thousandth of what the thinnest film takes to fill: a steady state is met
    by few of them, and its approach is not resolved.
    """
    model = FilamentModel(problem)
    time, best = 0.0, dict[str, float]()
    lengths = np.geomspace(1e-4, 1.0, _STEPS)
    for dt in hold * lengths / lengths.sum():
        trial = _step(model, time, float(dt), current)
        time += float(dt)
        if not best or trial["K_I"] > best["K_I"]:
            best = trial
    return best


def _step(model: FilamentModel, time: float, dt: float, current: float) -> dict[str, float]:
    """A step, in parts where it does not converge whole."""
    for parts in (1, 4, 16, 64):
        state = model.save()
        try:
            for k in range(parts):
                trial = model.advance(
                    time + dt * (k + 1) / parts, dt / parts, Drive(current_density=current)
                )
                model.accept()
            return trial.monitors
        except SolverError:
            model.load(state)
    raise SolverError(
        "a filament under a held current does not converge", key="thin_filament.critical",
        value=f"{current:g} A/m^2",
    )  # fmt: skip


def sweep(
    problem: FilamentProblem, own_size: float, sizes: list[float], hold: float
) -> list[Critical]:
    """Critical currents of similar bodies.

    Args:
        problem: Of the mesh.
        own_size: Flaw size that the mesh has [m].
        sizes: Wanted [m].
        hold: How long the current flows [s].
    """
    return [critical_current(problem.scaled(a / own_size), a, hold) for a in sizes]
