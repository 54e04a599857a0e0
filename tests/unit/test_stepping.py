"""Steps in time: error estimate, control, events, ends of phases, restart; on small equations."""

import dataclasses
import json
import math

import numpy as np
import pytest
from odes import Linear, Oscillator
from ssbmech.errors import CaseError, SolverError
from ssbmech.interrupts import Interrupted
from ssbmech.numerics.controller import Controller, Options, StepError
from ssbmech.numerics.events import Event, furthest, locate
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Drive, Phase, Position, Trial, local_error

OPTIONS = Options(smallest=1e-9)


def phase(duration=2.0, i=0.0, *, first=1e-3, largest=math.inf, ends=(), kind="rest"):
    return Phase(kind, Drive(current_density=i), duration, first, largest, tuple(ends))


def run(model, phases, options=OPTIONS, **more):
    steps = []
    more.setdefault("on_step", steps.append)
    return march(model, phases, options, **more), steps


# -- local error ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dt_old", [0.03, 0.3, 3.0])
def test_error_of_a_parabola_is_exact(dt_old):
    # x' = 2 t by backward Euler: the rates are those at the ends, 2 t; the error is dt^2 x''/2
    t, dt = 1.0, 0.3
    x, rate = 5.0, 2.0 * t
    new = x + dt * 2.0 * (t + dt)
    true = new - (x + (t + dt) ** 2 - t**2)
    found = local_error(new, x, rate, dt, dt_old, tolerance=1e-2, scale=4.0)
    assert found == pytest.approx(true / 4e-2, rel=1e-12)
    assert found == pytest.approx(dt**2 / 4e-2, rel=1e-12)


def test_the_largest_entry_counts_and_the_largest_rank():
    old, rate = np.zeros(3), np.zeros(3)
    new = np.array([0.2, -0.8, 0.2])
    more = {"tolerance": 1.0, "scale": np.array([1.0, 2.0, 0.1])}
    assert local_error(new, old, rate, 1.0, 1.0, **more) == pytest.approx(1.0)
    assert local_error(new, old, rate, 1.0, 1.0, reduce=lambda e: e + 5.0, **more) == 6.0
    assert local_error(new[:0], old[:0], rate[:0], 1.0, 1.0, tolerance=1.0, scale=1.0) == 0.0


def test_without_a_rate_nothing_is_known():
    assert local_error([1.0], [0.0], None, 1.0, 1.0, tolerance=1e-9, scale=1.0) == 0.0
    assert local_error([1.0], [0.0], [0.0], 1.0, 0.0, tolerance=1e-9, scale=1.0) == 0.0


def test_not_a_number_is_kept():
    assert math.isnan(local_error([math.nan], [0.0], [0.0], 1.0, 1.0, tolerance=1, scale=1))


@pytest.mark.parametrize("given", [{}, {"current_density": 1.0, "potential": 0.0}])
def test_a_drive_is_one_of_two(given):
    with pytest.raises(ValueError, match="either"):
        Drive(**given)


# -- controller -----------------------------------------------------------------------------------


def test_control_limits_growth_and_shrinking():
    c = Controller(OPTIONS, 1.0)
    c.passed(1.0, 1e-12, 3, cut=False)
    assert c.wish == 2.0
    c.rejected(1.0, 1e12)
    assert c.wish == pytest.approx(0.2)
    c.rejected(1.0, 1.001)
    assert c.wish < 0.9
    c.passed(0.5, 1e-12, 3, cut=False)  # the step after one that failed does not grow
    assert c.wish == 0.5
    c.passed(0.5, 1e-12, 3, cut=False)
    assert c.wish == 1.0
    c.diverged(1.0)
    assert c.wish == 0.5


def test_control_settles_where_the_error_is_as_wanted():
    c = Controller(OPTIONS, 1e-3)
    for _ in range(200):
        error = (c.wish / 0.1) ** 2
        if error > 1.0:
            c.rejected(c.wish, error)
        else:
            c.passed(c.wish, error, 2, cut=False)
    assert (c.wish / 0.1) ** 2 == pytest.approx(0.8, rel=1e-6)


def test_many_newton_iterations_slow_the_growth():
    c = Controller(OPTIONS, 1.0)
    c.passed(1.0, 1e-9, 8, cut=False)
    assert c.wish == 2.0
    c.passed(1.0, 1e-9, 16, cut=False)
    assert c.wish == pytest.approx(math.sqrt(2.0))
    for _ in range(100):  # a model that always needs many still gets to long steps
        c.passed(c.wish, 1e-9, 40, cut=False)
    assert c.wish > 1e3


