"""Rows of the closing table on a layer that thickened."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

#: Characters of a line beside the names of the rows.
_WIDTH = 78


def closing_rows(table: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Rows of the closing table from the summary's entry ``interphase``."""
    if not table:
        return []
    rows = [row for text in table["verdict"] for row in _rows("", text)]
    rows[:1] = [("layer", text) for _, text in rows[:1]]
    return rows + [row for text in table["notes"] for row in _rows("note", text)]


def _rows(name: str, text: str) -> list[tuple[str, str]]:
    first, *rest = textwrap.wrap(text, _WIDTH, subsequent_indent="  ")
    return [(name, first), *(("", line) for line in rest)]
