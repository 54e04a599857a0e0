"""The history of a run in time: a row of monitors per step, on disk as soon as the step is taken.

A row is one write of a whole line, so that whatever kills the process leaves whole lines. Values
are SI in memory and in checkpoints; the file has the units that its header names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.numerics.stepping import Step
from ssbmech.output.monitors import MARCH, MONITORS, monitor
from ssbmech.output.tables import read_table
from ssbmech.parallel import on_root

_MARCH_UNITS = {"time": ("s", 1.0), "dt": ("s", 1.0)}
#: Column → unit that the file has, and SI per that unit.
UNITS: dict[str, tuple[str, float]] = {
    **{name: _MARCH_UNITS.get(name, ("", 1.0)) for name in MARCH},
    **{name: (known.unit, known.scale) for name, known in MONITORS.items()},
}
_WHOLE = ("step", "phase", "cycle", "newton")


def unit_of(name: str) -> tuple[str, float]:
    """Unit of a column and SI per that unit; of an unlisted monitor by the end of its name."""
    if name in UNITS:
        return UNITS[name]
    known = monitor(name)
    return known.unit, known.scale


class History:
    """Rows of monitors, in memory on every rank and in a file on rank 0.

    Args:
        path: The file, replaced if it exists; None to keep the rows in memory alone.
        comm: MPI communicator, or None for one process. The methods that write are collective.
    """

    def __init__(self, path: Path | None = None, comm: Any = None) -> None:
        self.path, self.comm = path, comm
        self.names: list[str] = list(MARCH)
        self.rows: list[dict[str, float]] = []
        self._file: int | None = None
        self._together(self._rewrite)

    def add(self, step: Step) -> None:
        """Add an accepted step.

        Raises:
            OutputError: On every rank, when it cannot be written.
        """
        row = {
            "time": step.time, "step": step.number, "phase": step.phase, "cycle": step.cycle,
            "dt": step.dt, "newton": step.iterations, "error": step.error, **step.monitors,
        }  # fmt: skip
        new = [name for name in row if name not in self.names]
        self.names += new
        self.rows.append(row)
        # a column that appears later makes the file anew
        self._together(self._rewrite if new else lambda: self._append(row))

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Columns by name in SI, each of shape (rows,); NaN where a row lacks a monitor."""
        values = self._values()
        return {name: values[:, i] for i, name in enumerate(self.names)}

    def state(self) -> tuple[list[str], NDArray[np.float64]]:
        """Names of the columns, and their values of shape (rows, columns), for a checkpoint."""
        return list(self.names), self._values()

    def restore(self, names: list[str], values: NDArray[np.float64]) -> None:
        """Take the rows of a checkpoint; later ones in the file are dropped."""
        self.names = list(names)
        self.rows = [
            {n: float(v) for n, v in zip(names, row, strict=True) if not np.isnan(v)}
            for row in values
        ]
        self._together(self._rewrite)

    def sync(self) -> None:
        """Have the rows on the disk itself, not only with the operating system."""
        if self._file is not None:
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _values(self) -> NDArray[np.float64]:
        values = [[row.get(name, np.nan) for name in self.names] for row in self.rows]
        return np.array(values, dtype=float).reshape(len(self.rows), len(self.names))

    # -- the file, on rank 0 ----------------------------------------------------------------------

    def _together(self, work: Any) -> None:
        if self.path is None:
            return

        def guarded() -> None:
            try:
                work()
            except OSError as error:
                raise OutputError(
                    f"the history cannot be written: {error.strerror}", key=str(self.path),
                    hint="Give a folder that you may write, on a disk with room",
                ) from None  # fmt: skip

        if self.comm is None:
            guarded()
        else:
            on_root(self.comm, guarded)

    def _rewrite(self) -> None:
        """Write the whole file aside and put it in place."""
        assert self.path is not None
        self.close()
        aside = self.path.with_name(self.path.name + ".part")
        lines = [",".join(map(_head, self.names)), *map(self._line, self.rows)]
        with aside.open("w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.path)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)

    def _append(self, row: dict[str, float]) -> None:
        assert self._file is not None
        data = (self._line(row) + "\n").encode()
        if os.write(self._file, data) != len(data):
            raise OSError(28, "no room for the whole line")

    def _line(self, row: dict[str, float]) -> str:
        return ",".join(_cell(name, row.get(name)) for name in self.names)


def _head(name: str) -> str:
    unit = unit_of(name)[0]
    return f"{name} [{unit}]" if unit else name


def _cell(name: str, value: float | None) -> str:
    if value is None or np.isnan(value):
        return ""
    if name in _WHOLE:
        return str(int(value))
    return f"{value / unit_of(name)[1]:.15g}"


def read_history(path: str | Path) -> dict[str, NDArray]:
    """Columns of a history by name in SI, each of shape (rows,). Needs no DOLFINx.

    Raises:
        OutputError: If there is no such file, or it is none.
    """
    table = read_table(Path(path))
    if table is None:
        raise OutputError("there is no history", key=str(path), hint="A run in time writes it")
    if "time" not in table:
        raise OutputError("the table has no times", key=str(path), allowed="a history of a run")
    return table
