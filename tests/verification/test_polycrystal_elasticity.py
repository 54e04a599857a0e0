"""Crystals of lithium, each with its orientation: stiffness, averages, and J at cracks in them."""

from __future__ import annotations

import json
from dataclasses import replace
from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from polycrystals import (
    FACES,
    A,
    P,
    crack_in_boundary,
    crack_results,
    cube,
    griffith,
    lithium,
    problem,
    sides_under,
    single_crystal,
    solve,
    voigt_stiffness,
    with_grains,
)
from scipy.spatial.transform import Rotation
from ssbmech.errors import FractureError
from ssbmech.formula import Formula
from ssbmech.fracture.extension import extension_check
from ssbmech.fracture.front import Crack
from ssbmech.fracture.rings import RingOptions, fracture
from ssbmech.problem import Constraint, Material
from ssbmech.solve import ElasticSystem

pytestmark = pytest.mark.verification

LI = lithium()
CRYSTAL = Material.of_crystal(LI)
PLAIN = Material(Formula.constant(150e9, "pressure"), 0.25)
VOLUME = 1e-15  # cube of 10 um [m^3]
STRAIN, STRESS = 1e-3, 1e6
CRACK = ("crack_lower", "crack_upper")


def _shears():
    """Orthonormal basis of the symmetric tensors without trace."""
    basis = [np.diag([1.0, -1.0, 0.0]) / sqrt(2), np.diag([1.0, 1.0, -2.0]) / sqrt(6)]
    for i, j in ((0, 1), (1, 2), (0, 2)):
        e = np.zeros((3, 3))
        e[i, j] = e[j, i] = sqrt(0.5)
        basis.append(e)
    return basis


# -- one crystal ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "source", "off"), [((1, 0, 0), 3.0e9, 0.03), ((1, 1, 1), 21.2e9, 0.0025)]
)
def test_youngs_modulus_of_a_crystal(page, direction, source, off):
    check = page(
        "C1", "Young's modulus of a lithium crystal",
        problem="A cube of one crystal, pulled along a direction of the crystal, sides free.",
        reference="E<100> = 3.0 GPa and E<111> = 21.2 GPa with C11, C12, C44 = 13.42, 11.3, "
        "8.8 GPa (Narayan & Anand 2018); 1/E = s11 - 2 (s11 - s12 - s44/2)(l^2 m^2 + ...) (Nye).",
        part=f"<{''.join(map(str, direction))}>",
    )  # fmt: skip
    unit = np.array(direction) / np.linalg.norm(direction)
    turn = Rotation.align_vectors([[0, 1, 0]], [unit])[0]
    pull = {"bottom": -STRESS, "top": -STRESS}
    solution = solve(single_crystal(cube(2), turn), CRYSTAL, pressure=pull)
    E = STRESS**2 * VOLUME / (2 * solution.strain_energy)
    compliance = np.linalg.inv(_mandel(voigt_stiffness(LI)))
    load = _mandel(np.outer(unit, unit))
    exact = 1 / (load @ compliance @ load)
    why = "the stress is uniform: rounding, times the condition of the system"
    check.within("E against the inverse of C_ijkl", E, exact, 1e-10, unit="Pa", why=why)
    assert LI.modulus_along(direction) == pytest.approx(exact, rel=1e-12)
    why = "half a unit of the last digit of C11 - C12 = 2.12 GPa is 2.5 %, of 3.0 GPa 1.7 %"
    check.within("E against the source", E, source, off, unit="Pa", why=why)


def _mandel(tensor):
    """A symmetric tensor of rank 2 or 4 as a vector or matrix that keeps inner products."""
    pairs = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    w = np.array([1, 1, 1, sqrt(2), sqrt(2), sqrt(2)])
    if tensor.ndim == 2:
        return w * np.array([tensor[p] for p in pairs])
    return w[:, None] * w * np.array([[tensor[p + q] for q in pairs] for p in pairs])


