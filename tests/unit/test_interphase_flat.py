"""`ssbmech interphase`: cycles, lithium inside, cracks; what is printed, kept and refused."""

import argparse
import json

import numpy as np
import pytest
from ssbmech.build_interphase import interphase_setup, validated
from ssbmech.errors import CaseError, SsbmechError
from ssbmech.interphase import command
from ssbmech.interphase.answer import answer
from ssbmech.interphase.cycles import cycled, sampled_cycles
from ssbmech.interphase.deposition import deposition
from ssbmech.interphase.film_fracture import (
    FilmFracture,
    channel_factor,
    creeping_lithium,
    deep_factor,
)

WINDOW = {
    "law": "window", "reduction_potential": "1.7 V", "oxidation_potential": "2.1 V",
    "ionic_conductivity": "1e-6 S/cm", "electronic_conductivity": "1e-9 S/cm",
    "volume_per_lithium": "20 cm^3/mol",
}  # fmt: skip
MIEC = {k: v for k, v in WINDOW.items() if k != "oxidation_potential"} | {"law": "miec"}


def words(values):
    return [w for k, v in values.items() for w in ("--set", f"{k}={v}")]


def run(given, capsys):
    parser = argparse.ArgumentParser()
    command.interphase_options(parser)
    assert command.interphase(parser.parse_args([str(w) for w in given])) == 0
    return capsys.readouterr().out


def test_cycles(capsys, tmp_path):
    given = [*words(WINDOW), "--dwell", "5 h", "0.6 V", "--dwell", "5 h", "1.9 V",
             "--cycles", 100, "--current", "0.5 mA/cm^2"]  # fmt: skip
    out = run([*given, "-o", tmp_path], capsys)
    assert "   100      1000 h" in out and "9.056 µm" in out and "452.8 mV" in out
    assert "dwell: 5 h at 0.6 V, 1.1 V outside the window" in out
    assert "dwell: 5 h at 1.9 V, inside the window" in out
    assert out.count("Ω cm²") <= 25  # not a line for each of a hundred cycles
    rows = (tmp_path / "cycles.csv").read_text().splitlines()
    assert len(rows) == 101 and rows[0].startswith("cycle,time [s],thickness [m]")
    assert (tmp_path / "interphase_cycles.png").stat().st_size > 5000
    data = json.loads(run([*given, "--json"], capsys))
    assert data["polarisation"][-1] == pytest.approx(5.0 * data["thickness"][-1] / 1e-4)
    assert [d["outside"] for d in data["dwells"]] == pytest.approx([1.1, 0.0])
    # the same table is read back by what draws results
    from ssbmech.output.tables import read_table

    table = read_table(tmp_path / "cycles.csv")
    assert table["thickness"] == pytest.approx(data["thickness"], rel=1e-9, abs=0.0)


def test_cycles_over_ranges_go_on(capsys, tmp_path):
    block = validated(WINDOW | {"ranges": {"volume_per_lithium": ["15 cm^3/mol", "25 cm^3/mol"]}})
    dwells = (("1 h", "0.5 V"),)
    path = tmp_path / "s.csv"
    found = sampled_cycles(block, dwells, 9, 8, path, current_density=5.0)
    assert set(found.answers) == {"thickness", "resistance", "polarisation"}
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:5]) + "\n")  # a run that was ended
    again = sampled_cycles(block, dwells, 9, 8, path, current_density=5.0)
    assert path.read_text().splitlines() == lines
    assert again.answers["thickness"].tolist() == found.answers["thickness"].tolist()
    with pytest.raises(SsbmechError, match="another sample"):
        sampled_cycles(block, dwells, 10, 8, path, current_density=5.0)
    given = [*words(WINDOW), "--set", "ranges.volume_per_lithium=['15 cm^3/mol', '25 cm^3/mol']",
             "--dwell", "1 h", "0.5 V", "--cycles", 9, "--samples", 8,
             "--table", tmp_path / "t.csv"]  # fmt: skip
    out = run(given, capsys)
    assert "polarisation: median" in out and "mV, 8 samples" in out


