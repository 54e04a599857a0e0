"""A reaction front in pictures: its contour, the surfaces beside it, the slope of its growth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output import figures_style as style
from ssbmech.output.figures_data import read_case
from ssbmech.output.plane_fields import PlaneFields

_WIDTH, _HALO = 1.3, 2.6
#: A straight part of growth: least part of the whole rise, largest deviation over its rise, and in
#: how many places it is looked at.
_LEAST, _STRAIGHT, _POINTS = 0.4, 0.01, 61


def front_segments(f: PlaneFields, points: NDArray | None = None) -> NDArray[np.float64]:
    """Straight pieces of the front, as the tables have it [um], shape (k, 2, 2).

    Args:
        f: With the share of the layer.
        points: Where the vertices are drawn, by default where they are [um], shape (n, 2).
    """
    from ssbmech.reaction_front.shape import contour

    x = f.points if points is None else points
    return np.asarray(contour(x, f.cells, f.scalars["layer"], {}).places)


def front_line(ax: Any, f: PlaneFields, points: NDArray | None = None) -> list[Any]:
    """Draw the front above colours and below bars; returns what was drawn."""
    from matplotlib.collections import LineCollection

    pieces = list(front_segments(f, points))
    drawn = []
    for colour, width, order in (("white", _HALO, 3.0), (style.GREEN, _WIDTH, 3.1)):
        lines = LineCollection(pieces, colors=colour, linewidths=width, capstyle="round",
                               zorder=order)  # fmt: skip
        drawn.append(ax.add_collection(lines, autolim=False))
    return drawn


def front_handle() -> Any:
    """Its handle for a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=style.GREEN, lw=_WIDTH, label="front of the layer")


@dataclass(frozen=True)
class Straight:
    """A part of a curve that is straight.

    Attributes:
        slope: Of the line.
        start: Its value at 0.
        first: Where the part begins.
        last: Where it ends.
    """

    slope: float
    start: float
    first: float
    last: float

    def at(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the line."""
        return self.start + self.slope * x


def straight(x: NDArray[np.float64], y: NDArray[np.float64]) -> Straight | None:
    """The part of a rising curve with most of its rise that is straight within 1 % of that rise.

    Args:
        x: Increasing, shape (n,).
        y: Shape (n,).

    Returns:
        The line by least squares; None where no straight part has 40 % of the rise.
    """
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    if len(x) < 4 or not y[-1] > y[0]:
        return None
    # equally spaced: steps that grow must not decide
    at = np.linspace(x[0], x[-1], _POINTS)
    values = np.interp(at, x, y)
    best: tuple[float, int, int] | None = None
    for i in range(_POINTS):
        for j in range(i + _POINTS // 4, _POINTS):
            rise = values[j] - values[i]
            if rise < _LEAST * (y[-1] - y[0]) or (best is not None and rise <= best[0]):
                continue
            a, b = at[i : j + 1], values[i : j + 1]
            slope, start = np.polyfit(a, b, 1)
            if np.abs(start + slope * a - b).max() <= _STRAIGHT * rise:
                best = float(rise), i, j
    if best is None:
        return None
    _, i, j = best
    slope, start = np.polyfit(at[i : j + 1], values[i : j + 1], 1)
    return Straight(float(slope), float(start), float(at[i]), float(at[j]))


def surfaces(results: Path) -> dict[str, NDArray[np.float64]]:
    """Surfaces of lithium and of the counter electrode [um], (m, 2, 2) each, as far as known.

    Args:
        results: Results folder, with its mesh and its case where they were kept.
    """
    names = _groups(read_case(results))
    path = results / "mesh.msh"
    if not path.is_file():
        return {}
    import meshio

    try:
        mesh = meshio.read(path)
    except (meshio.ReadError, OSError, ValueError, KeyError):
        return {}
    found: dict[str, NDArray[np.float64]] = {}
    tags = mesh.cell_data.get("gmsh:physical", [])
    for name, groups in names.items():
        wanted = [mesh.field_data[g][0] for g in groups if g in mesh.field_data]
        pieces = [
            np.asarray(mesh.points, float)[block.data[np.isin(own, wanted)][:, :2], :2]
            for block, own in zip(mesh.cells, tags, strict=False) if block.type.startswith("line")
        ]  # fmt: skip
        pieces = [p for p in pieces if len(p)]
        if pieces:
            found[name] = np.concatenate(pieces)
    return found


def _groups(case: dict[str, Any]) -> dict[str, list[str]]:
    """Facet groups of lithium, from which the layer grows, and of the counter electrode."""
    electrodes = [np.atleast_1d(e.get("group", [])).tolist() for e in case.get("electrode", [])]
    named = (case.get("time") or {}).get("counter")
    counter = next((g for g in electrodes if named in g), electrodes[-1] if electrodes else [])
    others = [g for groups in electrodes if groups is not counter for g in groups]
    given = ((case.get("interphase") or {}).get("front") or {}).get("surface")
    return {"lithium": list(given or others or ["li_sse"]), "counter electrode": list(counter)}
