"""Rows of the closing table on currents."""

from __future__ import annotations

from typing import Any


def closing_rows(electric: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Rows of the closing table from the summary's entry."""
    if electric is None:
        return []
    rows = []
    voltage, density = electric["voltage"], electric["plating_current_density"]
    rows.append(
        (
            f"driven, {electric['driven']}",
            f"{voltage['value']:.5g} mV, plating {density['value']:.5g} mA/cm^2",
        )
    )
    specific = electric["area_specific_resistance"]["value"]
    if specific is not None:
        rows.append(("cell resistance", f"{specific:.5g} ohm*cm^2 of {electric['driven']}"))
    for e in electric["electrodes"]:
        mean = e["mean_plating_current_density"]["value"]
        rows.append((f"plating on {e['name']}", f"mean {mean:.5g} mA/cm^2"))
        if e.get("refused"):
            rows.append((f"peak on {e['name']}", e["refused"]))
        for what in ("largest", "smallest"):
            found = e[what]
            if found is None or (what == "smallest" and e["largest"] is None):
                continue
            error = found["error_estimate"]
            # a coordinate that is zero but for rounding is shown as zero
            where = ", ".join(f"{round(c, 6) + 0.0:.4g}" for c in found["point_um"])
            rows.append(
                (
                    f"{what} on {e['name']}",
                    f"{found['factor']:.5g}"
                    + ("" if error is None else f" +- {error:.1g}")
                    + f" of the mean, {found['plating_current_density']['value']:.5g} mA/cm^2 at "
                    f"({where}) um",
                )
            )
    return rows
