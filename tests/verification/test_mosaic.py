"""Interphases of stripes and of layers: resistance and evenness of the current at lithium.

Reference of the stripes, by separation of variables in each layer. On half a period, 0 < x < a,
good (kappa_g) for x < a/2 and poor (kappa_p) beyond, no current through x = 0 and x = a. Uniform
layers have the modes cos(k x), k = n pi/a. The striped layer has X_n with the same k:
X_n = cos(k x) where n is even, for its slope is 0 at x = a/2, and X_n = cos(k x)/kappa(x) where n
is odd, for its value is 0 there and kappa X_n' is continuous. They are orthogonal with the weight
kappa. Along y each mode is a cosh and a sinh. Potential and current density are joined at both
faces of the stripes through their coefficients in cos(k x); the only errors are those of the number
of modes.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from ssbmech.config_load import case_from
from ssbmech.run import compute

pytestmark = pytest.mark.verification

UM = 1e-6


@dataclass(frozen=True)
class Stripes:
    """A mosaic between a coat on the lithium and an electrolyte; lengths [m], conductivities [S/m].

    Attributes:
        half: Half a period.
        coat: Thickness of the coat, 0: none, and its conductivity.
        mosaic: Thickness of the stripes, conductivity of the good and of the poor ones.
        electrolyte: Thickness and conductivity.
        resistance: Of the lithium's surface [ohm m^2].
    """

    half: float
    coat: tuple[float, float]
    mosaic: tuple[float, float, float]
    electrolyte: tuple[float, float]
    resistance: float = 0.0


def cosines(n, m, low, high):
    """Integral of cos(n pi x) cos(m pi x) from low to high, for whole numbers, shape of n + m."""

    def one(k):
        k = np.asarray(k, float)
        safe = np.where(k == 0, 1.0, k) * np.pi
        return np.where(k == 0, high - low, (np.sin(safe * high) - np.sin(safe * low)) / safe)

    return (one(n - m) + one(n + m)) / 2


def solved(s, modes=800):
    """Resistance [ohm m^2], and a function that gives the current density at lithium over the mean.

    Unknowns, with a = 1 and a mean current density of 1: the coefficients 1, 2, ... of the current
    density in cos(k x) at both faces of the stripes, the mean potential of the lower face and the
    voltage. Equations: the coefficients of the potential at both faces.
    """
    a = s.half
    n = np.arange(modes)
    k = n[1:] * np.pi
    tc, kc = s.coat[0] / a, s.coat[1] / a
    tm, kg, kp = s.mosaic[0] / a, s.mosaic[1] / a, s.mosaic[2] / a
    te, ke = s.electrolyte[0] / a, s.electrolyte[1] / a
    Z = s.resistance
    # lower face: potential over current density of a cosine, current at lithium over that
    T, C = np.tanh(k * tc), np.cosh(np.minimum(k * tc, 700.0))
    below = (Z * kc * k + T) / (kc * k * (Z * kc * k * T + 1)) if tc else np.full(modes - 1, Z)
    through = 1 / (C * (Z * kc * k * T + 1))
    above = -np.tanh(k * te) / (ke * k)
    odd = (n % 2)[None, :]
    N, M = n[:, None], n[None, :]
    left, right = cosines(N, M, 0.0, 0.5), cosines(N, M, 0.5, 1.0)
    # of cos(k_n x) with X_m (modes of the current density with potentials and the other way round)
    P = np.where(odd, left / kg + right / kp, left + right)
    weight = np.diag(np.where(odd, left / kg + right / kp, left * kg + right * kp))
    share = np.where(n == 0, 1.0, 2.0)
    t = n[1:] * np.pi * tm
    own, other = 1 / (k * np.tanh(t)), 1 / (k * np.sinh(np.minimum(t, 700.0)))
    size = modes - 1
    A = np.zeros((2 * size + 2, 2 * size + 2))
    b = np.zeros(2 * size + 2)
    # amplitudes d of dX/dy from coefficients of the current density: d = (P^T q)/weight
    down = P.T / weight[:, None]
    # potential at lower and upper face, coefficients in cosines, from q1 and q2 (columns n >= 0)
    inner, cross = np.zeros((modes, modes)), np.zeros((modes, modes))
    inner[1:], cross[1:] = own[:, None] * down[1:], other[:, None] * down[1:]
    up = share[:, None] * P
    low1, low2 = up @ -inner, up @ cross
    top1, top2 = up @ -cross, up @ inner
    # the mode 0 of the stripes: c below, c + d t above, d = 1/weight_0 times the mean of 1
    linear = tm * (up[:, :1] @ down[:1])
    top1 = top1 + linear
    q1, q2, c, V = slice(0, size), slice(size, 2 * size), 2 * size, 2 * size + 1
    A[:modes, q1], A[:modes, q2] = low1[:, 1:], low2[:, 1:]
    A[1:modes, q1] -= np.diag(below)
    A[0, c] = 1.0
    base = Z + (tc / kc if tc else 0.0)
    b[:modes] = -(low1[:, 0] + low2[:, 0])
    b[0] += base
    A[modes:, q1], A[modes:, q2] = top1[:, 1:], top2[:, 1:]
    A[modes + 1 :, q2] -= np.diag(above)
    A[modes, c], A[modes, V] = 1.0, -1.0
    b[modes:] = -(top1[:, 0] + top2[:, 0])
    b[modes] -= te / ke
    found = np.linalg.solve(A, b)
    q = np.concatenate([[1.0], found[q1]]), np.concatenate([[1.0], found[q2]])

    def current(x):
        """Over the mean, at x [m]."""
        phases = np.outer(np.asarray(x, float) / a, n * np.pi)
        if tc:
            return np.cos(phases) @ (np.concatenate([[1.0], through]) * q[0])
        d1, d2 = down @ q[0], down @ q[1]
        kappa = np.where(np.asarray(x) < a / 2, kg, kp)[:, None]
        X = np.where(n % 2, np.cos(phases) / kappa, np.cos(phases))
        if Z:  # from the continuous potential of the lower face
            face = np.concatenate([[0.0], other * d2[1:] - own * d1[1:]])
            return (X @ face + found[c]) / Z
        return (kappa * X) @ d1

    return float(found[V]), current


#: Contrast of ten, a coat half as thick as a stripe, resistances like those of the case.
CASE = Stripes(2 * UM, (1 * UM, 1e-3), (0.5 * UM, 1e-3, 1e-4), (20 * UM, 0.046), 1e-4)
PIXEL = 0.125


def computed(folder, s, *, degree=3, pores=False):
    """The ``electric`` part of the summary: a period and a half of the stripes as a picture."""
    n = round(s.half / UM / PIXEL)
    stripes = np.tile(np.repeat([2, 3, 3, 2], n // 2), 2)[: 3 * n]
    layers = [(np.full(3 * n, 1), s.electrolyte[0]), (stripes, s.mosaic[0])]
    layers += [(np.full(3 * n, 4), s.coat[0])]
    rows = [np.tile(values, (round(t / UM / PIXEL), 1)) for values, t in layers]
    np.save(folder / "stripes.npy", np.concatenate(rows).astype(np.uint8))
    names = {"1": "electrolyte", "2": "good", "3": "void" if pores else "poor"}
    kappa = {"electrolyte": s.electrolyte[1], "good": s.mosaic[1]}
    if not pores:
        kappa["poor"] = s.mosaic[2]
    if s.coat[0]:
        names["4"], kappa["coat"] = "coat", s.coat[1]
    surface = {"kinetics": "none"}
    if s.resistance:
        surface = {"kinetics": "linear", "area_specific_resistance": f"{s.resistance} ohm*m^2"}
    case = {
        "geometry": {"type": "image", "file": "stripes.npy", "voxel": f"{PIXEL} um",
                     "labels": names, "smooth": 0, "h": "0.08 um", "h_max": "0.8 um"},
        "materials": dict.fromkeys(kappa, "LLZO"),
        "electrochemistry": {"degree": degree,
                             "conductivity": {g: f"{v} S/m" for g, v in kappa.items()}},
        "electrode": [
            {"group": "bottom", **surface},
            {"group": "top", "kinetics": "none", "plating_current_density": "-1 mA/cm^2"},
        ],
    }  # fmt: skip
    return compute(case_from(case), folder).summary["electric"]


def start(page, part):
    return page(
        "mosaic", "An interphase in stripes", part=part,
        problem="stripes of two conductivities between lithium, perhaps with a coat, and an "
        "electrolyte",
        reference="separation of variables in each layer, joined mode by mode (800 modes)",
    )  # fmt: skip


BODIES = {
    "coat, lithium with 1 ohm cm^2": CASE,
    "coat that conducts ten times less": replace(CASE, coat=(0.5 * UM, 1e-4), resistance=0.0),
    "no coat, lithium without resistance": replace(CASE, coat=(0.0, 1.0), resistance=0.0),
    "no coat, lithium with 5 ohm cm^2": replace(CASE, coat=(0.0, 1.0), resistance=5e-4),
}


@pytest.mark.parametrize("name", BODIES)
def test_stripes(page, tmp_path, name):
    """Resistance, largest and smallest current density at lithium."""
    s = BODIES[name]
    R, current = solved(s)
    x = np.linspace(0.0, s.half, 2001)
    profile = current(x)
    # what the number of modes still changes has to be small against the tolerances
    coarse, other = solved(s, 400)
    assert coarse == pytest.approx(R, rel=5e-5)
    assert [other(x).max(), other(x).min()] == pytest.approx(
        [profile.max(), profile.min()], rel=3e-4
    )
    check = start(page, name)
    found = computed(tmp_path, s)
    check.within(
        "resistance", found["area_specific_resistance"]["value"], R * 1e4, 2e-4, unit="ohm cm^2",
        why="potential at the corners of stripes, elements of 0.08 um and degree 3",
    )  # fmt: skip
    lithium, _ = found["electrodes"]
    for which, exact in (("largest", profile.max()), ("smallest", profile.min())):
        check.within(f"{which} over mean", lithium[which]["factor"], exact, 1e-3,
                     why="as the resistance; the modes leave 3e-4")  # fmt: skip
    if s == CASE:
        at = np.linspace(0.0, s.half, 41)
        check.plot("x [um]", "current density over mean",
                   {"reference": (at / UM, current(at))})  # fmt: skip


def test_pores(page, tmp_path):
    """Stripes that conduct nothing: pores of the layer under a coat."""
    s = replace(CASE, mosaic=(CASE.mosaic[0], CASE.mosaic[1], CASE.mosaic[1] * 1e-9))
    R, current = solved(s)
    check = start(page, "pores")
    found = computed(tmp_path, s, pores=True)
    check.within("resistance", found["area_specific_resistance"]["value"], R * 1e4, 1e-3,
                 unit="ohm cm^2", why="currents at the edges of pores go as r^(-1/3)")  # fmt: skip
    lithium, _ = found["electrodes"]
    check.within("largest over mean", lithium["largest"]["factor"], current(np.zeros(1))[0], 2e-3)
    check.within("smallest over mean", lithium["smallest"]["factor"],
                 current(np.array([s.half]))[0], 2e-3)  # fmt: skip


def test_layers_in_series(page):
    """Four layers over one another: resistances add, and the current is the same everywhere."""
    check = page(
        "mosaic", "An interphase in stripes", part="layers",
        problem="interlayer, coating and interphase on LLZO, lithium with 1 ohm cm^2",
        reference="resistances in series",
    )  # fmt: skip
    layers = {"interlayer": (0.2, 1e-6), "coating": (0.1, 1e-7), "interphase": (0.5, 1e-5),
              "electrolyte": (20.0, 4.6e-4)}  # fmt: skip
    case = {
        "geometry": {"type": "cell", "width": "4 um", "lithium": "2 um"}
        | {name: f"{t} um" for name, (t, _) in layers.items()},
        "materials": dict.fromkeys(["lithium", *layers], "LLZO"),
        "electrochemistry": {"conductivity": {n: f"{k} S/cm" for n, (_, k) in layers.items()}},
        "electrode": [
            {"group": "lithium_interlayer", "kinetics": "linear",
             "area_specific_resistance": "1 ohm*cm^2"},
            {"group": "cathode_plane", "kinetics": "none",
             "plating_current_density": "-1 mA/cm^2"},
        ],
    }  # fmt: skip
    found = compute(case_from(case)).summary["electric"]
    exact = 1.0 + sum(t * 1e-4 / k for t, k in layers.values())
    check.within("resistance", found["area_specific_resistance"]["value"], exact, 1e-8,
                 unit="ohm cm^2", why="the potential is linear in each layer")  # fmt: skip
    for which in ("largest", "smallest"):
        check.within(f"{which} over mean", found["electrodes"][0][which]["factor"], 1.0, 1e-7)
