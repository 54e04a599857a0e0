"""Answers what a reaction layer does over time, without a mesh: ``ssbmech interphase``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import units
from ssbmech.build_interphase import InterphaseSetup, interphase_setup, validated, with_values
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.errors import CaseError
from ssbmech.interphase.laws import Conditions
from ssbmech.interphase.stress import Film, coupled_step
from ssbmech.interphase.uncertainty import Table, run_samples
from ssbmech.materials import library


@dataclass(frozen=True)
class Answer:
    """Growth over time of a planar layer on a rigid plate.

    Attributes:
        setup: The law with its sources.
        material: Name of the electrolyte's set, or empty.
        times: [s], (n,).
        thickness: [m], (n,).
        resistance: Of the layer [ohm m^2], (n,), or None without an ionic conductivity.
        film: The layer as a film, or None without elastic constants.
        current_density: Plating [A/m^2].
    """

    setup: InterphaseSetup
    material: str
    times: NDArray
    thickness: NDArray
    resistance: NDArray | None
    film: Film | None
    current_density: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        e, s = self.setup.expansion, self.setup
        return {
            "material": self.material or None,
            "time": self.times.tolist(),
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
        lines = [f"{'time':>12}  {'thickness':>12}" + ("  resistance" if self._resists else "")]
        for i, t in enumerate(self.times):
            cells = f"{_hours(t):>12}  {show(self.thickness[i], 'length'):>12}"
            if self.resistance is not None:
                cells += f"  {show(self.resistance[i], 'area_specific_resistance')}"
            lines.append(cells)
        strain = f"{e.in_plane:.4f} in the plane, {e.normal:.4f} along the normal"
        lines.append(f"growth strain  {strain} (volume {e.volume_change:+.1%})")
        if self.film is not None:
            stress = show(float(self.film.stress(0.0)), "pressure")
            lines.append(f"in-plane stress of the layer on a rigid plate, elastic  {stress}")
        lines += [f"source: {key}: {text}" for key, text in self.setup.sources.items()]
        if self.setup.unverified:
            lines.append(f"unverified: {', '.join(self.setup.unverified)}")
        return "\n".join([*lines, *(f"note: {n}" for n in self.setup.notes)])

    @property
    def _resists(self) -> bool:
        return self.resistance is not None


def answer(
    values: Mapping[str, Any] | InterphaseBlock,
    times: Sequence[float | str],
    *,
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
    block = values if isinstance(values, InterphaseBlock) else block_of(values)
    setup = interphase_setup(block, library.get(material, extra) if material else None)
    at = np.array([_si(t, "time", "time") for t in times])
    if at.size == 0 or (at < 0.0).any():
        raise CaseError(
            "must not be negative", key="time", value=list(times),
            allowed="one time or more, from 0 s on",
        )  # fmt: skip
    film = None
    if E is not None:
        film = Film(_si(E, "pressure", "E"), nu, setup.expansion)
    elif setup.coupling is not None:
        raise CaseError("stress acts on the growth: give the stiffness of the layer", key="E",
                        allowed="such as '50 GPa'")  # fmt: skip
    i = _si(current_density, "current_density", "current")
    now = Conditions(
        current_density=i,
        potential=None if potential is None else _si(potential, "potential", "potential"),
    )
    thickness = np.array([_grown(setup, film, float(t), now) for t in at])
    R = None if setup.ionic is None else thickness / setup.ionic
    return Answer(setup, material, at, thickness, R, film, i)


def _grown(setup: InterphaseSetup, film: Film | None, time: float, now: Conditions) -> float:
    if setup.coupling is None or film is None:
        return float(setup.law.advance(setup.initial, time, now))
    # on a rigid plate the work does not change, and one step is exact
    return float(coupled_step(setup.law, setup.coupling, film.work, setup.initial, time, now))


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


def _si(value: float | str, dimension: str, key: str) -> float:
    return units.quantity(value, dimension, key=key) if isinstance(value, str) else float(value)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600.0:.4g} h" if seconds >= 3600.0 else f"{seconds:.4g} s"
