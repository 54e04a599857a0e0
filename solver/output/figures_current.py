"""Currents of a plane or axisymmetric body: where ions flow, and where lithium plates."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.output import figures_style as style

Floats = NDArray[np.float64]

#: Part of the area that may lie beyond the colours: edges have no largest current.
_OUTSIDE = 0.005
_LABEL = "ion current density (mA/cm²)"


def current_map(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``current_map``: size of the ion current with equipotentials; plating along lithium."""
    electric = summary.get("electric")
    pieces = sorted((results / "fields").glob("electric_p*.vtu"))
    if not electric or not pieces or summary["model"] == "3d":
        return None
    points, cells, size, potential = _read(pieces)
    curves = _along(results, electric)
    low, high = points.min(axis=0), points.max(axis=0)
    width = style.DOUBLE - 1.3
    height = float(np.clip(width * (high[1] - low[1]) / (high[0] - low[0]), 0.9, 5.0))
    fig, axes = style.figure(
        style.DOUBLE, height + 2.3, 2, 1, height_ratios=[height, 1.4], sharex=True
    )
    _map(fig, axes[0], points, cells, size, potential)
    axes[0].set_title("equipotentials in white", loc="right")
    for colour, (name, (x, plating)) in zip(_COLOURS, curves.items(), strict=False):
        axes[1].plot(x, plating, ".", ms=2.5, color=colour, label=name)
    _means(axes[1], electric, list(curves))
    names = ("r", "z") if summary["model"] == "axisymmetric" else ("x", "y")
    axes[0].set_ylabel(f"{names[1]} (µm)")
    axes[1].set_xlabel(f"{names[0]} (µm)")
    axes[1].set_ylabel("plating (mA/cm²)")
    axes[1].legend(loc="best", markerscale=3)
    for letter, ax in zip("ab", axes, strict=True):
        style.panel(ax, letter)
    return style.save(fig, folder, "current_map", pdf=False)


_COLOURS = (style.BLUE, style.RED, style.GREEN, style.ORANGE, style.PINK)


def _map(
    fig: Any, ax: Any, points: Floats, cells: NDArray[np.int64], size: Floats, potential: Floats
) -> None:
    x = points[cells][:, :, :2]
    a, b = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
    areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    top = style.quantile(size[cells].mean(axis=1), areas, 1 - _OUTSIDE)
    top = style.rounded(top, up=True) if top > 0 else 1.0
    beyond = "max" if size.max() > top else "neither"
    drawn = ax.tripcolor(
        points[:, 0], points[:, 1], cells, size, shading="gouraud", cmap=style.CRITICAL_MAP,
        vmin=0.0, vmax=top, rasterized=True,
    )  # fmt: skip
    if np.ptp(potential) > 1e-9 * max(float(np.abs(potential).max()), 1e-300):
        ax.tricontour(
            points[:, 0], points[:, 1], cells, potential, levels=12, colors="white",
            linewidths=0.4, alpha=0.8,
        )  # fmt: skip
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)
    label = _LABEL + (", clipped" if beyond == "max" else "")
    bar = fig.colorbar(drawn, ax=ax, extend=beyond, shrink=0.95, pad=0.015, aspect=14)
    bar.set_label(label.replace(" (", "\n("))


def _means(ax: Any, electric: dict[str, Any], names: list[str]) -> None:
    for colour, name in zip(_COLOURS, names, strict=False):
        for electrode in electric["electrodes"]:
            if electrode["name"] == name:
                mean = electrode["mean_plating_current_density"]["value"]
                ax.axhline(mean, color=colour, lw=0.7, ls="--")
    ax.margins(x=0.02)


def _along(results: Path, electric: dict[str, Any]) -> dict[str, tuple[Floats, Floats]]:
    """Electrodes other than the driven one: x [um] and plating current density [mA/cm^2]."""
    path = results / "current.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        found: dict[str, list[tuple[float, float]]] = {}
        for row in rows:
            if row[0] != electric["driven"]:
                found.setdefault(row[0], []).append((float(row[1]), float(row[4])))
    except (OSError, ValueError, IndexError) as error:
        raise OutputError(f"cannot be read: {error}", key=str(path)) from None
    return {
        name: (np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
        for name, pairs in found.items()
    }


def _read(files: list[Path]) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    """Points [um], triangles, size of the current [mA/cm^2] and potential [mV] of all pieces."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    parts: list[tuple[Floats, NDArray[np.int64], Floats, Floats]] = []
    start = 0
    for path in files:
        reader = vtkXMLUnstructuredGridReader()
        reader.SetFileName(str(path))
        reader.Update()
        grid = reader.GetOutput()
        data = grid.GetPointData()
        size = data.GetArray("current_size_mA_per_cm2")
        potential = data.GetArray("potential_mV")
        if size is None or potential is None:
            raise OutputError("not electric fields of ssbmech", key=str(path))
        points = np.array(vtk_to_numpy(grid.GetPoints().GetData()), float)
        offsets = np.array(vtk_to_numpy(grid.GetCells().GetOffsetsArray()), np.int64)[:-1]
        nodes = np.array(vtk_to_numpy(grid.GetCells().GetConnectivityArray()), np.int64)
        cells = nodes[offsets[:, None] + np.arange(3)]
        ghost = grid.GetCellData().GetArray("vtkGhostType")
        if ghost is not None:  # cells of a neighbouring process would count twice
            cells = cells[(np.ravel(vtk_to_numpy(ghost)).astype(int) & 1) == 0]
        values = [np.ravel(np.array(vtk_to_numpy(a), float)) for a in (size, potential)]
        parts.append((points, cells + start, values[0], values[1]))
        start += len(points)
    p, c, s, v = zip(*parts, strict=True)
    return np.concatenate(p), np.concatenate(c), np.concatenate(s), np.concatenate(v)
