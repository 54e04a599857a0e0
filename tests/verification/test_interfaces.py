"""J and K with temperature, body force, an interface or a gradient of modulus beside the crack.

Two kinds of reference: closed forms by superposition (what the body without a crack would carry at
the crack's place, weighted over the crack), and the energy released when the mesh is moved, which
shares nothing with the domain integrals.
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from ssbmech.config_load import case_from
from ssbmech.run import compute

pytestmark = pytest.mark.verification

E, NU, ALPHA = 150e9, 0.26, 1.3e-5
MATERIAL = {"E": f"{E} Pa", "nu": NU, "expansion": f"{ALPHA} 1/K"}
A = 10e-6
HALF_WIDTH = 100 * A  # K of a crack in a box is high by 0.016 %, of a penny by less


def griffith(model=None, **blocks):
    """Quarter of a body with a crack |x| < A, or of a cylinder with a penny of radius A."""
    geometry = {
        "type": "griffith", "a": f"{A} m", "half_width": f"{HALF_WIDTH} m", "symmetry": "xy",
        "quarter_point": True, "growth": 0.15,
    }  # fmt: skip
    geometry |= {"model": model} if model else {}
    data = {"geometry": geometry, "materials": {"electrolyte": MATERIAL}, **blocks}
    return compute(case_from(data))


# -- temperature fields that cause no stress -----------------------------------------------------


@pytest.mark.parametrize("change", ["100 K", "100 K * (1 + x / 500 um - 2 * y / 500 um)"])
@pytest.mark.parametrize("model", ["plane_strain", "plane_stress"])
def test_stress_free_temperature(page, model, change):
    """A free body with a uniform or linear change of temperature: no K, no J at a crack."""
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "griffith", "a": f"{A} m", "half_width": f"{10 * A} m", "model": model,
                    "h_tip": "0.5 um",
                },
                "materials": {"electrolyte": MATERIAL},
                "temperature": [{"group": "electrolyte", "change": change}],
            }
        )
    )  # fmt: skip
    scale = E * ALPHA * 100 * math.sqrt(math.pi * A)
    check = start(page, f"no stress from a {'uniform' if 'x' not in change else 'linear'} change")
    # The displacement is a polynomial of degree 2, so a uniform change leaves rounding only, and a
    # linear one the quadrature of the auxiliary field (r^(-1/2)) times a linear strain.
    why = "rounding and quadrature"
    for front in result.fronts:
        for name in ("K_I", "K_II"):
            check.within(
                f"{name} at {front.name}, {model}", front.values[name], 0.0, 1e-6, scale=scale,
                unit="Pa m^0.5", why=why,
            )  # fmt: skip
        J = scale**2 / E
        check.within("J", front.values["J"], 0.0, 1e-6, scale=J, unit="J/m^2", why=why)


def start(page, part):
    return page(
        "interfaces",
        "Temperature, body force and change of modulus",
        problem="A crack of half-length (radius) 10 um; fields and second materials beside it",
        reference="closed forms by superposition; energy released by moving the mesh",
        part=part,
    )


# -- a cold spot: closed form --------------------------------------------------------------------

T0, SPOT = 100.0, 8e-6  # depth [K] and radius [m] of the cold spot -T0 exp(-r^2/SPOT^2)
BLOB = f"exp(-(x^2 + y^2) / ({SPOT} m)^2)"


def spot_stress(r, model):
    """Hoop stress around a cold spot in an infinite body without a crack (Timoshenko, Goodier)."""

    def mean(power):
        if r == 0:
            return -T0 / (power + 1)
        value, _ = quad(lambda s: -T0 * math.exp(-((s / SPOT) ** 2)) * s**power, 0, r)
        return value / r ** (power + 1)

    T = -T0 * math.exp(-((r / SPOT) ** 2))
    if model == "axisymmetric":
        return E * ALPHA / (1 - NU) * (mean(2) - T)
    return E * ALPHA / (1 - NU if model == "plane_strain" else 1) * (mean(1) - T)


def spot_K(model):
    """K of a line crack (or penny) through the middle of the spot, from the stress there."""
    power = 1 if model == "axisymmetric" else 0
    # x = A sin(t) takes out the root 1/sqrt(A^2 - x^2) of the weight
    value, _ = quad(
        lambda t: spot_stress(A * math.sin(t), model) * (A * math.sin(t)) ** power, 0, math.pi / 2
    )
    return 2 / math.sqrt(math.pi * A) * value * (1 if model == "axisymmetric" else A)


@pytest.mark.parametrize("model", ["plane_strain", "plane_stress", "axisymmetric"])
def test_cold_spot(page, model):
    """Eigenstrain that varies around the tip: its volume term in J and K."""
    result = griffith(
        model,
        temperature=[{"group": "electrolyte", "change": f"-{T0} K * {BLOB}"}],
        fracture={"energy_check": True},
    )
    check = start(page, f"cold spot, {model}")
    compare(check, result, spot_K(model), model)


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_body_force(page, model):
    """Duhamel's analogy: the same K from the body force -grad(beta T) with beta T on the faces."""
    beta = E * ALPHA / (1 - 2 * NU)
    pull = f"{-2 * beta * T0 / SPOT**2} Pa/m^2"
    names = ("r", "y") if model == "axisymmetric" else ("x", "y")
    result = griffith(
        model,
        body_force=[
            {
                "group": "electrolyte",
                "force": {n: f"{pull} * {c} * {BLOB}" for n, c in zip(names, "xy", strict=True)},
            }
        ],
        load=[{"group": "crack_upper", "pressure": f"{beta * T0} Pa * {BLOB}"}],
        fracture={"energy_check": True},
    )
    check = start(page, f"body force in place of a cold spot, {model}")
    compare(check, result, spot_K(model), model)


