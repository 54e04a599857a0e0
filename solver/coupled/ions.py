"""The electrolyte as the lithium at its surface sees it: rates from pressure and activity."""

from __future__ import annotations

from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from ssbmech.coupled.exchange import Axis, Chain
from ssbmech.electro import solve as electric
from ssbmech.electro.problem import ElectricProblem
from ssbmech.electro.surface import vertex_ids
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import CaseError
from ssbmech.numerics.stepping import Drive
from ssbmech.physics import kinetics

Floats = NDArray[np.float64]


class Ions:
    """Conduction between a counter electrode and the lithium of an interface.

    The rate at a vertex follows from the potential there by the kinetics, whether it is in contact
    or not: where lithium does not touch it is the rate that contact would have.

    Args:
        problem: Two electrodes or more; the counter electrode is the driven one.
        name: Of the lithium electrode; it is coupled and has kinetics.
        line: Surface of the electrolyte at the interface.
        axis: The interface.
    """

    def __init__(self, problem: ElectricProblem, name: str, line: Chain, axis: Axis) -> None:
        self.problem, self.name = problem, name
        self.electrode = next(e for e in problem.electrodes if e.name == name)
        if self.electrode.kinetics == "none":
            raise CaseError(
                "lithium that can lose contact needs a resistance of its interface",
                key=f"{self.electrode.key}.kinetics", value="none",
                hint="Give it an area_specific_resistance",
            )  # fmt: skip
        self.system = ElectricSystem(problem)
        own = self.system.surface(name).ids
        keep = np.isin(line.ids, own)
        self.ids, self.place = line.ids[keep], axis.along(line.vertices)[keep]
        self.total = 0.0
        self.density = 0.0
        self.voltage = 0.0
        self._eta: Floats = np.zeros(len(self.ids))
        self._own = vertex_ids(self.system)[: self.system.frame.linear.dofmap.index_map.size_local]
        self._linear = fem.Function(self.system.frame.linear)

    def drive(self, drive: Drive) -> None:
        """What the programme asks for, from the next solution on."""
        if drive.current_density is not None:
            self.system.drive(current_density=drive.current_density)
        else:
            assert drive.potential is not None
            self.system.drive(potential=-drive.potential)

    def solve(
        self, place: Floats, active: Floats, pressure: Floats, *, warm: bool
    ) -> tuple[float, float]:
        """Solve for the state of a surface of lithium.

        Args:
            place: Of its vertices along the interface [m], rising, shape (n,).
            active: Activity there.
            pressure: There [Pa].
            warm: Start from the last solution.

        Returns:
            Whole current plated [A; A/m]; current density at the counter electrode [A/m^2],
            plating positive.
        """
        a = np.interp(self.place, place, active)
        p = np.interp(self.place, place, pressure)
        self.system.set_surface(self.name, self.ids, normal_stress=-p, activity=np.clip(a, 0, 1))
        found = electric.solve_system(self.system, warm=warm)
        counter = self.problem.driven.name
        self.total = found.currents[self.name]
        self.voltage = -found.potentials[counter]
        density = self.density = found.mean_current_density(counter)
        metal = float(self.system.terminal(self.name).metal.value)
        self._eta = metal - self.potentials()
        return -self.total, density

    def rates(self, place: Floats, pressure: Floats) -> tuple[Floats, Floats]:
        """What nodes of the lithium plate if they touch, in the last solution.

        Args:
            place: Along the interface [m], shape (n,).
            pressure: There [Pa].

        Returns:
            Current density [A/m^2], plating positive, and minus its derivative by the pressure
            [A/m^2/Pa], shape (n,).
        """
        e, p = self.electrode, self.problem
        jump = np.interp(place, self.place, self._eta)
        per_pascal = kinetics.stress_shift(1.0, p.molar_volume) / p.voltage
        eta = kinetics.driving_potential(jump, 0.0, -per_pascal * pressure)
        layer = self.system.layer(e.name)
        if e.kinetics == "linear":
            conductance = p.voltage / (e.resistance + layer)
            rate = np.asarray(kinetics.linear(eta, conductance), dtype=np.float64)
            slope: Floats = np.full(len(eta), conductance)
        else:
            rate, slope = kinetics.rate_and_slope(eta, e.i0, e.beta, layer / p.voltage)
        return -rate, slope * per_pascal

    def potentials(self) -> Floats:
        """Potential of the electrolyte over RT/F at ``ids``, the same on every rank."""
        self._linear.interpolate(self.system.phi)
        here = np.flatnonzero(np.isin(self._own, self.ids))
        mine = (self._own[here], self._linear.x.array[here])
        every: list[Any] = self.system.problem.domain.comm.allgather(mine)
        ids = np.concatenate([part[0] for part in every])
        values = np.concatenate([part[1] for part in every])
        order = np.argsort(self.ids)
        row = order[np.searchsorted(self.ids, ids, sorter=order)]
        # where a grain boundary with a resistance ends there are two nodes of one number
        count = np.bincount(row, minlength=len(self.ids))
        return np.asarray(np.bincount(row, values, len(self.ids)) / count)
