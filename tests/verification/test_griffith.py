"""Line crack of half-length a in an infinite body, plane strain: F1, F5, F6, F10."""

from __future__ import annotations

from math import acos, asin, cos, pi, radians, sin, sqrt

import numpy as np
import pytest
from checks import E_PRIME, K0, NU, A, E, P, opening, ring_lines, solve, value

pytestmark = pytest.mark.verification

# Half-width 200 a: the free box changes K by 0.003 %, below a tenth of every tolerance here.
CRACK = {"type": "griffith", "half_width": "2000 um", "quarter_point": True}
SHARE = {None: 1, "y": 2, "xy": 4}  # how many of what is meshed make the whole body


def _page(page, part):
    return page(
        "F1",
        "Griffith crack under internal pressure",
        problem="A crack of half-length a = 10 um in an infinite body in plane strain "
        f"(E = {E / 1e9:g} GPa, nu = {NU:g}), pressure p = {P / 1e6:g} MPa on its faces. The body "
        "is a square of half-width 200 a with free sides, which changes K by 0.003 %.",
        reference="K_I = p sqrt(pi a); opening (4p/E') sqrt(a^2 - x^2); opened area "
        "2 pi p a^2/E'; G = K^2/E'; T = -p. Griffith (1921), Sneddon & Lowengrub (1969).",
        part=part,
    )


@pytest.mark.parametrize("symmetry", [None, "y", "xy"])
def test_griffith_crack(page, symmetry):
    check = _page(page, {None: "whole body", "y": "upper half", "xy": "quarter"}[symmetry])
    geometry = CRACK if symmetry is None else {**CRACK, "symmetry": symmetry}
    result = solve(geometry, fracture={"energy_check": True})
    fronts = result.fronts
    assert len(fronts) == (1 if symmetry == "xy" else 2)

    K = [value(result, "K_I", i) / 1e6 for i in range(len(fronts))]
    why = "the error of a P2 mesh of a few thousand unknowns with quarter points"
    check.within("K_I", K, K0 / 1e6, 1e-3, unit="MPa m^0.5", why=why)
    K_II = [value(result, "K_II", i) / 1e6 for i in range(len(fronts))]
    check.within("K_II", K_II, 0.0, 1e-3, unit="MPa m^0.5", scale=K0 / 1e6, why="as K_I")
    J = [value(result, "J", i) for i in range(len(fronts))]
    check.within("J", J, K0**2 / E_PRIME, 2e-3, unit="J/m^2", why="twice that of K")
    T = [value(result, "T_stress", i) / 1e6 for i in range(len(fronts))]
    check.within("T-stress", T, -P / 1e6, 1e-2, unit="MPa", why="a higher term of the field")
    area = SHARE[symmetry] * result.solution.load_work / P
    check.within(
        "opened area", area * 1e12, 2 * pi * P * A**2 / E_PRIME * 1e12, 5e-3, unit="um^2",
        why="energy error of the mesh at the tip",
    )  # fmt: skip
    G = [c.G for c in result.checks]
    check.within(
        "G by virtual extension against J", G, J, 2e-3, unit="J/m^2",
        why="twice the error of K; no domain integral enters G",
    )  # fmt: skip
    check.within(
        "spread of the rings", max(f.spread for f in fronts), 0.0, 1e-3, scale=1.0,
        why="rings are path independent to the error of K",
    )  # fmt: skip
    check.within(
        "J against (K_I^2 + K_II^2)/E'", max(f.consistency for f in fronts), 0.0, 2e-3, scale=1.0,
        why="twice that of K",
    )  # fmt: skip
    if symmetry is None:
        x, d = opening(result, "crack_lower", "crack_upper")
        exact = 4 * P / E_PRIME * np.sqrt(np.maximum(A**2 - x[:, 0] ** 2, 0))
        check.within("opening", d * 1e9, exact * 1e9, 1e-2, unit="nm", why="of that at the centre")
        line = np.linspace(-A, A, 201)
        check.plot(
            "x [um]", "opening [nm]",
            {
                "computed": (x[:, 0] * 1e6, d * 1e9),
                "exact": (line * 1e6, 4e9 * P / E_PRIME * np.sqrt(np.maximum(A**2 - line**2, 0))),
            },
        )  # fmt: skip
        r, rings = ring_lines(result)
        check.plot(
            "outer radius of the ring [um]", "K_I/(p sqrt(pi a))",
            {"computed": (r, rings / K0), "exact": ([0, r.max()], [1, 1])},
        )  # fmt: skip


