"""Writes docs/case.md from the schema and the geometries: ``python docs/make_case_page.py``."""

import typing
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from ssbmech.config import Case
from ssbmech.meshes import catalog

HEAD = """# Every key of a case file

Made from the schema by `python docs/make_case_page.py`. Quantities are texts with a unit ("10 um",
"30 mV", "1 MPa*m^0.5"). Pressures, tractions, displacements, eigenstrains, temperatures, body
forces and Young's modulus may be formulas of the coordinates, with units: `"1 MPa * (x / 20 mm)"`;
functions exp log sin cos tan asin acos atan sinh cosh tanh sqrt abs min max atan2 step, constant
pi; in axisymmetric cases x is the radius and y the axis. Unknown keys are refused with the nearest
match. Groups named `symmetry_x`, `symmetry_y`, `symmetry_z` are held in their normal direction
unless a `[[constraint]]` names them; what is left of rigid motion is held without stiffening, and
loads out of balance are refused. Of a built-in geometry the crack is known; `[filament]` presses on
its faces (on the filled part, if the geometry has one).
"""


def inner_model(annotation: object) -> type[BaseModel] | None:
    """The block inside an annotation, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        found = inner_model(part)
        if found:
            return found
    return None


def rows(model: type[BaseModel]) -> list[str]:
    """A row per key of a block."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for name, info in model.model_fields.items():
        if inner_model(info.annotation):
            continue
        default = info.get_default(call_default_factory=True)
        text = (
            "required" if info.is_required() or default is PydanticUndefined else f"`{default!r}`"
        )
        text = {"`None`": "", "`[]`": "none", "`{}`": "none", "`''`": ""}.get(text, text)
        lines.append(f"| `{name}` | {text} | {info.description or ''} |")
    return lines


def inner_tables(block: type[BaseModel], place: str) -> list[str]:
    """Tables of the blocks in a block, to any depth."""
    lines: list[str] = []
    for name, info in block.model_fields.items():
        part = inner_model(info.annotation)
        if part is None:
            continue
        title = f"{place}.{name}"
        title = f"[[{title}]]" if "list" in str(info.annotation) else f"[{title}]"
        doc = (part.__doc__ or "").strip().splitlines()[0]
        lines += [f"### {title}", doc, "", *rows(part), ""]
        lines += inner_tables(part, f"{place}.{name}")
    return lines


def parameter_rows(known: dict[str, catalog.Parameter]) -> list[str]:
    """Table of the parameters of a geometry or of a block; blocks have tables of their own."""
    lines = ["| parameter | default | meaning |", "|---|---|---|"]
    for p in known.values():
        if p.fields:
            continue
        kind = ", ".join(f"`{c}`" for c in p.choices) if p.choices else p.kind
        default = "required" if p.required else "" if p.default is None else f"`{p.default}`"
        lines.append(f"| `{p.name}` ({kind}) | {default} | {p.text} |")
    return lines


def page() -> str:
    """The whole page."""
    lines = [HEAD, "## Top level", *rows(Case), ""]
    for name, info in Case.model_fields.items():
        block = inner_model(info.annotation)
        if block is None:
            continue
        many = "list" in str(info.annotation)
        title = f"[[{name}]]" if many else f"[{name}]"
        if "dict" in str(info.annotation):
            title = f"[{name}] group = ..."
        doc = (block.__doc__ or "").strip().splitlines()[0]
        lines += [f"## {title}", doc, "", *rows(block), ""]
        place = f"{name}.GROUP" if "dict" in str(info.annotation) else name
        lines += inner_tables(block, place)
    lines += ["# Geometries", 'Lengths are texts with a unit, angles too ("30 deg").', ""]
    for name in catalog.BUILDERS:
        known = catalog.parameters(name)
        lines += [f"## {name}", catalog.describe(name), "", *parameter_rows(known), ""]
        for p in known.values():
            if p.fields:
                title = f"[geometry.{p.name}]" if p.kind == "block" else f"[[geometry.{p.name}]]"
                lines += [f"### {title}", p.text, "", *parameter_rows(p.fields), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("case.md").write_text(page(), encoding="utf-8")
