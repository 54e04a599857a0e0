"""Porous host: a garnet framework between dense layers, its pores partly filled with lithium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.contacts import separate_contacts
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.image import mesh_image
from ssbmech.meshes.labels import (
    VOID,
    LabelImage,
    components,
    label_image,
    largest_solid,
    remove_specks,
)
from ssbmech.meshes.parameters import Count, Length, Number, choice, count, number

# Values of the label image.
_VOID, _ELECTROLYTE, _LITHIUM = 0, 1, 2
_NAMES = {_VOID: VOID, _ELECTROLYTE: "electrolyte", _LITHIUM: "lithium"}
#: Largest difference of the porosity from the wanted one.
TOLERANCE = 0.005
_MOST_VOXELS = 8_000_000


def host(
    width: Length,
    thickness: Length,
    porosity: Number,
    feature: Length,
    *,
    dense: Length,
    dense_below: Length = 0.0,
    lithium: Length = 0.0,
    depth: Length | None = None,
    kind: Literal["field", "spheres"] = "field",
    filled: Number = 0.0,
    spread: Number = 0.2,
    seed: Count = 1,
    voxel: Length | None = None,
    smooth: Count = 20,
    h: Length | None = None,
    growth: Number = 0.3,
    h_max: Length | None = None,
    order: Count = 2,
) -> MeshData:
    """A porous framework of electrolyte between dense layers, with lithium below and in its pores.

    From below: lithium (y < 0), the dense layer ``dense_below`` from y = 0 (none by default: the
    framework stands on the lithium), the framework, the dense layer ``dense``. The pores are
    filled up to one level of y.

    The framework is drawn on voxels and meshed as an image. Electrolyte that nothing holds (islands
    in empty pores) is removed, pores of less than 3 voxels across are closed, and the threshold
    is moved until the porosity with these changes is met within 0.005. Pores that do not reach
    the lithium stay; the notes give their share.

    Args:
        width: Extent along x, centred on 0 [um].
        thickness: Extent of the framework along y [um].
        porosity: Fraction of the framework that is pores, filled or not.
        feature: Size of the pores [um]: of ``"field"`` the distance at which the Gaussian field's
            correlation exp(-(r/feature)^2) is 1/e; of ``"spheres"`` the mean diameter.
        dense: Thickness of the dense electrolyte above the framework [um].
        dense_below: Thickness of the dense electrolyte below it [um]; 0: none.
        lithium: Thickness of the lithium below all [um]; 0: none.
        depth: Extent along z, centred on 0 [um]; without it the mesh is 2-D.
        kind: ``"field"``: pores where a Gaussian random field is low; ``"spheres"``: pores are
            spheres (discs in 2-D) at random places, which may overlap.
        filled: Fraction of the pores' volume that lithium fills, from below, in whole layers of
            voxels.
        spread: Standard deviation of the logarithm of the diameters of the spheres.
        seed: Of the random numbers.
        voxel: Edge of a voxel, an eighth of ``feature`` by default [um]. Lengths are rounded to it;
            it is adjusted to divide the width.
        smooth: Passes of smoothing; 0 keeps the steps of the voxels.
        h: Size of elements at the boundaries, 2 voxels by default; in 3-D it is the voxel [um].
        growth: Growth of the size per distance from the boundaries.
        h_max: Largest size, an eighth of the smallest extent by default [um].
        order: Order of the cells, 1 or 2 (straight).

    Returns:
        Cells ``electrolyte`` and ``lithium``; facets ``li_sse``, ``void_sse``, ``void_li``,
        ``left``, ``right``, ``bottom``, ``top``, ``front``, ``back``.

    Raises:
        MeshError: For parameters out of range, or a framework that does not hang together.
    """
    plan = _plan(
        width, thickness, depth, dense, dense_below, lithium, feature,
        feature / 8 if voxel is None else number("voxel", voxel, below=feature / 2),
    )  # fmt: skip
    number("porosity", porosity, below=1.0, unit="")
    number("filled", filled, below=1.0, closed=True, unit="")
    number("spread", spread, below=2.0, closed=True, unit="")
    choice("kind", kind, ("field", "spheres"))
    rng = np.random.default_rng(count("seed", seed, at_least=0, at_most=2**31))
    if kind == "field":
        rank = _field(plan.shape, feature / plan.voxel, rng)
    else:
        rank = _spheres(plan.shape, feature / plan.voxel, spread, porosity, rng)
    made = _meet(plan, rank, porosity, filled)
    return mesh_image(made, smooth=smooth, h=h, growth=growth, h_max=h_max, order=order)


@dataclass(frozen=True)
class _Plan:
    """The body on voxels.

    Attributes:
        shape: Voxels of the framework.
        layers: Voxels along y of the lithium, the dense layer below, and the one above.
        voxel: Edge of a voxel [um].
        low: Corner of the body [um].
    """

    shape: tuple[int, ...]
    layers: tuple[int, int, int]
    voxel: float
    low: tuple[float, ...]


def _plan(
    width: float,
    thickness: float,
    depth: float | None,
    dense: float,
    dense_below: float,
    lithium: float,
    feature: float,
    voxel: float,
) -> _Plan:
    """Check lengths and round them to voxels."""
    least = min(number("width", width), number("thickness", thickness))
    if depth is not None:
        least = min(least, number("depth", depth))
    number("feature", feature, below=least, hint="Pores must fit into the framework")
    number("dense", dense)
    number("dense_below", dense_below, closed=True)
    number("lithium", lithium, closed=True)
    voxel = width / max(1, round(width / voxel))
    cells = [round(length / voxel) for length in (width, thickness)]
    layers = []
    for key, length in (("lithium", lithium), ("dense_below", dense_below), ("dense", dense)):
        n = round(length / voxel)
        if length > 0 and n < 2:
            raise MeshError(
                f"{key} is thinner than two voxels", key=key, value=length,
                allowed=f">= {2 * voxel:g} um", hint="Lower voxel, or leave the layer out",
            )  # fmt: skip
        layers.append(n)
    low = [-width / 2, -layers[0] * voxel]
    if depth is not None:
        cells.append(max(1, round(depth / voxel)))
        low.append(-cells[2] * voxel / 2)
    total = (cells[1] + sum(layers)) * cells[0] * (cells[2] if depth is not None else 1)
    if total > _MOST_VOXELS:
        raise MeshError(
            f"the body would have {total} voxels", key="voxel", value=voxel,
            allowed=f"at most {_MOST_VOXELS} voxels", hint="Raise voxel, or make the body smaller",
        )  # fmt: skip
    return _Plan(tuple(cells), (layers[0], layers[1], layers[2]), voxel, tuple(low))


def _field(shape: tuple[int, ...], length: float, rng: np.random.Generator) -> Floats:
    """Gaussian random field with correlation exp(-(r/length)^2), in voxels."""
    from scipy.ndimage import gaussian_filter

    sigma = length / 2  # white noise under exp(-x^2/(2 s^2)) correlates as exp(-r^2/(4 s^2))
    margin = int(np.ceil(4 * sigma))  # where the filter would see the end of the noise
    noise = rng.standard_normal([n + 2 * margin for n in shape])
    smooth: Any = gaussian_filter(noise, sigma, mode="constant")
    return np.asarray(smooth[tuple(slice(margin, margin + n) for n in shape)])


def _spheres(
    shape: tuple[int, ...], diameter: float, spread: float, porosity: float, rng: Any
) -> Floats:
    """Distance from the surface of the nearest sphere, negative inside; in voxels.

    Spheres are added until they fill the porosity; the level that meets it exactly is near 0.
    """
    level = np.full(shape, np.inf)
    wanted = porosity * level.size
    inside = 0
    while inside < wanted:
        # mean of a lognormal distribution: exp(mu + spread^2 / 2)
        radius = diameter / 2 * float(np.exp(rng.normal(-(spread**2) / 2, spread)))
        # centres may lie outside, so that the ends are like the middle
        centre = np.array([rng.uniform(-radius, n + radius) for n in shape])
        reach = radius + 2.0
        low = np.clip(np.floor(centre - reach).astype(int), 0, shape)
        high = np.clip(np.ceil(centre + reach).astype(int), 0, shape)
        window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        if any(a >= b for a, b in zip(low, high, strict=True)):
            continue
        axes = np.ogrid[window]
        squares = [(x + 0.5 - c) ** 2 for x, c in zip(axes, centre, strict=True)]
        away = np.sqrt(sum(squares)) - radius
        inside += int(((away < 0) & (level[window] >= 0)).sum())
        level[window] = np.minimum(level[window], away)
    return level


def _meet(plan: _Plan, rank: Floats, porosity: float, filled: float) -> LabelImage:
    """The body with the wanted porosity after cleaning."""
    order = np.argsort(rank, axis=None, kind="stable")
    wanted = porosity * rank.size
    take, found = wanted, -1.0
    for _ in range(30):
        pores = np.zeros(rank.size, dtype=bool)
        pores[order[: int(np.clip(round(take), 1, rank.size - 1))]] = True
        made = _assemble(plan, pores.reshape(rank.shape), filled)
        found = _porosity(plan, made)
        if abs(found - porosity) <= TOLERANCE / 2:
            break
        take += 0.7 * (porosity - found) * rank.size
    if abs(found - porosity) > TOLERANCE:
        raise MeshError(
            "no framework that hangs together has this porosity", key="porosity", value=porosity,
            allowed=f"found {found:.3f} after removing what nothing holds",
            hint="Lower porosity, fill the pores, take another seed, or a 3-D body (depth)",
        )  # fmt: skip
    _refuse_broken(plan, made)
    return _noted(plan, made, found)


def _host_part(plan: _Plan, image: LabelImage) -> Any:
    """Values of the framework's voxels."""
    start = plan.layers[0] + plan.layers[1]
    return image.values[:, start : start + plan.shape[1]]


