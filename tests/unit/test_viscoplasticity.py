"""The material point: consistent tangents, objectivity, volume, dissipation, the small limit."""

import numpy as np
import pytest
from ssbmech.errors import SolverError
from ssbmech.materials.anand import AnandI, AnandII
from ssbmech.materials.flow import Norton, Plastic
from ssbmech.physics.finite_viscoplasticity import finite_strain
from ssbmech.physics.viscoplasticity import small_strain

MU = 2.83e9
I = np.eye(3)  # noqa: E741
LAWS = {
    "norton": Norton(6.7e-3 * 1e6**-6.6, 6.6),
    "liquid": Norton(1e-9, 1.0),
    "perfect": Plastic(15e6),
    "hardening": Plastic(15e6, 1e8),
    "set I": AnandI(r0=0.05, m=0.18, S0=2e6, H0=40e6, S_sat=8e6, a=1.8),
    "set II": AnandII(4.25e4, 37e3, m=0.15, S0=0.95e6, H0=10e6, S_sat=2e6, a=2.0, n_s=0.05,
                      temperature=298.0),
}  # fmt: skip
every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
every_dt = pytest.mark.parametrize("dt", [1e-9, 1e-2, 1e3])


def transposed(a):
    return np.swapaxes(a, 1, 2)


def rotations(n, rng):
    Q, R = np.linalg.qr(rng.normal(size=(n, 3, 3)))
    Q = Q * np.sign(np.einsum("nii->ni", R))[:, None, :]
    return Q * np.sign(np.linalg.det(Q))[:, None, None]


def isochoric(a):
    return a / np.cbrt(np.linalg.det(a))[:, None, None]


def states(law, n):
    return np.tile(law.initial(), (n, 1))


def strains(n, size, rng):
    a = size * rng.normal(size=(n, 3, 3))
    return 0.5 * (a + transposed(a))


def tilted(principal, rng):
    """Symmetric tensors with these principal values in random axes."""
    Q = rotations(len(principal), rng)
    return (Q * np.asarray(principal, float)[:, None, :]) @ transposed(Q)


def gradients(rng):
    """Random, rotated, of equal and nearly equal principal values, nearly undeformed, large."""
    general = I + 0.25 * rng.normal(size=(8, 3, 3))
    general = general * np.sign(np.linalg.det(general))[:, None, None]
    equal = tilted(
        [[1.2, 1.2, 0.8], [1.1, 0.9, 0.9], [1.3, 1.3 * (1 + 1e-9), 0.7], [1.2, 1.2 + 3e-5, 0.9]],
        rng,
    )
    small = I + 1e-2 * rng.normal(size=(3, 3, 3))
    large = tilted([[4.0, 0.5, 0.5], [0.2, 3.0, 1.0]], rng) @ rotations(2, rng)
    return np.concatenate([general, equal, rotations(4, rng) @ equal, small, large])


def differences(stress, at, h, symmetric=False):
    """Central differences of a (n, 3, 3) function of (n, 3, 3), fourth order."""
    found = np.zeros((len(at), 3, 3, 3, 3))
    for k in range(3):
        for l in range(3):  # noqa: E741
            d = np.zeros((3, 3))
            d[k, l] += h
            d = 0.5 * (d + d.T) if symmetric else d
            near = stress(at + d) - stress(at - d)
            far = stress(at + 2 * d) - stress(at - 2 * d)
            found[:, :, :, k, l] = (8 * near - far) / (12 * h)
    return found


def misfit(found, exact):
    off = np.abs(found - exact).max(axis=(1, 2, 3, 4))
    return (off / np.abs(exact).max(axis=(1, 2, 3, 4))).max()


# -- tangents -------------------------------------------------------------------------------------


@every_law
@every_dt
@pytest.mark.parametrize("size", [1e-5, 3e-3, 0.1])
def test_small_tangent(law, dt, size):
    """Against differences to 1e-6, elastic and flowing."""
    rng = np.random.default_rng(1)
    eps, old = strains(12, size, rng), strains(12, 0.3 * size, rng)
    old -= np.einsum("nii->n", old)[:, None, None] * I / 3
    new = small_strain(eps, old, states(law, 12), law, MU, dt)
    found = differences(
        lambda e: small_strain(e, old, states(law, 12), law, MU, dt).stress,
        eps, 1e-3 * size, symmetric=True,
    )  # fmt: skip
    assert misfit(found, new.tangent) < 1e-6
    assert np.allclose(new.tangent, new.tangent.transpose(0, 3, 4, 1, 2), rtol=0, atol=1e-6 * MU)


