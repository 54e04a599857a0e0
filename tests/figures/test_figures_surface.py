"""The figure of a filament on a surface: what is drawn, and when there is nothing to draw."""

from __future__ import annotations

import numpy as np
import pytest
from ssbmech.output import figures_filament, figures_surface


def half_disc(times):
    """A film of a half-disc in x, y at some times, its mouth at x = 0."""
    r, t = np.meshgrid(np.linspace(2, 20, 8), np.linspace(-np.pi / 2, np.pi / 2, 15))
    x, y = (r * np.cos(t)).ravel() * 1e-6, (r * np.sin(t)).ravel() * 1e-6
    n = len(x)
    T = np.repeat(np.asarray(times, float), n)
    X, Y = np.tile(x, len(times)), np.tile(y, len(times))
    return {
        "time": T, "s": X, "x": X, "y": Y, "z": 0 * X, "pressure": 1e8 * T * X / 2e-5,
        "opening": 1e-8 * (1 + T), "lithium": 1e-8 * (1 + T), "current_density": 10 + 0 * T,
        "from_front": 2e-5 - np.hypot(X, Y),
    }  # fmt: skip


def along_front(times):
    s = np.tile(np.linspace(0, 6e-5, 21), len(times))
    T = np.repeat(np.asarray(times, float), 21)
    return {"time": T, "s": s, "K_I": 1e6 * T * (1 - s / 1e-4)}


def write(path, table, units):
    names = [f"{k} [{units[k]}]" for k in table]
    rows = [",".join(repr(float(v)) for v in row) for row in zip(*table.values(), strict=True)]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")


UNITS = {
    "time": "s", "s": "m", "x": "m", "y": "m", "z": "m", "pressure": "Pa", "opening": "m",
    "lithium": "m", "current_density": "A/m^2", "from_front": "m", "K_I": "Pa*m^0.5",
}  # fmt: skip


@pytest.mark.parametrize("with_front", [True, False])
def test_surface(tmp_path, monkeypatch, with_front):
    kept = []
    save = figures_surface.style.save

    def keep(fig, *args, **kw):
        kept.append(fig)
        return save(fig, *args, **kw)

    monkeypatch.setattr(figures_surface.style, "save", keep)
    times = [0.0, 1.0, 2.0]
    write(tmp_path / "filament.csv", half_disc(times), UNITS)
    if with_front:
        write(tmp_path / "front.csv", along_front(times), UNITS)
    assert figures_filament.filament(tmp_path, tmp_path, {}) == "filament.png"
    assert figures_filament.filament_map(tmp_path, tmp_path, {}) is None
    left = [
        a for a in kept[0].axes if a.get_ylabel().startswith(("pressure", "opening", "plating"))
    ]
    points = next(a for a in left if a.get_ylabel() == "pressure (MPa)" and a.lines)
    assert len(points.lines) == 3
    assert points.lines[2].get_ydata().max() == pytest.approx(200.0, rel=1e-6)
    assert points.lines[2].get_xdata().max() == pytest.approx(20.0, rel=1e-6)
    K = [a for a in kept[0].axes if "K_" in a.get_ylabel()]
    assert len(K) == with_front
    if with_front:
        assert K[0].lines[2].get_ydata()[0] == pytest.approx(2.0, rel=1e-6)


def test_one_time_and_nothing(tmp_path):
    rows = figures_filament.ROWS
    table = half_disc([1.0])
    assert figures_surface.is_surface(table)
    assert figures_surface.draw_surface(tmp_path, table, None, rows, "s") == "filament.png"
    empty = {k: v[:0] for k, v in table.items()}
    assert figures_surface.draw_surface(tmp_path, empty, None, rows, "s") is None
