"""Animations from small fields at several times: frames, colours, times, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ssbmech.errors import OutputError
from ssbmech.output import animate, animate_film, animate_steps

TIMES = (0.0, 600.0, 1800.0, 4320.0)


def square(n: int = 13) -> tuple[np.ndarray, np.ndarray]:
    """40 um wide and high, of triangles."""
    g = np.linspace(0, 40, n)
    x, y = (a.ravel() for a in np.meshgrid(g, g, indexing="ij"))
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = (v.ravel() for v in (i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]))
    cells = np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return np.column_stack([x, y, 0 * x]), cells


def cube(n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """40 um, of tetrahedra."""
    g = np.linspace(0, 40, n)
    points = np.column_stack([a.ravel() for a in np.meshgrid(g, g, g, indexing="ij")])
    i = np.arange(n**3).reshape(n, n, n)
    cut = (slice(0, n - 1), slice(1, n))
    v = [i[cut[a], cut[b], cut[c]].ravel() for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    six = [(0, 4, 6, 7), (0, 6, 2, 7), (0, 2, 3, 7), (0, 3, 1, 7), (0, 1, 5, 7), (0, 5, 4, 7)]
    return points, np.vstack([np.column_stack([v[k] for k in t]) for t in six])


def write(
    folder: Path, points: np.ndarray, cells: np.ndarray, *, pieces: int = 1, name: str = "fields"
) -> Path:
    """A results folder: stress = time/1000 * (x - 10), over several processes if asked for."""
    import meshio

    place = folder / "fields"
    place.mkdir(parents=True, exist_ok=True)
    kind = "triangle" if cells.shape[1] == 3 else "tetra"
    sets = ""
    for k, time in enumerate(TIMES):
        x = points[:, 0]
        data = {
            "displacement_um": 1e-6 * time * np.column_stack([0 * x, x, 0 * x]),
            "max_principal_MPa": time / 1000 * (x - 10),
            "potential_mV": time / 1000 + 0 * x,
        }
        for p, part in enumerate(np.array_split(cells, pieces)):
            used = np.unique(part)
            own = np.searchsorted(used, part)
            mesh = meshio.Mesh(
                points[used], [(kind, own)], point_data={n: v[used] for n, v in data.items()}
            )
            mesh.write(place / f"{name}_p{p}_{k:06d}.vtu")
            sets += f'<DataSet timestep="{time}" part="{p}" file="{name}_p{p}_{k:06d}.vtu"/>'
    (place / f"{name}.pvd").write_text(
        f'<VTKFile type="Collection"><Collection>{sets}</Collection></VTKFile>'
    )
    return folder


@pytest.fixture(scope="module")
def plane(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("plane"), *square())


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        found = []
        for k in range(film.n_frames):
            film.seek(k)
            found.append(np.asarray(film.convert("RGB"), float))
    return found


def test_frames_and_their_times(plane, tmp_path):
    (tmp_path / "d").mkdir()
    made = animate.animate(plane, target=tmp_path / "d" / "a.gif", rate=5)
    assert made == tmp_path / "d" / "a.gif"
    assert [p.name for p in made.parent.iterdir()] == ["a.gif"]  # nothing is left aside
    with Image.open(made) as film:
        assert film.n_frames == len(TIMES) and film.size[0] > 600
        assert film.info["loop"] == 0
        lengths = []
        for k in range(film.n_frames):
            film.seek(k)
            lengths.append(film.info["duration"])
    assert lengths == [200, 200, 200, 1500]
    frames = frames_of(made)
    assert len({f.shape for f in frames}) == 1
    assert all((f[2, 2] == 255).all() and (f[-3, -3] == 255).all() for f in frames)  # white paper


def test_colours_are_the_same_at_all_times(plane, tmp_path):
    animate.animate(plane, target=tmp_path / "a.gif")
    frames = frames_of(tmp_path / "a.gif")
    # stress 0 at first, so the body is pale; later it is red to the right and blue to the left
    first, last = frames[0], frames[-1]
    height, width = first.shape[:2]
    body = np.flatnonzero(np.abs(first[height // 2] - first[height // 2, width // 2]).max(-1) < 3)
    middle = slice(height // 3, height // 2)
    left = (middle, slice(body[0] + 3, body[0] + 20))
    right = (middle, slice(body[-1] - 20, body[-1] - 3))
    assert first[right].mean(axis=(0, 1)) == pytest.approx(first[left].mean(axis=(0, 1)), abs=2)
    assert last[right][..., 0].mean() - last[right][..., 2].mean() > 60
    assert last[left][..., 2].mean() > first[left][..., 2].mean() + 20
    # the colour bar is the same pixel by pixel
    bar = (slice(None), slice(body[-1] + 20, None))
    for frame in frames[1:]:
        assert np.array_equal(frame[bar], first[bar])


def test_limits_over_all_times(plane):
    _, steps = animate_steps.choose(plane, None)
    grids = [animate_steps.load(s) for s in steps]
    found = animate_steps.common_limits(grids, "max_principal_MPa", None)
    # 4.32 (x - 10) from -43 to 130 MPa in cells of 3.3 um: a mean is up to 10 MPa inside the ends
    assert -43.2 < found.low < -33 and 120 < found.high <= 130 and found.below
    near = animate_steps.common_limits(
        grids, "max_principal_MPa", np.array([[0.0, 0.0], [5.0, 5.0]])
    )
    assert near.high <= 1.0
    same = animate_steps.common_limits(grids[:1], "potential_mV", None)
    assert same.low < 0 < same.high and not same.above


def test_default_field_and_collections(plane, tmp_path):
    field, steps = animate_steps.choose(plane, None)
    assert field == "max_principal_MPa" and [s.time for s in steps] == list(TIMES)
    assert animate_steps.words("max_principal_MPa") == "largest principal stress (MPa)"
    assert animate_steps.words("lithium_height_um") == "lithium height (µm)"
    write(tmp_path, *square(4), name="electric")
    write(tmp_path, *square(3))
    assert [p.name for p in animate_steps.collections(tmp_path)] == ["electric.pvd", "fields.pvd"]


def test_pieces_of_processes_are_one_body(tmp_path, plane):
    parts = write(tmp_path, *square(), pieces=3)
    for folder in (parts, plane):
        assert animate_steps.steps_of(folder / "fields/fields.pvd")[1].time == 600.0
    grids = [animate_steps.load(animate_steps.choose(f, None)[1][-1]) for f in (parts, plane)]
    areas = []
    for grid in grids:
        x = np.asarray(grid.points)[animate_steps.simplices(grid, 3)]
        a, b = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
        areas.append(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2)
    assert areas == pytest.approx([1600, 1600])


def test_window_about_a_filament(tmp_path):
    points = np.array([[0.0, 0.0], [1000.0, 500.0]])
    assert animate_steps.window(tmp_path, {}, points) is None
    (tmp_path / "filament.csv").write_text("time [s],x [um],y [um]\n0,0,0\n0,10,0\n1,10,0\n")
    assert animate_steps.window(tmp_path, {}, points) == pytest.approx(np.array([[0, 0], [25, 15]]))
    near = np.array([[0.0, 0.0], [12.0, 8.0]])
    assert animate_steps.window(tmp_path, {}, near) is None  # nearly all of the body


def test_a_strip_with_the_history(plane, tmp_path):
    write(tmp_path, *square(5))
    rows = "".join(f"{t},{t / 4320}\n" for t in range(0, 4321, 120))
    (tmp_path / "history.csv").write_text("time [s],K_ratio\n" + rows)
    animate.animate(tmp_path, target=tmp_path / "a.gif")
    animate.animate(plane, target=tmp_path / "b.gif")
    with_strip, without = frames_of(tmp_path / "a.gif"), frames_of(tmp_path / "b.gif")
    assert with_strip[0].shape[0] > without[0].shape[0] + 80
    # the mark, a black line over the height of the strip, moves to the right between its sides
    marks = []
    for frame in with_strip:
        part = frame[int(0.83 * len(frame)) : int(0.89 * len(frame))]
        dark = (part < 150).all(axis=2) & (np.ptp(part, axis=2) < 40)
        marks.append(np.flatnonzero(dark.mean(axis=0) > 0.7))
    sides = marks[2][0], marks[2][-1]
    places = [np.mean([c for c in m if sides[0] + 3 < c < sides[1] - 3]) for m in marks]
    wanted = np.array(TIMES) / TIMES[-1]
    assert (np.array(places) - places[0]) / (places[-1] - places[0]) == pytest.approx(
        wanted, abs=0.01
    )


def test_a_solid(tmp_path):
    results = write(tmp_path / "r", *cube())
    command = [sys.executable, "-m", "ssbmech.output.animate", str(results), "--rate", "4"]
    command += ["-o", str(tmp_path / "s.gif")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "s.gif")
    frames = frames_of(tmp_path / "s.gif")
    assert len(frames) == len(TIMES)
    body = [(f < 250).any(axis=2).mean() for f in frames]
    assert min(body) > 0.15  # drawn from the same place, and not blank
    red = [(f[..., 0] - f[..., 2] > 120).mean() for f in frames]
    assert red[-1] > red[0] + 0.02


def test_as_a_figure_of_a_run(plane, tmp_path):
    (tmp_path / "figures").mkdir()
    assert animate.animation(plane, tmp_path / "figures", {}) == "animation.gif"
    assert (tmp_path / "figures" / "animation.gif").stat().st_size > 20_000
    assert animate.animation(tmp_path, tmp_path / "figures", {}) is None


def test_no_dolfinx_is_loaded():
    code = (
        "import sys, ssbmech.output.animate, ssbmech.output.figures_history\n"
        "print([m for m in ('dolfinx', 'mpi4py', 'petsc4py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_palette_is_exact_where_it_matters():
    ramp = np.column_stack([np.arange(100), np.arange(100), np.full(100, 200)]).astype(np.uint8)
    pixels = np.full((8, 20, 3), 255, np.uint8)
    pixels[:, 5:10] = ramp[40]
    pixels[:, 10:12] = 0
    pixels[:, 12:13] = (10, 250, 30)
    palette = animate_film.palette([pixels], ramp)
    back = palette[animate_film._nearest(pixels, palette)]
    assert palette.shape == (256, 3) and np.array_equal(back, pixels)
    blank = np.full((4, 4, 3), 255, np.uint8)
    assert (animate_film._nearest(blank, animate_film.palette([blank], ramp)) == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"field": "max_principle_MPa"}, "no such field.*max_principal_MPa"),
        ({"target": Path("a.webm")}, "a name that ends with .gif or .mp4"),
        ({"target": Path("nowhere/a.gif")}, "no such folder"),
        ({"rate": 0.0}, "0.1 to 60"),
    ],
)
def test_refused(plane, tmp_path, options, message):
    options = {"target": tmp_path / "a.gif"} | options
    with pytest.raises(OutputError, match=message):
        animate.animate(plane, **options)
    assert not (tmp_path / "a.gif").exists()


def test_no_times_no_animation(tmp_path):
    with pytest.raises(OutputError, match="no fields at several times"):
        animate.animate(tmp_path, target=tmp_path / "a.gif")
    assert animate.main([str(tmp_path), "-o", str(tmp_path / "a.gif")]) == 1


def test_a_missing_piece_is_named(tmp_path):
    write(tmp_path, *square(3))
    (tmp_path / "fields" / "fields_p0_000002.vtu").unlink()
    with pytest.raises(OutputError, match="fields_p0_000002"):
        animate.animate(tmp_path, target=tmp_path / "a.gif")
    (tmp_path / "fields" / "fields.pvd").write_text("<VTK")
    with pytest.raises(OutputError, match="cannot be read"):
        animate.animate(tmp_path, target=tmp_path / "a.gif")


def test_mp4_needs_ffmpeg(plane, tmp_path, monkeypatch):
    monkeypatch.setattr(animate_film, "has_ffmpeg", lambda: False)
    with pytest.raises(OutputError, match=r"imageio-ffmpeg"):
        animate.animate(plane, target=tmp_path / "a.mp4")


@pytest.mark.skipif(not animate_film.has_ffmpeg(), reason="imageio has no ffmpeg here")
def test_mp4(plane, tmp_path):
    animate.animate(plane, target=tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").stat().st_size > 5_000
