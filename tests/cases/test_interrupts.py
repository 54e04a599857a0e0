"""Runs that are ended by signals and go on: real processes, killed at any moment."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ssbmech.interrupts import Interrupted, Interrupts, interrupted

PROGRAM = Path(__file__).parents[1] / "unit" / "odes.py"


def start(folder, *words):
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(folder, *words):
    process = start(folder, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def rows(folder):
    """Rows of the history on disk; each of them is whole."""
    try:
        text = (folder / "history.csv").read_text()
    except FileNotFoundError:
        return 0
    assert text.endswith("\n")
    lines = text.splitlines()
    assert {line.count(",") for line in lines} == {lines[0].count(",")}
    return len(lines) - 1


def wait_for(folder, count, process):
    end = time.monotonic() + 60
    while rows(folder) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("whole"))["found"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_ends_the_run_with_its_state_kept(tmp_path, expected, number):
    process = start(tmp_path, "--pause", 0.01)
    wait_for(tmp_path, 25, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert out == ""
    assert signal.Signals(number).name in err
    assert "kept in" in err
    done = rows(tmp_path)
    again = finish(tmp_path)
    assert again["resumed"] == done  # not a step is lost
    assert again["found"] == expected


def test_a_second_signal_ends_at_once(tmp_path):
    process = start(tmp_path, "--pause", 30)
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None  # the step goes on
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 128 + signal.SIGTERM
    process.communicate()


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments(tmp_path, expected, seed):
    """kill -9, while steps are taken and while checkpoints are slowly written, again and again."""
    rng = random.Random(seed)
    interval, reached = 7, 0
    words = ("--pause", 0.002, "--slow-write", 0.15, "--checkpoint", interval)
    for _ in range(5):
        process = start(tmp_path, *words)
        # the row after an interval comes when a first checkpoint is finished
        wait_for(tmp_path, max(reached, interval) + 1, process)
        time.sleep(rng.uniform(0.0, 0.6))
        process.kill()
        process.communicate()
        reached = max(rows(tmp_path) - interval, 0)  # no more than one interval is ever lost
    before = rows(tmp_path)
    again = finish(tmp_path)
    assert again["resumed"] >= before - interval
    assert again["resumed"] > 0
    assert again["found"] == expected


def test_killed_while_every_step_is_written(tmp_path, expected):
    """Nearly all of the time goes into writing: the kill falls into a write."""
    caught = 0
    for _ in range(3):
        process = start(tmp_path, "--slow-write", 0.2, "--checkpoint", 1)
        before = rows(tmp_path)
        wait_for(tmp_path, before + 3, process)
        time.sleep(0.1)
        process.kill()
        process.communicate()
        caught += len(list((tmp_path / "checkpoints").glob("*.part")))
    assert caught  # it did
    before = rows(tmp_path)
    again = finish(tmp_path)
    assert again["resumed"] >= before - 1
    assert again["found"] == expected


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        assert interrupts.agreed() == 0
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.agreed() == signal.SIGTERM
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_the_exception_travels():
    error = pickle.loads(pickle.dumps(interrupted(signal.SIGTERM, 1.5, 7, "x.npz")))
    assert isinstance(error, Interrupted)
    assert error.signum == 15
    assert "step 7" in str(error)
    assert "kept in x.npz" in str(error)
    assert "kept" not in str(interrupted(signal.SIGINT, 1.5, 7))


RANKS = """
import os, signal, sys
sys.path.insert(0, {folder!r})
from mpi4py import MPI
from pathlib import Path
from odes import Oscillator, TIME, STEPS
from ssbmech.config_time import StepBlock, TimeBlock
from ssbmech.interrupts import Interrupted
from ssbmech.output.checkpoint import Identity, CheckpointError
from ssbmech.programme import programme
from ssbmech.time_stage import run_in_time

comm = MPI.COMM_WORLD

class Distributed(Oscillator):
    def save(self):
        return super().save() if comm.rank == 0 else {{}}

    def load(self, arrays):
        assert bool(arrays) == (comm.rank == 0)
        super().load(comm.bcast(arrays, root=0))

plan = programme(TimeBlock(**TIME), [StepBlock(**s) for s in STEPS])
folder = Path(sys.argv[1])

def go(model, on_step=None, mesh="m"):
    return run_in_time(model, plan, folder / "c", Identity({{}}, mesh), comm=comm, quiet=False,
                       history=folder / "history.csv", on_step=on_step)

def stop(step):
    if step.number == 50 and comm.rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)

try:
    go(Distributed(), stop)
    raise SystemExit("not interrupted")
except Interrupted as error:
    assert error.signum == 15, error
try:
    go(Distributed(), mesh="other")
    raise SystemExit("not refused")
except CheckpointError:
    pass
model = Distributed()
result = go(model)
assert result.resumed == 50
assert len(set(comm.allgather((model.x[0], result.outcome.steps, len(result.history.rows))))) == 1
if comm.rank == 0:
    print("ended at", model.x[0].hex(), result.outcome.steps)
"""


@pytest.mark.mpi
def test_one_rank_hears_the_signal_and_all_stop(tmp_path, mpirun, expected):
    script = tmp_path / "script.py"
    script.write_text(RANKS.format(folder=str(PROGRAM.parent)))
    done = mpirun(2, script, tmp_path, timeout=120)
    line = next(t for t in done.stdout.splitlines() if t.startswith("ended at"))
    assert line == f"ended at {expected['x'][0]} {expected['steps']}"
    assert done.stderr.count("p_max MPa") == 2  # one rank speaks, and not of the refused run
