"""What is solved: a layer that grows into its electrolyte, as a frozen composition (SI values).

Lengths are those of the electrolyte, also where it has been used up. A layer that took the depth d
is J d thick, J = 1 + dV/V, so that its conductivities enter divided by J and its volume per lithium
is that of the electrolyte: a flat front is then that of `ssbmech.interphase.laws`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain
from ssbmech.errors import CaseError
from ssbmech.interphase.laws import MIEC, GrowthLaw, MixedControl, Parabolic

#: Smallest resistance of the reaction, in widths of the front over `Transport.rough`.
SMALLEST_REACTION = 0.02


@dataclass(frozen=True)
class Transport:
    """What passes the layer, in depths of electrolyte used up.

    Attributes:
        drive: U [V] against lithium below which the electrolyte is reduced; 1 for one carrier.
        electronic: Conductivity of the layer for what comes from lithium and ends at the front:
            electrons [S/m]; of a neutral carrier its growth constant [m^2/s].
        resistance: Of the reaction [ohm m^2]; of a neutral carrier 1/k_s [s/m].
        volume: Depth per charge, V/F [m^3/C]; 1 for a neutral carrier.
        ionic: Conductivity of the layer for ions [S/m]; None for a neutral carrier.
        electrolyte: Conductivity of the electrolyte for ions [S/m], by group.
        interface_resistance: Z between lithium and the layer [ohm m^2].
    """

    drive: float
    electronic: float
    resistance: float
    volume: float
    ionic: float | None = None
    electrolyte: dict[str, float] = field(default_factory=dict)
    interface_resistance: float = 0.0

    @property
    def carriers(self) -> int:
        """2: ions and electrons; 1: something neutral."""
        return 1 if self.ionic is None else 2

    @property
    def ambipolar(self) -> float:
        """Conductivity for what the reaction takes: 1/(1/s_e + 1/s_i)."""
        if self.ionic is None:
            return self.electronic
        return 1.0 / (1.0 / self.electronic + 1.0 / self.ionic)

    @property
    def rough(self) -> float:
        """Conductivity that short waves of the front feel: ions go around through both sides."""
        if self.ionic is None:
            return self.electronic
        return 1.0 / (1.0 / self.electronic + 1.0 / (self.ionic + max(self.electrolyte.values())))

    @classmethod
    def of_law(
        cls,
        law: GrowthLaw,
        growth: float,
        electrolyte: dict[str, float],
        *,
        key: str = "interphase.law",
    ) -> Transport:
        """The transport that a growth law stands for.

        Args:
            law: Parabolic, mixed control or MIEC, of the thickness.
            growth: J = 1 + dV/V.
            electrolyte: Ionic conductivity of the electrolyte by group [S/m].
            key: Where the law stands in the case.

        Raises:
            CaseError: For a law that knows a thickness and no transport.
        """
        if isinstance(law, MIEC):
            return cls(
                law.potential_drop, law.electronic_conductivity / growth, law.reaction_resistance,
                law.volume_per_charge / growth, law.ionic_conductivity / growth,
                dict(electrolyte), law.interface_resistance,
            )  # fmt: skip
        if isinstance(law, MixedControl):
            return cls(1.0, law.k / growth**2, growth / law.k_s, 1.0)
        if isinstance(law, Parabolic):
            return cls(1.0, law.k / growth**2, 0.0, 1.0)
        raise CaseError(
            "this law is one of the thickness, and a rough front has none", key=key,
            value=type(law).__name__, allowed="miec, parabolic, mixed_control",
        )  # fmt: skip


@dataclass(frozen=True)
class Product:
    """Mechanics of the layer.

    Attributes:
        E: Young's modulus [Pa].
        nu: Poisson's ratio.
        growth: Growth strain, retained, 3 x 3.
        viscosity: Of shear flow of the layer, s = 2 eta e_dot [Pa s]; inf: elastic.
    """

    E: float
    nu: float
    growth: NDArray[np.float64]
    viscosity: float = math.inf


@dataclass(frozen=True)
class FrontProblem:
    """A layer that grows on lithium surfaces.

    Attributes:
        domain: Mesh of what conducts.
        model: Mechanical model, for the measure of volumes.
        transport: What passes the layer.
        lithium: Facet groups of lithium's surface, from which the layer grows.
        counter: Facet groups of the counter electrode; () for a neutral carrier.
        start: Share of the layer at the start at (n, 3) places [m]; see `shape.initial_share`.
        width: l of the front [m].
        growth: J = 1 + dV/V.
        tolerance: Allowed local error of a step: of the depth, relative to the width.
        stride: Largest way of the front in a step, in widths.
        interface_energy: gamma of the front [J/m^2].
        capillary: M/(l v), how fast the profile relaxes, see `ssbmech.physics.diffuse_front`.
    """

    domain: Domain
    model: str
    transport: Transport
    lithium: tuple[str, ...]
    counter: tuple[str, ...]
    start: NDArray[np.float64]
    width: float
    growth: float = 1.0
    tolerance: float = 1e-3
    stride: float = 0.5
    interface_energy: float = 0.0
    capillary: float = 0.5

    @property
    def resistance(self) -> float:
        """Of the reaction as it is solved [ohm m^2], not below what the width can show."""
        t = self.transport
        return max(t.resistance, SMALLEST_REACTION * self.width / t.rough)

    @property
    def raised(self) -> bool:
        """Whether the resistance of the reaction is larger than that of the law."""
        return self.resistance > self.transport.resistance * (1.0 + 1e-9)

    @property
    def capillary_drive(self) -> float:
        """Curvature [1/m] to what it takes from the drive, over the drive [m]: gamma V/(F U)."""
        return self.interface_energy * self.transport.volume / self.transport.drive

    # -- scales: lengths by the domain's, potentials by the drive, conductivities by the layer's --

    @property
    def current_scale(self) -> float:
        """[A/m^2]."""
        t = self.transport
        return t.electronic * t.drive / self.domain.length

    @property
    def time_scale(self) -> float:
        """Time in which a current of 1 moves the front by 1 [s]."""
        return self.domain.length / (self.transport.volume * self.current_scale)
