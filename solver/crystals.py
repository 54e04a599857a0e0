"""Crystals of a problem: which cells have which axes, checked, as arrays and as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError, MeshError
from ssbmech.physics import anisotropy

if TYPE_CHECKING:
    from ssbmech.problem import Problem

#: Coupling out of the plane below this is rounding of the orientations.
_PLANE = 1e-9


def axes_of_cells(problem: Problem, cells: NDArray[np.int32]) -> NDArray[np.float64]:
    """Crystal axes of cells, shape (n, 3, 3); outside grains those of the sample.

    Args:
        problem: The problem.
        cells: Local cells, shape (n,).
    """
    domain = problem.domain
    if domain.grains is None or domain.orientations is None:
        return np.broadcast_to(np.eye(3), (len(cells), 3, 3))
    table = np.concatenate([np.eye(3)[None], anisotropy.axes_of(domain.orientations)])
    return table[domain.grains[cells]]


def phase_of_cell(problem: Problem) -> NDArray[np.integer]:
    """A number per local and ghost cell that changes wherever the stiffness may jump.

    The cell tag, and in a group of crystals the grain as well. Grains of one isotropic material
    are one phase: their boundaries mean nothing to elasticity.
    """
    domain = problem.domain
    tags = domain.tag_of_cell()
    groups = [tag for name, tag in domain.cell_groups.items() if problem.materials[name].cubic]
    if not groups or domain.grains is None:
        return tags
    stride = max(domain.cell_groups.values()) + 1
    crystal = np.isin(tags, groups)
    return tags + stride * np.where(crystal, domain.grains, 0).astype(np.int64)


def crystal_cells(problem: Problem) -> NDArray[np.bool_]:
    """Whether each local and ghost cell is a crystal that is not isotropic."""
    domain = problem.domain
    tags = [tag for name, tag in domain.cell_groups.items() if problem.materials[name].cubic]
    return np.isin(domain.tag_of_cell(), tags)


def fields(problem: Problem, modulus: float) -> tuple[Any, Any] | None:
    """C11 - C12 - 2 C44 over the reference stress and the axes (3 x 3), one value per cell.

    Returns:
        Two DOLFINx Functions (zero outside crystals), or None where the problem has no crystal.
    """
    from dolfinx import fem

    domain = problem.domain
    if not problem.has_crystals:
        return None
    excess = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    axes = fem.Function(fem.functionspace(domain.mesh, ("DG", 0, (3, 3))))
    tags = domain.tag_of_cell()
    rows = axes.x.array.reshape(-1, 3, 3)
    for name, tag in domain.cell_groups.items():
        cubic = problem.materials[name].cubic
        if cubic is not None:
            cells = np.flatnonzero(tags == tag).astype(np.int32)
            excess.x.array[cells] = cubic.excess / modulus
            rows[cells] = axes_of_cells(problem, cells)
    return excess, axes


def plane_note(problem: Problem) -> str:
    """What a plane model means for crystals that are tilted out of the plane, or ""."""
    if problem.model != "plane_strain" or not problem.has_crystals:
        return ""
    owned = problem.domain.mesh.topology.index_map(problem.domain.tdim).size_local
    cells = np.flatnonzero(crystal_cells(problem)[:owned]).astype(np.int32)
    axes = axes_of_cells(problem, cells)
    coupling = max(problem.domain.comm.allgather(anisotropy.out_of_plane(axes)))
    if coupling <= _PLANE:
        return ""
    return (
        "crystals are tilted out of the plane: with u_z = 0 the plane carries shear stress "
        f"(coupling {coupling:.2g} of C11 - C12 - 2 C44); energies and J are those of the body "
        "held so"
    )


def check(problem: Problem) -> None:
    """Refuse crystals whose orientation has no meaning in the model or on the mesh (collective).

    Raises:
        CaseError: For an axisymmetric or plane-stress body.
        MeshError: For grains without orientations, or orientations that cannot be meant.
    """
    names = [name for name, m in problem.materials.items() if m.cubic is not None]
    if not names:
        return
    key = f"materials.{names[0]}"
    if problem.model not in ("plane_strain", "3d"):
        raise CaseError(
            "a crystal has no place in this model: "
            + (
                "its axes would turn with the angle"
                if problem.model == "axisymmetric"
                else "its stress out of the plane is coupled to shear"
            ),
            key=key, value=problem.model, allowed="plane_strain, 3d",
            hint="Give E and nu, or change the model",
        )  # fmt: skip
    domain = problem.domain
    if domain.grains is None:
        return
    if domain.orientations is None:
        raise MeshError(
            "the mesh has grains without orientations, and the crystals need them", key=key,
            value="C11, C12, C44", allowed="one unit quaternion (x, y, z, w) per grain",
            hint="Give the grains orientations, or the material E and nu",
        )  # fmt: skip
    _check_orientations(np.asarray(domain.orientations, float))
    for name in names:
        _check_group(problem, name)


def _check_orientations(quaternions: NDArray[np.float64]) -> None:
    if quaternions.ndim != 2 or quaternions.shape[1] != 4:
        raise MeshError("orientations are unit quaternions", key="orientations",
                        value=quaternions.shape, allowed="shape (grains, 4)")  # fmt: skip
    norm = np.linalg.norm(quaternions, axis=1)
    bad = np.flatnonzero(~(np.abs(norm - 1) < 1e-6))
    if bad.size:
        raise MeshError(
            f"the orientation of grain {bad[0] + 1} is not a unit quaternion (x, y, z, w)",
            key="orientations", value=quaternions[bad[0]].tolist(), allowed="length 1",
        )  # fmt: skip


def _check_group(problem: Problem, name: str) -> None:
    """All cells of a crystal group lie in grains, or none do."""
    domain = problem.domain
    assert domain.grains is not None and domain.orientations is not None
    inside = domain.grains[domain.tag_of_cell() == domain.cell_groups[name]]
    top = int(inside.max(initial=0))
    without, within = int((inside == 0).sum()), int((inside > 0).sum())
    parts = np.array(domain.comm.allgather((without, within, top)))
    without, within, top = int(parts[:, 0].sum()), int(parts[:, 1].sum()), int(parts[:, 2].max())
    if top > len(domain.orientations):
        raise MeshError("a grain has no orientation", key=f"materials.{name}", value=top,
                        allowed=f"grains 1 to {len(domain.orientations)}")  # fmt: skip
    if without and within:
        raise MeshError(
            f"{without} of {without + within} cells of {name!r} lie in no grain, so that they have "
            "no orientation", key=f"materials.{name}", value="C11, C12, C44",
            allowed="every cell in a grain, or none (then the crystal has the axes of the mesh)",
            hint="Give the mesh a grain for every cell of the group",
        )  # fmt: skip
