"""Fields of plated lithium in time: those of the body, and the potential of the electrolyte."""

from __future__ import annotations

from pathlib import Path

from ssbmech.coupled.body_fields import BodyFields
from ssbmech.coupled.plating import PlatingModel
from ssbmech.coupled.potential_file import PotentialFile


class PlatingFields:
    """A ``ssbmech.subject.FieldWriter``: ``body.pvd`` and ``potential.pvd``.

    Args:
        folder: Existing folder, the same on all ranks.
        model: Its accepted state is written.
    """

    def __init__(self, folder: Path, model: PlatingModel) -> None:
        self.model = model
        self._body = BodyFields(folder, model.body)
        self._potential = PotentialFile(folder, model.problem.ions)

    def write(self, time: float) -> None:
        """Write the accepted state as that of a time [s]."""
        self._body.write(time)
        self.model.solve_electrolyte()
        self._potential.write(self.model.ions.phi, time)

    def close(self) -> None:
        """Finish the files."""
        self._body.close()
        self._potential.close()
