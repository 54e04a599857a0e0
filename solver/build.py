"""From a validated case to a mesh, a crack and a problem: names resolved, units gone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech import units
from ssbmech.build_geometry import geometry_parameters
from ssbmech.build_materials import Materials
from ssbmech.config import Case, axis
from ssbmech.domain import Domain
from ssbmech.errors import CaseError, MeshError
from ssbmech.formula import Formula
from ssbmech.fracture import porz
from ssbmech.fracture.front import Crack
from ssbmech.meshes import catalog
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.names import check_names
from ssbmech.problem import BodyForce, Constraint, Eigenstrain, Problem, SurfaceLoad

_UM = 1e-6
_SYMMETRY = {"symmetry_x": 0, "symmetry_y": 1, "symmetry_z": 2}


@dataclass(frozen=True)
class Setup:
    """What a case means on its mesh.

    Attributes:
        model: Mechanical model.
        cracks: One per front; empty without a crack.
        crack_size: Flaw size a [m] for the geometry factor, or None.
        filament_groups: Facet groups that carry the filament's pressure.
        notes: Every choice made for the user, in words.
    """

    model: str
    cracks: tuple[Crack, ...]
    crack_size: float | None
    filament_groups: tuple[str, ...]
    notes: tuple[str, ...] = ()


def make_mesh(case: Case, folder: Path) -> MeshData:
    """Build or read the mesh of a case (on one rank, without MPI).

    Args:
        case: The case.
        folder: Folder of the case file; relative paths start there.

    Raises:
        MeshError: For impossible parameters or an unusable file.
    """
    if case.geometry is not None:
        return catalog.build(case.geometry.type, **geometry_parameters(case, folder))
    assert case.mesh is not None
    from ssbmech.meshes.importer import read_mesh

    path = folder / case.mesh.file
    if partitioned_mesh(case, folder) is not None:
        raise MeshError(
            "a mesh in parts is not read as a whole", key="mesh.file", value=str(path),
            hint="`ssbmech run` takes it; measure and draw the mesh that it was made from",
        )  # fmt: skip
    if not path.is_file():
        raise MeshError("no such mesh file", key="mesh.file", value=str(path))
    assert case.mesh.length_unit is not None
    data = read_mesh(
        path, units.quantity(case.mesh.length_unit, "length") / _UM, grains=case.mesh.grains,
        merge_duplicates=case.mesh.merge_duplicates,
    )  # fmt: skip
    return _split_if_asked(case, data)


def partitioned_mesh(case: Case, folder: Path) -> Path | None:
    """Folder of a mesh that was written in parts, or None for any other mesh."""
    if case.mesh is None or not case.mesh.in_parts:
        return None
    return folder / case.mesh.file


def _split_if_asked(case: Case, data: MeshData) -> MeshData:
    """A crack given as one interior facet group is opened into two faces."""
    crack = case.crack
    if crack is None or crack.symmetry or len(crack.faces) != 1:
        return data
    from ssbmech.meshes.split import split_crack

    group = crack.faces[0]
    data.facet_tag(group, key="crack.faces")
    fronts = [data.front(name, key="crack.front") for name in crack.fronts]
    return split_crack(
        data, group, np.unique(np.concatenate([f.reshape(-1) for f in fronts])),
        lower=f"{group}_lower", upper=f"{group}_upper",
    )  # fmt: skip


def setup(case: Case, data: MeshData) -> Setup:
    """Resolve crack, symmetry and loaded faces against the mesh's names.

    Raises:
        CaseError, MeshError: For names that the mesh does not have.
    """
    notes: list[str] = []
    block = case.geometry or case.mesh
    assert block is not None
    model: str | None = block.model
    where = "geometry" if case.geometry is not None else "mesh"
    if model is None or data.dim == 3:
        if model not in (None, "3d"):
            raise CaseError(
                "the mesh is three-dimensional", key=f"{where}.model", value=model, allowed="3d"
            )
        model = "3d" if data.dim == 3 else str(data.notes.get("model", "plane_strain"))
    if data.dim == 2 and model == "3d":
        raise CaseError(
            "the mesh is two-dimensional", key=f"{where}.model", value=model,
            allowed="plane_strain, plane_stress, axisymmetric",
        )  # fmt: skip
    if model == "axisymmetric" and data.points[:, 0].min() < -1e-9 * data.points[:, 0].max():
        raise MeshError(
            "an axisymmetric mesh has points with negative radius x", key="mesh",
            value=float(data.points[:, 0].min()), allowed="x >= 0",
        )  # fmt: skip
    _check_names(case, data)
    parts = data.notes.get("parts", 1)
    if isinstance(parts, int | float) and parts > 1:
        raise MeshError(
            f"the mesh is in {parts:g} parts that nothing holds together", key=where,
            hint="Split nodes are for cohesive laws, which `ssbmech run` does not have: use "
            "boundaries = 'facets' or 'layer', and `ssbmech mesh` to write a split mesh",
        )  # fmt: skip
    cracks, size = _cracks(case, data, notes)
    groups = _filament_groups(case, data, cracks)
    return Setup(model, cracks, size, groups, tuple(notes))


def _check_names(case: Case, data: MeshData) -> None:
    """Refuse unknown group names, all of them at once."""
    cells = {f"materials.{name}": name for name in case.materials}
    facets: dict[str, str | list[str]] = {}
    fronts: dict[str, str | list[str]] = {}
    facets |= {f"load.{i}.group": row.group for i, row in enumerate(case.load)}
    facets |= {f"constraint.{i}.group": row.group for i, row in enumerate(case.constraint)}
    cells |= {f"eigenstrain.{i}.group": row.group for i, row in enumerate(case.eigenstrain)}
    cells |= {f"temperature.{i}.group": row.group for i, row in enumerate(case.temperature)}
    cells |= {f"body_force.{i}.group": row.group for i, row in enumerate(case.body_force)}
    if case.filament is not None and case.filament.groups is not None:
        facets["filament.groups"] = case.filament.groups
    facets["fracture.maximum"] = case.fracture.maximum
    if case.crack is not None:
        fronts["crack.front"] = case.crack.fronts
        if len(case.crack.faces) > 1 or case.crack.symmetry:  # one alone may have been split
            facets["crack.faces"] = case.crack.faces
    check_names(data, cells=cells, facets=facets, fronts=fronts)


def _cracks(case: Case, data: MeshData, notes: list[str]) -> tuple[tuple[Crack, ...], float | None]:
    block = case.crack
    if block is not None:
        faces = list(block.faces)
        if not block.symmetry and len(faces) == 1 and faces[0] not in data.facet_groups:
            faces = [f"{faces[0]}_lower", f"{faces[0]}_upper"]
        for name in faces:
            data.facet_tag(name, key="crack.faces")
        size = units.quantity(block.size, "length") if block.size else _size_of(case, data)
        return tuple(Crack(tuple(faces), f, bool(block.symmetry)) for f in block.fronts), size
    faces = [g for g in data.facet_groups if g.startswith("crack_")]
    if not faces or not data.fronts or case.geometry is None:
        return (), None
    lower = [f for f in faces if f.startswith("crack_lower")]
    upper = [f for f in faces if f.startswith("crack_upper")]
    symmetry = not lower
    notes.append(
        f"crack: faces {', '.join(lower + upper)}, front {', '.join(data.fronts)}"
        + (", on a symmetry plane" if symmetry else "")
    )
    cracks = tuple(Crack(tuple(lower + upper), f, symmetry) for f in data.fronts)
    return cracks, _size_of(case, data)


def _size_of(case: Case, data: MeshData) -> float | None:
    """Flaw size from the mesh's description, or the geometry's parameter ``a``."""
    if case.geometry is None:
        return None
    a = data.notes.get("crack_size", geometry_parameters(case).get("a"))
    return None if a is None else float(a) * _UM


def _filament_groups(case: Case, data: MeshData, cracks: tuple[Crack, ...]) -> tuple[str, ...]:
    if case.filament is None:
        return ()
    if case.filament.groups is not None:
        return tuple(case.filament.groups)
    faces = list(dict.fromkeys(f for c in cracks for f in c.faces))
    filled = [f for f in faces if f.endswith("_filled")]
    chosen = filled or faces or [g for g in data.facet_groups if g == "filament_wall"]
    if not chosen:
        raise CaseError(
            "the filament has no faces to press on", key="filament.groups",
            hint=f"Name facet groups. The mesh has: {', '.join(data.facet_groups) or 'none'}",
        )  # fmt: skip
    return tuple(chosen)


def filament_pressure(case: Case) -> float | None:
    """Pressure of the lithium in the flaw [Pa], given or from the overpotential."""
    block = case.filament
    if block is None:
        return None
    if block.pressure is not None:
        return units.quantity(block.pressure, "pressure")
    assert block.overpotential is not None
    pressure = porz.plating_pressure(
        units.quantity(block.overpotential, "potential", key="filament.overpotential"),
        *molar_volumes(case),
    )
    if not math.isfinite(pressure):
        raise CaseError(
            "the pressure would have no bound: V_+ is not below V_m, so pressure does not oppose "
            "plating", key="filament.partial_molar_volume", value=block.partial_molar_volume,
            allowed="below the molar volume of lithium",
        )  # fmt: skip
    return pressure


def molar_volumes(case: Case) -> tuple[float, float]:
    """V_m of lithium and V_+ of its ion in the electrolyte [m^3/mol]."""
    block = case.filament
    V_m, V_plus = porz.LITHIUM_MOLAR_VOLUME, 0.0
    if block is not None:
        if block.molar_volume is not None:
            V_m = units.quantity(block.molar_volume, "molar_volume")
        V_plus = units.quantity(block.partial_molar_volume, "molar_volume")
    return V_m, V_plus


def problem(case: Case, what: Setup, matter: Materials, domain: Domain) -> Problem:
    """Compose the problem, with the filament's pressure among its loads."""

    def formula(text: str, dimension: str, key: str) -> Formula:
        return Formula.parse(text, dimension, ("x", "y", "z"), key=key)

    loads = []
    for i, load in enumerate(case.load):
        key = f"load.{i}"
        domain.facet_tag(load.group, key=f"{key}.group")
        pressure = load.pressure and formula(load.pressure, "pressure", f"{key}.pressure")
        traction: list[Formula | None] = [None, None, None]
        given_traction: dict[Any, str] = load.traction or {}
        for name, text in given_traction.items():
            traction[axis(name)] = formula(text, "pressure", f"{key}.traction.{name}")
        loads.append(SurfaceLoad(load.group, pressure or None, tuple(traction), f"{key}.group"))
    p = filament_pressure(case)
    if p is not None:
        constant = Formula.constant(p, "pressure")
        loads += [SurfaceLoad(g, constant, (), "filament.groups") for g in what.filament_groups]

    constraints = []
    for i, block in enumerate(case.constraint):
        key = f"constraint.{i}"
        domain.facet_tag(block.group, key=f"{key}.group")
        parts = {axis(n): formula(t, "length", f"{key}.u.{n}") for n, t in block.u.items()}
        if max(parts) >= domain.mesh.geometry.dim:
            raise CaseError(
                f"a {domain.mesh.geometry.dim}-dimensional body has no such component",
                key=f"{key}.u", value=list(block.u),
                allowed="x, y" if domain.mesh.geometry.dim == 2 else "x, y, z",
            )  # fmt: skip
        constraints.append(Constraint(block.group, parts, f"{key}.group"))
    given = {c.group for c in constraints}
    zero = Formula.constant(0.0, "length")
    for group, component in _SYMMETRY.items():
        if group in domain.facet_groups and group not in given:
            constraints.append(Constraint(group, {component: zero}))
    if what.model == "axisymmetric":
        on_axis = [g for g in ("axis",) if g in domain.facet_groups and g not in given]
        constraints += [Constraint(g, {0: zero}) for g in on_axis]

    eigen = []
    for i, misfit in enumerate(case.eigenstrain):
        key = f"eigenstrain.{i}"
        domain.cell_tag(misfit.group, key=f"{key}.group")
        strain = misfit.strain
        parts_ = dict.fromkeys(("xx", "yy", "zz"), strain) if isinstance(strain, str) else strain
        eigen.append(
            Eigenstrain(
                misfit.group,
                {n: formula(t, "dimensionless", f"{key}.strain.{n}") for n, t in parts_.items()},
            )
        )
    for i, heat in enumerate(case.temperature):
        key = f"temperature.{i}"
        domain.cell_tag(heat.group, key=f"{key}.group")
        if heat.group not in matter.expansion:
            raise CaseError(
                f"the material of {heat.group!r} has no thermal expansion",
                key=f"materials.{heat.group}.expansion", hint='Give e.g. expansion = "1.3e-5 1/K"',
            )  # fmt: skip
        alpha = matter.expansion[heat.group]
        change = formula(f"({heat.change}) * {alpha!r} / (1 K)", "dimensionless", f"{key}.change")
        eigen.append(Eigenstrain(heat.group, dict.fromkeys(("xx", "yy", "zz"), change)))

    forces = []
    for i, force in enumerate(case.body_force):
        key = f"body_force.{i}"
        components: list[Formula | None] = [None, None, None]
        for name, text in force.force.items():
            components[axis(name)] = formula(text, "force_density", f"{key}.force.{name}")
        domain.cell_tag(force.group, key=f"{key}.group")
        forces.append(BodyForce(force.group, tuple(components), f"{key}.group"))
    return Problem(
        domain=domain,
        model=what.model,
        materials=matter.elastic,
        loads=tuple(loads),
        constraints=tuple(constraints),
        eigenstrains=tuple(eigen),
        body_forces=tuple(forces),
        degree=case.solver.degree,
        linear=case.solver.method,
        petsc={k: str(v) for k, v in case.solver.petsc.items()},
    )


def without_filament(problem: Problem, groups: tuple[str, ...]) -> Problem | None:
    """The problem with the filament empty, or None when nothing else loads the body."""
    rest = tuple(
        load
        for load in problem.loads
        if not (load.group in groups and load.key == "filament.groups")
    )
    prescribed = any(
        not f.is_constant or f.value([[0.0, 0.0, 0.0]])[0] != 0
        for c in problem.constraints
        for f in c.components.values()
    )
    if not rest and not prescribed and not problem.eigenstrains and not problem.body_forces:
        return None
    return replace(problem, loads=rest)