@pytest.mark.parametrize("seed", range(3))
def test_rotated_together(page, seed):
    """Crystal, body and load turned by one rotation: the same energy."""
    check = page(
        "C2", "Rotation of body, load and crystals together",
        problem="A cube of 20 crystals under a stress that is not uniform inside it.",
        reference="The energy does not change.", part=f"rotation {seed}",
    )  # fmt: skip
    turn = Rotation.random(random_state=seed)
    rng = np.random.default_rng(seed)
    data = with_grains(cube(3), rng.random((20, 3)) * 10, Rotation.random(20, random_state=seed))
    stress = rng.standard_normal((3, 3))
    loads = sides_under(STRESS * (stress + stress.T))
    R = turn.as_matrix()
    turned = replace(
        data, points=data.points @ R.T,
        orientations=(turn * Rotation.from_quat(data.orientations)).as_quat(),
    )  # fmt: skip
    before = solve(data, CRYSTAL, traction=loads).strain_energy
    after = solve(turned, CRYSTAL, traction={k: R @ t for k, t in loads.items()}).strain_energy
    check.within("strain energy", after, before, 1e-12, unit="J", why="rounding")
    alone = solve(replace(data, points=turned.points), CRYSTAL,
                  traction={k: R @ t for k, t in loads.items()}).strain_energy  # fmt: skip
    assert abs(alone / before - 1) > 1e-2  # the crystals left as they were: another body


# -- averages ------------------------------------------------------------------------------------


def test_bulk_modulus_of_a_polycrystal(page):
    check = page(
        "C3", "Bulk modulus of a polycrystal",
        problem="A cube of 60 crystals in random orientations under a dilatation of its sides, "
        "and under hydrostatic tension.",
        reference="(C11 + 2 C12)/3 of any aggregate of one cubic crystal: the strain is uniform.",
    )  # fmt: skip
    rng = np.random.default_rng(4)
    data = with_grains(cube(5), rng.random((60, 3)) * 10, Rotation.random(60, random_state=4))
    exact = (13.42e9 + 2 * 11.3e9) / 3
    driven = solve(data, CRYSTAL, gradient=STRAIN * np.eye(3)).strain_energy
    loaded = solve(data, CRYSTAL, traction=sides_under(STRESS * np.eye(3))).strain_energy
    K = [2 * driven / VOLUME / (3 * STRAIN) ** 2, STRESS**2 * VOLUME / (2 * loaded)]
    check.within("K", K, exact, 1e-10, unit="Pa", why="rounding")


def hashin_shtrikman(cubic):
    """Bounds of the shear modulus of an untextured cubic polycrystal (J. Mech. Phys. Solids 10)."""
    K, soft, hard = cubic.bulk, (cubic.C11 - cubic.C12) / 2, cubic.C44

    def beta(G):
        return -3 * (K + 2 * G) / (5 * G * (3 * K + 4 * G))

    one = soft + 3 / (5 / (hard - soft) - 4 * beta(soft))
    two = hard + 2 / (5 / (soft - hard) - 6 * beta(hard))
    return min(one, two), max(one, two)


def apparent_shear(grains, cells, seed):
    """Isotropic part of the apparent shear stiffness: prescribed stress, prescribed strain.

    The mean over five independent shears: Voigt's and Reuss's average of it do not depend on the
    orientations at all, so that the texture of a small sample only enters in second order.
    """
    rng = np.random.default_rng(seed)
    turns = Rotation.random(grains, random_state=seed)
    data = with_grains(cube(cells), rng.random((grains, 3)) * 10, turns)
    strain = [solve(data, CRYSTAL, gradient=STRAIN * b).strain_energy for b in _shears()]
    stress = [solve(data, CRYSTAL, traction=sides_under(STRESS * b)) for b in _shears()]
    G_strain = np.mean(strain) / VOLUME / STRAIN**2
    G_stress = STRESS**2 * VOLUME / (4 * np.mean([s.strain_energy for s in stress]))
    return G_stress, G_strain


