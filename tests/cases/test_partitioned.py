"""A mesh written in parts runs to the same numbers, on as many ranks as parts and on others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CASE = Path(__file__).parents[2] / "cases/grain_boundary_filament/case.toml"
RUN = """
[mesh]
file = "grains.parts"

[materials]
electrolyte = "LLZO"
lithium = "Li"

[crack]
faces = ["crack_lower", "crack_upper"]
front = "tip"

[filament]
overpotential = "20 mV"
"""


def ssbmech(*words, cwd):
    command = [sys.executable, "-m", "ssbmech", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


@pytest.mark.mpi
def test_run_on_parts(mpirun, tmp_path):
    made = ssbmech("mesh", CASE, "-o", "grains.msh", "--no-picture", "--partition", 3, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "grains.msh").is_file() and (tmp_path / "grains.parts").is_dir()
    (tmp_path / "case.toml").write_text(RUN)
    whole = ssbmech("run", CASE, "-o", "whole", "--no-figures", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    expected = json.loads((tmp_path / "whole/summary.json").read_text())
    for ranks in (3, 2):
        mpirun(ranks, "ssbmech", "run", tmp_path / "case.toml", "-o", tmp_path / f"out{ranks}",
               "--no-figures")  # fmt: skip
        found = json.loads((tmp_path / f"out{ranks}/summary.json").read_text())
        for name in ("K_I", "K_II", "J"):
            reference = expected["quantities"][name]["value"]
            # a linear problem on the same mesh: only the order of sums differs
            assert found["quantities"][name]["value"] == pytest.approx(reference, rel=1e-8)
        assert found["record"]["mesh"]["cells"] == expected["record"]["mesh"]["cells"]
        assert len(found["gates"]) == len(expected["gates"]) > 10


def test_existing_parts_are_kept(tmp_path):
    (tmp_path / "a.parts").mkdir()
    done = ssbmech("mesh", CASE, "-o", "a.msh", "--no-picture", "--partition", 2, cwd=tmp_path)
    assert done.returncode == 1 and "a.parts" in done.stderr and "--overwrite" in done.stderr
    assert list((tmp_path / "a.parts").iterdir()) == []


def test_a_folder_that_is_no_mesh_is_refused(tmp_path):
    (tmp_path / "grains.parts").mkdir()
    (tmp_path / "case.toml").write_text(RUN)
    done = ssbmech("run", "case.toml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1 and "grains.parts" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()
