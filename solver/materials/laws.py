"""Isotropic linear elasticity: constants and the conversions between them."""

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
