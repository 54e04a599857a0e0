"""Draw a mesh: ``python -m ssbmech.output.figures_mesh FILE.msh PICTURE.png [DOTS_PER_INCH]``.

A process of its own, without MPI and DOLFINx (VTK and the HDF5 that DOLFINx loads do not live
together); it needs no display, and nothing but the file, in micrometres. 2-D: the whole mesh, the
flaw, its tip. 3-D: from outside, cut open, and the cut close to the flaw. Grains have colours by
number, or, with orientations, by the crystal direction along y (inverse pole figure, cubic).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import SsbmechError
from ssbmech.meshes.data import MeshData
from ssbmech.output import figures_mesh_colours as colours
from ssbmech.output import figures_mesh_plane as plane
from ssbmech.output import figures_style as style
from ssbmech.output.figures_mesh_legend import legend
from ssbmech.output.figures_mesh_section import Facets, Section, facets
from ssbmech.output.figures_mesh_section import plane as plane_section
from ssbmech.output.figures_mesh_zoom import Window, overlap, parents, windows

Floats = NDArray[np.float64]

#: Resolution of the PNG, and the most of the page's height that the whole body takes [inch].
DPI, _TALLEST = 200, 4.6
_WIDTH, _GAP, _BELOW, _TITLE = style.DOUBLE, 0.14, 0.27, 0.2


@dataclass(frozen=True)
class Panel:
    """A rectangle of the page [inch], from its top left corner."""

    x: float
    y: float
    width: float
    height: float


def draw(mesh: Path, picture: Path, dpi: int = DPI) -> None:
    """Draw a mesh file.

    Args:
        mesh: The file; its coordinates are micrometres.
        picture: The PNG; it appears when it is complete.
        dpi: Dots per inch of a page 7.2 inches wide.

    Raises:
        MeshError: If the file cannot be read.
    """
    from ssbmech.meshes.importer import read_mesh

    fig = figure(read_mesh(mesh, 1.0), mesh.name)
    aside = picture.with_name(f".{picture.name}.part")
    try:
        fig.savefig(
            aside, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.05,
            metadata={"Software": None},
        )  # fmt: skip
        aside.replace(picture)
    finally:
        aside.unlink(missing_ok=True)


def figure(data: MeshData, name: str) -> Any:
    """The picture of a mesh as a matplotlib figure."""
    from matplotlib.figure import Figure

    style.apply()
    fig = Figure(figsize=(_WIDTH, 1.0))
    found = facets(data)
    rgb = colours.cell_colours(data, found.between_cells)
    looks = colours.line_looks(list(data.facet_groups))
    compose = _compose_plane if data.dim == 2 else _compose_solid
    beside = compose(fig, data, found, rgb, looks)
    _caption(fig, data, name)
    legend(fig, data, looks, beside)
    return fig


def _compose_plane(
    fig: Any, data: MeshData, found: Facets, rgb: Floats, looks: dict[str, colours.Line]
) -> float | None:
    """Draw the panels of a 2-D mesh; returns where a free column begins [inch], if one is."""
    section = plane_section(data, found)
    box = section.box
    width, height = np.ptp(box, axis=0)
    scale = 72 * min(_WIDTH / width, _TALLEST / height)
    zooms = windows(section, data.cell_tags, looks, plane.EDGE_FROM / scale)
    panels = _layout(float(width / height), _widest(zooms, width))
    margin = 0.01 * max(width, height)
    whole = (box[0, 0] - margin, box[1, 0] + margin, box[0, 1] - margin, box[1, 1] + margin)
    limits = [whole]
    limits += [w.limits(box, p.width / p.height) for w, p in zip(zooms, panels[1:], strict=True)]
    axes = _place(fig, panels)
    for k, (ax, panel, part) in enumerate(zip(axes, panels, limits, strict=True)):
        _zoomable(ax, section, rgb, looks, part, panel, frame=k > 0)
    for k, parent in enumerate(parents(limits), start=1):
        _mark(axes[parent], limits[k], "abcd"[k])
        style.panel(axes[k], "abcd"[k])
    if zooms:
        style.panel(axes[0], "a")
        return None
    return panels[0].width + 0.2 if panels[0].width < _WIDTH - 2.2 else None


def _widest(zooms: list[Window], width: float) -> list[float]:
    """Width over height of each zoom beyond which it would show no more of the body."""
    return [max(1.0, width / (2.2 * w.half)) for w in zooms]


def _row(widest: list[float], left: float, top: float, wide: float, tall: float) -> list[Panel]:
    """Zooms next to each other in a space [inch]."""
    each = (wide - _GAP * (len(widest) - 1)) / max(len(widest), 1)
    panels = []
    for limit in widest:
        panels.append(Panel(left, top, min(each, limit * tall), tall))
        left += panels[-1].width + _GAP
    return panels


def _layout(aspect: float, widest: list[float]) -> list[Panel]:
    """Panels of a plane picture: zooms beside a body that is not flat, below a flat one."""
    count = len(widest)
    if count == 0:
        height = min(_WIDTH / aspect, _TALLEST)
        return [Panel(0, 0, height * aspect, height)]
    if aspect > 1.7:
        height = _WIDTH / aspect
        top = _TITLE + height + _BELOW + _TITLE
        tall = min(2.7, (_WIDTH - _GAP * (count - 1)) / count)
        return [Panel(0, _TITLE, _WIDTH, height), *_row(widest, 0, top, _WIDTH, tall)]
    if count > 2:  # two rows: the body and the widest zoom, then the others
        height = min(3.2, (_WIDTH - _GAP) / (aspect + 1))
        left = height * aspect + _GAP
        body = Panel(0, _TITLE, height * aspect, height)
        first = _row([min(1.6, widest[0])], left, _TITLE, _WIDTH - left, height)
        top = 2 * _TITLE + height + _BELOW
        return [body, *first, *_row(widest[1:], 0, top, _WIDTH, 2.7)]
    height = min(_TALLEST, (_WIDTH - count * _GAP) / (aspect + count))
    left = height * aspect + _GAP
    zooms = _row([min(1.6, w) for w in widest], left, _TITLE, _WIDTH - left, height)
    return [Panel(0, _TITLE, height * aspect, height), *zooms]


def _compose_solid(
    fig: Any, data: MeshData, found: Facets, rgb: Floats, looks: dict[str, colours.Line]
) -> None:
    """Draw the panels of a 3-D mesh: rendered views above, the section below."""
    from ssbmech.output import figures_mesh_solid as solid
    from ssbmech.output import figures_mesh_view

    view = figures_mesh_view.choose_view(data, found, looks)
    section = figures_mesh_view.section(data, found, view)
    box = section.box
    each = (_WIDTH - _GAP) / 2
    size = (72 * each, 72 * 3.6)
    first = solid.render(data, found, rgb, looks, view, None, size)
    pictures = [first]
    if not view.at_side:
        pictures.append(solid.render(data, found, rgb, looks, view, section, size))
    scale = 72 * min(each / np.ptp(box[:, 0]), 3.6 / np.ptp(box[:, 1]))
    zooms = windows(section, data.cell_tags, looks, plane.EDGE_FROM / scale)
    tall = max(p.image.shape[0] for p in pictures) / solid.PIXELS_PER_POINT / 72
    panels = []
    for k, p in enumerate(pictures):
        height, width = (n / solid.PIXELS_PER_POINT / 72 for n in p.image.shape[:2])
        shift = (each - width) / 2
        panels.append(Panel(k * (each + _GAP) + shift, _TITLE + (tall - height) / 2, width, height))
    flat = _section_panels(zooms, box, each, tall, view.at_side)
    parts = [Window(box.mean(axis=0), 0.51 * float(np.ptp(box[:, 1])))] if view.at_side else []
    parts += zooms
    axes = _place(fig, panels + flat, _BELOW if zooms else _BELOW + 0.2)  # room for the axes' names
    for ax, p in zip(axes, pictures, strict=False):
        _show(ax, p)
    limits = [
        w.limits(box, panel.width / panel.height) for w, panel in zip(parts, flat, strict=True)
    ]
    shown = axes[len(pictures) :]
    for k, (ax, panel, part) in enumerate(zip(shown, flat, limits, strict=True)):
        _zoomable(ax, section, rgb, looks, part, panel, frame=not (view.at_side and k == 0))
    for k, parent in enumerate(parents(limits), start=1):
        letter = "abcde"[len(pictures) + k]
        if parent or view.at_side or overlap(limits[0], limits[k]):
            _mark(shown[parent], limits[k], letter)
        else:
            _mark_cut(axes[1], pictures[1], view, limits[k], letter)
    if limits and not view.at_side:
        _mark_cut(axes[1], pictures[1], view, limits[0], "c")
    page = fig.get_size_inches()[1]
    for k, ax in enumerate(axes):
        if k < len(pictures):  # renderings differ in height, their letters do not
            x, y = k * (each + _GAP) / _WIDTH, 1 - (_TITLE - 0.04) / page
            fig.text(x, y, f"({'abcde'[k]})", fontsize=8, fontweight="bold", va="bottom")
        else:
            style.panel(ax, "abcde"[k])


def _section_panels(
    zooms: list[Window], box: Floats, each: float, tall: float, beside: bool
) -> list[Panel]:
    """Panels of the cut: its zooms below the views, or first the whole of it beside one view."""
    panels = []
    if beside:
        aspect = float(np.ptp(box[:, 0]) / np.ptp(box[:, 1])) if np.ptp(box[:, 1]) else 1.0
        height = min(tall, each / aspect)
        width = height * aspect
        panels.append(
            Panel(each + _GAP + (each - width) / 2, _TITLE + (tall - height) / 2, width, height)
        )
    top = _TITLE + tall + _BELOW + _TITLE + 0.05
    return panels + _row(_widest(zooms, float(np.ptp(box[:, 0]))), 0, top, _WIDTH, 2.5)


def _place(fig: Any, panels: list[Panel], below: float = _BELOW) -> list[Any]:
    """Axes for the panels; the page becomes as high as they need."""
    page = max(p.y + p.height for p in panels) + below
    fig.set_size_inches(_WIDTH, page)
    return [
        fig.add_axes(
            (p.x / _WIDTH, 1 - (p.y + p.height) / page, p.width / _WIDTH, p.height / page)
        )
        for p in panels
    ]  # fmt: skip


def _zoomable(
    ax: Any, section: Section, rgb: Floats, looks: dict[str, colours.Line],
    limits: tuple[float, ...], panel: Panel, *, frame: bool,
) -> None:  # fmt: skip
    wide = limits[1] - limits[0]
    plane.draw(ax, section, rgb, looks, limits, 72 * panel.width / wide)
    plane.scale_bar(ax, wide, 72 * panel.width)
    for spine in ax.spines.values():
        spine.set(visible=frame, linewidth=0.6, color="#404040")


def _halo() -> list[Any]:
    """A white rim that keeps a mark visible on any colour."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.2, foreground="white")]


