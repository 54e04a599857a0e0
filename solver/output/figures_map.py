"""Stress over the whole of a plane or axisymmetric body that has no crack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import Fields, mirrored, symmetry_planes
from ssbmech.output.figures_map_data import (
    Kinds,
    Quantity,
    apart,
    group_names,
    kinds,
    quantities,
    stiffness,
)

Floats = NDArray[np.float64]

#: Width [pt] and name of each kind of line.
LINES = {
    "grains": (0.45, "grain boundary"),
    "interface": (0.8, "interface"),
    "outline": (0.7, ""),
    "electrode": (1.7, "interface with lithium"),
}
#: A body is not mirrored where that makes it longer than so many times its height.
_LONGEST = 5.0


def stress_map_plane(
    results: Path, folder: Path, summary: dict[str, Any], fields: Fields
) -> str | None:
    """``stress_map``: the whole body in largest principal stress and pressure (or von Mises)."""
    if "max_principal_MPa" not in fields.scalars:
        return None
    whole, split, names, found = prepared(results, summary, fields)
    low, high = whole.points[:, :2].min(axis=0), whole.points[:, :2].max(axis=0)
    fig, axes, scale, tall = _page(len(found), high - low)
    lines = kinds(whole, names)
    for k, (ax, what) in enumerate(zip(axes, found, strict=True)):
        _panel(fig, ax, split, what, tall)
        drawn = lines.each(lambda facets: whole.points[facets][:, :, :2])
        _lines(ax, drawn, scale)
        margin = 0.015 * float((high - low).max())
        ax.set_xlim(low[0] - margin, high[0] + margin)
        ax.set_ylim(low[1] - margin, high[1] + margin)
        style.panel(ax, "abc"[k])
    _axis_names(axes, summary["model"], tall, whole.mirrors)
    _material_names(axes[0], whole, lines, names, scale)
    legend(fig, lines.each(len), bool(names))
    text = caption(summary["model"], whole.mirrors)
    if text:
        axes[-1 if tall else 0].set_title(text, loc="right")
    return style.save(fig, folder, "stress_map")


def prepared(
    results: Path, summary: dict[str, Any], fields: Fields
) -> tuple[Fields, Fields, dict[int, str], list[Quantity]]:
    """The whole body, the same material by material, names of materials and what is mapped."""
    axisymmetric = summary["model"] == "axisymmetric"
    planes = symmetry_planes(results, summary)
    width, height = np.ptp(fields.points[:, :2], axis=0)
    if fields.dim == 2 and 2 * width > _LONGEST * height:
        planes = tuple(axis for axis in planes if axis != 0)
    whole = mirrored(fields, planes, axisymmetric=axisymmetric)
    names = group_names(results, whole)
    present = [int(tag) for tag in np.unique(whole.material)]
    moduli = {tag: stiffness(results, summary, names.get(tag, "")) for tag in present}
    split = whole
    if all(E is not None for E in moduli.values()):
        split = apart(whole, sorted(present, key=lambda tag: moduli[tag] or 0.0))
    return whole, split, names, quantities(split, names, summary)


def _page(count: int, size: Floats) -> tuple[Any, list[Any], float, bool]:
    """Figure, axes, points on paper per micrometre, and whether panels stand side by side."""
    ratio = float(size[1] / size[0])
    tall = ratio > (0.55 if count == 2 else 0.9)
    if tall:
        width = (style.DOUBLE - 0.4) / count - 0.2
        height = min(width * ratio, 5.5)
        fig, axes = style.figure(style.DOUBLE, height + 1.45, 1, count)
    else:
        width = style.DOUBLE - 1.3
        height = min(width * ratio, 7.4 / count)
        fig, axes = style.figure(style.DOUBLE, count * (max(height, 0.9) + 0.25) + 0.75, count, 1)
    return fig, list(axes), 72 * height / float(size[1]), tall


def _panel(fig: Any, ax: Any, split: Fields, what: Quantity, tall: bool) -> None:
    x = split.points[:, :2]
    drawn = ax.tripcolor(
        x[:, 0], x[:, 1], split.cells, what.values, shading="gouraud", cmap=what.colours,
        vmin=what.bottom, vmax=what.top, rasterized=True,
    )  # fmt: skip
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)  # they could be taken for sides of the body
    ax.tick_params(direction="out")
    place = {"location": "bottom", "shrink": 0.9, "pad": 0.03, "aspect": 28} if tall else {
        "location": "right", "shrink": 0.95, "pad": 0.015, "aspect": 14,
    }  # fmt: skip
    bar = fig.colorbar(drawn, ax=ax, extend=what.extend, **place)
    bar.set_label(what.label if tall else what.label.replace(" (", "\n("))


def _lines(ax: Any, drawn: dict[str, Floats], scale: float) -> None:
    """Lines of every kind, thinner where so many of them meet that they would hide the stress."""
    from matplotlib.collections import LineCollection

    segments = np.concatenate([rows for rows in drawn.values()])
    length = float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())
    extent = np.ptp(segments.reshape(-1, 2), axis=0)
    # the mean distance of lines on paper [pt]
    distance = float(np.prod(extent)) / max(length, 1e-300) * scale
    thin = float(np.clip(distance / 12, 0.35, 1.0))
    for order, (name, rows) in enumerate(drawn.items()):
        if len(rows):
            ax.add_collection(
                LineCollection(list(rows), colors=style.BLACK, linewidths=LINES[name][0] * thin,
                               capstyle="round", zorder=2 + order)
            )  # fmt: skip


def _axis_names(axes: list[Any], model: str, tall: bool, mirrors: tuple[int, ...]) -> None:
    names = ("r", "z") if model == "axisymmetric" else ("x", "y")
    for k, ax in enumerate(axes):
        if tall or k == len(axes) - 1:
            ax.set_xlabel(f"{names[0]} (µm)")
        else:
            ax.tick_params(labelbottom=False)
        if k == 0 or not tall:
            ax.set_ylabel(f"{names[1]} (µm)")
        else:
            ax.tick_params(labelleft=False)
        ax.locator_params(nbins=6 if tall else 8)
        if model == "axisymmetric" and 0 in mirrors:
            ax.axvline(0, color=style.GREY, lw=0.7, ls=(0, (7, 2, 1.5, 2)), zorder=7)


def _material_names(
    ax: Any, whole: Fields, lines: Kinds, names: dict[int, str], scale: float
) -> None:  # fmt: skip
    """Each group's name where it has most room."""
    if len(names) < 2:
        return
    edges = whole.points[np.concatenate([lines.outline, lines.electrode, lines.interface])]
    t = np.linspace(0, 1, 6)[:, None, None]  # long edges have more than their ends
    near = ((1 - t) * edges[:, 0] + t * edges[:, 1])[..., :2].reshape(-1, 2)
    places, room = [], []
    for tag in names:
        centres = whole.points[whole.cells[whole.material == tag]].mean(axis=1)[:, :2]
        at, free = roomiest(centres, near)
        places.append(at)
        room.append(free * scale)
    middle = (whole.points.min(axis=0) + whole.points.max(axis=0))[:2] / 2
    write_names(ax, list(names.values()), np.array(places), np.array(room), middle, scale)


