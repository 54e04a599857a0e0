"""Cuts a mesh into parts once and writes one file per part, so that every rank reads only its own.

A folder holds ``mesh.json`` (counts, groups, notes and the SHA-256 of every other file),
``whole.npz`` (fronts and orientations, small) and ``part_00000.npz``, ``part_00001.npz``, ... with

- the cells of the part by node number, their group and grain, and the parts that want each of them
  as a ghost because they have a neighbour across a facet (the own part first);
- the coordinates of one slab of nodes (part p of P: numbers from n p/P on), so that no part repeats
  a node, and which of them lie on tagged facets;
- the tagged facets whose smallest node is in that slab.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.bisection import bisect, centres, ghost_parts
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.parameters import count
from ssbmech.meshes.watertight import topology

_HEADER, _WHOLE = "mesh.json", "whole.npz"
_FORMAT = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Header:
    """What every rank knows of a partitioned mesh.

    Attributes:
        folder: Where it is.
        dim: As in ``MeshData``, and so on.
        order: Order of the cells.
        cell_groups: Name to tag.
        facet_groups: Name to tag.
        cells: Cells of each part.
        nodes: Nodes of each slab.
        facets: Tagged facets of each slab.
        has_grains: Whether cells have grain numbers.
        box: Low and high corner of the nodes [um], shape (2, 3).
        notes: As in ``MeshData``.
        hashes: SHA-256 by file name.
    """

    folder: Path
    dim: int
    order: int
    cell_groups: dict[str, int]
    facet_groups: dict[str, int]
    cells: tuple[int, ...]
    nodes: tuple[int, ...]
    facets: tuple[int, ...]
    has_grains: bool
    box: Floats
    notes: dict[str, float | str]
    hashes: dict[str, str]

    @property
    def parts(self) -> int:
        """Number of parts."""
        return len(self.cells)

    @property
    def length(self) -> float:
        """Size of the body [m], as the solver's unit of length."""
        return float((self.box[1] - self.box[0]).max()) * 1e-6


@dataclass(frozen=True)
class Piece:
    """One or several parts in a row, as a rank holds them.

    Attributes:
        cells: Node numbers in the order of ``MeshData``, shape (n_cells, nodes per cell).
        cell_tags: Shape (n_cells,).
        grains: Shape (n_cells,); zeros without grains.
        ghosts: Parts that want each cell, the own part first, one cell after the other.
        ghost_starts: Place of each cell in ``ghosts``, shape (n_cells + 1,).
        points: Coordinates of the slab [um], shape (n_nodes, 3).
        tagged: Which of these nodes lie on tagged facets.
        facets: Vertices in ascending order, shape (n_facets, dim).
        facet_tags: Shape (n_facets,).
    """

    cells: Ints
    cell_tags: NDArray[np.int32]
    grains: NDArray[np.int32]
    ghosts: NDArray[np.int32]
    ghost_starts: NDArray[np.int32]
    points: Floats
    tagged: NDArray[np.bool_]
    facets: Ints
    facet_tags: NDArray[np.int32]


def write_partitioned(
    data: MeshData, folder: str | Path, parts: int, *, overwrite: bool = False
) -> Header:
    """Cut a mesh into parts and write them; whole or not at all.

    Args:
        data: The mesh.
        folder: Made by this; its parent has to exist.
        parts: Number of parts; best the number of ranks of the runs to come.
        overwrite: Replace an older partitioned mesh there.

    Raises:
        MeshError: If there are fewer cells than parts, something else is there, or it cannot be
            written.
    """
    folder = Path(folder)
    parts = count("parts", parts, at_least=1, at_most=max(1, min(len(data.cells), 100_000)))
    if folder.exists() and not (overwrite and (folder / _HEADER).is_file()):
        raise MeshError(
            "there is something already", key="partition", value=str(folder),
            hint="Remove it, or ask for another folder",
        )  # fmt: skip
    aside = ""
    try:
        aside = tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.")
        _write(data, Path(aside), parts)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(aside, 0o777 & ~mask)  # mkdtemp's folders are private
        if folder.exists():
            old = f"{aside}.old"
            os.rename(folder, old)
            os.rename(aside, folder)
            shutil.rmtree(old)
        else:
            os.rename(aside, folder)
    except OSError as error:
        raise MeshError(
            f"the parts cannot be written: {error.strerror or error}", key=str(folder)
        ) from error
    finally:
        if aside:
            shutil.rmtree(aside, ignore_errors=True)
    return read_header(folder)


