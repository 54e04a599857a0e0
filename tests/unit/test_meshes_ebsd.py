import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from ssbmech.errors import MeshError
from ssbmech.meshes.ebsd import ebsd, find_grains, mean_orientation, misorientation
from ssbmech.meshes.ebsd_file import read_scan
from ssbmech.meshes.gate import inspect, refuse

NX, NY = 30, 20  # columns and rows of the map
CTF = """Channel Text File
Prj\tmap of LLZO
Author\t[Unknown]
JobMode\tGrid
XCells\t{nx}
YCells\t{ny}
XStep\t0.5
YStep\t0.5
AcqE1\t0
AcqE2\t0
AcqE3\t0
Euler angles refer to Sample Coordinate system (CS0)!\tMag\t500\tCoverage\t100\tDevice\t0\tKV\t20
Phases\t{n_phases}
{phases}
Phase\tX\tY\tBands\tError\tEuler1\tEuler2\tEuler3\tMAD\tBC\tBS
"""
LLZO = "12.950;12.950;12.950\t90.000;90.000;90.000\tLLZO\t{laue}\t230\t\t\tcollection"
ANG = """# TEM_PIXperUM          1.000000
# x-star                0.413900
# Phase 1
# MaterialName      LLZO
# Formula       Li7La3Zr2O12
# Symmetry              43
# LatticeConstants      12.950 12.950 12.950  90.000  90.000  90.000
# NumberFamilies        4
#
# GRID: {grid}
# XSTEP: {dx}
# YSTEP: {dy}
# NCOLS_ODD: {odd}
# NCOLS_EVEN: {even}
# NROWS: {rows}
#
# OPERATOR:     x
#
"""


