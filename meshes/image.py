"""Measured microstructures: label images, 2-D and 3-D, to conforming meshes."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.contacts import separate_contacts
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints
from ssbmech.meshes.image_chains import Chains, simplify, trace
from ssbmech.meshes.image_groups import collect_regions, name_facets, place
from ssbmech.meshes.image_size import use_sizes, write_sizes
from ssbmech.meshes.image_volume import mesh_volume
from ssbmech.meshes.labels import (
    VOID,
    LabelImage,
    clean,
    components,
    label_image,
    largest_solid,
    read_labels,
)
from ssbmech.meshes.parameters import Count, File, Labels, Length, Number, choice, count, number
from ssbmech.meshes.plane import finish
from ssbmech.meshes.session import session


def image(
    file: File,
    voxel: Length,
    labels: Labels | None = None,
    *,
    grains: bool = False,
    merge: Count = 1,
    majority: Count = 0,
    smallest: Count = 0,
    smooth: Count = 20,
    h: Length | None = None,
    growth: Number = 0.3,
    h_max: Length | None = None,
    order: Count = 2,
) -> MeshData:
    """A segmented image: one picture gives a 2-D mesh, a stack of them a 3-D one.

    The first row of a picture is the top (largest y), the first page of a stack the front
    (smallest z). x and z are centred on 0; y starts at 0 at the bottom of the picture.
    Boundaries are smoothed so that every connected region keeps the area or volume of its voxels.

    Args:
        file: PNG, BMP, GIF, TIFF or NPY with one whole number per pixel, or a folder of pictures.
        voxel: Edge of a square pixel or cubic voxel [um].
        labels: Group of each value, ``{0: "lithium", 1: "electrolyte"}``; ``"void"`` is left
            out of the mesh. With ``grains`` the values that have no name are grains.
        grains: Whether values are the numbers of grains of the group ``electrolyte``. The mesh
            numbers them from 1 without gaps, and pieces of one that do not touch apart.
        merge: Voxels along each axis that become one, by majority.
        majority: Rounds of a vote among each voxel and its face neighbours, against noise.
        smallest: Connected regions of fewer voxels are given to their largest neighbour.
        smooth: Passes of smoothing; 0 keeps the steps of the voxels.
        h: Size of elements at the boundaries, 2 voxels by default [um]; in 3-D it is one (merged)
            voxel and cannot be chosen.
        growth: Growth of the size per distance from the boundaries.
        h_max: Largest size, an eighth of the smallest extent by default [um].
        order: Order of the cells, 1 or 2 (straight).

    Returns:
        Cells named by ``labels``; facets ``li_sse``, otherwise ``a_b`` of two groups,
        ``void_li``, ``void_sse``, ``grain_boundaries``, and the sides ``left``, ``right``,
        ``bottom``, ``top``, ``front``, ``back``; with grains ``triple_lines``.

    Raises:
        MeshError: For a broken file, values without a name, or parameters out of range.
    """
    choice("grains", grains, (True, False))
    if not grains and not labels:
        raise MeshError(
            "the image's values need names", key="labels",
            hint="For example labels = { 0 = 'lithium', 1 = 'electrolyte' }, or grains = true",
        )  # fmt: skip
    made = label_image(read_labels(file), voxel, labels, grains=grains, key=str(file))
    made = clean(made, specks=smallest, majority=majority, merge=merge)
    return mesh_image(made, smooth=smooth, h=h, growth=growth, h_max=h_max, order=order)


def mesh_image(
    made: LabelImage,
    *,
    smooth: int = 20,
    h: float | None = None,
    growth: float = 0.3,
    h_max: float | None = None,
    order: int = 2,
) -> MeshData:
    """Mesh a label image; parameters as in `image`.

    Returns:
        The mesh; its ``notes`` say what had to be changed in the image.

    Raises:
        MeshError: For parameters out of range.
    """
    choice("order", order, (1, 2))
    count("smooth", smooth, at_least=0, at_most=1000)
    number("growth", growth, above=0.01, below=5.0, closed=True, unit="")
    extent = min(made.values.shape) * made.voxel
    largest = max(extent / 8, 2 * made.voxel) if h_max is None else number("h_max", h_max)
    size = 2 * made.voxel if h is None else number("h", h, above=made.voxel / 2, below=extent)
    values, changed, left = separate_contacts(made.values)
    made = replace(made, values=values)
    notes = dict(made.notes)
    if changed:
        notes["voxels_changed_at_contacts"] = float(changed)
    if len(left):
        notes["contacts_left"] = float(len(left))
    made = largest_solid(replace(made, notes=notes))
    if made.values.ndim == 3:
        if h is not None:
            raise MeshError(
                "in 3-D the size at boundaries is that of the voxels", key="h", value=h,
                hint="Leave h out and choose merge, or resample the image",
            )  # fmt: skip
        data = mesh_volume(made, left, smooth, growth, max(largest, made.voxel))
    else:
        data = _mesh_plane(made, left, smooth, size, growth, max(largest, size))
    return finish(data, order, False, {})


def _mesh_plane(
    made: LabelImage, left: Ints, smooth: int, h: float, growth: float, h_max: float
) -> MeshData:
    parts, _ = components(made.values)
    region = np.zeros(int(parts.max()) + 1, dtype=np.int64)
    region[parts.ravel()] = made.values.ravel()
    held = left.max(axis=1)  # the corner that two diagonal pixels share
    chains = simplify(trace(parts, held), smooth, h / made.voxel)
    inner = (chains.sides >= 0).all(axis=1)
    ends = chains.points[chains.segments[inner]]
    each = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) * made.voxel
    with tempfile.TemporaryDirectory() as folder, session("image") as gmsh:
        file = Path(folder) / "sizes"
        write_sizes(
            file, made.values.shape, made.voxel, made.low, ends.reshape(-1, 2),
            np.repeat(each, 2), growth, h_max,
        )  # fmt: skip
        surfaces, curves = _sketch(gmsh, made, chains, region)
        use_sizes(gmsh, file, h_max)
        return collect_regions(
            gmsh, 2, surfaces, curves, made, region, lambda: gmsh.model.mesh.generate(2)
        )


def _sketch(
    gmsh: Any, made: LabelImage, chains: Chains, region: Ints
) -> tuple[dict[int, int], dict[str, list[int]]]:
    """Draw the chains: a surface of each part, curves of each facet group."""
    geo = gmsh.model.geo
    names = name_facets(made, region, chains.sides)
    xyz = place(made, chains.points)
    solid = np.array([made.groups[r] != VOID for r in region])
    needed = ((chains.sides >= 0) & solid[np.maximum(chains.sides, 0)]).any(axis=1)
    used = np.unique(chains.segments[needed])
    point = {int(k): geo.addPoint(*xyz[k]) for k in used}
    curves: dict[int, int] = {}
    groups: dict[str, list[int]] = {}
    for k in map(int, np.flatnonzero(needed)):
        a, b = map(int, chains.segments[k])
        curves[k] = geo.addLine(point[a], point[b])
        if (chains.sides[k] >= 0).all():
            geo.mesh.setTransfiniteCurve(curves[k], 2)
        if names[k] is not None:
            groups.setdefault(str(names[k]), []).append(curves[k])
    surfaces: dict[int, int] = {}
    for part, loops in sorted(_loops(chains, solid).items()):
        tags = [
            geo.addCurveLoop([curves[k] if forward else -curves[k] for k, forward in loop])
            for loop in loops
        ]
        surfaces[part] = geo.addPlaneSurface(tags)
    geo.synchronize()
    return surfaces, groups


_Loop = list[tuple[int, bool]]


def _loops(chains: Chains, solid: NDArray[np.bool_]) -> dict[int, list[_Loop]]:
    """Closed loops around each solid part, the outer one first, with the part on the left."""
    around: dict[int, dict[int, list[tuple[int, bool]]]] = {}
    for k, (ends, pair) in enumerate(zip(chains.segments, chains.sides, strict=True)):
        for side, forward in ((0, True), (1, False)):
            part, start = int(pair[side]), int(ends[side])
            if part >= 0 and solid[part]:
                around.setdefault(part, {}).setdefault(start, []).append((k, forward))
    return {part: _closed(chains, leaving) for part, leaving in around.items()}


def _closed(chains: Chains, leaving: dict[int, list[tuple[int, bool]]]) -> list[_Loop]:
    """Follow directed segments until each loop closes.

    Where a part touches itself in a point, the sharpest turn to the left stays on its own side.
    """
    loops, sizes = [], []
    while leaving:
        start = next(iter(leaving))
        node, loop, came, area = start, [], None, 0.0
        while True:
            options = leaving[node]
            if came is None or len(options) == 1:
                pick = 0
            else:
                pick = int(np.argmax([_turn(chains, node, came, o) for o in options]))
            k, forward = options.pop(pick)
            if not options:
                del leaving[node]
            loop.append((k, forward))
            a, b = chains.segments[k] if forward else chains.segments[k][::-1]
            p, q = chains.points[a], chains.points[b]
            area += float(p[0] * q[1] - q[0] * p[1]) / 2
            came, node = int(a), int(b)
            if node == start:
                break
        loops.append(loop)
        sizes.append(area)
    outer = int(np.argmax(sizes))
    return [loops[outer], *loops[:outer], *loops[outer + 1 :]]


def _turn(chains: Chains, node: int, came: int, option: tuple[int, bool]) -> float:
    """Angle from the way in to an outgoing segment, positive to the left."""
    k, forward = option
    to = int(chains.segments[k][1 if forward else 0])
    way = chains.points[node] - chains.points[came]
    out = chains.points[to] - chains.points[node]
    return float(np.arctan2(way[0] * out[1] - way[1] * out[0], way @ out))
