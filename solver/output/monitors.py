"""What the monitors of a run in time are called in words, and in which units they are shown.

The names are those of the columns of ``history.csv``. A monitor that is not listed here is shown
under its own name, in SI or in the unit that its column has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Columns of the march itself; all others are monitors.
MARCH = ("time", "step", "phase", "cycle", "dt", "newton", "error")
#: Ends of names that say what an unlisted monitor is.
_ENDINGS = {
    "pressure": ("MPa", 1e6), "stress": ("MPa", 1e6), "density": ("mA/cm^2", 10.0),
    "time": ("s", 1.0), "potential": ("mV", 1e-3), "overpotential": ("mV", 1e-3),
}  # fmt: skip


@dataclass(frozen=True)
class Monitor:
    """How a monitor is shown.

    Attributes:
        words: Its name in a sentence.
        unit: Unit that is shown, in plain text; empty for a number.
        scale: SI per shown unit.
    """

    words: str
    unit: str
    scale: float

    def shown(self, value: float, digits: int = 4) -> str:
        """Value [SI] as text with its unit."""
        text = f"{value / self.scale + 0.0:.{digits}g}"
        return f"{text} {self.unit}".rstrip() if self.unit != "%" else f"{text} %"


_K = ("MPa m^0.5", 1e6)
MONITORS: dict[str, Monitor] = {
    "voltage": Monitor("voltage", "mV", 1e-3),
    "overpotential": Monitor("overpotential", "mV", 1e-3),
    "current_density": Monitor("current density", "mA/cm^2", 10.0),
    "current_density_max": Monitor("largest current density", "mA/cm^2", 10.0),
    "current_factor": Monitor("largest over mean current", "", 1.0),
    "capacity": Monitor("capacity", "mAh/cm^2", 3.6e4),
    "pressure_max": Monitor("largest pressure", "MPa", 1e6),
    "pressure_mean": Monitor("mean pressure", "MPa", 1e6),
    "stack_pressure": Monitor("stack pressure", "MPa", 1e6),
    "K_I": Monitor("K_I", *_K),
    "K_ratio": Monitor("K_I/K_IC", "", 1.0),
    "contact": Monitor("contact", "%", 1e-2),
    "fill": Monitor("fill", "%", 1e-2),
    "current_share": Monitor("share of the current", "%", 1e-2),
    "expelled": Monitor("expelled lithium", "%", 1e-2),
    "extrusion": Monitor("extrusion", "um", 1e-6),
    "root_pressure": Monitor("pressure at the root", "MPa", 1e6),
    "root_gap": Monitor("gap at the root", "nm", 1e-9),
    "plate_displacement": Monitor("displacement of the stack", "um", 1e-6),
    "penetration": Monitor("penetration", "nm", 1e-9),
    "void_area": Monitor("void area", "um^2", 1e-12),
    "void_volume": Monitor("void volume", "um^3", 1e-18),
    "stack_displacement": Monitor("stack displacement", "um", 1e-6),
    "small_strain": Monitor("largest small strain", "%", 1e-2),
    "plastic_strain_max": Monitor("largest plastic strain", "%", 1e-2),
    "gap_max": Monitor("largest gap", "nm", 1e-9),
    "front_thickness": Monitor("mean thickness of the layer", "um", 1e-6),
    "front_furthest": Monitor("largest thickness of the layer", "um", 1e-6),
    "front_nearest": Monitor("smallest thickness of the layer", "um", 1e-6),
    "front_roughness": Monitor("roughness of the front", "um", 1e-6),
    "lithium_potential_min": Monitor("lowest potential of lithium in the layer", "mV", 1e-3),
    "reaction_current_density": Monitor("current density of the reaction", "mA/cm^2", 10.0),
    "tension_electrolyte": Monitor("largest tension in the electrolyte", "MPa", 1e6),
    "strength_ratio": Monitor("tension over strength", "", 1.0),
    "layer_thickness": Monitor("thickness of the layer", "um", 1e-6),
    "layer_resistance": Monitor("resistance of the layer", "ohm cm^2", 1e-4),
    "layer_voltage": Monitor("voltage of the layer", "mV", 1e-3),
}
#: Monitors that measure an error: what has to balance, and the largest relative imbalance.
CHECKS: dict[str, tuple[str, float]] = {
    "mass_defect": ("plated volume", 1e-10),
    "volume_defect": ("volume of the layer", 1e-10),
    "charge_defect": ("charge at the electrodes", 1e-10),
    "force_imbalance": ("forces", 1e-6),
}
_OF_LAYERS = ("layer_thickness", "layer_resistance", "layer_voltage")
#: Of each step, so that its course says little.
_OF_STEPS = ("dissipation", "work", "penetration", "electrolyte_reached")


def monitor(name: str) -> Monitor:
    """How a monitor is shown, whatever its name."""
    known = MONITORS.get(name)
    if known is not None:
        return known
    for layer in _OF_LAYERS:  # of one of several electrodes
        if name.startswith(layer + "_"):
            known = MONITORS[layer]
            return Monitor(f"{known.words}, {name[len(layer) + 1 :]}", known.unit, known.scale)
    for ending, (unit, scale) in _ENDINGS.items():
        if name == ending or name.endswith("_" + ending):
            return Monitor(name.replace("_", " "), unit, scale)
    return Monitor(name.replace("_", " "), "", 1.0)


def clock(seconds: float) -> str:
    """A time in words, to three digits or two units: ``1 h 12 min``, ``35.2 s``."""
    if not math.isfinite(seconds):
        return "ever"
    if abs(seconds) < 59.95:
        return f"{seconds:.3g} s"
    minutes = seconds / 60
    if minutes < 59.5:
        whole, rest = divmod(round(seconds), 60)
        return f"{whole} min {rest} s" if rest and whole < 10 else f"{round(minutes)} min"
    hours, rest = divmod(round(minutes), 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(round(seconds / 3600), 24)
    return f"{days} d {rest} h" if rest else f"{days} d"


def time_unit(span: float) -> tuple[str, float]:
    """Unit for an axis of times up to ``span`` [s], and how many seconds it has."""
    for unit, seconds, least in (("d", 86400.0, 4.0), ("h", 3600.0, 1.5), ("min", 60.0, 3.0)):
        if span >= least * seconds:
            return unit, seconds
    return ("s", 1.0) if span >= 0.1 or span <= 0 else ("ms", 1e-3)


def physical(history: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """The monitors that describe the cell, not the accuracy: those to draw and to tabulate."""
    left_out = (*CHECKS, *_OF_STEPS)
    return {name: column for name, column in numeric(history).items() if name not in left_out}


def numeric(history: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """The monitors of a history that hold at least one finite number, each of shape (n,)."""
    found = {}
    for name, values in history.items():
        if name in MARCH or np.asarray(values).dtype.kind not in "fiub":
            continue
        column = np.asarray(values, float)
        if np.isfinite(column).any():
            found[name] = column
    return found