@pytest.mark.parametrize("h_tip", ["0.08 um", "0.12 um"])
def test_griffith_crack_on_neighbouring_meshes(page, h_tip):
    check = _page(page, f"quarter, size at the tip {h_tip} instead of 0.1 um")
    result = solve({**CRACK, "symmetry": "xy", "h_tip": h_tip, "growth": 0.36})
    check.within(
        "K_I", value(result, "K_I") / 1e6, K0 / 1e6, 1e-3, unit="MPa m^0.5",
        why="mesh 20 % finer or coarser, growth 20 % faster",
    )  # fmt: skip


def test_griffith_crack_without_quarter_points(page):
    check = _page(page, "quarter, ordinary second-order elements at the tip")
    result = solve({**CRACK, "symmetry": "xy", "quarter_point": False})
    check.within(
        "K_I", value(result, "K_I") / 1e6, K0 / 1e6, 1e-3, unit="MPa m^0.5", why="as above"
    )
    check.within("T-stress", value(result, "T_stress") / 1e6, -P / 1e6, 1e-2, unit="MPa", why="")


def test_griffith_crack_in_plane_stress(page):
    check = _page(page, "plane stress: E in place of E'")
    result = solve({**CRACK, "symmetry": "xy", "model": "plane_stress"})
    check.within("K_I", value(result, "K_I") / 1e6, K0 / 1e6, 1e-3, unit="MPa m^0.5", why="")
    check.within("J", value(result, "J"), K0**2 / E, 2e-3, unit="J/m^2", why="twice that of K")
    area = 4 * result.solution.load_work / P * 1e12
    check.within("opened area", area, 2 * pi * P * A**2 / E * 1e12, 5e-3, unit="um^2", why="")
    check.within("T-stress", value(result, "T_stress") / 1e6, -P / 1e6, 1e-2, unit="MPa", why="")


@pytest.mark.parametrize("symmetry", [None, "xy"])
def test_superposition_on_the_griffith_crack(page, symmetry):
    check = page(
        "F5",
        "Superposition: face pressure against remote tension",
        problem="The same mesh, once with the pressure p on the crack's faces and once with the "
        "tension p on the far sides. The two differ by a uniform uniaxial stress, which opens "
        "nothing, so K, J and T agree in any body, finite or not. This isolates the terms of "
        "face traction in the domain integrals.",
        reference="K_I, J and T of the two runs are equal.",
        part=f"Griffith crack, {'quarter' if symmetry else 'whole body'}",
    )
    geometry = CRACK if symmetry is None else {**CRACK, "symmetry": symmetry}
    ends = [{"group": "top", "traction": {"y": f"{P} Pa"}}]
    if symmetry is None:
        ends.append({"group": "bottom", "traction": {"y": f"{-P} Pa"}})
    faces, remote = solve(geometry), solve(geometry, load=ends)
    for name, unit, size in (
        ("K_I", "MPa m^0.5", 1e6),
        ("J", "J/m^2", 1),
        ("T_stress", "MPa", 1e6),
    ):
        check.within(
            name, value(faces, name) / size, value(remote, name) / size, 1e-3, unit=unit,
            why="the same mesh error in both; what remains are the face terms",
        )  # fmt: skip


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
def test_partial_fill(page, share):
    check = page(
        "F6",
        "Griffith crack filled in part",
        problem=f"A crack of half-length a = 10 um, pressure p = {P / 1e6:g} MPa on the part "
        "|x| < b only (lithium in the middle), or on b < |x| < a only (lithium at the tips). A "
        "quarter of a square of half-width 200 a.",
        reference="K_I = 2p sqrt(a/pi) asin(b/a); pressure on the rest: 2p sqrt(a/pi) acos(b/a).",
        part=f"b = {share:g} a",
    )
    geometry = {**CRACK, "symmetry": "xy", "filled": f"{share * A} m"}
    size = 2 * P * sqrt(A / pi) / 1e6
    why = "K to 0.1 % plus the change of load at b"
    inner = solve(geometry)
    check.within(
        "K_I, middle filled", value(inner, "K_I") / 1e6, size * asin(share), 3e-3,
        unit="MPa m^0.5", why=why,
    )  # fmt: skip
    outer = solve(geometry, load=[{"group": "crack_upper_dry", "pressure": f"{P} Pa"}])
    check.within(
        "K_I, tips filled", value(outer, "K_I") / 1e6, size * acos(share), 3e-3,
        unit="MPa m^0.5", why=why,
    )  # fmt: skip
    for result in (inner, outer):
        assert result.fronts[0].spread < 1e-3
        assert result.fronts[0].consistency < 3e-3


