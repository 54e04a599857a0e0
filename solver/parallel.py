"""Raise on every rank or on none: work done on rank 0, shared with the others."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def world() -> Any:
    """All processes; from here on an exception that nobody catches ends every one of them.

    ``python -m mpi4py`` alone does not: at exit PETSc is finalised first, which is collective, and
    the rank with the exception waits for the others for ever.
    """
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.size > 1 and sys.excepthook is sys.__excepthook__:
        sys.excepthook = _abort
    return comm


def _abort(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    from mpi4py import MPI

    sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    MPI.COMM_WORLD.Abort(1)


def leave_together(comm: Any, seconds: float = 10.0) -> None:
    """Wait until every rank is here; end all processes when one does not come."""
    request = comm.Ibarrier()
    end = time.monotonic() + seconds
    while not request.Test():
        if time.monotonic() > end:
            print("ssbmech: the other ranks did not stop: all are ended", file=sys.stderr)
            sys.stderr.flush()
            comm.Abort(1)
        time.sleep(0.01)


def on_root(comm: Any, work: Callable[[], T]) -> T:
    """Run ``work`` on rank 0 and return its result on every rank.

    An exception on rank 0 is raised on every rank: a lone exception would leave the others
    waiting in their next collective call for ever.

    Args:
        comm: MPI communicator.
        work: Function without arguments; its result must be picklable.
    """
    result, failure = None, None
    if comm.rank == 0:
        try:
            result = work()
        except Exception as error:
            failure = error
    failure = comm.bcast(failure, root=0)
    if failure is not None:
        raise failure
    return comm.bcast(result, root=0)


def together(comm: Any, work: Callable[[], T]) -> T:
    """Run ``work`` (free of collective calls) on every rank; if it fails on any, raise on all."""
    result, failure = None, None
    try:
        result = work()
    except Exception as error:
        failure = error
    failures = [f for f in comm.allgather(failure) if f is not None]
    if failures:
        raise failures[0]
    return result  # type: ignore[return-value]


def bcast_array(comm: Any, array: np.ndarray | None) -> np.ndarray:
    """Broadcast an array of any size from rank 0 without pickling its content."""
    shape, dtype = comm.bcast((array.shape, array.dtype.str) if array is not None else None, root=0)
    out = np.ascontiguousarray(array) if comm.rank == 0 else np.empty(shape, dtype=dtype)
    if out.size:
        flat = out.reshape(-1).view(np.uint8)
        for start in range(0, flat.size, 1 << 30):  # MPI counts are 32-bit
            comm.Bcast(flat[start : start + (1 << 30)], root=0)
    return out
