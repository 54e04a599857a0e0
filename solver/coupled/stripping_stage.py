"""Contact of lithium with current, of a case in time: from the case and its mesh to a model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import build, build_electro, units
from ssbmech.build_flow import flow_setup
from ssbmech.build_materials import Materials, material_sets, set_of
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.config_transient import counter_of, driven_case
from ssbmech.coupled.exchange import Axis, Chain, chain, flat_axis
from ssbmech.coupled.ions import Ions
from ssbmech.coupled.stripping import StrippingModel
from ssbmech.coupled.stripping_problem import StrippingProblem
from ssbmech.domain import Domain, distribute
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.interphase.layered_subject import with_layers
from ssbmech.lithium.contact import penalty_of
from ssbmech.lithium.obstacle import Plane
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load, Misfit
from ssbmech.lithium.stack import Stack
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import nodes_of, restrict
from ssbmech.output.verdict import Limits
from ssbmech.parallel import on_root
from ssbmech.subject import Columns, FieldWriter, Setting

Floats = NDArray[np.float64]

#: Facet groups beside that of [contact] at which lithium may meet the electrolyte.
WALL, BLOCKED = "void_li", "blocked"


def make(setting: Setting) -> Any:
    """The model of a case with [contact], [stack] and [[electrode]] (collective).

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
    note("contact: lithium and electrolyte")
    _check(case)
    parts: list[MeshData] = []
    plan = on_root(comm, lambda: _plan(case, base, data, setup.model, parts))
    lithium = distribute(comm, parts[0] if parts else None, length=plan.length)
    ions_domain = distribute(comm, parts[1] if parts else None, length=plan.electric.length)
    flowing = _flows(case, base, lithium, plan.electric.temperature)
    body = _body(case, setup, matter, domain, lithium, flowing, plan)
    coupled = tuple(replace(e, coupled=e.name == plan.electrode) for e in plan.electric.electrodes)
    electric = build_electro.problem(
        case, replace(plan.electric, electrodes=coupled), ions_domain, setup.model
    )
    ions = Ions(electric, plan.electrode, plan.line_ions, plan.axis)
    model = StrippingModel(_problem(case, body, plan, ions, programme.tolerance))
    notes = (
        f"contact: {len(plan.line.ids)} vertices of lithium and {len(plan.line_ions.ids)} of the "
        "electrolyte along the interface; the electrolyte is rigid beside lithium",
        f"lithium that is stripped stays in the mesh: right for thicknesses well below "
        f"{units.show(plan.thickness, 'length')}",
        *plan.notes,
        *plan.electric.notes,
        *flowing.notes,
    )
    subject = StrippingSubject(
        model, Limits(cut_off=programme.cut_off), notes, plan.electric.sources | flowing.sources,
        tuple(dict.fromkeys([*plan.electric.unverified, *flowing.unverified])),
    )  # fmt: skip
    return with_layers(
        subject, plan.electric.layers, len(plan.electric.electrodes), programme.tolerance
    )


# -- what a case means --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What rank 0 finds on the mesh."""

    electric: build_electro.ElectricSetup
    electrode: str
    line: Chain
    line_ions: Chain
    axis: Axis
    stack: Stack
    normal: tuple[int, float]
    thickness: float
    length: float
    void: float
    notes: tuple[str, ...]


def _check(case: Case) -> None:
    if case.stack is None:
        raise CaseError(
            "lithium that touches the electrolyte needs a stack that presses it", key="stack",
            hint='Add [stack] with pressure = "3 MPa"',
        )  # fmt: skip
    if case.stack.kind != "spring" and not units.quantity(case.stack.pressure, "pressure") > 0:
        raise CaseError(
            "without pressure nothing holds the lithium at the electrolyte", key="stack.pressure",
            value=case.stack.pressure, allowed="above 0 MPa",
        )  # fmt: skip
    assert case.contact is not None
    if case.contact.friction != "none":
        raise CaseError(
            "lithium with current slides freely along the electrolyte", key="contact.friction",
            value=case.contact.friction, allowed="none",
            hint="What is stripped at a place comes from another one in the mesh: nothing sticks",
        )  # fmt: skip


