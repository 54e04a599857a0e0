"""The results folder: nothing of the user's is lost, and nothing of ours is left behind."""

import subprocess
import sys

import pytest
from ssbmech.errors import OutputError
from ssbmech.output import folder


def test_publish_replaces_ours_alone(tmp_path):
    target = tmp_path / "out"
    staged = folder.stage(target, overwrite=False)
    (staged / "summary.json").write_text("{}")
    folder.publish(staged, target)
    (target / "mine.txt").write_text("keep")
    assert sorted(p.name for p in target.iterdir()) == ["mine.txt", "summary.json"]
    with pytest.raises(OutputError, match="holds results already"):
        folder.stage(target, overwrite=False)
    staged = folder.stage(target, overwrite=True)
    folder.publish(staged, target)
    assert [p.name for p in target.iterdir()] == ["mine.txt"]


def test_an_error_leaves_no_folder_that_was_not_there(tmp_path):
    new, mine = tmp_path / "new", tmp_path / "mine"
    mine.mkdir()
    for target in (new, mine):
        folder.discard(folder.stage(target, overwrite=False))
    assert not new.exists()
    assert mine.is_dir()


def test_a_killed_run_is_cleared_away_and_a_living_one_is_not(tmp_path):
    code = (
        "import os, signal; from pathlib import Path; from ssbmech.output import folder;"
        f"folder.stage(Path({str(tmp_path / 'out')!r}), overwrite=False);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list((tmp_path / "out").glob(".unfinished-*"))) == 1
    living = folder.stage(tmp_path / "out", overwrite=False)
    assert list((tmp_path / "out").iterdir()) == [living]
    folder.stage(tmp_path / "out", overwrite=False)
    assert living.is_dir()
