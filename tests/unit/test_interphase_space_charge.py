"""Space charge and two carriers: what is answered, and what is refused."""

import json

import numpy as np
import pytest
from ssbmech.errors import CaseError, MaterialError
from ssbmech.interphase.space_charge import Carriers, space_charge
from ssbmech.interphase.two_carrier import TwoCarrierLayer


def test_texts_and_numbers_give_the_same():
    a = space_charge("0.2 V", "5 mol/m^3", 40, conductivity="1 mS/cm", temperature="60 degC")
    b = space_charge(0.2, 5.0, 40, conductivity=0.1, temperature=333.15)
    assert a.resistance == b.resistance and a.debye_length == b.debye_length


def test_text_and_json():
    s = space_charge(0.3, 1e4, 60, site_density=2e4, conductivity=0.05, sides=2)
    text = s.text()
    assert "one carrier on a lattice" in text and "300 mV" in text and "both sides" in text
    assert "continuum says little" in text
    data = json.loads(json.dumps(s.as_dict()))
    assert data["added_resistance"] == s.resistance and data["filling"] == 0.5
    assert "resistance added" not in space_charge(0.3, 1e4, 60).text()
    assert "give site_density" in space_charge(-0.3, 10.0, 60).text()


def test_no_potential_no_layer():
    s = space_charge(0.0, 1e4, 60, conductivity=0.05)
    assert (s.wall_charge, s.width, s.resistance, s.error) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("model", ["lattice", "pair"])
@pytest.mark.parametrize("u", [-3.0, 1e-6, 2.5])
@pytest.mark.parametrize("q", [0.0, 0.3])
def test_slope_and_energy_belong_to_the_charge(model, u, q):
    c, h, at = Carriers(model, q), 1e-5, np.array([u])
    slope = (c.charge(at + h) - c.charge(at - h)) / (2 * h)
    assert c.slope(at) == pytest.approx(slope, rel=1e-6)
    force = (c.energy(at + h) - c.energy(at - h)) / (2 * h)
    assert -c.charge(at) == pytest.approx(force, rel=1e-5, abs=1e-8)
    assert c.charge(at) == pytest.approx(c.positive(at) - c.negative(at), abs=1e-12)
    assert c.conductivity(np.zeros(1)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"site_density": 4000.0}, r"space_charge.filling.*fills more sites.*0 to below 1"),
        ({"site_density": 9000.0, "model": "pair"}, r"below 0.5"),
        ({"potential": 1.0, "model": "pair"}, r"without a site limit.*Give site_density"),
        ({"potential": 100.0}, r"potential.*within 600 RT/F"),
        ({"permittivity": 0.5}, r"permittivity.*1 or more"),
        ({"concentration": 0.0}, r"concentration: must be positive"),
        ({"temperature": -3.0}, r"temperature: must be positive"),
        ({"conductivity": 0.0}, r"conductivity: must be positive"),
        ({"site_density": -1.0}, r"site_density: must be positive"),
        ({"sides": 3}, r"sides.*1, 2"),
        ({"model": "triple"}, r"unknown model.*lattice, pair"),
        ({"share": 1.5}, r"share.*0 to 1"),
        ({"nodes": 5}, r"nodes.*20 or more"),
    ],
)
def test_refused(values, words):
    given = {"potential": 0.2, "concentration": 5000.0, "permittivity": 40.0} | values
    with pytest.raises(CaseError, match=words):
        space_charge(**given)


def test_layer_of_two_carriers():
    layer = TwoCarrierLayer(1e-7, 1e-4, 1e-6)
    assert layer.ionic_transference == pytest.approx(1 / 1.01)
    assert layer.total_resistance < layer.ionic_resistance
    state = layer.reacting(0.0, 1.5)  # at rest: lithium dissolves and reacts
    assert state.at_lithium == -state.reaction < 0.0 and state.E_lithium == 0.0
    assert state.E_inner == pytest.approx(1.5) and state.range_below() is None
    assert state.lithium_potential(5e-8) == pytest.approx(0.75)
    assert state.range_below(0.3) == pytest.approx((0.0, 2e-8))
    # stripping hard enough stops the reaction, and never turns it round
    assert layer.reacting(-1e6, 1.5).reaction == 0.0
    assert layer.critical_current(0.0) == 0.0
    with pytest.raises(MaterialError, match=r"layer.thickness"):
        TwoCarrierLayer(0.0, 1.0, 1.0)
