"""The planar cell: lithium, layers, electrolyte, with features at the interface and cracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes import features, flaw, flaw_shapes, patches, shapes
from ssbmech.meshes.cell_cracks import check_flaws, place_cracks
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Ints, jacobians, straighten
from ssbmech.meshes.feature_checks import check_features
from ssbmech.meshes.features import Impurity, Protrusion, Void
from ssbmech.meshes.flaw import Crack, Flaw
from ssbmech.meshes.grain_parts import (
    Grains,
    grain_parts,
    tessellate_layer,
    with_layer,
    with_orientations,
)
from ssbmech.meshes.opening import open_cracks
from ssbmech.meshes.parameters import Count, Length, Number, choice, number
from ssbmech.meshes.patches import Contact
from ssbmech.meshes.scene import Part, Sheet, mesh_scene, pair_name
from ssbmech.meshes.scene_rims import untag_closed
from ssbmech.meshes.scene_sizes import Slab
from ssbmech.meshes.session import session
from ssbmech.meshes.shapes import Place
from ssbmech.meshes.sizing import Grading
from ssbmech.meshes.split import split_crack
from ssbmech.meshes.stack import (
    Stack,
    largest_size,
    layer_parts,
    place_in,
    side_namer,
    stack_of,
    thin_layers,
)

if TYPE_CHECKING:
    from ssbmech.meshes.tessellation import Tessellation

Symmetry = Literal["x", "xz"] | None


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
        h: Size of the elements at features [um]; by default an eighth (3-D: a quarter) of the
            smallest extent of each. Thin layers and crack tips have sizes of their own.
        h_max: Largest size [um]; a sixth of the smallest extent by default.
        growth: Growth of the size per distance from features.

    Returns:
        Cells ``lithium``, ``electrolyte`` and the layers asked for; facets ``li_sse`` or the
        pair of layers; ``void_li``, ``void_sse``; ``blocked``; sides ``left right front back``,
        ``bottom`` (without lithium ``interface``) and the cathode-side current plane
        ``cathode_plane``; ``symmetry_x``, ``symmetry_z``; faces and fronts of cracks (see
        `opening.open_cracks`); with grains ``grain_boundaries``. The note ``contact_fraction`` is
        the share of the interface at which lithium touches, measured on the mesh.

    Raises:
        MeshError: For parameters out of range or features that overlap or do not fit.
    """
    choice("order", order, (1, 2))
    number("growth", growth, above=0.01, below=1.0, closed=True, unit="")
    stack = stack_of(
        width, depth, symmetry,
        [("stack_plate", stack_plate), ("lithium", lithium), ("interlayer", interlayer),
         ("coating", coating), ("interphase", interphase), ("electrolyte", electrolyte),
         ("cathode_coating", cathode_coating)],
    )  # fmt: skip
    _need_lithium(stack, void, protrusion, impurity, contact)
    largest = largest_size(stack, h_max)
    fine = None if h is None else number("h", h, above=largest / 2000, below=largest, closed=True)
    tess = None if grains is None else _tessellate(grains, stack, depth, protrusion)
    if grains is not None:
        largest = min(largest, grains.size / (4 if depth is None else 2.5))
        fine = None if fine is None else min(fine, largest)
    at = place_in(stack, depth, fine, largest, growth)
    check_features(void, protrusion, impurity, at)
    if contact is not None:
        patches.check_contact(contact, at)
        _contact_alone(void, protrusion, impurity)
    flaws = place_cracks(crack, at, void, protrusion, tess, grains)

    def draw(gmsh: Any) -> tuple[list[Part], list[Sheet]]:
        parts = layer_parts(gmsh, stack, at.dim, bare=tess is not None)
        if tess is not None:
            parts += grain_parts(gmsh, tess)
        sheets: list[Sheet] = []
        for bump in protrusion:
            parts += features.protrusion_parts(gmsh, bump, at)
        for hole in void:
            parts += features.void_parts(gmsh, hole, at)
        for spot in impurity:
            more, films = features.impurity_items(gmsh, spot, at)
            parts, sheets = parts + more, sheets + films
        if contact is not None:
            sheets += patches.contact_sheets(gmsh, contact, at)
        return parts, sheets

    size = Grading(largest, growth, 0.0, largest)
    data = mesh_cell(
        draw, stack, at, flaws, size, key="cell", symmetry=symmetry,
        order=1 if grains is not None and grains.layer is not None else order,
        slabs=thin_layers(stack, at) + _wave_slabs(protrusion, at),
    )  # fmt: skip
    if grains is not None and tess is not None:
        data = with_orientations(data, grains, tess.n_grains)
    data = _exact_wave(data, protrusion, at)
    if contact is not None and contact.gap:
        data = _open_gap(data, at)
    if grains is not None and grains.layer is not None:
        data = with_layer(data, grains, order)
    return _note_contact(data, stack, at)


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
    slabs: Sequence[Slab] = (),
) -> MeshData:
    """Mesh a stack with what is painted on it, and open its cracks.

    Args:
        draw: Makes the parts and sheets inside a Gmsh session.
        stack: The layers, for the names of sides.
        at: Where features go.
        flaws: Cracks.
        size: Growth and largest element; sizes at features come with their parts.
        order: 1 or 2.
        key: For messages.
        symmetry: Planes of symmetry, ``"x"`` or ``"xz"``.
        slabs: Flat layers with small elements.

    Raises:
        MeshError: If cracks meet, leave the electrolyte or hold no lithium; from Gmsh.
    """
    flaws = flaw.tell_filled(flaws)
    check_flaws(flaws, at.top, stack.x)
    with session(key) as gmsh:
        parts, sheets = draw(gmsh)
        for one in flaws:
            layer = flaw_shapes.skin(gmsh, one, at.dim, stack.z)
            parts += [layer] if layer is not None else []
            sheets += [
                replace(sheet, within=_AROUND_CRACKS, key=one.key)
                for sheet in flaw_shapes.sheets(gmsh, one, at.dim, stack.z, 0.0)
            ]
        sized: dict[str, Grading] = {}
        skins = [one.crack.skin for one in flaws if one.crack.skin is not None]
        if skins:
            share = 2.0 if at.dim == 2 else 1.0
            thin = min(min(skins) / share, size.h_max)
            sized["skin_electrolyte"] = Grading(thin, size.growth, 0.0, size.h_max)
        data = mesh_scene(
            gmsh, at.dim, parts, sheets, side_namer(stack, at.dim, symmetry), sized, size.h_max,
            order=order, key=key, slabs=slabs,
        )  # fmt: skip
    if order == 2:
        fixed: Ints = data.facets[:0, 0]
        data = replace(data, points=straighten(data.points, data.cells, data.dim, fixed))
    return open_cracks(data, flaws)


