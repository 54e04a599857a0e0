"""A reaction front of a case in time: from the case and its mesh to a model, and its report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from ssbmech import build, build_electro, units
from ssbmech.build_interphase import InterphaseSetup, interphase_setup
from ssbmech.build_materials import electrolyte_set
from ssbmech.config import Case
from ssbmech.config_front import FrontBlock
from ssbmech.config_transient import counter_of, driven_case
from ssbmech.domain import Domain, distribute
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import restrict
from ssbmech.output.verdict import Limits
from ssbmech.parallel import on_root
from ssbmech.physics.diffuse_front import profile
from ssbmech.problem import Problem
from ssbmech.reaction_front import shape
from ssbmech.reaction_front.checks import (
    check_electric,
    check_start,
    check_stiffness,
    growing,
)
from ssbmech.reaction_front.mechanics import FrontMechanics
from ssbmech.reaction_front.model import FrontModel, Stress
from ssbmech.reaction_front.places import lithium_segments
from ssbmech.reaction_front.problem import FrontProblem, Product, Transport
from ssbmech.reaction_front.subject import FrontSubject
from ssbmech.subject import Setting

KEY = "interphase.front"
#: Widths per longest edge of an element.
_FINEST = 0.5
_NORMAL = {"x": 0, "y": 1, "z": 2}


def make(setting: Setting) -> FrontSubject:
    """The model of a case with [interphase.front] (collective).

    Raises:
        SsbmechError: On every rank.
    """
    case, comm = setting.case, setting.comm
    assert case.interphase is not None and case.interphase.front is not None
    block = case.interphase.front
    setting.note("front: mesh of what it grows into")
    grown = interphase_setup(case.interphase, electrolyte_set(case, setting.base))
    part = _part(setting)
    notes = growing(case, part.groups, part.lithium, part.counter, part.idle)
    J = 1.0 + grown.expansion.volume_change
    transport = Transport.of_law(grown.law, J, part.conductivity)
    domain = distribute(comm, part.data, length=part.length)
    if domain.tdim != 2:
        raise CaseError("a front is followed in plane and axisymmetric bodies",
                        key="geometry.model", value="3d", hint="A plane section of it",
                        allowed="plane_strain, plane_stress, axisymmetric")  # fmt: skip
    edge = longest_edge(domain) * part.length
    width = _width(block, edge)
    start, least = _start(case, block, domain, part.lithium, grown.initial / J, width)
    problem = FrontProblem(
        domain, setting.setup.model, transport, part.lithium, part.counter, start, width, J,
        setting.programme.tolerance,
        interface_energy=units.quantity(block.interface_energy, "energy_release"),
    )  # fmt: skip
    check_start(problem, case, least)
    stress, more = _stress(setting, block, grown, domain, width)
    notes += more
    setting.note("front: potentials at the start")
    model = FrontModel(problem, stress)
    notes += grown.notes
    return FrontSubject(
        model, Limits(cut_off=setting.programme.cut_off),
        (*_words(problem, edge), *notes, *part.notes),
        {**part.sources, **grown.sources},
        tuple(dict.fromkeys([*part.unverified, *grown.unverified])), grown,
    )  # fmt: skip


# -- what it is made of ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """The mesh that the front moves in, and what is on its surface."""

    data: MeshData | None
    length: float
    lithium: tuple[str, ...]
    counter: tuple[str, ...]
    groups: tuple[str, ...]
    idle: tuple[str, ...] = ()
    conductivity: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()


def _part(setting: Setting) -> _Part:
    """What conducts, where there are electrodes; else everything but lithium (collective)."""
    case = setting.case
    assert case.interphase is not None and case.interphase.front is not None
    given = case.interphase.front.surface
    held: list[MeshData] = []

    def work() -> _Part:
        data = setting.data
        assert data is not None
        if not case.electrode:
            names = [n for n in data.cell_groups if n not in build_electro.INSULATING]
            held.append(restrict(data, names))
            surface = tuple(given or ("li_sse",))
            for k, group in enumerate(surface):
                held[0].facet_tag(group, key=f"{KEY}.surface.{k}")
            size = float(np.ptp(held[0].points, axis=0).max()) * 1e-6
            return _Part(None, size, surface, (), tuple(held[0].cell_groups))
        setup, data = build_electro.prepare(driven_case(case), setting.base, data)
        check_electric(case, setup)
        held.append(data)
        counter = counter_of(case)
        others = tuple(g for i, e in enumerate(case.electrode) if i != counter for g in e.groups)
        surface = tuple(given or others)
        for k, group in enumerate(surface):
            if group not in others:
                raise CaseError(
                    "the layer grows from lithium electrodes", key=f"{KEY}.surface.{k}",
                    value=group, allowed=", ".join(others),
                )  # fmt: skip
        return _Part(
            None, setup.length, surface, tuple(case.electrode[counter].groups),
            tuple(data.cell_groups), tuple(g for g in others if g not in surface),
            setup.conductivity, setup.notes, setup.sources, setup.unverified,
        )  # fmt: skip

    found = on_root(setting.comm, work)
    return replace(found, data=held[0] if held else None)


def longest_edge(domain: Domain) -> float:
    """Of all elements, non-dimensional (collective)."""
    from mpi4py import MPI
    from ssbmech.domain import vertex_nodes

    x = domain.mesh.geometry.x[vertex_nodes(domain.mesh)]
    edges = [np.linalg.norm(x[:, i] - x[:, i - 1], axis=1) for i in range(x.shape[1])]
    mine = max((float(e.max(initial=0.0)) for e in edges), default=0.0)
    return float(domain.comm.allreduce(mine, MPI.MAX))


def _width(block: FrontBlock, edge: float) -> float:
    """Width l of the front [m], not below what the elements can show."""
    if block.width is None:
        return edge
    width = units.quantity(block.width, "length")
    if width < _FINEST * edge:
        raise CaseError(
            f"the elements are too long for this front: {units.show(edge, 'length')}",
            key=f"{KEY}.width", value=block.width,
            allowed=f"at least {units.show(_FINEST * edge, 'length')}",
            hint="A finer mesh, e.g. geometry.h_max",
        )  # fmt: skip
    return width


def _start(
    case: Case, block: FrontBlock, domain: Domain, lithium: tuple[str, ...], depth: float,
    width: float,
) -> tuple[NDArray[np.float64], float]:  # fmt: skip
    """Share of the layer at vertices, and its smallest depth on lithium [m]."""
    from dolfinx import fem

    space = fem.functionspace(domain.mesh, ("Lagrange", 1))
    points = space.tabulate_dof_coordinates() * domain.length
    segments = lithium_segments(domain, lithium) * domain.length
    rough = Formula.parse(block.shape, "length", ("x", "y", "z"), key=f"{KEY}.shape")
    distance = shape.distance_to(points[:, :2], segments)
    c = profile(distance - depth - rough.value(points), width)
    ends = np.pad(segments.reshape(-1, 2), ((0, 0), (0, 1)))
    return c, depth + float(np.min(rough.value(ends)))


def _stress(
    setting: Setting, block: FrontBlock, grown: InterphaseSetup, domain: Domain, width: float
) -> tuple[Stress | None, list[str]]:
    """Mechanics of the part of the body that the front moves in; None where nothing pushes."""
    e, notes = grown.expansion, list[str]()
    if not block.stress or e.volume_change == 0.0:
        if grown.coupling is not None:
            raise CaseError(
                "stress acts on growth, and none is computed", key="interphase.stress",
                hint=f"Leave it away, or give {KEY}.stress = true and a volume change",
            )  # fmt: skip
        ignored = [n for n in ("load", "eigenstrain", "temperature", "body_force")
                   if getattr(setting.case, n)]  # fmt: skip
        words = "the layer does not push: no stress is computed"
        return None, [words + (f", and [[{ignored[0]}]] does nothing" if ignored else "")]
    if grown.finite:
        raise CaseError("a front is computed at small strain", key="interphase.expansion.strain",
                        value="finite", allowed="small")  # fmt: skip
    if abs(e.normal - e.in_plane) > 1e-12 and block.normal is None:
        raise CaseError(
            "the expansion is not the same in all directions", key=f"{KEY}.normal",
            allowed="x, y or z, the normal of a flat layer",
        )  # fmt: skip
    growth = np.eye(3) * e.in_plane
    if block.normal is not None:
        k = _NORMAL[block.normal]
        growth[k, k] = e.normal
    body = _body(setting, domain)
    assert setting.case.interphase is not None
    name = setting.case.interphase.electrolyte
    electrolyte = body.materials[name]
    check_stiffness(body, block, name)
    own = float(electrolyte.E.value(np.zeros((1, 3)))[0])
    E = own if block.E is None else units.quantity(block.E, "pressure")
    nu = electrolyte.nu if block.nu is None else block.nu
    eta = np.inf if block.viscosity is None else units.quantity(block.viscosity, "viscosity")
    if block.E is None:
        notes.append("the layer is as stiff as the electrolyte (assumed)")
    if block.retained < 1.0:
        notes.append(
            f"{block.retained:.3g} of the growth strain is retained: how much pores "
            "relax is an assumption"
            + ("; stress works on what is retained" if grown.coupling is not None else "")
        )
    notes.append("lithium is soft: its surface carries no load")
    product = Product(E, nu, growth * block.retained, float(eta))
    from dolfinx import fem

    share = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    mechanics = FrontMechanics(body, product, share, width)
    strength = block.strength and units.quantity(block.strength, "pressure")
    return Stress(mechanics, grown.coupling, strength or None), notes


def _body(setting: Setting, domain: Domain) -> Problem:
    """The elastic problem on the part of the mesh that the front moves in.

    Raises:
        CaseError: For a load or a constraint on what is not part of it.
    """
    case = setting.case
    whole = build.problem(case, setting.setup, setting.matter, setting.domain)
    surfaces = [(x.group, x.key) for x in whole.loads]
    surfaces += [(x.group, x.key) for x in whole.constraints]
    for group, key in surfaces:
        if group not in domain.facet_groups and key:
            raise CaseError(
                "lithium is left out where a front moves, and this is no surface of the rest",
                key=key, value=group, allowed=", ".join(sorted(domain.facet_groups)),
            )  # fmt: skip
    inside = [(e.group, f"eigenstrain.{k}.group") for k, e in enumerate(case.eigenstrain)]
    inside += [(t.group, f"temperature.{k}.group") for k, t in enumerate(case.temperature)]
    inside += [(f.group, f.key) for f in whole.body_forces]
    for group, key in inside:
        if group not in domain.cell_groups:
            raise CaseError("lithium is left out where a front moves", key=key, value=group,
                            allowed=", ".join(domain.cell_groups))  # fmt: skip
    return replace(
        whole,
        domain=domain,
        materials={n: m for n, m in whole.materials.items() if n in domain.cell_groups},
        loads=tuple(x for x in whole.loads if x.group in domain.facet_groups),
        constraints=tuple(x for x in whole.constraints if x.group in domain.facet_groups),
    )


def _words(problem: FrontProblem, edge: float) -> list[str]:
    """What the discretisation means, for the record."""
    show, t = units.show, problem.transport
    words = [
        "the mean thickness is the layer's volume over the area of lithium's surface",
        f"front of width l = {show(problem.width, 'length')} on elements of up to "
        f"{show(edge, 'length')}; lengths are those of the electrolyte used up, times "
        f"{problem.growth:.4g} for the layer",
    ]
    if problem.raised:
        unit = "ohm cm^2" if t.carriers == 2 else "of 1/k_s"
        value = problem.resistance * (1e4 if t.carriers == 2 else 1.0)
        words.append(
            f"resistance of the reaction raised to {value:.3g} {unit}: below it the width decides"
        )
    if t.carriers == 2:
        assert t.ionic is not None
        # (q l)^2 kappa/s_i = 1/2, beyond which the front is smoothened too fast
        contrast = max(max(t.electrolyte.values()) / t.ionic, 1.0)
        shortest = 2.0 * np.pi * problem.width * np.sqrt(2.0 * contrast)
        words.append(
            f"waves of the front shorter than {show(float(shortest), 'length')} are smoothened too "
            "fast by its width; halve it and compare"
        )
        words.append("the current at the counter electrode is uniform where a current is given")
    return words
