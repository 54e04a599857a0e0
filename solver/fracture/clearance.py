"""How far a ring may reach before it meets something that its virtual extension must not move."""

from __future__ import annotations

from dataclasses import dataclass

import dolfinx
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech import crystals
from ssbmech.domain import facet_cells, facet_normals, vertex_nodes
from ssbmech.fracture.front import Crack, Curve, Tip
from ssbmech.problem import Problem

#: A virtual extension may end on a boundary that it is tangent to (|e1.n| below this).
_TANGENT = 0.1
#: An interface is moved by an extension unless it lies along it (|e1.n| below this).
_ALONG = 1e-6
#: A front may lie in an interface along its extension (|e1.n| below this), not on one across.
_CROSSING = 1e-2


def clearance(
    problem: Problem, crack: Crack, front: Tip | Curve, siblings: list[Tip | Curve]
) -> tuple[float, str]:
    """Distance from the front to the nearest thing a ring must not reach, and its name.

    Obstacles: other fronts; the centre of curvature of a 3-D front; boundaries that the virtual
    extension would push (among them the crack's own faces beyond a kink); where both faces end at
    something that stays whole, a second singular point; places on a
    smooth boundary where a prescribed displacement begins or ends, which are singular themselves.
    """
    domain = problem.domain
    found: list[tuple[float, str]] = []
    own = {int(i) for i in front.nodes}
    for name, line in domain.fronts.items():
        other = [i for i, node in enumerate(map(int, line.nodes)) if node not in own]
        if (other and name != crack.front) or (other and len(siblings) > 1):
            found.append(
                (float(front.locate(line.points[other]).r.min()), f"other crack front ({name})")
            )
    if isinstance(front, Curve):
        bend = np.linalg.norm(front._spline(front.knots, 2), axis=1).max()
        if bend > 0:
            found.append((float(1 / bend), "radius of curvature of the front"))
    elif front.axisymmetric:
        found.append((float(front.point[0]), "axis of symmetry"))
    outside = _boundary(problem)
    found.append(domain.comm.allreduce(_blocking(problem, crack, front, outside), op=MPI.MIN))
    found.append((_mouth(problem, crack, front, outside), "closed mouth of the crack"))
    found.append(_constraint_border(problem, front, outside, min(found)[0]))
    return min(found)


def interface_distance(problem: Problem, front: Tip | Curve) -> float:
    """Distance from the front to the nearest interface that its extension would move (all ranks).

    An interface along the extension, such as a flat grain boundary in which the crack runs, slides
    in itself and is none.
    """
    nodes, normal = _interfaces(problem)
    x = problem.domain.mesh.geometry.x[nodes]
    mine = np.inf
    if len(x):
        e1 = front.locate(x.mean(axis=1)).frame[:, 0]
        moved = np.abs(np.einsum("nk,nk->n", normal, e1)) > _ALONG
        mine = float(front.locate(x[moved]).r.min(initial=np.inf))
    return problem.domain.comm.allreduce(mine, op=MPI.MIN)


def crossing_interface(problem: Problem, front: Tip | Curve) -> bool:
    """Whether the front ends on an interface across its extension (all ranks).

    There the stress grows with a power of its own, and J is zero or infinite.
    """
    domain = problem.domain
    nodes, normal = _interfaces(problem)
    on = np.isin(domain.node_ids[nodes], front.nodes).sum(axis=1) >= domain.tdim - 1
    mine = False
    if on.any():
        e1 = front.locate(domain.mesh.geometry.x[nodes[on]].mean(axis=1)).frame[:, 0]
        mine = bool((np.abs(np.einsum("nk,nk->n", normal[on], e1)) > _CROSSING).any())
    return problem.domain.comm.allreduce(mine, op=MPI.LOR)


