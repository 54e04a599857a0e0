"""``ssbmech view``: the fields of a results folder in a window, or in a PNG file without one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError, nearest

_NO_DISPLAY = """\
There is no display here, so no window can be opened. You can
  draw a picture into a file      ssbmech view {folder} --screenshot view.png
  log in with a display           ssh -X {host}, then ssbmech view {folder}
  copy the folder to a desktop    scp -r {host}:{absolute} .   then ssbmech view, or ParaView
  open the fields in ParaView     {pvd}
Fields: {fields}"""


def view(
    directory: Path,
    *,
    field: str = "max_principal_MPa",
    screenshot: Path | None = None,
    warp: float | None = None,
) -> int:
    """Show the fields of a results folder.

    Args:
        directory: Results folder.
        field: Name of the array to colour by.
        screenshot: PNG file to draw into; no display is needed then.
        warp: Exaggeration of the displacement; by default one at which it is well visible.

    Returns:
        Exit status: 0, or 2 where there is no display (what to do has been printed).

    Raises:
        OutputError: Without fields, for an unknown field, or an unwritable picture.
    """
    files = _files(directory, field)
    if not files:
        raise OutputError(
            "no fields here", key="directory", value=str(directory),
            hint="Give a results folder of `ssbmech run`; the case must not say output.fields = "
            "false",
        )  # fmt: skip
    if screenshot is not None and screenshot.suffix.lower() != ".png":
        raise OutputError(
            "the picture must be a PNG file", key="--screenshot", value=str(screenshot),
            allowed="a name that ends with .png",
        )  # fmt: skip
    grid = _grid(files)
    names = [n for n in grid.array_names if not n.startswith("vtk")]
    if field not in names:
        raise OutputError(
            "no such field", key="--field", value=field, hint=nearest(field, names)
        )  # fmt: skip
    if screenshot is None and not has_display():
        pvd = next((directory / "fields").glob("*.pvd"))
        print(
            _NO_DISPLAY.format(
                folder=directory, absolute=directory.resolve(), host=_host(), pvd=pvd.resolve(),
                fields=", ".join(names),
            )
        )  # fmt: skip
        return 2
    _show(directory, grid, field, screenshot, warp)
    if screenshot is not None:
        print(screenshot)
    return 0


def _files(directory: Path, field: str) -> list[Path]:
    """Files of the fields; of a case in time those of the last time that hold the field."""
    from ssbmech.output import animate_steps
    from ssbmech.output.figures_data import field_files

    files = field_files(directory)
    held = [animate_steps.steps_of(p) for p in sorted((directory / "fields").glob("*.pvd"))]
    for steps in [] if files else held:
        if not files or field in _grid(list(steps[-1].files)).array_names:
            files = list(steps[-1].files)
    return files


def has_display() -> bool:
    """Whether a window can be opened: on macOS and Windows always, else with X or Wayland."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _host() -> str:
    import platform

    return platform.node() or "HOST"


def _grid(files: list[Path]) -> Any:
    """All pieces as one grid; points of different pieces, or of crack faces, are not merged."""
    try:
        import pyvista
    except ImportError:
        raise OutputError(
            "pyvista is not installed", key="view", hint="python3 -m pip install pyvista"
        ) from None
    pv: Any = pyvista
    grids = [pv.read(path) for path in files]
    grids = [g for g in grids if g.n_cells]
    if len(grids) == 1:
        return grids[0]
    return pv.MultiBlock(grids).combine(merge_points=False)


