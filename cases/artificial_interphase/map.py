"""Map: how even the current at lithium is, by thickness and conductivity of a coat, and its price.

    python3 cases/artificial_interphase/map.py results/artificial_interphase.csv

A mosaic of good and poor stripes without a coat, with a coat between lithium and mosaic, and with
the coat between mosaic and electrolyte. Prints the largest current density at lithium over the mean
and what the coat adds to the resistance; a figure of both goes beside the table. Also the same coat
under stripes of other widths.
"""

import math
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import pictures
from ssbmech.config_load import case_from
from ssbmech.output import figures_style as style
from ssbmech.run import compute

CASE = Path(__file__).parent / "case.toml"
THICKNESSES_UM = (0.25, 0.5, 1.0, 2.0, 4.0)
CONDUCTIVITIES_S_CM = (1e-6, 1e-5, 1e-4)
#: Periods of the stripes, and thickness and conductivity of the coat with them [um, S/cm].
PITCHES_UM, COAT = (1.0, 2.0, 4.0, 8.0), (0.5, 1e-5)


def solved(
    coat: float, conductivity: float, *, pitch: float = 4.0, above: bool = False
) -> tuple[float, float]:
    """Largest current density at lithium over the mean, resistance of the cell [ohm cm^2].

    Args:
        coat: Its thickness [um]; 0: none.
        conductivity: Of the coat [S/cm].
        pitch: Period of the stripes [um].
        above: Whether the coat lies between mosaic and electrolyte.
    """
    data: dict[str, Any] = tomllib.loads(CASE.read_text(encoding="utf-8"))
    data["electrochemistry"]["conductivity"]["coat"] = f"{conductivity} S/cm"
    if not coat:
        for part in (data["electrochemistry"]["conductivity"], data["materials"]):
            del part["coat"]
        del data["geometry"]["labels"]["4"]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        values = pictures.picture(coat, pitch=pitch, above=above)
        pictures.save(base / data["geometry"]["file"], values)
        found = compute(case_from(data), base).summary["electric"]
    (lithium, _), R = found["electrodes"], found["area_specific_resistance"]
    return lithium["largest"]["factor"], R["value"]


def table(title: str, values: dict[tuple[float, float], str]) -> str:
    """Rows by conductivity, columns by thickness, as Markdown."""
    head = " | ".join(f"{t:g} µm" for t in THICKNESSES_UM)
    lines = [f"| {title} | {head} |", "|---" * (len(THICKNESSES_UM) + 1) + "|"]
    for k in CONDUCTIVITIES_S_CM:
        cells = " | ".join(values[k, t] for t in THICKNESSES_UM)
        lines.append(f"| {k:g} S/cm | {cells} |")
    return "\n".join(lines)


def draw(target: Path, bare: float, found: dict[bool, dict[tuple[float, float], Any]]) -> None:
    """Over the coat's thickness, and over what the coat adds to the resistance."""
    style.apply()
    fig, axes = style.figure(style.DOUBLE, 2.7, 1, 2, sharey=True)
    colours = (style.RED, style.BLUE, style.GREEN)
    for above, values in found.items():
        for k, colour in zip(CONDUCTIVITIES_S_CM, colours, strict=False):
            rows = [values[k, t] for t in THICKNESSES_UM]
            evenness = [largest for largest, _ in rows]
            look = {"color": colour, "ls": "--" if above else "-", "marker": "o", "ms": 3}
            label = None if above else rf"$10^{{{math.log10(k):.0f}}}$ S/cm"
            axes[0].plot(THICKNESSES_UM, evenness, label=label, **look)
            axes[1].plot([R for _, R in rows], evenness, **look)
    for ax, letter in zip(axes, "ab", strict=True):
        ax.axhline(bare, color=style.GREY, lw=0.8, ls=":")
        ax.axhline(1.0, color=style.BLACK, lw=0.5)
        ax.set_xscale("log")
        style.panel(ax, letter)
    axes[0].text(THICKNESSES_UM[-1], bare, "no coat", ha="right", va="bottom", fontsize=7)
    axes[0].plot([], [], color=style.BLACK, label="on the lithium")
    axes[0].plot([], [], color=style.BLACK, ls="--", label="on the electrolyte")
    axes[0].set(xlabel="thickness of the coat (µm)",
                ylabel="largest over mean current at lithium")  # fmt: skip
    axes[0].set_xticks(THICKNESSES_UM, [f"{t:g}" for t in THICKNESSES_UM])
    axes[0].minorticks_off()
    axes[1].set(xlabel="resistance that the coat adds (Ω cm²)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    style.save(fig, target.parent, target.stem, pdf=False)


def main(target: Path) -> None:
    bare, R0 = solved(0.0, 1.0)
    print(f"without a coat: {bare:.3f}, {R0:.2f} ohm cm^2\n", flush=True)
    rows = [
        "coat,conductivity [S/cm],thickness [um],period [um],largest over mean,added [ohm*cm^2]",
        f"none,,0,4,{bare:.5f},0",
    ]
    found: dict[bool, dict[tuple[float, float], Any]] = {False: {}, True: {}}
    for above, values in found.items():
        where = "on the electrolyte" if above else "on the lithium"
        for k in CONDUCTIVITIES_S_CM:
            for t in THICKNESSES_UM:
                largest, R = solved(t, k, above=above)
                values[k, t] = (largest, R - R0)
                rows.append(f"{where},{k:g},{t:g},4,{largest:.5f},{R - R0:.5g}")
        print(table(where, {at: f"{v[0]:.3f}" for at, v in values.items()}), end="\n\n", flush=True)
        print(table("adds [Ω cm²]", {at: f"{v[1]:.2f}" for at, v in values.items()}),
              end="\n\n", flush=True)  # fmt: skip
    print("| period | no coat | coat of {:g} µm, {:g} S/cm |\n|---|---|---|".format(*COAT))
    for pitch in PITCHES_UM:
        pair = solved(0.0, 1.0, pitch=pitch), solved(*COAT, pitch=pitch)
        print(f"| {pitch:g} µm | {pair[0][0]:.3f} | {pair[1][0]:.3f} |", flush=True)
        rows.append(f"none,,0,{pitch:g},{pair[0][0]:.5f},0")
        rows.append(f"on the lithium,{COAT[1]:g},{COAT[0]:g},{pitch:g},{pair[1][0]:.5f},"
                    f"{pair[1][1] - pair[0][1]:.5g}")  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(rows) + "\n")
    draw(target, bare, found)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/artificial_interphase.csv"))
