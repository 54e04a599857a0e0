"""The planar cell: patch tests through every feature, cracks, a film and holes by closed forms."""

from __future__ import annotations

from math import asin, cos, pi, radians, sin, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checks import E_PRIME, K0, NU, A, E, P, face
from mpi4py import MPI
from numpy.typing import NDArray
from ssbmech import build
from ssbmech.config_load import case_from
from ssbmech.domain import Domain, vertex_nodes
from ssbmech.fracture.tip import _nodal
from ssbmech.log import Progress
from ssbmech.mesh_stage import make_domain
from ssbmech.run import Result, compute
from ssbmech.solve import ElasticSystem, Solution

pytestmark = pytest.mark.verification

Blocks = dict[str, Any]


def um(size: float) -> str:
    """A length as text."""
    return f"{size} um"


def solve(geometry: Blocks, **blocks: Any) -> Result:
    """A `cell` of one elastic material; pressure P in the crack unless there is a ``load``."""
    data: Blocks = {"geometry": {"type": "cell", **geometry}}
    data["materials"] = {"electrolyte": {"E": f"{E} Pa", "nu": NU}}
    if "load" not in blocks:
        data["filament"] = {"pressure": f"{P} Pa"}
    data.update(blocks)
    return compute(case_from(data))


# -- patch test ------------------------------------------------------------------------------------

PLANE = {"width": um(40), "electrolyte": um(20), "lithium": um(10)}
SOLID = {"width": um(10), "electrolyte": um(5), "lithium": um(4), "depth": um(10)}
BONDED = {
    "layers": {"interlayer": um(1), "coating": um(0.5), "interphase": um(0.4),
               "cathode_coating": um(1), "stack_plate": um(3)},
    "protrusions": {"protrusion": [
        {"height": um(2.5), "radius": um(1), "x": um(-2.5)},
        {"height": um(2), "radius": um(0.8), "x": um(2), "shape": "finger"},
    ]},
    "wave": {"protrusion": [{"height": um(0.6), "shape": "wave", "wavelength": um(5)}]},
    "impurities": {"impurity": [
        {"radius": um(1), "thickness": um(0.5), "x": um(-3)},
        {"radius": um(1), "thickness": um(0.5), "x": um(0), "shape": "plate"},
        {"radius": um(1), "x": um(3)},
    ]},
    "contact film": {"contact": {"fraction": 0.4, "size": um(2.5)}},
}  # fmt: skip
OPEN = {
    "voids": {"void": [
        {"radius": um(1), "height": um(0.7), "x": um(-3)},
        {"radius": um(1), "height": um(1), "depth": um(0.5), "x": um(2)},
    ]},
    "half-filled finger": {"protrusion": [
        {"height": um(2.5), "radius": um(1), "shape": "finger", "filled": 0.5},
    ]},
    "contact gap": {"contact": {"fraction": 0.6, "size": um(2.5), "gap": True}},
    "crack, skin, void": {
        "void": [{"radius": um(1), "height": um(0.7), "x": um(-2), "strip": True}],
        "crack": [{"a": um(2), "at": "void_edge", "skin": um(0.3), "filled": 0.5,
                   "h_tip": um(0.2)}],
    },
}  # fmt: skip
WALLS = ("void_li", "void_sse", "void_skin", "blocked_li", "blocked_sse", "crack_")
CASES = [(name, dim) for dim in (2, 3) for name in (*BONDED, *OPEN)]


def strains(domain: Domain, solution: Solution) -> NDArray[np.float64]:
    """Strain of every cell from the displacement of its vertices, shape (n, d, d)."""
    d = domain.tdim
    cells = vertex_nodes(domain.mesh)
    x, nodes = domain.mesh.geometry.x, np.unique(cells)
    u = np.zeros((len(x), 3))
    u[nodes] = _nodal(solution, domain.node_ids[nodes])
    edges = (x[cells[:, 1:]] - x[cells[:, :1]])[..., :d]
    change = (u[cells[:, 1:]] - u[cells[:, :1]])[..., :d]
    gradient = np.linalg.solve(edges, change)
    return (gradient + np.swapaxes(gradient, 1, 2)) / 2


