"""Signals during a run in time: the step is finished, the state kept, then the run ends.

A cluster's scheduler sends SIGTERM some time before it kills. The handler sets a flag; the march
asks for it after each step, on all ranks together, because a signal need not reach all of them (or
reaches them between different steps). A second signal ends the process at once.

Open MPI's mpirun kills its ranks within a second of a SIGTERM or SIGINT of its own, which a long
step outlives; it passes SIGUSR1 and SIGUSR2 on and waits. These two are heard as well, for where
mpirun is signalled and not its ranks.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

from ssbmech.errors import SsbmechError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)


class Interrupted(SsbmechError):
    """A run that a signal ended after its state was kept; ``value`` is the signal's name."""

    @property
    def signum(self) -> int:
        """Number of the signal; 128 more is the exit status that shells expect."""
        return int(signal.Signals[str(self.value)])


class Interrupts:
    """Listens to signals while it is entered.

    Args:
        comm: MPI communicator, or None for one process.

    Outside the main thread, where Python takes no handlers, it hears nothing.
    """

    def __init__(self, comm: Any = None) -> None:
        self.comm = comm
        self.number = 0
        self._old: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in _SIGNALS:
            try:
                self._old[number] = signal.signal(number, self._heard)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            # None: a handler that was not set from Python; it cannot be put back
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._old.clear()

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            # At once, without unwinding: the step may hang in a collective call. A checkpoint that
            # is being written is safe, because the last one is replaced only by a finished one.
            os._exit(128 + number)
        self.number = number

    def agreed(self) -> int:
        """The signal that any rank has heard, the same on all of them; 0 without (collective)."""
        if self.comm is None or self.comm.size == 1:
            return self.number
        from mpi4py import MPI

        self.number = int(self.comm.allreduce(self.number, MPI.MAX))
        return self.number


def interrupted(number: int, time: float, step: int, kept: str = "") -> Interrupted:
    """The exception for a signal.

    Args:
        number: The signal.
        time: Time that the run has reached [s].
        step: Steps taken.
        kept: Where the state is; "" if nowhere.
    """
    where = f" The state is kept in {kept}" if kept else ""
    return Interrupted(
        f"a signal ended the run after step {step}, at {time:g} s",
        key="time",
        value=signal.Signals(number).name,
        hint=(where.strip() + ": run again to go on from there") if kept else "",
    )
