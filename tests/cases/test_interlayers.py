"""Maps of coatings, interlayers and skins: the scripts beside the cases against direct runs."""

import importlib.util
import math
import sys
from pathlib import Path

import pytest
from ssbmech.config_load import case_from, load_case
from ssbmech.run import compute

CASES = Path(__file__).parents[2] / "cases"


def script(folder, name):
    """A script beside a case as a module of its own, whatever else is called the same."""
    path = CASES / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def result(path, *changes):
    return compute(load_case(path, changes), path.parent).summary


# -- every map from beginning to end, with few points ----------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name", "few", "rows"),
    [
        ("filament_with_interphase", "map",
         {"DEPTHS_NM": (200.0, 300.0), "CHANGES": (-0.21, 0.35)}, 4),
        ("soft_interlayer", "map", {"MODULI_GPA": (10.0,), "THICKNESSES_UM": (2.0, 5.0)}, 2),
        ("soft_interlayer", "peak_map",
         {"MODULI_GPA": (10.0, 50.0), "THICKNESSES_UM": (2.0, 4.0)}, 4),
        ("artificial_interphase", "map",
         {"CONDUCTIVITIES_S_CM": (1e-5,), "THICKNESSES_UM": (0.5, 1.0), "PITCHES_UM": (4.0,)}, 7),
        ("artificial_interphase", "barrier_map",
         {"CONDUCTIVITIES_S_CM": (1e-9, 1e-11), "THICKNESSES_NM": (100.0, 300.0)}, 4),
        ("artificial_interphase", "pierced_map",
         {"CONDUCTIVITIES_S_CM": (1e-6, 4.6e-4), "THICKNESSES_UM": (1.0, 4.0)}, 4),
    ],
)  # fmt: skip
def test_map_writes_its_table_and_picture(tmp_path, monkeypatch, capsys, folder, name, few, rows):
    module = script(folder, name)
    for constant, values in few.items():
        assert len(getattr(module, constant)) >= len(values)
        monkeypatch.setattr(module, constant, values)
    module.main(tmp_path / "new" / "map.csv")
    lines = (tmp_path / "new/map.csv").read_text().splitlines()
    assert len(lines) == 1 + rows
    assert all(len(line.split(",")) == len(lines[0].split(",")) for line in lines)
    assert "|---|" in capsys.readouterr().out
    if "draw" in vars(module):
        assert (tmp_path / "new/map.png").stat().st_size > 10_000


# -- filament_with_interphase ----------------------------------------------------------------------


def test_skin_by_superposition_is_that_of_a_run():
    """A volume change of -20 % and a product of 240 nm have used up 300 nm."""
    module = script("filament_with_interphase", "map")
    retained, toughness = module.given()
    one = module.answers(300.0)
    found = result(
        module.CASE,
        "interphase.expansion.volume_change=-0.2", 'interphase.grown.thicknesses=["240 nm"]',
    )  # fmt: skip
    K = found["quantities"]["K_I"]["value"] * 1e6
    assert module.skin_intensity(one, -0.2, retained) == pytest.approx(K, rel=1e-6)
    # pressure and skin in one run, at the overpotential that the map calls critical
    eta = module.critical(one, -0.2, retained, toughness)
    strain = retained * module.linear_strain(-0.2)
    both = module.body(300.0) | {
        "filament": {"overpotential": f"{eta} V"},
        "eigenstrain": [{"group": "skin", "strain": f"{strain}"}],
    }
    found = compute(case_from(both)).summary
    assert found["quantities"]["K_I"]["value"] * 1e6 == pytest.approx(toughness, rel=1e-6)
    assert found["porz"]["margin"] == pytest.approx(1.0, rel=1e-6)


def test_skin_that_reaches_the_toughness_alone_needs_no_pressure():
    module = script("filament_with_interphase", "map")
    one = module.Answers(of_strain=-1e8, of_pressure=0.01)
    assert module.critical(one, -0.3, 1.0, 0.23e6) == 0.0
    assert module.critical(one, 0.3, 1.0, 0.23e6) > module.critical(one, 0.0, 1.0, 0.23e6) > 0.0


# -- soft_interlayer -------------------------------------------------------------------------------


def test_blunt_protrusion():
    module = script("soft_interlayer", "peak_map")
    found = result(module.CASE)
    sides = {q["side"]: q for q in found["peaks"]}
    above = sides["electrolyte"]
    pressure = 0.03 * module.FARADAY / module.LITHIUM_MOLAR_VOLUME / 1e6
    assert above["point_um"] == pytest.approx([0, 0, 0], abs=1e-6)  # above the tip
    one = module.solved(4.0, 10.0)
    assert one.electrolyte == pytest.approx(above["max_principal"]["value"] / pressure, rel=1e-9)
    # regression: smaller elements (0.04 um) change it by less; the estimate is 0.0004
    assert one.electrolyte == pytest.approx(0.7415, rel=3e-3)
    # an interlayer like LLZO is none: the case `protrusion`, on other elements
    protrusion = result(CASES / "protrusion/case.toml")["peaks"][0]["max_principal"]["value"]
    assert module.bare() == pytest.approx(protrusion / pressure, rel=5e-3)


