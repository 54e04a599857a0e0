"""Linear elasticity, isotropic and cubic: constants and the conversions between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ssbmech.errors import MaterialError


@dataclass(frozen=True)
class Elastic:
    """An isotropic elastic material.

    Attributes:
        E: Young's modulus [Pa], positive.
        nu: Poisson's ratio, above -1 and below 0.5.
        expansion: Linear thermal expansion coefficient [1/K].

    Raises:
        MaterialError: If a constant is outside its range.
    """

    E: float
    nu: float
    expansion: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.E) and self.E > 0.0):
            raise MaterialError("Young's modulus must be positive", key="E", value=self.E,
                                allowed="above 0 Pa")  # fmt: skip
        if not -1.0 < self.nu < 0.5:
            raise MaterialError(
                "Poisson's ratio is outside the range of a stable compressible solid",
                key="nu",
                value=self.nu,
                allowed="above -1 and below 0.5",
                hint="Use 0.49 for a nearly incompressible polymer",
            )
        if not math.isfinite(self.expansion):
            raise MaterialError("the expansion must be a number", key="expansion",
                                value=self.expansion, allowed="finite, in 1/K")  # fmt: skip

    @property
    def mu(self) -> float:
        """Shear modulus [Pa]."""
        return self.E / (2.0 * (1.0 + self.nu))

    @property
    def lmbda(self) -> float:
        """First Lamé constant [Pa] (plane strain, axisymmetric and 3-D)."""
        return self.E * self.nu / ((1.0 + self.nu) * (1.0 - 2.0 * self.nu))

    @property
    def lmbda_plane_stress(self) -> float:
        """First Lamé constant that makes the plane-strain law one of plane stress [Pa]."""
        return 2.0 * self.lmbda * self.mu / (self.lmbda + 2.0 * self.mu)

    @property
    def bulk(self) -> float:
        """Bulk modulus [Pa]."""
        return self.E / (3.0 * (1.0 - 2.0 * self.nu))

    @property
    def plane_strain_modulus(self) -> float:
        """E/(1 - nu²) [Pa]."""
        return self.E / (1.0 - self.nu**2)

    def effective_modulus(self, model: str = "plane_strain") -> float:
        """Return E′ [Pa], the modulus in J = K_I²/E′.

        Args:
            model: ``"plane_stress"``, or ``"plane_strain"``, ``"axisymmetric"``, ``"3d"``, which
                all have plane strain at the crack front.

        Raises:
            MaterialError: If the model is unknown.
        """
        if model == "plane_stress":
            return self.E
        if model in ("plane_strain", "axisymmetric", "3d"):
            return self.plane_strain_modulus
        raise MaterialError("unknown model", key="model", value=model,
                            allowed="plane_strain, plane_stress, axisymmetric, 3d")  # fmt: skip

    def kolosov(self, model: str = "plane_strain") -> float:
        """Return Kolosov's constant: 3 - 4 nu, or (3 - nu)/(1 + nu) in plane stress."""
        if model == "plane_stress":
            return (3.0 - self.nu) / (1.0 + self.nu)
        return 3.0 - 4.0 * self.nu

    def energy_release(self, K_I: float, model: str = "plane_strain") -> float:
        """Return K_I²/E′ [J/m²] for K_I in Pa√m."""
        return K_I**2 / self.effective_modulus(model)


def check_cubic(C11: float, C12: float, C44: float, key: str = "C11, C12, C44") -> None:
    """Refuse the constants of a cubic crystal that is not stable (Born & Huang 1954).

    Args:
        C11: [Pa].
        C12: [Pa].
        C44: [Pa].
        key: Where they stand, for the message.

    Raises:
        MaterialError: If one is not a number, or a deformation would release energy.
    """
    rules = (
        (all(map(math.isfinite, (C11, C12, C44))), "a stiffness must be a number", "finite"),
        (C44 > 0.0, "C44 must be positive in a stable crystal", "C44 above 0 Pa"),
        (C11 > abs(C12), "C11 must exceed |C12| in a stable crystal", "C11 above |C12|"),
        (C11 + 2.0 * C12 > 0.0, "C11 + 2 C12 must be positive in a stable crystal",
         "C12 above -C11/2"),
    )  # fmt: skip
    for kept, message, allowed in rules:
        if not kept:
            given = ", ".join(f"{v / 1e9:g}" for v in (C11, C12, C44)) + " GPa"
            raise MaterialError(message, key=key, value=given, allowed=allowed)


@dataclass(frozen=True)
class Cubic:
    """Elastic constants of a cubic crystal in its own axes.

    Attributes:
        C11: [Pa].
        C12: [Pa]; may be negative.
        C44: [Pa].

    Raises:
        MaterialError: If the crystal is not stable (Born & Huang 1954).
    """

    C11: float
    C12: float
    C44: float

    def __post_init__(self) -> None:
        check_cubic(self.C11, self.C12, self.C44)

    @property
    def excess(self) -> float:
        """C11 - C12 - 2 C44 [Pa], the part that is not isotropic."""
        return self.C11 - self.C12 - 2.0 * self.C44

    @property
    def zener(self) -> float:
        """Zener's ratio 2 C44/(C11 - C12): 1 of an isotropic crystal."""
        return 2.0 * self.C44 / (self.C11 - self.C12)

    @property
    def is_isotropic(self) -> bool:
        """Whether the constants are those of an isotropic body, to rounding."""
        return abs(self.excess) <= 1e-9 * self.C11

    @property
    def bulk(self) -> float:
        """Bulk modulus (C11 + 2 C12)/3 [Pa]: of the crystal and of any aggregate of it."""
        return (self.C11 + 2.0 * self.C12) / 3.0

    @property
    def shear_voigt(self) -> float:
        """Shear modulus of an untextured aggregate under uniform strain (Voigt 1889) [Pa]."""
        return (self.C11 - self.C12 + 3.0 * self.C44) / 5.0

    @property
    def shear_reuss(self) -> float:
        """Shear modulus of an untextured aggregate under uniform stress (Reuss 1929) [Pa]."""
        soft = self.C11 - self.C12
        return 5.0 * soft * self.C44 / (4.0 * self.C44 + 3.0 * soft)

    def modulus_along(self, direction: tuple[float, float, float]) -> float:
        """Young's modulus along a direction of the crystal [Pa] (Nye 1957).

        Args:
            direction: Crystal direction, of any length.
        """
        n = math.sqrt(sum(c * c for c in direction))
        a, b, c = ((v / n) ** 2 for v in direction)
        third = 1.0 / (9.0 * self.bulk)
        s11 = third + 2.0 / (3.0 * (self.C11 - self.C12))
        s12 = third - 1.0 / (3.0 * (self.C11 - self.C12))
        return 1.0 / (s11 - 2.0 * (s11 - s12 - 0.5 / self.C44) * (a * b + b * c + c * a))

    @property
    def hill(self) -> Elastic:
        """Isotropic average of an untextured aggregate: mean of Voigt and Reuss (Hill 1952)."""
        G = 0.5 * (self.shear_voigt + self.shear_reuss)
        K = self.bulk
        return Elastic(9.0 * K * G / (3.0 * K + G), (3.0 * K - 2.0 * G) / (2.0 * (3.0 * K + G)))
