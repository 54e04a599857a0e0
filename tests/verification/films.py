"""Films for the checks of the thin-filament model: on a condensed mesh, and made by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from checks import NU, A, E
from mpi4py import MPI
from ssbmech import build
from ssbmech.config_load import case_from
from ssbmech.filament.elastic import Condensed, condense
from ssbmech.filament.film import Network, SlitFlow
from ssbmech.filament.problem import Elastic, Electric, FilamentProblem, Surface
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.mesh_stage import make_domain

#: RT/F at 298.15 K [V].
U = 8.31446261815324 * 298.15 / FARADAY
V_F = LITHIUM_MOLAR_VOLUME / FARADAY
#: Creep of bulk lithium at 298 K (Norton, library) [Pa^-n/s].
LITHIUM = SlitFlow(6.7e-3 * 1e6**-6.6, 6.6)

GRIFFITH = {
    "type": "griffith",
    "a": f"{A} m",
    "half_width": "2000 um",
    "symmetry": "xy",
    "quarter_point": True,
    "growth": 0.1,
}


@cache
def _body(geometry: tuple[tuple[str, Any], ...]) -> Condensed:
    data = {
        "materials": {"electrolyte": {"E": f"{E} Pa", "nu": NU}},
        "geometry": dict(geometry),
    }
    case = case_from(data)
    domain, meshed = make_domain(case, Path(), MPI.COMM_WORLD, None, lambda text: None)
    problem = build.problem(case, meshed.setup, meshed.matter, domain)
    faces = tuple(dict.fromkeys(f for c in meshed.setup.cracks for f in c.faces))
    return condense(problem, faces, meshed.setup.cracks)


def body(**geometry: Any) -> Condensed:
    """The quarter of a Griffith crack of half-length A, condensed; one solve per geometry."""
    return _body(tuple({**GRIFFITH, **geometry}.items()))


def faces_alone(n: int, resistance: float = 1e-3, **more: Any) -> Electric:
    """Every node of a film plates, with linear kinetics and no resistance of the electrolyte."""
    surface = Surface("faces", "linear", U / resistance, resistance)
    given = {"area": np.ones(n), **more}
    return Electric(
        resistance=np.zeros((n, n)),
        film=np.arange(n),
        surface=np.zeros(n, np.int64),
        surfaces=(surface,),
        shift=np.zeros(n),
        counter_area=float(np.sum(given["area"])),
        voltage=U,
        **given,
    )


def cracked(condensed: Condensed, resistance: float = 1e-3, **more: Any) -> FilamentProblem:
    """Lithium in a condensed crack, without any resistance but that of its faces."""
    network = condensed.order.network
    electric = faces_alone(len(network), resistance, area=network.area)
    given = {"thickness": 1e-9, "sides": condensed.sides, **more}
    return FilamentProblem(network, condensed.elastic, electric, **given)


def rigid(n: int, length: float, thickness: float, **more: Any) -> FilamentProblem:
    """A straight film between walls that (almost) do not give way, n edges, mouth at s = 0."""
    s = np.linspace(0.0, length, n + 1)
    h = length / n
    area = np.full(n + 1, h)
    area[[0, -1]] /= 2
    nodes = np.arange(n + 1)
    network = Network(
        points=np.stack([s, 0 * s, 0 * s], axis=1),
        s=s,
        depth=s,
        area=area,
        edges=np.stack([nodes[:-1], nodes[1:]], axis=1),
        length=np.full(n, h),
        width=np.ones(n),
        mouth=np.array([0]),
    )
    stiff = np.eye(n + 1) * 1e-9 * thickness / 1e6  # 1e-9 of the thickness under 1 MPa
    elastic = Elastic(
        stiff, np.zeros(n + 1), {"K_I": np.zeros((1, n + 1))}, {"K_I": np.zeros(1)}, ("tip",)
    )
    electric = more.pop("electric", None) or faces_alone(n + 1, area=area)
    given = {"stress_volume": 0.0, **more}
    return replace(FilamentProblem(network, elastic, electric, thickness), **given)
