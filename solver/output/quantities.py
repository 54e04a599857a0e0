"""From fracture results to the plain data of summary.json: a contract other programs rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ssbmech.fracture.extension import ExtensionCheck
from ssbmech.fracture.probe import Peak
from ssbmech.fracture.rings import FrontResult, governing
from ssbmech.meshes.gate import GateReport

SCHEMA = "ssbmech-summary/1"
#: Unit of each quantity in the summary, and its factor from SI.
UNITS = {
    "K_I": ("MPa*m^0.5", 1e-6),
    "K_II": ("MPa*m^0.5", 1e-6),
    "K_III": ("MPa*m^0.5", 1e-6),
    "J": ("J/m^2", 1.0),
    "T_stress": ("MPa", 1e-6),
}


def quantities(fronts: list[FrontResult]) -> dict[str, Any]:
    """Quantities of the governing front: the one with the largest K_I (or J).

    ``value`` is taken where K_I is largest along that front; ``along_front`` (3-D) lists them all.
    """
    if not fronts:
        return {}
    front, k = governing(fronts)
    out: dict[str, Any] = {}
    for name, (unit, factor) in UNITS.items():
        if name not in front.values:
            continue
        values = front.values[name] * factor
        out[name] = {"value": float(values[k]), "unit": unit}
        if len(values) > 1:
            out[name]["along_front"] = values.tolist()
    return out


def front_table(fronts: list[FrontResult]) -> list[dict[str, Any]]:
    """Every front with its points and values."""
    out = []
    for f in fronts:
        entry: dict[str, Any] = {
            "name": f.name,
            "points_um": (f.points * 1e6).tolist(),
            "arc_length_um": (f.s * 1e6).tolist(),
            "element_size_um": f.element_size * 1e6,
            "extension_width_um": f.width * 1e6,
            "ring_spread": f.spread,
            "J_K_difference": f.consistency if "K_I" in f.values else None,
            "notes": list(f.notes),
        }
        for name, (unit, factor) in UNITS.items():
            if name in f.values:
                entry[name] = {"values": (f.values[name] * factor).tolist(), "unit": unit}
        out.append(entry)
    return out


def ring_table(fronts: list[FrontResult]) -> list[dict[str, Any]]:
    """Every ring with its values, accepted or refused."""
    out = []
    for f in fronts:
        for ring in f.rings:
            entry: dict[str, Any] = {
                "front": f.name,
                "inner_um": ring.inner * 1e6,
                "outer_um": ring.outer * 1e6,
                "accepted": not ring.refused,
            }
            if ring.refused:
                entry["refused"] = ring.refused
            for name, (unit, factor) in UNITS.items():
                if name in ring.values:
                    values = [float(v) * factor for v in ring.values[name]]
                    entry[name] = {"value": values[0] if len(values) == 1 else values, "unit": unit}
            out.append(entry)
    return out


def ring_gates(
    fronts: list[FrontResult], spread_limit: float, consistency_limit: float
) -> list[dict[str, Any]]:
    """Gates of the fracture quantities."""
    gates = []
    for f in fronts:
        gates.append(
            {
                "name": f"rings at {f.name}",
                "value": sum(1 for r in f.rings if r.refused),
                "limit": 0,
                "passed": all(not r.refused for r in f.rings),
                "what": "refused rings",
            }
        )
        gates.append(
            {
                "name": f"ring spread at {f.name}",
                "value": f.spread,
                "limit": spread_limit,
                "passed": bool(f.spread <= spread_limit),
                "what": (
                    "largest deviation of a ring's K over sqrt(E' J)"
                    if "K_I" in f.values
                    else "largest deviation of a ring's J over J"
                ),
            }
        )
        if "K_I" in f.values:
            gates.append(
                {
                    "name": f"J against K at {f.name}",
                    "value": f.consistency,
                    "limit": consistency_limit,
                    "passed": bool(f.consistency <= consistency_limit),
                    "what": "largest (J - J(K))/J",
                }
            )
    return gates


def mesh_gates(found: GateReport) -> list[dict[str, Any]]:
    """Gates of the mesh."""
    return [
        {
            "name": f"mesh: {c.name}",
            "value": float(c.value),
            "limit": c.limit,
            "passed": bool(c.ok),
            "what": c.place,
        }
        for c in found.checks
    ]


def mesh_record(found: GateReport) -> dict[str, Any]:
    """Numbers of the mesh for the record."""
    return {
        "cells": found.n_cells,
        "nodes": found.n_nodes,
        "shortest_edge_um": found.size_min,
        "longest_edge_um": found.size_max,
        "worst_quality": found.quality_min,
        "measures": {name: float(v) for name, v in found.measures.items()},
    }


def gate_note(found: GateReport) -> dict[str, float | str]:
    """The gate's words on a whole mesh as a note, to go with its parts; see `gate_said`."""
    return {"gate": json.dumps({"gates": mesh_gates(found), "mesh": mesh_record(found)})}


def gate_said(notes: Mapping[str, object]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Gates and numbers of the whole mesh from the notes of its parts; empty without them."""
    said = json.loads(str(notes.get("gate", "{}")))
    return said.get("gates", []), said.get("mesh", {})


def extension_table(checks: list[ExtensionCheck]) -> list[dict[str, Any]]:
    """Energy release by virtual extension against J."""
    return [
        {
            "front": c.front,
            "G": {"value": c.G, "unit": "J/m^2"},
            "J_mean": {"value": c.J, "unit": "J/m^2"},
            "difference": c.difference,
            "step_um": c.step * 1e6,
        }
        for c in checks
    ]


def peak_table(found: list[Peak]) -> list[dict[str, Any]]:
    """Peak principal stresses with their error estimates."""
    return [
        {
            "surface": p.surface,
            "side": p.side,
            "max_principal": {"value": p.value * 1e-6, "unit": "MPa"},
            "error_estimate": {"value": p.error * 1e-6, "unit": "MPa"},
            "point_um": (p.point * 1e6).tolist(),
        }
        for p in found
    ]


def csv_lines(fronts: list[FrontResult]) -> list[str]:
    """``quantities.csv``: a row per front point."""
    names = list(UNITS)
    lines = [
        "front,s_um,x_um,y_um,z_um," + ",".join(f"{n} [{UNITS[n][0]}]" for n in names),
    ]
    for f in fronts:
        for i, point in enumerate(f.points):
            values = [
                f"{f.values[n][i] * UNITS[n][1]:.12g}" if n in f.values else "" for n in names
            ]
            where = [f"{f.s[i] * 1e6:.9g}", *(f"{c * 1e6:.9g}" for c in point)]
            lines.append(",".join([f.name, *where, *values]))
    return lines
