"""Frames of a solid for an animation, rendered from one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import animate_steps as fields

#: Size of the rendered scene.
_PIXELS = (1400, 1000)


def rendered(
    results: Path, steps: Sequence[fields.Step], field: str, limits: fields.Limits, warp: float
) -> Iterator[NDArray[np.uint8]]:
    """Pictures of a solid from one place, cut open at a crack.

    Args:
        results: Results folder.
        steps: Output times.
        field: Name of the field.
        limits: Of its colours.
        warp: Exaggeration of the displacement.
    """
    import pyvista
    from ssbmech.output.view import _look
    from vtkmodules.vtkCommonCore import vtkLogger

    pv: Any = pyvista
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    last = fields.load(steps[-1])
    look, _, _ = _look(results, np.ptp(np.asarray(last.points), axis=0))
    plotter = pv.Plotter(off_screen=True, window_size=list(_PIXELS))
    plotter.set_background("white")
    plotter.add_axes(color="black")
    for i, step in enumerate(steps):
        grid = fields.load(step)
        side = 1.0
        if look is not None:  # what lies beyond the crack plane would hide the crack
            middle = np.asarray(last.points).mean(axis=0)
            side = 1.0 if (middle - look.centre) @ look.normal > 0 else -1.0
            cut = grid.clip(normal=-side * look.normal, origin=look.centre)
            grid = cut if cut.n_cells else grid
        if fields.DISPLACEMENT in grid.point_data:
            grid = grid.copy()
            grid.points = np.asarray(grid.points) + warp * np.asarray(
                grid.point_data[fields.DISPLACEMENT]
            )
        grid.point_data["shown"] = fields.scalar(grid, field)
        plotter.clear_actors()
        plotter.add_mesh(
            grid, scalars="shown", cmap=fields.colours(field, limits),
            clim=(limits.low, limits.high), show_scalar_bar=False, ambient=0.65, diffuse=0.4,
            show_edges=True, edge_opacity=0.15, line_width=1, reset_camera=False,
        )  # fmt: skip
        if i == 0:
            _camera(plotter, look, side)
        yield np.asarray(plotter.screenshot(None, return_img=True))[..., :3]
    plotter.close()


def _camera(plotter: Any, look: Any, side: float) -> None:
    if look is None:
        plotter.view_isometric()
        return
    eye = 0.45 * look.mouth - 0.6 * look.across - 0.8 * side * look.normal
    plotter.camera_position = [
        look.centre + 9 * look.radius * eye, look.centre, -side * look.normal
    ]  # fmt: skip
    plotter.reset_camera_clipping_range()
