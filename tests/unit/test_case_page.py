"""docs/case.md is what the schema says today."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_keys_is_current():
    spec = importlib.util.spec_from_file_location("make_case_page", DOCS / "make_case_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == (DOCS / "case.md").read_text(encoding="utf-8"), (
        "run: python docs/make_case_page.py"
    )
