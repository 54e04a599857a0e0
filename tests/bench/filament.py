"""Benchmarks of the thin filament: the plane case in time, and half-pennies in space by size.

Run ``python tests/bench/filament.py`` (ten minutes), or with ``plane``, ``space`` or ``space N M``:
sizes N to M - 1. Prints Markdown tables. Times are of one run each, in one process.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: Sectors along 90 degrees, size across the front, growth, how the body is solved.
SIZES = (
    (8, "0.4 um", 0.5, "iterative"),
    (8, "0.4 um", 0.5, "direct"),
    (12, "0.2 um", 0.3, "direct"),
    (16, "0.2 um", 0.25, "direct"),
    (20, "0.15 um", 0.2, "direct"),
)
_STEPS = 40


def plane_table() -> str:
    """``filament_pressure`` as a whole process, without figures, fields and critical currents."""
    path = ROOT / "cases/filament_pressure/case.toml"
    text = path.read_text()
    begin, end = text.index("[thin_filament.critical]"), text.index("[time]")
    rows = []
    for name, given in (
        ("as shipped", text),
        ("without critical currents", text[:begin] + text[end:]),
    ):
        with tempfile.TemporaryDirectory() as folder:
            case = Path(folder) / "case.toml"
            case.write_text(given + "\n[output]\nfigures = false\nfields = false\n")
            start = time.perf_counter()
            command = [sys.executable, "-m", "ssbmech", "run", str(case), "-o", f"{folder}/out"]
            subprocess.run([*command, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            wall = time.perf_counter() - start
            steps = len(Path(folder, "out/history.csv").read_text().splitlines()) - 1
        rows.append([name, f"{steps}", f"{wall:.1f}"])
    return table(["case", "steps", "wall [s]"], rows)


def space_case(sectors: int, h_front: str, growth: float, method: str) -> dict[str, Any]:
    """A half-penny like that of cases/filament_pressure_3d."""
    return {
        "geometry": {
            "type": "semi_ellipse", "a": "20 um", "c": "20 um", "thickness": "200 um",
            "half_width": "200 um", "sectors": sectors, "h_front": h_front, "growth": growth,
        },
        "materials": {"electrolyte": "LLZO"},
        "electrochemistry": {"conductivity": {"electrolyte": "0.46 mS/cm"}},
        "electrode": [
            {"group": ["interface", "crack_upper"], "kinetics": "butler_volmer",
             "area_specific_resistance": "10 ohm*cm^2"},
            {"group": "back", "kinetics": "none"},
        ],
        "thin_filament": {"thickness": "5 nm", "mouth_pressure": "5 MPa"},
        "step": [{"do": "plate", "current_density": "3 mA/cm^2", "duration": "1 h"}],
        "solver": {"method": method},
    }  # fmt: skip


def space_row(sectors: int, h_front: str, growth: float, method: str) -> list[str]:
    """Set-up, seconds per node and per coupled step of one size."""
    from mpi4py import MPI
    from ssbmech.config_load import case_from
    from ssbmech.filament.stage import make
    from ssbmech.mesh_stage import make_domain
    from ssbmech.numerics.stepping import Drive
    from ssbmech.programme import programme
    from ssbmech.subject import Setting

    case = case_from(space_case(sectors, h_front, growth, method))
    held: list[Any] = []
    domain, meshed = make_domain(case, Path(), MPI.COMM_WORLD, None, lambda text: None, held)
    start = time.perf_counter()
    made = make(
        Setting(
            case, Path(), MPI.COMM_WORLD, held[0], domain, meshed.setup, meshed.matter,
            programme(case.time, case.step), lambda text: None,
        )
    )  # fmt: skip
    whole = time.perf_counter() - start
    n, M = len(made.problem.network), len(made.problem.electric.area)
    nodes = n * made.body.seconds + M * made.ions.seconds
    model, now, dt, iterations = made.model, 0.0, 1e-3, 0
    start = time.perf_counter()
    for _ in range(_STEPS):
        trial = model.advance(now + dt, dt, Drive(current_density=30.0))
        model.accept()
        now, dt, iterations = now + dt, dt * 1.2, iterations + trial.iterations
    step = (time.perf_counter() - start) / _STEPS
    record = made.record()
    return [
        f"{record['unknowns_body']}",
        str(record["solver_body"]),
        f"{n} + {M}",
        f"{whole:.1f}",
        f"{whole - nodes:.1f}",
        f"{made.body.seconds:.3f}",
        f"{made.ions.seconds:.4f}",
        f"{step:.3f}",
        f"{iterations / _STEPS:.1f}",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
    ]


def space_table(first: int = 0, last: int = len(SIZES)) -> str:
    """Half-pennies of several sizes."""
    head = [
        "unknowns", "solver", "nodes of the film + plating", "set-up [s]",
        "of it before the nodes [s]", "per node of the film [s]", "per plating node [s]",
        "coupled step [s]", "Newton iterations", "process peak so far [MiB]",
    ]  # fmt: skip
    rows = []
    for size in SIZES[first:last]:
        rows.append(space_row(*size))
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    return table(head, rows)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Run the tables that were asked for."""
    wanted = sys.argv[1:2] or ["plane", "space"]
    part = [int(text) for text in sys.argv[2:4]]
    print(f"Machine: {platform.machine()}, {os.cpu_count()} cores, one rank.\n")
    if "plane" in wanted:
        print(f"## filament_pressure\n\n{plane_table()}\n", flush=True)
    if "space" in wanted:
        print(f"## Half-penny\n\n{space_table(*part)}\n", flush=True)


if __name__ == "__main__":
    main()
