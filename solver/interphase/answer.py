"""Answers what a reaction layer does over time, without a mesh: ``ssbmech interphase``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.build_interphase import InterphaseSetup, interphase_setup, validated, with_values
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.errors import CaseError
from ssbmech.interphase.expansion import WARN
from ssbmech.interphase.laws import Conditions, Stable
from ssbmech.interphase.onset import time_of
from ssbmech.interphase.stress import Film, coupled_step
from ssbmech.interphase.uncertainty import Table, run_samples
from ssbmech.materials import library


@dataclass(frozen=True)
class Layer:
    """A planar layer on a rigid plate.

    Attributes:
        setup: The law with its sources.
        material: Name of the electrolyte's set, or empty.
        film: The layer as a film, or None without elastic constants.
    """

    setup: InterphaseSetup
    material: str
    film: Film | None

    def grown(self, start: float, time: float, now: Conditions) -> float:
        """Thickness [m] after ``time`` [s] of constant conditions, from ``start`` [m]."""
        s = self.setup
        if s.coupling is None or self.film is None:
            return float(s.law.advance(start, time, now))
        # on a rigid plate the work does not change, and one step is exact
        return float(coupled_step(s.law, s.coupling, self.film.work, start, time, now))

    def reached(self, thickness: float, now: Conditions) -> float:
        """Time [s] at which a thickness [m] is reached from the initial one; inf: never."""
        s = self.setup
        if s.coupling is not None and self.film is not None:
            now = s.coupling.conditions(float(self.film.work(thickness)), now)
        return time_of(s.law, s.initial, thickness, now)


@dataclass(frozen=True)
class Answer:
    """Growth over time of a planar layer on a rigid plate.

    Attributes:
        setup: The law with its sources.
        material: Name of the electrolyte's set, or empty.
        times: [s], (n,); inf where the law never reaches a thickness that was asked for.
        thickness: [m], (n,).
        resistance: Of the layer [ohm m^2], (n,), or None without an ionic conductivity.
        film: The layer as a film, or None without elastic constants.
        current_density: Plating [A/m^2].
        potential: Of the electrode against lithium [V], or None.
    """

    setup: InterphaseSetup
    material: str
    times: NDArray
    thickness: NDArray
    resistance: NDArray | None
    film: Film | None
    current_density: float
    potential: float | None = None

    @property
    def now(self) -> Conditions:
        """What it grew under, but for stress."""
        return Conditions(current_density=self.current_density, potential=self.potential)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        e, s = self.setup.expansion, self.setup
        return {
            "material": self.material or None,
            "time": [float(t) if math.isfinite(t) else None for t in self.times],
            "thickness": self.thickness.tolist(),
            "resistance": None if self.resistance is None else self.resistance.tolist(),
            "volume_change": e.volume_change,
            "growth_strain_normal": e.normal,
            "growth_strain_in_plane": e.in_plane,
            "film_stress": None if self.film is None else float(self.film.stress(0.0)),
            "current_density": self.current_density,
            "temperature": s.temperature,
            "sources": s.sources,
            "unverified": list(s.unverified),
            "notes": list(s.notes),
        }

    def text(self) -> str:
        """Return the table that the command prints."""
        show, e = units.show, self.setup.expansion
        timed = not isinstance(self.setup.law, Stable)
        lines = [(f"{'time':>12}  " if timed else "") + f"{'thickness':>12}"]
        lines[0] += "  resistance" if self.resistance is not None else ""
        for i, t in enumerate(self.times):
            cells = f"{hours(t):>12}  " if timed else ""
            cells += f"{show(self.thickness[i], 'length'):>12}"
            if self.resistance is not None:
                cells += f"  {show(self.resistance[i], 'area_specific_resistance')}"
            lines.append(cells)
        if e.volume_change:
            strain = f"{e.in_plane:.4f} in the plane, {e.normal:.4f} along the normal"
            lines.append(f"growth strain  {strain} (volume {e.volume_change:+.1%})")
        if self.film is not None and e.volume_change:
            stress = show(float(self.film.stress(0.0)), "pressure")
            lines.append(f"in-plane stress of the layer on a rigid plate, elastic  {stress}")
        lines += [f"source: {key}: {text}" for key, text in self.setup.sources.items()]
        if self.setup.unverified:
            lines.append(f"unverified: {', '.join(self.setup.unverified)}")
        return "\n".join([*lines, *(f"note: {n}" for n in self.setup.notes)])


def layer_of(
    values: Mapping[str, Any] | InterphaseBlock,
    *,
    material: str = "",
    E: float | str | None = None,
    nu: float = 0.3,
    extra: Path | None = None,
) -> Layer:
    """A planar layer from an interphase block and a material set; arguments as `answer`."""
    block = values if isinstance(values, InterphaseBlock) else block_of(values)
    setup = interphase_setup(block, library.get(material, extra) if material else None)
    if E is not None:
        if setup.finite and abs(setup.expansion.largest) > WARN:
            text = (
                f"the stress of the layer is that of linear elasticity, an estimate at a growth "
                f"strain of {setup.expansion.largest:.2%}"
            )
            setup = replace(setup, notes=(*setup.notes, text))
        return Layer(setup, material, Film(si(E, "pressure", "E"), nu, setup.expansion))
    if setup.coupling is not None:
        raise CaseError("stress acts on the growth: give the stiffness of the layer", key="E",
                        allowed="such as '50 GPa'")  # fmt: skip
    return Layer(setup, material, None)


def answer(
    values: Mapping[str, Any] | InterphaseBlock,
    times: Sequence[float | str] = (),
    *,
    thicknesses: Sequence[float | str] = (),
    material: str = "",
    current_density: float | str = 0.0,
    potential: float | str | None = None,
    E: float | str | None = None,
    nu: float = 0.3,
    extra: Path | None = None,
) -> Answer:
    """Grow a planar layer under constant conditions.

    Args:
        values: An interphase block, or its keys and texts, e.g. ``{"law": "self_limiting",
            "growth_constant": "1e-19 m^2/s", "expansion.volume_change": 0.3}``.
        times: At which the layer is asked for [s]; texts have their unit.
        thicknesses: Instead of times: of the layer [m]; when it has them is asked for.
        material: Set of the library for what is not given; empty: none.
        current_density: Plating [A/m^2].
        potential: Of the electrode against lithium [V], for the window law.
        E: Young's modulus of the layer [Pa]; None: no stress, and none acts on the growth.
        nu: Its Poisson's ratio.
        extra: A file with more sets.

    Raises:
        CaseError: For values that are refused.
        MaterialError: For an unknown set, or a value that is neither given nor in the set.
    """
    layer = layer_of(values, material=material, E=E, nu=nu, extra=extra)
    if bool(times) == bool(thicknesses):
        raise CaseError("give either times or thicknesses", key="time", value=list(times),
                        allowed="one time or more, or one thickness or more")  # fmt: skip
    i = si(current_density, "current_density", "current")
    E_electrode = None if potential is None else si(potential, "potential", "potential")
    now = Conditions(current_density=i, potential=E_electrode)
    if times:
        at = _listed(times, "time", "time", "one time or more, from 0 s on", least=0.0)
        thickness = np.array([layer.grown(layer.setup.initial, float(t), now) for t in at])
    else:
        thickness = _listed(thicknesses, "length", "thickness", "above 0 nm", least=1e-15)
        at = np.array([layer.reached(float(d), now) for d in thickness])
    setup = layer.setup
    R = None if setup.ionic is None else thickness / setup.ionic
    return Answer(setup, material, at, thickness, R, layer.film, i, E_electrode)


def _listed(
    given: Sequence[float | str], dimension: str, key: str, allowed: str, *, least: float
) -> NDArray:  # fmt: skip
    values = np.array([si(v, dimension, key) for v in given])
    if (values < least).any():
        raise CaseError("must not be negative" if least == 0.0 else "must be positive", key=key,
                        value=list(given), allowed=allowed)  # fmt: skip
    return values


def block_of(values: Mapping[str, Any]) -> InterphaseBlock:
    """A block from dotted keys and texts.

    Raises:
        CaseError: With every fault in one message.
    """
    data: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        place = data
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return validated(data)


def sampled(
    values: Mapping[str, Any] | InterphaseBlock,
    times: Sequence[float | str],
    n: int,
    path: Path,
    *,
    seed: int = 0,
    show: bool = True,
    **given: Any,
) -> Table:
    """`answer` over the ranges of its inputs: thickness, resistance and stress at the last time.

    Args:
        values: As `answer`.
        times: As `answer`; the last one counts.
        n: Number of samples.
        path: CSV file, which is continued where it exists.
        seed: Of the sample.
        show: Whether to show a bar.
        **given: Other arguments of `answer`.

    Raises:
        CaseError: As `answer`, or if nothing has a range.
    """
    block = values if isinstance(values, InterphaseBlock) else block_of(values)
    middle = answer(block, times, **given)

    def one(**inputs: float) -> dict[str, float]:
        a = answer(with_values(block, inputs), times[-1:], **given)
        found = {"thickness": float(a.thickness[-1])}
        if a.resistance is not None:
            found["resistance"] = float(a.resistance[-1])
        if a.film is not None:
            found["film_stress"] = float(a.film.stress(a.thickness[-1]))
        return found

    names = ["thickness"]
    names += ["resistance"] if middle.resistance is not None else []
    names += ["film_stress"] if middle.film is not None else []
    about = f"{block!r} {times[-1]!r} {sorted(given.items())!r}"
    return run_samples(
        one, middle.setup.ranges, n, path, answers=names, seed=seed, about=about, show=show
    )


def si(value: float | str, dimension: str, key: str) -> float:
    """A number in SI; a text has its unit."""
    return units.quantity(value, dimension, key=key) if isinstance(value, str) else float(value)


def hours(seconds: float) -> str:
    """A time for a table."""
    if math.isinf(seconds):
        return "never"
    return f"{seconds / 3600.0:.4g} h" if seconds >= 3600.0 else f"{seconds:.4g} s"
