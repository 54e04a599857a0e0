"""Small models that move in time, and a run of one of them as a program of its own.

    python odes.py FOLDER [--pause SECONDS] [--slow-write SECONDS] [--checkpoint STEPS]

prints what the run found to the last bit, as JSON; ends with 128 + the signal that stopped it.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from ssbmech.config_time import StepBlock, TimeBlock
from ssbmech.errors import SolverError
from ssbmech.interrupts import Interrupted
from ssbmech.numerics.stepping import Trial, local_error
from ssbmech.output.checkpoint import Identity, case_keys
from ssbmech.programme import programme
from ssbmech.time_stage import run_in_time


class Ode:
    """x' = f(x, i) by backward Euler and Newton; i is what drives it."""

    def __init__(self, x, tolerance=1e-3, scale=1.0):
        self.x = np.array(x, dtype=float)
        self.rate, self.dt, self.charge = None, 0.0, 0.0
        self.tolerance, self.scale, self.calls = tolerance, scale, 0

    def f(self, x, i):
        raise NotImplementedError

    def slope(self, x, i):
        raise NotImplementedError

    def monitors(self, x):
        return {"voltage": float(x[0])}

    def advance(self, time, dt, drive):
        self.calls += 1
        i = drive.current_density if drive.potential is None else drive.potential
        x = self.x.copy()
        for iteration in range(1, 26):
            change = np.linalg.solve(
                np.eye(x.size) - dt * self.slope(x, i), x - self.x - dt * self.f(x, i)
            )
            x = x - change
            if not np.isfinite(x).all():
                break
            if np.abs(change).max() <= 1e-13 * max(1.0, np.abs(x).max()):
                error = local_error(
                    x, self.x, self.rate, dt, self.dt, tolerance=self.tolerance, scale=self.scale
                )
                charge = self.charge + i * dt
                self.trial = (x, (x - self.x) / dt, dt, charge)
                monitors = {**self.monitors(x), "current_density": i, "capacity": charge}
                return Trial(monitors, error, iteration)
        raise SolverError("Newton did not converge", value=f"dt = {dt:g} s")

    def accept(self):
        self.x, self.rate, self.dt, self.charge = self.trial

    def save(self):
        known = self.rate is not None
        return {
            "x": self.x.copy(), "numbers": np.array([self.dt, self.charge, known]),
            "rate": self.rate.copy() if known else np.zeros_like(self.x),
        }  # fmt: skip

    def load(self, arrays):
        self.x = arrays["x"].copy()
        self.dt, self.charge, known = map(float, arrays["numbers"])
        self.rate = arrays["rate"].copy() if known else None


class Linear(Ode):
    """x' = -rate (x - i)."""

    def __init__(self, x=1.0, *, speed=1.0, **more):
        super().__init__([x], **more)
        self.speed = speed

    def f(self, x, i):
        return -self.speed * (x - i)

    def slope(self, x, i):
        return np.array([[-self.speed]])


class Oscillator(Ode):
    """Van der Pol's, stiff: slow branches and fast jumps."""

    def __init__(self, mu=30.0, *, pause=0.0, **more):
        super().__init__([2.0, 0.0], **more)
        self.mu, self.pause = mu, pause

    def f(self, x, i):
        return np.array([self.mu * (x[0] - x[0] ** 3 / 3.0 - x[1]), (x[0] + 0.1 * i) / self.mu])

    def slope(self, x, i):
        return np.array([[self.mu * (1.0 - x[0] ** 2), -self.mu], [1.0 / self.mu, 0.0]])

    def monitors(self, x):
        return {"voltage": float(x[0]), "contact": float(x[1] + 1.0) / 2.0}

    def advance(self, time_, dt, drive):
        time.sleep(self.pause)
        return super().advance(time_, dt, drive)


TIME = {"first_step": "0.01 s", "tolerance": 1e-3, "contact_limit": 0.3}
STEPS = [
    {"do": "plate", "current_density": "1 A/m^2", "duration": "20 s"},
    {"do": "rest", "duration": "10 s"},
    {"do": "strip", "current_density": "1 A/m^2", "capacity": "30 C/m^2", "voltage_limit": "1.5 V"},
]


def oscillator_run(folder, *, pause=0.0, checkpoint=7, quiet=True, **more):
    """A run in time of the oscillator in a folder; goes on from its checkpoint."""
    block = {**TIME, "checkpoint": checkpoint}
    steps = [StepBlock(**s) for s in STEPS]
    plan = programme(TimeBlock(**block), steps)
    case = {"time": block, "step": STEPS}
    identity = Identity(case_keys(case), "none", tuple(p.duration for p in plan.phases))
    folder.mkdir(parents=True, exist_ok=True)
    model = Oscillator(pause=pause, tolerance=plan.tolerance)
    return model, run_in_time(
        model, plan, folder / "checkpoints", identity, history=folder / "history.csv",
        quiet=quiet, **more,
    )  # fmt: skip


def found(model, result):
    """What a run found, to the last bit."""
    columns = result.history.columns()
    return {
        "x": [v.hex() for v in model.x.tolist()],
        "log": [{k: v for k, v in e.items()} for e in result.outcome.log],
        "rows": {name: [v.hex() for v in column.tolist()] for name, column in columns.items()},
        "steps": result.outcome.steps,
    }


def write_slowly(seconds):
    """Let every checkpoint take that long to write, in small pieces."""
    real = np.savez

    def savez(file, **arrays):
        whole = io.BytesIO()
        real(whole, **arrays)
        data = whole.getvalue()
        for start in range(0, len(data), len(data) // 20 + 1):
            file.write(data[start : start + len(data) // 20 + 1])
            file.flush()
            time.sleep(seconds / 20)

    np.savez = savez


def main():
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=Path)
    words.add_argument("--pause", type=float, default=0.0)
    words.add_argument("--slow-write", type=float, default=0.0)
    words.add_argument("--checkpoint", type=int, default=7)
    args = words.parse_args()
    if args.slow_write:
        write_slowly(args.slow_write)
    try:
        model, result = oscillator_run(args.folder, pause=args.pause, checkpoint=args.checkpoint)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 128 + stop.signum
    print(json.dumps({"resumed": result.resumed, "found": found(model, result)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
