"""Field types of the schema of a case: texts with units, formulas, and the base of its tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from ssbmech import units
from ssbmech.errors import SsbmechError
from ssbmech.formula import Formula


def text_of(value: Any) -> Any:
    """Bare numbers are kept as texts, so that a missing unit is reported as such."""
    return repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def checked(check: Callable[[str], Any]) -> Callable[[str], str]:
    """A validator that keeps the text and gives the words of what ``check`` raises."""

    def validate(text: str) -> str:
        try:
            check(text)
        except SsbmechError as error:
            raise ValueError(_without_key(error)) from None
        return text

    return validate


def _without_key(error: SsbmechError) -> str:
    text = str(error)
    return text[len(error.key) + 2 :] if error.key and text.startswith(error.key + ": ") else text


def quantity_field(dimension: str, low: float | None = None, high: float | None = None) -> Any:
    """A text with a unit whose SI value lies strictly between ``low`` and ``high``."""

    def check(text: str) -> str:
        value = units.quantity(text, dimension)
        if (low is not None and value <= low) or (high is not None and value >= high):
            unit = units.dimension_of(dimension).unit
            above = "" if low is None else f"above {low:g} {unit}".strip()
            below = "" if high is None else f"below {high:g} {unit}".strip()
            allowed = " and ".join(part for part in (above, below) if part)
            raise ValueError(f"{text!r} is out of range. Allowed: {allowed}")
        return text

    return Annotated[str, BeforeValidator(text_of), AfterValidator(checked(check))]


def formula_field(dimension: str) -> Any:
    """A text with a unit or a formula of the coordinates."""
    return Annotated[
        str,
        BeforeValidator(text_of),
        AfterValidator(checked(lambda text: Formula.parse(text, dimension, ("x", "y", "z")))),
    ]


def check_ranges(
    ranges: Mapping[str, Sequence[str]], known: Mapping[str, str], *, above: float = -math.inf
) -> None:
    """Refuse ranges of inputs that cannot be sampled.

    Args:
        ranges: Name to the texts of its two ends.
        known: Names that there are, each with its dimension.
        above: What the lower end has to lie above, SI.

    Raises:
        ValueError: With the name, what is given and what is allowed.
    """
    for name, ends in ranges.items():
        if name not in known:
            raise ValueError(f"ranges.{name}: no such value. Allowed: {', '.join(known)}")
        if len(ends) != 2:
            raise ValueError(f"ranges.{name}: {len(ends)} values. Allowed: low and high")
        try:
            low, high = (units.quantity(end, known[name]) for end in ends)
        except SsbmechError as error:
            raise ValueError(f"ranges.{name}: {error}") from None
        if low <= above:
            raise ValueError(f"ranges.{name}: {ends!r}. Allowed: above {above:g}, low, then high")
        if low >= high:
            raise ValueError(f"ranges.{name}: {ends!r} is reversed. Allowed: low, then high")


class Block(BaseModel):
    """A table of a case file: no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
