"""Meshes with grains and problems on them, for the checks of cubic elasticity."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from ssbmech.domain import distribute
from ssbmech.formula import Formula
from ssbmech.fracture.front import Crack
from ssbmech.fracture.rings import FrontResult, RingOptions, fracture
from ssbmech.materials import library
from ssbmech.materials.laws import Cubic
from ssbmech.meshes import cracks
from ssbmech.meshes.data import MeshData
from ssbmech.problem import Constraint, Material, Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem, Solution

Floats = NDArray[np.float64]
SIDES = ("left", "right", "bottom", "top", "back", "front")
#: A crack of half-length 10 um under 100 MPa.
A, P = 10e-6, 100e6


def lithium() -> Cubic:
    """The crystal of the library (Narayan & Anand 2018)."""
    values = library.get("Li")
    return Cubic(*(values[k].value for k in ("C11", "C12", "C44")))


def voigt_stiffness(cubic: Cubic, rotation: Floats | None = None) -> Floats:
    """C_ijkl by definition and rotation of all four indices, independent of the solver's form."""
    C = np.zeros((3, 3, 3, 3))
    for i in range(3):
        for j in range(3):
            C[i, i, j, j] = cubic.C11 if i == j else cubic.C12
            if i != j:
                for a, b in ((i, j), (j, i)):
                    C[i, j, a, b] = cubic.C44
    if rotation is None:
        return C
    R = rotation
    return np.einsum("ia,jb,kc,ld,abcd->ijkl", R, R, R, R, C, optimize=True)


def cube(n: int, size: float = 10.0) -> MeshData:
    """Cube of n^3 cells, each split into the six tetrahedra of Kuhn, with its six sides [um]."""
    ticks = np.linspace(0, size, n + 1)
    points = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), -1).reshape(-1, 3)
    corner = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)

    def number(ijk: NDArray) -> NDArray:
        return (ijk[:, 0] * (n + 1) + ijk[:, 1]) * (n + 1) + ijk[:, 2]

    cells = []
    for order in permutations(range(3)):
        steps = np.vstack([np.zeros((1, 3), int), np.cumsum(np.eye(3, dtype=int)[list(order)], 0)])
        cells.append(np.stack([number(corner + s) for s in steps], -1))
    cells_ = np.concatenate(cells).astype(np.int64)
    faces = np.sort(cells_[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3), axis=1)
    rows, count = np.unique(faces, axis=0, return_counts=True)
    outer = rows[count == 1]
    tags = np.zeros(len(outer), np.int32)
    for side in range(6):
        axis, end = divmod(side, 2)
        on = (points[outer][:, :, axis] == ticks[-end]).all(axis=1)
        tags[on] = side + 1
    return MeshData(
        dim=3, order=1, points=points, cells=cells_,
        cell_tags=np.ones(len(cells_), np.int32), facets=outer.astype(np.int64), facet_tags=tags,
        cell_groups={"electrolyte": 1}, facet_groups={s: i + 1 for i, s in enumerate(SIDES)},
    )  # fmt: skip


def single_crystal(data: MeshData, rotation: Rotation) -> MeshData:
    """All cells one grain."""
    ones = np.ones(len(data.cells), np.int32)
    return replace(data, grains=ones, orientations=rotation.as_quat()[None])


def with_grains(data: MeshData, seeds: Floats, rotations: Rotation) -> MeshData:
    """Cells to the grain of the nearest seed [um]; boundaries follow the facets of the mesh."""
    vertices = data.cells[:, : data.dim + 1]
    middle = data.points[vertices].mean(axis=1)[:, : seeds.shape[1]]
    grains = cKDTree(seeds).query(middle)[1].astype(np.int32) + 1
    return replace(data, grains=grains, orientations=rotations.as_quat())


