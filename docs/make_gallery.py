"""Writes docs/gallery.md and its pictures from docs/gallery/NAME.toml: ``make gallery``.

One section per geometry of the catalogue. NAME-2.toml and so on are further examples of it. What
has not changed since the last time is not built again (build/gallery remembers it).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from ssbmech.errors import OutputError, SsbmechError
from ssbmech.meshes import catalog

DOCS = Path(__file__).resolve().parent
FOLDER, PAGE = DOCS / "gallery", DOCS / "gallery.md"
CACHE = DOCS.parent / "build" / "gallery"
#: What a picture of the page may weigh [bytes], and its resolutions [dots per inch].
HEAVIEST, RESOLUTIONS = 150_000, (140, 120, 100, 85)

HEAD = """# Gallery of geometries

One section per geometry: a case that `ssbmech mesh` takes as it is, the picture that it draws, and
the gate's table. `ssbmech mesh --list NAME` prints all parameters of one. The cases are files in
`docs/gallery/` (images and maps lie in `cases/`); `make gallery` writes this page and its pictures
anew.

```
ssbmech mesh docs/gallery/edge.toml -o edge.msh      edge.msh and edge.png
```

Colours: lithium grey, electrolyte sand or one colour per grain, interphase pink, interlayer green,
coating light blue; crack faces red, faces with lithium between them purple, the Li/SSE interface
blue, walls of voids green, blocked parts yellow with a black rim. Element edges are drawn where
they are long enough to be told apart.
"""


def examples(name: str) -> list[Path]:
    """Example files of a geometry: NAME.toml, NAME-2.toml, NAME-3.toml.

    Raises:
        OutputError: If there is none.
    """
    found = sorted(
        (p for p in FOLDER.glob(f"{name}*.toml") if re.fullmatch(rf"{name}(-\d+)?", p.stem)),
        key=lambda p: (len(p.stem), p.stem),
    )
    if not found or found[0].stem != name:
        raise OutputError(
            f"geometry {name!r} has no example", key="gallery", value=f"docs/gallery/{name}.toml",
            hint="Write one: a complete case for `ssbmech mesh`",
        )  # fmt: skip
    return found


def title_of(example: Path) -> str:
    """The title that a case gives itself."""
    import tomllib

    case = tomllib.loads(example.read_text(encoding="utf-8"))
    return str(case.get("title", example.stem))


def section(name: str, tables: dict[str, str]) -> str:
    """The page's section of a geometry.

    Args:
        name: The geometry.
        tables: Gate's table by the stem of the example.
    """
    lines = [f"## {name}", catalog.describe(name), ""]
    for example in examples(name):
        stem = example.stem
        lines += [
            f"**{title_of(example)}**", "", f"![{stem}](gallery/{stem}.png)", "",
            "```toml", example.read_text(encoding="utf-8").rstrip(), "```", "",
            "```text", tables[stem].rstrip(), "```", "",
        ]  # fmt: skip
    return "\n".join(lines)


def page(tables: dict[str, str]) -> str:
    """The whole page."""
    names = list(catalog.BUILDERS)
    contents = " · ".join(f"[{name}](#{name})" for name in names)
    return (
        "\n".join([HEAD, contents, "", *(section(name, tables) for name in names)]).rstrip() + "\n"
    )


def sources_digest() -> str:
    """One number for all code that decides about meshes and pictures."""
    total = hashlib.sha256()
    root = DOCS.parent
    for path in sorted([*root.glob("meshes/*.py"), *root.glob("solver/output/*mesh*.py")]):
        total.update(path.read_bytes())
    return total.hexdigest()


def data_of(example: Path) -> bytes:
    """Content of the file that a case reads, an image or a map."""
    import tomllib

    case = tomllib.loads(example.read_text(encoding="utf-8"))
    name = case.get("geometry", {}).get("file")
    path = example.parent / name if name else None
    return path.read_bytes() if path and path.is_file() else b""


def build(example: Path, code: str) -> str:
    """Make the picture of an example and return the gate's table; from the cache if it is there.

    Args:
        example: The case.
        code: From `sources_digest`.

    Raises:
        OutputError: With what the command said, if it fails.
    """
    digest = code + hashlib.sha256(example.read_bytes() + data_of(example)).hexdigest()
    picture, held = example.with_suffix(".png"), CACHE / f"{example.stem}.json"
    if held.is_file() and picture.is_file():
        known = json.loads(held.read_text(encoding="utf-8"))
        if known["digest"] == digest:
            return str(known["table"])
    start = time.perf_counter()
    mesh = CACHE / f"{example.stem}.msh"
    command = ["-m", "ssbmech", "mesh", str(example), "-o", str(mesh), "--overwrite"]
    table = _run([*command, "--no-picture"], example)
    draw(mesh, picture)
    mesh.unlink()
    held.write_text(json.dumps({"digest": digest, "table": table}), encoding="utf-8")
    size = picture.stat().st_size
    print(f"  {example.stem:<24} {time.perf_counter() - start:6.1f} s  {size / 1e3:4.0f} kB")
    return table


def draw(mesh: Path, picture: Path) -> None:
    """Draw with as many dots as the page can bear, in a palette of 256 colours."""
    from PIL import Image

    for dpi in RESOLUTIONS:
        command = ["-m", "ssbmech.output.figures_mesh", str(mesh), str(picture), str(dpi)]
        _run(command, mesh)
        with Image.open(picture) as drawn:
            small = drawn.convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
        small.save(picture, optimize=True)
        if picture.stat().st_size <= HEAVIEST:
            return


def _run(words: list[str], about: Path) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise OutputError(said[-1].removeprefix("ssbmech: "), key=about.name)
    return done.stdout


def main() -> int:
    """Build what has changed and write the page; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/gallery.md and its pictures.")
    parser.add_argument("--fresh", action="store_true", help="build everything again")
    fresh = parser.parse_args().fresh
    CACHE.mkdir(parents=True, exist_ok=True)
    code = sources_digest()
    try:
        chosen = [example for name in catalog.BUILDERS for example in examples(name)]
        if fresh:
            for example in chosen:
                (CACHE / f"{example.stem}.json").unlink(missing_ok=True)
        tables = {example.stem: build(example, code) for example in chosen}
    except SsbmechError as error:
        print(f"make_gallery: {error}", file=sys.stderr)
        return 1
    known = {example.stem for example in chosen}
    for path in FOLDER.glob("*.png"):
        if path.stem not in known:  # of a geometry or an example that is gone
            path.unlink()
    PAGE.write_text(page(tables), encoding="utf-8")
    print(f"  {len(chosen)} examples of {len(catalog.BUILDERS)} geometries in {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
