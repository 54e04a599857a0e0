"""Maps of a reaction front at the end: where lithium could form, the path of ions, the stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.output import animate_steps as steps
from ssbmech.output import directions as bars
from ssbmech.output import figures_style as style
from ssbmech.output.front_line import front_handle, front_line
from ssbmech.output.monitors import clock
from ssbmech.output.plane_fields import PlaneFields, mirror_axes, mirrored, of_grid

Floats = NDArray[np.float64]

POTENTIAL, IONS, STRESS = "lithium_potential_mV", "ion_potential_mV", "max_principal_MPa"
#: Potential of lithium below which it could form [mV]; above it is rounding.
_BELOW = -1e-3
#: Lines of equal potential of ions, at least.
_LINES = 10
#: Largest height of a panel [inch].
_HIGHEST = 4.2


def front_map(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``front_map``: potential of lithium in the layer, and the stress, at the last time."""
    pvd = results / "fields" / "front.pvd"
    if (summary.get("transient") or {}).get("kind") != "front" or not pvd.is_file():
        return None
    last = steps.steps_of(pvd)[-1]
    f = of_grid(steps.load(last), join=len(last.files) > 1)
    if steps.LAYER not in f.scalars:
        raise OutputError(
            "no share of the layer in the fields", key=str(pvd), value=", ".join(f.scalars),
            allowed=f"a point field {steps.LAYER!r}", hint="Run the case again",
        )  # fmt: skip
    f = mirrored(f, mirror_axes(results, summary, f.points))
    return draw_map(folder, f, last.time, summary.get("model") == "axisymmetric")


def draw_map(folder: Path, f: PlaneFields, time: float, axisymmetric: bool = False) -> str | None:
    """Panels side by side, as far as there are fields for them.

    Args:
        folder: Of the figures.
        f: With the share of the layer, and perhaps potentials [mV] and stress [MPa].
        time: [s]
        axisymmetric: Whether the axes are r and z.
    """
    electric, stressed = POTENTIAL in f.scalars, STRESS in f.scalars
    count = int(electric) + int(stressed)
    if not count:
        return None
    low, high = f.points.min(axis=0), f.points.max(axis=0)
    ratio = float((high - low)[1] / (high - low)[0])
    width = (style.DOUBLE if count == 2 else 4.2) / count - 1.25
    height = float(np.clip(width * ratio, 0.8, _HIGHEST))
    fig, axes = style.figure(
        count * (max(height / ratio, 1.4) + 1.25), height + 1.1, 1, count, squeeze=False
    )
    panels, names = list(axes[0]), ("r", "z") if axisymmetric else ("x", "y")
    handles: list[Any] = [front_handle()]
    if electric:
        handles += _potential(fig, panels[0], f)
    if stressed:
        handles += _stress(fig, panels[-1], f, (low, high))
    for k, ax in enumerate(panels):
        _frame(ax, f, (low, high))
        ax.set(xlabel=f"{names[0]} (µm)", ylabel=f"{names[1]} (µm)" if k == 0 else "")
        if count > 1:
            style.panel(ax, "ab"[k])
        if k:
            ax.tick_params(labelleft=False)
    panels[-1].set_title(f"at {clock(time)}", loc="right")
    fig.legend(handles=handles, loc="outside lower center", ncols=1 + count,
               handlelength=1.6)  # fmt: skip
    return style.save(fig, folder, "front_map")