def read_header(folder: str | Path) -> Header:
    """Read what is known of the whole mesh.

    Args:
        folder: As written by `write_partitioned`.

    Raises:
        MeshError: If it is none, or of another version.
    """
    folder = Path(folder)
    if not (folder / _HEADER).is_file():
        raise MeshError("no partitioned mesh", key="mesh.file", value=str(folder),
                        hint="Write one: ssbmech mesh CASE.toml --partition N")  # fmt: skip

    def read() -> Header:
        found = json.loads((folder / _HEADER).read_text(encoding="utf-8"))
        if found.pop("format") != _FORMAT:
            raise MeshError("parts of another version of ssbmech", key=str(folder))
        header = Header(
            folder=folder,
            dim=int(found["dim"]),
            order=int(found["order"]),
            cell_groups=found["cell_groups"],
            facet_groups=found["facet_groups"],
            cells=tuple(int(n) for n in found["cells"]),
            nodes=tuple(int(n) for n in found["nodes"]),
            facets=tuple(int(n) for n in found["facets"]),
            has_grains=bool(found["has_grains"]),
            box=np.array(found["box"], dtype=float).reshape(2, 3),
            notes=found["notes"],
            hashes=found["hashes"],
        )
        names = {_WHOLE, *(_name(p) for p in range(header.parts))}
        if set(header.hashes) != names or not len(header.nodes) == len(header.facets) > 0:
            raise ValueError("the counts do not fit")
        return header

    return _guarded(folder / _HEADER, read)


def read_whole(header: Header) -> tuple[dict[str, tuple[Ints, Floats]], Floats | None]:
    """Fronts (nodes or edges by node number, and the coordinates of ``np.unique`` of them).

    Args:
        header: From `read_header`.

    Returns:
        Fronts by name, and the orientations of the grains or None.

    Raises:
        MeshError: If the file is missing or not the one that was written.
    """
    found = _load(header, _WHOLE)
    fronts: dict[str, tuple[Ints, Floats]] = {}
    for name in json.loads(bytes(found["names"]).decode()):
        fronts[name] = (found[f"front_{len(fronts)}"], found[f"points_{len(fronts)}"])
    return fronts, found.get("orientations")


def read_parts(header: Header, first: int, last: int) -> Piece:
    """Read the parts from ``first`` up to before ``last``.

    Args:
        header: From `read_header`.
        first: Number of the first one, from 0.
        last: One more than the number of the last one; equal to ``first``: an empty piece.

    Raises:
        MeshError: If a file is missing, cut off, or not the one that was written.
    """
    width = {(2, 1): 3, (2, 2): 6, (3, 1): 4, (3, 2): 10}[header.dim, header.order]
    pieces = [
        Piece(
            np.zeros((0, width), np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32),
            np.zeros(0, np.int32), np.zeros(1, np.int32), np.zeros((0, 3)), np.zeros(0, bool),
            np.zeros((0, header.dim), np.int64), np.zeros(0, np.int32),
        )
    ]  # fmt: skip
    for part in range(first, last):
        piece = Piece(**_load(header, _name(part)))
        counts = (len(piece.cells), len(piece.points), len(piece.facets))
        if counts != (header.cells[part], header.nodes[part], header.facets[part]):
            raise MeshError(
                f"the part has {counts} cells, nodes and facets, and the header says otherwise",
                key=str(header.folder / _name(part)),
            )
        pieces.append(piece)
    if len(pieces) <= 2:
        return pieces[-1]
    joined = {
        name: np.concatenate([getattr(p, name) for p in pieces])
        for name in Piece.__dataclass_fields__
        if name != "ghost_starts"
    }
    ends = np.cumsum([0] + [len(p.ghosts) for p in pieces[:-1]])
    starts = [p.ghost_starts[1:] + end for p, end in zip(pieces, ends, strict=True)]
    return Piece(ghost_starts=np.concatenate([[0], *starts]).astype(np.int32), **joined)