# Cell groups in which a crack may lie.
_AROUND_CRACKS = ("electrolyte", "skin", "grain_boundary")


def _need_lithium(stack: Stack, *blocks: Any) -> None:
    if "lithium" in stack.names:
        return
    for name, block in zip(("void", "protrusion", "impurity", "contact"), blocks, strict=True):
        if block:
            raise MeshError(
                f"a {name} needs lithium", key="lithium", value=0.0, allowed="> 0 um",
            )  # fmt: skip


def _contact_alone(*blocks: Sequence[Any]) -> None:
    for name, block in zip(("void", "protrusion", "impurity"), blocks, strict=True):
        if block:
            raise MeshError(
                f"random contact and a {name} would share the interface", key=f"geometry.{name}.0",
                hint="Give either [geometry.contact] or voids, protrusions and impurities",
            )  # fmt: skip


def _wave_slabs(protrusion: Sequence[Protrusion], at: Place) -> list[Slab]:
    """Small elements along a wave: of its length, as far as it reaches."""
    slabs = []
    for bump in protrusion:
        if bump.wavelength is not None and bump.shape == "wave":
            share = 24 if at.dim == 2 else 12
            fine = min(bump.wavelength / share, at.h_max) if at.h is None else at.h
            reach = (at.lithium - bump.height, at.lithium + bump.height)
            slabs.append(Slab(*reach, Grading(fine, at.growth, 0.0, at.h_max)))
    return slabs


