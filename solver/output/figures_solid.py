"""Stress at the front of a solid: an off-screen picture of the warped body, cut open at the crack.

The rendering runs in a process of its own (``python -m ssbmech.output.figures_solid DIR FILE``): a
missing graphics library ends a process without a chance to say why.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import (
    Fields,
    flaw_size,
    governing_front,
    mirrored,
    planes_near,
    read_fields,
    read_summary,
    reflect_points,
    symmetry_planes,
)
from ssbmech.output.figures_field import STRESS, _caption, colour_limits, warp_factor, without_drift

_PIXELS = (2100, 1500)


@dataclass(frozen=True)
class Scene:
    """Where to cut and from where to look.

    Attributes:
        centre: Middle of the flaw [um], shape (3,).
        mouth: Towards the free surface, or anywhere in the crack plane; unit vectors, shape (3,).
        normal: Of the crack plane.
        across: Normal x mouth; the upper half is shown where this is positive.
        radius: Half of the flaw's extent [um].
    """

    centre: NDArray[np.float64]
    mouth: NDArray[np.float64]
    normal: NDArray[np.float64]
    across: NDArray[np.float64]
    radius: float

    @property
    def view(self) -> NDArray[np.float64]:
        """From the flaw to the eye, a unit vector."""
        v = 0.55 * self.mouth - 0.75 * self.across + 0.62 * self.normal
        return v / np.linalg.norm(v)


def scene(lines: list[NDArray[np.float64]]) -> Scene:
    """Find the crack plane and a good place to look from.

    Args:
        lines: The front and its mirror images [um], each of shape (n, 3).
    """
    points = np.vstack(lines)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    _, size, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    normal = axes[2] if size[1] > 1e-6 * size[0] else _least_along(axes[0])
    normal = normal * np.sign(normal[np.argmax(np.abs(normal))])
    # the ends of an open front are at the free surface; a closed one has as much on each side
    mouth = centre - points.mean(axis=0)
    mouth -= (mouth @ normal) * normal
    if np.linalg.norm(mouth) < 0.03 * np.ptp(points, axis=0).max():
        mouth = -_least_along(normal)
        mouth -= (mouth @ normal) * normal
    mouth = mouth / np.linalg.norm(mouth)
    radius = float(np.ptp(points, axis=0).max()) / 2
    return Scene(centre, mouth, normal, np.cross(normal, mouth), radius)


def _least_along(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coordinate axis most nearly at right angles to a direction."""
    return np.eye(3)[int(np.argmin(np.abs(direction)))]


def tip_stress_solid(
    results: Path, folder: Path, summary: dict[str, Any], fields: Fields
) -> str | None:
    """``tip_stress`` of a solid with a crack: rendered aside, then framed with colour bars."""
    found = governing_front(summary)
    if found is None or len(found[0]["points_um"]) < 2 or STRESS not in fields.scalars:
        return None
    return _compose(folder, summary, rendered_aside("ssbmech.output.figures_solid", results))


