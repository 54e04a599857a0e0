"""The electric stage of a run: from a case and its mesh to currents and their extremes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import build_electro
from ssbmech.build_electro import ElectricSetup
from ssbmech.build_layer import with_layers
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.domain import distribute
from ssbmech.electro.leakage import Leakage, leakage
from ssbmech.electro.local import Samples, Spread, lattice, sample, spread
from ssbmech.electro.problem import ElectricProblem
from ssbmech.electro.solve import ElectricSolution, solve
from ssbmech.interphase.layer import Grown
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import restrict
from ssbmech.numerics import fixed_point
from ssbmech.parallel import on_root


@dataclass(frozen=True)
class ElectricResult:
    """What the electric stage found.

    Attributes:
        setup: Conductors and electrodes.
        solution: Of the degree asked for, or one higher with ``error_estimate``.
        spreads: Of each electrode.
        samples: Current density along each electrode, by name.
        leakage: What electrons do, or None where the case has none.
        layers: Reaction layers on electrodes, at the age of the case.
    """

    setup: ElectricSetup
    solution: ElectricSolution
    spreads: tuple[Spread, ...]
    samples: dict[str, Samples]
    leakage: Leakage | None = None
    layers: tuple[Grown, ...] = ()


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
    problem, coarse, layers = _with_layers(problem, setup)
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
    text = (
        f"{report.linear.unknowns} unknowns, {report.linear.method}, Newton {report.iterations}, "
        f"charge balance {best.imbalance:.0e}"
    )
    found = None
    if setup.electrons is not None:
        found = _leakage(best, setup, held, data)
        beside = {"electron_potential": found.electronic, "lithium_potential": found.lithium}
        best = replace(best, beside=beside)
        text += f", {len(found.sites)} sites inside"
    note(text)
    return ElectricResult(setup, best, spreads, samples, found, layers)


_NANOMETRE = 1e-9
#: Of the thickness of layers that grow under the current that they let pass, relative.
_AGREEMENT = 1e-11


def _with_layers(
    problem: ElectricProblem, setup: ElectricSetup
) -> tuple[ElectricProblem, ElectricSolution, tuple[Grown, ...]]:
    """Solve with the layers that the current has let grow, if it has (collective)."""
    layers, found = setup.layers.grown, None

    def solved(grown: tuple[Grown, ...]) -> tuple[ElectricProblem, ElectricSolution]:
        mine = replace(problem, electrodes=with_layers(problem.electrodes, grown))
        return mine, solve(mine)

    def turn(thickness: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal layers, found
        layers = tuple(
            replace(g, thickness=float(d)) for g, d in zip(layers, thickness, strict=True)
        )
        found = solved(layers)
        names = [g.layer.electrode for g in layers]
        densities = [-found[1].mean_current_density(name) for name in names]
        layers = tuple(replace(g, density=i) for g, i in zip(layers, densities, strict=True))
        if not setup.layers.age:
            return thickness
        age = setup.layers.age
        return np.array([g.layer.grown(g.layer.initial, age, g.density) for g in layers])

    start = np.array([g.layer.grown(g.thickness, setup.layers.age, 0.0) for g in layers])
    if not layers:
        return problem, solve(problem), ()
    scale = np.maximum(start, _NANOMETRE)
    fixed_point.solve(
        turn, start, scale=scale, tolerance=_AGREEMENT, what="the layer under its current"
    )
    assert found is not None
    return *found, layers


def _leakage(
    ions: ElectricSolution, setup: ElectricSetup, held: list[MeshData], data: MeshData | None
) -> Leakage:
    """Electrons on the mesh of the ions before it was cut (collective)."""
    assert setup.electrons is not None
    part = held[0] if held else None
    whole = part
    if setup.boundaries and data is not None:
        whole = restrict(data, setup.conductivity)
    return leakage(ions, setup.electrons, part, whole)
