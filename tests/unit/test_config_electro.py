"""Electrodes and conductivities of a case: what is refused and with which words; edges; parts."""

import copy

import numpy as np
import pytest
from ssbmech import build_electro
from ssbmech.config_electro import activation_energy
from ssbmech.config_load import case_from
from ssbmech.electro.edges import singular_points
from ssbmech.errors import CaseError, SsbmechError
from ssbmech.meshes import catalog
from ssbmech.meshes.features import Impurity, Protrusion
from ssbmech.meshes.grain_parts import Grains
from ssbmech.meshes.restrict import restrict

GOOD = {
    "geometry": {
        "type": "cell", "width": "20 um", "electrolyte": "10 um", "lithium": "5 um",
    },
    "materials": {"electrolyte": "LLZO", "lithium": "Li"},
    "electrode": [
        {"group": "li_sse", "area_specific_resistance": "5 ohm*cm^2"},
        {"group": "cathode_plane", "kinetics": "none", "plating_current_density": "-1 mA/cm^2"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def cell():
    return catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, order=1)


def changed(*path, value=None):
    data = copy.deepcopy(GOOD)
    place = data
    for part in path[:-1]:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed("electrochemistry", "conductivity", value={"electrolyte": "0 S/m"}),
         ["electrochemistry.conductivity.electrolyte", "0 S/m", "above 0"]),
        (changed("electrochemistry", "conductivity", value={"electrolyte": "-1 mS/cm"}),
         ["out of range", "above 0"]),
        (changed("electrochemistry", "conductivity", value={"electrolyte": "1 MPa"}), ["1 MPa"]),
        (changed("electrochemistry", "activation_energy", value={"electrolyte": "-1 eV"}),
         ["not negative", "-1 eV"]),
        (changed("electrochemistry", "temperature", value="0 K"), ["temperature", "above 0"]),
        (changed("electrode", 0, "area_specific_resistance"),
         ["electrode.0", "exchange_current_density or area_specific_resistance"]),
        (changed("electrode", 0, value={"group": "li_sse", "exchange_current_density": "0 A/m^2"}),
         ["exchange_current_density", "above 0"]),
        (changed("electrode", 0, value={"group": "li_sse", "exchange_current_density": "-1 A/m^2"}),
         ["-1 A/m^2", "above 0"]),
        (changed("electrode", 0, "area_specific_resistance", value="0 ohm*cm^2"),
         ["area_specific_resistance", "0 ohm*cm^2", "above 0"]),
        (changed("electrode", 0, value={"group": "li_sse", "kinetics": "linear",
                                        "exchange_current_density": "1 A/m^2"}),
         ["linear kinetics", "area_specific_resistance"]),
        (changed("electrode", 0, "symmetry_factor", value=1.0), ["symmetry_factor", "less than 1"]),
        (changed("electrode", 1, "area_specific_resistance", value="1 ohm*cm^2"),
         ['kinetics = "none"', "no resistance"]),
        (changed("electrode", 1, "potential", value="1 V"), ["either potential"]),
        (changed("electrode", 0, "potential", value="1 V"), ["2 electrodes are driven"]),
        (changed("electrode", 1, "plating_current_density"), ["no electrode is driven", "0 V"]),
        (changed("electrode", 1, "group", value="li_sse"),
         ["electrode.1.group", "'li_sse'", "belongs to electrode.0"]),
        (changed("electrode", 1, "name", value="li_sse"),
         ["electrode.1.name", "electrode.0 already", "another name"]),
        (changed("electrode", value=GOOD["electrode"][:1]), ["two electrodes", "cathode_plane"]),
        (changed("electrochemistry", "boundary_resistance",
                 value={"grain_boundaries": "0 ohm*cm^2"}),
         ["boundary_resistance.grain_boundaries", "0 ohm*cm^2", "above 0"]),
        (changed("electrochemistry", "boundary_resistance",
                 value={"grain_boundaries": "-5 ohm*cm^2"}), ["-5 ohm*cm^2", "above 0"]),
        (changed("electrochemistry", "boundary_activation_energy",
                 value={"grain_boundaries": "0.4 eV"}),
         ["boundary_activation_energy.grain_boundaries", "no boundary_resistance"]),
        (changed("electrochemistry", "conductivity_axes",
                 value={"electrolyte": ["1 mS/cm", "1 mS/cm"]}),
         ["conductivity_axes.electrolyte", "2 values", "three"]),
        (changed("electrochemistry", "conductivity_axes",
                 value={"electrolyte": ["1 mS/cm", "1 mS/cm", "0 mS/cm"]}),
         ["0 mS/cm", "above 0"]),
        (changed("electrochemistry",
                 value={"conductivity": {"electrolyte": "1 mS/cm"},
                        "conductivity_axes": {"electrolyte": ["1 mS/cm"] * 3}}),
         ["conductivity.electrolyte", "one of them"]),
        (changed("electrochemistry", "electronic_conductivity", value={"electrolyte": "0 S/cm"}),
         ["electronic_conductivity.electrolyte", "above 0"]),
        ({**changed("electrochemistry", "temperature", value="300 K"), "electrode": []},
         ["no electrode is given"]),
    ],
)  # fmt: skip
def test_refused_by_the_schema(data, words):
    with pytest.raises(CaseError) as error:
        case_from(data)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed("materials", "electrolyte", value={"E": "100 GPa", "nu": 0.3}),
         ["no conductivity is given", "'electrolyte'", "insulating"]),
        (changed("electrochemistry", "insulating", value=["electrolyte"]),
         ["nothing conducts", "conductivity"]),
        (changed("electrochemistry", "insulating", value=["elektrolyte"]),
         ["electrochemistry.insulating", "'electrolyte'"]),
        (changed("electrode", 0, "group", value="bottom"),
         ["electrode.0.group", "no cell that conducts", "li_sse"]),
        (changed("electrode", 0, "group", value="li_see"), ["electrode.0.group", "'li_sse'"]),
        (changed("electrochemistry", "boundary_resistance", value={"left": "1 ohm*cm^2"}),
         ["boundary_resistance.left", "on the surface of what conducts", "no facet group lies"]),
        (changed("electrochemistry", "boundary_resistance", value={"li_sse": "1 ohm*cm^2"}),
         ["boundary_resistance.li_sse", "area_specific_resistance"]),
        (changed("electrochemistry", "boundary_resistance", value={"grains": "1 ohm*cm^2"}),
         ["boundary_resistance.grains", "no facet group 'grains'"]),
        (changed("electrochemistry", "electronic_conductivity", value={"lithium": "1 S/cm"}),
         ["electronic_conductivity.lithium", "does not conduct ions", "electrolyte"]),
        (changed("electrochemistry", "conductivity_axes", value={"salt": ["1 mS/cm"] * 3}),
         ["electrochemistry.conductivity_axes", "'salt'"]),
        (changed("electrochemistry", "conductivity",
                 value={"electrolyte": "1 mS/cm", "lithium": "1 mS/cm"}),
         ["electrode.0.group", "inside what conducts"]),
    ],
)  # fmt: skip
def test_refused_on_the_mesh(cell, tmp_path, data, words):
    with pytest.raises(SsbmechError) as error:
        build_electro.prepare(case_from(data), tmp_path, cell)
    for word in words:
        assert word in str(error.value)


