"""docs/gallery.md shows every geometry with the case that made its picture."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from ssbmech.errors import OutputError
from ssbmech.meshes import catalog

DOCS = Path(__file__).parents[2] / "docs"


def gallery() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page() -> str:
    return (DOCS / "gallery.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(catalog.BUILDERS))
def test_a_geometry_has_an_example_of_its_own(name):
    from ssbmech import build_geometry
    from ssbmech.config_load import load_case

    for example in gallery().examples(name):
        case = load_case(example)
        assert case.geometry is not None and case.geometry.type == name
        build_geometry.geometry_parameters(case)


def test_an_example_that_is_missing_is_named():
    with pytest.raises(OutputError, match=r"'ellips' has no example .*docs/gallery/ellips\.toml"):
        gallery().examples("ellips")


@pytest.mark.parametrize("name", list(catalog.BUILDERS))
def test_the_page_shows_what_the_files_say(name):
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page(), re.S | re.M)
    assert section, f"{name} is not in docs/gallery.md; run: make gallery"
    blocks = re.findall(r"^```toml\n(.*?)^```", section.group(1), re.S | re.M)
    files = [p.read_text(encoding="utf-8").rstrip() + "\n" for p in gallery().examples(name)]
    assert blocks == files, "run: make gallery"
    tables = re.findall(r"^```text\n(.*?)^```", section.group(1), re.S | re.M)
    assert len(tables) == len(files) and all("verdict" in table for table in tables)
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", section.group(1))
    assert len(pictures) == len(files)
    for picture in pictures:
        assert 5_000 < (DOCS / picture).stat().st_size <= gallery().HEAVIEST, picture


def test_no_file_of_the_gallery_is_left_over():
    script = gallery()
    shown = {example.stem for name in catalog.BUILDERS for example in script.examples(name)}
    kept = {p.stem for p in script.FOLDER.glob("*.png")} | {
        p.stem for p in script.FOLDER.glob("*.toml")
    }
    assert kept == shown
