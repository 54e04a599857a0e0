"""Runs of a reaction front: killed and gone on, cracked, at the end of the electrolyte."""

import json
import math
import os
import signal
import subprocess

import numpy as np
import pytest
from restarts import command, killed, same
from ssbmech.output.history import read_history

#: Creeps, feels its stress, under current: all that a state has to hold.
CASE = """
[geometry]
type = "cell"
width = "4 um"
electrolyte = "10 um"
lithium = "1 um"
symmetry = "x"
h_max = "0.35 um"
model = "plane_strain"

[materials]
electrolyte = { E = "100 GPa", nu = 0.25 }
lithium = "Li"

[electrochemistry]
conductivity = { electrolyte = "1e-5 S/cm" }

[[electrode]]
group = "li_sse"
kinetics = "none"

[[electrode]]
group = "cathode_plane"
kinetics = "none"

[[constraint]]
group = "right"
u = { x = "0 um" }

[[constraint]]
group = "cathode_plane"
u = { y = "0 um" }

[interphase]
law = "miec"
initial_thickness = "3 um"
ionic_conductivity = "1e-6 S/cm"
electronic_conductivity = "1e-4 S/cm"
reduction_potential = "1.5 V"
reaction_resistance = "20 ohm*cm^2"
volume_per_lithium = "20 cm^3/mol"

[interphase.expansion]
volume_change = 0.05
electrolyte_molar_volume = "40 cm^3/mol"

[interphase.stress]
reaction_energy = "20 kJ/mol"

[interphase.front]
shape = "0.3 um * exp(-(x / (1 um))^2)"
E = "60 GPa"
viscosity = "5e11 Pa*s"
strength = "100 MPa"

[time]
checkpoint = 5
outputs = 3
first_step = "0.5 s"
largest_step = "2 s"

[[step]]
do = "plate"
current_density = "2 mA/cm^2"
duration = "60 s"

[[step]]
do = "rest"
duration = "20 s"

[output]
fields = false
figures = false
mesh = false
"""
#: A layer that shrinks, held on all sides: tension across is -3 K e d/H, d its depth.
CRACKING = """
[geometry]
type = "cell"
width = "1 um"
electrolyte = "10 um"
lithium = "1 um"
h_max = "0.15 um"
model = "plane_strain"

[materials]
electrolyte = { E = "100 GPa", nu = 0.25 }
lithium = "Li"

[[constraint]]
group = "left"
u = { x = "0 um" }

[[constraint]]
group = "right"
u = { x = "0 um" }

[[constraint]]
group = "li_sse"
u = { y = "0 um" }

[[constraint]]
group = "cathode_plane"
u = { y = "0 um" }

[interphase]
law = "parabolic"
initial_thickness = "1.5 um"
growth_constant = "1e-14 m^2/s"

[interphase.expansion]
volume_change = -0.02

[interphase.front]
strength = "270 MPa"

[time]
outputs = 1
tolerance = 1e-4

[[step]]
do = "rest"
duration = "200 s"

[output]
fields = false
figures = false
mesh = false
"""
#: Differences of nearly equal numbers.
LOOSE = {"error": 1e-6, "volume_defect": 1e-10, "charge_defect": 1e-10}


def run(folder, text=None, *words):
    if text is not None:
        folder.mkdir(exist_ok=True)
        (folder / "case.toml").write_text(text)
    return subprocess.run(command(folder, *words), capture_output=True, text=True, timeout=300)


