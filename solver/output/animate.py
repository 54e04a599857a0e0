"""Animation of a field over its output times: ``python -m ssbmech.output.animate DIR``.

A process of its own, without MPI and DOLFINx, as for the figures; no display is needed. Every frame
has the field with the same colours, the time, and below it a history with a mark at that time. A
reaction front is a line, and principal stresses are bars where that is asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError, SsbmechError
from ssbmech.output import animate_steps as fields
from ssbmech.output import directions as bars
from ssbmech.output import figures_lines as lines
from ssbmech.output import figures_style as style
from ssbmech.output.animate_film import DPI, check_film, palette, write_film
from ssbmech.output.animate_solid import rendered
from ssbmech.output.front_line import front_handle, front_line
from ssbmech.output.monitors import clock, monitor, numeric, time_unit
from ssbmech.output.plane_fields import PlaneFields, mirror_axes, mirrored, of_grid
from ssbmech.output.tables import read_table, spread_out

#: Frames at most, and frames per second by default.
_MOST_FRAMES, _RATE = 150, 8.0
#: Colours of a GIF that are those of the colour map; the others come from the frames. On a solid
#: most colours are shaded.
_RAMP, _RAMP_SOLID = 128, 24
#: Width of labels and colour bar [inch].
_BESIDE = 1.4
#: Monitors for the strip below the field, in this order.
_STRIP = ("K_ratio", "contact", "fill", "voltage", "front_thickness", "pressure_max")


@dataclass(frozen=True)
class Picture:
    """What all frames share.

    Attributes:
        field: Name of the field.
        limits: Of the colours.
        warp: Exaggeration of the displacement.
        box: Lower and upper corner of the picture [um], shape (2, 2), or None for all.
        axes: Names of the coordinates.
        mirrors: Axes along which a part of the body is made whole.
        scale: Of the bars of principal stresses, or None without them.
    """

    field: str
    limits: fields.Limits
    warp: float
    box: NDArray[np.float64] | None
    axes: tuple[str, str]
    mirrors: tuple[int, ...] = ()
    scale: bars.Scale | None = None


def animate(
    results: Path,
    *,
    field: str | None = None,
    target: Path | None = None,
    rate: float = _RATE,
    warp: float | None = None,
    directions: bool | None = None,
) -> Path:
    """Write an animation of a field.

    Args:
        results: Results folder with fields at several times.
        field: Name of the field, by default the one that shows most.
        target: File that ends with .gif or .mp4; by default ``animation.gif`` in ``figures``.
        rate: Frames per second.
        warp: Exaggeration of the displacement; by default one at which it is well visible, and
            none where a reaction front is followed.
        directions: Whether to draw the directions of principal stresses (plane bodies); by default
            where a reaction front makes a stress.

    Returns:
        The file.

    Raises:
        OutputError: Without such fields, for an unknown field, for directions without stress, for
            a target that cannot be written, and for an MP4 where there is no ffmpeg.
    """
    target = target or results / "figures" / "animation.gif"
    check_film(target, rate)
    field, steps = fields.choose(results, field)
    steps = [steps[i] for i in spread_out(len(steps), _MOST_FRAMES)]
    style.apply()
    last = fields.load(steps[-1])
    plane = fields.is_plane(last)
    if directions is None:
        with_stress = bars.components(fields.names_of(last)) is not None
        directions = with_stress and fields.LAYER in last.point_data and field.endswith("_MPa")
    elif directions:
        bars.check(fields.names_of(last) if plane else ["a body in 3-D"])
    picture = _picture(results, field, steps, warp)
    if directions and plane:
        picture = replace(picture, scale=_scale(steps, picture))
    table = read_table(results / "history.csv")
    make, count = (_plane_frames, _RAMP) if plane else (_solid_frames, _RAMP_SOLID)
    from matplotlib.colors import to_rgb

    kind = target.suffix.lower()
    ramp = fields.colours(field, picture.limits)(np.linspace(0, 1, count))[:, :3]
    found = None
    if kind == ".gif":  # a palette from a few frames: all at once would take much memory
        some = [steps[i] for i in spread_out(len(steps), 3)]
        few = list(make(results, some, picture, table, DPI[kind]))
        known = np.vstack([ramp, [to_rgb(c) for c in (style.GREEN, style.BLUE, style.RED)]])
        found = palette(few, np.rint(255 * known).astype(np.uint8))
    write_film(target, make(results, steps, picture, table, DPI[kind]), rate, found)
    return target


def _picture(
    results: Path, field: str, steps: Sequence[fields.Step], warp: float | None
) -> Picture:
    summary = _summary(results)
    last = fields.load(steps[-1])
    points = np.asarray(last.points, float)
    box = fields.window(results, summary, points[:, :2]) if fields.is_plane(last) else None
    limits = fields.common_limits((fields.load(s) for s in steps), field, box)
    mirrors: tuple[int, ...] = ()
    if fields.LAYER in last.point_data:  # its places are those of the electrolyte as it was
        warp = 0.0 if warp is None else warp
        if fields.is_plane(last):
            mirrors = mirror_axes(results, summary, points[:, :2])
    if warp is None:
        size = float(np.ptp(points if box is None else box, axis=0).max())
        warp = _warp(steps, points, box, size)
    axes = ("r", "z") if summary.get("model") == "axisymmetric" else ("x", "y")
    return Picture(field, limits, warp, box, axes, mirrors)


def _body(step: fields.Step, p: Picture) -> tuple[PlaneFields, NDArray[np.float64]]:
    """A plane body at a time, and where its vertices are drawn [um], shape (n, 2)."""
    f = mirrored(of_grid(fields.load(step), join=len(step.files) > 1), p.mirrors)
    return f, f.points + p.warp * f.displacement


def _corners(step: fields.Step, p: Picture) -> NDArray[np.float64]:
    """Lower and upper corner of what is drawn [um], shape (2, 2)."""
    if p.box is not None:
        return p.box
    x = _body(step, p)[1]
    return np.stack([x.min(axis=0), x.max(axis=0)])


def _scale(steps: Sequence[fields.Step], p: Picture) -> bars.Scale:
    """Lattice and longest bar of all times."""
    lattice = bars.lattice(*_corners(steps[-1], p))
    every = []
    for step in steps:
        f, x = _body(step, p)
        every.append(bars.within(bars.bars(f, lattice, x), p.box))
    return bars.common_scale(every, lattice)


def _summary(results: Path) -> dict[str, Any]:
    from ssbmech.output.figures_data import read_summary

    try:
        return read_summary(results)
    except OutputError:  # fields alone are enough
        return {}


def _warp(steps: Sequence[fields.Step], points: NDArray, box: NDArray | None, size: float) -> float:
    """Exaggeration at which the largest displacement that is seen is a 25th of the picture."""
    largest = 0.0
    for step in steps:
        grid = fields.load(step)
        if fields.DISPLACEMENT not in grid.point_data:
            return 0.0
        u = np.asarray(grid.point_data[fields.DISPLACEMENT], float)
        if box is not None and len(u) == len(points):
            u = u[((points[:, :2] >= box[0]) & (points[:, :2] <= box[1])).all(axis=1)]
        largest = max(largest, float(np.linalg.norm(u, axis=1).max(initial=0.0)))
    if largest <= 0:
        return 1.0
    factor = size / 25 / largest
    return style.handy(factor) if factor > 1 else 1.0  # large strains are shown as they are


def _plane_frames(
    results: Path, steps: Sequence[fields.Step], p: Picture, table: Any, dpi: int
) -> Iterator[NDArray[np.uint8]]:
    """Frames of a plane body, each of shape (height, width, 3)."""
    low, high = _corners(steps[-1], p)
    strip = _strip_name(table)
    slender = float((high[1] - low[1]) / (high[0] - low[0]))
    height = float(np.clip((style.DOUBLE - _BESIDE) * slender, 0.9, 4.5))
    fig, ax, below = _figure(min(height / slender, style.DOUBLE - _BESIDE), height, strip)
    ax.set_aspect("equal")
    # the body may grow: leave it room
    margin = 0.03 * (high - low).max()
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_xlabel(f"{p.axes[0]} (µm)")
    ax.set_ylabel(f"{p.axes[1]} (µm)")
    _bar(fig, ax, p)
    _key(fig, steps[-1], p)
    mark = _draw_strip(below, table, strip)
    drawn: list[Any] = []
    for step in steps:
        for artist in drawn:
            artist.remove()
        drawn = _draw_plane(ax, step, p)
        yield _shot(fig, ax, p, step, mark, dpi)


def _figure(width: float, height: float, strip: str | None) -> tuple[Any, Any, Any]:
    """Figure with axes of about a width and a height [inch], and those of the strip or None."""
    width = max(width + _BESIDE, style.SINGLE + 0.5)
    if strip is None:
        fig, ax = style.figure(width, height + 0.8)
        return fig, ax, None
    fig, axes = style.figure(width, height + 1.9, 2, 1, height_ratios=[height, 0.85])
    return fig, axes[0], axes[1]


def _draw_plane(ax: Any, step: fields.Step, p: Picture) -> list[Any]:
    from matplotlib.collections import LineCollection

    f, x = _body(step, p)
    values = f.scalars[p.field]
    known = np.isfinite(values[f.cells]).all(axis=1)
    f = replace(f, cells=f.cells[known], material=f.material[known])
    body = ax.tripcolor(
        x[:, 0], x[:, 1], f.cells, values, shading="gouraud",
        cmap=fields.colours(p.field, p.limits), vmin=p.limits.low, vmax=p.limits.high,
    )  # fmt: skip
    rim = LineCollection(list(x[f.outline]), colors=style.BLACK, linewidths=0.6)
    drawn = [body, ax.add_collection(rim, autolim=False)]
    if fields.LAYER in f.scalars and p.field != fields.LAYER:
        drawn += front_line(ax, f, x)
    if p.scale is not None:
        drawn += bars.draw(ax, bars.within(bars.bars(f, p.scale, x), p.box), p.scale)
    return drawn


def _key(fig: Any, step: fields.Step, p: Picture) -> None:
    """What lines and bars are."""
    handles = []
    if fields.LAYER in fields.load(step).point_data and p.field != fields.LAYER:
        handles.append(front_handle())
    handles += [] if p.scale is None else bars.key(p.scale)
    if handles:
        fig.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=1.6)


def _bar(fig: Any, ax: Any, p: Picture) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    shown = ScalarMappable(
        Normalize(p.limits.low, p.limits.high), fields.colours(p.field, p.limits)
    )
    bar = fig.colorbar(shown, ax=ax, extend=p.limits.extend, shrink=0.9, pad=0.02, aspect=22)
    clipped = ", clipped" if p.limits.extend != "neither" else ""
    bar.set_label(fields.words(p.field) + clipped)


def _strip_name(table: Any) -> str | None:
    """The monitor below the field."""
    if table is None or len(table.get("time", ())) < 2:
        return None
    known = numeric(table)
    return next(
        (n for n in _STRIP if n in known and np.nanmax(known[n]) > np.nanmin(known[n])), None
    )


def _draw_strip(ax: Any, table: Any, name: str | None) -> tuple[Any, float] | None:
    """Draw a history; returns the line that marks the time, and seconds per unit of its axis."""
    if name is None:
        return None
    how = monitor(name)
    time = np.asarray(table["time"], float)
    unit, per = time_unit(float(time[-1]))
    lines.line(ax, time / per, np.asarray(table[name], float) / how.scale, color=style.BLUE)
    if name == "K_ratio" and ax.dataLim.y1 > 0.5:
        ax.axhline(1.0, color=style.RED, lw=0.9, ls="--")
    ax.set_xlabel(f"time ({unit})")
    label = lines.math_words(how.words.replace(" of the layer", ""))
    ax.set_ylabel(f"{label}\n({how.unit.replace('um', 'µm')})" if how.unit else label)
    ax.margins(x=0.01, y=0.12)
    return ax.axvline(time[0] / per, color=style.BLACK, lw=1.0), per


def _shot(
    fig: Any, ax: Any, p: Picture, step: fields.Step, mark: tuple[Any, float] | None, dpi: int
) -> NDArray[np.uint8]:
    """The figure at a time as pixels; the layout is that of the first frame."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    ax.set_title(clock(step.time), loc="left", fontweight="bold")
    if p.warp not in (0.0, 1.0):
        ax.set_title(f"displacement × {p.warp:g}", loc="right")
    if mark is not None:
        mark[0].set_xdata([step.time / mark[1]] * 2)
    fig.set_dpi(dpi)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    fig.set_layout_engine("none")
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    even = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]  # for H.264
    return np.ascontiguousarray(even)


