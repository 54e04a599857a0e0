from dataclasses import replace

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.coincident import merge_coincident
from ssbmech.meshes.cracks import edge, griffith
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.grain_groups import as_grains
from ssbmech.meshes.importer import read_mesh, write_msh
from ssbmech.meshes.neper import quaternions
from ssbmech.meshes.solid import penny


def same(one, two):
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.cells, two.cells)
    assert set(one.facet_groups) == set(two.facet_groups)
    for name in one.facet_groups:
        rows = [d.facets[d.facet_tags == d.facet_groups[name]] for d in (one, two)]
        np.testing.assert_array_equal(*rows)
    assert one.cell_groups == two.cell_groups
    assert set(one.fronts) == set(two.fronts)
    for name, front in one.fronts.items():
        np.testing.assert_array_equal(front, two.fronts[name])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "make",
    [lambda o: griffith(1, 10, order=o), lambda o: penny(1, 5, order=o, symmetry=None, sectors=2)],
)
def test_round_trip(tmp_path, make, order):
    data = make(order)
    write_msh(data, tmp_path / "a.msh")
    write_msh(make(order), tmp_path / "b.msh")
    assert (tmp_path / "a.msh").read_bytes() == (tmp_path / "b.msh").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.msh", "b.msh"]
    same(data, read_mesh(tmp_path / "a.msh", 1.0))


def test_length_unit(tmp_path):
    data = edge(1, 10)
    write_msh(data, tmp_path / "a.msh")
    np.testing.assert_allclose(read_mesh(tmp_path / "a.msh", 1000.0).points, data.points * 1000)
    with pytest.raises(MeshError, match="length_unit"):
        read_mesh(tmp_path / "a.msh", 0.0)


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("binary", [0, 1])
def test_files_that_gmsh_wrote(tmp_path, version, binary):
    import gmsh

    data = griffith(1, 10)
    write_msh(data, tmp_path / "a.msh")
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.open(str(tmp_path / "a.msh"))
    gmsh.option.setNumber("Mesh.MshFileVersion", version)
    gmsh.option.setNumber("Mesh.Binary", binary)
    gmsh.write(str(tmp_path / "b.msh"))
    gmsh.finalize()
    back = read_mesh(tmp_path / "b.msh", 1.0)
    refuse(inspect(back))
    assert len(back.cells) == len(data.cells)
    assert set(back.facet_groups) == set(data.facet_groups)
    for name, front in data.fronts.items():
        np.testing.assert_allclose(back.points[back.fronts[name]], data.points[front])


@pytest.mark.parametrize("suffix", ["vtu", "vtk"])
def test_meshio_formats_have_numbered_groups(tmp_path, suffix):
    import meshio

    data = penny(1, 5, sectors=2)
    order = [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
    meshio.write(
        tmp_path / f"a.{suffix}",
        meshio.Mesh(
            data.points,
            [("tetra10", data.cells[:, order]), ("triangle6", data.facets)],
            cell_data={"region": [data.cell_tags, data.facet_tags]},
        ),
    )
    back = read_mesh(tmp_path / f"a.{suffix}", 1.0)
    refuse(inspect(back))
    assert back.cell_groups == {"group_1": 1}
    assert set(back.facet_groups) == {f"group_{t}" for t in data.facet_groups.values()}


def test_abaqus_sets_keep_their_names(tmp_path):
    import meshio

    points = np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1], [9, 9.0]])
    mesh = meshio.Mesh(
        points,
        [("quad", [[0, 1, 4, 3], [1, 2, 5, 4]]), ("line", [[0, 1], [1, 2]])],
        cell_sets={"LLZO": [np.array([0, 1]), np.array([], int)],
                   "BOTTOM": [np.array([], int), np.array([0, 1])]},
        point_sets={"TIP": np.array([4])},
    )  # fmt: skip
    from ssbmech.meshes.importer import _labels
    from ssbmech.meshes.raw import Block, Raw, assemble

    raw = Raw(np.column_stack([points, np.zeros(7)]))
    for block, codes in zip(mesh.cells, _labels(raw, mesh, tmp_path), strict=True):
        raw.blocks.append(Block(block.type, np.asarray(block.data), codes))
    raw.point_sets["TIP"] = np.array([4])
    data = assemble(raw, 1.0)
    assert len(data.cells) == 4
    assert data.cell_groups == {"LLZO": 1}
    assert data.facet_groups == {"BOTTOM": 1}
    assert data.notes["orphan_nodes_dropped"] == 1
    np.testing.assert_array_equal(data.points[data.fronts["TIP"][0, 0]], [1, 1, 0])
    refuse(inspect(data))


