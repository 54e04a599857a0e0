"""Colours of a mesh: groups by their standard names, grains by number or orientation, lines.

Fills are pale and lines dark, so that a crack stays visible on any material. The palettes are those
of Okabe and Ito and the "light" one of P. Tol (Colour schemes, SRON/EPS/TN/09-002), which readers
with any colour vision can tell apart. The colours of an inverse pole figure are the customary red,
green and blue, and are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.meshes.data import MeshData

Floats = NDArray[np.float64]

#: Fill of a material group.
CELL_COLOURS = {
    "electrolyte": "#F3E4BE",
    "matrix": "#F3E4BE",
    "shell": "#F3E4BE",
    "body": "#F3E4BE",
    "lithium": "#A7B3BF",
    "inclusion": "#A7B3BF",
    "interphase": "#CC79A7",
    "interlayer": "#33AE89",
    "coating": "#56B4E9",
    "cathode": "#5B6C9C",
    "stack_plate": "#6E6E6E",
    "impurity": "#8A5A3B",
    "grain_boundary": "#3D3F6B",
    "skin": "#E69F00",
    "void": "#FFFFFF",
    "void_gap": "#FFFFFF",
}
# For groups of other names, in the order of the file.
_OTHER_CELLS = ("#8FC1E3", "#E8A27C", "#9FD3B5", "#D7B5D8", "#E3D36B", "#B7A08A")
#: Grains by number: neighbours get different ones.
GRAIN_PALETTE = (
    "#77AADD", "#EE8866", "#EEDD88", "#FFAABB", "#99DDFF", "#44BB99", "#BBCC33", "#AAAA00",
)  # fmt: skip
OUTLINE, FRONT = "#202020", "#000000"


@dataclass(frozen=True)
class Line:
    """How a facet group is drawn.

    Attributes:
        colour: Of the line, or of the surface in 3-D.
        width: [pt]; 0: only part of the outline.
        style: As matplotlib says it.
        rank: Higher ones are drawn over lower ones.
        feature: Whether a zoom may be about it.
    """

    colour: str
    width: float
    style: Any = "-"
    rank: int = 2
    feature: bool = True


# Regular expression of the name to the look; the first that fits.
_LINES: tuple[tuple[str, Line], ...] = (
    (r".*blocked.*", Line("#FFC20A", 3.2, rank=5)),
    (r"crack.*_filled", Line("#7B2D8B", 2.2, rank=7)),
    (r"(.*_)?crack(_.*)?", Line("#D3122B", 2.2, rank=6)),
    (r"void_.*|.*_void", Line("#009E73", 1.5, rank=4)),
    (r".*filament.*|.*_wall", Line("#D55E00", 1.5, rank=4)),
    (r"li_sse|interface", Line("#0072B2", 2.0, rank=3)),
    (r"grain_boundar.*", Line("#000000", 0.6, rank=1, feature=False)),
    (r".*_plane", Line("#5A5A8A", 1.2, rank=1, feature=False)),
    (r"symmetry.*|axis", Line("#707070", 0.9, (0, (7, 2, 1.5, 2)), rank=1, feature=False)),
    (
        r"(.*_)?(left|right|top|bottom|front|back|sides?|outer|inner|base|end|face|rim)(_\w)?",
        Line(OUTLINE, 0.0, rank=0, feature=False),
    ),
)
_OTHER_LINES = (
    "#AA3377", "#117733", "#332288", "#8C510A", "#44AA99", "#882255", "#999933", "#4D4D4D",
)  # fmt: skip


def line_looks(names: list[str]) -> dict[str, Line]:
    """The look of each facet group by name."""
    looks, others = {}, 0
    for name in names:
        known = next((look for text, look in _LINES if re.fullmatch(text, name)), None)
        if known is None:
            known = Line(_OTHER_LINES[others % len(_OTHER_LINES)], 1.5, rank=3)
            others += 1
        looks[name] = known
    return looks


def group_colours(names: list[str]) -> dict[str, str]:
    """The fill of each cell group: always the same for a standard name."""
    colours, others = {}, 0
    for name in names:
        if name not in CELL_COLOURS:
            colours[name] = _OTHER_CELLS[others % len(_OTHER_CELLS)]
            others += 1
        else:
            colours[name] = CELL_COLOURS[name]
    return colours


def cell_colours(data: MeshData, pairs: NDArray[np.int64]) -> Floats:
    """Red, green and blue of every cell, 0 to 1, shape (n_cells, 3).

    Args:
        data: The mesh.
        pairs: Cells that meet at an interface, shape (n, 2).
    """
    from matplotlib.colors import to_rgb

    tags = np.array(list(data.cell_groups.values()))
    fills = np.array([to_rgb(c) for c in group_colours(list(data.cell_groups)).values()])
    order = np.argsort(tags)
    rgb = fills[order[np.searchsorted(tags[order], data.cell_tags)]]
    if data.grains is None or not data.grains.max(initial=0):
        return rgb
    inside = data.grains > 0
    if oriented(data) and data.orientations is not None:
        table = inverse_pole_colours(crystal_directions(data.orientations))
    else:
        table = grain_palette()[_numbers(data, pairs)]
    rgb[inside] = table[data.grains[inside] - 1]
    return rgb


def grain_palette() -> Floats:
    """The palette of grains, softened so that lines stand out, shape (n, 3)."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(c) for c in GRAIN_PALETTE]) * 0.75 + 0.25


