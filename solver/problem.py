"""What is solved: a frozen composition of domain, materials, loads and constraints (SI values)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain
from ssbmech.formula import Formula
from ssbmech.materials.laws import Cubic
from ssbmech.physics import elasticity

#: Where each name of a strain component stands in a 3 x 3 tensor.
COMPONENTS = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "xy": (0, 1), "yz": (1, 2), "xz": (0, 2)}


@dataclass(frozen=True)
class Material:
    """Linear elasticity of one cell group: isotropic, or crystals with an orientation each.

    Attributes:
        E: Young's modulus [Pa], constant or a formula of the coordinates (a graded material); of
            crystals the average of an untextured aggregate, as a measure of their stiffness.
        nu: Poisson's ratio, likewise.
        cubic: Constants of cubic crystals, or None for an isotropic material. Each grain of the
            mesh has its axes; cells outside grains have those of the mesh.
    """

    E: Formula
    nu: float
    cubic: Cubic | None = None

    @classmethod
    def of_crystal(cls, cubic: Cubic) -> Material:
        """A cubic crystal; isotropic where its constants are."""
        hill = cubic.hill
        return cls(
            Formula.constant(hill.E, "pressure"), hill.nu, None if cubic.is_isotropic else cubic
        )


@dataclass(frozen=True)
class Eigenstrain:
    """Stress-free strain of one cell group: misfit, growth or thermal strain.

    Attributes:
        group: Cell group.
        components: Strain by component name, see ``COMPONENTS`` (axisymmetric: xx radial,
            yy axial, zz hoop; plane: zz out of plane).
    """

    group: str
    components: dict[str, Formula]


@dataclass(frozen=True)
class SurfaceLoad:
    """Pressure (positive in compression) or traction on a facet group.

    Attributes:
        group: Facet group.
        pressure: [Pa] or None.
        traction: Components [Pa]; None is zero.
        key: Where it stands in the case, for messages.
    """

    group: str
    pressure: Formula | None = None
    traction: tuple[Formula | None, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class BodyForce:
    """Force per volume [N/m^3] in a cell group."""

    group: str
    components: tuple[Formula | None, ...]
    key: str = ""


@dataclass(frozen=True)
class Constraint:
    """Prescribed displacement components [m] on a facet group (component number to value)."""

    group: str
    components: dict[int, Formula]
    key: str = ""


@dataclass(frozen=True)
class Problem:
    """A linear elastic problem on a domain.

    Attributes:
        domain: Distributed mesh with named groups.
        model: One of ``elasticity.MODELS``.
        materials: By cell group; every cell group has one.
        loads: Surface loads.
        constraints: Prescribed displacements.
        eigenstrains: Stress-free strains; those of one group add up.
        body_forces: Forces per volume.
        degree: Polynomial degree of the displacement.
    """

    domain: Domain
    model: str
    materials: dict[str, Material]
    loads: tuple[SurfaceLoad, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    eigenstrains: tuple[Eigenstrain, ...] = ()
    body_forces: tuple[BodyForce, ...] = ()
    degree: int = 2
    linear: str = "auto"
    petsc: dict[str, str] = field(default_factory=dict)

    @property
    def modulus(self) -> float:
        """Reference stress [Pa]: the largest Young's modulus of the constant materials.

        A graded material counts with its value at the middle of the body.
        """
        box = self.domain_box()
        middle = np.asarray(box.mean(axis=0))[None, :] * self.domain.length
        return max(float(m.E.value(middle)[0]) for m in self.materials.values())

    @property
    def has_crystals(self) -> bool:
        """Whether any material is a crystal whose orientation matters."""
        return any(m.cubic is not None for m in self.materials.values())

    def domain_box(self) -> NDArray[np.float64]:
        """Lowest and highest coordinates of the body, non-dimensional, shape (2, 3)."""
        from mpi4py import MPI

        x = self.domain.mesh.geometry.x
        comm = self.domain.comm
        low = x.min(axis=0, initial=np.inf)
        high = x.max(axis=0, initial=-np.inf)
        out = np.empty((2, 3))
        comm.Allreduce(np.ascontiguousarray(low), out[0], op=MPI.MIN)
        comm.Allreduce(np.ascontiguousarray(high), out[1], op=MPI.MAX)
        return out

    def lame_at(
        self, tag: int, x: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
        """Lame constants [Pa] of a cell group at points, and the relative gradient of a graded E.

        Of crystals those of the isotropic part of the law, C12 and C44 (``physics.anisotropy``).

        Args:
            tag: Cell tag.
            x: Points in metres, shape (..., 3).

        Returns:
            lam and mu of shape (...), and grad(E)/E of shape (..., 3) [1/m] or None if constant.
        """
        material = self.material_of_tag(tag)
        if material.cubic is not None:
            one = np.ones(x.shape[:-1])
            return material.cubic.C12 * one, material.cubic.C44 * one, None
        E = material.E.value(x)
        unit_lam, unit_mu = elasticity.lame(1.0, material.nu, self.model)
        grad = None
        if not material.E.is_constant:
            grad = material.E.gradient(x) / E[..., None]
        return unit_lam * E, unit_mu * E, grad

    def material_of_tag(self, tag: int) -> Material:
        """Material of a cell tag."""
        for name, value in self.domain.cell_groups.items():
            if value == tag:
                return self.materials[name]
        raise KeyError(tag)

    def eigenstrain_at(
        self, tag: int, x: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Eigenstrain and its gradient at points, or None where the group has none.

        Args:
            tag: Cell tag.
            x: Points in metres, shape (..., 3).

        Returns:
            Strain (..., 3, 3) and gradient (..., 3, 3, 3) [1/m], last index the direction.
        """
        terms = [e for e in self.eigenstrains if self.domain.cell_groups[e.group] == tag]
        if not terms:
            return None
        strain = np.zeros((*x.shape[:-1], 3, 3))
        grad = np.zeros((*x.shape[:-1], 3, 3, 3))
        for term in terms:
            for name, formula in term.components.items():
                i, j = COMPONENTS[name]
                value = formula.value(x)
                slope = np.zeros(x.shape) if formula.is_constant else formula.gradient(x)
                for a, b in {(i, j), (j, i)}:
                    strain[..., a, b] += value
                    grad[..., a, b, :] += slope
        return strain, grad
