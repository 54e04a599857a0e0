"""The same numbers on 1 to 4 ranks, and a killed rank ends the run."""

import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest

pytestmark = pytest.mark.mpi

CASES = {
    # both faces and both tips, mixed mode, two kinds of load
    "plane": """\
        [geometry]
        type = "griffith"
        a = "10 um"
        half_width = "100 um"
        angle = "30 deg"
        h_tip = "0.5 um"
        [materials]
        electrolyte = "LLZO"
        [filament]
        overpotential = "30 mV"
        [[load]]
        group = "top"
        traction = { y = "20 MPa * (1 + x / 100 um)" }
        [[load]]
        group = "bottom"
        traction = { y = "-20 MPa * (1 + x / 100 um)" }
        """,
    # a lithium cylinder with misfit: an interface, multigrid
    "misfit": """\
        [geometry]
        type = "ellipse"
        a = "10 um"
        b = "4 um"
        width = "200 um"
        filled = "lithium"
        symmetry = "y"
        [materials]
        electrolyte = "LLZO"
        lithium = "Li"
        [[eigenstrain]]
        group = "lithium"
        strain = "0.001 * (1 + x / 20 um)"
        [solver]
        method = "iterative"
        rtol = 1e-12
        """,
    "penny": """\
        [geometry]
        type = "penny"
        a = "10 um"
        half_width = "40 um"
        sectors = 4
        h_front = "1 um"
        [materials]
        electrolyte = "LLZO"
        [filament]
        overpotential = "30 mV"
        [fracture]
        points = 11
        [solver]
        method = "iterative"
        rtol = 1e-12
        """,
}
SCRIPT = """\
import sys
from pathlib import Path
from ssbmech.run import run_file

out = Path(sys.argv[1])
for case in sys.argv[2:]:
    run_file(case, out / Path(case).stem, quiet=True, figures=False)
"""


@pytest.fixture(scope="module")
def summaries(tmp_path_factory, mpirun):
    """Name of the case and number of ranks to its summary.json."""
    folder = tmp_path_factory.mktemp("ranks")
    files = []
    for name, text in CASES.items():
        files.append(folder / f"{name}.toml")
        files[-1].write_text("\n".join(line.strip() for line in text.splitlines()))
    (folder / "script.py").write_text(SCRIPT)
    found = {}
    for n in (1, 2, 3, 4):
        mpirun(n, folder / "script.py", folder / f"on_{n}", *files, timeout=120)
        for name in CASES:
            path = folder / f"on_{n}" / name / "summary.json"
            found[name, n] = json.loads(path.read_text())
            assert found[name, n]["record"]["ranks"] == n
    return found


def numbers(summary):
    """Everything physical in a summary: (path of the number, unit or kind, value)."""
    out = []

    def walk(node, path, unit):
        if isinstance(node, dict):
            unit = node.get("unit", unit)
            for key, child in node.items():
                walk(child, (*path, key), unit)
        elif isinstance(node, list):
            for i, child in enumerate(node):
                walk(child, (*path, i), unit)
        elif isinstance(node, int | float) and not isinstance(node, bool):
            out.append((path, unit, float(node)))

    for part in ("quantities", "fronts", "rings", "porz", "energies", "peaks"):
        walk(summary.get(part), (part,), "")
    return out


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("n", [2, 3, 4])
def test_same_numbers(summaries, name, n):
    """K, J, T, energies, rings and the criterion: 1e-8 of the largest value of the same unit."""
    one, many = numbers(summaries[name, 1]), numbers(summaries[name, n])
    assert [p for p, _, _ in one] == [p for p, _, _ in many]
    scale = {}
    for _, unit, value in one:
        scale[unit] = max(scale.get(unit, 0.0), abs(value))
    # differences of rings (spread, J against K) are numbers near 0 of order 1: absolute
    scale[""] = max(scale.get("", 0.0), 1.0)
    off = [abs(a - b) / scale[unit] for (_, unit, a), (_, _, b) in zip(one, many, strict=True)]
    worst = int(np.argmax(off))
    assert off[worst] < 1e-8, f"{one[worst]} on 1 rank, {many[worst][2]} on {n}"


def test_cases_hold_what_is_compared(summaries):
    plane, penny = summaries["plane", 1], summaries["penny", 1]
    assert {"K_I", "K_II", "J", "T_stress"} <= set(plane["quantities"])
    assert abs(plane["quantities"]["K_II"]["value"]) > 0.01
    assert len(penny["quantities"]["K_I"]["along_front"]) == 11
    assert summaries["misfit", 1]["energies"]["strain_energy"]["value"] > 0


ENDLESS = """\
import os, sys
from pathlib import Path
from mpi4py import MPI
from ssbmech.config_load import load_case
from ssbmech.run import compute

case = load_case(sys.argv[1])
for turn in range(10_000):
    compute(case)
    Path(sys.argv[2], f"rank_{MPI.COMM_WORLD.rank}").write_text(str(os.getpid()))
"""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("victim", [0, 2])
def test_killed_rank_ends_the_run(tmp_path, victim):
    """The other ranks, waiting for it in collective calls, are ended within seconds."""
    text = CASES["plane"]
    (tmp_path / "case.toml").write_text("\n".join(line.strip() for line in text.splitlines()))
    (tmp_path / "script.py").write_text(ENDLESS)
    command = ["mpirun", "-n", "3", "python3", "-m", "mpi4py", "script.py", "case.toml", "."]
    running = ("OMPI_COMM_WORLD", "OMPI_UNIVERSE", "PMIX_", "PMI_", "PRTE_LAUNCHED")
    env = {k: v for k, v in os.environ.items() if not k.startswith(running)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        files = [tmp_path / f"rank_{i}" for i in range(3)]
        end = time.monotonic() + 60
        while not all(f.exists() and f.read_text() for f in files):
            assert time.monotonic() < end and process.poll() is None, "the run did not begin"
            time.sleep(0.1)
        ranks = [int(f.read_text()) for f in files]
        os.kill(ranks[victim], signal.SIGKILL)
        start = time.monotonic()
        said, _ = process.communicate(timeout=20)
        assert time.monotonic() - start < 10
        assert process.returncode != 0
        assert said.strip()  # mpirun says which rank it was
        time.sleep(0.5)
        assert not any(alive(pid) for pid in ranks)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
