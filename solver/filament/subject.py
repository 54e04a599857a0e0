"""What is reported of a filament in time beside its steps: profile, balances, critical currents."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ssbmech.filament.critical import Critical, sweep
from ssbmech.filament.elastic import Condensed
from ssbmech.filament.electric import CondensedElectric
from ssbmech.filament.film import Floats
from ssbmech.filament.model import FilamentModel
from ssbmech.filament.problem import FilamentProblem
from ssbmech.output.verdict import Limits
from ssbmech.parallel import on_root
from ssbmech.subject import Columns, FieldWriter


@dataclass(frozen=True)
class Wanted:
    """Critical currents that a case asks for.

    Attributes:
        sizes: Flaw sizes [m].
        own: Flaw size of the mesh [m].
        hold: How long a current flows [s].
    """

    sizes: tuple[float, ...]
    own: float
    hold: float


@dataclass
class FilamentSubject:
    """A ``subject.Subject`` (see there); ``body`` and ``ions`` are the condensed bulk."""

    model: FilamentModel
    body: Condensed
    ions: CondensedElectric
    limits: Limits
    wanted: Wanted | None = None
    loaded: bool = False
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    @property
    def problem(self) -> FilamentProblem:
        """What moves."""
        return self.model.problem

    def profiles(self) -> dict[str, Columns]:
        """The film, node by node from its mouth, and K along a front in space."""
        f = self.model.profile()
        x, y, z = f.points.T * 1e6
        film = {
            "s [um]": f.s * 1e6,
            "x [um]": x,
            "y [um]": y,
            "z [um]": z,
            "pressure [MPa]": f.p * 1e-6,
            "opening [nm]": f.w * 1e9,
            "lithium [nm]": f.m * 1e9,
            "current_density [mA/cm^2]": f.J * 0.1,
            "potential [mV]": f.phi * 1e3,
            "flow [um^2/s]": f.q * 1e12,
        }
        if not len(self.problem.network.triangles):
            return {"filament": film}
        film["from_front [um]"] = self.problem.network.to_front * 1e6
        return {"filament": film, "front": self._front(f.p)}

    def _front(self, pressure: Floats) -> Columns:
        """K at the points of the fronts, one front after the other."""
        fronts = self.body.fronts
        x, y, z = np.concatenate([f.points for f in fronts]).T * 1e6
        found = {
            "s [um]": np.concatenate([f.s for f in fronts]) * 1e6,
            "x [um]": x, "y [um]": y, "z [um]": z,
        }  # fmt: skip
        for mode in self.problem.elastic.K:
            found[f"{mode} [MPa*m^0.5]"] = self.problem.elastic.intensity(mode, pressure) * 1e-6
        return found

    def balances(self) -> dict[str, tuple[float, float, str]]:
        """Lithium: what was plated against what is there and what left; charge is in every step."""
        plated, left, stored, moved = self.model.volumes
        unit = "m^2" if self.problem.elastic.plane else "m^3"
        return {"lithium in the filament": (plated - left - stored, moved, unit)}

    def fields(self, folder: Path) -> FieldWriter | None:
        """Displacement and stress of the body, potential of the electrolyte."""
        from ssbmech.filament.fields import FilamentWriter

        return FilamentWriter(folder, self.model, self.body.tool, self.ions.tool, self.loaded)

    def record(self) -> dict[str, Any]:
        """Numbers of the discretisation and of the condensation."""
        system, ions = self.body.tool.system, self.ions.tool.system
        bs = system.V.dofmap.index_map_bs
        return {
            "unknowns_body": int(system.V.dofmap.index_map.size_global * bs),
            "unknowns_electrolyte": int(ions.V.dofmap.index_map.size_global),
            "nodes_film": len(self.problem.network),
            "nodes_plating": len(self.problem.electric.area),
            "asymmetry_opening": self.body.asymmetry,
            "asymmetry_potential": self.ions.asymmetry,
            "K_hats_against_uniform": self.body.uniform,
            "rings_spread": max((f.spread for f in self.body.fronts), default=None),
            "solver_body": self.body.method,
            "seconds_per_node_body": self.body.seconds,
            "seconds_per_node_electrolyte": self.ions.seconds,
            "negative_widths": int((self.problem.network.width < 0).sum()),
        }

    def results(self) -> dict[str, Any]:
        """The filament at the end, and critical currents where they are asked for."""
        p, state, d = self.problem, self.model.state, self.model.derived
        K = p.elastic.K["K_I"].sum(axis=1).max()
        found: dict[str, Any] = {
            "K_I_per_uniform_pressure_m05": float(K),
            "pressure_at_tip_MPa": float(state.p[np.argmax(p.network.depth)] * 1e-6),
            "opening_largest_nm": float(d.w.max() * 1e9),
            "expelled_share": self.model.monitors()["expelled"],
        }
        if p.toughness is not None:
            critical = p.toughness / float(K)
            found["critical_pressure_if_uniform_MPa"] = critical * 1e-6
            found["critical_overpotential_if_uniform_mV"] = critical * self.model.system.shift * 1e3
        if self.wanted is not None and p.toughness is not None:
            comm = self.model.comm
            wanted = self.wanted
            rows = on_root(comm, lambda: sweep(p, wanted.own, list(wanted.sizes), wanted.hold))
            found["critical_currents"] = [_row(row) for row in rows]
        return found


def _row(found: Critical) -> dict[str, Any]:
    """None where no current extends the flaw."""
    finite = bool(np.isfinite(found.current_density))
    return {
        "flaw_size_um": found.size * 1e6,
        "current_density_mA_cm2": found.current_density * 0.1 if finite else None,
        "voltage_mV": found.voltage * 1e3 if finite else None,
        "pressure_max_MPa": found.pressure_max * 1e-6,
    }
