"""Fields of a body in time for inspection: displacement and stresses at vertices, as PVD/VTU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.io import VTKFile
from numpy.typing import NDArray
from ssbmech.domain import in_micrometres
from ssbmech.lithium.interface import gathered
from ssbmech.lithium.system import BodySystem
from ssbmech.output.fields import invariants
from ssbmech.physics import elasticity

Floats = NDArray[Any]

#: Length of the step [s] in which the points answer the accepted state: nothing flows in it.
_AT_ONCE = 1e-15
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))


def refresh(body: BodySystem) -> Any:
    """Let the points of the accepted state answer, e.g. after it was loaded (collective).

    Returns:
        Their `ssbmech.lithium.points.Response`; the fields of the body are those of the state.
    """
    body.w.x.array[:] = body.accepted
    body.loads.at(body.time)
    return body.respond(_AT_ONCE, body.time)


class BodyFields:
    """A ``ssbmech.subject.FieldWriter`` of a body with flowing lithium.

    ``body.pvd`` has, time after time: displacement [um], stresses [MPa], the mean stress p of
    flowing groups [MPa], the accumulated plastic strain, and the number of the material. Stress at
    a vertex is the mean over its cells (a lumped projection), at an interface that of the stiffer
    side: for pictures. Points are those of the reference.

    Args:
        folder: Existing folder, the same on all ranks.
        body: The body; its accepted state is written.
        name: Of the file, without ending.
    """

    def __init__(self, folder: Path, body: BodySystem, name: str = "body") -> None:
        self.body = body
        p = body.problem
        mesh, dim = p.domain.mesh, p.dim
        self._flat = fem.Function(fem.functionspace(mesh, ("Lagrange", 1, (dim,))))
        self._u = fem.Function(body.V)
        self._displacement = fem.Function(
            fem.functionspace(mesh, ("Lagrange", 1, (3,))), name="displacement_um"
        )
        line = fem.functionspace(mesh, ("Lagrange", 1))
        axes = ("r", "z", "t") if p.model == "axisymmetric" else ("x", "y", "z")
        self._components = [(i, j) for k, (i, j) in enumerate(_PAIRS) if dim == 3 or k < 4]
        names = ["max_principal_MPa", "von_mises_MPa", "hydrostatic_MPa", "mean_stress_MPa"]
        names += [f"stress_{axes[i]}{axes[j]}_MPa" for i, j in self._components]
        self._scalars = {n: fem.Function(line, name=n) for n in names}
        flat = fem.functionspace(mesh, ("DG", 0))
        self._slip = fem.Function(flat, name="plastic_strain")
        self._material = fem.Function(flat, name="material")
        self._material.x.array[p.domain.cell_tags.indices] = p.domain.cell_tags.values
        self._projections = [
            _Projection(body, group)
            for group in sorted(p.domain.cell_groups, key=lambda g: (g not in p.flows, p.young(g)))
        ]
        self._file = VTKFile(p.domain.comm, str(folder / f"{name}.pvd"), "w")

    def write(self, time: float) -> None:
        """Write the accepted state as that of a time [s]."""
        body, p = self.body, self.body.problem
        refresh(body)
        self._fill_displacement()
        self._fill_stress()
        slip = body.points.accepted.slip.reshape(-1, body.quadrature.per_cell)
        self._slip.x.array[body.flow_cells] = slip.mean(axis=1) if slip.size else 0.0
        fields = [self._displacement, *self._scalars.values(), self._slip, self._material]
        with in_micrometres(p.domain):
            self._file.write_function(fields, time)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _fill_displacement(self) -> None:
        body, dim = self.body, self.body.problem.dim
        self._u.x.array[:] = body.displacement.reshape(-1) * 1e6
        self._flat.interpolate(self._u)
        self._displacement.x.array.reshape(-1, 3)[:, :dim] = self._flat.x.array.reshape(-1, dim)

    def _fill_stress(self) -> None:
        body = self.body
        tensor = np.zeros((len(self._material_vertices()), 3, 3))
        for projection in self._projections:  # the stiffest last
            here, values = projection.evaluate()
            tensor[here] = values * (body.problem.modulus * 1e-6)
        for name, values in invariants(tensor).items():
            self._scalars[name].x.array[:] = values
        names = list(self._scalars)[4:]
        for name, (i, j) in zip(names, self._components, strict=True):
            self._scalars[name].x.array[:] = tensor[:, i, j]
        mean = self._scalars["mean_stress_MPa"]
        mean.x.array[self._vertex()] = body.mean_stress * 1e-6

    def _material_vertices(self) -> Floats:
        return np.asarray(self._scalars["hydrostatic_MPa"].x.array)

    def _vertex(self) -> NDArray[np.int64]:
        """Vertex of the written fields of each unknown of the linear space of the body."""
        table = self._scalars["mean_stress_MPa"].function_space.dofmap.list
        here = np.zeros(len(self._material_vertices()), np.int64)
        here[self.body.Q.dofmap.list.reshape(-1)] = table.reshape(-1)
        return here


class _Projection:
    """Stress of one cell group at its vertices: means weighted by linear functions."""

    def __init__(self, body: BodySystem, group: str) -> None:
        p, self.group, self.body = body.problem, group, body
        mesh = p.domain.mesh
        self._space = fem.functionspace(mesh, ("Lagrange", 1, (6,)))
        v = ufl.TestFunction(self._space)
        dx = ufl.Measure("dx", mesh, subdomain_data=p.domain.cell_tags)
        inside = dx(p.domain.cell_tag(group), metadata=body.quadrature.metadata)
        sigma = self._stress(group)
        components = ufl.as_vector([sigma[i, j] for i, j in _PAIRS])
        self._form = fem.form(ufl.inner(components, v) * inside)
        one = fem.Constant(mesh, 1.0)
        volume = fem.Function(self._space)
        fem.assemble_vector(volume.x.array, fem.form(one * sum(v[k] for k in range(6)) * inside))
        self._volume = gathered(volume).reshape(-1, 6)[:, :1]

    def _stress(self, group: str) -> Any:
        """True stress: the points of finite strain give P = J sigma F^-T, so sigma = P F^T/J."""
        body, p = self.body, self.body.problem
        x, u = ufl.SpatialCoordinate(p.domain.mesh), ufl.split(body.w)[0]
        if group in p.flows:
            s = body.stress_field
            parts = dict(zip(body.quadrature.parts, range(len(body.quadrature.parts)), strict=True))
            stress = ufl.as_matrix(
                [[s[parts[i, j]] if (i, j) in parts else 0 for j in range(3)] for i in range(3)]
            )
            if not p.flows[group].finite:
                return stress
            F = ufl.Identity(3) + elasticity.gradient(u, x, p.model)
            return stress * F.T / ufl.det(F)
        strain = elasticity.strain(u, x, p.model)
        if body.misfit_field is not None:
            strain = strain - body.misfit_field
        lam, mu = elasticity.lame(p.young(group) / p.modulus, p.materials[group].nu, p.model)
        return elasticity.stress(strain, lam, mu, p.model)

    def evaluate(self) -> tuple[NDArray[np.bool_], Floats]:
        """Which vertices the group has, and the stress there over the modulus, (n, 3, 3)."""
        f = fem.Function(self._space)
        fem.assemble_vector(f.x.array, self._form)
        values = gathered(f).reshape(-1, 6)
        here = self._volume[:, 0] > 0
        mean = values[here] / self._volume[here]
        tensor = np.zeros((len(mean), 3, 3))
        for k, (i, j) in enumerate(_PAIRS):
            tensor[:, i, j] = tensor[:, j, i] = mean[:, k]
        return here, tensor
