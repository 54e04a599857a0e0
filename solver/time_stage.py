"""The stage of a run that moves a model through its programme: history, checkpoints, live line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssbmech.interrupts import Interrupts
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Model, Outcome, Position, Step
from ssbmech.output.checkpoint import Checkpoint, Identity, Store
from ssbmech.output.history import History
from ssbmech.output.live import Live
from ssbmech.programme import Programme

#: Folder in the results that holds the checkpoints of a run that is not finished.
FOLDER = "checkpoints"


@dataclass(frozen=True)
class TimeResult:
    """What a run in time found.

    Attributes:
        outcome: How it ended, with its events.
        history: Monitors of every step, closed; `History.columns` gives arrays.
        resumed: Step from which it went on, 0 from the start.
        notes: What the record has to say, e.g. a damaged checkpoint.
    """

    outcome: Outcome
    history: History
    resumed: int
    notes: tuple[str, ...] = ()


def run_in_time(
    model: Model,
    programme: Programme,
    folder: Path,
    identity: Identity,
    *,
    history: Path | None = None,
    resume: bool = True,
    comm: Any = None,
    quiet: bool = False,
    on_step: Callable[[Step], None] | None = None,
    on_resume: Callable[[Position], None] | None = None,
) -> TimeResult:
    """Move a model through its programme, from its checkpoint if there is one (collective).

    Args:
        model: In its initial state.
        programme: The programme.
        folder: Of the checkpoints; it has to be the same when the run goes on.
        identity: What the checkpoints belong to.
        history: The file of the history, in a folder that exists.
        resume: Whether to go on from a checkpoint; otherwise those in the folder are removed.
        comm: MPI communicator, or None for one process.
        quiet: No live line.
        on_step: Called after each step, e.g. to write fields.
        on_resume: Called with the position before a run goes on.

    Raises:
        StepError: The run cannot go on; its state is kept.
        Interrupted: A signal came; its state is kept.
        CheckpointError: The checkpoint there does not belong to this case.
        OutputError: Nothing can be written.
    """
    store = Store(folder, identity, comm)
    found = store.latest() if resume else None
    if not resume:
        store.clear()
    rows = History(history, comm)
    position = Position()
    if found is not None:
        position = _take(found, model, rows)
        if on_resume is not None:
            on_resume(position)
    shows = not quiet and (comm is None or comm.rank == 0)
    resumed = position.steps
    live = Live(programme.phases, show=shows, position=(position.start, position.phase + 1))

    def step_taken(step: Step) -> None:
        rows.add(step)
        live(step)
        if on_step is not None:
            on_step(step)

    def keep(at: Position) -> str:
        arrays = model.save()
        rows.sync()
        return store.save(at, arrays, *rows.state())

    try:
        with Interrupts(comm) as interrupts:
            outcome = march(
                model, programme.phases, programme.options, events=programme.events,
                outputs=programme.outputs, on_step=step_taken, save=keep,
                listen=interrupts.agreed, position=position,
            )  # fmt: skip
    finally:
        live.close()
        rows.close()
    return TimeResult(outcome, rows, resumed, found.notes if found else ())


def _take(found: Checkpoint, model: Model, rows: History) -> Position:
    """Give a checkpoint's state to the model and its rows to the history."""
    model.load(found.arrays)
    rows.restore(found.names, found.rows)
    return found.position
