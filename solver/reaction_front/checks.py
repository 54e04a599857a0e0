"""What a case with a reaction front may not be, once its mesh and its values are known."""

from __future__ import annotations

from collections.abc import Sequence

from ssbmech import build_electro, units
from ssbmech.config import Case
from ssbmech.config_electro import ElectrodeBlock
from ssbmech.config_front import FrontBlock
from ssbmech.errors import CaseError
from ssbmech.problem import Problem
from ssbmech.reaction_front.places import counter_vertices, used_up
from ssbmech.reaction_front.problem import FrontProblem

KEY = "interphase.front"
#: A layer at the start, in widths of its front: below that its front lies on lithium.
_THINNEST = 3.0


def growing(
    case: Case, groups: Sequence[str], lithium: Sequence[str], counter: Sequence[str],
    idle: Sequence[str],
) -> list[str]:  # fmt: skip
    """From where and into what the layer grows, in words.

    Args:
        case: The case.
        groups: Material groups that the front moves in.
        lithium: Facet groups that it starts from.
        counter: Those of the counter electrode.
        idle: Those of lithium electrodes that it does not start from.

    Raises:
        CaseError: Where the electrolyte that reacts is no part of the mesh.
    """
    assert case.interphase is not None
    name = case.interphase.electrolyte
    if name not in groups:
        raise CaseError(
            "there is no such material group in what the front moves in",
            key="interphase.electrolyte", value=name, allowed=", ".join(groups),
        )  # fmt: skip
    words = f"the layer grows from {', '.join(lithium)}"
    if counter:
        words += f" towards the counter electrode, {', '.join(counter)}"
    notes = [words]
    if len(groups) > 1:
        notes.append(f"it grows into {', '.join(groups)} alike, by the values of {name}")
    if idle:
        notes.append(f"nothing grows on {', '.join(idle)}, and no current passes there")
    return notes


def check_electric(case: Case, setup: build_electro.ElectricSetup) -> None:
    """Refuse what the front does not know of the electric part."""
    for i, electrode in enumerate(case.electrode):
        if electrode.kinetics != "none":
            raise CaseError(
                "between lithium, layer and electrolyte only the resistances of [interphase] act",
                key=f"electrode.{i}.kinetics", value=electrode.kinetics, allowed="none",
                hint="Give interphase.interface_resistance (lithium) and reaction_resistance",
            )  # fmt: skip
        for name in ("normal_stress", "open_circuit_voltage", "peak_distance"):
            default = ElectrodeBlock.model_fields[name].default
            if getattr(electrode, name) != default:
                raise CaseError(
                    "has no say where a front moves", key=f"electrode.{i}.{name}",
                    value=getattr(electrode, name), hint="Leave it out",
                )  # fmt: skip
    for name, what, words in (
        ("conductivity_axes", setup.crystals, "one conductivity per group, the same everywhere"),
        ("boundary_resistance", setup.boundaries, "bodies without boundaries that resist"),
        ("electronic_conductivity", setup.electrons, "an electrolyte without electrons"),
    ):
        if what:
            raise CaseError(f"a front moves through {words}", key=f"electrochemistry.{name}",
                            hint="Leave it out")  # fmt: skip


def check_start(problem: FrontProblem, case: Case, least: float) -> None:
    """Refuse a layer whose front would lie on lithium, or that has used up its electrolyte."""
    J, show = problem.growth, units.show
    assert case.interphase is not None
    if least < _THINNEST * problem.width:
        raise CaseError(
            f"the layer at the start is thinner than {_THINNEST:g} widths of its front, "
            f"{show(problem.width, 'length')}", key="interphase.initial_thickness",
            value=case.interphase.initial_thickness,
            allowed=f"nowhere below {show(_THINNEST * problem.width * J, 'length')}",
            hint=f"A finer mesh and a smaller {KEY}.width, or a thicker layer",
        )  # fmt: skip
    from dolfinx import fem

    space = fem.functionspace(problem.domain.mesh, ("Lagrange", 1))
    end = used_up(problem, problem.start, counter_vertices(problem, space))
    if end:
        raise CaseError(
            f"at the start {end}",
            key="interphase.initial_thickness", value=case.interphase.initial_thickness,
            allowed=f"a front at least 4 widths of {show(problem.width, 'length')} before the end",
            hint="A thinner layer, more electrolyte, or a finer mesh and a smaller width",
        )  # fmt: skip


def check_stiffness(body: Problem, block: FrontBlock, name: str) -> None:
    """Refuse what a mean of two stiffnesses cannot be made of."""
    for group, material in body.materials.items():
        if material.cubic is not None:
            raise CaseError(
                "a layer that grows into crystals has no stiffness of its own",
                key=f"materials.{group}.elasticity", value="cubic", allowed="isotropic",
                hint=f"Give E and nu, or {KEY}.stress = false",
            )  # fmt: skip
    if block.E is None and not body.materials[name].E.is_constant:
        raise CaseError(
            "the layer is as stiff as the electrolyte where none is given, and that is graded",
            key=f"{KEY}.E", hint="Give Young's modulus of the layer",
        )  # fmt: skip
