"""Where a front starts and where it is: distances from lithium, contours c = 1/2 (NumPy).

Plane and axisymmetric meshes. Lengths in the unit of the coordinates given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
_CHUNK = 2_000_000


def distance_to(points: Floats, segments: Floats) -> Floats:
    """Smallest distance of points from straight segments.

    Args:
        points: (n, 2).
        segments: Ends, (m, 2, 2).

    Returns:
        (n,).
    """
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    square = np.maximum((along**2).sum(axis=1), 1e-300)
    out = np.empty(len(points))
    rows = max(1, _CHUNK // max(len(segments), 1))
    for k in range(0, len(points), rows):
        gap = points[k : k + rows, None] - start
        t = np.clip((gap * along).sum(axis=2) / square, 0.0, 1.0)
        gap -= t[..., None] * along
        out[k : k + rows] = np.sqrt((gap**2).sum(axis=2).min(axis=1))
    return out


@dataclass(frozen=True)
class Contour:
    """The front as straight pieces.

    Attributes:
        places: Ends of the pieces, (m, 2, 2).
        values: Fields there by name, (m, 2).
    """

    places: Floats
    values: dict[str, Floats]

    @property
    def lengths(self) -> Floats:
        """(m,)."""
        return np.linalg.norm(self.places[:, 1] - self.places[:, 0], axis=1)

    def mean(self, name: str) -> float:
        """Of a field along the front; NaN without a front."""
        size = self.lengths
        return (
            float((self.values[name].mean(axis=1) * size).sum() / size.sum())
            if len(size)
            else (np.nan)
        )

    def deviation(self, name: str) -> float:
        """Root of the mean square deviation of a field along the front."""
        if not len(self.places):
            return np.nan
        size, (a, b) = self.lengths, (self.values[name] - self.mean(name)).T
        return float(np.sqrt((size * (a * a + a * b + b * b) / 3).sum() / size.sum()))


def contour(points: Floats, cells: NDArray[Any], c: Floats, values: dict[str, Floats]) -> Contour:
    """Pieces of c = 1/2 in triangles.

    Args:
        points: Vertices, (n, 2).
        cells: Their numbers, (k, 3).
        c: Share of the layer at vertices, (n,).
        values: Fields at vertices by name, (n,) each.
    """
    inside = c[cells] >= 0.5
    cut = np.flatnonzero(inside.any(axis=1) & ~inside.all(axis=1))
    corners, mine = cells[cut], inside[cut]
    # the corner that is alone on its side; the piece joins the two edges that meet in it
    lone = np.where(mine.sum(axis=1) == 1, np.argmax(mine, axis=1), np.argmin(mine, axis=1))
    rows = np.arange(len(cut))
    apex = corners[rows, lone]
    ends = np.stack([corners[rows, (lone + 1) % 3], corners[rows, (lone + 2) % 3]], axis=1)
    # where the profile is 1/2: the logarithm of c/(1 - c) goes straight through the front
    level = np.log(np.clip(c, 1e-12, 1.0) / np.clip(1.0 - c, 1e-12, 1.0))
    a, b = level[apex][:, None], level[ends]
    t = np.clip(a / np.where(a == b, 1.0, a - b), 0.0, 1.0)

    def between(f: Floats) -> Floats:
        u, v = f[apex], f[ends]
        weight = t.reshape(t.shape + (1,) * (v.ndim - 2))
        return u[:, None] + weight * (v - u[:, None])

    return Contour(between(points), {name: between(f) for name, f in values.items()})


def gathered(found: Contour, comm: Any) -> Contour:
    """The pieces of all ranks on every rank, in an order that no number of ranks changes."""
    places = np.concatenate(comm.allgather(found.places))
    values = {name: np.concatenate(comm.allgather(f)) for name, f in found.values.items()}
    middle = places.mean(axis=1).reshape(-1, 2)
    order = np.lexsort((np.round(middle[:, 1], 12), np.round(middle[:, 0], 12)))
    return Contour(places[order], {name: f[order] for name, f in values.items()})


def chained(found: Contour) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pieces joined end to end, without those of no length (of a front through a vertex).

    Returns:
        For each point of the lines: the piece it is an end of, which end, and the line's number.
    """
    m = len(found.places)
    if not m:
        none = np.empty(0, np.int64)
        return none, none, none
    size = np.ptp(found.places.reshape(-1, 2), axis=0).max() or 1.0
    keys = np.round(found.places.reshape(-1, 2) / size, 9)
    _, node = np.unique(keys, axis=0, return_inverse=True)
    node = node.reshape(m, 2)
    at: dict[int, list[tuple[int, int]]] = {}
    free = node[:, 0] != node[:, 1]
    for piece in map(int, np.flatnonzero(free)):
        for end in (0, 1):
            at.setdefault(int(node[piece, end]), []).append((piece, end))
    out: list[tuple[int, int, int]] = []
    open_ends = [e[0] for e in at.values() if len(e) == 1]
    line = 0
    for piece, end in [*open_ends, *((p, 0) for p in range(m))]:
        if not free[piece]:
            continue
        out.append((piece, end, line))
        while True:
            free[piece] = False
            out.append((piece, 1 - end, line))
            following = [(p, e) for p, e in at[int(node[piece, 1 - end])] if free[p]]
            if not following:
                break
            piece, end = following[0]
        line += 1
    pieces, ends, lines = np.array(out, np.int64).reshape(-1, 3).T
    return pieces, ends, lines
