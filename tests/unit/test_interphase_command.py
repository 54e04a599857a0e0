"""`ssbmech interphase` and `ssbmech space-charge`: options to answers, light to import."""

import argparse
import json
import subprocess
import sys

import pytest
from ssbmech.errors import CaseError
from ssbmech.interphase import command

GROWS = ["--set", "law=parabolic", "--set", "growth_constant=1e-20 m^2/s", "--time", "1 h", "48 h"]


def run(options, function, words, capsys):
    parser = argparse.ArgumentParser()
    options(parser)
    assert function(parser.parse_args(words)) == 0
    return capsys.readouterr().out


def interphase(words, capsys):
    return run(command.interphase_options, command.interphase, words, capsys)


def test_growth(capsys):
    out = interphase([*GROWS, "--material", "LAGP", "--E", "60 GPa"], capsys)
    assert "48 h" in out and "58.79 nm" in out and "unverified: LAGP.reaction" in out
    data = json.loads(interphase([*GROWS, "--json"], capsys))
    assert data["thickness"][1] == pytest.approx((2e-20 * 48 * 3600) ** 0.5, rel=1e-9, abs=0.0)
    assert data["film_stress"] is None and data["resistance"] is None


def test_samples(capsys, tmp_path):
    words = [*GROWS, "--material", "LGPS", "--E", "20 GPa", "--samples", "20",
             "--set", "ranges.growth_constant=['1e-21 m^2/s', '1e-19 m^2/s']",
             "--table", str(tmp_path / "s.csv")]  # fmt: skip
    out = interphase(words, capsys)
    assert "thickness: median" in out and "nm, 20 samples" in out and "film_stress" in out
    data = json.loads(interphase([*words, "--json"], capsys))
    assert data["samples"]["thickness"]["n"] == 20
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 22


def test_values():
    assert command.values_of(["a=1", "b.c=2 nm", "d=['x', 'y']"]) == {
        "a": 1, "b.c": "2 nm", "d": ["x", "y"],
    }  # fmt: skip
    with pytest.raises(CaseError, match="key=value"):
        command.values_of(["law"])


def test_space_charge(capsys):
    words = ["--potential", "0.2 V", "--concentration", "1e4 mol/m^3", "--permittivity", "60",
             "--material", "LLZO"]  # fmt: skip
    out = run(command.space_charge_options, command.space_charge, words, capsys)
    assert "Debye length" in out and "resistance added" in out
    out = run(command.space_charge_options, command.space_charge, [*words, "--json"], capsys)
    assert json.loads(out)["added_resistance"] > 0.0


def test_options_import_nothing_heavy():
    code = (
        "import sys, ssbmech.interphase.command; "
        "print([m for m in ('numpy', 'scipy', 'pydantic', 'dolfinx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
