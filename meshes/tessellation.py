"""Voronoi and Laguerre tessellations of a box with shared vertices and faces.

Cells have exactly the vertices of their neighbours: a face is stored once, with the two cells that
it lies between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.parameters import choice, number
from ssbmech.meshes.polygons import complex_of
from ssbmech.meshes.polytopes import Complex, Loop, planar_faces
from ssbmech.meshes.power import Diagram, cut, diagram, edges_of
from ssbmech.meshes.tidy import remove_short_edges
from ssbmech.meshes.transport import fit_weights

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
            face: Ints = np.arange(len(self.faces), dtype=np.int64)
            corners: Ints = np.array(self.faces, dtype=np.int64)
            a, b = x[corners[:, 0]], x[corners[:, 1]]
            share = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
        else:
            face, corners = self._triangles()
            a, b, c = x[corners[:, 0]], x[corners[:, 1]], x[corners[:, 2]]
            share = np.einsum("ni,ni->n", a, np.cross(b, c)) / 6
        first, second = self.neighbours[face].T
        inner = second >= 0
        total = np.bincount(first, share, minlength=self.n_cells)
        other = np.bincount(second[inner], share[inner], minlength=self.n_cells)
        return np.asarray(total - other, dtype=float)

    def grain_measures(self) -> Floats:
        """Area or volume of each grain, shape (n_grains,) [um^dim]."""
        total = np.bincount(self.grain, self.measures(), minlength=self.n_grains)
        return np.asarray(total, dtype=float)

    def diameters(self) -> Floats:
        """Diameter of the circle or sphere of each grain's size, shape (n_grains,) [um].

        Columns count by their cross-section: circle in 3-D, width in 2-D.
        """
        if self.columnar_axis is None:
            return equivalent_diameter(self.grain_measures(), self.dim)
        length = float(np.ptp(self.box[:, self.columnar_axis]))
        across: Floats = np.asarray(self.grain_measures() / length, dtype=float)
        return equivalent_diameter(across, self.dim - 1)

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
        shortest: Edges shorter than this become points [um]; 0 keeps all but those
            that come from rounding, where more cells meet than can in general position.

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
    spacing = float(np.prod(corners[1] - corners[0]) / len(x)) ** (1 / dim)
    part = cut(diagram(corners, x, w, periodic), corners)
    if _shortest(part) < 1e-9 * spacing:
        part = cut(diagram(corners, x, w, periodic, shaken=True), corners)
    cells = complex_of(part, corners, periodic)
    missing = np.setdiff1d(np.arange(len(x)), cells.grain)
    if len(missing):
        raise MeshError(
            f"the cell of seed {missing[0] + 1} is empty", key="weights",
            value=float(w[missing[0]]), allowed="distinct seeds, weights of similar size",
            hint="Raise this weight: neighbours may not be larger by their squared distance",
        )  # fmt: skip
    left = remove_short_edges(cells, max(shortest, 1e-5 * spacing))
    return _frozen(cells, corners, x, w, periodic, left)


def _shortest(part: Diagram) -> float:
    """Length of the shortest edge of a cut diagram [um]."""
    ends = part.points[edges_of(part)[1]]
    return float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).min())


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
    weights solve a semi-discrete optimal transport (`transport.fit_weights`); four steps of Lloyd
    move the seeds to the centroids in between, so that grains are compact.

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
    from ssbmech.meshes.columns import extrude, stripes  # which are tessellations themselves

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
            n = _number_of_grains(corners[:, across], mean_size, spread, periodic)
            rng = np.random.default_rng(seed)
            widths = rng.exponential(size=n) if spread == "poisson" else _draw(n, spread, rng)
            return stripes(corners, across[0], widths, periodic)
        flat = tessellate(
            corners[:, across], mean_size=mean_size, spread=spread, seed=seed, periodic=periodic,
            smallest=smallest,
        )  # fmt: skip
        return extrude(flat, axis, corners[:, axis])
    rng = np.random.default_rng(seed)
    n = _number_of_grains(corners, mean_size, spread, periodic)
    seeds = corners[0] + rng.random((n, dim)) * (corners[1] - corners[0])
    weights: Floats = np.zeros(n)
    if spread != "poisson":
        sizes = _draw(n, spread, rng) ** dim
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