def truth():
    """Grain of each point by (row, column), and three orientations."""
    j, i = np.indices((NY, NX))
    grain = np.where(i < NX // 2, 0, np.where(j < NY // 2, 1, 2))
    return grain, Rotation.from_euler("ZXZ", [[10, 20, 30], [200, 65, 80], [40, 50, 60]], True)


def angles(rng, spread=0.3):
    """Bunge angles [degrees] of each point: scatter, and equivalents by cubic symmetry."""
    grain, of_grain = truth()
    cube = Rotation.create_group("O")
    rows = []
    for g in grain.ravel():
        scatter = Rotation.from_rotvec(np.radians(rng.normal(size=3) * spread))
        equal = cube[int(rng.integers(24))]
        rows.append((scatter * of_grain[int(g)] * equal).as_euler("ZXZ", True) % 360)
    return np.array(rows)


def write_ctf(path, rng, *, laue=11, phase=None, rows=None, comma=False):
    j, i = (a.ravel() for a in np.indices((NY, NX)))
    phase = np.ones(NX * NY, dtype=int) if phase is None else phase
    n_phases = max(2, int(phase.max())) if phase.max() > 1 else 1
    text = CTF.format(
        nx=NX, ny=NY, n_phases=n_phases, phases="\n".join([LLZO.format(laue=laue)] * n_phases)
    )
    for p, x, y, e in list(zip(phase, i, j, angles(rng), strict=True))[:rows]:
        line = (
            f"{p}\t{x / 2:.4f}\t{y / 2:.4f}\t8\t0\t{e[0]:.4f}\t{e[1]:.4f}\t{e[2]:.4f}\t0.5\t90\t9\n"
        )
        text += line.replace(".", ",") if comma else line
    path.write_text(text)
    return str(path)


def write_ang(path, rng, *, lost=()):
    text = ANG.format(grid="SqrGrid", dx=0.5, dy=0.5, odd=NX, even=NX, rows=NY)
    j, i = (a.ravel() for a in np.indices((NY, NX)))
    for k, e in enumerate(np.radians(angles(rng))):
        ci = -1 if k in lost else 0.8
        text += f" {e[0]:9.5f} {e[1]:9.5f} {e[2]:9.5f} {i[k] / 2:9.5f} {j[k] / 2:9.5f}"
        text += f" 900.0 {ci:6.3f}  0      1  1.1\n"
    path.write_text(text)
    return str(path)


def grain_at(data, x, y):
    centre = data.points[data.cells[:, :3]].mean(axis=1)
    return int(data.grains[np.argmin(np.hypot(centre[:, 0] - x, centre[:, 1] - y))])


@pytest.mark.parametrize("kind", ["ctf", "ang"])
def test_grains_places_and_orientations(tmp_path, kind):
    rng = np.random.default_rng(1)
    lost = rng.choice(NX * NY, 40, replace=False)
    if kind == "ctf":
        phase = np.ones(NX * NY, dtype=int)
        phase[lost] = 0
        data = ebsd(write_ctf(tmp_path / "a.ctf", rng, phase=phase))
        turn = Rotation.identity()
    else:
        data = ebsd(write_ang(tmp_path / "a.ang", rng, lost=set(map(int, lost))))
        turn = Rotation.from_matrix([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # X down, Y right
    refuse(inspect(data))
    assert data.notes["grains"] == 3
    assert data.notes["not_indexed_fraction"] == pytest.approx(40 / 600)
    assert data.orientations.shape == (3, 4)
    np.testing.assert_allclose(np.linalg.norm(data.orientations, axis=1), 1)
    assert len(data.lines["triple_lines"]) == 1
    np.testing.assert_allclose(data.points[data.lines["triple_lines"][0, 0], :2], [0, 5], atol=0.5)
    # the first row of the file is the top of the map
    _, wanted = truth()
    for k, (x, y) in enumerate([(-5, 5), (5, 8), (5, 2)]):
        found = data.orientations[[grain_at(data, x, y) - 1]]
        expected = (turn * wanted[k]).as_quat()[None]
        # 0.3 degrees per axis over at least 140 points: 0.05 degrees
        assert misorientation(found, expected, "O")[0] < 0.15


def test_bunge_rotation_takes_crystal_to_sample_components():
    phi1, phi, phi2 = np.radians([10, 20, 30])

    def z(a):
        return np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])

    def x(a):
        return np.array([[1, 0, 0], [0, np.cos(a), np.sin(a)], [0, -np.sin(a), np.cos(a)]])

    # Bunge's matrix g takes sample to crystal components; ours is its inverse
    g = z(phi2) @ x(phi) @ z(phi1)
    found = Rotation.from_euler("ZXZ", [10, 20, 30], True).as_matrix()
    np.testing.assert_allclose(found, g.T, atol=1e-12)


def test_misorientation_is_the_least_over_equivalents():
    cube = Rotation.create_group("O")
    base = Rotation.from_euler("ZXZ", [12, 34, 56], True)
    turned = base * Rotation.from_rotvec([0, 0, np.radians(4)]) * cube[7]
    pair = base.as_quat()[None], turned.as_quat()[None]
    assert misorientation(*pair, "O")[0] == pytest.approx(4)
    assert misorientation(*pair, "C1")[0] > 30
    # the largest possible one between cubic crystals (Mackenzie 1958)
    rng = np.random.default_rng(0)
    some = Rotation.random(20_000, random_state=rng).as_quat()
    found = misorientation(some[::2], some[1::2], "O")
    assert 60 < found.max() <= 62.80
    assert found.mean() == pytest.approx(40.74, abs=0.3)


def test_mean_does_not_depend_on_the_equivalents():
    rng = np.random.default_rng(2)
    base = Rotation.from_euler("ZXZ", [45, 10, 0], True)
    cube = Rotation.create_group("O")
    many = [
        (Rotation.from_rotvec(rng.normal(size=3) * 0.02) * base * cube[int(rng.integers(24))])
        for _ in range(400)
    ]
    mean = mean_orientation(np.array([r.as_quat() for r in many]), "O")
    assert misorientation(mean[None], base.as_quat()[None], "O")[0] < 0.2


def test_threshold_decides_between_one_grain_and_two():
    q = Rotation.from_euler("ZXZ", [[0, 0, 0], [3, 0, 0]], True).as_quat()
    crystal = np.repeat(q, 5, axis=0).reshape(2, 5, 4)
    phase = np.ones((2, 5), dtype=int)
    assert len(np.unique(find_grains(phase, crystal, {1: "O"}, 5))) == 1
    assert len(np.unique(find_grains(phase, crystal, {1: "O"}, 2))) == 2


def test_frames_differ_by_the_stated_rotations(tmp_path):
    path = write_ctf(tmp_path / "a.ctf", np.random.default_rng(1))
    vendor, of_map = ebsd(path), ebsd(path, frame="map")
    flip = Rotation.from_euler("x", 180, degrees=True)
    expected = (flip * Rotation.from_quat(vendor.orientations)).as_quat()
    assert misorientation(of_map.orientations, expected, "O").max() < 1e-5


def test_hexagonal_grid_is_resampled(tmp_path):
    dx = 0.5
    dy = dx * np.sqrt(3) / 2
    rows, odd, even = 21, 30, 29
    text = ANG.format(grid="HexGrid", dx=dx, dy=f"{dy:.6f}", odd=odd, even=even, rows=rows)
    for r in range(rows):
        for c in range(odd if r % 2 == 0 else even):
            x = c * dx + (dx / 2 if r % 2 else 0)
            phi1 = 0.1 if x < 7 else 0.7
            text += f" {phi1:.5f} 0.20000 0.30000 {x:.5f} {r * dy:.5f} 900.0 0.9 0 1 1.0\n"
    (tmp_path / "h.ang").write_text(text)
    data = ebsd(str(tmp_path / "h.ang"))
    refuse(inspect(data))
    assert data.notes["grains"] == 2
    assert "not square" in str(data.notes["resampled"])
    wall = data.points[data.facets[data.facet_tags == data.facet_groups["grain_boundaries"]], 0]
    # the map starts at x = 0; half a step before it the mesh does
    assert np.ptp(wall) < 1.0
    share = np.bincount(data.grains)[1:] / len(data.grains)
    assert share.min() > 0.3


def test_decimal_commas(tmp_path):
    rng = np.random.default_rng(1)
    plain = read_scan(write_ctf(tmp_path / "a.ctf", rng))
    rng = np.random.default_rng(1)
    comma = read_scan(write_ctf(tmp_path / "b.ctf", rng, comma=True))
    np.testing.assert_array_equal(plain.euler, comma.euler)


def test_two_phases(tmp_path):
    grain, _ = truth()
    path = write_ctf(
        tmp_path / "a.ctf", np.random.default_rng(1), phase=np.where(grain == 0, 1, 2).ravel()
    )
    with pytest.raises(MeshError, match="every phase of the map needs a group"):
        ebsd(path)
    data = ebsd(path, phases={1: "electrolyte", 2: "coating"})
    refuse(inspect(data))
    assert data.notes["grains"] == 3
    assert {"coating_electrolyte", "grain_boundaries"} <= set(data.facet_groups)


def test_broken_and_unknown_files(tmp_path):
    rng = np.random.default_rng(1)
    path = write_ctf(tmp_path / "a.ctf", rng, rows=NX * NY - 7)
    with pytest.raises(MeshError, match=r"number of points .*593.*Allowed: 600"):
        ebsd(path)
    text = (tmp_path / "a.ctf").read_text()
    (tmp_path / "a.ctf").write_text(text[:-9])
    with pytest.raises(MeshError, match=r"incomplete.*cut off"):
        ebsd(path)
    (tmp_path / "a.ctf").write_text("Channel Text File\nPrj\tx\n")
    with pytest.raises(MeshError, match="no table"):
        ebsd(path)
    (tmp_path / "b.ang").write_text("# x\n1 2 3\n")
    with pytest.raises(MeshError, match=r"not an \.ang file"):
        ebsd(str(tmp_path / "b.ang"))
    with pytest.raises(MeshError, match="no such file"):
        ebsd(str(tmp_path / "none.ctf"))
    (tmp_path / "c.txt").write_text("")
    with pytest.raises(MeshError, match="not a known orientation map"):
        ebsd(str(tmp_path / "c.txt"))
    path = write_ctf(tmp_path / "d.ctf", rng, laue=0)
    with pytest.raises(MeshError, match="symmetry of phase 1 is not known"):
        ebsd(path)
    assert ebsd(path, symmetry="cubic").notes["grains"] == 3
    path = write_ctf(tmp_path / "e.ctf", rng, phase=np.zeros(NX * NY, dtype=int))
    with pytest.raises(MeshError, match="no point of the map is indexed"):
        ebsd(path)
    with pytest.raises(MeshError, match="threshold is out of range"):
        ebsd(path, threshold=0)