def test_steps_that_pass_do_not_get_shorter_than_the_smallest():
    c = Controller(Options(smallest=0.1), 0.1)
    c.passed(0.1, 1.0, 3, cut=False)
    c.passed(0.1, 1.0, 3, cut=False)
    assert c.wish == 0.1


def test_a_cut_step_does_not_shorten_those_after_it():
    c = Controller(OPTIONS, 1.0)
    c.passed(0.4, 0.1, 2, cut=True)
    assert c.wish == 1.0
    c.wish = 1.0
    c.passed(1e-6, 1e-13, 2, cut=True)  # but a tiny one is left in bounds: its rate is inexact
    assert c.wish == pytest.approx(1e-5)


def test_the_last_two_steps_before_a_target_are_alike():
    c = Controller(OPTIONS, 1.0)
    assert c.fits(10.0, math.inf) == (1.0, False)
    assert c.fits(10.0, 0.25) == (0.25, False)
    assert c.fits(1.1, math.inf) == (0.55, True)
    assert c.fits(1.0, math.inf) == (1.0, True)
    assert c.fits(0.3, math.inf) == (0.3, True)


# -- events ---------------------------------------------------------------------------------------


def test_distance_of_an_event():
    fall = Event("f", "V", -2.0, rising=False)
    assert fall.distance({"V": -1.0}, {}) == -0.5
    assert fall.distance({"V": -3.0}, {}) == 0.5
    size = Event("s", "i", 2.0, rising=False, measure="size")
    assert size.distance({"i": -1.0}, {}) == 0.5
    change = Event("c", "Q", 2.0, measure="change")
    assert change.distance({"Q": -3.0}, {"Q": -1.0}) == 0.0
    assert change.distance({"Q": 3.0}, {}) == 0.5
    assert Event("z", "V", 0.0).distance({"V": 0.25}, {}) == 0.25
    assert Event("n", "V", 1.0, scale=4.0).distance({"V": 2.0}, {}) == 0.25
    assert Event("nan", "V", 1.0).distance({"V": math.nan}, {}) == -math.inf
    assert furthest([fall, size], {"V": -3.0, "i": 1.0}, {}) == 0.5
    assert furthest([], {}, {}) == -math.inf


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x - 0.3, lambda x: x**9 - 0.3**9, lambda x: math.tanh(50 * (x - 0.3)),
        lambda x: 1e3 * (x - 0.3), lambda x: -1.0 if x < 0.3 else 1.0,
        lambda x: math.sqrt(x) - math.sqrt(0.3), lambda x: (x - 0.3) ** 3,
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_locate(function, known):
    calls = []

    def distance(x):
        calls.append(x)
        return function(x)

    before = function(0.0) if known else None
    found = locate(distance, 1.0, before, function(1.0), tolerance=1e-6, shortest=1e-9)
    assert function(found) >= 0.0
    assert function(found) <= 1e-6 or found - 0.3 <= 1e-9
    assert len(calls) <= 45


def test_locate_is_fast_where_it_is_smooth():
    calls = []

    def distance(x):
        calls.append(x)
        return math.exp(x) - math.exp(0.3)

    locate(distance, 1.0, distance(0.0), distance(1.0), tolerance=1e-6, shortest=1e-9)
    assert len(calls) - 2 <= 6


def test_an_event_ends_the_run_just_past_it():
    # x = exp(-t) falls to 0.5
    end = Event("half", "voltage", 0.5, rising=False, action="stop")
    outcome, steps = run(Linear(), [phase(5.0)], events=[end])
    assert outcome.reason == "half"
    assert steps[-1].events == ("half",)
    assert steps[-1].output
    assert 0.0 <= 0.5 - outcome.monitors["voltage"] <= 0.5e-6
    assert outcome.events[-1]["value"] == outcome.monitors["voltage"]
    assert outcome.events[-1]["time"] == outcome.time == steps[-1].time


def test_the_first_of_several_events_is_met_first():
    late = Event("late", "voltage", 0.70, rising=False)
    early = Event("early", "voltage", 0.71, rising=False)
    outcome, steps = run(Linear(), [phase(5.0, largest=1.0)], events=[late, early])
    assert [e["name"] for e in outcome.events] == ["early", "late"]
    assert outcome.reason == "programme"
    assert [s.events for s in steps if s.events] == [("early",), ("late",)]


def test_an_event_is_recorded_again_after_its_monitor_has_come_back():
    up = Event("up", "voltage", 0.5)
    phases = [phase(3.0, i) for i in (1.0, 0.0, 1.0)]
    outcome, _ = run(Linear(0.0), phases, events=[up])
    assert [e["phase"] for e in outcome.events] == [1, 3]