def _write(tmp_path, **changes):
    import meshio

    keywords = {
        "points": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]),
        "cells": [("triangle", [[0, 1, 2]])],
        "cell_data": {"region": [np.array([1])]},
    } | changes
    meshio.write(tmp_path / "a.vtu", meshio.Mesh(**keywords))
    return tmp_path / "a.vtu"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell_data": {}}, "in no group"),
        ({"cells": [("triangle", [[0, 1, 3]])]}, "plane"),
        (
            {"cells": [("line", [[0, 1]])], "cell_data": {"region": [np.array([1])]}},
            "no triangles",
        ),
        (
            {"cells": [("wedge", [[0, 1, 2, 3, 3, 3]])]},
            "simplices",
        ),
        ({"cell_data": {"p": [np.array([1])], "q": [np.array([2])]}}, "several integer"),
    ],
)
def test_unusable_meshes_say_why(tmp_path, changes, message):
    path = _write(tmp_path, **changes)
    with pytest.raises(MeshError, match=message) as error:
        read_mesh(path, 1.0)
    assert "a.vtu" in str(error.value)


def test_cells_in_two_groups_are_refused(tmp_path):
    import gmsh

    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.model.occ.addRectangle(0, 0, 0, 1, 1)
    gmsh.model.occ.synchronize()
    gmsh.model.addPhysicalGroup(2, [1], name="one")
    gmsh.model.addPhysicalGroup(2, [1], name="two")
    gmsh.model.mesh.generate(2)
    gmsh.write(str(tmp_path / "a.msh"))
    gmsh.finalize()
    with pytest.raises(MeshError, match="'one', 'two'"):
        read_mesh(tmp_path / "a.msh", 1.0)


def test_missing_script_and_foreign_files(tmp_path):
    with pytest.raises(MeshError, match="no such file"):
        read_mesh(tmp_path / "none.msh", 1.0)
    (tmp_path / "evil.msh").write_text('SystemCall "touch owned";')
    with pytest.raises(MeshError, match="not a Gmsh mesh"):
        read_mesh(tmp_path / "evil.msh", 1.0)
    for name in ("a.vtu", "a.med", "a.stl2", "a.inp", "a.xdmf"):
        (tmp_path / name).write_bytes(b"\x00nonsense\xff")
        with pytest.raises(MeshError, match=name):
            read_mesh(tmp_path / name, 1.0)


@pytest.mark.parametrize("suffix", ["msh", "vtu", "vtk"])
def test_cut_and_flipped_files_never_crash(tmp_path, suffix):
    import meshio

    path = tmp_path / f"a.{suffix}"
    data = griffith(1, 10, order=1, growth=1.0)
    if suffix == "msh":
        write_msh(data, path)
    else:
        mesh = meshio.Mesh(data.points, [("triangle", data.cells)],
                           cell_data={"region": [data.cell_tags]})  # fmt: skip
        meshio.write(path, mesh)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for k in range(60):
        content = bytearray(whole)
        if k % 2:
            content = content[: rng.integers(0, len(whole))]
        else:
            content[rng.integers(0, len(whole))] = rng.integers(0, 256)
        path.write_bytes(bytes(content))
        try:
            read_mesh(path, 1.0)
        except MeshError as error:
            refused += 1
            assert path.name in str(error)
    assert refused >= 25


def test_unwritable_place_and_nameless_tag(tmp_path):
    data = griffith(1, 10)
    with pytest.raises(MeshError, match="cannot be written"):
        write_msh(data, tmp_path / "no" / "a.msh")
    with pytest.raises(MeshError, match="no name"):
        write_msh(replace(data, cell_tags=data.cell_tags + 7), tmp_path / "a.msh")
    assert not list(tmp_path.iterdir())


def test_a_broken_file_does_not_spoil_the_next(tmp_path):
    data = griffith(1, 10)
    write_msh(data, tmp_path / "good.msh")
    whole = (tmp_path / "good.msh").read_bytes()
    (tmp_path / "cut.msh").write_bytes(whole[: int(0.8 * len(whole))])
    with pytest.raises(MeshError):
        read_mesh(tmp_path / "cut.msh", 1.0)
    assert len(read_mesh(tmp_path / "good.msh", 1.0).cells) == len(data.cells)


# -- grains ---------------------------------------------------------------------------------------


