"""The body of a case in time: elastic and flowing groups with the loads of the case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from ssbmech import build, units
from ssbmech.build_flow import flow_setup
from ssbmech.build_materials import Materials, material_sets, set_of
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.coupled.plate import Plate
from ssbmech.domain import Domain
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.lithium.problem import BodyProblem, Flow, Hold, Load, Misfit
from ssbmech.problem import Material, SurfaceLoad


@dataclass(frozen=True)
class FlowingBody:
    """A body and where its values come from.

    Attributes:
        problem: The body, without growth.
        notes: Choices and limits in words.
        sources: ``"group.key"`` to value, source and standing.
        unverified: Names of unverified library values that were used.
    """

    problem: BodyProblem
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()


def flowing_body(
    case: Case, base: Path, setup: build.Setup, matter: Materials, domain: Domain
) -> FlowingBody:
    """The body of a case whose materials flow (the same on every rank).

    Args:
        case: The case; its [stack] is not looked at.
        base: Folder in which its relative paths start.
        setup: What the case means on its mesh.
        matter: Materials.
        domain: The whole mesh.

    Raises:
        CaseError: For what a flowing body cannot have.
    """
    given = build.problem(case, setup, matter, domain)
    if given.body_forces:
        raise CaseError("a body that flows takes no body forces yet", key="body_force")
    temperature = units.quantity(block_of(case.electrochemistry).temperature, "temperature")
    sets = material_sets(case, base)
    materials, flows = dict(given.materials), {}
    notes: list[str] = []
    sources: dict[str, str] = {}
    unverified: list[str] = []
    for name in domain.cell_groups:
        block = case.materials[name]
        if block.flow is None:
            continue
        made = flow_setup(block.flow, set_of(name, block, sets), temperature, group=name)
        flows[name] = Flow(made.law, finite=made.finite)
        notes += made.notes
        sources |= made.sources
        unverified += made.unverified
        if block.E is None and made.elastic is not None:
            E = Formula.constant(made.elastic.E, "pressure")
            materials[name] = Material(E, made.elastic.nu)
            sources |= made.elastic_sources
    if not flows:
        raise CaseError(
            "no material group of the mesh flows", key="materials",
            hint='Give e.g. [materials.lithium] set = "Li", flow = { law = "norton" }',
        )  # fmt: skip
    problem = BodyProblem(
        domain,
        setup.model,
        materials,
        flows,
        tuple(Load(load) for load in given.loads),
        tuple(Hold(c.group, dict(c.components), key=c.key) for c in given.constraints),
        tuple(Misfit(e) for e in given.eigenstrains),
    )
    return FlowingBody(problem, tuple(dict.fromkeys(notes)), sources, tuple(unverified))


def with_stack(case: Case, problem: BodyProblem) -> tuple[BodyProblem, Plate | None]:
    """The body with the load of [stack] or held by its plate (collective).

    Raises:
        CaseError: For a side that has something on it already, or that takes no plate.
    """
    if case.stack is None:
        return problem, None
    stack = case.stack.build()
    problem.domain.facet_tag(stack.group, key="stack.group")
    if any(stack.group == load.surface.group for load in problem.loads):
        raise CaseError(
            "the stack presses on a group that has a load already", key="stack.group",
            value=stack.group, hint="Leave out the [[load]]",
        )  # fmt: skip
    if not stack.has_plate:
        pressure = Formula.constant(stack.pressure, "pressure")
        load = Load(SurfaceLoad(stack.group, pressure, (), "stack.pressure"))
        return replace(problem, loads=(*problem.loads, load)), None
    plate = Plate(stack, problem.domain, problem.modulus)
    for hold in problem.holds:
        if hold.group == stack.group and plate.component in hold.value:
            raise CaseError(
                "the plate of the stack moves a side that is held", key=hold.key or "stack.group",
                value=stack.group, hint="Leave out the [[constraint]], or the [stack]",
            )  # fmt: skip
    return replace(problem, holds=(*problem.holds, plate.hold)), plate
