"""Sizes of elements that grow with the distance from the boundaries in an image."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.meshes.elements import Floats

# Nodes of the grid on which sizes are stored, along one axis and in all.
_MOST, _MOST_IN_ALL = 600, 4_000_000


def write_sizes(
    path: Path,
    shape: tuple[int, ...],
    voxel: float,
    low: tuple[float, ...],
    points: Floats,
    sizes: Floats,
    growth: float,
    h_max: float,
) -> None:
    """Store ``min(size of the nearest point + growth * its distance, h_max)`` on a grid.

    Args:
        path: File for Gmsh's field ``Structured``.
        shape: Voxels of the image along each axis.
        voxel: Edge of a voxel [um].
        low: Corner of the image [um].
        points: Points of known size, in units of a voxel, shape (n, dim).
        sizes: Their sizes [um].
        growth: Increase of the size per distance.
        h_max: Largest size [um].
    """
    from scipy.ndimage import distance_transform_edt

    d = len(shape)
    most = min(_MOST, int(_MOST_IN_ALL ** (1 / d)))
    step = max(1, -(-max(shape) // most))
    grid = tuple(-(-n // step) + 1 for n in shape)
    size = np.full(grid, np.inf)
    index = np.clip(np.rint(points / step).astype(int), 0, np.array(grid) - 1)
    np.minimum.at(size, tuple(index.T), sizes)
    known = np.isfinite(size)
    if known.any():
        away, nearest = distance_transform_edt(~known, return_indices=True)
        size = np.minimum(size[tuple(nearest)] + growth * away * step * voxel, h_max)
    else:
        size = np.full(grid, h_max)
    if d == 2:
        size, grid, low = np.stack([size, size], axis=2), (*grid, 2), (*low, -voxel / 2)
    spacing = (step * voxel, step * voxel, step * voxel)
    with path.open("wb") as stream:
        stream.write(struct.pack("=3d3d3i", *low, *spacing, *grid))
        stream.write(np.ascontiguousarray(size, dtype="=f8").tobytes())


def use_sizes(gmsh: Any, path: Path, h_max: float) -> None:
    """Make a stored grid the size field of the current model."""
    field = gmsh.model.mesh.field
    tag = field.add("Structured")
    field.setString(tag, "FileName", str(path))
    field.setNumber(tag, "TextFormat", 0)
    field.setNumber(tag, "SetOutsideValue", 1)
    field.setNumber(tag, "OutsideValue", h_max)
    field.setAsBackgroundMesh(tag)
