"""Figures from a small results folder with the analytic K field: drawn, not blank, or refused."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssbmech.errors import OutputError
from ssbmech.output import (
    figures,
    figures_data,
    figures_field,
    figures_map,
    figures_map_data,
    figures_map_solid,
    figures_plots,
    figures_solid,
    figures_style,
    view,
)

K, A, E, NU = 1.0, 10.0, 150e3, 0.25  # MPa m^0.5, um, MPa
SCHEMA = Path(__file__).parents[2] / "docs" / "summary.schema.json"


def k_field(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Displacement [um] (n, 2) and largest principal stress [MPa] about a tip at the origin."""
    r, t = np.maximum(np.hypot(x, y), 1e-3), np.arctan2(y, x)
    mu, kappa = E / 2 / (1 + NU), 3 - 4 * NU
    u = K / (2 * mu) * np.sqrt(r * 1e-6 / 2 / np.pi) * (kappa - np.cos(t)) * 1e6
    stress = K / np.sqrt(2 * np.pi * r * 1e-6) * np.cos(t / 2) * (1 + np.sin(t / 2))
    return np.column_stack([u * np.cos(t / 2), u * np.sin(t / 2)]), stress


def summary_of(points: np.ndarray, model: str) -> dict[str, Any]:
    """A summary with every key that figures read."""
    n = len(points)
    s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    values = K * (1 - 0.05 * np.sin(np.pi * s / (s[-1] or 1)))
    mpa = {"unit": "MPa*m^0.5"}
    front = {
        "name": "front", "points_um": points.tolist(), "arc_length_um": s.tolist(),
        "element_size_um": 0.5, "extension_width_um": 0.0, "ring_spread": 1e-3,
        "J_K_difference": 1e-3, "notes": [], "K_I": {"values": values.tolist(), **mpa},
        "K_II": {"values": (0.1 * values).tolist(), **mpa},
        "J": {"values": (values**2 / E * 1e6).tolist(), "unit": "J/m^2"},
    }  # fmt: skip
    rings = []
    for i in range(4):
        v = ((1 + 1e-3 * i) * values).tolist()
        rings.append({
            "front": "front", "inner_um": 0.8 * (i + 1), "outer_um": 2.0 * (i + 1),
            "accepted": i < 3, **({} if i < 3 else {"refused": "too far"}),
            "K_I": {"value": v if n > 1 else v[0], **mpa},
        })  # fmt: skip
    a = np.geomspace(A / 100, A * 100, 41)
    p = 1.0 / np.sqrt(np.pi * a * 1e-6)
    tough = np.geomspace(0.4, 3, 11)
    eta = 13e-6 / 96485 * 1e9
    mv, mpa_ = {"unit": "mV"}, {"unit": "MPa"}
    porz = {
        "critical_pressure": {"value": 178.0, **mpa_},
        "critical_overpotential": {"value": 24.0, **mv},
        "margin": 0.8, "verdict": "extends", "applied_pressure": {"value": 222.7, **mpa_},
        "applied_overpotential": {"value": 30.0, **mv}, "geometry_factor": 1.0,
        "flaw_size": {"value": A, "unit": "um"},
        "K_IC": {"value": 1.0, **mpa, "band": [0.86, 1.63], "source": "test"},
        "background_K_I": {"value": 0.0, **mpa},
        "critical_pressure_band": {"low": 153.0, "high": 290.0, **mpa_},
        "critical_overpotential_band": {"low": 20.6, "high": 39.0, **mv}, "notes": [],
        "curve": {
            "a_um": a.tolist(), "critical_pressure_MPa": p.tolist(),
            "critical_overpotential_mV": (p * eta).tolist(),
            "critical_pressure_low_MPa": (0.86 * p).tolist(),
            "critical_pressure_high_MPa": (1.63 * p).tolist(), "for": "similar flaws",
        },
        "map": {
            "a_um": a.tolist(), "K_IC_MPa_sqrt_m": tough.tolist(),
            "critical_overpotential_mV": (tough[:, None] * p * eta).tolist(),
        },
    }  # fmt: skip
    return {
        "schema": "ssbmech-summary/1", "title": "test", "model": model,
        "quantities": {"K_I": {"value": K, **mpa}}, "fronts": [front], "rings": rings,
        "gates": [{"name": "g", "value": 0, "limit": 0, "passed": True, "what": "w"}],
        "porz": porz, "extension": [], "peaks": [],
        "mean_pressures": {},
        "energies": {
            "strain_energy": {"value": 1.0, "unit": "J/m"},
            "load_work": {"value": 2.0, "unit": "J/m"},
        },
        "record": {
            "versions": {"ssbmech": "0"}, "commit": "", "time": "", "ranks": 1,
            "mesh": {"sha256": ""},
            "solver": {"method": "lu", "unknowns": 1, "degree": 2, "iterations": 1,
                       "relative_residual": 0.0},
            "materials": {}, "unverified_values": [], "choices": [], "units": "",
            "seconds": {"mesh": 0.1}, "peak_memory_MiB": 1.0,
        },
    }  # fmt: skip


