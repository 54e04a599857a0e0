"""What pictures of currents are drawn from: the electric fields and ``current.csv`` of a run."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Along:
    """Points of an electrode [um] and its plating current density there [mA/cm^2]."""

    x: Floats
    y: Floats
    z: Floats
    plating: Floats


@dataclass(frozen=True)
class ElectricFields:
    """Electric fields of a plane body, or of a plane section of a solid one.

    Attributes:
        points: [um], shape (n, 3).
        cells: Triangles, shape (m, 3).
        size: Of the ion current density [mA/cm^2].
        potential: Of the ions [mV].
        lithium: Potential of lithium against the metal [mV], or None without electrons.
        outline: Ends of the edges of one triangle alone: outline, cracks, boundaries that were cut;
            shape (k, 2), empty for fields of several processes.
    """

    points: Floats
    cells: Ints
    size: Floats
    potential: Floats
    lithium: Floats | None
    outline: Ints


def along_electrodes(results: Path, electric: dict[str, Any]) -> dict[str, Along]:
    """Electrodes other than the driven one, from ``current.csv``.

    Raises:
        OutputError: For a file that cannot be read.
    """
    path = results / "current.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        found: dict[str, list[list[float]]] = {}
        for row in rows:
            if row[0] != electric["driven"]:
                found.setdefault(row[0], []).append([float(v) for v in row[1:5]])
    except (OSError, ValueError, IndexError) as error:
        raise OutputError(f"cannot be read: {error}", key=str(path)) from None
    return {name: Along(*np.array(rows).T) for name, rows in found.items()}


def pieces(results: Path) -> list[Path]:
    """Files of the electric fields, one for each process."""
    return sorted((results / "fields").glob("electric_p*.vtu"))


def read(files: list[Path], *, section: float | None = None) -> ElectricFields:
    """Fields of all pieces.

    Args:
        files: One per process.
        section: Of a solid body the plane z = ``section`` [um].

    Raises:
        OutputError: For other files.
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy

    parts, start = [], 0
    for path in files:
        grid = _grid(path)
        if section is not None:
            grid = _cut(grid, section)
        data = grid.GetPointData()
        names = ("current_size_mA_per_cm2", "potential_mV", "lithium_potential_mV")
        arrays = [data.GetArray(name) for name in names]
        points = np.array(vtk_to_numpy(grid.GetPoints().GetData()), float)
        values = [None if a is None else np.ravel(np.array(vtk_to_numpy(a), float)) for a in arrays]
        parts.append((points, _triangles(grid, section) + start, *values))
        start += len(points)
    p, c, size, potential, lithium = zip(*parts, strict=True)
    cells = np.concatenate(c)
    return ElectricFields(
        np.concatenate(p), cells, np.concatenate(size), np.concatenate(potential),
        None if lithium[0] is None else np.concatenate(lithium),
        _single_edges(cells) if len(files) == 1 and section is None else np.empty((0, 2), np.int64),
    )  # fmt: skip


def skin(files: list[Path]) -> Floats:
    """Corners of the facets of a solid body that belong to one cell of a piece, (n, 3, 3) [um]."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    found = []
    for path in files:
        grid = _grid(path)
        points = np.array(vtk_to_numpy(grid.GetPoints().GetData()), float)
        offsets = np.array(vtk_to_numpy(grid.GetCells().GetOffsetsArray()), np.int64)[:-1]
        nodes = np.array(vtk_to_numpy(grid.GetCells().GetConnectivityArray()), np.int64)
        cells = nodes[offsets[:, None] + np.arange(4)]
        local = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
        facets = np.sort(cells[:, local].reshape(-1, 3), axis=1)
        facets, count = np.unique(facets, axis=0, return_counts=True)
        found.append(points[facets[count == 1]])
    return np.concatenate(found)


def _grid(path: Path) -> Any:
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    reader = vtkXMLUnstructuredGridReader()
    reader.SetFileName(str(path))
    reader.Update()
    grid = reader.GetOutput()
    data = grid.GetPointData()
    if any(data.GetArray(n) is None for n in ("current_size_mA_per_cm2", "potential_mV")):
        raise OutputError("not electric fields of ssbmech", key=str(path))
    return grid


def _cut(grid: Any, z: float) -> Any:
    from vtkmodules.vtkCommonDataModel import vtkPlane
    from vtkmodules.vtkFiltersCore import vtkCutter

    plane = vtkPlane()
    plane.SetOrigin(0.0, 0.0, z)
    plane.SetNormal(0.0, 0.0, 1.0)
    cutter = vtkCutter()
    cutter.SetCutFunction(plane)
    cutter.SetInputData(grid)
    cutter.GenerateTrianglesOn()
    cutter.Update()
    return cutter.GetOutput()


def _triangles(grid: Any, section: float | None) -> Ints:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    cells = grid.GetCells() if section is None else grid.GetPolys()
    offsets = np.array(vtk_to_numpy(cells.GetOffsetsArray()), np.int64)[:-1]
    nodes = np.array(vtk_to_numpy(cells.GetConnectivityArray()), np.int64)
    found = nodes[offsets[:, None] + np.arange(3)]
    ghost = grid.GetCellData().GetArray("vtkGhostType")
    if ghost is not None:  # cells of a neighbouring process would count twice
        found = found[(np.ravel(vtk_to_numpy(ghost)).astype(int) & 1) == 0]
    return found


def _single_edges(cells: Ints) -> Ints:
    edges = np.sort(cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    found, count = np.unique(edges, axis=0, return_counts=True)
    return np.asarray(found[count == 1])
