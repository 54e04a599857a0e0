"""E1 to E5: misfitting inclusions, thick shells and films against closed forms.

Tolerance 0.5 % of the pressure at every point. Stresses are taken from the displacement gradient
at points inside elements, in directions that no mesh line follows, and nothing is averaged, so
cubic displacements stand for the fine meshes that quadratic ones would need (3-D with 10
elements per radius: 0.6 %, cubic with 4: 0.2 %).
"""

import numpy as np
import pytest
from ssbmech.config_load import case_from
from ssbmech.fracture.probe import stress_at
from ssbmech.run import compute

pytestmark = pytest.mark.verification

TOLERANCE = 5e-3
WHY = "0.5 % of the pressure, at every single point"
UM = 1e-6


def bulk(E, nu):
    return E / (3 * (1 - 2 * nu))


def shear(E, nu):
    return E / (2 * (1 + nu))


def material(E, nu):
    return {"E": f"{E} GPa", "nu": nu}


def stress(result, points_um):
    """Stress [GPa] at points in micrometres, shape (n, 3, 3)."""
    points = np.atleast_2d(np.asarray(points_um, float))
    sigma = stress_at(result.solution, points * UM / result.domain.length)
    assert np.isfinite(sigma).all(), "a point lies outside the body"
    return sigma * 1e-9


def along(sigma, direction):
    """Normal stress in a direction for each point."""
    return np.einsum("nij,ni,nj->n", sigma, direction, direction)


def quarter_annulus(path, inner, outer, n):
    """x, y > 0 between two circles, second order, graded; sides named for symmetry."""
    import gmsh

    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        geo, mesh = gmsh.model.geo, gmsh.model.mesh
        o = geo.addPoint(0, 0, 0)
        p = [geo.addPoint(*xy, 0) for xy in ((inner, 0), (outer, 0), (0, outer), (0, inner))]
        low = geo.addLine(p[0], p[1])
        out = geo.addCircleArc(p[1], o, p[2])
        left = geo.addLine(p[2], p[3])
        hole = geo.addCircleArc(p[3], o, p[0])
        face = geo.addPlaneSurface([geo.addCurveLoop([low, out, left, hole])])
        for line in (out, hole):
            geo.mesh.setTransfiniteCurve(line, n + 1)
        for line in (low, left):
            geo.mesh.setTransfiniteCurve(line, n + 1)
        geo.mesh.setTransfiniteSurface(face)
        geo.synchronize()
        gmsh.model.addPhysicalGroup(2, [face], name="wall")
        for name, line in (
            ("inner", hole), ("outer", out), ("symmetry_y", low), ("symmetry_x", left)
        ):  # fmt: skip
            gmsh.model.addPhysicalGroup(1, [line], name=name)
        mesh.generate(2)
        mesh.setOrder(2)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def rectangle(path, x0, x1, height, nx, ny):
    """x0 < x < x1, 0 < y < height, second order; sides left, right, bottom, top."""
    import gmsh

    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        geo = gmsh.model.geo
        corners = ((x0, 0), (x1, 0), (x1, height), (x0, height))
        p = [geo.addPoint(*xy, 0) for xy in corners]
        lines = [geo.addLine(p[i], p[(i + 1) % 4]) for i in range(4)]
        face = geo.addPlaneSurface([geo.addCurveLoop(lines)])
        for line, n in zip(lines, (nx, ny, nx, ny), strict=True):
            geo.mesh.setTransfiniteCurve(line, n + 1)
        geo.mesh.setTransfiniteSurface(face)
        geo.synchronize()
        gmsh.model.addPhysicalGroup(2, [face], name="wall")
        for name, line in zip(("bottom", "right", "top", "left"), lines, strict=True):
            gmsh.model.addPhysicalGroup(1, [line], name=name)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(2)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


