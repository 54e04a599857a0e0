"""The driver: a case to its results, one named step after another."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech import build, build_materials
from ssbmech.config import Case
from ssbmech.config_load import load_case, resolved_toml
from ssbmech.domain import Domain
from ssbmech.electro.stage import ElectricResult, run_electric
from ssbmech.fracture import ahead, judge
from ssbmech.fracture.extension import ExtensionCheck, extension_check
from ssbmech.fracture.probe import Peak, check_no_sharp_front, peaks
from ssbmech.fracture.rings import FrontResult, RingOptions, fracture
from ssbmech.interphase.grown_stage import Grown, run_grown
from ssbmech.log import Progress
from ssbmech.mesh_stage import Meshed, make_domain
from ssbmech.meshes.data import MeshData
from ssbmech.output import folder, quantities, quantities_electro, quantities_interphase, report
from ssbmech.parallel import on_root, world
from ssbmech.solve import ElasticSystem, Solution
from ssbmech.summary import summary_of
from ssbmech.transient import TransientResult, make_subject, run_transient
from ssbmech.units import quantity


@dataclass
class Result:
    """Everything a run found; the same on every rank except the fields, which are distributed.

    Attributes:
        case: The case.
        setup: What it meant on its mesh.
        matter: Materials with their sources.
        domain: Distributed mesh.
        system: Assembled problem, None where a case has an electric part alone.
        solution: Displacement, likewise.
        electric: Currents and their extremes, or None without electrodes.
        transient: History and what follows from it, of a case in time alone.
        grown: What a growing layer gave, of a case with one; the rest is of its last thickness.
        fronts: Fracture quantities, empty without a crack.
        porz: Criterion, or None without toughness or filament.
        checks: Energy release by virtual extension, if asked for.
        peaks: Peak stresses, if asked for.
        line: Stress ahead of the tip, or None.
        means: Mean pressure of each material group [Pa], where an eigenstrain makes one.
        gates: Gates of mesh and fracture quantities.
        summary: What summary.json holds.
    """

    case: Case
    setup: build.Setup
    matter: build_materials.Materials
    domain: Domain
    system: ElasticSystem | None = None
    solution: Solution | None = None
    electric: ElectricResult | None = None
    transient: TransientResult | None = None
    grown: Grown | None = None
    fronts: list[FrontResult] = field(default_factory=list)
    porz: judge.Judgement | None = None
    checks: list[ExtensionCheck] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)
    line: ahead.Line | None = None
    means: dict[str, float] = field(default_factory=dict)
    gates: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def borrow(self) -> Path:
        """A folder that goes away with the result."""
        self._borrowed = tempfile.TemporaryDirectory(prefix="ssbmech-")
        return Path(self._borrowed.name)

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(g["passed"] for g in self.gates)


def run_file(
    path: str | Path,
    out: str | Path,
    *,
    overrides: tuple[str, ...] = (),
    overwrite: bool = False,
    resume: bool = False,
    figures: bool | None = None,
    petsc: dict[str, str] | None = None,
    comm: Any = None,
    quiet: bool = False,
) -> Result:
    """Run a case file and write its results.

    Rank 0 alone reads the case, so ranks cannot disagree about it. Results are written aside and
    moved into place when they are complete. A case in time keeps checkpoints in the results folder;
    a run that was interrupted goes on from there when it is started again.

    Args:
        path: Case file.
        out: Results folder.
        overrides: ``key=value`` for keys of the case.
        overwrite: Replace results that are there, and begin anew.
        resume: Replace results of a case in time that are there, and go on from their last
            checkpoint (with a longer programme, for example).
        figures: Draw figures; by default what the case says.
        petsc: PETSc options without the prefix, over those of the case.
        comm: MPI communicator, all processes by default.
        quiet: No progress lines.

    Raises:
        SsbmechError: On every rank; nothing that existed is lost.
    """
    comm = comm or world()
    source, target = Path(path), Path(out)

    def start() -> tuple[Case, Path]:
        case = load_case(source, overrides)
        if petsc:
            merged = {**case.solver.petsc, **petsc}
            case = case.model_copy(
                update={"solver": case.solver.model_copy(update={"petsc": merged})}
            )
        if figures is not None:
            case = case.model_copy(
                update={"output": case.output.model_copy(update={"figures": figures})}
            )
        return case, folder.stage(target, overwrite=overwrite or resume)

    case, staged = on_root(comm, start)
    progress = Progress(comm, quiet=quiet)
    progress.line(f"ssbmech run {source}" + (f"  [{comm.size} ranks]" if comm.size > 1 else ""))
    try:
        result = compute(
            case, source.resolve().parent, comm=comm, progress=progress, keep=staged,
            target=target, resume=resume or not overwrite,
        )  # fmt: skip
        write(result, staged, progress, source.resolve().parent)
        on_root(comm, lambda: report.print_closing(result.summary, target, quiet=quiet))
        on_root(comm, lambda: folder.publish(staged, target))
    except BaseException:
        if comm.rank == 0:
            folder.discard(staged)
        raise
    return result


def compute(
    case: Case,
    base: Path = Path(),
    *,
    comm: Any = None,
    progress: Progress | None = None,
    keep: Path | None = None,
    target: Path | None = None,
    resume: bool = False,
) -> Result:
    """Compute everything a case asks for, without writing results.

    Args:
        case: Validated case.
        base: Folder in which relative paths of the case start.
        comm: MPI communicator, all processes by default.
        progress: For timed progress lines.
        keep: Folder in which the mesh is kept as ``mesh.msh``.
        target: Folder in which a case in time keeps its checkpoints; by default one that is removed
            with the result.
        resume: Go on from a checkpoint that is there.
    """
    comm = comm or world()
    progress = progress or Progress(comm, quiet=True)

    given, grown = case, None
    if case.interphase is not None and case.interphase.grown is not None:
        grown = run_grown(case, base, comm, progress, target, resume=resume)
        case = grown.last
    held: list[MeshData] = []
    with progress.stage("mesh") as note:
        domain, meshed = make_domain(case, base, comm, keep, note, held)
    result = Result(case, meshed.setup, meshed.matter, domain, gates=list(meshed.gates))
    if case.is_transient:
        data = held[0] if held else None
        _in_time(result, meshed, data, base, progress, comm, target, resume)
    elif case.electrode:
        with progress.stage("current") as note:
            data = held[0] if held else None
            result.electric = run_electric(case, base, comm, data, meshed.setup.model, note)
            result.gates += quantities_electro.electric_gates(result.electric)
    held.clear()
    if case.is_mechanical and not case.is_transient:
        _mechanics(result, progress)
    result.case, result.grown = given, grown
    result.summary = summary_of(result, meshed, progress, comm)
    return result


def _in_time(
    result: Result,
    meshed: Meshed,
    data: MeshData | None,
    base: Path,
    progress: Progress,
    comm: Any,
    target: Path | None,
    resume: bool,
) -> None:
    """Everything of a case in time (collective)."""
    case = result.case
    with progress.stage("model") as note:
        kind, subject, programme = make_subject(case, base, comm, data, result.domain, meshed, note)
    place = target or on_root(comm, lambda: result.borrow())
    with progress.stage("time") as note:
        found = run_transient(
            kind, subject, programme, case, meshed, comm, place, resume=resume,
            quiet=progress.quiet,
        )  # fmt: skip
        end = found.march.outcome
        note(f"{end.steps} steps to {end.time:g} s, {end.rejected} repeated, ended: {end.reason}")
    result.transient = found
    result.gates += found.gates


def _mechanics(result: Result, progress: Progress) -> None:
    """Displacement, fracture quantities and peaks of a case (collective)."""
    case, domain, setup = result.case, result.domain, result.setup
    with progress.stage("solve") as note:
        problem = build.problem(case, setup, result.matter, domain)
        system = ElasticSystem(problem)
        solution = system.solve(rtol=case.solver.rtol)
        r = solution.report
        note(f"{r.unknowns} unknowns, {r.method}, {r.iterations} iterations")
    result.system, result.solution = system, solution
    if problem.eigenstrains:
        result.means = system.mean_pressures()
    options = _ring_options(case)
    cracks = setup.cracks
    if cracks:
        with progress.stage("contours") as note:
            for crack in cracks:
                result.fronts += fracture(solution, crack, options)
            note(_ring_note(result.fronts))
            result.gates += quantities.ring_gates(
                result.fronts, options.spread_limit, case.fracture.consistency_limit
            )
            result.porz = _porz(result, options)
            result.line = ahead.ahead_of_front(solution, cracks, result.fronts)
    if case.fracture.energy_check and cracks:
        with progress.stage("extension") as note:
            for crack in cracks:
                mine = [f for f in result.fronts if f.name.split("[")[0] == crack.front]
                result.checks += extension_check(solution, crack, mine)
            note(", ".join(f"G/J - 1 = {c.difference:+.2e}" for c in result.checks))
    if case.fracture.maximum:
        with progress.stage("peaks") as note:
            finer = _finer(result)
            for surface in case.fracture.maximum:
                check_no_sharp_front(problem, surface, [c.front for c in cracks])
                result.peaks += peaks(finer, solution, surface)
            note(f"{len(result.peaks)} peak stresses, degree {problem.degree + 1}")
            if result.line is None and result.peaks:
                result.line = ahead.ahead_of_peak(finer, result.peaks)


def _ring_options(case: Case) -> RingOptions:
    block = case.fracture
    return RingOptions(
        radii=tuple(sorted(quantity(t, "length") for t in block.rings)),
        spread_limit=block.ring_spread_limit,
        points=block.points,
        width=quantity(block.width, "length") if block.width else 0.0,
    )


def _ring_note(fronts: list[FrontResult]) -> str:
    accepted = sum(1 for f in fronts for r in f.rings if not r.refused)
    total = sum(len(f.rings) for f in fronts)
    spread = max(f.spread for f in fronts)
    return f"{accepted} of {total} rings accepted, spread {spread:.1e}"


def _finer(result: Result) -> Solution:
    """The same problem one polynomial degree higher."""
    assert result.solution is not None
    problem = replace(result.solution.problem, degree=result.solution.problem.degree + 1)
    return ElasticSystem(problem).solve(rtol=result.case.solver.rtol)


def _porz(result: Result, options: RingOptions) -> judge.Judgement | None:
    """The criterion; other loads than the filament's cost one more solve."""
    pressure = build.filament_pressure(result.case)
    if pressure is None or not any("K_I" in f.values for f in result.fronts):
        return None
    toughness, why = build_materials.toughness(
        result.case, result.matter, {g for f in result.fronts for g in f.groups}
    )
    if toughness is None:
        result.fronts = [replace(f, notes=(*f.notes, why)) for f in result.fronts]
        return None
    background = None
    assert result.solution is not None
    rest = build.without_filament(result.solution.problem, result.setup.filament_groups)
    if rest is not None:
        solution = ElasticSystem(rest).solve(rtol=result.case.solver.rtol)
        background = []
        for crack in result.setup.cracks:
            background += fracture(solution, crack, replace(options, spread_limit=np.inf))
    overpotential = result.case.filament and result.case.filament.overpotential
    return judge.judge(
        result.fronts,
        background,
        pressure=pressure,
        overpotential=quantity(overpotential, "potential") if overpotential else None,
        toughness=toughness,
        size=result.setup.crack_size,
        molar_volumes=build.molar_volumes(result.case),
    )


