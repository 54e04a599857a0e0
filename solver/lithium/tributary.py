"""Areas that belong to the nodes of a surface: Simpson's weights on second-order line facets.

Simpson's rule integrates cubic functions along a straight facet, so that nodal tractions times
weights are the consistent forces of a constant pressure on quadratic displacements, in the plane
and (the weight r being linear) in axisymmetry. A node on the axis has no weight there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIMPSON = np.array([1.0, 1.0, 4.0]) / 6.0
# Derivatives of the shape functions of (first, second, middle node) by the place 0..1 at each node.
_SLOPES = np.array([[-3.0, -1.0, 4.0], [1.0, 3.0, -4.0], [-1.0, 1.0, 0.0]])


def tributary(facets: Ints, x: Floats, *, axisymmetric: bool = False) -> Floats:
    """Area that belongs to each node.

    Args:
        facets: Nodes of each facet: the two ends, then the middle, shape (k, 3).
        x: Places of all nodes, reference or present [m], shape (n, 2).
        axisymmetric: Areas [m^2] of the whole turn, 2 pi r times lengths; else per thickness [m].

    Returns:
        Shape (n,); the sum is the area of the surface.

    Raises:
        CaseError: For facets of a 3-D mesh.
    """
    facets = np.asarray(facets)
    if facets.size and (facets.shape[1] != 3 or x.shape[1] < 2):
        raise CaseError(
            "nodal contact and stacks are for second-order facets of 2-D and axisymmetric models",
            key="contact.group", value=f"facets with {facets.shape[1]} nodes",
            allowed="model = 'plane_strain' or 'axisymmetric', second order",
        )  # fmt: skip
    area = np.zeros(len(x))
    if not facets.size:
        return area
    places = x[facets, :2]
    speed = np.linalg.norm(np.einsum("ai,kid->kad", _SLOPES, places), axis=2)
    weight = _SIMPSON * speed
    if axisymmetric:
        weight = weight * 2 * np.pi * places[:, :, 0]
    np.add.at(area, facets.reshape(-1), weight.reshape(-1))
    return area
