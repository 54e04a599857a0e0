"""The summary's entry on a run in time: values, times, balances and gates that are known."""

import json

import numpy as np
import pytest
from ssbmech.output.quantities_transient import (
    drive_of,
    spans,
    transient_gates,
    transient_table,
)
from ssbmech.output.verdict import Limits


def cycling(cycles: int = 2, n: int = 10) -> dict[str, np.ndarray]:
    """Plate, rest, strip, rest of 1 h each at 0.5 mA/cm^2; a row at the end of each step."""
    names = ("time", "step", "phase", "cycle", "dt", "newton", "error", "current_density",
             "capacity", "contact", "pressure_max")  # fmt: skip
    rows, time, charge, dt = [], 0.0, 0.0, 3600.0 / n
    for k in range(4 * cycles):
        i = (5.0, 0.0, -5.0, 0.0)[k % 4]
        for _ in range(n):
            time += dt
            charge += i * dt
            p = np.nan if i == 0 else 1e6 * i
            rows.append((time, len(rows) + 1, k + 1, k // 4 + 1, dt, 2 + len(rows) % 3, 0.5, i,
                         charge, 1 - 0.01 * k, p))  # fmt: skip
    return {name: np.array(column, float) for name, column in zip(names, zip(*rows, strict=True),
                                                                  strict=True)}  # fmt: skip


def log_of(history: dict[str, np.ndarray]) -> list[dict]:
    """As the march keeps it: the ends of phases, and one event."""
    kinds = ("plate", "rest", "strip", "rest")
    ends = [
        {"name": "end_of_phase", "time": 3600.0 * (k + 1), "step": 10 * (k + 1), "phase": k + 1,
         "cycle": k // 4 + 1, "kind": kinds[k % 4],
         "action": "voltage_limit" if k % 4 == 2 else "duration"}
        for k in range(8)
    ]  # fmt: skip
    event = {"name": "contact_lost", "time": 9000.0, "step": 25, "phase": 3, "cycle": 1,
             "action": "record", "monitor": "contact", "value": 0.98}  # fmt: skip
    return [*ends, event]


@pytest.fixture(scope="module")
def history():
    return cycling()


@pytest.fixture(scope="module")
def table(history):
    balances = {"plated volume": (1e-24, 4e-12, "m^2")}
    return transient_table(
        history, log_of(history), limits=Limits(1e6, (0.86e6, 1.63e6), cut_off=0.05),
        balances=balances, rejected=3,
    )  # fmt: skip


def test_is_plain_data(table):
    text = json.dumps(table, allow_nan=False)
    assert json.loads(text) == table


def test_final_and_extremes(table):
    assert table["duration"] == {"value": 8 * 3600.0, "unit": "s"}
    assert table["ended_by"] == "programme"
    assert table["final"]["contact"] == {"value": pytest.approx(93), "unit": "%"}
    # the pressure exists only under current: its last value is that of the end of stripping
    assert table["final"]["pressure_max"] == {
        "value": -5.0, "unit": "MPa", "time_s": pytest.approx(7 * 3600)
    }  # fmt: skip
    capacity = table["extremes"]["capacity"]
    assert capacity["largest"]["value"] == pytest.approx(0.5)
    assert capacity["largest"]["time_s"] == pytest.approx(3600)  # the first time
    assert capacity["smallest"]["value"] == pytest.approx(0, abs=1e-12)
    assert table["limits"]["K_IC"] == {"value": 1.0, "unit": "MPa*m^0.5", "band": [0.86, 1.63]}
    assert table["limits"]["cut_off"] == {"value": 50.0, "unit": "mV"}


def test_steps(table):
    assert table["steps"] == {
        "accepted": 80, "rejected": 3, "newton_mean": pytest.approx(2.9875), "newton_most": 4,
        "dt_smallest": {"value": 360.0, "unit": "s"}, "dt_largest": {"value": 360.0, "unit": "s"},
        "error_largest": 0.5,
    }  # fmt: skip


def test_phases(table):
    phases = table["phases"]
    assert [p["drive"] for p in phases] == ["plating", "rest", "stripping", "rest"] * 2
    assert [p["name"] for p in phases] == ["plate", "rest", "strip", "rest"] * 2
    assert [p["ended_by"] for p in phases][:3] == ["duration", "duration", "voltage_limit"]
    assert [p["start"]["value"] for p in phases] == pytest.approx(
        [3600.0 * k for k in range(8)], abs=1e-9
    )
    assert [p["end"]["value"] for p in phases] == pytest.approx([3600.0 * k for k in range(1, 9)])
    moved = [p["capacity_change"]["value"] for p in phases]
    assert moved == pytest.approx([0.5, 0, -0.5, 0] * 2, abs=1e-12)  # the first step counts, too
    assert phases[4]["cycle"] == 2


