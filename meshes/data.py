"""A mesh as plain arrays: what builders make, files hold and every rank loads."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError, nearest


@dataclass(frozen=True)
class MeshData:
    """A simplex mesh with named groups, whole (not distributed), in micrometres.

    Node order inside a cell or facet is Gmsh's: vertices first, then mid-side nodes
    (triangle6: edges 01, 12, 20; tetrahedron10: edges 01, 12, 20, 30, 23, 13; line3: the middle).

    Attributes:
        dim: Topological and geometrical dimension, 2 or 3.
        order: Geometrical order of the cells, 1 or 2.
        points: Node coordinates [um], shape (n, 3); 2-D meshes have z = 0.
            For axisymmetric meshes x is the radius and y the axis.
        cells: Node numbers, shape (n_cells, nodes per cell).
        cell_tags: Material group tag of each cell, shape (n_cells,); each cell has exactly one.
        facets: Node numbers of the tagged facets only, shape (n_facets, nodes per facet).
        facet_tags: Group tag of each tagged facet, shape (n_facets,).
        cell_groups: Name to tag, for cells (materials).
        facet_groups: Name to tag, for facets (crack faces, sides, interfaces).
        fronts: Name to the front: 2-D, node numbers of shape (k, 1) (one or more tips);
            3-D, edges as pairs of vertex node numbers, shape (k, 2).
        lines: Like ``fronts``, for points (2-D) or edges (3-D) that no crack ends at:
            ``triple_lines`` of a polycrystal.
        grains: Grain number of each cell from 1, 0 outside grains, shape (n_cells,); None without.
        orientations: Rotation from crystal to sample axes of grain g in row g - 1, as a unit
            quaternion (x, y, z, w), shape (n_grains, 4); None without.
        notes: Exact values of the description for the gate, e.g. ``{"area:electrolyte": 1e4}``
            in um^dim; ``"between:NAME": "a|b"`` for a facet group whose facets lie between the
            cell groups a and b (``"a|"``: on the boundary of a; alternatives after a comma);
            ``"grains": 200`` for their number; and anything worth a line in the record.
    """

    dim: int
    order: int
    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell_tags: NDArray[np.int32]
    facets: NDArray[np.int64]
    facet_tags: NDArray[np.int32]
    cell_groups: dict[str, int]
    facet_groups: dict[str, int]
    fronts: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    lines: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    grains: NDArray[np.int32] | None = None
    orientations: NDArray[np.float64] | None = None
    notes: dict[str, float | str] = field(default_factory=dict)

    def cell_tag(self, name: str, *, key: str = "") -> int:
        """Tag of a material group; raises MeshError with the nearest name."""
        return tag_of(self.cell_groups, name, "material group", key)

    def facet_tag(self, name: str, *, key: str = "") -> int:
        """Tag of a facet group; raises MeshError with the nearest name."""
        return tag_of(self.facet_groups, name, "facet group", key)

    def front(self, name: str, *, key: str = "") -> NDArray[np.int64]:
        """Nodes (2-D) or edges (3-D) of a crack front; raises MeshError with the nearest name."""
        if name not in self.fronts:
            raise MeshError(
                f"the mesh has no front {name!r}", key=key, hint=nearest(name, self.fronts)
            )
        return self.fronts[name]


def tag_of(groups: dict[str, int], name: str, what: str, key: str) -> int:
    """Tag of a named group; raises MeshError with the nearest name."""
    if name not in groups:
        raise MeshError(f"the mesh has no {what} {name!r}", key=key, hint=nearest(name, groups))
    return groups[name]
