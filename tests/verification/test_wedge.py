"""F11: a rigid wedge behind the tip of a long crack."""

import math

import pytest
from ssbmech.config_load import case_from
from ssbmech.run import compute

pytestmark = pytest.mark.verification

E, NU = 150e9, 0.26
ELL, H = 10e-6, 0.02e-6  # end of the wedge behind the tip, full thickness [m]
#: Rings between the tip and the end of the wedge, which is a singular point of its own.
RINGS = ["3 um", "5 um", "7 um", "9 um"]


def wedge(half_height_um, rings=RINGS, **mesh):
    fracture = {"rings": rings, "energy_check": True} if rings else {}
    return compute(
        case_from(
            {
                "geometry": {
                    "type": "strip", "length": f"{2 * half_height_um} um",
                    "crack": f"{half_height_um} um", "ell": f"{ELL * 1e6} um",
                    "height": f"{half_height_um} um", "quarter_point": True, **mesh,
                },
                "materials": {"electrolyte": {"E": f"{E} Pa", "nu": NU}},
                "constraint": [{"group": "wedge_contact", "u": {"y": f"{H / 2} m"}}],
                "fracture": fracture,
            }
        )
    )  # fmt: skip


def reference():
    """K = E' h/(2 sqrt(2 pi l)), semi-infinite crack, frictionless wedge of full thickness h."""
    return E / (1 - NU**2) * H / (2 * math.sqrt(2 * math.pi * ELL))


def start(page, part):
    return page(
        "F11",
        "Rigid wedge in a long crack",
        problem="Semi-infinite crack held open by the full thickness h up to l behind its tip",
        reference="K = E' h/(2 sqrt(2 pi l))",
        part=part,
    )


#: verification.md allows 1 %; this body and mesh leave 0.06 %, so a fifth of that is asked for.
TOLERANCE = 2e-3


def test_F11_wedge(page):
    # a body of 200 l around tip and contact; from 20 l to 200 l K moves by 0.10 %, from 200 l to
    # 2000 l by 0.001 %, so what is left of the outer boundary is below a hundredth of the tolerance
    result = wedge(2000)
    front = result.fronts[0]
    check = start(page, "K, J and energy release")
    why = "1 % in verification.md; the body of 200 l is worth 0.001 %"
    check.within("K_I", front.values["K_I"], reference(), TOLERANCE, unit="Pa m^0.5", why=why)
    assert not any(ring.refused for ring in front.rings)
    assert front.spread < 1e-4
    # J by its own integral, and the energy released when the tip moves and the wedge does not
    G = reference() ** 2 * (1 - NU**2) / E
    why = "twice that of K"
    check.within("J", front.values["J"], G, 2 * TOLERANCE, unit="J/m^2", why=why)
    check.within("G by extension", result.checks[0].G, G, 2 * TOLERANCE, unit="J/m^2", why=why)


def test_F11_on_neighbouring_meshes(page):
    """No size is tuned against the answer: it holds on meshes 20 % finer and coarser."""
    check = start(page, "neighbouring meshes")
    sizes = [0.08, 0.1, 0.12]
    found = [wedge(2000, h_tip=f"{h} um").fronts[0].values["K_I"][0] for h in sizes]
    check.within("K_I", found, reference(), TOLERANCE, unit="Pa m^0.5", why="as above")


def test_F11_with_chosen_rings():
    front = wedge(2000, rings=None).fronts[0]
    assert front.values["K_I"][0] == pytest.approx(reference(), rel=1e-2)
    assert front.consistency < 1e-2
