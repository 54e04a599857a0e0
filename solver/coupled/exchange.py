"""Fields between the surfaces of two bodies that meet in a flat interface (2-D and axisymmetry).

Lithium and electrolyte are two meshes, distributed each in its own way, and lithium may slide along
the electrolyte. What they exchange is small: values at the vertices of one line. So the line of
either body is held whole on every rank, in order along the interface (`Chain`); values go from one
to the other by their place along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError
from ssbmech.meshes.data import MeshData

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Nodes further apart than this share of the shortest edge are different ones.
_SAME = 1e-4


@dataclass(frozen=True)
class Chain:
    """A line of edges on the surface of a body.

    Attributes:
        ids: Node numbers of the vertices in the file of the whole mesh, shape (n,).
        nodes: Reference places [m] of vertices and middle nodes, taking turns: (2 n - 1, 2).
        groups: Facet group of each edge, n - 1 names.
    """

    ids: Ints
    nodes: Floats
    groups: tuple[str, ...]

    @property
    def vertices(self) -> Floats:
        """Places of the vertices [m], shape (n, 2)."""
        return self.nodes[::2]

    def of(self, groups: Sequence[str]) -> NDArray[np.bool_]:
        """Which edges are of some groups, shape (n - 1,)."""
        return np.isin(np.array(self.groups), list(groups))

    @property
    def shortest(self) -> float:
        """Shortest edge [m]."""
        return float(np.linalg.norm(np.diff(self.vertices, axis=0), axis=1).min())


def chain(data: MeshData, groups: Sequence[str], numbers: Ints, *, key: str) -> Chain:
    """The line that facet groups of a 2-D mesh form, from smaller x to larger.

    Args:
        data: Mesh of one body [um].
        groups: Facet groups; those that the mesh does not have are left out.
        numbers: Number in the whole mesh of each of its points.
        key: For messages.

    Raises:
        CaseError: If the facets are not one open line.
    """
    if data.dim != 2:
        raise CaseError(
            "contact with current is for plane and axisymmetric models", key=key, value="3-D",
            allowed="model = 'plane_strain' or 'axisymmetric'",
        )  # fmt: skip
    names = [g for g in groups if g in data.facet_groups]
    tags = {data.facet_groups[g]: g for g in names}
    mine = np.isin(data.facet_tags, list(tags))
    edges, of_edge = data.facets[mine], [tags[t] for t in data.facet_tags[mine]]
    order, turned = _in_line(edges[:, :2], data.points, key, names)
    edges = edges[order]
    ends = np.where(turned[:, None], edges[:, 1::-1], edges[:, :2])
    vertices = np.append(ends[:, 0], ends[-1, 1])
    places = np.empty((2 * len(vertices) - 1, 2))
    places[::2] = data.points[vertices, :2]
    places[1::2] = (
        data.points[edges[:, 2], :2] if edges.shape[1] > 2 else 0.5 * (places[:-1:2] + places[2::2])
    )
    return Chain(numbers[vertices], places * 1e-6, tuple(of_edge[k] for k in order))


def _in_line(edges: Ints, points: Floats, key: str, names: Sequence[str]) -> tuple[Ints, Any]:
    """Order of edges along their line, and which of them are turned round."""
    ids, count = np.unique(edges, return_counts=True)
    ends = ids[count == 1]
    if len(ends) != 2 or (count > 2).any():
        raise CaseError(
            f"the facets of {', '.join(names)} are not one line: it has {len(ends)} ends",
            key=key, hint="Lithium and electrolyte have to meet along one unbroken interface, with "
            "the walls of voids at it",
        )  # fmt: skip
    at: dict[int, list[int]] = {}
    for e, (a, b) in enumerate(edges):
        at.setdefault(int(a), []).append(e)
        at.setdefault(int(b), []).append(e)
    node = int(ends[np.argmin(points[ends, 0])])
    order, turned, last = [], [], -1
    while True:
        following = [e for e in at[node] if e != last]
        if not following:
            break
        last = following[0]
        turned.append(int(edges[last, 0]) != node)
        node = int(edges[last, 0] if turned[-1] else edges[last, 1])
        order.append(last)
    if len(order) != len(edges):
        raise CaseError(
            f"the facets of {', '.join(names)} are in several pieces", key=key,
            hint="Lithium and electrolyte have to meet along one unbroken interface",
        )  # fmt: skip
    return np.array(order), np.array(turned)


def matched(chain: Chain, coordinates: Floats) -> Ints:
    """Number in ``chain.nodes`` of each of some reference places [m], shape (n, 2)."""
    from scipy.spatial import cKDTree

    if not len(coordinates):
        return np.empty(0, np.int64)
    away, found = cKDTree(chain.nodes).query(coordinates)
    if float(np.max(away)) > _SAME * chain.shortest:
        raise CaseError(
            "a node of the surface is none of the interface's", key="contact.group",
            value=coordinates[int(np.argmax(away))].tolist(),
        )  # fmt: skip
    return np.asarray(found, np.int64)


@dataclass(frozen=True)
class Axis:
    """The straight line along which the two bodies meet.

    Attributes:
        point: On it [m].
        tangent: Unit vector along it.
        turns: Whether areas are those of a whole turn about the axis x = 0.
    """

    point: tuple[float, float]
    tangent: tuple[float, float]
    turns: bool = False
    _t: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_t", np.array(self.tangent) / np.linalg.norm(self.tangent))

    def along(self, x: Floats) -> Floats:
        """Place along the line [m] (the radius in axisymmetry) of points, never going back.

        Where a wall has rolled over itself its upper part counts.
        """
        s = (x - np.array(self.point)) @ self._t
        return np.asarray(np.maximum.accumulate(s))

    def areas(self, s: Floats, edges: NDArray[np.bool_]) -> Floats:
        """Area that belongs to each node of a chain, by Simpson's rule on some edges.

        Args:
            s: Places of vertices and middle nodes along the line [m], rising, shape (2 n - 1,).
            edges: Which edges count, shape (n - 1,).

        Returns:
            [m^2 of the whole turn; m per thickness], shape (2 n - 1,).
        """
        weight = 2 * np.pi * s if self.turns else np.ones(len(s))
        sixth = np.where(edges, s[2::2] - s[:-1:2], 0.0) / 6
        found = np.zeros(len(s))
        found[:-1:2] += sixth * weight[:-1:2]
        found[1::2] += 4 * sixth * weight[1::2]
        found[2::2] += sixth * weight[2::2]
        return found


def flat_axis(chain: Chain, groups: Sequence[str], *, turns: bool, key: str) -> Axis:
    """The line on which the edges of some groups lie.

    Raises:
        CaseError: If they do not lie on one line (square to the axis, in axisymmetry).
    """
    edges = np.flatnonzero(chain.of(groups))
    if not len(edges):
        raise CaseError(
            "no part of the lithium touches the electrolyte", key=key, value=", ".join(groups)
        )
    rows = np.unique(np.concatenate([2 * edges, 2 * edges + 1, 2 * edges + 2]))
    x = chain.nodes[rows]
    whole = x[-1] - x[0]
    t = whole / np.linalg.norm(whole)
    off = np.abs((x - x[0]) @ np.array([-t[1], t[0]]))
    if off.max() > 1e-6 * np.linalg.norm(whole):
        raise CaseError(
            "the interface is not flat: lithium that drifts along a curved one is not covered",
            key=key, value=f"{off.max() * 1e6:.3g} um off a line",
            hint="Voids in the lithium are covered, protrusions into the electrolyte are not",
        )  # fmt: skip
    if turns and abs(t[1]) > 1e-6:
        raise CaseError("the interface has to be square to the axis", key=key)
    foot = x[0] - (x[0] @ t) * t  # places along the line count from the origin's foot
    return Axis((float(foot[0]), float(foot[1])), (float(t[0]), float(t[1])), turns)


class Nodes:
    """The nodes of a chain that ranks and surfaces share out among themselves.

    Args:
        chain: The line.
        places: Of the nodes of this rank on each surface [m], by name, shape (n, 2).
        comm: Communicator.
    """

    def __init__(self, chain: Chain, places: Mapping[str, Floats], comm: Any) -> None:
        from ssbmech.parallel import together

        self._comm, self._n = comm, len(chain.nodes)
        self.index = together(comm, lambda: {k: matched(chain, x) for k, x in places.items()})
        self._shares = self.total({k: np.ones(len(i)) for k, i in self.index.items()})

    def total(self, parts: Mapping[str, Floats]) -> Floats:
        """Sums over surfaces and ranks of values at their nodes, whole on every rank."""
        shape = next(iter(parts.values())).shape[1:]
        mine, found = np.zeros((self._n, *shape)), np.zeros((self._n, *shape))
        for name, values in parts.items():
            np.add.at(mine, self.index[name], values)
        self._comm.Allreduce(mine, found)
        return found

    def common(self, parts: Mapping[str, Floats]) -> Floats:
        """Values that are the same wherever a node is known, whole on every rank."""
        found = self.total(parts)
        return found / self._shares.reshape(-1, *[1] * (found.ndim - 1))


def lumped(nodal: Floats) -> Floats:
    """Nodal sums shared out to the vertices: those of middle nodes go half to either side."""
    found = nodal[::2].copy()
    found[:-1] += 0.5 * nodal[1::2]
    found[1:] += 0.5 * nodal[1::2]
    return found