def outline(header: Header) -> MeshData:
    """A mesh without cells that has the groups, fronts, notes and the extent of the whole.

    Args:
        header: From `read_header`.

    Returns:
        Nodes are the corners of the bounding box and those of the fronts.
    """
    fronts, orientations = read_whole(header)
    points, named = [header.box], dict[str, Ints]()
    start = 2
    for name, (nodes, coordinates) in fronts.items():
        named[name] = start + np.searchsorted(np.unique(nodes), nodes)
        points.append(coordinates)
        start += len(coordinates)
    empty = read_parts(header, 0, 0)
    return MeshData(
        dim=header.dim,
        order=header.order,
        points=np.concatenate(points),
        cells=empty.cells,
        cell_tags=empty.cell_tags,
        facets=np.zeros((0, {2: 2, 3: 3}[header.dim]), dtype=np.int64),
        facet_tags=empty.facet_tags,
        cell_groups=dict(header.cell_groups),
        facet_groups=dict(header.facet_groups),
        fronts=named,
        grains=empty.grains if header.has_grains else None,
        orientations=orientations,
        notes=dict(header.notes),
    )


def _write(data: MeshData, folder: Path, parts: int) -> None:
    d, n = data.dim, len(data.points)
    part = bisect(centres(data), parts)
    ghosts, starts = ghost_parts(topology(data), part)
    order = np.argsort(part, kind="stable")
    ends = np.searchsorted(part[order], np.arange(parts + 1))
    slab = np.array([n * p // parts for p in range(parts + 1)])
    tagged = np.zeros(n, dtype=bool)
    tagged[data.facets[:, :d]] = True
    facets = np.sort(data.facets[:, :d], axis=1)
    home = np.searchsorted(slab, facets[:, 0], side="right") - 1
    hashes = {}
    counts: dict[str, list[int]] = {"cells": [], "nodes": [], "facets": []}
    for p in range(parts):
        rows = order[ends[p] : ends[p + 1]]
        length = (starts[1:] - starts[:-1])[rows]
        begin = np.append(0, np.cumsum(length))
        places = np.arange(begin[-1]) + np.repeat(starts[rows] - begin[:-1], length)
        mine = home == p
        piece = Piece(
            cells=data.cells[rows],
            cell_tags=data.cell_tags[rows].astype(np.int32),
            grains=np.zeros(len(rows), np.int32) if data.grains is None else data.grains[rows],
            ghosts=ghosts[places],
            ghost_starts=begin.astype(np.int32),
            points=data.points[slab[p] : slab[p + 1]],
            tagged=tagged[slab[p] : slab[p + 1]],
            facets=facets[mine],
            facet_tags=data.facet_tags[mine].astype(np.int32),
        )
        hashes[_name(p)] = _save(folder / _name(p), piece.__dict__)
        for name, many in (("cells", rows), ("nodes", piece.points), ("facets", piece.facets)):
            counts[name].append(len(many))
    whole: dict[str, Any] = {"names": np.frombuffer(json.dumps(list(data.fronts)).encode(), "u1")}
    for k, nodes in enumerate(data.fronts.values()):
        whole |= {f"front_{k}": nodes, f"points_{k}": data.points[np.unique(nodes)]}
    if data.orientations is not None:
        whole["orientations"] = data.orientations
    hashes[_WHOLE] = _save(folder / _WHOLE, whole)
    header = {
        "format": _FORMAT,
        "dim": d,
        "order": data.order,
        "cell_groups": data.cell_groups,
        "facet_groups": data.facet_groups,
        **counts,
        "has_grains": data.grains is not None,
        "box": [data.points.min(axis=0).tolist(), data.points.max(axis=0).tolist()],
        "notes": data.notes,
        "hashes": hashes,
    }
    (folder / _HEADER).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")


def _name(part: int) -> str:
    return f"part_{part:05d}.npz"


def _save(path: Path, arrays: dict[str, Any]) -> str:
    np.savez(path, **arrays)
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _load(header: Header, name: str) -> dict[str, Any]:
    path = header.folder / name
    if not path.is_file():
        raise MeshError("a part of the mesh is missing", key=str(path),
                        hint="Partition the mesh again")  # fmt: skip

    def read() -> dict[str, Any]:
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != header.hashes[name]:
                raise MeshError("not the file that was written (SHA-256 differs)", key=str(path),
                                hint="Partition the mesh again")  # fmt: skip
        with np.load(path, allow_pickle=False) as found:
            return dict(found)

    return _guarded(path, read)


def _guarded(path: Path, read: Callable[[], T]) -> T:
    """Run a reader; whatever it raises becomes MeshError with the file's name."""
    try:
        return read()
    except MeshError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise MeshError(
            f"the part cannot be read: {type(error).__name__}: {error}", key=str(path),
            hint="Partition the mesh again",
        ) from error  # fmt: skip
