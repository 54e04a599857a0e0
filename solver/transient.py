"""The part of a run that moves in time: model of the case, its march, profiles, summary, fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.config import Case
from ssbmech.config_transient import kind_of
from ssbmech.domain import Domain
from ssbmech.mesh_stage import Meshed
from ssbmech.meshes.data import MeshData
from ssbmech.numerics.stepping import Position, Step
from ssbmech.output.checkpoint import Identity, case_keys
from ssbmech.output.quantities_transient import transient_gates, transient_table
from ssbmech.output.snapshots import Snapshots
from ssbmech.parallel import on_root
from ssbmech.programme import Programme
from ssbmech.programme import programme as programme_of
from ssbmech.subject import Columns, Setting, Subject
from ssbmech.time_stage import FOLDER, TimeResult, run_in_time

#: Kind of a case in time → module with ``make(...) -> Subject``.
MAKERS = {
    "filament": "ssbmech.filament.stage",
    "stripping": "ssbmech.coupled.stripping_stage",
    "intrusion": "ssbmech.coupled.intrusion_stage",
    "plating": "ssbmech.coupled.plating_stage",
    "creep": "ssbmech.coupled.plating_stage",
    "front": "ssbmech.reaction_front.stage",
}


@dataclass
class TransientResult:
    """What a run in time found.

    Attributes:
        kind: Of the case.
        subject: The model with what is reported of it, at its last state.
        march: How it ended; history.
        snapshots: States at output times.
        tables: File name of each profile to its lines.
        table: The summary's entry.
        gates: Balances.
    """

    kind: str
    subject: Subject
    march: TimeResult
    snapshots: Snapshots
    tables: dict[str, list[str]] = field(default_factory=dict)
    table: dict[str, Any] = field(default_factory=dict)
    gates: list[dict[str, Any]] = field(default_factory=list)

    def write_fields(self, folder: Path) -> str:
        """Write the fields of all output times (collective); returns the name, or "" for none."""
        writer = self.subject.fields(folder)
        if writer is None:
            return ""
        try:
            for step in self.snapshots.steps():
                time, arrays = self.snapshots.read(step)
                self.subject.model.load(arrays)
                writer.write(time)
        finally:
            writer.close()
        return "fields in time"


def make_subject(
    case: Case,
    base: Path,
    comm: Any,
    data: MeshData | None,
    domain: Domain,
    meshed: Meshed,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[str, Subject, Programme]:
    """The model that a case in time asks for, in its initial state (collective).

    Args:
        case: A case with [[step]].
        base: Folder in which its relative paths start.
        comm: MPI communicator.
        data: The whole mesh on rank 0.
        domain: The whole mesh on all ranks.
        meshed: What is known of the mesh, and what the case means on it.
        note: Takes the text for the progress line.

    Returns:
        Kind, subject and programme.
    """
    kind, programme = kind_of(case), programme_of(case.time, case.step)
    setting = Setting(case, base, comm, data, domain, meshed.setup, meshed.matter, programme, note)
    return kind, import_module(MAKERS[kind]).make(setting), programme


def run_transient(
    kind: str,
    subject: Subject,
    programme: Programme,
    case: Case,
    meshed: Meshed,
    comm: Any,
    folder: Path,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> TransientResult:
    """March through the programme and collect what is reported (collective).

    Args:
        kind: Of the case.
        subject: In its initial state.
        programme: What it goes through.
        case: The case, for the identity of checkpoints.
        meshed: The mesh, likewise.
        comm: MPI communicator.
        folder: Results folder; checkpoints are in a folder in it.
        resume: Go on from a checkpoint that is there.
        quiet: No live line.
    """
    place = folder / FOLDER
    on_root(comm, lambda: place.mkdir(parents=True, exist_ok=True))
    identity = Identity(
        case_keys(case.model_dump(mode="json", exclude_none=True)),
        meshed.digest,
        tuple(np.inf if s.length is None else s.length for s in case.step),
    )
    snapshots = Snapshots(place, comm)
    start = subject.model.save()

    def on_step(step: Step) -> None:
        if step.number == 1:  # states there are of an earlier run in this folder
            snapshots.drop_after(-1)
            snapshots.keep(0, 0.0, start)
        if step.output:
            snapshots.keep(step.number, step.time, subject.model.save())

    def on_resume(position: Position) -> None:
        snapshots.drop_after(position.steps)

    march = run_in_time(
        subject.model, programme, place, identity, history=place / "history.csv", resume=resume,
        comm=comm, quiet=quiet, on_step=on_step, on_resume=on_resume,
    )  # fmt: skip
    result = TransientResult(kind, subject, march, snapshots)
    _report(result)
    return result


def _report(result: TransientResult) -> None:
    """Profiles, balances and the summary's entry (collective)."""
    subject, march = result.subject, result.march
    tables: dict[str, list[str]] = {}
    for step in result.snapshots.steps():
        time, arrays = result.snapshots.read(step)
        subject.model.load(arrays)
        for name, columns in subject.profiles().items():
            _append(tables.setdefault(f"{name}.csv", []), time, columns)
    result.tables = tables
    history = march.history.columns()
    result.table = {
        "kind": result.kind,
        "resumed_from_step": march.resumed,
        **transient_table(
            history,
            march.outcome.log,
            limits=subject.limits,
            balances=subject.balances(),
            rejected=march.outcome.rejected,
            reason=march.outcome.reason,
        ),
        "results": subject.results(),
        "solver": subject.record(),
    }
    result.gates = transient_gates(history, result.table)


def _append(lines: list[str], time: float, columns: Columns) -> None:
    """Rows of one time to a table in the making."""
    if not columns:
        return
    if not lines:
        lines.append(",".join(["time [s]", *columns]))
    for row in zip(*columns.values(), strict=True):
        lines.append(",".join([f"{time:.15g}", *(f"{float(value):.12g}" for value in row)]))
