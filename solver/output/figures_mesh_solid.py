"""Renders a 3-D mesh: from outside, and cut open; for a picture that matplotlib composes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData
from ssbmech.output.figures_mesh_colours import FRONT, OUTLINE, Line
from ssbmech.output.figures_mesh_plane import edge_alpha
from ssbmech.output.figures_mesh_section import Facets, Section, distinct, regions, sides
from ssbmech.output.figures_mesh_view import FLAW_RANK, View

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rendered pixels per point of the page.
PIXELS_PER_POINT = 5.0


@dataclass(frozen=True)
class Rendered:
    """A picture with what is needed to place things on it.

    Attributes:
        image: Red, green, blue, shape (height, width, 3).
        screen: Right and up, (2, 3).
        corner: Screen coordinates of the upper left corner [um].
        per_pixel: [um].
    """

    image: NDArray[np.uint8]
    screen: Floats
    corner: Floats
    per_pixel: float

    def pixel(self, points: Floats) -> Floats:
        """Where points (n, 3) are, as columns and rows (n, 2)."""
        at = points @ self.screen.T - self.corner
        return np.asarray(at * np.array([1, -1]) / self.per_pixel)


def render(
    data: MeshData, found: Facets, rgb: Floats, looks: dict[str, Line], view: View,
    shown: Section | None, size_pt: tuple[float, float],
) -> Rendered:  # fmt: skip
    """Render the body, with ``shown`` cut open, to fit into a size on the page [pt]."""
    import pyvista
    from vtkmodules.vtkCommonCore import vtkLogger

    pv: Any = pyvista
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    screen = view.screen
    corners = _corners(data)
    if shown is not None and not view.at_side:
        corners = np.concatenate(
            [_behind(corners, view), data.points[np.unique(data.facets[_standing(data)])]]
        )
    on_screen = corners @ screen.T
    low, high = on_screen.min(axis=0), on_screen.max(axis=0)
    low, high = low - 0.02 * (high - low), high + 0.02 * (high - low)
    scale = float(min(size_pt / (high - low)))  # pt per um
    pixels = np.ceil((high - low) * scale * PIXELS_PER_POINT).astype(int)
    per_pixel = 1 / (scale * PIXELS_PER_POINT)
    plotter = pv.Plotter(off_screen=True, window_size=[int(n) for n in pixels], lighting="none")
    plotter.set_background("white")
    size = float(np.ptp(data.points, axis=0).max())
    for light in _lights(pv, view):
        plotter.add_light(light)
    _add_surface(pv, plotter, data, found, rgb, looks, view, shown is not None, scale, size)
    if shown is not None and not view.at_side:
        _add_section(pv, plotter, shown, rgb, looks, view, scale, size)
    for nodes in data.fronts.values():
        _add_lines(pv, plotter, data.points, nodes, 1.6, view.eye * 4e-3 * size, color=FRONT)
    plotter.enable_parallel_projection()
    middle = np.array([*(low + high) / 2, corners.mean(axis=0) @ view.eye])
    focus = middle @ np.vstack([screen, view.eye])
    plotter.camera_position = [focus + view.eye * 10 * size, focus, screen[1]]
    plotter.camera.parallel_scale = pixels[1] * per_pixel / 2
    plotter.camera.clipping_range = (4 * size, 16 * size)
    plotter.enable_anti_aliasing("ssaa")
    image = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    centre = (low + high) / 2
    half = np.array([image.shape[1], image.shape[0]]) * per_pixel / 2
    return Rendered(image, screen, centre + half * np.array([-1, 1]), per_pixel)


def _lights(pv: Any, view: View) -> list[Any]:
    """One over the eye's left shoulder, a weaker one from the right and below."""
    right, up = view.screen
    lights = []
    both = ((view.eye + 0.5 * up - 0.5 * right, 0.8), (view.eye + 0.8 * right - 0.6 * up, 0.35))
    for direction, strength in both:
        lights.append(pv.Light(position=direction, focal_point=(0, 0, 0), intensity=strength))
        lights[-1].positional = False
    return lights


_MATERIAL = {
    "ambient": 0.68, "diffuse": 0.36, "specular": 0.0, "show_scalar_bar": False,
    "smooth_shading": True, "split_sharp_edges": True, "feature_angle": 35.0,
}  # fmt: skip


def _corners(data: MeshData) -> Floats:
    """Points that bound the body on the screen."""
    used = np.unique(data.cells[:, :4])
    return data.points[used]


def _behind(points: Floats, view: View) -> Floats:
    """Points pushed back to the cut."""
    over = np.maximum(points @ view.normal - view.distance, 0.0)
    return np.asarray(points - over[:, None] * view.normal)


def _standing(data: MeshData) -> NDArray[np.bool_]:
    """Which tagged facets are shown whole."""
    chosen = [tag for name, tag in data.facet_groups.items() if _whole(name)]
    return np.isin(data.facet_tags, chosen)


def _whole(name: str) -> bool:
    """Whether a facet group stands out of the cut: what a cut would show as a mere line."""
    return not {"crack", "blocked"}.isdisjoint(name.split("_"))


