"""Checkpoints of a run in time: written aside, synced, moved into place; two generations.

A new checkpoint takes the place of the older of the two in one rename, so that at every moment at
least the last finished one is there, whatever kills the process or the machine. A file holds the
state of the model, the position of the march, the history so far, and what the state belongs to:
format, version, case and mesh.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError, SsbmechError
from ssbmech.numerics.stepping import Position
from ssbmech.parallel import on_root

#: Number of the format: another one is refused.
FORMAT = 1
_SLOTS = ("checkpoint-a.npz", "checkpoint-b.npz")
_MODEL = "model/"
#: Keys of a case that may change between a run and what goes on from it.
_FREE = ("title", "output", "time.max_steps", "time.checkpoint", "time.cycles", "time.outputs",
         "mesh.file")  # fmt: skip
_STEP = re.compile(r"step\.(\d+)\.(\w+)")
_SHOWN = 6


class CheckpointError(SsbmechError):
    """A checkpoint that does not belong to this case or version, or cannot be read."""


@dataclass(frozen=True)
class Identity:
    """What a state belongs to.

    Attributes:
        case: Keys of the resolved case with their values (`case_keys`).
        mesh: Digest of the mesh.
        steps: Longest time of each step of the programme [s], inf where a limit ends it.
    """

    case: dict[str, str]
    mesh: str
    steps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        position: Where the march stands.
        arrays: State of the model; on rank 0, {} elsewhere.
        names: Columns of the history.
        rows: (rows, columns), in SI.
        notes: What was wrong with a newer one that could not be read.
    """

    position: Position
    arrays: dict[str, NDArray[Any]]
    names: list[str]
    rows: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def case_keys(data: Mapping[str, Any]) -> dict[str, str]:
    """Keys of a case, dotted, with their values as JSON; without those that may change.

    Args:
        data: ``case.model_dump(mode="json", exclude_none=True)``.
    """
    keys: dict[str, str] = {}

    def walk(place: Any, name: str) -> None:
        if name in _FREE:
            return
        if isinstance(place, Mapping):
            for key in sorted(place, key=str):
                walk(place[key], f"{name}.{key}" if name else str(key))
        elif isinstance(place, list | tuple) and any(isinstance(x, Mapping) for x in place):
            for i, item in enumerate(place):
                walk(item, f"{name}.{i}")
        else:
            keys[name] = json.dumps(place)

    walk(data, "")
    return keys


