"""Prints the materials library: the list of sets, and one set as a table."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ssbmech import units
from ssbmech.materials.library import STANDINGS, MaterialSet, Value, get, load_library


def print_list(extra: Path | None = None, file: TextIO | None = None) -> None:
    """Print the names of all sets with the main values.

    Args:
        extra: A user's library file.
        file: Where to; standard output unless given.
    """
    rows = [("set", "kind", "E", "nu", "K_IC", "what it is")]
    for name, material in sorted(load_library(extra).items()):
        cells = [_main(material, key) for key in ("E", "nu", "K_IC")]
        rows.append((name, material.kind, cells[0], cells[1], cells[2], material.title))
    _write(_aligned(rows), file)
    _write("* unverified; - no source was found. `ssbmech materials NAME` shows all values.", file)


def print_set(name: str, extra: Path | None = None, file: TextIO | None = None) -> None:
    """Print every value of a set with range, temperature, source and standing.

    Args:
        name: Name of the set.
        extra: A user's library file.
        file: Where to; standard output unless given.

    Raises:
        MaterialError: If there is no such set.
    """
    _write(set_text(get(name, extra)), file)


def set_text(material: MaterialSet) -> str:
    """Return a set as plain text of up to 100 columns or so."""
    lines = [f"{material.name}: {material.title} ({material.kind})"]
    if material.notes:
        lines += textwrap.wrap(material.notes, 98)
    lines.append("")
    rows = [("property", "value", "range", "temperature", "standing")]
    below: list[list[str]] = [[]]
    for key, value in material.values.items():
        for i, v in enumerate((value, *value.alternatives)):
            rows.append(
                (
                    key if i == 0 else "  or",
                    text_of(v),
                    range_of(v),
                    v.temperature or "not stated",
                    standing_of(v),
                )
            )
            about = f"source: {v.source}" + (f"; {v.note}" if v.note else "")
            below.append(textwrap.wrap(about, 92))
    for line, more in zip(_aligned(rows).splitlines(), below, strict=True):
        lines += [line, *("      " + m for m in more)]
    used = sorted({v.standing for x in material.values.values() for v in (x, *x.alternatives)})
    lines += ["", *(f"{s}: {STANDINGS[s]}" for s in used)]
    return "\n".join(lines)


def text_of(value: Value) -> str:
    """Return a value in the field's habitual unit, or as given where the unit is free."""
    return units.show(value.value, value.dimension) if value.dimension else value.given


def standing_of(value: Value) -> str:
    """Return the standing, with a word where the value is unverified."""
    if value.unverified_inputs:
        return value.standing + ", from unverified"
    return value.standing + ("" if value.verified else ", unverified")


def range_of(value: Value) -> str:
    """Return the range in the field's habitual unit; empty if there is none."""
    if not value.dimension or (value.low is None and value.high is None):
        return ""
    low = "" if value.low is None else units.show(value.low, value.dimension)
    high = "" if value.high is None else units.show(value.high, value.dimension)
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}"


def _main(material: MaterialSet, key: str) -> str:
    value = material.values.get(key)
    return "-" if value is None else text_of(value) + ("" if value.verified else "*")


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _write(text: str, file: TextIO | None) -> None:
    print(text, file=file or sys.stdout)
