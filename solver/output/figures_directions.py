"""A still picture of the largest principal stress with the directions of the principal stresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError, nearest
from ssbmech.output import animate_steps as steps
from ssbmech.output import directions as bars
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import Fields, read_fields, read_summary
from ssbmech.output.figures_front_map import STRESS, limits_of
from ssbmech.output.figures_map_data import apart, group_names, stiffness
from ssbmech.output.front_line import front_handle, front_line
from ssbmech.output.monitors import clock
from ssbmech.output.plane_fields import PlaneFields, mirror_axes, mirrored, of_fields, of_grid

Floats = NDArray[np.float64]

#: Longest side of a panel [inch], and largest height.
_LONG, _HIGHEST = 5.6, 5.0
#: Views that are higher than this part of their width stand side by side.
_TALL = 0.6
#: A layer thinner than this part of the picture gets one of its own, so many thicknesses wide.
_THIN, _WIDE = 0.1, 8.0


def directions(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``directions``: of a layer that was drawn anew for each thickness, at the last of them."""
    entry = summary.get("interphase") or {}
    if not entry.get("steps") or not (results / "fields" / "fields.pvd").is_file():
        return None
    fields = read_fields(results)
    if fields is None or fields.dim != 2 or bars.components(fields.scalars) is None:
        return None
    title = "layer of {}, in place of {} of electrolyte".format(
        *(_length(entry["final"][name]["value"]) for name in ("thickness", "depth"))
    )
    f = of_fields(_by_material(results, summary, fields))
    axes = mirror_axes(results, summary, f.points)
    f = mirrored(f, axes)
    views = [_box(results, summary, f)]
    layer = _layer(results, entry.get("group"), f)
    if layer.any():
        close = _close(f, f.points[layer], views[0])
        views += [] if close is None else [close]
    return _draw(folder, f, STRESS, views, title, summary, layer=layer.astype(float))


def _by_material(results: Path, summary: dict[str, Any], fields: Fields) -> Fields:
    """Materials with vertices of their own: the stress of a stiff one ends at its interface."""
    names = group_names(results, fields)
    tags = [int(tag) for tag in np.unique(fields.material)]
    moduli = {tag: stiffness(results, summary, names.get(tag, "")) for tag in tags}
    if any(E is None for E in moduli.values()):
        return fields
    return apart(fields, sorted(tags, key=lambda tag: moduli[tag] or 0.0))


def _length(um: float) -> str:
    return f"{style.number(um)} µm" if um >= 1 else f"{style.number(1e3 * um)} nm"


def view_still(results: Path, target: Path | None, field: str | None = None) -> Path:
    """The last time of any fields with stress in the plane, into a PNG file.

    Args:
        results: Results folder.
        target: The file.
        field: What to colour by, by default the largest principal stress.

    Returns:
        The file.

    Raises:
        OutputError: Without fields, for an unknown one, for fields without stress, and for a
            picture that cannot be written.
    """
    if target is None or target.suffix.lower() != ".png":
        raise OutputError(
            "directions are drawn into a file", key="--directions", value=str(target or ""),
            allowed="with --screenshot FILE.png, or --animate FILE.gif of a case in time",
        )  # fmt: skip
    if not target.parent.is_dir():
        raise OutputError(
            "no such folder", key="--screenshot", value=str(target.parent), hint="Make it first"
        )
    try:
        summary = read_summary(results)
    except OutputError:
        summary = {}
    style.apply()
    field = field or STRESS
    f, time = _last(results, field)
    f = mirrored(f, mirror_axes(results, summary, f.points))
    title = f"at {clock(time)}" if time else ""
    _draw(target.parent, f, field, [_box(results, summary, f)], title, summary, name=target.stem)
    return target


def _last(results: Path, field: str) -> tuple[PlaneFields, float]:
    """Fields of the last time that hold the stress and another field, and that time [s]."""
    held: dict[str, steps.Step] = {}
    named: list[str] = []
    for pvd in sorted((results / "fields").glob("*.pvd")):
        found = steps.steps_of(pvd)
        if not found:
            continue
        grid = steps.load(found[-1])
        names = steps.names_of(grid)
        named += [n for n in names if n not in named]
        if steps.is_plane(grid) and bars.components(names) is not None:
            for name in names:
                held.setdefault(name, found[-1])
    if not named:
        raise OutputError(
            "no fields here", key="directory", value=str(results),
            hint="Give a results folder of `ssbmech run`; the case must not say output.fields = "
            "false",
        )  # fmt: skip
    if not held:
        bars.check([n for n in named if not n.startswith("stress_")] or ["a body in 3-D"])
    if field not in held:
        raise OutputError("no such field", key="--field", value=field, hint=nearest(field, held))
    step = held[field]
    return of_grid(steps.load(step), join=len(step.files) > 1), step.time


def _box(results: Path, summary: dict[str, Any], f: PlaneFields) -> Floats:
    """Corners of what is shown [um], (2, 2): the flaw where there is one, else all."""
    box = steps.window(results, summary, f.points)
    if box is None:
        return np.stack([f.points.min(axis=0), f.points.max(axis=0)])
    for axis in f.mirrors:
        reach = float(np.abs(box[:, axis]).max())
        box[:, axis] = -reach, reach
    return box


