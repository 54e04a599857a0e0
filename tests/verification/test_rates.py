"""Fitted convergence rates of displacement, K and J, and iteration counts of the iterative solver.

Rates are slopes of least squares over at least three meshes; the band beside each says why.
"""

import math

import numpy as np
import pytest
from ssbmech.config_load import case_from
from ssbmech.run import compute

pytestmark = pytest.mark.verification

E, NU = 150e9, 0.26
MATERIAL = {"E": f"{E} Pa", "nu": NU}


def rate(h, error):
    """Slope of log(error) over log(h)."""
    return float(np.polyfit(np.log(h), np.log(np.abs(error)), 1)[0])


class Gmsh:
    """A Gmsh session that is closed whatever happens."""

    def __enter__(self):
        import gmsh

        gmsh.initialize()
        gmsh.option.setNumber("General.Terminal", 0)
        return gmsh

    def __exit__(self, *what):
        import gmsh

        gmsh.finalize()


def size(gmsh, h):
    gmsh.option.setNumber("Mesh.MeshSizeMin", h)
    gmsh.option.setNumber("Mesh.MeshSizeMax", h)


def brick(path, dim, side, h):
    """Regular mesh of (0, side)^dim [um] with all its boundary in the group ``all``."""
    with Gmsh() as gmsh:
        occ = gmsh.model.occ
        if dim == 2:
            occ.addRectangle(0, 0, 0, side, side)
        else:
            occ.addBox(0, 0, 0, side, side, side)
        occ.synchronize()
        boundary = [t for _, t in gmsh.model.getEntities(dim - 1)]
        gmsh.model.addPhysicalGroup(dim - 1, boundary, name="all")
        gmsh.model.addPhysicalGroup(dim, [1], name="body")
        for _, line in gmsh.model.getEntities(1):
            gmsh.model.mesh.setTransfiniteCurve(line, round(side / h) + 1)
        for _, face in gmsh.model.getEntities(2):
            gmsh.model.mesh.setTransfiniteSurface(face)
        if dim == 3:
            gmsh.model.mesh.setTransfiniteVolume(1)
        gmsh.model.mesh.generate(dim)
        gmsh.write(str(path))


def l2_error(result, exact_um):
    """Relative L2 error of the displacement; ``exact_um`` maps UFL coordinates [um] to u [um]."""
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    domain = result.domain
    um = domain.length * 1e6
    exact = exact_um(ufl.SpatialCoordinate(domain.mesh) * um) / um
    dx = ufl.Measure("dx", domain.mesh, metadata={"quadrature_degree": 8})
    off = result.solution.u - exact

    def norm(f):
        return domain.comm.allreduce(fem.assemble_scalar(fem.form(ufl.inner(f, f) * dx)), MPI.SUM)

    return math.sqrt(norm(off) / norm(exact))


# -- displacement --------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    ("dim", "model", "sizes"),
    [
        (2, "plane_strain", (2.5, 1.25, 0.625, 0.3125)),
        (2, "plane_stress", (2.5, 1.25, 0.625)),
        (3, "3d", (5.0, 2.5, 1.25)),
    ],
    ids=["plane strain", "plane stress", "3-D"],
)
def test_displacement_manufactured(page, tmp_path, dim, model, sizes, degree):
    """u_i = U sin(k x_i) prod cos(k x_j): a body force 'dim k^2 (lambda + 2 mu) u' holds it."""
    import ufl

    side, U = 10.0, 0.01  # um
    sizes = [h * degree / 2 for h in sizes]  # as many nodes for P1 as for P2
    k = 0.25  # 1/um
    mu = E / (2 * (1 + NU))
    lam = E * NU / (1 - NU**2) if model == "plane_stress" else 2 * mu * NU / (1 - 2 * NU)
    # div u = dim k U prod cos, so grad div u = laplace u = -dim k^2 u
    force = dim * (k * 1e6) ** 2 * (lam + 2 * mu) * U * 1e-6  # N/m^3
    names = "xyz"[:dim]

    def shape(i):
        return "*".join(
            f"{'sin' if j == i else 'cos'}({n} / ({1 / k} um))" for j, n in enumerate(names)
        )

    def exact(x):
        out = []
        for i in range(dim):
            product = U
            for j in range(dim):
                product *= (ufl.sin if j == i else ufl.cos)(k * x[j])
            out.append(product)
        return ufl.as_vector(out)

    errors = []
    for h in sizes:
        brick(tmp_path / "brick.msh", dim, side, h)
        case = case_from(
            {
                "mesh": {"file": "brick.msh", "length_unit": "um", "model": model},
                "materials": {"body": MATERIAL},
                "constraint": [
                    {
                        "group": "all",
                        "u": {n: f"{U} um * {shape(i)}" for i, n in enumerate(names)},
                    }
                ],
                "body_force": [
                    {
                        "group": "body",
                        "force": {n: f"{force} N/m^3 * {shape(i)}" for i, n in enumerate(names)},
                    }
                ],
                "solver": {"degree": degree},
            }
        )
        errors.append(l2_error(compute(case, tmp_path), exact))
    check = page(
        "rates",
        "Convergence rates",
        problem="Smooth displacement held by a body force, prescribed on all the boundary",
        reference="L2 error of the displacement of degree k: h^(k+1)",
        part=f"{model}, P{degree}",
    )
    check.within(
        f"rate of u, P{degree}", rate(sizes, errors), degree + 1, 0.2 / (degree + 1),
        why="+-0.2: the coarsest mesh is not yet in the asymptotic range",
    )  # fmt: skip
    check.plot("h [um]", "relative L2 error", {f"P{degree}": (sizes, errors)}, log=True)


