"""The filament of a case in time: from the case and its meshes to a model that moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ssbmech import build, build_electro, build_materials, units
from ssbmech.build_flow import flow_setup
from ssbmech.build_materials import material_sets
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.config_filament import ThinFilamentBlock
from ssbmech.config_transient import counter_of, driven_case
from ssbmech.domain import Domain, distribute
from ssbmech.electro.problem import Electrode
from ssbmech.errors import CaseError, nearest
from ssbmech.filament import elastic, electric
from ssbmech.filament.elastic import Condensed
from ssbmech.filament.electric import CondensedElectric, Part
from ssbmech.filament.film import SlitFlow
from ssbmech.filament.model import FilamentModel
from ssbmech.filament.problem import FilamentProblem
from ssbmech.filament.subject import FilamentSubject, Wanted
from ssbmech.fracture.rings import RingOptions
from ssbmech.interphase.layered_subject import with_layers
from ssbmech.materials.flow import Norton
from ssbmech.meshes.data import MeshData
from ssbmech.output.verdict import Limits
from ssbmech.parallel import on_root
from ssbmech.subject import Setting


def make(setting: Setting) -> Any:
    """Condense body and electrolyte of a case with [thin_filament] onto its film (collective).

    Args:
        setting: Case, meshes, and what the case means on them.

    Returns:
        A ``subject.Subject``.

    Raises:
        SsbmechError: On every rank.
    """
    case, base, comm, data = setting.case, setting.base, setting.comm, setting.data
    domain, setup, matter = setting.domain, setting.setup, setting.matter
    programme, note = setting.programme, setting.note
    block = case.thin_filament
    assert block is not None
    faces = _faces(block, setup, domain)
    counter, parts = _parts(case, faces)
    mouth = tuple(g for p in parts if not p.film for g in p.groups) if block.mouth == "open" else ()
    loads = build.problem(case, setup, matter, domain)
    body = elastic.condense(
        loads, faces, setup.cracks, mouth_groups=mouth, options=_ring_options(case)
    )
    if block.mouth == "open" and not len(body.order.network.mouth):
        raise CaseError(
            "the mouth is open, and the crack meets no other lithium surface",
            key="thin_filament.mouth", value="open",
            hint='Give mouth = "sealed", or the surface where it starts an [[electrode]]',
        )  # fmt: skip
    ions, electric_setup = _ions(case, base, domain, data, setup.model, counter, parts, body)
    toughness, why = build_materials.toughness(
        case, matter, {g for f in body.fronts for g in f.groups}
    )
    flowing = _flow(case, block, base, electric_setup.temperature)
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
        molar_volume=build_electro.lithium_volume(block_of(case.electrochemistry)),
        stress_volume=electric_setup.molar_volume,
        tolerance=programme.tolerance,
    )
    note(
        f"{len(problem.network)} nodes of the film, {len(ions.electric.area)} plating nodes, "
        f"C symmetric to {body.asymmetry:.0e}"
    )
    notes = (
        f"thin filament: faces {', '.join(faces)}, mouth {block.mouth}",
        *electric_setup.notes,
        *flowing.notes,
        *((why,) if toughness is None else ()),
    )
    subject = FilamentSubject(
        FilamentModel(problem, comm), body, ions,
        Limits(
            None if toughness is None else toughness.value,
            None if toughness is None else toughness.band,
            electric_setup.molar_volume,
            programme.cut_off,
        ),
        _wanted(block, setup), elastic.is_loaded(loads), notes,
        {**electric_setup.sources, **flowing.sources},
        tuple(dict.fromkeys([*electric_setup.unverified, *flowing.unverified])),
    )  # fmt: skip
    return with_layers(
        subject, electric_setup.layers, len(electric_setup.electrodes), programme.tolerance
    )


def _ring_options(case: Case) -> RingOptions:
    return RingOptions(
        radii=tuple(sorted(units.quantity(t, "length") for t in case.fracture.rings)),
        spread_limit=case.fracture.ring_spread_limit,
    )


def _wanted(block: ThinFilamentBlock, setup: build.Setup) -> Wanted | None:
    if block.critical is None:
        return None
    if setup.crack_size is None:
        raise CaseError(
            "the flaw's size is not known, and others are compared with it",
            key="thin_filament.critical", hint="Give crack.size",
        )  # fmt: skip
    sizes = tuple(units.quantity(t, "length") for t in block.critical.sizes)
    return Wanted(sizes, setup.crack_size, units.quantity(block.critical.hold, "time"))


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
) -> tuple[CondensedElectric, build_electro.ElectricSetup]:
    held: list[MeshData] = []

    def work() -> build_electro.ElectricSetup:
        assert data is not None
        setup, part = build_electro.prepare(driven_case(case), base, data)
        held.append(part)
        return setup

    setup = on_root(whole.comm, work)
    domain = distribute(whole.comm, held[0] if held else None, length=setup.length)
    problem = build_electro.problem(case, setup, domain, model)
    of_key = {e.key: e for e in setup.electrodes}
    real = tuple(replace(p, electrode=of_key[p.electrode.key]) for p in parts)
    found = electric.condense(problem, setup.electrodes[counter], real, body.order.network.points)
    return found, setup


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