# -- E1 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "outside"),
    [((7.8, 0.381), (150.0, 0.26)), ((100.0, 0.2), (100.0, 0.2))],
    ids=["lithium in LLZO", "same material"],
)
def test_E1_sphere(page, inside, outside):
    R, b, misfit = 10.0, 20.0, 1e-3
    K, G = bulk(*inside), shear(*outside)
    # Eshelby: p = 12 K_i G_m e/(3 K_i + 4 G_m); outside -p (R/r)^3 and p/2 (R/r)^3
    p = 12 * K * G * misfit / (3 * K + 4 * G)
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "sphere", "radius": f"{R} um", "outer": f"{b} um",
                    "n": 4, "sectors": 4,
                },
                "materials": {"inclusion": material(*inside), "matrix": material(*outside)},
                "eigenstrain": [{"group": "inclusion", "strain": f"{misfit}"}],
                # the exact far field: the infinite matrix presses on the cut with p (R/b)^3
                "load": [{"group": "outer", "pressure": f"{p * (R / b) ** 3} GPa"}],
                "solver": {"degree": 3},
            }
        )
    )  # fmt: skip
    rng = np.random.default_rng(1)
    e = np.abs(rng.normal(size=(12, 3))) + 0.1
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    check = page(
        "E1",
        "Sphere with misfit",
        problem="A sphere with linear misfit e in an infinite matrix; 3-D octant, the matrix cut "
        "at 2 R where the exact traction is applied; cubic displacement",
        reference="p = 12 K_i G_m e/(3 K_i + 4 G_m) inside; -p (R/r)^3 and p/2 (R/r)^3 outside",
        part="same material" if inside == outside else "lithium in LLZO",
    )
    interior = stress(result, e * R * np.linspace(0.1, 0.9, 12)[:, None])
    check.within(
        "inside, all components",
        interior,
        np.broadcast_to(-p * np.eye(3), (12, 3, 3)),
        TOLERANCE,
        scale=p,
        unit="GPa",
        why=WHY,
    )
    r = np.linspace(1.05, 1.9, 12) * R
    sigma = stress(result, e * r[:, None])
    hoop = np.cross(e, np.roll(e, 1, axis=1))
    hoop /= np.linalg.norm(hoop, axis=1, keepdims=True)
    check.within(
        "radial, outside",
        along(sigma, e),
        -p * (R / r) ** 3,
        TOLERANCE,
        scale=p,
        unit="GPa",
        why=WHY,
    )
    check.within(
        "hoop, outside",
        along(sigma, hoop),
        p / 2 * (R / r) ** 3,
        TOLERANCE,
        scale=p,
        unit="GPa",
        why=WHY,
    )


# -- E2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axial", [False, True], ids=["in plane", "in plane and axial"])
@pytest.mark.parametrize(
    ("inside", "outside"),
    [((7.8, 0.381), (150.0, 0.26)), ((100.0, 0.2), (50.0, 0.3))],
    ids=["lithium in LLZO", "stiff in soft"],
)
def test_E2_cylinder(page, inside, outside, axial):
    R, misfit = 10.0, 1e-3
    G = shear(*outside)
    k = bulk(*inside) + shear(*inside) / 3
    # plane strain: p = 2 e G_m k_i/(G_m + k_i), e times 1 + nu_i if the axial misfit is e too
    p = 2 * misfit * (1 + inside[1] if axial else 1) * G * k / (G + k)
    strain = f"{misfit}" if axial else {"xx": f"{misfit}", "yy": f"{misfit}"}
    result = compute(
        case_from(
            {
                # outer boundary at 100 R: its effect is (R/W)^2 = 1e-4, a fiftieth of the tolerance
                "geometry": {
                    "type": "ellipse", "a": f"{R} um", "b": f"{R} um", "width": f"{200 * R} um",
                    "filled": "lithium", "symmetry": "xy",
                },
                "materials": {"lithium": material(*inside), "electrolyte": material(*outside)},
                "eigenstrain": [{"group": "lithium", "strain": strain}],
                "solver": {"degree": 3},
            }
        )
    )  # fmt: skip
    t = np.linspace(0.07, 1.5, 12)
    e = np.stack([np.cos(t), np.sin(t), 0 * t], -1)
    around = np.stack([-np.sin(t), np.cos(t), 0 * t], -1)
    check = page(
        "E2",
        "Cylinder with misfit",
        problem="A cylinder with misfit e in an infinite matrix, plane strain; outer boundary at "
        "100 R; cubic displacement",
        reference="p = 2 e G_m k_i/(G_m + k_i), k_i = K_i + G_i/3, e times 1 + nu_i with axial "
        "misfit; -p (R/r)^2 and p (R/r)^2 outside",
        part=f"E {inside[0]:g} in {outside[0]:g} GPa" + (", axial misfit too" if axial else ""),
    )
    interior = stress(result, e * R * np.linspace(0.1, 0.95, 12)[:, None])
    check.within(
        "inside, in plane",
        interior[:, :2, :2],
        np.broadcast_to(-p * np.eye(2), (12, 2, 2)),
        TOLERANCE,
        scale=p,
        unit="GPa",
        why=WHY,
    )
    r = np.linspace(1.02, 4.0, 12) * R
    sigma = stress(result, e * r[:, None])
    check.within(
        "radial, outside",
        along(sigma, e),
        -p * (R / r) ** 2,
        TOLERANCE,
        scale=p,
        unit="GPa",
        why=WHY,
    )
    check.within(
        "hoop, outside",
        along(sigma, around),
        p * (R / r) ** 2,
        TOLERANCE,
        scale=p,
        unit="GPa",
        why=WHY,
    )


