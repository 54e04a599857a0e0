"""Real runs that are ended on the way and started again, and how two of them are compared."""

import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from ssbmech.output.history import read_history

#: Rounding of sums over ranks is all that a restart on another number of them may change.
SAME = 1e-10


def command(folder, *words, ranks=1):
    start = [sys.executable, "-m", "ssbmech"]
    if ranks > 1:
        start = ["mpirun", "--oversubscribe", "-n", str(ranks), "python3", "-m", "mpi4py", "-m",
                 "ssbmech"]  # fmt: skip
    return [*start, "run", str(folder / "case.toml"), "-o", str(folder / "out"), *words]


def start(folder, ranks=1):
    return subprocess.Popen(
        command(folder, ranks=ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_rows(folder, rows, process):
    """Until the history of a living run has so many rows."""
    path = folder / "out/checkpoints/history.csv"
    end = time.monotonic() + 200
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        if path.is_file() and len(path.read_text().splitlines()) > rows:
            return
        time.sleep(0.02)
    raise AssertionError("the run does not move")


def killed(folder, rows, how, ranks=1):
    """Start a run, end it by a signal once its history has some rows; gives what it said.

    On a busy machine mpirun may pass a signal on when the run has ended: then once more.
    """
    for _ in range(5 if ranks > 1 else 1):
        process = start(folder, ranks)
        wait_for_rows(folder, rows, process)
        process.send_signal(how)
        _, said = process.communicate(timeout=100)
        if process.returncode != 0:
            return said
        shutil.rmtree(folder / "out")
    raise AssertionError("the run ended before the signal came")


def same(first, second, profile, loose):
    """History and a profile of two runs agree.

    Args:
        first: Folder of a run.
        second: Of the other.
        profile: File name of the profile.
        loose: Columns of the history that are rounding, and by how much they may differ.
    """
    a, b = (read_history(f / "out/history.csv") for f in (first, second))
    assert a.keys() == b.keys()
    for name in a:
        size = np.nanmax(np.abs(a[name]), initial=0.0)
        off = loose.get(name, SAME * size)
        assert b[name] == pytest.approx(a[name], rel=SAME, abs=off, nan_ok=True), name
    x, y = (np.genfromtxt(f / "out" / profile, delimiter=",", skip_header=1)
            for f in (first, second))  # fmt: skip
    assert x.shape == y.shape
    assert (np.abs(x - y).max(axis=0) <= SAME * np.abs(x).max(axis=0)).all()
