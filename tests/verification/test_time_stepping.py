"""Adaptive implicit steps against closed forms: accuracy, error estimate, events, work, ends.

Equations of one unknown, solved by backward Euler to rounding, so that nothing but the steps in
time is tested:

    relaxation     x' = u(t) - x              x = u + (x0 - u) exp(-t)
    creep          x' = -x^5 (stress of a bar held at a strain; rates over decades)
                                              x = (x0^-4 + 4 t)^(-1/4)
    stiff          x' = -1e6 (x - cos t) - sin t    x = cos t     (Prothero & Robinson 1974)
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssbmech.numerics.controller import Options
from ssbmech.numerics.events import Event
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Drive, Phase, Trial, local_error

pytestmark = pytest.mark.verification

OPTIONS = Options(smallest=1e-14, max_steps=10**6)


class Scalar:
    """x' = f(t, x, u) by backward Euler; keeps what each accepted step started from."""

    def __init__(self, f, slope, x0, tolerance):
        self.f, self.slope, self.tolerance = f, slope, tolerance
        self.x, self.rate, self.dt, self.charge = x0, None, 0.0, 0.0
        self.taken = []

    def advance(self, time, dt, drive):
        u, x = drive.current_density, self.x
        for _ in range(60):
            change = (x - self.x - dt * self.f(time, x, u)) / (1.0 - dt * self.slope(time, x, u))
            x -= change
            if abs(change) <= 1e-15 * abs(x):
                break
        more = {"tolerance": self.tolerance, "scale": 1.0}
        error = local_error(x, self.x, self.rate, dt, self.dt, **more)
        charge = self.charge + u * dt
        self.trial = (time, x, (x - self.x) / dt, dt, error, charge)
        return Trial({"x": x, "capacity": charge}, error, 3)

    def accept(self):
        time, x, rate, dt, error, charge = self.trial
        self.taken.append((time, dt, self.x, x, error * self.tolerance, self.rate is not None))
        self.x, self.rate, self.dt, self.charge = x, rate, dt, charge

    def save(self):
        self.kept = len(self.taken)
        return {"state": (self.x, self.rate, self.dt, self.charge)}

    def load(self, arrays):
        del self.taken[self.kept :]
        self.x, self.rate, self.dt, self.charge = arrays["state"]


def relaxation(tolerance, x0=1.0):
    return Scalar(lambda t, x, u: u - x, lambda t, x, u: -1.0, x0, tolerance)


def creep(tolerance, x0=3.0):
    return Scalar(lambda t, x, u: -(x**5), lambda t, x, u: -5.0 * x**4, x0, tolerance)


def creep_exact(x0, t):
    return (x0**-4.0 + 4.0 * t) ** -0.25


def phase(duration, u=0.0, first=1e-5, ends=()):
    return Phase("rest", Drive(current_density=u), duration, first, math.inf, tuple(ends))


def run(model, *phases, **more):
    outcome = march(model, phases, OPTIONS, **more)
    return outcome, np.array([t[:5] for t in model.taken])


def fitted(x, y):
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def check(page, name):
    return page(
        "T1",
        "Adaptive steps in time",
        part=name,
        problem="equations of one unknown with closed solutions, marched by backward Euler with "
        "the step control of the software: " + name,
        reference="closed form",
    )


PROBLEMS = {
    "relaxation": (relaxation, lambda t: np.exp(-t), lambda x, dt: x * math.exp(-dt), 4.0),
    "creep": (creep, lambda t: creep_exact(3.0, t), creep_exact, 20.0),
}
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6)


