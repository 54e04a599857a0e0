"""Finished steps of a growing layer on disk, so that a run that was ended goes on with the next.

A line of JSON per solution (depth and stiffness of the layer), written and synced when it is there.
Numbers survive to the last bit. The first line says what the steps belong to: of another case or
another version of the software nothing is taken over.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.errors import OutputError
from ssbmech.interphase.grown import Step
from ssbmech.parallel import on_root

#: File in the results folder.
STEPS = "interphase_steps.jsonl"


class StepStore:
    """Steps by depth [m] and Young's modulus of the layer [Pa].

    Args:
        path: The file, in a folder that exists.
        about: What the steps belong to, as text.
        comm: MPI communicator; all methods are collective.
        resume: Take over what is there; else begin anew.

    Raises:
        OutputError: On every rank, when it cannot be written.
    """

    def __init__(self, path: Path, about: str, comm: Any, *, resume: bool = True) -> None:
        self.path, self.comm = path, comm
        self._mark = hashlib.sha256(about.encode()).hexdigest()
        found = on_root(comm, lambda: self._open(resume))
        self._found: dict[tuple[float, float], tuple[str, Step]] = comm.bcast(found)

    @property
    def count(self) -> int:
        """How many steps were there at the start or have been kept since."""
        return len(self._found)

    def get(self, depth: float, modulus: float) -> tuple[str, Step] | None:
        """Mechanical model and step, or None."""
        return self._found.get((depth, modulus))

    def keep(self, depth: float, modulus: float, model: str, step: Step) -> None:
        """Keep a step (the same on every rank)."""
        self._found[depth, modulus] = (model, step)
        line = json.dumps({"depth": depth, "modulus": modulus, "model": model, **_plain(step)})
        on_root(self.comm, lambda: self._write(line + "\n", "a"))

    def _open(self, resume: bool) -> dict[tuple[float, float], tuple[str, Step]]:
        lines: list[str] = []
        if resume and self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines()
        found = {}
        whole = [self._mark]
        if lines and lines[0] == self._mark:
            for line in lines[1:]:
                try:
                    row = json.loads(line)
                    found[row["depth"], row["modulus"]] = (row["model"], _step(row))
                except (ValueError, KeyError):
                    break  # the line that was being written when the run was ended
                whole.append(line)
        self._write("\n".join(whole) + "\n", "w")
        return found

    def _write(self, text: str, mode: str) -> None:
        try:
            with open(self.path, mode, encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(
                f"a finished step cannot be kept: {error.strerror}", key="-o",
                value=str(self.path), hint="Give a folder that you may write, on a disk with room",
            ) from None  # fmt: skip


def _plain(step: Step) -> dict[str, Any]:
    return {
        "pressure": step.pressure, "energy": step.energy, "fronts": step.fronts,
        "stress": {name: tensor.tolist() for name, tensor in step.stress.items()},
        "cells": step.cells, "inside": list(step.inside),
    }  # fmt: skip


def _step(row: dict[str, Any]) -> Step:
    stress = {name: np.array(rows, float) for name, rows in row["stress"].items()}
    return Step(row["depth"], row["pressure"], row["energy"], row["fronts"], stress, row["cells"],
                tuple(row["inside"]))  # fmt: skip
