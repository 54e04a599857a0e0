import itertools

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.columns import extrude
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.path import boundary_path, read_shockley, weak_boundaries
from ssbmech.meshes.path_surface import boundary_surface
from ssbmech.meshes.tessellation import from_seeds

SQRT3 = np.sqrt(3)


def honeycomb(rows=4, columns=5):
    """Hexagons of side 1 with vertical edges (their rim, at the box, is cut in other ways)."""
    seeds = [((c + 0.5 * (r % 2)) * SQRT3, 1.5 * r) for r in range(rows) for c in range(columns)]
    box = np.array([[-0.8, -0.5], [columns * SQRT3 + 0.1, 1.5 * rows - 1]])
    return from_seeds(box, np.array(seeds))


def random_cells(n, dim, seed):
    rng = np.random.default_rng(seed)
    return from_seeds(np.array([[0.0] * dim, [1.0] * dim]), rng.random((n, dim)))


def all_paths(cells, depth, weight):
    """Least cost over every simple path from y = 0, by exhaustive search, cut at the depth."""
    x = cells.vertices
    inner = np.flatnonzero(cells.neighbours[:, 1] >= 0)
    bottom = {v for f in np.flatnonzero(cells.neighbours[:, 1] == -3) for v in cells.faces[f]}
    steps = {}
    for f in inner:
        a, b = (int(v) for v in cells.faces[f])
        for u, v in ((a, b), (b, a)):
            steps.setdefault(u, []).append((v, f))
    best = [np.inf, None]

    def walk(at, cost, faces, seen):
        for to, f in steps.get(at, []):
            if to in seen:
                continue
            span = np.linalg.norm(x[to] - x[at]) * weight[f]
            if x[to, 1] >= depth:
                total = cost + span * (depth - x[at, 1]) / (x[to, 1] - x[at, 1])
                if total < best[0]:
                    best[:] = [total, [*faces, int(f)]]
            else:
                walk(to, cost + span, [*faces, int(f)], seen | {to})

    for v in sorted(bottom & set(steps)):
        walk(int(v), 0.0, [], {int(v)})
    return best


@pytest.mark.parametrize("seed", range(12))
def test_path_is_the_best_of_all(seed):
    cells = random_cells(7, 2, seed)
    weight = np.random.default_rng(seed).uniform(0.2, 1, len(cells.faces))
    cost, faces = all_paths(cells, 0.6, weight)
    path = boundary_path(cells, 2, 0.6, energy=weight)
    assert path.energy == pytest.approx(cost, rel=1e-12)
    assert path.faces.tolist() == faces
    assert path.points[0, 1] == 0
    assert path.points[-1, 1] == pytest.approx(0.6, rel=1e-12)
    steps = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
    assert path.length == pytest.approx(steps.sum(), rel=1e-12)
    assert path.energy == pytest.approx((steps * weight[path.faces]).sum(), rel=1e-12)
    for k, f in enumerate(path.faces):
        ends = set(path.vertices[k : k + 2].tolist()) - {-1}
        assert ends <= set(cells.faces[f])
    assert (path.vertices[:-1] >= 0).all()


def test_honeycomb_has_the_known_length():
    """In turn a vertical edge of 1 and an inclined one of 1 that climbs 1/2: 2 for every 1.5."""
    cells = honeycomb()
    # From y = -0.5, where the vertical edges of the first row (|y| < 0.5) begin.
    for depth, length in ((1.0, 1.0), (1.5, 2.0), (2.0, 2.5), (3.0, 4.0), (3.75, 4.75)):
        path = boundary_path(cells, 2, depth, near=2.5 * SQRT3)
        assert path.length == pytest.approx(length, rel=1e-12)
        assert path.points[0] == pytest.approx([2.5 * SQRT3, -0.5])


def test_whole_boundaries_and_a_chosen_start():
    cells = random_cells(12, 2, 3)
    best = boundary_path(cells, 2, 0.5)
    whole = boundary_path(cells, 2, 0.5, exact=False)
    assert whole.points[-1, 1] >= 0.5
    assert (whole.points[:-1, 1] < 0.5).all()
    assert (whole.vertices >= 0).all()
    starts = [boundary_path(cells, 2, 0.5, near=x) for x in (0.0, 1.0)]
    assert starts[0].points[0, 0] < starts[1].points[0, 0]
    assert min(p.length for p in starts) >= best.length
    top = boundary_path(cells, 3, 0.5)
    assert top.points[0, 1] == 1
    assert top.points[-1, 1] == pytest.approx(0.5)
    left = boundary_path(cells, 0, 0.5)
    assert left.points[0, 0] == 0


