"""A mesh that was partitioned on disk gives the same solution as the mesh itself, on any ranks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ssbmech.meshes.cracks import griffith
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.partition import write_partitioned

pytestmark = [pytest.mark.verification, pytest.mark.mpi]

_SCRIPT = """
import json, sys
sys.path.insert(0, {here!r})
from mpi4py import MPI
from pathlib import Path
from test_partition import body
from ssbmech.domain import distribute
from ssbmech.formula import Formula
from ssbmech.fracture.front import Crack
from ssbmech.fracture.rings import RingOptions, fracture
from ssbmech.partitioned import distribute_parts
from ssbmech.problem import Material, Problem, SurfaceLoad
from ssbmech.solve import ElasticSystem
comm = MPI.COMM_WORLD
found = {{}}
for name in ("whole", *sys.argv[2:]):
    if name == "whole":
        domain = distribute(comm, body() if comm.rank == 0 else None, length=1e-5)
    else:
        domain = distribute_parts(comm, name, length=1e-5)
    material = Material(Formula.constant(150e9, "pressure"), 0.26)
    pressure = Formula.constant(1e8, "pressure")
    loads = tuple(SurfaceLoad(g, pressure) for g in ("crack_lower", "crack_upper"))
    solution = ElasticSystem(Problem(
        domain=domain, model="plane_strain", materials={{"electrolyte": material}}, loads=loads,
        linear="direct",
    )).solve()
    crack = Crack(("crack_lower", "crack_upper"), "tip_right", False)
    front = fracture(solution, crack, RingOptions(radii=(1e-6, 4e-6, 9e-6)))[0]
    owned = domain.mesh.topology.index_map(2).size_local
    grains = comm.allreduce(int(domain.grains[:owned].astype("int64").sum()))
    cells = comm.allgather(owned)
    found[Path(name).name] = [solution.strain_energy, float(front.values["K_I"][0]), grains, cells]
if comm.rank == 0:
    Path(sys.argv[1]).write_text(json.dumps(found))
"""

_BROKEN = """
import sys
from mpi4py import MPI
from ssbmech.errors import MeshError
from ssbmech.partitioned import distribute_parts
comm = MPI.COMM_WORLD
try:
    distribute_parts(comm, sys.argv[1])
except MeshError as error:
    said = str(error)
else:
    said = ""
texts = comm.gather(said)
if comm.rank == 0:
    print(len(set(texts)), texts[0])
"""


def body() -> MeshData:
    """A line crack in a plate, with grain numbers."""
    data = griffith(10, 100, quarter_point=True)
    grains = (np.arange(len(data.cells)) % 5).astype(np.int32)
    return replace(data, grains=grains)


def test_solution_is_that_of_the_whole_mesh(tmp_path, mpirun, page):
    check = page(
        "M9",
        "A mesh partitioned on disk",
        problem="A line crack under pressure (E = 150 GPa, nu = 0.26), the mesh distributed from "
        "one process and read from 2 and from 3 parts, on 1, 2 and 3 ranks.",
        reference="The same mesh distributed from one process, on 1 rank.",
    )
    folders = []
    for parts in (2, 3):
        folders.append(tmp_path / f"{parts}.parts")
        write_partitioned(body(), folders[-1], parts)
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT.format(here=str(Path(__file__).parent)))
    found = {}
    for ranks in (1, 2, 3):
        out = tmp_path / f"{ranks}.json"
        mpirun(ranks, script, out, *folders, timeout=200)
        found[ranks] = json.loads(out.read_text())
    energy, factor, grains, _ = found[1]["whole"]
    rows = [row for by_name in found.values() for row in by_name.values()]
    why = "the same matrix, added up in another order"
    check.within("strain energy", [r[0] for r in rows], energy, 1e-10, unit="J/m", why=why)
    check.within("K_I", [r[1] for r in rows], factor, 1e-10, unit="Pa m^0.5", why=why)
    assert {r[2] for r in rows} == {grains}
    # as many ranks as parts: the stored partition, equal to a cell
    for parts in (2, 3):
        cells = found[parts][f"{parts}.parts"][3]
        assert max(cells) - min(cells) <= 2


@pytest.mark.parametrize("fault", ["cut", "missing", "header"])
def test_a_bad_part_is_refused_on_every_rank(tmp_path, mpirun, fault):
    folder = tmp_path / "a.parts"
    write_partitioned(body(), folder, 2)
    name = "mesh.json" if fault == "header" else "part_00001.npz"
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if fault != "missing":
        (folder / name).write_bytes(content[: len(content) // 2])
    script = tmp_path / "script.py"
    script.write_text(_BROKEN)
    done = mpirun(2, script, folder, timeout=60)
    word = {"cut": "SHA-256", "missing": "missing", "header": "cannot be read"}[fault]
    assert done.stdout.startswith("1 ")
    assert word in done.stdout
    assert name in done.stdout
