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
      --set "growth_constant=1e-19 m^2/s" --time "1 h" "48 h"

With --dwell and --cycles the potential cycles about the window (law window). With
--deposition-overpotential: where lithium is deposited in a layer that conducts electrons too. With
--toughness: strain at which the layer cracks on lithium, and distance of the cracks. -o DIR keeps
the tables and draws them."""
SPACE_CHARGE = """Space-charge layer beside an interface: Debye length, width, charge, resistance.

  ssbmech space-charge --potential "0.3 V" --concentration "2e4 mol/m^3" --permittivity 60 \\
      --site-density "4e4 mol/m^3" --conductivity "0.46 mS/cm\""""


def interphase_options(sub: argparse.ArgumentParser) -> None:
    """Options of ``ssbmech interphase``."""
    sub.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help='a value of [interphase], e.g. --set law=parabolic (repeatable)',
    )  # fmt: skip
    sub.add_argument("--time", nargs="+", default=[], help='e.g. --time "1 h" "48 h"')
    sub.add_argument("--thickness", nargs="+", default=[],
                     help='instead of --time, e.g. --thickness "100 nm" "1 um"')  # fmt: skip
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
    cycles = sub.add_argument_group("cycles of the potential (law window)")
    cycles.add_argument(
        "--dwell", nargs=2, action="append", default=[], metavar=("TIME", "POTENTIAL"),
        help='a part of each cycle, e.g. --dwell "2 h" "0.1 V" (repeatable)',
    )  # fmt: skip
    cycles.add_argument("--cycles", type=int, help="how many")
    inside = sub.add_argument_group("where lithium is deposited (both conductivities)")
    inside.add_argument("--deposition-overpotential", metavar="V",
                        help='that lithium needs inside the layer, e.g. "20 mV"')  # fmt: skip
    inside.add_argument("--deposition-resistance", default="0 ohm*cm^2", metavar="R",
                        help="of the deposition inside")  # fmt: skip
    film = sub.add_argument_group("cracks of the layer on lithium (needs --E)")
    film.add_argument("--toughness", metavar="K_IC", help='of the layer, e.g. "0.2 MPa*m^0.5"')
    film.add_argument("--strain-rate", default="1e-4 1/s", metavar="RATE",
                      help="at which lithium is stretched (default 1e-4 1/s)")  # fmt: skip
    film.add_argument("--lithium-depth", metavar="H",
                      help="of lithium on what is stretched (default: deep)")  # fmt: skip
    film.add_argument("--lithium", default="Li", help="its set (default Li)")
    sub.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of tables, figures")
    sub.add_argument("--json", action="store_true", help="print JSON (SI)")


def interphase(args: argparse.Namespace) -> int:
    """Print growth over time or cycles, and what was asked for beside it."""
    from ssbmech.interphase.flat import asked

    found = asked(args, values_of(args.set))
    if args.output is not None:
        found.write(args.output)
    print(json.dumps(found.as_dict(), indent=1) if args.json else found.text())
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
