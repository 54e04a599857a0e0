"""The summary of a run: every quantity with its unit, gates, and the record of what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbmech.log import Progress
from ssbmech.mesh_stage import Meshed
from ssbmech.output import quantities, quantities_electro, quantities_interphase, record
from ssbmech.parallel import on_root

if TYPE_CHECKING:
    from ssbmech.run import Result


def summary_of(result: Result, meshed: Meshed, progress: Progress, comm: Any) -> dict[str, Any]:
    """What summary.json holds (collective).

    Args:
        result: Everything that was found.
        meshed: What is known of the mesh.
        progress: For the seconds of the stages.
        comm: MPI communicator.
    """
    memory = record.peak_memory(comm)
    s, electric = result.solution, result.electric
    sources, unverified = result.matter.sources, list(result.matter.unverified)
    choices = [*result.setup.notes, *(s.notes if s else ())]
    moved = result.transient
    mine = electric.setup if electric is not None else moved.subject if moved is not None else None
    if mine is not None:
        used = s is not None or moved is not None
        sources = {**(sources if used else {}), **mine.sources}
        unverified = list(dict.fromkeys([*(unverified if used else []), *mine.unverified]))
        choices += mine.notes
    if result.grown is not None:
        unverified = list(dict.fromkeys([*unverified, *result.grown.unverified]))
        sources = {**sources, **result.grown.setup.sources}
        choices += result.grown.notes
    return {
        "schema": quantities.SCHEMA,
        "title": result.case.title,
        "model": result.setup.model,
        "quantities": quantities.quantities(result.fronts),
        "fronts": quantities.front_table(result.fronts),
        "rings": quantities.ring_table(result.fronts),
        "gates": result.gates,
        "porz": result.porz.as_dict() if result.porz else None,
        "extension": quantities.extension_table(result.checks),
        "peaks": quantities.peak_table(result.peaks),
        "mean_pressures": {
            name: {"value": value * 1e-6, "unit": "MPa"} for name, value in result.means.items()
        },
        "energies": s
        and {
            "strain_energy": {"value": s.strain_energy, "unit": s.energy_unit},
            "load_work": {"value": s.load_work, "unit": s.energy_unit},
        },
        "electric": quantities_electro.electric_table(electric),
        "transient": moved.table if moved else None,
        "interphase": quantities_interphase.interphase_table(result.grown),
        "record": {
            "versions": on_root(comm, record.versions),
            "commit": on_root(comm, record.commit),
            "time": on_root(comm, record.now),
            "ranks": comm.size,
            "mesh": {**meshed.mesh, "sha256": meshed.digest},
            "solver": _solver_record(result),
            "materials": sources,
            "unverified_values": unverified,
            "choices": choices,
            "units": "mesh in um; solver non-dimensional; see the unit beside each value",
            "reference_length_um": result.domain.length * 1e6,
            **({"reference_stress_MPa": s.modulus * 1e-6} if s else {}),
            "seconds": dict(progress.seconds),
            "peak_memory_MiB": memory / 2**20,
        },
    }


def _solver_record(result: Result) -> dict[str, Any]:
    """Of the mechanical solve, or of the electric one where there is no other."""
    s, pins = result.solution, list[str]()
    if result.transient is not None:
        return dict(result.transient.subject.record())
    if s is None:
        assert result.electric is not None
        report = result.electric.solution.report.linear
        degree = result.electric.solution.problem.degree
    else:
        report, degree, pins = s.report, s.problem.degree, list(s.pins)
    return {
        "method": report.method,
        "unknowns": report.unknowns,
        "degree": degree,
        "iterations": report.iterations,
        "relative_residual": report.residual,
        "setup_seconds": report.setup_seconds,
        "solve_seconds": report.solve_seconds,
        "rigid_motion_held_at": pins,
    }
