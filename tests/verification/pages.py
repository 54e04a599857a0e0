"""Writes docs/verification from what the tests found: `python tests/verification/pages.py`.

The tests store what they found in build/verification (see tests/conftest.py). Every check becomes a
page with its problem, reference, tolerances, results and plots, and an index lists them all.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: Labels that begin so are drawn as lines, all others as marks.
_LINES = ("exact", "reference", "first term", "fit", "slope")

Entry = dict[str, Any]


def main() -> None:
    """Write the pages of every check that was stored, and the index."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--found", type=Path, default=ROOT / "build" / "verification")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "verification")
    options = parser.parse_args()
    paths = sorted(options.found.glob("*.json"), key=lambda p: _order(p.stem))
    if not paths:
        parser.error(f"nothing in {options.found}: run the tests of tests/verification first")
    options.docs.mkdir(parents=True, exist_ok=True)
    lines = [_INDEX]
    for path in paths:
        entries = json.loads(path.read_text(encoding="utf-8"))
        lines.append(write_page(path.stem, entries, options.docs))
    (options.docs / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(paths)} pages in {options.docs}")


_INDEX = """# Verification

Every physical result of ssbmech has a check against something that ssbmech did not produce. The
pages are written by `python tests/verification/pages.py` from the last run of the tests in
`tests/verification`. The last column is the largest deviation over its tolerance; above 1 the check
is an expected failure, and its page says why.

| check | problem | values | largest deviation / tolerance |
|---|---|---|---|"""


def write_page(name: str, entries: list[Entry], docs: Path) -> str:
    """Write one page.

    Args:
        name: The check.
        entries: What its tests found.
        docs: Folder of the pages.

    Returns:
        Its line of the index.
    """
    # The entry that states the problem comes first and gives the title.
    entries = sorted(entries, key=lambda e: (not e["problem"], _natural(e["part"])))
    head = entries[0]
    out = [f"# {name}: {head['title']}", ""]
    for key in ("problem", "reference"):
        texts = dict.fromkeys(e[key] for e in entries if e[key])
        out += [f"**{key.capitalize()}.** {text}\n" for text in texts]
    out += ["## Results", "", _HEAD]
    rows = [(e, row) for e in entries for row in e["rows"]]
    last = None
    for entry, row in rows:
        out.append(_row(entry["part"] if entry["part"] != last else "", row))
        last = entry["part"]
    out.append("")
    whys = dict.fromkeys(
        f"- {row['name']}, {_percent(row['tolerance'])}: {row['why']}"
        for _, row in rows
        if row["why"]
    )
    if whys:
        out += ["Why the tolerances are fair:", "", *_unique_names(list(whys)), ""]
    notes = dict.fromkeys(note for e in entries for note in e["notes"])
    if notes:
        out += ["## Notes", "", *(f"- {note}" for note in notes), ""]
    plots = [(e, plot) for e in entries for plot in e["plots"]]
    for stale in docs.glob(f"{name}_*.png"):
        stale.unlink()
    for i, (entry, plot) in enumerate(plots, 1):
        picture = f"{name}_{i}.png"
        draw(plot, docs / picture)
        caption = f"{plot['y']} against {plot['x']}" + (
            f": {entry['part']}" if entry["part"] else ""
        )
        out += [f"![{caption}]({picture})", "", f"{caption}.", ""]
    tests = dict.fromkeys(e["test"].split("[")[0].replace("::", ", `", 1) + "`" for e in entries)
    out += ["## Tests", "", *(f"- {test}" for test in tests)]
    (docs / f"{name}.md").write_text("\n".join(out).rstrip() + "\n", encoding="utf-8")
    worst = max((row["error"] / row["tolerance"] for _, row in rows), default=0.0)
    return f"| [{name}]({name}.md) | {head['title']} | {len(rows)} | {worst:.2g} |"


_HEAD = (
    "| case | quantity | found | reference | unit | points | off | tolerance |\n" + "|---" * 8 + "|"
)


def _row(part: str, row: Entry) -> str:
    off = _percent(row["error"])
    if not row["error"] <= row["tolerance"]:
        off = f"**{off}**"
    cells = (
        part,
        row["name"].replace("|", "\\|"),
        f"{row['found']:.5g}",
        f"{row['exact']:.5g}",
        row["unit"],
        str(row["points"]),
        off,
        _percent(row["tolerance"]),
    )
    return "| " + " | ".join(cells) + " |"


def _percent(value: float) -> str:
    """A relative number in percent; far below one of a million it is rounding."""
    if abs(value) < 1e-8:
        return "< 1e-6 %"
    return f"{100 * value:.2g} %"


def _unique_names(lines: list[str]) -> list[str]:
    """One reason for each quantity and tolerance."""
    kept: dict[str, str] = {}
    for line in lines:
        kept.setdefault(line.rsplit(": ", 1)[0], line)
    return list(kept.values())


def draw(plot: Entry, path: Path) -> None:
    """Draw one plot as a small PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.3), dpi=90, layout="constrained")
    marks = iter("os^Dvx+*")
    for label, (x, y) in plot["lines"].items():
        if label.startswith(_LINES):
            axes.plot(x, y, "k*" if len(x) == 1 else "k-", linewidth=1, label=label)
        else:
            style = {"markersize": 3.5, "linestyle": ":" if len(x) < 60 else "none"}
            axes.plot(x, y, next(marks, "."), linewidth=0.6, label=label, **style)
    if plot["log"]:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlabel(plot["x"])
    axes.set_ylabel(plot["y"])
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def _order(name: str) -> tuple[str, int, str]:
    """F2 before F10."""
    found = re.match(r"([A-Za-z_]+)(\d+)", name)
    return (found[1], int(found[2]), name) if found else (name, 0, name)


def _natural(text: str) -> list[tuple[int, float, str]]:
    """Sort key that puts numbers in a text in their order."""
    parts = re.split(r"(-?\d+(?:\.\d+)?)", text)
    return [(0, float(p), "") if i % 2 else (1, 0.0, p) for i, p in enumerate(parts)]


if __name__ == "__main__":
    main()
