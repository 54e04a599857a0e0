"""From a validated case and its mesh to the electric problem: conductors, electrodes, SI values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.build_layer import Layers, layers
from ssbmech.build_materials import material_sets, set_of
from ssbmech.config import Case
from ssbmech.config_electro import ElectroBlock, ElectrodeBlock, activation_energy, block_of
from ssbmech.domain import Domain
from ssbmech.electro.cut import cut
from ssbmech.electro.edges import singular_points
from ssbmech.electro.leakage import Electrons
from ssbmech.electro.problem import BoundaryResistance, ElectricProblem, Electrode
from ssbmech.errors import CaseError, MaterialError, nearest
from ssbmech.formula import Formula
from ssbmech.fracture.porz import LITHIUM_MOLAR_VOLUME
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import nodes_of, restrict, sorted_facets
from ssbmech.physics import kinetics

#: Cell groups of the geometries that never conduct ions.
INSULATING = ("lithium", "impurity", "stack_plate")


@dataclass(frozen=True)
class ElectricSetup:
    """What the electric part of a case means on its mesh; the same on every rank.

    Attributes:
        conductivity: Of each conducting group at the temperature of the case [S/m]; of crystals
            the mean of their principal values.
        crystals: Principal values of groups that are crystals [S/m].
        boundaries: Facets with a resistance, along which the mesh of the ions is cut.
        electrodes: In the order of the case.
        sharp: Points of sharp edges of electrodes without kinetics [m], by name.
        distances: How far from them the largest current is wanted [m], by name.
        length: Size of the conducting body [m].
        temperature: [K].
        molar_volume: V_m - V_+ [m^3/mol].
        nodes: Number in the whole mesh of each node of the mesh of the ions.
        electrons: What the case says of electrons that leak, or None.
        layers: Reaction layers on electrodes, whose resistances the electrodes have.
        notes: Choices made for the user, in words.
        sources: ``"group.key"`` to value, source and standing.
        unverified: Names of unverified library values that were used.
    """

    conductivity: dict[str, float]
    electrodes: tuple[Electrode, ...]
    sharp: dict[str, NDArray[np.float64]]
    distances: dict[str, float]
    length: float
    temperature: float
    molar_volume: float
    nodes: NDArray[np.int64]
    crystals: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    boundaries: tuple[BoundaryResistance, ...] = ()
    electrons: Electrons | None = None
    layers: Layers = field(default_factory=Layers)
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()


def prepare(case: Case, base: Path, data: MeshData) -> tuple[ElectricSetup, MeshData]:
    """Resolve conductors and electrodes against the mesh (on one rank, without MPI).

    Args:
        case: The case.
        base: Folder in which its relative paths start.
        data: The whole mesh.

    Returns:
        The setup and the mesh of the conducting groups, cut along boundaries with a resistance.

    Raises:
        CaseError, MeshError, MaterialError: For what cannot be a cell.
    """
    block = block_of(case.electrochemistry)
    for i, electrode in enumerate(case.electrode):
        for group in electrode.groups:
            data.facet_tag(group, key=f"electrode.{i}.group")
    found = _conductivities(case, block, base, data.cell_groups)
    part = restrict(data, found.values)
    _check_surfaces(case, part)
    _check_connected(case, part)
    T = units.quantity(block.temperature, "temperature")
    electrodes = tuple(_electrode(e, i, T) for i, e in enumerate(case.electrode))
    reaction = layers(case, base, electrodes, T)
    electrodes = reaction.on(electrodes)
    sharp, distances = {}, {}
    for one, given in zip(electrodes, case.electrode, strict=True):
        if one.kinetics == "none":
            sharp[one.name] = singular_points(part, one.groups) * 1e-6
        if given.peak_distance is not None:
            distances[one.name] = units.quantity(given.peak_distance, "length")
    nodes = nodes_of(data, found.values)
    boundaries: tuple[BoundaryResistance, ...] = ()
    resistances = _boundary_resistances(block)
    if resistances:
        made = cut(part, resistances)
        part, nodes, boundaries = made.mesh, nodes[made.nodes], made.boundaries
    low, high = part.points.min(axis=0), part.points.max(axis=0)
    setup = ElectricSetup(
        conductivity=found.values,
        electrodes=electrodes,
        sharp=sharp,
        distances=distances,
        length=float((high - low).max()) * 1e-6,
        temperature=T,
        molar_volume=_molar_volume(block),
        nodes=nodes,
        crystals=found.crystals,
        boundaries=boundaries,
        electrons=_electrons(case, block, found.values),
        layers=reaction,
        notes=(*found.notes, *reaction.notes),
        sources=found.sources | reaction.sources,
        unverified=tuple(dict.fromkeys([*found.unverified, *reaction.unverified])),
    )
    return setup, part


def problem(case: Case, setup: ElectricSetup, domain: Domain, model: str) -> ElectricProblem:
    """Compose the problem on the distributed mesh of the conducting groups."""
    block = block_of(case.electrochemistry)
    return ElectricProblem(
        domain=domain,
        model=model,
        conductivity=setup.conductivity,
        electrodes=setup.electrodes,
        temperature=setup.temperature,
        molar_volume=setup.molar_volume,
        crystals=setup.crystals,
        boundaries=setup.boundaries,
        nodes=setup.nodes,
        degree=block.degree or case.solver.degree,
        linear=case.solver.method,
        petsc={k: str(v) for k, v in case.solver.petsc.items()},
    )


def _electrons(case: Case, block: ElectroBlock, conductors: Iterable[str]) -> Electrons | None:
    """Electronic conductivities of all conductors, or None where the case gives none."""
    given, key = block.electronic_conductivity, "electrochemistry.electronic_conductivity"
    if not given:
        return None
    names = list(conductors)
    for name in given:
        if name not in names:
            raise CaseError(
                f"the material group {name!r} does not conduct ions", key=f"{key}.{name}",
                allowed=", ".join(names), hint=nearest(name, names),
            )  # fmt: skip
    for name in names:
        if name not in given:
            raise CaseError(
                f"no electronic conductivity is given for the material group {name!r}", key=key,
                hint=f'Give every conductor one, e.g. {name} = "1e-12 S/cm" where hardly any flows',
            )  # fmt: skip
    return Electrons(
        {name: units.quantity(given[name], "conductivity") for name in names},
        {e.label: units.quantity(e.open_circuit_voltage, "potential") for e in case.electrode},
        units.quantity(block.inner_pressure, "pressure"),
    )


def lithium_volume(block: ElectroBlock) -> float:
    """V_m of lithium [m^3/mol], of the case or of the library."""
    if block.molar_volume is None:
        return LITHIUM_MOLAR_VOLUME
    return units.quantity(block.molar_volume, "molar_volume")


def _molar_volume(block: ElectroBlock) -> float:
    """V_m - V_+ of the stress term [m^3/mol]."""
    return lithium_volume(block) - units.quantity(block.partial_molar_volume, "molar_volume")


# -- conductivities ------------------------------------------------------------------------------


@dataclass
class _Found:
    values: dict[str, float] = field(default_factory=dict)
    crystals: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    unverified: list[str] = field(default_factory=list)


def _conductivities(case: Case, block: ElectroBlock, base: Path, groups: Iterable[str]) -> _Found:
    groups = list(groups)
    named: list[tuple[str, Iterable[str]]] = [
        ("conductivity", block.conductivity),
        ("conductivity_axes", block.conductivity_axes),
        ("activation_energy", block.activation_energy),
        ("insulating", block.insulating),
    ]
    for key, names in named:
        for name in names:
            if name not in groups:
                raise CaseError(
                    f"the mesh has no material group {name!r}", key=f"electrochemistry.{key}",
                    hint=nearest(name, groups),
                )  # fmt: skip
    sets = material_sets(case, base)
    found = _Found()
    T = units.quantity(block.temperature, "temperature")
    T_ref = units.quantity(block.reference_temperature, "temperature")
    for group in groups:
        if group in block.insulating:
            continue
        material = case.materials.get(group)
        known = None if material is None else set_of(group, material, sets)
        kappa = _conductivity(group, block, known, found)
        if kappa is None:
            continue
        Ea = _activation(group, block, known, found)
        if Ea is None and T != T_ref:
            found.notes.append(
                f"conductivity of {group}: no activation energy, taken as that at {T_ref:g} K"
            )
        factor = kinetics.arrhenius_factor(Ea or 0.0, T, T_ref)
        found.values[group] = kappa * factor
        axes = _axes(group, block)
        if axes is not None and len(set(axes)) > 1:
            found.crystals[group] = (axes[0] * factor, axes[1] * factor, axes[2] * factor)
    if not found.values:
        raise CaseError(
            "nothing conducts ions: no material group has a conductivity", key="electrochemistry",
            hint='Give e.g. conductivity = { electrolyte = "0.46 mS/cm" }',
        )  # fmt: skip
    return found


def _keys(group: str) -> tuple[str, str]:
    """Keys of the library for conductivity and activation energy of a group."""
    if group == "grain_boundary":
        return "grain_boundary_conductivity", "grain_boundary_activation_energy"
    return "ionic_conductivity", "ionic_activation_energy"


def _conductivity(group: str, block: ElectroBlock, known: Any, found: _Found) -> float | None:
    """Of a group at the reference temperature [S/m], None for one that insulates."""
    axes = _axes(group, block)
    if axes is not None:
        return float(np.mean(axes))
    if group in block.conductivity:
        key = f"electrochemistry.conductivity.{group}"
        return units.quantity(block.conductivity[group], "conductivity", key=key)
    if group in INSULATING or (known is not None and known.kind == "lithium"):
        return None
    key = _keys(group)[0]
    hint = (
        f'Give [electrochemistry] conductivity = {{ {group} = "0.1 mS/cm" }}, or insulating = '
        f'["{group}"]'
    )
    if known is None:
        raise CaseError(
            f"no conductivity is given for the material group {group!r}",
            key="electrochemistry.conductivity", hint=hint,
        )  # fmt: skip
    if key not in known.values:
        raise MaterialError(
            f"no source gives the {key} of {known.name!r}", key=f"materials.{group}", hint=hint
        )
    entry = known[key]
    _note(found, group, key, known, units.show(entry.value, "conductivity"))
    return float(entry.value)


def _activation(group: str, block: ElectroBlock, known: Any, found: _Found) -> float | None:
    """Activation energy of a group [J/mol], None where it is not known."""
    if group in block.activation_energy:
        key = f"electrochemistry.activation_energy.{group}"
        return activation_energy(block.activation_energy[group], key=key)
    key = _keys(group)[1]
    given = group in block.conductivity or group in block.conductivity_axes
    if given or known is None or key not in known.values:
        return None
    _note(found, group, key, known, known[key].given)
    return activation_energy(known[key].given)


def _axes(group: str, block: ElectroBlock) -> list[float] | None:
    """Principal values of a crystal at the reference temperature [S/m]."""
    if group not in block.conductivity_axes:
        return None
    key = f"electrochemistry.conductivity_axes.{group}"
    return [units.quantity(t, "conductivity", key=key) for t in block.conductivity_axes[group]]


def _boundary_resistances(block: ElectroBlock) -> dict[str, float]:
    """Of facet groups at the temperature of the case [ohm m^2]."""
    T = units.quantity(block.temperature, "temperature")
    T_ref = units.quantity(block.reference_temperature, "temperature")
    found = {}
    for group, text in block.boundary_resistance.items():
        Ea = 0.0
        if group in block.boundary_activation_energy:
            key = f"electrochemistry.boundary_activation_energy.{group}"
            Ea = activation_energy(block.boundary_activation_energy[group], key=key)
        Z = units.quantity(text, "area_specific_resistance")
        found[group] = Z / kinetics.arrhenius_factor(Ea, T, T_ref)
    return found


def _note(found: _Found, group: str, key: str, known: Any, shown: str) -> None:
    entry = known[key]
    found.sources[f"{group}.{key}"] = f"{shown}: {entry.source} ({entry.standing})"
    if not entry.verified:
        found.unverified.append(f"{known.name}.{key}")


# -- electrodes ----------------------------------------------------------------------------------


def _electrode(given: ElectrodeBlock, number: int, temperature: float) -> Electrode:
    key = f"electrode.{number}"
    i0 = resistance = 0.0
    if given.area_specific_resistance is not None:
        resistance = units.quantity(given.area_specific_resistance, "area_specific_resistance")
        i0 = kinetics.exchange_current_density(resistance, temperature)
    if given.exchange_current_density is not None:
        i0 = units.quantity(given.exchange_current_density, "current_density")
    potential, density = 0.0, None
    if given.potential is not None:
        potential = units.quantity(given.potential, "potential")
    if given.plating_current_density is not None:
        density = -units.quantity(given.plating_current_density, "current_density")
    stress = given.normal_stress
    return Electrode(
        name=given.label,
        groups=given.groups,
        kinetics=given.kinetics,
        i0=i0 if given.kinetics == "butler_volmer" else 0.0,
        resistance=resistance if given.kinetics == "linear" else 0.0,
        beta=given.symmetry_factor,
        potential=potential if density is None else None,
        current_density=density,
        normal_stress=stress
        and Formula.parse(stress, "pressure", ("x", "y", "z"), key=f"{key}.normal_stress"),
        key=key,
    )


def _check_surfaces(case: Case, part: MeshData) -> None:
    """Every electrode lies on the surface of what conducts."""
    d = part.dim
    rows, count = np.unique(
        sorted_facets(part.cells[:, : d + 1]).reshape(-1, d), axis=0, return_counts=True
    )
    inner = rows[count > 1]
    for i, electrode in enumerate(case.electrode):
        for group in electrode.groups:
            key = f"electrode.{i}.group"
            if group not in part.facet_groups:
                raise CaseError(
                    "the electrode touches no cell that conducts ions", key=key, value=group,
                    allowed=f"a surface of {', '.join(part.cell_groups)}: "
                    + ", ".join(sorted(part.facet_groups)),
                )  # fmt: skip
            mine = part.facets[part.facet_tags == part.facet_groups[group]][:, :d]
            both = np.concatenate([np.unique(np.sort(mine, axis=1), axis=0), inner])
            if (np.unique(both, axis=0, return_counts=True)[1] > 1).any():
                raise CaseError(
                    "the electrode lies inside what conducts ions, and not on its surface",
                    key=key, value=group, hint="List the group on one side of it as insulating",
                )  # fmt: skip


def _check_connected(case: Case, part: MeshData) -> None:
    """Every piece of what conducts touches an electrode, and one piece the driven and another."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    cells = part.cells[:, : part.dim + 1]
    n = len(part.points)
    first = np.repeat(cells[:, :1], cells.shape[1] - 1, axis=1).reshape(-1)
    second = cells[:, 1:].reshape(-1)
    graph = coo_matrix((np.ones(len(first)), (first, second)), shape=(n, n))
    _, piece = connected_components(graph, directed=False)
    touched = []
    for electrode in case.electrode:
        tags = [part.facet_groups[g] for g in electrode.groups]
        nodes = part.facets[np.isin(part.facet_tags, tags)][:, 0]
        touched.append(set(piece[nodes].tolist()))
    alone = sorted(set(piece[cells[:, 0]].tolist()) - set().union(*touched))
    if alone:
        at = part.points[cells[piece[cells[:, 0]] == alone[0]][0, 0]]
        where = ", ".join(f"{c:.4g}" for c in at)
        raise CaseError(
            f"{len(alone)} piece(s) of what conducts ions touch no electrode; one is at ({where}) "
            "um", key="electrode", hint="List the group of such a piece as insulating",
        )  # fmt: skip
    driven = next(i for i, e in enumerate(case.electrode) if e.is_driven)
    others = set().union(*(t for i, t in enumerate(touched) if i != driven))
    if not touched[driven] & others:
        raise CaseError(
            "nothing that conducts ions connects the driven electrode with another one",
            key=f"electrode.{driven}.group", value=list(case.electrode[driven].groups),
        )  # fmt: skip
