"""The map of currents: of a plane cell, with electrons that leak, and of a solid."""

import json
import subprocess
import sys

import numpy as np
import pytest
from ssbmech.errors import OutputError
from ssbmech.output.figures_current import current_map
from ssbmech.output.figures_current_data import pieces, read

CASE = """\
[geometry]
type = "cell"
width = "20 um"
electrolyte = "10 um"
lithium = "5 um"
void = [{ radius = "2 um", height = "1 um" }]

[materials]
electrolyte = "LLZO"
lithium = "Li"

[[electrode]]
group = "li_sse"
area_specific_resistance = "0.5 ohm*cm^2"

[[electrode]]
group = "cathode_plane"
kinetics = "none"
potential = "10 mV"
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("current")
    (folder / "case.toml").write_text(CASE)
    command = [sys.executable, "-m", "ssbmech", "run", "case.toml", "-o", "out"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_map_is_drawn_and_the_only_figure(results):
    assert [p.name for p in (results / "figures").iterdir()] == ["current_map.png"]
    assert (results / "figures/current_map.png").stat().st_size > 20_000


def test_what_is_drawn(results):
    fields = read(pieces(results))
    x = fields.points[fields.cells][:, :, :2]
    a, b = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2
    assert area == pytest.approx(200, rel=1e-9)  # the electrolyte alone
    potential = fields.potential
    assert potential.max() == pytest.approx(10, rel=1e-9) and potential.min() > 0
    assert fields.lithium is None
    summary = json.loads((results / "summary.json").read_text())
    mean = abs(summary["electric"]["plating_current_density"]["value"])
    assert np.median(fields.size) == pytest.approx(mean, rel=0.2)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("leak", ["electrochemistry.electronic_conductivity.electrolyte=5e-8 S/cm"]),
        ("solid", ["geometry.depth=8 um", "geometry.order=1", "geometry.h_max=3 um",
                   "electrochemistry.error_estimate=false"]),
    ],
)  # fmt: skip
def test_electrons_and_solids_are_drawn(results, tmp_path, name, change):
    words = [word for c in change for word in ("--set", c)]
    command = [sys.executable, "-m", "ssbmech", "run", results.parent / "case.toml", "-o",
               tmp_path / name, *words]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name / "figures/current_map.png").stat().st_size > 20_000
    if name == "leak":
        assert read(pieces(tmp_path / name)).lithium is not None


def test_none_without_currents(results, tmp_path):
    summary = json.loads((results / "summary.json").read_text())
    assert current_map(results, tmp_path, summary | {"electric": None}) is None


def test_a_damaged_table_is_named(results, tmp_path):
    (tmp_path / "fields").symlink_to(results / "fields")
    (tmp_path / "current.csv").write_text("electrode,x\nli_sse,one\n")
    summary = json.loads((results / "summary.json").read_text())
    with pytest.raises(OutputError, match=r"current\.csv"):
        current_map(tmp_path, tmp_path, summary)
