"""The film as a network of nodes and edges, and the flow of creeping lithium along its edges.

Only areas, widths and lengths enter, so that a slit and a penny are alike.

Flow of a power-law metal, eps_dot = B sigma^n, between two walls 2 H apart under the gradient g of
pressure (Poiseuille flow; equivalent stress and rate of simple shear):

    q = 2 A_s g^n H^(n+2)/(n + 2),    A_s = 3^((n+1)/2) B    [m^2/s per metre of width].
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Network:
    """Nodes of the faces with their control areas, and the edges between neighbours.

    Attributes:
        points: Positions [m], shape (n, 3), in an order that no number of ranks changes.
        s: Arc length along the film from its mouth or its first node [m], shape (n,); of a film
            that branches its depth.
        depth: How far from the mouth, or from the middle of a film without one, along the film [m],
            shape (n,): the largest distance to the front minus the distance to it.
        area: Control areas of one face [m^2, or m^2 per m of thickness], shape (n,).
        edges: Pairs of nodes, shape (k, 2).
        length: Of the edges [m], shape (k,).
        width: Of the edges [m, or m per m of thickness], shape (k,).
        mouth: Nodes at the mouth, shape (m,); empty where the film has none.
    """

    points: Floats
    s: Floats
    depth: Floats
    area: Floats
    edges: NDArray[np.int64]
    length: Floats
    width: Floats
    mouth: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.area)

    def scaled(self, factor: float, plane: bool) -> Network:
        """The film of a body that is larger by a factor; ``plane``: per metre of thickness."""
        return replace(
            self,
            points=self.points * factor,
            s=self.s * factor,
            depth=self.depth * factor,
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

    def flux(self, gradient: Floats, half: Floats) -> Floats:
        """Flow per width down a gradient of pressure [m^2/s].

        Args:
            gradient: Size and sign of the gradient [Pa/m].
            half: Half the distance H of the walls [m].
        """
        n = self.n
        # B^(1/n) joins g H before the power is taken: the parts alone leave the range of floats
        shear = self._root * np.abs(gradient) * half
        return np.sign(gradient) * 2 / (n + 2) * shear**n * half**2

    def slopes(self, gradient: Floats, half: Floats) -> tuple[Floats, Floats]:
        """Derivatives of `flux` by the gradient and by H; 0 where there is no gradient.

        The first is regular at no gradient for every n >= 1: a film of which the pressure is
        uniform needs no other regularisation.
        """
        n = self.n
        shear = self._root * np.abs(gradient) * half
        by_gradient = 2 * n / (n + 2) * shear ** (n - 1) * self._root * half**3
        by_half = np.sign(gradient) * 2 * shear**n * half
        return by_gradient, by_half

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
        rate: Along the edges, from their first node to the second [m^3/s, m^2/s per m], (k,).
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
    """Flow along all edges.

    The film is as thick as the mean opening of an edge, times the share of it that the node
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
    zero = np.zeros((n, n))
    if law is None or not len(network.edges):
        return Flow(np.zeros(len(network.edges)), np.zeros(n), zero, zero, zero)
    i, j = network.edges.T
    gradient = (p[i] - p[j]) / network.length
    up = np.where(gradient >= 0, i, j)
    mean = np.maximum(w[i] + w[j], 0.0) / 2
    half = fill[up] * mean / 2
    rate = network.width * law.flux(gradient, half)
    by_gradient, by_half = law.slopes(gradient, half)
    by_gradient, by_half = network.width * by_gradient, network.width * by_half
    edge = np.arange(len(i))
    d_p, d_w, d_f = np.zeros((3, len(i), n))
    d_p[edge, i] += by_gradient / network.length
    d_p[edge, j] -= by_gradient / network.length
    d_w[edge, i] += by_half * fill[up] / 4
    d_w[edge, j] += by_half * fill[up] / 4
    d_f[edge, up] += by_half * mean / 2
    out = np.zeros((n, len(i)))
    out[i, edge], out[j, edge] = 1.0, -1.0
    return Flow(rate, out @ rate, out @ d_p, out @ d_w, out @ d_f)


def initial_fill(network: Network, filled: float | None) -> Floats:
    """Share of every control area within a depth, (n,); hat functions are cut where they are.

    Args:
        network: The film.
        filled: Depth up to which there is lithium [m]; None: everywhere.
    """
    n = len(network)
    if filled is None:
        return np.ones(n)
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
