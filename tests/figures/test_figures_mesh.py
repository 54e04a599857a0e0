"""Pictures of meshes: cuts have exact areas, zooms go where the flaw is, colours mean one thing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from ssbmech import cli
from ssbmech.meshes import cracks, gate, writer
from ssbmech.meshes.catalog import Parameter
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import orient
from ssbmech.output import figures_mesh_colours as colours
from ssbmech.output import figures_mesh_plane, figures_mesh_section, figures_mesh_view, mesh_report
from ssbmech.output.figures_mesh import figure
from ssbmech.output.figures_mesh_zoom import parents, windows

RED = (0xD3, 0x12, 0x2B)
CASE = """
[geometry]
type = "edge"
a = "10 um"
width = "200 um"
[materials]
electrolyte = "LLZO"
"""


def cube(n: int = 4, size: float = 8.0) -> MeshData:
    """A cube of tetrahedra: lithium below y = 0, grains above, their boundary, a crack at x = 0."""
    m = n + 1
    axis = np.linspace(-size / 2, size / 2, m)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    corner = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = []
    for order in permutations(range(3)):
        steps = np.vstack([np.zeros(3, int), np.cumsum(np.eye(3, dtype=int)[list(order)], axis=0)])
        cells.append(((corner[:, None] + steps) * [m * m, m, 1]).sum(axis=2))
    rows = orient(points, np.concatenate(cells), 3, 1)
    middle = points[rows].mean(axis=1)
    tags = np.where(middle[:, 1] < 0, 2, 1).astype(np.int32)
    grains = np.where(tags == 2, 0, 1 + (middle[:, 0] > 0) + 2 * (middle[:, 2] > 0))
    found = figures_mesh_section.facets(
        MeshData(3, 1, points, rows, tags, rows[:0, :3], tags[:0], {"electrolyte": 1, "lithium": 2},
                 {}, grains=grains.astype(np.int32))
    )  # fmt: skip
    kinds = tags[found.between_cells]
    between = np.where(kinds[:, 0] != kinds[:, 1], 1, 2).astype(np.int32)
    return MeshData(
        3, 1, points, rows, tags, found.between, between, {"electrolyte": 1, "lithium": 2},
        {"li_sse": 1, "grain_boundaries": 2}, grains=grains.astype(np.int32),
    )  # fmt: skip


def areas(section: figures_mesh_section.Section) -> dict[int, float]:
    """Area of the polygons by cell."""
    total: dict[int, float] = {}
    for faces, cells in section.faces:
        x, y = section.points[faces, 0], section.points[faces, 1]
        each = np.abs((x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(axis=1)) / 2
        for cell, area in zip(cells, each, strict=True):
            total[int(cell)] = total.get(int(cell), 0.0) + float(area)
    return total


@pytest.mark.parametrize("z", [0.0, 0.3, 2.0, -3.99])  # two of them through nodes
def test_a_cut_has_the_area_of_the_body_and_the_length_of_its_interfaces(z):
    data = cube()
    found = figures_mesh_section.facets(data)
    section = figures_mesh_section.cut(data, found, data.points[:, 2] - z, np.eye(3)[:2])
    by_cell = areas(section)
    assert sum(by_cell.values()) == pytest.approx(64.0, rel=1e-12)
    lithium = sum(area for cell, area in by_cell.items() if data.cell_tags[cell] == 2)
    assert lithium == pytest.approx(32.0, rel=1e-12)
    for name, length in (("li_sse", 8.0), ("grain_boundaries", 4.0)):
        ends = section.points[section.lines[name]]
        assert np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).sum() == pytest.approx(length)


def test_a_cut_lies_where_the_view_says():
    data = cube()
    found = figures_mesh_section.facets(data)
    looks = colours.line_looks(list(data.facet_groups))
    view = figures_mesh_view.choose_view(data, found, looks)
    section = figures_mesh_view.section(data, found, view)
    back = section.points @ view.to_plane + view.distance * view.normal
    assert np.abs(back).max() == pytest.approx(4.0)
    assert view.to_plane[1] @ [0, 1, 0] == 1  # the flat li_sse says that y is up
    assert view.eye @ view.normal > 0 and np.linalg.norm(view.screen @ view.eye) < 1e-12


def test_a_symmetry_plane_is_shown_with_its_curved_edges():
    from ssbmech.meshes.inclusion import sphere

    data = sphere(radius=10, outer=30, n=4)
    found = figures_mesh_section.facets(data)
    looks = colours.line_looks(list(data.facet_groups))
    view = figures_mesh_view.choose_view(data, found, looks)
    assert view.at_side
    section = figures_mesh_view.section(data, found, view)
    ((faces, cells),) = section.faces
    assert faces.shape[1] == 6  # second order
    # triangles through the mid-side nodes as well: the chords of half the edges
    parts = np.concatenate([faces[:, p] for p in ([0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5])])
    a, b, c = (section.points[parts[:, k]] for k in range(3))
    each = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    inner = np.tile(data.cell_tags[cells] == data.cell_groups["inclusion"], 4)
    assert each[inner].sum() == pytest.approx(np.pi * 100 / 4, rel=5e-3)
    assert each.sum() == pytest.approx(np.pi * 900 / 4, rel=1e-2)
    radius = np.linalg.norm(section.points[section.lines["interface"]], axis=-1)
    assert radius == pytest.approx(np.full(radius.shape, 10.0))


def test_a_zoom_is_marked_on_the_narrowest_panel_that_shows_it():
    whole, left, right = (0.0, 10.0, 0.0, 10.0), (1.0, 3.0, 1.0, 3.0), (7.0, 8.0, 7.0, 8.0)
    assert parents([whole, left, (1.5, 2.0, 1.5, 2.0), right]) == [0, 1, 0]


def test_the_zooms_of_a_small_crack_show_it_and_its_tip():
    data = cracks.edge(a=10, width=400)
    found = figures_mesh_section.facets(data)
    section = figures_mesh_section.plane(data, found)
    looks = colours.line_looks(list(data.facet_groups))
    flaw, tip = windows(section, data.cell_tags, looks, 0.0)
    assert flaw.centre == pytest.approx([5, 0]) and flaw.half == pytest.approx(7.5)
    assert tip.centre == pytest.approx([10, 0], abs=1e-9) and 0.5 < tip.half < 3
    x0, x1, y0, y1 = flaw.limits(section.box, 2.0)
    assert x1 - x0 == pytest.approx(30) and y1 - y0 == pytest.approx(15)
    assert x0 == pytest.approx(-0.6)  # moved onto the body, with a margin of 8 %


def test_a_layer_is_zoomed_at_when_the_picture_cannot_show_it():
    def sections(thickness):
        x = np.linspace(0, 40, 41)
        y = np.array([0, 20, 20 + thickness, 40])
        points = np.array([[a, b, 0] for a in x for b in y])
        i = (np.arange(40)[:, None] * 4 + np.arange(3)).ravel()
        rows = np.concatenate([np.c_[i, i + 4, i + 5], np.c_[i, i + 5, i + 1]])
        tags = np.tile([1, 2, 1], 80).astype(np.int32)
        data = MeshData(2, 1, points, rows, tags, rows[:0, :2], tags[:0],
                        {"electrolyte": 1, "interphase": 2}, {})  # fmt: skip
        return figures_mesh_section.plane(data, figures_mesh_section.facets(data)), tags

    thin, tags = sections(0.2)
    (window,) = windows(thin, tags, {}, 0.0)
    assert window.half == pytest.approx(6 * 0.2, rel=0.01)
    assert window.centre == pytest.approx([20, 20.1], abs=1.0)
    assert windows(*sections(4.0), {}, 0.0) == []


def test_an_inverse_pole_figure_has_its_corners_and_the_symmetry_of_the_cube():
    from scipy.spatial.transform import Rotation

    corners = colours.inverse_pole_colours(np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1.0]]))
    assert corners == pytest.approx(np.eye(3))
    turns = Rotation.random(50, random_state=1)
    y = colours.crystal_directions(turns.as_quat())
    assert y == pytest.approx(turns.inv().apply([0, 1, 0]))
    for symmetry in Rotation.create_group("O"):
        same = colours.inverse_pole_colours(symmetry.apply(y))
        assert same == pytest.approx(colours.inverse_pole_colours(y), abs=1e-6)


def test_neighbouring_grains_and_standard_groups_are_told_apart():
    data = cube()
    rgb = colours.cell_colours(data, figures_mesh_section.facets(data).between_cells)
    shown = {g: tuple(rgb[data.grains == g][0]) for g in range(5)}
    assert len(set(shown.values())) == 5
    assert (rgb[data.grains == 1] == rgb[data.grains == 1][0]).all()
    alone = colours.group_colours(["lithium"])["lithium"]
    assert colours.group_colours(["odd", "electrolyte", "lithium"])["lithium"] == alone
    turned = replace(data, orientations=np.tile([0, 0, 0, 1.0], (4, 1)))
    assert colours.cell_colours(turned, np.zeros((0, 2), int))[data.grains > 0] == pytest.approx(
        np.tile([1.0, 0, 0], (int((data.grains > 0).sum()), 1))  # [001] along y: red
    )


def test_lines_of_a_kind_look_alike():
    looks = colours.line_looks(["crack_upper", "crack_2_lower", "left", "front", "odd", "odder"])
    assert looks["crack_upper"] == looks["crack_2_lower"]
    assert looks["left"].width == looks["front"].width == 0
    assert looks["odd"] != looks["odder"]
    assert colours.line_looks(["crack_upper_filled"])["crack_upper_filled"].colour != "#D3122B"


def test_element_edges_fade_before_they_merge():
    alpha = figures_mesh_plane.edge_alpha(np.array([0.5, 3.0, 20.0]))
    assert alpha[0] == 0 < alpha[1] < alpha[2] < 1


def test_a_large_plane_mesh_is_drawn_by_arrays():
    import time

    n = 250
    axis = np.linspace(0, 40, n + 1)
    points = np.stack([*np.meshgrid(axis, axis, indexing="ij"), np.zeros((n + 1, n + 1))], axis=-1)
    i = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    rows = np.concatenate([np.c_[i, i + n + 1, i + n + 2], np.c_[i, i + n + 2, i + 1]])
    tags = np.ones(len(rows), np.int32)
    data = MeshData(2, 1, points.reshape(-1, 3), rows, tags, rows[:0, :2], tags[:0],
                    {"electrolyte": 1}, {})  # fmt: skip
    start = time.perf_counter()
    figure(data, "big")
    assert time.perf_counter() - start < 30  # 125 000 cells take about 1 s on a free core


def drawn(mesh: Path, picture: Path) -> np.ndarray:
    """The picture of a mesh as rows of red, green and blue, from a process of its own."""
    code = (
        "import sys; from ssbmech.output import figures_mesh as f; status = f.main(sys.argv[1:]);"
        "sys.exit(9 if {'dolfinx', 'mpi4py', 'petsc4py'} & set(sys.modules) else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(mesh), str(picture), "80"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    from PIL import Image

    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)


def close_to(pixels: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.abs(pixels - colour).max(axis=1) < 12).sum())


def test_a_crack_without_opening_is_a_red_line(tmp_path):
    writer.write_msh(cracks.edge(a=10, width=200), tmp_path / "m.msh")
    pixels = drawn(tmp_path / "m.msh", tmp_path / "m.png")
    assert close_to(pixels, RED) > 200
    assert close_to(pixels, (0xF3, 0xE4, 0xBE)) > 10_000  # the electrolyte
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_solid_is_drawn_cut_open(tmp_path):
    data = replace(cube(), facet_groups={"crack_upper": 1, "grain_boundaries": 2})
    writer.write_msh(data, tmp_path / "m.msh")
    pixels = drawn(tmp_path / "m.msh", tmp_path / "m.png")
    assert close_to(pixels, RED) > 20
    assert close_to(pixels, (0xA7, 0xB3, 0xBF)) > 1000  # lithium on the cut, without shades
    assert close_to(pixels, (255, 255, 255)) < 0.8 * len(pixels)


def test_a_file_that_is_no_mesh_gives_one_line(tmp_path):
    (tmp_path / "m.msh").write_text("nothing")
    done = subprocess.run(
        [sys.executable, "-m", "ssbmech.output.figures_mesh", "m.msh", "m.png"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1 and not (tmp_path / "m.png").exists()
    assert done.stderr.startswith("ssbmech: m.msh: ") and "not a Gmsh mesh" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_writes_mesh_and_picture_and_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "case.toml").write_text(CASE)
    words = ["mesh", str(tmp_path / "case.toml"), "-o", str(tmp_path / "flaw.msh")]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    assert "area [um^2]" in said.out and "verdict" in said.out
    assert all(f"  {stage} " in said.err for stage in ("mesh", "gate", "writing", "picture"))
    assert (tmp_path / "flaw.png").stat().st_size > 10_000
    (tmp_path / "flaw.msh").unlink()
    assert cli.main(words) == 1  # the picture alone is enough to refuse
    assert "flaw.png" in capsys.readouterr().err and not (tmp_path / "flaw.msh").exists()
    assert cli.main([*words, "--no-picture"]) == 0
    old = (tmp_path / "flaw.png").stat().st_mtime_ns
    assert cli.main([*words, "--no-picture", "--overwrite"]) == 0
    assert (tmp_path / "flaw.png").stat().st_mtime_ns == old


def test_a_picture_that_fails_costs_no_mesh(tmp_path, capsys, monkeypatch):
    (tmp_path / "case.toml").write_text(CASE)
    (tmp_path / "flaw.png").write_bytes(b"of an older mesh")
    monkeypatch.setattr(mesh_report, "PROGRAM", "ssbmech.output.no_such_module")
    target = str(tmp_path / "flaw.msh")
    assert cli.main(["mesh", str(tmp_path / "case.toml"), "-o", target, "--overwrite"]) == 0
    said = capsys.readouterr().err
    assert "the mesh is written, but not drawn" in said and "no_such_module" in said
    assert (tmp_path / "flaw.msh").is_file() and not (tmp_path / "flaw.png").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [("flaw.png", "this is the name of a picture"), ("no/f.msh", "no such folder")],
)
def test_a_bad_target_is_refused_before_any_work(tmp_path, capsys, name, said):
    (tmp_path / "case.toml").write_text(CASE)
    assert cli.main(["mesh", str(tmp_path / "case.toml"), "-o", str(tmp_path / name)]) == 1
    assert said in capsys.readouterr().err


def test_the_table_says_what_was_refused_and_where():
    data = cracks.edge(a=10, width=200, order=1)
    points = data.points.copy()
    inside = np.setdiff1d(data.cells, data.facets)[0]
    points[inside] += [500.0, 0, 0]  # folds the cells around it
    lines = mesh_report.mesh_lines(gate.inspect(replace(data, points=points)), 2)
    assert any("inverted cells" in line and "REFUSED at (" in line for line in lines)
    good = mesh_report.mesh_lines(gate.inspect(data), 2)
    assert not any("REFUSED" in line for line in good)
    assert any(line.split()[:2] == ["electrolyte", "80000"] for line in good)


def test_one_geometry_can_be_listed(capsys):
    assert cli.main(["mesh", "--list", "shell"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("shell: ") and "inner " in said and "penny" not in said
    assert cli.main(["mesh", "--list", "shel"]) == 1
    assert "shell" in capsys.readouterr().err


def test_blocks_are_listed_with_their_heading():
    inner = Parameter("radius", "length", True, None, (), "Of the void [um].")
    block = Parameter("void", "blocks", False, (), (), "Voids.", {"radius": inner})
    lines = mesh_report._parameter_lines({"void": block}, "geometry", 1)
    assert lines[0] == "    [[geometry.void]] (any number) Voids."
    assert lines[1].startswith("        radius ") and "required" in lines[1]
