"""From a TOML file to a validated ``Case``; messages name key, value, allowed range, file, line."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ssbmech.config import Case
from ssbmech.errors import CaseError, nearest


def load_case(path: str | Path, overrides: Sequence[str] = ()) -> Case:
    """Read and validate a case file.

    Args:
        path: TOML file.
        overrides: ``key=value`` with dotted keys, e.g. ``filament.overpotential=40 mV`` or
            ``load.0.pressure=2 MPa``; values are TOML, or plain text.

    Raises:
        CaseError: With every fault found, each with its key and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CaseError("no such case file", key=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"the case file cannot be read: {error}", key=str(path)) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(
            f"not valid TOML: {error}", key=str(path), hint='Texts need quotes: a = "10 um"'
        ) from None
    for item in overrides:
        _override(data, item)
    return case_from(data, name=str(path), text=text)


def case_from(data: dict[str, Any], *, name: str = "case", text: str = "") -> Case:
    """Validate a case given as nested dictionaries (as TOML would give them).

    Raises:
        CaseError: With every fault found.
    """
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        lines = [_line(item, data, name, text) for item in error.errors()]
        raise CaseError("\n".join(dict.fromkeys(lines))) from None


def _line(item: Any, data: dict, name: str, text: str) -> str:
    """One fault in words."""
    loc = [part for part in item["loc"] if not _is_branch(part)]
    key = ".".join(str(part) for part in loc)
    number = find_line(text, loc) if text else 0
    place = f"{name}:{number}" if number else name
    kind, message = item["type"], item["msg"].removeprefix("Value error, ")
    value = item.get("input")
    if kind == "extra_forbidden":
        options = _fields(loc[:-1])
        return f"{place}: {key}: unknown key. {nearest(str(loc[-1]), options)}"
    if kind == "missing":
        return f"{place}: {key}: required and not given"
    shown = (
        "" if isinstance(value, dict | list) or repr(value) in message else f" (given: {value!r})"
    )
    if kind.startswith("value_error"):
        return f"{place}: {key + ': ' if key else ''}{message}{shown}"
    return f"{place}: {key}: {message}{shown}"


def _is_branch(part: Any) -> bool:
    """Pydantic names the branch of a union in the path; users did not write it."""
    return isinstance(part, str) and (
        part in {"str", "float", "int"} or part.startswith(("function-", "dict[", "list[", "lax"))
    )


def _fields(loc: Sequence[Any]) -> list[str]:
    """Keys that are allowed at a place of the schema."""
    model: Any = Case
    for part in loc:
        if isinstance(part, int) or model is None:
            continue
        info = model.model_fields.get(part) if _is_model(model) else None
        if info is None:
            continue  # a user-named entry of a dictionary: its type was already unwrapped
        model = _inner(info.annotation)
    return list(model.model_fields) if _is_model(model) else []


def _inner(annotation: Any) -> Any:
    if _is_model(annotation):
        return annotation
    for argument in typing.get_args(annotation):
        found = _inner(argument)
        if found is not None:
            return found
    return None


def _is_model(x: Any) -> bool:
    return isinstance(x, type) and issubclass(x, BaseModel)


def find_line(text: str, loc: Sequence[Any]) -> int:
    """Line of a key in a TOML text (best effort; 0 when it cannot be told).

    Args:
        text: The file.
        loc: Path of the key, e.g. ("load", 0, "pressure").
    """
    names = [str(part) for part in loc if not isinstance(part, int)]
    index = next((part for part in loc if isinstance(part, int)), 0)
    if not names:
        return 0
    current: list[str] = []
    counts: dict[str, int] = {}
    best = 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if head:
            current = [part.strip().strip("\"'") for part in head.group(1).split(".")]
            counts[head.group(1)] = counts.get(head.group(1), -1) + 1
            here = names[: len(current)] == current
            if here and (counts[head.group(1)] == index or not line.lstrip().startswith("[[")):
                best = number
            continue
        key = re.match(r"\s*([\w\-\"'.]+)\s*=", line)
        if key and names[: len(current)] == current:
            path = current + [part.strip("\"'") for part in key.group(1).split(".")]
            first = counts.get(".".join(current), 0)
            if names[: len(path)] == path and (first == index or len(loc) == len(names)):
                best = number
    return best


def _override(data: dict[str, Any], item: str) -> None:
    """Set one dotted key in the data."""
    key, sign, value = item.partition("=")
    if not sign or not key.strip():
        raise CaseError("not of the form key=value", key="--set", value=item)
    try:
        parsed = tomllib.loads(f"v = {value.strip()}")["v"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    place: Any = data
    parts = key.strip().split(".")
    materials = data.get("materials")
    if parts[0] == "materials" and len(parts) == 3 and isinstance(materials, dict):
        name = materials.get(parts[1])
        if isinstance(name, str):  # electrolyte = "LLZO" stands for { set = "LLZO" }
            materials[parts[1]] = {"set": name}
    for i, part in enumerate(parts[:-1]):
        if isinstance(place, list):
            place = _entry(place, part, item)
        else:
            place = place.setdefault(part, {})
        if not isinstance(place, dict | list):
            raise CaseError(
                f"{'.'.join(parts[: i + 1])} has no keys below it", key="--set", value=item
            )
    if isinstance(place, list):
        _entry(place, parts[-1], item)
        place[int(parts[-1])] = parsed
    else:
        place[parts[-1]] = parsed


def _entry(items: list, part: str, item: str) -> Any:
    if not part.isdigit() or int(part) >= len(items):
        raise CaseError(
            "no such entry", key="--set", value=item, allowed=f"a number from 0 to {len(items) - 1}"
        )
    return items[int(part)]


def resolved_toml(case: Case, base: Path) -> str:
    """The case with every default, as TOML that runs again from any folder.

    Args:
        case: The case.
        base: Folder in which its relative paths start.
    """
    import tomli_w
    from ssbmech.meshes import catalog

    data = case.model_dump(exclude_none=True)
    if case.mesh is not None:
        data["mesh"]["file"] = str((base / case.mesh.file).resolve())
    if case.geometry is not None:
        known = catalog.parameters(case.geometry.type)
        for key, value in case.geometry.parameters.items():
            if key in known and known[key].kind == "file" and isinstance(value, str):
                data["geometry"][key] = str((base / value).resolve())
    data["material_files"] = [str((base / name).resolve()) for name in case.material_files]
    return tomli_w.dumps(data)
