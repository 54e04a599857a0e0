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


def spread(low=0.5, high=2.0):
    """A band about the curve of `entry`."""
    t = np.linspace(0.0, 3.6e5, 50)
    d = np.sqrt(2e-15 * t) * 1e6
    band = {"p5": (low * d).tolist(), "median": d.tolist(), "p95": (high * d).tolist()}
    return {"time_s": t.tolist(), "n": 500, "thickness": band, "resistance": band}


def test_ranges_and_calibration_are_drawn_and_named(tmp_path, monkeypatch):
    """What is a fit is called one; over the root of time it is straight."""
    seen = {}
    save = figures_style.save
    monkeypatch.setattr(figures_style, "save", lambda f, *a: seen.update(fig=f) or save(f, *a))
    fit = {"start": {"value": 140.0}, "slope": {"value": 268.5},
           "measured": {"time_s": [172800.0], "resistance_ohm_cm2": [2000.0]}}  # fmt: skip
    more = entry(spread=spread(), calibration=fit)
    drawn(tmp_path, figures_interphase.draw_growth(tmp_path, growth(), more))
    time, R, root, total = seen["fig"].axes
    labels = [t.get_text() for t in time.get_legend().get_texts()]
    assert labels == ["5-95 % of the ranges, 500 samples", "median", "this case"]
    labels = [t.get_text() for t in total.get_legend().get_texts()]
    assert labels[0].startswith("CALIBRATION: 140 + 268.5")
    x, y = total.lines[0].get_data()
    assert np.ptp(np.diff(y) / np.diff(x)) < 1e-9 * 268.5  # 268.5 ohm cm2 per h^0.5 or per d^0.5
    assert y[0] == 140.0 and "1/2" in root.get_xlabel() and "1/2" not in R.get_xlabel()
    # a band without width is not drawn
    flat = {**more, "spread": {**spread(), "resistance": spread(1.0, 1.0)["resistance"]}}
    figures_interphase.draw_growth(tmp_path, growth(), flat)
    assert [len(ax.collections) for ax in seen["fig"].axes] == [1, 0, 1, 0]


def test_a_zero_stress_is_drawn_flat(tmp_path, monkeypatch):
    """Rounding noise beside 400 MPa fills no axis."""
    seen = {}
    save = figures_style.save
    monkeypatch.setattr(figures_style, "save", lambda f, *a: seen.update(fig=f) or save(f, *a))
    s = np.tile(np.linspace(0.0, 1e-5, 9), 2)
    table = {"thickness": np.repeat([1e-6, 2e-6], 9), "line": np.full(18, "layer"), "s": s,
             "xx": np.full(18, -4e8), "yy": np.sin(1e6 * s) * 1e-6,
             "zz": np.full(18, -4e8)}  # fmt: skip
    drawn(tmp_path, figures_interphase.draw_profiles(tmp_path, table))
    xx, yy = seen["fig"].axes
    assert np.ptp(yy.get_ylim()) == pytest.approx(0.02 * 400.0)
    assert np.ptp(xx.get_ylim()) > 400.0  # from zero: not touched


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
