"""Sampling over ranges: the same table however often it was interrupted."""

import io
import math

import numpy as np
import pytest
from ssbmech.errors import CaseError, OutputError, SolverError
from ssbmech.interphase.uncertainty import Range, Table, run_samples, sample_points
from ssbmech.materials import library

RANGES = {"a": Range(1.0, 2.0), "b": Range(1e-3, 1e3, "log")}


def answer(a, b):
    return {"sum": a + b, "root": math.sqrt(a)}


def run(path, n=30, function=answer, **more):
    names = more.pop("answers", ("sum", "root"))
    return run_samples(function, RANGES, n, path, answers=names, seed=3, show=False, **more)


def test_hypercube_fills_every_slice():
    points = sample_points(RANGES, 50, seed=1)
    linear = np.sort(np.floor((points["a"] - 1.0) * 50))
    log = np.sort(np.floor((np.log10(points["b"]) + 3) / 6 * 50))
    assert (linear == np.arange(50)).all() and (log == np.arange(50)).all()
    again = sample_points(RANGES, 50, seed=1)
    assert all((again[k] == points[k]).all() for k in points)
    assert (sample_points(RANGES, 50, seed=2)["a"] != points["a"]).any()


@pytest.mark.parametrize("at", [0, 1, 17, 29])
def test_interrupted_run_gives_the_same_table(tmp_path, at):
    whole = run(tmp_path / "whole.csv")
    calls = []

    def stops(a, b):
        if len(calls) == at:
            raise KeyboardInterrupt
        calls.append(a)
        return answer(a, b)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "part.csv", function=stops)
    rest = []

    def goes_on(a, b):
        rest.append(a)
        return answer(a, b)

    table = run(tmp_path / "part.csv", function=goes_on)
    assert len(calls) == at and len(rest) == 30 - at
    assert (tmp_path / "part.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert all((table.answers[k] == whole.answers[k]).all() for k in whole.answers)


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_half_a_line_is_computed_again(tmp_path, cut):
    """The machine went down while the last row was written."""
    path = tmp_path / "s.csv"
    run(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    run(path)
    assert path.read_bytes() == whole
    for size in (0, 7, 100):  # or while the heading was
        path.write_bytes(whole[:size])
        run(path)
        assert path.read_bytes() == whole


def test_the_file_opens_as_a_table(tmp_path):
    path = tmp_path / "folder" / "s.csv"
    table = run(path)
    read = np.genfromtxt(path, delimiter=",", names=True, comments="# ", skip_header=1)
    assert read.dtype.names == ("sample", "a", "b", "sum", "root", "failed")
    assert (read["sum"] == table.answers["sum"]).all() and (read["a"] == table.inputs["a"]).all()


def test_another_sample_is_refused(tmp_path):
    path = tmp_path / "s.csv"
    run(path)
    for other in ({"n": 31}, {"answers": ("root", "sum")}):
        with pytest.raises(OutputError, match="another sample"):
            run(path, **other)
    with pytest.raises(OutputError, match="another sample"):
        run_samples(answer, RANGES, 30, path, answers=("sum", "root"), seed=4, show=False)
    with pytest.raises(OutputError, match="another sample"):
        run(path, about="another case")
    path.write_text("hello")
    with pytest.raises(OutputError, match="no file of samples"):
        run(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(OutputError, match="another sample"):
        run(path)


def test_failed_samples_are_told_and_do_not_count(tmp_path):
    def sometimes(a, b):
        if a > 1.5:
            raise SolverError("no convergence", key="here,\nthere")
        return answer(a, b)

    table = run(tmp_path / "s.csv", function=sometimes)
    assert len(table.failures) == 15 and np.isnan(table.answers["sum"]).sum() == 15
    spread = table.spread("root")
    assert spread.n == 15 and 1.0 <= spread.low < spread.median < spread.high <= math.sqrt(1.5)
    assert "15 failed: here, there: no convergence" in table.text("root")
    again = run(tmp_path / "s.csv", function=lambda a, b: pytest.fail("computed twice"))
    assert again.failures == table.failures


def test_faults_of_the_function_are_not_hidden(tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "s.csv", function=lambda a, b: 1 / 0)
    with pytest.raises(CaseError, match="other answers"):
        run(tmp_path / "t.csv", function=lambda a, b: {"x": 1.0})


def test_statistics():
    x = np.linspace(0.0, 1.0, 101)
    table = Table({"x": x, "y": np.cos(50 * x)}, {"z": x**3}, {}, 0)
    s = table.spread("z")
    assert (s.low, s.median, s.high) == pytest.approx((0.05**3, 0.5**3, 0.95**3))
    assert s.influence["x"] == pytest.approx(1.0) and next(iter(s.influence)) == "x"
    text = table.text("z", unit="nm", scale=1e-3)
    assert "median 125, 5-95 % 0.125 to 857.4 nm, 101 samples" in text and "x +1.00" in text
    with pytest.raises(CaseError, match=r"no such answer.*z"):
        table.spread("w")
    with pytest.raises(CaseError, match="no sample gave a value"):
        Table({}, {"z": np.array([math.nan])}, {0: "why"}, 0).spread("z")


def test_a_plain_number_and_a_bar_on_a_terminal(tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    table = run_samples(lambda a, b: a, RANGES, 4, tmp_path / "s.csv", stream=shown)
    assert (table.answers["value"] == table.inputs["a"]).all()
    assert "4/4" in shown.getvalue()
    quiet = io.StringIO()
    run_samples(lambda a, b: a, RANGES, 4, tmp_path / "t.csv", stream=quiet)
    assert quiet.getvalue() == ""


RANKS = """
import sys
from mpi4py import MPI
from pathlib import Path
from ssbmech.errors import OutputError
from ssbmech.interphase.uncertainty import Range, run_samples

comm, path = MPI.COMM_WORLD, Path(sys.argv[1])
ranges = {"a": Range(1.0, 2.0), "b": Range(1e-3, 1e3, "log")}


def collective(a, b):
    return comm.allreduce(a + b if comm.rank == 0 else 0.0)


for n in (12, 12, 13):
    try:
        table = run_samples(collective, ranges, n, path, seed=3, show=False, comm=comm)
        total = comm.allreduce(float(table.answers["value"].sum())) / comm.size
        assert abs(total - table.answers["value"].sum()) < 1e-12
    except OutputError:
        assert n == 13  # refused on every rank
print("done", comm.rank, flush=True)
"""


@pytest.mark.mpi
def test_three_ranks_write_one_table(tmp_path, mpirun):
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    done = mpirun(3, script, tmp_path / "three.csv", timeout=120.0)
    assert done.stdout.count("done") == 3
    run_samples(lambda a, b: a + b, RANGES, 12, tmp_path / "one.csv", seed=3, show=False)
    assert (tmp_path / "three.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_ranges():
    assert Range.between(1.0, 4.0).scale == "linear" and Range.between(1.0, 5.0).scale == "log"
    assert Range.between(-1.0, 5.0).scale == "linear"
    known = library.get("LAGP")
    assert Range.of_value(known["ionic_conductivity"]).scale == "log"
    assert Range.of_value(known["K_IC"]) is None
    for bad in ((2.0, 1.0), (1.0, 1.0), (math.nan, 1.0)):
        with pytest.raises(CaseError, match="empty or reversed"):
            Range(*bad)
    with pytest.raises(CaseError, match="must be positive"):
        Range(0.0, 1.0, "log")
    with pytest.raises(CaseError, match="no input has a range"):
        sample_points({}, 4, 0)
    with pytest.raises(CaseError, match="1 or more"):
        sample_points(RANGES, 0, 0)
