"""The march of a model through a programme, in adaptive implicit steps.

It says how long the next step is, repeats steps that do not pass, meets the ends of phases and the
events, and says when to keep a checkpoint. Everything is deterministic and the same on every rank,
because the monitors are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ssbmech.errors import CaseError, SolverError
from ssbmech.interrupts import interrupted
from ssbmech.numerics.controller import Controller, Options, StepError
from ssbmech.numerics.events import Event, furthest, locate
from ssbmech.numerics.stepping import END_OF_PHASE, Model, Outcome, Phase, Position, Step, Trial

#: Why a run ended: its programme was gone through.
PROGRAMME = "programme"
#: Times closer than this, relative to their size, are the same.
_ROUNDING = 1e-12


def march(
    model: Model,
    phases: Sequence[Phase],
    options: Options,
    *,
    events: Sequence[Event] = (),
    outputs: Sequence[float] = (),
    on_step: Callable[[Step], None] | None = None,
    save: Callable[[Position], str] | None = None,
    listen: Callable[[], int] | None = None,
    position: Position | None = None,
) -> Outcome:
    """Move a model through a programme in adaptive implicit steps (collective).

    Args:
        model: The model, in its initial state or in the one that belongs to ``position``.
        phases: The programme.
        options: Numbers of the control.
        events: Events of the whole run; those of the phases are in the phases.
        outputs: Times that a step ends at exactly [s], marked in `Step.output`.
        on_step: Called after each accepted step; the model has the new state.
        save: Keeps a checkpoint and returns its name; called every ``options.checkpoint`` steps,
            at the end, and before every exception that leaves from here.
        listen: Gives the number of a signal that came, agreed on all ranks, or 0
            (`ssbmech.interrupts.Interrupts.agreed`); asked after each step.
        position: Where to go on; by default the beginning.

    Raises:
        StepError: When steps get too short or too many; the state was kept.
        Interrupted: After a signal; the state was kept.
    """
    run = _March(model, phases, options, events, outputs, position or Position())
    while not run.at.ended:
        _check_count(run.at, options, save)
        try:
            step = run.step()
        except StepError as error:
            raise _with_place(error, save(run.at) if save is not None else "") from error
        if on_step is not None:
            on_step(step)
        number = 0 if listen is None else listen()
        due = number or run.at.ended or run.at.steps % options.checkpoint == 0
        kept = save(run.at) if save is not None and due else ""
        if number and not run.at.ended:
            raise interrupted(number, run.at.time, run.at.steps, kept)
    at = run.at
    return Outcome(at.ended, at.time, at.steps, at.rejected, dict(at.monitors), tuple(at.log))


def _check_count(at: Position, options: Options, save: Callable[[Position], str] | None) -> None:
    if at.steps < options.max_steps:
        return
    kept = save(at) if save is not None else ""
    raise StepError(
        f"the run is at {at.time:g} s after as many steps as it may take",
        key="time.max_steps", value=options.max_steps,
        hint="Allow more and run again: it goes on from " + (kept or "the start"),
    )  # fmt: skip


def _with_place(error: StepError, kept: str) -> StepError:
    if not kept:
        return error
    hint = f"{error.hint}. The state is kept in {kept}"
    return StepError(
        error.message, key=error.key, value=error.value, allowed=error.allowed, hint=hint
    )


class _March:
    """One march: the model, the controller and the position; `step` takes one accepted step."""

    def __init__(
        self,
        model: Model,
        phases: Sequence[Phase],
        options: Options,
        events: Sequence[Event],
        outputs: Sequence[float],
        at: Position,
    ) -> None:
        self.model, self.phases, self.options, self.at = model, phases, options, at
        self.events, self.outputs = tuple(events), sorted(outputs)
        self.control = Controller(options, at.wish, at.error, at.failed)
        self.tried = (0.0, 0.0)  # length and error of the first step of the phase
        self._reopen()

    def _reopen(self) -> None:
        """Go on behind the end of an earlier run, if the programme has become longer.

        Raises:
            CaseError: If it has become shorter.
        """
        at = self.at
        if at.phase >= len(self.phases):
            raise CaseError(
                f"the run is in phase {at.phase + 1}, and the programme has {len(self.phases)} "
                f"phase{'s'[: len(self.phases) - 1]} now",
                key="step", hint="Give it its cycles and steps back, or start the run anew",
            )  # fmt: skip
        if at.ended == PROGRAMME:
            if at.ended_by == "duration" and at.elapsed < self.phases[at.phase].duration:
                at.ended = at.ended_by = ""
            elif at.phase + 1 < len(self.phases):
                at.ended = at.ended_by = ""
                self._next_phase()

    # -- one step ---------------------------------------------------------------------------------

    def step(self) -> Step:
        """Take one accepted step.

        Raises:
            StepError: When no step passes.
        """
        at, phase = self.at, self.phases[self.at.phase]
        if at.elapsed == 0.0:
            self._begin(phase)
        before = at.rejected
        dt, elapsed, cut, trial = self._passing(phase)
        self.model.accept()
        self.control.passed(dt, trial.error, trial.iterations, cut=cut)
        at.elapsed, at.steps, at.monitors = elapsed, at.steps + 1, dict(trial.monitors)
        c = self.control
        at.wish, at.error, at.failed = c.wish, c.error, c.failed
        number, time = at.phase + 1, at.time
        met = self._meet(phase)
        output = bool(met) or bool(at.ended) or self._is_output(time)
        return Step(
            at.steps, time, dt, number, phase.kind, phase.cycle, trial.iterations, trial.error,
            at.rejected - before, at.monitors, met, output,
        )  # fmt: skip

    def _begin(self, phase: Phase) -> None:
        """Start a phase: its own events are armed, and its first step is tried out.

        The error of the first step cannot be estimated: the rate before it belongs to another
        drive. So two equal steps are taken for a try; the second one's estimate counts for both.
        """
        at, o = self.at, self.options
        at.at_start = dict(at.monitors)
        own = {e.name for e in phase.ends}
        at.past = [name for name in at.past if name not in own]
        dt = max(min(phase.first, phase.largest, 0.5 * phase.duration), o.smallest)
        state = self.model.save()
        while True:
            error = math.inf
            try:
                self.model.advance(at.start + dt, dt, phase.drive)
                self.model.accept()
                error = self.model.advance(at.start + 2.0 * dt, dt, phase.drive).error
            except SolverError:
                pass  # too long, or a failure that the step itself will report
            self.model.load(state)
            self.control = Controller(o, dt, fresh=True)
            self.tried = (dt, error)
            if error <= 1.0 or dt <= o.smallest:
                return
            at.rejected += 1
            self.control.rejected(dt, error)
            dt = max(self.control.wish, o.smallest)

    def _passing(self, phase: Phase) -> tuple[float, float, bool, Trial]:
        """Length, elapsed time at the end, whether it was cut, and the trial that passes."""
        at, control = self.at, self.control
        target = self._target(phase)
        while True:
            dt, cut = control.fits(target - at.elapsed, phase.largest)
            reason = ""
            try:
                trial = self._advance(dt, phase)
                if trial.error <= 1.0:
                    located, trial = self._at_event(dt, trial, phase)
                    if located != dt:
                        return located, at.elapsed + located, True, trial
                    whole = cut and dt == target - at.elapsed
                    return dt, target if whole else at.elapsed + dt, cut, trial
                reason = f"the local error is {trial.error:.3g} times the tolerance"
                control.rejected(dt, trial.error)
            except SolverError as error:
                reason = str(error)
                control.diverged(dt)
            at.rejected += 1
            if dt <= self.options.smallest:
                raise self._stuck(phase, reason)
            control.wish = max(control.wish, self.options.smallest)

    def _advance(self, dt: float, phase: Phase) -> Trial:
        trial = self.model.advance(self.at.time + dt, dt, phase.drive)
        if math.isnan(trial.error):
            raise SolverError("the local error of the step is not a number")
        longest, error = self.tried
        if self.at.elapsed == 0.0 and dt <= longest * (1.0 + 1e-9):
            trial = replace(trial, error=error)
        return trial

    def _stuck(self, phase: Phase, reason: str) -> StepError:
        at = self.at
        return StepError(
            f"no step passes at {at.time:g} s (after step {at.steps}, in phase {at.phase + 1}, "
            f"{phase.kind}), not even the smallest. The last one: {reason}",
            key="time.smallest_step", value=f"{self.options.smallest:g} s",
            hint="Allow smaller steps, or a larger time.tolerance where the error is too large",
        )  # fmt: skip

    # -- targets and events -----------------------------------------------------------------------

    def _target(self, phase: Phase) -> float:
        """Time since the start of the phase that the next steps end at exactly [s]."""
        at = self.at
        end = at.start + phase.duration
        slack = _ROUNDING * (end if end < math.inf else at.time)
        for time in self.outputs:
            if time > at.time + slack and time - at.start < phase.duration - slack:
                return time - at.start
        return phase.duration

    def _is_output(self, time: float) -> bool:
        return any(abs(t - time) <= 2.0 * _ROUNDING * time for t in self.outputs)

    def _events(self, phase: Phase, given: Mapping[str, float]) -> list[Event]:
        """Events of phase and run; some are for models that give their monitor."""
        events = (*phase.ends, *self.events)
        for event in events:
            needed = event.action != "record" and not event.optional
            if needed and event.monitor not in given:
                raise CaseError(
                    f"the model gives no {event.monitor!r} to tell it from",
                    key=f"event {event.name}", allowed="events of " + ", ".join(sorted(given)),
                )  # fmt: skip
        return [e for e in events if e.monitor in given]

    def _at_event(self, dt: float, trial: Trial, phase: Phase) -> tuple[float, Trial]:
        """Shorten a step that passes over events to the first of them."""
        at = self.at
        armed = [e for e in self._events(phase, trial.monitors) if e.name not in at.past]
        known = at.elapsed > 0.0 and all(e.monitor in at.monitors for e in armed)
        if not known:  # the monitors are those of another drive: they may have jumped past events
            armed = [e for e in armed if e.action != "record"]
        after = furthest(armed, trial.monitors, at.at_start)
        if after < 0.0:
            return dt, trial
        before = furthest(armed, at.monitors, at.at_start) if known else None
        held = (dt, trial)

        def distance(length: float) -> float:
            nonlocal held
            held = (length, self._advance(length, phase))
            return furthest(armed, held[1].monitors, at.at_start)

        tolerance = self.options.event_tolerance
        found = locate(distance, dt, before, after, tolerance=tolerance, shortest=tolerance * dt)
        if held[0] != found:  # the trial that the model keeps has to be this one
            held = (found, self._advance(found, phase))
        return held

    def _meet(self, phase: Phase) -> tuple[str, ...]:
        """Record the events that the accepted step has met, and end phase or run."""
        at = self.at
        distance = {
            e: e.distance(at.monitors, at.at_start) for e in self._events(phase, at.monitors)
        }
        met = [e for e, past in distance.items() if past >= 0.0 and e.name not in at.past]
        back = {e.name for e, past in distance.items() if past < -self.options.event_tolerance}
        at.past = [name for name in at.past if name not in back]  # armed again
        for event in met:
            at.past.append(event.name)
            self._note(
                phase, event.name, event.action, monitor=event.monitor,
                value=at.monitors[event.monitor],
            )  # fmt: skip
        stop = next((e.name for e in met if e.action == "stop"), "")
        end = next((e.name for e in met if e.action == "end_phase"), "")
        if not end and at.elapsed >= phase.duration:
            end = "duration"
        if stop:
            at.ended = stop
        elif end:
            self._note(phase, END_OF_PHASE, end)
            at.ended_by = end
            if at.phase + 1 < len(self.phases):
                self._next_phase()
            else:
                at.ended = PROGRAMME
        return tuple(e.name for e in met)

    def _note(self, phase: Phase, name: str, action: str, **more: Any) -> None:
        at = self.at
        at.log.append(
            {
                "name": name, "time": at.time, "step": at.steps, "phase": at.phase + 1,
                "kind": phase.kind, "cycle": phase.cycle, "action": action, **more,
            }
        )  # fmt: skip

    def _next_phase(self) -> None:
        at = self.at
        at.start, at.phase, at.elapsed = at.time, at.phase + 1, 0.0
