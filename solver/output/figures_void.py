"""An interface in time: gap (the shape of its voids), pressure and current at several times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.output.figures_profiles import Row, draw_profiles, read_profiles
from ssbmech.output.tables import Table


def voids(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """``voids``: gap, pressure and current of ``contact.csv`` at several times."""
    table = read_profiles(results / "contact.csv", ("time", "x", "gap"))
    if table is None:
        return None
    return draw_voids(folder, table, axis="r" if summary.get("model") == "axisymmetric" else "x")


def draw_voids(folder: Path, table: Table, *, axis: str = "x") -> str | None:
    """Gap, pressure and plating current along an interface, coloured by time.

    Args:
        folder: Of the figures.
        table: Columns in SI, each of shape (n,): ``time``, ``x``, ``gap`` and whichever of
            ``pressure`` and ``current_density`` there are.
        axis: What the place is called.
    """
    largest = float(np.nanmax(np.append(np.asarray(table["gap"], float), 0.0)))
    gap = Row("gap", "gap (µm)", 1e-6) if largest >= 2e-6 else Row("gap", "gap (nm)", 1e-9)
    rows = (
        gap,
        Row("pressure", "pressure (MPa)", 1e6),
        Row("current_density", "plating\n(mA/cm²)", 10.0),
    )
    return draw_profiles(
        folder, "voids", table, place="x", place_label=f"{axis} along the interface (µm)", rows=rows
    )
