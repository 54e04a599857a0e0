"""Map: current at the tip of lithium that has grown through a coat, by the coat.

    python3 cases/artificial_interphase/pierced_map.py results/pierced.csv

Varies conductivity and thickness of the coat of `pierced.toml`: thinner than the protrusion is
high, and lithium is through; thicker, and the coat covers it. Prints the largest current density at
lithium over that of the cell, and the resistance of the cell.
"""

import sys
from pathlib import Path
from typing import Any

from ssbmech.config_load import load_case
from ssbmech.run import compute

CASE = Path(__file__).parent / "pierced.toml"
CONDUCTIVITIES_S_CM = (1e-7, 1e-6, 1e-5, 1e-4, 4.6e-4)
THICKNESSES_UM = (0.5, 1.0, 3.0, 4.0)
HEIGHT_UM = 2.0


def solved(thickness_um: float, conductivity: float, *changes: str) -> tuple[float, float]:
    """Largest current density over that of the cell, resistance of the cell [ohm cm^2].

    Args:
        thickness_um: Of the coat [um].
        conductivity: Of the coat [S/cm].
        changes: More ``key=value``.
    """
    surface = '["lithium_coating", "li_sse"]' if thickness_um < HEIGHT_UM else '"lithium_coating"'
    case = load_case(
        CASE,
        (
            f"geometry.coating={thickness_um} um",
            f"electrochemistry.conductivity.coating={conductivity} S/cm",
            f"electrode.0.group={surface}",
            *changes,
        ),
    )
    found: dict[str, Any] = compute(case, CASE.parent).summary["electric"]
    lithium, counter = found["electrodes"]
    cell = -counter["mean_plating_current_density"]["value"]
    largest = lithium["largest"]["plating_current_density"]["value"]
    return largest / cell, found["area_specific_resistance"]["value"]


def table(title: str, values: dict[tuple[float, float], str]) -> str:
    """Rows by conductivity, columns by thickness, as Markdown."""
    head = " | ".join(f"{t:g} µm" for t in THICKNESSES_UM)
    lines = [f"| {title} | {head} |", "|---" * (len(THICKNESSES_UM) + 1) + "|"]
    for k in CONDUCTIVITIES_S_CM:
        lines.append(f"| {k:g} S/cm | {' | '.join(values[k, t] for t in THICKNESSES_UM)} |")
    return "\n".join(lines)


def main(target: Path) -> None:
    found = {(k, t): solved(t, k) for k in CONDUCTIVITIES_S_CM for t in THICKNESSES_UM}
    rows = ["conductivity [S/cm],thickness [um],largest over that of the cell,cell [ohm*cm^2]"]
    rows += [f"{k:g},{t:g},{peak:.5g},{R:.5g}" for (k, t), (peak, R) in found.items()]
    print(table("largest", {at: f"{peak:.2f}" for at, (peak, _) in found.items()}), end="\n\n")
    print(table("cell [Ω cm²]", {at: f"{R:.4g}" for at, (_, R) in found.items()}))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/pierced.csv"))