def test_events(table):
    assert len(table["events"]) == 1  # ends of phases are none
    event = table["events"][0]
    assert event["time"] == {"value": 9000.0, "unit": "s"}
    assert (event["monitor"], event["value"], event["unit"]) == ("contact", pytest.approx(98), "%")
    assert event["capacity"]["value"] == pytest.approx(0.25)
    assert (event["step"], event["phase"]) == (25, 3)


def test_balances_pass_and_fail(history, table):
    assert table["balances"]["charge"]["relative"] < 1e-15
    assert table["balances"]["charge"]["value"] == pytest.approx(2.0 - 0.05)  # |i| dt, rows 2 on
    assert table["balances"]["plated volume"]["relative"] == pytest.approx(2.5e-13)
    assert all(g["passed"] for g in transient_gates(history, table))

    lost = dict(history)
    lost["capacity"] = history["capacity"] * (1 + 1e-8)
    gates = {g["name"]: g for g in transient_gates(lost, transient_table(lost))}
    assert not gates["balance of charge"]["passed"]  # though it cancels over the cycles
    assert gates["balance of charge"]["value"] == pytest.approx(0.5e-8 / 1.95, rel=0.2)


def test_checks_of_the_model_are_balances(history):
    rows = dict(history)
    rows["mass_defect"] = np.full(80, 3e-14)
    rows["mass_defect"][7] = 2e-9
    table = transient_table(rows)
    assert "mass_defect" not in table["extremes"] and "mass_defect" not in table["final"]
    assert table["balances"]["plated volume"]["relative"] == 2e-9
    gates = {g["name"]: g for g in transient_gates(rows, table)}
    assert not gates["balance of plated volume"]["passed"]
    rows["mass_defect"][7] = 1e-12
    assert all(g["passed"] for g in transient_gates(rows, transient_table(rows)))


def test_energy_and_dissipation(history):
    rows = dict(history)
    n = len(rows["time"])
    rows["dissipation"] = np.linspace(1, 2, n)
    rows["stored_energy"] = np.sin(np.arange(n))
    rows["work"] = rows["dissipation"] + np.diff(rows["stored_energy"], prepend=0.0)
    table = transient_table(rows)
    assert table["balances"]["energy"]["relative"] < 1e-14
    assert {g["name"]: g["passed"] for g in transient_gates(rows, table)}["dissipation"]
    rows["work"] = 1.05 * rows["work"]
    rows["dissipation"] = rows["dissipation"].copy()
    rows["dissipation"][3] = -1e-6
    gates = {g["name"]: g["passed"] for g in transient_gates(rows, transient_table(rows))}
    assert not gates["balance of energy"] and not gates["dissipation"]


def test_one_row_and_gaps(history):
    one = {k: v[:1] for k, v in history.items()}
    table = transient_table(one)
    assert table["duration"]["value"] == 360.0 and table["steps"]["accepted"] == 1
    assert table["phases"][0]["capacity_change"]["value"] == pytest.approx(0.05)
    assert "charge" not in table["balances"]
    json.dumps(table, allow_nan=False)
    gaps = dict(history) | {"contact": np.full(80, np.nan)}
    assert "contact" not in transient_table(gaps)["final"]
    bare = transient_table({"time": np.arange(4.0)})
    assert bare["steps"]["accepted"] == 0 and bare["extremes"] == {}
    assert bare["steps"]["newton_mean"] is None


def test_spans_and_drives(history):
    assert spans(history) == [(10 * k, 10 * k + 10) for k in range(8)]
    assert drive_of(history, 0, 10) == "plating" and drive_of(history, 10, 20) == "rest"
    assert drive_of({"time": np.zeros(2)}, 0, 2) == ""
    assert spans({"time": np.zeros(0)}) == []
    one = {"time": np.arange(3.0), "phase": np.ones(3), "cycle": np.array([1, 1, 2])}
    assert spans(one) == [(0, 2), (2, 3)]  # the same phase in another cycle is another one


@pytest.mark.parametrize(("largest", "passed"), [(0.05, True), (0.35, False)])
def test_small_strains_that_are_not_small_are_refused(largest, passed):
    history = {"time": np.array([1.0, 2.0]), "small_strain": np.array([0.01, largest])}
    gates = transient_gates(history, transient_table(history, []))
    assert [g["passed"] for g in gates if g["name"] == "small strain"] == [passed]
