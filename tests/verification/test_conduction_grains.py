"""Crystals that conduct by direction, grain boundaries without thickness: closed forms."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from polycrystals import cube, single_crystal
from scipy.spatial.transform import Rotation
from ssbmech.domain import distribute
from ssbmech.electro.cut import cut
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.solve import solve, solve_system
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import CaseError, MeshError
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.meshes import catalog
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.restrict import restrict, sorted_facets

pytestmark = pytest.mark.verification

L = 10e-6
AXES = (1.0, 0.4, 0.1)  # S/m along the crystal axes
SIDES_2D = ("left", "right", "bottom", "top")
SIDES_3D = (*SIDES_2D, "front", "back")
PASCAL = FARADAY / LITHIUM_MOLAR_VOLUME  # of normal stress per volt of shift


def square(n: int, size: float = 10.0) -> MeshData:
    """Regular triangles on (0, size)^2 um with its four sides."""
    x = np.linspace(0, size, n + 1)
    X, Y = np.meshgrid(x, x)
    number = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:])
    cells = np.concatenate(
        [np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)]
    )
    lines = (number[:, 0], number[:, -1], number[0], number[-1])
    facets = np.concatenate([np.stack([line[:-1], line[1:]], -1) for line in lines])
    return MeshData(
        2, 1, np.stack([X.ravel(), Y.ravel(), 0 * X.ravel()], -1), cells,
        np.ones(len(cells), np.int32), facets, np.repeat(np.arange(1, 5, dtype=np.int32), n),
        {"electrolyte": 1}, {side: i + 1 for i, side in enumerate(SIDES_2D)},
    )  # fmt: skip


def middles(data: MeshData) -> np.ndarray:
    """Centroids of the cells [um]."""
    return data.points[data.cells[:, : data.dim + 1]].mean(axis=1)


def with_boundaries(data: MeshData, labels: np.ndarray, name=lambda a, b: "inner") -> MeshData:
    """Facets between cells of different labels, in groups named by the two labels."""
    d = data.dim
    every = sorted_facets(data.cells[:, : d + 1]).reshape(-1, d)
    owner = np.repeat(np.arange(len(data.cells)), d + 1)
    order = np.lexsort(every.T)
    every, owner = every[order], owner[order]
    twin = np.flatnonzero((every[1:] == every[:-1]).all(axis=1))
    one, two = labels[owner[twin]], labels[owner[twin + 1]]
    facets, names, tags = [], dict(data.facet_groups), []
    for k in np.flatnonzero(one != two):
        low, high = sorted((int(one[k]), int(two[k])))
        group = name(low, high)
        names.setdefault(group, len(names) + 1)
        facets.append(every[twin[k]])
        tags.append(names[group])
    return replace(
        data, facets=np.concatenate([data.facets, np.array(facets)]), facet_groups=names,
        facet_tags=np.concatenate([data.facet_tags, np.array(tags, np.int32)]),
    )  # fmt: skip


def affine(data: MeshData, model="plane_strain", *, resistances=None, field=None, **given):
    """Mean conductivity tensor under potentials that are linear on the whole surface [S/m].

    With reactions I_a and points x_a of the surface, the mean current density is
    -sum I_a x_a/volume for a unit field: the divergence theorem, exact on any mesh.

    Args:
        field: Potential [V] at points [m] for each load; e_k.x by default.
    """
    sides = SIDES_2D if data.dim == 2 else SIDES_3D
    made = cut(data, resistances or {})
    domain = distribute(MPI.COMM_WORLD, made.mesh, length=L)
    electrode = Electrode("all", sides, "none", coupled=True)
    conductivity = {"electrolyte": float(np.mean(AXES)), **given.pop("conductivity", {})}
    problem = ElectricProblem(
        domain, model, conductivity, (electrode,), boundaries=made.boundaries, nodes=made.nodes,
        **given,
    )  # fmt: skip
    system = ElectricSystem(problem)
    ids = system.surface("all").ids
    points = data.points[ids] * 1e-6
    volume = float(np.ptp(data.points, axis=0)[: data.dim].prod()) * 1e-6**data.dim
    columns = []
    for k in range(data.dim):
        phi = points[:, k] / L if field is None else field[k](points)
        system.set_surface("all", ids, normal_stress=-phi * PASCAL)
        s = solve_system(system)
        found, density, area = system.surface_rates("all")
        assert np.array_equal(found, ids)
        current = density * area
        assert abs(current.sum()) < 1e-10 * np.abs(current).sum()
        columns.append((current[:, None] * points[:, : data.dim]).sum(axis=0) / volume * L)
        assert s.report.iterations <= 2
    return np.array(columns).T


def tensor(rotation, dim, axes=AXES):
    """R diag(k) R^T by matrices, independent of the code under test."""
    R = rotation.as_matrix()
    return (R @ np.diag(axes) @ R.T)[:dim, :dim]


# -- crystals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
def test_rotated_crystal(page, dim):
    check = page(
        "K-grains", "Crystals and their boundaries", part="crystals",
        problem="one crystal, turned; linear potential on its surface",
        reference="K = R diag(k) R^T",
    )  # fmt: skip
    turn = Rotation.from_euler("zxz", [33, 51, -20] if dim == 3 else [33, 0, 0], degrees=True)
    mesh = square(3) if dim == 2 else cube(2)
    model = "plane_strain" if dim == 2 else "3d"
    data = single_crystal(mesh, turn)
    K = affine(data, model, crystals={"electrolyte": AXES})
    exact = tensor(turn, dim)
    check.within(f"K, {dim}-D", K.ravel(), exact.ravel(), 1e-9, unit="S/m",
                 why="linear potential: exact")  # fmt: skip
    assert pytest.approx(K.T, abs=1e-9) == K
    # without grains the crystal has the axes of the mesh
    plain = affine(mesh, model, crystals={"electrolyte": AXES})
    assert plain == pytest.approx(np.diag(AXES[:dim]), abs=1e-9)


@pytest.mark.parametrize("dim", [2, 3])
def test_laminate(page, dim):
    check = page(
        "K-grains", "Crystals and their boundaries", part="crystals",
        problem="two crystals one upon the other, each half; the closed-form potential on the "
        "surface",
        reference="continuous field along the layers and current across them",
    )  # fmt: skip
    turns = Rotation.from_euler("zxz", [[30, 20, 5], [-40, 65, 70]], degrees=True)
    mesh = square(4) if dim == 2 else cube(2)
    upper = middles(mesh)[:, 1] > 5.0
    data = replace(mesh, grains=1 + upper.astype(np.int32), orientations=turns.as_quat())
    K1, K2 = (tensor(t, dim) for t in turns)
    fields, exact = [], np.zeros((dim, dim))
    for k in range(dim):
        # mean field e_k: E_y in the layers from J_y equal in both and the mean
        E = np.eye(dim)[k]
        along = np.delete(np.arange(dim), 1)
        gap = (K2 - K1)[1, along] @ E[along]
        e1 = (2 * E[1] * K2[1, 1] + gap) / (K1[1, 1] + K2[1, 1])
        E1, E2 = E.copy(), E.copy()
        E1[1], E2[1] = e1, 2 * E[1] - e1
        exact[:, k] = (K1 @ E1 + K2 @ E2) / 2

        def potential(x, E1=E1, E2=E2):
            low, high = np.minimum(x[:, 1], L / 2), np.maximum(x[:, 1] - L / 2, 0.0)
            rest = x[:, :dim] @ (E1 * (np.arange(dim) != 1))
            return (rest + low * E1[1] + high * E2[1]) / L

        fields.append(potential)
    model = "plane_strain" if dim == 2 else "3d"
    K = affine(data, model, field=fields, crystals={"electrolyte": AXES})
    check.within(f"K, {dim}-D", K.ravel(), exact.ravel(), 1e-9, unit="S/m",
                 why="linear potential in each layer: exact")  # fmt: skip


def test_columns_lie_between_the_bounds_of_wiener(page):
    check = page(
        "K-grains", "Crystals and their boundaries", part="crystals",
        problem="columnar polycrystal of crystals that conduct ten times better along one axis",
        reference="harmonic mean <= K <= arithmetic mean, of tensors",
    )  # fmt: skip
    data = catalog.build("polycrystal", width=10.0, height=10.0, mean_size=3.0, seed=4, order=1)
    K = affine(data, crystals={"electrolyte": AXES}, degree=3)
    cells = data.points[data.cells]
    a, b = cells[:, 1] - cells[:, 0], cells[:, 2] - cells[:, 0]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])[:, None, None] / area_sum(a, b)
    local = np.array([tensor(Rotation.from_quat(q), 2) for q in data.orientations])
    local = local[data.grains - 1]
    upper, lower = (area * local).sum(0), np.linalg.inv((area * np.linalg.inv(local)).sum(0))
    symmetry = abs(K[0, 1] - K[1, 0]) / K[0, 0]
    check.within("asymmetry of K", symmetry, 0.0, 1e-9, scale=1.0, why="reciprocity")
    assert np.linalg.eigvalsh(upper - K).min() > 0 and np.linalg.eigvalsh(K - lower).min() > 0
    between = (np.trace(K) - np.trace(lower)) / np.trace(upper - lower)
    check.note(f"trace of K at {between:.2f} between the lower (0) and the upper bound (1)")


def area_sum(a, b):
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()


def test_crystals_without_a_meaning():
    crystals = {"electrolyte": AXES}
    turned = single_crystal(square(2), Rotation.identity())
    with pytest.raises(CaseError, match="turn with the angle"):
        affine(turned, "axisymmetric", crystals=crystals)
    with pytest.raises(MeshError, match="without orientations"):
        affine(replace(turned, orientations=None), crystals=crystals)
    some = replace(turned, grains=np.arange(len(turned.cells), dtype=np.int32) % 2)
    with pytest.raises(MeshError, match="4 of 8 cells of 'electrolyte' lie in no grain"):
        affine(some, crystals=crystals)


# -- boundaries with a resistance ----------------------------------------------------------------


def bar(data, resistances, model="plane_strain", kappa=0.05, **given):
    """Voltage between bottom and top over the current density, [ohm m^2], and the solution."""
    made = cut(data, resistances)
    domain = distribute(MPI.COMM_WORLD, made.mesh, length=L)
    problem = ElectricProblem(
        domain, model, dict.fromkeys(domain.cell_groups, kappa),
        (Electrode("top", ("top",), "none", potential=0.1),
         Electrode("bottom", ("bottom",), "none")),
        boundaries=made.boundaries, nodes=made.nodes, **given,
    )  # fmt: skip
    s = solve(problem)
    least = min(resistances.values(), default=1.0)
    # a jump of 1e-7 of the voltage has nine digits left, and so has its current
    assert s.imbalance < (1e-10 if least > 1e-6 * L / kappa else 16 * s.rounding)
    return 0.1 / s.mean_current_density("top"), s


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric", "3d"])
@pytest.mark.parametrize("degree", [1, 2, 3])
def test_series(page, model, degree):
    check = page(
        "K-grains", "Crystals and their boundaries", part="boundaries",
        problem="boundaries across the current", reference="R = t/kappa + sum of Z",
    )  # fmt: skip
    mesh = cube(3) if model == "3d" else square(3)
    rows = np.floor(middles(mesh)[:, 1] / (10 / 3)).astype(int)
    data = with_boundaries(mesh, rows, lambda a, b: f"b{a}{b}")
    for Z in ((1e-4, 1e-3), (1e-7, 10.0), (1e-2, 1e-2)):
        R, _ = bar(data, dict(zip(("b01", "b12"), Z, strict=True)), model, degree=degree)
        check.within(f"R, Z {Z}, {model}, degree {degree}", R, L / 0.05 + sum(Z), 1e-8,
                     unit="ohm m^2", why="linear potential with jumps: exact")  # fmt: skip


def test_series_between_materials_in_3d(page):
    check = page(
        "K-grains", "Crystals and their boundaries", part="boundaries",
        problem="reaction layer on the electrolyte with a resistance between them, 3-D",
        reference="R = t1/kappa + Z + t2/kappa",
    )  # fmt: skip
    whole = catalog.build("cell", width=10.0, depth=10.0, electrolyte=6.0, lithium=2.0,
                          interphase=1.0, order=2)  # fmt: skip
    part = restrict(whole, ["electrolyte", "interphase"])
    group = next(g for g in part.facet_groups if "interphase" in g and "electrolyte" in g)
    low = next(g for g in part.facet_groups if g.startswith("lithium_"))
    made = cut(part, {group: 3e-4})
    domain = distribute(MPI.COMM_WORLD, made.mesh, length=L)
    s = solve(ElectricProblem(
        domain, "3d", dict.fromkeys(domain.cell_groups, 0.05),
        (Electrode("cathode_plane", ("cathode_plane",), "none", potential=0.1),
         Electrode(low, (low,), "none")), boundaries=made.boundaries,
    ))  # fmt: skip
    assert s.imbalance < 1e-10
    thickness = np.ptp(part.points[:, 1]) * 1e-6
    check.within("R", 0.1 / s.mean_current_density("cathode_plane"), thickness / 0.05 + 3e-4, 1e-8,
                 unit="ohm m^2", why="linear potential with a jump: exact")  # fmt: skip


@pytest.mark.parametrize("dim", [2, 3])
def test_array_of_grains(page, dim):
    check = page(
        "K-grains", "Crystals and their boundaries", part="boundaries",
        problem="N^dim square or cubic grains, all boundaries with Z",
        reference="R = t/kappa + (N - 1) Z: nothing flows across boundaries along the current",
    )  # fmt: skip
    N = 4 if dim == 2 else 2
    mesh = square(8) if dim == 2 else cube(4)
    index = np.floor(middles(mesh) / (10 / N)).astype(int)
    data = with_boundaries(mesh, index @ [1, N, N * N])
    Z = 5e-4
    R, _ = bar(data, {"inner": Z}, "plane_strain" if dim == 2 else "3d")
    check.within(f"R, {dim}-D", R, L / 0.05 + (N - 1) * Z, 1e-8, unit="ohm m^2",
                 why="linear potential with jumps: exact; 4 and 8 grains meet")  # fmt: skip


def test_network_of_resistors(page):
    check = page(
        "K-grains", "Crystals and their boundaries", part="boundaries",
        problem="4 x 4 grains that conduct well, another Z on every boundary",
        reference="network of 24 resistors Z/area, by Kirchhoff's laws",
    )  # fmt: skip
    N, kappa = 4, 50.0
    random = np.random.default_rng(5)
    mesh = square(8)
    index = np.floor(middles(mesh)[:, :2] / (10 / N)).astype(int)
    data = with_boundaries(mesh, index @ [1, N], lambda a, b: f"b{a}_{b}")
    names = [g for g in data.facet_groups if g not in SIDES_2D]
    assert len(names) == 24
    Z = {g: 10 ** random.uniform(-2, 0) for g in names}
    R, _ = bar(data, Z, kappa=kappa)
    # Kirchhoff: grains of the top row at 1, of the bottom row at 0
    G = np.zeros((N * N, N * N))
    for g, z in Z.items():
        a, b = map(int, g[1:].split("_"))
        G[[a, b], [a, b]] += (L / N) / z
        G[[a, b], [b, a]] -= (L / N) / z
    phi = np.full(N * N, np.nan)
    phi[:N], phi[-N:] = 0.0, 1.0
    free = np.isnan(phi)
    phi[free] = np.linalg.solve(G[np.ix_(free, free)], -G[np.ix_(free, ~free)] @ phi[~free])
    exact = L / (G @ phi)[-N:].sum()
    check.within("R", R, exact, 1e-3, unit="ohm m^2",
                 why="the grains' own resistance, 2e-7, is 2e-5 of the least Z")  # fmt: skip


def test_no_resistance_gives_the_plain_result(page):
    check = page(
        "K-grains", "Crystals and their boundaries", part="boundaries",
        problem="polycrystal with anisotropic grains, Z from 1e-3 t/kappa to 1e-9 t/kappa",
        reference="the same without boundaries; the difference falls as Z",
    )  # fmt: skip
    data = catalog.build("polycrystal", width=10.0, height=10.0, mean_size=4.0, seed=1, order=1)
    crystals = {"electrolyte": (0.1, 0.05, 0.02)}
    plain, _ = bar(data, {}, crystals=crystals)
    ratio = np.array([1e-3, 1e-5, 1e-7, 1e-9])
    extra = np.array([
        bar(data, {"grain_boundaries": r * plain}, crystals=crystals)[0] / plain - 1 for r in ratio
    ])  # fmt: skip
    check.within("R at Z = 1e-9 t/kappa", (1 + extra[-1]) * plain, plain, 1e-8, unit="ohm m^2")
    rate = np.polyfit(np.log(ratio[:3]), np.log(extra[:3]), 1)[0]
    check.within("rate in Z", rate, 1.0, 0.01, why="first order in Z")


def test_against_a_finite_layer(page):
    check = page(
        "K-grains", "Crystals and their boundaries", part="boundaries",
        problem="polycrystal, boundaries as a layer of 10 and 20 nm of kappa/100 or as Z = "
        "t/kappa_gb",
        reference="the layer, meshed",
    )  # fmt: skip
    kappa, low = 0.05, 0.0005
    size = {"width": 10.0, "height": 10.0, "mean_size": 4.0, "seed": 2, "h": 0.5, "order": 1}
    data = catalog.build("polycrystal", **size)
    errors = []
    for t in (0.02, 0.01):
        thick = catalog.build("polycrystal", boundaries="layer", boundary_thickness=t, **size)
        domain = distribute(MPI.COMM_WORLD, thick, length=L)
        top = [g for g in domain.facet_groups if g.startswith("top")]
        bottom = [g for g in domain.facet_groups if g.startswith("bottom")]
        s = solve(ElectricProblem(
            domain, "plane_strain", {"electrolyte": kappa, "grain_boundary": low},
            (Electrode("top", tuple(top), "none", potential=0.1),
             Electrode("bottom", tuple(bottom), "none")), degree=2,
        ))  # fmt: skip
        layer = 0.1 / s.mean_current_density("top")
        R, _ = bar(data, {"grain_boundaries": t * 1e-6 / low}, kappa=kappa)
        # the layer takes the place of grain: t/kappa less of it across each boundary
        errors.append(R / layer - 1)
        check.within(f"R, {t * 1e3:g} nm", R, layer, 2 * t / 4.0, unit="ohm m^2",
                     why="two thicknesses over the grain size: what the layer takes from grains "
                     "and its junctions")  # fmt: skip
    assert abs(errors[1]) < 0.65 * abs(errors[0])


def test_multigrid_with_boundaries():
    data = catalog.build("polycrystal", width=10.0, height=10.0, mean_size=4.0, seed=2, order=1)
    Z = {"grain_boundaries": 2e-3}
    direct, _ = bar(data, Z)
    made, s = bar(data, Z, linear="iterative")
    assert s.report.linear.method == "cg + gamg"
    assert made == pytest.approx(direct, rel=1e-9)


def test_butler_volmer_with_boundaries_is_quadratic():
    """Newton with boundaries, on a surface that they reach."""
    data = catalog.build("polycrystal", width=10.0, height=10.0, mean_size=4.0, seed=2, order=1)
    made = cut(data, {"grain_boundaries": 2e-3})
    domain = distribute(MPI.COMM_WORLD, made.mesh, length=L)
    for drive in ({"potential": 0.3}, {"potential": None, "current_density": 100.0}):
        s = solve(ElectricProblem(
            domain, "plane_strain", {"electrolyte": 0.05},
            (Electrode("top", ("top",), "none", **drive),
             Electrode("bottom", ("bottom",), "butler_volmer", i0=20.0, beta=0.4)),
            boundaries=made.boundaries, nodes=made.nodes,
        ))  # fmt: skip
        assert s.imbalance < 1e-10
        h = np.array(s.report.history)
        h = h[(h < 0.1) & (h > 1e-12)]  # rounding of the jumps
        assert np.all(h[1:] < 30 * h[:-1] ** 2), s.report.history
        ids, density, area = s.system.surface_rates("bottom")
        assert (density * area).sum() == pytest.approx(s.currents["bottom"], rel=1e-12)
        assert np.all(data.points[ids, 1] == 0) and len(ids) == len(np.unique(ids))


@pytest.mark.parametrize(
    ("group", "words"),
    [("top", "lies on the surface of what conducts"), ("nothing", "no facet group 'nothing'")],
)
def test_bad_boundary(group, words):
    data = catalog.build("polycrystal", width=10.0, height=10.0, mean_size=4.0, order=1)
    with pytest.raises(CaseError, match=words) as error:
        cut(data, {group: 1e-3})
    assert "grain_boundaries" in str(error.value)


def resistances(path):
    """On any number of ranks: R and the rates of a 2-D and a 3-D polycrystal."""
    comm, found = MPI.COMM_WORLD, []
    for depth in (None, 10.0):
        data = None
        if comm.rank == 0:
            data = catalog.build("polycrystal", width=10.0, height=10.0, depth=depth,
                                 mean_size=5.0, seed=3, order=1)  # fmt: skip
        data = comm.bcast(data)
        model = "plane_strain" if depth is None else "3d"
        R, s = bar(data, {"grain_boundaries": 2e-3}, model, crystals={"electrolyte": AXES})
        ids, density, area = s.system.surface_rates("bottom")
        assert (density * area).sum() == pytest.approx(s.currents["bottom"], rel=1e-10)
        found += [R, *ids, *density, *area]
    if comm.rank == 0:
        np.save(path, found)


@pytest.mark.mpi
def test_ranks_agree(mpirun, tmp_path):
    for n in (1, 3):
        mpirun(n, __file__, tmp_path / f"{n}.npy")
    a, b = (np.load(tmp_path / f"{n}.npy") for n in (1, 3))
    assert b == pytest.approx(a, rel=1e-8)


if __name__ == "__main__":
    resistances(sys.argv[1])
