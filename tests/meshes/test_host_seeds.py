"""Porous hosts over 50 seeds: through the gate, with the porosity that was asked for."""

import pytest
from ssbmech.meshes import gate
from ssbmech.meshes.host import host


@pytest.mark.parametrize("seed", range(50))
def test_host(seed):
    data = host(40.0, 30.0, 0.3, 6.0, dense=6.0, lithium=6.0, filled=0.5, seed=seed, order=1)
    found = gate.inspect(data)
    gate.refuse(found)
    pores = 40.0 * 42.0 - found.measures["electrolyte"] - 40.0 * 6.0
    assert pores / (40.0 * 30.0) == pytest.approx(0.3, abs=0.006)  # the builder meets it in 0.005
