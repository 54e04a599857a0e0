"""Programmes of a cell: what [time] and [[step]] mean for a march, and that it does that."""

import math

import pytest
from odes import Linear
from ssbmech.config_time import StepBlock, TimeBlock
from ssbmech.errors import CaseError
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Drive
from ssbmech.programme import programme

PLATE = {"do": "plate", "current_density": "1 mA/cm^2"}
STRIP = {"do": "strip", "current_density": "1 mA/cm^2"}


def plan(*steps, **time):
    return programme(TimeBlock(**time), [StepBlock(**s) for s in steps])


def test_drives_have_the_signs_of_results():
    found = plan(
        {**PLATE, "duration": "1 h"}, {**STRIP, "duration": "1 h"},
        {"do": "rest", "duration": "1 s"},
        {"do": "hold", "potential": "-20 mV", "duration": "1 h"},
    )  # fmt: skip
    assert [p.drive for p in found.phases] == [
        Drive(current_density=10.0), Drive(current_density=-10.0), Drive(current_density=0.0),
        Drive(potential=-0.02),
    ]  # fmt: skip
    assert [p.kind for p in found.phases] == ["plate", "strip", "rest", "hold"]
    assert found.length == 3600 * 3 + 1


def test_a_capacity_at_a_given_current_is_a_time():
    (phase,) = plan({**PLATE, "capacity": "0.1 mAh/cm^2", "duration": "1 h"}).phases
    assert phase.duration == pytest.approx(360.0, rel=1e-14)
    assert phase.ends == ()
    (phase,) = plan({**PLATE, "capacity": "9 mAh/cm^2", "duration": "1 h"}).phases
    assert phase.duration == 3600.0


def test_limits_are_events_with_a_direction():
    first, second, third = plan(
        {**PLATE, "voltage_limit": "-50 mV"}, {**STRIP, "voltage_limit": "50 mV"},
        {"do": "hold", "potential": "-20 mV", "capacity": "1 C/m^2", "current_limit": "2 A/m^2"},
        first_step="1 s",
    ).phases  # fmt: skip
    assert (first.duration, first.largest) == (math.inf, math.inf)
    (low,), (high,) = first.ends, second.ends
    assert low.distance({"voltage": -0.06}, {}) > 0 > low.distance({"voltage": -0.04}, {})
    assert high.distance({"voltage": 0.06}, {}) > 0 > high.distance({"voltage": 0.04}, {})
    current, capacity = third.ends
    assert current.distance({"current_density": -1.0}, {}) > 0
    assert capacity.distance({"capacity": -3.0}, {"capacity": -2.0}) == 0.0
    assert {e.action for e in (low, high, current, capacity)} == {"end_phase"}


def test_cycles_repeat_the_list():
    found = plan({**PLATE, "duration": "1 h"}, {"do": "rest", "duration": "1 h"}, cycles=3)
    assert [(p.kind, p.cycle) for p in found.phases] == [
        ("plate", 1), ("rest", 1), ("plate", 2), ("rest", 2), ("plate", 3), ("rest", 3),
    ]  # fmt: skip


def test_lengths_of_steps():
    (phase,) = plan({**PLATE, "duration": "1000 s"}).phases
    assert (phase.first, phase.largest) == (pytest.approx(0.1), pytest.approx(50.0))
    found = plan({**PLATE, "duration": "10 s"}, first_step="2 s", largest_step="3 s",
                 smallest_step="1 s", max_steps=7, checkpoint=3)  # fmt: skip
    assert (found.phases[0].first, found.phases[0].largest) == (2.0, 3.0)
    assert (found.options.smallest, found.options.max_steps) == (1.0, 7)
    assert found.options.checkpoint == 3
    assert plan({**PLATE, "duration": "10 s"}).options.smallest == pytest.approx(1e-9)


def test_events_of_the_run():
    found = plan({**PLATE, "duration": "1 h"}, stop_at=["contact_lost"], contact_limit=0.3)
    events = {e.name: e for e in found.events}
    extension, contact, cracking = (events[n] for n in ("extension", "contact_lost", "cracking"))
    assert [e.action for e in (extension, contact, cracking)] == ["record", "stop", "record"]
    assert cracking.distance({"strength_ratio": 1.0}, {}) == 0.0
    assert extension.distance({"K_ratio": 1.0}, {}) == 0.0
    assert contact.distance({"contact": 0.2}, {}) == pytest.approx(0.1)


def test_outputs():
    step = {**PLATE, "duration": "1 h"}
    assert plan(step, outputs=4).outputs == (900.0, 1800.0, 2700.0, 3600.0)
    assert plan(step, outputs=0).outputs == ()
    assert plan(step, outputs=["30 min", "1 min"]).outputs == (60.0, 1800.0)
    limit = {**PLATE, "voltage_limit": "-1 V"}
    assert plan(step, limit, first_step="1 s").outputs == ()


def test_no_steps():
    with pytest.raises(CaseError, match=r"step: .*needs a programme"):
        programme(None, [])


def test_capacity_and_voltage_limits_in_a_run():
    # the voltage follows x' = -(x - i): strip to -0.5 V is never reached from below at i = -1 A/m^2
    found = programme(
        TimeBlock(first_step="1 ms", cycles=2),
        [
            StepBlock(do="plate", current_density="1 A/m^2", capacity="2 C/m^2"),
            StepBlock(do="strip", current_density="1 A/m^2", duration="1 h", voltage_limit="0.5 V"),
            StepBlock(do="strip", current_density="1 A/m^2", capacity="0.5 C/m^2"),
        ],
    )
    outcome = march(Linear(), found.phases, found.options)
    assert [p["action"] for p in outcome.phases] == ["duration", "voltage_limit", "duration"] * 2
    # plating lifts x above 0.5: the limit of the strip is passed at once
    assert outcome.time == pytest.approx(5.0, abs=1e-6)
    assert outcome.monitors["capacity"] == pytest.approx(3.0, abs=1e-6)


def test_a_hold_ends_with_its_capacity():
    # potential 2 V: the charge in Linear is its drive times time
    found = programme(
        TimeBlock(first_step="1 ms"), [StepBlock(do="hold", potential="2 V", capacity="3 C/m^2")]
    )
    outcome = march(Linear(), found.phases, found.options)
    assert outcome.phases[0]["action"] == "capacity"
    assert outcome.time == pytest.approx(1.5, rel=1e-6)
    assert 0.0 <= outcome.monitors["capacity"] - 3.0 <= 3e-6
