"""The electric fields for inspection: potential and current density at vertices, as PVD/VTU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem.petsc import assemble_vector
from dolfinx.io import VTKFile
from petsc4py import PETSc
from ssbmech.domain import in_micrometres, vertex_nodes
from ssbmech.electro.solve import ElectricSolution
from ssbmech.physics import conduction


def write_electric_fields(folder: Path, solution: ElectricSolution) -> None:
    """Write ``electric.pvd``: potential [mV] and ion current density [mA/cm^2] of the conductors.

    The current density at a vertex is the mean over its cells weighted by shape functions: smooth
    for pictures, and not what the extremes are computed from.

    Args:
        folder: Existing folder, the same on all ranks.
        solution: The solution.
    """
    p = solution.problem
    mesh, dim = p.domain.mesh, p.domain.mesh.geometry.dim
    W = fem.functionspace(mesh, ("Lagrange", 1))
    potential = fem.Function(W, name="potential_mV")
    potential.interpolate(solution.phi)
    potential.x.array[:] *= p.voltage * 1e3

    V = fem.functionspace(mesh, ("Lagrange", 1, (dim,)))
    v = ufl.TestFunction(V)
    flux = conduction.current_density(solution.phi, solution.system.kappa)
    ones = ufl.as_vector([1.0] * dim)
    sums = [assemble_vector(fem.form(ufl.inner(f, v) * ufl.dx)) for f in (flux, ones)]
    for b in sums:
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    flat = fem.Function(V)
    flat.x.array[: len(sums[0].array_r)] = sums[0].array_r / sums[1].array_r
    flat.x.scatter_forward()
    current = fem.Function(
        fem.functionspace(mesh, ("Lagrange", 1, (3,))), name="ion_current_mA_per_cm2"
    )
    values = flat.x.array.reshape(-1, dim) * p.current_scale * 0.1
    current.x.array.reshape(-1, 3)[:, :dim] = values
    size = fem.Function(W, name="current_size_mA_per_cm2")
    size.x.array[:] = np.linalg.norm(values, axis=1)
    for b in sums:
        b.destroy()
    others = _beside(W, solution)
    with (
        in_micrometres(p.domain),
        VTKFile(p.domain.comm, str(folder / "electric.pvd"), "w") as file,
    ):
        file.write_function([potential, current, size, *others])


def _beside(W: Any, solution: ElectricSolution) -> list[Any]:
    """Other potentials of a solution at vertices [mV]."""
    domain = solution.problem.domain
    dofs = W.dofmap.list.reshape(-1)
    ids = domain.node_ids[vertex_nodes(domain.mesh)].reshape(-1)
    found = []
    for name, values in solution.beside.items():
        field = fem.Function(W, name=f"{name}_mV")
        field.x.array[dofs] = values[ids] * 1e3
        found.append(field)
    return found
