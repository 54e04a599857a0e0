"""Principal stresses in the plane as bars on a lattice: direction, sign and size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.output import figures_style as style
from ssbmech.output.animate_steps import LAYER
from ssbmech.output.plane_fields import PlaneFields, on_lattice

Floats = NDArray[np.float64]

#: Points of the lattice along the longer side of a picture.
_POINTS = 17
#: The longest bar over the distance of the lattice, and the shortest one drawn over the longest.
_LONGEST, _SHORTEST = 0.92, 0.06
#: The part of all bars that may be cut at the longest.
_BEYOND = 0.03
#: Stress of the electrolyte over that of a layer, below which the layer counts.
_NONE = 1e-3
_AXES = (("x", "y", "z"), ("r", "z", "t"))


@dataclass(frozen=True)
class Scale:
    """What bars of all times share.

    Attributes:
        start: A point of the lattice [um], shape (2,).
        spacing: Of its points [um].
        largest: Stress of the longest bar [MPa].
        across: Whether somewhere the largest tension acts across the plane.
    """

    start: Floats
    spacing: float
    largest: float = 1.0
    across: bool = False


@dataclass(frozen=True)
class Bars:
    """Principal stresses in the plane.

    Attributes:
        places: [um], shape (n, 2).
        values: Larger and smaller one [MPa], shape (n, 2).
        along: Their unit vectors, shape (n, 2, 2).
        across: Stress across the plane [MPa], shape (n,); NaN where it is not known.
        counted: Whether a place has a say in the scale, shape (n,).
    """

    places: Floats
    values: Floats
    along: Floats
    across: Floats
    counted: NDArray[np.bool_]


def components(names: Iterable[str]) -> tuple[str, str, str, str] | None:
    """Fields of the stress in the plane and across it, or None where one in the plane is missing.

    Args:
        names: Of the fields at vertices.
    """
    known = set(names)
    for a, b, c in _AXES:
        found = tuple(f"stress_{i}{j}_MPa" for i, j in ((a, a), (b, b), (a, b), (c, c)))
        if known.issuperset(found[:3]):
            return found[0], found[1], found[2], found[3]
    return None


def check(names: Sequence[str]) -> None:
    """Refuse fields without the stress in the plane.

    Raises:
        OutputError: With what is there.
    """
    if components(names) is None:
        raise OutputError(
            "the fields have no stress of which directions could be drawn", key="--directions",
            value=", ".join(names), allowed="stress_xx_MPa, stress_yy_MPa and stress_xy_MPa "
            "(rr, zz, rz where the body is axisymmetric), of a plane or axisymmetric body",
            hint="Leave --directions out, or run a case that computes stress",
        )  # fmt: skip


def principal(xx: Floats, yy: Floats, xy: Floats) -> tuple[Floats, Floats]:
    """Principal values, the larger one first, (n, 2), and their unit vectors, (n, 2, 2).

    Args:
        xx: Component, (n,), as are the others.
        yy: Component.
        xy: Component.
    """
    mean, half = (xx + yy) / 2, (xx - yy) / 2
    radius, angle = np.hypot(half, xy), np.arctan2(xy, half) / 2
    first = np.column_stack([np.cos(angle), np.sin(angle)])
    second = np.column_stack([-np.sin(angle), np.cos(angle)])
    return np.column_stack([mean + radius, mean - radius]), np.stack([first, second], axis=1)


def lattice(low: Floats, high: Floats) -> Scale:
    """A lattice for a picture between two corners [um], half a distance from its sides."""
    size = high - low
    # an even number: no column on the plane in which a half was mirrored
    across = max(2 * round(_POINTS * size[0] / size.max() / 2), 2)
    spacing = float(size[0] / across)
    rows = max(round(size[1] / spacing), 1)
    rest = size[1] - (rows - 1) * spacing
    return Scale(low + np.array([spacing, rest]) / 2, spacing)


def bars(
    f: PlaneFields, scale: Scale, points: Floats | None = None, layer: Floats | None = None
) -> Bars:
    """Principal stresses at the points of a lattice inside a body.

    Args:
        f: With the stress, see `check`.
        scale: Lattice.
        points: Where the vertices are drawn, by default where they are [um], shape (n, 2).
        layer: Share of a layer at vertices, by default that of a front, shape (n,): its large
            compression would make the bars of the electrolyte short, and is cut.
    """
    found = components(f.scalars)
    if found is None:
        check(list(f.scalars))
    assert found is not None
    last = f.scalars.get(found[3], np.full(len(f.points), np.nan))
    if layer is None:
        layer = f.scalars.get(LAYER, np.zeros(len(f.points)))
    s = np.column_stack([*(f.scalars[n] for n in found[:3]), last, layer])
    at, s = on_lattice(f.points if points is None else points, f.cells, s, scale.start,
                       scale.spacing)  # fmt: skip
    good = np.isfinite(s[:, :3]).all(axis=1)
    at, s = at[good], s[good]
    values, along = principal(s[:, 0], s[:, 1], s[:, 2])
    return Bars(at, values, along, s[:, 3], s[:, 4] < 0.5)


def within(b: Bars, box: Floats | None) -> Bars:
    """The bars between two corners [um], shape (2, 2); all where there are none."""
    if box is None:
        return b
    seen = ((b.places >= box[0]) & (b.places <= box[1])).all(axis=1)
    return Bars(b.places[seen], b.values[seen], b.along[seen], b.across[seen], b.counted[seen])


def common_scale(every: Iterable[Bars], scale: Scale) -> Scale:
    """The scale of several times: the longest bar is not that of a singular corner, or of a layer.

    Args:
        every: Bars of each time.
        scale: Their lattice.
    """
    kept = list(every)
    largest, whole = (
        max((_bulk(b, b.counted if part else ...) for b in kept), default=0.0)
        for part in (True, False)
    )
    if largest < _NONE * whole:  # there is no stress but in the layer
        largest = whole
    largest = style.rounded(largest, up=True) if largest > 0 else 1.0
    found = Scale(scale.start, scale.spacing, largest)
    across = any(_pulled_across(b, found).any() for b in kept)
    return Scale(scale.start, scale.spacing, largest, across)


def _bulk(b: Bars, part: Any) -> float:
    """Size of all but the longest bars of some places [MPa]; 0 without any."""
    sizes = np.abs(b.values[part]).max(axis=1, initial=0.0)
    return float(np.quantile(sizes, 1 - _BEYOND)) if len(sizes) else 0.0


def _pulled_across(b: Bars, scale: Scale) -> NDArray[np.bool_]:
    """Where the largest tension acts across the plane, and would be a bar if it lay in it."""
    clear = b.across - b.values[:, 0] > 0.05 * scale.largest
    return np.asarray(clear & (b.across > 3 * _SHORTEST * scale.largest))


def segments(b: Bars, scale: Scale) -> tuple[Floats, Floats]:
    """Ends of the bars of tension and of those of compression [um], each of shape (k, 2, 2)."""
    size = np.abs(b.values) / scale.largest
    half = 0.5 * _LONGEST * scale.spacing * np.minimum(size, 1.0)[..., None] * b.along
    ends = np.stack([b.places[:, None] - half, b.places[:, None] + half], axis=2)
    drawn = size >= _SHORTEST
    return ends[drawn & (b.values > 0)], ends[drawn & (b.values < 0)]


def draw(ax: Any, b: Bars, scale: Scale) -> list[Any]:
    """Draw bars: tension black, compression hollow, a dot where the tension across is larger.

    Args:
        ax: Axes of equal scales.
        b: Bars.
        scale: From `common_scale`.

    Returns:
        What was drawn.
    """
    from matplotlib.collections import LineCollection

    pulled, pressed = segments(b, scale)
    drawn = []
    for rows, colour, width, cap, order in (
        (pressed, style.BLACK, 1.9, "projecting", 4.0), (pressed, "white", 1.0, "butt", 4.1),
        (pulled, style.BLACK, 1.5, "butt", 4.2),
    ):  # fmt: skip
        lines = LineCollection(list(rows), colors=colour, linewidths=width, capstyle=cap,
                               zorder=order)  # fmt: skip
        drawn.append(ax.add_collection(lines, autolim=False))
    if scale.across:
        at = b.places[_pulled_across(b, scale)]
        drawn += ax.plot(at[:, 0], at[:, 1], zorder=4.3, **_DOT)
    return drawn


_DOT: dict[str, Any] = {
    "ls": "",
    "marker": "o",
    "ms": 2.6,
    "mfc": "white",
    "mec": style.BLACK,
    "mew": 0.7,
}


def key(scale: Scale) -> list[Any]:
    """Handles for a legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    hollow = [Stroke(linewidth=1.9, foreground=style.BLACK, capstyle="projecting"), Normal()]
    longest = style.number(scale.largest)
    found = [
        Line2D([], [], color=style.BLACK, lw=1.5, label=f"tension, longest bar ≥ {longest} MPa"),
        Line2D([], [], color="white", lw=1.0, path_effects=hollow, label="compression, likewise"),
    ]
    if scale.across:
        found.append(Line2D([], [], label="larger tension across the plane", **_DOT))
    return found
