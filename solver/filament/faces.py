"""Facet groups of a distributed mesh as whole arrays on every rank, and hat functions on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain, FrontLine, facet_cells, vertex_nodes
from ssbmech.filament import surface
from ssbmech.filament.film import Floats, Network

Ints = NDArray[np.int64]
#: Nodes of two faces that are as near as this, over the size of the body, are opposite nodes.
_SAME = 1e-9


@dataclass(frozen=True)
class Faces:
    """Facets of some groups, whole and the same on every rank.

    Attributes:
        ids: Node numbers of their vertices in the mesh file, sorted, shape (v,).
        points: Coordinates of these [m], (v, 3).
        facets: Vertices of every facet as positions in ``ids``, (f, dim).
    """

    ids: Ints
    points: Floats
    facets: Ints


def gather(domain: Domain, groups: Iterable[str]) -> Faces:
    """Facets of groups from all ranks (collective), in the order of their node numbers."""
    mesh, d = domain.mesh, domain.tdim
    facets = np.concatenate([domain.facets(g) for g in groups]).astype(np.int32)
    owned = facets[facets < mesh.topology.index_map(d - 1).size_local]
    nodes = facet_cells(mesh, owned)[2].reshape(len(owned), d)
    rows = domain.comm.allgather(
        (domain.node_ids[nodes].reshape(-1, d), mesh.geometry.x[nodes].reshape(-1, d, 3))
    )
    ids, points = (np.concatenate([row[k] for row in rows]) for k in range(2))
    order = np.argsort(ids, axis=1)
    ids = np.take_along_axis(ids, order, axis=1)
    points = np.take_along_axis(points, order[..., None], axis=1)
    first = np.unique(ids, axis=0, return_index=True)[1]
    ids, points = ids[first], points[first]
    known, where, back = np.unique(ids, return_index=True, return_inverse=True)
    points = points.reshape(-1, 3)[where] * domain.length
    return Faces(known, points, back.reshape(ids.shape))


def merge_opposite(faces: Faces, size: float) -> tuple[Floats, Ints]:
    """Positions of the film's nodes and the node of every vertex of the faces.

    Vertices of two faces at the same place are one node of the film.

    Args:
        faces: Facets of the crack, one face or both.
        size: Size of the body [m].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    n = len(faces.points)
    pairs = cKDTree(faces.points).query_pairs(_SAME * size, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, node = connected_components(graph, directed=False)
    node = np.unique(node, return_inverse=True)[1].reshape(-1)  # in the order of first vertices
    first = np.unique(node, return_index=True)[1]
    return faces.points[first], node.astype(np.int64)


@dataclass(frozen=True)
class Order:
    """A network's nodes in their final order, and the node of every vertex of the faces."""

    network: Network
    node: Ints


def network(
    faces: Faces,
    area: Floats,
    node: Ints,
    points: Floats,
    fronts: Iterable[FrontLine],
    mouth: Iterable[int],
    *,
    axisymmetric: bool,
) -> Order:
    """The film's network, its nodes in order along it.

    Args:
        faces: Facets.
        area: Control areas of the nodes [m^2 or m^2/m], (n,).
        node: Film node of every vertex of the faces.
        points: Of the film's nodes [m], (n, 3).
        fronts: Crack fronts.
        mouth: File numbers of the nodes at the mouth.
        axisymmetric: Whether widths are 2 pi r.
    """
    at = {int(i): k for k, i in enumerate(faces.ids)}
    front, ends = _front_nodes(fronts)
    tip_nodes = sorted({int(node[at[i]]) for i in front if i in at})
    # where a front in space ends at the surface there is the mouth as well
    inner = {int(node[at[i]]) for i in front - ends if i in at}
    mouth_nodes = sorted({int(node[at[i]]) for i in map(int, mouth) if i in at} - inner)
    if faces.facets.shape[1] == 3:
        return _surface(faces, area, node, points, tip_nodes, mouth_nodes)
    return _line(faces, area, node, points, tip_nodes, mouth_nodes, axisymmetric)


def _front_nodes(fronts: Iterable[FrontLine]) -> tuple[set[int], set[int]]:
    """File numbers of the nodes on fronts, and of the ends of open fronts in space."""
    front: set[int] = set()
    ends: set[int] = set()
    for line in fronts:
        front |= {int(i) for i in line.nodes}
        degree = np.bincount(line.edges.reshape(-1), minlength=len(line.nodes))
        ends |= {int(i) for i in line.nodes[degree == 1]}
    return front, ends


def _surface(
    faces: Faces, area: Floats, node: Ints, points: Floats, tips: list[int], mouth: list[int]
) -> Order:
    """A film on triangles, its nodes by their distance to the mouth or to the middle."""
    triangles = np.unique(np.sort(node[faces.facets], axis=1), axis=0)
    far = surface.distance(points, triangles, tips)
    depth = surface.distance(points, triangles, mouth) if mouth else far.max() - far
    # what rounding alone tells apart is in the order of the file, on any machine
    order = np.argsort(np.round(depth / max(float(depth.max()), 1e-300), 9), kind="stable")
    place = np.empty(len(points), np.int64)
    place[order] = np.arange(len(points))
    triangles = place[triangles]
    edges, length, width = surface.links(points[order], triangles)
    made = Network(
        points[order], depth[order], depth[order], area[order], edges, length, width,
        np.sort(place[np.array(mouth, dtype=np.int64)]), triangles, far[order],
    )  # fmt: skip
    return Order(made, place[node])


def _line(
    faces: Faces,
    area: Floats,
    node: Ints,
    points: Floats,
    tips: list[int],
    mouth: list[int],
    axisymmetric: bool,
) -> Order:
    """A film on edges, its nodes along it."""
    n = len(points)
    edges, width = _edges(faces, node, points, axisymmetric)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    far = _distance(n, edges, length, tips)
    depth = far.max() - far
    order, s = np.argsort(depth, kind="stable"), depth
    chain = _chain(n, edges, mouth, points)
    if chain is not None:
        order = chain
        steps = np.linalg.norm(np.diff(points[chain], axis=0), axis=1)
        s = np.empty(n)
        s[chain] = np.concatenate([[0.0], np.cumsum(steps)])
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    made = Network(
        points=points[order],
        s=s[order],
        depth=depth[order],
        area=area[order],
        edges=place[edges],
        length=length,
        width=width,
        mouth=np.sort(place[np.array(mouth, dtype=np.int64)]),
    )
    return Order(made, place[node])


def _edges(faces: Faces, node: Ints, points: Floats, axisymmetric: bool) -> tuple[Ints, Floats]:
    """Edges between film nodes, which are the facets of one face, and their widths."""
    facets = np.unique(np.sort(node[faces.facets], axis=1), axis=0)
    width: Floats = np.ones(len(facets))
    if axisymmetric:
        width = 2 * np.pi * points[facets, 0].mean(axis=1)
    return facets, width


def _distance(n: int, edges: Ints, length: Floats, sources: Sequence[int]) -> Floats:
    """Distance of every node to the nearest source along the edges, (n,)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    if not len(sources):
        return np.zeros(n)
    graph = coo_matrix((length, (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
    found = dijkstra(graph, directed=False, indices=list(sources), min_only=True)
    return np.where(np.isfinite(found), found, 0.0)


def _chain(n: int, edges: Ints, mouth: Sequence[int], points: Floats) -> Ints | None:
    """Nodes from one end to the other, or None for a film that branches or is in pieces.

    It begins at the mouth, or at the end that is first in the order of the coordinates.
    """
    neighbours: list[list[int]] = [[] for _ in range(n)]
    for a, b in ((int(i), int(j)) for i, j in edges):
        neighbours[a].append(b)
        neighbours[b].append(a)
    ends = [k for k in range(n) if len(neighbours[k]) == 1]
    if len(ends) != 2 or any(len(k) > 2 for k in neighbours):
        return None
    start = next((k for k in ends if k in mouth), min(ends, key=lambda k: tuple(points[k])))
    order, last = [start], -1
    while len(order) < n:
        onward = [k for k in neighbours[order[-1]] if k != last]
        if not onward:
            return None
        last = order[-1]
        order.append(onward[0])
    return np.array(order, dtype=np.int64)


class Hats:
    """Sums of P1 hat functions over vertices: film nodes or plating nodes as vectors.

    Args:
        domain: The mesh.
        space: P1 space on it.
        ids: File numbers of vertices, sorted, (v,).
        node: The node of each of them, (v,).
        count: Number of nodes.
    """

    def __init__(self, domain: Domain, space: Any, ids: Ints, node: Ints, count: int) -> None:
        from dolfinx import fem

        self.count, self._comm = count, domain.comm
        owned = space.dofmap.index_map.size_local
        vertex = np.empty(owned + space.dofmap.index_map.num_ghosts, np.int64)
        vertex[space.dofmap.list.reshape(-1)] = vertex_nodes(domain.mesh).reshape(-1)
        file_number = domain.node_ids[vertex]
        at = np.clip(np.searchsorted(ids, file_number), 0, max(len(ids) - 1, 0))
        hit = ids[at] == file_number
        self._dofs = np.flatnonzero(hit)
        self._node = node[at[hit]]
        self._mine = self._dofs < owned
        self._vertex, self._points = vertex[hit], len(domain.mesh.geometry.x)
        self._function = fem.Function(space)

    def vector(self, k: int) -> Any:
        """The hat of a node as a PETSc vector, valid until the next call."""
        self._function.x.array[:] = 0
        self._function.x.array[self._dofs[self._node == k]] = 1
        return self._function.x.petsc_vec

    def at_vertices(self, k: int) -> Floats:
        """The hat of a node at the mesh's geometry nodes, 0 at those that are no vertices."""
        values: Floats = np.zeros(self._points)
        values[self._vertex[self._node == k]] = 1.0
        return values

    def combined(self, values: Floats) -> Any:
        """The sum of all hats times values, likewise."""
        self._function.x.array[:] = 0
        self._function.x.array[self._dofs] = values[self._node]
        return self._function.x.petsc_vec

    def sums(self, vector: Any) -> Floats:
        """Entries of a vector of the space, summed over the vertices of each node (collective)."""
        from mpi4py import MPI

        values = vector.array_r[self._dofs[self._mine]]
        total = np.bincount(self._node[self._mine], values, minlength=self.count).astype(float)
        self._comm.Allreduce(MPI.IN_PLACE, total)
        return total
