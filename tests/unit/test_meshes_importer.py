from dataclasses import replace

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.cracks import edge, griffith
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.importer import read_mesh, write_msh
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
