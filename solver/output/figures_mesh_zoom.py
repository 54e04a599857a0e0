"""Where a picture of a mesh zooms in: at the flaw, at its tip, at a layer too thin to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.output.figures_mesh_colours import Line
from ssbmech.output.figures_mesh_section import Section, distinct, sides

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: What is smaller than this part of the picture needs a zoom.
SMALL = 1 / 50
# A zoom shows at least so many times less than the picture before it.
_STEP = 2.2
# Half of a zoom at a tip in elements there, and at a layer in its thicknesses.
_ELEMENTS, _THICKNESSES = 14.0, 6.0
#: At most so many zooms: a flaw, a layer, a tip.
MOST = 3


@dataclass(frozen=True)
class Window:
    """A square part of the drawing, which the layout may widen.

    Attributes:
        centre: Shape (2,) [um].
        half: Half of its height [um].
    """

    centre: Floats
    half: float

    def limits(self, box: Floats, aspect: float) -> tuple[float, float, float, float]:
        """Low and high x, then y, of a panel of given width over height, moved onto the body."""
        half = np.array([self.half * aspect, self.half])
        margin = 0.08 * self.half
        low, high = box[0] + half - margin, box[1] - half + margin
        middle = np.where(low < high, np.clip(self.centre, low, high), (low + high) / 2)
        (x0, y0), (x1, y1) = middle - half, middle + half
        return float(x0), float(x1), float(y0), float(y1)


def parents(limits: Sequence[tuple[float, ...]]) -> list[int]:
    """For each panel after the first the last one before it that shows its middle."""
    found = []
    for k, inner in enumerate(limits[1:], start=1):
        holds = [j for j in range(k) if overlap(limits[j], inner)]
        found.append(holds[-1] if holds else 0)
    return found


def overlap(outer: tuple[float, ...], inner: tuple[float, ...]) -> bool:
    """Whether a panel shows the middle of another one."""
    return _holds(outer, (inner[0] + inner[1]) / 2, (inner[2] + inner[3]) / 2)


def _holds(limits: tuple[float, ...], x: float, y: float) -> bool:
    return limits[0] <= x <= limits[1] and limits[2] <= y <= limits[3]


def windows(
    section: Section, cell_tags: NDArray[np.int32], looks: dict[str, Line], resolved: float
) -> list[Window]:
    """The zooms of a drawing, from the widest to the narrowest; none where all is visible.

    Args:
        section: The drawing.
        cell_tags: Material of every cell of the mesh.
        looks: Facet group to its look.
        resolved: Shortest element edge that the whole picture shows [um].
    """
    box = section.box
    size = float(np.ptp(box, axis=0).max())
    names = [name for name in section.lines if looks[name].feature]
    features = [section.lines[name] for name in names]
    tips = [nodes for nodes in section.fronts.values() if len(nodes)]
    anchor = section.points[tips[-1][-1]] if tips else None
    flaw = _flaw(section, features, anchor, size, box.mean(axis=0))
    if anchor is None:
        anchor = flaw.centre if flaw is not None else box.mean(axis=0)
    found = [flaw, _thin_layer(section, cell_tags, anchor, size)]
    if tips:
        found.append(_tip(section, int(tips[-1][-1])))
    else:
        found.append(_finest(section, names))
    chain = _chain([w for w in found if w is not None], size / 2)
    edges = np.concatenate([_lengths(section, sides(f)) for f, _ in section.faces])
    typical = float(np.median(edges))
    if not chain and typical < resolved:
        near = _interface_near(section, anchor)
        chain = _chain([Window(near, _ELEMENTS * typical)], size / 2)
    return chain


def _chain(found: list[Window], half: float) -> list[Window]:
    """From the widest to the narrowest, each much narrower than the one before."""
    kept: list[Window] = []
    for window in sorted(found, key=lambda w: -w.half):
        if window.half * _STEP < half:
            kept.append(window)
            half = window.half
    return kept if len(kept) <= MOST else [*kept[: MOST - 1], kept[-1]]


def _lengths(section: Section, segments: Ints) -> Floats:
    p = section.points
    return np.asarray(np.linalg.norm(p[segments[:, 0]] - p[segments[:, 1]], axis=1), dtype=float)


def _components(segments: Ints, count: int) -> NDArray[np.int64]:
    """Number of the connected part of each segment."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix(
        (np.ones(len(segments), np.int8), (segments[:, 0], segments[:, 1])), shape=(count, count)
    )
    label = connected_components(graph, directed=False)[1][segments[:, 0]]
    return np.asarray(np.unique(label, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _flaw(
    section: Section, features: list[Ints], anchor: Floats | None, size: float, middle: Floats
) -> Window | None:
    """The small connected feature nearest to the front, with what touches it."""
    boxes: list[Floats] = []
    for segments in features:
        part = _components(segments, len(section.points))
        count = int(part.max(initial=-1)) + 1
        low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
        for end in (0, 1):
            np.minimum.at(low, part, section.points[segments[:, end]])
            np.maximum.at(high, part, section.points[segments[:, end]])
        boxes.append(np.stack([low, high], axis=1))
    if not boxes:
        return None
    every = np.concatenate(boxes)
    small = every[np.ptp(every, axis=1).max(axis=1) < size / 3]
    if not len(small):
        return None
    target = middle if anchor is None else anchor
    outside = np.maximum(small[:, 0] - target, 0) + np.maximum(target - small[:, 1], 0)
    chosen = small[int(np.argmin(np.linalg.norm(outside, axis=1)))]
    while True:  # the filled part of a crack touches the rest of it
        margin = 1e-6 * size
        touching = ((small[:, 0] <= chosen[1] + margin) & (small[:, 1] >= chosen[0] - margin)).all(
            axis=1
        )
        grown = np.stack([small[touching, 0].min(axis=0), small[touching, 1].max(axis=0)])
        if np.array_equal(grown, chosen) or np.ptp(grown, axis=0).max() > size / 3:
            break
        chosen = grown
    return Window(chosen.mean(axis=0), 0.75 * float(np.ptp(chosen, axis=0).max()))


def _thin_layer(
    section: Section, cell_tags: NDArray[np.int32], anchor: Floats, size: float
) -> Window | None:
    """Where the thinnest group that the whole picture cannot show is nearest to the anchor."""
    best: Window | None = None
    for tag in np.unique(cell_tags):
        faces = [f[cell_tags[c] == tag] for f, c in section.faces]
        if not sum(map(len, faces)):
            continue
        area = sum(_areas(section, f).sum() for f in faces)
        every = np.concatenate([sides(f)[:, :2] for f in faces])
        low, high = every.min(axis=1), every.max(axis=1)
        _, first, count = np.unique(
            low * len(section.points) + high, return_index=True, return_counts=True
        )
        rim = _lengths(section, every[first[count == 1]]).sum()
        thickness = 2 * area / rim
        if thickness > SMALL * size or (best and thickness > best.half / _THICKNESSES):
            continue
        middles = np.concatenate([section.points[f[:, :3]].mean(axis=1) for f in faces if len(f)])
        at = middles[int(np.argmin(np.linalg.norm(middles - anchor, axis=1)))]
        best = Window(at, _THICKNESSES * float(thickness))
    return best


def _areas(section: Section, faces: Ints) -> Floats:
    """Area of straight polygons [um^2]."""
    corners = faces[:, :3] if faces.shape[1] == 6 else faces
    x, y = section.points[corners, 0], section.points[corners, 1]
    twice = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    return np.asarray(np.abs(twice) / 2, dtype=float)


def _tip(section: Section, node: int) -> Window:
    """About a tip, some elements wide."""
    at = section.points[node]
    # on a cut through a solid the tip may be a point of a side, not the corner of a face
    middles = np.concatenate([section.points[f[:, :3]].mean(axis=1) for f, _ in section.faces])
    sizes = np.concatenate(
        [
            _lengths(section, f[:, [0, 1]]) + _lengths(section, f[:, [1, 2]])
            for f, _ in section.faces
        ]
    )
    nearest = np.argsort(np.linalg.norm(middles - at, axis=1), kind="stable")[:8]
    return Window(at, _ELEMENTS * float(np.median(sizes[nearest])) / 2)


def _finest(section: Section, names: list[str]) -> Window | None:
    """At the finest part of a feature, where it is refined: the tip of a blunt filament."""
    best: Window | None = None
    for name in names:
        segments, sizes = section.lines[name], section.sizes[name]
        if not len(segments):
            continue
        shortest = float(np.quantile(sizes, 0.02))
        if shortest < 0.4 * sizes.max() and (not best or shortest < best.half / _ELEMENTS):
            fine = np.flatnonzero(sizes <= 1.1 * shortest)
            middles = section.points[segments[fine, :2]].mean(axis=1)
            at = middles[int(np.argmin(np.linalg.norm(middles - middles.mean(axis=0), axis=1)))]
            best = Window(at, _ELEMENTS * shortest)
    return best


def _interface_near(section: Section, anchor: Floats) -> Floats:
    """The point between regions that is nearest to the anchor."""
    ends, count = np.unique(distinct(section.outlines)[:, :2], return_counts=True)
    triple = ends[count > 2]
    middles = section.points[triple if len(triple) else ends]
    return np.asarray(middles[int(np.argmin(np.linalg.norm(middles - anchor, axis=1)))])
