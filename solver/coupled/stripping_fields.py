"""Fields of lithium in contact, in time: those of the lithium, and the potential of the ions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssbmech.coupled.body_fields import BodyFields
from ssbmech.coupled.potential_file import PotentialFile

if TYPE_CHECKING:
    from ssbmech.coupled.stripping import StrippingModel


class StrippingFields:
    """A ``ssbmech.subject.FieldWriter``: ``body.pvd`` and ``potential.pvd``.

    The displacement is the true one, with the drift of the lithium as a whole.

    Args:
        folder: Existing folder, the same on all ranks.
        model: Its accepted state is written.
    """

    def __init__(self, folder: Path, model: StrippingModel) -> None:
        self.model = model
        self._body = _Drifting(folder, model)
        self._potential = PotentialFile(folder, model.ions.problem)

    def write(self, time: float) -> None:
        """Write the accepted state as that of a time [s]."""
        self._body.write(time)
        self.model.solve_ions()
        self._potential.write(self.model.ions.system.phi, time)

    def close(self) -> None:
        """Finish the files."""
        self._body.close()
        self._potential.close()


class _Drifting(BodyFields):
    """Fields of a body whose displacement is counted in a frame that moves."""

    def __init__(self, folder: Path, model: StrippingModel) -> None:
        super().__init__(folder, model.body)
        self._model = model

    def _fill_displacement(self) -> None:
        super()._fill_displacement()
        component, sign = self._model.problem.normal
        drift = sign * self._model.state.frame * 1e6
        self._displacement.x.array.reshape(-1, 3)[:, component] += drift
