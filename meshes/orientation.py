"""Crystal orientations of grains: random, textured, and the angle between two cubic crystals.

An orientation is a unit quaternion (x, y, z, w) that turns crystal axes into sample axes, as
scipy's ``Rotation`` has it.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats
from ssbmech.meshes.parameters import choice, count, number

Texture = Literal["random", "fibre", "single"]
CrystalAxis = Literal["100", "110", "111"]
SampleAxis = Literal["x", "y", "z"]


def grain_orientations(
    n: int,
    texture: Texture = "random",
    spread: float = 0.0,
    seed: int = 0,
    *,
    crystal_axis: CrystalAxis = "100",
    sample_axis: SampleAxis = "y",
) -> Floats:
    """Orientations of n grains.

    Args:
        n: Number of grains.
        texture: "random": uniform on SO(3). "fibre": a crystal axis lies along an axis of the
            sample, the turn about it is random. "single": crystal axes along sample axes.
        spread: Standard deviation, about each of the axes that the texture holds, of the rotation
            that takes a grain off it [degrees], 0 to 60.
        seed: Of the random numbers.
        crystal_axis: Of a fibre.
        sample_axis: Of a fibre.

    Returns:
        Unit quaternions (x, y, z, w) with w >= 0, shape (n, 4).

    Raises:
        MeshError: For values out of range, or a spread without a texture.
    """
    count("n", n, at_least=1, at_most=10_000_000)
    choice("texture", texture, ("random", "fibre", "single"))
    choice("crystal_axis", crystal_axis, ("100", "110", "111"))
    choice("sample_axis", sample_axis, ("x", "y", "z"))
    number("spread", spread, below=60.0, closed=True, unit="degrees")
    rng = np.random.default_rng([seed, 1])  # not the stream that placed the grains
    if texture == "random":
        if spread:
            raise MeshError(
                "a random texture has no spread", key="spread", value=spread, allowed="0",
                hint="Leave it out, or take texture = \"fibre\" or \"single\"",
            )  # fmt: skip
        return _signed(_unit(rng.standard_normal((n, 4))))
    tilt = np.radians(spread) * rng.standard_normal((n, 3))
    turn = rng.uniform(-math.pi, math.pi, n)
    if texture == "single":
        return _signed(_from_vector(tilt))
    along = np.eye(3)["xyz".index(sample_axis)]
    tilt -= np.outer(tilt @ along, along)  # the turn about the fibre is random anyway
    crystal = np.array([float(c) for c in crystal_axis])
    onto = _between(crystal / np.linalg.norm(crystal), along)
    about = _from_vector(turn[:, None] * along)
    return _signed(product(_from_vector(tilt), product(about, np.tile(onto, (n, 1)))))


def misorientation(first: Floats, second: Floats) -> Floats:
    """Smallest angle between cubic crystals of two orientations, over the 24 rotations of a cube.

    Args:
        first: Unit quaternions (x, y, z, w), shape (n, 4) or (4,).
        second: Likewise.

    Returns:
        Angles [degrees], 0 to 62.8, shape (n,).
    """
    a, b = np.atleast_2d(first), np.atleast_2d(second)
    conjugate = a * np.array([-1.0, -1.0, -1.0, 1.0])
    between = product(conjugate, b)
    # w of the product with each rotation of the cube; the order of factors does not change it
    w = np.abs(between @ (_cube() * np.array([-1.0, -1.0, -1.0, 1.0])).T).max(axis=1)
    return np.asarray(np.degrees(2 * np.arccos(np.minimum(w, 1.0))))


def product(a: Floats, b: Floats) -> Floats:
    """Quaternion products: first b, then a, shape (n, 4)."""
    v, w = a[:, :3], a[:, 3:]
    u, t = b[:, :3], b[:, 3:]
    vector = w * u + t * v + np.cross(v, u)
    return np.hstack([vector, w * t - (v * u).sum(axis=1, keepdims=True)])


@cache
def _cube() -> Floats:
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.create_group("O").as_quat())


def _from_vector(vector: Floats) -> Floats:
    """Rotations about the direction of each vector by its length [rad]."""
    angle = np.linalg.norm(vector, axis=1, keepdims=True)
    scale = 0.5 * np.sinc(angle / (2 * math.pi))  # sin(a / 2) / a
    return np.hstack([scale * vector, np.cos(angle / 2)])


def _between(a: Floats, b: Floats) -> Floats:
    """The shortest rotation of one unit vector onto another that is not its opposite."""
    return _unit(np.append(np.cross(a, b), 1 + a @ b)[None])[0]


def _unit(q: Floats) -> Floats:
    return np.asarray(q / np.linalg.norm(q, axis=1, keepdims=True))


def _signed(q: Floats) -> Floats:
    """The one of q and -q with w >= 0."""
    q = _unit(q)
    return np.where(q[:, 3:] < 0, -q, q)
