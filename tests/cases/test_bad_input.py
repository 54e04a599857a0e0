"""Bad input through the command line: one clear message, non-zero exit, nothing lost, no hang."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

GOOD = """\
[geometry]
type = "griffith"
a = "10 um"
half_width = "100 um"
symmetry = "xy"
h_tip = "1 um"

[materials]
electrolyte = "LLZO"

[filament]
overpotential = "30 mV"

[output]
figures = false
"""


def run(folder, text, *words, name="case.toml", **options):
    """``ssbmech run`` in a process of its own; ended after a minute."""
    (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "ssbmech", "run", name, "-o", "out", "--no-figures", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, **options
    )


def refused(done, *words):
    """One message with all the words, no traceback, a failing exit."""
    assert done.returncode not in (0, 3), done.stdout
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.stderr.count("ssbmech: ") == 1, done.stderr
    for word in words:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr}"


def nothing_left(folder):
    """Neither results nor an unfinished folder."""
    out = folder / "out"
    assert not out.exists() or not list(out.iterdir())


# -- the case and the geometry -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("overpotential", "overpotental", ["filament.overpotental", "unknown", "'overpotential'"]),
        ('"30 mV"', '"30 MPa"', ["filament.overpotential", "30 MPa"]),
        ('"30 mV"', "30", ["filament.overpotential", "unit"]),
        ('a = "10 um"', 'a = "-10 um"', ["a", "-10", "(0, 100) um"]),
        ('a = "10 um"', 'a = "10 MPa"', ["geometry.a", "10 MPa"]),
        ('a = "10 um"', 'a = "200 um"', ["a", "200", "(0, 100) um"]),
        ('type = "griffith"', 'type = "grifith"', ["geometry.type", "griffith"]),
        ("h_tip", "htip", ["geometry.htip", "h_tip"]),
        ('"LLZO"', '"LLZ"', ["materials.electrolyte", "LLZ", "'LLZO'"]),
        ("electrolyte =", "elektrolyte =", ["materials.elektrolyte", "'electrolyte'"]),
        ("[output]", '[[load]]\ngroup = "topp"\npressure = "1 MPa"\n\n[output]',
         ["load.0.group", "topp", "'top'"]),
        ("[output]", '[[constraint]]\ngroup = "top"\nu = { z = "0 um" }\n\n[output]',
         ["constraint.0.u", "x, y"]),
        ("[output]", '[fracture]\nrings = ["500 um"]\n\n[output]',
         ["fracture.rings", "500 um", "larger than the body", "below"]),
        ("[output]", '[fracture]\nmaximum = ["crack_upper"]\n\n[output]',
         ["fracture.maximum", "sharp front", "K_I"]),
        ("[output]", '[crack]\nfaces = ["crack_upper"]\nfront = "tipp"\nsymmetry = "y"\n\n[output]',
         ["crack.front", "tipp", "'tip'"]),
    ],
)  # fmt: skip
def test_case(tmp_path, old, new, words):
    assert old in GOOD
    refused(run(tmp_path, GOOD.replace(old, new, 1)), *words)
    nothing_left(tmp_path)


def test_ring_that_leaves_the_body_is_refused_by_number(tmp_path):
    text = GOOD.replace("[output]", '[fracture]\nrings = ["4 um", "6 um", "95 um"]\n\n[output]')
    done = run(tmp_path, text)
    assert done.returncode == 3 and "95 um" in done.stdout  # results, and a gate that failed
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    (bad,) = [r for r in summary["rings"] if not r["accepted"]]
    assert bad["outer_um"] == pytest.approx(95) and "passes" in bad["refused"]


def test_tip_radius_above_the_filament(tmp_path):
    text = GOOD[GOOD.index("[materials]") :]
    text = (
        '[geometry]\ntype = "slit"\na = "10 um"\nslit_width = "2 um"\ntip_radius = "3 um"\n'
        'width = "100 um"\n\n' + text
    )
    refused(run(tmp_path, text), "tip_radius", "3", "at most half of slit_width")
    nothing_left(tmp_path)


def test_not_toml_and_no_file(tmp_path):
    refused(run(tmp_path, "a = 10 um"), "case.toml", "not valid TOML")
    command = [sys.executable, "-m", "ssbmech", "run", "absent.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    refused(done, "absent.toml", "no such case file")


def test_no_convergence_is_an_error(tmp_path):
    text = GOOD.replace("[output]", '[solver]\nmethod = "iterative"\n\n[output]')
    done = run(tmp_path, text, "--", "-ssbmech_ksp_max_it", "2")
    refused(done, "did not converge", "last residuals", "-ssbmech_ksp_max_it")
    refused(run(tmp_path, text, "--", "-ksp_max_it", "2"), "prefix", "-ssbmech_")
    nothing_left(tmp_path)


# -- meshes --------------------------------------------------------------------------------------

PLATE = """\
[mesh]
file = "plate.msh"
length_unit = "um"

