import dataclasses
import itertools

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import cell_facets, keys, orient, signed_measure
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.grains import mesh_grains
from ssbmech.meshes.split import split_crack
from ssbmech.meshes.tessellation import tessellate
from ssbmech.meshes.thicken import thicken_facets, thicken_grain_boundaries


def grid(dim, n, *, groups, fronts=None, materials=None, grains=None):
    """Square or cube [0, 1]^dim of n cells a side; groups by a test on the corners of facets."""
    axes = np.meshgrid(*[np.arange(n + 1)] * dim, indexing="ij")
    lattice = np.stack([a.ravel() for a in axes], axis=1)
    number = np.arange(len(lattice)).reshape([n + 1] * dim)
    points = np.zeros((len(lattice), 3))
    points[:, :dim] = lattice / n
    base = np.stack([a.ravel() for a in np.meshgrid(*[np.arange(n)] * dim, indexing="ij")], 1)
    cells = []
    for path in itertools.permutations(range(dim)):  # Kuhn's subdivision
        corner = base.copy()
        nodes = [number[tuple(corner.T)]]
        for axis in path:
            corner = corner.copy()
            corner[:, axis] += 1
            nodes.append(number[tuple(corner.T)])
        cells.append(np.stack(nodes, axis=1))
    cells = orient(points, np.concatenate(cells), dim, 1)
    every = cell_facets(cells, dim, 1)
    every = every[np.unique(keys(every, len(points)), return_index=True)[1]]
    corners = points[every]
    sides = {
        f"{'xyz'[axis]}_{value}": (lambda x, a=axis, v=value: (x[..., a] == v).all(axis=1))
        for axis in range(dim)
        for value in (0, 1)
    }
    facets, marks, names = [], [], {}
    for name, test in (groups | sides).items():
        chosen = every[test(corners)]
        names[name] = len(names) + 1
        facets.append(chosen)
        marks.append(np.full(len(chosen), names[name], dtype=np.int32))
    centre = points[cells][..., :dim].mean(axis=1)
    tags = np.ones(len(cells), dtype=np.int32)
    material = {"electrolyte": 1}
    if materials:
        tags = materials(centre).astype(np.int32)
        material = {"electrolyte": 1, "lithium": 2}
    kind = "area" if dim == 2 else "volume"
    notes = {f"{kind}:{m}": float((tags == t).sum() / len(tags)) for m, t in material.items()}
    found = {}
    for name, on in (fronts or {}).items():
        nodes = np.flatnonzero(on(points))
        nodes = nodes[np.argsort(points[nodes, 2])]
        found[name] = nodes[:, None] if dim == 2 else np.stack([nodes[:-1], nodes[1:]], axis=1)
    return MeshData(
        dim, 1, points, cells, tags, np.concatenate(facets), np.concatenate(marks), material,
        names, found, grains=None if grains is None else grains(centre).astype(np.int32),
        notes=notes,
    )  # fmt: skip


def plane(axis, value, low=None, along=0):
    """Facets on a plane, from a coordinate on."""

    def test(x):
        on = (x[..., axis] == value).all(axis=1)
        return on if low is None else on & (x[..., along] >= low).all(axis=1)

    return test


def size(data, name=None):
    mask = slice(None) if name is None else data.cell_tags == data.cell_groups[name]
    return signed_measure(data.points, data.cells[mask], data.dim).sum()


def group(data, name):
    return data.facets[data.facet_tags == data.facet_groups[name]]


def measure(data, name):
    """Length or area of a facet group."""
    x = data.points[group(data, name)]
    edges = x[:, 1:] - x[:, :1]
    if data.dim == 2:
        return np.linalg.norm(edges[:, 0], axis=1).sum()
    return np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1).sum() / 2


def faces_are_watertight(data):
    """Every facet of one cell is tagged once, and those of two materials are in a group."""
    every = cell_facets(data.cells, data.dim, 1)
    stacked = keys(np.concatenate([every, data.facets]), len(data.points))
    key, tagged = stacked[: len(every)], stacked[len(every) :]
    assert len(np.unique(tagged)) == len(tagged)
    unique, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    assert count.max() == 2
    assert np.isin(unique[count == 1], tagged).all()
    low, high = (np.full(len(unique), start) for start in (10**6, -1))
    tags = np.repeat(data.cell_tags, data.dim + 1)
    np.minimum.at(low, inverse, tags)
    np.maximum.at(high, inverse, tags)
    assert np.isin(unique[low != high], tagged).all()


