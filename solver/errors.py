"""Exceptions as data: what was given, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SsbmechError(Exception):
    """An error that a user can act on.

    Args:
        message: One sentence that says what is wrong.
        key: Where it is, e.g. ``"crack.K_IC"`` or a file with a line.
        value: What was given.
        allowed: The allowed range or the allowed values, in words.
        hint: What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str = "",
        value: object = None,
        allowed: str = "",
        hint: str = "",
    ) -> None:
        self.message, self.key, self.value = message, key, value
        self.allowed, self.hint = allowed, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.key}: {self.message}" if self.key else self.message
        if self.value is not None:
            text += f" (given: {self.value!r})"
        if self.allowed:
            text += f". Allowed: {self.allowed}"
        if self.hint:
            text += f". {self.hint}"
        return text

    def __reduce__(self):  # keyword-only arguments do not survive the default pickling (MPI bcast)
        return _rebuild, (type(self), self.message, self.key, self.value, self.allowed, self.hint)


def _rebuild(cls, message, key, value, allowed, hint):
    return cls(message, key=key, value=value, allowed=allowed, hint=hint)


class UnitError(SsbmechError):
    """A text that is not a number with a unit of the expected dimension."""


class FormulaError(SsbmechError):
    """A formula of the coordinates that cannot be read or has the wrong dimension."""


class CaseError(SsbmechError):
    """A case file that cannot be run."""


class MaterialError(SsbmechError):
    """An unknown material set or an impossible value in one."""


class MeshError(SsbmechError):
    """A mesh that cannot be built, read or trusted."""


class SolverError(SsbmechError):
    """A solve that did not converge, or a problem without a unique solution."""


class FractureError(SsbmechError):
    """A fracture quantity that cannot be given."""


class OutputError(SsbmechError):
    """Results that cannot be written, or existing ones that would be lost."""


def nearest(name: str, options: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the nearest option, or the list of them.

    Args:
        name: What was given.
        options: What exists.
    """
    names = sorted(options)
    match = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    folded = [o for o in names if o.lower() == name.lower()]
    if folded or match:
        return f"Did you mean {(folded or match)[0]!r}?"
    return "Known: " + (", ".join(names) if names else "none")
