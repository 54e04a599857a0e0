"""What moves in a filament: the condensed operators of the bulk and the parameters, all SI.

Unknowns at the nodes j of the film: pressure p (compression positive) and lithium thickness m; at
every plating node k (faces of the crack and flat lithium surfaces): driving potential eta over
RT/F; and one potential phi_m of the metal. With the opening w = w_free + C p and its gap w - m:

    p >= 0,  w - m >= 0,  p (w - m) = 0                   filled, dry, or faces in contact (m = 0)
    A dm/dt + div q = V_m/F sum over k at j of (sides a_k J_k)      lithium is conserved
    eta_k = [phi_m + sum_l R_kl J_l + V p_j/F] F/RT                 ion conduction and kinetics
    J_k = - f_k rate(eta_k)           plating positive; f = m/w: current where lithium is, alone
    sum_k a_k J_k = i A_counter  or  phi_m = U                      drive

The first line is what makes films of lubricated bearings conserve mass through cavitation (Elrod
1981, there with a density, here with a thickness), and the contact of crack faces without lithium.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ssbmech.filament.film import Floats, Network, SlitFlow
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.physics import kinetics


@dataclass(frozen=True)
class Elastic:
    """The elastic body as its crack sees it.

    Attributes:
        compliance: C, mean opening of control area i per pressure at node j [m/Pa], (n, n);
            area_i C_ij is symmetric (Betti).
        opening: Opening by the other loads [m], (n,).
        K: Stress intensity per pressure at a node, by mode ("K_I", "K_II") [m^0.5], (tips, n).
        K_loads: Of the other loads, by mode [Pa m^0.5], (tips,).
        tips: Names of the fronts.
        plane: Whether areas are per metre of thickness.
    """

    compliance: Floats
    opening: Floats
    K: dict[str, Floats]
    K_loads: dict[str, Floats]
    tips: tuple[str, ...]
    plane: bool = True

    def intensity(self, mode: str, pressure: Floats) -> Floats:
        """K of every tip [Pa m^0.5]."""
        return self.K[mode] @ pressure + self.K_loads[mode]

    def scaled(self, factor: float) -> Elastic:
        """Of a body that is larger by a factor under the same loads per area."""
        return replace(
            self,
            compliance=self.compliance * factor,
            opening=self.opening * factor,
            K={mode: k * np.sqrt(factor) for mode, k in self.K.items()},
            K_loads={mode: k * np.sqrt(factor) for mode, k in self.K_loads.items()},
        )


@dataclass(frozen=True)
class Surface:
    """Kinetics of a lithium surface.

    Attributes:
        name: For reports.
        kind: "butler_volmer" or "linear".
        i0: Exchange current density [A/m^2].
        resistance: Area-specific resistance of linear kinetics [ohm m^2].
        beta: Symmetry factor.
        layer: Area-specific resistance of a reaction layer in series [ohm m^2].
    """

    name: str
    kind: str
    i0: float = 0.0
    resistance: float = 0.0
    beta: float = 0.5
    layer: float = 0.0

    def conductance(self, voltage: float) -> float:
        """Slope of the rate at rest, by the driving potential over RT/F = ``voltage`` [A/m^2]."""
        own = voltage / self.i0 if self.kind != "linear" else self.resistance
        return voltage / (own + self.layer)

    def rate(self, eta: Floats, voltage: float) -> tuple[Floats, Floats]:
        """Anodic current density [A/m^2] and its derivative by eta (over RT/F = ``voltage``)."""
        if self.kind == "linear":
            conductance = voltage / (self.resistance + self.layer)
            return kinetics.linear(eta, conductance), np.full_like(eta, conductance)
        return kinetics.rate_and_slope(eta, self.i0, self.beta, self.layer / voltage)

    def eta(self, anodic: Floats, voltage: float) -> Floats:
        """Driving potential over RT/F at which the anodic current density is given."""
        drop = np.asarray(anodic * (self.layer / voltage), dtype=np.float64)
        if self.kind == "linear":
            return drop + anodic * (self.resistance / voltage)
        return drop + kinetics.overpotential(anodic / self.i0, self.beta)


@dataclass(frozen=True)
class Electric:
    """The electrolyte as its lithium surfaces see it.

    Attributes:
        resistance: R, potential lost at node k per current density at node l [ohm m^2], (M, M);
            area_k R_kl is symmetric.
        area: Control areas a_k [m^2, or m^2 per m of thickness], (M,).
        film: Node of the film that a plating node belongs to; -1 on a flat surface, (M,).
        surface: Number of its surface, (M,).
        surfaces: Kinetics.
        shift: -V sigma_n/F of flat surfaces [V], (M,); 0 on the film, whose pressure is unknown.
        counter_area: Of the counter electrode [m^2, or m^2 per m of thickness].
        voltage: RT/F [V].
        plane: Whether areas are per metre of thickness.
    """

    resistance: Floats
    area: Floats
    film: NDArray[np.int64]
    surface: NDArray[np.int64]
    surfaces: tuple[Surface, ...]
    shift: Floats
    counter_area: float
    voltage: float
    plane: bool = True

    def rates(self, eta: Floats) -> tuple[Floats, Floats]:
        """Anodic current densities of filled surface and their derivatives, each (M,)."""
        rate, slope = np.empty_like(eta), np.empty_like(eta)
        for number, surface in enumerate(self.surfaces):
            mine = self.surface == number
            rate[mine], slope[mine] = surface.rate(eta[mine], self.voltage)
        return rate, slope

    def scaled(self, factor: float) -> Electric:
        """Of a body that is larger by a factor."""
        grown = factor if self.plane else factor**2
        return replace(
            self,
            resistance=self.resistance * factor,
            area=self.area * grown,
            counter_area=self.counter_area * grown,
        )


@dataclass(frozen=True)
class FilamentProblem:
    """A filament: network, condensed bulk, and the lithium in it.

    Attributes:
        network: The film.
        elastic: Of the same nodes.
        electric: Of the plating nodes.
        thickness: Lithium thickness w_0 at which the faces are without pressure and load [m].
        slit: Creep of lithium along the film; None: it does not flow.
        mouth_pressure: Of the reservoir at the mouth [Pa]; None: sealed.
        filled: Length from the mouth (or middle) that holds lithium at first [m]; None: all.
        sides: Faces that a control area stands for: 2 where one half of the body is meshed.
        toughness: K_IC [Pa m^0.5], or None.
        molar_volume: V_m of lithium [m^3/mol].
        stress_volume: V_m - V_+ in the stress term [m^3/mol].
        tolerance: Local error of a step, relative to thickness and pressure.
    """

    network: Network
    elastic: Elastic
    electric: Electric
    thickness: float
    slit: SlitFlow | None = None
    mouth_pressure: float | None = None
    filled: float | None = None
    sides: int = 1
    toughness: float | None = None
    molar_volume: float = LITHIUM_MOLAR_VOLUME
    stress_volume: float = LITHIUM_MOLAR_VOLUME
    tolerance: float = 1e-3

    @property
    def free_opening(self) -> Floats:
        """Opening without pressure of the lithium [m], (n,)."""
        return self.thickness + self.elastic.opening

    @property
    def reservoir(self) -> NDArray[np.int64]:
        """Nodes whose pressure a reservoir gives."""
        return self.network.mouth if self.mouth_pressure is not None else np.empty(0, np.int64)

    @property
    def pressure_scale(self) -> float:
        """RT/(V_m - V_+): 191 MPa at room temperature [Pa]."""
        return self.electric.voltage * FARADAY / abs(self.stress_volume or self.molar_volume)

    @property
    def opening_scale(self) -> float:
        """Opening under `pressure_scale`, with the first thickness [m]."""
        C = self.elastic.compliance
        return float(np.abs(C.sum(axis=1)).max()) * self.pressure_scale + self.thickness

    def opening(self, p: Floats) -> Floats:
        """Opening under a pressure [m], (n,)."""
        return self.free_opening + self.elastic.compliance @ p

    def scaled(self, factor: float) -> FilamentProblem:
        """The same case, larger by a factor (lithium of the same thickness w_0)."""
        return replace(
            self,
            network=self.network.scaled(factor, self.elastic.plane),
            elastic=self.elastic.scaled(factor),
            electric=self.electric.scaled(factor),
            filled=None if self.filled is None else self.filled * factor,
        )