def rendered_aside(module: str, results: Path) -> dict[str, Any]:
    """Arrays that ``python -m MODULE DIR FILE`` leaves in the file.

    Raises:
        OutputError: With the last line that it said, when it failed.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        path = Path(place) / "scene.npz"
        command = [sys.executable, "-m", module, str(results), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0 or not path.is_file():
            said = done.stderr.strip().splitlines()
            raise OutputError(
                f"the 3-D picture could not be rendered: {said[-1] if said else 'no message'}"
                + (f" (signal {-done.returncode})" if done.returncode < 0 else ""),
                key="figures",
                hint="Off-screen rendering needs libegl1 and libgl1 (or libosmesa6)",
            )
        with np.load(path) as held:
            return dict(held)


def render(results: Path, target: Path) -> None:
    """Render the scene into an array file: picture, limits and the camera's axes."""
    import pyvista
    from vtkmodules.vtkCommonCore import vtkLogger

    pv: Any = pyvista
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    summary, fields = read_summary(results), read_fields(results)
    found = governing_front(summary)
    assert fields is not None and found is not None
    front = found[0]
    points, K = closed(np.array(front["points_um"], float), _along(front))
    extent = float(np.ptp(points, axis=0).max())
    whole = mirrored(fields, planes_near(symmetry_planes(results, summary), points, extent))
    lines = reflect_points(points, whole.mirrors)
    look = scene(lines)
    # a flaw size is a depth; what must be seen is the whole front
    size = flaw_size(results, summary) or look.radius
    box = np.stack([look.centre - 1.2 * look.radius, look.centre + 1.2 * look.radius])
    factor = warp_factor(whole, box, 1.3 * min(size, look.radius))
    whole = without_drift(whole, box, factor, look.radius)
    near = np.linalg.norm(whole.points[whole.cells].mean(axis=1) - look.centre, axis=1)
    close = near < 1.6 * look.radius
    values = whole.scalars[STRESS][whole.cells[close]].mean(axis=1)
    bottom, top, *_ = colour_limits(values, whole.measures()[close], clip=True)
    pad = max(0.02 * abs(float(K.mean())), 1e-12)
    K_low, K_high = min(K.min(), K.mean() - pad), max(K.max(), K.mean() + pad)

    plotter = pv.Plotter(off_screen=True, window_size=list(_PIXELS), lighting="light kit")
    plotter.set_background("white")
    planes = _planes(whole, look)
    for part, mine in zip(_parts(pv, whole, look), (planes[1:], planes), strict=True):
        if part.n_cells == 0:
            continue
        surface = part.extract_surface(algorithm="dataset_surface").triangulate()
        before = np.array(surface.points)
        surface.points = before + factor * surface["u"]
        plotter.add_mesh(
            surface, scalars="stress", cmap=style.stress_map(bottom, top), clim=(bottom, top),
            show_scalar_bar=False, ambient=0.62, diffuse=0.42, specular=0.0,
            interpolate_before_map=True,
        )  # fmt: skip
        rim = _rim(pv, surface, before, mine)
        if rim is not None:
            plotter.add_mesh(rim, color="black", line_width=2.5, show_scalar_bar=False)
    move = _displacement_at(whole, points)
    for line, u in zip(lines, _images(move, points, whole.mirrors), strict=True):
        at = line + factor * u
        curve = pv.lines_from_points(at)
        curve["K"] = K
        thick = 0.022 * look.radius
        # a hair towards the eye, so that the surface on which it lies does not hide half of it
        halo = curve.tube(radius=1.6 * thick, n_sides=16)
        halo.points += look.view * thick * 0.6
        plotter.add_mesh(halo, color="white", lighting=False)
        tube = curve.tube(radius=thick, n_sides=16)
        tube.points += look.view * thick * 1.8
        plotter.add_mesh(
            tube, scalars="K", cmap=style.LINE_MAP, clim=(K_low, K_high), lighting=False,
            show_scalar_bar=False,
        )  # fmt: skip
    plotter.enable_parallel_projection()
    reach = 10 * look.radius
    plotter.camera_position = [look.centre + look.view * reach, look.centre, look.normal]
    plotter.reset_camera()
    plotter.camera.zoom(1.1)
    plotter.enable_anti_aliasing("ssaa")
    picture = plotter.screenshot(return_img=True)
    per_pixel = 2 * plotter.camera.parallel_scale / _PIXELS[1]
    plotter.close()
    right = np.cross(look.normal, look.view)
    right /= np.linalg.norm(right)
    np.savez(
        target, picture=picture, stress=[bottom, top], K=[K_low, K_high], factor=factor,
        beyond=[values.min() < bottom, values.max() > top], per_pixel=per_pixel,
        right=right, up=np.cross(look.view, right), mirrors=np.array(whole.mirrors, int),
        radius=look.radius,
    )  # fmt: skip


def _along(front: dict[str, Any]) -> NDArray[np.float64]:
    """K_I (J where there is none) along a front, shape (n,)."""
    return np.array(front.get("K_I", front["J"])["values"], float)


