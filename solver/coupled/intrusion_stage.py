"""Lithium pressed into a notch, of a case in time: from the case and its mesh to a model.

The case has a mesh of type ``notched``, [contact], [stack] and a material that flows; the programme
is one step of ``do = "rest"`` (no current) as long as it is pressed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech import build, units
from ssbmech.build_flow import flow_setup
from ssbmech.build_materials import material_sets, set_of
from ssbmech.config import Case
from ssbmech.config_electro import block_of
from ssbmech.coupled.intrusion import FILLED, Intrusion, IntrusionModel
from ssbmech.coupled.notch import Notch
from ssbmech.errors import CaseError
from ssbmech.lithium.stack import Stack
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.notched import notch_of
from ssbmech.output.verdict import Limits
from ssbmech.parallel import on_root
from ssbmech.subject import Columns, FieldWriter, Setting

_LITHIUM, _SURFACE, _PLATE = "lithium", "li_sse", "bottom"


def make(setting: Setting) -> IntrusionSubject:
    """The model of a case with [contact] and without [[electrode]] (collective).

    Args:
        setting: Case, meshes, and what the case means on them.

    Raises:
        SsbmechError: On every rank.
    """
    case, base, comm, data = setting.case, setting.base, setting.comm, setting.data
    domain, setup, matter = setting.domain, setting.setup, setting.matter
    programme, note = setting.programme, setting.note
    note("contact: lithium and a notch in the electrolyte")
    shape = on_root(comm, lambda: _shape(data))
    _check(case, setup)
    block = case.materials[_LITHIUM]
    assert case.contact is not None and block.flow is not None
    known = set_of(_LITHIUM, block, material_sets(case, base))
    temperature = units.quantity(block_of(case.electrochemistry).temperature, "temperature")
    made = flow_setup(block.flow, known, temperature, group=_LITHIUM)
    own = block.E is None and made.elastic is not None
    elastic = matter.elastic[_LITHIUM]
    E = made.elastic.E if own and made.elastic else float(elastic.E.value(np.zeros((1, 3)))[0])
    nu = made.elastic.nu if own and made.elastic else elastic.nu
    velocity, stack = _press(case)
    model = IntrusionModel(
        Intrusion(
            shape.notch, made.law, shape.size, E, nu, shape.half_width, shape.height, velocity,
            stack, made.finite, case.contact.friction, case.contact.penalty_factor,
            case.contact.penetration, programme.tolerance,
        ),
        domain,
    )  # fmt: skip
    n = shape.notch
    notes = (
        f"notch: depth {units.show(n.depth, 'length')}, radius of its root "
        f"{units.show(n.root_radius, 'length')}, of its lips {units.show(n.lip_radius, 'length')}, "
        f"area of both halves {n.area * 1e12:.5g} um^2",
        "the electrolyte is rigid beside lithium",
        *made.notes,
    )
    return IntrusionSubject(
        model, Limits(), notes, made.sources | (made.elastic_sources if own else {}),
        made.unverified,
    )  # fmt: skip


@dataclass(frozen=True)
class _Shape:
    notch: Notch
    size: float
    half_width: float
    height: float


def _shape(data: MeshData | None) -> _Shape:
    assert data is not None
    notch = notch_of(data.notes, 1e-6)
    surface = data.facets[data.facet_tags == data.facet_tag(_SURFACE, key="contact.group")]
    x = data.points[surface[:, :2], 0] * 1e-6
    at_notch = np.abs(x).min(axis=1) < notch.half_width
    low, high = data.points.min(axis=0), data.points.max(axis=0)
    size = float(np.median(np.abs(np.diff(x[at_notch], axis=1))))
    return _Shape(notch, size, (high[0] - low[0]) * 1e-6, (high[1] - low[1]) * 1e-6)


def _check(case: Case, setup: build.Setup) -> None:
    assert case.contact is not None
    if setup.model != "plane_strain":
        raise CaseError(
            "lithium is pressed into a notch of a plane body", key="geometry.model",
            value=setup.model, allowed="plane_strain",
        )  # fmt: skip
    if case.contact.group != _SURFACE:
        raise CaseError("the surface before a notch has another name", key="contact.group",
                        value=case.contact.group, allowed=_SURFACE)  # fmt: skip
    if case.materials[_LITHIUM].flow is None:
        raise CaseError(
            "lithium that fills a notch has to flow", key="materials.lithium.flow",
            hint='E.g. flow = { law = "anand_I", strain = "finite" }',
        )  # fmt: skip
    for name in ("load", "constraint", "body_force", "eigenstrain"):
        if getattr(case, name, None):
            raise CaseError(
                "lithium before a notch is held by rollers and pressed by the [stack]", key=name,
                hint="Leave it out",
            )  # fmt: skip


def _press(case: Case) -> tuple[float, Stack | None]:
    """Velocity of the plate [m/s], or the stack."""
    block = case.stack
    if block is None:
        raise CaseError(
            "lithium needs something that presses it", key="stack",
            hint='Add [stack] with kind = "moving", velocity = "2 um/s", or a pressure',
        )  # fmt: skip
    if block.group != _PLATE:
        raise CaseError("the stack presses on the side opposite to the notch", key="stack.group",
                        value=block.group, allowed=_PLATE)  # fmt: skip
    if block.kind == "moving":
        assert block.velocity is not None
        return units.quantity(block.velocity, "velocity"), None
    return 0.0, block.build()


@dataclass
class IntrusionSubject:
    """A ``subject.Subject``."""

    model: IntrusionModel
    limits: Limits
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def profiles(self) -> dict[str, Columns]:
        """The surface of the lithium, node by node from the axis."""
        s = self.model.surface
        return {
            "contact": {
                "x [um]": s.places[:, 0] * 1e6,
                "y [um]": s.places[:, 1] * 1e6,
                "gap [nm]": s.gap * 1e9,
                "pressure [MPa]": s.pressure * 1e-6,
            }
        }

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """Volume that the plate displaced against that in the notch and what is compressed."""
        missing, size = self.model.volume_balance()
        return {"volume": (missing, size, "m^2")}

    def fields(self, folder: Path) -> FieldWriter | None:
        """Displacement and stress of the lithium."""
        from ssbmech.coupled.body_fields import BodyFields

        return BodyFields(folder, self.model.body)

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the solver."""
        m = self.model
        space = m.body.W.dofmap
        return {
            "unknowns_lithium": int(space.index_map.size_global * space.index_map_bs),
            "nodes_surface": len(m.surface.gap),
            "penetration_limit_m": m.case.penetration * m.case.size,
            "penalty_Pa_per_m": m.contact.law.penalty,
        }

    def results(self) -> dict[str, Any]:
        """The notch, and how it is filled at the end."""
        m = self.model
        s, notch = m.surface, m.case.notch
        closing = m.closing
        found: dict[str, Any] = {
            "notch_area_um2": notch.area * 1e12,
            "travel_of_the_notch_um": notch.area / (2 * m.case.half_width) * 1e6,
            "fill": s.raised / notch.area,
            "root_pressure_MPa": s.mean_pressure(0.1 * notch.root_radius) * 1e-6,
            "plate_displacement_um": m.plate_displacement() * 1e6,
        }
        if np.isfinite(closing.time):
            found["filled"] = {
                "share": FILLED, "time_s": closing.time, "travel_um": closing.travel * 1e6,
                "stack_pressure_MPa": closing.pressure * 1e-6,
            }  # fmt: skip
        return found