def _mark(ax: Any, limits: tuple[float, ...], letter: str) -> None:
    """Frame on a panel what the next one shows."""
    from matplotlib.patches import Rectangle

    (a, b), (c, d) = ax.get_xlim(), ax.get_ylim()
    x0, x1, y0, y1 = max(a, limits[0]), min(b, limits[1]), max(c, limits[2]), min(d, limits[3])
    ax.add_patch(
        Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec="black", lw=0.8, zorder=13.5,
                  path_effects=_halo())
    )  # fmt: skip
    ax.annotate(
        letter, (x1, y1), (2, 1), textcoords="offset points", fontsize=8, fontweight="bold",
        zorder=21, annotation_clip=False, path_effects=_halo(),
    )  # fmt: skip


def _show(ax: Any, rendered: Any) -> None:
    """A rendered picture with its scale and axes."""
    ax.imshow(rendered.image, interpolation="antialiased", aspect="auto")
    ax.set_axis_off()
    wide = rendered.image.shape[1] * rendered.per_pixel
    plane.scale_bar(ax, wide, 72 * ax.get_position().width * _WIDTH)
    _triad(ax, rendered.screen)


def _triad(ax: Any, screen: Floats) -> None:
    """The directions of the coordinates below the lower right corner."""
    ends = 16 * screen.T
    low, high = np.minimum(ends.min(axis=0), 0) - 8, np.maximum(ends.max(axis=0), 0) + 8
    page = 72 * np.array(ax.figure.get_size_inches())
    corner = ax.get_position().corners()[2] * page  # lower right
    size = high - low
    inner = ax.figure.add_axes((*((corner - size + [0, 6]) / page), *(size / page)))
    inner.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    inner.set_axis_off()
    for letter, end in zip("xyz", ends, strict=True):
        if np.hypot(*end) > 2:
            arrow = {"arrowstyle": "-|>", "mutation_scale": 5, "lw": 0.8, "color": "black",
                     "shrinkA": 0, "shrinkB": 0}  # fmt: skip
            inner.annotate("", end, (0, 0), arrowprops=arrow)
            inner.text(*(end * (1 + 6 / np.hypot(*end))), letter, ha="center", va="center",
                       fontsize=7)  # fmt: skip