[materials]
plate = { E = "210 GPa", nu = 0.3 }

[[load]]
group = "right"
traction = { x = "1 MPa" }

[[constraint]]
group = "left"
u = { x = "0 um" }

[output]
figures = false
"""


def plate(path, tagged=True, order=1):
    """A square with named sides."""
    import gmsh

    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addRectangle(0, 0, 0, 10, 10)
        gmsh.model.occ.synchronize()
        if tagged:
            gmsh.model.addPhysicalGroup(2, [1], name="plate")
            for line, name in enumerate(("bottom", "right", "top", "left"), 1):
                gmsh.model.addPhysicalGroup(1, [line], name=name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 1.5)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(order)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def test_plate_itself_is_good(tmp_path):
    plate(tmp_path / "plate.msh")
    done = run(tmp_path, PLATE)
    assert done.returncode == 0, done.stderr


def test_absent_mesh(tmp_path):
    refused(run(tmp_path, PLATE), "mesh.file", "plate.msh", "no such mesh file")
    nothing_left(tmp_path)


def test_untagged_mesh(tmp_path):
    plate(tmp_path / "plate.msh", tagged=False)
    refused(run(tmp_path, PLATE), "plate.msh")
    nothing_left(tmp_path)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9])
def test_truncated_mesh(tmp_path, part):
    plate(tmp_path / "plate.msh")
    data = (tmp_path / "plate.msh").read_bytes()
    (tmp_path / "plate.msh").write_bytes(data[: int(len(data) * part)])
    refused(run(tmp_path, PLATE), "plate.msh")
    nothing_left(tmp_path)


def test_mesh_that_is_none(tmp_path):
    (tmp_path / "plate.msh").write_bytes(os.urandom(2000))
    refused(run(tmp_path, PLATE), "plate.msh")
    (tmp_path / "plate.xyz").write_text("what is this")
    refused(run(tmp_path, PLATE.replace("plate.msh", "plate.xyz")), "plate.xyz")
    nothing_left(tmp_path)


def moved(path, towards, by):
    """Move the node nearest to a place; the file is written anew."""
    import meshio

    mesh = meshio.read(path)
    node = np.argmin(np.linalg.norm(mesh.points - [*towards, 0], axis=1))
    mesh.points[node, :2] += by
    mesh.write(path, file_format="gmsh22", binary=False)


def test_inverted_curved_element(tmp_path):
    plate(tmp_path / "plate.msh", order=2)
    # the middle of a side of the body, pushed through the opposite corner of its cell
    moved(tmp_path / "plate.msh", (0.0, 10 / 7 * 2.5), (3.0, 0.0))
    refused(run(tmp_path, PLATE), "inverted")
    nothing_left(tmp_path)


def test_folded_elements(tmp_path):
    plate(tmp_path / "plate.msh")
    moved(tmp_path / "plate.msh", (5.0, 5.0), (4.0, 0.5))  # over its neighbours
    refused(run(tmp_path, PLATE), "folded over a neighbour")


def test_nothing_holds_the_body(tmp_path):
    plate(tmp_path / "plate.msh")
    free = PLATE[: PLATE.index("[[constraint]]")] + PLATE[PLATE.index("[output]") :]
    refused(run(tmp_path, free), "constraint", "rigid motion (x)", "not in balance")
    balanced = free.replace(
        "[output]", '[[load]]\ngroup = "left"\ntraction = { x = "-1 MPa" }\n\n[output]'
    )
    done = run(tmp_path, balanced)
    assert done.returncode == 0, done.stderr


# -- results -------------------------------------------------------------------------------------


def contents(folder):
    """Every file below with its bytes."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(Path(folder).rglob("*"))
        if p.is_file()
    }


@pytest.fixture
def results(tmp_path):
    """A folder with complete results and a file of the user's own."""
    done = run(tmp_path, GOOD)
    assert done.returncode == 0, done.stderr
    (tmp_path / "out" / "notes.txt").write_text("mine")
    return tmp_path


