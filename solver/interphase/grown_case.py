"""What a case with a growing layer means: its static case at one depth, its limits and ranges."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssbmech import build, units
from ssbmech.build_geometry import geometry_parameters
from ssbmech.build_interphase import InterphaseSetup
from ssbmech.build_materials import Materials, material_sets, set_of
from ssbmech.config import Case, EigenstrainBlock, GeometryBlock
from ssbmech.config_grown import RANGED, GrownBlock
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.interphase.expansion import REFUSE, WARN
from ssbmech.interphase.grown import Line, Posed
from ssbmech.interphase.uncertainty import Range
from ssbmech.mesh_stage import make_domain

KEY = "interphase.grown"
_NORMAL = {"x": "xx", "y": "yy", "z": "zz"}


@dataclass(frozen=True)
class Growing:
    """A layer in a case.

    Attributes:
        case: With the layer, as it was given.
        base: Folder in which its paths start.
        interphase: What the case says of it.
        block: How it is grown.
        setup: Its law and expansion.
    """

    case: Case
    base: Path
    interphase: InterphaseBlock
    block: GrownBlock
    setup: InterphaseSetup

    @property
    def strain(self) -> dict[str, float]:
        """Growth strain that is retained, by component."""
        e, share = self.setup.expansion, self.block.retained
        out = dict.fromkeys(("xx", "yy", "zz"), share * e.in_plane)
        if self.block.normal is not None:
            out[_NORMAL[self.block.normal]] = share * e.normal
        return out

    @property
    def in_plane(self) -> float:
        """The retained growth strain in the plane, by which stresses are scaled."""
        return self.block.retained * self.setup.expansion.in_plane

    @property
    def lines(self) -> tuple[Line, ...]:
        """Places at which the stress is followed [m]."""

        def metres(texts: list[str], key: str) -> list[float]:
            return [units.quantity(t, "length", key=key) for t in texts]

        return tuple(
            Line.between(one.name, metres(one.start, f"{KEY}.line.{i}.start"),
                         metres(one.end, f"{KEY}.line.{i}.end"), one.points)
            for i, one in enumerate(self.block.line)
        )  # fmt: skip

    def check(self) -> list[str]:
        """Refuse what cannot be run; gives notes on what limits the result.

        Raises:
            CaseError: With numbers.
        """
        e, notes = self.setup.expansion, list[str]()
        if self.case.geometry is None:
            raise CaseError("a layer that grows needs a [geometry] that is built anew for each "
                            "thickness", key="mesh")  # fmt: skip
        if self.block.group not in self.case.materials:
            raise CaseError(
                "the layer has no material", key=f"{KEY}.group", value=self.block.group,
                allowed=", ".join(self.case.materials),
            )  # fmt: skip
        if e.volume_change == 0.0:
            raise CaseError(
                "the reaction makes no volume: the layer does not push, and there is no stress to "
                "compute", key="interphase.expansion.volume_change", value=0.0,
                hint="Give a volume_change, or leave [interphase.grown] away and use "
                "`ssbmech interphase` for thickness and resistance",
            )  # fmt: skip
        if abs(e.normal - e.in_plane) > 1e-12 and self.block.normal is None:
            raise CaseError(
                "the expansion is not the same in all directions", key=f"{KEY}.normal",
                allowed="x, y or z, the normal of a flat layer",
            )  # fmt: skip
        if self.setup.coupling is not None:
            raise CaseError(
                "here the layer acts on the stress, and the stress not on its growth",
                key="interphase.stress", hint="Leave it away, or take [interphase.front]",
            )  # fmt: skip
        if self.block.retained < 1.0:
            notes.append(
                f"{self.block.retained:.3g} of the growth strain is retained: how much flow and "
                "pores relax is an assumption"
            )
        largest = self.block.retained * e.largest
        if self.setup.finite:
            raise CaseError(
                "a layer that grows is computed at small strain", key="interphase.expansion.strain",
                value="finite", allowed="small",
                hint=f"Leave strain away: what counts is the growth strain that is retained, here "
                f"{largest:.2%}, and up to {REFUSE:.0%} is taken ({KEY}.retained)",
            )  # fmt: skip
        if abs(largest) > WARN:
            notes.append(
                f"growth strain {largest:.2%} retained: elastic stresses are upper bounds, and "
                f"small strain errs by as much"
            )
        return notes

    def check_depth(self, depth: float, thickness: float) -> None:
        """Refuse a layer that is thicker than what it grows into.

        Raises:
            CaseError: With both lengths.
        """
        available = self._available()
        if available is None or depth < available[1]:
            return
        show = units.show
        raise CaseError(
            f"a layer of {show(thickness, 'length')} uses up {show(depth, 'length')} of "
            f"geometry.{available[0]}, which has {show(available[1], 'length')}",
            key=f"{KEY}.{'times' if self.block.times else 'thicknesses'}",
            value=show(thickness, "length"),
            allowed=f"below {show(available[1] * thickness / depth, 'length')}",
        )  # fmt: skip

    def _available(self) -> tuple[str, float] | None:
        assert self.case.geometry is not None
        given = self.case.geometry.parameters
        names = (self.block.takes_from,) if self.block.takes_from else ("electrolyte", "thickness")
        for name in names:
            if name in given:
                key = f"geometry.{name}"
                return name, units.quantity(given[name], "length", key=key)
        if self.block.takes_from:
            raise CaseError(
                "the geometry has no such length", key=f"{KEY}.takes_from",
                value=self.block.takes_from, allowed=", ".join(given),
            )  # fmt: skip
        return None

    def static(self, depth: float) -> Case:
        """The case at one depth [m]: a geometry and an eigenstrain, and no growth.

        Raises:
            CaseError: For a parameter that the geometry does not have.
        """
        assert self.case.geometry is not None
        values = copy.deepcopy(self.case.geometry.parameters)
        set_at(values, self.block.parameter, _micrometres(depth))
        if self.block.takes_from:
            available = self._available()
            assert available is not None
            values[self.block.takes_from] = _micrometres(available[1] - depth)
        geometry = GeometryBlock(
            type=self.case.geometry.type, model=self.case.geometry.model, **values
        )
        strain = {name: repr(value) for name, value in self.strain.items()}
        eigen = EigenstrainBlock.model_validate({"group": self.block.group, "strain": strain})
        case = self.case.model_copy(
            update={
                "geometry": geometry,
                "eigenstrain": [*self.case.eigenstrain, eigen],
                "interphase": None,
            }
        )
        geometry_parameters(case, self.base)  # an unknown parameter is refused with its like
        return case

    def pose(self, depth: float, comm: Any) -> tuple[Posed, build.Setup, Materials]:
        """Mesh and problem at one depth (collective)."""
        case = self.static(depth)
        domain, meshed = make_domain(case, self.base, comm, None, lambda text: None)
        if self.block.group not in domain.cell_groups:
            raise CaseError(
                f"the mesh has no such group with {KEY}.parameter = {self.block.parameter!r}",
                key=f"{KEY}.group", value=self.block.group,
                allowed=", ".join(domain.cell_groups),
            )  # fmt: skip
        problem = build.problem(case, meshed.setup, meshed.matter, domain)
        cells = int(domain.mesh.topology.index_map(domain.tdim).size_global)
        return Posed(problem, meshed.setup.cracks, cells), meshed.setup, meshed.matter

    @property
    def electrolyte(self) -> str:
        """Material group that reacts and that cracks."""
        name = self.interphase.electrolyte
        others = (n for n in self.case.materials if n != self.block.group)
        return name if name in self.case.materials else next(others)

    @property
    def has_other_loads(self) -> bool:
        """Whether more than the layer loads the body: then nothing scales with the misfit."""
        c = self.case
        return bool(c.load or c.eigenstrain or c.temperature or c.body_force or c.filament
                    or any(_moves(row.u) for row in c.constraint))  # fmt: skip

    def moduli(self, matter: Materials) -> tuple[float, float]:
        """E of the layer and of the electrolyte [Pa], at the origin where they are graded."""
        origin = [[0.0, 0.0, 0.0]]
        values = [
            float(matter.elastic[name].E.value(origin)[0])
            for name in (self.block.group, self.electrolyte)
        ]
        return values[0], values[1]

    def limits(self, matter: Materials) -> dict[str, float]:
        """Strength [Pa], toughness [Pa m^0.5] and that of the layer, where known."""
        out = {}
        if self.block.strength is not None:
            out["strength"] = units.quantity(self.block.strength, "pressure")
        if self.electrolyte in matter.K_IC:
            out["toughness"] = matter.K_IC[self.electrolyte][0]
        if self.block.group in matter.K_IC:
            out["layer_toughness"] = matter.K_IC[self.block.group][0]
        return out

    def ranges(self, matter: Materials) -> dict[str, Range]:
        """Ranges of the case, and those of the electrolyte's set for what came from there."""
        name = self.electrolyte
        out: dict[str, Range] = {}
        band = matter.K_IC.get(name, (0.0, (0.0, 0.0)))[1]
        if band[1] > band[0]:
            out["toughness"] = Range.between(*band)
        known = set_of(name, self.case.materials[name], material_sets(self.case, self.base))
        if known is not None and self.case.materials[name].E is None and "E" in known.values:
            E = Range.of_value(known["E"])
            if E is not None:
                out["electrolyte_modulus"] = E
        for key, ends in self.block.ranges.items():
            out[key] = Range.between(*(units.quantity(end, RANGED[key]) for end in ends))
        return out


def set_at(values: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted key within tables and lists of tables.

    Raises:
        CaseError: Where the way there does not exist.
    """
    *way, last = path.split(".")
    place: Any = values
    for k, part in enumerate(way):
        try:
            place = place[int(part)] if isinstance(place, list) else place[part]
        except (KeyError, IndexError, ValueError):
            raise CaseError(
                "the geometry has no such table", key=f"{KEY}.parameter", value=path,
                hint=f"[geometry] has no {'.'.join(way[: k + 1])}",
            ) from None  # fmt: skip
    place[last] = value


def _micrometres(value: float) -> str:
    return f"{value * 1e6!r} um"


def _moves(u: dict[Any, str]) -> bool:
    """Whether a prescribed displacement is other than zero."""
    found = [Formula.parse(text, "length", ("x", "y", "z")) for text in u.values()]
    return any(not f.is_constant or f.value([[0.0, 0.0, 0.0]])[0] != 0.0 for f in found)
