"""Measures a mesh, and refuses a bad one with the place of the fault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints, cell_facets, determinant, jacobians, keys

# Largest relative deviation of areas and volumes: polygons for curves, and parabolas for curves.
_MEASURE_LIMIT = {1: 0.05, 2: 5e-3}
# Least radius ratio. Elements that follow a smooth front are long on purpose.
_QUALITY_LIMIT = 1e-6


@dataclass(frozen=True)
class Check:
    """One line of the gate.

    Attributes:
        name: What was measured.
        value: The number.
        limit: What is allowed, in words.
        ok: Whether it is.
        place: Where it is not, coordinates in um.
    """

    name: str
    value: float
    limit: str
    ok: bool
    place: str = ""


@dataclass(frozen=True)
class GateReport:
    """What `inspect` found.

    Attributes:
        n_cells: Number of cells.
        n_nodes: Number of nodes.
        size_min: Shortest edge between vertices [um].
        size_max: Longest edge [um].
        quality_min: Worst radius ratio (dim * inscribed / circumscribed radius), 1 is best.
        quality_at: Where it is.
        n_inverted: Cells with a negative Jacobian at a node or the centroid.
        n_duplicates: Pairs of coincident nodes that are not the two sides of tagged faces.
        n_orphans: Nodes of no cell.
        n_parts: Parts that do not share a node.
        n_bad_facets: Tagged facets of no cell, tagged twice, or facets of three cells.
        n_untagged_sides: Boundary facets in no group (they are free of traction).
        measures: Area or volume by cell group [um^dim].
        checks: All checks.
    """

    n_cells: int
    n_nodes: int
    size_min: float
    size_max: float
    quality_min: float
    quality_at: str
    n_inverted: int
    n_duplicates: int
    n_orphans: int
    n_parts: int
    n_bad_facets: int
    n_untagged_sides: int
    measures: dict[str, float]
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)


def inspect(data: MeshData) -> GateReport:
    """Measure a mesh.

    Args:
        data: The mesh.

    Returns:
        Everything measured; `refuse` turns a bad one into an error.
    """
    d, points, cells = data.dim, data.points, data.cells
    checks: list[Check] = []
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points).all(axis=1)).sum())
        checks.append(Check("nodes that are not finite", bad, "0", False))
        return GateReport(len(cells), len(points), 0, 0, 0, "", 0, 0, 0, 0, 0, 0, {}, tuple(checks))

    lengths = np.concatenate(
        [np.linalg.norm(points[cells[:, i]] - points[cells[:, j]], axis=1) for i, j in EDGES[d]]
    )
    size_min, size_max = float(lengths.min()), float(lengths.max())

    jacobian = jacobians(points, cells, d, data.order)
    largest = np.abs(jacobian).max(axis=1)
    # Quarter-point cells have a zero at the tip: only a negative one, or a flat cell, is a fault.
    inverted = (jacobian.min(axis=1) < -1e-8 * largest) | (jacobian[:, -1] <= 0) | (largest == 0)
    checks.append(_count("inverted cells", inverted, points, cells[:, : d + 1]))

    quality = _quality(points, cells, d)
    worst = int(np.argmin(quality))
    worst_at = _at(points[cells[worst, : d + 1]])
    low = quality < _QUALITY_LIMIT
    checks.append(
        Check("worst quality", float(quality[worst]), f">= {_QUALITY_LIMIT:g}", not low.any(),
              worst_at)
    )  # fmt: skip

    used = np.zeros(len(points), dtype=bool)
    used[cells] = True
    checks.append(_count("nodes of no cell", ~used, points, np.arange(len(points))[:, None]))

    twins = _duplicates(data, size_min)
    checks.append(
        Check(
            "coincident nodes off tagged faces", len(twins), "0", not len(twins),
            _at(points[twins[0]]) if len(twins) else "",
        )
    )  # fmt: skip
    parts, odd = _parts(data)
    checks.append(Check("separate parts", parts, "1", parts == 1, odd))

    bad_facets, open_sides = _facets(data, checks)
    measures = _measures(data)
    kind = "area" if d == 2 else "volume"
    for name, value in measures.items():
        exact = data.notes.get(f"{kind}:{name}")
        if isinstance(exact, int | float) and exact > 0:
            error = value / exact - 1
            limit = _MEASURE_LIMIT[data.order]
            checks.append(
                Check(f"{kind} of {name}, relative error", error, f"+-{limit:g}",
                      abs(error) <= limit)
            )  # fmt: skip
    return GateReport(
        n_cells=len(cells),
        n_nodes=len(points),
        size_min=size_min,
        size_max=size_max,
        quality_min=float(quality[worst]),
        quality_at=worst_at,
        n_inverted=int(inverted.sum()),
        n_duplicates=len(twins),
        n_orphans=int((~used).sum()),
        n_parts=parts,
        n_bad_facets=bad_facets,
        n_untagged_sides=open_sides,
        measures=measures,
        checks=tuple(checks),
    )


def refuse(report: GateReport, *, key: str = "mesh") -> None:
    """Raise MeshError for the first check that failed, with its place.

    Args:
        report: From `inspect`.
        key: Where the mesh comes from, for the message.
    """
    for check in report.checks:
        if not check.ok:
            where = f", the first at {check.place}" if check.place else ""
            raise MeshError(
                f"the gate refuses this mesh: {check.name} = {check.value:g}{where}",
                key=key,
                allowed=check.limit,
                hint=_HINTS.get(check.name, "Repair the mesh, or mesh again with smaller elements"),
            )


_HINTS = {
    "cells folded over a neighbour": "Move the nodes back, or mesh again: cells overlap there",
    "separate parts": "Merge coincident nodes (Gmsh: fragment the parts, Coherence Mesh)",
    "coincident nodes off tagged faces": "Merge coincident nodes; give both faces of a crack names",
    "nodes of no cell": "Remove nodes that no cell uses",
}


def _at(nodes: Floats) -> str:
    centre = np.atleast_2d(nodes).mean(axis=0)
    return "(" + ", ".join(f"{value:.6g}" for value in centre) + ") um"


def _count(name: str, bad: np.ndarray, points: Floats, rows: Ints) -> Check:  # type: ignore[type-arg]
    n = int(bad.sum())
    place = _at(points[rows[int(np.argmax(bad))]]) if n else ""
    return Check(name, n, "0", n == 0, place)


def _quality(points: Floats, cells: Ints, d: int) -> Floats:
    """Radius ratio of the straight simplices, shape (n_cells,)."""
    p = points[cells[:, : d + 1], :d]
    lengths = [np.linalg.norm(p[:, i] - p[:, j], axis=1) for i, j in EDGES[d]]
    measure = np.abs(determinant(p[:, 1:] - p[:, :1])) / (2 if d == 2 else 6)
    with np.errstate(divide="ignore", invalid="ignore"):
        if d == 2:
            a, b, c = lengths
            ratio = 16 * measure**2 / ((a + b + c) * a * b * c)
        else:
            area = np.zeros(len(cells))
            for i, j, k in ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)):
                n = np.cross(p[:, j] - p[:, i], p[:, k] - p[:, i])
                area += np.linalg.norm(n, axis=1) / 2
            # Circumscribed radius from the products of opposite edges (Crelle).
            x, y, z = (lengths[i] * lengths[j] for i, j in ((0, 4), (1, 3), (2, 5)))
            root = np.sqrt(np.maximum((x + y + z) * (x + y - z) * (x - y + z) * (y + z - x), 0.0))
            ratio = 9 * measure / area * 24 * measure / root
    return np.nan_to_num(np.minimum(ratio, 1.0), nan=0.0)


def _duplicates(data: MeshData, size: float) -> Ints:
    """Pairs of coincident nodes of which at least one is on no tagged facet."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(data.points).query_pairs(1e-6 * size, output_type="ndarray")
    if not len(pairs):
        return np.zeros((0, 2), dtype=np.int64)
    on_face = np.zeros(len(data.points), dtype=bool)
    on_face[data.facets] = True
    return pairs[~on_face[pairs].all(axis=1)]


