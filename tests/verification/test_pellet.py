"""The pellet: axisymmetric section against a quarter in 3-D, and both against a closed form."""

from __future__ import annotations

import pytest
from ssbmech.config_load import case_from
from ssbmech.run import compute

pytestmark = pytest.mark.verification

E, NU, STRAIN = 120e9, 0.25, 1e-3


def pressure(body, **geometry):
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "pellet", "body": body, "radius": "600 um", "thickness": "300 um",
                    "contact": "300 um", "interphase": "60 um", **geometry,
                },
                "materials": {
                    "electrolyte": {"E": f"{E} Pa", "nu": NU},
                    "interphase": {"E": "60 GPa", "nu": NU},
                },
                "eigenstrain": [{"group": "interphase", "strain": f"{STRAIN}"}],
            }
        )
    )  # fmt: skip
    return result.means


def test_section_against_quarter(page):
    check = page(
        "G2",
        "Pellet with an interphase",
        problem="A lens of interphase with a misfit under the face of a pellet, as an axisymmetric "
        "section and as a quarter in 3-D",
        reference="each other: two meshes, two formulations",
    )
    flat, solid = pressure("section"), pressure("quarter", h_max="60 um")
    why = "the quarter has two elements across the lens"
    check.within("mean pressure of the interphase", solid["interphase"], flat["interphase"], 5e-3,
                 unit="Pa", why=why)  # fmt: skip
    # force balance on any cut through the pellet does not fix the mean of the pellet: its own scale
    check.within("mean pressure of the pellet", solid["electrolyte"], flat["electrolyte"], 5e-3,
                 unit="Pa", scale=flat["interphase"], why=why)  # fmt: skip


def test_layer_thin_against_its_radius(page):
    """E4: far from its edge a thin layer on a thick pellet has the stress of a film."""
    check = page(
        "G2",
        "Pellet with an interphase",
        problem="Thin layers (1/60 and 1/120 of their radius) on a pellet ten times as thick as "
        "the layer is wide",
        reference="E4: sigma_rr = sigma_tt = -E eps/(1 - nu), sigma_yy = 0: mean pressure "
        "2 E eps/(3 (1 - nu)). The edge relaxes over about the thickness: the part of it in the "
        "mean goes with the thickness, and is taken off by extrapolation from two",
        part="thin layer",
    )
    film = 2 * 60e9 * STRAIN / (3 * (1 - NU))
    found = {}
    for t in (5.0, 2.5):
        found[t] = pressure(
            "section", shape="layer", radius="3000 um", thickness="3000 um",
            interphase=f"{t} um", h=f"{0.3 * t} um",
        )["interphase"]  # fmt: skip
    extrapolated = 2 * found[2.5] - found[5.0]
    check.within("mean pressure, thickness to 0", extrapolated, film, 5e-3, unit="Pa",
                 why="0.5 % as for E4; the edge's part goes as t with a logarithm")  # fmt: skip
    check.note(f"at 1/60 and 1/120: {found[5.0] / film - 1:+.2%} and {found[2.5] / film - 1:+.2%}")
    assert found[5.0] < found[2.5] < film