def _frame(ax: Any, f: PlaneFields, box: Sequence[Floats]) -> None:
    """Outline and front, and the limits of the axes."""
    from matplotlib.collections import LineCollection

    rim = LineCollection(list(f.points[f.outline]), colors=style.BLACK, linewidths=0.6)
    ax.add_collection(rim, autolim=False)
    front_line(ax, f)
    pad = 0.02 * float((box[1] - box[0]).max())
    ax.set_xlim(box[0][0] - pad, box[1][0] + pad)
    ax.set_ylim(box[0][1] - pad, box[1][1] + pad)
    ax.set_aspect("equal")
    ax.locator_params(nbins=6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(direction="out")


def _potential(fig: Any, ax: Any, f: PlaneFields) -> list[Any]:
    """Potential of lithium in the layer, hatched where below 0; lines of equal ion potential."""
    from matplotlib.lines import Line2D

    layer = part_above(f, f.level())
    values = layer.scalars[POTENTIAL]
    handles: list[Any] = []
    if len(layer.cells):
        seen = values[layer.cells]
        low, high = min(float(seen.min()), 0.0), float(seen.max())
        high = high if high > low else low + 1.0
        drawn = ax.tripcolor(
            layer.points[:, 0], layer.points[:, 1], layer.cells, values, shading="gouraud",
            cmap=style.CRITICAL_MAP, vmin=low, vmax=high, rasterized=True,
        )  # fmt: skip
        bar = fig.colorbar(drawn, ax=ax, shrink=0.9, pad=0.02, aspect=24)
        bar.set_label("potential of lithium in the layer (mV)")
        handles.append(_below(ax, layer, values))
    if IONS in f.scalars:
        ions = f.scalars[IONS]
        low, high = float(ions.min()), float(ions.max())
        step = style.handy((high - low) / _LINES) if high > low else 0.0
        if step > 1e-9 * max(abs(low), abs(high)):
            levels = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
            ax.tricontour(f.points[:, 0], f.points[:, 1], f.cells, ions, levels=levels,
                          colors=style.BLACK, linewidths=0.5, linestyles="solid")  # fmt: skip
            words = f"equal potential of ions, every {style.number(step)} mV"
            handles.append(Line2D([], [], color=style.BLACK, lw=0.5, label=words))
    return handles


def _below(ax: Any, layer: PlaneFields, values: Floats) -> Any:
    """Mark where lithium could form; its handle, or words that it could nowhere."""
    from matplotlib.patches import Patch

    inside = part_above(layer, _BELOW - values)
    if not len(inside.cells):
        return Patch(fc="none", ec="none", label="nowhere below 0: no lithium inside")
    # one area, so that hatches of single triangles do not add up
    x = layer.points
    area = ax.tricontourf(x[:, 0], x[:, 1], layer.cells, values, colors="none", hatches=["xxxx"],
                          levels=[float(values.min()) - 1, _BELOW])  # fmt: skip
    area.set_edgecolor(style.RED)  # of the hatch
    ax.tricontour(x[:, 0], x[:, 1], layer.cells, values, levels=[_BELOW], colors=style.RED,
                  linewidths=1.2, linestyles="solid")  # fmt: skip
    return Patch(fc="none", ec=style.RED, hatch="xxxx", label="below 0: lithium could form here")


def _stress(fig: Any, ax: Any, f: PlaneFields, box: tuple[Floats, Floats]) -> list[Any]:
    """Largest principal stress with its directions."""
    values = f.scalars[STRESS]
    limits = limits_of(f, STRESS)
    colours = steps.colours(STRESS, limits)
    drawn = ax.tripcolor(
        f.points[:, 0], f.points[:, 1], f.cells, values, shading="gouraud", cmap=colours,
        vmin=limits.low, vmax=limits.high, rasterized=True,
    )  # fmt: skip
    bar = fig.colorbar(drawn, ax=ax, shrink=0.9, pad=0.02, aspect=24, extend=limits.extend)
    bar.set_label("largest principal stress (MPa)")
    if bars.components(f.scalars) is None:
        return []
    lattice = bars.lattice(*box)
    found = bars.bars(f, lattice)
    scale = bars.common_scale([found], lattice)
    bars.draw(ax, found, scale)
    return bars.key(scale)


def limits_of(f: PlaneFields, field: str) -> steps.Limits:
    """Limits of the colours of one picture, by the rule of the animations.

    Args:
        f: What is seen, with the share of a layer where there is one.
        field: Name of the field.
    """
    x = f.points[f.cells]
    area = np.abs(np.linalg.det(x[:, 1:] - x[:, :1]))
    c = f.scalars.get(steps.LAYER)
    beyond = np.ones(len(area), bool) if c is None else c[f.cells].max(axis=1) < 0.5
    scale = steps.stress_scale(f.scalars, field)
    return steps.limits_of(f.scalars[field][f.cells], area, beyond, scale)


def part_above(f: PlaneFields, level: Floats) -> PlaneFields:
    """The part of a body where a function is positive, cut straight through its triangles.

    Args:
        f: The body.
        level: The function at vertices, (n,).
    """
    above = level > 0
    count = above[f.cells].sum(axis=1)
    whole, cut = f.cells[count == 3], f.cells[(count == 1) | (count == 2)]
    mine = above[cut]
    lone = np.where(mine.sum(axis=1) == 1, mine.argmax(axis=1), mine.argmin(axis=1))
    rows = np.arange(len(cut))
    a, b, c = (cut[rows, (lone + k) % 3] for k in range(3))
    n, m = len(f.points), len(cut)
    ab, ac = n + rows, n + m + rows
    first = above[a]  # one corner is above: a triangle; two are: a quadrilateral
    cells = np.vstack([
        whole, np.column_stack([a, ab, ac])[first], np.column_stack([ab, b, c])[~first],
        np.column_stack([ab, c, ac])[~first],
    ])  # fmt: skip
    start, end = np.concatenate([a, a]), np.concatenate([b, c])
    t = level[start] / (level[start] - level[end]) if m else np.empty(0)

    def more(v: Floats) -> Floats:
        w = t[:, None] if v.ndim > 1 else t
        return np.concatenate([v, v[start] + w * (v[end] - v[start])])

    return replace(
        f, points=more(f.points), cells=cells, displacement=more(f.displacement),
        scalars={k: more(v) for k, v in f.scalars.items()}, material=np.ones(len(cells)),
    )  # fmt: skip
