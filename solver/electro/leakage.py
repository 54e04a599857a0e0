"""Electrons that leak through the electrolyte, and where lithium could form inside it.

Beside the ions, electrons are conducted: div(sigma_e grad phi_eon) = 0 for the electronic potential
phi_eon = -mu_e/F. Metal and electrolyte share their electrons at an electrode, without resistance:
there phi_eon is the potential of the metal against lithium, phi_m + U, with U the open-circuit
voltage of the electrode (0 for lithium), as kinetics sees phi_m - phi_ion with U taken off.

Neutral lithium has mu_Li = mu_Li+ + mu_e, so that against lithium metal

    E_Li = phi_eon - phi_ion

E_Li < 0: lithium would be at home there. Lithium that forms against a pressure p needs
E_Li < -p V_m/F. As long as none does, the currents of ions and of electrons are conserved apart;
currents that a case gives are those of ions, and the outer circuit carries the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.domain import Domain, distribute, vertex_nodes
from ssbmech.electro import zones
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.solve import ElectricSolution, solve
from ssbmech.electro.zones import Site
from ssbmech.fracture.porz import FARADAY
from ssbmech.meshes.data import MeshData
from ssbmech.parallel import bcast_array, on_root

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Electrons:
    """What a case says of electrons.

    Attributes:
        conductivity: Of each group [S/m].
        voltages: Open-circuit voltage U of each electrode against lithium [V], by name.
        pressure: On lithium that forms inside [Pa], compressive positive.
    """

    conductivity: dict[str, float]
    voltages: dict[str, float]
    pressure: float = 0.0


@dataclass(frozen=True)
class Leakage:
    """What the electrons do; the same on every rank, but for the solution, which is distributed.

    Attributes:
        solution: Electronic potential and currents, anodic positive as those of ions.
        lithium: E_Li at each node of the mesh of the ions [V], NaN at mid-side nodes.
        electronic: phi_eon there [V].
        threshold: -p V_m/F [V].
        lowest: Least E_Li away from the electrodes [V].
        lowest_at: Where [m], shape (3,).
        share: Of the volume in which E_Li is below the threshold.
        depth: Largest distance of that from the lithium that is plated [m] (from all lithium, when
            none is); 0 where there is none.
        sites: Pores, cracks and grain boundaries at which lithium could form.
        transference: Of electrons: their share in the current through the driven electrode.
    """

    solution: ElectricSolution
    lithium: Floats
    electronic: Floats
    threshold: float
    lowest: float
    lowest_at: Floats
    share: float
    depth: float
    sites: tuple[Site, ...]
    transference: float

    @property
    def current_density(self) -> float:
        """Mean electronic current density at the driven electrode of the ions [A/m^2]."""
        return self.solution.mean_current_density(self.name)

    @property
    def name(self) -> str:
        """The driven electrode of the ions."""
        return self.solution.problem.electrodes[0].name


def leakage(
    ions: ElectricSolution, electrons: Electrons, part: MeshData | None, whole: MeshData | None
) -> Leakage:
    """Solve for the electrons at a solution for the ions (collective).

    Args:
        ions: The solution for the ions.
        electrons: What the case says.
        part: Mesh of the ions on rank 0, perhaps cut along boundaries.
        whole: The same before the cut, on rank 0; electrons do not see boundaries of no thickness.

    Raises:
        SsbmechError: On every rank.
    """
    p = ions.problem
    comm = p.domain.comm
    domain = distribute(comm, whole, length=p.domain.length)
    first = [e for e in p.electrodes if e is p.driven]
    electrodes = tuple(
        Electrode(e.name, e.groups, "none", key=e.key,
                  potential=ions.potentials[e.name] + electrons.voltages.get(e.name, 0.0))
        for e in [*first, *(e for e in p.electrodes if e is not p.driven)]
    )  # fmt: skip
    solution = solve(
        ElectricProblem(
            domain, p.model, electrons.conductivity, electrodes, temperature=p.temperature,
            degree=p.degree, linear=p.linear, petsc=p.petsc,
        )
    )  # fmt: skip
    ion = at_nodes(p.domain, ions.phi, p.voltage)
    electron = at_nodes(domain, solution.phi, p.voltage)
    threshold = -electrons.pressure * p.molar_volume / FARADAY
    metals = [e.name for e in p.electrodes if electrons.voltages.get(e.name, 0.0) == 0.0]
    plated = [name for name in metals if ions.currents[name] < 0]

    def judge() -> dict[str, Any]:
        assert part is not None and whole is not None
        nodes = np.empty(len(part.points), np.int64)
        nodes[part.cells] = whole.cells
        electronic = electron[nodes]
        return {"electronic": electronic, "lithium": electronic - ion} | zones.judge(
            part, electronic - ion, threshold,
            electrodes={e.name: e.groups for e in p.electrodes}, lithium=plated or metals,
            axisymmetric=p.model == "axisymmetric",
        )  # fmt: skip

    found = on_root(comm, judge)
    mine = abs(solution.currents[p.driven.name])
    total = mine + abs(ions.currents[p.driven.name])
    return Leakage(
        solution=solution, threshold=threshold, transference=mine / total if total > 0 else 0.0,
        **found,
    )  # fmt: skip


def at_nodes(domain: Domain, phi: Any, voltage: float) -> Floats:
    """A potential at the file's nodes [V], NaN where there is no vertex; the same on every rank."""
    corners = vertex_nodes(domain.mesh)
    dofs = phi.function_space.dofmap.list[:, : domain.tdim + 1]
    every = domain.node_ids[corners].reshape(-1)
    values = phi.x.array[dofs].reshape(-1) * voltage
    ids, first = np.unique(every, return_index=True)
    comm = domain.comm
    triples = comm.gather((ids, values[first], int(domain.node_ids.max(initial=-1))))
    found = None
    if comm.rank == 0:
        found = np.full(max(last for *_, last in triples) + 1, np.nan)
        for i, v, _ in triples:
            found[i] = v
    return np.asarray(bcast_array(comm, found))