def test_library_and_signs(cell, tmp_path):
    setup, part = build_electro.prepare(case_from(GOOD), tmp_path, cell)
    assert setup.conductivity == pytest.approx({"electrolyte": 4.6e-2})
    assert "electrolyte.ionic_conductivity" in setup.sources
    driven = setup.electrodes[1]
    assert driven.current_density == pytest.approx(10.0)  # anodic: Li+ leaves the cathode
    assert driven.potential is None and setup.electrodes[0].potential == 0.0
    assert set(part.cell_groups) == {"electrolyte"}


def test_temperature(cell, tmp_path):
    data = changed("electrochemistry", "temperature", value="308.15 K")
    setup, _ = build_electro.prepare(case_from(data), tmp_path, cell)
    k = 0.34 * 1.602176634e-19 / 1.380649e-23
    factor = np.exp(k * (1 / 298.15 - 1 / 308.15))
    assert setup.conductivity["electrolyte"] == pytest.approx(4.6e-2 * factor, rel=1e-12)
    data["electrochemistry"]["conductivity"] = {"electrolyte": "1 mS/cm"}
    setup, _ = build_electro.prepare(case_from(data), tmp_path, cell)
    assert setup.conductivity["electrolyte"] == pytest.approx(0.1)
    assert "no activation energy" in setup.notes[0]


