"""Kinds of builder parameters, readable by a machine, and their checks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from ssbmech.errors import MeshError

# The second entry is what a case file must give: "length" a text with a unit (builders take
# micrometres), "angle" likewise (degrees), "number" and "count" plain numbers, "text" a text,
# "file" a path relative to the case, "points" a list of points of lengths, "labels" a table of
# whole numbers to names. Blocks of their own ([geometry.crack], [[geometry.void]]) are frozen
# dataclasses of such fields.
Length = Annotated[float, "length"]
Angle = Annotated[float, "angle"]
Number = Annotated[float, "number"]
Count = Annotated[int, "count"]
Text = Annotated[str, "text"]
File = Annotated[str, "file"]
Points = Annotated[tuple[tuple[float, ...], ...], "points"]
Labels = Annotated[dict[int, str], "labels"]


def number(
    key: str,
    value: float,
    *,
    above: float = 0.0,
    below: float = math.inf,
    closed: bool = False,
    unit: str = "um",
    hint: str = "",
) -> float:
    """Return the value as a float, or refuse it.

    Args:
        key: Name of the parameter.
        value: What was given.
        above: Lower bound, itself allowed only with ``closed``.
        below: Upper bound, likewise.
        closed: Whether the bounds are allowed.
        unit: For the message.
        hint: What to do.

    Raises:
        MeshError: If it is not a finite number within the bounds.
    """
    low, high = ("[", "]") if closed else ("(", ")")
    unit = f" {unit}" if unit else ""
    upper = "" if math.isinf(below) else f"{below:g}"
    sign = ">=" if closed else ">"
    allowed = f"{low}{above:g}, {upper}{high}{unit}" if upper else f"{sign} {above:g}{unit}"
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise MeshError(
            f"{key} is not a number", key=key, value=value, allowed=allowed, hint=hint
        ) from None
    inside = above <= result <= below if closed else above < result < below
    if isinstance(value, bool) or not math.isfinite(result) or not inside:
        raise MeshError(f"{key} is out of range", key=key, value=value, allowed=allowed, hint=hint)
    return result


def count(key: str, value: int, *, at_least: int, at_most: int = 100_000) -> int:
    """Return the whole number, or raise MeshError if it is none or out of range."""
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    if not whole or not float(value).is_integer() or not at_least <= value <= at_most:
        raise MeshError(
            f"{key} is out of range",
            key=key,
            value=value,
            allowed=f"whole numbers from {at_least} to {at_most}",
        )
    return int(value)


def choice(key: str, value: object, options: Sequence[object]) -> None:
    """Raise MeshError unless the value is one of the options."""
    if value not in options:
        names = ", ".join("none" if o is None else repr(o) for o in options)
        raise MeshError(f"{key} is not known", key=key, value=value, allowed=names)