def problem(
    data: MeshData | None,
    material: Material | dict[str, Material],
    *,
    pressure: dict[str, float] | None = None,
    traction: dict[str, Floats] | None = None,
    gradient: Floats | None = None,
    model: str = "3d",
    comm: Any = MPI.COMM_WORLD,
    degree: int = 2,
) -> Problem:
    """A problem on a mesh given on rank 0.

    Args:
        data: The mesh.
        material: Of the electrolyte, or by group.
        pressure: By facet group [Pa].
        traction: By facet group [Pa].
        gradient: u = gradient x on all sides, shape (3, 3).
        model: Mechanical model.
        comm: MPI communicator.
        degree: Of the displacement.
    """
    domain = distribute(comm, data, length=1e-5)
    loads = [
        SurfaceLoad(g, Formula.constant(p, "pressure")) for g, p in (pressure or {}).items()
    ] + [
        SurfaceLoad(g, None, tuple(Formula.constant(float(c), "pressure") for c in t))
        for g, t in (traction or {}).items()
    ]
    constraints = []
    if gradient is not None:
        text = [
            " + ".join(f"({c!r})*{axis}" for c, axis in zip(row, "xyz", strict=True))
            for row in gradient.tolist()
        ]
        u = {i: Formula.parse(t, "length", ("x", "y", "z")) for i, t in enumerate(text)}
        constraints = [Constraint(side, u) for side in SIDES]
    return Problem(
        domain=domain, model=model,
        materials=material if isinstance(material, dict) else {"electrolyte": material},
        loads=tuple(loads), constraints=tuple(constraints), degree=degree, linear="direct",
    )  # fmt: skip


def solve(*args: Any, **options: Any) -> Solution:
    """``problem`` solved."""
    return ElasticSystem(problem(*args, **options)).solve()


def sides_under(stress: Floats) -> dict[str, Floats]:
    """Tractions of a uniform stress [Pa] on the sides of a cube."""
    out = {}
    for k, side in enumerate(SIDES):
        axis, end = divmod(k, 2)
        out[side] = stress[:, axis] * (1.0 if end else -1.0)
    return out


def griffith(**parameters: Any) -> MeshData:
    """Line crack of half-length 10 um along x in a plane body, both tips."""
    return cracks.griffith(A * 1e6, quarter_point=True, **parameters)


def crack_results(
    solution: Solution, tip: str = "tip_right", options: RingOptions | None = None
) -> FrontResult:
    """Fracture quantities at one tip of ``griffith``."""
    return fracture(solution, Crack(("crack_lower", "crack_upper"), tip, False), options)[0]


FACES = {"crack_lower": P, "crack_upper": P}


def crack_in_boundary(tilt: float, **parameters: Any) -> MeshData:
    """Line crack in a flat boundary y = 0 between crystals turned by -tilt and tilt [degrees].

    The upper half of ``griffith`` and its mirror image, joined ahead of the tips.
    """
    half = griffith(symmetry="y", **parameters)
    n = len(half.points)
    upper, ahead = half.facet_groups["crack_upper"], half.facet_groups["symmetry_y"]
    joined = np.unique(half.facets[half.facet_tags == ahead])
    image = np.arange(n) + n
    image[joined] = joined
    keep = half.facet_tags == upper
    faces = half.facets[keep]
    points = np.vstack([half.points, half.points * [1, -1, 1]])
    data = replace(
        half, points=points,
        cells=np.vstack([half.cells, image[half.cells[:, [0, 2, 1, 5, 4, 3]]]]),
        cell_tags=np.tile(half.cell_tags, 2), facets=np.vstack([faces, image[faces]]),
        facet_tags=np.repeat(np.array([1, 2], np.int32), len(faces)),
        facet_groups={"crack_upper": 1, "crack_lower": 2}, notes={},
        grains=np.repeat(np.array([1, 2], np.int32), len(half.cells)),
        orientations=Rotation.from_euler("z", [-tilt, tilt], degrees=True).as_quat(),
    )  # fmt: skip
    return _without_orphans(data)


def _without_orphans(data: MeshData) -> MeshData:
    used = np.unique(data.cells)
    new = np.full(len(data.points), -1)
    new[used] = np.arange(len(used))
    return replace(
        data, points=data.points[used], cells=new[data.cells], facets=new[data.facets],
        fronts={k: new[f] for k, f in data.fronts.items()},
    )  # fmt: skip
