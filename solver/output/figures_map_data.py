"""What a map of a body without a crack shows: stresses material by material, limits, lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import Fields, mesh_groups, read_case

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The part of a material that may lie outside the colours, at either end.
_OUTSIDE = 0.01
#: A material of less than this part of the body has no say in the limits.
_MINOR = 0.002
#: A field of which the largest and smallest value are as near as that is called uniform.
_UNIFORM = 1e-4


@dataclass(frozen=True)
class Quantity:
    """A stress to be mapped.

    Attributes:
        values: At the vertices [MPa], shape (n,).
        label: For the colour bar, with the unit.
        bottom: Lower limit of the colours [MPa].
        top: Upper limit.
        extend: Where values lie beyond, as colour bars of matplotlib say it.
        kind: ``tension`` is red where positive, ``pressure`` blue, ``amount`` has no sign.
    """

    values: Floats
    label: str
    bottom: float
    top: float
    extend: str
    kind: str

    @property
    def colours(self) -> Any:
        """Colour map: red for tension and blue for compression, pale at zero."""
        import matplotlib

        if self.kind == "amount":
            return matplotlib.colormaps[style.CRITICAL_MAP]
        flip = self.kind == "pressure"
        low, high = (-self.top, -self.bottom) if flip else (self.bottom, self.top)
        if low > 0.5 * high > 0:  # far from zero: use all the colours of that side
            colours = matplotlib.colormaps["YlOrRd"]
        elif high < 0.5 * low < 0:
            colours = matplotlib.colormaps["YlGnBu_r"]
        else:
            colours = style.stress_map(low, high)
        return colours.reversed() if flip else colours


def group_names(results: Path, fields: Fields) -> dict[int, str]:
    """Number of each material of the fields to the name of its group, where that is known."""
    tags = (mesh_groups(results) or {}).get(fields.dim, {})
    present = set(np.unique(fields.material).astype(int).tolist())
    return {tag: name for name, tag in tags.items() if tag in present}


def quantities(
    fields: Fields, names: dict[int, str], summary: dict[str, Any]
) -> list[Quantity]:  # fmt: skip
    """Tension, then pressure (with lithium or swelling) or the von Mises stress, then hoop stress.

    Args:
        fields: Material by material, see `apart`.
        names: From `group_names`.
        summary: Of the run.
    """
    s = fields.scalars
    squeezed = bool(summary.get("mean_pressures")) or "lithium" in names.values()
    wanted = [("largest principal stress (MPa)", s["max_principal_MPa"], "tension")]
    if squeezed and "hydrostatic_MPa" in s:
        wanted.append(("mean pressure (MPa)", -s["hydrostatic_MPa"], "pressure"))
    elif "von_mises_MPa" in s:
        wanted.append(("von Mises stress (MPa)", s["von_mises_MPa"], "amount"))
    if summary["model"] == "axisymmetric" and "stress_tt_MPa" in s:
        wanted.append((r"hoop stress $\sigma_\theta$ (MPa)", s["stress_tt_MPa"], "tension"))
    stresses = [v for name, v in s.items() if name.endswith("_MPa")]
    scale = max(float(np.abs(v).max()) for v in stresses)
    found = []
    for label, values, kind in wanted:
        bottom, top, extend = limits(values, fields, scale, tension=kind == "tension")
        if np.abs(values).max() <= 1e-6 * scale:
            label = f"{label}, 0 throughout"
        elif np.ptp(values) < _UNIFORM * np.abs(values).max():
            label = f"{label}, {style.number(float(values.mean()))} throughout"
        found.append(Quantity(values, label, bottom, top, extend, kind))
    return found


def limits(
    values: Floats, fields: Fields, scale: float, *, tension: bool = False
) -> tuple[float, float, str]:
    """Limits that a corner without a limit of its own does not decide, and where values go beyond.

    Every material is seen: the limits take in all but the last hundredth of each. Both are
    as far from zero where both signs matter; zero is one of them where it is near.

    Args:
        values: At the vertices [MPa], shape (n,).
        fields: Their mesh.
        scale: Largest stress of the body [MPa]; what is 1e-6 of it is zero.
        tension: Positive values matter more: a larger compression is left out.
    """
    centre = values[fields.cells].mean(axis=1)
    measures = fields.measures()
    ends = []
    for material in np.unique(fields.material):
        mine = fields.material == material
        if measures[mine].sum() >= _MINOR * measures.sum():
            ends.append([style.quantile(centre[mine], measures[mine], q)
                         for q in (_OUTSIDE, 1 - _OUTSIDE)])  # fmt: skip
    low, high = (float(f([e[k] for e in ends])) for k, f in ((0, min), (1, max)))
    size = max(abs(low), abs(high))
    if size <= 1e-6 * scale or scale == 0:
        unit = style.handy(1e-3 * scale) if scale > 0 else 1.0
        return -unit, unit, "neither"
    if tension and high > 0.05 * size:
        low, size = max(low, -high), high
    if high - low < _UNIFORM * size:
        low, high = min(low, 0.0), max(high, 0.0)
    elif min(-low, high) > 0.15 * size:
        low, high = -size, size
    elif abs(low) < 0.5 * high:
        low = min(low, 0.0)
    elif abs(high) < -0.5 * low:
        high = max(high, 0.0)
    bottom, top = style.rounded(low, up=False), style.rounded(high, up=True)
    if top - bottom < 0.5 * (high - low) or top - bottom > 2 * (high - low):
        bottom, top = low, high  # two digits do not tell such limits apart
    below, above = float(values.min()) < bottom, float(values.max()) > top
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]
    return bottom, top, extend


def stiffness(results: Path, summary: dict[str, Any], name: str) -> float | None:
    """Young's modulus, or C11 of a crystal, of a material group [Pa]; None for a formula."""
    from ssbmech.errors import SsbmechError
    from ssbmech.units import quantity

    given = read_case(results).get("materials", {}).get(name) or {}
    sources = summary.get("record", {}).get("materials", {})
    for key in ("E", "C11"):
        text = str(given.get(key) or sources.get(f"{name}.{key}", "")).split(":")[0]
        try:
            return quantity(text, "pressure")
        except SsbmechError:
            continue
    return None