class Store:
    """The checkpoints of one run in a folder. The methods are collective.

    Args:
        folder: Where they are; made when the first one is written.
        identity: What they belong to; needed on rank 0.
        comm: MPI communicator, or None for one process.
    """

    def __init__(self, folder: Path, identity: Identity, comm: Any = None) -> None:
        self.folder, self.identity, self.comm = folder, identity, comm
        self._serial = 0

    def save(
        self,
        position: Position,
        arrays: Mapping[str, NDArray[Any]],
        names: list[str],
        rows: NDArray[np.float64],
    ) -> str:
        """Write a checkpoint in place of the older one, and return its path.

        Args:
            position: Where the march stands.
            arrays: State of the model; whole on rank 0.
            names: Columns of the history.
            rows: (rows, columns).

        Raises:
            OutputError: On every rank, when it cannot be written; the older ones are intact.
        """
        return self._on_root(lambda: self._save(position, arrays, names, rows))

    def latest(self) -> Checkpoint | None:
        """Read the newest checkpoint that can be read; None if there is none.

        Raises:
            CheckpointError: On every rank, if it belongs to another case, mesh or version, or if
                there are files and none of them can be read.
        """
        held: list[Checkpoint] = []

        def read() -> tuple[dict[str, Any], list[str], NDArray, tuple[str, ...]] | None:
            found = self._latest()
            if found is None:
                return None
            held.append(found)
            return found.position.as_dict(), found.names, found.rows, found.notes

        shared = self._on_root(read)
        if shared is None:
            return None
        position, names, rows, notes = shared
        arrays = held[0].arrays if held else {}
        return Checkpoint(Position.from_dict(position), arrays, names, rows, notes)

    def clear(self) -> None:
        """Remove the checkpoints: the run starts anew."""

        def remove() -> None:
            for name in (*_SLOTS, *(f"{slot}.part" for slot in _SLOTS)):
                (self.folder / name).unlink(missing_ok=True)

        self._on_root(remove)

    def _on_root(self, work: Any) -> Any:
        def guarded() -> Any:
            try:
                return work()
            except OSError as error:
                raise OutputError(
                    f"checkpoints cannot be kept here: {error.strerror or error}",
                    key=str(self.folder),
                    hint="Give a folder that you may write, on a disk with room",
                ) from None

        return guarded() if self.comm is None else on_root(self.comm, guarded)

    # -- writing, on rank 0 -----------------------------------------------------------------------

    def _save(
        self,
        position: Position,
        arrays: Mapping[str, NDArray[Any]],
        names: list[str],
        rows: NDArray[np.float64],
    ) -> str:
        from ssbmech import __version__

        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._serial:
            self._serial = max((self._peek(name) for name in _SLOTS), default=0)
        serial = self._serial + 1
        content = {_MODEL + name: np.asarray(array) for name, array in arrays.items()}
        head = {
            "format": FORMAT,
            "version": __version__,
            "serial": serial,
            "position": position.as_dict(),
            "case": self.identity.case,
            "mesh": self.identity.mesh,
            "steps": list(self.identity.steps),
            "names": names,
            "arrays": {k: [list(a.shape), a.dtype.str] for k, a in content.items()},
        }
        text = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
        target = self.folder / _SLOTS[serial % 2]
        write_aside(target, {"head": text, "history": rows, **content})
        self._serial = serial
        return str(target)

    def _peek(self, name: str) -> int:
        """Serial number of a file, 0 without a readable one."""
        try:
            return int(_read(self.folder / name)[0]["serial"])
        except (OSError, _Damaged, CheckpointError, KeyError):
            return 0

    # -- reading, on rank 0 -----------------------------------------------------------------------

    def _latest(self) -> Checkpoint | None:
        found, notes = [], []
        for path in (self.folder / name for name in _SLOTS):
            if not path.exists():
                continue
            try:
                head, arrays = _read(path)
                found.append((int(head["serial"]), path, head, arrays))
            except (_Damaged, OSError) as error:
                notes.append(f"{path.name} is damaged ({error})")
        if not found:
            if notes:
                raise CheckpointError(
                    "no checkpoint can be read: " + "; ".join(notes), key=str(self.folder),
                    hint="Start the run anew",
                )  # fmt: skip
            return None
        _, path, head, arrays = max(found, key=lambda item: item[0])
        notes = [f"{note}; going on from {path.name}" for note in notes]
        position = Position.from_dict(head["position"])
        self._check(path, head, position)
        self._serial = int(head["serial"])
        model = {k[len(_MODEL) :]: a for k, a in arrays.items() if k.startswith(_MODEL)}
        return Checkpoint(position, model, list(head["names"]), arrays["history"], tuple(notes))

    def _check(self, path: Path, head: dict[str, Any], position: Position) -> None:
        reasons = _differences(head, self.identity, position)
        if reasons:
            more = len(reasons) - _SHOWN
            shown = "; ".join(reasons[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            raise CheckpointError(
                f"the checkpoint belongs to another case: {shown}", key=str(path),
                hint="Undo these changes to go on from it, or start the run anew in another folder",
            )  # fmt: skip


def write_aside(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an npz file so that at ``path`` there is the old content or the new one, no other.

    Raises:
        OSError: What was there before is intact.
    """
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # the rename itself has to survive a loss of power
        os.fsync(folder)
    finally:
        os.close(folder)


class _Damaged(Exception):
    """A file that is no whole checkpoint."""


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Head and arrays of a file, all of them read: each has a check sum.

    Raises:
        CheckpointError: If another format or version wrote it.
        _Damaged: If it is not whole.
    """
    from ssbmech import __version__

    data = io.BytesIO(path.read_bytes())
    try:
        with zipfile.ZipFile(
            data
        ) as archive:  # all check sums: numpy may stop before the last byte
            bad = archive.testzip()
        if bad is not None:
            raise _Damaged(f"the check sum of {bad} is wrong")
        data.seek(0)
        with np.load(data, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(arrays.pop("head").tobytes())
        format, version = head["format"], head["version"]
    except Exception as error:  # damage can make zipfile and numpy raise anything
        raise _Damaged(str(error) or type(error).__name__) from None
    for what, theirs, ours in (("format", format, FORMAT), ("version", version, __version__)):
        if theirs != ours:
            raise CheckpointError(
                f"the checkpoint is of another {what} of ssbmech", key=str(path), value=theirs,
                allowed=str(ours), hint="Go on with the version that wrote it, or start anew",
            )  # fmt: skip
    if any(
        name not in arrays or [list(arrays[name].shape), arrays[name].dtype.str] != what
        for name, what in head["arrays"].items()
    ):
        raise _Damaged("arrays are missing")
    return head, arrays


def _differences(head: dict[str, Any], mine: Identity, position: Position) -> list[str]:
    """What forbids to go on from a checkpoint, in words."""
    old: dict[str, str] = head["case"]
    reasons = [
        f"{key} is {mine.case.get(key, 'not given')} and was {old.get(key, 'not given')}"
        for key in sorted(old.keys() | mine.case.keys())
        if old.get(key) != mine.case.get(key) and not _lengthens(key, head, mine, position)
    ]
    if head["mesh"] != mine.mesh:
        reasons.append("the mesh is another one")
    return reasons


def _lengthens(key: str, head: dict[str, Any], mine: Identity, position: Position) -> bool:
    """Whether a change only makes a step longer, or adds one, that lies ahead or is under way."""
    match = _STEP.fullmatch(key)
    before = head["steps"]
    if match is None or position.phase >= len(before):  # in a later cycle it has happened before
        return False
    number = int(match[1])
    if number >= len(before):
        return True
    if match[2] not in ("duration", "capacity") or number < position.phase:
        return False
    return number < len(mine.steps) and mine.steps[number] >= before[number]
