"""What a person sees of a mesh: the gate's table, the list of geometries, a picture beside it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ssbmech.errors import OutputError
from ssbmech.meshes.gate import GateReport
from ssbmech.output.report import run_aside

if TYPE_CHECKING:
    from ssbmech.meshes.catalog import Parameter
    from ssbmech.meshes.data import MeshData

#: The module that draws.
PROGRAM = "ssbmech.output.figures_mesh"
_INDENT = "  "


def mesh_lines(found: GateReport, dim: int) -> list[str]:
    """The gate's table: sizes, what each group measures, and every check with its verdict.

    Args:
        found: From `ssbmech.meshes.gate.inspect`.
        dim: Dimension of the mesh, for the units.
    """
    unit, measure = ("um^2", "area") if dim == 2 else ("um^3", "volume")
    lines = _table(
        [
            ("cells", f"{found.n_cells:,}".replace(",", " ")),
            ("nodes", f"{found.n_nodes:,}".replace(",", " ")),
            ("edges", f"{found.size_min:.4g} to {found.size_max:.4g} um"),
            ("worst quality", f"{found.quality_min:.3g} at {found.quality_at}"),
        ]
    )
    total = sum(found.measures.values())
    groups = [("group", f"{measure} [{unit}]", "share")]
    groups += [
        (name, f"{value:.6g}", f"{value / total:.2%}" if total else "")
        for name, value in found.measures.items()
    ]
    checks = [("check", "value", "limit", "verdict")]
    checks += [
        (c.name, _value(c.name, c.value), c.limit, _verdict(c.ok, c.limit, c.place))
        for c in found.checks
    ]
    return [*lines, "", *_table(groups, head=True), "", *_table(checks, head=True)]


def _value(name: str, value: float) -> str:
    return f"{value:.3%}" if name.startswith("share of") else f"{value:.4g}"


def _verdict(ok: bool, limit: str, place: str) -> str:
    if ok:
        return "" if limit == "reported" else "ok"
    return f"REFUSED at {place}" if place else "REFUSED"


def _table(rows: Sequence[tuple[str, ...]], *, head: bool = False) -> list[str]:
    """Rows as aligned text; with ``head`` a rule below the first."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        (_INDENT + "  ".join(f"{text:<{w}}" for text, w in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]
    if head:
        lines.insert(1, _INDENT + "  ".join("-" * w for w in widths))
    return lines


def geometry_lines(only: str | None = None) -> list[str]:
    """The geometries of the catalogue with their parameters.

    Args:
        only: One of them; all by default.

    Raises:
        MeshError: If there is none of this name; with the nearest.
    """
    from ssbmech.meshes import catalog

    lines = []
    for name in catalog.BUILDERS if only is None else [only]:
        known = catalog.parameters(name)  # first: it refuses an unknown name
        lines.append(f"{name}: {catalog.describe(name)}")
        lines += _parameter_lines(known, "geometry", 1)
        lines.append("")
    return lines


def _parameter_lines(known: dict[str, Parameter], path: str, depth: int) -> list[str]:
    """A line per parameter; blocks come last, indented below their heading."""
    pad = 4 * depth * " "
    plain = [p for p in known.values() if not p.fields]
    kinds = {p.name: " | ".join(map(_word, p.choices)) if p.choices else p.kind for p in plain}
    name_width = max([16, *(len(p.name) for p in plain)])
    kind_width = max([12, *(len(k) for k in kinds.values() if len(k) <= 30)])
    lines = []
    for p in plain:
        default = "required" if p.required else f"default {_word(p.default)}"
        text = p.text.replace("\\|", "|")  # docstrings hide it from tables of Markdown
        lines.append(
            f"{pad}{p.name:<{name_width}} {kinds[p.name]:<{kind_width}} {default:<16} {text}"
        )
    for p in known.values():
        if not p.fields:
            continue
        inner = f"{path}.{p.name}"
        title = f"[[{inner}]]" if p.kind == "blocks" else f"[{inner}]"
        needed = "required" if p.required else "any number" if p.kind == "blocks" else "optional"
        lines.append(f"{pad}{title} ({needed}) {p.text}".rstrip())
        lines += _parameter_lines(p.fields, inner, depth + 1)
    return lines


