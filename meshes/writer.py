"""Writes `MeshData` as a binary MSH 4.1 file, the same bytes for the same mesh."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints

# (dimension, order) to Gmsh's element type.
_TYPES = {(0, 1): 15, (0, 2): 15, (1, 1): 1, (1, 2): 8, (2, 1): 2, (2, 2): 9, (3, 1): 4, (3, 2): 11}


def write_msh(data: MeshData, path: str | Path) -> None:
    """Write the mesh with its groups, fronts and lines as physical names; whole or not at all.

    Coordinates stay micrometres. Fronts and lines are first-order points or lines. Cells keep
    their order within a group; cells of different groups are written group by group. Grain
    numbers are the element data "grain", which Gmsh shows in colours; orientations are a section
    as Neper writes it; notes are a section of their own. Gmsh passes over those two.

    Args:
        data: What to write.
        path: The file; an existing one is replaced at the end.

    Raises:
        MeshError: If it cannot be written, or a tag has no name.
    """
    path = Path(path)
    blocks = _blocks(data)
    content = b"".join(
        [
            _header(data),
            _entities(data, blocks),
            _nodes(data),
            _elements(blocks),
            _grains(data, blocks),
            _orientations(data),
            _description(data),
        ]
    )
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp's files are private
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise MeshError(
            f"the mesh cannot be written: {error.strerror or error}", key=str(path)
        ) from error


# One block: dimension, entity number, element type, physical number, nodes.
_Block = tuple[int, int, int, int, Ints]


def _blocks(data: MeshData) -> list[_Block]:
    blocks: list[_Block] = []
    both = set(data.fronts) & set(data.lines)
    if both:
        raise MeshError("a front and a line have one name", value=sorted(both)[0])
    for k, nodes in enumerate((data.fronts | data.lines).values(), start=1):
        parts = nodes[:, None, :] if data.dim == 2 else nodes[None]  # one entity per 2-D tip
        for part in parts:
            number = len(blocks) + 1
            blocks.append((data.dim - 2, number, _TYPES[data.dim - 2, 1], k, part))
    for dim, rows, tags, groups in (
        (data.dim - 1, data.facets, data.facet_tags, data.facet_groups),
        (data.dim, data.cells, data.cell_tags, data.cell_groups),
    ):
        unknown = np.setdiff1d(tags, list(groups.values()))
        if len(unknown):
            raise MeshError(f"group tag {unknown[0]} of dimension {dim} has no name")
        for tag in groups.values():
            blocks.append((dim, tag, _TYPES[dim, data.order], tag, rows[tags == tag]))
    return blocks


def _header(data: MeshData) -> bytes:
    names = [(data.dim - 2, k, n) for k, n in enumerate([*data.fronts, *data.lines], start=1)]
    names += [(data.dim - 1, tag, name) for name, tag in data.facet_groups.items()]
    names += [(data.dim, tag, name) for name, tag in data.cell_groups.items()]
    for _, _, name in names:
        if '"' in name or "\n" in name or not name:
            raise MeshError("a group name cannot be written", value=name, allowed='text without "')
    lines = [str(len(names))] + [f'{dim} {tag} "{name}"' for dim, tag, name in sorted(names)]
    return (
        b"$MeshFormat\n4.1 1 8\n"
        + np.int32(1).tobytes()
        + b"\n$EndMeshFormat\n$PhysicalNames\n"
        + "\n".join(lines).encode()
        + b"\n$EndPhysicalNames\n"
    )


def _entities(data: MeshData, blocks: list[_Block]) -> bytes:
    counts = [sum(1 for b in blocks if b[0] == dim) for dim in range(4)]
    out = [b"$Entities\n", np.array(counts, dtype=np.uint64).tobytes()]
    for dim in range(4):
        for d, number, _, physical, nodes in blocks:
            if d != dim:
                continue
            p = data.points[np.unique(nodes)] if len(nodes) else np.zeros((1, 3))
            out.append(np.int32(number).tobytes())
            box = p[0] if dim == 0 else np.concatenate([p.min(axis=0), p.max(axis=0)])
            out.append(np.asarray(box, dtype=np.float64).tobytes())
            out.append(np.uint64(1).tobytes() + np.int32(physical).tobytes())
            if dim > 0:
                out.append(np.uint64(0).tobytes())  # bounding entities: not known
    return b"".join([*out, b"\n$EndEntities\n"])


def _nodes(data: MeshData) -> bytes:
    n = len(data.points)
    tags = np.arange(1, n + 1, dtype=np.uint64)
    entity = next(iter(data.cell_groups.values()))
    return b"".join(
        [
            b"$Nodes\n",
            np.array([1, n, 1, n], dtype=np.uint64).tobytes(),
            np.array([data.dim, entity, 0], dtype=np.int32).tobytes(),
            np.uint64(n).tobytes(),
            tags.tobytes(),
            np.ascontiguousarray(data.points, dtype=np.float64).tobytes(),
            b"\n$EndNodes\n",
        ]
    )


def _elements(blocks: list[_Block]) -> bytes:
    filled = [b for b in blocks if len(b[4])]
    total = sum(len(b[4]) for b in filled)
    out = [b"$Elements\n", np.array([len(filled), total, 1, total], dtype=np.uint64).tobytes()]
    start = 1
    for dim, number, kind, _, nodes in filled:
        out.append(np.array([dim, number, kind], dtype=np.int32).tobytes())
        out.append(np.uint64(len(nodes)).tobytes())
        tags = np.arange(start, start + len(nodes), dtype=np.uint64)
        out.append(np.column_stack([tags, nodes.astype(np.uint64) + np.uint64(1)]).tobytes())
        start += len(nodes)
    return b"".join([*out, b"\n$EndElements\n"])


def _grains(data: MeshData, blocks: list[_Block]) -> bytes:
    """Grain number per element; cells come last among the elements, group by group."""
    if data.grains is None:
        return b""
    before = sum(len(nodes) for dim, _, _, _, nodes in blocks if dim < data.dim)
    by_group = [data.grains[data.cell_tags == tag] for tag in data.cell_groups.values()]
    rows = np.empty(len(data.grains), dtype=[("element", "<i4"), ("grain", "<f8")])
    rows["element"] = np.arange(before + 1, before + 1 + len(rows))
    rows["grain"] = np.concatenate(by_group)
    # one text, no time, and step 0, one value per element, their number
    head = f'$ElementData\n1\n"grain"\n1\n0\n3\n0\n1\n{len(rows)}\n'
    return head.encode() + rows.tobytes() + b"\n$EndElementData\n"


def _orientations(data: MeshData) -> bytes:
    """Quaternions with the scalar first and the convention "passive" as Neper from 4.10 has it.

    That is the rotation of the sample's axes into the crystal's (Neper's documentation,
    "Orientation Convention"), which carries components along crystal axes to components along
    sample axes: ours. Neper exchanged the words in version 2.3 of its format.
    """
    if data.orientations is None:
        return b""
    rows = np.asarray(data.orientations, dtype=float)[:, [3, 0, 1, 2]].tolist()
    lines = [f"{g} " + " ".join(map(repr, row)) for g, row in enumerate(rows, start=1)]
    return (
        f"$MeshVersion\n2.3\n$EndMeshVersion\n$ElsetOrientations\n{len(rows)} quaternion:passive\n"
        + "".join(line + "\n" for line in lines)
        + "$EndElsetOrientations\n"
    ).encode()


def _description(data: MeshData) -> bytes:
    """What MSH has no place for, as one line of JSON: which lines are no fronts, and notes."""
    text = json.dumps({"lines": list(data.lines), "notes": data.notes}, ensure_ascii=True)
    return b"$SsbmechDescription\n" + text.encode() + b"\n$EndSsbmechDescription\n"
