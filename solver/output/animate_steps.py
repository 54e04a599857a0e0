"""Fields of several output times read back for an animation, one time after another."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError, nearest
from ssbmech.output import figures_style as style
from ssbmech.output.tables import read_table

DISPLACEMENT = "displacement_um"
#: Share of a reaction layer: 1 in it, 0 in the electrolyte.
LAYER = "layer"
#: Fields that show best what happens, the first one that exists is taken.
_PREFERRED = (
    "max_principal_MPa", "pressure_MPa", "hydrostatic_MPa", "current_size_mA_per_cm2",
    "potential_mV",
)  # fmt: skip
_WORDS = {
    "max_principal_MPa": "largest principal stress (MPa)",
    "von_mises_MPa": "von Mises stress (MPa)",
    "hydrostatic_MPa": "mean stress (MPa)",
    "pressure_MPa": "pressure (MPa)",
    "current_size_mA_per_cm2": "ion current density (mA/cm²)",
    "ion_current_mA_per_cm2": "ion current density (mA/cm²)",
    "potential_mV": "potential (mV)",
    "ion_potential_mV": "potential of ions (mV)",
    "electron_potential_mV": "potential of electrons (mV)",
    "lithium_potential_mV": "potential of lithium (mV)",
    LAYER: "share of the layer",
    DISPLACEMENT: "displacement (µm)",
}
_UNITS = {"_MPa": "MPa", "_mV": "mV", "_um": "µm", "_nm": "nm", "_mA_per_cm2": "mA/cm²"}
#: Part of the area or volume beyond either end of the colours.
_BEYOND = 0.008
#: A stress that is this part of the largest of any kind is zero.
_ZERO = 1e-6


@dataclass(frozen=True)
class Step:
    """One output time.

    Attributes:
        time: [s].
        files: VTU files of all processes.
    """

    time: float
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Limits:
    """Colours of all times together.

    Attributes:
        low: Value of the first colour.
        high: Of the last one, above ``low``.
        below: Whether there are values below.
        above: Whether there are values above.
    """

    low: float
    high: float
    below: bool
    above: bool

    @property
    def extend(self) -> str:
        """Which ends of a colour bar are open."""
        return (
            ("both" if self.above else "min") if self.below else "max" if self.above else "neither"
        )


def collections(results: Path) -> list[Path]:
    """Collections of fields in a results folder with two output times or more."""
    return [p for p in sorted((results / "fields").glob("*.pvd")) if len(steps_of(p)) > 1]


def steps_of(pvd: Path) -> list[Step]:
    """Output times of a collection, in their order.

    Raises:
        OutputError: If the collection or a file that it names cannot be read.
    """
    found: dict[float, list[Path]] = {}
    for entry in _tree(pvd).iter("DataSet"):
        path = pvd.parent / entry.get("file", "")
        if path.suffix == ".pvtu":
            names = [piece.get("Source", "") for piece in _tree(path).iter("Piece")]
            files = [path.parent / name for name in names]
        else:
            files = [path]
        found.setdefault(float(entry.get("timestep", "0")), []).extend(files)
    for files in found.values():
        for path in files:
            if not path.is_file():
                raise OutputError(
                    "a piece of the fields is missing", key=str(path),
                    hint="Copy the whole folder `fields`",
                )  # fmt: skip
    return [Step(time, tuple(found[time])) for time in sorted(found)]


def _tree(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()
    except (OSError, ET.ParseError) as error:
        raise OutputError(f"cannot be read: {error}", key=str(path)) from None


def load(step: Step) -> Any:
    """The fields of one time as a pyvista grid; points of pieces, or of crack faces, stay apart."""
    try:
        import pyvista
    except ImportError:
        raise OutputError(
            "pyvista is not installed", key="animation", hint="python3 -m pip install pyvista"
        ) from None
    pv: Any = pyvista
    grids = [g for g in (pv.read(path) for path in step.files) if g.n_cells]
    if not grids:
        raise OutputError("no cells in the fields", key=str(step.files[0]))
    grid = grids[0] if len(grids) == 1 else pv.MultiBlock(grids).combine(merge_points=False)
    # fields that are constant in cells (plastic strain) are shown as means at the vertices
    return grid.cell_data_to_point_data(pass_cell_data=True) if len(grid.cell_data) else grid


def names_of(grid: Any) -> list[str]:
    """Fields at vertices that can be shown."""
    return [n for n in grid.point_data.keys() if not n.startswith("vtk") and n != "material"]


def choose(results: Path, field: str | None) -> tuple[str, list[Step]]:
    """The field to show and the output times of the collection that holds it.

    Args:
        results: Results folder.
        field: Its name, or None for the one that shows most.

    Raises:
        OutputError: Without several output times, or for an unknown field.
    """
    held: dict[str, list[Step]] = {}
    for pvd in collections(results):
        found = steps_of(pvd)
        for name in names_of(load(found[-1])):
            held.setdefault(name, found)
    if not held:
        raise OutputError(
            "no fields at several times here", key="directory", value=str(results),
            hint="Give the results of a case with [[step]], run with time.outputs of 2 or more",
        )  # fmt: skip
    if field is None:
        field = next((n for n in _PREFERRED if n in held), next(iter(held)))
    if field not in held:
        raise OutputError("no such field", key="--field", value=field, hint=nearest(field, held))
    return field, held[field]


def scalar(grid: Any, field: str) -> NDArray[np.float64]:
    """Values of a field at vertices, the size of a vector, shape (n,)."""
    values = np.asarray(grid.point_data[field], float)
    return values if values.ndim == 1 else np.linalg.norm(values, axis=1)


def simplices(grid: Any, corners: int) -> NDArray[np.int64]:
    """Vertices of the cells, those of neighbouring processes left out, shape (m, corners)."""
    first = _offsets(grid)[:-1]
    cells = np.asarray(grid.cell_connectivity, np.int64)[first[:, None] + np.arange(corners)]
    return cells[own_cells(grid)]


def own_cells(grid: Any) -> NDArray[np.bool_]:
    """Which cells are not those of a neighbouring process, shape (all cells,)."""
    ghost = grid.cell_data.get("vtkGhostType")
    if ghost is None:
        return np.ones(grid.n_cells, bool)
    return np.asarray((np.ravel(ghost).astype(int) & 1) == 0)


def _offsets(grid: Any) -> NDArray[np.int64]:
    """Where each cell begins in the list of vertices, by VTK: pyvista has renamed its own."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return np.asarray(vtk_to_numpy(grid.GetCells().GetOffsetsArray()), np.int64)


