"""Figures of a flat layer: what is drawn, and that a calibration is called one."""

import numpy as np
import pytest
from matplotlib.image import imread
from ssbmech.build_interphase import interphase_setup, validated
from ssbmech.interphase.answer import answer
from ssbmech.interphase.cycles import cycled
from ssbmech.interphase.deposition import deposition
from ssbmech.interphase.film_fracture import FilmFracture, creeping_lithium
from ssbmech.interphase.growth_spread import growth_spread
from ssbmech.output import figures_flat, figures_style

PARABOLIC = {"law": "parabolic", "growth_constant": "1e-19 m^2/s",
             "ionic_conductivity": "1e-6 S/cm"}  # fmt: skip


@pytest.fixture(autouse=True)
def figure(monkeypatch):
    """The style of figures, and the last figure that was saved."""
    figures_style.apply()
    seen, save = {}, figures_style.save
    monkeypatch.setattr(figures_style, "save", lambda f, *a: seen.update(fig=f) or save(f, *a))
    return seen


def drawn(folder, name):
    assert imread(folder / name)[..., :3].min() < 0.5


def test_growth_over_the_root_of_time(tmp_path, figure):
    found = answer(PARABOLIC, ["1 h", "4 h", "9 h"])
    inputs = {"growth_constant": np.geomspace(1e-20, 1e-18, 41)}
    spread = growth_spread(validated(PARABOLIC), None, inputs, found.times)
    drawn(tmp_path, figures_flat.growth(tmp_path, found, spread))
    thickness, R = figure["fig"].axes
    assert len(thickness.collections) == len(R.collections) == 1
    x, y = thickness.lines[-1].get_data()
    assert np.allclose(x, [1.0, 2.0, 3.0]) and np.allclose(y / y[0], x)  # h^0.5, straight
    assert figures_flat.growth(tmp_path, answer(PARABOLIC, ["1 h"])) is None


def test_a_calibration_is_called_one(tmp_path, figure):
    block = {"law": "parabolic", "ionic_conductivity": "1e-7 S/cm",
             "calibration": {"start": "140 ohm*cm^2", "times": ["48 h"],
                             "resistances": ["2000 ohm*cm^2"]}}  # fmt: skip
    found = answer(validated(block), ["12 h", "48 h"])
    drawn(tmp_path, figures_flat.growth(tmp_path, found))
    cell = figure["fig"].axes[1]
    assert cell.get_legend().get_texts()[0].get_text().startswith("CALIBRATION: 140 + 268.5")
    points, line = (ax.get_data() for ax in cell.lines)
    assert points[1] == pytest.approx([1070.0, 2000.0])
    assert np.interp(points[0], *line) == pytest.approx(points[1])


def test_cycles(tmp_path, figure):
    values = {"law": "window", "reduction_potential": "1.7 V", "oxidation_potential": "2.1 V",
              "ionic_conductivity": "1e-6 S/cm", "electronic_conductivity": "1e-9 S/cm",
              "volume_per_lithium": "20 cm^3/mol", "initial_thickness": "10 nm"}  # fmt: skip
    found = cycled(values, [("1 h", "0.5 V")], 12, current_density=5.0)
    drawn(tmp_path, figures_flat.cycles(tmp_path, found))
    thickness, R = figure["fig"].axes
    x, y = thickness.lines[0].get_data()
    assert x.tolist() == list(range(13)) and y[0] == pytest.approx(0.01)  # um
    # 1 ohm cm^2 at 0.5 mA/cm^2 is 0.5 mV
    right = R.child_axes[0]
    assert right.get_ylim() == pytest.approx([0.5 * v for v in R.get_ylim()])
    drawn(tmp_path, figures_flat.cycles(tmp_path, cycled(values, [("1 h", "0.5 V")], 2)))
    assert not figure["fig"].axes[1].child_axes  # no current, no polarisation


def test_lithium_inside(tmp_path, figure):
    values = {**PARABOLIC, "electronic_conductivity": "1e-8 S/cm"}
    setup = interphase_setup(validated(values), None)
    found = deposition(setup, [1e-7, 1e-6], 5.0, 0.02)
    drawn(tmp_path, figures_flat.deposition(tmp_path, found))
    critical, potential = figure["fig"].axes
    x, y = critical.lines[0].get_data()
    assert np.allclose(x * y, 0.2)  # nm or um, times mA/cm^2: 20 mV x 1e-6 S/cm
    x, y = potential.lines[1].get_data()
    assert y[-1] == pytest.approx(-20.0)
    # no overpotential, no current: still a picture
    drawn(tmp_path, figures_flat.deposition(tmp_path, deposition(setup, [1e-7], 0.0, 0.0)))


def test_cracks(tmp_path, figure):
    film = FilmFracture(np.array([1e-7]), 22e9, 0.3, 0.23e6, creeping_lithium(1e-4))
    drawn(tmp_path, figures_flat.film_fracture(tmp_path, film))
    strain, apart = figure["fig"].axes
    x, y = apart.lines[1].get_data()
    assert 0.65 < np.polyfit(np.log(x), np.log(y), 1)[0] < 2 / 3  # 2/3: sliding alone
    x, y = strain.lines[2].get_data()
    assert np.allclose(y / y[0], (x / x[0]) ** -0.5)
