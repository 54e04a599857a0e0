"""Voronoi and Laguerre tessellations of a box with shared vertices and faces.

Cells have exactly the vertices of their neighbours: a face is stored once, with the two cells that
it lies between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.parameters import choice, number
from ssbmech.meshes.power import Diagram, cut, diagram, edges_of, fit_weights
from ssbmech.meshes.tidy import Complex, Loop, planar_faces, remove_short_edges

Axis = Literal["x", "y", "z"]
AXES = ("x", "y", "z")
# Largest numbers of grains, by dimension: a minute or two for the tessellation.
MOST = {1: 20_000, 2: 20_000, 3: 10_000}
_LLOYD = 4


@dataclass(frozen=True)
class Tessellation:
    """Cells that fill a box; every face is planar and stored once.

    A cell is a grain, but for a periodic box: there the sides cut grains, and each piece is a cell.

    Attributes:
        dim: 2 or 3.
        box: Low and high corner, shape (2, dim) [um].
        vertices: Shape (n_vertices, dim) [um].
        faces: Vertices of each face: 2-D its two ends, 3-D a planar polygon. In 3-D the normal
            (right-hand rule) points out of the first neighbour; in 2-D that is on the left.
        neighbours: Cells on both sides from 0, shape (n_faces, 2); the second is -1 - s on side s
            of the box (0: x low, 1: x high, 2: y low, 3: y high, 4: z low, 5: z high). Two cells
            share several faces where tidying made their boundary non-planar.
        seeds: Of the grains, shape (n_grains, dim) [um].
        weights: Of the grains, shape (n_grains,) [um^2].
        periodic: Whether opposite sides match.
        grain: Grain of each cell, shape (n_cells,).
        short_edges: Edges shorter than asked for that are left, because a grain would be lost.
        columnar_axis: Axis 0, 1 or 2 that all grains reach along, or None.
    """

    dim: int
    box: Floats
    vertices: Floats
    faces: tuple[Loop, ...]
    neighbours: Ints
    seeds: Floats
    weights: Floats
    periodic: bool
    grain: Ints
    short_edges: int = 0
    columnar_axis: int | None = None

    @property
    def n_cells(self) -> int:
        """Number of cells (grains, or their pieces in a periodic box)."""
        return len(self.grain)

    @property
    def n_grains(self) -> int:
        """Number of grains."""
        return len(self.seeds)

    def measures(self) -> Floats:
        """Area or volume of each cell, shape (n_cells,) [um^dim]."""
        x = self.vertices - self.box.mean(axis=0)
        if self.dim == 2:
            face = np.arange(len(self.faces))
            corners = np.array(self.faces)
            a, b = x[corners[:, 0]], x[corners[:, 1]]
            share = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
        else:
            face, corners = self._triangles()
            a, b, c = x[corners[:, 0]], x[corners[:, 1]], x[corners[:, 2]]
            share = np.einsum("ni,ni->n", a, np.cross(b, c)) / 6
        first, second = self.neighbours[face].T
        inner = second >= 0
        total = np.bincount(first, share, minlength=self.n_cells)
        return total - np.bincount(second[inner], share[inner], minlength=self.n_cells)

    def grain_measures(self) -> Floats:
        """Area or volume of each grain, shape (n_grains,) [um^dim]."""
        return np.bincount(self.grain, self.measures(), minlength=self.n_grains)

    def diameters(self) -> Floats:
        """Diameter of the circle or sphere of each grain's size, shape (n_grains,) [um].

        Columns count by their cross-section: circle in 3-D, width in 2-D.
        """
        if self.columnar_axis is None:
            return equivalent_diameter(self.grain_measures(), self.dim)
        length = float(np.ptp(self.box[:, self.columnar_axis]))
        return equivalent_diameter(self.grain_measures() / length, self.dim - 1)

    def cell_faces(self, cell: int) -> Ints:
        """Numbers of the faces of a cell."""
        return np.flatnonzero((self.neighbours == cell).any(axis=1))

    def face_measures(self) -> Floats:
        """Length or area of each face, shape (n_faces,) [um^(dim-1)]."""
        if self.dim == 2:
            ends = self.vertices[np.array(self.faces)]
            return np.asarray(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1))
        face, corners = self._triangles()
        x = self.vertices[corners]
        each = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]) / 2
        total = np.column_stack([np.bincount(face, each[:, k]) for k in range(3)])
        return np.asarray(np.linalg.norm(total, axis=1))

    def edges(self) -> tuple[Ints, list[set[int]]]:
        """Edges of a 3-D tessellation.

        Returns:
            Pairs of vertices, sorted, shape (n, 2), and the faces at each edge.
        """
        found: dict[tuple[int, int], set[int]] = {}
        for face, loop in enumerate(self.faces):
            for a, b in zip(loop, (*loop[1:], loop[0]), strict=True):
                found.setdefault((min(a, b), max(a, b)), set()).add(face)
        pairs = sorted(found)
        return np.array(pairs, dtype=np.int64).reshape(-1, 2), [found[p] for p in pairs]

    def _triangles(self) -> tuple[Ints, Ints]:
        """Fans of the 3-D faces: the face of each triangle, and its vertices."""
        face = np.repeat(np.arange(len(self.faces)), [len(f) - 2 for f in self.faces])
        rows = [(f[0], f[k], f[k + 1]) for f in self.faces for k in range(1, len(f) - 1)]
        return face, np.array(rows, dtype=np.int64)


def equivalent_diameter(measures: Floats, dim: int) -> Floats:
    """Diameter of the circle (2-D) or sphere (3-D) of a given area or volume [um]."""
    if dim == 1:
        return measures
    if dim == 2:
        return np.asarray(np.sqrt(4 * measures / math.pi))
    return np.asarray(np.cbrt(6 * measures / math.pi))


def from_seeds(
    box: Floats | Sequence[Sequence[float]],
    seeds: Floats | Sequence[Sequence[float]],
    weights: Floats | Sequence[float] | None = None,
    *,
    periodic: bool = False,
    shortest: float = 0.0,
) -> Tessellation:
    """Power diagram of given seeds: cell i is where ``|x - x_i|^2 - w_i`` is least.

    Args:
        box: Low and high corner [um].
        seeds: Inside the box, shape (n, 2) or (n, 3) [um].
        weights: Shape (n,) [um^2]; a Voronoi tessellation without.
        periodic: Whether the box repeats itself.
        shortest: Edges shorter than this become points [um]; 0 keeps them all.

    Returns:
        The tessellation.

    Raises:
        MeshError: For seeds outside the box, or a seed whose cell is empty.
    """
    corners = np.asarray(box, dtype=float)
    x = np.asarray(seeds, dtype=float)
    dim = corners.shape[1]
    inside = (x > corners[0]).all(axis=1) & (x < corners[1]).all(axis=1)
    if not inside.all():
        k = int(np.argmin(inside))
        raise MeshError(
            f"seed {k + 1} is outside the box", key="seeds", value=x[k].tolist(),
            allowed=f"between {corners[0].tolist()} and {corners[1].tolist()} um",
        )  # fmt: skip
    w = np.zeros(len(x)) if weights is None else np.asarray(weights, dtype=float)
    part = cut(diagram(corners, x, w, periodic), corners)
    cells = _complex(part, corners, periodic)
    missing = np.setdiff1d(np.arange(len(x)), cells.grain)
    if len(missing):
        raise MeshError(
            f"the cell of seed {missing[0] + 1} is empty", key="weights", value=float(w[missing[0]])
        )
    tiny = 1e-7 * float(np.prod(corners[1] - corners[0]) / len(x)) ** (1 / dim)
    left = remove_short_edges(cells, max(shortest, tiny))
    return _frozen(cells, corners, x, w, periodic, left)


def _complex(part: Diagram, box: Floats, periodic: bool) -> Complex:
    """Polygons with shared vertices from the labels at the vertices."""
    rows = part.rows
    dim = box.shape[1]
    used = np.unique(rows[rows >= 0])
    number_of = {int(label): k for k, label in enumerate(used)}
    links: dict[tuple[int, int], dict[int, list[int]]] = {}
    labels, ends = edges_of(part)
    pairs = [(0, 1)] if dim == 2 else [(0, 1), (0, 2), (1, 2)]
    for label, (a, b) in zip(labels.tolist(), ends.tolist(), strict=True):
        for i, j in pairs:
            if label[j] >= 0:  # sorted: a face has at least one cell, the larger label
                near = links.setdefault((label[i], label[j]), {})
                near.setdefault(a, []).append(b)
                near.setdefault(b, []).append(a)
    loops, cells = [], []
    for i, j in sorted(links):
        loop = _walk(links[i, j])
        first, second = (j, i) if i < 0 else (i, j)
        if _against(part, loop, first, second):
            loop = loop[::-1]
        loops.append(loop)
        cells.append((number_of[first], number_of[second] if second >= 0 else second))
    sides = [frozenset(-1 - s for s in row if s < 0) for row in rows.tolist()]
    partners: list[dict[int, int]] = [{} for _ in rows]
    if periodic:
        partners = _partners(part, box)
    return Complex(part.points.copy(), loops, cells, part.base[used], sides, partners)


def _walk(near: dict[int, list[int]]) -> Loop:
    """Vertices of a polygon in order from who is next to whom."""
    start = min(near)
    loop = [start]
    last, here = start, near[start][0]
    while here != start and len(loop) < len(near):
        loop.append(here)
        nexts = [v for v in near[here] if v != last]
        if not nexts:
            break
        last, here = here, nexts[0]
    return tuple(loop)


def _against(part: Diagram, loop: Loop, first: int, second: int) -> bool:
    """Whether a face has its first cell on the wrong side."""
    x = part.points[list(loop)]
    if second >= 0:
        out = part.seeds[second] - part.seeds[first]
    else:
        axis, high = divmod(-1 - second, 2)
        out = np.eye(x.shape[1])[axis] * (1 if high else -1)
    if x.shape[1] == 2:
        along = x[1] - x[0]
        return bool(along[1] * out[0] - along[0] * out[1] < 0)
    x = x - x[0]
    return bool(np.cross(x, np.roll(x, -1, axis=0)).sum(axis=0) @ out < 0)


def _partners(part: Diagram, box: Floats) -> list[dict[int, int]]:
    """Image of each vertex on the opposite side, found by labels and made exact in place."""
    size = box[1] - box[0]
    shift = np.rint((part.seeds - part.seeds[part.base]) / size).astype(int)
    names: dict[tuple[object, ...], int] = {}

    def name(row: list[int], move: Ints, sides: set[int]) -> tuple[object, ...]:
        who = sorted((int(part.base[k]), *(shift[k] + move).tolist()) for k in row if k >= 0)
        return (*who, *sorted(sides))

    still = np.zeros(len(size), dtype=int)
    rows = part.rows.tolist()
    on = [{-1 - k for k in row if k < 0} for row in rows]
    for v, row in enumerate(rows):
        if on[v]:
            names[name(row, still, on[v])] = v
    result: list[dict[int, int]] = [{} for _ in rows]
    for v, row in enumerate(rows):
        for s in sorted(on[v]):
            move = still.copy()
            move[s // 2] = 1 if s % 2 == 0 else -1
            other = names.get(name(row, move, on[v] ^ {s, s ^ 1}))
            if other is None:
                raise MeshError(
                    "opposite sides of the periodic tessellation differ by rounding", key="seed",
                    hint="Take another seed",
                )  # fmt: skip
            result[v][s] = other
            if s % 2 == 0:
                keep = np.arange(len(size)) != s // 2
                part.points[other, keep] = part.points[v, keep]
    return result


def _frozen(
    cells: Complex, box: Floats, seeds: Floats, weights: Floats, periodic: bool, left: int
) -> Tessellation:
    """Tessellation of what is left, without vertices and cells that are gone."""
    dim = cells.dim
    size = float(np.linalg.norm(box[1] - box[0]))
    if dim == 3:
        faces = planar_faces(cells, 1e-9 * size)
    else:
        pairs = zip(cells.loops, cells.cells, strict=True)
        faces = [(loop, pair) for loop, pair in pairs if loop]
    vertices = sorted({v for loop, _ in faces for v in loop})
    vertex = {v: k for k, v in enumerate(vertices)}
    alive = [c for c, own in enumerate(cells.faces_of) if own]
    cell = {c: k for k, c in enumerate(alive)} | {-1 - s: -1 - s for s in range(2 * dim)}
    return Tessellation(
        dim=dim,
        box=box,
        vertices=cells.points[vertices],
        faces=tuple(tuple(vertex[v] for v in loop) for loop, _ in faces),
        neighbours=np.array([[cell[a], cell[b]] for _, (a, b) in faces], dtype=np.int64),
        seeds=seeds,
        weights=weights,
        periodic=periodic,
        grain=np.asarray(cells.grain[alive], dtype=np.int64),
        short_edges=left,
    )


def tessellate(
    box: Floats | Sequence[Sequence[float]],
    *,
    mean_size: float,
    spread: float | Literal["poisson"] = 0.35,
    seed: int = 0,
    periodic: bool = False,
    columnar_axis: Axis | None = None,
    smallest: float = 0.1,
) -> Tessellation:
    """Fill a box with grains of a given mean size and spread.

    The size of a grain is its equivalent diameter: of the circle (2-D, and columns seen along
    their axis) or sphere (3-D) of the same area or volume. Sizes are drawn from a lognormal
    distribution, one from each of n equally likely classes, and reached by a power diagram whose
    weights solve a semi-discrete optimal transport (`power.fit_weights`); four steps of Lloyd move
    the seeds to the centroids in between, so that grains are compact.

    Args:
        box: Low and high corner, shape (2, 2) or (2, 3) [um].
        mean_size: Mean equivalent diameter [um]; for "poisson" that of the mean cell.
        spread: Standard deviation of the logarithm of the diameter, 0 to 1; "poisson" for the
            plain Voronoi tessellation of random points.
        seed: Of the random numbers; the same gives the same tessellation.
        periodic: Whether the box repeats itself.
        columnar_axis: Grains reach through the box along this axis.
        smallest: No edge is shorter than this fraction of the mean size, 0 to 0.3; see
            ``short_edges`` of the result for those that cannot be removed.

    Returns:
        The tessellation.

    Raises:
        MeshError: For parameters out of range, and when the box is too small for such grains.
    """
    corners = np.asarray(box, dtype=float)
    dim = corners.shape[1]
    number("mean_size", mean_size)
    number("smallest", smallest, below=0.3, closed=True, unit="")
    if spread != "poisson":
        number("spread", spread, below=1.0, closed=True, unit="")
    if columnar_axis is not None:
        choice("columnar_axis", columnar_axis, AXES[:dim])
        axis = AXES.index(columnar_axis)
        across = [k for k in range(dim) if k != axis]
        if dim == 2:
            return _stripes(corners, across[0], mean_size, spread, seed, periodic)
        flat = tessellate(
            corners[:, across], mean_size=mean_size, spread=spread, seed=seed, periodic=periodic,
            smallest=smallest,
        )  # fmt: skip
        return extrude(flat, axis, corners[:, axis])
    rng = np.random.default_rng(seed)
    n = _number_of_grains(corners, mean_size, spread, periodic)
    seeds = corners[0] + rng.random((n, dim)) * (corners[1] - corners[0])
    weights = np.zeros(n)
    if spread != "poisson":
        sizes = _draw(n, float(spread), rng) ** dim
        targets = sizes * (np.prod(corners[1] - corners[0]) / sizes.sum())
        seeds, weights = _settle(corners, seeds, targets, periodic)
    result = from_seeds(corners, seeds, weights, periodic=periodic, shortest=smallest * mean_size)
    _refuse_self_contact(result)
    return result


def _number_of_grains(box: Floats, mean_size: float, spread: float | str, periodic: bool) -> int:
    """How many grains of the mean size fill the box, refused if they do not fit it."""
    dim = box.shape[1]
    size = box[1] - box[0]
    fewest = 2.0 if periodic else 1.0
    if size.min() < fewest * mean_size:
        raise MeshError(
            f"the box is too small for {'periodic ' if periodic else ''}grains of this size: its "
            f"smallest side is {size.min():g} um", key="mean_size", value=mean_size,
            allowed=f"up to {size.min() / fewest:g} um", hint="Enlarge the box",
        )  # fmt: skip
    ball = {1: 1.0, 2: math.pi / 4, 3: math.pi / 6}[dim]
    # <d^k> = <d>^k exp(k (k - 1) s^2 / 2) of a lognormal distribution
    wide = 0.0 if isinstance(spread, str) else dim * (dim - 1) / 2 * spread**2
    n = round(float(np.prod(size)) / (ball * mean_size**dim * math.exp(wide)))
    if not 2 <= n <= MOST[dim]:
        raise MeshError(
            f"{n} grains of this size and spread fill the box", key="mean_size", value=mean_size,
            allowed=f"2 to {MOST[dim]} grains",
            hint="Enlarge mean_size or the box" if n < 2 else "Enlarge mean_size",
        )  # fmt: skip
    return n


def _draw(n: int, spread: float, rng: np.random.Generator) -> Floats:
    """Lognormal numbers, one from each of n equally likely classes, in random order."""
    from scipy.special import ndtri

    share = (np.arange(n) + rng.random(n)) / n
    return np.asarray(np.exp(spread * ndtri(rng.permutation(share))))


def _settle(box: Floats, seeds: Floats, targets: Floats, periodic: bool) -> tuple[Floats, Floats]:
    """Seeds and weights of compact cells of the wanted sizes."""
    weights = None
    for _ in range(_LLOYD):
        weights, now = fit_weights(box, seeds, targets, periodic, weights, tolerance=0.01)
        seeds = now.centres
        if periodic:
            seeds = box[0] + np.mod(seeds - box[0], box[1] - box[0])
    weights, _ = fit_weights(box, seeds, targets, periodic, weights)
    return seeds, weights


def _refuse_self_contact(made: Tessellation) -> None:
    inner = made.neighbours[made.neighbours[:, 1] >= 0]
    if (made.grain[inner[:, 0]] == made.grain[inner[:, 1]]).any():
        raise MeshError(
            "a grain meets itself across the periodic box", key="mean_size",
            hint="Enlarge the box or take another seed",
        )  # fmt: skip


def _stripes(
    box: Floats,
    axis: int,
    mean_size: float,
    spread: float | Literal["poisson"],
    seed: int,
    periodic: bool,
) -> Tessellation:
    """2-D columns: their size is their width."""
    rng = np.random.default_rng(seed)
    low, high = box[:, axis]
    n = _number_of_grains(box[:, [axis]], mean_size, spread, periodic)
    widths = rng.exponential(size=n) if spread == "poisson" else _draw(n, float(spread), rng)
    widths *= (high - low) / widths.sum()
    stations = low + np.concatenate([[0.0], np.cumsum(widths)])
    stations[-1] = high
    other = 1 - axis
    ends = [(k, s) for k in range(n + 1) for s in (0, 1)]
    vertices = np.empty((len(ends), 2))
    vertices[:, axis] = [stations[k] for k, _ in ends]
    vertices[:, other] = [box[s, other] for _, s in ends]
    flip = axis == 1  # a mirror image: left becomes right
    faces, beside = [], []
    for k in range(n + 1):
        pair = (k, k - 1) if k in (0, n) else (k - 1, k)
        up = (2 * k, 2 * k + 1)
        if k == 0:
            pair, up = (0, -1 - 2 * axis), up[::-1]
        elif k == n:
            pair = (n - 1, -2 - 2 * axis)
        faces.append(up[::-1] if flip else up)
        beside.append(pair)
    for k in range(n):
        for s in (0, 1):
            along = (2 * k + s, 2 * k + 2 + s) if s == 0 else (2 * k + 2 + s, 2 * k + s)
            faces.append(along[::-1] if flip else along)
            beside.append((k, -1 - 2 * other - s))
    seeds = np.empty((n, 2))
    seeds[:, axis] = (stations[1:] + stations[:-1]) / 2
    seeds[:, other] = box[:, other].mean()
    return Tessellation(
        2, box, vertices, tuple(faces), np.array(beside, dtype=np.int64), seeds, np.zeros(n),
        periodic, np.arange(n), columnar_axis=other,
    )  # fmt: skip


def extrude(flat: Tessellation, axis: int, ends: Floats) -> Tessellation:
    """Columns from a 2-D tessellation.

    Args:
        flat: Of the two other axes in increasing order.
        axis: 0, 1 or 2, along which the columns reach.
        ends: Low and high end along it, shape (2,) [um].

    Returns:
        A 3-D tessellation, its grains in the same order.
    """
    across = [k for k in range(3) if k != axis]
    n = len(flat.vertices)

    def place(x: Floats, along: float) -> Floats:
        result = np.full((len(x), 3), along)
        result[:, across] = x
        return result

    # (across, axis) is right-handed but for axis y, where outlines turn the other way round
    flip = axis == 1
    faces: list[Loop] = []
    beside = []
    near: list[dict[int, int]] = [{} for _ in range(flat.n_cells)]
    for (a, b), (i, j) in zip(flat.faces, flat.neighbours.tolist(), strict=True):
        quad = (a, b, b + n, a + n)
        faces.append(quad[::-1] if flip else quad)
        beside.append((i, j if j >= 0 else -1 - (2 * across[(-1 - j) // 2] + (-1 - j) % 2)))
        near[i][a] = b
        if j >= 0:
            near[j][b] = a
    for cell, after in enumerate(near):
        loop = [min(after)]
        while after[loop[-1]] != loop[0]:
            loop.append(after[loop[-1]])
        up = tuple(v + n for v in loop)
        down = tuple(loop[::-1])
        faces += [up[::-1], down[::-1]] if flip else [up, down]
        beside += [(cell, -2 - 2 * axis), (cell, -1 - 2 * axis)]
    return replace(
        flat,
        dim=3,
        box=np.asarray(place(flat.box, 0.0) + np.outer(ends, np.eye(3)[axis])),
        vertices=np.concatenate([place(flat.vertices, e) for e in ends]),
        faces=tuple(faces),
        neighbours=np.array(beside, dtype=np.int64),
        seeds=place(flat.seeds, float(np.mean(ends))),
        columnar_axis=axis,
    )
