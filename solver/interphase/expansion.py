"""From the volume a reaction makes to the growth strain of the layer.

Isotropic: e = (1 + dV/V)^(1/3) - 1. With shares w of the three directions, summing to one,
e_i = (1 + dV/V)^w_i - 1, so that (1 + e_1)(1 + e_2)(1 + e_3) = 1 + dV/V whatever the shares.
Where lithium arrives as ions from afar, dV/V is relative to the electrolyte; where it is taken from
the metal beside the layer, to electrolyte and lithium together, and most reactions shrink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import CaseError
from ssbmech.fracture.porz import LITHIUM_MOLAR_VOLUME

#: Linear strain beyond which small-strain results are warned about: 5 % is 16 % of volume.
WARN = 0.05
#: Linear strain beyond which small strain is refused: there 3 e and the volume differ by a sixth.
REFUSE = 0.20


@dataclass(frozen=True)
class Expansion:
    """Growth strain of a layer.

    Attributes:
        volume_change: dV/V, relative to what is meant by the reference; above -1.
        normal_share: Share of the normal of the layer in ln(1 + dV/V): 1/3 is isotropic, 1 all
            in the normal direction (nothing pushes in the plane), 0 all in the plane.
        retained: Share of the strain that a run keeps, by which small strain is judged there; None:
            a flat layer without a run, all of it. The strains below are whole in any case.
        table: Of the case, in which that share stands.
    """

    volume_change: float
    normal_share: float = 1.0 / 3.0
    retained: float | None = None
    table: str = "[interphase.grown]"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.volume_change) and self.volume_change > -1.0):
            raise CaseError("a layer cannot lose all its volume", key="expansion.volume_change",
                            value=self.volume_change, allowed="above -1")  # fmt: skip
        if not 0.0 <= self.normal_share <= 1.0:
            raise CaseError("is out of range", key="expansion.normal_share",
                            value=self.normal_share, allowed="0 to 1")  # fmt: skip

    @property
    def normal(self) -> float:
        """Growth strain along the normal."""
        return math.expm1(self.normal_share * math.log1p(self.volume_change))

    @property
    def in_plane(self) -> float:
        """Growth strain of each direction in the plane."""
        return math.expm1(0.5 * (1.0 - self.normal_share) * math.log1p(self.volume_change))

    @property
    def largest(self) -> float:
        """The largest of them in size."""
        return max(self.normal, self.in_plane, key=abs)

    def tensor(self, normal: ArrayLike) -> NDArray:
        """e_n n n + e_t (1 - n n).

        Args:
            normal: Unit normals, (n, 3) or (3,).

        Returns:
            (n, 3, 3) or (3, 3).
        """
        n = np.asarray(normal, float)
        outer = n[..., :, None] * n[..., None, :]
        return self.normal * outer + self.in_plane * (np.eye(3) - outer)

    def gradient(self, normal: ArrayLike) -> NDArray:
        """F^g of finite strain: 1 + `tensor`; its determinant is 1 + dV/V."""
        return np.eye(3) + self.tensor(normal)

    def consumed(self, thickness: ArrayLike) -> NDArray:
        """Depth of electrolyte [m] that a layer of this thickness [m] has used up.

        Held in the plane and free along the normal; exact for rigid surroundings in the plane.
        Meant for a volume change relative to the electrolyte.
        """
        return np.asarray(thickness, float) / (1.0 + self.volume_change)

    def small_strain(self, *, finite: bool, key: str = "interphase.expansion") -> str | None:
        """Whether small strain may be used for the strain that is retained.

        Args:
            finite: Whether finite strain was chosen; then all is well.
            key: For the message.

        Returns:
            A warning with numbers beyond 5 %, else None.

        Raises:
            CaseError: Beyond 20 % without finite strain; it says what helps in a run, and what
                without one.
        """
        share = 1.0 if self.retained is None else self.retained
        e = share * self.largest
        if finite or abs(e) <= WARN:
            return None
        numbers = self._numbers(share, e)
        if abs(e) <= REFUSE:
            return f"{numbers}; errors of this size are to be expected{self._way_out('; ')}"
        way = self._way_out("")
        kept = "" if self.retained is None else " of what is retained"
        raise CaseError(
            f"the expansion is beyond small strain; {numbers}", key=key, value=self.volume_change,
            allowed=f"growth strains up to {REFUSE:.0%}{kept}", hint=way[:1].upper() + way[1:],
        )  # fmt: skip

    def _numbers(self, share: float, e: float) -> str:
        """What small strain makes of the volume, against what it is."""
        n, t = share * self.normal, share * self.in_plane
        volume = (1.0 + n) * (1.0 + t) ** 2 - 1.0
        kept = "" if self.retained is None else f" retained ({share:.3g} of {self.largest:.2%})"
        made = "the reaction makes" if self.retained is None else "what is retained makes"
        return (
            f"growth strain {e:.2%}{kept}: small strain takes a volume change of {n + 2.0 * t:.1%} "
            f"where {made} {volume:.1%}"
        )

    def _way_out(self, before: str) -> str:
        """What helps: a run with a growing layer has no finite strain, the flat layer has."""
        if self.retained is None:
            return f'{before}choose strain = "finite" in [interphase.expansion]'
        most = REFUSE if self.retained * abs(self.largest) > REFUSE else WARN
        return (
            f"{before}a smaller share retained in {self.table} (up to "
            f"{min(1.0, most / abs(self.largest)):.3g} for {most:.0%}), or a smaller volume_change"
        )


def linear_strain(volume_change: float) -> float:
    """(1 + dV/V)^(1/3) - 1."""
    return Expansion(volume_change).normal


def shared_strain(volume_change: float, shares: Sequence[float]) -> NDArray:
    """Growth strains of three directions, (3,), whose product conserves the volume change.

    Args:
        volume_change: dV/V, above -1.
        shares: Of ln(1 + dV/V), three that sum to one.

    Raises:
        CaseError: For other shares.
    """
    w = np.asarray(shares, float)
    if w.shape != (3,) or not np.isfinite(w).all() or abs(w.sum() - 1.0) > 1e-9:
        raise CaseError("the shares of three directions must sum to one",
                        key="expansion.shares", value=tuple(shares))  # fmt: skip
    if not volume_change > -1.0:
        raise CaseError("a layer cannot lose all its volume", key="expansion.volume_change",
                        value=volume_change, allowed="above -1")  # fmt: skip
    return np.expm1(w * math.log1p(volume_change))


def volume_change(
    electrolyte: float,
    product: float,
    lithium: float,
    *,
    with_lithium: bool = False,
    lithium_volume: float = LITHIUM_MOLAR_VOLUME,
) -> float:
    """dV/V of electrolyte + n Li -> products.

    Args:
        electrolyte: Volume of the electrolyte that reacts [m^3/mol of reaction].
        product: Volume of all products [m^3/mol of reaction].
        lithium: n, moles of lithium per mole of reaction.
        with_lithium: Relative to electrolyte and lithium, not to the electrolyte alone.
        lithium_volume: V_m [m^3/mol].

    Raises:
        CaseError: For volumes that are not positive.
    """
    given = {"electrolyte_volume": electrolyte, "product_volume": product, "lithium": lithium,
             "lithium_volume": lithium_volume}  # fmt: skip
    for name, value in given.items():
        if not (math.isfinite(value) and value > 0.0):
            raise CaseError("must be positive", key=f"expansion.{name}", value=value,
                            allowed="above 0")  # fmt: skip
    before = electrolyte + (lithium * lithium_volume if with_lithium else 0.0)
    return product / before - 1.0
