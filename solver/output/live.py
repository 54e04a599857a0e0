"""The live line of a run in time: what the last step found, and how far the programme is.

On a terminal a bar and one line that is rewritten; elsewhere (a batch job's log) a line every few
seconds and at every event, in fixed columns.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

from ssbmech.numerics.stepping import Phase, Step
from ssbmech.output.monitors import monitor

#: Monitor → head of its column, width and digits after the point.
_COLUMNS = (
    ("current_density", "i mA/cm^2", 10, 3),
    ("voltage", "V mV", 9, 2),
    ("pressure_max", "p_max MPa", 9, 2),
    ("K_ratio", "K/K_IC", 8, 4),
    ("contact", "contact %", 9, 1),
)
#: Seconds between two lines where no line can be rewritten.
_SECONDS = 5.0


def heading() -> str:
    """Heads of the columns of `row`."""
    heads = "".join(f" {head:>{width}}" for _, head, width, _ in _COLUMNS)
    return f"{'step':>6} {'t s':>11}{heads} {'dt s':>9} {'its':>3}  phase"


def row(step: Step) -> str:
    """A step in fixed columns; a dash for what the model does not give."""
    cells = ""
    for name, _, width, digits in _COLUMNS:
        value = step.monitors.get(name, math.nan)
        shown = _fixed(value / monitor(name).scale, width, digits)
        cells += f" {shown:>{width}}"
    events = f"  * {', '.join(step.events)}" if step.events else ""
    return (
        f"{step.number:>6} {step.time:>11.5g}{cells} {step.dt:>9.3g} {step.iterations:>3}  "
        f"{step.phase} {step.kind}{events}"
    )


def _fixed(value: float, width: int, digits: int) -> str:
    """A number that fits the column; without a point in it where it is too large or small."""
    if not math.isfinite(value):
        return "-"
    text = f"{value + 0.0:.{digits}f}"
    small = value != 0.0 and abs(value) < 10.0**-digits
    return f"{value:.2e}" if len(text) > width or small else text


def _can_rewrite(stream: Any) -> bool:
    """Whether a line can be rewritten there: a terminal that is wide enough for it."""
    if not stream.isatty():
        return False
    try:
        return os.get_terminal_size(stream.fileno()).columns > len(heading())
    except (OSError, ValueError):  # no file behind it
        return True


class Live:
    """Shows the steps of a march as they are taken.

    Args:
        phases: The programme, for the bar.
        show: Whether this process shows anything: False on other ranks than 0, and with --quiet.
        stream: Where to; by default stderr.
        every: Seconds between two lines where the stream is no terminal.
        position: Steps taken by an earlier run that this one goes on from: its time [s] and phase
            number, from 1.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        *,
        show: bool = True,
        stream: TextIO | None = None,
        every: float = _SECONDS,
        position: tuple[float, int] = (0.0, 1),
    ) -> None:
        self.show, self.every = show, every
        self.stream: Any = stream or sys.stderr
        self._terminal = show and _can_rewrite(self.stream)
        self._begin = [0.0]
        for phase in phases:
            self._begin.append(self._begin[-1] + phase.duration)
        self._phase, self._start = position[1], position[0]
        self._time, self._printed = position[0], -math.inf
        self._last: Step | None = None
        self._bar: Any = None
        self._line: Any = None
        if show:
            self._open()

    def _open(self) -> None:
        if not self._terminal:
            print(heading(), file=self.stream, flush=True)
            return
        from tqdm import tqdm

        total = self._begin[-1]
        known = math.isfinite(total)
        layout = (
            "{percentage:3.0f}%|{bar}| {elapsed}<{remaining}" if known else "{elapsed}{postfix}"
        )
        tqdm.write(heading(), file=self.stream)
        self._line = tqdm(
            total=0, position=0, bar_format="{desc}", file=self.stream, leave=False,
            dynamic_ncols=True,
        )  # fmt: skip
        self._bar = tqdm(
            total=total if known else None, position=1, bar_format=layout, file=self.stream,
            leave=False, dynamic_ncols=True,
        )  # fmt: skip

    def __call__(self, step: Step) -> None:
        """Show an accepted step."""
        if not self.show:
            return
        changed = step.phase != self._phase
        if changed:
            self._phase, self._start = step.phase, step.time - step.dt
        self._time, self._last = step.time, step
        if self._terminal:
            self._rewrite(step)
        elif changed or step.events or time.monotonic() - self._printed >= self.every:
            self._print(step)

    def share(self) -> float:
        """How much of the programme is done, 0 to 1; NaN where its length is not known."""
        done = self._begin[self._phase - 1] + self._time - self._start
        total = self._begin[-1]
        return min(done / total, 1.0) if math.isfinite(total) else math.nan

    def close(self) -> None:
        """Leave the last line, and take the bar away."""
        if not self.show:
            return
        if self._bar is not None:
            self._bar.close()
            self._line.close()
            self._bar = self._line = None
            self._terminal = False
        if self._last is not None:
            self._print(self._last)
            self._last = None

    def _rewrite(self, step: Step) -> None:
        text = row(step)
        if step.events:  # stays above the bar
            from tqdm import tqdm

            tqdm.write(text, file=self.stream)
            self._last = None
        self._line.set_description_str(text, refresh=True)
        if self._bar.total is not None:
            self._bar.n = self.share() * self._bar.total
        self._bar.refresh()

    def _print(self, step: Step) -> None:
        print(row(step), file=self.stream, flush=True)
        self._printed = time.monotonic()
        self._last = None
