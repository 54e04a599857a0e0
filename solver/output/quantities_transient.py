"""From the history of a run in time to the plain data of summary.json, and its gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.output.monitors import CHECKS, monitor, numeric, physical
from ssbmech.output.verdict import END_OF_PHASE, Limits, moment, verdict

History = Mapping[str, NDArray]
#: Largest relative imbalance of charge and volume; of energies, which backward Euler dissipates.
BALANCE_LIMIT, ENERGY_LIMIT = 1e-10, 1e-2
#: Largest dissipation below zero of a step, over the largest of all: rounding.
DISSIPATION_LIMIT = 1e-10
#: Largest displacement gradient at small strain: its square, which is neglected, is 4 %.
STRAIN_LIMIT = 0.2


def transient_table(
    history: History,
    log: Sequence[Mapping[str, Any]] = (),
    *,
    limits: Limits | None = None,
    balances: Mapping[str, tuple[float, float, str]] | None = None,
    rejected: int | None = None,
    reason: str = "programme",
) -> dict[str, Any]:
    """The summary's entry ``transient``.

    Args:
        history: Columns by name [SI], each of shape (n,), as in ``history.csv``, a row per step.
        log: Events and ends of phases (`ssbmech.numerics.stepping.Outcome.log`).
        limits: Toughness with its range, for the verdict and the figures.
        balances: Of the model, by name: (what is missing or too much, size of the whole, both in
            the unit, the unit), e.g. ``{"plated volume": (1e-22, 3e-12, "m^2")}``.
        rejected: Steps that were tried and refused.
        reason: Why the run ended: "programme", or the name of an event.

    Returns:
        JSON-able: times in s, monitors in the units that are shown, None for what does not exist.
    """
    limits = limits or Limits()
    monitors = physical(dict(history))
    time = np.asarray(history["time"], float)
    return {
        "duration": _value(float(time[-1]) - _start(history, 0) if len(time) else 0.0, "s"),
        "ended_by": reason,
        "steps": _steps(history, rejected),
        "phases": _phases(history, log),
        "final": {name: _final(name, column, time) for name, column in monitors.items()},
        "extremes": {name: _extremes(name, column, time) for name, column in monitors.items()},
        "events": [_event(history, e) for e in log if e["name"] != END_OF_PHASE],
        "limits": _limits(limits),
        "balances": _balances(history, balances or {}),
        "verdict": verdict(history, log, limits),
    }


def _start(history: History, row: int) -> float:
    """Time at which the step of a row began [s]: the state before the first step has no row."""
    time = np.asarray(history["time"], float)
    dt = history.get("dt")
    if row == 0 and dt is not None and np.isfinite(float(dt[0])):
        return float(time[0] - float(dt[0]))
    return float(time[max(row - 1, 0)])


def _value(value: float, unit: str) -> dict[str, Any]:
    return {"value": float(value) if np.isfinite(value) else None, "unit": unit}


def _shown(name: str, value: float) -> dict[str, Any]:
    how = monitor(name)
    return _value(value / how.scale, how.unit)


def _final(name: str, column: NDArray[np.float64], time: NDArray) -> dict[str, Any]:
    """The last value that exists, with its time where that is not the end."""
    k = int(np.flatnonzero(np.isfinite(column))[-1])
    entry = _shown(name, float(column[k]))
    return entry if k == len(column) - 1 else {**entry, "time_s": float(time[k])}


def _extremes(name: str, column: NDArray, time: NDArray) -> dict[str, Any]:
    """Smallest and largest with the first times [s] at which they are reached."""
    out = {}
    for what, k in (("smallest", np.nanargmin(column)), ("largest", np.nanargmax(column))):
        out[what] = {**_shown(name, float(column[k])), "time_s": float(time[k])}
    return out


def _steps(history: History, rejected: int | None) -> dict[str, Any]:
    """Statistics of the steps; row 0 is the state before the first one where its dt is 0."""
    nothing = np.full(len(history["time"]), np.nan)
    dt = np.asarray(history.get("dt", nothing), float)
    made = dt > 0
    newton = np.asarray(history.get("newton", nothing), float)[made]
    error = np.asarray(history.get("error", nothing), float)[made]

    def of(values: NDArray, what: Any) -> float | None:
        good = values[np.isfinite(values)]
        return float(what(good)) if len(good) else None

    most = of(newton, np.max)
    return {
        "accepted": int(made.sum()),
        "rejected": rejected,
        "newton_mean": of(newton, np.mean),
        "newton_most": None if most is None else int(most),
        "dt_smallest": {"value": of(dt[made], np.min), "unit": "s"},
        "dt_largest": {"value": of(dt[made], np.max), "unit": "s"},
        "error_largest": of(error, np.max),
    }


def spans(history: History) -> list[tuple[int, int]]:
    """Rows of each phase, first and one past the last: a new one where phase or cycle changes."""
    n = len(history["time"])
    change = np.zeros(n, bool)
    for key in ("phase", "cycle"):
        column = history.get(key)
        if column is not None:
            column = np.asarray(column)
            change[1:] |= column[1:] != column[:-1]
    starts = [0, *(int(i) for i in np.flatnonzero(change)), n]
    return list(pairwise(starts)) if n else []


def drive_of(history: History, first: int, last: int) -> str:
    """``plating``, ``stripping`` or ``rest`` by the mean current of rows, or ``""`` unknown."""
    column = history.get("current_density")
    if column is None:
        return ""
    whole = np.asarray(column, float)
    part = whole[first:last]
    part, whole = part[np.isfinite(part)], whole[np.isfinite(whole)]
    if not len(part):
        return ""
    mean, scale = float(np.mean(part)), float(np.abs(whole).max())
    if abs(mean) <= 1e-6 * scale:
        return "rest"
    return "plating" if mean > 0 else "stripping"


def _phases(history: History, log: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Phases with what the current did in them and, where the march says so, what ended them."""
    ends = [e for e in log if e["name"] == END_OF_PHASE]
    time = np.asarray(history["time"], float)
    out = []
    for first, last in spans(history):
        entry: dict[str, Any] = {
            "name": "",
            "cycle": int(history["cycle"][first]) if "cycle" in history else 1,
            "drive": drive_of(history, first, last),
            "start": _value(_start(history, first), "s"),
            "end": _value(float(time[last - 1]), "s"),
            "steps": last - first,
        }
        at_end = [e for e in ends if abs(float(e["time"]) - time[last - 1]) <= 1e-9 * time[-1]]
        if at_end:
            entry |= {"name": str(at_end[0].get("kind", "")), "ended_by": at_end[0].get("action")}
        moved = _passed(history, first, last)
        if moved is not None:
            entry["capacity_change"] = _shown("capacity", moved)
        out.append(entry)
    return out


