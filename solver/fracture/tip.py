"""What holds at a front: its material, the face pressure, eigenstrain and strain along it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import facet_cells, vertex_nodes
from ssbmech.errors import FractureError
from ssbmech.fracture.along import FrontLine
from ssbmech.fracture.clearance import crossing_interface
from ssbmech.fracture.front import Crack, Curve, Tip
from ssbmech.fracture.sampling import Sampler
from ssbmech.fracture.state import TipMaterial, tip_material
from ssbmech.problem import Problem
from ssbmech.solve import Solution


def material_at(solution: Solution, front: Tip | Curve) -> tuple[TipMaterial | None, str]:
    """Isotropic elasticity at the front, or None with the reason why K has no meaning there.

    Raises:
        FractureError: On every rank, when crystals meet at the front across its extension.
    """
    p = solution.problem
    tags = sorted(_tags_at(p, inner_nodes(front)))
    if any(p.material_of_tag(tag).cubic is not None for tag in tags):
        if crossing_interface(p, front):
            raise FractureError(
                f"the crack front {front.name!r} ends on a boundary of a crystal that runs across "
                "its extension: the stress is not 1/sqrt(r) there, and J has no meaning",
                key="crack.front",
                hint="End the crack inside a grain, or on a straight part of a grain boundary",
            )
        return None, (
            "the crystal at the front is anisotropic: J is given, and K is not, since its "
            "auxiliary fields are isotropic; K_IC is not compared with anything"
        )
    point = front.point if isinstance(front, Tip) else front.points[0]
    materials = [tip_material(p, tag, point) for tag in tags]
    if any(not np.isclose(m.E, materials[0].E) or m.nu != materials[0].nu for m in materials):
        return None, "two materials meet at the front: J is given, K has no meaning there"
    return materials[0], ""


def tip_state(
    solution: Solution, crack: Crack, front: Tip | Curve, line: FrontLine
) -> tuple[NDArray, NDArray, NDArray]:
    """sigma_22 at the faces, eps*_11 and elastic eps_33 at points of the front (T-stress)."""
    p = solution.problem
    x = line.points * p.domain.length
    n = len(x)
    sigma22: Any = np.zeros(n)
    touching = _face_groups_at(p, crack, front)
    for load in p.loads:
        if load.group in touching and load.pressure is not None:
            sigma22 = -load.pressure.value(x) / solution.modulus
    frame = front.frame[None] if isinstance(front, Tip) else front.frame_at(line.s)
    eigen: Any = np.zeros((n, 3, 3))
    for tag in sorted(_tags_at(p, inner_nodes(front))):
        found = p.eigenstrain_at(tag, x)
        if found is not None:
            eigen = found[0]
    strain11 = np.einsum("nj,njk,nk->n", frame[:, 0], eigen, frame[:, 0])
    strain33 = -np.einsum("nj,njk,nk->n", frame[:, 2], eigen, frame[:, 2])
    if isinstance(front, Curve):
        strain33 = strain33 + _strain_along(solution, front, line)
    elif front.axisymmetric:
        strain33 = strain33 + _nodal(solution, front.nodes)[0, 0] / front.point[0]
    return sigma22, strain11, strain33


def _face_groups_at(p: Problem, crack: Crack, front: Tip | Curve) -> set[str]:
    """Face groups that touch the front."""
    domain = p.domain
    out = set()
    for name in crack.faces:
        facets = domain.facets(name)
        nodes = facet_cells(domain.mesh, facets)[2]
        if np.isin(domain.node_ids[nodes], front.nodes).any():
            out.add(name)
    return set().union(*domain.comm.allgather(out))


def inner_nodes(front: Tip | Curve) -> NDArray[np.int64]:
    """Nodes of the front without the ends of an open one, which may lie on another material."""
    if isinstance(front, Tip) or front.closed or len(front.nodes) < 3:
        return front.nodes
    return front.nodes[1:-1]


def groups_at(p: Problem, front: Tip | Curve) -> tuple[str, ...]:
    """Material groups at the front (all ranks); not those at an end of an open one."""
    tags = _tags_at(p, inner_nodes(front))
    return tuple(name for name, tag in p.domain.cell_groups.items() if tag in tags)


def foreign_ends(p: Problem, front: Tip | Curve) -> tuple[bool, bool]:
    """Whether the start and the end of an open front touch a material that its inside does not."""
    if isinstance(front, Tip) or front.closed:
        return False, False
    inside = _tags_at(p, inner_nodes(front))
    first, last = (bool(_tags_at(p, front.nodes[[k]]) - inside) for k in (0, -1))
    return first, last


def _tags_at(p: Problem, nodes: NDArray[np.int64]) -> set[int]:
    """Material tags of the cells that touch nodes of the front (all ranks)."""
    domain = p.domain
    owned = domain.mesh.topology.index_map(domain.tdim).size_local
    touching = np.isin(domain.node_ids[vertex_nodes(domain.mesh)[:owned]], nodes).any(axis=1)
    mine = {int(tag) for tag in np.unique(domain.tag_of_cell()[:owned][touching])}
    return set().union(*domain.comm.allgather(mine))


def _nodal(solution: Solution, nodes: NDArray) -> NDArray[np.float64]:
    """Displacement (non-dimensional) at nodes given by number, on every rank, shape (n, 3)."""
    domain = solution.problem.domain
    owned = domain.mesh.topology.index_map(domain.tdim).size_local
    cell_nodes = vertex_nodes(domain.mesh)[:owned]
    sampler = Sampler(solution.u, False)
    out = np.zeros((len(nodes), 4))
    ids = domain.node_ids[cell_nodes]
    order = np.argsort(nodes)
    cells, local = np.nonzero(np.isin(ids, nodes))
    position = order[np.searchsorted(nodes, ids[cells, local], sorter=order)]
    values = sampler._values[sampler._dofs[cells, local]]
    out[position, : domain.tdim], out[position, 3] = values, 1
    total = np.empty_like(out)
    domain.comm.Allreduce(out, total)
    return total[:, :3] / np.maximum(total[:, 3:], 1)


def _strain_along(solution: Solution, front: Curve, line: FrontLine) -> NDArray[np.float64]:
    """Strain along the front, eps_33 = t.du/ds, from the displacement of its vertices."""
    from scipy.interpolate import CubicSpline  # a 2-D run does without, and it is slow to import

    u = _nodal(solution, front.nodes)
    boundary = "not-a-knot"
    if front.closed:
        u, boundary = np.vstack([u, u[:1]]), "periodic"
    derivative = CubicSpline(front.knots, u, bc_type=boundary)(line.s, 1)
    return np.einsum("nk,nk->n", derivative, front._spline(line.s, 1))