def write_names(
    ax: Any, names: list[str], places: Floats, room: Floats, middle: Floats, scale: float
) -> None:
    """Names of materials, none over another; thin ones are pointed at, the lower ones from below.

    Args:
        ax: Axes; y may run down, as in pictures.
        names: Of the materials.
        places: Where they are in data coordinates, shape (n, 2).
        room: Distance of each place from lines on paper [pt], shape (n,).
        middle: Of the body, shape (2,).
        scale: Points on paper per unit of the data.
    """
    bottom, top = ax.get_ylim()
    paper = places * [scale, scale if bottom < top else -scale]
    centre = middle * [scale, scale if bottom < top else -scale]
    size = np.array([[3.7 * len(name) + 4, 11.0] for name in names])
    thin = [int(k) for k in np.argsort(paper[:, 1]) if room[k] < 6]
    done = [int(k) for k in np.argsort(-room) if k not in thin]
    shift = np.zeros_like(paper)
    for rank, k in enumerate(thin):
        down = paper[k, 1] > centre[1] if len(thin) == 1 else rank < len(thin) // 2
        toward = np.array([1 if paper[k, 0] < centre[0] else -1, -1 if down else 1])
        ways = [n * np.array(w) * toward for n in (1, 1.7, 2.4)
                for w in ((22, 16), (-22, 16), (22, -16), (-22, -16))]  # fmt: skip
        shift[k] = next((way for way in ways if all(
            (np.abs(paper[k] + way - paper[j] - shift[j]) > (size[k] + size[j]) / 2).any()
            for j in done
        )), ways[0])  # fmt: skip
        done.append(k)
    for k, name in enumerate(names):
        away = {}
        if k in thin:
            away = {
                "xytext": tuple(shift[k]), "textcoords": "offset points",
                "arrowprops": {"arrowstyle": "-", "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
            }  # fmt: skip
        ax.annotate(
            name.replace("_", " "), places[k], ha="center", va="center", fontsize=7, zorder=9,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75},
            annotation_clip=False, **away,
        )  # fmt: skip


def roomiest(centres: Floats, edges: Floats) -> tuple[Floats, float]:
    """Where in a region a name has most room, of equal places the one nearest to its middle.

    Args:
        centres: Of the region's cells, shape (n, d).
        edges: Points on all lines, shape (m, d).

    Returns:
        The place, shape (d,), and how far it is from lines.
    """
    from scipy.spatial import cKDTree

    distance = cKDTree(edges).query(centres)[0]
    good = np.flatnonzero(distance >= 0.75 * distance.max())
    off = np.linalg.norm(centres[good] - centres.mean(axis=0), axis=1)
    best = good[int(np.argmin(off))]
    return centres[best], float(distance[best])


def legend(fig: Any, counts: dict[str, int], named: bool, *, void_wall: str | None = None) -> None:
    """Say what the lines are.

    Args:
        fig: The figure.
        counts: Number of facets of each kind.
        named: Whether it is known which material is lithium.
        void_wall: Colour of the walls of voids that are seen.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shown: list[Any] = []
    for kind, (width, text) in LINES.items():
        if text and counts[kind]:
            text = "interface of materials" if kind == "electrode" and not named else text
            shown.append(Line2D([], [], color=style.BLACK, lw=width, label=text))
    if void_wall is not None:
        shown.append(Patch(fc=void_wall, ec=style.BLACK, lw=0.5, label="wall of a void"))
    if shown:
        fig.legend(handles=shown, loc="outside lower center", ncols=len(shown), fontsize=7)


def caption(model: str, mirrors: tuple[int, ...]) -> str:
    """Where the body was mirrored, or nothing."""
    axes = ("r", "z", "θ") if model == "axisymmetric" else ("x", "y", "z")
    planes = " and ".join(f"{axes[i]} = 0" for i in mirrors)
    return f"mirrored at {planes}" if planes else ""
