"""One Gmsh session: quiet, single-threaded, without signal handlers, always closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints, compact, orient

# Gmsh's element type for each (dimension, order).
TYPES = {(0, 1): 15, (0, 2): 15, (1, 1): 1, (1, 2): 8, (2, 1): 2, (2, 2): 9, (3, 1): 4, (3, 2): 11}

# Gmsh's numbers of its algorithms for volumes.
_HXT, _DELAUNAY = 10, 1


@contextmanager
def session(name: str, *, doing: str = "make this mesh", **options: float) -> Iterator[Any]:
    """Open Gmsh with a new model and close both, whatever happens inside.

    Args:
        name: Name of the model; it is the ``key`` of errors too.
        doing: What fails, for messages.
        **options: Gmsh options with ``_`` for the dot, e.g. ``Mesh_Algorithm=6``.

    Yields:
        The ``gmsh`` module.

    Raises:
        MeshError: For every failure of Gmsh itself.
    """
    import gmsh

    opened = not gmsh.isInitialized()
    if opened:
        # Command-line switches and the user's ~/.gmshrc must not change a mesh; Ctrl-C stays ours.
        gmsh.initialize(readConfigFiles=False, interruptible=False)
    try:
        defaults: dict[str, float] = {
            "General_Terminal": 0,
            "General_NumThreads": 1,
            "Mesh_Algorithm": 6,
            "Mesh_Algorithm3D": 1,
            "Mesh_MeshSizeExtendFromBoundary": 0,
            "Mesh_MeshSizeFromPoints": 0,
            "Mesh_MeshSizeFromCurvature": 0,
            "Mesh_RandomSeed": 1,
        }
        for key, value in (defaults | options).items():
            gmsh.option.setNumber(key.replace("_", "."), value)
        gmsh.model.add(name)
        try:
            yield gmsh
        finally:
            gmsh.model.remove()
    except MeshError:
        raise
    except Exception as error:
        # Gmsh's own errors are bare `Exception`; anything else is a fault of the program.
        if type(error) is not Exception:
            raise
        raise MeshError(f"Gmsh could not {doing}: {error}", key=name) from error
    finally:
        if opened:
            gmsh.finalize()


def fill_volumes(gmsh: Any) -> None:
    """Mesh the volumes with HXT, and with the slower Delaunay algorithm where that gives up.

    0.8 million tetrahedra of 200 grains take 13 s with HXT (3 million: 46 s), 49 s with Delaunay,
    whose worst elements are sixty times flatter. In thin layers HXT leaves no slivers (worst radius
    ratio 0.2 to 0.3 against 0.01). On one thread it makes the same mesh every time.
    """
    gmsh.option.setNumber("Mesh.Algorithm3D", _HXT)
    try:
        gmsh.model.mesh.generate(3)
    except Exception as error:
        if type(error) is not Exception:  # Gmsh's own errors are bare
            raise
        gmsh.option.setNumber("Mesh.Algorithm3D", _DELAUNAY)
        gmsh.model.mesh.generate(3)


def collect(
    gmsh: Any, dim: int, order: int, notes: dict[str, float | str] | None = None
) -> MeshData:
    """The current model's mesh by physical groups: cells, facets, and fronts below them.

    Args:
        gmsh: The module, inside a session.
        dim: Dimension of the cells.
        order: Their order.
        notes: Passed on.

    Raises:
        MeshError: If no cell is in a physical group.
    """
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    number = np.full(int(tags.max()) + 1 if len(tags) else 1, -1, dtype=np.int64)
    number[tags.astype(np.int64)] = np.arange(len(tags))
    points = np.asarray(coordinates, dtype=np.float64).reshape(-1, 3)
    found: dict[int, tuple[Ints, Ints, dict[str, int]]] = {}
    for d in (dim, dim - 1):
        rows, marks, names = [], [], {}
        for index, (_, physical) in enumerate(gmsh.model.getPhysicalGroups(d), start=1):
            name = gmsh.model.getPhysicalName(d, physical) or f"group_{physical}"
            names[name] = index
            part = _elements(gmsh, d, order, physical, number)
            rows.append(part)
            marks.append(np.full(len(part), index))
        width = part.shape[1] if rows else 1
        found[d] = (
            np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.int64),
            np.concatenate(marks) if rows else np.zeros(0, dtype=np.int64),
            names,
        )
    cells, cell_tags, cell_groups = found[dim]
    facets, facet_tags, facet_groups = found[dim - 1]
    if not len(cells):
        raise MeshError("no cell is in a physical group", allowed=f"groups of dimension {dim}")
    if not len(facets):
        from ssbmech.meshes.elements import NODES

        facets = np.zeros((0, NODES[dim - 1, order]), dtype=np.int64)
    fronts = {}
    for _, physical in gmsh.model.getPhysicalGroups(dim - 2):
        name = gmsh.model.getPhysicalName(dim - 2, physical) or f"group_{physical}"
        part = _elements(gmsh, dim - 2, order, physical, number)
        fronts[name] = part[:, : max(1, dim - 1)]
    used, arrays, _ = compact(points, cells, facets, *fronts.values())
    cells = orient(used, arrays[0], dim, order)
    if dim == 2:
        used[:, 2] = 0.0
    return MeshData(
        dim=dim,
        order=order,
        points=used,
        cells=cells,
        cell_tags=cell_tags.astype(np.int32),
        facets=arrays[1],
        facet_tags=facet_tags.astype(np.int32),
        cell_groups=cell_groups,
        facet_groups=facet_groups,
        fronts=dict(zip(fronts, arrays[2:], strict=True)),
        notes=dict(notes or {}),
    )


def _elements(gmsh: Any, dim: int, order: int, physical: int, number: Ints) -> Ints:
    from ssbmech.meshes.elements import NODES

    kind, width = TYPES[dim, order], NODES[dim, order]
    parts = [np.zeros((0, width), dtype=np.int64)]
    for entity in gmsh.model.getEntitiesForPhysicalGroup(dim, physical):
        _, nodes = gmsh.model.mesh.getElementsByType(kind, int(entity))
        parts.append(number[np.asarray(nodes, dtype=np.int64)].reshape(-1, width))
    return np.concatenate(parts)
