"""A brittle layer on lithium that is stretched: at which strain it cracks, and how far apart.

A crack that runs through the layer as a channel sets free, per area of crack (h thickness of the
layer, s its stress, E' = E/(1 - nu^2), tau the shear stress that flowing lithium carries)

    lithium stays elastic   G = Z s^2 h/E'                       fast: Z s_c^2 h = K_IC^2
    lithium flows as well   G = Z s^2 h/E' + s^3 h/(3 E' tau)    slow: (Z + s_c/(3 tau)) s_c^2 h

equal to K_IC^2 likewise. Steady state: far behind the tip the layer has come to rest, and G is the
energy that a slice lost. The problem of the first is that of J. L. Beuth, Int. J. Solids Struct. 29
(1992) 1657, of sliding that of M. S. Hu, A. G. Evans, Acta Metall. 37 (1989) 917. The numbers are
not taken from there: Z is from finite elements (`CHANNEL`; 1.1215^2 pi/2 where film and base are
alike, from the edge crack), and the second term is the balance of a film that slides against tau
over l = s h/tau on each side,

    s^2 l h (2/3)/E' released - s^2 l h (1/3)/E' spent on sliding = G h.

That both add up is an approximation: elastic-plastic lithium in finite elements gives 3 to 8 %
less than the sum, and more than either term. Pieces between cracks are pulled through the flow of
lithium below: tension in the middle of a piece of length L is the shear stress summed up from its
end, and the piece breaks while it reaches
s_c. Pieces are left between L_c/2 and L_c long. Lithium of depth H on something that is stretched
at the rate e shears at e x/H, x from the middle of the piece; by its power law, with tau(H) that at
the shear rate e,

    s_c h = tau(H) (L_c/2)^(1 + 1/n) H^(-1/n)/(1 + 1/n).

Deep lithium flows as a half space, s_c h = c tau L_c/2 with c(n) from finite elements with flowing
lithium (`DEEP`); these meet the first form within 1 % up to H = L/8. In between the larger pull of
both counts, and finite elements are 12 % off it at most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech import units
from ssbmech.errors import CaseError
from ssbmech.materials.flow import Norton, positive

#: Z over E'_film/E'_base, Poisson's ratios 0.3 and 0.38: finite elements, graded to 1e-6 of the
#: film's thickness and extrapolated; tests/verification/test_film_fracture.py computes them anew.
CHANNEL: tuple[tuple[float, float], ...] = (
    (0.1, 1.1873), (0.3, 1.3737), (1.0, 1.9325), (2.0, 2.5910), (3.0, 3.1582), (5.0, 4.1355),
    (7.0, 4.9831), (10.0, 6.104), (15.0, 7.720), (20.0, 9.14),
)  # fmt: skip


#: c over the stress exponent n: mean shear stress under a piece on deep lithium over tau; finite
#: elements, gaps of 0.15 % between pieces. The same test computes one of them anew.
DEEP: tuple[tuple[float, float], ...] = (
    (3.0, 0.970), (5.0, 0.726), (6.6, 0.637), (8.0, 0.585), (10.0, 0.531), (15.0, 0.448),
)  # fmt: skip


def deep_factor(exponent: float) -> float:
    """Factor c of the pull of deep lithium on a piece.

    Args:
        exponent: n of its power law.

    Raises:
        CaseError: Outside what was computed; below, the gap between two pieces decides.
    """
    n, c = np.array(DEEP).T
    if not n[0] <= exponent <= n[-1]:
        raise CaseError("not computed for this stress exponent of lithium", key="lithium.norton.n",
                        value=exponent, allowed=f"{n[0]:g} to {n[-1]:g}")  # fmt: skip
    return float(np.exp(np.interp(math.log(exponent), np.log(n), np.log(c))))


def channel_factor(ratio: ArrayLike) -> NDArray:
    """Z of G = Z s^2 h/E' for a crack through a film on elastic lithium.

    Args:
        ratio: E' of the film over E' of the base.

    Raises:
        CaseError: Outside what was computed.
    """
    x, Z = np.array(CHANNEL).T
    r = np.asarray(ratio, float)
    if not ((r >= x[0]) & (r <= x[-1])).all():
        raise CaseError(
            "the layer is too stiff or too soft beside lithium", key="E'_layer/E'_lithium",
            value=float(r.flat[0]), allowed=f"{x[0]:g} to {x[-1]:g}",
        )  # fmt: skip
    from scipy.interpolate import CubicSpline

    return np.exp(CubicSpline(np.log(x), np.log(Z))(np.log(r)))


@dataclass(frozen=True)
class CreepingLithium:
    """Lithium under the layer.

    Attributes:
        E: Young's modulus [Pa].
        nu: Poisson's ratio.
        flow: How it creeps.
        rate: At which it is stretched [1/s].
        depth: Of lithium on what is stretched [m]; inf: deep.
        sources: Where the values come from.
        unverified: Names of unverified library values.
        notes: On the law.
    """

    E: float
    nu: float
    flow: Norton
    rate: float
    depth: float = math.inf
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positive("lithium", E=self.E, rate=self.rate, depth=min(self.depth, 1.0))

    @property
    def plane_modulus(self) -> float:
        """E' [Pa]."""
        return self.E / (1.0 - self.nu**2)

    @property
    def flow_stress(self) -> float:
        """Mises stress [Pa] at which it flows at its rate."""
        return (self.rate / self.flow.B) ** (1.0 / self.flow.n)

    @property
    def shear(self) -> float:
        """Shear stress [Pa] that it carries at its rate, Mises stress over sqrt(3)."""
        return self.flow_stress / math.sqrt(3.0)

    def shear_at(self, rate: ArrayLike) -> NDArray:
        """Shear stress [Pa] at a shear rate [1/s], sqrt(3) times the equivalent one."""
        B, n = self.flow.B, self.flow.n
        return (np.asarray(rate, float) / (math.sqrt(3.0) * B)) ** (1.0 / n) / math.sqrt(3.0)


