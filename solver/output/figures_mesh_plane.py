"""Draws a `Section` into axes: fills, element edges, interfaces, tips."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_mesh_colours import FRONT, OUTLINE, Line
from ssbmech.output.figures_mesh_section import Section, distinct, sides

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Element edges appear between these lengths on paper [pt].
EDGE_FROM, EDGE_FULL = 1.6, 6.0
_EDGE_ALPHA = 0.45
# Lines from this rank on, cracks, have a white rim.
_RIMMED = 6
# A middle node so far off its chord [pt] makes a side curved.
_BOW = 0.1


def draw(
    ax: Any, section: Section, rgb: Floats, looks: dict[str, Line], limits: tuple[float, ...],
    points_per_um: float,
) -> None:  # fmt: skip
    """Draw the part of a section within limits.

    Args:
        ax: Axes, which become of equal scale and without ticks.
        section: The drawing.
        rgb: Colour of each cell of the mesh, shape (n_cells, 3).
        looks: Facet group to its look.
        limits: x low, x high, y low, y high [um].
        points_per_um: Scale of the panel [pt/um].
    """
    from matplotlib.collections import LineCollection, PolyCollection

    edges = []
    thin = _line_scale(section, limits, points_per_um)
    for faces, cells in section.faces:
        corners = faces[:, :3] if faces.shape[1] == 6 else faces
        inside = _inside(section, corners, limits)
        shown = faces[inside]
        colours = rgb[cells[inside]]
        for polygons, which in _polygons(section, shown, points_per_um):
            ax.add_collection(
                PolyCollection(
                    polygons, facecolors=colours[which], edgecolors="none", antialiased=False,
                    zorder=1,
                )
            )  # fmt: skip
        edges.append(sides(shown))
    for rows in edges if edges[0].shape[1] == 3 else [np.concatenate(edges)]:
        lines, alpha = _edges(section, rows, points_per_um)
        ax.add_collection(
            LineCollection(lines, colors=np.column_stack([np.zeros((len(alpha), 3)), alpha]),
                           linewidths=0.25, zorder=2)
        )  # fmt: skip
    _lines(ax, section, section.outlines, limits, points_per_um, colors=OUTLINE,
           linewidths=0.45 * thin, zorder=3)  # fmt: skip
    for name, rows in sorted(section.lines.items(), key=lambda item: looks[item[0]].rank):
        look = looks[name]
        if look.width:
            width = look.width * (1 if look.feature else thin)
            _feature(ax, section, rows, limits, points_per_um, name, look, width)
    _dots(ax, section)
    ax.set_xlim(limits[0], limits[1])
    ax.set_ylim(limits[2], limits[3])
    ax.set_xticks([])
    ax.set_yticks([])


def _feature(
    ax: Any, section: Section, rows: Ints, limits: tuple[float, ...], scale: float, name: str,
    look: Line, width: float,
) -> None:  # fmt: skip
    """A named line; blocked parts have a black rim, cracks a white one against bright grains."""
    solid = {"capstyle": "round"} if look.style == "-" else {}
    order = {"zorder": 4 + look.rank, **solid}
    rim = OUTLINE if "blocked" in name else "white" if look.rank >= _RIMMED else None
    if rim is not None:
        _lines(ax, section, rows, limits, scale, colors=rim, linewidths=width + 1.0, **order)
    _lines(
        ax, section, rows, limits, scale, colors=look.colour, linewidths=width,
        linestyles=[look.style], **order,
    )  # fmt: skip


def _line_scale(section: Section, limits: tuple[float, ...], scale: float) -> float:
    """Factor of boundary lines, so that many small grains do not turn black.

    The mean distance of lines is the panel's area over their length.
    """
    rows = section.outlines[_inside(section, section.outlines[:, :2], limits)]
    p = section.points
    length = float(np.linalg.norm(p[rows[:, 0]] - p[rows[:, 1]], axis=1).sum())
    area = (limits[1] - limits[0]) * (limits[3] - limits[2])
    return float(np.clip(area / max(length, 1e-300) * scale / 12, 0.35, 1.0))


def _dots(ax: Any, section: Section) -> None:
    for nodes in section.marks.values():
        p = section.points[nodes]
        size = 6.0 if len(nodes) < 200 else 1.0
        ax.scatter(p[:, 0], p[:, 1], s=size, color=FRONT, linewidths=0, zorder=13)
    for nodes in section.fronts.values():
        p = section.points[nodes]
        ax.plot(p[:, 0], p[:, 1], **TIP, zorder=14)


#: The mark of a tip.
TIP: dict[str, Any] = {
    "ls": "", "marker": "o", "ms": 4.5, "mfc": "white", "mec": FRONT, "mew": 0.9,
}  # fmt: skip


def _inside(section: Section, rows: Ints, limits: tuple[float, ...]) -> NDArray[np.bool_]:
    """Which rows have a part within the limits."""
    p = section.points[rows]
    low, high = p.min(axis=1), p.max(axis=1)
    # the middle of a curved side may reach a little further than the corners
    reach = 0.2 * (high - low)
    start, end = np.array(limits[0::2]), np.array(limits[1::2])
    return np.asarray(((low - reach <= end) & (high + reach >= start)).all(axis=1))


def _polygons(section: Section, faces: Ints, scale: float) -> list[tuple[Any, Ints]]:
    """Corners of straight and of curved faces, with the rows of ``faces``."""
    p = section.points
    if faces.shape[1] != 6:
        return [(p[faces], np.arange(len(faces)))]
    chords = np.stack([faces[:, [k, (k + 1) % 3, 3 + k]] for k in range(3)], axis=1)
    bow = p[chords[..., 2]] - (p[chords[..., 0]] + p[chords[..., 1]]) / 2
    curved = (np.linalg.norm(bow, axis=2) * scale > _BOW).any(axis=1)
    bent = np.concatenate([_curve(section, chords[curved, k])[:, :-1] for k in range(3)], axis=1)
    flat = np.flatnonzero(~curved)
    return [(p[faces[flat, :3]], flat), (bent, np.flatnonzero(curved))]


def _curve(section: Section, rows: Ints, steps: int = 8) -> Floats:
    """Points along parabolas through end, end, middle: shape (m, steps + 1, 2)."""
    t = np.linspace(0, 1, steps + 1)
    shape = np.stack([(1 - t) * (1 - 2 * t), t * (2 * t - 1), 4 * t * (1 - t)])
    return np.asarray(np.einsum("ks,mkd->msd", shape, section.points[rows]))


def _edges(section: Section, rows: Ints, scale: float) -> tuple[Any, Floats]:
    """Element edges that are long enough on paper to be seen apart, with their opacity."""
    rows = distinct(rows)
    p = section.points
    length = np.linalg.norm(p[rows[:, 0]] - p[rows[:, 1]], axis=1) * scale
    alpha = edge_alpha(length)
    seen = alpha > 0
    lines = _curve(section, rows[seen]) if rows.shape[1] == 3 else p[rows[seen]]
    return lines, alpha[seen]


def edge_alpha(length: Floats) -> Floats:
    """Opacity of an element edge by its length on paper [pt]: dense meshes do not turn black."""
    return np.asarray(
        np.clip((length - EDGE_FROM) / (EDGE_FULL - EDGE_FROM), 0, 1) * _EDGE_ALPHA, dtype=float
    )


def _lines(
    ax: Any, section: Section, rows: Ints, limits: tuple[float, ...], scale: float, **look: Any
) -> None:
    from matplotlib.collections import LineCollection

    shown = rows[_inside(section, rows[:, :2], limits)]
    if not len(shown):
        return
    lines: Any = _curve(section, shown) if rows.shape[1] == 3 else section.points[shown]
    if look.get("linestyles", ["-"]) != ["-"]:
        lines = _joined(lines)
    ax.add_collection(LineCollection(lines, **look))


def _joined(lines: Floats) -> Any:
    """One line from end to end of straight runs, so that a dash pattern goes through."""
    ends = lines[:, [0, -1]].reshape(-1, 2)
    size = np.ptp(ends, axis=0)
    if size.min() > 1e-9 * size.max():  # not along an axis
        return lines
    axis = int(np.argmax(size))
    order = np.argsort(lines[:, :, axis].min(axis=1), kind="stable")
    start = lines[order][:, [0, -1], axis].min(axis=1)
    stop = lines[order][:, [0, -1], axis].max(axis=1)
    stop = np.maximum.accumulate(stop)
    breaks = np.flatnonzero(start[1:] > stop[:-1] + 1e-9 * size.max()) + 1
    runs = []
    for first, last in zip([0, *breaks], [*breaks, len(order)], strict=True):
        run = np.repeat(ends[:1], 2, axis=0)
        run[:, axis] = start[first], stop[last - 1]
        runs.append(run)
    return runs


def scale_bar(ax: Any, width_um: float, width_pt: float) -> None:
    """A length below the left end of a panel."""
    length = style.handy(0.35 * width_um)
    text = f"{length:g} µm" if length >= 0.1 or length * 1000 < 1 else f"{1000 * length:g} nm"
    part = length / width_um
    # 6 pt below the axes, whatever their height
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    below = ScaledTranslation(0, -7 / 72, ax.figure.dpi_scale_trans)
    place = blended_transform_factory(ax.transAxes, ax.transAxes) + below
    ax.plot([0, part], [0, 0], transform=place, color="black", lw=1.8, clip_on=False,
            solid_capstyle="butt")  # fmt: skip
    ax.text(part + 4 / width_pt, 0, text, transform=place, va="center_baseline", fontsize=7.5)