def _electrode(case: Case) -> int:
    """Number of the electrode that the surface of [contact] belongs to."""
    assert case.contact is not None
    group = case.contact.group
    for i, e in enumerate(case.electrode):
        if group in e.groups:
            if i == counter_of(case):
                raise CaseError(
                    "the surface in contact is the counter electrode", key="time.counter",
                    value=group, hint="Name the other electrode in [time] counter",
                )  # fmt: skip
            return i
    raise CaseError(
        "the surface in contact belongs to no electrode", key="contact.group", value=group,
        allowed=", ".join(g for e in case.electrode for g in e.groups),
        hint="Add it, with void_sse where there are voids, to the group of the lithium electrode",
    )  # fmt: skip


def _plan(
    case: Case, base: Path, data: MeshData | None, model: str, parts: list[MeshData]
) -> _Plan:
    """On rank 0: the two meshes, their lines, the plane, the stack."""
    assert data is not None and case.contact is not None and case.stack is not None
    if data.dim != 2:
        raise CaseError(
            "contact with current is for plane and axisymmetric models", key="geometry.model",
            value="3d", allowed="plane_strain or axisymmetric",
        )  # fmt: skip
    number, group = _electrode(case), case.contact.group
    electric, ions = build_electro.prepare(driven_case(case), base, data)
    names = [n for n in data.cell_groups if n not in electric.conductivity]
    names = [n for n in names if n != "impurity"]
    lithium = restrict(data, names)
    touching = [group, *(g for g in (WALL, BLOCKED) if g in lithium.facet_groups and g != group)]
    line = chain(lithium, touching, nodes_of(data, names), key="contact.group")
    walls = [*electric.electrodes[number].groups, BLOCKED]
    line_ions = chain(ions, walls, electric.nodes, key=f"electrode.{number}.group")
    axis = flat_axis(line, [group], turns=model == "axisymmetric", key="contact.group")
    if abs(axis.tangent[1]) > 1e-9:
        raise CaseError("the interface has to lie along x", key="contact.group", value=group)
    stack = case.stack.build()
    normal, thickness = _stack_side(lithium, stack.group, axis)
    size = float(np.ptp(lithium.points[:, :2], axis=0).max()) * 1e-6
    depth = float(np.abs(line.vertices[:, 1] - axis.point[1]).max())
    notes = [f"impurities in the lithium are not part of it: {n}" for n in ("impurity",)
             if n in data.cell_groups]  # fmt: skip
    parts += [lithium, ions]
    return _Plan(
        electric, electric.electrodes[number].name, line, line_ions, axis, stack, normal,
        thickness, size, depth, tuple(notes),
    )  # fmt: skip


def _stack_side(lithium: MeshData, group: str, axis: Axis) -> tuple[tuple[int, float], float]:
    """Component and sign of the stack's outward normal, and thickness of the lithium [m]."""
    tag = lithium.facet_tag(group, key="stack.group")
    points = lithium.points[lithium.facets[lithium.facet_tags == tag].reshape(-1), 1] * 1e-6
    thickness = abs(axis.point[1] - float(points.mean()))
    if np.ptp(points) > 1e-6 * thickness or not thickness > 0:
        raise CaseError(
            "the stack has to press on a side parallel to the interface", key="stack.group",
            value=group,
        )  # fmt: skip
    return (1, float(np.sign(points.mean() - axis.point[1]))), thickness


@dataclass(frozen=True)
class _Flowing:
    flows: dict[str, Flow]
    elastic: dict[str, Any]
    notes: tuple[str, ...]
    sources: dict[str, str]
    unverified: tuple[str, ...]


def _flows(case: Case, base: Path, domain: Domain, temperature: float) -> _Flowing:
    """Flow laws of the groups of the lithium's side."""
    sets = material_sets(case, base)
    found = _Flowing({}, {}, (), {}, ())
    for name in domain.cell_groups:
        block = case.materials[name]
        if block.flow is None:
            continue
        made = flow_setup(block.flow, set_of(name, block, sets), temperature, group=name)
        own = block.E is None and made.elastic is not None
        found = _Flowing(
            found.flows | {name: Flow(made.law, finite=made.finite)},
            found.elastic | ({name: made.elastic} if own else {}),
            (*found.notes, *made.notes),
            found.sources | made.sources | (made.elastic_sources if own else {}),
            (*found.unverified, *made.unverified),
        )
    return found


