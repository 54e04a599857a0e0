"""From configurational forces to J, K and T on several rings, and the gate that refuses a ring."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech.errors import FractureError
from ssbmech.fracture.contour import ForceAssembler, ForceField, TipMaterial, tip_material
from ssbmech.fracture.front import Crack, Curve, Tip, element_size, fronts_of
from ssbmech.fracture.sampling import Sampler
from ssbmech.problem import Problem
from ssbmech.solve import Solution

#: A virtual extension may leave the body where it is tangent to the boundary (e1.n below this).
_TANGENT = 0.1
#: Default rings reach this part of the way to the nearest obstacle.
_REACH = 0.8
_DEFAULT_RINGS = (0.35, 0.5, 0.65, 0.8, 1.0)
_INNER = 0.4  # inner radius over outer radius of a ring


@dataclass(frozen=True)
class Ring:
    """One ring: the virtual extension is 1 within ``inner``, 0 beyond ``outer`` [m].

    Attributes:
        inner: [m].
        outer: [m].
        values: Quantity to values along the front (one value in 2-D), SI.
        refused: Why it does not count, or "".
    """

    inner: float
    outer: float
    values: dict[str, NDArray[np.float64]]
    refused: str = ""


@dataclass(frozen=True)
class FrontResult:
    """Fracture quantities of one front.

    Attributes:
        name: Front.
        s: Arc length of the points along the front [m] (0 in 2-D).
        points: Their coordinates [m], shape (n, 3).
        values: Mean over the accepted rings of ``J`` [J/m^2], ``K_I``, ``K_II``, ``K_III``
            [Pa m^0.5], ``T_stress`` [Pa], shape (n,).
        rings: All rings.
        spread: Largest deviation of an accepted ring from the mean, over sqrt(E' J).
        consistency: Largest (J - J(K))/J with J(K) = (K_I^2 + K_II^2)/E' + K_III^2/(2 mu).
        E_prime: [Pa].
        clearance: Distance to the nearest obstacle [m] and what it is.
        element_size: Mean element size at the front [m].
        width: Width of a local virtual extension along the front [m], 0 in 2-D.
        notes: Anything that limits the result, in words.
    """

    name: str
    s: NDArray[np.float64]
    points: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    rings: tuple[Ring, ...]
    spread: float
    consistency: float
    E_prime: float
    clearance: tuple[float, str]
    element_size: float
    width: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RingOptions:
    """How rings are chosen and judged.

    Attributes:
        radii: Outer radii [m]; empty: chosen from the mesh and the body.
        spread_limit: A ring further than this from the median, over sqrt(E' J), is refused.
        points: Points along a 3-D front at which values are given.
        width: Spacing of the local extensions along a 3-D front [m]; 0: from mesh and rings.
    """

    radii: tuple[float, ...] = ()
    spread_limit: float = 0.02
    points: int = 41
    width: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)


def fracture(
    solution: Solution, crack: Crack, options: RingOptions | None = None
) -> list[FrontResult]:
    """J, K and T at every front of a crack.

    Raises:
        FractureError: On every rank, when no ring can be accepted.
    """
    options = options or RingOptions()
    fronts = fronts_of(solution.problem.domain, crack, solution.problem.model)
    return [_one_front(solution, crack, front, fronts, options) for front in fronts]


def _one_front(
    solution: Solution,
    crack: Crack,
    front: Tip | Curve,
    siblings: list[Tip | Curve],
    options: RingOptions,
) -> FrontResult:
    p = solution.problem
    L = p.domain.length
    h = element_size(p.domain, front)
    clearance, obstacle = _clearance(p, crack, front, siblings)
    radii = np.array(options.radii) / L
    if not radii.size:
        reach = _REACH * clearance
        if reach < 4 * h:
            raise FractureError(
                f"the front {front.name!r} has no room for a ring: the nearest obstacle "
                f"({obstacle}) is {clearance * L * 1e6:.4g} um away and elements at the front are "
                f"{h * L * 1e6:.4g} um",
                key="mesh",
                hint="Refine the mesh at the front, or give fracture.rings",
            )
        radii = reach * np.array(_DEFAULT_RINGS)
    material = _material_at(solution, front)
    modes = ("I", "T") if crack.symmetry else ("I", "II", "T")
    if isinstance(front, Curve) and not crack.symmetry:
        modes = ("I", "II", "III", "T")
    if material is None:
        modes = ()
    field_ = ForceAssembler(
        solution, front, material or TipMaterial(1, 1, 1, 1, 0), float(radii.max()), modes
    ).assemble()
    line = _FrontLine(front, options, h, radii, L, p.domain.comm)
    sigma22, strain11, strain33 = _tip_state(solution, crack, front, line)
    rings = []
    for outer in radii:
        raw = line.project(field_, _INNER * outer, outer, 2.0 if crack.symmetry else 1.0)
        values = _values(raw, material, sigma22, strain11, strain33, crack, front)
        refused = ""
        if outer > clearance:
            refused = (
                f"its radius {outer * L * 1e6:.4g} um passes the {obstacle} at "
                f"{clearance * L * 1e6:.4g} um"
            )
        elif outer < 2 * h:
            refused = f"its radius {outer * L * 1e6:.4g} um is below two elements at the front"
        scale = {"J": solution.modulus * L, "T_stress": solution.modulus}
        values = {
            k: v * scale.get(k, solution.modulus * np.sqrt(L)) for k, v in values.items()
        }
        rings.append(Ring(_INNER * outer * L, outer * L, values, refused))
    E_prime = (material.E_prime if material else np.nan) * solution.modulus
    return _judge(front, line, rings, E_prime, material, options, (clearance * L, obstacle), h, L)


def _judge(
    front: Tip | Curve,
    line: _FrontLine,
    rings: list[Ring],
    E_prime: float,
    material: TipMaterial | None,
    options: RingOptions,
    clearance: tuple[float, str],
    h: float,
    L: float,
) -> FrontResult:
    """Refuse rings that disagree with their neighbours; average the rest."""
    judged_by = ("K_I", "K_II", "K_III") if material else ("J",)
    notes: list[str] = []
    while True:
        accepted = [r for r in rings if not r.refused]
        if not accepted:
            reasons = "; ".join(f"{r.outer * 1e6:.4g} um: {r.refused}" for r in rings)
            raise FractureError(
                f"no ring around the front {front.name!r} can be accepted ({reasons})",
                key="fracture.rings",
                hint="Give radii within the body, or refine the mesh at the front",
            )
        median = {
            k: np.median([r.values[k] for r in accepted], axis=0)
            for k in judged_by
            if k in accepted[0].values
        }
        J = np.median([r.values["J"] for r in accepted], axis=0)
        reference = np.sqrt(E_prime * np.abs(J).max()) if material else np.abs(J).max()
        off = [
            max(float(np.abs(r.values[k] - m).max()) for k, m in median.items())
            / max(reference, 1e-300)
            for r in accepted
        ]
        worst = int(np.argmax(off))
        if off[worst] <= options.spread_limit or reference == 0:
            break
        bad = accepted[worst]
        rings[rings.index(bad)] = Ring(
            bad.inner,
            bad.outer,
            bad.values,
            f"it differs from the median ring by {off[worst]:.2%}, limit "
            f"{options.spread_limit:.2%}",
        )
        if len(accepted) <= 2:
            reasons = "; ".join(f"{r.outer * 1e6:.4g} um: {r.refused or 'kept'}" for r in rings)
            raise FractureError(
                f"the rings around the front {front.name!r} disagree ({reasons})",
                key="fracture.rings",
                hint="Refine the mesh at the front; a material or load that the rings do not see "
                "as it is would show in this way too",
            )
    values = {
        k: np.mean([r.values[k] for r in accepted], axis=0) for k in accepted[0].values
    }
    consistency = 0.0
    if material:
        J_of_K = (values["K_I"] ** 2 + values["K_II"] ** 2) / E_prime
        J_of_K = J_of_K + values["K_III"] ** 2 * (1 + material.nu) / (
            material.E * E_prime / material.E_prime
        )
        largest = max(float(np.abs(values["J"]).max()), 1e-300)
        consistency = float(np.abs(values["J"] - J_of_K).max()) / largest
    else:
        notes.append("two materials meet at the front: J is given, K has no meaning there")
    if np.any(values.get("K_I", np.zeros(1)) < -1e-6 * max(reference, 1e-300)):
        notes.append("K_I is negative somewhere: the faces would overlap; contact is not modelled")
    return FrontResult(
        name=front.name,
        s=line.s * L,
        points=line.points * L,
        values=values,
        rings=tuple(rings),
        spread=float(max(off)),
        consistency=consistency,
        E_prime=E_prime,
        clearance=clearance,
        element_size=h * L,
        width=line.width * L,
        notes=tuple(notes),
    )


def _values(
    raw: dict[str, NDArray],
    material: TipMaterial | None,
    sigma22: NDArray,
    strain11: NDArray,
    strain33: NDArray,
    crack: Crack,
    front: Tip | Curve,
) -> dict[str, NDArray]:
    """Interaction integrals to K and T (non-dimensional)."""
    values = {"J": raw["J"]}
    if material is None:
        return values
    zero = np.zeros_like(raw["J"])
    values["K_I"] = raw["I"] * material.E_prime / 2
    values["K_II"] = raw["II"] * material.E_prime / 2 if "II" in raw else zero
    values["K_III"] = raw["III"] * material.mu if "III" in raw else zero
    # A unit point force along e1 sees the strain eps_11 of the tip; the displacement jump that it
    # has across the crack sees sigma_22 (the face pressure). Elastic eps_33 enters by Poisson.
    values["T_stress"] = material.E_prime * (raw["T"] - strain11) + sigma22
    if material.kappa == 3 - 4 * material.nu:
        values["T_stress"] = values["T_stress"] + material.E_prime * material.nu * strain33
    return values


class _FrontLine:
    """Virtual extensions along a front and the values they stand for."""

    def __init__(
        self,
        front: Tip | Curve,
        options: RingOptions,
        h: float,
        radii: NDArray,
        length: float,
        comm: Any,
    ) -> None:
        self.front, self.comm = front, comm
        if isinstance(front, Tip):
            self.s, self.points, self.width = np.zeros(1), front.point[None, :], 0.0
            self.measure = front.point[0] if front.axisymmetric else 1.0
            return
        edges = np.diff(front.knots)
        wanted = options.width / length or max(2.0 * edges.mean(), 0.75 * float(np.median(radii)))
        n = max(int(round(front.length / wanted)), 4 if front.closed else 1)
        self.width = front.length / n
        self.n = n
        self.s = np.linspace(0, front.length, options.points, endpoint=not front.closed)
        self.points = front.at(self.s)
        self._mass()

    def basis(self, s: NDArray[np.float64]) -> Any:
        """Cubic B-splines on uniform intervals along the front, sparse (points, functions)."""
        from scipy.interpolate import BSpline
        from scipy.sparse import csr_array

        assert isinstance(self.front, Curve)
        length, n = self.front.length, self.n
        d = length / n
        if self.front.closed:
            knots = d * np.arange(-3, n + 4)
            matrix = BSpline.design_matrix(np.mod(s, length), knots, 3)
            columns = np.arange(n + 3) % n
            fold = csr_array((np.ones(n + 3), (np.arange(n + 3), columns)), shape=(n + 3, n))
            return csr_array(matrix) @ fold
        knots = np.concatenate([np.zeros(3), d * np.arange(n + 1), np.full(3, length)])
        knots[-4:] = length
        return csr_array(BSpline.design_matrix(np.clip(s, 0, length), knots, 3))

    def _mass(self) -> None:
        """Matrix of int J_j B_j q_m.e1 ds, with q_m linear between the front's vertices."""
        front = self.front
        assert isinstance(front, Curve)
        t, w = np.polynomial.legendre.leggauss(4)
        t, w = (t + 1) / 2, w / 2
        a, b = front.knots[:-1], front.knots[1:]
        s = a[:, None] + (b - a)[:, None] * t
        ds = (b - a)[:, None] * w
        e1 = front.frame_at(s)[..., 0, :]
        e1a, e1b = front.frame_at(a)[:, 0], front.frame_at(b)[:, 0]
        wa = np.einsum("eqk,ek->eq", e1, e1a) * (1 - t) * ds
        wb = np.einsum("eqk,ek->eq", e1, e1b) * t * ds
        trial = self.basis(s.reshape(-1)).toarray().reshape(*s.shape, -1)
        at_a, at_b = self.basis(a).toarray(), self.basis(b).toarray()
        self.matrix = np.einsum("em,eq,eqj->mj", at_a, wa, trial)
        self.matrix += np.einsum("em,eq,eqj->mj", at_b, wb, trial)
        self.evaluate = self.basis(self.s).toarray()

    def project(
        self, field_: ForceField, inner: float, outer: float, factor: float
    ) -> dict[str, NDArray]:
        """Values along the front of every quantity for one ring (collective)."""
        alpha = np.clip((outer - field_.local.r) / (outer - inner), 0, 1)
        names = list(field_.values)
        forces = np.array([field_.values[k] for k in names]) * alpha * factor
        if isinstance(self.front, Tip):
            total = np.empty(len(names))
            self.comm.Allreduce(np.ascontiguousarray(forces.sum(axis=1)), total, op=MPI.SUM)
            return {k: np.array([total[i] / self.measure]) for i, k in enumerate(names)}
        active = alpha > 0
        weights = self.basis(field_.local.s[active])
        moments = np.ascontiguousarray((weights.T @ forces[:, active].T).T)
        total = np.empty_like(moments)
        self.comm.Allreduce(moments, total, op=MPI.SUM)
        coefficients = np.linalg.solve(self.matrix, total.T)
        return dict(zip(names, (self.evaluate @ coefficients).T, strict=True))


def _clearance(
    problem: Problem, crack: Crack, front: Tip | Curve, siblings: list[Tip | Curve]
) -> tuple[float, str]:
    """Distance from the front to the nearest thing a ring must not reach, and its name."""
    domain = problem.domain
    found: list[tuple[float, str]] = []
    own = set(front.nodes.tolist())
    for name, line in domain.fronts.items():
        other = [i for i, node in enumerate(line.nodes.tolist()) if node not in own]
        if other and name != crack.front or (other and len(siblings) > 1):
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
    import dolfinx

    exterior = dolfinx.mesh.exterior_facet_indices(mesh.topology)
    tags = np.zeros(mesh.topology.index_map(dim - 1).size_local, np.int32)
    tagged = domain.facet_tags.indices
    inside = tagged < len(tags)
    tags[tagged[inside]] = domain.facet_tags.values[inside]
    exterior = exterior[~np.isin(tags[exterior], list(faces))]
    local: tuple[float, str] = (np.inf, "")
    if exterior.size:
        mesh.topology.create_connectivity(dim - 1, 0)
        nodes = dolfinx.mesh.entities_to_geometry(mesh, dim - 1, exterior.astype(np.int32), False)
        x = mesh.geometry.x[nodes[:, :dim]]
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


def _material_at(solution: Solution, front: Tip | Curve) -> TipMaterial | None:
    """Elasticity at the front; None when materials of different stiffness meet there."""
    p = solution.problem
    domain = p.domain
    from ssbmech.domain import vertex_nodes

    owned = domain.mesh.topology.index_map(domain.tdim).size_local
    touching = np.isin(domain.node_ids[vertex_nodes(domain.mesh)[:owned]], front.nodes).any(axis=1)
    values = np.zeros(len(domain.mesh.topology.original_cell_index), np.int32)
    values[domain.cell_tags.indices] = domain.cell_tags.values
    mine = set(np.unique(values[:owned][touching]).tolist())
    tags = sorted(set().union(*domain.comm.allgather(mine)))
    point = front.point if isinstance(front, Tip) else front.points[0]
    materials = [tip_material(p, tag, point) for tag in tags]
    if any(not np.isclose(m.E, materials[0].E) or m.nu != materials[0].nu for m in materials):
        return None
    return materials[0]


def _tip_state(
    solution: Solution, crack: Crack, front: Tip | Curve, line: _FrontLine
) -> tuple[NDArray, NDArray, NDArray]:
    """sigma_22 at the faces, eps*_11 and elastic eps_33 at points of the front (T-stress)."""
    p = solution.problem
    x = line.points * p.domain.length
    n = len(x)
    sigma22 = np.zeros(n)
    touching = _face_groups_at(p, crack, front)
    for load in p.loads:
        if load.group in touching and load.pressure is not None:
            sigma22 = -load.pressure.value(x) / solution.modulus
    frame = front.frame[None] if isinstance(front, Tip) else front.frame_at(line.s)
    eigen = np.zeros((n, 3, 3))
    for tag in set(p.domain.cell_groups.values()):
        found = p.eigenstrain_at(tag, x)
        if found is not None and tag in _tags_at(p, front):
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
    import dolfinx

    out = set()
    for name in crack.faces:
        facets = domain.facets(name)
        nodes = dolfinx.mesh.entities_to_geometry(domain.mesh, domain.tdim - 1, facets, False)
        if np.isin(domain.node_ids[nodes], front.nodes).any():
            out.add(name)
    return set().union(*domain.comm.allgather(out))


def _tags_at(p: Problem, front: Tip | Curve) -> set[int]:
    from ssbmech.domain import vertex_nodes

    domain = p.domain
    owned = domain.mesh.topology.index_map(domain.tdim).size_local
    touching = np.isin(domain.node_ids[vertex_nodes(domain.mesh)[:owned]], front.nodes).any(axis=1)
    values = np.zeros(len(domain.mesh.topology.original_cell_index), np.int32)
    values[domain.cell_tags.indices] = domain.cell_tags.values
    mine = set(np.unique(values[:owned][touching]).tolist())
    return set().union(*domain.comm.allgather(mine))


def _nodal(solution: Solution, nodes: NDArray) -> NDArray[np.float64]:
    """Displacement (non-dimensional) at nodes given by number, on every rank, shape (n, 3)."""
    domain = solution.problem.domain
    from ssbmech.domain import vertex_nodes

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


def _strain_along(solution: Solution, front: Curve, line: _FrontLine) -> NDArray[np.float64]:
    """Strain along the front, eps_33 = t.du/ds, from the displacement of its vertices."""
    from scipy.interpolate import CubicSpline

    u = _nodal(solution, front.nodes)
    boundary = "not-a-knot"
    if front.closed:
        u, boundary = np.vstack([u, u[:1]]), "periodic"
    derivative = CubicSpline(front.knots, u, bc_type=boundary)(line.s, 1)
    return np.einsum("nk,nk->n", derivative, front._spline(line.s, 1))