def test_columns_take_the_path_of_their_section():
    flat = random_cells(9, 2, 5)
    columns = extrude(flat, 2, np.array([-0.5, 0.5]))
    path, section = boundary_path(columns, 2, 0.6), boundary_path(flat, 2, 0.6)
    np.testing.assert_allclose(path.points, section.points, atol=1e-12)
    assert path.length == pytest.approx(section.length)
    for f in path.faces:
        assert len(columns.faces[f]) == 4


def test_mesh_gives_the_path_of_its_boundaries():
    """Two rectangles beside each other over one: the boundary is a T, its stem 2 long."""
    points = np.array([[0, 0], [1, 0], [3, 0], [0, 2], [1, 2], [3, 2], [0, 3], [3, 3]], float)
    cells = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4], [3, 4, 6], [4, 7, 6], [4, 5, 7]])
    facets = np.array([[1, 4], [3, 4], [4, 5], [0, 1], [1, 2]])
    data = MeshData(
        2, 1, np.column_stack([points, np.zeros(8)]), cells, np.ones(7, np.int32), facets,
        np.array([1, 1, 1, 2, 2], np.int32), {"electrolyte": 1},
        {"grain_boundaries": 1, "bottom": 2},
    )  # fmt: skip
    path = boundary_path(data, "bottom", 2.0)
    assert path.vertices.tolist() == [1, 4]
    assert path.faces.tolist() == [0]
    assert path.length == 2.0
    short = boundary_path(data, "bottom", 0.5)
    np.testing.assert_allclose(short.points, [[1, 0], [1, 0.5]])
    with pytest.raises(MeshError, match=r"no path along grain boundaries.*up to 2 um"):
        boundary_path(data, "bottom", 2.5)
    with pytest.raises(MeshError, match="named side"):
        boundary_path(data, 2, 1.0)


def test_faults_are_refused():
    cells = random_cells(7, 2, 1)
    with pytest.raises(MeshError, match=r"no path along .*given: 1\.5.*Allowed: up to 1 um"):
        boundary_path(cells, 2, 1.5)
    with pytest.raises(MeshError, match="depth is out of range"):
        boundary_path(cells, 2, 0.0)
    with pytest.raises(MeshError, match=r"Allowed: 0 to 3"):
        boundary_path(cells, 4, 0.5)
    with pytest.raises(MeshError, match="one energy per face"):
        boundary_path(cells, 2, 0.5, energy=[1.0])
    with pytest.raises(MeshError, match="positive"):
        boundary_path(cells, 2, 0.5, energy=np.zeros(len(cells.faces)))
    with pytest.raises(MeshError, match="boundary_surface"):
        boundary_path(random_cells(7, 3, 1), 2, 0.5)
    one = random_cells(1, 2, 1)
    with pytest.raises(MeshError, match="no grain boundary meets the side"):
        boundary_path(one, 2, 0.5)


# -- 3-D -------------------------------------------------------------------------------------------


def cut_by_trial(cells, depth, at, band, weight):
    """Least energy over all ways to give the free grains to the left or the right."""
    loops = [[cells.faces[f] for f in cells.cell_faces(g)] for g in range(cells.n_cells)]
    x = np.array([cells.vertices[sorted({v for f in g for v in f})].mean(axis=0) for g in loops])
    touch = [set(cells.neighbours[cells.neighbours[:, 1] == -1 - s, 0].tolist()) for s in range(6)]
    near = [g for g in range(len(x)) if x[g, 1] <= depth or g in touch[2]]
    fixed = {
        g: g in touch[0] or (x[g, 0] < at - band and g not in touch[1])
        for g in near
        if g in touch[0] or g in touch[1] or abs(x[g, 0] - at) > band
    }
    free = [g for g in near if g not in fixed]
    area = cells.face_measures() * weight
    inner = [
        (int(f), int(a), int(b))
        for f, (a, b) in enumerate(cells.neighbours)
        if b >= 0 and a in near and b in near
    ]
    best = (np.inf, [])
    for choice in itertools.product((False, True), repeat=len(free)):
        side = fixed | dict(zip(free, choice, strict=True))
        chosen = [f for f, a, b in inner if side[a] != side[b]]
        best = min(best, (float(area[chosen].sum()), chosen))
    return best, len(free)


