"""The sweep beside the case of a tongue: rest smoothens, much current roughens."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "cases" / "miec_tongue" / "sweep.py"
#: So coarse that a front is three times as wide as in the case: signs, no numbers.
COARSE = ("geometry.h_max=0.9 um", "interphase.front.width=0.9 um")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("tongue_sweep", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_table_and_picture(script, tmp_path, capsys):
    script.main(tmp_path, currents=(0.0, 8.0), more=COARSE)
    lines = (tmp_path / "roughness.csv").read_text().splitlines()
    assert lines[0] == ",".join(script.COLUMNS)
    rest, plating = ([float(v) for v in line.split(",")] for line in lines[1:])
    assert capsys.readouterr().out.count("\n") == 3
    assert (tmp_path / "roughness.png").stat().st_size > 5000
    # as long as a flat layer takes: 15 um, and what the bump adds
    assert rest[2] == pytest.approx(15.0, rel=0.02)
    assert plating[2] == pytest.approx(15.0, rel=0.02)
    assert rest[4] < 0.5 * rest[3]
    assert plating[4] > 1.5 * plating[3]