@pytest.mark.parametrize("name", PROBLEMS)
def test_error_and_work_against_tolerance(page, name):
    """Local errors e allow steps of sqrt(2 e/x''), and the sum of errors goes as sqrt(e)."""
    make, exact, _, end = PROBLEMS[name]
    errors, steps = [], []
    for tolerance in TOLERANCES:
        _, taken = run(make(tolerance), phase(end))
        errors.append(np.abs(taken[:, 3] - exact(taken[:, 0])).max())
        steps.append(len(taken))
    c = check(page, f"{name}: accuracy")
    why = "exponent over four tolerances; the ends of the range are not quite asymptotic"
    c.within("exponent of the largest error", fitted(TOLERANCES, errors), 0.5, 0.06, why=why,
             scale=1.0)  # fmt: skip
    c.within("exponent of the number of steps", fitted(TOLERANCES, steps), -0.5, 0.06, why=why,
             scale=1.0)  # fmt: skip
    size = [e / math.sqrt(t) for e, t in zip(errors, TOLERANCES, strict=True)]
    assert max(size) < 1.5  # the error is about sqrt(tolerance) of the scale itself, not a multiple
    c.note(
        "The tolerance bounds the error of a single step. What adds up goes as its square root: a "
        f"tolerance 100 times smaller gives an error 10 times smaller. Here the largest error is "
        f"{size[0]:.2f} sqrt(tolerance), and a tolerance of 1e-3 takes {steps[0]} steps."
    )
    c.plot("tolerance", "largest error", {
        "computed": (TOLERANCES, errors),
        "slope 1/2": (TOLERANCES, [errors[-1] * math.sqrt(t / TOLERANCES[-1]) for t in TOLERANCES]),
    }, log=True)  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_estimate_against_the_true_local_error(page, name):
    """True: the step from the same value by the closed form. The estimate is of leading order."""
    make, _, flow, end = PROBLEMS[name]
    spread = {}
    for tolerance in (1e-3, 1e-5):
        model = make(tolerance)
        run(model, phase(end))
        known = [t for t in model.taken if t[5]]
        true = np.array([abs(new - flow(old, dt)) for _, dt, old, new, _, _ in known])
        estimate = np.array([t[4] for t in known])
        good = true > 1e-9  # below, rounding of the closed form counts
        ratio = estimate[good] / true[good]
        assert good.sum() > 20
        spread[tolerance] = (ratio.min(), np.median(ratio), ratio.max())
        assert true.max() <= 1.05 * tolerance
    c = check(page, f"{name}: estimate of the local error")
    low, middle, high = spread[1e-5]
    why = "first order in dt/T: dt/T is about 0.005 at this tolerance"
    c.within("estimate over true error, tolerance 1e-5, median", middle, 1.0, 0.01, why=why)
    c.within("the same, smallest and largest", [low, high], [1.0, 1.0], 0.03, why=why)
    low, middle, high = spread[1e-3]
    assert 0.9 < low <= high < 1.2
    c.note(
        f"At the default tolerance of 1e-3 the estimate is {low:.2f} to {high:.2f} of the true "
        f"local error, {middle:.2f} in the middle."
    )


def test_a_stiff_equation_needs_no_small_steps(page):
    def f(t, x, u):
        return -1e6 * (x - math.cos(t)) - math.sin(t)

    model = Scalar(f, lambda t, x, u: -1e6, 1.0, 1e-3)
    _, taken = run(model, phase(10.0))
    c = check(page, "stiff: steps follow the slow solution")
    error = np.abs(taken[:, 3] - np.cos(taken[:, 0])).max()
    c.within(
        "largest error",
        error,
        0.0,
        1e-6,
        scale=1.0,
        why="dt^2/2 x'' is divided by 1 + 1e6 dt; the estimate leaves that out and is safe",
    )
    assert len(taken) < 10.0 / math.sqrt(2e-3) * 1.5
    c.note(
        f"{len(taken)} steps for 10 time units and a rate of 1e6; explicit steps would be 5e6. The "
        "estimate is that of an equation that is not stiff: on the safe side."
    )


def test_work_saved_against_constant_steps(page):
    """Creep from x = 30: the first change takes 1e-7 of the time."""
    end, x0 = 1.0, 30.0
    model = creep(1e-2, x0)
    outcome, taken = run(model, phase(end, first=1e-9))
    mine = np.abs(taken[:, 3] - creep_exact(x0, taken[:, 0])).max()

    def constant(count):
        fixed, dt, worst = creep(math.inf, x0), end / count, 0.0
        for k in range(count):
            fixed.advance((k + 1) * dt, dt, Drive(current_density=0.0))
            fixed.accept()
            worst = max(worst, abs(fixed.x - creep_exact(x0, (k + 1) * dt)))
        return worst

    # With constant steps the largest error only starts to fall with dt below 1/x0^4 = 1.2e-6.
    counts = (100, 50000)
    others = [constant(n) for n in counts]
    tries = outcome.steps + outcome.rejected
    c = check(page, "creep: work")
    assert all(other > 2.0 * mine for other in others)
    assert tries < counts[-1] / 200
    c.note(
        f"Creep from x = 30 with a tolerance of 1e-2: {outcome.steps} steps and "
        f"{outcome.rejected} that did not pass reach an error of {mine:.1e}; 50 000 equal steps "
        f"have {others[-1]:.1e}, so more than {counts[-1] // tries} times the work is saved."
    )
    c.within("steps that did not pass, of all", outcome.rejected / tries, 0.0, 0.1, scale=1.0,
             why="rejected steps are lost work; the predictive controller needs few")  # fmt: skip


