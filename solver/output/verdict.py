"""What a run in time came to, in words with numbers, and as rows of the closing table."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.output.monitors import clock, monitor

History = Mapping[str, NDArray]
#: A contact or a fill that moves by less than this has not moved.
_STILL = 5e-3
#: How far short of its level an event of the march may lie.
_PLACED = 1e-2


@dataclass(frozen=True)
class Limits:
    """What the monitors are held against.

    Attributes:
        K_IC: Toughness [Pa m^0.5], or None without one.
        band: Its range [Pa m^0.5], or None.
        pressure_volume: V_m - V_+ [m^3/mol], by which a pressure balances an overpotential.
        cut_off: Voltage at which the programme ends [V], or None.
    """

    K_IC: float | None = None
    band: tuple[float, float] | None = None
    pressure_volume: float = LITHIUM_MOLAR_VOLUME
    cut_off: float | None = None


@dataclass(frozen=True)
class Moment:
    """A time, where it lies in a history, and how.

    Attributes:
        time: [s].
        row: The row at or after it.
        weight: Of that row against the one before, 0 to 1.
    """

    time: float
    row: int
    weight: float

    def value(self, history: History, name: str) -> float | None:
        """A monitor at this time, linear in between; None where it does not exist."""
        column = history.get(name)
        if column is None:
            return None
        after = float(column[self.row])
        if self.row == 0 or self.weight >= 1.0:
            return after if np.isfinite(after) else None
        before = float(column[self.row - 1])
        value = before + self.weight * (after - before)
        return value if np.isfinite(value) else (after if np.isfinite(after) else None)


def crossing(history: History, name: str, level: float, *, rising: bool = True) -> Moment | None:
    """The first time at which a monitor reaches a level, linear between rows.

    Rows where the monitor does not exist are passed over: nothing is read across such a gap.
    """
    column = history.get(name)
    if column is None or not len(column):
        return None
    time = np.asarray(history["time"], float)
    value = np.asarray(column, float) * (1.0 if rising else -1.0)
    level = level if rising else -level
    hits = np.flatnonzero(value >= level)  # NaN compares false
    if not len(hits):
        return None
    k = int(hits[0])
    if k == 0 or not np.isfinite(value[k - 1]):
        return Moment(float(time[k]), k, 1.0)
    w = float((level - value[k - 1]) / (value[k] - value[k - 1]))
    return Moment(float(time[k - 1] + w * (time[k] - time[k - 1])), k, w)


def moment(history: History, time: float) -> Moment:
    """Where a time lies in a history."""
    times = np.asarray(history["time"], float)
    k = int(np.clip(np.searchsorted(times, time * (1 - 1e-12)), 0, len(times) - 1))
    if k == 0:
        return Moment(float(time), 0, 1.0)
    span = times[k] - times[k - 1]
    w = float((time - times[k - 1]) / span) if span > 0 else 1.0
    return Moment(float(time), k, min(max(w, 0.0), 1.0))


def verdict(
    history: History, log: Sequence[Mapping[str, Any]] = (), limits: Limits | None = None
) -> list[str]:
    """Sentences on what happened, most important first.

    Args:
        history: Columns by name [SI], each of shape (n,); ``time`` [s] is there.
        log: Events and ends of phases of the march (`ssbmech.numerics.stepping.Outcome.log`), each
            with ``name``, ``time`` [s] and, of an end, its cause as ``action``.
        limits: What the monitors are held against.

    Returns:
        Sentences, each with its numbers and without a full stop.
    """
    limits = limits or Limits()
    if not len(history.get("time", ())):
        return ["No step was made"]
    said = []
    for sentence in (
        _fracture(history, log, limits), _band(history, limits), _contact(history),
        _fill(history), _stack(history), *_layers(history), *_front(history),
        _ending(history, log, limits),
    ):  # fmt: skip
        said += [sentence] if sentence else []
    return said


def _when(history: History, at: Moment) -> str:
    """``after 1 h 12 min (0.58 mAh/cm^2)``."""
    charge = at.value(history, "capacity")
    text = f"after {clock(at.time)}" if at.time > 0 else "at the start"
    if charge is None or abs(charge) <= 1e-9 * np.nanmax(np.abs(history["capacity"])):
        return text  # what was plated has been stripped again
    return f"{text} ({_charge(charge)})"


def _charge(value: float) -> str:
    text = monitor("capacity").shown(abs(value), 3)
    return text if value > 0 else f"{text} stripped"


def _circumstances(history: History, at: Moment, limits: Limits) -> str:
    """Pressure, the overpotential that it balances, and the voltage."""
    parts = []
    p = at.value(history, "pressure_max")
    if p is None:
        p = at.value(history, "pressure_mean")
    if p is not None:
        balanced = monitor("voltage").shown(p * limits.pressure_volume / FARADAY, 3)
        parts.append(f"at {monitor('pressure_max').shown(p, 3)}, which balances {balanced}")
    voltage = at.value(history, "voltage")
    if voltage is not None:
        word = "and" if parts else "at"
        parts.append(f"{word} a voltage of {monitor('voltage').shown(voltage, 3)}")
    return ", ".join(parts)


def ratio(history: History, limits: Limits) -> NDArray[np.float64] | None:
    """K_I over K_IC in every row, shape (n,), from either monitor; None without both."""
    if "K_ratio" in history and np.isfinite(np.asarray(history["K_ratio"], float)).any():
        return np.asarray(history["K_ratio"], float)
    if "K_I" in history and limits.K_IC and np.isfinite(np.asarray(history["K_I"], float)).any():
        return np.asarray(history["K_I"], float) / limits.K_IC
    return None


def _extension(rows: History, log: Sequence[Mapping[str, Any]]) -> Moment | None:
    """When K_I reaches K_IC: where the march stopped at it, else between two rows."""
    for event in log:
        words = event_words(str(event["name"]))
        if "K_IC" in words or "K_ratio" in words:
            at = moment(rows, float(event["time"]))
            reached = at.value(rows, "K_ratio")
            # the march places an event to a tolerance, and may stop a hair short of it
            if reached is not None and reached >= 1.0 - _PLACED:
                return at
    return crossing(rows, "K_ratio", 1.0)


def _fracture(history: History, log: Sequence[Mapping[str, Any]], limits: Limits) -> str:
    share = ratio(history, limits)
    if share is None:
        return ""
    rows = {**history, "K_ratio": share}
    toughness = "K_IC"
    if limits.K_IC:
        toughness += f" = {monitor('K_I').shown(limits.K_IC, 3)}"
    at = _extension(rows, log)
    if at is not None:
        text = f"The flaw extends {_when(rows, at)}: K_I reaches {toughness}"
        more = _circumstances(rows, at, limits)
        return text + (f" {more}" if more else "")
    k = int(np.nanargmax(share))
    there = Moment(float(history["time"][k]), k, 1.0)
    text = f"K_I stays below {toughness}: at most {_percent(share[k])} of it"
    text += f", {_when(rows, there)}"
    more = _circumstances(rows, there, limits)
    return text + (f", {more}" if more else "")


def _percent(share: float) -> str:
    """No rounding up to 100 % of what was not reached."""
    return f"{100 * share:.3g} %" if abs(share) < 0.9995 else f"{100 * share:.6g} %"


def _band(history: History, limits: Limits) -> str:
    """How far the answer depends on the range of the toughness."""
    share = ratio(history, limits)
    if share is None or not limits.K_IC or limits.band is None:
        return ""
    low, high = (value / limits.K_IC for value in limits.band)
    if not low < high:
        return ""
    rows = {**history, "K_ratio": share}
    first, last = crossing(rows, "K_ratio", low), crossing(rows, "K_ratio", high)
    shown = f"{limits.band[0] / 1e6:.3g} to {monitor('K_I').shown(limits.band[1], 3)}"
    text = f"Over the range of K_IC, {shown}, "
    if first is None:
        return text + "it holds throughout"
    if last is None:
        return text + f"it may extend {_when(rows, first)} and may hold to the end"
    return text + f"it extends between {clock(first.time)} and {clock(last.time)}"


def _contact(history: History) -> str:
    share = history.get("contact")
    if share is None or not np.isfinite(np.asarray(share, float)).any():
        return ""
    share = np.asarray(share, float)
    good = np.flatnonzero(np.isfinite(share))
    first, last = float(share[good[0]]), float(share[good[-1]])
    k = int(np.nanargmin(share))
    lowest, name = float(share[k]), monitor("contact")
    if first - lowest > _STILL:
        at = Moment(float(history["time"][k]), k, 1.0)
        text = f"Contact falls from {name.shown(first, 3)} to {name.shown(lowest, 3)} "
        text += _when(history, at)
        more = _crowding(history, at)
        text += f", {more}" if more else ""
        return text + (f", and ends at {name.shown(last, 3)}" if last - lowest > _STILL else "")
    if last - first > _STILL:
        return f"Contact rises from {name.shown(first, 3)} to {name.shown(last, 3)}"
    return f"Contact stays at {name.shown(last, 3)}"


def _crowding(history: History, at: Moment) -> str:
    """The largest current where the contact is least."""
    factor = at.value(history, "current_factor")
    return "" if factor is None else f"where the largest current is {factor:.3g} of the mean"


def _fill(history: History) -> str:
    share = history.get("fill")
    if share is None or not np.isfinite(np.asarray(share, float)).any():
        return ""
    share = np.asarray(share, float)
    good = np.flatnonzero(np.isfinite(share))
    first, last, name = float(share[good[0]]), float(share[good[-1]]), monitor("fill")
    full = crossing(history, "fill", 1.0 - 1e-6)
    if full is not None and full.time > float(history["time"][good[0]]):
        return f"The flaw is full {_when(history, full)}"
    if abs(last - first) <= _STILL:
        return f"Lithium fills {name.shown(last, 3)} of the flaw" if last < 1 - _STILL else ""
    shown = f"from {name.shown(first, 3)} to {name.shown(last, 3)} of the flaw"
    return f"Lithium fills {shown}" if last > first else f"Lithium recedes {shown}"


def _stack(history: History) -> str:
    column = history.get("stack_pressure")
    if column is None:
        return ""
    values = np.asarray(column, float)
    good = values[np.isfinite(values)]
    if not len(good) or np.ptp(good) <= 1e-2 * np.abs(good).max():
        return ""
    name = monitor("stack_pressure")
    text = f"Stack pressure goes from {name.shown(good[0], 3)} to {name.shown(good[-1], 3)}"
    low, high, still = good.min(), good.max(), 1e-2 * np.ptp(good)
    if low < min(good[0], good[-1]) - still or high > max(good[0], good[-1]) + still:
        text += f", between {name.shown(low, 3)} and {name.shown(high, 3)}"
    return text


def _layers(history: History) -> list[str]:
    """How thick the layers become, and when they have the largest part of the voltage."""
    start, said = "layer_thickness", []
    for name in [n for n in history if n.startswith(start)]:
        of = name[len(start) :]
        thickness = np.asarray(history[name], float)
        resistance, part, whole = (
            np.asarray(history[n], float)
            for n in (f"layer_resistance{of}", f"layer_voltage{of}", "voltage")
        )
        on = f" on {of[1:]}" if of else ""
        text = (
            f"The layer{on} is {monitor(start).shown(thickness[-1], 3)} thick at the end, "
            f"{monitor('layer_resistance').shown(resistance[-1], 3)}"
        )
        k = int(np.nanargmax(np.abs(part)))
        if abs(part[k]) > 1e-6 * abs(whole[k]):
            at = Moment(float(history["time"][k]), k, 1.0)
            text += (
                f"; its largest part of the voltage is {monitor('voltage').shown(part[k], 3)} of "
                f"{monitor('voltage').shown(whole[k], 3)} "
                f"({_percent(abs(part[k] / whole[k]))}), {_when(history, at)}"
            )
        said.append(text)
    return said


#: Roughness that changes by less than this, of itself, has not changed.
_AS_ROUGH = 0.05


def _front(history: History) -> list[str]:
    """How a reaction front moved, whether it roughens, and whether it cracks the electrolyte."""
    if "front_thickness" not in history:
        return []
    mean, rough, far = (
        np.asarray(history[f"front_{n}"], float) for n in ("thickness", "roughness", "furthest")
    )
    um = monitor("front_thickness")
    grows = f"The layer grows from {um.shown(mean[0], 3)} to {um.shown(mean[-1], 3)} on average"
    if mean[-1] - mean[0] <= 1e-3 * mean[0]:
        grows = f"The layer stays at {um.shown(mean[-1], 3)} on average: next to nothing reacts"
    said = [grows]
    there = np.isfinite(rough)  # at the end of the electrolyte no front is left
    mean, rough, far = mean[there], rough[there], far[there]
    if len(rough) and (rough[-1] > 1e-3 * mean[-1] or rough[0] > 1e-3 * mean[0]):
        shown = f"from {um.shown(rough[0], 3)} to {um.shown(rough[-1], 3)}"
        word = "smoothens" if rough[-1] < rough[0] else "roughens"
        still = abs(rough[-1] - rough[0]) <= _AS_ROUGH * rough[0]
        text = "stays as rough as it was" if still else f"{word}, {shown}"
        said.append(
            f"Its front {text}; where it is furthest it has "
            f"{um.shown(far[-1], 3)}, {far[-1] / mean[-1]:.3g} times the mean"
        )
    if "strength_ratio" in history:
        share = np.asarray(history["strength_ratio"], float)
        at = crossing(history, "strength_ratio", 1.0)
        if at is None:
            most = float(np.nanmax(share))
            text = f"at most {_percent(most)} of it" if most > 0.0 else "there is none"
            said.append(f"Tension in the electrolyte stays below its strength: {text}")
        else:
            thick = um.shown(at.value(history, "front_thickness") or np.nan, 3)
            said.append(
                f"Tension in the electrolyte reaches its strength {_when(history, at)}, at a mean "
                f"thickness of {thick}"
            )
    return said


def _ending(history: History, log: Sequence[Mapping[str, Any]], limits: Limits) -> str:
    end = float(history["time"][-1])
    at = Moment(end, len(history["time"]) - 1, 1.0)
    parts = [f"The run ends {_when(history, at)}{_cause(log, end)}"]
    voltage = at.value(history, "voltage")
    if voltage is not None:
        parts.append(f"the voltage is {monitor('voltage').shown(voltage, 3)}")
        if limits.cut_off is not None and limits.cut_off * voltage > 0:
            parts[-1] += f" (cut-off {monitor('voltage').shown(limits.cut_off, 3)})"
    return "; ".join(parts)


def _cause(log: Sequence[Mapping[str, Any]], end: float) -> str:
    """Why it ended; nothing where the programme was gone through by the clock."""
    late = [e for e in log if float(e["time"]) >= end * (1 - 1e-12)]
    for entry in late:
        if entry.get("action") == "stop":
            return f": {event_words(str(entry['name']))}"
    for entry in late:
        if entry["name"] == END_OF_PHASE and entry.get("action") not in (None, "duration"):
            return f": {event_words(str(entry['action']))}"
    return ""


#: Events whose names in a case are shorter than what they say.
_EVENTS = {
    "extension": "K_I reaches K_IC",
    "contact_lost": "contact falls below its limit",
    "consumed": "the layer has come to the end of the electrolyte or to the counter electrode",
    "cracking": "tension reaches the strength of the electrolyte",
    "voltage_limit": "the voltage reaches its limit",
    "current_limit": "the current falls to its limit",
    "capacity": "the capacity has passed",
}
#: What the march calls the end of a phase; its ``action`` is the cause.
END_OF_PHASE = "end_of_phase"


def event_words(name: str) -> str:
    """An event's name as words; K_I, K_IC and K_ratio keep their underscore."""
    if name in _EVENTS:
        return _EVENTS[name]
    return re.sub(r"(?<!(?<![A-Za-z])K)_", " ", name)


