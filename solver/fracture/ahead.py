"""Stress along the line ahead of a tip: data for a plot against the K field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssbmech.fracture.front import Crack, Curve, Tip, fronts_of
from ssbmech.fracture.probe import Peak, stress_at
from ssbmech.fracture.rings import FrontResult, governing
from ssbmech.solve import Solution

_POINTS = 60


@dataclass(frozen=True)
class Line:
    """Stress along a straight line.

    Attributes:
        name: What it starts from.
        r: Distance from there [m], shape (n,).
        normal: Stress normal to the crack plane [Pa] (for a peak: largest in-plane hoop stress).
        principal: Largest principal stress [Pa].
        K_I: For the asymptote K_I/sqrt(2 pi r) [Pa m^0.5]; 0 for a blunt tip.
    """

    name: str
    r: NDArray[np.float64]
    normal: NDArray[np.float64]
    principal: NDArray[np.float64]
    K_I: float

    def csv_lines(self) -> list[str]:
        """``ahead.csv``: distance, stresses and the K field."""
        field_ = self.K_I / np.sqrt(2 * np.pi * self.r)
        columns = (self.normal / 1e6, self.principal / 1e6, field_ / 1e6)
        rows = ["r [um],normal_stress [MPa],max_principal [MPa],K_field [MPa]"]
        for row in zip(self.r * 1e6, *columns, strict=True):
            rows.append(",".join(f"{v:.9g}" for v in row))
        return rows


def ahead_of_front(
    solution: Solution, cracks: tuple[Crack, ...], results: list[FrontResult]
) -> Line | None:
    """Line along e1 from the point of the front where K_I is largest (collective)."""
    p = solution.problem
    result, k = governing(results)
    for crack in cracks:
        for front in fronts_of(p.domain, crack, p.model):
            if front.name != result.name:
                continue
            L = p.domain.length
            frame = front.frame if isinstance(front, Tip) else front.frame_at(result.s[k] / L)
            near, far = 0.5 * result.element_size / L, 0.9 * result.clearance[0] / L
            start = result.points[k] / L
            if isinstance(front, Curve) and not front.closed:
                # at its ends the front lies on the body's boundary, where a curved face may pass
                # on either side of the straight line: start a little inside
                s = np.clip(result.s[k] / L, 2e-3 * front.length, (1 - 2e-3) * front.length)
                start, frame = front.at(s), front.frame_at(s)
            r = np.geomspace(near, far, _POINTS)
            sigma = stress_at(solution, start + r[:, None] * frame[0])
            normal = np.einsum("i,nij,j->n", frame[1], sigma, frame[1])
            K = float(result.values.get("K_I", np.zeros(k + 1))[k])
            return _line(front.name, r * L, normal, sigma, K)
    return None


def ahead_of_peak(solution: Solution, found: list[Peak]) -> Line | None:
    """Line from the largest peak straight into its side (collective)."""
    L = solution.problem.domain.length
    peak = max(found, key=lambda p: p.value)
    box = solution.problem.domain_box()
    r = np.geomspace(1e-5, 0.3, _POINTS) * float(np.max(box[1] - box[0]))
    sigma = stress_at(solution, peak.point / L + r[:, None] * peak.inward)
    across = np.eye(3) - np.outer(peak.inward, peak.inward)
    projected = np.einsum("ij,njk,kl->nil", across, np.nan_to_num(sigma), across)
    normal = np.linalg.eigvalsh(projected)[:, -1]
    normal[np.isnan(sigma[:, 0, 0])] = np.nan
    return _line(peak.surface, r * L, normal, sigma, 0.0)


def _line(name: str, r: NDArray, normal: NDArray, sigma: NDArray, K_I: float) -> Line | None:
    inside = np.isfinite(normal)
    if not inside.any():
        return None
    principal = np.linalg.eigvalsh(sigma[inside])[:, -1]
    return Line(name, r[inside], normal[inside], principal, K_I)