def _mark_cut(ax: Any, rendered: Any, view: Any, limits: tuple[float, ...], letter: str) -> None:
    """Frame on the rendered cut what the zoom shows."""
    x0, x1, y0, y1 = limits
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
    points = corners @ view.to_plane + view.distance * view.normal
    at = rendered.pixel(points)
    ax.plot(at[:, 0], at[:, 1], color="black", lw=0.8, path_effects=_halo())
    ax.annotate(letter, at[2], (2, 1), textcoords="offset points", fontsize=8, fontweight="bold",
                path_effects=_halo())  # fmt: skip
    ax.set_xlim(0, rendered.image.shape[1])
    ax.set_ylim(rendered.image.shape[0], 0)


def _caption(fig: Any, data: MeshData, name: str) -> None:
    size = " × ".join(style.number(float(s)) for s in np.ptp(data.points, axis=0)[: data.dim])
    kind = {2: "triangles", 3: "tetrahedra"}[data.dim]
    count = f"{len(data.cells):,}".replace(",", " ")
    text = f"{name}: {size} µm, {count} {kind} of order {data.order}"
    if data.grains is not None and data.grains.max(initial=0):
        text += f", {int(data.grains.max())} grains"
    fig.text(0, 1.0 + 0.04 / fig.get_size_inches()[1], text, fontsize=7.5, va="bottom")


_USAGE = "python -m ssbmech.output.figures_mesh FILE.msh PICTURE.png [DOTS_PER_INCH]"


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the mesh named on the command line; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    dpi = words[2] if len(words) == 3 else str(DPI)
    if len(words) not in (2, 3) or words[0].startswith("-") or not dpi.isdecimal():
        print(f"usage: {_USAGE}", file=sys.stderr)
        return 2
    try:
        draw(Path(words[0]), Path(words[1]), int(dpi))
    except (SsbmechError, OSError) as error:
        print(f"ssbmech: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # the caller shows one line
        if os.environ.get("SSBMECH_TRACEBACK"):
            raise
        print(f"ssbmech: {type(error).__name__}: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
