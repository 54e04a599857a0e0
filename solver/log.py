"""Progress on rank 0: one line per stage with its time; the other ranks are silent."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ssbmech.meshes import progress

#: Seconds after which a step is worth a line of its own where no line can be rewritten.
_LONG = 5.0


class Progress:
    """Stages of a run, timed.

    Args:
        comm: MPI communicator, or None.
        quiet: Print nothing, only time.
    """

    def __init__(self, comm: Any = None, *, quiet: bool = False) -> None:
        self.root = comm is None or comm.rank == 0
        self.quiet = quiet or not self.root
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[_Note]:
        """Time a stage; ``note(text)`` adds what it found to its line."""
        start = time.perf_counter()
        live = not self.quiet and sys.stderr.isatty()
        if live:
            print(f"  {name:<10} ...", end="\r", file=sys.stderr, flush=True)
        note = _Note()

        def step(text: str) -> None:
            if live:
                print(f"  {name:<10} {text:<58.58}", end="\r", file=sys.stderr, flush=True)
            elif not self.quiet and time.perf_counter() - start > _LONG:
                passed = time.perf_counter() - start
                print(f"  {name:<10} {text:<58} {passed:7.2f} s", file=sys.stderr, flush=True)

        try:
            with progress.listening(step):
                yield note
        finally:
            seconds = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        if not self.quiet:
            print(f"  {name:<10} {note.text:<58} {seconds:7.2f} s", file=sys.stderr, flush=True)

    def line(self, text: str) -> None:
        """Print a line on rank 0."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    @property
    def total(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start


class _Note:
    def __init__(self) -> None:
        self.text = ""

    def __call__(self, text: str) -> None:
        self.text = text