@dataclass(frozen=True)
class FilmFracture:
    """Layers of several thicknesses on lithium.

    Attributes:
        thickness: h [m], (n,).
        E: Young's modulus of the layer [Pa].
        nu: Its Poisson's ratio.
        toughness: K_IC of the layer [Pa m^0.5].
        lithium: What it lies on.
    """

    thickness: NDArray[np.float64]
    E: float
    nu: float
    toughness: float
    lithium: CreepingLithium

    def __post_init__(self) -> None:
        positive("film", E=self.E, toughness=self.toughness)
        if not -1.0 < self.nu < 0.5:
            raise CaseError("Poisson's ratio is outside its range", key="nu", value=self.nu,
                            allowed="above -1 and below 0.5")  # fmt: skip
        if not (np.asarray(self.thickness) > 0.0).all():
            raise CaseError(
                "there is no layer yet", key="thickness", value=float(np.min(self.thickness)),
                allowed="above 0 m: a later time, or an initial_thickness",
            )  # fmt: skip

        base, share = self.lithium.plane_modulus, 1.0 - self.nu**2
        low, high = (r * base * share for r in (CHANNEL[0][0], CHANNEL[-1][0]))
        if not low <= self.E <= high:
            show = units.show
            raise CaseError(
                "cracks were not computed for a layer of this stiffness on lithium", key="E",
                value=show(self.E, "pressure"),
                allowed=f"{show(low, 'pressure')} to {show(high, 'pressure')}",
            )  # fmt: skip

    @property
    def plane_modulus(self) -> float:
        """E' [Pa]."""
        return self.E / (1.0 - self.nu**2)

    @property
    def energy(self) -> float:
        """K_IC^2/E' [J/m^2]."""
        return self.toughness**2 / self.plane_modulus

    @property
    def Z(self) -> float:
        """Of the crack over elastic lithium."""
        return float(channel_factor(self.plane_modulus / self.lithium.plane_modulus))

    @property
    def stress_fast(self) -> NDArray:
        """Stress [Pa] at which it cracks while lithium has no time to flow, (n,)."""
        return self.toughness / np.sqrt(self.Z * self.thickness)

    @property
    def stress_slow(self) -> NDArray:
        """While lithium flows at its rate, (n,): s^2 (Z + s/(3 tau)) h = K_IC^2."""
        tau, wanted = self.lithium.shear, self.toughness**2 / np.asarray(self.thickness, float)
        s = np.minimum(np.cbrt(3.0 * tau * wanted), self.stress_fast)
        for _ in range(60):  # convex: Newton's method from above
            step = (s * s * (self.Z + s / (3.0 * tau)) - wanted) / (s * (2.0 * self.Z + s / tau))
            s = s - step
            if (np.abs(step) <= 1e-15 * s).all():
                break
        return s

    @property
    def strain_fast(self) -> NDArray:
        """Strain across the cracks, s_c/E', (n,)."""
        return self.stress_fast / self.plane_modulus

    @property
    def strain_slow(self) -> NDArray:
        """Likewise while lithium flows, (n,)."""
        return self.stress_slow / self.plane_modulus

    @property
    def slip(self) -> NDArray:
        """Length l = s_c h/tau [m] over which the layer slides beside a slow crack, (n,)."""
        return self.stress_slow * self.thickness / self.lithium.shear

    @property
    def spacing(self) -> NDArray:
        """Largest distance L_c of cracks in the end [m], (n,); the smallest is half of it."""
        li, n = self.lithium, self.lithium.flow.n
        deep = 2.0 * self.slip / deep_factor(n)
        if math.isinf(li.depth):
            return deep
        pull = self.stress_slow * self.thickness * (1.0 + 1.0 / n) / float(li.shear_at(li.rate))
        sheared = 2.0 * pull ** (n / (n + 1.0)) * li.depth ** (1.0 / (n + 1.0))
        return np.minimum(sheared, deep)

    def cracks_itself(self, stress: float) -> float:
        """Thickness [m] from which on a stress [Pa] of its own cracks it, fast; inf: pressed."""
        return (self.toughness / stress) ** 2 / self.Z if stress > 0.0 else math.inf

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the forms end, with numbers."""
        found = [*self.lithium.notes]
        short = self.spacing < 8.0 * self.thickness
        if short.any():
            h = units.show(float(self.thickness[short].min()), "length")
            found.append(
                f"from {h} on pieces are less than 8 thicknesses long: a film that slides, with "
                "stress that does not vary across it, is not what they are"
            )
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        return {
            "thickness": self.thickness.tolist(),
            "toughness": self.toughness,
            "energy": self.energy,
            "Z": self.Z,
            "strain_rate": self.lithium.rate,
            "shear_stress_of_lithium": self.lithium.shear,
            "stress_fast": self.stress_fast.tolist(),
            "strain_fast": self.strain_fast.tolist(),
            "stress_slow": self.stress_slow.tolist(),
            "strain_slow": self.strain_slow.tolist(),
            "slip": self.slip.tolist(),
            "spacing_least": (0.5 * self.spacing).tolist(),
            "spacing_most": self.spacing.tolist(),
            "sources": self.lithium.sources,
            "unverified": list(self.lithium.unverified),
            "notes": list(self.notes),
        }

    def text(self, own_stress: float | None = None) -> str:
        """Return the table that the command prints; ``own_stress``: of growth [Pa]."""
        show, li = units.show, self.lithium
        lines = [
            f"cracks of the layer on lithium that is stretched at {li.rate:g} 1/s (toughness "
            f"{show(self.toughness, 'toughness')}, {show(self.energy, 'energy_release')}):",
            f"{'thickness':>11}  {'strain, fast':>12}  {'strain, slow':>12}  {'stress, slow':>12}  "
            f"distance of cracks in the end",
        ]
        rows = zip(self.thickness, self.strain_fast, self.strain_slow, self.stress_slow,
                   self.spacing, strict=True)  # fmt: skip
        for h, fast, slow, stress, most in rows:
            apart = f"{show(0.5 * most, 'length')} to {show(most, 'length')}"
            lines.append(
                f"{show(h, 'length'):>11}  {fast:>12.3%}  {slow:>12.3%}  "
                f"{show(stress, 'pressure'):>12}  {apart}"
            )
        lines.append(
            f"fast: lithium elastic, Z = {self.Z:.3f}; slow: lithium flows at a shear stress of "
            f"{show(li.shear, 'pressure')}; deep lithium pulls on pieces with "
            f"{deep_factor(li.flow.n):.3f} of it"
        )
        if own_stress is not None:
            h = self.cracks_itself(own_stress)
            what = show(own_stress, "pressure")
            lines.append(
                f"its own growth stress, {what}, cracks it from {show(h, 'length')} on"
                if math.isfinite(h)
                else f"its own growth stress, {what}, presses it: what cracks it is more strain"
            )
        lines += [f"source: {key}: {text}" for key, text in li.sources.items()]
        if li.unverified:
            lines.append(f"unverified: {', '.join(li.unverified)}")
        return "\n".join([*lines, *(f"note: {text}" for text in self.notes)])

    def csv_lines(self) -> list[str]:
        """A row per thickness, SI."""
        names = {
            "thickness": "m", "strain_fast": "1", "strain_slow": "1", "stress_fast": "Pa",
            "stress_slow": "Pa", "slip": "m", "spacing_least": "m", "spacing_most": "m",
        }  # fmt: skip
        data = self.as_dict()
        rows = zip(*(data[name] for name in names), strict=True)
        head = ",".join(f"{name} [{unit}]" for name, unit in names.items())
        return [head, *(",".join(f"{v:.10g}" for v in row) for row in rows)]


def creeping_lithium(
    rate: float,
    *,
    depth: float = math.inf,
    temperature: float = 298.15,
    material: str = "Li",
    extra: Any = None,
) -> CreepingLithium:
    """Lithium of a material set, by Norton's law.

    Args:
        rate: At which it is stretched [1/s].
        depth: [m], inf: deep.
        temperature: [K].
        material: Its set.
        extra: A file with more sets.

    Raises:
        CaseError: For a rate or a depth that is not positive, or lithium that has melted.
    """
    from ssbmech.build_flow import flow_setup
    from ssbmech.config_flow import FlowBlock
    from ssbmech.materials import library

    for key, value in (("strain-rate", rate), ("lithium-depth", depth)):
        if not value > 0.0:
            raise CaseError("must be positive", key=key, value=value, allowed="above 0")
    known = library.get(material, extra)
    found = flow_setup(FlowBlock.model_validate({"law": "norton"}), known, temperature)
    assert isinstance(found.law, Norton)
    E, nu = known["E"], known["nu"]
    sources = {
        f"lithium.{key}": f"{shown}: {value.source} ({value.standing})"
        for key, value, shown in (("E", E, units.show(E.value, "pressure")),
                                  ("nu", nu, f"{nu.value:g}"))
    }  # fmt: skip
    unverified = (*known.unverified_used(["E", "nu"]), *found.unverified)
    return CreepingLithium(
        E.value, nu.value, found.law, rate, depth, sources | found.sources,
        tuple(dict.fromkeys(unverified)), found.notes,
    )  # fmt: skip


def film_map(
    film: FilmFracture, toughnesses: Sequence[float], points: int = 61
) -> list[FilmFracture]:  # fmt: skip
    """The film over a decade of thickness either way, for each toughness [Pa m^0.5]."""
    h = np.asarray(film.thickness, float)
    at = np.geomspace(h.min() / 10.0, h.max() * 10.0, points)
    return [FilmFracture(at, film.E, film.nu, K, film.lithium) for K in toughnesses]
