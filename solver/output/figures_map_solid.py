"""Stress over the whole of a solid that has no crack: from outside, and cut through the middle.

The rendering runs in a process of its own, as that of `figures_solid`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import Fields, read_fields, read_summary
from ssbmech.output.figures_map import LINES, caption, legend, prepared, roomiest, write_names
from ssbmech.output.figures_map_data import Quantity, facets_between, kinds
from ssbmech.output.figures_solid import main, rendered_aside, triad

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Width of one view: of its picture [pixels] and on the page [inch].
_PIXELS, _INCHES = 1150, 2.95
#: Where the eye is; the cut is across the last axis, and the half towards the eye is taken away.
_EYE = np.array([0.5, 0.42, 1.0]) / np.linalg.norm([0.5, 0.42, 1.0])
_ACROSS = 2
VOID_WALL = "#DCDCDC"
#: Facets that meet at more than this angle [degrees] make an edge of the body.
_BEND = 35.0


def stress_map_solid(
    results: Path, folder: Path, summary: dict[str, Any], fields: Fields
) -> str | None:
    """``stress_map`` of a solid: rendered aside, then framed with colour bars."""
    if "max_principal_MPa" not in fields.scalars:
        return None
    held = rendered_aside("ssbmech.output.figures_map_solid", results)
    whole, _, names, found = prepared(results, summary, fields)
    lines = kinds(whole, names).each(len)
    return _compose(folder, summary, held, whole, names, found, lines)


def screen() -> Floats:
    """Right and up in the picture, shape (2, 3)."""
    right = np.cross([0.0, 1.0, 0.0], _EYE)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(_EYE, right)])


def cut_height(points: Floats) -> float:
    """Where the cut is [um]: a hair below the middle, where facets of a mesh often lie."""
    low, high = points[:, _ACROSS].min(), points[:, _ACROSS].max()
    return float((low + high) / 2 - 1e-5 * (high - low))


def render(results: Path, target: Path) -> None:
    """Render every quantity from outside and cut open into an array file."""
    import pyvista
    from vtkmodules.vtkCommonCore import vtkLogger

    pv: Any = pyvista
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    fields = read_fields(results)
    assert fields is not None
    whole, split, names, found = prepared(results, read_summary(results), fields)
    surfaces, walls, rims = _surfaces(pv, whole, split, found, names)
    where = {"normal": np.eye(3)[_ACROSS], "origin": np.eye(3)[_ACROSS] * cut_height(whole.points)}
    # one by one: VTK would join the vertices of materials that lie on each other
    sections = [grid.slice(**where) for grid in _grids(pv, split, found)]
    edges = kinds(whole, names).each(
        lambda facets: _triangles(pv, whole.points, facets).slice(**where)
    )
    cavity = walls.clip(**where) if walls.n_cells else walls
    halves = [surface.clip(**where) for surface in surfaces]
    half_rims = {name: rim.clip(**where) for name, rim in rims.items() if rim.n_cells}
    pictures = []
    frame = _frame(whole.points)
    for k, what in enumerate(found):
        outside = [(part, True) for part in surfaces], rims
        opened = [(h, True) for h in halves] + [(s, False) for s in sections], half_rims
        pictures.append(_shot(pv, frame, k, what, *outside, {}, None))
        pictures.append(_shot(pv, frame, k, what, *opened, edges, cavity))
    right, up = screen()
    tags, places, room = _places(sections, edges, names)
    at = (places - frame[0]) @ np.stack([right, up]).T / frame[1]
    size = np.array(pictures[0].shape[1::-1])
    np.savez(
        target, pictures=np.stack(pictures), right=right, up=up, per_pixel=frame[1], tags=tags,
        cavities=walls.n_cells,
        room=room / frame[1] * 72 * _INCHES / _PIXELS,
        places=np.column_stack([size[0] / 2 + at[:, 0], size[1] / 2 - at[:, 1]]),
    )  # fmt: skip


def _frame(points: Floats) -> tuple[Floats, float, tuple[int, int]]:
    """Middle of the view [um], micrometres per pixel and the size of the picture."""
    box = np.stack([points.min(axis=0), points.max(axis=0)])
    corners = np.array([[box[i, 0], box[j, 1], box[k, 2]] for i in (0, 1) for j in (0, 1)
                        for k in (0, 1)])  # fmt: skip
    on_screen = corners @ screen().T
    size = np.ptp(on_screen, axis=0) * 1.03
    per_pixel = float(max(size[0], size[1] / 1.3)) / _PIXELS
    return corners.mean(axis=0), per_pixel, (_PIXELS, max(int(size[1] / per_pixel), 120))


def _grids(pv: Any, split: Fields, found: list[Quantity]) -> list[Any]:
    """The cells of each material with their stresses."""
    grids = []
    for material in np.unique(split.material):
        mine = split.cells[split.material == material]
        cells = np.column_stack([np.full(len(mine), 4), mine]).ravel()
        grid = pv.UnstructuredGrid(cells, np.full(len(mine), pv.CellType.TETRA), split.points)
        for k, what in enumerate(found):
            grid.point_data[f"map {k}"] = what.values
        grid.cell_data["material"] = np.full(len(mine), material)
        grids.append(grid)
    return grids


def _triangles(pv: Any, points: Floats, facets: Ints) -> Any:
    if not len(facets):
        return pv.PolyData()
    return pv.PolyData(points, np.column_stack([np.full(len(facets), 3), facets]).ravel())


def _surfaces(
    pv: Any, whole: Fields, split: Fields, found: list[Quantity], names: dict[int, str]
) -> tuple[list[Any], Any, dict[str, Any]]:
    """The boundary of each material with its stresses, walls of voids, and lines by kind."""
    facets, owner, _, _ = facets_between(whole.cells, whole.material.astype(np.int64))
    facets = _outward(whole, facets, owner)
    corner = np.argmax(whole.cells[owner][:, :, None] == facets[:, None, :], axis=1)
    faces = split.cells[owner[:, None], corner]
    within = cavities(whole.points, facets)
    surfaces = []
    for material in np.unique(whole.material):
        mine = (whole.material[owner] == material) & ~within
        surface = _triangles(pv, split.points, faces[mine])
        if surface.n_cells:
            for k, what in enumerate(found):
                surface.point_data[f"map {k}"] = what.values
            surfaces.append(surface.clean(point_merging=False))
    walls = _triangles(pv, whole.points, facets[within])
    return (
        surfaces,
        walls,
        {
            name: _segments(pv, whole.points, rows)
            for name, rows in _rims(whole, facets, owner, names).items()
        },
    )


def cavities(points: Floats, facets: Ints) -> NDArray[np.bool_]:
    """Which boundary facets are the wall of a closed void: a part that reaches no side of the body.

    Args:
        points: Shape (n, 3).
        facets: Shape (m, 3).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = facets[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = coo_matrix((np.ones(len(ends), np.int8), ends.T), shape=(len(points),) * 2)
    label = connected_components(graph, directed=False)[1][facets[:, 0]]
    low, high = points[facets].min(axis=(0, 1)), points[facets].max(axis=(0, 1))
    reach = 1e-6 * float((high - low).max())
    p = points[facets]
    at_side = ((p < low + reach) | (p > high - reach)).any(axis=(1, 2))
    return ~np.isin(label, label[at_side])


def _outward(whole: Fields, facets: Ints, owner: Ints) -> Ints:
    """Boundary facets turned so that their normals leave the body."""
    p = whole.points[facets]
    inward = whole.points[whole.cells[owner]].mean(axis=1) - p[:, 0]
    turned = np.einsum("nd,nd->n", np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), inward) > 0
    facets = facets.copy()
    facets[turned] = facets[turned][:, [0, 2, 1]]
    return facets


