"""The legend below a picture of a mesh: material groups, grains, interfaces, fronts."""

from __future__ import annotations

from typing import Any

import numpy as np
from ssbmech.meshes.data import MeshData
from ssbmech.output import figures_mesh_colours as colours
from ssbmech.output import figures_style as style
from ssbmech.output.figures_mesh_plane import TIP


def legend(
    fig: Any, data: MeshData, looks: dict[str, colours.Line], beside: float | None = None
) -> None:
    """Names of all groups below the panels, and the key of orientations where it is needed.

    Args:
        fig: The figure; what is added lies below its page.
        data: The mesh.
        looks: Facet group to its look.
        beside: Where a free column of the page begins [inch]; without it all goes below.
    """
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grains = data.grains is not None and bool(data.grains.max(initial=0))
    handles: list[Any] = []
    for name, fill in colours.group_colours(list(data.cell_groups)).items():
        mine = data.cell_tags == data.cell_groups[name]
        if grains and data.grains is not None and (data.grains[mine] > 0).any():
            handles.append(_grain_patches(data, name))
            continue
        handles.append(Patch(fc=fill, ec=colours.OUTLINE, lw=0.5, label=name))
    merged: dict[colours.Line, list[str]] = {}
    for name, look in looks.items():
        if look.width:
            merged.setdefault(look, []).append(name)
    for look, names in sorted(merged.items(), key=lambda item: -item[0].rank):
        handles.append(
            Line2D([], [], color=look.colour, lw=look.width, ls=look.style, label=_joined(names))
        )
    if data.fronts:
        shape: dict[str, Any] = (
            {} if data.dim == 2 else {"color": colours.FRONT, "lw": 1.6, "ls": "-"}
        )
        handles.append(Line2D([], [], label=_joined(list(data.fronts)), **{**TIP, **shape}))
    if data.lines:
        handles.append(
            Line2D(
                [],
                [],
                ls="",
                marker=".",
                ms=5,
                color=colours.FRONT,
                label=_joined(list(data.lines)),
            )
        )
    if not handles:
        return
    labels = [h[0].get_label() if isinstance(h, tuple) else h.get_label() for h in handles]
    longest = max(map(len, labels))
    columns = int(np.clip(style.DOUBLE / (0.42 + 0.058 * longest), 1, min(6, len(handles))))
    place = {"bbox_to_anchor": (0, 0), "ncols": columns}
    if beside is not None:
        place = {"bbox_to_anchor": (beside / style.DOUBLE, 1), "ncols": 1}
    fig.legend(
        handles, labels, loc="upper left", frameon=False, borderaxespad=0, borderpad=0.2,
        columnspacing=1.4, handlelength=1.8, fontsize=7.5, **place,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
    )  # fmt: skip
    if colours.oriented(data):
        page = fig.get_size_inches()[1]
        below = page - 0.17 * (len(handles) + 1) if beside is not None else 0.14
        _key(fig, beside or style.DOUBLE - 0.75, below)


def _grain_patches(data: MeshData, name: str) -> tuple[Any, ...]:
    """The legend's entry of a group whose cells have the colours of their grains."""
    from matplotlib.patches import Patch

    if colours.oriented(data):
        fills: Any = np.eye(3)
        label = f"{name}: grains, crystal direction along y"
    else:
        fills, label = colours.grain_palette()[:3], f"{name}: grains"
    return tuple(Patch(fc=fill, ec=colours.OUTLINE, lw=0.3, label=label) for fill in fills)


def _key(fig: Any, left: float, top: float) -> None:
    """The inverse pole figure's triangle, stereographic, at a place [inch from lower left]."""
    wide, tall = 0.75, 0.68
    page = fig.get_size_inches()[1]
    ax = fig.add_axes(
        (left / style.DOUBLE, (top - tall - 0.18) / page, wide / style.DOUBLE, tall / page)
    )
    t = np.linspace(0, np.tan(np.pi / 8) * 1.02, 260)
    x, y = np.meshgrid(t, t[t < 0.38])
    # back from the plane to the sphere
    direction = np.stack([2 * x, 2 * y, 1 - x**2 - y**2], axis=-1) / (1 + x**2 + y**2)[..., None]
    inside = (direction[..., 1] <= direction[..., 0]) & (direction[..., 0] <= direction[..., 2])
    rgb = colours.inverse_pole_colours(direction.reshape(-1, 3)).reshape(direction.shape)
    ax.imshow(
        np.dstack([rgb, inside]), origin="lower", extent=(0, t[-1], 0, y.max()),
        interpolation="antialiased",
    )  # fmt: skip
    corners = {"001": (0, 0), "101": (np.sqrt(2) - 1, 0), "111": ((np.sqrt(3) - 1) / 2,) * 2}
    for name, at in corners.items():
        up = name == "111"
        ax.annotate(name, at, (0, 2 if up else -2), textcoords="offset points", fontsize=6.5,
                    ha="center", va="bottom" if up else "top")  # fmt: skip
    ax.set_axis_off()


def _joined(names: list[str]) -> str:
    """Names in one entry: ``crack_lower, crack_upper`` as ``crack_lower, _upper``."""
    stem = names[0].split("_")[0]
    if all(name.startswith(f"{stem}_") for name in names):
        return ", ".join([names[0], *(n.removeprefix(stem) for n in names[1:])])
    return ", ".join(names)
