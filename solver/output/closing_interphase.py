"""Rows of the closing table on a layer that thickened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def closing_rows(table: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Rows of the closing table from the summary's entry ``interphase``."""
    if not table:
        return []
    rows = [("layer" if k == 0 else "", text) for k, text in enumerate(table["verdict"])]
    return rows + [("note", note) for note in table["notes"]]