def _rims(whole: Fields, facets: Ints, owner: Ints, names: dict[int, str]) -> dict[str, Ints]:
    """Edges on the boundary where it bends, the material changes or the grain changes."""
    every = np.sort(facets[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    mine = np.repeat(np.arange(len(facets)), 3)
    order = np.lexsort(every.T[::-1])
    every, mine = every[order], mine[order]
    same = np.flatnonzero((every[1:] == every[:-1]).all(axis=1))
    a, b = mine[same], mine[same + 1]
    p = whole.points[facets]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    bend = (normal[a] * normal[b]).sum(axis=1) < np.cos(np.radians(_BEND))
    changes = whole.material[owner[a]] != whole.material[owner[b]]
    grains = whole.grain[owner[a]] != whole.grain[owner[b]]
    lithium = [tag for tag, name in names.items() if name == "lithium"]
    meets = np.isin(whole.material[owner[a]], lithium) | np.isin(whole.material[owner[b]], lithium)
    meets |= not names
    edges = every[same]
    return {
        "outline": edges[bend & ~changes],
        "electrode": edges[changes & meets],
        "interface": edges[changes & ~meets],
        "grains": edges[grains & ~changes & ~bend],
    }


def _segments(pv: Any, points: Floats, rows: Ints) -> Any:
    if not len(rows):
        return pv.PolyData()
    return pv.PolyData(points, lines=np.column_stack([np.full(len(rows), 2), rows]).ravel())


def _shot(
    pv: Any, frame: tuple[Floats, float, tuple[int, int]], number: int, what: Quantity,
    parts: list[tuple[Any, bool]], rims: dict[str, Any], edges: dict[str, Any], cavity: Any,
) -> NDArray[np.uint8]:  # fmt: skip
    """One picture: shaded outer faces, flat colours on the cut, lines a hair nearer to the eye."""
    middle, per_pixel, pixels = frame
    reach = per_pixel * max(pixels)
    per_point = _PIXELS / (72 * _INCHES)
    plotter = pv.Plotter(off_screen=True, window_size=list(pixels), lighting="light kit")
    plotter.set_background("white")
    for part, shaded in parts:
        if part.n_cells:
            plotter.add_mesh(
                part, scalars=f"map {number}", cmap=what.colours, clim=(what.bottom, what.top),
                show_scalar_bar=False, lighting=shaded, ambient=0.8, diffuse=0.24, specular=0.0,
                interpolate_before_map=True,
            )  # fmt: skip
            if shaded:  # pale stress on a white page needs a contour
                plotter.add_silhouette(
                    part, color="black", line_width=LINES["outline"][0] * per_point,
                    feature_angle=None,
                )  # fmt: skip
    if cavity is not None and cavity.n_cells:
        plotter.add_mesh(cavity, color=VOID_WALL, ambient=0.6, diffuse=0.4, specular=0.0)
    for shift, lines in ((2e-3, rims), (3e-3, edges)):
        for name, line in lines.items():
            if line.n_cells:
                near = line.copy()
                near.points = np.asarray(near.points) + _EYE * shift * reach
                plotter.add_mesh(
                    near, color="black", line_width=LINES[name][0] * per_point, lighting=False
                )
    plotter.enable_parallel_projection()
    plotter.camera_position = [middle + _EYE * 4 * reach, middle, [0.0, 1.0, 0.0]]
    plotter.camera.parallel_scale = pixels[1] * per_pixel / 2
    plotter.camera.clipping_range = (reach, 8 * reach)
    plotter.enable_anti_aliasing("ssaa")
    picture = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    return picture


def _places(
    sections: list[Any], edges: dict[str, Any], names: dict[int, str]
) -> tuple[Ints, Floats, Floats]:
    """Tags of the materials on the cut, where they have room (n, 3), and how much [um] (n,)."""
    outlines = [np.asarray(e.points) for n, e in edges.items() if n != "grains" and e.n_points]
    shown = [s for s in sections if s.n_cells and int(s.cell_data["material"][0]) in names]
    if not outlines or not shown:
        return np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(0)
    tags = np.array([int(s.cell_data["material"][0]) for s in shown], np.int64)
    found = [roomiest(np.asarray(s.cell_centers().points), np.vstack(outlines)) for s in shown]
    places = np.array([at for at, _ in found], float).reshape(-1, 3)
    return tags, places, np.array([room for _, room in found])


def _compose(
    folder: Path, summary: dict[str, Any], held: dict[str, Any], whole: Fields,
    names: dict[int, str], found: list[Quantity], lines: dict[str, int],
) -> str:  # fmt: skip
    """The pictures side by side with colour bars, a scale and axes."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    height, width = held["pictures"].shape[1:3]
    rows = len(found)
    fig, axes = style.figure(
        style.DOUBLE, rows * (_INCHES * height / width + 0.25) + 0.6, rows, 2, squeeze=False
    )
    for k, what in enumerate(found):
        for side in (0, 1):
            ax = axes[k, side]
            ax.imshow(held["pictures"][2 * k + side], interpolation="antialiased")
            ax.set_axis_off()
            style.panel(ax, "abcdef"[2 * k + side])
        bar = fig.colorbar(
            ScalarMappable(Normalize(what.bottom, what.top), what.colours), ax=list(axes[k]),
            extend=what.extend, shrink=0.85, pad=0.02, aspect=20,
        )  # fmt: skip
        bar.set_label(what.label)
    per_pixel = float(held["per_pixel"])
    length = style.handy(0.35 * width * per_pixel)
    below, y = axes[-1, 0], height * 1.06
    below.plot([0, length / per_pixel], [y, y], color=style.BLACK, lw=2, clip_on=False)
    below.text(length / per_pixel + 0.02 * width, y, f"{length:g} µm", va="center", fontsize=8)
    triad(axes[-1, 1], held, (0.9 * width, y + 0.02 * width), 0.08 * width)
    for ax in axes.ravel():
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
    if len(held["tags"]) > 1:
        words = [names[int(tag)] for tag in held["tags"]]
        middle = np.array([width, height]) / 2
        points = 72 * _INCHES / width
        write_names(axes[0, 1], words, held["places"], held["room"], middle, points)
    legend(fig, lines, bool(names), void_wall=VOID_WALL if held["cavities"] else None)
    axis = "xyz"[_ACROSS]
    words = [f"right: cut at {axis} = {style.number(cut_height(whole.points), 3)} µm"]
    if abs(cut_height(whole.points)) < 1e-4 * np.ptp(whole.points[:, _ACROSS]):
        words = [f"right: cut at {axis} = 0"]
    mirrors = caption(summary["model"], whole.mirrors)
    fig.suptitle("; ".join([*words, *([mirrors] if mirrors else [])]), fontsize=8)
    return style.save(fig, folder, "stress_map")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], render))
