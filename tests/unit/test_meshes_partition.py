import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from ssbmech.errors import MeshError
from ssbmech.meshes.bisection import bisect
from ssbmech.meshes.cracks import griffith
from ssbmech.meshes.partition import (
    outline,
    read_header,
    read_parts,
    read_whole,
    write_partitioned,
)
from ssbmech.meshes.solid import penny
from ssbmech.meshes.watertight import topology


@pytest.fixture(scope="module")
def data():
    made = penny(1, 5, order=1, symmetry=None, sectors=2)
    grains = (np.arange(len(made.cells)) % 7).astype(np.int32)
    turns = np.random.default_rng(1).normal(size=(6, 4))
    turns /= np.linalg.norm(turns, axis=1)[:, None]
    return replace(made, grains=grains, orientations=turns)


def test_parts_hold_everything_once(tmp_path, data):
    header = write_partitioned(data, tmp_path / "a.parts", 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parts"]
    whole = read_parts(header, 0, 3)
    np.testing.assert_array_equal(whole.points, data.points)
    # cells in another order: compare as sets of rows with their tags and grains
    rows = [
        np.column_stack([d.cells, d.cell_tags, d.grains])[np.lexsort(d.cells.T)]
        for d in (whole, data)
    ]
    np.testing.assert_array_equal(*rows)
    known = np.column_stack([np.sort(data.facets, axis=1), data.facet_tags])
    found = np.column_stack([whole.facets, whole.facet_tags])
    np.testing.assert_array_equal(known[np.lexsort(known.T)], found[np.lexsort(found.T)])
    on = np.zeros(len(data.points), bool)
    on[data.facets] = True
    np.testing.assert_array_equal(whole.tagged, on)
    fronts, turns = read_whole(header)
    np.testing.assert_array_equal(turns, data.orientations)
    for name, edges in data.fronts.items():
        np.testing.assert_array_equal(fronts[name][0], edges)
        np.testing.assert_array_equal(fronts[name][1], data.points[np.unique(edges)])


def test_ghosts_are_the_neighbours_across_facets(tmp_path, data):
    header = write_partitioned(data, tmp_path / "a.parts", 3)
    pieces = [read_parts(header, p, p + 1) for p in range(3)]
    part_of = {tuple(c): p for p, piece in enumerate(pieces) for c in piece.cells.tolist()}
    part = np.array([part_of[tuple(c)] for c in data.cells.tolist()])
    wanted = [{int(p)} for p in part]
    top = topology(data)
    for one, two in top.cell(top.inner).tolist():
        wanted[one].add(int(part[two]))
        wanted[two].add(int(part[one]))
    by_cell = {tuple(c): w for c, w in zip(data.cells.tolist(), wanted, strict=True)}
    for p, piece in enumerate(pieces):
        for k, cell in enumerate(piece.cells.tolist()):
            ranks = piece.ghosts[piece.ghost_starts[k] : piece.ghost_starts[k + 1]].tolist()
            assert ranks[0] == p
            assert len(set(ranks)) == len(ranks)
            assert set(ranks) == by_cell[tuple(cell)]


def test_same_mesh_same_bytes(tmp_path, data):
    one = write_partitioned(data, tmp_path / "a", 2)
    two = write_partitioned(data, tmp_path / "b", 2)
    assert one.hashes == two.hashes


def test_bisection_is_balanced_and_short():
    points = np.random.default_rng(0).uniform(size=(10_000, 3)) * [4, 1, 1]
    part = bisect(points, 4)
    assert np.bincount(part).tolist() == [2500] * 4
    # the long direction is cut three times: ranges in x do not overlap
    ends = sorted((points[part == p, 0].min(), points[part == p, 0].max()) for p in range(4))
    assert all(one[1] < two[0] + 0.1 for one, two in itertools.pairwise(ends))
    assert sorted(np.bincount(bisect(points[:7], 7)).tolist()) == [1] * 7
    assert max(np.bincount(bisect(points, 3))) - min(np.bincount(bisect(points, 3))) <= 2


def test_outline_has_groups_and_extent(tmp_path, data):
    header = write_partitioned(data, tmp_path / "a", 2)
    rough = outline(header)
    assert rough.cell_groups == data.cell_groups
    assert rough.facet_groups == data.facet_groups
    assert rough.notes == data.notes
    np.testing.assert_array_equal(np.ptp(rough.points, axis=0), np.ptp(data.points, axis=0))
    assert header.length == pytest.approx(10e-6)
    for name, edges in data.fronts.items():
        np.testing.assert_array_equal(rough.points[rough.fronts[name]], data.points[edges])


def test_bad_parts_are_refused(tmp_path, data):
    folder = tmp_path / "a.parts"
    header = write_partitioned(data, folder, 2)
    with pytest.raises(MeshError, match="something already"):
        write_partitioned(data, folder, 2)
    assert write_partitioned(griffith(1, 10), folder, 2, overwrite=True).dim == 2
    header = write_partitioned(data, folder, 2, overwrite=True)
    (tmp_path / "mine").mkdir()
    with pytest.raises(MeshError, match="something already"):
        write_partitioned(data, tmp_path / "mine", 2, overwrite=True)
    with pytest.raises(MeshError, match="parts is out of range"):
        write_partitioned(data, tmp_path / "b", len(data.cells) + 1)
    with pytest.raises(MeshError, match="cannot be written"):
        write_partitioned(data, tmp_path / "no" / "b", 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parts", "mine"]

    piece = folder / "part_00001.npz"
    content = piece.read_bytes()
    piece.write_bytes(content[:-100])
    with pytest.raises(MeshError, match=r"part_00001.*SHA-256"):
        read_parts(header, 0, 2)
    piece.unlink()
    with pytest.raises(MeshError, match="missing"):
        read_parts(header, 1, 2)
    piece.write_bytes(content)
    assert len(read_parts(header, 1, 2).cells) == header.cells[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: len(t) // 2], "cannot be read"),
        (lambda t: t.replace('"format": 1', '"format": 9'), "another version"),
        (lambda t: json.dumps(json.loads(t) | {"cells": [1]}), "counts do not fit"),
    ],
)
def test_bad_header(tmp_path, change, message):
    folder = tmp_path / "a"
    write_partitioned(griffith(1, 10, order=1), folder, 2)
    path = folder / "mesh.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(MeshError, match=message):
        read_header(folder)
    with pytest.raises(MeshError, match="no partitioned mesh"):
        read_header(tmp_path / "none")