@every_law
@every_dt
@pytest.mark.parametrize("grown", [False, True])
def test_finite_tangent(law, dt, grown):
    """Against differences to 1e-6 in all sorts of states, with and without growth."""
    rng = np.random.default_rng(2)
    F = gradients(rng)
    n = len(F)
    Fp = isochoric(I + 0.1 * rng.normal(size=(n, 3, 3)))
    Fp[8:16] = I  # the principal values stay equal
    growth = I + 0.1 * rng.normal(size=(n, 3, 3)) if grown else None
    args = (Fp, states(law, n), law, MU, dt, growth)
    new = finite_strain(F, *args)
    found = differences(lambda X: finite_strain(X, *args).stress, F, 1e-4)
    assert misfit(found, new.tangent) < 1e-6


@every_law
def test_tangent_of_the_undeformed_state(law):
    """No stress and no direction: elastic, but for a liquid, which flows at once."""
    F = np.stack([I, 1.3 * I])
    share = 1 / (1 + 3 * MU * 1e-9) if law is LAWS["liquid"] else 1.0
    new = finite_strain(F, np.stack([I, I]), states(law, 2), law, MU, 1.0)
    assert np.abs(new.stress).max() <= 1e-15 * MU and np.array_equal(new.plastic[0], I)
    deviator = 0.5 * (np.einsum("ik,jl->ijkl", I, I) + np.einsum("il,jk->ijkl", I, I))
    deviator = 2 * MU * share * (deviator - np.einsum("ij,kl->ijkl", I, I) / 3)
    assert np.allclose(new.tangent[0], deviator, rtol=0, atol=1e-12 * MU)
    small = small_strain(0 * F, 0 * F, states(law, 2), law, MU, 1.0)
    assert np.allclose(small.tangent[0], deviator, rtol=0, atol=1e-12 * MU)


# -- what mechanics demands -----------------------------------------------------------------------


@every_law
def test_objectivity(law):
    """A rotation Q of the end state turns P into Q P and leaves F^p and the scalars."""
    rng = np.random.default_rng(3)
    F = gradients(rng)
    n = len(F)
    Q = rotations(n, rng)
    args = (isochoric(I + 0.1 * rng.normal(size=(n, 3, 3))), states(law, n), law, MU, 1.0)
    a, b = finite_strain(F, *args), finite_strain(Q @ F, *args)
    size = np.abs(a.stress).max()
    assert np.abs(Q @ a.stress - b.stress).max() < 1e-10 * size
    assert np.allclose(a.plastic, b.plastic, rtol=0, atol=1e-10)
    assert np.allclose(a.dp, b.dp, rtol=1e-9, atol=1e-12)
    turned = np.einsum("nia,najkl->nijkl", Q, a.tangent)
    back = np.einsum("nijkl,nkb->nijbl", b.tangent, Q)  # dP(QF)/d(QF) : Q dF
    assert np.abs(turned - back).max() < 1e-9 * np.abs(turned).max()


@every_law
def test_isotropy(law):
    """A rotation R of the reference turns P(F R^T) into P R^T when F^p turns along."""
    rng = np.random.default_rng(4)
    F = gradients(rng)
    n = len(F)
    R = rotations(n, rng)
    Fp = isochoric(I + 0.1 * rng.normal(size=(n, 3, 3)))
    a = finite_strain(F, Fp, states(law, n), law, MU, 1.0)
    b = finite_strain(
        F @ transposed(R), R @ Fp @ transposed(R), states(law, n), law, MU, 1.0
    )  # fmt: skip
    assert np.abs(a.stress @ transposed(R) - b.stress).max() < 1e-10 * np.abs(a.stress).max()


@every_law
def test_deviatoric_and_symmetric_kirchhoff_stress(law):
    rng = np.random.default_rng(5)
    F = gradients(rng)
    n = len(F)
    new = finite_strain(F, np.tile(I, (n, 1, 1)), states(law, n), law, MU, 1e-2)
    tau = new.stress @ transposed(F)
    size = np.abs(tau).max()
    assert np.abs(tau - transposed(tau)).max() < 1e-12 * size
    assert np.abs(np.einsum("nii->n", tau)).max() < 1e-12 * size
    q = np.sqrt(1.5) * np.linalg.norm(tau, axis=(1, 2))
    assert np.allclose(new.dissipation, q * new.dp, rtol=1e-9, atol=0.0)


@every_law
def test_plastic_volume_is_kept_over_many_steps(law):
    """det F^p = 1 to 1e-12 after 300 random large steps; dissipation is never negative."""
    rng = np.random.default_rng(6)
    F, Fp, state = np.tile(I, (5, 1, 1)), np.tile(I, (5, 1, 1)), states(law, 5)
    for _ in range(300):
        F = isochoric((I + 0.05 * rng.normal(size=(5, 3, 3))) @ F)
        new = finite_strain(F, Fp, state, law, MU, 10.0 ** rng.uniform(-6, 3))
        Fp, state = new.plastic, new.state
        assert new.dissipation.min() >= 0.0
        assert np.abs(np.linalg.det(Fp) - 1).max() < 1e-12