@pytest.mark.parametrize(("name", "dim"), CASES)
def test_patch_test_through_every_feature(page, name, dim):
    """Displacement of a constant strain on the outer sides.

    Bonded bodies take any strain. With open walls the strain is equal in all directions of the
    body, so that the stress on every wall is one pressure, whatever its shape.
    """
    check = page(
        "B1",
        "Patch test through the planar cell",
        problem="One elastic material in all groups. The outer sides get the displacement of a "
        "constant strain. Voids, gaps and cracks are open: there the strain is equal in all "
        "directions and their walls carry its pressure.",
        reference="The strain is the same in every element, curved and quarter-point ones too.",
        part=f"{name}, {dim}-D",
    )
    geometry = {**(PLANE if dim == 2 else SOLID), **(BONDED | OPEN)[name]}
    e = -1e-3
    wanted = e * np.eye(dim)
    if name in BONDED:
        wanted = 1e-3 * np.array([[1.0, 0.3, -0.2], [0.3, -0.5, 0.4], [-0.2, 0.4, 0.7]])[:dim, :dim]
    axes = "xyz"[:dim]
    u = {a: " + ".join(f"({wanted[i, k]})*{b}" for k, b in enumerate(axes))
         for i, a in enumerate(axes)}  # fmt: skip
    outer = ["left", "right", "bottom", "cathode_plane", *(["front", "back"] if dim == 3 else [])]
    lame, mu = E * NU / (1 + NU) / (1 - 2 * NU), E / 2 / (1 + NU)
    pressure = -(dim * lame + 2 * mu) * e
    material = {"E": f"{E} Pa", "nu": NU}
    data: Blocks = {
        "geometry": {"type": "cell", **geometry},
        "materials": {"electrolyte": material},
        "solver": {"method": "direct"},
    }
    mesh = build.make_mesh(case_from(data), Path())
    data["materials"] = {group: material for group in mesh.cell_groups}
    data["constraint"] = [{"group": g, "u": u} for g in outer]
    walls = [g for g in mesh.facet_groups if g.startswith(WALLS)]
    data["load"] = [{"group": g, "pressure": f"{pressure} Pa"} for g in walls]
    assert bool(walls) == (name in OPEN)
    case, silent = case_from(data), Progress(MPI.COMM_WORLD, quiet=True)
    with silent.stage("mesh") as note:
        domain, meshed = make_domain(case, Path(), MPI.COMM_WORLD, None, note)
    # Not by way of K: it vanishes here, and rings of zeros cannot agree within a percentage.
    problem = build.problem(case, meshed.setup, meshed.matter, domain)
    found = strains(domain, ElasticSystem(problem).solve())
    check.within(
        "strain of every element", found.reshape(len(found), -1), wanted.reshape(1, -1), 1e-10,
        scale=1.0, why="round-off, far below the strain of 1e-3",
    )  # fmt: skip


# -- cracks in 2-D ---------------------------------------------------------------------------------

WIDE = {"width": um(4000), "electrolyte": um(4000)}
INSIDE = {"a": um(10), "y": um(2000)}


def page_of(page, id, part):
    return page(
        id, part=f"in the geometry `cell`: {part}", title={
            "F1": "Griffith crack under internal pressure", "F2": "Edge crack",
            "F3": "Penny-shaped crack under internal pressure",
            "F4": "Semicircular surface flaw under internal pressure",
            "F6": "Griffith crack filled in part",
            "F10": "Inclined crack under compression, filled",
        }[id],
    )  # fmt: skip


def values(result: Result, name: str) -> list[float]:
    """At every tip, in MPa m^0.5."""
    return [float(front.values[name][0]) / 1e6 for front in result.fronts]


def test_edge_crack_in_a_cell_without_lithium(page):
    check = page_of(page, "F2", "half-plane, a/W = 1/200")
    result = solve({"width": um(4000), "electrolyte": um(2000), "crack": [{"a": um(10)}]})
    why = "0.03 % of the finite body and the mesh error at the tip"
    check.within("K_I", values(result, "K_I"), 1.12152 * K0 / 1e6, 3e-3, unit="MPa m^0.5", why=why)


@pytest.mark.parametrize("angle", [0, 35, 90])
def test_crack_inside_a_cell(page, angle):
    check = page_of(page, "F1", f"{angle} degrees off the normal of the interface")
    result = solve({**WIDE, "crack": [{**INSIDE, "angle": f"{angle} deg"}]})
    assert len(result.fronts) == 2
    check.within(
        "K_I", values(result, "K_I"), K0 / 1e6, 3e-3, unit="MPa m^0.5", why="as edge crack"
    )
    check.within("K_II", values(result, "K_II"), 0, 3e-3, scale=K0 / 1e6, why="as K_I")


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_crack_filled_in_its_middle(page, share):
    check = page_of(page, "F6", f"b = {share:g} a")
    result = solve({**WIDE, "crack": [{**INSIDE, "filled": share}]})
    exact = 2 * P * sqrt(A / pi) * asin(share) / 1e6
    check.within("K_I", values(result, "K_I"), exact, 3e-3, unit="MPa m^0.5",
                 why="K to 0.1 % plus the change of load at b")  # fmt: skip


