"""Element sizes of a scene: at walls, rims and inside flat layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ssbmech.meshes.sizing import Grading, background

# Elements around a full circle of a curved wall.
AROUND = {2: 24, 3: 16}
_WHAT = {0: "PointsList", 1: "CurvesList", 2: "SurfacesList"}

Sized = list[tuple[Grading, list[int]]]


@dataclass(frozen=True)
class Slab:
    """A flat layer in which elements are small all along it.

    A field of the distance from sampled points would be patchy on a large thin layer; this one is
    exact.

    Attributes:
        low: Lower height [um].
        high: Upper height [um].
        size: Element sizes inside, and how they grow outside.
    """

    low: float
    high: float
    size: Grading


def set_sizes(
    gmsh: Any, dim: int, walls: Sized, rims: Sized, slabs: Sequence[Slab], everywhere: float
) -> None:
    """Make the size field of a scene.

    Args:
        gmsh: The module, inside a session.
        dim: 2 or 3.
        walls: Sizes at entities of one dimension less than the body.
        rims: Sizes at entities of two dimensions less.
        slabs: Fine layers.
        everywhere: Largest element [um].
    """
    gmsh.option.setNumber("Mesh.MeshSizeMax", everywhere)
    gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", AROUND[dim])
    near = [(_WHAT[dim - 1], tags, size) for size, tags in walls if tags]
    near += [(_WHAT[dim - 2], tags, size) for size, tags in rims if tags]
    if near:
        background(gmsh, near)
    field = gmsh.model.mesh.field
    if not slabs:
        return
    boxes = [int(field.list()[-1])] if near else []
    boxes += [_box(gmsh, slab) for slab in slabs]
    smallest = field.add("Min")
    field.setNumbers(smallest, "FieldsList", boxes)
    field.setAsBackgroundMesh(smallest)


def _box(gmsh: Any, slab: Slab) -> int:
    field = gmsh.model.mesh.field
    box = int(field.add("Box"))
    far = 1e6 * max(slab.size.h_max, slab.high - slab.low)
    ends = {"X": (-far, far), "Y": (slab.low, slab.high), "Z": (-far, far)}
    for axis, (low, high) in ends.items():
        field.setNumber(box, f"{axis}Min", low)
        field.setNumber(box, f"{axis}Max", high)
    field.setNumber(box, "VIn", slab.size.h_tip)
    field.setNumber(box, "VOut", slab.size.h_max)
    reach = (slab.size.h_max - slab.size.h_tip) / slab.size.growth
    field.setNumber(box, "Thickness", slab.size.r_tip + reach)
    return box


def merged(sized: Sized) -> Sized:
    """Entities of equal sizes together, so that each size is one field."""
    found: dict[Grading, list[int]] = {}
    for size, tags in sized:
        found.setdefault(size, []).extend(tags)
    return [(size, sorted(set(tags))) for size, tags in found.items()]
