"""Currents of a solid body: lithium seen from the electrolyte, and a section where most plates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_current import COLOURS, draw_current
from ssbmech.output.figures_current_data import Along, along_electrodes, pieces, read, skin

Floats = NDArray[np.float64]

#: Part of the points that may lie beyond the colours: edges have no largest current.
_OUTSIDE = 0.005


def current_map_solid(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``current_map``: plating on lithium from above; ion current in the section of its largest."""
    electric = summary["electric"]
    curves = along_electrodes(results, electric)
    z = _where(electric, list(curves))
    files = pieces(results)
    section = read(files, section=z)
    if not len(section.cells) or not curves:
        return None
    fig, axes = style.figure(style.DOUBLE, 3.3, 1, 2)
    _surface(fig, axes[0], curves, skin(files), z)
    draw_current(fig, axes[1], section, shrink=0.5)
    for colour, along in zip(COLOURS, curves.values(), strict=False):
        near = np.abs(along.z - z) < 0.02 * max(float(np.ptp(along.z)), 1e-9)
        axes[1].plot(along.x[near], along.y[near], ".", ms=1.5, color=colour)
    axes[1].set_xlabel("x (µm)")
    axes[1].set_ylabel("y (µm)")
    axes[1].set_title(f"section z = {style.number(z)} µm", loc="right")
    for letter, ax in zip("ab", axes, strict=True):
        style.panel(ax, letter)
    return style.save(fig, folder, "current_map", pdf=False)


def _where(electric: dict[str, Any], names: list[str]) -> float:
    """Where along z the largest plating current density is, not on the driven electrode [um]."""
    found = [
        (abs(e["largest"]["plating_current_density"]["value"]), e["largest"]["point_um"][2])
        for e in electric["electrodes"]
        if e["name"] in names and e["largest"] is not None
    ]
    return float(max(found)[1]) if found else 0.0


def _surface(fig: Any, ax: Any, curves: dict[str, Along], facets: Floats, z: float) -> None:
    """Facets of lithium with the plating in their middle, what stands out last."""
    from matplotlib.collections import PolyCollection
    from scipy.spatial import cKDTree

    x, y, depth, plating = (
        np.concatenate([getattr(a, k) for a in curves.values()]) for k in ("x", "y", "z", "plating")
    )
    middle = facets.mean(axis=1)
    away, number = cKDTree(np.stack([x, y, depth], -1)).query(middle)
    size = np.linalg.norm(facets - middle[:, None], axis=2).max(axis=1)
    mine = away < 0.15 * size  # ``current.csv`` has the middles of facets; curved ones are near
    facets, values = facets[mine], plating[number[mine]]
    order = np.argsort(middle[mine][:, 1], kind="stable")
    low, high = np.quantile(values, [_OUTSIDE, 1 - _OUTSIDE])
    beyond = {(0, 0): "neither", (0, 1): "max", (1, 0): "min", (1, 1): "both"}[
        int(values.min() < low), int(values.max() > high)
    ]
    drawn = PolyCollection(
        list(facets[order][:, :, [0, 2]]), array=values[order], cmap=style.CRITICAL_MAP,
        edgecolors="face", linewidths=0.2, rasterized=True,
    )  # fmt: skip
    drawn.set_clim(low, high)
    ax.add_collection(drawn)
    ax.margins(0.0)
    ax.autoscale_view()
    ax.axhline(z, color=style.GREY, lw=0.6, ls=":")
    ax.set_aspect("equal")
    ax.set_xlabel("x (µm)")
    ax.set_ylabel("z (µm)")
    ax.set_title("lithium from the electrolyte", loc="right")
    bar = fig.colorbar(drawn, ax=ax, extend=beyond, shrink=0.8, pad=0.015, aspect=18)
    bar.set_label("plating (mA/cm²)")
