"""Material, stress and loads at sampled points, non-dimensional: what the contour terms need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import crystals
from ssbmech.fracture import williams
from ssbmech.fracture.sampling import Samples
from ssbmech.physics.anisotropy import excess_stress
from ssbmech.problem import Problem
from ssbmech.solve import Solution

_EYE = np.eye(3)


@dataclass(frozen=True)
class TipMaterial:
    """Elasticity at a front, non-dimensional.

    Attributes:
        mu: Shear modulus.
        kappa: Kolosov's constant.
        E_prime: Plane-strain modulus (Young's modulus in plane stress).
        E: Young's modulus.
        nu: Poisson's ratio.
    """

    mu: float
    kappa: float
    E_prime: float
    E: float
    nu: float


def tip_material(problem: Problem, tag: int, point: NDArray[np.float64]) -> TipMaterial:
    """Elasticity of a cell group at a point of the front (non-dimensional coordinates)."""
    material = problem.material_of_tag(tag)
    E = float(material.E.value(point[None, :] * problem.domain.length)[0]) / problem.modulus
    nu = material.nu
    plane_stress = problem.model == "plane_stress"
    return TipMaterial(
        mu=E / (2 * (1 + nu)),
        kappa=float(williams.kolosov(nu, plane_stress)),
        E_prime=E if plane_stress else E / (1 - nu**2),
        E=E,
        nu=nu,
    )


@dataclass(frozen=True)
class State:
    """Material and mechanical state at points (non-dimensional).

    ``lam`` and ``mu`` of a crystal are its C12 and C44; ``sigma`` is its whole stress.
    """

    lam: NDArray[np.float64]
    mu: NDArray[np.float64]
    eps: NDArray[np.float64]
    sigma: NDArray[np.float64]
    slope: NDArray[np.float64] | None
    grading: NDArray[np.float64] | None


class Traction:
    """Prescribed traction on a facet group; discrete where a displacement is prescribed instead."""

    def __init__(self, problem: Problem, facet_tag: int, modulus: float) -> None:
        groups = problem.domain.facet_groups
        self.loads = [load for load in problem.loads if groups[load.group] == facet_tag]
        self.held = {
            i for c in problem.constraints if groups[c.group] == facet_tag for i in c.components
        }
        self.length, self.modulus = problem.domain.length, modulus

    def __call__(self, sample: Samples, discrete: NDArray) -> NDArray:
        """Traction at the samples of a facet group, from the loads and the discrete one."""
        x = sample.x * self.length
        t = np.zeros(sample.x.shape)
        for load in self.loads:
            if load.pressure is not None:
                assert sample.normal is not None
                t -= load.pressure.value(x)[..., None] * sample.normal
            for i, component in enumerate(load.traction):
                if component is not None:
                    t[..., i] += component.value(x)
        t /= self.modulus
        for i in self.held:
            t[..., i] = discrete[..., i]
        return t


def state_at(solution: Solution, tag: int, sample: Samples) -> State:
    """Material and mechanical state of a cell group at sampled points."""
    p, s = solution.problem, sample
    lam_SI, mu_SI, grading = p.lame_at(tag, s.x * p.domain.length)
    lam: Any = lam_SI / solution.modulus
    mu: Any = mu_SI / solution.modulus
    eps = 0.5 * (s.grad_u + np.swapaxes(s.grad_u, -1, -2))
    eigen = p.eigenstrain_at(tag, s.x * p.domain.length)
    slope = None
    if eigen is not None:
        eps, slope = eps - eigen[0], eigen[1] * p.domain.length
    plane_stress = p.model == "plane_stress"
    if plane_stress:
        eps = eps.copy()
        eps[..., 2, 2] = 0
    trace = np.trace(eps, axis1=-2, axis2=-1)
    sigma = 2 * mu[..., None, None] * eps + (lam * trace)[..., None, None] * _EYE
    if plane_stress:
        sigma[..., 2, 2] = 0
    cubic = p.material_of_tag(tag).cubic
    if cubic is not None:
        axes = crystals.axes_of_cells(p, s.cells)[:, None]
        sigma = sigma + excess_stress(eps, cubic.excess / solution.modulus, axes)
    return State(
        lam,
        mu,
        eps,
        sigma,
        slope,
        None if grading is None else grading * p.domain.length,
    )


def body_force_at(solution: Solution, tag: int, sample: Samples) -> NDArray | None:
    """Body force of a cell group at sampled points (non-dimensional), or None."""
    p = solution.problem
    b = None
    for force in p.body_forces:
        if p.domain.cell_groups[force.group] != tag:
            continue
        b = np.zeros(sample.x.shape) if b is None else b
        for i, component in enumerate(force.components):
            if component is not None:
                b[..., i] += component.value(sample.x * p.domain.length)
    return None if b is None else b * (p.domain.length / solution.modulus)