def summary(folder):
    return json.loads((folder / "out/summary.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    done = run(folder, CASE)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "case.toml").write_text(CASE)
    return tmp_path


def test_the_run_says_what_it_did(whole):
    found = summary(whole)["transient"]
    assert found["kind"] == "front"
    assert found["steps"]["accepted"] > 30
    for name in ("volume", "plated volume", "charge at the electrodes"):
        if name in found["balances"]:
            assert found["balances"][name]["relative"] < 1e-10, name
    history = read_history(whole / "out/history.csv")
    assert history["volume_defect"].max() < 1e-10
    assert history["charge_defect"].max() < 1e-10
    assert (np.diff(history["front_thickness"]) > 0.0).all()
    # a layer that presses on the electrolyte, and flows meanwhile
    assert history["tension_electrolyte"].max() > 1e6
    record = json.dumps(summary(whole))
    assert "the layer grows from li_sse towards the counter electrode, cathode_plane" in record


def test_sigterm_keeps_the_state_and_the_next_start_goes_on(whole, folder):
    said = killed(folder, 12, signal.SIGTERM)
    assert "run again to go on" in said
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert summary(folder)["transient"]["resumed_from_step"] >= 12
    same(whole, folder, "front.csv", LOOSE)


def test_kill_9_loses_an_interval_at_most(whole, folder):
    for rows in (7, 22):
        killed(folder, rows, signal.SIGKILL)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert summary(folder)["transient"]["resumed_from_step"] >= 17
    same(whole, folder, "front.csv", LOOSE)


def test_a_checkpoint_that_was_cut_is_passed_over(whole, folder):
    killed(folder, 12, signal.SIGTERM)
    kept = sorted((folder / "out/checkpoints").glob("checkpoint*"), key=os.path.getmtime)
    assert len(kept) == 2, sorted(os.listdir(folder / "out/checkpoints"))
    data = kept[-1].read_bytes()
    kept[-1].write_bytes(data[: len(data) // 2])
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert summary(folder)["transient"]["resumed_from_step"] > 0
    same(whole, folder, "front.csv", LOOSE)


@pytest.mark.mpi
def test_goes_on_with_another_number_of_ranks(whole, folder):
    killed(folder, 12, signal.SIGUSR1, ranks=2)  # mpirun passes it on and waits
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert summary(folder)["transient"]["resumed_from_step"] >= 12
    same(whole, folder, "front.csv", LOOSE)


# -- first cracking -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cracked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cracked")
    done = run(folder, CRACKING)
    assert done.returncode == 0, done.stderr
    return folder


def test_first_cracking(cracked):
    """The event, the results and the closed form of the tension say the same time."""
    found = summary(cracked)["transient"]
    event = next(e for e in found["events"] if e["name"] == "cracking")
    crack, history = found["results"]["first_cracking"], read_history(cracked / "out/history.csv")
    assert crack["time_s"] == pytest.approx(event["time"]["value"], rel=1e-4)
    J, K = 0.98, 100e9 / 1.5
    e = J ** (1 / 3) - 1.0
    depth = -270e6 * 10.0 / (3 * K * e)
    assert crack["mean_thickness_um"] == pytest.approx(J * depth, rel=1e-3)
    # from its own first row: what the width adds to the start is no error of the event
    d = history["front_thickness"] * 1e6
    time = history["time"][0] + (((J * depth) ** 2 - d[0] ** 2) / 2e-2)
    # the law of the sharp front; l/d = 1/10, and 1e-3 where the history itself is asked
    assert crack["time_s"] == pytest.approx(time, rel=3e-2)
    there = np.interp(270e6, history["tension_electrolyte"], history["time"])
    assert crack["time_s"] == pytest.approx(there, rel=1e-3)
    assert math.isclose(np.interp(crack["time_s"], history["time"], d), J * depth, rel_tol=1e-3)


def test_stops_at_first_cracking(cracked, tmp_path):
    text = CRACKING.replace("outputs = 1", 'outputs = 1\nstop_at = ["cracking"]')
    done = run(tmp_path, text)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)["transient"]
    assert found["ended_by"] == "cracking"
    crack = found["results"]["first_cracking"]
    first = summary(cracked)["transient"]["results"]["first_cracking"]
    assert crack["time_s"] == pytest.approx(first["time_s"], rel=1e-3)
    assert "tension reaches the strength of the electrolyte" in done.stdout


# -- where it ends --------------------------------------------------------------------------------


def test_a_front_at_the_counter_electrode_ends_the_run(tmp_path):
    """With results, of what was before; nothing is said of a cell that is shorted."""
    text = CASE.replace('"3 um"', '"8 um"').replace('"60 s"', '"10 min"')
    done = run(tmp_path, text)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)["transient"]
    assert found["ended_by"] == "consumed"
    assert "end of the electrolyte or to the counter electrode" in done.stdout
    rows = read_history(tmp_path / "out/history.csv")
    assert rows["electrolyte_reached"][-1] == pytest.approx(1.0, abs=5e-3)
    assert rows["front_furthest"][-1] < 10e-6 * 1.05
    assert rows["time"][-1] < 600.0


def test_a_layer_that_has_used_up_the_electrolyte_ends_the_run(tmp_path):
    text = CRACKING.replace('"1.5 um"', '"8 um"').replace('"200 s"', '"4000 s"')
    done = run(tmp_path, text)
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path)["transient"]["ended_by"] == "consumed"
    rows = read_history(tmp_path / "out/history.csv")
    assert rows["electrolyte_reached"][-1] == pytest.approx(1.0, abs=5e-3)
    assert rows["time"][-1] < 4000.0


def test_nothing_reacts_under_a_large_stripping_current(tmp_path):
    """U + i (Z + d/s_i) below 0: the layer stays as it is, and all current is lithium's."""
    text = CASE.replace(
        'do = "plate"\ncurrent_density = "2 mA', 'do = "strip"\ncurrent_density = "50 mA'
    )
    assert text != CASE
    done = run(tmp_path, text)
    assert done.returncode == 0, done.stderr
    rows = read_history(tmp_path / "out/history.csv")
    strip = rows["time"] <= 60.0
    assert np.abs(rows["reaction_current_density"][strip][1:]).max() < 1e-9
    assert np.ptp(rows["front_thickness"][strip]) < 1e-3 * rows["front_thickness"][0]
    assert rows["reaction_current_density"][-1] > 1.0  # at rest it reacts again
    assert rows["charge_defect"].max() < 1e-10


def test_stress_that_stops_growth_is_no_failure(tmp_path):
    """The work uses up a (tiny) energy from the start: a run with nothing to do, and gates pass."""
    text = CRACKING.replace("volume_change = -0.02", "volume_change = 0.1\n"
                            'electrolyte_molar_volume = "40 cm^3/mol"')  # fmt: skip
    done = run(tmp_path, text.replace("[interphase.front]", '[interphase.stress]\n'
               'reaction_energy = "1 J/mol"\n\n[interphase.front]'))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = read_history(tmp_path / "out/history.csv")
    assert np.ptp(rows["front_thickness"]) < 1e-12


def test_a_step_that_is_too_long_is_repeated_and_not_taken(tmp_path):
    """The front moves by no more than half of its width per step, whatever largest_step allows."""
    text = CRACKING.replace("tolerance = 1e-4", 'first_step = "150 s"\nlargest_step = "200 s"')
    done = run(tmp_path, text)
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path)["transient"]["steps"]["rejected"] > 0
    rows = read_history(tmp_path / "out/history.csv")
    assert np.diff(rows["front_furthest"]).max() < 0.5 * 0.2e-6
