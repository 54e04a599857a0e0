"""Reads tables of electron backscatter diffraction: .ctf (HKL, Oxford) and .ang (TSL, EDAX)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints

# Rotation groups (as scipy names them) by the Laue numbers of .ctf and the numbers of .ang.
_LAUE = {1: "C1", 2: "C2", 3: "D2", 4: "C4", 5: "D4", 6: "C3", 7: "D3", 8: "C6", 9: "D6",
         10: "T", 11: "O"}  # fmt: skip
_TSL = {1: "C1", 2: "C2", 20: "C2", 22: "D2", 4: "C4", 42: "D4", 3: "C3", 32: "D3", 6: "C6",
        62: "D6", 23: "T", 43: "O"}  # fmt: skip


@dataclass(frozen=True)
class Scan:
    """An orientation map on a square grid, indexed ``[x, y]`` with y upwards.

    Attributes:
        phase: Number of the phase, 0 where the pattern was not indexed, shape (nx, ny).
        euler: Bunge's angles phi1, Phi, phi2 [radians], shape (nx, ny, 3).
        step: Distance of the points in units of the file.
        names: Name of each phase.
        symmetry: Rotation group of each phase, "" where the file does not say.
        kind: ``"ctf"`` or ``"ang"``.
        resampled: Whether the file's grid was not square.
    """

    phase: Ints
    euler: Floats
    step: float
    names: dict[int, str]
    symmetry: dict[int, str]
    kind: str
    resampled: bool


def read_scan(path: str | Path) -> Scan:
    """Read a .ctf or .ang file.

    Maps have y downwards in the file. A hexagonal grid (.ang) or one with two step sizes is
    resampled: each point of a square grid of the smaller step takes the nearest point's value.

    Args:
        path: The file.

    Raises:
        MeshError: If the file is none of these, is cut off, or holds no grid.
    """
    path = Path(path)
    readers = {".ctf": _ctf, ".ang": _ang}
    if not path.is_file():
        raise MeshError("there is no such file", key=str(path))
    if path.suffix.lower() not in readers:
        raise MeshError(
            "not a known orientation map", key=str(path), value=path.suffix,
            allowed=".ctf (HKL, Oxford), .ang (TSL, EDAX)",
        )  # fmt: skip
    lines = path.read_text(encoding="latin-1").splitlines()
    try:
        return readers[path.suffix.lower()](lines, path)
    except MeshError:
        raise
    except (ValueError, IndexError, KeyError) as error:
        raise MeshError(
            f"the orientation map cannot be read: {type(error).__name__}: {error}",
            key=str(path), hint="Export it again; it may be cut off",
        ) from error  # fmt: skip


def _ctf(lines: list[str], path: Path) -> Scan:
    """Header of names and values, phases, a line of column names, a table."""
    if not lines or not lines[0].startswith("Channel Text File"):
        raise MeshError("not a Channel Text File", key=str(path))
    fields, start = {}, 0
    for k, line in enumerate(lines):
        parts = line.split("\t")
        if parts[0] == "Phase" and "X" in parts and "Y" in parts:
            start = k
            break
        if len(parts) > 1:
            fields[parts[0]] = parts[1]
    if not start:
        raise MeshError("the file has no table", key=str(path), hint="It may be cut off")
    n_phases = int(fields["Phases"])
    rows = [line.split("\t") for line in lines[start - n_phases : start]]
    names = {k: row[2].strip() for k, row in enumerate(rows, start=1)}
    symmetry = {k: _LAUE.get(int(row[3]), "") for k, row in enumerate(rows, start=1)}
    columns = lines[start].split()
    table = _table([line.replace(",", ".") for line in lines[start + 1 :]], len(columns), path)
    column = {name: table[:, k] for k, name in enumerate(columns)}
    xy = np.column_stack([column["X"], column["Y"]])
    euler = np.radians(np.column_stack([column[f"Euler{k}"] for k in (1, 2, 3)]))
    shape = int(fields["XCells"]), int(fields["YCells"])
    steps = (_number(fields["XStep"]), _number(fields["YStep"]))
    _complete(len(table), shape[0] * shape[1], path)
    return _grid(xy, column["Phase"].astype(int), euler, steps, names, symmetry, "ctf", path)


def _ang(lines: list[str], path: Path) -> Scan:
    """Comments with the header, then a table without names of columns."""
    head = [line[1:].strip() for line in lines if line.startswith("#")]
    body = [line for line in lines if line.strip() and not line.startswith("#")]
    fields: dict[str, str] = {}
    names, symmetry, phase = {}, {}, 1
    for line in head:
        found = re.match(r"(\w+):?\s*(.*)", line)
        if not found:
            continue
        key, value = found.groups()
        if key == "Phase":
            phase = int(value)
        elif key == "MaterialName":
            names[phase] = value.strip()
        elif key == "Symmetry":
            symmetry[phase] = _TSL.get(int(value), "")
        fields.setdefault(key, value.strip())
    if "GRID" not in fields or not names:
        raise MeshError("not an .ang file: its header has no grid or no phase", key=str(path))
    table = _table(body, 8, path)
    odd, even, n_rows = (int(fields[k]) for k in ("NCOLS_ODD", "NCOLS_EVEN", "NROWS"))
    wanted = odd * (n_rows - n_rows // 2) + even * (n_rows // 2)
    _complete(len(table), wanted, path)
    number = table[:, 7].astype(int)
    if len(names) == 1:  # such files call the only phase 0 or 1
        number = np.full(len(table), next(iter(names)))
    # OIM marks points without a solution by CI = -1, other programs by angles of 4 pi
    lost = (table[:, 6] < 0) | (np.abs(table[:, :3]) > 12.56).any(axis=1)
    steps = (_number(fields["XSTEP"]), _number(fields["YSTEP"]))
    return _grid(
        table[:, 3:5], np.where(lost, 0, number), table[:, :3], steps, names, symmetry, "ang", path
    )


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _table(lines: list[str], least: int, path: Path) -> Floats:
    """Numbers of a table; every row must have as many as the first."""
    rows = [line.split() for line in lines if line.strip()]
    width = len(rows[0]) if rows else 0
    short = next((k for k, row in enumerate(rows) if len(row) != width), None)
    if width < least or short is not None:
        raise MeshError(
            "the table of points is incomplete", key=str(path),
            value=f"row {short + 1} of {len(rows)}" if short is not None else f"{width} columns",
            allowed=f"at least {least} columns, the same in every row", hint="It may be cut off",
        )  # fmt: skip
    return np.array(rows, dtype=float)


def _complete(found: int, wanted: int, path: Path) -> None:
    if found != wanted:
        raise MeshError(
            "the number of points is not that of the header's grid", key=str(path), value=found,
            allowed=str(wanted), hint="The file may be cut off",
        )  # fmt: skip


def _grid(
    xy: Floats,
    phase: Ints,
    euler: Floats,
    steps: tuple[float, float],
    names: dict[int, str],
    symmetry: dict[int, str],
    kind: str,
    path: Path,
) -> Scan:
    """Points put on a square grid by their coordinates, y turned upwards."""
    from scipy.spatial import cKDTree

    if min(steps) <= 0:
        raise MeshError("the map is no grid", key=str(path), value=steps, allowed="steps above 0")
    step = min(steps)
    low, high = xy.min(axis=0), xy.max(axis=0)
    shape = np.floor((high - low) / step + 1e-3).astype(int) + 1
    square = abs(steps[0] - steps[1]) < 1e-3 * step and len(xy) == shape.prod()
    i, j = np.indices(shape)
    wanted = low + step * np.stack([i, j], axis=2)
    _, nearest = cKDTree(xy).query(wanted.reshape(-1, 2))
    nearest = nearest.reshape(shape)[:, ::-1]
    return Scan(
        phase[nearest].astype(np.int64), euler[nearest], step, names, symmetry, kind, not square
    )


def unknown_phases(scan: Scan) -> dict[int, Any]:
    """Phases of the map that its header does not describe, with their number of points."""
    found, often = np.unique(scan.phase, return_counts=True)
    return {int(p): int(n) for p, n in zip(found, often, strict=True) if p and p not in scan.names}