def test_untextured_polycrystal_within_bounds(page):
    """Shear modulus of an aggregate of lithium crystals (2 C44/(C11 - C12) = 8.3)."""
    low, high = hashin_shtrikman(LI)
    # the same bounds in their other form, with a reference medium of the soft or hard shear modulus
    for found, G in ((low, (LI.C11 - LI.C12) / 2), (high, LI.C44)):
        star = G * (9 * LI.bulk + 8 * G) / (6 * (LI.bulk + 2 * G))
        mean = 0.4 / ((LI.C11 - LI.C12) / 2 + star) + 0.6 / (LI.C44 + star)
        assert found == pytest.approx(1 / mean - star, rel=1e-12)
    check = page(
        "C4", "Shear modulus of an untextured polycrystal",
        problem="Cubes of 27 (three samples) and 125 lithium crystals in random orientations under "
        "uniform strain of the sides (an upper estimate) and uniform stress on them (a lower one), "
        "in five independent shears. The difference to the infinite aggregate is that of the "
        "layer of grains at the sides and goes as one over the number of grains along an edge, "
        "which extrapolates both.",
        reference=f"Hashin & Shtrikman (1962): {low / 1e9:.3f} to {high / 1e9:.3f} GPa; Voigt "
        f"{LI.shear_voigt / 1e9:.3f}, Reuss {LI.shear_reuss / 1e9:.3f} GPa.",
    )  # fmt: skip
    small = np.mean([apparent_shear(27, 6, seed) for seed in (1, 2, 3)], axis=0)
    large = np.array(apparent_shear(125, 10, 1))
    for sample in (small, large):  # Hill 1952, exact on any sample and any mesh
        assert LI.shear_reuss < sample[0] < sample[1] < LI.shear_voigt
    stress, strain = (5 * large - 3 * small) / 2  # 3 and 5 grains along an edge
    middle, half = (low + high) / 2, (high - low) / 2
    why = "the bounds themselves, scaled to -1 and 1 half-width from their middle"
    for name, G in (("stress", stress), ("strain", strain)):
        check.within(
            f"G, prescribed {name}, extrapolated", G / 1e9, middle / 1e9, 1.0, scale=half / 1e9,
            unit="GPa", why=why,
        )  # fmt: skip
    check.within(
        "the two, extrapolated", strain / 1e9, stress / 1e9, 0.1, unit="GPa",
        why="they estimate one modulus; at 125 grains they differ by 27 %, of which the "
        "extrapolation takes the first order",
    )  # fmt: skip
    check.note(f"apparent, 27 grains: {small[0] / 1e9:.3f} to {small[1] / 1e9:.3f} GPa; "
               f"125 grains: {large[0] / 1e9:.3f} to {large[1] / 1e9:.3f} GPa")  # fmt: skip


# -- cracks --------------------------------------------------------------------------------------


def release_per_K2(cubic, rotation):
    """G/K_I^2 of a crack along x in plane strain, and the reduced compliances.

    Sih, Paris & Irwin, Int. J. Fract. Mech. 1, 1965: a22/2 Im[-(m1 + m2)/(m1 m2)] with the roots of
    a11 m^4 - 2 a16 m^3 + (2 a12 + a66) m^2 - 2 a26 m + a22 = 0 and positive imaginary part.
    """
    weight = np.array([1, 1, 1, sqrt(2), sqrt(2), sqrt(2)])
    S = np.linalg.inv(_mandel(voigt_stiffness(cubic, rotation))) * weight[:, None] * weight
    a = S - np.outer(S[:, 2], S[2]) / S[2, 2]
    roots = np.roots([a[0, 0], -2 * a[0, 5], 2 * a[0, 1] + a[5, 5], -2 * a[1, 5], a[1, 1]])
    m1, m2 = roots[roots.imag > 0]
    return float(a[1, 1] / 2 * (-(m1 + m2) / (m1 * m2)).imag), a


