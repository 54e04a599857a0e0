"""Measures a mesh, and refuses a bad one with the place of the fault."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.checks import Check, Mask, at, chunks, none_of, report
from ssbmech.meshes.coincident import coincident, local_size
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import EDGES, Floats, Ints, determinant, jacobians
from ssbmech.meshes.gaps import gap_check, layer_checks, smallest_gap
from ssbmech.meshes.names import check_names
from ssbmech.meshes.watertight import (
    facet_checks,
    grain_checks,
    interface_checks,
    part_checks,
    topology,
)

__all__ = ["Check", "GateReport", "check_names", "inspect", "refuse"]

# Largest relative deviation of areas and volumes: polygons for curves, and parabolas for curves.
_MEASURE_LIMIT = {1: 0.05, 2: 5e-3}
# Least radius ratio. Elements that follow a smooth front are long on purpose.
_QUALITY_LIMIT = 1e-6
_QUALITY_SHARES = (0.1, 0.2, 0.3)
_BAD_FACETS = ("tagged facets of no cell", "facets tagged twice", "facets of three or more cells")


@dataclass(frozen=True)
class GateReport:
    """What `inspect` found.

    Attributes:
        n_cells: Number of cells.
        n_nodes: Number of nodes.
        size_min: Shortest edge between vertices [um].
        size_max: Longest edge [um].
        size_mean: Mean edge, each as often as there are cells at it [um].
        quality_min: Worst radius ratio (dim * inscribed / circumscribed radius), 1 is best.
        quality_at: Where it is.
        quality_shares: Share of the cells of a quality below 0.1, 0.2 and 0.3.
        n_inverted: Cells with a negative Jacobian at a node or the centroid.
        n_duplicates: Pairs of coincident nodes that are not the two sides of tagged faces.
        n_orphans: Nodes of no cell.
        n_parts: Parts that do not share a node.
        n_bad_facets: Tagged facets of no cell, tagged twice, or facets of three cells.
        n_untagged_sides: Boundary facets in no group (they are free of traction).
        n_untagged_interfaces: Facets between two cell groups that are in no facet group.
        n_grains: Grains that have cells.
        gap: Smallest gap between surfaces in units of the local size; 0.2 when none is smaller.
        gap_at: Where it is.
        across: Elements across the thinnest place of each cell group; 3: or more.
        measures: Area or volume by cell group [um^dim].
        checks: All checks.
    """

    n_cells: int
    n_nodes: int
    checks: tuple[Check, ...]
    size_min: float = 0.0
    size_max: float = 0.0
    size_mean: float = 0.0
    quality_min: float = 0.0
    quality_at: str = ""
    quality_shares: dict[float, float] = field(default_factory=dict)
    n_inverted: int = 0
    n_duplicates: int = 0
    n_orphans: int = 0
    n_parts: int = 0
    n_bad_facets: int = 0
    n_untagged_sides: int = 0
    n_untagged_interfaces: int = 0
    n_grains: int = 0
    gap: float = 0.0
    gap_at: str = ""
    across: dict[str, int] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)

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
    points, cells = data.points, data.cells
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points).all(axis=1)).sum())
        check = Check("nodes that are not finite", bad, "0", False)
        return GateReport(len(cells), len(points), checks=(check,))

    size_min, size_max, size_mean = _edge_lengths(data)
    inverted = _inverted(data)
    quality = _quality(data)
    worst = int(np.argmin(quality))
    worst_at = at(points[cells[worst, : data.dim + 1]])
    used = np.zeros(len(points), dtype=bool)
    used[cells] = True
    checks = [
        none_of("inverted cells", inverted, points, cells[:, : data.dim + 1]),
        Check("worst quality", float(quality[worst]), f">= {_QUALITY_LIMIT:g}",
              bool(quality[worst] >= _QUALITY_LIMIT), worst_at),
    ]  # fmt: skip
    shares = {limit: float((quality < limit).mean()) for limit in _QUALITY_SHARES}
    checks += [report(f"share of cells of quality below {q:g}", v) for q, v in shares.items()]
    del quality
    checks.append(none_of("nodes of no cell", ~used, points, np.arange(len(points))[:, None]))

    size = local_size(data)
    top = topology(data)
    twins = coincident(data, top.vertices(top.outer, data.order), size)
    checks.append(
        Check("coincident nodes off tagged faces", len(twins.loose), "0", not len(twins.loose),
              at(points[twins.loose[0]]) if len(twins.loose) else "")
    )  # fmt: skip
    checks += facet_checks(top)
    checks += part_checks(top)
    checks += interface_checks(top)
    if data.grains is not None:
        checks += grain_checks(top, twins.place)
    gap = smallest_gap(top, twins.place, size)
    checks.append(gap_check(gap))
    layers = layer_checks(data, top)
    checks += layers
    measures = _measures(data)
    checks += _measure_checks(data, measures)
    found = {c.name: int(c.value) for c in checks}
    return GateReport(
        n_cells=len(cells),
        n_nodes=len(points),
        size_min=size_min,
        size_max=size_max,
        size_mean=size_mean,
        quality_min=float(checks[1].value),
        quality_at=worst_at,
        quality_shares=shares,
        n_inverted=found["inverted cells"],
        n_duplicates=len(twins.loose),
        n_orphans=found["nodes of no cell"],
        n_parts=found["separate parts"],
        n_bad_facets=sum(found[name] for name in _BAD_FACETS),
        n_untagged_sides=found["boundary facets in no group"],
        n_untagged_interfaces=found["interface facets in no group"],
        n_grains=found.get("grains", 0),
        gap=gap.ratio,
        gap_at=gap.place,
        across=dict(zip(data.cell_groups, (int(c.value) for c in layers), strict=True)),
        measures=measures,
        checks=tuple(checks),
    )


def refuse(found: GateReport, *, key: str = "mesh") -> None:
    """Raise MeshError for the first check that failed, with its place.

    Args:
        found: From `inspect`.
        key: Where the mesh comes from, for the message.
    """
    for check in found.checks:
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
    "parts joined by nodes alone": "Merge coincident nodes along whole facets, or fill the gap",
    "smallest gap / local size": "Join the surfaces (merge_duplicates), or mesh the gap with "
    "elements of its width",
    "facets not between their materials": "Mesh again with conforming interfaces",
    "grains": "Mesh smaller than the smallest grain, and number the grains from 1",
    "stray pieces of grains": "Give every piece a number of its own, or remove it",
    "facets between grains in no group": "Tag every facet between two grains: grain_boundaries",
    "separate parts": "Merge coincident nodes (Gmsh: fragment the parts, Coherence Mesh)",
    "coincident nodes off tagged faces": "Merge coincident nodes; give both faces of a crack names",
    "nodes of no cell": "Remove nodes that no cell uses",
}


def _edge_lengths(data: MeshData) -> tuple[float, float, float]:
    """Shortest, longest and mean straight edge of the cells [um]."""
    low, high, total = np.inf, 0.0, 0.0
    for part in chunks(len(data.cells)):
        p = data.points[data.cells[part, : data.dim + 1]]
        for i, j in EDGES[data.dim]:
            length = np.linalg.norm(p[:, i] - p[:, j], axis=1)
            low, high = min(low, float(length.min())), max(high, float(length.max()))
            total += float(length.sum())
    return low, high, total / (len(data.cells) * len(EDGES[data.dim]))


def _inverted(data: MeshData) -> Mask:
    """Cells that are inside out or flat."""
    bad = np.zeros(len(data.cells), dtype=bool)
    for part in chunks(len(data.cells)):
        value = jacobians(data.points, data.cells[part], data.dim, data.order)
        largest = np.abs(value).max(axis=1)
        # Quarter-point cells have a zero at the tip: only a negative one, or a flat cell, is bad.
        bad[part] = (value.min(axis=1) < -1e-8 * largest) | (value[:, -1] <= 0) | (largest == 0)
    return bad


def _quality(data: MeshData) -> Floats:
    """Radius ratio of the straight simplices, shape (n_cells,)."""
    ratio = np.empty(len(data.cells))
    for part in chunks(len(data.cells)):
        corners = data.points[data.cells[part, : data.dim + 1], : data.dim]
        ratio[part] = _radius_ratio(corners, data.dim)
    return ratio


def _radius_ratio(p: Floats, d: int) -> Floats:
    """Radius ratio of simplices by their corners, shape (n, d + 1, d)."""
    lengths = [np.linalg.norm(p[:, i] - p[:, j], axis=1) for i, j in EDGES[d]]
    measure = np.abs(determinant(p[:, 1:] - p[:, :1])) / (2 if d == 2 else 6)
    with np.errstate(divide="ignore", invalid="ignore"):
        if d == 2:
            a, b, c = lengths
            ratio = 16 * measure**2 / ((a + b + c) * a * b * c)
        else:
            area = np.zeros(len(p))
            for i, j, k in ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)):
                n = np.cross(p[:, j] - p[:, i], p[:, k] - p[:, i])
                area += np.linalg.norm(n, axis=1) / 2
            # Circumscribed radius from the products of opposite edges (Crelle).
            x, y, z = (lengths[i] * lengths[j] for i, j in ((0, 4), (1, 3), (2, 5)))
            root = np.sqrt(np.maximum((x + y + z) * (x + y - z) * (x - y + z) * (y + z - x), 0.0))
            ratio = 9 * measure / area * 24 * measure / root
    return np.nan_to_num(np.minimum(ratio, 1.0), nan=0.0)


def _measure_checks(data: MeshData, measures: dict[str, float]) -> list[Check]:
    """Areas or volumes against the exact values of the description."""
    kind = "area" if data.dim == 2 else "volume"
    checks = []
    for name, value in measures.items():
        exact = data.notes.get(f"{kind}:{name}")
        if not isinstance(exact, int | float) or not exact > 0:
            continue
        given = data.notes.get(f"{kind}_tolerance:{name}")
        limit = float(given) if isinstance(given, int | float) else _MEASURE_LIMIT[data.order]
        error = value / exact - 1
        checks.append(
            Check(f"{kind} of {name}, relative error", error, f"+-{limit:g}", abs(error) <= limit)
        )
    return checks


def _measures(data: MeshData) -> dict[str, float]:
    """Area or volume of each cell group, exact for the elements' own shape [um^dim]."""
    each = np.empty(len(data.cells))
    for part in chunks(len(data.cells)):
        each[part] = _cell_measures(data.points, data.cells[part], data.dim, data.order)
    return {
        name: float(each[data.cell_tags == tag].sum()) for name, tag in data.cell_groups.items()
    }


def _cell_measures(points: Floats, cells: Ints, d: int, order: int) -> Floats:
    if order == 1:
        return np.asarray(jacobians(points, cells, d, 1)[:, 0] / (2 if d == 2 else 6))
    x = points[cells, :d]
    gradient = np.vstack([-np.ones(d), np.eye(d)])
    each = np.zeros(len(cells))
    if d == 2:  # mid-edge rule, degree 2
        rule = [((np.eye(3)[i] + np.eye(3)[j]) / 2, 1 / 6) for i, j in EDGES[2]]
    else:  # Keast's rule of degree 3
        rule = [(np.full(4, 0.25), -4 / 30)]
        rule += [(np.full(4, 1 / 6) + np.eye(4)[i] / 3, 9 / 120) for i in range(4)]
    for bary, weight in rule:
        shape = [(4 * bary[i] - 1) * gradient[i] for i in range(d + 1)]
        shape += [4 * (bary[i] * gradient[j] + bary[j] * gradient[i]) for i, j in EDGES[d]]
        each += weight * determinant(np.einsum("cni,nj->cij", x, np.array(shape)))
    return each