def with_grains(data):
    turns = np.random.default_rng(3).normal(size=(4, 4))
    turns /= np.linalg.norm(turns, axis=1)[:, None]
    points = data.cells[:4, :1] if data.dim == 2 else data.cells[:4, :2]
    return replace(
        data,
        grains=(np.arange(len(data.cells)) % 5).astype(np.int32),
        orientations=turns,
        lines={"triple_lines": points, "path": points[:2]},
        notes=data.notes | {"grains": 4, "between:crack_upper": "electrolyte|", "model": "é|x"},
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_grains_lines_and_notes_come_back_to_the_bit(tmp_path, dim, order):
    plain = griffith(1, 10, order=order) if dim == 2 else penny(1, 5, order=order, sectors=2)
    data = with_grains(plain)
    write_msh(data, tmp_path / "a.msh")
    back = read_mesh(tmp_path / "a.msh", 1.0)
    same(data, back)
    for name in ("grains", "orientations"):
        assert getattr(back, name).dtype == getattr(data, name).dtype
        np.testing.assert_array_equal(getattr(back, name), getattr(data, name))
    assert list(back.lines) == list(data.lines)
    for name, nodes in data.lines.items():
        np.testing.assert_array_equal(back.lines[name], nodes)
    assert back.notes == data.notes
    # in another unit measures are scaled, and lengths of unknown meaning left out
    far = read_mesh(tmp_path / "a.msh", 1000.0).notes
    kind = "area" if dim == 2 else "volume"
    key = f"{kind}:electrolyte"
    assert far[key] == pytest.approx(data.notes[key] * 1000.0**dim)
    assert far["grains"] == 4


@pytest.mark.parametrize("binary", [0, 1])
def test_gmsh_opens_and_writes_grains(tmp_path, binary):
    import gmsh

    data = with_grains(griffith(1, 10))
    write_msh(data, tmp_path / "a.msh")
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.logger.start()
    gmsh.merge(str(tmp_path / "a.msh"))
    assert not [m for m in gmsh.logger.get() if m.startswith(("Error", "Warning"))]
    gmsh.logger.stop()
    view = gmsh.view.getTags()[0]
    _, elements, values, _, _ = gmsh.view.getHomogeneousModelData(view, 0)
    expected = np.concatenate([gmsh.model.mesh.getElements(2, e)[1][0]
                               for _, e in gmsh.model.getEntities(2)])  # fmt: skip
    np.testing.assert_array_equal(elements, expected)
    np.testing.assert_array_equal(values, data.grains)
    gmsh.option.setNumber("Mesh.Binary", binary)
    gmsh.write(str(tmp_path / "b.msh"))
    gmsh.option.setNumber("PostProcessing.SaveMesh", 0)
    gmsh.view.write(view, str(tmp_path / "b.msh"), True)
    gmsh.finalize()
    back = read_mesh(tmp_path / "b.msh", 1.0)
    np.testing.assert_array_equal(back.grains, data.grains)
    np.testing.assert_array_equal(back.orientations, data.orientations)


def neper(*, version="2.3", descriptor="rodrigues:passive", extra="", groups=("poly1", "poly2")):
    """Two cubes of two tetrahedra's worth: a file in the layout that Neper writes."""
    nodes = [(x, y, z) for x in (0, 1, 2) for y in (0, 1) for z in (0, 1)]
    kuhn = [(0, 1, 3, 7), (0, 1, 5, 7), (0, 2, 3, 7), (0, 2, 6, 7), (0, 4, 5, 7), (0, 4, 6, 7)]
    elements, sides = [], []
    for grain, shift in ((1, 0), (2, 4)):
        elements += [(4, grain, [n + shift + 1 for n in cell]) for cell in kuhn]
    wall = [(2, 7, [5, 6, 8]), (2, 7, [5, 7, 8])]  # x = 1, between the grains
    left = [(2, 3, [1, 2, 4]), (2, 3, [1, 3, 4])]
    below = [(15, 2, [1]), (1, 4, [5, 6])]
    rows = below + left + wall + elements
    sides = [f"{k} {' '.join(map(str, n))}" for k, (_, _, n) in enumerate(left, start=7)]
    names = ['0 2 "ver2"', '1 4 "edge4"', '2 3 "face3"', '2 7 "face7"', '2 9 "x0"']
    names += [f'3 {k} "{n}"' for k, n in enumerate(groups, start=1)]
    text = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat"]
    if version:
        text += ["$MeshVersion", version, "$EndMeshVersion"]
    text += ["$Domain", "cube", "$EndDomain", "$Nodes", str(len(nodes))]
    text += [f"{k} {x}.0 {y}.0 {z}.0" for k, (x, y, z) in enumerate(nodes, start=1)]
    text += ["$EndNodes", "$Elements", str(len(rows))]
    text += [
        f"{k} {kind} 3 {tag} {tag} 0 {' '.join(map(str, n))}"
        for k, (kind, tag, n) in enumerate(rows, start=1)
    ]
    text += ["$EndElements", "$NSets", "1", "x0", "2", "1", "2", "$EndNSets"]
    text += ["$Fasets", "1", "x0", "2", *sides, "$EndFasets"]
    text += ["$PhysicalNames", str(len(names)), *names, "$EndPhysicalNames"]
    text += ["$ElsetCrySym", "cubic", "$EndElsetCrySym", "$ElsetOrientations", f"2 {descriptor}"]
    text += ["1 0.267949192431 0.0 0.0", "2 0.0 0.0 0.0", "$EndElsetOrientations", extra]
    return "\n".join(text) + "\n"


def test_neper_file(tmp_path):
    path = tmp_path / "n2.msh"
    path.write_text(neper())
    plain = read_mesh(path, 1.0)
    assert plain.grains is None
    assert set(plain.cell_groups) == {"poly1", "poly2"}
    assert "x0" in plain.facet_groups
    data = read_mesh(path, 1.0, grains=True)
    report = inspect(data)
    refuse(report)
    assert report.n_grains == 2
    assert data.cell_groups == {"electrolyte": 1}
    # the numbered face inside became the boundary, the numbered face outside the side of the file
    assert set(data.facet_groups) == {"grain_boundaries", "x0"}
    wall = data.facets[data.facet_tags == data.facet_groups["grain_boundaries"]]
    assert len(wall) == 2
    np.testing.assert_array_equal(data.points[wall, 0], 1.0)
    side = data.facets[data.facet_tags == data.facet_groups["x0"]]
    np.testing.assert_array_equal(data.points[side, 0], 0.0)
    assert not data.fronts
    # Neper's example of a crystal turned by 30 degrees about x (Orientation Convention)
    half = np.radians(15)
    np.testing.assert_allclose(data.orientations[0], [np.sin(half), 0, 0, np.cos(half)], atol=1e-9)
    np.testing.assert_allclose(data.orientations[1], [0, 0, 0, 1], atol=1e-15)


@pytest.mark.parametrize(
    ("version", "descriptor", "sign"),
    [
        ("2.3", "rodrigues:passive", 1),
        ("2.3", "rodrigues", 1),
        ("2.3", "rodrigues:active", -1),
        # the words were exchanged in 2.3, the numbers stayed
        ("2.2.3", "rodrigues:active", 1),
        ("2.2.3", "rodrigues:passive", -1),
        ("", "rodrigues", 1),
    ],
)
def test_conventions_of_orientations(tmp_path, version, descriptor, sign):
    (tmp_path / "a.msh").write_text(neper(version=version, descriptor=descriptor))
    turn = read_mesh(tmp_path / "a.msh", 1.0, grains=True).orientations[0]
    assert turn[0] / turn[3] == pytest.approx(sign * np.tan(np.radians(15)), rel=1e-9)


def test_descriptors_agree():
    """The values of one orientation in Neper's documentation: 30 degrees about x."""
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    turn = [np.sin(np.pi / 12), 0, 0, np.cos(np.pi / 12)]
    for form, values in {
        "rodrigues": [0.267949192431123, 0, 0],
        "euler-bunge": [0, 30, 0],
        "euler-kocks": [270, 30, 90],
        "euler-roe": [270, 30, 90],
        "rotmat": [1, 0, 0, 0, c, s, 0, -s, c],
        "axis-angle": [1, 0, 0, 30],
        "quaternion": [np.cos(np.pi / 12), np.sin(np.pi / 12), 0, 0],
    }.items():
        found = quaternions(form, np.array([values], dtype=float))[0]
        np.testing.assert_allclose(found * np.sign(found[3]), turn, atol=1e-12, err_msg=form)
    # a general one, which tells a rotation from its transpose in every form
    angles = np.array([[20.0, 50.0, 70.0]])
    bunge = quaternions("euler-bunge", angles)[0]
    for form, other in (
        ("euler-kocks", [[290.0, 50.0, 20.0]]),
        ("euler-roe", [[290.0, 50.0, 160.0]]),
    ):
        found = quaternions(form, np.array(other))[0]
        assert abs(found @ bunge) == pytest.approx(1.0, abs=1e-12)
    phi1, phi, phi2 = np.radians(angles[0])
    a, b, c2 = np.cos([phi1, phi, phi2])
    d, e, f = np.sin([phi1, phi, phi2])
    # Bunge's matrix g: sample components to crystal components
    g = [a * c2 - d * f * b, d * c2 + a * f * b, f * e,
         -a * f - d * c2 * b, -d * f + a * c2 * b, c2 * e, d * e, -a * e, b]  # fmt: skip
    found = quaternions("rotmat", np.array([g]))[0]
    assert abs(found @ bunge) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": ""}, "MeshVersion"),
        ({"descriptor": "rodriguez"}, "Did you mean 'rodrigues'"),
        ({"descriptor": "rodrigues:inverse"}, "active, passive"),
        ({"descriptor": "quaternion"}, "4 finite numbers"),
        ({"groups": ("left", "right")}, "named like a grain"),
        ({"groups": ("poly1", "electrolyte")}, "beside its grains"),
    ],
)
def test_bad_grains_say_why(tmp_path, changes, message):
    (tmp_path / "a.msh").write_text(neper(**changes))
    with pytest.raises(MeshError, match=message) as error:
        read_mesh(tmp_path / "a.msh", 1.0, grains=True)
    assert "a.msh" in str(error.value)