@pytest.mark.parametrize(("tilt", "angle"), [(0, 0), (0, 20), (45, 0), (45, 30), (45, 90)])
def test_griffith_crack_in_a_crystal(page, tilt, angle):
    check = page(
        "C5", "Crack in a crystal under internal pressure",
        problem="The Griffith crack of F1 in a lithium crystal with an axis (tilt 0) or the "
        "diagonal between two axes (tilt 45 deg) along z, turned about z; plane strain.",
        reference="G = K^2 sqrt(a11 a22/2) [sqrt(a22/a11) + (2 a12 + a66)/(2 a11)]^(1/2) with the "
        "compliances of plane strain and K = p sqrt(pi a) as in an isotropic body (Sih, Paris & "
        "Irwin 1965), for a turned crystal in its general form.",
        part=f"tilt {tilt} deg, turned by {angle} deg",
    )  # fmt: skip
    turn = Rotation.from_euler("xz", [tilt, angle], degrees=True)
    factor, a = release_per_K2(LI, turn.as_matrix())
    if angle in (0, 90):  # axes of the crystal's symmetry: the closed form
        root = sqrt(a[1, 1] / a[0, 0]) + (2 * a[0, 1] + a[5, 5]) / (2 * a[0, 0])
        assert factor == pytest.approx(sqrt(a[0, 0] * a[1, 1] / 2) * sqrt(root), rel=1e-12)
    data = single_crystal(griffith(half_width=2000.0, growth=0.15), turn)
    solution = solve(data, CRYSTAL, pressure=FACES, model="plane_strain")
    why = "the mesh is one for F1 at twice its growth; J is off by 0.05 % on it"
    for tip in ("tip_left", "tip_right"):
        front = crack_results(solution, tip)
        J = P**2 * pi * A * factor
        check.within(f"J at {tip}", front.values["J"], J, 3e-3, unit="J/m^2", why=why)
        assert "K_I" not in front.values
        assert any("anisotropic" in note for note in front.notes)
    check.within("spread of the rings", front.spread, 0.0, 1e-3, scale=1.0, why="path independent")


def aggregate(tilted=False):
    """Line crack in an aggregate of grains of 7 um, whose boundaries follow the mesh."""
    rng = np.random.default_rng(3)
    seeds = (rng.random((120, 2)) - 0.5) * 80
    turns = Rotation.from_euler("z", rng.random(120) * 90, degrees=True)
    if tilted:
        turns = Rotation.random(120, random_state=2)
    return with_grains(griffith(half_width=200.0, growth=0.15), seeds, turns)


@pytest.mark.parametrize("tilted", [False, True])
def test_crack_in_an_aggregate(page, tilted):
    check = page(
        "C6", "Crack in an aggregate of crystals",
        problem="The crack of F1 in lithium with grains of 7 um, tips inside grains.",
        reference="Energy released when the tip is moved with the mesh around it, within its "
        "grain: nothing of the domain integral enters.",
        part="tilted out of the plane" if tilted else "turned about z",
    )  # fmt: skip
    solution = solve(aggregate(tilted), CRYSTAL, pressure=FACES, model="plane_strain")
    isotropic = solve(aggregate(tilted), PLAIN, pressure=FACES, model="plane_strain")
    found = []
    for tip in ("tip_left", "tip_right"):
        front = crack_results(solution, tip)
        G = extension_check(solution, Crack(CRACK, tip, False), [front])[0].G
        rings = [ring.values["J"][0] for ring in front.rings]
        check.within(f"J of all rings at {tip}", rings, G, 2e-3, unit="J/m^2", why="as for F1")
        assert any("out of the plane" in note for note in front.notes) == tilted
        found.append(front.values["J"][0])
    assert abs(found[0] / found[1] - 1) > 0.05  # the grains at the tips matter
    K = [crack_results(isotropic, tip).values["K_I"][0] for tip in ("tip_left", "tip_right")]
    check.within(
        "K with one isotropic modulus in all grains", K, P * sqrt(pi * A), 5e-3, unit="Pa m^0.5",
        why="0.34 % is the finite body",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["across", "beside"])
def test_rings_over_a_straight_boundary(page, tmp_path, kind):
    """Rings over a boundary between two crystals in one group agree with rings that stay off it."""
    from ssbmech.meshes.importer import read_mesh
    from test_interfaces import two_materials

    check = page(
        "C7", "Rings over a grain boundary",
        problem="A crystal turned by 45 deg about z, 2 um from the tip, " + kind + " the crack.",
        reference="Energy released when the tip is moved within its own crystal.", part=kind,
    )  # fmt: skip
    two_materials(tmp_path / "two.msh", kind, 2e-6)
    data = read_mesh(tmp_path / "two.msh", 1.0)
    grains = np.where(data.cell_tags == data.cell_groups["near"], 1, 2).astype(np.int32)
    data = replace(
        data, cell_tags=np.ones_like(data.cell_tags), cell_groups={"electrolyte": 1},
        grains=grains, orientations=Rotation.from_euler("z", [45, 0], degrees=True).as_quat(),
    )  # fmt: skip
    zero = Formula.constant(0.0, "length")
    held = (Constraint("symmetry_x", {0: zero}), Constraint("symmetry_y", {1: zero}))
    p = problem(data, CRYSTAL, pressure={"crack_upper": P}, model="plane_strain")
    solution = ElasticSystem(replace(p, constraints=held)).solve()
    crack = Crack(("crack_upper",), "tip", True)
    radii = tuple(np.array([1.0, 1.6, 3.0, 5.0, 8.0]) * 1e-6)
    front = fracture(solution, crack, RingOptions(radii=radii))[0]
    J = [ring.values["J"][0] for ring in front.rings]
    G = extension_check(solution, crack, [front])[0].G
    check.within("J of all rings", J, G, 2e-3, unit="J/m^2", why="as for rings over an interface")
    # left alone, rings stay off a boundary that their extension would move, and cross one along it
    widest = max(ring.outer for ring in fracture(solution, crack)[0].rings)
    assert (widest < 2e-6) == (kind == "across")