def write(result: Result, staged: Path, progress: Progress, base: Path = Path()) -> None:
    """Write all files of a run into a folder (collective); ``base``: of the case's paths."""
    comm = result.domain.comm
    if result.case.output.fields:
        _write_fields(result, staged, progress)

    def files() -> None:
        text = json.dumps(result.summary, indent=1, allow_nan=False)
        (staged / "summary.json").write_text(text + "\n")
        (staged / "record.json").write_text(
            json.dumps(result.summary["record"], indent=1, allow_nan=False) + "\n"
        )
        text = resolved_toml(result.case, base)
        (staged / "case.resolved.toml").write_text(text, encoding="utf-8")
        if result.fronts:
            lines = quantities.csv_lines(result.fronts)
            (staged / "quantities.csv").write_text("\n".join(lines) + "\n")
        if result.electric is not None:
            lines = quantities_electro.csv_lines(result.electric)
            (staged / "current.csv").write_text("\n".join(lines) + "\n")
        if result.transient is not None:
            if (kept := result.transient.march.history.path) is not None:
                shutil.copy(kept, staged / "history.csv")
            for name, lines in result.transient.tables.items():
                (staged / name).write_text("\n".join(lines) + "\n")
        if result.grown is not None:
            lines = quantities_interphase.csv_lines(result.grown)
            (staged / "interphase.csv").write_text("\n".join(lines) + "\n")
            lines = quantities_interphase.line_csv(result.grown)
            (staged / "interphase_lines.csv").write_text("\n".join(lines) + "\n")
        if result.line is not None:
            (staged / "ahead.csv").write_text("\n".join(result.line.csv_lines()) + "\n")

    on_root(comm, files)
    if result.case.output.figures:
        with progress.stage("figures") as note:
            drawn = on_root(comm, lambda: report.try_draw(staged))
            note(drawn.names)
        if drawn.failure:  # the numbers are worth more than their pictures: keep them
            progress.line(f"ssbmech: {drawn.failure}")
            result.gates.append(
                {"name": "figures", "value": 1, "limit": 0, "passed": False, "what": "not drawn"}
            )


def _write_fields(result: Result, staged: Path, progress: Progress) -> None:
    """Write the fields of what was solved (collective)."""
    from ssbmech.output.fields import write_fields
    from ssbmech.output.fields_electro import write_electric_fields

    with progress.stage("fields") as note:
        on_root(result.domain.comm, lambda: (staged / "fields").mkdir())
        names = []
        if result.system is not None and result.solution is not None:
            write_fields(staged / "fields", result.system, result.solution)
            names.append("fields/fields.pvd")
        if result.electric is not None:
            write_electric_fields(staged / "fields", result.electric.solution)
            names.append("fields/electric.pvd")
        if result.transient is not None:
            names += [n for n in [result.transient.write_fields(staged / "fields")] if n]
        note(", ".join(names))
