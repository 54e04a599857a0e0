"""A killed run with a growing layer goes on with the next thickness, to the same numbers."""

import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASE = ROOT / "cases" / "lagp_pellet" / "case.toml"
TABLES = ("interphase.csv", "interphase_lines.csv")


def start(out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "ssbmech", "run", str(CASE), "-o", str(out), "--no-figures"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_killed_and_started_again(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert start(whole).wait(timeout=300) == 0
    process = start(cut)
    kept = cut / "interphase_steps.jsonl"
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        if kept.is_file() and len(kept.read_text().splitlines()) >= 5:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    before = len(kept.read_text().splitlines()) - 1
    assert 4 <= before < 18  # killed amid its 6 thicknesses at 3 stiffnesses
    again = start(cut)
    text, _ = again.communicate(timeout=300)
    assert again.returncode == 0, text
    for name in TABLES:
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    assert not kept.exists()  # of a run that is finished nothing is left to be taken over