@pytest.mark.parametrize(
    ("values", "dwells", "cycles", "message"),
    [
        ({"law": "parabolic", "growth_constant": "1e-19 m^2/s"}, [("1 h", "0.1 V")], 1,
         r"interphase.law.*parabolic.*Allowed: window"),
        (WINDOW, [("1 h", "1.9 V")], 1, r"inside the window.*below 1.7 V or above 2.1 V"),
        (WINDOW, [("0 h", "0.1 V")], 1, r"dwell.*0 h.*above 0 s"),
        (WINDOW, [("1 h", "0.1 nm")], 1, r"dwell.*potential"),
        (WINDOW, [], 1, r"a cycle needs a dwell"),
        (WINDOW, [("1 h", "0.1 V")], 0, r"cycles.*1 or more"),
    ],
)  # fmt: skip
def test_cycles_that_are_refused(values, dwells, cycles, message):
    with pytest.raises(SsbmechError, match=message):
        cycled(values, dwells, cycles)


def test_stress_slows_cycles():
    """The work of expansion takes its share of the drive in every dwell."""
    more = WINDOW | {
        "expansion.volume_change": 0.3, "expansion.electrolyte_molar_volume": "100 cm^3/mol",
        "stress.reaction_energy": "400 kJ/mol",
    }  # fmt: skip
    free = cycled(WINDOW, [("1 h", "0.1 V")], 4).thickness
    with pytest.raises(CaseError, match="give the stiffness"):
        cycled(more, [("1 h", "0.1 V")], 4)
    held = cycled(more, [("1 h", "0.1 V")], 4, E="20 GPa").thickness
    e = 1.3 ** (1 / 3) - 1
    factor = 1 - 20e9 * e**2 / 0.7 * 1e-4 / 4e5
    assert held == pytest.approx(free * factor**0.5, rel=1e-12, abs=0.0)


def test_options_that_do_not_go_together(capsys):
    given = [*words(WINDOW), "--dwell", "1 h", "0.1 V", "--cycles", 3]
    with pytest.raises(CaseError, match=r"--time, --toughness.*--dwell, --cycles"):
        run([*given, "--time", "1 h", "--toughness", "1 MPa*m^0.5"], capsys)
    with pytest.raises(CaseError, match=r"--cycles: how many cycles"):
        run(given[:-2], capsys)
    with pytest.raises(CaseError, match="either times or thicknesses"):
        run(words(MIEC), capsys)
    with pytest.raises(CaseError, match=r"samples.*Give --time"):
        run(["--thickness", "1 nm", "--samples", 3], capsys)


def test_thicknesses_instead_of_times():
    """When a thickness is reached, by the law; no law at all where only the thickness counts."""
    values = {"law": "parabolic", "growth_constant": "1e-19 m^2/s"}
    found = answer(values, thicknesses=["20 nm", "60 nm"])
    assert found.times == pytest.approx(np.array([20e-9, 60e-9]) ** 2 / 2e-19, rel=1e-9)
    assert "never" not in found.text()
    limited = {"law": "self_limiting", "growth_constant": "1e-19 m^2/s", "limit": "50 nm"}
    found = answer(limited, thicknesses=["20 nm", "60 nm"])
    assert found.times[1] == np.inf and "never" in found.text()
    assert found.as_dict()["time"][1] is None
    stress = {**values, "expansion.volume_change": 0.3, "stress.reaction_energy": "400 kJ/mol",
              "expansion.electrolyte_molar_volume": "100 cm^3/mol"}  # fmt: skip
    slow = answer(stress, thicknesses=["60 nm"], E="20 GPa")
    back = answer(stress, [float(slow.times[0])], E="20 GPa")
    assert back.thickness[0] == pytest.approx(60e-9, rel=1e-9, abs=0.0)
    with pytest.raises(CaseError, match=r"thickness.*above 0 nm"):
        answer(values, thicknesses=["0 nm"])
    with pytest.raises(CaseError, match=r"time.*from 0 s on"):
        answer(values, ["-1 s"])


def test_finite_strain_of_a_flat_layer_is_taken_and_its_stress_called_an_estimate():
    values = {"law": "parabolic", "growth_constant": "1e-19 m^2/s", "expansion.volume_change": 0.9}
    with pytest.raises(CaseError, match=r'Choose strain = "finite"'):
        answer(values, ["1 h"], E="20 GPa")
    found = answer({**values, "expansion.strain": "finite"}, ["1 h"], E="20 GPa")
    assert "an estimate at a growth strain of 23.86%" in found.text()
    assert not answer({**values, "expansion.strain": "finite"}, ["1 h"]).setup.notes


