"""What a run in time asks of its model beside the steps: what to keep, to draw and to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray
from ssbmech.build import Setup
from ssbmech.build_materials import Materials
from ssbmech.config import Case
from ssbmech.domain import Domain
from ssbmech.meshes.data import MeshData
from ssbmech.numerics.stepping import Model
from ssbmech.output.verdict import Limits
from ssbmech.programme import Programme

#: Columns "name [unit]" of a table, each of shape (n,), in the unit shown.
Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Setting:
    """What a model in time is made from.

    Attributes:
        case: The case.
        base: Folder in which its relative paths start.
        comm: MPI communicator.
        data: The whole mesh on rank 0, None elsewhere.
        domain: The whole mesh on all ranks.
        setup: What the case means on its mesh.
        matter: Materials with their sources.
        programme: What it will go through, and the tolerance of a step.
        note: Takes the text for the progress line.
    """

    case: Case
    base: Path
    comm: Any
    data: MeshData | None
    domain: Domain
    setup: Setup
    matter: Materials
    programme: Programme
    note: Callable[[str], None]


class FieldWriter(Protocol):
    """Writes the fields of the accepted state, time after time (collective)."""

    def write(self, time: float) -> None:
        """Write the state as that of a time [s]."""

    def close(self) -> None:
        """Finish the files."""


class Subject(Protocol):
    """A model with what is reported of it. Methods are collective and look at the accepted state.

    Attributes:
        model: What moves.
        limits: What its monitors are held against.
        notes: Choices made for the user, in words.
        sources: ``"group.key"`` to value, source and standing.
        unverified: Names of unverified library values that were used.
    """

    model: Model
    limits: Limits
    notes: tuple[str, ...]
    sources: dict[str, str]
    unverified: tuple[str, ...]

    def profiles(self) -> dict[str, Columns]:
        """Tables of the state by file name without ending ("filament", "contact"); {} for none.

        The column of the time is added by the run. Whole on rank 0; others may give {}.
        """
        ...

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """By name: what is missing or too much since the start, size of the whole, their unit."""
        ...

    def fields(self, folder: Path) -> FieldWriter | None:
        """A writer of PVD files into a folder that exists, or None where there are no fields."""
        ...

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the solver, JSON-able."""
        ...

    def results(self) -> dict[str, Any]:
        """What a run of this kind says beside history and verdict, JSON-able; {} for nothing."""
        ...
