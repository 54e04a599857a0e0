"""Fields of plated lithium in time: those of the body, and the potential of the electrolyte."""

from __future__ import annotations

from pathlib import Path

from dolfinx import fem
from dolfinx.io import VTKFile
from ssbmech.coupled.body_fields import BodyFields
from ssbmech.coupled.plating import PlatingModel


class PlatingFields:
    """A ``ssbmech.subject.FieldWriter``: ``body.pvd`` and ``potential.pvd``.

    Args:
        folder: Existing folder, the same on all ranks.
        model: Its accepted state is written.
    """

    def __init__(self, folder: Path, model: PlatingModel) -> None:
        self.model = model
        self._body = BodyFields(folder, model.body)
        domain = model.problem.ions.domain
        line = fem.functionspace(domain.mesh, ("Lagrange", 1))
        self._potential = fem.Function(line, name="potential_mV")
        self._file = VTKFile(domain.comm, str(folder / "potential.pvd"), "w")

    def write(self, time: float) -> None:
        """Write the accepted state as that of a time [s]."""
        self._body.write(time)
        model, p = self.model, self.model.problem.ions
        model.solve_electrolyte()
        self._potential.interpolate(model.ions.phi)
        self._potential.x.array[:] *= p.voltage * 1e3
        mesh, to_um = p.domain.mesh, p.domain.length * 1e6
        mesh.geometry.x[:] *= to_um
        try:
            self._file.write_function(self._potential, time)
        finally:
            mesh.geometry.x[:] /= to_um

    def close(self) -> None:
        """Finish the files."""
        self._body.close()
        self._file.close()
