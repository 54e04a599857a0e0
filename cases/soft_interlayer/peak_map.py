"""Map: largest principal stress in the electrolyte by modulus and thickness of an interlayer.

    python3 cases/soft_interlayer/peak_map.py results/soft_interlayer_peak.csv

Varies the interlayer of `blunt.toml`: thinner than the protrusion is high, and the tip of it stands
in the electrolyte; thicker, and the interlayer covers it. Prints the largest stress in the
electrolyte over the pressure of lithium, and that in the interlayer at the tip where the tip is in
it; a figure goes beside the table.

The tip is looked at by itself: beside a soft interlayer the corner in which the wall leaves the
electrolyte has a stress that grows without limit as the elements get smaller.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.config_load import load_case
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.fracture.probe import stress_at
from ssbmech.materials.library import load_library
from ssbmech.output import figures_style as style
from ssbmech.run import Result, compute

CASE = Path(__file__).parent / "blunt.toml"
MODULI_GPA = (1.0, 10.0, 50.0, 150.0, 400.0)
#: None is near the height of the protrusion: nothing would be left between two surfaces.
THICKNESSES_UM = (0.5, 1.0, 2.0, 4.0, 5.0, 8.0)
HEIGHT_UM = 3.0


@dataclass(frozen=True)
class Peaks:
    """Largest principal stresses over the pressure, with estimates of their errors.

    Attributes:
        electrolyte: In the electrolyte: at the tip, or on the interlayer that covers it.
        error: Difference to a solution of one degree less.
        interlayer: In the interlayer at the tip; None where the tip stands in the electrolyte.
    """

    electrolyte: float
    error: float
    interlayer: float | None


def solved(thickness_um: float, modulus_GPa: float, *changes: str) -> Peaks:
    """The protrusion under or through an interlayer; more ``key=value`` may be changed."""
    pierced = thickness_um < HEIGHT_UM
    walls = '["void_interlayer", "void_sse"]' if pierced else '["void_interlayer"]'
    case = load_case(
        CASE,
        (
            f"geometry.interlayer={thickness_um} um",
            f"materials.interlayer.E={modulus_GPa} GPa",
            f"filament.groups={walls}",
            f"fracture.maximum={[] if pierced else ['interlayer_electrolyte']}",
            *changes,
        ),
    )
    assert case.filament is not None and case.filament.overpotential is not None
    p = units.quantity(case.filament.overpotential, "potential") * FARADAY / LITHIUM_MOLAR_VOLUME
    found = compute(case, CASE.parent)
    finer = case.solver.model_copy(update={"degree": case.solver.degree + 1})
    tip = np.array([[0.0, (HEIGHT_UM - thickness_um) * 1e-6, 0.0]])
    at_tip = [
        largest_at(result, tip) / p
        for result in (found, compute(case.model_copy(update={"solver": finer}), CASE.parent))
    ]
    if pierced:
        return Peaks(at_tip[1], abs(at_tip[1] - at_tip[0]), None)
    (above,) = (peak for peak in found.peaks if peak.side == "electrolyte")
    return Peaks(above.value / p, above.error / p, at_tip[1])


def largest_at(result: Result, point: NDArray[np.float64]) -> float:
    """Largest principal stress [Pa] at a point [m], shape (1, 3)."""
    assert result.domain is not None and result.solution is not None
    sigma = stress_at(result.solution, np.asarray(point / result.domain.length, np.float64))
    return float(np.linalg.eigvalsh(sigma[0])[-1])


def bare() -> float:
    """The largest stress over the pressure without an interlayer: one like the electrolyte."""
    E, nu = (load_library()["LLZO"][key].value for key in ("E", "nu"))
    return solved(1.0, E / 1e9, f"materials.interlayer.nu={nu}").electrolyte


def table(title: str, values: dict[tuple[float, float], str]) -> str:
    """Rows by modulus, columns by thickness, as Markdown."""
    head = " | ".join(f"{t:g} µm" for t in THICKNESSES_UM)
    lines = [f"| {title} | {head} |", "|---" * (len(THICKNESSES_UM) + 1) + "|"]
    for modulus in MODULI_GPA:
        cells = " | ".join(values[modulus, t] for t in THICKNESSES_UM)
        lines.append(f"| {modulus:g} GPa | {cells} |")
    return "\n".join(lines)


def draw(target: Path, found: dict[tuple[float, float], Peaks], without: float) -> None:
    """A line per modulus over the thickness: in the electrolyte, and at the tip if covered."""
    style.apply()
    fig, axes = style.figure(style.DOUBLE, 2.7, 1, 2)
    colours = (style.RED, style.ORANGE, style.GREEN, style.BLUE, style.PINK)
    thin = [t for t in THICKNESSES_UM if t < HEIGHT_UM]
    thick = [t for t in THICKNESSES_UM if t > HEIGHT_UM]
    for modulus, colour in zip(MODULI_GPA, colours, strict=False):
        look = {"color": colour, "marker": "o", "ms": 3}
        for mine in (thin, thick):
            label = f"{modulus:g} GPa" if mine is thin else None
            values = [found[modulus, t].electrolyte for t in mine]
            axes[0].plot(mine, values, label=label, **look)
        axes[1].plot(thick, [found[modulus, t].interlayer for t in thick], **look)
    for ax, letter, where in zip(axes, "ab", ("in the electrolyte", "at the tip"), strict=True):
        ax.axhline(without, color=style.GREY, lw=0.8, ls=":")
        ax.axvline(HEIGHT_UM, color=style.GREY, lw=0.8, ls=":")
        ax.set(xlabel="thickness of the interlayer (µm)", xlim=(0.0, 8.4),
               ylabel=f"largest stress {where}\nover the pressure")  # fmt: skip
        style.panel(ax, letter)
    axes[0].set(yscale="log", ylim=(0.025, 9.0))
    axes[0].text(8.2, 1.06 * without, "no interlayer", ha="right", va="bottom", fontsize=7)
    axes[0].text(0.97 * HEIGHT_UM, 0.03, "height of the\nprotrusion", fontsize=7, ha="right")
    axes[1].set(ylim=(0.0, 6.5))
    axes[1].text(0.97 * HEIGHT_UM, 0.3, "tip in the\nelectrolyte", fontsize=7, ha="right")
    fig.legend(loc="outside right center")
    style.save(fig, target.parent, target.stem, pdf=False)


def main(target: Path) -> None:
    without = bare()
    print(f"without an interlayer: {without:.2f}\n", flush=True)
    rows = ["E [GPa],thickness [um],largest stress in the electrolyte over the pressure,"
            "error estimate,in the interlayer at the tip"]  # fmt: skip
    found = {(E, t): solved(t, E) for E in MODULI_GPA for t in THICKNESSES_UM}
    for (E, t), one in found.items():
        inside = "" if one.interlayer is None else f"{one.interlayer:.4f}"
        rows.append(f"{E:g},{t:g},{one.electrolyte:.4f},{one.error:.2g},{inside}")
    electrolyte = {at: f"{one.electrolyte:.2f}" for at, one in found.items()}
    interlayer = {
        at: "" if one.interlayer is None else f"{one.interlayer:.2f}" for at, one in found.items()
    }
    print(table("electrolyte", electrolyte), table("interlayer, tip", interlayer), sep="\n\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(rows) + "\n")
    draw(target, found, without)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/soft_interlayer_peak.csv"))