def is_plane(grid: Any) -> bool:
    """Whether a grid is 2-D."""
    spread = np.ptp(np.asarray(grid.points), axis=0)
    return bool(spread[2] <= 1e-9 * spread.max())


def common_limits(
    grids: Iterator[Any] | Sequence[Any], field: str, box: NDArray[np.float64] | None
) -> Limits:
    """Limits of the colours for all times: the ends of the bulk of the values.

    A reaction layer has no say in the upper limit: what matters is the tension beyond its front.

    Args:
        grids: Of all times.
        field: Name of the field.
        box: Lower and upper corner of what is seen [um], shape (2, d), or None for all.
    """
    parts, scale = [], 0.0
    for grid in grids:
        scale = max(scale, stress_scale({n: grid.point_data[n] for n in names_of(grid)}, field))
        corners = 3 if is_plane(grid) else 4
        cells, values = simplices(grid, corners), scalar(grid, field)
        x = np.asarray(grid.points, float)[cells][:, :, : corners - 1]
        beyond = _electrolyte(grid, cells)
        if box is not None:
            seen = ((x.max(axis=1) >= box[0]) & (x.min(axis=1) <= box[1])).all(axis=1)
            x, cells, beyond = x[seen], cells[seen], beyond[seen]
        weight = np.abs(np.linalg.det(x[:, 1:] - x[:, :1]))
        parts.append(_ends(values[cells], weight, beyond))
    return _limits([p for p in parts if p is not None], scale)


def stress_scale(scalars: Mapping[str, Any], field: str) -> float:
    """Largest stress of any kind in a body [MPa]; 0 for a field that is no stress.

    Args:
        scalars: Fields at vertices by name.
        field: Name of the one that is shown.
    """
    if not field.endswith("_MPa"):
        return 0.0
    sizes = [np.abs(np.asarray(v, float)) for n, v in scalars.items() if n.endswith("_MPa")]
    return max((float(v[np.isfinite(v)].max(initial=0.0)) for v in sizes), default=0.0)