@pytest.mark.parametrize("seed", [2, 3, 4, 6, 7])
def test_surface_is_the_least_of_all_cuts(seed):
    cells = random_cells(40, 3, seed)
    weight = np.random.default_rng(seed).uniform(0.3, 1, len(cells.faces))
    (least, faces), free = cut_by_trial(cells, 0.5, 0.5, 0.25, weight)
    assert 2 <= free <= 14
    found = boundary_surface(cells, 2, 0.5, 0.5, energy=weight, band=0.25)
    assert found.energy == pytest.approx(least, rel=1e-7)
    assert found.faces.tolist() == sorted(faces)
    assert found.area == pytest.approx(cells.face_measures()[found.faces].sum())
    # The front starts and ends on the box (or closes): every other vertex has an even number.
    vertex, count = np.unique(found.front, return_counts=True)
    odd = cells.vertices[vertex[count % 2 == 1]]
    assert (np.abs(odd - 0.5).max(axis=1) > 0.5 - 1e-12).all()
    assert found.reach[0] > 0
    assert found.reach[0] <= 0.5 + 0.35
    assert found.reach[1] >= 0.5 - 0.35


def test_surface_between_bricks_is_the_plane():
    """Regular bricks: the boundary x = 1 down to y = 1, its front the line at y = 1.

    Eight bricks meet at a point, so that rounding decides on tiny faces there: 1e-6 and not less.
    """
    seeds = np.array(
        list(itertools.product([0.25, 0.75, 1.25, 1.75], [0.25, 0.75, 1.25], [0.5, 1.5])), float
    )
    cells = from_seeds(np.array([[0, 0, 0], [2, 1.5, 2.0]]), seeds)
    surface = boundary_surface(cells, 2, 1.0, 1.0, band=0.6)
    assert surface.area == pytest.approx(2.0)
    assert surface.reach == pytest.approx((1.0, 1.0))
    ends = cells.vertices[surface.front]
    assert np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum() == pytest.approx(2.0)
    # a weak plane elsewhere attracts it
    x = np.array([cells.vertices[list(f)].mean(axis=0) for f in cells.faces])
    weak = np.where(np.abs(x[:, 0] - 1.5) < 1e-6, 0.5, 1.0)
    moved = boundary_surface(cells, 2, 1.0, 1.0, band=0.6, energy=weak)
    assert (np.abs(cells.vertices[moved.front][..., 0] - 1.5) < 1e-6).all()
    assert moved.energy == pytest.approx(1.0)


def test_surface_faults_are_refused():
    with pytest.raises(MeshError, match="three dimensions"):
        boundary_surface(random_cells(7, 2, 1), 2, 0.5, 0.5)
    cells = random_cells(30, 3, 1)
    with pytest.raises(MeshError, match="not across axis x"):
        boundary_surface(cells, 0, 0.5, 0.5)
    with pytest.raises(MeshError, match=r"does not part the grains.*reach from side to side"):
        boundary_surface(random_cells(2, 3, 1), 2, 0.5, 0.5)


# -- energies --------------------------------------------------------------------------------------


def test_weak_boundaries_are_seeded():
    first, again, other = (weak_boundaries(200, 0.3, 0.5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first == 0.5).sum() == (other == 0.5).sum() == 60
    assert (first == 1).sum() == 140
    assert (first != other).any()
    with pytest.raises(MeshError, match="fraction"):
        weak_boundaries(10, 1.5, 0.5, 1)


def test_read_shockley():
    assert read_shockley([15.0, 62.8]).tolist() == [1.0, 1.0]
    assert read_shockley(15 / np.e) == pytest.approx(2 / np.e)
    assert read_shockley(0.0) == 0.01
    assert (np.diff(read_shockley(np.linspace(0.1, 15, 50))) > 0).all()
