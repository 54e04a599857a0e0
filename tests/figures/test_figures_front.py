"""Figures and animations of a reaction front, and bars along principal stresses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import meshio
import numpy as np
import pytest
from PIL import Image
from ssbmech import cli
from ssbmech.errors import OutputError
from ssbmech.output import (
    animate,
    directions,
    figures,
    figures_directions,
    figures_front,
    figures_front_map,
    figures_style,
    front_line,
    plane_fields,
)
from ssbmech.output import animate_steps as steps

TIMES = (0.0, 1.0, 60.0, 120.0, 240.0)
WIDTH, HEIGHT, L = 10.0, 16.0, 0.4


@pytest.fixture(autouse=True)
def _style():
    figures_style.apply()


def place(time: float, x: np.ndarray) -> np.ndarray:
    """Height of the front [um]."""
    return 3 + time / 60 + (0.5 + time / 240) * np.cos(np.pi * x / WIDTH)


def half(n: int = 24, m: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a half of the body, x from 0 to 10 um."""
    x, y = (a.ravel() for a in np.meshgrid(np.linspace(0, WIDTH, n), np.linspace(0, HEIGHT, m),
                                           indexing="ij"))  # fmt: skip
    i = np.arange(n * m).reshape(n, m)
    a, b, c, d = (v.ravel() for v in (i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]))
    cells = np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return np.column_stack([x, y, 0 * x]), cells


def fields_at(time: float, points: np.ndarray) -> dict[str, np.ndarray]:
    """Tension along x beyond the front, turned by x; potentials that go below 0 in a corner."""
    x, y = points[:, 0], points[:, 1]
    beyond = y - place(time, x)
    layer = 0.5 * (1 - np.tanh(beyond / (2 * L)))
    size = np.where(beyond > 0, 200 * np.exp(-beyond / 3), -80.0)
    size[0] = 1e6  # a corner
    return {
        "layer": layer, "lithium_potential_mV": 100 * (y - 1) * layer + 0 * x,
        "ion_potential_mV": -10.0 * y, "electron_potential_mV": 0 * x,
        "max_principal_MPa": np.maximum(size, 0), "stress_xx_MPa": size,
        "stress_yy_MPa": 0.2 * size, "stress_zz_MPa": 0 * x,
        "stress_xy_MPa": 0.1 * size * x / WIDTH,
        "displacement_um": 1e-3 * points,
    }  # fmt: skip


def write(folder: Path, leave: tuple[str, ...] = (), pieces: int = 1) -> Path:
    """Results of a run of kind front, some fields left out, over several processes if asked for."""
    (folder / "fields").mkdir(parents=True)
    (folder / "figures").mkdir()
    points, cells = half()
    sets = ""
    for k, time in enumerate(TIMES):
        for p, part in enumerate(np.array_split(cells, pieces)):
            used = np.unique(part)
            data = {n: v[used] for n, v in fields_at(time, points).items() if n not in leave}
            name = f"front_p{p}_{k:06d}.vtu"
            mesh = meshio.Mesh(points[used], [("triangle", np.searchsorted(used, part))],
                               point_data=data)  # fmt: skip
            mesh.write(folder / "fields" / name)
            sets += f'<DataSet timestep="{time}" part="{p}" file="{name}"/>'
    (folder / "fields" / "front.pvd").write_text(
        f'<VTKFile type="Collection"><Collection>{sets}</Collection></VTKFile>'
    )
    write_tables(folder)
    bottom = np.flatnonzero(points[:, 1] == 0)
    top, left = np.flatnonzero(points[:, 1] == HEIGHT), np.flatnonzero(points[:, 0] == 0)
    lines = [("line", np.column_stack([v[:-1], v[1:]])) for v in (bottom, top, left)]
    tags = [np.full(len(rows), k + 1) for k, (_, rows) in enumerate(lines)] + [
        np.full(len(cells), 4)
    ]
    names = {"li_sse": [1, 1], "cathode_plane": [2, 1], "symmetry_x": [3, 1], "electrolyte": [4, 2]}
    meshio.Mesh(
        points, [*lines, ("triangle", cells)],
        cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags},
        field_data={n: np.array(v) for n, v in names.items()},
    ).write(folder / "mesh.msh", file_format="gmsh22")  # fmt: skip
    (folder / "case.resolved.toml").write_text(
        '[[electrode]]\ngroup = "li_sse"\n[[electrode]]\ngroup = "cathode_plane"\n'
        '[interphase.front]\nshape = "0 um"\n'
    )
    summary = {"quantities": {}, "model": "plane_strain", "fronts": [],
               "transient": {"kind": "front", "events": [], "limits": {}}}  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def write_tables(folder: Path) -> None:
    x = np.linspace(0, WIDTH, 30)
    rows = [f"{t},0,{a},{b},{1.1 * b},1" for t in TIMES
            for a, b in zip(x, place(t, x), strict=True)]  # fmt: skip
    head = "time [s],line,x [um],y [um],thickness [um],speed [nm/s]"
    (folder / "front.csv").write_text("\n".join([head, *rows]) + "\n")
    head = ("time [s],step,phase,cycle,dt [s],front_thickness [um],front_furthest [um],"
            "front_nearest [um],front_roughness [um],voltage [mV],capacity [mAh/cm^2]")  # fmt: skip
    rows = [f"{t},{k},1,1,1,{m},{m + 1 + t / 240},{m - 1},{0.4 + t / 480},{300 + t},{t / 720}"
            for k, t in enumerate(np.linspace(1, 240, 60))
            for m in [3.3 + 1.1 * t / 60]]  # fmt: skip
    (folder / "history.csv").write_text("\n".join([head, *rows]) + "\n")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("front") / "r")


