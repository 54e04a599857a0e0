"""A conforming layer that thickens and pushes: one mesh and one linear problem per thickness.

The layer is drawn at the depth of electrolyte that it has used up, delta/(1 + dV/V), which is its
place in the body before the reaction; its growth strain takes it to the thickness delta. The body
is linear, so its stress is proportional to the growth strain; and with all moduli scaled alike it
scales with them, so that at given Poisson's ratios only the ratio of stiffness of layer and
electrolyte needs more than one solution (`Response`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError
from ssbmech.formula import Formula
from ssbmech.fracture.probe import stress_at
from ssbmech.fracture.rings import RingOptions, fracture
from ssbmech.problem import Material, Problem
from ssbmech.solve import ElasticSystem

#: Name of a stress and its place in the tensor, by model; "first" is the first principal one.
AXISYMMETRIC = {"radial": (0, 0), "axial": (1, 1), "hoop": (2, 2)}
CARTESIAN = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2)}
#: What each component opens.
OPENS = {
    "hoop": "radial crack",
    "radial": "circumferential crack",
    "axial": "crack across the axis",
    "xx": "crack across x",
    "yy": "crack across y",
    "zz": "crack across z",
}


@dataclass(frozen=True)
class Line:
    """Places at which the stress is followed.

    Attributes:
        name: In tables.
        places: [m], (n, 3).
    """

    name: str
    places: NDArray[np.float64]

    @classmethod
    def between(cls, name: str, start: Sequence[float], end: Sequence[float], n: int) -> Line:
        """Evenly spaced places from start to end [m]."""
        a, b = (np.append(np.asarray(p, float), [0.0] * (3 - len(p))) for p in (start, end))
        t = np.linspace(0.0, 1.0, n) if n > 1 else np.zeros(1)
        return cls(name, a + t[:, None] * (b - a))

    @property
    def distance(self) -> NDArray[np.float64]:
        """From its first place [m], (n,)."""
        return np.linalg.norm(self.places - self.places[0], axis=1)


@dataclass(frozen=True)
class Posed:
    """A body with the layer at one depth.

    Attributes:
        problem: With the growth strain of the layer among its eigenstrains.
        cracks: Whose intensities are wanted (`ssbmech.fracture.front.Crack`).
        cells: Of its mesh, for the record.
    """

    problem: Problem
    cracks: tuple[Any, ...] = ()
    cells: int = 0


@dataclass(frozen=True)
class Step:
    """What one depth gives.

    Attributes:
        depth: Of electrolyte used up [m].
        pressure: Mean pressure of the layer [Pa].
        energy: Strain energy [J], of plane models [J/m].
        fronts: Front to the largest K_I along it [Pa m^0.5] and the largest J [J/m^2].
        stress: Line to stress [Pa], (n, 3, 3).
        cells: Of the mesh.
        inside: Fronts that lie in the layer.
    """

    depth: float
    pressure: float
    energy: float
    fronts: dict[str, dict[str, float]]
    stress: dict[str, NDArray[np.float64]]
    cells: int
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Steps over the depth, at one stiffness of the layer.

    Attributes:
        model: Mechanical model, which names the stresses.
        lines: Places.
        steps: By rising depth.
    """

    model: str
    lines: tuple[Line, ...]
    steps: tuple[Step, ...]

    @property
    def depths(self) -> NDArray[np.float64]:
        """[m], (n,)."""
        return np.array([s.depth for s in self.steps])

    @property
    def components(self) -> dict[str, tuple[int, int]]:
        """Names of the stresses."""
        return components_of(self.model)

    def curve(self, line: str, component: str) -> NDArray[np.float64]:
        """Stress [Pa] over depth at every place of a line, (n, m)."""
        i, j = self.components[component]
        return np.array([s.stress[line][:, i, j] for s in self.steps])

    def intensity(self, front: str, name: str = "K_I") -> NDArray[np.float64]:
        """K_I [Pa m^0.5] or J [J/m^2] of a front over depth, (n,); NaN where it has none."""
        return np.array([s.fronts.get(front, {}).get(name, np.nan) for s in self.steps])

    def in_layer(self, front: str) -> bool:
        """Whether a front lies in the layer at all depths."""
        return all(front in s.inside for s in self.steps)

    @property
    def fronts(self) -> tuple[str, ...]:
        """Names of all fronts."""
        return tuple(dict.fromkeys(name for s in self.steps for name in s.fronts))


