"""Edge crack in a half-plane (F2) and in a plate under tension (F9), plane strain."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from checks import E_PRIME, K0, A, P, face, opening, solve, value

pytestmark = pytest.mark.verification

# Width 200 a, height 400 a: doubling both changes K by 0.014 %, below a tenth of 0.3 %.
CRACK = {
    "type": "edge",
    "width": "2000 um",
    "height": "4000 um",
    "quarter_point": True,
}


def _page(page, part):
    return page(
        "F2",
        "Edge crack in a half-plane under internal pressure",
        problem=f"A crack of length a = 10 um from the free surface, pressure p = {P / 1e6:g} MPa "
        "on its faces, plane strain. The body is 200 a wide and 400 a high; doubling both changes "
        "K by 0.014 %.",
        reference="K_I = 1.1215 p sqrt(pi a); mouth opening 5.816 p a/E'; opened area "
        "1.258 pi p a^2/E' (Tada, Paris & Irwin, handbook).",
        part=part,
    )


@pytest.mark.parametrize(("symmetry", "h_tip"), [("y", 0.08), ("y", 0.1), ("y", 0.12), (None, 0.1)])
def test_edge_crack(page, symmetry, h_tip):
    check = _page(page, f"{'upper half' if symmetry else 'whole body'}, size at the tip {h_tip} um")
    geometry = {**CRACK, "h_tip": f"{h_tip} um"}
    if symmetry:
        geometry["symmetry"] = symmetry
    result = solve(geometry, fracture={"energy_check": True})
    why = "digits of the reference, box and mesh"
    K = value(result, "K_I")
    check.within("K_I", K / 1e6, 1.1215 * K0 / 1e6, 3e-3, unit="MPa m^0.5", why=why)
    if symmetry:
        x, u = face(result, "crack_upper")
        d = 2 * u[:, 1]
    else:
        x, d = opening(result, "crack_lower", "crack_upper")
    assert x[0, 0] == 0.0
    mouth = 5.816 * P * A / E_PRIME
    check.within("mouth opening", d[0] * 1e9, mouth * 1e9, 3e-3, unit="nm", why=why)
    area = (2 if symmetry else 1) * result.solution.load_work / P
    exact = 1.258 * pi * P * A**2 / E_PRIME
    check.within("opened area", area * 1e12, exact * 1e12, 3e-3, unit="um^2", why=why)
    J = value(result, "J")
    check.within("J", J, (1.1215 * K0) ** 2 / E_PRIME, 6e-3, unit="J/m^2", why="twice that of K")
    check.within(
        "G by virtual extension against J", result.checks[0].G, J, 2e-3, unit="J/m^2",
        why="twice the mesh error of K",
    )  # fmt: skip
    assert result.fronts[0].spread < 1e-3
    assert result.fronts[0].consistency < 2e-3
    if symmetry and h_tip == 0.1:
        near = 4 * K / E_PRIME * np.sqrt(2 * np.maximum(A - x[:, 0], 0) / pi)
        check.plot(
            "x [um]", "opening [nm]",
            {
                "computed": (x[:, 0] * 1e6, d * 1e9),
                "first term at the tip": (x[:, 0] * 1e6, near * 1e9),
                "exact": ([0.0], [mouth * 1e9]),
            },
        )  # fmt: skip


def test_superposition_on_the_edge_crack(page):
    check = page(
        "F5", "Superposition: face pressure against remote tension", part="edge crack, upper half"
    )
    geometry = {**CRACK, "symmetry": "y"}
    faces = solve(geometry)
    remote = solve(geometry, load=[{"group": "top", "traction": {"y": f"{P} Pa"}}])
    for name, unit, size in (
        ("K_I", "MPa m^0.5", 1e6),
        ("J", "J/m^2", 1),
        ("T_stress", "MPa", 1e6),
    ):
        check.within(
            name, value(faces, name) / size, value(remote, name) / size, 1e-3, unit=unit,
            why="the same mesh error in both; what remains are the face terms",
        )  # fmt: skip


def _plate(height, **more):
    return solve(
        {
            "type": "edge",
            "a": "0.1 m",
            "width": "1 m",
            "height": f"{height} m",
            "symmetry": "y",
            "quarter_point": True,
        },
        materials={"electrolyte": {"E": "2.1e5 MPa", "nu": 0.3}},
        load=[{"group": "top", "traction": {"y": "10 MPa"}}],
        **more,
    )


def _page_plate(page, part):
    return page(
        "F9",
        "Edge-cracked plate under tension",
        problem="Plate of height 2 m (whole) and width 1 m with an edge crack of 0.1 m at half "
        "height, tension 10 MPa on its ends, E = 2.1e5 MPa, nu = 0.3, plane strain (code_aster "
        "v3.02.111).",
        reference="code_aster: K_I = 6.646 MPa m^0.5, G = 191.4 J/m^2. Long strip, Kaya & Erdogan "
        "(1987): K_I = 1.1892 sigma sqrt(pi a) (recalled, not looked up again).",
        part=part,
    )


def test_edge_cracked_plate(page):
    check = _page_plate(page, "height 2 m")
    result = _plate(2)
    check.within(
        "K_I",
        value(result, "K_I") / 1e6,
        6.646,
        5e-3,
        unit="MPa m^0.5",
        why="digits of the reference",
    )
    assert result.fronts[0].spread < 1e-3
    check.note(
        "The height is that of the whole plate. Read as half the height the reference would be met "
        "as well (K changes by 0.02 %); a plate 1 m high has a K 3.6 % larger."
    )


@pytest.mark.xfail(
    strict=True,
    reason="191.4 J/m^2 is the square of 6.646 MPa m^0.5, which lies 0.3 % below Kaya & Erdogan; "
    "a K within 0.28 % gives a G within 0.55 %, and the tolerance stays 0.5 %",
)
def test_energy_release_of_the_edge_cracked_plate(page):
    check = _page_plate(page, "G of the same plate")
    check.note(
        "G is an expected failure: 191.4 J/m^2 is (1 - nu^2)/E times 6.646^2, and 6.646 lies 0.3 % "
        "below the integral-equation value for a long strip, with which this software agrees. The "
        "square of a K that is off by 0.28 % is off by 0.55 %."
    )
    result = _plate(2)
    check.within("J", value(result, "J"), 191.4, 5e-3, unit="J/m^2", why="as K")


def test_edge_crack_in_a_long_strip(page):
    check = _page_plate(page, "height 4 m, for the long strip")
    result = _plate(4, fracture={"energy_check": True})
    exact = 1.1892 * 10 * sqrt(pi * 0.1)
    E_plate = 2.1e11 / (1 - 0.3**2)
    why = "integral equation with five digits; mesh error of K 0.1 %"
    K = value(result, "K_I") / 1e6
    check.within("K_I", K, exact, 1e-3, unit="MPa m^0.5", why=why)
    J = value(result, "J")
    check.within("J", J, (exact * 1e6) ** 2 / E_plate, 2e-3, unit="J/m^2", why="twice that of K")
    check.within(
        "G by virtual extension against J", result.checks[0].G, J, 2e-3, unit="J/m^2",
        why="twice the mesh error of K",
    )  # fmt: skip
