"""Porous hosts over 50 seeds: through the gate, with the porosity that was asked for."""

import pytest
from ssbmech.meshes import gate
from ssbmech.meshes.host import host


@pytest.mark.parametrize("seed", range(50))
def test_host(seed):
    # multiples of the voxel of 1 um, to which lengths are rounded
    data = host(48.0, 32.0, 0.3, 8.0, dense=6.0, lithium=6.0, filled=0.5, seed=seed, order=1)
    found = gate.inspect(data)
    gate.refuse(found)
    pores = 48.0 * 38.0 - found.measures["electrolyte"]
    assert pores / (48.0 * 32.0) == pytest.approx(0.3, abs=0.0055)  # the builder meets it in 0.005