def _body(
    case: Case,
    setup: build.Setup,
    matter: Materials,
    whole: Domain,
    domain: Domain,
    flowing: _Flowing,
    plan: _Plan,
) -> BodyProblem:
    """The lithium's side of the elastic problem of the case."""
    problem = build.problem(case, setup, matter, whole)
    here = domain.facet_groups
    materials = {n: problem.materials[n] for n in domain.cell_groups}
    for name, elastic in flowing.elastic.items():
        materials[name] = replace(
            materials[name], E=Formula.constant(elastic.E, "pressure"), nu=elastic.nu
        )
    holds = []
    for c in problem.constraints:
        if c.group not in here:
            continue
        if plan.normal[0] in c.components:
            raise CaseError(
                f"{c.group!r} is held along the normal of the interface, and lithium that plates "
                "has to be free to move there", key=c.key, value=c.group,
                hint='A side at a fixed place is a [stack] of kind = "spring" that is very stiff',
            )  # fmt: skip
        holds.append(Hold(c.group, dict(c.components), key=c.key))
    if problem.body_forces:
        raise CaseError("body forces do not act on lithium in contact", key="body_force")
    loads = tuple(Load(load) for load in problem.loads if load.group in here)
    misfits = tuple(Misfit(e) for e in problem.eigenstrains if e.group in domain.cell_groups)
    return BodyProblem(domain, setup.model, materials, flowing.flows, loads, tuple(holds), misfits)


def _problem(
    case: Case, body: BodyProblem, plan: _Plan, ions: Ions, tolerance: float
) -> StrippingProblem:
    assert case.contact is not None
    line, block = plan.line, case.contact
    side = next(iter(body.flows), next(iter(body.materials)))
    size = line.shortest
    plane = Plane(plan.axis.point, (0.0, plan.normal[1]))
    penalty = penalty_of(body.young(side), size, block.penalty_factor)
    whole = build_electro.lithium_volume(block_of(case.electrochemistry))
    return StrippingProblem(
        body, line, plan.axis, (block.group, WALL), plane, penalty, plan.stack, plan.normal,
        plan.thickness, ions, whole, block.penetration * size, tolerance,
        max(plan.void, size),
    )  # fmt: skip


# -- what is reported ---------------------------------------------------------------------------


@dataclass
class StrippingSubject:
    """A ``subject.Subject``."""

    model: StrippingModel
    limits: Limits
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def profiles(self) -> dict[str, Columns]:
        """The interface, vertex by vertex."""
        f = self.model.state.surface
        return {
            "contact": {
                "x [um]": f.place * 1e6,
                "gap [nm]": f.gap * 1e9,
                "pressure [MPa]": f.pressure * 1e-6,
                "current_density [mA/cm^2]": f.current_density * 0.1,
                "thickness [nm]": f.thickness * 1e9,
                "activity": f.activity,
            }
        }

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """Charge against plated volume."""
        current, plated, moved = self.model.state.volumes
        unit = "m^3" if self.model.problem.axis.turns else "m^2"
        return {"plated volume": (plated - current, moved, unit)}

    def fields(self, folder: Path) -> FieldWriter | None:
        """Displacement and stress of the lithium, potential of the electrolyte."""
        from ssbmech.coupled.stripping_fields import StrippingFields

        return StrippingFields(folder, self.model)

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the solver."""
        m = self.model
        body, ions = m.body, m.ions.system
        return {
            "unknowns_lithium": int(body.W.dofmap.index_map.size_global
                                    * body.W.dofmap.index_map_bs),
            "unknowns_electrolyte": int(ions.V.dofmap.index_map.size_global),
            "vertices_interface": len(m.problem.line.ids),
            "fixed_point_tolerance": m.problem.fixed_point,
            "penetration_limit_m": m.problem.penetration,
            "penalty_Pa_per_m": m.problem.penalty,
        }  # fmt: skip

    def results(self) -> dict[str, Any]:
        """Contact, voids and the stack at the end."""
        s = self.model.state
        return {
            "contact": s.surface.contact,
            "gap_max_nm": float(s.surface.gap.max() * 1e9),
            "void_m3" if self.model.problem.axis.turns else "void_m2": float(
                s.surface.gap @ s.surface.area
            ),
            "stack_displacement_um": (s.push + s.frame) * 1e6,
            "stripped_largest_um": float(-s.surface.thickness.min() * 1e6),
            "dissipated": s.dissipated,
        }
