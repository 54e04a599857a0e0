"""Polygonal cells with shared vertices and faces, as a structure that can be changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import numpy as np
from ssbmech.meshes.elements import Floats, Ints

Loop = tuple[int, ...]


def as_lists(rows: Ints) -> list[list[int]]:
    """Rows of whole numbers as lists, for loops that are not NumPy's."""
    return cast(list[list[int]], rows.tolist())


@dataclass
class Complex:
    """Polygonal cells that share vertices and faces, open to changes.

    Attributes:
        points: Vertices, shape (n, dim).
        loops: Vertices of each face (2-D: its two ends); empty once the face is gone. In 3-D the
            normal points out of the face's first cell, in 2-D that cell is on the left.
        cells: The two cells of each face, -1 - s for side s of the box.
        grain: Grain of each cell; a cell may go if its grain has others.
        sides: Sides of the box that each vertex is on.
        partners: Image of each vertex on the opposite side, by side; empty unless periodic.
    """

    points: Floats
    loops: list[Loop]
    cells: list[tuple[int, int]]
    grain: Ints
    sides: list[frozenset[int]]
    partners: list[dict[int, int]]
    faces_at: list[set[int]] = field(init=False)
    faces_of: list[set[int]] = field(init=False)
    fans: dict[int, Ints | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.faces_at = [set() for _ in self.points]
        self.faces_of = [set() for _ in self.grain]
        for face, (loop, pair) in enumerate(zip(self.loops, self.cells, strict=True)):
            for v in loop:
                self.faces_at[v].add(face)
            for cell in pair:
                if cell >= 0:
                    self.faces_of[cell].add(face)
        self.pieces = Counter(int(g) for g in self.grain)

    @property
    def dim(self) -> int:
        """2 or 3."""
        return self.points.shape[1]

    def edges(self, vertices: list[int]) -> set[tuple[int, int]]:
        """Edges at some vertices as sorted pairs."""
        found = set()
        for v in vertices:
            for face in self.faces_at[v]:
                loop = self.loops[face]
                for a, b in pairwise((*loop, loop[0])):
                    if v in (a, b):
                        found.add((min(a, b), max(a, b)))
        return found

    def length(self, a: int, b: int) -> float:
        """Distance of two vertices."""
        return float(np.linalg.norm(self.points[a] - self.points[b]))

    def fan(self, face: int) -> Ints | None:
        """Best fan of triangles of a 3-D face, or None if each has one inside out."""
        if face not in self.fans:
            self.fans[face] = best_fan(self.points, self.loops[face])
        return self.fans[face]


def best_fan(points: Floats, loop: Loop) -> Ints | None:
    """Triangles from one vertex of a polygon to its other edges; the worst is best shaped.

    Args:
        points: Shape (n, 3).
        loop: Vertices of the polygon.

    Returns:
        Shape (len(loop) - 2, 3), or None if every fan has a triangle against the polygon's normal.
    """
    n = len(loop)
    index = (np.arange(n)[:, None] + np.arange(n)[None]) % n  # rotations of the loop
    x = points[np.array(loop)] - points[loop[0]]
    normal = np.cross(x, np.roll(x, -1, axis=0)).sum(axis=0)
    size = float(np.linalg.norm(normal))
    if size == 0.0:
        return None
    corners = np.stack([np.repeat(index[:, :1], n - 2, axis=1), index[:, 1:-1], index[:, 2:]], -1)
    p = x[corners]
    up = np.cross(p[..., 1, :] - p[..., 0, :], p[..., 2, :] - p[..., 0, :]) @ (normal / size)
    longest = ((p - np.roll(p, 1, axis=-2)) ** 2).sum(axis=-1).max(axis=-1)
    shape = (up / np.maximum(longest, 1e-300)).min(axis=1)
    best = int(np.argmax(shape))
    if shape[best] <= 0.0:
        return None
    return np.asarray(np.array(loop)[corners[best]], dtype=np.int64)


def planar_faces(cells: Complex, tolerance: float) -> list[tuple[Loop, tuple[int, int]]]:
    """Faces that are left, the non-planar ones as triangles.

    Args:
        cells: A 3-D complex.
        tolerance: Largest distance of a vertex from the plane of its face [um].
    """
    result = []
    for face, loop in enumerate(cells.loops):
        if not loop:
            continue
        fan = cells.fan(face)
        if len(loop) > 3 and fan is not None and _warp(cells.points[list(loop)]) > tolerance:
            result += [(tuple(int(v) for v in row), cells.cells[face]) for row in fan]
        else:
            result.append((loop, cells.cells[face]))
    return result


def _warp(x: Floats) -> float:
    """Largest distance of the vertices of a polygon from its mean plane."""
    x = x - x.mean(axis=0)
    normal = np.cross(x, np.roll(x, -1, axis=0)).sum(axis=0)
    return float(np.abs(x @ normal).max() / np.linalg.norm(normal))