def test_partial_fill_of_the_whole_body(page):
    check = page("F6", "Griffith crack filled in part", part="b = a/2, whole body, both tips")
    result = solve({**CRACK, "filled": f"{A / 2} m"})
    K = [value(result, "K_I", i) / 1e6 for i in (0, 1)]
    exact = 2 * P * sqrt(A / pi) * asin(0.5) / 1e6
    check.within("K_I, middle filled", K, exact, 3e-3, unit="MPa m^0.5", why="as the quarter")


STRESS = 80e6


def _inclined(beta, **geometry):
    """Compression STRESS along x, pressure P in a crack at an angle to x."""
    faces = [{"group": f"crack_{side}", "pressure": f"{P} Pa"} for side in ("lower", "upper")]
    sides = [{"group": side, "pressure": f"{STRESS} Pa"} for side in ("left", "right")]
    return solve({**CRACK, "angle": f"{beta} deg", **geometry}, load=faces + sides)


def _page_inclined(page, part):
    return page(
        "F10",
        "Inclined crack under compression, filled",
        problem=f"A crack of half-length a = 10 um at the angle beta to a compression S = "
        f"{STRESS / 1e6:g} MPa in the plane, with the pressure p = {P / 1e6:g} MPa on its faces. A "
        "square of half-width 200 a.",
        reference="K_I = (p - S sin^2 beta) sqrt(pi a), K_II = S sin beta cos beta sqrt(pi a), "
        "T = -p + S (sin^2 beta - cos^2 beta).",
        part=part,
    )


@pytest.mark.parametrize("beta", [-30, 0, 30, 45, 75, 90])
def test_inclined_crack(page, beta):
    check = _page_inclined(page, f"beta = {beta} degrees")
    result = _inclined(beta)
    b = radians(beta)
    K_I = (P - STRESS * sin(b) ** 2) * sqrt(pi * A) / 1e6
    K_II = STRESS * sin(b) * cos(b) * sqrt(pi * A) / 1e6
    names = [f.name for f in result.fronts]
    found = {k: [value(result, k, i) / 1e6 for i in (0, 1)] for k in ("K_I", "K_II")}
    why = "of p sqrt(pi a), the size of what is added up"
    size = K0 / 1e6
    check.within("K_I", found["K_I"], K_I, 5e-3, unit="MPa m^0.5", scale=size, why=why)
    # e2 points from the lower to the upper face at both tips, so e1, and K_II, turn with the tip.
    sign = np.array([-1 if name == "tip_left" else 1 for name in names])
    check.within("K_II", found["K_II"], sign * K_II, 5e-3, unit="MPa m^0.5", scale=size, why=why)
    check.note("The local frame has e2 towards the upper face and e1 ahead: K_II changes its sign "
               "from the right tip to the left one.") if beta == 30 else None  # fmt: skip
    J = [value(result, "J", i) for i in (0, 1)]
    check.within("J", J, (K_I**2 + K_II**2) * 1e12 / E_PRIME, 1e-2, unit="J/m^2", why="twice K")


@pytest.mark.parametrize(
    ("beta", "quarter_point"),
    [
        (45, True),
        (30, False),
        (30, True),
    ],
)
def test_t_stress_of_an_inclined_crack(page, beta, quarter_point):
    kind = "quarter points" if quarter_point else "ordinary elements at the tip"
    check = _page_inclined(page, f"beta = {beta} degrees, {kind}")
    result = _inclined(beta, quarter_point=quarter_point)
    b = radians(beta)
    T = (-P + STRESS * (sin(b) ** 2 - cos(b) ** 2)) / 1e6
    found = [value(result, "T_stress", i) / 1e6 for i in (0, 1)]
    check.within("T-stress", found, T, 1e-2, unit="MPa", scale=P / 1e6, why="as F1")