def compare(check, result, K, model):
    """K of every ring, J and G against a closed form of K."""
    front = result.fronts[0]
    modulus = E if model == "plane_stress" else E / (1 - NU**2)
    # 0.3 %: what the discretisation of F1 and F6 is allowed
    rings = [ring.values["K_I"][0] for ring in front.rings]
    assert not any(ring.refused for ring in front.rings)
    check.within("K_I of every ring", rings, K, 3e-3, unit="Pa m^0.5", why="as for F6")
    G = K**2 / modulus
    rings = [ring.values["J"][0] for ring in front.rings]
    check.within("J of every ring", rings, G, 6e-3, unit="J/m^2", why="twice that of K")
    check.within("G by extension", result.checks[0].G, G, 6e-3, unit="J/m^2", why="as J")


# -- a second material ---------------------------------------------------------------------------


def two_materials(path, kind, gap, half_width=300e-6, h_tip=0.02):
    """Quarter body with the crack x < A on y = 0 and a straight interface ``gap`` from the tip.

    ``across``: x > A + gap is the second material; ``beside``: y > gap is.
    """
    import gmsh

    a, W, d = A * 1e6, half_width * 1e6, gap * 1e6
    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        geo, mesh = gmsh.model.geo, gmsh.model.mesh
        if kind == "across":
            xy = [(0, 0), (a, 0), (a + d, 0), (W, 0), (W, W), (a + d, W), (0, W)]
            cut, first = (2, 5), (0, 1, 7, 5, 6)
            names = ["crack_upper", "symmetry_y", "symmetry_y", "right", "top", "top", "symmetry_x"]
        else:
            xy = [(0, 0), (a, 0), (W, 0), (W, d), (W, W), (0, W), (0, d)]
            cut, first = (3, 6), (0, 1, 2, 7, 6)
            names = ["crack_upper", "symmetry_y", "right", "right", "top", "symmetry_x"]
            names.append("symmetry_x")
        p = [geo.addPoint(*c, 0) for c in xy]
        lines = [geo.addLine(p[i], p[(i + 1) % 7]) for i in range(7)]
        lines.append(geo.addLine(p[cut[0]], p[cut[1]]))
        second = [i for i in range(7) if i not in first]
        inner = geo.addPlaneSurface([geo.addCurveLoop([lines[i] for i in first])])
        outer = geo.addPlaneSurface(
            [geo.addCurveLoop([lines[i] for i in second] + [-lines[7]], reorient=True)]
        )
        geo.synchronize()
        for name in dict.fromkeys(names):
            group = [line for line, n in zip(lines, names, strict=False) if n == name]
            gmsh.model.addPhysicalGroup(1, group, name=name)
        gmsh.model.addPhysicalGroup(0, [p[1]], name="tip")
        gmsh.model.addPhysicalGroup(2, [inner], name="near")
        gmsh.model.addPhysicalGroup(2, [outer], name="far")
        distance = mesh.field.add("Distance")
        mesh.field.setNumbers(distance, "PointsList", [p[1]])
        size = mesh.field.add("MathEval")
        mesh.field.setString(size, "F", f"{h_tip} + 0.045 * F{distance} + 0.001 * F{distance}^2")
        mesh.field.setAsBackgroundMesh(size)
        for option in ("FromPoints", "FromCurvature", "ExtendFromBoundary"):
            gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)
        mesh.generate(2)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


