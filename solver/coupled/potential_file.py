"""``potential.pvd``: the potential of the electrolyte of a coupled model, time after time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dolfinx import fem
from dolfinx.io import VTKFile
from ssbmech.domain import in_micrometres
from ssbmech.electro.problem import ElectricProblem


class PotentialFile:
    """Writes a potential at vertices [mV] (collective).

    Args:
        folder: Existing folder, the same on all ranks.
        problem: The electric problem.
    """

    def __init__(self, folder: Path, problem: ElectricProblem) -> None:
        self.problem = problem
        line = fem.functionspace(problem.domain.mesh, ("Lagrange", 1))
        self._potential = fem.Function(line, name="potential_mV")
        self._file = VTKFile(problem.domain.comm, str(folder / "potential.pvd"), "w")

    def write(self, phi: Any, time: float) -> None:
        """Write a potential over RT/F as that of a time [s]."""
        self._potential.interpolate(phi)
        self._potential.x.array[:] *= self.problem.voltage * 1e3
        with in_micrometres(self.problem.domain):
            self._file.write_function(self._potential, time)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
