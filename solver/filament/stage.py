"""The filament of a case in time: from case and meshes to a model that moves, and its table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ssbmech import build, build_electro, build_materials, units
from ssbmech.build_flow import flow_setup
from ssbmech.build_materials import Materials, material_sets
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.config_filament import ThinFilamentBlock
from ssbmech.config_transient import counter_of
from ssbmech.domain import Domain, distribute
from ssbmech.electro.problem import Electrode
from ssbmech.errors import CaseError, nearest
from ssbmech.filament import elastic, electric
from ssbmech.filament.elastic import Condensed
from ssbmech.filament.electric import CondensedElectric, Part
from ssbmech.filament.film import SlitFlow
from ssbmech.filament.model import FilamentModel, Profile
from ssbmech.filament.problem import FilamentProblem
from ssbmech.fracture.porz import LITHIUM_MOLAR_VOLUME
from ssbmech.fracture.rings import RingOptions
from ssbmech.materials.flow import Norton
from ssbmech.meshes.data import MeshData
from ssbmech.parallel import on_root


@dataclass(frozen=True)
class FilamentStage:
    """A filament ready to move.

    Attributes:
        model: For `ssbmech.time_stage.run_in_time`.
        body: The elastic body on its crack, with the fronts' rings under uniform pressure.
        ions: The electrolyte on its lithium surfaces.
        toughness: K_IC and its band, or None with the reason in ``notes``.
        notes: Choices and limits in words.
        sources: ``"group.key"`` to value, source and standing.
        unverified: Names of unverified library values that were used.
    """

    model: FilamentModel
    body: Condensed
    ions: CondensedElectric
    toughness: Any
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    @property
    def problem(self) -> FilamentProblem:
        """What moves."""
        return self.model.problem


def prepare(
    case: Case,
    setup: build.Setup,
    matter: Materials,
    domain: Domain,
    base: Path,
    data: MeshData | None,
    *,
    options: RingOptions | None = None,
    note: Callable[[str], None] | None = None,
) -> FilamentStage:
    """Condense body and electrolyte of a case with [thin_filament] onto its film (collective).

    Args:
        case: The case.
        setup: What it means on its mesh.
        matter: Materials.
        domain: The whole body on all ranks.
        base: Folder in which relative paths of the case start.
        data: The whole mesh on rank 0.
        options: Rings for K.
        note: Takes progress in words.

    Raises:
        SsbmechError: On every rank.
    """
    block = case.thin_filament
    assert block is not None
    faces = _faces(block, setup, domain)
    counter, parts = _parts(case, faces)
    mouth = tuple(g for p in parts if not p.film for g in p.groups) if block.mouth == "open" else ()
    body = elastic.condense(
        build.problem(case, setup, matter, domain), faces, setup.cracks,
        mouth_groups=mouth, options=options, note=note,
    )  # fmt: skip
    if block.mouth == "open" and not len(body.order.network.mouth):
        raise CaseError(
            "the mouth is open, and the crack meets no other lithium surface",
            key="thin_filament.mouth", value="open",
            hint='Give mouth = "sealed", or the surface where it starts an [[electrode]]',
        )  # fmt: skip
    ions, electric_setup = _ions(case, base, domain, data, setup.model, counter, parts, body, note)
    toughness, why = build_materials.toughness(
        case, matter, {g for f in body.fronts for g in f.groups}
    )
    flowing = _flow(case, block, base, electric_setup.temperature)
    whole = LITHIUM_MOLAR_VOLUME
    if (given := block_of(case.electrochemistry).molar_volume) is not None:
        whole = units.quantity(given, "molar_volume")
    problem = FilamentProblem(
        network=body.order.network,
        elastic=body.elastic,
        electric=ions.electric,
        thickness=units.quantity(block.thickness, "length"),
        slit=flowing.law,
        mouth_pressure=(
            units.quantity(block.mouth_pressure, "pressure") if block.mouth == "open" else None
        ),
        filled=None if block.filled is None else units.quantity(block.filled, "length"),
        sides=body.sides,
        toughness=None if toughness is None else toughness.value,
        molar_volume=whole,
        stress_volume=electric_setup.molar_volume,
        tolerance=1e-3 if case.time is None else case.time.tolerance,
    )
    notes = [
        f"thin filament: {len(problem.network)} nodes along {', '.join(faces)}, "
        f"{len(ions.electric.area)} plating nodes, mouth {block.mouth}",
        *electric_setup.notes,
        *flowing.notes,
        *((why,) if toughness is None else ()),
    ]
    return FilamentStage(
        FilamentModel(problem, domain.comm), body, ions, toughness, tuple(notes),
        {**electric_setup.sources, **flowing.sources},
        tuple(dict.fromkeys([*electric_setup.unverified, *flowing.unverified])),
    )  # fmt: skip


def _faces(block: ThinFilamentBlock, setup: build.Setup, domain: Domain) -> tuple[str, ...]:
    if block.faces is not None:
        for name in block.faces:
            domain.facet_tag(name, key="thin_filament.faces")
        return tuple(block.faces)
    faces = tuple(dict.fromkeys(f for c in setup.cracks for f in c.faces))
    if not faces:
        raise CaseError(
            "there is no crack for the film", key="thin_filament.faces",
            hint="Name facet groups, and give [crack] its front",
        )  # fmt: skip
    return faces


def _parts(case: Case, faces: tuple[str, ...]) -> tuple[int, tuple[Part, ...]]:
    """Number of the counter electrode; lithium surfaces as groups that are condensed as one."""
    counter = counter_of(case)
    groups = [e.groups for e in case.electrode]
    known = [g for group in groups for g in group]
    missing = [f for f in faces if f not in known]
    if missing:
        raise CaseError(
            f"lithium plates on the face {missing[0]!r} of the filament, and it belongs to no "
            "electrode",
            key="electrode", hint=nearest(missing[0], known) + " Add it to the lithium electrode's "
            "group",
        )  # fmt: skip
    wrong = [f for f in faces if f in groups[counter]]
    if wrong:
        raise CaseError(
            "a face of the filament belongs to the counter electrode",
            key=f"electrode.{counter}.group", value=wrong[0],
            hint="Give [time] counter, or the faces to the lithium electrode",
        )  # fmt: skip
    parts = []
    placeholder = Electrode("", (), "none")
    for i, group in enumerate(groups):
        if i == counter:
            continue
        named = replace(placeholder, key=f"electrode.{i}")
        film = tuple(g for g in group if g in faces)
        flat = tuple(g for g in group if g not in faces)
        parts += [Part(named, g, f) for g, f in ((film, True), (flat, False)) if g]
    return counter, tuple(parts)


def _ions(
    case: Case,
    base: Path,
    whole: Domain,
    data: MeshData | None,
    model: str,
    counter: int,
    parts: tuple[Part, ...],
    body: Condensed,
    note: Callable[[str], None] | None,
) -> tuple[CondensedElectric, build_electro.ElectricSetup]:
    held: list[MeshData] = []

    def work() -> build_electro.ElectricSetup:
        assert data is not None
        setup, part = build_electro.prepare(_driven(case, counter), base, data)
        held.append(part)
        return setup

    setup = on_root(whole.comm, work)
    domain = distribute(whole.comm, held[0] if held else None, length=setup.length)
    problem = build_electro.problem(case, setup, domain, model)
    of_key = {e.key: e for e in setup.electrodes}
    real = tuple(replace(p, electrode=of_key[p.electrode.key]) for p in parts)
    found = electric.condense(
        problem, setup.electrodes[counter], real, body.order.network.points, note=note
    )
    return found, setup


def _driven(case: Case, counter: int) -> Case:
    """The case with its counter electrode driven, as the programme will."""
    electrodes = list(case.electrode)
    electrodes[counter] = electrodes[counter].model_copy(
        update={"plating_current_density": "-1 mA/cm^2"}
    )
    return case.model_copy(update={"electrode": electrodes})


@dataclass(frozen=True)
class _Flow:
    law: SlitFlow | None = None
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()


def _flow(case: Case, block: ThinFilamentBlock, base: Path, temperature: float) -> _Flow:
    if isinstance(block.flow, str):
        return _Flow(notes=("lithium does not flow along the film",))
    sets = material_sets(case, base)
    if block.lithium not in sets:
        raise CaseError(
            "unknown material", key="thin_filament.lithium", value=block.lithium,
            hint=nearest(block.lithium, sets),
        )  # fmt: skip
    made = flow_setup(block.flow, sets[block.lithium], temperature, group="thin_filament")
    law = made.law
    assert isinstance(law, Norton)
    return _Flow(SlitFlow(law.B, law.n), made.notes, made.sources, made.unverified)


# -- tables --------------------------------------------------------------------------------------

#: Columns of filament.csv: name with unit, and SI per unit.
COLUMNS = (
    ("time [s]", 1.0), ("s [um]", 1e-6), ("x [um]", 1e-6), ("y [um]", 1e-6), ("z [um]", 1e-6),
    ("pressure [MPa]", 1e6), ("opening [nm]", 1e-9), ("lithium [nm]", 1e-9),
    ("current_density [mA/cm^2]", 10.0), ("potential [mV]", 1e-3), ("flow [um^2/s]", 1e-12),
)  # fmt: skip


def csv_header() -> str:
    """First line of filament.csv."""
    return ",".join(name for name, _ in COLUMNS)


def csv_rows(profile: Profile) -> list[str]:
    """Lines of filament.csv for one moment, from the mouth on."""
    rows = []
    for k in range(len(profile.s)):
        values = (
            profile.time, profile.s[k], *profile.points[k], profile.p[k], profile.w[k],
            profile.m[k], profile.J[k], profile.phi[k], profile.q[k],
        )  # fmt: skip
        rows.append(
            ",".join(f"{v / unit:.9g}" for v, (_, unit) in zip(values, COLUMNS, strict=True))
        )
    return rows


def csv_lines(profiles: Iterable[Profile]) -> list[str]:
    """filament.csv of several moments."""
    return [csv_header(), *(row for profile in profiles for row in csv_rows(profile))]
