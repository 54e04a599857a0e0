"""What a user does with polycrystals from the command line, and what is refused."""

import json
import subprocess
import sys

import pytest

CASE = """
[geometry]
type = "polycrystal"
width = "20 um"
height = "20 um"
mean_size = "5 um"
seed = 3
{more}

[materials]
electrolyte = "LLZO"
{soft}

[[load]]
group = "top"
pressure = "1 MPa"

[[load]]
group = "bottom"
pressure = "1 MPa"
"""


def ssbmech(tmp_path, command, *words, more="", soft=""):
    (tmp_path / "case.toml").write_text(CASE.format(more=more, soft=soft))
    line = [sys.executable, "-m", "ssbmech", command, "case.toml", *words]
    return subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=300)


def energy(tmp_path, **blocks):
    done = ssbmech(tmp_path, "run", "-o", "out", "--overwrite", "--no-figures", **blocks)
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / "out/summary.json").read_text())["energies"]


def test_soft_boundaries_take_more_energy_than_stiff_ones(tmp_path):
    layer = 'boundaries = "layer"\nboundary_thickness = "0.05 um"'
    stiff = energy(tmp_path, more=layer, soft='grain_boundary = "LLZO"')
    soft = energy(tmp_path, more=layer, soft='grain_boundary = { E = "15 GPa", nu = 0.257 }')
    plain = energy(tmp_path)
    # uniform stress: p^2 (1 - nu^2)/(2 E) per volume, whatever the mesh
    exact = 1e12 * (1 - 0.257**2) / (2 * 149.8e9) * (20e-6) ** 2
    assert plain["strain_energy"]["value"] == pytest.approx(exact, rel=1e-8)
    assert stiff["strain_energy"]["value"] == pytest.approx(exact, rel=1e-8)
    assert soft["strain_energy"]["value"] > 1.02 * exact


def test_split_boundaries_are_written_and_not_run(tmp_path):
    split = 'boundaries = "split"'
    made = ssbmech(tmp_path, "mesh", "-o", "split.msh", "--no-picture", more=split)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "split.msh").stat().st_size > 1000
    done = ssbmech(tmp_path, "run", "-o", "out", more=split)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "parts that nothing holds together" in done.stderr and "layer" in done.stderr


def test_more_grains_than_fit_is_one_message(tmp_path):
    done = ssbmech(tmp_path, "mesh", "--no-picture", "--set", "geometry.mean_size=30 um")
    assert done.returncode == 1 and done.stderr.count("ssbmech:") == 1
    assert "mean_size" in done.stderr and "20 um" in done.stderr
    assert not (tmp_path / "mesh.msh").exists()