def test_a_recorded_event_that_was_met_before_the_run_costs_no_small_steps():
    met = Event("met", "voltage", 0.5)
    outcome, steps = run(Linear(), [phase(1.0)], events=[met])
    assert outcome.events[0]["step"] == 1
    assert steps[0].dt == 1e-3


def test_a_limit_that_is_passed_at_once_ends_its_phase_at_once():
    limit = Event("voltage_limit", "voltage", 1.5, False, "end_phase")
    outcome, steps = run(Linear(), [phase(1.0, ends=[limit]), phase(1.0, kind="after")])
    assert steps[0].events == ("voltage_limit",)
    assert steps[0].time <= 1e-8
    assert outcome.phases[0]["action"] == "voltage_limit"
    assert outcome.time == pytest.approx(1.0, rel=1e-7)


def test_events_of_a_phase_are_armed_in_each_phase():
    low = Event("voltage_limit", "voltage", 0.5, False, "end_phase")
    phases = [phase(9.0, 0.0, ends=[low]), phase(9.0, 1.0, ends=[]), phase(9.0, 0.0, ends=[low])]
    outcome, _ = run(Linear(), phases)
    assert [p["action"] for p in outcome.phases] == ["voltage_limit", "duration", "voltage_limit"]


def test_an_event_needs_its_monitor_unless_it_is_only_recorded():
    missing = Event("extension", "K_ratio", 1.0)
    run(Linear(), [phase()], events=[missing])
    stop = dataclasses.replace(missing, action="stop")
    with pytest.raises(CaseError, match=r"extension: the model gives no 'K_ratio'.*voltage"):
        run(Linear(), [phase()], events=[stop])


# -- phases and outputs ---------------------------------------------------------------------------


def test_ends_of_phases_and_outputs_are_met_exactly():
    durations = [0.1, 0.7, 1.3, 1e-4]
    outputs = [0.05, 0.1, 1.0 / 3.0, 2.1]
    outcome, steps = run(Linear(), [phase(d, 1.0) for d in durations], outputs=outputs)
    times = [s.time for s in steps]
    assert outcome.time == pytest.approx(math.fsum(durations), rel=1e-15)
    for time in (*outputs, *np.cumsum(durations)):
        assert min(abs(t - time) for t in times) <= 1e-15
    marked = [s.time for s in steps if s.output]
    assert marked == pytest.approx(sorted({*outputs, outcome.time}), abs=1e-15)
    assert math.fsum(s.dt for s in steps) == pytest.approx(outcome.time, rel=1e-12)
    assert [p["time"] for p in outcome.phases] == pytest.approx(np.cumsum(durations), abs=1e-15)


def test_steps_stay_below_the_largest():
    _, steps = run(Linear(tolerance=10.0), [phase(2.0, largest=0.05)])
    assert max(s.dt for s in steps) <= 0.05 * (1 + 1e-9)


def test_a_first_step_that_is_too_long_is_shortened_before_it_is_taken():
    # x = exp(-100 t): the local error of the first step is (100 dt)^2/2
    model = Linear(speed=100.0, tolerance=1e-4)
    _, steps = run(model, [phase(1.0, first=0.5)])
    assert (100.0 * steps[0].dt) ** 2 / 2.0 <= 1.2e-4
    good = Linear(speed=100.0, tolerance=1e-4)
    _, steps = run(good, [phase(1.0, first=1e-4)])
    assert steps[0].dt == 1e-4


def test_each_phase_starts_with_a_step_that_suits_it():
    model = Linear(speed=100.0, tolerance=1e-4)
    _, steps = run(model, [phase(1.0, first=1e-4), phase(1.0, 1.0, first=0.5)])
    first = next(s for s in steps if s.phase == 2)
    assert (100.0 * first.dt) ** 2 / 2.0 <= 1.2e-4


# -- failure --------------------------------------------------------------------------------------


class Fragile(Linear):
    """Does not converge with steps above a length, which may depend on time."""

    def __init__(self, limit):
        super().__init__(tolerance=1.0)
        self.limit = limit

    def advance(self, time, dt, drive):
        if dt > self.limit(time - dt):
            raise SolverError("Newton wandered off", key="Newton")
        return super().advance(time, dt, drive)


def test_a_step_that_does_not_converge_is_halved():
    model = Fragile(lambda t: 0.02)
    outcome, steps = run(model, [phase(1.0, first=0.1, largest=0.1)])
    assert outcome.time == 1.0
    assert max(s.dt for s in steps) <= 0.02
    assert outcome.rejected > 0
    assert sum(s.rejected for s in steps) <= outcome.rejected


