"""Critical stripping current against stack pressure, by bisection over currents.

    python3 cases/void_stripping/sweep.py results/critical_stripping.csv
    mpirun -n 2 python3 -m mpi4py cases/void_stripping/sweep.py results/critical_stripping.csv

A current is too large when contact falls below `contact_limit` of the case before a given charge
was stripped. Each current is a run of the case without outputs. The start of the search at a
pressure is what the one before found, times the power of the pressure that viscous lithium has.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from mpi4py import MPI
from ssbmech import mesh_stage
from ssbmech.config import Case
from ssbmech.config_load import load_case
from ssbmech.numerics.march import march
from ssbmech.transient import make_subject

HERE = Path(__file__).parent
PRESSURES_MPA = (0.3, 0.4, 0.5)
CHARGE_MAH = 0.005  # per cm^2: 24 nm of lithium
EXPONENT = 6.6  # of the Norton law
WIDTH = 1.2  # of the last bracket
FIRST = 0.1  # mA/cm^2, where the search begins


def keeps_contact(case: Case) -> tuple[bool, float]:
    """Whether a strip came to its end, and contact then (collective)."""
    held: list = []
    comm = MPI.COMM_WORLD
    domain, meshed = mesh_stage.make_domain(case, HERE, comm, None, lambda text: None, held)
    _, subject, programme = make_subject(
        case, HERE, comm, held[0] if held else None, domain, meshed
    )
    found = march(subject.model, programme.phases, programme.options, events=programme.events)
    return found.reason == "programme", found.monitors["contact"]


def stripped(pressure: float, current: float, more: Sequence[str] = ()) -> tuple[bool, float]:
    """The case stripped at a current [mA/cm^2] under a pressure [MPa]."""
    seconds = 3600 * CHARGE_MAH / current
    case = load_case(
        HERE / "case.toml",
        [
            f"stack.pressure={pressure} MPa",
            f"step.0.current_density={current} mA/cm^2",
            f"step.0.duration={seconds} s",
            f"time.first_step={seconds / 300} s",
            f"time.largest_step={seconds / 10} s",
            *more,
        ],
    )
    case = case.model_copy(update={"step": case.step[:1]})
    return keeps_contact(case)


def critical(pressure: float, guess: float, more: Sequence[str] = ()) -> tuple[float, float]:
    """Bracket of the critical current [mA/cm^2]: the last that keeps contact, the first not."""
    low, high, step = 0.0, 0.0, 3.0
    current = guess
    while not (low and high):
        if stripped(pressure, current, more)[0]:
            low, current = current, current * step
        else:
            high, current = current, current / step
    while high / low > WIDTH:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if stripped(pressure, middle, more)[0] else (low, middle)
    return low, high


def main(target: Path) -> None:
    rows = ["stack pressure [MPa],keeps contact at [mA/cm^2],loses it at [mA/cm^2]"]
    guess, last = FIRST, PRESSURES_MPA[0]
    for pressure in PRESSURES_MPA:
        low, high = critical(pressure, guess * (pressure / last) ** EXPONENT)
        guess, last = (low * high) ** 0.5, pressure
        rows.append(f"{pressure:g},{low:.3g},{high:.3g}")
        if MPI.COMM_WORLD.rank == 0:
            print(rows[-1], flush=True)
    if MPI.COMM_WORLD.rank == 0:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/critical_stripping.csv"))