def oriented(data: MeshData) -> bool:
    """Whether grains are coloured by their orientation."""
    if data.grains is None or data.orientations is None:
        return False
    return bool(0 < data.grains.max(initial=0) <= len(data.orientations))


def _numbers(data: MeshData, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number of the palette for each grain, unlike its neighbours' where that is possible.

    Grains that share facets are neighbours, and so are, with less weight, those whose middles are
    near: open or thick boundaries share none.
    """
    from scipy.sparse import coo_matrix
    from scipy.spatial import cKDTree

    grains = data.grains
    assert grains is not None
    count = int(grains.max())
    near = max(0, min(6 if data.dim == 2 else 10, count - 1))
    middles = data.points[data.cells[:, : data.dim + 1]].mean(axis=1)
    cells = np.maximum(np.bincount(grains, minlength=count + 1)[1:], 1)
    centres = np.column_stack(
        [np.bincount(grains, middles[:, k], count + 1)[1:] / cells for k in range(3)]
    )
    close = cKDTree(centres).query(centres, near + 1)[1].reshape(count, -1)
    touching = grains[pairs]
    touching = touching[(touching > 0).all(axis=1)] - 1
    rows = np.concatenate([np.repeat(np.arange(count), close.shape[1]), touching[:, 0]])
    columns = np.concatenate([close.ravel(), touching[:, 1]])
    weight = np.concatenate([np.full(close.size, 0.01), np.ones(len(touching))])
    graph = coo_matrix((weight, (rows, columns)), shape=(count, count)).tocsr()
    graph = (graph + graph.T).tocsr()
    colours = np.full(count, -1)
    used = np.zeros(len(GRAIN_PALETTE))
    for grain in range(count):
        span = slice(graph.indptr[grain], graph.indptr[grain + 1])
        others = colours[graph.indices[span]]
        clash = np.zeros(len(GRAIN_PALETTE))
        np.add.at(clash, others[others >= 0], graph.data[span][others >= 0])
        colours[grain] = int(np.argmin(clash + 1e-6 * used))
        used[colours[grain]] += 1
    return colours


def crystal_directions(orientations: Floats) -> Floats:
    """The sample's y axis in each crystal's axes, shape (n, 3).

    Args:
        orientations: Unit quaternions (x, y, z, w) from crystal to sample axes, shape (n, 4).
    """
    x, y, z, w = np.asarray(orientations, float).T
    # second row of the rotation matrix: its transpose turns e_y back into the crystal
    return np.column_stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)])


def inverse_pole_colours(directions: Floats) -> Floats:
    """Colour of a direction in a cubic crystal (m-3m): [001] red, [101] green, [111] blue.

    The direction is brought into the triangle [001]-[101]-[111]; its barycentric coordinates there
    are the colours, the largest of them 1.

    Args:
        directions: Shape (n, 3), any length.

    Returns:
        Shape (n, 3), 0 to 1.
    """
    low, middle, high = np.sort(np.abs(directions), axis=1).T
    # high*[001] + ... : multiples of the corners [001], [101], [111] that make the direction
    parts = np.column_stack([high - middle, (middle - low) * np.sqrt(2), low * np.sqrt(3)])
    return np.sqrt(parts / parts.max(axis=1, keepdims=True))
