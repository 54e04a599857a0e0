"""Kinetics: Butler-Volmer and its inverse, the stress shift, Arrhenius."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssbmech.physics import kinetics


@given(st.floats(-1e12, 1e12), st.floats(0.02, 0.98))
def test_overpotential_is_the_inverse(ratio, beta):
    eta = float(kinetics.overpotential(ratio, beta))
    back = float(kinetics.butler_volmer(eta, 1.0, beta))
    # eta has 16 digits, and exp turns its last ones into a relative error of the current
    assert back == pytest.approx(ratio, rel=1e-13 * (1 + abs(eta)), abs=1e-15)


def test_symmetric_kinetics_is_a_sinh():
    eta = np.linspace(-20, 20, 41)
    assert kinetics.butler_volmer(eta, 2.0, 0.5) == pytest.approx(4 * np.sinh(eta / 2), rel=1e-13)
    assert kinetics.overpotential([0.0], 0.3) == 0.0


def test_small_currents_are_linear():
    T, i0 = 298.15, 51.0
    Z = kinetics.area_specific_resistance(i0, T)
    eta = 1e-6  # V; the quadratic term of beta = 1/2 vanishes, the cubic one is 1e-10
    found = kinetics.butler_volmer(eta / kinetics.thermal_voltage(T), i0, 0.5)
    assert found == pytest.approx(kinetics.linear(eta, 1 / Z), rel=1e-8)
    assert kinetics.exchange_current_density(Z, T) == pytest.approx(i0, rel=1e-15)


def test_exchange_current_of_half_an_ohm():
    """0.5 ohm cm^2 is 51 mA/cm^2 at room temperature."""
    assert kinetics.exchange_current_density(0.5e-4, 298.15) == pytest.approx(510, rel=0.01)


def test_plating_is_negative_and_stress_shifts_it():
    assert kinetics.butler_volmer(-1.0, 1.0, 0.5) < 0 < kinetics.butler_volmer(1.0, 1.0, 0.5)
    shift = kinetics.stress_shift(-1e6, 13.0e-6)  # compression by 1 MPa
    assert shift == pytest.approx(-0.1347e-3, rel=3e-4)
    # at phi_m - phi_e = -p V_m/F no current flows
    assert kinetics.driving_potential(shift, 0.0, shift) == 0.0


def test_arrhenius():
    """0.34 eV: half as much again by 10 K near room temperature, exactly one at the reference."""
    Ea = 0.34 * 1.602176634e-19 * 6.02214076e23
    assert kinetics.arrhenius_factor(Ea, 298.15, 298.15) == 1.0
    k = 0.34 * 1.602176634e-19 / 1.380649e-23
    exact = np.exp(k * (1 / 298.15 - 1 / 308.15))
    assert kinetics.arrhenius_factor(Ea, 308.15, 298.15) == pytest.approx(exact, rel=1e-14)
    assert exact == pytest.approx(1.54, rel=0.01)
