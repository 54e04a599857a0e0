"""Bonded lithium of a case in time, plated or under loads alone: from the case to a model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ssbmech import build, build_electro
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.config_transient import counter_of, driven_case
from ssbmech.coupled.creep import CreepModel
from ssbmech.coupled.flowing_body import FlowingBody, flowing_body, with_stack
from ssbmech.coupled.plate import Plate
from ssbmech.coupled.plating import Plating, PlatingModel
from ssbmech.domain import distribute
from ssbmech.errors import CaseError
from ssbmech.interphase.layered_subject import with_layers
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import restrict
from ssbmech.output.verdict import Limits
from ssbmech.parallel import on_root
from ssbmech.programme import Programme
from ssbmech.subject import Columns, FieldWriter, Setting


def make(setting: Setting) -> Any:
    """The model of a case with flowing lithium that is bonded (collective).

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
    body = flowing_body(case, base, setup, matter, domain)
    problem, plate = with_stack(case, body.problem)
    body = replace(body, problem=problem)
    if not case.electrode:
        note("creep: body")
        creep = CreepModel(body.problem, programme.tolerance, plate)
        return CreepSubject(creep, Limits(), body.notes, body.sources, body.unverified)
    note("plating: body and electrolyte")
    return _plating(case, base, comm, data, setup, programme, body, plate)


def _plating(
    case: Case,
    base: Path,
    comm: Any,
    data: MeshData | None,
    setup: build.Setup,
    programme: Programme,
    body: FlowingBody,
    plate: Plate | None,
) -> Any:
    counter, held = counter_of(case), []

    def work() -> tuple[build_electro.ElectricSetup, dict[str, str]]:
        assert data is not None
        growth = growth_layers(case, data, counter, tuple(body.problem.flows))
        electric, part = build_electro.prepare(driven_case(case), base, data)
        held.append(part)
        return electric, growth

    electric, growth = on_root(comm, work)
    ions_domain = distribute(comm, held[0] if held else None, length=electric.length)
    coupled = tuple(
        replace(e, coupled=set(e.groups) & set(growth) != set()) for e in electric.electrodes
    )
    ions = build_electro.problem(
        case, replace(electric, electrodes=coupled), ions_domain, setup.model
    )
    problem = Plating(
        replace(body.problem, growth=growth),
        ions,
        tuple(e.name for e in coupled if e.coupled),
        build_electro.lithium_volume(block_of(case.electrochemistry)),
        programme.tolerance,
        method=case.solver.coupling,
        plate=plate,
    )
    model = PlatingModel(problem)
    notes = [
        f"lithium grows in the elements at {', '.join(growth)}: "
        f"{len(model.layer.nodes)} vertices, body and electrolyte solved as one problem"
    ]
    for e in coupled:
        idle = [g for g in e.groups if g not in growth]
        if e.coupled and idle:
            notes.append(f"no lithium that flows touches {', '.join(idle)}: nothing grows there")
    limits = Limits(pressure_volume=electric.molar_volume, cut_off=programme.cut_off)
    subject = PlatingSubject(
        model, limits, (*notes, *electric.notes, *body.notes), electric.sources | body.sources,
        tuple(dict.fromkeys([*electric.unverified, *body.unverified])),
    )  # fmt: skip
    return with_layers(subject, electric.layers, len(electric.electrodes), programme.tolerance)


def growth_layers(
    case: Case, data: MeshData, counter: int, flowing: tuple[str, ...]
) -> dict[str, str]:
    """Facet groups of the lithium electrodes and the flowing group that grows at each.

    Args:
        case: The case.
        data: The whole mesh.
        counter: Number of the counter electrode.
        flowing: Cell groups that flow.

    Raises:
        CaseError: When none of the electrodes touches lithium that flows, or one facet group
            touches two groups that do.
    """
    sides = {name: restrict(data, [name]).facet_groups for name in flowing}
    found: dict[str, str] = {}
    for i, electrode in enumerate(case.electrode):
        if i == counter:
            continue
        for group in electrode.groups:
            data.facet_tag(group, key=f"electrode.{i}.group")
            names = [name for name, facets in sides.items() if group in facets]
            if len(names) > 1:
                raise CaseError(
                    f"{group!r} touches two groups that flow: {', '.join(names)}",
                    key=f"electrode.{i}.group", value=group,
                    hint="Lithium at one surface is one material group",
                )  # fmt: skip
            if names:
                found[group] = names[0]
    if not found:
        known = sorted({g for facets in sides.values() for g in facets})
        raise CaseError(
            "no electrode touches lithium that flows, and nothing could be plated", key="electrode",
            value=", ".join(g for e in case.electrode for g in e.groups),
            allowed=f"surfaces of {', '.join(flowing)}: {', '.join(known)}",
        )  # fmt: skip
    return found


# -- what is reported ---------------------------------------------------------------------------


@dataclass
class PlatingSubject:
    """A ``subject.Subject``."""

    model: PlatingModel
    limits: Limits
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def profiles(self) -> dict[str, Columns]:
        """The interface, vertex by vertex."""
        state, points = self.model.state, self.model.places()
        columns = {f"{axis} [um]": points[:, k] * 1e6 for k, axis in enumerate("xyz")}
        if self.model.problem.body.dim == 2:
            del columns["z [um]"]
        return {
            "interface": {
                **columns,
                "pressure [MPa]": -state.stress * 1e-6,
                "current_density [mA/cm^2]": state.density * 0.1,
                "thickness [nm]": state.thickness * 1e9,
            }
        }

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """Plated volume in the elements against the charge that passed."""
        found = self.model.plated_volume
        size = max(abs(self.model.state.totals.moved_volume), 1e-300)
        unit = "m^2" if self.model.problem.body.model == "plane_strain" else "m^3"
        return {"plated volume": (found - self.model.state.totals.volume, size, unit)}

    def fields(self, folder: Path) -> FieldWriter | None:
        """Displacement and stress of the body, potential of the electrolyte."""
        from ssbmech.coupled.plating_fields import PlatingFields

        return PlatingFields(folder, self.model)

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the solver."""
        m = self.model
        return {
            "unknowns_body": int(m.body.W.dofmap.index_map.size_global),
            "unknowns_electrolyte": int(m.ions.V.dofmap.index_map.size_global),
            "vertices_interface": len(m.layer.nodes),
            "coupling": m.problem.method,
            "newton_tolerance": m.problem.body.rtol,
        }

    def results(self) -> dict[str, Any]:
        """The interface at the end."""
        s = self.model.state
        return {
            "pressure_interface_max_MPa": float(-s.stress.min() * 1e-6),
            "pressure_interface_min_MPa": float(-s.stress.max() * 1e-6),
            "thickness_max_nm": float(s.thickness.max() * 1e9),
            "thickness_min_nm": float(s.thickness.min() * 1e9),
        }


@dataclass
class CreepSubject:
    """A ``subject.Subject``."""

    model: CreepModel
    limits: Limits
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def profiles(self) -> dict[str, Columns]:
        """None."""
        return {}

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """None."""
        return {}

    def fields(self, folder: Path) -> FieldWriter | None:
        """Displacement and stress."""
        from ssbmech.coupled.body_fields import BodyFields

        return BodyFields(folder, self.model.body)

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the solver."""
        body = self.model.body
        return {
            "unknowns_body": int(body.W.dofmap.index_map.size_global),
            "newton_tolerance": body.problem.rtol,
        }

    def results(self) -> dict[str, Any]:
        """Nothing beside the history."""
        return {}