def test_two_cracks_of_which_one_holds_lithium(page):
    """Far apart each is alone; the dry one feels nothing."""
    check = page_of(page, "F1", "beside a crack without lithium, 40 a away")
    dry = {**INSIDE, "x": um(400), "filled": 0.0}
    result = solve({**WIDE, "crack": [INSIDE, dry]})
    found = {front.name: float(front.values["K_I"][0]) / 1e6 for front in result.fronts}
    check.within("K_I of the filled one", [found["tip_1"], found["tip_2"]], K0 / 1e6, 3e-3,
                 unit="MPa m^0.5", why="as alone")  # fmt: skip
    check.within("K_I of the dry one", [found["tip_2_1"], found["tip_2_2"]], 0, 3e-3,
                 scale=K0 / 1e6, why="(a/d)^2/2 = 0.03 % of the other's stress")  # fmt: skip


@pytest.mark.parametrize("beta", [30, 60])
def test_inclined_crack_under_compression(page, beta):
    """beta between crack and the compression S along x."""
    check = page_of(page, "F10", f"beta = {beta} degrees")
    S = 80e6
    load = [{"group": f"crack_{side}", "pressure": f"{P} Pa"} for side in ("lower", "upper")]
    load += [{"group": side, "pressure": f"{S} Pa"} for side in ("left", "right")]
    result = solve({**WIDE, "crack": [{**INSIDE, "angle": f"{90 - beta} deg"}]}, load=load)
    b = radians(beta)
    K_I = (P - S * sin(b) ** 2) * sqrt(pi * A) / 1e6
    K_II = S * sin(b) * cos(b) * sqrt(pi * A) / 1e6
    check.within("K_I", values(result, "K_I"), K_I, 5e-3, scale=K0 / 1e6, unit="MPa m^0.5",
                 why="as F10")  # fmt: skip
    check.within("|K_II|", np.abs(values(result, "K_II")), K_II, 5e-3, scale=K0 / 1e6,
                 unit="MPa m^0.5", why="as F10")  # fmt: skip


@pytest.mark.parametrize("kink", [15, 60])
def test_kinked_crack(page, kink):
    """An edge crack whose last quarter turns: G by extension, and where it must come out."""
    check = page(
        "B2", "Kinked crack from the surface of a cell",
        problem="An edge crack of depth 10 um whose last 2.5 um turn, under internal pressure.",
        reference="G from the difference of the potential energy of two solves at which the tip is "
        "moved; J = (K_I^2 + K_II^2)/E'.", part=f"kink of {kink} degrees",
    )  # fmt: skip
    turn = radians(kink)
    corners = [[um(0), um(0)], [um(0), um(7.5)], [um(2.5 * sin(turn)), um(7.5 + 2.5 * cos(turn))]]
    crack = {"shape": "kinked", "points": corners}
    result = solve(
        {"width": um(2000), "electrolyte": um(1000), "crack": [crack]},
        fracture={"energy_check": True},
    )
    K_I, K_II = values(result, "K_I")[0] * 1e6, values(result, "K_II")[0] * 1e6
    G = result.checks[0].G
    check.within("(K_I^2 + K_II^2)/E'", (K_I**2 + K_II**2) / E_PRIME, G, 1e-2, unit="J/m^2",
                 why="twice the error of K")  # fmt: skip
    check.within("J", float(result.fronts[0].values["J"][0]), G, 1e-2, unit="J/m^2", why="as K")
    # A pressure in a crack opens the kinked part: mode II is the smaller one, and there is some.
    assert 0.02 < abs(K_II / K_I) < 0.7


def test_kinked_crack_without_a_kink_is_straight(page):
    check = page_of(page, "F2", "as a polyline of three pieces in one line")
    corners = [[um(0), um(y)] for y in (0, 4, 7, 10)]
    result = solve({"width": um(4000), "electrolyte": um(2000),
                    "crack": [{"shape": "kinked", "points": corners}]})  # fmt: skip
    check.within("K_I", values(result, "K_I"), 1.12152 * K0 / 1e6, 3e-3, unit="MPa m^0.5", why="")
    check.within("K_II", values(result, "K_II"), 0, 3e-3, scale=K0 / 1e6, why="")


# -- cracks in 3-D ---------------------------------------------------------------------------------

FRONT = {"shape": "ellipse", "a": um(10), "c": um(10), "h_tip": um(1), "growth": 0.4}


@pytest.mark.parametrize("angle", [0, 40])
def test_penny_crack_inside_a_cell(page, angle):
    """Unstructured tetrahedra, ten elements over the radius; a cube of 16 a."""
    check = page_of(page, "F3", f"{angle} degrees off the normal of the interface, tetrahedra")
    size = um(160)
    result = solve({"width": size, "electrolyte": size, "depth": size, "growth": 0.5,
                    "crack": [{**FRONT, "y": um(80), "angle": f"{angle} deg"}]})  # fmt: skip
    K = result.fronts[0].values["K_I"] / 1e6
    exact = 2 * P * sqrt(A / pi) / 1e6
    why = "tetrahedra of a tenth of the radius at the front"
    check.within("mean K_I", float(K.mean()), exact, 1e-2, unit="MPa m^0.5", why=why)
    check.within("K_I everywhere", K, exact, 2e-2, unit="MPa m^0.5", why=why)