def apart(fields: Fields, order: list[int]) -> Fields:
    """Materials with vertices of their own, so that the stress may jump from one to the next.

    The fields hold the stress of the stiffest material at a vertex where some meet. The others
    get there the mean of their own vertices near by.

    Args:
        fields: With shared vertices.
        order: Materials from the softest to the stiffest.
    """
    if len(order) < 2:
        return fields
    rank = np.full(int(max(order)) + 1, -1)
    rank[order] = np.arange(len(order))
    mine = rank[fields.material.astype(int)]
    n = len(fields.points)
    stiffest = np.full(n, -1)
    np.maximum.at(stiffest, fields.cells.ravel(), np.repeat(mine, fields.cells.shape[1]))
    keys = fields.cells + n * mine[:, None]
    used, cells = np.unique(keys, return_inverse=True)
    cells = cells.reshape(fields.cells.shape)
    node, layer = used % n, used // n
    known = layer == stiffest[node]
    names = list(fields.scalars)
    values = np.column_stack([fields.scalars[name][node] for name in names])
    values = _filled(values, known, cells)
    return Fields(
        fields.points[node], cells, fields.displacement[node],
        {name: values[:, k] for k, name in enumerate(names)},
        fields.material, fields.grain, fields.mirrors,
    )  # fmt: skip


def _filled(values: Floats, known: NDArray[np.bool_], cells: Ints) -> Floats:
    """Unknown rows as the mean over the known corners of their cells, cell by cell inwards out."""
    values, known = values.copy(), known.copy()
    while not known.all():
        open_cells = cells[known[cells].any(axis=1) & ~known[cells].all(axis=1)]
        if not len(open_cells):
            return values  # a layer without vertices of its own keeps what is there
        weight = known[open_cells].astype(float)
        mean = np.einsum("mc,mck->mk", weight, values[open_cells]) / weight.sum(axis=1)[:, None]
        total, count = np.zeros_like(values), np.zeros(len(values))
        for corner in open_cells.T:
            np.add.at(total, corner, mean)
            np.add.at(count, corner, 1.0)
        new = ~known & (count > 0)
        values[new] = total[new] / count[new, None]
        known |= new
    return values


def facets_between(cells: Ints, region: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Facets on the boundary and between regions.

    Args:
        cells: Vertices of simplices, shape (m, d + 1).
        region: Of each cell, shape (m,).

    Returns:
        Boundary facets (n, d) and their cells (n,), facets between regions (k, d) and their two
        cells (k, 2).
    """
    width = cells.shape[1]
    corners = [[j for j in range(width) if j != i] for i in range(width)]
    every = np.sort(cells[:, corners].reshape(-1, width - 1), axis=1)
    owner = np.repeat(np.arange(len(cells)), width)
    order = np.lexsort(every.T[::-1])
    every, owner = every[order], owner[order]
    same = (every[1:] == every[:-1]).all(axis=1)
    alone = np.ones(len(every), bool)
    alone[1:] &= ~same
    alone[:-1] &= ~same
    pairs = np.column_stack([owner[:-1][same], owner[1:][same]])
    shared = every[:-1][same]
    differs = region[pairs[:, 0]] != region[pairs[:, 1]]
    return every[alone], owner[alone], shared[differs], pairs[differs]


@dataclass(frozen=True)
class Kinds:
    """Facets by how they are drawn, each of shape (n, d).

    Attributes:
        outline: On the boundary: outside, voids, cracks.
        electrode: Between lithium and another material (all interfaces where names are unknown).
        interface: Between other materials.
        grains: Between grains of one material.
    """

    outline: Ints
    electrode: Ints
    interface: Ints
    grains: Ints

    def each(self, change: Callable[[Ints], Any]) -> dict[str, Any]:
        """Name of each kind to what a function makes of its facets, from thin to thick."""
        order = ("grains", "interface", "outline", "electrode")
        return {name: change(getattr(self, name)) for name in order}


def kinds(fields: Fields, names: dict[int, str]) -> Kinds:
    """Facets to be drawn, from fields in which materials share vertices."""
    material, grain = fields.material.astype(np.int64), fields.grain.astype(np.int64)
    region = material * (int(grain.max(initial=0)) + 1) + grain
    outline, _, between, pairs = facets_between(fields.cells, region)
    tags = material[pairs]
    within = tags[:, 0] == tags[:, 1]
    lithium = [tag for tag, name in names.items() if name == "lithium"]
    at_lithium = np.isin(tags, lithium).any(axis=1) if names else np.ones(len(tags), bool)
    return Kinds(
        outline, between[~within & at_lithium], between[~within & ~at_lithium], between[within]
    )