# -- E3 ------------------------------------------------------------------------------------------


def sphere_stress(p, a, b, r):
    """Lame: radial and hoop stress of a thick sphere under internal pressure."""
    f = p * a**3 / (b**3 - a**3)
    return f * (1 - (b / r) ** 3), f * (1 + (b / r) ** 3 / 2)


def cylinder_stress(p, a, b, r):
    f = p * a**2 / (b**2 - a**2)
    return f * (1 - (b / r) ** 2), f * (1 + (b / r) ** 2)


def test_E3_closed_forms_at_the_bore():
    a, b = 2.0, 5.0
    assert sphere_stress(1, a, b, a)[1] == pytest.approx(
        (2 * a**3 + b**3) / (2 * (b**3 - a**3)), rel=1e-14
    )
    assert cylinder_stress(1, a, b, a)[1] == pytest.approx((a**2 + b**2) / (b**2 - a**2), rel=1e-14)


@pytest.mark.parametrize("model", ["plane_strain", "plane_stress", "axisymmetric"])
def test_E3_quarter_annulus(page, tmp_path, model):
    """In the plane a thick cylinder, turned around the axis x = 0 a thick sphere."""
    a, b, p = 10.0, 25.0, 0.1
    quarter_annulus(tmp_path / "wall.msh", a, b, 24)
    result = compute(
        case_from(
            {
                "mesh": {"file": "wall.msh", "length_unit": "um", "model": model},
                "materials": {"wall": material(150.0, 0.26)},
                "load": [{"group": "inner", "pressure": f"{p} GPa"}],
            }
        ),
        tmp_path,
    )
    t = np.linspace(0.05, 1.52, 15)
    r = np.linspace(a, b, 15) * np.array([1 + 1e-3, *[1.0] * 13, 1 - 1e-3])
    e = np.stack([np.cos(t), np.sin(t), 0 * t], -1)
    around = np.stack([-np.sin(t), np.cos(t), 0 * t], -1)
    sigma = stress(result, e * r[:, None])
    check = page(
        "E3",
        "Thick shells under internal pressure",
        problem="Inner radius 10 um, outer 25 um, pressure 0.1 GPa",
        reference="hoop stress at the bore p (2a^3 + b^3)/[2 (b^3 - a^3)] (sphere), "
        "p (a^2 + b^2)/(b^2 - a^2) (cylinder), Lame's fields through the wall",
        part=f"quarter annulus, {model}",
    )
    closed = sphere_stress if model == "axisymmetric" else cylinder_stress
    radial, hoop = closed(p, a, b, r)
    check.within("radial", along(sigma, e), radial, TOLERANCE, scale=p, unit="GPa", why=WHY)
    check.within("hoop", along(sigma, around), hoop, TOLERANCE, scale=p, unit="GPa", why=WHY)
    if model == "axisymmetric":
        check.within(
            "hoop around the axis", sigma[:, 2, 2], hoop, TOLERANCE, scale=p, unit="GPa", why=WHY
        )


def test_E3_cylinder_axisymmetric(page, tmp_path):
    a, b, p = 10.0, 25.0, 0.1
    rectangle(tmp_path / "wall.msh", a, b, 5.0, 24, 4)
    hold = [{"group": g, "u": {"y": "0 um"}} for g in ("bottom", "top")]
    result = compute(
        case_from(
            {
                "mesh": {"file": "wall.msh", "length_unit": "um", "model": "axisymmetric"},
                "materials": {"wall": material(150.0, 0.26)},
                "load": [{"group": "left", "pressure": f"{p} GPa"}],
                "constraint": hold,
            }
        ),
        tmp_path,
    )
    r = np.linspace(a + 0.01, b - 0.01, 15)
    sigma = stress(result, np.stack([r, 1.7 + 0 * r, 0 * r], -1))
    check = page(
        "E3",
        "Thick shells under internal pressure",
        problem="Inner radius 10 um, outer 25 um, pressure 0.1 GPa",
        reference="hoop stress at the bore p (2a^3 + b^3)/[2 (b^3 - a^3)] (sphere), "
        "p (a^2 + b^2)/(b^2 - a^2) (cylinder), Lame's fields through the wall",
        part="cylinder, axisymmetric",
    )
    radial, hoop = cylinder_stress(p, a, b, r)
    check.within("radial", sigma[:, 0, 0], radial, TOLERANCE, scale=p, unit="GPa", why=WHY)
    check.within("hoop", sigma[:, 2, 2], hoop, TOLERANCE, scale=p, unit="GPa", why=WHY)
    # plane strain along the axis: nu (radial + hoop)
    check.within(
        "axial", sigma[:, 1, 1], 0.26 * (radial + hoop), TOLERANCE, scale=p, unit="GPa", why=WHY
    )


