"""Fields of a filament in time: displacement and stress of the body, potential of the electrolyte.

They are not part of the march: the factorised bulk is asked for them at output times alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx.io import VTKFile
from ssbmech.domain import in_micrometres
from ssbmech.filament.elastic import Tool
from ssbmech.filament.electric import Ions
from ssbmech.filament.model import FilamentModel
from ssbmech.output.fields import invariants, lumped


class FilamentWriter:
    """A ``ssbmech.subject.FieldWriter``: ``body.pvd`` and ``electrolyte.pvd``, time after time.

    Args:
        folder: Existing folder, the same on all ranks.
        model: The filament; its accepted state is written.
        body: The elastic body.
        ions: The electrolyte.
        loaded: Whether the body has other loads than the lithium's.
    """

    def __init__(
        self, folder: Path, model: FilamentModel, body: Tool, ions: Ions, loaded: bool
    ) -> None:
        self.model, self.body, self.ions, self.loaded = model, body, ions, loaded
        p = body.problem
        mesh, dim = p.domain.mesh, p.domain.tdim
        line = fem.functionspace(mesh, ("Lagrange", 1))
        self._flat = fem.Function(fem.functionspace(mesh, ("Lagrange", 1, (dim,))))
        self._displacement = fem.Function(
            fem.functionspace(mesh, ("Lagrange", 1, (3,))), name="displacement_um"
        )
        names = ("max_principal_MPa", "von_mises_MPa", "hydrostatic_MPa")
        self._scalars = [fem.Function(line, name=name) for name in names]
        electric = ions.system.problem.domain.mesh
        self._potential = fem.Function(
            fem.functionspace(electric, ("Lagrange", 1)), name="potential_mV"
        )
        self._files = (
            VTKFile(p.domain.comm, str(folder / "body.pvd"), "w"),
            VTKFile(p.domain.comm, str(folder / "electrolyte.pvd"), "w"),
        )

    def write(self, time: float) -> None:
        """Write the accepted state as that of a time [s]."""
        p = self.body.problem
        self._fill_body()
        self._fill_potential()
        body_fields = [self._displacement, *self._scalars]
        electric = self.ions.system.problem.domain
        for file, domain, fields in (
            (self._files[0], p.domain, body_fields),
            (self._files[1], electric, [self._potential]),
        ):
            with in_micrometres(domain):
                file.write_function(fields, time)

    def close(self) -> None:
        """Finish the files."""
        for file in self._files:
            file.close()

    def _fill_body(self) -> None:
        p = self.body.problem
        dim = p.domain.tdim
        system = self.body.loaded(self.model.state.p, self.loaded)
        self._flat.interpolate(system.uh)
        um = p.domain.length * 1e6
        values = self._displacement.x.array.reshape(-1, 3)
        values[:, :dim] = self._flat.x.array.reshape(-1, dim) * um
        nodal: Any = lumped(system) * (system.modulus * 1e-6)
        xx, yy, zz, xy, yz, xz = nodal.T
        rows = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=1)
        found = invariants(rows.reshape(-1, 3, 3))
        for function in self._scalars:
            function.x.array[:] = found[function.name]

    def _fill_potential(self) -> None:
        phi = self.ions.potential(self.model.derived.plating)
        self._potential.interpolate(phi)
        self._potential.x.array[:] *= self.ions.system.problem.voltage * 1e3
