"""What moves in time: a frozen composition of elastic and flowing groups, loads and laws (SI)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain
from ssbmech.errors import CaseError, nearest
from ssbmech.formula import Formula
from ssbmech.problem import Eigenstrain, Material, SurfaceLoad

if TYPE_CHECKING:
    from ssbmech.lithium.boundary import SurfaceNodes

Floats = NDArray[Any]
#: A factor of time [s].
Factor = Callable[[float], float]

MODELS = ("plane_strain", "axisymmetric", "3d")


def always(time: float) -> float:
    """The factor of what does not change in time."""
    return 1.0


@dataclass(frozen=True)
class Flow:
    """What makes a cell group flow.

    Attributes:
        law: Flow law, see ``ssbmech.materials.flow``.
        finite: Whether its strains are finite (F = F^e F^p F^g); small otherwise.
    """

    law: Any
    finite: bool = False


@dataclass(frozen=True)
class Load:
    """A surface load with a factor of time.

    Pressure acts along the normal of the reference surface, per reference area (dead load).

    Attributes:
        surface: The load.
        factor: Of time; `BodySystem.set_factor` changes it between steps.
    """

    surface: SurfaceLoad
    factor: Factor = always


@dataclass(frozen=True)
class Misfit:
    """A constant eigenstrain of a cell group with a factor of time.

    Attributes:
        eigenstrain: Its components have to be constants.
        factor: Of time.
    """

    eigenstrain: Eigenstrain
    factor: Factor = always


@dataclass(frozen=True)
class Hold:
    """Displacement components of a facet group that are prescribed.

    Attributes:
        group: Facet group.
        value: Component number to displacement [m], times ``factor``.
        velocity: Component number to velocity [m/s] from the first step on, not times ``factor``.
        factor: Of time, for ``value``.
        key: Where it stands in the case, for messages.
    """

    group: str
    value: dict[int, Formula] = field(default_factory=dict)
    velocity: dict[int, Formula] = field(default_factory=dict)
    factor: Factor = always
    key: str = ""

    def __post_init__(self) -> None:
        both = sorted(set(self.value) & set(self.velocity))
        if both:
            raise CaseError(
                f"component {both[0]} of {self.group!r} has a value and a velocity",
                key=self.key, hint="Give one of them",
            )  # fmt: skip
        if not self.value and not self.velocity:
            raise CaseError(f"nothing is prescribed on {self.group!r}", key=self.key)


class NodalLaw(Protocol):
    """A force on the nodes of a surface that depends on their displacement: contact, spring."""

    @property
    def group(self) -> str:
        """Facet group on the surface of the body."""

    def bind(self, surface: SurfaceNodes) -> None:
        """Take over coordinates, areas and normals of this rank's nodes; called once."""

    def nodes(self, coordinates: Floats, displacement: Floats) -> tuple[Floats, Floats]:
        """Force on the body and stiffness at this rank's nodes; no collective calls.

        Args:
            coordinates: Reference coordinates [m], shape (n, dim).
            displacement: [m], shape (n, dim).

        Returns:
            Force [N; N/m of thickness in plane models; whole circle in axisymmetry], (n, dim), and
            *minus* its derivative by the displacement of the same node, (n, dim, dim).
        """


