"""Parts and sheets of a scene, and what Gmsh's pieces say about their ends and sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ssbmech.errors import MeshError
from ssbmech.meshes.group_names import GRAIN_BOUNDARIES
from ssbmech.meshes.scene_sizes import Sized, merged
from ssbmech.meshes.sizing import Grading


@dataclass(frozen=True)
class Part:
    """A painted region.

    Attributes:
        name: Cell group, or None for a hole.
        tags: Entities of the dimension of the scene.
        grain: Grain number, 0 for none.
        over: Cell groups that it may cover; empty: whatever is there.
        wall: First part of the name of a hole's facets: ``void`` gives ``void_li``.
        size: Element sizes at its walls inside the body, or None.
        curved: Whether straight elements miss some of its volume.
    """

    name: str | None
    tags: tuple[int, ...]
    grain: int = 0
    over: tuple[str, ...] = ()
    wall: str = "void"
    size: Grading | None = None
    curved: bool = False


@dataclass(frozen=True)
class Sheet:
    """Facets inside the body.

    Attributes:
        name: Facet group.
        tags: Entities of one dimension less.
        size: Element sizes around its rim inside the body, or None.
        outline: Element sizes all around it, wherever it ends, or None.
        within: Cell groups in which it has to lie with both sides; empty: anywhere.
        key: Of what it belongs to, for messages.
    """

    name: str
    tags: tuple[int, ...]
    size: Grading | None = None
    outline: Grading | None = None
    within: tuple[str, ...] = ()
    key: str = ""


def sized_rims(
    gmsh: Any, dim: int, sheets: list[tuple[Sheet, list[int]]], groups: dict[str, list[int]]
) -> list[tuple[Grading, list[int]]]:
    """Where each sheet ends inside the body: not on its sides, interfaces or holes.

    Sheets of one name and size that touch have one rim.
    """
    own = {tag for _, tags in sheets for tag in tags}
    walls: set[int] = set()
    planes: set[int] = set()
    for name, tags in groups.items():
        if name != GRAIN_BOUNDARIES:
            (planes if name.startswith("symmetry") else walls).update(set(tags) - own)
    sized = [(sheet.size, tags) for sheet, tags in sheets if sheet.size is not None and tags]
    merged: dict[Grading, list[int]] = {}
    for size, tags in sized:
        merged.setdefault(size, []).extend(tags)
    rims = []
    for size, tags in merged.items():
        edges = gmsh.model.getBoundary([(dim - 1, t) for t in tags], combined=True, oriented=False)
        # half of a crack on a plane of symmetry goes on behind it: that plane is no wall
        half = all(len(gmsh.model.getAdjacencies(dim - 1, t)[0]) == 1 for t in tags)
        stop = walls if half else walls | planes
        free: list[int] = []
        closed: list[int] = []
        for d, tag in edges:
            touched = {int(t) for t in gmsh.model.getAdjacencies(d, tag)[0]}
            (closed if stop & touched else free).append(tag)
        rims.append((size, free))
        # where a crack starts at a body that stays whole the stress is singular too
        rims.append((replace(size, h_tip=min(4 * size.h_tip, size.h_max), r_tip=0.0), closed))
    return rims


def sized_walls(gmsh: Any, dim: int, owner: dict[int, Part]) -> Sized:
    """Sized facets between a part and another one, not on the sides of the body."""
    found: Sized = []
    if all(part.size is None for part in owner.values()):
        return found
    for _, tag in gmsh.model.getEntities(dim - 1):
        up = [owner[int(t)] for t in gmsh.model.getAdjacencies(dim - 1, tag)[0] if int(t) in owner]
        if len(up) == 2 and (up[0].name, up[0].grain) != (up[1].name, up[1].grain):
            found += [(part.size, [tag]) for part in up if part.size is not None]
    return merged(found)


def sized_outlines(gmsh: Any, dim: int, sheets: list[tuple[Sheet, list[int]]]) -> Sized:
    """All ends of the sheets that ask for it."""
    found: Sized = []
    for sheet, tags in sheets:
        if sheet.outline is not None:
            ends = gmsh.model.getBoundary([(dim - 1, t) for t in tags], oriented=False)
            found.append((sheet.outline, [int(t) for _, t in ends]))
    return found


def refuse_outside(
    gmsh: Any, dim: int, owner: dict[int, Part], sheets: list[tuple[Sheet, list[int]]],
    side: Callable,
) -> None:  # fmt: skip
    """Refuse a sheet of which a part does not lie where it has to: nothing is lost in silence."""
    total: dict[str, float] = {}
    outside: dict[str, dict[str, float]] = {}
    if not any(sheet.within for sheet, _ in sheets):
        return
    around = {  # what ends inside a piece does not bound it
        int(t): [piece, piece]
        for piece in owner
        for d, t in gmsh.model.mesh.getEmbedded(dim, piece)
        if d == dim - 1
    }
    for sheet, tags in sheets:
        for tag in tags if sheet.within else []:
            mass = float(gmsh.model.occ.getMass(dim - 1, tag))
            total[sheet.key] = total.get(sheet.key, 0.0) + mass
            up = around.get(tag) or [int(t) for t in gmsh.model.getAdjacencies(dim - 1, tag)[0]]
            sides = [(owner[t].name or owner[t].wall) if t in owner else "nothing" for t in up]
            plane = str(side(gmsh.model.getBoundingBox(dim - 1, tag)))
            if len(sides) < 2 and not plane.startswith("symmetry"):  # there it has a mirror image
                sides.append("nothing")
            lost = [name for name in sides if name not in sheet.within]
            if lost:
                where = outside.setdefault(sheet.key, {})
                where[lost[0]] = where.get(lost[0], 0.0) + mass
    for key, places in outside.items():
        off = sum(places.values())
        if off <= 1e-9 * total[key]:
            continue
        unit = "um" if dim == 2 else "um^2"
        names = ", ".join("outside the body" if n == "nothing" else f"in {n}" for n in places)
        raise MeshError(
            f"{off:.4g} of {total[key]:.4g} {unit} of the crack lie {names}", key=key,
            allowed="wholly in the electrolyte", hint="Move its start, turn it or shorten it",
        )  # fmt: skip
