"""The film as a network of nodes and links, and the flow of creeping lithium along them.

Only areas, widths and lengths enter, so that a slit, a penny and a surface in space are alike. A
line is made of edges, each of them one link; a surface of triangles, each of them three
(`surface`). The gradient of pressure belongs to an edge or a triangle as a whole.

Flow of a power-law metal, eps_dot = B sigma^n, between two walls 2 H apart under the gradient g of
pressure (Poiseuille flow; equivalent stress and rate of simple shear):

    q = 2 A_s g^n H^(n+2)/(n + 2),    A_s = 3^((n+1)/2) B    [m^2/s per metre of width].
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Network:
    """Nodes of the faces with their control areas, and the links between neighbours.

    Attributes:
        points: Positions [m], shape (n, 3), in an order that no number of ranks changes.
        s: Arc length along a line from its mouth or its first node [m], shape (n,); of a film
            that branches its depth, of a surface the distance to the mouth or, without one, depth.
        depth: How far from the mouth, or from the middle of a film without one, along the film [m],
            shape (n,): the largest distance to the front minus the distance to it; of a surface
            with a mouth the distance to the mouth.
        area: Control areas of one face [m^2, or m^2 per m of thickness], shape (n,).
        edges: Pairs of nodes that a link joins, shape (k, 2).
        length: Of the links [m], shape (k,).
        width: Of the links [m, or m per m of thickness], shape (k,); negative ones: see `surface`.
        mouth: Nodes at the mouth, shape (m,); empty where the film has none.
        triangles: Of a surface, shape (t, 3), its links triangle by triangle, k = 3 t; of a line
            shape (0, 3).
        to_front: Distance of a surface's nodes to the front [m], shape (n,); of a line shape (0,).
    """

    points: Floats
    s: Floats
    depth: Floats
    area: Floats
    edges: NDArray[np.int64]
    length: Floats
    width: Floats
    mouth: NDArray[np.int64]
    triangles: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 3), np.int64))
    to_front: Floats = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.area)

    @property
    def cells(self) -> NDArray[np.int64]:
        """Nodes of every edge of a line or triangle of a surface, (c, 2) or (c, 3)."""
        return self.triangles if len(self.triangles) else self.edges

    @cached_property
    def cell(self) -> NDArray[np.int64]:
        """The edge or triangle that a link belongs to, (k,)."""
        per = 3 if len(self.triangles) else 1
        return np.arange(len(self.edges)) // per

    @cached_property
    def measure(self) -> Floats:
        """Areas of the cells [m^2, or m^2 per m of thickness], (c,).

        Links of a triangle: sum of l^2 cot/2 = 2 area; of a line: length times width.
        """
        total = np.bincount(self.cell, self.width * self.length, minlength=len(self.cells))
        return np.asarray(total / (2.0 if len(self.triangles) else 1.0))

    def flux_along(self, rate: Floats) -> Floats:
        """Flow per width towards larger s, mean over the cells of a node [m^2/s], (n,)."""
        i, j = self.edges.T
        rise = np.bincount(self.cell, rate * (self.s[j] - self.s[i]), minlength=len(self.cells))
        slope = np.bincount(
            self.cell, self.width / self.length * (self.s[j] - self.s[i]) ** 2,
            minlength=len(self.cells),
        )  # fmt: skip
        # |grad s| is 1 but for the mesh: flux . grad s/|grad s|
        steep = np.sqrt(np.maximum(slope / self.measure, 0.0))
        along = rise / self.measure / np.where(steep > 0, steep, 1.0)
        total, count = np.zeros(len(self)), np.zeros(len(self))
        for corner in self.cells.T:
            np.add.at(total, corner, along)
            np.add.at(count, corner, 1.0)
        return total / np.maximum(count, 1.0)

    def scaled(self, factor: float, plane: bool) -> Network:
        """The film of a body that is larger by a factor; ``plane``: per metre of thickness."""
        return replace(
            self,
            points=self.points * factor,
            s=self.s * factor,
            depth=self.depth * factor,
            to_front=self.to_front * factor,
            area=self.area * (factor if plane else factor**2),
            length=self.length * factor,
            width=self.width * (1.0 if plane else factor),
        )


@dataclass(frozen=True)
class SlitFlow:
    """Power-law creep eps_dot = B sigma^n of the metal.

    Attributes:
        B: [Pa^-n/s].
        n: Exponent, 1 or above.
    """

    B: float
    n: float

    def mobility(self, gradient: Floats, half: Floats) -> tuple[Floats, Floats]:
        """Flow per width over the gradient [m^3/(Pa s)], and its derivative by H.

        Both are regular at no gradient for every n >= 1: a film of which the pressure is uniform
        needs no regularisation.

        Args:
            gradient: Size of the gradient [Pa/m].
            half: Half the distance H of the walls [m].
        """
        n = self.n
        # B^(1/n) joins g H before the power is taken: the parts alone leave the range of floats
        power = (self._root * gradient * half) ** (n - 1)
        by_half = np.asarray(2 * power * self._root * half**2, dtype=np.float64)
        return np.asarray(by_half * half / (n + 2), dtype=np.float64), by_half

    def flux(self, gradient: Floats, half: Floats) -> Floats:
        """Flow per width down a gradient of pressure [m^2/s].

        Args:
            gradient: Size and sign of the gradient [Pa/m].
            half: Half the distance H of the walls [m].
        """
        return gradient * self.mobility(np.abs(gradient), half)[0]

    def softened(self, exponent: float, stress: float) -> SlitFlow:
        """A law of a lower exponent with the same rate at a shear stress g H [Pa].

        Flow that starts from uniform pressure has no slope there; Newton's method reaches it along
        a family of laws that begins with a viscous one.
        """
        log_root = self.n / exponent * np.log(self._root * stress) - np.log(stress)
        log_B = exponent * log_root - (exponent + 1) / 2 * np.log(3)
        return SlitFlow(float(np.exp(log_B)), exponent)

    def stress(self, flux: float, half: float) -> float:
        """Shear stress g H [Pa] that drives a flux per width [m^2/s] through a gap 2 H."""
        return float((flux * (self.n + 2) / (2 * half**2)) ** (1 / self.n) / self._root)

    @property
    def _root(self) -> float:
        return float((3 ** ((self.n + 1) / 2) * self.B) ** (1 / self.n))


@dataclass(frozen=True)
class Flow:
    """Flow between the nodes and its derivatives.

    Attributes:
        rate: Along the links, from their first node to the second [m^3/s, m^2/s per m], (k,).
        divergence: Outflow of every node, (n,).
        by_pressure: d(divergence)/d(pressure), (n, n).
        by_opening: d(divergence)/d(w), (n, n).
        by_fill: d(divergence)/d(f), (n, n).
    """

    rate: Floats
    divergence: Floats
    by_pressure: Floats
    by_opening: Floats
    by_fill: Floats


def flow(network: Network, law: SlitFlow | None, p: Floats, w: Floats, fill: Floats) -> Flow:
    """Flow along all links.

    With t = width/length and M(g, H) the flow per width over the gradient g of the cell,

        rate = t (p_i - p_j) M(g, H),    g^2 = sum over links of the cell t (p_i - p_j)^2 / measure.

    The film is as thick as the mean opening of a link, times the share of it that the node
    upstream fills: only a filled node has a pressure, so that this is second order in a filled
    film, and a node without lithium gives none.

    Args:
        network: The film.
        law: Creep, or None for no flow at all.
        p: Pressure of the nodes [Pa], (n,).
        w: Opening [m], (n,).
        fill: Share of the opening that lithium fills, (n,).
    """
    n = len(network)
    if law is None or not len(network.edges):
        zero = np.zeros((n, n))
        return Flow(np.zeros(len(network.edges)), np.zeros(n), zero, zero, zero)
    i, j = network.edges.T
    cell, measure = network.cell, network.measure
    drop = network.width / network.length * (p[i] - p[j])  # t (p_i - p_j)
    square = np.bincount(cell, drop * (p[i] - p[j]), minlength=len(measure)) / measure
    square = np.maximum(square, 0.0)[cell]
    up = np.where(drop >= 0, i, j)
    mean = np.maximum(w[i] + w[j], 0.0) / 2
    half = fill[up] * mean / 2
    mobility, by_half = law.mobility(np.sqrt(square), half)
    rate, by_half = drop * mobility, drop * by_half
    edge = np.arange(len(i))
    # by the drops of all links m of the cell: delta_km t_k M + (n - 1) M/g^2 drop_k drop_m/measure
    k, m = _pairs(network)
    slope = (law.n - 1) * mobility / np.where(square > 0, square, 1.0) * drop / measure[cell]
    entries = slope[k] * drop[m]
    entries[k == m] += (network.width / network.length * mobility)[k[k == m]]
    return Flow(
        rate,
        _outflow(network, rate),
        _matrix(network, np.tile(k, 2), np.concatenate([i[m], j[m]]),
                np.concatenate([entries, -entries])),
        _matrix(network, np.tile(edge, 2), np.concatenate([i, j]),
                np.tile(by_half * fill[up] / 4, 2)),
        _matrix(network, edge, up, by_half * mean / 2),
    )  # fmt: skip


def _pairs(network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of links of the same cell."""
    links = np.arange(len(network.edges)).reshape(len(network.cells), -1)
    per = links.shape[1]
    return np.repeat(links, per, axis=1).reshape(-1), np.tile(links, per).reshape(-1)


