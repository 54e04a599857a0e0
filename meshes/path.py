"""Finds the crack path of least energy along grain boundaries, from one side to a depth.

The path is a polyline of grain boundaries in 2-D (Dijkstra). Columnar grains take the path of their
section, extruded; for equiaxed grains in 3-D see path_surface.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.parameters import number

if TYPE_CHECKING:
    from ssbmech.meshes.tessellation import Tessellation

# -- energies --------------------------------------------------------------------------------------


def weak_boundaries(n: int, fraction: float, factor: float, seed: int) -> Floats:
    """Energy factors of n boundaries of which a random fraction is weak.

    Args:
        n: Number of boundaries.
        fraction: Share of weak ones, rounded to a whole number of boundaries.
        factor: Their energy relative to the others'.
        seed: Of the random choice.
    """
    number("fraction", fraction, above=0, below=1, closed=True, unit="")
    number("factor", factor, unit="")
    energy = np.ones(n)
    weak = np.random.default_rng(seed).permutation(n)[: round(fraction * n)]
    energy[weak] = factor
    return energy


def read_shockley(angle: ArrayLike, limit: float = 15.0, least: float = 0.01) -> Floats:
    """Energy factor of boundaries of small misorientation, 1 from the limit on.

    r (1 - ln r) with r = angle / limit (W. T. Read, W. Shockley, Phys. Rev. 78 (1950) 275); the
    usual limit is Brandon's 15 degrees (Acta Metall. 14 (1966) 1479).

    Args:
        angle: Misorientation [degree], see `ssbmech.meshes.orientation.misorientation`.
        limit: Where boundaries stop being arrays of dislocations [degree].
        least: Smallest factor; a boundary without any energy would make every path equal.
    """
    r = np.clip(np.asarray(angle, dtype=float) / limit, 1e-12, 1.0)
    return np.maximum(r * (1 - np.log(r)), least)


# -- 2-D -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BoundaryPath:
    """A path along grain boundaries, from the start to the depth.

    Attributes:
        points: Corners of the polyline [um], shape (n + 1, 2); of columns without their axis.
        vertices: Their vertex numbers (of columns at the low end), -1 for an end that was cut at
            the depth, shape (n + 1,).
        faces: Boundary of each piece, shape (n,): its face number in a tessellation, its row in
            ``facets`` of a mesh.
        length: [um].
        energy: Sum of length times factor [um].
    """

    points: Floats
    vertices: Ints
    faces: Ints
    length: float
    energy: float


def boundary_path(
    grains: Tessellation | MeshData,
    start: int | str,
    depth: float,
    *,
    energy: Sequence[float] | Floats | None = None,
    near: float | None = None,
    exact: bool = True,
) -> BoundaryPath:
    """Shortest or lowest-energy path along grain boundaries in 2-D, from a side to a depth.

    Args:
        grains: Tessellation of dimension 2, or of columns along an axis within the side (the path
            is that of the section across it), or a 2-D mesh with the facet group
            ``grain_boundaries``.
        start: Side where the path starts: of a tessellation its number (2: y low), of a mesh the
            name of a facet group on one straight line along an axis.
        depth: How far from that side the path goes [um].
        energy: Positive factor of each face of the tessellation (row of ``facets`` of the mesh),
            see `read_shockley` and `weak_boundaries`; all 1 without, which gives the shortest.
        near: Start at the boundary nearest to this coordinate along the side [um]; without it
            where the path is best.
        exact: End exactly at the depth, on a boundary; otherwise at the first vertex at or
            beyond it.

    Returns:
        The path.

    Raises:
        MeshError: If no boundary leads from the side to the depth, with how far they reach.
    """
    graph = _graph(grains, start)
    number("depth", depth)
    # Nothing beyond the depth: a path ends where it first gets there.
    near_side = (graph.depth[graph.edges] < depth * (1 - 1e-12)).any(axis=1)
    graph = replace(graph, edges=graph.edges[near_side], faces=graph.faces[near_side])
    if exact:
        graph = _cut_at(graph, depth)
    weight = energy_factors(energy, graph.n_faces)[graph.faces]
    length = np.linalg.norm(
        graph.points[graph.edges[:, 1]] - graph.points[graph.edges[:, 0]], axis=1
    )

    sources = graph.starts
    if not len(sources):
        raise MeshError(
            "no grain boundary meets the side where the path starts",
            key="start", value=start, hint="Use more grains, or another side",
        )  # fmt: skip
    if near is not None:
        along = graph.points[sources, graph.across]
        sources = sources[[int(np.argmin(np.abs(along - near)))]]
    targets = np.flatnonzero(graph.depth >= depth * (1 - 1e-12))
    order = _dijkstra(graph, length * weight, sources, targets)
    if order is None:
        reach = float(graph.depth[np.unique(graph.edges)].max())
        raise MeshError(
            "no path along grain boundaries from the side to the depth",
            key="depth",
            value=depth,
            allowed=f"up to {min(reach, depth):.6g} um at most; {len(sources)} starts",
            hint="Choose a smaller depth or more grains",
        )
    vertices, edges = order
    numbers = np.where(vertices < graph.n_vertices, vertices, -1)
    return BoundaryPath(
        points=graph.points[vertices],
        vertices=numbers,
        faces=graph.faces[edges],
        length=float(length[edges].sum()),
        energy=float((length * weight)[edges].sum()),
    )


@dataclass(frozen=True)
class _Graph:
    """Boundaries as edges of a graph.

    Attributes:
        points: Vertices [um], shape (n, 2).
        edges: Pairs of vertices.
        faces: Face number of each edge.
        depth: Distance of each vertex from the side [um].
        starts: Vertices on the side at which a boundary ends.
        across: Axis along the side.
        n_vertices: Number of vertices before cutting.
        n_faces: Number of faces that may have an energy.
    """

    points: Floats
    edges: Ints
    faces: Ints
    depth: Floats
    starts: Ints
    across: int
    n_vertices: int
    n_faces: int


def _graph(grains: Tessellation | MeshData, start: int | str) -> _Graph:
    """Grain boundaries of a tessellation or a mesh."""
    if isinstance(grains, MeshData):
        return _graph_of_mesh(grains, start)
    along = grains.columnar_axis
    if isinstance(start, str) or not 0 <= start < 2 * grains.dim:
        raise MeshError(
            "a tessellation has numbered sides", key="start", value=start,
            allowed=f"0 to {2 * grains.dim - 1}",
        )  # fmt: skip
    if grains.dim == 3 and (along is None or start // 2 == along):
        raise MeshError(
            "a path is a line in two dimensions", key="dim", value=3, allowed="2, or columns along "
            "an axis within the side", hint="Use boundary_surface for equiaxed grains",
        )  # fmt: skip
    neighbours = np.asarray(grains.neighbours)
    loops = [tuple(int(v) for v in face) for face in grains.faces]
    axes = np.arange(grains.dim)
    if grains.dim == 3 and along is not None:
        foot = {v for f in np.flatnonzero(neighbours[:, 1] == -1 - 2 * along) for v in loops[f]}
        loops = [tuple(v for v in loop if v in foot) for loop in loops]
        axes = np.delete(axes, along)
    is_line = np.array([len(loop) == 2 for loop in loops])
    faces = np.array([loop if len(loop) == 2 else (-1, -1) for loop in loops], dtype=np.int64)
    inner = is_line & is_boundary(grains)
    side = faces[is_line & (neighbours[:, 1] == -1 - start)]
    axis, high = divmod(start, 2)
    height = grains.vertices[:, axis] - grains.box[high, axis]
    return _Graph(
        points=grains.vertices[:, axes],
        edges=faces[inner],
        faces=np.flatnonzero(inner),
        depth=-height if high else height,
        starts=np.intersect1d(side, faces[inner]),
        across=int(np.flatnonzero(axes != axis)[0]),
        n_vertices=len(grains.vertices),
        n_faces=len(faces),
    )


def is_boundary(grains: Tessellation) -> NDArray[np.bool_]:
    """Which faces lie between two different grains."""
    first, second = grains.neighbours.T
    inner = second >= 0
    return np.asarray(inner & (grains.grain[first] != grains.grain[np.where(inner, second, first)]))


def _graph_of_mesh(mesh: MeshData, start: int | str) -> _Graph:
    """Facets of the group ``grain_boundaries`` of a 2-D mesh."""
    if mesh.dim != 2 or not isinstance(start, str):
        raise MeshError(
            "a path through a mesh needs two dimensions and a named side",
            key="start", value=start, allowed="a facet group of a 2-D mesh",
        )  # fmt: skip
    inner = mesh.facet_tags == mesh.facet_tag("grain_boundaries")
    side = mesh.facets[mesh.facet_tags == mesh.facet_tag(start, key="start"), :2]
    points, faces = mesh.points[:, :2], mesh.facets[:, :2]
    nodes = points[np.unique(side)]
    extent = np.ptp(nodes, axis=0)
    axis = int(np.argmin(extent))
    if extent[axis] > 1e-9 * extent.max():
        raise MeshError("the side is no straight line along an axis", key="start", value=start)
    height = points[:, axis] - nodes[:, axis].mean()
    return _Graph(
        points=points,
        edges=faces[inner],
        faces=np.flatnonzero(inner),
        depth=height * np.sign(height[faces[inner]].sum()),
        starts=np.intersect1d(side, faces[inner]),
        across=1 - axis,
        n_vertices=len(points),
        n_faces=len(faces),
    )


def energy_factors(energy: Sequence[float] | Floats | None, n: int) -> Floats:
    """Energy factor of each of n faces, 1 without any; MeshError unless all are positive."""
    if energy is None:
        return np.ones(n)
    factors = np.asarray(energy, dtype=float)
    if factors.shape != (n,):
        raise MeshError(
            "one energy per face", key="energy", value=f"shape {factors.shape}", allowed=f"({n},)"
        )
    if not (np.isfinite(factors) & (factors > 0)).all():
        raise MeshError(
            "energies have to be positive", key="energy", value=float(np.nanmin(factors)),
            allowed="> 0",
        )  # fmt: skip
    return factors


def _cut_at(graph: _Graph, depth: float) -> _Graph:
    """The graph with edges that cross the depth ended there."""
    d = graph.depth[graph.edges]
    crossing = np.flatnonzero((d > depth * (1 + 1e-12)).any(axis=1))
    edges = graph.edges.copy()
    upper = np.argmax(d[crossing], axis=1)
    high, low = edges[crossing, upper], edges[crossing, 1 - upper]
    share = (depth - graph.depth[low]) / (graph.depth[high] - graph.depth[low])
    new = graph.points[low] + share[:, None] * (graph.points[high] - graph.points[low])
    edges[crossing, upper] = len(graph.points) + np.arange(len(crossing))
    return replace(
        graph,
        points=np.vstack([graph.points, new]),
        edges=edges,
        depth=np.r_[graph.depth, np.full(len(crossing), depth)],
    )


def _dijkstra(
    graph: _Graph, cost: Floats, sources: Ints, targets: Ints
) -> tuple[Ints, Ints] | None:
    """Vertices and edges of the cheapest path from any source to any target; None without one."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    n = len(graph.points)
    ends = np.sort(graph.edges, axis=1)
    code = ends[:, 0] * n + ends[:, 1]
    order = np.lexsort((cost, code))  # of two boundaries between the same vertices, the cheaper
    unique, first = np.unique(code[order], return_index=True)
    chosen = order[first]
    matrix = csr_matrix((cost[chosen], (ends[chosen, 0], ends[chosen, 1])), shape=(n, n))
    distance, before, _ = dijkstra(
        matrix, directed=False, indices=sources, return_predecessors=True, min_only=True
    )
    if not len(targets) or not np.isfinite(distance[targets]).any():
        return None
    at = int(targets[np.argmin(distance[targets])])
    path = [at]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    vertices = np.array(path[::-1], dtype=np.int64)
    pairs = np.sort(np.stack([vertices[:-1], vertices[1:]], axis=1), axis=1)
    edges = chosen[np.searchsorted(unique, pairs[:, 0] * n + pairs[:, 1])]
    return vertices, edges