def test_some_grains_without_orientation():
    data = griffith(1, 10, order=1)
    two = replace(
        data,
        cell_tags=np.where(np.arange(len(data.cells)) % 2, 1, 2).astype(np.int32),
        cell_groups={"grain_1": 1, "grain_2": 2},
    )
    one = {"grain_1": np.array([0, 0, 0, 1.0])}
    with pytest.raises(MeshError, match=r"1 of 2 grains .*'grain_2'"):
        as_grains(two, orientation_of=one)
    assert as_grains(two).orientations is None
    assert as_grains(replace(data, grains=np.ones(len(data.cells), np.int32))).lines == {}


@pytest.mark.parametrize("order", [1, 2])
def test_grains_of_cell_groups(order):
    data = griffith(1, 10, order=order)
    centre = data.points[data.cells[:, :3]].mean(axis=1)
    quarter = (centre[:, 0] > 0) + 2 * (centre[:, 1] > 0)
    groups = {"grain_4": 1, "grain_10": 2, "grain_7": 3, "lithium": 4}
    made = as_grains(replace(data, cell_tags=(quarter + 1).astype(np.int32), cell_groups=groups))
    assert made.cell_groups == {"electrolyte": 1, "lithium": 2}
    # in the order of their numbers: 4, 7, 10
    expected = np.array([1, 3, 2, 0])[quarter]
    np.testing.assert_array_equal(made.grains, expected)
    np.testing.assert_array_equal(made.cell_tags, np.where(expected > 0, 1, 2))
    report = inspect(replace(made, notes={k: v for k, v in made.notes.items() if "area" not in k}))
    refuse(report)
    assert made.facets.shape[1] == order + 1
    assert set(data.facet_groups) < set(made.facet_groups)


