"""Figures of a layer that thickens: what is drawn from synthetic tables, and when nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread
from ssbmech.output import figures_interphase, figures_style
from ssbmech.output.closing_interphase import closing_rows


@pytest.fixture(autouse=True)
def _style():
    figures_style.apply()


def growth(n=5):
    """delta^2 = 2 k t with a resistance."""
    t = np.linspace(1.0, 100.0, n) * 3600.0
    d = np.sqrt(2e-15 * t)
    return {"time": t, "thickness": d, "resistance": d / 1e-4}


def entry(first=None, **more):
    t = np.linspace(0.0, 3.6e5, 50)
    curve = {"time_s": t.tolist(), "thickness_um": (np.sqrt(2e-15 * t) * 1e6).tolist()}
    limits = {"strength": {"value": 100.0, "unit": "MPa"}}
    return {"curve": curve, "limits": limits, "first": first or {}, **more}


ONSET = {
    "where": "face", "opens": "radial crack", "thickness": {"value": 15.0, "unit": "um"},
    "time": {"value": 1.1e5, "unit": "s"},
}  # fmt: skip
SAMPLES = {"answers": {"strength_thickness": {"p5": 5.0, "median": 12.0, "p95": None}}}


def drawn(folder, name):
    """The picture is there and is not empty."""
    assert name is not None
    picture = imread(folder / name)
    assert picture[..., :3].min() < 0.5
    return picture


def test_growth_with_onset_and_spread(tmp_path):
    name = figures_interphase.draw_growth(
        tmp_path, growth(), entry({"strength": ONSET, "energy": None}, samples=SAMPLES)
    )
    drawn(tmp_path, name)


def test_growth_without_resistance_is_one_panel(tmp_path):
    two = drawn(tmp_path, figures_interphase.draw_growth(tmp_path, growth(), entry()))
    table = {k: v for k, v in growth().items() if k != "resistance"}
    one = drawn(tmp_path, figures_interphase.draw_growth(tmp_path, table, entry()))
    assert one.shape[1] < 0.7 * two.shape[1]


def test_thicknesses_that_the_law_never_reaches_have_no_axis_of_time(tmp_path):
    table = {**growth(), "time": np.full(5, np.nan)}
    assert figures_interphase.draw_growth(tmp_path, table, entry()) is None


def test_stresses_and_intensity(tmp_path):
    table = growth()
    d = table["thickness"]
    for name, factor in (("hoop", 5e12), ("radial", -8e12), ("axial", 1e11)):
        table[f"face:{name}_max"], table[f"face:{name}_min"] = factor * d, -0.1 * factor * d
    table["tip:K_I"] = -3e8 * np.sqrt(d)
    both = entry({"strength": ONSET}, stresses={"face": {}})
    wide = drawn(tmp_path, figures_interphase.draw_stresses(tmp_path, table, both))
    alone = {k: v for k, v in table.items() if not k.startswith("face")}
    slim = drawn(tmp_path, figures_interphase.draw_stresses(tmp_path, alone, entry(stresses={})))
    assert slim.shape[1] < 0.7 * wide.shape[1]
    assert figures_interphase.draw_stresses(tmp_path, growth(), entry(stresses={})) is None


def test_maps_and_profiles(tmp_path):
    scales, limits = np.geomspace(1e-3, 1e-1, 9), np.geomspace(30.0, 300.0, 9)
    values = [[float(c / s / 1e3) if c / s < 3e4 else None for c in limits] for s in scales]
    one = {"growth_strain": scales.tolist(), "limit": limits.tolist(), "unit": "MPa",
           "thickness_um": values}  # fmt: skip
    drawn(tmp_path, figures_interphase.draw_onset_maps(tmp_path, {"strength": one}, entry()))
    never = {**one, "thickness_um": [[None] * 9] * 9}
    assert figures_interphase.draw_onset_maps(tmp_path, {"strength": never}, entry()) is None
    shrinks = {**one, "growth_strain": (-scales).tolist()}
    assert figures_interphase.draw_onset_maps(tmp_path, {"strength": shrinks}, entry()) is None

    s = np.tile(np.linspace(0.0, 1e-4, 20), 3)
    d = np.repeat([1e-6, 2e-6, 3e-6], 20)
    table = {"thickness": d, "line": np.full(60, "face"), "s": s, "hoop": 1e12 * d - s * 1e10,
             "radial": -1e12 * d}  # fmt: skip
    drawn(tmp_path, figures_interphase.draw_profiles(tmp_path, table))
    nothing = {name: column[:0] for name, column in table.items()}
    assert figures_interphase.draw_profiles(tmp_path, nothing) is None


def test_a_run_without_a_layer_draws_nothing(tmp_path):
    for draw in (figures_interphase.growth, figures_interphase.stresses,
                 figures_interphase.onset_maps, figures_interphase.profiles):  # fmt: skip
        assert draw(tmp_path, tmp_path, {"interphase": None}) is None
        assert draw(tmp_path, tmp_path, {}) is None


def test_closing_rows_fit_the_screen():
    assert closing_rows(None) == []
    rows = closing_rows({"verdict": ["The layer " + "grows " * 40], "notes": ["assumed"]})
    assert rows[0][0] == "layer"
    assert rows[-1] == ("note", "assumed")
    assert max(len(text) for _, text in rows) <= 80
