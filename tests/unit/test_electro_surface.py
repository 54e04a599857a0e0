"""Surfaces that change between solves: stress and contact at vertices, currents there, drives."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.domain import distribute
from ssbmech.electro.local import lattice, sample
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.solve import solve, solve_system
from ssbmech.electro.system import ElectricSystem
from ssbmech.errors import SolverError
from ssbmech.formula import Formula
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.meshes import catalog
from ssbmech.meshes.features import Protrusion
from ssbmech.meshes.restrict import nodes_of, restrict

KAPPA = 0.046  # S/m
SOURCE = Electrode("cathode_plane", ("cathode_plane",), "none", potential=None, current_density=5.0)
KINDS = {
    "butler_volmer": Electrode("li_sse", ("li_sse",), "butler_volmer", i0=30.0, coupled=True),
    "linear": Electrode("li_sse", ("li_sse",), "linear", resistance=1e-3, coupled=True),
    "none": Electrode("li_sse", ("li_sse",), "none", coupled=True),
}


def cell(**features):
    """The conducting part with the whole mesh's node numbers, and the whole mesh's points."""
    comm, held = MPI.COMM_WORLD, None
    if comm.rank == 0:
        whole = catalog.build("cell", width=20.0, electrolyte=10.0, lithium=5.0, **features)
        held = restrict(whole, ["electrolyte"]), nodes_of(whole, ["electrolyte"]), whole.points
    part, nodes, points = comm.bcast(held)
    domain = distribute(comm, part, length=20e-6)
    return domain, points * 1e-6, nodes


def system(domain, nodes, *electrodes, model="plane_strain", **data):
    electrodes = electrodes or (SOURCE, KINDS["butler_volmer"])
    return ElectricSystem(
        ElectricProblem(domain, model, {"electrolyte": KAPPA}, electrodes, nodes=nodes, **data)
    )


@pytest.fixture(scope="module")
def flat():
    return cell(order=1)


@pytest.fixture(scope="module")
def bump():
    return cell(symmetry="x", protrusion=(Protrusion(3.0, radius=1.0),))


@pytest.mark.parametrize("model", ["plane_strain", "axisymmetric"])
@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_rates_sum_to_the_current(bump, kind, degree, model):
    domain, points, nodes = bump
    one = system(domain, nodes, SOURCE, KINDS[kind], model=model, degree=degree)
    s = solve_system(one)
    for name in ("li_sse", "cathode_plane"):
        ids, density, area = one.surface_rates(name)
        assert np.all(np.diff(ids) > 0) and np.all(area > 0)
        assert (density * area).sum() == pytest.approx(s.currents[name], rel=1e-12)
        assert area.sum() == pytest.approx(s.areas[name], rel=1e-12)
        height = points[ids, 1]
        assert np.all(height < 3.01e-6 if name == "li_sse" else np.abs(height - 10e-6) < 1e-12)


def test_rates_of_a_flat_cell(flat):
    domain, points, nodes = flat
    for kind in KINDS.values():
        one = system(domain, nodes, SOURCE, kind)
        solve_system(one)
        ids, density, _ = one.surface_rates("li_sse")
        assert density == pytest.approx(-5.0, rel=1e-9)
        assert points[ids, 1] == pytest.approx(0.0, abs=1e-18)


@pytest.mark.parametrize("kind", KINDS)
def test_stress_at_vertices_is_that_of_a_formula(flat, kind):
    domain, points, nodes = flat
    text = "-20 MPa * (1 + x / 10 um)"
    stress = Formula.parse(text, "pressure")
    given = replace(KINDS[kind], normal_stress=stress, coupled=False)
    fixed = solve(system(domain, nodes, SOURCE, given).problem)
    one = system(domain, nodes, SOURCE, KINDS[kind])
    ids, _, _ = one.surface_rates("li_sse")
    one.set_surface("li_sse", ids, stress.value(points[ids]))
    s = solve_system(one)
    assert s.potentials["cathode_plane"] == pytest.approx(
        fixed.potentials["cathode_plane"], rel=1e-10
    )
    points_of = lattice(2, 3)
    one_way, other = (sample(x, e, points_of) for x, e in ((s, KINDS[kind]), (fixed, given)))
    assert one_way.density == pytest.approx(other.density, rel=1e-8)
    # and a formula on top of the fields adds to them
    both = system(domain, nodes, SOURCE, replace(KINDS[kind], normal_stress=stress))
    both.set_surface("li_sse", ids, -stress.value(points[ids]))
    plain = solve_system(system(domain, nodes, SOURCE, KINDS[kind]))
    assert solve_system(both).potentials["cathode_plane"] == pytest.approx(
        plain.potentials["cathode_plane"], rel=1e-10
    )


@pytest.mark.parametrize("kind", ["butler_volmer", "linear"])
def test_blocked_patch_has_exactly_no_current(flat, kind):
    domain, points, nodes = flat
    one = system(domain, nodes, SOURCE, KINDS[kind])
    free = solve_system(one)
    ids, _, area = one.surface_rates("li_sse")
    blocked = points[ids, 0] < 0.0
    one.set_surface("li_sse", ids, activity=np.where(blocked, 0.0, 1.0))
    s = solve_system(one, warm=True)
    _, density, _ = one.surface_rates("li_sse")
    found = sample(s, KINDS[kind], lattice(2, 2, inside=True))
    assert np.all(found.density[found.points[:, 0] < -3e-6] == 0.0)
    inner = points[ids, 0] < -3e-6  # a facet away from the patch that is free
    assert inner.any() and np.all(density[inner] == 0.0)
    assert (density * area).sum() == pytest.approx(-5.0 * 20e-6, rel=1e-10)
    assert s.resistance > 1.2 * free.resistance
    one.set_surface("li_sse", ids, activity=1.0)
    back = solve_system(one, warm=True)
    assert back.potentials["cathode_plane"] == pytest.approx(
        free.potentials["cathode_plane"], rel=1e-10
    )


def test_activity_scales_the_resistance_of_a_flat_cell(flat):
    domain, _, nodes = flat
    one = system(domain, nodes, SOURCE, KINDS["linear"])
    one.set_surface("li_sse", one.surface("li_sse").ids, activity=0.25)
    s = solve_system(one)
    exact = 5.0 * (10e-6 / KAPPA + 1e-3 / 0.25)
    assert s.potentials["cathode_plane"] == pytest.approx(exact, rel=1e-9)


def test_drive_changes_without_a_new_system(flat):
    domain, _, nodes = flat
    one = system(domain, nodes)
    first = solve_system(one)
    voltage = first.potentials["cathode_plane"]
    one.drive(current_density=-20.0)
    other = solve_system(one, warm=True)
    assert other.mean_current_density("cathode_plane") == pytest.approx(-20.0, rel=1e-10)
    fresh = replace(SOURCE, current_density=-20.0)
    exact = solve(system(domain, nodes, fresh, KINDS["butler_volmer"]).problem)
    assert other.potentials["cathode_plane"] == pytest.approx(
        exact.potentials["cathode_plane"], rel=1e-9
    )
    one.drive(potential=voltage)  # from a given current to a given potential
    s = solve_system(one, warm=True)
    assert s.mean_current_density("cathode_plane") == pytest.approx(5.0, rel=1e-8)
    one.drive(current_density=5.0)
    assert solve_system(one, warm=True).report.iterations <= 2
    one.drive(current_density=0.0)
    rest = solve_system(one, warm=True)
    assert rest.potentials["cathode_plane"] == pytest.approx(0.0, abs=1e-12)


def test_several_lithium_surfaces_share_one_potential(flat):
    """Two surfaces of one metal at 0 V, of which the larger stress plates less."""
    domain, _, nodes = flat
    wall = Electrode("left", ("left",), "linear", resistance=1e-3, coupled=True)
    one = system(domain, nodes, SOURCE, KINDS["linear"], wall)
    s = solve_system(one)
    assert s.imbalance < 1e-10 and s.currents["left"] < 0 and s.currents["li_sse"] < 0
    ids = one.surface("left").ids
    shift = LITHIUM_MOLAR_VOLUME / FARADAY
    one.set_surface("left", ids, normal_stress=-10e-3 / shift)  # more than the voltage: it strips
    t = solve_system(one, warm=True)
    assert t.currents["left"] > 0 > t.currents["li_sse"] and t.imbalance < 1e-10


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"vertex_ids": [-7], "activity": 1.0}, "not on the surface of the electrode 'li_sse'"),
        ({"activity": 1.5}, "activity of the electrode 'li_sse' is impossible"),
        ({"activity": -0.1}, "0 to 1"),
        ({"normal_stress": np.nan}, "normal_stress of the electrode"),
        ({"name": "cathode_plane", "activity": 1.0}, "is not coupled"),
        ({"name": "li"}, "no such electrode"),
    ],
)
def test_bad_surface(flat, what, words):
    one = system(flat[0], flat[2])
    given = {"name": "li_sse", "vertex_ids": one.surface("li_sse").ids} | what
    with pytest.raises(SolverError, match=words):
        one.set_surface(**given)


def test_bad_contact_and_drive(flat):
    one = system(flat[0], flat[2])
    one.set_surface("li_sse", one.surface("li_sse").ids, activity=0.0)
    with pytest.raises(SolverError, match="nothing of li_sse is in contact"):
        solve_system(one)
    with pytest.raises(SolverError, match="either a current density or a potential"):
        one.drive()
    plain = system(flat[0], flat[2], SOURCE, KINDS["none"])
    with pytest.raises(SolverError, match="no kinetics that an activity"):
        plain.set_surface("li_sse", plain.surface("li_sse").ids, activity=0.5)


def shares(path):
    """On any number of ranks: rates after every rank gave its own share of the vertices."""
    domain, points, nodes = cell(symmetry="x", protrusion=(Protrusion(3.0, radius=1.0),))
    comm, found = domain.comm, []
    for kind in KINDS.values():
        one = system(domain, nodes, SOURCE, kind)
        ids = one.surface("li_sse").ids[comm.rank :: comm.size]
        one.set_surface("li_sse", ids, -1e8 * (1 + points[ids, 0] / 1e-5))
        if kind.kinetics != "none":
            one.set_surface("li_sse", ids, activity=0.5 + points[ids, 0] / 25e-6)
        s = solve_system(one)
        ids, density, area = one.surface_rates("li_sse")
        assert (density * area).sum() == pytest.approx(s.currents["li_sse"], rel=1e-12)
        found.append([ids, density, area])
    if comm.rank == 0:
        np.save(path, np.array(found))


@pytest.mark.mpi
def test_ranks_agree_on_surfaces(mpirun, tmp_path):
    for n in (1, 3):
        mpirun(n, __file__, tmp_path / f"{n}.npy")
    a, b = (np.load(tmp_path / f"{n}.npy") for n in (1, 3))
    assert np.array_equal(a[:, 0], b[:, 0])
    assert b == pytest.approx(a, rel=1e-8)


if __name__ == "__main__":
    shares(sys.argv[1])
