r"""Contact of a lithium surface with a rigid obstacle, node by node, in NumPy.

A surface node at X, displaced by u, with an offset h (thickness that was plated there and is not in
the mesh; negative where it was stripped) has

    gap g = d(X + u) - h >= 0,   pressure p >= 0,   p g = 0,

d the signed distance of the obstacle. Lithium does not adhere: p is never negative.

Method: a penalty with augmentation. In Newton's iteration p = max(0, lam - k g); after it lam
becomes p, until no node has more penetration than a tolerance (Uzawa's method). Chosen over
a primal-dual active set with multipliers as unknowns because (1) a law of this form adds blocks on
the diagonal of the matrix and nothing else: no saddle point, no unknowns that appear and vanish, no
rows to be exchanged between ranks; (2) with a direct solver the penalty can be so stiff that one or
two augmentations are enough, and Newton with max() *is* the primal-dual active-set iteration;
(3) frictionless contact is the gradient of a potential, so that the tangent, with the curvature of
the obstacle, is symmetric. The price, a small penetration, is bounded by the tolerance.

Tractions are forces per area of the reference surface, in the direction of the obstacle's normal at
the present place; the true pressure follows from present areas (`tributary.tributary`). Sticking
holds a node in the tangent plane where it was when it came into contact, by the same method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError
from ssbmech.lithium.obstacle import Obstacle

Floats = NDArray[np.float64]
Friction = Literal["none", "stick"]
FRICTION = ("none", "stick")


@dataclass(frozen=True)
class Held:
    """What contact remembers of the nodes of a surface.

    Attributes:
        pressure: Multiplier lam [Pa], shape (n,).
        shear: Multiplier of the tangential traction [Pa], shape (n, dim); zero without friction.
        anchor: Where a sticking node is held [m], shape (n, dim).
    """

    pressure: Floats
    shear: Floats
    anchor: Floats


@dataclass(frozen=True)
class Touch:
    """Contact at the nodes of a surface in one state.

    Attributes:
        gap: [m], negative: penetration, shape (n,).
        pressure: [Pa] per reference area, never negative, shape (n,).
        active: Whether a node is in contact, shape (n,).
        normal: Away from the obstacle, shape (n, dim).
        traction: On the lithium [Pa], shape (n, dim).
        stiffness: Minus the derivative of the traction by the displacement [Pa/m], (n, dim, dim).
    """

    gap: Floats
    pressure: Floats
    active: NDArray[np.bool_]
    normal: Floats
    traction: Floats
    stiffness: Floats


@dataclass(frozen=True)
class Contact:
    """The law of contact with an obstacle.

    Attributes:
        obstacle: The surface.
        penalty: k [Pa/m], see `penalty_of`.
        friction: ``"none"``: slides freely; ``"stick"``: does not slide while in contact.
    """

    obstacle: Obstacle
    penalty: float
    friction: Friction = "none"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.penalty) and self.penalty > 0):
            raise CaseError(
                "the penalty of contact has to be positive", key="contact.penalty",
                value=self.penalty, allowed="above 0 Pa/m",
            )  # fmt: skip
        if self.friction not in FRICTION:
            raise CaseError(
                "unknown friction", key="contact.friction", value=self.friction,
                allowed=" or ".join(repr(f) for f in FRICTION),
            )  # fmt: skip

    def start(self, x: Floats, seed: float = 0.0) -> Held:
        """Nothing carried yet, at present places x of shape (n, dim).

        Args:
            x: Places [m].
            seed: Pressure [Pa] of nodes that touch, which makes them count as in contact.
        """
        touching = self.obstacle.look(x).distance * self.penalty < 0.5 * seed
        return Held(np.where(touching, seed, 0.0), np.zeros(x.shape), np.array(x, dtype=float))

    def touch(self, x: Floats, offset: Floats | float, held: Held) -> Touch:
        """Pressure, traction and tangent at present places.

        Args:
            x: Present places X + u [m], shape (n, dim).
            offset: h [m], one value or shape (n,).
            held: Multipliers and anchors.
        """
        seen = self.obstacle.look(x)
        gap = seen.distance - offset
        pushed = held.pressure - self.penalty * gap
        # p = 0 at the very edge counts as open: a surface that only touches carries no stiffness
        active = pushed > 0
        pressure = np.where(active, pushed, 0.0)
        normal = seen.normal
        traction = pressure[:, None] * normal
        stiffness = (
            self.penalty * normal[:, :, None] * normal[:, None, :]
            - pressure[:, None, None] * seen.hessian
        )
        if self.friction == "stick":
            across, shear = self._stick(x, held)
            traction = traction + shear
            stiffness = stiffness + self.penalty * across
        return Touch(
            gap, pressure, active, normal,
            np.where(active[:, None], traction, 0.0),
            np.where(active[:, None, None], stiffness, 0.0),
        )  # fmt: skip

    def _stick(self, x: Floats, held: Held) -> tuple[Floats, Floats]:
        """Projector on the tangent plane at the anchors, and the tangential traction.

        The plane is that of the anchor and not of the present place: a sticking node does not leave
        it, and the tangent stays symmetric.
        """
        n = self.obstacle.look(held.anchor).normal
        across = np.eye(x.shape[1]) - n[:, :, None] * n[:, None, :]
        pulled = held.shear - self.penalty * (x - held.anchor)
        return across, np.einsum("nij,nj->ni", across, pulled)

    def augmented(self, x: Floats, offset: Floats | float, held: Held) -> Held:
        """Multipliers after Newton's method converged: the tractions that it found."""
        now = self.touch(x, offset, held)
        shear = now.traction - now.pressure[:, None] * now.normal
        return Held(now.pressure, shear, held.anchor)

    def settled(self, x: Floats, offset: Floats | float, held: Held) -> Held:
        """What is remembered when a step is accepted: nodes out of contact follow their place."""
        now = self.augmented(x, offset, held)
        open_ = now.pressure <= 0
        anchor = np.where(open_[:, None], x, held.anchor)
        return Held(now.pressure, np.where(open_[:, None], 0.0, now.shear), anchor)

    def violation(self, x: Floats, offset: Floats | float, held: Held) -> float:
        """How far the constraints are from fulfilled [m]: the change of gap that is still left.

        A node in contact should have gap 0 (and, sticking, be at its anchor); an open one no
        penetration.
        """
        now = self.touch(x, offset, held)
        off = np.where(now.active, np.abs(now.gap), np.maximum(-now.gap, 0.0))
        if self.friction == "stick":
            n = self.obstacle.look(held.anchor).normal
            moved = x - held.anchor
            slid = np.linalg.norm(moved - np.einsum("ni,ni->n", moved, n)[:, None] * n, axis=1)
            off = np.maximum(off, np.where(now.active, slid, 0.0))
        return float(off.max(initial=0.0))


def penalty_of(E: float, size: float, factor: float = 100.0) -> float:
    """Penalty [Pa/m]: ``factor`` times the stiffness E/size of an element beside the surface.

    The penetration before augmentation is then size p/(factor E): at 10 MPa on lithium of 5 GPa and
    100-fold, 2e-5 of an element.

    Args:
        E: Young's modulus of the softer body [Pa].
        size: Of its elements at the surface [m].
        factor: How much stiffer than an element.
    """
    return factor * E / size