def _triangles(rows: Ints) -> Ints:
    """Facets as straight triangles, four for a second-order one."""
    if rows.shape[1] == 3:
        return rows
    parts = ([0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5])
    return np.concatenate([rows[:, part] for part in parts])


def _surface_of(pv: Any, points: Floats, rows: Ints, colours: Floats) -> Any:
    faces = _triangles(rows)
    repeat = len(faces) // max(len(rows), 1)
    used, place = np.unique(faces, return_inverse=True)
    place = place.reshape(-1, 3)
    surface = pv.PolyData(points[used], np.column_stack([np.full(len(place), 3), place]).ravel())
    surface.cell_data["rgb"] = (np.tile(colours, (repeat, 1)) * 255).astype(np.uint8)
    return surface


def _add_surface(
    pv: Any, plotter: Any, data: MeshData, found: Facets, rgb: Floats, looks: dict[str, Line],
    view: View, opened: bool, scale: float, size: float,
) -> None:  # fmt: skip
    """The boundary, clipped at the cut, and crack faces and blocked parts whole."""
    from matplotlib.colors import to_rgb

    colours, whole = _boundary_colours(data, found, rgb, looks)
    clip: dict[str, Any] | None = None
    if opened and not view.at_side:
        clip = {"normal": view.normal, "origin": view.normal * view.distance}
    shift = view.eye * 1e-3 * size
    _add_facets(pv, plotter, data.points, found.lonely[~whole], colours[~whole], clip, scale, shift)
    rim = _clipped(_line_data(pv, data.points, _rim(data, found, colours), 2 * shift), clip)
    if rim.n_cells:
        plotter.add_mesh(rim, color=OUTLINE, line_width=0.6 * PIXELS_PER_POINT, lighting=False)
    standing = _standing(data)
    table = np.zeros((int(data.facet_tags.max(initial=0)) + 1, 3))
    for name, tag in data.facet_groups.items():
        table[tag] = to_rgb(looks[name].colour)
    rows, mine = data.facets[standing], table[data.facet_tags[standing]]
    _add_facets(pv, plotter, data.points, rows, mine, None, scale, shift)
    _add_lines(pv, plotter, data.points, _free_sides(rows), 0.6, 2 * shift, color=OUTLINE)


def _add_facets(
    pv: Any, plotter: Any, points: Floats, rows: Ints, colours: Floats,
    clip: dict[str, Any] | None, scale: float, shift: Floats,
) -> None:  # fmt: skip
    """Coloured facets with their element edges."""
    if not len(rows):
        return
    surface = _clipped(_surface_of(pv, points, rows, colours), clip)
    if surface.n_cells == 0:
        return
    plotter.add_mesh(surface, scalars="rgb", rgb=True, **_MATERIAL)
    edges, shade = _shaded_edges(points, rows, colours, scale)
    lines = _line_data(pv, points, edges, shift)
    if not lines.n_cells:
        return
    lines.cell_data["rgb"] = (shade * 255).astype(np.uint8)
    lines = _clipped(lines, clip)
    if lines.n_cells:
        plotter.add_mesh(
            lines, scalars="rgb", rgb=True, line_width=0.25 * PIXELS_PER_POINT, lighting=False
        )


def _clipped(thing: Any, clip: dict[str, Any] | None) -> Any:
    return thing if clip is None or thing.n_cells == 0 else thing.clip(**clip)


def _free_sides(rows: Ints) -> Ints:
    """Sides that belong to one facet alone."""
    every = sides(rows if rows.shape[1] == 6 else rows[:, :3])
    low, high = every[:, :2].min(axis=1), every[:, :2].max(axis=1)
    key = low * (int(high.max(initial=0)) + 1) + high
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    return _halves(every[first[count == 1]])


