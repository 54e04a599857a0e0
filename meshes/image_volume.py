"""3-D label image to tetrahedra: smoothed faces between its parts, volumes by Gmsh."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.image_cross import crossing, poor
from ssbmech.meshes.image_groups import collect_regions, name_facets, place
from ssbmech.meshes.image_size import use_sizes, write_sizes
from ssbmech.meshes.image_smooth import Boundary, relax, restore_within
from ssbmech.meshes.labels import VOID, LabelImage, components
from ssbmech.meshes.session import session
from ssbmech.meshes.surface_nets import faces

# Gmsh's HXT fills seven times as fast as its Delaunay algorithm, with better cells.
_FAST, _SURE = 10, 1
# Rounds of pulling back points of triangles that cross.
_ROUNDS = 12


def mesh_volume(
    image: LabelImage, contacts: Ints, passes: int, growth: float, h_max: float
) -> MeshData:
    """Mesh a 3-D label image.

    The faces between parts are those of the voxels, smoothed together: points on a side of the
    box slide in it, points on lines where three parts meet are smoothed along these. Gmsh keeps
    the triangles and fills the volumes. Where it cannot, the smoothing is weakened.

    Args:
        image: The image.
        contacts: Voxels that touch through an edge or a corner, shape (n, 2, 3): points there stay.
        passes: Strength of the smoothing.
        growth: Growth of the size per distance from the faces.
        h_max: Largest size [um].

    Returns:
        First-order mesh with groups and notes.

    Raises:
        MeshError: If Gmsh cannot fill the volumes even without smoothing.
    """
    parts, n_parts = components(image.values)
    region = np.zeros(n_parts, dtype=np.int64)
    region[parts.ravel()] = image.values.ravel()
    corners, quads = faces(np.pad(parts + 1, 1))
    quads, sides = _directed(corners, quads, np.pad(parts, 1, constant_values=-1))
    solid = np.array([image.groups[r] != VOID for r in region])
    needed = ((sides >= 0) & solid[np.maximum(sides, 0)]).any(axis=1)
    keep = np.concatenate([needed, needed])
    for strength in dict.fromkeys((passes, passes // 2, passes // 6, 0)):
        points, triangles, pairs = _smoothed(
            corners, quads, sides, contacts, parts.shape, n_parts, strength
        )
        for algorithm in (_FAST, _SURE):
            try:
                data = _fill(
                    image, region, points, triangles[keep], pairs[keep], growth, h_max, algorithm
                )
            except MeshError:
                if strength == 0 and algorithm == _SURE:
                    raise
                continue
            if strength != passes:
                data.notes["smooth_used"] = float(strength)
            return data
    raise AssertionError("the last round returns or raises")


def _directed(corners: Ints, quads: Ints, padded: Ints) -> tuple[Ints, Ints]:
    """Quadrilaterals with their normal from the first to the second of their parts.

    Args:
        corners: Shape (n, 3).
        quads: Shape (m, 4).
        padded: Parts with a layer of -1 around them.

    Returns:
        Quadrilaterals, and the parts on either side (``-1 - s`` outside of side s of the box).
    """
    p = corners[quads]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 1])
    # lattice points: twice the centre is a whole number, the normal a unit vector of an axis
    twice = p[:, 0] + p[:, 2]
    behind, ahead = ((twice + s * normal) // 2 + 1 for s in (-1, 1))
    sides = np.stack([padded[tuple(c.T)] for c in (behind, ahead)], axis=1)
    outward = np.abs(normal).argmax(axis=1) * 2
    size = np.array(padded.shape) - 2
    high = p[:, 0, :][np.arange(len(p)), outward // 2] == size[outward // 2]
    outside = -1 - (outward + high)
    sides = np.where(sides < 0, outside[:, None], sides)
    turn = sides[:, 0] < sides[:, 1]  # the outside comes second
    quads = np.where(turn[:, None], quads[:, ::-1], quads)
    return quads, np.where(turn[:, None], sides[:, ::-1], sides)


def _smoothed(
    corners: Ints,
    quads: Ints,
    sides: Ints,
    contacts: Ints,
    shape: tuple[int, ...],
    n_parts: int,
    passes: int,
) -> tuple[Floats, Ints, Ints]:
    """Smoothed points, triangles (the first halves of all quadrilaterals, then the second)."""
    fixed = (corners == 0) | (corners == np.array(shape))
    fixed |= _held(corners, contacts)[:, None]
    net = Boundary(
        corners.astype(float), quads, sides, _links(corners, quads, sides), fixed, n_parts
    )
    x = relax(net, passes)
    p = x[quads]
    other = np.linalg.norm(p[:, 0] - p[:, 2], axis=1) > np.linalg.norm(p[:, 1] - p[:, 3], axis=1)
    rolled = np.where(other[:, None], np.roll(quads, -1, axis=1), quads)  # the shorter diagonal
    triangles = np.concatenate([rolled[:, [0, 1, 2]], rolled[:, [0, 2, 3]]])
    pairs = np.concatenate([sides, sides])
    net = replace(net, facets=triangles, sides=pairs)
    return (_untangled(net, x) if passes else net.points), triangles, pairs


def _untangled(net: Boundary, relaxed: Floats) -> Floats:
    """Smoothed points; those of crossing and thin triangles go back to their corners in steps."""
    x, often = relaxed, np.zeros(len(relaxed), dtype=np.int64)
    for _ in range(_ROUNDS):
        held = often > 0
        made = restore_within(replace(net, fixed=net.fixed | held[:, None]), x)
        bad = np.unique(net.facets[np.union1d(crossing(made, net.facets), poor(made, net.facets))])
        if not len(bad):
            return made
        often[bad] += 1
        share = np.where(often[bad] < 4, 0.5, 0.0)[:, None]
        x = made.copy()
        x[bad] = net.points[bad] + share * (made[bad] - net.points[bad])
    return made


def _held(corners: Ints, contacts: Ints) -> Any:
    """Whether a corner lies on a contact of two voxels through an edge or a corner."""
    at = [np.zeros((0, 3), dtype=np.int64)]
    low, high = contacts.min(axis=1, initial=2**31), contacts.max(axis=1, initial=0)
    for shift in product((0, 1), repeat=3):
        # along an axis in which the voxels differ they share one corner, otherwise two
        at.append(high + np.where(high > low, 0, shift))
    weight = np.array([1, 2**20, 2**40])
    return np.isin(corners @ weight, np.concatenate(at) @ weight)


def _links(corners: Ints, quads: Ints, sides: Ints) -> Ints:
    """Who pulls at whom: lines where three parts meet are smoothed along themselves only."""
    n = len(corners)
    edges = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    key, inverse = np.unique(edges @ np.array([n, 1]), return_inverse=True)
    pairs = np.stack([key // n, key % n], axis=1)
    around = np.repeat(sides, 4, axis=0)
    meets = np.unique(
        np.concatenate([np.stack([inverse, around[:, c]], axis=1) for c in (0, 1)]), axis=0
    )
    line = np.bincount(meets[:, 0], minlength=len(key)) >= 3
    on_line = np.zeros(n, dtype=bool)
    on_line[pairs[line]] = True
    both = np.concatenate([pairs, pairs[:, ::-1]])
    keep = np.concatenate([line, line]) | ~on_line[both[:, 0]]
    return both[keep]


def _fill(
    image: LabelImage,
    region: Ints,
    points: Floats,
    triangles: Ints,
    sides: Ints,
    growth: float,
    h_max: float,
    algorithm: int,
) -> MeshData:
    """Tetrahedra between the triangles."""
    used, index = np.unique(triangles, return_inverse=True)
    triangles = index.reshape(-1, 3)
    xyz = place(image, points[used])
    with (
        tempfile.TemporaryDirectory() as folder,
        session(
            "image", doing="fill the volumes of this image", Mesh_Algorithm3D=algorithm
        ) as gmsh,
    ):
        surfaces, names = _surfaces(gmsh, image, region, xyz, triangles, sides)
        volumes: dict[int, int] = {}
        for part in map(int, np.unique(sides[sides >= 0])):
            if image.groups[region[part]] == VOID:
                continue
            around = [tag for pair, tag in surfaces.items() if part in pair]
            loop = gmsh.model.geo.addSurfaceLoop(around)
            volumes[part] = gmsh.model.geo.addVolume([loop])
        gmsh.model.geo.synchronize()
        file = Path(folder) / "sizes"
        write_sizes(
            file, image.values.shape, image.voxel, image.low, points[used],
            np.full(len(used), image.voxel), growth, h_max,
        )  # fmt: skip
        use_sizes(gmsh, file, h_max)
        return collect_regions(
            gmsh, 3, volumes, names, image, region, lambda: gmsh.model.mesh.generate(3)
        )


def _surfaces(
    gmsh: Any, image: LabelImage, region: Ints, xyz: Floats, triangles: Ints, sides: Ints
) -> tuple[dict[tuple[int, int], int], dict[str, list[int]]]:
    """A discrete surface of each pair of parts, and those of each facet group."""
    pairs, which = np.unique(sides, axis=0, return_inverse=True)
    which = which.reshape(-1)
    tags = [gmsh.model.addDiscreteEntity(2) for _ in pairs]
    mesh = gmsh.model.mesh
    mesh.addNodes(2, tags[0], np.arange(1, len(xyz) + 1), xyz.ravel())
    for k, tag in enumerate(tags):
        mesh.addElementsByType(tag, 2, [], (triangles[which == k] + 1).ravel())
    mesh.reclassifyNodes()
    groups: dict[str, list[int]] = {}
    for tag, name in zip(tags, name_facets(image, region, pairs), strict=True):
        if name is not None:
            groups.setdefault(name, []).append(tag)
    return {(int(a), int(b)): t for (a, b), t in zip(pairs, tags, strict=True)}, groups
