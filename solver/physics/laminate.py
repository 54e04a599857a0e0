"""Two elastic phases in the same place, as in a fine laminate: stateless UFL functions.

A share c of phase 1, the rest phase 0, in layers with the normal n. Both have the strain along the
layers and the traction across them in common: with a the difference of their slopes,

    e1 = e + (1 - c) sym(a n),    e0 = e - c sym(a n),    (s1 - s0) n = 0,    s_k = C_k (e_k - g_k),

s = c s1 + (1 - c) s0, W = c W1 + (1 - c) W0. Where c is the profile of a diffuse front and n its
normal, a flat front so stiffens and pushes like a sharp one, whatever its width, while the mean of
the moduli (and of the growth strains) errs by the width over the thickness of the layer. Origin:
A. G. Khachaturyan, Theory of Structural Transformations in Solids (1983); J. Mosler, O. Shchyglo,
H. Montazer Hojjat, J. Mech. Phys. Solids 68 (2014) 251 ("partial rank-one relaxation").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl
from ssbmech.physics import elasticity


@dataclass(frozen=True)
class Phase:
    """One of the two.

    Attributes:
        lam: First Lame constant, of the model (`elasticity.lame`).
        mu: Second one.
        strain: Stress-free strain g, 3 x 3, or None.
    """

    lam: Any
    mu: Any
    strain: Any = None

    def stress(self, eps: Any, model: str) -> Any:
        """C (eps - g)."""
        return elasticity.stress(self.elastic(eps), self.lam, self.mu, model)

    def elastic(self, eps: Any) -> Any:
        """Eps - g."""
        return eps if self.strain is None else eps - self.strain

    def energy(self, eps: Any, model: str) -> Any:
        """Density."""
        return elasticity.energy_density(self.elastic(eps), self.stress(eps, model))


@dataclass(frozen=True)
class Laminate:
    """What a strain makes of the two phases.

    Attributes:
        inside: Strain of phase 1; ``outside``: of phase 0.
        stress: Of both.
        inner: Stress of phase 1.
        energy: Density W(e, c).
        work: -dW/dc = W0 - W1 + (s n) a, the same at every c of a flat front in equilibrium.
    """

    inside: Any
    outside: Any
    stress: Any
    inner: Any
    energy: Any
    work: Any


def laminate(eps: Any, c: Any, n: Any, one: Phase, zero: Phase, model: str) -> Laminate:
    """Mix two phases.

    Args:
        eps: Strain of both, 3 x 3.
        c: Share of phase 1, within 0 and 1.
        n: Unit normal of the layers, (dim,); 0 where c is 0 or 1.
        one: Phase 1.
        zero: Phase 0.
        model: One of `elasticity.MODELS`.
    """
    normal = ufl.as_vector([*(n[k] for k in range(len(n))), *(0 for _ in range(3 - len(n)))])
    lam, mu = (c * b + (1 - c) * a for a, b in ((one.lam, zero.lam), (one.mu, zero.mu)))
    t = ufl.dot(one.stress(eps, model) - zero.stress(eps, model), normal)
    a = -(t - (lam + mu) / (lam + 2 * mu) * ufl.dot(normal, t) * normal) / mu
    jump = ufl.sym(ufl.outer(a, normal))
    inside, outside = eps + (1 - c) * jump, eps - c * jump
    inner, outer = one.stress(inside, model), zero.stress(outside, model)
    stress = c * inner + (1 - c) * outer
    W1, W0 = one.energy(inside, model), zero.energy(outside, model)
    work = W0 - W1 + ufl.inner(stress, jump)
    return Laminate(inside, outside, stress, inner, c * W1 + (1 - c) * W0, work)
