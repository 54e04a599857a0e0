"""How far a ring may reach before it meets something that its virtual extension must not move."""

from __future__ import annotations

import dolfinx
import numpy as np
from mpi4py import MPI
from ssbmech.domain import facet_cells
from ssbmech.fracture.front import Crack, Curve, Tip
from ssbmech.problem import Problem

#: A virtual extension may end on a boundary that it is tangent to (|e1.n| below this).
_TANGENT = 0.1


def clearance(
    problem: Problem, crack: Crack, front: Tip | Curve, siblings: list[Tip | Curve]
) -> tuple[float, str]:
    """Distance from the front to the nearest thing a ring must not reach, and its name."""
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
    mesh, dim = domain.mesh, domain.tdim
    mesh.topology.create_connectivity(dim - 1, dim)
    names = {tag: name for name, tag in domain.facet_groups.items()}
    faces = {domain.facet_tag(f, key="crack.faces") for f in crack.faces}
    exterior = dolfinx.mesh.exterior_facet_indices(mesh.topology)
    tags = np.zeros(mesh.topology.index_map(dim - 1).size_local, np.int32)
    tagged = domain.facet_tags.indices
    inside = tagged < len(tags)
    tags[tagged[inside]] = domain.facet_tags.values[inside]
    exterior = exterior[~np.isin(tags[exterior], list(faces))]
    local: tuple[float, str] = (np.inf, "")
    if exterior.size:
        x = mesh.geometry.x[facet_cells(mesh, exterior)[2]]
        if dim == 2:
            t = x[:, 1] - x[:, 0]
            normal = np.stack([t[:, 1], -t[:, 0], 0 * t[:, 0]], -1)
        else:
            normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        where = front.locate(x.mean(axis=1))
        blocking = np.abs(np.einsum("nk,nk->n", normal, where.frame[:, 0])) > _TANGENT
        if blocking.any():
            # distance to the facet: of its vertices and of points between them, so that a large
            # facet whose vertices are far away is seen as well
            corners = x[blocking]
            mix = [np.eye(dim), np.full((1, dim), 1 / dim)]
            mix.append((np.eye(dim) + np.roll(np.eye(dim), 1, axis=0)) / 2)
            between = np.einsum("mv,nvk->nmk", np.vstack(mix), corners)
            r = front.locate(between).r.min(axis=1)
            k = int(np.argmin(r))
            local = (float(r[k]), names.get(int(tags[exterior[blocking][k]]), "body's boundary"))
    found.append(domain.comm.allreduce(local, op=MPI.MIN))
    return min(found)