def test_crystals_and_boundaries_of_a_case(tmp_path):
    """Values at the temperature, the mesh cut, numbers of nodes kept."""
    data = changed(
        "electrochemistry",
        value={
            "conductivity_axes": {"electrolyte": ["3 mS/cm", "2 mS/cm", "1 mS/cm"]},
            "activation_energy": {"electrolyte": "0.34 eV"},
            "boundary_resistance": {"grain_boundaries": "10 ohm*cm^2"},
            "boundary_activation_energy": {"grain_boundaries": "0.43 eV"},
            "electronic_conductivity": {"electrolyte": "5e-8 S/cm"},
            "temperature": "308.15 K",
        },
    )
    data["electrode"][1]["open_circuit_voltage"] = "4 V"
    whole = catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, order=2,
                          grains=Grains(5.0))  # fmt: skip
    setup, part = build_electro.prepare(case_from(data), tmp_path, whole)
    per_ev = 1.602176634e-19 / 1.380649e-23 * (1 / 298.15 - 1 / 308.15)
    assert setup.crystals["electrolyte"] == pytest.approx(
        np.array([0.3, 0.2, 0.1]) * np.exp(0.34 * per_ev)
    )
    assert setup.conductivity["electrolyte"] == pytest.approx(0.2 * np.exp(0.34 * per_ev))
    (boundary,) = setup.boundaries
    assert boundary.resistance == pytest.approx(1e-3 / np.exp(0.43 * per_ev), rel=1e-10)
    lower, upper = setup.nodes[boundary.pairs[:, 0]], setup.nodes[boundary.pairs[:, 1]]
    assert np.array_equal(lower, upper)
    assert np.array_equal(whole.points[setup.nodes], part.points)
    assert setup.electrons.voltages == {"li_sse": 0.0, "cathode_plane": 4.0}
    assert setup.electrons.conductivity == pytest.approx({"electrolyte": 5e-6})


def test_activation_energy_per_ion_or_per_mole():
    assert activation_energy("0.43 eV") == pytest.approx(activation_energy("41.489 kJ/mol"), 1e-4)


def test_what_needs_no_mechanics():
    assert not case_from(GOOD).is_mechanical
    load = [{"group": "bottom", "pressure": "1 MPa"}]
    assert case_from({**GOOD, "load": load}).is_mechanical
    alone = {k: v for k, v in GOOD.items() if k != "electrode"}
    assert case_from(alone).is_mechanical


@pytest.mark.parametrize("order", [1, 2])
def test_part_of_a_mesh(order):
    data = catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, order=order)
    part = restrict(data, ["electrolyte"])
    assert part.points[:, 1].min() == pytest.approx(0, abs=1e-9)
    assert sorted(np.unique(part.cells)) == list(range(len(part.points)))
    assert "bottom" not in part.facet_groups and "cathode_plane" in part.facet_groups
    for name in part.facet_groups:
        before = data.points[data.facets[data.facet_tags == data.facet_groups[name]]]
        after = part.points[part.facets[part.facet_tags == part.facet_groups[name]]]
        keep = (before[..., 1] >= -1e-9).all(axis=1)  # the sides of lithium are gone
        assert np.array_equal(before[keep], after)


@pytest.mark.parametrize("depth", [None, 8.0])
def test_sharp_edges(depth):
    flat = catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, depth=depth)
    assert len(singular_points(restrict(flat, ["electrolyte"]), ["li_sse"])) == 0
    bump = catalog.build(
        "cell", width=20.0, electrolyte=10.0, lithium=5.0, depth=depth,
        protrusion=(Protrusion(1.0, radius=1.0),),
    )  # fmt: skip
    assert len(singular_points(restrict(bump, ["electrolyte"]), ["li_sse"])) == 0
    film = catalog.build(
        "cell", width=20.0, electrolyte=10.0, lithium=5.0, depth=depth, impurity=(Impurity(2.0),)
    )
    points = singular_points(restrict(film, ["electrolyte"]), ["li_sse"])
    assert np.hypot(points[:, 0], points[:, 2]) == pytest.approx(2.0, rel=1e-6)
    assert len(points) == 2 if depth is None else len(points) > 8
