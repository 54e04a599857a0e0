"""The wheel holds what the tree holds, and the tree is imported under one name only."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAPPING = {"solver": "ssbmech", "meshes": "ssbmech/meshes", "cases": "ssbmech/cases"}
DATA = {".toml", ".typed"}


def tree_files(suffixes: set[str]) -> set[str]:
    """Files of the three source folders with these suffixes, named as in the wheel."""
    return {
        f"{target}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, target in MAPPING.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel that was built without network and without writing into the tree."""
    place = tmp_path_factory.mktemp("wheel")
    options = place / "build.cfg"
    options.write_text(f"[egg_info]\negg_base = {place}\n[build]\nbuild_base = {place}/build\n")
    before = {path.name for path in ROOT.iterdir()}
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--skip-dependency-check"]
        + ["--outdir", str(place), str(ROOT)],
        env={**os.environ, "DIST_EXTRA_CONFIG": str(options)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    left = {path.name for path in ROOT.iterdir()} - before
    assert not {name for name in left if name == "build" or name.endswith(".egg-info")}
    (file,) = place.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_every_module_is_in_the_wheel(wheel: set[str]) -> None:
    assert tree_files({".py"}) == {name for name in wheel if name.endswith(".py")}


def test_every_data_file_is_in_the_wheel(wheel: set[str]) -> None:
    missing = tree_files(DATA) - wheel
    assert not missing, f"add to [tool.setuptools.package-data]: {sorted(missing)}"
    assert "ssbmech/py.typed" in wheel


def test_packages_are_listed_once() -> None:
    with open(ROOT / "pyproject.toml", "rb") as stream:
        listed = tomllib.load(stream)["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(set(listed))
    found = {
        name.removesuffix("/__init__.py").replace("/", ".")
        for name in tree_files({".py"})
        if name.endswith("/__init__.py")
    }
    assert found == set(listed)


def test_tree_is_not_imported_under_a_second_name() -> None:
    import ssbmech

    assert Path(ssbmech.__file__).resolve().is_relative_to(ROOT / "solver")
    for name in ("solver", "meshes", "cases"):
        assert name not in sys.modules, f"`import {name}` loads every class twice: use ssbmech"


def test_lock_names_no_place() -> None:
    """The lock has versions and hashes only, and nothing that has to fit DOLFINx's MPI."""
    lines = (ROOT / "docker" / "requirements.lock").read_text().splitlines()
    assert not [line for line in lines if "://" in line or line.startswith(("-", "/"))]
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    debian = {"numpy", "scipy", "mpi4py", "petsc4py", "h5py", "fenics-dolfinx", "matplotlib"}
    assert pinned.isdisjoint(debian)