GAP = 2e-6
INSIDE, OVER = ["1 um", "1.6 um"], ["3 um", "5 um", "8 um"]


def beside_interface(folder, second, model, rings):
    """The crack in LLZO under pressure, the second material GAP away."""
    return compute(
        case_from(
            {
                "mesh": {"file": "two.msh", "length_unit": "um", "model": model},
                "materials": {"near": MATERIAL, "far": {"E": second, "nu": 0.38}},
                "crack": {"faces": ["crack_upper"], "front": "tip", "symmetry": "y"},
                "load": [{"group": "crack_upper", "pressure": "100 MPa"}],
                "fracture": {"rings": rings, "energy_check": True},
            }
        ),
        folder,
    )


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
@pytest.mark.parametrize("kind", ["across", "beside"])
@pytest.mark.parametrize("second", ["7.8 GPa", "600 GPa"], ids=["soft", "stiff"])
def test_interface(page, tmp_path, kind, second, model):
    """Rings inside one material and over the interface agree, and give the energy released."""
    two_materials(tmp_path / "two.msh", kind, GAP)
    result = beside_interface(tmp_path, second, model, INSIDE + OVER)
    front = result.fronts[0]
    assert not any(ring.refused for ring in front.rings)
    K = np.array([ring.values["K_I"][0] for ring in front.rings])
    J = np.array([ring.values["J"][0] for ring in front.rings])
    # the mesh is moved within the rings that stay off the interface: that one must not move
    G = beside_interface(tmp_path, second, model, INSIDE).checks[0].G
    check = start(page, f"interface {kind} the crack, second material {second}, {model}")
    why = "0.3 %, as F6"
    inner = slice(0, len(INSIDE))
    check.within("K, all rings", K, K[inner].mean(), 3e-3, unit="Pa m^0.5", why=why)
    check.within("J, all rings", J, J[inner].mean(), 3e-3, unit="J/m^2", why=why)
    check.within("J against G by extension", J, G, 3e-3, unit="J/m^2", why="independent of J")
    K_of_G = math.sqrt(G * E / (1 - NU**2))
    check.within("K against G by extension", K, K_of_G, 3e-3, unit="Pa m^0.5", why="likewise")
    # and the second material matters: K of one material is far away
    alone = 100e6 * math.sqrt(math.pi * A) * (2 / math.pi if model == "axisymmetric" else 1.0)
    assert abs(K.mean() / alone - 1) > 0.1


def test_extension_with_rings_over_an_interface(tmp_path):
    two_materials(tmp_path / "two.msh", "across", GAP)
    result = beside_interface(tmp_path, "7.8 GPa", "plane_strain", INSIDE + OVER)
    assert abs(result.checks[0].difference) < 3e-3


@pytest.mark.parametrize("model", ["plane_strain", "plane_stress", "axisymmetric"])
def test_graded_modulus(page, model):
    """E = E0 exp(x/15 um): rings agree, and K, J and the energy released too."""
    plane = model != "axisymmetric"
    geometry = {
        "type": "griffith", "a": f"{A} m", "half_width": f"{10 * A} m", "model": model,
        "symmetry": "y" if plane else "xy", "h_tip": "0.05 um", "growth": 0.15,
        "quarter_point": True,
    }  # fmt: skip
    slope = 15e-6
    result = compute(
        case_from(
            {
                "geometry": geometry,
                "materials": {"electrolyte": {"E": f"{E} Pa * exp(x / {slope} m)", "nu": NU}},
                "load": [{"group": "crack_upper", "pressure": "100 MPa"}],
                "fracture": {"energy_check": True},
            }
        )
    )
    check = start(page, f"graded modulus, {model}")
    for front, extension in zip(result.fronts, result.checks, strict=True):
        assert not any(ring.refused for ring in front.rings)
        at_tip = E * math.exp(front.points[0][0] / slope)
        modulus = at_tip if model == "plane_stress" else at_tip / (1 - NU**2)
        assert front.E_prime == pytest.approx(modulus, rel=1e-3)
        G = extension.G
        for ring in front.rings:
            name = f"ring of {ring.outer * 1e6:.2g} um at {front.name}"
            check.within(
                f"J, {name}", ring.values["J"], G, 3e-3, unit="J/m^2", why="G by extension"
            )
            check.within(
                f"K_I, {name}", ring.values["K_I"], math.sqrt(G * modulus), 3e-3,
                unit="Pa m^0.5", why="G by extension",
            )  # fmt: skip
    if plane:
        soft, stiff = (f.values["K_I"][0] for f in result.fronts)
        assert stiff > 1.05 * soft  # K grows towards the stiff side
