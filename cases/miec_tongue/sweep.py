"""Roughness of the front against current: each current until a flat layer would be 15 um thick.

    python3 cases/miec_tongue/sweep.py results/tongue
    mpirun -n 2 python3 -m mpi4py cases/miec_tongue/sweep.py results/tongue

Writes a table and a picture. Coarser than the case, and without the stress, which does not act on
the growth here.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from ssbmech import mesh_stage, units
from ssbmech.config import Case
from ssbmech.config_load import load_case
from ssbmech.interphase.laws import Conditions
from ssbmech.interphase.onset import time_of
from ssbmech.numerics.march import march
from ssbmech.transient import make_subject

HERE = Path(__file__).parent
CURRENTS = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0)  # mA/cm^2
THICKNESS = 15e-6  # m, of a flat layer
COARSE = ("geometry.h_max=0.5 um", "interphase.front.width=0.5 um")
#: What the stress needs, which does not act on the growth here.
STRESS = ("E", "nu", "viscosity", "retained", "normal", "strength")
COLUMNS = ("current [mA/cm^2]", "time [min]", "mean [um]", "roughness at the start [um]",
           "roughness [um]", "furthest over mean")  # fmt: skip


def model_of(case: Case) -> tuple[Any, Any]:
    """The model of a case and its programme (collective)."""
    held: list = []
    comm = MPI.COMM_WORLD
    domain, meshed = mesh_stage.make_domain(case, HERE, comm, None, lambda text: None, held)
    _, subject, programme = make_subject(
        case, HERE, comm, held[0] if held else None, domain, meshed
    )
    return subject, programme


def programme_of(current: float, more: Sequence[str] = ()) -> Case:
    """The case at a plating current [mA/cm^2], for as long as a flat layer takes."""
    case = load_case(HERE / "case.toml", [*COARSE, *more])
    data = case.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    front = data["interphase"]["front"]
    data["interphase"]["front"] = {
        **{key: value for key, value in front.items() if key not in STRESS}, "stress": False,
    }  # fmt: skip
    setup = model_of(Case.model_validate(data))[0].setup
    now = Conditions(current_density=10.0 * current)
    seconds = time_of(setup.law, setup.initial, THICKNESS, now)
    plates = current > 0.0
    step: dict[str, Any] = {"do": "plate" if plates else "rest", "duration": f"{seconds!r} s"}
    if plates:
        step["current_density"] = f"{current!r} mA/cm^2"
    return Case.model_validate({**data, "step": [step]})


def row(current: float, more: Sequence[str] = ()) -> tuple[float, ...]:
    """One line of the table."""
    case = programme_of(current, more)
    subject, programme = model_of(case)
    first = subject.results()["roughness_um"]
    found = march(subject.model, programme.phases, programme.options, events=programme.events)
    mean, rough, far = (
        found.monitors[f"front_{n}"] for n in ("thickness", "roughness", "furthest")
    )
    seconds = units.quantity(case.step[0].duration or "", "time")
    return current, seconds / 60, mean * 1e6, first, rough * 1e6, far / mean


def draw(rows: Sequence[Sequence[float]], path: Path) -> None:
    """Roughness at the end over that at the start, against current."""
    from ssbmech.output import figures_style as style

    current, _, _, first, last, _ = np.array(rows).T
    style.apply()
    fig, axes = style.figure(style.SINGLE, 2.6)
    ax = axes
    ax.axhline(1.0, color=style.GREY, lw=0.8, ls=":")
    ax.plot(current, last / first, "o-", color=style.BLUE)
    ax.set(xlabel="current density (mA/cm²)", ylabel="roughness after / before")
    style.save(fig, path.parent, path.stem, pdf=False)


def main(folder: Path, currents: Sequence[float] = CURRENTS, more: Sequence[str] = ()) -> None:
    rows = []
    root = MPI.COMM_WORLD.rank == 0
    if root:
        print(",".join(COLUMNS), flush=True)
    for current in currents:
        rows.append(row(current, more))
        if root:
            print(",".join(f"{v:.4g}" for v in rows[-1]), flush=True)
    if root:
        folder.mkdir(parents=True, exist_ok=True)
        lines = [",".join(COLUMNS), *(",".join(f"{v:.6g}" for v in r) for r in rows)]
        (folder / "roughness.csv").write_text("\n".join(lines) + "\n")
        draw(rows, folder / "roughness.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/miec_tongue_sweep"))
