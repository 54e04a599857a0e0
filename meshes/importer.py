"""Reads meshes of any format that Gmsh or meshio knows into `MeshData`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.coincident import merge_coincident
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints
from ssbmech.meshes.grain_groups import as_grains
from ssbmech.meshes.neper import describe
from ssbmech.meshes.parameters import number
from ssbmech.meshes.raw import KINDS, Block, Raw, assemble, place_of
from ssbmech.meshes.session import session
from ssbmech.meshes.writer import write_msh

__all__ = ["read_mesh", "write_msh"]

_GMSH_KINDS = {
    15: "vertex", 1: "line", 8: "line3", 2: "triangle", 9: "triangle6", 4: "tetra",
    11: "tetra10", 3: "quad", 16: "quad8", 10: "quad9", 5: "hexahedron", 6: "wedge", 7: "pyramid",
}  # fmt: skip
# Arrays that carry the group of each cell, by format.
_TAG_ARRAYS = ("gmsh:physical", "cell_tags", "medit:ref", "CellEntityIds", "MaterialID", "material",
               "Material", "region", "group", "tag", "physical")  # fmt: skip


def read_mesh(
    path: str | Path,
    length_unit_in_um: float,
    *,
    grains: bool = False,
    merge_duplicates: bool = False,
) -> MeshData:
    """Read a mesh file.

    ``.msh`` goes through Gmsh, everything else through meshio. Groups keep their names where the
    format has names, and are called ``group_<number>`` otherwise. Groups of points (2-D) and of
    curves (3-D) become ``fronts``, except ``triple_lines``. First-order quadrilaterals are split
    into triangles. Sections of Neper's files give orientations and the sides of the domain.

    Args:
        path: The file.
        length_unit_in_um: Micrometres per unit of the file's coordinates (1000 for mm).
        grains: Make cell groups named after grains (``poly1``, ``grain_1``, ...) the grains of the
            group ``electrolyte``, with ``grain_boundaries`` and ``triple_lines``.
        merge_duplicates: Join parts whose nodes coincide but are not shared; cracks stay open.

    Returns:
        The mesh in micrometres; ``notes["orphan_nodes_dropped"]`` counts nodes of no cell.

    Raises:
        MeshError: If the file cannot be read, has cells in no group or in two, or has elements
            other than triangles, quadrilaterals and tetrahedra; with the file's name.
    """
    path = Path(path)
    scale = number("length_unit", length_unit_in_um, unit="um")
    if not path.is_file():
        raise MeshError("there is no such file", key="mesh.file", value=str(path))
    try:
        raw = _read_gmsh(path) if path.suffix.lower() == ".msh" else _read_meshio(path)
        data = assemble(raw, scale)
        if merge_duplicates:
            data = merge_coincident(data)
        return as_grains(data, orientation_of=raw.orientation_of) if grains else data
    except MeshError as error:
        raise MeshError(
            error.message,
            key=f"{path}: {error.key}" if error.key and error.key != "import" else str(path),
            value=error.value,
            allowed=error.allowed,
            hint=error.hint,
        ) from error
    except MemoryError:
        raise
    # A broken file makes readers fail in any way: struct.error, IndexError, XML and HDF5 errors...
    except (Exception, SystemExit) as error:
        raise MeshError(
            "the mesh file cannot be read"
            + ("" if isinstance(error, SystemExit) else f": {type(error).__name__}: {error}"),
            key=str(path),
            hint="Write it again; it may be cut off or in another format than its ending says",
        ) from error


def _read_gmsh(path: Path) -> Raw:
    with path.open("rb") as stream:
        head = stream.read(4096).lstrip()
    # Gmsh would run a file without this header as a script.
    if not head.startswith((b"$MeshFormat", b"$Comments")):
        raise MeshError("not a Gmsh mesh", allowed="a file with $MeshFormat (2.2, 4.1)")
    with session("import", doing="read this mesh") as gmsh:
        gmsh.logger.start()
        try:
            gmsh.merge(str(path))
            errors = [m for m in gmsh.logger.get() if m.startswith("Error")]
        finally:
            gmsh.logger.stop()  # a log left open would keep its errors for the next mesh
        if errors:
            raise MeshError(f"Gmsh cannot read this mesh: {errors[0]}", key=str(path))
        tags, coordinates, _ = gmsh.model.mesh.getNodes()
        if not len(tags):
            raise MeshError("the file has no nodes", key=str(path))
        index = np.argsort(tags, kind="stable")
        ordered = np.asarray(tags)[index]
        raw = Raw(np.asarray(coordinates, dtype=float).reshape(-1, 3))
        grains = _element_data(gmsh, "grain")
        describe(raw, gmsh, ordered, index, numbered=grains is not None)
        for dim in range(4):
            for _, entity in gmsh.model.getEntities(dim):
                physical = [int(p) for p in gmsh.model.getPhysicalGroupsForEntity(dim, entity)]
                groups = [
                    gmsh.model.getPhysicalName(dim, abs(p)) or f"group_{abs(p)}" for p in physical
                ]
                for kind, elements, nodes in zip(
                    *gmsh.model.mesh.getElements(dim, entity), strict=True
                ):
                    if not len(elements):
                        continue
                    name = _GMSH_KINDS.get(int(kind))
                    if name is None:
                        name = gmsh.model.mesh.getElementProperties(int(kind))[0]
                    rows = place_of(np.asarray(nodes), ordered, index).reshape(len(elements), -1)
                    codes = np.full(len(rows), raw.code(groups))
                    raw.blocks.append(Block(name, rows, codes, _pick(grains, elements)))
    return raw


def _element_data(gmsh: Any, name: str) -> tuple[Ints, Ints] | None:
    """Element numbers in ascending order and the values of a view, whole numbers."""
    for view in gmsh.view.getTags():
        if gmsh.view.option.getString(view, "Name") != name:
            continue
        kind, elements, values, _, width = gmsh.view.getHomogeneousModelData(view, 0)
        if kind != "ElementData" or width != 1:
            continue
        order = np.argsort(elements, kind="stable")
        return np.asarray(elements)[order], np.rint(values[order]).astype(np.int64)
    return None


def _pick(data: tuple[Ints, Ints] | None, elements: Ints) -> Ints | None:
    """Values of some elements, 0 for those without; None when none of them has one."""
    if data is None or not len(data[0]):
        return None
    place = np.minimum(np.searchsorted(data[0], elements), len(data[0]) - 1)
    found = data[0][place] == elements
    return np.where(found, data[1][place], 0) if found.any() else None


def _read_meshio(path: Path) -> Raw:
    import contextlib
    import io

    import meshio

    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        mesh = meshio.read(path)
    points = np.asarray(mesh.points, dtype=float)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not len(points):
        raise MeshError("the file has no nodes", key=str(path))
    if points.shape[1] == 2:
        points = np.column_stack([points, np.zeros(len(points))])
    raw = Raw(points)
    labels = _labels(raw, mesh, path)
    for block, groups in zip(mesh.cells, labels, strict=True):
        rows = np.asarray(block.data)
        if rows.dtype == object or rows.ndim != 2:
            raise MeshError(f"elements of type {block.type!r} are not supported")
        rows = rows.astype(np.int64)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(points)):
            raise MeshError("an element has a node that the file does not define")
        if block.type == "tetra10":  # meshio has VTK's order
            rows = rows[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]
        raw.blocks.append(Block(block.type, rows, groups))
    for name, nodes in (mesh.point_sets or {}).items():
        raw.point_sets[str(name)] = np.asarray(nodes, dtype=np.int64).ravel()
    return raw


def _labels(raw: Raw, mesh: Any, path: Path) -> list[Ints]:
    """Place in ``raw.groups`` per element of each block of a meshio mesh."""
    labels: list[Ints] = [np.zeros(len(b.data), dtype=np.int64) for b in mesh.cells]
    sets = {
        str(name): parts
        for name, parts in (mesh.cell_sets or {}).items()
        if not str(name).startswith("gmsh:")
    }
    if sets:
        for name, parts in sets.items():
            for codes, part in zip(labels, parts, strict=True):
                rows = np.asarray([] if part is None else part, dtype=np.int64).ravel()
                for old in np.unique(codes[rows]):
                    codes[rows[codes[rows] == old]] = raw.code([*raw.groups[old], name])
        return labels
    chosen = _tag_array(mesh, path)
    if chosen is None:
        return labels
    by_dim = {(int(v[1]), int(v[0])): str(k) for k, v in (mesh.field_data or {}).items()}
    med = getattr(mesh, "cell_tags", None) or {}
    top = max((KINDS.get(b.type, (3, None))[0] for b in mesh.cells), default=3)
    for block, codes, values in zip(mesh.cells, labels, mesh.cell_data[chosen], strict=True):
        dim = KINDS.get(block.type, (3, None))[0]
        if not np.isfinite(values).all():
            raise MeshError("a group number is not finite", key=str(path), value=chosen)
        tags = np.asarray(values).astype(np.int64)
        for tag in map(int, np.unique(tags)):
            # Zero means "in no group" in MED and Gmsh, and off the top dimension everywhere.
            if tag == 0 and (dim < top or chosen in ("gmsh:physical", "cell_tags")):
                continue
            names = med.get(tag) or [by_dim.get((dim, tag), f"group_{abs(tag)}")]
            codes[tags == tag] = raw.code(str(n).strip() for n in names)
    return labels


def _tag_array(mesh: Any, path: Path) -> str | None:
    """Name of the cell array with the group numbers, if any."""
    arrays = {
        name: values
        for name, values in (mesh.cell_data or {}).items()
        if all(np.asarray(v).ndim == 1 for v in values)
    }
    for name in _TAG_ARRAYS:
        if name in arrays:
            return name
    whole = [
        name
        for name, values in arrays.items()
        if all(np.issubdtype(np.asarray(v).dtype, np.integer) for v in values)
    ]
    if len(whole) > 1:
        raise MeshError(
            "several integer arrays could be the groups",
            key=str(path),
            value=sorted(whole),
            allowed=f"one, or one named {', '.join(_TAG_ARRAYS[:4])}",
        )
    return whole[0] if whole else None
