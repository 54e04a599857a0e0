"""Weights of a power diagram that give its cells wanted sizes: semi-discrete optimal transport."""

from __future__ import annotations

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.power import Diagram, Measures, sizes

_NEWTON_STEPS = 60


def fit_weights(
    box: Floats,
    seeds: Floats,
    targets: Floats,
    periodic: bool,
    start: Floats | None = None,
    tolerance: float = 1e-9,
) -> tuple[Floats, Measures]:
    """Weights for which the cells have the wanted sizes: semi-discrete optimal transport.

    Damped Newton iteration (Kitagawa, Merigot and Thibert, J. Eur. Math. Soc. 21 (2019) 2603):
    the size of cell i changes with w_j by the measure of their face over -2 |x_i - x_j|; a step is
    halved until no cell is near to vanishing and the error falls.

    Args:
        box: Shape (2, dim) [um].
        seeds: Shape (n, dim) [um].
        targets: Areas or volumes [um^dim] that fill the box, shape (n,).
        periodic: Whether the box repeats itself.
        start: Weights to start from; all zero if with them a cell is empty.
        tolerance: Largest error of a cell relative to the mean cell.

    Returns:
        Weights [um^2] and what they give.

    Raises:
        MeshError: If the iteration stops short of one per cent.
    """
    n = len(seeds)
    weights = np.zeros(n) if start is None else start
    now, found = sizes(box, seeds, weights, periodic)
    least = 0.5 * min(float(now.cells.min()), float(targets.min()))
    if start is not None and least <= 0:
        return fit_weights(box, seeds, targets, periodic, None, tolerance)
    mean = float(targets.mean())
    for _ in range(_NEWTON_STEPS):
        wrong = targets - now.cells
        if np.abs(wrong).max() <= tolerance * mean:
            break
        step = _newton_step(now, found, wrong, n)
        error, share = float(np.linalg.norm(wrong)), 1.0
        while share > 1e-6:
            trial = weights + share * step
            try:
                after, found_after = sizes(box, seeds, trial, periodic)
            except MeshError:  # far too long a step: one cell holds all of a periodic box
                share /= 2
                continue
            better = float(np.linalg.norm(targets - after.cells)) <= (1 - share / 2) * error
            if better and after.cells.min() >= least:
                break
            share /= 2
        else:
            break  # rounding: no step is better any more
        weights, now, found = trial, after, found_after
    off = float(np.abs(targets - now.cells).max()) / mean
    if off > 0.01:
        raise MeshError(
            "the wanted grain sizes are not reached", key="spread", value=off,
            allowed="an error of the worst grain up to 0.01 of the mean grain",
            hint="Lower the spread or take another seed",
        )  # fmt: skip
    return weights, now


def _newton_step(now: Measures, found: Diagram, wrong: Floats, n: int) -> Floats:
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import spsolve

    real = (now.pairs >= 0).all(axis=1)
    pairs, faces = now.pairs[real], now.faces[real]
    gap = np.linalg.norm(found.seeds[pairs[:, 0]] - found.seeds[pairs[:, 1]], axis=1)
    rate = faces / (2 * gap)
    i, j = pairs.T
    base = found.base
    # Each face of a given cell acts on that cell; a face with an image is met once from each.
    rows = np.concatenate([i[i < n], j[j < n]])
    columns = np.concatenate([base[j[i < n]], base[i[j < n]]])
    values = np.concatenate([rate[i < n], rate[j < n]])
    off = coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr()
    matrix = (diags(np.asarray(off.sum(axis=1)).reshape(-1)) - off).tocsc()
    step = np.zeros(n)
    if n > 1:  # a common weight changes nothing: the last one stays
        step[:-1] = spsolve(matrix[:-1, :-1], wrong[:-1])
    return step
