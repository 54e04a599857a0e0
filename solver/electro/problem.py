"""What is solved: a frozen composition of domain, conductivities and electrodes (SI values).

Signs inside the solver: a current density is positive when anodic (stripping), from the metal into
the electrolyte. Plating is given as a positive number in the case file and in the summary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain
from ssbmech.formula import Formula
from ssbmech.fracture.porz import LITHIUM_MOLAR_VOLUME
from ssbmech.physics import kinetics

Kinetics = Literal["butler_volmer", "linear", "none"]


@dataclass(frozen=True)
class Electrode:
    """A lithium surface (or another electrode) of the electrolyte.

    Attributes:
        name: For results.
        groups: Facet groups that it consists of.
        kinetics: ``"none"`` is the limit of no resistance: phi_e = phi_m - V sigma_n/F.
        i0: Exchange current density of ``"butler_volmer"`` [A/m^2].
        resistance: Area-specific resistance of ``"linear"`` [ohm m^2].
        beta: Symmetry factor of Butler-Volmer.
        potential: Given potential phi_m of the metal [V]; None where the current is given.
        current_density: Given mean current density [A/m^2], anodic positive; None with a potential.
        normal_stress: sigma_n of the surface [Pa], tension positive, or None.
        layer: Area-specific resistance of a reaction layer in series with the kinetics at every
            point [ohm m^2], which `ElectricSystem.set_layer` may change; None without a layer.
        coupled: Whether normal stress and activity at its vertices change between solves; see
            `ElectricSystem.set_surface`.
        key: Where it stands in the case, for messages.
    """

    name: str
    groups: tuple[str, ...]
    kinetics: Kinetics
    i0: float = 0.0
    resistance: float = 0.0
    beta: float = 0.5
    potential: float | None = 0.0
    current_density: float | None = None
    normal_stress: Formula | None = None
    layer: float | None = None
    coupled: bool = False
    key: str = ""

    @property
    def galvanostatic(self) -> bool:
        """Whether its current is given and its potential unknown."""
        return self.current_density is not None


@dataclass(frozen=True)
class BoundaryResistance:
    """Facets inside the conductor at which the potential jumps by Z i; the mesh is cut there.

    Attributes:
        name: Facet group of the mesh before the cut; its sides are ``name_lower``, ``name_upper``.
        resistance: Area-specific resistance Z [ohm m^2].
        pairs: Vertices of each facet on the lower and on the upper side, in the same order, as
            node numbers of the domain's mesh, shape (n, 2, dim); the same on every rank.
        key: Where it stands in the case, for messages.
    """

    name: str
    resistance: float
    pairs: NDArray[np.int64]
    key: str = ""


@dataclass(frozen=True)
class ElectricProblem:
    """Steady conduction in a domain of which every cell conducts ions.

    Attributes:
        domain: Distributed mesh of the conducting cell groups alone.
        model: Mechanical model, for what a 2-D mesh stands for.
        conductivity: Of each cell group [S/m]; of crystals the mean of their principal values.
        electrodes: At least two; other surfaces insulate. At most one is galvanostatic.
        temperature: [K].
        molar_volume: V_m - V_+ of the stress term [m^3/mol].
        crystals: Principal conductivities [S/m] along the crystal axes, of groups that are
            crystals: in the orientation of each grain, without grains along the mesh axes.
        boundaries: Facets with a resistance inside the conductor.
        nodes: Number in the whole mesh of each node of the domain's file, where the domain is a
            part of it or cut; None where they are the same.
        degree: Polynomial degree of the potential.
        linear: "auto", "direct" or "iterative".
        petsc: PETSc options without prefix.
    """

    domain: Domain
    model: str
    conductivity: dict[str, float]
    electrodes: tuple[Electrode, ...]
    temperature: float = 298.15
    molar_volume: float = LITHIUM_MOLAR_VOLUME
    crystals: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    boundaries: tuple[BoundaryResistance, ...] = ()
    nodes: NDArray[np.int64] | None = None
    degree: int = 2
    linear: str = "auto"
    petsc: dict[str, str] = field(default_factory=dict)

    @property
    def driven(self) -> Electrode:
        """The electrode with a given current, or with a given potential that is not the zero."""
        for electrode in self.electrodes:
            if electrode.galvanostatic:
                return electrode
        return max(self.electrodes, key=lambda e: abs(e.potential or 0.0))

    @property
    def is_linear(self) -> bool:
        """Whether one linear solve suffices."""
        return all(e.kinetics != "butler_volmer" for e in self.electrodes)

    @property
    def voltage(self) -> float:
        """Reference potential RT/F [V]."""
        return kinetics.thermal_voltage(self.temperature)

    @property
    def best(self) -> float:
        """Reference conductivity: the largest of any group in any direction [S/m]."""
        return max(*self.conductivity.values(), *(max(k) for k in self.crystals.values()), 0.0)

    @property
    def current_scale(self) -> float:
        """Reference current density kappa RT/(F L) [A/m^2]."""
        return self.best * self.voltage / self.domain.length

    @property
    def area_scale(self) -> float:
        """Square metres per unit of an integral over a surface [m^2, or m^2 per m of thickness]."""
        length = self.domain.length
        if self.model == "axisymmetric":
            return 2 * np.pi * length**2
        return length ** (self.domain.tdim - 1)

    @property
    def current_unit(self) -> str:
        """Unit of a total current."""
        return "A/m" if self.model.startswith("plane") else "A"

    @property
    def resistance_unit(self) -> str:
        """Unit of a resistance."""
        return "ohm*m" if self.model.startswith("plane") else "ohm"