# -- duplicate nodes ------------------------------------------------------------------------------


def apart(data, shift, *, keep_groups=True):
    """The mesh and a copy of it beside, that share no node."""
    n = len(data.points)
    return replace(
        data,
        points=np.vstack([data.points, data.points + shift]),
        cells=np.vstack([data.cells, data.cells + n]),
        cell_tags=np.tile(data.cell_tags, 2),
        facets=np.vstack([data.facets, data.facets + n]),
        facet_tags=np.tile(data.facet_tags, 2),
        fronts={name: nodes for name, nodes in data.fronts.items() if keep_groups},
        notes={},
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_parts_that_share_no_node_are_joined_on_request(tmp_path, order, noise):
    data = griffith(1, 10, order=order)
    two = apart(data, np.array([20.0, 0, 0]))
    two.points[len(data.points) :, 0] += noise
    write_msh(two, tmp_path / "a.msh")
    with pytest.raises(MeshError, match="separate parts = 2"):
        refuse(inspect(read_mesh(tmp_path / "a.msh", 1.0)))
    back = read_mesh(tmp_path / "a.msh", 1.0, merge_duplicates=True)
    report = inspect(back)
    refuse(report)
    assert report.n_parts == 1
    on_side = np.unique(data.facets[data.facet_tags == data.facet_groups["right"]])
    assert back.notes["duplicate_nodes_merged"] == len(on_side)
    # both cracks stay open, and the sides that met are no sides any more
    for name in ("crack_lower", "crack_upper"):
        many = [(d.facet_tags == d.facet_groups[name]).sum() for d in (data, back)]
        assert many[1] == 2 * many[0]
    for name, x in (("right", 30), ("left", -10)):
        rows = back.facets[back.facet_tags == back.facet_groups[name]]
        np.testing.assert_allclose(back.points[rows, 0], x, atol=1e-6)
    assert back.order == order


def test_merging_leaves_a_sound_mesh_alone():
    data = griffith(1, 10)
    assert merge_coincident(data) is data
