"""The planar cell: lithium, layers, electrolyte, with features at the interface and cracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes import features, flaw
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints, straighten
from ssbmech.meshes.features import Contact, Impurity, Place, Protrusion, Void
from ssbmech.meshes.flaw import Crack, Flaw
from ssbmech.meshes.grain_parts import (
    Grains,
    boundary_crack,
    grain_parts,
    tessellate_layer,
    with_orientations,
)  # fmt: skip
from ssbmech.meshes.parameters import Count, Length, Number, choice, number
from ssbmech.meshes.scene import Part, Sheet, mesh_scene, untag_closed
from ssbmech.meshes.session import session
from ssbmech.meshes.sizing import Grading
from ssbmech.meshes.split import split_crack

if TYPE_CHECKING:
    from ssbmech.meshes.tessellation import Tessellation

Symmetry = Literal["x", "xz"] | None


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


def cell(
    width: Length,
    electrolyte: Length,
    lithium: Length = 0.0,
    depth: Length | None = None,
    *,
    interlayer: Length = 0.0,
    coating: Length = 0.0,
    interphase: Length = 0.0,
    cathode_coating: Length = 0.0,
    stack_plate: Length = 0.0,
    symmetry: Symmetry = None,
    void: tuple[Void, ...] = (),
    protrusion: tuple[Protrusion, ...] = (),
    impurity: tuple[Impurity, ...] = (),
    contact: Contact | None = None,
    crack: tuple[Crack, ...] = (),
    grains: Grains | None = None,
    order: Count = 2,
    h: Length | None = None,
    h_max: Length | None = None,
    growth: Number = 0.3,
) -> MeshData:
    r"""Planar cell: lithium below y = 0, electrolyte above, with voids, protrusions, cracks.

    Args:
        width: Width along x [um]: \\|x\\| < width/2.
        electrolyte: Thickness of the electrolyte, 0 < y < electrolyte [um].
        lithium: Thickness of the lithium [um]; 0: none, the electrolyte's surface is ``interface``.
        depth: Depth along z [um]: a 3-D mesh, \\|z\\| < depth/2; none: a 2-D section.
        interlayer: Thickness of a soft interlayer on the lithium [um].
        coating: Thickness of a coating between interlayer and interphase [um].
        interphase: Thickness of a reaction layer on the electrolyte [um].
        cathode_coating: Thickness of a coating on the far side of the electrolyte [um].
        stack_plate: Thickness of a plate under the lithium [um].
        symmetry: ``"x"``: x > 0 only; ``"xz"`` (3-D): x, z > 0 only.
        void: Voids between lithium and what is above it.
        protrusion: Lithium that stands into the electrolyte.
        impurity: Insulating inclusions on the lithium surface.
        contact: Random contact patches.
        crack: Cracks and sharp filaments in the electrolyte.
        grains: Makes the electrolyte a polycrystal.
        order: Order of the cells, 1 or 2 (curved).
        h: Size of the elements at features and the interface [um]; from the smallest feature by
            default.
        h_max: Largest size [um]; a sixth of the smallest extent by default.
        growth: Growth of the size per distance from features.

    Returns:
        Cells ``lithium``, ``electrolyte`` and the layers asked for; facets ``li_sse`` or the
        pair of layers; ``void_li``, ``void_sse``; ``blocked``; sides ``left right front back``,
        ``bottom`` and the cathode-side current plane ``cathode_plane``; ``symmetry_x``,
        ``symmetry_z``; faces and fronts of cracks (see `flaw.open_cracks`); with grains
        ``grain_boundaries``.

    Raises:
        MeshError: For parameters out of range or features that overlap or do not fit.
    """
    choice("order", order, (1, 2))
    number("growth", growth, above=0.01, below=1.0, closed=True, unit="")
    stack = _stack(
        width, depth, symmetry,
        [("stack_plate", stack_plate), ("lithium", lithium), ("interlayer", interlayer),
         ("coating", coating), ("interphase", interphase), ("electrolyte", electrolyte),
         ("cathode_coating", cathode_coating)],
    )  # fmt: skip
    at = _place(stack, depth)
    _need_lithium(stack, void, protrusion, impurity, contact)
    if contact is not None and any(e.thickness == 0 for e in impurity):
        raise MeshError(
            "films and random contact both block the interface", key="impurity.thickness",
            value=0.0, hint="Give one of them",
        )  # fmt: skip
    largest = _h_max(stack, h_max)
    fine = _finest(stack, void, protrusion, impurity, contact) if h is None else number("h", h)
    fine = min(fine, largest)
    tess = None if grains is None else _tessellate(grains, stack, at.dim)
    if grains is not None:
        largest = min(largest, grains.size / (4 if at.dim == 2 else 2.5))
        fine = min(fine, largest)
    flaws = _flaws(crack, stack, at, void, largest, tess, grains)

    def draw(gmsh: Any) -> tuple[list[Part], list[Sheet]]:
        parts = _layers(gmsh, stack, at.dim, bare=tess is not None)
        if tess is not None:
            parts += grain_parts(gmsh, tess)
        sheets: list[Sheet] = []
        for i, bump in enumerate(protrusion):
            parts += features.protrusion_parts(gmsh, bump, f"protrusion.{i}", at)
        for i, hole in enumerate(void):
            parts += features.void_parts(gmsh, hole, f"void.{i}", at)
        for i, spot in enumerate(impurity):
            more, films = features.impurity_items(gmsh, spot, f"impurity.{i}", at)
            parts, sheets = parts + more, sheets + films
        if contact is not None:
            sheets += features.contact_sheets(gmsh, contact, at)
        return parts, sheets

    size = Grading(fine, growth, 0.0, largest)
    data = mesh_cell(draw, stack, at, flaws, size, order=order, key="cell", symmetry=symmetry)
    if grains is not None and tess is not None:
        data = with_orientations(data, grains, tess.n_grains)
    if contact is not None and contact.gap and "blocked" in data.facet_groups:
        data = untag_closed(data, ["blocked"], "li_sse" if "li_sse" in data.facet_groups else None)
        data = split_crack(
            data, "blocked", None, lower="blocked_li", upper="blocked_sse", normal=(0, 1, 0)
        )
    return data


def mesh_cell(
    draw: Callable[[Any], tuple[list[Part], list[Sheet]]],
    stack: Stack,
    at: Place,
    flaws: Sequence[Flaw],
    size: Grading,
    *,
    order: int,
    key: str,
    symmetry: str | None = None,
) -> MeshData:
    """Mesh a stack with what is painted on it, and open its cracks.

    Args:
        draw: Makes the parts and sheets inside a Gmsh session.
        stack: The layers, for the names of sides.
        at: Where features go.
        flaws: Cracks.
        size: Element sizes at interfaces and walls.
        order: 1 or 2.
        key: For messages.
        symmetry: Planes of symmetry, ``"x"`` or ``"xz"``.
    """
    with session(key) as gmsh:
        parts, sheets = draw(gmsh)
        for one in flaws:
            layer = flaw.skin(gmsh, one, at.dim, stack.z)
            parts += [layer] if layer is not None else []
            sheets += flaw.sheets(gmsh, one, at.dim, stack.z, at.lithium)
        sized = dict.fromkeys(_SIZED, size)
        for one in flaws:
            if one.crack.skin is not None:
                thin = Grading(one.crack.skin / 2, size.growth, 0.0, size.h_max)
                sized["skin_electrolyte"] = thin
        data = mesh_scene(
            gmsh, at.dim, parts, sheets, _sides(stack, at.dim, symmetry), sized, size.h_max,
            order=order, key=key,
        )  # fmt: skip
    if order == 2:
        fixed: Ints = data.facets[:0, 0]
        data = replace(data, points=straighten(data.points, data.cells, data.dim, fixed))
    return flaw.open_cracks(data, flaws)


# Facet groups at which the mesh is fine.
_SIZED = (
    "li_sse", "void_li", "void_sse", "blocked", "impurity_electrolyte", "lithium_impurity",
    "void_impurity", "void_interlayer", "void_interphase", "void_coating",
)  # fmt: skip


def _stack(
    width: float, depth: float | None, symmetry: str | None, layers: list[tuple[str, float]]
) -> Stack:
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


def _place(stack: Stack, depth: float | None) -> Place:
    has = "lithium" in stack.names
    return Place(
        dim=2 if depth is None else 3,
        low=(stack.x[0], stack.z[0]),
        high=(stack.x[1], stack.z[1]),
        lithium=stack.top("lithium") if has else 0.0,
        floor=stack.bottom("lithium") if has else 0.0,
        top=stack.top("electrolyte"),
    )


def _need_lithium(stack: Stack, *blocks: Any) -> None:
    if "lithium" in stack.names:
        return
    for name, block in zip(("void", "protrusion", "impurity", "contact"), blocks, strict=True):
        if block:
            raise MeshError(
                f"a {name} needs lithium", key="lithium", value=0.0, allowed="> 0 um",
            )  # fmt: skip


def _h_max(stack: Stack, h_max: float | None) -> float:
    """Largest element; a sixth of the smallest extent of the body."""
    extents = [stack.x[1] - stack.x[0], stack.heights[-1] - stack.heights[0]]
    if stack.z[1] > stack.z[0]:
        extents.append(stack.z[1] - stack.z[0])
    if h_max is not None:
        return number("h_max", h_max, above=min(extents) / 2000, below=min(extents), closed=True)
    return min(extents) / 6


def _finest(
    stack: Stack, void: Sequence[Void], protrusion: Sequence[Protrusion],
    impurity: Sequence[Impurity], contact: Contact | None,
) -> float:  # fmt: skip
    """A fraction of the smallest feature, for both dimensions."""
    share = 8 if stack.z[1] == stack.z[0] else 4
    sizes = [b - a for a, b in zip(stack.heights, stack.heights[1:], strict=False)]
    found = [min(sizes) / 2]
    found += [v.radius / share for v in void]
    found += [min(p.radius or p.height, p.wavelength or p.height, p.height) / share
              for p in protrusion]  # fmt: skip
    found += [min(i.radius, i.thickness or i.radius) / (share / 2) for i in impurity]
    found += [contact.size / share] if contact is not None else []
    return min(found)


def _flaws(
    cracks: Sequence[Crack], stack: Stack, at: Place, void: Sequence[Void], h_max: float,
    tess: Tessellation | None, grains: Grains | None,
) -> list[Flaw]:  # fmt: skip
    result = []
    for i, crack in enumerate(cracks):
        path = None
        if crack.shape == "grain_boundary":
            path = boundary_crack(tess, grains, crack, f"geometry.crack.{i}")
        if crack.at == "void_edge":
            if not void:
                raise MeshError("there is no void", key=f"crack.{i}.at", value=crack.at)
            x, _ = features.void_centres(void[0], at.dim)[-1]
            crack = replace(crack, x=x + void[0].radius)
        result.append(
            flaw.place(
                crack,
                i,
                dim=at.dim,
                interface=0.0,
                top=at.top,
                reach=stack.x,
                h_max=h_max,
                path=path,
            )
        )
    return result


def _tessellate(grains: Grains, stack: Stack, dim: int) -> Tessellation:
    low = [stack.x[0], 0.0, stack.z[0]][:dim]
    high = [stack.x[1], stack.top("electrolyte"), stack.z[1]][:dim]
    return tessellate_layer(grains, np.array(low), np.array(high))


def _layers(gmsh: Any, stack: Stack, dim: int, *, bare: bool) -> list[Part]:
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


def _sides(stack: Stack, dim: int, symmetry: str | None) -> Callable[[Any], str | None]:
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
