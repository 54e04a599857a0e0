"""Draw the figures of a results folder: ``python -m ssbmech.output.figures DIR``.

A process of its own, without MPI and DOLFINx: VTK and the HDF5 that DOLFINx loads do not live
together. It needs no display. The names of the figures go to standard output; what could not be
drawn gives one line on standard error and exit status 1, after everything else has been drawn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ssbmech.errors import OutputError, SsbmechError

Draw = Callable[[Path, Path, dict[str, Any]], str | None]


def drawings() -> dict[str, Draw]:
    """Name of each figure to the function that draws it; the pictures of fields come last."""
    from ssbmech.output import (
        animate,
        figures_current,
        figures_cycles,
        figures_directions,
        figures_filament,
        figures_front,
        figures_front_map,
        figures_history,
        figures_interphase,
        figures_plots,
        figures_porz,
        figures_void,
    )

    return {
        "k_along_front": figures_plots.k_along_front,
        "stress_ahead": figures_plots.stress_ahead,
        "rings": figures_plots.rings,
        "porz_map": figures_porz.porz_map,
        "history": figures_history.history,
        "cycles": figures_cycles.cycles,
        "filament": figures_filament.filament,
        "filament_map": figures_filament.filament_map,
        "voids": figures_void.voids,
        "interphase_growth": figures_interphase.growth,
        "interphase_stresses": figures_interphase.stresses,
        "interphase_onset_maps": figures_interphase.onset_maps,
        "interphase_profiles": figures_interphase.profiles,
        "front": figures_front.front,
        "front_growth": figures_front.growth,
        "front_map": figures_front_map.front_map,
        "directions": figures_directions.directions,
        "tip_stress": _tip_stress,
        "stress_map": _stress_map,
        "current_map": figures_current.current_map,
        "animation": animate.animation,
    }


def _stress_map(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """The whole body, where there is no front and no peak to look at."""
    from ssbmech.output.figures_data import read_fields

    if _has_focus(summary):
        return None
    fields = read_fields(results)
    if fields is None:
        return None
    if fields.dim == 3:
        from ssbmech.output.figures_map_solid import stress_map_solid

        return stress_map_solid(results, folder, summary, fields)
    from ssbmech.output.figures_map import stress_map_plane

    return stress_map_plane(results, folder, summary, fields)


def _has_focus(summary: dict[str, Any]) -> bool:
    return bool(summary.get("fronts") or summary.get("peaks"))


def _tip_stress(results: Path, folder: Path, summary: dict[str, Any]) -> str | None:
    """About a front or the largest of the peaks that were asked for."""
    from ssbmech.output.figures_data import read_fields

    if not _has_focus(summary):
        return None
    fields = read_fields(results)
    if fields is None:
        return None
    if fields.dim == 3:
        from ssbmech.output.figures_solid import tip_stress_solid

        return tip_stress_solid(results, folder, summary, fields)
    from ssbmech.output.figures_field import tip_stress_plane

    return tip_stress_plane(results, folder, summary, fields)


def draw_all(results: Path) -> list[str]:
    """Draw every figure for which the folder has data, into its subfolder ``figures``.

    Args:
        results: Folder with ``summary.json`` and, where they were written, ``ahead.csv`` and
            ``fields/``.

    Returns:
        File names of the PNG figures.

    Raises:
        OutputError: If the folder cannot be used, or when a figure failed; the others are there.
    """
    from ssbmech.output import figures_data, figures_style

    summary = figures_data.read_summary(results)
    folder = results / "figures"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder of the figures cannot be made: {error.strerror}", key=str(folder),
            hint="Copy the results to a place that you may write",
        ) from None  # fmt: skip
    figures_style.apply()
    names, failures = [], []
    for name, draw in drawings().items():
        try:
            drawn = draw(results, folder, summary)
        except SsbmechError as error:
            failures.append(f"{name}: {error}")
        except Exception as error:  # one broken figure must not cost the others
            if os.environ.get("SSBMECH_TRACEBACK"):
                raise
            failures.append(f"{name}: {type(error).__name__}: {error}")
        else:
            names += [drawn] if drawn else []
    if failures:
        raise OutputError("; ".join(failures).replace("\n", " "), key="figures")
    return names


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the figures of the folder named on the command line; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 1 or words[0].startswith("-"):
        print("usage: python -m ssbmech.output.figures DIR", file=sys.stderr)
        return 2
    try:
        names = draw_all(Path(words[0]))
    except (SsbmechError, OSError) as error:
        print(f"ssbmech: {error}", file=sys.stderr)
        return 1
    print("\n".join(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
