"""Design map: K_I at a filled flaw below an interlayer, by its modulus and thickness.

    python3 cases/soft_interlayer/map.py results/soft_interlayer.csv

Prints the larger K_I of the two ends of the flaw over p sqrt(pi a), that of a flaw deep inside, and
the overpotential at which the flaw extends. The case beside this file is one point of the map.
"""

import math
import sys
from pathlib import Path
from typing import Any

from ssbmech.config_load import load_case
from ssbmech.run import compute

CASE = Path(__file__).parent / "case.toml"
MODULI_GPA = (1.0, 10.0, 50.0, 150.0, 400.0)
THICKNESSES_UM = (0.5, 1.0, 2.0, 5.0, 10.0)
#: a of the case [m].
HALF_LENGTH = 5e-6


def solved(*changes: str) -> tuple[float, float]:
    """K_I over p sqrt(pi a) and critical overpotential [mV] with ``key=value`` changed."""
    found: dict[str, Any] = compute(load_case(CASE, tuple(changes)), CASE.parent).summary
    porz = found["porz"]
    deep = porz["applied_pressure"]["value"] * math.sqrt(math.pi * HALF_LENGTH)
    return found["quantities"]["K_I"]["value"] / deep, porz["critical_overpotential"]["value"]


def table(title: str, values: dict[tuple[float, float], str]) -> str:
    """Rows by modulus, columns by thickness, as Markdown."""
    head = " | ".join(f"{t:g} µm" for t in THICKNESSES_UM)
    lines = [f"| {title} | {head} |", "|---" * (len(THICKNESSES_UM) + 1) + "|"]
    for modulus in MODULI_GPA:
        cells = " | ".join(values[modulus, t] for t in THICKNESSES_UM)
        lines.append(f"| {modulus:g} GPa | {cells} |")
    return "\n".join(lines)


def main(target: Path) -> None:
    # an interlayer of next to no stiffness leaves a free surface
    ratio, critical = solved("materials.interlayer.E=1 Pa")
    print(f"without an interlayer: {ratio:.3f}, {critical:.1f} mV\n", flush=True)
    rows = ["E [GPa],thickness [um],K_I over p sqrt(pi a),critical overpotential [mV]"]
    ratios, potentials = {}, {}
    for modulus in MODULI_GPA:
        for thickness in THICKNESSES_UM:
            ratio, critical = solved(
                f"geometry.interlayer={thickness} um", f"materials.interlayer.E={modulus} GPa"
            )
            ratios[modulus, thickness] = f"{ratio:.3f}"
            potentials[modulus, thickness] = f"{critical:.1f}"
            rows.append(f"{modulus:g},{thickness:g},{ratio:.4f},{critical:.4g}")
    print(table("K_I over p√(πa)", ratios), table("critical [mV]", potentials), sep="\n\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/soft_interlayer.csv"))
