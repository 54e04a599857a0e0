"""Figures of a run in time: what is drawn from synthetic histories and profiles."""

from __future__ import annotations

import time as clocks
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from ssbmech.errors import OutputError
from ssbmech.output import (
    figures_cycles,
    figures_filament,
    figures_history,
    figures_lines,
    figures_profiles,
    figures_style,
    figures_void,
)
from ssbmech.output.quantities_transient import transient_table
from ssbmech.output.tables import by_time, read_table, spread_out
from ssbmech.output.verdict import Limits


@pytest.fixture(autouse=True)
def _style():
    figures_style.apply()


def charging(n: int = 200) -> dict[str, np.ndarray]:
    """A filament that is filled at a constant current, with steps that grow."""
    t = np.concatenate([[0.0], np.geomspace(1.0, 6000.0, n)])
    rise = 1 - np.exp(-t / 1500)
    K = 1.12 * 220e6 * rise * np.sqrt(np.pi * 10e-6)
    return {
        "time": t, "step": np.arange(n + 1.0), "phase": np.ones(n + 1), "cycle": np.ones(n + 1),
        "dt": np.diff(t, prepend=0.0), "newton": np.full(n + 1, 3.0), "error": np.full(n + 1, 0.5),
        "voltage": -0.012 - 0.03 * rise, "current_density": np.full(n + 1, 5.0),
        "capacity": 5.0 * t, "pressure_max": 220e6 * rise, "pressure_mean": 180e6 * rise,
        "K_I": K, "K_ratio": K / 1e6, "fill": np.minimum(1, 0.3 + t / 4000),
        "mass_defect": np.full(n + 1, 1e-15),
    }  # fmt: skip


def cycling(cycles: int, n: int = 40) -> dict[str, np.ndarray]:
    """Plating, rest, stripping, rest; the pressure does not exist at rest."""
    m = 4 * cycles
    t = 900.0 * (np.arange(m * n) + 1) / n
    phase = np.repeat(np.arange(m), n)
    i = np.array([5.0, 0.0, -5.0, 0.0])[phase % 4]
    contact = 0.8 + 0.2 * np.cos(2 * np.pi * t / 3600)
    return {
        "time": t, "phase": phase + 1.0, "cycle": phase // 4 + 1.0, "dt": np.full(m * n, 900.0 / n),
        "voltage": -0.004 * i / contact, "current_density": i, "capacity": np.cumsum(i) * 900 / n,
        "contact": contact, "pressure_max": np.where(i == 0, np.nan, 5e6 / contact),
        "current_factor": 1 / contact,
    }  # fmt: skip


def labels_of(monkeypatch) -> list:
    """Keep the figures that are saved, to look at what they hold."""
    kept: list = []
    real = figures_style.save

    def save(fig, folder, name, **options):
        kept.append(fig)
        return real(fig, folder, name, **options)

    monkeypatch.setattr(figures_style, "save", save)
    return kept