def kept(monkeypatch) -> list:
    """The figures that are saved, to look at what they hold."""
    found: list = []
    real = figures_style.save

    def save(fig, folder, name, **options):
        found.append(fig)
        return real(fig, folder, name, **options)

    monkeypatch.setattr(figures_style, "save", save)
    return found


def summary_of(run: Path) -> dict:
    return json.loads((run / "summary.json").read_text())


def last(run: Path) -> plane_fields.PlaneFields:
    step = steps.steps_of(run / "fields" / "front.pvd")[-1]
    return plane_fields.of_grid(steps.load(step), join=len(step.files) > 1)


def test_a_results_folder_gets_all_of_them(run):
    made = figures.draw_all(run)
    assert {"front.png", "front_growth.png", "front_map.png", "animation.gif"} <= set(made)
    for name in made:
        assert (run / "figures" / name).stat().st_size > 10_000
    assert "directions.png" not in made  # that is of layers drawn anew for each thickness


def test_fronts_are_those_of_the_table(run, tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    assert figures_front.front(run, tmp_path, summary_of(run)) == "front.png"
    main = next(a for a in saved[0].axes if a.get_xlabel() == "x (µm)")
    drawn = [line.get_xydata() for line in main.lines]
    shown = [t for t in TIMES if t != 1.0]  # 1 s is not told from the start
    assert len(drawn) == 2 * len(shown)  # with the images at x = 0
    x = np.linspace(0, WIDTH, 30)
    for path, image, time in zip(drawn[::2], drawn[1::2], shown, strict=True):
        assert path == pytest.approx(np.column_stack([x, place(time, x)]), rel=1e-9)
        assert image == pytest.approx(path * [-1, 1], rel=1e-9)
    words = [t.get_text() for t in main.texts]
    assert words == ["lithium", "counter electrode"]
    heights = [{round(float(y), 6) for p in c.get_segments() for y in p[:, 1]}
               for c in main.collections]  # fmt: skip
    assert heights == [{0.0}, {HEIGHT}]


def test_thickness_roughness_and_voltage_are_those_of_the_history(run, tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    figures_front.front(run, tmp_path, summary_of(run))
    right = [a for a in saved[0].axes if a.get_ylabel().startswith(("thick", "rough", "volt"))]
    t = np.linspace(1, 240, 60)
    wanted = ([4.3 + 1.1 * t / 60 + t / 240, 3.3 + 1.1 * t / 60, 2.3 + 1.1 * t / 60],
              [0.4 + t / 480], [300 + t])  # fmt: skip
    for ax, rows in zip(right, wanted, strict=True):
        assert len(ax.lines) == len(rows)
        for line, values in zip(ax.lines, rows, strict=True):
            assert line.get_xdata() == pytest.approx(t / 720)
            assert line.get_ydata() == pytest.approx(values)
    assert [x.get_text() for x in right[0].texts] == ["largest", "mean", "smallest"]
    assert right[-1].get_xlabel() == "plated (mAh/cm²)"


def test_a_rest_is_drawn_over_time(tmp_path, monkeypatch):
    t = np.linspace(60.0, 7200.0, 40)
    axis = figures_front.course({"time": t, "capacity": np.minimum(t, 3600.0)})
    assert axis.label == "time (h)" and axis.values[-1] == pytest.approx(2.0)
    assert figures_front.course({"time": t}).label == "time (h)"


def test_growth_names_its_slope(tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    t = np.linspace(0.0, 36000.0, 400)
    history = {"time": t, "front_thickness": 1e-6 * 2.5 * np.sqrt(t / 3600.0)}
    assert figures_front.draw_growth(tmp_path, history) == "front_growth.png"
    _, root = saved[0].axes
    assert root.get_xlabel() == "(t/h)$^{1/2}$"
    assert root.lines[0].get_ydata()[-1] == pytest.approx(2.5 * 10**0.5)
    assert root.texts[0].get_text().startswith("2.5 µm/h$^{1/2}$")
    fit = front_line.straight(np.sqrt(t / 3600.0), history["front_thickness"] * 1e6)
    assert fit is not None and fit.slope == pytest.approx(2.5, rel=1e-3)
    assert fit.first == 0 and fit.last == pytest.approx(10**0.5)
    # over time it bends: at most a part of it is straight
    bent = front_line.straight(t / 3600.0, history["front_thickness"] * 1e6)
    assert bent is None or bent.first > 1.0


def test_what_bends_throughout_has_no_slope():
    x = np.linspace(0, 1, 200)
    assert front_line.straight(x, x**3 + 0.0) is None
    assert front_line.straight(x, 1 - x) is None
    part = front_line.straight(x, np.where(x < 0.3, 0.3 * np.sqrt(x / 0.3), x))
    assert part is not None and part.slope == pytest.approx(1.0, rel=0.02)
    assert part.last == pytest.approx(1.0) and 0.1 < part.first < 0.4


def test_the_map_marks_where_lithium_could_form(run, tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    assert figures_front_map.front_map(run, tmp_path, summary_of(run)) == "front_map.png"
    words = [t.get_text() for legend in saved[0].legends for t in legend.get_texts()]
    assert "below 0: lithium could form here" in words and "front of the layer" in words
    assert any(w.startswith("equal potential of ions, every") for w in words)
    f = last(run)
    layer = figures_front_map.part_above(f, f.level())
    below = figures_front_map.part_above(layer, -layer.scalars["lithium_potential_mV"])
    assert area(layer) == pytest.approx(WIDTH * (3 + 4), rel=3e-3)  # the cosine has no mean
    assert area(below) == pytest.approx(WIDTH * 1.0, rel=1e-2)
    # 0 at 1 um; the share of the layer beside it is 1 to a thousandth
    assert below.points[np.unique(below.cells), 1].max() == pytest.approx(1.0, abs=1e-3)


def area(f: plane_fields.PlaneFields) -> float:
    x = f.points[f.cells]
    return float(np.abs(np.linalg.det(x[:, 1:] - x[:, :1])).sum() / 2)


def test_a_map_says_that_lithium_forms_nowhere(run, tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    f = last(run)
    f.scalars["lithium_potential_mV"] = np.abs(f.scalars["lithium_potential_mV"])
    figures_front_map.draw_map(tmp_path, f, 60.0)
    words = [t.get_text() for legend in saved[0].legends for t in legend.get_texts()]
    assert "nowhere below 0: no lithium inside" in words


def test_a_map_of_what_there_is(tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    stress = ("max_principal_MPa", *(f"stress_{c}_MPa" for c in ("xx", "yy", "zz", "xy")))
    potentials = ("lithium_potential_mV", "ion_potential_mV", "electron_potential_mV")
    for k, (leave, name) in enumerate(((stress, "potential of lith"), (potentials, "largest p"))):
        r = write(tmp_path / str(k), (*leave, "displacement_um"))
        assert figures_front_map.front_map(r, r / "figures", summary_of(r)) == "front_map.png"
        panels = [a for a in saved[-1].axes if a.get_xlabel()]
        bars = [a.get_ylabel() for a in saved[-1].axes if not a.get_xlabel()]
        assert len(panels) == 1 and len(bars) == 1 and bars[0].startswith(name)
    r = write(tmp_path / "none", (*stress, *potentials))
    assert figures_front_map.front_map(r, r / "figures", summary_of(r)) is None
    assert animate.animate(r, target=tmp_path / "a.gif").is_file()  # of the layer


def test_principal_directions():
    angle, one, two = 0.4, 120.0, -35.0
    c, s = np.cos(angle), np.sin(angle)
    R = np.array([[c, -s], [s, c]])
    t = R @ np.diag([one, two]) @ R.T
    values, along = directions.principal(*(np.array([t[i]]) for i in ((0, 0), (1, 1), (0, 1))))
    assert values[0] == pytest.approx([one, two])
    assert abs(along[0, 0] @ R[:, 0]) == pytest.approx(1) == abs(along[0, 1] @ R[:, 1])


def test_bars_lie_along_the_stress_and_have_its_size(run):
    f = last(run)
    lattice = directions.lattice(np.zeros(2), np.array([WIDTH, HEIGHT]))
    found = directions.bars(f, lattice)
    assert len(found.places) == round(WIDTH / lattice.spacing) * round(HEIGHT / lattice.spacing)
    xx, yy, xy = (plane_fields.on_lattice(f.points, f.cells, f.scalars[n][:, None], lattice.start,
                                          lattice.spacing)[1][:, 0]
                  for n in directions.components(f.scalars)[:3])  # fmt: skip
    for k in range(len(xx)):
        t = np.array([[xx[k], xy[k]], [xy[k], yy[k]]])
        for value, way in zip(found.values[k], found.along[k], strict=True):
            assert t @ way == pytest.approx(value * way, abs=1e-9 * max(abs(found.values).max(), 1))
    scale = directions.common_scale([found], lattice)
    assert 50 < scale.largest < 300  # not the corner with its 1e6
    pulled, pressed = directions.segments(found, scale)
    sizes = np.linalg.norm(pulled[:, 1] - pulled[:, 0], axis=1)
    values = found.values[(found.values >= 0.06 * scale.largest)]
    assert sizes == pytest.approx(
        0.92 * lattice.spacing * np.minimum(values / scale.largest, 1), rel=1e-9
    )
    assert len(pressed) and (pressed.mean(axis=1)[:, 1] < 9).all()  # compression in the layer


def test_values_on_a_lattice_are_exact_where_they_are_linear():
    points, cells = half(7, 9)
    rng = np.random.default_rng(3)
    inner = (points[:, 0] > 0) & (points[:, 0] < WIDTH) & (points[:, 1] > 0)
    points[inner & (points[:, 1] < HEIGHT), :2] += rng.uniform(-0.3, 0.3, 2)
    x = points[:, :2]
    at, values = plane_fields.on_lattice(x, cells, x @ [[2.0], [3.0]], np.zeros(2), 0.5)
    assert len(at) == 21 * 33 == len(np.unique(np.round(at, 9), axis=0))
    assert values[:, 0] == pytest.approx(at @ [2.0, 3.0])


def test_a_half_is_made_whole(run):
    f = last(run)
    whole = plane_fields.mirrored(f, plane_fields.mirror_axes(run, summary_of(run), f.points))
    assert whole.mirrors == (0,) and area(whole) == pytest.approx(2 * area(f))
    at, values = plane_fields.on_lattice(
        whole.points, whole.cells,
        np.column_stack([whole.scalars[n] for n in ("stress_xx_MPa", "stress_xy_MPa")]),
        np.array([0.0, 12.0]), 2.5,
    )  # fmt: skip
    row = at[:, 1] == 12.0
    assert at[row, 0] == pytest.approx(np.arange(-4, 5) * 2.5)
    assert values[row, 0] == pytest.approx(values[row, 0][::-1])
    assert values[row, 1] == pytest.approx(-values[row, 1][::-1]) and values[row, 1].any()
    assert not (np.abs(whole.points[whole.outline]).max(axis=1)[:, 0] < 1e-9).any()  # no seam


def test_pieces_of_processes_are_one_body(run, tmp_path):
    parts = write(tmp_path / "r", pieces=3)
    one, three = last(run), last(parts)
    assert len(three.points) == len(one.points) and len(three.outline) == len(one.outline)
    assert front_line.front_segments(three).sum() == pytest.approx(
        front_line.front_segments(one).sum()
    )


def test_the_line_of_the_front_lies_where_the_table_has_it(run):
    ends = front_line.front_segments(last(run)).reshape(-1, 2)
    assert len(ends) > 40
    assert np.abs(ends[:, 1] - place(TIMES[-1], ends[:, 0])).max() < 0.02


def test_colours_of_an_animation_do_not_follow_a_corner(run):
    _, found = steps.choose(run, "max_principal_MPa")
    limits = steps.common_limits([steps.load(s) for s in found], "max_principal_MPa", None)
    assert 150 < limits.high < 250 and limits.above


def test_rounding_is_drawn_as_no_stress(run):
    f = last(run)
    low = f.scalars["layer"] < 0.95  # cells on the way are those of the layer
    for name in ("stress_xx_MPa", "stress_yy_MPa", "stress_xy_MPa"):
        f.scalars[name] = np.where(low, 1e-12 * f.scalars[name], -100.0)
    f.scalars["max_principal_MPa"] = 1e-12 * np.sin(f.points[:, 0])
    limits = figures_front_map.limits_of(f, "max_principal_MPa")
    assert limits.low == -limits.high and limits.high == pytest.approx(0.1)  # 1e-3 of 100
    lattice = directions.lattice(np.zeros(2), np.array([WIDTH, HEIGHT]))
    found = directions.bars(f, lattice)
    scale = directions.common_scale([found], lattice)
    assert scale.largest == pytest.approx(200.0, rel=0.02)  # then the layer sets the scale
    assert not len(directions.segments(found, scale)[0])


def test_a_layer_has_no_say_in_the_scale(run):
    f = last(run)
    lattice = directions.lattice(np.zeros(2), np.array([WIDTH, HEIGHT]))
    before = directions.common_scale([directions.bars(f, lattice)], lattice)
    inside = f.scalars["layer"] > 0.99
    for name in ("stress_xx_MPa", "stress_yy_MPa"):
        f.scalars[name] = np.where(inside, 50 * f.scalars[name], f.scalars[name])
    after = directions.common_scale([directions.bars(f, lattice)], lattice)
    assert after.largest == before.largest


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        found = []
        for k in range(film.n_frames):
            film.seek(k)
            found.append(np.asarray(film.convert("RGB"), float))
    return found


def test_an_animation_has_the_front_and_bars(run, tmp_path):
    with_bars = frames_of(animate.animate(run, target=tmp_path / "a.gif"))
    without = frames_of(animate.animate(run, target=tmp_path / "b.gif", directions=False))
    assert len(with_bars) == len(TIMES)
    h, w = without[0].shape[:2]
    body = (slice(h // 10, h // 2), slice(w // 4, 3 * w // 4))  # neither axes nor words
    black = [[(f[body] < 60).all(axis=2).mean() for f in film] for film in (with_bars, without)]
    assert min(black[0]) > 0.003 and max(black[1]) == 0
    green = np.array([0, 158, 115])
    rows = []
    for frame in without:
        mine = np.abs(frame - green).max(axis=2) < 25
        mine[int(0.75 * len(mine)) :] = False  # the key
        rows.append(np.argwhere(mine)[:, 0].mean())
    assert rows[0] > rows[-1] + 20  # the front moves up


def test_directions_of_any_field_from_the_command_line(run, tmp_path, capsys):
    target = tmp_path / "a.gif"
    status = cli.main(["view", str(run), "--animate", str(target), "--field", "von_mises_MPa"])
    assert status == 1 and "no such field" in capsys.readouterr().err
    status = cli.main(
        ["view", str(run), "--animate", str(target), "--field", "layer", "--directions"]
    )
    assert status == 0 and target.is_file()
    status = cli.main(["view", str(run), "--directions", "--screenshot", str(tmp_path / "s.png")])
    assert status == 0 and (tmp_path / "s.png").stat().st_size > 10_000


@pytest.mark.parametrize("how", ["--animate", "--screenshot"])
def test_directions_without_stress_are_refused_in_one_message(tmp_path, capsys, how):
    r = write(tmp_path / "r", ("stress_xy_MPa",))
    target = tmp_path / ("a.gif" if how == "--animate" else "a.png")
    assert cli.main(["view", str(r), how, str(target), "--directions"]) == 1
    message = capsys.readouterr().err
    assert message.count("ssbmech:") == 1 and "no stress of which directions" in message
    assert not target.exists()


def test_directions_need_a_file(run, capsys):
    assert cli.main(["view", str(run), "--directions"]) == 1
    assert "--screenshot FILE.png" in capsys.readouterr().err
    with pytest.raises(OutputError, match="no such folder"):
        figures_directions.view_still(run, Path("nowhere/a.png"))
    with pytest.raises(OutputError, match=r"no such field.*hydro"):
        figures_directions.view_still(run, run / "a.png", "hydrostatic_MPa")


def test_missing_columns_and_fields_end_in_one_message(tmp_path):
    r = write(tmp_path / "r", ("layer",))
    with pytest.raises(OutputError, match="no share of the layer"):
        figures_front_map.front_map(r, r / "figures", summary_of(r))
    (r / "front.csv").write_text("time [s],x [um]\n0,1\n")
    with pytest.raises(OutputError, match=r"front.csv: no column line, y"):
        figures_front.front(r, r / "figures", summary_of(r))
    (r / "front.csv").unlink()
    with pytest.raises(OutputError, match="no such table"):
        figures_front.growth(r, r / "figures", summary_of(r))
    other = {**summary_of(r), "transient": {"kind": "plating"}}
    for draw in (figures_front.front, figures_front.growth, figures_front_map.front_map):
        assert draw(r, r / "figures", other) is None


def test_directions_of_a_layer_at_its_last_thickness(tmp_path, monkeypatch):
    saved = kept(monkeypatch)
    r = grown(tmp_path / "r")
    assert figures_directions.directions(r, r / "figures", summary_of(r)) == "directions.png"
    whole, close = (a for a in saved[0].axes if a.get_ylabel() == "y (µm)")
    assert whole.get_title(loc="right").startswith("layer of 1 µm, in place of 800 nm")
    assert close.get_xlim()[1] - close.get_xlim()[0] < 0.7 * np.ptp(whole.get_xlim())
    words = [t.get_text() for t in whole.get_legend().get_texts()]
    assert words[1:] == ["compression, likewise"] and words[0].startswith("tension, longest bar ≥ ")


def grown(folder: Path) -> Path:
    """Results of a layer in 0.8 um of electrolyte, the half of a body."""
    r = write(folder)
    points, cells = half(41, 61)
    data = fields_at(240.0, points)
    del data["layer"]
    inside = (points[cells].mean(axis=1)[:, 1] < 0.8) & (points[cells].mean(axis=1)[:, 0] < 6)
    material = np.where(inside, 5.0, 4.0)
    meshio.Mesh(points, [("triangle", cells)], point_data=data,
                cell_data={"material": [material]}).write(r / "fields" / "f.vtu")  # fmt: skip
    (r / "fields" / "fields.pvd").write_text(
        '<VTKFile type="Collection"><Collection><DataSet timestep="0" part="0" file="f.vtu"/>'
        "</Collection></VTKFile>"
    )
    text = (r / "mesh.msh").read_bytes().replace(
        b'$PhysicalNames\n4\n', b'$PhysicalNames\n5\n2 5 "interphase"\n'
    )  # fmt: skip
    (r / "mesh.msh").write_bytes(text)
    entry = {"steps": 3, "group": "interphase",
             "final": {n: {"value": v, "unit": "um"}
                       for n, v in (("thickness", 1.0), ("depth", 0.8))}}  # fmt: skip
    summary = {**summary_of(r), "interphase": entry}
    del summary["transient"]
    (r / "summary.json").write_text(json.dumps(summary))
    return r


def test_no_dolfinx_is_loaded():
    code = (
        "import sys\n"
        "from ssbmech.output import figures\n"
        "figures.drawings()\n"
        "from ssbmech.reaction_front import shape\n"
        "print([m for m in ('dolfinx', 'mpi4py', 'petsc4py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
