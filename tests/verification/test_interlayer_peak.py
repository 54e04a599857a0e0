"""F12: the largest stress at a half-round protrusion through or under an interlayer."""

import numpy as np
import pytest
from ssbmech.config_load import case_from
from ssbmech.fracture.probe import stress_at
from ssbmech.run import compute

pytestmark = pytest.mark.verification

#: Half circle in the edge of a half-plane under tension along the edge (Maunsell 1936).
NOTCH = 3.065
RADIUS, WIDTH = 1.0, 200.0  # um
E, NU = 150e9, 0.26
STRAIN = 1e-4


def case(interlayer, h, degree=2):
    """Half of the body, stretched along the interface; lithium is next to nothing."""
    ceramic = {"E": f"{E} Pa", "nu": NU}
    pierced = interlayer < RADIUS
    return case_from(
        {
            "geometry": {
                "type": "cell", "width": f"{WIDTH} um", "electrolyte": "100 um",
                "lithium": "5 um", "interlayer": f"{interlayer} um", "symmetry": "x",
                "h": f"{h} um",
                "protrusion": [{"height": f"{RADIUS} um", "radius": f"{RADIUS} um",
                                "filled": 0.0}],
            },
            "materials": {"electrolyte": ceramic, "interlayer": ceramic,
                          "lithium": {"E": "1 Pa", "nu": 0.3}},
            "constraint": [{"group": "right", "u": {"x": f"{STRAIN * WIDTH / 2} um"}}],
            "fracture": {"maximum": ["void_sse" if pierced else "void_interlayer"]},
            "solver": {"degree": degree},
        }
    )  # fmt: skip


@pytest.mark.parametrize("interlayer", [0.5, 4.0], ids=["through", "under"])
def test_half_circle(page, interlayer):
    """An interlayer like the electrolyte is none, whether the tip is in the one or the other."""
    check = page(
        "F12", "Peak stress of a blunt filament", part=f"protrusion, interlayer of {interlayer} um",
        problem="half-round protrusion of 1 um through or under an interlayer like the "
        "electrolyte, in a body 200 um wide and 100 um thick that is stretched along the interface",
        reference="half circle in the edge of a half-plane under tension: 3.065 (Maunsell 1936)",
    )  # fmt: skip
    result = compute(case(interlayer, 0.05))
    (found,) = result.summary["peaks"]
    far = STRAIN * E / (1 - NU**2) / 1e6
    why = "width and thickness of the body: (1/100)^2; elements of 0.05 um"
    check.within("peak over tension", found["max_principal"]["value"] / far, NOTCH, 1e-3, why=why)
    assert found["error_estimate"]["value"] < 1e-2 * NOTCH * far
    # the map of the case reads the tip at a point, which is where this peak is
    tip = np.array([[0.0, RADIUS - interlayer, 0.0]])
    assert np.allclose(found["point_um"], tip[0], atol=0.06)
    finer = compute(case(interlayer, 0.05, degree=3))
    sigma = stress_at(finer.solution, tip * 1e-6 / finer.domain.length)[0]
    at_tip = np.linalg.eigvalsh(sigma)[-1] / 1e6
    check.within("stress at the tip over tension", at_tip / far, NOTCH, 1e-3, why=why)