def _layer(results: Path, group: str | None, f: PlaneFields) -> NDArray[np.bool_]:
    """Which vertices are the layer's, (n,); none where it is not known which group that is."""
    from ssbmech.output.figures_data import mesh_groups

    tag = (mesh_groups(results) or {}).get(2, {}).get(group or "")
    found = np.zeros(len(f.points), bool)
    if tag is not None:
        found[f.cells[f.material == tag]] = True
    return found


def _close(f: PlaneFields, layer: Floats, box: Floats) -> Floats | None:
    """Corners of a picture of the end of a layer, or of its middle; None where it is thick."""
    low, high = layer.min(axis=0), layer.max(axis=0)
    thin = float((high - low).min())
    size = float((box[1] - box[0]).max())
    if thin <= 0 or thin > _THIN * size:
        return None
    long = int(np.argmax(high - low))
    whole = np.stack([f.points.min(axis=0), f.points.max(axis=0)])
    centre = (low + high) / 2
    ends = high[long] < whole[1, long] - thin
    centre[long] = high[long] if ends else centre[long]
    found = np.stack([centre - _WIDE / 2 * thin, centre + _WIDE / 2 * thin])
    return np.stack([np.maximum(found[0], whole[0]), np.minimum(found[1], whole[1])])


def _draw(
    folder: Path, f: PlaneFields, field: str, views: list[Floats], title: str,
    summary: dict[str, Any], *, name: str = "directions", layer: Floats | None = None,
) -> str:  # fmt: skip
    """A panel per view, with colours of its own: a close view is not dulled by what is far."""
    from matplotlib.transforms import ScaledTranslation

    ratios = [float(np.divide(*(v[1] - v[0])[::-1])) for v in views]
    beside = len(views) > 1 and min(ratios) > _TALL
    if beside:
        width = style.DOUBLE / len(views) - 1.0
        heights = [min(width * max(ratios), _HIGHEST)]
        size = style.DOUBLE, heights[0] + 1.1
    else:
        heights = [float(np.clip(_LONG * r, 0.9, _HIGHEST / len(views) ** 0.5)) for r in ratios]
        width = max(h / r for h, r in zip(heights, ratios, strict=True)) + 1.5
        size = float(np.clip(width, style.SINGLE, style.DOUBLE)), sum(heights) + 0.55 * len(views)
        size = size[0], size[1] + 0.5
    shape = (1, len(views)) if beside else (len(views), 1)
    fig, axes = style.figure(*size, *shape, squeeze=False, height_ratios=heights)
    names = ("r", "z") if summary.get("model") == "axisymmetric" else ("x", "y")
    for k, (ax, box) in enumerate(zip(axes.flat, views, strict=True)):
        handles = _panel(fig, ax, f, field, box, layer)
        last = beside or k == len(views) - 1
        ax.set(xlabel=f"{names[0]} (µm)" if last else "",
               ylabel=f"{names[1]} (µm)" if not (beside and k) else "")  # fmt: skip
        # below the numbers of the axis, and its name
        below = ScaledTranslation(0, -0.4 if last else -0.24, fig.dpi_scale_trans)
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0),
                  bbox_transform=ax.transAxes + below, ncols=1 if beside else 2,
                  handlelength=1.5, borderaxespad=0.0)  # fmt: skip
        if len(views) > 1:
            style.panel(ax, "ab"[k])
    if beside:
        fig.suptitle(title, fontsize=8)
    else:
        axes[0, 0].set_title(title, loc="right")
    return style.save(fig, folder, name, pdf=name == "directions")


def _panel(
    fig: Any, ax: Any, f: PlaneFields, field: str, box: Floats, layer: Floats | None
) -> list[Any]:
    """Colours, lines and bars of a part of a body; handles of their key."""
    from matplotlib.collections import LineCollection

    pad = 0.015 * float((box[1] - box[0]).max())
    low, high = f.points[f.cells].min(axis=1), f.points[f.cells].max(axis=1)
    seen = ((high >= box[0] - pad) & (low <= box[1] + pad)).all(axis=1)
    cells = f.cells[seen]
    part = PlaneFields(f.points, cells, f.displacement, f.scalars, f.material[seen])
    values = f.scalars[field]
    limits = limits_of(part, field)
    drawn = ax.tripcolor(
        f.points[:, 0], f.points[:, 1], cells, values, shading="gouraud",
        cmap=steps.colours(field, limits), vmin=limits.low, vmax=limits.high, rasterized=True,
    )  # fmt: skip
    bar = fig.colorbar(drawn, ax=ax, shrink=0.95, pad=0.02, aspect=20, extend=limits.extend)
    bar.set_label(steps.words(field))
    for edges, width in ((f.outline, 0.7), (f.interfaces, 0.8)):
        ax.add_collection(LineCollection(list(f.points[edges]), colors=style.BLACK,
                                         linewidths=width, zorder=2), autolim=False)  # fmt: skip
    handles = []
    if steps.LAYER in f.scalars and field != steps.LAYER:
        front_line(ax, f)
        handles.append(front_handle())
    lattice = bars.lattice(box[0], box[1])
    found = bars.within(bars.bars(f, lattice, layer=layer), box)
    scale = bars.common_scale([found], lattice)
    bars.draw(ax, found, scale)
    ax.set_xlim(box[0, 0] - pad, box[1, 0] + pad)
    ax.set_ylim(box[0, 1] - pad, box[1, 1] + pad)
    ax.set_aspect("equal")
    ax.locator_params(nbins=7)
    ax.tick_params(direction="out")
    return handles + bars.key(scale)
