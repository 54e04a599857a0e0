"""A results folder read back for drawing: summary, line ahead of the tip, fields. No DOLFINx."""

from __future__ import annotations

import json
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError

DISPLACEMENT = "displacement_um"
#: Point arrays that do not change when the body is mirrored.
_EVEN = ("max_principal_MPa", "von_mises_MPa", "hydrostatic_MPa", "stress_tt_MPa")
#: Blocks of a geometry that describe flaws, with the key of their size.
_FLAWS = (("crack", "a"), ("protrusion", "height"), ("void", "radius"))
#: Nothing that is so many flaw sizes away is in the picture of the flaw.
FAR = 8.0
_VERTICES = {5: 3, 22: 3, 69: 3, 10: 4, 24: 4, 71: 4}  # VTK cell type to vertices of the simplex


@dataclass(frozen=True)
class Fields:
    """Fields at the vertices of a simplex mesh.

    Attributes:
        points: [um], shape (n, 3).
        cells: Vertex numbers, shape (m, 3) for a plane body or (m, 4).
        displacement: [um], shape (n, 3).
        scalars: Name to values at the vertices, shape (n,).
        material: Number of the material of each cell, shape (m,).
        grain: Number of the grain of each cell, 0 outside grains, shape (m,).
        mirrors: Axes along which the body was mirrored at coordinate 0.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    displacement: NDArray[np.float64]
    scalars: dict[str, NDArray[np.float64]]
    material: NDArray[np.float64]
    grain: NDArray[np.float64]
    mirrors: tuple[int, ...] = ()

    @property
    def dim(self) -> int:
        """2 for a plane body, 3 for a solid."""
        return self.cells.shape[1] - 1

    def measures(self) -> NDArray[np.float64]:
        """Areas [um^2] or volumes [um^3] of the cells, shape (m,)."""
        x = self.points[self.cells]
        edges = (x[:, 1:] - x[:, :1])[:, :, : self.dim]
        return np.abs(np.linalg.det(edges)) / (2.0 if self.dim == 2 else 6.0)


def read_summary(results: Path) -> dict[str, Any]:
    """``summary.json``.

    Raises:
        OutputError: If it is missing or not a summary.
    """
    path = results / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OutputError(
            "no summary.json here", key="directory", value=str(results),
            hint="Give the folder that `ssbmech run CASE.toml -o DIR` wrote",
        ) from None  # fmt: skip
    except ValueError as error:
        raise OutputError(f"not valid JSON: {error}", key=str(path)) from None
    if not isinstance(summary, dict) or "quantities" not in summary:
        raise OutputError(
            "not a summary of ssbmech", key=str(path), allowed="an object with `quantities`"
        )
    return summary


def read_ahead(results: Path) -> dict[str, NDArray[np.float64]] | None:
    """Columns of ``ahead.csv`` by name, each of shape (n,), or None without the file.

    Raises:
        OutputError: If it cannot be read as a table.
    """
    path = results / "ahead.csv"
    if not path.is_file():
        return None
    names = path.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2, encoding="utf-8")
    except ValueError as error:
        raise OutputError(f"not a table of numbers: {error}", key=str(path)) from None
    if table.shape[1] != len(names) or len(names) < 4:
        raise OutputError(
            "unexpected columns", key=str(path), value=len(names),
            allowed="r, normal stress, largest principal stress, K field",
        )  # fmt: skip
    keys = ("r", "normal", "principal", "K_field")
    return {key: table[:, i] for i, key in enumerate(keys)}


def read_case(results: Path) -> dict[str, Any]:
    """The resolved case, or an empty one where the folder has none that can be read."""
    try:
        return tomllib.loads((results / "case.resolved.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def flaw_size(results: Path, summary: dict[str, Any]) -> float | None:
    """Size of the flaw [um]: of the criterion, of the case, or from the rings; else None."""
    known = (summary.get("porz") or {}).get("flaw_size")
    if known:
        return float(known["value"])
    from ssbmech.errors import SsbmechError
    from ssbmech.units import quantity

    case = read_case(results)
    geometry = case.get("geometry") or {}
    blocks = [(case.get("crack"), "size"), (geometry, "a"), (geometry, "length")]
    blocks += [(geometry.get(name), key) for name, key in _FLAWS]
    for block, key in blocks:
        found = []
        for one in block if isinstance(block, list) else [block or {}]:
            try:
                found.append(quantity(one[key], "length") * 1e6)
            except (SsbmechError, KeyError):
                continue
        if found:
            return max(found)
    rings = [r["outer_um"] for r in summary.get("rings", [])]
    return 1.5 * max(rings) if rings else None


def governing_front(summary: dict[str, Any]) -> tuple[dict[str, Any], int] | None:
    """The front with the largest K_I (J where there is none) and the point where it is, or None."""
    best: tuple[float, dict[str, Any], int] | None = None
    for front in summary.get("fronts", []):
        values = (front.get("K_I") or front.get("J") or {"values": []})["values"]
        if len(values) and (best is None or max(values) > best[0]):
            best = (max(values), front, int(np.argmax(values)))
    return None if best is None else best[1:]


def field_files(results: Path) -> list[Path]:
    """VTU files of the last step of ``fields/fields.pvd``; empty without fields.

    Raises:
        OutputError: If a file that the collection names is missing or cannot be read.
    """
    pvd = results / "fields" / "fields.pvd"
    if not pvd.is_file():
        return []
    sets = [(float(e.get("timestep", "0")), e.get("file", "")) for e in _tree(pvd).iter("DataSet")]
    if not sets:
        return []
    last = max(t for t, _ in sets)
    files: list[Path] = []
    for path in (pvd.parent / name for t, name in sets if t == last):
        if path.suffix == ".pvtu":
            pieces = [e.get("Source", "") for e in _tree(path).iter("Piece")]
            files += [path.parent / name for name in pieces]
        else:
            files.append(path)
    for path in files:
        if not path.is_file():
            raise OutputError(
                "a piece of the fields is missing", key=str(path),
                hint="Copy the whole folder `fields`",
            )  # fmt: skip
    return files


def _tree(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()
    except (OSError, ET.ParseError) as error:
        raise OutputError(f"cannot be read: {error}", key=str(path)) from None


def read_fields(results: Path) -> Fields | None:
    """The last step of the fields, the pieces of all processes joined, or None without fields.

    Raises:
        OutputError: If the files cannot be read or are not fields of ssbmech.
    """
    pieces = [_piece(path) for path in field_files(results)]
    pieces = [p for p in pieces if len(p.cells)]
    if not pieces:
        return None
    return pieces[0] if len(pieces) == 1 else _joined(pieces)


def _piece(path: Path) -> Fields:
    try:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader
    except ImportError:
        raise OutputError(
            "VTK is not installed", key="figures", hint="Install pyvista (it brings VTK)"
        ) from None
    reader = vtkXMLUnstructuredGridReader()
    reader.SetFileName(str(path))
    reader.Update()
    grid = reader.GetOutput()

    def arrays(data: Any) -> dict[str, NDArray[np.float64]]:
        return {
            data.GetArrayName(i): np.array(vtk_to_numpy(data.GetArray(i)))
            for i in range(data.GetNumberOfArrays())
        }

    at_points, at_cells = arrays(grid.GetPointData()), arrays(grid.GetCellData())
    if grid.GetNumberOfPoints() == 0 or DISPLACEMENT not in at_points:
        if grid.GetNumberOfPoints() == 0 and grid.GetNumberOfCells() == 0 and at_points:
            empty = np.zeros((0, 3))
            none = np.zeros(0)
            return Fields(empty, np.zeros((0, 3), np.int64), empty, {}, none, none)
        raise OutputError(f"no point array {DISPLACEMENT!r}", key=str(path))
    points = np.array(vtk_to_numpy(grid.GetPoints().GetData()), float)
    kinds = np.array(vtk_to_numpy(grid.GetCellTypes()), int)
    corners = _VERTICES.get(int(kinds[0])) if (kinds == kinds[0]).all() else None
    if corners is None:
        raise OutputError(
            "cells of this kind cannot be drawn", key=str(path), value=sorted(set(kinds.tolist())),
            allowed="VTK types " + ", ".join(map(str, sorted(_VERTICES))),
        )  # fmt: skip
    offsets = np.array(vtk_to_numpy(grid.GetCells().GetOffsetsArray()), np.int64)[:-1]
    nodes = np.array(vtk_to_numpy(grid.GetCells().GetConnectivityArray()), np.int64)
    cells = nodes[offsets[:, None] + np.arange(corners)]
    material = np.ravel(at_cells.get("material", np.ones(len(cells))))
    grain = np.ravel(at_cells.get("grain", np.zeros(len(cells))))
    ghost = at_cells.get("vtkGhostType")
    if ghost is not None:
        own = (np.ravel(ghost).astype(int) & 1) == 0
        cells, material, grain = cells[own], material[own], grain[own]
    scalars = {k: np.array(v, float) for k, v in at_points.items() if v.ndim == 1}
    u = np.array(at_points[DISPLACEMENT], float)
    return Fields(points, cells, u, scalars, material, grain)


def _joined(pieces: list[Fields]) -> Fields:
    """Pieces side by side, with one point where place and displacement agree.

    Place alone is not enough: the two faces of a crack lie on each other and must stay apart.
    """
    points = np.concatenate([p.points for p in pieces])
    u = np.concatenate([p.displacement for p in pieces])
    starts = np.cumsum([0] + [len(p.points) for p in pieces])
    cells = np.concatenate([p.cells + s for p, s in zip(pieces, starts, strict=False)])
    names = [n for n in pieces[0].scalars if all(n in p.scalars for p in pieces)]
    scalars = {n: np.concatenate([p.scalars[n] for p in pieces]) for n in names}

    def whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint(values / (1e-8 * max(float(np.abs(values).max()), 1e-300))).astype(np.int64)

    key = np.column_stack([whole(points), whole(u)])
    _, first, number = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return Fields(
        points[first],
        np.ravel(number)[cells],
        u[first],
        {n: v[first] for n, v in scalars.items()},
        np.concatenate([p.material for p in pieces]),
        np.concatenate([p.grain for p in pieces]),
        pieces[0].mirrors,
    )


def mesh_groups(results: Path) -> dict[int, dict[str, int]] | None:
    """Names of the mesh's groups with their tags, by dimension; None where no mesh was kept."""
    path = results / "mesh.msh"
    if not path.is_file():
        return None
    found: dict[int, dict[str, int]] = {}
    with path.open("rb") as file:  # the names stand in text before anything binary
        for line in file:
            if line.startswith((b"$EndPhysicalNames", b"$Entities", b"$Nodes")):
                break
            words = line.decode("utf-8", "replace").strip().split(" ", 2)
            if len(words) == 3 and words[2].startswith('"'):
                found.setdefault(int(words[0]), {})[words[2].strip('"')] = int(words[1])
    return found