def test_half_penny_at_the_surface_of_a_cell(page):
    check = page_of(page, "F4", "tetrahedra")
    result = solve({"width": um(160), "electrolyte": um(80), "depth": um(160), "growth": 0.5,
                    "crack": [FRONT]})  # fmt: skip
    front = result.fronts[0]
    K = front.values["K_I"] / K0
    phi = np.arctan2(front.points[:, 1], np.abs(front.points[:, 2]))
    inner = phi > radians(30)
    fit = 1.04 * (1 + 0.1 * (1 - np.sin(phi)) ** 2) / sqrt(2.464)
    why = "the fit is for nu = 0.3 and good to some percent; the swept mesh of `semi_ellipse` " \
          "gives 0.653 at the deepest point for nu = 0.25"  # fmt: skip
    check.within("K_I/(p sqrt(pi a)), 30 to 150 degrees", K[inner], fit[inner], 3e-2, why=why)
    deepest = float(K[int(np.argmax(phi))])
    check.within("deepest point against `semi_ellipse`", deepest, 0.653, 1e-2, why="mesh error")


# -- layers and holes ------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
def test_film_between_electrolyte_and_lithium(page, dim):
    check = page(
        "E4", "Thin film with a misfit", part=f"interphase of a `cell`, {dim}-D",
        problem="A layer that wants to grow by 1 % between layers that it cannot stretch: the "
        "sides of the cell are held, its top is free.",
        reference="sigma = -E e/(1 - nu) in both directions of the layer, none across it: mean "
        "pressure 2 E e/(3(1 - nu)); the layer swells by e (1 + nu)/(1 - nu) of its thickness.",
    )  # fmt: skip
    body = {**(PLANE if dim == 2 else SOLID), "interphase": um(0.5)}
    sides = {"left": "x", "right": "x", "bottom": "y"}
    sides |= {"front": "z", "back": "z"} if dim == 3 else {}
    result = solve(
        body, load=[],
        materials={g: {"E": f"{E} Pa", "nu": NU} for g in ("electrolyte", "lithium", "interphase")},
        constraint=[{"group": g, "u": {axis: "0 um"}} for g, axis in sides.items()],
        eigenstrain=[{"group": "interphase", "strain": "0.01"}],
    )  # fmt: skip
    exact = 2 * E * 0.01 / (3 * (1 - NU)) / 1e6
    check.within("mean pressure", result.means["interphase"] / 1e6, exact, 1e-6, unit="MPa",
                 why="linear displacement: exact but for round-off")  # fmt: skip
    _, u = face(result, "cathode_plane")
    rise = 0.5 * 0.01 * (1 + NU) / (1 - NU)
    check.within("rise of the top", u[:, 1] * 1e6, rise, 1e-6, unit="um", why="as above")


@pytest.mark.parametrize(
    ("dim", "exact"), [(2, 3.0), (3, 3 * (9 - 5 * NU) / (2 * (7 - 5 * NU)))]
)  # fmt: skip
def test_round_void_in_equal_materials(page, dim, exact):
    """A lens as high as it is deep is a circle (a ball), its equator in the interface."""
    check = page(
        "B3", "Round void at an interface between equal materials", part=f"{dim}-D",
        problem="A circular (3-D: spherical) void under tension along the interface. Both "
        "materials are the same, so the interface is only a group.",
        reference="Largest stress over the tension: 3 (Kirsch 1898); a sphere "
        "3(9 - 5 nu)/(2(7 - 5 nu)) (Goodier 1933).",
    )  # fmt: skip
    size = 60.0 if dim == 2 else 16.0
    geometry = {"width": um(size), "electrolyte": um(size / 2), "lithium": um(size / 2),
                "void": [{"radius": um(1), "height": um(1), "depth": um(1)}]}  # fmt: skip
    symmetry = {"symmetry": "x"} if dim == 2 else {"symmetry": "xz", "depth": um(size)}
    result = solve(
        {**geometry, **symmetry},
        materials={g: {"E": f"{E} Pa", "nu": NU} for g in ("electrolyte", "lithium")},
        load=[{"group": "right", "traction": {"x": f"{P} Pa"}}],
        fracture={"maximum": ["void_sse", "void_li"]},
    )
    found = [peak.value / P for peak in result.peaks]
    why = "width 30 r: 0.3 %; stress at the wall" if dim == 2 else "width 8 r: 0.3 %; coarse wall"
    check.within("largest stress", found, exact, 1e-2 if dim == 2 else 3e-2, why=why)
