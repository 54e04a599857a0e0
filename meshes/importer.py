"""Reads meshes of any format that Gmsh or meshio knows into `MeshData`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import NODES, Floats, Ints, cell_facets, compact, keys, orient
from ssbmech.meshes.parameters import number
from ssbmech.meshes.session import session
from ssbmech.meshes.writer import write_msh

__all__ = ["read_mesh", "write_msh"]

# Name of an element (meshio's) to (dimension, order); None as order: not a simplex.
_KINDS: dict[str, tuple[int, int | None]] = {
    "vertex": (0, 1),
    "line": (1, 1),
    "line3": (1, 2),
    "triangle": (2, 1),
    "triangle6": (2, 2),
    "tetra": (3, 1),
    "tetra10": (3, 2),
    "quad": (2, None),
    "quad8": (2, None),
    "quad9": (2, None),
}
_GMSH_KINDS = {
    15: "vertex", 1: "line", 8: "line3", 2: "triangle", 9: "triangle6", 4: "tetra",
    11: "tetra10", 3: "quad", 16: "quad8", 10: "quad9", 5: "hexahedron", 6: "wedge", 7: "pyramid",
}  # fmt: skip
# Arrays that carry the group of each cell, by format.
_TAG_ARRAYS = ("gmsh:physical", "cell_tags", "medit:ref", "CellEntityIds", "MaterialID", "material",
               "Material", "region", "group", "tag", "physical")  # fmt: skip


_Block = tuple[str, Ints, Ints]


@dataclass
class _Raw:
    """What a file says.

    Attributes:
        points: Shape (n, 3), in the file's unit.
        blocks: Element name, nodes, and per element a place in ``groups``.
        groups: Sets of group names; the first is the empty one.
        point_sets: Named nodes.
    """

    points: Floats
    blocks: list[_Block] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    point_sets: dict[str, Ints] = field(default_factory=dict)

    def code(self, names: Iterable[str]) -> int:
        """Place of a set of names in ``groups``."""
        wanted = tuple(sorted(set(names)))
        if wanted not in self.groups:
            self.groups.append(wanted)
        return self.groups.index(wanted)


def read_mesh(path: str | Path, length_unit_in_um: float) -> MeshData:
    """Read a mesh file.

    ``.msh`` goes through Gmsh, everything else through meshio. Groups keep their names where the
    format has names, and are called ``group_<number>`` otherwise. Groups of points (2-D) and of
    curves (3-D) become ``fronts``. First-order quadrilaterals are split into triangles.

    Args:
        path: The file.
        length_unit_in_um: Micrometres per unit of the file's coordinates (1000 for mm).

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
        return _assemble(raw, scale)
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


def _read_gmsh(path: Path) -> _Raw:
    with path.open("rb") as stream:
        head = stream.read(4096).lstrip()
    # Gmsh would run a file without this header as a script.
    if not head.startswith((b"$MeshFormat", b"$Comments")):
        raise MeshError(
            "not a Gmsh mesh", key=str(path), allowed="a file with $MeshFormat (2.2, 4.1)"
        )
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
        raw = _Raw(np.asarray(coordinates, dtype=float).reshape(-1, 3))
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
                    wanted = np.asarray(nodes)
                    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
                    if (ordered[place] != wanted).any():
                        raise MeshError("an element has a node that the file does not define")
                    rows = index[place].reshape(len(elements), -1).astype(np.int64)
                    raw.blocks.append((name, rows, np.full(len(rows), raw.code(groups))))
    return raw


def _read_meshio(path: Path) -> _Raw:
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
    raw = _Raw(points)
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
        raw.blocks.append((block.type, rows, groups))
    for name, nodes in (mesh.point_sets or {}).items():
        raw.point_sets[str(name)] = np.asarray(nodes, dtype=np.int64).ravel()
    return raw


def _labels(raw: _Raw, mesh: Any, path: Path) -> list[Ints]:
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
    top = max((_KINDS.get(b.type, (3, None))[0] for b in mesh.cells), default=3)
    for block, codes, values in zip(mesh.cells, labels, mesh.cell_data[chosen], strict=True):
        dim = _KINDS.get(block.type, (3, None))[0]
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