def test_lithium_inside(capsys, tmp_path):
    given = [*words(MIEC), "--time", "1 h", "100 h", "--current", "0.5 mA/cm^2",
             "--deposition-overpotential", "20 mV"]  # fmt: skip
    out = run([*given, "-o", tmp_path], capsys)
    assert "it forms in layers beyond 0.4 µm" in out and "-0 V" not in out
    assert "while the electrolyte is still reduced inside, at 1.7 V" in out
    assert (tmp_path / "interphase_deposition.png").stat().st_size > 5000
    assert (tmp_path / "deposition.csv").read_text().startswith("thickness [m],critical_current")
    data = json.loads(run([*given, "--json"], capsys))
    inside = data["deposition"]
    delta = data["thickness"][0]
    assert inside["critical_current"][0] == pytest.approx(0.02 * 1e-4 / delta)
    assert inside["critical_thickness"] == pytest.approx(4e-7)
    assert inside["at_lithium"][0] + inside["inside"][0] == pytest.approx(5.0)
    assert inside["potential_inside"] == pytest.approx([-0.02, -0.02])


def test_lithium_inside_needs_both_conductivities():
    ions = {"law": "parabolic", "growth_constant": "1e-19 m^2/s", "ionic_conductivity": "1 S/m"}
    with pytest.raises(CaseError, match=r"electronic_conductivity.*Give electronic_conductivity"):
        deposition(interphase_setup(validated(ions), None), [1e-7], 1.0, 0.02)
    both = interphase_setup(validated({**ions, "electronic_conductivity": "0.1 S/m"}), None)
    with pytest.raises(CaseError, match=r"deposition-overpotential.*0 mV or more"):
        deposition(both, [1e-7], 1.0, -0.02)
    with pytest.raises(CaseError, match=r"deposition-resistance.*0 ohm\*cm\^2 or more"):
        deposition(both, [1e-7], 1.0, 0.02, -1.0)
    with pytest.raises(CaseError, match=r"there is no layer yet.*a later time"):
        deposition(both, [0.0], 1.0, 0.02)
    # stripping forms nothing, a law other than miec has no reaction to name
    found = deposition(both, [1e-7], -1.0, 0.02)
    assert found.ranges == (None,) and found.states[0].reaction == 0.0
    assert found.critical_thickness == np.inf and found.reacting is None
    assert "nowhere" in found.text() and "beyond" not in found.text()


def test_cracks_of_the_layer(capsys, tmp_path):
    given = ["--thickness", "20 nm", "1 um", "--E", "22 GPa", "--toughness", "0.23 MPa*m^0.5"]
    out = run([*given, "-o", tmp_path], capsys)
    assert "Z = 2.969" in out and "182.6 µm to 365.2 µm" in out and "0.552%" in out
    assert "time" not in out.splitlines()[0] and "growth strain" not in out
    assert (tmp_path / "film_fracture.png").stat().st_size > 5000
    assert len((tmp_path / "film_fracture.csv").read_text().splitlines()) == 3
    deep = json.loads(run([*given, "--json"], capsys))["film_fracture"]
    thin = json.loads(run([*given, "--json", "--lithium-depth", "5 um"], capsys))["film_fracture"]
    assert thin["spacing_most"][1] < deep["spacing_most"][1]  # more shear in a thin layer
    assert deep["spacing_least"][0] == pytest.approx(0.5 * deep["spacing_most"][0])
    # faster: lithium holds more, and the layer cracks later and closer
    fast = json.loads(run([*given, "--json", "--strain-rate", "1e-2 1/s"], capsys))["film_fracture"]
    later = deep["strain_slow"][0] * 100 ** (1 / 19.8)  # the cube root of the shear stress
    assert fast["strain_slow"][0] == pytest.approx(later, rel=0.02)
    assert fast["spacing_most"][0] < deep["spacing_most"][0]
    assert fast["strain_fast"] == deep["strain_fast"]
    with pytest.raises(CaseError, match=r"E: .*stiffness.*20 GPa"):
        run(["--thickness", "1 um", "--toughness", "0.2 MPa*m^0.5"], capsys)


