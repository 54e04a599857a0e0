"""What ``ssbmech interphase`` was asked for: growth or cycles, lithium inside, cracks."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssbmech.config_interphase import InterphaseBlock
from ssbmech.errors import CaseError, OutputError
from ssbmech.interphase.answer import Answer, answer, block_of, sampled, si
from ssbmech.interphase.cycles import Cycled, cycled, sampled_cycles
from ssbmech.interphase.deposition import Deposition, deposition
from ssbmech.interphase.film_fracture import FilmFracture, creeping_lithium
from ssbmech.interphase.growth_spread import GrowthSpread, growth_spread
from ssbmech.interphase.uncertainty import Table
from ssbmech.materials import library

#: Unit and its SI value of what is sampled.
_SHOWN = {
    "thickness": ("nm", 1e-9), "resistance": ("Ω cm²", 1e-4), "film_stress": ("MPa", 1e6),
    "polarisation": ("mV", 1e-3),
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What was asked for.

    Attributes:
        grown: Growth, or the layer over cycles.
        inside: Where lithium is deposited, or None.
        film: Cracks of the layer, or None.
        table: Samples over the ranges, or None.
        file: In which they are kept.
        spread: Growth of the samples, where they are of growth.
    """

    grown: Answer | Cycled
    inside: Deposition | None = None
    film: FilmFracture | None = None
    table: Table | None = None
    file: Path | None = None
    spread: GrowthSpread | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        data = self.grown.as_dict()
        if self.inside is not None:
            data["deposition"] = self.inside.as_dict()
        if self.film is not None:
            data["film_fracture"] = self.film.as_dict()
        if self.table is not None:
            spreads = {name: self.table.spread(name) for name in self.table.answers}
            data["samples"] = {
                k: {"median": s.median, "p5": s.low, "p95": s.high, "n": s.n}
                for k, s in spreads.items()
            }
        return data

    def text(self) -> str:
        """Return what the command prints."""
        parts = [self.grown.text()]
        if self.inside is not None:
            parts.append(self.inside.text())
        if self.film is not None:
            parts.append(self.film.text(self.own_stress))
        if self.table is not None:
            for name in self.table.answers:
                unit, scale = _SHOWN[name]
                parts.append(self.table.text(name, unit=unit, scale=scale))
            parts.append(f"samples: {self.file}")
        return "\n".join(parts)

    @property
    def own_stress(self) -> float | None:
        """Elastic stress of growth [Pa], where the reaction makes any."""
        if not isinstance(self.grown, Answer) or self.grown.film is None:
            return None
        return float(self.grown.film.stress(0.0)) or None

    def write(self, folder: Path) -> list[str]:
        """Write tables and figures; gives the names of the figures.

        Raises:
            OutputError: If the folder cannot be written.
        """
        from ssbmech.output import figures_flat as draw
        from ssbmech.output import figures_style

        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, part in (("cycles", self.grown), ("deposition", self.inside),
                               ("film_fracture", self.film)):  # fmt: skip
                if part is None or isinstance(part, Answer):
                    continue
                (folder / f"{name}.csv").write_text("\n".join(part.csv_lines()) + "\n")
            figures_style.apply()
            names = [draw.cycles(folder, self.grown) if isinstance(self.grown, Cycled)
                     else draw.growth(folder, self.grown, self.spread)]  # fmt: skip
            if self.inside is not None:
                names.append(draw.deposition(folder, self.inside))
            if self.film is not None:
                names.append(draw.film_fracture(folder, self.film))
        except OSError as error:
            raise OutputError(
                f"the output folder cannot be written: {error.strerror}", key="-o",
                value=str(folder), hint="Give a folder that you may write",
            ) from None  # fmt: skip
        return [name for name in names if name]


def asked(args: argparse.Namespace, values: Mapping[str, Any]) -> Found:
    """Answer the options of ``ssbmech interphase``.

    Args:
        args: Options, see `command.interphase_options`.
        values: Of ``--set``, by key.

    Raises:
        SsbmechError: For values that are refused, with the key.
    """
    if args.cycles is not None or args.dwell:
        return _cycles(args, block_of(values))
    if args.thickness and not args.time:
        values = {"law": "stable", **values}  # a thickness needs no law
        if args.samples is not None:
            raise CaseError("samples are of what grows in a time", key="samples",
                            value=args.samples, hint="Give --time, not --thickness")  # fmt: skip
    block = block_of(values)
    given = _given(args) | {"current_density": args.current, "potential": args.potential}
    grown = answer(block, args.time, thicknesses=args.thickness, **given)
    table, spread = None, None
    if args.samples is not None:
        table = sampled(block, args.time, args.samples, args.table, seed=args.seed, **given)
        if grown.setup.coupling is None:  # the law alone; stress would act on each sample
            known = library.get(args.material, args.file) if args.material else None
            spread = growth_spread(block, known, table.inputs, grown.times, grown.now)
    inside = None
    if args.deposition_overpotential is not None:
        inside = _inside(args, grown)
    film = None
    if args.toughness is not None:
        film = _film(args, grown)
    return Found(grown, inside, film, table, args.table, spread)


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {"material": args.material, "E": args.E, "nu": args.nu, "extra": args.file}


def _cycles(args: argparse.Namespace, block: InterphaseBlock) -> Found:
    unused = [
        f"--{name.replace('_', '-')}"
        for name in ("time", "thickness", "potential", "deposition_overpotential", "toughness")
        if getattr(args, name)
    ]
    if unused:
        raise CaseError("does not go with cycles of the potential", key=", ".join(unused),
                        allowed="--dwell, --cycles, --current")  # fmt: skip
    if args.cycles is None:
        raise CaseError("how many cycles?", key="--cycles", allowed="1 or more")
    given = _given(args) | {"current_density": args.current}
    found = cycled(block, args.dwell, args.cycles, **given)
    table = None
    if args.samples is not None:
        table = sampled_cycles(block, args.dwell, args.cycles, args.samples, args.table,
                               seed=args.seed, **given)  # fmt: skip
    return Found(found, table=table, file=args.table)


def _inside(args: argparse.Namespace, grown: Answer) -> Deposition:
    eta = si(args.deposition_overpotential, "potential", "deposition-overpotential")
    R = si(args.deposition_resistance, "area_specific_resistance", "deposition-resistance")
    return deposition(grown.setup, grown.thickness, grown.current_density, eta, R)


def _film(args: argparse.Namespace, grown: Answer) -> FilmFracture:
    if grown.film is None:
        raise CaseError("cracks of the layer follow from its stiffness too", key="E",
                        allowed="such as '20 GPa'")  # fmt: skip
    depth = args.lithium_depth
    lithium = creeping_lithium(
        si(args.strain_rate, "rate", "strain-rate"),
        depth=math.inf if depth is None else si(depth, "length", "lithium-depth"),
        temperature=grown.setup.temperature, material=args.lithium, extra=args.file,
    )  # fmt: skip
    toughness = si(args.toughness, "toughness", "toughness")
    return FilmFracture(grown.thickness, grown.film.E, grown.film.nu, toughness, lithium)
