"""From the texts of [geometry] to what a builder takes: micrometres, degrees, paths."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ssbmech import units
from ssbmech.config import Case
from ssbmech.errors import CaseError, nearest
from ssbmech.meshes import catalog
from ssbmech.meshes.catalog import Parameter


def _um(text: Any, key: str) -> float:
    """Length in micrometres, to 15 digits: "50 um" is 50 and not 50.00000000000001."""
    return float(f"{units.quantity(text, 'length', key=key) * 1e6:.15g}")


def geometry_parameters(case: Case, folder: Path = Path()) -> dict[str, Any]:
    """Parameters of the builder: lengths in micrometres, angles in degrees.

    Args:
        case: The case.
        folder: Folder in which relative paths start.

    Raises:
        CaseError: For an unknown geometry or parameter, or a wrong unit.
    """
    assert case.geometry is not None
    name = case.geometry.type
    known = catalog.parameters(name)
    return _in_um(known, case.geometry.parameters, f"geometry {name!r}", "geometry", folder)


def _in_um(
    known: dict[str, Parameter], given: dict[str, Any], what: str, place: str, folder: Path
) -> dict[str, Any]:
    """Values of a table of parameters, and of the tables in it, without their units."""
    out: dict[str, Any] = {}
    for key, value in given.items():
        full = f"{place}.{key}"
        if key not in known:
            raise CaseError(f"{what} has no such parameter", key=full, hint=nearest(key, known))
        p = known[key]
        if p.kind in ("block", "blocks"):
            one = p.kind == "block"
            rows = [value] if one else value
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise CaseError(
                    "not a table", key=full, value=value,
                    allowed=f"[{full}]" if one else f"[[{full}]], once or more",
                )  # fmt: skip
            tables = [
                _in_um(
                    p.fields, row, f"block {key!r}", catalog.place_of(place, key, i, one), folder
                )
                for i, row in enumerate(rows)
            ]
            out[key] = tables[0] if one else tables
        elif value == "none":
            out[key] = value
        else:
            out[key] = _plain(p.kind, value, full, folder)
    return out


def _plain(kind: str, value: Any, key: str, folder: Path) -> Any:
    """One value: lengths in micrometres, angles in degrees, paths from the case's folder."""
    if kind == "length":
        return _um(value, key)
    if kind == "angle":
        return math.degrees(units.quantity(value, "angle", key=key))
    if kind == "points":
        if not isinstance(value, list) or not all(isinstance(point, list) for point in value):
            raise CaseError(
                "not a list of points", key=key, value=value,
                allowed='e.g. [["0 um", "0 um"], ["2 um", "5 um"]]',
            )  # fmt: skip
        return tuple(tuple(_um(x, key) for x in point) for point in value)
    if kind == "file":
        if not isinstance(value, str) or not value:
            raise CaseError("not the name of a file", key=key, value=value)
        return str(folder / value)
    if kind == "labels":
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise CaseError(
                "not a table of numbers to names", key=key, value=value,
                allowed='e.g. { 0 = "lithium", 1 = "electrolyte" }',
            )  # fmt: skip
        try:
            return {int(number): name for number, name in value.items()}
        except ValueError:
            raise CaseError("a label is not a whole number", key=key, value=list(value)) from None
    return value
