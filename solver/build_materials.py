"""Materials of a case: elastic data and toughness by group, with source and standing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssbmech import units
from ssbmech.config import Case, MaterialBlock
from ssbmech.errors import CaseError, MaterialError, nearest
from ssbmech.formula import Formula
from ssbmech.fracture.judge import Toughness
from ssbmech.materials import library
from ssbmech.materials.laws import Cubic, check_cubic
from ssbmech.problem import Material


@dataclass(frozen=True)
class Materials:
    """Elastic data by group and where they come from.

    Attributes:
        elastic: Group to material.
        K_IC: Group to toughness [Pa m^0.5] and its band, where known.
        expansion: Group to thermal expansion [1/K], where known.
        unverified: Names of the unverified library values that were used.
        sources: ``"group.key"`` to value, source and standing, for the record.
    """

    elastic: dict[str, Material]
    K_IC: dict[str, tuple[float, tuple[float, float]]]
    expansion: dict[str, float]
    unverified: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)


def materials(case: Case, groups: Iterable[str], folder: Path) -> Materials:
    """Elastic data of every material group.

    Raises:
        CaseError: For a group without material or a material without group.
        MaterialError: For an unknown set, or a value that no source gives.
    """
    groups = list(groups)
    sets = material_sets(case, folder)
    missing = [g for g in groups if g not in case.materials]
    if missing:
        raise CaseError(
            f"material groups of the mesh without a material: {', '.join(missing)}",
            key="materials", hint=f'Add e.g. {missing[0]} = "LLZO"',
        )  # fmt: skip
    elastic, tough, expansion = {}, {}, {}
    unverified: list[str] = []
    sources: dict[str, str] = {}
    for group in groups:
        block = case.materials[group]
        known = set_of(group, block, sets)

        def value(key: str, dimension: str, *, known: Any = known, group: str = group) -> float:
            entry = known[key]
            sources[f"{group}.{key}"] = (
                f"{units.show(entry.value, dimension)}: {entry.source} ({entry.standing})"
            )
            if not entry.verified:
                unverified.append(f"{known.name}.{key}")
            return entry.value

        elastic[group] = _crystal(group, block, known, value) or _isotropic(group, block, value)
        if block.K_IC is not None:
            K = units.quantity(block.K_IC, "toughness")
            tough[group] = (K, (K, K))
        elif known is not None and "K_IC" in known.values:
            band = known["K_IC"].band
            tough[group] = (value("K_IC", "toughness"), (float(band[0]), float(band[1])))
        if block.expansion is not None:
            expansion[group] = units.quantity(block.expansion, "expansion")
    return Materials(elastic, tough, expansion, tuple(dict.fromkeys(unverified)), sources)


def material_sets(case: Case, folder: Path) -> dict[str, library.MaterialSet]:
    """Sets of the library and of the case's own files, by name; paths start in ``folder``."""
    sets = dict(library.load_library())
    for name in case.material_files:
        sets.update(library.read_file(folder / name, sets))
    return sets


def set_of(
    group: str, block: MaterialBlock, sets: dict[str, library.MaterialSet]
) -> library.MaterialSet | None:
    """The set that a group names, None where it gives values alone; MaterialError if unknown."""
    if block.set is None:
        return None
    if block.set not in sets:
        raise MaterialError(
            "unknown material", key=f"materials.{group}", value=block.set,
            hint=nearest(block.set, sets),
        )  # fmt: skip
    return sets[block.set]


def electrolyte_set(case: Case, folder: Path) -> library.MaterialSet | None:
    """The set of the electrolyte that reacts, None where the case gives values alone."""
    assert case.interphase is not None
    name = case.interphase.electrolyte
    if name not in case.materials:
        return None
    return set_of(name, case.materials[name], material_sets(case, folder))


def _isotropic(group: str, block: MaterialBlock, value: Callable[[str, str], float]) -> Material:
    """E and nu, each from the block or else from its set."""
    E = (
        Formula.parse(block.E, "pressure", key=f"materials.{group}.E")
        if block.E is not None
        else Formula.constant(value("E", "pressure"), "pressure")
    )
    if E.is_constant and E.value([[0.0, 0.0, 0.0]])[0] <= 0:
        raise CaseError(
            "Young's modulus must be positive", key=f"materials.{group}.E", value=block.E,
            allowed="above 0 Pa",
        )  # fmt: skip
    return Material(E, block.nu if block.nu is not None else value("nu", "dimensionless"))


def _crystal(
    group: str, block: MaterialBlock, known: Any, value: Callable[[str, str], float]
) -> Material | None:
    """C11, C12 and C44, each from the block or else from its set; None for an isotropic group."""
    given = block.cubic_values
    only = known is not None and "C11" in known.values and "E" not in known.values
    wanted = given or block.elasticity == "cubic" or (only and block.E is None)
    if not wanted or block.elasticity == "isotropic":
        return None
    C11, C12, C44 = (
        units.quantity(given[key], "pressure") if key in given else value(key, "pressure")
        for key in ("C11", "C12", "C44")
    )
    check_cubic(C11, C12, C44, f"materials.{group}")
    return Material.of_crystal(Cubic(C11, C12, C44))


def toughness(
    case: Case, matter: Materials, at_front: Iterable[str]
) -> tuple[Toughness | None, str]:
    """K_IC of the crack: given with the crack, or of the material at its front, or None.

    Args:
        case: The case.
        matter: Its materials.
        at_front: Material groups that touch a front.

    Returns:
        The toughness, and where there is none what to do about it.
    """
    if case.crack is not None and case.crack.K_IC is not None:
        K = units.quantity(case.crack.K_IC, "toughness")
        return Toughness(K, (K, K), "given with the crack"), ""
    groups = sorted(at_front)
    known = {group: matter.K_IC[group] for group in groups if group in matter.K_IC}
    if len(known) != 1:
        what = "is no K_IC" if not known else f"are {len(known)} values of K_IC"
        return None, (
            f"no criterion: there {what} for the material at the front ({', '.join(groups)}); give "
            f"K_IC in [crack] or in materials.{groups[0]}"
        )
    group, (K, band) = next(iter(known.items()))
    source = matter.sources.get(f"{group}.K_IC", "given with the material")
    return Toughness(K, band, source), ""
