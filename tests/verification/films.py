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
from ssbmech.filament.surface import distance, links
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
def _body(geometry: tuple[tuple[str, Any], ...], method: str = "auto") -> Condensed:
    data = {
        "solver": {"method": method},
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


def condensed(method: str = "auto", **geometry: Any) -> Condensed:
    """Any body with a crack, condensed; one set-up per geometry."""
    return _body(tuple(geometry.items()), method)


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
    return _between_walls(network, thickness, **more)


def rigid_surface(rings: int, radius: float, thickness: float, **more: Any) -> FilamentProblem:
    """A disc of unstructured triangles between such walls, its mouth the rim."""
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(7)
    at = [np.zeros((1, 2))]
    for k in range(1, rings + 1):
        count = 6 * k
        r = radius * k / rings * (1 + (rng.uniform(-0.3, 0.3, count) / k if k < rings else 0))
        turn = 2 * np.pi * (np.arange(count) + rng.uniform(-0.2, 0.2, count)) / count
        at.append(np.stack([r * np.cos(turn), r * np.sin(turn)], axis=1))
    flat = np.concatenate(at)
    points = np.column_stack([flat, np.zeros(len(flat))])
    triangles = Delaunay(flat * [1.0, 0.7]).simplices.astype(np.int64)  # obtuse ones among them
    a, b = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
    area = np.zeros(len(points))
    for corner in triangles.T:
        np.add.at(area, corner, np.linalg.norm(np.cross(a, b), axis=1) / 6)
    edges, length, width = links(points, triangles)
    mouth = np.arange(len(points) - 6 * rings, len(points))
    depth = distance(points, triangles, list(mouth))
    network = Network(
        points, depth, depth, area, edges, length, width, mouth, triangles, 0.0 * depth
    )
    return _between_walls(network, thickness, **more)


def _between_walls(network: Network, thickness: float, **more: Any) -> FilamentProblem:
    n = len(network)
    stiff = np.eye(n) * 1e-9 * thickness / 1e6  # 1e-9 of the thickness under 1 MPa
    elastic = Elastic(stiff, np.zeros(n), {"K_I": np.zeros((1, n))}, {"K_I": np.zeros(1)}, ("tip",))
    electric = more.pop("electric", None) or faces_alone(n, area=network.area)
    given = {"stress_volume": 0.0, **more}
    return replace(FilamentProblem(network, elastic, electric, thickness), **given)
