"""The verdict on a run in time: sentences whose numbers are known beforehand."""

import numpy as np
import pytest
from ssbmech.output.monitors import MONITORS, clock, monitor, time_unit
from ssbmech.output.quantities_transient import transient_table
from ssbmech.output.verdict import Limits, closing_rows, crossing, event_words, moment, verdict

K_IC = 1.0e6
HOUR = 3600.0


def charging(K_end: float, n: int = 101) -> dict[str, np.ndarray]:
    """Galvanostatic at 0.5 mA/cm^2 for 2 h: K grows linearly, p with it, as time does."""
    time = np.linspace(0.0, 2 * HOUR, n)
    share = time / time[-1]
    return {
        "time": time,
        "step": np.arange(n),
        "dt": np.diff(time, prepend=0.0),
        "newton": np.where(time > 0, 3.0, 0.0),
        "voltage": -0.02 - 0.02 * share,
        "current_density": np.full(n, 5.0),
        "capacity": 5.0 * time,
        "pressure_max": 253e6 * share,
        "K_I": K_end * share,
        "K_ratio": K_end / K_IC * share,
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"), (0.00123, "0.00123 s"), (59.9, "59.9 s"), (59.99, "1 min"),
        (95, "1 min 35 s"), (660, "11 min"), (3599.9, "1 h"), (4320, "1 h 12 min"), (7200, "2 h"),
        (86400, "24 h"),
        (200000, "2 d 8 h"), (float("nan"), "ever"),
    ],
)  # fmt: skip
def test_times_in_words(seconds, text):
    assert clock(seconds) == text


def test_units_of_time_axes():
    assert [time_unit(t)[0] for t in (0.0, 0.01, 5.0, 400.0, 7200.0, 4e5)] == [
        "s", "ms", "s", "min", "h", "d"
    ]  # fmt: skip
    assert time_unit(7200.0)[1] == 3600.0


def test_the_flaw_extends():
    # K = 2 K_IC t/2 h reaches K_IC after 1 h, at half of 253 MPa: p V_m/F = 126.5 MPa * 13e-6/96485
    said = verdict(charging(2e6), limits=Limits(K_IC))
    assert said[0] == (
        "The flaw extends after 1 h (0.5 mAh/cm^2): K_I reaches K_IC = 1 MPa m^0.5 at 126 MPa, "
        "which balances 17 mV, and a voltage of -30 mV"
    )
    assert said[-1] == "The run ends after 2 h (1 mAh/cm^2); the voltage is -40 mV"
    assert len(said) == 2


def test_K_alone_is_held_against_K_IC():
    rows = charging(2e6)
    del rows["K_ratio"]
    assert verdict(rows, limits=Limits(K_IC))[0].startswith("The flaw extends after 1 h (0.5")
    assert len(verdict(rows)) == 1  # without a toughness nothing is said of K


def test_K_stays_below():
    said = verdict(charging(0.63e6), limits=Limits(K_IC, (0.5e6, 1.4e6)))
    assert said[0].startswith(
        "K_I stays below K_IC = 1 MPa m^0.5: at most 63 % of it, after 2 h (1 mAh/cm^2), at 253 MPa"
    )
    # half of K_IC: 0.5/0.63 of 2 h
    assert said[1] == (
        "Over the range of K_IC, 0.5 to 1.4 MPa m^0.5, it may extend after 1 h 35 min "
        "(0.794 mAh/cm^2) and may hold to the end"
    )


def test_almost_is_not_rounded_up():
    said = verdict(charging(0.99996e6), limits=Limits(K_IC))
    assert "at most 99.996 % of it" in said[0]


def test_band_of_toughness():
    both = verdict(charging(2e6), limits=Limits(K_IC, (0.8e6, 1.6e6)))
    assert both[1].endswith("it extends between 48 min and 1 h 36 min")
    none = verdict(charging(0.4e6), limits=Limits(K_IC, (0.8e6, 1.6e6)))
    assert none[1].endswith("it holds throughout")
    assert len(verdict(charging(0.4e6), limits=Limits(K_IC, (K_IC, K_IC)))) == 2  # no range


def test_an_event_of_the_march_counts_though_it_stops_a_hair_short():
    rows = charging(0.9999e6)
    log = [{"name": "extension", "time": 2 * HOUR, "step": 100, "action": "stop"}]
    said = verdict(rows, log, Limits(K_IC))
    assert said[0].startswith("The flaw extends after 2 h (1 mAh/cm^2)")
    assert said[-1].startswith("The run ends after 2 h (1 mAh/cm^2): K_I reaches K_IC")
    far = [{"name": "extension", "time": HOUR, "action": "record"}]  # contradicts the history
    assert verdict(rows, far, Limits(K_IC))[0].startswith("K_I stays below")


def test_what_ended_a_run():
    rows = charging(0.4e6)
    log = [{"name": "end_of_phase", "time": 2 * HOUR, "action": "voltage_limit", "kind": "plate"}]
    said = verdict(rows, log, Limits(cut_off=-0.04))
    assert said[-1] == (
        "The run ends after 2 h (1 mAh/cm^2): the voltage reaches its limit; the voltage is -40 mV "
        "(cut-off -40 mV)"
    )
    log[0]["action"] = "duration"
    assert ": " not in verdict(rows, log)[-1]