def symmetry_planes(results: Path, summary: dict[str, Any]) -> tuple[int, ...]:
    """Axes whose plane through 0 is one of symmetry, by name: a side that slides need not be one.

    They are the groups ``symmetry_x``, ``symmetry_y``, ``symmetry_z`` and ``axis``, the axis of
    an axisymmetric body, and the plane on which the case says that its crack lies. Without names
    (no mesh was kept) a body with a crack may have any.
    """
    axes = "xyz"
    groups = mesh_groups(results)
    planes = {0} if summary.get("model") == "axisymmetric" else set()
    on_crack = (read_case(results).get("crack") or {}).get("symmetry")
    if isinstance(on_crack, str) and on_crack in axes:
        planes.add(axes.index(on_crack))
    if groups is None:
        return (0, 1, 2) if summary.get("fronts") else tuple(sorted(planes))
    names = {name for by_name in groups.values() for name in by_name}
    planes |= {i for i, axis in enumerate(axes) if f"symmetry_{axis}" in names}
    if "axis" in names:
        planes.add(0)
    return tuple(sorted(planes))


def planes_near(planes: tuple[int, ...], points: NDArray, size: float) -> tuple[int, ...]:
    """Those planes of symmetry that belong to the picture of a flaw: not the far axis of a pellet.

    Args:
        planes: From `symmetry_planes`.
        points: Of the front [um], shape (n, 3).
        size: Of the flaw [um].
    """
    return tuple(i for i in planes if np.abs(points[:, i]).min() <= FAR * size)


