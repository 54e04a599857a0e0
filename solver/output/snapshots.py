"""States kept at output times, beside the checkpoints: fields and profiles are made from them.

A state is what the model saves, in an order that does not depend on the ranks. So a run that goes
on after an interruption has the same outputs as one that was not interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError
from ssbmech.output.checkpoint import write_aside
from ssbmech.parallel import on_root

_TIME = "time of the output"


class Snapshots:
    """The states of one run in a folder, by number of the step. Methods are collective.

    Args:
        folder: Where they are; made when the first one is written.
        comm: MPI communicator.
    """

    def __init__(self, folder: Path, comm: Any) -> None:
        self.folder, self.comm = folder, comm

    def keep(self, step: int, time: float, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the state after a step.

        Args:
            step: Its number.
            time: At its end [s].
            arrays: State of the model; whole on rank 0.

        Raises:
            OutputError: On every rank, when it cannot be written.
        """

        def write() -> None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_aside(self._path(step), {**arrays, _TIME: np.array(time)})
            except OSError as error:
                raise OutputError(
                    f"the state cannot be kept: {error.strerror}", key=str(self.folder),
                    hint="Give a folder that you may write, on a disk with room",
                ) from None  # fmt: skip

        on_root(self.comm, write)

    def drop_after(self, step: int) -> None:
        """Remove states that belong to steps which are taken again; all of them after step -1."""

        def remove() -> None:
            for path in self.folder.glob("state-*.npz"):
                if int(path.stem.partition("-")[2]) > step:
                    path.unlink()

        on_root(self.comm, remove)

    def steps(self) -> list[int]:
        """Numbers of the steps, in order."""
        return on_root(
            self.comm,
            lambda: sorted(int(p.stem.partition("-")[2]) for p in self.folder.glob("state-*.npz")),
        )

    def read(self, step: int) -> tuple[float, dict[str, NDArray[Any]]]:
        """Time [s] on every rank; the state of the model on rank 0, {} elsewhere."""
        arrays: dict[str, NDArray[Any]] = {}

        def load() -> float:
            with np.load(self._path(step), allow_pickle=False) as file:
                arrays.update({name: file[name] for name in file.files})
            return float(arrays.pop(_TIME))

        return on_root(self.comm, load), arrays

    def _path(self, step: int) -> Path:
        return self.folder / f"state-{step:08d}.npz"