def _is(image: LabelImage, group: str) -> NDArray[np.bool_]:
    return np.isin(image.values, [k for k, g in enumerate(image.groups) if g == group])


def _porosity(plan: _Plan, image: LabelImage) -> float:
    """Fraction of the framework that is not electrolyte."""
    solid = [k for k, g in enumerate(image.groups) if g == "electrolyte"]
    return float(1 - np.isin(_host_part(plan, image), solid).mean())


def _assemble(plan: _Plan, pores: NDArray[np.bool_], filled: float) -> LabelImage:
    """Layers, framework and lithium up to its level, without specks, contacts and islands."""
    d = pores.ndim
    framework = np.where(pores, _VOID, _ELECTROLYTE)
    pads = [(0, 0)] * d
    pads[1] = (plan.layers[1], plan.layers[2])
    values = np.pad(framework, pads, constant_values=_ELECTROLYTE)
    pads[1] = (plan.layers[0], 0)
    values = np.pad(values, pads, constant_values=_LITHIUM)
    values = remove_specks(values, 3**d)
    values, _, _ = separate_contacts(values)
    low = plan.layers[0] + plan.layers[1]
    rows = (values[:, low : low + plan.shape[1]] == _VOID).sum(axis=(0, *range(2, d)))
    sums = np.concatenate([[0], np.cumsum(rows)])
    level = int(np.argmin(np.abs(sums - filled * sums[-1])))
    if filled > 0:
        part = values[:, low : low + level]
        part[part == _VOID] = _LITHIUM
    values, _, _ = separate_contacts(values)
    image = label_image(values, plan.voxel, _NAMES, low=plan.low)
    return largest_solid(image)


