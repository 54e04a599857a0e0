"""Benchmarks: whole-process time and memory of F1 and F3, error against unknowns, solver, meshes.

Run ``make bench`` (ten minutes), or ``python tests/bench/run.py whole|error|solver|mesh|import``.
Prints Markdown tables and writes docs/benchmarks.md when everything was run. Whole-process numbers
include imports, meshing, solve and contour integrals; figures and field files are off. Medians.
"""

from __future__ import annotations

import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tomli_w

P, A = 100e6, 10e-6
K_F1 = P * math.sqrt(math.pi * A)
K_F3 = 2 * P * math.sqrt(A / math.pi)
REPEATS = 5


def case(kind: str, *, degree: int = 2, method: str = "auto", **geometry: object) -> dict:
    """A case for F1 (griffith) or F3 (penny) with everything off that is not K."""
    wide = {"griffith": {"half_width": "2000 um"}, "penny": {"half_width": "200 um"}}[kind]
    return {
        "geometry": {"type": kind, "a": "10 um", **wide, **geometry},
        "materials": {"electrolyte": {"E": "150 GPa", "nu": 0.257}},
        "filament": {"pressure": "100 MPa"},
        "fracture": {"ring_spread_limit": 0.2},
        "solver": {"degree": degree, "method": method, "rtol": 1e-8},
        "output": {"fields": False, "figures": False, "mesh": False},
    }


def error_of(summary: dict, reference: float) -> float:
    """Largest relative error of K_I along the front (of the governing tip in 2-D)."""
    q = summary["quantities"]["K_I"]
    values = q.get("along_front", [q["value"]])
    return max(abs(v * 1e6 / reference - 1) for v in values)


def whole(name: str, data: dict, reference: float) -> list[str]:
    """Median wall and CPU seconds and peak memory of ``python -m ssbmech run``."""
    wall, cpu, memory = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.toml"
        path.write_text(tomli_w.dumps(data))
        command = [sys.executable, "-m", "ssbmech", "run", str(path), "-o", f"{folder}/out"]
        for i in range(REPEATS + 1):  # the first fills the cache of compiled forms
            start = time.perf_counter()
            child = subprocess.Popen([*command, "--overwrite", "--quiet"])
            _, status, used = os.wait4(child.pid, 0)
            if status:
                raise SystemExit(f"{name}: the run failed with status {status}")
            if i:
                wall.append(time.perf_counter() - start)
                cpu.append(used.ru_utime + used.ru_stime)
                memory.append(used.ru_maxrss / 1024)
        summary = json.loads((Path(folder) / "out/summary.json").read_text())
    return [
        name,
        f"{summary['record']['solver']['unknowns']}",
        f"{error_of(summary, reference):.2e}",
        f"{statistics.median(wall):.2f}",
        f"{min(wall):.2f}-{max(wall):.2f}",
        f"{statistics.median(cpu):.2f}",
        f"{max(memory):.0f}",
    ]


def whole_table() -> str:
    """F1 and F3 as whole processes."""
    rows = [
        whole("F1, quarter", case("griffith", symmetry="xy", quarter_point=True), K_F1),
        whole("F1, full body", case("griffith", quarter_point=True), K_F1),
        whole("F3, octant", case("penny"), K_F3),
        whole("F3, octant, P3", case("penny", degree=3, sectors=6, h_front="0.2 um"), K_F3),
        whole("F3, full body", case("penny", symmetry="none", sectors=6, h_front="0.1 um"), K_F3),
    ]
    head = ["case", "unknowns", "error of K", "wall [s]", "range", "CPU [s]", "memory [MiB]"]
    return table(head, rows)


def error_table() -> str:
    """Error against unknowns and seconds per phase, in one process."""
    from ssbmech.config_load import case_from
    from ssbmech.log import Progress
    from ssbmech.run import compute

    rows = []
    variants: list[tuple[str, dict, float]] = []
    for degree in (1, 2, 3):
        for h in ("0.4 um", "0.1 um", "0.025 um"):
            for quarter in (False, True):
                if quarter and degree == 1:
                    continue
                data = case(
                    "griffith", degree=degree, symmetry="xy", h_tip=h, quarter_point=quarter
                )
                mark = ", quarter point" if quarter else ""
                variants.append((f"F1 P{degree}, h {h}{mark}", data, K_F1))
    for degree in (1, 2, 3):
        for sectors, h in ((6, "0.2 um"), (8, "0.05 um"), (12, "0.05 um")):
            if degree == 3 and sectors == 12:
                continue
            data = case("penny", degree=degree, sectors=sectors, h_front=h)
            variants.append((f"F3 P{degree}, {sectors} sectors, h {h}", data, K_F3))
    for name, data, reference in variants:
        progress = Progress(quiet=True)
        result = compute(case_from(data), progress=progress)
        r, s = result.solution.report, progress.seconds
        rows.append(
            [
                name,
                f"{r.unknowns}",
                f"{error_of(result.summary, reference):.2e}",
                f"{result.fronts[0].consistency:.1e}",
                f"{s['mesh']:.2f}",
                f"{s['solve']:.2f}",
                f"{s['contours']:.2f}",
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
            ]
        )
    head = ["case", "unknowns", "error of K", "J-K", "mesh [s]", "solve [s]", "contours [s]"]
    return table([*head, "process peak so far [MiB]"], rows)


