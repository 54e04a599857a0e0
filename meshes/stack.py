"""The stack of a planar cell: its layers, their sizes, shapes and outer sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ssbmech.errors import MeshError
from ssbmech.meshes.parameters import choice, number
from ssbmech.meshes.scene import Part
from ssbmech.meshes.scene_sizes import Slab
from ssbmech.meshes.shapes import Place
from ssbmech.meshes.sizing import Grading

# Elements across a thin layer: their size over its thickness.
_LAYER = {2: 0.5, 3: 1.5}
# Most elements along a thin layer.
_MOST_ALONG = {2: 20_000, 3: 400}


@dataclass(frozen=True)
class Stack:
    """The layers of a cell from the bottom up.

    Attributes:
        names: Cell groups.
        heights: Lower surface of each and the upper surface of the last [um].
        x: Range of x [um].
        z: Range of z [um]; 0, 0 in 2-D.
    """

    names: tuple[str, ...]
    heights: tuple[float, ...]
    x: tuple[float, float]
    z: tuple[float, float]

    def bottom(self, name: str) -> float:
        """Height of the lower surface of a layer [um]."""
        return self.heights[self.names.index(name)]

    def top(self, name: str) -> float:
        """Height of its upper surface [um]."""
        return self.heights[self.names.index(name) + 1]


def stack_of(
    width: float, depth: float | None, symmetry: str | None, layers: list[tuple[str, float]]
) -> Stack:
    """Check the layers and lay them on one another, the electrolyte from y = 0 upwards.

    Args:
        width: Extent along x [um].
        depth: Extent along z [um], or None in 2-D.
        symmetry: None, ``"x"`` or ``"xz"``.
        layers: Names and thicknesses [um] from the bottom up; 0 leaves one away.

    Raises:
        MeshError: For values out of range.
    """
    choice("symmetry", symmetry, (None, "x") if depth is None else (None, "x", "xz"))
    half = number("width", width) / 2
    back = 0.0 if depth is None else number("depth", depth) / 2
    chosen = []
    for name, t in layers:
        number(name, t, closed=name != "electrolyte")
        if t > 0:
            chosen.append((name, float(t)))
    below = sum(t for name, t in chosen[: [n for n, _ in chosen].index("electrolyte")])
    heights = [-below]
    for _, t in chosen:
        heights.append(heights[-1] + t)
    heights[[n for n, _ in chosen].index("electrolyte")] = 0.0
    return Stack(
        tuple(name for name, _ in chosen), tuple(heights),
        (0.0 if symmetry else -half, half), (0.0 if symmetry == "xz" else -back, back),
    )  # fmt: skip


def place_in(
    stack: Stack, depth: float | None, h: float | None, h_max: float, growth: float
) -> Place:
    """Where features go in a stack.

    Args:
        stack: The layers.
        depth: Extent along z [um], or None in 2-D.
        h: Size of elements at features [um], or None.
        h_max: Largest size [um].
        growth: Growth of the size per distance.
    """
    has = "lithium" in stack.names
    first = stack.names.index("lithium") + 1 if has else 0
    last = stack.names.index("electrolyte") + 1
    return Place(
        dim=2 if depth is None else 3,
        low=(stack.x[0], stack.z[0]),
        high=(stack.x[1], stack.z[1]),
        lithium=stack.top("lithium") if has else 0.0,
        floor=stack.bottom("lithium") if has else 0.0,
        top=stack.top("electrolyte"),
        above=tuple((name, stack.top(name)) for name in stack.names[first:last]),
        h=h,
        h_max=h_max,
        growth=growth,
    )


def largest_size(stack: Stack, h_max: float | None) -> float:
    """Largest element [um]; a sixth of the smallest extent of the body by default."""
    extents = [stack.x[1] - stack.x[0], stack.heights[-1] - stack.heights[0]]
    if stack.z[1] > stack.z[0]:
        extents.append(stack.z[1] - stack.z[0])
    if h_max is not None:
        return number("h_max", h_max, above=min(extents) / 2000, below=min(extents), closed=True)
    return min(extents) / 6


def thin_layers(stack: Stack, at: Place) -> list[Slab]:
    """Small elements in layers that are thinner than the largest element."""
    slabs = []
    widest = max(b - a for a, b in (stack.x, stack.z))
    for name in stack.names:
        low, high = stack.bottom(name), stack.top(name)
        fine = _LAYER[at.dim] * (high - low)
        if fine >= at.h_max:
            continue
        if widest > _MOST_ALONG[at.dim] * fine:
            least = widest / _MOST_ALONG[at.dim] / _LAYER[at.dim]
            raise MeshError(
                f"the layer is too thin for a {at.dim}-D body of this width", key=name,
                value=high - low, allowed=f">= {least:.3g} um (width {widest:g} um)",
                hint="Lower the width, or leave the layer away",
            )  # fmt: skip
        slabs.append(Slab(low, high, Grading(fine, at.growth, 0.0, at.h_max)))
    return slabs


def layer_parts(gmsh: Any, stack: Stack, dim: int, *, bare: bool) -> list[Part]:
    """Boxes of the layers; ``bare``: without the electrolyte, which grains will fill."""
    occ = gmsh.model.occ
    (x0, x1), (z0, z1) = stack.x, stack.z
    parts = []
    for name, low, high in zip(stack.names, stack.heights, stack.heights[1:], strict=False):
        if bare and name == "electrolyte":
            continue
        if dim == 2:
            tag = occ.addRectangle(x0, low, 0, x1 - x0, high - low)
        else:
            tag = occ.addBox(x0, low, z0, x1 - x0, high - low, z1 - z0)
        parts.append(Part(name, (tag,)))
    return parts


def side_namer(stack: Stack, dim: int, symmetry: str | None) -> Callable[[Any], str | None]:
    """Name of an outer side from its bounding box: it is flat at one end of the body."""
    ends = {
        (0, 0): "symmetry_x" if symmetry else "left",
        (0, 1): "right",
        (1, 0): "interface" if stack.names[0] == "electrolyte" else "bottom",
        (1, 1): "cathode_plane",
        (2, 0): "symmetry_z" if symmetry == "xz" else "front",
        (2, 1): "back",
    }
    ranges = [stack.x, (stack.heights[0], stack.heights[-1]), stack.z]
    scale = max(high - low for low, high in ranges)

    def side(box: Any) -> str | None:
        for axis in range(dim):
            for end in (0, 1):
                value = ranges[axis][end]
                # OpenCASCADE widens its boxes by its tolerance
                if all(abs(box[axis + 3 * k] - value) < 1e-6 * scale for k in (0, 1)):
                    return ends[axis, end]
        return None

    return side
