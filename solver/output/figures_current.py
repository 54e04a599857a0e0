"""Currents of a plane or axisymmetric body: where ions flow, and where lithium plates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_current_data import (
    Along,
    ElectricFields,
    along_electrodes,
    pieces,
    read,
)

Floats = NDArray[np.float64]

#: Part of the area that may lie beyond the colours: edges have no largest current.
_OUTSIDE = 0.005
_LABEL = "ion current density (mA/cm²)"
COLOURS = (style.BLUE, style.RED, style.GREEN, style.ORANGE, style.PINK)


def current_map(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``current_map``: ion current with equipotentials; plating; where lithium could form."""
    electric, files = summary.get("electric"), pieces(results)
    if not electric or not files:
        return None
    if summary["model"] == "3d":
        from ssbmech.output.figures_current_solid import current_map_solid

        return current_map_solid(results, folder, summary)
    fields = read(files)
    curves = along_electrodes(results, electric)
    low, high = fields.points.min(axis=0), fields.points.max(axis=0)
    width = style.DOUBLE - 1.3
    maps = 1 if fields.lithium is None else 2
    most = 5.0 if maps == 1 else 3.4
    height = float(np.clip(width * (high[1] - low[1]) / (high[0] - low[0]), 0.9, most))
    ratios = [height, *[height] * (maps - 1), 1.4]
    fig, axes = style.figure(
        style.DOUBLE, maps * height + 2.0 + 0.3 * maps, maps + 1, 1, height_ratios=ratios,
        sharex=True,
    )  # fmt: skip
    draw_current(fig, axes[0], fields)
    for colour, along in zip(COLOURS, curves.values(), strict=False):
        axes[0].plot(along.x, along.y, ".", ms=1.2, color=colour)
    axes[0].set_title("equipotentials in white", loc="right")
    if maps == 2:
        _lithium(fig, axes[1], fields, electric["leakage"])
    _plating(axes[-1], curves, electric)
    names = ("r", "z") if summary["model"] == "axisymmetric" else ("x", "y")
    for ax in axes[:-1]:
        ax.set_ylabel(f"{names[1]} (µm)")
    axes[-1].set_xlabel(f"{names[0]} (µm)")
    for letter, ax in zip("abc", axes, strict=False):
        style.panel(ax, letter)
    return style.save(fig, folder, "current_map", pdf=False)


def draw_current(fig: Any, ax: Any, fields: ElectricFields, *, shrink: float = 0.95) -> None:
    """The size of the ion current, with equipotentials in white and edges of the mesh in black."""
    points, cells, size = fields.points, fields.cells, fields.size
    x = points[cells][:, :, :2]
    a, b = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
    areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    mean = size[cells].mean(axis=1)
    top = style.quantile(mean, areas, 1 - _OUTSIDE)
    top = style.rounded(top, up=True) if top > 0 else 1.0
    bottom = style.rounded(style.quantile(mean, areas, _OUTSIDE), up=False)
    if bottom < 0.3 * top or top - bottom < 0.05 * top:  # small differences are no pattern
        bottom = 0.0
    beyond = {(0, 0): "neither", (0, 1): "max", (1, 0): "min", (1, 1): "both"}[
        int(size.min() < bottom), int(size.max() > top)
    ]
    drawn = ax.tripcolor(
        points[:, 0], points[:, 1], cells, size, shading="gouraud", cmap=style.CRITICAL_MAP,
        vmin=bottom, vmax=top, rasterized=True,
    )  # fmt: skip
    if np.ptp(fields.potential) > 1e-9 * max(float(np.abs(fields.potential).max()), 1e-300):
        ax.tricontour(
            points[:, 0], points[:, 1], cells, fields.potential, levels=12, colors="white",
            linewidths=0.4, alpha=0.8,
        )  # fmt: skip
    _dress(ax, fields)
    label = _LABEL + (", clipped" if beyond != "neither" else "")
    bar = fig.colorbar(drawn, ax=ax, extend=beyond, shrink=shrink, pad=0.015, aspect=14)
    bar.set_label(label.replace(" (", "\n("))


def _dress(ax: Any, fields: ElectricFields) -> None:
    from matplotlib.collections import LineCollection

    lines = fields.points[fields.outline][:, :, :2]
    ax.add_collection(LineCollection(list(lines), colors=style.BLACK, linewidths=0.3))
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)


def _lithium(fig: Any, ax: Any, fields: ElectricFields, leakage: dict[str, Any]) -> None:
    """Potential of lithium: below zero it could form; the level of the threshold in black."""
    assert fields.lithium is not None
    points, cells, values = fields.points, fields.cells, fields.lithium
    size = np.sort(np.abs(values))[int(0.98 * (len(values) - 1))]
    most = style.rounded(float(size), up=True) or 1.0
    drawn = ax.tripcolor(
        points[:, 0], points[:, 1], cells, values, shading="gouraud", cmap="RdBu", vmin=-most,
        vmax=most, rasterized=True,
    )  # fmt: skip
    threshold = leakage["threshold"]["value"]
    if values.min() < threshold < values.max():
        ax.tricontour(
            points[:, 0], points[:, 1], cells, values, levels=[threshold], colors=style.BLACK,
            linewidths=0.9,
        )  # fmt: skip
    at = np.array([site["point_um"] for site in leakage["sites"]]).reshape(-1, 3)
    if len(at):
        ax.plot(at[:, 0], at[:, 1], "o", ms=3.2, mfc="none", mec=style.BLACK, mew=0.6)
    _dress(ax, fields)
    ax.set_title("could form where red; circles: sites", loc="right")
    beyond = np.abs(values).max() > most
    bar = fig.colorbar(
        drawn, ax=ax, extend="both" if beyond else "neither", shrink=0.95, pad=0.015, aspect=14
    )
    bar.set_label("potential of lithium\nagainst the metal (mV)")


def _plating(ax: Any, curves: dict[str, Along], electric: dict[str, Any]) -> None:
    for colour, (name, along) in zip(COLOURS, curves.items(), strict=False):
        ax.plot(along.x, along.plating, ".", ms=2.5, color=colour, label=name)
    for colour, name in zip(COLOURS, curves, strict=False):
        for electrode in electric["electrodes"]:
            if electrode["name"] == name:
                mean = electrode["mean_plating_current_density"]["value"]
                ax.axhline(mean, color=colour, lw=0.7, ls="--")
    ax.margins(x=0.02)
    ax.set_ylabel("plating (mA/cm²)")
    ax.legend(loc="best", markerscale=3)
