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
        rows += _layer(e)
        if e.get("refused"):
            rows.append((f"peak on {e['name']}", e["refused"]))
        for what in ("largest", "smallest"):
            found = e[what]
            if found is None or (what == "smallest" and e["largest"] is None):
                continue
            error = found["error_estimate"]
            rows.append(
                (
                    f"{what} on {e['name']}",
                    f"{found['factor']:.5g}"
                    + ("" if error is None else f" +- {error:.1g}")
                    + f" of the mean, {found['plating_current_density']['value']:.5g} mA/cm^2 at "
                    f"({_point(found)}) um",
                )
            )
    return rows + _leakage(electric.get("leakage"))


def _layer(electrode: dict[str, Any]) -> list[tuple[str, str]]:
    """The row on the reaction layer of an electrode."""
    found = electrode.get("layer")
    if found is None:
        return []
    text = (
        f"{found['thickness']['value']:.4g} um, {found['resistance']['value']:.4g} ohm*cm^2, "
        f"{found['voltage']['value']:.4g} mV"
    )
    share = "" if found["share"] is None else f", {100 * found['share']:.3g} % of the voltage"
    return [(f"layer on {electrode['name']}", text + share)]


def _leakage(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Rows on electrons that leak."""
    if found is None:
        return []
    share = found["volume_share_below"]
    lowest = found["lowest_lithium_potential"]
    rows = [
        (
            "electrons that leak",
            f"{abs(found['electronic_current_density']['value']):.4g} mA/cm^2, "
            f"{found['electronic_transference']:.3g} of the current",
        ),
        (
            "lithium inside",
            f"possible in {share:.3g} of the volume, to a depth of "
            f"{found['depth_below']['value']:.4g} um" if share > 0 else "possible nowhere",
        ),
        ("lowest lithium potential", f"{lowest['value']:.4g} mV at ({_point(lowest)}) um"),
    ]  # fmt: skip
    groups = [site["group"] for site in found["sites"]]
    for group in dict.fromkeys(groups):  # the sites are given with the worst first
        site, count = found["sites"][groups.index(group)], groups.count(group)
        value = site["lithium_potential"]["value"]
        others = f", the worst of {count}" if count > 1 else ""
        rows.append((f"site at {group}", f"{value:.4g} mV at ({_point(site)}) um{others}"))
    return rows


def _point(entry: dict[str, Any]) -> str:
    """Coordinates [um]; one that is zero but for rounding is shown as zero."""
    return ", ".join(f"{round(c, 6) + 0.0:.4g}" for c in entry["point_um"])
