"""Cuts the cells of a mesh into parts of equal size with short common borders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.watertight import Topology


def bisect(points: Floats, parts: int) -> NDArray[np.int32]:
    """Parts of equal size by repeated cuts across the direction of greatest extent.

    Recursive inertial bisection: each cut is a plane normal to the principal axis of what it
    cuts, so it is short; 3 parts are cut 1 : 2, and so on. The same points give the same parts.

    Args:
        points: Centres of cells, shape (n, 3).
        parts: Number of parts.

    Returns:
        Part of every cell, shape (n,); sizes differ by one or two.
    """
    found = np.zeros(len(points), dtype=np.int32)
    work = [(np.arange(len(points)), 0, parts)]
    while work:
        rows, first, n = work.pop()
        found[rows] = first
        if n == 1:
            continue
        x = points[rows] - points[rows].mean(axis=0)
        axis = np.linalg.eigh(x.T @ x)[1][:, -1]
        axis *= np.sign(axis[np.argmax(np.abs(axis))])
        left = n // 2
        # at least one cell for every part
        cut = min(max(round(len(rows) * left / n), left), len(rows) - (n - left))
        order = np.argsort(x @ axis, kind="stable")
        work.append((np.sort(rows[order[:cut]]), first, left))
        work.append((np.sort(rows[order[cut:]]), first + left, n - left))
    return found


def centres(data: MeshData) -> Floats:
    """Centre of the vertices of every cell [um], shape (n_cells, 3)."""
    total = data.points[data.cells[:, 0]]
    for k in range(1, data.dim + 1):
        total = total + data.points[data.cells[:, k]]
    return np.asarray(total / (data.dim + 1))


def ghost_parts(top: Topology, part: NDArray[np.int32]) -> tuple[NDArray[np.int32], Ints]:
    """Parts that hold each cell: its own, and those that have a neighbour across a facet.

    Args:
        top: Of the mesh.
        part: Part of every cell, shape (n_cells,).

    Returns:
        Parts, for one cell after the other, its own first; and where each cell's begin, shape
        (n_cells + 1,).
    """
    n, parts = len(part), int(part.max()) + 1
    cells = top.cell(top.inner)
    cells = cells[part[cells[:, 0]] != part[cells[:, 1]]]
    both = np.concatenate([cells, cells[:, ::-1]])
    wanted = np.unique(both[:, 0] * parts + part[both[:, 1]])
    length = 1 + np.bincount(wanted // parts, minlength=n)
    starts = np.append(0, np.cumsum(length))
    found = np.empty(starts[-1], dtype=np.int32)
    found[starts[:-1]] = part
    others = np.ones(len(found), dtype=bool)
    others[starts[:-1]] = False
    found[others] = wanted % parts
    return found, starts