def closed(
    points: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A front that runs round, with its first point once more at the end; others as they are.

    Args:
        points: Shape (n, 3).
        values: At the points, shape (n,).
    """
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    gap = float(np.linalg.norm(points[0] - points[-1]))
    if len(points) < 6 or gap > 1.5 * steps.max() or gap < 1e-9 * steps.sum():
        return points, values
    return np.vstack([points, points[:1]]), np.append(values, values[0])


def _images(move: NDArray, points: NDArray, mirrors: tuple[int, ...]) -> list[NDArray]:
    """Displacements of the front's mirror images, in the order of `reflect_points`."""
    lines, moves = [points], [move]
    for axis in mirrors:
        sign = np.ones(3)
        sign[axis] = -1.0
        keep = [not np.allclose(line, line * sign) for line in lines]
        moves += [m * sign for m, k in zip(moves, keep, strict=True) if k]
        lines += [line * sign for line, k in zip(lines, keep, strict=True) if k]
    return moves


def _displacement_at(whole: Fields, points: NDArray) -> NDArray[np.float64]:
    """Displacement of the vertex nearest to each point (the front is made of vertices)."""
    return np.array(
        [whole.displacement[int(np.argmin(((whole.points - p) ** 2).sum(axis=1)))] for p in points]
    )


def _parts(pv: Any, whole: Fields, look: Scene) -> list[Any]:
    """The lower half about the flaw, and of the upper half what does not hide the crack."""
    count = len(whole.cells)
    cells = np.column_stack([np.full(count, 4), whole.cells]).ravel()
    grid = pv.UnstructuredGrid(cells, np.full(count, pv.CellType.TETRA), whole.points.copy())
    grid["stress"] = whole.scalars[STRESS]
    grid["u"] = whole.displacement
    R = look.radius
    for direction, reach in _reaches(look):
        for sign in (1.0, -1.0):
            grid = grid.clip(
                normal=sign * direction, origin=look.centre + sign * reach * R * direction
            )
    lower, upper = _halves(grid, look)
    return [lower, upper.clip(normal=-look.across, origin=look.centre) if upper.n_cells else upper]


def _reaches(look: Scene) -> list[tuple[NDArray[np.float64], float]]:
    """How far the picture reaches from the flaw, over its radius."""
    return [(look.mouth, 1.8), (look.across, 1.6), (look.normal, 1.0)]


def _planes(whole: Fields, look: Scene) -> NDArray[np.float64]:
    """Planes that bound what is shown: rows of a unit normal and a distance from the origin."""
    rows = [(look.across, 0.0), (look.normal, 0.0)]  # the first cuts the upper half alone
    rows += [(d, sign * reach * look.radius) for d, reach in _reaches(look) for sign in (1, -1)]
    planes = [[*n, n @ look.centre + d] for n, d in rows]
    for axis in range(3):
        sides = (whole.points[:, axis].min(), whole.points[:, axis].max())
        planes += [[*np.eye(3)[axis], side] for side in sides]
    unique: list[list[float]] = []
    for plane in planes:
        # one plane twice would make edges of everything on it
        if all(np.abs(np.subtract(plane, p)).max() > 1e-6 and
               np.abs(np.add(plane, p)).max() > 1e-6 for p in unique):  # fmt: skip
            unique.append(plane)
    return np.array(unique)


def _rim(pv: Any, surface: Any, before: NDArray[np.float64], planes: NDArray) -> Any:
    """Edges of the shape: those that lay in two of the planes before the warp.

    Angles between facets tell less: cutting leaves slivers that stand at any angle.
    """
    faces = surface.regular_faces
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges = np.unique(edges, axis=0)
    size = float(np.ptp(before, axis=0).max())
    on = np.abs(before @ planes[:, :3].T - planes[:, 3]) < 1e-5 * size
    rim = edges[(on[edges[:, 0]] & on[edges[:, 1]]).sum(axis=1) >= 2]
    if not len(rim):
        return None
    lines = np.column_stack([np.full(len(rim), 2), rim]).ravel()
    return pv.PolyData(np.array(surface.points), lines=lines)


def _halves(grid: Any, look: Scene) -> tuple[Any, Any]:
    """Below and above the crack plane: whole cells where the mesh follows it, else cut ones."""
    height = (grid.points - look.centre) @ look.normal
    corners = height[grid.cell_connectivity]
    start = grid.offset[:-1]
    low, high = np.minimum.reduceat(corners, start), np.maximum.reduceat(corners, start)
    tolerance = 1e-6 * look.radius
    if ((low < -tolerance) & (high > tolerance)).any():
        clip = {"normal": look.normal, "origin": look.centre}
        return grid.clip(**clip), grid.clip(invert=False, **clip)
    below = high <= tolerance
    return grid.extract_cells(np.flatnonzero(below)), grid.extract_cells(np.flatnonzero(~below))


def _compose(folder: Path, summary: dict[str, Any], held: dict[str, Any]) -> str:
    """The rendered picture with colour bars, a scale and axes, in the style of the others."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    picture = held["picture"]
    drawn = (picture < 250).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    picture = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = picture.shape[:2]
    fig, ax = style.figure(style.DOUBLE, 0.25 + 5.2 * height / width)
    ax.imshow(picture, interpolation="antialiased")
    ax.set_axis_off()
    below, above = held["beyond"]
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[
        int(below), int(above)
    ]
    bar = fig.colorbar(
        ScalarMappable(Normalize(*held["stress"]), style.stress_map(*held["stress"])),
        ax=ax, extend=extend, shrink=0.8, pad=0.02, aspect=24,
    )  # fmt: skip
    clipped = ", clipped" if extend != "neither" else ""
    bar.set_label(f"largest principal stress (MPa){clipped}")
    line = fig.colorbar(
        ScalarMappable(Normalize(*held["K"]), style.LINE_MAP), ax=ax, shrink=0.8, pad=0.02,
        aspect=24,
    )  # fmt: skip
    line.set_label(r"$K_\mathrm{I}$ along the front (MPa$\,$m$^{1/2}$)")
    length = style.handy(float(held["radius"]))
    wide = length / float(held["per_pixel"])
    y = height * 1.04
    ax.plot([0, wide], [y, y], color=style.BLACK, lw=2, clip_on=False)
    ax.text(wide * 1.06, y, f"{length:g} µm", va="center", fontsize=8)
    triad(ax, held, (0.93 * width, y), 0.07 * width)
    ax.set_xlim(0, width)
    ax.set_ylim(height * 1.09, -2)
    whole = Fields(
        np.zeros((0, 3)), np.zeros((0, 4), np.int64), np.zeros((0, 3)), {}, np.zeros(0),
        np.zeros(0), tuple(int(i) for i in held["mirrors"]),
    )  # fmt: skip
    text = _caption(whole, float(held["factor"]), "3d") + ", cut open at the crack plane"
    found = governing_front(summary)
    if found is not None and len(summary["fronts"]) > 1:
        text += f" of {found[0]['name'].replace('_', ' ')}"
    ax.set_title(text)
    return style.save(fig, folder, "tip_stress", pdf=False)


def triad(ax: Any, held: dict[str, Any], origin: tuple[float, float], length: float) -> None:
    """The directions of the coordinates in the picture."""
    for axis, name in enumerate("xyz"):
        dx, dy = held["right"][axis] * length, -held["up"][axis] * length
        end = (origin[0] + dx, origin[1] + dy)
        ax.annotate(
            "", end, origin, arrowprops={"arrowstyle": "->", "lw": 0.9, "shrinkA": 0, "shrinkB": 0},
            annotation_clip=False,
        )  # fmt: skip
        away = 1.25
        ax.text(
            origin[0] + away * dx, origin[1] + away * dy, name, ha="center", va="center",
            fontsize=8,
        )  # fmt: skip


def main(argv: list[str], draw: Callable[[Path, Path], None] = render) -> int:
    """Render for `rendered_aside`; returns the exit status."""
    try:
        draw(Path(argv[0]), Path(argv[1]))
    except Exception as error:  # the caller shows one line
        print(f"{type(error).__name__}: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