def test_a_charge(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    rows = charging()
    log = [{"name": "extension", "time": 1940.0, "action": "record"}]
    table = transient_table(rows, log, limits=Limits(1e6, (0.86e6, 1.63e6), cut_off=-0.05))
    name = figures_history.draw_history(tmp_path, rows, table["events"], table["limits"])
    assert name == "history.png" and (tmp_path / "history.pdf").is_file()
    axes = kept[0].axes
    # a constant current has no axes of its own, nor have checks and K_I beside K_I/K_IC
    assert [a.get_ylabel().split("\n")[0] for a in axes] == [
        "voltage", r"$K_\mathrm{I}/K_\mathrm{IC}$", "pressure", "fill",
    ]  # fmt: skip
    assert axes[-1].get_xlabel() == "time (h)"
    top = [c for c in axes[0].child_axes if c.get_xlabel()]
    assert top[0].get_xlabel() == "plated (mAh/cm²)"
    limits = top[0].get_xlim()  # 0.5 mA/cm^2: half the number of hours
    assert limits == pytest.approx(tuple(x * 0.5 for x in axes[0].get_xlim()))
    drawn = [line.get_label() for line in axes[1].lines]
    assert r"$K_\mathrm{IC}$" in drawn and axes[1].patches  # threshold and its range
    text = [t.get_text() for legend in kept[0].legends for t in legend.get_texts()]
    assert text == [r"A  $K_\mathrm{I}$ reaches $K_\mathrm{IC}$: 32 min"]
    assert "A" in [t.get_text() for t in axes[0].texts]


def test_nothing_lies_outside_or_over_another(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    rows = cycling(3)
    log = [{"name": "contact_lost", "time": 2500.0}, {"name": "K_I_reaches_K_IC", "time": 2520.0}]
    events = transient_table(rows, log)["events"]
    figures_history.draw_history(tmp_path, rows, events, {})
    fig = kept[0]
    renderer = FigureCanvasAgg(fig).get_renderer()
    boxes = [a.get_tightbbox(renderer) for a in fig.axes]
    boxes += [legend.get_window_extent(renderer) for legend in fig.legends]
    whole = fig.bbox.padded(2)
    for k, box in enumerate(boxes):
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0
        for other in boxes[k + 1 :]:
            assert not box.padded(-1).overlaps(other.padded(-1))
    # two events at one place share their letters
    assert [t.get_text() for t in fig.axes[0].texts] == ["AB"]


def test_phases_are_shaded_by_their_current(tmp_path):
    figures_history.draw_history(tmp_path, cycling(3), [], {})
    picture = np.rint(imread(tmp_path / "history.png")[..., :3] * 255).astype(int)
    found = {tuple(c) for c in np.unique(picture.reshape(-1, 3), axis=0)}
    for shade in figures_lines.SHADES.values():
        assert tuple(int(shade[i : i + 2], 16) for i in (1, 3, 5)) in found


def test_many_cycles_are_drawn_fast_and_with_all_extremes(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    rows = cycling(250, 100)
    assert len(rows["time"]) == 100_000
    spike = 54_321
    rows["voltage"] = rows["voltage"].copy()
    rows["voltage"][spike] = 0.3
    events = [{"name": "contact_lost", "time": {"value": 3600.0 * k}} for k in range(1, 200)]
    start = clocks.perf_counter()
    assert figures_history.draw_history(tmp_path, rows, events, {}) == "history.png"
    assert clocks.perf_counter() - start < 30
    line = max(kept[0].axes[0].lines, key=lambda found: len(found.get_ydata()))
    assert len(line.get_ydata()) < 2 * figures_lines.MOST_POINTS
    assert max(line.get_ydata()) == pytest.approx(300)
    text = [t.get_text() for legend in kept[0].legends for t in legend.get_texts()]
    assert text == ["A  contact falls below its limit: 1 h, and 198 more"]
    assert figures_cycles.draw_cycles(tmp_path, rows) == "cycles.png"


def test_thin_keeps_gaps_and_extremes():
    rng = np.random.default_rng(3)
    x = np.sort(rng.random(50_000)) ** 3
    y = np.cumsum(rng.standard_normal(50_000))
    y[20_000:20_100] = np.nan
    a, b = figures_lines.thin(x, y, 1000)
    assert len(a) <= 1200 and (np.diff(a) >= 0).all()
    assert np.nanmax(b) == np.nanmax(y) and np.nanmin(b) == np.nanmin(y)
    assert (a[0], a[-1], b[0], b[-1]) == (x[0], x[-1], y[0], y[-1])
    gaps = np.flatnonzero(np.isnan(b))
    assert len(gaps) and x[19_999] < a[gaps[0]] < x[20_100]
    every = figures_lines.thin(x, np.full(50_000, np.nan), 1000)[1]
    assert np.isnan(every).all()
    short = figures_lines.thin(x[:5], y[:5], 1000)
    assert np.array_equal(short[0], x[:5])


def test_one_row_missing_monitors_and_lone_values(tmp_path, monkeypatch):
    one = {k: v[-1:] for k, v in charging().items()}
    assert figures_history.draw_history(tmp_path, one, [], {}) == "history.png"
    assert figures_history.draw_history(tmp_path, {"time": np.arange(3.0)}, [], {}) is None
    gone = {"time": np.arange(3.0), "voltage": np.full(3, np.nan)}
    assert figures_history.draw_history(tmp_path, gone, [], {}) is None
    kept = labels_of(monkeypatch)
    rows = {"time": np.arange(5.0), "voltage": np.array([1, np.nan, 2, np.nan, 3]) * 1e-3}
    figures_history.draw_history(tmp_path, rows, [], {})
    dots = [line for line in kept[0].axes[0].lines if line.get_marker() == "o"]
    assert dots[0].get_ydata().tolist() == [1, 2, 3]


def test_unknown_monitors_have_axes_and_a_second_figure(tmp_path):
    rows = charging(20)
    for k in range(5):
        rows[f"layer_{k}_stress"] = 1e6 * k * rows["time"]
    assert figures_history.draw_history(tmp_path, rows, [], {}) == "history.png"
    assert (tmp_path / "history_more.png").is_file()
    names = [p.names[0] for p in figures_history.panels(rows)]
    assert names[:4] == ["voltage", "K_ratio", "pressure_max", "fill"] and len(names) == 9


def test_K_without_its_ratio(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    rows = charging(20)
    del rows["K_ratio"]
    figures_history.draw_history(tmp_path, rows, [], {})
    assert kept[0].axes[1].get_ylabel().startswith(r"$K_\mathrm{I}$")
    limits = {"K_IC": {"value": 2.0, "unit": "MPa*m^0.5", "band": [2.0, 2.0]}}
    figures_history.draw_history(tmp_path, rows, [], limits)
    assert "IC" in kept[1].axes[1].get_ylabel()
    assert kept[1].axes[1].dataLim.y1 >= rows["K_I"][-1] / 2e6


def test_cycles(tmp_path, monkeypatch):
    rows = cycling(6)
    assert figures_cycles.draw_cycles(tmp_path, cycling(2)) is None
    assert figures_cycles.draw_cycles(tmp_path, {"time": np.arange(9.0)}) is None
    kept = labels_of(monkeypatch)
    assert figures_cycles.draw_cycles(tmp_path, rows) == "cycles.png"
    least = kept[0].axes[0].lines[0]
    assert least.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert least.get_ydata() == pytest.approx([60.0] * 6, abs=0.1)


def filament(times: int, n: int = 50) -> dict[str, np.ndarray]:
    """A dry zone that recedes towards the tip."""
    s, t = np.linspace(0, 20e-6, n), np.linspace(60, 6000, times)
    T, S = np.repeat(t, n), np.tile(s, times)
    end = 20e-6 * np.minimum(1, 0.3 + T / 4000)
    w = 2e-7 * (1 - np.exp(-T / 1500)) * np.sqrt(np.maximum(1 - (S / 20e-6) ** 2, 0))
    wet = S <= end
    return {
        "time": T, "s": S, "opening": w, "lithium": np.where(wet, w, 0),
        "pressure": np.where(wet, 1e15 * w, 0.0), "current_density": np.where(wet, 12.0, 0.0),
    }  # fmt: skip


def test_filament(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    table = filament(33)
    assert figures_filament.draw_filament(tmp_path, table) == "filament.png"
    axes = kept[0].axes
    assert [a.get_ylabel().split(" (")[0].split("\n")[0] for a in axes[:3]] == [
        "pressure", "opening", "plating",
    ]  # fmt: skip
    solid = [line for line in axes[1].lines if line.get_linestyle() == "-"]
    dashed = [line for line in axes[1].lines if line.get_linestyle() == "--"]
    assert len(solid) == len(dashed) == 8  # of 33 times
    assert len({line.get_color() for line in solid}) == 8
    texts = [t.get_text() for t in axes[3].get_xticklabels()]
    assert len(texts) == 8 and texts[0] == "0.017" and texts[-1] == "1.7"  # h
    # in MPa over um: the last profile as it was given
    last = table["time"] == table["time"].max()
    assert axes[0].lines[7].get_ydata() == pytest.approx(table["pressure"][last] / 1e6)
    assert axes[0].lines[7].get_xdata() == pytest.approx(table["s"][last] * 1e6)
    assert figures_filament.draw_filament_map(tmp_path, table) == "filament_map.png"
    assert figures_filament.draw_filament_map(tmp_path, filament(5)) is None
    one = filament(1)
    assert figures_filament.draw_filament(tmp_path, one) == "filament.png"
    full = {k: v for k, v in filament(3).items() if k not in ("lithium", "current_density")}
    full["pressure"] = np.full_like(full["pressure"], 150e6)  # without resistance to flow
    many = filament(20)
    many["pressure"] = np.full_like(many["pressure"], 150e6)  # steady: no map over time
    assert figures_filament.draw_filament_map(tmp_path, many) is None
    assert figures_filament.draw_filament(tmp_path, full) == "filament.png"
    assert len(kept[-1].axes) == 3  # pressure, opening, bar


def test_lines_are_drawn_when_something_happens():
    """100 times, a change in ten of them: most lines are of those."""
    x = np.linspace(0, 1e-6, 5)
    t = np.arange(100.0)
    level = np.clip((t - 50) / 10, 0, 1)
    table = {
        "time": np.repeat(t, 5), "s": np.tile(x, 100),
        "pressure": np.repeat(level, 5) * (1 + np.tile(x, 100)),
    }  # fmt: skip
    rows = (figures_profiles.Row("pressure", "", 1.0),)
    found = figures_profiles.telling(by_time(table), rows, "s")
    assert found[0] == 0 and found[-1] == 99 and len(found) <= 8
    assert sum(50 <= k <= 60 for k in found) >= 5
    still = {**table, "pressure": np.ones(500)}
    assert figures_profiles.telling(by_time(still), rows, "s") == [0, 99]


def test_currents_over_decades(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    table = filament(3)
    table["current_density"] = 10.0 ** (1 - table["s"] / 1e-6)
    figures_filament.draw_filament(tmp_path, table)
    assert kept[0].axes[2].get_yscale() == "log" and kept[0].axes[0].get_yscale() == "linear"
    low, high = kept[0].axes[2].get_ylim()
    assert low == pytest.approx(1e-6) and high > 1


def test_a_run_that_is_over_early_has_a_logarithmic_axis(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    rows = charging(100_000)
    for name in ("voltage", "K_ratio", "pressure_max", "pressure_mean", "K_I"):
        rows[name] = 1 - np.exp(-rows["time"] / 20.0)
    rows["fill"] = np.ones_like(rows["time"])
    spike = int(np.searchsorted(rows["time"], 3.0))
    rows["voltage"][spike] = -0.5
    events = [{"name": "a", "time": {"value": 10.0}}, {"name": "b", "time": {"value": 100.0}}]
    figures_history.draw_history(tmp_path, rows, events, {})
    axes = kept[0].axes
    assert axes[0].get_xscale() == "log" and not axes[0].child_axes
    assert axes[0].get_xlim()[0] == pytest.approx(1.0)  # s
    drawn = max(axes[0].lines, key=lambda found: len(found.get_ydata()))
    assert len(drawn.get_ydata()) < 2 * figures_lines.MOST_POINTS
    assert min(drawn.get_ydata()) == pytest.approx(-500)
    assert [t.get_text() for t in axes[0].texts] == ["A", "B"]
    figures_history.draw_history(tmp_path, charging(), [], {})
    assert kept[1].axes[0].get_xscale() == "linear"


def interface(times: int = 5, n: int = 81) -> dict[str, np.ndarray]:
    x, t = np.linspace(-20e-6, 20e-6, n), np.linspace(0, 7200, times)
    T, X = np.repeat(t, n), np.tile(x, times)
    a = 3e-6 + 9e-6 * T / 7200
    gap = np.maximum(0, 6e-7 * (T / 7200 + 0.1) * (1 - (X / a) ** 2))
    p, i = np.where(gap > 0, np.nan, 5e6), np.where(gap > 0, 0.0, -5.0)
    return {"time": T, "x": X, "gap": gap, "pressure": p, "current_density": i}


def test_voids(tmp_path, monkeypatch):
    kept = labels_of(monkeypatch)
    assert figures_void.draw_voids(tmp_path, interface()) == "voids.png"
    assert kept[0].axes[0].get_ylabel() == "gap (nm)"
    assert kept[0].axes[0].dataLim.y1 == pytest.approx(660)
    wide = interface()
    wide["gap"] = 1e2 * wide["gap"]
    figures_void.draw_voids(tmp_path, wide, axis="r")
    assert kept[1].axes[0].get_ylabel() == "gap (µm)"
    assert kept[1].axes[2].get_xlabel().startswith("r along")


def write(path: Path, table: dict[str, np.ndarray], units: dict[str, tuple[str, float]]) -> None:
    heads = [f"{k} [{units[k][0]}]" if k in units else k for k in table]
    columns = [v / units.get(k, ("", 1.0))[1] for k, v in table.items()]
    rows = [",".join("" if np.isnan(c) else f"{c:.12g}" for c in row)
            for row in zip(*columns, strict=True)]  # fmt: skip
    path.write_text("\n".join([",".join(heads), *rows]) + "\n")


UNITS = {"time": ("s", 1.0), "s": ("um", 1e-6), "x": ("um", 1e-6), "opening": ("nm", 1e-9),
         "lithium": ("nm", 1e-9), "gap": ("nm", 1e-9), "pressure": ("MPa", 1e6),
         "current_density": ("mA/cm^2", 10.0), "voltage": ("mV", 1e-3), "dt": ("s", 1.0),
         "capacity": ("mAh/cm^2", 3.6e4), "K_I": ("MPa m^0.5", 1e6), "fill": ("%", 1e-2),
         "pressure_max": ("MPa", 1e6), "pressure_mean": ("MPa", 1e6)}  # fmt: skip


def test_tables_come_back_in_si(tmp_path):
    rows = charging(7)
    rows["voltage"][3] = np.nan
    write(tmp_path / "history.csv", rows, UNITS)
    back = read_table(tmp_path / "history.csv")
    assert set(back) == set(rows)
    for name, values in rows.items():
        assert back[name] == pytest.approx(values, rel=1e-11, nan_ok=True)
    assert read_table(tmp_path / "none.csv") is None
    profiles = by_time(interface())
    assert [t for t, _ in profiles] == [0, 1800, 3600, 5400, 7200]
    assert all(len(part["x"]) == 81 and "time" not in part for _, part in profiles)


def test_spread_out():
    assert spread_out(4, 9) == [0, 1, 2, 3]
    assert spread_out(33, 9) == [0, 4, 8, 12, 16, 20, 24, 28, 32]
    assert spread_out(31, 9) == [0, 5, 10, 15, 20, 25, 30]
    uneven = spread_out(24, 9)
    assert uneven[0] == 0 and uneven[-1] == 23 and len(uneven) == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table is empty"), ("time [s],a\n1,2\n3\n", "line 3 has 1 columns"),
        ("time [s],a [furlong/blink]\n1,2\n", "unknown unit"),
        ("time [s]\nlater\n", "holds a text"),
        ("step\n1\n", "no rows with a time"), ("time [s]\n", "no rows with a time"),
    ],
)  # fmt: skip
def test_damaged_tables_are_named(tmp_path, text, message):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(OutputError, match=message) as error:
        figures_history.history(tmp_path, tmp_path, {})
    assert "history.csv" in str(error.value)


def test_from_a_results_folder(tmp_path):
    write(tmp_path / "history.csv", charging(), UNITS)
    write(tmp_path / "filament.csv", filament(15), UNITS)
    write(tmp_path / "contact.csv", interface(), UNITS)
    summary = {"model": "plane_strain", "transient": transient_table(charging())}
    drawn = [
        draw(tmp_path, tmp_path, summary)
        for draw in (
            figures_history.history, figures_filament.filament, figures_filament.filament_map,
            figures_void.voids, figures_cycles.cycles,
        )
    ]  # fmt: skip
    assert drawn == ["history.png", "filament.png", "filament_map.png", "voids.png", None]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert figures_history.history(empty, empty, {}) is None
    assert figures_filament.filament(empty, empty, {}) is None
    assert figures_void.voids(empty, empty, {}) is None
    (empty / "filament.csv").write_text("time [s],s [um]\n1,2\n")
    with pytest.raises(OutputError, match="no column 'pressure'"):
        figures_filament.filament(empty, empty, {})
    (empty / "filament.csv").write_text("time [s],s [um],pressure [MPa]\n")
    assert figures_filament.filament(empty, empty, {}) is None
