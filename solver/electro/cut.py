"""Cut the mesh of what conducts along facets with a resistance (plain arrays, one rank)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.electro.boundary import LOWER, UPPER
from ssbmech.electro.problem import BoundaryResistance
from ssbmech.errors import CaseError
from ssbmech.meshes.cohesive import split_facets
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import sorted_facets

KEY = "electrochemistry.boundary_resistance"


@dataclass(frozen=True)
class Cut:
    """A mesh with nodes of its own on either side of boundaries with a resistance.

    Attributes:
        mesh: The cut mesh.
        nodes: Node of the mesh before the cut for each of its nodes.
        boundaries: Its boundaries.
    """

    mesh: MeshData
    nodes: NDArray[np.int64]
    boundaries: tuple[BoundaryResistance, ...]


def cut(part: MeshData, resistances: Mapping[str, float]) -> Cut:
    """Cut a mesh along facet groups; grains, tags and the order of the cells are kept.

    Args:
        part: Mesh of the conducting groups.
        resistances: Area-specific resistance of each facet group [ohm m^2].

    Raises:
        CaseError: For a group that is unknown or does not lie inside what conducts.
    """
    for name in resistances:
        check_inside(part, name)
    mesh, names = part, list(resistances)
    for name in names:
        anything = np.arange(len(mesh.cells))  # which side is the lower one means nothing here
        mesh = split_facets(mesh, name, name + LOWER, name + UPPER, rank=anything)
    nodes = np.empty(len(mesh.points), np.int64)
    nodes[mesh.cells] = part.cells
    d = mesh.dim
    sides = [
        [mesh.facets[mesh.facet_tags == mesh.facet_groups[name + end]][:, :d] for name in names]
        for end in (LOWER, UPPER)
    ]
    boundaries = tuple(
        BoundaryResistance(name, resistances[name], np.stack(pair, axis=1), f"{KEY}.{name}")
        for name, *pair in zip(names, *sides, strict=True)
    )
    return Cut(mesh, nodes, boundaries)


def check_inside(part: MeshData, name: str) -> None:
    """Refuse a facet group that has not what conducts on both of its sides.

    Raises:
        CaseError: With the groups that have.
    """
    between = inner_groups(part)
    if name not in between:
        outside = name in part.facet_groups
        raise CaseError(
            f"the facet group {name!r} lies on the surface of what conducts ions, where nothing is "
            "on its other side" if outside else
            f"the mesh has no facet group {name!r} inside what conducts ions",
            key=f"{KEY}.{name}", value=name,
            allowed=", ".join(between) or "none: no facet group lies inside what conducts ions",
            hint="Give an electrode on that surface an area_specific_resistance" if outside else "",
        )  # fmt: skip


def inner_groups(part: MeshData) -> list[str]:
    """Facet groups of which every facet lies between two cells of a mesh."""
    d = part.dim
    every = sorted_facets(part.cells[:, : d + 1]).reshape(-1, d)
    tagged = np.sort(part.facets[:, :d], axis=1)
    _, key, count = np.unique(
        np.concatenate([every, tagged]), axis=0, return_inverse=True, return_counts=True
    )
    key = key.reshape(-1)[len(every) :]
    own = np.bincount(key, minlength=len(count))
    inner = (count - own)[key] == 2
    return [name for name, tag in part.facet_groups.items() if inner[part.facet_tags == tag].all()]
