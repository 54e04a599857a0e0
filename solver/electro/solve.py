"""Solve the electric problem: potential, current of each electrode, resistance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.electro.problem import ElectricProblem
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import SolverError
from ssbmech.numerics import newton
from ssbmech.numerics.newton import NewtonReport


@dataclass(frozen=True)
class ElectricSolution:
    """A potential and the currents.

    Attributes:
        problem: What was solved.
        system: Its forms, at the solution.
        phi: Potential of the electrolyte over RT/F (a DOLFINx Function, all ranks).
        potentials: phi_m of each electrode [V].
        currents: Current of each electrode, anodic positive [A, or A per m of thickness].
        areas: Of each electrode [m^2, or m^2 per m of thickness].
        report: What Newton's method did.
        rounding: What the digits of the potential leave of the charge balance: machine precision
            times the largest potential over the drop in the electrolyte, or over the jump at
            boundaries with very little resistance.
        beside: Other potentials by name, at the nodes of the domain's file [V], for the fields.
    """

    problem: ElectricProblem
    system: ElectricSystem
    phi: Any
    potentials: dict[str, float]
    currents: dict[str, float]
    areas: dict[str, float]
    report: NewtonReport
    rounding: float = 0.0
    beside: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def mean_current_density(self, name: str) -> float:
        """Mean over an electrode [A/m^2], anodic positive."""
        return self.currents[name] / self.areas[name]

    @property
    def imbalance(self) -> float:
        """Sum of the currents over the largest of them; 0 without any current."""
        largest = max(abs(i) for i in self.currents.values())
        # a current that is rounding of the currents to and fro has no balance
        floor = 1e-13 * self.problem.current_scale * max(self.areas.values())
        return abs(sum(self.currents.values())) / largest if largest > floor else 0.0

    @property
    def resistance(self) -> float | None:
        """Voltage of the driven electrode over its current; None where no current flows.

        Unit: ``problem.resistance_unit``. Not only ohmic: kinetics and stress are in the voltage.
        """
        name = self.problem.driven.name
        floor = 1e-12 * self.problem.current_scale * self.areas[name]
        current = self.currents[name]
        return self.potentials[name] / current if abs(current) > floor else None


def solve(problem: ElectricProblem, *, rtol: float = 1e-12, limit: int = 50) -> ElectricSolution:
    """Solve the electric problem.

    Args:
        problem: The problem.
        rtol: Of Newton's residual, relative.
        limit: Newton steps.

    Raises:
        SolverError: On every rank, when Newton or the linear solver does not converge.
        CaseError: Electrodes without resistance that touch at different potentials.
    """
    return solve_system(ElectricSystem(problem, max(rtol, 1e-10)), rtol=rtol, limit=limit)


def solve_system(
    system: ElectricSystem, *, rtol: float = 1e-12, limit: int = 50, warm: bool = False
) -> ElectricSolution:
    """Solve a system as it is driven and as its surfaces are now (collective).

    Args:
        system: The system; it keeps the solution as its state.
        rtol: Of Newton's residual, relative; its linear solves take ``system.rtol``.
        limit: Newton steps.
        warm: Start from the state, and from the overpotentials of mean currents only where that
            does not converge.

    Raises:
        SolverError: On every rank, when Newton or the linear solver does not converge, or when no
            surface is in contact.
    """
    _check_contact(system)
    x = system.phi.x.petsc_vec.copy()
    kept = x.copy()
    s = 0.0 if system.driven is None else float(system.driven.metal.value)
    try:
        if not warm:
            s = _start(system, x)
        else:
            system.prescribe(s)
            system.phi.x.petsc_vec.copy(x)
        try:
            s, report = newton.solve(system, x, s, rtol=rtol, limit=limit)
        except SolverError:
            if not warm:
                raise
            s, report = newton.solve(system, x, _start(system, x), rtol=rtol, limit=limit)
        system.set_state(x, s)
    except SolverError:
        system.set_state(kept, s)  # the last state is a better start than where Newton got lost
        raise
    finally:
        x.destroy()
        kept.destroy()
        # on several ranks PETSc keeps what Python has let go, until all of them clean up
        PETSc.garbage_cleanup(system.problem.domain.comm)
    return _solution(system, report)


def _start(system: ElectricSystem, x: Any) -> float:
    """First guess of the state, in ``x``, and of the unknown potential."""
    s = 0.0
    system.phi.x.array[:] = 0
    if not system.problem.is_linear and system.driven is not None:
        s = system.guess(system.target)
    elif not system.problem.is_linear:
        _guess_at_potentials(system)
    system.prescribe(s)
    system.phi.x.petsc_vec.copy(x)
    return s


def _check_contact(system: ElectricSystem) -> None:
    """Current needs a surface in contact at the driven electrode and at another one."""
    p = system.problem
    areas = {t.electrode.name: system.contact(t) for t in system.terminals}
    mine = areas.pop(p.driven.name)
    if mine <= 0 or (areas and sum(areas.values()) <= 0):
        name = p.driven.name if mine <= 0 else ", ".join(areas)
        raise SolverError(
            f"nothing of {name} is in contact, so that no current can flow", key="activity",
            value=0, allowed="above 0 at a vertex of the driven electrode and of another one",
        )  # fmt: skip


def _solution(system: ElectricSystem, report: NewtonReport) -> ElectricSolution:
    p = system.problem
    names = [e.name for e in p.electrodes]
    scale = p.current_scale * p.area_scale
    currents = system.currents()
    largest = max(abs(i) for i in currents)
    return ElectricSolution(
        problem=p,
        system=system,
        phi=system.phi,
        potentials={
            n: float(t.metal.value) * p.voltage
            for n, t in zip(names, system.terminals, strict=True)
        },
        currents={n: i * scale for n, i in zip(names, currents, strict=True)},
        areas={n: t.area * p.area_scale for n, t in zip(names, system.terminals, strict=True)},
        report=report,
        rounding=_rounding(system, largest),
    )


def _rounding(system: ElectricSystem, largest: float) -> float:
    from mpi4py import MPI

    comm = system.problem.domain.comm
    values = system.phi.x.array
    high = comm.allreduce(float(values.max(initial=-np.inf)), op=MPI.MAX)
    low = comm.allreduce(float(values.min(initial=np.inf)), op=MPI.MIN)
    drop = max(high - low, np.finfo(float).tiny)
    jumps = system.noise() / max(largest, np.finfo(float).tiny)
    return max(float(np.finfo(float).eps * max(abs(high), abs(low)) / drop), jumps / 16)


def _guess_at_potentials(system: ElectricSystem) -> None:
    """Overpotentials of the mean currents of a cell whose potentials are given.

    Newton from zero overpotential would walk down an exponential, one RT/F per step. One linear
    solve about no overpotential gives the ohmic resistance; a scalar equation then the current.
    """
    p = system.problem
    system.guess(0.0)
    system.prescribe(0.0)
    x = system.phi.x.petsc_vec.copy()
    residual, g, _ = system.residual(x, 0.0)
    step, _, _ = newton.full_step(system, system.tangent(x, 0.0), residual, g)
    x.axpy(1.0, step)
    system.set_state(x, 0.0)
    driven = next(t for t in system.terminals if t.electrode is p.driven)
    voltage, linear = float(driven.metal.value), system.flow_from(driven)
    tiny = 1e-9
    if voltage * linear > 0.0:
        ohmic = max(voltage / linear - _kinetic(system, tiny) / tiny, 0.0)
        total = _root(lambda i: ohmic * i + _kinetic(system, i) - voltage, voltage, linear)
        system.guess(total)
        system.prescribe(0.0)
    for vector in (x, residual, step):
        vector.destroy()


def _kinetic(system: ElectricSystem, total: float) -> float:
    """Overpotential of the driven electrode minus the mean of the others, at a total current."""
    p = system.problem
    etas = system.mean_overpotentials(total)
    mine = sum(e for e, q in zip(etas, p.electrodes, strict=True) if q is p.driven)
    others = [e for e, q in zip(etas, p.electrodes, strict=True) if q is not p.driven]
    return mine - float(np.mean(others))


def _root(f: Callable[[float], float], voltage: float, linear: float) -> float:
    """Current from nothing to as many times the linear one as it takes."""
    from scipy.optimize import brentq

    high = linear
    while f(high) * np.sign(voltage) <= 0:  # grows at least as fast as the current's logarithm
        high *= 4
    return float(brentq(f, 0.0, high, xtol=1e-14 * abs(high), rtol=1e-12))
