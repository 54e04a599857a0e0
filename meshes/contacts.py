"""Contacts of voxels through a corner or an edge only, which no body has: found and removed."""

from __future__ import annotations

from itertools import product

import numpy as np
from ssbmech.meshes.elements import Ints

_ROUNDS = 60
_Steps = tuple[int, ...]


def separate_contacts(values: Ints) -> tuple[Ints, int, Ints]:
    """Change single voxels until no region touches itself through an edge or a corner only.

    Such a contact has no stiffness in the body and no meaning at the image's resolution; in a mesh
    it would be a hinge. The voxel with the fewest neighbours of its own region changes.

    Args:
        values: Regions, indexed ``[x, y]`` or ``[x, y, z]``.

    Returns:
        The regions; the number of changed voxels; the contacts that are left because voxels went
        back and forth, as pairs of voxels, shape (n, 2, dim).
    """
    v = values.copy()
    found = _contacts(v)
    for _ in range(_ROUNDS):
        if not len(found):
            break
        for p, q in found:
            _repair(v, p, q)
        found = _contacts(v)
    return v, int((v != values).sum()), found


def _diagonals(dim: int) -> list[_Steps]:
    """Steps to the neighbours through edges and corners, one of each opposite two."""
    steps = [s for s in product((-1, 0, 1), repeat=dim) if sum(map(abs, s)) > 1]
    return [s for s in steps if s > tuple(-c for c in s)]


def _between(step: _Steps) -> list[_Steps]:
    """Steps to the other voxels of the block that a diagonal spans."""
    options = product(*((0, c) if c else (0,) for c in step))
    return [s for s in options if any(s) and s != step]


def _contacts(v: Ints) -> Ints:
    """Pairs of voxels of one region that touch in a block which holds no other of that region."""
    found = [np.zeros((0, 2, v.ndim), dtype=np.int64)]
    for step in _diagonals(v.ndim):
        start = [max(0, -c) for c in step]

        def part(shift: _Steps, step: _Steps = step, start: list[int] = start) -> Ints:
            size = [n - abs(c) for n, c in zip(v.shape, step, strict=True)]
            first = [a + c for a, c in zip(start, shift, strict=True)]
            return v[tuple(slice(a, a + n) for a, n in zip(first, size, strict=True))]

        p = part((0,) * v.ndim)
        alone = p == part(step)
        for shift in _between(step):
            alone &= part(shift) != p
        low = np.argwhere(alone) + start
        found.append(np.stack([low, low + step], axis=1))
    return np.concatenate(found)


def _repair(v: Ints, p: Ints, q: Ints) -> None:
    """Change one voxel of the block unless an earlier change has parted or joined the two."""
    step = tuple(int(c) for c in q - p)
    others = [tuple(int(c) for c in p + s) for s in _between(step)]
    ends = [tuple(map(int, p)), tuple(map(int, q))]
    region = int(v[ends[0]])
    if v[ends[1]] != region or any(v[o] == region for o in others):
        return
    # joining through one voxel works for an edge; a corner would need two
    candidates = ends + (others if len(others) == 2 else [])
    support = [_neighbours(v, c).count(int(v[c])) for c in candidates]
    weakest = candidates[int(np.argmin(support))]
    if weakest in ends:
        around = [n for n in _neighbours(v, weakest) if n != region]
        v[weakest] = max(sorted(set(around)), key=around.count)
    else:
        v[weakest] = region


def _neighbours(v: Ints, place: tuple[int, ...]) -> list[int]:
    """Regions of the voxels that share a face with one."""
    found = []
    for axis, size in enumerate(v.shape):
        for shift in (-1, 1):
            k = place[axis] + shift
            if 0 <= k < size:
                found.append(int(v[(*place[:axis], k, *place[axis + 1 :])]))
    return found