def closing_rows(transient: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Rows of the closing table from the summary's entry ``transient``."""
    if transient is None:
        return []
    rows = []
    for sentence in transient["verdict"]:
        lines = textwrap.wrap(sentence, _WIDTH, subsequent_indent="  ")
        rows += [("", line) for line in lines]
    rows[:1] = [("verdict", text) for _, text in rows[:1]]
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for event in transient["events"]:
        kinds.setdefault(event["name"], []).append(event)
    for name, found in kinds.items():
        rows.append((f"event, {event_words(name)}", _event_text(found)))
    for name, entry in transient["extremes"].items():
        rows.append((monitor(name).words, _range_text(entry, transient["final"].get(name))))
    rows.append(("time steps", _steps_text(transient["steps"])))
    for name, entry in transient["balances"].items():
        whole = "" if entry["value"] is None else f" of {_quantity(entry)}"
        rows.append((f"balance of {name}", f"{entry['relative']:.1e}{whole}"))
    return rows


#: Width of a sentence in the closing table.
_WIDTH = 90


def _steps_text(s: Mapping[str, Any]) -> str:
    text = f"{s['accepted']}" + (f", {s['rejected']} refused" if s["rejected"] else "")
    if s["newton_mean"] is None:
        return text
    return text + f", {s['newton_mean']:.2g} Newton iterations each (at most {s['newton_most']})"


def _quantity(entry: Mapping[str, Any]) -> str:
    return f"{entry['value']:.4g} {entry['unit']}".rstrip()


def _event_text(found: Sequence[Mapping[str, Any]]) -> str:
    """When an event came first, and how often."""
    event = found[0]
    text = clock(event["time"]["value"])
    if event.get("capacity"):
        text += f", {_quantity(event['capacity'])}"
    if len(found) > 1:
        text += f"; {len(found)} times, the last at {clock(found[-1]['time']['value'])}"
    return text


def _range_text(entry: Mapping[str, Any], final: Mapping[str, Any] | None) -> str:
    low, high = entry["smallest"], entry["largest"]
    if f"{low['value']:.4g}" == f"{high['value']:.4g}":
        return _quantity(high)
    text = f"{low['value']:.4g} to {_quantity(high)}"
    if final is None or "time_s" in final:  # it ceased to exist before the end
        return text
    return text + f", {final['value'] + 0.0:.4g} at the end"
