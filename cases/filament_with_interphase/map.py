"""Map: K_I at the tip of a filament by the depth of its skin and the volume change of the reaction.

    python3 cases/filament_with_interphase/map.py results/filament_with_interphase.csv

Prints K_I of the skin alone, and the overpotential at which lithium under pressure in the filament
and the skin together reach the toughness; a figure with both goes beside the table. For a given
mesh the body is linear in the growth strain and in the pressure, so that two solutions for each
depth serve all volume changes and all overpotentials.
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.config_load import case_from
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.interphase.expansion import linear_strain
from ssbmech.output import figures_style as style
from ssbmech.run import compute

CASE = Path(__file__).parent / "case.toml"
#: Depths of electrolyte that the skin has used up [nm].
DEPTHS_NM = (50.0, 75.0, 100.0, 150.0, 200.0, 300.0)
#: dV/V of the reaction, relative to what it used up.
CHANGES = (-0.3, -0.21, -0.1, 0.1, 0.2, 0.35, 0.5)
#: Linear strain and pressure [Pa] of the two solutions; any would do.
STRAIN, PRESSURE = 1e-3, 1e6


@dataclass(frozen=True)
class Answers:
    """What the tip of the filament says to a skin of one depth.

    Attributes:
        of_strain: K_I per linear growth strain that is retained [Pa m^0.5].
        of_pressure: K_I per pressure in the filament [m^0.5].
    """

    of_strain: float
    of_pressure: float


def body(depth_nm: float) -> dict[str, Any]:
    """The case beside this file with a skin that stays as it is."""
    data = tomllib.loads(CASE.read_text(encoding="utf-8"))
    del data["interphase"]
    data["geometry"]["crack"][0]["skin"] = f"{depth_nm} nm"
    return data


def answers(depth_nm: float) -> Answers:
    """Two solutions: the growth strain alone, and the pressure alone."""
    strain = {"eigenstrain": [{"group": "skin", "strain": str(STRAIN)}]}
    pressure = {"filament": {"pressure": f"{PRESSURE} Pa"}}
    found = [
        compute(case_from(body(depth_nm) | load)).summary["quantities"]["K_I"]["value"] * 1e6
        for load in (strain, pressure)
    ]
    return Answers(found[0] / STRAIN, found[1] / PRESSURE)


def given() -> tuple[float, float]:
    """Share of the growth strain that is retained, and toughness of the skin [Pa m^0.5]."""
    data = tomllib.loads(CASE.read_text(encoding="utf-8"))
    toughness = data["materials"]["skin"]["K_IC"].removesuffix("MPa*m^0.5")
    return data["interphase"]["grown"]["retained"], float(toughness) * 1e6


def skin_intensity(one: Answers, change: float, retained: float) -> float:
    """K_I of the skin alone [Pa m^0.5] at a volume change."""
    return one.of_strain * retained * linear_strain(change)


def critical(one: Answers, change: float, retained: float, toughness: float) -> float:
    """Overpotential [V] at which pressure and skin reach the toughness; 0: the skin alone does."""
    left = toughness - skin_intensity(one, change, retained)
    return max(left, 0.0) / one.of_pressure * LITHIUM_MOLAR_VOLUME / FARADAY


def table(title: str, rows: NDArray[np.float64], form: str) -> str:
    """Rows by depth, columns by volume change, as Markdown."""
    head = " | ".join(f"{100 * c:+.0f} %" for c in CHANGES)
    lines = [f"| {title} | {head} |", "|---" * (len(CHANGES) + 1) + "|"]
    for depth, row in zip(DEPTHS_NM, rows, strict=True):
        lines.append(f"| {depth:g} nm | {' | '.join(format(v, form) for v in row)} |")
    return "\n".join(lines).replace("-", "−").replace("|−−−", "|---")


def draw(target: Path, found: list[Answers], retained: float, toughness: float) -> None:
    """Both maps as ``target`` with the ending png; finer in the volume change than the table."""
    changes = np.linspace(CHANGES[0], CHANGES[-1], 81)
    # between depths K goes nearly as the square root: a spline in its logarithm
    depths = np.asarray(np.geomspace(DEPTHS_NM[0], DEPTHS_NM[-1], 61), np.float64)
    fine = [
        Answers(-between(depths, [-a.of_strain for a in found])[k],
                between(depths, [a.of_pressure for a in found])[k])
        for k in range(len(depths))
    ]  # fmt: skip
    K = np.array([[skin_intensity(a, c, retained) for c in changes] for a in fine]) / 1e6
    eta = np.array([[critical(a, c, retained, toughness) for c in changes] for a in fine]) * 1e3
    style.apply()
    fig, axes = style.figure(style.DOUBLE, 2.7, 1, 2)
    largest = float(np.abs(K).max())
    maps = (
        (K, {"levels": np.linspace(-largest, largest, 33), "cmap": "RdBu_r"}, "black",
         r"$K_\mathrm{I}$ of the skin alone (MPa$\,$m$^{1/2}$)",
         (-0.08, -0.06, -0.04, -0.02, 0.02, 0.04, 0.06)),
        (eta, {"levels": 30, "cmap": style.CRITICAL_MAP}, "white", "critical overpotential (mV)",
         (2.25, 2.5, 2.75, 3.0, 3.25, 3.5, 3.75, 4.0)),
    )  # fmt: skip
    for ax, letter, (values, look, colour, label, levels) in zip(axes, "ab", maps, strict=True):
        shown = ax.contourf(100 * changes, depths, values, **look)
        lines = ax.contour(100 * changes, depths, values, levels=levels, colors=colour,
                           linewidths=0.6, linestyles="solid")  # fmt: skip
        ax.clabel(lines, fmt="%g", fontsize=6.5)
        ax.axvline(0.0, color=style.GREY, lw=0.8, ls=":")
        ax.set(xlabel="volume change of the reaction (%)", ylabel="electrolyte used up (nm)")
        bar = fig.colorbar(shown, ax=ax, pad=0.02, ticks=levels)
        bar.set_label(label)
        style.panel(ax, letter)
    style.save(fig, target.parent, target.stem, pdf=False)


def between(depths: NDArray[np.float64], values: list[float]) -> NDArray[np.float64]:
    """Positive values at the depths of the table, interpolated to others [nm]."""
    from scipy.interpolate import PchipInterpolator

    spline = PchipInterpolator(np.log(DEPTHS_NM), np.log(values))
    return np.asarray(np.exp(spline(np.log(depths))))


def main(target: Path) -> None:
    retained, toughness = given()
    found = [answers(depth) for depth in DEPTHS_NM]
    alone = critical(Answers(0.0, found[0].of_pressure), 0.0, retained, toughness) * 1e3
    print(f"without a skin: {alone:.2f} mV\n")
    K = np.array([[skin_intensity(a, c, retained) for c in CHANGES] for a in found]) / 1e6
    eta = np.array([[critical(a, c, retained, toughness) for c in CHANGES] for a in found]) * 1e3
    print(table("K_I of the skin [MPa√m]", K, "+.3f"), table("critical [mV]", eta, ".2f"),
          sep="\n\n")  # fmt: skip
    rows = ["depth [nm],volume change,K_I of the skin [MPa*m^0.5],critical overpotential [mV]"]
    for i, depth in enumerate(DEPTHS_NM):
        for j, change in enumerate(CHANGES):
            rows.append(f"{depth:g},{change:g},{K[i, j]:.6g},{eta[i, j]:.5g}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(rows) + "\n")
    draw(target, found, retained, toughness)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/filament_with_interphase.csv"))
