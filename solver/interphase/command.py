"""The commands ``ssbmech interphase`` and ``ssbmech space-charge``: options, and what they print.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ssbmech.errors import CaseError

INTERPHASE = """How thick a planar reaction layer grows, what it resists, and how it pushes.

Values are those of [interphase] in a case; what is not given comes from the material set.

  ssbmech interphase --material Li6PS5Cl --set law=self_limiting \\
      --set "growth_constant=1e-19 m^2/s" --time "1 h" "48 h" """
SPACE_CHARGE = """Space-charge layer beside an interface: Debye length, width, charge, resistance.

  ssbmech space-charge --potential "0.3 V" --concentration "2e4 mol/m^3" --permittivity 60 \\
      --site-density "4e4 mol/m^3" --conductivity "0.46 mS/cm\""""


def interphase_options(sub: argparse.ArgumentParser) -> None:
    """Options of ``ssbmech interphase``."""
    sub.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help='a value of [interphase], e.g. --set law=parabolic (repeatable)',
    )  # fmt: skip
    sub.add_argument("--time", nargs="+", required=True, help='e.g. --time "1 h" "48 h"')
    sub.add_argument("--material", default="", help="set of the electrolyte, e.g. LAGP")
    sub.add_argument("--file", type=Path, help="a file with your own sets")
    sub.add_argument("--current", default="0 mA/cm^2", help="plating current density")
    sub.add_argument("--potential", help="of the electrode against lithium, for the law window")
    sub.add_argument("--E", help="Young's modulus of the layer: its stress on a rigid plate")
    sub.add_argument("--nu", type=float, default=0.3, help="Poisson's ratio of the layer")
    sub.add_argument("--samples", type=int, help="sample the ranges of the inputs this many times")
    sub.add_argument("--seed", type=int, default=0, help="of the sample")
    sub.add_argument(
        "--table", type=Path, default=Path("interphase_samples.csv"),
        help="file of the samples: made, or continued (default interphase_samples.csv)",
    )  # fmt: skip
    sub.add_argument("--json", action="store_true", help="print JSON (SI)")


def interphase(args: argparse.Namespace) -> int:
    """Print growth over time, and with ``--samples`` what the ranges do to it."""
    from ssbmech.interphase.answer import answer, block_of, sampled

    block = block_of(values_of(args.set))
    given = {
        "material": args.material, "current_density": args.current, "potential": args.potential,
        "E": args.E, "nu": args.nu, "extra": args.file,
    }  # fmt: skip
    found = answer(block, args.time, **given)
    table = None
    if args.samples is not None:
        table = sampled(block, args.time, args.samples, args.table, seed=args.seed, **given)
    if args.json:
        data = found.as_dict()
        if table is not None:
            spreads = {name: table.spread(name) for name in table.answers}
            data["samples"] = {
                k: {"median": s.median, "p5": s.low, "p95": s.high, "n": s.n}
                for k, s in spreads.items()
            }
        print(json.dumps(data, indent=1))
        return 0
    print(found.text())
    if table is not None:
        shown = {"thickness": ("nm", 1e-9), "resistance": ("Ω cm²", 1e-4),
                 "film_stress": ("MPa", 1e6)}  # fmt: skip
        for name in table.answers:
            unit, scale = shown[name]
            print(table.text(name, unit=unit, scale=scale))
        print(f"samples: {args.table}")
    return 0


def space_charge_options(sub: argparse.ArgumentParser) -> None:
    """Options of ``ssbmech space-charge``."""
    sub.add_argument("--potential", required=True,
                     help="of the interface against the bulk; positive repels Li+")  # fmt: skip
    sub.add_argument("--concentration", required=True, help='mobile carriers, "2e4 mol/m^3"')
    sub.add_argument("--permittivity", required=True, type=float, help="relative")
    sub.add_argument("--site-density", help="most carriers there can be; default: no limit")
    sub.add_argument("--conductivity", help="of the bulk, for the resistance it adds")
    sub.add_argument("--material", help="set for the conductivity, e.g. LLZO")
    sub.add_argument("--temperature", default="298.15 K")
    sub.add_argument("--model", choices=("lattice", "pair"), default="lattice",
                     help="one carrier on a lattice, or two of opposite charge")  # fmt: skip
    sub.add_argument("--sides", type=int, default=1, help="2: a grain boundary")
    sub.add_argument("--json", action="store_true", help="print JSON (SI)")


def space_charge(args: argparse.Namespace) -> int:
    """Print a space-charge layer."""
    from ssbmech.interphase.space_charge import space_charge as solve
    from ssbmech.materials import library

    kappa: Any = args.conductivity
    unverified: list[str] = []
    if kappa is None and args.material:
        known = library.get(args.material)
        kappa = known["ionic_conductivity"].value
        unverified = known.unverified_used(["ionic_conductivity"])
    found = solve(
        args.potential, args.concentration, args.permittivity, site_density=args.site_density,
        conductivity=kappa, temperature=args.temperature, model=args.model, sides=args.sides,
    )  # fmt: skip
    if args.json:
        print(json.dumps(found.as_dict() | {"unverified": unverified}, indent=1))
        return 0
    print(found.text())
    if unverified:
        print(f"unverified: {', '.join(unverified)}")
    return 0


def values_of(items: Sequence[str]) -> dict[str, Any]:
    """Dotted keys and values from ``KEY=VALUE``.

    Raises:
        CaseError: For another form.
    """
    found: dict[str, Any] = {}
    for item in items:
        key, sign, value = item.partition("=")
        if not sign or not key.strip():
            raise CaseError("not of the form key=value", key="--set", value=item)
        try:
            found[key.strip()] = tomllib.loads(f"v = {value.strip()}")["v"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value.strip()
    return found
