"""A film on a half space with a channel crack: the energy that it sets free, by finite elements.

Far behind the tip of a channel every slice is the plane problem of a film cracked through, far
ahead that of one that is whole. What the channel sets free per length is the difference of their
energies, by superposition half of the work of the film's stress on the opening of the crack, so
that Z = G E'/(sigma^2 h) needs no field at a tip. Half of the body is meshed, the film's section
is loaded by the stress as a pressure, and the planes of symmetry slide.
"""

from __future__ import annotations

import numpy as np
from bodies import block, material, pressure
from mpi4py import MPI
from ssbmech.domain import distribute
from ssbmech.formula import Formula
from ssbmech.meshes.data import MeshData
from ssbmech.problem import Constraint, Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem

H = 1e-6  # thickness of the film [m]


def graded(smallest, largest, ratio):
    """Places from 0 to ``largest``, the first step ``smallest``, each ``ratio`` times the last."""
    n = int(np.ceil(np.log1p(largest * (ratio - 1) / smallest) / np.log(ratio)))
    x = smallest * (ratio ** np.arange(n + 1) - 1) / (ratio - 1)
    return x * largest / x[-1]


def Z(E_film, nu_film, E_base, nu_base, *, extent=1000.0, smallest=2e-3, ratio=1.25, period=None):
    """Z of a channel crack; of an array of them with a period [film thicknesses] where given.

    Args:
        E_film: [Pa].
        nu_film: Poisson's ratio.
        E_base: Of the half space [Pa].
        nu_base: Its Poisson's ratio.
        extent: Width and depth of what is meshed, in film thicknesses.
        smallest: Cell at the crack's end, likewise.
        ratio: From a cell to the next.
        period: Between cracks of an array that all run at once.
    """
    x = graded(smallest, extent if period is None else period / 2, ratio)
    down = -graded(smallest, extent, ratio)[::-1]
    half = graded(smallest, 0.5, ratio)
    up = np.concatenate([half, (1.0 - half[::-1])[1:]])
    y = np.concatenate([down[:-1], up])
    data = block(
        len(x) - 1, len(y) - 1, x=x / x[-1], y=(y - y[0]) / (y[-1] - y[0]),
        place=lambda p: np.column_stack([p[:, 0] * x[-1], y[0] + p[:, 1] * (y[-1] - y[0])]),
        group=lambda c: (y[0] + c[:, 1] * (y[-1] - y[0]) > 0.0), names=("base", "film"),
    )  # fmt: skip
    domain = distribute(MPI.COMM_WORLD, _cracked(data), length=H)
    s = 1e8
    zero = Formula.constant(0.0, "length")
    problem = Problem(
        domain, "plane_strain",
        {"film": material(E_film, nu_film), "base": material(E_base, nu_base)},
        loads=(SurfaceLoad("crack", pressure=pressure(s)),),
        constraints=(Constraint("left", {0: zero}), Constraint("right", {0: zero}),
                     Constraint("bottom", {1: zero})),
    )  # fmt: skip
    energy = 2.0 * ElasticSystem(problem).solve().strain_energy  # both halves [J/m]
    return energy / H * (E_film / (1 - nu_film**2)) / (s**2 * H)


def _cracked(data: MeshData) -> MeshData:
    """The left side of the film as a facet group of its own."""
    tags, groups = data.facet_tags.copy(), dict(data.facet_groups)
    middle = data.points[data.facets].mean(axis=1)
    groups["crack"] = max(groups.values()) + 1
    tags[(tags == groups["left"]) & (middle[:, 1] > 0.0)] = groups["crack"]
    return MeshData(
        2, 1, data.points, data.cells, data.cell_tags, data.facets, tags, data.cell_groups, groups
    )
