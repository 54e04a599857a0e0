"""Finds the crack surface of least energy along the boundaries of equiaxed grains in 3-D.

It is a minimum cut between the grains on the two sides of a plane: of all sets of boundaries that
part them, the one with the least energy. By duality that is the maximum flow from grain to grain
with the energies of the boundaries as capacities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.parameters import number
from ssbmech.meshes.path import energy_factors, is_boundary

if TYPE_CHECKING:
    from ssbmech.meshes.tessellation import Tessellation


@dataclass(frozen=True)
class BoundarySurface:
    """A surface of grain boundaries, from a side of the box to about a depth.

    Attributes:
        faces: Face numbers of the tessellation.
        front: Its inner edges as pairs of vertex numbers, shape (k, 2).
        area: [um^2].
        energy: Sum of area times factor [um^2].
        reach: Least and largest depth of the front [um].
    """

    faces: Ints
    front: Ints
    area: float
    energy: float
    reach: tuple[float, float]


def boundary_surface(
    grains: Tessellation,
    start: int,
    depth: float,
    at: float,
    *,
    energy: Sequence[float] | Floats | None = None,
    band: float | None = None,
    axis: int = 0,
) -> BoundarySurface:
    """Lowest-energy surface of grain boundaries that parts the grains left and right of a plane.

    Grains belong to the surface's neighbourhood if they touch the side of the start or their
    centroid is within the depth. Of them, those with the centroid further than ``band`` from the
    plane, and those on the sides of the box, belong to the side they are on; the cut is free to
    choose for the others.

    Args:
        grains: Tessellation of dimension 3.
        start: Number of the side where the surface starts (2: y low).
        depth: How deep the surface goes, to within a grain [um].
        at: Coordinate of the plane [um].
        energy: Positive factor of each face; all 1 without, which gives the least area.
        band: Half-width of the strip in which the surface may run [um]; by default twice the mean
            grain size (cube root of the mean volume).
        axis: Axis normal to the plane.

    Raises:
        MeshError: If there are no grains on one of the sides, with the numbers.
    """
    if grains.dim != 3 or not 0 <= start < 6 or start // 2 == axis:
        raise MeshError(
            "a surface starts at a side of a box in three dimensions",
            key="start", value=start, allowed=f"0 to 5, not across axis {'xyz'[axis]}",
        )  # fmt: skip
    number("depth", depth)
    neighbours = grains.neighbours
    factors = energy_factors(energy, len(neighbours))
    area = grains.face_measures()
    volume = grains.measures()
    reach = 2 * float(volume.mean()) ** (1 / 3) if band is None else number("band", band)
    centre = _centroids(grains)
    box = grains.box
    down, high = divmod(start, 2)
    depth_of = (centre[:, down] - box[high, down]) * (-1 if high else 1)

    def touching(side: int) -> Ints:
        return neighbours[neighbours[:, 1] == -1 - side, 0]

    shallow = depth_of <= depth
    shallow[touching(start)] = True
    left, right = centre[:, axis] < at - reach, centre[:, axis] > at + reach
    left[touching(2 * axis)] = True
    right[touching(2 * axis + 1)] = True
    if (left & right).any() or not (left & shallow).any() or not (right & shallow).any():
        raise MeshError(
            "the plane does not part the grains",
            key="at",
            value=at,
            allowed=f"{int((left & shallow).sum())} grains left, {int((right & shallow).sum())} "
            f"right, {int((left & right).sum())} reach from side to side",
            hint="Use more grains, or move the plane to the middle",
        )
    inner = is_boundary(grains)
    inner[inner] &= shallow[neighbours[inner]].all(axis=1)
    cut = _minimum_cut(neighbours[inner], (area * factors)[inner], left, right)
    faces = np.flatnonzero(inner)[cut]
    front = _front(grains, faces)
    if not len(faces) or not len(front):
        raise MeshError(
            "no surface along grain boundaries", key="depth", value=depth,
            allowed=f"{len(faces)} boundaries found", hint="Choose another depth or more grains",
        )  # fmt: skip
    at_front = grains.vertices[np.unique(front), down]
    found = (at_front - box[high, down]) * (-1 if high else 1)
    return BoundarySurface(
        faces=faces,
        front=front,
        area=float(area[faces].sum()),
        energy=float((area * factors)[faces].sum()),
        reach=(float(found.min()), float(found.max())),
    )


def _centroids(grains: Tessellation) -> Floats:
    """Mean of the vertices of each grain, shape (n_grains, 3)."""
    cell = grains.neighbours.ravel()
    loops = [loop for loop in grains.faces for _ in (0, 1)]
    owner = np.repeat(cell, [len(loop) for loop in loops])
    vertex = np.concatenate([np.asarray(loop) for loop in loops])
    pairs = np.unique(np.stack([owner, vertex], axis=1)[owner >= 0], axis=0)
    total = np.zeros((grains.n_cells, 3))
    np.add.at(total, pairs[:, 0], grains.vertices[pairs[:, 1]])
    return np.asarray(total / np.bincount(pairs[:, 0])[:, None])


def _minimum_cut(
    pairs: Ints, capacity: Floats, left: NDArray[np.bool_], right: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which pairs a cut of least capacity between the left and the right nodes separates.

    Capacities are rounded to whole numbers of which the sum is 2e9 (the flow is 32-bit), so cuts
    that differ by less than about 1e-9 of all count as equal.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    node = np.arange(len(left)) + 2
    node[left], node[right] = 0, 1
    ends = node[pairs]
    n = len(left) + 2
    whole = np.maximum(np.rint(capacity * (1e9 / capacity.sum())), 1).astype(np.int64)
    rows, columns = np.r_[ends[:, 0], ends[:, 1]], np.r_[ends[:, 1], ends[:, 0]]
    across = rows != columns
    matrix = csr_matrix(
        (np.r_[whole, whole][across], (rows[across], columns[across])), shape=(n, n)
    ).astype(np.int32)
    flow = maximum_flow(matrix, 0, 1).flow
    rest = (matrix - flow).tocsr()
    rest.data = np.maximum(rest.data, 0)
    rest.eliminate_zeros()
    reached = np.zeros(n, dtype=bool)
    reached[breadth_first_order(rest, 0, return_predecessors=False)] = True
    return np.asarray(reached[ends[:, 0]] != reached[ends[:, 1]])


def _front(grains: Tessellation, faces: Ints) -> Ints:
    """Edges of an odd number of the faces that are not on the box, shape (k, 2)."""
    outer: set[tuple[int, int]] = set()
    for f in np.flatnonzero(grains.neighbours[:, 1] < 0):
        outer.update(_edges(grains.faces[f]))
    odd: set[tuple[int, int]] = set()
    for f in faces:
        odd ^= set(_edges(grains.faces[f]))
    return np.array(sorted(odd - outer), dtype=np.int64).reshape(-1, 2)


def _edges(face: Sequence[int]) -> list[tuple[int, int]]:
    loop = [int(v) for v in face]
    return [(min(a, b), max(a, b)) for a, b in zip(loop, loop[1:] + loop[:1], strict=True)]
