"""Real runs in time that are killed and started again give the numbers of uninterrupted ones."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from restarts import command, killed, same, start, wait_for_rows
from ssbmech.output.history import read_history

CASE = """
[geometry]
type = "edge"
a = "10 um"
width = "100 um"
height = "200 um"
symmetry = "y"

[materials]
electrolyte = "LLZO"

[thin_filament]
thickness = "5 nm"
mouth_pressure = "5 MPa"

[electrochemistry]
conductivity = { electrolyte = "0.46 mS/cm" }

[[electrode]]
group = ["interface", "crack_upper"]
area_specific_resistance = "10 ohm*cm^2"

[[electrode]]
group = "right"
kinetics = "none"

[time]
checkpoint = 10
outputs = 4
tolerance = 1e-4

[[step]]
do = "plate"
current_density = "1 mA/cm^2"
duration = "20 s"

[[step]]
do = "strip"
current_density = "0.3 mA/cm^2"
duration = "5 s"

[output]
fields = false
figures = false
mesh = false
"""
#: Differences of nearly equal numbers: the local error over its tolerance (rates over a step of
#: 1e-4 of the time scale, 1e-3 tolerance), and what is missing of the volume, which is rounding.
LOOSE = {"error": 1e-6, "mass_defect": 1e-10}


def run(folder, *words, ranks=1):
    return subprocess.run(
        command(folder, *words, ranks=ranks), capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    (folder / "case.toml").write_text(CASE)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "case.toml").write_text(CASE)
    return tmp_path


def test_the_run_moves_long_enough_to_be_killed(whole):
    summary = json.loads((whole / "out/summary.json").read_text())
    assert summary["transient"]["steps"]["accepted"] > 100
    assert summary["transient"]["ended_by"] == "programme"


def test_sigterm_keeps_the_state_and_the_next_start_goes_on(whole, folder):
    process = start(folder)
    wait_for_rows(folder, 40, process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "run again to go on" in said
    assert said.count("ssbmech: ") == 1
    assert not (folder / "out/summary.json").exists()
    done = run(folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "out/summary.json").read_text())
    assert summary["transient"]["resumed_from_step"] >= 40
    same(whole, folder, "filament.csv", LOOSE)


def test_kill_9_at_any_moment_loses_an_interval_at_most(whole, folder):
    """Three kills on the way, the moments drawn from the clock."""
    reached = []
    for rows in (15, 47, 81):
        process = start(folder)
        wait_for_rows(folder, rows, process)
        process.kill()
        process.communicate()
        reached.append(len((folder / "out/checkpoints/history.csv").read_text().splitlines()) - 1)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads((folder / "out/summary.json").read_text())
    assert reached[-1] - 10 <= summary["transient"]["resumed_from_step"] <= reached[-1] + 1
    same(whole, folder, "filament.csv", LOOSE)


@pytest.mark.mpi
def test_goes_on_with_another_number_of_ranks(whole, folder):
    killed(folder, 12, signal.SIGUSR1, ranks=2)  # mpirun passes it on and waits
    done = run(folder)
    assert done.returncode == 0, done.stderr
    same(whole, folder, "filament.csv", LOOSE)


def test_a_checkpoint_of_another_case_is_refused(whole, folder):
    process = start(folder)
    wait_for_rows(folder, 25, process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=100)
    text = (folder / "case.toml").read_text()
    (folder / "case.toml").write_text(text.replace("0.46 mS/cm", "0.4 mS/cm"))
    kept = sorted(os.listdir(folder / "out/checkpoints"))
    done = run(folder)
    assert done.returncode == 1
    assert "belongs to another case" in done.stderr
    assert "electrochemistry.conductivity.electrolyte" in done.stderr
    assert sorted(os.listdir(folder / "out/checkpoints")) == kept
    again = run(folder, "--overwrite")  # begins anew
    assert again.returncode == 0, again.stderr


def test_a_finished_run_goes_on_with_a_longer_programme(whole, folder, tmp_path):
    (folder / "case.toml").write_text(CASE.replace('duration = "5 s"', 'duration = "2 s"'))
    assert run(folder).returncode == 0
    (folder / "case.toml").write_text(CASE)
    refused = run(folder)
    assert refused.returncode == 1
    assert "holds results already" in refused.stderr
    done = run(folder, "--resume")
    assert done.returncode == 0, done.stderr
    a, b = (read_history(f / "out/history.csv") for f in (whole, folder))
    assert b["time"][-1] == pytest.approx(a["time"][-1], rel=1e-12)
    # the step that ended at 2 s is another than without the end there: the same to the tolerance
    assert b["K_I"][-1] == pytest.approx(a["K_I"][-1], rel=3e-2)
    assert Path(folder / "out/summary.json").is_file()
