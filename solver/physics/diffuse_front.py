"""A reaction front spread over a width: stateless UFL functions of the layer's share c.

c = 1 in the product, 0 in the electrolyte. At rest the front has the profile of the double well,

    c = 1/2 (1 - tanh(x/(2 l))),    l |c'| = c (1 - c),    l^2 c'' = c (1 - c)(1 - 2 c),

l the width (10 to 90 % within 4.4 l). A reaction r per area of front is r |grad c| per volume, and

    dc/dt = v |grad c| + M (div grad c - c (1 - c)(1 - 2 c)/l^2)

moves that profile with the normal speed v - M kappa, kappa the front's curvature (positive where
the layer bulges): the flat front is exact, and M/v is a capillary length. Origin of the method: S.
M. Allen, J. W. Cahn, Acta Metall. 27 (1979) 1085.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import ufl
from numpy.typing import NDArray

#: Mean of x^2 over one side of the front, in l^2, over 2: what a curved front adds to a mean.
ROUND = math.pi**2 / 12

#: Slope of c, in 1/width, below which there is no front.
FLAT = 1e-7
#: Length over which a field is averaged across the front, in widths.
ACROSS = 30.0
#: Length over which it is averaged along the front, in widths: what is shorter is no front's.
ASIDE = 2.0
#: Weight of such a field where there is no front, over that at the front.
OFF = 1e-6


def profile(distance: NDArray[Any], width: float) -> NDArray[Any]:
    """Share of the layer at a distance into the electrolyte, both in the same unit."""
    return 0.5 * (1.0 - np.tanh(np.asarray(distance, float) / (2.0 * width)))


def normal(c: Any, width: Any) -> Any:
    """Unit vector towards the layer; shrinks to 0 where c changes by less than `FLAT` per width."""
    slope = ufl.grad(c)
    return slope / ufl.sqrt(ufl.inner(slope, slope) + (FLAT / width) ** 2)


def held_across(
    f: Any, test: Any, n: Any, slope: Any, width: Any, through: Any = 1, along: Any = 1
) -> Any:
    """What keeps a field from changing across the front, and smoothens it along the front.

    Args:
        f: The field.
        test: Its test function.
        n: Normal of the front.
        slope: w = n . grad c, the weight of the front.
        width: l, in the unit of the mesh.
        through: Factor of what acts across, in the unit of the field's equation.
        along: Of what acts along.
    """
    both = ufl.inner(ufl.grad(f), ufl.grad(test))
    across = ufl.inner(n, ufl.grad(f)) * ufl.inner(n, ufl.grad(test))
    stiff, aside = (ACROSS * width) ** 2, (ASIDE * width) ** 2
    return slope * (through * stiff * across + along * aside * both) + OFF / width * stiff * both


def well_slope(c: Any) -> Any:
    """C (1 - c)(1 - 2 c), the derivative of the double well."""
    return c * (1 - c) * (1 - 2 * c)


def share(c: Any) -> Any:
    """C within 0 and 1."""
    return ufl.max_value(ufl.min_value(c, 1.0), 0.0)


def through(c: Any, inside: Any, outside: Any, n: Any) -> Any:
    """Conductivity tensor of a carrier that passes the front.

    Along the front the two sides conduct side by side, across it one after the other: with the
    means for each, a front that nothing reacts at adds no resistance whatever its width.

    Args:
        c: Share of the layer.
        inside: Conductivity of the layer.
        outside: Of the electrolyte.
        n: Unit normal of the front, 0 off it.
    """
    s = share(c)
    along = s * inside + (1 - s) * outside
    across = inside * outside / (s * outside + (1 - s) * inside)
    return along * ufl.Identity(len(n)) + (across - along) * ufl.outer(n, n)


def ending(c: Any, inside: Any, outside: Any) -> Any:
    """Conductivity of a carrier that ends at the front.

    Its current falls with c, J = r c, so that with a conductivity in proportion to c the potential
    goes on as a straight line through the front, and is on average that at the sharp one.
    """
    s = share(c)
    return s * inside + (1 - s) * outside
