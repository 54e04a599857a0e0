"""Power diagrams (Laguerre tessellations) in a box, and the sizes of their cells.

A diagram in general position is simple: ``dim + 1`` cells or sides meet at each vertex. It is
kept as that alone, the labels that meet at each vertex, and everything else (edges, faces,
neighbours, shared topology) follows from equal labels, never from coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints, determinant

# Labels of sides are negative, -1 - s; this makes all labels positive in keys.
_OFFSET = 8
# Relative to the square of the spacing: changes of weights that make seeds general.
_SHAKES = (0.0, 1e-8, 1e-6)


@dataclass(frozen=True)
class Diagram:
    """A power diagram as the labels at its vertices.

    Attributes:
        rows: Sorted labels at each vertex, shape (n, dim + 1): a seed (or an image of one), or
            -1 - s on side s of the box (0: x low, 1: x high, 2: y low, ...).
        points: Vertices, shape (n, dim) [um].
        seeds: Seeds, the given ones first, then their periodic images, shape (m, dim) [um].
        base: The given seed that each seed is an image of, shape (m,).
    """

    rows: Ints
    points: Floats
    seeds: Floats
    base: Ints


@dataclass(frozen=True)
class Measures:
    """Sizes of cells and of the faces between them.

    Attributes:
        cells: Area or volume of each seed's cell, 0 for an empty one, shape (n,) [um^dim].
        centres: Centroid of each cell, the seed itself for an empty one, shape (n, dim) [um].
        pairs: Labels on both sides of each face, shape (k, 2).
        faces: Length or area of each face, shape (k,).
    """

    cells: Floats
    centres: Floats
    pairs: Ints
    faces: Floats


def diagram(
    box: Floats, seeds: Floats, weights: Floats, periodic: bool, *, shaken: bool = False
) -> Diagram:
    """Power diagram of all space around the box: sides are not cut yet (see `cut`).

    The cell of seed i is where ``|x - x_i|^2 - w_i`` is least; the diagram is the lower convex
    hull of ``(x_i, |x_i|^2 - w_i)`` (Aurenhammer, SIAM J. Comput. 16 (1987) 78).

    Args:
        box: Low and high corner, shape (2, dim) [um].
        seeds: Shape (n, dim) [um], inside the box.
        weights: Shape (n,) [um^2].
        periodic: Whether the box repeats itself; images are added as far as they matter.
        shaken: Change the weights a little, as it is done anyway when the hull asks for it. Seeds
            on a lattice are not in general position: edges of next to no length are then where
            more than ``dim + 1`` cells meet.

    Returns:
        The diagram; cells of the given seeds are complete, those of images need not be.

    Raises:
        MeshError: If the seeds have no diagram.
    """
    n, dim = seeds.shape
    spacing = float(np.prod(box[1] - box[0]) / n) ** (1 / dim)
    noise = np.random.default_rng(0).random(n) * spacing**2
    for shake in _SHAKES[1 if shaken else 0 :]:
        found = _general(box, seeds, weights + shake * noise, periodic, spacing)
        if found is not None:
            return found
    raise MeshError(
        "the tessellation of these seeds cannot be made", key="seeds",
        allowed="seeds that are distinct and not all on a line or plane",
    )  # fmt: skip


def _general(
    box: Floats, seeds: Floats, weights: Floats, periodic: bool, spacing: float
) -> Diagram | None:
    """The diagram, or None where the seeds are not in general position."""
    margin = 2.5 * spacing
    while True:
        points, base = _images(box, seeds, margin) if periodic else (seeds, np.arange(len(seeds)))
        hull = _lower_hull(points, weights[base], spacing, len(seeds))
        if hull is None:
            # Too few images: given cells then reach those at the rim, which lie on a lattice.
            if not periodic or margin > 2 * float((box[1] - box[0]).max()):
                return None
            margin *= 1.5
            continue
        rows, vertices = hull
        if not periodic:
            return Diagram(rows, vertices, points, base)
        # An image matters at a vertex if it lies within the vertex's own power distance; every
        # vertex is a translate of one of a given cell.
        own = (rows < len(seeds)).any(axis=1)
        seed = rows[own].min(axis=1)
        power = ((vertices[own] - points[seed]) ** 2).sum(axis=1) - weights[seed]
        reach = np.sqrt(np.maximum(power + weights.max(), 0.0))
        room = np.minimum(vertices[own] - box[0], box[1] - vertices[own]).min(axis=1) + margin
        if (room >= reach).all() and margin >= reach.max():
            return Diagram(rows, vertices, points, base)
        margin = float(max(1.5 * margin, (reach - room).max() + margin, reach.max()))


def _images(box: Floats, seeds: Floats, margin: float) -> tuple[Floats, Ints]:
    """Seeds and their translates within a margin of the box."""
    size = box[1] - box[0]
    most = [int(np.ceil(margin / s)) for s in size]
    points: list[Floats] = [seeds]
    base: list[Ints] = [np.arange(len(seeds), dtype=np.int64)]
    for shift in product(*(range(-m, m + 1) for m in most)):
        if any(shift):
            moved = seeds + np.array(shift) * size
            near = ((moved > box[0] - margin) & (moved < box[1] + margin)).all(axis=1)
            points.append(moved[near])
            base.append(np.flatnonzero(near))
    return np.concatenate(points), np.concatenate(base).astype(np.int64)


def _lower_hull(
    points: Floats, weights: Floats, spacing: float, own: int
) -> tuple[Ints, Floats] | None:
    """Labels and places of the vertices of a power diagram; None if they are not to be had.

    Only the cells of the first ``own`` points have to be sound: images of images lie on a lattice,
    so cells at the rim of the images are not in general position.
    """
    from scipy.spatial import ConvexHull, QhullError

    dim = points.shape[1]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    extent = float(np.linalg.norm(np.ptp(points, axis=0))) + spacing
    extent += float(np.sqrt(np.ptp(weights)))
    # Far seeds all around make every cell bounded; in the box nothing is theirs.
    far = 3.0 * extent * np.concatenate([np.eye(dim), -np.eye(dim)])
    x = np.concatenate([points - middle, far]) / extent
    w = np.concatenate([weights, np.full(2 * dim, weights.min())]) / extent**2
    height = (x**2).sum(axis=1) - w
    try:
        hull = ConvexHull(np.column_stack([x, height]))
    except QhullError:
        return None
    rows = np.sort(hull.simplices[hull.equations[:, dim] < 0], axis=1).astype(np.int64)
    edges = x[rows[:, 1:]] - x[rows[:, :1]]
    flat = np.abs(determinant(edges)) <= 1e-11 * np.abs(edges).max(axis=(1, 2)) ** dim
    if (flat & (rows < own).any(axis=1)).any() or not _paired(rows, own):
        return None
    rows, edges = rows[~flat], edges[~flat]
    h = height[rows]
    rise = (h[:, 1:] - h[:, :1])[..., None]
    return rows, np.linalg.solve(2 * edges, rise)[..., 0] * extent + middle


def _paired(rows: Ints, n: int) -> bool:
    """Whether every edge of the first n cells has two ends."""
    ridge, _ = _ridges(rows[(rows < n).any(axis=1)])
    ridge = ridge[(ridge < n).any(axis=1)]
    counts = np.unique(_key(ridge), return_counts=True)[1]
    return bool((counts == 2).all())


def _key(labels: Ints) -> Ints:
    """One integer per row of sorted labels."""
    base = int(labels.max(initial=0)) + _OFFSET + 1
    key = np.zeros(len(labels), dtype=np.int64)
    for column in labels.T:
        key = key * base + column + _OFFSET
    return key


def _ridges(rows: Ints) -> tuple[Ints, Ints]:
    """Labels along each edge that leaves a vertex, and the vertex, for all vertices."""
    width = rows.shape[1]
    parts = [np.delete(rows, k, axis=1) for k in range(width)]
    return np.concatenate(parts), np.tile(np.arange(len(rows)), width)


def _edges(rows: Ints) -> tuple[Ints, Ints]:
    """Labels and the two vertices of every edge that has two, shapes (k, dim), (k, 2)."""
    ridge, vertex = _ridges(rows)
    key = _key(ridge)
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    return ridge[order[same]], np.column_stack([vertex[order[same]], vertex[order[same + 1]]])


def cut(whole: Diagram, box: Floats) -> Diagram:
    """The part of a diagram inside a box, whose sides become labels like those of seeds.

    Args:
        whole: From `diagram`.
        box: Shape (2, dim) [um].
    """
    rows, points = whole.rows, whole.points
    dim = points.shape[1]
    for s in range(2 * dim):
        axis, high = divmod(s, 2)
        value = box[high, axis]
        height = (value - points[:, axis]) if high else (points[:, axis] - value)
        inside = height > 0
        labels, ends = _edges(rows)
        crossing = inside[ends[:, 0]] != inside[ends[:, 1]]
        labels, ends = labels[crossing], ends[crossing]
        a, b = height[ends[:, 0]], height[ends[:, 1]]
        t = (a / (a - b))[:, None]
        fresh = points[ends[:, 0]] * (1 - t) + points[ends[:, 1]] * t
        fresh[:, axis] = value
        side = np.full((len(labels), 1), -1 - s)
        rows = np.concatenate([rows[inside], np.sort(np.hstack([labels, side]), axis=1)])
        points = np.concatenate([points[inside], fresh])
    for s in range(2 * dim):  # points between two of a side are off it by rounding
        axis, high = divmod(s, 2)
        points[(rows == -1 - s).any(axis=1), axis] = box[high, axis]
    return Diagram(rows, points, whole.seeds, whole.base)


def edges_of(part: Diagram) -> tuple[Ints, Ints]:
    """Labels (sorted) and both vertices of each edge of a cut diagram, shapes (k, dim), (k, 2)."""
    return _edges(part.rows)


def measure(part: Diagram, n: int) -> Measures:
    """Sizes of the cells of the first n seeds and of their faces.

    Args:
        part: A diagram, cut or not; those n cells have to be bounded.
        n: Number of cells.
    """
    dim = part.points.shape[1]
    own = ((part.rows >= 0) & (part.rows < n)).any(axis=1)
    rows, x = part.rows[own], part.points[own]
    labels, ends = _edges(rows)
    used = ((labels >= 0) & (labels < n)).any(axis=1)
    labels, ends = labels[used], ends[used]
    # All shares below are of convex cells seen from a point inside, so they have one sign.
    middle = _means(rows, x, n)
    if dim == 2:
        length = np.linalg.norm(x[ends[:, 0]] - x[ends[:, 1]], axis=1)
        cells, centres = _add_simplices(labels, x[ends], middle, n)
        pairs, faces = labels, length
    else:
        wide = [labels[:, list(two)] for two in combinations(range(3), 2)]
        stacked = np.concatenate(wide)
        both = np.tile(ends, (3, 1))
        used = ((stacked >= 0) & (stacked < n)).any(axis=1)
        stacked, both = stacked[used], both[used]
        _, first, face = np.unique(_key(stacked), return_index=True, return_inverse=True)
        face = face.reshape(-1)
        pairs = stacked[first]
        weight = np.bincount(face).astype(float)
        centre = np.column_stack(
            [np.bincount(face, x[both].mean(axis=1)[:, k]) / weight for k in range(3)]
        )[face]
        area = np.linalg.norm(np.cross(x[both[:, 0]] - centre, x[both[:, 1]] - centre), axis=1) / 2
        faces = np.bincount(face, area)
        triangles = np.concatenate([x[both], centre[:, None]], axis=1)
        cells, centres = _add_simplices(stacked, triangles, middle, n)
    empty = cells <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        centres = np.where(empty[:, None], part.seeds[:n], centres / cells[:, None])
    return Measures(cells, centres, pairs, faces)


def _means(rows: Ints, x: Floats, n: int) -> Floats:
    """Mean of the vertices of each cell, shape (n, dim)."""
    label = rows.reshape(-1)
    place = np.repeat(x, rows.shape[1], axis=0)
    used = (label >= 0) & (label < n)
    count = np.maximum(np.bincount(label[used], minlength=n), 1)
    sums = [np.bincount(label[used], p, minlength=n) for p in place[used].T]
    return np.column_stack(sums) / count[:, None]


def _add_simplices(pairs: Ints, facets: Floats, middle: Floats, n: int) -> tuple[Floats, Floats]:
    """Sum of the simplices between facets and the middle of the cells beside them.

    Returns:
        Measure and first moment of each cell, shapes (n,), (n, dim).
    """
    dim = middle.shape[1]
    total, moment = np.zeros(n), np.zeros((n, dim))
    for side in range(2):
        used = (pairs[:, side] >= 0) & (pairs[:, side] < n)
        cell = pairs[used, side]
        to = facets[used] - middle[cell][:, None]
        each = np.abs(determinant(to)) / (2 if dim == 2 else 6)
        total += np.bincount(cell, each, minlength=n)
        centre = (facets[used].sum(axis=1) + middle[cell]) / (dim + 1)
        for k in range(dim):
            moment[:, k] += np.bincount(cell, each * centre[:, k], minlength=n)
    return total, moment


def sizes(box: Floats, seeds: Floats, weights: Floats, periodic: bool) -> tuple[Measures, Diagram]:
    """Measures of whole grains: cut by the box, or across its sides when it is periodic."""
    found = diagram(box, seeds, weights, periodic)
    if not periodic:
        found = cut(found, box)
    return measure(found, len(seeds)), found