def test_E3_shell_3d(page):
    a, b, p = 10.0, 25.0, 0.1
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "shell", "inner": f"{a} um", "outer": f"{b} um", "n": 4, "sectors": 5,
                },
                "materials": {"shell": material(150.0, 0.26)},
                "load": [{"group": "inner", "pressure": f"{p} GPa"}],
                "solver": {"degree": 3},
            }
        )
    )  # fmt: skip
    rng = np.random.default_rng(2)
    e = np.abs(rng.normal(size=(15, 3))) + 0.1
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    r = np.linspace(1.02 * a, 0.98 * b, 15)
    around = np.cross(e, np.roll(e, 1, axis=1))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    sigma = stress(result, e * r[:, None])
    check = page(
        "E3",
        "Thick shells under internal pressure",
        problem="Inner radius 10 um, outer 25 um, pressure 0.1 GPa",
        reference="hoop stress at the bore p (2a^3 + b^3)/[2 (b^3 - a^3)] (sphere), "
        "p (a^2 + b^2)/(b^2 - a^2) (cylinder), Lame's fields through the wall",
        part="sphere, 3-D octant",
    )
    radial, hoop = sphere_stress(p, a, b, r)
    check.within("radial", along(sigma, e), radial, TOLERANCE, scale=p, unit="GPa", why=WHY)
    check.within("hoop", along(sigma, around), hoop, TOLERANCE, scale=p, unit="GPa", why=WHY)


# -- E4 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
def test_E4_thin_film(page, tmp_path, model):
    """A film on a rigid half-space, free at its edge 20 thicknesses away."""
    E, nu, misfit = 7.8, 0.381, 1e-3
    rectangle(tmp_path / "film.msh", 0.0, 20.0, 1.0, 80, 6)
    result = compute(
        case_from(
            {
                "mesh": {"file": "film.msh", "length_unit": "um", "model": model},
                "materials": {"wall": material(E, nu)},
                "eigenstrain": [{"group": "wall", "strain": f"{misfit}"}],
                "constraint": [
                    {"group": "bottom", "u": {"x": "0 um", "y": "0 um"}},
                    {"group": "left", "u": {"x": "0 um"}},
                ],
            }
        ),
        tmp_path,
    )
    x = np.linspace(0.05, 10.0, 9)
    sigma = stress(result, np.stack([x, 0.03 + 0.09 * x, 0 * x], -1))
    expected = -E * misfit / (1 - nu)  # the edge's stress decays as exp(-x/thickness) or faster
    check = page(
        "E4",
        "Thin film with misfit on a rigid half-space",
        problem="Free surface and edge, the edge 20 thicknesses away; within 10 of the middle",
        reference="in-plane stress -E e/(1 - nu), none across",
        part=model,
    )
    check.within("in plane", sigma[:, 0, 0], expected, TOLERANCE, unit="GPa", why=WHY)
    check.within("out of plane", sigma[:, 2, 2], expected, TOLERANCE, unit="GPa", why=WHY)
    check.within("across", sigma[:, 1, 1], 0.0, TOLERANCE, scale=abs(expected), unit="GPa", why=WHY)


# -- E5 ------------------------------------------------------------------------------------------


def eshelby_pressure(t, inside, outside, misfit):
    """-sigma_yy [GPa] inside an elliptic cylinder of aspect t = b/a with eigenstrain e_yy alone.

    Plane strain; Eshelby's tensor of the elliptic cylinder (Mura, Micromechanics of Defects in
    Solids, 1987, eq. 11.22) and his equivalent inclusion: C_i (e - e*) = C_m (e - e**), e = S e**.
    """
    nu, a, b = outside[1], 1 / (1 + t), t / (1 + t)
    S = np.zeros((3, 3))
    S[0, 0] = b**2 + 2 * a * b + (1 - 2 * nu) * b
    S[1, 1] = a**2 + 2 * a * b + (1 - 2 * nu) * a
    S[0, 1] = b**2 - (1 - 2 * nu) * b
    S[1, 0] = a**2 - (1 - 2 * nu) * a
    S[0, 2], S[1, 2] = 2 * nu * b, 2 * nu * a
    S /= 2 * (1 - nu)

    def stiffness(E, nu):
        lam = E * nu / ((1 + nu) * (1 - 2 * nu))
        return lam + 2 * shear(E, nu) * np.eye(3)

    Ci, Cm = stiffness(*inside), stiffness(*outside)
    own = np.array([0.0, misfit, 0.0])
    equivalent = np.linalg.solve(Ci @ S - Cm @ (S - np.eye(3)), Ci @ own)
    return -(Ci @ (S @ equivalent - own))[1]