def _passed(history: History, first: int, last: int) -> float | None:
    """Charge that passed in the rows of a phase [C/m^2], None where it is not known."""
    charge = history.get("capacity")
    if charge is None:
        return None
    if first > 0:
        return float(charge[last - 1]) - float(charge[first - 1])
    moved = float(charge[last - 1]) - float(charge[0])
    if {"dt", "current_density"} <= history.keys():  # the first step has no row before it
        return moved + float(history["dt"][0]) * float(history["current_density"][0])
    return moved


def _event(history: History, event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with the value of its monitor, and the capacity at which it came."""
    time = float(event["time"])
    out: dict[str, Any] = {"name": str(event["name"]), "time": _value(time, "s")}
    value, name = event.get("value"), event.get("monitor")
    if name and value is not None and np.isfinite(float(value)):
        out |= {"monitor": str(name), **_shown(str(name), float(value))}
    for key in ("step", "phase", "cycle"):
        if event.get(key) is not None:
            out[key] = int(event[key])
    charge = moment(history, time).value(history, "capacity") if len(history["time"]) else None
    if charge is not None:
        out["capacity"] = _shown("capacity", charge)
    return out


def _limits(limits: Limits) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if limits.K_IC is not None:
        band = limits.band or (limits.K_IC, limits.K_IC)
        out["K_IC"] = {
            "value": limits.K_IC / 1e6, "unit": "MPa*m^0.5", "band": [b / 1e6 for b in band],
        }  # fmt: skip
    if limits.cut_off is not None:
        out["cut_off"] = _value(limits.cut_off * 1e3, "mV")
    return out


def _balances(
    history: History, of_model: Mapping[str, tuple[float, float, str]]
) -> dict[str, dict[str, Any]]:
    out = {}
    for name, (missing, whole, unit) in of_model.items():
        out[name] = _balance(float(missing), float(whole), unit)
    for name, column in numeric(dict(history)).items():
        if name in CHECKS:  # the model measures it in every step
            worst = float(np.nanmax(np.abs(column)))
            out[CHECKS[name][0]] = {"relative": worst, "missing": None, "value": None, "unit": ""}
    charge = _charge_balance(history)
    if charge is not None:
        out["charge"] = charge
    energy = _energy_balance(history)
    if energy is not None:
        out["energy"] = energy
    return out


def _balance(missing: float, whole: float, unit: str) -> dict[str, Any]:
    relative = abs(missing) / abs(whole) if whole else (0.0 if missing == 0 else 1.0)
    return {"relative": relative, "missing": missing, "value": whole, "unit": unit}


def _charge_balance(history: History) -> dict[str, Any] | None:
    """Capacity against the sum of i dt: what backward Euler makes of the integral of i.

    The largest difference in time over the sum of abs(i) dt: over a whole cycle both cancel.
    """
    if not {"capacity", "current_density", "dt"} <= history.keys():
        return None
    charge, i, dt = (np.asarray(history[k], float) for k in ("capacity", "current_density", "dt"))
    steps = dt[1:] * i[1:]
    if not len(steps) or not (np.isfinite(steps).all() and np.isfinite(charge).all()):
        return None
    whole = float(np.abs(steps).sum())
    missing = float(np.abs(charge[1:] - charge[0] - np.cumsum(steps)).max())
    return _balance(missing / 3.6e4, whole / 3.6e4, "mAh/cm^2")


#: Of an energy balance, all in one unit: of each step, of the state, of each step.
_ENERGY = ("work", "stored_energy", "dissipation")


def _energy_balance(history: History) -> dict[str, Any] | None:
    """Work of the steps, less what is stored and what was dissipated, after the first step."""
    if not set(_ENERGY) <= history.keys():
        return None
    work, stored, lost = (np.asarray(history[k], float) for k in _ENERGY)
    if len(work) < 2 or not np.isfinite([work, stored, lost]).all():
        return None
    parts = (float(work[1:].sum()), float(stored[-1] - stored[0]), float(lost[1:].sum()))
    missing = parts[0] - parts[1] - parts[2]
    return _balance(missing, max(map(abs, parts)), "")


def transient_gates(history: History, table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Charge and volume are conserved, energy nearly so; dissipation >= 0; small strains are small.

    Args:
        history: Columns by name [SI].
        table: From `transient_table`.

    Returns:
        Gates as in the summary.
    """
    limits = {**dict(CHECKS.values()), "energy": ENERGY_LIMIT}
    gates = [
        _gate(
            f"balance of {name}", entry["relative"], limits.get(name, BALANCE_LIMIT),
            "missing over the whole",
        )
        for name, entry in table["balances"].items()
    ]  # fmt: skip
    lost = np.asarray(history.get("dissipation", ()), float)
    lost = lost[np.isfinite(lost)]
    if len(lost):
        largest = float(np.abs(lost).max())
        value = max(-float(lost.min()), 0.0) / largest if largest else 0.0
        gates.append(
            _gate("dissipation", value, DISSIPATION_LIMIT, "largest negative step over the largest")
        )
    strain = np.asarray(history.get("small_strain", ()), float)
    strain = strain[np.isfinite(strain)]
    if len(strain):
        what = "largest displacement gradient of lithium at small strain; strain = 'finite' bears"
        gates.append(_gate("small strain", float(strain.max()), STRAIN_LIMIT, f"{what} more"))
    return gates


def _gate(name: str, value: float, limit: float, what: str) -> dict[str, Any]:
    return {
        "name": name, "value": value, "limit": limit, "passed": bool(value <= limit), "what": what,
    }  # fmt: skip
