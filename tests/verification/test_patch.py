"""Elastic patch test through every geometry: a linear displacement is reproduced exactly.

The displacement u = A x is prescribed on the whole boundary of the mesh, crack faces and walls of
voids included. With one material everywhere the solution inside is the same linear field, whatever
the mesh (elements have the degree of their geometry, curved ones too): a cell that is inverted,
doubled, missing or not connected to its neighbours shows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech import build
from ssbmech.config_load import load_case
from ssbmech.domain import distribute
from ssbmech.formula import Formula
from ssbmech.meshes import catalog
from ssbmech.meshes.elements import cell_facets, keys
from ssbmech.problem import Constraint, Material, Problem
from ssbmech.solve import ElasticSystem

pytestmark = pytest.mark.verification

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs/gallery").glob("*.toml"))
#: Gradient of the displacement, no symmetry in it.
A = np.array([[1.0e-3, -4.0e-4, 7.0e-4], [3.0e-4, -2.0e-3, 5.0e-4], [-6.0e-4, 2.0e-4, 1.5e-3]])


def test_every_geometry_has_an_example():
    names = {path.stem.split("-")[0] for path in EXAMPLES}
    assert names == set(catalog.BUILDERS)


def with_one_boundary(data):
    """The mesh with all its exterior facets in one group."""
    d = data.dim
    every = cell_facets(data.cells, d, data.order)
    _, first, count = np.unique(
        keys(every[:, :d], len(data.points)), return_index=True, return_counts=True
    )
    outer = every[first[count == 1]]
    return replace(
        data, facets=outer, facet_tags=np.ones(len(outer), np.int32), facet_groups={"outer": 1},
        fronts={}, lines={}, grains=None, orientations=None,
    )  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_linear_displacement(path):
    case = load_case(path)
    data = with_one_boundary(build.make_mesh(case, path.parent))
    d = data.dim
    size = float(np.ptp(data.points, axis=0).max()) * 1e-6
    domain = distribute(MPI.COMM_WORLD, data, length=size)
    rows = [" + ".join(f"({float(A[i, j])!r})*{'xyz'[j]}" for j in range(d)) for i in range(d)]
    linear = {i: Formula.parse(text, "length", ("x", "y", "z")) for i, text in enumerate(rows)}
    steel = Material(Formula.constant(200e9, "pressure"), 0.3)
    system = ElasticSystem(
        Problem(
            domain, "3d" if d == 3 else "plane_strain", dict.fromkeys(data.cell_groups, steel),
            constraints=(Constraint("outer", linear),), degree=data.order,
        )
    )  # fmt: skip
    solution = system.solve(rtol=1e-13)
    V = solution.u.function_space
    x = V.tabulate_dof_coordinates()[:, :d]
    u = solution.u.x.array.reshape(-1, d)
    # relative to the largest displacement; the iterative solver stops at 1e-13 of the loads
    error = np.abs(u - x @ A[:d, :d].T).max() / np.abs(u).max()
    assert error < 1e-10, error
