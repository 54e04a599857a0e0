"""The results folder: written aside, moved into place at the end, nothing of the user's lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ssbmech.errors import OutputError

#: What a run writes; only these are ever replaced in an existing folder.
OURS = (
    "summary.json",
    "record.json",
    "quantities.csv",
    "ahead.csv",
    "current.csv",
    "case.resolved.toml",
    "mesh.msh",
    "fields",
    "figures",
)


def stage(target: Path, *, overwrite: bool) -> Path:
    """Make a folder beside the target to write into.

    Raises:
        OutputError: When results are there already, or the place cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise OutputError(
            "the output is a file, not a folder", key="-o", value=str(target),
            hint="Give another folder",
        )  # fmt: skip
    there = [name for name in OURS if (target / name).exists()]
    if there and not overwrite:
        raise OutputError(
            f"the folder holds results already ({', '.join(there)})", key="-o", value=str(target),
            hint="Give another folder, or --overwrite to replace these",
        )  # fmt: skip
    try:
        target.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target))
        path.chmod(0o755)
        return path
    except OSError as error:
        raise OutputError(
            f"the output folder cannot be written: {error.strerror}", key="-o", value=str(target),
            hint="Give a folder that you may write, on a disk with room",
        ) from None  # fmt: skip


def publish(staged: Path, target: Path) -> None:
    """Move finished results into place; older results of the same names are replaced."""
    for name in OURS:
        old, new = target / name, staged / name
        if old.exists() or old.is_symlink():
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        if new.exists():
            os.replace(new, old)
    shutil.rmtree(staged, ignore_errors=True)


def discard(staged: Path) -> None:
    """Remove an unfinished folder."""
    shutil.rmtree(staged, ignore_errors=True)
