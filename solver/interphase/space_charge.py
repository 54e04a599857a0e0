"""Charge beside an interface of a solid electrolyte: Poisson-Boltzmann in one dimension.

With u = F phi/(R T) against the bulk, eps phi'' = -rho, and carriers in equilibrium:

    "lattice"  one carrier Li+ on a lattice with immobile opposite charge; filling q = c/c_max
               c/c_0 = e^-u/(1 - q_0 + q_0 e^-u)                  (site limit, Langmuir)
               rho = F (c - c_0)
    "pair"     two carriers of equal and opposite charge (interstitials and vacancies)
               c+-/c_0 = e^-+u/(1 + 2 n sinh^2(u/2)), n = 2 c_0/c_max     (J. J. Bikerman,
               Phil. Mag. 33 (1942) 384; M. S. Kilic, M. Z. Bazant, A. Ajdari, PRE 75 (2007) 021502)
               rho = F (c+ - c-)

Without site limit "pair" is Gouy and Chapman. Both have a first integral, u'^2 = 2 G(u) in lengths
of sqrt(eps R T/(F^2 c_0)), which gives the charge of the wall in closed form; the profile is
solved for on a mesh, and the two are compared in every answer. The conductivity follows the
carriers, c (1 - q) on the lattice because a hop needs an empty site.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech import units
from ssbmech.errors import CaseError, SolverError
from ssbmech.fracture.porz import FARADAY, GAS_CONSTANT

#: Permittivity of vacuum [F/m], CODATA 2018.
VACUUM = 8.8541878128e-12
Model = Literal["lattice", "pair"]
#: Potentials beyond this [RT/F] without site limit overflow the meaning of the model.
_LARGEST = 60.0
#: A concentration within this share of the bulk's counts as bulk, for the width.
_BULK = 0.05


@dataclass(frozen=True)
class Carriers:
    """Equilibrium of the carriers against the potential u = F phi/(R T), bulk at u = 0.

    Attributes:
        model: "lattice" or "pair".
        filling: q_0 = c_0/c_max of the bulk, 0 (no site limit) to below 1; "pair": below 1/2.
        share: Of the positive carrier in the bulk conductivity ("pair").
    """

    model: Model = "lattice"
    filling: float = 0.0
    share: float = 0.5

    def __post_init__(self) -> None:
        top = 1.0 if self.model == "lattice" else 0.5
        if not 0.0 <= self.filling < top:
            raise CaseError("the bulk fills more sites than there are", key="space_charge.filling",
                            value=self.filling, allowed=f"0 to below {top:g}")  # fmt: skip
        if not 0.0 <= self.share <= 1.0:
            raise CaseError("is out of range", key="space_charge.share", value=self.share,
                            allowed="0 to 1")  # fmt: skip

    def positive(self, u: NDArray) -> NDArray:
        """c+/c_0."""
        return np.exp(-u) / self._crowd(u)

    def negative(self, u: NDArray) -> NDArray:
        """c-/c_0: the second carrier, or the immobile charge."""
        return np.exp(u) / self._crowd(u) if self.model == "pair" else np.ones_like(u)

    def _crowd(self, u: NDArray) -> NDArray:
        q = self.filling
        if self.model == "pair":
            return 1.0 + 4.0 * q * np.sinh(0.5 * u) ** 2
        return 1.0 - q + q * np.exp(-u)

    def charge(self, u: NDArray) -> NDArray:
        """rho/(F c_0)."""
        if self.model == "pair":
            return -2.0 * np.sinh(u) / self._crowd(u)
        return (1.0 - self.filling) * np.expm1(-u) / self._crowd(u)

    def slope(self, u: NDArray) -> NDArray:
        """Its derivative, nowhere positive: the problem is monotone."""
        w, q = self._crowd(u), self.filling
        if self.model == "pair":
            return -2.0 * (np.cosh(u) * w - 2.0 * q * np.sinh(u) ** 2) / w**2
        return -(1.0 - q) * np.exp(-u) / w**2

    def energy(self, u: ArrayLike) -> NDArray:
        """G(u) = -integral of the charge from 0 to u: u'^2 = 2 G."""
        u, q = np.asarray(u, float), self.filling
        if self.model == "pair":
            s = 2.0 * np.sinh(0.5 * u) ** 2
            return np.log1p(2.0 * q * s) / q if q else 2.0 * s
        if not q:
            return u + np.expm1(-u)
        return u + np.log1p(q * np.expm1(-u)) / q

    def conductivity(self, u: NDArray) -> NDArray:
        """Conductivity over that of the bulk."""
        if self.model == "pair":
            return self.share * self.positive(u) + (1.0 - self.share) * self.negative(u)
        # (1 - q c/c_0)/(1 - q_0) = 1/crowd, which does not cancel where all sites are taken
        return self.positive(u) / self._crowd(u)

    @property
    def screening(self) -> float:
        """Debye length over sqrt(eps R T/(F^2 c_0)): 1/sqrt(-rho'(0))."""
        return float(1.0 / math.sqrt(-self.slope(np.zeros(1))[0]))


