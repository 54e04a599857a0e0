r"""Contact with a plane by an active set that is held fixed while Newton's method runs.

Where current shifts the surface by another amount at every node and in every step, a penalty with
max(0, .) inside Newton's iteration fails: a nanometre times its stiffness is gigapascals, and on
the way nearly every node opens and closes. So the set of nodes in contact is latched: in it contact
holds both ways, p = lam - k g, which is linear; after Newton has converged nodes that are pulled
(p < 0) leave the set, nodes that penetrate (g < 0) join it, and the step is solved again until
nothing changes (Hintermueller, Ito, Kunisch, SIAM J. Optim. 13 (2002) 865: the primal-dual active
set, with the nonlinear problem in its inner loop). lam is the pressure of the last accepted step,
so that the penetration is the change of pressure in a step over the penalty k; where that is too
much lam takes over the pressure (`augment`) and the step is solved again.

Pressure drives lithium out of an interface by its kinetics, at once and at its own place. That part
of the coupling is in here: the offset of contact is o - c p, c the thickness per pressure that the
current of one step takes, so that p = (lam - k (d - o))/(1 + k c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from ssbmech.lithium.obstacle import Plane

if TYPE_CHECKING:
    from ssbmech.lithium.boundary import SurfaceNodes

Floats = NDArray[np.float64]


class Latch:
    """A ``problem.NodalLaw``: contact of one facet group with a plane, without friction.

    Args:
        plane: Of the obstacle.
        penalty: k [Pa/m].
        group: Facet group.
        first: Pressure of nodes that touch at the start [Pa].
        slack: Gap or penetration [m] that counts as none.
    """

    def __init__(
        self, plane: Plane, penalty: float, group: str, *, first: float, slack: float
    ) -> None:
        self.plane, self.penalty, self._group = plane, penalty, group
        self._first, self.slack = first, slack
        self.offset: Floats = np.zeros(0)
        self.compliance: Floats = np.zeros(0)
        self.multiplier: Floats = np.zeros(0)
        self._lam: Floats = np.zeros(0)
        self.active: NDArray[np.bool_] = np.zeros(0, bool)
        self.kept: NDArray[np.bool_] = np.zeros(0, bool)

    @property
    def group(self) -> str:
        """Facet group."""
        return self._group

    def bind(self, surface: SurfaceNodes) -> None:
        """See ``problem.NodalLaw``."""
        self.surface = surface
        self.offset = np.zeros(len(surface.coordinates))
        self.compliance = np.zeros(len(surface.coordinates))
        gap = self.plane.look(surface.coordinates).distance
        self.areas = surface.areas
        self.active = (gap < self.slack) & self.has_area
        self.multiplier = self._lam = np.where(self.active, self._first, 0.0)
        self.kept = self.active

    @property
    def areas(self) -> Floats:
        """Area of the plane that belongs to each node [m^2; m]; pressures are per this area."""
        return self._areas

    @areas.setter
    def areas(self, value: Floats) -> None:
        self._areas = value
        # a node on the axis has no area: nothing presses on it
        self.has_area = value > 1e-12 * value.max(initial=0.0)

    def gap(self, displacement: Floats) -> Floats:
        """Without pressure, at this rank's nodes [m]."""
        place = self.surface.coordinates + displacement
        return np.asarray(self.plane.look(place).distance - self.offset)

    def pressure(self, displacement: Floats) -> Floats:
        """[Pa], negative where a latched node is pulled."""
        pushed = self._lam - self.penalty * self.gap(displacement)
        return np.where(self.active, pushed / (1 + self.penalty * self.compliance), 0.0)

    def nodes(self, coordinates: Floats, displacement: Floats) -> tuple[Floats, Floats]:
        """See ``problem.NodalLaw``."""
        n = np.asarray(self.plane.look(coordinates + displacement).normal)
        force = (self.areas * self.pressure(displacement))[:, None] * n
        soft = self.penalty / (1 + self.penalty * self.compliance)
        k = np.where(self.active, soft * self.areas, 0.0)
        return force, k[:, None, None] * n[:, :, None] * n[:, None, :]

    # -- between solves ------------------------------------------------------------------------

    def restart(self) -> None:
        """Latch what was in contact at the end of the last accepted step."""
        self.active = self.kept

    def release(self) -> None:
        """Forget augmentations: lam is the pressure of the last accepted step again."""
        self._lam = self.multiplier

    def augment(self, displacement: Floats) -> None:
        """Let lam be the pressure that was found."""
        self._lam = self.pressure(displacement)

    def update(self, displacement: Floats) -> int:
        """Let nodes that are pulled go and take those that penetrate; returns how many."""
        p, g = self.pressure(displacement), self.gap(displacement)
        new = np.where(self.active, p >= 0, (g < -self.slack) & self.has_area)
        changed = int(np.sum(new != self.active))
        self.active = new
        return changed

    def penetration(self, displacement: Floats) -> float:
        """Largest violation of the constraint [m]: a gap of latched nodes, or a penetration."""
        g = self.gap(displacement) + self.compliance * self.pressure(displacement)
        off = np.where(self.active, np.abs(g), np.maximum(-g, 0.0))
        return float(off[self.has_area].max(initial=0.0))

    def accept(self, displacement: Floats) -> None:
        """Carry the pressures on to the next step."""
        self._lam = self.multiplier = self.pressure(displacement)
        self.kept = self.active

    def resume(self, multiplier: Floats, active: NDArray[np.bool_]) -> None:
        """Take over the pressures and the set of an accepted step."""
        self.multiplier = self._lam = multiplier
        self.kept = self.active = active