def _show(
    directory: Path, grid: Any, field: str, screenshot: Path | None, warp: float | None
) -> None:
    import pyvista
    from ssbmech.output.figures_style import handy, stress_map
    from vtkmodules.vtkCommonCore import vtkLogger

    pv: Any = pyvista
    if screenshot is not None:  # that there is no X server is not news
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    lengths = np.ptp(np.asarray(grid.points), axis=0)
    title = field
    look, tip, size = _look(directory, lengths)
    if look is not None and lengths[2] > 1e-9 * lengths.max():
        # what lies beyond the crack plane would hide the crack
        middle = np.asarray(grid.points).mean(axis=0)
        side = 1.0 if (middle - look.centre) @ look.normal > 0 else -1.0
        cut = grid.clip(normal=-side * look.normal, origin=look.centre)
        grid = cut if cut.n_cells else grid
    else:
        side = 1.0
    if "displacement_um" in grid.point_data:
        u = np.asarray(grid.point_data["displacement_um"])
        largest = float(np.linalg.norm(u, axis=1).max())
        if warp is None:
            warp = handy(min(float(lengths.max()) / 25, size / 6) / largest) if largest > 0 else 1.0
        grid = grid.copy()
        grid.points = np.asarray(grid.points) + warp * u
        title += f"\ndisplacement x {warp:g}"
    values = np.asarray(grid[field], float)
    scalar = np.linalg.norm(values, axis=1) if values.ndim > 1 else values
    plotter = pv.Plotter(off_screen=screenshot is not None, window_size=[1600, 1100])
    plotter.set_background("white")
    # a hundredth of the vertices at either end: a sharp tip has no largest stress
    low, high = (
        np.quantile(scalar, [0.01, 0.99]) if len(scalar) > 20 else (scalar.min(), scalar.max())
    )
    if high <= low:
        low, high = float(scalar.min()), float(scalar.max()) + 1e-12
    stress = field.endswith("_MPa")
    plotter.add_mesh(
        grid, scalars=field, cmap=stress_map(low, high) if stress else "viridis", clim=(low, high),
        ambient=0.5, diffuse=0.55,
        show_edges=True, edge_opacity=0.2, line_width=1,
        scalar_bar_args={
            "title": title, "color": "black", "vertical": True, "fmt": "%.4g",
            "title_font_size": 22, "label_font_size": 20, "position_x": 0.84, "position_y": 0.15,
            "height": 0.65,
        },
    )  # fmt: skip
    plotter.add_axes(color="black")
    if lengths[2] < 1e-9 * lengths.max():
        plotter.view_xy()
        plotter.camera.zoom(0.9)
        if tip is not None:
            plotter.enable_parallel_projection()
            plotter.camera.focal_point = tip
            plotter.camera.position = tip + np.array([0.0, 0.0, float(lengths.max())])
            plotter.camera.parallel_scale = min(3 * size, float(lengths.max()) / 2)
    elif look is None:
        plotter.view_isometric()
    else:
        eye = 0.45 * look.mouth - 0.6 * look.across - 0.8 * side * look.normal
        reach = 9 * look.radius
        plotter.camera_position = [look.centre + reach * eye, look.centre, -side * look.normal]
        plotter.reset_camera_clipping_range()
    if screenshot is None:
        plotter.show(title="ssbmech view")
        return
    if not screenshot.parent.is_dir():
        raise OutputError(
            "no such folder", key="--screenshot", value=str(screenshot.parent),
            hint="Make it first",
        )  # fmt: skip
    plotter.screenshot(str(screenshot))
    plotter.close()


def _look(directory: Path, lengths: NDArray[np.float64]) -> tuple[Any, Any, float]:
    """Scene of a solid's crack or None, tip of a plane body or None, and size of the flaw."""
    from ssbmech.output import figures_data, figures_solid

    far = float(lengths.max())
    try:
        summary = figures_data.read_summary(directory)
    except OutputError:
        return None, None, far
    found = figures_data.governing_front(summary)
    if found is None:
        return None, None, far
    points = np.array(found[0]["points_um"], float)
    size = figures_data.flaw_size(directory, summary) or far
    if lengths[2] <= 1e-9 * far:
        return None, points[found[1]], size
    return (figures_solid.scene([points]) if len(points) > 2 else None), None, size
