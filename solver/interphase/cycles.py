"""A layer that grows while the potential is outside the window, cycle by cycle.

A cycle is a list of dwells, a time at a potential each. Every dwell is one exact step of the law.
With a constant resistance of the reaction R and the conductivity s of the layer, n cycles of the
dose W = sum w dt, w the volts outside the window, give (`laws.WindowSource`)

    R delta + delta^2/(2 s) = v W n:   linear in n while R rules, as the root of n when delta does.

The layer polarises the cell by i delta/s_i, i the current that passes and s_i its conductivity for
ions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.build_interphase import with_values
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.errors import CaseError
from ssbmech.interphase.answer import Layer, block_of, hours, layer_of, si
from ssbmech.interphase.laws import Conditions, WindowSource
from ssbmech.interphase.uncertainty import Table, run_samples

#: Lines of the table that is printed; all cycles are in the file.
_SHOWN = 21


@dataclass(frozen=True)
class Cycled:
    """The layer after each cycle.

    Attributes:
        layer: Its law with the sources.
        dwells: Time [s] and potential [V against lithium] of each dwell of a cycle.
        current_density: At which the polarisation is given [A/m^2].
        thickness: After each cycle [m], (n,).
    """

    layer: Layer
    dwells: tuple[tuple[float, float], ...]
    current_density: float
    thickness: NDArray[np.float64]

    @property
    def period(self) -> float:
        """Of a cycle [s]."""
        return sum(time for time, _ in self.dwells)

    @property
    def cycle(self) -> NDArray[np.int64]:
        """Number of each cycle, (n,)."""
        return np.arange(1, len(self.thickness) + 1)

    @property
    def time(self) -> NDArray:
        """At the end of each cycle [s], (n,)."""
        return self.period * self.cycle

    @property
    def conductivity(self) -> float:
        """Of the layer for ions [S/m]; the law window has one."""
        assert self.layer.setup.ionic is not None
        return self.layer.setup.ionic

    @property
    def resistance(self) -> NDArray:
        """After each cycle [ohm m^2], (n,)."""
        return self.thickness / self.conductivity

    @property
    def polarisation(self) -> NDArray:
        """|i| delta/s_i after each cycle [V], (n,)."""
        return abs(self.current_density) * self.resistance

    @property
    def outside(self) -> tuple[float, ...]:
        """Volts outside the window in each dwell [V]."""
        law = _window(self.layer)
        return tuple(float(law.outside(E)) for _, E in self.dwells)

    @property
    def dose(self) -> float:
        """Volt-seconds outside the window per cycle."""
        return sum(t * w for (t, _), w in zip(self.dwells, self.outside, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        s = self.layer.setup
        return {
            "material": self.layer.material or None,
            "dwells": [{"time": t, "potential": E, "outside": w}
                       for (t, E), w in zip(self.dwells, self.outside, strict=True)],
            "dose_per_cycle": self.dose,
            "current_density": self.current_density,
            "cycle": self.cycle.tolist(),
            "time": self.time.tolist(),
            "thickness": self.thickness.tolist(),
            "resistance": self.resistance.tolist(),
            "polarisation": self.polarisation.tolist(),
            "sources": s.sources,
            "unverified": list(s.unverified),
            "notes": list(s.notes),
        }  # fmt: skip

    def text(self) -> str:
        """Return the table that the command prints."""
        show = units.show
        lines = [f"{'cycle':>6}  {'time':>10}  {'thickness':>11}  {'resistance':>13}  polarisation"]
        n = len(self.thickness)
        rows = np.unique(np.linspace(0, n - 1, min(n, _SHOWN)).round().astype(int))
        for k in rows:
            R = show(self.resistance[k], "area_specific_resistance")
            lines.append(
                f"{k + 1:>6}  {hours(self.time[k]):>10}  {show(self.thickness[k], 'length'):>11}  "
                f"{R:>13}  {show(self.polarisation[k], 'potential')}"
            )
        for (t, E), w in zip(self.dwells, self.outside, strict=True):
            where = f"{show(w, 'potential')} outside the window" if w else "inside the window"
            lines.append(f"dwell: {hours(t)} at {E:g} V, {where}")
        lines.append(f"polarisation at {show(self.current_density, 'current_density')}")
        lines += [f"source: {key}: {text}" for key, text in self.layer.setup.sources.items()]
        if self.layer.setup.unverified:
            lines.append(f"unverified: {', '.join(self.layer.setup.unverified)}")
        return "\n".join([*lines, *(f"note: {text}" for text in self.layer.setup.notes)])

    def csv_lines(self) -> list[str]:
        """A row per cycle, SI."""
        head = "cycle,time [s],thickness [m],resistance [ohm*m^2],polarisation [V]"
        columns = (self.time, self.thickness, self.resistance, self.polarisation)
        rows = zip(self.cycle, *columns, strict=True)
        return [head, *(",".join([str(n), *(f"{v:.10g}" for v in row)]) for n, *row in rows)]


def cycled(
    values: Mapping[str, Any] | InterphaseBlock,
    dwells: Sequence[tuple[float | str, float | str]],
    cycles: int,
    *,
    current_density: float | str = 0.0,
    **given: Any,
) -> Cycled:
    """Cycle the potential of an electrode about the window of its electrolyte.

    Args:
        values: An interphase block of the law ``window``, or its keys and texts.
        dwells: Time [s] and potential [V against lithium] of each; texts have their units.
        cycles: How many, at least 1.
        current_density: At which the polarisation is given [A/m^2].
        **given: ``material``, ``E``, ``nu``, ``extra`` of `answer`.

    Raises:
        CaseError: For values that are refused.
        MaterialError: For an unknown set, or a value that is neither given nor in the set.
    """
    block = values if isinstance(values, InterphaseBlock) else block_of(values)
    if block.law != "window":
        raise CaseError("cycles of a potential act on the law window alone", key="interphase.law",
                        value=block.law, allowed="window")  # fmt: skip
    if cycles < 1:
        raise CaseError("is out of range", key="cycles", value=cycles, allowed="1 or more")
    if not dwells:
        raise CaseError("a cycle needs a dwell", key="dwell",
                        allowed="a time and a potential, such as '2 h' '0.1 V'")  # fmt: skip
    steps = tuple((si(t, "time", "dwell"), si(E, "potential", "dwell")) for t, E in dwells)
    for (t, _), (text, _) in zip(steps, dwells, strict=True):
        if t <= 0.0:
            raise CaseError("a dwell must last", key="dwell", value=text, allowed="above 0 s")
    layer = layer_of(block, **given)
    delta, after = layer.setup.initial, np.empty(cycles)
    for n in range(cycles):
        for time, potential in steps:
            delta = layer.grown(delta, time, Conditions(potential=potential))
        after[n] = delta
    i = si(current_density, "current_density", "current")
    found = Cycled(layer, steps, i, after)
    if found.dose == 0.0:
        law = _window(layer)
        raise CaseError(
            "every dwell lies inside the window: nothing grows", key="dwell",
            value=[E for _, E in dwells],
            allowed=f"a potential below {law.reduction:g} V or above {law.oxidation:g} V",
        )  # fmt: skip
    return found


def sampled_cycles(
    values: Mapping[str, Any] | InterphaseBlock,
    dwells: Sequence[tuple[float | str, float | str]],
    cycles: int,
    n: int,
    path: Path,
    *,
    seed: int = 0,
    show: bool = True,
    **given: Any,
) -> Table:
    """`cycled` over the ranges of its inputs: the answers after the last cycle.

    Args:
        values: As `cycled`.
        dwells: As `cycled`.
        cycles: As `cycled`.
        n: Number of samples.
        path: CSV file, which is continued where it exists.
        seed: Of the sample.
        show: Whether to show a bar.
        **given: Other arguments of `cycled`.

    Raises:
        CaseError: As `cycled`, or if nothing has a range.
    """
    block = values if isinstance(values, InterphaseBlock) else block_of(values)
    ranges = cycled(block, dwells, 1, **given).layer.setup.ranges

    def one(**inputs: float) -> dict[str, float]:
        found = cycled(with_values(block, inputs), dwells, cycles, **given)
        return {
            "thickness": float(found.thickness[-1]), "resistance": float(found.resistance[-1]),
            "polarisation": float(found.polarisation[-1]),
        }  # fmt: skip

    about = f"{block!r} {list(dwells)!r} {cycles} {sorted(given.items())!r}"
    names = ("thickness", "resistance", "polarisation")
    return run_samples(one, ranges, n, path, answers=names, seed=seed, about=about, show=show)


def _window(layer: Layer) -> WindowSource:
    law = layer.setup.law
    assert isinstance(law, WindowSource)
    return law
