"""Names of groups that a case gives, against those that the mesh has: all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ssbmech.errors import MeshError, nearest
from ssbmech.meshes.data import MeshData

# Keys of the case to the name or the names given there.
Given = Mapping[str, str | Iterable[str]]


def check_names(
    data: MeshData,
    *,
    cells: Given | None = None,
    facets: Given | None = None,
    fronts: Given | None = None,
) -> tuple[str, ...]:
    """Raise one MeshError for all names that the mesh does not have.

    Args:
        data: The mesh, or an outline of it: only its groups and fronts are read.
        cells: Cell groups by the key of the case that names them, e.g.
            ``{"materials.electrolyte": "electrolyte"}``.
        facets: Facet groups likewise.
        fronts: Fronts likewise.

    Returns:
        Names of the facet groups and fronts that nothing names, for the record.

    Raises:
        MeshError: With every unknown name, its key and the nearest match.
    """
    wrong: list[tuple[str, str, str, str]] = []
    named: set[str] = set()
    for what, given, known in (
        ("material group", cells, data.cell_groups),
        ("facet group", facets, data.facet_groups),
        ("front", fronts, data.fronts),
    ):
        for key, names in (given or {}).items():
            for name in (names,) if isinstance(names, str) else names:
                named.add(name)
                if name not in known:
                    wrong.append((key, name, what, nearest(name, known)))
    if len(wrong) == 1:
        key, name, what, hint = wrong[0]
        raise MeshError(f"the mesh has no {what} {name!r}", key=key, hint=hint)
    if wrong:
        lines = [f"{key}: no {what} {name!r}. {hint}" for key, name, what, hint in wrong]
        raise MeshError(
            f"the mesh lacks {len(wrong)} groups that the case names:\n  " + "\n  ".join(lines),
            key="mesh",
        )
    return tuple(n for n in (*data.facet_groups, *data.fronts) if n not in named)