# -- K and J -------------------------------------------------------------------------------------


def griffith_errors(h_tip, growth, degree, order, quarter_point):
    """Relative errors of K and J: a quarter of a body of 400 a around a pressurised crack."""
    a, p = 10e-6, 100e6
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "griffith", "a": f"{a} m", "half_width": "4000 um", "symmetry": "xy",
                    "h_tip": f"{h_tip} um", "growth": growth, "order": order,
                    "quarter_point": quarter_point,
                },
                "materials": {"electrolyte": MATERIAL},
                "load": [{"group": "crack_upper", "pressure": f"{p} Pa"}],
                "solver": {"degree": degree},
            }
        )
    )  # fmt: skip
    values = result.fronts[0].values
    K = p * math.sqrt(math.pi * a)
    return values["K_I"][0] / K - 1, values["J"][0] * E / (1 - NU**2) / K**2 - 1


@pytest.mark.parametrize(
    ("part", "degree", "order", "quarter_point", "growth", "K_band", "J_band"),
    [
        # Only the size at the tip changes. The strain goes as r^(-1/2) there, which elements of
        # size h with polynomial shapes miss by an energy of first order in h; J and (by duality
        # with the auxiliary field) K are then of first order, whatever the degree.
        ("P2, tip refined", 2, 1, False, 0.15, (0.85, 1.15), (0.85, 1.15)),
        # All sizes change together: the first-order part from the tip and the second-order part
        # from the smooth field (energy of P1) add up to a slope between the two.
        ("P1, all refined", 1, 1, False, None, (1.0, 2.0), (1.0, 2.0)),
        # Mid-side nodes at the quarter give elements at the tip the root itself; what is left is
        # the next term, r^(3/2), and the smooth field of P2 (energy h^4 far from the tip), so the
        # slope is above 2 and below 4. J also keeps the error of energy in the first ring.
        ("P2, quarter points", 2, 2, True, None, (2.0, 4.0), (1.5, 4.0)),
    ],
)
def test_K_and_J(page, part, degree, order, quarter_point, growth, K_band, J_band):
    sizes = np.array([0.8, 0.4, 0.2, 0.1])
    errors = np.array(
        [
            griffith_errors(h, growth or 0.75 * h, degree, order, quarter_point)
            for h in sizes
        ]
    )  # fmt: skip
    check = page(
        "rates",
        "Convergence rates",
        problem="Griffith crack under pressure, quarter model",
        reference="first order in the tip's size for polynomial shapes, more with quarter points",
        part=part,
    )
    for name, band, error in (("K", K_band, errors[:, 0]), ("J", J_band, errors[:, 1])):
        middle, half = sum(band) / 2, (band[1] - band[0]) / 2
        check.within(
            f"rate of {name}", rate(sizes, error), middle, half / middle,
            why=f"between {band[0]:g} and {band[1]:g}",
        )  # fmt: skip
        # energies converge from one side: a stiff mesh releases too little
        assert np.all(error < 0) and np.all(np.diff(np.abs(error)) < 0)
    check.plot(
        "size at the tip [um]",
        "relative error",
        {"K": (sizes, np.abs(errors[:, 0])), "J": (sizes, np.abs(errors[:, 1]))},
        log=True,
    )


