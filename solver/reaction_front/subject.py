"""What a run says of a reaction front: the front itself, balances, fields, first cracking."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx.io import VTKFile
from numpy.typing import NDArray
from ssbmech.build_interphase import InterphaseSetup
from ssbmech.domain import in_micrometres
from ssbmech.output.fields import invariants
from ssbmech.output.verdict import Limits
from ssbmech.reaction_front import shape
from ssbmech.reaction_front.model import FrontModel
from ssbmech.reaction_front.places import LAYER
from ssbmech.subject import Columns, FieldWriter

_AXES = {"axisymmetric": ("r", "z", "t")}
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1))


@dataclass
class FrontSubject:
    """A ``subject.Subject``.

    Attributes:
        setup: Law and expansion of the layer.
    """

    model: FrontModel
    limits: Limits
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    setup: InterphaseSetup | None = None

    def profiles(self) -> dict[str, Columns]:
        """The front, line by line."""
        m = self.model
        front = m.front()
        pieces, ends, lines = shape.chained(front)
        places = front.places[pieces, ends] * 1e6
        J = m.problem.growth
        columns: dict[str, NDArray[Any]] = {
            "line": lines,
            "x [um]": places[:, 0],
            "y [um]": places[:, 1],
            "thickness [um]": J * front.values["depth"][pieces, ends] * 1e6,
            "speed [nm/s]": J * front.values["speed"][pieces, ends] * 1e9,
        }
        return {"front": columns}

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """Volume of electrolyte used up against the charge that reacted."""
        m = self.model
        missing, size = m.balance()
        unit = m.area_unit * m.problem.domain.length
        name = "m^3 per radian" if m.problem.model == "axisymmetric" else "m^2"
        return {"volume": (missing * unit, size * unit, name)}

    def fields(self, folder: Path) -> FieldWriter:
        """Share of the layer, potentials, stress."""
        return FrontFields(folder, self.model)

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the solver."""
        m, p = self.model, self.model.problem
        return {
            "unknowns": int(m.system.V.dofmap.index_map.size_global),
            "width_um": p.width * 1e6,
            "reaction_resistance": p.resistance,
            "carriers": p.transport.carriers,
            "capillary_of_the_profile": p.capillary,
        }

    def results(self) -> dict[str, Any]:
        """The front at the end, and first cracking."""
        m, J = self.model, self.model.problem.growth
        front = m.front()
        depth = front.values["depth"].reshape(-1) * J * 1e6
        found: dict[str, Any] = {"lines": int(shape.chained(front)[2].max(initial=-1)) + 1}
        if len(depth):  # else no front is left in the electrolyte
            found["roughness_um"] = J * front.deviation("depth") * 1e6
            found["thickness_um"] = {
                "mean_along_the_front": J * front.mean("depth") * 1e6,
                "largest": float(depth.max()),
                "smallest": float(depth.min()),
            }
        if m.stress is not None and m.stress.strength is not None:
            found["first_cracking"] = self._cracking()
        if m.problem.transport.carriers == 2:
            found["lithium_inside"] = self._inside()
        return found

    def _cracking(self) -> dict[str, Any] | None:
        """When and where the tension reached the strength; None where it did not."""
        crack, J = self.model.cracking, self.model.problem.growth
        if not np.isfinite(crack.time):
            return None
        return {
            "time_s": crack.time,
            "mean_thickness_um": crack.depth * J * 1e6,
            "place_um": [float(x) * 1e6 for x in crack.place],
        }

    def _inside(self) -> dict[str, Any]:
        """Share of the layer in which lithium could form: its potential below that of lithium."""
        m = self.model
        comm = m.problem.domain.comm
        owned = m.system.Q.dofmap.index_map.size_local
        layer = m.system.share[:owned] > LAYER
        below = layer & (m.lithium_potential()[:owned] < -1e-6)
        counts = comm.allreduce(np.array([layer.sum(), below.sum()]))
        depth = float(m.distance[:owned][below].max(initial=0.0))
        deepest = max(comm.allgather(depth)) * m.problem.growth
        return {"share_of_vertices": float(counts[1] / max(counts[0], 1)),
                "deepest_um": deepest * 1e6}  # fmt: skip


class FrontFields:
    """Writes ``front.pvd``: share of the layer, potentials, displacement and stress at vertices.

    Args:
        folder: Existing folder, the same on all ranks.
        model: A front.
    """

    def __init__(self, folder: Path, model: FrontModel) -> None:
        self.model = model
        mesh = model.problem.domain.mesh
        self._space = fem.functionspace(mesh, ("Lagrange", 1))
        self._functions: dict[str, Any] = {}
        self._moved = fem.Function(
            fem.functionspace(mesh, ("Lagrange", 1, (3,))), name="displacement_um"
        )
        self._file = VTKFile(model.problem.domain.comm, str(folder / "front.pvd"), "w")

    def write(self, time: float) -> None:
        """Write the accepted state as that of a time [s]."""
        m, p = self.model, self.model.problem
        s, U = m.system, p.transport.drive
        named = {"layer": s.share}
        if p.transport.carriers == 2:
            named["electron_potential_mV"] = s.z.x.array[s.where[3]] * U * 1e3
            named["ion_potential_mV"] = s.z.x.array[s.where[4]] * U * 1e3
            named["lithium_potential_mV"] = m.lithium_potential() * 1e3
        functions = []
        if m.stress is not None:
            named |= self._stresses()
            functions.append(self._displacement())
        for name, values in named.items():
            f = self._functions.setdefault(name, fem.Function(self._space, name=name))
            f.x.array[:] = values
            functions.append(f)
        with in_micrometres(p.domain):
            self._file.write_function(functions, time)

    def _stresses(self) -> dict[str, NDArray[Any]]:
        assert self.model.stress is not None
        tensor = self.model.stress.mechanics.stress() * 1e-6
        named = invariants(tensor)
        axes = _AXES.get(self.model.problem.model, ("x", "y", "z"))
        for i, j in _PAIRS:
            named[f"stress_{axes[i]}{axes[j]}_MPa"] = tensor[:, i, j]
        return named

    def _displacement(self) -> Any:
        assert self.model.stress is not None
        solution = self.model.stress.mechanics.solution
        assert solution is not None
        mesh = self.model.problem.domain.mesh
        flat = fem.Function(fem.functionspace(mesh, ("Lagrange", 1, (2,))))
        flat.interpolate(solution.u)
        um = self.model.problem.domain.length * 1e6
        self._moved.x.array.reshape(-1, 3)[:, :2] = flat.x.array.reshape(-1, 2) * um
        return self._moved

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
