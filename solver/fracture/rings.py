"""From configurational forces to J, K and T on several rings, and the gate that refuses a ring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import FractureError
from ssbmech.fracture.along import FrontLine
from ssbmech.fracture.clearance import clearance as clearance_of
from ssbmech.fracture.clearance import crystal_distance, free_ends, interface_distance
from ssbmech.fracture.contour import ForceAssembler
from ssbmech.fracture.front import Crack, Curve, Tip, element_size, fronts_of
from ssbmech.fracture.state import TipMaterial
from ssbmech.fracture.tip import foreign_ends, groups_at, material_at, tip_state
from ssbmech.problem import Problem
from ssbmech.solve import Solution

#: Default rings reach this part of the way to the nearest obstacle.
_REACH = 0.8
#: Towards the centre of a curved front the auxiliary fields crowd: stay further away.
_REACH_CURVED = 0.6
#: Rings stay within a grain that reaches this many elements from the front.
_ROOM = 8.0
#: Share of its length within which a front that ends at another material is left to its ends.
_END_SHARE = 0.15
_DEFAULT_RINGS = (0.35, 0.5, 0.65, 0.8, 1.0)
_INNER = 0.4  # inner radius over outer radius of a ring


@dataclass(frozen=True)
class Ring:
    """One ring: the virtual extension is 1 within ``inner``, 0 beyond ``outer`` [m].

    Attributes:
        inner: [m].
        outer: [m].
        values: Quantity to values along the front (one value in 2-D), SI.
        refused: Why it does not count, or "".
    """

    inner: float
    outer: float
    values: dict[str, NDArray[np.float64]]
    refused: str = ""


@dataclass(frozen=True)
class FrontResult:
    """Fracture quantities of one front.

    Attributes:
        name: Front.
        s: Arc length of the points along the front [m] (0 in 2-D).
        points: Their coordinates [m], shape (n, 3).
        values: Mean over the accepted rings of ``J`` [J/m^2], ``K_I``, ``K_II``, ``K_III``
            [Pa m^0.5], ``T_stress`` [Pa], shape (n,).
        rings: All rings.
        spread: Largest deviation of an accepted ring from the mean, over sqrt(E' J).
        consistency: Largest (J - J(K))/J with J(K) = (K_I^2 + K_II^2)/E' + K_III^2/(2 mu).
        E_prime: [Pa].
        clearance: Distance to the nearest obstacle [m] and what it is.
        element_size: Mean element size at the front [m].
        width: Width of a local virtual extension along the front [m], 0 in 2-D.
        notes: Anything that limits the result, in words.
        groups: Material groups at the front.
    """

    name: str
    s: NDArray[np.float64]
    points: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    rings: tuple[Ring, ...]
    spread: float
    consistency: float
    E_prime: float
    clearance: tuple[float, str]
    element_size: float
    width: float
    notes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class RingOptions:
    """How rings are chosen and judged.

    Attributes:
        radii: Outer radii [m]; empty: chosen from the mesh and the body.
        spread_limit: A ring further than this from the median, over sqrt(E' J), is refused.
        points: Points along a 3-D front at which values are given.
        width: Spacing of the local extensions along a 3-D front [m]; 0: from mesh and rings.
    """

    radii: tuple[float, ...] = ()
    spread_limit: float = 0.02
    points: int = 41
    width: float = 0.0


def fracture(
    solution: Solution, crack: Crack, options: RingOptions | None = None
) -> list[FrontResult]:
    """J, K and T at every front of a crack.

    Raises:
        FractureError: On every rank, when no ring can be accepted.
    """
    options = options or RingOptions()
    fronts = fronts_of(solution.problem.domain, crack, solution.problem.model)
    return [_one_front(solution, crack, front, fronts, options) for front in fronts]


def governing(fronts: list[FrontResult]) -> tuple[FrontResult, int]:
    """The front and the point on it with the largest K_I (J where K has no meaning)."""

    def score(f: FrontResult) -> np.ndarray:
        return f.values.get("K_I", np.sqrt(np.abs(f.values["J"] * 1.0)))

    front = max(fronts, key=lambda f: float(score(f).max()))
    return front, int(np.argmax(score(front)))


def _one_front(
    solution: Solution,
    crack: Crack,
    front: Tip | Curve,
    siblings: list[Tip | Curve],
    options: RingOptions,
) -> FrontResult:
    p = solution.problem
    L = p.domain.length
    h = element_size(p.domain, front)
    clearance, obstacle = clearance_of(p, crack, front, siblings)
    radii = np.array(options.radii) / L
    material, why = material_at(solution, front)
    if material is not None and p.has_crystals:
        # the auxiliary fields end where crystals begin; too close to the front, J does without
        free = crystal_distance(p, front)
        if radii.min() <= free if radii.size else _REACH * free >= 4 * h:
            clearance, obstacle = min((clearance, obstacle), (free, "nearest crystal"))
        else:
            material = None
            why = (
                f"crystals begin {free * L * 1e6:.4g} um from the front: J is given, and K is not, "
                "since its auxiliary fields are isotropic and end there"
            )
    foreign = foreign_ends(p, front)
    if any(foreign):
        assert isinstance(front, Curve)
        share = _END_SHARE * 2 / sum(foreign)
        clearance, obstacle = min(
            (clearance, obstacle), (share * front.length, "ends of the front")
        )
    if not radii.size:
        reach = (_REACH_CURVED if "curvature" in obstacle else _REACH) * clearance
        if reach < 4 * h:
            raise FractureError(
                f"the front {front.name!r} has no room for a ring: the nearest obstacle "
                f"({obstacle}) is {clearance * L * 1e6:.4g} um away and elements at the front are "
                f"{h * L * 1e6:.4g} um",
                key="mesh",
                hint="Refine the mesh at the front, or give fracture.rings",
            )
        radii = _default_rings(_within_grain(p, front, reach, h), h)
    modes: tuple[str, ...] = ("I", "T") if crack.symmetry else ("I", "II", "T")
    if isinstance(front, Curve) and not crack.symmetry:
        modes = ("I", "II", "III", "T")
    if material is None:
        modes = ()
    field_ = ForceAssembler(
        solution, front, material or TipMaterial(1, 1, 1, 1, 0), float(radii.max()), modes
    ).assemble()
    line = FrontLine(
        front, radii, p.domain.comm, points=options.points, width=options.width / L, length=L
    )
    sigma22, strain11, strain33 = tip_state(solution, crack, front, line)
    rings = []
    for outer in radii:
        raw = line.project(field_, _INNER * outer, outer, 2.0 if crack.symmetry else 1.0)
        values = _values(raw, material, sigma22, strain11, strain33, crack, front)
        refused = ""
        if outer > clearance:
            refused = (
                f"its radius {outer * L * 1e6:.4g} um passes the {obstacle} at "
                f"{clearance * L * 1e6:.4g} um"
            )
        elif outer < 2 * h:
            refused = f"its radius {outer * L * 1e6:.4g} um is below two elements at the front"
        scale = {"J": solution.modulus * L, "T_stress": solution.modulus}
        values = {k: v * scale.get(k, solution.modulus * np.sqrt(L)) for k, v in values.items()}
        rings.append(Ring(_INNER * outer * L, outer * L, values, refused))
    E_prime = (material.E_prime if material else np.nan) * solution.modulus
    if any(foreign):
        line.s, line.points, rings = _inside(
            line, rings, float(radii.max()) + 2 * line.width, foreign, L
        )
    result = _judge(front, line, rings, E_prime, material, options, (clearance * L, obstacle), h, L)
    limits = (*((why,) if why else ()), *solution.notes)
    result = replace(result, notes=(*limits, *result.notes), groups=groups_at(p, front))
    if any(foreign):
        note = (
            f"{front.name}: the crack front ends at another material, where the stress is not "
            f"1/sqrt(r); values begin {(radii.max() + 2 * line.width) * L * 1e6:.3g} um from there"
        )
        result = replace(result, notes=(*result.notes, note))
    if free_ends(p, front):
        note = (
            f"{front.name}: the crack front ends at a free surface, where the stress is not "
            "1/sqrt(r); K at that end is what the rings see"
        )
        result = replace(result, notes=(*result.notes, note))
    return result


def _default_rings(reach: float, h: float) -> NDArray[np.float64]:
    """Five outer radii up to a reach, none below two elements at the front."""
    radii: NDArray = reach * np.array(_DEFAULT_RINGS)
    if radii[0] < 2 * h:
        radii = np.linspace(min(2.01 * h, reach), reach, len(radii))
    return np.asarray(radii, dtype=np.float64)


def _inside(
    line: FrontLine, rings: list[Ring], margin: float, ends: tuple[bool, bool], L: float
) -> tuple[NDArray, NDArray, list[Ring]]:
    """Arc lengths, points and rings without what lies within a margin of some of the ends.

    The margin is a ring and two splines: what an end does to its spline dies down over that.
    """
    kept = (line.s >= margin * ends[0]) & (line.s <= line.s[-1] - margin * ends[1])
    if kept.sum() < 2:
        raise FractureError(
            "the rings are too large for a front that ends at another material",
            key="fracture.rings", value=margin * L * 1e6,
            allowed=f"below {0.4 * line.s[-1] * L * 1e6:.4g} um", hint="Give smaller rings",
        )  # fmt: skip
    cut = [replace(r, values={k: v[kept] for k, v in r.values.items()}) for r in rings]
    return line.s[kept], line.points[kept], cut


def _within_grain(p: Problem, front: Tip | Curve, reach: float, h: float) -> float:
    """Reach of rings that stay off the boundaries of crystals, where the grain has room for them.

    The domain integral has a term for these, which is as good as the stress on either side: the
    corners of a boundary that follows voxels make it poor. What crosses none needs none.
    """
    if not p.has_crystals:
        return reach
    inside = _REACH * interface_distance(p, front)
    return min(reach, inside) if inside >= _ROOM * h else reach


def _judge(
    front: Tip | Curve,
    line: FrontLine,
    rings: list[Ring],
    E_prime: float,
    material: TipMaterial | None,
    options: RingOptions,
    clearance: tuple[float, str],
    h: float,
    L: float,
) -> FrontResult:
    """Refuse rings that disagree with their neighbours; average the rest."""
    judged_by = ("K_I", "K_II", "K_III") if material else ("J",)
    notes: list[str] = []
    while True:
        accepted = [r for r in rings if not r.refused]
        if not accepted:
            reasons = "; ".join(f"{r.outer * 1e6:.4g} um: {r.refused}" for r in rings)
            raise FractureError(
                f"no ring around the front {front.name!r} can be accepted ({reasons})",
                key="fracture.rings",
                hint="Give radii within the body, or refine the mesh at the front",
            )
        median = {
            k: np.median([r.values[k] for r in accepted], axis=0)
            for k in judged_by
            if k in accepted[0].values
        }
        J = np.median([r.values["J"] for r in accepted], axis=0)
        reference = np.sqrt(E_prime * np.abs(J).max()) if material else np.abs(J).max()
        off = [
            max(float(np.abs(r.values[k] - m).max()) for k, m in median.items())
            / max(reference, 1e-300)
            for r in accepted
        ]
        worst = int(np.argmax(off))
        if off[worst] <= options.spread_limit or reference == 0:
            break
        bad = accepted[worst]
        rings[rings.index(bad)] = Ring(
            bad.inner,
            bad.outer,
            bad.values,
            f"it differs from the median ring by {off[worst]:.2%}, limit "
            f"{options.spread_limit:.2%}",
        )
        if len(accepted) <= 2:
            reasons = "; ".join(f"{r.outer * 1e6:.4g} um: {r.refused or 'kept'}" for r in rings)
            raise FractureError(
                f"the rings around the front {front.name!r} disagree ({reasons})",
                key="fracture.rings",
                hint="Refine the mesh at the front; a material or load that the rings do not see "
                "as it is would show in this way too",
            )
    values = {k: np.mean([r.values[k] for r in accepted], axis=0) for k in accepted[0].values}
    consistency = 0.0
    if material:
        J_of_K = (values["K_I"] ** 2 + values["K_II"] ** 2) / E_prime
        J_of_K = J_of_K + values["K_III"] ** 2 * (1 + material.nu) / (
            material.E * E_prime / material.E_prime
        )
        largest = max(float(np.abs(values["J"]).max()), 1e-300)
        consistency = float(np.abs(values["J"] - J_of_K).max()) / largest
    if np.any(values.get("K_I", np.zeros(1)) < -1e-6 * max(reference, 1e-300)):
        notes.append("K_I is negative somewhere: the faces would overlap; contact is not modelled")
    return FrontResult(
        name=front.name,
        s=line.s * L,
        points=line.points * L,
        values=values,
        rings=tuple(rings),
        spread=float(max(off)),
        consistency=consistency,
        E_prime=E_prime,
        clearance=clearance,
        element_size=h * L,
        width=line.width * L,
        notes=tuple(notes),
    )


def _values(
    raw: dict[str, NDArray],
    material: TipMaterial | None,
    sigma22: NDArray,
    strain11: NDArray,
    strain33: NDArray,
    crack: Crack,
    front: Tip | Curve,
) -> dict[str, NDArray]:
    """Interaction integrals to K and T (non-dimensional)."""
    values = {"J": raw["J"]}
    if material is None:
        return values
    zero = np.zeros_like(raw["J"])
    values["K_I"] = raw["I"] * material.E_prime / 2
    values["K_II"] = raw["II"] * material.E_prime / 2 if "II" in raw else zero
    values["K_III"] = raw["III"] * material.mu if "III" in raw else zero
    # A unit point force along e1 sees the strain eps_11 of the tip; the displacement jump that it
    # has across the crack sees sigma_22 (the face pressure). Elastic eps_33 enters by Poisson.
    values["T_stress"] = material.E_prime * (raw["T"] - strain11) + sigma22
    if material.kappa == 3 - 4 * material.nu:
        values["T_stress"] = values["T_stress"] + material.E_prime * material.nu * strain33
    return values