@every_law
def test_small_dissipation_and_traceless_flow(law):
    rng = np.random.default_rng(7)
    old, state = np.zeros((6, 3, 3)), states(law, 6)
    for _ in range(50):
        new = small_strain(strains(6, 0.02, rng), old, state, law, MU, 10.0 ** rng.uniform(-6, 3))
        work = np.einsum("nij,nij->n", new.stress, new.plastic - old)
        assert new.dissipation.min() >= 0.0
        # the work is a sum of products of the size of stress times strain, in which eps is lost
        lost = 1e-13 * np.abs(new.stress).max() * max(np.abs(new.plastic).max(), np.abs(old).max())
        assert np.allclose(work, new.dissipation, rtol=1e-9, atol=lost)
        old, state = new.plastic, new.state
        assert np.abs(np.einsum("nii->n", old)).max() < 1e-14


@every_law
@every_dt
def test_small_strain_is_the_limit(law, dt):
    """The difference of stress falls as the square of the strain."""
    rng = np.random.default_rng(8)
    H = rng.normal(size=(10, 3, 3))
    sizes, off = [1e-3, 1e-4], []
    for size in sizes:
        eps = 0.5 * size * (H + transposed(H))
        a = small_strain(eps, 0 * eps, states(law, 10), law, MU, dt)
        b = finite_strain(I + size * H, np.tile(I, (10, 1, 1)), states(law, 10), law, MU, dt)
        scale = np.abs(a.stress).max()
        off.append(np.abs(a.stress - b.stress).max() / scale)
        assert np.allclose(a.plastic, b.plastic - I, rtol=0, atol=30 * size**2)
    assert off[0] < 30 * sizes[0]
    assert off[1] < 0.2 * off[0]


def test_growth_that_is_free_makes_no_stress():
    rng = np.random.default_rng(9)
    law = LAWS["set II"]
    growth = I + 0.2 * rng.normal(size=(5, 3, 3))
    growth *= np.sign(np.linalg.det(growth))[:, None, None]
    F = rotations(5, rng) @ growth
    new = finite_strain(F, np.tile(I, (5, 1, 1)), states(law, 5), law, MU, 1.0, growth)
    assert np.abs(new.stress).max() < 1e-13 * MU
    assert new.dp.max() < 1e-12


def test_volume_change_is_free_of_deviatoric_stress():
    law = LAWS["set II"]
    a = finite_strain(np.diag([1.2, 1.0, 0.9])[None], I[None], states(law, 1), law, MU, 1.0)
    b = finite_strain(1.1 * np.diag([1.2, 1.0, 0.9])[None], I[None], states(law, 1), law, MU, 1.0)
    assert np.allclose(a.stress, 1.1 * b.stress, rtol=1e-12)


@pytest.mark.parametrize("law", [LAWS["set II"], LAWS["norton"]], ids=["set II", "norton"])
def test_no_points(law):
    """A rank may have no lithium."""
    none = np.zeros((0, 3, 3))
    for new in (
        small_strain(none, none, np.zeros((0, law.n_state)), law, MU, 1.0),
        finite_strain(none, none, np.zeros((0, law.n_state)), law, MU, 1.0, none),
    ):
        assert new.stress.shape == (0, 3, 3) and new.tangent.shape == (0, 3, 3, 3, 3)


@pytest.mark.parametrize("bad", [np.diag([1.0, 1.0, -1.0]), np.full((3, 3), np.nan)])
def test_inside_out_is_refused(bad):
    law = LAWS["norton"]
    with pytest.raises(SolverError, match=r"det F: .*inside out.*above 0.*smaller step"):
        finite_strain(np.stack([I, bad]), np.stack([I, I]), states(law, 2), law, MU, 1.0)


def test_moduli_may_differ_from_point_to_point():
    law = LAWS["set I"]
    F = np.tile(np.diag([1.1, 1.0, 0.9]), (3, 1, 1))
    mu = np.array([1e9, 2e9, 3e9])
    new = finite_strain(F, np.tile(I, (3, 1, 1)), states(law, 3), law, mu, 1e-9)
    one = finite_strain(F[1:2], I[None], states(law, 1), law, 2e9, 1e-9)
    assert np.allclose(new.stress[1], one.stress[0], rtol=1e-12)
    assert not np.allclose(new.stress[0], new.stress[1])
