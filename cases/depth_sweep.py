"""Critical overpotential of surface flaws of several depths in a thin electrolyte.

    mpirun -n 2 python3 -m mpi4py cases/depth_sweep.py results/depth_sweep.csv

A flaw that is not small against the thickness is worse than the half-plane formula says; the last
column tells by how much. The same API runs one case on all ranks of the program.
"""

import sys
from pathlib import Path

from ssbmech.config_load import case_from
from ssbmech.fracture.porz import critical_overpotential
from ssbmech.run import compute

THICKNESS_UM = 100.0


def case(depth_um: float) -> dict:
    return {
        "title": f"{depth_um:g} um flaw in {THICKNESS_UM:g} um of LLZO",
        "geometry": {
            "type": "edge",
            "a": f"{depth_um} um",
            "width": f"{THICKNESS_UM} um",
            "height": f"{4 * THICKNESS_UM} um",
            "symmetry": "y",
            "quarter_point": True,
        },
        "materials": {"electrolyte": "LLZO"},
        "filament": {"overpotential": "30 mV"},
    }


def main(target: Path) -> None:
    rows = ["depth [um],critical overpotential [mV],margin at 30 mV,half-plane [mV],ratio"]
    for depth in (1.0, 2.0, 5.0, 10.0, 20.0, 40.0):
        result = compute(case_from(case(depth)))
        porz = result.summary["porz"]
        found = porz["critical_overpotential"]["value"]
        K_IC = porz["K_IC"]["value"] * 1e6
        simple = critical_overpotential(K_IC, 1.1215, depth * 1e-6) * 1e3
        rows.append(f"{depth:g},{found:.4g},{porz['margin']:.4g},{simple:.4g},{found / simple:.4f}")
    if result.domain.comm.rank == 0:
        print("\n".join(rows))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/depth_sweep.csv"))
