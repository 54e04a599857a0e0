"""F1 and F3 inside polycrystals whose grains share one modulus; cracks along grain boundaries.

Grain boundaries are facets of the mesh and nothing else there: K must not notice them.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from checks import NU, E, P
from ssbmech.config_load import case_from
from ssbmech.run import compute

pytestmark = pytest.mark.verification

A = 1.0  # half-length or radius [um]
WHY = "the body is 20 half-lengths wide, which adds 0.35 %; grain boundaries must add nothing"


def run(geometry, **blocks):
    data = {
        "geometry": geometry,
        "materials": {"electrolyte": {"E": f"{E} Pa", "nu": NU}},
        "filament": {"pressure": f"{P} Pa"},
    }
    return compute(case_from(data | blocks))


def plane(grains, seed=1):
    geometry = {
        "type": "cell", "width": "40 um", "electrolyte": "40 um", "h_max": "4 um",
        "crack": [{"a": f"{A} um", "y": "20 um", "angle": "90 deg"}],
    }  # fmt: skip
    if grains:
        geometry["grains"] = {"size": f"{grains} um", "seed": seed}
    return run(geometry)


def start(page, part):
    return page(
        "G1",
        "Cracks in polycrystals of one modulus",
        problem=f"F1 (half-length {A:g} um) and F3 (radius {A:g} um) under internal pressure in "
        "an electrolyte made of grains that all have the same isotropic modulus",
        reference="K without grains: p sqrt(pi a), and 2p sqrt(a/pi) all along the front",
        part=part,
    )


@pytest.mark.parametrize(("grains", "seed"), [(1.5, 1), (3.0, 2), (8.0, 3)])
def test_F1_among_grains(page, grains, seed):
    check = start(page, f"F1, grains of {grains:g} um")
    bare, found = plane(None), plane(grains, seed)
    exact = P * sqrt(pi * A * 1e-6)
    K = [float(front.values["K_I"][0]) for front in found.fronts]
    without = [float(front.values["K_I"][0]) for front in bare.fronts]
    assert len(K) == 2
    check.within("K_I at both tips", K, exact, 5e-3, unit="Pa m^0.5", why=WHY)
    check.within("K_I against the same body without grains", K, without, 5e-4, unit="Pa m^0.5",
                 why="two meshes, each good to 1e-4")  # fmt: skip
    assert "grain_boundaries" in found.domain.facet_groups


@pytest.mark.long
def test_F3_among_grains(page):
    check = start(page, "F3, grains of 4 um")
    result = run(
        {
            "type": "cell", "width": "20 um", "depth": "20 um", "electrolyte": "20 um",
            "h_max": "4 um", "grains": {"size": "4 um"},
            "crack": [{"shape": "ellipse", "a": f"{A} um", "y": "10 um", "angle": "90 deg"}],
        }
    )  # fmt: skip
    K = result.fronts[0].values["K_I"]
    exact = 2 * P * sqrt(A * 1e-6 / pi)
    check.within("K_I along the front", K, exact, 5e-3, unit="Pa m^0.5",
                 why="pointwise; the body of 10 radii adds 0.10 %")  # fmt: skip
    check.within("mean of K_I", float(np.mean(K)), exact, 2e-3, unit="Pa m^0.5",
                 why="the body of 10 radii adds 0.10 %")  # fmt: skip
    check.note(f"local extensions {result.fronts[0].width * 1e6:.3g} um wide; "
               f"{result.solution.report.unknowns} unknowns")  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_energy_release_along_grain_boundaries(page, seed):
    """J at the end of a path with kinks, against the energy of two meshes."""
    check = start(page, f"path along boundaries, seed {seed}")
    result = run(
        {
            "type": "cell", "width": "60 um", "electrolyte": "40 um",
            "grains": {"size": "6 um", "seed": seed},
            "crack": [{"shape": "grain_boundary", "a": "10 um"}],
        },
        fracture={"energy_check": True},
    )  # fmt: skip
    front = result.fronts[0]
    check.within("J against G by extension", float(front.values["J"][0]), result.checks[0].G, 2e-3,
                 unit="J/m^2", why="path independent within 1e-4")  # fmt: skip
    assert all(ring.refused == "" for ring in front.rings)