def _solid_frames(
    results: Path, steps: Sequence[fields.Step], p: Picture, table: Any, dpi: int
) -> Iterator[NDArray[np.uint8]]:
    """Frames of a solid, rendered and framed like those of a plane body."""
    strip = _strip_name(table)
    fig, ax, below = _figure(style.DOUBLE - _BESIDE, 4.2, strip)
    ax.axis("off")
    _bar(fig, ax, p)
    mark = _draw_strip(below, table, strip)
    held = None
    for step, pixels in zip(
        steps, rendered(results, steps, p.field, p.limits, p.warp), strict=True
    ):
        if held is None:
            held = ax.imshow(pixels, interpolation="antialiased")
        held.set_data(pixels)
        yield _shot(fig, ax, p, step, mark, dpi)


def animation(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``animation``: a GIF of the field that shows most, made by a process of its own.

    A missing graphics library ends a process without a chance to say why.
    """
    if not fields.collections(results):
        return None
    from ssbmech.output.report import run_aside

    target = folder / "animation.gif"
    command = [sys.executable, "-m", "ssbmech.output.animate", str(results), "-o", str(target)]
    run_aside(command, "the animation", key="figures", hint="The other figures are there")
    return target.name


def main(argv: Sequence[str] | None = None) -> int:
    """Animate a results folder named on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ssbmech.output.animate", description=__doc__)
    parser.add_argument("directory", type=Path, help="results folder")
    parser.add_argument("-o", "--output", type=Path, help="file, .gif or .mp4")
    parser.add_argument("--field", help="what to colour by")
    parser.add_argument("--rate", type=float, default=_RATE, help="frames per second")
    parser.add_argument("--warp", type=float, help="exaggeration of the displacement")
    parser.add_argument(
        "--directions", action="store_true", default=None, help="bars along principal stresses"
    )
    args = parser.parse_args(argv)
    try:
        made = animate(
            args.directory, field=args.field, target=args.output, rate=args.rate, warp=args.warp,
            directions=args.directions,
        )  # fmt: skip
    except (SsbmechError, OSError) as error:
        print(f"ssbmech: {error}", file=sys.stderr)
        return 1
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
