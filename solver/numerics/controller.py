"""How long the next step is: from the local error of the last ones and the work of Newton."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ssbmech.errors import SolverError

#: The local error of backward Euler goes as dt^2.
_POWER = 2.0
#: Error over the tolerance that the next step shall have.
_AIM = 0.8
#: Exponents of the PI controller over the power: Hairer & Wanner, Solving Ordinary Differential
#: Equations II, 2nd ed., section IV.2 ("PI step size control").
_INTEGRAL, _PROPORTIONAL = 0.7 / _POWER, 0.4 / _POWER
#: Smaller errors count as this much in the memory of the PI controller: they are not estimated to
#: better, and the first one of a run is 0.
_FLOOR = 0.1
#: A step that passed is followed by one of at least this share of it.
_SHRINK_PASSED = 0.5
#: Longest next step in units of one that an event, an output or the end of a phase had cut short:
#: the mean rate over a very short step carries the error of Newton over its length.
_REGROWTH = 10.0
#: Lengths that the controller chooses are powers of this: what rounding on another number of ranks
#: changes in an error estimate then changes no step, and the runs stay comparable to their digits.
_GRID = 2.0 ** (1.0 / 16.0)


class StepError(SolverError):
    """Steps that got too short, or too many: the run cannot go on."""


@dataclass(frozen=True)
class Options:
    """Numbers of the control of steps.

    Attributes:
        smallest: A step that fails at this length ends the run [s].
        max_steps: Accepted steps of the whole run.
        checkpoint: Accepted steps between two checkpoints.
        event_tolerance: An event is met when its monitor is past the threshold by this share of
            its scale or less, or when the step is known to ``event_tolerance`` of its length.
        grow: Largest ratio of a step to the one before.
        shrink: Smallest ratio after a step that did not pass.
        newton: Iterations up to which steps may grow by ``grow``; with more they grow less.
    """

    smallest: float
    max_steps: int = 10000
    checkpoint: int = 20
    event_tolerance: float = 1e-6
    grow: float = 2.0
    shrink: float = 0.2
    newton: int = 8


@dataclass
class Controller:
    """Chooses lengths of steps; its attributes are all it knows, for a checkpoint.

    Attributes:
        options: Numbers.
        wish: Length of the next step [s].
        error: Error of the last step over the tolerance.
        failed: Whether the last try did not pass: the step after it does not grow.
        fresh: Whether the length was given and not chosen: it is taken as it is.
    """

    options: Options
    wish: float
    error: float = _AIM
    failed: bool = False
    fresh: bool = False

    def passed(self, dt: float, error: float, iterations: int, *, cut: bool) -> None:
        """Take note of an accepted step.

        Args:
            dt: Its length [s].
            error: Its error over the tolerance, 1 or less.
            iterations: Newton iterations.
            cut: Whether something else than the controller had shortened it.
        """
        o = self.options
        size = max(error, 1e-8)
        if cut:
            factor = (_AIM / size) ** (1.0 / _POWER)
        else:
            factor = (_AIM / size) ** _INTEGRAL * (self.error / _AIM) ** _PROPORTIONAL
            self.error = max(error, _FLOOR)
        # Shorter steps may need as many iterations (contact, a kink in a law): hard ones make the
        # next ones grow less, and only failure makes them shrink.
        limit = o.grow ** min(o.newton / max(iterations, 1), 1.0)
        factor = min(max(factor, _SHRINK_PASSED), 1.0 if self.failed else limit)
        following = max(dt * factor, o.smallest)
        if cut:  # what was long enough before is so again
            following = max(following, min(self.wish, _REGROWTH * dt))
        self.wish, self.failed, self.fresh = following, False, False

    def rejected(self, dt: float, error: float) -> None:
        """Shorten after a step whose error was too large."""
        factor = (_AIM / error) ** (1.0 / _POWER) if math.isfinite(error) else 0.0
        self.wish = dt * min(max(factor, self.options.shrink), 0.9)
        self.failed, self.fresh = True, False

    def diverged(self, dt: float) -> None:
        """Shorten after a step whose equations were not solved."""
        self.wish = 0.5 * dt
        self.failed, self.fresh = True, False

    def fits(self, left: float, largest: float) -> tuple[float, bool]:
        """Length of the next step, and whether it was cut.

        The last two steps before a target are alike, so that none of them is tiny.

        Args:
            left: Time to the next target [s].
            largest: Longest step [s].
        """
        wish = min(self.wish if self.fresh else on_grid(self.wish), largest)
        if wish >= left * (1.0 - 1e-9):
            return left, True
        if wish > 0.5 * left:
            return 0.5 * left, True
        return wish, False


def on_grid(length: float) -> float:
    """The nearest power of 2^(1/16) below a length, or the length where it is one."""
    return float(_GRID ** math.floor(math.log(length) / math.log(_GRID) + 1e-6))