def _outflow(network: Network, rate: Floats) -> Floats:
    """What leaves every node, (n,)."""
    n = len(network)
    i, j = network.edges.T
    out = np.bincount(i, rate, minlength=n) - np.bincount(j, rate, minlength=n)
    return np.asarray(out, dtype=np.float64)


def _matrix(
    network: Network, link: NDArray[np.int64], node: NDArray[np.int64], value: Floats
) -> Floats:
    """Derivative of the outflow, from those of the rates of links by values at nodes, (n, n)."""
    n = len(network)
    i, j = network.edges[link].T
    place = np.concatenate([i * n + node, j * n + node])
    found = np.bincount(place, np.concatenate([value, -value]), minlength=n * n)
    return np.asarray(found.reshape(n, n))


def initial_fill(network: Network, filled: float | None) -> Floats:
    """Share of every control area within a depth, (n,); hat functions are cut where they are.

    Args:
        network: The film.
        filled: Depth up to which there is lithium [m]; None: everywhere.
    """
    n = len(network)
    if filled is None:
        return np.ones(n)
    if len(network.triangles):
        from ssbmech.filament.surface import share_below

        return share_below(network.points, network.triangles, network.depth, filled)
    inside, whole = np.zeros(n), np.zeros(n)
    for node, other in (network.edges.T, network.edges.T[::-1]):
        a, b = network.depth[node], network.depth[other]
        run = np.where(a == b, 1.0, b - a)
        cut = np.where(a == b, np.where(a < filled, 1.0, 0.0), np.clip((filled - a) / run, 0, 1))
        # the hat of `node` is 1 - t along the edge; the filled part is t < cut, or t > cut
        below = cut - cut**2 / 2
        measure = network.width * network.length
        np.add.at(inside, node, measure * np.where(a <= b, below, 0.5 - below))
        np.add.at(whole, node, measure * 0.5)
    return inside / np.where(whole > 0, whole, 1.0)
