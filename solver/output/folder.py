"""The results folder: written aside, moved into place at the end, nothing of the user's lost."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from ssbmech.errors import OutputError

_PREFIX = ".unfinished-"
_OWNER = "owner"

#: What a run writes; only these are ever replaced in an existing folder.
OURS = (
    "summary.json",
    "record.json",
    "quantities.csv",
    "ahead.csv",
    "current.csv",
    "history.csv",
    "filament.csv",
    "front.csv",
    "interphase.csv",
    "interphase_lines.csv",
    "contact.csv",
    "interface.csv",
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
        ours = not target.exists()
        target.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target))
        path.chmod(0o755)
        (path / _OWNER).write_text(f"{_place()} {os.getpid()} {int(ours)}\n")
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
    """Remove an unfinished folder, and the results folder if it was made for it and is empty."""
    owner = staged / _OWNER
    made = owner.is_file() and owner.read_text().split()[-1:] == ["1"]
    shutil.rmtree(staged, ignore_errors=True)
    if made and staged.parent.is_dir() and not any(staged.parent.iterdir()):
        staged.parent.rmdir()


def _remove_abandoned(target: Path) -> None:
    """Remove unfinished folders of processes of this machine that were killed."""
    for path in target.glob(f"{_PREFIX}*"):
        words = (path / _OWNER).read_text().split() if (path / _OWNER).is_file() else []
        if len(words) == 3 and words[0] == _place() and not _alive(int(words[1])):
            shutil.rmtree(path, ignore_errors=True)


def _place() -> str:
    """Where the number of a process means something: the machine, and a container in it."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()}/{space}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