def _refuse_broken(plan: _Plan, image: LabelImage) -> None:
    """Refuse a body whose top does not hang together with its bottom."""
    void = _is(image, VOID)
    if void[:, 0].all() or void[:, -1].all():
        raise MeshError(
            "the framework is broken: nothing joins its top and its bottom", key="porosity",
            hint="Lower porosity, fill the pores, take another seed, or a 3-D body (depth)",
        )  # fmt: skip


def _noted(plan: _Plan, image: LabelImage, porosity: float) -> LabelImage:
    """The image with notes about its pores."""
    start = plan.layers[0] + plan.layers[1]
    rows = slice(start, start + plan.shape[1])
    void, metal = _is(image, VOID), _is(image, "lithium")
    pore = ~_is(image, "electrolyte")
    pore[:, :start] = False
    pore[:, rows.stop :] = False
    parts, _ = components(pore.astype(np.int64))
    ground = np.unique(parts[:, start][pore[:, start]])
    closed = pore & ~np.isin(parts, ground)
    total = max(int(pore.sum()), 1)
    notes = image.notes | {
        "porosity": porosity,
        "filled_fraction": float(metal[:, rows].sum()) / total,
        "void_fraction": float(void[:, rows].mean()),
        "isolated_pores": float(len(np.unique(parts[closed]))),
        "isolated_pore_fraction": float(closed.sum()) / total,
    }
    return LabelImage(image.values, image.voxel, image.groups, None, image.low, None, dict(notes))
