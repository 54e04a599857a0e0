"""From ``MeshData`` on rank 0 to a distributed DOLFINx mesh with groups by name on every rank."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import basix
import basix.ufl
import dolfinx
import numpy as np
from numpy.typing import NDArray
from ssbmech import compat
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData, tag_of
from ssbmech.parallel import bcast_array, on_root

# Gmsh's order of the nodes of a second-order cell, permuted into Basix's.
GMSH_TO_BASIX = {
    (2, 1): [0, 1, 2],
    (2, 2): [0, 1, 2, 4, 5, 3],
    (3, 1): [0, 1, 2, 3],
    (3, 2): [0, 1, 2, 3, 8, 9, 5, 7, 6, 4],
}


@dataclass(frozen=True)
class FrontLine:
    """A crack front as every rank holds it, whole.

    Attributes:
        nodes: Node numbers in the mesh file, shape (n,); 3-D: sorted, unique.
        points: Their coordinates, non-dimensional, shape (n, 3).
        edges: Pairs of positions in ``nodes``, shape (k, 2); 2-D: shape (0, 2).
    """

    nodes: NDArray[np.int64]
    points: NDArray[np.float64]
    edges: NDArray[np.int64]


@dataclass(frozen=True)
class Domain:
    """A distributed mesh in reference lengths, with its groups by name.

    Attributes:
        mesh: DOLFINx mesh; coordinates are metres divided by ``length``.
        length: Metres per unit of the mesh's coordinates.
        cell_tags: MeshTags of all local and ghost cells.
        facet_tags: MeshTags of the named facets.
        cell_groups: Name to tag (materials).
        facet_groups: Name to tag (faces, sides, interfaces).
        fronts: Name to front, the same on every rank.
        node_ids: Node number in the mesh file of each local geometry node.
        grains: Grain number of every local and ghost cell from 1, 0 outside grains, shape
            (n_cells,); None for a mesh without grains.
        orientations: Unit quaternions (x, y, z, w) of all grains, crystal to sample axes, shape
            (n_grains, 4), the same on every rank; None without.
    """

    mesh: Any
    length: float
    cell_tags: Any
    facet_tags: Any
    cell_groups: dict[str, int]
    facet_groups: dict[str, int]
    fronts: dict[str, FrontLine]
    node_ids: NDArray[np.int64]
    grains: NDArray[np.int32] | None = None
    orientations: NDArray[np.float64] | None = None

    @property
    def comm(self) -> Any:
        """Communicator of the mesh."""
        return self.mesh.comm

    @property
    def tdim(self) -> int:
        """Topological dimension."""
        return self.mesh.topology.dim

    def cell_tag(self, name: str, *, key: str = "") -> int:
        """Tag of a material group; MeshError with the nearest name otherwise."""
        return tag_of(self.cell_groups, name, "material group", key)

    def facet_tag(self, name: str, *, key: str = "") -> int:
        """Tag of a facet group; MeshError with the nearest name otherwise."""
        return tag_of(self.facet_groups, name, "facet group", key)

    def facets(self, name: str, *, key: str = "") -> NDArray[np.int32]:
        """Local facets (with ghosts) of a group."""
        return self.facet_tags.find(self.facet_tag(name, key=key))

    def tag_of_cell(self) -> NDArray[np.int32]:
        """Material tag of every local and ghost cell."""
        tags = np.zeros(len(self.mesh.topology.original_cell_index), np.int32)
        tags[self.cell_tags.indices] = self.cell_tags.values
        return tags


@contextmanager
def in_micrometres(domain: Domain) -> Iterator[None]:
    """The mesh with coordinates in micrometres, for writing; afterwards as it was, to the bit."""
    x = domain.mesh.geometry.x
    kept = x.copy()
    x[:] *= domain.length * 1e6
    try:
        yield
    finally:
        x[:] = kept


def distribute(comm: Any, data: MeshData | None, *, length: float) -> Domain:
    """Distribute a mesh and its tags.

    Args:
        comm: MPI communicator.
        data: The mesh on rank 0 (micrometres); ignored on the others.
        length: Reference length [m].

    Raises:
        MeshError: On every rank, when a tagged facet belongs to no cell.
    """
    compat.check_version()
    head = on_root(comm, lambda: _header(data))
    dim, order = head["dim"], head["order"]
    nodes = len(GMSH_TO_BASIX[dim, order])
    if comm.rank == 0:
        assert data is not None
        points = np.ascontiguousarray(data.points[:, :dim] * (1e-6 / length))
        cells = np.ascontiguousarray(data.cells[:, GMSH_TO_BASIX[dim, order]])
    else:
        points, cells = np.empty((0, dim)), np.empty((0, nodes), dtype=np.int64)
    mesh = compat.create_mesh(comm, cells, points, coordinate_element(dim, order))

    root = data if comm.rank == 0 else None
    tag_of_cell = bcast_array(comm, None if root is None else root.cell_tags)
    original = np.asarray(mesh.topology.original_cell_index)
    cell_tags = dolfinx.mesh.meshtags(
        mesh, dim, np.arange(original.size, dtype=np.int32), tag_of_cell[original].astype(np.int32)
    )
    grains = None
    if head["grains"]:
        grains = bcast_array(comm, None if root is None else root.grains)[original]
    facet_vertices = bcast_array(comm, None if root is None else root.facets[:, :dim])
    facet_values = bcast_array(comm, None if root is None else root.facet_tags)
    node_ids = np.asarray(mesh.geometry.input_global_indices)
    facet_tags = _tag_facets(mesh, node_ids, facet_vertices, facet_values)
    return Domain(
        mesh=mesh,
        length=length,
        cell_tags=cell_tags,
        facet_tags=facet_tags,
        cell_groups=head["cell_groups"],
        facet_groups=head["facet_groups"],
        fronts={
            name: FrontLine(ids, xyz * (1e-6 / length), edges)
            for name, (ids, xyz, edges) in head["fronts"].items()
        },
        node_ids=node_ids,
        grains=None if grains is None else grains.astype(np.int32),
        orientations=head["orientations"],
    )


def coordinate_element(dim: int, order: int) -> Any:
    """Element of the coordinates of simplices."""
    cell = {2: "triangle", 3: "tetrahedron"}[dim]
    return basix.ufl.element("Lagrange", cell, order, shape=(dim,))


def _header(data: MeshData | None) -> dict:
    """What is small enough to be pickled to every rank."""
    assert data is not None
    fronts = {}
    for name, front in data.fronts.items():
        ids = np.unique(front)
        edges = np.searchsorted(ids, front) if data.dim == 3 else np.empty((0, 2), np.int64)
        fronts[name] = (ids, data.points[ids], edges)
    return {
        "dim": data.dim,
        "order": data.order,
        "cell_groups": dict(data.cell_groups),
        "facet_groups": dict(data.facet_groups),
        "fronts": fronts,
        "grains": data.grains is not None,
        "orientations": data.orientations,
    }


def cell_facets(dim: int) -> NDArray[np.int64]:
    """Vertices of each local facet of a simplex: facet i is opposite to vertex i."""
    return np.array([[j for j in range(dim + 1) if j != i] for i in range(dim + 1)])


def reference_corners(dim: int) -> NDArray[np.float64]:
    """Vertices of the reference simplex, shape (dim + 1, dim)."""
    return np.vstack([np.zeros(dim), np.eye(dim)])


def vertex_nodes(mesh: Any) -> NDArray[np.int32]:
    """Geometry nodes of the vertices of every local and ghost cell, shape (n_cells, dim + 1)."""
    return compat.geometry_dofmap(mesh)[:, : mesh.topology.dim + 1]


def facet_cells(mesh: Any, facets: NDArray[np.int32]) -> tuple[NDArray, NDArray, NDArray]:
    """First cell of each facet, the facet's number in it, and the facet's vertex nodes.

    Safe for no facets at all, where ``dolfinx.mesh.entities_to_geometry`` of 0.9 divides by zero.

    Args:
        mesh: DOLFINx mesh.
        facets: Local facets, shape (n,).

    Returns:
        Cells (n,), local facets (n,), geometry nodes (n, dim).
    """
    dim = mesh.topology.dim
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim, dim - 1)
    f2c = mesh.topology.connectivity(dim - 1, dim)
    table = mesh.topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)
    cells = f2c.array[f2c.offsets[facets]]
    local = np.argmax(table[cells] == np.asarray(facets)[:, None], axis=1)
    nodes = vertex_nodes(mesh)[cells[:, None], cell_facets(dim)[local]]
    return cells, local, nodes


def facet_normals(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals, of either sign, of straight facets given by their vertices.

    Args:
        x: Shape (n, dim, 3).

    Returns:
        Shape (n, 3).
    """
    if x.shape[1] == 2:
        t = x[:, 1] - x[:, 0]
        normal: Any = np.stack([t[:, 1], -t[:, 0], 0 * t[:, 0]], -1)
    else:
        normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _tag_facets(mesh: Any, node_ids: NDArray, vertices: NDArray, values: NDArray) -> Any:
    """Find the tagged facets among those of the local cells, by the file's node numbers."""
    dim = mesh.topology.dim
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim, dim - 1)
    # Only facets whose vertices all belong to some tagged facet can be one: few rows are compared.
    tagged_node = np.isin(node_ids, vertices)[vertex_nodes(mesh)]
    cells, local = np.nonzero(tagged_node[:, cell_facets(dim)].all(axis=2))
    nodes = vertex_nodes(mesh)[cells[:, None], cell_facets(dim)[local]]
    rows = np.vstack([np.sort(vertices, axis=1), np.sort(node_ids[nodes], axis=1)])
    _, key = np.unique(rows, axis=0, return_inverse=True)
    key = key.reshape(-1)
    entry_of_key = np.full(key.max(initial=-1) + 1, -1)
    entry_of_key[key[: len(vertices)]] = np.arange(len(vertices))
    entry = entry_of_key[key[len(vertices) :]]
    hit = entry >= 0
    table = mesh.topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)
    facets, first = np.unique(table[cells[hit], local[hit]], return_index=True)
    found = entry[hit][first]
    seen = np.zeros(len(values), np.int64)
    seen[entry[hit]] = 1
    everywhere = np.empty_like(seen)
    mesh.comm.Allreduce(seen, everywhere)
    if np.any(everywhere == 0):
        lost = int(np.flatnonzero(everywhere == 0)[0])
        raise MeshError(
            f"{int(np.sum(everywhere == 0))} tagged facets belong to no cell; the first has the "
            f"nodes {vertices[lost].tolist()}",
            hint="Save the mesh with its volume cells and surfaces from one meshing run",
        )
    return dolfinx.mesh.meshtags(
        mesh, dim - 1, facets.astype(np.int32), values[found].astype(np.int32)
    )