def test_contact():
    time = np.linspace(0, 2 * HOUR, 5)
    rows = {"time": time, "capacity": -5.0 * time, "contact": np.array([1, 0.8, 0.41, 0.42, 0.5])}
    assert verdict(rows)[0] == (
        "Contact falls from 100 % to 41 % after 1 h (0.5 mAh/cm^2 stripped), and ends at 50 %"
    )
    rows["current_factor"] = 1 / rows["contact"]
    assert "where the largest current is 2.44 of the mean" in verdict(rows)[0]
    rows["contact"] = np.array([0.3, 0.5, 0.6, 0.7, 0.9])
    assert verdict(rows)[0] == "Contact rises from 30 % to 90 %"
    rows["contact"] = np.full(5, 0.25)
    assert verdict(rows)[0] == "Contact stays at 25 %"


def test_fill_and_stack():
    time = np.linspace(0, HOUR, 5)
    rows = {"time": time, "fill": np.array([0.2, 0.6, 1.0, 1.0, 1.0])}
    assert verdict(rows)[0] == "The flaw is full after 30 min"
    rows["fill"] = np.linspace(0.2, 0.6, 5)
    assert verdict(rows)[0] == "Lithium fills from 20 % to 60 % of the flaw"
    rows["fill"] = rows["fill"][::-1]
    assert verdict(rows)[0] == "Lithium recedes from 60 % to 20 % of the flaw"
    rows["fill"] = np.ones(5)
    rows["stack_pressure"] = np.array([1e6, 3e6, 5e6, 4e6, 2e6])
    assert verdict(rows)[0] == ("Stack pressure goes from 1 MPa to 2 MPa, between 1 MPa and 5 MPa")
    rows["stack_pressure"] = np.full(5, 5e6)
    assert len(verdict(rows)) == 1  # nothing moves: only that it ended


def test_one_row_and_none():
    rows = {k: v[:1] for k, v in charging(2e6).items()}
    said = verdict(rows, limits=Limits(K_IC))
    assert said[0].startswith("K_I stays below K_IC = 1 MPa m^0.5: at most 0 % of it, at the start")
    assert verdict({"time": np.zeros(0)}) == ["No step was made"]


def test_values_that_do_not_exist_are_passed_over():
    rows = charging(2e6)
    rows["K_ratio"] = rows["K_ratio"].copy()
    rows["K_ratio"][40:60] = np.nan  # the crossing lies in the gap: the first row after it counts
    at = crossing(rows, "K_ratio", 1.0)
    assert at is not None and at.time == pytest.approx(rows["time"][60])
    rows["pressure_max"] = np.full(101, np.nan)
    said = verdict(rows, limits=Limits(K_IC))
    assert "nan" not in " ".join(said) and "balances" not in said[0]
    rows["K_ratio"] = rows["K_I"] = np.full(101, np.nan)
    assert len(verdict(rows, limits=Limits(K_IC))) == 1


def test_crossings():
    rows = {"time": np.array([0.0, 1.0, 4.0]), "a": np.array([0.0, 2.0, -4.0])}
    assert crossing(rows, "a", 1.0).time == pytest.approx(0.5)
    assert crossing(rows, "a", -1.0, rising=False).time == pytest.approx(1 + 3 * 3 / 6)
    assert crossing(rows, "a", 3.0) is None and crossing(rows, "b", 0.0) is None
    at = moment(rows, 2.0)
    assert at.value(rows, "a") == pytest.approx(0.0) and at.value(rows, "b") is None
    assert moment(rows, 9.0).value(rows, "a") == -4.0


def test_words_of_events():
    assert event_words("extension") == "K_I reaches K_IC"
    assert event_words("contact_opens") == "contact opens"
    assert event_words("K_ratio_above K_IC") == "K_ratio above K_IC"
    assert event_words("K_I_reaches_K_IC") == "K_I reaches K_IC"


def test_unlisted_monitors_have_units_by_their_names():
    assert monitor("root_stress").shown(2.5e6) == "2.5 MPa"
    assert monitor("gap_potential").shown(1e-3) == "1 mV"
    assert monitor("whatever").shown(0.25) == "0.25"
    assert monitor("contact").shown(0.41) == "41 %"
    assert MONITORS["capacity"].shown(36000.0) == "1 mAh/cm^2"
    assert monitor("voltage").shown(-0.0) == "0 mV"


def test_closing_table():
    rows = charging(2e6)
    log = [{"name": "contact_lost", "time": 600.0 * k, "step": k} for k in range(1, 5)]
    table = transient_table(rows, log, limits=Limits(K_IC), rejected=2)
    lines = dict(closing_rows(table))
    assert lines["verdict"].startswith("The flaw extends after 1 h")
    assert lines["event, contact falls below its limit"] == (
        "10 min, 0.08333 mAh/cm^2; 4 times, the last at 40 min"
    )
    assert lines["largest pressure"] == "0 to 253 MPa, 253 at the end"
    assert lines["current density"] == "0.5 mA/cm^2"
    assert lines["time steps"] == "100, 2 refused, 3 Newton iterations each (at most 3)"
    assert all(len(text) <= 110 for _, text in closing_rows(table))
    assert closing_rows(None) == []