def test_a_run_that_is_stuck_ends_with_its_state_kept():
    model = Fragile(lambda t: 0.1 if t < 0.5 else 0.0)
    kept = []
    save = lambda at: kept.append((at.time, model.save())) or "the file"  # noqa: E731
    with pytest.raises(StepError) as caught:
        run(model, [phase(1.0, first=0.1)], Options(smallest=1e-3), save=save)
    text = str(caught.value)
    for words in ("Newton wandered off", "0.5", "after step", "phase 1, rest", "0.001 s",
                  "kept in the file"):  # fmt: skip
        assert words in text
    assert kept[-1][0] == pytest.approx(0.5, abs=0.2)
    assert kept[-1][1]["x"] == model.x
    assert isinstance(caught.value, SolverError)


def test_an_error_that_no_step_can_meet_is_told():
    class Rough(Linear):
        def advance(self, time, dt, drive):
            return dataclasses.replace(super().advance(time, dt, drive), error=3.0)

    with pytest.raises(StepError, match=r"local error is 3 times the tolerance.*time.tolerance"):
        run(Rough(), [phase(1.0)], Options(smallest=1e-6))


def test_not_a_number_is_a_failure():
    class Lost(Linear):
        def advance(self, time, dt, drive):
            trial = super().advance(time, dt, drive)
            return Trial(trial.monitors, math.nan, 1)

    with pytest.raises(StepError, match="not a number"):
        run(Lost(), [phase(1.0)], Options(smallest=1e-4))


def test_as_many_steps_as_allowed():
    kept = []
    save = lambda at: kept.append(at.as_dict()) or "the file"  # noqa: E731
    options = Options(smallest=1e-9, max_steps=5)
    with pytest.raises(StepError, match=r"max_steps.*5.*from the file"):
        run(Linear(), [phase()], options, save=save)
    at = Position.from_dict(json.loads(json.dumps(kept[-1])))
    assert at.steps == 5


# -- restart --------------------------------------------------------------------------------------

PHASES = [
    phase(2.0, 1.0), phase(60.0, 0.0), phase(1.0, -1.0),
    phase(99.0, -1.0, ends=[Event("voltage_limit", "voltage", 1.0, True, "end_phase")]),
]  # fmt: skip


def test_from_any_checkpoint_the_same_numbers():
    saved, whole = [], Oscillator()
    events = [Event("cross", "voltage", 0.0, rising=False)]

    def save(at):
        saved.append((json.dumps(at.as_dict()), whole.save()))
        return ""

    options = Options(smallest=1e-9, checkpoint=1)
    more = {"events": events, "outputs": [0.3, 3.0, 30.0]}
    expected, steps = run(whole, PHASES, options, save=save, **more)
    assert len(saved) == len(steps) > 100
    assert expected.reason == "programme"
    assert {e["name"] for e in expected.events} == {"cross", "voltage_limit"}
    boundary = next(s.number for s in steps if s.phase > 1) - 2
    for k in (0, 1, 7, boundary, boundary + 1, len(steps) // 2, len(steps) - 2, len(steps) - 1):
        text, arrays = saved[k]
        again = Oscillator()
        again.load(arrays)
        at = Position.from_dict(json.loads(text))
        outcome, rest = run(again, PHASES, options, position=at, **more)
        assert again.x.tolist() == whole.x.tolist()  # to the last bit
        assert rest == steps[k + 1 :]
        assert outcome == expected


def test_a_programme_that_became_longer_goes_on():
    at = Position()
    model = Linear()
    run(model, [phase(1.0)], position=at)
    assert at.ended == "programme"
    outcome, steps = run(model, [phase(1.5), phase(1.0, 1.0)], position=at)
    assert outcome.time == pytest.approx(2.5, rel=1e-14)
    assert steps[0].time > 1.0
    assert [p["action"] for p in outcome.phases] == ["duration"] * 3
    outcome, steps = run(model, [phase(1.5), phase(1.0, 1.0)], position=at)
    assert steps == []
    outcome, _ = run(model, [phase(1.5), phase(1.0, 1.0), phase(1.0)], position=at)
    assert outcome.time == pytest.approx(3.5, rel=1e-14)


def test_a_programme_that_became_shorter_is_refused():
    at = Position()
    run(Linear(), [phase(1.0), phase(1.0)], position=at)
    with pytest.raises(CaseError, match=r"phase 2.*1 phase"):
        run(Linear(), [phase(1.0)], position=at)


def test_a_signal_ends_the_march_after_the_step():
    kept = []
    seen = []
    with pytest.raises(Interrupted, match=r"step 3.*SIGTERM.*kept in the file") as caught:
        run(
            Linear(), [phase()], on_step=seen.append, listen=lambda: 15 if len(seen) == 3 else 0,
            save=lambda at: kept.append(at.steps) or "the file",
        )  # fmt: skip
    assert caught.value.signum == 15
    assert kept == [3]
