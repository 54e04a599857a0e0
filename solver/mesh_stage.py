"""The first stage of a run: a mesh that the gate let pass, on all ranks, and what a case means.

The mesh is built or read on rank 0 and distributed, or it was written in parts
(``ssbmech mesh --partition``) and every rank reads its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssbmech import build, build_materials
from ssbmech.config import Case
from ssbmech.domain import Domain, distribute
from ssbmech.errors import CaseError, MeshError
from ssbmech.meshes import gate
from ssbmech.meshes.data import MeshData
from ssbmech.output import quantities, record
from ssbmech.parallel import on_root
from ssbmech.units import quantity


@dataclass(frozen=True)
class Meshed:
    """What is known of the mesh beside the mesh itself.

    Attributes:
        setup: Crack, model and loaded faces.
        matter: Materials with their sources.
        length: Size of the body [m].
        text: For a progress line.
        gates: The gate's checks, for the summary.
        mesh: Numbers of the mesh, for the record.
        digest: SHA-256 of the file that was kept or read, or "".
    """

    setup: build.Setup
    matter: build_materials.Materials
    length: float
    text: str
    gates: list[dict[str, Any]]
    mesh: dict[str, Any]
    digest: str


def make_domain(
    case: Case,
    base: Path,
    comm: Any,
    keep: Path | None,
    note: Callable[[str], None],
    held: list[MeshData] | None = None,
) -> tuple[Domain, Meshed]:
    """Mesh of a case on all ranks.

    Args:
        case: The case.
        base: Folder in which its relative paths start.
        comm: MPI communicator.
        keep: Folder in which the mesh is kept as ``mesh.msh``; a partitioned one stays where it is.
        note: Takes the text for the progress line.
        held: Takes the whole mesh on rank 0, for stages that solve on a part of it.

    Raises:
        SsbmechError: On every rank.
    """
    held = [] if held is None else held
    folder = build.partitioned_mesh(case, base)

    def work() -> Meshed:
        if folder is not None:
            if case.electrode:
                raise CaseError(
                    "a mesh in parts has no electric problem yet", key="mesh.file",
                    value=case.mesh.file if case.mesh else None, hint="Give the whole mesh",
                )  # fmt: skip
            return _of_parts(case, base, folder)
        data = build.make_mesh(case, base)
        held.append(data)
        return _of_whole(case, base, data, keep)

    known = on_root(comm, work)
    note(known.text)
    if folder is None:
        return distribute(comm, held[0] if held else None, length=known.length), known
    from ssbmech.partitioned import distribute_parts

    return distribute_parts(comm, folder, length=known.length), known


def _of_whole(case: Case, base: Path, data: MeshData, keep: Path | None) -> Meshed:
    found = gate.inspect(data)
    gate.refuse(found)
    setup, matter = _meaning(case, base, data)
    digest = ""
    if keep is not None:
        from ssbmech.meshes.writer import write_msh

        write_msh(data, keep / "mesh.msh")
        digest = record.file_hash(keep / "mesh.msh")
        if not case.output.mesh:
            (keep / "mesh.msh").unlink()
    text = f"{len(data.cells)} cells of order {data.order}, {len(data.points)} nodes"
    return Meshed(
        setup, matter, _size(data) * 1e-6, text, quantities.mesh_gates(found),
        quantities.mesh_record(found), digest,
    )  # fmt: skip


def _of_parts(case: Case, base: Path, folder: Path) -> Meshed:
    from ssbmech.meshes.partition import outline, read_header

    header = read_header(folder)
    data = outline(header)
    setup, matter = _meaning(case, base, data)
    gates, numbers = quantities.gate_said(header.notes)
    text = (
        f"{sum(header.cells)} cells of order {header.order}, {sum(header.nodes)} nodes "
        f"in {header.parts} parts"
    )
    return Meshed(
        setup, matter, header.length, text, gates, numbers,
        record.file_hash(folder / "mesh.json"),
    )  # fmt: skip


def _meaning(
    case: Case, base: Path, data: MeshData
) -> tuple[build.Setup, build_materials.Materials]:
    setup = build.setup(case, data)
    matter = build_materials.materials(case, data.cell_groups, base)
    _check_rings(case, data)
    return setup, matter


def _size(data: MeshData) -> float:
    """Largest extent of the body [um]."""
    size = float((data.points.max(axis=0) - data.points.min(axis=0)).max())
    if not size > 0:
        raise MeshError("the mesh has no extent", key="mesh")
    return size


def _check_rings(case: Case, data: MeshData) -> None:
    """A ring larger than the body is refused before anything is solved."""
    for i, text in enumerate(case.fracture.rings):
        if quantity(text, "length") * 1e6 >= _size(data):
            raise MeshError(
                "the ring is larger than the body", key=f"fracture.rings.{i}", value=text,
                allowed=f"below {_size(data):g} um",
            )  # fmt: skip
