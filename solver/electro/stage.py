"""The electric stage of a run: from a case and its mesh to currents and their extremes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ssbmech import build_electro
from ssbmech.build_electro import ElectricSetup
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.domain import distribute
from ssbmech.electro.local import Samples, Spread, lattice, sample, spread
from ssbmech.electro.solve import ElectricSolution, solve
from ssbmech.meshes.data import MeshData
from ssbmech.parallel import on_root


@dataclass(frozen=True)
class ElectricResult:
    """What the electric stage found.

    Attributes:
        setup: Conductors and electrodes.
        solution: Of the degree asked for, or one higher with ``error_estimate``.
        spreads: Of each electrode.
        samples: Current density along each electrode, by name.
    """

    setup: ElectricSetup
    solution: ElectricSolution
    spreads: tuple[Spread, ...]
    samples: dict[str, Samples]


def run_electric(
    case: Case,
    base: Path,
    comm: Any,
    data: MeshData | None,
    model: str,
    note: Callable[[str], None],
) -> ElectricResult:
    """Solve the electric problem of a case (collective).

    Args:
        case: A case with electrodes.
        base: Folder in which its relative paths start.
        comm: MPI communicator.
        data: The whole mesh on rank 0.
        model: Mechanical model, for what a 2-D mesh stands for.
        note: Takes the text for the progress line.

    Raises:
        SsbmechError: On every rank.
    """
    held: list[MeshData] = []

    def work() -> ElectricSetup:
        assert data is not None
        setup, part = build_electro.prepare(case, base, data)
        held.append(part)
        return setup

    setup = on_root(comm, work)
    domain = distribute(comm, held[0] if held else None, length=setup.length)
    problem = build_electro.problem(case, setup, domain, model)
    coarse = solve(problem)
    block = block_of(case.electrochemistry)
    finer = solve(replace(problem, degree=problem.degree + 1)) if block.error_estimate else None
    best = finer or coarse
    spreads = tuple(
        spread(
            coarse, electrode, finer=finer,
            sharp=setup.sharp.get(electrode.name), distance=setup.distances.get(electrode.name),
        )
        for electrode in problem.electrodes
    )  # fmt: skip
    points = lattice(domain.tdim, 2 if domain.tdim == 2 else 1, inside=True)
    samples = {e.name: sample(best, e, points) for e in problem.electrodes}
    report = best.report
    note(
        f"{report.linear.unknowns} unknowns, {report.linear.method}, Newton {report.iterations}, "
        f"charge balance {best.imbalance:.0e}"
    )
    return ElectricResult(setup, best, spreads, samples)
