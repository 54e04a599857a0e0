"""Crack fronts: where a point lies relative to the front, and the local frame there.

2-D tips and 3-D fronts answer the same question (``Front.locate``), so that the contour integral
is written once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain, FrontLine, facet_cells, facet_normals, vertex_nodes
from ssbmech.errors import FractureError


@dataclass(frozen=True)
class Crack:
    """A crack named by its groups in the mesh.

    Attributes:
        faces: Facet groups. The first that touches the front is the lower face: its outward
            normal is the local e2. With ``symmetry`` there is only the upper side.
        front: Name of the front (one or more 2-D tips, or a 3-D line).
        symmetry: The crack lies on a symmetry plane and one half of the body is meshed.
    """

    faces: tuple[str, ...]
    front: str
    symmetry: bool = False


@dataclass(frozen=True)
class Local:
    """Points in the frame of the nearest front point.

    Attributes:
        s: Arc length along the front, shape (...).
        x1: Distance ahead, shape (...).
        x2: Distance above, shape (...).
        frame: Rows e1, e2, e3 in global components, shape (..., 3, 3).
        curvature: c/rho in the local (1, 2) directions at the points, shape (..., 2).
    """

    s: NDArray[np.float64]
    x1: NDArray[np.float64]
    x2: NDArray[np.float64]
    frame: NDArray[np.float64]
    curvature: NDArray[np.float64]

    @property
    def r(self) -> NDArray[np.float64]:
        """Distance from the front."""
        return np.hypot(self.x1, self.x2)


@dataclass(frozen=True)
class Tip:
    """A crack tip of a plane or axisymmetric body.

    Attributes:
        name: For reports.
        point: Coordinates, shape (3,).
        frame: Rows e1, e2, e3, shape (3, 3).
        nodes: Node number of the tip in the mesh file, shape (1,).
        axisymmetric: Whether the tip is a circle about the axis x = 0.
    """

    name: str
    point: NDArray[np.float64]
    frame: NDArray[np.float64]
    nodes: NDArray[np.int64]
    axisymmetric: bool

    closed = False
    length = 1.0

    def locate(self, x: NDArray[np.float64]) -> Local:
        """Points (..., 3) in the frame of the tip."""
        d = x - self.point
        shape = x.shape[:-1]
        curvature = np.zeros((*shape, 2))
        if self.axisymmetric:
            # on the axis itself the factor is not needed: no ring may reach it
            radius = np.where(x[..., :1] > 0, x[..., :1], np.inf)
            curvature = self.frame[:2, 0] / radius
        return Local(
            np.zeros(shape),
            d @ self.frame[0],
            d @ self.frame[1],
            np.broadcast_to(self.frame, (*shape, 3, 3)),
            curvature,
        )


class Curve:
    """A smooth 3-D front: an interpolating cubic spline through the front's vertices.

    Attributes:
        name: For reports.
        points: Vertices in order along the front, shape (n, 3); a closed front repeats none.
        nodes: Their node numbers in the mesh file.
        closed: Whether the front is a closed line.
        length: Arc length.
        knots: Arc length at the vertices, shape (n,), or (n + 1,) when closed.
    """

    def __init__(
        self,
        name: str,
        points: NDArray[np.float64],
        nodes: NDArray[np.int64],
        normals: NDArray[np.float64],
        ahead: NDArray[np.float64],
        closed: bool,
    ) -> None:
        from scipy.interpolate import CubicSpline

        self.name, self.points, self.nodes, self.closed = name, points, nodes, closed
        line = np.vstack([points, points[:1]]) if closed else points
        normals = np.vstack([normals, normals[:1]]) if closed else normals
        boundary = "periodic" if closed else "not-a-knot"
        chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        # two passes: parametrise by chord length, then by the arc length of that spline
        knots = chord
        for _ in range(2):
            spline = CubicSpline(knots, line, bc_type=boundary)
            t, w = np.polynomial.legendre.leggauss(6)
            a, b = knots[:-1, None], knots[1:, None]
            speed = np.linalg.norm(spline(a + (b - a) * (t + 1) / 2, 1), axis=2)
            knots = np.concatenate([[0], np.cumsum((speed @ w) * (knots[1:] - knots[:-1]) / 2)])
        self.knots, self.length = knots, float(knots[-1])
        self._spline = CubicSpline(knots, line, bc_type=boundary)
        self._normal = CubicSpline(knots, normals, bc_type=boundary)
        middle = self.frame_at(knots[:-1] if closed else knots)
        sign = np.sum(np.einsum("ij,ij->i", middle[:, 0], ahead))
        self._sign = 1.0 if sign >= 0 else -1.0
        dense = np.linspace(0, self.length, 16 * len(points) + 1)
        from scipy.spatial import cKDTree

        self._dense, self._tree = dense, cKDTree(self._spline(dense))

    _sign = 1.0

    def frame_at(self, s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows e1, e2, e3 at arc lengths, shape (..., 3, 3)."""
        tangent = self._spline(s, 1)
        tangent = tangent / np.linalg.norm(tangent, axis=-1, keepdims=True)
        e3 = self._sign * tangent
        e2 = self._normal(s)
        e2 = e2 - np.einsum("...i,...i->...", e2, e3)[..., None] * e3
        e2 = e2 / np.linalg.norm(e2, axis=-1, keepdims=True)
        return np.stack([np.cross(e2, e3), e2, e3], axis=-2)

    def at(self, s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points at arc lengths, shape (..., 3)."""
        return self._spline(s)

    def locate(self, x: NDArray[np.float64]) -> Local:
        """Points (..., 3) in the frame of their nearest front point."""
        flat = x.reshape(-1, 3)
        s = self._dense[self._tree.query(flat)[1]]
        for _ in range(4):  # Newton on (x - c(s)).c'(s) = 0
            d = flat - self._spline(s)
            c1, c2 = self._spline(s, 1), self._spline(s, 2)
            slope = np.einsum("ij,ij->i", c1, c1) - np.einsum("ij,ij->i", d, c2)
            step = np.einsum("ij,ij->i", d, c1) / np.where(slope > 0.1, slope, 1.0)
            s = s + np.clip(step, -0.1 * self.length, 0.1 * self.length)
            s = np.mod(s, self.length) if self.closed else np.clip(s, 0, self.length)
        frame = self.frame_at(s)
        d = flat - self._spline(s)
        x1 = np.einsum("ij,ij->i", d, frame[:, 0])
        x2 = np.einsum("ij,ij->i", d, frame[:, 1])
        bend = self._spline(s, 2)
        k = -np.einsum("ij,iaj->ia", bend, frame[:, :2])
        stretch = 1 + k[:, 0] * x1 + k[:, 1] * x2
        k = k / np.maximum(stretch, 0.05)[:, None]
        shape = x.shape[:-1]
        return Local(
            s.reshape(shape),
            x1.reshape(shape),
            x2.reshape(shape),
            frame.reshape(*shape, 3, 3),
            k.reshape(*shape, 2),
        )


def fronts_of(domain: Domain, crack: Crack, model: str) -> list[Tip | Curve]:
    """Tips or fronts of a crack, the same on every rank.

    Raises:
        FractureError: When no crack face touches the front, or the front is not a simple line.
    """
    if crack.front not in domain.fronts:
        from ssbmech.errors import nearest

        raise FractureError(
            f"the mesh has no front {crack.front!r}",
            key="crack.front",
            hint=nearest(crack.front, domain.fronts),
        )
    line = domain.fronts[crack.front]
    normals, ahead = _face_directions(domain, crack, line)
    lost = np.flatnonzero(np.linalg.norm(normals, axis=1) < 0.1)
    if lost.size:
        where = (line.points[lost[0]] * domain.length * 1e6).round(6).tolist()
        raise FractureError(
            f"no crack face touches the front {crack.front!r} at {where} um",
            key="crack.faces",
            hint="Name the facet groups of the crack's faces; both must end at the front",
        )
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    if domain.tdim == 2:
        tips: list[Tip | Curve] = []
        for i, node in enumerate(line.nodes):
            e2 = normals[i]
            e1 = ahead[i] - (ahead[i] @ e2) * e2
            e1 /= np.linalg.norm(e1)
            name = crack.front if len(line.nodes) == 1 else f"{crack.front}[{i}]"
            frame = np.array([e1, e2, np.cross(e1, e2)])
            tips.append(Tip(name, line.points[i], frame, np.array([node]), model == "axisymmetric"))
        return tips
    curves: list[Tip | Curve] = []
    chains = _chains(line, crack.front)
    for k, (order, closed) in enumerate(chains):
        name = crack.front if len(chains) == 1 else f"{crack.front}[{k}]"
        curves.append(
            Curve(name, line.points[order], line.nodes[order], normals[order], ahead[order], closed)
        )
    return curves


def _face_directions(
    domain: Domain, crack: Crack, line: FrontLine
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean e2 and a vector pointing ahead at each front node, from the faces that touch it."""
    mesh, dim = domain.mesh, domain.tdim
    owned = mesh.topology.index_map(dim).size_local
    x, n = mesh.geometry.x, len(line.nodes)
    sums = np.zeros((len(crack.faces), 2, n, 3))
    for g, name in enumerate(crack.faces):
        cells, local, nodes = facet_cells(mesh, domain.facets(name, key="crack.faces"))
        hit = np.isin(domain.node_ids[nodes], line.nodes)
        mine = hit.any(axis=1) & (cells < owned)
        cells, local, nodes, hit = cells[mine], local[mine], nodes[mine], hit[mine]
        p = x[nodes]
        normal = facet_normals(p)
        inside = x[vertex_nodes(mesh)[cells, local]]  # the vertex opposite to the facet
        side = np.sign(np.einsum("fk,fk->f", normal, p[:, 0] - inside))
        normal *= side[:, None]
        facet, corner = np.nonzero(hit)
        at = np.searchsorted(line.nodes, domain.node_ids[nodes[facet, corner]])
        back = p[facet].mean(axis=1) - line.points[at]
        np.add.at(sums[g, 0], at, normal[facet])
        np.add.at(sums[g, 1], at, -back / np.linalg.norm(back, axis=1, keepdims=True))
    total = np.empty_like(sums)
    domain.comm.Allreduce(sums, total)
    normals, ahead = np.zeros((n, 3)), total[:, 1].sum(axis=0)
    for i in range(n):
        touching = [g for g in range(len(crack.faces)) if np.linalg.norm(total[g, 0, i]) > 0]
        if touching:
            normals[i] = total[touching[0], 0, i]
    if crack.symmetry:
        normals = -normals  # the one meshed face belongs to the upper side
    return normals, ahead


def _chains(line: FrontLine, name: str) -> list[tuple[NDArray[np.int64], bool]]:
    """Order the edges of a front into lines; each is (positions of nodes, closed)."""
    neighbours: dict[int, list[int]] = {}
    for a, b in ((int(i), int(j)) for i, j in line.edges):
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    forks = [i for i, near in neighbours.items() if len(near) > 2]
    if forks or not neighbours:
        raise FractureError(
            f"the front {name!r} is not a simple line: "
            + ("it has no edges" if not neighbours else f"{len(forks)} nodes join three edges"),
            key="crack.front",
            hint="Give each branch its own front",
        )
    chains = []
    left = set(neighbours)
    while left:
        ends = sorted(i for i in left if len(neighbours[i]) == 1)
        here = ends[0] if ends else min(left)
        closed, chain = not ends, [here]
        left.discard(here)
        while True:
            near = [j for j in neighbours[here] if j in left]
            if not near:
                break
            here = near[0]
            chain.append(here)
            left.discard(here)
        chains.append((np.array(chain), closed))
    return chains


def element_size(domain: Domain, front: Tip | Curve) -> float:
    """Mean distance from the front of the vertices that share a cell with it (all ranks).

    Elements may be long along the front; what a ring must resolve is their size across it.
    """
    nodes = vertex_nodes(domain.mesh)[: domain.mesh.topology.index_map(domain.tdim).size_local]
    at_front = np.isin(domain.node_ids[nodes], front.nodes)
    touching = at_front.any(axis=1)
    beside = nodes[touching][~at_front[touching]]
    r = front.locate(domain.mesh.geometry.x[beside]).r
    total, out = np.array([r.sum(), float(r.size)]), np.empty(2)
    domain.comm.Allreduce(total, out)
    return float(out[0] / max(out[1], 1.0))