def test_a_layer_that_shrinks_cracks_itself(capsys):
    given = ["--set", "law=parabolic", "--set", "growth_constant=1e-19 m^2/s", "--time", "1 h",
             "--E", "22 GPa", "--toughness", "0.23 MPa*m^0.5"]  # fmt: skip
    out = run([*given, "--set", "expansion.volume_change=-0.02"], capsys)
    sigma = 22e9 * (1 - 0.98 ** (1 / 3)) / 0.7
    h = (0.23e6 / sigma) ** 2 / 2.969
    assert f"{sigma / 1e6:.1f} MPa, cracks it from {h * 1e6:.3g}" in out
    out = run([*given, "--set", "expansion.volume_change=0.02"], capsys)
    assert "presses it" in out


def test_limits_of_the_closed_forms_are_said():
    lithium = creeping_lithium(1e-4)
    assert lithium.shear == pytest.approx(0.306e6, rel=2e-3)
    film = FilmFracture(np.array([1e-8, 1e-6, 1e-1]), 22e9, 0.3, 0.23e6, lithium)
    # thin films slide, 10 cm on lithium would give way elastically: both at once, never above it
    assert (film.stress_slow < film.stress_fast).all()
    assert film.stress_slow[2] == pytest.approx(film.stress_fast[2], rel=0.1)
    alone = np.cbrt(3 * lithium.shear * 0.23e6**2 / film.thickness)
    assert (film.stress_slow < alone).all()
    assert film.stress_slow[0] == pytest.approx(alone[0], rel=0.02)
    G = film.stress_slow**2 * film.thickness / film.plane_modulus
    assert G * (film.Z + film.stress_slow / (3 * lithium.shear)) == pytest.approx(film.energy)
    thin = FilmFracture(np.array([1e-8]), 22e9, 0.3, 0.23e6, lithium)
    assert not any("8 thicknesses" in text for text in thin.notes)
    weak = FilmFracture(np.array([1e-7, 1e-4]), 22e9, 0.3, 2e3, lithium)
    assert any(text.startswith("from 100 µm on pieces are less") for text in weak.notes)
    # lithium that is deeper than the pieces are long pulls as deep lithium does, not less
    films = [
        FilmFracture(np.array([1e-7]), 22e9, 0.3, 0.23e6, creeping_lithium(1e-4, depth=depth))
        for depth in (np.inf, 1e-3, 1e-6)
    ]
    deep, deeper, shallow = (float(film.spacing[0]) for film in films)
    assert deeper == deep
    # by hand: force balance of half a piece, tau (x/H)^(1/n) over its length
    n, half = 6.6, 0.5 * shallow
    pull = lithium.shear * 3 ** (-0.5 / n) * half * (half / 1e-6) ** (1 / n) / (1 + 1 / n)
    assert pull / 1e-7 == pytest.approx(float(films[0].stress_slow[0]), rel=1e-9)
    assert 0.4 * deep < shallow < 0.6 * deep
    assert deep_factor(6.6) == 0.637 and deep_factor(3.0) > deep_factor(4.0) > deep_factor(5.0)
    with pytest.raises(CaseError, match=r"lithium.norton.n.*3 to 15"):
        deep_factor(1.0)
    with pytest.raises(CaseError, match=r"0.1 to 20"):
        channel_factor(50.0)
    for words_, key in (({"rate": 0.0}, "strain-rate"), ({"rate": 1.0, "depth": -1.0},
                                                         "lithium-depth")):  # fmt: skip
        with pytest.raises(CaseError, match=rf"{key}.*above 0"):
            creeping_lithium(**words_)
    with pytest.raises(CaseError, match=r"nu.*above -1 and below 0.5"):
        FilmFracture(np.array([1e-7]), 22e9, 0.5, 0.23e6, lithium)
    with pytest.raises(CaseError, match=r"E: .*given: '?2000 GPa.*829.6 MPa to 165.9 GPa"):
        FilmFracture(np.array([1e-7]), 2e12, 0.3, 0.23e6, lithium)
    with pytest.raises(CaseError, match="there is no layer yet"):
        FilmFracture(np.array([0.0]), 22e9, 0.3, 0.23e6, lithium)
    with pytest.raises(CaseError, match="molten"):
        creeping_lithium(1e-4, temperature=500.0)


def test_a_folder_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    given = ["--thickness", "1 um", "--E", "22 GPa", "--toughness", "0.2 MPa*m^0.5"]
    with pytest.raises(SsbmechError, match=r"-o.*cannot be written.*Give a folder"):
        run([*given, "-o", tmp_path / "file"], capsys)