def write_folder(folder: Path, points: np.ndarray, cells: np.ndarray, dim: int) -> Path:
    """A results folder: the tip (front) at x = A, the crack behind it on the lowest plane."""
    import meshio

    up = points[:, dim - 1]
    radius = points[:, 0] if dim == 2 else np.hypot(points[:, 0], points[:, 1])
    flat, stress = k_field(radius - A, up)
    held = (up == 0) & (radius >= A)
    flat[held, 1] = 0.0
    u = np.zeros_like(points)
    u[:, dim - 1] = flat[:, 1]
    if dim == 2:
        u[:, 0] = flat[:, 0]
    else:
        away = points[:, :2] / np.maximum(radius, 1e-9)[:, None]
        u[:, :2] = flat[:, :1] * away
    (folder / "fields").mkdir(parents=True)
    mesh = meshio.Mesh(
        points, [("triangle" if dim == 2 else "tetra", cells)],
        point_data={"displacement_um": u, "max_principal_MPa": stress},
        cell_data={"material": [np.ones(len(cells))]},
    )  # fmt: skip
    mesh.write(folder / "fields" / "fields_p0_000000.vtu")
    (folder / "fields" / "fields.pvd").write_text(
        '<VTKFile type="Collection"><Collection><DataSet timestep="0" part="0" '
        'file="fields_p0_000000.vtu"/></Collection></VTKFile>'
    )
    t = np.linspace(0, np.pi / 2, 21)
    front = np.array([[A, 0.0, 0.0]])
    if dim == 3:
        front = np.column_stack([A * np.cos(t), A * np.sin(t), 0 * t])
    summary = summary_of(front, "plane_strain" if dim == 2 else "3d")
    (folder / "summary.json").write_text(json.dumps(summary))
    r = np.geomspace(0.2, 8, 30)
    s = K / np.sqrt(2 * np.pi * r * 1e-6)
    lines = ["r [um],normal_stress [MPa],max_principal [MPa],K_field [MPa]"]
    lines += [f"{a},{b - 50},{b},{b}" for a, b in zip(r, s, strict=True)]
    (folder / "ahead.csv").write_text("\n".join(lines) + "\n")
    return folder


def box(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (n^dim, 3) of a box of 3 A and its simplices."""
    from scipy.spatial import Delaunay

    line = np.linspace(0, 3 * A, n)
    grid = np.stack(np.meshgrid(*[line] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    cells = Delaunay(grid, qhull_options="QJ Pp").simplices
    x = grid[cells]
    volume = np.abs(np.linalg.det(x[:, 1:] - x[:, :1]))
    points = np.zeros((len(grid), 3))
    points[:, :dim] = grid
    return points, cells[volume > 1e-6]


def cube(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (n^3, 3) of a cube of 3 A and tetrahedra that fit: six about a diagonal of each cell.

    `box` has gaps in 3-D, where it leaves flat cells out.
    """
    from itertools import permutations

    line = np.linspace(0, 3 * A, n)
    points = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(n**3).reshape(n, n, n)
    corner = number[:-1, :-1, :-1].ravel()
    step = (n * n, n, 1)
    cells = [
        np.stack([corner + sum(step[k] for k in order[:i]) for i in range(4)], axis=1)
        for order in permutations(range(3))
    ]
    return points, np.concatenate(cells)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("plane"), *box(25, 2), 2)


