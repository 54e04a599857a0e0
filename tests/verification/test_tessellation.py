"""Statistics of tessellations and misorientations against exact and published values.

Poisson-Voronoi: J. L. Meijering, Philips Res. Rep. 8 (1953) 270 (means, exact); E. N. Gilbert,
Ann. Math. Stat. 33 (1962) 958 (variances of cell sizes, by quadrature: 0.280, 0.180; later
quadratures give 0.2802, 0.1790). All per unit intensity,
in a periodic box, so that nothing is cut.
"""

import math

import numpy as np
import pytest
from ssbmech.meshes.orientation import grain_orientations, misorientation
from ssbmech.meshes.power import sizes
from ssbmech.meshes.tessellation import tessellate

pytestmark = pytest.mark.verification


def poisson_voronoi(dim, n, repeats):
    """Number of faces and relative size of every cell, and measure of faces per unit volume."""
    side = n ** (1 / dim)
    box = np.array([np.zeros(dim), np.full(dim, side)])
    counts, cells, faces = [], [], 0.0
    for seed in range(repeats):
        seeds = side * np.random.default_rng(seed).random((n, dim))
        found, _ = sizes(box, seeds, np.zeros(n), True)
        own = (found.pairs >= 0) & (found.pairs < n)
        counts.append(np.bincount(found.pairs[own], minlength=n))
        cells.append(found.cells)
        faces += float((found.faces * own.sum(axis=1)).sum()) / 2
    return np.concatenate(counts), np.concatenate(cells), faces / (n * repeats)


def test_poisson_voronoi_3d(page):
    n, repeats = 1000, 20
    counts, cells, area = poisson_voronoi(3, n, repeats)
    total = n * repeats
    check = page(
        "tessellation",
        "Grains: Voronoi statistics, wanted sizes, misorientations",
        problem=f"{total} cells of random points in periodic boxes of {n}, 3-D",
        reference="Meijering 1953: <F> = 48 pi^2/35 + 2, <S> exact; Gilbert 1962: var(V) = 0.179",
        part="Poisson-Voronoi, 3-D",
    )
    exact = 48 * math.pi**2 / 35 + 2
    error = counts.std() / math.sqrt(total)
    check.within(
        "mean number of faces", counts.mean(), exact, 3 * error / exact,
        why=f"three standard errors of the sample, {3 * error:.3f}",
    )  # fmt: skip
    # S_V = 4 (pi/6)^(1/3) Gamma(5/3) for unit intensity; its scatter is that of a few per cent
    # per cell over the root of their number
    surface = 4 * (math.pi / 6) ** (1 / 3) * math.gamma(5 / 3)
    check.within("area of faces per volume", area, surface, 5e-3, why="sampling error about 0.1 %")
    # relative standard error of a variance is sqrt((kurtosis - 1)/n); sizes are nearly gamma
    # distributed with shape 1/0.179 and kurtosis 3 + 6 * 0.179
    spread = 3 * math.sqrt((2 + 6 * 0.179) / total)
    check.within(
        "variance of volume / mean^2", cells.var(), 0.179, spread,
        why=f"three standard errors of the sample, {spread:.1%}",
    )  # fmt: skip
    assert cells.sum() == pytest.approx(total, rel=1e-12)


def test_poisson_voronoi_2d(page):
    n, repeats = 2500, 20
    counts, cells, length = poisson_voronoi(2, n, repeats)
    total = n * repeats
    check = page(
        "tessellation",
        "Grains: Voronoi statistics, wanted sizes, misorientations",
        problem=f"{total} cells of random points in periodic boxes of {n}, 2-D",
        reference="6 neighbours (Euler); length 2 per unit area; Gilbert 1962: var(A) = 0.2802",
        part="Poisson-Voronoi, 2-D",
    )
    check.within("mean number of neighbours", counts.mean(), 6, 1e-12, why="Euler: exact")
    check.within("length per area", length, 2, 5e-3, why="sampling error about 0.1 %")
    spread = 3 * math.sqrt((2 + 6 * 0.2802) / total)
    check.within(
        "variance of area / mean^2", cells.var(), 0.2802, spread,
        why=f"three standard errors of the sample, {spread:.1%}",
    )  # fmt: skip
    share = 0.0112400
    check.within(
        "share of cells with three sides", np.mean(counts == 3), share,
        3 * math.sqrt(1 / (share * total)),
        why="three standard errors; A. Hayen and M. P. Quine, Adv. Appl. Probab. 32 (2000) 67",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dim", "side", "spread"), [(2, 22.0, 0.35), (2, 22.0, 0.7), (3, 5.5, 0.35)]
)
def test_lognormal_sizes(page, dim, side, spread):
    box = np.array([np.zeros(dim), np.full(dim, side)])
    made = tessellate(box, mean_size=1.0, spread=spread, seed=1)
    n = made.n_grains
    check = page(
        "tessellation",
        "Grains: Voronoi statistics, wanted sizes, misorientations",
        problem="Mean size 1 and lognormal spread wanted, edges below 0.1 removed",
        reference="lognormal distribution with the wanted mean and spread",
        part=f"sizes, {dim}-D, spread {spread}, {n} grains",
    )
    d = made.diameters()
    check.within(
        "mean size", d.mean(), 1, 0.02, why="n is whole; drawn one per class; tidying moves 1 %"
    )
    check.within(
        "standard deviation of ln(size)", np.log(d).std(), spread, 0.05,
        why="one size per class of n: the tails vary; tidying changes small grains most",
    )  # fmt: skip
    from scipy.special import ndtr

    order = np.sort(np.log(d))
    cdf = ndtr((order + spread**2 / 2) / spread)
    distance = np.abs(cdf - (np.arange(n) + 0.5) / n).max()
    check.within(
        "largest distance of the distribution functions", distance, 0, 0.03, scale=1,
        why="1/n from drawing, the rest from tidying; random draws would have 0.86/sqrt(n)",
    )  # fmt: skip


def test_mackenzie(page):
    """Angles between uniform cubic crystals: exact up to 45 degrees, 24 balls in SO(3)."""
    q = grain_orientations(400_000, seed=5)
    angle = misorientation(q[::2], q[1::2])
    n = len(angle)
    check = page(
        "tessellation",
        "Grains: Voronoi statistics, wanted sizes, misorientations",
        problem=f"{n} pairs of uniformly oriented cubic crystals",
        reference="J. K. Mackenzie, Biometrika 45 (1958) 229; share below t: 24 (t - sin t)/pi",
        part="misorientations",
    )
    check.within(
        "mean angle", angle.mean(), 40.736, 3 * 11.3 / math.sqrt(n) / 40.7, unit="degrees",
        why="three standard errors of the sample (standard deviation 11.3 degrees)",
    )  # fmt: skip
    largest = 2 * math.degrees(math.acos((2 + math.sqrt(2)) / 4))
    assert angle.max() <= largest + 1e-9
    check.within(
        "largest angle", angle.max(), largest, 0.02, unit="degrees",
        why="62.8 degrees is a corner of the zone, met closely only by chance",
    )  # fmt: skip
    for t in (15, 30, 45):
        a = math.radians(t)
        share = 24 * (a - math.sin(a)) / math.pi
        error = 3 * math.sqrt(share * (1 - share) / n) / share
        check.within(
            f"share below {t} degrees", np.mean(angle < t), share, error,
            why="three standard errors of the sample",
        )  # fmt: skip
