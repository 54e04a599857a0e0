"""Smooths the stepped boundaries of voxels, keeps every part's area or volume and the box plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.elements import Floats, Ints

# Taubin's two factors, lambda and mu with 1/lambda + 1/mu = 0.1 (G. Taubin, "A signal processing
# approach to fair surface design", SIGGRAPH 1995): wavelengths above some 14 edges pass unchanged.
_SHRINK, _GROW = 0.5, -1 / 1.9
# A node stays in the unit cell around its corner of the voxels. Two pixel edges that share no node
# then cannot cross, because the cells that they span have nothing in common.
_REACH = 0.45
_LIMIT = 0.499


@dataclass(frozen=True)
class Boundary:
    """Boundaries between the parts of an image, in units of a voxel.

    Attributes:
        points: Corners of voxels, shape (n, dim).
        facets: Edges (n, 2) in 2-D with part ``sides[:, 0]`` on their left, triangles (n, 3) in
            3-D with their normal from ``sides[:, 0]`` to ``sides[:, 1]``.
        sides: Parts on either side, shape (n, 2); ``-1 - s`` is outside of side s of the box
            (0: x low, 1: x high, 2: y low, 3: y high, 4: z low, 5: z high).
        links: Directed pairs (node, neighbour that pulls at it), shape (m, 2).
        fixed: Coordinates that must not change, shape (n, dim).
        n_parts: Number of parts.
    """

    points: Floats
    facets: Ints
    sides: Ints
    links: Ints
    fixed: NDArray[np.bool_]
    n_parts: int


def relax(net: Boundary, passes: int) -> Floats:
    """Points after passes of Taubin's two steps, each within reach of its corner.

    Args:
        net: The boundary with its points at corners of voxels; its facets are not used.
        passes: Number of pairs of steps; 0 leaves the steps of the voxels.

    Returns:
        Points, shape (n, dim).
    """
    from scipy.sparse import csr_matrix, diags

    start, n = net.points, len(net.points)
    ones = np.ones(len(net.links))
    adjacency = csr_matrix((ones, (net.links[:, 0], net.links[:, 1])), shape=(n, n))
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    mean = diags(1.0 / np.maximum(degree, 1.0)) @ adjacency
    move = ~net.fixed & (degree > 0)[:, None]
    x = start.copy()
    for _ in range(passes):
        for factor in (_SHRINK, _GROW):
            x = x + np.where(move, factor * (mean @ x - x), 0.0)
        x = np.clip(x, start - _REACH, start + _REACH)
    return x


def restore_within(net: Boundary, relaxed: Floats) -> Floats:
    """Points moved so that each part keeps its measure, as far as their reach allows.

    Args:
        net: The boundary with its points at corners of voxels.
        relaxed: What `relax` gave.

    Returns:
        Points, shape (n, dim).
    """
    start, x = net.points, relaxed
    wanted = measures(start, net.facets, net.sides, net.n_parts)
    for _ in range(5):
        x = restore(x, net.facets, net.sides, wanted, net.fixed, rounds=1)
        x = np.clip(x, start - _LIMIT, start + _LIMIT)
        gap = np.abs(measures(x, net.facets, net.sides, net.n_parts) - wanted)
        if (gap <= 1e-10 * wanted).all():
            break
    return x


def measures(points: Floats, facets: Ints, sides: Ints, n_parts: int) -> Floats:
    """Area or volume of each part enclosed by the facets, shape (n_parts,)."""
    p = points[facets]
    if points.shape[1] == 2:
        each = (p[:, 0, 0] * p[:, 1, 1] - p[:, 1, 0] * p[:, 0, 1]) / 2
    else:
        each = np.einsum("ni,ni->n", p[:, 0], np.cross(p[:, 1], p[:, 2])) / 6
    total = np.zeros(n_parts)
    for column, sign in ((0, 1.0), (1, -1.0)):
        inside = sides[:, column] >= 0
        np.add.at(total, sides[inside, column], sign * each[inside])
    return total


def restore(
    points: Floats,
    facets: Ints,
    sides: Ints,
    wanted: Floats,
    fixed: NDArray[np.bool_],
    *,
    rounds: int = 3,
) -> Floats:
    """The nearest points (least squares, Newton) at which the parts have the wanted measures.

    Args:
        points: Shape (n, dim).
        facets: As in `Boundary`.
        sides: As in `Boundary`.
        wanted: Area or volume of each part.
        fixed: Coordinates that must not change, shape (n, dim).
        rounds: Newton steps.
    """
    from scipy.sparse import identity
    from scipy.sparse.linalg import spsolve

    x = points
    for _ in range(rounds):
        gap = wanted - measures(x, facets, sides, len(wanted))
        slope = _slopes(x, facets, sides, len(wanted), fixed)
        normal = (slope @ slope.T).tocsc()
        # the parts together fill the box, so the rows are dependent; the gaps are so too
        scale = float(normal.diagonal().max(initial=0.0)) or 1.0
        push = spsolve(normal + 1e-10 * scale * identity(len(wanted), format="csc"), gap)
        x = x + (slope.T @ np.atleast_1d(push)).reshape(x.shape)
    return x


def _slopes(x: Floats, facets: Ints, sides: Ints, n_parts: int, fixed: NDArray[np.bool_]) -> Any:
    """Derivative of the parts' measures by the coordinates, sparse (n_parts, n * dim)."""
    from scipy.sparse import csr_matrix

    p, d = x[facets], x.shape[1]
    if d == 2:
        turned = np.stack([p[..., 1], -p[..., 0]], axis=2) / 2
        slopes = np.stack([turned[:, 1], -turned[:, 0]], axis=1)
    else:
        a, b, c = p[:, 0], p[:, 1], p[:, 2]
        slopes = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1) / 6
    rows, columns, values = [], [], []
    dof = facets[:, :, None] * d + np.arange(d)
    free = ~fixed.reshape(-1)[dof]
    for column, sign in ((0, 1.0), (1, -1.0)):
        keep = (sides[:, column] >= 0)[:, None, None] & free
        rows.append(np.broadcast_to(sides[:, column][:, None, None], dof.shape)[keep])
        columns.append(dof[keep])
        values.append(sign * slopes[keep])
    return csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(n_parts, x.size),
    )
