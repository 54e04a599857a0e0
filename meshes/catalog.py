"""The builders by name, with their parameters in a form that a case reader can use."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from ssbmech.errors import MeshError, nearest
from ssbmech.meshes.cracks import edge, griffith, strip
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.filament import ellipse, slit
from ssbmech.meshes.inclusion import ellipsoid_filament, shell, sphere
from ssbmech.meshes.solid import penny, semi_ellipse

Kind = Literal["length", "angle", "number", "count", "choice", "flag"]

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
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a builder.

    Attributes:
        name: Its name.
        kind: ``length`` (builders take micrometres), ``angle`` (degrees), ``number``, ``count``
            (a whole number), ``choice`` or ``flag``.
        required: Whether it has no default.
        default: The default; None means chosen from the other parameters, or off.
        choices: Allowed values of a choice; None is written ``"none"`` in `build`.
        text: What it is.
    """

    name: str
    kind: Kind
    required: bool
    default: object
    choices: tuple[object, ...]
    text: str


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
    texts = _texts(function)
    result = {}
    for key, parameter in inspect.signature(function).parameters.items():
        kind, choices = _kind(hints[key])
        required = parameter.default is inspect.Parameter.empty
        text = texts.get(key, "")
        if text.startswith("As in `"):
            text = _texts(BUILDERS[text.split("`")[1]]).get(key, text)
        result[key] = Parameter(
            key, kind, required, None if required else parameter.default, choices, text
        )
    return result


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
    known = parameters(name)
    for key in values:
        if key not in known:
            raise MeshError(
                f"geometry {name!r} has no parameter {key!r}", key=f"geometry.{key}",
                hint=nearest(key, known),
            )  # fmt: skip
    missing = [p.name for p in known.values() if p.required and p.name not in values]
    if missing:
        raise MeshError(
            f"geometry {name!r} needs {', '.join(missing)}", key="geometry",
            hint=known[missing[0]].text,
        )  # fmt: skip
    # A case file has no way to say None.
    values = {
        key: None if value == "none" and None in known[key].choices else value
        for key, value in values.items()
    }
    return BUILDERS[name](**values)


def _builder(name: str) -> Callable[..., MeshData]:
    if name not in BUILDERS:
        raise MeshError(
            f"there is no geometry {name!r}", key="geometry.type", hint=nearest(name, BUILDERS)
        )
    return BUILDERS[name]


def _kind(hint: Any) -> tuple[Kind, tuple[object, ...]]:
    """Kind and choices of a type: Annotated number, Literal or bool, each perhaps | None."""
    parts = [hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = list(typing.get_args(hint))
    optional = type(None) in parts
    (inner,) = [p for p in parts if p is not type(None)]
    if typing.get_origin(inner) is Literal:
        return "choice", (*typing.get_args(inner), *((None,) if optional else ()))
    if inner is bool:
        return "flag", (True, False)
    if typing.get_origin(inner) is Annotated:
        return inner.__metadata__[0], ()
    raise TypeError(f"a builder's parameter has no kind: {hint}")


def _texts(function: Callable[..., MeshData]) -> dict[str, str]:
    """Descriptions of the arguments from the docstring."""
    doc = inspect.getdoc(function) or ""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", doc, re.S | re.M)
    if not section:
        return {}
    found = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\w+: |\Z)", section.group(1), re.S | re.M)
    return {key: " ".join(text.split()) for key, text in found}
