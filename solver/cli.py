"""The command line: ``ssbmech check | mesh | run | post | view | materials | porz`` and tools.

Every heavy import waits until its command runs, so that ``--help`` and ``porz`` answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import ssbmech
from ssbmech.errors import SsbmechError
from ssbmech.interphase import command

#: Exit status: results were written, but a gate refused a part of them.
REFUSED = 3

_TOP = """\
Stress, K, J and the Porz margin at lithium filaments in solid electrolytes.

A case file says which flaw, which material and how much overpotential; ssbmech builds the mesh,
solves the mechanics, and says whether the flaw extends. With a programme of currents in place of
the overpotential it says when: ion conduction, kinetics and flowing lithium make the pressure.

  ssbmech porz --geometry edge --a "10 um" --material LLZO --overpotential "30 mV"
  ssbmech run cases/filament_llzo/case.toml -o results/filament
  mpirun -n 4 python3 -m mpi4py -m ssbmech run CASE.toml -o DIR -- -ssbmech_ksp_monitor
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status (0 good, 1 error, 3 a gate refused)."""
    words = list(sys.argv[1:] if argv is None else argv)
    petsc: list[str] = []
    if "--" in words:
        cut = words.index("--")
        words, petsc = words[:cut], words[cut + 1 :]
    args = _parser().parse_args(words)
    args.petsc = petsc
    try:
        return args.command(args)
    except SsbmechError as error:
        return _failed(str(error), 128 + getattr(error, "signum", -127))
    except BrokenPipeError:  # the reader of our output has left: `ssbmech mesh --list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _failed(f"{error.filename or 'file system'}: {error.strerror or error}")


def _failed(message: str, status: int = 1) -> int:
    """Print the message once; under MPI make sure that every rank is leaving.

    The status after a signal is 128 more than its number, as a shell gives it.
    """
    mpi = sys.modules.get("mpi4py.MPI")  # not started where nothing else has
    if mpi is None or mpi.COMM_WORLD.rank == 0:
        print(f"ssbmech: {message}", file=sys.stderr)
    if mpi is not None and mpi.COMM_WORLD.size > 1:
        from ssbmech.parallel import leave_together

        leave_together(mpi.COMM_WORLD)
    return status


def program() -> None:
    """Run the command line and end the process.

    A status other than 0 makes ``python -m mpi4py`` abort the job with a page of text, in
    which our one message is lost; so there the process ends itself.
    """
    # PETSc's handler would turn a closed pipe into a page of text and an abort of the MPI job
    os.environ["PETSC_OPTIONS"] = f"{os.environ.get('PETSC_OPTIONS', '')} -no_signal_handler"
    status = main()
    if status and "mpi4py.run" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        mpi = sys.modules.get("mpi4py.MPI")
        if mpi is not None and mpi.Is_initialized() and not mpi.Is_finalized():
            mpi.Finalize()
        os._exit(status)
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="ssbmech", description=_TOP, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"ssbmech {ssbmech.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, function: object, help_: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_, description=text, formatter_class=raw)
        sub.set_defaults(command=function)
        return sub

    sub = add("check", _check, "read a case and say what it means", _CHECK)
    _case_arguments(sub)
    sub = add("mesh", _mesh, "build or read a case's mesh and measure it", _MESH)
    sub.add_argument("case", nargs="?", type=Path, help="case file (TOML)")
    sub.add_argument(
        "--list", nargs="?", const="", metavar="NAME", help="list the geometries, or one of them"
    )
    sub.add_argument("-o", "--output", type=Path, default=Path("mesh.msh"), help="mesh file")
    sub.add_argument("--overwrite", action="store_true", help="replace existing files")
    sub.add_argument("--no-picture", action="store_true", help="do not draw the mesh")
    sub.add_argument(
        "--partition", type=int, metavar="N",
        help="write it in N parts too, into NAME.parts beside it: a run on N processes reads them",
    )  # fmt: skip
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=_SET)
    sub = add("run", _run, "mesh, solve, K and J, Porz verdict, figures", _RUN)
    _case_arguments(sub)
    sub.add_argument("-o", "--output", type=Path, help="results folder (default results/NAME)")
    sub.add_argument("--overwrite", action="store_true", help="replace results that are there")
    sub.add_argument(
        "--resume", action="store_true",
        help="go on from the last checkpoint of results that are there, e.g. with a longer step",
    )  # fmt: skip
    sub.add_argument("--no-figures", action="store_true", help="do not draw figures")
    sub.add_argument("--quiet", action="store_true", help="print nothing but errors")
    sub = add("post", _post, "draw the figures of a results folder again", _POST)
    sub.add_argument("directory", type=Path, help="results folder")
    sub = add("view", _view, "open the fields of a results folder", _VIEW)
    sub.add_argument("directory", type=Path, help="results folder")
    sub.add_argument("--field", help="what to colour by (default: the largest principal stress)")
    sub.add_argument(
        "--animate", type=Path, metavar="FILE",
        help="animation over the output times of a case in time: FILE.gif or FILE.mp4",
    )  # fmt: skip
    sub.add_argument("--rate", type=float, default=8.0, help="frames per second of it")
    sub.add_argument("--screenshot", type=Path, help="draw into a PNG file, no display needed")
    sub.add_argument("--warp", type=float, help="exaggeration of the displacement")
    sub.add_argument(
        "--directions", action="store_true",
        help="bars along the principal stresses of a plane body, with --animate or --screenshot",
    )  # fmt: skip
    sub = add("materials", _materials, "values with source and standing", _MATERIALS)
    sub.add_argument("name", nargs="?", help="a set, e.g. LLZO; none: list all")
    sub.add_argument("--file", type=Path, help="a file with your own sets")
    sub = add("porz", _porz, "critical overpotential from closed forms, no mesh", _PORZ)
    sub.add_argument("--geometry", required=True, help="griffith, edge, penny, half_penny, ...")
    sub.add_argument("--a", required=True, help='flaw size, e.g. "10 um" (half-length or depth)')
    sub.add_argument("--c", help='half-width along the surface (semi-ellipse), e.g. "20 um"')
    sub.add_argument("--material", help="set of the library for K_IC, e.g. LLZO")
    sub.add_argument("--K_IC", help='toughness, e.g. "1 MPa*m^0.5"')
    sub.add_argument("--overpotential", help='e.g. "30 mV"')
    sub.add_argument("--pressure", help='e.g. "150 MPa"')
    sub.add_argument("--partial-molar-volume", help='V_+ of Li+ in the electrolyte, "3 cm^3/mol"')
    sub.add_argument("--json", action="store_true", help="print JSON (SI)")
    sub = add(
        "interphase", command.interphase, "growth and resistance of a reaction layer, no mesh",
        command.INTERPHASE,
    )  # fmt: skip
    command.interphase_options(sub)
    sub = add(
        "space-charge", command.space_charge, "charge beside an interface, no mesh",
        command.SPACE_CHARGE,
    )  # fmt: skip
    command.space_charge_options(sub)
    return parser


_SET = 'replace a key of the case, e.g. --set "filament.overpotential=40 mV" (repeatable)'
_CHECK = "Read and validate a case; print it with every default. Nothing is meshed or solved."
_MESH = """Build or read the mesh of a case, measure it, refuse a bad one, write and draw it.

  ssbmech mesh --list                    geometries with their parameters
  ssbmech mesh --list edge               one of them
  ssbmech mesh CASE.toml -o flaw.msh     flaw.msh, and its picture flaw.png
  ssbmech mesh CASE.toml -o big.msh --partition 64
                                         big.parts as well: [mesh] file = "big.parts" """
_RUN = """Run a case: mesh, solve, fracture quantities, Porz verdict, fields and figures.