# -- straight layers -------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
def test_plane_layer_is_exact(dim):
    data = grid(dim, 4, groups={"sheet": plane(0, 0.5)})
    thick = thicken_facets(data, "sheet", 0.1, "layer")
    assert size(thick) == pytest.approx(1, rel=1e-14)
    assert size(thick, "layer") == pytest.approx(0.1, rel=1e-13)
    x = thick.points[thick.cells[thick.cell_tags == thick.cell_groups["layer"]]][..., 0]
    assert (x.min(), x.max()) == pytest.approx((0.45, 0.55), rel=1e-14)
    assert "sheet" not in thick.facet_groups
    assert measure(thick, "electrolyte_layer") == pytest.approx(2, rel=1e-14)
    assert thick.notes["between:electrolyte_layer"] == "electrolyte|layer"
    assert not {"area:electrolyte", "volume:electrolyte"} & set(thick.notes)
    for axis in "xyz"[:dim]:
        for end in (0, 1):
            assert measure(thick, f"{axis}_{end}") == pytest.approx(1, rel=1e-14)
    faces_are_watertight(thick)
    refuse(inspect(thick))


def test_notes_say_what_outer_groups_lie_on():
    data = grid(2, 4, groups={"sheet": plane(0, 0.5)})
    data.notes.update({f"between:{s}": "electrolyte|" for s in ("x_0", "y_0", "y_1")})
    notes = thicken_facets(data, "sheet", 0.1, "layer").notes
    assert notes["between:x_0"] == "electrolyte|"
    assert notes["between:y_0"] == notes["between:y_1"] == "electrolyte|,layer|"
    notes = thicken_facets(data, "y_0", 0.1, "layer").notes
    assert notes["between:y_0"] == "electrolyte|,layer|"
    assert notes["between:y_1"] == "electrolyte|"


@pytest.mark.parametrize("dim", [2, 3])
def test_crossing_planes(dim):
    """Inclusion and exclusion: t each, less the t^2 that two share and so on."""
    data = grid(
        dim, 4, groups={"grain_boundaries": lambda x: np.any(
            [(x[..., a] == 0.5).all(axis=1) for a in range(dim)], axis=0)},
        grains=lambda c: 1 + ((c > 0.5) * 2 ** np.arange(dim)).sum(axis=1),
    )  # fmt: skip
    t = 0.06
    thick = thicken_grain_boundaries(data, t)
    assert size(thick, "electrolyte") == pytest.approx((1 - t) ** dim, rel=1e-13)
    assert size(thick, "grain_boundary") == pytest.approx(1 - (1 - t) ** dim, rel=1e-13)
    for g in range(2**dim):
        cells = thick.cells[thick.grains == g + 1]
        exact = ((1 - t) / 2) ** dim
        assert signed_measure(thick.points, cells, dim).sum() == pytest.approx(exact, rel=1e-13)
    assert (thick.grains[thick.cell_tags == thick.cell_groups["grain_boundary"]] == 0).all()
    faces_are_watertight(thick)
    refuse(inspect(thick))


