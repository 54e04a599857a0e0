"""The conductivity of every cell as a field: scalars, or tensors of crystals in their orientations.

A crystal conducts with the principal values k_1, k_2, k_3 along its axes a_1, a_2, a_3, the columns
of the rotation from crystal to sample axes:

    K = sum_j k_j a_j a_j

A plane body knows the block of the plane alone: nothing changes out of it, so that there is no
field, though a tilted crystal drives a current there, which returns nowhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from ssbmech.electro.problem import ElectricProblem
from ssbmech.errors import CaseError, MeshError
from ssbmech.physics import anisotropy


def field(problem: ElectricProblem) -> Any:
    """Conductivity over the reference, one value (or one tensor) per cell (collective).

    Raises:
        CaseError, MeshError: On every rank, for crystals without a meaning in the model or mesh.
    """
    check(problem)
    domain, best = problem.domain, problem.best
    if not problem.crystals:
        kappa = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
        for name, tag in domain.cell_groups.items():
            kappa.x.array[domain.cell_tags.find(tag)] = problem.conductivity[name] / best
        return kappa
    dim = domain.tdim
    kappa = fem.Function(fem.functionspace(domain.mesh, ("DG", 0, (dim, dim))))
    rows = kappa.x.array.reshape(-1, dim, dim)
    tags = domain.tag_of_cell()
    for name, tag in domain.cell_groups.items():
        cells = np.flatnonzero(tags == tag)
        if name in problem.crystals:
            whole = tensors(problem.crystals[name], _axes(problem, cells))
            rows[cells] = whole[:, :dim, :dim] / best
        else:
            rows[cells] = np.eye(dim) * (problem.conductivity[name] / best)
    return kappa


def tensors(
    principal: tuple[float, float, float], axes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """sum_j k_j a_j a_j of crystals.

    Args:
        principal: Values along the crystal axes.
        axes: Rotations from crystal to sample axes, shape (n, 3, 3).

    Returns:
        Shape (n, 3, 3), in the unit of ``principal``.
    """
    return np.einsum("nij,j,nkj->nik", axes, np.asarray(principal), axes)


def of_cells(kappa: Any, cells: NDArray[np.integer], dim: int) -> NDArray[np.float64]:
    """The tensors of some cells, whichever field it is, shape (n, dim, dim)."""
    values = kappa.x.array
    if kappa.ufl_shape:
        return values.reshape(-1, dim, dim)[cells]
    return values[cells, None, None] * np.eye(dim)


def _axes(problem: ElectricProblem, cells: NDArray[np.integer]) -> NDArray[np.float64]:
    domain = problem.domain
    if domain.grains is None or domain.orientations is None:
        return np.broadcast_to(np.eye(3), (len(cells), 3, 3))
    table = np.concatenate([np.eye(3)[None], anisotropy.axes_of(domain.orientations)])
    return table[domain.grains[cells]]


def check(problem: ElectricProblem) -> None:
    """Refuse crystals whose orientation means nothing in the model or on the mesh (collective).

    Raises:
        CaseError: For grains in an axisymmetric body.
        MeshError: For grains without orientations, or cells of the group outside all grains.
    """
    domain = problem.domain
    for name in problem.crystals:
        key = f"electrochemistry.conductivity_axes.{name}"
        if domain.grains is None:
            continue
        inside = domain.grains[domain.tag_of_cell() == domain.cell_groups[name]]
        counts = np.array([(inside > 0).sum(), (inside == 0).sum(), inside.max(initial=0)])
        every = np.array(domain.comm.allgather(counts))
        within, without, top = every[:, 0].sum(), every[:, 1].sum(), every[:, 2].max()
        if not within:
            continue
        if problem.model == "axisymmetric":
            raise CaseError(
                "the axes of a grain would turn with the angle in an axisymmetric body", key=key,
                allowed="plane models, 3d", hint="Give one conductivity, or change the model",
            )  # fmt: skip
        if domain.orientations is None or top > len(domain.orientations):
            raise MeshError(
                "the mesh has grains without orientations, and the crystals need them", key=key,
                hint="Give the grains orientations, or the group one conductivity",
            )  # fmt: skip
        if without:
            raise MeshError(
                f"{without} of {within + without} cells of {name!r} lie in no grain, so that they "
                "have no orientation", key=key, allowed="every cell in a grain, or none",
            )  # fmt: skip