def _boundary_colours(
    data: MeshData, found: Facets, rgb: Floats, looks: dict[str, Line]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Colour of each boundary facet, and which are crack faces or blocked."""
    from matplotlib.colors import to_rgb
    from ssbmech.meshes.elements import keys

    colours = rgb[found.lonely_cells].copy()
    whole = np.zeros(len(colours), dtype=bool)
    n = len(data.points)
    both = keys(np.concatenate([found.lonely[:, :3], data.facets[:, :3]]), n)
    mine, tagged = both[: len(colours)], both[len(colours) :]
    order = np.argsort(tagged, kind="stable")
    at = np.minimum(np.searchsorted(tagged[order], mine), max(len(tagged) - 1, 0))
    if not len(tagged):
        return colours, whole
    hit = tagged[order][at] == mine
    tags = np.where(hit, data.facet_tags[order][at], 0)
    for name, tag in data.facet_groups.items():
        look = looks[name]
        if look.feature and look.width:
            chosen = tags == tag
            part = 1.0 if look.rank >= FLAW_RANK else 0.35
            colours[chosen] = part * np.array(to_rgb(look.colour)) + (1 - part) * colours[chosen]
            whole |= chosen & _whole(name)
    return colours, whole


def _shaded_edges(points: Floats, rows: Ints, colours: Floats, scale: float) -> tuple[Ints, Floats]:
    """Element edges with a colour between the facet's and black."""
    width = rows.shape[1]
    every = sides(rows if width in (3, 6) else rows[:, :3])
    owner = np.tile(np.arange(len(rows)), 3)
    every, owner = _once(every, owner)
    length = np.linalg.norm(points[every[:, 0]] - points[every[:, 1]], axis=1) * scale
    alpha = edge_alpha(length)
    seen = alpha > 0.02
    shade = colours[owner[seen]] * (1 - alpha[seen, None])
    return _halves(every[seen]), np.repeat(shade, every.shape[1] - 1, axis=0)


def _once(rows: Ints, owner: Ints) -> tuple[Ints, Ints]:
    """Segments without repetition, with the first owner of each."""
    low, high = rows[:, :2].min(axis=1), rows[:, :2].max(axis=1)
    first = np.unique(low * (int(high.max(initial=0)) + 1) + high, return_index=True)[1]
    return rows[first], owner[first]


def _halves(rows: Ints) -> Ints:
    """Segments; two for a curved one, next to each other."""
    if rows.shape[1] == 2:
        return rows
    return np.asarray(rows[:, [0, 2, 2, 1]].reshape(-1, 2))


def _line_data(pv: Any, points: Floats, rows: Ints, shift: Floats) -> Any:
    used, place = np.unique(rows, return_inverse=True)
    if not len(rows):
        return pv.PolyData()
    place = place.reshape(-1, 2)
    return pv.PolyData(
        points[used] + shift, lines=np.column_stack([np.full(len(place), 2), place]).ravel()
    )


def _add_lines(
    pv: Any, plotter: Any, points: Floats, rows: Ints, width_pt: float, shift: Floats, **look: Any
) -> None:
    lines = _line_data(pv, points, rows, shift)
    if lines.n_cells:
        plotter.add_mesh(lines, line_width=width_pt * PIXELS_PER_POINT, lighting=False, **look)


def _rim(data: MeshData, found: Facets, colours: Floats) -> Ints:
    """Sides of boundary facets where the region or the colour changes, or the surface bends."""
    corners = found.lonely[:, :3]
    curved = found.lonely.shape[1] == 6
    every = sides(found.lonely if curved else corners)
    owner = np.tile(np.arange(len(corners)), 3)
    n = len(data.points)
    low, high = every[:, :2].min(axis=1), every[:, :2].max(axis=1)
    key = low * n + high
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    a, b = owner[order[same]], owner[order[same + 1]]
    p = data.points[corners]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    region = regions(data)[found.lonely_cells]
    bend = np.abs((normal[a] * normal[b]).sum(axis=1)) < np.cos(np.radians(35))
    change = (region[a] != region[b]) | (np.abs(colours[a] - colours[b]).max(axis=1) > 1e-6)
    return _halves(every[order[same[bend | change]]])


def _add_section(
    pv: Any, plotter: Any, shown: Section, rgb: Floats, looks: dict[str, Line], view: View,
    scale: float, size: float,
) -> None:  # fmt: skip
    """The cut as a surface with its edges and interfaces."""
    points = shown.points @ view.to_plane + view.distance * view.normal
    for faces, cells in shown.faces:
        count = faces.shape[1]
        surface = pv.PolyData(points, np.column_stack([np.full(len(faces), count), faces]).ravel())
        surface.cell_data["rgb"] = (rgb[cells] * 255).astype(np.uint8)
        plotter.add_mesh(surface, scalars="rgb", rgb=True, lighting=False, show_scalar_bar=False)
        every, owner = sides(faces), np.tile(cells, count)
        every, owner = _once(every, owner)
        length = np.linalg.norm(points[every[:, 0]] - points[every[:, 1]], axis=1) * scale
        alpha = edge_alpha(length)
        seen = alpha > 0.02
        lines = _line_data(pv, points, every[seen], view.eye * 1e-3 * size)
        if lines.n_cells:
            lines.cell_data["rgb"] = (rgb[owner[seen]] * (1 - alpha[seen, None]) * 255).astype(
                np.uint8
            )
            plotter.add_mesh(
                lines, scalars="rgb", rgb=True, line_width=0.25 * PIXELS_PER_POINT, lighting=False
            )
    _add_lines(pv, plotter, points, distinct(shown.outlines), 0.6, view.eye * 2e-3 * size,
               color=OUTLINE)  # fmt: skip
    for name, rows in sorted(shown.lines.items(), key=lambda item: looks[item[0]].rank):
        look = looks[name]
        if look.width:
            shift = view.eye * (2.2e-3 + 1e-4 * look.rank) * size
            _add_lines(pv, plotter, points, rows, look.width, shift, color=look.colour)
    for nodes in shown.marks.values():
        if len(nodes):
            plotter.add_mesh(
                pv.PolyData(points[nodes] + view.eye * 3e-3 * size), color=FRONT, lighting=False,
                point_size=2.2 * PIXELS_PER_POINT, render_points_as_spheres=True,
            )  # fmt: skip