def test_crack_in_a_boundary(page):
    check = page(
        "C8", "Crack in a grain boundary",
        problem="The crack of F1 in a flat boundary between lithium crystals turned by 20 deg "
        "either way.",
        reference="Energy released when the tip is moved along the boundary.",
    )  # fmt: skip
    data = crack_in_boundary(20.0, half_width=200.0, growth=0.15)
    solution = solve(data, CRYSTAL, pressure=FACES, model="plane_strain")
    front = crack_results(solution)
    G = extension_check(solution, Crack(CRACK, "tip_right", False), [front])[0].G
    rings = [ring.values["J"][0] for ring in front.rings]
    check.within("J of all rings", rings, G, 2e-3, unit="J/m^2", why="as for F1")


@pytest.mark.parametrize("second", [0, 45])
def test_penny_in_crystals(page, second):
    """A penny in one crystal, or in two that share the axis and alternate by eighths."""
    from ssbmech.meshes.solid import penny

    check = page(
        "C9", "Penny in crystals",
        problem="The penny of F3 (octant) in lithium with an axis of the crystal along its normal; "
        "in every other eighth of the circle the crystal is turned about that axis.",
        reference="The body looks the same at any scale, so that the energy goes as a^3 and the "
        "mean of J is 3 p V/(4 pi a^2) with the opened volume V, whatever the stiffness; energy "
        "by extension.",
        part="one crystal" if second == 0 else "turned by 45 deg, boundaries across the front",
    )  # fmt: skip
    data = penny(10.0, 200.0, sectors=12, web_sectors=6, h_front=0.1, growth=0.5)
    x, y = data.points[data.cells[:, :4]].mean(axis=1)[:, :2].T
    turns = Rotation.from_euler("z", [0, second], degrees=True)
    data = replace(
        data, grains=np.where(y < x, 1, 2).astype(np.int32), orientations=turns.as_quat()
    )
    zero = Formula.constant(0.0, "length")
    p = problem(data, CRYSTAL, pressure={"crack_upper": P})
    held = tuple(Constraint(f"symmetry_{c}", {i: zero}) for i, c in enumerate("xyz"))
    solution = ElasticSystem(replace(p, constraints=held)).solve()
    crack = Crack(("crack_upper",), "front", True)
    front = fracture(solution, crack)[0]
    J = front.values["J"]
    mean = np.trapezoid(J, front.s) / (front.s[-1] - front.s[0])
    exact = 3 * 8 * solution.load_work / (4 * pi * A**2)
    why = "as the volume of F3: both sides have the energy error of the mesh"
    check.within("mean J along the front", mean, exact, 5e-3, unit="J/m^2", why=why)
    extension = extension_check(solution, crack, [front])[0]
    check.within("mean J against G", extension.J, extension.G, 5e-3, unit="J/m^2", why="as F3")
    assert J.max() / J.min() > 1.3  # J is far from uniform along the front
    if second == 0:
        check.within("J at both ends", J[0], J[-1], 1e-6, unit="J/m^2", why="the mirror at 45 deg")


