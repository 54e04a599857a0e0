"""Grains as parts of a scene, so that any feature and any crack can go into a polycrystal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, elevate
from ssbmech.meshes.parameters import Angle, Count, Length, Number, count, number
from ssbmech.meshes.scene import Part

if TYPE_CHECKING:
    from ssbmech.meshes.flaw import Crack
    from ssbmech.meshes.tessellation import Tessellation

#: OpenCASCADE cuts faces pair by pair; a plain polycrystal of any size has no need of that.
MOST = {2: 3000, 3: 1000}


@dataclass(frozen=True)
class Grains:
    """Grains of the electrolyte.

    Attributes:
        size: Mean grain size: diameter of the circle or sphere of the mean grain [um].
        spread: Standard deviation of the logarithm of the diameters.
        seed: Of the random numbers.
        columnar: In 3-D: grains that reach through the depth (along z).
        smallest: Edges and faces of grains below this share of the mean size are removed.
        texture: Orientations: ``"random"``, ``"fibre"`` (a <100> axis along y) or ``"single"``.
        texture_spread: Scatter of a fibre about its axis.
        layer: Thickness of grain boundaries as cells ``grain_boundary`` [um]; without it they are
            facets. Cells are straight then.
    """

    size: Length
    spread: Number = 0.35
    seed: Count = 1
    columnar: bool = False
    smallest: Number = 0.1
    texture: Literal["random", "fibre", "single"] = "random"
    texture_spread: Angle = 0.0
    layer: Length | None = None


def tessellate_layer(grains: Grains, low: Floats, high: Floats) -> Tessellation:
    """Tessellation of the electrolyte's box.

    Args:
        grains: What was asked for.
        low: Lowest corner (x, y) or (x, y, z) [um].
        high: Highest corner.

    Raises:
        MeshError: For sizes out of range, or more grains than a scene can take.
    """
    from ssbmech.meshes.tessellation import tessellate

    dim = len(low)
    extent = high - low
    number("geometry.grains.size", grains.size, below=float(extent.min()),
           hint="A grain must fit into the electrolyte")  # fmt: skip
    count("geometry.grains.seed", grains.seed, at_least=0, at_most=2**31)
    flat = 2 if dim == 3 and grains.columnar else dim
    cell = np.pi / 4 * grains.size**2 if flat == 2 else np.pi / 6 * grains.size**3
    expected = round(float(np.prod(extent[:flat])) / cell)
    if expected > MOST[dim]:
        raise MeshError(
            f"the electrolyte would have about {expected} grains", key="geometry.grains.size",
            value=grains.size, allowed=f"at most {MOST[dim]} grains beside other features",
            hint="Use larger grains, or the geometry polycrystal, which takes many more",
        )  # fmt: skip
    return tessellate(
        np.array([low, high]), mean_size=grains.size, spread=grains.spread, seed=grains.seed,
        columnar_axis="z" if dim == 3 and grains.columnar else None, smallest=grains.smallest,
    )  # fmt: skip


def grain_parts(gmsh: Any, tess: Tessellation, name: str = "electrolyte") -> list[Part]:
    """One part per grain; faces, edges and corners are shared.

    Args:
        gmsh: The module, inside a session.
        tess: The tessellation; it fills the layer's box.
        name: Cell group of all grains.
    """
    occ = gmsh.model.occ
    points = [
        int(occ.addPoint(*(float(c) for c in v), *([0.0] * (3 - tess.dim)))) for v in tess.vertices
    ]
    lines: dict[tuple[int, int], int] = {}

    def line(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in lines:
            lines[key] = int(occ.addLine(points[key[0]], points[key[1]]))
        return lines[key] if a < b else -lines[key]

    parts = []
    if tess.dim == 2:
        for g in range(tess.n_cells):
            loop = _loop([tuple(tess.faces[f]) for f in tess.cell_faces(g)])
            tags = [line(a, b) for a, b in zip(loop, np.roll(loop, -1), strict=True)]
            face = occ.addPlaneSurface([occ.addCurveLoop(tags)])
            parts.append(Part(name, (int(face),), grain=int(tess.grain[g]) + 1))
        return parts
    faces = []
    for corners in tess.faces:
        tags = [line(int(a), int(b)) for a, b in zip(corners, np.roll(corners, -1), strict=True)]
        faces.append(int(occ.addPlaneSurface([occ.addCurveLoop(tags)])))
    for g in range(tess.n_cells):
        shell = occ.addSurfaceLoop([faces[f] for f in tess.cell_faces(g)])
        parts.append(Part(name, (int(occ.addVolume([shell])),), grain=int(tess.grain[g]) + 1))
    return parts


def _loop(edges: list[tuple[int, ...]]) -> list[int]:
    """Edges of a polygon in any order as one loop of vertices."""
    after: dict[int, list[int]] = {}
    for a, b in edges:
        after.setdefault(int(a), []).append(int(b))
        after.setdefault(int(b), []).append(int(a))
    start = min(after)
    loop, last = [start], -1
    while True:
        choices = [v for v in after[loop[-1]] if v != last]
        if not choices or (choices[0] == start and len(loop) > 2):
            return loop
        last = loop[-1]
        loop.append(choices[0])


def with_orientations(data: MeshData, grains: Grains, n: int) -> MeshData:
    """Orientations of the grains that are left, and how many there are.

    Features may have swallowed whole grains: numbers stay, only present ones count.
    """
    from ssbmech.meshes.orientation import grain_orientations

    assert data.grains is not None
    rotations = grain_orientations(n, grains.texture, grains.texture_spread, grains.seed)
    present = len(np.unique(data.grains[data.grains > 0]))
    return replace(data, orientations=rotations, notes=data.notes | {"grains": float(present)})


def with_layer(data: MeshData, grains: Grains, order: int) -> MeshData:
    """Grain boundaries of a finite thickness, and cells of the wanted order.

    Args:
        data: First-order mesh with its cracks open.
        grains: With the thickness.
        order: 1 or 2.

    Raises:
        MeshError: For a layer thicker than grains and elements allow, with the largest one.
    """
    from ssbmech.meshes.thicken import thicken_grain_boundaries

    assert grains.layer is not None
    number("geometry.grains.layer", grains.layer, below=grains.size / 2)
    data = thicken_grain_boundaries(data, grains.layer)
    if order == 1:
        return data
    points, cells, facets = elevate(data.points, data.cells, data.facets, data.dim)
    return replace(data, order=2, points=points, cells=cells, facets=facets)


def boundary_crack(
    tess: Tessellation | None, grains: Grains | None, crack: Crack, key: str
) -> tuple[Floats, tuple[Floats, ...]]:
    """Crack of least energy along grain boundaries, from the interface to its depth.

    Returns:
        Its corners in the x-y plane [um], shape (n, 2). Along equiaxed grains in 3-D, where it is
        a surface: its mouth and depth, and the corners of its faces, shape (k, 3) each.

    Raises:
        MeshError: Without grains, or when no path reaches the depth.
    """
    if tess is None or grains is None:
        raise MeshError(
            "there are no grain boundaries to follow", key=f"{key}.shape", value=crack.shape,
            hint="Give [geometry.grains]",
        )  # fmt: skip
    if grains.layer is not None:
        raise MeshError(
            "a crack cannot follow boundaries that are a layer of cells", key=f"{key}.shape",
            value=crack.shape, hint="Leave geometry.grains.layer away, or give the crack a skin",
        )  # fmt: skip
    if crack.a is None:
        raise MeshError("the depth of the crack is missing", key=f"{key}.a", allowed="> 0 um")
    from ssbmech.meshes.path import boundary_path, weak_boundaries

    energy = None
    if crack.weak:
        energy = weak_boundaries(len(tess.faces), crack.weak, crack.boundary_energy, grains.seed)
    if tess.dim == 2 or grains.columnar:
        found = boundary_path(tess, 2, crack.a, energy=energy, near=crack.x)
        return found.points, ()
    from ssbmech.meshes.path_surface import boundary_surface

    x = crack.x or 0.0
    surface = boundary_surface(tess, 2, crack.a, x, energy=energy)
    polygons = tuple(tess.vertices[list(tess.faces[f])] for f in surface.faces)
    low = float(tess.box[0, 1])
    return np.array([[x, low], [x, low + surface.reach[1]]]), polygons
