"""Electrons that leak: potentials, crossing depth and leakage current against closed forms."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from ssbmech.config_load import case_from
from ssbmech.domain import distribute
from ssbmech.electro.cut import cut
from ssbmech.electro.leakage import Electrons, leakage
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.solve import solve
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.meshes import catalog
from ssbmech.meshes.flaw import Crack
from ssbmech.meshes.restrict import restrict
from ssbmech.run import compute

pytestmark = pytest.mark.verification

KAPPA, SIGMA = 0.046, 5e-6  # S/m
T = 10e-6  # m
CURRENT = 5.0  # A/m^2 plated


def cell(groups=("electrolyte",), resistances=None, **given):
    """The conductors before and after a cut, and the domain of the ions."""
    size = {"width": 20.0, "electrolyte": 10.0, "lithium": 5.0, "order": 1} | given
    whole = restrict(catalog.build("cell", **size), groups)
    made = cut(whole, resistances or {})
    return whole, made, distribute(MPI.COMM_WORLD, made.mesh, length=20e-6)


def solved(
    whole, made, domain, Z=1e-3, Z_counter=None, *, voltage=0.0, pressure=0.0, model="plane_strain",
    kappa=None, sigma=None,
):  # fmt: skip
    counter = {"kinetics": "none"}
    if Z_counter is not None:
        counter = {"kinetics": "linear", "resistance": Z_counter}
    ions = solve(ElectricProblem(
        domain, model, kappa or {"electrolyte": KAPPA},
        (Electrode("li_sse", ("li_sse",), "linear", resistance=Z),
         Electrode("cathode_plane", ("cathode_plane",), potential=None, current_density=CURRENT,
                   **counter)),
        boundaries=made.boundaries, nodes=made.nodes,
    ))  # fmt: skip
    electrons = Electrons(sigma or {"electrolyte": SIGMA}, {"cathode_plane": voltage}, pressure)
    return ions, leakage(ions, electrons, made.mesh, whole)


@pytest.mark.parametrize("model", ["plane_strain", "3d", "axisymmetric"])
def test_planar_cell(page, model):
    check = page(
        "K-leak", "Electrons that leak", problem="planar cell, Z on lithium, linear potentials",
        reference="E_Li = -i Z + x [(U + V)/t - i/kappa]: zero at x* = i Z/[(U + V)/t - i/kappa]; "
        "i_e = sigma (U + V)/t",
    )  # fmt: skip
    given = {"depth": 10.0} if model == "3d" else {"symmetry": "x"}
    mesh = cell(**given)
    Z = 1e-3
    for U, Zc in ((0.0, 2e-3), (0.02, None), (3.8, None)):
        V = CURRENT * (Z + T / KAPPA + (Zc or 0.0))
        ions, found = solved(*mesh, Z, Zc, voltage=U, model=model)
        slope = (U + V) / T - CURRENT / KAPPA
        depth = CURRENT * Z / slope
        check.within(f"depth, U = {U:g} V, {model}", found.depth, depth, 1e-8, unit="m",
                     why="both potentials are linear: exact")  # fmt: skip
        check.within(f"leakage, U = {U:g} V, {model}", found.current_density, SIGMA * (U + V) / T,
                     1e-8, unit="A/m^2")  # fmt: skip
        total = CURRENT + SIGMA * (U + V) / T
        check.within(f"transference, U = {U:g} V, {model}", found.transference,
                     SIGMA * (U + V) / T / total, 1e-8)  # fmt: skip
        if model != "axisymmetric":
            check.within(f"volume, U = {U:g} V, {model}", found.share, depth / T, 1e-8,
                         why="level of a linear function: cut exactly")  # fmt: skip
        y = mesh[0].points[:, 1] * 1e-6
        exact = -CURRENT * Z + slope * y
        assert found.lithium == pytest.approx(exact, abs=1e-8 * CURRENT * Z)
        assert found.solution.imbalance < 1e-10 and ions.imbalance < 1e-10


def test_pressure_holds_lithium_back(page):
    check = page(
        "K-leak", "Electrons that leak", problem="lithium inside forms against a pressure p",
        reference="x* where E_Li = -p V_m/F",
    )  # fmt: skip
    mesh = cell()
    p, Z = 20e6, 1e-3
    V = CURRENT * (Z + T / KAPPA)
    _, found = solved(*mesh, Z, pressure=p, voltage=0.01)
    slope = (0.01 + V) / T - CURRENT / KAPPA
    exact = (CURRENT * Z - p * LITHIUM_MOLAR_VOLUME / FARADAY) / slope
    check.within("depth at 20 MPa", found.depth, exact, 1e-8, unit="m")
    _, none = solved(*mesh, Z, pressure=60e6, voltage=0.01)  # 8.1 mV against i Z = 5 mV
    assert none.depth == 0.0 and none.share == 0.0 and none.sites == ()


def test_layer_that_blocks_electrons(page):
    check = page(
        "K-leak", "Electrons that leak",
        problem="reaction layer that conducts ions well and electrons 1000 times less",
        reference="conductances in series: the layer takes the voltage of the electrons",
    )  # fmt: skip
    groups = ("electrolyte", "interphase")
    whole, made, domain = cell(groups, interphase=0.5)
    low = next(g for g in domain.facet_groups if g.startswith("lithium_"))
    total = np.ptp(whole.points[:, 1]) * 1e-6
    t1 = 0.5e-6
    t2 = total - t1
    U, s1, s2 = 1.0, SIGMA / 1000, SIGMA
    ions = solve(ElectricProblem(
        domain, "plane_strain", dict.fromkeys(groups, KAPPA),
        (Electrode(low, (low,), "none"),
         Electrode("cathode_plane", ("cathode_plane",), "none", potential=None,
                   current_density=CURRENT)),
    ))  # fmt: skip
    electrons = Electrons({"electrolyte": s2, "interphase": s1}, {"cathode_plane": U})
    found = leakage(ions, electrons, made.mesh, whole)
    V = U + ions.potentials["cathode_plane"]
    check.within("leakage", found.current_density, V / (t1 / s1 + t2 / s2), 1e-8, unit="A/m^2")
    assert found.share == 0.0  # no resistance of lithium: nowhere below it
    found = leakage(ions, Electrons({"electrolyte": s1, "interphase": s2}, {"cathode_plane": U}),
                    made.mesh, whole)  # fmt: skip
    check.within("leakage, layers swapped", found.current_density, V / (t1 / s2 + t2 / s1), 1e-8,
                 unit="A/m^2")  # fmt: skip


def test_resistive_boundary_lets_lithium_form(page):
    """Ions jump at a boundary that electrons do not notice: E_Li falls below zero behind it."""
    check = page(
        "K-leak", "Electrons that leak", part="boundaries",
        problem="boundary with Z_b across the current at mid-depth; electrons pass it freely",
        reference="E_Li jumps by -i Z_b; depth beyond the boundary in closed form",
    )  # fmt: skip
    whole, made, domain = cell(("electrolyte", "interphase"), interphase=4.0)
    inner = next(g for g in domain.facet_groups if "interphase" in g and "electrolyte" in g)
    low = next(g for g in domain.facet_groups if g.startswith("lithium_"))
    Zb, Z, U = 4e-3, 1e-3, 0.02
    made = cut(whole, {inner: Zb})
    domain = distribute(MPI.COMM_WORLD, made.mesh, length=20e-6)
    conductivity = {"electrolyte": KAPPA, "interphase": KAPPA}
    ions = solve(ElectricProblem(
        domain, "plane_strain", conductivity,
        (Electrode(low, (low,), "linear", resistance=Z),
         Electrode("cathode_plane", ("cathode_plane",), "none", potential=None,
                   current_density=CURRENT)),
        boundaries=made.boundaries, nodes=made.nodes,
    ))  # fmt: skip
    electrons = Electrons(dict.fromkeys(conductivity, SIGMA), {"cathode_plane": U})
    found = leakage(ions, electrons, made.mesh, whole)
    t = np.ptp(whole.points[:, 1]) * 1e-6
    V = CURRENT * (Z + Zb + t / KAPPA) + U
    slope = V / t - CURRENT / KAPPA
    depth = CURRENT * (Z + Zb) / slope
    assert 4e-6 < depth < t
    check.within("depth", found.depth, depth, 1e-8, unit="m", why="linear on either side: exact")
    (site,) = found.sites
    assert site.group == inner
    at = -CURRENT * (Z + Zb) + slope * 4e-6
    check.within("E_Li at the boundary", site.lowest, at, 1e-8, unit="V")
    low_y = whole.points[:, 1].min() * 1e-6
    assert site.point[1] - low_y == pytest.approx(4e-6)
    check.within("leakage", found.current_density, SIGMA * V / t, 1e-8, unit="A/m^2")
    # -iZ to crossing below the boundary, then the rest up to the depth
    first = min(CURRENT * Z / slope, 4e-6)
    check.within("share", found.share, (first + depth - 4e-6) / t, 1e-8)


CASE = {
    "geometry": {
        "type": "cell", "width": "20 um", "electrolyte": "10 um", "lithium": "5 um",
        "crack": [{"a": "1 um", "y": "3 um", "angle": "90 deg"}],
    },
    "materials": {"electrolyte": "LLZO", "lithium": "Li"},
    "electrochemistry": {
        "electronic_conductivity": {"electrolyte": "5e-8 S/cm"},
    },
    "electrode": [
        {"group": "li_sse", "area_specific_resistance": "5 ohm*cm^2", "kinetics": "linear"},
        {"group": "cathode_plane", "kinetics": "none", "open_circuit_voltage": "4 mV",
         "plating_current_density": "-1 mA/cm^2"},
    ],
}  # fmt: skip


def test_a_case_names_cracks():
    found = compute(case_from(CASE)).summary["electric"]["leakage"]
    assert [s["group"] for s in found["sites"]] == ["crack"]
    assert found["sites"][0]["lithium_potential"]["value"] < 0
    assert 0 < found["volume_share_below"] < 1
    assert found["charge_imbalance"] < 1e-10


@pytest.mark.mpi
@pytest.mark.parametrize("cut_along", [None, "grain_boundaries"])
def test_ranks_agree(mpirun, tmp_path, cut_along):
    path = tmp_path / "case.json"
    case = copy.deepcopy(CASE)
    if cut_along:
        del case["geometry"]["crack"]
        case["geometry"]["grains"] = {"size": "5 um"}
        case["electrochemistry"]["boundary_resistance"] = {cut_along: "2 ohm*cm^2"}
    path.write_text(json.dumps(case))
    script = tmp_path / "go.py"
    script.write_text(
        "import json, sys\nfrom pathlib import Path\nfrom mpi4py import MPI\n"
        "from ssbmech.config_load import case_from\nfrom ssbmech.run import compute\n"
        "found = compute(case_from(json.loads(Path(sys.argv[1]).read_text()))).summary\n"
        "if MPI.COMM_WORLD.rank == 0:\n"
        "    Path(sys.argv[2]).write_text(json.dumps(found['electric']['leakage']))\n"
    )
    for n in (1, 3):
        mpirun(n, script, path, tmp_path / f"{n}.json")
    a, b = (json.loads(Path(tmp_path / f"{n}.json").read_text()) for n in (1, 3))
    assert a["sites"][0]["group"] == (cut_along or "crack")
    assert a["sites"][0]["point_um"] == pytest.approx(b["sites"][0]["point_um"], abs=1e-9)
    for key in ("volume_share_below", "electronic_transference"):
        assert a[key] == pytest.approx(b[key], rel=1e-8)
    for key in ("electronic_current_density", "depth_below", "lowest_lithium_potential"):
        assert a[key]["value"] == pytest.approx(b[key]["value"], rel=1e-8)


def test_a_crack_leaks_less():
    """A crack is no conductor: across the current it takes pi a^2/A of the conductance."""
    _, plain = solved(*cell(), voltage=1.0)
    crack = (Crack(1.0, y=5.0, angle=90.0),)
    _, cracked = solved(*cell(crack=crack), voltage=1.0)
    ratio = cracked.current_density / plain.current_density
    # dilute cracks of half-length a, one in an area of 200 um^2
    assert ratio == pytest.approx(1 - np.pi / 200, abs=1e-3)
