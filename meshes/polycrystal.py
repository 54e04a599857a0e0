"""A box of grains, 2-D or 3-D: sizes, crystal orientations, boundaries and triple lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, elevate
from ssbmech.meshes.grains import CELLS, mesh_grains
from ssbmech.meshes.group_names import GRAIN_BOUNDARIES
from ssbmech.meshes.orientation import grain_orientations
from ssbmech.meshes.parameters import Angle, Count, Length, Number, choice, count, number
from ssbmech.meshes.progress import tell
from ssbmech.meshes.tessellation import AXES, Tessellation, tessellate

# Element size relative to the mean grain, and the most elements (by the grain's mean size).
_FRACTION = 0.25
_MOST = {2: 5_000_000, 3: 30_000_000}


def polycrystal(
    width: Length,
    height: Length,
    mean_size: Length,
    depth: Length | None = None,
    *,
    spread: Number = 0.35,
    seed: Count = 0,
    sizes: Literal["lognormal", "poisson"] = "lognormal",
    periodic: bool = False,
    columnar: Literal["x", "y", "z"] | None = None,
    smallest: Number = 0.1,
    texture: Literal["random", "fibre", "single"] = "random",
    texture_spread: Angle = 0.0,
    crystal_axis: Literal["100", "110", "111"] = "100",
    sample_axis: Literal["x", "y", "z"] = "y",
    boundaries: Literal["facets", "split", "layer"] = "facets",
    boundary_thickness: Length | None = None,
    h: Length | None = None,
    order: Count = 2,
) -> MeshData:
    """Polycrystal: a rectangle or box of grains with crystal orientations.

    Args:
        width: Size along x; the box reaches from -width/2 to width/2 [um].
        height: Size along y, through the thickness, from 0 [um].
        mean_size: Mean grain size: diameter of the circle (2-D, and columns in 3-D) or sphere
            (3-D) of the same area or volume; the width of columns in 2-D [um].
        depth: Size along z, from -depth/2 to depth/2; without it the mesh is 2-D [um].
        spread: Standard deviation of the natural logarithm of the grain size, 0 to 1.
        seed: Number that all randomness follows from; the same gives the same mesh.
        sizes: "lognormal" with the given mean and spread, or "poisson" for the cells of random
            points (whose spread is what it is: 0.27 in 2-D, 0.15 in 3-D).
        periodic: Whether grains go on across opposite sides, whose nodes then match.
        columnar: Grains reach through the box along this axis.
        smallest: Edges of grains shorter than this fraction of the mean size are removed, 0 to
            0.3.
        texture: "random" (uniform), "fibre" (a crystal axis along an axis of the sample) or
            "single" (crystal axes along x, y and z).
        texture_spread: Standard deviation of the rotations off the texture, about each axis.
        crystal_axis: Of a fibre.
        sample_axis: Of a fibre.
        boundaries: Grain boundaries as "facets" (tagged), "split" (a node for each grain, for
            cohesive laws) or a "layer" of finite thickness (cells of ``grain_boundary``).
        boundary_thickness: Of the layer [um].
        h: Size of the elements, a quarter of the mean size by default [um].
        order: Order of the cells, 1 or 2.

    Returns:
        Cells of ``electrolyte`` with the number of their grain; facets ``left``, ``right``,
        ``bottom``, ``top``, ``front``, ``back`` and ``grain_boundaries``; ``triple_lines``.

    Raises:
        MeshError: For parameters out of range, and when the box is too small for such grains.
    """
    box = _box(width, height, depth)
    dim = box.shape[1]
    choice("columnar", columnar, (None, *AXES[:dim]))
    choice("sizes", sizes, ("lognormal", "poisson"))
    choice("periodic", periodic, (True, False))
    choice("boundaries", boundaries, ("facets", "split", "layer"))
    choice("order", order, (1, 2))
    count("seed", seed, at_least=0, at_most=2**31)
    size = number("mean_size", mean_size)
    edge = _FRACTION * size if h is None else number("h", h, below=size, closed=True)
    _refuse_too_many(box, edge)
    number("smallest", smallest, below=0.3, closed=True, unit="")
    number("texture_spread", texture_spread, below=60.0, closed=True, unit="degrees")
    if texture == "random" and texture_spread:
        raise MeshError(
            "a random texture has no spread", key="texture_spread", value=texture_spread,
            allowed="0", hint='Leave it out, or take texture = "fibre" or "single"',
        )  # fmt: skip
    thickness = _thickness(boundaries, boundary_thickness, smallest * size)
    tell("tessellation")
    made = tessellate(
        box, mean_size=size, spread="poisson" if sizes == "poisson" else spread, seed=seed,
        periodic=periodic, columnar_axis=columnar, smallest=smallest,
    )  # fmt: skip
    turns = grain_orientations(
        made.n_grains, texture, texture_spread, seed, crystal_axis=crystal_axis,
        sample_axis=sample_axis,
    )  # fmt: skip
    data = mesh_grains(made, edge)
    data = replace(data, orientations=turns, notes=_notes(made, data))
    if boundaries == "split":
        from ssbmech.meshes.cohesive import split_grains

        data = split_grains(data)
    elif boundaries == "layer":
        from ssbmech.meshes.thicken import thicken_grain_boundaries

        data = thicken_grain_boundaries(data, thickness)
    if order == 2:
        points, cells, facets = elevate(data.points, data.cells, data.facets, dim)
        data = replace(data, order=2, points=points, cells=cells, facets=facets)
    return data


def _box(width: float, height: float, depth: float | None) -> Floats:
    """Low and high corner [um]."""
    w, t = number("width", width), number("height", height)
    box = np.array([[-w / 2, 0.0], [w / 2, t]])
    if depth is not None:
        d = number("depth", depth)
        box = np.column_stack([box, [-d / 2, d / 2]])
    return box


def _refuse_too_many(box: Floats, h: float) -> None:
    dim = box.shape[1]
    # a regular triangle or tetrahedron of edge h
    n = float(np.prod(box[1] - box[0])) / (0.433 * h**2 if dim == 2 else 0.118 * h**3)
    if n > _MOST[dim]:
        least = h * (n / _MOST[dim]) ** (1 / dim)
        raise MeshError(
            f"the mesh would have about {n:.2g} cells", key="h", value=h,
            allowed=f">= {least:.3g} um", hint="Raise h or make the box smaller",
        )  # fmt: skip


def _thickness(boundaries: str, thickness: float | None, edge: float) -> float:
    """Checked thickness of the layer [um], 0 without one."""
    if boundaries != "layer":
        if thickness is not None:
            raise MeshError(
                "boundary_thickness is that of a layer", key="boundary_thickness",
                value=thickness, allowed='with boundaries = "layer"',
            )  # fmt: skip
        return 0.0
    if thickness is None:
        raise MeshError("a layer needs its thickness", key="boundary_thickness", allowed="> 0 um")
    return number(
        "boundary_thickness", thickness, below=edge,
        hint="It has to be thinner than the shortest edge of a grain (smallest * mean_size)",
    )  # fmt: skip


def _notes(made: Tessellation, data: MeshData) -> dict[str, float | str]:
    kind = "area" if made.dim == 2 else "volume"
    sizes = made.diameters()
    notes: dict[str, float | str] = {
        f"{kind}:{CELLS}": float(np.prod(made.box[1] - made.box[0])),
        "grains": float(made.n_grains),
        "mean grain size [um]": float(sizes.mean()),
        "spread of ln(grain size)": float(np.log(sizes).std()),
        "edges of grains shorter than smallest": float(made.short_edges),
    }
    for name in data.facet_groups:
        notes[f"between:{name}"] = f"{CELLS}|{CELLS}" if name == GRAIN_BOUNDARIES else f"{CELLS}|"
    return notes