def solver_table() -> str:
    """CG + GAMG on the unsymmetric penny, set-up and Krylov time apart."""
    from ssbmech.config_load import case_from
    from ssbmech.run import compute

    rows = []
    for sectors, h, symmetry in (
        (4, "1 um", "octant"),
        (8, "0.2 um", "octant"),
        (8, "0.2 um", "z"),
        (16, "0.2 um", "none"),
    ):
        data = case("penny", method="iterative", sectors=sectors, h_front=h, symmetry=symmetry)
        r = compute(case_from(data)).solution.report
        rows.append(
            [
                f"{r.unknowns}",
                f"{r.iterations}",
                f"{r.setup_seconds:.2f}",
                f"{r.solve_seconds:.2f}",
                f"{r.residual:.1e}",
            ]
        )
    return table(["unknowns", "iterations", "set-up [s]", "Krylov [s]", "residual"], rows)


def mesh_table() -> str:
    """``ssbmech mesh`` of polycrystals: build, gate and file, without the picture; once each."""
    side = 200 ** (1 / 3) * (math.pi / 6) ** (1 / 3) * math.exp(0.35**2)  # of 200 grains of 1 um
    flat = math.sqrt(2000 * math.pi / 4) * math.exp(0.35**2 / 2)
    rows = []
    for name, blocks in (
        ("2-D, 2 000 grains", {"width": f"{flat} um", "height": f"{flat} um"}),
        (
            "3-D, 200 grains, order 1",
            {"width": f"{side} um", "height": f"{side} um", "depth": f"{side} um", "order": 1,
             "h": "0.06 um"},
        ),
    ):  # fmt: skip
        geometry = {"type": "polycrystal", "mean_size": "1 um", "seed": 1, **blocks}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.toml"
            path.write_text(
                tomli_w.dumps({"geometry": geometry, "materials": {"electrolyte": "LLZO"}})
            )
            start = time.perf_counter()
            command = [sys.executable, "-m", "ssbmech", "mesh", str(path), "-o", f"{folder}/m.msh"]
            child = subprocess.Popen([*command, "--no-picture"], stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None
            said = child.stdout.read()
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - start
            if status:
                raise SystemExit(f"ssbmech mesh failed for {name}")
            size = Path(folder, "m.msh").stat().st_size / 2**20
        cells = next(
            line.split("cells")[1].strip() for line in said.splitlines() if "cells" in line
        )
        memory = used.ru_maxrss / 2**20
        rows.append([name, cells, f"{wall:.0f}", f"{memory:.2f}", f"{size:.0f}"])
    return table(["mesh", "cells", "wall [s]", "memory [GiB]", "file [MiB]"], rows)


def import_table() -> str:
    """Import time of the package and of what a run needs."""
    rows = []
    for what in ("ssbmech", "ssbmech.cli", "ssbmech.fracture.porz_answer", "ssbmech.run"):
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {what}"], check=True)
            seconds.append(time.perf_counter() - start)
        rows.append([f"`import {what}`", f"{statistics.median(seconds):.2f}"])
    return table(["whole process", "wall [s]"], rows)


def filament_tables() -> str:
    """The plane filament as a whole process, half-pennies in space by size."""
    sys.path.insert(0, str(Path(__file__).parent))
    import filament

    return f"{filament.plane_table()}\n\n{filament.space_table()}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def machine() -> str:
    """What this was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, one rank"


def main() -> None:
    """Run the tables that were asked for."""
    tables = {
        "whole": ("Whole process", whole_table),
        "error": ("Error against unknowns", error_table),
        "solver": ("Multigrid", solver_table),
        "mesh": ("Meshes of polycrystals", mesh_table),
        "import": ("Start-up", import_table),
        "time": ("Filaments in time", filament_tables),
    }
    wanted = sys.argv[1:] or list(tables)
    text = f"# Benchmarks\n\nMachine: {machine()}. Made by `make bench`.\n"
    for name in wanted:
        title, function = tables[name]
        block = f"\n## {title}\n\n{function()}\n"
        print(block, flush=True)
        text += block
    if wanted == list(tables):
        Path(__file__).parents[2].joinpath("docs/benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
