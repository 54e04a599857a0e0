"""Orientation maps (EBSD) to grains with orientations, and to a mesh."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.ebsd_file import Scan, read_scan, unknown_phases
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.image import mesh_image
from ssbmech.meshes.labels import LabelImage, remove_specks
from ssbmech.meshes.parameters import (
    Angle,
    Count,
    File,
    Labels,
    Length,
    Number,
    choice,
    count,
    number,
)

Symmetry = Literal["cubic", "tetragonal", "hexagonal", "orthorhombic", "triclinic"]
_GROUPS = {
    "cubic": "O",
    "tetragonal": "D4",
    "hexagonal": "D6",
    "orthorhombic": "D2",
    "triclinic": "C1",
}


def ebsd(
    file: File,
    *,
    threshold: Angle = 5.0,
    smallest: Count = 5,
    unit: Length = 1.0,
    phases: Labels | None = None,
    symmetry: Symmetry | None = None,
    frame: Literal["vendor", "map"] = "vendor",
    smooth: Count = 20,
    h: Length | None = None,
    growth: Number = 0.3,
    h_max: Length | None = None,
    order: Count = 2,
) -> MeshData:
    """Grains of an orientation map with their mean orientations, as a 2-D mesh.

    Neighbouring points belong to one grain if their misorientation is below the threshold.
    Points that were not indexed go to the nearest grain. The map's y points down; the mesh has x
    to the right, y up (0 at the bottom of the map) and z out of it.

    Angles are Bunge's (phi1, Phi, phi2): the rotation Z phi1, X Phi, Z phi2 about the turned axes
    takes the sample axes to the crystal axes, so the same matrix takes components along the
    crystal axes to components along the sample axes. The quaternions hold that rotation.

    Args:
        file: A .ctf (HKL, Oxford; degrees) or .ang (TSL, EDAX; radians) file.
        threshold: Least misorientation of two grains.
        smallest: Grains of fewer points are given to their largest neighbour.
        unit: Length of one unit of the file's coordinates, normally 1 [um].
        phases: Group of each phase number, ``{1: "electrolyte"}``; a map with one phase is
            ``electrolyte`` by default.
        symmetry: Of the crystals of every phase; that of the file by default.
        frame: Axes that the angles refer to. ``"vendor"``: as the programs draw the map, for .ctf
            x right and y up, for .ang x down and y right, z out of the map in both; ``"map"``:
            the columns x and y of the file (x right, y down, z into the map).
        smooth: Passes of smoothing of the boundaries; 0 keeps their steps.
        h: Size of elements at the boundaries, 2 steps by default [um].
        growth: Growth of the size per distance from the boundaries.
        h_max: Largest size, an eighth of the smallest extent by default [um].
        order: Order of the cells, 1 or 2 (straight).

    Returns:
        Cells by phase with ``grains`` and ``orientations``; facets ``grain_boundaries``, ``a_b``
        between two groups, ``left``, ``right``, ``bottom``, ``top``; ``triple_lines``.

    Raises:
        MeshError: For a broken file, unnamed phases, or parameters out of range.
    """
    limit = number("threshold", threshold, below=90, unit="degrees")
    least = count("smallest", smallest, at_least=1)
    choice("frame", frame, ("vendor", "map"))
    choice("symmetry", symmetry, (*_GROUPS, None))
    scan = read_scan(file)
    names = _phase_names(scan, phases, file)
    groups = _rotation_groups(scan, symmetry, file)
    crystal = _rotations(scan, frame)
    first = find_grains(scan.phase, crystal, groups, limit)
    filled = _fill(first)
    final = remove_specks(filled, least)
    ids, grains = np.unique(final, return_inverse=True)
    owner = np.where(first == final, final, -1)  # points that always belonged to their grain
    phase_of = [int(scan.phase[owner == g][0]) for g in ids]
    means = [
        mean_orientation(crystal[owner == g], groups[p]) for g, p in zip(ids, phase_of, strict=True)
    ]
    notes: dict[str, float | str] = {"not_indexed_fraction": float((scan.phase == 0).mean())}
    if scan.resampled:
        notes["resampled"] = "the grid of the map was not square"
    step = number("unit", unit) * scan.step
    made = LabelImage(
        grains.reshape(final.shape), step, tuple(names[p] for p in phase_of),
        tuple(range(1, len(ids) + 1)), (-step * final.shape[0] / 2, 0.0), np.array(means), notes,
    )  # fmt: skip
    return mesh_image(made, smooth=smooth, h=h, growth=growth, h_max=h_max, order=order)


def _phase_names(scan: Scan, phases: dict[int, str] | None, file: str) -> dict[int, str]:
    """Group of each phase that occurs."""
    strange = unknown_phases(scan)
    if strange:
        raise MeshError(
            "the map has phases that its header does not describe", key=file, value=strange,
            allowed=str(scan.names),
        )  # fmt: skip
    found = [int(p) for p in np.unique(scan.phase) if p]
    if not found:
        raise MeshError("no point of the map is indexed", key=file)
    if phases is None and len(found) == 1:
        return {found[0]: "electrolyte"}
    given = phases or {}
    missing = [p for p in found if p not in given]
    if missing:
        raise MeshError(
            "every phase of the map needs a group", key="phases",
            value=given, allowed=", ".join(f"{p}: {scan.names[p]}" for p in found),
            hint="For example phases = { 1 = 'electrolyte', 2 = 'lithium' }",
        )  # fmt: skip
    return {p: str(given[p]) for p in found}


def _rotation_groups(scan: Scan, symmetry: str | None, file: str) -> dict[int, str]:
    if symmetry is not None:
        return dict.fromkeys(scan.names, _GROUPS[symmetry])
    for phase, group in scan.symmetry.items():
        if not group and (scan.phase == phase).any():
            raise MeshError(
                f"the symmetry of phase {phase} is not known", key=file, hint="Give symmetry"
            )
    return scan.symmetry


def _rotations(scan: Scan, frame: str) -> Floats:
    """Quaternions (x, y, z, w) from crystal to sample axes (x right, y up, z out)."""
    from scipy.spatial.transform import Rotation

    crystal = Rotation.from_euler("ZXZ", scan.euler.reshape(-1, 3))
    if frame == "map":
        turn = Rotation.from_euler("x", 180, degrees=True)
    else:
        turn = Rotation.from_euler("z", -90 if scan.kind == "ang" else 0, degrees=True)
    return np.asarray((turn * crystal).as_quat().reshape(*scan.phase.shape, 4))


def find_grains(phase: Ints, crystal: Floats, groups: dict[int, str], threshold: float) -> Ints:
    """Grain of each point from 0; -1 where it is not indexed.

    Args:
        phase: 0 where not indexed, shape (nx, ny).
        crystal: Quaternions, shape (nx, ny, 4).
        groups: Rotation group of each phase.
        threshold: Least misorientation of two grains [degrees].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    numbers = np.arange(phase.size).reshape(phase.shape)
    links: list[Ints] = []
    for axis in (0, 1):
        a, b = (np.take(numbers, range(s, phase.shape[axis] - 1 + s), axis) for s in (0, 1))
        links.append(np.column_stack([a.ravel(), b.ravel()]))
    pairs = np.concatenate(links)
    flat, q = phase.ravel(), crystal.reshape(-1, 4)
    pairs = pairs[(flat[pairs[:, 0]] == flat[pairs[:, 1]]) & (flat[pairs[:, 0]] > 0)]
    same = np.zeros(len(pairs), dtype=bool)
    for number_of, group in groups.items():
        rows = flat[pairs[:, 0]] == number_of
        angle = misorientation(q[pairs[rows, 0]], q[pairs[rows, 1]], group)
        same[rows] = angle < threshold
    pairs = pairs[same]
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(phase.size, phase.size))
    label = connected_components(graph, directed=False)[1].reshape(phase.shape)
    return np.where(phase > 0, label, -1).astype(np.int64)


