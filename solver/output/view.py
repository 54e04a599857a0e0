"""``ssbmech view``: the fields of a results folder in a window, or in a PNG file without one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
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
        warp: Exaggeration of the displacement; by default the largest is a 25th of the body.

    Returns:
        Exit status: 0, or 2 where there is no display (what to do has been printed).

    Raises:
        OutputError: Without fields, for an unknown field, or an unwritable picture.
    """
    from ssbmech.output.figures_data import field_files

    files = field_files(directory)
    if not files:
        raise OutputError(
            "no fields/fields.pvd here", key="directory", value=str(directory),
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
        pvd = directory / "fields" / "fields.pvd"
        print(
            _NO_DISPLAY.format(
                folder=directory, absolute=directory.resolve(), host=_host(), pvd=pvd.resolve(),
                fields=", ".join(names),
            )
        )  # fmt: skip
        return 2
    _show(grid, field, screenshot, warp)
    if screenshot is not None:
        print(screenshot)
    return 0


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
        import pyvista as pv
    except ImportError:
        raise OutputError(
            "pyvista is not installed", key="view", hint="python3 -m pip install pyvista"
        ) from None
    grids = [pv.read(path) for path in files]
    grids = [g for g in grids if g.n_cells]
    if len(grids) == 1:
        return grids[0]
    return pv.MultiBlock(grids).combine(merge_points=False)


def _show(grid: Any, field: str, screenshot: Path | None, warp: float | None) -> None:
    import pyvista as pv

    lengths = np.ptp(np.asarray(grid.points), axis=0)
    title = f"{field}"
    if "displacement_um" in grid.point_data:
        u = np.asarray(grid.point_data["displacement_um"])
        largest = float(np.linalg.norm(u, axis=1).max())
        if warp is None:
            from ssbmech.output.figures_style import handy

            warp = handy(float(lengths.max()) / 25 / largest) if largest > 0 else 1.0
        grid = grid.copy()
        grid.points = np.asarray(grid.points) + warp * u
        title += f"\ndisplacement x {warp:g}"
    values = np.asarray(grid[field], float)
    scalar = np.linalg.norm(values, axis=1) if values.ndim > 1 else values
    plotter = pv.Plotter(off_screen=screenshot is not None, window_size=[1600, 1100])
    plotter.set_background("white")
    # a hundredth of the vertices at either end: a sharp tip has no largest stress
    limits = np.quantile(scalar, [0.01, 0.99]) if len(np.unique(scalar)) > 20 else None
    plotter.add_mesh(
        grid, scalars=field, cmap="YlOrRd", clim=None if limits is None else limits.tolist(),
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
    else:
        plotter.view_isometric()
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