@dataclass(frozen=True)
class BodyProblem:
    """A body of elastic and flowing groups.

    Attributes:
        domain: Distributed mesh with named groups.
        model: One of ``MODELS``.
        materials: Elasticity by cell group; every cell group has one, with constant E.
        flows: Cell groups that flow.
        loads: Surface loads.
        holds: Prescribed displacements.
        misfits: Eigenstrains; those of one group add up.
        growth: Facet group to the flowing cell group that grows there (``growth.Growth``).
        laws: Nodal laws.
        rtol: Newton's tolerance, relative, see `newton`.
        limit: Newton iterations of a step.
        reuse: A factorisation is kept as long as an iteration leaves at most this share of the
            residual; 0: full Newton, a factorisation for every iteration. In 2-D the points cost
            as much as a factorisation; in 3-D 0.1 is faster.
    """

    domain: Domain
    model: str
    materials: dict[str, Material]
    flows: dict[str, Flow] = field(default_factory=dict)
    loads: tuple[Load, ...] = ()
    holds: tuple[Hold, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    growth: dict[str, str] = field(default_factory=dict)
    laws: tuple[NodalLaw, ...] = ()
    rtol: float = 1e-10
    limit: int = 40
    reuse: float = 0.03

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            hint = "Use plane_strain" if self.model == "plane_stress" else ""
            raise CaseError(
                "bodies that flow have no such model", key="geometry.model", value=self.model,
                allowed=", ".join(MODELS), hint=hint,
            )  # fmt: skip
        groups = self.domain.cell_groups
        for name in groups:
            self._check_material(name)
        for name in self.flows:
            if name not in groups:
                raise CaseError(
                    f"there is no cell group {name!r} that could flow",
                    key=f"materials.{name}.flow", hint=nearest(name, groups),
                )  # fmt: skip
        for facets, cells in self.growth.items():
            if cells not in self.flows:
                raise CaseError(
                    f"lithium that grows at {facets!r} has to flow, and {cells!r} does not",
                    key="growth", value=cells, allowed=", ".join(self.flows) or "no group flows",
                )  # fmt: skip
        for misfit in self.misfits:
            if any(not f.is_constant for f in misfit.eigenstrain.components.values()):
                raise CaseError(
                    "an eigenstrain in time has to be constant in space",
                    key="eigenstrain", value=misfit.eigenstrain.group,
                )  # fmt: skip

    def _check_material(self, name: str) -> None:
        key = f"materials.{name}"
        if name not in self.materials:
            raise CaseError(f"the group {name!r} has no material", key=key)
        material = self.materials[name]
        if material.cubic is not None:
            raise CaseError(
                "crystals are not combined with lithium that flows yet", key=key,
                hint="Give E and nu of the aggregate",
            )  # fmt: skip
        if not material.E.is_constant:
            raise CaseError("a graded E is not combined with lithium that flows yet", key=key)

    @property
    def modulus(self) -> float:
        """Reference stress [Pa]: the largest Young's modulus."""
        return max(self.young(name) for name in self.domain.cell_groups)

    def young(self, name: str) -> float:
        """Young's modulus of a cell group [Pa]."""
        return float(self.materials[name].E.value(np.zeros((1, 3)))[0])

    def moduli(self, name: str) -> tuple[float, float]:
        """Shear and bulk modulus of a cell group [Pa]."""
        E, nu = self.young(name), self.materials[name].nu
        return E / (2 * (1 + nu)), E / (3 * (1 - 2 * nu))

    @property
    def dim(self) -> int:
        """Number of displacement components."""
        return int(self.domain.mesh.geometry.dim)

    @property
    def force_unit(self) -> float:
        """Newtons (per metre of thickness in plane models) per unit of the assembled forces."""
        return self.modulus * self.measure / self.domain.length

    @property
    def area_unit(self) -> float:
        """Square metres (metres in plane models) per unit of an assembled area."""
        return self.measure / self.domain.length

    @property
    def measure(self) -> float:
        """Cubic metres (square metres in plane models) per unit of an assembled volume."""
        length = self.domain.length
        if self.model == "axisymmetric":  # integrals are per radian
            return 2 * np.pi * length**3
        return length**self.domain.tdim

    def misfit_at(self, name: str, time: float) -> Floats:
        """Sum of the eigenstrains of a cell group, shape (3, 3)."""
        from ssbmech.problem import COMPONENTS

        total = np.zeros((3, 3))
        for misfit in self.misfits:
            if misfit.eigenstrain.group != name:
                continue
            for component, formula in misfit.eigenstrain.components.items():
                i, j = COMPONENTS[component]
                value = float(formula.value(np.zeros((1, 3)))[0]) * misfit.factor(time)
                for a, b in {(i, j), (j, i)}:
                    total[a, b] += value
        return total