PETSc options follow after --, e.g.  -- -ssbmech_ksp_monitor -ssbmech_ksp_rtol 1e-12
A case with [[step]] moves in time: it keeps checkpoints in the results folder, and a run that a
signal, a full queue or a loss of power ended goes on from the last one when it is started again.
Exit status: 0 good, 1 error, 3 results written but a gate refused a part of them, 128 + n after
signal n (SIGTERM, SIGINT: the state was kept)."""
_POST = "Draw the figures of a results folder again, from its files alone."
_VIEW = "Open the fields of a results folder in a window, or draw them into a file."
_MATERIALS = """Print material data: value, unit, range, temperature, source and standing.

"recalled" values are unverified; every result that used one says so in its record."""
_PORZ = """Porz criterion from closed forms: K = Y p sqrt(pi a), p = F overpotential/V_m.

  ssbmech porz --geometry half_penny --a "10 um" --material LLZO --overpotential "30 mV\""""


def _case_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("case", type=Path, help="case file (TOML)")
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=_SET)


def _check(args: argparse.Namespace) -> int:
    from ssbmech import build, build_geometry
    from ssbmech.config_load import load_case, resolved_toml

    case = load_case(args.case, args.set)
    if case.geometry is not None:
        build_geometry.geometry_parameters(case)
    pressure = build.filament_pressure(case)
    print(resolved_toml(case, args.case.resolve().parent), end="")
    print(f"# {args.case} is a valid case")
    if pressure is not None:
        print(f"# the filament presses with {pressure / 1e6:.5g} MPa")
    return 0


