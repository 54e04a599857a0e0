"""Map: the current from which lithium could form behind a film that blocks electrons.

    python3 cases/artificial_interphase/barrier_map.py results/barrier.csv

Varies thickness and electronic conductivity of the film of `barrier.toml`. Between two lithium
electrodes with linear kinetics all potentials are in proportion to the current, so that one
solution tells at which current that of lithium behind the film falls to -p V_m/F, p the
`inner_pressure` of the case. Prints this current and the electrons that leak at the current of the
case; a figure goes beside the table.
"""

import math
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech import units
from ssbmech.config_load import load_case
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.output import figures_style as style
from ssbmech.run import compute

CASE = Path(__file__).parent / "barrier.toml"
THICKNESSES_NM = (10.0, 30.0, 100.0, 300.0, 1000.0)
CONDUCTIVITIES_S_CM = (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
#: Where film and electrolyte meet.
PLACE = "coating_electrolyte"


@dataclass(frozen=True)
class Point:
    """What a film does.

    Attributes:
        critical: Current density from which lithium could form behind it [mA/cm^2]; may be
            infinite.
        leaks: Electronic current density at the current of the case [mA/cm^2].
        resistance: Of the cell [ohm cm^2].
    """

    critical: float
    leaks: float
    resistance: float


def pressure_held() -> float:
    """-p V_m/F of the case [mV]."""
    block = tomllib.loads(CASE.read_text(encoding="utf-8"))["electrochemistry"]
    p = units.quantity(block["inner_pressure"], "pressure")
    return -p * LITHIUM_MOLAR_VOLUME / FARADAY * 1e3


def solved(thickness_nm: float, conductivity: float) -> Point:
    """The film of a thickness and an electronic conductivity [S/cm]."""
    case = load_case(
        CASE,
        (
            f"geometry.coating={thickness_nm} nm",
            f"electrochemistry.electronic_conductivity.coating={conductivity} S/cm",
            "electrochemistry.inner_pressure=0 MPa",  # so that every place below 0 V is a site
        ),
    )
    found: dict[str, Any] = compute(case, CASE.parent).summary["electric"]
    current = -found["plating_current_density"]["value"]
    leaks = found["leakage"]["electronic_current_density"]["value"]
    below = [s["lithium_potential"]["value"] for s in found["leakage"]["sites"]
             if s["group"].startswith(PLACE)]  # fmt: skip
    critical = current * pressure_held() / min(below) if below else math.inf
    return Point(critical, leaks, found["area_specific_resistance"]["value"])


def table(title: str, values: dict[tuple[float, float], str]) -> str:
    """Rows by conductivity, columns by thickness, as Markdown."""
    head = " | ".join(f"{t:g} nm" for t in THICKNESSES_NM)
    lines = [f"| {title} | {head} |", "|---" * (len(THICKNESSES_NM) + 1) + "|"]
    for k in CONDUCTIVITIES_S_CM:
        lines.append(f"| {k:g} S/cm | {' | '.join(values[k, t] for t in THICKNESSES_NM)} |")
    return "\n".join(lines)


def draw(target: Path, found: dict[tuple[float, float], Point]) -> None:
    """A field per film with its current; white where no current makes lithium behind it."""
    from matplotlib.colors import LogNorm

    values = np.array([[found[k, t].critical for t in THICKNESSES_NM] for k in CONDUCTIVITIES_S_CM])
    finite = values[np.isfinite(values)]
    norm = LogNorm(finite.min(), finite.max())
    style.apply()
    fig, ax = style.figure(style.SINGLE * 1.25, 2.9)
    shown = ax.pcolormesh(np.where(np.isfinite(values), values, np.nan), cmap=style.CRITICAL_MAP,
                          norm=norm, edgecolors="white", linewidth=0.6)  # fmt: skip
    for (i, j), value in np.ndenumerate(values):
        dark = np.isfinite(value) and norm(value) < 0.55
        word = style.number(value, 2) if np.isfinite(value) else "none"
        ax.text(j + 0.5, i + 0.5, word, ha="center", va="center", fontsize=7,
                color="white" if dark else "black")  # fmt: skip
    ax.set_xticks(np.arange(len(THICKNESSES_NM)) + 0.5, [f"{t:g}" for t in THICKNESSES_NM])
    exponents = [round(math.log10(k)) for k in CONDUCTIVITIES_S_CM]
    ax.set_yticks(np.arange(len(exponents)) + 0.5, [rf"$10^{{{e}}}$" for e in exponents])
    ax.tick_params(length=0)
    ax.set(xlabel="thickness of the film (nm)", ylabel="electronic conductivity of the film (S/cm)")
    fig.colorbar(shown, ax=ax, pad=0.02).set_label("critical current (mA/cm²)")
    style.save(fig, target.parent, target.stem, pdf=False)


def main(target: Path) -> None:
    found = {}
    rows = ["electronic conductivity [S/cm],thickness [nm],critical current density [mA/cm^2],"
            "electronic current density [mA/cm^2],resistance of the cell [ohm*cm^2]"]  # fmt: skip
    for k in CONDUCTIVITIES_S_CM:
        for t in THICKNESSES_NM:
            one = found[k, t] = solved(t, k)
            rows.append(f"{k:g},{t:g},{one.critical:.6g},{one.leaks:.6g},{one.resistance:.6g}")
    words = {at: style.number(one.critical) if math.isfinite(one.critical) else "none"
             for at, one in found.items()}  # fmt: skip
    print(table("critical [mA/cm²]", words), end="\n\n")
    print(table("leaks [nA/cm²]", {at: f"{one.leaks * 1e6:.3g}" for at, one in found.items()}))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(rows) + "\n")
    draw(target, found)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/barrier.csv"))