def _assemble(raw: _Raw, scale: float) -> MeshData:
    points = raw.points * scale
    if not np.isfinite(points).all():
        bad = int(np.argmax(~np.isfinite(points).all(axis=1)))
        raise MeshError(f"node {bad + 1} has a coordinate that is not a finite number")
    blocks: list[_Block] = []
    for name, rows, groups in raw.blocks:
        if name == "quad":
            rows, groups = _triangles(points, rows), np.repeat(groups, 2)
            name = "triangle"
        if len(rows):
            blocks.append((name, rows, groups))
    for name, rows, _ in blocks:
        if _KINDS.get(name, (0, None))[1] is None:
            raise MeshError(
                f"{len(rows)} elements are of type {name!r}",
                allowed="triangles and tetrahedra of order 1 and 2, quadrilaterals of order 1",
                hint="Mesh with simplices (Gmsh: without Recombine and transfinite volumes)",
            )
    dims = {_KINDS[name][0] for name, _, _ in blocks}
    dim = max(dims, default=0)
    if dim < 2:
        raise MeshError("the file has no triangles or tetrahedra", allowed="a 2-D or 3-D mesh")
    orders = {_KINDS[name][1] for name, _, _ in blocks if _KINDS[name][0] == dim}
    if len(orders) > 1:
        raise MeshError("the cells are of order 1 and 2", allowed="one order for all cells")
    order = orders.pop()
    assert order is not None

    cells, cell_tags, cell_groups = _gather(raw, blocks, dim, points)
    if (cell_tags == 0).any():
        bad = int(np.argmax(cell_tags == 0))
        raise MeshError(
            f"{int((cell_tags == 0).sum())} of {len(cells)} cells are in no group, the first at "
            f"{_at(points[cells[bad, : dim + 1]])}",
            hint="Put every cell into one physical group (a material)",
        )
    if dim == 2:
        z = points[np.unique(cells), 2]
        if np.ptp(z) > 1e-9 * max(float(np.ptp(points[np.unique(cells), :2])), 1e-300):
            raise MeshError(
                "the 2-D mesh is not in a plane z = constant",
                value=f"z from {z.min():g} to {z.max():g} um",
                hint="Turn it into the x-y plane; for axisymmetric models x is the radius",
            )
    facets, facet_tags, facet_groups = _gather(raw, blocks, dim - 1, points)
    tagged = facet_tags > 0
    facets, facet_tags = facets[tagged], facet_tags[tagged]
    facets = _match_order(cells, facets, dim, order, points)
    fronts = _fronts(raw, blocks, dim, points, np.unique(cells))
    used = len(np.unique(cells))
    try:
        new_points, arrays, _ = compact(points, cells, facets, *fronts.values())
    except IndexError:
        raise MeshError("an element has a node that the file does not define") from None
    if dim == 2:
        new_points = new_points.copy()
        new_points[:, 2] = 0.0
    cells = orient(new_points, arrays[0], dim, order)
    notes: dict[str, float | str] = {}
    if used < len(points):
        notes["orphan_nodes_dropped"] = float(len(points) - used)
    return MeshData(
        dim=dim,
        order=order,
        points=new_points,
        cells=cells,
        cell_tags=cell_tags,
        facets=arrays[1],
        facet_tags=facet_tags,
        cell_groups=cell_groups,
        facet_groups=facet_groups,
        fronts=dict(zip(fronts, arrays[2:], strict=True)),
        notes=notes,
    )


def _gather(
    raw: _Raw, blocks: list[_Block], dim: int, points: Floats
) -> tuple[Ints, np.ndarray[Any, np.dtype[np.int32]], dict[str, int]]:
    """Elements of one dimension (their widest order), tags (0: none), names to tags."""
    chosen = [(n, r, g) for n, r, g in blocks if _KINDS[n][0] == dim]
    names: dict[str, int] = {}
    rows, tags = [], []
    for _, nodes, codes in chosen:
        mark = np.zeros(len(nodes), dtype=np.int32)
        for code in np.unique(codes):
            group = raw.groups[code]
            if len(group) > 1:
                place = points[nodes[int(np.argmax(codes == code)), : dim + 1]]
                raise MeshError(
                    f"the element at {_at(place)} is in the groups {', '.join(map(repr, group))}",
                    allowed="one group for each cell and each facet",
                )
            if group:
                mark[codes == code] = names.setdefault(group[0], len(names) + 1)
        rows.append(nodes)
        tags.append(mark)
    if not rows:
        return np.zeros((0, dim + 1), dtype=np.int64), np.zeros(0, dtype=np.int32), {}
    if len({r.shape[1] for r in rows}) > 1:
        rows = [r[:, : dim + 1] for r in rows]
    return np.concatenate(rows), np.concatenate(tags), names


def _match_order(cells: Ints, facets: Ints, dim: int, order: int, points: Floats) -> Ints:
    """Facets with as many nodes as the cells' facets have."""
    width = NODES[dim - 1, order]
    if not len(facets):
        return np.zeros((0, width), dtype=np.int64)
    if facets.shape[1] == width:
        return facets
    if facets.shape[1] > width:
        return facets[:, :dim]
    every = cell_facets(cells, dim, order)
    both = keys(np.concatenate([every[:, :dim], facets[:, :dim]]), len(points))
    place = np.argsort(both[: len(every)], kind="stable")
    known = both[: len(every)][place]
    at = np.minimum(np.searchsorted(known, both[len(every) :]), len(known) - 1)
    missing = known[at] != both[len(every) :]
    if missing.any():
        bad = facets[int(np.argmax(missing))]
        raise MeshError(f"the facet at {_at(points[bad[:dim]])} belongs to no cell")
    return every[place[at]]


def _fronts(
    raw: _Raw, blocks: list[_Block], dim: int, points: Floats, used: Ints
) -> dict[str, Ints]:
    rows, tags, names = _gather(raw, blocks, dim - 2, points)
    fronts = {name: rows[tags == tag][:, : max(1, dim - 1)] for name, tag in names.items()}
    if dim == 2:
        for name, nodes in raw.point_sets.items():
            fronts.setdefault(name, nodes[:, None])
    for name, nodes in fronts.items():
        if not np.isin(nodes, used).all():
            raise MeshError(f"the front {name!r} has nodes of no cell")
    return fronts


def _triangles(points: Floats, quads: Ints) -> Ints:
    """Two triangles per quadrilateral, cut along the shorter diagonal."""
    p = points[quads]
    short = np.linalg.norm(p[:, 0] - p[:, 2], axis=1) <= np.linalg.norm(p[:, 1] - p[:, 3], axis=1)
    first = np.where(short[:, None], quads[:, [0, 1, 2]], quads[:, [0, 1, 3]])
    other = np.where(short[:, None], quads[:, [0, 2, 3]], quads[:, [1, 2, 3]])
    return np.stack([first, other], axis=1).reshape(-1, 3)


def _at(nodes: Iterable[Any]) -> str:
    centre = np.asarray(nodes, dtype=float).mean(axis=0)
    return "(" + ", ".join(f"{value:.6g}" for value in centre) + ") um"
