"""What Neper's .msh files, and ours, say in sections of their own: orientations, sides, notes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from ssbmech.errors import MeshError, nearest
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.raw import Raw, place_of

# Number of values of each descriptor of an orientation (Neper's documentation, "Rotations and
# Orientations"); older files have other names for two of them.
_WIDTHS = {
    "rodrigues": 3, "euler-bunge": 3, "euler-kocks": 3, "euler-roe": 3, "rotmat": 9,
    "axis-angle": 4, "quaternion": 4,
}  # fmt: skip
_OLD_NAMES = {"euler": "euler-bunge", "rotation-matrix": "rotmat", "angle-axis": "axis-angle"}
# From this version of the format on, "passive" is what "active" was before (Neper 4.10.0).
_EXCHANGED = (2, 3)


def describe(raw: Raw, gmsh: Any, ordered: Ints, index: Ints, *, numbered: bool) -> None:
    """Add what the sections of the file in Gmsh say, which Gmsh keeps as text.

    Args:
        raw: Points are there; gets orientations, sets of facets, names of lines and notes.
        gmsh: The module, inside a session, after reading.
        ordered: All node numbers of the file, ascending.
        index: Row of each of them in ``raw.points``.
        numbered: Whether elements have grain numbers; otherwise every grain is a group.

    Raises:
        MeshError: For a section that cannot be read.
    """
    sections = {name: gmsh.model.getAttribute(name) for name in gmsh.model.getAttributeNames()}
    if "SsbmechDescription" in sections:
        _description(raw, sections["SsbmechDescription"])
    if "Fasets" in sections:
        for name, nodes in _facet_sets(sections["Fasets"]).items():
            raw.facet_sets[name] = place_of(nodes.ravel(), ordered, index).reshape(nodes.shape)
    lines = sections.get("ElsetOrientations")
    if lines:
        version = (sections.get("MeshVersion") or [""])[0].strip()
        ids, rows = _orientations(lines, version)
        if numbered:
            if not np.array_equal(ids, np.arange(1, len(ids) + 1)):
                raise MeshError("the grains of $ElsetOrientations are not 1, 2, 3, ...")
            raw.orientations = rows
        else:
            dim = max((d for d, _ in gmsh.model.getPhysicalGroups()), default=3)
            for number, row in zip((int(i) for i in ids), rows, strict=True):
                name = gmsh.model.getPhysicalName(dim, number) or f"group_{number}"
                raw.orientation_of[name] = row


def quaternions(descriptor: str, values: Floats, *, exchanged: bool = False) -> Floats:
    """Orientations in one of Neper's forms as rotations from crystal to sample axes.

    Neper's "passive" rotation turns the sample's axes into the crystal's, so it carries crystal
    components of a vector to sample components; its rotation matrix has the crystal's axes as
    rows. "active" is the inverse. Bunge's angles are (phi1, Phi, phi2) about z, x', z''; Kocks'
    (Psi, Theta, phi) are Bunge's (Psi + 90, Theta, 90 - phi), and Roe's (Psi, Theta, Phi) are
    Bunge's (Psi + 90, Theta, Phi - 90). Angles are degrees.

    Args:
        descriptor: E.g. ``"rodrigues"`` or ``"quaternion:active"``; without a convention Neper's
            own, which both of its formats hold the same numbers in.
        values: Shape (n, number of values of the descriptor).
        exchanged: Whether "active" and "passive" have each other's meaning (format before 2.3).

    Returns:
        Unit quaternions (x, y, z, w), shape (n, 4).

    Raises:
        MeshError: For an unknown descriptor or convention, or values that are no rotation.
    """
    from scipy.spatial.transform import Rotation

    form, _, convention = descriptor.partition(":")
    form = _OLD_NAMES.get(form, form)
    if form not in _WIDTHS:
        raise MeshError("an unknown descriptor of orientations", value=descriptor,
                        hint=nearest(form, _WIDTHS))  # fmt: skip
    if convention not in ("", "active", "passive"):
        raise MeshError("an unknown convention of orientations", value=descriptor,
                        allowed="active, passive")  # fmt: skip
    if values.shape[1] != _WIDTHS[form] or not np.isfinite(values).all():
        raise MeshError(f"an orientation has {values.shape[1]} values", value=descriptor,
                        allowed=f"{_WIDTHS[form]} finite numbers")  # fmt: skip
    if form == "rodrigues":  # tan(angle / 2) along the axis
        rotation = Rotation.from_quat(np.column_stack([values, np.ones(len(values))]))
    elif form == "quaternion":
        if not (np.linalg.norm(values, axis=1) > 0).all():
            raise MeshError("a quaternion is zero", value=descriptor)
        rotation = Rotation.from_quat(values[:, [1, 2, 3, 0]])
    elif form == "axis-angle":
        length = np.linalg.norm(values[:, :3], axis=1)
        if not (length > 0).all():
            raise MeshError("the axis of a rotation is zero", value=descriptor)
        rotation = Rotation.from_rotvec(
            values[:, :3] * (np.radians(values[:, 3]) / length)[:, None]
        )
    elif form == "rotmat":
        matrix = values.reshape(-1, 3, 3).transpose(0, 2, 1)
        if (
            not np.allclose(matrix @ matrix.transpose(0, 2, 1), np.eye(3), atol=1e-4)
            or not (np.linalg.det(matrix) > 0).all()
        ):
            raise MeshError("a rotation matrix is none", value=descriptor)
        rotation = Rotation.from_matrix(matrix)
    else:
        angles = values.copy()
        if form != "euler-bunge":
            angles[:, 0] += 90.0
            angles[:, 2] = 90.0 - angles[:, 2] if form == "euler-kocks" else angles[:, 2] - 90.0
        rotation = Rotation.from_euler("ZXZ", angles, degrees=True)
    inverse = {"": False, "active": not exchanged, "passive": exchanged}[convention]
    found = (rotation.inv() if inverse else rotation).as_quat()
    return np.asarray(found, dtype=float)


def _orientations(lines: list[str], version: str) -> tuple[Ints, Floats]:
    """Numbers of the element sets and their orientations."""
    try:
        count, _, descriptor = lines[0].strip().partition(" ")
        rows = [line.split() for line in lines[1:] if line.strip()]
        ids = np.array([int(row[0]) for row in rows], dtype=np.int64)
        values = np.array([[float(v) for v in row[1:]] for row in rows])
        if len(rows) != int(count) or not len(rows):
            raise ValueError(f"{len(rows)} of {count} rows")
        numbers = tuple(int(part) for part in version.split("."))[:2] if version else ()
    except (ValueError, IndexError) as error:
        raise MeshError(f"$ElsetOrientations cannot be read: {error}") from None
    descriptor = descriptor.strip()
    if not numbers and ":" in descriptor:
        raise MeshError(
            "the meaning of the orientations is not known: the file has no $MeshVersion",
            value=descriptor,
            hint='Add $MeshVersion, "2.3" and $EndMeshVersion, each on a line, if Neper 4.10 or '
            "later wrote it, and 2.2 otherwise",
        )
    exchanged = bool(numbers) and numbers < _EXCHANGED
    if (
        np.array_equal(ids, np.arange(1, len(ids) + 1))
        and descriptor == "quaternion:passive"
        and not exchanged
        and (np.abs(np.linalg.norm(values, axis=1) - 1.0) < 1e-12).all()
    ):
        return ids, values[:, [1, 2, 3, 0]]  # our own: not a bit changed
    return ids, quaternions(descriptor, values, exchanged=exchanged)


def _facet_sets(lines: list[str]) -> dict[str, Ints]:
    """Sides of the domain by name: facets by their nodes."""
    words = iter(lines)
    sets: dict[str, Ints] = {}
    try:
        for _ in range(int(next(words))):
            name, count = next(words).strip(), int(next(words))
            rows = [[int(w) for w in next(words).split()[1:]] for _ in range(count)]
            sets[name] = np.array(rows, dtype=np.int64).reshape(count, -1)
    except (StopIteration, ValueError) as error:
        raise MeshError(f"$Fasets cannot be read: {error or 'it is cut off'}") from None
    return sets


def _description(raw: Raw, lines: list[str]) -> None:
    """Names of lines and notes, as `write_msh` stores them."""
    try:
        found = json.loads("".join(lines))
        raw.lines = tuple(str(name) for name in found["lines"])
        raw.notes = {
            str(k): v if isinstance(v, str) else float(v) for k, v in found["notes"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MeshError(f"$SsbmechDescription cannot be read: {error}") from None
