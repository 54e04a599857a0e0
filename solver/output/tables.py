"""Tables of a run in time read back for drawing: ``history.csv`` and profiles. No DOLFINx.

A column is called ``name [unit]``, or ``name`` where it has none; what is returned is SI under the
plain name. An empty cell is a value that does not exist, NaN.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError, SsbmechError
from ssbmech.units import parse

Table = dict[str, NDArray]


def read_table(path: Path) -> Table | None:
    """Columns by name, in SI, each of shape (n,); texts stay texts. None without the file.

    Raises:
        OutputError: If it cannot be read as a table of this kind.
    """
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OutputError(f"cannot be read: {error}", key=str(path)) from None
    if not rows:
        raise OutputError("the table is empty", key=str(path), allowed="a line of names")
    names, body = rows[0], rows[1:]
    for number, row in enumerate(body, 2):
        if len(row) != len(names):
            raise OutputError(
                f"line {number} has {len(row)} columns", key=str(path), allowed=f"{len(names)}"
            )
    return dict(
        _column(path, name, [row[i] for row in body]) for i, name in enumerate(names)
    )  # fmt: skip


def _column(path: Path, head: str, cells: list[str]) -> tuple[str, NDArray]:
    name, _, rest = head.strip().partition(" [")
    unit = rest.rstrip("]").strip()
    try:
        factor = parse(f"1 {unit}")[0] if unit and unit != "1" else 1.0
    except SsbmechError as error:
        raise OutputError(f"column {head!r}: {error}", key=str(path)) from None
    try:
        values = np.array([float(c) if c.strip() else np.nan for c in cells], float)
    except ValueError:
        if unit:
            raise OutputError(f"column {head!r} holds a text", key=str(path)) from None
        return name, np.array(cells, str)
    return name, values * factor


def by_time(table: Table) -> list[tuple[float, Table]]:
    """The rows of each output time, in the order of time.

    Args:
        table: With a column ``time``; the rows of one time need not lie together.

    Returns:
        Pairs of time [s] and the other columns of its rows.
    """
    times = np.asarray(table["time"], float)
    found = []
    for time in np.unique(times[np.isfinite(times)]):
        here = times == time
        found.append((float(time), {k: v[here] for k, v in table.items() if k != "time"}))
    return found


def spread_out(count: int, most: int) -> list[int]:
    """At most ``most`` indices of ``count``, the first and the last among them.

    They are equally far apart where a number of at least half of ``most`` allows it.
    """
    if count <= most:
        return list(range(count))
    even = [n for n in range(most, most // 2, -1) if (count - 1) % (n - 1) == 0]
    n = even[0] if even else most
    return sorted({round(i * (count - 1) / (n - 1)) for i in range(n)})