def test_existing_results_are_kept(results):
    before = contents(results / "out")
    assert {"summary.json", "record.json", "case.resolved.toml", "quantities.csv"} <= set(before)
    # refused before anything is computed
    refused(run(results, GOOD), "-o", "holds results already", "--overwrite")
    assert contents(results / "out") == before
    # an overwriting run that fails, in the case or in the middle, loses nothing
    bad = GOOD.replace('"LLZO"', '"LLZ"')
    refused(run(results, bad, "--overwrite"), "LLZ")
    assert contents(results / "out") == before
    late = GOOD.replace("[output]", '[fracture]\nmaximum = ["crack_upper"]\n\n[output]')
    refused(run(results, late, "--overwrite"), "fracture.maximum")
    assert contents(results / "out") == before
    # and one that succeeds replaces the results, not the user's file
    other = GOOD.replace("30 mV", "40 mV")
    assert run(results, other, "--overwrite").returncode == 0
    after = contents(results / "out")
    assert after["summary.json"] != before["summary.json"] and after["notes.txt"] == b"mine"


def test_killed_run_loses_nothing(results):
    before = contents(results / "out")
    command = [sys.executable, "-m", "ssbmech", "run", "case.toml", "-o", "out", "--overwrite"]
    process = subprocess.Popen(command, cwd=results, stderr=subprocess.PIPE, text=True)
    assert "ssbmech run" in process.stderr.readline()  # it has begun
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    after = contents(results / "out")
    assert {k: v for k, v in after.items() if not k.startswith(".unfinished-")} == before


def test_output_that_cannot_be_written(tmp_path):
    (tmp_path / "out").write_text("a file")
    refused(run(tmp_path, GOOD), "-o", "a file, not a folder")
    assert (tmp_path / "out").read_text() == "a file"
    (tmp_path / "case.toml").write_text(GOOD)
    # the kernel lets nobody, not even root, make a folder here
    command = [sys.executable, "-m", "ssbmech", "run", "case.toml", "-o", "/proc/out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    refused(done, "-o", "/proc/out", "cannot be written")


def small_files():
    """Let no file grow beyond 8 KiB: what a full disk does to the larger files of a run."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


def test_files_that_cannot_grow(results):
    before = contents(results / "out")
    done = run(results, GOOD, "--overwrite", preexec_fn=small_files)
    refused(done)
    assert contents(results / "out") == before


def test_full_disk(results):
    """A small file system in a mount namespace of its own, with results on it."""
    sizes = {k: len(v) for k, v in contents(results / "out").items()}
    room = (sizes["summary.json"] + sum(sizes.values()) // 2) // 4096 * 4 + 16  # KiB, whole pages
    (results / "disk").mkdir()
    (results / "good.toml").write_text(GOOD)
    python = sys.executable
    script = f"""
    mount -t tmpfs -o size={room}k none disk || exit 77
    mkdir disk/out && cp out/summary.json out/notes.txt disk/out/
    {python} -m ssbmech run good.toml -o disk/out --overwrite --no-figures
    code=$?
    cmp out/summary.json disk/out/summary.json && cmp out/notes.txt disk/out/notes.txt || exit 78
    ls -A disk/out
    exit $code
    """
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=results, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode != 78, done.stdout + done.stderr
    refused(done, "No space left")
    assert ".unfinished" not in done.stdout


# -- several ranks -------------------------------------------------------------------------------


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("overpotential", "overpotental", ["filament.overpotental"]),
        ('a = "10 um"', 'a = "200 um"', ["(0, 100) um"]),
        ("[output]", '[[load]]\ngroup = "topp"\npressure = "1 MPa"\n\n[output]', ["'top'"]),
        ("[output]", '[fracture]\nmaximum = ["crack_upper"]\n\n[output]', ["sharp front"]),
        ("[output]", '[solver]\nmethod = "iterative"\npetsc = { ksp_max_it = 2 }\n\n[output]',
         ["did not converge"]),
    ],
    ids=["case", "geometry", "group", "after the solve", "solver"],
)  # fmt: skip
def test_on_two_ranks(tmp_path, mpirun, old, new, words):
    """Each kind of failure, early and late, ends both ranks with one message."""
    (tmp_path / "case.toml").write_text(GOOD.replace(old, new, 1))
    done = mpirun(2, "ssbmech", "run", "case.toml", "-o", "out", timeout=60, check=False,
                  cwd=tmp_path)  # fmt: skip
    refused(done, *words)
    nothing_left(tmp_path)


@pytest.mark.mpi
def test_ranks_with_different_files(tmp_path, mpirun):
    """Rank 0 alone reads: another rank that finds another case, or none, changes nothing."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "case.toml").write_text(GOOD)
    (other / "case.toml").write_text("nonsense")
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\nfrom mpi4py import MPI\n"
        f"os.chdir([{str(one)!r}, {str(other)!r}][MPI.COMM_WORLD.rank])\n"
        "from ssbmech.cli import main\n"
        "sys.exit(main(['run', 'case.toml', '-o', 'out']))\n"
    )
    mpirun(2, script, timeout=60)
    summary = json.loads((one / "out" / "summary.json").read_text())
    assert summary["record"]["ranks"] == 2 and not (other / "out").exists()
