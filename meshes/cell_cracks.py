"""Where the cracks of a cell start, and that they meet neither each other nor the sides."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes import features, flaw
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.features import Protrusion, Void
from ssbmech.meshes.flaw import Crack, Flaw
from ssbmech.meshes.grain_parts import Grains, boundary_crack
from ssbmech.meshes.parameters import choice
from ssbmech.meshes.shapes import Place

if TYPE_CHECKING:
    from ssbmech.meshes.tessellation import Tessellation


def place_cracks(
    cracks: Sequence[Crack], at: Place, void: Sequence[Void], protrusion: Sequence[Protrusion],
    tess: Tessellation | None, grains: Grains | None,
) -> list[Flaw]:  # fmt: skip
    """Place cracks in the electrolyte.

    Args:
        cracks: What was asked for.
        at: The interface.
        void: Voids, at whose edge one may start.
        protrusion: Protrusions, at whose tip one may start.
        tess: Grains, along whose boundaries one may run.
        grains: How they were asked for.

    Raises:
        MeshError: For a crack that does not fit, with the numbers.
    """
    result = []
    for i, crack in enumerate(cracks):
        key = f"geometry.crack.{i}"
        path: Floats | None = None
        polygons: tuple[Floats, ...] = ()
        start = 0.0
        if crack.shape == "grain_boundary":
            path, polygons = boundary_crack(tess, grains, crack, key)
        elif crack.at is not None:
            x, start = _start(crack, key, at, void, protrusion)
            crack = replace(crack, x=x)
        one = flaw.place(
            crack, i, dim=at.dim, interface=start, top=at.top, reach=(at.low[0], at.high[0]),
            h_max=at.h_max, path=path, polygons=polygons,
        )  # fmt: skip
        if crack.shape == "ellipse":
            flaw.check_ellipse(one, (at.low[0], 0.0, at.low[1]), (at.high[0], at.top, at.high[1]))
        left = float(one.path[:, 0].min())
        in_plane = bool((one.path[:, 0] == 0.0).all()) and not crack.turn and not polygons
        if at.low[0] == 0.0 and left <= 1e-9 * at.high[0] and not in_plane:
            raise MeshError(
                "the crack touches the plane of symmetry", key=f"{key}.x", value=left,
                allowed="> 0 um, or a crack that lies in the plane", hint="Leave symmetry away",
            )  # fmt: skip
        result.append(one)
    return result


def _start(
    crack: Crack, key: str, at: Place, void: Sequence[Void], protrusion: Sequence[Protrusion]
) -> tuple[float, float]:
    """Place (x, y) on the interface where a crack starts at a feature [um]."""
    choice(f"{key}.at", crack.at, (None, "void_edge", "protrusion_tip"))
    among: Sequence[Any] = void if crack.at == "void_edge" else protrusion
    what = "void" if crack.at == "void_edge" else "protrusion"
    if not among:
        raise MeshError(f"there is no {what}", key=f"{key}.at", value=crack.at,
                        hint=f"Give [[geometry.{what}]]")  # fmt: skip
    if crack.shape == "kinked" or crack.y is not None:
        raise MeshError("the crack has a place of its own already", key=f"{key}.at",
                        value=crack.at, hint="Give either `at`, or `points` or `y`")  # fmt: skip
    first = among[0]
    if isinstance(first, Void):
        if at.dim == 3 and not first.strip:
            raise MeshError(
                "a plane crack only touches the round edge of a void", key=f"{key}.at",
                value=crack.at, allowed="in 2-D, or at a void with strip = true",
                hint="Give x: a crack that starts under the void, or beside it",
            )  # fmt: skip
        x, _ = features.void_centres(first, at.dim)[-1]
        return x + first.radius, 0.0
    if crack.shape == "ellipse" or (at.dim == 3 and first.shape != "wave" and not first.ridge):
        raise MeshError(
            "a plane crack only touches the round tip of a protrusion", key=f"{key}.at",
            value=crack.at, allowed="in 2-D, or straight cracks at a ridge or a wave",
        )  # fmt: skip
    return first.x, at.lithium + first.height


def check_flaws(flaws: Sequence[Flaw], top: float, reach: tuple[float, float]) -> None:
    """Refuse cracks that meet each other, and skins that do not fit.

    Cracks that are symmetric about z = 0 and upright on the section z = 0 meet in the section if
    they meet anywhere; ellipses that are turned or stand elsewhere are compared in space.

    Args:
        flaws: The cracks.
        top: Upper surface of the electrolyte [um].
        reach: Range of x of the body [um].

    Raises:
        MeshError: With the numbers.
    """
    for one in flaws:
        if one.crack.skin is not None:
            _check_skin(one, one.crack.skin, top, reach)
        _refuse_itself(one)
    for a, b in itertools.combinations(flaws, 2):
        skins = sum(one.crack.skin or 0.0 for one in (a, b))
        least = max(skins, 4 * max(a.grading.h_tip, b.grading.h_tip))
        gap = distance(a.path, b.path)
        if any(one.crack.turn or one.crack.z for one in (a, b)):
            gap = _in_space(a, b)
        if gap <= least:
            raise MeshError(
                f"the crack comes as near as {gap:.4g} um to {a.key}", key=b.key,
                allowed=f"more than {least:.4g} um between cracks and what surrounds them",
                hint="Move one of them, or lower h_tip of both",
            )  # fmt: skip


def _check_skin(one: Flaw, skin: float, top: float, reach: tuple[float, float]) -> None:
    low, high = one.path.min(axis=0), one.path.max(axis=0)
    room = min(top - high[1], reach[1] - high[0], low[0] - reach[0])
    if one.inside:
        room = min(room, float(low[1]))
    if skin >= room:
        raise MeshError(
            "the interphase around the crack leaves the electrolyte", key=f"{one.key}.skin",
            value=skin, allowed=f"below {room:.4g} um",
        )  # fmt: skip


def _refuse_itself(one: Flaw) -> None:
    """Refuse a kinked crack that comes back to itself."""
    n = len(one.path) - 1
    for i, k in itertools.combinations(range(n), 2):
        if k == i + 1:
            first, second = np.diff(one.path[i : i + 3], axis=0)
            cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
            meets = bool(cosine < -0.98)
        else:
            meets = distance(one.path[i : i + 2], one.path[k : k + 2]) < 2 * one.grading.h_tip
        if meets:
            raise MeshError(
                f"pieces {i + 1} and {k + 1} of the crack meet", key=f"{one.key}.points",
                value=one.path.round(6).tolist(), hint="A crack must not come back to itself",
            )  # fmt: skip


def _in_space(a: Flaw, b: Flaw) -> float:
    """Least distance of an ellipse from another one, or from a crack through the depth [um]."""
    if a.crack.shape != "ellipse":
        a, b = b, a
    faces = np.vstack([a.centre + s * (a.outline() - a.centre) for s in np.linspace(0, 1, 13)])
    if b.crack.shape == "ellipse":
        other = np.vstack([b.centre + s * (b.outline() - b.centre) for s in np.linspace(0, 1, 13)])
        gaps = np.linalg.norm(faces[:, None] - other[None], axis=2)
        return float(gaps.min()) - 0.1 * min(a.size, b.size)  # between the points compared
    flat = faces[:, :2]
    return min(_to_segment(x, p, q) for x in flat for p, q in itertools.pairwise(b.path))


def distance(a: Floats, b: Floats) -> float:
    """Least distance of two polylines in the plane [um], 0 where they cross.

    Args:
        a: Corners, shape (n, 2).
        b: Corners, shape (m, 2).
    """
    least = np.inf
    for p, q in itertools.pairwise(a):
        for r, s in itertools.pairwise(b):
            if _cross(p, q, r, s):
                return 0.0
            ends = (_to_segment(p, r, s), _to_segment(q, r, s), _to_segment(r, p, q))
            least = min(least, *ends, _to_segment(s, p, q))
    return float(least)


def _cross(p: Floats, q: Floats, r: Floats, s: Floats) -> bool:
    def turn(a: Floats, b: Floats, c: Floats) -> float:
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    return turn(p, q, r) * turn(p, q, s) < 0 and turn(r, s, p) * turn(r, s, q) < 0


def _to_segment(x: Floats, p: Floats, q: Floats) -> float:
    along = q - p
    t = np.clip((x - p) @ along / (along @ along), 0.0, 1.0)
    return float(np.linalg.norm(x - p - t * along))