# -- artificial_interphase -------------------------------------------------------------------------


def test_picture_of_the_case_is_that_of_the_script():
    import numpy as np
    from PIL import Image

    module = script("artificial_interphase", "pictures")
    with Image.open(CASES / "artificial_interphase/mosaic.png") as image:
        values = np.array(image)
    assert np.array_equal(values, module.picture(1.0, periods=5))
    assert np.array_equal(values[-8:], np.full((8, 160), module.COAT))  # 1 um on the lithium
    above = module.picture(1.0, periods=5, above=True)
    assert np.array_equal(above[-4:], values[-12:-8])


def test_stripes_of_one_conductivity_are_a_layer():
    path = CASES / "artificial_interphase/case.toml"
    found = result(path, "electrochemistry.conductivity.poor=1e-5 S/cm")["electric"]
    exact = 1.0 + 1e-4 / 1e-5 + 0.5e-4 / 1e-5 + 20e-4 / 0.46e-3
    assert found["area_specific_resistance"]["value"] == pytest.approx(exact, rel=1e-8)
    assert found["electrodes"][0]["largest"]["factor"] == pytest.approx(1.0, rel=1e-6)


def test_lithium_through_a_coat_like_the_electrolyte():
    """The tip of half an ellipse on a plane takes 1 + height/radius, without a resistance."""
    module = script("artificial_interphase", "pierced_map")
    found, _ = module.solved(
        1.0, 4.6e-4,
        'electrode.0={name="lithium",group=["lithium_coating","li_sse"],kinetics="none"}',
    )  # fmt: skip
    # 1 %: the cell is 40 um wide and 20 um thick for a height of 2 um, the error estimate 0.7 %
    assert found == pytest.approx(1.0 + 2.0 / 0.5, rel=0.01)


def test_a_coat_that_resists_drives_the_current_through_what_pierces_it():
    module = script("artificial_interphase", "pierced_map")
    bare, _ = module.solved(1.0, 4.6e-4)
    pierced, cell = module.solved(1.0, 1e-6)
    # regressions; the error estimates are 0.05 % and less
    assert [bare, pierced] == pytest.approx([1.1418, 14.524], rel=5e-3)
    assert cell < 1.0 + 1e-4 / 1e-6 + 20e-4 / 0.46e-3  # of the coat without a hole


def barrier(current, thickness_nm, sigma):
    """Resistances in series: critical and electronic current [mA/cm^2], from those of the case.

    With V the voltage of the cell and s the share of the film in the resistance for electrons,
    E_Li behind the film and its contact is s V - i (Z + d/kappa_f + Z_b).
    """
    d, t = thickness_nm * 1e-7, 30e-4
    film, rest = d / sigma, t / 5e-8
    before = 1.0 + d / 1e-6 + 1.0
    whole = before + t / 0.46e-3 + 1.0
    share = film / (film + rest)
    threshold = 10e6 * 13.0e-6 / 96485.33212 * 1e3  # mV
    left = before - share * whole
    return (threshold / left if left > 0 else math.inf), current * whole / (film + rest)


@pytest.mark.parametrize(
    ("thickness", "sigma"), [(10.0, 1e-7), (30.0, 1e-10), (300.0, 1e-9), (100.0, 1e-11)]
)
def test_barrier_is_resistances_in_series(thickness, sigma):
    module = script("artificial_interphase", "barrier_map")
    found = module.solved(thickness, sigma)
    critical, leaks = barrier(0.5, thickness, sigma)
    assert found.leaks == pytest.approx(leaks, rel=1e-8)
    assert found.critical == (critical if critical == math.inf else pytest.approx(critical, 1e-8))


def test_lithium_forms_behind_the_film_above_the_critical_current():
    path = CASES / "artificial_interphase/barrier.toml"
    critical, _ = barrier(1.0, 300.0, 1e-9)
    assert not result(path)["electric"]["leakage"]["sites"]  # the case: a film that blocks
    for factor in (0.99, 1.01):
        found = result(
            path, "geometry.coating=300 nm",
            "electrochemistry.electronic_conductivity.coating=1e-9 S/cm",
            f"electrode.1.plating_current_density={-factor * critical} mA/cm^2",
        )["electric"]["leakage"]  # fmt: skip
        assert bool(found["sites"]) == (factor > 1.0)