def test_case_with_a_crystal():
    """From a case file: J, no K and no criterion, with the reason in the summary."""
    from checks import solve as run

    crystal = {"C11": "187 GPa", "C12": "75 GPa", "C44": "71 GPa", "K_IC": "1 MPa*m^0.5"}
    result = run({"type": "griffith", "half_width": "200 um"}, materials={"electrolyte": crystal})
    assert result.porz is None and result.passed
    assert set(result.summary["quantities"]) == {"J"}
    for front in result.summary["fronts"]:
        assert any("K_IC is not compared" in note for note in front["notes"])
    spread = [g for g in result.gates if g["name"].startswith("ring spread")]
    assert all("J over J" in g["what"] for g in spread)


def test_crack_that_ends_across_a_boundary():
    """No J where crystals meet at the tip across the crack."""
    seeds = np.array([[5.0, 0.01], [15.1, 0.0]])
    turns = Rotation.from_euler("z", [0, 45], degrees=True)
    data = with_grains(griffith(half_width=200.0), seeds, turns)
    at_tip = (data.cells == data.fronts["tip_right"][0, 0]).any(axis=1)
    assert len(set(data.grains[at_tip])) == 2
    solution = solve(data, CRYSTAL, pressure=FACES, model="plane_strain")
    with pytest.raises(FractureError, match="'tip_right' ends on a boundary of a crystal"):
        crack_results(solution)
    assert crack_results(solution, "tip_left").values["J"][0] > 0


def test_isotropic_front_among_crystals():
    """Rings of K stop short of crystals; where they begin at once, J is given alone."""
    data = griffith(half_width=200.0)
    middle = data.points[data.cells[:, :3]].mean(axis=1)
    for reach, with_K in ((4.0, True), (0.3, False)):
        far = np.linalg.norm(middle[:, :2] - [10, 0], axis=1) > reach
        mixed = replace(
            data, cell_tags=np.where(far, 2, 1).astype(np.int32),
            cell_groups={"electrolyte": 1, "lithium": 2},
        )  # fmt: skip
        materials = {"electrolyte": PLAIN, "lithium": CRYSTAL}
        solution = solve(mixed, materials, pressure=FACES, model="plane_strain")
        crack = Crack(CRACK, "tip_right", False)
        front = fracture(solution, crack, RingOptions(spread_limit=1.0))[0]
        assert ("K_I" in front.values) == with_K
        if with_K:
            assert front.clearance[1] == "nearest crystal" and front.clearance[0] < 4.5e-6
            G = extension_check(solution, crack, [front])[0].G
            assert front.values["J"][0] == pytest.approx(G, rel=5e-3)
            E_prime = 150e9 / (1 - 0.25**2)
            assert front.values["K_I"][0] == pytest.approx(sqrt(E_prime * G), rel=5e-3)
        else:
            assert any("crystals begin" in note for note in front.notes)


# -- ranks ---------------------------------------------------------------------------------------


@pytest.mark.mpi
def test_ranks_agree(tmp_path, mpirun):
    """Energy and J of the aggregate on 1 and 3 ranks, and its fields with grains."""
    script = tmp_path / "script.py"
    script.write_text(f"""
import json, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from mpi4py import MPI
from pathlib import Path
from polycrystals import *
from test_polycrystal_elasticity import CRYSTAL, aggregate
from ssbmech.output.fields import write_fields
root = MPI.COMM_WORLD.rank == 0
out = Path(sys.argv[1])
system = ElasticSystem(problem(aggregate() if root else None, CRYSTAL, pressure=FACES,
                               model="plane_strain"))
solution = system.solve()
rings = RingOptions(radii=(1e-6, 4e-6, 9e-6), spread_limit=1.0)
fronts = [crack_results(solution, tip, rings) for tip in ("tip_left", "tip_right")]
values = [float(r.values["J"][0]) for f in fronts for r in f.rings]
if root:
    out.mkdir()
MPI.COMM_WORLD.barrier()
write_fields(out, system, solution)
if root:
    (out / "values.json").write_text(json.dumps([solution.strain_energy, *values]))
""")
    found = []
    for n in (1, 3):
        mpirun(n, script, tmp_path / f"on_{n}", timeout=200)
        found.append(json.loads((tmp_path / f"on_{n}" / "values.json").read_text()))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-8)
    import pyvista

    numbers: set[int] = set()
    for part in (tmp_path / "on_3").rglob("*.vtu"):
        numbers |= set(np.unique(pyvista.read(part).cell_data["grain"]).astype(int).tolist())
    assert numbers == set(np.unique(aggregate().grains).tolist())