@dataclass(frozen=True)
class Response:
    """Series at several stiffnesses of the layer, for values in between.

    Attributes:
        ratios: E of the layer over E of the electrolyte, rising, (k,).
        series: One for each.
        nominal: Which of them has the values of the case.
        electrolyte_modulus: At which they were solved [Pa].
        strain: In-plane growth strain at which they were solved.
    """

    ratios: NDArray[np.float64]
    series: tuple[Series, ...]
    nominal: int
    electrolyte_modulus: float
    strain: float
    _curves: dict[tuple[str, str], NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @property
    def main(self) -> Series:
        """With the values of the case."""
        return self.series[self.nominal]

    def curve(
        self, where: str, component: str, *, ratio: float, modulus: float, strain: float
    ) -> NDArray[np.float64]:
        """Stress [Pa] (n, m) along a line, or K_I [Pa m^0.5] (n, 1) of a front, at other values.

        Linear in strain and in the moduli at a given ratio; over the logarithm of the ratio a
        polynomial through the solutions.

        Args:
            where: Line or front.
            component: Of the stress, or "K_I".
            ratio: E of the layer over E of the electrolyte, within those solved for.
            modulus: E of the electrolyte [Pa].
            strain: In-plane growth strain.
        """
        key = (where, component)
        if key not in self._curves:
            self._curves[key] = np.array([self._of(s, where, component) for s in self.series])
        shares = lagrange(np.log(self.ratios), float(np.log(ratio)))
        scale = modulus / self.electrolyte_modulus * strain / self.strain
        return scale * np.einsum("k,kij->ij", shares, self._curves[key])

    @staticmethod
    def _of(series: Series, where: str, component: str) -> NDArray[np.float64]:
        if component == "K_I":
            return series.intensity(where)[:, None]
        return series.curve(where, component)


class Kept(Protocol):
    """Finished steps; `ssbmech.interphase.step_store.StepStore`."""

    def get(self, depth: float, modulus: float) -> tuple[str, Step] | None:
        """Mechanical model and step at a depth [m] and stiffness [Pa], or None."""

    def keep(self, depth: float, modulus: float, model: str, step: Step) -> None:
        """Keep a step."""


def lagrange(nodes: NDArray[np.float64], x: float) -> NDArray[np.float64]:
    """Weights of the polynomial through nodes at a place, (k,)."""
    k = len(nodes)
    out = np.ones(k)
    for i in range(k):
        for j in range(k):
            if i != j:
                out[i] *= (x - nodes[j]) / (nodes[i] - nodes[j])
    return out


def components_of(model: str) -> dict[str, tuple[int, int]]:
    """Names of stresses in a model."""
    return AXISYMMETRIC if model == "axisymmetric" else CARTESIAN


def measure(
    posed: Posed,
    depth: float,
    group: str,
    lines: Sequence[Line],
    *,
    options: RingOptions | None = None,
    rtol: float = 1e-10,
) -> Step:
    """Solve one body and take from it what the series is about (collective).

    Args:
        posed: The body.
        depth: Of its layer [m].
        group: Material group of the layer.
        lines: Places.
        options: Of the contour integrals.
        rtol: Of an iterative solver.

    Raises:
        CaseError: On every rank, for a place outside the body.
    """
    system = ElasticSystem(posed.problem)
    solution = system.solve(rtol=rtol)
    stress = {}
    for line in lines:
        places = np.asarray(line.places / posed.problem.domain.length, np.float64)
        found = stress_at(solution, places)
        outside = np.isnan(found).any(axis=(1, 2))
        if outside.any():
            place = line.places[int(np.argmax(outside))] * 1e6
            raise CaseError(
                "a place of the line lies outside the body", key="interphase.grown.line",
                value=f"{line.name}: ({', '.join(f'{x:.6g}' for x in place)}) um",
            )  # fmt: skip
        stress[line.name] = found
    fronts: dict[str, dict[str, float]] = {}
    inside: list[str] = []
    for crack in posed.cracks:
        for front in fracture(solution, crack, options or RingOptions()):
            fronts[front.name] = {
                name: float(np.max(front.values[name])) for name in ("K_I", "J")
                if name in front.values
            }  # fmt: skip
            inside += [front.name] if group in front.groups else []
    pressure = system.mean_pressures()[group]
    return Step(depth, pressure, solution.strain_energy, fronts, stress, posed.cells, tuple(inside))


def respond(
    make: Callable[[float], Posed],
    depths: Sequence[float],
    group: str,
    lines: Sequence[Line],
    *,
    moduli: Sequence[float] = (),
    nominal: tuple[float, float, float],
    options: RingOptions | None = None,
    rtol: float = 1e-10,
    note: Callable[[str], None] = lambda text: None,
    kept: Kept | None = None,
) -> Response:
    """Solve for every depth, at every stiffness of the layer, on one mesh per depth (collective).

    Args:
        make: Gives the body for a depth [m].
        depths: Rising [m].
        group: Material group of the layer.
        lines: Places.
        moduli: Further Young's moduli of the layer [Pa].
        nominal: E of the layer and of the electrolyte [Pa], and the in-plane growth strain.
        options: Of the contour integrals.
        rtol: Of an iterative solver.
        note: Takes what is being done.
        kept: Steps of a run that was ended; new ones are kept there.
    """
    own, electrolyte, strain = nominal
    values = sorted({own, *moduli})
    found: list[list[Step]] = [[] for _ in values]
    model = ""
    for k, depth in enumerate(depths):
        posed: Posed | None = None
        for steps, E in zip(found, values, strict=True):
            there = kept.get(depth, E) if kept is not None else None
            if there is None:
                posed = posed or make(depth)
                body = posed if E == own else with_modulus(posed, group, E)
                step = measure(body, depth, group, lines, options=options, rtol=rtol)
                there = posed.problem.model, step
                if kept is not None:
                    kept.keep(depth, E, *there)
            model = there[0]
            steps.append(there[1])
        cells = found[0][-1].cells
        before = "" if posed is not None else ", kept"
        note(f"depth {k + 1} of {len(depths)}: {depth * 1e6:.4g} um, {cells} cells{before}")
    series = tuple(Series(model, tuple(lines), tuple(steps)) for steps in found)
    ratios = np.array(values) / electrolyte
    return Response(ratios, series, values.index(own), electrolyte, strain)


def with_modulus(posed: Posed, group: str, E: float) -> Posed:
    """The body with another Young's modulus [Pa] of one group."""
    old = posed.problem.materials[group]
    materials: Mapping[str, Material] = {
        **posed.problem.materials,
        group: Material(Formula.constant(E, "pressure"), old.nu),
    }
    return replace(posed, problem=replace(posed.problem, materials=dict(materials)))