def _exact_wave(data: MeshData, protrusion: Sequence[Protrusion], at: Place) -> MeshData:
    """Exact measures of both sides of a wave in place of those of its spline."""
    for bump in protrusion:
        if bump.shape != "wave" or bump.wavelength is None:
            continue
        depth = at.extent[1] if at.dim == 3 else 1.0
        more = shapes.wave_area(at, bump.height, bump.wavelength, bump.x) * depth
        flat = at.extent[0] * depth
        kind = "area" if at.dim == 2 else "volume"
        exact: dict[str, float | str] = {
            f"{kind}:lithium": flat * (at.lithium - at.floor) + more,
            f"{kind}:electrolyte": flat * (at.top - at.lithium) - more,
        }
        data = replace(data, notes=data.notes | exact)
    return data


def _open_gap(data: MeshData, at: Place) -> MeshData:
    """Open the blocked part of the interface."""
    upper = at.above[0][0]
    touching = pair_name("lithium", upper)
    if "blocked" in data.facet_groups:
        data = untag_closed(data, ["blocked"], touching)
    if not (data.facet_tags == data.facet_groups.get("blocked", -1)).any():
        return data
    data = split_crack(
        data, "blocked", None, lower="blocked_li", upper="blocked_sse", normal=(0, 1, 0)
    )
    notes = {key: value for key, value in data.notes.items() if key != "between:blocked"}
    sides: dict[str, float | str] = {
        "between:blocked_li": "lithium|", "between:blocked_sse": f"{upper}|"
    }  # fmt: skip
    return replace(data, notes=notes | sides)


def _note_contact(data: MeshData, stack: Stack, at: Place) -> MeshData:
    """Share of the interface at which lithium touches what is above it, seen along y."""
    if "lithium" not in stack.names:
        return data
    pairs = [pair_name("lithium", name) for name, _ in (*at.above, ("skin", 0.0))]
    tags = [data.facet_groups[name] for name in pairs if name in data.facet_groups]
    chosen = data.facets[np.isin(data.facet_tags, tags)]
    seen = data.points[:, [0, 2]]
    if data.dim == 2:
        touching = np.abs(seen[chosen[:, 1], 0] - seen[chosen[:, 0], 0]).sum()
        share = touching / at.extent[0]
    else:
        each = np.abs(jacobians(seen, chosen, 2, data.order))
        # the rule of the middles of the edges is exact for curved facets of second order
        mean = each[:, 0] if data.order == 1 else each[:, 3:6].mean(axis=1)
        share = mean.sum() / 2 / (at.extent[0] * at.extent[1])
    return replace(data, notes=data.notes | {"contact_fraction": float(share)})


def _tessellate(
    grains: Grains, stack: Stack, depth: float | None, protrusion: Sequence[Protrusion]
) -> Tessellation:
    for i, bump in enumerate(protrusion):
        if bump.shape == "wave":  # what lies in its troughs would belong to no grain
            raise MeshError(
                "a wave cuts the grains of a polycrystal off its flat surface",
                key=f"geometry.protrusion.{i}.shape", value="wave",
                hint="Leave [geometry.grains] away, or give protrusions one by one",
            )  # fmt: skip
    dim = 2 if depth is None else 3
    low = [stack.x[0], 0.0, stack.z[0]][:dim]
    high = [stack.x[1], stack.top("electrolyte"), stack.z[1]][:dim]
    return tessellate_layer(grains, np.array(low), np.array(high))
