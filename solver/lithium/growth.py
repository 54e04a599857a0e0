"""Plated lithium enters as growth of a thin reaction layer: the cells that touch an interface.

A plated thickness h on a facet (of area A) is a volume h A of new lithium. It is shared out to the
vertices of the facet by their shape functions, and by each vertex evenly per volume to the lithium
cells around it, so that sum(g V) over cells = sum(h A) over facets whatever the mesh is. Growth is
along the normal: a tensor M with trace g, which is g n n at a flat interface,

    small strain  eps_g = M,        finite strain  F^g = exp(M ln(1 + g)/g),  det F^g = 1 + g.

Chosen over remeshing and ALE: it conserves volume exactly, needs no transfer of plastic strain, and
in a tight flaw (plated amounts of a few per cent of the lithium there) it is all that happens. For
amounts beyond the layer's thickness it is refused, with numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import SolverError
from ssbmech.lithium.interface import Interface, gathered
from ssbmech.lithium.problem import BodyProblem
from ssbmech.physics.elasticity import weight

Floats = NDArray[Any]

#: Smallest and largest growth of a cell: half of it gone, or as much again.
LIMITS = (-0.5, 1.0)


class Growth:
    """Growth of all layers of a problem.

    Args:
        problem: Its ``growth`` names the layers.
        Q: Space of linear functions.
        cells: Flowing cells, local and ghost, in the order of ``tensors``.

    Attributes:
        tensors: M of each of ``cells``, shape (n, 3, 3).
        layers: Facet group to `Interface`.
    """

    def __init__(self, problem: BodyProblem, Q: Any, cells: NDArray[np.int32]) -> None:
        self.problem, self._Q, self._cells = problem, Q, cells
        self.tensors = np.zeros((len(cells), 3, 3))
        self.layers: dict[str, Interface] = {}
        self._parts: dict[str, Floats] = {}
        if not problem.growth:
            return
        mesh = problem.domain.mesh
        eta = ufl.TestFunction(fem.functionspace(mesh, ("DG", 0)))
        w = weight(ufl.SpatialCoordinate(mesh), problem.model)
        curved = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree > 1
        one = fem.Constant(mesh, PETSc.ScalarType(1.0))
        dx = ufl.dx(mesh, metadata={"quadrature_degree": 6 if curved else 2})
        found = fem.Function(eta.ufl_function_space())
        fem.assemble_vector(found.x.array, fem.form(one * eta * w * dx))
        found.x.scatter_forward()
        self._volumes = found.x.array * problem.measure
        self._owned = mesh.topology.index_map(problem.domain.tdim).size_local
        for facets, side in problem.growth.items():
            self.layers[facets] = Interface(problem, facets, side, Q)
            self._parts[facets] = np.zeros_like(self.tensors)

    def set(self, group: str, thickness: float | Floats) -> None:
        """Give the thickness that is plated since the start (collective).

        Args:
            group: Facet group.
            thickness: [m], negative: stripped; one value, or one per facet of this rank in the
                order of ``layers[group].nodes``.

        Raises:
            SolverError: On every rank, where a cell would grow or shrink beyond ``LIMITS``.
        """
        layer = self.layers[group]
        h = np.broadcast_to(np.asarray(thickness, float), layer.cells.shape)
        self._spread(group, layer.outer_normals(h))

    def _spread(self, group: str, at_vertices: Floats) -> None:
        """From volumes (tensors, traces add up to the volume) at vertices to the cells."""
        domain, table = self.problem.domain, self._Q.dofmap.list
        mine = domain.cell_tags.find(domain.cell_tag(self.problem.growth[group]))
        around = fem.Function(self._Q)
        own = mine[mine < self._owned]
        np.add.at(around.x.array, table[own], self._volumes[own][:, None])
        total = gathered(around)
        density = at_vertices / np.where(total > 0, total, 1.0)[:, None, None]
        tensors = np.zeros((len(self._volumes), 3, 3))
        tensors[mine] = density[table[mine]].sum(axis=1)
        new = {**self._parts, group: tensors[self._cells]}
        summed = np.sum(list(new.values()), axis=0)
        self._check(group, summed)
        self._parts, self.tensors = new, summed

    def _check(self, group: str, tensors: Floats) -> None:
        g = np.trace(tensors, axis1=1, axis2=2)
        comm = self.problem.domain.comm
        low = min(comm.allgather(float(g.min(initial=0.0))))
        high = max(comm.allgather(float(g.max(initial=0.0))))
        if low < LIMITS[0] or high > LIMITS[1] or not np.isfinite([low, high]).all():
            worst = low if low < LIMITS[0] else high
            raise SolverError(
                f"the lithium cells at {group!r} would change their volume by {worst:+.0%}: the "
                "layer of elements there is too thin for what is plated or stripped",
                key="growth", value=group,
                allowed=f"{LIMITS[0]:+.0%} to {LIMITS[1]:+.0%}",
                hint="Use larger elements in the lithium at the interface, or less charge",
            )  # fmt: skip

    def volume(self, group: str) -> float:
        """Plated volume of a group, from the cells [m^3; m^2 in plane models] (collective)."""
        g = np.trace(self._parts[group], axis1=1, axis2=2)
        own = self._cells < self._owned
        return float(
            self.problem.domain.comm.allreduce(float(g[own] @ self._volumes[self._cells[own]]))
        )

    @property
    def parts(self) -> dict[str, Floats]:
        """Tensors by facet group, shape (n, 3, 3) each, for `body_state`."""
        return dict(self._parts)

    def restore(self, parts: dict[str, Floats]) -> None:
        """Take over what `parts` gave."""
        self._parts = dict(parts)
        if parts:
            self.tensors = np.sum(list(parts.values()), axis=0)