@pytest.fixture(scope="module")
def solid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("solid"), *box(10, 3), 3)


def draw(folder: Path) -> subprocess.CompletedProcess[str]:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY"}
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    command = [sys.executable, "-m", "ssbmech.output.figures", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def check_picture(path: Path, width: int) -> None:
    from matplotlib.image import imread

    picture = imread(path)
    assert abs(picture.shape[1] / width - 1) < 0.35
    assert picture.shape[0] > 400
    assert picture[..., :3].std() > 0.03


@pytest.mark.parametrize("kind", ["plane", "solid"])
def test_draws_every_figure(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    done = draw(folder)
    assert done.returncode == 0, done.stderr
    wanted = {"stress_ahead": 3.5, "rings": 3.5, "porz_map": 7.2, "tip_stress": 7.2}
    if kind == "solid":
        wanted["k_along_front"] = 3.5
    assert set(done.stdout.split()) == {f"{name}.png" for name in wanted}
    for name, inches in wanted.items():
        check_picture(folder / "figures" / f"{name}.png", int(inches * figures_style.DPI))
        assert name == "tip_stress" or (folder / "figures" / f"{name}.pdf").stat().st_size > 5000


def test_imports_neither_dolfinx_nor_mpi() -> None:
    code = (
        "import sys; from ssbmech.output import figures, view, figures_solid, figures_field, "
        "figures_map, figures_map_data, figures_map_solid; "
        "figures.drawings(); print([m for m in ('dolfinx', 'mpi4py', 'h5py', 'petsc4py') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_failure_is_one_line(
    plane: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    some = {k: v for k, v in figures.drawings().items() if k in ("rings", "tip_stress")}
    monkeypatch.setattr(figures, "drawings", lambda: some)
    assert figures.main([str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "no summary.json" in said.err
    (tmp_path / "summary.json").write_text((plane / "summary.json").read_text())
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "fields.pvd").write_text("broken")
    assert figures.main([str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "fields.pvd" in said.err
    assert (tmp_path / "figures" / "rings.png").is_file()  # the others are drawn nevertheless
    assert figures.main([]) == 2


def test_nothing_to_draw_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text('{"quantities": {}}')
    assert figures.draw_all(tmp_path) == []


def test_mirrors_what_was_computed_in_part(plane: Path) -> None:
    fields = figures_data.read_fields(plane)
    assert fields is not None
    planes = figures_data.symmetry_planes(plane, figures_data.read_summary(plane))
    whole = figures_data.mirrored(fields, planes)
    assert whole.mirrors == (1,)
    assert whole.measures().sum() == pytest.approx(2 * fields.measures().sum())
    lips = (fields.points[:, 1] == 0) & (fields.points[:, 0] < A)
    assert len(whole.points) == 2 * len(fields.points) - (25 - lips.sum())


def test_pieces_join_and_crack_faces_stay_apart() -> None:
    square = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    still = np.zeros_like(square)
    opened = still.copy()
    opened[0, 1] = -0.1  # the second piece has one vertex on the other face
    cells = np.array([[0, 1, 2], [1, 3, 2]])
    pieces = [figures_data.Fields(square, cells[[i]], u, {}, np.ones(1), np.zeros(1))
              for i, u in enumerate((still, opened))]  # fmt: skip
    assert len(figures_data._joined(pieces).points) == 5


def write_body(
    folder: Path, dim: int, *, model: str = "plane_strain", names: tuple[str, ...] = ()
) -> Path:
    """Results of a body without a crack: lithium below, two grains of electrolyte above.

    It starts at x = 0 and y = 0, where it slides; whether that is symmetry the names say.
    """
    import meshio

    points, cells = box(13, 2) if dim == 2 else cube(7)
    middle = points[cells].mean(axis=1)
    lithium = middle[:, 1] < A
    grain = np.where(lithium, 0, np.where(middle[:, 0] < 1.5 * A, 1, 2))
    u = 1e-3 * points * [1, -1, 0]
    above = points[:, 1] >= A
    x = points[:, 0] / A
    fields = {
        "displacement_um": u, "max_principal_MPa": np.where(above, 10 + 5 * x, -5.0),
        "von_mises_MPa": 3 + x, "hydrostatic_MPa": np.where(above, 5.0 + x, -20.0),
        "stress_tt_MPa": np.where(above, 7.0 + x, -1.0),
    }  # fmt: skip
    (folder / "fields").mkdir(parents=True)
    mesh = meshio.Mesh(
        points, [("triangle" if dim == 2 else "tetra", cells)], point_data=fields,
        cell_data={"material": [np.where(lithium, 2.0, 1.0)], "grain": [grain.astype(float)]},
    )  # fmt: skip
    mesh.write(folder / "fields" / "fields_p0_000000.vtu")
    (folder / "fields" / "fields.pvd").write_text(
        '<VTKFile type="Collection"><Collection><DataSet timestep="0" part="0" '
        'file="fields_p0_000000.vtu"/></Collection></VTKFile>'
    )
    groups = [(dim - 1, i + 1, name) for i, name in enumerate(("bottom", *names))]
    groups += [(dim, 1, "electrolyte"), (dim, 2, "lithium")]
    lines = [f'{d} {tag} "{name}"' for d, tag, name in groups]
    head = "$MeshFormat\n4.1 1 8\n\1\n$EndMeshFormat\n$PhysicalNames\n"
    (folder / "mesh.msh").write_text(
        "\n".join([head + str(len(lines)), *lines, "$EndPhysicalNames", "$Entities", ""])
    )
    summary = summary_of(np.zeros((1, 3)), model)
    summary.update(fronts=[], rings=[], porz=None)
    summary["record"]["materials"] = {"electrolyte.E": "150 GPa: test", "lithium.E": "8 GPa: test"}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The figures drawn in this process, by name."""
    kept: dict[str, Any] = {}

    def save(fig: Any, folder: Path, name: str, *, pdf: bool = True) -> str:
        kept[name] = fig
        return f"{name}.png"

    monkeypatch.setattr(figures_style, "save", save)
    return kept


def test_body_without_a_crack_is_shown_whole(tmp_path: Path, drawn: dict[str, Any]) -> None:
    assert figures.draw_all(write_body(tmp_path / "r", 2)) == ["stress_map.png"]
    axes = drawn["stress_map"].axes
    for ax in axes[:2]:
        low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
        assert (low <= 0).all() and (high >= 3 * A).all() and (high < 3.2 * A).all()
    labels = [ax.get_xlabel() + ax.get_ylabel() for ax in axes]
    assert any("largest principal" in text for text in labels)
    assert any("mean pressure" in text for text in labels)
    assert not any("hoop" in text for text in labels)
    assert {text.get_text() for text in axes[0].texts} == {"electrolyte", "lithium"}
    legend = {text.get_text() for text in drawn["stress_map"].legends[0].get_texts()}
    assert legend == {"interface with lithium", "grain boundary"}


def test_axisymmetric_body_shows_hoop_stress(tmp_path: Path, drawn: dict[str, Any]) -> None:
    figures.draw_all(write_body(tmp_path / "r", 2, model="axisymmetric"))
    axes = drawn["stress_map"].axes
    labels = " ".join(ax.get_xlabel() + ax.get_ylabel() for ax in axes)
    assert "hoop stress" in labels and "r (µm)" in labels and "z (µm)" in labels
    assert axes[0].get_xlim()[0] <= -3 * A  # the other half
    assert "mirrored at r = 0" in {ax.get_title(loc="right") for ax in axes}


@pytest.mark.parametrize(
    ("names", "model", "planes"),
    [
        ((), "plane_strain", ()),
        (("symmetry_x",), "plane_strain", (0,)),
        (("symmetry_y", "symmetry_x"), "plane_strain", (0, 1)),
        (("axis",), "axisymmetric", (0,)),
        ((), "axisymmetric", (0,)),
    ],
)
def test_mirrors_at_named_planes_alone(
    tmp_path: Path, names: tuple[str, ...], model: str, planes: tuple[int, ...]
) -> None:
    folder = write_body(tmp_path / "r", 2, model=model, names=names)
    summary = figures_data.read_summary(folder)
    assert figures_data.symmetry_planes(folder, summary) == planes
    fields = figures_data.read_fields(folder)
    assert fields is not None
    whole = figures_data.mirrored(fields, planes, axisymmetric=model == "axisymmetric")
    assert whole.mirrors == planes
    area = fields.measures().sum()
    assert whole.measures().sum() == pytest.approx(2 ** len(planes) * area)
    (folder / "case.resolved.toml").write_text('[crack]\nsymmetry = "y"\n')
    assert 1 in figures_data.symmetry_planes(folder, summary)
    (folder / "mesh.msh").unlink()  # no names: nothing but what the model and the case say
    (folder / "case.resolved.toml").unlink()
    expected = (0,) if model == "axisymmetric" else ()
    assert figures_data.symmetry_planes(folder, summary) == expected


def test_solid_without_a_crack_has_a_figure(tmp_path: Path) -> None:
    folder = write_body(tmp_path / "r", 3, model="3d", names=("symmetry_x",))
    done = draw(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["stress_map.png"]
    check_picture(folder / "figures" / "stress_map.png", int(7.2 * figures_style.DPI))
    from matplotlib.image import imread

    picture = imread(folder / "figures" / "stress_map.png")[..., :3]
    height, width = picture.shape[:2]
    # outside on the left, cut on the right; tension (red) above, lithium under pressure below
    for half in (slice(0, width // 2), slice(width // 2, int(0.88 * width))):
        tension, pressure = picture[: height // 2, half], picture[height // 2 :, half]
        assert (tension[..., 0] - tension[..., 2] > 0.3).mean() > 0.1
        assert (pressure[..., 2] - pressure[..., 0] > 0.2).mean() > 0.05
        assert (tension[..., 2] - tension[..., 0] > 0.2).mean() < 1e-3


def body(values: np.ndarray, points: np.ndarray, cells: np.ndarray) -> figures_data.Fields:
    n = len(cells)
    still = np.zeros_like(points)
    return figures_data.Fields(points, cells, still, {"s": values}, np.ones(n), np.zeros(n))


def test_limits_of_colours() -> None:
    points, cells = box(25, 2)
    limits = figures_map_data.limits

    def found(values: np.ndarray, scale: float = 100.0, **kw: bool) -> tuple[float, float, str]:
        return limits(values, body(values, points, cells), scale, **kw)

    x = points[:, 0] / points[:, 0].max()
    spiked = 10 * x
    spiked[len(x) // 2] = 1e4  # a corner without a limit: one vertex of 625
    bottom, top, extend = found(spiked)
    assert bottom == 0 and 9 < top < 200 and extend == "max"
    assert found(20 * x - 10)[:2] == pytest.approx((-10, 10), rel=0.03)  # as far from zero
    assert found(30 * x - 10)[:2] == pytest.approx((-20, 20), rel=0.05)
    assert found(30 + 2 * x)[0] > 25  # far from zero: all of the scale
    assert found(0 * x + 36)[:2] == pytest.approx((0, 36))
    assert found(1e-9 * x)[:2] == pytest.approx((-0.1, 0.1))  # nothing, of a body with 100 MPa
    assert found(90 * x - 80, tension=True)[:2] == pytest.approx((-9, 9), rel=0.06)


def test_stress_jumps_between_materials() -> None:
    points, cells = box(9, 2)
    material = np.where(points[cells].mean(axis=1)[:, 1] < 1.5 * A, 2.0, 1.0)
    at_interface = points[:, 1] == 1.5 * A
    assert at_interface.any()
    values = np.where(points[:, 1] >= 1.5 * A, 100.0, 5.0)  # shared vertices hold the stiffer's
    fields = figures_data.Fields(
        points, cells, 0 * points, {"s": values}, material, np.zeros(len(cells))
    )
    split = figures_map_data.apart(fields, [2, 1])
    assert len(split.points) == len(points) + at_interface.sum()
    at = split.scalars["s"][split.cells]
    assert (at[material == 1] == 100).all() and (at[material == 2] == 5).all()
    assert np.array_equal(split.points[split.cells], points[cells])
    one_layer = figures_map_data.apart(fields, [1, 2])  # lithium the stiffer: the same, reversed
    assert (one_layer.scalars["s"][one_layer.cells][material == 2] == values[cells[material == 2]]
            ).all()  # fmt: skip


def test_walls_of_voids() -> None:
    points, cells = cube(6)
    middle = points[cells].mean(axis=1)
    inside = (np.abs(middle - 1.5 * A) < 0.4 * A).all(axis=1)
    left = cells[~inside]
    facets = figures_map_data.facets_between(left, np.zeros(len(left), int))[0]
    walls = figures_map_solid.cavities(points, facets)
    assert walls.sum() == 6 * 2  # one cube of the grid is left out
    assert (np.abs(points[facets[walls]] - 1.5 * A) < 0.4 * A).all()
    open_ = cells[middle[:, 0] > 0.7 * A]  # reaches the side: no void
    facets = figures_map_data.facets_between(open_, np.zeros(len(open_), int))[0]
    assert not figures_map_solid.cavities(points, facets).any()


def test_names_do_not_cover_each_other() -> None:
    from matplotlib.text import Text

    figures_style.apply()
    fig, ax = figures_style.figure(6, 3)
    ax.set_xlim(0, 400)
    ax.set_ylim(0, 200)
    names = ["electrolyte", "interphase", "interlayer", "lithium"]
    places = np.array([[240.0, 118], [200, 100], [200, 97], [200, 94]])
    figures_map.write_names(ax, names, places, np.array([40.0, 1, 1, 1]), np.array([200.0, 100]), 1)
    fig.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the pointer
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_every_front_is_in_the_picture(
    plane: Path, tmp_path: Path, drawn: dict[str, Any]
) -> None:  # fmt: skip
    summary = json.loads((plane / "summary.json").read_text())
    second = json.loads(json.dumps(summary["fronts"][0]))
    second.update(name="tip_2", points_um=[[2.5 * A, 0.0, 0.0]])
    second["K_I"]["values"] = [0.5 * v for v in second["K_I"]["values"]]
    summary["fronts"].append(second)
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    (tmp_path / "fields").symlink_to(plane / "fields")
    assert {"tip_stress.png", "rings.png"} <= set(figures.draw_all(tmp_path))
    assert "stress_map" not in drawn
    low, high = drawn["tip_stress"].axes[0].get_xlim()
    assert low < A and high > 2.5 * A
    low, high = drawn["tip_stress"].axes[1].get_xlim()
    assert low < A < high < 2.5 * A  # the zoom is about the governing one


def test_mirrors_no_far_plane_about_a_flaw() -> None:
    tip = np.array([[3010.0, 20.0, 0.0]])  # a ring crack of 20 um, 3 mm from the axis
    assert figures_data.planes_near((0, 1), tip, 20.0) == (1,)
    assert figures_data.planes_near((0, 1), tip - [3000, 0, 0], 20.0) == (0, 1)


def test_warp_keeps_the_flaw_in_the_picture() -> None:
    points, cells = box(9, 2)
    region = np.array([[0.0, 0.0], [3 * A, 3 * A]])
    fields = body(points[:, 0], points, cells)
    small, large = points * 1e-3, points * 1e-3 + [0.0, -5.0, 0.0]
    for u, left in ((small, small), (large, small - np.median(small, axis=0))):
        moved = dataclasses.replace(fields, displacement=u)
        factor = figures_field.warp_factor(moved, region, A)
        kept = figures_field.without_drift(moved, region, factor, A)
        assert kept.displacement == pytest.approx(left, abs=1e-9)
        held = dataclasses.replace(moved, mirrors=(1,))
        assert figures_field.without_drift(held, region, factor, A) is held


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ('[geometry]\na = "3 um"\n', 3.0),
        ('[geometry]\ncrack = [{ a = "2 um" }, { a = "5 um" }, { x = "1 um" }]\n', 5.0),
        ('[[geometry.protrusion]]\nheight = "0.5 um"\n', 0.5),
        ('[crack]\nsize = "7 um"\n[[geometry.void]]\nradius = "1 um"\n', 7.0),
        ('[geometry]\ntype = "host"\n', None),
    ],
)
def test_size_of_the_flaw(tmp_path: Path, text: str, size: float | None) -> None:
    (tmp_path / "case.resolved.toml").write_text(text)
    found = figures_data.flaw_size(tmp_path, {})
    assert found is None if size is None else found == pytest.approx(size)


def test_closes_a_front_that_runs_round() -> None:
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = np.column_stack([np.cos(t), np.sin(t), 0 * t])
    points, values = figures_solid.closed(circle, t)
    assert len(points) == len(values) == 41
    assert (points[-1] == circle[0]).all() and values[-1] == t[0]
    for open_ in (circle[:20], points):  # half of it; and one that says its first point twice
        assert len(figures_solid.closed(open_, open_[:, 0])[0]) == len(open_)


@pytest.mark.parametrize(("a", "c"), [(10.0, 10.0), (10.0, 25.0)])
def test_angle_along_an_ellipse(a: float, c: float) -> None:
    t = np.linspace(0, np.pi / 2, 31)
    points = np.column_stack([a * np.cos(t), c * np.sin(t), 0 * t])
    found = figures_plots.ellipse_angle(points)
    assert found is not None
    assert np.abs(found[0] - np.degrees(t)).max() < 0.05
    line = np.column_stack([t, 0 * t, 0 * t])
    assert figures_plots.ellipse_angle(line) is None


def test_view(plane: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(view, "has_display", lambda: False)
    assert view.view(plane) == 2
    said = capsys.readouterr().out
    assert "fields.pvd" in said and "--screenshot" in said and "ssh -X" in said
    with pytest.raises(OutputError, match="max_principal_MPa"):
        view.view(plane, field="max_pricipal")
    with pytest.raises(OutputError, match="no fields here"):
        view.view(tmp_path)
    with pytest.raises(OutputError, match="PNG"):
        view.view(plane, screenshot=tmp_path / "a.jpg")
    assert view.view(plane, screenshot=tmp_path / "a.png") == 0
    check_picture(tmp_path / "a.png", 1600)


def conforms(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "$") -> None:
    """The part of JSON Schema that ours uses, so that no further package is needed."""
    if "$ref" in schema:
        conforms(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    if "anyOf" in schema:
        problems = []
        for option in schema["anyOf"]:
            try:
                conforms(value, option, root, where)
                break
            except AssertionError as error:
                problems.append(str(error))
        else:
            raise AssertionError(problems)
    if "const" in schema:
        assert value == schema["const"], where
    if "enum" in schema:
        assert value in schema["enum"], where
    kinds = {"object": dict, "array": list, "string": str, "number": (int, float),
             "integer": int, "boolean": bool, "null": type(None)}  # fmt: skip
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        right = any(
            isinstance(value, kinds[n]) and (n == "boolean" or not isinstance(value, bool))
            for n in names
        )
        assert right, f"{where}: {value!r} is not {names}"
    if isinstance(value, dict):
        for key in schema.get("required", []):
            assert key in value, f"{where}: no {key}"
        known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        for key, entry in value.items():
            assert key in known or other is not False, f"{where}: unknown {key}"
            below = known.get(key, other)
            if isinstance(below, dict):
                conforms(entry, below, root, f"{where}.{key}")
    if isinstance(value, list):
        size = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        assert size[0] <= len(value) <= size[1], where
        for i, entry in enumerate(value):
            conforms(entry, schema.get("items", {}), root, f"{where}[{i}]")


def test_summary_follows_its_schema(plane: Path, solid: Path) -> None:
    schema = json.loads(SCHEMA.read_text())
    for folder in (plane, solid):
        summary = json.loads((folder / "summary.json").read_text())
        conforms(summary, schema, schema)
        summary["porz"] = None
        conforms(summary, schema, schema)
        summary["quantities"]["K_I"].pop("unit")
        with pytest.raises(AssertionError, match="unit"):
            conforms(summary, schema, schema)


def test_real_summary_follows_the_schema(tmp_path: Path) -> None:
    pytest.importorskip("dolfinx")
    case = tmp_path / "case.toml"
    case.write_text(
        '[geometry]\ntype = "edge"\na = "10 um"\nwidth = "100 um"\nsymmetry = "y"\n'
        '[materials]\nelectrolyte = "LLZO"\n[filament]\noverpotential = "30 mV"\n'
        "[output]\nfields = false\nfigures = false\n[fracture]\nenergy_check = true\n"
    )
    command = [sys.executable, "-m", "ssbmech", "run", str(case), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    schema = json.loads(SCHEMA.read_text())
    conforms(json.loads((tmp_path / "out" / "summary.json").read_text()), schema, schema)