def test_E5_thin_elliptical_inclusion(page):
    a, E, nu, misfit = 10.0, 150.0, 0.26, 1e-2
    E_prime = E / (1 - nu**2)
    aspects = np.array([0.2, 0.1, 0.05])
    check = page(
        "E5",
        "Thin elliptical inclusion with opening misfit",
        problem="Plane strain, semi-axes a and b, eigenstrain e_yy, opening d0 = 2 b e_yy",
        reference="p = E' d0/(4 a) as b/a goes to 0; Eshelby's uniform stress at every aspect",
        part="one material",
    )
    ratios = []
    for t in aspects:
        b = t * a
        result = compute(
            case_from(
                {
                    "geometry": {
                        "type": "ellipse", "a": f"{a} um", "b": f"{b} um", "width": f"{200 * a} um",
                        "filled": "lithium", "symmetry": "xy",
                    },
                    "materials": {"lithium": material(E, nu), "electrolyte": material(E, nu)},
                    "eigenstrain": [{"group": "lithium", "strain": {"yy": f"{misfit}"}}],
                    "solver": {"degree": 3},
                }
            )
        )  # fmt: skip
        x = np.linspace(0.02, 0.9, 7) * a
        p = -stress(result, np.stack([x, 0.3 * b * np.sqrt(1 - (x / a) ** 2), 0 * x], -1))[:, 1, 1]
        exact = eshelby_pressure(t, (E, nu), (E, nu), misfit)
        # Eshelby: uniform inside, at every aspect
        check.within(f"p at b/a = {t:g}", p, exact, TOLERANCE, unit="GPa", why=WHY)
        # p = E' d0/(4 a) with the opening d0 = 2 b e_yy: the Griffith crack held open by d0
        ratios.append(p.mean() / (E_prime * 2 * b * misfit / (4 * a)))
    # the trend: with one material the gap to the crack's pressure is [b/(a + b)]^2 (from S_ijkl)
    gap = 1 - np.array(ratios)
    rate = np.polyfit(np.log(aspects / (1 + aspects)), np.log(gap), 1)[0]
    check.within(
        "order in b/(a + b)", rate, 2.0, 0.05, why="0.01 % of p is 4 % of the smallest gap"
    )
    # second order, so the limit lies on a line over the square of b/(a + b)
    limit = np.polyval(np.polyfit((aspects / (1 + aspects)) ** 2, ratios, 1), 0.0)
    check.within("limit of p over E' d0/(4 a)", limit, 1.0, TOLERANCE / 5, why="extrapolated")
    check.plot(
        "b/a",
        "p over E' d0/(4 a)",
        {"computed": (aspects, ratios), "exact": (aspects, 1 - (aspects / (1 + aspects)) ** 2)},
    )


@pytest.mark.parametrize("t", [0.1, 0.03, 0.01])
def test_E5_lithium_in_LLZO(page, t):
    """A soft inclusion, whose own compliance lowers p: by 5 % at an aspect of 0.01."""
    a, misfit, inside, outside = 10.0, 1e-2, (7.8, 0.381), (150.0, 0.26)
    b = t * a
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "ellipse", "a": f"{a} um", "b": f"{b} um", "width": f"{200 * a} um",
                    "filled": "lithium", "symmetry": "xy",
                },
                "materials": {"lithium": material(*inside), "electrolyte": material(*outside)},
                "eigenstrain": [{"group": "lithium", "strain": {"yy": f"{misfit}"}}],
            }
        )
    )  # fmt: skip
    x = np.linspace(0.02, 0.8, 7) * a
    p = -stress(result, np.stack([x, 0.3 * b * np.sqrt(1 - (x / a) ** 2), 0 * x], -1))[:, 1, 1]
    check = page(
        "E5",
        "Thin elliptical inclusion with opening misfit",
        problem="Plane strain, semi-axes a and b, eigenstrain e_yy, opening d0 = 2 b e_yy",
        reference="p = E' d0/(4 a) as b/a goes to 0; Eshelby's uniform stress at every aspect",
        part=f"lithium in LLZO, b/a = {t:g}",
    )
    exact = eshelby_pressure(t, inside, outside, misfit)
    check.within("p", p, exact, TOLERANCE, unit="GPa", why=WHY)