def test_times_of_events(page):
    tolerances = (1e-4, 1e-5, 1e-6, 1e-7)
    half = Event("half", "x", 0.5, rising=False, action="stop")
    errors = []
    for tolerance in tolerances:
        outcome, _ = run(relaxation(tolerance), phase(4.0), events=[half])
        assert 0.0 <= 0.5 - outcome.monitors["x"] <= 0.5 * OPTIONS.event_tolerance
        errors.append(abs(outcome.time - math.log(2.0)))
    c = check(page, "times of events")
    c.within(
        "exponent of the error of ln 2 over the tolerance",
        fitted(tolerances, errors),
        0.5,
        0.06,
        scale=1.0,
        why="the event is met to 1e-6; what is left is the error of x",
    )
    # where the monitor is linear in time, backward Euler is exact, and only the search is left
    charge = Event("charge", "capacity", 1.2345, action="stop")
    outcome, _ = run(relaxation(1e-3), phase(9.0, 0.7), events=[charge])
    c.within(
        "time of a given charge",
        outcome.time,
        1.2345 / 0.7,
        OPTIONS.event_tolerance,
        unit="s",
        why="stated tolerance of the search: 1e-6 of the threshold",
    )
    wave = [phase(3.0, u) for u in (1.0, -1.0) * 5]
    zero = Event("up", "x", 0.0), Event("down", "x", 0.0, rising=False)
    outcome, _ = run(relaxation(1e-6, 0.0), *wave, events=zero)
    found = [e["time"] for e in outcome.events if e["time"] > 0.1]
    start, exact = 0.0, []
    for k in range(10):
        u = 1.0 if k % 2 == 0 else -1.0
        if k:
            exact.append(3.0 * k + math.log((u - start) / u))
        start = u + (start - u) * math.exp(-3.0)
    assert len(found) == len(exact)
    c.within("crossings under a square wave", found, exact, 2e-3, scale=1.0, unit="s",
             why="2 sqrt(tolerance), as for the error of x")  # fmt: skip


def test_jumps_of_the_drive_cost_no_accuracy(page):
    """Each phase tries its first step out: the rates before it belong to another drive."""
    wave = (1.0, -1.0, 0.5, -0.5, 0.0)
    tolerance, worst, start, x = 1e-5, 0.0, 0.0, 0.0
    model = relaxation(tolerance, 0.0)
    outcome, taken = run(model, *[phase(2.0, u, first=1.0) for u in wave])
    for u in wave:
        inside = (taken[:, 0] > start + 1e-12) & (taken[:, 0] <= start + 2.0 + 1e-12)
        exact = u + (x - u) * np.exp(-(taken[inside, 0] - start))
        worst = max(worst, np.abs(taken[inside, 3] - exact).max())
        x, start = exact[-1], start + 2.0
    c = check(page, "jumps of the drive")
    c.within(
        "largest error",
        worst,
        0.0,
        2.0 * math.sqrt(tolerance),
        scale=1.0,
        why="as without jumps (2 sqrt(tolerance)), with a first step given 30 times too long",
    )
    assert outcome.time == 10.0


def test_ends_of_phases_are_met_exactly(page):
    durations = [0.1, 1.0 / 3.0, 1e-3, math.pi / 10.0] * 250
    currents = [1.0, -1.0, 0.0, 0.3] * 250
    model = relaxation(1e-2)
    phases = [phase(d, u, first=0.05) for d, u in zip(durations, currents, strict=True)]
    outcome, taken = run(model, *phases, outputs=[7.0, 70.0])
    c = check(page, "ends of phases")
    why = "rounding of a sum over 1000 phases"
    c.within("time after 1000 phases", outcome.time, math.fsum(durations), 1e-12, unit="s", why=why)
    ends = [p["time"] for p in outcome.phases]
    c.within("ends of phases", ends, np.cumsum(durations), 1e-12, unit="s", why=why)
    charge = math.fsum(d * i for d, i in zip(durations, currents, strict=True))
    c.within("charge", outcome.monitors["capacity"], charge, 1e-12, unit="C/m^2", why=why)
    for time in (7.0, 70.0):
        assert np.abs(taken[:, 0] - time).min() <= 1e-12 * time