def limits_of(
    values: NDArray[np.float64], weight: NDArray[np.float64], beyond: NDArray[np.bool_],
    scale: float = 0.0,
) -> Limits:  # fmt: skip
    """Limits of the colours of one time.

    Args:
        values: At the corners of cells, shape (m, d + 1).
        weight: Areas or volumes, shape (m,).
        beyond: Cells that have a say in the upper limit, shape (m,).
        scale: What is a millionth of that is zero.
    """
    part = _ends(values, weight, beyond)
    return _limits([] if part is None else [part], scale)


def _ends(
    values: NDArray[np.float64], weight: NDArray[np.float64], beyond: NDArray[np.bool_]
) -> tuple[float, float, float, float] | None:
    """Lower and upper end of the bulk of values, the least and the largest of all."""
    mean = values.mean(axis=1)
    good = np.isfinite(mean) & (weight > 0)
    if not good.any():
        return None
    high = good & beyond if (good & beyond).any() else good
    return (
        style.quantile(mean[good], weight[good], _BEYOND),
        style.quantile(mean[high], weight[high], 1 - _BEYOND),
        float(np.nanmin(values)), float(np.nanmax(values)),
    )  # fmt: skip


def _limits(ends: Sequence[tuple[float, float, float, float]], scale: float) -> Limits:
    """Limits in two digits that hold the ends of all times."""
    if not ends:
        return Limits(0.0, 1.0, False, False)
    every = np.array(ends)
    if scale > 0 and np.abs(every).max() <= _ZERO * scale:  # rounding
        unit = style.handy(1e-3 * scale)
        return Limits(-unit, unit, False, False)
    low = style.rounded(float(every[:, 0].min()), up=False)
    high = style.rounded(float(every[:, 1].max()), up=True)
    if 0 <= low < 0.5 * high:
        low = 0.0
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    return Limits(low, high, bool(every[:, 2].min() < low), bool(every[:, 3].max() > high))


def _electrolyte(grid: Any, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which cells a reaction front has not passed; all where there is none."""
    if LAYER not in grid.point_data:
        return np.ones(len(cells), bool)
    return np.asarray(scalar(grid, LAYER)[cells].max(axis=1) < 0.5)


def window(
    results: Path, summary: dict[str, Any], points: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """What of a plane body is worth seeing: the flaw with its surroundings, else all (None).

    Args:
        results: Results folder.
        summary: Its summary, or an empty one.
        points: Of the body [um], shape (n, 2).

    Returns:
        Lower and upper corner [um], shape (2, 2), or None.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    focus = [
        np.array(f["points_um"], float).reshape(-1, 3)[:, :2] for f in summary.get("fronts", [])
    ]
    line = read_table(results / "filament.csv")
    if line is not None and {"x", "y"} <= line.keys() and len(line["x"]):
        focus.append(np.column_stack([line["x"], line["y"]]).astype(float) * 1e6)
    if not focus:
        return None
    from ssbmech.output.figures_data import flaw_size

    seen = np.vstack(focus)
    size = flaw_size(results, summary) if summary else None
    pad = 1.5 * (size or float(np.ptp(seen, axis=0).max()) or float((high - low).max()))
    box = np.stack(
        [np.maximum(seen.min(axis=0) - pad, low), np.minimum(seen.max(axis=0) + pad, high)]
    )
    return box if ((box[1] - box[0]) < 0.7 * (high - low)).any() else None


def words(field: str) -> str:
    """A field's name with its unit, for a colour bar."""
    if field in _WORDS:
        return _WORDS[field]
    for ending, unit in _UNITS.items():
        if field.endswith(ending):
            return f"{field.removesuffix(ending).replace('_', ' ')} ({unit})"
    return field.replace("_", " ")


def colours(field: str, limits: Limits) -> Any:
    """Colour map of a field: pale at zero for stresses, as in the other figures."""
    if field.endswith("_MPa"):
        return style.stress_map(limits.low, limits.high)
    import matplotlib

    signed = limits.low < 0 < limits.high
    return style.stress_map(limits.low, limits.high) if signed else matplotlib.colormaps["cividis"]
