"""Fields for inspection: displacement and stress at vertices, materials, as PVD/VTU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector
from dolfinx.io import VTKFile
from petsc4py import PETSc
from ssbmech.domain import in_micrometres
from ssbmech.solve import ElasticSystem, Solution

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))


def write_fields(folder: Path, system: ElasticSystem, solution: Solution) -> None:
    """Write ``fields.pvd`` with displacement [um], stress [MPa], material and grain numbers.

    Stress at a vertex is the mean over its cells weighted by shape functions (a lumped projection):
    smooth for pictures, and not what K, J or peaks are computed from. At an interface it is that of
    the stiffer side, at a boundary between crystals of one group the mean of both sides.

    Args:
        folder: Existing folder, the same on all ranks.
        system: The assembled system, for its stress expression.
        solution: Its solution.
    """
    p = solution.problem
    mesh, dim = p.domain.mesh, p.domain.mesh.geometry.dim
    scale = solution.modulus * 1e-6
    u = fem.Function(fem.functionspace(mesh, ("Lagrange", 1, (3,))), name="displacement_um")
    flat = fem.Function(fem.functionspace(mesh, ("Lagrange", 1, (dim,))))
    flat.interpolate(solution.u)
    u.x.array.reshape(-1, 3)[:, :dim] = flat.x.array.reshape(-1, dim) * p.domain.length * 1e6

    nodal = lumped(system) * scale
    W = fem.functionspace(mesh, ("Lagrange", 1))
    tensor = np.zeros((len(nodal), 3, 3))
    for k, (i, j) in enumerate(_PAIRS):
        tensor[:, i, j] = tensor[:, j, i] = nodal[:, k]
    named: dict[str, Any] = invariants(tensor)
    axes = ("r", "z", "t") if p.model == "axisymmetric" else ("x", "y", "z")
    for k, (i, j) in enumerate(_PAIRS):
        if dim == 3 or k < 4:
            named[f"stress_{axes[i]}{axes[j]}_MPa"] = nodal[:, k]
    functions = [u]
    for name, values in named.items():
        f = fem.Function(W, name=name)
        f.x.array[:] = values
        functions.append(f)
    material = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="material")
    material.x.array[p.domain.cell_tags.indices] = p.domain.cell_tags.values
    functions.append(material)
    if p.domain.grains is not None:
        grain = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="grain")
        grain.x.array[:] = p.domain.grains
        functions.append(grain)
    with (
        in_micrometres(p.domain),
        VTKFile(p.domain.comm, str(folder / "fields.pvd"), "w") as file,
    ):
        file.write_function(functions)


def invariants(tensor: np.ndarray) -> dict[str, np.ndarray]:
    """What pictures show of a stress (n, 3, 3) in MPa, by name of the field, each of shape (n,)."""
    mean = np.trace(tensor, axis1=1, axis2=2) / 3
    deviator = tensor - mean[:, None, None] * np.eye(3)
    return {
        "max_principal_MPa": np.linalg.eigvalsh(tensor)[:, 2],
        "von_mises_MPa": np.sqrt(1.5 * np.einsum("nij,nij->n", deviator, deviator)),
        "hydrostatic_MPa": mean,
    }


def lumped(system: ElasticSystem) -> np.ndarray:
    """Stress components at vertices over the reference stress, shape (local and ghost, 6).

    Projected in each material apart; a vertex where materials meet shows the stiffest one, so that
    the stress in the electrolyte is not mixed with that in lithium.
    """
    p = system.problem
    mesh = p.domain.mesh
    V = fem.functionspace(mesh, ("Lagrange", 1, (6,)))
    v = ufl.TestFunction(V)
    dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": system.quadrature_degree + 1})
    inside = fem.Function(fem.functionspace(mesh, ("DG", 0)))
    components = ufl.as_vector([system.sigma[i, j] for i, j in _PAIRS])
    stress = fem.form(inside * ufl.inner(components, v) * dx)
    volume = fem.form(inside * sum(v[k] for k in range(6)) * dx)

    def assembled(form: Any) -> np.ndarray:
        b = assemble_vector(form)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        f = fem.Function(V)
        f.x.array[: len(b.array_r)] = b.array_r
        f.x.scatter_forward()
        b.destroy()
        return f.x.array.reshape(-1, 6).copy()

    middle = p.domain_box().mean(axis=0)[None, :] * p.domain.length
    groups = p.domain.cell_groups
    nodal = np.zeros((len(fem.Function(V).x.array) // 6, 6))
    for name in sorted(groups, key=lambda g: float(p.materials[g].E.value(middle)[0])):
        inside.x.array[:] = 0
        inside.x.array[p.domain.cell_tags.find(groups[name])] = 1
        weight = assembled(volume)
        here = weight[:, 0] > 0
        nodal[here] = assembled(stress)[here] / weight[here]
    return nodal