def _word(value: object) -> str:
    """A default or a choice as a case file would write it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def draw_mesh(mesh: Path, picture: Path) -> str:
    """Draw a written mesh in a process that has not loaded DOLFINx.

    Args:
        mesh: A ``.msh`` file in micrometres.
        picture: The PNG; an existing one is replaced when the new one is complete.

    Returns:
        The picture's name, for a progress line.

    Raises:
        OutputError: With what the drawing process said.
    """
    command = [sys.executable, "-m", PROGRAM, str(mesh), str(picture)]
    run_aside(command, "the picture", key="picture", hint="Use --no-picture to do without")
    return picture.name


def make(
    case_file: Path, target: Path, *, overrides: Sequence[str], overwrite: bool, picture: bool,
    parts: int | None = None,
) -> None:  # fmt: skip
    """Build or read the mesh of a case, print the gate's table, write it and draw it.

    A picture that fails is told and does not cost the mesh.

    Args:
        case_file: The case.
        target: The ``.msh`` file; the picture has its name with ``.png``.
        overrides: As for ``--set``.
        overwrite: Whether existing files may be replaced.
        picture: Whether to draw.
        parts: Write the mesh in so many parts as well, into a folder ``.parts``.

    Raises:
        SsbmechError: For a bad case or mesh, or a file that is there.
    """
    from ssbmech import build
    from ssbmech.config_load import load_case
    from ssbmech.log import Progress
    from ssbmech.meshes import gate
    from ssbmech.meshes.writer import write_msh

    image = target.with_suffix(".png")
    folder = target.with_suffix(".parts")
    made = [target, *([image] if picture else []), *([folder] if parts is not None else [])]
    _refuse_names(target, made, overwrite=overwrite)
    progress = Progress()
    case = load_case(case_file, overrides)
    with progress.stage("mesh") as note:
        data = build.make_mesh(case, case_file.resolve().parent)
        note(f"{len(data.cells)} cells of order {data.order}, {len(data.points)} nodes")
    with progress.stage("gate") as note:
        found = gate.inspect(data)
        passed = sum(check.ok for check in found.checks)
        note(f"{passed} of {len(found.checks)} checks pass")
    print("\n".join(mesh_lines(found, data.dim)), flush=True)
    gate.refuse(found)
    with progress.stage("writing") as note:
        write_msh(data, target)
        note(str(target))
    if parts is not None:
        with progress.stage("parts") as note:
            _write_parts(data, found, folder, parts, overwrite=overwrite)
            note(f"{folder}, {parts} parts")
    if picture:
        with progress.stage("picture") as note:
            note(_try_draw(target, image))


def _write_parts(
    data: MeshData, found: GateReport, folder: Path, parts: int, *, overwrite: bool
) -> None:
    """Write the mesh in parts, with what the gate said of the whole."""
    from ssbmech.meshes.partition import write_partitioned
    from ssbmech.output import quantities

    noted = replace(data, notes=data.notes | quantities.gate_note(found))
    write_partitioned(noted, folder, parts, overwrite=overwrite)


def _refuse_names(target: Path, paths: list[Path], *, overwrite: bool) -> None:
    """Refuse, before any work, a mesh named like a picture and files that are there."""
    if target.suffix.lower() == ".png":
        raise OutputError(
            "this is the name of a picture", key="-o", value=str(target),
            hint="Name the mesh, e.g. flaw.msh; its picture becomes flaw.png",
        )  # fmt: skip
    if not target.resolve().parent.is_dir():
        raise OutputError("there is no such folder", key="-o", value=str(target.parent))
    for path in paths:
        if path.exists() and not overwrite:
            raise OutputError("the file exists", key="-o", value=str(path), hint="Use --overwrite")


def _try_draw(mesh: Path, picture: Path) -> str:
    """Draw; a failure is told. No picture of an older mesh is left beside the new one."""
    picture.unlink(missing_ok=True)
    try:
        draw_mesh(mesh, picture)
    except OutputError as error:
        print(f"ssbmech: the mesh is written, but not drawn: {error}", file=sys.stderr)
        return "not drawn"
    return str(picture)