def misorientation(a: Floats, b: Floats, group: str) -> Floats:
    """Least angle between equivalent orientations [degrees].

    Args:
        a: Quaternions from crystal to sample axes, shape (n, 4).
        b: As many.
        group: Rotation group of the crystal, as scipy names it ("O" for cubic).
    """
    from scipy.spatial.transform import Rotation

    between = (Rotation.from_quat(a).inv() * Rotation.from_quat(b)).as_quat()
    symmetric = Rotation.create_group(group).as_quat()
    symmetric[:, 3] *= -1  # |w| of a product is a plain scalar product with this sign
    cosine = np.abs(between @ symmetric.T).max(axis=1)
    return np.degrees(2 * np.arccos(np.clip(cosine, 0, 1)))


def mean_orientation(crystal: Floats, group: str) -> Floats:
    """Mean of orientations after each took its equivalent nearest to the first, shape (4,)."""
    from scipy.spatial.transform import Rotation

    symmetric = Rotation.create_group(group)
    reference = crystal[0]
    equivalents = np.stack([(Rotation.from_quat(crystal) * s).as_quat() for s in symmetric], axis=1)
    for _ in range(2):  # the first point may lie at the edge of the spread
        best = np.abs(equivalents @ reference).argmax(axis=1)
        near = equivalents[np.arange(len(crystal)), best]
        reference = Rotation.from_quat(near).mean().as_quat()
    return np.asarray(reference * np.sign(reference[3] or 1.0))


def _fill(grains: Ints) -> Ints:
    """Points of no grain take that of the nearest point that has one."""
    from scipy.ndimage import distance_transform_edt

    nearest: Any = distance_transform_edt(grains < 0, return_distances=False, return_indices=True)
    return np.asarray(grains[tuple(nearest)])
