"""Events of a run in time: a monitor that crosses a threshold, and where in a step it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal["stop", "end_phase", "record"]


@dataclass(frozen=True)
class Event:
    """A monitor that reaches a threshold.

    Attributes:
        name: What it is called in the results.
        monitor: Name of the monitor.
        threshold: In SI.
        rising: Whether it is reached from below.
        action: End the run, end the phase of the programme, or only record the time.
        measure: What is compared: the value, its size, or the size of its change since the phase
            began.
        optional: Whether a model that does not give the monitor may do without it.
        scale: Size of the monitor, to which the tolerance is relative; by default the size of the
            threshold, or 1 SI unit where that is 0.
    """

    name: str
    monitor: str
    threshold: float
    rising: bool = True
    action: Action = "record"
    measure: Literal["value", "size", "change"] = "value"
    scale: float = 0.0
    optional: bool = False

    def distance(self, monitors: Mapping[str, float], start: Mapping[str, float]) -> float:
        """How far past the threshold, in units of the scale: 0 or more once it is reached.

        A monitor that is not a number reaches nothing: the distance is -inf.

        Args:
            monitors: Quantities now.
            start: Quantities when the phase began; one that is not known then was 0.
        """
        value = monitors[self.monitor]
        if self.measure == "change":
            value = abs(value - start.get(self.monitor, 0.0))
        elif self.measure == "size":
            value = abs(value)
        if math.isnan(value):
            return -math.inf
        past = value - self.threshold if self.rising else self.threshold - value
        return past / (self.scale or abs(self.threshold) or 1.0)


def furthest(
    events: Iterable[Event], monitors: Mapping[str, float], start: Mapping[str, float]
) -> float:
    """Largest distance of several events: it passes 0 where the first of them happens."""
    return max((e.distance(monitors, start) for e in events), default=-math.inf)


def locate(
    distance: Callable[[float], float],
    dt: float,
    before: float | None,
    after: float,
    *,
    tolerance: float,
    shortest: float,
) -> float:
    """Length of the step that ends just past an event: regula falsi with bisection.

    The end that stays twice gets less weight: Anderson & Bjoerck, BIT 13 (1973) 253-264.

    Aims at half the tolerance past the threshold, so that a close step is past it and not short.

    Args:
        distance: Distance past the event at the end of a step of a given length; each call is a
            step.
        dt: Length of a step that ends past it.
        before: Distance at the start of the step, negative; None where it is not known, because
            the drive has just changed.
        after: Distance at the end of the step of length ``dt``, 0 or more.
        tolerance: A step with a distance from 0 to here is taken.
        shortest: The search ends when the event lies between two lengths so close [s].

    Returns:
        A length for which ``distance`` was 0 or more when it was called last for it.
    """
    aim = 0.5 * tolerance
    low, high = 0.0, dt
    at_low = math.nan if before is None or not -math.inf < before < 0.0 else before - aim
    at_high, best = after - aim, after
    last, slow = 0, 0
    while best > tolerance and high - low > shortest:
        width = high - low
        if math.isnan(at_low) or slow >= 3:
            middle, slow = 0.5 * (low + high), 0
        else:
            middle = high - at_high * width / (at_high - at_low)
        if not low < middle < high:
            middle = 0.5 * (low + high)
        if not low < middle < high:  # neighbours among floating-point numbers
            break
        past = distance(middle)
        if past >= 0.0:
            at_low *= _weight(past - aim, at_high) if last > 0 else 1.0
            high, best, at_high, last = middle, past, past - aim, 1
        else:
            at_high *= _weight(past - aim, at_low) if last < 0 else 1.0
            low, at_low, last = middle, past - aim, -1
        slow = slow + 1 if high - low > 0.5 * width else 0
    return high


def _weight(new: float, replaced: float) -> float:
    """Factor on the value at the end of the bracket that stays."""
    weight = 1.0 - new / replaced if replaced else 0.0
    return weight if weight > 0.0 else 0.5