def _parts(data: MeshData) -> tuple[int, str]:
    """Number of parts and a place in the smallest one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n, first = len(data.points), data.cells[:, 0]
    rows = np.concatenate([first] * data.dim)
    columns = np.concatenate([data.cells[:, k] for k in range(1, data.dim + 1)])
    graph = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
    label = connected_components(graph, directed=False)[1][first]
    parts, count = np.unique(label, return_counts=True)
    if len(parts) == 1:
        return 1, ""
    cell = int(np.argmax(label == parts[np.argmin(count)]))
    return len(parts), _at(data.points[data.cells[cell, : data.dim + 1]])


def _facets(data: MeshData, checks: list[Check]) -> tuple[int, int]:
    """Checks neighbours of facets; returns the bad ones and the untagged boundary facets."""
    d, n = data.dim, len(data.points)
    every = cell_facets(data.cells, d, data.order)[:, :d]
    stacked = keys(np.concatenate([every, data.facets[:, :d]]), n)
    unique, first, count = np.unique(stacked[: len(every)], return_index=True, return_counts=True)
    crowded = count > 2
    checks.append(_count("facets of three or more cells", crowded, data.points, every[first]))
    tagged = stacked[len(every) :]
    folded, at = _folded(data, every, stacked[: len(every)])
    checks.append(Check("cells folded over a neighbour", folded, "0", folded == 0, at))
    lost = ~np.isin(tagged, unique)
    checks.append(_count("tagged facets of no cell", lost, data.points, data.facets[:, :d]))
    again = np.ones(len(tagged), dtype=bool)
    again[np.unique(tagged, return_index=True)[1]] = False
    checks.append(_count("facets tagged twice", again, data.points, data.facets[:, :d]))
    bad = int(crowded.sum() + lost.sum() + again.sum())
    return bad, int((~np.isin(unique[count == 1], tagged)).sum())


def _folded(data: MeshData, every: Ints, key: Ints) -> tuple[int, str]:
    """Neighbours on the same side of the facet they share: the mesh is folded there."""
    d = data.dim
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    first, second = order[same], order[same + 1]
    corners = data.points[every[first]][..., :d]
    base = corners[:, 0]
    edges = corners[:, 1:] - base[:, None]
    sides = []
    for rows in (first, second):
        # the vertex of the cell that its facet leaves out
        opposite = data.cells[rows // (d + 1), : d + 1].sum(axis=1) - every[rows].sum(axis=1)
        to = data.points[opposite][:, :d] - base
        sides.append(determinant(np.concatenate([edges, to[:, None]], axis=1)))
    folded = sides[0] * sides[1] > 0
    if not folded.any():
        return 0, ""
    return int(folded.sum()), _at(data.points[every[first[np.argmax(folded)]]])


def _measures(data: MeshData) -> dict[str, float]:
    """Area or volume of each cell group, exact for the elements' own shape [um^dim]."""
    d, order = data.dim, data.order
    if order == 1:
        each = jacobians(data.points, data.cells, d, 1)[:, 0] / (2 if d == 2 else 6)
    else:
        x = data.points[data.cells, :d]
        gradient = np.vstack([-np.ones(d), np.eye(d)])
        each = np.zeros(len(data.cells))
        if d == 2:  # mid-edge rule, degree 2
            rule = [((np.eye(3)[i] + np.eye(3)[j]) / 2, 1 / 6) for i, j in EDGES[2]]
        else:  # Keast's rule of degree 3
            rule = [(np.full(4, 0.25), -4 / 30)]
            rule += [(np.full(4, 1 / 6) + np.eye(4)[i] / 3, 9 / 120) for i in range(4)]
        for bary, weight in rule:
            shape = [(4 * bary[i] - 1) * gradient[i] for i in range(d + 1)]
            shape += [4 * (bary[i] * gradient[j] + bary[j] * gradient[i]) for i, j in EDGES[d]]
            each += weight * determinant(np.einsum("cni,nj->cij", x, np.array(shape)))
    return {
        name: float(each[data.cell_tags == tag].sum()) for name, tag in data.cell_groups.items()
    }