@dataclass(frozen=True)
class SpaceCharge:
    """A space-charge layer.

    Attributes:
        carriers: The model.
        potential: phi at the interface against the bulk [V].
        temperature: [K].
        length: sqrt(eps R T/(F^2 c_0)) [m].
        debye_length: [m], with the site limit.
        width: Distance [m] beyond which the concentration is within 5 % of the bulk's; 0: nowhere
            farther from it.
        wall_charge: Of the interface, which the layer balances [C/m^2], computed.
        wall_charge_exact: From the first integral [C/m^2].
        imbalance: Charge of the layer and of its two ends together over that of the wall.
        resistance: Added to that of the bulk, both sides if there are two [ohm m^2]; negative where
            carriers gather; None without a conductivity.
        lowest_conductivity: In the layer, over that of the bulk.
        x: Distances [m], (n,).
        u: F phi/(R T), (n,).
        sides: 1 for an interface, 2 for a grain boundary.
        notes: What one must know to use it.
    """

    carriers: Carriers
    potential: float
    temperature: float
    length: float
    debye_length: float
    width: float
    wall_charge: float
    wall_charge_exact: float
    imbalance: float
    resistance: float | None
    lowest_conductivity: float
    x: NDArray
    u: NDArray
    sides: int = 1
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> float:
        """Relative difference of the computed from the exact charge of the wall."""
        exact = self.wall_charge_exact
        return abs(self.wall_charge - exact) / abs(exact) if exact else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        return {
            "model": self.carriers.model,
            "filling": self.carriers.filling,
            "potential": self.potential,
            "temperature": self.temperature,
            "debye_length": self.debye_length,
            "width": self.width,
            "wall_charge": self.wall_charge,
            "wall_charge_exact": self.wall_charge_exact,
            "charge_imbalance": self.imbalance,
            "added_resistance": self.resistance,
            "lowest_conductivity_share": self.lowest_conductivity,
            "sides": self.sides,
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """Return the table that the command prints."""
        show, wall = units.show, self.carriers.positive(self.u[:1])[0]
        kind = {"lattice": "one carrier on a lattice", "pair": "two carriers of opposite charge"}
        rows = [
            ("model", kind[self.carriers.model]),
            ("potential of the interface", show(self.potential, "potential")),
            ("Debye length", show(self.debye_length, "length")),
            ("width (beyond: within 5 % of bulk)", show(self.width, "length")),
            ("concentration at the interface", f"{wall:.4g} of that in the bulk"),
            ("charge of the interface", f"{self.wall_charge * 100:.4g} µC/cm²"),
            ("  against the first integral", f"off by {self.error:.1e}"),
            ("lowest conductivity", f"{self.lowest_conductivity:.3g} of that in the bulk"),
        ]
        if self.resistance is not None:
            where = "both sides" if self.sides == 2 else "one side"
            value = show(self.resistance, "area_specific_resistance")
            rows.append(("resistance added", f"{value} ({where})"))
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        return "\n".join([*lines, *(f"note: {n}" for n in self.notes)])


def space_charge(
    potential: float | str,
    concentration: float | str,
    permittivity: float,
    *,
    site_density: float | str | None = None,
    conductivity: float | str | None = None,
    temperature: float | str = 298.15,
    model: Model = "lattice",
    share: float = 0.5,
    sides: int = 1,
    nodes: int = 2000,
) -> SpaceCharge:
    """The space-charge layer at an interface of known potential.

    Args:
        potential: phi of the interface against the bulk [V]; positive repels Li+. Numbers are SI,
            texts have their unit.
        concentration: c_0 of the carriers that move [mol/m^3].
        permittivity: Relative.
        site_density: c_max [mol/m^3]; None: no limit. "pair": for both carriers together.
        conductivity: Of the bulk [S/m]; None: no resistance is given.
        temperature: [K].
        model: "lattice" or "pair".
        share: Of the positive carrier in the bulk conductivity ("pair").
        sides: 2 for a grain boundary with a layer on each side.
        nodes: Of the mesh; the error goes with its square.

    Raises:
        CaseError: For values out of range.
        SolverError: If the profile is not found.
    """
    phi = _si(potential, "potential", "potential")
    c0 = _positive(_si(concentration, "concentration", "concentration"), "concentration")
    T = _positive(_si(temperature, "temperature", "temperature"), "temperature")
    if not (math.isfinite(permittivity) and permittivity >= 1.0):
        raise CaseError("is out of range", key="space_charge.permittivity", value=permittivity,
                        allowed="1 or more, relative to vacuum")  # fmt: skip
    if sides not in (1, 2):
        raise CaseError("is out of range", key="space_charge.sides", value=sides, allowed="1, 2")
    if model not in ("lattice", "pair"):
        raise CaseError("unknown model", key="space_charge.model", value=model,
                        allowed="lattice, pair")  # fmt: skip
    if nodes < 20:
        raise CaseError("is out of range", key="space_charge.nodes", value=nodes,
                        allowed="20 or more")  # fmt: skip
    most = None if site_density is None else _si(site_density, "concentration", "site_density")
    carriers = Carriers(model, 0.0 if most is None else c0 / _positive(most, "site_density"), share)
    wall = FARADAY * phi / (GAS_CONSTANT * T)
    _check_potential(wall, carriers, phi)
    eps = permittivity * VACUUM
    length = math.sqrt(eps * GAS_CONSTANT * T / (FARADAY**2 * c0))
    x, u, flux = profile(carriers, wall, nodes)
    scale = FARADAY * c0 * length
    exact = math.copysign(math.sqrt(2.0 * float(carriers.energy(wall))), wall) if wall else 0.0
    total = _integral(x, carriers.charge(u))
    kappa = None if conductivity is None else _si(conductivity, "conductivity", "conductivity")
    added = _integral(x, 1.0 / carriers.conductivity(u) - 1.0)
    return SpaceCharge(
        carriers, phi, T, length, length * carriers.screening, length * _width(carriers, x, u),
        flux[0] * scale, exact * scale, abs(flux[0] + total - flux[1]) / max(abs(flux[0]), 1e-300),
        None if kappa is None else sides * added * length / _positive(kappa, "conductivity"),
        float(carriers.conductivity(u).min()), x * length, u, sides,
        tuple(_notes(carriers, wall, length)),
    )  # fmt: skip


def profile(
    carriers: Carriers, wall: float, nodes: int
) -> tuple[NDArray, NDArray, tuple[float, float]]:
    """Solve u'' = -rho(u), u(0) = ``wall``, u = 0 far away, in lengths of sqrt(eps RT/(F^2 c_0)).

    Linear elements with lumped charge on a mesh graded to the wall; damped Newton.

    Returns:
        Distances (n,), u (n,), and -u' at the two ends, which hold the charge between them.
    """
    x = _mesh(carriers, wall, nodes)
    h = np.diff(x)
    weight = np.zeros_like(x)
    weight[:-1] += 0.5 * h
    weight[1:] += 0.5 * h
    u = np.zeros_like(x)
    if wall:
        gradient = math.sqrt(2.0 * float(carriers.energy(wall)))
        u = wall * np.exp(-x * gradient / abs(wall))
        u[-1] = 0.0
    u = _newton(carriers, u, h, weight)
    charge = carriers.charge(u)
    first = -(u[1] - u[0]) / h[0] - weight[0] * charge[0]
    last = -(u[-1] - u[-2]) / h[-1] + weight[-1] * charge[-1]
    return x, u, (float(first), float(last))


def _newton(carriers: Carriers, u: NDArray, h: NDArray, weight: NDArray) -> NDArray:
    """Newton for -(u')' = rho with steps of at most 2 RT/F; monotone, so that it cannot stray."""
    from scipy.linalg import solve_banded

    inverse = 1.0 / h
    for _ in range(400):
        drop = np.diff(u) * inverse
        residual = np.diff(drop) + weight[1:-1] * carriers.charge(u)[1:-1]
        band = np.zeros((3, u.size - 2))
        band[0, 1:] = band[2, :-1] = inverse[1:-1]
        band[1] = -inverse[1:] - inverse[:-1] + weight[1:-1] * carriers.slope(u)[1:-1]
        step = solve_banded((1, 1), band, -residual)
        largest = float(np.abs(step).max())
        u[1:-1] += step * min(1.0, 2.0 / largest if largest else 1.0)
        if largest <= 1e-12 * max(1.0, float(np.abs(u).max())):
            return u
    raise SolverError("the space-charge layer was not solved", key="space_charge", value=largest)


def _mesh(carriers: Carriers, wall: float, nodes: int) -> NDArray:
    """Distances from the wall: x = L sinh(b s)/sinh(b), s even, b from the sharpest scale there.

    A smooth map keeps the order of the method; the far end is 40 Debye lengths behind the layer.
    """
    from scipy.optimize import brentq

    G = float(carriers.energy(wall)) if wall else 1.0
    thin = min(1.0, 1.0 / math.sqrt(2.0 * G)) if wall else 1.0
    # a layer without carriers, or full of them, is sqrt(2 u) Debye lengths wide at most
    L = (40.0 + 2.0 * math.sqrt(2.0 * abs(wall))) * carriers.screening
    # the first cell is 25 `thin`/nodes: finer meshes are finer by one factor everywhere
    ratio = L / (25.0 * thin)
    s = np.linspace(0.0, 1.0, nodes)
    if ratio <= 1.0 + 1e-9:
        return L * s
    b = brentq(lambda b: math.sinh(b) / b - ratio, 1e-6, 60.0)
    return L * np.sinh(b * s) / math.sinh(b)


def _width(carriers: Carriers, x: NDArray, u: NDArray) -> float:
    off = np.maximum(
        np.abs(carriers.positive(u) - 1.0),
        np.abs(carriers.negative(u) - 1.0),
    )
    out = np.flatnonzero(off > _BULK)
    if out.size == 0:
        return 0.0
    i = int(out[-1])
    share = (off[i] - _BULK) / (off[i] - off[i + 1])
    return float(x[i] + share * (x[i + 1] - x[i]))


def _integral(x: NDArray, y: NDArray) -> float:
    return float(0.5 * np.sum(np.diff(x) * (y[1:] + y[:-1])))


def _notes(carriers: Carriers, wall: float, length: float) -> list[str]:
    notes = []
    gathers = carriers.model == "pair" or wall < 0.0
    if carriers.filling == 0.0 and gathers and abs(wall) > 4.0:
        notes.append(
            f"no site limit: carriers gather up to {math.exp(abs(wall)):.3g} times their bulk "
            "concentration; give site_density"
        )
    if length * carriers.screening < 5e-10:
        notes.append("the Debye length is below 0.5 nm: a continuum says little here")
    return notes


def _check_potential(wall: float, carriers: Carriers, phi: float) -> None:
    if not math.isfinite(wall) or abs(wall) > 10.0 * _LARGEST:
        raise CaseError("is out of range", key="space_charge.potential", value=phi,
                        allowed=f"within {10 * _LARGEST:g} RT/F")  # fmt: skip
    gathers = carriers.model == "pair" or wall < 0.0
    if gathers and carriers.filling == 0.0 and abs(wall) > _LARGEST / 2.0:
        raise CaseError(
            "without a site limit the carriers would gather without bound",
            key="space_charge.potential", value=phi, allowed=f"within {_LARGEST / 2:g} RT/F",
            hint="Give site_density",
        )  # fmt: skip


def _si(value: float | str, dimension: str, name: str) -> float:
    """Numbers are SI in the Python interface."""
    if isinstance(value, str):
        return units.quantity(value, dimension, key=f"space_charge.{name}")
    return float(value)


def _positive(value: float, name: str) -> float:
    if not (math.isfinite(value) and value > 0.0):
        raise CaseError("must be positive", key=f"space_charge.{name}", value=value,
                        allowed="above 0")  # fmt: skip
    return value
