"""The builders by name, with their parameters in a form that a case reader can use."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal

from ssbmech.errors import MeshError, nearest
from ssbmech.meshes.cell import cell
from ssbmech.meshes.cracks import edge, griffith, strip
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.ebsd import ebsd
from ssbmech.meshes.filament import ellipse, slit
from ssbmech.meshes.host import host
from ssbmech.meshes.image import image
from ssbmech.meshes.inclusion import ellipsoid_filament, shell, sphere
from ssbmech.meshes.notched import notched
from ssbmech.meshes.pellet import pellet
from ssbmech.meshes.polycrystal import polycrystal
from ssbmech.meshes.solid import penny, semi_ellipse

Kind = Literal[
    "length", "angle", "number", "count", "choice", "flag", "text", "file", "points", "labels",
    "block", "blocks",
]  # fmt: skip

BUILDERS: dict[str, Callable[..., MeshData]] = {
    "griffith": griffith,
    "edge": edge,
    "strip": strip,
    "ellipse": ellipse,
    "slit": slit,
    "penny": penny,
    "semi_ellipse": semi_ellipse,
    "ellipsoid_filament": ellipsoid_filament,
    "sphere": sphere,
    "shell": shell,
    "cell": cell,
    "pellet": pellet,
    "polycrystal": polycrystal,
    "host": host,
    "image": image,
    "ebsd": ebsd,
    "notched": notched,
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a builder.

    Attributes:
        name: Its name.
        kind: ``length`` (builders take micrometres), ``angle`` (degrees), ``number``, ``count``
            (a whole number), ``choice``, ``flag``, ``text``, ``file`` (a path), ``points`` (of
            lengths), ``labels`` (numbers to names), ``block`` (a table of its own) or ``blocks``
            (any number of them).
        required: Whether it has no default.
        default: The default; None means chosen from the other parameters, or off.
        choices: Allowed values of a choice; None is written ``"none"`` in `build`.
        text: What it is.
        fields: Parameters of a block.
        block: The data class that a block becomes.
    """

    name: str
    kind: Kind
    required: bool
    default: object
    choices: tuple[object, ...]
    text: str
    fields: dict[str, Parameter] = field(default_factory=dict)
    block: Callable[..., Any] | None = None


@cache
def parameters(name: str) -> dict[str, Parameter]:
    """Parameters of a builder by name.

    Args:
        name: A key of ``BUILDERS``.

    Raises:
        MeshError: If there is no such builder; with the nearest name.
    """
    function = _builder(name)
    hints = typing.get_type_hints(function, include_extras=True)
    texts = _texts(function, "Args")
    result = {}
    for key, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        text = texts.get(key, "")
        if text.startswith("As in `"):
            text = _texts(BUILDERS[text.split("`")[1]], "Args").get(key, text)
        default = None if required else parameter.default
        result[key] = _parameter(key, hints[key], required, default, text)
    return result


def _parameter(name: str, hint: Any, required: bool, default: object, text: str) -> Parameter:
    kind, choices, block = _kind(hint)
    inner: dict[str, Parameter] = {}
    if block is not None:
        hints = typing.get_type_hints(block, include_extras=True)
        texts = _texts(block, "Attributes")
        for part in fields(block):
            needed = part.default is MISSING and part.default_factory is MISSING
            start = None if needed or part.default is MISSING else part.default
            inner[part.name] = _parameter(
                part.name, hints[part.name], needed, start, texts.get(part.name, "")
            )
    return Parameter(name, kind, required, default, choices, text, inner, block)


def describe(name: str) -> str:
    """First line of a builder's description."""
    return (inspect.getdoc(_builder(name)) or "").splitlines()[0]


def build(name: str, **values: Any) -> MeshData:
    """Build a mesh by the name of its geometry.

    Args:
        name: A key of ``BUILDERS``.
        **values: Its parameters: lengths in micrometres, angles in degrees.

    Returns:
        The mesh.

    Raises:
        MeshError: For an unknown geometry or parameter (with the nearest match), a missing
            parameter, or one out of range.
    """
    function = _builder(name)
    return function(**_checked(parameters(name), values, f"geometry {name!r}", "geometry"))


def _checked(
    known: dict[str, Parameter], values: dict[str, Any], what: str, place: str
) -> dict[str, Any]:
    """Values with unknown and missing names refused, blocks as their data classes."""
    for key in values:
        if key not in known:
            raise MeshError(
                f"{what} has no parameter {key!r}", key=f"{place}.{key}", hint=nearest(key, known)
            )
    missing = [p.name for p in known.values() if p.required and p.name not in values]
    if missing:
        raise MeshError(
            f"{what} needs {', '.join(missing)}", key=place, hint=known[missing[0]].text
        )
    result: dict[str, Any] = {}
    for key, value in values.items():
        p = known[key]
        if p.block is not None:
            one = p.kind == "block"
            rows = [value] if one and value is not None else value or ()
            made = tuple(
                row
                if is_dataclass(row)
                else p.block(
                    **_checked(p.fields, row, f"block {key!r}", place_of(place, key, i, one))
                )
                for i, row in enumerate(rows)
            )
            result[key] = (made[0] if made else None) if one else made
        else:
            # A case file has no way to say None.
            result[key] = None if value == "none" and None in p.choices else value
    return result


def place_of(parent: str, key: str, index: int, one: bool) -> str:
    """Name of a block in messages: ``geometry.crack``, ``geometry.void.0``."""
    return f"{parent}.{key}" if one else f"{parent}.{key}.{index}"


def _builder(name: str) -> Callable[..., MeshData]:
    if name not in BUILDERS:
        raise MeshError(
            f"there is no geometry {name!r}", key="geometry.type", hint=nearest(name, BUILDERS)
        )
    return BUILDERS[name]


def _kind(hint: Any) -> tuple[Kind, tuple[object, ...], Any]:
    """Kind, choices and data class of a type, which may be ``| None``."""
    parts = [hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = list(typing.get_args(hint))
    optional = type(None) in parts
    (inner,) = [p for p in parts if p is not type(None)]
    if typing.get_origin(inner) is Literal:
        return "choice", (*typing.get_args(inner), *((None,) if optional else ())), None
    if inner is bool:
        return "flag", (True, False), None
    if typing.get_origin(inner) is Annotated:
        return inner.__metadata__[0], (), None
    if is_dataclass(inner):
        return "block", (), inner
    if typing.get_origin(inner) is tuple and is_dataclass(typing.get_args(inner)[0]):
        return "blocks", (), typing.get_args(inner)[0]
    raise TypeError(f"a builder's parameter has no kind: {hint}")


def _texts(described: Any, section: str) -> dict[str, str]:
    """Descriptions of the arguments or attributes from the docstring."""
    doc = inspect.getdoc(described) or ""
    found = re.search(rf"^{section}:\n(.*?)(?=^\S|\Z)", doc, re.S | re.M)
    if not found:
        return {}
    rows = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\w+: |\Z)", found.group(1), re.S | re.M)
    return {key: " ".join(text.split()) for key, text in rows}
