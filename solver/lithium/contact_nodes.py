"""Contact as a nodal law of a body in time: `contact.Contact` bound to the nodes of a surface.

The multipliers of the last accepted step are carried on, so that the penetration of a step is only
the *change* of pressure over the penalty; `augment` and another solve of the same step take the
rest away where that is still too much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError
from ssbmech.lithium.contact import Contact, Held, Touch
from ssbmech.parallel import on_root

if TYPE_CHECKING:
    from ssbmech.lithium.boundary import SurfaceNodes

Floats = NDArray[np.float64]

#: Pressure [Pa] that nodes which touch at the start are said to carry: the first linear guess of
#: the first step then sees the obstacle, and does not push the body through it.
_SEED = 1.0


@dataclass(frozen=True)
class Totals:
    """Contact of the whole surface, the same on every rank.

    Attributes:
        area: In contact [m^2; m in plane models].
        share: Of the area of the surface.
        force: Sum of the forces on the lithium [N; N/m], shape (dim,).
        pressure: Largest pressure per reference area [Pa].
        penetration: Largest violation of the constraints [m].
    """

    area: float
    share: float
    force: Floats
    pressure: float
    penetration: float


class ContactNodes:
    """A ``problem.NodalLaw``.

    Args:
        law: The law.
        group: Facet group of the lithium's surface.
        comm: Communicator of the mesh.
        seed: See `Contact.start` [Pa].
    """

    def __init__(self, law: Contact, group: str, comm: Any, *, seed: float = _SEED) -> None:
        self.law, self._group, self._comm, self._seed = law, group, comm, seed
        self._offset: Floats = np.zeros(0)
        self._surface: SurfaceNodes | None = None

    @property
    def group(self) -> str:
        """Facet group."""
        return self._group

    @property
    def surface(self) -> SurfaceNodes:
        """This rank's nodes."""
        assert self._surface is not None, "bind() comes first"
        return self._surface

    @property
    def offset(self) -> Floats:
        """Thickness h at each node of this rank [m] that is not in the mesh, shape (n,)."""
        return self._offset

    @offset.setter
    def offset(self, value: Floats | float) -> None:
        self._offset = np.broadcast_to(np.asarray(value, float), self._offset.shape).copy()

    def bind(self, surface: SurfaceNodes) -> None:
        """See ``problem.NodalLaw``; the surface is in its reference place and carries nothing."""
        dim = surface.coordinates.shape[1]
        if dim != 2 or self.law.obstacle.dim != 2:
            raise CaseError(
                "contact is for plane and axisymmetric models: nodal areas of second-order "
                "triangles are zero at their vertices", key="contact.group", value=f"{dim}-D",
                allowed="model = 'plane_strain' or 'axisymmetric'",
            )  # fmt: skip
        self._surface = surface
        self._offset = np.zeros(len(surface.coordinates))
        self._accepted = self._held = self.law.start(surface.coordinates, self._seed)
        self._places = surface.coordinates

    # -- in Newton's iteration -----------------------------------------------------------------

    def nodes(self, coordinates: Floats, displacement: Floats) -> tuple[Floats, Floats]:
        """See ``problem.NodalLaw``."""
        self._places = coordinates + displacement
        at = self.law.touch(self._places, self._offset, self._held)
        area = self.surface.areas
        return area[:, None] * at.traction, area[:, None, None] * at.stiffness

    # -- between solves ------------------------------------------------------------------------

    def restart(self) -> None:
        """Forget augmentations of a trial: before every step, the first try or another."""
        self._held = self._accepted

    def augment(self, displacement: Floats | None = None) -> None:
        """Take over the tractions of a converged solve; the same step has to be solved again.

        Args:
            displacement: At this rank's nodes [m]; by default that of the last evaluation.
        """
        self._held = self.law.augmented(self._at(displacement), self._offset, self._held)

    def accept(self, displacement: Floats | None = None) -> None:
        """Carry the tractions of a converged solve on to the next step."""
        self._places = self._at(displacement)
        self._accepted = self.law.settled(self._places, self._offset, self._held)
        self._held = self._accepted

    @property
    def carried(self) -> Floats:
        """Pressure [Pa] per reference area that the accepted state has at this rank's nodes.

        `touch` after `accept` is a guess for the next step: it adds to it once more what the
        penetration that is left would carry.
        """
        return self._accepted.pressure

    def touch(self, displacement: Floats | None = None) -> Touch:
        """Gaps and pressures at this rank's nodes."""
        return self.law.touch(self._at(displacement), self._offset, self._held)

    def totals(self, displacement: Floats | None = None) -> Totals:
        """Contact of the whole surface (collective)."""
        from mpi4py import MPI

        x, area = self._at(displacement), self.surface.areas
        at = self.law.touch(x, self._offset, self._held)
        dim = x.shape[1]
        sums = np.concatenate([[area[at.active].sum(), area.sum()], area @ at.traction])
        self._comm.Allreduce(MPI.IN_PLACE, sums)
        # nodes on an axis have no area: nothing presses on them, and nothing holds them
        worst = self.law.violation(x[area > 0], self._offset[area > 0], self._held_where(area > 0))
        peaks = np.array([at.pressure[area > 0].max(initial=0.0), worst])
        self._comm.Allreduce(MPI.IN_PLACE, peaks, op=MPI.MAX)
        return Totals(
            float(sums[0]), float(sums[0] / sums[1]), sums[2 : 2 + dim], float(peaks[0]),
            float(peaks[1]),
        )  # fmt: skip

    def _at(self, displacement: Floats | None) -> Floats:
        if displacement is None:
            return self._places
        return self.surface.coordinates + displacement

    def _held_where(self, mask: NDArray[np.bool_]) -> Held:
        h = self._held
        return Held(h.pressure[mask], h.shear[mask], h.anchor[mask])

    # -- checkpoint ----------------------------------------------------------------------------

    def save(self) -> dict[str, NDArray[Any]]:
        """State of all nodes, ordered by their place: whole on rank 0, {} elsewhere."""
        a, dim = self._accepted, self.surface.coordinates.shape[1]
        mine = np.column_stack(
            [self.surface.coordinates, a.pressure, a.shear, a.anchor, self._offset]
        )
        rows = self._comm.gather(mine)
        if self._comm.rank:
            return {}
        table = np.vstack(rows)
        size = float(np.abs(table[:, :dim]).max(initial=1e-300))
        places = np.round(table[:, :dim] / size, 9)
        return {f"contact/{self._group}": table[np.lexsort(places.T[::-1])]}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take a state that `save` gave, on any number of ranks (collective)."""
        from scipy.spatial import cKDTree

        name, dim = f"contact/{self._group}", self.surface.coordinates.shape[1]
        table = on_root(self._comm, lambda: self._table(arrays, name))
        _, found = cKDTree(table[:, :dim]).query(self.surface.coordinates)
        rows = table[np.asarray(found, dtype=np.int64)]
        self._accepted = Held(
            rows[:, dim], rows[:, dim + 1 : 2 * dim + 1], rows[:, 2 * dim + 1 : 3 * dim + 1]
        )
        self._held, self._offset = self._accepted, rows[:, 3 * dim + 1].copy()

    @staticmethod
    def _table(arrays: Mapping[str, NDArray[Any]], name: str) -> Floats:
        if name not in arrays:
            raise CaseError(
                "the checkpoint has no contact of this surface", key="checkpoint", value=name,
                hint="It belongs to another case",
            )  # fmt: skip
        return np.asarray(arrays[name], dtype=float)
