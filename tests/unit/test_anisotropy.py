"""Cubic crystals: constants, averages, rotation, what a case may say of them, what is refused."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from ssbmech import build_materials, crystals
from ssbmech.config import MaterialBlock
from ssbmech.config_load import case_from
from ssbmech.errors import CaseError, MaterialError, MeshError
from ssbmech.fracture.judge import Toughness, judge
from ssbmech.materials.laws import Cubic
from ssbmech.physics import anisotropy
from ssbmech.problem import Material

LI = Cubic(13.42e9, 11.3e9, 8.8e9)
GIVEN = {"C11": "187 GPa", "C12": "75 GPa", "C44": "71 GPa"}


def stiffness(cubic, R):
    """C_ijkl by its definition and by rotating four indices."""
    C = np.zeros((3, 3, 3, 3))
    for i, j in product(range(3), repeat=2):
        C[i, i, j, j] = cubic.C11 if i == j else cubic.C12
        if i != j:
            C[i, j, i, j] = C[i, j, j, i] = cubic.C44
    return np.einsum("ia,jb,kc,ld,abcd->ijkl", R, R, R, R, C)


def strains(n, seed=0):
    e = np.random.default_rng(seed).standard_normal((n, 3, 3))
    return e + np.swapaxes(e, 1, 2)


# -- constants -----------------------------------------------------------------------------------


def test_averages():
    """Voigt and Reuss from the mean over orientations, Hill between them."""
    R = Rotation.random(4000, random_state=1).as_matrix()
    e = np.diag([1.0, -1.0, 0.0]) / np.sqrt(2)
    along = np.einsum("gik,ij,gjk->gk", R, e, R)
    energy = 2 * LI.C44 + LI.excess * (along**2).sum(axis=1)
    # the mean of 4000 samples: 1 % is four standard errors
    assert energy.mean() / 2 == pytest.approx(LI.shear_voigt, rel=0.01)
    soft, hard = 1 / (LI.C11 - LI.C12), 1 / (2 * LI.C44)
    compliance = hard + (soft - hard) * (along**2).sum(axis=1)
    assert 1 / (2 * compliance.mean()) == pytest.approx(LI.shear_reuss, rel=0.03)
    assert LI.shear_reuss < LI.hill.mu < LI.shear_voigt
    assert LI.hill.mu == pytest.approx((LI.shear_reuss + LI.shear_voigt) / 2, rel=1e-12)
    assert LI.hill.bulk == pytest.approx(LI.bulk, rel=1e-12)
    assert LI.zener == pytest.approx(17.6 / 2.12)


def test_isotropic_constants_are_isotropic():
    lam, mu = 60e9, 40e9
    cubic = Cubic(lam + 2 * mu, lam, mu)
    E, nu = mu * (3 * lam + 2 * mu) / (lam + mu), lam / (2 * (lam + mu))
    assert cubic.is_isotropic and not LI.is_isotropic
    for direction in ((1, 0, 0), (1, 1, 0), (2, -3, 5)):
        assert cubic.modulus_along(direction) == pytest.approx(E, rel=1e-12)
    material = Material.of_crystal(cubic)
    assert material.cubic is None and material.nu == pytest.approx(nu, rel=1e-12)
    assert Material.of_crystal(LI).cubic == LI


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((2e9, 3e9, 1e9), "C11 must exceed"),
        ((2e9, -3e9, 1e9), "C11 must exceed"),
        ((2e9, -1e9, 1e9), r"C11 \+ 2 C12 must be positive"),
        ((2e9, 1e9, 0.0), "C44 must be positive"),
        ((2e9, 1e9, -1e9), "C44 must be positive"),
        ((float("nan"), 1e9, 1e9), "must be a number"),
    ],
)
def test_unstable_crystals(values, message):
    with pytest.raises(MaterialError, match=message) as error:
        Cubic(*values)
    assert "C11, C12, C44" in str(error.value) and "GPa" in str(error.value)


# -- rotation ------------------------------------------------------------------------------------


def test_axes_are_those_of_the_quaternion():
    turns = Rotation.random(50, random_state=2)
    axes = anisotropy.axes_of(turns.as_quat())
    np.testing.assert_allclose(axes, turns.as_matrix(), atol=1e-14)
    np.testing.assert_allclose(anisotropy.axes_of(-turns.as_quat()), axes, atol=0)


def test_stress_is_that_of_the_rotated_stiffness():
    turns = Rotation.random(20, random_state=3).as_matrix()
    eps = strains(20)
    for R, e in zip(turns, eps, strict=True):
        exact = np.einsum("ijkl,kl->ij", stiffness(LI, R), e)
        found = LI.C12 * np.trace(e) * np.eye(3) + 2 * LI.C44 * e
        found = found + anisotropy.excess_stress(e, LI.excess, R)
        np.testing.assert_allclose(found, exact, atol=1e-12 * np.abs(exact).max())
    many = anisotropy.excess_stress(eps[:, None], LI.excess, turns[:, None])
    one = anisotropy.excess_stress(eps[7], LI.excess, turns[7])
    np.testing.assert_allclose(many[7, 0], one, rtol=1e-12)


def test_symmetry_of_the_crystal():
    """The 48 operations of the cube leave the stress as it is."""
    e = strains(1)[0]
    turn = Rotation.random(random_state=4).as_matrix()
    before = anisotropy.excess_stress(e, LI.excess, turn)
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            other = turn[:, list(order)] * np.array(signs)
            after = anisotropy.excess_stress(e, LI.excess, other)
            np.testing.assert_allclose(after, before, atol=1e-12 * abs(before).max())


def test_ufl_is_the_same_stress():
    import ufl

    R, e = Rotation.random(random_state=5).as_matrix(), strains(1)[0]
    found = anisotropy.excess_stress_ufl(ufl.as_matrix(e.tolist()), 2.0, ufl.as_matrix(R.tolist()))
    values = [[found[i, j](()) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(values, anisotropy.excess_stress(e, 2.0, R), rtol=1e-12)


@pytest.mark.parametrize(
    ("axis", "angle", "plane"),
    [("z", 33, True), ("x", 90, True), ("x", 45, True), ("x", 20, False), ("y", 30, False)],
)
def test_coupling_out_of_the_plane(axis, angle, plane):
    R = Rotation.from_euler(axis, [angle], degrees=True).as_matrix()
    assert (anisotropy.out_of_plane(R) < 1e-12) == plane


# -- which cells have which axes -----------------------------------------------------------------


def fake_problem(*, model="3d", grains=(1, 1, 2, 2, 0), orientations=None, cubic=(LI, None)):
    """A problem with two groups, tags 1 and 2, on five cells, as far as ``crystals`` looks."""
    turns = Rotation.from_euler("z", [0, 30], degrees=True).as_quat()
    domain = SimpleNamespace(
        grains=None if grains is None else np.array(grains, np.int32),
        orientations=turns if orientations is None else orientations,
        cell_groups={"electrolyte": 1, "lithium": 2},
        tag_of_cell=lambda: np.array([1, 1, 1, 1, 2], np.int32),
        comm=SimpleNamespace(allgather=lambda x: [x]),
    )
    plain = Material.of_crystal(Cubic(3e9, 1e9, 1e9))
    materials = {
        name: plain if c is None else Material.of_crystal(c)
        for name, c in zip(domain.cell_groups, cubic, strict=True)
    }
    has = any(m.cubic is not None for m in materials.values())
    return SimpleNamespace(domain=domain, materials=materials, model=model, has_crystals=has)


def test_axes_of_cells():
    axes = crystals.axes_of_cells(fake_problem(), np.array([4, 2, 0]))
    np.testing.assert_allclose(axes[[0, 2]], np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-15)
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    np.testing.assert_allclose(axes[1], [[c, -s, 0], [s, c, 0], [0, 0, 1]], atol=1e-15)
    without = crystals.axes_of_cells(fake_problem(grains=None), np.array([0, 1]))
    np.testing.assert_array_equal(without, np.broadcast_to(np.eye(3), (2, 3, 3)))


def test_phases():
    """Grains count as phases only where they are crystals."""
    phase = crystals.phase_of_cell(fake_problem())
    assert phase[0] == phase[1] != phase[2] == phase[3]
    assert phase[4] not in phase[:4]
    plain = crystals.phase_of_cell(fake_problem(cubic=(None, None)))
    np.testing.assert_array_equal(plain, [1, 1, 1, 1, 2])
    assert crystals.crystal_cells(fake_problem()).tolist() == [True] * 4 + [False]


@pytest.mark.parametrize("model", ["axisymmetric", "plane_stress"])
def test_models_without_crystals(model):
    with pytest.raises(CaseError, match="plane_strain, 3d") as error:
        crystals.check(fake_problem(model=model))
    assert model in str(error.value) and "materials.electrolyte" in str(error.value)
    crystals.check(fake_problem(model=model, cubic=(None, None)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grains": (1, 0, 2, 2, 0)}, "1 of 4 cells of 'electrolyte' lie in no grain"),
        ({"grains": (1, 1, 3, 2, 0)}, "a grain has no orientation.*grains 1 to 2"),
        ({"orientations": np.array([[0, 0, 0, 1], [0, 0, 1, 1.0]])}, "grain 2 is not a unit"),
        ({"orientations": np.eye(3)}, "orientations are unit quaternions"),
    ],
)
def test_bad_grains(options, message):
    with pytest.raises(MeshError, match=message):
        crystals.check(fake_problem(**options))
    crystals.check(fake_problem(**options, cubic=(None, None)))


def test_grains_without_orientations():
    bad = fake_problem()
    bad.domain.orientations = None
    with pytest.raises(MeshError, match=r"grains without orientations.*unit quaternion"):
        crystals.check(bad)


def test_grains_everywhere_or_nowhere():
    crystals.check(fake_problem(grains=(0, 0, 0, 0, 1)))
    crystals.check(fake_problem(grains=None))


# -- what a case says ----------------------------------------------------------------------------


def elastic(block, files=(), folder=Path()):
    case = case_from(
        {
            "geometry": {"type": "griffith", "a": "10 um", "half_width": "100 um"},
            "materials": {"electrolyte": block}, "material_files": list(files),
        }
    )  # fmt: skip
    return build_materials.materials(case, ["electrolyte"], folder)


def test_crystal_of_a_case():
    found = elastic(GIVEN).elastic["electrolyte"]
    assert found.cubic == Cubic(187e9, 75e9, 71e9)
    assert found.E.value([[0.0, 0.0, 0.0]])[0] == pytest.approx(found.cubic.hill.E)


def test_crystal_of_the_library():
    assert elastic("Li").elastic["electrolyte"].cubic is None
    matter = elastic({"set": "Li", "elasticity": "cubic"})
    assert matter.elastic["electrolyte"].cubic == LI
    assert "Narayan" in matter.sources["electrolyte.C44"]
    assert "electrolyte.E" not in matter.sources
    changed = elastic({"set": "Li", "C44": "9 GPa"}).elastic["electrolyte"].cubic
    assert changed == Cubic(LI.C11, LI.C12, 9e9)


def test_set_with_a_crystal_only(tmp_path):
    text = '[mine]\nC11 = "187 GPa"\nC12 = "-15 GPa"\nC44 = "71 GPa"\n'
    (tmp_path / "mine.toml").write_text(text)
    found = elastic("mine", ["mine.toml"], tmp_path)
    assert found.elastic["electrolyte"].cubic == Cubic(187e9, -15e9, 71e9)
    assert found.unverified == ("mine.C11", "mine.C12", "mine.C44")
    isotropic = elastic({"set": "mine", "E": "150 GPa", "nu": 0.2}, ["mine.toml"], tmp_path)
    assert isotropic.elastic["electrolyte"].cubic is None


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({**GIVEN, "E": "150 GPa"}, "either E and nu .isotropic., or C11, C12 and C44"),
        ({**GIVEN, "nu": 0.3}, "either E and nu"),
        ({**GIVEN, "elasticity": "isotropic"}, "either E and nu"),
        ({"E": "1 GPa", "nu": 0.3, "elasticity": "cubic"}, "either E and nu"),
        ({"C11": "187 GPa", "C12": "75 GPa"}, "needs C44 as well"),
        ({"elasticity": "cubic"}, "or C11, C12 and C44 of a cubic crystal"),
        ({**GIVEN, "C44": "-1 GPa"}, "out of range"),
        ({**GIVEN, "C11": "187"}, "unit"),
    ],
)
def test_blocks_that_contradict_themselves(block, message):
    with pytest.raises(ValueError, match=message):
        MaterialBlock(**block)


def test_unstable_crystal_in_a_case():
    with pytest.raises(MaterialError, match=r"materials.electrolyte: C11 must exceed") as error:
        elastic({**GIVEN, "C12": "190 GPa"})
    assert "190" in str(error.value) and "C11 above |C12|" in str(error.value)


def test_set_without_a_crystal():
    with pytest.raises(MaterialError, match="LLZO has no C11"):
        elastic({"set": "LLZO", "elasticity": "cubic"})


# -- the criterion -------------------------------------------------------------------------------


def test_fronts_without_K_are_not_judged():
    def front(name, **values):
        return SimpleNamespace(
            name=name, notes=(), values={k: np.array([v]) for k, v in values.items()}
        )

    found = judge(
        [front("a", J=5.0), front("b", J=1.0, K_I=0.5e6)], None, pressure=100e6, overpotential=None,
        toughness=Toughness(1e6, (1e6, 1e6), "given"), size=None, molar_volumes=(13e-6, 0.0),
    )  # fmt: skip
    assert found.margin == pytest.approx(2.0)
    assert found.notes[-1] == "without K, and not judged: a"