def crystal_distance(problem: Problem, front: Tip | Curve) -> float:
    """Distance from the front to the nearest crystal (all ranks); infinite without one."""
    mine = np.inf
    if problem.has_crystals:
        mesh = problem.domain.mesh
        nodes = np.unique(vertex_nodes(mesh)[crystals.crystal_cells(problem)])
        if nodes.size:
            mine = float(front.locate(mesh.geometry.x[nodes]).r.min())
    return problem.domain.comm.allreduce(mine, op=MPI.MIN)


def _interfaces(problem: Problem) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Facets of this rank where the stiffness may jump: vertex nodes and unit normals."""
    mesh, dim = problem.domain.mesh, problem.domain.tdim
    mesh.topology.create_connectivity(dim - 1, dim)
    f2c = mesh.topology.connectivity(dim - 1, dim)
    inner = np.flatnonzero(np.diff(f2c.offsets) == 2).astype(np.int32)
    pairs = f2c.array[f2c.offsets[inner][:, None] + np.arange(2)].reshape(-1, 2)
    phase = crystals.phase_of_cell(problem)
    facets = inner[phase[pairs[:, 0]] != phase[pairs[:, 1]]]
    nodes = facet_cells(mesh, facets)[2]
    return nodes, facet_normals(mesh.geometry.x[nodes])


def free_ends(problem: Problem, front: Tip | Curve) -> int:
    """Number of ends of a 3-D front on a boundary where nothing is prescribed (all ranks)."""
    if isinstance(front, Tip) or front.closed:
        return 0
    outside = _boundary(problem)
    held = _held(problem)
    ids = problem.domain.node_ids[outside.nodes]
    count = 0
    for s, node in ((0.0, front.nodes[0]), (front.length, front.nodes[-1])):
        along = front.frame_at(np.array([s]))[0, 2]
        facets = (ids == node).any(axis=1) & (np.abs(outside.normal @ along) > 0.5)
        free = bool(facets.any() and (held[outside.tags[facets]] == 0).all())
        count += problem.domain.comm.allreduce(free, op=MPI.LOR)
    return count


def _held(problem: Problem) -> NDArray[np.int64]:
    """Prescribed displacement components of each facet tag, as bits."""
    groups = problem.domain.facet_groups
    held = np.zeros(max(groups.values(), default=0) + 1, np.int64)
    for constraint in problem.constraints:
        for component in constraint.components:
            held[groups[constraint.group]] |= 1 << component
    return held


@dataclass(frozen=True)
class _Boundary:
    """Exterior facets of this rank: group tag, vertex nodes, vertex coordinates, outer normal."""

    tags: NDArray[np.int32]
    nodes: NDArray[np.int32]
    x: NDArray[np.float64]
    normal: NDArray[np.float64]


def _boundary(problem: Problem) -> _Boundary:
    mesh, dim = problem.domain.mesh, problem.domain.tdim
    mesh.topology.create_connectivity(dim - 1, dim)
    exterior = dolfinx.mesh.exterior_facet_indices(mesh.topology)
    tags = np.zeros(mesh.topology.index_map(dim - 1).size_local, np.int32)
    tagged = problem.domain.facet_tags.indices
    inside = tagged < len(tags)
    tags[tagged[inside]] = problem.domain.facet_tags.values[inside]
    cells, local, nodes = facet_cells(mesh, exterior)
    x = mesh.geometry.x[nodes]
    normal = facet_normals(x)
    opposite = mesh.geometry.x[vertex_nodes(mesh)[cells, local]]
    inward = np.einsum("nk,nk->n", normal, opposite - x[:, 0]) > 0
    normal[inward] *= -1
    return _Boundary(tags[exterior], nodes, x, normal)


def _blocking(
    problem: Problem, crack: Crack, front: Tip | Curve, outside: _Boundary
) -> tuple[float, str]:
    """Nearest boundary of this rank that the extension would push, and its name."""
    names = {tag: name for name, tag in problem.domain.facet_groups.items()}
    for face in crack.faces:  # they are tangent to the extension up to where the crack kinks
        names[problem.domain.facet_tag(face, key="crack.faces")] = "kink of the crack"
    if not len(outside.x):
        return np.inf, ""
    where = front.locate(outside.x.mean(axis=1))
    across = np.abs(np.einsum("nk,nk->n", outside.normal, where.frame[:, 0]))
    if not (across > _TANGENT).any():
        return np.inf, ""
    rows = np.flatnonzero(across > _TANGENT)
    # of the vertices and of points between them, so that a large facet whose vertices are far away
    # is seen as well
    dim = outside.x.shape[1]
    mix = [np.eye(dim), np.full((1, dim), 1 / dim)]
    mix.append((np.eye(dim) + np.roll(np.eye(dim), 1, axis=0)) / 2)
    between = np.einsum("mv,nvk->nmk", np.vstack(mix), outside.x[rows])
    r = front.locate(between).r.min(axis=1)
    k = int(np.argmin(r))
    return float(r[k]), names.get(int(outside.tags[rows[k]]), "body's boundary")


def _mouth(problem: Problem, crack: Crack, front: Tip | Curve, outside: _Boundary) -> float:
    """Distance to the nearest vertex at which both faces meet and that no front has (all ranks)."""
    domain = problem.domain
    faces = [domain.facet_tag(f, key="crack.faces") for f in crack.faces]
    mine = np.isin(outside.tags, faces)
    side = np.zeros(0)
    if mine.any():
        where = front.locate(outside.x[mine].mean(axis=1))
        side = np.einsum("nk,nk->n", outside.normal[mine], where.frame[:, 1])
    ids = domain.node_ids[outside.nodes[mine]]
    both = [np.unique(ids[side > 0]), np.unique(ids[side < 0])]
    gathered = domain.comm.allgather(both)
    one, other = (np.unique(np.concatenate([g[k] for g in gathered])) for k in (0, 1))
    fronts = np.concatenate([line.nodes for line in domain.fronts.values()])
    ends = np.setdiff1d(np.intersect1d(one, other), fronts)
    nearest = np.inf
    x = outside.x[mine].reshape(-1, 3)[np.isin(ids.reshape(-1), ends)]
    if len(x):
        nearest = float(_beside(front, x).min())
    return float(domain.comm.allreduce(nearest, op=MPI.MIN))


def _beside(front: Tip | Curve, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the front, infinite beyond the ends of an open one.

    What begins where the front ends spoils the values there and no others.
    """
    where = front.locate(x)
    if isinstance(front, Tip) or front.closed:
        return where.r
    return np.where(where.r < np.minimum(where.s, front.length - where.s), where.r, np.inf)


def _constraint_border(
    problem: Problem, front: Tip | Curve, outside: _Boundary, reach: float
) -> tuple[float, str]:
    """Nearest vertex where a prescribed displacement ends on a smooth boundary (all ranks)."""
    domain = problem.domain
    held = _held(problem)
    r = np.empty(outside.nodes.shape)
    r[:] = _beside(front, outside.x)
    facet, corner = np.nonzero(r < reach)
    ids = domain.node_ids[outside.nodes[facet, corner]]
    mine = (ids, held[outside.tags[facet]], outside.normal[facet], r[facet, corner])
    parts = domain.comm.allgather(mine)
    ids, mask, normal, r = (np.concatenate([p[i] for p in parts]) for i in range(4))
    order = np.argsort(ids, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(ids[order])) + 1) if ids.size else []
    best = np.inf
    for rows in groups:
        if len(set(mask[rows].tolist())) < 2 or np.isin(ids[rows[0]], front.nodes):
            continue
        smooth = np.abs(normal[rows] @ normal[rows].T) > 0.99
        if (smooth & (mask[rows][:, None] != mask[rows])).any():
            best = min(best, float(r[rows[0]]))
    return best, "end of a prescribed displacement"
