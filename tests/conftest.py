"""What every test shares: teardown on all ranks, `mpirun`, and pages of verification.

A test that compares with a reference records what it found with the fixture `page`:

    def test_griffith(page):
        check = page("F1", "Griffith crack", problem="...", reference="K_I = p sqrt(pi a)")
        check.within("K_I", found, exact, 1e-3, unit="MPa m^0.5", why="...")  # records, asserts
        check.plot("x [um]", "opening [nm]", {"computed": (x, y), "exact": (x, z)})
        check.note("Anything a reader should know.")

Several tests may write to one page. What was found goes to build/verification/<id>.json when the
session ends; `python tests/verification/pages.py` makes docs/verification from it. On ranks above 0
nothing is stored, and the assertions are the same.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "build" / "verification"


# -- teardown -------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _collective_teardown(request: pytest.FixtureRequest) -> Iterator[None]:
    """Free MPI and PETSc objects at the same place on all ranks: freeing them is collective.

    Tests without DOLFINx make none, and a collection costs more than most of them.
    """
    yield
    if not {"unit", "meshes", "figures"} & set(request.path.parts):
        gc.collect()


# -- several ranks --------------------------------------------------------------------------------


class MpiRun:
    """Runs a script or module on several ranks and gives its output."""

    def __call__(
        self,
        n: int,
        target: str | Path,
        *args: object,
        timeout: float = 300.0,
        check: bool = True,
        cwd: str | Path | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """``mpirun -n N python3 -m mpi4py TARGET ARGS...``.

        Args:
            n: Number of ranks.
            target: A script (a path that ends in .py) or the name of a module.
            *args: Its arguments, made texts.
            timeout: Seconds until the run is ended and the test fails.
            check: Whether a non-zero exit fails the test.
            cwd: Working directory.
            env: Variables on top of the environment.

        Returns:
            The finished run with exit code, stdout and stderr as text.
        """
        what = [str(target)] if str(target).endswith(".py") else ["-m", str(target)]
        command = ["mpirun", "-n", str(n), "python3", "-m", "mpi4py", *what, *map(str, args)]
        # Once this process has started MPI itself, mpirun would take it for one of its ranks.
        running = ("OMPI_COMM_WORLD", "OMPI_UNIVERSE", "PMIX_", "PMI_", "PRTE_LAUNCHED")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(running)} | (env or {})
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=clean,
            start_new_session=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException as reason:
            out, err = self._end(process)
            if not isinstance(reason, subprocess.TimeoutExpired):
                raise
            pytest.fail(f"{' '.join(command)}: not done after {timeout:g} s\n{out}\n{err}")
        if check and process.returncode:
            pytest.fail(f"{' '.join(command)}: exit code {process.returncode}\n{out}\n{err}")
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
        """End the run with all its ranks: mpirun passes SIGTERM on to them."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                pass
            try:
                return process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                continue
        return "", ""


@pytest.fixture(scope="session")
def mpirun() -> MpiRun:
    """``mpirun(n, script_or_module, *args, timeout=300, check=True, cwd=None, env=None)``."""
    return MpiRun()


# -- pages ----------------------------------------------------------------------------------------


@dataclass
class Check:
    """What one test found for one page."""

    id: str
    title: str
    problem: str
    reference: str
    test: str
    part: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    plots: list[dict[str, Any]] = field(default_factory=list)

    def within(
        self,
        name: str,
        found: float | Sequence[float],
        exact: float | Sequence[float],
        tolerance: float,
        *,
        unit: str = "",
        scale: float | None = None,
        why: str = "",
    ) -> float:
        """Record and assert ``|found - exact| <= tolerance * scale``, for the worst of several.

        Args:
            name: The quantity.
            found: What the software gives, one value or several.
            exact: The reference, one value or as many.
            tolerance: Relative to ``scale``.
            unit: For the page; the values are shown as given.
            scale: Size of the quantity, by default the largest size of the reference.
            why: Why the tolerance is fair.

        Returns:
            The largest relative deviation.
        """
        import numpy as np

        f, e = np.broadcast_arrays(np.asarray(found, float), np.asarray(exact, float))
        size = float(np.abs(e).max()) if scale is None else float(scale)
        off = np.abs(f - e) / size
        worst = int(np.nanargmax(off)) if np.isfinite(off).any() else 0
        error = float(off.reshape(-1)[worst]) if np.isfinite(off).all() else float("nan")
        self.rows.append(
            {
                "name": name,
                "found": float(f.reshape(-1)[worst]),
                "exact": float(e.reshape(-1)[worst]),
                "points": f.size,
                "error": error,
                "tolerance": tolerance,
                "unit": unit,
                "why": why,
            }
        )
        __tracebackhide__ = True
        assert error <= tolerance, (
            f"{self.id}, {name}: found {f.reshape(-1)[worst]:.8g}, reference "
            f"{e.reshape(-1)[worst]:.8g} {unit}: off by {error:.3%}, tolerance {tolerance:.3%}"
        )
        return error

    def note(self, text: str) -> None:
        """Something a reader of the page should know."""
        self.notes.append(text)

    def plot(
        self, x_label: str, y_label: str, lines: dict[str, tuple[Any, Any]], *, log: bool = False
    ) -> None:
        """A plot of the page; the label "reference" or "exact" is drawn as a line.

        Args:
            x_label: With its unit.
            y_label: With its unit.
            lines: Label to x and y values.
            log: Whether both axes are logarithmic.
        """
        data = {k: [[float(v) for v in axis] for axis in xy] for k, xy in lines.items()}
        self.plots.append({"x": x_label, "y": y_label, "lines": data, "log": log})


_found: list[Check] = []


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Callable[..., Check]:
    """``page(id, title, problem=..., reference=..., part=...)`` gives a `Check` to record with."""

    def start(
        id: str, title: str, *, problem: str = "", reference: str = "", part: str = ""
    ) -> Check:
        test = request.node.nodeid
        check = Check(id, title, problem, reference, test, part)
        _found.append(check)
        return check

    return start


def pytest_sessionfinish() -> None:
    """Store what was found, beside what earlier sessions found for other tests."""
    if not _found or _rank() > 0:
        return
    PAGES.mkdir(parents=True, exist_ok=True)
    for id in dict.fromkeys(c.id for c in _found):
        path = PAGES / f"{id}.json"
        mine = [asdict(c) for c in _found if c.id == id]
        tests = {c["test"] for c in mine}
        try:
            old = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            old = []
        kept = [c for c in old if c["test"] not in tests]
        merged = sorted(kept + mine, key=lambda c: c["test"])
        aside = path.with_suffix(".part")
        aside.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
        aside.replace(path)
    _found.clear()


def _rank() -> int:
    """This process's rank, without starting MPI for tests that do not use it."""
    if "mpi4py.MPI" in sys.modules:
        return int(sys.modules["mpi4py.MPI"].COMM_WORLD.rank)
    return int(os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ.get("PMI_RANK") or 0)
