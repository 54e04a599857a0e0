"""Random contact: discs on an interface that do or do not touch, with an exact share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.parameters import Count, Length, Number, count, number
from ssbmech.meshes.scene import Sheet, pair_name
from ssbmech.meshes.shapes import Place, patch, whole

KEY = "geometry.contact"
# Random sequential addition jams at 0.547 (discs) and 0.7476 (strips, Renyi) of the interface.
# Least gap between discs over the smaller radius, first choice first. On a plane a neck that is
# one element wide has no node that could open: where there is room, necks are two wide.
_GAPS = {2: (0.1, 0.1), 3: (0.5, 0.3, 0.1, 0.1)}
_MOST_DISCS = 2000
_TRIES = 5_000


@dataclass(frozen=True)
class Contact:
    """Random contact: discs (2-D: strips) on the interface that do or do not touch.

    Attributes:
        fraction: Share of the interface in contact, 0 to 1.
        size: Mean diameter of the discs [um].
        spread: Standard deviation of the logarithm of the diameters.
        seed: Of the random numbers.
        gap: Whether the blocked part is open (two free faces ``blocked_li`` and
            ``blocked_sse``); otherwise it is a tagged film ``blocked`` that holds together.
    """

    fraction: Number
    size: Length
    spread: Number = 0.3
    seed: Count = 1
    gap: bool = False


def check_contact(contact: Contact, at: Place) -> None:
    """Refuse parameters out of range.

    Raises:
        MeshError: With the key, the value and what is allowed.
    """
    number(f"{KEY}.fraction", contact.fraction, below=1, closed=True, unit="",
           hint="The share of the interface in contact")  # fmt: skip
    number(f"{KEY}.size", contact.size, below=min(at.extent), hint="Discs must fit the interface")
    number(f"{KEY}.spread", contact.spread, below=1, closed=True, unit="")
    count(f"{KEY}.seed", contact.seed, at_least=0, at_most=2**31)
    if contact.gap and contact.fraction == 0:
        raise MeshError(
            "without any contact the body falls in two", key=f"{KEY}.fraction", value=0.0,
            allowed="(0, 1] with gap = true", hint="Choose a share above 0, or gap = false",
        )  # fmt: skip


def contact_sheets(gmsh: Any, contact: Contact, at: Place) -> list[Sheet]:
    """Blocked part of the interface under random contact, as sheets.

    Whichever of contact and gap covers less of the interface is made of discs.

    Args:
        gmsh: The module, inside a session.
        contact: What was asked for, checked.
        at: Where features go.

    Raises:
        MeshError: For discs that do not find room.
    """
    if contact.fraction == 1.0:
        return []
    if contact.fraction == 0.0:
        return [Sheet("blocked", whole(gmsh, at))]
    discs = discs_of(contact, at)
    made = [(patch(gmsh, at, x, z, r, strip=False), at.size(r)) for x, z, r in discs]
    touching = pair_name("lithium", at.above[0][0])
    name = touching if contact.fraction <= 0.5 else "blocked"
    sheets = [Sheet(name, tags, outline=size) for tags, size in made]
    # The last sheet of a facet names it: what touches is taken out of the blocked whole.
    return sheets if name == "blocked" else [Sheet("blocked", whole(gmsh, at)), *sheets]


def discs_of(contact: Contact, at: Place) -> list[tuple[float, float, float]]:
    """The discs (x, z, radius) [um] of the contact, or of the blocked part above one half."""
    return scatter(at, min(contact.fraction, 1 - contact.fraction), contact)


def scatter(at: Place, share: float, contact: Contact) -> list[tuple[float, float, float]]:
    """Discs (x, z, radius) [um] that do not touch and cover a share of the interface exactly.

    Diameters are lognormal and scaled in the end; places come from random sequential addition,
    the largest disc first.

    Args:
        at: The interface.
        share: Above 0, at most one half.
        contact: Sizes and seed.

    Raises:
        MeshError: For too many discs, or discs that do not find room.
    """
    rng = np.random.default_rng(contact.seed)
    width, depth = at.extent
    area = share * (width * depth if at.dim == 3 else width)
    needed = area / _measure(np.array([contact.size / 2]), at.dim)
    if needed > _MOST_DISCS:
        power = 1.0 if at.dim == 2 else 0.5
        raise MeshError(
            f"the interface would take {needed:.0f} discs", key=f"{KEY}.size", value=contact.size,
            allowed=f">= {contact.size * (needed / _MOST_DISCS) ** power:.3g} um",
        )  # fmt: skip
    radii: Floats = np.zeros(0)
    while _measure(radii, at.dim) < area:
        drawn = contact.size / 2 * math.exp(rng.normal(0.0, contact.spread))
        radii = np.append(radii, drawn)
    radii = np.sort(radii)[::-1]
    radii = radii * (area / _measure(radii, at.dim)) ** (1 / (at.dim - 1))
    for apart in _GAPS[at.dim]:
        placed = _lay(rng, radii, apart, at)
        if len(placed) == len(radii):
            return sorted(placed)
    raise MeshError(
        f"the discs do not find room on the interface: {len(placed)} of {len(radii)} are placed, "
        f"the next has diameter {2 * radii[len(placed)]:.3g} um", key=f"{KEY}.size",
        value=contact.size,
        hint="Choose smaller discs, a fraction nearer to 0 or 1, or another seed",
    )  # fmt: skip


def _lay(
    rng: np.random.Generator, radii: Floats, apart: float, at: Place
) -> list[tuple[float, float, float]]:
    """Discs one after another at random places, as many as find room."""
    placed: list[tuple[float, float, float]] = []
    for r in (float(radius) for radius in radii):
        found = _free_place(rng, placed, r, apart, at)
        if found is None:
            break
        placed.append(found)
    return placed


def _free_place(
    rng: np.random.Generator, placed: Sequence[tuple[float, float, float]], r: float,
    apart: float, at: Place,
) -> tuple[float, float, float] | None:  # fmt: skip
    others = np.array(placed).reshape(-1, 3)
    edge = 1.05 * r  # a disc that just misses the side would leave a sliver
    (x0, z0), (x1, z1) = at.low, at.high
    if x1 - x0 <= 2 * edge or (at.dim == 3 and z1 - z0 <= 2 * edge):
        raise MeshError(
            "a disc is wider than the interface", key=f"{KEY}.size", value=2 * r,
            allowed=f"below {min(at.extent) / 1.05:g} um", hint="Lower size or spread",
        )  # fmt: skip
    for _ in range(_TRIES):
        x = rng.uniform(x0 + edge, x1 - edge)
        z = rng.uniform(z0 + edge, z1 - edge) if at.dim == 3 else 0.0
        gap = np.hypot(others[:, 0] - x, others[:, 1] - z) - others[:, 2] - r
        if not len(others) or gap.min() > apart * r:
            return x, z, r
    return None


def _measure(radii: Floats, dim: int) -> float:
    return float(math.pi * (radii**2).sum() if dim == 3 else 2 * radii.sum())