# -- iterations ----------------------------------------------------------------------------------

#: Young's modulus and Poisson's ratio of lithium beside LLZO (150 GPa): contrast 1 : 19.
LITHIUM = {"E": "7.8 GPa", "nu": 0.381}


def octant(path, h, radius=10.0, side=25.0):
    """A ball of lithium in a corner of a cube, unstructured, one size everywhere."""
    with Gmsh() as gmsh:
        occ = gmsh.model.occ
        box, ball = occ.addBox(0, 0, 0, side, side, side), occ.addSphere(0, 0, 0, radius)
        inside, _ = occ.intersect([(3, box)], [(3, ball)], removeObject=False)
        occ.fragment([(3, box)], inside)
        occ.synchronize()
        volumes = [t for _, t in gmsh.model.getEntities(3)]
        lithium = min(volumes, key=lambda t: occ.getMass(3, t))
        rest = [t for t in volumes if t != lithium]
        gmsh.model.addPhysicalGroup(3, [lithium], name="lithium")
        gmsh.model.addPhysicalGroup(3, rest, name="electrolyte")
        for i, name in enumerate("xyz"):
            flat = []
            for _, face in gmsh.model.getEntities(2):
                bounds = gmsh.model.getBoundingBox(2, face)
                if abs(bounds[i]) < 1e-3 and abs(bounds[i + 3]) < 1e-3:
                    flat.append(face)
            gmsh.model.addPhysicalGroup(2, flat, name=f"symmetry_{name}")
        size(gmsh, h)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))


def iterations_3d(folder, h, inside):
    octant(folder / "octant.msh", h)
    result = compute(
        case_from(
            {
                "mesh": {"file": "octant.msh", "length_unit": "um"},
                "materials": {"lithium": inside, "electrolyte": MATERIAL},
                "eigenstrain": [{"group": "lithium", "strain": "1e-3"}],
                "solver": {"method": "iterative"},
            }
        ),
        folder,
    )
    return result.solution.report


def iterations_2d(n_tip, inside):
    result = compute(
        case_from(
            {
                "geometry": {
                    "type": "ellipse", "a": "10 um", "b": "2 um", "width": "200 um",
                    "filled": "lithium", "symmetry": "xy", "n_tip": n_tip,
                    "growth": 1.8 / n_tip, "h_max": f"{60 / n_tip} um",
                },
                "materials": {"lithium": inside, "electrolyte": MATERIAL},
                "eigenstrain": [{"group": "lithium", "strain": "1e-3"}],
                "solver": {"method": "iterative"},
            }
        )
    )  # fmt: skip
    return result.solution.report


@pytest.mark.parametrize("dim", [2, 3])
def test_iterations_do_not_grow(page, tmp_path, dim):
    """CG with algebraic multigrid over a 30-fold range of unknowns, lithium in LLZO."""
    if dim == 2:
        reports = [iterations_2d(n, LITHIUM) for n in (4, 12, 28)]
        same = iterations_2d(12, MATERIAL)
    else:
        reports = [iterations_3d(tmp_path, h, LITHIUM) for h in (8.0, 3.5, 1.75)]
        same = iterations_3d(tmp_path, 3.5, MATERIAL)
    unknowns = [r.unknowns for r in reports]
    count = [r.iterations for r in reports]
    assert all(r.method == "cg + gamg" for r in reports)
    assert unknowns[-1] >= 30 * unknowns[0]
    check = page(
        "rates",
        "Convergence rates",
        problem="Iterations of CG with GAMG to 1e-10, lithium (7.8 GPa) in LLZO (150 GPa), P2",
        reference="no growth with the number of unknowns or with the contrast",
        part=f"iterations, {dim}-D",
    )
    check.note(f"{count} iterations at {unknowns} unknowns; {same.iterations} without contrast")
    # multigrid theory: bounded; aggregation needs a few meshes to settle, hence 1.6 and not 1
    check.within("growth of iterations", count[-1] / count[0], 1.0, 0.6, why="at most 1.6")
    check.within("contrast against none", count[1] / same.iterations, 1.0, 0.6, why="at most 1.6")