@pytest.mark.parametrize("dim", [2, 3])
def test_same_mesh_again(dim):
    data = grid(dim, 4, groups={"sheet": plane(0, 0.5)})
    first, second = (thicken_facets(data, "sheet", 0.1, "layer") for _ in range(2))
    for name in ("points", "cells", "facets", "facet_tags"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


# -- thicker than the elements ---------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
def test_layer_thicker_than_elements_pushes_them(dim):
    data = grid(dim, 8, groups={"sheet": plane(0, 0.5)})
    thick = thicken_facets(data, "sheet", 0.4, "layer")  # 0.2 to each side, elements 0.125
    assert size(thick, "layer") == pytest.approx(0.4, rel=1e-12)
    assert measure(thick, "y_0") == pytest.approx(1, rel=1e-12)
    faces_are_watertight(thick)
    refuse(inspect(thick))


def test_too_thick_is_refused_with_what_fits():
    data = grid(2, 8, groups={"sheet": plane(0, 0.5)})
    with pytest.raises(MeshError, match=r"thickness 1\.2 um does not fit at \(.*up to about") as e:
        thicken_facets(data, "sheet", 1.2, "layer")
    most = float(e.value.allowed.split()[3])
    assert 0.4 < most < 1
    assert size(thicken_facets(data, "sheet", most, "layer"), "layer") == pytest.approx(most)


# -- one side --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("side", ["electrolyte", "lithium"])
def test_interphase_grows_to_one_side(dim, side):
    data = grid(
        dim, 4, groups={"li_sse": plane(dim - 1, 0.5)},
        materials=lambda c: np.where(c[:, -1] > 0.5, 1, 2),
    )  # fmt: skip
    thick = thicken_facets(data, "li_sse", 0.08, "interphase", side=side)
    other = {"electrolyte": "lithium", "lithium": "electrolyte"}[side]
    assert size(thick, side) == pytest.approx(0.42, rel=1e-13)
    assert size(thick, other) == pytest.approx(0.5, rel=1e-14)
    assert size(thick, "interphase") == pytest.approx(0.08, rel=1e-13)
    assert set(thick.facet_groups) >= {"electrolyte_interphase", "interphase_lithium"}
    assert "li_sse" not in thick.facet_groups
    assert measure(thick, "interphase_lithium") == pytest.approx(1)
    kind = "area" if dim == 2 else "volume"
    assert f"{kind}:{other}" in thick.notes
    assert f"{kind}:{side}" not in thick.notes
    faces_are_watertight(thick)
    refuse(inspect(thick))


@pytest.mark.parametrize("dim", [2, 3])
def test_skin_around_an_inclusion(dim):
    """A box of lithium in the electrolyte: its skin is the larger box less the box."""
    data = grid(
        dim, 8, groups={},
        materials=lambda c: np.where((np.abs(c - 0.5) < 0.25).all(axis=1), 2, 1),
    )  # fmt: skip
    every = cell_facets(data.cells, dim, 1)
    key = keys(every, len(data.points))
    row = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[row][1:] == key[row][:-1])
    a, b = row[twin], row[twin + 1]
    face = a[data.cell_tags[a // (dim + 1)] != data.cell_tags[b // (dim + 1)]]
    data = dataclasses.replace(
        data,
        facets=np.concatenate([data.facets, every[face]]),
        facet_tags=np.r_[data.facet_tags, np.full(len(face), 99)].astype(np.int32),
        facet_groups=data.facet_groups | {"li_sse": 99},
    )
    t = 0.03
    skin = thicken_facets(data, "li_sse", t, "skin", side="electrolyte")
    assert size(skin, "lithium") == pytest.approx(0.5**dim, rel=1e-13)
    assert size(skin, "skin") == pytest.approx((0.5 + 2 * t) ** dim - 0.5**dim, rel=1e-12)
    faces_are_watertight(skin)
    refuse(inspect(skin))


@pytest.mark.parametrize("dim", [2, 3])
def test_skin_of_a_split_crack_closes_at_the_front(dim):
    """Faces on the boundary: the skin grows into the body, and tapers to the front."""
    data = grid(
        dim, 8, groups={"crack": lambda x: plane(1, 0.5)(x) & (x[..., 0] <= 0.5).all(axis=1)},
        fronts={"front": lambda p: (p[:, 0] == 0.5) & (p[:, 1] == 0.5)},
    )  # fmt: skip
    data = split_crack(data, "crack", "front", lower="crack_lower", upper="crack_upper",
                       normal=(0, 1, 0))  # fmt: skip
    t = 0.05
    skin = thicken_facets(data, ["crack_lower", "crack_upper"], t, "skin")
    # whole over 3/8 of the width, half of it over the last element
    assert size(skin, "skin") == pytest.approx(2 * t * (3 / 8 + 1 / 16), rel=1e-12)
    assert measure(skin, "crack_lower") == pytest.approx(0.5)
    np.testing.assert_array_equal(skin.front("front"), data.front("front"))
    faces_are_watertight(skin)
    refuse(inspect(skin))


# -- ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
def test_layer_tapers_at_a_free_edge(dim):
    data = grid(dim, 4, groups={"sheet": plane(0, 0.5, 0.5, along=1)})
    thick = thicken_facets(data, "sheet", 0.04, "layer")
    # 2 of 4 facets wide open along y = 1, the end at y = 0.5 closed: 0.25 + 0.125
    assert size(thick, "layer") == pytest.approx(0.04 * 0.375, rel=1e-12)
    assert size(thick) == pytest.approx(1, rel=1e-14)
    faces_are_watertight(thick)
    refuse(inspect(thick))


@pytest.mark.parametrize("dim", [2, 3])
def test_grain_boundary_reaches_bonded_lithium_with_its_whole_thickness(dim):
    data = grid(
        dim, 4,
        groups={"grain_boundaries": plane(0, 0.5, 0.5, along=1), "li_sse": plane(1, 0.5)},
        materials=lambda c: np.where(c[:, 1] > 0.5, 1, 2),
        grains=lambda c: np.where(c[:, 1] > 0.5, 1 + (c[:, 0] > 0.5), 0),
    )  # fmt: skip
    t = 0.04
    thick = thicken_grain_boundaries(data, t)
    assert size(thick, "grain_boundary") == pytest.approx(t / 2, rel=1e-12)
    assert size(thick, "lithium") == pytest.approx(0.5, rel=1e-14)
    assert measure(thick, "grain_boundary_lithium") == pytest.approx(t, rel=1e-12)
    assert measure(thick, "li_sse") == pytest.approx(1 - t, rel=1e-13)
    assert thick.notes["between:grain_boundary_lithium"] == "grain_boundary|lithium"
    assert [thick.grains[thick.cell_tags == thick.cell_groups[m]].max()
            for m in ("grain_boundary", "lithium")] == [0, 0]  # fmt: skip
    kind = "area" if dim == 2 else "volume"
    assert f"{kind}:lithium" in thick.notes
    assert "closed:grain_boundary" not in thick.notes
    assert "" not in thick.facet_groups
    faces_are_watertight(thick)
    refuse(inspect(thick))


@pytest.mark.parametrize("seed", [1, 4])
def test_corners_where_more_planes_meet_than_dimensions(seed):
    """Grains without short edges have such corners, also on the sides: every cell stays valid."""
    tess = tessellate([[0, 0, 0], [3, 3, 3]], mean_size=1.0, seed=seed)
    planes = [len({f for f in tess.cell_faces(g) if v in tess.faces[f]})
              for g in range(0, tess.n_cells, 4)
              for v in {v for f in tess.cell_faces(g) for v in tess.faces[f]}]  # fmt: skip
    assert max(planes) > 3
    data = mesh_grains(tess, 0.3)
    thick = thicken_grain_boundaries(data, 0.004)
    assert size(thick) == pytest.approx(27, rel=1e-12)
    inner = tess.neighbours[:, 1] >= 0
    area = tess.face_measures()[inner].sum()
    # less where layers cross; more at corners that give way to a plane
    assert 0.95 < size(thick, "grain_boundary") / (0.004 * area) < 1.01
    faces_are_watertight(thick)
    assert signed_measure(thick.points, thick.cells, 3).min() > 0


# -- bad input -------------------------------------------------------------------------------------


def test_faults_are_refused():
    data = grid(
        2, 4, groups={"sheet": plane(0, 0.5), "short": lambda x: plane(0, 0.25)(x)
                      & (np.abs(x[..., 1] - 0.375) < 0.2).all(axis=1), "none": plane(0, 0.3)},
        fronts={"front": lambda p: (p[:, 0] == 0.5) & (p[:, 1] == 0.5)},
        materials=lambda c: np.where(c[:, 1] > 0.5, 1, 2),
    )  # fmt: skip
    with pytest.raises(MeshError, match="sheet"):
        thicken_facets(data, "shet", 0.1, "layer")
    with pytest.raises(MeshError, match=r"thickness is out of range.*> 0 um"):
        thicken_facets(data, "sheet", 0.0, "layer")
    with pytest.raises(MeshError, match="empty"):
        thicken_facets(data, "none", 0.1, "layer")
    with pytest.raises(MeshError, match="lithium"):
        thicken_facets(data, "sheet", 0.1, "layer", side="litium")
    with pytest.raises(MeshError, match=r"0 sides in 'electrolyte' at \(0\.5, 0"):
        thicken_facets(data, "sheet", 0.1, "layer", side="electrolyte")
    with pytest.raises(MeshError, match=r"front 'front' crosses the layer at \(0\.5, 0\.5"):
        thicken_facets(data, "sheet", 0.1, "layer")
    plain = dataclasses.replace(data, fronts={})
    one = dataclasses.replace(plain, facets=data.facets[data.facet_tags == 2][:1],
                              facet_tags=np.array([2], np.int32))  # fmt: skip
    with pytest.raises(MeshError, match="no room to open"):
        thicken_facets(one, "short", 0.1, "layer")
    second = dataclasses.replace(plain, order=2)
    with pytest.raises(MeshError, match="first order"):
        thicken_facets(second, "sheet", 0.1, "layer")
