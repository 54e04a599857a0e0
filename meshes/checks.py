"""One line of the gate, and words for a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.elements import Floats, Ints

Mask = NDArray[np.bool_]
# Limit of a line that never refuses a mesh.
REPORTED = "reported"
# Cells at a time: what is measured cell by cell needs no memory of the size of the mesh.
CHUNK = 200_000


@dataclass(frozen=True)
class Check:
    """One line of the gate.

    Attributes:
        name: What was measured.
        value: The number.
        limit: What is allowed, in words; ``reported`` for a number that never refuses.
        ok: Whether it is.
        place: Where it is not, coordinates in um.
    """

    name: str
    value: float
    limit: str
    ok: bool
    place: str = ""


def at(nodes: Floats) -> str:
    """The centre of some nodes as text."""
    centre = np.atleast_2d(nodes).mean(axis=0)
    return "(" + ", ".join(f"{value:.6g}" for value in centre) + ") um"


def none_of(name: str, bad: Mask, points: Floats, rows: Ints) -> Check:
    """A check that no row is bad, with the place of the first that is.

    Args:
        name: What was measured.
        bad: Shape (n,).
        points: Coordinates.
        rows: Node numbers of each row, shape (n, k).
    """
    n = int(bad.sum())
    return Check(name, n, "0", n == 0, at(points[rows[int(np.argmax(bad))]]) if n else "")


def report(name: str, value: float, place: str = "") -> Check:
    """A line that never refuses."""
    return Check(name, value, REPORTED, True, place)


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover n rows."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def listed(names: Iterable[str], most: int = 4) -> str:
    """Some names as text."""
    all_names = list(names)
    more = f" and {len(all_names) - most} more" if len(all_names) > most else ""
    return ", ".join(all_names[:most]) + more
