"""Domain integrals for J and interaction integrals for K and T, with every term real cracks need.

With W = sigma:(eps - eps*)/2 and the energy-momentum tensor P_ki = W delta_ki - sigma_ij u_j,k
(Eshelby 1951; domain form after Li, Shih & Needleman, Eng. Fract. Mech. 21, 1985), the energy
released by a virtual extension q of the front is

    J[q] = - int_V (P_ki q_k,i + P_ki,i q_k) dV + int_faces (W m_k - t_j u_j,k) q_k dS
           + sum over interfaces of (P_ki m_i q_k) from both sides,
    P_ki,i = W_,k at fixed strain - sigma_ij eps*_ij,k + b_j u_j,k,

with m the outward normal, t the face traction and b the body force; axisymmetry adds P_33 q_r/r.
The interaction integral is its mixed part with an auxiliary state (``williams``), which is
compatible but need not be in equilibrium: div(sigma_aux)_j u_j,k appears in place of a
correction for curvature, and interfaces and grading are covered because sigma_aux uses the
stiffness of the point. J takes crystals of any orientation, their boundaries being interfaces; the
auxiliary states are isotropic, so K does not. All these are linear in q, so one pass gives a
*configurational force* at every vertex, and each ring and each place along the front is a sum over
vertices.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import crystals
from ssbmech.domain import cell_facets, vertex_nodes
from ssbmech.fracture import williams
from ssbmech.fracture.front import Curve, Local, Tip
from ssbmech.fracture.sampling import Sampler, Samples, facet_rule
from ssbmech.fracture.state import State, TipMaterial, Traction, body_force_at, state_at
from ssbmech.solve import Solution

_EYE = np.eye(3)


@dataclass(frozen=True)
class ForceField:
    """Configurational forces of one front at the local vertices within the largest ring.

    Attributes:
        vertices: Geometry nodes of the vertices, shape (n,).
        local: Where these vertices lie relative to the front.
        values: Force component along the local e1 for each quantity, name to shape (n,).
    """

    vertices: NDArray[np.int32]
    local: Local
    values: dict[str, NDArray[np.float64]]


class ForceAssembler:
    """Computes ``ForceField`` for one front of a solution.

    Args:
        solution: Displacement and problem.
        front: Tip or curve.
        material: Elasticity at the front.
        radius: Largest distance from the front that any ring reaches.
        modes: Auxiliary states wanted, of ``williams.MODES``.
        degree: Degree of the Gauss rule in the cells.
    """

    def __init__(
        self,
        solution: Solution,
        front: Tip | Curve,
        material: TipMaterial,
        radius: float,
        modes: tuple[str, ...],
        degree: int | None = None,
    ) -> None:
        self.solution, self.front, self.material = solution, front, material
        self.radius, self.modes = radius, modes
        p = solution.problem
        self.sampler = Sampler(solution.u, p.model == "axisymmetric")
        self.degree = degree or max(4, 2 * self.sampler.degree + 2 * (self.sampler.order - 1))
        mesh, dim = p.domain.mesh, p.domain.tdim
        owned = mesh.topology.index_map(dim).size_local
        self._nodes = vertex_nodes(mesh)
        used = np.unique(self._nodes[:owned])
        distance = np.full(len(mesh.geometry.x), np.inf)
        distance[used] = self._distance(mesh.geometry.x[used])
        near: Any = (distance[self._nodes] <= radius).any(axis=1)
        self._near = near
        self._cells = np.flatnonzero(near[:owned]).astype(np.int32)
        self._tags = p.domain.tag_of_cell()
        middle = mesh.geometry.x[self._nodes[near]].mean(axis=1)
        self._side = np.zeros(len(self._nodes))
        self._side[near] = np.sign(front.locate(middle).x2)
        self._index = np.full(len(mesh.geometry.x), -1)
        self.vertices = np.unique(self._nodes[self._cells]).astype(np.int32)
        self._index[self.vertices] = np.arange(len(self.vertices))
        self._force: dict[str, Any] = {
            name: np.zeros((len(self.vertices), 3)) for name in ("J", *self.modes)
        }

    def _distance(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if isinstance(self.front, Tip):
            return np.linalg.norm(x - self.front.point, axis=1)
        return self.front._tree.query(x)[0]

    def assemble(self) -> ForceField:
        """Sum volume, face and interface terms; free of collective calls."""
        for tag in np.unique(self._tags[self._cells]):
            for sample in self.sampler.cells(
                self._cells[self._tags[self._cells] == tag], self.degree
            ):
                self._volume(int(tag), sample)
        self._exterior()
        self._interfaces()
        local = self.front.locate(self.solution.problem.domain.mesh.geometry.x[self.vertices])
        values = {
            name: np.einsum("vk,vk->v", force, local.frame[:, 0])
            for name, force in self._force.items()
        }
        return ForceField(self.vertices, local, values)

    # -- state at points -----------------------------------------------------------------------

    def _auxiliary(
        self, mode: str, state: State, where: Local, cells: NDArray
    ) -> williams.Auxiliary:
        """The auxiliary state in global components."""
        Q = where.frame
        grad_lam = grad_mu = None
        if state.grading is not None:
            local = np.einsum("...ij,...j->...i", Q, state.grading)
            grad_lam, grad_mu = state.lam[..., None] * local, state.mu[..., None] * local
        aux = williams.auxiliary(
            mode,
            where.x1,
            where.x2,
            tip_mu=self.material.mu,
            tip_kappa=self.material.kappa,
            lam=state.lam,
            mu=state.mu,
            curvature=where.curvature,
            size=self.radius,
            side=np.broadcast_to(self._side[cells][:, None], where.x1.shape),
            plane_stress=self.solution.problem.model == "plane_stress",
            grad_lam=grad_lam,
            grad_mu=grad_mu,
        )
        Qt = np.swapaxes(Q, -1, -2)
        return williams.Auxiliary(
            Qt @ aux.grad @ Q, Qt @ aux.stress @ Q, np.einsum("...ji,...j->...i", Q, aux.divergence)
        )

    # -- terms ---------------------------------------------------------------------------------

    def _add(self, name: str, sample: Samples, flux: NDArray | None, source: NDArray) -> None:
        """Add int (flux_ki phi_,i + source_k phi) to the vertices of the sampled cells."""
        w = sample.weight
        force = np.einsum("nq,nqk,qv->nvk", w, source, sample.shape, optimize=True)
        if flux is not None:
            force += np.einsum("nq,nqki,nqvi->nvk", w, flux, sample.grad_shape, optimize=True)
        rows = self._index[self._nodes[sample.cells]]
        np.add.at(self._force[name], rows.reshape(-1), force.reshape(-1, 3))

    def _volume(self, tag: int, sample: Samples) -> None:
        state = state_at(self.solution, tag, sample)
        G, sigma = sample.grad_u, state.sigma
        b = body_force_at(self.solution, tag, sample)
        axisymmetric = self.solution.problem.model == "axisymmetric"
        energy = 0.5 * np.einsum("...ij,...ij->...", sigma, state.eps)
        flux = _contract(sigma, G) - energy[..., None, None] * _EYE
        source = np.zeros(sample.x.shape)
        if state.slope is not None:
            source += np.einsum("...ij,...ijk->...k", sigma, state.slope)
        if state.grading is not None:
            source -= energy[..., None] * state.grading
        if b is not None:
            source -= np.einsum("...j,...jk->...k", b, G)
        if axisymmetric:
            source[..., 0] += flux[..., 2, 2] / sample.x[..., 0]
        self._add("J", sample, flux, source)
        if not self.modes:
            return
        where = self.front.locate(sample.x)
        for mode in self.modes:
            aux = self._auxiliary(mode, state, where, sample.cells)
            mutual = np.einsum("...ij,...ij->...", aux.stress, state.eps)
            flux = (
                _contract(sigma, aux.grad)
                + _contract(aux.stress, G)
                - mutual[..., None, None] * _EYE
            )
            source = np.einsum("...j,...jk->...k", aux.divergence, G)
            if state.slope is not None:
                source += np.einsum("...ij,...ijk->...k", aux.stress, state.slope)
            if state.grading is not None:
                source -= mutual[..., None] * state.grading
            if b is not None:
                source -= np.einsum("...j,...jk->...k", b, aux.grad)
            if axisymmetric:
                source[..., 0] += flux[..., 2, 2] / sample.x[..., 0]
            self._add(mode, sample, flux, source)

    def _boundary(
        self,
        tag: int,
        sample: Samples,
        traction: Callable | None,
        offset: NDArray | None = None,
    ) -> None:
        """P_ki m_i q_k, with the prescribed traction in place of the discrete one if given.

        Args:
            tag: Cell tag.
            sample: Samples on facets.
            traction: Maps sample and discrete traction to the traction to use, or None.
            offset: Where the mesh's own front lies in the local frame (x1, x2) for each sample,
                shape (n, q, 2): face pressure times an auxiliary field goes as 1/sqrt(r), and the
                distance must be that from the front that the mesh has, not from the smooth curve.
        """
        state = state_at(self.solution, tag, sample)
        m, G = sample.normal, sample.grad_u
        assert m is not None
        t = np.einsum("...ij,...j->...i", state.sigma, m)
        if traction is not None:
            t = traction(sample, t)
        energy = 0.5 * np.einsum("...ij,...ij->...", state.sigma, state.eps)
        self._add("J", sample, None, energy[..., None] * m - np.einsum("...j,...jk->...k", t, G))
        if not self.modes:
            return
        where = self.front.locate(sample.x)
        if offset is not None:
            where = replace(where, x1=where.x1 - offset[..., 0], x2=where.x2 - offset[..., 1])
        # On a flat face x2 is zero up to rounding, which close to the tip would turn the angle away
        # from pi and give the free face a traction that grows as r^-3/2.
        flat = (where.x1 < 0) & (np.abs(where.x2) < 1e-5 * np.abs(where.x1))
        where = replace(where, x2=np.where(flat, 0.0, where.x2))
        for mode in self.modes:
            aux = self._auxiliary(mode, state, where, sample.cells)
            mutual = np.einsum("...ij,...ij->...", aux.stress, state.eps)
            ta = np.einsum("...ij,...j->...i", aux.stress, m)
            source = (
                mutual[..., None] * m
                - np.einsum("...j,...jk->...k", t, aux.grad)
                - np.einsum("...j,...jk->...k", ta, G)
            )
            self._add(mode, sample, None, source)

    def _exterior(self) -> None:
        p = self.solution.problem
        for tag, facet_tag, cells, local in self._boundary_facets():
            traction = Traction(p, facet_tag, self.solution.modulus)
            for vertices, rule, chosen, touching in self._graded(cells, local):
                offsets: Iterator = itertools.repeat(None)
                if touching == 2:
                    offsets = self._front_offsets(chosen, vertices, rule)
                samples = self.sampler.facets(chosen, vertices, rule)
                for sample, offset in zip(samples, offsets, strict=False):
                    self._boundary(tag, sample, traction, offset)

    def _front_offsets(
        self, cells: NDArray, vertices: NDArray, rule: tuple[NDArray, NDArray]
    ) -> Iterator[NDArray]:
        """Position of the mesh's front beside each sample, fading away from the front's edge."""
        points, weights = rule
        on_edge = points / np.maximum(points[:, :2].sum(axis=1, keepdims=True), 1e-300)
        on_edge[:, 2] = 0.0
        for edge in self.sampler.facets(cells, vertices, (on_edge, weights)):
            where = self.front.locate(edge.x)
            yield np.stack([where.x1, where.x2], -1) * (1 - points[:, 2, None])

    def _graded(self, cells: NDArray, local: NDArray) -> list[tuple]:
        """Split facets by how they touch the front; order their vertices for the graded rule."""
        p = self.solution.problem
        dim = p.domain.tdim
        facets = cell_facets(dim)[local]
        nodes = np.take_along_axis(self._nodes[cells], facets, axis=1)
        on = np.isin(p.domain.node_ids[nodes], self.front.nodes)
        order = np.argsort(~on, axis=1, kind="stable")
        facets = np.take_along_axis(facets, order, axis=1)
        count = on.sum(axis=1)
        n = self.sampler.degree + 3
        out = []
        for k in range(dim):
            chosen = count == k
            if chosen.any():
                points = n if k == 0 else n + 4
                out.append((facets[chosen], facet_rule(dim, points, k), cells[chosen], k))
        return out

    def _boundary_facets(self) -> list[tuple[int, int, NDArray, NDArray]]:
        """Exterior facets of near owned cells: (cell tag, facet tag or 0, cells, local facets)."""
        p = self.solution.problem
        mesh, dim = p.domain.mesh, p.domain.tdim
        f2c, c2f = mesh.topology.connectivity(dim - 1, dim), self._c2f()
        n_cells = np.diff(f2c.offsets)
        on_rank_border = np.zeros(len(n_cells), bool)
        on_rank_border[mesh.topology.interprocess_facets()] = True
        table = c2f[self._cells]
        exterior = (n_cells[table] == 1) & ~on_rank_border[table]
        rows, local = np.nonzero(exterior)
        cells = self._cells[rows]
        facet_tag = np.zeros(len(n_cells), np.int32)
        facet_tag[p.domain.facet_tags.indices] = p.domain.facet_tags.values
        tags = facet_tag[c2f[cells, local]]
        cell_tag = self._tags[cells]
        return [
            (int(ct), int(ft), cells[pick], local[pick])
            for ct in np.unique(cell_tag)
            for ft in np.unique(tags[cell_tag == ct])
            if (pick := (cell_tag == ct) & (tags == ft)).any()
        ]

    def _c2f(self) -> NDArray:
        mesh = self.solution.problem.domain.mesh
        dim = mesh.topology.dim
        mesh.topology.create_connectivity(dim - 1, dim)
        mesh.topology.create_connectivity(dim, dim - 1)
        return mesh.topology.connectivity(dim, dim - 1).array.reshape(-1, dim + 1)

    def _interfaces(self) -> None:
        """Both sides of facets where the stiffness may jump; each facet on its owner only."""
        p = self.solution.problem
        mesh, dim = p.domain.mesh, p.domain.tdim
        if len(p.domain.cell_groups) < 2 and not p.has_crystals:
            return
        c2f = self._c2f()
        f2c = mesh.topology.connectivity(dim - 1, dim)
        near = np.flatnonzero(self._near)
        candidates = np.unique(c2f[near])
        owned_facets = mesh.topology.index_map(dim - 1).size_local
        n_cells = np.diff(f2c.offsets)
        candidates = candidates[(candidates < owned_facets) & (n_cells[candidates] == 2)]
        pairs = f2c.array[f2c.offsets[candidates][:, None] + np.arange(2)]
        pairs = pairs.reshape(-1, 2)
        phase = crystals.phase_of_cell(p)
        differ = phase[pairs[:, 0]] != phase[pairs[:, 1]]
        facets, pairs = candidates[differ], pairs[differ]
        sides = []
        for k in range(2):
            cells = pairs[:, k].astype(np.int32)
            self._extend_index(cells)
            corners = cell_facets(dim)[np.argmax(c2f[cells] == facets[:, None], axis=1)]
            nodes = np.take_along_axis(self._nodes[cells], corners, axis=1)
            # both sides count the vertices alike, so that they are sampled at the same points
            sides.append((cells, np.take_along_axis(corners, np.argsort(nodes, axis=1), axis=1)))
        rule = facet_rule(dim, self.sampler.degree + 3)
        traction = np.zeros((2, len(facets), len(rule[1]), 3))
        for k, side in enumerate(sides):
            for rows, tag, sample in self._batches(*side, rule):
                assert sample.normal is not None
                sigma = state_at(self.solution, tag, sample).sigma
                traction[k, rows] = np.einsum("...ij,...j->...i", sigma, sample.normal)
        # One traction for both sides, the mean: then facets along the extension add nothing, nor do
        # those between equal materials, whatever the discrete stress does there. With a traction of
        # its own on each side the jump at a front that lies in the interface would be counted.
        mean = 0.5 * (traction[0] - traction[1])
        for side, sign in zip(sides, (1.0, -1.0), strict=True):
            for rows, tag, sample in self._batches(*side, rule):
                common = sign * mean[rows]
                self._boundary(tag, sample, lambda _, __, common=common: common)

    def _batches(
        self, cells: NDArray, corners: NDArray, rule: tuple[NDArray, NDArray]
    ) -> Iterator[tuple[NDArray, int, Samples]]:
        """Samples on facets with their rows, by cell tag and by how the facet sits in its cell."""
        keys = np.column_stack([self._tags[cells], corners])
        for key in np.unique(keys, axis=0):
            rows = np.flatnonzero((keys == key).all(axis=1))
            for sample in self.sampler.facets(cells[rows], corners[rows], rule):
                yield rows, int(key[0]), sample

    def _extend_index(self, cells: NDArray) -> None:
        """Vertices of ghost cells at an interface get a place as well."""
        new = np.setdiff1d(self._nodes[cells], self.vertices).astype(np.int32)
        if new.size:
            self._index[new] = len(self.vertices) + np.arange(new.size)
            self.vertices = np.concatenate([self.vertices, new])
            for name, force in self._force.items():
                self._force[name] = np.vstack([force, np.zeros((new.size, 3))])


def _contract(sigma: NDArray, grad: NDArray) -> NDArray:
    """sigma_ij u_j,k as a tensor (k, i)."""
    return np.einsum("...ij,...jk->...ki", sigma, grad)
