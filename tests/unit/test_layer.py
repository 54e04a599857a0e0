"""Reaction layers on electrodes: what is refused in which words; laws; the model about a model."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from ssbmech.build_electro import prepare
from ssbmech.config_load import case_from
from ssbmech.errors import CaseError, SolverError, SsbmechError
from ssbmech.fracture.porz import FARADAY
from ssbmech.interphase.laws import MIEC, Parabolic, WindowSource
from ssbmech.interphase.layer import Grown, Layer
from ssbmech.interphase.layered import LayeredModel
from ssbmech.meshes import catalog
from ssbmech.numerics.stepping import Drive, Trial
from ssbmech.output.monitors import monitor
from ssbmech.output.verdict import verdict
from ssbmech.physics import kinetics

GOOD: dict[str, Any] = {
    "geometry": {"type": "cell", "width": "20 um", "electrolyte": "10 um", "lithium": "5 um"},
    "materials": {"electrolyte": "LLZO", "lithium": "Li"},
    "electrode": [
        {"group": "li_sse", "area_specific_resistance": "5 ohm*cm^2", "layer": True},
        {"group": "cathode_plane", "kinetics": "none", "plating_current_density": "-1 mA/cm^2"},
    ],
    "interphase": {"law": "parabolic", "growth_constant": "1e-18 m^2/s", "age": "24 h",
                   "ionic_conductivity": "1e-6 S/cm"},
}  # fmt: skip
PLATE = {"do": "plate", "current_density": "1 mA/cm^2", "duration": "1 h"}


def changed(**blocks):
    data = copy.deepcopy(GOOD) | blocks
    return {k: v for k, v in data.items() if v is not None}


def with_layer(**values):
    layer = GOOD["interphase"] | values
    return changed(interphase={k: v for k, v in layer.items() if v is not None})


def lithium(**values):
    return changed(electrode=[GOOD["electrode"][0] | values, GOOD["electrode"][1]])


def in_time(counter=False, **values):
    data = with_layer(**values)
    data["electrode"][1].pop("plating_current_density")
    data["materials"]["lithium"] = {"set": "Li", "flow": {"law": "norton"}}
    if counter:
        data["electrode"][1] |= {"layer": True}
    return data | {"step": [PLATE]}


REFUSED = [
    (changed(interphase=None), r"electrode\.0\.layer: true, and there is no \[interphase\]"),
    (lithium(layer=False), r"interphase: nothing in a run grows .* layer = true"),
    (with_layer(ionic_conductivity=None), r"interphase\.ionic_conductivity: not given"),
    (with_layer(ranges={"growth_constant": ["1e-19 m^2/s", "1e-18 m^2/s"]}),
     r"interphase\.ranges: nothing is sampled .* --set"),
    (with_layer(stress={"reaction_energy": "100 kJ/mol"}), r"interphase\.stress: stress does not"),
    (with_layer(temperature="330 K"),
     r"interphase\.temperature: '330 K'.*'298.15 K'.*Allowed: the same"),
    (with_layer(age=None, aging="current"), r"aging: for how long\? Give age"),
    (with_layer(age="-1 h"), r"age: .*Allowed: above 0 s"),
    (lithium(open_circuit_voltage="3 V"), r"electrode\.0\.layer: .*Allowed: an open_circuit"),
    (with_layer(law="miec", growth_constant=None, reduction_potential="1.5 V",
                electronic_conductivity="1e-8 S/cm", volume_per_lithium="20 cm^3/mol",
                interface_resistance="1 ohm*cm^2"),
     r"interphase\.interface_resistance: .* Leave it out"),
    (in_time(aging="current"), r"interphase\.aging: 'current' in a case in time.*Allowed: rest"),
    (in_time(counter=True) | {"thin_filament": {"thickness": "10 nm", "mouth": "sealed"}},
     r"electrode\.1\.layer: it is the counter electrode of a thin filament"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), REFUSED)
def test_refused(data, words):
    with pytest.raises(SsbmechError, match=words):
        case_from(data)


def test_a_layer_that_is_drawn_carries_no_current():
    data = changed()
    data["interphase"] = {"law": "stable", "grown": {"times": ["1 h"]}}
    with pytest.raises(SsbmechError, match=r"interphase\.grown.* is drawn and pushes"):
        case_from(data)


@pytest.fixture(scope="module")
def mesh():
    return catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, order=1)


def test_resistance_is_that_of_the_age(mesh):
    setup, _ = prepare(case_from(GOOD), Path(), mesh)
    delta = np.sqrt(2 * 1e-18 * 86400)
    assert setup.electrodes[0].layer == pytest.approx(delta / 1e-4, rel=1e-12)
    assert setup.electrodes[1].layer is None
    assert any("does not push" in note for note in setup.notes)
    assert "interphase.growth_constant" in setup.sources


def test_an_electrode_needs_some_resistance(mesh):
    data = with_layer(age=None)
    data["electrode"][0] = {"group": "li_sse", "kinetics": "none", "layer": True}
    with pytest.raises(CaseError, match="no thickness at the start") as caught:
        prepare(case_from(data), Path(), mesh)
    assert caught.value.key == "electrode.0.layer"
    data["interphase"]["initial_thickness"] = "10 nm"
    setup, _ = prepare(case_from(data), Path(), mesh)
    assert setup.electrodes[0].kinetics == "linear"


def test_own_resistance_is_that_of_the_law(mesh):
    data = with_layer(law="miec", growth_constant=None, reduction_potential="1.5 V",
                      electronic_conductivity="1e-8 S/cm", volume_per_lithium="20 cm^3/mol",
                      reaction_resistance="7 ohm*cm^2")  # fmt: skip
    layer = prepare(case_from(data), Path(), mesh)[0].layers.grown[0].layer
    assert layer.law.interface_resistance == pytest.approx(5e-4, rel=1e-12)


# -- laws ----------------------------------------------------------------------------------------

S_I, S_A, V = 1e-6, 1e-7, 20e-6


@pytest.mark.parametrize("i", [-5.0, -0.5, 0.0, 3.0])
@pytest.mark.parametrize("start", [0.0, 3e-7, 3e-6])
def test_window_follows_the_potential_beside_the_layer(i, start):
    """Reduced, within the window (0.8 V to 2 V), and oxidised, against integration."""
    layer = Layer("li", WindowSource(0.8, 2.0, V, S_A, 1e-2), S_I, start, own=0.1)

    def rate(t, d):
        E = -i * (0.1 + 1e-9 * d / S_I)
        return 1e9 * V / FARADAY * max(0.8 - E, E - 2.0, 0.0) / (1e-2 + 1e-9 * d / S_A)

    dt = 3e4
    exact = solve_ivp(rate, (0, dt), [1e9 * start], "Radau", rtol=1e-10, atol=1e-10).y[0, -1]
    assert layer.grown(start, dt, i) == pytest.approx(1e-9 * exact, rel=1e-7, abs=1e-16)


def test_window_at_rest_is_a_mixed_conductor():
    miec = MIEC(2e-7, 2e-7, 0.8, V, 1e-2)
    a = Layer("li", WindowSource(0.8, 2.0, V, 1e-7, 1e-2), 2e-7, 0.0)
    b = Layer("li", miec, 2e-7, 0.0)
    assert a.grown(0.0, 1e4, 0.0) == pytest.approx(b.grown(0.0, 1e4, 0.0), rel=1e-13)


def test_butler_volmer_behind_a_resistance():
    eta = np.concatenate([-np.geomspace(1e-3, 200, 60), [0.0], np.geomspace(1e-3, 200, 60)])
    for beta in (0.1, 0.5, 0.8):
        for z in (1e-9, 1e-3, 1.0, 1e3, 1e6):
            rate, slope = kinetics.rate_and_slope(eta, 2.0, beta, z)
            back = kinetics.overpotential(rate / 2.0, beta) + z * rate
            assert back == pytest.approx(eta, rel=1e-9, abs=1e-11)
            h = 1e-6 * np.maximum(np.abs(eta), 1e-3)
            up, down = (kinetics.rate_and_slope(eta + d, 2.0, beta, z)[0] for d in (h, -h))
            some = np.abs(eta) < 30
            assert slope[some] == pytest.approx(((up - down) / (2 * h))[some], rel=1e-4)


# -- the model about a model ---------------------------------------------------------------------


@dataclass
class Cell:
    """A flat cell of 0.1 ohm m^2 whose lithium has twice the area of the counter electrode."""

    comm: Any = None
    resistance: float = 0.0
    current: float = 0.0
    calls: int = 0
    state: dict = field(default_factory=lambda: {"x": np.zeros(1)})
    counter: str = "counter"

    def set_layer(self, name, resistance):
        self.resistance = resistance

    def plating_density(self, name):
        return self.current / 2

    def area(self, name):
        return 2.0

    def advance(self, time, dt, drive):
        self.calls += 1
        total = 0.1 + self.resistance / 2
        self.current = drive.current_density
        if self.current is None:
            self.current = -drive.potential / total
        return Trial({"voltage": -self.current * total}, 0.0, 1)

    def accept(self):
        pass

    def save(self):
        return dict(self.state)

    def load(self, arrays):
        self.state = {"x": arrays["x"]}


def layered(law=None, initial=0.0):
    law = law or MIEC(S_I, S_I, 0.8, V, 1e-2)
    return LayeredModel(Cell(), [Grown(Layer("li", law, S_I, initial), initial)], 1e-3)


@pytest.mark.parametrize("law", [None, Parabolic(1e-18)])
def test_a_given_current_takes_one_pass(law):
    model = layered(law)
    trial = model.advance(10.0, 10.0, Drive(current_density=4.0))
    assert model.inner.calls == 1 and trial.error == 0.0
    layer = model.layers[0].layer
    delta = layer.grown(0.0, 10.0, 2.0)
    assert trial.monitors["layer_thickness"] == pytest.approx(delta, rel=1e-14)
    assert trial.monitors["voltage"] == pytest.approx(-4.0 * (0.1 + delta / S_I / 2), rel=1e-12)
    assert trial.monitors["layer_voltage"] == pytest.approx(-2.0 * delta / S_I, rel=1e-14)


def test_thickness_and_current_agree_at_a_given_potential():
    model = layered()
    model.advance(100.0, 100.0, Drive(potential=-1.0))
    model.accept()
    g = model.layers[0]
    assert g.thickness == pytest.approx(g.layer.grown(0.0, 100.0, g.density), rel=1e-9)
    assert 2 * g.density * (0.1 + g.resistance / 2) == pytest.approx(1.0, rel=1e-9)
    # a current that changes is an error of the step, half of what it changes
    error = model.advance(200.0, 100.0, Drive(potential=-2.0)).error
    moved = model._next[0].thickness - g.layer.grown(g.thickness, 100.0, g.density)
    assert error == pytest.approx(0.5 * moved / (1e-3 * model._next[0].thickness), rel=1e-9)


def test_a_trial_leaves_no_trace_and_a_state_goes_on():
    first, second = layered(), layered()
    first.advance(50.0, 50.0, Drive(potential=-1.0))
    first.accept()
    state = first.save()
    first.advance(1050.0, 1000.0, Drive(potential=-3.0))
    second.load(state)
    found = [m.advance(60.0, 10.0, Drive(potential=-1.0)) for m in (first, second)]
    assert found[0].monitors == found[1].monitors and found[0].error == found[1].error


def test_a_state_without_layers_is_refused():
    with pytest.raises(SolverError, match="other layers"):
        layered().load({"x": np.zeros(1)})


# -- what is said --------------------------------------------------------------------------------


def test_verdict_names_the_layer_and_its_part():
    n = np.arange(1.0, 5.0)
    rows = {
        "time": 3600 * n, "voltage": np.array([-0.1, -0.2, -0.4, 0.0]),
        "capacity": 3600 * n, "layer_thickness": 1e-7 * n, "layer_resistance": 1e-2 * n,
        "layer_voltage": np.array([-0.05, -0.1, -0.3, 0.0]),
    }  # fmt: skip
    said = verdict(rows)
    assert said[0] == (
        "The layer is 0.4 um thick at the end, 400 ohm cm^2; its largest part of the voltage is "
        "-300 mV of -400 mV (75 %), after 3 h (0.3 mAh/cm^2)"
    )
    assert monitor("layer_resistance_li").shown(1e-2) == "100 ohm cm^2"