def mirrored(fields: Fields, planes: tuple[int, ...], *, axisymmetric: bool = False) -> Fields:
    """The whole body, where a part of it was computed.

    A plane is used where the body ends at coordinate 0 with at least three vertices that cannot
    leave it but slide in it, and the others (an open crack) move off to the inside.

    Args:
        fields: Of the part.
        planes: Axes along which there may be a plane of symmetry, see `symmetry_planes`.
        axisymmetric: The axis x = 0 is one, whatever moves.
    """
    whole = fields
    x, u = fields.points, fields.displacement
    size, largest = float(np.ptp(x, axis=0).max()), float(np.abs(u).max())
    for axis in range(fields.dim):
        on = np.abs(x[:, axis]) < 1e-9 * size
        if axis not in planes or x[:, axis].min() < -1e-9 * size or not on.any():
            continue
        if not (axisymmetric and axis == 0) and not _slides(u[on], axis, largest):
            continue
        whole = _joined([whole, _reflected(whole, axis)])
        whole = replace(whole, mirrors=(*whole.mirrors, axis))
    return whole


def _slides(u: NDArray[np.float64], axis: int, largest: float) -> bool:
    """Whether displacements on a plane, shape (n, 3), are those on a plane of symmetry."""
    if largest == 0:
        return False
    held = np.abs(u[:, axis]) < 1e-9 * largest
    slides = np.delete(u, axis, axis=1)[held]
    inward = u[:, axis] > -1e-6 * largest
    return bool(held.sum() >= 3 and inward.all() and np.abs(slides).max() >= 1e-6 * largest)


def _reflected(fields: Fields, axis: int) -> Fields:
    points, u = fields.points.copy(), fields.displacement.copy()
    points[:, axis] *= -1
    u[:, axis] *= -1
    cells = fields.cells.copy()
    cells[:, [-2, -1]] = cells[:, [-1, -2]]  # keeps volumes positive
    even = {n: v for n, v in fields.scalars.items() if n in _EVEN}
    return Fields(points, cells, u, even, fields.material, fields.grain, fields.mirrors)


def reflect_points(points: NDArray[np.float64], mirrors: tuple[int, ...]) -> list[NDArray]:
    """A line of points with its images in the mirrors, each of shape (n, 3), itself first."""
    lines: list[NDArray] = [np.asarray(points, float).reshape(-1, 3)]
    for axis in mirrors:
        sign = np.ones(3)
        sign[axis] = -1.0
        images = [line * sign for line in lines]
        lines += [i for line, i in zip(lines, images, strict=True) if not np.allclose(line, i)]
    return lines