def _mesh(args: argparse.Namespace) -> int:
    from ssbmech.output import mesh_report

    if args.list is not None:
        print("\n".join(mesh_report.geometry_lines(args.list or None)))
        return 0
    if args.case is None:
        from ssbmech.errors import CaseError

        raise CaseError("no case file given", key="mesh", hint="Or: ssbmech mesh --list")
    mesh_report.make(
        args.case, args.output, overrides=args.set, overwrite=args.overwrite,
        picture=not args.no_picture, parts=args.partition,
    )  # fmt: skip
    return 0


def _run(args: argparse.Namespace) -> int:
    from ssbmech.run import run_file

    result = run_file(
        args.case,
        args.output or Path("results") / _name(args.case),
        overrides=tuple(args.set),
        overwrite=args.overwrite,
        resume=args.resume,
        figures=False if args.no_figures else None,
        petsc=_petsc_options(args.petsc),
        quiet=args.quiet,
    )
    return 0 if result.passed else REFUSED


def _name(case: Path) -> str:
    return case.parent.resolve().name if case.name == "case.toml" else case.stem


def _petsc_options(words: Sequence[str]) -> dict[str, str]:
    """Options after ``--``; those with another prefix than ours are refused."""
    from ssbmech.errors import CaseError

    options: dict[str, str] = {}
    key = ""
    for word in words:
        is_name = word.startswith("-") and not _is_number(word)
        if is_name and not word.startswith("-ssbmech_"):
            raise CaseError(
                "a PETSc option without our prefix", key="--", value=word,
                allowed="names that begin with -ssbmech_, e.g. -ssbmech_ksp_rtol 1e-12",
            )  # fmt: skip
        if is_name:
            key = word.removeprefix("-ssbmech_")
            options[key] = ""
        elif key:
            options[key], key = word, ""
        else:
            raise CaseError("a value without an option", key="--", value=word)
    return options


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _post(args: argparse.Namespace) -> int:
    from ssbmech.errors import OutputError
    from ssbmech.output.report import draw

    if not (args.directory / "summary.json").is_file():
        raise OutputError("no summary.json here", key="directory", value=str(args.directory))
    print(draw(args.directory))
    return 0


def _view(args: argparse.Namespace) -> int:
    if args.animate is not None:
        from ssbmech.output.animate import animate

        animate(
            args.directory, field=args.field, target=args.animate, rate=args.rate, warp=args.warp,
            directions=args.directions or None,
        )  # fmt: skip
        print(args.animate)
        return 0
    if args.directions:
        from ssbmech.output.figures_directions import view_still

        print(view_still(args.directory, args.screenshot, args.field))
        return 0
    from ssbmech.output.view import view

    field = args.field or "max_principal_MPa"
    return view(args.directory, field=field, screenshot=args.screenshot, warp=args.warp)


def _materials(args: argparse.Namespace) -> int:
    from ssbmech.materials.show import print_list, print_set

    if args.name is None:
        print_list(args.file)
    else:
        print_set(args.name, args.file)
    return 0


def _porz(args: argparse.Namespace) -> int:
    import json

    from ssbmech.fracture.porz_answer import answer

    given = {
        "geometry": args.geometry,
        "a": args.a,
        "c": args.c,
        "material": args.material,
        "K_IC": args.K_IC,
        "overpotential": args.overpotential,
        "pressure": args.pressure,
        "partial_molar_volume": args.partial_molar_volume,
    }
    found = answer(**{k: v for k, v in given.items() if v is not None})
    print(json.dumps(found.as_dict(), indent=1) if args.json else found.text())
    return 0
